//! Subset selection.

use std::collections::BTreeSet;

use privacy_core::params::{Amount, Epsilon};
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};
use serde::{Deserialize, Serialize};

use super::draws::Draws;
use super::odds::Odds;
use super::{FrequencyOracle, Tally, checked_domain, foreign_report};
use crate::error::Result;

/// The report is a set of w categories, w near k/(E+1), that holds the true one with probability
/// wE/(wE+k-w) and is uniform otherwise.
///
/// # Privacy
///
/// ε-locally differentially private: a set has E times the probability under the categories that
/// it holds as under the others, and E <= e^ε (Ye, Barg 2018, <https://arxiv.org/abs/1702.00610>;
/// Wang et al. 2016).
#[derive(Clone, Debug)]
pub struct SubsetSelection {
    domain: u32,
    epsilon: Epsilon,
    odds: Odds,
    size: u32,
}

/// The categories of the set, in increasing order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubsetReport(Vec<u32>);

impl SubsetReport {
    /// The categories, in increasing order.
    #[must_use]
    pub fn categories(&self) -> &[u32] {
        &self.0
    }
}

impl SubsetSelection {
    /// For `domain` categories, 2 to 2^24.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] for a domain out of range or an ε below 2^-50.
    pub fn new(domain: u32, epsilon: &Epsilon) -> Result<Self> {
        let odds = Odds::of(epsilon)?;
        let (a, b, k) =
            (u128::from(odds.a), u128::from(odds.b), u128::from(checked_domain(domain)?));
        // k / (E + 1), rounded.
        let size = (2 * k * b + a + b) / (2 * (a + b));
        let size = size.clamp(1, k - 1) as u32;
        Ok(SubsetSelection { domain, epsilon: epsilon.clone(), odds, size })
    }

    /// The number w of categories in a report.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.size
    }

    /// The chance that the true category is in the set: numerator and denominator, below 2^82.
    fn inclusion(&self) -> (u128, u128) {
        let (w, k) = (u128::from(self.size), u128::from(self.domain));
        let inside = w * u128::from(self.odds.a);
        (inside, inside + (k - w) * u128::from(self.odds.b))
    }

    pub(super) fn draw_report<D: Draws>(
        &self,
        category: u32,
        draws: &mut D,
    ) -> Result<SubsetReport, EntropyError> {
        let category = category.min(self.domain - 1);
        let (numer, denom) = self.inclusion();
        let included = draws.chance(numer, denom)?;
        let others = self.size - u32::from(included);
        // A uniform set of the other k - 1 categories (Floyd's algorithm).
        let mut set = BTreeSet::new();
        for last in self.domain - 1 - others..self.domain - 1 {
            let drawn = draws.below(u64::from(last) + 1)? as u32;
            let fresh = set.insert(drawn);
            if !fresh {
                set.insert(last);
            }
        }
        let mut set: Vec<u32> =
            set.into_iter().map(|other| if other < category { other } else { other + 1 }).collect();
        if included {
            let place = set.partition_point(|other| *other < category);
            set.insert(place, category);
        }
        Ok(SubsetReport(set))
    }
}

impl FrequencyOracle for SubsetSelection {
    oracle_of!(SubsetReport);

    fn tally(&self) -> Tally {
        let (numer, denom) = self.inclusion();
        let (w, k) = (u128::from(self.size), u128::from(self.domain));
        // q = (p (w-1) + (1-p) w) / (k-1) = (w - p) / (k-1).
        let p = Amount::from_fraction(numer, denom).unwrap_or(Amount::ZERO);
        let q = Amount::from_fraction(w * denom - numer, (k - 1) * denom).unwrap_or(Amount::ZERO);
        Tally::empty(self.domain, p, q)
    }

    fn aggregate(&self, reports: &[SubsetReport]) -> Result<Tally> {
        let fits = |SubsetReport(set): &SubsetReport| {
            set.len() == self.size as usize
                && set.windows(2).all(|pair| pair[0] < pair[1])
                && set.last().is_none_or(|last| *last < self.domain)
        };
        if !reports.iter().all(fits) {
            return Err(foreign_report("the tally of subset selection"));
        }
        let mut tally = self.tally();
        reports.iter().for_each(|SubsetReport(set)| tally.count_one(set.iter().copied()));
        Ok(tally)
    }
}
