//! Intervals for what moments are of the exact aggregate.
//!
//! Each statistic θ is a quotient of averages over rows of polynomials that depend on what else is
//! not known: means t, and for a correlation the ratio s of the standard deviations.
//!
//! | θ | numerator: average of | denominator: average of |
//! |---|---|---|
//! | mean | x | 1 |
//! | variance | (x − t)² | 1 |
//! | covariance | (x − t)(y − t') | 1 |
//! | slope | (x − t)(y − t') | (x − t)² |
//! | correlation | (x − t)(y − t') | (s(x − t)² + (y − t')²/s)/2 |
//!
//! At the true values, numerator less θ times denominator is 0 over the exact aggregate. Over the
//! noisy one it is the same combination of the noise terms alone, of which the half-width is known
//! (Fieller 1954, "Some problems in interval estimation"). The values that are not known lie, but for
//! a small share of the miss, in intervals found the same way; the interval holds the θ that are
//! possible for any of them (Berger and Boos 1994, "P values maximized over a confidence set for the
//! nuisance parameter"). Both numerators and denominators depend on them in second order only,
//! which is why intervals are hardly wider than if they were known.

use super::basis::{from, from_squared};
use super::estimate::Estimate;
use super::range::Range;
use crate::additive::WeightedHalfWidths;

/// The share of the miss that goes to what is not known besides.
const NUISANCE: f64 = 1.0 / 500.0;

/// What floats lose in the sums and products of a reading, as a fraction of the interval.
const FLOAT_SLACK: f64 = 1e-12;

/// How many times an end is looked for at most, and the share of the distance it is then moved by.
const ROUNDS: usize = 60;
const PRECISION: f64 = 1e-5;

#[derive(Clone, Copy)]
enum Statistic {
    Mean(usize),
    Variance(usize),
    Covariance,
    Slope,
    Correlation,
}

/// What is not known besides the statistic.
#[derive(Clone, Copy)]
struct Unknown<T> {
    means: [T; 2],
    /// The ratio of the standard deviations, the second value's to the first's.
    ratio: T,
}

impl Unknown<Range> {
    /// All combinations of ends.
    fn corners(&self) -> impl Iterator<Item = Unknown<f64>> {
        let end = |range: Range, high: bool| if high { range.high } else { range.low };
        (0..8u8).map(move |corner| Unknown {
            means: [end(self.means[0], corner & 1 != 0), end(self.means[1], corner & 2 != 0)],
            ratio: end(self.ratio, corner & 4 != 0),
        })
    }
}

impl Estimate {
    /// The mean, as a fraction of the axis.
    pub(super) fn mean_range(&self, axis: usize, miss: f64) -> Range {
        let slack = self.basis.axes[axis].rounding() + FLOAT_SLACK;
        self.position_range(axis, miss).widened(slack).within(UNIT)
    }

    /// The variance, as a fraction of the square of the axis.
    pub(super) fn variance_range(&self, axis: usize, miss: f64) -> Range {
        self.spread_range(axis, miss).widened(self.spread_slack(axis)).within(SPREADS)
    }

    /// The covariance, as a fraction of the product of the axes.
    pub(super) fn covariance_range(&self, miss: f64) -> Range {
        let unknown = self.unknown_means([0, 1], miss * NUISANCE);
        let range = self.range(Statistic::Covariance, &unknown, JOINT_SPREADS, miss);
        range.widened(self.joint_slack()).within(JOINT_SPREADS)
    }

    /// The slope of the second value over the first, in their fractions.
    pub(super) fn slope_range(&self, miss: f64) -> Range {
        let unknown = self.unknown_means([0, 1], miss * NUISANCE);
        let any = Range::new(f64::NEG_INFINITY, f64::INFINITY);
        let range = self.range(Statistic::Slope, &unknown, any, miss);
        let (least, slack) =
            (self.denominator(Statistic::Slope, &unknown).low, self.spread_slack(0));
        if !(range.low.is_finite() && range.high.is_finite()) || least <= SAFE * slack {
            return any;
        }
        // c/v changes by at most (c' + |c/v| v')/(v − v') where c changes by c' and v by v'.
        let steepest = range.low.abs().max(range.high.abs());
        range.widened((self.joint_slack() + steepest * slack) / (least - slack))
    }

    /// Pearson's correlation.
    pub(super) fn correlation_range(&self, miss: f64) -> Range {
        let any = Range::new(-1.0, 1.0);
        let mut unknown = self.unknown_means([0, 1], miss * NUISANCE / 2.0);
        let [x, y] = [0, 1].map(|axis| self.spread_range(axis, miss * NUISANCE / 4.0));
        let slacks = [0, 1].map(|axis| self.spread_slack(axis));
        if x.low <= SAFE * slacks[0] || y.low <= SAFE * slacks[1] {
            return any;
        }
        unknown.ratio = Range::new((y.low / x.high).sqrt(), (y.high / x.low).sqrt());
        let range = self.range(Statistic::Correlation, &unknown, any, miss);
        // The relative changes of c and of the root of the variances' product, for |c| below that.
        let relative = slacks[0] / (x.low - slacks[0]) + slacks[1] / (y.low - slacks[1]);
        let joint = self.joint_slack() / ((x.low - slacks[0]) * (y.low - slacks[1])).sqrt();
        range.widened(joint + relative).within(any)
    }

    /// The mean of the rounded values.
    fn position_range(&self, axis: usize, miss: f64) -> Range {
        let nothing = Unknown { means: [UNIT; 2], ratio: Range::ONE };
        self.range(Statistic::Mean(axis), &nothing, UNIT, miss * (1.0 + NUISANCE))
    }

    /// The variance of the rounded values.
    fn spread_range(&self, axis: usize, miss: f64) -> Range {
        let unknown = self.unknown_means([axis, axis], miss * NUISANCE);
        self.range(Statistic::Variance(axis), &unknown, SPREADS, miss)
    }

    /// Where the means of one or two axes are, together but for a probability of `miss`.
    fn unknown_means(&self, axes: [usize; 2], miss: f64) -> Unknown<Range> {
        let one = axes[0] == axes[1];
        let of = |axis: usize| self.position_range(axis, if one { miss } else { miss / 2.0 });
        let means = if one { [of(axes[0]); 2] } else { axes.map(of) };
        Unknown { means, ratio: Range::ONE }
    }

    /// What rounding values to steps changes a variance by.
    fn spread_slack(&self, axis: usize) -> f64 {
        let rounding = self.basis.axes[axis].rounding();
        rounding + rounding * rounding + FLOAT_SLACK
    }

    /// What rounding values to steps changes a covariance by.
    fn joint_slack(&self) -> f64 {
        let [x, y] = self.basis.axes.map(|axis| axis.rounding());
        (x + y) / 2.0 + x * y + FLOAT_SLACK
    }

    /// The average of `weights` over the noisy aggregate, which has rows.
    fn noisy(&self, weights: &[f64]) -> f64 {
        self.average(weights).unwrap_or(0.0)
    }

    fn noisy_mean(&self, axis: usize) -> f64 {
        self.noisy(&self.along(axis, from(0.0)))
    }

    /// The average of (x − t)²: least at the noisy mean.
    fn squares(&self, axis: usize, mean: Range) -> Range {
        let centre = self.noisy_mean(axis);
        let least = self.noisy(&self.along(axis, from_squared(centre)));
        mean.distances(centre).squared().plus(least)
    }

    fn numerator(&self, statistic: Statistic, unknown: &Unknown<Range>) -> Range {
        match statistic {
            Statistic::Mean(axis) => Range::ONE.scaled(self.noisy_mean(axis)),
            Statistic::Variance(axis) => self.squares(axis, unknown.means[0]),
            Statistic::Covariance | Statistic::Slope | Statistic::Correlation => {
                let [x, y] = [0, 1].map(|axis| self.noisy_mean(axis));
                let least = self.noisy(&self.basis.weights(from(x), from(y)));
                let off = unknown.means[0].distances(x).times(unknown.means[1].distances(y));
                off.plus(least)
            }
        }
    }

    fn denominator(&self, statistic: Statistic, unknown: &Unknown<Range>) -> Range {
        match statistic {
            Statistic::Mean(_) | Statistic::Variance(_) | Statistic::Covariance => Range::ONE,
            Statistic::Slope => self.squares(0, unknown.means[0]),
            Statistic::Correlation => {
                let [x, y] = [0, 1].map(|axis| self.squares(axis, unknown.means[axis]));
                let Range { low, high } = unknown.ratio;
                // Convex in the ratio, least where both parts are equal.
                let half = |x: f64, y: f64, ratio: f64| (ratio * x + y / ratio) / 2.0;
                let best = (y.low.max(0.0) / x.low.max(f64::MIN_POSITIVE)).sqrt().clamp(low, high);
                let largest = half(x.high, y.high, low).max(half(x.high, y.high, high));
                Range::new(half(x.low, y.low, best), largest)
            }
        }
    }

    /// The weights of numerator less θ times denominator.
    fn weights(&self, statistic: Statistic, theta: f64, unknown: &Unknown<f64>) -> Vec<f64> {
        let Unknown { means: [s, t], ratio } = *unknown;
        let minus = |numerator: Vec<f64>, factor: f64, denominator: Vec<f64>| {
            numerator.iter().zip(denominator).map(|(n, d)| n - factor * d).collect::<Vec<_>>()
        };
        let joint = || self.basis.weights(from(s), from(t));
        let rows = || vec![1.0; self.basis.coordinates()];
        match statistic {
            Statistic::Mean(axis) => self.along(axis, from(theta)),
            Statistic::Variance(axis) => minus(self.along(axis, from_squared(s)), theta, rows()),
            Statistic::Covariance => minus(joint(), theta, rows()),
            Statistic::Slope => minus(joint(), theta, self.along(0, from_squared(s))),
            Statistic::Correlation => {
                let less = minus(joint(), theta * ratio / 2.0, self.along(0, from_squared(s)));
                minus(less, theta / (2.0 * ratio), self.along(1, from_squared(t)))
            }
        }
    }

    /// What a weight may exceed the line between its values at the corners by, for their squares and
    /// reciprocals.
    fn bend(statistic: Statistic, theta: f64, unknown: &Unknown<Range>) -> f64 {
        let square = |mean: Range| mean.width().powi(2) / 4.0;
        let [s, t] = unknown.means;
        match statistic {
            Statistic::Mean(_) | Statistic::Covariance => 0.0,
            Statistic::Variance(_) => square(s),
            Statistic::Slope => theta.abs() * square(s),
            Statistic::Correlation => {
                let Range { low, high } = unknown.ratio;
                let reciprocal = (low.powf(-0.5) - high.powf(-0.5)).powi(2);
                theta.abs() * (high * square(s) + square(t) / low + reciprocal) / 2.0
            }
        }
    }

    /// The half-width of the noise in numerator less θ times denominator, a row.
    fn half_width(
        &self,
        statistic: Statistic,
        theta: f64,
        unknown: &Unknown<Range>,
        widths: &WeightedHalfWidths,
    ) -> f64 {
        let bend = Self::bend(statistic, theta, unknown);
        let of_corner = |corner: Unknown<f64>| {
            let mut weights = self.weights(statistic, theta, &corner);
            weights.iter_mut().for_each(|weight| *weight = weight.abs() + bend);
            widths.of(&weights)
        };
        let depends_on = match statistic {
            Statistic::Mean(_) => 0,
            Statistic::Variance(_) => 1,
            Statistic::Covariance | Statistic::Slope => 2,
            Statistic::Correlation => 3,
        };
        let widest = unknown.corners().take(1 << depends_on).map(of_corner).fold(0.0, f64::max);
        widest / (self.basis.total() as f64 * self.rows())
    }

    /// The statistics that noise within its half-width allows, for anything that is not known.
    fn range(
        &self,
        statistic: Statistic,
        unknown: &Unknown<Range>,
        limits: Range,
        miss: f64,
    ) -> Range {
        if self.rows() <= 0.0 {
            return limits;
        }
        let numerator = self.numerator(statistic, unknown);
        let denominator = self.denominator(statistic, unknown);
        if denominator.low <= 0.0 {
            return limits;
        }
        let widths = WeightedHalfWidths::new(&self.noise, miss * (1.0 - NUISANCE));
        let width = |theta: f64| self.half_width(statistic, theta, unknown, &widths);
        // A half-width depends little on θ where rows are many: from the quotient without noise the
        // steps become shorter at once. Where they don't, anything is possible.
        let end = |numerator: f64, outwards: f64, limit: f64| {
            let quotient = |numerator: f64| {
                numerator
                    / if numerator * outwards < 0.0 { denominator.high } else { denominator.low }
            };
            let start = quotient(numerator);
            let mut theta = start;
            for _ in 0..ROUNDS {
                let next = quotient(numerator + outwards * width(theta));
                let room = (limit - next) * outwards;
                if room.is_nan() || room <= 0.0 {
                    return limit;
                }
                let settled = (next - theta).abs() <= PRECISION * (next - start).abs();
                theta = next;
                if settled {
                    return start + (theta - start) * (1.0 + 2.0 * PRECISION);
                }
            }
            limit
        };
        Range::new(end(numerator.low, -1.0, limits.low), end(numerator.high, 1.0, limits.high))
            .within(limits)
    }
}

const UNIT: Range = Range { low: 0.0, high: 1.0 };
const SPREADS: Range = Range { low: 0.0, high: 0.25 };
const JOINT_SPREADS: Range = Range { low: -0.25, high: 0.25 };

/// Quotients are only read where the denominator is so many times what rounding changes it by.
const SAFE: f64 = 4.0;

#[cfg(test)]
mod tests;
