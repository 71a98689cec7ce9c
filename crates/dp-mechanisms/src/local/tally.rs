//! How many reports support each category, and what follows for the true counts.

use num_bigint::BigInt;
use num_rational::Ratio;
use privacy_core::error::Error;
use privacy_core::params::{Amount, Confidence};
use privacy_core::release::Interval;
use serde::{Deserialize, Serialize};

use crate::additive::Noise;
use crate::error::Result;
use crate::noise::DiscreteGaussian;

/// The server's tally of the reports of one frequency oracle; tallies of the same oracle merge.
///
/// A report supports a category with probability p if it is the true one, and with probability q
/// otherwise. Tallies hold reports only and may be stored, sent and published like them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Tally {
    p: Amount,
    q: Amount,
    reports: u64,
    support: Vec<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    p: Amount,
    q: Amount,
    reports: u64,
    support: Vec<u64>,
}

impl TryFrom<Raw> for Tally {
    type Error = crate::Error;

    fn try_from(raw: Raw) -> Result<Self> {
        let Raw { p, q, reports, support } = raw;
        let one = Amount::from_integer(1);
        if p <= q || p > one || support.is_empty() || support.iter().any(|s| *s > reports) {
            return Err(super::foreign_report("the tally"));
        }
        Ok(Tally { p, q, reports, support })
    }
}

impl Tally {
    /// No reports yet. `p` must be above `q`.
    pub(super) fn empty(domain: u32, p: Amount, q: Amount) -> Self {
        Tally { p, q, reports: 0, support: vec![0; domain as usize] }
    }

    /// Counts reports whose supports were added up elsewhere.
    pub(super) fn count(&mut self, reports: u64, support: impl IntoIterator<Item = u64>) {
        self.reports += reports;
        for (sum, more) in self.support.iter_mut().zip(support) {
            *sum += more;
        }
    }

    /// Counts one report that supports the given categories.
    pub(super) fn count_one(&mut self, supported: impl IntoIterator<Item = u32>) {
        self.reports += 1;
        for category in supported {
            if let Some(sum) = self.support.get_mut(category as usize) {
                *sum += 1;
            }
        }
    }

    /// How many reports were tallied.
    #[must_use]
    pub fn reports(&self) -> u64 {
        self.reports
    }

    /// How many reports support each category.
    #[must_use]
    pub fn support(&self) -> &[u64] {
        &self.support
    }

    /// The probability that a report supports its true category, exactly.
    #[must_use]
    pub fn p(&self) -> &Amount {
        &self.p
    }

    /// The probability that a report supports another category, exactly.
    #[must_use]
    pub fn q(&self) -> &Amount {
        &self.q
    }

    /// Adds the reports of another tally of the same oracle.
    ///
    /// # Errors
    ///
    /// [`Error::Domain`] if the other tally is of other parameters; this one is unchanged then.
    pub fn merge(&mut self, other: &Tally) -> Result<()> {
        if (&self.p, &self.q, self.support.len()) != (&other.p, &other.q, other.support.len()) {
            let expected = "tallies of the same oracle with the same parameters";
            return Err(Error::Domain { step: "the merge of tallies", expected }.into());
        }
        self.count(other.reports, other.support.iter().copied());
        Ok(())
    }

    /// The unbiased estimate of how many of the reporters hold `category`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a category outside the domain.
    pub fn estimate(&self, category: u32) -> Result<FrequencyEstimate> {
        let Some(support) = self.support.get(category as usize) else {
            return Err(Error::Parameter {
                parameter: "the category",
                requirement: "below the number of categories",
                given: f64::from(category),
            }
            .into());
        };
        let exact = |amount: &Amount| {
            Ratio::new_raw(amount.numerator().clone().into(), amount.denominator().clone().into())
        };
        let (p, q): (Ratio<BigInt>, Ratio<BigInt>) = (exact(&self.p), exact(&self.q));
        let expected_by_chance = &q * BigInt::from(self.reports);
        let count = (Ratio::from(BigInt::from(*support)) - expected_by_chance) / (p - q);
        Ok(FrequencyEstimate {
            reports: self.reports as f64,
            support: *support as f64,
            p: self.p.to_f64_up(),
            q: self.q.to_f64_down(),
            count,
        })
    }

    /// The estimates of all categories, in order.
    #[must_use]
    pub fn estimates(&self) -> Vec<FrequencyEstimate> {
        (0..self.support.len() as u32).filter_map(|v| self.estimate(v).ok()).collect()
    }
}

/// The estimate of one category's count.
#[derive(Clone, Debug)]
pub struct FrequencyEstimate {
    reports: f64,
    support: f64,
    p: f64,
    q: f64,
    count: Ratio<BigInt>,
}

impl FrequencyEstimate {
    /// The estimated count; unbiased, and therefore at times below 0 or above the reports.
    #[must_use]
    pub fn count(&self) -> f64 {
        to_float(&self.count)
    }

    /// The estimated count as an exact fraction.
    #[must_use]
    pub fn exact_count(&self) -> &Ratio<BigInt> {
        &self.count
    }

    /// The estimated share among the reports; 0 without reports.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.reports > 0.0 { self.count() / self.reports } else { 0.0 }
    }

    /// The variance of the estimate if the true share is `share`:
    /// n (share p(1-p) + (1-share) q(1-q)) / (p-q)².
    #[must_use]
    pub fn variance_at(&self, share: f64) -> f64 {
        self.support_variance(share) / (self.p - self.q).powi(2)
    }

    /// The standard deviation of the estimate, at the share that was estimated.
    #[must_use]
    pub fn std_dev(&self) -> f64 {
        self.variance_at(self.share().clamp(0.0, 1.0)).sqrt()
    }

    /// The interval of the true counts that a score test does not reject (Wilson's interval, with
    /// the variance that each count would have, and a continuity correction).
    ///
    /// Approximate: from a hundred or so expected supports on it covers as it says. See
    /// [`guaranteed_interval`](FrequencyEstimate::guaranteed_interval) for a proof instead.
    #[must_use]
    pub fn interval(&self, confidence: &Confidence) -> Interval {
        let fine = DiscreteGaussian::new(Ratio::from_integer((1u64 << 40).into()));
        let quantile = fine.map_or(f64::INFINITY, |noise| {
            Noise::Gaussian(noise).half_width(confidence.miss_probability()) / 2f64.powi(20)
        });
        self.not_rejected(|variance| quantile * variance.sqrt() + 0.5)
    }

    /// The interval that covers the true count with at least the given confidence for any number
    /// of reports, by Bernstein's inequality; about 1.4 times as wide.
    #[must_use]
    pub fn guaranteed_interval(&self, confidence: &Confidence) -> Interval {
        let log = (2.0 / confidence.miss_probability()).ln();
        self.not_rejected(|variance| (2.0 * variance * log).sqrt() + 2.0 * log / 3.0)
    }

    /// The counts m for which the supports lie within `reach` of their mean, a function of their
    /// variance.
    fn not_rejected(&self, reach: impl Fn(f64) -> f64) -> Interval {
        let n = self.reports;
        let rejected = |share: f64| {
            let mean = n * (self.q + share * (self.p - self.q));
            (self.support - mean).abs() > reach(self.support_variance(share))
        };
        // The estimate itself is not rejected; look for the ends on both sides of it.
        let centre = self.share().clamp(0.0, 1.0);
        let end = |outer: f64| {
            if !rejected(outer) {
                return outer;
            }
            let (mut inside, mut outside) = (centre, outer);
            for _ in 0..60 {
                let middle = 0.5 * (inside + outside);
                if rejected(middle) { outside = middle } else { inside = middle }
            }
            outside
        };
        Interval { lower: n * end(0.0), upper: n * end(1.0) }
    }

    fn support_variance(&self, share: f64) -> f64 {
        let (p, q) = (self.p, self.q);
        self.reports * (share * p * (1.0 - p) + (1.0 - share) * q * (1.0 - q))
    }
}

/// The float at or next to a fraction.
pub(super) fn to_float(ratio: &Ratio<BigInt>) -> f64 {
    let magnitude = |x: &BigInt| x.magnitude().clone();
    let size = Amount::from_fraction(magnitude(ratio.numer()), magnitude(ratio.denom()))
        .map_or(f64::NAN, |amount| amount.to_f64_down());
    if *ratio < Ratio::from(BigInt::ZERO) { -size } else { size }
}
