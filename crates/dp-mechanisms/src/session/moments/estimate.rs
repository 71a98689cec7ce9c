//! What a noisy aggregate of Bernstein polynomials says about moments.

use privacy_core::params::Confidence;
use privacy_core::release::{Interval, Readable};
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::axis::Axis;
use super::polynomial::{average_range, bernstein, in_bernstein, product};
use super::reading::Line;
use crate::additive::Noise;

/// What floats lose in the sums and products of a reading, as a fraction of the interval.
const FLOAT_SLACK: f64 = 1e-12;

/// Which polynomials a row adds: of two axes, each up to a degree of 0, 1 or 2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Basis {
    pub(super) axes: [Axis; 2],
    pub(super) degrees: [usize; 2],
}

impl Basis {
    pub(super) fn coordinates(&self) -> usize {
        (self.degrees[0] + 1) * (self.degrees[1] + 1)
    }

    /// What the coordinates of one row sum to.
    pub(super) fn total(&self) -> u128 {
        let power = |i: usize| u128::from(self.axes[i].steps()).pow(self.degrees[i] as u32);
        power(0) * power(1)
    }

    /// Adds a row at the given positions.
    #[inline]
    pub(super) fn add(&self, positions: [u64; 2], coordinates: &mut [i128]) {
        let [x, y] = [0, 1].map(|i| {
            let steps = self.axes[i].steps();
            bernstein(self.degrees[i], positions[i].min(steps), steps)
        });
        let mut slots = coordinates.iter_mut();
        for a in &x[..=self.degrees[0]] {
            for (b, slot) in y[..=self.degrees[1]].iter().zip(&mut slots) {
                *slot += a * b;
            }
        }
    }

    /// The coordinates of rows in the first axis, given how many they are, the sum of their
    /// positions and that of the squares.
    pub(super) fn of_powers(&self, [rows, sum, squares]: [i128; 3]) -> Vec<i128> {
        let steps = i128::from(self.axes[0].steps());
        match self.degrees[0] {
            0 => vec![rows],
            1 => vec![rows * steps - sum, sum],
            _ => vec![
                rows * steps * steps - 2 * steps * sum + squares,
                2 * (steps * sum - squares),
                squares,
            ],
        }
    }

    /// The polynomial `f(x) g(y)` in Bernstein form.
    fn weights(&self, f: [f64; 3], g: [f64; 3]) -> Vec<f64> {
        product(&in_bernstein(self.degrees[0], f), &in_bernstein(self.degrees[1], g))
    }
}

const ONE: [f64; 3] = [1.0, 0.0, 0.0];

/// x − t
fn from(t: f64) -> [f64; 3] {
    [-t, 1.0, 0.0]
}

/// (x − t)²
fn from_squared(t: f64) -> [f64; 3] {
    [t * t, -2.0 * t, 1.0]
}

/// Noisy coordinates with the law of their noise. All answers are fractions of the axes.
#[derive(Clone, Debug)]
pub(super) struct Estimate {
    pub(super) basis: Basis,
    /// In rows: the sum of the polynomials themselves.
    coordinates: Vec<f64>,
    noise: Noise,
}

/// The exact coordinates lie between these, with the confidence that was asked for.
pub(super) struct Masses {
    lower: Vec<f64>,
    upper: Vec<f64>,
}

impl Estimate {
    pub(super) fn new(basis: Basis, noisy: &[i128], noise: Noise) -> Self {
        let total = basis.total() as f64;
        Estimate { coordinates: noisy.iter().map(|c| *c as f64 / total).collect(), basis, noise }
    }

    /// The estimate to expect where `rows` rows are spread evenly over the axes: each Bernstein
    /// polynomial has the same integral.
    pub(super) fn expected(basis: Basis, rows: u64, noise: Noise) -> Self {
        let coordinates = vec![rows as f64 / basis.coordinates() as f64; basis.coordinates()];
        Estimate { basis, coordinates, noise }
    }

    pub(super) fn rows(&self) -> f64 {
        self.coordinates.iter().sum()
    }

    pub(super) fn masses(&self, confidence: &Confidence) -> Masses {
        let miss = confidence.miss_probability() / self.coordinates.len() as f64;
        let half_width = self.noise.half_width(miss) / self.basis.total() as f64;
        Masses {
            lower: self.coordinates.iter().map(|c| (c - half_width).max(0.0)).collect(),
            upper: self.coordinates.iter().map(|c| (c + half_width).max(0.0)).collect(),
        }
    }

    /// The average of a polynomial over rows; `None` where noise leaves nothing to divide by.
    fn average(&self, weights: &[f64]) -> Option<f64> {
        let rows = self.rows();
        let sum: f64 = weights.iter().zip(&self.coordinates).map(|(w, c)| w * c).sum();
        (rows > 0.0).then(|| sum / rows)
    }

    fn along(&self, axis: usize, f: [f64; 3]) -> Vec<f64> {
        if axis == 0 { self.basis.weights(f, ONE) } else { self.basis.weights(ONE, f) }
    }

    /// The mean; the middle where there is none.
    pub(super) fn mean(&self, axis: usize) -> f64 {
        self.average(&self.along(axis, from(0.0))).map_or(0.5, |mean| mean.clamp(0.0, 1.0))
    }

    pub(super) fn mean_range(&self, axis: usize, masses: &Masses) -> (f64, f64) {
        let slack = self.basis.axes[axis].rounding() + FLOAT_SLACK;
        let (low, high) = masses.range(&self.along(axis, from(0.0)));
        ((low - slack).max(0.0), (high + slack).min(1.0))
    }

    /// The variance, from 0 to 1/4; 0 where there is none.
    pub(super) fn variance(&self, axis: usize) -> f64 {
        let mean = self.mean(axis);
        self.average(&self.along(axis, from_squared(mean))).map_or(0.0, |v| v.clamp(0.0, 0.25))
    }

    /// The variance is the average of (x − t)² less the square of the distance of the mean from t,
    /// here with t the estimated mean.
    pub(super) fn variance_range(&self, axis: usize, masses: &Masses) -> (f64, f64) {
        let rounding = self.basis.axes[axis].rounding();
        let slack = rounding + rounding * rounding + FLOAT_SLACK;
        let mean = self.mean(axis);
        let (low, high) = masses.range(&self.along(axis, from_squared(mean)));
        let off = masses.largest(&self.along(axis, from(mean)));
        ((low - off * off - slack).max(0.0), (high + slack).clamp(0.0, 0.25))
    }

    pub(super) fn covariance(&self) -> f64 {
        let (s, t) = (self.mean(0), self.mean(1));
        let average = self.average(&self.basis.weights(from(s), from(t)));
        average.map_or(0.0, |covariance| covariance.clamp(-0.25, 0.25))
    }

    /// The covariance is the average of (x − s)(y − t) less the product of how far the means are
    /// from s and t.
    pub(super) fn covariance_range(&self, masses: &Masses) -> (f64, f64) {
        let [rx, ry] = self.basis.axes.map(|axis| axis.rounding());
        let (s, t) = (self.mean(0), self.mean(1));
        let (low, high) = masses.range(&self.basis.weights(from(s), from(t)));
        let off = masses.largest(&self.along(0, from(s))) * masses.largest(&self.along(1, from(t)));
        let slack = off + (rx + ry) / 2.0 + rx * ry + FLOAT_SLACK;
        ((low - slack).max(-0.25), (high + slack).min(0.25))
    }
}

impl Masses {
    fn range(&self, weights: &[f64]) -> (f64, f64) {
        average_range(weights, &self.lower, &self.upper)
    }

    /// The largest magnitude of an average.
    fn largest(&self, weights: &[f64]) -> f64 {
        let (low, high) = self.range(weights);
        low.abs().max(high.abs())
    }
}

/// The noisy moments of one value: number of rows, mean, variance, standard deviation, all for one
/// price.
#[derive(Clone, Debug)]
pub struct Moments(pub(super) Estimate);

impl Moments {
    fn axis(&self) -> &Axis {
        &self.0.basis.axes[0]
    }

    /// The number of rows; noise can make it negative.
    #[must_use]
    pub fn rows(&self) -> f64 {
        self.0.rows()
    }

    /// The mean, within the bounds.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.axis().at(self.0.mean(0))
    }

    /// An interval that covers the mean of the bounded, clamped values.
    #[must_use]
    pub fn mean_interval(&self, confidence: &Confidence) -> Interval {
        let (low, high) = self.0.mean_range(0, &self.0.masses(confidence));
        Interval { lower: self.axis().at(low), upper: self.axis().at(high) }
    }

    /// The population variance (with the number of rows as divisor), from 0 to a quarter of the
    /// squared distance of the bounds.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.0.variance(0) * self.axis().width().powi(2)
    }

    /// An interval that covers the variance of the bounded, clamped values.
    #[must_use]
    pub fn variance_interval(&self, confidence: &Confidence) -> Interval {
        let (low, high) = self.0.variance_range(0, &self.0.masses(confidence));
        let square = self.axis().width().powi(2);
        Interval { lower: low * square, upper: high * square }
    }

    /// The standard deviation: the root of the [`variance`](Moments::variance).
    #[must_use]
    pub fn standard_deviation(&self) -> f64 {
        self.variance().sqrt()
    }

    /// An interval that covers the standard deviation of the bounded, clamped values.
    #[must_use]
    pub fn standard_deviation_interval(&self, confidence: &Confidence) -> Interval {
        let variance = self.variance_interval(confidence);
        Interval { lower: variance.lower.sqrt(), upper: variance.upper.sqrt() }
    }
}

impl Readable for Moments {
    /// Mean and standard deviation.
    fn readable(&self, margin: f64) -> String {
        let mean = self.mean().readable(margin);
        format!("mean {mean}, standard deviation {}", self.standard_deviation().readable(margin))
    }
}

impl Serialize for Moments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Moments", 4)?;
        fields.serialize_field("rows", &self.rows())?;
        fields.serialize_field("mean", &self.mean())?;
        fields.serialize_field("variance", &self.variance())?;
        fields.serialize_field("standard_deviation", &self.standard_deviation())?;
        fields.end()
    }
}

/// The noisy moments of two values: covariance, correlation, the fitted line, all for one price.
#[derive(Clone, Debug)]
pub struct JointMoments(pub(super) Estimate);

impl JointMoments {
    /// The number of rows; noise can make it negative.
    #[must_use]
    pub fn rows(&self) -> f64 {
        self.0.rows()
    }

    /// The means of the two values.
    #[must_use]
    pub fn means(&self) -> (f64, f64) {
        let [x, y] = &self.0.basis.axes;
        (x.at(self.0.mean(0)), y.at(self.0.mean(1)))
    }

    /// The population variances of the two values.
    #[must_use]
    pub fn variances(&self) -> (f64, f64) {
        let [x, y] = &self.0.basis.axes;
        let variance = |axis: usize| self.0.variance(axis);
        (variance(0) * x.width().powi(2), variance(1) * y.width().powi(2))
    }

    /// The population covariance.
    #[must_use]
    pub fn covariance(&self) -> f64 {
        self.0.covariance() * self.area()
    }

    /// An interval that covers the covariance of the bounded, clamped values.
    #[must_use]
    pub fn covariance_interval(&self, confidence: &Confidence) -> Interval {
        let (low, high) = self.0.covariance_range(&self.0.masses(confidence));
        Interval { lower: low * self.area(), upper: high * self.area() }
    }

    /// Pearson's correlation, from −1 to 1; 0 where noise leaves no variance to divide by.
    #[must_use]
    pub fn correlation(&self) -> f64 {
        let spread = (self.0.variance(0) * self.0.variance(1)).sqrt();
        if spread > 0.0 { (self.0.covariance() / spread).clamp(-1.0, 1.0) } else { 0.0 }
    }

    /// An interval that covers the correlation of the bounded, clamped values.
    #[must_use]
    pub fn correlation_interval(&self, confidence: &Confidence) -> Interval {
        let masses = self.0.masses(confidence);
        let [x, y] = [0, 1].map(|axis| self.0.variance_range(axis, &masses));
        let spread = ((x.0 * y.0).sqrt(), (x.1 * y.1).sqrt());
        let (low, high) = quotient_range(self.0.covariance_range(&masses), spread);
        Interval { lower: low.max(-1.0), upper: high.min(1.0) }
    }

    /// The least-squares line of the second value over the first; level where noise leaves no
    /// variance to divide by.
    #[must_use]
    pub fn line(&self) -> Line {
        let variance = self.0.variance(0);
        let slope = if variance > 0.0 { self.0.covariance() / variance } else { 0.0 };
        let slope = slope * self.steepness();
        let (x, y) = self.means();
        Line { slope, intercept: y - slope * x }
    }

    /// An interval that covers the slope of the least-squares line of the bounded, clamped values.
    #[must_use]
    pub fn slope_interval(&self, confidence: &Confidence) -> Interval {
        let masses = self.0.masses(confidence);
        let (low, high) =
            quotient_range(self.0.covariance_range(&masses), self.0.variance_range(0, &masses));
        Interval { lower: low * self.steepness(), upper: high * self.steepness() }
    }

    /// The product of the widths.
    fn area(&self) -> f64 {
        let [x, y] = &self.0.basis.axes;
        x.width() * y.width()
    }

    /// The quotient of the widths.
    fn steepness(&self) -> f64 {
        let [x, y] = &self.0.basis.axes;
        y.width() / x.width()
    }
}

impl Readable for JointMoments {
    /// The correlation.
    fn readable(&self, margin: f64) -> String {
        format!("correlation {}", self.correlation().readable(margin))
    }
}

impl Serialize for JointMoments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("JointMoments", 6)?;
        fields.serialize_field("rows", &self.rows())?;
        fields.serialize_field("means", &self.means())?;
        fields.serialize_field("variances", &self.variances())?;
        fields.serialize_field("covariance", &self.covariance())?;
        fields.serialize_field("correlation", &self.correlation())?;
        fields.serialize_field("line", &self.line())?;
        fields.end()
    }
}

/// The quotients of numbers in the two ranges, of which the second is not negative.
fn quotient_range(numerator: (f64, f64), denominator: (f64, f64)) -> (f64, f64) {
    if denominator.0 <= 0.0 {
        return (f64::NEG_INFINITY, f64::INFINITY);
    }
    let over = |numerator: f64, towards_zero: f64, away: f64| {
        numerator / if numerator < 0.0 { towards_zero } else { away }
    };
    let low = over(numerator.0, denominator.0, denominator.1);
    let high = -over(-numerator.1, denominator.0, denominator.1);
    (low, high)
}

#[cfg(test)]
mod tests {
    use privacy_core::params::Bounds;

    use super::*;
    use crate::grid::Value;

    #[test]
    fn power_sums_give_the_coordinates_that_rows_add() {
        let bounds = Bounds::new(0i64, 9).unwrap();
        let axis = Axis::new(&bounds, i64::grid(&bounds, None).unwrap(), 20);
        let positions = [0u64, 1, 4, 9, 9, 3];
        let sum = |power: u32| positions.iter().map(|x| i128::from(x.pow(power))).sum();
        for degree in 0..=2 {
            let basis = Basis { axes: [axis; 2], degrees: [degree, 0] };
            let mut added = vec![0; basis.coordinates()];
            positions.iter().for_each(|position| basis.add([*position, 0], &mut added));
            assert_eq!(basis.of_powers([sum(0), sum(1), sum(2)]), added);
        }
    }
}
