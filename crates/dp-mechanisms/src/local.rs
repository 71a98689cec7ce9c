//! Local differential privacy: each person's device adds the noise, and nobody sees the value.
//!
//! A **randomizer** runs on the device and turns one value into a report that protects it by
//! itself. The **server** tallies reports; tallies merge, and estimates are unbiased with a known
//! variance. The error of a count among n reports grows with √n: local privacy pays for the missing
//! trust with far more noise than a trusted server would add. Where reports also pass through a
//! shuffler that hides who sent which, the central guarantee is many times stronger (feature
//! `accounting`, `local::shuffle`).
//!
//! | oracle | report | variance of a rare count, per report | for |
//! |---|---|---|---|
//! | [`DirectEncoding`] (k-ary randomized response) | a category | (k-2+E)/(E-1)² | few categories |
//! | [`UnaryEncoding::symmetric`] (basic RAPPOR, one time) | k bits | √E/(√E-1)² | |
//! | [`UnaryEncoding::optimized`] | k bits | 4E/(E-1)² | up to some thousands |
//! | [`LocalHashing::optimal`], [`LocalHashing::binary`] | a hash function and its value | 4E/(E-1)² | many categories |
//! | [`HadamardResponse`] | a row number and a bit | ((E+1)/(E-1))² | small reports, fast server |
//! | [`SubsetSelection`] | a set of categories | the lowest for middle ε | |
//! | [`Rappor`] | k bits, again and again | see there | the same value reported daily |
//! | [`OneBitMean`], [`PiecewiseMean`], [`HybridMean`] | a bit, a number | see there | means |
//!
//! E = e^ε, k the number of categories; variances are Wang, Blocki, Li, Jha 2017, "Locally
//! Differentially Private Protocols for Frequency Estimation" (USENIX Security),
//! <https://arxiv.org/abs/1705.04421>. [`recommended`] chooses between the first and hashing.
//!
//! # Privacy
//!
//! Every randomizer here is ε-locally differentially private: for any two values and any report
//! the probabilities differ by a factor of at most e^ε. The unit is one report of one value; a
//! person who sends r reports spends r ε ([`Rappor`] apart). Pure, hence also ε²/2-zCDP.
//!
//! e^ε is irrational; the draws use a rational E with 57 binary digits that is at most e^ε, so that
//! each probability is a ratio of integers, drawn exactly, and the worst ratio of two
//! probabilities is at most E, never above e^ε. Estimators use those very probabilities and are
//! unbiased without rounding.
//!
//! A value outside the domain must not be told from others by an error: it is reported as the
//! nearest value of the domain (a category from k on counts as the last; let it mean "other").
//!
//! # Example
//!
//! ```
//! use dp_mechanisms::local::{DirectEncoding, FrequencyOracle};
//! use privacy_core::params::Epsilon;
//! use privacy_core::random::SystemRng;
//!
//! let oracle = DirectEncoding::new(4, &Epsilon::new(2.0)?)?;
//! // On each device.
//! let mut rng = SystemRng::new()?;
//! let mut reports = Vec::new();
//! for favourite in [0, 1, 1, 3] {
//!     reports.push(oracle.randomize(favourite, &mut rng)?);
//! }
//! // On the server.
//! let tally = oracle.aggregate(&reports)?;
//! let estimate = tally.estimate(1)?;
//! println!("{:.1} ± {:.1}", estimate.count(), estimate.std_dev());
//! # Ok::<(), dp_mechanisms::Error>(())
//! ```

/// What every oracle that keeps `domain` and `epsilon` says in the same words.
macro_rules! oracle_of {
    ($report:ty) => {
        type Report = $report;

        fn domain(&self) -> u32 {
            self.domain
        }

        fn epsilon(&self) -> &Epsilon {
            &self.epsilon
        }

        fn randomize(
            &self,
            category: u32,
            rng: &mut dyn SecureRng,
        ) -> Result<$report, EntropyError> {
            self.draw_report(category, &mut RandomBuffer::new(rng))
        }
    };
}

mod direct;
mod draws;
mod hadamard;
mod hashing;
mod mean;
mod mechanism;
pub(crate) mod odds;
mod piecewise;
mod rappor;
#[cfg(feature = "accounting")]
pub mod shuffle;
mod subset;
mod tally;
mod unary;

pub use direct::DirectEncoding;
pub use hadamard::{HadamardReport, HadamardResponse};
pub use hashing::{HashReport, LocalHashing};
pub use mean::{MeanEstimate, MeanTally, OneBitMean};
pub use piecewise::{HybridMean, HybridReport, HybridTally, PiecewiseMean};
pub use rappor::{PermanentResponse, Rappor};
pub use subset::{SubsetReport, SubsetSelection};
pub use tally::{FrequencyEstimate, Tally};
pub use unary::{BitReport, UnaryEncoding};

use privacy_core::params::Epsilon;
use privacy_core::random::{EntropyError, SecureRng};

use crate::error::Result;
use odds::Odds;

/// A local randomizer of categories together with its unbiased estimator.
pub trait FrequencyOracle: Send + Sync {
    /// What a device sends.
    type Report: Clone + Send + Sync;

    /// How many categories there are: `0..domain`.
    fn domain(&self) -> u32;

    /// The ε of one report.
    fn epsilon(&self) -> &Epsilon;

    /// On the device: the report of one category. A category outside the domain is reported as
    /// the last one.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails.
    fn randomize(
        &self,
        category: u32,
        rng: &mut dyn SecureRng,
    ) -> Result<Self::Report, EntropyError>;

    /// A tally without reports.
    fn tally(&self) -> Tally;

    /// On the server: tallies reports.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Domain`] for a report that no randomizer with these parameters
    /// sends. Nothing is counted then.
    fn aggregate(&self, reports: &[Self::Report]) -> Result<Tally>;
}

/// Which oracle to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recommendation {
    /// [`DirectEncoding`].
    Direct,
    /// [`LocalHashing::optimal`], or [`UnaryEncoding::optimized`] of the same accuracy.
    Hashing,
}

/// The oracle with the lower variance: direct encoding where k < 3E + 2, local hashing beyond
/// (Wang, Blocki, Li, Jha 2017, Section 5).
///
/// # Errors
///
/// As [`DirectEncoding::new`].
///
/// # Example
///
/// ```
/// use dp_mechanisms::local::{Recommendation, recommended};
/// use privacy_core::params::Epsilon;
///
/// assert_eq!(recommended(10, &Epsilon::new(1.0)?)?, Recommendation::Direct);
/// assert_eq!(recommended(11, &Epsilon::new(1.0)?)?, Recommendation::Hashing);
/// # Ok::<(), dp_mechanisms::Error>(())
/// ```
pub fn recommended(domain: u32, epsilon: &Epsilon) -> Result<Recommendation> {
    let odds = Odds::of(epsilon)?;
    let k = u128::from(checked_domain(domain)?);
    let direct = k * u128::from(odds.b) < 3 * u128::from(odds.a) + 2 * u128::from(odds.b);
    Ok(if direct { Recommendation::Direct } else { Recommendation::Hashing })
}

/// The most categories of a domain.
const LARGEST_DOMAIN: u32 = 1 << 24;

fn checked_domain(domain: u32) -> Result<u32> {
    if (2..=LARGEST_DOMAIN).contains(&domain) {
        return Ok(domain);
    }
    Err(privacy_core::Error::Parameter {
        parameter: "the number of categories",
        requirement: "from 2 to 2^24",
        given: f64::from(domain),
    }
    .into())
}

/// The error for a report that no randomizer sends. Reports are no secret, but the text is the
/// same for all.
fn foreign_report(step: &'static str) -> crate::Error {
    let expected = "reports of the randomizer with the same parameters";
    privacy_core::Error::Domain { step, expected }.into()
}

#[cfg(test)]
mod tests;
