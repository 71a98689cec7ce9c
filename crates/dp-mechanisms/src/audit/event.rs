//! Events: the yes-or-no questions about an output that an audit counts.

use std::fmt::Write;
use std::sync::Arc;

use super::sight::{ABSENT, Feature, Kind, number_of_key};
use super::tree::Tree;

/// A question about a row of features.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// The feature is above `at` (or, negated, at most).
    Above { feature: usize, at: i128, negated: bool },
    /// The feature falls into one of the chosen buckets.
    Within { feature: usize, buckets: Arc<Buckets>, chosen: Arc<Vec<bool>> },
    /// The sum of the log-likelihood ratios of several features is above `at` (or at most).
    Score { score: Arc<Score>, at: f64, negated: bool },
    /// The row falls into one of the chosen leaves.
    Leaf { tree: Arc<Tree>, chosen: Arc<Vec<bool>> },
}

/// Cuts the values of a feature into ranges: bucket i holds what is above edge i − 1 and at most
/// edge i.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    edges: Vec<i128>,
}

/// The log-likelihood ratio of an output between the two neighbours, as if the features were
/// independent given the data (naive Bayes); the best statistic where they are (Neyman, Pearson
/// 1933).
#[derive(Debug)]
pub(super) struct Score {
    pub(super) terms: Vec<ScoreTerm>,
}

/// What one feature adds to a [`Score`].
#[derive(Debug)]
pub(super) struct ScoreTerm {
    pub(super) feature: usize,
    pub(super) buckets: Arc<Buckets>,
    pub(super) ratio: Vec<f64>,
}

impl Event {
    pub(super) fn happens(&self, row: &[i128]) -> bool {
        let value = |feature: &usize| row.get(*feature).copied().unwrap_or(ABSENT);
        match self {
            Event::Above { feature, at, negated } => (value(feature) > *at) != *negated,
            Event::Within { feature, buckets, chosen } => {
                chosen.get(buckets.of(value(feature))).copied().unwrap_or(false)
            }
            Event::Score { score, at, negated } => (score.of(row) > *at) != *negated,
            Event::Leaf { tree, chosen } => {
                let leaf = tree.leaf(|feature| row.get(feature).copied());
                chosen.get(leaf).copied().unwrap_or(false)
            }
        }
    }

    pub(super) fn describe(&self, features: &[Feature]) -> String {
        let about = |feature: &usize| {
            features
                .get(*feature)
                .map_or(("a feature", Kind::Integer), |f| (f.label.as_str(), f.kind))
        };
        match self {
            Event::Above { feature, at, negated } => {
                let (label, kind) = about(feature);
                let relation = if *negated { "at most" } else { "above" };
                match (*at, negated) {
                    (ABSENT, true) => format!("{label} is absent"),
                    (ABSENT, false) => format!("{label} is there"),
                    _ => format!("{label} is {relation} {}", shown(*at, kind)),
                }
            }
            Event::Within { feature, buckets, chosen } => {
                let (label, kind) = about(feature);
                let mut text = format!("{label} in");
                let chosen: Vec<usize> = (0..chosen.len()).filter(|&i| chosen[i]).collect();
                for (i, &bucket) in chosen.iter().take(4).enumerate() {
                    text.push_str(if i == 0 { " " } else { " or " });
                    text.push_str(&buckets.describe(bucket, kind));
                }
                if chosen.len() > 4 {
                    let _ = write!(text, " or {} more ranges", chosen.len() - 4);
                }
                text
            }
            Event::Score { score, at, negated } => {
                let relation = if *negated { "at most" } else { "above" };
                format!("log-likelihood ratio of {} features {relation} {at:.4}", score.terms.len())
            }
            Event::Leaf { tree, chosen } => tree.describe(chosen, &about),
        }
    }
}

pub(super) fn shown(key: i128, kind: Kind) -> String {
    match kind {
        _ if key == ABSENT => "absent".to_owned(),
        Kind::Integer => key.to_string(),
        Kind::Number => format!("{:?}", number_of_key(key)),
        Kind::Category => format!("#{key:x}"),
    }
}

/// Ranges of about the same weight, for events about one feature.
pub(super) const FINE: usize = 64;

/// Ranges of about the same weight, for what one feature adds to a score.
pub(super) const COARSE: usize = 16;

impl Buckets {
    /// Buckets for values that look like `sample`: each value that stands out alone, the others
    /// in about `shares` ranges of similar weight that become fine in the tails.
    pub(super) fn of_sample(mut sample: Vec<i128>, shares: usize) -> Self {
        sample.sort_unstable();
        let total = sample.len();
        let mut runs: Vec<(i128, usize)> = Vec::new();
        for value in sample {
            match runs.last_mut() {
                Some((last, count)) if *last == value => *count += 1,
                _ => runs.push((value, 1)),
            }
        }
        let all = runs.len() <= shares;
        let share = (total / shares).max(1);
        let count_of = |i: usize| runs.get(i).map_or(0, |(_, count)| *count);
        // Frequent among all values, or far more frequent than those beside it.
        let stands_out = |i: usize| {
            let beside = count_of(i.wrapping_sub(1)).max(count_of(i + 1));
            count_of(i) >= (total / 256).max(8) || count_of(i) >= (4 * beside).max(6)
        };
        let mut edges = Vec::new();
        let (mut before, mut since) = (0, 0);
        for (i, (value, count)) in runs.iter().enumerate() {
            before += count;
            since += count;
            // The tails: ranges double from 8 values on.
            let rank = before.min(total - before);
            let step = (rank / 2).max(8).min(share);
            if all || stands_out(i) || stands_out(i + 1) || since >= step {
                edges.push(*value);
                since = 0;
            }
        }
        // The last bucket has no upper edge.
        edges.pop();
        Buckets { edges }
    }

    pub(super) fn of(&self, value: i128) -> usize {
        self.edges.partition_point(|edge| *edge < value)
    }

    pub(super) fn len(&self) -> usize {
        self.edges.len() + 1
    }

    pub(super) fn edges(&self) -> &[i128] {
        &self.edges
    }

    fn describe(&self, bucket: usize, kind: Kind) -> String {
        let below = bucket.checked_sub(1).and_then(|i| self.edges.get(i));
        match (below, self.edges.get(bucket)) {
            (None, Some(to)) => format!("≤ {}", shown(*to, kind)),
            (Some(from), None) => format!("> {}", shown(*from, kind)),
            (Some(from), Some(to)) if from.checked_add(1) == Some(*to) => shown(*to, kind),
            (Some(from), Some(to)) => format!("({}, {}]", shown(*from, kind), shown(*to, kind)),
            (None, None) => "any".to_owned(),
        }
    }
}

impl Score {
    pub(super) fn of(&self, row: &[i128]) -> f64 {
        let term = |term: &ScoreTerm| {
            let value = row.get(term.feature).copied().unwrap_or(ABSENT);
            term.ratio.get(term.buckets.of(value)).copied().unwrap_or(0.0)
        };
        self.terms.iter().map(term).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_values_stand_alone_and_tails_are_fine() {
        let mut sample: Vec<i128> = (0..10_000).collect();
        sample.extend([5_000; 500]);
        let buckets = Buckets::of_sample(sample, FINE);
        let of = |value| buckets.of(value);
        assert_ne!(of(4_999), of(5_000));
        assert_ne!(of(5_000), of(5_001));
        // The lowest buckets hold 8 values, those in the middle 164.
        assert_eq!((of(0), of(7), of(8)), (0, 0, 1));
        assert_eq!(buckets.describe(of(5_000), Kind::Integer), "5000");
        assert!((64..200).contains(&buckets.len()), "{}", buckets.len());
    }

    #[test]
    fn few_values_stand_alone_each() {
        let buckets = Buckets::of_sample(vec![3, 1, 3, ABSENT, 7], FINE);
        let of = |value| buckets.of(value);
        assert_eq!([of(ABSENT), of(1), of(3), of(7), of(100)], [0, 1, 2, 3, 3]);
    }
}
