//! The loss of a checked node.

use super::{Meter, Score, Sums, Suppressed};
use crate::metric::Form;
use crate::search::problem::Axis;

impl Meter {
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
