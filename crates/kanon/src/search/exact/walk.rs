//! One walk over the lattice from the most general node down.
//!
//! The walk descends a tree of ranges: nodes that share the levels of the first axes. Where nodes of
//! a range are still open, their classes are rolled up from those of the greatest node below all of
//! them, so that what a check reads is hardly larger than what it writes.
//!
//! Most open nodes fail. A node that fails refutes all below it, so instead of an open node one above
//! it is checked that is thought to fail just so: it has fewer classes and refutes more.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::forecast::Forecast;
use super::known::Known;
use super::lattice::Lattice;
use super::pool::{Pool, Span};
use super::{Best, Watch};
use crate::metric::Form;
use crate::metric::meter::{Meter, Score};
use crate::search::check::Checker;
use crate::search::packed::Classes;
use crate::search::problem::Problem;

/// How often a node above an open one is tried before the node itself.
const TRIES: usize = 3;
/// Progress is reported after ranges that share the levels of so many axes.
const REPORTED: usize = 2;

/// What all threads share.
pub(super) struct Sweep<'p, const N: usize> {
    pub(super) problem: &'p Problem<'p>,
    pub(super) meter: &'p Meter,
    pub(super) lattice: Lattice,
    pub(super) known: Known,
    /// For each node what its loss without suppression aggregates from; empty if the metric is not
    /// one of columns.
    pub(super) free: Vec<f64>,
    pub(super) best: Mutex<Best>,
    /// Grows with each change of the best.
    pub(super) version: AtomicU64,
    pub(super) watch: &'p Watch<'p>,
    /// Nodes that are behind, for reports of progress.
    pub(super) done: AtomicUsize,
    /// Nodes that were checked and how many rows fail there, where several walks learn from each
    /// other.
    pub(super) learned: Mutex<Vec<(Box<[u8]>, u64)>>,
    /// Failure passes down although models are not monotone.
    pub(super) failure_passes_down: bool,
    pub(super) pool: Pool<'p, N>,
}

impl<const N: usize> Sweep<'_, N> {
    /// At most this many classes.
    pub(super) fn groups(&self, node: &[u8], tuples: &Classes<N>) -> f64 {
        if !matches!(self.meter.form, Form::Discernibility { .. } | Form::AverageClassSize) {
            return 0.0;
        }
        let sizes = self.problem.axes.iter().zip(node);
        let product: f64 =
            sizes.map(|(axis, &l)| axis.levels[l as usize].rows.len() as f64).product();
        product.min(tuples.len() as f64)
    }
}

/// One thread's way through the lattice.
pub(super) struct Walk<'s, 'p, const N: usize> {
    sweep: &'s Sweep<'p, N>,
    /// Its number in the pool.
    place: usize,
    checker: Checker<'p, N>,
    tuples: &'s Classes<N>,
    /// The best score as of `version`, and what no acceptable node's free aggregate is above.
    best: Option<Score>,
    cut: f64,
    version: u64,
    pub(super) node: Vec<u8>,
    pub(super) extras: Vec<f64>,
    pub(super) losses: Vec<f64>,
    forecast: Option<Forecast>,
    /// How much of what was learned is in the forecast.
    heard: usize,
    /// For each depth the greatest node below the open ones.
    meets: Vec<Vec<u8>>,
}

impl<'s, 'p, const N: usize> Walk<'s, 'p, N> {
    pub(super) fn new(
        sweep: &'s Sweep<'p, N>,
        checker: Checker<'p, N>,
        tuples: &'s Classes<N>,
        place: usize,
    ) -> Self {
        let problem = sweep.problem;
        let q = problem.axes.len();
        // Where everything may be suppressed nothing is refuted by failing rows.
        let levels = problem.axes.iter().map(|axis| axis.levels.len());
        let forecast = Forecast::new(levels, problem.rows).filter(|_| problem.limit < problem.rows);
        Walk {
            sweep,
            place,
            checker,
            tuples,
            best: None,
            cut: f64::INFINITY,
            version: 0,
            node: vec![0; q],
            extras: vec![0.0; q],
            losses: Vec::new(),
            forecast,
            heard: 0,
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

    /// Whether a node cannot matter any more; it is closed then. Otherwise its levels are in
    /// `self.node` and what is known of it in `self.extras`.
    fn is_excluded(&mut self, index: usize) -> bool {
        self.sweep.lattice.node(index, &mut self.node);
        self.is_excluded_here(index)
    }

    /// The same for a node whose levels are in `self.node` already.
    fn is_excluded_here(&mut self, index: usize) -> bool {
        let sweep = self.sweep;
        if sweep.known.is_closed(index) {
            return true;
        }
        let rows = sweep.known.inherit(&sweep.lattice, index, &self.node, &mut self.extras);
        if sweep.free.get(index).is_some_and(|&free| free > self.cut) || self.is_bounded_out(rows) {
            sweep.known.close(index);
            sweep.known.store(index, rows, &self.extras);
            return true;
        }
        false
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
        sweep.known.close(index);
        let checked = self.checker.check(&self.node);
        let limit = sweep.problem.limit;
        let failing = if sweep.failure_passes_down { checked.suppressed } else { checked.surely };
        self.learn(failing.min(sweep.problem.rows));
        if failing > limit {
            sweep.known.close_below(&sweep.lattice, index, &self.node);
        } else {
            if self.forecast.is_some() {
                sweep.known.hope_above(&sweep.lattice, index, &self.node);
            }
            let rows = checked.surely as u32;
            if rows > 0 && sweep.known.keeps_extras() && checked.score.is_some() {
                for (axis, extra) in self.extras.iter_mut().enumerate() {
                    *extra = extra.max(self.checker.sure_extra(&self.node, axis));
                }
            }
            sweep.known.store(index, rows, &self.extras);
        }
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

    /// Learns how many rows fail at the node in `self.node`, and what other walks have learned.
    fn learn(&mut self, rows: u64) {
        let Some(forecast) = &mut self.forecast else { return };
        if self.sweep.pool.depth == 0 {
            return forecast.learn(&self.node, rows);
        }
        let mut learned = lock(&self.sweep.learned);
        learned.push((self.node.as_slice().into(), rows));
        let new = learned[self.heard..].to_vec();
        self.heard = learned.len();
        drop(learned);
        for (node, rows) in new {
            forecast.learn(&node, rows);
        }
    }

    /// A good node to begin with: down from the top in the steps that lose least.
    pub(super) fn descend(&mut self) {
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

    /// Checks an open node, or refutes it by one above.
    fn settle(&mut self, index: usize) {
        let mut tries = 0;
        while !self.sweep.watch.is_stopped() && !self.is_excluded(index) {
            let target = if tries < TRIES { self.above(index) } else { index };
            if target != index {
                let (lattice, node) = (&self.sweep.lattice, &mut self.node);
                lattice.node(target, node);
                self.sweep.known.inherit(lattice, target, node, &mut self.extras);
            }
            self.check(target);
            tries += 1;
        }
    }

    /// The node to check for the one in `self.node`: up in the steps that let least rows pass, while
    /// too many are thought to fail.
    fn above(&self, mut index: usize) -> usize {
        let (known, lattice) = (&self.sweep.known, &self.sweep.lattice);
        let Some(forecast) = &self.forecast else { return index };
        if known.is_hopeful(index) {
            return index;
        }
        let enough = ((self.sweep.problem.limit + 1) as f64).ln();
        let mut node = self.node.clone();
        let mut rows = forecast.at(&node);
        loop {
            let mut next: Option<(f64, usize)> = None;
            for (axis, &(stride, levels)) in lattice.strides.iter().enumerate() {
                if usize::from(node[axis]) + 1 >= levels || known.is_hopeful(index + stride) {
                    continue;
                }
                let step = forecast.step(axis, node[axis]);
                if rows + step > enough && next.is_none_or(|(most, _)| step > most) {
                    next = Some((step, axis));
                }
            }
            let Some((step, axis)) = next else { return index };
            rows += step;
            node[axis] += 1;
            index += lattice.strides[axis].0;
        }
    }

    /// How many nodes of a range are open, the first of them, and in `meet` the greatest node below
    /// all of them.
    fn survey(&mut self, from: usize, size: usize, meet: &mut [u8]) -> (usize, usize) {
        self.refresh();
        meet.fill(u8::MAX);
        let (mut open, mut first) = (0, from);
        self.sweep.lattice.node(from + size - 1, &mut self.node);
        for index in (from..from + size).rev() {
            if !self.is_excluded_here(index) {
                first = if open == 0 { index } else { first };
                open += 1;
                meet.iter_mut().zip(&self.node).for_each(|(least, &l)| *least = (*least).min(l));
            }
            self.sweep.lattice.step_down(&mut self.node);
        }
        (open, first)
    }

    /// Takes spans from the pool until there are none.
    pub(super) fn work(&mut self) {
        let pool = &self.sweep.pool;
        while let Some((span, _busy)) = pool.take(self.place, self.checker.room()) {
            self.checker.enter_at(span.entered);
            self.range(span.from, span.size, span.depth);
        }
    }

    /// All nodes of a range that share the levels of the first `depth` axes, from the highest down.
    fn range(&mut self, from: usize, size: usize, depth: usize) {
        if self.sweep.watch.is_stopped() {
            return;
        }
        let mut meet = std::mem::take(&mut self.meets[depth]);
        let (mut open, mut first) = self.survey(from, size, &mut meet);
        // What is checked first may refute most of the others.
        if open > 1 {
            self.settle(first);
            (open, first) = self.survey(from, size, &mut meet);
        }
        if open == 1 {
            self.settle(first);
        }
        let is_split = open > 1;
        if is_split {
            let deeper = self.checker.enter(&meet, open);
            let levels = self.sweep.lattice.strides[self.sweep.lattice.order[depth]].1;
            let size = size / levels;
            if depth < self.sweep.pool.depth {
                let entered = self.checker.entered();
                let span = |level: usize| {
                    let (from, entered) = (from + level * size, entered.clone());
                    Span { from, size, depth: depth + 1, entered }
                };
                self.sweep.pool.leave(self.place, (0..levels).map(span));
            } else {
                for level in (0..levels).rev() {
                    self.range(from + level * size, size, depth + 1);
                }
            }
            if deeper {
                self.checker.leave();
            }
        }
        self.meets[depth] = meet;
        let reported = REPORTED.max(self.sweep.pool.depth);
        if depth == reported || (depth < reported && !is_split) {
            let done = self.sweep.done.fetch_add(size, Ordering::Relaxed) + size;
            self.report(done);
        }
    }

    fn report(&self, done: usize) {
        let best = self.best.as_ref().map(|score| score.value);
        let all = self.sweep.lattice.nodes.max(1) as f64;
        self.sweep.watch.report((done as f64 / all).min(1.0), best);
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
