//! Sums and means of values, which need public bounds.

use std::fmt;
use std::sync::Arc;

use privacy_core::params::{Bounds, Confidence};
use privacy_core::release::ErrorLaw;

use super::Statistic;
use crate::additive::{Noise, NoiseLaw};
use crate::bound::Shape;
use crate::grid::{Grid, Value};
use crate::session::aggregate::{Items, Rows};
use crate::session::release::MeanLaw;

/// A value and the public bounds it is clamped into, on its grid.
#[derive(Clone, Copy)]
struct Clamped<F, V> {
    value: F,
    bounds: Bounds<V>,
    grid: Grid,
}

impl<F, V: Value> Clamped<F, V> {
    #[inline]
    fn units<'a, T>(&self, row: &'a T) -> Option<i64>
    where
        F: Fn(&'a T) -> V,
    {
        (self.value)(row).to_grid(&self.bounds, &self.grid)
    }

    fn describe(&self, statistic: &str) -> String {
        format!("{statistic} of values in {:?}..={:?}", self.bounds.lower(), self.bounds.upper())
    }
}

/// A sum that has no bounds yet; see [`Query::bounds`](crate::session::Query::bounds).
#[derive(Clone, Copy)]
pub struct SumOf<F> {
    value: F,
}

impl<F> SumOf<F> {
    pub(in super::super) fn new(value: F) -> Self {
        SumOf { value }
    }
}

/// A mean that has no bounds yet; see [`Query::bounds`](crate::session::Query::bounds).
#[derive(Clone, Copy)]
pub struct MeanOf<F> {
    value: F,
}

impl<F> MeanOf<F> {
    pub(in super::super) fn new(value: F) -> Self {
        MeanOf { value }
    }
}

/// A statistic that needs public bounds before it can be priced.
///
/// A sum without bounds has no finite sensitivity, so it cannot be released:
///
/// ```compile_fail,E0277
/// # use dp_mechanisms::prelude::*;
/// let session = Session::over(&[1u32, 2, 3]).budget(Epsilon::new(1.0)?).open()?;
/// let total = session.sum(|x| *x).epsilon(0.5)?;
/// # Ok::<(), dp_mechanisms::Error>(())
/// ```
pub trait NeedsBounds<V>: Sized {
    /// The statistic once its bounds are known.
    type Bounded;

    /// Gives the bounds, and for floats the grid's binary exponent (by default 40 binary digits
    /// below the distance of the bounds).
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Overflow`] if values in the bounds leave the range of sums.
    fn bounded(
        self,
        bounds: Bounds<V>,
        exponent: Option<i32>,
    ) -> privacy_core::Result<Self::Bounded>;
}

impl<F, V: Value> NeedsBounds<V> for SumOf<F> {
    type Bounded = Sum<F, V>;

    fn bounded(self, bounds: Bounds<V>, exponent: Option<i32>) -> privacy_core::Result<Sum<F, V>> {
        Ok(Sum(Clamped { value: self.value, bounds, grid: V::grid(&bounds, exponent)? }))
    }
}

impl<F, V: Value> NeedsBounds<V> for MeanOf<F> {
    type Bounded = Mean<F, V>;

    fn bounded(self, bounds: Bounds<V>, exponent: Option<i32>) -> privacy_core::Result<Mean<F, V>> {
        Ok(Mean(Clamped { value: self.value, bounds, grid: V::grid(&bounds, exponent)? }))
    }
}

/// What sums on a grid have in common; `self.grid()` is the grid.
macro_rules! summing {
    () => {
        type Item = i64;
        type Value = V::Released;

        fn exponent(&self) -> i32 {
            self.grid().exponent()
        }

        fn release(
            &self,
            noisy: &[i128],
            noise: &Noise,
        ) -> Option<(V::Released, Arc<dyn ErrorLaw<V::Released>>)> {
            let law = NoiseLaw::new(noise.clone(), self.grid().exponent());
            Some((V::released(*noisy.first()?, self.grid()), Arc::new(law)))
        }

        fn expected_error(&self, noise: &Noise, _: u64, confidence: &Confidence) -> f64 {
            NoiseLaw::new(noise.clone(), self.grid().exponent()).half_width(confidence)
        }
    };
}
pub(in super::super) use summing;

/// The sum of clamped values.
#[derive(Clone, Copy)]
pub struct Sum<F, V>(Clamped<F, V>);

impl<F, V: Value> Sum<F, V> {
    pub(in super::super) fn describe_values(&self) -> String {
        self.0.describe("sum")
    }

    fn grid(&self) -> &Grid {
        &self.0.grid
    }
}

impl<'a, T, F, V> Statistic<'a, T> for Sum<F, V>
where
    T: Sync + 'a,
    F: Fn(&'a T) -> V + Send + Sync,
    V: Value,
    NoiseLaw: ErrorLaw<V::Released>,
{
    summing!();

    fn shape(&self) -> Shape {
        Shape::Sum { lower: self.grid().lower(), upper: self.grid().upper() }
    }

    #[inline]
    fn item(&self, row: &'a T) -> Option<i64> {
        self.0.units(row)
    }

    fn aggregate(
        &self,
        rows: Rows<'_, 'a, T>,
        groups: usize,
        group: impl Fn(&'a T) -> Option<u32> + Sync,
        item: impl Fn(&'a T) -> Option<i64> + Sync,
    ) -> Vec<i128> {
        let grid = self.grid();
        let largest = grid.lower().unsigned_abs().max(grid.upper().unsigned_abs());
        let cells = rows.sum(Items::UpTo(largest), groups, group, item);
        cells.iter().map(|cell| cell.sum).collect()
    }

    fn describe(&self) -> String {
        self.0.describe("sum")
    }
}

/// The mean of clamped values over rows.
///
/// Each row adds its distance from the lower bound to one integer and its distance from the upper
/// bound to another. The two grow by the width of the bounds together, so their L1 sensitivity is
/// that width; releasing a sum and a count with half the budget each would need twice the noise
/// variance for the same charge. The mean is where the one lies in the sum of both.
///
/// Where the bounds are few steps apart, both integers count finer steps, so that the noise is as good
/// as continuous and intervals need not allow for its steps.
#[derive(Clone, Copy)]
pub struct Mean<F, V>(Clamped<F, V>);

/// Binary digits of the distance of a mean's bounds, at least, in the steps that noise has.
const NOISE_DIGITS: u32 = 20;

impl<F, V> Mean<F, V> {
    /// Steps of the noise, as a power of two, in a step of the grid.
    fn fineness(&self) -> u32 {
        let digits = u64::BITS - self.0.grid.width().leading_zeros();
        NOISE_DIGITS.saturating_sub(digits)
    }
}

impl<'a, T, F, V> Statistic<'a, T> for Mean<F, V>
where
    T: Sync + 'a,
    F: Fn(&'a T) -> V + Send + Sync,
    V: Value,
{
    type Item = i64;
    type Value = f64;

    #[inline]
    fn item(&self, row: &'a T) -> Option<i64> {
        Some(self.0.units(row)? - self.0.grid.lower())
    }

    fn aggregate(
        &self,
        rows: Rows<'_, 'a, T>,
        groups: usize,
        group: impl Fn(&'a T) -> Option<u32> + Sync,
        item: impl Fn(&'a T) -> Option<i64> + Sync,
    ) -> Vec<i128> {
        let width = self.0.grid.width();
        let cells = rows.sum(Items::UpTo(width), groups, group, item);
        let distances = cells.iter().flat_map(|cell| {
            let from_upper = cell.rows * i128::from(width) - cell.sum;
            [cell.sum << self.fineness(), from_upper << self.fineness()]
        });
        distances.collect()
    }

    fn exponent(&self) -> i32 {
        self.0.grid.exponent() - self.fineness() as i32
    }

    fn shape(&self) -> Shape {
        let total = u128::from(self.0.grid.width()) << self.fineness();
        Shape::Simplex { coordinates: 2, total }
    }

    fn release(&self, noisy: &[i128], noise: &Noise) -> Option<(f64, Arc<dyn ErrorLaw<f64>>)> {
        let [below, above] = noisy else { return None };
        let bounds = (self.0.bounds.lower().to_f64_lossy(), self.0.bounds.upper().to_f64_lossy());
        let exponent = self.exponent();
        let law = MeanLaw::new(*below, *above, self.0.grid, exponent, bounds, noise.clone());
        Some((law.mean(), Arc::new(law)))
    }

    fn expected_error(&self, noise: &Noise, rows: u64, confidence: &Confidence) -> f64 {
        MeanLaw::expected_half_width(rows, &self.0.grid, self.exponent(), noise, confidence)
    }

    fn describe(&self) -> String {
        self.0.describe("mean")
    }
}

opaque_debug!(SumOf<F>, MeanOf<F>, Sum<F, V>, Mean<F, V>);
