//! Keys that clients agree on, and the masks that they stand for.

use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::traits::Identity;
use curve25519_dalek::{RistrettoPoint, Scalar};
use privacy_core::random::SecureRng;
use zeroize::Zeroizing;

use super::ClientId;
use crate::error::{Error, Result};
use crate::field::Domain;
use crate::sharing::verifiable::ScalarField;
use crate::stream::{Stream, prf};

/// A key, or what keys are derived from.
pub(super) type Secret = Zeroizing<[u8; 32]>;

/// A client's public keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKeys {
    /// For encrypting shares to it.
    pub encryption: [u8; 32],
    /// For the pairwise masks.
    pub masking: [u8; 32],
}

/// The point of a key; not the identity.
pub(super) fn decode(bytes: &[u8; 32]) -> Result<RistrettoPoint> {
    CompressedRistretto(*bytes)
        .decompress()
        .filter(|point| *point != RistrettoPoint::identity())
        .ok_or(Error::Encoding { what: "a public key" })
}

pub(super) fn draw(rng: &mut dyn SecureRng) -> Result<Zeroizing<Scalar>> {
    let mut stream = Stream::fresh(rng)?;
    Ok(Zeroizing::new(ScalarField.sample(&mut stream)))
}

pub(super) fn public(secret: &Scalar) -> [u8; 32] {
    RistrettoPoint::mul_base(secret).compress().to_bytes()
}

/// What two holders of keys have in common (Diffie, Hellman 1976).
pub(super) fn agree(secret: &Scalar, theirs: &RistrettoPoint) -> Secret {
    Zeroizing::new((theirs * secret).compress().to_bytes())
}

/// The key that seals what one client sends another.
pub(super) fn seal_key(
    session: &[u8; 32],
    common: &[u8; 32],
    from: ClientId,
    to: ClientId,
) -> Secret {
    let (from, to) = (from.to_le_bytes(), to.to_le_bytes());
    Zeroizing::new(prf(common, "smpc-shares/seal", &[session, &from, &to]))
}

/// The key of the mask between two clients, whichever of them holds the secret.
pub(super) fn pairwise_key(
    session: &[u8; 32],
    secret: &Scalar,
    theirs: &RistrettoPoint,
    pair: (ClientId, ClientId),
) -> Secret {
    let (first, second) = (pair.0.min(pair.1).to_le_bytes(), pair.0.max(pair.1).to_le_bytes());
    let common = agree(secret, theirs);
    Zeroizing::new(prf(&common, "smpc-shares/pairwise", &[session, &first, &second]))
}

/// The key of a client's own mask.
pub(super) fn own_key(session: &[u8; 32], seed: &[u8]) -> Result<Secret> {
    let seed: [u8; 32] = seed.try_into().map_err(|_| Error::Verification)?;
    Ok(Zeroizing::new(prf(&seed, "smpc-shares/own", &[session])))
}

/// Adds or subtracts the stream of a key.
pub(super) fn mask(values: &mut [u32], key: &[u8; 32], negative: bool) {
    let mut stream = Stream::derive(key, "smpc-shares/mask", &[]);
    let mut block = Zeroizing::new([0u8; 8192]);
    for values in values.chunks_mut(2048) {
        let bytes = &mut block[..values.len().div_ceil(2) * 8];
        stream.bytes(bytes);
        let words = bytes.as_chunks::<4>().0;
        if negative {
            for (value, word) in values.iter_mut().zip(words) {
                *value = value.wrapping_sub(u32::from_le_bytes(*word));
            }
        } else {
            for (value, word) in values.iter_mut().zip(words) {
                *value = value.wrapping_add(u32::from_le_bytes(*word));
            }
        }
    }
}
