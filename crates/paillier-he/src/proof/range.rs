//! That encrypted numbers lie in a range, exactly.
//!
//! A number from `low` to `high` is `low + Σ bⱼ·wⱼ` with bits bⱼ and the weights of the range: with
//! H = high - low, the first weight is w = ⌈H/2⌉, and the rest are those of ⌊H/2⌋. All bits together give
//! H, so no choice of bits leaves the range; and every number is reached, as one of at least w leaves
//! at most H - w = ⌊H/2⌋ and one below w is at most ⌈H/2⌉ - 1 ≤ ⌊H/2⌋. (For H = 2ᵏ - 1 these are the powers of
//! two.) There are as many bits as H has.
//!
//! The prover encrypts each bit, proves that it is one ([`bits`](super::bits)), and makes the
//! ciphertext of the number from those: `c = (1 + low·n)·∏ Cⱼ^wⱼ`, which the verifier computes too.

use num_bigint::{BigInt, BigUint};
use privacy_core::random::SecureRng;
use zeroize::Zeroizing;

use super::Transcript;
use super::bits::{self, ProvenBit, Prover};
use crate::ciphertext::CiphertextVec;
use crate::error::{Error, Result};
use crate::kernel::{Batch, Nat, nat};
use crate::key::{Mode, PublicKey};
use crate::number::{Encoding, Scale, Value};

/// Numbers from a lowest to a highest, at a scale.
///
/// # Example
///
/// ```
/// use paillier_he::Scale;
/// use paillier_he::proof::Range;
///
/// let stars = Range::new(&1, &5, Scale::INTEGER)?;
/// let price = Range::new(&0, &99.99, Scale::new(10, 2)?)?;
/// # Ok::<(), paillier_he::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    low: BigInt,
    high: BigInt,
    scale: Scale,
}

impl Range {
    /// The multiples of the scale's unit from `low` to `high`, both included.
    ///
    /// # Errors
    ///
    /// [`Error::NotRepresentable`] for an end between two units, [`Error::Parameter`] unless
    /// `low < high`.
    pub fn new(low: &impl Value, high: &impl Value, scale: Scale) -> Result<Self> {
        let all = Encoding::with_bound(scale, BigUint::from(1u8) << crate::key::MOST_BITS);
        let (low, high) = (all.encode(low)?, all.encode(high)?);
        if low >= high {
            let requirement = "below the highest number";
            return Err(Error::Parameter {
                parameter: "the lowest number of a range",
                requirement,
            });
        }
        Ok(Range { low, high, scale })
    }

    /// How many bits a number takes, and so how long a proof for it is.
    #[must_use]
    pub fn bits(&self) -> u64 {
        self.width().bits()
    }

    /// What one unit of the encrypted integers is worth.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// The largest magnitude of the encrypted integers.
    #[must_use]
    pub fn bound(&self) -> BigUint {
        self.low.magnitude().max(self.high.magnitude()).clone()
    }

    fn width(&self) -> BigUint {
        (&self.high - &self.low).magnitude().clone()
    }

    fn weights(&self) -> Vec<BigUint> {
        let mut rest = self.width();
        let mut weights = Vec::new();
        while rest != BigUint::ZERO {
            let half = &rest >> 1u8;
            weights.push(rest - &half);
            rest = half;
        }
        weights
    }

    /// The bits of each number, the first bits of all numbers first.
    fn split(&self, mantissas: &[BigInt]) -> Result<Zeroizing<Vec<u64>>> {
        let words = self.width().bits().div_ceil(64) as usize;
        let mut rests = Vec::with_capacity(mantissas.len());
        for mantissa in mantissas {
            if *mantissa < self.low || *mantissa > self.high {
                return Err(Error::OutOfBounds);
            }
            rests.push(Nat::from_big((mantissa - &self.low).magnitude()).resized(words));
        }
        let mut bits = Zeroizing::new(Vec::with_capacity(self.bits() as usize * rests.len()));
        for weight in self.weights() {
            let weight = Nat::from_big(&weight).resized(words);
            bits.extend(rests.iter_mut().map(|rest| nat::reduce_once(rest, 0, &weight)));
        }
        Ok(bits)
    }

    /// `(1 + low·n)·∏ Cⱼ^wⱼ` for each of `count` numbers.
    fn join(&self, key: &PublicKey, bits: &Batch, count: usize) -> Batch {
        let ring = key.ring();
        let weights = self.weights();
        let columns: Vec<Batch> =
            (0..weights.len()).map(|j| bits.gather(ring, j * count..(j + 1) * count)).collect();
        let mut out = Batch::ones(ring, count);
        for bit in (0..self.bits()).rev() {
            out.square_assign(ring);
            for (column, _) in columns.iter().zip(&weights).filter(|(_, w)| w.bit(bit)) {
                out.mul_assign(ring, column);
            }
        }
        key.add_plain(&mut out, &vec![key.residue(&self.low); count]);
        out
    }

    fn transcript(
        &self,
        key: &PublicKey,
        count: usize,
        prover: &[u8],
        context: &[u8],
    ) -> Transcript {
        let mut transcript = Transcript::new("paillier-he range", context);
        transcript.bytes("prover", prover);
        transcript.key(key);
        transcript.bytes("low", &self.low.to_signed_bytes_be());
        transcript.bytes("high", &self.high.to_signed_bytes_be());
        transcript.bytes("base", &self.scale.base().to_be_bytes());
        transcript.bytes("digits", &self.scale.digits().to_be_bytes());
        transcript.bytes("numbers", &(count as u64).to_be_bytes());
        transcript
    }
}

/// A proof that every number of a column lies in a range, told to whoever has the public key.
///
/// Made by the one who encrypts. For a range of k bits each number takes 3k full powers to prove, and
/// some 100 products a bit to check; the proof has k·(8·|n| + 128) bits a number.
///
/// # Security
///
/// - Exact: there is no slack between what honest provers need and what is proven.
/// - Sound except with probability 2^-127 a try (2^-128 for the proof, 2^-128 for the batched check)
///   in the random-oracle model, for keys without prime factors below 2^128. The holder of such a key
///   could pass what is false: where the key's owner is not trusted, ask for a
///   [`FactorProof`](super::FactorProof).
/// - Zero-knowledge: it tells nothing but that the numbers lie in the range.
/// - It holds for one context and one prover, whose name is part of it, so that nobody can pass on
///   somebody else's number as their own.
///
/// # Example
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use paillier_he::prelude::*;
/// use paillier_he::proof::{Range, RangeProof};
/// # let mut rng = SystemRng::new()?;
/// # let key = PrivateKey::generate(KeyOptions::insecure_for_tests(512), &mut rng)?;
/// # let public = key.public_key();
/// let stars = Range::new(&1, &5, Scale::INTEGER)?;
/// let (votes, proof) = RangeProof::encrypt(public, &[4, 5], &stars, b"alice", b"poll 7", &mut rng)?;
///
/// // At the one who counts: no vote of a thousand stars.
/// let votes = proof.verify(votes, &stars, b"alice", b"poll 7")?;
/// assert_eq!(votes.bound(), &5u8.into());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeProof {
    /// The first bits of all numbers, then the second ones, and so on.
    pub(crate) bits: Vec<ProvenBit>,
}

impl RangeProof {
    /// Encrypts a column of numbers within `range`, with the proof that they are.
    ///
    /// `prover` names who encrypts, `context` what for.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfBounds`] for a number outside the range; [`Error::Mode`] for a key in subgroup
    /// mode; [`Error::WouldOverflow`] for a range that the key cannot hold; as [`Encoding::encode`];
    /// [`Error::Entropy`].
    ///
    /// # Timing
    ///
    /// As [`Encryptor::encrypt_batch`](crate::Encryptor::encrypt_batch): depends on the range and the number of values, and on their
    /// lengths while they become integers.
    pub fn encrypt(
        key: &PublicKey,
        values: &[impl Value],
        range: &Range,
        prover: &[u8],
        context: &[u8],
        rng: &mut dyn SecureRng,
    ) -> Result<(CiphertextVec, Self)> {
        if key.mode() == Mode::Subgroup {
            let mode = key.mode().name();
            return Err(Error::Mode { mode, operation: "prove ranges: its blinders are too few" });
        }
        let bound = range.bound();
        key.check_bound(&bound)?;
        let encoding = Encoding::with_bound(range.scale, bound.clone());
        let mantissas: Vec<BigInt> =
            values.iter().map(|v| encoding.encode(v)).collect::<Result<_>>()?;
        let prover_of_bits = Prover::new(key, range.split(&mantissas)?, rng)?;
        let batch = range.join(key, prover_of_bits.ciphertexts(), values.len());
        let column = CiphertextVec::of(key, batch, range.scale, bound);
        let transcript = range.transcript(key, values.len(), prover, context);
        Ok((column, RangeProof { bits: prover_of_bits.finish(transcript) }))
    }

    /// Checks that every number of the column lies in `range`. The column's bound, until then a claim
    /// of its sender, becomes that of the range.
    ///
    /// # Errors
    ///
    /// [`Error::Proof`] if the proof does not hold for this column, range, prover and context.
    pub fn verify(
        &self,
        column: CiphertextVec,
        range: &Range,
        prover: &[u8],
        context: &[u8],
    ) -> Result<CiphertextVec> {
        let refused = Error::Proof { statement: "numbers in a range" };
        let key = column.public_key();
        key.check_bound(&range.bound())?;
        let expected = (range.bits() as usize).checked_mul(column.len());
        if column.scale() != range.scale() || expected != Some(self.bits.len()) {
            return Err(refused);
        }
        let transcript = range.transcript(key, column.len(), prover, context);
        let bits = bits::verify(key, &self.bits, transcript).map_err(|_| refused)?;
        let joined = range.join(key, &bits, column.len());
        if joined.store(key.ring()) != column.raw() {
            return Err(refused);
        }
        Ok(CiphertextVec { bound: range.bound(), ..column })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn weights_reach_exactly_the_range() {
        for width in 1u32..200 {
            let range = Range::new(&0, &width, Scale::INTEGER).unwrap();
            let weights: Vec<u32> =
                range.weights().iter().map(|w| u32::try_from(w).unwrap()).collect();
            assert_eq!(weights.len() as u64, range.bits());
            let mut sums = std::collections::BTreeSet::from([0]);
            for w in &weights {
                sums = sums.iter().flat_map(|s| [*s, s + w]).collect();
            }
            assert!(sums.into_iter().eq(0..=width), "{width}");
        }
        assert!(Range::new(&3, &3, Scale::INTEGER).is_err());
    }

    proptest! {
        #[test]
        fn numbers_are_the_sums_of_their_bits(low in any::<i64>(), width in 1u64.., at in any::<u64>()) {
            let (low, width) = (BigInt::from(low), BigInt::from(width));
            let range = Range::new(&low, &(&low + &width), Scale::INTEGER).unwrap();
            let value = &low + BigInt::from(at) % (&width + 1);
            let bits = range.split(std::slice::from_ref(&value)).unwrap();
            prop_assert!(bits.iter().all(|bit| *bit < 2));
            let sum = range.weights().into_iter().zip(bits.iter())
                .fold(low.clone(), |sum, (w, bit)| sum + BigInt::from(w) * *bit);
            prop_assert_eq!(sum, value);
            for outside in [&low - 1, &low + &width + 1] {
                prop_assert_eq!(range.split(&[outside]), Err(Error::OutOfBounds));
            }
        }
    }
}
