//! The nodes of a lattice as numbers.

use crate::metric::meter::Meter;
use crate::search::problem::Problem;

/// Mixed radix in roll-up order, the largest domain first, so that nodes which share the levels of
/// the first axes are a range.
pub(super) struct Lattice {
    pub(super) order: Vec<usize>,
    /// For each axis its stride and its number of levels.
    pub(super) strides: Vec<(usize, usize)>,
    pub(super) nodes: usize,
}

impl Lattice {
    pub(super) fn new(problem: &Problem<'_>, order: &[usize]) -> Self {
        let mut strides = vec![(0, 0); order.len()];
        let mut stride = 1;
        for &axis in order.iter().rev() {
            let levels = problem.axes[axis].levels.len();
            strides[axis] = (stride, levels);
            stride *= levels;
        }
        Lattice { order: order.to_vec(), strides, nodes: stride }
    }

    pub(super) fn node(&self, index: usize, node: &mut [u8]) {
        for (level, &(stride, levels)) in node.iter_mut().zip(&self.strides) {
            *level = (index / stride % levels) as u8;
        }
    }

    /// From a node to the one whose number is one less.
    #[inline]
    pub(super) fn step_down(&self, node: &mut [u8]) {
        for &axis in self.order.iter().rev() {
            if node[axis] > 0 {
                node[axis] -= 1;
                return;
            }
            node[axis] = (self.strides[axis].1 - 1) as u8;
        }
    }

    /// For each node what aggregates to its loss without suppression, as [`Meter::cut`] compares it.
    pub(super) fn free(&self, meter: &Meter, limit: u64) -> Vec<f64> {
        let mut all = vec![meter.neutral()];
        for &axis in self.order.iter().rev() {
            let below = std::mem::take(&mut all);
            all.reserve(below.len() * self.strides[axis].1);
            for level in 0..self.strides[axis].1 {
                let term = meter.term(axis, level as u8, limit);
                all.extend(below.iter().map(|&rest| meter.join(rest, term)));
            }
        }
        all
    }
}
