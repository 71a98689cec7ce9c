//! Models of the table as a whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fraction::Fraction;
use crate::risk::uniqueness;

/// How the number of people who are unique in the population is estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PopulationEstimator {
    /// Zayatz 1991.
    Zayatz,
    /// Pitman's sampling formula (Hoshino 2001).
    Pitman,
    /// Slide negative binomial (Chen, McNulty 1998).
    SlideNegativeBinomial,
    /// The rule of Dankar et al. 2012: which of the three suits the sampling share.
    Dankar,
}

/// How many classes there are of each size.
pub(crate) type Sizes = BTreeMap<u64, u64>;

/// A test on the sizes of the kept classes.
#[derive(Clone, Debug)]
pub(crate) enum SampleRule {
    Average(Fraction),
    AtRisk { threshold: Fraction, share: Fraction },
    Unique(Fraction),
    Population { most: Fraction, population: u64, estimator: PopulationEstimator },
}

impl SampleRule {
    pub(crate) fn holds(&self, sizes: &Sizes) -> bool {
        let rows: u64 = sizes.iter().map(|(size, count)| size * count).sum();
        let unique = sizes.get(&1).copied().unwrap_or(0);
        match self {
            SampleRule::Average(most) => most.at_least(sizes.values().sum(), rows),
            SampleRule::AtRisk { threshold, share } => {
                let above = |size: u64| !threshold.at_least(1, size);
                let at_risk = sizes.iter().filter(|&(&size, _)| above(size));
                share.at_least(at_risk.map(|(size, count)| size * count).sum(), rows)
            }
            SampleRule::Unique(most) => most.at_least(unique, rows),
            SampleRule::Population { most, population, estimator } => {
                if unique == 0 {
                    return true;
                }
                match uniqueness::estimate(*estimator, sizes, *population) {
                    // With uniques in the sample, an estimate of none is no evidence.
                    Some(people) if people > 0.0 => people <= most.to_f64() * *population as f64,
                    _ => false,
                }
            }
        }
    }
}
