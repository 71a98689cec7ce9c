//! Noise for vectors of which each coordinate may change at once.

use privacy_core::error::Result;
use privacy_core::measure::{PureCost, PureDp};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Epsilon};
use privacy_core::random::SecureRng;
use privacy_core::space::{Linf, Vector};

use super::added;
use crate::noise::{MaxNormNoise, NoiseError};

/// Adds noise to a vector of integers whose L∞ sensitivity is bounded: each unit may change every
/// coordinate a little.
///
/// # Privacy
///
/// With scale t, inputs at L∞ distance d have outputs that are d/t-indistinguishable: pure
/// differential privacy with ε = d/t (Hardt and Talwar 2010, <https://arxiv.org/abs/0907.3754>). The
/// errors of n coordinates are about n t, as those of independent Laplace noise for the L1
/// distance n d, but smaller by a factor of 2 in the mean.
///
/// # Example
///
/// ```
/// use dp_mechanisms::additive::MaxNorm;
/// use privacy_core::prelude::*;
///
/// let noise = MaxNorm::calibrated(&Amount::from_integer(1), &Epsilon::new(0.5)?)?;
/// assert_eq!(noise.cost(Amount::from_integer(1))?.epsilon, Epsilon::new(0.5)?.into_amount());
/// let noisy = noise.draw(&[10, 20, 30], &mut SystemRng::new()?)?;
/// assert_eq!(noisy.len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct MaxNorm {
    noise: MaxNormNoise,
    scale: Amount,
}

impl MaxNorm {
    /// Noise of the given scale, in units of the integers it is added to.
    ///
    /// # Errors
    ///
    /// [`NoiseError`] if the scale is 0 or above the range of the sampler.
    pub fn with_scale(scale: Amount) -> Result<Self, NoiseError> {
        let noise = MaxNormNoise::new(scale.as_ratio().clone())?;
        Ok(MaxNorm { noise, scale })
    }

    /// The noise that releases an aggregate of L∞ sensitivity `sensitivity` at the cost `epsilon`.
    ///
    /// # Errors
    ///
    /// As [`MaxNorm::with_scale`].
    pub fn calibrated(sensitivity: &Amount, epsilon: &Epsilon) -> Result<Self, NoiseError> {
        Self::with_scale(sensitivity.checked_div(epsilon.amount()).unwrap_or(Amount::ZERO))
    }

    /// The scale.
    #[must_use]
    pub fn scale(&self) -> &Amount {
        &self.scale
    }
}

impl Mechanism for MaxNorm {
    type Input = Vector<i128, Linf>;
    type Measure = PureDp;
    type Output = Vec<i128>;

    fn draw(&self, values: &[i128], rng: &mut dyn SecureRng) -> Result<Vec<i128>> {
        let mut noisy = vec![0; values.len()];
        self.noise.fill(&mut noisy, rng)?;
        for (noisy, value) in noisy.iter_mut().zip(values) {
            *noisy = added(*value, *noisy);
        }
        Ok(noisy)
    }

    fn cost(&self, d_in: Amount) -> Result<PureCost> {
        Ok(PureCost { epsilon: d_in.checked_div(&self.scale).unwrap_or(Amount::ZERO) })
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::random::InsecureTestRng;

    use super::*;

    #[test]
    fn the_cost_is_the_distance_over_the_scale() {
        let noise = MaxNorm::with_scale(Amount::from_integer(4)).unwrap();
        let cost = noise.cost(Amount::from_integer(3)).unwrap();
        assert_eq!(cost.epsilon, Amount::from_percent(75));
        assert!(noise.cost(Amount::ZERO).unwrap().epsilon.is_zero());
        assert!(MaxNorm::with_scale(Amount::ZERO).is_err());
    }

    #[test]
    fn each_coordinate_gets_noise() {
        let noise = MaxNorm::with_scale(Amount::from_integer(1000)).unwrap();
        let values = [1i128 << 100, -5, 0, 7];
        let noisy = noise.draw(&values, &mut InsecureTestRng::from_seed(1)).unwrap();
        assert!(noisy.iter().zip(values).all(|(a, b)| *a != b && (a - b).abs() < 1 << 20));
        assert!(noise.draw(&[], &mut InsecureTestRng::from_seed(1)).unwrap().is_empty());
    }
}
