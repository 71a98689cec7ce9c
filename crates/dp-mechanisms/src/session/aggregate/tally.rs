//! Aggregates whose rows add several coordinates.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

use super::{Gather, Rows};
use crate::bound::Entry;
use crate::hash::{TableHasher, stable_hasher};

impl<'a, T> Rows<'_, 'a, T> {
    /// The coordinates of all groups, `coordinates` for each, to which `add` adds an item.
    ///
    /// Which rows of a unit beyond its limits are used follows from a hash of unit, group and
    /// item, as everywhere.
    pub(in super::super) fn tally<I: Clone + Eq + Hash>(
        &self,
        groups: usize,
        coordinates: usize,
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<I>,
        add: impl Fn(&I, &mut [i128]),
    ) -> Vec<i128> {
        let mut cells = vec![0i128; groups * coordinates];
        let mut add = |group: u32, item: &I| {
            let start = group as usize * coordinates;
            add(item, &mut cells[start..start + coordinates]);
        };
        let Some(units) = self.units else {
            for row in self.rows {
                if let (Some(group), Some(item)) = (group(row), item(row)) {
                    add(group, &item);
                }
            }
            return cells;
        };
        let mut rows_of = vec![0u32; units.identities().len()];
        for (row, &id) in self.rows.iter().zip(units.ids()) {
            if group(row).is_some() && item(row).is_some() {
                rows_of[id as usize] += 1;
            }
        }
        let mut gather = Gather::new(rows_of.iter().copied(), self.bound.always_within());
        // Equal items share a number, as the choice among a unit's rows requires.
        let mut numbers: HashMap<I, i64, TableHasher> = HashMap::default();
        let mut items: Vec<(u64, I)> = Vec::new();
        let stable = stable_hasher();
        for (row, &id) in self.rows.iter().zip(units.ids()) {
            let (Some(group), Some(item)) = (group(row), item(row)) else { continue };
            if gather.wants(id) {
                let value = *numbers.entry(item).or_insert_with_key(|item| {
                    items.push((stable.hash_one(item), item.clone()));
                    items.len() as i64 - 1
                });
                gather.push(id, Entry { group, value });
            } else {
                add(group, &item);
            }
        }
        gather.select(
            units,
            self.bound,
            |number| items[number as usize].0,
            |entry| add(entry.group, &items[entry.value as usize].1),
        );
        cells
    }
}
