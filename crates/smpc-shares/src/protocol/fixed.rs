//! Fixed-point numbers: integers that count multiples of 2^-fraction.

use crate::error::{Error, Result};
use crate::field::Ring;
use crate::party::Party;
use crate::protocol::{Ordered, Way};
use crate::security::Scheme;
use crate::sharing::ShareVec;

/// Fixed-point numbers with `fraction` bits after the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedPoint {
    fraction: u32,
}

impl FixedPoint {
    /// With so many bits after the point.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for more than 50.
    pub fn new(fraction: u32) -> Result<Self> {
        if fraction > 50 {
            return Err(Error::Parameter {
                parameter: "the bits after the point",
                requirement: "at most 50",
                given: u64::from(fraction),
            });
        }
        Ok(FixedPoint { fraction })
    }

    /// The bits after the point.
    #[must_use]
    pub fn fraction(&self) -> u32 {
        self.fraction
    }

    /// The nearest fixed-point number.
    ///
    /// # Errors
    ///
    /// [`Error::Encoding`] for NaN, infinities and magnitudes of 2^62 units and more.
    pub fn encode<R: Ring>(&self, value: f64) -> Result<R> {
        Ok(R::from_i128(self.units(value)?.into()))
    }

    pub(super) fn units(&self, value: f64) -> Result<i64> {
        let scaled = (value * (1u64 << self.fraction) as f64).round();
        if !scaled.is_finite() || scaled.abs() >= (1u64 << 62) as f64 {
            return Err(Error::Encoding { what: "a fixed-point number" });
        }
        Ok(scaled as i64)
    }

    /// The number.
    #[must_use]
    pub fn decode<R: Ring>(&self, value: R) -> f64 {
        value.to_i128() as f64 / (1u64 << self.fraction) as f64
    }
}

impl<R: Ordered, S: Scheme<R>> Party<R, S> {
    /// The product of fixed-point numbers, rounded to the nearest; exact up to half a unit in the
    /// last place. One product and one truncation.
    ///
    /// # Errors
    ///
    /// [`Error::FieldTooSmall`] unless integers of the session's size and the fraction fit; as
    /// [`less_than`](Party::less_than).
    pub async fn multiply_fixed(
        &mut self,
        a: &ShareVec<R, S>,
        b: &ShareVec<R, S>,
        point: FixedPoint,
    ) -> Result<ShareVec<R, S>> {
        let product = self.multiply(a, b).await?;
        self.rescale(&product, point).await
    }

    /// The sum of products of fixed-point numbers, truncated once.
    ///
    /// # Errors
    ///
    /// As [`multiply_fixed`](Party::multiply_fixed).
    pub async fn dot_fixed(
        &mut self,
        a: &ShareVec<R, S>,
        b: &ShareVec<R, S>,
        point: FixedPoint,
    ) -> Result<ShareVec<R, S>> {
        let sum = self.dot(a, b).await?;
        self.rescale(&sum, point).await
    }

    /// A product with twice the fraction rounded to one with the fraction.
    async fn rescale(&mut self, x: &ShareVec<R, S>, point: FixedPoint) -> Result<ShareVec<R, S>> {
        let fraction = point.fraction;
        if fraction == 0 {
            return Ok(x.clone());
        }
        let half = vec![R::from_u128(1 << (fraction - 1)); x.len()];
        let bits = self.core.integer_bits + fraction;
        R::Way::shifted(self, &x.plus_public(&half), bits, fraction).await
    }
}
