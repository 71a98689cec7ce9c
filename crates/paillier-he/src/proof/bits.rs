//! That each of many ciphertexts encrypts 0 or 1, and nothing about which.
//!
//! For C = (1 + n)ᵇ·rⁿ the prover shows that C₀ = C or C₁ = C/(1 + n) is an n-th power, without
//! telling which (the disjunction of Cramer, Damgård, Schoenmakers, CRYPTO 1994, of the proof of
//! n-th powers of Damgård, Jurik, PKC 2001, section 4.2). It draws s of 128 bits and units y₀, y₁ and
//! sends
//!
//! ```text
//! A₀ = (1 + n)^(-s·b)·y₀ⁿ        A₁ = (1 + n)^(s·(1 - b))·y₁ⁿ
//! ```
//!
//! For the challenge e it splits e = e₀ + e₁ mod 2^128 such that e₍₁₋ᵦ₎ = s, and answers with
//! z_x = y_x·r^(e_x) mod n. Then `z_xⁿ = A_x·C_x^(e_x)` for x = 0 and 1.
//!
//! # Soundness
//!
//! Units modulo n² are (1 + n)ᵐ·rⁿ for one m modulo n, the message. Let no prime factor of n be below
//! 2^128. If C encrypts neither 0 nor 1, then C₀ has a message that is not 0 modulo some prime factor
//! P, and the first equation fixes e₀ modulo P, so e₀ itself; likewise the second fixes e₁. At most
//! one challenge e can then be answered: 2^-128. This holds against unbounded provers; the random
//! oracle stands for the challenge.
//!
//! All equations are checked at once, each raised to a weight of 128 bits that comes from the
//! transcript with all answers. Only messages matter for the argument. If in one equation
//! the messages differ, they differ modulo some P, and the weighted messages cancel for at most one
//! value of its weight: 2^-128 again. (Roots of unity cancel more easily; they are n-th powers.)
//!
//! # Zero knowledge
//!
//! e₀ and e₁ are each uniform whatever b is; z₀ and z₁ are uniform units, and A₀ and A₁ follow from
//! them. So a simulator that may choose e needs to know nothing.

use num_bigint::BigUint;
use num_integer::Integer;
use num_traits::One;
use privacy_core::random::SecureRng;
use zeroize::Zeroizing;

use super::{CHALLENGE_BITS, Transcript};
use crate::error::{Error, Result};
use crate::kernel::{Backend, Batch, Nat, Ring, multiexp, nat};
use crate::key::PublicKey;
use crate::random;

/// A ciphertext with the proof that it encrypts a bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProvenBit {
    /// C modulo n².
    pub(crate) ciphertext: BigUint,
    /// A₀ and A₁ modulo n².
    pub(crate) commitments: [BigUint; 2],
    /// e₀.
    pub(crate) split: u128,
    /// z₀ and z₁ modulo n.
    pub(crate) answers: [BigUint; 2],
}

/// Bits that were encrypted and committed to, before the challenge.
pub(super) struct Prover<'k> {
    key: &'k PublicKey,
    bits: Zeroizing<Vec<u64>>,
    nonces: Vec<Nat>,
    ciphertexts: Batch,
    commitments: Batch,
    /// s and the y of each bit.
    masks: Vec<(Nat, [Nat; 2])>,
}

impl<'k> Prover<'k> {
    /// Encrypts `bits`.
    pub(super) fn new(
        key: &'k PublicKey,
        bits: Zeroizing<Vec<u64>>,
        rng: &mut dyn SecureRng,
    ) -> Result<Self> {
        let mut nonces = Vec::with_capacity(bits.len());
        let mut masks = Vec::with_capacity(bits.len());
        for _ in 0..bits.len() {
            nonces.push(random::below(rng, key.n())?);
            let s = random::bits(rng, CHALLENGE_BITS)?;
            masks.push((s, [random::below(rng, key.n())?, random::below(rng, key.n())?]));
        }
        let length = key.n().len();
        let plain: Vec<Nat> = bits.iter().map(|b| Nat::from_words(&[*b]).resized(length)).collect();
        let ciphertexts = key.encrypt_residues(nonces.iter(), &plain);
        let plain = bits.iter().zip(&masks).flat_map(|(b, (s, _))| {
            let scaled = |by: u64| {
                let mut scaled = s.resized(length);
                scaled.iter_mut().for_each(|word| *word &= nat::mask(by));
                scaled
            };
            let mut minus = scaled(*b);
            nat::negate_mod(&mut minus, key.n());
            [minus, scaled(1 ^ (b & 1))]
        });
        let plain: Vec<Nat> = plain.collect();
        let commitments = key.encrypt_residues(masks.iter().flat_map(|(_, y)| y), &plain);
        Ok(Prover { key, bits, nonces, ciphertexts, commitments, masks })
    }

    /// The ciphertexts, in the resident form.
    pub(super) fn ciphertexts(&self) -> &Batch {
        &self.ciphertexts
    }

    /// The proofs for the challenge that follows `transcript`.
    pub(super) fn finish(self, transcript: Transcript) -> Vec<ProvenBit> {
        let Prover { key, bits, nonces, ciphertexts, commitments, masks } = self;
        let big = |batch: &Batch| -> Vec<BigUint> {
            batch.store(key.ring()).iter().map(Nat::to_big).collect()
        };
        let mut commitments = big(&commitments).into_iter();
        let mut proofs: Vec<ProvenBit> = big(&ciphertexts)
            .into_iter()
            .map_while(|ciphertext| {
                let commitments = [commitments.next()?, commitments.next()?];
                let answers = [BigUint::ZERO, BigUint::ZERO];
                Some(ProvenBit { ciphertext, commitments, split: 0, answers })
            })
            .collect();
        let e = challenge(transcript, &proofs);
        // Where the bit is 1, s is e₀; otherwise s is e₁. Chosen with masks, as s tells the bit.
        let splits = bits.iter().zip(&masks).map(|(bit, (s, _))| {
            let s = u128::from(s[1]) << 64 | u128::from(s[0]);
            let mask = u128::from(nat::mask(*bit));
            let mask = mask << 64 | mask;
            (s & mask) | (e.wrapping_sub(s) & !mask)
        });
        for (proof, split) in proofs.iter_mut().zip(splits) {
            proof.split = split;
        }
        let exponents: Vec<[u64; 2]> =
            proofs.iter().flat_map(|proof| parts(e, proof.split).map(words)).collect();
        let exponents: Vec<&[u64]> = exponents.iter().map(|e| &e[..]).collect();
        let ring = plain_ring(key);
        let bases: Vec<&[u64]> = nonces.iter().flat_map(|r| [&r[..], &r[..]]).collect();
        let powers = ring.pow_each(&bases, &exponents);
        let load = |numbers: Vec<&[u64]>| Batch::load(&ring, &numbers);
        let mut answers = load(powers.iter().map(|x| &x[..]).collect());
        answers
            .mul_assign(&ring, &load(masks.iter().flat_map(|(_, y)| y).map(|y| &y[..]).collect()));
        let answers = answers.store(&ring);
        for (proof, answers) in proofs.iter_mut().zip(answers.chunks_exact(2)) {
            proof.answers = [answers[0].to_big(), answers[1].to_big()];
        }
        proofs
    }
}

/// Checks that each ciphertext encrypts a bit, and gives the ciphertexts.
pub(super) fn verify(
    key: &PublicKey,
    proofs: &[ProvenBit],
    transcript: Transcript,
) -> Result<Batch> {
    let refused = Error::Proof { statement: "bits" };
    let (n, ring) = (key.modulus(), key.ring());
    let square = n * n;
    let below = |x: &BigUint, bound: &BigUint| *x != BigUint::ZERO && x < bound;
    let fits = proofs.iter().all(|proof| {
        below(&proof.ciphertext, &square)
            && proof.commitments.iter().all(|a| below(a, &square))
            && proof.answers.iter().all(|z| below(z, n))
    });
    if !fits {
        return Err(refused);
    }
    let numbers: Vec<Nat> = proofs
        .iter()
        .map(|proof| &proof.ciphertext)
        .chain(proofs.iter().flat_map(|proof| &proof.commitments))
        .map(Nat::from_big)
        .collect();
    let numbers = Batch::load(ring, &numbers.iter().map(|x| &x[..]).collect::<Vec<_>>());
    // One greatest common divisor for all: their product is a unit if each of them is.
    let product = multiexp::product(ring, &numbers).store(ring).swap_remove(0).to_big();
    if !product.gcd(n).is_one() {
        return Err(refused);
    }

    let e = challenge(transcript.clone(), proofs);
    let weights = weights(transcript, proofs);
    let mut of_ciphertexts = Vec::with_capacity(proofs.len());
    let mut plain = BigUint::ZERO;
    for (proof, weights) in proofs.iter().zip(weights.chunks_exact(2)) {
        let [first, second] = parts(e, proof.split);
        let second = BigUint::from(weights[1]) * second;
        of_ciphertexts.push((BigUint::from(weights[0]) * first + &second).to_u64_digits());
        plain += second;
    }
    let weights: Vec<[u64; 2]> = weights.into_iter().map(words).collect();
    let all: Vec<&[u64]> =
        of_ciphertexts.iter().map(|w| &w[..]).chain(weights.iter().map(|w| &w[..])).collect();
    // ∏ A^w·C^(w₀e₀ + w₁e₁)·(1 + n)^(-w₁e₁)
    let mut right = multiexp::weighted_vartime(ring, &numbers, &all);
    let mut shift = Nat::from_big(&(plain % n)).resized(key.n().len());
    nat::negate_mod(&mut shift, key.n());
    key.add_plain(&mut right, &[shift]);

    // (∏ z^w)ⁿ
    let plain = plain_ring(key);
    let answers: Vec<Nat> = proofs.iter().flat_map(|p| &p.answers).map(Nat::from_big).collect();
    let answers = Batch::load(&plain, &answers.iter().map(|z| &z[..]).collect::<Vec<_>>());
    let weights: Vec<&[u64]> = weights.iter().map(|w| &w[..]).collect();
    let root = multiexp::weighted_vartime(&plain, &answers, &weights).store(&plain).swap_remove(0);
    let mut left = Batch::load(ring, &[&root]);
    left.pow_vartime(ring, key.n());
    if left.store(ring) != right.store(ring) {
        return Err(refused);
    }
    Ok(numbers.gather(ring, 0..proofs.len()))
}

fn plain_ring(key: &PublicKey) -> Ring {
    Ring::new(Backend::best(), &[key.n()], false, key.n().len() * 64)
}

fn challenge(mut transcript: Transcript, proofs: &[ProvenBit]) -> u128 {
    for proof in proofs {
        transcript.number("bit", &proof.ciphertext);
        proof.commitments.iter().for_each(|a| transcript.number("commitment", a));
    }
    transcript.challenge()
}

/// Two weights for each bit, from everything that the prover sent.
fn weights(mut transcript: Transcript, proofs: &[ProvenBit]) -> Vec<u128> {
    transcript.bytes("purpose", b"weights");
    for proof in proofs {
        transcript.number("bit", &proof.ciphertext);
        proof.commitments.iter().for_each(|a| transcript.number("commitment", a));
        transcript.bytes("split", &proof.split.to_be_bytes());
        proof.answers.iter().for_each(|z| transcript.number("answer", z));
    }
    let words = transcript.words(4 * proofs.len());
    words.chunks_exact(2).map(|w| u128::from(w[0]) << 64 | u128::from(w[1])).collect()
}

/// e₀ and e₁.
fn parts(e: u128, split: u128) -> [u128; 2] {
    [split, e.wrapping_sub(split)]
}

fn words(x: u128) -> [u64; 2] {
    [x as u64, (x >> 64) as u64]
}

#[cfg(test)]
mod tests {
    use privacy_core::random::InsecureTestRng;

    use super::*;
    use crate::key::{KeyOptions, PrivateKey};

    fn prove(key: &PublicKey, bits: &[u64], rng: &mut dyn SecureRng) -> Vec<ProvenBit> {
        let prover = Prover::new(key, Zeroizing::new(bits.to_vec()), rng).unwrap();
        prover.finish(Transcript::new("bits", b"tests"))
    }

    #[test]
    fn bits_are_proven_and_nothing_else_is() {
        let rng = &mut InsecureTestRng::from_seed(1);
        let key = PrivateKey::generate(KeyOptions::insecure_for_tests(512), rng).unwrap();
        let key = key.public_key();
        let check =
            |proofs: &[ProvenBit]| verify(key, proofs, Transcript::new("bits", b"tests")).is_ok();
        for bits in [&[0][..], &[1], &[0, 1, 1, 0, 1, 1, 1, 0, 0, 1, 0]] {
            assert!(check(&prove(key, bits, rng)));
        }
        // A prover that follows the protocol with other digits.
        for digits in [[0, 2, 1], [3, 0, 0], [0, 1, u64::MAX]] {
            assert!(!check(&prove(key, &digits, rng)));
        }
        assert!(verify(key, &prove(key, &[1], rng), Transcript::new("bits", b"others")).is_err());
    }

    #[test]
    fn cheats_against_the_batched_check_are_refused() {
        let rng = &mut InsecureTestRng::from_seed(2);
        let key = PrivateKey::generate(KeyOptions::insecure_for_tests(512), rng).unwrap();
        let key = key.public_key();
        let n = key.modulus();
        let good = prove(key, &[0, 1], rng);
        let check =
            |proofs: &[ProvenBit]| verify(key, proofs, Transcript::new("bits", b"tests")).is_ok();
        assert!(check(&good));
        // Errors of two equations that would cancel without weights.
        let square = n * n;
        let up = n + 1u8;
        let down = &square + 1u8 - n;
        let mut forged = good.clone();
        forged[0].ciphertext = &forged[0].ciphertext * &up % &square;
        forged[1].ciphertext = &forged[1].ciphertext * &down % &square;
        assert!(!check(&forged));
        // Bits that change places, or are left out, do not fit the challenge.
        let swapped = [good[1].clone(), good[0].clone()];
        assert!(!check(&swapped));
        assert!(!check(&good[..1]));
        for forge in [
            (|p: &mut ProvenBit, _: &BigUint| p.ciphertext = BigUint::ZERO)
                as fn(&mut ProvenBit, &BigUint),
            |p, n| p.ciphertext = n.clone(),
            |p, n| p.ciphertext += n * n,
            |p, _| p.commitments[0] = BigUint::ZERO,
            |p, n| p.commitments[1] += n * n,
            |p, _| p.split ^= 1,
            |p, _| p.split = p.split.wrapping_add(1 << 127),
            |p, _| p.answers[0] += 1u8,
            |p, n| p.answers[1] += n,
            |p, _| p.answers[1] = BigUint::ZERO,
            |p, _| p.answers.swap(0, 1),
            |p, _| p.commitments.swap(0, 1),
        ] {
            let mut forged = good.clone();
            forge(&mut forged[1], n);
            assert!(!check(&forged));
        }
    }
}
