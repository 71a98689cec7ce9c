//! The error of the crate.
//!
//! Every variant says what was wrong and what to do, with numbers and names of parameters only.

use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The result of every fallible function of the crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong when a ledger is opened, charged, proven or read.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The vocabulary's own errors: above all a refusal of the budget, which spends nothing.
    #[error(transparent)]
    Core(#[from] privacy_core::Error),
    /// An account path that cannot be one.
    #[error("the account path must be {requirement}")]
    Path {
        /// What a path must be.
        requirement: &'static str,
    },
    /// There is an account of this name with other terms.
    #[error(
        "the account is open already with other terms; change its limit with `set_limit`, or choose \
         another path"
    )]
    AccountDiffers,
    /// The account's terms contradict each other.
    #[error("an account cannot be opened so: {reason}")]
    Terms {
        /// What is wrong.
        reason: &'static str,
    },
    /// The path leads to no account.
    #[error("there is no account at this path; open it first")]
    NoAccount,
    /// The request's name was used before for something else.
    #[error("this request name was used before at another price or plan; choose another name")]
    RequestDiffers,
    /// The log has no such entry, or no entry of the kind asked for.
    #[error("the log has no entry {index} of this kind; it has {entries} entries")]
    NoEntry {
        /// What was asked for.
        index: u64,
        /// How many there are.
        entries: u64,
    },
    /// The payload of the entry was erased.
    #[error("the payload of entry {index} was erased; its commitment stays")]
    Erased {
        /// The entry.
        index: u64,
    },
    /// An entry or a payload is larger than the store can hold.
    #[error("the {what} has {size} bytes and must have at most {limit}; shorten it")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The clock does not give a time after 1970.
    #[error("the clock cannot tell the time; set it")]
    ClockUnset,
    /// The clock is behind the last entry by more than is tolerated.
    #[error(
        "the clock is {behind:?} behind the last entry of the ledger; correct it, or wait: \
         a ledger's time does not go back"
    )]
    ClockBehind {
        /// By how much.
        behind: Duration,
    },
    /// The store could not be read or written; nothing was released on its account.
    #[error("the ledger could not {operation}; nothing was charged that was not written")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// What the system reported.
        #[source]
        source: Arc<io::Error>,
    },
    /// The file is no ledger.
    #[error("this file is not a ledger; give the path of one, or of a file that does not exist")]
    NotALedger,
    /// The file was written by a newer version of this crate.
    #[error("this ledger has format {found}, and this version reads up to {supported}; update")]
    NewerVersion {
        /// The file's format.
        found: u32,
        /// The newest format that is understood.
        supported: u32,
    },
    /// The file ends before what was written durably.
    #[error(
        "the ledger was cut off: {expected} bytes were written and {found} are left; restore it \
         from a copy, and check the copy against the last checkpoint"
    )]
    Truncated {
        /// How many bytes there were.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// The store's content is not what was written.
    #[error(
        "the ledger is damaged at entry {entry}: {what}; restore it from a copy, and check the \
         copy against the last checkpoint"
    )]
    Corrupt {
        /// The first entry that is wrong.
        entry: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Another file stands at the path since the ledger was opened.
    #[error("the ledger's file was replaced or removed while it was open; open it anew")]
    Replaced,
    /// An earlier failure left the store in an unknown state.
    #[error("an earlier write failed and could not be undone; open the ledger anew")]
    Poisoned,
    /// A proof, checkpoint or signature does not verify, or cannot be read.
    #[error("the {what} does not verify: {reason}")]
    Unproven {
        /// What was checked.
        what: &'static str,
        /// Why it fails.
        reason: &'static str,
    },
    /// A checkpoint was asked for without a key to sign it.
    #[error("the ledger has no key to sign checkpoints; give it one with `Options::signer`")]
    NoSigner,
    /// A policy or a rule that cannot be read.
    #[error("the access policy cannot be used: {reason}")]
    Policy {
        /// What is wrong.
        reason: &'static str,
    },
    /// The database reported an error.
    #[cfg(feature = "postgres")]
    #[error("the database could not {operation}; nothing was charged that was not written")]
    Database {
        /// What was tried.
        operation: &'static str,
        /// What the database reported.
        #[source]
        source: Arc<postgres::Error>,
    },
}

impl Error {
    /// Whether the budget refused; what is left may suffice for a cheaper request.
    #[must_use]
    pub fn is_budget(&self) -> bool {
        matches!(self, Error::Core(error) if error.is_budget())
    }

    /// Whether the store had no room left.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Error::Io { source, .. } if matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        ))
    }

    /// Whether the store's content is not what was written.
    #[must_use]
    pub fn is_tampering(&self) -> bool {
        matches!(
            self,
            Error::Truncated { .. }
                | Error::Corrupt { .. }
                | Error::Replaced
                | Error::Unproven { .. }
        )
    }

    pub(crate) fn io(operation: &'static str) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::Io { operation, source: Arc::new(source) }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn database(operation: &'static str) -> impl FnOnce(postgres::Error) -> Error {
        move |source| Error::Database { operation, source: Arc::new(source) }
    }
}

impl From<privacy_core::budget::Refusal> for Error {
    fn from(refusal: privacy_core::budget::Refusal) -> Self {
        Error::Core(refusal.into())
    }
}

impl From<privacy_core::random::EntropyError> for Error {
    fn from(error: privacy_core::random::EntropyError) -> Self {
        Error::Core(error.into())
    }
}

impl From<Error> for privacy_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Core(error) => error,
            error => privacy_core::Error::Storage {
                store: "the ledger",
                operation: "do its work",
                source: Some(Arc::new(error)),
            },
        }
    }
}
