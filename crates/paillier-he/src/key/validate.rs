//! Public keys that others made.

use num_bigint::BigUint;
use num_integer::Integer;
use privacy_core::random::SystemRng;

use super::generate::{LEAST_BITS, MOST_BITS};
use super::public::jacobi_vartime;
use super::{Mode, PublicKey};
use crate::error::{Error, Result};
use crate::kernel::Nat;
use crate::prime;

/// Factors below this bound are looked for.
const TRIAL_LIMIT: usize = 1 << 20;

/// What a public key must be like.
///
/// # Security
///
/// The checks find careless keys, not malicious ones: a modulus with a factor of 64 bits passes.
/// Where the owner is not trusted, ask for a proof of the modulus too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    least_bits: u64,
}

impl Default for KeyPolicy {
    fn default() -> Self {
        KeyPolicy { least_bits: LEAST_BITS }
    }
}

impl KeyPolicy {
    /// The policy that also refuses keys shorter than `bits`; never less than 2048.
    #[must_use]
    pub fn at_least(bits: u64) -> Self {
        KeyPolicy { least_bits: bits.max(LEAST_BITS) }
    }

    pub(crate) fn least(&self) -> u64 {
        self.least_bits
    }

    /// A policy that accepts short keys, for tests.
    ///
    /// # Security
    ///
    /// None. Only with the feature `insecure-test-keys`.
    #[cfg(feature = "insecure-test-keys")]
    #[must_use]
    pub fn insecure_for_tests() -> Self {
        KeyPolicy { least_bits: 16 }
    }
}

/// A public key as it was received. It can do nothing until it is validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UncheckedPublicKey {
    pub(crate) n: BigUint,
    pub(crate) mode: Mode,
    pub(crate) generator: Option<BigUint>,
}

impl UncheckedPublicKey {
    /// The key with the modulus `n` in standard or DJN mode.
    ///
    /// # Security
    ///
    /// DJN mode is only as good as the owner's word (or a
    /// proof of the modulus) that both factors are congruent to 3 modulo 4.
    #[must_use]
    pub fn new(n: BigUint, mode: Mode) -> Self {
        UncheckedPublicKey { n, mode, generator: None }
    }

    /// The key in subgroup mode with the owner's generator.
    #[must_use]
    pub fn with_generator(n: BigUint, generator: BigUint) -> Self {
        UncheckedPublicKey { n, mode: Mode::Subgroup, generator: Some(generator) }
    }

    /// The key, if it passes: its length; odd; no factor below 2^20; not prime; not a power; a
    /// generator that is no trivial one.
    ///
    /// Takes some tens of milliseconds.
    ///
    /// # Errors
    ///
    /// [`Error::KeySize`], [`Error::BadModulus`], or [`Error::Entropy`] if the operating system
    /// has no randomness for the primality test.
    pub fn validate(self, policy: &KeyPolicy) -> Result<PublicKey> {
        let UncheckedPublicKey { n, mode, generator } = self;
        let bits = n.bits();
        if bits < policy.least_bits || bits > MOST_BITS {
            return Err(Error::KeySize { bits, least: policy.least_bits, most: MOST_BITS });
        }
        let bad = |reason| Err(Error::BadModulus { reason });
        if n.is_even() {
            return bad("is even");
        }
        let nat = Nat::from_big(&n);
        if bits >= LEAST_BITS && has_small_factor(&nat) {
            return bad("has a small factor");
        }
        if is_power(&n) {
            return bad("is a power");
        }
        let mut rng = SystemRng::new()?;
        if prime::is_prime(&mut rng, &nat)? {
            return bad("is prime");
        }
        if (mode == Mode::Subgroup) != generator.is_some() {
            return bad("has a generator that does not fit its mode");
        }
        if let Some(h) = &generator {
            let trivial = *h <= BigUint::from(1u8) || *h >= &n - 1u8;
            // The symbol is 0 for an h that shares a factor with n.
            if trivial || jacobi_vartime(h, &n) != 1 {
                return bad("has a generator that is a trivial one");
            }
        }
        let generator = generator.map(|h| Nat::from_big(&h).resized(nat.len()));
        Ok(PublicKey::new_unchecked(nat, mode, generator))
    }
}

fn has_small_factor(n: &Nat) -> bool {
    let mut product = 1u64;
    let mut group: Vec<u64> = Vec::new();
    for prime in prime::small_primes(TRIAL_LIMIT).into_iter().map(u64::from) {
        if let Some(next) = product.checked_mul(prime) {
            product = next;
            group.push(prime);
            continue;
        }
        let rem = n.rem_small_vartime(product);
        if group.iter().any(|p| rem.is_multiple_of(*p)) {
            return true;
        }
        (product, group) = (prime, vec![prime]);
    }
    let rem = n.rem_small_vartime(product);
    group.iter().any(|p| rem.is_multiple_of(*p))
}

fn is_power(n: &BigUint) -> bool {
    prime::small_primes(n.bits() as usize / 2).into_iter().any(|k| n.nth_root(k).pow(k) == *n)
}
