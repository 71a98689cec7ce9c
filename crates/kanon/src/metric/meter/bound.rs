//! What no node below a checked one, or none with a given level, can lose less than.

use super::{Meter, Score};
use crate::metric::{Aggregate, Form};

impl Meter {
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
}
