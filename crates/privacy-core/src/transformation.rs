//! The first primitive: from data to data, with a known stability.

use crate::chain::{Follows, Then};
use crate::error::Result;
use crate::space::{Data, DistanceOf, Owned, Space};

/// Maps data to data and knows how far it can drive neighbours apart.
///
/// # Privacy
///
/// An implementation promises: if two inputs are at most `d_in` apart in the metric of `Input`,
/// their outputs are at most `stability(d_in)` apart in the metric of `Output`. Everything after it
/// relies on that. It also promises that whether it fails, and with which error, does not depend
/// on the data. [`conformance`](crate::conformance) has tests for both.
///
/// # Example
///
/// A transformation of one's own: keep the rows of successful logins. Removing one row from the
/// input removes at most one from the output, so the stability is the identity.
///
/// ```
/// use privacy_core::prelude::*;
///
/// struct Successful;
///
/// impl Transformation for Successful {
///     type Input = Rows<(u64, bool)>;
///     type Output = Rows<(u64, bool)>;
///
///     fn apply(&self, rows: &[(u64, bool)]) -> Result<Vec<(u64, bool)>> {
///         Ok(rows.iter().filter(|(_, ok)| *ok).copied().collect())
///     }
///
///     fn stability(&self, d_in: Changes) -> Result<Changes> {
///         Ok(d_in)
///     }
/// }
/// ```
pub trait Transformation: Send + Sync {
    /// The space it reads.
    type Input: Space;
    /// The space it produces.
    type Output: Space;

    /// Transforms `data`.
    ///
    /// # Errors
    ///
    /// Only for reasons that do not depend on the data, such as a failing store.
    fn apply(&self, data: &Data<Self::Input>) -> Result<Owned<Self::Output>>;

    /// The largest distance of two outputs whose inputs are at most `d_in` apart.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Overflow`] if the distance leaves its range.
    fn stability(&self, d_in: DistanceOf<Self::Input>) -> Result<DistanceOf<Self::Output>>;

    /// This transformation, followed by another transformation or by a mechanism.
    ///
    /// Compiles only where `next` reads the space that `self` produces:
    ///
    /// ```compile_fail,E0277
    /// use privacy_core::prelude::*;
    /// # struct Count;
    /// # impl Transformation for Count {
    /// #     type Input = Rows<u64, Record, AddRemove>;
    /// #     type Output = Scalar<i128>;
    /// #     fn apply(&self, rows: &[u64]) -> Result<i128> { Ok(rows.len() as i128) }
    /// #     fn stability(&self, d_in: Changes) -> Result<Amount> { Ok(d_in.0.into()) }
    /// # }
    /// // A count produces a number; there are no rows left to count.
    /// let twice = Count.then(Count);
    /// ```
    fn then<N, Role>(self, next: N) -> Then<Self, N>
    where
        Self: Sized,
        N: Follows<Self::Output, Role>,
    {
        Then::new(self, next)
    }
}

impl<T: Transformation + ?Sized> Transformation for &T {
    type Input = T::Input;
    type Output = T::Output;

    fn apply(&self, data: &Data<Self::Input>) -> Result<Owned<Self::Output>> {
        (**self).apply(data)
    }

    fn stability(&self, d_in: DistanceOf<Self::Input>) -> Result<DistanceOf<Self::Output>> {
        (**self).stability(d_in)
    }
}
