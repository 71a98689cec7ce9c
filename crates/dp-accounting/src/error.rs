//! The one error of the crate.

use thiserror::Error;

/// What an accounting question can fail with.
///
/// Variants carry the name of the caller's parameter and the numbers involved, never data.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum AccountingError {
    /// A parameter lies outside its range.
    #[error("`{parameter}` is {value}, but it must be {range}")]
    OutOfRange {
        /// The parameter's name.
        parameter: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed.
        range: &'static str,
    },
    /// The accountant has no valid rule for this event under this adjacency.
    #[error(
        "the {accountant} accountant has no proven rule for {event} under {adjacency} adjacency; \
         choose another accountant, or describe the event by a bound it satisfies \
         (`Event::pure_dp`, `Event::approx_dp`)"
    )]
    Unsupported {
        /// The accountant that was asked.
        accountant: &'static str,
        /// The kind of event.
        event: &'static str,
        /// The adjacency of the plan.
        adjacency: &'static str,
    },
    /// No parameter in the searched range meets the target.
    #[error(
        "no `{parameter}` between {low} and {high} meets the target epsilon {epsilon} at delta \
         {delta}; relax the target or shorten the plan"
    )]
    TargetUnreachable {
        /// What was searched for.
        parameter: &'static str,
        /// Low end of the search.
        low: f64,
        /// High end of the search.
        high: f64,
        /// The target epsilon.
        epsilon: f64,
        /// The target delta.
        delta: f64,
    },
    /// An event tree nests deeper than the limit.
    #[error("the event tree is deeper than {limit} levels; flatten its compositions")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// A charge carries no bound in the measure it is to be counted in.
    #[error(
        "the charge has no {measure} bound, so nothing was counted and the release must not be \
         made; use a mechanism that is priced in pure DP or {measure}"
    )]
    Unpriced {
        /// The measure that is counted.
        measure: &'static str,
    },
    /// An answer would take more memory or time than is allowed.
    #[error("{what} exceed the limit of {limit}; split the work, or ask a coarser accountant")]
    TooLarge {
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The random source failed; nothing was drawn.
    #[error(transparent)]
    Entropy(#[from] privacy_core::random::EntropyError),
    /// A count of steps does not fit in 64 bits.
    #[error("the number of steps of the plan does not fit in 64 bits")]
    TooManySteps,
}

/// The result of an accounting question.
pub type Result<T, E = AccountingError> = std::result::Result<T, E>;

pub(crate) fn out_of_range(
    parameter: &'static str,
    value: f64,
    range: &'static str,
) -> AccountingError {
    AccountingError::OutOfRange { parameter, value, range }
}

/// Accepts a finite number above zero.
pub(crate) fn positive(parameter: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(out_of_range(parameter, value, "finite and above 0"))
    }
}

/// Accepts a finite number that is zero or more; a negative zero becomes zero.
pub(crate) fn non_negative(parameter: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() && value >= 0.0 {
        Ok(value + 0.0)
    } else {
        Err(out_of_range(parameter, value, "finite and 0 or more"))
    }
}

/// Accepts a probability.
pub(crate) fn probability(parameter: &'static str, value: f64) -> Result<f64> {
    if (0.0..=1.0).contains(&value) {
        Ok(value + 0.0)
    } else {
        Err(out_of_range(parameter, value, "between 0 and 1"))
    }
}
