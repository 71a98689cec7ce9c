//! Bounds for values whose range is not known.

use std::marker::PhantomData;

use privacy_core::error::{Error, Result};
use privacy_core::measure::{PureCost, PureDp};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Bounds, Confidence, Epsilon};
use privacy_core::random::SecureRng;
use privacy_core::space::{Changes, Rows};
use privacy_core::unit::{AddRemove, Adjacency, Record, Relation};

use crate::noise::{DiscreteLaplace, NoiseError};

/// One bin for each power of two up to 2^63 and each sign.
const BINS: usize = 128;

/// Finds bounds for values whose range is not known, up to powers of two.
///
/// Counts the values whose magnitude lies between each two powers of two, by sign, with noise, and
/// returns the outermost edges of the bins that pass a threshold which no empty bin passes, but
/// with a small chance (Google's approximate bounds; Wilson et al. 2020, Section 5.1.1,
/// <https://arxiv.org/abs/1909.01917>). Values outside are few: those are what clamping is for.
///
/// # Privacy
///
/// A histogram of 128 bins with discrete Laplace noise of scale t: a record lies in one bin, so that
/// adding or removing it costs ε = 1/t and replacing it 2/t; d changes d times as much, in zCDP
/// ε²/2. The bins are public, and what is read from the noisy counts, also that nothing was found,
/// is post-processing.
///
/// # Example
///
/// ```
/// use dp_mechanisms::quantile::{ApproxBounds, FoundBounds};
/// use privacy_core::prelude::*;
///
/// let prices: Vec<i64> = (0..10_000).map(|i| 900 + i % 3000).collect(); // cents
/// let finder: ApproxBounds = ApproxBounds::new(&Epsilon::new(0.1)?)?;
/// match finder.draw(&prices, &mut SystemRng::new()?)? {
///     FoundBounds::Found(bounds) => assert!(bounds.upper() >= 2048),
///     _ => println!("too few values: take bounds from knowledge of the domain"),
/// }
/// # Ok::<(), privacy_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ApproxBounds<A = AddRemove> {
    noise: DiscreteLaplace,
    scale: Amount,
    threshold: i128,
    adjacency: PhantomData<fn() -> A>,
}

/// What [`ApproxBounds`] releases.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum FoundBounds {
    /// Bounds whose magnitudes are 0 or powers of two (at the top `i64::MAX`).
    Found(Bounds<i64>),
    /// No bin passed the threshold: there are too few values for this ε.
    NotFound,
}

impl FoundBounds {
    /// The bounds, if any were found.
    #[must_use]
    pub fn found(self) -> Option<Bounds<i64>> {
        match self {
            FoundBounds::Found(bounds) => Some(bounds),
            FoundBounds::NotFound => None,
        }
    }
}

impl<A: Adjacency> ApproxBounds<A> {
    /// The finder that costs `epsilon` between neighbours, and lets no empty bin pass but with a
    /// chance of 1e-9.
    ///
    /// # Errors
    ///
    /// A [`NoiseError`] if the scale is above the range of the sampler.
    pub fn new(epsilon: &Epsilon) -> Result<Self> {
        let sure = Confidence::from_fraction(999_999_999, 1_000_000_000)?;
        Self::with_confidence(epsilon, &sure)
    }

    /// The finder that lets no empty bin pass with at least the given confidence.
    ///
    /// # Errors
    ///
    /// A [`NoiseError`] if the scale is above the range of the sampler.
    pub fn with_confidence(epsilon: &Epsilon, confidence: &Confidence) -> Result<Self> {
        let sensitivity = Amount::from_integer(changed_bins::<A>());
        let scale = sensitivity.checked_div(epsilon.amount()).unwrap_or(Amount::ZERO);
        let noise = DiscreteLaplace::new(scale.as_ratio().clone()).map_err(Error::technique)?;
        // P(Z > m) = P(|Z| > m)/2, for each of at most 128 empty bins.
        let each = (2.0 * confidence.miss_probability() / BINS as f64).next_down();
        let below = noise.half_width(each).map_err(Error::technique)?;
        let threshold = i128::try_from(below).unwrap_or(i128::MAX).saturating_add(1);
        Ok(ApproxBounds { noise, scale, threshold, adjacency: PhantomData })
    }

    /// A bin passes if its noisy count is at least this.
    #[must_use]
    pub fn threshold(&self) -> i128 {
        self.threshold
    }

    /// A bin of at least this many values passes with at least the given confidence.
    ///
    /// # Errors
    ///
    /// [`NoiseError::AlphaOutOfRange`] if the confidence is so high that the chance of a miss
    /// underflows.
    pub fn sufficient_count(&self, confidence: &Confidence) -> Result<i128, NoiseError> {
        let alpha = (2.0 * confidence.miss_probability()).min(1.0);
        let width = i128::try_from(self.noise.half_width(alpha)?).unwrap_or(i128::MAX);
        Ok(self.threshold.saturating_add(width))
    }

    fn read(&self, noisy: &[i128]) -> FoundBounds {
        let passes = |count: &i128| *count >= self.threshold;
        let first = noisy.iter().position(passes);
        let last = noisy.iter().rposition(passes);
        let (Some(first), Some(last)) = (first, last) else {
            return FoundBounds::NotFound;
        };
        // Edges of one bin differ, and edges grow with the bins: never refused.
        match Bounds::new(edges(first).0, edges(last).1) {
            Ok(bounds) => FoundBounds::Found(bounds),
            Err(_) => FoundBounds::NotFound,
        }
    }
}

/// How many bins change by one where a record does.
fn changed_bins<A: Adjacency>() -> u64 {
    match A::RELATION {
        Relation::AddRemove => 1,
        _ => 2,
    }
}

/// Bins in increasing order: 64 + j for the values from 0 or above 2^(j-1) up to 2^j, and 63 - j
/// for their negatives (0 counts as positive).
fn bin(value: i64) -> usize {
    let magnitude = value.unsigned_abs();
    let power = match magnitude {
        0 | 1 => 0,
        _ => 64 - (magnitude - 1).leading_zeros() as usize,
    };
    if value < 0 { 63 - power } else { 64 + power.min(63) }
}

/// The lowest and the highest edge of a bin.
fn edges(bin: usize) -> (i64, i64) {
    let power = |j: usize| i64::try_from(1u64 << j).unwrap_or(i64::MAX);
    let inner = |j: usize| if j == 0 { 0 } else { power(j - 1) };
    match bin.checked_sub(64) {
        Some(j) => (inner(j), power(j)),
        None => {
            let j = 63 - bin;
            (if j == 63 { i64::MIN } else { -power(j) }, -inner(j))
        }
    }
}

impl<A: Adjacency> Mechanism for ApproxBounds<A> {
    type Input = Rows<i64, Record, A>;
    type Measure = PureDp;
    type Output = FoundBounds;

    fn draw(&self, values: &[i64], rng: &mut dyn SecureRng) -> Result<FoundBounds> {
        let mut counts = [0i128; BINS];
        self.noise.fill(&mut counts, rng)?;
        for value in values {
            let count = &mut counts[bin(*value)];
            *count = count.saturating_add(1);
        }
        Ok(self.read(&counts))
    }

    fn cost(&self, d_in: Changes) -> Result<PureCost> {
        let moved = &Amount::from_integer(changed_bins::<A>()) * &d_in.0.into();
        // The constructor refuses scale 0.
        Ok(PureCost { epsilon: moved.checked_div(&self.scale).unwrap_or(Amount::ZERO) })
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::conformance;
    use privacy_core::random::InsecureTestRng;
    use privacy_core::unit::Replace;

    use super::*;

    fn finder(epsilon: f64) -> ApproxBounds {
        ApproxBounds::new(&Epsilon::new(epsilon).unwrap()).unwrap()
    }

    #[test]
    fn every_value_lies_in_its_bin_and_bins_touch() {
        let mut values = vec![0, 1, -1, i64::MIN, i64::MIN + 1, i64::MAX, i64::MAX - 1];
        for power in 1..63 {
            let power = 1i64 << power;
            values.extend([power - 1, power, power + 1, 1 - power, -power, -power - 1]);
        }
        values.sort_unstable();
        assert!(values.iter().map(|value| bin(*value)).is_sorted());
        for value in values {
            let (low, high) = edges(bin(value));
            assert!(low <= value && value <= high && low < high, "{value}");
        }
        for bin in 1..BINS {
            assert_eq!(edges(bin - 1).1, edges(bin).0, "{bin}");
        }
    }

    #[test]
    fn bounds_hold_the_bulk_and_leave_strays_out() {
        let mut rng = InsecureTestRng::from_seed(51);
        let mut values: Vec<i64> = (0..1000).map(|i| i % 90 - 20).collect();
        values.extend([1 << 40, i64::MIN]);
        let found = finder(1.0).draw(&values, &mut rng).unwrap().found().unwrap();
        assert_eq!((found.lower(), found.upper()), (-32, 128));
        let extreme = finder(1.0).draw(&[i64::MIN; 200], &mut rng).unwrap().found().unwrap();
        assert_eq!((extreme.lower(), extreme.upper()), (i64::MIN, -(1 << 62)));
        let equal = finder(1.0).draw(&[0; 200], &mut rng).unwrap().found().unwrap();
        assert_eq!((equal.lower(), equal.upper()), (0, 1));
    }

    #[test]
    fn nothing_is_found_in_nothing() {
        let mut rng = InsecureTestRng::from_seed(52);
        for _ in 0..2000 {
            // False-alarm probability 2000e-9.
            assert_eq!(finder(0.1).draw(&[], &mut rng).unwrap(), FoundBounds::NotFound);
        }
        assert_eq!(finder(0.1).draw(&[7], &mut rng).unwrap(), FoundBounds::NotFound);
    }

    #[test]
    fn the_threshold_is_the_smallest_that_keeps_its_word() {
        let sure = Confidence::new(0.99).unwrap();
        let finder =
            ApproxBounds::<AddRemove>::with_confidence(&Epsilon::new(0.2).unwrap(), &sure).unwrap();
        // P(Z >= T) over 128 bins, and one below.
        let passing = |t: i128| 128.0 * finder.noise.tail((t - 1).unsigned_abs()) / 2.0;
        assert!(passing(finder.threshold()) <= 0.01);
        assert!(passing(finder.threshold() - 1) > 0.01);
        let enough = finder.sufficient_count(&sure).unwrap();
        let missed = |n: i128| finder.noise.tail((n - finder.threshold()).unsigned_abs()) / 2.0;
        assert!(missed(enough) <= 0.01);
    }

    #[test]
    fn prices_come_from_the_noise() {
        let cost = finder(0.1).cost(Changes(1)).unwrap().epsilon;
        assert_eq!(cost, "0.1".parse().unwrap());
        conformance::monotone_cost(&finder(0.1), &[Changes(1), Changes(4)]).unwrap();
        let replace = ApproxBounds::<Replace>::new(&Epsilon::new(0.1).unwrap()).unwrap();
        assert_eq!(replace.scale, Amount::from_integer(20));
        assert_eq!(replace.cost(Changes(1)).unwrap().epsilon, cost);
    }
}
