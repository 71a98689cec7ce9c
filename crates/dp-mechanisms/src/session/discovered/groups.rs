//! Numbers of units by group, and groups once they are selected.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

use privacy_core::measure::Charge;
use privacy_core::release::Release;

use super::super::by_unit::ByUnit;
use super::super::grouping::Grouping;
use super::super::release::GroupedRelease;
use super::super::statistic::Statistic;
use super::super::table::Table;
use crate::error::{Error, Result};
use crate::hash::{TableHasher, stable_hasher};
use crate::keys::counts::keep_some;
use crate::keys::{Itself, KeyCounts, KeyLists, KnownGroups};

/// How many units each group has, of rows that `statistic` reads, with at most `limit` groups of
/// each unit.
///
/// Which groups of a unit count depends on the unit and its groups alone, through a hash that is the
/// same in every table.
pub(super) fn units_by_group<'a, T, U, A, S, K>(
    table: &Table<'a, T, U, A>,
    statistic: &S,
    key: impl Fn(&'a T) -> K,
    limit: u64,
) -> KeyCounts<K>
where
    T: Sync,
    S: Statistic<'a, T>,
    K: Ord + Hash + Clone,
{
    let read = |row: &&'a T| statistic.item(row).is_some();
    let mut numbers: HashMap<K, u32, TableHasher> = HashMap::default();
    let Some(units) = table.units() else {
        let mut counts: HashMap<K, u64, TableHasher> = HashMap::default();
        for row in table.rows().iter().filter(read) {
            *counts.entry(key(row)).or_default() += 1;
        }
        return KeyCounts::new(counts);
    };
    let stable = stable_hasher();
    let mut hashes = Vec::new();
    let groups = table.rows().iter().map(|row| {
        // A session holds fewer than 2^32 rows with a unit, hence fewer groups.
        let next = hashes.len() as u32;
        read(&row).then(|| {
            let group = *numbers.entry(key(row)).or_insert_with_key(|key| {
                hashes.push(stable.hash_one(key));
                next
            });
            (group, ())
        })
    });
    let by_unit = ByUnit::deal_in_order(units, groups);
    let mut counts = vec![0u64; hashes.len()];
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut groups: Vec<u32> = Vec::new();
    by_unit.each(|identity, _, of_unit| {
        of_unit.sort_unstable();
        groups.clear();
        groups.extend(of_unit.iter().map(|(group, ())| *group));
        groups.dedup();
        keep_some(&mut groups, identity, limit, |group| hashes[*group as usize]);
        for group in &groups {
            counts[*group as usize] += 1;
        }
    });
    KeyCounts::new(numbers.into_iter().map(|(key, group)| (key, counts[group as usize])))
}

/// Which groups each unit has, of rows that `statistic` reads.
pub(super) fn groups_by_unit<'a, T, U, A, S, K>(
    table: &Table<'a, T, U, A>,
    statistic: &S,
    key: impl Fn(&'a T) -> K,
) -> Result<KeyLists<K>>
where
    T: Sync,
    S: Statistic<'a, T>,
    K: Ord + Hash,
{
    let limit = u64::from(u32::MAX);
    if table.rows().len() as u64 > limit {
        return Err(Error::TooManyRows { limit });
    }
    let read = |(row, unit): (&'a T, u32)| statistic.item(row).map(|_| (key(row), unit));
    Ok(match table.units() {
        Some(units) => {
            let rows = table.rows().iter().zip(units.ids());
            KeyLists::numbered(rows.filter_map(read).collect(), units.identities())
        }
        // Each row is a unit with one group, which no limit leaves out.
        None => {
            let rows = table.rows().iter().zip(0u32..);
            KeyLists::numbered(rows.filter_map(read).collect(), &vec![0; table.rows().len()])
        }
    })
}

/// Rows by groups that were selected.
pub(super) struct Selected<'q, K, F> {
    groups: KnownGroups<K>,
    key: &'q F,
}

impl<'q, K: Eq + Hash + Clone, F> Selected<'q, K, F> {
    /// `None` where nothing was selected.
    pub(super) fn new(groups: &[K], key: &'q F) -> Option<Self> {
        Some(Selected { groups: KnownGroups::new(groups).ok()?, key })
    }
}

impl<'a, T, K, F> Grouping<'a, T> for Selected<'_, K, F>
where
    T: 'a,
    F: Fn(&'a T) -> K + Send + Sync,
    K: Eq + Hash + Clone + Send + Sync,
{
    type Output<V> = GroupedRelease<K, V>;

    fn groups(&self) -> usize {
        self.groups.groups().len()
    }

    #[inline]
    fn group(&self, row: &'a T) -> Option<u32> {
        self.groups.position::<K, Itself>(&(self.key)(row))
    }

    fn collect<V>(&self, releases: Vec<Release<V>>, charge: Charge) -> Option<Self::Output<V>> {
        Some(GroupedRelease::new(self.groups.groups().to_vec(), releases, charge))
    }

    fn describe(&self) -> String {
        " by discovered groups".to_owned()
    }
}
