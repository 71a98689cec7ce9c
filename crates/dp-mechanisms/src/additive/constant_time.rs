//! The additive mechanisms with noise drawn in constant time.

use privacy_core::error::Result;
use privacy_core::measure::{ApproxCost, ApproxDp};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Delta};
use privacy_core::random::SecureRng;
use privacy_core::space::Scalar;

use super::added;
use crate::noise::NoiseError;
use crate::noise::constant_time::{ConstantTimeGaussian, ConstantTimeLaplace};

/// Adds discrete Laplace noise to one integer, in a time that does not depend on the noise.
///
/// # Privacy
///
/// With scale t and statistical distance τ from the exact law, inputs at distance d have outputs
/// within approximate differential privacy with ε = d/t and δ = (1 + e^ε) τ; see
/// [`constant_time`](crate::noise::constant_time).
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
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ConstantTimeLaplaceNoise {
    noise: ConstantTimeLaplace,
    scale: Amount,
}

impl ConstantTimeLaplaceNoise {
    /// Noise of the given scale, in units of the integer it is added to.
    ///
    /// # Errors
    ///
    /// [`NoiseError`] if the scale is 0 or above the range of the sampler.
    pub fn with_scale(scale: Amount) -> Result<Self, NoiseError> {
        Ok(ConstantTimeLaplaceNoise {
            noise: ConstantTimeLaplace::new(scale.as_ratio().clone())?,
            scale,
        })
    }

    /// The sampler, which states its distance from the exact law.
    #[must_use]
    pub fn noise(&self) -> &ConstantTimeLaplace {
        &self.noise
    }
}

impl Mechanism for ConstantTimeLaplaceNoise {
    type Input = Scalar<i128>;
    type Measure = ApproxDp;
    type Output = i128;

    fn draw(&self, value: &i128, rng: &mut dyn SecureRng) -> Result<i128> {
        Ok(added(*value, self.noise.sample(rng)?))
    }

    fn cost(&self, d_in: Amount) -> Result<ApproxCost> {
        let epsilon = d_in.checked_div(&self.scale).unwrap_or(Amount::ZERO);
        let delta = moved(&epsilon, self.noise.extra_delta(), &d_in);
        Ok(ApproxCost { epsilon, delta })
    }
}

/// Adds discrete Gaussian noise to one integer, in a time that does not depend on the noise.
///
/// # Privacy
///
/// The exact noise gives ρ = d²/(2σ²) zero-concentrated differential privacy, hence ε = ρ + 2
/// sqrt(ρ ln(1/δ)) for the δ chosen (Bun and Steinke 2016, Proposition 1.3); the statistical distance
/// τ adds (1 + e^ε) τ to δ.
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
#[derive(Clone, Debug)]
pub struct ConstantTimeGaussianNoise {
    noise: ConstantTimeGaussian,
    variance: Amount,
    delta: Delta,
}

impl ConstantTimeGaussianNoise {
    /// Noise with the variance parameter σ² = `variance`, priced at the given `delta` (and what the
    /// sampler adds to it).
    ///
    /// # Errors
    ///
    /// [`NoiseError`] if the variance is 0 or above the range of the sampler;
    /// [`NoiseError::AlphaOutOfRange`] if `delta` is 0.
    pub fn new(variance: Amount, delta: &Delta) -> Result<Self, NoiseError> {
        if delta.to_f64_down() <= 0.0 {
            return Err(NoiseError::AlphaOutOfRange);
        }
        Ok(ConstantTimeGaussianNoise {
            noise: ConstantTimeGaussian::new(variance.as_ratio().clone())?,
            variance,
            delta: delta.clone(),
        })
    }

    /// The sampler, which states its distance from the exact law.
    #[must_use]
    pub fn noise(&self) -> &ConstantTimeGaussian {
        &self.noise
    }
}

impl Mechanism for ConstantTimeGaussianNoise {
    type Input = Scalar<i128>;
    type Measure = ApproxDp;
    type Output = i128;

    fn draw(&self, value: &i128, rng: &mut dyn SecureRng) -> Result<i128> {
        Ok(added(*value, self.noise.sample(rng)?))
    }

    fn cost(&self, d_in: Amount) -> Result<ApproxCost> {
        if d_in.is_zero() {
            return Ok(ApproxCost { epsilon: Amount::ZERO, delta: Amount::ZERO });
        }
        let doubled = self.variance.scaled_by_power_of_two(1);
        let rho = d_in.squared().checked_div(&doubled).unwrap_or(Amount::ZERO).to_f64_up();
        // A few operations, each exact to some 2^-52.
        let root = (rho * -self.delta.to_f64_down().ln()).sqrt() * (1.0 + 1e-14);
        let epsilon = Amount::from_binary((rho + 2.0 * root).next_up())?;
        let delta = self.delta.amount() + &moved(&epsilon, self.noise.extra_delta(), &d_in);
        Ok(ApproxCost { epsilon, delta })
    }
}

/// (1 + e^ε) τ, rounded up; 0 where inputs are equal.
fn moved(epsilon: &Amount, distance: &Delta, d_in: &Amount) -> Amount {
    if d_in.is_zero() {
        return Amount::ZERO;
    }
    let factor = (1.0 + epsilon.to_f64_up().exp()) * (1.0 + 1e-14);
    // Beyond the floats nothing is claimed anyway.
    Amount::from_binary(factor.next_up())
        .map_or_else(|_| Amount::from_integer(1), |factor| &factor * distance.amount())
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
        let truth = (1.0 + 1f64.exp()) * tau;
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
}
