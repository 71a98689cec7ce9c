//! Pure and approximate differential privacy: sums, advanced and optimal composition.
//!
//! All results are rounded up. The optimal composition of equal steps is a closed sum; of unequal
//! steps it is #P-hard exactly ([Murtagh, Vadhan 2016](https://arxiv.org/abs/1507.03113)), and
//! [`crate::loss::LossDistribution`] brackets it.

use crate::error::{Result, non_negative, out_of_range, probability};
use crate::numeric::{U, up};

/// The sum of `epsilons`, rounded up (basic composition; Dwork, McSherry, Nissim, Smith 2006).
///
/// # Errors
///
/// `OutOfRange` unless each is finite and 0 or more.
pub fn sum(epsilons: &[f64]) -> Result<f64> {
    let mut total = 0.0f64;
    for &epsilon in epsilons {
        let epsilon = non_negative("epsilon", epsilon)?;
        if epsilon > 0.0 {
            total = if total == 0.0 { epsilon } else { (total + epsilon).next_up() };
        }
    }
    Ok(total)
}

/// `times * epsilon`, rounded up.
pub(crate) fn times(epsilon: f64, times: u64) -> f64 {
    match times {
        0 => 0.0,
        1 => epsilon,
        _ if epsilon == 0.0 => 0.0,
        _ => up(epsilon * times as f64, 3.0 * U),
    }
}

/// Advanced composition of (epsilon, count) pairs of pure mechanisms at slack `delta`.
///
/// # Privacy
///
/// Each loss lies in `[-e, e]` with mean at most `e tanh(e/2)`, so that Hoeffding's inequality for
/// martingales gives `sum e tanh(e/2) + sqrt(2 ln(1/delta) sum e^2)`, the bound of Dwork,
/// Rothblum, Vadhan 2010 with the mean of Kairouz, Oh, Viswanath 2015, Theorem 3.5
/// (<https://arxiv.org/abs/1311.0776>). The plain sum is returned where it is smaller.
///
/// # Errors
///
/// `OutOfRange` unless every epsilon is finite and 0 or more and `delta` is a probability.
pub fn advanced(steps: &[(f64, u64)], delta: f64) -> Result<f64> {
    let delta = probability("delta", delta)?;
    let (mut mean, mut squares, mut plain) = (0.0f64, 0.0f64, 0.0f64);
    for &(epsilon, count) in steps {
        let epsilon = non_negative("epsilon", epsilon)?;
        let k = count as f64;
        mean += k * epsilon * (0.5 * epsilon).tanh();
        squares += k * epsilon * epsilon;
        plain += k * epsilon;
    }
    let room = U * (32.0 + 4.0 * steps.len() as f64);
    let plain = if plain == 0.0 { 0.0 } else { up(plain, room) };
    if delta == 0.0 || plain == 0.0 {
        return Ok(plain);
    }
    let bound = mean + (-2.0 * delta.ln() * squares).sqrt();
    Ok(if bound.is_nan() { plain } else { up(bound, room).min(plain) })
}

/// The smallest delta at `epsilon` of `count` adaptive `step`-DP mechanisms, each with `step_delta`
/// of its own.
///
/// # Privacy
///
/// Exactly the worst case: Kairouz, Oh, Viswanath 2015, Theorem 3.3.
///
/// # Errors
///
/// `OutOfRange` unless `step` and `epsilon` are finite and 0 or more and `step_delta` is a
/// probability.
pub fn optimal_delta(step: f64, step_delta: f64, count: u64, epsilon: f64) -> Result<f64> {
    let epsilon = non_negative("epsilon", epsilon)?;
    let law = Steps::new(step, step_delta, count)?;
    let mut best = 0.0;
    law.walk(|loss, value, mass_ratio| {
        if loss <= epsilon {
            return true;
        }
        best = value + mass_ratio * (-(epsilon - loss).exp_m1()).min(law.width());
        false
    });
    Ok((law.infinity + best * law.factor).min(1.0))
}

/// The smallest epsilon at `delta` of `count` adaptive `step`-DP mechanisms, each with
/// `step_delta` of its own; infinite if their deltas alone exceed `delta`.
///
/// # Privacy
///
/// Exactly the worst case: Kairouz, Oh, Viswanath 2015, Theorem 3.3.
///
/// # Errors
///
/// `OutOfRange` unless `step` is finite and 0 or more and the deltas are probabilities.
///
/// # Example
///
/// ```
/// let epsilon = dp_accounting::pure::optimal_epsilon(0.1, 0.0, 100, 1e-6)?;
/// assert!(epsilon >= 4.774567588 && epsilon < 4.774567589);
/// # Ok::<(), dp_accounting::AccountingError>(())
/// ```
pub fn optimal_epsilon(step: f64, step_delta: f64, count: u64, delta: f64) -> Result<f64> {
    let delta = probability("delta", delta)?;
    let law = Steps::new(step, step_delta, count)?;
    if delta >= 1.0 || (step == 0.0 && law.infinity <= delta) {
        return Ok(0.0);
    }
    if delta == 0.0 && step_delta == 0.0 {
        return Ok(times(step, count));
    }
    let target = (delta - law.infinity) / law.factor * (1.0 - 8.0 * U);
    if target <= 0.0 {
        return Ok(f64::INFINITY);
    }
    let mut found = 0.0;
    law.walk(|loss, value, slope| {
        if value + slope * law.width() < target {
            return loss <= 0.0;
        }
        let inside = ((target - value) / slope).clamp(0.0, law.width());
        // The answer lies within this step, also where 1 - inside rounds to zero.
        found = loss + (-inside).ln_1p();
        if found < loss - 2.0 * step {
            found = loss - 2.0 * step;
        }
        true
    });
    if found.is_nan() {
        return Ok(f64::INFINITY);
    }
    let epsilon = up(found.max(0.0), 64.0 * U);
    Ok(epsilon.min(times(step, count)))
}

/// The loss of `count` randomized responses: `(count - 2 l) step`, `l` binomial.
struct Steps {
    step: f64,
    count: u64,
    /// The first `l` that is kept, and the masses from there on.
    first: u64,
    mass: Vec<f64>,
    /// Probability of an unbounded loss, rounded up.
    infinity: f64,
    /// What the finite masses are multiplied by: rounding, and the steps' own deltas.
    factor: f64,
}

/// Beyond this the law has too many terms to be worth it.
const MOST_STEPS: u64 = 1 << 30;

impl Steps {
    fn new(step: f64, step_delta: f64, count: u64) -> Result<Self> {
        let step = non_negative("step", step)?;
        let step_delta = probability("step_delta", step_delta)?;
        if count > MOST_STEPS {
            return Err(out_of_range(
                "count",
                count as f64,
                "at most 2^30; use the loss distribution",
            ));
        }
        let log_keep = count as f64 * (-step_delta).ln_1p();
        let (infinity, keep) = if count == 0 || step_delta == 0.0 {
            (0.0, 1.0)
        } else {
            (up(-log_keep.exp_m1(), 8.0 * U * (1.0 + log_keep.abs())).min(1.0), log_keep.exp())
        };
        // From the mode outwards by ratios; the sum normalizes.
        let odds = (-step).exp();
        let mode = ((count as f64 + 1.0) * odds / (1.0 + odds)).floor().min(count as f64) as u64;
        let (mut below, mut above) = (Vec::new(), vec![1.0f64]);
        let mut weight = 1.0f64;
        for l in (0..mode).rev() {
            weight *= (l + 1) as f64 / (count - l) as f64 / odds;
            if weight < 1e-305 {
                break;
            }
            below.push(weight);
        }
        weight = 1.0;
        for l in mode..count {
            weight *= (count - l) as f64 / (l + 1) as f64 * odds;
            if weight < 1e-305 {
                break;
            }
            above.push(weight);
        }
        let first = mode - below.len() as u64;
        let mass: Vec<f64> = below.into_iter().rev().chain(above).collect();
        let norm = {
            let mut sum = 0.0;
            // From both ends, small terms first.
            let at = (mode - first) as usize;
            sum += mass[..at].iter().sum::<f64>();
            sum += mass[at..].iter().rev().sum::<f64>();
            sum
        };
        let spread = mass.len() as f64;
        let factor = keep / norm * (1.0 + U * (24.0 * spread + 8.0 * log_keep.abs() + 32.0));
        // What was cut off above the largest kept loss is below this.
        let cut = if first > 0 { 1e-300 } else { 0.0 };
        Ok(Steps { step, count, first, mass, infinity: infinity + cut, factor })
    }

    /// `1 - e^(-2 step)`.
    fn width(&self) -> f64 {
        -(-2.0 * self.step).exp_m1()
    }

    /// From the largest loss down: visits loss, hockey stick there, and slope (sum of mass times
    /// `e^(loss - y)` at and above it), until told to stop.
    fn walk(&self, mut visit: impl FnMut(f64, f64, f64) -> bool) {
        let fall = (-2.0 * self.step).exp();
        let (mut value, mut slope) = (0.0f64, 0.0f64);
        for (i, mass) in self.mass.iter().enumerate() {
            value += self.width() * slope;
            slope = slope * fall + mass;
            let plus = self.count as f64 - 2.0 * (self.first + i as u64) as f64;
            if visit(plus * self.step, value, slope) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optimal_composition_meets_the_known_value_from_above() {
        // 50-digit evaluation of Kairouz, Oh, Viswanath's sum.
        let exact = 4.774_567_588_107_99;
        let found = optimal_epsilon(0.1, 0.0, 100, 1e-6).unwrap();
        assert!(found >= exact - 1e-14 && found <= exact * (1.0 + 1e-9), "{found}");
        let back = optimal_delta(0.1, 0.0, 100, found).unwrap();
        assert!((back / 1e-6 - 1.0).abs() <= 1e-9);
    }

    #[test]
    fn optimal_delta_matches_the_direct_sum() {
        for (step, k) in [(0.3f64, 5u64), (1.0, 3), (2.5, 4), (0.01, 30)] {
            for epsilon in [0.0f64, 0.1, 0.5, 1.2, 4.0] {
                let p = step.exp() / (1.0 + step.exp());
                let mut truth = 0.0;
                for l in 0..=k {
                    let weight = crate::numeric::ln_binomial(k, l).exp()
                        * p.powi((k - l) as i32)
                        * (1.0 - p).powi(l as i32);
                    let loss = (k as f64 - 2.0 * l as f64) * step;
                    truth += weight * (1.0 - (epsilon - loss).exp()).max(0.0);
                }
                let found = optimal_delta(step, 0.0, k, epsilon).unwrap();
                assert!(found >= truth * (1.0 - 1e-12) && found <= truth * (1.0 + 1e-9) + 1e-15);
                let leaky = optimal_delta(step, 0.01, k, epsilon).unwrap();
                let want = 1.0 - 0.99f64.powi(k as i32) * (1.0 - truth);
                assert!((leaky - want).abs() < 1e-9 && leaky >= want * (1.0 - 1e-12));
            }
        }
    }

    #[test]
    fn optimal_is_below_advanced_is_below_plain() {
        for (step, k) in [(0.01, 1000u64), (0.1, 100), (1.0, 20), (3.0, 5)] {
            for delta in [1e-12, 1e-6, 1e-3] {
                let optimal = optimal_epsilon(step, 0.0, k, delta).unwrap();
                let advanced = advanced(&[(step, k)], delta).unwrap();
                assert!(optimal <= advanced * (1.0 + 1e-12), "{step} {k} {delta}");
                assert!(advanced <= times(step, k) * (1.0 + 1e-12));
            }
        }
    }

    #[test]
    fn extremes_give_bounds() {
        for step in [0.0, 1e-300, 1e-9, 1.0, 700.0, 1e6] {
            for k in [0u64, 1, 7, 100_000] {
                for delta in [0.0, 1e-300, 1e-9, 0.5, 1.0] {
                    let found = optimal_epsilon(step, 1e-12, k, delta).unwrap();
                    assert!(found >= 0.0, "{step} {k} {delta} {found}");
                    let found = optimal_delta(step, 1e-12, k, delta).unwrap();
                    assert!((0.0..=1.0).contains(&found), "{step} {k} {found}");
                }
            }
        }
        assert_eq!(sum(&[0.5, 0.25]).unwrap(), 0.75f64.next_up());
        assert!(sum(&[f64::NAN]).is_err());
    }
}
