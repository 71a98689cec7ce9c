//! The exact search: one sweep over the lattice from the most general node down.
//!
//! Every node is either checked, or skipped for a reason that is a proof: a node above it already
//! fails too many rows under monotone models (those rows fail below, too), or its lower bound is
//! above the best loss. The bound of a node is its loss without suppression plus what the rows that
//! surely fail must add, taken over from the nodes directly above. All nodes that tie for the best
//! are found, and one is drawn, so that neither the number of threads nor the order of the sweep
//! shows in the result.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use super::check::{Checker, base, own_entropy};
use super::packed::{Classes, layout};
use super::problem::Problem;
use super::{Effort, Progress, Solution, anytime};
use crate::error::{Error, Infeasible, Result};
use crate::metric::meter::{Meter, Score};
use crate::metric::{Form, Metric};
use crate::table::Value;

/// Lattices up to this many nodes are searched exactly.
const MOST_NODES: u128 = 1 << 23;
/// Bound entries (nodes times axes) kept for roll-down.
const MOST_EXTRAS: u128 = 1 << 26;

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

    pub(crate) fn offer(&mut self, node: &[u8], score: &Score, suppressed: u64) {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let order = self.score.as_ref().map_or(Less, |best| score.compare(best));
        match order {
            Greater => return,
            Less => {
                self.ties.clear();
                self.score = Some(score.clone());
            }
            Equal => {}
        }
        if self.ties.iter().all(|tie| tie.node != node) {
            self.ties.push(Candidate { node: node.to_vec(), suppressed });
        }
    }

    pub(crate) fn beaten_by(&self, bound: &Score) -> bool {
        self.score.as_ref().is_some_and(|best| bound.compare(best).is_gt())
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
    let mut checker = Checker::new(problem, &meter, &tuples, 0, 0);
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
    let (best, bound, complete) = if let Some(node) = only {
        watch.check();
        let mut best = Best::new();
        let checked = Checker::new(problem, &meter, &tuples, 0, seed).check(node);
        best.needed = checked.suppressed;
        if let Some(score) = &checked.score {
            best.offer(node, score, checked.suppressed);
        }
        (best, f64::NEG_INFINITY, false)
    } else if nodes <= MOST_NODES {
        sweep(problem, &meter, &tuples, effort, seed, &watch)
    } else {
        anytime::improve(problem, &meter, &tuples, effort, seed, &watch)
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

/// The lattice as numbers: mixed radix in roll-up order, the largest domain first.
struct Lattice {
    order: Vec<usize>,
    /// For each axis its stride and its number of levels.
    strides: Vec<(usize, usize)>,
    nodes: usize,
}

impl Lattice {
    fn new(problem: &Problem<'_>, order: &[usize]) -> Self {
        let mut strides = vec![(0, 0); order.len()];
        let mut stride = 1;
        for &axis in order.iter().rev() {
            let levels = problem.axes[axis].levels.len();
            strides[axis] = (stride, levels);
            stride *= levels;
        }
        Lattice { order: order.to_vec(), strides, nodes: stride }
    }

    fn node(&self, index: usize, node: &mut [u8]) {
        for (level, &(stride, levels)) in node.iter_mut().zip(&self.strides) {
            *level = (index / stride % levels) as u8;
        }
    }

    fn index(&self, node: &[u8]) -> usize {
        node.iter().zip(&self.strides).map(|(&level, &(stride, _))| level as usize * stride).sum()
    }
}

/// What is known of each node, shared by all threads; every entry only ever grows.
struct Known {
    /// Rows that surely fail; `u32::MAX` if nothing here or below is acceptable.
    rows: Vec<AtomicU32>,
    /// For each node and axis, bits of an `f32` not above what those rows add to the shares.
    extras: Vec<AtomicU32>,
    state: Vec<AtomicU8>,
}

const OPEN: u8 = 0;
const CLOSED: u8 = 1;

struct Sweep<'p> {
    problem: &'p Problem<'p>,
    meter: &'p Meter,
    lattice: Lattice,
    known: Known,
    best: Mutex<Best>,
    /// Grows with each change of the best.
    version: AtomicU64,
    watch: &'p Watch<'p>,
    /// Failure passes down although models are not monotone.
    failure_passes_down: bool,
}

impl Sweep<'_> {
    fn groups<const N: usize>(&self, node: &[u8], tuples: &Classes<N>) -> f64 {
        let sizes = self.problem.axes.iter().zip(node);
        let product: f64 =
            sizes.map(|(axis, &l)| axis.levels[l as usize].rows.len() as f64).product();
        product.min(tuples.len() as f64)
    }

    /// Takes over what the nodes directly above know.
    fn inherit(&self, index: usize, node: &[u8], extras: &mut [f64]) -> u32 {
        let q = node.len();
        let mut rows = self.known.rows[index].load(Ordering::Relaxed);
        extras.fill(0.0);
        for (&level, &(stride, levels)) in node.iter().zip(&self.lattice.strides) {
            if level as usize + 1 == levels {
                continue;
            }
            let above = index + stride;
            let more = self.known.rows[above].load(Ordering::Relaxed);
            if more == 0 {
                continue;
            }
            rows = rows.max(more);
            if let Some(known) = self.known.extras.get(above * q..(above + 1) * q) {
                for (extra, bits) in extras.iter_mut().zip(known) {
                    *extra = extra.max(f64::from(f32::from_bits(bits.load(Ordering::Relaxed))));
                }
            }
        }
        rows
    }

    fn store(&self, index: usize, rows: u32, extras: &[f64]) {
        self.known.rows[index].fetch_max(rows, Ordering::Relaxed);
        let q = extras.len();
        if rows > 0
            && let Some(known) = self.known.extras.get(index * q..(index + 1) * q)
        {
            for (extra, bits) in extras.iter().zip(known) {
                // Rounded down, so that a bound stays one.
                bits.store(((extra * (1.0 - 1e-6)) as f32).to_bits(), Ordering::Relaxed);
            }
        }
    }

    /// Checks a node and records what follows from it; the score if it is acceptable.
    fn check<const N: usize>(
        &self,
        checker: &mut Checker<'_, N>,
        index: usize,
        node: &[u8],
        extras: &mut [f64],
    ) -> Option<Score> {
        self.known.state[index].store(CLOSED, Ordering::Relaxed);
        let checked = checker.check(node);
        let limit = self.problem.limit;
        let hopeless =
            checked.surely > limit || (self.failure_passes_down && checked.suppressed > limit);
        let rows = if hopeless { u32::MAX } else { checked.surely as u32 };
        if !hopeless && rows > 0 && !self.known.extras.is_empty() && checked.score.is_some() {
            for (axis, extra) in extras.iter_mut().enumerate() {
                *extra = extra.max(checker.sure_extra(node, axis));
            }
        }
        self.store(index, rows, extras);
        let mut best = lock(&self.best);
        best.needed = best.needed.min(checked.suppressed);
        if let Some(score) = &checked.score {
            let before = best.score.clone();
            best.offer(node, score, checked.suppressed);
            if best.score != before {
                self.version.fetch_add(1, Ordering::Relaxed);
            }
        }
        checked.score
    }

    /// A good node to begin with: down from the top, then steps up and down while they help.
    fn descend<const N: usize>(&self, checker: &mut Checker<'_, N>) {
        let mut node: Vec<u8> =
            self.problem.axes.iter().map(|axis| axis.levels.len() as u8 - 1).collect();
        let mut extras = vec![0.0; node.len()];
        let mut visit = |checker: &mut Checker<'_, N>, node: &[u8]| -> Option<Score> {
            let index = self.lattice.index(node);
            if self.known.state[index].load(Ordering::Relaxed) == CLOSED || !self.watch.check() {
                return None;
            }
            let rows = self.inherit(index, node, &mut extras);
            if rows == u32::MAX {
                return None;
            }
            self.check(checker, index, node, &mut extras)
        };
        let Some(mut current) = visit(checker, &node) else { return };
        loop {
            let mut step: Option<(usize, Score)> = None;
            for axis in 0..node.len() {
                if node[axis] == 0 {
                    continue;
                }
                node[axis] -= 1;
                if let Some(score) = visit(checker, &node)
                    && score.compare(step.as_ref().map_or(&current, |(_, s)| s)).is_lt()
                {
                    step = Some((axis, score));
                }
                node[axis] += 1;
            }
            let Some((axis, score)) = step else { break };
            node[axis] -= 1;
            current = score;
        }
    }

    /// All nodes of a block, from the highest index down.
    fn block<const N: usize>(
        &self,
        checker: &mut Checker<'_, N>,
        indices: std::ops::Range<usize>,
        tuples: &Classes<N>,
    ) {
        let q = self.problem.axes.len();
        let (mut node, mut extras, mut losses) = (vec![0u8; q], vec![0.0; q], Vec::new());
        let mut version = self.version.load(Ordering::Relaxed);
        let mut best = lock(&self.best).clone();
        let limit = self.problem.limit;
        let by_groups =
            matches!(self.meter.form, Form::Discernibility { .. } | Form::AverageClassSize);
        for index in indices.rev() {
            self.lattice.node(index, &mut node);
            let groups = if by_groups { self.groups(&node, tuples) } else { 0.0 };
            let now = self.version.load(Ordering::Relaxed);
            if now != version {
                version = now;
                best = lock(&self.best).clone();
            }
            let free = self.meter.bound(&node, 0, limit, |_| 0.0, groups, &mut losses);
            if best.beaten_by(&free) {
                // Still pass on hopelessness; the bounds below start anew.
                self.known.state[index].store(CLOSED, Ordering::Relaxed);
                let rows = self.inherit(index, &node, &mut extras);
                self.store(index, rows, &extras);
                continue;
            }
            if self.known.state[index].load(Ordering::Relaxed) == CLOSED {
                continue;
            }
            let rows = self.inherit(index, &node, &mut extras);
            if rows == u32::MAX {
                self.known.state[index].store(CLOSED, Ordering::Relaxed);
                self.store(index, rows, &extras);
                continue;
            }
            if rows > 0 {
                let known = |axis: usize| extras[axis];
                let bound =
                    self.meter.bound(&node, u64::from(rows), limit, known, groups, &mut losses);
                if best.beaten_by(&bound) {
                    self.known.state[index].store(CLOSED, Ordering::Relaxed);
                    self.store(index, rows, &extras);
                    continue;
                }
            }
            if !self.watch.check() {
                return;
            }
            self.check(checker, index, &node, &mut extras);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn sweep<const N: usize>(
    problem: &Problem<'_>,
    meter: &Meter,
    tuples: &Classes<N>,
    effort: &Effort,
    seed: u64,
    watch: &Watch<'_>,
) -> (Best, f64, bool) {
    let mut first = Checker::new(problem, meter, tuples, effort.cache_bytes, seed);
    let lattice = Lattice::new(problem, &first.order);
    let (nodes, q) = (lattice.nodes, problem.axes.len());
    let keep_extras =
        meter.form == Form::Loss && problem.limit > 0 && nodes as u128 * q as u128 <= MOST_EXTRAS;
    let atomics = |count: usize| (0..count).map(|_| AtomicU32::new(0)).collect::<Vec<_>>();
    let all = Sweep {
        problem,
        meter,
        known: Known {
            rows: atomics(nodes),
            extras: atomics(if keep_extras { nodes * q } else { 0 }),
            state: (0..nodes).map(|_| AtomicU8::new(OPEN)).collect(),
        },
        lattice,
        best: Mutex::new(Best::new()),
        version: AtomicU64::new(0),
        watch,
        failure_passes_down: problem.limit == 0
            && problem.requirements.convex
            && problem.requirements.sample.is_empty(),
    };
    all.descend(&mut first);
    // Blocks of nodes that share the levels of the first axes, so that roll-ups are shared, too.
    let mut blocks = 1;
    for &axis in &all.lattice.order {
        if blocks >= 64 {
            break;
        }
        blocks *= problem.axes[axis].levels.len();
    }
    let size = nodes / blocks;
    let next = AtomicU64::new(0);
    let work = |checker: &mut Checker<'_, N>| {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed) as usize;
            if place >= blocks || all.watch.is_stopped() {
                return;
            }
            let block = blocks - 1 - place;
            all.block(checker, block * size..(block + 1) * size, tuples);
            let best = lock(&all.best).score.as_ref().map(|score| score.value);
            all.watch.report((place + 1) as f64 / blocks as f64, best);
        }
    };
    if effort.threads <= 1 {
        work(&mut first);
    } else {
        std::thread::scope(|scope| {
            for _ in 1..effort.threads {
                scope.spawn(|| {
                    work(&mut Checker::new(problem, meter, tuples, effort.cache_bytes, seed));
                });
            }
            work(&mut first);
        });
    }
    let best = lock(&all.best).clone();
    let complete = !watch.is_stopped();
    let mut bound = f64::INFINITY;
    if !complete {
        let (mut node, mut extras, mut losses) = (vec![0u8; q], vec![0.0; q], Vec::new());
        for index in (0..nodes).filter(|&i| all.known.state[i].load(Ordering::Relaxed) == OPEN) {
            all.lattice.node(index, &mut node);
            let rows = all.inherit(index, &node, &mut extras);
            if rows == u32::MAX {
                continue;
            }
            let groups = all.groups(&node, tuples);
            let known = |axis: usize| extras[axis];
            let free =
                meter.bound(&node, u64::from(rows), problem.limit, known, groups, &mut losses);
            bound = bound.min(free.value);
        }
    }
    (best, bound, complete)
}
