//! Which unit each row belongs to: the part of each row, and the units of each part's rows.

use std::hash::Hash;

use super::super::threads::{share, worth_while};
use super::stretch::{self, Numbered, Stretch};
use crate::error::{Error, Result};
use crate::hash::TableHasher;

/// Rows of one part, unless there are so many rows that parts must be larger.
const ROWS_OF_PART: usize = 1 << 14;

/// More parts than this would be more places to write to than a processor keeps track of.
const MOST_PARTS: usize = 1 << 9;

/// Which unit each row belongs to.
#[derive(Clone)]
pub(crate) struct UnitIndex {
    /// For each row the part of its unit.
    part_of: Vec<u16>,
    parts: Vec<Part>,
    /// For each unit a hash of its key that is the same in every table, part after part.
    identities: Vec<u64>,
    /// How many threads may work on the table.
    threads: usize,
}

/// The units of a part.
#[derive(Clone)]
pub(in super::super) struct Part {
    /// For each row of the part, in the order of the table, which of its units that is of.
    pub(in super::super) unit_of: Vec<u32>,
    /// The number of its first unit in the whole table.
    pub(in super::super) first: u32,
    /// How many units it has.
    pub(in super::super) units: u32,
}

impl UnitIndex {
    /// Numbers the units of `rows` in up to `threads` threads, or as many as there are.
    pub(crate) fn build<'a, T: Sync, K: Eq + Hash + Send>(
        rows: &'a [T],
        unit: impl Fn(&'a T) -> K + Sync,
        threads: Option<usize>,
    ) -> Result<Self> {
        let limit = u64::from(u32::MAX);
        if rows.len() as u64 > limit {
            return Err(Error::TooManyRows { limit });
        }
        let threads = worth_while(rows.len(), threads);
        let parts = number_of_parts(rows.len());
        let hasher = TableHasher::default();
        let mut part_of = vec![0; rows.len()];
        let length = rows.len().div_ceil(threads).max(1);
        let tasks = rows.chunks(length).zip(part_of.chunks_mut(length)).enumerate();
        let begin = |begun: &mut Vec<_>, (i, (rows, part_of)): (_, (&'a [T], _))| {
            begun.push((i, Stretch::begun(rows, &unit, part_of, parts, &hasher)));
        };
        let begun = in_order(share(threads, tasks, Vec::new, begin)).collect();
        let numbered = stretch::joined(begun, &hasher, threads);
        Ok(UnitIndex::new(part_of, numbered, threads))
    }

    /// The index of a table of rows that belong to the given units of this one.
    pub(crate) fn of_rows(&self, ids: &[u32]) -> UnitIndex {
        let parts = number_of_parts(ids.len());
        let mut part_of = Vec::with_capacity(ids.len());
        let mut numbered: Vec<Numbered> = (0..parts).map(|_| Numbered::default()).collect();
        let mut places: Vec<Option<(u16, u32)>> = vec![None; self.identities.len()];
        for &id in ids {
            // Identities are hashes already.
            let identity = self.identities[id as usize];
            let (part, unit) = *places[id as usize].get_or_insert_with(|| {
                let part = (identity >> 32) as usize & (parts - 1);
                (part as u16, numbered[part].new_unit(identity))
            });
            part_of.push(part);
            numbered[usize::from(part)].unit_of.push(unit);
        }
        UnitIndex::new(part_of, numbered, self.threads)
    }

    fn new(part_of: Vec<u16>, numbered: Vec<Numbered>, threads: usize) -> Self {
        let mut identities = Vec::new();
        let parts = numbered.into_iter().map(|part| {
            let (first, units) = (identities.len() as u32, part.identities.len() as u32);
            identities.extend(part.identities);
            Part { unit_of: part.unit_of, first, units }
        });
        let parts = parts.collect();
        UnitIndex { part_of, parts, identities, threads }
    }

    /// The number of the unit of each row, in the order of the table.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u32> {
        let mut parts: Vec<_> =
            self.parts.iter().map(|part| (part.first, part.unit_of.iter())).collect();
        self.part_of.iter().filter_map(move |part| {
            let (first, units) = &mut parts[usize::from(*part)];
            units.next().map(|unit| *first + unit)
        })
    }

    /// The part of each row.
    pub(in super::super) fn part_of(&self) -> &[u16] {
        &self.part_of
    }

    pub(in super::super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub(crate) fn identities(&self) -> &[u64] {
        &self.identities
    }

    /// How many threads are worth while for this table.
    pub(in super::super) fn threads(&self) -> usize {
        worth_while(self.part_of.len(), Some(self.threads))
    }
}

fn number_of_parts(rows: usize) -> usize {
    (rows / ROWS_OF_PART).clamp(1, MOST_PARTS).next_power_of_two()
}

/// What threads made, in the order of the tasks it was made of.
pub(in super::super) fn in_order<R>(made: Vec<Vec<(usize, R)>>) -> impl Iterator<Item = R> {
    let mut made: Vec<_> = made.into_iter().flatten().collect();
    made.sort_unstable_by_key(|(task, _)| *task);
    made.into_iter().map(|(_, result)| result)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::hash::BuildHasher;

    use super::super::stretch::UNITS_OF_TABLE;
    use super::*;
    use crate::hash::stable_hasher;

    /// Fails unless rows have the same number exactly if they have the same key, and numbers lead
    /// to the hashes of keys.
    fn check<K: Eq + Hash + Clone + Send + Sync + std::fmt::Debug>(keys: &[K], threads: usize) {
        let index = UnitIndex::build(keys, K::clone, Some(threads)).unwrap();
        let ids: Vec<u32> = index.ids().collect();
        assert_eq!(ids.len(), keys.len());
        let mut expected: HashMap<&K, u32> = HashMap::new();
        for (key, id) in keys.iter().zip(&ids) {
            assert_eq!(expected.entry(key).or_insert(*id), id, "{key:?}");
            assert_eq!(index.identities()[*id as usize], stable_hasher().hash_one(key));
        }
        assert_eq!(expected.len(), index.identities().len());
        let mut ids: Vec<u32> = expected.into_values().collect();
        ids.sort_unstable();
        assert!(ids.iter().enumerate().all(|(i, id)| i as u32 == *id));
    }

    #[test]
    fn rows_of_a_unit_share_its_number() {
        check::<u64>(&[], 1);
        check(&[7u64, 7, 3, 7], 2);
        // One unit more than fits into a table, and many more, with rows of units seen before.
        check(&(0..=UNITS_OF_TABLE as u64).collect::<Vec<_>>(), 1);
        check(&(0..=UNITS_OF_TABLE as u64 + 1).collect::<Vec<_>>(), 1);
        check(&(0..300_000).map(|i| scattered(i, 100_003)).collect::<Vec<u64>>(), 1);
        check(
            &(0..100_000).map(|i| format!("user {}", scattered(i, 100_003))).collect::<Vec<_>>(),
            1,
        );
    }

    #[test]
    fn stretches_of_a_table_are_told_together() {
        // Few units, many, and units of some stretches only.
        for (threads, units) in [(2, 1), (2, 1000), (3, 100_003), (2, 900_000)] {
            let rows = 3 * (1 << 18) + 5;
            check(&(0..rows).map(|i| scattered(i, units)).collect::<Vec<u64>>(), threads);
            check(&(0..rows).map(|i| i * units / rows).collect::<Vec<u64>>(), threads);
        }
    }

    fn scattered(i: u64, units: u64) -> u64 {
        (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) % units
    }

    #[test]
    fn an_index_of_some_rows_keeps_the_identities() {
        let index = UnitIndex::build(&[5u8, 6, 7, 6, 5], |key| *key, None).unwrap();
        let ids: Vec<u32> = index.ids().collect();
        let some = index.of_rows(&[ids[3], ids[2], ids[3]]);
        let found: Vec<u32> = some.ids().collect();
        assert_eq!(found, [0, 1, 0]);
        assert_eq!(some.identities(), [ids[3], ids[2]].map(|id| index.identities()[id as usize]));
        let all = index.of_rows(&ids);
        let identity = |index: &UnitIndex| -> Vec<u64> {
            index.ids().map(|id| index.identities()[id as usize]).collect()
        };
        assert_eq!(identity(&all), identity(&index));
    }
}
