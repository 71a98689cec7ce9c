//! Making keys.

use privacy_core::random::SecureRng;

use super::public::subgroup_bits;
use super::{Mode, PrivateKey};
use crate::error::{Error, Result};
use crate::kernel::{Backend, Nat, Ring, nat};
use crate::prime::{self, Kind};
use crate::random;

/// What key to make. The default: 3072 bits (about 128 bits of security), [`Mode::Djn`].
///
/// # Example
///
/// ```no_run
/// use paillier_he::prelude::*;
///
/// let mut rng = SystemRng::new()?;
/// let key = PrivateKey::generate(KeyOptions::default(), &mut rng)?;
/// let shorter = PrivateKey::generate(KeyOptions::default().bits(2048), &mut rng)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct KeyOptions {
    bits: u64,
    least: u64,
    mode: Mode,
    safe: bool,
}

/// The longest modulus.
pub(crate) const MOST_BITS: u64 = 8192;
/// The shortest modulus.
pub(crate) const LEAST_BITS: u64 = 2048;

impl Default for KeyOptions {
    fn default() -> Self {
        KeyOptions { bits: 3072, least: LEAST_BITS, mode: Mode::Djn, safe: false }
    }
}

impl KeyOptions {
    /// The length of the modulus: even, from 2048 (about 112 bits of security) to 8192.
    pub fn bits(self, bits: u64) -> Self {
        KeyOptions { bits, ..self }
    }

    /// How blinders are made.
    pub fn mode(self, mode: Mode) -> Self {
        KeyOptions { mode, ..self }
    }

    /// Uses safe primes, as threshold decryption and proofs for verifiers need.
    pub fn safe_primes(self) -> Self {
        KeyOptions { safe: true, ..self }
    }

    /// A key that anyone can break, so that tests are quick.
    ///
    /// # Security
    ///
    /// None. Only with the feature `insecure-test-keys`.
    #[cfg(feature = "insecure-test-keys")]
    pub fn insecure_for_tests(bits: u64) -> Self {
        KeyOptions { bits, least: 128, ..KeyOptions::default() }
    }
}

impl PrivateKey {
    /// A new key: two random primes of equal length with the two highest bits set, congruent to 3
    /// modulo 4, far apart.
    ///
    /// # Errors
    ///
    /// [`Error::KeySize`] for a length that is refused, [`Error::Parameter`] for safe primes in
    /// subgroup mode, [`Error::Entropy`].
    ///
    /// # Timing
    ///
    /// The search for primes takes a time that depends on the candidates it rejects.
    pub fn generate(options: KeyOptions, rng: &mut dyn SecureRng) -> Result<Self> {
        let KeyOptions { bits, least, mode, safe } = options;
        if bits < least || bits > MOST_BITS || bits % 2 == 1 {
            return Err(Error::KeySize { bits, least, most: MOST_BITS });
        }
        if mode == Mode::Subgroup {
            if safe || bits < 1024 {
                return Err(Error::Parameter {
                    parameter: "a key in subgroup mode",
                    requirement: "of at least 1024 bits and without safe primes",
                });
            }
            return PrivateKey::generate_subgroup(bits, rng);
        }
        let kind = if safe { Kind::Safe } else { Kind::Blum };
        loop {
            let p = prime::random(rng, bits as usize / 2, kind)?;
            let q = prime::random(rng, bits as usize / 2, kind)?;
            if !far_apart(&p, &q, bits) {
                continue;
            }
            // A common odd factor of p - 1 and q - 1 is rare, but would make the group of the
            // blinders smaller.
            if !halves_are_coprime(&p, &q) {
                continue;
            }
            return PrivateKey::assemble(&p, &q, mode, None);
        }
    }

    /// A key whose blinders live in a subgroup of order 2ab, for primes a | p - 1 and b | q - 1.
    fn generate_subgroup(bits: u64, rng: &mut dyn SecureRng) -> Result<Self> {
        let length = subgroup_bits(bits) / 2;
        loop {
            let a = prime::random(rng, length, Kind::Blum)?;
            let b = prime::random(rng, length, Kind::Blum)?;
            let (p, p_rest) = prime::random_above(rng, bits as usize / 2, &a)?;
            let (q, q_rest) = prime::random_above(rng, bits as usize / 2, &b)?;
            if !far_apart(&p, &q, bits) || !halves_are_coprime(&p, &q) {
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
}

/// Whether gcd(p - 1, q - 1) = 2.
pub(crate) fn halves_are_coprime(p: &Nat, q: &Nat) -> bool {
    p.minus_small(1).gcd_vartime(&q.minus_small(1)).is(2)
}

/// Whether |p - q| ≥ 2^(bits/2 - 100), against Fermat's factoring (FIPS 186-5, A.1.3).
pub(crate) fn far_apart(p: &Nat, q: &Nat, bits: u64) -> bool {
    p.distance(q).bits_vartime() > (bits / 2).saturating_sub(100).max(1)
}
