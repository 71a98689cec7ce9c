//! Unary encodings: a bit for each category.

use privacy_core::params::{Amount, Epsilon};
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};
use serde::{Deserialize, Serialize};

use super::draws::Draws;
use super::odds::Odds;
use super::{FrequencyOracle, Tally, checked_domain, foreign_report};
use crate::error::Result;

/// A bit for each category: that of the true category is set with probability p, each other with
/// probability q.
///
/// # Privacy
///
/// ε-locally differentially private: two values differ in two bits, so that the worst ratio is
/// p(1-q)/(q(1-p)) (Erlingsson, Pihur, Korolova 2014, <https://arxiv.org/abs/1407.6981>).
/// - [`symmetric`](UnaryEncoding::symmetric) (one-time basic RAPPOR): p = H/(H+1), q = 1-p, ratio
///   H² with H <= e^(ε/2).
/// - [`optimized`](UnaryEncoding::optimized): p = 1/2, q = 1/(E+1), ratio E (Wang et al. 2017).
#[derive(Clone, Debug)]
pub struct UnaryEncoding {
    domain: u32,
    epsilon: Epsilon,
    /// p and q as numerators over the same denominator.
    p: u64,
    q: u64,
    denom: u64,
}

impl UnaryEncoding {
    /// Flips ones and zeros alike, for `domain` categories (2 to 2^24).
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] for a domain out of range or an ε below 2^-49.
    pub fn symmetric(domain: u32, epsilon: &Epsilon) -> Result<Self> {
        let Odds { a, b } = Odds::of_half(epsilon)?;
        let (domain, epsilon) = (checked_domain(domain)?, epsilon.clone());
        Ok(UnaryEncoding { domain, epsilon, p: a, q: b, denom: a + b })
    }

    /// Flips such that the variance of rare categories is least, for `domain` categories (2 to
    /// 2^24).
    ///
    /// # Errors
    ///
    /// As [`UnaryEncoding::symmetric`].
    pub fn optimized(domain: u32, epsilon: &Epsilon) -> Result<Self> {
        let Odds { a, b } = Odds::of(epsilon)?;
        let (domain, epsilon) = (checked_domain(domain)?, epsilon.clone());
        Ok(UnaryEncoding { domain, epsilon, p: a + b, q: 2 * b, denom: 2 * (a + b) })
    }

    pub(super) fn draw_report<D: Draws>(
        &self,
        category: u32,
        draws: &mut D,
    ) -> Result<BitReport, EntropyError> {
        let category = category.min(self.domain - 1);
        BitReport::draw(self.domain, |bit| {
            let numer = if bit == category { self.p } else { self.q };
            draws.chance(numer.into(), self.denom.into())
        })
    }
}

impl FrequencyOracle for UnaryEncoding {
    oracle_of!(BitReport);

    fn tally(&self) -> Tally {
        let of = |part: u64| Amount::from_fraction(part, self.denom).unwrap_or(Amount::ZERO);
        Tally::empty(self.domain, of(self.p), of(self.q))
    }

    fn aggregate(&self, reports: &[BitReport]) -> Result<Tally> {
        BitReport::aggregate(reports, self.tally(), "the tally of unary encoding")
    }
}

/// A bit for each category.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Raw")]
pub struct BitReport {
    length: u32,
    words: Vec<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    length: u32,
    words: Vec<u64>,
}

impl TryFrom<Raw> for BitReport {
    type Error = crate::Error;

    fn try_from(raw: Raw) -> Result<Self> {
        let Raw { length, words } = raw;
        let unused = words.last().map_or(0, |last| match length % 64 {
            0 => 0,
            used => last >> used,
        });
        if words.len() != (length as usize).div_ceil(64) || unused != 0 {
            return Err(foreign_report("a report of bits"));
        }
        Ok(BitReport { length, words })
    }
}

impl BitReport {
    pub(super) fn draw(
        length: u32,
        mut bit: impl FnMut(u32) -> Result<bool, EntropyError>,
    ) -> Result<Self, EntropyError> {
        let mut words = vec![0u64; (length as usize).div_ceil(64)];
        for index in 0..length {
            if bit(index)? {
                words[index as usize / 64] |= 1 << (index % 64);
            }
        }
        Ok(BitReport { length, words })
    }

    /// How many bits there are.
    #[must_use]
    pub fn length(&self) -> u32 {
        self.length
    }

    /// Whether the bit of `category` is set.
    #[must_use]
    pub fn get(&self, category: u32) -> bool {
        let word = self.words.get(category as usize / 64).copied().unwrap_or_default();
        word >> (category % 64) & 1 == 1
    }

    /// Adds reports to an empty tally.
    pub(super) fn aggregate(
        reports: &[Self],
        mut tally: Tally,
        step: &'static str,
    ) -> Result<Tally> {
        let domain = tally.support().len();
        if reports.iter().any(|report| report.length as usize != domain) {
            return Err(foreign_report(step));
        }
        for report in reports {
            tally.count_one(report.words.iter().zip(0u32..).flat_map(|(word, index)| {
                let mut left = *word;
                std::iter::from_fn(move || {
                    let bit = left.checked_ilog2()?;
                    left ^= 1 << bit;
                    Some(64 * index + bit)
                })
            }));
        }
        Ok(tally)
    }
}
