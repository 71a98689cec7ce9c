//! From values to ciphertexts, and back with the private key.

use privacy_core::random::SecureRng;

use super::{Ciphertext, CiphertextVec};
use crate::error::{Error, Result};
use crate::kernel::{Batch, Nat};
use crate::key::{Encryptor, PrivateKey, PublicKey};
use crate::number::{Encoding, Number, Value};
use crate::pool::BlindingPool;

/// Encrypts a column with whatever key is at hand; [`Encryptor::encrypt_batch`] as a function that
/// also takes a `&dyn Encryptor`.
///
/// # Errors
///
/// As [`Encryptor::encrypt_batch`].
pub fn encrypt_batch(
    encryptor: &(impl Encryptor + ?Sized),
    values: &[impl Value],
    encoding: &Encoding,
    rng: &mut dyn SecureRng,
) -> Result<CiphertextVec> {
    let key = encryptor.public_key();
    let residues = residues(key, values, encoding)?;
    Ok(blinded(key, encryptor.blinders(values.len(), rng)?.0, &residues, encoding))
}

impl PublicKey {
    /// Encrypts a column with blinders made ahead of time: some microseconds each.
    ///
    /// # Errors
    ///
    /// As [`Encryptor::encrypt_batch`], and [`Error::PoolEmpty`].
    pub fn encrypt_batch_from(
        &self,
        values: &[impl Value],
        encoding: &Encoding,
        pool: &mut BlindingPool,
    ) -> Result<CiphertextVec> {
        self.check_same(pool.public_key())?;
        let residues = residues(self, values, encoding)?;
        Ok(blinded(self, pool.take(values.len())?, &residues, encoding))
    }
}

fn residues(key: &PublicKey, values: &[impl Value], encoding: &Encoding) -> Result<Vec<Nat>> {
    key.check_bound(encoding.bound())?;
    values.iter().map(|value| Ok(key.residue(&encoding.encode(value)?))).collect()
}

/// The column of these residues, which takes its randomness from the blinders.
fn blinded(
    key: &PublicKey,
    mut blinders: Batch,
    residues: &[Nat],
    encoding: &Encoding,
) -> CiphertextVec {
    key.add_plain(&mut blinders, residues);
    CiphertextVec::of(key, blinders, encoding.scale(), encoding.bound().clone())
}

impl PrivateKey {
    /// Opens one number.
    ///
    /// # Errors
    ///
    /// As [`PrivateKey::decrypt_batch`].
    pub fn decrypt<S>(&self, ciphertext: &Ciphertext<S>) -> Result<Number> {
        self.decrypt_batch(&ciphertext.0)?.pop().ok_or(Error::Decryption)
    }

    /// Opens a column.
    ///
    /// # Security
    ///
    /// Paillier ciphertexts are malleable: whoever sends one may have computed it from others.
    /// Open results of your own computation, or go through a policy.
    ///
    /// # Errors
    ///
    /// [`Error::OtherKey`]; [`Error::Decryption`] if any of the numbers is no ciphertext under this
    /// key or lies outside the bound that the column states.
    ///
    /// # Timing
    ///
    /// Depends on the number of ciphertexts alone, up to the making of the big integers.
    pub fn decrypt_batch<S>(&self, ciphertexts: &CiphertextVec<S>) -> Result<Vec<Number>> {
        self.public_key().check_same(&ciphertexts.key)?;
        let residues = self.open(&ciphertexts.raw())?;
        let numbers: Vec<Number> = residues
            .iter()
            .map(|m| Number::new(self.public_key().signed(m), ciphertexts.scale))
            .collect();
        if numbers.iter().any(|m| *m.mantissa().magnitude() > ciphertexts.bound) {
            return Err(Error::Decryption);
        }
        Ok(numbers)
    }
}
