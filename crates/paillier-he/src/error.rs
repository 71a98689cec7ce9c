//! The error of the crate.

use privacy_core::random::EntropyError;

/// The result of every fallible function of the crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between a number, its ciphertext and the opened result. No variant carries
/// data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The secure random source failed; nothing was encrypted.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A key of this size is refused.
    #[error(
        "a key of {bits} bits is refused; use at least {least} and at most {most}, in even numbers"
    )]
    KeySize {
        /// The size asked for or found.
        bits: u64,
        /// The smallest size accepted.
        least: u64,
        /// The largest size accepted.
        most: u64,
    },
    /// A public key is no product of two large primes as far as can be seen.
    #[error("the modulus {reason}; do not use this key, and ask its owner for a new one")]
    BadModulus {
        /// What was found.
        reason: &'static str,
    },
    /// A private key's parts do not fit together.
    #[error("the private key is unusable: {reason}")]
    BadPrivateKey {
        /// What was found.
        reason: &'static str,
    },
    /// Two values are encrypted under different keys.
    #[error("the values are encrypted under different keys; encrypt both under one")]
    OtherKey,
    /// The operation could leave the range that the key can hold. Nothing was computed.
    #[error(
        "the result could need {needed} bits, but the key holds {available}; use smaller bounds or a larger key"
    )]
    WouldOverflow {
        /// Bits that the result could need, with its sign.
        needed: u64,
        /// Bits that there are.
        available: u64,
    },
    /// A number exceeds the bound that its encoding states.
    #[error("a number exceeds the bound of its encoding; clamp it or state a larger bound")]
    OutOfBounds,
    /// A number has no exact value in the encoding (or is no number).
    #[error("a number has no exact value at this scale; round it first or use a finer scale")]
    NotRepresentable,
    /// Two scales have no exact common scale.
    #[error("the scales have different bases ({left} and {right}); encode both in one base")]
    ScaleMismatch {
        /// The base of the left scale.
        left: u32,
        /// The base of the right scale.
        right: u32,
    },
    /// Slices or columns that belong together have different lengths.
    #[error("{what} has {given} entries where {expected} are needed")]
    Length {
        /// What has the wrong length.
        what: &'static str,
        /// Its length.
        given: usize,
        /// The length needed.
        expected: usize,
    },
    /// A parameter is outside its range.
    #[error("{parameter} must be {requirement}")]
    Parameter {
        /// The parameter's name.
        parameter: &'static str,
        /// The range it must lie in.
        requirement: &'static str,
    },
    /// Something could not be decoded. What exactly is wrong is not told.
    #[error("the bytes are no valid {what}")]
    Malformed {
        /// What was expected.
        what: &'static str,
    },
    /// A ciphertext was refused. Why is not told, as that would help an attacker.
    #[error("decryption refused the ciphertext")]
    Decryption,
    /// The policy of the decryptor refused; nothing was opened.
    #[error("the policy refuses to open this: {reason}")]
    Policy {
        /// The rule that refused.
        reason: &'static str,
    },
    /// A proof does not hold.
    #[error("the proof of {statement} does not hold; treat its maker as dishonest")]
    Proof {
        /// What should have been proven.
        statement: &'static str,
    },
    /// A key came without a proof that the policy requires.
    #[error("the key comes without a proof of {statement}; ask its owner for one")]
    ProofMissing {
        /// What must be proven.
        statement: &'static str,
    },
    /// The mode of the key does not support the operation.
    #[error("a key in {mode} mode cannot {operation}")]
    Mode {
        /// The key's mode.
        mode: &'static str,
        /// What was asked.
        operation: &'static str,
    },
    /// A pool of blinders has run dry.
    #[error("the blinding pool holds {left} blinders where {needed} are needed; refill it")]
    PoolEmpty {
        /// Blinders that are left.
        left: usize,
        /// Blinders needed.
        needed: usize,
    },
}

impl From<Error> for privacy_core::Error {
    fn from(error: Error) -> Self {
        privacy_core::Error::technique(error)
    }
}
