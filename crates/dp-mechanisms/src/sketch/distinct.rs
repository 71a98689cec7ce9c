//! Counting distinct items: a bitmap of levels, each bit flipped at random.

use std::fmt;

use privacy_core::error::Error;
use privacy_core::measure::Charge;
use privacy_core::params::{Amount, Epsilon};
use privacy_core::random::{RandomBuffer, SecureRng};
use serde::{Deserialize, Serialize};

use super::hash::Hashes;
use super::{checked_items, other_shape};
use crate::error::Result;
use crate::local::odds::Odds;

/// Levels of each bucket; an item falls on level l with probability 2^-(l+1), the last takes the
/// rest.
const LEVELS: u32 = 32;

/// Which items came: each sets one bit, in a bucket and on a level that its hash chooses (the
/// bitmap of Flajolet and Martin 1985).
///
/// Holds data: neither printed nor serialized. Release it instead.
///
/// # Privacy
///
/// An item sets one bit, however often it comes, and a bit that is set already does not change:
/// a unit of up to m different items, added or removed, changes at most m bits. The release flips
/// each bit with probability 1/(E+1), E <= e^(ε/m): pure ε by randomized response on each bit
/// (Warner 1965; for sketches Hehir, Ting, Cormode 2023, "Sketch-Flip-Merge: Mergeable Sketches
/// for Private Distinct Counting", <https://arxiv.org/abs/2302.02056>).
pub struct DistinctSketch {
    seed: u64,
    hashes: Hashes,
    /// One word a bucket, one bit a level.
    buckets: Vec<u32>,
}

impl DistinctSketch {
    /// A sketch of `buckets` buckets (16 to 2^20) of 32 bits.
    ///
    /// The error of a released count is near 2.2 √V/√buckets of it from some ten items a bucket on,
    /// V = E/(E-1)² the variance of a flipped bit: 3.5 % for 4096 buckets at ε/m = 1.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for another number of buckets.
    pub fn new(buckets: u32, seed: u64) -> Result<Self> {
        let buckets = vec![0; checked_buckets(buckets)?];
        Ok(DistinctSketch { seed, hashes: Hashes::new(seed, 1), buckets })
    }

    /// Takes an item, given as its bytes.
    pub fn add(&mut self, item: impl AsRef<[u8]>) {
        let bits = self.hashes.bits(self.hashes.fingerprint(item.as_ref()));
        let bucket = (u128::from(bits >> 32) * self.buckets.len() as u128) >> 32;
        let level = (bits as u32).trailing_zeros().min(LEVELS - 1);
        if let Some(bucket) = self.buckets.get_mut(bucket as usize) {
            *bucket |= 1 << level;
        }
    }

    /// Adds the items of another sketch, exactly: the union.
    ///
    /// # Errors
    ///
    /// [`Error::Domain`] unless both have the same number of buckets and seed.
    pub fn merge(&mut self, other: &DistinctSketch) -> Result<()> {
        if (self.seed, self.buckets.len()) != (other.seed, other.buckets.len()) {
            return Err(other_shape("the merge of distinct sketches"));
        }
        for (bucket, more) in self.buckets.iter_mut().zip(&other.buckets) {
            *bucket |= more;
        }
        Ok(())
    }

    /// Releases the sketch with its bits flipped at random: pure ε, for units of at most `items`
    /// different items.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for no items or an ε below 2^-50 for each, [`Error::Entropy`] if the
    /// random source fails.
    pub fn release(
        &self,
        items: u32,
        epsilon: &Epsilon,
        rng: &mut dyn SecureRng,
    ) -> Result<PrivateDistinctSketch> {
        let items = Amount::from_integer(checked_items(items)?.into());
        let share = epsilon.amount().checked_div(&items).unwrap_or(Amount::ZERO);
        let odds = Odds::of(&Epsilon::from_amount(share)?)?;
        let total = odds.a + odds.b;
        let random = &mut RandomBuffer::new(rng);
        let mut buckets = Vec::with_capacity(self.buckets.len());
        for bucket in &self.buckets {
            let mut flips = 0u32;
            for level in 0..LEVELS {
                flips |= u32::from(random.below(total)? < odds.b) << level;
            }
            buckets.push(bucket ^ flips);
        }
        let kept = Amount::from_fraction(odds.a, total)?;
        let part = Part { kept, buckets };
        let charge = Charge::from(epsilon.clone());
        Ok(PrivateDistinctSketch { seed: self.seed, parts: vec![part], charge })
    }
}

fn checked_buckets(buckets: u32) -> Result<usize> {
    if (16..=1 << 20).contains(&buckets) {
        return Ok(buckets as usize);
    }
    let (parameter, requirement) = ("the buckets of the sketch", "from 16 to 2^20");
    Err(Error::Parameter { parameter, requirement, given: buckets.into() }.into())
}

/// A released distinct sketch: may be stored, sent, merged and asked without limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Raw")]
#[must_use = "a release was paid for"]
pub struct PrivateDistinctSketch {
    seed: u64,
    parts: Vec<Part>,
    charge: Charge,
}

/// One release: flipped bits and the probability that a bit was kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Part {
    kept: Amount,
    buckets: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    seed: u64,
    parts: Vec<Part>,
    charge: Charge,
}

impl TryFrom<Raw> for PrivateDistinctSketch {
    type Error = crate::Error;

    fn try_from(raw: Raw) -> Result<Self> {
        let Raw { seed, parts, charge } = raw;
        let buckets = parts.first().map_or(0, |part| part.buckets.len());
        checked_buckets(u32::try_from(buckets).unwrap_or(0))?;
        let (half, one) = (Amount::from_percent(50), Amount::from_integer(1));
        let fits = |p: &Part| p.buckets.len() == buckets && p.kept > half && p.kept < one;
        if !parts.iter().all(fits) {
            return Err(other_shape("a stored distinct sketch"));
        }
        Ok(PrivateDistinctSketch { seed, parts, charge })
    }
}

impl PrivateDistinctSketch {
    /// The price of this release, or of the last of those merged into it.
    #[must_use]
    pub fn charge(&self) -> &Charge {
        &self.charge
    }

    /// Merges another release: the union of the items of both.
    ///
    /// Both are kept side by side, and a count is estimated from the products of their bits. Each
    /// merge multiplies the variance of a bit by up to (E² - E + 1)/(E - 1)², 1.9 at ε/m = 1: merge few
    /// releases, or raw sketches before the release. Post-processing of two releases: a unit with
    /// items in both has paid both prices.
    ///
    /// # Errors
    ///
    /// [`Error::Domain`] unless both have the same number of buckets and seed.
    pub fn merge(&mut self, other: &PrivateDistinctSketch) -> Result<()> {
        if (self.seed, self.buckets()) != (other.seed, other.buckets()) {
            return Err(other_shape("the merge of released distinct sketches"));
        }
        self.parts.extend(other.parts.iter().cloned());
        self.charge = other.charge.clone();
        Ok(())
    }

    /// The words of all releases merged into this one.
    pub(crate) fn words(&self) -> impl Iterator<Item = u32> + '_ {
        self.parts.iter().flat_map(|part| part.buckets.iter().copied())
    }

    pub(crate) fn buckets(&self) -> usize {
        self.parts.first().map_or(0, |part| part.buckets.len())
    }

    /// The estimate of how many different items came, at least 0.
    ///
    /// For each level the share of buckets whose bit is not set has an unbiased estimate, and the
    /// expectation (1 - 2^-(l+1)/buckets)^n. The estimate is the n at which the sums over the
    /// levels around log₂(n/buckets) agree.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.solved().0
    }

    /// The standard deviation of the estimate, approximately: from the variance of the bits, by
    /// the slope at the estimate.
    #[must_use]
    pub fn std_dev(&self) -> f64 {
        let (count, levels) = self.solved();
        let buckets = self.buckets() as f64;
        // For a flipped bit with V = k(1-k)/(2k-1)² the estimate u of an empty bit has E(u²) = 1 + V,
        // of a set one V; of a product of which one bit is set, at most V times the other factors.
        let noise = |part: &Part| {
            let kept = part.kept.to_f64_up();
            kept * (1.0 - kept) / (2.0 * kept - 1.0).powi(2)
        };
        let of_empty: f64 = self.parts.iter().map(|part| 1.0 + noise(part)).product();
        let of_set = self.parts.iter().map(|p| noise(p) / (1.0 + noise(p))).fold(0.0, f64::max);
        let (mut variance, mut slope) = (0.0, 0.0);
        for level in levels {
            let miss = (-chance(level) / buckets).ln_1p();
            let empty = (count * miss).exp();
            let second = of_empty * (empty + (1.0 - empty) * of_set);
            variance += (second - empty * empty) / buckets;
            slope -= miss * empty;
        }
        (variance.max(0.0)).sqrt() / slope
    }

    /// The estimate and the levels that it rests on.
    fn solved(&self) -> (f64, std::ops::Range<u32>) {
        let empty: Vec<f64> = (0..LEVELS).map(|level| self.empty_share(level)).collect();
        let rough = self.solve(&empty, 0..LEVELS);
        let centre = (rough / self.buckets() as f64).max(1.0).log2() as u32;
        // Fewer than 1 in 16 buckets hit, or all but 1 in 3000: what such levels tell drowns in noise.
        let levels = centre.saturating_sub(3)..(centre + 5).min(LEVELS);
        (self.solve(&empty, levels.clone()), levels)
    }

    /// The n at which the expected sum of empty shares equals the estimated one.
    fn solve(&self, empty: &[f64], levels: std::ops::Range<u32>) -> f64 {
        let seen: f64 = levels.clone().filter_map(|level| empty.get(level as usize)).sum();
        let buckets = self.buckets() as f64;
        let excess = |n: f64| -> f64 {
            levels.clone().map(|l| (n * (-chance(l) / buckets).ln_1p()).exp()).sum::<f64>() - seen
        };
        if excess(0.0) <= 0.0 {
            return 0.0;
        }
        let (mut low, mut high) = (0.0, 2f64.powi(56));
        for _ in 0..120 {
            let middle = 0.5 * (low + high);
            if excess(middle) > 0.0 { low = middle } else { high = middle }
        }
        high
    }

    /// The unbiased estimate of the share of buckets in which no part has set the bit: for each
    /// part a kept zero counts k/(2k-1) and a one -(1-k)/(2k-1).
    fn empty_share(&self, level: u32) -> f64 {
        let weights: Vec<(f64, f64)> = self
            .parts
            .iter()
            .map(|part| {
                let kept = part.kept.to_f64_up();
                (kept / (2.0 * kept - 1.0), (kept - 1.0) / (2.0 * kept - 1.0))
            })
            .collect();
        let sum: f64 = (0..self.buckets())
            .map(|bucket| {
                let bits = self.parts.iter().zip(&weights).map(|(part, (zero, one))| {
                    let word = part.buckets.get(bucket).copied().unwrap_or_default();
                    if word >> level & 1 == 0 { *zero } else { *one }
                });
                bits.product::<f64>()
            })
            .sum();
        sum / self.buckets() as f64
    }
}

/// The probability that an item falls on a level.
fn chance(level: u32) -> f64 {
    2f64.powi(-(level.min(LEVELS - 2) as i32) - 1)
}

impl fmt::Debug for DistinctSketch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let buckets = self.buckets.len();
        f.debug_struct("DistinctSketch").field("buckets", &buckets).finish_non_exhaustive()
    }
}
