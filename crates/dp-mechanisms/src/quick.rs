//! One noisy number, in one call: a session with one question.
//!
//! Values come from slices or from iterators, which are read once and not kept. The privacy unit is
//! one item. Where a person can contribute several items, open a
//! [`Session`](crate::session::Session) with a unit instead.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::Hash;
use std::ops::RangeInclusive;

use privacy_core::params::{Bounds, Epsilon};
use privacy_core::release::{ErrorLaw, Release};

use crate::additive::NoiseLaw;
use crate::error::Result;
use crate::grid::Value;
use crate::hash::TableHasher;
use crate::session::{Count, NeedsBounds, one_pass};

/// How many items there are, within ε-differential privacy for each item.
///
/// # Errors
///
/// As [`Plan::release`](crate::session::Plan::release), and if `epsilon` is so small that the noise
/// cannot be drawn.
///
/// # Example
///
/// ```
/// use dp_mechanisms::prelude::*;
///
/// let people = ["ana", "ben", "eve"];
/// println!("{}", dp_mechanisms::count(&people, Epsilon::new(0.5)?)?);
/// let lines = "one\ntwo\nthree".lines();
/// println!("{}", dp_mechanisms::count(lines, Epsilon::new(0.5)?)?);
/// # Ok::<(), dp_mechanisms::Error>(())
/// ```
pub fn count(items: impl IntoIterator, epsilon: Epsilon) -> Result<Release<i64>> {
    one_pass::release(items.into_iter().map(drop), &Count, epsilon)
}

/// How many distinct items there are, within ε-differential privacy for each item.
///
/// With user ids as items it counts users, each protected with all its occurrences.
///
/// # Errors
///
/// As [`count`].
pub fn count_distinct<I>(items: I, epsilon: Epsilon) -> Result<Release<i64>>
where
    I: IntoIterator<Item: Eq + Hash>,
{
    let units = || items.into_iter().collect::<HashSet<I::Item, TableHasher>>().len();
    one_pass::release_units(units, epsilon)
}

/// The sum of values clamped into public bounds, within ε-differential privacy for each value.
///
/// # Errors
///
/// As [`count`], and if the bounds are not finite and increasing.
///
/// # Example
///
/// ```
/// use dp_mechanisms::prelude::*;
///
/// let seconds = [40u32, 3, 900];
/// println!("{}", dp_mechanisms::sum(&seconds, 0..=60, Epsilon::new(0.5)?)?);
/// let minutes = seconds.iter().map(|s| f64::from(*s) / 60.0);
/// println!("{}", dp_mechanisms::sum(minutes, 0.0..=1.0, Epsilon::new(0.5)?)?);
/// # Ok::<(), dp_mechanisms::Error>(())
/// ```
pub fn sum<V: Value>(
    values: impl IntoIterator<Item: Borrow<V>>,
    bounds: RangeInclusive<V>,
    epsilon: Epsilon,
) -> Result<Release<V::Released>>
where
    NoiseLaw: ErrorLaw<V::Released>,
{
    let sum = one_pass::sum_of(itself::<V>).bounded(Bounds::try_from(bounds)?, None)?;
    one_pass::release(values.into_iter().map(|value| *value.borrow()), &sum, epsilon)
}

/// The mean of values clamped into public bounds, within ε-differential privacy for each value.
///
/// # Errors
///
/// As [`sum`].
pub fn mean<V: Value>(
    values: impl IntoIterator<Item: Borrow<V>>,
    bounds: RangeInclusive<V>,
    epsilon: Epsilon,
) -> Result<Release<f64>> {
    let mean = one_pass::mean_of(itself::<V>).bounded(Bounds::try_from(bounds)?, None)?;
    one_pass::release(values.into_iter().map(|value| *value.borrow()), &mean, epsilon)
}

/// A named function, which borrows for any lifetime.
fn itself<V: Copy>(value: &V) -> V {
    *value
}
