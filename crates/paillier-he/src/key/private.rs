//! The private key: what it is made of, and keys from elsewhere.

use std::fmt;
use std::sync::OnceLock;

use num_bigint::BigUint;
use privacy_core::random::SecureRng;

use super::generate::{LEAST_BITS, MOST_BITS, far_apart, halves_are_coprime};
use super::owner::Encryption;
use super::{KeyPolicy, Mode, PublicKey};
use crate::error::{Error, Result};
use crate::kernel::{Backend, Nat, Ring, Words, nat};
use crate::prime;

/// A key that decrypts.
///
/// # Security
///
/// Neither cloned nor printed, and wiped when dropped; share it in an [`std::sync::Arc`]. Decryption
/// and encryption take a time that is independent of key, plaintexts and randomness. Making a key
/// from its factors is not constant-time.
pub struct PrivateKey {
    pub(super) public: PublicKey,
    pub(super) p: Nat,
    pub(super) q: Nat,
    /// Modulo p² in the lower half of the lanes, q² in the upper.
    pub(super) ring: Ring,
    /// What ciphertexts are raised to: p - 1 and q - 1, or twice the hidden primes.
    pub(super) exponents: [Nat; 2],
    /// -(e_p·q)⁻¹ mod p and -(e_q·p)⁻¹ mod q in Montgomery form: from `u₁` to the plaintext.
    pub(super) openers: Words,
    /// p⁻¹ mod q in the upper lanes, in Montgomery form.
    pub(super) p_inverse: Words,
    /// The primes of the hidden subgroup.
    hidden: Option<[Nat; 2]>,
    pub(super) encryption: OnceLock<Encryption>,
}

impl PrivateKey {
    /// The key with the factors `p` and `q`, for keys from elsewhere.
    ///
    /// # Errors
    ///
    /// [`Error::BadPrivateKey`] unless both are odd primes of equal length, different and far
    /// apart, and fit the mode; [`Error::KeySize`] below 2048 bits; [`Error::Entropy`].
    ///
    /// # Timing
    ///
    /// Depends on the factors.
    pub fn from_primes(
        p: &BigUint,
        q: &BigUint,
        mode: Mode,
        rng: &mut dyn SecureRng,
    ) -> Result<Self> {
        Self::from_primes_with(p, q, mode, LEAST_BITS, rng)
    }

    /// As [`PrivateKey::from_primes`], also for keys that are far too short.
    ///
    /// # Errors
    ///
    /// As [`PrivateKey::from_primes`].
    ///
    /// # Security
    ///
    /// None. Only with the feature `insecure-test-keys`.
    #[cfg(feature = "insecure-test-keys")]
    pub fn from_primes_insecure_for_tests(
        p: &BigUint,
        q: &BigUint,
        mode: Mode,
        rng: &mut dyn SecureRng,
    ) -> Result<Self> {
        Self::from_primes_with(p, q, mode, 4, rng)
    }

    fn from_primes_with(
        p: &BigUint,
        q: &BigUint,
        mode: Mode,
        least: u64,
        rng: &mut dyn SecureRng,
    ) -> Result<Self> {
        Self::from_factors(Nat::from_big(p), Nat::from_big(q), mode, least, rng)
    }

    fn from_factors(
        p: Nat,
        q: Nat,
        mode: Mode,
        least: u64,
        rng: &mut dyn SecureRng,
    ) -> Result<Self> {
        let bits = p.mul(&q).bits_vartime();
        if bits < least || bits > MOST_BITS {
            return Err(Error::KeySize { bits, least, most: MOST_BITS });
        }
        let bad = |reason| Err(Error::BadPrivateKey { reason });
        if mode == Mode::Subgroup {
            return bad("a key in subgroup mode needs its hidden primes too");
        }
        let toy = bits < LEAST_BITS;
        if nat::is_zero(&p.distance(&q)) == 1 || p.bits_vartime() != q.bits_vartime() && !toy {
            return bad("the primes are equal or of different lengths");
        }
        if [&p, &q].iter().any(|x| x[0] & 1 == 0 || x.bits_vartime() < 3) {
            return bad("a factor is even or tiny");
        }
        if !toy && !far_apart(&p, &q, bits) {
            return bad("the primes are too close to each other");
        }
        if !prime::is_prime(rng, &p)? || !prime::is_prime(rng, &q)? {
            return bad("a factor is not prime");
        }
        // gcd(n, φ(n)) = 1.
        let divides = |p: &Nat, q: &Nat| !p.gcd_vartime(&q.minus_small(1)).is(1);
        if divides(&p, &q) || divides(&q, &p) {
            return bad("a prime divides the other minus one");
        }
        let blum = p[0] & q[0] & 3 == 3;
        if mode == Mode::Djn && !(blum && halves_are_coprime(&p, &q)) {
            return bad("DJN mode needs primes congruent to 3 modulo 4; use standard mode");
        }
        Self::assemble(&p, &q, mode, None)
    }

    /// The key of factors that are known to be fit.
    pub(super) fn assemble(
        p: &Nat,
        q: &Nat,
        mode: Mode,
        hidden: Option<([Nat; 2], Nat)>,
    ) -> Result<Self> {
        let n = p.mul(q);
        let (hidden, generator) = hidden.map_or((None, None), |(h, g)| (Some(h), Some(g)));
        let public = PublicKey::new_unchecked(n, mode, generator);
        let bits = public.bits() as usize;
        let backend = Backend::best();
        let ring = Ring::new(backend, &[p, q], true, 2 * bits + 8);
        let plain = Ring::new(backend, &[p, q], false, 2 * bits + 8);
        let mut scratch = plain.scratch();
        let exponents = match &hidden {
            Some([a, b]) => [a.mul(&Nat::from_words(&[2])), b.mul(&Nat::from_words(&[2]))],
            None => [p.minus_small(1), q.minus_small(1)],
        };
        let two = [p.minus_small(2), q.minus_small(2)];
        let two: [&[u64]; 2] = [&two[0], &two[1]];
        let prime_bits = p.bits_vartime().max(q.bits_vartime()) as usize;
        let half = ring.lanes() / 2;
        let by_half = |low: &Nat, high: &Nat| {
            let numbers: Vec<Nat> = (0..2 * half)
                .map(|lane| if lane < half { low.clone() } else { high.clone() })
                .collect();
            numbers
        };
        fn refs(numbers: &[Nat]) -> Vec<&[u64]> {
            numbers.iter().map(|x| &x[..]).collect()
        }

        // Inverses modulo a prime as powers: constant-time.
        let other = plain.load(&refs(&by_half(q, p)), &mut scratch);
        let mut opener = plain.load(&refs(&by_half(&exponents[0], &exponents[1])), &mut scratch);
        plain.mul_assign(&mut opener, &other, &mut scratch);
        let opener = plain.pow(&opener, &two, prime_bits, &mut scratch);
        let mut openers = plain.store(&opener, &mut scratch);
        for (lane, opener) in openers.iter_mut().enumerate() {
            nat::negate_mod(opener, plain.modulus(lane));
        }
        let inverse = plain.pow(&other, &two, prime_bits, &mut scratch);
        let inverse = plain.store(&inverse, &mut scratch);

        let mut scratch = ring.scratch();
        let mut montgomery = |numbers: &[Nat]| {
            let mut out = ring.zeroed();
            let raw = ring.raw(&refs(numbers));
            ring.mul_low(&mut out, &raw, ring.to_montgomery(), &mut scratch);
            out
        };
        let (openers, p_inverse) = (montgomery(&openers), montgomery(&inverse));
        let encryption = OnceLock::new();
        Ok(PrivateKey {
            public,
            p: p.clone(),
            q: q.clone(),
            ring,
            exponents,
            openers,
            p_inverse,
            hidden,
            encryption,
        })
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The factors of the modulus, for storing the key or for protocols. They are the secret.
    #[must_use]
    pub fn expose_primes(&self) -> (BigUint, BigUint) {
        (self.p.to_big(), self.q.to_big())
    }

    pub(crate) fn factors(&self) -> (&Nat, &Nat) {
        (&self.p, &self.q)
    }

    pub(crate) fn hidden_primes(&self) -> Option<&[Nat; 2]> {
        self.hidden.as_ref()
    }

    /// The key of parts that were stored by this crate.
    pub(crate) fn restore(
        [p, q]: [Nat; 2],
        mode: Mode,
        hidden: Option<[Nat; 3]>,
        policy: &KeyPolicy,
        rng: &mut dyn SecureRng,
    ) -> Result<Self> {
        let Some([a, b, h]) = hidden else {
            return Self::from_factors(p, q, mode, policy.least(), rng);
        };
        let plain = Self::from_factors(p, q, Mode::Standard, policy.least(), rng)?;
        let two = Nat::from_words(&[2]);
        let divides = |a: &Nat, p: &Nat| {
            let double = a.mul(&two);
            nat::is_zero(&double.gcd_vartime(&p.minus_small(1)).distance(&double)) == 1
        };
        let misfit = Error::BadPrivateKey { reason: "the hidden subgroup does not fit" };
        let n = plain.public.n();
        if a.bits_vartime() < 8
            || !divides(&a, &plain.p)
            || !divides(&b, &plain.q)
            || nat::less(&h, n) == 0
        {
            return Err(misfit);
        }
        // h must lie in the subgroup that the short decryption knows.
        let ring = Ring::new(Backend::best(), &[n], false, n.len() * 64);
        let order = a.mul(&b).mul(&two);
        if !ring.pow_each(&[&h], &[&order]).iter().all(|power| power.is(1)) {
            return Err(misfit);
        }
        let h = h.resized(n.len());
        Self::assemble(&plain.p, &plain.q, mode, Some(([a, b], h)))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("bits", &self.public.bits())
            .field("mode", &self.public.mode())
            .finish_non_exhaustive()
    }
}
