//! What can go wrong; never with data in it.

use std::borrow::Cow;

/// The crate's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a scan, a policy or a record could not be handled.
///
/// Messages name parameters, entities and operators; they never hold text that was scanned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An entity that nothing recognizes; see [`crate::entity::all`] for those that are built in.
    #[error("no recognizer finds the entity `{name}`: correct the name or add a recognizer for it")]
    UnknownEntity {
        /// The name as it was given.
        name: String,
    },
    /// A country without recognizers.
    #[error("no recognizers for the country `{code}`: use a lower-case ISO 3166 code")]
    UnknownCountry {
        /// The code as it was given.
        code: String,
    },
    /// A parameter is out of its range.
    #[error("{parameter} must be {requirement}")]
    Parameter {
        /// Which parameter.
        parameter: &'static str,
        /// What it must be.
        requirement: &'static str,
    },
    /// A recognizer of the caller's does not compile.
    #[error("the recognizer `{name}` cannot be built: {reason}")]
    Recognizer {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: Cow<'static, str>,
    },
    /// A configuration or policy document cannot be read.
    #[error("the {what} cannot be read: {reason}")]
    Document {
        /// Which document.
        what: &'static str,
        /// Where and why, in the words of the parser of configuration.
        reason: String,
    },
    /// A policy names an operator that needs a key, and no such key was given.
    #[error("the operator `{operator}` for `{entity}` needs the key `{key}`, which was not given")]
    MissingKey {
        /// The operator.
        operator: &'static str,
        /// The entity it is for.
        entity: String,
        /// The key's name.
        key: String,
    },
    /// A policy contradicts itself.
    #[error("the policy contradicts itself about `{entity}`: {reason}")]
    Contradiction {
        /// The entity.
        entity: String,
        /// In what.
        reason: &'static str,
    },
    /// An operator cannot be applied to a value; the whole text was withheld.
    #[error("the operator `{operator}` cannot transform a value of `{entity}`: {reason}")]
    Operator {
        /// The operator.
        operator: &'static str,
        /// The entity.
        entity: String,
        /// What is missing.
        reason: &'static str,
    },
    /// Findings that don't belong to the text they are applied to.
    #[error("the findings don't fit the text: scan the text that is to be transformed")]
    Mismatch,
    /// Text cannot be restored: it was not made by this policy, or it was changed.
    #[error("the text cannot be restored")]
    Restore,
    /// The random source failed.
    #[error(transparent)]
    Entropy(#[from] privacy_core::random::EntropyError),
    /// A named-entity backend failed; nothing was passed through.
    #[error("the named-entity backend `{backend}` failed")]
    Backend {
        /// Its name.
        backend: Cow<'static, str>,
    },
    /// A model for names cannot be used.
    #[error("the model cannot be used: {reason}")]
    Model {
        /// What is wrong with it, in the words of the runtime.
        reason: Cow<'static, str>,
    },
    /// A record is not of the format it was said to be.
    #[error("the {format} record {number} cannot be read")]
    Record {
        /// JSON, CSV, …
        format: &'static str,
        /// Which record, counted from 1.
        number: u64,
    },
    /// Input or output failed while records were read or written.
    #[error("records could not be read or written")]
    Io(#[from] std::io::Error),
}
