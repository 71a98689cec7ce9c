//! The exact search: all nodes, each checked or excluded, by one walk or by several.

use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex};

use super::known::Known;
use super::lattice::Lattice;
use super::pool::{Pool, Span};
use super::walk::{Sweep, Walk, lock};
use super::{Best, Task};
use crate::metric::Form;
use crate::search::check::{Checker, Ground, Shelf};
use crate::search::packed::{Crew, SHARED};

/// Bound entries (nodes times axes) kept for roll-down.
const MOST_EXTRAS: u128 = 1 << 26;
/// With at least so many distinct tuples most of the time goes into rolls of large sources, which
/// threads share without doing anything twice: more than if each walked on its own.
const MOST_WALKED: usize = 1 << 17;
/// How many threads one walk keeps at work then.
const HELPERS: usize = 4;
/// Ranges that are left to other threads, for each thread.
const RANGES: usize = 32;

/// The best node, a bound for what was not looked at, and whether everything was.
pub(super) fn sweep<const N: usize>(task: &Task<'_, N>) -> (Best, f64, bool) {
    let Task { ground, effort, watch } = *task;
    let Ground { problem, meter, tuples, seed } = ground;
    // Threads share ranges of nodes, and those without a range help within a node. Where no rows may
    // be suppressed little is left to check once one walk has gone down.
    let most = if problem.limit > 0 { MOST_WALKED } else { SHARED };
    let walks = match tuples.len() < most {
        true => effort.threads,
        false => effort.threads.div_ceil(HELPERS),
    };
    let crew = Arc::new(Crew::new(effort.threads - 1, seed));
    let helpers = (effort.threads > 1).then(|| crew.clone());
    let mut first = Checker::new(ground, effort.cache_bytes, helpers.clone());
    let lattice = Lattice::new(problem, &first.order);
    let (nodes, q) = (lattice.nodes, problem.axes.len());
    let keep_extras =
        meter.form == Form::Loss && problem.limit > 0 && nodes as u128 * q as u128 <= MOST_EXTRAS;
    let free = if meter.is_of_columns() { lattice.free(meter, problem.limit) } else { Vec::new() };
    let (mut ranges, mut depth) = (1, 0);
    while depth < q && walks > 1 && ranges < RANGES * walks {
        ranges *= lattice.strides[lattice.order[depth]].1;
        depth += 1;
    }
    let all = Sweep {
        problem,
        meter,
        known: Known::new(nodes, q, problem.limit > 0, keep_extras, walks > 1),
        lattice,
        free,
        best: Mutex::new(Best::new()),
        version: AtomicU64::new(0),
        watch,
        done: AtomicUsize::new(0),
        learned: Mutex::new(Vec::new()),
        failure_passes_down: problem.limit == 0
            && problem.requirements.convex
            && problem.requirements.sample.is_empty(),
        pool: Pool::new(walks, depth, crew.clone()),
    };
    let shelf = Arc::new(Shelf::new());
    if walks > 1 {
        first.share(shelf.clone());
    }
    let mut walk = Walk::new(&all, first, tuples, 0);
    let busy = all.pool.begin();
    let work = || {
        std::thread::scope(|scope| {
            for place in 1..walks {
                let (all, shelf, helpers) = (&all, shelf.clone(), helpers.clone());
                scope.spawn(move || {
                    let mut checker = Checker::new(ground, effort.cache_bytes, helpers);
                    checker.share(shelf);
                    Walk::new(all, checker, tuples, place).work();
                });
            }
            let whole = || Span { from: 0, size: nodes, depth: 0, entered: Vec::new() };
            // Where rows may be suppressed the others begin at once; where none may, they would check
            // what the way down refutes, and rather help.
            let at_once = walks > 1 && problem.limit > 0;
            if at_once {
                all.pool.leave(0, std::iter::once(whole()));
            }
            walk.descend();
            if !at_once {
                all.pool.leave(0, std::iter::once(whole()));
            }
            drop(busy);
            walk.work();
        });
    };
    crew.helped(effort.threads - walks, work);
    let best = lock(&all.best).clone();
    let complete = !watch.is_stopped();
    let mut bound = f64::INFINITY;
    if !complete {
        for index in 0..nodes {
            if all.known.is_closed(index) {
                continue;
            }
            all.lattice.node(index, &mut walk.node);
            let rows = all.known.inherit(&all.lattice, index, &walk.node, &mut walk.extras);
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
