//! Means from a window around the value, and the mixture with one bit.

use num_bigint::BigInt;
use num_rational::Ratio;
use num_traits::Zero;
use privacy_core::params::{Bounds, Epsilon};
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};
use serde::{Deserialize, Serialize};

use super::draws::Draws;
use super::foreign_report;
use super::mean::{MeanEstimate, MeanTally, OneBitMean, checked_width};
use super::odds::Odds;
use crate::error::Result;

/// The mean of integers within public bounds, from a number near each: the piecewise mechanism on
/// integers.
///
/// For a value l steps above the lower bound of width D the report is one of the N = D + W numbers
/// 0..N, E times as likely inside the window l..l+W as outside, with W near D/√E. Its expectation
/// is an affine function of l, exactly.
///
/// # Privacy
///
/// ε-locally differentially private: each number has one of two probabilities with the ratio
/// E <= e^ε (Wang et al. 2019, "Collecting and Analyzing Multidimensional Data with Local
/// Differential Privacy", <https://arxiv.org/abs/1907.00782>, with sums for integrals). Values are
/// clamped to the bounds.
#[derive(Clone, Debug)]
pub struct PiecewiseMean {
    bounds: Bounds<i64>,
    epsilon: Epsilon,
    odds: Odds,
    width: u64,
    window: u64,
}

impl PiecewiseMean {
    /// For integers within `bounds`, at most 2^53 wide.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] for wider bounds or an ε below 2^-49.
    pub fn new(bounds: Bounds<i64>, epsilon: &Epsilon) -> Result<Self> {
        let width = checked_width(&bounds)?;
        let half = Odds::of_half(epsilon)?;
        let window = (u128::from(width) * u128::from(half.b) / u128::from(half.a)) as u64;
        let (odds, epsilon) = (Odds::of(epsilon)?, epsilon.clone());
        Ok(PiecewiseMean { bounds, epsilon, odds, width, window: window.max(1) })
    }

    /// The ε of one report.
    #[must_use]
    pub fn epsilon(&self) -> &Epsilon {
        &self.epsilon
    }

    /// Reports are below this number.
    #[must_use]
    pub fn outputs(&self) -> u64 {
        self.width + self.window
    }

    /// The weights of all numbers inside the window and outside together; below 2^112.
    fn weights(&self) -> (u128, u128) {
        let inside = u128::from(self.window) * u128::from(self.odds.a);
        (inside, u128::from(self.width) * u128::from(self.odds.b))
    }

    /// On the device: the report of one value, clamped to the bounds.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails.
    pub fn randomize(&self, value: i64, rng: &mut dyn SecureRng) -> Result<u64, EntropyError> {
        self.draw_report(value, &mut RandomBuffer::new(rng))
    }

    pub(super) fn draw_report<D: Draws>(
        &self,
        value: i64,
        draws: &mut D,
    ) -> Result<u64, EntropyError> {
        let start = self.bounds.clamp(value).abs_diff(self.bounds.lower());
        let (inside, outside) = self.weights();
        if draws.chance(inside, inside + outside)? {
            return Ok(start + draws.below(self.window)?);
        }
        let other = draws.below(self.width)?;
        Ok(if other < start { other } else { other + self.window })
    }

    /// On the server: tallies reports.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Domain`] for a number that is no report.
    pub fn aggregate(&self, reports: &[u64]) -> Result<MeanTally> {
        if reports.iter().any(|report| *report >= self.outputs()) {
            return Err(foreign_report("the tally of the piecewise mean"));
        }
        let sum = reports.iter().map(|report| u128::from(*report)).sum();
        Ok(MeanTally { reports: reports.len() as u64, sum })
    }

    /// The estimate from a tally of these reports.
    #[must_use]
    pub fn estimate(&self, tally: &MeanTally) -> MeanEstimate {
        let (offset, slope) = self.expectation();
        let mean = (tally.reports > 0).then(|| {
            let average = Ratio::new(BigInt::from(tally.sum), BigInt::from(tally.reports));
            (average - offset) / &slope + BigInt::from(self.bounds.lower())
        });
        let ends = [self.bounds.lower(), self.bounds.upper()];
        MeanEstimate {
            mean,
            reports: tally.reports as f64,
            worst_variance: ends.map(|v| self.variance(v)).into_iter().fold(0.0, f64::max),
            range: self.outputs() as f64 / self.slope(),
        }
    }

    /// E(report) = offset + slope l: the weight b of each number, and a - b more in the window.
    fn expectation(&self) -> (Ratio<BigInt>, Ratio<BigInt>) {
        let (inside, outside) = self.weights();
        let total = BigInt::from(inside + outside);
        let excess = BigInt::from(self.odds.a - self.odds.b);
        let triangle = |n: u64| BigInt::from(n) * BigInt::from(n - 1) / 2;
        let offset = triangle(self.outputs()) * self.odds.b + triangle(self.window) * &excess;
        (Ratio::new(offset, total.clone()), Ratio::new(excess * self.window, total))
    }

    fn slope(&self) -> f64 {
        let (e, w) = (self.odds.ratio(), self.window as f64);
        (e - 1.0) * w / (e * w + self.width as f64)
    }

    /// The variance of one report's estimate for a value; largest at the bounds.
    #[must_use]
    pub fn variance(&self, value: i64) -> f64 {
        let start = self.bounds.clamp(value).abs_diff(self.bounds.lower()) as f64;
        let (e, w, n) = (self.odds.ratio(), self.window as f64, self.outputs() as f64);
        // A mixture of a uniform number of all and one of the window.
        let total = e * w + self.width as f64;
        let (all, near) = (n / total, (e - 1.0) * w / total);
        let (mid_all, mid_near) = ((n - 1.0) / 2.0, start + (w - 1.0) / 2.0);
        let within = all * (n * n - 1.0) / 12.0 + near * (w * w - 1.0) / 12.0;
        (within + all * near * (mid_all - mid_near).powi(2)) / self.slope().powi(2)
    }
}

/// A piecewise report with probability 1 - e^(-ε/2), else one bit; one bit only for ε <= 0.61.
///
/// Its worst variance over all values is at most that of either (Wang et al. 2019, Section 3.3).
///
/// # Privacy
///
/// ε-locally differentially private: which of the two it is does not depend on the value, and
/// both are.
#[derive(Clone, Debug)]
pub struct HybridMean {
    bit: OneBitMean,
    piecewise: PiecewiseMean,
    /// Odds that a report is piecewise, as a fraction.
    share: (u128, u128),
}

/// One of the two reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HybridReport {
    /// A report of [`OneBitMean`].
    Bit(bool),
    /// A report of [`PiecewiseMean`].
    Piecewise(u64),
}

/// The tallies of both kinds of reports; tallies of the same randomizer merge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HybridTally {
    bits: MeanTally,
    piecewise: MeanTally,
}

impl HybridTally {
    /// Adds the reports of another tally. Merge only what the same randomizer reported.
    pub fn merge(&mut self, other: &HybridTally) {
        self.bits.merge(&other.bits);
        self.piecewise.merge(&other.piecewise);
    }
}

impl HybridMean {
    /// For integers within `bounds`, at most 2^53 wide.
    ///
    /// # Errors
    ///
    /// As [`PiecewiseMean::new`].
    pub fn new(bounds: Bounds<i64>, epsilon: &Epsilon) -> Result<Self> {
        let half = Odds::of_half(epsilon)?;
        let (a, b) = (u128::from(half.a), u128::from(half.b));
        let share = if epsilon.to_f64_down() > 0.61 { (a - b, a) } else { (0, 1) };
        Ok(HybridMean {
            bit: OneBitMean::new(bounds, epsilon)?,
            piecewise: PiecewiseMean::new(bounds, epsilon)?,
            share,
        })
    }

    /// The ε of one report.
    #[must_use]
    pub fn epsilon(&self) -> &Epsilon {
        self.bit.epsilon()
    }

    /// On the device: the report of one value, clamped to the bounds.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails.
    pub fn randomize(
        &self,
        value: i64,
        rng: &mut dyn SecureRng,
    ) -> Result<HybridReport, EntropyError> {
        self.draw_report(value, &mut RandomBuffer::new(rng))
    }

    pub(super) fn draw_report<D: Draws>(
        &self,
        value: i64,
        draws: &mut D,
    ) -> Result<HybridReport, EntropyError> {
        if draws.chance(self.share.0, self.share.1)? {
            self.piecewise.draw_report(value, draws).map(HybridReport::Piecewise)
        } else {
            self.bit.draw_report(value, draws).map(HybridReport::Bit)
        }
    }

    /// On the server: tallies reports.
    ///
    /// # Errors
    ///
    /// As [`PiecewiseMean::aggregate`].
    pub fn aggregate(&self, reports: &[HybridReport]) -> Result<HybridTally> {
        let (mut bits, mut numbers) = (Vec::new(), Vec::new());
        for report in reports {
            match report {
                HybridReport::Bit(bit) => bits.push(*bit),
                HybridReport::Piecewise(number) => numbers.push(*number),
            }
        }
        let piecewise = self.piecewise.aggregate(&numbers)?;
        Ok(HybridTally { bits: self.bit.aggregate(&bits), piecewise })
    }

    /// The estimate from a tally of these reports: the average of all reports' own estimates.
    #[must_use]
    pub fn estimate(&self, tally: &HybridTally) -> MeanEstimate {
        let bits = self.bit.estimate(&tally.bits);
        let piecewise = self.piecewise.estimate(&tally.piecewise);
        let reports = tally.bits.reports.saturating_add(tally.piecewise.reports);
        let sum = |estimate: &MeanEstimate, reports: u64| {
            estimate.exact_mean().map_or_else(Ratio::zero, |mean| mean * BigInt::from(reports))
        };
        let mean = (reports > 0).then(|| {
            (sum(&bits, tally.bits.reports) + sum(&piecewise, tally.piecewise.reports))
                / BigInt::from(reports)
        });
        MeanEstimate {
            mean,
            reports: reports as f64,
            worst_variance: self.worst_variance(),
            range: bits.range.max(piecewise.range),
        }
    }
    /// The variance of one report's estimate for a value.
    #[must_use]
    pub fn variance(&self, value: i64) -> f64 {
        let share = self.share.0 as f64 / self.share.1 as f64;
        share * self.piecewise.variance(value) + (1.0 - share) * self.bit.variance(value)
    }

    /// At an end of the bounds or in the middle: a quadratic function of the distance from it.
    fn worst_variance(&self) -> f64 {
        let (lower, upper) = (self.piecewise.bounds.lower(), self.piecewise.bounds.upper());
        let middle = lower.saturating_add_unsigned(self.piecewise.width / 2);
        [lower, middle, upper].map(|v| self.variance(v)).into_iter().fold(0.0, f64::max)
    }
}
