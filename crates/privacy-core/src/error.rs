//! The error of the crate.
//!
//! Every variant says what was wrong and what to do, and carries numbers and names of parameters
//! only: never a row, a key, a noisy value or free text from the data.

use std::borrow::Cow;
use std::sync::Arc;

use crate::access::Denial;
use crate::budget::Refusal;
use crate::random::EntropyError;

/// The result of every fallible function of the crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong when parameters are made, steps are composed and releases are drawn.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter was outside its range: the caller's mistake, found before any data is touched.
    #[error("{parameter} must be {requirement}, but was {given}")]
    Parameter {
        /// The parameter's name as the caller knows it.
        parameter: &'static str,
        /// The range it must lie in.
        requirement: &'static str,
        /// The number that was given.
        given: f64,
    },
    /// A parameter was written as text that is not a number in the accepted notation.
    #[error("{parameter} must be written as a decimal such as 0.1 or a fraction such as 1/3")]
    Notation {
        /// The parameter's name as the caller knows it.
        parameter: &'static str,
    },
    /// A required setting was left out.
    #[error("{setting} is missing: {remedy}")]
    Missing {
        /// What was left out.
        setting: &'static str,
        /// The call that supplies it.
        remedy: &'static str,
    },
    /// An exact number would leave the range it is computed in.
    #[error("{quantity} would exceed {limit}; use tighter bounds or a coarser granularity")]
    Overflow {
        /// The quantity that would overflow.
        quantity: &'static str,
        /// The largest magnitude it may have.
        limit: &'static str,
    },
    /// Data did not belong to the domain a step accepts; the text is the same for all data.
    #[error("the input is outside the domain of {step}: {expected}")]
    Domain {
        /// The step that refused.
        step: &'static str,
        /// What the step accepts.
        expected: &'static str,
    },
    /// The budget refused a charge; nothing was spent.
    #[error(transparent)]
    Budget(#[from] Refusal),
    /// The authorizer refused a request; nothing was spent.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The random source failed; nothing was released.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A claim that cannot be justified: the pipeline was refused before data was touched.
    #[error("stage `{stage}` cannot claim its guarantee here: {reason}")]
    Unjustified {
        /// The stage's name.
        stage: Cow<'static, str>,
        /// Why the claim does not follow.
        reason: &'static str,
    },
    /// A budget store or an audit sink could not do its work; nothing was released.
    #[error("{store} could not {operation}; nothing was released")]
    Storage {
        /// The store.
        store: &'static str,
        /// What it was asked to do.
        operation: &'static str,
        /// What the store reported.
        #[source]
        source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    },
    /// A technique's own error, passed through a pipeline or a chain.
    #[error(transparent)]
    Technique(Arc<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Wraps the error of a technique so that it can pass through a pipeline or a chain.
    ///
    /// The wrapped error must obey the rule of the family: no data in its text.
    pub fn technique(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Error::Technique(Arc::new(error))
    }

    /// Whether the budget refused; what is left may suffice for a cheaper request.
    #[must_use]
    pub fn is_budget(&self) -> bool {
        matches!(self, Error::Budget(_))
    }

    /// Whether the caller's parameters were at fault.
    #[must_use]
    pub fn is_parameter(&self) -> bool {
        matches!(
            self,
            Error::Parameter { .. }
                | Error::Notation { .. }
                | Error::Missing { .. }
                | Error::Overflow { .. }
        )
    }
}
