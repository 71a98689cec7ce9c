//! One walk over the lattice from the most general node down.
//!
//! The walk descends a tree of ranges: nodes that share the levels of the first axes. Where nodes of
//! a range are still open, their classes are rolled up from those of the greatest node below all of
//! them, so that what a check reads is hardly larger than what it writes.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use super::lattice::Lattice;
use super::{Best, Watch};
use crate::metric::Form;
use crate::metric::meter::{Meter, Score};
use crate::search::Effort;
use crate::search::check::Checker;
use crate::search::packed::{Classes, SHARED};
use crate::search::problem::Problem;
use crate::search::witness::{Bitmaps, Witnesses};

/// Bound entries (nodes times axes) kept for roll-down.
const MOST_EXTRAS: u128 = 1 << 26;

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
    /// For each node what its loss without suppression aggregates from; empty if the metric is not
    /// one of columns.
    free: Vec<f64>,
    best: Mutex<Best>,
    /// Grows with each change of the best.
    version: AtomicU64,
    watch: &'p Watch<'p>,
    /// Nodes that are behind, for reports of progress.
    done: AtomicUsize,
    /// Failure passes down although models are not monotone.
    failure_passes_down: bool,
}

impl Sweep<'_> {
    /// At most this many classes.
    fn groups<const N: usize>(&self, node: &[u8], tuples: &Classes<N>) -> f64 {
        if !matches!(self.meter.form, Form::Discernibility { .. } | Form::AverageClassSize) {
            return 0.0;
        }
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

    fn is_closed(&self, index: usize) -> bool {
        self.known.state[index].load(Ordering::Relaxed) == CLOSED
    }

    fn close(&self, index: usize) {
        self.known.state[index].store(CLOSED, Ordering::Relaxed);
    }
}

/// One thread's way through the lattice.
struct Walk<'s, 'p, const N: usize> {
    sweep: &'s Sweep<'p>,
    checker: Checker<'p, N>,
    witnesses: Option<Witnesses<'s, N>>,
    tuples: &'s Classes<N>,
    /// The best score as of `version`, and what no acceptable node's free aggregate is above.
    best: Option<Score>,
    cut: f64,
    version: u64,
    node: Vec<u8>,
    extras: Vec<f64>,
    losses: Vec<f64>,
    /// For each depth the greatest node below the open ones.
    meets: Vec<Vec<u8>>,
}

impl<'s, 'p, const N: usize> Walk<'s, 'p, N> {
    fn new(
        sweep: &'s Sweep<'p>,
        checker: Checker<'p, N>,
        tuples: &'s Classes<N>,
        bitmaps: Option<&'s Bitmaps>,
    ) -> Self {
        let q = sweep.problem.axes.len();
        let witnesses = bitmaps.map(|maps| Witnesses::new(maps, sweep.problem, tuples));
        Walk {
            sweep,
            checker,
            witnesses,
            tuples,
            best: None,
            cut: f64::INFINITY,
            version: 0,
            node: vec![0; q],
            extras: vec![0.0; q],
            losses: Vec::new(),
            meets: vec![vec![0; q]; q + 1],
        }
    }

    fn refresh(&mut self) {
        let now = self.sweep.version.load(Ordering::Acquire);
        if now == self.version {
            return;
        }
        self.version = now;
        self.best.clone_from(&lock(&self.sweep.best).score);
        if let Some(best) = &self.best {
            self.cut = self.sweep.meter.cut(best.value, self.node.len());
        }
    }

    fn is_beaten(&self, bound: &Score) -> bool {
        self.best.as_ref().is_some_and(|best| bound.compare(best).is_gt())
    }

    /// Whether a node cannot matter any more; it is closed then. Leaves its levels in `self.node`.
    fn is_excluded(&mut self, index: usize) -> bool {
        let sweep = self.sweep;
        if sweep.is_closed(index) {
            return true;
        }
        sweep.lattice.node(index, &mut self.node);
        let rows = sweep.inherit(index, &self.node, &mut self.extras);
        let excluded = rows == u32::MAX
            || sweep.free.get(index).is_some_and(|&free| free > self.cut)
            || self.is_bounded_out(rows);
        if excluded {
            sweep.close(index);
            sweep.store(index, rows, &self.extras);
            return true;
        }
        let refuted = self.witnesses.as_mut().is_some_and(|all| all.refute(&self.node));
        if refuted {
            sweep.close(index);
            sweep.store(index, u32::MAX, &self.extras);
        }
        refuted
    }

    fn is_bounded_out(&mut self, rows: u32) -> bool {
        let sweep = self.sweep;
        if self.best.is_none() || (rows == 0 && !sweep.free.is_empty()) {
            return false;
        }
        let groups = sweep.groups(&self.node, self.tuples);
        let (extras, limit) = (&self.extras, sweep.problem.limit);
        let known = |axis: usize| extras[axis];
        let rows = u64::from(rows);
        let bound = sweep.meter.bound(&self.node, rows, limit, known, groups, &mut self.losses);
        self.is_beaten(&bound)
    }

    /// Checks the node in `self.node`, whose knowledge is in `self.extras`, and records what follows.
    fn check(&mut self, index: usize) -> Option<Score> {
        let sweep = self.sweep;
        if !sweep.watch.check() {
            return None;
        }
        sweep.close(index);
        let checked = self.checker.check(&self.node);
        let limit = sweep.problem.limit;
        let fails = sweep.failure_passes_down && checked.suppressed > limit;
        let hopeless = checked.surely > limit || fails;
        let rows = if hopeless { u32::MAX } else { checked.surely as u32 };
        if hopeless && let Some(witnesses) = &mut self.witnesses {
            let failed = self.checker.failed(8);
            witnesses.learn(&self.node, failed);
        }
        if !hopeless && rows > 0 && !sweep.known.extras.is_empty() && checked.score.is_some() {
            for (axis, extra) in self.extras.iter_mut().enumerate() {
                *extra = extra.max(self.checker.sure_extra(&self.node, axis));
            }
        }
        sweep.store(index, rows, &self.extras);
        let mut best = lock(&sweep.best);
        best.needed = best.needed.min(checked.suppressed);
        if let Some(score) = &checked.score
            && best.offer(&self.node, score, checked.suppressed)
        {
            sweep.version.fetch_add(1, Ordering::Release);
        }
        drop(best);
        self.refresh();
        checked.score
    }

    /// A good node to begin with: down from the top in the steps that lose least.
    fn descend(&mut self) {
        let top = self.sweep.lattice.nodes - 1;
        if self.is_excluded(top) {
            return;
        }
        let Some(mut current) = self.check(top) else { return };
        let mut at = top;
        loop {
            let mut next = None;
            for (bound, index) in self.steps_down(at) {
                if !bound.compare(&current).is_lt() {
                    break;
                }
                if !self.is_excluded(index)
                    && let Some(score) = self.check(index)
                    && score.compare(&current).is_lt()
                {
                    (next, current) = (Some(index), score);
                }
            }
            match next {
                Some(index) => at = index,
                None => return,
            }
        }
    }

    /// The nodes one level below a node, with the bound of each, those that lose least first.
    fn steps_down(&mut self, from: usize) -> Vec<(Score, usize)> {
        let sweep = self.sweep;
        let mut steps: Vec<(Score, usize)> = Vec::new();
        sweep.lattice.node(from, &mut self.node);
        for axis in 0..self.node.len() {
            if self.node[axis] == 0 {
                continue;
            }
            self.node[axis] -= 1;
            let groups = sweep.groups(&self.node, self.tuples);
            let limit = sweep.problem.limit;
            let bound = sweep.meter.bound(&self.node, 0, limit, |_| 0.0, groups, &mut self.losses);
            steps.push((bound, from - sweep.lattice.strides[axis].0));
            self.node[axis] += 1;
        }
        steps.sort_by(|a, b| a.0.value.total_cmp(&b.0.value));
        steps
    }

    /// All nodes of a range that share the levels of the first `depth` axes, from the highest down.
    fn range(&mut self, from: usize, size: usize, depth: usize) {
        if self.sweep.watch.is_stopped() {
            return;
        }
        self.refresh();
        let mut meet = std::mem::take(&mut self.meets[depth]);
        meet.fill(u8::MAX);
        let (mut open, mut last) = (0usize, from);
        for index in (from..from + size).rev() {
            if !self.is_excluded(index) {
                (open, last) = (open + 1, index);
                meet.iter_mut().zip(&self.node).for_each(|(least, &level)| {
                    *least = (*least).min(level);
                });
            }
        }
        if open == 1 {
            // Once more, since the loop has gone on to other nodes.
            if !self.is_excluded(last) {
                self.check(last);
            }
        } else if open > 1 {
            let deeper = self.checker.enter(&meet, open);
            let levels = self.sweep.lattice.strides[self.sweep.lattice.order[depth]].1;
            let step = size / levels;
            for level in (0..levels).rev() {
                self.range(from + level * step, step, depth + 1);
                if depth == 1 {
                    let done = self.sweep.done.fetch_add(step, Ordering::Relaxed) + step;
                    self.report(done);
                }
            }
            if deeper {
                self.checker.leave();
            }
        }
        self.meets[depth] = meet;
    }
}

impl<const N: usize> Walk<'_, '_, N> {
    fn report(&self, done: usize) {
        let best = self.best.as_ref().map(|score| score.value);
        let all = self.sweep.lattice.nodes.max(1) as f64;
        self.sweep.watch.report((done as f64 / all).min(1.0), best);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The best node, a bound for what was not looked at, and whether everything was.
pub(super) fn sweep<const N: usize>(
    problem: &Problem<'_>,
    meter: &Meter,
    tuples: &Classes<N>,
    effort: &Effort,
    seed: u64,
    watch: &Watch<'_>,
) -> (Best, f64, bool) {
    // Threads share the work within nodes where tuples are many, and otherwise ranges of nodes.
    let (inside, walks) =
        if tuples.len() >= 2 * SHARED { (effort.threads, 1) } else { (1, effort.threads) };
    let first = Checker::new(problem, meter, tuples, effort.cache_bytes, seed, inside);
    let lattice = Lattice::new(problem, &first.order);
    let (nodes, q) = (lattice.nodes, problem.axes.len());
    let keep_extras =
        meter.form == Form::Loss && problem.limit > 0 && nodes as u128 * q as u128 <= MOST_EXTRAS;
    let atomics = |count: usize| (0..count).map(|_| AtomicU32::new(0)).collect::<Vec<_>>();
    let free = if meter.is_of_columns() { lattice.free(meter, problem.limit) } else { Vec::new() };
    let all = Sweep {
        problem,
        meter,
        known: Known {
            rows: atomics(nodes),
            extras: atomics(if keep_extras { nodes * q } else { 0 }),
            state: (0..nodes).map(|_| AtomicU8::new(OPEN)).collect(),
        },
        lattice,
        free,
        best: Mutex::new(Best::new()),
        version: AtomicU64::new(0),
        watch,
        done: AtomicUsize::new(0),
        failure_passes_down: problem.limit == 0
            && problem.requirements.convex
            && problem.requirements.sample.is_empty(),
    };
    let bitmaps = Bitmaps::build(problem, tuples);
    let mut walk = Walk::new(&all, first, tuples, bitmaps.as_ref());
    walk.descend();
    // Ranges for threads to share.
    let (mut ranges, mut depth) = (1, 0);
    while depth < q && walks > 1 && ranges < 4 * walks {
        ranges *= all.lattice.strides[all.lattice.order[depth]].1;
        depth += 1;
    }
    let size = nodes / ranges;
    let next = AtomicUsize::new(0);
    let work = |walk: &mut Walk<'_, '_, N>| {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= ranges || watch.is_stopped() {
                return;
            }
            walk.range((ranges - 1 - place) * size, size, depth);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..walks {
            scope.spawn(|| {
                let checker = Checker::new(problem, meter, tuples, effort.cache_bytes, seed, 1);
                work(&mut Walk::new(&all, checker, tuples, bitmaps.as_ref()));
            });
        }
        work(&mut walk);
    });
    let best = lock(&all.best).clone();
    let complete = !watch.is_stopped();
    let mut bound = f64::INFINITY;
    if !complete {
        for index in 0..nodes {
            if all.is_closed(index) {
                continue;
            }
            all.lattice.node(index, &mut walk.node);
            let rows = all.inherit(index, &walk.node, &mut walk.extras);
            if rows == u32::MAX {
                continue;
            }
            let groups = all.groups(&walk.node, tuples);
            let (extras, rows) = (&walk.extras, u64::from(rows));
            let known = |axis: usize| extras[axis];
            let free =
                meter.bound(&walk.node, rows, problem.limit, known, groups, &mut walk.losses);
            bound = bound.min(free.value);
        }
    }
    (best, bound, complete)
}
