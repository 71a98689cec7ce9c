//! Rows handed out unit by unit, in memory that caches hold.
//!
//! What a unit has in each group can only be told with all its rows at hand, and a table is in any
//! order. Looking each row's unit up in a table of all units costs an access to main memory a row.
//! Instead rows are dealt to parts of the units first, each part in its own run of memory, and
//! each part, small enough for a cache, is sorted by unit.

/// Units of one part, unless there are so many units that parts must be larger.
const UNITS_OF_PART: usize = 1 << 12;

/// More parts than this would be more places to write to than a processor keeps track of.
const MOST_PARTS: usize = 1 << 9;

/// A row as a query sees it, with its unit.
#[derive(Clone, Copy, Debug, Default)]
struct Dealt<E> {
    unit: u32,
    entry: E,
}

/// Calls `each` with every unit that has rows and its entries, in no order that matters.
///
/// `entries` yields, in the order of `ids`, what each row is; `None` leaves a row out. Entries are
/// copied twice, so small ones (a multiple of 4 bytes) are best.
pub(super) fn each_unit<E: Copy + Default>(
    ids: &[u32],
    units: usize,
    entries: impl Iterator<Item = Option<E>>,
    mut each: impl FnMut(u32, &mut [E]),
) {
    let largest_part = units.div_ceil(MOST_PARTS).max(UNITS_OF_PART).next_power_of_two();
    let shift = largest_part.trailing_zeros();
    // Room for all rows of each part; those that are left out leave some of it free.
    let mut room = vec![0usize; (units >> shift) + 1];
    for id in ids {
        room[(id >> shift) as usize] += 1;
    }
    let mut start = 0;
    let mut ends: Vec<usize> = room
        .iter()
        .map(|rows| {
            let from = start;
            start += rows;
            from
        })
        .collect();
    let starts = ends.clone();
    let mut dealt = vec![Dealt::default(); ids.len()];
    for (&unit, entry) in ids.iter().zip(entries) {
        if let Some(entry) = entry {
            let end = &mut ends[(unit >> shift) as usize];
            dealt[*end] = Dealt { unit, entry };
            *end += 1;
        }
    }

    let mut rows_before = vec![0u32; largest_part + 1];
    let mut sorted: Vec<E> = Vec::new();
    for (part, (&from, &to)) in starts.iter().zip(&ends).enumerate() {
        let rows = &dealt[from..to];
        let first = part << shift;
        rows_before.fill(0);
        for row in rows {
            rows_before[row.unit as usize - first + 1] += 1;
        }
        for i in 1..rows_before.len() {
            rows_before[i] += rows_before[i - 1];
        }
        sorted.clear();
        sorted.resize(rows.len(), E::default());
        for row in rows {
            let place = &mut rows_before[row.unit as usize - first];
            sorted[*place as usize] = row.entry;
            *place += 1;
        }
        // Each unit's place has moved to its end.
        let mut start = 0;
        for (i, &end) in rows_before[..largest_part].iter().enumerate() {
            let end = end as usize;
            if end > start {
                each((first + i) as u32, &mut sorted[start..end]);
                start = end;
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
        for units in [1usize, 7, UNITS_OF_PART, 3 * UNITS_OF_PART + 5] {
            let ids: Vec<u32> = (0..20_000u64).map(|i| (i * 7919 % units as u64) as u32).collect();
            let entry = |i: usize| (!i.is_multiple_of(3)).then_some(i as u32);
            let mut expected: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for (i, id) in ids.iter().enumerate() {
                expected.entry(*id).or_default().extend(entry(i));
            }
            expected.retain(|_, entries| !entries.is_empty());
            let mut found = BTreeMap::new();
            each_unit(&ids, units, (0..ids.len()).map(entry), |unit, entries| {
                assert!(found.insert(unit, entries.to_vec()).is_none());
            });
            assert_eq!(found, expected);
        }
        each_unit::<u32>(&[], 0, std::iter::empty(), |_, _| unreachable!());
    }
}
