//! A metric bound to a problem: the loss of a checked node, and what no node below can beat.

use std::cmp::Ordering;

use super::{Aggregate, Form, Metric};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::model::bind::Requirements;
use crate::search::problem::Axis;

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

    /// What a column contributes to the free aggregate of a node: its loss if nothing is suppressed
    /// there but what the limit allows.
    pub(crate) fn term(&self, axis: usize, level: u8, limit: u64) -> f64 {
        let weighted = self.axis_bound(axis, level, 0, limit, 0.0) * self.weights[axis];
        if self.aggregate == Aggregate::Geometric { 1.0 + weighted } else { weighted }
    }

    /// The free aggregate of no columns.
    pub(crate) fn neutral(&self) -> f64 {
        if self.aggregate == Aggregate::Geometric { 1.0 } else { 0.0 }
    }

    /// Adds a column's term to a free aggregate.
    pub(crate) fn join(&self, all: f64, term: f64) -> f64 {
        match self.aggregate {
            Aggregate::Geometric => all * term,
            Aggregate::Max | Aggregate::Rank => all.max(term),
            _ => all + term,
        }
    }

    /// Nodes whose free aggregate is above this lose more than `best`, beyond the tolerance.
    pub(crate) fn cut(&self, best: f64, columns: usize) -> f64 {
        let above = best + 2.0 * Score::tolerance(best);
        let q = columns as f64;
        let cut = match self.aggregate {
            Aggregate::Geometric => (1.0 + above).powf(q),
            Aggregate::Arithmetic => above * q,
            _ => above,
        };
        cut + cut.abs() * 1e-12
    }

    /// A number that no loss of this node or of any node below it with at least as much suppressed
    /// is under: `rows` are surely suppressed, at most `limit` may be, and `extra` is what their
    /// suppression adds to each axis's shares (for the loss).
    pub(crate) fn bound(
        &self,
        node: &[u8],
        rows: u64,
        limit: u64,
        extra: impl Fn(usize) -> f64,
        groups: f64,
        losses: &mut Vec<f64>,
    ) -> Score {
        let rows_f = rows as f64;
        losses.clear();
        match &self.form {
            Form::Loss => {
                for (axis, &level) in node.iter().enumerate() {
                    let total = self.g * self.totals[axis][level as usize] + extra(axis);
                    losses.push(self.normalized(total, self.domains[axis]));
                }
            }
            Form::Precision { monotone: false } => {
                for (axis, &level) in node.iter().enumerate() {
                    let kept = self.base[axis][level as usize];
                    let share =
                        if self.z >= kept { rows_f } else { limit.min(self.n as u64) as f64 };
                    let share = share / self.n.max(1.0);
                    losses.push(kept * (1.0 - share) + self.z * share);
                }
            }
            Form::Precision { monotone: true }
            | Form::Height
            | Form::Entropy { .. }
            | Form::Fixed { .. } => {
                losses
                    .extend(node.iter().enumerate().map(|(axis, &l)| self.base[axis][l as usize]));
            }
            Form::NormalizedEntropy => {
                for (axis, &level) in node.iter().enumerate() {
                    let own = self.normal[axis];
                    let base = self.base[axis][level as usize];
                    losses.push(if own > 0.0 { base / own } else { 0.0 });
                }
            }
            // Cauchy-Schwarz over at most `groups` classes.
            Form::Discernibility { monotone } => {
                if *monotone || groups < 2.0 {
                    return Score::number(self.n * self.n / groups.max(1.0));
                }
                let kept = self.n - rows_f;
                return Score::number(self.n * rows_f + kept * kept / groups);
            }
            Form::AverageClassSize => {
                let most = self.z * groups.min(self.n - rows_f) + self.g;
                return Score::number(if most > 0.0 { self.n / most } else { 0.0 });
            }
            // Jensen: the mean of products is at least the exponential of the mean logarithm.
            Form::Ambiguity => {
                let ln: f64 =
                    node.iter().enumerate().map(|(axis, &l)| self.mean_ln[axis][l as usize]).sum();
                return Score::number(self.n * ln.exp() * (1.0 - 1e-9));
            }
            _ => return Score::number(f64::NEG_INFINITY),
        }
        self.combine(losses)
    }

    /// A number that the loss of one column is not under, as for [`bound`](Self::bound).
    pub(crate) fn axis_bound(
        &self,
        axis: usize,
        level: u8,
        rows: u64,
        limit: u64,
        extra: f64,
    ) -> f64 {
        let base = self.base[axis][level as usize];
        match &self.form {
            Form::Loss => {
                let total = self.g * self.totals[axis][level as usize] + extra;
                self.normalized(total, self.domains[axis])
            }
            Form::Precision { monotone: false } => {
                let rows =
                    if self.z >= base { rows as f64 } else { limit.min(self.n as u64) as f64 };
                let share = rows / self.n.max(1.0);
                base * (1.0 - share) + self.z * share
            }
            Form::NormalizedEntropy if self.normal[axis] > 0.0 => base / self.normal[axis],
            Form::NormalizedEntropy => 0.0,
            _ => base,
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

    /// What the suppressed rows of a checked node add to an axis's shares.
    pub(crate) fn extra(
        &self,
        axis: &Axis,
        level: u8,
        suppressed: &Suppressed,
        place: usize,
    ) -> f64 {
        let shares = &axis.levels[level as usize].share;
        let covered: f64 = suppressed.codes[place]
            .iter()
            .zip(shares)
            .map(|(&rows, &share)| rows as f64 * share)
            .sum();
        ((1.0 - self.g) * covered + self.z * (suppressed.rows as f64 - covered)).max(0.0)
    }

    /// The loss of a checked node.
    pub(crate) fn score(
        &self,
        node: &[u8],
        axes: &[Axis],
        suppressed: &Suppressed,
        sums: &Sums,
        losses: &mut Vec<f64>,
    ) -> Score {
        let out = suppressed.rows as f64;
        let kept = self.n - out;
        losses.clear();
        match &self.form {
            Form::Loss => {
                for (place, (axis, &level)) in axes.iter().zip(node).enumerate() {
                    let base = self.g * self.totals[place][level as usize];
                    let extra = match suppressed.rows {
                        0 => 0.0,
                        _ => self.extra(axis, level, suppressed, place),
                    };
                    losses.push(self.normalized(base + extra, axis.domain));
                }
            }
            Form::Precision { monotone: false } => {
                for (place, &level) in node.iter().enumerate() {
                    let base = self.base[place][level as usize];
                    losses.push((kept * base + out * self.z) / self.n.max(1.0));
                }
            }
            Form::Precision { monotone: true } | Form::Height | Form::Fixed { .. } => {
                losses
                    .extend(node.iter().enumerate().map(|(axis, &l)| self.base[axis][l as usize]));
            }
            Form::Entropy { monotone: true } => {
                losses
                    .extend(node.iter().enumerate().map(|(axis, &l)| self.base[axis][l as usize]));
            }
            Form::Entropy { monotone: false } | Form::NormalizedEntropy => {
                for (place, &level) in node.iter().enumerate() {
                    let mut information = 0.0;
                    if suppressed.rows > 0 {
                        for &rows in suppressed.codes[place].iter().filter(|&&rows| rows > 0) {
                            information -= rows as f64 * (rows as f64 / out).log2();
                        }
                    }
                    let value = self.base[place][level as usize] + self.z * information;
                    let own = self.normal[place];
                    losses.push(match self.form {
                        Form::NormalizedEntropy if own > 0.0 => value / own,
                        Form::NormalizedEntropy => 0.0,
                        _ => value,
                    });
                }
            }
            Form::Discernibility { monotone: true } => return Score::number(sums.all_squares),
            Form::Discernibility { monotone: false } => {
                return Score::number(sums.kept_squares + self.n * out);
            }
            Form::AverageClassSize => {
                let any = if suppressed.rows > 0 { self.g } else { 0.0 };
                let below = self.z * sums.kept_classes as f64 + any;
                let value = if self.n == 0.0 { 0.0 } else { self.n / below };
                return Score::number(value);
            }
            Form::Ambiguity => {
                return Score::number(sums.ambiguity + out * self.ln_domain.exp());
            }
            Form::Divergence { .. } => {
                let mut value = self.own_entropy - sums.divergence;
                if suppressed.rows > 0 {
                    let estimate = (out / self.n).log2() - self.ln_domain / std::f64::consts::LN_2;
                    value -= sums.suppressed_weight * estimate;
                }
                return Score::number(value);
            }
            Form::EntropyBased => {
                return Score::number(self.g * sums.entropy_based + self.z * out);
            }
            Form::Payout { benefit, .. } => {
                return Score::number(self.g * sums.payout + self.z * benefit.to_f64() * out);
            }
            Form::Classification { responses } => {
                let all = responses.len() as f64;
                let most = self.n * self.g.max(self.z).max(self.gs) * all;
                let sum = sums.misclassified + self.gs * out * all;
                return Score::number(if most > 0.0 { sum / most } else { 0.0 });
            }
        }
        self.combine(losses)
    }
}
