//! One noisy number, in one call: a session with one question.
//!
//! The privacy unit is one item. Where a person can contribute several items, open a
//! [`Session`] with a unit instead.

use std::hash::Hash;
use std::ops::RangeInclusive;

use privacy_core::params::Epsilon;
use privacy_core::release::{ErrorLaw, Release};

use crate::additive::NoiseLaw;
use crate::error::Result;
use crate::grid::Value;
use crate::session::Session;

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
/// # Ok::<(), dp_mechanisms::Error>(())
/// ```
pub fn count<T>(items: &[T], epsilon: Epsilon) -> Result<Release<i64>> {
    Session::over(items).budget(epsilon.clone()).open()?.count().epsilon(epsilon)?.release()
}

/// How many distinct items there are, within ε-differential privacy for each item.
///
/// With user ids as items it counts users, each protected with all its occurrences.
///
/// # Errors
///
/// As [`count`].
pub fn count_distinct<T>(items: &[T], epsilon: Epsilon) -> Result<Release<i64>>
where
    T: Eq + Hash + Send + Sync,
{
    Session::over(items)
        .unit(|item| item)
        .max_rows_per_unit(1)
        .budget(epsilon.clone())
        .open()?
        .count_units()
        .epsilon(epsilon)?
        .release()
}

/// The sum of values clamped into public bounds, within ε-differential privacy for each value.
///
/// # Errors
///
/// As [`count`], and if the bounds are not finite and increasing.
pub fn sum<V: Value>(
    values: &[V],
    bounds: RangeInclusive<V>,
    epsilon: Epsilon,
) -> Result<Release<V::Released>>
where
    NoiseLaw: ErrorLaw<V::Released>,
{
    Session::over(values)
        .budget(epsilon.clone())
        .open()?
        .sum(|value| *value)
        .bounds(bounds)?
        .epsilon(epsilon)?
        .release()
}

/// The mean of values clamped into public bounds, within ε-differential privacy for each value.
///
/// # Errors
///
/// As [`sum`].
pub fn mean<V: Value>(
    values: &[V],
    bounds: RangeInclusive<V>,
    epsilon: Epsilon,
) -> Result<Release<f64>> {
    Session::over(values)
        .budget(epsilon.clone())
        .open()?
        .mean(|value| *value)
        .bounds(bounds)?
        .epsilon(epsilon)?
        .release()
}
