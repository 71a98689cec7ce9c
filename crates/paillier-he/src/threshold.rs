//! Decryption by several parties, of whom a threshold must take part.
//!
//! A dealer makes a key of safe primes, shares its secret by a polynomial, and forgets it (Damgård,
//! Jurik, PKC 2001, section 4.1, in the form of Damgård, Jurik, Nielsen 2010). Each party turns a
//! ciphertext into a share of its decryption with a proof that it used its key; enough shares open
//! the ciphertext.
//!
//! With p = 2p' + 1, q = 2q' + 1 and μ = p'q', the secret is d ≡ 0 mod μ, ≡ 1 mod n, shared by a
//! random polynomial f of degree t - 1 over the integers modulo nμ; party i holds f(i). For l parties
//! and Δ = l!, its share of c is `c_i = c^(2Δ·f(i))`. With Lagrange's coefficients
//! `λ_i = Δ·∏ j/(j - i)`, which are integers, `∏ c_i^(2λ_i) = (1 + n)^(4Δ²m)`.

use std::collections::BTreeSet;
use std::fmt;

use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;
use num_traits::One;
use privacy_core::random::SecureRng;

use crate::ciphertext::{Blinded, Ciphertext};
use crate::error::{Error, Result};
use crate::hazmat;
use crate::kernel::{Nat, Ring, nat};
use crate::key::{KeyOptions, PrivateKey, PublicKey, inverse_modulo_prime};
use crate::number::Number;
use crate::proof::{CHALLENGE_BITS, Transcript};
use crate::random;

/// Bits by which masks exceed what they hide.
const STATISTICAL_BITS: usize = 128;
pub(crate) const MOST_PARTIES: u32 = 64;

/// What everyone may know of a threshold key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThresholdKey {
    pub(crate) public: PublicKey,
    pub(crate) parties: u32,
    pub(crate) threshold: u32,
    /// A random square, and its powers by each party's secret.
    pub(crate) base: BigUint,
    pub(crate) verification: Vec<BigUint>,
}

/// What one party holds. Neither cloned nor printed, wiped when dropped.
pub struct KeyShare {
    pub(crate) index: u32,
    pub(crate) secret: Nat,
}

/// One party's part of a decryption, with its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecryptionShare {
    pub(crate) index: u32,
    pub(crate) value: BigUint,
    pub(crate) challenge: u128,
    pub(crate) answer: BigUint,
}

impl ThresholdKey {
    /// Deals a new key to `parties`, any `threshold` of whom can decrypt. The options' primes become
    /// safe primes.
    ///
    /// # Security
    ///
    /// The dealer knows the key while this runs. Party i's share must reach party i alone.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless `1 ≤ threshold ≤ parties ≤ 64`; as [`PrivateKey::generate`].
    pub fn deal(
        options: KeyOptions,
        parties: u32,
        threshold: u32,
        rng: &mut dyn SecureRng,
    ) -> Result<(Self, Vec<KeyShare>)> {
        let key = PrivateKey::generate(options.safe_primes(), rng)?;
        Self::deal_key(&key, parties, threshold, rng)
    }

    /// Deals an existing key of safe primes.
    ///
    /// # Errors
    ///
    /// As [`ThresholdKey::deal`], and [`Error::BadPrivateKey`] unless both primes are safe.
    pub fn deal_key(
        key: &PrivateKey,
        parties: u32,
        threshold: u32,
        rng: &mut dyn SecureRng,
    ) -> Result<(Self, Vec<KeyShare>)> {
        if threshold == 0 || threshold > parties || parties > MOST_PARTIES {
            let requirement = "at least 1 and at most the number of parties, which is at most 64";
            return Err(Error::Parameter { parameter: "the threshold", requirement });
        }
        let (p, q) = key.factors();
        let halves = [p.shifted_right(1), q.shifted_right(1)];
        for half in &halves {
            if half[0] & 1 == 0 || !crate::prime::is_prime(rng, half)? {
                return Err(Error::BadPrivateKey { reason: "threshold keys need safe primes" });
            }
        }
        let public = key.public_key().clone();
        let n = public.n();
        // d = μ·(μ⁻¹ mod n), with the inverse as a power modulo p and modulo q.
        let mu = halves[0].mul(&halves[1]);
        let inverse = [inverse_modulo_prime(&mu, p), inverse_modulo_prime(&mu, q)];
        let order = n.mul(&mu);
        let mut coefficients = vec![mu.mul(&key.join(&[inverse])[0]).resized(order.len())];
        for _ in 1..threshold {
            coefficients.push(random::below(rng, &order)?);
        }
        let root = random::below(rng, n)?.to_big();
        let square = public.modulus() * public.modulus();
        let base = &root * &root % &square;
        let delta = Nat::from_big(&factorial(parties));
        let mut shares = Vec::new();
        let mut verification = Vec::new();
        for index in 1..=parties {
            let secret = evaluate(&coefficients, index, &order);
            verification.push(power(&public, &base, &secret.mul(&delta)));
            shares.push(KeyShare { index, secret });
        }
        Ok((ThresholdKey { public, parties, threshold, base, verification }, shares))
    }

    /// The key to encrypt under.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// How many parties there are.
    #[must_use]
    pub fn parties(&self) -> u32 {
        self.parties
    }

    /// How many of them can decrypt.
    #[must_use]
    pub fn threshold(&self) -> u32 {
        self.threshold
    }

    /// Checks that a share is right for a ciphertext in a session.
    ///
    /// # Errors
    ///
    /// [`Error::Proof`] if it is not.
    pub fn verify(
        &self,
        ciphertext: &Ciphertext<Blinded>,
        share: &DecryptionShare,
        session: &[u8],
    ) -> Result<()> {
        let failed = Error::Proof { statement: "a correct decryption share" };
        self.public.check_same(ciphertext.public_key())?;
        let square = self.public.modulus() * self.public.modulus();
        let unit = |x: &BigUint| *x < square && x.gcd(self.public.modulus()).is_one();
        let verification =
            (share.index as usize).checked_sub(1).and_then(|i| self.verification.get(i));
        let verification = verification.ok_or(failed)?;
        let bits = self.mask_bits() as u64 + 1;
        if !unit(&share.value) || share.answer.bits() > bits {
            return Err(failed);
        }
        let c = raw(ciphertext);
        let c4 = c.modpow(&4u8.into(), &square);
        let answer = Nat::from_big(&share.answer);
        let challenge = BigUint::from(share.challenge);
        let undo = |x: &BigUint| x.modpow(&challenge, &square).modinv(&square);
        let squared = &share.value * &share.value % &square;
        let a = power(&self.public, &c4, &answer) * undo(&squared).ok_or(failed)? % &square;
        let b =
            power(&self.public, &self.base, &answer) * undo(verification).ok_or(failed)? % &square;
        let expected = self.challenge(share.index, &c, &share.value, &a, &b, session);
        if expected == share.challenge { Ok(()) } else { Err(failed) }
    }

    /// Opens a ciphertext from the shares of enough parties, each of which is verified.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for too few shares or two of one party, [`Error::Proof`] for a wrong
    /// share, [`Error::Decryption`] for a number outside the ciphertext's bound.
    pub fn combine(
        &self,
        ciphertext: &Ciphertext<Blinded>,
        shares: &[DecryptionShare],
        session: &[u8],
    ) -> Result<Number> {
        let indices: BTreeSet<u32> = shares.iter().map(|share| share.index).collect();
        if indices.len() != shares.len() || shares.len() < self.threshold as usize {
            let requirement = "those of as many different parties as the threshold asks for";
            return Err(Error::Parameter { parameter: "the shares", requirement });
        }
        shares.iter().try_for_each(|share| self.verify(ciphertext, share, session))?;
        let n = self.public.modulus();
        let square = n * n;
        let delta = factorial(self.parties);
        let mut product = BigUint::one();
        for share in &shares[..self.threshold as usize] {
            let (mut top, mut bottom) = (BigInt::from(delta.clone()), BigInt::one());
            for other in &shares[..self.threshold as usize] {
                if other.index != share.index {
                    top *= -i64::from(other.index);
                    bottom *= i64::from(share.index) - i64::from(other.index);
                }
            }
            let exponent: BigInt = 2 * (top / bottom);
            let base = if exponent.sign() == Sign::Minus {
                share.value.modinv(&square).ok_or(Error::Decryption)?
            } else {
                share.value.clone()
            };
            product = product * base.modpow(exponent.magnitude(), &square) % &square;
        }
        if (&product % n) != BigUint::one() {
            return Err(Error::Decryption);
        }
        let scaled = (product - 1u8) / n;
        let factor = (&delta * &delta * 4u8 % n).modinv(n).ok_or(Error::Decryption)?;
        let residue = Nat::from_big(&(scaled * factor % n)).resized(self.public.n().len());
        let number = Number::new(self.public.signed(&residue), ciphertext.scale());
        let fits = number.mantissa().magnitude() <= ciphertext.bound();
        if fits { Ok(number) } else { Err(Error::Decryption) }
    }

    /// Whether base and verification values are units modulo n².
    pub(crate) fn is_sound(&self) -> bool {
        let n = self.public.modulus();
        let square = n * n;
        let unit = |x: &BigUint| *x < square && x.gcd(n).is_one();
        unit(&self.base) && self.verification.iter().all(unit)
    }

    /// The length of the masks in proofs: they hide e·Δ·s_i.
    fn mask_bits(&self) -> usize {
        2 * self.public.bits() as usize
            + factorial(self.parties).bits() as usize
            + CHALLENGE_BITS
            + STATISTICAL_BITS
    }

    fn challenge(
        &self,
        index: u32,
        c: &BigUint,
        value: &BigUint,
        a: &BigUint,
        b: &BigUint,
        session: &[u8],
    ) -> u128 {
        let mut transcript = Transcript::new("paillier-he decryption share", session);
        transcript.number("n", self.public.modulus());
        transcript.bytes("index", &index.to_be_bytes());
        transcript.number("base", &self.base);
        transcript.number("verification", &self.verification[index as usize - 1]);
        for (label, number) in [("ciphertext", c), ("share", value), ("a", a), ("b", b)] {
            transcript.number(label, number);
        }
        transcript.challenge()
    }
}

impl KeyShare {
    /// The share of party `index`, if its secret fits the key's verification value.
    pub(crate) fn checked(key: &ThresholdKey, index: u32, secret: Nat) -> Option<Self> {
        let verification = key.verification.get((index as usize).checked_sub(1)?)?;
        let length = 2 * key.public.n().len();
        if secret.bits_vartime() > 2 * key.public.bits() {
            return None;
        }
        // As long as all shares, so that powers take the time they take for all.
        let secret = secret.resized(length);
        let delta = Nat::from_big(&factorial(key.parties));
        let fits = power(&key.public, &key.base, &secret.mul(&delta)) == *verification;
        fits.then_some(KeyShare { index, secret })
    }

    /// The party's number, from 1.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index
    }

    /// The party's part of a decryption, with the proof that it used its key. The session names
    /// what is opened and why; a share is good for that alone.
    ///
    /// # Errors
    ///
    /// [`Error::OtherKey`], [`Error::Parameter`] for a key that this share does not belong to,
    /// [`Error::Entropy`].
    ///
    /// # Timing
    ///
    /// Powers are constant-time; the answer of the proof is computed with big integers.
    pub fn decrypt(
        &self,
        key: &ThresholdKey,
        ciphertext: &Ciphertext<Blinded>,
        session: &[u8],
        rng: &mut dyn SecureRng,
    ) -> Result<DecryptionShare> {
        key.public.check_same(ciphertext.public_key())?;
        if self.index > key.parties {
            let requirement = "the one that the share was dealt with";
            return Err(Error::Parameter { parameter: "the threshold key", requirement });
        }
        let c = raw(ciphertext);
        let square = key.public.modulus() * key.public.modulus();
        let secret = self.secret.mul(&Nat::from_big(&factorial(key.parties)));
        let root = power(&key.public, &c, &secret);
        let value = &root * &root % &square;
        let mask = random::bits(rng, key.mask_bits())?;
        let c4 = c.modpow(&4u8.into(), &square);
        let (a, b) = (power(&key.public, &c4, &mask), power(&key.public, &key.base, &mask));
        let challenge = key.challenge(self.index, &c, &value, &a, &b, session);
        let words = [challenge as u64, (challenge >> 64) as u64];
        let mut answer = secret.mul(&Nat::from_words(&words)).resized(mask.len() + 1);
        nat::add_assign(&mut answer, &mask);
        Ok(DecryptionShare { index: self.index, value, challenge, answer: answer.to_big() })
    }
}

impl fmt::Debug for KeyShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyShare").field("index", &self.index).finish_non_exhaustive()
    }
}

/// The polynomial with these coefficients at `index`, modulo `order`.
fn evaluate(coefficients: &[Nat], index: u32, order: &Nat) -> Nat {
    let mut value = Nat::zero(order.len());
    for coefficient in coefficients.iter().rev() {
        let mut product = Nat::zero(order.len());
        for bit in (0..u32::BITS - index.leading_zeros()).rev() {
            nat::double_mod(&mut product, order);
            if index >> bit & 1 == 1 {
                let carry = nat::add_assign(&mut product, &value);
                nat::reduce_once(&mut product, carry, order);
            }
        }
        let carry = nat::add_assign(&mut product, coefficient);
        nat::reduce_once(&mut product, carry, order);
        value = product;
    }
    value
}

fn raw(ciphertext: &Ciphertext<Blinded>) -> BigUint {
    hazmat::export(&ciphertext.0).swap_remove(0)
}

fn factorial(n: u32) -> BigUint {
    (1..=n).fold(BigUint::one(), |product, i| product * i)
}

/// `base^exponent mod n²` in a time that depends on the length of the exponent alone.
fn power(key: &PublicKey, base: &BigUint, exponent: &Nat) -> BigUint {
    let ring: &Ring = key.ring();
    let mut scratch = ring.scratch();
    let base = Nat::from_big(base);
    let element = ring.load(&[&base], &mut scratch);
    let power = ring.pow(&element, &[exponent], exponent.len() * 64, &mut scratch);
    ring.store(&power, &mut scratch).swap_remove(0).to_big()
}
