//! The check of one node: which classes fail, how many rows that suppresses, what is lost.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::packed::{Classes, Field, Slots, Step, layout, roll, tuples};
use super::problem::Problem;
use crate::metric::Form;
use crate::metric::meter::{Meter, Score, Sums, Suppressed};
use crate::model::class::{Class, Rule};
use crate::model::sample::Sizes;
use crate::table::Value;

/// What a check found.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    /// Rows suppressed.
    pub(crate) suppressed: u64,
    /// Rows in classes that fail a monotone model: they fail at every node below, too.
    pub(crate) surely: u64,
    /// The loss, if no more rows are suppressed than may be.
    pub(crate) score: Option<Score>,
}

/// Checks nodes of one problem, with roll-up from cached classes.
pub(crate) struct Checker<'p, const N: usize> {
    pub(crate) problem: &'p Problem<'p>,
    pub(crate) meter: &'p Meter,
    fields: Vec<Field>,
    tuples: &'p Classes<N>,
    /// Axes from the largest domain to the smallest: the order of roll-up.
    pub(crate) order: Vec<usize>,
    kept: VecDeque<Kept<N>>,
    tried: HashSet<Box<[u8]>>,
    cached: usize,
    cache_bytes: usize,
    spare: Classes<N>,
    slots: Slots,
    fails: Vec<u8>,
    pub(crate) suppressed: Suppressed,
    sure: Suppressed,
    losses: Vec<f64>,
    seed: u64,
    pub(crate) checks: u64,
}

/// Classes that later checks roll up from.
struct Kept<const N: usize> {
    levels: Box<[u8]>,
    classes: Classes<N>,
}

const KEPT: u8 = 0;
const FAILS: u8 = 1;
const SURELY: u8 = 2;
/// A class of the population alone.
const ABSENT: u8 = 3;

/// The distinct tuples of a problem, for checkers to share.
pub(crate) fn base<const N: usize>(
    problem: &Problem<'_>,
    meter: &Meter,
    seed: u64,
    threads: usize,
) -> Classes<N> {
    let (fields, _) = layout(problem);
    let squares = meter.needs().squares;
    tuples(problem, &fields, &mut Slots::seeded(seed), squares, threads)
}

/// Σ P log2 P over distinct tuples, weighted as the divergence weighs them.
pub(crate) fn own_entropy<const N: usize>(tuples: &Classes<N>, n: f64, by_rows: bool) -> f64 {
    let present = tuples.counts.iter().filter(|&&count| count > 0);
    present
        .map(|&count| {
            let p = f64::from(count) / n;
            let weight = if by_rows { f64::from(count) } else { 1.0 };
            weight * p * p.log2()
        })
        .sum()
}

impl<'p, const N: usize> Checker<'p, N> {
    pub(crate) fn new(
        problem: &'p Problem<'p>,
        meter: &'p Meter,
        tuples: &'p Classes<N>,
        cache_bytes: usize,
        seed: u64,
    ) -> Self {
        let (fields, _) = layout(problem);
        let mut order: Vec<usize> = (0..problem.axes.len()).collect();
        order.sort_by_key(|&axis| std::cmp::Reverse(problem.axes[axis].codes()));
        Checker {
            problem,
            meter,
            fields,
            tuples,
            order,
            kept: VecDeque::new(),
            tried: HashSet::new(),
            cached: 0,
            cache_bytes,
            spare: Classes::default(),
            slots: Slots::seeded(seed),
            fails: Vec::new(),
            suppressed: Suppressed::default(),
            sure: Suppressed::default(),
            losses: Vec::new(),
            seed,
            checks: 0,
        }
    }

    fn steps(&self, from: &[u8], to: &[u8]) -> Vec<Step<'p>> {
        let axes = &self.problem.axes;
        let changed = (0..to.len()).filter(|&axis| to[axis] > from[axis]);
        changed
            .map(|axis| Step {
                field: self.fields[axis],
                map: axes[axis].lift(from[axis], to[axis]),
            })
            .collect()
    }

    /// Brings the classes of `node` into `self.spare`, from the smallest classes known of a node
    /// below it.
    ///
    /// Where these are many, the classes of the node one level down in every axis are made and kept
    /// on the way: all neighbours of `node` can start from them.
    fn generalize(&mut self, node: &[u8]) {
        let width = self.problem.requirements.width;
        let mut target = std::mem::take(&mut self.spare);
        let zero = vec![0u8; node.len()];
        let usable = |kept: &&Kept<N>| kept.levels.iter().zip(node).all(|(a, b)| a <= b);
        let nearest = |kept: &VecDeque<Kept<N>>| {
            let all = kept.iter().enumerate().filter(|(_, kept)| usable(kept));
            all.min_by_key(|(_, kept)| kept.classes.len()).map(|(place, _)| place)
        };
        let mut source = nearest(&self.kept);
        // First with a reach of two levels, then of one, where that is worth a pass.
        for (reach, worth) in [(2u8, 4096), (1, 256)] {
            let size = source.map_or(self.tuples.len(), |at| self.kept[at].classes.len());
            if size <= worth || self.cache_bytes == 0 {
                continue;
            }
            let (from, classes) = match source {
                Some(at) => (&*self.kept[at].levels, &self.kept[at].classes),
                None => (zero.as_slice(), self.tuples),
            };
            let down = |axis: usize| {
                let wanted = node[axis].saturating_sub(reach);
                let near = if self.problem.axes[axis].has_lifts() { wanted } else { 0 };
                near.max(from[axis])
            };
            let middle: Vec<u8> = (0..node.len()).map(down).collect();
            if middle == from || !self.tried.insert(middle.clone().into_boxed_slice()) {
                continue;
            }
            roll(classes, &self.steps(from, &middle), &mut target, &mut self.slots, width);
            let bytes = target.bytes();
            if target.len() * 4 > size * 3 || bytes > self.cache_bytes {
                continue;
            }
            while self.cached + bytes > self.cache_bytes || self.kept.len() >= 400 {
                let Some(old) = self.kept.pop_front() else { break };
                self.cached -= old.classes.bytes();
                self.tried.remove(&old.levels);
            }
            self.cached += bytes;
            let mut classes = std::mem::take(&mut target);
            classes.shrink();
            self.kept.push_back(Kept { levels: middle.into_boxed_slice(), classes });
            source = nearest(&self.kept);
        }
        let (from, classes) = match source {
            Some(at) => (&*self.kept[at].levels, &self.kept[at].classes),
            None => (zero.as_slice(), self.tuples),
        };
        roll(classes, &self.steps(from, node), &mut target, &mut self.slots, width);
        self.spare = target;
    }

    /// Checks a node.
    pub(crate) fn check(&mut self, node: &[u8]) -> Checked {
        self.checks += 1;
        self.generalize(node);
        let classes = std::mem::take(&mut self.spare);
        let checked = self.evaluate(node, &classes);
        self.spare = classes;
        checked
    }

    /// The cells of the classes that are kept at a node.
    pub(crate) fn kept(&mut self, node: &[u8]) -> Vec<Vec<Value>> {
        self.generalize(node);
        let classes = std::mem::take(&mut self.spare);
        self.judge(node, &classes);
        let cells = |key: &[u64; N]| -> Vec<Value> {
            let quasi = self.problem.data.quasi().zip(&self.problem.axes).zip(node).enumerate();
            quasi
                .map(|(i, ((quasi, axis), &level))| {
                    let code = self.fields[i].get(key) as u32;
                    let map = &axis.levels[level as usize].map;
                    let entry = axis
                        .of_entry
                        .iter()
                        .position(|&lowest| lowest != u32::MAX && map[lowest as usize] == code);
                    let label = entry.map(|entry| {
                        quasi.levels.label(axis.min + level as usize, entry as u32).clone()
                    });
                    label.unwrap_or(Value::Suppressed)
                })
                .collect()
        };
        let kept = classes.keys.iter().zip(&self.fails).filter(|(_, fails)| **fails == KEPT);
        let all = kept.map(|(key, _)| cells(key)).collect();
        self.spare = classes;
        all
    }

    /// What the classes that surely fail add to each axis's shares, after a check.
    pub(crate) fn sure_extra(&self, node: &[u8], axis: usize) -> f64 {
        if self.sure.rows == 0 {
            return 0.0;
        }
        self.meter.extra(&self.problem.axes[axis], node[axis], &self.sure, axis)
    }

    fn evaluate(&mut self, node: &[u8], classes: &Classes<N>) -> Checked {
        let (suppressed, surely, impossible) = self.judge(node, classes);
        self.suppressed.rows = suppressed;
        self.sure.rows = surely;
        if impossible {
            return Checked { suppressed: u64::MAX, surely: u64::MAX, score: None };
        }
        if suppressed > self.problem.limit {
            return Checked { suppressed, surely, score: None };
        }
        let needs = self.meter.needs();
        if needs.codes && suppressed > 0 {
            self.count_codes(node, classes, surely);
        }
        let sums = if needs.classes { self.sums(node, classes) } else { Sums::default() };
        let axes = &self.problem.axes;
        let score = self.meter.score(node, axes, &self.suppressed, &sums, &mut self.losses);
        Checked { suppressed, surely, score: Some(score) }
    }

    /// Marks each class; how many rows fail, how many surely, and whether no suppression helps.
    fn judge(&mut self, node: &[u8], classes: &Classes<N>) -> (u64, u64, bool) {
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
            for &count in &classes.counts {
                let count = u64::from(count);
                let short = count < least;
                suppressed += if short { count } else { 0 };
                self.fails.push(match (count, short) {
                    (0, _) => ABSENT,
                    (_, true) => SURELY,
                    _ => KEPT,
                });
            }
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

    fn count_codes(&mut self, node: &[u8], classes: &Classes<N>, surely: u64) {
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
    fn information_loss(&self, node: &[u8], key: &[u64; N]) -> f64 {
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

    fn sums(&self, node: &[u8], classes: &Classes<N>) -> Sums {
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
