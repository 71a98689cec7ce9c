//! What each unit's rows add up to in each group, clamped, and summed over units.

use super::entries::Packed;
use super::{Cell, Rows};
use crate::bound::{Contribution, Entry, Norms, Selection};
use crate::session::by_unit::ByUnit;

/// What the totals of one unit are limited to.
#[derive(Clone, Copy)]
pub(in super::super) struct LimitedTotals {
    /// The range of each total.
    pub(in super::super) range: (i64, i64),
    /// Of all totals together.
    pub(in super::super) norms: Norms,
}

impl LimitedTotals {
    fn clamped(&self, total: i128) -> i64 {
        let (lower, upper) = self.range;
        i64::try_from(total.clamp(lower.into(), upper.into())).unwrap_or(upper)
    }

    /// Shrinks the totals of one unit to the limits on their norms, which makes none larger.
    fn shrink(&self, totals: &mut [Entry], scratch: &mut Vec<i128>) {
        scratch.clear();
        scratch.extend(totals.iter().map(|entry| i128::from(entry.value)));
        self.norms.shrink(scratch);
        for (entry, total) in totals.iter_mut().zip(scratch) {
            entry.value = (*total).clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        }
    }
}

impl<'a, T: Sync> Rows<'_, 'a, T> {
    /// The cells of all groups, where the items of a unit in a group are added up, the total clamped
    /// into its range, totals in as many groups kept as the limits allow, and these shrunk to the
    /// limits on their norms. All rows of a unit are used.
    pub(in super::super) fn sum_of_units(
        &self,
        groups: usize,
        limits: LimitedTotals,
        group: impl Fn(&'a T) -> Option<u32> + Sync,
        item: impl Fn(&'a T) -> Option<i64> + Sync,
    ) -> Vec<Cell> {
        let mut cells = vec![Cell::default(); groups];
        match self.units {
            None => {
                let mut scratch = Vec::new();
                for (group, item) in self.entries(group, item).flatten() {
                    let mut total = [Entry { group, value: limits.clamped(item.into()) }];
                    limits.shrink(&mut total, &mut scratch);
                    cells[group as usize].add(total[0].value);
                }
            }
            Some(units) => {
                let entry = |row| Some((group(row)?, Packed::from(item(row)?)));
                sum(ByUnit::deal(units, self.rows, entry), self.bound, limits, &mut cells);
            }
        }
        cells
    }
}

fn sum(rows: ByUnit<'_, Packed>, bound: Contribution, limits: LimitedTotals, cells: &mut [Cell]) {
    let mut selection = Selection::new(bound);
    let (mut totals, mut kept, mut scratch) = (Vec::new(), Vec::new(), Vec::new());
    rows.each(|identity, _, rows| {
        rows.sort_unstable_by_key(|(group, _)| *group);
        totals.clear();
        totals.extend(rows.chunk_by(|a, b| a.0 == b.0).filter_map(|of_group| {
            let (group, _) = of_group.first()?;
            // Fewer than 2^32 rows of 64 bits: totals stay within 96 bits.
            let total = of_group.iter().map(|(_, item)| i128::from(item.value())).sum();
            Some(Entry { group: *group, value: limits.clamped(total) })
        }));
        kept.clear();
        selection.keep(identity, &mut totals, |value| value as u64, |entry| kept.push(entry));
        limits.shrink(&mut kept, &mut scratch);
        for entry in &kept {
            cells[entry.group as usize].add(entry.value);
        }
    });
}
