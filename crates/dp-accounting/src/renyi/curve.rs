//! The curve, and the curves of the unsampled mechanisms.

use std::sync::{Arc, OnceLock};

use privacy_core::measure::{Charge, RenyiCost, RenyiPoint};
use privacy_core::params::Amount;

use crate::error::{Result, non_negative, out_of_range, positive};
use crate::numeric::{U, log_add_exp, up};

/// The orders used unless others are given: 1.1 to 10.9 by tenths, 11 to 63, 128, 256, 512, 1024.
#[must_use]
pub fn default_orders() -> Arc<[f64]> {
    static ORDERS: OnceLock<Arc<[f64]>> = OnceLock::new();
    Arc::clone(ORDERS.get_or_init(|| {
        let tenths = (11..110).map(|n| f64::from(n) / 10.0);
        let whole = (11..64).map(f64::from);
        tenths.chain(whole).chain([128.0, 256.0, 512.0, 1024.0]).collect()
    }))
}

/// Upper bounds on the Rényi divergence at a list of orders.
///
/// # Example
///
/// ```
/// use dp_accounting::renyi::RenyiCurve;
///
/// let plan = RenyiCurve::gaussian(5.0)?.repeat(10).and(&RenyiCurve::laplace(20.0)?)?;
/// assert!(plan.epsilon(1e-6)? < 4.0);
/// # Ok::<(), dp_accounting::AccountingError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RenyiCurve {
    orders: Arc<[f64]>,
    divergences: Vec<f64>,
}

impl RenyiCurve {
    /// The curve of doing nothing.
    #[must_use]
    pub fn zero() -> Self {
        let orders = default_orders();
        RenyiCurve { divergences: vec![0.0; orders.len()], orders }
    }

    /// A curve given by its values at `orders`, infinite where nothing is known.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless the lists have equal length, orders are finite, above 1 and increasing,
    /// and divergences are 0 or more.
    pub fn from_points(orders: &[f64], divergences: &[f64]) -> Result<Self> {
        if orders.len() != divergences.len() {
            return Err(out_of_range("divergences", divergences.len() as f64, "one per order"));
        }
        let mut last = 1.0;
        for &order in orders {
            if !(order > last && order.is_finite()) {
                return Err(out_of_range("orders", order, "finite, above 1 and increasing"));
            }
            last = order;
        }
        if let Some(&bad) = divergences.iter().find(|value| value.is_nan() || **value < 0.0) {
            return Err(out_of_range("divergences", bad, "0 or more"));
        }
        Ok(RenyiCurve { orders: orders.into(), divergences: divergences.to_vec() })
    }

    /// A curve of the default orders, from a bound at each.
    pub(crate) fn from_bound(bound: impl Fn(f64) -> f64) -> Self {
        let orders = default_orders();
        let divergences = orders
            .iter()
            .map(|&order| {
                let value = bound(order);
                if value.is_nan() { f64::INFINITY } else { value.max(0.0) }
            })
            .collect();
        RenyiCurve { orders, divergences }
    }

    pub(crate) fn from_values(orders: Arc<[f64]>, divergences: Vec<f64>) -> Self {
        RenyiCurve { orders, divergences }
    }

    /// `rho`-zCDP: `a rho` at order `a`.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `rho` is finite and 0 or more.
    pub fn zcdp(rho: f64) -> Result<Self> {
        let rho = non_negative("rho", rho)?;
        if rho == 0.0 {
            return Ok(RenyiCurve::zero());
        }
        Ok(RenyiCurve::from_bound(|order| up(order * rho, U)))
    }

    /// Gaussian noise, continuous or discrete, of `noise_multiplier` standard deviations per unit
    /// of L2 sensitivity: `a / (2 z^2)` (Mironov 2017, Corollary 3; for the discrete Gaussian
    /// Canonne, Kamath, Steinke 2020, Theorem 4).
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless the multiplier is finite and above 0.
    pub fn gaussian(noise_multiplier: f64) -> Result<Self> {
        let z = positive("noise_multiplier", noise_multiplier)?;
        Ok(RenyiCurve::from_bound(|order| up(0.5 * order / z / z, 4.0 * U)))
    }

    /// Laplace noise of `noise_multiplier` scales per unit of L1 sensitivity (Mironov 2017,
    /// Proposition 6).
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless the multiplier is finite and above 0.
    pub fn laplace(noise_multiplier: f64) -> Result<Self> {
        let rate = 1.0 / positive("noise_multiplier", noise_multiplier)?;
        Ok(RenyiCurve::from_bound(|order| {
            let t = order - 1.0;
            let high = (order / (order + t)).ln() + t * rate;
            let low = (t / (order + t)).ln() - order * rate;
            let value = log_add_exp(high, low) / t;
            // For small rates the logarithm cancels: at most rate^2 * order / 2 by zCDP, at most
            // rate always.
            let error = 16.0 * U * (1.0 + order * rate) / t;
            (value + error).min(up(0.5 * order * rate * rate, 4.0 * U)).min(up(rate, 2.0 * U))
        }))
    }

    /// Binary randomized response with `epsilon`, which bounds every `epsilon`-DP mechanism
    /// (Mironov 2017, Proposition 5, with Kairouz, Oh, Viswanath 2015 for its being the worst).
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is finite and 0 or more.
    pub fn pure(epsilon: f64) -> Result<Self> {
        let epsilon = non_negative("epsilon", epsilon)?;
        if epsilon == 0.0 {
            return Ok(RenyiCurve::zero());
        }
        // With s = ln(1 + e^-epsilon): p = e^-s, 1 - p = e^(-epsilon - s), and the sum is
        // e^(t epsilon - s) + e^(-order epsilon - s).
        let s = (-epsilon).exp().ln_1p();
        Ok(RenyiCurve::from_bound(|order| {
            let t = order - 1.0;
            let value = log_add_exp(t * epsilon, -order * epsilon) - s;
            let error = 16.0 * U * (1.0 + order * epsilon);
            let bound = (value + error) / t;
            bound.min(up(0.5 * order * epsilon * epsilon, 4.0 * U)).min(epsilon.next_up())
        }))
    }

    /// An `epsilon`-bounded-range mechanism (the exponential mechanism): `a epsilon^2 / 8`, and
    /// never more than `epsilon` (Cesar and Rogers 2021, <https://arxiv.org/abs/2004.07223>).
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is finite and 0 or more.
    pub fn bounded_range(epsilon: f64) -> Result<Self> {
        let pure = RenyiCurve::pure(epsilon)?;
        let zcdp = RenyiCurve::zcdp(crate::zcdp::rho_of_bounded_range(epsilon)?)?;
        Ok(pure.pointwise(&zcdp, f64::min))
    }

    /// k-ary randomized response: the truth is kept with odds `e^epsilon` to 1 against each of the
    /// `categories - 1` others.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is finite and 0 or more and there are two categories or more.
    pub fn randomized_response(epsilon: f64, categories: u32) -> Result<Self> {
        let epsilon = non_negative("epsilon", epsilon)?;
        if categories < 2 {
            return Err(out_of_range("categories", f64::from(categories), "2 or more"));
        }
        let others = f64::from(categories - 2);
        let pure = RenyiCurve::pure(epsilon)?;
        // Masses e^epsilon : 1 : 1 (times k - 2), total e^epsilon + k - 1.
        let total = epsilon + ((others + 1.0) * (-epsilon).exp()).ln_1p();
        let direct = RenyiCurve::from_bound(|order| {
            let t = order - 1.0;
            let moved = log_add_exp(order * epsilon, -t * epsilon);
            let sum = if others > 0.0 { log_add_exp(moved, others.ln()) } else { moved };
            let error = 16.0 * U * (1.0 + others.max(1.0).ln() + order * epsilon + total);
            (sum - total + error) / t
        });
        Ok(pure.pointwise(&direct, f64::min))
    }

    /// The curve of this and `other` one after the other, adaptively.
    ///
    /// # Errors
    ///
    /// `OutOfRange` if the two were made for different orders.
    pub fn and(&self, other: &Self) -> Result<Self> {
        if self.orders != other.orders {
            return Err(out_of_range(
                "orders",
                other.orders.len() as f64,
                "the same in both curves",
            ));
        }
        Ok(self.pointwise(
            other,
            |a, b| {
                if a == 0.0 || b == 0.0 { a + b } else { (a + b).next_up() }
            },
        ))
    }

    /// This curve `times` times over, adaptively.
    #[must_use]
    pub fn repeat(&self, times: u64) -> Self {
        let scale = |value: &f64| match times {
            0 => 0.0,
            1 => *value,
            _ if *value == 0.0 => 0.0,
            _ => up(value * times as f64, 3.0 * U),
        };
        RenyiCurve {
            orders: Arc::clone(&self.orders),
            divergences: self.divergences.iter().map(scale).collect(),
        }
    }

    /// Order and bound, by increasing order.
    pub fn points(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.orders.iter().copied().zip(self.divergences.iter().copied())
    }

    /// The curve as a charge on a budget: its finite points, as exact rationals.
    ///
    /// # Errors
    ///
    /// `OutOfRange` if no point is finite.
    pub fn charge(&self) -> Result<Charge> {
        let points = self
            .points()
            .filter_map(|(order, divergence)| {
                // An order is the decimal it was written as; a bound is its binary value.
                let order = Amount::from_decimal(order).ok()?;
                let epsilon = Amount::from_binary(divergence).ok()?;
                Some(RenyiPoint { order, epsilon })
            })
            .collect();
        RenyiCost::new(points)
            .map(Charge::renyi)
            .map_err(|_| out_of_range("divergences", f64::INFINITY, "finite at one order or more"))
    }

    pub(crate) fn orders(&self) -> &Arc<[f64]> {
        &self.orders
    }

    /// The bound at the smallest listed order at or above `order`: divergences grow with the order.
    #[must_use]
    pub fn at(&self, order: f64) -> f64 {
        self.points()
            .find(|(listed, _)| *listed >= order)
            .map_or(f64::INFINITY, |(_, divergence)| divergence)
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.divergences.iter().all(|value| *value == 0.0)
    }

    pub(crate) fn pointwise(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let values = self.divergences.iter().zip(&other.divergences);
        RenyiCurve {
            orders: Arc::clone(&self.orders),
            divergences: values.map(|(a, b)| f(*a, *b)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laplace_and_response_match_direct_sums() {
        for multiplier in [0.5f64, 1.0, 4.0, 30.0] {
            let rate = 1.0 / multiplier;
            let curve = RenyiCurve::laplace(multiplier).unwrap();
            for (order, bound) in curve.points().filter(|(order, _)| *order < 20.0) {
                // Integral of p^a q^(1-a) for Laplace densities at distance `rate`, midpoint rule
                // over the middle and closed form outside.
                let t = order - 1.0;
                let steps = 4000;
                let width = rate / f64::from(steps);
                let middle: f64 = (0..steps)
                    .map(|i| (f64::from(i) + 0.5) * width)
                    .map(|x| 0.5 * (-order * x - (1.0 - order) * (rate - x)).exp() * width)
                    .sum();
                let total = 0.5 * (t * rate).exp() + 0.5 * (-order * rate).exp() + middle;
                let truth = total.ln() / t;
                assert!(bound >= truth * (1.0 - 1e-6) - 1e-12, "{multiplier} {order}");
                assert!(bound <= truth * (1.0 + 1e-5) + 1e-12, "{multiplier} {order}");
            }
        }
        let (epsilon, k) = (1.3f64, 5u32);
        let curve = RenyiCurve::randomized_response(epsilon, k).unwrap();
        let total = epsilon.exp() + f64::from(k - 1);
        for (order, bound) in curve.points().filter(|(order, _)| *order < 30.0) {
            let sum = (epsilon.exp().powf(order) + epsilon.exp().powf(1.0 - order) + 3.0) / total;
            assert!((bound - sum.ln() / (order - 1.0)).abs() < 1e-12);
        }
    }

    #[test]
    fn curves_grow_with_the_order_and_stay_below_pure() {
        for epsilon in [1e-6, 0.1, 1.0, 20.0] {
            let curve = RenyiCurve::pure(epsilon).unwrap();
            let values: Vec<_> = curve.points().collect();
            assert!(values.windows(2).all(|w| w[0].1 <= w[1].1 * (1.0 + 1e-12)));
            assert!(values.iter().all(|(_, d)| *d <= epsilon.next_up()));
        }
    }

    #[test]
    fn malformed_points_are_refused() {
        assert!(RenyiCurve::from_points(&[2.0, 1.5], &[0.1, 0.1]).is_err());
        assert!(RenyiCurve::from_points(&[1.0], &[0.1]).is_err());
        assert!(RenyiCurve::from_points(&[2.0], &[f64::NAN]).is_err());
        assert!(RenyiCurve::from_points(&[2.0], &[]).is_err());
        let other = RenyiCurve::from_points(&[2.0], &[0.5]).unwrap();
        assert!(RenyiCurve::zero().and(&other).is_err());
    }
}
