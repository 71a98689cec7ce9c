//! Sums by group of rows that belong to units.

use super::sorted::each_unit;
use super::{Cell, Items, Rows};
use crate::bound::{Contribution, Entry, Selection};
use crate::session::table::UnitIndex;

impl<'a, T> Rows<'_, 'a, T> {
    /// Units, several groups.
    pub(super) fn sum_by_unit_and_group(
        &self,
        items: Items,
        units: &UnitIndex,
        cells: &mut [Cell],
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<i64>,
    ) {
        match items {
            Items::Ones => self.count_by_unit_and_group(units, cells, group, item),
            Items::UpTo(_) => self.add_by_unit_and_group(units, cells, group, item),
        }
    }

    /// Items that are all 1: which rows of a group are kept does not matter.
    fn count_by_unit_and_group(
        &self,
        units: &UnitIndex,
        cells: &mut [Cell],
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<i64>,
    ) {
        let mut rows_of = vec![0u64; cells.len()];
        let mut selection = Selection::new(self.bound);
        let groups = self.rows.iter().map(|row| item(row).and(group(row)));
        each_unit(units.ids(), units.identities().len(), groups, |unit, groups| {
            if is_within(&self.bound, groups, |group| *group) {
                groups.iter().for_each(|group| rows_of[*group as usize] += 1);
                return;
            }
            let identity = units.identities()[unit as usize];
            selection.keep_counts(identity, groups, |group, rows| rows_of[group as usize] += rows);
        });
        for (cell, rows) in cells.iter_mut().zip(rows_of) {
            *cell = Cell { rows: rows.into(), sum: rows.into() };
        }
    }

    fn add_by_unit_and_group(
        &self,
        units: &UnitIndex,
        cells: &mut [Cell],
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<i64>,
    ) {
        let mut selection = Selection::new(self.bound);
        let mut gathered: Vec<Entry> = Vec::new();
        let packed = self.rows.iter().map(|row| Some(Packed::new(group(row)?, item(row)?)));
        each_unit(units.ids(), units.identities().len(), packed, |unit, packed| {
            if is_within(&self.bound, packed, |entry| entry.group) {
                for entry in packed {
                    cells[entry.group as usize].add(entry.value());
                }
                return;
            }
            gathered.clear();
            gathered.extend(packed.iter().map(|p| Entry { group: p.group, value: p.value() }));
            selection.keep(
                units.identities()[unit as usize],
                &mut gathered,
                |value| value as u64,
                |entry| cells[entry.group as usize].add(entry.value),
            );
        });
    }
}

/// An entry in 12 bytes, so that with its unit it takes 16.
#[derive(Clone, Copy, Debug, Default)]
struct Packed {
    group: u32,
    high: i32,
    low: u32,
}

impl Packed {
    #[inline]
    fn new(group: u32, value: i64) -> Self {
        Packed { group, high: (value >> 32) as i32, low: value as u32 }
    }

    #[inline]
    fn value(&self) -> i64 {
        i64::from(self.high) << 32 | i64::from(self.low)
    }
}

/// Whether a unit's rows are certainly within its limits: told by a glance at their groups.
#[inline]
fn is_within<E>(bound: &Contribution, entries: &[E], group: impl Fn(&E) -> u32) -> bool {
    const GROUPS: usize = 8;
    let rows = entries.len() as u64;
    if rows <= bound.always_within() {
        return true;
    }
    if rows > bound.rows() {
        return false;
    }
    // Where more groups are allowed than are looked at, what has more than those is left to the
    // choice among rows, which keeps all of what is within the limits.
    let most = bound.groups().min(GROUPS as u64) as usize;
    let mut seen = [(0u32, 0u64); GROUPS];
    let mut groups = 0;
    for entry in entries {
        let group = group(entry);
        match seen[..groups].iter_mut().find(|(seen, _)| *seen == group) {
            Some((_, rows)) => *rows += 1,
            None if groups < most => {
                seen[groups] = (group, 1);
                groups += 1;
            }
            None => return false,
        }
    }
    seen[..groups].iter().all(|(_, rows)| *rows <= bound.rows_per_group())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_values_are_kept() {
        for value in [0, 1, -1, i64::MIN, i64::MAX, 1 << 32, -(1 << 31), u32::MAX.into()] {
            assert_eq!(Packed::new(7, value).value(), value);
        }
        assert_eq!(size_of::<Packed>(), 12);
    }
}
