//! Least-squares regression on several features, from noisy sufficient statistics.
//!
//! # The aggregate
//!
//! Features and target are scaled to −1 at the lower and 1 at the upper bound, on a public grid of
//! 2^20 steps. A row adds all products of two of (1, features, target): the moments that
//! least squares needs (Dwork, Roth 2014, on sufficient statistics; Vu, Slavkovic 2009,
//! <https://doi.org/10.1109/ICDMW.2009.93>). With D features these are K = (D + 2)(D + 3)/2
//! integers of magnitude at most 1 on that scale, so the L1 sensitivity is K and the L2 sensitivity
//! √K.
//!
//! # The fit
//!
//! Solving the noisy normal equations is post-processing. Where the noise could make their matrix
//! singular, it is regularized (ridge) by the magnitude that the noise's spectral norm has: a
//! public number.

mod solve;

use std::fmt;
use std::sync::Arc;

use privacy_core::params::{Bounds, Confidence};
use privacy_core::release::{ErrorLaw, Interval, Readable};
use serde::Serialize;

use self::solve::Normal;
use super::aggregate::Rows;
use super::statistic::{Filtered, Statistic};
use crate::additive::{Noise, NoiseLaw};
use crate::bound::Shape;

/// Steps from the middle of an interval to its ends.
const STEPS: i64 = 1 << 20;

/// Bounds up to here, in magnitude, have distances among the floats.
const LARGEST_BOUND: f64 = 1e289;

/// One scaled value: from −[`STEPS`] to [`STEPS`].
#[derive(Clone, Copy, Debug)]
struct Scaled {
    lower: f64,
    width: f64,
}

impl Scaled {
    fn new(bounds: Bounds<f64>) -> privacy_core::Result<Self> {
        let (lower, upper) = (bounds.lower(), bounds.upper());
        if lower.abs().max(upper.abs()) > LARGEST_BOUND {
            return Err(privacy_core::Error::Overflow { quantity: "a bound", limit: "1e289" });
        }
        let width = upper - lower;
        if width < f64::MIN_POSITIVE / f64::EPSILON {
            return Err(privacy_core::Error::Parameter {
                parameter: "the distance between the bounds",
                requirement: "at least 1e-292",
                given: width,
            });
        }
        Ok(Scaled { lower, width })
    }

    /// NaN is missing.
    #[inline]
    fn steps(&self, value: f64) -> Option<i64> {
        if value.is_nan() {
            return None;
        }
        let fraction = ((value - self.lower) / self.width).clamp(0.0, 1.0);
        Some((fraction * (2 * STEPS) as f64).round_ties_even() as i64 - STEPS)
    }

    /// From −1..1 to the units of the value.
    fn middle(&self) -> f64 {
        self.lower + self.width / 2.0
    }
}

/// A regression that has no bounds yet; see
/// [`Query::bounds_of_features`](super::Query::bounds_of_features).
#[derive(Clone, Copy)]
pub struct RegressionOf<F, G> {
    features: F,
    target: G,
}

impl<F, G> RegressionOf<F, G> {
    pub(super) fn new(features: F, target: G) -> Self {
        RegressionOf { features, target }
    }
}

/// A statistic of several features and a target, all of which need public bounds.
pub trait NeedsFeatureBounds<const D: usize>: Sized {
    /// The statistic once its bounds are known.
    type Bounded;

    /// Gives the bounds of each feature and of the target.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Overflow`] or [`privacy_core::Error::Parameter`] for bounds beyond
    /// 1e289 or closer together than 1e-292; [`privacy_core::Error::Parameter`] without features or
    /// with more than 64.
    fn bounded(
        self,
        features: [Bounds<f64>; D],
        target: Bounds<f64>,
    ) -> privacy_core::Result<Self::Bounded>;
}

/// The least-squares regression of a clamped target on `D` clamped features.
#[derive(Clone, Copy)]
pub struct Regression<F, G, const D: usize> {
    of: RegressionOf<F, G>,
    scales: Scales<D>,
}

/// The scales of features and target.
#[derive(Clone, Copy, Debug)]
struct Scales<const D: usize> {
    features: [Scaled; D],
    target: Scaled,
}

impl<F, G, const D: usize> NeedsFeatureBounds<D> for RegressionOf<F, G> {
    type Bounded = Regression<F, G, D>;

    fn bounded(
        self,
        features: [Bounds<f64>; D],
        target: Bounds<f64>,
    ) -> privacy_core::Result<Self::Bounded> {
        if !(1..=64).contains(&D) {
            return Err(privacy_core::Error::Parameter {
                parameter: "the number of features",
                requirement: "between 1 and 64",
                given: D as f64,
            });
        }
        let target = Scaled::new(target)?;
        let mut scales = [target; D];
        for (scale, bounds) in scales.iter_mut().zip(features) {
            *scale = Scaled::new(bounds)?;
        }
        Ok(Regression { of: self, scales: Scales { features: scales, target } })
    }
}

impl<S: NeedsFeatureBounds<D>, P, const D: usize> NeedsFeatureBounds<D> for Filtered<S, P> {
    type Bounded = Filtered<S::Bounded, P>;

    fn bounded(
        self,
        features: [Bounds<f64>; D],
        target: Bounds<f64>,
    ) -> privacy_core::Result<Self::Bounded> {
        self.try_map(|statistic| statistic.bounded(features, target))
    }
}

/// A fitted linear model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LinearModel {
    /// How much the target rises for each unit of each feature.
    pub coefficients: Vec<f64>,
    /// The target where all features are 0.
    pub intercept: f64,
    /// The standard deviation that the noise gives each coefficient, to first order: small beside
    /// the coefficient where the fit means something. It does not hold what a sample differs from
    /// its population by.
    pub noise_deviations: Vec<f64>,
}

impl LinearModel {
    /// The model's target for the given features; features that are missing count as 0.
    #[must_use]
    pub fn predict(&self, features: &[f64]) -> f64 {
        let products = self.coefficients.iter().zip(features).map(|(c, x)| c * x);
        self.intercept + products.sum::<f64>()
    }
}

impl Readable for LinearModel {
    fn readable(&self, _: f64) -> String {
        let mut text = format!("{:.4}", self.intercept);
        for (i, coefficient) in self.coefficients.iter().enumerate() {
            let sign = if *coefficient < 0.0 { '−' } else { '+' };
            text.push_str(&format!(" {sign} {:.4} x{}", coefficient.abs(), i + 1));
        }
        text
    }
}

/// The law of a model: the noise of its normal equations is known, an interval is not.
#[derive(Debug)]
struct ModelLaw {
    noise: Noise,
}

impl ErrorLaw<LinearModel> for ModelLaw {
    fn describe(&self) -> String {
        let noise = NoiseLaw::new(self.noise.clone(), -40);
        format!("solution of normal equations, each entry with {noise}")
    }

    /// The whole line: a model is no single number. See [`LinearModel::noise_deviations`].
    fn interval(&self, _: &LinearModel, _: &Confidence) -> Interval {
        Interval { lower: f64::NEG_INFINITY, upper: f64::INFINITY }
    }
}

/// What a row is read as: its features and target in steps.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Observation<const D: usize> {
    features: [i64; D],
    target: i64,
}

impl<const D: usize> Default for Observation<D> {
    fn default() -> Self {
        Observation { features: [0; D], target: 0 }
    }
}

impl<'a, T, F, G, const D: usize> Statistic<'a, T> for Regression<F, G, D>
where
    T: Sync + 'a,
    F: Fn(&'a T) -> [f64; D] + Send + Sync,
    G: Fn(&'a T) -> f64 + Send + Sync,
{
    type Item = Observation<D>;
    type Value = LinearModel;

    /// A row counts where all its features and its target are numbers.
    fn item(&self, row: &'a T) -> Option<Observation<D>> {
        let mut features = [0; D];
        let values = (self.of.features)(row);
        for ((slot, scale), value) in features.iter_mut().zip(&self.scales.features).zip(values) {
            *slot = scale.steps(value)?;
        }
        Some(Observation { features, target: self.scales.target.steps((self.of.target)(row))? })
    }

    fn aggregate(
        &self,
        rows: Rows<'_, 'a, T>,
        groups: usize,
        group: impl Fn(&'a T) -> Option<u32> + Sync,
        item: impl Fn(&'a T) -> Option<Observation<D>> + Sync,
    ) -> Vec<i128> {
        rows.tally(groups, Normal::entries(D), group, item, |observation, cell| {
            let one = std::iter::once(STEPS);
            let values = || one.clone().chain(observation.features).chain([observation.target]);
            let mut cell = cell.iter_mut();
            for (i, a) in values().enumerate() {
                for (b, slot) in values().skip(i).zip(&mut cell) {
                    *slot += i128::from(a) * i128::from(b);
                }
            }
        })
    }

    fn shape(&self) -> Shape {
        let entries = Normal::entries(D) as u128;
        let square = (STEPS as u128).pow(2);
        Shape::Vector {
            coordinates: Normal::entries(D),
            l1: entries * square,
            squared_l2: entries * square * square,
        }
    }

    fn exponent(&self) -> i32 {
        // An entry of 1 is STEPS².
        -40
    }

    fn release(
        &self,
        noisy: &[i128],
        noise: &Noise,
    ) -> Option<(LinearModel, Arc<dyn ErrorLaw<LinearModel>>)> {
        let square = (STEPS as f64).powi(2);
        let entries: Vec<f64> = noisy.iter().map(|entry| *entry as f64 / square).collect();
        let deviation = noise.standard_deviation() / square;
        let fit = Normal::new(D, &entries)?.solve(deviation);
        let Scales { features, target } = &self.scales;
        // Scaled target = c₀ + Σ cᵢ (xᵢ − middleᵢ) / halfᵢ.
        let half = target.width / 2.0;
        let per_unit = |scale: &Scaled| half / (scale.width / 2.0);
        let coefficients: Vec<f64> =
            features.iter().zip(&fit.slopes).map(|(scale, c)| c * per_unit(scale)).collect();
        let at_middle = target.middle() + fit.constant * half;
        let offsets = features.iter().zip(&coefficients).map(|(scale, c)| c * scale.middle());
        let model = LinearModel {
            intercept: at_middle - offsets.sum::<f64>(),
            noise_deviations: features
                .iter()
                .zip(&fit.deviations)
                .map(|(scale, d)| d * per_unit(scale))
                .collect(),
            coefficients,
        };
        Some((model, Arc::new(ModelLaw { noise: noise.clone() })))
    }

    /// The largest ± of a coefficient, in the target's interval per feature's interval, for
    /// features spread evenly between their bounds.
    fn expected_error(&self, noise: &Noise, rows: u64, confidence: &Confidence) -> f64 {
        let half_width = noise.half_width(confidence.miss_probability()) / (STEPS as f64).powi(2);
        // The variance of an even spread over −1..1 is 1/3.
        3.0 * half_width / rows.max(1) as f64
    }

    fn describe(&self) -> String {
        format!("linear regression on {D} features")
    }
}

macro_rules! opaque_debug {
    ($($name:ident<$($parameter:ident),*; $($constant:ident),*>),* $(,)?) => {
        $(
            impl<$($parameter,)* $(const $constant: usize),*> fmt::Debug
                for $name<$($parameter,)* $($constant),*>
            {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(stringify!($name))
                }
            }
        )*
    };
}
opaque_debug!(RegressionOf<F, G;>, Regression<F, G; D>);
