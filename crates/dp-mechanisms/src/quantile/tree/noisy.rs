//! What can be read from a released tree.

use std::ops::RangeInclusive;

use privacy_core::error::{Error, Result};

use super::TreeShape;

/// A released tree of counts, made consistent: each range is the sum of its parts.
///
/// # Privacy
///
/// Everything here is post-processing of the noisy counts, which were paid for.
///
/// # Accuracy
///
/// The least-squares fit of all counts that agree with one another, by one pass up and one down
/// (Hay, Rastogi, Miklau and Suciu 2010): without bias, and of the smallest variance
/// that any linear unbiased reading of the noisy counts has. Counts are estimates: they may be
/// fractions, and below 0.
#[derive(Clone, Debug, PartialEq)]
pub struct NoisyTree {
    shape: TreeShape,
    /// Consistent counts, level by level from the top.
    levels: Vec<Vec<f64>>,
    /// Sums of the leaves up to and excluding each.
    before: Vec<f64>,
    /// Of the noise on each count, where its law states it.
    noise_variance: Option<f64>,
}

impl NoisyTree {
    pub(super) fn new(shape: TreeShape, noisy: &[i128], noise_variance: Option<f64>) -> Self {
        let mut rest = noisy.iter().map(|n| *n as f64);
        let levels: Vec<Vec<f64>> = (1..=shape.height())
            .map(|level| rest.by_ref().take(shape.on_level(level)).collect())
            .collect();
        let levels = consistent(levels, shape.branching() as usize);
        Self::from_levels(shape, levels, noise_variance)
    }

    fn from_levels(shape: TreeShape, levels: Vec<Vec<f64>>, noise_variance: Option<f64>) -> Self {
        let leaves = levels.last().map(Vec::as_slice).unwrap_or_default();
        let mut before = vec![0.0];
        let mut sum = 0.0;
        before.extend(leaves.iter().map(|leaf| {
            sum += leaf;
            sum
        }));
        NoisyTree { shape, levels, before, noise_variance }
    }

    /// The shape.
    #[must_use]
    pub fn shape(&self) -> &TreeShape {
        &self.shape
    }

    /// The counts, level by level from the top.
    pub(crate) fn levels(&self) -> &[Vec<f64>] {
        &self.levels
    }

    /// The estimated number of values.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.levels.first().map_or(0.0, |top| top.iter().sum())
    }

    /// The estimated number of values in a range; within a leaf by interpolation.
    #[must_use]
    pub fn count(&self, range: RangeInclusive<i64>) -> f64 {
        let (low, high) = range.into_inner();
        if low > high { 0.0 } else { self.upto(high.into()) - self.upto(i128::from(low) - 1) }
    }

    /// The standard deviation that noise gives [`count`](NoisyTree::count) of the same range; `None`
    /// for noise whose law states none. What interpolation within a leaf errs by comes on top.
    ///
    /// Takes as long as the fit of a tree.
    #[must_use]
    pub fn count_deviation(&self, range: RangeInclusive<i64>) -> Option<f64> {
        let (low, high) = range.into_inner();
        if low > high {
            return Some(0.0);
        }
        // A count is a sum of fitted leaves, and the fit is an orthogonal projection, as all counts
        // have the same noise: the weights of the noisy counts are the projection of the sum's own,
        // and their squares add up to what the sum reads of the projection.
        let (first, last) = (self.place(i128::from(low) - 1), self.place(high.into()));
        let share = |leaf: usize| {
            let upto = |place: f64| (place - leaf as f64).clamp(0.0, 1.0);
            upto(last) - upto(first)
        };
        let of_level = |level: u32| {
            let nodes = self.shape.on_level(level);
            let leaves = level == self.shape.height();
            (0..nodes).map(|node| if leaves { share(node) } else { 0.0 }).collect()
        };
        let levels = (1..=self.shape.height()).map(of_level).collect();
        let weights = consistent(levels, self.shape.branching() as usize);
        let leaves = weights.last().map(Vec::as_slice).unwrap_or_default();
        let squares: f64 = leaves.iter().enumerate().map(|(leaf, w)| share(leaf) * w).sum();
        Some((self.noise_variance? * squares.max(0.0)).sqrt())
    }

    /// How many leaves end at or before `point`, with the part of the next that does.
    fn place(&self, point: i128) -> f64 {
        let width = i128::from(self.shape.leaf_width());
        let bounds = self.shape.bounds();
        let points = point.min(bounds.upper().into()) - i128::from(bounds.lower()) + 1;
        let points = points.max(0);
        (points / width) as f64 + (points % width) as f64 / width as f64
    }

    /// The estimated share of values that are at most `point`, from 0 to 1; 1 at the upper bound.
    #[must_use]
    pub fn share_upto(&self, point: i64) -> f64 {
        let total = self.total();
        if point >= self.shape.bounds().upper() {
            1.0
        } else if total > 0.0 {
            (self.upto(point.into()) / total).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// The point below which about a share `q` of the values lies: descends the tree by the share
    /// of each range, counts below 0 taken as 0, and interpolates within a leaf.
    ///
    /// `q` is clamped to 0 to 1 (NaN is 0). Larger `q` give larger or equal points. If no count is
    /// above 0 the answer is that of evenly spread values.
    #[must_use]
    pub fn quantile(&self, q: f64) -> i64 {
        let branching = self.shape.branching() as usize;
        let mut share = if q > 0.0 { q.min(1.0) } else { 0.0 };
        let mut node = 0;
        for level in &self.levels {
            let children = &level[node * branching..(node + 1) * branching];
            let total: f64 = children.iter().map(|count| count.max(0.0)).sum();
            let (child, rest) = descend(children, share, total);
            node = node * branching + child;
            share = rest;
        }
        let bounds = self.shape.bounds();
        let width = self.shape.leaf_width();
        let start = i128::from(bounds.lower()) + node as i128 * i128::from(width);
        // The points of the leaf are start..start + width.
        let offset = ((share * width as f64) as u64).min(width - 1);
        let point = start + i128::from(offset);
        point.clamp(bounds.lower().into(), bounds.upper().into()) as i64
    }

    /// Several quantiles.
    #[must_use]
    pub fn quantiles(&self, qs: &[f64]) -> Vec<i64> {
        qs.iter().map(|q| self.quantile(*q)).collect()
    }

    /// The median.
    #[must_use]
    pub fn median(&self) -> i64 {
        self.quantile(0.5)
    }

    /// Adds a tree released from other rows, with noise of its own.
    ///
    /// # Errors
    ///
    /// [`Error::Domain`] if it has another shape.
    pub fn merge(&self, other: &NoisyTree) -> Result<NoisyTree> {
        if self.shape != other.shape {
            return Err(Error::Domain {
                step: "merging trees",
                expected: "two trees of the same shape",
            });
        }
        let levels = self.levels.iter().zip(&other.levels);
        let levels = levels.map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + b).collect()).collect();
        let variances = self.noise_variance.zip(other.noise_variance);
        Ok(Self::from_levels(self.shape.clone(), levels, variances.map(|(a, b)| a + b)))
    }

    /// The estimated number of values up to `point`.
    fn upto(&self, point: i128) -> f64 {
        let width = i128::from(self.shape.leaf_width());
        let bounds = self.shape.bounds();
        let points = point.min(bounds.upper().into()) - i128::from(bounds.lower()) + 1;
        if points <= 0 {
            return 0.0;
        }
        let (leaf, part) = ((points / width) as usize, points % width);
        let whole = self.before.get(leaf).copied().unwrap_or_default();
        let next = self.before.get(leaf + 1).copied().unwrap_or(whole);
        whole + (next - whole) * (part as f64 / width as f64)
    }
}

/// The child in which the share `share` of `total` is reached, and the share left within it.
fn descend(children: &[f64], share: f64, total: f64) -> (usize, f64) {
    if total <= 0.0 {
        let position = share * children.len() as f64;
        let child = (position as usize).min(children.len() - 1);
        return (child, (position - child as f64).clamp(0.0, 1.0));
    }
    let mut left = share * total;
    let mut last = (0, 0.0);
    for (child, count) in children.iter().enumerate().filter(|(_, count)| **count > 0.0) {
        if left <= *count {
            return (child, (left / count).clamp(0.0, 1.0));
        }
        left -= count;
        last = (child, 1.0);
    }
    // Rounding left a little over.
    last
}

/// Each level's counts made to agree with the others by weighted least squares.
fn consistent(mut levels: Vec<Vec<f64>>, branching: usize) -> Vec<Vec<f64>> {
    let b = branching as f64;
    // Up: a count is averaged with the sum of its parts, by the inverse of their variances.
    let mut power = b; // b^(levels below)
    for upper in (0..levels.len().saturating_sub(1)).rev() {
        let (above, below) = levels.split_at_mut(upper + 1);
        let own = (power * b - power) / (power * b - 1.0);
        for (node, parts) in above[upper].iter_mut().zip(below[0].chunks(branching)) {
            *node = own * *node + (1.0 - own) * parts.iter().sum::<f64>();
        }
        power *= b;
    }
    // Down: what a count differs from the sum of its parts is shared among them.
    for upper in 0..levels.len().saturating_sub(1) {
        let (above, below) = levels.split_at_mut(upper + 1);
        for (node, parts) in above[upper].iter().zip(below[0].chunks_mut(branching)) {
            let excess = (node - parts.iter().sum::<f64>()) / b;
            parts.iter_mut().for_each(|part| *part += excess);
        }
    }
    levels
}

#[cfg(test)]
mod tests {
    use privacy_core::mechanism::Mechanism;
    use privacy_core::params::{Bounds, Epsilon};
    use privacy_core::random::InsecureTestRng;
    use privacy_core::unit::AddRemove;

    use super::super::QuantileTree;
    use super::*;

    fn shape(upper: i64, height: u32, branching: u32) -> TreeShape {
        TreeShape::new(Bounds::new(0, upper).unwrap(), height, branching).unwrap()
    }

    fn exact(shape: &TreeShape, values: &[i64]) -> NoisyTree {
        NoisyTree::new(shape.clone(), &shape.count(values).nodes(), None)
    }

    #[test]
    fn exact_counts_stay_what_they_are() {
        let values: Vec<i64> = (0..1000).map(|i| i * i % 97).collect();
        let shape = shape(99, 3, 5);
        let tree = exact(&shape, &values);
        assert!((tree.total() - 1000.0).abs() < 1e-9);
        for (low, high) in [(0, 99), (0, 0), (13, 57), (-5, 200), (98, 99), (5, 4)] {
            let truth = values.iter().filter(|v| (low..=high).contains(*v)).count() as f64;
            assert!((tree.count(low..=high) - truth).abs() < 1e-9, "{low}..={high}");
        }
        let mut sorted = values;
        sorted.sort_unstable();
        for (i, q) in [0.1, 0.25, 0.5, 0.9].iter().enumerate() {
            let truth = sorted[(q * 1000.0) as usize];
            assert!((tree.quantile(*q) - truth).abs() <= 1, "{i}");
        }
        assert!((tree.share_upto(40) - tree.count(0..=40) / 1000.0).abs() < 1e-12);
    }

    #[test]
    fn the_fit_is_that_of_least_squares() {
        // The normal equations: the residuals of all ranges over a leaf sum to zero.
        let shape = shape(26, 3, 3);
        let noisy: Vec<i128> = (0..39).map(|i| (i * i * 7 + 3 * i) % 41 - 5).collect();
        let tree = NoisyTree::new(shape, &noisy, None);
        let fitted: Vec<f64> = tree.levels.iter().flatten().copied().collect();
        for leaf in 0..27 {
            let path = [leaf / 9, 3 + leaf / 3, 12 + leaf];
            let sum: f64 = path.iter().map(|&node| noisy[node] as f64 - fitted[node]).sum();
            assert!(sum.abs() < 1e-9, "leaf {leaf}: {sum}");
        }
        for node in 0..12 {
            let children = 3 + 3 * node;
            let sum: f64 = fitted[children..children + 3].iter().sum();
            assert!((fitted[node] - sum).abs() < 1e-9);
        }
    }

    #[test]
    fn quantiles_grow_and_stay_within_the_bounds_whatever_the_counts() {
        let shape = TreeShape::new(Bounds::new(i64::MIN, i64::MAX).unwrap(), 3, 4).unwrap();
        let cases: [Vec<i128>; 3] = [
            vec![0; shape.nodes()],
            (0..shape.nodes() as i128).map(|i| i * 37 % 19 - 12).collect(),
            vec![i128::MIN / 4; shape.nodes()],
        ];
        for noisy in cases {
            let tree = NoisyTree::new(shape.clone(), &noisy, None);
            let qs: Vec<f64> = (-1..=101).map(|i| f64::from(i) / 100.0).collect();
            assert!(tree.quantiles(&qs).is_sorted());
            assert_eq!(tree.quantile(f64::NAN), tree.quantile(0.0));
            assert!((0.0..=1.0).contains(&tree.share_upto(0)));
        }
        let even = NoisyTree::new(shape.clone(), &vec![0; shape.nodes()], None);
        assert_eq!(even.quantile(0.0), i64::MIN);
        assert_eq!(even.quantile(1.0), i64::MAX);
    }

    #[test]
    fn deviations_of_counts_are_those_of_their_weights() {
        // Weights by hand: what a single noisy count of 1 adds to the count of a range.
        let shape = shape(17, 2, 4);
        let tree = NoisyTree::new(shape.clone(), &vec![0; shape.nodes()], Some(9.0));
        for (low, high) in [(0, 17), (0, 0), (3, 12), (4, 4), (-9, 5), (7, 6)] {
            let of_node = |node: usize| {
                let mut noisy = vec![0; shape.nodes()];
                noisy[node] = 1;
                NoisyTree::new(shape.clone(), &noisy, None).count(low..=high)
            };
            let squares: f64 = (0..shape.nodes()).map(|node| of_node(node).powi(2)).sum();
            let ours = tree.count_deviation(low..=high).unwrap();
            assert!((ours - 3.0 * squares.sqrt()).abs() < 1e-9, "{low}..={high}: {ours}");
        }
        let double = tree.merge(&tree).unwrap().count_deviation(0..=17).unwrap();
        let once = tree.count_deviation(0..=17).unwrap();
        assert!((double / once - 2f64.sqrt()).abs() < 1e-12);
        assert!(exact(&shape, &[1]).count_deviation(0..=9).is_none());
    }

    #[test]
    fn merged_trees_count_together() {
        let shape = shape(99, 2, 4);
        let merged = exact(&shape, &[3, 50]).merge(&exact(&shape, &[98])).unwrap();
        assert!((merged.total() - 3.0).abs() < 1e-9);
        let other = TreeShape::new(Bounds::new(0, 98).unwrap(), 2, 4).unwrap();
        assert!(merged.merge(&exact(&other, &[])).is_err());
    }

    #[test]
    fn consistency_reduces_the_error_of_a_leaf() {
        // Mean squared errors over the leaves of 30 trees: the fit halves at least a tenth.
        let shape = shape(255, 4, 4);
        let mechanism =
            QuantileTree::<_, AddRemove>::laplace(shape.clone(), &Epsilon::new(1.0).unwrap())
                .unwrap();
        let mut rng = InsecureTestRng::from_seed(41);
        let mut error = 0.0;
        for _ in 0..30 {
            let tree = mechanism.draw(&[], &mut rng).unwrap();
            error += tree.levels[3].iter().map(|leaf| leaf * leaf).sum::<f64>() / 256.0 / 30.0;
        }
        // Scale 4: a noisy leaf alone has variance 2r/(1-r)^2 = 31.8.
        assert!(error < 31.8 * 0.9, "{error}");
    }
}
