//! Counts and sums in one group of rows that belong to units.

use super::entries::Packed;
use super::{Cell, Rows};
use crate::bound::{Contribution, Entry, Selection};
use crate::session::by_unit::ByUnit;
use crate::session::table::UnitIndex;

/// Sums of this many units stay in a cache while rows come in any order.
const UNITS_IN_CACHE: usize = 1 << 16;

impl<'a, T> Rows<'_, 'a, T> {
    /// Items that are all 1: which rows are kept does not matter.
    pub(super) fn count_by_unit(
        &self,
        units: &UnitIndex,
        item: impl Fn(&'a T) -> Option<i64>,
    ) -> Cell {
        let mut rows_of = vec![0u32; units.identities().len()];
        for (row, id) in self.rows.iter().zip(units.ids()) {
            rows_of[id as usize] += u32::from(item(row).is_some());
        }
        let limit = self.bound.rows();
        let rows = rows_of.iter().map(|&rows| i128::from(u64::from(rows).min(limit))).sum();
        Cell { rows, sum: rows }
    }

    /// Items of at most `largest` in magnitude.
    pub(super) fn sum_by_unit(
        &self,
        units: &UnitIndex,
        largest: u64,
        item: impl Fn(&'a T) -> Option<i64>,
    ) -> Cell {
        // Sums of units beyond the limit are thrown away, so only those of units within it must
        // not wrap.
        let narrow = u128::from(largest) * u128::from(self.bound.rows()) < 1 << 62;
        if narrow && units.identities().len() <= UNITS_IN_CACHE {
            return self.sum_few_units(units, item);
        }
        let items = self.rows.iter().map(|row| Some((0, Packed::from(item(row)?))));
        sum(ByUnit::deal(units, items), self.bound)
    }

    /// Sums unit by unit in one pass, and deals only the rows of units that have too many.
    fn sum_few_units(&self, units: &UnitIndex, item: impl Fn(&'a T) -> Option<i64>) -> Cell {
        let mut of_unit = vec![(0i64, 0u32); units.identities().len()];
        for (row, id) in self.rows.iter().zip(units.ids()) {
            if let Some(item) = item(row) {
                let (sum, rows) = &mut of_unit[id as usize];
                *sum = sum.wrapping_add(item);
                *rows += 1;
            }
        }
        let within = |rows: u32| u64::from(rows) <= self.bound.rows();
        let mut cell = Cell::default();
        for &(sum, rows) in of_unit.iter().filter(|(_, rows)| within(*rows)) {
            cell.rows += i128::from(rows);
            cell.sum += i128::from(sum);
        }
        if of_unit.iter().all(|(_, rows)| within(*rows)) {
            return cell;
        }
        let items = self.rows.iter().zip(units.ids()).map(|(row, id)| {
            let beyond = !within(of_unit[id as usize].1);
            beyond.then(|| Some((0, Packed::from(item(row)?)))).flatten()
        });
        let beyond = sum(ByUnit::deal(units, items), self.bound);
        Cell { rows: cell.rows + beyond.rows, sum: cell.sum + beyond.sum }
    }
}

fn sum(rows: ByUnit<'_, Packed>, bound: Contribution) -> Cell {
    let mut cell = Cell::default();
    let mut selection = Selection::new(bound);
    let mut gathered: Vec<Entry> = Vec::new();
    rows.each(|identity, _, items| {
        if items.len() as u64 <= bound.rows() {
            cell.rows += items.len() as i128;
            cell.sum += items.iter().map(|(_, item)| i128::from(item.value())).sum::<i128>();
            return;
        }
        gathered.clear();
        gathered.extend(items.iter().map(|&(group, item)| item.in_group(group)));
        let content = |value| value as u64;
        selection.keep(identity, &mut gathered, content, |entry| cell.add(entry.value));
    });
    cell
}
