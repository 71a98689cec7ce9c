//! Noise added to integers: the additive mechanisms.
//!
//! | sensitivity bounded in | mechanism | noise |
//! |---|---|---|
//! | absolute distance, L1 | [`LaplaceNoise`] | discrete Laplace, independent |
//! | absolute distance, L2 | [`GaussianNoise`] | discrete Gaussian, independent |
//! | L∞ | [`MaxNorm`] | masses that fall with the largest magnitude |
//! | absolute distance, L1 or L2 | [`ConstantTimeLaplaceNoise`], [`ConstantTimeGaussianNoise`] | the first two, drawn in constant time |
//!
//! None of them touches floating point between the data and the release.

mod constant_time;
mod law;
mod max_norm;
mod weighted;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use privacy_core::error::Result;
use privacy_core::measure::{PureCost, PureDp, Zcdp, ZcdpCost};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Epsilon, Rho};
use privacy_core::random::SecureRng;
use privacy_core::release::ErrorLaw;
use privacy_core::space::{L1, L2, L2Distance, Norm, Scalar, Space, Vector};

pub use constant_time::{ConstantTimeGaussianNoise, ConstantTimeLaplaceNoise, ConstantTimeLaw};
pub(crate) use law::promise_of;
pub use law::{Noise, NoiseLaw};
pub use max_norm::MaxNorm;
pub(crate) use weighted::{WeightedHalfWidths, continuous_scale, normal_quantile};

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
/// zero-concentrated differential privacy (Canonne, Kamath, Steinke 2020, on the discrete Gaussian
/// in one and several dimensions, <https://arxiv.org/abs/2004.00010>).
pub struct GaussianNoise<S> {
    noise: DiscreteGaussian,
    variance: Amount,
    space: PhantomData<fn() -> S>,
}

impl LaplaceNoise<Scalar<i128>> {
    /// Noise of the given scale for one integer.
    ///
    /// # Errors
    ///
    /// As [`LaplaceNoise::with_scale`].
    pub fn scalar(scale: Amount) -> Result<Self, NoiseError> {
        Self::with_scale(scale)
    }
}

impl LaplaceNoise<Vector<i128, L1>> {
    /// Noise of the given scale for each integer of a vector.
    ///
    /// # Errors
    ///
    /// As [`LaplaceNoise::with_scale`].
    pub fn vector(scale: Amount) -> Result<Self, NoiseError> {
        Self::with_scale(scale)
    }
}

impl GaussianNoise<Scalar<i128>> {
    /// Noise with the variance parameter σ² = `variance` for one integer.
    ///
    /// # Errors
    ///
    /// As [`GaussianNoise::with_variance`].
    pub fn scalar(variance: Amount) -> Result<Self, NoiseError> {
        Self::with_variance(variance)
    }
}

impl GaussianNoise<Vector<i128, L2>> {
    /// Noise with the variance parameter σ² = `variance` for each integer of a vector.
    ///
    /// # Errors
    ///
    /// As [`GaussianNoise::with_variance`].
    pub fn vector(variance: Amount) -> Result<Self, NoiseError> {
        Self::with_variance(variance)
    }
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

/// The two mechanisms are alike but for the measure and for how a distance becomes a cost.
macro_rules! additive_mechanism {
    ($noise:ident, $norm:ident, $measure:ident, $cost:ident,
     $scalar_cost:expr, $vector_cost:expr) => {
        impl Mechanism for $noise<Scalar<i128>> {
            type Input = Scalar<i128>;
            type Measure = $measure;
            type Output = i128;

            fn draw(&self, value: &i128, rng: &mut dyn SecureRng) -> Result<i128> {
                Ok(added(*value, self.noise.sample(rng)?))
            }

            fn cost(&self, d_in: Amount) -> Result<$cost> {
                Ok($scalar_cost(self, d_in))
            }

            fn law(&self) -> Arc<dyn ErrorLaw<i128>> {
                Arc::new(NoiseLaw::new(self.noise(), 0))
            }
        }

        impl Mechanism for $noise<Vector<i128, $norm>> {
            type Input = Vector<i128, $norm>;
            type Measure = $measure;
            type Output = Vec<i128>;

            fn draw(&self, values: &[i128], rng: &mut dyn SecureRng) -> Result<Vec<i128>> {
                let mut noisy = vec![0; values.len()];
                self.noise.fill(&mut noisy, rng)?;
                for (noisy, value) in noisy.iter_mut().zip(values) {
                    *noisy = added(*value, *noisy);
                }
                Ok(noisy)
            }

            fn cost(&self, d_in: <$norm as Norm>::Distance) -> Result<$cost> {
                Ok($vector_cost(self, d_in))
            }

            fn law(&self) -> Arc<dyn ErrorLaw<Vec<i128>>> {
                Arc::new(NoiseLaw::new(self.noise(), 0))
            }
        }
    };
}
additive_mechanism!(
    LaplaceNoise,
    L1,
    PureDp,
    PureCost,
    |noise: &Self, d_in: Amount| noise.epsilon(&d_in),
    |noise: &Self, d_in: Amount| noise.epsilon(&d_in)
);
additive_mechanism!(
    GaussianNoise,
    L2,
    Zcdp,
    ZcdpCost,
    |noise: &Self, d_in: Amount| noise.rho(&d_in.squared()),
    |noise: &Self, d_in: L2Distance| noise.rho(d_in.squared())
);

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
}
