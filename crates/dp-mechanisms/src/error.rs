//! The error of the crate.

use privacy_core::random::EntropyError;

use crate::noise::NoiseError;

/// The result of every fallible function of the crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between a question and its release. No variant carries data.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter, the budget, the authorizer, the random source or a store; see the inner error.
    #[error(transparent)]
    Core(#[from] privacy_core::Error),
    /// The noise that the question needs cannot be drawn.
    #[error(transparent)]
    Noise(#[from] NoiseError),
    /// The price cannot be computed.
    #[cfg(feature = "accounting")]
    #[error(transparent)]
    Accounting(#[from] dp_accounting::AccountingError),
    /// A group is listed twice among the known groups.
    #[error("group {position} of the known groups is listed before; list each group once")]
    DuplicateGroup {
        /// Its position, counted from 0.
        position: usize,
    },
    /// A group-by was given no groups.
    #[error("the list of known groups is empty; list the groups, or leave out the group-by")]
    NoGroups,
    /// Columns that belong side by side have different lengths.
    #[error(
        "column {position}, counted from 0, is not as long as the first; pass columns of one table"
    )]
    UnequalColumns {
        /// The position of a column that differs from the first.
        position: usize,
    },
    /// The session was given two budgets: of its own, a ledger, or in its context.
    #[error("the session was given two budgets; use one of budget, ledger and the context's")]
    TwoBudgets,
    /// The session was opened over more rows than it can index.
    #[error(
        "a session holds at most {limit} rows with a unit; split the data into disjoint sessions"
    )]
    TooManyRows {
        /// The most rows it takes.
        limit: u64,
    },
    /// A stream was given more steps than it was opened for.
    #[error(
        "the stream was opened for {horizon} steps and has had them all; open it for more, or use an unbounded stream"
    )]
    StreamEnded {
        /// The steps it was opened for.
        horizon: u64,
    },
}

impl Error {
    /// Whether the budget refused; what is left may suffice for a cheaper request.
    #[must_use]
    pub fn is_budget(&self) -> bool {
        matches!(self, Error::Core(error) if error.is_budget())
    }

    /// Whether the caller's parameters were at fault.
    #[must_use]
    pub fn is_parameter(&self) -> bool {
        match self {
            Error::Core(error) => error.is_parameter(),
            Error::Noise(_)
            | Error::DuplicateGroup { .. }
            | Error::NoGroups
            | Error::UnequalColumns { .. }
            | Error::TwoBudgets => true,
            #[cfg(feature = "accounting")]
            Error::Accounting(_) => true,
            Error::TooManyRows { .. } | Error::StreamEnded { .. } => false,
        }
    }
}

impl From<EntropyError> for Error {
    fn from(error: EntropyError) -> Self {
        Error::Core(error.into())
    }
}

impl From<NoiseError> for privacy_core::Error {
    fn from(error: NoiseError) -> Self {
        privacy_core::Error::technique(error)
    }
}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}
