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
use super::rare::Rare;
use super::real::{any_of_up, laplace_tail_up};
use crate::additive::Noise;
use crate::error::Result;
use crate::noise::{BernoulliExp, DiscreteGaussian, DiscreteLaplace};

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
        let (mut dear, mut step) = (estimate - 1, 1);
        while !is_cheap(dear + step) {
            dear += step;
            step *= 2;
        }
        let mut cheap = dear + step;
        while cheap - dear > 1 {
            let middle = dear + (cheap - dear) / 2;
            if is_cheap(middle) {
                cheap = middle;
            } else {
                dear = middle;
            }
        }
        is_cheap(cheap);
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
        law.draw_laplace(counts, &self.noise, rng)
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
        let all = counts.as_slice();
        let mut released = Vec::new();
        self.draw_each(all, 0..all.len(), noise, rng, &mut released)?;
        Ok(released.into_iter().map(|(index, noisy)| (all[index].0.clone(), noisy)).collect())
    }
}

/// With fewer counts noise is simply drawn for each.
const MANY: usize = 256;

impl Tested {
    /// As [`draw`](Tested::draw), with the same law, but without drawing noise for each of the
    /// counts so far below the threshold that at most one in 256 passes.
    ///
    /// With C the largest such count and c ≤ C, P(Z ≥ T − c) = P(Z ≥ T − C) · e^(−(C − c)/t): which
    /// of them would pass from C is drawn by gaps, and each stays with the probability
    /// e^(−(C − c)/t). Given that a count passes, what it exceeds T by is geometric.
    pub(super) fn draw_laplace<K: Clone + Ord>(
        &self,
        counts: &KeyCounts<K>,
        noise: &DiscreteLaplace,
        rng: &mut dyn SecureRng,
    ) -> privacy_core::Result<Vec<(K, i128)>> {
        let shift = i128::from(self.least_units - 1);
        let all = counts.as_slice();
        let far = noise.half_width(1.0 / 128.0).unwrap_or(u128::MAX).saturating_add(1);
        let cut = i128::try_from(far).map_or(i128::MIN, |far| self.threshold.saturating_sub(far));
        let is_low = |count: u64| (1..=cut).contains(&(i128::from(count) - shift));
        let low: Vec<usize> = match all.len() < MANY || cut < 1 {
            true => Vec::new(),
            false => (0..all.len()).filter(|i| is_low(all[*i].1)).collect(),
        };
        if low.len() < MANY {
            return self.draw(counts, noise, rng);
        }
        let rare = Rare::new(noise, self.threshold - cut).map_err(Error::from)?;
        let mut released = Vec::new();
        let mut from = 0u128;
        while let Some(position) = rare.next(from, low.len() as u128, rng)? {
            from = position + 1;
            let index = low.get(position as usize).copied().unwrap_or(0);
            let Some((_, count)) = all.get(index) else { continue };
            let below = cut - (i128::from(*count) - shift);
            let exponent = Ratio::from(BigUint::from(below.unsigned_abs())) / noise.scale();
            let coin = BernoulliExp::new(exponent).map_err(Error::from)?;
            if coin.sample(rng)? {
                let noisy = self.threshold.saturating_add(rare.excess(rng)?);
                released.push((index, noisy.saturating_add(shift)));
            }
        }
        let rest = (0..all.len()).filter(|i| !is_low(all[*i].1));
        self.draw_each(all, rest, noise, rng, &mut released)?;
        released.sort_unstable_by_key(|(index, _)| *index);
        Ok(released.into_iter().map(|(index, noisy)| (all[index].0.clone(), noisy)).collect())
    }

    /// The predicate that releases, on the counts at the given positions.
    fn draw_each<K>(
        &self,
        all: &[(K, u64)],
        positions: impl Iterator<Item = usize>,
        noise: &impl Fill,
        rng: &mut dyn SecureRng,
        released: &mut Vec<(usize, i128)>,
    ) -> privacy_core::Result<()> {
        const BLOCK: usize = 1024;
        let shift = i128::from(self.least_units - 1);
        let mut draws = [0i128; BLOCK];
        let mut block = Vec::with_capacity(BLOCK);
        let mut positions = positions.peekable();
        while positions.peek().is_some() {
            block.clear();
            block.extend(positions.by_ref().take(BLOCK));
            let draws = &mut draws[..block.len()];
            noise.fill(draws, rng)?;
            for (index, draw) in block.iter().zip(draws) {
                // Counts that the shift leaves nothing of are absent.
                let shifted = i128::from(all[*index].1) - shift;
                let noisy = shifted.saturating_add(std::mem::take(draw));
                if shifted > 0 && noisy >= self.threshold {
                    released.push((*index, noisy.saturating_add(shift)));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
