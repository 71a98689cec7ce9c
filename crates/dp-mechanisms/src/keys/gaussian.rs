//! Thresholds on counts with discrete Gaussian noise.

use std::fmt;
use std::marker::PhantomData;

use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_core::error::Error;
use privacy_core::measure::{ApproxCost, ApproxDp};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Delta, Epsilon, Rho};
use privacy_core::random::SecureRng;
use privacy_core::unit::{AddRemove, Adjacency, Relation};

use super::counts::{KeyChanges, KeyCounts, Keyed};
use super::gaussian_cost::{equal_shifts, few_digits_up, tail_up, zcdp_epsilon, zcdp_rho};
use super::threshold::{Tested, by_threshold, least_above};
use crate::additive::Noise;
use crate::error::Result;
use crate::noise::{DiscreteGaussian, NoiseError};

/// Up to this many keys of a unit the joint price is computed; beyond, the sum of the two parts.
const JOINT_KEYS: u64 = 32;

/// Adds discrete Gaussian noise to each key's count and releases key and noisy count where the
/// noisy count is at least a threshold.
///
/// # Privacy
///
/// Let neighbours differ in k keys by at most l each, noise have parameter σ², T be the threshold,
/// d = P(Z ≥ T − l) and S = 1 − d. With H_g(j) the divergence sup P − e^g P' of j noisy counts that
/// are l apart, two bounds hold, and [`cost`](Mechanism::cost) gives the smaller:
///
/// - *Sum*: H_ε(k) + 1 − S^k: noise on keys that both have, plus a key released that only one
///   has.
/// - *Joint* (Wilkins, Kifer, Zhang, Karrer 2024, "Exact Privacy Analysis of the Gaussian Sparse
///   Histogram Mechanism", Journal of Privacy and Confidentiality 14 (1), here for the discrete law
///   under add/remove): over j = 0…k, i = k − j keys that only one side has, the larger of
///   (1 − S^i) + S^i H_(ε − i ln S)(j) and H_(ε + i ln S)(j). A key that only one side has cannot
///   also need noise, so k keys never pay for both.
///
/// H comes from tails of the sum of j discrete Gaussians: the likelihood ratio of j counts that are
/// l apart depends on their sum alone, and no smaller differences tell neighbours further apart,
/// coordinate by coordinate (log-concavity and Blackwell's theorem). All are computed in floating
/// point and rounded up by relative margins of about 2e-8 a term.
pub struct GaussianThreshold<K, A = AddRemove> {
    noise: DiscreteGaussian,
    epsilon: Amount,
    threshold: i128,
    least_units: u64,
    claim: PhantomData<fn() -> (K, A)>,
}

impl<K, A: Adjacency> GaussianThreshold<K, A> {
    /// Noise of parameter σ² = `variance` and the given threshold, with costs given at `epsilon`.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Noise`] if the variance is 0 or out of range.
    pub fn new(variance: &Amount, threshold: u64, epsilon: &Epsilon) -> Result<Self> {
        Self::with(variance.as_ratio().clone(), threshold.into(), epsilon)
    }

    fn with(variance: Ratio<BigUint>, threshold: i128, epsilon: &Epsilon) -> Result<Self> {
        Ok(GaussianThreshold {
            noise: DiscreteGaussian::new(variance)?,
            epsilon: epsilon.amount().clone(),
            threshold,
            least_units: 1,
            claim: PhantomData,
        })
    }

    /// Noise and the lowest threshold for it that cost at most (`epsilon`, `delta`) where
    /// neighbours are `changes` apart. Half of `delta` goes to the noise.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if a component of `changes` is 0 or above 2^32 − 1, or `delta` is
    /// below 1e-280; [`crate::Error::Noise`] if so much noise cannot be drawn.
    pub fn calibrated(epsilon: &Epsilon, delta: &Delta, changes: KeyChanges) -> Result<Self> {
        let changes = changes.checked()?;
        let (e, d) = (epsilon.to_f64_down(), checked(delta)?);
        let norm_squared = changes.all_keys(A::RELATION) as f64 * (changes.per_key as f64).powi(2);
        let too_large = || crate::Error::Noise(NoiseError::ScaleTooLarge { limit_bits: 100 });
        let enough = norm_squared / (2.0 * zcdp_rho(e, d / 2.0));
        let variance = few_digits_up(enough).ok_or_else(too_large)?;
        let mut found = Self::with(variance, 0, epsilon)?;
        // Zero-concentration asks for more than the exact law needs.
        let (mut good, mut bad) = (1000, 400);
        while good - bad > 1 {
            let permille = (good + bad) / 2;
            let less =
                few_digits_up(enough * f64::from(permille) / 1000.0).ok_or_else(too_large)?;
            let tried = Self::with(less, 0, epsilon)?;
            if tried.noise_delta(changes, e) <= d / 2.0 {
                (good, found) = (permille, tried);
            } else {
                bad = permille;
            }
        }
        found.lower_threshold(changes, d);
        Ok(found)
    }

    /// Noise that is `rho`-zero-concentrated where neighbours are `changes` apart, and the lowest
    /// threshold that a key of one unit's making passes with probability at most `delta`: together
    /// δ-approximate ρ-zCDP (Bun, Steinke 2016, on approximate zCDP: outside of an event of probability
    /// δ, namely that such a key is released, only noise stands between neighbours).
    /// [`cost`](Mechanism::cost) is given at the ε to which ρ and another `delta` convert.
    ///
    /// # Errors
    ///
    /// As [`calibrated`](Self::calibrated).
    pub fn concentrated(rho: &Rho, delta: &Delta, changes: KeyChanges) -> Result<Self> {
        let changes = changes.checked()?;
        let d = checked(delta)?;
        let keys = changes.all_keys(A::RELATION);
        let squared =
            &Amount::from_integer(keys) * &Amount::from_integer(changes.per_key).squared();
        let variance =
            squared.checked_div(&rho.amount().scaled_by_power_of_two(1)).unwrap_or(Amount::ZERO);
        let epsilon = Amount::from_binary(zcdp_epsilon(rho.to_f64_up(), d))?;
        let mut found =
            Self::with(variance.as_ratio().clone(), 0, &Epsilon::from_amount(epsilon)?)?;
        found.lowest_threshold(changes, |found| found.new_key_delta(changes) <= d);
        Ok(found)
    }

    /// Sets the least threshold that costs at most `delta`, which the noise alone does not.
    fn lower_threshold(&mut self, changes: KeyChanges, delta: f64) {
        self.lowest_threshold(changes, |found| found.delta(changes) <= delta);
    }

    /// Sets the least threshold above a unit's own count that is cheap, as all higher ones are.
    fn lowest_threshold(&mut self, changes: KeyChanges, is_cheap: impl Fn(&Self) -> bool) {
        let cheap = |found: &mut Self, above: i128| {
            found.threshold = i128::from(changes.per_key) + above;
            is_cheap(found)
        };
        let above = least_above(0, |above| cheap(self, above));
        self.threshold = i128::from(changes.per_key) + above;
    }

    /// The probability that a key of the given count is released, rounded up.
    #[must_use]
    pub fn probability(&self, count: u64) -> f64 {
        let chance = |needed| tail_up(&self.noise, needed);
        self.tested().noise_needed(count).map_or(0.0, chance)
    }

    /// δ of the noise on keys that both sides have: H_ε of all of them.
    fn noise_delta(&self, changes: KeyChanges, epsilon: f64) -> f64 {
        let keys = changes.all_keys(A::RELATION);
        self.divergence(changes, keys, epsilon)
    }

    fn divergence(&self, changes: KeyChanges, keys: u64, epsilon: f64) -> f64 {
        equal_shifts(self.noise.sigma_squared(), keys, changes.per_key, epsilon)
    }

    /// The chance that a key of one unit's making is released, rounded up.
    fn new_key_delta(&self, changes: KeyChanges) -> f64 {
        let alone = tail_up(&self.noise, self.threshold - i128::from(changes.per_key));
        let keys = changes.all_keys(A::RELATION) as f64;
        (-((-alone).ln_1p() * keys).exp_m1() * (1.0 + 1e-12)).min(1.0)
    }

    fn delta(&self, changes: KeyChanges) -> f64 {
        let epsilon = self.epsilon.to_f64_down();
        let keys = changes.all_keys(A::RELATION);
        let alone = tail_up(&self.noise, self.threshold - i128::from(changes.per_key));
        // ln S, where S is the chance that one key of one unit's making stays hidden.
        let hidden = (-alone).ln_1p();
        let any = |keys: u64| (-(hidden * keys as f64).exp_m1() * (1.0 + 1e-12)).clamp(0.0, 1.0);
        let sum = || self.noise_delta(changes, epsilon) + any(keys);
        let is_joint = A::RELATION == Relation::AddRemove && keys <= JOINT_KEYS && alone < 0.5;
        let delta = match is_joint {
            false => sum(),
            true => (0..=keys)
                .map(|both| {
                    let i = keys - both;
                    // Rounded so that the orders of divergence become smaller, divergences larger.
                    let shift = hidden * i as f64;
                    let down = |g: f64| g - 1e-12 * (g.abs() + shift.abs());
                    let leaves = self.divergence(changes, both, down(epsilon - shift));
                    let enters = self.divergence(changes, both, down(epsilon + shift));
                    let none = (1.0 - any(i)).next_up().min(1.0);
                    (any(i) + none * leaves).max(enters)
                })
                .fold(0.0, f64::max)
                .min(sum()),
        };
        (delta * (1.0 + 1e-12)).min(1.0)
    }
}

impl<K: Ord + Clone, A: Adjacency> Mechanism for GaussianThreshold<K, A> {
    type Input = Keyed<K, A>;
    type Measure = ApproxDp;
    type Output = Vec<(K, i128)>;

    fn draw(
        &self,
        counts: &KeyCounts<K>,
        rng: &mut dyn SecureRng,
    ) -> privacy_core::Result<Vec<(K, i128)>> {
        self.tested().draw(counts, &self.noise, rng)
    }

    /// At the ε it was made for; δ follows.
    fn cost(&self, d_in: KeyChanges) -> privacy_core::Result<ApproxCost> {
        if d_in.is_zero() {
            return Ok(ApproxCost { epsilon: Amount::ZERO, delta: Amount::ZERO });
        }
        let delta = Amount::from_binary(self.delta(d_in))?;
        Ok(ApproxCost { epsilon: self.epsilon.clone(), delta })
    }
}

/// δ as a float, where it is large enough to calculate with.
fn checked(delta: &Delta) -> Result<f64> {
    let given = delta.to_f64_down();
    if given < 1e-280 {
        let parameter = "delta";
        let requirement = "at least 1e-280 where keys are selected with Gaussian noise";
        return Err(Error::Parameter { parameter, requirement, given }.into());
    }
    Ok(given)
}

by_threshold!(GaussianThreshold, Noise::Gaussian);

#[cfg(test)]
mod tests;
