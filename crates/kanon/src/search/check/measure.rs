//! What a checked node loses: the codes of suppressed rows, and sums over classes.

use std::collections::BTreeMap;

use super::{ABSENT, Checker, KEPT, SURELY};
use crate::metric::Form;
use crate::metric::meter::Sums;
use crate::search::packed::Classes;

impl<const N: usize> Checker<'_, N> {
    /// What the cells of a node cover in the given units, where rows in classes below k cover `all`
    /// in every column.
    pub(crate) fn cost(&mut self, node: &[u8], shares: &[Vec<Vec<u64>>], k: u64, all: u64) -> u64 {
        self.generalize(node);
        let classes = self.spare.keys.iter().zip(&self.spare.counts);
        let cost = classes.map(|(key, &count)| {
            let count = u64::from(count);
            let cell = |(axis, &level): (usize, &u8)| match count >= k {
                true => shares[axis][level as usize][self.fields[axis].get(key)],
                false => all,
            };
            count * node.iter().enumerate().map(cell).sum::<u64>()
        });
        cost.sum()
    }

    pub(super) fn count_codes(&mut self, node: &[u8], classes: &Classes<N>, surely: u64) {
        let axes = &self.problem.axes;
        let all = surely == self.suppressed.rows;
        for totals in [&mut self.suppressed, &mut self.sure] {
            totals.codes.resize(axes.len(), Vec::new());
            for ((codes, axis), &level) in totals.codes.iter_mut().zip(axes).zip(node) {
                codes.clear();
                codes.resize(axis.levels[level as usize].rows.len(), 0);
            }
        }
        for (i, &state) in self.fails.iter().enumerate() {
            if state == KEPT || state == ABSENT {
                continue;
            }
            let count = u64::from(classes.counts[i]);
            for (field, codes) in self.fields.iter().zip(&mut self.suppressed.codes) {
                codes[field.get(&classes.keys[i])] += count;
            }
            if !all && state == SURELY {
                for (field, codes) in self.fields.iter().zip(&mut self.sure.codes) {
                    codes[field.get(&classes.keys[i])] += count;
                }
            }
        }
        if all {
            for (sure, codes) in self.sure.codes.iter_mut().zip(&self.suppressed.codes) {
                sure.clone_from(codes);
            }
        }
    }

    /// 1 + ln Π share / ln Π D, within 0 and 1.
    pub(super) fn information_loss(&self, node: &[u8], key: &[u64; N]) -> f64 {
        if self.meter.ln_domain <= 0.0 {
            return 0.0;
        }
        (1.0 + self.ln_share(node, key) / self.meter.ln_domain).clamp(0.0, 1.0)
    }

    fn ln_share(&self, node: &[u8], key: &[u64; N]) -> f64 {
        let share = |(axis, &level): (usize, &u8)| {
            self.problem.axes[axis].levels[level as usize].share[self.fields[axis].get(key)].ln()
        };
        node.iter().enumerate().map(share).sum()
    }

    pub(super) fn sums(&self, node: &[u8], classes: &Classes<N>) -> Sums {
        let mut sums = Sums::default();
        let needs = self.meter.needs();
        let n = self.meter.n;
        let ln2 = std::f64::consts::LN_2;
        for (i, &count) in classes.counts.iter().enumerate() {
            let (state, size) = (self.fails[i], f64::from(count));
            sums.all_squares += size * size;
            if state == ABSENT {
                continue;
            }
            let weight = match classes.squares.get(i) {
                Some(&squares) => squares as f64 / n,
                None => size / n,
            };
            if state != KEPT {
                sums.suppressed_weight += weight;
                continue;
            }
            sums.kept_classes += 1;
            sums.kept_squares += size * size;
            if needs.product {
                let ln_tuples = self.ln_share(node, &classes.keys[i]) + self.meter.ln_domain;
                sums.ambiguity += size * ln_tuples.exp();
                sums.divergence += weight * ((size / n).log2() - ln_tuples / ln2);
                let loss = self.information_loss(node, &classes.keys[i]);
                sums.entropy_based += size * loss;
                if let Form::Payout { benefit, loss: harm, gain, cost } = &self.meter.form {
                    let success = 1.0 / size;
                    let attacked = gain.to_f64() * success - cost.to_f64() > 0.0;
                    let harm = if attacked { harm.to_f64() * success } else { 0.0 };
                    sums.payout += size * (benefit.to_f64() * loss + harm);
                }
            }
            if needs.responses {
                let width = self.problem.requirements.width;
                let histogram = &classes.histogram[i * width..(i + 1) * width];
                for &response in &self.meter.responses {
                    let attribute = &self.problem.requirements.attributes[response];
                    let end = attribute.offset + attribute.totals.len();
                    let counts = histogram[attribute.offset..end].iter().map(|&c| u64::from(c));
                    sums.misclassified += self.penalty(u64::from(count), counts);
                }
            }
        }
        for &axis in &self.meter.axis_responses {
            sums.misclassified += self.axis_penalty(node, classes, axis);
        }
        sums
    }

    /// Rows outside the majority, or all of them if there is none.
    fn penalty(&self, rows: u64, counts: impl Iterator<Item = u64>) -> f64 {
        let (mut first, mut second) = (0, 0);
        for count in counts {
            if count >= first {
                (first, second) = (count, first);
            } else {
                second = second.max(count);
            }
        }
        if first > second {
            (rows - first) as f64 * self.meter.g
        } else {
            rows as f64 * self.meter.z
        }
    }

    /// A response that is itself generalized: classes by the other axes, and a penalty for the
    /// detail that its own generalization takes.
    fn axis_penalty(&self, node: &[u8], classes: &Classes<N>, axis: usize) -> f64 {
        let levels = &self.problem.axes[axis].levels;
        let distinct = |level: usize| levels[level].rows.iter().filter(|&&r| r > 0).count() as f64;
        let below = distinct(0) - 1.0;
        let lost = if below > 0.0 { (distinct(node[axis] as usize) - 1.0) / below } else { 0.0 };
        let sigma = 1.0 - lost;
        let field = self.fields[axis];
        let mut groups: BTreeMap<[u64; N], BTreeMap<usize, u64>> = BTreeMap::new();
        for (i, &count) in classes.counts.iter().enumerate() {
            if self.fails[i] == KEPT {
                let mut key = classes.keys[i];
                let code = field.get(&key);
                key[field.word] &= !(field.mask << field.shift);
                *groups.entry(key).or_default().entry(code).or_insert(0) += u64::from(count);
            }
        }
        let most = self.meter.g.max(self.meter.z).max(self.meter.gs);
        let mut sum = 0.0;
        for counts in groups.values() {
            let rows: u64 = counts.values().sum();
            let penalty = if sigma >= 1.0 {
                rows as f64 * most
            } else {
                let penalty = self.penalty(rows, counts.values().copied());
                penalty * (1.0 - sigma) + rows as f64 * most * sigma
            };
            sum += penalty;
        }
        sum
    }
}
