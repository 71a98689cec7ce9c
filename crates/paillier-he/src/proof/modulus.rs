//! That n is a product of two primes congruent to 3 modulo 4 with gcd(n, φ(n)) = 1.
//!
//! The prover names w of Jacobi symbol -1 and, for each challenge y, an n-th root of y (which exist
//! for all y only if gcd(n, φ(n)) = 1) and a fourth root of one of y, -y, wy, -wy (which exist for all
//! y only if n has two different prime factors, both ≡ 3 mod 4, in the first power). Each challenge
//! catches a cheat with probability at least 1/2 (van de Graaf, Peralta 1987; the proof Πmod of
//! Canetti, Gennaro, Goldfeder, Makriyannis, Peled, eprint 2021/060).

use num_bigint::BigUint;
use num_integer::Integer;
use num_traits::{One, Zero};
use privacy_core::random::SecureRng;
use serde::{Deserialize, Serialize};

use super::Transcript;
use crate::arithmetic::ModulusBatch;
use crate::error::{Error, Result};
use crate::key::{KeyPolicy, Mode, PrivateKey, PublicKey, UncheckedPublicKey};
use crate::random;

/// Challenges: a false statement passes with probability 2^-128.
const ROUNDS: usize = 128;
const FALSE: Error = Error::Proof { statement: "a well-formed modulus" };

/// A proof that a modulus is a product of two Blum primes with gcd(n, φ(n)) = 1.
///
/// # Security
///
/// Soundness error 2^-128 in the random-oracle model. It says nothing about the sizes of the two
/// primes: a factor of 64 bits is not excluded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModulusProof {
    w: BigUint,
    answers: Vec<Answer>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    fourth_root: BigUint,
    negated: bool,
    twisted: bool,
    root: BigUint,
}

fn challenges(n: &BigUint, w: &BigUint, context: &[u8]) -> Vec<BigUint> {
    let mut transcript = Transcript::new("paillier-he modulus", context);
    transcript.number("n", n);
    transcript.number("w", w);
    transcript.numbers(n, ROUNDS)
}

impl ModulusProof {
    /// Proves that the key's modulus is well-formed, in the given context.
    ///
    /// # Errors
    ///
    /// [`Error::Mode`] for a key whose primes are not both congruent to 3 modulo 4,
    /// [`Error::Entropy`].
    ///
    /// # Timing
    ///
    /// Powers are constant-time; the choice of roots and the big integers around it are not. A proof
    /// is made once for a key.
    pub fn prove(key: &PrivateKey, context: &[u8], rng: &mut dyn SecureRng) -> Result<Self> {
        let n = key.public_key().modulus();
        let (p, q) = key.expose_primes();
        if [&p, &q].into_iter().any(|x| x % 4u8 != 3u8.into()) {
            let mode = key.public_key().mode().name();
            return Err(Error::Mode { mode, operation: "prove that its primes are Blum primes" });
        }
        let w = loop {
            let w = random::below(rng, key.public_key().n())?.to_big();
            if crate::key::jacobi_vartime(&w, n) == -1 {
                break w;
            }
        };
        let ys = challenges(n, &w, context);
        let (mod_p, mod_q) = (ModulusBatch::new(&p)?, ModulusBatch::new(&q)?);
        let inverse = p.modinv(&q).ok_or(FALSE)?;
        let join = |x: &BigUint, y: &BigUint| {
            let difference = (y + &q - x % &q) * &inverse % &q;
            x + &p * difference
        };
        // n-th roots, and whether y and w are squares modulo each prime.
        let power =
            |y: &[BigUint], ep: &BigUint, eq: &BigUint| (mod_p.pow(y, ep), mod_q.pow(y, eq));
        let (op, oq) = (&p - 1u8, &q - 1u8);
        let inverse_of_n = |order: &BigUint| n.modinv(order).ok_or(FALSE);
        let (rp, rq) = power(&ys, &inverse_of_n(&op)?, &inverse_of_n(&oq)?);
        let roots: Vec<BigUint> = rp.iter().zip(&rq).map(|(x, y)| join(x, y)).collect();
        let (hp, hq) = (&op >> 1u8, &oq >> 1u8);
        let (sp, sq) = power(&ys, &hp, &hq);
        let (wp, _) = power(std::slice::from_ref(&w), &hp, &hq);
        let mut negated = Vec::new();
        let mut twisted = Vec::new();
        let mut squares = Vec::new();
        for ((y, sp), sq) in ys.iter().zip(&sp).zip(&sq) {
            // Twist where the symbols differ; then both are the symbol of y (or wy) modulo p.
            let (a, b) = (sp.is_one(), sq.is_one());
            let twist = a != b;
            let symbol = if twist { a == wp[0].is_one() } else { a };
            let value = if twist { y * &w % n } else { y.clone() };
            squares.push(if symbol { value } else { n - value });
            negated.push(!symbol);
            twisted.push(twist);
        }
        // A root of a square modulo p is its power (p + 1)/4, and again for the fourth root.
        let fourth = |p: &BigUint| {
            let quarter = (p + 1u8) >> 2u8;
            &quarter * &quarter % ((p - 1u8) >> 1u8)
        };
        let (fp, fq) = power(&squares, &fourth(&p), &fourth(&q));
        let answers = roots
            .into_iter()
            .zip(fp.iter().zip(&fq))
            .zip(negated.into_iter().zip(twisted))
            .map(|((root, (x, y)), (negated, twisted))| Answer {
                fourth_root: join(x, y),
                negated,
                twisted,
                root,
            })
            .collect();
        Ok(ModulusProof { w, answers })
    }

    /// Checks the proof for a modulus in a context.
    ///
    /// # Errors
    ///
    /// [`Error::Proof`] if it does not hold.
    pub fn verify(&self, n: &BigUint, context: &[u8]) -> Result<()> {
        let in_range = |x: &BigUint| !x.is_zero() && x < n;
        if n.is_even() || *n < 9u8.into() || self.answers.len() != ROUNDS || !in_range(&self.w) {
            return Err(FALSE);
        }
        if crate::key::jacobi_vartime(&self.w, n) != -1 {
            return Err(FALSE);
        }
        let ys = challenges(n, &self.w, context);
        let modulus = ModulusBatch::new(n)?;
        if !self.answers.iter().all(|a| in_range(&a.root) && in_range(&a.fourth_root)) {
            return Err(FALSE);
        }
        let roots: Vec<BigUint> = self.answers.iter().map(|a| a.root.clone()).collect();
        let powers = modulus.pow(&roots, n);
        let holds = self.answers.iter().zip(&ys).zip(&powers).all(|((answer, y), power)| {
            let square = &answer.fourth_root * &answer.fourth_root % n;
            let fourth = &square * &square % n;
            let expected = if answer.twisted { y * &self.w % n } else { y.clone() };
            let expected = if answer.negated { (n - expected) % n } else { expected };
            power == y && fourth == expected
        });
        // A prime passes the rest.
        let nat = crate::kernel::Nat::from_big(n);
        let mut rng = privacy_core::random::SystemRng::new()?;
        if holds && !crate::prime::is_prime(&mut rng, &nat)? { Ok(()) } else { Err(FALSE) }
    }
}

impl UncheckedPublicKey {
    /// The key, if it passes the policy and the proof of its modulus holds in `context`. DJN mode
    /// then rests on the proof and not on the owner's word.
    ///
    /// # Errors
    ///
    /// As [`UncheckedPublicKey::validate`], and [`Error::Proof`].
    pub fn validate_with_proof(
        self,
        policy: &KeyPolicy,
        proof: &ModulusProof,
        context: &[u8],
    ) -> Result<PublicKey> {
        proof.verify(&self.n, context)?;
        self.validate(policy)
    }

    /// The mode that the key claims.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }
}
