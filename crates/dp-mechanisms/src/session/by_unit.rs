//! Rows handed out unit by unit, in memory that caches hold.
//!
//! What a unit has in each group can only be told with all its rows at hand, and a table is in any
//! order. So what a query reads of each row is dealt to the parts of the index, each part in its own
//! run of memory, and each part, small enough for a cache, is sorted by unit.

use super::table::UnitIndex;

/// No row is in this group.
const LEFT_OUT: u32 = u32::MAX;

/// What a query reads of each row, its group and an item, dealt to the parts of the units.
pub(super) struct ByUnit<'u, I> {
    units: &'u UnitIndex,
    parts: Vec<Vec<(u32, I)>>,
}

impl<'u, I: Copy + Default> ByUnit<'u, I> {
    /// Deals what `entries` yields for each row, in the order of the table; `None` leaves a row
    /// out. Small items (a multiple of 4 bytes) are best.
    pub(super) fn deal(
        units: &'u UnitIndex,
        entries: impl Iterator<Item = Option<(u32, I)>>,
    ) -> Self {
        let mut parts: Vec<Vec<(u32, I)>> =
            units.parts().iter().map(|part| Vec::with_capacity(part.unit_of.len())).collect();
        for (part, entry) in units.part_of().iter().zip(entries) {
            // Rows that are left out keep their place, as that says their unit.
            parts[usize::from(*part)].push(entry.unwrap_or((LEFT_OUT, I::default())));
        }
        ByUnit { units, parts }
    }

    /// Calls `each` with the identity and the number of every unit that has rows and what is read
    /// of them, in no order that matters.
    pub(super) fn each(self, mut each: impl FnMut(u64, u32, &mut [(u32, I)])) {
        let mut rows_before: Vec<u32> = Vec::new();
        let mut sorted: Vec<(u32, I)> = Vec::new();
        for (part, rows) in self.units.parts().iter().zip(self.parts) {
            rows_before.clear();
            rows_before.resize(part.units as usize + 1, 0);
            for (&(group, _), unit) in rows.iter().zip(&part.unit_of) {
                rows_before[*unit as usize + 1] += u32::from(group != LEFT_OUT);
            }
            let mut kept = 0;
            for rows in &mut rows_before {
                kept += *rows;
                *rows = kept;
            }
            sorted.clear();
            sorted.resize(kept as usize, (LEFT_OUT, I::default()));
            for (&row, unit) in rows.iter().zip(&part.unit_of) {
                if row.0 != LEFT_OUT {
                    let place = &mut rows_before[*unit as usize];
                    sorted[*place as usize] = row;
                    *place += 1;
                }
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
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_unit_gets_all_its_rows_once() {
        for (rows, units) in [(100, 1), (5000, 7), (20_000, 30_000), (90_000, 40_009)] {
            let of_row = |i: u64| i * 7919 % units;
            let keys: Vec<u64> = (0..rows).map(of_row).collect();
            let index = UnitIndex::build(&keys, |key| *key).unwrap();
            let entry = |i: usize| (!i.is_multiple_of(3)).then_some((i as u32 / 5, i as u32));
            let mut expected: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
            for (i, id) in index.ids().enumerate() {
                expected.entry(id).or_default().extend(entry(i));
            }
            expected.retain(|_, entries| !entries.is_empty());
            let mut found = BTreeMap::new();
            ByUnit::deal(&index, (0..keys.len()).map(entry)).each(|identity, unit, entries| {
                assert_eq!(identity, index.identities()[unit as usize]);
                assert!(found.insert(unit, entries.to_vec()).is_none());
            });
            assert_eq!(found, expected);
        }
        let none = UnitIndex::build(&[], |row: &u8| *row).unwrap();
        ByUnit::<u32>::deal(&none, std::iter::empty()).each(|_, _, _| unreachable!());
    }
}
