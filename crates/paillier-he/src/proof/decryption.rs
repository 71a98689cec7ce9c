//! That a ciphertext opens to a given number: c·(1 - mn) is an n-th power.
//!
//! The prover knows the root ρ. It sends A = vⁿ for a random v and z = v·ρᵉ for the challenge e, and
//! `zⁿ = A·uᵉ` holds (Damgård, Jurik 2001, section 4.2). Two answers to one A give a root of u, as
//! the challenge is shorter than the primes of n.

use num_bigint::{BigInt, BigUint};
use num_integer::Integer;
use num_traits::{One, Zero};
use privacy_core::random::SecureRng;

use super::Transcript;
use crate::arithmetic::ModulusBatch;
use crate::ciphertext::{Blinded, Ciphertext};
use crate::error::{Error, Result};
use crate::hazmat;
use crate::kernel::{Backend, Batch, Nat, Ring};
use crate::key::{PrivateKey, PublicKey};
use crate::number::Number;
use crate::random;

const FALSE: Error = Error::Proof { statement: "a correct decryption" };

/// A proof that a ciphertext encrypts a number that is told beside it.
///
/// # Security
///
/// Soundness error 2^-128 in the random-oracle model, for a modulus without factors below 2^128;
/// zero-knowledge: nothing but the number becomes known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecryptionProof {
    pub(crate) commitment: BigUint,
    pub(crate) answer: BigUint,
}

fn challenge(key: &PublicKey, c: &BigUint, m: &BigInt, a: &BigUint, context: &[u8]) -> BigUint {
    let mut transcript = Transcript::new("paillier-he decryption", context);
    transcript.number("n", key.modulus());
    transcript.number("ciphertext", c);
    transcript.bytes("plaintext", &m.to_signed_bytes_be());
    transcript.number("commitment", a);
    BigUint::from(transcript.challenge())
}

impl DecryptionProof {
    /// Opens a ciphertext and proves it, in the given context.
    ///
    /// # Errors
    ///
    /// As [`PrivateKey::decrypt`], and [`Error::Entropy`].
    pub fn open(
        key: &PrivateKey,
        ciphertext: &Ciphertext<Blinded>,
        context: &[u8],
        rng: &mut dyn SecureRng,
    ) -> Result<(Number, Self)> {
        let number = key.decrypt(ciphertext)?;
        let public = key.public_key();
        let c = hazmat::export(&ciphertext.0).swap_remove(0);
        let root = key.roots(&[Nat::from_big(&c)]).swap_remove(0);
        let mask = random::below(rng, public.n())?;
        let mut commitment = Batch::load(public.ring(), &[&mask]);
        commitment.pow_vartime(public.ring(), public.n());
        let commitment = commitment.store(public.ring()).swap_remove(0).to_big();
        let e = challenge(public, &c, number.mantissa(), &commitment, context);
        let ring = Ring::new(Backend::best(), &[public.n()], false, public.n().len() * 64);
        let power = ring.pow_each(&[&root], &[&Nat::from_big(&e)]);
        let mut answer = Batch::load(&ring, &[&power[0]]);
        answer.mul_assign(&ring, &Batch::load(&ring, &[&mask]));
        let answer = answer.store(&ring).swap_remove(0).to_big();
        Ok((number, DecryptionProof { commitment, answer }))
    }

    /// Checks that a ciphertext encrypts `number`.
    ///
    /// # Errors
    ///
    /// [`Error::Proof`] if the proof does not hold.
    pub fn verify(
        &self,
        ciphertext: &Ciphertext<Blinded>,
        number: &Number,
        context: &[u8],
    ) -> Result<()> {
        let key = ciphertext.public_key();
        let (n, m) = (key.modulus(), number.mantissa());
        let square = n * n;
        let unit =
            |x: &BigUint, modulus: &BigUint| !x.is_zero() && x < modulus && x.gcd(n).is_one();
        let fits = number.scale() == ciphertext.scale() && m.magnitude() <= key.max_magnitude();
        if !fits || !unit(&self.answer, n) || !unit(&self.commitment, &square) {
            return Err(FALSE);
        }
        let c = hazmat::export(&ciphertext.0).swap_remove(0);
        let e = challenge(key, &c, m, &self.commitment, context);
        // (1 + n)^-m = 1 - mn
        let shift = BigInt::one() - m * BigInt::from(n.clone());
        let shift = shift.mod_floor(&BigInt::from(square.clone())).magnitude().clone();
        let u = c * shift % &square;
        let modulus = ModulusBatch::new(&square)?;
        let left = modulus.pow_vartime(std::slice::from_ref(&self.answer), n).swap_remove(0);
        let right = modulus.pow_vartime(&[u], &e).swap_remove(0) * &self.commitment % &square;
        if left == right { Ok(()) } else { Err(FALSE) }
    }
}
