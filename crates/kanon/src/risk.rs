//! Risk.
pub(crate) mod uniqueness;
