//! Selection of keys by weights that depend on how many keys a unit has.

use std::fmt;
use std::marker::PhantomData;

use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_core::error::Error;
use privacy_core::measure::{ApproxCost, ApproxDp, Measure};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Delta, Epsilon};
use privacy_core::random::SecureRng;
use privacy_core::space::Changes;

use super::gaussian_cost::{equal_shifts, few_digits_up, tail_up, zcdp_rho};
use super::lists::{KeyLists, Lists};
use crate::additive::Noise;
use crate::error::Result;
use crate::noise::{DiscreteGaussian, NoiseError};

/// The weight that all keys of a unit have together, in Euclidean norm.
const UNIT: u64 = 1 << 12;

/// The most keys of a unit that are used.
const MAX_KEYS: u64 = 1 << 16;

/// Releases the keys whose noisy weight is at least a threshold, where each of the m keys of a unit
/// gets the weight 1/√m: the weighted Gaussian mechanism.
///
/// Units with few keys, whose votes a plain count would waste, weigh more; the Euclidean norm of a
/// unit's contribution is 1 either way. A unit with more than the limit of keys gives weight to a
/// pseudo-random choice of them.
///
/// # Privacy
///
/// Weights are integers, floor(2^12/√m), with discrete Gaussian noise Z of parameter σ². For one
/// unit more or less, with m keys of weight w each, keys that others have too are H_ε-close (m equal
/// shifts of w), and one of the keys that nobody else has is released with probability at most
/// 1 − (1 − P(Z ≥ T − w))^m. δ is the largest of the first over m plus the largest of the second
/// (Gopi, Gulhane, Kulkarni, Shen, Shokouhi, Yekhanin 2020, <https://arxiv.org/abs/2002.09745>, on
/// the Gaussian update policy, here with exact tails of the discrete law), in floating point and rounded up by
/// relative margins of about 2e-8 a term. Several units are priced by group privacy.
pub struct WeightedGaussian<K> {
    noise: DiscreteGaussian,
    epsilon: Amount,
    keys: u64,
    threshold: i128,
    claim: PhantomData<fn() -> K>,
}

impl<K> WeightedGaussian<K> {
    /// Noise and the lowest threshold for it that cost at most (`epsilon`, `delta`), where at most
    /// `keys` keys of each unit are used. Half of `delta` goes to the noise.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless `keys` is from 1 to 2^16 and `delta` at least 1e-280;
    /// [`crate::Error::Noise`] if so much noise cannot be drawn.
    pub fn calibrated(epsilon: &Epsilon, delta: &Delta, keys: u64) -> Result<Self> {
        if !(1..=MAX_KEYS).contains(&keys) {
            return Err(Error::Parameter {
                parameter: "the number of keys of a unit",
                requirement: "from 1 to 2^16 where keys are weighted",
                given: keys as f64,
            }
            .into());
        }
        let (e, d) = (epsilon.to_f64_down(), delta.to_f64_down());
        if d < 1e-280 {
            let parameter = "delta";
            let requirement = "at least 1e-280 where keys are selected with Gaussian noise";
            return Err(Error::Parameter { parameter, requirement, given: d }.into());
        }
        let with = |variance: f64| -> Result<Self> {
            let too_large = crate::Error::Noise(NoiseError::ScaleTooLarge { limit_bits: 100 });
            let variance: Ratio<BigUint> = few_digits_up(variance).ok_or(too_large)?;
            Ok(WeightedGaussian {
                noise: DiscreteGaussian::new(variance)?,
                epsilon: epsilon.amount().clone(),
                keys,
                threshold: 0,
                claim: PhantomData,
            })
        };
        let enough = (UNIT * UNIT) as f64 / (2.0 * zcdp_rho(e, d / 2.0));
        let mut found = with(enough)?;
        // The exact law needs a little less than zero-concentration says.
        for percent in (80..100).rev() {
            let tried = with(enough * f64::from(percent) / 100.0)?;
            if tried.noise_delta() > d / 2.0 {
                break;
            }
            found = tried;
        }
        let left = d - found.noise_delta().min(d / 2.0);
        let (mut dear, mut cheap) = (0i128, 1i128 << 115);
        while cheap - dear > 1 {
            found.threshold = dear + (cheap - dear) / 2;
            if found.threshold_delta() * (1.0 + 1e-12) <= left * (1.0 - 1e-12) {
                cheap = found.threshold;
            } else {
                dear = found.threshold;
            }
        }
        found.threshold = cheap;
        Ok(found)
    }

    /// The threshold in weights: a key of n units that have no other key passes it without noise if
    /// n is at least this.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.threshold as f64 / UNIT as f64
    }

    /// The probability that a key of `units` units that have no other key is released; 0 for none.
    #[must_use]
    pub fn probability(&self, units: u64) -> f64 {
        if units == 0 {
            return 0.0;
        }
        let needed = self.threshold - i128::from(units) * i128::from(UNIT);
        match needed.unsigned_abs() {
            distance if needed > 0 => 0.5 * self.noise.tail(distance - 1),
            distance => 1.0 - 0.5 * self.noise.tail(distance),
        }
    }

    /// The noise on weights, in units of 2^-12.
    #[must_use]
    pub fn noise(&self) -> Noise {
        Noise::Gaussian(self.noise.clone())
    }

    /// The keys, by position, that are released among those for which `open` holds.
    pub(super) fn select(
        &self,
        lists: &KeyLists<K>,
        open: impl Fn(usize) -> bool,
        rng: &mut dyn SecureRng,
    ) -> privacy_core::Result<Vec<usize>> {
        let mut weights = vec![0i128; lists.keys().len()];
        lists.for_each_unit(self.keys as usize, open, |keys| {
            let weight = i128::from(weight(keys.len() as u64));
            for key in keys {
                weights[*key as usize] += weight;
            }
        });
        let mut noise = vec![0i128; weights.iter().filter(|weight| **weight > 0).count()];
        self.noise.fill(&mut noise, rng)?;
        let weighed = weights.iter().enumerate().filter(|(_, weight)| **weight > 0);
        let noisy = weighed.zip(&noise).map(|((key, weight), z)| (key, weight.saturating_add(*z)));
        Ok(noisy.filter(|(_, noisy)| *noisy >= self.threshold).map(|(key, _)| key).collect())
    }

    fn noise_delta(&self) -> f64 {
        let (s2, epsilon) = (self.noise.sigma_squared(), self.epsilon.to_f64_down());
        let of = |keys: u64| equal_shifts(s2, keys, weight(keys), epsilon);
        (1..=self.keys).map(of).fold(0.0, f64::max)
    }

    fn threshold_delta(&self) -> f64 {
        let of = |keys: u64| {
            let alone = tail_up(&self.noise, self.threshold - i128::from(weight(keys)));
            -((-alone).ln_1p() * keys as f64).exp_m1() * (1.0 + 1e-12)
        };
        (1..=self.keys).map(of).fold(0.0, f64::max).min(1.0)
    }
}

/// What each of `keys` keys of a unit weighs: floor(2^12/√keys), so that `keys` times its square is
/// at most 2^24.
pub(super) fn weight(keys: u64) -> u64 {
    (UNIT * UNIT / keys.max(1)).isqrt()
}

impl<K: Clone> Mechanism for WeightedGaussian<K> {
    type Input = Lists<K>;
    type Measure = ApproxDp;
    type Output = Vec<K>;

    fn draw(&self, lists: &KeyLists<K>, rng: &mut dyn SecureRng) -> privacy_core::Result<Vec<K>> {
        let kept = self.select(lists, |_| true, rng)?;
        Ok(kept.into_iter().filter_map(|key| lists.keys().get(key).cloned()).collect())
    }

    fn cost(&self, d_in: Changes) -> privacy_core::Result<ApproxCost> {
        if d_in.0 == 0 {
            return Ok(ApproxCost { epsilon: Amount::ZERO, delta: Amount::ZERO });
        }
        let delta = (self.noise_delta() + self.threshold_delta()) * (1.0 + 1e-12);
        let delta = Amount::from_binary(delta.min(1.0))?;
        let one = ApproxCost { epsilon: self.epsilon.clone(), delta };
        Ok(if d_in.0 == 1 { one } else { ApproxDp::group(&one, d_in.0) })
    }
}

impl<K> fmt::Debug for WeightedGaussian<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeightedGaussian")
            .field("noise", &self.noise)
            .field("keys", &self.keys)
            .field("threshold", &self.threshold())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
