//! Counts and sums by group of rows that belong to units.

use super::entries::{GroupCounts, Packed};
use super::{Cell, Rows};
use crate::bound::{Contribution, Entry, Selection};
use crate::session::by_unit::ByUnit;
use crate::session::table::UnitIndex;

impl<'a, T: Sync> Rows<'_, 'a, T> {
    /// Items that are all 1: which rows of a group are kept does not matter.
    pub(super) fn count_by_unit_and_group(
        &self,
        units: &UnitIndex,
        cells: &mut [Cell],
        group: impl Fn(&'a T) -> Option<u32> + Sync,
        item: impl Fn(&'a T) -> Option<i64> + Sync,
    ) {
        let group = |row| Some((item(row).and(group(row))?, ()));
        count(ByUnit::deal(units, self.rows, group), self.bound, cells);
    }

    pub(super) fn sum_by_unit_and_group(
        &self,
        units: &UnitIndex,
        cells: &mut [Cell],
        group: impl Fn(&'a T) -> Option<u32> + Sync,
        item: impl Fn(&'a T) -> Option<i64> + Sync,
    ) {
        let entry = |row| Some((group(row)?, Packed::from(item(row)?)));
        sum(ByUnit::deal(units, self.rows, entry), self.bound, cells);
    }
}

fn count(rows: ByUnit<'_, ()>, bound: Contribution, cells: &mut [Cell]) {
    struct State {
        counts: GroupCounts,
        selection: Selection,
        counted: Vec<(u32, u64)>,
    }
    let state = || State {
        counts: GroupCounts::new(cells.len()),
        selection: Selection::new(bound),
        counted: Vec::new(),
    };
    let states = rows.fold(state, |state, identity, unit, rows| {
        let State { counts, selection, counted } = state;
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
        selection.keep_counts(identity, counted, |group, rows| counts.add_to(group, rows));
    });
    for state in states {
        for (cell, rows) in cells.iter_mut().zip(state.counts.rows()) {
            *cell += Cell { rows: rows.into(), sum: rows.into() };
        }
    }
}

fn sum(rows: ByUnit<'_, Packed>, bound: Contribution, cells: &mut [Cell]) {
    struct State {
        cells: Vec<Cell>,
        counts: GroupCounts,
        selection: Selection,
        gathered: Vec<Entry>,
    }
    let state = || State {
        cells: vec![Cell::default(); cells.len()],
        counts: GroupCounts::new(cells.len()),
        selection: Selection::new(bound),
        gathered: Vec::new(),
    };
    let states = rows.fold(state, |state, identity, unit, rows| {
        let State { cells, counts, selection, gathered } = state;
        if counts.are_within(unit, rows, &bound) {
            for (group, item) in rows {
                cells[*group as usize].add(item.value());
            }
            return;
        }
        gathered.clear();
        gathered.extend(rows.iter().map(|&(group, item)| item.in_group(group)));
        let keep = |entry: Entry| cells[entry.group as usize].add(entry.value);
        selection.keep(identity, gathered, |value| value as u64, keep);
    });
    for state in states {
        cells.iter_mut().zip(state.cells).for_each(|(cell, some)| *cell += some);
    }
}
