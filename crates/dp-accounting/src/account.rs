//! Accountants: one question, several proofs.
//!
//! Each accountant prices the leaves of a plan in its measure, adds them up and converts. None is
//! always the best; [`Best`] asks them in the order of their cost and keeps the smallest answer.

mod accountants;

use crate::describe::Report;
use crate::error::Result;
use crate::event::Plan;

pub use accountants::{Advanced, Best, Optimal, PrivacyLoss, Renyi, Sum, Zcdp};

/// Prices a plan.
///
/// # Privacy
///
/// An implementation promises an upper bound for every plan it does not refuse, for mechanisms
/// whose outputs may be chosen adaptively and whose parameters are fixed by the plan.
pub trait Accountant: Send + Sync {
    /// Its name, as reports show it.
    fn name(&self) -> &'static str;

    /// The epsilon of the plan at `delta`, rounded up; infinite where none can be certified.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `delta` is a probability; `Unsupported` if an event of the plan has no
    /// proven price in this accountant's measure.
    fn epsilon(&self, plan: &Plan, delta: f64) -> Result<f64>;

    /// The delta of the plan at `epsilon`, rounded up, at most 1.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is finite and 0 or more; `Unsupported` as above.
    fn delta(&self, plan: &Plan, epsilon: f64) -> Result<f64>;

    /// The plan as a table: what each kind of event contributes to the epsilon at `delta`.
    ///
    /// # Errors
    ///
    /// As [`Accountant::epsilon`].
    fn describe(&self, plan: &Plan, delta: f64) -> Result<Report> {
        crate::describe::report(self.name(), plan, delta, &|plan| self.epsilon(plan, delta))
    }
}
