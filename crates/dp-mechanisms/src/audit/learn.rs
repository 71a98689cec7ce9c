//! Learns from training runs which events tell two neighbours apart.
//!
//! Nothing here needs to be right for a verdict to be valid: the events are counted again on runs
//! that learning has not seen. One half of the training runs shapes the events, the other half
//! ranks them.

use std::sync::Arc;

use super::claim::Bound;
use super::event::{Buckets, COARSE, Event, FINE, Score, ScoreTerm};
use super::sight::{ABSENT, Feature, Kind, Sight};
use super::tree::{Column, MOST_FEATURES, Tree};

/// Training keeps at most this many values.
pub(super) const MAX_CELLS: usize = 1 << 23;

/// Rows of features, column by column.
#[derive(Debug, Default)]
pub(super) struct Sample {
    rows: usize,
    columns: Vec<Vec<i128>>,
}

impl Sample {
    pub(super) fn push(&mut self, sight: &Sight) {
        for (i, value) in sight.row().iter().enumerate() {
            if self.columns.len() == i {
                self.columns.push(vec![ABSENT; self.rows]);
            }
            self.columns[i].push(*value);
        }
        self.rows += 1;
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows * self.columns.len() >= MAX_CELLS
    }

    /// The even (shaping) or odd (ranking) values of a feature.
    fn half(&self, feature: usize, odd: bool) -> Vec<i128> {
        let rows = usize::from(odd)..self.rows;
        match self.columns.get(feature) {
            Some(column) => rows.step_by(2).map(|i| column.get(i).copied().unwrap_or(ABSENT)),
            None => return vec![ABSENT; rows.step_by(2).len()],
        }
        .collect()
    }
}

/// An event with what to expect of it.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) event: Event,
    /// Whether it is likelier on the second neighbour.
    pub(super) reversed: bool,
    /// The measured bound over the claimed one, as training foresees it.
    pub(super) promise: f64,
}

/// The best events of each kind and direction against each bound, the most promising first.
///
/// `caution` is how many standard deviations of luck an event must do without.
pub(super) fn learn(
    features: &[Feature],
    a: &Sample,
    b: &Sample,
    bounds: &[Bound],
    caution: f64,
) -> Vec<Candidate> {
    let mut best = Best { bounds, caution, found: Vec::new() };
    let (mut terms, mut telling) = (Vec::new(), Vec::new());
    for (feature, about) in features.iter().enumerate() {
        let mut pooled = a.half(feature, false);
        pooled.extend(b.half(feature, false));
        let coarse = Arc::new(Buckets::of_sample(pooled.clone(), COARSE));
        let buckets = Arc::new(Buckets::of_sample(pooled, FINE));
        if buckets.len() < 2 {
            continue;
        }
        let shape = Counts::of(&buckets, a.half(feature, false), b.half(feature, false));
        let rank = Counts::of(&buckets, a.half(feature, true), b.half(feature, true));
        if about.kind != Kind::Category {
            best.cuts(Family::Cut, &rank, |bucket, negated| {
                Some(Event::Above { feature, at: *buckets.edges().get(bucket)?, negated })
            });
        }
        let ratio = shape.log_ratios();
        best.sets(feature, &buckets, &ratio, &rank);
        let shape = Counts::of(&coarse, a.half(feature, false), b.half(feature, false));
        if about.primary || about.kind != Kind::Category {
            telling.push((shape.statistic(), feature, coarse.clone()));
        }
        if about.primary && shape.differ() {
            terms.push(ScoreTerm { feature, ratio: shape.log_ratios(), buckets: coarse });
        }
    }
    if terms.len() >= 2 {
        best.scores(Arc::new(Score { terms }), a, b);
    }
    if telling.len() >= 2 {
        telling.sort_by(|x, y| y.0.total_cmp(&x.0));
        let column = |(_, feature, buckets): &(f64, usize, Arc<Buckets>)| {
            Column::new(*feature, buckets, &a.half(*feature, false), &b.half(*feature, false))
        };
        let columns: Vec<Column> = telling.iter().take(MOST_FEATURES).map(column).collect();
        if let Some(tree) = Tree::grow(&columns) {
            best.leaves(Arc::new(tree), a, b);
        }
    }
    let mut found: Vec<Candidate> = best.found.into_iter().map(|(_, found)| found).collect();
    found.sort_by(|x, y| y.promise.total_cmp(&x.promise));
    found
}

/// How often each bucket was hit on either neighbour.
struct Counts {
    a: Vec<u64>,
    b: Vec<u64>,
}

impl Counts {
    fn of(buckets: &Buckets, a: Vec<i128>, b: Vec<i128>) -> Self {
        let count = |values: Vec<i128>| {
            let mut counts = vec![0; buckets.len()];
            for value in values {
                counts[buckets.of(value)] += 1;
            }
            counts
        };
        Counts { a: count(a), b: count(b) }
    }

    fn totals(&self) -> (u64, u64) {
        (self.a.iter().sum(), self.b.iter().sum())
    }

    /// ln of the ratio of the shares of a and b in each bucket, drawn towards 0 where little is
    /// known.
    fn log_ratios(&self) -> Vec<f64> {
        let (a, b) = self.totals();
        let scale = ((b as f64 + 1.0) / (a as f64 + 1.0)).ln();
        let ratio = |(a, b): (&u64, &u64)| ((*a as f64 + 0.5) / (*b as f64 + 0.5)).ln() + scale;
        self.a.iter().zip(&self.b).map(ratio).collect()
    }

    /// The likelihood-ratio statistic of whether the two neighbours differ.
    fn statistic(&self) -> f64 {
        let (a, b) = self.totals();
        let all = (a + b) as f64;
        let term = |count: u64, bucket: u64, side: u64| match count {
            0 => 0.0,
            _ => count as f64 * (count as f64 * all / (bucket as f64 * side as f64)).ln(),
        };
        (self.a.iter().zip(&self.b))
            .map(|(&x, &y)| 2.0 * (term(x, x + y, a) + term(y, x + y, b)))
            .sum()
    }

    /// Whether the two neighbours differ by more than chance would: the statistic against its mean
    /// and three of its standard deviations.
    fn differ(&self) -> bool {
        let freedom = (self.a.len() - 1) as f64;
        self.statistic() > freedom + 3.0 * (2.0 * freedom).sqrt()
    }
}

/// Kinds of events, of which the best each is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Cut,
    Set,
    Score,
    Leaf,
}

/// How a measured loss compares with the claimed one. A claim of nothing is no reason to follow up
/// each accident, so that small claims count as a little more than they are.
pub(super) fn weight(bound: &Bound, least: f64) -> f64 {
    match bound.claimed() {
        claimed if claimed.is_finite() => least / (claimed + 0.25),
        _ => least,
    }
}

/// Events below this probability compete among themselves: on few runs they promise less than they
/// keep.
const RARE: f64 = 0.05;

struct Best<'a> {
    bounds: &'a [Bound],
    caution: f64,
    found: Vec<(Place, Candidate)>,
}

/// What an event competes in.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    family: Family,
    reversed: bool,
    rare: bool,
    bound: usize,
}

impl Best<'_> {
    /// Enters an event with the given hits in the ranking.
    fn offer(
        &mut self,
        family: Family,
        (a, b): (u64, u64),
        (of_a, of_b): (u64, u64),
        event: impl Fn() -> Option<Event>,
    ) {
        for reversed in [false, true] {
            let (likely, unlikely) =
                if reversed { ((b, of_b), (a, of_a)) } else { ((a, of_a), (b, of_b)) };
            let (p, q) = (wilson(likely, -self.caution), wilson(unlikely, self.caution));
            let rare = (likely.0 as f64) < RARE * likely.1 as f64;
            if p <= q {
                continue;
            }
            for (place, bound) in self.bounds.iter().enumerate() {
                let promise = weight(bound, bound.least(p, q));
                let place = Place { family, reversed, rare, bound: place };
                let known = self.found.iter_mut().find(|(known, _)| *known == place);
                if promise <= known.as_ref().map_or(0.0, |(_, known)| known.promise) {
                    continue;
                }
                let Some(event) = event() else { continue };
                let candidate = Candidate { event, reversed, promise };
                match known {
                    Some((_, known)) => *known = candidate,
                    None => self.found.push((place, candidate)),
                }
            }
        }
    }

    /// What lies above each edge, and what at most at it.
    fn cuts(
        &mut self,
        family: Family,
        rank: &Counts,
        event: impl Fn(usize, bool) -> Option<Event>,
    ) {
        let (of_a, of_b) = rank.totals();
        let (mut a, mut b) = (0, 0);
        for bucket in 0..rank.a.len().saturating_sub(1) {
            a += rank.a[bucket];
            b += rank.b[bucket];
            self.offer(family, (a, b), (of_a, of_b), || event(bucket, true));
            self.offer(family, (of_a - a, of_b - b), (of_a, of_b), || event(bucket, false));
        }
    }

    /// The sets of buckets with the largest likelihood ratios, and those with the smallest.
    fn sets(&mut self, feature: usize, buckets: &Arc<Buckets>, ratio: &[f64], rank: &Counts) {
        self.subsets(Family::Set, ratio, rank, |chosen| Event::Within {
            feature,
            buckets: buckets.clone(),
            chosen: Arc::new(chosen),
        });
    }

    /// The sets of leaves, as [`sets`](Self::sets).
    fn leaves(&mut self, tree: Arc<Tree>, a: &Sample, b: &Sample) {
        let counts = |sample: &Sample, odd: usize| {
            let mut counts = vec![0; tree.leaves()];
            for row in (odd..sample.rows).step_by(2) {
                let value = |feature: usize| sample.columns.get(feature)?.get(row).copied();
                counts[tree.leaf(value)] += 1;
            }
            counts
        };
        let [shape, rank] = [0, 1].map(|odd| Counts { a: counts(a, odd), b: counts(b, odd) });
        self.subsets(Family::Leaf, &shape.log_ratios(), &rank, |chosen| Event::Leaf {
            tree: tree.clone(),
            chosen: Arc::new(chosen),
        });
    }

    fn subsets(
        &mut self,
        family: Family,
        ratio: &[f64],
        rank: &Counts,
        event: impl Fn(Vec<bool>) -> Event,
    ) {
        let totals = rank.totals();
        let mut order: Vec<usize> = (0..ratio.len()).collect();
        order.sort_by(|&x, &y| ratio[y].total_cmp(&ratio[x]));
        for reversed in [false, true] {
            let (mut a, mut b) = (0, 0);
            for taken in 1..order.len() {
                a += rank.a[order[taken - 1]];
                b += rank.b[order[taken - 1]];
                self.offer(family, (a, b), totals, || {
                    let mut chosen = vec![false; order.len()];
                    order[..taken].iter().for_each(|&bucket| chosen[bucket] = true);
                    Some(event(chosen))
                });
            }
            if !reversed {
                order.reverse();
            }
        }
    }

    fn scores(&mut self, score: Arc<Score>, a: &Sample, b: &Sample) {
        let half = |sample: &Sample, odd: bool| {
            let mut sums = vec![0.0; sample.half(0, odd).len()];
            for term in &score.terms {
                for (sum, value) in sums.iter_mut().zip(sample.half(term.feature, odd)) {
                    *sum += term.ratio[term.buckets.of(value)];
                }
            }
            sums.into_iter().map(super::sight::number_key).collect::<Vec<_>>()
        };
        let mut pooled = half(a, false);
        pooled.extend(half(b, false));
        let buckets = Buckets::of_sample(pooled, FINE);
        let rank = Counts::of(&buckets, half(a, true), half(b, true));
        self.cuts(Family::Score, &rank, |bucket, negated| {
            let at = super::sight::number_of_key(*buckets.edges().get(bucket)?);
            Some(Event::Score { score: score.clone(), at, negated })
        });
    }
}

/// The end of Wilson's interval (1927) at `z` standard deviations: the lower one where negative.
fn wilson((hits, of): (u64, u64), z: f64) -> f64 {
    let (n, p) = (of.max(1) as f64, hits as f64 / of.max(1) as f64);
    let center = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    ((center + spread) / (1.0 + z * z / n)).clamp(0.0, 1.0)
}
