//! The names of models, with their parameters.

use std::fmt;

use super::{Distance, EntropyEstimator, Model};

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Model::*;
        match self {
            KAnonymity { k } => write!(f, "{k}-anonymity"),
            KMap { k } => write!(f, "{k}-map"),
            EstimatedKMap { k, sampling, significance, .. } => {
                write!(f, "{k}-map estimated for a sample of {sampling} at {significance}")
            }
            DeltaPresence { min, max } => write!(f, "({min}, {max})-presence"),
            DistinctDiversity { column, l } => write!(f, "distinct {l}-diversity of {column}"),
            EntropyDiversity { column, l, estimator } => {
                let name = match estimator {
                    EntropyEstimator::Shannon => "entropy",
                    EntropyEstimator::Grassberger => "entropy (Grassberger)",
                };
                write!(f, "{name} {l}-diversity of {column}")
            }
            RecursiveDiversity { column, c, l } => {
                write!(f, "recursive ({c}, {l})-diversity of {column}")
            }
            PositiveDisclosureRecursive { column, c, l, .. } => {
                write!(f, "positive-disclosure recursive ({c}, {l})-diversity of {column}")
            }
            TCloseness { column, t, distance } => {
                let name = match distance {
                    Distance::Equal => "equal",
                    Distance::Ordered => "ordered",
                    Distance::Hierarchical => "hierarchical",
                };
                write!(f, "{t}-closeness of {column} ({name} distance)")
            }
            DeltaDisclosure { column, delta } => write!(f, "{delta}-disclosure of {column}"),
            DeltaDisclosureOfPresent { column, delta } => {
                write!(f, "{delta}-disclosure of the present values of {column}")
            }
            BasicBetaLikeness { column, beta } => write!(f, "basic {beta}-likeness of {column}"),
            EnhancedBetaLikeness { column, beta } => {
                write!(f, "enhanced {beta}-likeness of {column}")
            }
            AlphaK { column, alpha, k, .. } => write!(f, "({alpha}, {k})-anonymity of {column}"),
            PSensitive { columns, p, k } => {
                write!(f, "{p}-sensitive {k}-anonymity of {}", columns.join(", "))
            }
            AverageRisk { most } => write!(f, "average risk at most {most}"),
            RecordsAtRisk { threshold, share } => {
                write!(f, "at most {share} of the rows at a risk above {threshold}")
            }
            SampleUniqueness { most } => write!(f, "sample uniqueness at most {most}"),
            PopulationUniqueness { most, population, .. } => {
                write!(f, "uniqueness at most {most} in a population of {population}")
            }
            Profitability { .. } => write!(f, "profitability"),
            NoAttackProfitability { .. } => write!(f, "no profitable attack"),
        }
    }
}
