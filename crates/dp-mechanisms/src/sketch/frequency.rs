//! Count-min and count sketch.

use std::fmt;

use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_core::error::Error;
use privacy_core::measure::Charge;
use privacy_core::params::{Amount, Epsilon, Rho};
use privacy_core::random::SecureRng;
use privacy_core::space::L2Distance;
use serde::{Deserialize, Serialize};

use super::hash::Hashes;
use super::{checked_items, other_shape};
use crate::additive::{GaussianNoise, LaplaceNoise, Noise};
use crate::error::Result;
use crate::noise::{DiscreteGaussian, DiscreteLaplace};
use crate::stream::PrefixLaw;

/// The most counters of a sketch.
const MOST_COUNTERS: u64 = 1 << 26;

/// How often each item came, in rows of counters: each row hashes an item to one counter.
///
/// - **Count-min** adds 1 there (Cormode, Muthukrishnan 2005). Exact counters never count less than
///   the truth, which gives upper bounds.
/// - **Count sketch** adds 1 or -1 (Charikar, Chen, Farach-Colton 2002): unbiased, with the variance
///   Σ counts² / width in each row.
///
/// Holds data: neither printed nor serialized. Release it instead.
///
/// # Privacy
///
/// A unit of up to m items, added or removed, changes in each row counters by m in sum: L1
/// sensitivity rows · m; at worst one counter by m, so that the L2 sensitivity is √rows · m.
pub struct FrequencySketch {
    shape: Shape,
    hashes: Hashes,
    counters: Vec<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Shape {
    kind: Kind,
    rows: u32,
    width: u32,
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    CountMin,
    CountSketch,
}

impl Shape {
    fn checked(self) -> Result<Self> {
        let refused = |parameter, requirement, given: u64| {
            Err(Error::Parameter { parameter, requirement, given: given as f64 }.into())
        };
        if !(1..=64).contains(&self.rows) {
            return refused("the rows of the sketch", "from 1 to 64", self.rows.into());
        }
        if self.width < 2 || u64::from(self.rows) * u64::from(self.width) > MOST_COUNTERS {
            let requirement = "at least 2, with at most 2^26 counters in all";
            return refused("the width of the sketch", requirement, self.width.into());
        }
        Ok(self)
    }

    fn counters(self) -> usize {
        self.rows as usize * self.width as usize
    }

    /// The counter of each row and the sign that the item has there.
    fn places(self, hashes: &Hashes, item: &[u8]) -> impl Iterator<Item = (usize, i64)> {
        let cells = hashes.cells(hashes.fingerprint(item), self.width);
        cells.enumerate().map(move |(row, (cell, positive))| {
            let negative = self.kind == Kind::CountSketch && !positive;
            (row * self.width as usize + cell, if negative { -1 } else { 1 })
        })
    }
}

impl FrequencySketch {
    /// A count-min sketch of `rows` (1 to 64) times `width` counters, at most 2^26 in all; at least 2 wide.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for another shape.
    pub fn count_min(rows: u32, width: u32, seed: u64) -> Result<Self> {
        Self::new(Shape { kind: Kind::CountMin, rows, width, seed })
    }

    /// A count sketch of `rows` (1 to 64, best odd) times `width` counters, at most 2^26 in all; at least 2 wide.
    ///
    /// # Errors
    ///
    /// As [`FrequencySketch::count_min`].
    pub fn count_sketch(rows: u32, width: u32, seed: u64) -> Result<Self> {
        Self::new(Shape { kind: Kind::CountSketch, rows, width, seed })
    }

    fn new(shape: Shape) -> Result<Self> {
        let shape = shape.checked()?;
        let hashes = Hashes::new(shape.seed, shape.rows);
        Ok(FrequencySketch { shape, hashes, counters: vec![0; shape.counters()] })
    }

    /// Counts one more of an item, given as its bytes.
    pub fn add(&mut self, item: impl AsRef<[u8]>) {
        for (place, sign) in self.shape.places(&self.hashes, item.as_ref()) {
            if let Some(counter) = self.counters.get_mut(place) {
                *counter = counter.saturating_add(sign);
            }
        }
    }

    /// Adds the items of another sketch, exactly.
    ///
    /// # Errors
    ///
    /// [`Error::Domain`] unless both have the same kind, shape and seed.
    pub fn merge(&mut self, other: &FrequencySketch) -> Result<()> {
        if self.shape != other.shape {
            return Err(other_shape("the merge of frequency sketches"));
        }
        for (counter, more) in self.counters.iter_mut().zip(&other.counters) {
            *counter = counter.saturating_add(*more);
        }
        Ok(())
    }

    /// Releases all counters with Laplace noise of scale rows · items / ε: pure ε, for units of at
    /// most `items` items.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for no items, [`crate::noise::NoiseError`] if the noise would be too
    /// large, [`Error::Entropy`] if the random source fails.
    pub fn release_laplace(
        &self,
        items: u32,
        epsilon: &Epsilon,
        rng: &mut dyn SecureRng,
    ) -> Result<PrivateFrequencySketch> {
        let l1 = u64::from(self.shape.rows) * u64::from(checked_items(items)?);
        let noise = LaplaceNoise::<()>::calibrated(&l1.into(), epsilon)?;
        let law = Draws::Laplace { scale: noise.scale().clone() };
        self.release(noise.noise(), law, Charge::from(epsilon.clone()), rng)
    }

    /// Releases all counters with Gaussian noise of variance rows · items² / (2ρ): ρ in zCDP, for
    /// units of at most `items` items.
    ///
    /// # Errors
    ///
    /// As [`FrequencySketch::release_laplace`].
    pub fn release_gaussian(
        &self,
        items: u32,
        rho: &Rho,
        rng: &mut dyn SecureRng,
    ) -> Result<PrivateFrequencySketch> {
        let items = Amount::from_integer(checked_items(items)?.into());
        let squared = &items.squared() * &Amount::from_integer(self.shape.rows.into());
        let noise = GaussianNoise::<()>::calibrated(&L2Distance::from_squared(squared), rho)?;
        let law = Draws::Gaussian { variance: noise.variance().clone() };
        self.release(noise.noise(), law, Charge::from(rho.clone()), rng)
    }

    fn release(
        &self,
        noise: Noise,
        law: Draws,
        charge: Charge,
        rng: &mut dyn SecureRng,
    ) -> Result<PrivateFrequencySketch> {
        let mut draws = vec![0i128; self.counters.len()];
        match &noise {
            Noise::Laplace(noise) => noise.fill(&mut draws, rng)?,
            Noise::Gaussian(noise) => noise.fill(&mut draws, rng)?,
        }
        let counters = self.counters.iter().zip(draws).map(|(counter, draw)| {
            // Clamping the exact noisy counter is post-processing.
            i128::from(*counter).saturating_add(draw).clamp(-LARGEST, LARGEST) as i64
        });
        let counters = counters.collect();
        Ok(PrivateFrequencySketch { shape: self.shape, counters, draws: vec![law], charge })
    }
}

/// Released counters are clamped to this magnitude.
const LARGEST: i128 = 1 << 62;

/// The noise in each counter of a release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Draws {
    Laplace { scale: Amount },
    Gaussian { variance: Amount },
}

impl Draws {
    fn noise(&self) -> Result<Noise> {
        let ratio = |amount: &Amount| -> Ratio<BigUint> { amount.as_ratio().clone() };
        Ok(match self {
            Draws::Laplace { scale } => Noise::Laplace(DiscreteLaplace::new(ratio(scale))?),
            Draws::Gaussian { variance } => {
                Noise::Gaussian(DiscreteGaussian::new(ratio(variance))?)
            }
        })
    }
}

/// A released frequency sketch: may be stored, sent, merged and asked without limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Raw")]
#[must_use = "a release was paid for"]
pub struct PrivateFrequencySketch {
    #[serde(flatten)]
    shape: Shape,
    counters: Vec<i64>,
    draws: Vec<Draws>,
    charge: Charge,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(flatten)]
    shape: Shape,
    counters: Vec<i64>,
    draws: Vec<Draws>,
    charge: Charge,
}

impl TryFrom<Raw> for PrivateFrequencySketch {
    type Error = crate::Error;

    fn try_from(raw: Raw) -> Result<Self> {
        let Raw { shape, counters, draws, charge } = raw;
        let shape = shape.checked()?;
        for law in &draws {
            law.noise()?;
        }
        let within = |counter: &i64| i128::from(*counter).abs() <= LARGEST;
        if counters.len() != shape.counters() || draws.is_empty() || !counters.iter().all(within) {
            return Err(other_shape("a stored frequency sketch"));
        }
        Ok(PrivateFrequencySketch { shape, counters, draws, charge })
    }
}

impl PrivateFrequencySketch {
    /// The price of this release, or of the last of those merged into it.
    #[must_use]
    pub fn charge(&self) -> &Charge {
        &self.charge
    }

    /// Adds another release: counters and noises add up.
    ///
    /// Post-processing of two releases: a unit with items in both has paid both prices.
    ///
    /// # Errors
    ///
    /// [`Error::Domain`] unless both have the same kind, shape and seed.
    pub fn merge(&mut self, other: &PrivateFrequencySketch) -> Result<()> {
        if self.shape != other.shape {
            return Err(other_shape("the merge of released frequency sketches"));
        }
        for (counter, more) in self.counters.iter_mut().zip(&other.counters) {
            *counter = (i128::from(*counter) + i128::from(*more)).clamp(-LARGEST, LARGEST) as i64;
        }
        self.draws.extend(other.draws.iter().cloned());
        self.charge = other.charge.clone();
        Ok(())
    }

    /// All counters, row by row.
    pub(crate) fn counters(&self) -> &[i64] {
        &self.counters
    }

    /// The law of the noise in each counter; collisions come on top.
    #[must_use]
    pub fn noise_law(&self) -> PrefixLaw {
        // Scales were valid when they were stored.
        let noises = self.draws.iter().filter_map(|draws| draws.noise().ok());
        noises.fold(PrefixLaw::default(), |law, noise| law.and(&PrefixLaw::sum(&noise, 1)))
    }

    /// The estimate of how often an item came: the median over the rows, of the signed counter
    /// (count sketch), or of the counter less the average of the others of its row (count-min;
    /// Deng, Rafiei 2007).
    #[must_use]
    pub fn count(&self, item: impl AsRef<[u8]>) -> f64 {
        let hashes = Hashes::new(self.shape.seed, self.shape.rows);
        let width = self.shape.width as usize;
        let places = self.shape.places(&hashes, item.as_ref());
        let mut estimates: Vec<f64> = places
            .zip(self.counters.chunks(width))
            .map(|((place, sign), row)| {
                let counter = self.counters.get(place).copied().unwrap_or_default();
                match self.shape.kind {
                    Kind::CountSketch => (counter * sign) as f64,
                    Kind::CountMin => {
                        let all: i128 = row.iter().map(|c| i128::from(*c)).sum();
                        let others = all - i128::from(counter);
                        counter as f64 - others as f64 / (width - 1) as f64
                    }
                }
            })
            .collect();
        estimates.sort_by(f64::total_cmp);
        let middle = estimates.len() / 2;
        let at = |index: usize| estimates.get(index).copied().unwrap_or_default();
        if estimates.len() % 2 == 1 { at(middle) } else { (at(middle - 1) + at(middle)) / 2.0 }
    }

    /// A count that the item came more often than with probability at most `miss`: the least
    /// counter of a count-min sketch, raised by the noise that all rows stay below together.
    /// Infinite for a count sketch, whose counters bound nothing.
    #[must_use]
    pub fn upper_bound(&self, item: impl AsRef<[u8]>, miss: f64) -> f64 {
        if self.shape.kind == Kind::CountSketch {
            return f64::INFINITY;
        }
        let hashes = Hashes::new(self.shape.seed, self.shape.rows);
        let places = self.shape.places(&hashes, item.as_ref());
        let least = places.filter_map(|(place, _)| self.counters.get(place)).min();
        // The noise is symmetric: only half of its tail lies below.
        let share = (2.0 * miss / f64::from(self.shape.rows)).min(1.0);
        let margin = self.noise_law().half_width(share);
        least.map_or(f64::INFINITY, |least| (*least as f64 + margin).max(0.0))
    }
}

impl fmt::Debug for FrequencySketch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrequencySketch").field("shape", &self.shape).finish_non_exhaustive()
    }
}
