//! Operators for people: `(&a + &b)?`, `(&a + 3)?`, `(-&a)?`, `(3 * &a)?`.
//!
//! Every operator can refuse (another key, no exact common scale, a bound that would overflow), so
//! every operator gives a `Result`. Integers beside an operator count as public.

use std::ops::{Add, Mul, Neg, Sub};

use num_bigint::BigInt;

use super::{Ciphertext, Derived};
use crate::error::Result;
use crate::number::Value;

impl<S> Ciphertext<S> {
    /// Adds a plain value, encoded at this number's scale.
    ///
    /// # Errors
    ///
    /// As [`CiphertextVec::add_plain`](super::CiphertextVec::add_plain).
    pub fn add_plain(&self, value: impl Value) -> Result<Ciphertext<Derived>> {
        self.0.add_plain(&[value]).map(Ciphertext)
    }

    /// Multiplies by a secret weight of up to `bits` bits and a sign, in constant time.
    ///
    /// # Errors
    ///
    /// As [`CiphertextVec::multiply`](super::CiphertextVec::multiply).
    ///
    /// # Timing
    ///
    /// As [`CiphertextVec::multiply`](super::CiphertextVec::multiply).
    pub fn multiply(&self, weight: i64, bits: u32) -> Result<Ciphertext<Derived>> {
        self.0.multiply(&[weight], bits).map(Ciphertext)
    }

    /// Multiplies by a public integer of any size.
    ///
    /// # Errors
    ///
    /// As [`CiphertextVec::multiply_all_vartime`](super::CiphertextVec::multiply_all_vartime).
    ///
    /// # Timing
    ///
    /// Depends on the factor.
    pub fn multiply_vartime(&self, factor: &BigInt) -> Result<Ciphertext<Derived>> {
        self.0.multiply_all_vartime(factor).map(Ciphertext)
    }
}

impl<S, T> Add<&Ciphertext<T>> for &Ciphertext<S> {
    type Output = Result<Ciphertext<Derived>>;

    fn add(self, other: &Ciphertext<T>) -> Self::Output {
        self.0.add(&other.0).map(Ciphertext)
    }
}

impl<S, T> Sub<&Ciphertext<T>> for &Ciphertext<S> {
    type Output = Result<Ciphertext<Derived>>;

    fn sub(self, other: &Ciphertext<T>) -> Self::Output {
        self.0.sub(&other.0).map(Ciphertext)
    }
}

impl<S> Add<i64> for &Ciphertext<S> {
    type Output = Result<Ciphertext<Derived>>;

    fn add(self, value: i64) -> Self::Output {
        self.add_plain(value)
    }
}

impl<S> Sub<i64> for &Ciphertext<S> {
    type Output = Result<Ciphertext<Derived>>;

    fn sub(self, value: i64) -> Self::Output {
        self.add_plain(-i128::from(value))
    }
}

impl<S> Add<&Ciphertext<S>> for i64 {
    type Output = Result<Ciphertext<Derived>>;

    fn add(self, other: &Ciphertext<S>) -> Self::Output {
        other + self
    }
}

impl<S> Sub<&Ciphertext<S>> for i64 {
    type Output = Result<Ciphertext<Derived>>;

    fn sub(self, other: &Ciphertext<S>) -> Self::Output {
        let negated = (-other)?;
        &negated + self
    }
}

impl<S> Neg for &Ciphertext<S> {
    type Output = Result<Ciphertext<Derived>>;

    fn neg(self) -> Self::Output {
        self.0.neg().map(Ciphertext)
    }
}

/// # Timing
///
/// Depends on the integer.
impl<S> Mul<i64> for &Ciphertext<S> {
    type Output = Result<Ciphertext<Derived>>;

    fn mul(self, factor: i64) -> Self::Output {
        self.multiply_vartime(&factor.into())
    }
}

/// # Timing
///
/// Depends on the integer.
impl<S> Mul<&Ciphertext<S>> for i64 {
    type Output = Result<Ciphertext<Derived>>;

    fn mul(self, other: &Ciphertext<S>) -> Self::Output {
        other * self
    }
}
