//! Which unit each row belongs to.
//!
//! Looking each row's unit up in a table of all units costs accesses to main memory once there are
//! many. So units belong to parts, by a hash of their keys, each of which has a table that a cache
//! holds: rows are dealt to parts first, and each part is numbered by itself. The index keeps what
//! that leaves: the part of each row, and the units of each part's rows. Few units are looked up in
//! one table, row by row.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, Hash};

use crate::error::{Error, Result};
use crate::hash::{TableHasher, stable_hasher};

/// Units that are looked up in one table.
const UNITS_OF_TABLE: usize = 1 << 15;

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
    pub(crate) fn build<'a, T, K: Eq + Hash>(
        rows: &'a [T],
        unit: impl Fn(&'a T) -> K,
    ) -> Result<Self> {
        let limit = u64::from(u32::MAX);
        if rows.len() as u64 > limit {
            return Err(Error::TooManyRows { limit });
        }
        let mut index = Builder::new(rows.len());
        let stable = stable_hasher();
        let mut table = HashMap::with_hasher(index.hasher.clone());
        let mut rest = rows.iter();
        while table.len() <= UNITS_OF_TABLE
            && let Some(row) = rest.next()
        {
            let place = index.place(&mut table, unit(row), &stable);
            index.push(place);
        }
        if !rest.as_slice().is_empty() {
            index.push_by_part(rest.as_slice(), unit, table, &stable);
        }
        Ok(index.finish())
    }

    /// The index of a table of rows that belong to the given units of this one.
    pub(crate) fn of_rows(&self, ids: &[u32]) -> UnitIndex {
        let mut index = Builder::new(ids.len());
        let mut places: Vec<Option<Place>> = vec![None; self.identities.len()];
        for &id in ids {
            // Identities are hashes already.
            let identity = self.identities[id as usize];
            let place = *places[id as usize].get_or_insert_with(|| {
                index.new_unit((identity >> 32) as usize & (index.parts.len() - 1), identity)
            });
            index.push(place);
        }
        index.finish()
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
}

/// Where a unit is: its part and its number there.
#[derive(Clone, Copy)]
struct Place {
    part: u16,
    unit: u32,
}

/// An index to which rows are added one after the other.
struct Builder {
    /// Says the part of a key; differs from process to process.
    hasher: TableHasher,
    part_of: Vec<u16>,
    parts: Vec<BuiltPart>,
}

#[derive(Clone)]
struct BuiltPart {
    unit_of: Vec<u32>,
    identities: Vec<u64>,
}

impl Builder {
    fn new(rows: usize) -> Self {
        let parts = (rows / ROWS_OF_PART).clamp(1, MOST_PARTS).next_power_of_two();
        // The table of one part has about its share of the rows, or more.
        let room = rows / parts + rows / parts / 8;
        let part = || BuiltPart { unit_of: Vec::with_capacity(room), identities: Vec::new() };
        Builder {
            hasher: TableHasher::default(),
            part_of: Vec::with_capacity(rows),
            parts: (0..parts).map(|_| part()).collect(),
        }
    }

    #[inline]
    fn part<K: Hash>(&self, key: &K) -> usize {
        // Tables place keys by the lowest and the highest digits of the same hash.
        (self.hasher.hash_one(key) >> 32) as usize & (self.parts.len() - 1)
    }

    fn new_unit(&mut self, part: usize, identity: u64) -> Place {
        let identities = &mut self.parts[part].identities;
        identities.push(identity);
        // Fewer than 2^32 rows, and at most MOST_PARTS parts.
        Place { part: part as u16, unit: identities.len() as u32 - 1 }
    }

    /// Where the unit of the given key is; a new one if the table has none.
    #[inline]
    fn place<K: Eq + Hash>(
        &mut self,
        table: &mut HashMap<K, Place, TableHasher>,
        key: K,
        stable: &impl BuildHasher,
    ) -> Place {
        match table.entry(key) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let identity = stable.hash_one(entry.key());
                let place = self.new_unit(self.part(entry.key()), identity);
                *entry.insert(place)
            }
        }
    }

    #[inline]
    fn push(&mut self, place: Place) {
        self.part_of.push(place.part);
        self.parts[usize::from(place.part)].unit_of.push(place.unit);
    }

    /// Adds the rest of the rows part by part, where `table` has the units seen before.
    fn push_by_part<'a, T, K: Eq + Hash>(
        &mut self,
        rows: &'a [T],
        unit: impl Fn(&'a T) -> K,
        table: HashMap<K, Place, TableHasher>,
        stable: &impl BuildHasher,
    ) {
        let room = rows.len() / self.parts.len();
        let room = room + room / 8;
        let mut keys: Vec<Vec<K>> = self.parts.iter().map(|_| Vec::with_capacity(room)).collect();
        for row in rows {
            let key = unit(row);
            let part = self.part(&key);
            self.part_of.push(part as u16);
            keys[part].push(key);
        }
        let mut seen: Vec<Vec<(K, Place)>> = self.parts.iter().map(|_| Vec::new()).collect();
        for (key, place) in table {
            seen[usize::from(place.part)].push((key, place));
        }
        let mut table = HashMap::with_hasher(self.hasher.clone());
        for (part, (keys, seen)) in keys.into_iter().zip(seen).enumerate() {
            table.clear();
            table.extend(seen);
            let mut unit_of = std::mem::take(&mut self.parts[part].unit_of);
            unit_of.extend(keys.into_iter().map(|key| self.place(&mut table, key, stable).unit));
            self.parts[part].unit_of = unit_of;
        }
    }

    fn finish(self) -> UnitIndex {
        let mut identities = Vec::new();
        let parts = self.parts.into_iter().map(|part| {
            let (first, units) = (identities.len() as u32, part.identities.len() as u32);
            identities.extend(part.identities);
            Part { unit_of: part.unit_of, first, units }
        });
        let parts = parts.collect();
        UnitIndex { part_of: self.part_of, parts, identities }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails unless rows have the same number exactly if they have the same key, and numbers lead
    /// to the hashes of keys.
    fn check<K: Eq + Hash + Clone + std::fmt::Debug>(keys: &[K]) {
        let index = UnitIndex::build(keys, K::clone).unwrap();
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
        check::<u64>(&[]);
        check(&[7u64, 7, 3, 7]);
        // One unit more than fits into a table, and many more, with rows of units seen before.
        check(&(0..=UNITS_OF_TABLE as u64).collect::<Vec<_>>());
        check(&(0..=UNITS_OF_TABLE as u64 + 1).collect::<Vec<_>>());
        let scattered = |i: u64| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) % 100_003;
        check(&(0..300_000).map(scattered).collect::<Vec<u64>>());
        check(&(0..100_000).map(|i| format!("user {}", scattered(i))).collect::<Vec<_>>());
    }

    #[test]
    fn an_index_of_some_rows_keeps_the_identities() {
        let index = UnitIndex::build(&[5u8, 6, 7, 6, 5], |key| *key).unwrap();
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
