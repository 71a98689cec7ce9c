//! Proofs without interaction: that a modulus is well-formed, that a ciphertext was opened
//! correctly.
//!
//! Challenges come from SHAKE-256 over a transcript in which every item is labelled and preceded by
//! its length (Fiat, Shamir 1986), so that no two statements have one transcript. A *context* names
//! the session and its parties; a proof holds in its own context alone.

mod decryption;
mod modulus;
mod transcript;

pub use decryption::DecryptionProof;
pub use modulus::ModulusProof;
pub(crate) use transcript::Transcript;
