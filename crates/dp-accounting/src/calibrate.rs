//! Calibration: the least noise, the most steps, the largest rate that meet a target.
//!
//! Works for any plan and any accountant: the caller says how a plan is built from the parameter,
//! and the search keeps a value at which the accountant was seen to meet the target. It assumes
//! that the cost is monotone in the parameter; if it is not, the value found still meets the
//! target, and is only not the best.

use privacy_core::params::{Delta, Epsilon};

use crate::account::Accountant;
use crate::error::{AccountingError, Result, non_negative, out_of_range, positive};
use crate::event::Plan;
use crate::numeric::first_true;

/// A privacy target.
///
/// # Example
///
/// ```
/// use dp_accounting::account::Renyi;
/// use dp_accounting::calibrate::Target;
/// use dp_accounting::event::{Event, Plan, Relation};
///
/// let target = Target::new(2.0, 1e-6)?;
/// let year = |noise| Plan::new(Relation::AddRemove, Event::gaussian(noise)?.repeat(52));
/// let noise = target.least_noise(&Renyi, year)?;
/// assert!(noise > 17.0 && noise < 19.0);
///
/// let weeks = target.most_steps(&Renyi, |weeks| {
///     Plan::new(Relation::AddRemove, Event::gaussian(30.0)?.repeat(weeks))
/// })?;
/// assert!(weeks > 140 && weeks < 160);
/// # Ok::<(), dp_accounting::AccountingError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    epsilon: f64,
    delta: f64,
}

/// Relative precision of a calibrated noise or rate, always on the safe side.
const PRECISION: f64 = 1e-7;

impl Target {
    /// At most `epsilon` at `delta`.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is finite and above 0 and 0 <= `delta` < 1.
    pub fn new(epsilon: f64, delta: f64) -> Result<Self> {
        let epsilon = positive("epsilon", epsilon)?;
        let delta = non_negative("delta", delta)?;
        if delta >= 1.0 {
            return Err(out_of_range("delta", delta, "0 or more and below 1"));
        }
        Ok(Target { epsilon, delta })
    }

    /// The target that a budget sets: both rounded down.
    ///
    /// # Errors
    ///
    /// As [`Target::new`].
    ///
    /// # Example
    ///
    /// ```
    /// use dp_accounting::calibrate::Target;
    /// use privacy_core::params::{Delta, Epsilon};
    ///
    /// let target = Target::of(&Epsilon::new(2.0)?, &Delta::new(1e-6)?)?;
    /// assert_eq!(target, Target::new(2.0, 1e-6)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(epsilon: &Epsilon, delta: &Delta) -> Result<Self> {
        Target::new(epsilon.to_f64_down(), delta.to_f64_down())
    }

    /// True if the accountant proves that the plan meets the target.
    ///
    /// # Errors
    ///
    /// As [`Accountant::epsilon`].
    pub fn is_met(&self, accountant: &dyn Accountant, plan: &Plan) -> Result<bool> {
        Ok(accountant.epsilon(plan, self.delta)? <= self.epsilon)
    }

    /// The smallest noise between 1e-3 and 1e9 at which the plan meets the target: what `plan`
    /// takes is a scale, a standard deviation or a noise multiplier.
    ///
    /// What is returned meets the target. It is the smallest noise that does if epsilon falls with
    /// noise; for few discrete Gaussian releases epsilon can rise a little in between, and a smaller
    /// noise may do.
    ///
    /// # Errors
    ///
    /// `TargetUnreachable` if the plan does not meet it at any noise in the range; errors of `plan`
    /// and of the accountant at the largest noise.
    pub fn least_noise(
        &self,
        accountant: &dyn Accountant,
        plan: impl Fn(f64) -> Result<Plan>,
    ) -> Result<f64> {
        self.least("noise", 1e-3, 1e9, accountant, plan)
    }

    /// The smallest value of any parameter that makes the plan more private as it grows.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless 0 < `low` < `high`; else as [`Target::least_noise`].
    pub fn least(
        &self,
        parameter: &'static str,
        low: f64,
        high: f64,
        accountant: &dyn Accountant,
        plan: impl Fn(f64) -> Result<Plan>,
    ) -> Result<f64> {
        positive("low", low)?;
        if !(high.is_finite() && high > low) {
            return Err(out_of_range("high", high, "finite and above `low`"));
        }
        // What goes wrong at the most private end is the caller's to know. A refusal elsewhere
        // (a parameter too small for an accountant) is "not met".
        accountant.epsilon(&plan(high)?, self.delta)?;
        let met = |value: f64| {
            plan(value).and_then(|plan| self.is_met(accountant, &plan)).unwrap_or(false)
        };
        first_true(low, high, PRECISION, met).ok_or_else(|| self.unreachable(parameter, low, high))
    }

    /// The largest sampling rate (or any parameter in (0, 1] that makes the plan less private as it
    /// grows) at which the plan meets the target.
    ///
    /// # Errors
    ///
    /// `TargetUnreachable` if no rate above 1e-12 meets it.
    pub fn largest_rate(
        &self,
        accountant: &dyn Accountant,
        plan: impl Fn(f64) -> Result<Plan>,
    ) -> Result<f64> {
        let inverse = self
            .least("rate", 1.0, 1e12, accountant, |inverse| plan((1.0 / inverse).min(1.0)))
            .map_err(|error| match error {
                AccountingError::TargetUnreachable { .. } => self.unreachable("rate", 1e-12, 1.0),
                other => other,
            })?;
        Ok((1.0 / inverse).min(1.0))
    }

    /// The largest number of steps, up to 2^40, for which the plan meets the target; 0 if not even
    /// one does.
    ///
    /// # Errors
    ///
    /// Errors of `plan` and of the accountant for one step.
    pub fn most_steps(
        &self,
        accountant: &dyn Accountant,
        plan: impl Fn(u64) -> Result<Plan>,
    ) -> Result<u64> {
        if !self.is_met(accountant, &plan(1)?)? {
            return Ok(0);
        }
        let met = |steps: u64| {
            plan(steps).and_then(|plan| self.is_met(accountant, &plan)).unwrap_or(false)
        };
        let (mut good, mut bad) = (1u64, 2u64);
        while met(bad) {
            good = bad;
            bad *= 2;
            if bad > 1 << 40 {
                return Ok(good);
            }
        }
        while bad - good > 1 {
            let middle = good + (bad - good) / 2;
            if met(middle) {
                good = middle;
            } else {
                bad = middle;
            }
        }
        Ok(good)
    }

    fn unreachable(&self, parameter: &'static str, low: f64, high: f64) -> AccountingError {
        let Target { epsilon, delta } = *self;
        AccountingError::TargetUnreachable { parameter, low, high, epsilon, delta }
    }
}

/// The Laplace scale that makes one release of L1 sensitivity `sensitivity` `epsilon`-DP:
/// `sensitivity / epsilon`, rounded up.
///
/// # Errors
///
/// `OutOfRange` unless both are finite and above 0, and their quotient is finite.
pub fn laplace_scale(epsilon: f64, sensitivity: f64) -> Result<f64> {
    let epsilon = positive("epsilon", epsilon)?;
    let sensitivity = positive("sensitivity", sensitivity)?;
    positive("scale", (sensitivity / epsilon).next_up())
}

/// The standard deviation that makes one Gaussian release of L2 sensitivity `sensitivity`
/// (`epsilon`, `delta`)-DP (Balle and Wang 2018): the smallest, rounded up.
///
/// # Errors
///
/// As [`crate::gaussian::GaussianDp::noise_multiplier`]; `OutOfRange` unless `sensitivity` is
/// finite and above 0.
pub fn gaussian_sigma(epsilon: f64, delta: f64, sensitivity: f64) -> Result<f64> {
    let sensitivity = positive("sensitivity", sensitivity)?;
    let multiplier = crate::gaussian::GaussianDp::noise_multiplier(epsilon, delta)?;
    positive("sigma", (multiplier * sensitivity).next_up())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Best, PrivacyLoss, Renyi, Sum};
    use crate::event::{Event, Relation};

    fn plan(event: Event) -> Result<Plan> {
        Plan::new(Relation::AddRemove, event)
    }

    #[test]
    fn the_value_found_meets_the_target_and_a_little_less_does_not() {
        let target = Target::new(1.0, 1e-5).unwrap();
        let build = |z: f64| plan(Event::gaussian(z)?);
        let noise = target.least_noise(&Best::default(), build).unwrap();
        assert!((noise / 3.730_631_634_815_941_8 - 1.0).abs() < 1e-6 && noise > 3.730_631_634);
        assert!(target.is_met(&Best::default(), &build(noise).unwrap()).unwrap());
        assert!(!target.is_met(&Best::default(), &build(noise * 0.999_99).unwrap()).unwrap());

        let sampled = |z: f64| plan(Event::gaussian(z)?.poisson_sampled(0.01)?.repeat(1000));
        let accountant = PrivacyLoss::default();
        let noise = target.least_noise(&accountant, sampled).unwrap();
        assert!(target.is_met(&accountant, &sampled(noise).unwrap()).unwrap());
        assert!(!target.is_met(&accountant, &sampled(noise * 0.999).unwrap()).unwrap());

        let rate = |q: f64| plan(Event::gaussian(1.0)?.poisson_sampled(q)?.repeat(1000));
        let found = target.largest_rate(&Renyi, rate).unwrap();
        assert!(target.is_met(&Renyi, &rate(found).unwrap()).unwrap());
        assert!(!target.is_met(&Renyi, &rate(found * 1.001).unwrap()).unwrap());

        let steps = |k: u64| plan(Event::laplace(100.0)?.repeat(k));
        assert_eq!(target.most_steps(&Sum, steps).unwrap(), 99);
    }

    #[test]
    fn what_cannot_be_reached_is_refused() {
        let target = Target::new(0.1, 0.0).unwrap();
        let build = |z: f64| plan(Event::gaussian(z)?);
        let error = target.least_noise(&Renyi, build).unwrap_err();
        assert!(matches!(error, AccountingError::TargetUnreachable { parameter: "noise", .. }));
        assert_eq!(target.most_steps(&Sum, |k| plan(Event::laplace(1.0)?.repeat(k))).unwrap(), 0);
        assert!(Target::new(0.0, 0.1).is_err() && Target::new(1.0, 1.0).is_err());
    }

    #[test]
    fn closed_forms_round_up() {
        assert!(laplace_scale(0.3, 1.0).unwrap() * 0.3 >= 1.0);
        let sigma = gaussian_sigma(1.0, 1e-5, 2.0).unwrap();
        assert!((7.461_263_269_631_883..7.461_263_27).contains(&sigma));
    }
}
