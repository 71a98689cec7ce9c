//! The exact search: one sweep over the lattice from the most general node down.
//!
//! Every node is either checked, or skipped for a reason that is a proof: a node above it already
//! fails too many rows under monotone models (those rows fail below, too), or its lower bound is
//! above the best loss. The bound of a node is its loss without suppression plus what the rows that
//! surely fail must add, taken over from the nodes directly above. All nodes that tie for the best
//! are found, and one is drawn, so that neither the number of threads nor the order of the sweep
//! shows in the result.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use super::check::{Checker, Ground, base, own_entropy};
use super::packed::{Classes, layout};
use super::problem::Problem;
use super::{Effort, Progress, Solution, anytime};
use crate::error::{Error, Infeasible, Result};
use crate::metric::meter::{Meter, Score};
use crate::metric::{Form, Metric};
use crate::table::Value;

mod forecast;
mod known;
mod lattice;
mod pool;
mod sweep;
mod walk;

/// Lattices up to this many nodes are searched exactly.
const MOST_NODES: u128 = 1 << 23;

/// The cells of kept classes.
type Kept = std::collections::HashSet<Vec<Value>>;

/// A node that ties for the best.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) node: Vec<u8>,
    pub(crate) suppressed: u64,
}

/// The best so far, all ties of it, and the least number of rows any node had to suppress.
#[derive(Clone, Debug)]
pub(crate) struct Best {
    pub(crate) score: Option<Score>,
    pub(crate) ties: Vec<Candidate>,
    pub(crate) needed: u64,
}

impl Best {
    pub(crate) fn new() -> Self {
        Best { score: None, ties: Vec::new(), needed: u64::MAX }
    }

    /// Takes a node that is at least as good; whether it is better.
    pub(crate) fn offer(&mut self, node: &[u8], score: &Score, suppressed: u64) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let order = self.score.as_ref().map_or(Less, |best| score.compare(best));
        match order {
            Greater => return false,
            Less => {
                self.ties.clear();
                self.score = Some(score.clone());
            }
            Equal => {}
        }
        if self.ties.iter().all(|tie| tie.node != node) {
            self.ties.push(Candidate { node: node.to_vec(), suppressed });
        }
        order == Less
    }
}

/// Stops when a limit is reached.
pub(crate) struct Watch<'a> {
    effort: &'a Effort,
    start: Option<Instant>,
    pub(crate) checks: AtomicU64,
    stopped: AtomicBool,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(effort: &'a Effort) -> Self {
        let start = effort.most_time.map(|_| Instant::now());
        Watch { effort, start, checks: AtomicU64::new(0), stopped: AtomicBool::new(false) }
    }

    /// Counts a check; false once the work must stop.
    pub(crate) fn check(&self) -> bool {
        let checks = self.checks.fetch_add(1, Ordering::Relaxed) + 1;
        let late = || match (self.start, self.effort.most_time) {
            (Some(start), Some(most)) => start.elapsed() >= most,
            _ => false,
        };
        if checks > self.effort.most_checks || self.effort.cancel.is_cancelled() || late() {
            self.stopped.store(true, Ordering::Relaxed);
        }
        !self.is_stopped()
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub(crate) fn report(&self, done: f64, best: Option<f64>) {
        if let Some(progress) = &self.effort.progress {
            progress(Progress { checked: self.checks.load(Ordering::Relaxed), done, best });
        }
    }
}

/// What is searched, and with what effort.
pub(crate) struct Task<'a, const N: usize> {
    pub(crate) ground: Ground<'a, N>,
    pub(crate) effort: &'a Effort,
    pub(crate) watch: &'a Watch<'a>,
}

/// Searches with keys as wide as the problem needs.
pub(crate) fn solve(
    problem: &Problem<'_>,
    meter: Meter,
    effort: &Effort,
    seed: u64,
    only: Option<&[u8]>,
) -> Result<Solution> {
    match layout(problem).1 {
        0..=1 => run::<1>(problem, meter, effort, seed, only),
        2..=4 => run::<4>(problem, meter, effort, seed, only),
        5..=64 => run::<64>(problem, meter, effort, seed, only),
        _ => Err(Error::TooLarge { what: "64-bit words of codes in a row", limit: 64 }),
    }
}

/// The cells of the classes that are kept at the given levels.
pub(crate) fn kept(problem: &Problem<'_>, levels: &[usize]) -> Result<Kept> {
    match layout(problem).1 {
        0..=1 => kept_cells::<1>(problem, levels),
        2..=4 => kept_cells::<4>(problem, levels),
        5..=64 => kept_cells::<64>(problem, levels),
        _ => Err(Error::TooLarge { what: "64-bit words of codes in a row", limit: 64 }),
    }
}

fn kept_cells<const N: usize>(problem: &Problem<'_>, levels: &[usize]) -> Result<Kept> {
    let mut requirements = problem.requirements.clone();
    let meter = Meter::bind(&Metric::height(), problem.data, &problem.axes, &mut requirements)?;
    let tuples: Classes<N> = base(problem, &meter, 0, 1);
    let node: Vec<u8> = problem
        .axes
        .iter()
        .zip(levels)
        .map(|(axis, &level)| level.saturating_sub(axis.min) as u8)
        .collect();
    let ground = Ground { problem, meter: &meter, tuples: &tuples, seed: 0 };
    let mut checker = Checker::new(ground, 0, None);
    Ok(checker.kept(&node).into_iter().collect())
}

fn run<const N: usize>(
    problem: &Problem<'_>,
    mut meter: Meter,
    effort: &Effort,
    seed: u64,
    only: Option<&[u8]>,
) -> Result<Solution> {
    let tuples: Classes<N> = base(problem, &meter, seed, effort.threads);
    if let Form::Divergence { by_rows } = meter.form {
        meter.own_entropy = own_entropy(&tuples, meter.n, by_rows);
    }
    let nodes = problem.nodes();
    let watch = Watch::new(effort);
    let ground = Ground { problem, meter: &meter, tuples: &tuples, seed };
    let (best, bound, complete) = if let Some(node) = only {
        watch.check();
        let mut best = Best::new();
        let checked = Checker::new(ground, 0, None).check(node);
        best.needed = checked.suppressed;
        if let Some(score) = &checked.score {
            best.offer(node, score, checked.suppressed);
        }
        (best, f64::NEG_INFINITY, false)
    } else if nodes <= MOST_NODES {
        sweep::sweep(&Task { ground, effort, watch: &watch })
    } else {
        anytime::improve(&Task { ground, effort, watch: &watch })
    };
    let checked = watch.checks.load(Ordering::Relaxed);
    let Some(score) = best.score.clone() else {
        if watch.is_stopped() {
            return Err(Error::Stopped { checked });
        }
        return Err(Error::Infeasible(Box::new(Infeasible {
            requirement: "the requirements together".into(),
            needed: best.needed,
            allowed: problem.limit,
            remedy: String::new(),
        })));
    };
    // One of the ties, by a seeded draw over their canonical order.
    let mut ties = best.ties.clone();
    ties.sort_by(|a, b| a.node.cmp(&b.node));
    let draw = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31) % ties.len().max(1) as u64;
    let Some(chosen) = ties.get(draw as usize) else {
        return Err(Error::Stopped { checked });
    };
    let level = |(axis, &level): (&super::problem::Axis, &u8)| axis.min + usize::from(level);
    Ok(Solution {
        levels: problem.axes.iter().zip(&chosen.node).map(level).collect(),
        loss: score.value,
        bound: if complete { score.value } else { bound.min(score.value) },
        optimal: complete,
        suppressed: chosen.suppressed,
        ties: ties.len() as u64,
        checked,
        nodes: u64::try_from(nodes).unwrap_or(u64::MAX),
    })
}
