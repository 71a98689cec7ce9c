//! One exact draw of a grid point by how far its rank is from a target.

use num_bigint::BigUint;
use num_rational::Ratio;
use num_traits::ToPrimitive;
use privacy_core::error::{Error, Result};
use privacy_core::params::{Amount, Bounds};
use privacy_core::random::EntropyError;

use crate::noise::Choices;
use crate::select::{Envelope, Group};

/// The largest denominator of a quantile, so that ranks times denominators fit their integers.
const LARGEST_DENOMINATOR: u64 = 1 << 32;

/// A quantile a/b with 0 <= a <= b, 0 < b <= 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) numer: u64,
    pub(super) denom: u64,
}

impl Position {
    pub(super) fn new(quantile: &Amount) -> Result<Self> {
        let numer = u64::try_from(quantile.numerator());
        let denom = u64::try_from(quantile.denominator());
        match (numer, denom) {
            (Ok(numer), Ok(denom)) if numer <= denom && denom <= LARGEST_DENOMINATOR => {
                Ok(Position { numer, denom })
            }
            _ => Err(out_of_range(quantile)),
        }
    }

    /// How much the distance of a grid point may change when a record is added or removed, in
    /// units of 1/b ranks.
    pub(super) fn add_remove(self) -> u64 {
        self.numer.max(self.denom - self.numer)
    }

    /// The same when a record is replaced.
    pub(super) fn replace(self) -> u64 {
        self.denom
    }
}

pub(super) fn out_of_range(quantile: &Amount) -> Error {
    Error::Parameter {
        parameter: "a quantile",
        requirement: "from 0 to 1, a fraction with a denominator of at most 2^32",
        given: quantile.to_f64_up(),
    }
}

/// The values clamped into the bounds and sorted.
pub(super) fn sorted(values: &[i64], bounds: &Bounds<i64>) -> Vec<i64> {
    let mut sorted: Vec<i64> = values.iter().map(|value| bounds.clamp(*value)).collect();
    sorted.sort_unstable();
    sorted
}

/// Beyond ranks that weigh less than exp(-this), grid points are proposed together.
const FAR: u32 = 100;

/// Sorted values, and the grid points from which a quantile of them is drawn.
pub(super) struct Ranked<'a> {
    /// Sorted, between `lower` and `upper`.
    pub(super) sorted: &'a [i64],
    pub(super) lower: i64,
    pub(super) upper: i64,
    pub(super) position: Position,
    /// Odds of exp(rate) for each 1/b of a rank.
    pub(super) rate: &'a Ratio<BigUint>,
}

/// A run of grid points proposed together, from `start` upwards.
struct Run {
    start: i128,
}

impl Ranked<'_> {
    /// Draws a grid point v with probability proportional to exp(-rate * distance of v).
    ///
    /// Grid points between two neighbouring values share their rank and are one group; so is each
    /// value. Far from the target, all points to one side are one group, proposed with the weight
    /// of the nearest of them and accepted with their own.
    pub(super) fn draw<C: Choices + ?Sized>(&self, choices: &mut C) -> Result<i64, EntropyError> {
        let (runs, groups) = self.runs();
        let point = |index: usize, place: u128| runs[index].start + place as i128;
        let Some(law) = Envelope::new(self.rate, groups.iter().copied()) else {
            // Not reached: the grid has a point.
            return Ok(self.lower);
        };
        let (index, place) = law.draw(
            choices,
            |index| groups[index].points,
            |index, place| self.distance(point(index, place)),
        )?;
        Ok(point(index, place) as i64)
    }

    /// Of a grid point: from the target rank a·n/b to the ranks that the point covers, from the
    /// number of values below it to the number of those not above it; times b.
    fn distance(&self, point: i128) -> u128 {
        let below = self.sorted.partition_point(|&value| i128::from(value) < point);
        let upto =
            below + self.sorted[below..].partition_point(|&value| i128::from(value) <= point);
        self.rank_distance(below, upto)
    }

    fn rank_distance(&self, below: usize, upto: usize) -> u128 {
        let target = self.target();
        let times = |rank: usize| rank as u128 * u128::from(self.position.denom);
        times(below).saturating_sub(target) + target.saturating_sub(times(upto))
    }

    /// Minus the distance of each grid point, from `lower` upwards: for grids of few points.
    pub(super) fn scores(&self) -> Vec<i128> {
        let mut below = 0;
        let points = i128::from(self.lower)..=i128::from(self.upper);
        let score = |point: i128| {
            let tied = self.sorted[below..].partition_point(|&value| i128::from(value) <= point);
            let distance = self.rank_distance(below, below + tied);
            below += tied;
            // Ranks fit 64 bits and denominators 32.
            -(distance as i128)
        };
        points.map(score).collect()
    }

    fn target(&self) -> u128 {
        self.sorted.len() as u128 * u128::from(self.position.numer)
    }

    /// The values near the target, by index: whole runs of equal values.
    fn window(&self) -> (usize, usize) {
        let Some(last) = self.sorted.len().checked_sub(1) else {
            return (0, 0);
        };
        let per_rank = self.rate * Ratio::from(BigUint::from(self.position.denom));
        let radius = if *per_rank.numer() == BigUint::ZERO {
            usize::MAX
        } else {
            let ranks = Ratio::from(BigUint::from(FAR)) / per_rank;
            ranks.ceil().to_integer().to_usize().unwrap_or(usize::MAX)
        };
        let middle = (self.target() / u128::from(self.position.denom)) as usize;
        let first = self.sorted[middle.saturating_sub(radius).min(last)];
        let end = self.sorted[middle.saturating_add(radius).min(last)];
        (
            self.sorted.partition_point(|value| *value < first),
            self.sorted.partition_point(|value| *value <= end),
        )
    }

    fn runs(&self) -> (Vec<Run>, Vec<Group>) {
        let (mut index, end) = self.window();
        let (mut runs, mut groups) = (Vec::new(), Vec::new());
        let mut next = i128::from(self.lower);
        let mut push = |start: i128, points: i128, gap: u128| {
            if points > 0 {
                runs.push(Run { start });
                groups.push(Group { points: points.unsigned_abs(), gap });
            }
        };
        while index < end {
            let value = self.sorted[index];
            let here = i128::from(value);
            let tied = match self.sorted.get(index + 1) {
                Some(&after) if after == value => {
                    index + self.sorted[index..end].partition_point(|&other| other <= value)
                }
                _ => index + 1,
            };
            push(next, here - next, self.rank_distance(index, index));
            push(here, 1, self.rank_distance(index, tied));
            next = here + 1;
            index = tied;
        }
        push(next, i128::from(self.upper) + 1 - next, self.rank_distance(index, index));
        (runs, groups)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use privacy_testing::enumerate::{Law, enumerate};
    use privacy_testing::interval::Interval;

    use super::*;
    use crate::noise::told::Merged;

    fn ratio(a: u64, b: u64) -> Ratio<BigUint> {
        Ratio::new(a.into(), b.into())
    }

    pub(crate) fn law(
        values: &[i64],
        (lower, upper): (i64, i64),
        (numer, denom): (u64, u64),
        rate: &Ratio<BigUint>,
    ) -> Law<i64> {
        let position = Position { numer, denom };
        let mut sorted: Vec<i64> = values.iter().map(|v| (*v).clamp(lower, upper)).collect();
        sorted.sort_unstable();
        let ranked = Ranked { sorted: &sorted, lower, upper, position, rate };
        enumerate(36, |c| ranked.draw(&mut Merged(c)))
    }

    /// Straight from the definition: for each grid point its distance, by counting.
    fn truth(
        values: &[i64],
        (lower, upper): (i64, i64),
        (numer, denom): (u64, u64),
        rate: &Ratio<BigUint>,
    ) -> Vec<(i64, Interval)> {
        let target = values.len() as i64 * numer as i64;
        let weights: Vec<(i64, Interval)> = (lower..=upper)
            .map(|point| {
                let below = values.iter().filter(|v| **v < point).count() as i64 * denom as i64;
                let upto = values.iter().filter(|v| **v <= point).count() as i64 * denom as i64;
                let distance = (below - target).max(target - upto).max(0) as u64;
                (point, Interval::exp_neg(&(rate * ratio(distance, 1)), 120))
            })
            .collect();
        let zero = Interval::exact(ratio(0, 1));
        let total = weights.iter().fold(zero, |sum, (_, weight)| sum.plus(weight).rounded(120));
        weights.into_iter().map(|(point, weight)| (point, weight.divided_by(&total))).collect()
    }

    #[test]
    fn every_grid_point_has_exactly_its_probability() {
        let data: [&[i64]; 7] = [
            &[],
            &[3],
            &[0, 0, 0, 0],
            &[6, 6, 6],
            &[2, 2, 5],
            &[0, 1, 2, 3, 4, 5, 6],
            &[0, 0, 1, 4, 4, 4, 6],
        ];
        for values in data {
            for position in [(0, 1), (1, 2), (1, 3), (9, 10), (1, 1)] {
                // The last rate is so high that the window leaves values out.
                for rate in [ratio(1, 4), ratio(1, 1), ratio(40, 1), ratio(120, 1)] {
                    let law = law(values, (0, 6), position, &rate);
                    assert!(law.unexplored < ratio(1, 1 << 20));
                    for (point, truth) in truth(values, (0, 6), position, &rate) {
                        assert!(
                            law.probability(&point).meets(&truth),
                            "{values:?} {position:?} {rate} at {point}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn scores_are_the_distances_of_all_points() {
        let rate = ratio(1, 1);
        for values in [&[][..], &[0, 0, 3], &[6; 5], &[1, 2, 2, 2, 5, 6]] {
            for (numer, denom) in [(0, 1), (1, 2), (2, 3), (1, 1)] {
                let position = Position { numer, denom };
                let ranked = Ranked { sorted: values, lower: 0, upper: 6, position, rate: &rate };
                let scores: Vec<i128> = (0..=6).map(|p| -(ranked.distance(p) as i128)).collect();
                assert_eq!(ranked.scores(), scores);
            }
        }
    }

    #[test]
    fn points_beyond_the_window_are_drawn_as_rarely_as_they_should() {
        // A rate at which FAR/rate is below two ranks, on a wide grid with few values.
        let rate = ratio(60, 1);
        let values = [10i64, 11, 12, 13, 14, 15, 16, 17, 18];
        let position = Position { numer: 1, denom: 2 };
        let ranked = Ranked { sorted: &values, lower: 0, upper: 40, position, rate: &rate };
        let (start, end) = ranked.window();
        assert!(start > 0 && end < values.len());
        let (runs, groups) = ranked.runs();
        let points: u128 = groups.iter().map(|group| group.points).sum();
        assert_eq!(points, 41);
        for (run, group) in runs.iter().zip(&groups) {
            for place in 0..group.points as i128 {
                assert!(ranked.distance(run.start + place) >= group.gap);
            }
        }
        let law = law(&values, (0, 40), (1, 2), &rate);
        for (point, truth) in truth(&values, (0, 40), (1, 2), &rate) {
            assert!(law.probability(&point).meets(&truth));
        }
    }

    #[test]
    fn distances_change_by_no_more_than_the_sensitivity() {
        // All data sets of up to 4 values on a grid of 4 points, and all their neighbours.
        let mut data: Vec<Vec<i64>> = vec![vec![]];
        for length in 1..=4usize {
            for code in 0..4usize.pow(length as u32) {
                let digits = (0..length).map(|i| (code / 4usize.pow(i as u32) % 4) as i64);
                let digits: Vec<i64> = digits.collect();
                if digits.is_sorted() {
                    data.push(digits);
                }
            }
        }
        let rate = ratio(1, 1);
        for (numer, denom) in [(0, 1), (1, 2), (1, 3), (3, 4), (1, 1)] {
            let position = Position { numer, denom };
            let distances = |values: &[i64]| -> Vec<u128> {
                let ranked = Ranked { sorted: values, lower: 0, upper: 3, position, rate: &rate };
                (0..4).map(|point| ranked.distance(point)).collect()
            };
            let (mut added, mut replaced) = (0, 0);
            for values in &data {
                let before = distances(values);
                let worst = |other: &[i64]| {
                    let pairs = before.iter().zip(distances(other));
                    pairs.map(|(a, b)| a.abs_diff(b)).max().unwrap_or(0)
                };
                for new in 0..4 {
                    let mut more = values.clone();
                    more.push(new);
                    more.sort_unstable();
                    added = added.max(worst(&more));
                    for index in 0..values.len() {
                        let mut other = values.clone();
                        other[index] = new;
                        other.sort_unstable();
                        replaced = replaced.max(worst(&other));
                    }
                }
            }
            assert_eq!(added, u128::from(position.add_remove()), "{numer}/{denom}");
            assert!(replaced <= u128::from(position.replace()), "{numer}/{denom}");
        }
    }
}
