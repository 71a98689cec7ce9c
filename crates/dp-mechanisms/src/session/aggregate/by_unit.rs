//! Counts and sums in one group of rows that belong to units.

use super::entries::Packed;
use super::{Cell, Rows};
use crate::bound::{Contribution, Entry, Selection};
use crate::session::by_unit::ByUnit;
use crate::session::table::UnitIndex;

impl<'a, T: Sync> Rows<'_, 'a, T> {
    /// Items that are all 1: which rows are kept does not matter.
    pub(super) fn count_by_unit(
        &self,
        units: &UnitIndex,
        item: impl Fn(&'a T) -> Option<i64> + Sync,
    ) -> Cell {
        let mut rows_of = vec![0u32; units.identities().len()];
        for (row, id) in self.rows.iter().zip(units.ids()) {
            rows_of[id as usize] += u32::from(item(row).is_some());
        }
        let limit = self.bound.rows();
        let rows = rows_of.iter().map(|&rows| i128::from(u64::from(rows).min(limit))).sum();
        Cell { rows, sum: rows }
    }

    /// Items of magnitudes up to `largest`.
    pub(super) fn sum_by_unit(
        &self,
        units: &UnitIndex,
        largest: u64,
        item: impl Fn(&'a T) -> Option<i64> + Sync,
    ) -> Cell {
        let narrow = i64::try_from(largest).ok().filter(|largest| *largest < MOST_NARROW);
        match narrow {
            // A third of the memory: the item stands where groups do.
            Some(largest) => {
                let item = |row| Some(((item(row)? + largest) as u32, ()));
                let value = |(above, ()): &(u32, ())| i64::from(*above) - largest;
                sum(ByUnit::deal(units, self.rows, item), self.bound, value)
            }
            None => {
                let item = |row| Some((0, Packed::from(item(row)?)));
                sum(ByUnit::deal(units, self.rows, item), self.bound, |(_, item)| item.value())
            }
        }
    }
}

/// Magnitudes below this leave each item a number of its own below the largest of 32 bits.
const MOST_NARROW: i64 = 1 << 31;

fn sum<I: Copy + Default + Send + Sync>(
    rows: ByUnit<'_, I>,
    bound: Contribution,
    value: impl Fn(&(u32, I)) -> i64 + Sync,
) -> Cell {
    let state = || (Cell::default(), Selection::new(bound), Vec::<Entry>::new());
    let states = rows.fold(state, |(cell, selection, gathered), identity, _, items| {
        if items.len() as u64 <= bound.rows() {
            cell.rows += items.len() as i128;
            cell.sum += items.iter().map(|item| i128::from(value(item))).sum::<i128>();
            return;
        }
        gathered.clear();
        gathered.extend(items.iter().map(|item| Entry { group: 0, value: value(item) }));
        let content = |value| value as u64;
        selection.keep(identity, gathered, content, |entry| cell.add(entry.value));
    });
    let mut all = Cell::default();
    states.into_iter().for_each(|(cell, ..)| all += cell);
    all
}

#[cfg(test)]
mod tests {
    use privacy_core::params::{ContributionLimits, RowLimit};
    use privacy_core::unit::UnitKind;

    use super::*;

    #[test]
    fn wide_and_narrow_items_are_summed_alike() {
        let mut limits = ContributionLimits::default();
        limits.rows = Some(RowLimit::new("limit", 3).unwrap());
        let bound = Contribution::new(UnitKind::User, &limits, 1).unwrap();
        let most = MOST_NARROW - 1;
        let rows: Vec<(u8, Option<i64>)> = (0..100)
            .map(|i| {
                let item = [most, -most, 0, i, -1, 7][i as usize % 6];
                ((i * i % 31) as u8, (i % 7 != 0).then_some(item))
            })
            .collect();
        let units = UnitIndex::build(&rows, |row| row.0, None).unwrap();
        let rows = Rows { rows: &rows, units: Some(&units), bound };
        let [narrow, wide, widest] = [most as u64, most as u64 + 1, u64::MAX]
            .map(|largest| rows.sum_by_unit(&units, largest, |row| row.1));
        assert_eq!((narrow, wide), (wide, widest));
        assert!(narrow.rows > 40 && narrow.rows < 86, "{narrow:?}");
    }
}
