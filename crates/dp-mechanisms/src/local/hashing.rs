//! Local hashing: randomized response on a hash of the category.

use privacy_core::params::{Amount, Epsilon};
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};
use serde::{Deserialize, Serialize};

use super::draws::Draws;
use super::odds::Odds;
use super::{FrequencyOracle, Tally, checked_domain, foreign_report};
use crate::error::Result;

/// A hash function drawn for each report maps the category to one of g values, of which the report
/// tells one by g-ary randomized response.
///
/// The hash of a category with the digits d_1, d_2, ... in base g is Σ a_i d_i mod g, with a_i
/// uniform and g prime: two categories collide with probability exactly 1/g, which makes the
/// estimator exactly unbiased.
///
/// # Privacy
///
/// ε-locally differentially private: the hash function does not depend on the value, and given it
/// the answer is g-ary randomized response with the ratio E <= e^ε (Bassily, Smith 2015; Wang et al.
/// 2017, Section 4.4).
#[derive(Clone, Debug)]
pub struct LocalHashing {
    domain: u32,
    epsilon: Epsilon,
    odds: Odds,
    values: u32,
    digits: usize,
}

/// A hash function and the answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HashReport {
    coefficients: Vec<u32>,
    answer: u32,
}

impl HashReport {
    /// The coefficients of the hash function, one for each digit of a category.
    #[must_use]
    pub fn coefficients(&self) -> &[u32] {
        &self.coefficients
    }

    /// The value that was answered.
    #[must_use]
    pub fn answer(&self) -> u32 {
        self.answer
    }
}

impl LocalHashing {
    /// With the prime number of values of least variance, near E + 1 (OLH), for `domain`
    /// categories (2 to 2^24).
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] for a domain out of range or an ε below 2^-50.
    pub fn optimal(domain: u32, epsilon: &Epsilon) -> Result<Self> {
        let odds = Odds::of(epsilon)?;
        let largest = prime_from(checked_domain(domain)?);
        // Variance is proportional to (E - 1 + g)² / (g - 1): least at E + 1, one prime around it.
        let best = u64::from(largest).min(odds.a / odds.b + 1) as u32;
        let above = prime_from(best).min(largest);
        let below = (2..=best).rev().find(|g| is_prime(*g)).unwrap_or(2);
        let variance = |g: u32| (odds.ratio() - 1.0 + f64::from(g)).powi(2) / f64::from(g - 1);
        let values = if variance(below) <= variance(above) { below } else { above };
        Ok(Self::with_values(domain, epsilon, odds, values))
    }

    /// With two values (BLH), for `domain` categories (2 to 2^24).
    ///
    /// # Errors
    ///
    /// As [`LocalHashing::optimal`].
    pub fn binary(domain: u32, epsilon: &Epsilon) -> Result<Self> {
        Ok(Self::with_values(checked_domain(domain)?, epsilon, Odds::of(epsilon)?, 2))
    }

    fn with_values(domain: u32, epsilon: &Epsilon, odds: Odds, values: u32) -> Self {
        let (mut digits, mut reach) = (1, u64::from(values));
        while reach < u64::from(domain) {
            digits += 1;
            reach *= u64::from(values);
        }
        LocalHashing { domain, epsilon: epsilon.clone(), odds, values, digits }
    }

    /// How many values the hash functions have.
    #[must_use]
    pub fn values(&self) -> u32 {
        self.values
    }

    /// a + (g-1) b, below 2^82.
    fn total(&self) -> u128 {
        u128::from(self.odds.a) + u128::from(self.values - 1) * u128::from(self.odds.b)
    }

    fn hash(&self, coefficients: &[u32], category: u32) -> u32 {
        let (mut rest, mut sum) = (category, 0u64);
        for coefficient in coefficients {
            sum += u64::from(*coefficient) * u64::from(rest % self.values);
            rest /= self.values;
        }
        // At most 24 products below 2^50.
        (sum % u64::from(self.values)) as u32
    }

    pub(super) fn draw_report<D: Draws>(
        &self,
        category: u32,
        draws: &mut D,
    ) -> Result<HashReport, EntropyError> {
        let coefficients = (0..self.digits)
            .map(|_| Ok(draws.below(self.values.into())? as u32))
            .collect::<Result<Vec<u32>, EntropyError>>()?;
        let truth = self.hash(&coefficients, category.min(self.domain - 1));
        let answer = if draws.chance(self.odds.a.into(), self.total())? {
            truth
        } else {
            let other = draws.below(u64::from(self.values - 1))? as u32;
            if other < truth { other } else { other + 1 }
        };
        Ok(HashReport { coefficients, answer })
    }
}

impl FrequencyOracle for LocalHashing {
    oracle_of!(HashReport);

    fn tally(&self) -> Tally {
        let p = Amount::from_fraction(self.odds.a, self.total()).unwrap_or(Amount::ZERO);
        let q = Amount::from_fraction(1u8, self.values).unwrap_or(Amount::ZERO);
        Tally::empty(self.domain, p, q)
    }

    /// Takes time in proportion to reports times categories.
    fn aggregate(&self, reports: &[HashReport]) -> Result<Tally> {
        let fits = |report: &HashReport| {
            report.coefficients.len() == self.digits
                && report.coefficients.iter().chain([&report.answer]).all(|x| *x < self.values)
        };
        if !reports.iter().all(fits) {
            return Err(foreign_report("the tally of local hashing"));
        }
        let mut tally = self.tally();
        for report in reports {
            let supported = |v: &u32| self.hash(&report.coefficients, *v) == report.answer;
            tally.count_one((0..self.domain).filter(supported));
        }
        Ok(tally)
    }
}

fn is_prime(number: u32) -> bool {
    number >= 2 && (2..).take_while(|d| d * d <= number).all(|d| !number.is_multiple_of(d))
}

/// The smallest prime that is not below `number`, which is at most 2^24 + 1.
fn prime_from(number: u32) -> u32 {
    (number..).find(|candidate| is_prime(*candidate)).unwrap_or(2)
}
