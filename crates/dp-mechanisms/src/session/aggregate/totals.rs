//! What each unit's rows add up to in each group, clamped, and summed over units.

use std::collections::HashMap;

use super::{Cell, Rows};
use crate::bound::{Entry, Norms, Selection};
use crate::hash::TableHasher;

impl<'a, T> Rows<'_, 'a, T> {
    /// The cells of all groups, where the items of a unit in a group are added up, the total clamped
    /// into `lower..=upper`, totals in as many groups kept as the limits allow, and these shrunk to
    /// the limits on their norms. All rows of a unit are used.
    pub(in super::super) fn sum_of_units(
        &self,
        groups: usize,
        (lower, upper): (i64, i64),
        norms: Norms,
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<i64>,
    ) -> Vec<Cell> {
        let mut cells = vec![Cell::default(); groups];
        let clamped =
            |total: i128| i64::try_from(total.clamp(lower.into(), upper.into())).unwrap_or(upper);
        let used = |row: &'a T| Some((group(row)?, item(row)?));
        let Some(units) = self.units else {
            for (group, item) in self.rows.iter().filter_map(used) {
                let mut total = [clamped(item.into()).into()];
                norms.shrink(&mut total);
                cells[group as usize].add(clamped_to_i64(total[0]));
            }
            return cells;
        };
        // Fewer than 2^32 rows of 64 bits: totals stay within 96 bits.
        let mut totals: HashMap<(u32, u32), i128, TableHasher> = HashMap::default();
        for (row, unit) in self.rows.iter().zip(units.ids()) {
            if let Some((group, item)) = used(row) {
                *totals.entry((*unit, group)).or_default() += i128::from(item);
            }
        }
        let mut totals: Vec<(u32, Entry)> = totals
            .into_iter()
            .map(|((unit, group), total)| (unit, Entry { group, value: clamped(total) }))
            .collect();
        totals.sort_unstable();
        let mut selection = Selection::new(self.bound);
        let (mut entries, mut kept, mut shrunk) = (Vec::new(), Vec::new(), Vec::new());
        for of_unit in totals.chunk_by(|a, b| a.0 == b.0) {
            let Some((unit, _)) = of_unit.first() else { continue };
            entries.clear();
            entries.extend(of_unit.iter().map(|(_, entry)| *entry));
            let identity = units.identities()[*unit as usize];
            kept.clear();
            selection.keep(identity, &mut entries, |value| value as u64, |entry| kept.push(entry));
            shrunk.clear();
            shrunk.extend(kept.iter().map(|entry| i128::from(entry.value)));
            norms.shrink(&mut shrunk);
            for (entry, total) in kept.iter().zip(&shrunk) {
                cells[entry.group as usize].add(clamped_to_i64(*total));
            }
        }
        cells
    }
}

fn clamped_to_i64(total: i128) -> i64 {
    total.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}
