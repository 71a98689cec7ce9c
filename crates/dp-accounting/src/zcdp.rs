//! Zero-concentrated differential privacy and its tight conversion.
//!
//! A mechanism is rho-zCDP if its Rényi divergence of every order a is at most `a rho`
//! ([Bun, Steinke 2016](https://arxiv.org/abs/1605.02065)); rhos add under adaptive composition.
//! The conversion is Canonne, Kamath, Steinke 2020, Corollary 13
//! (<https://arxiv.org/abs/2004.00010>): every order gives a valid bound, and the best order is
//! found by search, so that a bound is valid however well the search did.

use crate::error::{AccountingError, Result, non_negative, out_of_range, probability};
use crate::numeric::{U, first_true, up};

/// The rho of any `epsilon`-DP mechanism, `epsilon^2 / 2` (Bun and Steinke 2016, Proposition 3.3),
/// rounded up.
///
/// # Errors
///
/// `OutOfRange` unless `epsilon` is finite and 0 or more.
pub fn rho_of_pure(epsilon: f64) -> Result<f64> {
    let epsilon = non_negative("epsilon", epsilon)?;
    Ok(if epsilon == 0.0 { 0.0 } else { up(0.5 * epsilon * epsilon, 2.0 * U) })
}

/// The rho of an `epsilon`-bounded-range mechanism such as the exponential mechanism,
/// `epsilon^2 / 8` ([Cesar, Rogers 2021](https://arxiv.org/abs/2004.07223), Lemma 3.4), rounded up.
///
/// # Errors
///
/// `OutOfRange` unless `epsilon` is finite and 0 or more.
pub fn rho_of_bounded_range(epsilon: f64) -> Result<f64> {
    let epsilon = non_negative("epsilon", epsilon)?;
    Ok(if epsilon == 0.0 { 0.0 } else { up(0.125 * epsilon * epsilon, 2.0 * U) })
}

/// The rho of Gaussian noise of `noise_multiplier` standard deviations per unit of L2 sensitivity,
/// continuous or discrete: `1 / (2 z^2)`, rounded up.
///
/// # Errors
///
/// `OutOfRange` unless the multiplier is finite and above 0.
pub fn rho_of_gaussian(noise_multiplier: f64) -> Result<f64> {
    let z = crate::error::positive("noise_multiplier", noise_multiplier)?;
    Ok(up(0.5 / z / z, 4.0 * U))
}

/// The smallest delta at `epsilon` that the definition of rho-zCDP implies, rounded up.
///
/// # Errors
///
/// `OutOfRange` unless both are finite and 0 or more.
///
/// # Example
///
/// ```
/// // 40 releases at rho = 0.001 each:
/// let delta = dp_accounting::zcdp::delta(0.04, 1.5)?;
/// assert!(delta < 1e-6);
/// # Ok::<(), dp_accounting::AccountingError>(())
/// ```
pub fn delta(rho: f64, epsilon: f64) -> Result<f64> {
    let rho = non_negative("rho", rho)?;
    let epsilon = non_negative("epsilon", epsilon)?;
    Ok(delta_up(rho, epsilon))
}

/// The smallest epsilon at `delta` that the definition of rho-zCDP implies, rounded up; infinite
/// at delta 0 unless rho is 0.
///
/// # Errors
///
/// `OutOfRange` unless `rho` is finite and 0 or more and `delta` is a probability.
pub fn epsilon(rho: f64, delta: f64) -> Result<f64> {
    let rho = non_negative("rho", rho)?;
    let delta = probability("delta", delta)?;
    Ok(epsilon_up(rho, delta))
}

/// The largest rho that [`epsilon`] still prices at no more than `epsilon` at `delta`, rounded
/// down: what an (epsilon, delta) budget buys in zCDP.
///
/// # Errors
///
/// `OutOfRange` unless `epsilon` is finite and above 0 and 0 < `delta` < 1.
pub fn rho_for(epsilon: f64, delta: f64) -> Result<f64> {
    let epsilon = crate::error::positive("epsilon", epsilon)?;
    if !(delta > 0.0 && delta < 1.0) {
        return Err(out_of_range("delta", delta, "above 0 and below 1"));
    }
    // In terms of 1/rho the property "cheap enough" holds from some point upwards.
    let (low, high) = (1e-300, 1e300);
    first_true(low, high, 1e-14, |inverse| epsilon_up(up(1.0 / inverse, U), delta) <= epsilon)
        .map(|inverse| (1.0 / inverse).next_down())
        .ok_or(AccountingError::TargetUnreachable { parameter: "rho", low, high, epsilon, delta })
}

/// `ln delta` as bounded by the order `1 + t`, rounded up.
fn ln_delta_at(rho: f64, epsilon: f64, t: f64) -> f64 {
    let order = 1.0 + t;
    let slope = order * rho - epsilon;
    // (1 - 1/order)^order / t, in logarithms: order * ln(t / order) - ln t.
    let shape = -order * (1.0 / t).ln_1p() - t.ln();
    let value = t * slope + shape;
    let size = t * (order * rho + epsilon) + order * (1.0 / t).ln_1p() + t.ln().abs();
    value + 12.0 * U * size
}

fn delta_up(rho: f64, epsilon: f64) -> f64 {
    if rho == 0.0 {
        return 0.0;
    }
    // The derivative in t of the bound's logarithm is (2t + 1) rho - epsilon - ln(1 + 1/t),
    // increasing: bisect it.
    let derivative = |t: f64| (2.0 * t + 1.0) * rho - epsilon - (1.0 / t).ln_1p();
    let t = stationary(derivative);
    let ln_delta = ln_delta_at(rho, epsilon, t);
    if ln_delta.is_nan() || ln_delta >= 0.0 {
        return 1.0;
    }
    (up(ln_delta.exp(), 8.0 * U) + f64::MIN_POSITIVE).min(1.0)
}

fn epsilon_up(rho: f64, delta: f64) -> f64 {
    if rho == 0.0 || delta >= 1.0 {
        return 0.0;
    }
    if delta == 0.0 {
        return f64::INFINITY;
    }
    let log = -delta.ln();
    // Derivative in t of order*rho - ln(1 + 1/t) + (log - ln(1 + t)) / t, times t^2, increasing.
    let derivative = |t: f64| rho * t * t - (log - t.ln_1p());
    let t = stationary(derivative);
    let order = 1.0 + t;
    let value = order * rho - (1.0 / t).ln_1p() + (log - t.ln_1p()) / t;
    let size = order * rho + (1.0 / t).ln_1p() + (log + t.ln_1p()) / t;
    let bound = value + 16.0 * U * size;
    if bound.is_nan() { f64::INFINITY } else { bound.max(0.0) }
}

/// The point where an increasing function changes sign, anywhere in [1e-12, 1e200].
fn stationary(derivative: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (1e-12f64.ln(), 1e200f64.ln());
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if derivative(middle.exp()) > 0.0 {
            high = middle;
        } else {
            low = middle;
        }
    }
    (0.5 * (low + high)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tight_conversion_beats_the_loose_one_and_covers_the_gaussian() {
        for rho in [1e-6, 1e-3, 0.1, 0.5, 3.0, 50.0] {
            for delta in [1e-30, 1e-9, 1e-5, 0.01] {
                let tight = epsilon(rho, delta).unwrap();
                let loose = rho + 2.0 * (rho * (1.0 / delta).ln()).sqrt();
                assert!(tight <= loose * (1.0 + 1e-12));
                // The Gaussian with this rho is an instance, so the bound must cover it.
                let mu = (2.0 * rho).sqrt();
                let exact = crate::gaussian::GaussianDp::new(mu).unwrap().epsilon_lower(delta);
                assert!(tight >= exact.unwrap(), "{rho} {delta}");
            }
        }
    }

    #[test]
    fn the_two_directions_are_inverse() {
        for rho in [1e-4, 0.05, 2.0] {
            for target in [1e-12, 1e-6, 0.05] {
                let found = epsilon(rho, target).unwrap();
                if found > 0.0 {
                    let back = delta(rho, found).unwrap();
                    assert!((back / target - 1.0).abs() < 1e-9, "{rho} {target} {found} {back}");
                }
                let bought = rho_for(found.max(0.1), target).unwrap();
                assert!(epsilon(bought, target).unwrap() <= found.max(0.1));
            }
        }
    }

    #[test]
    fn the_minimum_over_orders_is_found() {
        for (rho, eps) in [(0.1, 2.0), (1.0, 9.0), (1e-5, 0.05)] {
            let best = delta(rho, eps).unwrap();
            for i in 1..4000 {
                let t = f64::from(i) * 0.01 * eps / rho / 20.0;
                assert!(ln_delta_at(rho, eps, t).exp() >= best * (1.0 - 1e-10));
            }
        }
    }

    #[test]
    fn extremes_give_a_bound_and_no_nan() {
        for rho in [0.0, 5e-324, 1e-200, 1e-9, 1.0, 1e9, 1e300, f64::MAX] {
            for x in [0.0, 5e-324, 1e-200, 1e-6, 0.5, 1.0] {
                let eps = epsilon(rho, x).unwrap();
                assert!(eps >= 0.0, "{rho} {x} {eps}");
                let del = delta(rho, x * 1e300).unwrap();
                assert!((0.0..=1.0).contains(&del));
            }
        }
    }
}
