//! What is released: moments read off one noisy aggregate.

use privacy_core::params::Confidence;
use privacy_core::release::{Interval, Readable};
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::axis::Axis;
use super::estimate::Estimate;
use super::range::Range;
use super::reading::Line;

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
        let Range { low, high } = self.0.mean_range(0, confidence.miss_probability());
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
        let range = self.0.variance_range(0, confidence.miss_probability());
        scaled(range, self.axis().width().powi(2))
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
        scaled(self.0.covariance_range(confidence.miss_probability()), self.area())
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
        scaled(self.0.correlation_range(confidence.miss_probability()), 1.0)
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
        scaled(self.0.slope_range(confidence.miss_probability()), self.steepness())
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

fn scaled(range: Range, by: f64) -> Interval {
    let Range { low, high } = range.scaled(by);
    Interval { lower: low, upper: high }
}
