//! Measures of privacy loss, and the charge a release makes on a budget.
//!
//! A [`Measure`] is a type: a mechanism names the one its cost is proven in. A [`Charge`] is the
//! value that travels to a budget at run time; it carries every bound that is proven for the same
//! release, and a budget takes the one it understands.

mod charge;
mod costs;

use std::fmt;

pub use charge::{Allowance, Charge};
pub use costs::{ApproxCost, PureCost, RenyiCost, RenyiPoint, ZcdpCost};

/// A way to measure how much a release may reveal.
///
/// # Privacy
///
/// An implementation promises that `compose` and `group` are upper bounds, also where the second
/// release was chosen after the first was seen.
pub trait Measure: Copy + fmt::Debug + Send + Sync + 'static {
    /// The cost of a release in this measure.
    type Cost: Clone + PartialEq + PartialOrd + fmt::Debug + fmt::Display + Send + Sync;

    /// The cost of two releases from the same data, also where the second was chosen after the
    /// first was seen.
    fn compose(first: &Self::Cost, second: &Self::Cost) -> Self::Cost;

    /// A bound for neighbours `size` steps apart, from the bound for neighbours (group privacy).
    fn group(cost: &Self::Cost, size: u64) -> Self::Cost;

    /// The cost as a charge on a budget.
    fn charge(cost: &Self::Cost) -> Charge;
}

/// The cost of a release in the measure `M`.
pub type Cost<M> = <M as Measure>::Cost;

/// Pure ε-differential privacy (Dwork, McSherry, Nissim, Smith 2006).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PureDp;

/// Approximate (ε, δ)-differential privacy (Dwork, Kenthapadi, McSherry, Mironov, Naor 2006).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApproxDp;

/// Zero-concentrated differential privacy, ρ-zCDP (Bun, Steinke 2016).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zcdp;

/// Rényi differential privacy, a bound for each of several orders (Mironov 2017).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenyiDp;

impl Measure for PureDp {
    type Cost = PureCost;

    fn compose(first: &PureCost, second: &PureCost) -> PureCost {
        PureCost { epsilon: (&first.epsilon + &second.epsilon).compacted_up() }
    }

    fn group(cost: &PureCost, size: u64) -> PureCost {
        PureCost { epsilon: &cost.epsilon * &size.into() }
    }

    fn charge(cost: &PureCost) -> Charge {
        Charge::pure(cost.epsilon.clone())
    }
}

impl Measure for ApproxDp {
    type Cost = ApproxCost;

    fn compose(first: &ApproxCost, second: &ApproxCost) -> ApproxCost {
        ApproxCost {
            epsilon: (&first.epsilon + &second.epsilon).compacted_up(),
            delta: (&first.delta + &second.delta).compacted_up(),
        }
    }

    fn group(cost: &ApproxCost, size: u64) -> ApproxCost {
        cost.group(size)
    }

    fn charge(cost: &ApproxCost) -> Charge {
        Charge::approximate(cost.epsilon.clone(), cost.delta.clone())
    }
}

impl Measure for Zcdp {
    type Cost = ZcdpCost;

    fn compose(first: &ZcdpCost, second: &ZcdpCost) -> ZcdpCost {
        ZcdpCost { rho: (&first.rho + &second.rho).compacted_up() }
    }

    /// Bun and Steinke 2016, Proposition 1.9: k²ρ.
    fn group(cost: &ZcdpCost, size: u64) -> ZcdpCost {
        ZcdpCost { rho: &cost.rho * &crate::params::Amount::from_integer(size).squared() }
    }

    fn charge(cost: &ZcdpCost) -> Charge {
        Charge::zcdp(cost.rho.clone())
    }
}

impl Measure for RenyiDp {
    type Cost = RenyiCost;

    fn compose(first: &RenyiCost, second: &RenyiCost) -> RenyiCost {
        first.compose(second)
    }

    fn group(cost: &RenyiCost, size: u64) -> RenyiCost {
        cost.group(size)
    }

    fn charge(cost: &RenyiCost) -> Charge {
        Charge::renyi(cost.clone())
    }
}
