//! Division and square roots of integers, exact.

use crate::error::{Error, Result};
use crate::party::Party;
use crate::protocol::{Ordered, Way};
use crate::security::Scheme;
use crate::sharing::ShareVec;

impl<R: Ordered, S: Scheme<R>> Party<R, S> {
    /// Each secret divided by a public number, rounded down; exact for all integers of `bits` bits.
    ///
    /// One truncation of 2·bits + 1 bits and one comparison.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for 0 or a divisor of more than `bits` bits; [`Error::FieldTooSmall`];
    /// as [`less_than`](Party::less_than).
    pub async fn divide_public(
        &mut self,
        x: &ShareVec<R, S>,
        divisor: u64,
        bits: u32,
    ) -> Result<ShareVec<R, S>> {
        let size = u64::BITS - divisor.leading_zeros();
        if divisor == 0 || size > bits || 2 * bits + 2 > R::BITS {
            return Err(Error::Parameter {
                parameter: "the divisor",
                requirement: "at least 1, of at most `bits` bits, half as large as the field",
                given: divisor,
            });
        }
        if divisor == 1 {
            return Ok(x.checked()?.clone());
        }
        // With m = floor(2^bits/d): x/d - x·m/2^bits lies in [0, 1) for 0 ≤ x < 2^bits and in (-1, 0]
        // below: one comparison finds the missing one.
        let factor = (1u128 << bits) / u128::from(divisor);
        let approximate =
            R::Way::shifted(self, &x.scaled(R::from_u128(factor)), 2 * bits + 1, bits).await?;
        let remainder = x - &approximate.scaled(R::from_u128(u128::from(divisor)));
        let d = R::from_u128(u128::from(divisor));
        let length = x.len();
        // The remainder lies in [-d, 2d).
        let low = remainder.clone();
        let high = remainder.plus_public(&vec![-d; length]);
        let signs = R::Way::negative(self, &low.chain(&high), bits + 3).await?;
        let (negative, less) = (signs.slice(0..length), signs.slice(length..2 * length));
        Ok(approximate - negative - less + 1)
    }

    /// `a` divided by `b`, rounded down, for non-negative `a` of `bits` bits and positive `b`, by long
    /// division: `bits` comparisons in a row. All ones where `b` is zero.
    ///
    /// # Errors
    ///
    /// [`Error::FieldTooSmall`] unless numbers of 2·bits bits can be compared; as
    /// [`less_than`](Party::less_than).
    pub async fn divide(
        &mut self,
        a: &ShareVec<R, S>,
        b: &ShareVec<R, S>,
        bits: u32,
    ) -> Result<ShareVec<R, S>> {
        if a.checked()?.len() != b.checked()?.len() {
            return Err(Error::LengthMismatch { left: a.len(), right: b.len() });
        }
        let mut rest = a.clone();
        let mut quotient = a.scaled(R::ZERO);
        for bit in (0..bits).rev() {
            let shifted = b.scaled(R::from_u128(1 << bit));
            let less = R::Way::negative(self, &(&rest - &shifted), 2 * bits + 1).await?;
            let fits = -less + 1;
            rest -= &self.multiply(&fits, &shifted).await?;
            quotient += &fits.scaled(R::from_u128(1 << bit));
        }
        Ok(quotient)
    }

    /// The square root, rounded down, of non-negative integers of `bits` bits; half as many
    /// comparisons in a row.
    ///
    /// # Errors
    ///
    /// As [`less_than`](Party::less_than).
    pub async fn square_root(&mut self, x: &ShareVec<R, S>, bits: u32) -> Result<ShareVec<R, S>> {
        let mut root = x.checked()?.scaled(R::ZERO);
        // The rest is x - root².
        let mut rest = x.clone();
        for bit in (0..bits.div_ceil(2)).rev() {
            // (root + 2^bit)² - root² = 2^(bit+1)·root + 2^(2·bit).
            let grown = root.scaled(R::from_u128(1 << (bit + 1)));
            let step = grown.plus_public(&vec![R::from_u128(1 << (2 * bit)); x.len()]);
            let less = R::Way::negative(self, &(&rest - &step), bits + 2).await?;
            let fits = -less + 1;
            rest -= &self.multiply(&fits, &step).await?;
            root += &fits.scaled(R::from_u128(1 << bit));
        }
        Ok(root)
    }
}
