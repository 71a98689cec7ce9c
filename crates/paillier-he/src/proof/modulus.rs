//! That n is a product of two primes congruent to 3 modulo 4 with gcd(n, φ(n)) = 1.
//!
//! The prover names w of Jacobi symbol -1 and, for each challenge y, an n-th root of y (which exist
//! for all y only if gcd(n, φ(n)) = 1) and a fourth root of one of y, -y, wy, -wy (which exist for all
//! y only if n has two different prime factors, both ≡ 3 mod 4, in the first power). Each challenge
//! catches a cheat with probability at least 1/2 (van de Graaf, Peralta 1987; the proof Πmod of
//! Canetti, Gennaro, Goldfeder, Makriyannis, Peled, eprint 2021/060).

use num_bigint::BigUint;
use num_integer::Integer;
use num_traits::Zero;
use privacy_core::random::SecureRng;

use super::Transcript;
use crate::arithmetic::ModulusBatch;
use crate::error::{Error, Result};
use crate::kernel::{Nat, nat};
use crate::key::PrivateKey;
use crate::random;

/// Challenges: a false statement passes with probability 2^-128.
pub(crate) const ROUNDS: usize = 128;
const FALSE: Error = Error::Proof { statement: "a well-formed modulus" };

/// A proof that a modulus is a product of two Blum primes with gcd(n, φ(n)) = 1.
///
/// # Security
///
/// Soundness error 2^-128 in the random-oracle model. It says nothing about the sizes of the two
/// primes: a factor of 64 bits is excluded by a [`FactorProof`](super::FactorProof) alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModulusProof {
    pub(crate) w: BigUint,
    pub(crate) answers: Vec<Answer>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) fourth_root: BigUint,
    pub(crate) negated: bool,
    pub(crate) twisted: bool,
    pub(crate) root: BigUint,
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
        let public = key.public_key();
        let n = public.modulus();
        let (p, q) = key.factors();
        if p[0] & q[0] & 3 != 3 {
            let mode = public.mode().name();
            return Err(Error::Mode { mode, operation: "prove that its primes are Blum primes" });
        }
        let w = loop {
            let w = random::below(rng, public.n())?.to_big();
            if crate::key::jacobi_vartime(&w, n) == -1 {
                break w;
            }
        };
        let ys = challenges(n, &w, context);
        let nats: Vec<Nat> = ys.iter().chain([&w]).map(Nat::from_big).collect();
        let roots = key.roots(&nats[..ROUNDS]);
        // Whether y and w are squares modulo each prime.
        let (half_p, half_q) = (p.shifted_right(1), q.shifted_right(1));
        let symbols: Vec<[bool; 2]> = key
            .powers(&nats, [&half_p, &half_q])
            .iter()
            .map(|powers| [powers[0].is(1), powers[1].is(1)])
            .collect();
        let mut answers = Vec::with_capacity(ROUNDS);
        let mut squares = Vec::with_capacity(ROUNDS);
        for ((y, [at_p, at_q]), root) in ys.iter().zip(&symbols).zip(&roots) {
            // Twist where the symbols differ; then both are the symbol of y (or wy) modulo p.
            let twisted = at_p != at_q;
            let square = if twisted { *at_p == symbols[ROUNDS][0] } else { *at_p };
            let value = if twisted { y * &w % n } else { y.clone() };
            squares.push(Nat::from_big(&if square { value } else { n - value }));
            let (fourth_root, root) = (BigUint::ZERO, root.to_big());
            answers.push(Answer { fourth_root, negated: !square, twisted, root });
        }
        // A root of a square modulo p is its power (p + 1)/4, and again for the fourth root.
        let quarter = |p: &Nat| {
            let mut quarter = p.shifted_right(2);
            nat::add_assign(&mut quarter, &[1]);
            quarter
        };
        let (quarter_p, quarter_q) = (quarter(p), quarter(q));
        for _ in 0..2 {
            squares = key.join(&key.powers(&squares, [&quarter_p, &quarter_q]));
        }
        for (answer, fourth_root) in answers.iter_mut().zip(&squares) {
            answer.fourth_root = fourth_root.to_big();
        }
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
        let powers = modulus.pow_vartime(&roots, n);
        let holds = self.answers.iter().zip(&ys).zip(&powers).all(|((answer, y), power)| {
            let square = &answer.fourth_root * &answer.fourth_root % n;
            let fourth = &square * &square % n;
            let expected = if answer.twisted { y * &self.w % n } else { y.clone() };
            let expected = if answer.negated { (n - expected) % n } else { expected };
            power == y && fourth == expected
        });
        // A prime passes the rest.
        let nat = Nat::from_big(n);
        let mut rng = privacy_core::random::SystemRng::new()?;
        if holds && !crate::prime::is_prime(&mut rng, &nat)? { Ok(()) } else { Err(FALSE) }
    }
}
