//! Which classes of a node fail, and how many rows that suppresses.

use super::{ABSENT, Checker, FAILS, KEPT, SURELY};
use crate::model::class::{Class, Rule};
use crate::model::sample::Sizes;
use crate::search::packed::Classes;

impl<const N: usize> Checker<'_, N> {
    /// Marks each class; how many rows fail, how many surely, and whether no suppression helps.
    pub(super) fn judge(&mut self, node: &[u8], classes: &Classes<N>) -> (u64, u64, bool) {
        let requirements = &self.problem.requirements;
        let width = requirements.width;
        self.fails.clear();
        let (mut suppressed, mut surely, mut impossible) = (0u64, 0u64, false);
        let least = requirements
            .rules
            .iter()
            .map(|bound| if let Rule::Size(k) = bound.rule { k } else { 0 })
            .max()
            .unwrap_or(0);
        let simple = requirements.rules.iter().all(|b| matches!(b.rule, Rule::Size(_)));
        if simple {
            // No class is asked for more rows than there are, and a `u32` counts these.
            let least = u32::try_from(least).unwrap_or(u32::MAX);
            let counts = classes.counts.iter();
            suppressed = counts.clone().map(|&c| if c < least { u64::from(c) } else { 0 }).sum();
            self.fails.extend(counts.map(|&count| match (count, count < least) {
                (0, _) => ABSENT,
                (_, true) => SURELY,
                _ => KEPT,
            }));
            surely = suppressed;
        } else {
            let reads_loss = requirements.rules.iter().any(|bound| bound.rule.reads_loss());
            for (i, &count) in classes.counts.iter().enumerate() {
                let size = u64::from(count);
                let population = classes.population.get(i).copied().unwrap_or(0);
                if size == 0 {
                    impossible |= requirements.rules.iter().any(|bound| {
                        matches!(bound.rule, Rule::Presence { min, .. } if min > crate::fraction::Fraction::ZERO)
                    });
                    self.fails.push(ABSENT);
                    continue;
                }
                if size < least {
                    (suppressed, surely) = (suppressed + size, surely + size);
                    self.fails.push(SURELY);
                    continue;
                }
                let loss =
                    if reads_loss { self.information_loss(node, &classes.keys[i]) } else { 0.0 };
                let histogram = &classes.histogram[i * width..(i + 1) * width];
                let class = Class { size, population, histogram, loss };
                let mut state = KEPT;
                for bound in &requirements.rules {
                    if state == SURELY || (state == FAILS && !bound.monotone) {
                        continue;
                    }
                    if !bound.rule.holds(&class, &requirements.attributes) {
                        state = if bound.monotone { SURELY } else { FAILS };
                    }
                }
                if state != KEPT {
                    suppressed += size;
                }
                if state == SURELY {
                    surely += size;
                }
                self.fails.push(state);
            }
        }
        if !requirements.sample.is_empty() {
            suppressed += self.judge_sample(node, classes);
        }
        (suppressed, surely, impossible)
    }

    /// Suppresses the smallest classes until the models of the whole hold; how many rows more.
    fn judge_sample(&mut self, node: &[u8], classes: &Classes<N>) -> u64 {
        let everything = node.iter().zip(&self.problem.axes).all(|(&level, axis)| {
            axis.levels[level as usize].rows.len() == 1 && axis.min + level as usize == axis.highest
        });
        if everything {
            return 0;
        }
        let mut sizes = Sizes::new();
        let mut kept: Vec<usize> = Vec::new();
        for (i, &count) in classes.counts.iter().enumerate() {
            if self.fails[i] == KEPT {
                *sizes.entry(u64::from(count)).or_insert(0) += 1;
                kept.push(i);
            }
        }
        let rules = &self.problem.requirements.sample;
        let holds = |sizes: &Sizes| rules.iter().all(|(rule, _)| rule.holds(sizes));
        if holds(&sizes) {
            return 0;
        }
        // Smallest first; among equals the one that covers more costs less; then by chance.
        let seed = self.seed;
        let chance = |key: &[u64; N]| {
            key.iter().fold(seed, |all, &word| {
                (all ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
            })
        };
        let covered: Vec<f64> = kept
            .iter()
            .map(|&i| {
                let share = |(axis, &level): (usize, &u8)| {
                    let code = self.fields[axis].get(&classes.keys[i]);
                    self.problem.axes[axis].levels[level as usize].share[code]
                };
                node.iter().enumerate().map(share).sum()
            })
            .collect();
        let mut order: Vec<usize> = (0..kept.len()).collect();
        order.sort_by(|&a, &b| {
            let size = |x: usize| classes.counts[kept[x]];
            size(a)
                .cmp(&size(b))
                .then(covered[b].total_cmp(&covered[a]))
                .then_with(|| chance(&classes.keys[kept[a]]).cmp(&chance(&classes.keys[kept[b]])))
        });
        let mut more = 0;
        for place in order {
            let class = kept[place];
            let size = u64::from(classes.counts[class]);
            self.fails[class] = FAILS;
            more += size;
            if let Some(count) = sizes.get_mut(&size) {
                *count -= 1;
                if *count == 0 {
                    sizes.remove(&size);
                }
            }
            if holds(&sizes) {
                break;
            }
        }
        more
    }
}
