//! The check of one node: which classes fail, how many rows that suppresses, what is lost.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::packed::{Classes, Crew, Field, Roller, Room, Source, layout, tuples};
use super::problem::{Axis, Problem};
use crate::metric::meter::{Meter, Score, Sums, Suppressed};
use crate::table::Value;

mod judge;
mod measure;
mod shelf;

pub(crate) use shelf::Shelf;

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

/// What nodes are checked against, and by what measure.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a, const N: usize> {
    pub(crate) problem: &'a Problem<'a>,
    pub(crate) meter: &'a Meter,
    /// The distinct tuples at the lowest levels.
    pub(crate) tuples: &'a Classes<N>,
    pub(crate) seed: u64,
}

/// Checks nodes of one problem, with roll-up from cached classes.
pub(crate) struct Checker<'p, const N: usize> {
    pub(crate) problem: &'p Problem<'p>,
    pub(crate) meter: &'p Meter,
    fields: Vec<Field>,
    tuples: &'p Classes<N>,
    /// Axes from the largest domain to the smallest: the order of roll-up.
    pub(crate) order: Vec<usize>,
    /// Where the walk is: each rolls up from the one before.
    entered: Vec<Entered<N>>,
    kept: VecDeque<Arc<Kept<N>>>,
    tried: HashSet<Box<[u8]>>,
    /// What other checkers of the same nodes keep, and how much of it was taken over.
    shelf: Option<Arc<Shelf<N>>>,
    taken: usize,
    cached: usize,
    cache_bytes: usize,
    /// What was rolled up last; so large that it need not grow again.
    spare: Classes<N>,
    /// Memory of what was entered.
    free: Vec<Classes<N>>,
    roller: Roller<'p, N>,
    fails: Vec<u8>,
    pub(crate) suppressed: Suppressed,
    sure: Suppressed,
    losses: Vec<f64>,
    seed: u64,
    pub(crate) checks: u64,
}

/// Classes that later checks roll up from.
#[derive(Debug)]
pub(crate) struct Kept<const N: usize> {
    levels: Box<[u8]>,
    classes: Arc<Classes<N>>,
    /// Classes that checks have read of these.
    read: AtomicUsize,
}

/// Classes that checkers of one part of the lattice roll up from.
pub(crate) type Entered<const N: usize> = Arc<Kept<N>>;

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
    tuples(problem, &fields, seed, squares, threads)
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
        ground: Ground<'p, N>,
        cache_bytes: usize,
        crew: Option<Arc<Crew<'p, N>>>,
    ) -> Self {
        let Ground { problem, meter, tuples, seed } = ground;
        let (fields, _) = layout(problem);
        let mut order: Vec<usize> = (0..problem.axes.len()).collect();
        order.sort_by_key(|&axis| std::cmp::Reverse(problem.axes[axis].codes()));
        Checker {
            problem,
            meter,
            roller: Roller::new(problem, fields.clone(), seed, crew),
            fields,
            tuples,
            order,
            entered: Vec::new(),
            kept: VecDeque::new(),
            tried: HashSet::new(),
            shelf: None,
            taken: 0,
            cached: 0,
            cache_bytes,
            spare: Classes::default(),
            free: Vec::new(),
            fails: Vec::new(),
            suppressed: Suppressed::default(),
            sure: Suppressed::default(),
            losses: Vec::new(),
            seed,
            checks: 0,
        }
    }

    /// Shares what it keeps with the other checkers of a shelf.
    pub(crate) fn share(&mut self, shelf: Arc<Shelf<N>>) {
        self.shelf = Some(shelf);
    }

    /// For helping others.
    pub(crate) fn room(&mut self) -> &mut Room<N> {
        self.roller.room()
    }

    /// Makes the classes of `meet` the source of checks until [`leave`](Self::leave), if that is
    /// worth a pass for as many nodes above it.
    pub(crate) fn enter(&mut self, meet: &[u8], nodes: usize) -> bool {
        if nodes < 3 {
            return false;
        }
        self.take_over();
        // Without maps between its levels an axis can only be rolled up from the lowest.
        let near = |(&level, axis): (&u8, &Axis)| if axis.has_lifts() { level } else { 0 };
        let meet: Box<[u8]> = meet.iter().zip(&self.problem.axes).map(near).collect();
        let source = self.nearest(&meet);
        let zero = vec![0u8; meet.len()];
        let (from, size) = match &source {
            Some(kept) => (&*kept.levels, kept.classes.len()),
            None => (zero.as_slice(), self.tuples.len()),
        };
        if size < 128 || !self.is_shorter(from, &meet) {
            return false;
        }
        let mut target = self.free.pop().unwrap_or_default();
        self.roll(source.as_deref(), &meet, &mut target);
        let (classes, read) = (Arc::new(target), AtomicUsize::new(0));
        self.entered.push(Arc::new(Kept { levels: meet, classes, read }));
        true
    }

    /// Where the walk is, for [`enter_at`](Self::enter_at).
    pub(crate) fn entered(&self) -> Vec<Entered<N>> {
        self.entered.clone()
    }

    /// Goes where another walk was.
    pub(crate) fn enter_at(&mut self, entered: Vec<Entered<N>>) {
        for last in std::mem::replace(&mut self.entered, entered) {
            self.reuse(last);
        }
    }

    /// Whether codes become so much fewer between two nodes that classes should, too.
    fn is_shorter(&self, from: &[u8], to: &[u8]) -> bool {
        let codes = |axis: usize, level: u8| {
            self.problem.axes[axis].levels[level as usize].rows.len() as f64
        };
        let left: f64 =
            (0..to.len()).map(|i| codes(i, to[i]) / codes(i, from[i]).max(1.0)).product();
        left <= 0.3
    }

    /// Goes back to the source before.
    pub(crate) fn leave(&mut self) {
        if let Some(last) = self.entered.pop() {
            self.reuse(last);
        }
    }

    /// Takes back the memory of what nobody else rolls up from.
    fn reuse(&mut self, last: Entered<N>) {
        let classes = Arc::into_inner(last).and_then(|last| Arc::into_inner(last.classes));
        self.free.extend(classes);
    }

    /// The smallest classes known of a node that is not above `node`; `None` for the tuples.
    fn nearest(&self, node: &[u8]) -> Option<Arc<Kept<N>>> {
        let mut source = self.entered.last();
        let mut least = source.map_or(self.tuples.len(), |last| last.classes.len());
        for kept in &self.kept {
            let usable = || kept.levels.iter().zip(node).all(|(a, b)| a <= b);
            if kept.classes.len() < least && usable() {
                (source, least) = (Some(kept), kept.classes.len());
            }
        }
        source.cloned()
    }

    fn roll(&mut self, source: Option<&Kept<N>>, to: &[u8], target: &mut Classes<N>) {
        match source {
            Some(kept) => {
                kept.read.fetch_add(kept.classes.len(), Ordering::Relaxed);
                let classes = Source::Kept(kept.classes.clone());
                self.roller.roll(&classes, &kept.levels, to, target);
            }
            None => {
                let tuples = Source::Tuples(self.tuples);
                self.roller.roll(&tuples, &vec![0; to.len()], to, target);
            }
        }
    }

    /// Takes over what other checkers have kept since.
    fn take_over(&mut self) {
        let Some(shelf) = &self.shelf else { return };
        let new = shelf.since(&mut self.taken);
        for kept in new {
            if self.tried.insert(kept.levels.clone()) {
                self.hold(kept);
            }
        }
    }

    /// Keeps classes at the cost of older ones.
    fn hold(&mut self, kept: Arc<Kept<N>>) {
        let bytes = kept.classes.bytes();
        while self.cached + bytes > self.cache_bytes || self.kept.len() >= 400 {
            let Some(old) = self.kept.pop_front() else { break };
            self.cached -= old.classes.bytes();
            self.tried.remove(&old.levels);
        }
        self.cached += bytes;
        self.kept.push_back(kept);
    }

    /// Brings the classes of `node` into `self.spare`, from the smallest classes known of a node
    /// below it.
    ///
    /// Where these are many and have been read before, the classes of the node one level down in
    /// every axis are made and kept on the way: all neighbours of `node` can start from them.
    fn generalize(&mut self, node: &[u8]) {
        self.take_over();
        let mut target = std::mem::take(&mut self.spare);
        let mut source = self.nearest(node);
        // First with a reach of two levels, then of one, where that is worth a pass.
        for (reach, worth) in [(2u8, 4096), (1, 256)] {
            if self.keep(source.as_deref(), node, reach, worth, &mut target) {
                source = self.nearest(node);
            }
        }
        self.roll(source.as_deref(), node, &mut target);
        self.spare = target;
    }

    /// Keeps the classes of the node so many levels below `node` in every axis, if that seems worth
    /// a pass over more than `worth` classes.
    fn keep(
        &mut self,
        source: Option<&Kept<N>>,
        node: &[u8],
        reach: u8,
        worth: usize,
        target: &mut Classes<N>,
    ) -> bool {
        let zero = vec![0u8; node.len()];
        let (from, size, read) = match source {
            Some(kept) => (&*kept.levels, kept.classes.len(), kept.read.load(Ordering::Relaxed)),
            None => (zero.as_slice(), self.tuples.len(), usize::MAX),
        };
        if size <= worth || read < size || self.cache_bytes == 0 {
            return false;
        }
        let down = |axis: usize| {
            let wanted = node[axis].saturating_sub(reach);
            let near = if self.problem.axes[axis].has_lifts() { wanted } else { 0 };
            near.max(from[axis])
        };
        let middle: Box<[u8]> = (0..node.len()).map(down).collect();
        if !self.is_shorter(from, &middle) || !self.tried.insert(middle.clone()) {
            return false;
        }
        self.roll(source, &middle, target);
        let bytes = target.bytes();
        if target.len() * 4 > size * 3 || bytes > self.cache_bytes {
            return false;
        }
        let (classes, read) = (Arc::new(target.clone()), AtomicUsize::new(0));
        let kept = Arc::new(Kept { levels: middle, classes, read });
        if let Some(shelf) = &self.shelf {
            shelf.put(&kept);
        }
        self.hold(kept);
        true
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
}
