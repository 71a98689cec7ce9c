//! Counts and sums in one group of rows that belong to units.

use super::entries::Packed;
use super::{Cell, Rows};
use crate::bound::{Contribution, Entry, Selection};
use crate::session::by_unit::ByUnit;
use crate::session::table::UnitIndex;

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

    pub(super) fn sum_by_unit(
        &self,
        units: &UnitIndex,
        item: impl Fn(&'a T) -> Option<i64>,
    ) -> Cell {
        let items = self.rows.iter().map(|row| Some((0, Packed::from(item(row)?))));
        sum(ByUnit::deal(units, items), self.bound)
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
