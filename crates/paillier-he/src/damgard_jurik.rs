//! Damgård and Jurik's generalization (PKC 2001): plaintexts modulo nˢ, ciphertexts modulo nˢ⁺¹, an
//! expansion of (s + 1)/s.
//!
//! Ciphertexts are `(1 + n)ᵐ·r^(nˢ)`. For one or a few large numbers; columns and packing are built for
//! s = 1, where this crate is fastest.

use std::fmt;
use std::marker::PhantomData;

use num_bigint::{BigInt, BigUint};
use num_integer::Integer;
use num_traits::{One, Zero};
use privacy_core::random::SecureRng;

use crate::ciphertext::{Blinded, Derived};
use crate::error::{Error, Result};
use crate::kernel::{Backend, Batch, Nat, Ring, nat};
use crate::key::{PrivateKey, PublicKey, inverse_modulo_prime};
use crate::random;

/// The largest s.
const MOST: u32 = 8;

/// Encryption modulo nˢ⁺¹ under a public key.
///
/// # Security
///
/// Blinders are full powers: decisional composite residuosity alone, which for s > 1 is implied by
/// that for s = 1 (Damgård, Jurik 2001, Theorem 1).
///
/// # Example
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use num_bigint::BigInt;
/// use paillier_he::damgard_jurik::DamgardJurik;
/// # use paillier_he::prelude::*;
/// # let mut rng = SystemRng::new()?;
/// # let key = PrivateKey::generate(KeyOptions::insecure_for_tests(512), &mut rng)?;
/// let scheme = DamgardJurik::new(key.public_key(), 2)?;
/// let large = BigInt::from(-7) << 900;
/// let c = scheme.encrypt(&large, &mut rng)?;
/// assert_eq!(scheme.decrypt(&key, &c)?, large);
/// # Ok(()) }
/// ```
pub struct DamgardJurik {
    key: PublicKey,
    s: u32,
    /// n⁰ to nˢ⁺¹.
    powers: Vec<BigUint>,
    ring: Ring,
}

/// A number encrypted modulo nˢ⁺¹, with a bound on its magnitude.
pub struct Large<S = Blinded> {
    value: BigUint,
    bound: BigUint,
    s: u32,
    fingerprint: [u8; 8],
    state: PhantomData<fn() -> S>,
}

impl DamgardJurik {
    /// The scheme with plaintexts modulo nˢ.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless s is 1 to 8 and nˢ⁺¹ has at most 24,576 bits.
    pub fn new(key: &PublicKey, s: u32) -> Result<Self> {
        if !(1..=MOST).contains(&s) || key.bits() * u64::from(s + 1) > 24_576 {
            let requirement = "1 to 8, with ciphertexts of at most 24576 bits";
            return Err(Error::Parameter { parameter: "s", requirement });
        }
        let powers: Vec<BigUint> = (0..=s + 1).map(|i| key.modulus().pow(i)).collect();
        let modulus = Nat::from_big(&key.modulus().pow(s + 1));
        let ring = Ring::new(Backend::best(), &[&modulus], false, modulus.len() * 64);
        Ok(DamgardJurik { key: key.clone(), s, powers, ring })
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// s.
    #[must_use]
    pub fn s(&self) -> u32 {
        self.s
    }

    /// The bytes that one ciphertext takes when it is stored, beside its bound.
    #[must_use]
    pub fn ciphertext_bytes(&self) -> usize {
        self.modulus().bits().div_ceil(8) as usize
    }

    /// A ciphertext that came from elsewhere.
    pub(crate) fn import(&self, value: BigUint, bound: BigUint) -> Result<Large> {
        self.check(&bound)?;
        if value >= *self.modulus() || !value.gcd(self.key.modulus()).is_one() {
            return Err(Error::Malformed { what: "ciphertext" });
        }
        Ok(self.large(value, bound))
    }

    /// nˢ: how many plaintexts there are.
    #[must_use]
    pub fn plaintexts(&self) -> &BigUint {
        &self.powers[self.s as usize]
    }

    fn modulus(&self) -> &BigUint {
        &self.powers[self.s as usize + 1]
    }

    /// The largest magnitude of a plaintext.
    #[must_use]
    pub fn max_magnitude(&self) -> BigUint {
        (self.plaintexts() - 1u8) >> 1u8
    }

    fn check(&self, bound: &BigUint) -> Result<()> {
        let most = self.max_magnitude();
        if *bound <= most {
            return Ok(());
        }
        Err(Error::WouldOverflow { needed: bound.bits() + 1, available: most.bits() + 1 })
    }

    fn large<S>(&self, value: BigUint, bound: BigUint) -> Large<S> {
        let (s, fingerprint) = (self.s, self.key.fingerprint());
        Large { value, bound, s, fingerprint, state: PhantomData }
    }

    fn check_same<S>(&self, c: &Large<S>) -> Result<()> {
        let same = c.s == self.s && c.fingerprint == self.key.fingerprint();
        if same { Ok(()) } else { Err(Error::OtherKey) }
    }

    /// `(1 + n)ᵐ mod nˢ⁺¹` by the binomial theorem, for `m < nˢ`.
    fn exponential(&self, m: &BigUint) -> BigUint {
        let (mut sum, mut term) = (BigUint::one(), BigUint::one());
        for k in 1..=self.s {
            // C(m, k)·nᵏ from C(m, k - 1)·nᵏ⁻¹; k < p, q is a unit.
            let rest = if *m >= k.into() { m - (k - 1) } else { BigUint::zero() };
            let inverse = BigUint::from(k).modinv(self.modulus()).unwrap_or_default();
            term = term * rest % self.modulus() * self.key.modulus() % self.modulus() * inverse
                % self.modulus();
            sum += &term;
        }
        sum % self.modulus()
    }

    fn blinder(&self, rng: &mut dyn SecureRng) -> Result<BigUint> {
        let r = random::below(rng, self.key.n())?;
        let mut scratch = self.ring.scratch();
        let base = self.ring.load(&[&r], &mut scratch);
        let exponent = Nat::from_big(self.plaintexts());
        let power = self.ring.pow_vartime(&base, &exponent, &mut scratch);
        Ok(self.ring.store(&power, &mut scratch).swap_remove(0).to_big())
    }

    /// Encrypts an integer.
    ///
    /// # Errors
    ///
    /// [`Error::WouldOverflow`] if it exceeds [`DamgardJurik::max_magnitude`],
    /// [`Error::Entropy`].
    ///
    /// # Timing
    ///
    /// The power of the blinder takes a fixed time; the binomial sum uses big integers, whose time
    /// depends on the length of the plaintext.
    pub fn encrypt(&self, m: &BigInt, rng: &mut dyn SecureRng) -> Result<Large> {
        self.check(m.magnitude())?;
        let residue = m.mod_floor(&BigInt::from(self.plaintexts().clone())).magnitude().clone();
        let value = self.exponential(&residue) * self.blinder(rng)? % self.modulus();
        Ok(self.large(value, self.max_magnitude()))
    }

    /// Encrypts an integer that is known to lie within a bound.
    ///
    /// # Errors
    ///
    /// As [`DamgardJurik::encrypt`], and [`Error::OutOfBounds`].
    pub fn encrypt_within(
        &self,
        m: &BigInt,
        bound: &BigUint,
        rng: &mut dyn SecureRng,
    ) -> Result<Large> {
        self.check(bound)?;
        if m.magnitude() > bound {
            return Err(Error::OutOfBounds);
        }
        Ok(Large { bound: bound.clone(), ..self.encrypt(m, rng)? })
    }

    /// The sum of two numbers.
    ///
    /// # Errors
    ///
    /// [`Error::OtherKey`], [`Error::WouldOverflow`].
    pub fn add<A, B>(&self, a: &Large<A>, b: &Large<B>) -> Result<Large<Derived>> {
        self.check_same(a)?;
        self.check_same(b)?;
        let bound = &a.bound + &b.bound;
        self.check(&bound)?;
        Ok(self.large(&a.value * &b.value % self.modulus(), bound))
    }

    /// A number multiplied by a public integer.
    ///
    /// # Errors
    ///
    /// [`Error::OtherKey`], [`Error::WouldOverflow`].
    ///
    /// # Timing
    ///
    /// Depends on the factor.
    pub fn multiply_vartime<A>(&self, a: &Large<A>, factor: &BigInt) -> Result<Large<Derived>> {
        self.check_same(a)?;
        let bound = &a.bound * factor.magnitude();
        self.check(&bound)?;
        let base = if factor.sign() == num_bigint::Sign::Minus {
            a.value.modinv(self.modulus()).ok_or(Error::Malformed { what: "ciphertext" })?
        } else {
            a.value.clone()
        };
        Ok(self.large(base.modpow(factor.magnitude(), self.modulus()), bound))
    }

    /// Multiplies in a fresh encryption of zero.
    ///
    /// # Errors
    ///
    /// [`Error::OtherKey`], [`Error::Entropy`].
    pub fn blind<A>(&self, a: Large<A>, rng: &mut dyn SecureRng) -> Result<Large> {
        self.check_same(&a)?;
        Ok(self.large(&a.value * self.blinder(rng)? % self.modulus(), a.bound))
    }

    /// Opens a number.
    ///
    /// # Errors
    ///
    /// [`Error::OtherKey`], [`Error::Decryption`].
    ///
    /// # Timing
    ///
    /// The power is constant-time. The rest works on the plaintext with big integers, in a time that
    /// depends on its length.
    pub fn decrypt<A>(&self, key: &PrivateKey, c: &Large<A>) -> Result<BigInt> {
        self.check_same(c)?;
        if *key.public_key() != self.key || c.value.is_zero() || c.value >= *self.modulus() {
            return Err(Error::Decryption);
        }
        let d = self.secret_exponent(key);
        let mut scratch = self.ring.scratch();
        let value = Nat::from_big(&c.value);
        let base = self.ring.load(&[&value], &mut scratch);
        let power = self.ring.pow(&base, &[&d], d.len() * 64, &mut scratch);
        let power = self.ring.store(&power, &mut scratch).swap_remove(0).to_big();
        let m = self.logarithm(&power).ok_or(Error::Decryption)?;
        let m = if m > self.max_magnitude() {
            BigInt::from(m) - BigInt::from(self.plaintexts().clone())
        } else {
            BigInt::from(m)
        };
        if *m.magnitude() > c.bound { Err(Error::Decryption) } else { Ok(m) }
    }

    /// d ≡ 0 mod φ(n) and d ≡ 1 mod nˢ, so that c^d = (1 + n)^m.
    fn secret_exponent(&self, key: &PrivateKey) -> Nat {
        let (p, q) = key.factors();
        let phi = p.minus_small(1).mul(&q.minus_small(1));
        // φ⁻¹ modulo p and q as powers, then modulo n, n², n⁴ … by Newton's iteration x(2 - φx).
        let inverses = [inverse_modulo_prime(&phi, p), inverse_modulo_prime(&phi, q)];
        let mut inverse = key.join(&[inverses]).swap_remove(0);
        let modulus = Nat::from_big(self.plaintexts());
        let ring = Ring::new(Backend::best(), &[&modulus], false, modulus.len() * 64);
        let product = |a: &Nat, b: &Nat| {
            let mut product = Batch::load(&ring, &[a]);
            product.mul_assign(&ring, &Batch::load(&ring, &[b]));
            product.store(&ring).swap_remove(0)
        };
        let mut correct = 1;
        while correct < self.s {
            let mut correction = product(&phi, &inverse);
            nat::negate_mod(&mut correction, &modulus);
            let carry = nat::add_assign(&mut correction, &[2]);
            nat::reduce_once(&mut correction, carry, &modulus);
            inverse = product(&inverse, &correction);
            correct *= 2;
        }
        phi.mul(&inverse)
    }

    /// m from `(1 + n)ᵐ` (Damgård, Jurik 2001, section 3); `None` if it is no such power.
    pub(crate) fn logarithm(&self, power: &BigUint) -> Option<BigUint> {
        let n = self.key.modulus();
        let mut i = BigUint::zero();
        for j in 1..=self.s as usize {
            let nj = &self.powers[j];
            let u = power % &self.powers[j + 1];
            if u.is_zero() || !((&u - 1u8) % n).is_zero() {
                return None;
            }
            let mut t1 = (&u - 1u8) / n;
            let mut t2 = i.clone();
            let mut factorial = BigUint::one();
            for k in 2..=j {
                factorial *= k;
                // i is the value modulo n^(j-1), stepped down.
                i = (&i + nj - 1u8) % nj;
                t2 = t2 * &i % nj;
                let inverse = factorial.modinv(nj)?;
                let part = &t2 * &self.powers[k - 1] % nj * inverse % nj;
                t1 = (t1 + nj - part) % nj;
            }
            i = t1 % nj;
        }
        Some(i)
    }
}

impl<S> Large<S> {
    /// The largest magnitude that the encrypted integer can have.
    #[must_use]
    pub fn bound(&self) -> &BigUint {
        &self.bound
    }

    pub(crate) fn s(&self) -> u32 {
        self.s
    }

    pub(crate) fn fingerprint(&self) -> [u8; 8] {
        self.fingerprint
    }
}

impl Large {
    /// The number modulo nˢ⁺¹.
    #[must_use]
    pub fn to_number(&self) -> &BigUint {
        &self.value
    }
}

impl<S> fmt::Debug for Large<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Large").field("s", &self.s).finish_non_exhaustive()
    }
}

impl fmt::Debug for DamgardJurik {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DamgardJurik")
            .field("key", &self.key)
            .field("s", &self.s)
            .finish_non_exhaustive()
    }
}
