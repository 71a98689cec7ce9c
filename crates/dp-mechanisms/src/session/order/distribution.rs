//! A released distribution, in the units of its values.

use std::fmt;

use privacy_core::params::Bounds;

use crate::grid::{Grid, Value};
use crate::quantile::NoisyTree;

/// The noisy distribution of a value: quantiles, shares, counts of ranges, all for one price.
///
/// # Privacy
///
/// Everything here is post-processing of noisy counts that were paid for.
#[derive(Clone)]
pub struct Distribution<V> {
    tree: NoisyTree,
    grid: Grid,
    bounds: Bounds<V>,
}

impl<V: Value> Distribution<V> {
    pub(super) fn new(tree: NoisyTree, grid: Grid, bounds: Bounds<V>) -> Self {
        Distribution { tree, grid, bounds }
    }

    /// The value below which about a share `q` of the rows lies; `q` is clamped to 0 to 1.
    #[must_use]
    pub fn quantile(&self, q: f64) -> V::Released {
        V::released(self.tree.quantile(q).into(), &self.grid)
    }

    /// The median.
    #[must_use]
    pub fn median(&self) -> V::Released {
        self.quantile(0.5)
    }

    /// The estimated share of rows whose value is at most `value`: the cumulative distribution
    /// function. 0 for NaN.
    #[must_use]
    pub fn share_upto(&self, value: V) -> f64 {
        self.step(value).map_or(0.0, |step| self.tree.share_upto(step))
    }

    /// The estimated number of rows with a value from `lower` to `upper`, both included.
    #[must_use]
    pub fn count(&self, lower: V, upper: V) -> f64 {
        match (self.step(lower), self.step(upper)) {
            (Some(lower), Some(upper)) => self.tree.count(lower..=upper),
            _ => 0.0,
        }
    }

    /// The standard deviation that noise gives [`count`](Distribution::count) of the same range; 0
    /// for NaN.
    ///
    /// The estimate is without bias where the range ends with leaves of the tree, as all ranges do that
    /// lie within up to 65,536 steps between the bounds; elsewhere interpolation adds its own error.
    #[must_use]
    pub fn count_deviation(&self, lower: V, upper: V) -> f64 {
        let steps = self.step(lower).zip(self.step(upper));
        steps.and_then(|(lower, upper)| self.tree.count_deviation(lower..=upper)).unwrap_or(0.0)
    }

    /// The estimated number of rows.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.tree.total()
    }

    /// The cumulative distribution function at `points` places evenly from bound to bound.
    #[must_use]
    pub fn curve(&self, points: usize) -> Vec<(V::Released, f64)> {
        let width = i128::from(self.grid.width());
        let last = points.saturating_sub(1).max(1) as i128;
        (0..points as i128)
            .map(|i| {
                let step = i128::from(self.grid.lower()) + width * i / last;
                let share = self.tree.share_upto(step as i64);
                (V::released(step, &self.grid), share)
            })
            .collect()
    }

    /// The tree of counts, in steps of the grid.
    #[must_use]
    pub fn tree(&self) -> &NoisyTree {
        &self.tree
    }

    fn step(&self, value: V) -> Option<i64> {
        value.to_grid(&self.bounds, &self.grid)
    }
}

impl<V> fmt::Debug for Distribution<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Distribution").field("tree", &self.tree).finish_non_exhaustive()
    }
}
