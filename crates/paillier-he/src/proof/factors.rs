//! That both factors of a modulus are large (the proof Πfac of Canetti, Gennaro, Goldfeder,
//! Makriyannis, Peled, eprint 2021/060, for factors of equal length).
//!
//! With commitments `[x; ρ] = sˣ·tᵖ` modulo N̂ the prover sends P = [p; μ], Q = [q; ν], masks A = [α; x],
//! B = [β; y], and T = Q^α·tʳ, and answers the challenge e with
//!
//! ```text
//! z₁ = α + ep   z₂ = β + eq   w₁ = x + eμ   w₂ = y + eν   v = r - eνp
//! ```
//!
//! The verifier checks `[z₁; w₁] = A·Pᵉ`, `[z₂; w₂] = B·Qᵉ`, `Q^z₁·tᵛ = T·(sⁿ)ᵉ`, and that z₁ and z₂ are
//! short. (The paper's n is committed to with a mask σ that the prover chooses and shows; here σ = 0.)
//!
//! # Soundness
//!
//! From two challenges that are answered one finds, under the strong RSA assumption for N̂, integers
//! p₀ and q₀ with p₀·q₀ = n that are at most as long as z₁ and z₂ may be: |n|/2 + 257 bits. So neither is
//! below 2^(|n|/2 - 258).

use num_bigint::BigUint;
use num_integer::Integer;
use num_traits::One;
use privacy_core::random::SecureRng;

use super::transcript::CHALLENGE_BITS;
use super::{PedersenParameters, Transcript};
use crate::error::{Error, Result};
use crate::kernel::{Nat, nat};
use crate::key::PrivateKey;
use crate::random;

/// Bits by which masks exceed what they hide.
const MASK_BITS: usize = 128;
const REFUSED: Error = Error::Proof { statement: "a modulus without small factors" };

/// A proof that a modulus is a product of two numbers of [`FactorProof::least_bits`] bits at least.
///
/// Together with a [`ModulusProof`](super::ModulusProof), which shows that there are just two prime
/// factors, it excludes small ones.
///
/// # Security
///
/// Sound except with probability 2^-128 a try in the random-oracle model, under the strong RSA
/// assumption, towards those who know that the prover cannot factor the modulus of the
/// [`PedersenParameters`]. Statistically zero-knowledge (2^-128). It holds in its context alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorProof {
    /// P, Q, A, B, T.
    pub(crate) commitments: [BigUint; 5],
    /// z₁, w₁, z₂, w₂, v.
    pub(crate) answers: [BigUint; 5],
}

impl FactorProof {
    /// Proves that both factors of the key's modulus are large, to those who hold `parameters`.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`].
    pub fn prove(
        key: &PrivateKey,
        parameters: &PedersenParameters,
        context: &[u8],
        rng: &mut dyn SecureRng,
    ) -> Result<Self> {
        let (p, q) = key.factors();
        Self::prove_factors(key.public_key().modulus(), [p, q], parameters, context, rng)
    }

    fn prove_factors(
        n: &BigUint,
        [p, q]: [&Nat; 2],
        parameters: &PedersenParameters,
        context: &[u8],
        rng: &mut dyn SecureRng,
    ) -> Result<Self> {
        let Lengths { factor_mask, nonce, nonce_mask, link_mask } = Lengths::of(n, parameters);
        let ring = parameters.ring();
        let [s, t] = [&parameters.s, &parameters.t].map(Nat::from_big);
        loop {
            let (alpha, beta) = (random::bits(rng, factor_mask)?, random::bits(rng, factor_mask)?);
            let (mu, nu) = (random::bits(rng, nonce)?, random::bits(rng, nonce)?);
            let (x, y) = (random::bits(rng, nonce_mask)?, random::bits(rng, nonce_mask)?);
            let r = random::bits(rng, link_mask)?;
            let bases: [&[u64]; 8] = [&s, &t, &s, &t, &s, &t, &s, &t];
            let exponents: [&[u64]; 8] = [p, &mu, q, &nu, &alpha, &x, &beta, &y];
            let powers = ring.pow_each(&bases, &exponents);
            let product = |a: &Nat, b: &Nat| a.to_big() * b.to_big() % &parameters.n;
            let pairs: Vec<BigUint> =
                powers.chunks_exact(2).map(|pair| product(&pair[0], &pair[1])).collect();
            let q_committed = Nat::from_big(&pairs[1]);
            let link = ring.pow_each(&[&q_committed, &t], &[&alpha, &r]);
            let link = product(&link[0], &link[1]);
            let [a, b, c, d] = [&pairs[0], &pairs[1], &pairs[2], &pairs[3]].map(Clone::clone);
            let commitments = [a, b, c, d, link];

            let e = challenge(n, parameters, &commitments, context);
            let e = Nat::from_words(&[e as u64, (e >> 64) as u64]);
            let answer = |mask: &Nat, secret: &Nat| {
                let mut sum = e.mul(secret).resized(mask.len().max(e.len() + secret.len()) + 1);
                nat::add_assign(&mut sum, mask);
                sum.to_big()
            };
            let mut v = r.clone();
            let link = e.mul(&nu).mul(p).resized(v.len());
            // r is 128 bits longer than what is subtracted.
            if nat::sub_masked(&mut v, &link, u64::MAX) == 1 {
                continue;
            }
            let answers =
                [answer(&alpha, p), answer(&x, &mu), answer(&beta, q), answer(&y, &nu), v.to_big()];
            return Ok(FactorProof { commitments, answers });
        }
    }

    /// Checks the proof for a modulus in a context.
    ///
    /// # Errors
    ///
    /// [`Error::Proof`] if it does not hold.
    pub fn verify(
        &self,
        n: &BigUint,
        parameters: &PedersenParameters,
        context: &[u8],
    ) -> Result<()> {
        let Lengths { factor_mask, nonce_mask, link_mask, .. } = Lengths::of(n, parameters);
        let modulus = &parameters.n;
        let unit = |x: &BigUint| x < modulus && x.gcd(modulus).is_one();
        let most = [factor_mask + 1, nonce_mask + 1, factor_mask + 1, nonce_mask + 1, link_mask];
        let fits = self.commitments.iter().all(unit)
            && self.answers.iter().zip(most).all(|(z, most)| z.bits() <= most as u64);
        if n.is_even() || n.bits() > crate::key::MOST_BITS || !fits {
            return Err(REFUSED);
        }
        let [p, q, a, b, link] = &self.commitments;
        let e = BigUint::from(challenge(n, parameters, &self.commitments, context));
        let (s, t) = (&parameters.s, &parameters.t);
        let [z1, w1, z2, w2, v] = &self.answers;
        let ne = n * &e;
        let terms =
            [(s, z1), (t, w1), (s, z2), (t, w2), (q, z1), (t, v), (p, &e), (q, &e), (s, &ne)];
        let terms = terms.map(|(base, exponent)| (Nat::from_big(base), Nat::from_big(exponent)));
        let bases: Vec<&[u64]> = terms.iter().map(|(base, _)| &base[..]).collect();
        let exponents: Vec<&[u64]> = terms.iter().map(|(_, exponent)| &exponent[..]).collect();
        let powers: Vec<BigUint> =
            parameters.ring().pow_each(&bases, &exponents).iter().map(Nat::to_big).collect();
        let equal = |left: [usize; 2], factor: &BigUint, power: usize| {
            &powers[left[0]] * &powers[left[1]] % modulus == factor * &powers[power] % modulus
        };
        let holds = equal([0, 1], a, 6) && equal([2, 3], b, 7) && equal([4, 5], link, 8);
        if holds { Ok(()) } else { Err(REFUSED) }
    }

    /// The bits that each of the two factors of a modulus of `bits` bits is proven to have. Below
    /// 1024 bits the proof says little.
    #[must_use]
    pub fn least_bits(bits: u64) -> u64 {
        (bits / 2).saturating_sub(1 + MASK_BITS as u64 + CHALLENGE_BITS as u64)
    }
}

/// The lengths of masks in bits: what they hide, and 128 bits more.
struct Lengths {
    /// α and β hide e·p and e·q.
    factor_mask: usize,
    /// μ and ν hide p and q, as the order of t is below N̂.
    nonce: usize,
    /// x and y hide e·μ and e·ν.
    nonce_mask: usize,
    /// r hides e·ν·p.
    link_mask: usize,
}

impl Lengths {
    fn of(n: &BigUint, parameters: &PedersenParameters) -> Self {
        let factor = n.bits().div_ceil(2) as usize;
        let nonce = parameters.bits() as usize + MASK_BITS;
        Lengths {
            factor_mask: factor + CHALLENGE_BITS + MASK_BITS,
            nonce,
            nonce_mask: nonce + CHALLENGE_BITS + MASK_BITS,
            link_mask: nonce + factor + CHALLENGE_BITS + MASK_BITS,
        }
    }
}

fn challenge(
    n: &BigUint,
    parameters: &PedersenParameters,
    commitments: &[BigUint; 5],
    context: &[u8],
) -> u128 {
    let mut transcript = Transcript::new("paillier-he factors", context);
    transcript.number("n", n);
    parameters.bind(&mut transcript);
    commitments.iter().for_each(|c| transcript.number("commitment", c));
    transcript.challenge()
}

#[cfg(test)]
mod tests {
    use privacy_core::random::InsecureTestRng;

    use super::*;
    use crate::prime::{self, Kind};

    #[test]
    fn factors_of_equal_length_are_proven_and_small_ones_are_not() {
        let rng = &mut InsecureTestRng::from_seed(1);
        let parameters = PedersenParameters::insecure_for_tests(256, rng).unwrap();
        let mut product = |lengths: [usize; 2]| {
            let [p, q] = lengths.map(|bits| prime::random(rng, bits, Kind::Blum).unwrap());
            let n = p.mul(&q).to_big();
            let proof =
                FactorProof::prove_factors(&n, [&p, &q], &parameters, b"tests", rng).unwrap();
            proof.verify(&n, &parameters, b"tests")
        };
        assert_eq!(product([512, 512]), Ok(()));
        // The answer for the large factor is too long, whichever place it takes.
        assert_eq!(product([200, 824]), Err(REFUSED));
        assert_eq!(product([824, 200]), Err(REFUSED));
        assert_eq!(FactorProof::least_bits(2048), 767);
    }

    #[test]
    fn what_is_no_factor_is_refused() {
        let rng = &mut InsecureTestRng::from_seed(2);
        let parameters = PedersenParameters::insecure_for_tests(256, rng).unwrap();
        let [p, q] = [0, 0].map(|_| prime::random(rng, 512, Kind::Blum).unwrap());
        let n = p.mul(&q).to_big();
        // Short answers for numbers whose product is not n.
        let proof = FactorProof::prove_factors(&n, [&p, &p], &parameters, b"", rng).unwrap();
        assert_eq!(proof.verify(&n, &parameters, b""), Err(REFUSED));
        let proof = FactorProof::prove_factors(&n, [&q, &p], &parameters, b"", rng).unwrap();
        assert_eq!(proof.verify(&n, &parameters, b""), Ok(()));
        let others = PedersenParameters::insecure_for_tests(256, rng).unwrap();
        assert_eq!(proof.verify(&n, &others, b""), Err(REFUSED));
        assert_eq!(proof.verify(&n, &parameters, b"other"), Err(REFUSED));
        assert_eq!(proof.verify(&(&n + 2u8), &parameters, b""), Err(REFUSED));
        for i in 0..5 {
            let mut forged = proof.clone();
            forged.commitments[i] += 1u8;
            assert_eq!(forged.verify(&n, &parameters, b""), Err(REFUSED), "commitment {i}");
            let mut forged = proof.clone();
            forged.answers[i] += 1u8;
            assert_eq!(forged.verify(&n, &parameters, b""), Err(REFUSED), "answer {i}");
            // The right residue in a form that no prover writes.
            let mut forged = proof.clone();
            forged.commitments[i] += &parameters.n;
            assert_eq!(forged.verify(&n, &parameters, b""), Err(REFUSED), "commitment {i}");
        }
    }

    #[test]
    fn parameters_with_a_false_proof_do_not_exist() {
        let rng = &mut InsecureTestRng::from_seed(3);
        let parameters = PedersenParameters::insecure_for_tests(256, rng).unwrap();
        let (n, [s, t], rounds) = parameters.parts();
        let make = |n: &BigUint,
                    s: &BigUint,
                    t: &BigUint,
                    rounds: &[super::super::pedersen::Round]| {
            PedersenParameters::from_parts(n.clone(), [s.clone(), t.clone()], rounds.to_vec(), 128)
        };
        assert_eq!(make(n, s, t, rounds).as_ref(), Ok(&parameters));
        assert!(make(n, &(s * s % n), t, rounds).is_err());
        assert!(make(n, t, s, rounds).is_err());
        assert!(make(&(n + 2u8), s, t, rounds).is_err());
        assert!(make(n, s, t, &rounds[1..]).is_err());
        let mut forged = rounds.to_vec();
        forged[5].answer += 1u8;
        assert!(make(n, s, t, &forged).is_err());
        let small = PedersenParameters::from_parts(
            n.clone(),
            [s.clone(), t.clone()],
            rounds.to_vec(),
            2048,
        );
        assert!(matches!(small, Err(Error::KeySize { .. })));
    }
}
