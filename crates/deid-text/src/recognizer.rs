//! Recognizers: what makes a stretch of text a candidate for an entity.
//!
//! Identifiers of fixed shape come from a table (`data/recognizers.txt`); the rest (cards,
//! addresses, dates, telephone numbers, secrets, …) are programs in `scan`. Recognizers of your own
//! are made of a regular expression, a validator and context words, or of a list.

pub(crate) mod custom;
pub(crate) mod import;
pub(crate) mod shape;
pub(crate) mod table;

pub use custom::{DenyList, Recognizer};
