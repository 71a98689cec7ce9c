//! What a query computes of the rows of each group.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use privacy_core::params::{Bounds, Confidence, ContributionLimits, RowLimit};
use privacy_core::release::ErrorLaw;
use privacy_core::unit::UnitKind;

use super::aggregate::{Items, Rows};
use super::release::MeanLaw;
use crate::additive::{Noise, NoiseLaw};
use crate::bound::Shape;
use crate::grid::{Grid, Value};

/// A statistic that a query can release: how a row enters it, and what a noisy aggregate says.
///
/// Implemented by the statistics of this module.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no price",
    label = "cannot be priced as it is",
    note = "a sum or a mean needs public bounds first: call `.bounds(lower..=upper)?` with numbers of \
            the type that its closure returns; closures must be `Send + Sync`"
)]
pub trait Statistic<'a, T>: Send + Sync {
    /// What is read of a row.
    type Item;
    /// What is released of a group.
    type Value;

    /// What is read of `row`; `None` leaves it out.
    fn item(&self, row: &'a T) -> Option<Self::Item>;

    /// The exact aggregate: the coordinates of its [`shape`](Statistic::shape), group by group.
    #[doc(hidden)]
    fn aggregate(
        &self,
        rows: Rows<'_, 'a, T>,
        groups: usize,
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<Self::Item>,
    ) -> Vec<i128>;

    /// How one row changes the aggregate.
    fn shape(&self) -> Shape;

    /// The binary exponent of the grid that its integers count; 0 for plain integers.
    fn exponent(&self) -> i32 {
        0
    }

    /// The limits that hold for this statistic where the session has `limits`.
    fn limits(&self, limits: ContributionLimits) -> ContributionLimits {
        limits
    }

    /// Whether it is the number of units of a group, where `unit` is protected: then the noisy
    /// count that decides whether a group is released is the release itself.
    fn counts_units(&self, _unit: UnitKind) -> bool {
        false
    }

    /// The release that the noisy aggregate of one group stands for, and the law of its error.
    fn release(
        &self,
        noisy: &[i128],
        noise: &Noise,
    ) -> Option<(Self::Value, Arc<dyn ErrorLaw<Self::Value>>)>;

    /// Half the width of the interval to expect where about `rows` rows contribute.
    fn expected_error(&self, noise: &Noise, rows: u64, confidence: &Confidence) -> f64;

    /// Its name in plans and records, such as `count`.
    fn describe(&self) -> String;
}

fn saturated(value: i128) -> i64 {
    value.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// What all counts have in common: a noisy integer.
macro_rules! counting {
    () => {
        type Value = i64;

        fn shape(&self) -> Shape {
            Shape::Count
        }

        fn release(&self, noisy: &[i128], noise: &Noise) -> Option<(i64, Arc<dyn ErrorLaw<i64>>)> {
            let law = NoiseLaw::new(noise.clone(), 0);
            Some((saturated(*noisy.first()?), Arc::new(law)))
        }

        fn expected_error(&self, noise: &Noise, _: u64, confidence: &Confidence) -> f64 {
            NoiseLaw::new(noise.clone(), 0).half_width(confidence)
        }
    };
}

/// What counts of rows have in common: every row is worth 1.
macro_rules! counting_rows {
    ($lifetime:lifetime, $row:ident) => {
        type Item = i64;
        counting!();

        #[inline]
        fn item(&self, _: &$lifetime $row) -> Option<i64> {
            Some(1)
        }

        fn aggregate(
            &self,
            rows: Rows<'_, $lifetime, $row>,
            groups: usize,
            group: impl Fn(&$lifetime $row) -> Option<u32>,
            item: impl Fn(&$lifetime $row) -> Option<i64>,
        ) -> Vec<i128> {
            rows.sum(Items::Ones, groups, group, item).iter().map(|cell| cell.rows).collect()
        }
    };
}

/// The number of rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count;

impl<'a, T> Statistic<'a, T> for Count {
    counting_rows!('a, T);

    fn counts_units(&self, unit: UnitKind) -> bool {
        unit == UnitKind::Record
    }

    fn describe(&self) -> String {
        "count".to_owned()
    }
}

/// The number of units with a row.
#[derive(Clone, Copy, Debug, Default)]
pub struct CountUnits;

impl<'a, T> Statistic<'a, T> for CountUnits {
    counting_rows!('a, T);

    fn limits(&self, limits: ContributionLimits) -> ContributionLimits {
        let mut once = limits;
        once.rows_per_group = Some(RowLimit::ONE);
        once
    }

    fn counts_units(&self, _: UnitKind) -> bool {
        true
    }

    fn describe(&self) -> String {
        "count of units".to_owned()
    }
}

/// The number of distinct values that rows name.
#[derive(Clone, Copy)]
pub struct CountDistinct<F> {
    value: F,
}

impl<F> CountDistinct<F> {
    pub(super) fn new(value: F) -> Self {
        CountDistinct { value }
    }
}

impl<'a, T, F, V> Statistic<'a, T> for CountDistinct<F>
where
    T: 'a,
    F: Fn(&'a T) -> V + Send + Sync,
    V: Eq + Hash,
{
    type Item = V;
    counting!();

    #[inline]
    fn item(&self, row: &'a T) -> Option<V> {
        Some((self.value)(row))
    }

    fn aggregate(
        &self,
        rows: Rows<'_, 'a, T>,
        groups: usize,
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<V>,
    ) -> Vec<i128> {
        rows.distinct(groups, group, item).iter().map(|cell| cell.rows).collect()
    }

    fn describe(&self) -> String {
        "count of distinct values".to_owned()
    }
}

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

/// A sum that has no bounds yet; see [`Query::bounds`](super::Query::bounds).
#[derive(Clone, Copy)]
pub struct SumOf<F> {
    value: F,
}

impl<F> SumOf<F> {
    pub(super) fn new(value: F) -> Self {
        SumOf { value }
    }
}

/// A mean that has no bounds yet; see [`Query::bounds`](super::Query::bounds).
#[derive(Clone, Copy)]
pub struct MeanOf<F> {
    value: F,
}

impl<F> MeanOf<F> {
    pub(super) fn new(value: F) -> Self {
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

impl<S: NeedsBounds<V>, P, V> NeedsBounds<V> for Filtered<S, P> {
    type Bounded = Filtered<S::Bounded, P>;

    fn bounded(
        self,
        bounds: Bounds<V>,
        exponent: Option<i32>,
    ) -> privacy_core::Result<Self::Bounded> {
        self.try_map(|statistic| statistic.bounded(bounds, exponent))
    }
}

/// The sum of clamped values.
#[derive(Clone, Copy)]
pub struct Sum<F, V>(Clamped<F, V>);

impl<F, V: Value> Sum<F, V> {
    pub(super) fn describe_values(&self) -> String {
        self.0.describe("sum")
    }
}

impl<'a, T, F, V> Statistic<'a, T> for Sum<F, V>
where
    T: 'a,
    F: Fn(&'a T) -> V + Send + Sync,
    V: Value,
    NoiseLaw: ErrorLaw<V::Released>,
{
    type Item = i64;
    type Value = V::Released;

    #[inline]
    fn item(&self, row: &'a T) -> Option<i64> {
        self.0.units(row)
    }

    fn aggregate(
        &self,
        rows: Rows<'_, 'a, T>,
        groups: usize,
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<i64>,
    ) -> Vec<i128> {
        let grid = &self.0.grid;
        let largest = grid.lower().unsigned_abs().max(grid.upper().unsigned_abs());
        let cells = rows.sum(Items::UpTo(largest), groups, group, item);
        cells.iter().map(|cell| cell.sum).collect()
    }

    fn exponent(&self) -> i32 {
        self.0.grid.exponent()
    }

    fn shape(&self) -> Shape {
        Shape::Sum { lower: self.0.grid.lower(), upper: self.0.grid.upper() }
    }

    fn release(
        &self,
        noisy: &[i128],
        noise: &Noise,
    ) -> Option<(V::Released, Arc<dyn ErrorLaw<V::Released>>)> {
        let law = NoiseLaw::new(noise.clone(), self.0.grid.exponent());
        Some((V::released(*noisy.first()?, &self.0.grid), Arc::new(law)))
    }

    fn expected_error(&self, noise: &Noise, _: u64, confidence: &Confidence) -> f64 {
        NoiseLaw::new(noise.clone(), self.0.grid.exponent()).half_width(confidence)
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
#[derive(Clone, Copy)]
pub struct Mean<F, V>(Clamped<F, V>);

impl<'a, T, F, V> Statistic<'a, T> for Mean<F, V>
where
    T: 'a,
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
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<i64>,
    ) -> Vec<i128> {
        let width = self.0.grid.width();
        let cells = rows.sum(Items::UpTo(width), groups, group, item);
        cells.iter().flat_map(|cell| [cell.sum, cell.rows * i128::from(width) - cell.sum]).collect()
    }

    fn exponent(&self) -> i32 {
        self.0.grid.exponent()
    }

    fn shape(&self) -> Shape {
        Shape::Simplex { coordinates: 2, total: self.0.grid.width().into() }
    }

    fn release(&self, noisy: &[i128], noise: &Noise) -> Option<(f64, Arc<dyn ErrorLaw<f64>>)> {
        let [below, above] = noisy else { return None };
        let bounds = (self.0.bounds.lower().to_f64_lossy(), self.0.bounds.upper().to_f64_lossy());
        let law = MeanLaw::new(*below, *above, self.0.grid, bounds, noise.clone());
        Some((law.mean(), Arc::new(law)))
    }

    fn expected_error(&self, noise: &Noise, rows: u64, confidence: &Confidence) -> f64 {
        MeanLaw::expected_half_width(rows, &self.0.grid, noise, confidence)
    }

    fn describe(&self) -> String {
        self.0.describe("mean")
    }
}

/// A statistic of the rows that pass a filter.
#[derive(Clone, Copy)]
pub struct Filtered<S, P> {
    statistic: S,
    keep: P,
}

impl<S, P> Filtered<S, P> {
    pub(super) fn new(statistic: S, keep: P) -> Self {
        Filtered { statistic, keep }
    }

    pub(super) fn try_map<B>(
        self,
        change: impl FnOnce(S) -> privacy_core::Result<B>,
    ) -> privacy_core::Result<Filtered<B, P>> {
        Ok(Filtered { statistic: change(self.statistic)?, keep: self.keep })
    }
}

impl<'a, T, S, P> Statistic<'a, T> for Filtered<S, P>
where
    T: 'a,
    S: Statistic<'a, T>,
    P: Fn(&'a T) -> bool + Send + Sync,
{
    type Item = S::Item;
    type Value = S::Value;

    #[inline]
    fn item(&self, row: &'a T) -> Option<S::Item> {
        if (self.keep)(row) { self.statistic.item(row) } else { None }
    }

    fn aggregate(
        &self,
        rows: Rows<'_, 'a, T>,
        groups: usize,
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<S::Item>,
    ) -> Vec<i128> {
        self.statistic.aggregate(rows, groups, group, item)
    }

    fn exponent(&self) -> i32 {
        self.statistic.exponent()
    }

    fn shape(&self) -> Shape {
        self.statistic.shape()
    }

    fn limits(&self, limits: ContributionLimits) -> ContributionLimits {
        self.statistic.limits(limits)
    }

    fn counts_units(&self, unit: UnitKind) -> bool {
        self.statistic.counts_units(unit)
    }

    fn release(
        &self,
        noisy: &[i128],
        noise: &Noise,
    ) -> Option<(S::Value, Arc<dyn ErrorLaw<S::Value>>)> {
        self.statistic.release(noisy, noise)
    }

    fn expected_error(&self, noise: &Noise, rows: u64, confidence: &Confidence) -> f64 {
        self.statistic.expected_error(noise, rows, confidence)
    }

    fn describe(&self) -> String {
        format!("{}, filtered", self.statistic.describe())
    }
}

macro_rules! opaque_debug {
    ($($name:ident<$($parameter:ident),*>),* $(,)?) => {
        $(
            impl<$($parameter),*> fmt::Debug for $name<$($parameter),*> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(stringify!($name))
                }
            }
        )*
    };
}
opaque_debug!(CountDistinct<F>, SumOf<F>, MeanOf<F>, Sum<F, V>, Mean<F, V>, Filtered<S, P>);
