//! Aggregates whose rows add several coordinates.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

use super::Rows;
use super::entries::GroupCounts;
use crate::bound::{Contribution, Entry, Selection};
use crate::hash::{TableHasher, stable_hasher};
use crate::session::by_unit::ByUnit;

impl<'a, T: Sync> Rows<'_, 'a, T> {
    /// The coordinates of all groups, `coordinates` for each, to which `add` adds an item.
    pub(in super::super) fn tally<I: Copy + Default + Eq + Hash + Send + Sync>(
        &self,
        groups: usize,
        coordinates: usize,
        group: impl Fn(&'a T) -> Option<u32> + Sync,
        item: impl Fn(&'a T) -> Option<I> + Sync,
        add: impl Fn(I, &mut [i128]),
    ) -> Vec<i128> {
        let mut cells = vec![0i128; groups * coordinates];
        self.each_kept(groups, group, item, |group, item| {
            let start = group as usize * coordinates;
            add(item, &mut cells[start..start + coordinates]);
        });
        cells
    }

    /// Calls `keep` with group and item of each row that is within its unit's limits.
    ///
    /// Which rows of a unit beyond its limits are kept follows from a hash of unit, group and
    /// item, as everywhere.
    pub(in super::super) fn each_kept<I: Copy + Default + Eq + Hash + Send + Sync>(
        &self,
        groups: usize,
        group: impl Fn(&'a T) -> Option<u32> + Sync,
        item: impl Fn(&'a T) -> Option<I> + Sync,
        mut keep: impl FnMut(u32, I),
    ) {
        let Some(units) = self.units else {
            let entries = self.entries(group, item);
            entries.flatten().for_each(|(group, item)| keep(group, item));
            return;
        };
        let entry = |row| Some((group(row)?, item(row)?));
        each_kept(groups, ByUnit::deal(units, self.rows, entry), self.bound, &mut keep);
    }

    /// How many rows there are, the sum of their items and that of the squares, where units and
    /// groups don't matter. Items above `largest` count as that.
    pub(in super::super) fn power_sums(
        &self,
        largest: u64,
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<u64>,
    ) -> [i128; 3] {
        let (mut rows, mut sum, mut squares) = (0u64, 0u128, 0u128);
        for (_, item) in self.entries(group, item).flatten() {
            let item = u128::from(item.min(largest));
            rows += 1;
            sum += item;
            squares += item * item;
        }
        [rows.into(), sum as i128, squares as i128]
    }
}

fn each_kept<I: Copy + Default + Eq + Hash + Send + Sync>(
    groups: usize,
    rows: ByUnit<'_, I>,
    bound: Contribution,
    keep: &mut dyn FnMut(u32, I),
) {
    let stable = stable_hasher();
    let mut counts = GroupCounts::new(groups);
    let mut selection = Selection::new(bound);
    let mut gathered: Vec<Entry> = Vec::new();
    let mut items: Vec<(u64, I)> = Vec::new();
    rows.each(|identity, unit, rows| {
        if counts.are_within(unit, rows, &bound) {
            rows.iter().for_each(|(group, item)| keep(*group, *item));
            return;
        }
        // Equal items share a number, as the choice among a unit's rows requires.
        let mut numbers: HashMap<I, i64, TableHasher> =
            HashMap::with_capacity_and_hasher(rows.len(), TableHasher::default());
        items.clear();
        gathered.clear();
        gathered.extend(rows.iter().map(|&(group, item)| {
            let value = *numbers.entry(item).or_insert_with(|| {
                items.push((stable.hash_one(item), item));
                items.len() as i64 - 1
            });
            Entry { group, value }
        }));
        let content = |number: i64| items[number as usize].0;
        let keep = |entry: Entry| keep(entry.group, items[entry.value as usize].1);
        selection.keep(identity, &mut gathered, content, keep);
    });
}
