//! Verifiable sharing: each receiver checks its share against the dealer's commitments.
//!
//! Shares live in the scalar field of ristretto255, a group of prime order
//! 2^252 + 27742317777372353535851937790883648493.
//!
//! - [`Commitment::feldman`] (Feldman 1987): publishes aⱼ·G of every coefficient, the secret's
//!   included. For secrets of high entropy only, such as keys: a guess can be tested.
//! - [`Commitment::pedersen`] (Pedersen 1991): hides the secret perfectly behind a second polynomial.
//!
//! ```
//! use privacy_core::random::SystemRng;
//! use smpc_shares::Shamir;
//! use smpc_shares::sharing::verifiable::{Commitment, Scalar, reconstruct};
//!
//! let scheme = Shamir::new(5, 2)?;
//! let (commitment, shares) =
//!     Commitment::pedersen(&scheme, &Scalar::from(42u64), &mut SystemRng::new()?)?;
//! assert!(shares.iter().all(|share| commitment.verify(&scheme, share).is_ok()));
//! let secret = reconstruct(&scheme, &commitment, &shares[1..4])?;
//! assert_eq!(secret.secret, Scalar::from(42u64));
//! # Ok::<(), smpc_shares::Error>(())
//! ```

use curve25519_dalek::RistrettoPoint;
pub use curve25519_dalek::Scalar;
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::traits::Identity;
use num_bigint::BigUint;
use privacy_core::random::SecureRng;
use sha2::{Digest, Sha512};
use zeroize::Zeroize;

use super::Shamir;
use crate::error::{Error, Result};
use crate::field::Domain;
use crate::stream::Stream;

mod complaint;

pub use complaint::{Complaints, Decision, Disqualification};

/// The scalar field of ristretto255 as a [`Domain`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScalarField;

impl Domain for ScalarField {
    type Element = Scalar;

    fn order(&self) -> BigUint {
        BigUint::from_bytes_le((-Scalar::ONE).as_bytes()) + 1u8
    }

    fn integer(&self, value: u64) -> Scalar {
        Scalar::from(value)
    }

    fn add(&self, a: &Scalar, b: &Scalar) -> Scalar {
        a + b
    }

    fn sub(&self, a: &Scalar, b: &Scalar) -> Scalar {
        a - b
    }

    fn mul(&self, a: &Scalar, b: &Scalar) -> Scalar {
        a * b
    }

    fn inverse(&self, a: &Scalar) -> Scalar {
        if *a == Scalar::ZERO { *a } else { a.invert() }
    }

    fn sample(&self, stream: &mut Stream) -> Scalar {
        let mut wide = [0; 64];
        stream.bytes(&mut wide);
        let scalar = Scalar::from_bytes_mod_order_wide(&wide);
        wide.zeroize();
        scalar
    }

    fn encode(&self, a: &Scalar) -> Vec<u8> {
        a.as_bytes().to_vec()
    }

    fn decode(&self, bytes: &[u8]) -> Option<Scalar> {
        Scalar::from_canonical_bytes(bytes.try_into().ok()?).into()
    }
}

/// The dealer's public commitments to its polynomial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commitment {
    points: Vec<RistrettoPoint>,
    hiding: bool,
}

/// One party's share and, for Pedersen, its blinding share. Does not print; wiped on drop.
#[derive(Clone)]
pub struct VerifiableShare {
    party: usize,
    value: Scalar,
    blind: Scalar,
}

impl VerifiableShare {
    /// The party, counted from 1.
    #[must_use]
    pub fn party(&self) -> usize {
        self.party
    }

    /// The share as party id (2 bytes, little-endian), value and blinding value.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = (self.party as u16).to_le_bytes().to_vec();
        out.extend_from_slice(self.value.as_bytes());
        out.extend_from_slice(self.blind.as_bytes());
        out
    }

    /// The share with this encoding.
    ///
    /// # Errors
    ///
    /// [`Error::Encoding`] unless it is canonical.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let malformed = || Error::Encoding { what: "a verifiable share" };
        let (id, rest) = bytes.split_first_chunk::<2>().ok_or_else(malformed)?;
        let (value, blind) = rest.split_at_checked(32).ok_or_else(malformed)?;
        let decode = |bytes| ScalarField.decode(bytes).ok_or_else(malformed);
        let party = usize::from(u16::from_le_bytes(*id));
        if party == 0 {
            return Err(malformed());
        }
        Ok(VerifiableShare { party, value: decode(value)?, blind: decode(blind)? })
    }
}

impl std::fmt::Debug for VerifiableShare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiableShare").field("party", &self.party).finish_non_exhaustive()
    }
}

impl Drop for VerifiableShare {
    fn drop(&mut self) {
        self.value.zeroize();
        self.blind.zeroize();
    }
}

/// A second generator whose logarithm nobody knows: hashed to the group from a fixed string.
fn second_generator() -> RistrettoPoint {
    let mut wide = [0; 64];
    wide.copy_from_slice(&Sha512::digest(b"smpc-shares/v1 second generator of Pedersen sharing"));
    RistrettoPoint::from_uniform_bytes(&wide)
}

fn evaluate(coefficients: &[Scalar], x: Scalar) -> Scalar {
    coefficients.iter().rev().fold(Scalar::ZERO, |sum, c| sum * x + c)
}

impl Commitment {
    /// Shares `secret` with commitments that reveal secret·G.
    ///
    /// # Security
    ///
    /// Secrecy of a secret of high entropy rests on the discrete logarithm in ristretto255;
    /// correctness is unconditional.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`].
    pub fn feldman(
        scheme: &Shamir,
        secret: &Scalar,
        rng: &mut dyn SecureRng,
    ) -> Result<(Self, Vec<VerifiableShare>)> {
        Self::deal(scheme, secret, false, rng)
    }

    /// Shares `secret` with commitments that reveal nothing.
    ///
    /// # Security
    ///
    /// Perfectly secret; correctness rests on the discrete logarithm in ristretto255.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`].
    pub fn pedersen(
        scheme: &Shamir,
        secret: &Scalar,
        rng: &mut dyn SecureRng,
    ) -> Result<(Self, Vec<VerifiableShare>)> {
        Self::deal(scheme, secret, true, rng)
    }

    fn deal(
        scheme: &Shamir,
        secret: &Scalar,
        hiding: bool,
        rng: &mut dyn SecureRng,
    ) -> Result<(Self, Vec<VerifiableShare>)> {
        let mut stream = Stream::fresh(rng)?;
        let mut draw = || ScalarField.sample(&mut stream);
        let mut values = vec![*secret];
        values.extend((0..scheme.threshold()).map(|_| draw()));
        let mut blinds: Vec<Scalar> =
            values.iter().map(|_| if hiding { draw() } else { Scalar::ZERO }).collect();
        let second = second_generator();
        let commit = |(a, b): (&Scalar, &Scalar)| {
            let point = RistrettoPoint::mul_base(a);
            if hiding { point + second * b } else { point }
        };
        let points = values.iter().zip(&blinds).map(commit).collect();
        let share = |party: usize| {
            let x = Scalar::from(party as u64);
            VerifiableShare { party, value: evaluate(&values, x), blind: evaluate(&blinds, x) }
        };
        let shares = (1..=scheme.parties()).map(share).collect();
        values.zeroize();
        blinds.zeroize();
        Ok((Commitment { points, hiding }, shares))
    }

    /// Checks one share.
    ///
    /// # Errors
    ///
    /// [`Error::Verification`] if it is not on the committed polynomial, or the commitment is not of
    /// this scheme's threshold; [`Error::BadParties`] for a party that there is not.
    pub fn verify(&self, scheme: &Shamir, share: &VerifiableShare) -> Result<()> {
        if share.party == 0 || share.party > scheme.parties() {
            return Err(Error::BadParties);
        }
        if !self.is_of(scheme) {
            return Err(Error::Verification);
        }
        let x = Scalar::from(share.party as u64);
        let expected =
            self.points.iter().rev().fold(RistrettoPoint::identity(), |sum, point| sum * x + point);
        let mut claimed = RistrettoPoint::mul_base(&share.value);
        if self.hiding {
            claimed += second_generator() * share.blind;
        } else if share.blind != Scalar::ZERO {
            return Err(Error::Verification);
        }
        if claimed == expected { Ok(()) } else { Err(Error::Verification) }
    }

    /// Whether it has as many points as the scheme's polynomials have coefficients: a longer one would
    /// silently raise the threshold.
    fn is_of(&self, scheme: &Shamir) -> bool {
        self.points.len() == scheme.threshold() + 1
    }

    /// The kind in one byte and the points, 32 bytes each.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![u8::from(self.hiding)];
        for point in &self.points {
            out.extend_from_slice(point.compress().as_bytes());
        }
        out
    }

    /// The commitment with this encoding, for a scheme.
    ///
    /// # Errors
    ///
    /// [`Error::Encoding`] unless it has exactly threshold + 1 canonical points, none of them the
    /// identity.
    pub fn from_bytes(scheme: &Shamir, bytes: &[u8]) -> Result<Self> {
        let malformed = || Error::Encoding { what: "a commitment" };
        let (kind, rest) = bytes.split_first().ok_or_else(malformed)?;
        let (encoded, []) = rest.as_chunks::<32>() else { return Err(malformed()) };
        if *kind > 1 || encoded.len() != scheme.threshold() + 1 {
            return Err(malformed());
        }
        let decode = |bytes: &[u8; 32]| {
            CompressedRistretto(*bytes)
                .decompress()
                .filter(|point| *point != RistrettoPoint::identity())
                .ok_or_else(malformed)
        };
        let points = encoded.iter().map(decode).collect::<Result<_>>()?;
        Ok(Commitment { points, hiding: *kind == 1 })
    }
}

/// A secret and who gave wrong shares of it.
#[derive(Clone)]
pub struct Verified {
    /// The secret.
    pub secret: Scalar,
    /// The parties whose shares failed verification, in the order given.
    pub wrong: Vec<usize>,
}

impl std::fmt::Debug for Verified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verified").field("wrong", &self.wrong).finish_non_exhaustive()
    }
}

/// The secret from the shares that verify; as few as threshold + 1 of them suffice, whatever the
/// others are.
///
/// # Errors
///
/// [`Error::TooFewShares`] if too few verify; [`Error::BadParties`] for duplicates.
pub fn reconstruct(
    scheme: &Shamir,
    commitment: &Commitment,
    shares: &[VerifiableShare],
) -> Result<Verified> {
    let (good, bad): (Vec<_>, Vec<_>) =
        shares.iter().partition(|share| commitment.verify(scheme, share).is_ok());
    let values: Vec<(usize, [Scalar; 1])> =
        good.iter().map(|share| (share.party, [share.value])).collect();
    let named: Vec<(usize, &[Scalar])> =
        values.iter().map(|(party, value)| (*party, &value[..])).collect();
    let secret = super::general::reconstruct(scheme, &ScalarField, &named)?;
    let secret = secret.first().copied().ok_or(Error::Verification)?;
    Ok(Verified { secret, wrong: bad.iter().map(|share| share.party).collect() })
}
