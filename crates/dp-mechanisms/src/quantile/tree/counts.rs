//! The shape of a tree, and exact counts that have not been released.

use std::fmt;

use privacy_core::error::{Error, Result};
use privacy_core::params::Bounds;

/// The most leaves of a tree.
const MOST_LEAVES: u64 = 1 << 22;

/// Public: bounds, height and branching of a tree of counts.
///
/// The leaves of a tree of height h and branching b are b^h ranges of equal width that cover the
/// bounds; the last ones may be narrower, or lie beyond the upper bound and stay empty. Levels
/// that a small grid does not need are left out. Height 4 and branching 16 suit most data.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeShape {
    bounds: Bounds<i64>,
    height: u32,
    branching: u64,
    /// Grid points in a leaf.
    width: u64,
}

impl TreeShape {
    /// The tree of at most `height` levels with `branching` ranges under each.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless the height is at least 1 and the branching at least 2;
    /// [`Error::Overflow`] above 2^22 leaves.
    pub fn new(bounds: Bounds<i64>, height: u32, branching: u32) -> Result<Self> {
        for (parameter, requirement, given, least) in [
            ("the height of the tree", "at least 1", height, 1),
            ("the branching of the tree", "at least 2", branching, 2),
        ] {
            if given < least {
                return Err(Error::Parameter { parameter, requirement, given: given.into() });
            }
        }
        let branching = u64::from(branching);
        let points = u128::from(bounds.lower().abs_diff(bounds.upper())) + 1;
        let (mut levels, mut leaves) = (1, branching);
        while levels < height && u128::from(leaves) < points && leaves <= MOST_LEAVES {
            levels += 1;
            leaves *= branching;
        }
        if leaves > MOST_LEAVES {
            return Err(Error::Overflow {
                quantity: "the number of leaves of the tree",
                limit: "2^22",
            });
        }
        // 2^64 points in two leaves or more: at most 2^63 in each.
        let width = points.div_ceil(leaves.into()) as u64;
        Ok(TreeShape { bounds, height: levels, branching, width })
    }

    /// The bounds that values are clamped into.
    #[must_use]
    pub fn bounds(&self) -> &Bounds<i64> {
        &self.bounds
    }

    /// The number of levels, the root left out.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// How many ranges a range is divided into.
    #[must_use]
    pub fn branching(&self) -> u64 {
        self.branching
    }

    /// The number of grid points in a leaf: the resolution of the tree.
    #[must_use]
    pub fn leaf_width(&self) -> u64 {
        self.width
    }

    /// The number of ranges on all levels.
    #[must_use]
    pub fn nodes(&self) -> usize {
        (1..=self.height).map(|level| self.on_level(level)).sum()
    }

    pub(super) fn leaves(&self) -> usize {
        self.on_level(self.height)
    }

    pub(super) fn on_level(&self, level: u32) -> usize {
        self.branching.pow(level) as usize
    }

    /// Counts values, clamped into the bounds. The counts are exact and private.
    #[must_use]
    pub fn count(&self, values: &[i64]) -> TreeCounts {
        let mut leaves = vec![0u64; self.leaves()];
        let lower = self.bounds.lower();
        for value in values {
            let leaf = lower.abs_diff(self.bounds.clamp(*value)) / self.width;
            leaves[leaf as usize] += 1;
        }
        TreeCounts { shape: self.clone(), leaves }
    }
}

/// Exact counts of a tree: private, to be merged and then
/// [released](super::QuantileTree::release).
pub struct TreeCounts {
    shape: TreeShape,
    leaves: Vec<u64>,
}

impl TreeCounts {
    /// The shape.
    #[must_use]
    pub fn shape(&self) -> &TreeShape {
        &self.shape
    }

    /// Adds the counts of other rows.
    ///
    /// # Errors
    ///
    /// [`Error::Domain`] if they have another shape.
    pub fn merge(&mut self, other: &TreeCounts) -> Result<()> {
        if self.shape != other.shape {
            return Err(Error::Domain {
                step: "merging trees",
                expected: "two trees of the same shape",
            });
        }
        for (count, more) in self.leaves.iter_mut().zip(&other.leaves) {
            *count = count.saturating_add(*more);
        }
        Ok(())
    }

    /// The counts of all ranges, level by level from the top.
    pub(super) fn nodes(&self) -> Vec<i128> {
        let branching = self.shape.branching as usize;
        let mut levels = vec![self.leaves.iter().map(|n| i128::from(*n)).collect::<Vec<_>>()];
        for _ in 1..self.shape.height {
            let below = levels.last().map(Vec::as_slice).unwrap_or_default();
            levels.push(below.chunks(branching).map(|children| children.iter().sum()).collect());
        }
        levels.into_iter().rev().flatten().collect()
    }
}

impl fmt::Debug for TreeCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TreeCounts").field("shape", &self.shape).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(lower: i64, upper: i64, height: u32, branching: u32) -> Result<TreeShape> {
        TreeShape::new(Bounds::new(lower, upper).unwrap(), height, branching)
    }

    #[test]
    fn values_fall_into_their_ranges() {
        let counts = shape(-2, 5, 3, 2).unwrap().count(&[-9, -2, -1, 0, 5, 900]);
        let nodes = counts.nodes();
        assert_eq!(nodes[..2], [4, 2]);
        assert_eq!(nodes[2..6], [3, 1, 0, 2]);
        assert_eq!(nodes[6..], [2, 1, 1, 0, 0, 0, 0, 2]);
    }

    #[test]
    fn merging_is_counting_together() {
        let shape = shape(0, 99, 2, 4).unwrap();
        let mut merged = shape.count(&[3, 50]);
        merged.merge(&shape.count(&[98, 3])).unwrap();
        assert_eq!(merged.nodes(), shape.count(&[3, 3, 50, 98]).nodes());
        let other = TreeShape::new(Bounds::new(0, 98).unwrap(), 2, 4).unwrap();
        assert!(merged.merge(&other.count(&[])).is_err());
    }

    #[test]
    fn extreme_grids_and_shapes() {
        let widest = shape(i64::MIN, i64::MAX, 4, 16).unwrap();
        assert_eq!((widest.leaf_width(), widest.nodes()), (1 << 48, 69_904));
        let ends = widest.count(&[i64::MIN, i64::MAX]).nodes();
        assert_eq!((ends[0], ends[15]), (1, 1));
        let tiny = shape(0, 20, 9, 16).unwrap();
        assert_eq!((tiny.height(), tiny.leaf_width()), (2, 1));
        for (height, branching) in [(0, 2), (1, 1), (23, 2), (1, u32::MAX)] {
            assert!(shape(i64::MIN, i64::MAX, height, branching).unwrap_err().is_parameter());
        }
    }

    #[test]
    fn counts_do_not_show() {
        let counts = shape(0, 99, 2, 4).unwrap().count(&[7; 12_345]);
        assert!(!format!("{counts:?}").contains("12345"));
    }
}
