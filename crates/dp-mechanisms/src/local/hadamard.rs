//! One bit of a random row of the Hadamard matrix.

use privacy_core::params::{Amount, Epsilon};
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};
use serde::{Deserialize, Serialize};

use super::draws::Draws;
use super::odds::Odds;
use super::{FrequencyOracle, Tally, checked_domain, foreign_report};
use crate::error::Result;

/// The report is a uniform row r of the Hadamard matrix of order K = 2^⌈log₂(k+1)⌉ and the sign
/// H(r, v+1) of the category v, told truly with probability E/(E+1).
///
/// The server adds up signs by row and transforms once: K log K additions for all categories,
/// whatever the number of reports.
///
/// # Privacy
///
/// ε-locally differentially private: the row does not depend on the value, and given it the sign
/// is binary randomized response with the ratio E <= e^ε (Acharya, Sun, Zhang 2019,
/// <https://arxiv.org/abs/1802.04705>; the one-bit form is that of Apple 2017, Hadamard count-mean
/// sketch).
#[derive(Clone, Debug)]
pub struct HadamardResponse {
    domain: u32,
    epsilon: Epsilon,
    odds: Odds,
    order: u32,
}

/// A row and the sign told for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HadamardReport {
    /// The row.
    pub row: u32,
    /// Whether the sign was told as positive.
    pub positive: bool,
}

impl HadamardResponse {
    /// For `domain` categories, 2 to 2^24.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] for a domain out of range or an ε below 2^-50.
    pub fn new(domain: u32, epsilon: &Epsilon) -> Result<Self> {
        let order = (checked_domain(domain)? + 1).next_power_of_two();
        Ok(HadamardResponse { domain, epsilon: epsilon.clone(), odds: Odds::of(epsilon)?, order })
    }

    /// The order K of the matrix: rows are `0..order`.
    #[must_use]
    pub fn order(&self) -> u32 {
        self.order
    }

    pub(super) fn draw_report<D: Draws>(
        &self,
        category: u32,
        draws: &mut D,
    ) -> Result<HadamardReport, EntropyError> {
        let category = category.min(self.domain - 1);
        let row = draws.below(self.order.into())? as u32;
        let truth = (row & (category + 1)).count_ones().is_multiple_of(2);
        let (a, b) = (u128::from(self.odds.a), u128::from(self.odds.b));
        let honest = draws.chance(a, a + b)?;
        Ok(HadamardReport { row, positive: truth == honest })
    }
}

impl FrequencyOracle for HadamardResponse {
    oracle_of!(HadamardReport);

    fn tally(&self) -> Tally {
        let truth = self.odds.truth();
        let p = Amount::from_fraction(truth.numer().clone(), truth.denom().clone());
        Tally::empty(self.domain, p.unwrap_or(Amount::ZERO), Amount::from_percent(50))
    }

    fn aggregate(&self, reports: &[HadamardReport]) -> Result<Tally> {
        if reports.iter().any(|report| report.row >= self.order) {
            return Err(foreign_report("the tally of Hadamard response"));
        }
        let mut signs = vec![0i64; self.order as usize];
        for report in reports {
            signs[report.row as usize] += if report.positive { 1 } else { -1 };
        }
        transform(&mut signs);
        // A report supports a category whose sign it tells: n = with + against, S = with - against.
        let reports = reports.len() as u64;
        let support = signs.iter().skip(1).map(|sum| reports.saturating_add_signed(*sum) / 2);
        let mut tally = self.tally();
        tally.count(reports, support);
        Ok(tally)
    }
}

/// The fast Walsh-Hadamard transform, in place and exact; the length is a power of two.
fn transform(values: &mut [i64]) {
    let mut width = 1;
    while width < values.len() {
        for block in values.chunks_exact_mut(2 * width) {
            let (left, right) = block.split_at_mut(width);
            for (x, y) in left.iter_mut().zip(right) {
                (*x, *y) = (*x + *y, *x - *y);
            }
        }
        width *= 2;
    }
}
