//! Search in lattices that are too large to sweep: greedy, then local moves and kicks, with a lower
//! bound from each column alone.

use std::sync::Arc;

use super::check::{Checker, Ground};
use super::exact::{Best, Task, Watch};
use super::packed::Crew;
use super::problem::Problem;
use crate::metric::meter::{Meter, Score};

/// Checks by default: enough for every level of every column a few times.
fn default_checks(problem: &Problem<'_>) -> u64 {
    let levels: usize = problem.axes.iter().map(|axis| axis.levels.len()).sum();
    (40 * levels as u64).clamp(2_000, 20_000)
}

/// A reproducible stream for the order of moves; secrecy is not its purpose.
struct Moves(u64);

impl Moves {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) % bound.max(1) as u64) as usize
    }
}

struct Climb<'a, 'p, const N: usize> {
    problem: &'p Problem<'p>,
    meter: &'p Meter,
    checker: Checker<'p, N>,
    watch: &'a Watch<'a>,
    most: u64,
    best: Best,
    moves: Moves,
}

impl<const N: usize> Climb<'_, '_, N> {
    fn spent(&self) -> bool {
        self.watch.is_stopped() || self.checker.checks >= self.most
    }

    fn visit(&mut self, node: &[u8]) -> Option<Score> {
        if self.spent() || !self.watch.check() {
            return None;
        }
        let checked = self.checker.check(node);
        self.best.needed = self.best.needed.min(checked.suppressed);
        if let Some(score) = &checked.score {
            self.best.offer(node, score, checked.suppressed);
        }
        checked.score
    }

    fn top(&self) -> Vec<u8> {
        self.problem.axes.iter().map(|axis| axis.levels.len() as u8 - 1).collect()
    }

    /// Lowers columns in turn, those that lose most first, while the loss falls.
    fn lower(&mut self, node: &mut [u8], mut score: Score) -> Score {
        loop {
            let mut moved = false;
            let mut order: Vec<usize> = (0..node.len()).filter(|&axis| node[axis] > 0).collect();
            order.sort_by(|&a, &b| {
                let gain = |x: usize| self.meter.base(x, node[x]) - self.meter.base(x, node[x] - 1);
                gain(b).total_cmp(&gain(a))
            });
            for axis in order {
                while node[axis] > 0 && !self.spent() {
                    node[axis] -= 1;
                    match self.visit(node) {
                        Some(better) if better.compare(&score).is_lt() => {
                            score = better;
                            moved = true;
                        }
                        _ => {
                            node[axis] += 1;
                            break;
                        }
                    }
                }
            }
            if !moved || self.spent() {
                return score;
            }
        }
    }

    /// From the bottom up: the column whose groups shrink most for what it loses goes first.
    fn raise(&mut self) -> Option<(Vec<u8>, Score)> {
        let mut node = vec![0u8; self.problem.axes.len()];
        let top = self.top();
        loop {
            if let Some(score) = self.visit(&node) {
                return Some((node, score));
            }
            if node == top || self.spent() {
                return None;
            }
            // Several columns at once while the end is far.
            let steps = (node.len() / 16).max(1);
            for _ in 0..steps {
                let worth = |axis: usize| {
                    let levels = &self.problem.axes[axis].levels;
                    let now = levels[node[axis] as usize].rows.len() as f64;
                    let next = levels[node[axis] as usize + 1].rows.len() as f64;
                    let lost =
                        self.meter.base(axis, node[axis] + 1) - self.meter.base(axis, node[axis]);
                    ((now / next).ln() + 1e-3) / (lost.abs() + 1e-3)
                };
                let open = (0..node.len()).filter(|&axis| node[axis] < top[axis]);
                let Some(axis) = open.max_by(|&a, &b| worth(a).total_cmp(&worth(b))) else { break };
                node[axis] += 1;
            }
        }
    }

    /// No node below, whatever the other columns do: each column's own part at its best level.
    fn bound(&mut self) -> (f64, bool) {
        let top = self.top();
        let mut losses = Vec::new();
        let limit = self.problem.limit;
        for axis in 0..top.len() {
            let mut least = f64::INFINITY;
            for level in 0..=top[axis] {
                let mut node = top.clone();
                node[axis] = level;
                let checked = self.checker.check(&node);
                if checked.surely > limit {
                    continue;
                }
                // Without a score the codes of what fails were not counted.
                let extra = match (&checked.score, self.meter.needs().codes) {
                    (Some(_), true) => self.checker.sure_extra(&node, axis),
                    _ => 0.0,
                };
                let rows = checked.surely;
                least = least.min(self.meter.axis_bound(axis, level, rows, limit, extra));
            }
            if least == f64::INFINITY {
                return (f64::INFINITY, false);
            }
            losses.push(least);
        }
        if !self.meter.is_of_columns() {
            return (0.0, true);
        }
        (self.meter.combined(&losses).value, true)
    }
}

/// The best node that is found, a lower bound, and that it is no proof.
pub(crate) fn improve<const N: usize>(task: &Task<'_, N>) -> (Best, f64, bool) {
    let helpers = task.effort.threads - 1;
    let crew = Arc::new(Crew::new(helpers, task.ground.seed));
    let checker =
        Checker::new(task.ground, task.effort.cache_bytes, (helpers > 0).then(|| crew.clone()));
    crew.helped(helpers, || climb(task, checker))
}

fn climb<'p, const N: usize>(task: &Task<'p, N>, checker: Checker<'p, N>) -> (Best, f64, bool) {
    let Task { ground, effort, watch } = *task;
    let Ground { problem, meter, seed, .. } = ground;
    let most = match (effort.most_checks, effort.most_time) {
        (u64::MAX, None) => default_checks(problem),
        (checks, _) => checks,
    };
    let moves = Moves(seed);
    let mut climb = Climb { problem, meter, checker, watch, most, best: Best::new(), moves };
    let (bound, possible) = climb.bound();
    if !possible {
        return (climb.best, bound, false);
    }
    climb.checker.checks = 0;
    let top = climb.top();
    let mut start: Option<(Vec<u8>, Score)> = None;
    if let Some(score) = climb.visit(&top) {
        start = Some((top.clone(), score));
    }
    if let Some((node, score)) = climb.raise()
        && start.as_ref().is_none_or(|(_, best)| score.compare(best).is_lt())
    {
        start = Some((node, score));
    }
    let Some((mut node, score)) = start else {
        return (climb.best, bound, false);
    };
    let mut current = climb.lower(&mut node, score);
    let mut done = climb.checker.checks;
    while !climb.spent() {
        // A kick: some columns up, others down, then lowered again.
        let mut next = node.clone();
        let kicks = 1 + climb.moves.below(3);
        for _ in 0..kicks {
            let axis = climb.moves.below(next.len());
            next[axis] = (next[axis] + 1).min(top[axis]);
        }
        for _ in 0..climb.moves.below(kicks + 1) {
            let axis = climb.moves.below(next.len());
            next[axis] = next[axis].saturating_sub(1);
        }
        if next != node
            && let Some(score) = climb.visit(&next)
        {
            let score = climb.lower(&mut next, score);
            if score.compare(&current).is_lt() {
                (node, current) = (next, score);
            }
        }
        if climb.checker.checks == done {
            climb.checker.checks += 1;
        }
        done = climb.checker.checks;
        watch.report((done as f64 / most as f64).min(1.0), Some(current.value));
    }
    (climb.best, bound, false)
}
