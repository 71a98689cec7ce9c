//! Columns of encrypted numbers, and what can be computed on them without the key.
//!
//! A [`CiphertextVec`] is the unit: it stays in the form the kernels compute in, several numbers
//! side by side. A [`Ciphertext`] is a column of one, with operators.
//!
//! Two states are told apart by type. What was encrypted, received or blinded is [`Blinded`] and
//! can be serialized. What was computed from other ciphertexts is [`Derived`]: it could tell how it
//! was made to somebody who knows the inputs, and is serialized only after it has been blinded.
//!
//! ```compile_fail,E0599
//! # fn leak(a: &paillier_he::Ciphertext, b: &paillier_he::Ciphertext) -> Result<(), paillier_he::Error> {
//! let sum = (a + b)?;
//! sum.to_bytes(); // error: `Ciphertext<Derived>` has no `to_bytes`
//! # Ok(()) }
//! ```

mod combine;
mod encrypt;
mod operators;

pub use encrypt::encrypt_batch;

use std::fmt;
use std::marker::PhantomData;

use num_bigint::BigUint;
use privacy_core::random::SecureRng;

use crate::error::{Error, Result};
use crate::kernel::{Batch, Nat};
use crate::key::{Encryptor, PublicKey};
use crate::number::Scale;
use crate::pool::BlindingPool;

/// The state of ciphertexts that may leave the process.
#[derive(Clone, Copy, Debug)]
pub enum Blinded {}

/// The state of ciphertexts that were computed and not blinded since.
#[derive(Clone, Copy, Debug)]
pub enum Derived {}

mod sealed {
    pub trait State: Send + Sync + 'static {}
    impl State for super::Blinded {}
    impl State for super::Derived {}
}

/// [`Blinded`] or [`Derived`].
pub trait State: sealed::State {}
impl State for Blinded {}
impl State for Derived {}

/// Encrypted numbers under one key, at one scale, within one bound.
///
/// The bound is public and carried along: an operation whose result could leave the range of the
/// key returns [`Error::WouldOverflow`] and computes nothing.
pub struct CiphertextVec<S = Blinded> {
    pub(crate) key: PublicKey,
    pub(crate) batch: Batch,
    pub(crate) scale: Scale,
    pub(crate) bound: BigUint,
    pub(crate) state: PhantomData<fn() -> S>,
}

/// One encrypted number: a [`CiphertextVec`] of length 1 with operators.
///
/// Costs as much memory and time as eight numbers of a column where the processor computes eight at
/// once; use columns for many.
pub struct Ciphertext<S = Blinded>(pub(crate) CiphertextVec<S>);

impl<S> CiphertextVec<S> {
    /// How many numbers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batch.len() == 0
    }

    /// The key they are encrypted under.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// What one unit of the encrypted integers is worth.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// The largest magnitude that the encrypted integers can have.
    #[must_use]
    pub fn bound(&self) -> &BigUint {
        &self.bound
    }

    pub(crate) fn of(key: &PublicKey, batch: Batch, scale: Scale, bound: BigUint) -> Self {
        let state = PhantomData;
        CiphertextVec { key: key.clone(), batch, scale, bound, state }
    }

    /// The number at a position.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Ciphertext<S>> {
        (index < self.len()).then(|| Ciphertext(self.pick(std::iter::once(index))))
    }

    /// The numbers at the given positions, in that order.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a position beyond the end.
    pub fn select(&self, positions: &[usize]) -> Result<Self> {
        if positions.iter().any(|i| *i >= self.len()) {
            let requirement = "below the length of the column";
            return Err(Error::Parameter { parameter: "a position", requirement });
        }
        Ok(self.pick(positions.iter().copied()))
    }

    fn pick(&self, positions: impl ExactSizeIterator<Item = usize>) -> Self {
        let batch = self.batch.gather(self.key.ring(), positions);
        Self::of(&self.key, batch, self.scale, self.bound.clone())
    }

    /// One column of several, at their common scale; the bound is the largest.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for no columns, [`Error::OtherKey`], [`Error::Parameter`] for columns of
    /// different scales.
    pub fn concat(columns: &[Self]) -> Result<Self> {
        let Some(first) = columns.first() else {
            return Err(Error::Parameter { parameter: "the columns", requirement: "one at least" });
        };
        let mut bound = first.bound.clone();
        for column in columns {
            first.key.check_same(&column.key)?;
            if column.scale != first.scale {
                let requirement = "the same in all columns; rescale them first";
                return Err(Error::Parameter { parameter: "the scale", requirement });
            }
            bound = bound.max(column.bound.clone());
        }
        let batch = Batch::concat(first.key.ring(), columns.iter().map(|c| &c.batch));
        Ok(Self::of(&first.key, batch, first.scale, bound))
    }

    /// Multiplies in fresh encryptions of zero: the result is unlinkable to what it was made of,
    /// for all but the holder of the private key, and may leave the process.
    ///
    /// # Errors
    ///
    /// [`Error::OtherKey`], [`Error::Entropy`].
    pub fn blind(
        self,
        encryptor: &impl Encryptor,
        rng: &mut dyn SecureRng,
    ) -> Result<CiphertextVec<Blinded>> {
        self.key.check_same(encryptor.public_key())?;
        let mut blinders = encryptor.blinders(self.len(), rng)?.0;
        self.key.hide_symbols(&mut blinders, rng)?;
        Ok(self.blinded_by(&blinders))
    }

    /// As [`CiphertextVec::blind`], with blinders made ahead of time: one product each.
    ///
    /// # Errors
    ///
    /// [`Error::OtherKey`], [`Error::PoolEmpty`].
    pub fn blind_from(self, pool: &mut BlindingPool) -> Result<CiphertextVec<Blinded>> {
        self.key.check_same(pool.public_key())?;
        let blinders = pool.take(self.len())?;
        Ok(self.blinded_by(&blinders))
    }

    fn blinded_by(self, blinders: &Batch) -> CiphertextVec<Blinded> {
        let CiphertextVec { key, mut batch, scale, bound, .. } = self;
        batch.mul_assign(key.ring(), blinders);
        CiphertextVec::of(&key, batch, scale, bound)
    }

    /// The numbers modulo n².
    pub(crate) fn raw(&self) -> Vec<Nat> {
        self.batch.store(self.key.ring())
    }
}

impl CiphertextVec<Blinded> {
    /// The same numbers with fresh randomness.
    ///
    /// # Errors
    ///
    /// As [`CiphertextVec::blind`].
    pub fn rerandomize(
        self,
        encryptor: &impl Encryptor,
        rng: &mut dyn SecureRng,
    ) -> Result<CiphertextVec<Blinded>> {
        self.blind(encryptor, rng)
    }
}

impl<S> Ciphertext<S> {
    /// The number as a column of one.
    #[must_use]
    pub fn into_vec(self) -> CiphertextVec<S> {
        self.0
    }

    /// The key it is encrypted under.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.0.key
    }

    /// What one unit of the encrypted integer is worth.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.0.scale
    }

    /// The largest magnitude that the encrypted integer can have.
    #[must_use]
    pub fn bound(&self) -> &BigUint {
        &self.0.bound
    }

    /// As [`CiphertextVec::blind`].
    ///
    /// # Errors
    ///
    /// As [`CiphertextVec::blind`].
    pub fn blind(
        self,
        encryptor: &impl Encryptor,
        rng: &mut dyn SecureRng,
    ) -> Result<Ciphertext<Blinded>> {
        self.0.blind(encryptor, rng).map(Ciphertext)
    }

    /// As [`CiphertextVec::blind_from`].
    ///
    /// # Errors
    ///
    /// As [`CiphertextVec::blind_from`].
    pub fn blind_from(self, pool: &mut BlindingPool) -> Result<Ciphertext<Blinded>> {
        self.0.blind_from(pool).map(Ciphertext)
    }
}

impl<S> Clone for CiphertextVec<S> {
    fn clone(&self) -> Self {
        Self::of(&self.key, self.batch.clone(), self.scale, self.bound.clone())
    }
}

impl<S> Clone for Ciphertext<S> {
    fn clone(&self) -> Self {
        Ciphertext(self.0.clone())
    }
}

impl<S> fmt::Debug for CiphertextVec<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CiphertextVec")
            .field("len", &self.len())
            .field("scale", &self.scale)
            .field("bound_bits", &self.bound.bits())
            .finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for Ciphertext<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ciphertext").field("scale", &self.0.scale).finish_non_exhaustive()
    }
}
