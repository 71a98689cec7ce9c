//! Truncation that is cheaper than an exact one, and says so.

use crate::error::{Error, Result};
use crate::party::Party;
use crate::protocol::{Ordered, Way};
use crate::security::Scheme;
use crate::sharing::ShareVec;

impl<R: Ordered, S: Scheme<R>> Party<R, S> {
    /// Each secret divided by 2^`by`, rounded down or up at random: up with the probability of the
    /// part cut off, so that the mean is exact and the error below one unit in the last place. One
    /// opening after random bits in a field, three rounds in Z/2^64; no comparison.
    ///
    /// [`shift_right`](Party::shift_right) is exact. Where rounding must not depend on chance, or a
    /// quotient is compared with another, use that.
    ///
    /// # Security
    ///
    /// As a comparison: what is opened is masked, perfectly in Z/2^64 and statistically with the
    /// session's mask bits in a field. The choice between the two quotients depends on the mask, which
    /// some parties know in part: nobody learns it, but it is not the ideal functionality that tosses a
    /// fresh coin, and no proof here covers programs that open both the quotient and the number.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless 1 ≤ `by` < the session's integer bits, or for integers of more than 62
    /// bits in Z/2^64; [`Error::FieldTooSmall`]; as [`multiply`](Party::multiply).
    pub async fn truncate_probabilistic(
        &mut self,
        x: &ShareVec<R, S>,
        by: u32,
    ) -> Result<ShareVec<R, S>> {
        let bits = self.core.integer_bits;
        if by == 0 || by >= bits {
            return Err(Error::Parameter {
                parameter: "the bits to cut off",
                requirement: "at least 1 and fewer than the session's integers have",
                given: by.into(),
            });
        }
        R::Way::truncated(self, x, bits, by).await
    }
}
