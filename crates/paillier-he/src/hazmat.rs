//! Raw numbers and chosen randomness: for protocols, known answers and other systems' files.
//!
//! What is here can break the secrecy of plaintexts when it is misused: a nonce that is used twice
//! reveals a difference, a nonce that is known reveals the plaintext.

use num_bigint::BigUint;
use num_integer::Integer;
use num_traits::{One, Zero};
use privacy_core::random::SecureRng;

use crate::ciphertext::{Blinded, CiphertextVec};
use crate::error::{Error, Result};
use crate::kernel::{Batch, Nat};
use crate::key::{Mode, PrivateKey, PublicKey};
use crate::number::{Encoding, Scale};
use crate::random;

/// A nonce r: a unit modulo n, with 0 < r < n. To be used once.
#[derive(Debug)]
pub struct Nonce(Nat);

impl Nonce {
    /// A random nonce.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`].
    pub fn random(key: &PublicKey, rng: &mut dyn SecureRng) -> Result<Self> {
        Ok(Nonce(random::below(rng, key.n())?))
    }

    /// The nonce of the given value.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless `0 < value < n` and it has no factor in common with n.
    pub fn new(key: &PublicKey, value: &BigUint) -> Result<Self> {
        if value.is_zero() || value >= key.modulus() || !value.gcd(key.modulus()).is_one() {
            let requirement = "a unit modulo n between 0 and n";
            return Err(Error::Parameter { parameter: "a nonce", requirement });
        }
        Ok(Nonce(Nat::from_big(value)))
    }

    /// The value, which opens the ciphertext it was used for.
    #[must_use]
    pub fn expose(&self) -> BigUint {
        self.0.to_big()
    }
}

/// `(1 + m·n)·rⁿ mod n²`.
///
/// # Errors
///
/// [`Error::OutOfBounds`] unless `m < n`.
pub fn encrypt_with_nonce(key: &PublicKey, m: &BigUint, nonce: Nonce) -> Result<BigUint> {
    let residue = residue(key, m)?;
    Ok(only(key, &key.encrypt_residues(std::iter::once(&nonce.0), &[residue])))
}

/// `(1 + m·n)·h_sᵃ mod n²` for a key in a mode with short exponents.
///
/// # Errors
///
/// [`Error::Mode`] for a key in standard mode, [`Error::OutOfBounds`] unless `m < n`.
pub fn encrypt_with_exponent(key: &PublicKey, m: &BigUint, a: &BigUint) -> Result<BigUint> {
    if key.mode() == Mode::Standard {
        return Err(Error::Mode { mode: "standard", operation: "encrypt with a short exponent" });
    }
    let ring = key.ring();
    let mut scratch = ring.scratch();
    let exponent = Nat::from_big(a);
    let bits = exponent.len() * 64;
    let power = ring.pow(&key.fixed_base(), &[&exponent], bits, &mut scratch);
    let mut batch = Batch::ones(ring, 1);
    for block in batch.blocks_mut() {
        block.copy_from_slice(&power);
    }
    key.add_plain(&mut batch, &[residue(key, m)?]);
    Ok(only(key, &batch))
}

fn residue(key: &PublicKey, m: &BigUint) -> Result<Nat> {
    if m < key.modulus() {
        Ok(Nat::from_big(m).resized(key.n().len()))
    } else {
        Err(Error::OutOfBounds)
    }
}

fn only(key: &PublicKey, batch: &Batch) -> BigUint {
    batch.store(key.ring()).swap_remove(0).to_big()
}

/// The residue modulo n that a number encrypts.
///
/// # Errors
///
/// [`Error::Decryption`] unless it is a unit between 0 and n².
pub fn decrypt(key: &PrivateKey, ciphertext: &BigUint) -> Result<BigUint> {
    let n = key.public_key().modulus();
    if ciphertext.is_zero() || *ciphertext >= n * n {
        return Err(Error::Decryption);
    }
    let opened = key.open(&[Nat::from_big(ciphertext)])?;
    opened.first().map(Nat::to_big).ok_or(Error::Decryption)
}

/// The residue that a number encrypts, and the nonce it was made with.
///
/// # Errors
///
/// As [`decrypt`].
pub fn decrypt_with_nonce(key: &PrivateKey, ciphertext: &BigUint) -> Result<(BigUint, Nonce)> {
    let m = decrypt(key, ciphertext)?;
    let nonce = key.roots(&[Nat::from_big(ciphertext)]).swap_remove(0);
    Ok((m, Nonce(nonce)))
}

/// A column of ciphertexts that came from elsewhere as numbers.
///
/// # Security
///
/// Scale and bound are claims of whoever sent them. Decryption refuses what lies outside the
/// bound, but sums of lies can wrap around unseen.
///
/// # Errors
///
/// [`Error::Malformed`] unless every number is a unit between 0 and n²; [`Error::WouldOverflow`]
/// if the key cannot hold the encoding's bound.
pub fn import(
    key: &PublicKey,
    ciphertexts: &[BigUint],
    encoding: &Encoding,
) -> Result<CiphertextVec> {
    let numbers: Vec<Nat> = ciphertexts.iter().map(Nat::from_big).collect();
    import_words(key, &numbers, encoding.scale(), encoding.bound().clone())
}

pub(crate) fn import_words(
    key: &PublicKey,
    numbers: &[Nat],
    scale: Scale,
    bound: BigUint,
) -> Result<CiphertextVec> {
    let malformed = Error::Malformed { what: "ciphertext" };
    key.check_bound(&bound)?;
    let n = key.modulus();
    let square = n * n;
    if numbers.iter().any(|c| c.to_big() >= square) {
        return Err(malformed);
    }
    let words: Vec<&[u64]> = numbers.iter().map(|c| &c[..]).collect();
    let batch = Batch::load(key.ring(), &words);
    // One greatest common divisor for all: their product is a unit if each of them is.
    let product = crate::kernel::multiexp::product(key.ring(), &batch);
    let product = product.store(key.ring()).swap_remove(0).to_big();
    if !product.gcd(n).is_one() {
        return Err(malformed);
    }
    Ok(CiphertextVec::of(key, batch, scale, bound))
}

/// The ciphertexts as numbers modulo n².
#[must_use]
pub fn export(ciphertexts: &CiphertextVec<Blinded>) -> Vec<BigUint> {
    ciphertexts.raw().iter().map(Nat::to_big).collect()
}
