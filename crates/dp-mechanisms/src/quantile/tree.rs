//! A tree of noisy counts that answers any quantile or range afterwards.

mod counts;
mod noisy;

use std::fmt;
use std::marker::PhantomData;

use privacy_core::error::{Error, Result};
use privacy_core::measure::{Charge, Cost};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Epsilon, Rho};
use privacy_core::random::SecureRng;
use privacy_core::space::{Changes, L1, L2, L2Distance, Norm, Rows, Vector};
use privacy_core::unit::{AddRemove, Adjacency, Record, Relation};

use crate::additive::{GaussianNoise, LaplaceNoise};

pub use counts::{TreeCounts, TreeShape};
pub use noisy::NoisyTree;

/// Releases a [`NoisyTree`]: counts of a hierarchy of ranges, with noise on each.
///
/// Each level of the tree divides the bounds into ranges, each of which the next level divides
/// further (Hay, Rastogi, Miklau and Suciu 2010, <https://arxiv.org/abs/0904.0942>). Made once, it
/// answers any number of quantiles, range counts and shares, and trees of the same shape from
/// disjoint data merge. For a few quantiles known in advance
/// [`ApproxQuantiles`](super::ApproxQuantiles) is more accurate.
///
/// # Privacy
///
/// A record is counted once on each of h levels: adding or removing one changes the counts by h in
/// L1 and √h in L2, replacing one by 2h and √(2h); d changes to at most d times that. With discrete
/// Laplace noise of scale t: ε = distance/t; with discrete Gaussian noise of variance parameter σ²:
/// ρ = distance²/(2σ²). See [`LaplaceNoise`] and [`GaussianNoise`]. Shape and bounds are public;
/// what is read from the tree is post-processing.
///
/// # Example
///
/// ```
/// use dp_mechanisms::quantile::{QuantileTree, TreeShape};
/// use privacy_core::prelude::*;
///
/// let shape = TreeShape::new(Bounds::new(0, 9_999)?, 4, 10)?;
/// let tree: QuantileTree<_> = QuantileTree::laplace(shape, &Epsilon::new(1.0)?)?;
/// assert_eq!(tree.cost(Changes::NEIGHBOURS)?.epsilon, Amount::from_integer(1));
///
/// let sizes: Vec<i64> = (0..20_000).map(|i| i % 5000).collect();
/// let noisy = tree.draw(&sizes, &mut SystemRng::new()?)?;
/// let median = noisy.quantile(0.5);
/// assert!((2000..3000).contains(&median));
/// assert!((noisy.count(0..=2499) - 10_000.0).abs() < 1000.0);
/// # Ok::<(), privacy_core::Error>(())
/// ```
pub struct QuantileTree<N, A = AddRemove> {
    shape: TreeShape,
    noise: N,
    adjacency: PhantomData<fn() -> A>,
}

impl<A: Adjacency> QuantileTree<LaplaceNoise<Vector<i128, L1>>, A> {
    /// The tree with discrete Laplace noise that costs `epsilon` between neighbours.
    ///
    /// # Errors
    ///
    /// A [`NoiseError`](crate::noise::NoiseError) if the scale is above the range of the sampler.
    pub fn laplace(shape: TreeShape, epsilon: &Epsilon) -> Result<Self> {
        let distance = <L1 as TreeNorm>::distance::<A>(&shape, Changes::NEIGHBOURS);
        let noise = LaplaceNoise::calibrated(&distance, epsilon).map_err(Error::technique)?;
        Ok(QuantileTree { shape, noise, adjacency: PhantomData })
    }
}

impl<A: Adjacency> QuantileTree<GaussianNoise<Vector<i128, L2>>, A> {
    /// The tree with discrete Gaussian noise that costs `rho`-zCDP between neighbours.
    ///
    /// # Errors
    ///
    /// A [`NoiseError`](crate::noise::NoiseError) if the variance is above the range of the
    /// sampler.
    pub fn gaussian(shape: TreeShape, rho: &Rho) -> Result<Self> {
        let distance = <L2 as TreeNorm>::distance::<A>(&shape, Changes::NEIGHBOURS);
        let noise = GaussianNoise::calibrated(&distance, rho).map_err(Error::technique)?;
        Ok(QuantileTree { shape, noise, adjacency: PhantomData })
    }
}

impl<N, A> QuantileTree<N, A> {
    /// The shape.
    #[must_use]
    pub fn shape(&self) -> &TreeShape {
        &self.shape
    }

    /// The mechanism that puts noise on the counts.
    #[must_use]
    pub fn noise(&self) -> &N {
        &self.noise
    }

    /// Releases counts that were collected, and perhaps merged, beforehand; costs what
    /// [`draw`](Mechanism::draw) costs.
    ///
    /// # Errors
    ///
    /// [`Error::Domain`] if the counts have another shape; [`Error::Entropy`].
    pub fn release<M: TreeNorm>(
        &self,
        counts: &TreeCounts,
        rng: &mut dyn SecureRng,
    ) -> Result<NoisyTree>
    where
        N: Mechanism<Input = Vector<i128, M>, Output = Vec<i128>>,
    {
        if *counts.shape() != self.shape {
            return Err(Error::Domain {
                step: "a quantile tree",
                expected: "counts of the shape of the tree",
            });
        }
        let noisy = self.noise.draw(&counts.nodes(), rng)?;
        let deviation = self.noise.law().standard_deviation();
        Ok(NoisyTree::new(self.shape.clone(), &noisy, deviation.map(|d| d * d)))
    }
}

/// The norms in which the counts of a tree have a known sensitivity: [`L1`] and [`L2`].
pub trait TreeNorm: Norm {
    /// How far `changes` move the counts of a tree of `shape`.
    fn distance<A: Adjacency>(shape: &TreeShape, changes: Changes) -> Self::Distance;
}

/// Levels times changes, twice under replacement.
fn moved<A: Adjacency>(shape: &TreeShape, changes: Changes) -> Amount {
    let sides = match A::RELATION {
        Relation::AddRemove => 1,
        _ => 2,
    };
    &Amount::from_integer(sides * u64::from(shape.height())) * &changes.0.into()
}

impl TreeNorm for L1 {
    fn distance<A: Adjacency>(shape: &TreeShape, changes: Changes) -> Amount {
        moved::<A>(shape, changes)
    }
}

impl TreeNorm for L2 {
    fn distance<A: Adjacency>(shape: &TreeShape, changes: Changes) -> L2Distance {
        // All changes in the same leaf, or from one leaf to another.
        L2Distance::from_squared(&moved::<A>(shape, changes) * &changes.0.into())
    }
}

impl<N, M, A> Mechanism for QuantileTree<N, A>
where
    N: Mechanism<Input = Vector<i128, M>, Output = Vec<i128>>,
    M: TreeNorm,
    A: Adjacency,
{
    type Input = Rows<i64, Record, A>;
    type Measure = N::Measure;
    type Output = NoisyTree;

    fn draw(&self, values: &[i64], rng: &mut dyn SecureRng) -> Result<NoisyTree> {
        self.release(&self.shape.count(values), rng)
    }

    fn cost(&self, d_in: Changes) -> Result<Cost<N::Measure>> {
        self.noise.cost(M::distance::<A>(&self.shape, d_in))
    }

    fn charge(&self, d_in: Changes) -> Result<Charge> {
        self.noise.charge(M::distance::<A>(&self.shape, d_in))
    }
}

impl<N: Clone, A> Clone for QuantileTree<N, A> {
    fn clone(&self) -> Self {
        let (shape, noise) = (self.shape.clone(), self.noise.clone());
        QuantileTree { shape, noise, adjacency: PhantomData }
    }
}

impl<N: fmt::Debug, A> fmt::Debug for QuantileTree<N, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QuantileTree")
            .field("shape", &self.shape)
            .field("noise", &self.noise)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::conformance;
    use privacy_core::params::Bounds;
    use privacy_core::random::InsecureTestRng;
    use privacy_core::space::Measurable;
    use privacy_core::unit::Replace;

    use super::*;

    fn shape() -> TreeShape {
        TreeShape::new(Bounds::new(0, 7).unwrap(), 3, 2).unwrap()
    }

    #[test]
    fn counts_move_by_exactly_the_sensitivity() {
        let (one, none) = (shape().count(&[3, 5]).nodes(), shape().count(&[3]).nodes());
        let d1 = <Vector<i128, L1> as Measurable>::distance(&one, &none).unwrap();
        assert_eq!(d1, <L1 as TreeNorm>::distance::<AddRemove>(&shape(), Changes(1)));
        let (mut far1, mut far2) = (Amount::ZERO, Amount::ZERO);
        for to in 0..8 {
            let other = shape().count(&[3, to]).nodes();
            far1 = far1.max(<Vector<i128, L1> as Measurable>::distance(&one, &other).unwrap());
            let d2 = <Vector<i128, L2> as Measurable>::distance(&one, &other).unwrap();
            far2 = far2.max(d2.squared().clone());
        }
        assert_eq!(far1, <L1 as TreeNorm>::distance::<Replace>(&shape(), Changes(1)));
        let claimed = <L2 as TreeNorm>::distance::<Replace>(&shape(), Changes(1));
        assert_eq!(far2, *claimed.squared());
        // Two changes in one leaf: four times the square.
        let (two, none) = (shape().count(&[3, 3]).nodes(), shape().count(&[]).nodes());
        let d2 = <Vector<i128, L2> as Measurable>::distance(&two, &none).unwrap();
        assert_eq!(d2, <L2 as TreeNorm>::distance::<AddRemove>(&shape(), Changes(2)));
    }

    #[test]
    fn prices_come_from_the_noise() {
        let epsilon = Epsilon::new(0.6).unwrap();
        let laplace = QuantileTree::<_, AddRemove>::laplace(shape(), &epsilon).unwrap();
        assert_eq!(*laplace.noise().scale(), Amount::from_integer(5));
        assert_eq!(laplace.cost(Changes(1)).unwrap().epsilon, *epsilon.amount());
        conformance::monotone_cost(&laplace, &[Changes(1), Changes(2)]).unwrap();
        let rho = Rho::new(0.5).unwrap();
        let gaussian = QuantileTree::<_, Replace>::gaussian(shape(), &rho).unwrap();
        assert_eq!(*gaussian.noise().variance(), Amount::from_integer(6));
        assert_eq!(gaussian.cost(Changes(1)).unwrap().rho, *rho.amount());
        conformance::monotone_cost(&gaussian, &[Changes(1), Changes(2)]).unwrap();
    }

    #[test]
    fn counts_of_another_shape_are_refused() {
        let tree =
            QuantileTree::<_, AddRemove>::laplace(shape(), &Epsilon::new(1.0).unwrap()).unwrap();
        let other = TreeShape::new(Bounds::new(0, 7).unwrap(), 1, 8).unwrap().count(&[1]);
        let mut rng = InsecureTestRng::from_seed(1);
        assert!(matches!(tree.release(&other, &mut rng), Err(Error::Domain { .. })));
    }
}
