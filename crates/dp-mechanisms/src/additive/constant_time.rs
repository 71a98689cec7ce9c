//! The additive mechanisms with noise drawn in constant time.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use privacy_core::error::Result;
use privacy_core::measure::{ApproxCost, ApproxDp};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Confidence, Delta};
use privacy_core::random::SecureRng;
use privacy_core::release::{ErrorLaw, Interval};
use privacy_core::space::{L1, L2, L2Distance, Scalar, Vector};

use super::added;
use super::law::{Noise, NoiseLaw, around_all};
use crate::noise::constant_time::{ConstantTimeGaussian, ConstantTimeLaplace};
use crate::noise::{DiscreteGaussian, DiscreteLaplace, NoiseError};

/// Adds discrete Laplace noise to one integer, or to each integer of a vector, in a time that does
/// not depend on the noise.
///
/// # Privacy
///
/// With scale t and statistical distance τ of each draw from the exact law, inputs at (L1) distance d
/// have outputs within approximate differential privacy with ε = d/t and δ = (1 + e^ε) k τ, where
/// k ≤ d is the number of integers that differ: the noise on the others has the same law on both
/// sides. See [`constant_time`](crate::noise::constant_time).
///
/// # Example
///
/// ```
/// use dp_mechanisms::additive::ConstantTimeLaplaceNoise;
/// use privacy_core::prelude::*;
///
/// let noise = ConstantTimeLaplaceNoise::with_scale(Amount::from_integer(10))?;
/// let cost = noise.cost(Amount::from_integer(1))?;
/// assert!(cost.delta.to_f64_up() < 1e-16);
/// let noisy: i128 = noise.draw(&1234, &mut SystemRng::new()?)?;
///
/// let noise = ConstantTimeLaplaceNoise::vector(Amount::from_integer(10))?;
/// let noisy: Vec<i128> = noise.draw(&[1234, 5678], &mut SystemRng::new()?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ConstantTimeLaplaceNoise<S = Scalar<i128>> {
    noise: ConstantTimeLaplace,
    law: ConstantTimeLaw,
    scale: Amount,
    space: PhantomData<fn() -> S>,
}

impl ConstantTimeLaplaceNoise<Scalar<i128>> {
    /// Noise of the given scale, in units of the integer it is added to.
    ///
    /// # Errors
    ///
    /// [`NoiseError`] if the scale is 0 or above the range of the sampler.
    pub fn with_scale(scale: Amount) -> Result<Self, NoiseError> {
        Self::of_scale(scale)
    }
}

impl ConstantTimeLaplaceNoise<Vector<i128, L1>> {
    /// Noise of the given scale for each integer of a vector.
    ///
    /// # Errors
    ///
    /// [`NoiseError`] if the scale is 0 or above the range of the sampler.
    pub fn vector(scale: Amount) -> Result<Self, NoiseError> {
        Self::of_scale(scale)
    }
}

impl<S> ConstantTimeLaplaceNoise<S> {
    fn of_scale(scale: Amount) -> Result<Self, NoiseError> {
        let noise = ConstantTimeLaplace::new(scale.as_ratio().clone())?;
        let law = ConstantTimeLaw {
            exact: Noise::Laplace(DiscreteLaplace::new(scale.as_ratio().clone())?),
            distance: noise.extra_delta().clone(),
            largest: noise.largest(),
        };
        Ok(ConstantTimeLaplaceNoise { noise, law, scale, space: PhantomData })
    }

    /// The sampler, which states its distance from the exact law.
    #[must_use]
    pub fn noise(&self) -> &ConstantTimeLaplace {
        &self.noise
    }

    /// The law of the noise on each integer.
    pub fn noise_law(&self) -> &ConstantTimeLaw {
        &self.law
    }

    fn price(&self, d_in: &Amount) -> ApproxCost {
        let epsilon = d_in.checked_div(&self.scale).unwrap_or(Amount::ZERO);
        let delta = moved(&epsilon, self.noise.extra_delta(), d_in);
        ApproxCost { epsilon, delta }
    }
}

/// Adds discrete Gaussian noise to one integer, or to each integer of a vector, in a time that does
/// not depend on the noise.
///
/// # Privacy
///
/// The exact noise gives ρ = d²/(2σ²) zero-concentrated differential privacy, with d the (L2)
/// distance, hence ε = ρ + 2 sqrt(ρ ln(1/δ)) for the δ chosen (Bun and Steinke 2016, Proposition
/// 1.3); the statistical distance τ of each draw adds (1 + e^ε) k τ to δ, where k ≤ d² is the number
/// of integers that differ.
///
/// # Example
///
/// ```
/// use dp_mechanisms::additive::ConstantTimeGaussianNoise;
/// use privacy_core::prelude::*;
///
/// let noise = ConstantTimeGaussianNoise::new(Amount::from_integer(100), &Delta::new(1e-9)?)?;
/// let cost = noise.cost(Amount::from_integer(1))?;
/// assert!(cost.epsilon.to_f64_up() < 0.65 && cost.delta.to_f64_up() < 1.0001e-9);
/// let noisy: i128 = noise.draw(&1234, &mut SystemRng::new()?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ConstantTimeGaussianNoise<S = Scalar<i128>> {
    noise: ConstantTimeGaussian,
    law: ConstantTimeLaw,
    variance: Amount,
    delta: Delta,
    space: PhantomData<fn() -> S>,
}

impl ConstantTimeGaussianNoise<Scalar<i128>> {
    /// Noise with the variance parameter σ² = `variance`, priced at the given `delta` (and what the
    /// sampler adds to it).
    ///
    /// # Errors
    ///
    /// [`NoiseError`] if the variance is 0 or above the range of the sampler;
    /// [`NoiseError::AlphaOutOfRange`] if `delta` is 0.
    pub fn new(variance: Amount, delta: &Delta) -> Result<Self, NoiseError> {
        Self::of_variance(variance, delta)
    }
}

impl ConstantTimeGaussianNoise<Vector<i128, L2>> {
    /// The same noise for each integer of a vector.
    ///
    /// # Errors
    ///
    /// As [`ConstantTimeGaussianNoise::new`].
    pub fn vector(variance: Amount, delta: &Delta) -> Result<Self, NoiseError> {
        Self::of_variance(variance, delta)
    }
}

impl<S> ConstantTimeGaussianNoise<S> {
    fn of_variance(variance: Amount, delta: &Delta) -> Result<Self, NoiseError> {
        if delta.to_f64_down() <= 0.0 {
            return Err(NoiseError::AlphaOutOfRange);
        }
        let noise = ConstantTimeGaussian::new(variance.as_ratio().clone())?;
        let law = ConstantTimeLaw {
            exact: Noise::Gaussian(DiscreteGaussian::new(variance.as_ratio().clone())?),
            distance: noise.extra_delta().clone(),
            largest: noise.largest(),
        };
        Ok(ConstantTimeGaussianNoise {
            noise,
            law,
            variance,
            delta: delta.clone(),
            space: PhantomData,
        })
    }

    /// The sampler, which states its distance from the exact law.
    #[must_use]
    pub fn noise(&self) -> &ConstantTimeGaussian {
        &self.noise
    }

    /// The law of the noise on each integer.
    pub fn noise_law(&self) -> &ConstantTimeLaw {
        &self.law
    }

    fn price(&self, squared: &Amount) -> Result<ApproxCost> {
        if squared.is_zero() {
            return Ok(ApproxCost { epsilon: Amount::ZERO, delta: Amount::ZERO });
        }
        let doubled = self.variance.scaled_by_power_of_two(1);
        let rho = squared.checked_div(&doubled).unwrap_or(Amount::ZERO).to_f64_up();
        // A few operations, each exact to some 2^-52.
        let root = (rho * -self.delta.to_f64_down().ln()).sqrt() * (1.0 + 1e-14);
        let epsilon = Amount::from_binary((rho + 2.0 * root).next_up())?;
        let delta = self.delta.amount() + &moved(&epsilon, self.noise.extra_delta(), squared);
        Ok(ApproxCost { epsilon, delta })
    }
}

macro_rules! constant_time_mechanism {
    ($noise:ident, $norm:ident, $distance:ty, $one:expr, $many:expr) => {
        impl Mechanism for $noise<Scalar<i128>> {
            type Input = Scalar<i128>;
            type Measure = ApproxDp;
            type Output = i128;

            fn draw(&self, value: &i128, rng: &mut dyn SecureRng) -> Result<i128> {
                Ok(added(*value, self.noise.sample(rng)?))
            }

            fn cost(&self, d_in: Amount) -> Result<ApproxCost> {
                $one(self, d_in)
            }

            fn law(&self) -> Arc<dyn ErrorLaw<i128>> {
                Arc::new(self.law.clone())
            }
        }

        impl Mechanism for $noise<Vector<i128, $norm>> {
            type Input = Vector<i128, $norm>;
            type Measure = ApproxDp;
            type Output = Vec<i128>;

            fn draw(&self, values: &[i128], rng: &mut dyn SecureRng) -> Result<Vec<i128>> {
                let mut noisy = vec![0; values.len()];
                self.noise.fill(&mut noisy, rng)?;
                for (noisy, value) in noisy.iter_mut().zip(values) {
                    *noisy = added(*value, *noisy);
                }
                Ok(noisy)
            }

            fn cost(&self, d_in: $distance) -> Result<ApproxCost> {
                $many(self, d_in)
            }

            fn law(&self) -> Arc<dyn ErrorLaw<Vec<i128>>> {
                Arc::new(self.law.clone())
            }
        }
    };
}
constant_time_mechanism!(
    ConstantTimeLaplaceNoise,
    L1,
    Amount,
    |noise: &Self, d_in: Amount| Ok(noise.price(&d_in)),
    |noise: &Self, d_in: Amount| Ok(noise.price(&d_in))
);
constant_time_mechanism!(
    ConstantTimeGaussianNoise,
    L2,
    L2Distance,
    |noise: &Self, d_in: Amount| noise.price(&d_in.squared()),
    |noise: &Self, d_in: L2Distance| noise.price(d_in.squared())
);

impl<S> Clone for ConstantTimeLaplaceNoise<S> {
    fn clone(&self) -> Self {
        ConstantTimeLaplaceNoise {
            noise: self.noise.clone(),
            law: self.law.clone(),
            scale: self.scale.clone(),
            space: PhantomData,
        }
    }
}

impl<S> Clone for ConstantTimeGaussianNoise<S> {
    fn clone(&self) -> Self {
        ConstantTimeGaussianNoise {
            noise: self.noise.clone(),
            law: self.law.clone(),
            variance: self.variance.clone(),
            delta: self.delta.clone(),
            space: PhantomData,
        }
    }
}

impl<S> fmt::Debug for ConstantTimeLaplaceNoise<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConstantTimeLaplaceNoise").field("scale", &self.scale).finish()
    }
}

impl<S> fmt::Debug for ConstantTimeGaussianNoise<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConstantTimeGaussianNoise").field("variance", &self.variance).finish()
    }
}

/// The law of noise drawn in constant time: within a certified statistical distance of the exact
/// law, and with a largest magnitude.
///
/// Half-widths allow for the distance: the noise exceeds m in magnitude with at most the exact law's
/// probability and the distance together, and never exceeds the largest magnitude.
#[derive(Clone, Debug)]
pub struct ConstantTimeLaw {
    exact: Noise,
    distance: Delta,
    largest: u128,
}

impl ConstantTimeLaw {
    /// The exact law it approximates.
    #[must_use]
    pub fn exact(&self) -> &Noise {
        &self.exact
    }

    /// An m that the noise exceeds in magnitude with probability at most `miss`.
    ///
    /// Infinite where `miss` is not a probability above 0.
    #[must_use]
    pub fn half_width(&self, miss: f64) -> f64 {
        if !(miss > 0.0 && miss <= 1.0) {
            return f64::INFINITY;
        }
        // Rounded up to a float.
        let largest = (self.largest as f64).next_up();
        let left = (miss - self.distance.to_f64_up()).next_down();
        if left > 0.0 { self.exact.half_width(left).min(largest) } else { largest }
    }
}

impl ErrorLaw<i128> for ConstantTimeLaw {
    fn describe(&self) -> String {
        let distance = self.distance.to_f64_up();
        let law = NoiseLaw::new(self.exact.clone(), 0);
        format!("{law}, drawn in constant time within {distance:.1e} of that law")
    }

    fn interval(&self, value: &i128, confidence: &Confidence) -> Interval {
        around_all(std::slice::from_ref(value), self.half_width(confidence.miss_probability()))
    }

    /// Of the exact law; what is censored only narrows it.
    fn standard_deviation(&self) -> Option<f64> {
        Some(self.exact.standard_deviation())
    }
}

impl ErrorLaw<Vec<i128>> for ConstantTimeLaw {
    fn describe(&self) -> String {
        ErrorLaw::<i128>::describe(self)
    }

    /// Holds the truth of any one coordinate with the confidence.
    fn interval(&self, values: &Vec<i128>, confidence: &Confidence) -> Interval {
        around_all(values, self.half_width(confidence.miss_probability()))
    }

    fn standard_deviation(&self) -> Option<f64> {
        Some(self.exact.standard_deviation())
    }
}

/// (1 + e^ε) τ for each of the integers that differ, rounded up; `most` is at least their number, and
/// 0 where inputs are equal.
fn moved(epsilon: &Amount, distance: &Delta, most: &Amount) -> Amount {
    if most.is_zero() {
        return Amount::ZERO;
    }
    // Inputs are integers: where any differ, at least one and at most `most` do.
    let one = Amount::from_integer(1);
    let most = if *most < one { &one } else { most };
    let factor = (1.0 + epsilon.to_f64_up().exp()) * (1.0 + 1e-14);
    // Beyond the floats nothing is claimed anyway.
    Amount::from_binary(factor.next_up())
        .map_or_else(|_| Amount::from_integer(1), |factor| &(&factor * distance.amount()) * most)
}

#[cfg(test)]
mod tests {
    use privacy_core::random::InsecureTestRng;

    use super::*;

    #[test]
    fn costs_hold_what_the_sampler_adds() {
        let laplace = ConstantTimeLaplaceNoise::with_scale(Amount::from_integer(2)).unwrap();
        let cost = laplace.cost(Amount::from_integer(2)).unwrap();
        assert_eq!(cost.epsilon, Amount::from_integer(1));
        let tau = laplace.noise().extra_delta().to_f64_up();
        let delta = cost.delta.to_f64_up();
        // Two integers may differ by 1.
        let truth = 2.0 * (1.0 + 1f64.exp()) * tau;
        assert!(delta >= truth && delta < truth * (1.0 + 1e-12));
        assert!(laplace.cost(Amount::ZERO).unwrap().delta.is_zero());

        let delta = Delta::new(1e-6).unwrap();
        let gaussian = ConstantTimeGaussianNoise::new(Amount::from_integer(8), &delta).unwrap();
        let cost = gaussian.cost(Amount::from_integer(2)).unwrap();
        // rho = 1/4
        let epsilon = 0.25 + 2.0 * (0.25 * 1e6f64.ln()).sqrt();
        assert!((cost.epsilon.to_f64_up() - epsilon).abs() < 1e-9);
        assert!(cost.delta > *delta.amount());
        let none = Delta::from_amount(Amount::ZERO).unwrap();
        assert!(ConstantTimeGaussianNoise::new(Amount::from_integer(8), &none).is_err());
    }

    #[test]
    fn noise_is_added() {
        let mut rng = InsecureTestRng::from_seed(1);
        let scale = Amount::from_integer(1 << 30);
        let laplace = ConstantTimeLaplaceNoise::with_scale(scale.clone()).unwrap();
        assert_ne!(laplace.draw(&5, &mut rng).unwrap(), 5);
        let delta = Delta::new(1e-6).unwrap();
        let gaussian = ConstantTimeGaussianNoise::new(scale.squared(), &delta).unwrap();
        assert_ne!(gaussian.draw(&5, &mut rng).unwrap(), 5);
    }
    #[test]
    fn vectors_are_priced_by_the_integers_that_may_differ() {
        let noise = ConstantTimeLaplaceNoise::vector(Amount::from_integer(5)).unwrap();
        let [one, ten] = [1u64, 10].map(|d| noise.cost(Amount::from_integer(d)).unwrap());
        let tau = noise.noise().extra_delta().to_f64_up();
        assert!(one.delta.to_f64_up() >= (1.0 + 0.2f64.exp()) * tau);
        assert!(ten.delta.to_f64_up() >= 10.0 * (1.0 + 2f64.exp()) * tau);
        let noisy = noise.draw(&[7; 100], &mut InsecureTestRng::from_seed(2)).unwrap();
        assert!(noisy.len() == 100 && noisy.iter().any(|x| *x != 7));
        let delta = Delta::new(1e-6).unwrap();
        let noise = ConstantTimeGaussianNoise::vector(Amount::from_integer(50), &delta).unwrap();
        let cost = noise.cost(L2Distance::from_squared(Amount::from_integer(9))).unwrap();
        // rho = 0.09
        let epsilon = 0.09 + 2.0 * (0.09 * 1e6f64.ln()).sqrt();
        assert!((cost.epsilon.to_f64_up() - epsilon).abs() < 1e-9);
    }

    #[test]
    fn half_widths_allow_for_the_distance_and_end_at_the_largest_draw() {
        for scale in [1u64, 10, 1 << 40] {
            let scale = Amount::from_integer(scale);
            let laplace = ConstantTimeLaplaceNoise::with_scale(scale.clone()).unwrap();
            let delta = Delta::new(1e-6).unwrap();
            let gaussian = ConstantTimeGaussianNoise::new(scale.squared(), &delta).unwrap();
            for law in [laplace.noise_law(), gaussian.noise_law()] {
                let (width, exact) = (law.half_width(0.05), law.exact().half_width(0.05));
                assert!(width >= exact && width <= exact * (1.0 + 1e-12), "{width} {exact}");
                // Beneath the distance only the largest draw bounds the noise.
                assert!(law.half_width(1e-300) >= law.largest as f64);
                assert!(law.half_width(1e-300).is_finite());
                assert!(
                    law.half_width(0.0).is_infinite() && law.half_width(f64::NAN).is_infinite()
                );
            }
            assert!(ErrorLaw::<i128>::describe(&*laplace.law()).contains("constant time"));
        }
    }
}
