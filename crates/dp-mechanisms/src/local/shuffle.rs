//! The central guarantee of shuffled local reports (feature `accounting`).
//!
//! A shuffler that hides which device sent which report turns ε_0-local differential privacy into
//! a far smaller central (ε, δ), about ε_0 √(e^ε_0 ln(1/δ) / n) (Feldman, McMillan, Talwar 2021,
//! <https://arxiv.org/abs/2012.12803>). Neighbours differ in the value of one device (replacement).
//!
//! # Privacy
//!
//! The amplification holds for whoever sees the shuffled reports only; the shuffler itself still
//! sees ε_0. At least `reports` devices must report, honestly: count those that may be colluding
//! out.

use dp_accounting::event::{Event, Plan, Relation};
use privacy_core::error::Error;
use privacy_core::params::{Delta, Epsilon};

use crate::error::Result;

/// The event to hand to an accountant: `reports` shuffled reports, each `epsilon`-locally
/// differentially private.
///
/// # Errors
///
/// [`Error::Technique`] if the accountant has no rule for these parameters.
///
/// # Example
///
/// ```
/// use dp_mechanisms::local::{DirectEncoding, FrequencyOracle, shuffle};
/// use privacy_core::params::{Delta, Epsilon};
///
/// let oracle = DirectEncoding::new(4, &Epsilon::new(1.0)?)?;
/// let central = shuffle::central_epsilon(oracle.epsilon(), 10_000, &Delta::new(1e-6)?)?;
/// assert!(central.to_f64_up() < 0.15);
/// # Ok::<(), dp_mechanisms::Error>(())
/// ```
pub fn event(epsilon: &Epsilon, reports: u64) -> Result<Event> {
    Ok(Event::shuffled(epsilon.to_f64_up(), reports).map_err(Error::technique)?)
}

/// The central ε of the shuffled reports at `delta`, rounded up; never above the local ε.
///
/// # Errors
///
/// As [`event`].
pub fn central_epsilon(epsilon: &Epsilon, reports: u64, delta: &Delta) -> Result<Epsilon> {
    let plan = Plan::new(Relation::Replace, event(epsilon, reports)?).map_err(Error::technique)?;
    let central = plan.epsilon(delta.to_f64_down()).map_err(Error::technique)?;
    let central = privacy_core::params::Amount::from_binary(central)?;
    // ε must be above 0: so many reports may leave nothing that a float can tell from it.
    let least = privacy_core::params::Amount::from_binary(f64::MIN_POSITIVE)?;
    Ok(Epsilon::from_amount(central.max(least).min(epsilon.amount().clone()))?)
}
