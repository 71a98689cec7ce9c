//! What is known of a row when its unit is at hand, and how many of them a unit has in each group.

use crate::bound::{Contribution, Entry};

/// An integer that can stand at multiples of 4 bytes, so that beside a group it takes 12.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Packed {
    high: i32,
    low: u32,
}

impl From<i64> for Packed {
    #[inline]
    fn from(value: i64) -> Self {
        Packed { high: (value >> 32) as i32, low: value as u32 }
    }
}

impl Packed {
    #[inline]
    pub(super) fn value(self) -> i64 {
        i64::from(self.high) << 32 | i64::from(self.low)
    }

    #[inline]
    pub(super) fn in_group(self, group: u32) -> Entry {
        Entry { group, value: self.value() }
    }
}

/// Counts one unit's rows by group after the other's, without sorting or clearing anything, and adds
/// up how many rows each group has.
pub(super) struct GroupCounts {
    of_groups: Vec<OfGroup>,
    /// The groups of the unit at hand, then anything.
    groups: Vec<u32>,
}

#[derive(Clone, Copy)]
struct OfGroup {
    /// The unit that last had rows in the group, and how many.
    latest: u32,
    of_latest: u32,
    /// The rows of all units.
    rows: u64,
}

/// How many rows a unit has in each of its groups.
pub(super) struct OfUnit<'c> {
    of_groups: &'c mut [OfGroup],
    groups: &'c [u32],
    rows: usize,
    /// The most rows in one group.
    most: u32,
}

impl GroupCounts {
    pub(super) fn new(groups: usize) -> Self {
        // Units are numbered below the largest number.
        let none = OfGroup { latest: u32::MAX, of_latest: 0, rows: 0 };
        GroupCounts { of_groups: vec![none; groups], groups: Vec::new() }
    }

    /// Counts the rows of a unit that was not counted before, given with their groups.
    #[inline]
    pub(super) fn count<I>(&mut self, unit: u32, rows: &[(u32, I)]) -> OfUnit<'_> {
        if self.groups.len() < rows.len() {
            self.groups.resize(rows.len(), 0);
        }
        let (mut distinct, mut most) = (0, 0);
        for &(group, _) in rows {
            let of_group = &mut self.of_groups[group as usize];
            // Whether a group is new cannot be foreseen, so nothing branches on it.
            let is_new = of_group.latest != unit;
            of_group.latest = unit;
            of_group.of_latest = if is_new { 1 } else { of_group.of_latest + 1 };
            of_group.rows += 1;
            most = most.max(of_group.of_latest);
            self.groups[distinct] = group;
            distinct += usize::from(is_new);
        }
        let groups = &self.groups[..distinct];
        OfUnit { of_groups: &mut self.of_groups, groups, rows: rows.len(), most }
    }

    /// Adds rows of a unit without looking at what it has in each group.
    #[inline]
    pub(super) fn add<I>(&mut self, rows: &[(u32, I)]) {
        rows.iter().for_each(|(group, _)| self.of_groups[*group as usize].rows += 1);
    }

    /// Adds rows to one group.
    pub(super) fn add_to(&mut self, group: u32, rows: u64) {
        self.of_groups[group as usize].rows += rows;
    }

    /// How many rows each group has.
    pub(super) fn rows(&self) -> impl Iterator<Item = u64> {
        self.of_groups.iter().map(|of_group| of_group.rows)
    }

    /// Whether the rows of a unit, given with their groups, are within its limits.
    #[inline]
    pub(super) fn are_within<I>(
        &mut self,
        unit: u32,
        rows: &[(u32, I)],
        bound: &Contribution,
    ) -> bool {
        rows.len() as u64 <= bound.always_within()
            || rows.len() as u64 <= bound.rows() && self.count(unit, rows).are_within(bound)
    }
}

impl OfUnit<'_> {
    #[inline]
    pub(super) fn are_within(&self, bound: &Contribution) -> bool {
        self.rows as u64 <= bound.rows()
            && self.groups.len() as u64 <= bound.groups()
            && u64::from(self.most) <= bound.rows_per_group()
    }

    /// Takes the unit's rows out of those of all units and calls `each` with every group of the unit
    /// and the number of its rows.
    pub(super) fn take(self, mut each: impl FnMut(u32, u64)) {
        for &group in self.groups {
            let of_group = &mut self.of_groups[group as usize];
            let rows = u64::from(of_group.of_latest);
            of_group.rows -= rows;
            each(group, rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::params::{ContributionLimits, RowLimit};
    use privacy_core::unit::UnitKind;

    use super::*;

    #[test]
    fn packed_values_are_kept() {
        for value in [0, 1, -1, i64::MIN, i64::MAX, 1 << 32, -(1 << 31), u32::MAX.into()] {
            assert_eq!(Packed::from(value).value(), value);
        }
        assert_eq!(size_of::<(u32, Packed)>(), 12);
    }

    #[test]
    fn the_rows_of_each_unit_are_counted_anew() {
        let limit = |value| Some(RowLimit::new("limit", value).unwrap());
        let mut limits = ContributionLimits::default();
        (limits.rows, limits.groups, limits.rows_per_group) = (limit(5), limit(2), limit(3));
        let bound = Contribution::new(UnitKind::User, &limits, 10).unwrap();
        let mut counts = GroupCounts::new(10);
        let mut check = |unit: u32, groups: &[u32], expected: &[(u32, u64)], within: bool| {
            let rows: Vec<(u32, ())> = groups.iter().map(|group| (*group, ())).collect();
            let of_unit = counts.count(unit, &rows);
            let mut found = Vec::new();
            let are_within = of_unit.are_within(&bound);
            of_unit.take(|group, rows| found.push((group, rows)));
            assert_eq!((found.as_slice(), are_within), (expected, within));
            // As if of another unit, since no unit is counted twice.
            assert_eq!(counts.are_within(unit + 100, &rows, &bound), within);
        };
        check(0, &[3, 3, 0, 3], &[(3, 3), (0, 1)], true);
        check(1, &[3, 3, 3, 3], &[(3, 4)], false);
        check(2, &[3, 0, 0, 3, 3, 0], &[(3, 3), (0, 3)], false);
        check(3, &[9, 0, 9], &[(9, 2), (0, 1)], true);
        check(4, &[9, 0, 8], &[(9, 1), (0, 1), (8, 1)], false);
        check(5, &[7], &[(7, 1)], true);
        check(6, &[], &[], true);
    }
}
