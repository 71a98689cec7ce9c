//! A metric bound to a problem: the loss of a checked node, and what no node below can beat.

use std::cmp::Ordering;

use super::{Aggregate, Form, Metric};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::model::bind::Requirements;
use crate::search::problem::Axis;

mod bound;
mod score;

/// A loss: a number, and for the rank aggregate what decides between equals.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Score {
    pub(crate) value: f64,
    rest: Option<Box<[f64]>>,
}

impl Score {
    pub(crate) fn number(value: f64) -> Self {
        Score { value, rest: None }
    }

    /// Losses within this of each other are equal.
    fn tolerance(value: f64) -> f64 {
        1e-10 * value.abs().max(1.0)
    }

    /// Compares with tolerance.
    pub(crate) fn compare(&self, other: &Score) -> Ordering {
        let pair = |a: f64, b: f64| {
            let near = || (a - b).abs() <= Score::tolerance(a.abs().max(b.abs()));
            if a == b || (a.is_finite() && b.is_finite() && near()) {
                Ordering::Equal
            } else {
                a.total_cmp(&b)
            }
        };
        let mut order = pair(self.value, other.value);
        if let (Some(a), Some(b)) = (&self.rest, &other.rest) {
            for (&a, &b) in a.iter().zip(b.iter()) {
                order = order.then_with(|| pair(a, b));
            }
        }
        order
    }
}

/// What a check found about suppressed rows, in the axes' generalized codes.
#[derive(Debug, Default)]
pub(crate) struct Suppressed {
    pub(crate) rows: u64,
    /// For each axis the suppressed rows with each code.
    pub(crate) codes: Vec<Vec<u64>>,
}

/// Sums over classes that a metric asks for.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    pub(crate) kept_classes: u64,
    pub(crate) kept_squares: f64,
    pub(crate) all_squares: f64,
    /// Σ over kept rows of Π share·D.
    pub(crate) ambiguity: f64,
    /// Σ over kept classes of weight · log2 P̂.
    pub(crate) divergence: f64,
    pub(crate) suppressed_weight: f64,
    /// Σ over kept rows of the class's information loss.
    pub(crate) entropy_based: f64,
    /// Σ over kept rows of the benefit forgone.
    pub(crate) payout: f64,
    pub(crate) misclassified: f64,
}

/// What the sums of classes need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(crate) codes: bool,
    pub(crate) classes: bool,
    pub(crate) product: bool,
    pub(crate) squares: bool,
    pub(crate) responses: bool,
}

/// A metric bound to the axes of a problem.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    pub(crate) form: Form,
    pub(crate) g: f64,
    pub(crate) z: f64,
    pub(crate) gs: f64,
    pub(crate) n: f64,
    aggregate: Aggregate,
    weights: Vec<f64>,
    /// For each axis and level: the loss without suppression.
    base: Vec<Vec<f64>>,
    /// For loss: Σ of shares over all rows; for both entropies unused.
    totals: Vec<Vec<f64>>,
    pub(crate) domains: Vec<f64>,
    /// ln of the number of tuples of the domain.
    pub(crate) ln_domain: f64,
    /// Σ P log2 P of the distinct tuples, with the weights of the divergence.
    pub(crate) own_entropy: f64,
    /// Attributes whose majority counts.
    pub(crate) responses: Vec<usize>,
    /// Axes whose majority counts.
    pub(crate) axis_responses: Vec<usize>,
    normal: Vec<f64>,
    mean_ln: Vec<Vec<f64>>,
}

impl Meter {
    pub(crate) fn bind(
        metric: &Metric,
        data: &Dataset,
        axes: &[Axis],
        requirements: &mut Requirements,
    ) -> Result<Meter> {
        let gs = metric.balance.to_f64();
        let (mut g, mut z) =
            (if gs <= 0.5 { 1.0 } else { 2.0 - 2.0 * gs }, if gs < 0.5 { 2.0 * gs } else { 1.0 });
        if metric.form == Form::NormalizedEntropy {
            (g, z) = (1.0, 1.0);
        }
        let n = data.table().rows() as f64;
        let mut weights = Vec::new();
        for (name, _) in &metric.weights {
            if !axes.iter().any(|axis| axis.name == *name) {
                return Err(Error::Role {
                    column: name.clone(),
                    problem: "has a weight and is no quasi-identifier",
                });
            }
        }
        for axis in axes {
            weights.push(metric.weight_of(&axis.name));
        }
        let largest = weights.iter().copied().fold(0.0, f64::max);
        for weight in &mut weights {
            *weight = if largest > 0.0 { *weight / largest } else { 1.0 };
        }
        let aggregate = metric.aggregate.unwrap_or(match metric.form {
            Form::Loss => Aggregate::Geometric,
            Form::Precision { .. } => Aggregate::Arithmetic,
            _ => Aggregate::Sum,
        });
        let mut meter = Meter {
            form: metric.form.clone(),
            g,
            z,
            gs,
            n,
            aggregate,
            weights,
            base: Vec::new(),
            totals: Vec::new(),
            domains: axes.iter().map(|axis| axis.domain).collect(),
            ln_domain: axes.iter().map(|axis| axis.domain.ln()).sum(),
            own_entropy: 0.0,
            responses: Vec::new(),
            axis_responses: Vec::new(),
            normal: axes.iter().map(|axis| axis.own_information).collect(),
            mean_ln: Vec::new(),
        };
        if let Form::Classification { responses } = &metric.form {
            for response in responses {
                let place = data.table().position(response)?;
                match axes.iter().position(|axis| axis.place == place) {
                    Some(axis) => meter.axis_responses.push(axis),
                    None => meter.responses.push(requirements.attribute(data, place)),
                }
            }
            if responses.is_empty() {
                return Err(Error::Parameter {
                    parameter: "the classification metric",
                    requirement: "given at least one response column",
                });
            }
        }
        for axis in axes {
            let level = |level: usize| -> Result<(f64, f64, f64)> {
                let at = &axis.levels[level];
                let rows = || at.rows.iter().zip(&at.share);
                let total: f64 = rows().map(|(&rows, &share)| rows as f64 * share).sum();
                let ln: f64 = rows()
                    .filter(|(rows, _)| **rows > 0)
                    .map(|(&rows, &share)| rows as f64 * (share * axis.domain).ln())
                    .sum();
                let steps = (axis.min + level) as f64;
                let base = match &metric.form {
                    Form::Loss => meter.normalized(g * total, axis.domain),
                    Form::Precision { .. } if axis.highest > 0 => g * steps / axis.highest as f64,
                    Form::Precision { .. } => 0.0,
                    Form::Height => steps,
                    Form::Entropy { .. } => g * at.information,
                    Form::NormalizedEntropy => at.information,
                    Form::Fixed { losses } => {
                        let found = losses.iter().find(|(name, _)| *name == axis.name);
                        let given = found.and_then(|(_, l)| l.get(axis.min + level));
                        given
                            .copied()
                            .ok_or(Error::Parameter {
                                parameter: "the fixed losses",
                                requirement: "given for each level of each quasi-identifier",
                            })?
                            .to_f64()
                    }
                    _ => 0.0,
                };
                Ok((base, total, ln / n.max(1.0)))
            };
            let all = (0..axis.levels.len()).map(level).collect::<Result<Vec<_>>>()?;
            meter.base.push(all.iter().map(|x| x.0).collect());
            meter.totals.push(all.iter().map(|x| x.1).collect());
            meter.mean_ln.push(all.iter().map(|x| x.2).collect());
        }
        Ok(meter)
    }

    /// The loss of a column whose shares sum to `total`.
    fn normalized(&self, total: f64, domain: f64) -> f64 {
        let least = self.g * self.n / domain;
        let range = self.n - least;
        if range > 0.0 { ((total - least) / range).max(0.0) } else { 0.0 }
    }

    pub(crate) fn needs(&self) -> Needs {
        let codes = matches!(self.form, Form::Loss)
            || matches!(self.form, Form::Entropy { monotone: false } | Form::NormalizedEntropy);
        let product = matches!(
            self.form,
            Form::Ambiguity | Form::Divergence { .. } | Form::EntropyBased | Form::Payout { .. }
        );
        let classes = product
            || matches!(
                self.form,
                Form::Discernibility { .. } | Form::AverageClassSize | Form::Classification { .. }
            );
        let squares = self.form == Form::Divergence { by_rows: true };
        let responses = matches!(self.form, Form::Classification { .. });
        Needs { codes, classes, product, squares, responses }
    }

    /// Whether losses of columns are aggregated.
    pub(crate) fn is_of_columns(&self) -> bool {
        !self.needs().classes
    }

    fn combine(&self, losses: &[f64]) -> Score {
        let weighted = losses.iter().zip(&self.weights).map(|(x, w)| x * w);
        let q = losses.len().max(1) as f64;
        match self.aggregate {
            Aggregate::Sum => Score::number(weighted.sum()),
            Aggregate::Max => Score::number(weighted.fold(0.0, f64::max)),
            Aggregate::Arithmetic => Score::number(weighted.sum::<f64>() / q),
            Aggregate::Geometric => {
                let product: f64 = weighted.map(|x| 1.0 + x).product();
                if product.is_finite() {
                    return Score::number(product.powf(1.0 / q) - 1.0);
                }
                let logs: f64 =
                    losses.iter().zip(&self.weights).map(|(x, w)| (1.0 + x * w).ln()).sum();
                Score::number((logs / q).exp() - 1.0)
            }
            Aggregate::Rank => {
                let mut ranked: Vec<f64> = weighted.collect();
                ranked.sort_by(|a, b| b.total_cmp(a));
                let value = ranked.first().copied().unwrap_or(0.0);
                Score { value, rest: Some(ranked.into_boxed_slice()) }
            }
        }
    }

    /// The aggregate of losses of columns.
    pub(crate) fn combined(&self, losses: &[f64]) -> Score {
        self.combine(losses)
    }

    /// The loss of a column at a level, without suppression.
    pub(crate) fn base(&self, axis: usize, level: u8) -> f64 {
        self.base[axis][level as usize]
    }
}
