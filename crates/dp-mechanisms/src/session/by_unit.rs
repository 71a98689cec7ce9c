//! Rows handed out unit by unit, in memory that caches hold.
//!
//! What a unit has in each group can only be told with all its rows at hand, and a table is in any
//! order. So what a query reads of each row is dealt to the parts of the index, each part in its own
//! run of memory, and each part, small enough for a cache, is sorted by unit.

use super::table::{UnitIndex, in_order};
use super::threads::share;

/// No row is in this group.
const LEFT_OUT: u32 = u32::MAX;

/// What a query reads of each row, its group and an item, dealt to the parts of the units.
pub(super) struct ByUnit<'u, I> {
    units: &'u UnitIndex,
    /// Of each stretch of the table what its parts have.
    stretches: Vec<Vec<Vec<(u32, I)>>>,
}

impl<'u, I: Copy + Default + Send + Sync> ByUnit<'u, I> {
    /// Deals what `entry` says of each row; `None` leaves a row out. Small items (a multiple of 4
    /// bytes) are best.
    pub(super) fn deal<'a, T: Sync>(
        units: &'u UnitIndex,
        rows: &'a [T],
        entry: impl Fn(&'a T) -> Option<(u32, I)> + Sync,
    ) -> Self {
        let threads = units.threads();
        let length = rows.len().div_ceil(threads).max(1);
        let tasks = rows.chunks(length).zip(units.part_of().chunks(length)).enumerate();
        let dealt = share(threads, tasks, Vec::new, |dealt, (i, (rows, part_of))| {
            dealt.push((i, deal(units, part_of, rows.iter().map(&entry), threads)));
        });
        ByUnit { units, stretches: in_order(dealt).collect() }
    }

    /// Deals what `entries` yields for each row, in the order of the table.
    pub(super) fn deal_in_order(
        units: &'u UnitIndex,
        entries: impl Iterator<Item = Option<(u32, I)>>,
    ) -> Self {
        ByUnit { units, stretches: vec![deal(units, units.part_of(), entries, 1)] }
    }

    /// Calls `each` with the identity and the number of every unit that has rows and what is read
    /// of them, in no order that matters.
    pub(super) fn each(self, mut each: impl FnMut(u64, u32, &mut [(u32, I)])) {
        let mut sorting = Sorting::default();
        for part in 0..self.units.parts().len() {
            self.each_of_part(part, &mut sorting, &mut each);
        }
    }

    /// The same in several threads, with a state for each of them. Returns the states.
    pub(super) fn fold<S: Send>(
        self,
        state: impl Fn() -> S + Sync,
        each: impl Fn(&mut S, u64, u32, &mut [(u32, I)]) + Sync,
    ) -> Vec<S> {
        let state = || (Sorting::default(), state());
        let parts = 0..self.units.parts().len();
        let states = share(self.units.threads(), parts, state, |(sorting, state), part| {
            let each = |identity, unit, rows: &mut [_]| each(state, identity, unit, rows);
            self.each_of_part(part, sorting, each);
        });
        states.into_iter().map(|(_, state)| state).collect()
    }

    /// Sorts the rows of a part by unit, by counting.
    fn each_of_part(
        &self,
        part: usize,
        sorting: &mut Sorting<I>,
        mut each: impl FnMut(u64, u32, &mut [(u32, I)]),
    ) {
        let Sorting { rows_before, sorted } = sorting;
        let stretches = self.stretches.iter().map(|stretch| stretch[part].as_slice());
        let part = &self.units.parts()[part];
        rows_before.clear();
        rows_before.resize(part.units as usize + 1, 0);
        let mut unit_of = part.unit_of.as_slice();
        for rows in stretches.clone() {
            let (units, rest) = unit_of.split_at(rows.len());
            for (&(group, _), unit) in rows.iter().zip(units) {
                rows_before[*unit as usize + 1] += u32::from(group != LEFT_OUT);
            }
            unit_of = rest;
        }
        let mut kept = 0;
        for rows in &mut *rows_before {
            kept += *rows;
            *rows = kept;
        }
        sorted.clear();
        sorted.resize(kept as usize, (LEFT_OUT, I::default()));
        let mut unit_of = part.unit_of.as_slice();
        for rows in stretches {
            let (units, rest) = unit_of.split_at(rows.len());
            for (&row, unit) in rows.iter().zip(units) {
                if row.0 != LEFT_OUT {
                    let place = &mut rows_before[*unit as usize];
                    sorted[*place as usize] = row;
                    *place += 1;
                }
            }
            unit_of = rest;
        }
        // Each unit's place has moved to its end.
        let mut start = 0;
        for (unit, &end) in rows_before[..part.units as usize].iter().enumerate() {
            let end = end as usize;
            if end > start {
                let unit = part.first + unit as u32;
                let identity = self.units.identities()[unit as usize];
                each(identity, unit, &mut sorted[start..end]);
                start = end;
            }
        }
    }
}

/// Memory for sorting one part after the other.
struct Sorting<I> {
    rows_before: Vec<u32>,
    sorted: Vec<(u32, I)>,
}

impl<I> Default for Sorting<I> {
    fn default() -> Self {
        Sorting { rows_before: Vec::new(), sorted: Vec::new() }
    }
}

/// Deals the entries of a stretch of the table, one of `stretches`, to parts.
fn deal<I: Copy + Default>(
    units: &UnitIndex,
    part_of: &[u16],
    entries: impl Iterator<Item = Option<(u32, I)>>,
    stretches: usize,
) -> Vec<Vec<(u32, I)>> {
    // A part has about its share of each stretch; one stretch has all of it.
    let room = |rows: usize| if stretches == 1 { rows } else { rows / stretches + rows / 16 };
    let mut parts: Vec<Vec<(u32, I)>> =
        units.parts().iter().map(|part| Vec::with_capacity(room(part.unit_of.len()))).collect();
    for (part, entry) in part_of.iter().zip(entries) {
        // Rows that are left out keep their place, as that says their unit.
        parts[usize::from(*part)].push(entry.unwrap_or((LEFT_OUT, I::default())));
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_unit_gets_all_its_rows_once() {
        let tables = [
            (100, 1, 1),
            (5000, 7, 2),
            (20_000, 30_000, 1),
            (90_000, 40_009, 1),
            (600_000, 1009, 2),
            (900_000, 70_001, 3),
        ];
        for (rows, units, threads) in tables {
            let of_row = |i: u64| i * 7919 % units;
            let keys: Vec<u64> = (0..rows).map(of_row).collect();
            let index = UnitIndex::build(&keys, |key| *key, Some(threads)).unwrap();
            let numbers: Vec<u32> = (0..rows as u32).collect();
            let entry = |i: &u32| (!i.is_multiple_of(3)).then_some((i / 5, *i));
            let mut expected: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
            for (i, id) in numbers.iter().zip(index.ids()) {
                expected.entry(id).or_default().extend(entry(i));
            }
            expected.retain(|_, entries| !entries.is_empty());
            let mut found = BTreeMap::new();
            ByUnit::deal(&index, &numbers, entry).each(|identity, unit, entries| {
                assert_eq!(identity, index.identities()[unit as usize]);
                assert!(found.insert(unit, entries.to_vec()).is_none());
            });
            assert_eq!(found, expected);
            let in_order = ByUnit::deal_in_order(&index, numbers.iter().map(entry));
            let states = in_order.fold(Vec::new, |found: &mut Vec<_>, identity, unit, entries| {
                assert_eq!(identity, index.identities()[unit as usize]);
                found.push((unit, entries.to_vec()));
            });
            let all = states.iter().map(Vec::len).sum::<usize>();
            assert_eq!(all, expected.len());
            assert_eq!(states.into_iter().flatten().collect::<BTreeMap<_, _>>(), expected);
        }
        let none = UnitIndex::build(&[], |row: &u8| *row, None).unwrap();
        ByUnit::<u32>::deal(&none, &[0u8; 0], |_| None).each(|_, _, _| unreachable!());
    }
}
