//! Contribution bounding as a transformation for chains.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use privacy_core::error::{Error, Result};
use privacy_core::params::RowLimit;
use privacy_core::space::{Changes, Rows};
use privacy_core::transformation::Transformation;
use privacy_core::unit::{AddRemove, HasUnit, Record, User};

use crate::hash::stable_hasher;

/// Keeps at most a number of rows of each user, and turns a claim about users into one about
/// records: its output's neighbours are records.
///
/// Where a user has more rows, those with the smallest hash of user and row are kept, whatever the
/// order of the table. The output is in the order of users.
///
/// # Privacy
///
/// Adding or removing a user adds or removes at most `limit` rows of the output. It exists for
/// add/remove only: under [`Replace`](privacy_core::unit::Replace) the number of rows would have to
/// be public, which bounding cannot promise.
///
/// # Example
///
/// ```
/// use dp_mechanisms::bound::BoundRows;
/// use privacy_core::prelude::*;
///
/// // Pairs belong to the user in their first half.
/// let bound = BoundRows::new(2)?;
/// let kept = bound.apply(&[(1, 10), (1, 11), (1, 12), (2, 10)])?;
/// assert_eq!(kept.len(), 3);
/// assert_eq!(bound.stability(Changes(1))?, Changes(2));
/// # Ok::<(), privacy_core::Error>(())
/// ```
pub struct BoundRows<T> {
    limit: RowLimit,
    rows: PhantomData<fn() -> T>,
}

impl<T> BoundRows<T> {
    /// Keeps at most `limit` rows of each user.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `limit` is 0.
    pub fn new(limit: u32) -> Result<Self> {
        let limit = RowLimit::new("the limit of rows per user", limit)?;
        Ok(BoundRows { limit, rows: PhantomData })
    }
}

impl<T: HasUnit + Clone + Hash + Ord> Transformation for BoundRows<T> {
    type Input = Rows<T, User, AddRemove>;
    type Output = Rows<T, Record, AddRemove>;

    fn apply(&self, rows: &[T]) -> Result<Vec<T>> {
        let mut users: BTreeMap<T::Unit, Vec<&T>> = BTreeMap::new();
        for row in rows {
            users.entry(row.unit()).or_default().push(row);
        }
        let (limit, hasher) = (self.limit.value() as usize, stable_hasher());
        let mut kept = Vec::new();
        for (user, mut rows) in users {
            if rows.len() > limit {
                // Rows that tie and differ are told apart by their order as values.
                rows.sort_by_cached_key(|row| (hasher.hash_one((&user, *row)), *row));
                rows.truncate(limit);
            }
            kept.extend(rows.into_iter().cloned());
        }
        Ok(kept)
    }

    fn stability(&self, d_in: Changes) -> Result<Changes> {
        let changes = d_in.0.checked_mul(self.limit.value().into());
        changes
            .map(Changes)
            .ok_or(Error::Overflow { quantity: "the number of changed rows", limit: "2^64 - 1" })
    }
}

impl<T> fmt::Debug for BoundRows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundRows").field("limit", &self.limit).finish()
    }
}
