//! Gaussian differential privacy: the exact price of Gaussian noise, alone and composed.
//!
//! A mechanism is mu-GDP if telling two neighbours apart from its output is no easier than telling
//! N(0, 1) from N(mu, 1) ([Dong, Roth, Su 2019](https://arxiv.org/abs/1905.02383)). Noise of
//! standard deviation `sigma` on a value of L2 sensitivity `D` is (D/sigma)-GDP, and the mus of a
//! composition add in squares.

use crate::error::{Result, non_negative, positive, probability};
use crate::numeric::{
    NORMAL_RELATIVE_ERROR, U, down, first_true, mills_ratio, normal_cdf, normal_density,
    normal_quantile, normal_tail, up,
};

/// A Gaussian privacy guarantee, `mu` = sensitivity / standard deviation.
///
/// # Privacy
///
/// The conversions are those of Balle and Wang 2018, Theorem 8
/// (<https://arxiv.org/abs/1805.06530>), which is exact for continuous Gaussian noise. Noise on a
/// grid needs the loss distribution of the discrete Gaussian instead.
///
/// # Example
///
/// ```
/// use dp_accounting::gaussian::GaussianDp;
///
/// let once = GaussianDp::from_noise_multiplier(10.0)?;
/// let year = once.repeat(52);
/// assert!(year.epsilon(1e-6)? < 3.45);
/// # Ok::<(), dp_accounting::AccountingError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct GaussianDp {
    mu: f64,
}

impl GaussianDp {
    /// The guarantee with parameter `mu`, finite and 0 or more.
    ///
    /// # Errors
    ///
    /// `OutOfRange` otherwise.
    pub fn new(mu: f64) -> Result<Self> {
        Ok(GaussianDp { mu: non_negative("mu", mu)? })
    }

    /// The guarantee of noise whose standard deviation is `noise_multiplier` times the L2
    /// sensitivity; `mu` is rounded up.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless the multiplier is finite and above about 5.6e-309.
    pub fn from_noise_multiplier(noise_multiplier: f64) -> Result<Self> {
        let multiplier = positive("noise_multiplier", noise_multiplier)?;
        GaussianDp::new(up(1.0 / multiplier, U))
    }

    /// The parameter.
    #[must_use]
    pub fn mu(self) -> f64 {
        self.mu
    }

    /// This guarantee `times` times over, adaptively: `mu * sqrt(times)`, rounded up.
    #[must_use]
    pub fn repeat(self, times: u64) -> Self {
        if times <= 1 {
            return if times == 0 { GaussianDp { mu: 0.0 } } else { self };
        }
        GaussianDp { mu: clamp(up(self.mu * up(times as f64, U).sqrt(), 4.0 * U)) }
    }

    /// Both guarantees one after the other, adaptively: the root of the sum of squares, rounded up.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self.mu == 0.0 || other.mu == 0.0 {
            return GaussianDp { mu: self.mu.max(other.mu) };
        }
        GaussianDp { mu: clamp(up(self.mu.hypot(other.mu), 4.0 * f64::EPSILON)) }
    }

    /// The smallest delta at `epsilon`, rounded up (by at most one part in 10^12 for mu above 0.03,
    /// and never below 2.2e-308 for a positive mu).
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is finite and 0 or more.
    pub fn delta(self, epsilon: f64) -> Result<f64> {
        Ok(delta_up(self.mu, non_negative("epsilon", epsilon)?))
    }

    /// The same delta, rounded down: the truth lies between the two.
    ///
    /// # Errors
    ///
    /// As [`GaussianDp::delta`].
    pub fn delta_lower(self, epsilon: f64) -> Result<f64> {
        Ok(delta_down(self.mu, non_negative("epsilon", epsilon)?))
    }

    /// The smallest epsilon at `delta`, rounded up; infinite where none can be certified (delta 0
    /// or below 2.2e-308).
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `delta` is a probability.
    pub fn epsilon(self, delta: f64) -> Result<f64> {
        let delta = probability("delta", delta)?;
        Ok(solve(self.mu, |epsilon| delta_up(self.mu, epsilon) <= delta))
    }

    /// The same epsilon, rounded down.
    ///
    /// # Errors
    ///
    /// As [`GaussianDp::epsilon`].
    pub fn epsilon_lower(self, delta: f64) -> Result<f64> {
        let delta = probability("delta", delta)?;
        let above = solve(self.mu, |epsilon| delta_down(self.mu, epsilon) <= delta);
        // The search ends within one part in 10^15 of the crossing.
        Ok(if above.is_finite() { down(above, 4e-15).max(0.0) } else { f64::MAX })
    }

    /// The noise multiplier (standard deviation / L2 sensitivity) that makes one release
    /// (`epsilon`, `delta`)-DP: the smallest, rounded up, by monotone bisection on the exact curve.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is finite and 0 or more and 0 < `delta` < 1;
    /// `TargetUnreachable` if no multiplier up to 1e150 can be certified.
    pub fn noise_multiplier(epsilon: f64, delta: f64) -> Result<f64> {
        let epsilon = non_negative("epsilon", epsilon)?;
        if !(delta > 0.0 && delta < 1.0) {
            return Err(crate::error::out_of_range("delta", delta, "above 0 and below 1"));
        }
        let (low, high) = (1e-100, 1e150);
        let meets = |multiplier: f64| delta_up(up(1.0 / multiplier, U), epsilon) <= delta;
        first_true(low, high, 1e-15, meets).ok_or(crate::AccountingError::TargetUnreachable {
            parameter: "noise_multiplier",
            low,
            high,
            epsilon,
            delta,
        })
    }

    /// The trade-off function: the least type II error of a test with type I error
    /// `false_positives`, `Phi(PhiInv(1 - a) - mu)`, to about 1e-14 absolute.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless the argument is a probability.
    pub fn trade_off(self, false_positives: f64) -> Result<f64> {
        let level = probability("false_positives", false_positives)?;
        if level == 0.0 || level >= 1.0 {
            return Ok(1.0 - level);
        }
        Ok(normal_cdf(-normal_quantile(level) - self.mu))
    }
}

fn clamp(mu: f64) -> f64 {
    mu.min(f64::MAX)
}

fn solve(mu: f64, holds: impl FnMut(f64) -> bool) -> f64 {
    if mu == 0.0 {
        return 0.0;
    }
    let high = (39.5 * mu + 0.5 * mu * mu).min(f64::MAX);
    first_true(0.0, high, 2e-16, holds).unwrap_or(f64::INFINITY)
}

/// `b = epsilon / mu - mu / 2` and a bound of its rounding error.
fn distance(mu: f64, epsilon: f64) -> (f64, f64) {
    let (first, second) = (epsilon / mu, 0.5 * mu);
    (first - second, 2.0 * U * (first + second).min(f64::MAX) + f64::MIN_POSITIVE)
}

/// With `b` as above and `a = b + mu`: delta = density(b) (R(b) - R(a)), `R` Mills' ratio. The
/// terms do not overflow and keep relative accuracy for tiny deltas. Returns delta and its error.
fn delta_with_error(mu: f64, b: f64) -> (f64, f64) {
    let density = normal_density(b);
    let second = density * mills_ratio(b + mu);
    let first = normal_tail(b);
    (first - second, 4.0 * NORMAL_RELATIVE_ERROR * (first + second))
}

/// `-R'(x) = 1 - x R(x)`, decreasing in `x`, with its error.
fn mills_slope(x: f64) -> (f64, f64) {
    let product = x * mills_ratio(x);
    (1.0 - product, 2.0 * NORMAL_RELATIVE_ERROR * (1.0 + product.abs()))
}

pub(crate) fn delta_up(mu: f64, epsilon: f64) -> f64 {
    if mu == 0.0 {
        return 0.0;
    }
    let (b, error) = distance(mu, epsilon);
    if !b.is_finite() {
        return 1.0;
    }
    // delta decreases in b.
    let b = b - error;
    let (value, error) = delta_with_error(mu, b);
    let direct = value + error;
    // For small mu the difference cancels; the mean value theorem does not.
    let small = if b > -30.0 && mu < 1e-3 {
        let (slope, slope_error) = mills_slope(b);
        let slope = (slope + slope_error).min(if b > 0.0 { 1.0 / (1.0 + b * b) } else { f64::MAX });
        normal_density(b) * mu * slope * (1.0 + 4.0 * NORMAL_RELATIVE_ERROR)
    } else {
        f64::INFINITY
    };
    (direct.min(small) + f64::MIN_POSITIVE).min(1.0)
}

pub(crate) fn delta_down(mu: f64, epsilon: f64) -> f64 {
    if mu == 0.0 {
        return 0.0;
    }
    let (b, error) = distance(mu, epsilon);
    if !b.is_finite() {
        return if b < 0.0 { 1.0 - f64::EPSILON } else { 0.0 };
    }
    let b = b + error;
    let (value, error) = delta_with_error(mu, b);
    let direct = value - error;
    let small = if b > -30.0 && mu < 1e-3 {
        let (slope, slope_error) = mills_slope(b + mu);
        normal_density(b) * mu * (slope - slope_error) * (1.0 - 4.0 * NORMAL_RELATIVE_ERROR)
    } else {
        0.0
    };
    (direct.max(small) - f64::MIN_POSITIVE).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of Balle and Wang's curve computed with 50-digit arithmetic.
    #[test]
    fn exact_values_are_met_from_above() {
        for (multiplier, delta, epsilon) in
            [(1.0, 1e-5, 4.377_178_095_681_224_6), (0.5, 1e-5, 9.997_256_146_434_3)]
        {
            let gdp = GaussianDp::from_noise_multiplier(multiplier).unwrap();
            let upper = gdp.epsilon(delta).unwrap();
            let lower = gdp.epsilon_lower(delta).unwrap();
            assert!(upper >= epsilon && upper <= epsilon * (1.0 + 1e-11), "{upper}");
            assert!(lower <= epsilon && lower >= epsilon * (1.0 - 1e-11), "{lower}");
        }
        for (epsilon, sigma) in [(1.0, 3.730_631_634_815_941_8), (0.1, 30.749_566_131_977_45)] {
            let found = GaussianDp::noise_multiplier(epsilon, 1e-5).unwrap();
            assert!(found >= sigma && found <= sigma * (1.0 + 1e-9), "{found}");
        }
    }

    #[test]
    fn tiny_deltas_and_tiny_mus_stay_bracketed() {
        for mu in [1e-12, 1e-6, 1e-3, 0.1, 1.0, 10.0, 1e3, 1e100] {
            let gdp = GaussianDp::new(mu).unwrap();
            for delta in [1e-300, 1e-100, 1e-30, 1e-12, 1e-5, 0.1, 0.9] {
                let upper = gdp.epsilon(delta).unwrap();
                let lower = gdp.epsilon_lower(delta).unwrap();
                assert!(lower <= upper, "{mu} {delta}: {lower} {upper}");
                assert!(upper - lower <= 1e-6 * upper + 1e-12, "{mu} {delta}: {lower} {upper}");
            }
        }
    }

    #[test]
    fn an_epsilon_at_zero_has_the_total_variation_as_delta() {
        // delta(0) = 2 Phi(mu/2) - 1, about mu/sqrt(2 pi).
        let delta = GaussianDp::new(1e-9).unwrap().delta(0.0).unwrap();
        assert!((delta / (1e-9 / std::f64::consts::TAU.sqrt()) - 1.0).abs() < 1e-8);
    }

    #[test]
    fn composition_adds_squares() {
        let gdp = GaussianDp::new(0.3).unwrap();
        let twice = gdp.and(gdp);
        assert!((twice.mu() - gdp.repeat(2).mu()).abs() < 1e-15);
        assert!(gdp.repeat(2).mu() >= 0.3 * 2f64.sqrt());
        assert_eq!(gdp.repeat(0).delta(0.0).unwrap(), 0.0);
        assert!((gdp.trade_off(0.5).unwrap() - normal_cdf(-0.3)).abs() < 1e-14);
    }

    #[test]
    fn wrong_parameters_are_refused() {
        assert!(GaussianDp::new(f64::NAN).is_err());
        assert!(GaussianDp::from_noise_multiplier(0.0).is_err());
        let gdp = GaussianDp::new(1.0).unwrap();
        assert!(gdp.epsilon(1.5).is_err() && gdp.delta(-1.0).is_err());
        assert_eq!(gdp.epsilon(0.0).unwrap(), f64::INFINITY);
        assert!(GaussianDp::noise_multiplier(1.0, 0.0).is_err());
    }
}
