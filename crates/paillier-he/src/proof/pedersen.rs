//! Commitments in a group whose order nobody but their maker could know (Fujisaki, Okamoto, CRYPTO
//! 1997; "ring-Pedersen parameters" in Canetti, Gennaro, Goldfeder, Makriyannis, Peled, eprint
//! 2021/060).
//!
//! A verifier makes a modulus N̂ of two safe primes, a random square t and s = tˡ, and commits to x
//! with mask ρ as sˣ·tᵖ. That s is a power of t, without which commitments would not hide, is proven
//! with 128 challenges of one bit: for A = tᵃ, the answer z = a + e·λ satisfies tᶻ = A·sᵉ.

use std::fmt;

use num_bigint::BigUint;
use num_integer::Integer;
use num_traits::One;
use privacy_core::random::SecureRng;

use super::Transcript;
use crate::error::{Error, Result};
use crate::kernel::{Backend, Nat, Ring, nat};
use crate::prime::{self, Kind};
use crate::random;

/// Challenges of one bit each: s that is no power of t passes with probability 2^-128.
const ROUNDS: usize = 128;
const REFUSED: Error = Error::Proof { statement: "commitment parameters" };

/// What a verifier gives to those who prove something about factors to it.
///
/// A value that exists has been checked.
///
/// # Security
///
/// Commitments hide as s is proven to be a power of t. They bind those who cannot factor the
/// modulus, under the strong RSA assumption: proofs convince the maker of the parameters, and whoever
/// trusts that the prover did not make them. The factors are wiped as soon as the parameters are
/// made.
#[derive(Clone, PartialEq, Eq)]
pub struct PedersenParameters {
    pub(super) n: BigUint,
    pub(super) s: BigUint,
    pub(super) t: BigUint,
    rounds: Vec<Round>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Round {
    pub(crate) commitment: BigUint,
    pub(crate) answer: BigUint,
}

impl PedersenParameters {
    /// New parameters with a modulus of `bits` bits, at least 2048. Takes seconds.
    ///
    /// # Errors
    ///
    /// [`Error::KeySize`], [`Error::Entropy`].
    pub fn generate(bits: u64, rng: &mut dyn SecureRng) -> Result<Self> {
        let (least, most) = (crate::key::LEAST_BITS, crate::key::MOST_BITS);
        if bits < least || bits > most || bits % 2 == 1 {
            return Err(Error::KeySize { bits, least, most });
        }
        Self::make(bits, rng)
    }

    /// Parameters that anyone can break, so that tests are quick.
    ///
    /// # Errors
    ///
    /// As [`PedersenParameters::generate`].
    ///
    /// # Security
    ///
    /// None. Only with the feature `insecure-test-keys`.
    #[cfg(feature = "insecure-test-keys")]
    pub fn insecure_for_tests(bits: u64, rng: &mut dyn SecureRng) -> Result<Self> {
        Self::make(bits.next_multiple_of(2).max(128), rng)
    }

    fn make(bits: u64, rng: &mut dyn SecureRng) -> Result<Self> {
        let half = bits as usize / 2;
        let p = prime::random(rng, half, Kind::Safe)?;
        let q = loop {
            let q = prime::random(rng, half, Kind::Safe)?;
            if q != p {
                break q;
            }
        };
        // Squares form a cyclic group of order p'q'; a random one generates it but for a chance of
        // 1/p' + 1/q'.
        let modulus = p.mul(&q);
        let order = p.shifted_right(1).mul(&q.shifted_right(1));
        let ring = ring(&modulus);
        let root = random::below(rng, &modulus)?;
        let t = ring.pow_each(&[&root], &[&[2]]).swap_remove(0);
        let lambda = random::below(rng, &order)?;
        let mut masks = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            masks.push(random::below(rng, &order)?);
        }
        let exponents: Vec<&[u64]> =
            std::iter::once(&lambda).chain(&masks).map(|x| &x[..]).collect();
        let mut powers = ring.pow_each(&vec![&t[..]; exponents.len()], &exponents).into_iter();
        let s = powers.next().map(|s| s.to_big()).unwrap_or_default();
        let (n, t) = (modulus.to_big(), t.to_big());
        let commitments: Vec<BigUint> = powers.map(|a| a.to_big()).collect();
        let bits = challenges(&n, &s, &t, &commitments);
        let rounds = commitments.into_iter().zip(masks).zip(bits);
        let rounds = rounds
            .map(|((commitment, mut answer), bit)| {
                if bit {
                    let carry = nat::add_assign(&mut answer, &lambda);
                    nat::reduce_once(&mut answer, carry, &order);
                }
                Round { commitment, answer: answer.to_big() }
            })
            .collect();
        Ok(PedersenParameters { n, s, t, rounds })
    }

    /// The parameters, if the proof in them holds.
    pub(crate) fn from_parts(
        n: BigUint,
        [s, t]: [BigUint; 2],
        rounds: Vec<Round>,
        least_bits: u64,
    ) -> Result<Self> {
        let (bits, most) = (n.bits(), crate::key::MOST_BITS);
        if bits < least_bits || bits > most || n.is_even() {
            return Err(Error::KeySize { bits, least: least_bits, most });
        }
        let unit = |x: &BigUint| *x < n && x.gcd(&n).is_one();
        let fits = rounds.len() == ROUNDS
            && unit(&s)
            && unit(&t)
            && !t.is_one()
            && rounds.iter().all(|round| unit(&round.commitment) && round.answer < n);
        if !fits {
            return Err(REFUSED);
        }
        let commitments: Vec<BigUint> = rounds.iter().map(|r| r.commitment.clone()).collect();
        let answers: Vec<Nat> = rounds.iter().map(|r| Nat::from_big(&r.answer)).collect();
        let (base, ring) = (Nat::from_big(&t), ring(&Nat::from_big(&n)));
        let exponents: Vec<&[u64]> = answers.iter().map(|z| &z[..]).collect();
        let powers = ring.pow_each(&vec![&base[..]; exponents.len()], &exponents);
        let bits = challenges(&n, &s, &t, &commitments);
        let holds =
            powers.iter().zip(&commitments).zip(bits).all(|((power, a), bit)| {
                power.to_big() == if bit { a * &s % &n } else { a.clone() }
            });
        if holds { Ok(PedersenParameters { n, s, t, rounds }) } else { Err(REFUSED) }
    }

    pub(crate) fn parts(&self) -> (&BigUint, [&BigUint; 2], &[Round]) {
        (&self.n, [&self.s, &self.t], &self.rounds)
    }

    /// The length of the modulus in bits.
    #[must_use]
    pub fn bits(&self) -> u64 {
        self.n.bits()
    }

    pub(super) fn ring(&self) -> Ring {
        ring(&Nat::from_big(&self.n))
    }

    pub(super) fn bind(&self, transcript: &mut Transcript) {
        for (label, number) in [("modulus", &self.n), ("s", &self.s), ("t", &self.t)] {
            transcript.number(label, number);
        }
    }
}

fn ring(n: &Nat) -> Ring {
    Ring::new(Backend::best(), &[n], false, n.len() * 64)
}

fn challenges(n: &BigUint, s: &BigUint, t: &BigUint, commitments: &[BigUint]) -> Vec<bool> {
    let mut transcript = Transcript::new("paillier-he commitment parameters", b"");
    for (label, number) in [("modulus", n), ("s", s), ("t", t)] {
        transcript.number(label, number);
    }
    commitments.iter().for_each(|a| transcript.number("commitment", a));
    let words = transcript.words(ROUNDS.div_ceil(64));
    (0..ROUNDS).map(|i| words[i / 64] >> (i % 64) & 1 == 1).collect()
}

impl fmt::Debug for PedersenParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PedersenParameters").field("bits", &self.bits()).finish_non_exhaustive()
    }
}
