//! The distinct values of each group.

use std::collections::hash_map::Entry as Place;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

use super::{Cell, Rows};
use crate::bound::{Contribution, Entry, Selection};
use crate::hash::{TableHasher, stable_hasher};
use crate::session::by_unit::ByUnit;

impl<'a, T: Sync> Rows<'_, 'a, T> {
    /// The cells of all groups, where each row names a value and each group counts the distinct
    /// ones.
    pub(in super::super) fn distinct<V: Eq + Hash>(
        &self,
        groups: usize,
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<V>,
    ) -> Vec<Cell> {
        let stable = stable_hasher();
        let mut numbers: HashMap<V, u64, TableHasher> = HashMap::default();
        let mut contents = Vec::new();
        let named = self.entries(group, item).map(|named| {
            let (group, value) = named?;
            let number = match numbers.entry(value) {
                Place::Occupied(place) => *place.get(),
                Place::Vacant(place) => {
                    contents.push(stable.hash_one(place.key()));
                    *place.insert(contents.len() as u64 - 1)
                }
            };
            Some((group, number))
        });
        let mut seen = Seen { values: HashSet::default(), cells: vec![Cell::default(); groups] };
        match self.units {
            None => named.flatten().for_each(|(group, number)| seen.add(group, number)),
            Some(units) => {
                // With units there are fewer than 2^32 rows, hence values.
                let named = named.map(|named| named.map(|(group, n)| (group, n as u32)));
                let by_unit = ByUnit::deal_in_order(units, named);
                seen.add_by_unit(by_unit, self.bound, &contents);
            }
        }
        seen.cells
    }
}

/// The values seen in each group, by number, and how many they are.
struct Seen {
    values: HashSet<(u32, u64), TableHasher>,
    cells: Vec<Cell>,
}

impl Seen {
    fn add(&mut self, group: u32, number: u64) {
        if self.values.insert((group, number)) {
            self.cells[group as usize].add(1);
        }
    }

    /// `contents` are the values' hashes.
    fn add_by_unit(&mut self, rows: ByUnit<'_, u32>, bound: Contribution, contents: &[u64]) {
        let mut selection = Selection::new(bound);
        let mut entries = Vec::new();
        rows.each(|identity, _, named| {
            // One row of a unit for each value it names in each group.
            named.sort_unstable();
            let once = named.chunk_by(|a, b| a == b).filter_map(<[_]>::first);
            entries.clear();
            entries.extend(once.map(|&(group, number)| Entry { group, value: number.into() }));
            let content = |number: i64| contents[number as usize];
            let keep = |entry: Entry| self.add(entry.group, entry.value as u64);
            selection.keep(identity, &mut entries, content, keep);
        });
    }
}
