//! Amplification, tied to the samplers that earn it.
pub(crate) mod curves;
