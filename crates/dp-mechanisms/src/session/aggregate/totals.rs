//! What each unit's rows add up to in each group, clamped, and summed over units.

use super::entries::Packed;
use super::{Cell, Rows};
use crate::bound::{Contribution, Entry, Selection};
use crate::session::by_unit::ByUnit;

impl<'a, T> Rows<'_, 'a, T> {
    /// The cells of all groups, where the items of a unit in a group are added up, the total clamped
    /// into `lower..=upper`, and totals in as many groups kept as the limits allow. All rows of a
    /// unit are used.
    pub(in super::super) fn sum_of_units(
        &self,
        groups: usize,
        totals: (i64, i64),
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<i64>,
    ) -> Vec<Cell> {
        let mut cells = vec![Cell::default(); groups];
        let entries = self.entries(group, item);
        match self.units {
            None => {
                for (group, item) in entries.flatten() {
                    cells[group as usize].add(clamped(item.into(), totals));
                }
            }
            Some(units) => {
                let packed = entries.map(|entry| entry.map(|(g, item)| (g, Packed::from(item))));
                sum(ByUnit::deal(units, packed), self.bound, totals, &mut cells);
            }
        }
        cells
    }
}

fn clamped(total: i128, (lower, upper): (i64, i64)) -> i64 {
    i64::try_from(total.clamp(lower.into(), upper.into())).unwrap_or(upper)
}

fn sum(rows: ByUnit<'_, Packed>, bound: Contribution, limits: (i64, i64), cells: &mut [Cell]) {
    let mut selection = Selection::new(bound);
    let mut totals: Vec<Entry> = Vec::new();
    rows.each(|identity, _, rows| {
        rows.sort_unstable_by_key(|(group, _)| *group);
        totals.clear();
        totals.extend(rows.chunk_by(|a, b| a.0 == b.0).filter_map(|of_group| {
            let (group, _) = of_group.first()?;
            // Fewer than 2^32 rows of 64 bits: totals stay within 96 bits.
            let total = of_group.iter().map(|(_, item)| i128::from(item.value())).sum();
            Some(Entry { group: *group, value: clamped(total, limits) })
        }));
        let keep = |entry: Entry| cells[entry.group as usize].add(entry.value);
        selection.keep(identity, &mut totals, |value| value as u64, keep);
    });
}
