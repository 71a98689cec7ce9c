//! Which noise was added, and the law of the released value that follows from it.

use std::fmt;

use privacy_core::access::Promise;
use privacy_core::params::{Amount, Confidence};
use privacy_core::release::{ErrorLaw, Interval};

use crate::bound::Shape;
use crate::noise::{DiscreteGaussian, DiscreteLaplace};

/// Which exact integer noise was added.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Noise {
    /// Discrete Laplace.
    Laplace(DiscreteLaplace),
    /// Discrete Gaussian.
    Gaussian(DiscreteGaussian),
}

impl Noise {
    /// The smallest m such that the noise exceeds m in magnitude with probability at most `miss`.
    ///
    /// Infinite where `miss` is not a probability above 0.
    #[must_use]
    pub fn half_width(&self, miss: f64) -> f64 {
        let width = match self {
            Noise::Laplace(noise) => noise.half_width(miss),
            Noise::Gaussian(noise) => noise.half_width(miss),
        };
        // Above 2^53 the cast rounds to nearest; the next float up is safe.
        width.map_or(f64::INFINITY, |m| if m < 1 << 53 { m as f64 } else { (m as f64).next_up() })
    }

    /// The standard deviation.
    #[must_use]
    pub fn standard_deviation(&self) -> f64 {
        match self {
            Noise::Laplace(noise) => noise.std_dev(),
            Noise::Gaussian(noise) => noise.std_dev(),
        }
    }

    /// What an authorizer is promised of numbers that are `2^exponent` times an integer with this
    /// noise.
    pub(crate) fn promise(&self, exponent: i32) -> Option<Promise> {
        promise_of(self.standard_deviation() * 2f64.powi(exponent))
    }
}

/// The promise of noise of a standard deviation that is known up to 1e-12 of itself.
pub(crate) fn promise_of(standard_deviation: f64) -> Option<Promise> {
    let least = standard_deviation * (1.0 - 1e-11);
    Amount::from_binary(least).ok().filter(|least| *least != Amount::ZERO).map(Promise::Noise)
}

/// The law of a value that is `2^exponent` times an integer with [`Noise`] added.
#[derive(Clone, Debug)]
pub struct NoiseLaw {
    noise: Noise,
    exponent: i32,
}

impl NoiseLaw {
    /// The law of integers with `noise`, in units of `2^exponent`.
    #[must_use]
    pub fn new(noise: Noise, exponent: i32) -> Self {
        NoiseLaw { noise, exponent }
    }

    /// The noise on the integers.
    #[must_use]
    pub fn noise(&self) -> &Noise {
        &self.noise
    }

    /// Half the width of the interval at `confidence`, in the units of the released value.
    #[must_use]
    pub fn half_width(&self, confidence: &Confidence) -> f64 {
        self.noise.half_width(confidence.miss_probability()) * 2f64.powi(self.exponent)
    }
}

impl NoiseLaw {
    /// The family and its parameter, counted in `units_per`, such as `discrete Laplace, scale 100`.
    fn describe_in(&self, units_per: f64) -> String {
        let (family, parameter, value) = match &self.noise {
            Noise::Laplace(noise) => ("discrete Laplace", "scale", ratio_to_f64(noise.scale())),
            Noise::Gaussian(noise) => {
                ("discrete Gaussian", "σ", ratio_to_f64(noise.sigma_squared()).sqrt())
            }
        };
        let value = value / units_per;
        let shown = if (1e-3..1e9).contains(&value) {
            let text = format!("{value:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            format!("{value:.4e}")
        };
        format!("{family}, {parameter} {shown}")
    }

    /// The law in words for a plan: where a row adds to several sums at once, in rows.
    pub(crate) fn describe_for(&self, shape: &Shape) -> String {
        match shape {
            Shape::Simplex { coordinates: n @ 3.., total } => {
                format!("{} rows, on each of {n} sums", self.describe_in(*total as f64))
            }
            // Of a mean, whose steps are finer than its values'.
            Shape::Simplex { .. } => self.describe_in(2f64.powi(-self.exponent)),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for NoiseLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let law = self.describe_in(2f64.powi(-self.exponent));
        match self.exponent {
            0 => f.write_str(&law),
            exponent => write!(f, "{law}, on a grid of 2^{exponent}"),
        }
    }
}

pub(super) fn ratio_to_f64(ratio: &num_rational::Ratio<num_bigint::BigUint>) -> f64 {
    Amount::from_fraction(ratio.numer().clone(), ratio.denom().clone())
        .map_or(f64::INFINITY, |amount| amount.to_f64_up())
}

macro_rules! law_of {
    ($($value:ty),*) => {
        $(
            impl ErrorLaw<$value> for NoiseLaw {
                fn describe(&self) -> String {
                    self.to_string()
                }

                fn interval(&self, value: &$value, confidence: &Confidence) -> Interval {
                    Interval::around(*value as f64, self.half_width(confidence) + slack(*value as f64))
                }

                fn standard_deviation(&self) -> Option<f64> {
                    Some(self.noise.standard_deviation() * 2f64.powi(self.exponent))
                }
            }
        )*
    };
}
law_of!(i64, i128, f64);

/// What an integer beyond 2^53 loses as a float: at most half a step.
fn slack(center: f64) -> f64 {
    match center.abs() >= 9_007_199_254_740_992.0 {
        true => center.abs().next_up() - center.abs(),
        false => 0.0,
    }
}

/// The range of `values`, widened by `half_width` on both sides.
pub(super) fn around_all(values: &[i128], half_width: f64) -> Interval {
    let least = values.iter().min().map_or(0.0, |least| *least as f64);
    let most = values.iter().max().map_or(0.0, |most| *most as f64);
    Interval {
        lower: Interval::around(least, half_width + slack(least)).lower,
        upper: Interval::around(most, half_width + slack(most)).upper,
    }
}

impl ErrorLaw<Vec<i128>> for NoiseLaw {
    fn describe(&self) -> String {
        format!("{self} on each")
    }

    /// Holds the truth of any one coordinate with the confidence; around a coordinate by itself, take
    /// [`NoiseLaw::half_width`].
    fn interval(&self, values: &Vec<i128>, confidence: &Confidence) -> Interval {
        around_all(values, self.half_width(confidence))
    }

    fn standard_deviation(&self) -> Option<f64> {
        Some(self.noise.standard_deviation() * 2f64.powi(self.exponent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_of_large_integers_hold_the_integer() {
        let noise = DiscreteLaplace::new(Amount::from_percent(1).as_ratio().clone()).unwrap();
        let law = NoiseLaw::new(Noise::Laplace(noise), 0);
        for value in [(1i128 << 53) + 1, -(1 << 53) - 1, (1 << 90) + 12_345, 7] {
            let interval = law.interval(&value, &Confidence::default());
            assert!(interval.lower as i128 <= value && value <= interval.upper as i128);
        }
    }
}
