//! Histograms over huge known domains, with pure differential privacy.

use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_core::error::Error;
use privacy_core::measure::{PureCost, PureDp};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Epsilon};
use privacy_core::random::SecureRng;
use privacy_core::unit::{AddRemove, Adjacency};

use super::counts::{KeyChanges, KeyCounts, Keyed};
use super::rare::{Rare, tail_up};
use super::threshold::Tested;
use crate::additive::Noise;
use crate::error::Result;
use crate::noise::DiscreteLaplace;

/// The most keys of count 0 that a release may hold on average.
const MOST_EMPTY: f64 = (1u64 << 24) as f64;

/// A known, possibly huge, set of keys in an order of their own.
///
/// An implementation promises that `key` is increasing and that `position` inverts it.
pub trait KeyDomain: Send + Sync {
    /// A key.
    type Key: Ord + Clone;

    /// The number of keys, at least 1.
    fn size(&self) -> u128;

    /// The key at `position`, below [`size`](KeyDomain::size).
    fn key(&self, position: u128) -> Option<Self::Key>;

    /// Where `key` stands, or `None` for a key outside the domain.
    fn position(&self, key: &Self::Key) -> Option<u128>;
}

macro_rules! integer_domain {
    ($($integer:ty),*) => {
        $(
            impl KeyDomain for RangeInclusive<$integer> {
                type Key = $integer;

                fn size(&self) -> u128 {
                    let last = i128::from(*self.end()) - i128::from(*self.start());
                    u128::try_from(last).map_or(0, |last| last + 1)
                }

                fn key(&self, position: u128) -> Option<$integer> {
                    let key = i128::from(*self.start()).checked_add_unsigned(position)?;
                    <$integer>::try_from(key).ok().filter(|key| self.contains(key))
                }

                fn position(&self, key: &$integer) -> Option<u128> {
                    let position = i128::from(*key) - i128::from(*self.start());
                    self.contains(key).then(|| position.unsigned_abs())
                }
            }
        )*
    };
}
integer_domain!(u8, u16, u32, u64, i8, i16, i32, i64);

/// Adds discrete Laplace noise to the count of *every* key of a known domain, also to those of
/// count 0, and releases key and noisy count where the noisy count is at least a threshold, in time
/// that depends on the keys that occur and on those that are released, not on the domain.
///
/// Some keys that nobody has are released, too: [`expected_empty`](SparseHistogram::expected_empty)
/// on average, uniform over the domain. They are what makes the release pure: nobody can conclude from a key that it
/// occurs.
///
/// # Privacy
///
/// Releasing the whole noisy histogram is k l/t-differentially private for neighbours that differ
/// in k keys by at most l each (discrete Laplace of scale t); leaving out what is below a fixed
/// threshold is post-processing (Cormode, Procopiuc, Srivastava, Tran 2012,
/// <https://doi.org/10.1145/2274576.2274608>; see Kerschbaum, Lee, Wu 2025,
/// <https://arxiv.org/abs/2507.17017>, for what pure privacy can reach). No δ.
///
/// The law of the sparse form is exactly that of the dense one: each key of count 0 passes the
/// threshold T with probability P(Z ≥ T), independently, and which ones do is drawn as exact
/// geometric gaps between them; positions of keys that occur are passed over, as those have noise
/// of their own. Given Z ≥ T, Z − T is geometric.
///
/// # Example
///
/// ```
/// use dp_mechanisms::keys::{KeyChanges, KeyCounts, SparseHistogram};
/// use privacy_core::prelude::*;
///
/// // Logins by a 64-bit fingerprint of the device; one of 2^64 is released although nobody has it
/// // in about one of 1000 releases.
/// let logins = KeyCounts::new([(0x5eed_0000_1234_5678, 900), (17, 3)]);
/// let histogram: SparseHistogram<_> = SparseHistogram::calibrated(
///     0..=u64::MAX, &Epsilon::new(1.0)?, KeyChanges { keys: 1, per_key: 1 }, 0.001)?;
/// assert_eq!(histogram.threshold(), 51);
/// let released = histogram.draw(&logins, &mut SystemRng::new()?)?;
/// # let _ = released;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SparseHistogram<D, A = AddRemove> {
    domain: D,
    noise: DiscreteLaplace,
    threshold: i128,
    claim: PhantomData<fn() -> A>,
}

impl<D: KeyDomain, A: Adjacency> SparseHistogram<D, A> {
    /// Noise of the given scale and the given threshold, at least 1.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Noise`] if the scale is 0 or out of range; [`Error::Parameter`] if the domain
    /// is empty or larger than 2^100, the threshold is 0, or so low that more than 2^24 keys of
    /// count 0 would pass it on average.
    pub fn new(domain: D, scale: &Amount, threshold: u64) -> Result<Self> {
        let noise = DiscreteLaplace::new(scale.as_ratio().clone())?;
        if !(1..=1 << 100).contains(&domain.size()) {
            return Err(Error::Parameter {
                parameter: "the number of keys in the domain",
                requirement: "from 1 to 2^100",
                given: domain.size() as f64,
            }
            .into());
        }
        let p = tail_up(&noise, threshold.into());
        if threshold == 0 || p * domain.size() as f64 > MOST_EMPTY {
            return Err(Error::Parameter {
                parameter: "the threshold",
                requirement: "high enough for at most 2^24 keys of count 0 on average",
                given: threshold as f64,
            }
            .into());
        }
        Ok(SparseHistogram { domain, noise, threshold: threshold.into(), claim: PhantomData })
    }

    /// The histogram that costs `epsilon` where neighbours are `changes` apart, and holds about
    /// `empty` keys of count 0 on average, or fewer.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and [`Error::Parameter`] unless `empty` is above 0.
    pub fn calibrated(
        domain: D,
        epsilon: &Epsilon,
        changes: KeyChanges,
        empty: f64,
    ) -> Result<Self> {
        let changes = changes.checked()?;
        if !(empty > 0.0 && empty <= MOST_EMPTY) {
            return Err(Error::Parameter {
                parameter: "the number of keys of count 0 to expect",
                requirement: "above 0 and at most 2^24",
                given: empty,
            }
            .into());
        }
        let keys = changes.all_keys(A::RELATION);
        let sensitivity = &Amount::from_integer(keys) * &changes.per_key.into();
        let scale = sensitivity.checked_div(epsilon.amount()).unwrap_or(Amount::ZERO);
        let noise = DiscreteLaplace::new(scale.as_ratio().clone())?;
        let size = domain.size() as f64;
        let (mut low, mut high) = (0u64, u64::MAX);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if tail_up(&noise, middle.into()) * size <= empty {
                high = middle;
            } else {
                low = middle;
            }
        }
        Self::new(domain, &scale, high)
    }

    /// The least noisy count that is released.
    #[must_use]
    pub fn threshold(&self) -> i128 {
        self.threshold
    }

    /// The noise on each count.
    #[must_use]
    pub fn noise(&self) -> Noise {
        Noise::Laplace(self.noise.clone())
    }

    /// How many keys of count 0 a release holds on average, if few keys occur.
    #[must_use]
    pub fn expected_empty(&self) -> f64 {
        tail_up(&self.noise, self.threshold) * self.domain.size() as f64
    }

    /// The keys of count 0 that pass, with their noisy counts, in order.
    fn draw_empty(
        &self,
        counts: &KeyCounts<D::Key>,
        rng: &mut dyn SecureRng,
    ) -> privacy_core::Result<Vec<(D::Key, i128)>> {
        let rare = Rare::new(&self.noise, self.threshold).map_err(Error::from)?;
        let mut released = Vec::new();
        let mut from = 0;
        while let Some(position) = rare.next(from, self.domain.size(), rng)? {
            from = position + 1;
            if let Some(key) = self.domain.key(position)
                && counts.as_slice().binary_search_by(|(k, _)| k.cmp(&key)).is_err()
            {
                released.push((key, self.threshold.saturating_add(rare.excess(rng)?)));
            }
        }
        Ok(released)
    }
}

impl<D: KeyDomain, A: Adjacency> Mechanism for SparseHistogram<D, A> {
    type Input = Keyed<D::Key, A>;
    type Measure = PureDp;
    type Output = Vec<(D::Key, i128)>;

    /// Keys outside the domain are left out.
    fn draw(
        &self,
        counts: &KeyCounts<D::Key>,
        rng: &mut dyn SecureRng,
    ) -> privacy_core::Result<Self::Output> {
        let law = Tested { threshold: self.threshold, least_units: 1 };
        let mut released = law.draw_laplace(counts, &self.noise, rng)?;
        released.retain(|(key, _)| self.domain.position(key).is_some());
        released.extend(self.draw_empty(counts, rng)?);
        released.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(released)
    }

    fn cost(&self, d_in: KeyChanges) -> privacy_core::Result<PureCost> {
        let keys = d_in.all_keys(A::RELATION);
        let sensitivity = Ratio::from(BigUint::from(keys) * d_in.per_key);
        Ok(PureCost { epsilon: super::geometric::amount(&(sensitivity / self.noise.scale())) })
    }
}

impl<D, A> fmt::Debug for SparseHistogram<D, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SparseHistogram")
            .field("noise", &self.noise)
            .field("threshold", &self.threshold)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
