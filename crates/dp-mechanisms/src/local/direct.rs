//! k-ary randomized response.

use privacy_core::params::{Amount, Epsilon};
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};

use super::draws::Draws;
use super::odds::Odds;
use super::{FrequencyOracle, Tally, checked_domain, foreign_report};
use crate::error::Result;

/// k-ary randomized response (generalized randomized response): the true category with
/// probability E/(E+k-1), each other with 1/(E+k-1).
///
/// # Privacy
///
/// ε-locally differentially private: the two probabilities have the ratio E <= e^ε (Warner 1965;
/// Kairouz, Bonawitz, Ramage 2016, <https://arxiv.org/abs/1602.07387>).
#[derive(Clone, Debug)]
pub struct DirectEncoding {
    domain: u32,
    epsilon: Epsilon,
    odds: Odds,
}

impl DirectEncoding {
    /// For `domain` categories, 2 to 2^24.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] for a domain out of range or an ε below 2^-50.
    pub fn new(domain: u32, epsilon: &Epsilon) -> Result<Self> {
        let odds = Odds::of(epsilon)?;
        Ok(DirectEncoding { domain: checked_domain(domain)?, epsilon: epsilon.clone(), odds })
    }

    /// a + (k-1) b, below 2^80.
    fn total(&self) -> u128 {
        u128::from(self.odds.a) + u128::from(self.domain - 1) * u128::from(self.odds.b)
    }

    pub(super) fn draw_report<D: Draws>(
        &self,
        category: u32,
        draws: &mut D,
    ) -> Result<u32, EntropyError> {
        let category = category.min(self.domain - 1);
        if draws.chance(self.odds.a.into(), self.total())? {
            return Ok(category);
        }
        let other = draws.below(u64::from(self.domain - 1))? as u32;
        Ok(if other < category { other } else { other + 1 })
    }
}

impl FrequencyOracle for DirectEncoding {
    oracle_of!(u32);

    fn tally(&self) -> Tally {
        let of = |part: u64| Amount::from_fraction(part, self.total()).unwrap_or(Amount::ZERO);
        Tally::empty(self.domain, of(self.odds.a), of(self.odds.b))
    }

    fn aggregate(&self, reports: &[u32]) -> Result<Tally> {
        if reports.iter().any(|report| *report >= self.domain) {
            return Err(foreign_report("the tally of direct encoding"));
        }
        let mut tally = self.tally();
        reports.iter().for_each(|report| tally.count_one([*report]));
        Ok(tally)
    }
}
