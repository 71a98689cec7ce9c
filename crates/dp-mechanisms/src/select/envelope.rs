//! Exact draws with probabilities proportional to points * exp(-rate * gap).
//!
//! Groups of points are proposed by integer upper bounds of their weights; a proposal is accepted
//! with the exact quotient of weight and bound, decided by brackets of exp(-g) that are narrowed
//! until they decide. Accepting turns proportional-to-bound into proportional-to-weight (von
//! Neumann's rejection), so the law is exact however coarse the bounds are. They are within 2^-48
//! where it matters: nearly every proposal is accepted.

use num_bigint::BigUint;
use num_rational::Ratio;
use num_traits::Zero;
use privacy_core::random::EntropyError;

use super::decay::{Decay, Upper, exp_neg_bracket};
use crate::noise::Choices;

/// Weights are integers below 2^(this - log2(number of groups)).
const TOTAL_BITS: i64 = 126;

/// Points that are proposed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group {
    /// How many; at most 2^64. A group without points is never drawn.
    pub(crate) points: u128,
    /// The smallest gap among them.
    pub(crate) gap: u128,
}

/// A law over groups, ready to be drawn from.
pub(crate) struct Envelope<'a> {
    rate: &'a Ratio<BigUint>,
    groups: &'a [Group],
    /// The smallest gap of all: only differences to it matter.
    nearest: u128,
    /// Upper bounds of the weights, in units of 2^-scale, summed up to each group.
    sums: Vec<u128>,
    scale: u64,
}

impl<'a> Envelope<'a> {
    /// `None` if no group has a point.
    pub(crate) fn new(rate: &'a Ratio<BigUint>, groups: &'a [Group]) -> Option<Self> {
        let filled = || groups.iter().filter(|group| group.points > 0).map(|group| group.gap);
        let nearest = filled().min()?;
        let decay = Decay::new(rate, filled().max()? - nearest);
        let bound = |group: &Group| {
            let bound = decay.at(group.gap - nearest);
            if group.points == 1 { bound } else { bound.times(Upper::integer(group.points)) }
        };
        let bounds: Vec<Option<Upper>> =
            groups.iter().map(|group| (group.points > 0).then(|| bound(group))).collect();
        let highest = bounds.iter().flatten().map(|bound| bound.ceiling()).max()?;
        // Fewer than 2^40 groups fit into memory, and the highest bound is at most 2^66.
        let spread = 64 - groups.len().leading_zeros();
        let scale = (TOTAL_BITS - i64::from(spread) - highest).max(0);
        let mut sum = 0;
        let sums = bounds
            .iter()
            .map(|bound| {
                sum += bound.map_or(0, |bound| bound.fixed(scale));
                sum
            })
            .collect();
        Some(Envelope { rate, groups, nearest, sums, scale: scale.unsigned_abs() })
    }

    /// One point: its group, its place within the group.
    ///
    /// `gap` tells the exact gap of a point, which is at least that of its group.
    pub(crate) fn draw<C: Choices + ?Sized>(
        &self,
        choices: &mut C,
        gap: impl Fn(usize, u128) -> u128,
    ) -> Result<(usize, u128), EntropyError> {
        loop {
            let index = self.propose(choices)?;
            let group = self.groups[index];
            let place = choices.below_u128(group.points)?;
            if self.accept(choices, index, gap(index, place))? {
                return Ok((index, place));
            }
        }
    }

    /// A group, with a probability proportional to its bound.
    fn propose<C: Choices + ?Sized>(&self, choices: &mut C) -> Result<usize, EntropyError> {
        let before = |index: usize| if index == 0 { 0 } else { self.sums[index - 1] };
        let (mut start, mut end) = (0, self.sums.len());
        while end - start > 1 {
            let middle = start + (end - start) / 2;
            let left = before(middle) - before(start);
            let all = before(end) - before(start);
            if choices.chance(&left, &all)? {
                end = middle;
            } else {
                start = middle;
            }
        }
        Ok(start)
    }

    /// Bernoulli(points * exp(-rate * (gap - nearest)) * 2^scale / bound).
    ///
    /// The probability is known to lie between two multiples of 2^-bits. A uniform number in the
    /// part below accepts, in the part above rejects, and in between asks for more bits.
    fn accept<C: Choices + ?Sized>(
        &self,
        choices: &mut C,
        index: usize,
        gap: u128,
    ) -> Result<bool, EntropyError> {
        let group = self.groups[index];
        let before = if index == 0 { 0 } else { self.sums[index - 1] };
        let bound = BigUint::from(self.sums[index] - before);
        let exponent = self.rate * Ratio::from(BigUint::from(gap - self.nearest));
        let points = BigUint::from(group.points) << self.scale;
        let mut bits = 64 + points.bits().saturating_sub(bound.bits());
        // In units of 2^-bits / bound.
        let (mut low, mut high) = (BigUint::zero(), &bound << bits);
        loop {
            let (below, above) = exp_neg_bracket(&exponent, bits);
            let next_low = (below * &points).min(high.clone()).max(low.clone());
            let next_high = (above * &points).min(high.clone()).max(next_low.clone());
            if next_low > low && choices.chance(&(&next_low - &low), &(&high - &low))? {
                return Ok(true);
            }
            if next_high == next_low {
                return Ok(false);
            }
            let rest = &high - &next_low;
            if high > next_high && choices.chance(&(&high - &next_high), &rest)? {
                return Ok(false);
            }
            low = next_low << bits;
            high = next_high << bits;
            bits *= 2;
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use num_traits::One;
    use privacy_testing::enumerate::{Law, enumerate};
    use privacy_testing::interval::Interval;

    use super::*;
    use crate::noise::told::Merged;

    pub(crate) fn ratio(a: u64, b: u64) -> Ratio<BigUint> {
        Ratio::new(a.into(), b.into())
    }

    /// weight / sum of weights, for weights points * exp(-rate * gap), to 120 bits.
    pub(crate) fn truth(rate: &Ratio<BigUint>, weights: &[(u64, u64)]) -> Vec<Interval> {
        let weights: Vec<Interval> = weights
            .iter()
            .map(|&(points, gap)| {
                let points = Interval::exact(ratio(points, 1));
                points.times(&Interval::exp_neg(&(rate * ratio(gap, 1)), 150)).rounded(150)
            })
            .collect();
        let zero = Interval::exact(ratio(0, 1));
        let total = weights.iter().fold(zero, |sum, weight| sum.plus(weight));
        weights.iter().map(|weight| weight.divided_by(&total)).collect()
    }

    fn law(rate: &Ratio<BigUint>, groups: &[Group]) -> Law<(usize, u128)> {
        let envelope = Envelope::new(rate, groups).unwrap();
        enumerate(30, |c| envelope.draw(&mut Merged(c), |index, _| groups[index].gap))
    }

    #[test]
    fn draws_have_exactly_their_law() {
        let cases: [&[(u64, u64)]; 5] = [
            &[(1, 0)],
            &[(1, 0), (1, 3), (2, 1)],
            &[(1, 5), (0, 0), (3, 7), (1, 5)],
            &[(1, 40), (2, 41), (1, 45)],
            &[(5, 2), (1, 0), (1, 30), (4, 9)],
        ];
        for rate in [ratio(0, 1), ratio(1, 3), ratio(2, 1)] {
            for weights in cases {
                let groups: Vec<Group> = weights
                    .iter()
                    .map(|&(points, gap)| Group { points: points.into(), gap: gap.into() })
                    .collect();
                let law = law(&rate, &groups);
                assert!(law.unexplored < Ratio::new(BigUint::one(), BigUint::one() << 15u32));
                for (index, truth) in truth(&rate, weights).iter().enumerate() {
                    for place in 0..weights[index].0 {
                        let share = Interval::exact(ratio(weights[index].0, 1));
                        let drawn = law.probability(&(index, place.into()));
                        assert!(drawn.meets(&truth.divided_by(&share)), "group {index}");
                    }
                }
            }
        }
    }

    #[test]
    fn points_further_than_their_group_are_drawn_as_rarely_as_they_should() {
        // One group of three points at gaps 0, 1, 2 and one of a single point at gap 1.
        let groups = [Group { points: 3, gap: 0 }, Group { points: 1, gap: 1 }];
        let rate = ratio(1, 2);
        let envelope = Envelope::new(&rate, &groups).unwrap();
        let law = enumerate(30, |c| {
            envelope.draw(&mut Merged(c), |index, place| if index == 0 { place } else { 1 })
        });
        let truth = truth(&rate, &[(1, 0), (1, 1), (1, 2), (1, 1)]);
        for (truth, outcome) in truth.iter().zip([(0, 0), (0, 1), (0, 2), (1, 0)]) {
            assert!(law.probability(&outcome).meets(truth), "{outcome:?}");
        }
        // The check can fail: the middle point is no more likely than it should be.
        assert!(!law.probability(&(0, 1)).meets(&truth[0]));
    }

    #[test]
    fn a_coarse_bound_does_not_change_the_law() {
        // A scale so small that all bounds round up to whole units.
        let groups = [Group { points: 1, gap: 0 }, Group { points: 1, gap: 2 }];
        let rate = ratio(1, 1);
        let mut envelope = Envelope::new(&rate, &groups).unwrap();
        envelope.scale = 0;
        envelope.sums = vec![1, 2];
        let law = enumerate(30, |c| envelope.draw(&mut Merged(c), |index, _| groups[index].gap));
        for (index, truth) in truth(&rate, &[(1, 0), (1, 2)]).iter().enumerate() {
            assert!(law.probability(&(index, 0)).meets(truth));
        }
    }

    #[test]
    fn no_points_make_no_law() {
        let rate = ratio(1, 1);
        assert!(Envelope::new(&rate, &[]).is_none());
        assert!(Envelope::new(&rate, &[Group { points: 0, gap: 3 }]).is_none());
    }
}
