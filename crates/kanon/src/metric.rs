//! Utility metrics that guide a search: how much a generalization loses. Smaller is better.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::fraction::Fraction;

pub(crate) mod meter;

/// How the losses of columns become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Aggregate {
    /// Σ w x.
    Sum,
    /// The largest w x.
    Max,
    /// Σ w x / q.
    Arithmetic,
    /// Π (1 + w x)^(1/q) − 1.
    Geometric,
    /// w x in descending order, compared lexicographically.
    Rank,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Form {
    Loss,
    Precision { monotone: bool },
    Height,
    Entropy { monotone: bool },
    NormalizedEntropy,
    Discernibility { monotone: bool },
    AverageClassSize,
    Ambiguity,
    Divergence { by_rows: bool },
    EntropyBased,
    Payout { benefit: Fraction, loss: Fraction, gain: Fraction, cost: Fraction },
    Classification { responses: Vec<String> },
    Fixed { losses: Vec<(String, Vec<Fraction>)> },
}

/// A utility metric with its weights and its balance between suppression and generalization.
///
/// # Example
///
/// ```
/// use kanon::metric::Metric;
///
/// // Prefers generalization to suppression, and cares most about the age.
/// let metric = Metric::loss().balance(0.8)?.weight("age", 1.0)?.weight("zip", 0.25)?;
/// # let _ = metric;
/// # Ok::<(), kanon::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct Metric {
    pub(crate) form: Form,
    pub(crate) balance: Fraction,
    pub(crate) aggregate: Option<Aggregate>,
    pub(crate) weights: Vec<(String, Fraction)>,
}

impl Default for Metric {
    fn default() -> Self {
        Metric::loss()
    }
}

impl Metric {
    fn of(form: Form) -> Self {
        let balance = match Fraction::new(1, 2) {
            Ok(half) => half,
            Err(_) => Fraction::ONE,
        };
        Metric { form, balance, aggregate: None, weights: Vec::new() }
    }

    /// Loss: the share of the domain that a cell covers (Iyengar 2002), geometric over columns.
    pub fn loss() -> Self {
        Metric::of(Form::Loss)
    }

    /// Level over height of the hierarchy, and 1 for suppressed rows (Sweeney 2002).
    pub fn precision() -> Self {
        Metric::of(Form::Precision { monotone: false })
    }

    /// Precision that ignores suppression.
    pub fn monotone_precision() -> Self {
        Metric::of(Form::Precision { monotone: true })
    }

    /// Sum of levels.
    pub fn height() -> Self {
        Metric::of(Form::Height)
    }

    /// Non-uniform entropy (de Waal, Willenborg 1999), with suppressed rows.
    pub fn entropy() -> Self {
        Metric::of(Form::Entropy { monotone: false })
    }

    /// Non-uniform entropy that ignores suppression.
    pub fn monotone_entropy() -> Self {
        Metric::of(Form::Entropy { monotone: true })
    }

    /// Non-uniform entropy over the entropy of the column.
    pub fn normalized_entropy() -> Self {
        Metric::of(Form::NormalizedEntropy)
    }

    /// Σ class size², and n for each suppressed row (Bayardo, Agrawal 2005).
    pub fn discernibility() -> Self {
        Metric::of(Form::Discernibility { monotone: false })
    }

    /// Discernibility as if nothing were suppressed.
    pub fn monotone_discernibility() -> Self {
        Metric::of(Form::Discernibility { monotone: true })
    }

    /// Average equivalence class size (LeFevre et al. 2006).
    pub fn average_class_size() -> Self {
        Metric::of(Form::AverageClassSize)
    }

    /// How many tuples of the domain a row could be.
    pub fn ambiguity() -> Self {
        Metric::of(Form::Ambiguity)
    }

    /// Kullback-Leibler divergence from the release to the distinct tuples of the input.
    pub fn kl_divergence() -> Self {
        Metric::of(Form::Divergence { by_rows: false })
    }

    /// The same with each tuple's term counted once a row.
    pub fn kl_divergence_by_rows() -> Self {
        Metric::of(Form::Divergence { by_rows: true })
    }

    /// Entropy-based information loss of rows.
    pub fn entropy_based_loss() -> Self {
        Metric::of(Form::EntropyBased)
    }

    /// What the publisher forgoes (Wan et al. 2015).
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for amounts that are negative or not finite.
    pub fn publisher_payout(benefit: f64, loss: f64, gain: f64, cost: f64) -> Result<Self> {
        let (benefit, loss) = (benefit.try_into()?, loss.try_into()?);
        Ok(Metric::of(Form::Payout {
            benefit,
            loss,
            gain: gain.try_into()?,
            cost: cost.try_into()?,
        }))
    }

    /// Rows that are not of their class's majority in the given columns (after Iyengar 2002).
    pub fn classification<S: Into<String>>(responses: impl IntoIterator<Item = S>) -> Self {
        let responses = responses.into_iter().map(Into::into).collect();
        Metric::of(Form::Classification { responses })
    }

    /// A given loss for each level of each column.
    pub fn fixed<S: Into<String>>(losses: impl IntoIterator<Item = (S, Vec<Fraction>)>) -> Self {
        let losses = losses.into_iter().map(|(column, losses)| (column.into(), losses)).collect();
        Metric::of(Form::Fixed { losses })
    }

    /// From 0 (suppression is free) over 0.5 (both cost) to 1 (generalization is free).
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] outside 0 to 1.
    pub fn balance(self, balance: f64) -> Result<Self> {
        let balance = Fraction::try_from(balance)?;
        if balance > Fraction::ONE {
            return Err(Error::Parameter {
                parameter: "the balance",
                requirement: "within 0 to 1",
            });
        }
        Ok(Metric { balance, ..self })
    }

    /// How columns are aggregated.
    pub fn aggregate(self, aggregate: Aggregate) -> Self {
        Metric { aggregate: Some(aggregate), ..self }
    }

    /// The weight of a column; those without one have 1.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a weight that is negative or not finite.
    pub fn weight(mut self, column: impl Into<String>, weight: f64) -> Result<Self> {
        self.weights.push((column.into(), weight.try_into()?));
        Ok(self)
    }

    /// The weight given to a column.
    pub(crate) fn weight_of(&self, column: &str) -> f64 {
        let given = self.weights.iter().rev().find(|(name, _)| name == column);
        given.map_or(1.0, |(_, weight)| weight.to_f64())
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match &self.form {
            Form::Loss => "loss",
            Form::Precision { monotone: false } => "precision",
            Form::Precision { monotone: true } => "monotone precision",
            Form::Height => "height",
            Form::Entropy { monotone: false } => "non-uniform entropy",
            Form::Entropy { monotone: true } => "monotone non-uniform entropy",
            Form::NormalizedEntropy => "normalized non-uniform entropy",
            Form::Discernibility { monotone: false } => "discernibility",
            Form::Discernibility { monotone: true } => "monotone discernibility",
            Form::AverageClassSize => "average class size",
            Form::Ambiguity => "ambiguity",
            Form::Divergence { by_rows: false } => "KL divergence",
            Form::Divergence { by_rows: true } => "KL divergence by rows",
            Form::EntropyBased => "entropy-based loss",
            Form::Payout { .. } => "publisher payout",
            Form::Classification { .. } => "classification",
            Form::Fixed { .. } => "fixed losses",
        }
    }
}
