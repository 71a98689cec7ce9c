//! Which order statistic is asked for, and by which mechanism it is answered.

use std::fmt;
use std::marker::PhantomData;

use privacy_core::error::Result;
use privacy_core::measure::Allowance;
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Bounds, Confidence, Epsilon, Rho};
use privacy_core::release::{ErrorLaw, Interval};
use privacy_core::space::{L1, L2, Rows, Vector};
use privacy_core::unit::{AddRemove, Record};

use super::distribution::Distribution;
use crate::additive::{GaussianNoise, LaplaceNoise};
use crate::grid::{Grid, Value};
use crate::quantile::{ApproxQuantiles, NoisyTree, Quantile, QuantileTree, TreeShape};

/// The values on their grid; neighbours differ in single values.
type Steps = Rows<i64, Record, AddRemove>;

/// An order statistic: the mechanism that answers it at a price for each changed value.
///
/// Implemented by the types beside it.
pub trait OrderKind: fmt::Debug + Send + Sync + 'static {
    /// What the mechanism draws, in steps of the grid.
    type Steps;
    /// What is released.
    type Output<V: Value>;
    /// The mechanism priced in ε.
    type Pure: Mechanism<Input = Steps, Output = Self::Steps>;
    /// The mechanism priced in ρ.
    type Concentrated: Mechanism<Input = Steps, Output = Self::Steps>;

    /// The same question to a session whose budget is `limit`: which mechanism is cheap depends on
    /// the measure.
    #[must_use]
    fn paid_from(self, _limit: &Allowance) -> Self
    where
        Self: Sized,
    {
        self
    }

    /// The mechanism that costs `epsilon` for each changed value.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] if a quantile is out of range.
    fn pure(&self, bounds: Bounds<i64>, epsilon: &Epsilon) -> Result<Self::Pure>;

    /// The mechanism that costs `rho` for a changed value.
    ///
    /// # Errors
    ///
    /// As [`OrderKind::pure`].
    fn concentrated(&self, bounds: Bounds<i64>, rho: &Rho) -> Result<Self::Concentrated>;

    /// What was drawn, in the units of the values.
    fn read<V: Value>(drawn: Self::Steps, grid: &Grid, bounds: &Bounds<V>) -> Self::Output<V>;

    /// Its name in plans and records.
    fn describe(&self) -> String;

    /// How many ranks the answer may be off, at a confidence, where that is known beforehand.
    fn rank_error(_: &Self::Pure, _: &Confidence) -> Option<f64> {
        None
    }

    /// As [`OrderKind::rank_error`].
    fn rank_error_concentrated(_: &Self::Concentrated, _: &Confidence) -> Option<f64> {
        None
    }
}

/// One quantile: priced in ε by permute-and-flip, where the bounds hold at most 4096 points and the
/// budget is no ρ; by the exponential mechanism otherwise.
#[derive(Clone, Debug)]
pub struct OneQuantile {
    q: Amount,
    flips: bool,
}

impl OneQuantile {
    pub(in super::super) fn new(q: Amount) -> Self {
        OneQuantile { q, flips: true }
    }
}

impl OrderKind for OneQuantile {
    type Steps = i64;
    type Output<V: Value> = V::Released;
    type Pure = Quantile;
    type Concentrated = Quantile;

    /// A budget in ρ pays ε²/8 for the exponential mechanism, and ε²/2 for permute-and-flip.
    fn paid_from(self, limit: &Allowance) -> Self {
        OneQuantile { flips: !matches!(limit, Allowance::Zcdp { .. }), ..self }
    }

    fn pure(&self, bounds: Bounds<i64>, epsilon: &Epsilon) -> Result<Quantile> {
        match self.flips && Quantile::<AddRemove>::is_small(&bounds) {
            true => Quantile::permute_and_flip(&self.q, bounds, epsilon),
            false => Quantile::new(&self.q, bounds, epsilon),
        }
    }

    fn concentrated(&self, bounds: Bounds<i64>, rho: &Rho) -> Result<Quantile> {
        Quantile::zcdp(&self.q, bounds, rho)
    }

    fn read<V: Value>(drawn: i64, grid: &Grid, _: &Bounds<V>) -> V::Released {
        V::released(drawn.into(), grid)
    }

    fn describe(&self) -> String {
        format!("quantile {}", self.q.display_up())
    }

    fn rank_error(mechanism: &Quantile, confidence: &Confidence) -> Option<f64> {
        Some(mechanism.rank_error(confidence))
    }

    fn rank_error_concentrated(mechanism: &Quantile, confidence: &Confidence) -> Option<f64> {
        Some(mechanism.rank_error(confidence))
    }
}

/// Several quantiles, by recursive halving.
#[derive(Clone, Debug)]
pub struct SeveralQuantiles(Vec<Amount>);

impl SeveralQuantiles {
    pub(in super::super) fn new(quantiles: Vec<Amount>) -> Self {
        SeveralQuantiles(quantiles)
    }
}

impl OrderKind for SeveralQuantiles {
    type Steps = Vec<i64>;
    type Output<V: Value> = Vec<V::Released>;
    type Pure = ApproxQuantiles;
    type Concentrated = ApproxQuantiles;

    fn pure(&self, bounds: Bounds<i64>, epsilon: &Epsilon) -> Result<ApproxQuantiles> {
        ApproxQuantiles::new(&self.0, bounds, epsilon)
    }

    fn concentrated(&self, bounds: Bounds<i64>, rho: &Rho) -> Result<ApproxQuantiles> {
        ApproxQuantiles::zcdp(&self.0, bounds, rho)
    }

    fn read<V: Value>(drawn: Vec<i64>, grid: &Grid, _: &Bounds<V>) -> Vec<V::Released> {
        drawn.into_iter().map(|step| V::released(step.into(), grid)).collect()
    }

    fn describe(&self) -> String {
        format!("{} quantiles", self.0.len())
    }
}

/// The distribution, by a tree of counts of height 4 with 16 ranges under each.
#[derive(Clone, Copy, Debug)]
pub struct WholeDistribution;

impl WholeDistribution {
    const HEIGHT: u32 = 4;
    const BRANCHING: u32 = 16;
}

impl OrderKind for WholeDistribution {
    type Steps = NoisyTree;
    type Output<V: Value> = Distribution<V>;
    type Pure = QuantileTree<LaplaceNoise<Vector<i128, L1>>>;
    type Concentrated = QuantileTree<GaussianNoise<Vector<i128, L2>>>;

    fn pure(&self, bounds: Bounds<i64>, epsilon: &Epsilon) -> Result<Self::Pure> {
        QuantileTree::laplace(TreeShape::new(bounds, Self::HEIGHT, Self::BRANCHING)?, epsilon)
    }

    fn concentrated(&self, bounds: Bounds<i64>, rho: &Rho) -> Result<Self::Concentrated> {
        QuantileTree::gaussian(TreeShape::new(bounds, Self::HEIGHT, Self::BRANCHING)?, rho)
    }

    fn read<V: Value>(drawn: NoisyTree, grid: &Grid, bounds: &Bounds<V>) -> Distribution<V> {
        Distribution::new(drawn, *grid, *bounds)
    }

    fn describe(&self) -> String {
        "distribution".to_owned()
    }
}

/// The law of an order statistic: it lies between the public bounds, and how close its rank is
/// depends on the mechanism (see [`Quantile::rank_error`]); how close its value is depends on the
/// data.
pub struct OrderLaw<K, V> {
    describe: String,
    bounds: (f64, f64),
    kind: PhantomData<fn() -> (K, V)>,
}

impl<K, V> OrderLaw<K, V> {
    pub(super) fn new(describe: String, bounds: (f64, f64)) -> Self {
        OrderLaw { describe, bounds, kind: PhantomData }
    }
}

impl<K, V> fmt::Debug for OrderLaw<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderLaw").field("describe", &self.describe).finish_non_exhaustive()
    }
}

impl<K: OrderKind, V: Value> ErrorLaw<K::Output<V>> for OrderLaw<K, V> {
    fn describe(&self) -> String {
        format!("{}, drawn close in rank", self.describe)
    }

    fn interval(&self, _: &K::Output<V>, _: &Confidence) -> Interval {
        Interval { lower: self.bounds.0, upper: self.bounds.1 }
    }
}
