//! A party's shares as bytes, to be kept or sent.
//!
//! Version 1 (1 byte), whether replicated (1), the ring (8), party (2), parties (2), threshold (2),
//! number of secrets (8), then the party's components, all little-endian. The ring is the beginning
//! of the SHA-256 of its name and modulus.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Place, Raw, ShareVec};
use crate::error::{Error, Result};
use crate::field::Ring;
use crate::protocol::base::Base;
use crate::security::Scheme;

const VERSION: u8 = 1;
const HEADER: usize = 24;

/// The ring's name and modulus, in 8 bytes.
fn ring<R: Ring>() -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update(R::NAME);
    hash.update(R::from_i128(-1).to_u128().to_le_bytes());
    let mut out = [0; 8];
    out.copy_from_slice(&hash.finalize()[..8]);
    out
}

impl<R: Ring, S: Scheme<R>> ShareVec<R, S> {
    /// The encoding of this party's shares, and of whose they are. Secret: too many parties' encodings
    /// reveal everything.
    ///
    /// MACs of active security belong to a session and are left out;
    /// [`Party::renewed`](crate::Party::renewed) makes new ones.
    ///
    /// # Errors
    ///
    /// The fault of an operation that went before, such as [`Error::LengthMismatch`].
    ///
    /// # Example
    ///
    /// ```
    /// use privacy_core::random::SystemRng;
    /// use smpc_shares::{Shamir, ShareVec, field::Mersenne61 as F};
    ///
    /// let scheme = Shamir::new(3, 1)?;
    /// let shares = scheme.share(&[F::from(42)], &mut SystemRng::new()?)?;
    /// let stored = shares[1].to_bytes()?;
    /// let back = ShareVec::<F>::from_bytes(&stored)?;
    /// assert_eq!(scheme.reconstruct(&[shares[0].clone(), back])?, [F::from(42)]);
    /// # Ok::<(), smpc_shares::Error>(())
    /// ```
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let place = &self.checked()?.place;
        let elements = self.raw.own.len() + self.raw.next.len();
        let mut out = Vec::with_capacity(HEADER + elements * R::BYTES);
        out.extend_from_slice(&[VERSION, u8::from(place.replicated)]);
        out.extend_from_slice(&ring::<R>());
        for number in [place.id, place.parties, place.threshold] {
            out.extend_from_slice(&(number as u16).to_le_bytes());
        }
        out.extend_from_slice(&(self.len() as u64).to_le_bytes());
        R::encode_all(&self.raw.own, &mut out);
        R::encode_all(&self.raw.next, &mut out);
        Ok(out)
    }

    /// The shares with this encoding.
    ///
    /// # Errors
    ///
    /// [`Error::Encoding`] unless it is the encoding of shares of this scheme and ring, to the last
    /// byte.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let malformed = || Error::Encoding { what: "shares of this scheme and ring" };
        let (header, payload) = bytes.split_first_chunk::<HEADER>().ok_or_else(malformed)?;
        let number = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let (id, parties, threshold) = (number(10), number(12), number(14));
        let replicated = S::Base::REPLICATED;
        let fits = S::shape(parties, threshold).is_ok() && (1..=parties).contains(&id);
        if header[0] != VERSION
            || header[1] != u8::from(replicated)
            || header[2..10] != ring::<R>()
            || !fits
        {
            return Err(malformed());
        }
        let mut length = [0; 8];
        length.copy_from_slice(&header[16..]);
        let components = if replicated { 2 } else { 1 };
        let expected = usize::try_from(u64::from_le_bytes(length))
            .ok()
            .and_then(|length| length.checked_mul(R::BYTES * components));
        if expected != Some(payload.len()) {
            return Err(malformed());
        }
        let mut own = R::decode_all(payload).ok_or_else(malformed)?;
        let next = own.split_off(own.len() / components);
        let place = Place { id, parties, threshold, replicated, key: Raw::empty() };
        Ok(ShareVec::new(Raw { own, next }, Raw::empty(), &Arc::new(place)))
    }
}
