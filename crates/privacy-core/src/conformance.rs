//! The promises of the traits as functions to call from tests.
//!
//! Whoever implements [`Transformation`], [`Mechanism`] or [`Budget`] for a type of their own runs
//! these on it. They can convict, not acquit: a promise about all inputs is tried on the inputs
//! that are given, so give adversarial ones (empty data, extremes, one unit with everything).
//!
//! # Example
//!
//! ```
//! use privacy_core::conformance;
//! use privacy_core::prelude::*;
//!
//! /// Duplicates every row, but claims to leave distances alone.
//! struct Twice;
//!
//! impl Transformation for Twice {
//!     type Input = Rows<u8>;
//!     type Output = Rows<u8>;
//!     fn apply(&self, rows: &[u8]) -> Result<Vec<u8>> {
//!         Ok(rows.iter().chain(rows).copied().collect())
//!     }
//!     fn stability(&self, d_in: Changes) -> Result<Changes> {
//!         Ok(d_in)
//!     }
//! }
//!
//! let neighbours = [(vec![1, 2], vec![1])];
//! assert!(conformance::stability(&Twice, &neighbours).is_err());
//! ```

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;

use crate::budget::{Budget, RequestId};
use crate::error::Result;
use crate::measure::{Charge, Measure};
use crate::mechanism::Mechanism;
use crate::space::{Distance, DistanceOf, Measurable, Owned};
use crate::transformation::Transformation;
use crate::unit::Scope;

/// A promise that was broken. Names the promise and the position of the example.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{promise} (example {example})")]
pub struct Violation {
    /// What was promised.
    pub promise: &'static str,
    /// Which of the given examples broke it, counted from 0.
    pub example: usize,
}

/// Two members of the space `S`.
pub type Pair<S> = (Owned<S>, Owned<S>);

/// Outputs are no further apart than [`Transformation::stability`] says, and failing does not
/// depend on which of two inputs is given.
///
/// # Errors
///
/// The [`Violation`] at the first pair that breaks it.
pub fn stability<T>(
    transformation: &T,
    pairs: &[Pair<T::Input>],
) -> std::result::Result<(), Violation>
where
    T: Transformation,
    T::Input: Measurable,
    T::Output: Measurable,
{
    for (example, (a, b)) in pairs.iter().enumerate() {
        let broken = |promise| Violation { promise, example };
        let d_in = T::Input::distance(a.borrow(), b.borrow())
            .ok_or(broken("the pair is at a finite distance"))?;
        match (transformation.apply(a.borrow()), transformation.apply(b.borrow())) {
            (Ok(a), Ok(b)) => {
                let d_out = T::Output::distance(a.borrow(), b.borrow());
                let bound = transformation
                    .stability(d_in)
                    .map_err(|_| broken("a finite distance has a stability bound"))?;
                if d_out.is_none_or(|d_out| d_out > bound) {
                    return Err(broken("outputs are no further apart than the stability bound"));
                }
            }
            (Err(a), Err(b)) if a.to_string() == b.to_string() => {}
            _ => {
                return Err(broken("whether and how it fails does not depend on the data"));
            }
        }
    }
    Ok(())
}

/// The cost at distance zero is that of nothing, and grows with the distance.
///
/// `distances` must be increasing. This checks the privacy map's form; it does not draw, and says
/// nothing about whether the noise keeps the price.
///
/// # Errors
///
/// The [`Violation`] at the first distance that breaks it.
pub fn monotone_cost<M>(
    mechanism: &M,
    distances: &[DistanceOf<M::Input>],
) -> std::result::Result<(), Violation>
where
    M: Mechanism,
{
    let zero = || mechanism.cost(DistanceOf::<M::Input>::zero());
    let at_zero = zero().map_err(|_| Violation { promise: "distance 0 has a cost", example: 0 })?;
    let twice = <M::Measure as Measure>::compose(&at_zero, &at_zero);
    if twice != at_zero {
        return Err(Violation { promise: "distance 0 costs nothing", example: 0 });
    }
    let mut before = at_zero;
    for (example, distance) in distances.iter().enumerate() {
        let broken = |promise| Violation { promise, example };
        let cost =
            mechanism.cost(distance.clone()).map_err(|_| broken("a finite distance has a cost"))?;
        if cost.partial_cmp(&before).is_none_or(Ordering::is_lt) {
            return Err(broken("the cost grows with the distance"));
        }
        before = cost;
    }
    Ok(())
}

/// A budget spends what it says, refuses what does not fit without spending, and gives back what
/// is rolled back.
///
/// `unit` must fit into the budget's limit at least twice, and finitely often.
///
/// # Errors
///
/// The [`Violation`] at the first call that breaks it (the example counts calls).
///
/// # Panics
///
/// Never.
pub fn budget(
    budget: &dyn Budget,
    unit: &Charge,
    scope: Scope,
) -> std::result::Result<(), Violation> {
    let mut example = 0;
    let mut step = |held: Result<bool>, promise| {
        example += 1;
        match held {
            Ok(true) => Ok(()),
            _ => Err(Violation { promise, example: example - 1 }),
        }
    };
    let name = |i: u32| RequestId::new(format!("conformance {i}"));
    let full =
        budget.remaining().map_err(|_| Violation { promise: "remaining answers", example: 0 })?;

    let rolled = budget.reserve(&name(0), unit, scope).and_then(|r| {
        let set_aside = budget.remaining()? != full;
        budget.roll_back(r)?;
        Ok(set_aside && budget.remaining()? == full)
    });
    step(rolled, "a reservation sets aside and a roll-back restores exactly")?;

    let committed = budget.reserve(&name(1), unit, scope).and_then(|r| {
        budget.commit(r)?;
        Ok(budget.reserve(&name(1), unit, scope).is_err())
    });
    step(committed, "a request that was paid is not paid again")?;

    let mut i = 2;
    while let Ok(reservation) = budget.reserve(&name(i), unit, scope) {
        step(budget.commit(reservation).map(|()| true), "an open reservation commits")?;
        i += 1;
    }
    let left = budget.remaining();
    let again = budget.reserve(&name(i + 1), unit, scope).is_err();
    let unchanged = left.and_then(|left| Ok(again && budget.remaining()? == left));
    step(unchanged, "a refusal spends nothing")
}

/// The texts that `value` shows of itself contain none of `secrets`.
///
/// # Errors
///
/// The [`Violation`] at the first secret that shows.
pub fn quiet<T: fmt::Debug>(value: &T, secrets: &[&str]) -> std::result::Result<(), Violation> {
    let shown = [format!("{value:?}"), format!("{value:#?}")];
    match secrets.iter().position(|secret| shown.iter().any(|text| text.contains(secret))) {
        None => Ok(()),
        Some(example) => Err(Violation { promise: "Debug shows no data", example }),
    }
}
