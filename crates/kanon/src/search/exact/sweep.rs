//! The exact search: all nodes, each checked or excluded, by one walk or by several.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::known::Known;
use super::lattice::Lattice;
use super::walk::{Sweep, Walk, lock};
use super::{Best, Task};
use crate::metric::Form;
use crate::search::check::{Checker, Ground};

/// Bound entries (nodes times axes) kept for roll-down.
const MOST_EXTRAS: u128 = 1 << 26;
/// With fewer distinct tuples than this, each thread walks on its own.
const MOST_SHARED: usize = 1 << 20;

/// The best node, a bound for what was not looked at, and whether everything was.
pub(super) fn sweep<const N: usize>(task: &Task<'_, N>) -> (Best, f64, bool) {
    let Task { ground, effort, watch } = *task;
    let Ground { problem, meter, tuples, .. } = ground;
    // Threads share ranges of nodes, and before that the work within nodes. Where tuples are very
    // many a second walk would take too much memory.
    let walks = if tuples.len() < MOST_SHARED { effort.threads } else { 1 };
    let first = Checker::new(ground, effort.cache_bytes, effort.threads);
    let lattice = Lattice::new(problem, &first.order);
    let (nodes, q) = (lattice.nodes, problem.axes.len());
    let keep_extras =
        meter.form == Form::Loss && problem.limit > 0 && nodes as u128 * q as u128 <= MOST_EXTRAS;
    let free = if meter.is_of_columns() { lattice.free(meter, problem.limit) } else { Vec::new() };
    let all = Sweep {
        problem,
        meter,
        known: Known::new(nodes, q, problem.limit > 0, keep_extras),
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
    let mut walk = Walk::new(&all, first, tuples);
    walk.descend();
    // Ranges for threads to share.
    let (mut ranges, mut depth) = (1, 0);
    while depth < q && walks > 1 && ranges < 32 * walks {
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
                let checker = Checker::new(ground, effort.cache_bytes, 1);
                work(&mut Walk::new(&all, checker, tuples));
            });
        }
        work(&mut walk);
    });
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
