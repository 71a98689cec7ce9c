//! Numbers of units by key: what key selection reads.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use privacy_core::error::{Error, Result};
use privacy_core::params::RowLimit;
use privacy_core::space::{Changes, Distance, Measurable, Rows, Space};
use privacy_core::transformation::Transformation;
use privacy_core::unit::{AddRemove, Adjacency, HasUnit, Relation, User};

use crate::bound::mix;
use crate::hash::{TableHasher, stable_hasher};

/// How often each key occurs, for the keys that occur: distinct, in order, each at least once.
///
/// `Debug` shows neither keys nor counts.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyCounts<K> {
    counts: Vec<(K, u64)>,
}

impl<K: Ord> KeyCounts<K> {
    /// The given counts. Counts of a key that is given several times add up (and end at
    /// `u64::MAX`); keys with count 0 are left out, as if they had not been given.
    pub fn new(counts: impl IntoIterator<Item = (K, u64)>) -> Self {
        let mut counts: Vec<(K, u64)> = counts.into_iter().filter(|(_, n)| *n > 0).collect();
        counts.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        counts.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
            }
            same
        });
        KeyCounts { counts }
    }

    /// The keys with their counts, in the order of keys.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, (K, u64)> {
        self.counts.iter()
    }

    pub(crate) fn as_slice(&self) -> &[(K, u64)] {
        &self.counts
    }
}

impl<K> fmt::Debug for KeyCounts<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCounts").finish_non_exhaustive()
    }
}

/// The space of [`KeyCounts`] with neighbours under `A`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keyed<K, A = AddRemove>(PhantomData<fn() -> (K, A)>);

impl<K, A: Adjacency> Space for Keyed<K, A> {
    type Data = KeyCounts<K>;
    type Owned = KeyCounts<K>;
    type Distance = KeyChanges;
}

/// How far counts by key can be apart.
///
/// Under add/remove one side exceeds the other in at most `keys` keys, by at most `per_key` in
/// each, and is nowhere below it. Under replace both sides may do so at once, in different keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyChanges {
    /// The most keys that change (in each direction).
    pub keys: u64,
    /// The most that one key's count changes.
    pub per_key: u64,
}

impl KeyChanges {
    /// What one unit changes that counts once in each of at most `keys` keys.
    #[must_use]
    pub fn of_unit(keys: u64) -> Self {
        KeyChanges { keys, per_key: 1 }
    }

    pub(crate) fn is_zero(self) -> bool {
        self.keys == 0 || self.per_key == 0
    }

    /// Keys that differ between neighbours, in either direction.
    pub(crate) fn all_keys(self, relation: Relation) -> u64 {
        match relation {
            Relation::AddRemove => self.keys,
            _ => self.keys.saturating_mul(2),
        }
    }

    /// Refuses distances that no noise can be calibrated to.
    pub(crate) fn checked(self) -> Result<Self> {
        let bound = |parameter, value: u64| match value {
            1..=0xffff_ffff => Ok(()),
            _ => Err(Error::Parameter {
                parameter,
                requirement: "from 1 to 2^32 - 1",
                given: value as f64,
            }),
        };
        bound("the number of keys of a unit", self.keys)?;
        bound("the count of a unit in one key", self.per_key)?;
        Ok(self)
    }
}

/// Ordered component by component.
impl PartialOrd for KeyChanges {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        use std::cmp::Ordering::Equal;
        match (self.keys.cmp(&other.keys), self.per_key.cmp(&other.per_key)) {
            (a, b) if a == b => Some(a),
            (Equal, b) => Some(b),
            (a, Equal) => Some(a),
            _ => None,
        }
    }
}

impl Distance for KeyChanges {
    fn zero() -> Self {
        KeyChanges { keys: 0, per_key: 0 }
    }
}

impl<K: Ord> Measurable for Keyed<K, AddRemove> {
    /// `None` where each side exceeds the other somewhere: no one unit was added or removed.
    fn distance(a: &KeyCounts<K>, b: &KeyCounts<K>) -> Option<KeyChanges> {
        let count = |of: &KeyCounts<K>, key: &K| {
            of.counts.binary_search_by(|(k, _)| k.cmp(key)).map_or(0, |i| of.counts[i].1)
        };
        let above = |x: &KeyCounts<K>, y: &KeyCounts<K>| {
            let excess = x.iter().map(|(key, n)| n.saturating_sub(count(y, key)));
            excess.filter(|n| *n > 0).fold(KeyChanges::zero(), |far, n| KeyChanges {
                keys: far.keys + 1,
                per_key: far.per_key.max(n),
            })
        };
        match (above(a, b), above(b, a)) {
            (far, none) if none.is_zero() => Some(far),
            (none, far) if none.is_zero() => Some(far),
            _ => None,
        }
    }
}

/// Counts, for each key, the users with at least one row of that key.
///
/// A user with more than `limit` keys counts in a pseudo-random choice of them, which depends on
/// the user and its keys alone, not on other users and not on the order of rows. Keys whose hashes
/// tie at the limit are left out together.
///
/// # Privacy
///
/// Adding or removing a user changes at most `limit` counts by 1.
pub struct UnitsPerKey<T, F> {
    limit: RowLimit,
    key: F,
    rows: PhantomData<fn() -> T>,
}

impl<T, F> UnitsPerKey<T, F> {
    /// Counts users by `key`, each in at most `limit` keys.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `limit` is 0.
    pub fn new(limit: u32, key: F) -> Result<Self> {
        let limit = RowLimit::new("the limit of keys per user", limit)?;
        Ok(UnitsPerKey { limit, key, rows: PhantomData })
    }
}

impl<T, F, K> Transformation for UnitsPerKey<T, F>
where
    T: HasUnit,
    F: Fn(&T) -> K + Send + Sync,
    K: Ord + Hash,
{
    type Input = Rows<T, User, AddRemove>;
    type Output = Keyed<K, AddRemove>;

    fn apply(&self, rows: &[T]) -> Result<KeyCounts<K>> {
        let hasher = stable_hasher();
        let mut keys_of: HashMap<T::Unit, Vec<K>, TableHasher> = HashMap::default();
        for row in rows {
            keys_of.entry(row.unit()).or_default().push((self.key)(row));
        }
        let kept = keys_of.into_iter().flat_map(|(unit, mut keys)| {
            keys.sort_unstable();
            keys.dedup();
            keep_some(&mut keys, hasher.hash_one(unit), self.limit.value() as usize, |key| {
                hasher.hash_one(key)
            });
            keys.into_iter().map(|key| (key, 1))
        });
        Ok(KeyCounts::new(kept))
    }

    fn stability(&self, d_in: Changes) -> Result<KeyChanges> {
        let keys = d_in.0.checked_mul(self.limit.value().into());
        let keys = keys
            .ok_or(Error::Overflow { quantity: "the number of changed keys", limit: "2^64 - 1" })?;
        Ok(KeyChanges { keys, per_key: d_in.0 })
    }
}

impl<T, F> fmt::Debug for UnitsPerKey<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnitsPerKey").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// Keeps at most `limit` of a unit's distinct keys: those with the smallest hash of unit and key.
///
/// Keys that tie with the first one too many are all dropped.
pub(crate) fn keep_some<X>(
    keys: &mut Vec<X>,
    identity: u64,
    limit: usize,
    hash: impl Fn(&X) -> u64,
) {
    if keys.len() <= limit {
        return;
    }
    keys.sort_by_cached_key(|key| mix(identity, hash(key)));
    let rank = |key: &X| mix(identity, hash(key));
    let too_many = keys.get(limit).map(rank).unwrap_or(u64::MAX);
    let kept = keys.iter().take(limit).take_while(|key| rank(key) < too_many).count();
    keys.truncate(kept);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn duplicate_keys_add_up_and_empty_ones_are_absent() {
        let counts = KeyCounts::new([("b", 2), ("a", 0), ("b", 3), ("c", u64::MAX), ("c", 1)]);
        assert_eq!(counts.as_slice(), [("b", 5), ("c", u64::MAX)]);
        assert_eq!(KeyCounts::<u8>::new([]).as_slice(), []);
        assert_eq!(format!("{counts:?}"), "KeyCounts { .. }");
    }

    #[test]
    fn one_user_with_everything_counts_within_the_limit() {
        let rows: Vec<(u8, i64)> =
            (0..1000).map(|i| (7, i)).chain([(7, i64::MIN), (7, i64::MIN)]).collect();
        let count = |limit| UnitsPerKey::new(limit, |row: &(u8, i64)| row.1).unwrap().apply(&rows);
        assert_eq!(count(3).unwrap().as_slice().len(), 3);
        assert!(count(3).unwrap().iter().all(|(_, n)| *n == 1));
        assert_eq!(count(5000).unwrap().as_slice().len(), 1001);
    }

    proptest! {
        #[test]
        fn a_user_changes_no_more_than_declared(
            mut rows in prop::collection::vec((0u8..5, 0u8..12), 0..60),
            limit in 1u32..6,
        ) {
            let count = UnitsPerKey::new(limit, |row: &(u8, u8)| row.1).unwrap();
            let all = count.apply(&rows).unwrap();
            let declared = count.stability(Changes(1)).unwrap();
            for user in 0..5 {
                let without: Vec<_> = rows.iter().copied().filter(|row| row.0 != user).collect();
                let rest = count.apply(&without).unwrap();
                prop_assert!(Keyed::distance(&all, &rest).unwrap() <= declared);
            }
            rows.reverse();
            prop_assert_eq!(count.apply(&rows).unwrap(), all);
        }
    }
}
