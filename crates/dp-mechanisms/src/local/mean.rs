//! One-bit means.

use num_bigint::BigInt;
use num_rational::Ratio;
use privacy_core::error::Error;
use privacy_core::params::{Bounds, Confidence, Epsilon};
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};
use serde::{Deserialize, Serialize};

use super::draws::Draws;
use super::odds::Odds;
use super::tally::to_float;
use crate::error::Result;

/// The mean of integers within public bounds, from one bit of each.
///
/// With x = (2v - lower - upper)/(upper - lower) in [-1, 1] the bit is set with probability
/// 1/2 + x(E-1)/(2(E+1)); variance of a report ((E+1)/(E-1))² - x², in units of half the width.
///
/// # Privacy
///
/// ε-locally differentially private: the probability of either bit lies between 1/(E+1) and
/// E/(E+1), and E <= e^ε (Duchi, Jordan, Wainwright 2018, <https://arxiv.org/abs/1302.3203>; in this
/// form Ding, Kulkarni, Yekhanin 2017). Values are clamped to the bounds.
#[derive(Clone, Debug)]
pub struct OneBitMean {
    bounds: Bounds<i64>,
    epsilon: Epsilon,
    odds: Odds,
}

/// The sum of reported numbers and how many there are; tallies of the same randomizer merge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeanTally {
    pub(super) reports: u64,
    pub(super) sum: u128,
}

impl MeanTally {
    /// How many reports were tallied.
    #[must_use]
    pub fn reports(&self) -> u64 {
        self.reports
    }

    /// Adds the reports of another tally. Merge only what the same randomizer reported.
    pub fn merge(&mut self, other: &MeanTally) {
        self.reports = self.reports.saturating_add(other.reports);
        self.sum = self.sum.saturating_add(other.sum);
    }
}

/// The estimate of a mean.
#[derive(Clone, Debug)]
pub struct MeanEstimate {
    /// None without reports.
    pub(super) mean: Option<Ratio<BigInt>>,
    pub(super) reports: f64,
    /// The largest variance that a report can have.
    pub(super) worst_variance: f64,
    /// How far two reports can be apart.
    pub(super) range: f64,
}

impl MeanEstimate {
    /// The estimated mean; unbiased, and therefore at times outside the bounds. NaN without
    /// reports.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean.as_ref().map_or(f64::NAN, to_float)
    }

    /// The estimated mean as an exact fraction; `None` without reports.
    #[must_use]
    pub fn exact_mean(&self) -> Option<&Ratio<BigInt>> {
        self.mean.as_ref()
    }

    /// The largest standard deviation that the estimate can have, whatever the values.
    #[must_use]
    pub fn max_std_dev(&self) -> f64 {
        (self.worst_variance / self.reports).sqrt()
    }

    /// A margin within which the mean of the reporters' values lies with at least the given
    /// confidence, for any number of reports: the better of the bounds of Hoeffding and Bernstein.
    #[must_use]
    pub fn margin(&self, confidence: &Confidence) -> f64 {
        let log = (4.0 / confidence.miss_probability()).ln() / self.reports;
        let hoeffding = self.range * (log / 2.0).sqrt();
        let bernstein = (2.0 * self.worst_variance * log).sqrt() + 2.0 * self.range * log / 3.0;
        hoeffding.min(bernstein)
    }
}

/// The widest bounds: probabilities must fit into 128 bits.
const WIDEST: u64 = 1 << 53;

/// The width of the bounds, at most 2^53.
pub(super) fn checked_width(bounds: &Bounds<i64>) -> Result<u64> {
    let width = bounds.upper().abs_diff(bounds.lower());
    if width <= WIDEST {
        return Ok(width);
    }
    let requirement = "at most 2^53; use a coarser unit";
    let given = width as f64;
    Err(Error::Parameter { parameter: "the width of the bounds", requirement, given }.into())
}

impl OneBitMean {
    /// For integers within `bounds`, at most 2^53 wide.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for wider bounds or an ε below 2^-50.
    pub fn new(bounds: Bounds<i64>, epsilon: &Epsilon) -> Result<Self> {
        checked_width(&bounds)?;
        Ok(OneBitMean { bounds, epsilon: epsilon.clone(), odds: Odds::of(epsilon)? })
    }

    /// The ε of one report.
    #[must_use]
    pub fn epsilon(&self) -> &Epsilon {
        &self.epsilon
    }

    /// On the device: the bit for one value, clamped to the bounds.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails.
    pub fn randomize(&self, value: i64, rng: &mut dyn SecureRng) -> Result<bool, EntropyError> {
        self.draw_report(value, &mut RandomBuffer::new(rng))
    }

    pub(super) fn draw_report<D: Draws>(
        &self,
        value: i64,
        draws: &mut D,
    ) -> Result<bool, EntropyError> {
        let (a, b) = (u128::from(self.odds.a), u128::from(self.odds.b));
        let value = self.bounds.clamp(value);
        let above = u128::from(value.abs_diff(self.bounds.lower()));
        let below = u128::from(self.bounds.upper().abs_diff(value));
        // With width D = above + below the probability is (above a + below b) / (D (a + b)).
        draws.chance(above * a + below * b, (above + below) * (a + b))
    }

    /// On the server: tallies reports.
    #[must_use]
    pub fn aggregate(&self, reports: &[bool]) -> MeanTally {
        let sum = reports.iter().filter(|bit| **bit).count() as u128;
        MeanTally { reports: reports.len() as u64, sum }
    }

    /// The estimate from a tally of these reports.
    #[must_use]
    pub fn estimate(&self, tally: &MeanTally) -> MeanEstimate {
        // A share s of ones has the expectation (above a + below b) / (D (a + b)), so that
        // lower + above = lower + D (s (a + b) - b) / (a - b).
        let (a, b) = (BigInt::from(self.odds.a), BigInt::from(self.odds.b));
        let width = self.bounds.upper().abs_diff(self.bounds.lower());
        let mean = (tally.reports > 0).then(|| {
            let share = Ratio::new(BigInt::from(tally.sum), BigInt::from(tally.reports));
            let above = (share * (&a + &b) - &b) / (a - b) * BigInt::from(width);
            above + BigInt::from(self.bounds.lower())
        });
        let stretch = (self.odds.ratio() + 1.0) / (self.odds.ratio() - 1.0);
        let half = width as f64 / 2.0;
        MeanEstimate {
            mean,
            reports: tally.reports as f64,
            worst_variance: (half * stretch).powi(2),
            range: 2.0 * half * stretch,
        }
    }

    /// The variance of one report's estimate for a value.
    #[must_use]
    pub fn variance(&self, value: i64) -> f64 {
        let value = self.bounds.clamp(value);
        let half = self.bounds.upper().abs_diff(self.bounds.lower()) as f64 / 2.0;
        let from_middle = value.abs_diff(self.bounds.lower()) as f64 - half;
        let stretch = (self.odds.ratio() + 1.0) / (self.odds.ratio() - 1.0);
        (half * stretch).powi(2) - from_middle.powi(2)
    }
}
