//! Noise added to integers: the two additive mechanisms.
//!
//! Both add independent exact noise to every coordinate and never touch floating point.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use privacy_core::error::Result;
use privacy_core::measure::{PureCost, PureDp, Zcdp, ZcdpCost};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Confidence, Epsilon, Rho};
use privacy_core::random::SecureRng;
use privacy_core::release::{ErrorLaw, Interval};
use privacy_core::space::{L1, L2, L2Distance, Scalar, Space, Vector};

use crate::noise::{DiscreteGaussian, DiscreteLaplace, NoiseError};

/// Adds discrete Laplace noise to each coordinate of the space `S`.
///
/// # Privacy
///
/// With scale t, inputs at L1 distance d have outputs that are d/t-indistinguishable: pure
/// differential privacy with ε = d/t (Ghosh, Roughgarden, Sundararajan 2009; the proof for
/// integer vectors is that of Dwork, McSherry, Nissim, Smith 2006 with sums for integrals).
///
/// # Example
///
/// ```
/// use dp_mechanisms::additive::LaplaceNoise;
/// use privacy_core::prelude::*;
///
/// let noise = LaplaceNoise::<Scalar<i128>>::calibrated(&Amount::from_integer(1), &Epsilon::new(0.1)?)?;
/// let cost = noise.cost(Amount::from_integer(1))?;
/// assert_eq!(cost.epsilon, Epsilon::new(0.1)?.into_amount());
/// let noisy: i128 = noise.draw(&1234, &mut SystemRng::new()?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct LaplaceNoise<S> {
    noise: DiscreteLaplace,
    scale: Amount,
    space: PhantomData<fn() -> S>,
}

/// Adds discrete Gaussian noise to each coordinate of the space `S`.
///
/// # Privacy
///
/// With variance parameter σ², inputs at L2 distance d have outputs within ρ = d²/(2σ²)
/// zero-concentrated differential privacy (Canonne, Kamath, Steinke 2020, Theorem 4 and
/// Corollary 16, <https://arxiv.org/abs/2004.00010>).
pub struct GaussianNoise<S> {
    noise: DiscreteGaussian,
    variance: Amount,
    space: PhantomData<fn() -> S>,
}

impl<S> LaplaceNoise<S> {
    /// Noise of the given scale, in units of the integers it is added to.
    ///
    /// # Errors
    ///
    /// [`NoiseError`] if the scale is 0 or above the range of the sampler.
    pub fn with_scale(scale: Amount) -> Result<Self, NoiseError> {
        let noise = DiscreteLaplace::new(scale.as_ratio().clone())?;
        Ok(LaplaceNoise { noise, scale, space: PhantomData })
    }

    /// The noise that releases an aggregate of L1 sensitivity `sensitivity` at the cost `epsilon`.
    ///
    /// # Errors
    ///
    /// As [`LaplaceNoise::with_scale`].
    pub fn calibrated(sensitivity: &Amount, epsilon: &Epsilon) -> Result<Self, NoiseError> {
        Self::with_scale(sensitivity.checked_div(epsilon.amount()).unwrap_or(Amount::ZERO))
    }

    /// The scale.
    #[must_use]
    pub fn scale(&self) -> &Amount {
        &self.scale
    }

    /// The law of one coordinate's noise.
    #[must_use]
    pub fn noise(&self) -> Noise {
        Noise::Laplace(self.noise.clone())
    }

    fn epsilon(&self, distance: &Amount) -> PureCost {
        // The constructor refuses scale 0.
        PureCost { epsilon: distance.checked_div(&self.scale).unwrap_or(Amount::ZERO) }
    }
}

impl<S> GaussianNoise<S> {
    /// Noise with the variance parameter σ² = `variance`.
    ///
    /// # Errors
    ///
    /// [`NoiseError`] if the variance is 0 or above the range of the sampler.
    pub fn with_variance(variance: Amount) -> Result<Self, NoiseError> {
        let noise = DiscreteGaussian::new(variance.as_ratio().clone())?;
        Ok(GaussianNoise { noise, variance, space: PhantomData })
    }

    /// The noise that releases an aggregate of L2 sensitivity `sensitivity` at the cost `rho`.
    ///
    /// # Errors
    ///
    /// As [`GaussianNoise::with_variance`].
    pub fn calibrated(sensitivity: &L2Distance, rho: &Rho) -> Result<Self, NoiseError> {
        let doubled = rho.amount().scaled_by_power_of_two(1);
        Self::with_variance(sensitivity.squared().checked_div(&doubled).unwrap_or(Amount::ZERO))
    }

    /// The variance parameter σ².
    #[must_use]
    pub fn variance(&self) -> &Amount {
        &self.variance
    }

    /// The law of one coordinate's noise.
    #[must_use]
    pub fn noise(&self) -> Noise {
        Noise::Gaussian(self.noise.clone())
    }

    fn rho(&self, squared_distance: &Amount) -> ZcdpCost {
        let doubled = self.variance.scaled_by_power_of_two(1);
        ZcdpCost { rho: squared_distance.checked_div(&doubled).unwrap_or(Amount::ZERO) }
    }
}

impl Mechanism for LaplaceNoise<Scalar<i128>> {
    type Input = Scalar<i128>;
    type Measure = PureDp;
    type Output = i128;

    fn draw(&self, value: &i128, rng: &mut dyn SecureRng) -> Result<i128> {
        Ok(added(*value, self.noise.sample(rng)?))
    }

    fn cost(&self, d_in: Amount) -> Result<PureCost> {
        Ok(self.epsilon(&d_in))
    }

    fn law(&self) -> Arc<dyn ErrorLaw<i128>> {
        Arc::new(NoiseLaw::new(self.noise(), 0))
    }
}

impl Mechanism for LaplaceNoise<Vector<i128, L1>> {
    type Input = Vector<i128, L1>;
    type Measure = PureDp;
    type Output = Vec<i128>;

    fn draw(&self, values: &[i128], rng: &mut dyn SecureRng) -> Result<Vec<i128>> {
        let mut noisy = vec![0; values.len()];
        self.noise.fill(&mut noisy, rng)?;
        noisy.iter_mut().zip(values).for_each(|(noisy, value)| *noisy = added(*value, *noisy));
        Ok(noisy)
    }

    fn cost(&self, d_in: Amount) -> Result<PureCost> {
        Ok(self.epsilon(&d_in))
    }
}

impl Mechanism for GaussianNoise<Scalar<i128>> {
    type Input = Scalar<i128>;
    type Measure = Zcdp;
    type Output = i128;

    fn draw(&self, value: &i128, rng: &mut dyn SecureRng) -> Result<i128> {
        Ok(added(*value, self.noise.sample(rng)?))
    }

    fn cost(&self, d_in: Amount) -> Result<ZcdpCost> {
        Ok(self.rho(&d_in.squared()))
    }

    fn law(&self) -> Arc<dyn ErrorLaw<i128>> {
        Arc::new(NoiseLaw::new(self.noise(), 0))
    }
}

impl Mechanism for GaussianNoise<Vector<i128, L2>> {
    type Input = Vector<i128, L2>;
    type Measure = Zcdp;
    type Output = Vec<i128>;

    fn draw(&self, values: &[i128], rng: &mut dyn SecureRng) -> Result<Vec<i128>> {
        let mut noisy = vec![0; values.len()];
        self.noise.fill(&mut noisy, rng)?;
        noisy.iter_mut().zip(values).for_each(|(noisy, value)| *noisy = added(*value, *noisy));
        Ok(noisy)
    }

    fn cost(&self, d_in: L2Distance) -> Result<ZcdpCost> {
        Ok(self.rho(d_in.squared()))
    }
}

/// The largest magnitude of an aggregate that noise is added to; larger ones are clamped, which
/// brings neighbours no further apart.
const LARGEST: i128 = 1 << 125;

/// The exact noisy value, clamped to twice [`LARGEST`].
///
/// Noise that left the range of `i128` arrives as an end of that range, from where every value
/// clamps to the same result as with the exact noise: the release is post-processing of the exact
/// sum.
fn added(value: i128, noise: i128) -> i128 {
    let value = value.clamp(-LARGEST, LARGEST);
    value.saturating_add(noise).clamp(-2 * LARGEST, 2 * LARGEST)
}

impl<S: Space> fmt::Debug for LaplaceNoise<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaplaceNoise").field("scale", &self.scale).finish()
    }
}

impl<S: Space> fmt::Debug for GaussianNoise<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GaussianNoise").field("variance", &self.variance).finish()
    }
}

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

impl fmt::Display for NoiseLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (family, parameter, value) = match &self.noise {
            Noise::Laplace(noise) => ("discrete Laplace", "scale", ratio_to_f64(noise.scale())),
            Noise::Gaussian(noise) => {
                ("discrete Gaussian", "σ", ratio_to_f64(noise.sigma_squared()).sqrt())
            }
        };
        let value = value * 2f64.powi(self.exponent);
        let shown = if (1e-3..1e9).contains(&value) {
            let text = format!("{value:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            format!("{value:.4e}")
        };
        match self.exponent {
            0 => write!(f, "{family}, {parameter} {shown}"),
            exponent => write!(f, "{family}, {parameter} {shown}, on a grid of 2^{exponent}"),
        }
    }
}

fn ratio_to_f64(ratio: &num_rational::Ratio<num_bigint::BigUint>) -> f64 {
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
                    // An integer beyond 2^53 is rounded by at most half a step of its float.
                    let center = *value as f64;
                    let slack = match center.abs() >= 9_007_199_254_740_992.0 {
                        true => center.abs().next_up() - center.abs(),
                        false => 0.0,
                    };
                    Interval::around(center, self.half_width(confidence) + slack)
                }

                fn standard_deviation(&self) -> Option<f64> {
                    Some(self.noise.standard_deviation() * 2f64.powi(self.exponent))
                }
            }
        )*
    };
}
law_of!(i64, i128, f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saturation_hides_which_value_the_noise_was_added_to() {
        // Noise at the end of the range stands for anything beyond it.
        for noise in [i128::MAX, i128::MIN] {
            let results: Vec<i128> =
                [-5, -6, 0, LARGEST, -LARGEST].map(|value| added(value, noise)).to_vec();
            assert!(results.iter().all(|result| result == &results[0]), "{results:?}");
        }
        assert_eq!(added(7, -9), -2);
        assert_eq!(added(i128::MAX, 0), LARGEST);
    }

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
