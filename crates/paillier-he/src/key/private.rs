//! The private key: opens ciphertexts, and encrypts faster than the public one.
//!
//! Powers modulo p² and q² run side by side in the lanes of one [ring](crate::kernel::ring). With
//! pairs `u = u₀ - u₁p`, a power that is 1 modulo p has `u₀ = 1`, and Paillier's function
//! `L(u) = (u - 1)/p` is `-u₁`: there is no division. That `u₀ = 1` in both halves also shows that
//! the ciphertext was a unit, and catches most faults of the computation.

use std::fmt;
use std::sync::OnceLock;

use num_bigint::BigUint;
use num_integer::Integer;
use privacy_core::random::SecureRng;

use super::generate::{LEAST_BITS, MOST_BITS, far_apart};
use super::public::subgroup_bits;
use super::sealed::{Blind, Blinders};
use super::{Encryptor, KeyPolicy, Mode, PublicKey};
use crate::error::{Error, Result};
use crate::kernel::comb::Comb;
use crate::kernel::lanes::map_chunks;
use crate::kernel::{Backend, Batch, Nat, Ring, Words, nat};
use crate::{prime, random};

/// What the tables of a private key may take.
const TABLE_BYTES: usize = 3 << 20;

/// A key that decrypts.
///
/// # Security
///
/// Neither cloned nor printed, and wiped when dropped; share it in an [`std::sync::Arc`]. Decryption
/// and encryption take a time that is independent of key, plaintexts and randomness. Making a key
/// from its factors is not constant-time.
pub struct PrivateKey {
    public: PublicKey,
    p: Nat,
    q: Nat,
    /// Modulo p² in the lower half of the lanes, q² in the upper.
    ring: Ring,
    /// What ciphertexts are raised to: p - 1 and q - 1, or twice the hidden primes.
    exponents: [Nat; 2],
    /// -(e_p·q)⁻¹ mod p and -(e_q·p)⁻¹ mod q in Montgomery form: from `u₁` to the plaintext.
    openers: Words,
    /// p⁻¹ mod q in the upper lanes, in Montgomery form.
    p_inverse: Words,
    /// The primes of the hidden subgroup.
    hidden: Option<[Nat; 2]>,
    encryption: OnceLock<Encryption>,
}

/// What encryption with the private key needs beyond decryption.
struct Encryption {
    comb: Option<Comb>,
    /// p⁻² mod q² in the upper lanes, in Montgomery form.
    square_inverse: Words,
    p_squared: Nat,
    q_squared_4: Nat,
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
        let bits = (p * q).bits();
        if bits < least || bits > MOST_BITS {
            return Err(Error::KeySize { bits, least, most: MOST_BITS });
        }
        let bad = |reason| Err(Error::BadPrivateKey { reason });
        if mode == Mode::Subgroup {
            return bad("a key in subgroup mode needs its hidden primes too");
        }
        let toy = bits < LEAST_BITS;
        if p == q || p.bits() != q.bits() && !toy {
            return bad("the primes are equal or of different lengths");
        }
        let three = BigUint::from(3u8);
        if p.is_even() || q.is_even() || *p <= three || *q <= three {
            return bad("a factor is even or tiny");
        }
        let (p_nat, q_nat) = (Nat::from_big(p), Nat::from_big(q));
        if !toy && !far_apart(&p_nat, &q_nat, bits) {
            return bad("the primes are too close to each other");
        }
        if !prime::is_prime(rng, &p_nat)? || !prime::is_prime(rng, &q_nat)? {
            return bad("a factor is not prime");
        }
        let phi = (p - 1u8) * (q - 1u8);
        if !phi.gcd(&(p * q)).eq(&BigUint::from(1u8)) {
            return bad("a prime divides the other minus one");
        }
        if mode == Mode::Djn {
            let blum = |x: &BigUint| (x % 4u8) == three;
            if !blum(p) || !blum(q) || (p - 1u8).gcd(&(q - 1u8)) != BigUint::from(2u8) {
                return bad("DJN mode needs primes congruent to 3 modulo 4; use standard mode");
            }
        }
        Self::assemble(&p_nat, &q_nat, mode, None)
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

    /// A key whose blinders live in a subgroup of order 2ab, for primes a | p - 1 and b | q - 1.
    pub(super) fn generate_subgroup(bits: u64, rng: &mut dyn SecureRng) -> Result<Self> {
        let length = subgroup_bits(bits) / 2;
        loop {
            let a = prime::random(rng, length, prime::Kind::Blum)?;
            let b = prime::random(rng, length, prime::Kind::Blum)?;
            let (p, p_rest) = prime::random_above(rng, bits as usize / 2, &a)?;
            let (q, q_rest) = prime::random_above(rng, bits as usize / 2, &b)?;
            let (p1, q1) = (p.minus_small(1).to_big(), q.minus_small(1).to_big());
            if !far_apart(&p, &q, bits) || p1.gcd(&q1) != BigUint::from(2u8) {
                continue;
            }
            // h = -y^(2·p_rest·q_rest): order 2ab, Jacobi symbol +1.
            let n = p.mul(&q);
            let ring = Ring::new(Backend::best(), &[&n], false, n.len() * 64);
            let mut scratch = ring.scratch();
            let y = random::below(rng, &n)?;
            let base = ring.load(&vec![&y[..]; ring.lanes()], &mut scratch);
            let exponent = p_rest.mul(&q_rest).mul(&Nat::from_words(&[2]));
            let h = ring.pow(&base, &[&exponent], exponent.len() * 64, &mut scratch);
            let mut h = ring.store(&h, &mut scratch).swap_remove(0);
            nat::negate_mod(&mut h, &n);
            let h = h.resized(Nat::from_big(&n.to_big()).len());
            return Self::assemble(&p, &q, Mode::Subgroup, Some(([a, b], h)));
        }
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

    /// The residues modulo n that numbers modulo n² encrypt, or one opaque refusal.
    pub(crate) fn open(&self, ciphertexts: &[Nat]) -> Result<Vec<Nat>> {
        let ring = &self.ring;
        let half = ring.lanes() / 2;
        let bits = self.exponents.iter().map(|e| e.bits_vartime()).max().unwrap_or(0) as usize;
        let exponents: [&[u64]; 2] = [&self.exponents[0], &self.exponents[1]];
        let chunks = map_chunks(ring, ciphertexts.len().div_ceil(half), |chunk, scratch| {
            let mine = &ciphertexts[chunk * half..ciphertexts.len().min((chunk + 1) * half)];
            let one: &[u64] = &[1];
            let lane = |i: usize| mine.get(i % half).map_or(one, |c| &c[..]);
            let numbers: Vec<&[u64]> = (0..2 * half).map(lane).collect();
            let element = ring.load(&numbers, scratch);
            let power = ring.pow(&element, &exponents, bits, scratch);
            let parts = ring.parts(&power, scratch);
            let mut refused = 0;
            for (low, _) in &parts {
                refused |= (low[0] ^ 1) | low[1..].iter().fold(0, |all, w| all | w);
            }
            let high: Vec<&[u64]> = parts.iter().map(|(_, high)| &high[..]).collect();
            let mut shares = ring.zeroed();
            ring.mul_low(&mut shares, &ring.raw(&high), &self.openers, scratch);
            let shares = ring.residues(&shares);
            // m = m_p + p·((m_q - m_p)·p⁻¹ mod q)
            let mut differences = vec![Nat::zero(1); half];
            for i in 0..half {
                let mut low = shares[i].resized(self.q.len());
                nat::reduce_once(&mut low, 0, &self.q);
                let mut difference = shares[half + i].resized(self.q.len());
                let borrow = nat::sub_masked(&mut difference, &low, u64::MAX);
                nat::add_masked(&mut difference, &self.q, nat::mask(borrow));
                differences.push(difference);
            }
            let differences: Vec<&[u64]> = differences.iter().map(|d| &d[..]).collect();
            let mut quotients = ring.zeroed();
            ring.mul_low(&mut quotients, &ring.raw(&differences), &self.p_inverse, scratch);
            let quotients = ring.residues(&quotients);
            let open = |i: usize| {
                let mut m = quotients[half + i].mul(&self.p);
                nat::add_assign(&mut m, &shares[i]);
                m.resized(self.public.n().len())
            };
            (refused, (0..mine.len()).map(open).collect::<Vec<Nat>>())
        });
        let refused = chunks.iter().fold(0, |all, (refused, _)| all | refused);
        if refused != 0 {
            return Err(Error::Decryption);
        }
        Ok(chunks.into_iter().flat_map(|(_, values)| values).collect())
    }

    fn encryption(&self) -> &Encryption {
        self.encryption.get_or_init(|| {
            let ring = &self.ring;
            let mut scratch = ring.scratch();
            // p⁻² as a power: the unit group modulo q² has the order q(q - 1).
            let exponent = self.q.mul(&self.q.minus_small(1)).minus_small(2);
            let base = ring.load(&vec![&self.p[..]; ring.lanes()], &mut scratch);
            let square_inverse = ring.pow(&base, &[&exponent], exponent.len() * 64, &mut scratch);
            let comb = (self.public.mode() != Mode::Standard).then(|| {
                let public = self.public.ring();
                let base = public.store(&self.public.fixed_base(), &mut public.scratch());
                let base = ring.load(&vec![&base[0][..]; ring.lanes()], &mut scratch);
                Comb::new(ring, &base, self.public.exponent_bits(), TABLE_BYTES)
            });
            let p_squared = self.p.mul(&self.p);
            let q_squared_4 = self.q.mul(&self.q).mul(&Nat::from_words(&[4]));
            Encryption { comb, square_inverse, p_squared, q_squared_4 }
        })
    }

    /// Numbers modulo n² from their residues modulo p² and q², `half` of each to a block.
    fn combine(&self, powers: &Batch, count: usize) -> Vec<Nat> {
        let ring = &self.ring;
        let half = ring.lanes() / 2;
        let Encryption { square_inverse, p_squared, q_squared_4, .. } = self.encryption();
        let blocks: Vec<&[u64]> = powers.blocks().collect();
        let chunks = map_chunks(ring, blocks.len(), |chunk, scratch| {
            let values = ring.store(blocks[chunk], scratch);
            let mut differences = vec![Nat::zero(1); half];
            for i in 0..half {
                let mut difference = q_squared_4.clone();
                nat::add_assign(&mut difference, &values[half + i]);
                nat::sub_masked(&mut difference, &values[i], u64::MAX);
                differences.push(difference);
            }
            let differences: Vec<&[u64]> = differences.iter().map(|d| &d[..]).collect();
            let mut quotients = ring.load(&differences, scratch);
            ring.mul_assign(&mut quotients, square_inverse, scratch);
            let quotients = ring.store(&quotients, scratch);
            let join = |i: usize| {
                let mut number = quotients[half + i].mul(p_squared);
                nat::add_assign(&mut number, &values[i]);
                number.resized(2 * self.public.n().len())
            };
            (0..half).map(join).collect::<Vec<Nat>>()
        });
        chunks.into_iter().flatten().take(count).collect()
    }
}

impl Encryptor for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }
}

impl Blind for PrivateKey {
    fn blinders(&self, count: usize, rng: &mut dyn SecureRng) -> Result<Blinders> {
        let ring = &self.ring;
        let half = ring.lanes() / 2;
        let len = count.div_ceil(half) * 2 * half;
        let powers = match &self.encryption().comb {
            Some(comb) => {
                let mut exponents = Vec::with_capacity(count);
                for _ in 0..count {
                    exponents.push(random::bits(rng, self.public.exponent_bits())?);
                }
                let zero: &[u64] = &[0];
                let exponent = |i: usize| {
                    let number = i / (2 * half) * half + i % half;
                    exponents.get(number).map_or(zero, |e| &e[..])
                };
                comb.pow(ring, len, exponent)
            }
            None => {
                // yᵖ for uniform y modulo p is distributed as rⁿ modulo p²; likewise modulo q².
                let mut units = Vec::with_capacity(len);
                for i in 0..len {
                    units.push(random::below(rng, ring.modulus(i % (2 * half)))?);
                }
                let units: Vec<&[u64]> = units.iter().map(|y| &y[..]).collect();
                let mut batch = Batch::load(ring, &units);
                let bits = self.p.bits_vartime().max(self.q.bits_vartime()) as usize;
                crate::kernel::lanes::for_each_block(ring, &mut batch, |_, block, scratch| {
                    let power = ring.pow(block, &[&self.p, &self.q], bits, scratch);
                    block.copy_from_slice(&power);
                });
                batch
            }
        };
        let numbers = self.combine(&powers, count);
        let numbers: Vec<&[u64]> = numbers.iter().map(|x| &x[..]).collect();
        Ok(Blinders(Batch::load(self.public.ring(), &numbers)))
    }
}

impl PrivateKey {
    /// The same key's policy door for keys that were stored by this crate.
    pub(crate) fn restore(
        p: &BigUint,
        q: &BigUint,
        mode: Mode,
        hidden: Option<[BigUint; 3]>,
        policy: &KeyPolicy,
        rng: &mut dyn SecureRng,
    ) -> Result<Self> {
        let Some([a, b, h]) = hidden else {
            return Self::from_primes_with(p, q, mode, policy.least(), rng);
        };
        let plain = Self::from_primes_with(p, q, Mode::Standard, policy.least(), rng)?;
        let divides = |a: &BigUint, p: &BigUint| ((p - 1u8) % (a * 2u8)) == BigUint::ZERO;
        let n = p * q;
        let order: BigUint = &a * &b * 2u8;
        // h must lie in the subgroup that the short decryption knows.
        if a.bits() < 8 || !divides(&a, p) || !divides(&b, q) || h.modpow(&order, &n) != 1u8.into()
        {
            return Err(Error::BadPrivateKey { reason: "the hidden subgroup does not fit" });
        }
        let h = Nat::from_big(&h).resized(plain.public.n().len());
        let hidden = [Nat::from_big(&a), Nat::from_big(&b)];
        Self::assemble(&plain.p, &plain.q, mode, Some((hidden, h)))
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
