//! Proofs without interaction: that a key is well-formed, that numbers lie in a range, that a ciphertext
//! was opened correctly.
//!
//! | statement | proof | rests on |
//! |---|---|---|
//! | n has two different prime factors, both ≡ 3 mod 4, and gcd(n, φ(n)) = 1 | [`ModulusProof`] | nothing more |
//! | n has no small factor | [`FactorProof`] | strong RSA for a verifier's [`PedersenParameters`] |
//! | encrypted numbers lie in a [`Range`] | [`RangeProof`], exact | no prime factor of n below 2^128 |
//! | a ciphertext encrypts this number | [`DecryptionProof`] | no prime factor of n below 2^128 |
//! | a party decrypted its share | [`DecryptionShare`](crate::threshold::DecryptionShare) | safe primes |
//!
//! Challenges come from SHAKE-256 over a transcript in which every item is labelled and preceded by
//! its length (Fiat, Shamir 1986), so that no two statements have one transcript; all rest on the
//! random-oracle model. A *context* names the session and its parties; a proof holds in its own context
//! alone. [`KeyPolicy`](crate::KeyPolicy) tells which proofs a public key must come with.

mod bits;
mod decryption;
mod factors;
mod modulus;
mod pedersen;
mod range;
mod transcript;

pub(crate) use bits::ProvenBit;
pub use decryption::DecryptionProof;
pub use factors::FactorProof;
pub use modulus::ModulusProof;
pub(crate) use modulus::{Answer, ROUNDS as MODULUS_ROUNDS};
pub use pedersen::PedersenParameters;
pub(crate) use pedersen::Round;
pub use range::{Range, RangeProof};
pub(crate) use transcript::{CHALLENGE_BITS, Transcript};
