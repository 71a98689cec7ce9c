//! Verifier.
/// What a verifier found.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("finding")]
pub struct Finding {}
