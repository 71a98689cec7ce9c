//! Contribution bounding as a transformation for chains.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use privacy_core::error::{Error, Result};
use privacy_core::params::RowLimit;
use privacy_core::space::{Changes, Rows};
use privacy_core::transformation::Transformation;
use privacy_core::unit::{AddRemove, Adjacency, Record, Relation, User};

use crate::hash::stable_hasher;

/// Keeps at most a number of rows of each user, and turns a claim about records into one about
/// users: its output's neighbours are records.
///
/// Where a user has more rows, those with the smallest hash of user and row are kept, whatever the
/// order of the table.
///
/// # Privacy
///
/// Adding or removing a user changes at most `limit` rows of the output; replacing a user's rows
/// removes up to `limit` and adds up to `limit`, which pairs up into `2 · limit` changes of records
/// under add/remove. Under [`Replace`](privacy_core::unit::Replace) the output size would have to
/// be public, which bounding cannot promise: the transformation exists for add/remove only.
///
/// # Example
///
/// ```
/// use dp_mechanisms::bound::BoundRows;
/// use privacy_core::prelude::*;
///
/// let bound = BoundRows::new(|(user, _): &(u32, u8)| *user, 2)?;
/// let kept = bound.apply(&[(1, 10), (1, 11), (1, 12), (2, 10)])?;
/// assert_eq!(kept.len(), 3);
/// assert_eq!(bound.stability(Changes(1))?, Changes(2));
/// # Ok::<(), privacy_core::Error>(())
/// ```
pub struct BoundRows<T, F, A = AddRemove> {
    unit: F,
    limit: RowLimit,
    rows: PhantomData<fn() -> (T, A)>,
}

impl<T, F, K> BoundRows<T, F>
where
    F: Fn(&T) -> K + Send + Sync,
    K: Eq + Hash,
{
    /// Keeps at most `limit` rows of each user, which `unit` tells apart.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `limit` is 0.
    pub fn new(unit: F, limit: u32) -> Result<Self> {
        let limit = RowLimit::new("the limit of rows per user", limit)?;
        Ok(BoundRows { unit, limit, rows: PhantomData })
    }
}

impl<T, F, K> Transformation for BoundRows<T, F>
where
    T: Clone + Hash,
    F: Fn(&T) -> K + Send + Sync,
    K: Eq + Hash,
{
    type Input = Rows<T, User, AddRemove>;
    type Output = Rows<T, Record, AddRemove>;

    fn apply(&self, rows: &[T]) -> Result<Vec<T>> {
        debug_assert_eq!(AddRemove::RELATION, Relation::AddRemove);
        let mut users: HashMap<K, Vec<&T>> = HashMap::new();
        for row in rows {
            users.entry((self.unit)(row)).or_default().push(row);
        }
        let limit = self.limit.value() as usize;
        let mut kept = Vec::new();
        for (user, mut rows) in users {
            if rows.len() > limit {
                let hasher = stable_hasher();
                rows.sort_by_cached_key(|row| hasher.hash_one((&user, *row)));
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

impl<T, F, A> std::fmt::Debug for BoundRows<T, F, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BoundRows").field("limit", &self.limit).finish_non_exhaustive()
    }
}
