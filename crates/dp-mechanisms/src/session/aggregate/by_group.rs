//! Counts and sums by group of rows that belong to units.

use super::entries::{GroupCounts, Packed};
use super::{Cell, Rows};
use crate::bound::{Contribution, Entry, Selection};
use crate::session::by_unit::ByUnit;
use crate::session::table::UnitIndex;

impl<'a, T> Rows<'_, 'a, T> {
    /// Items that are all 1: which rows of a group are kept does not matter.
    pub(super) fn count_by_unit_and_group(
        &self,
        units: &UnitIndex,
        cells: &mut [Cell],
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<i64>,
    ) {
        let groups = self.rows.iter().map(|row| Some((item(row).and(group(row))?, ())));
        count(ByUnit::deal(units, groups), self.bound, cells);
    }

    pub(super) fn sum_by_unit_and_group(
        &self,
        units: &UnitIndex,
        cells: &mut [Cell],
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<i64>,
    ) {
        let entries = self.rows.iter().map(|row| Some((group(row)?, Packed::from(item(row)?))));
        sum(ByUnit::deal(units, entries), self.bound, cells);
    }
}

fn count(rows: ByUnit<'_, ()>, bound: Contribution, cells: &mut [Cell]) {
    let mut counts = GroupCounts::new(cells.len());
    let mut selection = Selection::new(bound);
    let mut counted: Vec<(u32, u64)> = Vec::new();
    rows.each(|identity, unit, rows| {
        if rows.len() as u64 <= bound.always_within() {
            counts.add(rows);
            return;
        }
        let of_unit = counts.count(unit, rows);
        if of_unit.are_within(&bound) {
            return;
        }
        counted.clear();
        of_unit.take(|group, rows| counted.push((group, rows)));
        selection.keep_counts(identity, &mut counted, |group, rows| counts.add_to(group, rows));
    });
    for (cell, rows) in cells.iter_mut().zip(counts.rows()) {
        *cell = Cell { rows: rows.into(), sum: rows.into() };
    }
}

fn sum(rows: ByUnit<'_, Packed>, bound: Contribution, cells: &mut [Cell]) {
    let mut counts = GroupCounts::new(cells.len());
    let mut selection = Selection::new(bound);
    let mut gathered: Vec<Entry> = Vec::new();
    rows.each(|identity, unit, rows| {
        if counts.are_within(unit, rows, &bound) {
            for (group, item) in rows {
                cells[*group as usize].add(item.value());
            }
            return;
        }
        gathered.clear();
        gathered.extend(rows.iter().map(|&(group, item)| item.in_group(group)));
        let keep = |entry: Entry| cells[entry.group as usize].add(entry.value);
        selection.keep(identity, &mut gathered, |value| value as u64, keep);
    });
}
