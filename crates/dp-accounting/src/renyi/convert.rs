//! From a curve to (epsilon, delta) and back: Canonne, Kamath, Steinke 2020, Proposition 12
//! (<https://arxiv.org/abs/2004.00010>).

use super::RenyiCurve;
use crate::error::{Result, non_negative, probability};
use crate::numeric::U;

impl RenyiCurve {
    /// The smallest epsilon at `delta` over the orders, rounded up; infinite if no order gives a
    /// bound (always at delta 0).
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `delta` is a probability.
    ///
    /// # Example
    ///
    /// ```
    /// use dp_accounting::renyi::RenyiCurve;
    ///
    /// let epoch = RenyiCurve::sampled_gaussian(1.1, 256.0 / 60_000.0)?.repeat(14_062);
    /// assert!(epoch.epsilon(1e-5)? < 2.5966);
    /// # Ok::<(), dp_accounting::AccountingError>(())
    /// ```
    pub fn epsilon(&self, delta: f64) -> Result<f64> {
        let delta = probability("delta", delta)?;
        Ok(self.best_epsilon(delta).0)
    }

    /// The order that [`RenyiCurve::epsilon`] settles on, `None` if every order is infinite.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `delta` is a probability.
    pub fn best_order(&self, delta: f64) -> Result<Option<f64>> {
        let delta = probability("delta", delta)?;
        Ok(self.best_epsilon(delta).1)
    }

    fn best_epsilon(&self, delta: f64) -> (f64, Option<f64>) {
        if self.is_zero() || delta >= 1.0 {
            return (0.0, None);
        }
        let log = -delta.ln();
        let mut best = (f64::INFINITY, None);
        for (order, divergence) in self.points() {
            let t = order - 1.0;
            let gain = (1.0 / t).ln_1p();
            let cost = (log - order.ln()) / t;
            let size = divergence + gain + (log + order.ln()) / t;
            let bound = divergence - gain + cost + 8.0 * U * size;
            if bound < best.0 {
                best = (bound, Some(order));
            }
        }
        (best.0.max(0.0), best.1)
    }

    /// The smallest delta at `epsilon` over the orders, rounded up.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is finite and 0 or more.
    pub fn delta(&self, epsilon: f64) -> Result<f64> {
        let epsilon = non_negative("epsilon", epsilon)?;
        if self.is_zero() {
            return Ok(0.0);
        }
        let mut best = 0.0f64;
        for (order, divergence) in self.points() {
            let t = order - 1.0;
            let value = t * (divergence - epsilon) - t * (1.0 / t).ln_1p() - order.ln();
            let size = t * (divergence + epsilon) + t * (1.0 / t).ln_1p() + order.ln();
            let bound = value + 8.0 * U * size;
            if bound < best {
                best = bound;
            }
        }
        Ok((best.exp() * (1.0 + 8.0 * U) + f64::MIN_POSITIVE).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_of_the_default_orders() {
        // dp-accounting 0.6.0 gives 2.596556 and 2.101367 with unsigned binomials, which is above;
        // with signed binomials the second is 2.101365.
        let one = RenyiCurve::sampled_gaussian(1.1, 256.0 / 60_000.0).unwrap().repeat(14_062);
        let epsilon = one.epsilon(1e-5).unwrap();
        assert!(epsilon <= 2.596_556_5 && epsilon > 2.596_5, "{epsilon}");
        let two = RenyiCurve::sampled_gaussian(1.0, 0.01).unwrap().repeat(1000);
        let epsilon = two.epsilon(1e-5).unwrap();
        assert!((epsilon - 2.101_365).abs() < 1e-6, "{epsilon}");
    }

    #[test]
    fn conversions_invert_each_other_and_cover_the_exact_gaussian() {
        let curve = RenyiCurve::gaussian(2.0).unwrap();
        let exact = crate::gaussian::GaussianDp::from_noise_multiplier(2.0).unwrap();
        for delta in [1e-30, 1e-9, 1e-5, 1e-2] {
            let epsilon = curve.epsilon(delta).unwrap();
            assert!(epsilon >= exact.epsilon_lower(delta).unwrap());
            if epsilon > 0.0 {
                let back = curve.delta(epsilon).unwrap();
                assert!((back / delta - 1.0).abs() < 1e-10, "{delta} {back}");
            }
        }
        assert_eq!(curve.epsilon(0.0).unwrap(), f64::INFINITY);
    }
}
