//! Privacy models: what a released table must satisfy.
//!
//! A [`Model`] can be required of a release or only measured ([`crate::risk::measure()`]). Several
//! hold together: a class is published if it satisfies all of them. Definitions are the strict
//! ones: a sensitive value that is absent from a class counts, thresholds are compared in integers,
//! and where a logarithm leaves a comparison undecided the class fails.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::fraction::Fraction;

pub(crate) mod bind;
pub(crate) mod class;
mod display;
pub(crate) mod exact;
pub(crate) mod sample;

pub use sample::PopulationEstimator;

/// How the entropy of a class is estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EntropyEstimator {
    /// From the frequencies in the class.
    #[default]
    Shannon,
    /// With Grassberger's correction for small classes (2003, <https://arxiv.org/abs/physics/0307138>).
    Grassberger,
}

/// The distance between the sensitive values of a class and of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Distance {
    /// All different values are equally far apart: half the sum of differences.
    Equal,
    /// Values are as far apart as their ranks, by number, date or text.
    Ordered,
    /// Values are as far apart as the level at which the column's hierarchy joins them.
    Hierarchical,
}

/// Against whom the risk of a class is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Attacker {
    /// Knows that the person is in the table: risk 1 / class size.
    Prosecutor,
    /// Knows the population: risk 1 / class size there.
    Journalist,
}

/// The law of class sizes in a population behind a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SamplingLaw {
    /// Poisson.
    Poisson,
    /// Poisson, given that the class occurs.
    ZeroTruncated,
}

/// A requirement. Columns are named; numbers are exact ([`Fraction`]).
///
/// # Example
///
/// ```
/// use kanon::model::{Distance, Model};
///
/// let models = [Model::k_anonymity(5)?, Model::t_closeness("diagnosis", 0.2, Distance::Equal)?];
/// assert_eq!(models[1].to_string(), "0.2-closeness of diagnosis (equal distance)");
/// # Ok::<(), kanon::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "model")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are the parameters that each variant names")]
pub enum Model {
    /// Each class has at least k rows (Sweeney 2002).
    KAnonymity { k: NonZeroU64 },
    /// Each class has at least k rows in the population table (Sweeney 2001).
    KMap { k: NonZeroU64 },
    /// As k-map for a population of which the table is a random sample of the given share; the
    /// class size needed follows from the sampling law at the given significance.
    EstimatedKMap { k: NonZeroU64, sampling: Fraction, significance: Fraction, law: SamplingLaw },
    /// For each class of the population table, the share of its people that is in the table lies
    /// between the bounds (Nergiz et al. 2007).
    DeltaPresence { min: Fraction, max: Fraction },
    /// Each class has at least ℓ different values.
    DistinctDiversity { column: String, l: NonZeroU64 },
    /// exp of the entropy of each class is at least ℓ (Machanavajjhala et al. 2007).
    EntropyDiversity { column: String, l: Fraction, estimator: EntropyEstimator },
    /// The most frequent value is rarer than c times all from the ℓ-th on.
    RecursiveDiversity { column: String, c: Fraction, l: NonZeroU64 },
    /// As recursive diversity where the given values may be disclosed.
    PositiveDisclosureRecursive {
        column: String,
        c: Fraction,
        l: NonZeroU64,
        disclosable: Vec<String>,
    },
    /// The distribution of each class is within t of the table's (Li et al. 2007).
    TCloseness { column: String, t: Fraction, distance: Distance },
    /// |log2(q/p)| < δ for every value of the table; absent values fail (Brickell, Shmatikov 2008).
    DeltaDisclosure { column: String, delta: Fraction },
    /// As δ-disclosure, for the values that are present alone. Weaker than its definition: a class
    /// with one value can pass.
    DeltaDisclosureOfPresent { column: String, delta: Fraction },
    /// No value is more than (1 + β) times as frequent as in the table (Cao, Karras 2012).
    BasicBetaLikeness { column: String, beta: Fraction },
    /// As basic, with β at most −ln p.
    EnhancedBetaLikeness { column: String, beta: Fraction },
    /// At least k rows, and each of the values (all, if none are listed) in at most a share α of
    /// them (Wong et al. 2006).
    AlphaK { column: String, alpha: Fraction, k: NonZeroU64, values: Vec<String> },
    /// At least k rows and p different values of each column (Truta, Vinay 2006).
    PSensitive { columns: Vec<String>, p: NonZeroU64, k: NonZeroU64 },
    /// Classes per kept row at most `most`; the smallest classes are suppressed until it holds.
    AverageRisk { most: Fraction },
    /// At most a share of the kept rows lies in classes whose risk 1/s is above the threshold.
    RecordsAtRisk { threshold: Fraction, share: Fraction },
    /// At most a share of the kept rows is unique.
    SampleUniqueness { most: Fraction },
    /// At most a share of a population of the given size is estimated to be unique.
    PopulationUniqueness { most: Fraction, population: u64, estimator: PopulationEstimator },
    /// Publishing each class pays although the attacker may attack it (Wan et al. 2015).
    Profitability {
        benefit: Fraction,
        loss: Fraction,
        gain: Fraction,
        cost: Fraction,
        attacker: Attacker,
    },
    /// Attacking no class pays: ⌊gain / cost⌋ + 1 rows.
    NoAttackProfitability { gain: Fraction, cost: Fraction, attacker: Attacker },
}

fn at_least_one(parameter: &'static str, value: u64) -> Result<NonZeroU64> {
    NonZeroU64::new(value).ok_or(Error::Parameter { parameter, requirement: "at least 1" })
}

impl Model {
    /// k-anonymity.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for k = 0.
    pub fn k_anonymity(k: u64) -> Result<Self> {
        Ok(Model::KAnonymity { k: at_least_one("k", k)? })
    }

    /// k-map; needs a population table.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for k = 0.
    pub fn k_map(k: u64) -> Result<Self> {
        Ok(Model::KMap { k: at_least_one("k", k)? })
    }

    /// δ-presence; needs a population table.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless 0 ≤ min ≤ max ≤ 1.
    pub fn delta_presence(min: f64, max: f64) -> Result<Self> {
        let model = Model::DeltaPresence { min: min.try_into()?, max: max.try_into()? };
        model.check().map(|()| model)
    }

    /// Distinct ℓ-diversity.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for ℓ = 0.
    pub fn distinct_diversity(column: impl Into<String>, l: u64) -> Result<Self> {
        Ok(Model::DistinctDiversity { column: column.into(), l: at_least_one("ℓ", l)? })
    }

    /// Entropy ℓ-diversity.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless ℓ is at least 1.
    pub fn entropy_diversity(column: impl Into<String>, l: f64) -> Result<Self> {
        let estimator = EntropyEstimator::Shannon;
        let model = Model::EntropyDiversity { column: column.into(), l: l.try_into()?, estimator };
        model.check().map(|()| model)
    }

    /// Recursive (c, ℓ)-diversity.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for ℓ = 0 or a c that is not a positive number.
    pub fn recursive_diversity(column: impl Into<String>, c: f64, l: u64) -> Result<Self> {
        let (column, l) = (column.into(), at_least_one("ℓ", l)?);
        let model = Model::RecursiveDiversity { column, c: c.try_into()?, l };
        model.check().map(|()| model)
    }

    /// t-closeness.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless 0 ≤ t ≤ 1.
    pub fn t_closeness(column: impl Into<String>, t: f64, distance: Distance) -> Result<Self> {
        let model = Model::TCloseness { column: column.into(), t: t.try_into()?, distance };
        model.check().map(|()| model)
    }

    /// δ-disclosure privacy in its strict form.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless δ is above 0.
    pub fn delta_disclosure(column: impl Into<String>, delta: f64) -> Result<Self> {
        let model = Model::DeltaDisclosure { column: column.into(), delta: delta.try_into()? };
        model.check().map(|()| model)
    }

    /// Basic β-likeness.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless β is finite and not negative.
    pub fn basic_beta_likeness(column: impl Into<String>, beta: f64) -> Result<Self> {
        Ok(Model::BasicBetaLikeness { column: column.into(), beta: beta.try_into()? })
    }

    /// Enhanced β-likeness.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless β is finite and not negative.
    pub fn enhanced_beta_likeness(column: impl Into<String>, beta: f64) -> Result<Self> {
        Ok(Model::EnhancedBetaLikeness { column: column.into(), beta: beta.try_into()? })
    }

    /// (α, k)-anonymity over all values of the column.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for k = 0 or α outside (0, 1].
    pub fn alpha_k(column: impl Into<String>, alpha: f64, k: u64) -> Result<Self> {
        let (alpha, k) = (alpha.try_into()?, at_least_one("k", k)?);
        let model = Model::AlphaK { column: column.into(), alpha, k, values: Vec::new() };
        model.check().map(|()| model)
    }

    /// p-sensitive k-anonymity of one column.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for p = 0 or k = 0.
    pub fn p_sensitive(column: impl Into<String>, p: u64, k: u64) -> Result<Self> {
        let (p, k) = (at_least_one("p", p)?, at_least_one("k", k)?);
        Ok(Model::PSensitive { columns: vec![column.into()], p, k })
    }

    /// Average risk.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless 0 ≤ most ≤ 1.
    pub fn average_risk(most: f64) -> Result<Self> {
        let model = Model::AverageRisk { most: most.try_into()? };
        model.check().map(|()| model)
    }

    /// Sample uniqueness.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless 0 ≤ most ≤ 1.
    pub fn sample_uniqueness(most: f64) -> Result<Self> {
        let model = Model::SampleUniqueness { most: most.try_into()? };
        model.check().map(|()| model)
    }

    /// The sensitive columns that it speaks of.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        use Model::*;
        match self {
            DistinctDiversity { column, .. }
            | EntropyDiversity { column, .. }
            | RecursiveDiversity { column, .. }
            | PositiveDisclosureRecursive { column, .. }
            | TCloseness { column, .. }
            | DeltaDisclosure { column, .. }
            | DeltaDisclosureOfPresent { column, .. }
            | BasicBetaLikeness { column, .. }
            | EnhancedBetaLikeness { column, .. }
            | AlphaK { column, .. } => std::slice::from_ref(column),
            PSensitive { columns, .. } => columns,
            _ => &[],
        }
    }

    /// Whether it needs a population table.
    #[must_use]
    pub fn needs_population(&self) -> bool {
        use Model::*;
        match self {
            KMap { .. } | DeltaPresence { .. } => true,
            Profitability { attacker, .. } | NoAttackProfitability { attacker, .. } => {
                *attacker == Attacker::Journalist
            }
            _ => false,
        }
    }

    /// Whether uniting a class that satisfies it with any other keeps it satisfied.
    #[must_use]
    pub fn is_monotone(&self) -> bool {
        use Model::*;
        matches!(
            self,
            KAnonymity { .. }
                | KMap { .. }
                | EstimatedKMap { .. }
                | DistinctDiversity { .. }
                | PSensitive { .. }
                | NoAttackProfitability { .. }
        )
    }

    /// Whether the union of two classes that satisfy it satisfies it.
    #[must_use]
    pub fn is_convex(&self) -> bool {
        use Model::*;
        self.is_monotone()
            || matches!(
                self,
                EntropyDiversity { estimator: EntropyEstimator::Shannon, .. }
                    | RecursiveDiversity { .. }
                    | TCloseness { .. }
                    | DeltaDisclosure { .. }
                    | BasicBetaLikeness { .. }
                    | EnhancedBetaLikeness { .. }
                    | AlphaK { .. }
                    | DeltaPresence { .. }
            )
    }

    /// Whether it speaks of the table as a whole and not of each class.
    #[must_use]
    pub fn is_of_the_sample(&self) -> bool {
        use Model::*;
        matches!(
            self,
            AverageRisk { .. }
                | RecordsAtRisk { .. }
                | SampleUniqueness { .. }
                | PopulationUniqueness { .. }
        )
    }

    /// Checks what the types of the parameters do not.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`].
    pub fn check(&self) -> Result<()> {
        use Model::*;
        let wrong = |parameter, requirement| Err(Error::Parameter { parameter, requirement });
        let share = |parameter, value: Fraction| match value <= Fraction::ONE {
            true => Ok(()),
            false => wrong(parameter, "a share between 0 and 1"),
        };
        match self {
            DeltaPresence { min, max } if min > max => wrong("δ-presence", "min ≤ max"),
            DeltaPresence { max, .. } => share("δ-presence", *max),
            EntropyDiversity { l, .. } if *l < Fraction::ONE => wrong("ℓ", "at least 1"),
            RecursiveDiversity { c, .. } | PositiveDisclosureRecursive { c, .. }
                if *c == Fraction::ZERO =>
            {
                wrong("c", "above 0")
            }
            TCloseness { t, .. } => share("t", *t),
            DeltaDisclosure { delta, .. } | DeltaDisclosureOfPresent { delta, .. }
                if *delta == Fraction::ZERO =>
            {
                wrong("δ", "above 0")
            }
            AlphaK { alpha, .. } if *alpha == Fraction::ZERO => wrong("α", "above 0"),
            AlphaK { alpha, .. } => share("α", *alpha),
            PSensitive { columns, .. } if columns.is_empty() => {
                wrong("p-sensitive k-anonymity", "of at least one column")
            }
            AverageRisk { most }
            | SampleUniqueness { most }
            | PopulationUniqueness { most, .. } => share("a risk", *most),
            RecordsAtRisk { threshold, share: rows } => {
                share("a risk", *threshold).and_then(|()| share("a share of rows", *rows))
            }
            EstimatedKMap { sampling, significance, .. } => {
                if *sampling == Fraction::ZERO || *significance == Fraction::ZERO {
                    return wrong("a sampling share and a significance", "above 0");
                }
                share("a sampling share", *sampling)
                    .and_then(|()| share("a significance", *significance))
            }
            _ => Ok(()),
        }
    }
}
