//! Thresholds on counts with discrete Laplace noise.

use std::fmt;
use std::marker::PhantomData;

use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_core::error::Error;
use privacy_core::measure::{ApproxCost, ApproxDp};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Delta, Epsilon};
use privacy_core::random::SecureRng;
use privacy_core::unit::{AddRemove, Adjacency};

use super::counts::{KeyChanges, KeyCounts, Keyed};
use super::geometric::{amount, share};
use super::real::{any_of_up, laplace_tail_up};
use crate::additive::Noise;
use crate::error::Result;
use crate::noise::{DiscreteGaussian, DiscreteLaplace};

/// Adds discrete Laplace noise to each key's count and releases key and noisy count where the noisy
/// count is at least a threshold: a stability-based histogram.
///
/// # Privacy
///
/// Let neighbours differ in k keys by at most l each, noise have scale t, and T be the threshold.
/// A key that both have is (l/t)-indistinguishable. A key that only one has is released with
/// probability at most d = P(Z ≥ T − l) = r^(T−l)/(1 + r), r = e^(−1/t), so it is (0, d)-close to
/// being absent. Keys are independent, and their composition is (k l/t, 1 − (1 − d)^k)
/// (Korolova, Kenthapadi, Mishra, Ntoulas 2009, <https://doi.org/10.1145/1526709.1526733>, for
/// continuous noise; composition by Kairouz, Oh, Viswanath 2015, Theorem 3.3). Under replace, k
/// counts the keys of both the unit that leaves and the one that enters.
///
/// d is the tail of the discrete law from the very threshold that is compared with, `noisy >= T`,
/// rounded up by a relative error below 2^-60.
///
/// # Example
///
/// ```
/// use dp_mechanisms::keys::{KeyChanges, KeyCounts, LaplaceThreshold};
/// use privacy_core::prelude::*;
/// use privacy_core::params::Delta;
///
/// let users_of_city = KeyCounts::new([("Bonn", 812), ("Selm", 1)]);
/// let changes = KeyChanges::of_unit(1);
/// let threshold: LaplaceThreshold<&str> =
///     LaplaceThreshold::calibrated(&Epsilon::new(1.0)?, &Delta::new(1e-9)?, changes)?;
/// assert_eq!(threshold.threshold(), 22);
/// let released = threshold.draw(&users_of_city, &mut SystemRng::new()?)?;
/// let [("Bonn", about_812)] = released[..] else { panic!() };
/// # let _ = about_812;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct LaplaceThreshold<K, A = AddRemove> {
    noise: DiscreteLaplace,
    threshold: i128,
    least_units: u64,
    claim: PhantomData<fn() -> (K, A)>,
}

impl<K, A: Adjacency> LaplaceThreshold<K, A> {
    /// Noise of the given scale and the given threshold.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Noise`] if the scale is 0 or out of range.
    pub fn new(scale: &Amount, threshold: u64) -> Result<Self> {
        let noise = DiscreteLaplace::new(scale.as_ratio().clone())?;
        Ok(LaplaceThreshold {
            noise,
            threshold: threshold.into(),
            least_units: 1,
            claim: PhantomData,
        })
    }

    /// The scale and the lowest threshold that cost at most (`epsilon`, `delta`) where neighbours
    /// are `changes` apart.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if a component of `changes` is 0 or above 2^32 − 1 or `delta` is 0;
    /// [`crate::Error::Noise`] if so much noise cannot be drawn.
    pub fn calibrated(epsilon: &Epsilon, delta: &Delta, changes: KeyChanges) -> Result<Self> {
        let changes = changes.checked()?;
        let keys = changes.all_keys(A::RELATION);
        let sensitivity = &Amount::from_integer(keys) * &changes.per_key.into();
        let scale = sensitivity.checked_div(epsilon.amount()).unwrap_or(Amount::ZERO);
        let mut found = Self::new(&scale, 1)?;
        let of_key = share(delta, keys);
        if of_key.is_zero() {
            return Err(Error::Parameter {
                parameter: "delta",
                requirement: "above 0 where keys are selected",
                given: 0.0,
            }
            .into());
        }
        // An estimate from below, from where the exact price decides.
        let (t, d) = (scale.to_f64_up(), of_key.to_f64_down());
        let r = (-1.0 / t).exp();
        let steps = (-(d * (1.0 + r)).ln() * t * (1.0 - 1e-9)).floor() - 1.0;
        let steps = if steps.is_finite() { steps.max(0.0) as i128 } else { 0 };
        found.threshold = i128::from(changes.per_key) + steps;
        while found.cost_at(changes).delta > *delta.amount() {
            found.threshold += 1;
        }
        Ok(found)
    }

    /// Keys of fewer than `units` units are never released.
    ///
    /// The threshold then applies to what the count exceeds `units − 1` by, so it grows by as much.
    #[must_use]
    pub fn with_least_units(mut self, units: u64) -> Self {
        self.least_units = units.max(1);
        self
    }

    /// The least noisy count that is released.
    #[must_use]
    pub fn threshold(&self) -> i128 {
        self.threshold + i128::from(self.least_units - 1)
    }

    /// The noise on each count.
    #[must_use]
    pub fn noise(&self) -> Noise {
        Noise::Laplace(self.noise.clone())
    }

    /// The probability that a key of the given count is released, rounded up.
    #[must_use]
    pub fn probability(&self, count: u64) -> f64 {
        match count.checked_sub(self.least_units - 1) {
            None | Some(0) => 0.0,
            Some(shifted) => {
                let m = self.threshold - i128::from(shifted);
                amount(&laplace_tail_up(self.noise.scale(), m)).to_f64_up()
            }
        }
    }

    fn cost_at(&self, d_in: KeyChanges) -> ApproxCost {
        let keys = d_in.all_keys(A::RELATION);
        let sensitivity = Ratio::from(BigUint::from(keys) * d_in.per_key);
        // The chance that the predicate of `Tested::draw` holds for a key of one unit's making.
        let alone = laplace_tail_up(self.noise.scale(), self.threshold - i128::from(d_in.per_key));
        ApproxCost {
            epsilon: amount(&(sensitivity / self.noise.scale())),
            delta: amount(&any_of_up(&alone, keys)),
        }
    }
}

impl<K: Ord + Clone, A: Adjacency> Mechanism for LaplaceThreshold<K, A> {
    type Input = Keyed<K, A>;
    type Measure = ApproxDp;
    type Output = Vec<(K, i128)>;

    fn draw(
        &self,
        counts: &KeyCounts<K>,
        rng: &mut dyn SecureRng,
    ) -> privacy_core::Result<Vec<(K, i128)>> {
        let law = Tested { threshold: self.threshold, least_units: self.least_units };
        law.draw(counts, &self.noise, rng)
    }

    fn cost(&self, d_in: KeyChanges) -> privacy_core::Result<ApproxCost> {
        if d_in.is_zero() {
            return Ok(ApproxCost { epsilon: Amount::ZERO, delta: Amount::ZERO });
        }
        Ok(self.cost_at(d_in))
    }
}

impl<K, A> fmt::Debug for LaplaceThreshold<K, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaplaceThreshold")
            .field("noise", &self.noise)
            .field("threshold", &self.threshold)
            .field("least_units", &self.least_units)
            .finish_non_exhaustive()
    }
}

/// A law that fills a slice with independent draws.
pub(super) trait Fill {
    fn fill(&self, out: &mut [i128], rng: &mut dyn SecureRng) -> privacy_core::Result<()>;
}

impl Fill for DiscreteLaplace {
    fn fill(&self, out: &mut [i128], rng: &mut dyn SecureRng) -> privacy_core::Result<()> {
        Ok(DiscreteLaplace::fill(self, out, rng)?)
    }
}

impl Fill for DiscreteGaussian {
    fn fill(&self, out: &mut [i128], rng: &mut dyn SecureRng) -> privacy_core::Result<()> {
        Ok(DiscreteGaussian::fill(self, out, rng)?)
    }
}

/// The predicate that releases, for every kind of noise.
pub(super) struct Tested {
    pub(super) threshold: i128,
    pub(super) least_units: u64,
}

impl Tested {
    pub(super) fn draw<K: Clone + Ord>(
        &self,
        counts: &KeyCounts<K>,
        noise: &impl Fill,
        rng: &mut dyn SecureRng,
    ) -> privacy_core::Result<Vec<(K, i128)>> {
        const BLOCK: usize = 1024;
        let mut draws = [0i128; BLOCK];
        let mut released = Vec::new();
        let shift = i128::from(self.least_units - 1);
        for block in counts.as_slice().chunks(BLOCK) {
            let draws = &mut draws[..block.len()];
            noise.fill(draws, rng)?;
            for ((key, count), draw) in block.iter().zip(draws) {
                // Counts that the shift leaves nothing of are absent.
                let shifted = i128::from(*count) - shift;
                let noisy = shifted.saturating_add(std::mem::take(draw));
                if shifted > 0 && noisy >= self.threshold {
                    released.push((key.clone(), noisy.saturating_add(shift)));
                }
            }
        }
        Ok(released)
    }
}

#[cfg(test)]
mod tests;
