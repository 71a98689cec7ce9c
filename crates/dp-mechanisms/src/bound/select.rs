//! Which rows of a unit are kept where it has more than its limits allow.
//!
//! The choice depends on the unit alone and on what the query reads of its rows (group and
//! value), through a hash: not on other units, so that the presence of one unit never changes what
//! is kept of another, and not on the order of rows, so that two orderings of the same table give
//! the same aggregate. Over units the hash behaves like an independent uniform sample, so no part
//! of the table is favoured.

use super::limits::Contribution;

/// A row of one unit as the query sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) group: u32,
    pub(crate) value: i64,
}

/// Keeps rows within the limits of one query; reused from unit to unit.
#[derive(Debug)]
pub(crate) struct Selection {
    bound: Contribution,
    ranked: Vec<(u64, Entry)>,
    group_ranks: Vec<(u64, u32)>,
}

impl Selection {
    pub(crate) fn new(bound: Contribution) -> Self {
        Selection { bound, ranked: Vec::new(), group_ranks: Vec::new() }
    }

    /// Calls `keep` for each entry of the unit that is kept. Sorts `entries`.
    ///
    /// `identity` is a hash of the unit's key; `content` a hash of a value that does not depend on
    /// where the value stands in the table.
    pub(crate) fn keep(
        &mut self,
        identity: u64,
        entries: &mut [Entry],
        content: impl Fn(i64) -> u64,
        mut keep: impl FnMut(Entry),
    ) {
        sort(entries);
        self.rank_groups(identity, entries);
        self.ranked.clear();
        for group in entries.chunk_by(|a, b| a.group == b.group) {
            let Some(first) = group.first() else { continue };
            if !self.group_is_kept(first.group) {
                continue;
            }
            let start = self.ranked.len();
            let of_group = mix(identity, u64::from(first.group));
            for equal in group.chunk_by(|a, b| a.value == b.value) {
                let Some(first) = equal.first() else { continue };
                let of_value = mix(of_group, content(first.value));
                for (occurrence, entry) in equal.iter().enumerate() {
                    self.ranked.push((mix(of_value, occurrence as u64), *entry));
                }
            }
            keep_smallest(&mut self.ranked, start, self.bound.rows_per_group());
        }
        keep_smallest(&mut self.ranked, 0, self.bound.rows());
        self.ranked.iter().for_each(|(_, entry)| keep(*entry));
    }

    /// Leaves in `group_ranks` the groups that are kept, sorted by group, where some are not.
    fn rank_groups(&mut self, identity: u64, sorted: &[Entry]) {
        self.group_ranks.clear();
        let groups = sorted.chunk_by(|a, b| a.group == b.group).filter_map(|g| g.first());
        self.group_ranks.extend(
            groups.map(|entry| (mix(identity ^ GROUP_CHOICE, u64::from(entry.group)), entry.group)),
        );
        keep_smallest(&mut self.group_ranks, 0, self.bound.groups());
        self.group_ranks.sort_unstable_by_key(|(_, group)| *group);
    }

    fn group_is_kept(&self, group: u32) -> bool {
        self.group_ranks.binary_search_by_key(&group, |(_, group)| *group).is_ok()
    }
}

/// Sorts by group and value; by value alone, which is several times faster, within one group.
fn sort(entries: &mut [Entry]) {
    match entries.first() {
        Some(first) if entries.iter().all(|entry| entry.group == first.group) => {
            entries.sort_unstable_by_key(|entry| entry.value);
        }
        _ => entries.sort_unstable(),
    }
}

/// Truncates `ranked[start..]` to the `limit` entries of smallest rank. Entries of equal rank are
/// told apart by where they stand, which the caller has sorted.
fn keep_smallest<T: Copy>(ranked: &mut Vec<(u64, T)>, start: usize, limit: u64) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if ranked.len() - start > limit {
        ranked[start..].select_nth_unstable_by_key(limit - 1, |(rank, _)| *rank);
        ranked.truncate(start + limit);
    }
}

/// Separates the choice of groups from the choice of rows.
const GROUP_CHOICE: u64 = 0x6b8b_4567_327b_23c6;

/// Mixes a number into a hash: two rounds of the finalizer of Steele, Lea and Flood 2014
/// (SplitMix), <https://doi.org/10.1145/2714064.2660195>.
fn mix(state: u64, next: u64) -> u64 {
    let finalize = |mut x: u64| {
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    finalize(finalize(state.wrapping_add(0x9e37_79b9_7f4a_7c15)) ^ next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use privacy_core::params::{ContributionLimits, RowLimit};
    use privacy_core::unit::UnitKind;
    use proptest::prelude::*;

    fn kept(bound: Contribution, identity: u64, entries: &[Entry]) -> Vec<Entry> {
        let mut result = Vec::new();
        let mut entries = entries.to_vec();
        Selection::new(bound).keep(identity, &mut entries, |v| v as u64, |e| result.push(e));
        result.sort();
        result
    }

    fn contribution(rows: u32, groups: u32, per_group: u32) -> Contribution {
        let limit = |value| Some(RowLimit::new("limit", value).unwrap());
        let mut limits = ContributionLimits::default();
        (limits.rows, limits.groups, limits.rows_per_group) =
            (limit(rows), limit(groups), limit(per_group));
        Contribution::new(UnitKind::User, &limits, 1000).unwrap()
    }

    proptest! {
        #[test]
        fn what_is_kept_is_within_every_limit_whatever_the_order(
            mut rows in prop::collection::vec((0u32..6, -3i64..3), 0..60),
            limits in (1u32..20, 1u32..7, 1u32..10),
            identity: u64,
        ) {
            let bound = contribution(limits.0, limits.1, limits.2);
            let entries = |rows: &[(u32, i64)]| -> Vec<Entry> {
                rows.iter().map(|&(group, value)| Entry { group, value }).collect()
            };
            let all = entries(&rows);
            let result = kept(bound, identity, &all);
            let per_group: Vec<usize> =
                result.chunk_by(|a, b| a.group == b.group).map(<[Entry]>::len).collect();
            prop_assert!(result.len() as u64 <= bound.rows());
            prop_assert!(per_group.len() as u64 <= bound.groups());
            prop_assert!(per_group.iter().all(|&n| n as u64 <= bound.rows_per_group()));
            rows.reverse();
            prop_assert_eq!(&kept(bound, identity, &entries(&rows)), &result);
            if (rows.len() as u64) <= bound.always_within() {
                prop_assert_eq!(result.len(), rows.len());
            }
        }
    }

    #[test]
    fn over_many_units_each_row_is_kept_equally_often() {
        let bound = contribution(2, 1000, 1000);
        let entries: Vec<Entry> = (0..8).map(|i| Entry { group: i / 4, value: i.into() }).collect();
        let mut counts = [0u64; 8];
        for unit in 0..40_000u64 {
            for entry in kept(bound, mix(7, unit), &entries) {
                counts[entry.value as usize] += 1;
            }
        }
        privacy_testing::statistics::check_chi_square(&counts, &[0.125; 8], 1e-9);
    }
}
