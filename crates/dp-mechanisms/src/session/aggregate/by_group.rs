//! Sums by group of rows that belong to units.

use super::slots::{MOST_GROUPS, Slot, Slots, Used};
use super::{Accumulator, Cell, Gather, Items, Rows};
use crate::bound::{Entry, Selection};
use crate::session::table::UnitIndex;

/// The most bytes that slots may take.
const SLOT_BYTES: usize = 1 << 29;

/// Rows that pass from one loop to the next at a time: a loop that calls the query's closures, and
/// one that waits for memory.
const BLOCK: usize = 1024;

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
        let allowed = self.bound.groups();
        let all_allowed = allowed >= cells.len() as u64;
        let most = usize::try_from(allowed).unwrap_or(usize::MAX).min(8);
        let width = most.next_power_of_two();
        let bytes = units.identities().len().saturating_mul(width * size_of::<Slot<i64>>());
        if all_allowed || bytes > SLOT_BYTES || cells.len() > MOST_GROUPS {
            return self.sum_by_rows(units, cells, group, item);
        }
        match items {
            // A row is an item of 1, so numbers of rows say everything.
            Items::Ones => self.sum_by_slots::<NoSum>(width, units, cells, group, item),
            // Sums of units beyond the limits are thrown away, so only sums of units within them
            // must not wrap.
            Items::UpTo(largest)
                if u128::from(largest) * u128::from(self.bound.rows()) < 1 << 62 =>
            {
                self.sum_by_slots::<i64>(width, units, cells, group, item);
            }
            Items::UpTo(_) => self.sum_by_rows(units, cells, group, item),
        }
    }

    /// Where a few slots for each unit tell which units are beyond their limits.
    fn sum_by_slots<Sum: Accumulator>(
        &self,
        width: usize,
        units: &UnitIndex,
        cells: &mut [Cell],
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<i64>,
    ) {
        let mut slots = Slots::<Sum>::new(units.identities().len(), width);
        let mut block = [Used::default(); BLOCK];
        for (rows, ids) in self.rows.chunks(BLOCK).zip(units.ids().chunks(BLOCK)) {
            let mut used = 0;
            for (row, &unit) in rows.iter().zip(ids) {
                if let (Some(group), Some(item)) = (group(row), item(row)) {
                    block[used] = Used { unit, group, item };
                    used += 1;
                }
            }
            slots.add(&block[..used]);
        }

        let (groups, rows) = (self.bound.groups(), self.bound.rows());
        let per_group = self.bound.rows_per_group();
        let is_within = |slots: &[Slot<Sum>]| {
            let total: u64 = slots.iter().map(|slot| u64::from(slot.rows)).sum();
            total <= rows
                && slots.len() as u64 <= groups
                && slots.iter().all(|slot| u64::from(slot.rows) <= per_group)
        };
        let mut selection = Selection::new(self.bound);
        let mut entries = Vec::new();
        let mut to_gather = Vec::new();
        for (unit, slots) in slots.units().enumerate() {
            match slots {
                Ok(slots) if is_within(slots) => slots.iter().for_each(|slot| slot.add_to(cells)),
                Ok(slots) if Sum::ONES => {
                    entries.clear();
                    for slot in slots {
                        let entry = Entry { group: slot.group(), value: 1 };
                        entries.extend(std::iter::repeat_n(entry, slot.rows as usize));
                    }
                    selection.keep(
                        units.identities()[unit],
                        &mut entries,
                        |value| value as u64,
                        |entry| cells[entry.group as usize].add(1),
                    );
                }
                Ok(slots) => to_gather.push((unit, slots.iter().map(|slot| slot.rows).sum())),
                Err(rows) => to_gather.push((unit, rows)),
            }
        }
        if to_gather.is_empty() {
            return;
        }
        let mut next = to_gather.into_iter().peekable();
        let rows_of = (0..units.identities().len())
            .map(|unit| next.next_if(|(over, _)| *over == unit).map_or(0, |(_, rows)| rows));
        let mut gather = Gather::new(rows_of, 0);
        for (row, &id) in self.rows.iter().zip(units.ids()) {
            if gather.wants(id)
                && let (Some(group), Some(value)) = (group(row), item(row))
            {
                gather.push(id, Entry { group, value });
            }
        }
        gather.select(
            units,
            self.bound,
            |value| value as u64,
            |entry| cells[entry.group as usize].add(entry.value),
        );
    }

    /// Where only the number of a unit's rows tells whether it may be beyond its limits.
    fn sum_by_rows(
        &self,
        units: &UnitIndex,
        cells: &mut [Cell],
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<i64>,
    ) {
        const LEFT_OUT: u32 = u32::MAX;
        let mut rows_of = vec![0u32; units.identities().len()];
        let group_of: Vec<u32> = self
            .rows
            .iter()
            .zip(units.ids())
            .map(|(row, &id)| match (group(row), item(row)) {
                (Some(group), Some(_)) => {
                    rows_of[id as usize] += 1;
                    group
                }
                _ => LEFT_OUT,
            })
            .collect();
        let mut gather = Gather::new(rows_of.iter().copied(), self.bound.always_within());
        for ((row, &id), &group) in self.rows.iter().zip(units.ids()).zip(&group_of) {
            if group == LEFT_OUT {
                continue;
            }
            let Some(value) = item(row) else { continue };
            if gather.wants(id) {
                gather.push(id, Entry { group, value });
            } else {
                cells[group as usize].add(value);
            }
        }
        gather.select(
            units,
            self.bound,
            |value| value as u64,
            |entry| cells[entry.group as usize].add(entry.value),
        );
    }
}

/// The sum of items that are all 1, which the number of rows says already.
#[derive(Clone, Copy, Debug, Default)]
struct NoSum;

impl From<NoSum> for i128 {
    fn from(_: NoSum) -> i128 {
        0
    }
}

impl Accumulator for NoSum {
    const ONES: bool = true;

    #[inline]
    fn add_wrapping(self, _: i64) -> NoSum {
        NoSum
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use privacy_core::params::{ContributionLimits, RowLimit};
    use privacy_core::unit::UnitKind;
    use proptest::prelude::*;

    use super::*;
    use crate::bound::Contribution;

    type Row = (u8, u8, i64);

    /// Every unit's rows by themselves, cut to the limits.
    fn plainly(rows: &[Row], units: &UnitIndex, bound: Contribution, groups: usize) -> Vec<Cell> {
        let mut of_unit: BTreeMap<u32, Vec<Entry>> = BTreeMap::new();
        for (row, id) in rows.iter().zip(units.ids()) {
            if usize::from(row.1) < groups {
                let entry = Entry { group: row.1.into(), value: row.2 };
                of_unit.entry(*id).or_default().push(entry);
            }
        }
        let mut cells = vec![Cell::default(); groups];
        for (id, mut entries) in of_unit {
            let identity = units.identities()[id as usize];
            let content = |value: i64| value as u64;
            Selection::new(bound).keep(identity, &mut entries, content, |entry| {
                cells[entry.group as usize].add(entry.value);
            });
        }
        cells
    }

    proptest! {
        #[test]
        fn slots_rows_and_the_plain_way_agree(
            rows in prop::collection::vec((0u8..6, 0u8..16, -3i64..4), 0..300),
            huge in prop::bool::weighted(0.2),
            limits in (1u32..40, 1u32..14, 1u32..12),
            groups in 2usize..16,
        ) {
            let rows: Vec<Row> = rows
                .into_iter()
                .map(|(unit, group, x)| (unit, group, if huge { x * (1 << 61) } else { x }))
                .collect();
            let limit = |value| Some(RowLimit::new("limit", value).unwrap());
            let mut all = ContributionLimits::default();
            (all.rows, all.groups, all.rows_per_group) =
                (limit(limits.0), limit(limits.1), limit(limits.2));
            let bound = Contribution::new(UnitKind::User, &all, groups as u64).unwrap();
            let units = UnitIndex::build(&rows, |row: &Row| row.0).unwrap();
            let table = Rows { rows: &rows, units: Some(&units), bound };
            let group = |row: &Row| (usize::from(row.1) < groups).then_some(u32::from(row.1));

            let largest = if huge { 3 << 61 } else { 3 };
            let sums = table.sum(Items::UpTo(largest), groups, group, |row| Some(row.2));
            prop_assert_eq!(&sums, &plainly(&rows, &units, bound, groups));
            let counts = table.sum(Items::Ones, groups, group, |_| Some(1));
            let ones: Vec<Row> = rows.iter().map(|row| (row.0, row.1, 1)).collect();
            let counted = |cells: Vec<Cell>| -> Vec<i128> { cells.iter().map(|c| c.rows).collect() };
            prop_assert_eq!(counted(counts), counted(plainly(&ones, &units, bound, groups)));
        }
    }
}
