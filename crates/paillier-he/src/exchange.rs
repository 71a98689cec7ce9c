//! Keys and ciphertexts on the way between processes and other systems.
//!
//! | what | this crate's bytes | serde | phe |
//! |---|---|---|---|
//! | public key | [`PublicKey::to_bytes`](crate::PublicKey::to_bytes) | yes, validated | [`phe::public_to_jwk`] |
//! | private key | [`PrivateKey::to_secret_bytes`](crate::PrivateKey::to_secret_bytes) | no | [`phe::private_to_jwk`] |
//! | ciphertexts | [`CiphertextVec::to_bytes`](crate::CiphertextVec::to_bytes) | as [`EncodedCiphertexts`] | [`phe::to_json`] |
//!
//! Bytes are canonical: each value has one form, and decoders refuse every other.

mod bytes;
pub mod phe;
mod serde_impl;

pub use serde_impl::EncodedCiphertexts;
