//! What a sweep knows of each node, shared by all threads.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use super::lattice::Lattice;

/// Neither checked nor excluded: still to be looked at.
const OPEN: u8 = 0;
/// Checked or excluded.
const CLOSED: u8 = 1;
/// Not acceptable, and no node below is.
const HOPELESS: u8 = 2;
/// Neither this node nor one above is hopeless.
const HOPEFUL: u8 = 4;

/// Marks are never taken away, and rows only grow: what a thread once saw excluded stays so.
pub(super) struct Known {
    /// Rows that surely fail.
    rows: Vec<AtomicU32>,
    /// For each node and axis, bits of an `f32` not above what those rows add to the shares.
    extras: Vec<AtomicU32>,
    state: Vec<AtomicU8>,
    axes: usize,
    /// Whether rows may fail at nodes that are acceptable.
    any_rows: bool,
    /// Whether several threads write.
    shared: bool,
}

impl Known {
    pub(super) fn new(
        nodes: usize,
        axes: usize,
        any_rows: bool,
        keep_extras: bool,
        shared: bool,
    ) -> Self {
        let atomics = |count: usize| (0..count).map(|_| AtomicU32::new(0)).collect::<Vec<_>>();
        Known {
            rows: atomics(nodes),
            extras: atomics(if keep_extras { nodes * axes } else { 0 }),
            state: (0..nodes).map(|_| AtomicU8::new(OPEN)).collect(),
            axes,
            any_rows,
            shared,
        }
    }

    pub(super) fn keeps_extras(&self) -> bool {
        !self.extras.is_empty()
    }

    /// Takes over what the nodes directly above know; the rows that surely fail.
    pub(super) fn inherit(
        &self,
        lattice: &Lattice,
        index: usize,
        node: &[u8],
        extras: &mut [f64],
    ) -> u32 {
        let q = self.axes;
        extras.fill(0.0);
        if !self.any_rows {
            return 0;
        }
        let mut rows = self.rows[index].load(Ordering::Relaxed);
        for (&level, &(stride, levels)) in node.iter().zip(&lattice.strides) {
            if level as usize + 1 == levels {
                continue;
            }
            let above = index + stride;
            let more = self.rows[above].load(Ordering::Relaxed);
            if more == 0 {
                continue;
            }
            rows = rows.max(more);
            if let Some(known) = self.extras.get(above * q..(above + 1) * q) {
                for (extra, bits) in extras.iter_mut().zip(known) {
                    *extra = extra.max(f64::from(f32::from_bits(bits.load(Ordering::Relaxed))));
                }
            }
        }
        rows
    }

    pub(super) fn store(&self, index: usize, rows: u32, extras: &[f64]) {
        self.rows[index].fetch_max(rows, Ordering::Relaxed);
        let q = self.axes;
        if rows > 0
            && let Some(known) = self.extras.get(index * q..(index + 1) * q)
        {
            for (extra, bits) in extras.iter().zip(known) {
                // Rounded down, so that a bound stays one.
                bits.store(((extra * (1.0 - 1e-6)) as f32).to_bits(), Ordering::Relaxed);
            }
        }
    }

    fn has(&self, index: usize, mark: u8) -> bool {
        self.state[index].load(Ordering::Relaxed) & mark != 0
    }

    fn mark(&self, index: usize, mark: u8) {
        let state = &self.state[index];
        if self.shared {
            state.fetch_or(mark, Ordering::Relaxed);
        } else {
            state.store(state.load(Ordering::Relaxed) | mark, Ordering::Relaxed);
        }
    }

    pub(super) fn is_closed(&self, index: usize) -> bool {
        self.has(index, CLOSED)
    }

    #[cfg(test)]
    fn is_hopeless(&self, index: usize) -> bool {
        self.has(index, HOPELESS)
    }

    pub(super) fn is_hopeful(&self, index: usize) -> bool {
        self.has(index, HOPEFUL)
    }

    pub(super) fn close(&self, index: usize) {
        self.mark(index, CLOSED);
    }

    /// Closes a hopeless node and all below it.
    pub(super) fn close_below(&self, lattice: &Lattice, index: usize, node: &[u8]) {
        self.spread(lattice, index, node, 0, false);
    }

    /// Remembers that neither a node nor one above it is hopeless.
    pub(super) fn hope_above(&self, lattice: &Lattice, index: usize, node: &[u8]) {
        self.spread(lattice, index, node, 0, true);
    }

    /// Marks all nodes on one side that share the levels of the first axes with `index`. Where a
    /// node has the mark, all on that side of it have it, or will have it soon.
    fn spread(&self, lattice: &Lattice, index: usize, node: &[u8], depth: usize, up: bool) {
        let mark = if up { HOPEFUL } else { CLOSED | HOPELESS };
        if self.state[index].load(Ordering::Relaxed) & mark == mark {
            return;
        }
        let Some(&axis) = lattice.order.get(depth) else {
            return self.mark(index, mark);
        };
        let (stride, levels) = lattice.strides[axis];
        let steps = if up { levels - 1 - usize::from(node[axis]) } else { usize::from(node[axis]) };
        for step in 0..=steps {
            let to = if up { index + step * stride } else { index - step * stride };
            self.spread(lattice, to, node, depth + 1, up);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_spread_to_all_nodes_on_their_side() {
        let lattice =
            Lattice { order: vec![1, 0, 2], strides: vec![(2, 4), (8, 3), (1, 2)], nodes: 24 };
        let node = |index: usize| {
            let mut node = [0u8; 3];
            lattice.node(index, &mut node);
            node
        };
        let below = |a: usize, b: usize| node(a).iter().zip(node(b)).all(|(a, b)| *a <= b);
        let known = Known::new(24, 3, false, false, false);
        let (dark, light) = ([9, 18, 11], [23, 15]);
        for index in dark {
            known.close_below(&lattice, index, &node(index));
        }
        for index in light {
            known.hope_above(&lattice, index, &node(index));
        }
        for index in 0..24 {
            assert_eq!(known.is_hopeless(index), dark.iter().any(|&top| below(index, top)));
            assert_eq!(known.is_closed(index), known.is_hopeless(index));
            assert_eq!(known.is_hopeful(index), light.iter().any(|&bottom| below(bottom, index)));
        }
    }
}
