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
use super::threshold::{Tested, by_threshold, least_above};
use crate::additive::Noise;
use crate::error::Result;
use crate::noise::DiscreteLaplace;

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
        // Near an estimate the exact price decides.
        let (t, d) = (scale.to_f64_up(), of_key.to_f64_down());
        let r = (-1.0 / t).exp();
        let estimate = (-(d * (1.0 + r)).ln() * t * (1.0 - 1e-9)).floor() - 2.0;
        let estimate = if estimate.is_finite() { estimate.max(0.0) as i128 } else { 0 };
        let mut is_cheap = |above: i128| {
            found.threshold = i128::from(changes.per_key) + above;
            found.cost_at(changes).delta <= *delta.amount()
        };
        let above = least_above(estimate - 1, &mut is_cheap);
        is_cheap(above);
        Ok(found)
    }

    /// The probability that a key of the given count is released, rounded up.
    #[must_use]
    pub fn probability(&self, count: u64) -> f64 {
        let chance = |needed| amount(&laplace_tail_up(self.noise.scale(), needed)).to_f64_up();
        self.tested().noise_needed(count).map_or(0.0, chance)
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
        self.tested().draw_laplace(counts, &self.noise, rng)
    }

    fn cost(&self, d_in: KeyChanges) -> privacy_core::Result<ApproxCost> {
        if d_in.is_zero() {
            return Ok(ApproxCost { epsilon: Amount::ZERO, delta: Amount::ZERO });
        }
        Ok(self.cost_at(d_in))
    }
}

by_threshold!(LaplaceThreshold, Noise::Laplace);

#[cfg(test)]
mod tests;
