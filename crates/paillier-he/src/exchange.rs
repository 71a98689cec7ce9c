//! Keys, ciphertexts and proofs on the way between processes and other systems.
//!
//! | what | this crate's bytes | serde | phe |
//! |---|---|---|---|
//! | public key | [`PublicKey::to_bytes`](crate::PublicKey::to_bytes) | yes, validated | [`phe::public_to_jwk`] |
//! | private key | [`PrivateKey::to_secret_bytes`](crate::PrivateKey::to_secret_bytes) | no | [`phe::private_to_jwk`] |
//! | threshold key, share of it | [`ThresholdKey::to_bytes`](crate::threshold::ThresholdKey::to_bytes), [`KeyShare::to_secret_bytes`](crate::threshold::KeyShare::to_secret_bytes) | no | |
//! | columns | [`CiphertextVec::to_bytes`](crate::CiphertextVec::to_bytes) | as [`EncodedCiphertexts`] | [`phe::to_json`] |
//! | packed columns | [`Packed::to_bytes`](crate::Packed::to_bytes) | as [`EncodedPacked`] | |
//! | Damgård-Jurik | [`Large::to_bytes`](crate::damgard_jurik::Large::to_bytes) | no | |
//! | proofs, decryption shares | their `to_bytes` | yes, but for [`RangeProof`](crate::proof::RangeProof) | |
//!
//! Bytes are canonical: each value has one form, and decoders refuse every other. serde uses the same
//! bytes as lower-case hexadecimal text, except for public keys, which have fields.

mod ciphertexts;
mod codec;
mod keys;
pub mod phe;
mod proofs;
mod serde_impl;

pub use serde_impl::{EncodedCiphertexts, EncodedPacked};
