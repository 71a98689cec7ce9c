//! Which moment a statistic releases.

use std::fmt;

use privacy_core::params::Confidence;
use privacy_core::release::{Interval, Readable};
use serde::Serialize;

use super::estimate::Estimate;
use super::values::{JointMoments, Moments};

/// A moment to read off a noisy aggregate. Implemented by the types beside it.
pub trait Reading: Copy + Default + fmt::Debug + Send + Sync + 'static {
    /// What is released.
    type Value;

    /// The name in plans and records.
    const NAME: &'static str;

    /// The degrees that must be aggregated in the first and in the second value.
    #[doc(hidden)]
    const DEGREES: [usize; 2];

    /// The value, and the interval for it at a confidence.
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "no other crate implements readings")]
    fn value(estimate: &Estimate) -> Self::Value;

    #[doc(hidden)]
    #[expect(private_interfaces, reason = "no other crate implements readings")]
    fn interval(estimate: &Estimate, confidence: &Confidence) -> Interval;
}

/// A straight line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Line {
    /// How much it rises for each unit of the first value.
    pub slope: f64,
    /// Its height at 0.
    pub intercept: f64,
}

impl Line {
    /// The height of the line at `x`.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }
}

impl Readable for Line {
    fn readable(&self, margin: f64) -> String {
        format!("{} + {} x", self.intercept.readable(margin), self.slope.readable(margin))
    }
}

macro_rules! readings {
    ($($(#[$doc:meta])* $name:ident, $text:literal, $degrees:expr, $moments:ident => $value:ty:
        $read:expr, $interval:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default)]
            pub struct $name;

            #[expect(private_interfaces, reason = "no other crate implements readings")]
            impl Reading for $name {
                type Value = $value;
                const NAME: &'static str = $text;
                const DEGREES: [usize; 2] = $degrees;

                fn value(estimate: &Estimate) -> $value {
                    let read: fn($moments) -> $value = $read;
                    read($moments(estimate.clone()))
                }

                fn interval(estimate: &Estimate, confidence: &Confidence) -> Interval {
                    let interval: fn($moments, &Confidence) -> Interval = $interval;
                    interval($moments(estimate.clone()), confidence)
                }
            }
        )*
    };
}
readings! {
    /// All moments of one value; the interval is that of the mean.
    Single, "moments", [2, 0], Moments => Moments:
        |moments| moments, |moments, confidence| moments.mean_interval(confidence);
    /// The population variance.
    Variance, "variance", [2, 0], Moments => f64:
        |moments| moments.variance(), |moments, confidence| moments.variance_interval(confidence);
    /// The population standard deviation.
    StandardDeviation, "standard deviation", [2, 0], Moments => f64:
        |moments| moments.standard_deviation(),
        |moments, confidence| moments.standard_deviation_interval(confidence);
    /// All moments of two values; the interval is that of the correlation.
    Joint, "joint moments", [2, 2], JointMoments => JointMoments:
        |moments| moments, |moments, confidence| moments.correlation_interval(confidence);
    /// The population covariance.
    Covariance, "covariance", [1, 1], JointMoments => f64:
        |moments| moments.covariance(),
        |moments, confidence| moments.covariance_interval(confidence);
    /// Pearson's correlation.
    Correlation, "correlation", [2, 2], JointMoments => f64:
        |moments| moments.correlation(),
        |moments, confidence| moments.correlation_interval(confidence);
    /// The least-squares line of the second value over the first; the interval is that of the
    /// slope.
    LineFit, "line fit", [2, 1], JointMoments => Line:
        |moments| moments.line(), |moments, confidence| moments.slope_interval(confidence);
}
