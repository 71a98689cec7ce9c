//! Public keys that others made.

use std::sync::Arc;

use num_bigint::BigUint;
use num_integer::Integer;
use privacy_core::random::SystemRng;

use super::generate::{LEAST_BITS, MOST_BITS};
use super::public::jacobi_vartime;
use super::{Mode, PublicKey};
use crate::error::{Error, Result};
use crate::kernel::Nat;
use crate::prime;
use crate::proof::{FactorProof, ModulusProof, PedersenParameters};

/// Factors below this bound are looked for.
const TRIAL_LIMIT: usize = 1 << 20;

/// What a public key must be like, and which proofs must come with it.
///
/// # Security
///
/// Without proofs the checks find careless keys, not malicious ones: a modulus with a factor of 64
/// bits passes. Where the owner is not trusted, require both proofs.
///
/// # Example
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use paillier_he::prelude::*;
/// use paillier_he::proof::{FactorProof, ModulusProof, PedersenParameters};
/// use paillier_he::{Error, KeyPolicy, UncheckedPublicKey};
/// # let mut rng = SystemRng::new()?;
/// # let key = PrivateKey::generate(KeyOptions::insecure_for_tests(1024), &mut rng)?;
/// # let parameters = PedersenParameters::insecure_for_tests(256, &mut rng)?;
/// # /*
/// let parameters = PedersenParameters::generate(2048, &mut rng)?; // once, by whoever will check keys
/// # */
/// let policy = KeyPolicy::default().require_factor_proof(&parameters, b"federation 3");
/// # let policy = policy.allowing_insecure_for_tests();
///
/// // The owner of a key:
/// let modulus = ModulusProof::prove(&key, b"federation 3", &mut rng)?;
/// let factors = FactorProof::prove(&key, &parameters, b"federation 3", &mut rng)?;
///
/// // The others:
/// let received = UncheckedPublicKey::from_bytes(&key.public_key().to_bytes())?;
/// let bare = received.clone().validate(&policy);
/// assert!(matches!(bare, Err(Error::ProofMissing { .. })));
/// let public = received.with_modulus_proof(modulus).with_factor_proof(factors).validate(&policy)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    least_bits: u64,
    modulus_proof: Option<Vec<u8>>,
    factor_proof: Option<(Arc<PedersenParameters>, Vec<u8>)>,
}

impl Default for KeyPolicy {
    fn default() -> Self {
        KeyPolicy::at_least(LEAST_BITS)
    }
}

impl KeyPolicy {
    /// The policy that also refuses keys shorter than `bits`; never less than 2048.
    #[must_use]
    pub fn at_least(bits: u64) -> Self {
        KeyPolicy { least_bits: bits.max(LEAST_BITS), modulus_proof: None, factor_proof: None }
    }

    /// Refuses keys without a [`ModulusProof`] that holds in `context`: two different Blum primes, no
    /// more factors. DJN mode then rests on the proof and not on the owner's word.
    ///
    /// Keys with random primes, such as those of python-paillier, cannot have one.
    #[must_use]
    pub fn require_modulus_proof(self, context: &[u8]) -> Self {
        KeyPolicy { modulus_proof: Some(context.to_vec()), ..self }
    }

    /// Refuses keys without a [`FactorProof`] for these parameters *and* a [`ModulusProof`] that both
    /// hold in `context`: two prime factors of at least [`FactorProof::least_bits`] bits.
    #[must_use]
    pub fn require_factor_proof(self, parameters: &PedersenParameters, context: &[u8]) -> Self {
        let factor_proof = Some((Arc::new(parameters.clone()), context.to_vec()));
        KeyPolicy { factor_proof, ..self.require_modulus_proof(context) }
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
        KeyPolicy::default().allowing_insecure_for_tests()
    }

    /// The policy with the same proofs that accepts short keys, for tests.
    ///
    /// # Security
    ///
    /// None. Only with the feature `insecure-test-keys`.
    #[cfg(feature = "insecure-test-keys")]
    #[must_use]
    pub fn allowing_insecure_for_tests(self) -> Self {
        KeyPolicy { least_bits: 16, ..self }
    }

    fn check_proofs(&self, key: &UncheckedPublicKey) -> Result<()> {
        if let Some(context) = &self.modulus_proof {
            let missing = Error::ProofMissing { statement: "a well-formed modulus" };
            key.modulus_proof.as_ref().ok_or(missing)?.verify(&key.n, context)?;
        }
        if let Some((parameters, context)) = &self.factor_proof {
            let missing = Error::ProofMissing { statement: "a modulus without small factors" };
            key.factor_proof.as_ref().ok_or(missing)?.verify(&key.n, parameters, context)?;
        }
        Ok(())
    }
}

/// A public key as it was received. It can do nothing until it is validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UncheckedPublicKey {
    n: BigUint,
    mode: Mode,
    generator: Option<BigUint>,
    modulus_proof: Option<ModulusProof>,
    factor_proof: Option<FactorProof>,
}

impl UncheckedPublicKey {
    /// The key with the modulus `n` in standard or DJN mode.
    ///
    /// # Security
    ///
    /// DJN mode is only as good as the owner's word (or a proof of the modulus) that both factors
    /// are congruent to 3 modulo 4.
    #[must_use]
    pub fn new(n: BigUint, mode: Mode) -> Self {
        Self::from_parts(n, mode, None)
    }

    /// The key in subgroup mode with the owner's generator.
    #[must_use]
    pub fn with_generator(n: BigUint, generator: BigUint) -> Self {
        Self::from_parts(n, Mode::Subgroup, Some(generator))
    }

    pub(crate) fn from_parts(n: BigUint, mode: Mode, generator: Option<BigUint>) -> Self {
        UncheckedPublicKey { n, mode, generator, modulus_proof: None, factor_proof: None }
    }

    /// The key with the proof that came with it.
    #[must_use]
    pub fn with_modulus_proof(self, proof: ModulusProof) -> Self {
        UncheckedPublicKey { modulus_proof: Some(proof), ..self }
    }

    /// The key with the proof that came with it.
    #[must_use]
    pub fn with_factor_proof(self, proof: FactorProof) -> Self {
        UncheckedPublicKey { factor_proof: Some(proof), ..self }
    }

    /// The mode that the key claims.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The key, if it passes: its length; odd; no factor below 2^20; not prime; not a power; a
    /// generator that is no trivial one; the proofs that the policy requires.
    ///
    /// Takes some tens of milliseconds, and as long again for each proof.
    ///
    /// # Errors
    ///
    /// [`Error::KeySize`], [`Error::BadModulus`], [`Error::ProofMissing`], [`Error::Proof`], or
    /// [`Error::Entropy`] if the operating system has no randomness for the primality test.
    pub fn validate(self, policy: &KeyPolicy) -> Result<PublicKey> {
        let bits = self.n.bits();
        if bits < policy.least_bits || bits > MOST_BITS {
            return Err(Error::KeySize { bits, least: policy.least_bits, most: MOST_BITS });
        }
        let bad = |reason| Err(Error::BadModulus { reason });
        let UncheckedPublicKey { n, mode, generator, .. } = &self;
        let mode = *mode;
        if n.is_even() {
            return bad("is even");
        }
        let nat = Nat::from_big(n);
        if bits >= LEAST_BITS && has_small_factor(&nat) {
            return bad("has a small factor");
        }
        if is_power(n) {
            return bad("is a power");
        }
        let mut rng = SystemRng::new()?;
        if prime::is_prime(&mut rng, &nat)? {
            return bad("is prime");
        }
        if (mode == Mode::Subgroup) != generator.is_some() {
            return bad("has a generator that does not fit its mode");
        }
        if let Some(h) = generator {
            let trivial = *h <= BigUint::from(1u8) || *h >= n - 1u8;
            // The symbol is 0 for an h that shares a factor with n.
            if trivial || jacobi_vartime(h, n) != 1 {
                return bad("has a generator that is a trivial one");
            }
        }
        policy.check_proofs(&self)?;
        let generator = self.generator.map(|h| Nat::from_big(&h).resized(nat.len()));
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
