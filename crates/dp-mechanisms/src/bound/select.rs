//! Which rows of a unit are kept where it has more than its limits allow.
//!
//! The choice depends on the unit alone and on what the query reads of its rows (group and
//! value), through a hash: not on other units, so that the presence of one unit never changes what
//! is kept of another, and not on the order of rows, so that two orderings of the same table give
//! the same aggregate. Rows whose hashes tie at the limit are left out together: which of them came
//! first would depend on the table. Over units the hash behaves like an independent uniform
//! sample, so no part of the table is favoured.

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
    counts: Vec<(u32, u64)>,
}

impl Selection {
    pub(crate) fn new(bound: Contribution) -> Self {
        Selection { bound, ranked: Vec::new(), group_ranks: Vec::new(), counts: Vec::new() }
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
        let groups = entries.chunk_by(|a, b| a.group == b.group);
        self.rank_groups(identity, groups.filter_map(|rows| Some(rows.first()?.group)));
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

    /// Calls `keep` with each group that is kept and how many rows of it are, where it does not
    /// matter which. `groups` are the groups of the unit and how many rows it has in each; they are
    /// sorted.
    ///
    /// Of a unit with more rows than it may have, each group keeps its share, rounded up or down
    /// such that the expectation over units is the share itself. Depends on nothing but the unit's
    /// own rows.
    pub(crate) fn keep_counts(
        &mut self,
        identity: u64,
        groups: &mut [(u32, u64)],
        mut keep: impl FnMut(u32, u64),
    ) {
        groups.sort_unstable();
        self.rank_groups(identity, groups.iter().map(|(group, _)| *group));
        self.counts.clear();
        for &(group, rows) in &*groups {
            if self.group_is_kept(group) {
                self.counts.push((group, rows.min(self.bound.rows_per_group())));
            }
        }
        let total: u64 = self.counts.iter().map(|(_, rows)| rows).sum();
        let limit = self.bound.rows();
        if total <= limit {
            self.counts.iter().for_each(|&(group, rows)| keep(group, rows));
            return;
        }
        // Systematic sampling: every `total / limit`-th row from a random start. A unit has fewer
        // than 2^32 rows and the limit is below that, so nothing overflows.
        let start = mix(identity, total) % total;
        let (mut before, mut kept_before) = (0, 0);
        for &(group, rows) in &self.counts {
            before += rows;
            let kept = (before * limit + start) / total;
            if kept > kept_before {
                keep(group, kept - kept_before);
            }
            kept_before = kept;
        }
    }

    /// Leaves in `group_ranks` the groups that are kept, sorted by group, where some are not.
    fn rank_groups(&mut self, identity: u64, groups: impl Iterator<Item = u32>) {
        self.group_ranks.clear();
        let rank = |group: u32| (mix(identity ^ GROUP_CHOICE, u64::from(group)), group);
        self.group_ranks.extend(groups.map(rank));
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

/// Keeps of `ranked[start..]` at most `limit` entries: those whose rank is below the rank of the
/// first one too many.
///
/// Entries that tie with it are all dropped. Breaking the tie by anything else, such as where a
/// value was first seen, could let one unit's rows decide what is kept of another.
fn keep_smallest<T>(ranked: &mut Vec<(u64, T)>, start: usize, limit: u64) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if ranked.len() - start <= limit {
        return;
    }
    let (_, (first_too_many, _), _) =
        ranked[start..].select_nth_unstable_by_key(limit, |(rank, _)| *rank);
    let first_too_many = *first_too_many;
    let mut kept = start;
    for i in start..ranked.len() {
        if ranked[i].0 < first_too_many {
            ranked.swap(kept, i);
            kept += 1;
        }
    }
    ranked.truncate(kept);
}

/// Separates the choice of groups from the choice of rows.
const GROUP_CHOICE: u64 = 0x6b8b_4567_327b_23c6;

/// Mixes a number into a hash: two rounds of the finalizer of Steele, Lea and Flood 2014
/// (SplitMix), <https://doi.org/10.1145/2714064.2660195>.
pub(crate) fn mix(state: u64, next: u64) -> u64 {
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

    /// How many of the rows are in each group, in the order in which groups appear.
    fn by_group(rows: &[u32]) -> Vec<(u32, u64)> {
        let mut counts: Vec<(u32, u64)> = Vec::new();
        for row in rows {
            match counts.iter_mut().find(|(group, _)| group == row) {
                Some((_, rows)) => *rows += 1,
                None => counts.push((*row, 1)),
            }
        }
        counts
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
    fn rows_that_tie_at_the_limit_are_left_out_together() {
        let bound = contribution(2, 1000, 1000);
        let entries: Vec<Entry> = (0..5).map(|i| Entry { group: 0, value: i }).collect();
        // All values look alike to the hash.
        let mut kept = 0;
        Selection::new(bound).keep(7, &mut entries.clone(), |_| 0, |_| kept += 1);
        assert_eq!(kept, 0);
        // Two of five look alike; whichever way the ranks fall, the limit holds.
        for identity in 0..200 {
            let mut kept = Vec::new();
            let content = |value: i64| value.min(3) as u64;
            Selection::new(bound).keep(identity, &mut entries.clone(), content, |e| kept.push(e));
            assert!(kept.len() <= 2);
            let renumbered: Vec<Entry> = entries
                .iter()
                .map(|e| Entry { group: 0, value: if e.value > 2 { 7 - e.value } else { e.value } })
                .collect();
            let mut again = 0;
            Selection::new(bound).keep(identity, &mut renumbered.clone(), content, |_| again += 1);
            assert_eq!(again, kept.len());
        }
    }

    proptest! {
        #[test]
        fn counts_are_within_every_limit_whatever_the_order(
            mut rows in prop::collection::vec(0u32..6, 0..60),
            limits in (1u32..20, 1u32..7, 1u32..10),
            identity: u64,
        ) {
            let bound = contribution(limits.0, limits.1, limits.2);
            let counts = |rows: &[u32]| {
                let mut counts = [0u64; 6];
                Selection::new(bound).keep_counts(identity, &mut by_group(rows), |group, rows| {
                    assert!(rows > 0);
                    counts[group as usize] += rows;
                });
                counts
            };
            let result = counts(&rows);
            let total: u64 = result.iter().sum();
            prop_assert!(total <= bound.rows());
            prop_assert!(result.iter().filter(|n| **n > 0).count() as u64 <= bound.groups());
            prop_assert!(result.iter().all(|&n| n <= bound.rows_per_group()));
            // As much as the choice of single rows keeps, from the same groups or fewer.
            let entries: Vec<Entry> =
                rows.iter().enumerate().map(|(i, &group)| Entry { group, value: i as i64 }).collect();
            prop_assert_eq!(total, kept(bound, identity, &entries).len() as u64);
            rows.reverse();
            prop_assert_eq!(counts(&rows), result);
        }
    }

    #[test]
    fn over_many_units_each_group_keeps_its_share() {
        // Three of six rows, in groups of 3, 2 and 1: shares of 3/2, 1 and 1/2.
        let bound = contribution(3, 1000, 1000);
        let groups = [(0, 3), (1, 2), (2, 1)];
        let mut kept = [0u64; 3];
        for unit in 0..30_000u64 {
            Selection::new(bound).keep_counts(mix(7, unit), &mut groups.clone(), |group, rows| {
                kept[group as usize] += rows;
            });
        }
        assert_eq!(kept.iter().sum::<u64>(), 90_000);
        assert_eq!(kept[1], 30_000);
        privacy_testing::statistics::check_binomial(kept[2], 30_000, 0.5, 1e-9);
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
