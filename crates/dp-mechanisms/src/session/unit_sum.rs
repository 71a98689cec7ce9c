//! Sums whose sensitivity follows from what a unit adds up to, not from its number of rows.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use privacy_core::params::{Bounds, Confidence, ContributionLimits, RowLimit};
use privacy_core::release::ErrorLaw;

use super::aggregate::Rows;
use super::query::Query;
use super::statistic::{Filtered, Statistic, Sum, summing};
use crate::additive::{Noise, NoiseLaw};
use crate::bound::Shape;
use crate::error::Result;
use crate::grid::{Grid, Value};

/// The sum of clamped values, where the total of each unit in each group is clamped, too.
///
/// # Privacy
///
/// All rows of a unit are used, however many. A unit that is there adds to each of at most
/// `max_groups_per_unit` groups (without that limit, `max_rows_per_unit` groups) a total between
/// the bounds of totals, and nothing to others: the sensitivity is that of one row in each group
/// with these bounds.
#[derive(Clone, Copy)]
pub struct UnitSum<F, V> {
    sum: Sum<F, V>,
    totals: Bounds<V>,
    grid: Grid,
}

/// A sum whose totals of units can be clamped.
pub trait ClampsUnits<V>: Sized {
    /// The statistic with clamped totals.
    type Clamped;

    /// Clamps the total of each unit in each group.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Overflow`] if totals in the bounds leave the range of sums.
    fn clamp_units(self, totals: Bounds<V>, exponent: i32) -> privacy_core::Result<Self::Clamped>;
}

impl<F, V: Value> ClampsUnits<V> for Sum<F, V> {
    type Clamped = UnitSum<F, V>;

    fn clamp_units(self, totals: Bounds<V>, exponent: i32) -> privacy_core::Result<UnitSum<F, V>> {
        // On the grid of the values, so that totals are exact.
        let grid = V::grid(&totals, Some(exponent))?;
        Ok(UnitSum { sum: self, totals, grid })
    }
}

impl<S: ClampsUnits<V>, P, V> ClampsUnits<V> for Filtered<S, P> {
    type Clamped = Filtered<S::Clamped, P>;

    fn clamp_units(self, totals: Bounds<V>, exponent: i32) -> privacy_core::Result<Self::Clamped> {
        self.try_map(|sum| sum.clamp_units(totals, exponent))
    }
}

impl<'s, 'a, T, U, A, S, G> Query<'s, 'a, T, U, A, S, G> {
    /// Clamps what each unit adds up to in each group into the public interval `totals`.
    ///
    /// Then all rows of a unit are used and `max_rows_per_unit` no longer limits rows; where few
    /// units have many rows, that needs less noise for less bias than limits on rows.
    ///
    /// # Errors
    ///
    /// As [`bounds`](Query::bounds).
    ///
    /// # Example
    ///
    /// ```
    /// use dp_mechanisms::prelude::*;
    ///
    /// let purchases: Vec<(u32, u32)> = (0..5000).map(|i| (i % 500, i % 90)).collect();
    /// let session = Session::over(&purchases)
    ///     .unit(|p: &(u32, u32)| p.0)
    ///     .max_rows_per_unit(1)
    ///     .budget(Epsilon::new(1.0)?)
    ///     .open()?;
    /// let spent = session.sum(|p| p.1).bounds(0..=100)?.max_sum_per_unit(0..=800)?;
    /// let spent = spent.epsilon(1.0)?.release()?; // noise of scale 800
    /// # let _ = spent;
    /// # Ok::<(), dp_mechanisms::Error>(())
    /// ```
    pub fn max_sum_per_unit<V>(
        self,
        totals: RangeInclusive<V>,
    ) -> Result<Query<'s, 'a, T, U, A, S::Clamped, G>>
    where
        V: Value,
        S: ClampsUnits<V> + Statistic<'a, T>,
    {
        let totals = Bounds::try_from(totals)?;
        self.try_map(|sum| {
            let exponent = sum.exponent();
            Ok(sum.clamp_units(totals, exponent)?)
        })
    }
}

impl<F, V> UnitSum<F, V> {
    fn grid(&self) -> &Grid {
        &self.grid
    }
}

impl<'a, T, F, V> Statistic<'a, T> for UnitSum<F, V>
where
    T: 'a,
    F: Fn(&'a T) -> V + Send + Sync,
    V: Value,
    NoiseLaw: ErrorLaw<V::Released>,
{
    summing!();

    #[inline]
    fn item(&self, row: &'a T) -> Option<i64> {
        self.sum.item(row)
    }

    fn aggregate(
        &self,
        rows: Rows<'_, 'a, T>,
        groups: usize,
        group: impl Fn(&'a T) -> Option<u32>,
        item: impl Fn(&'a T) -> Option<i64>,
    ) -> Vec<i128> {
        let totals = (self.grid().lower(), self.grid().upper());
        rows.sum_of_units(groups, totals, group, item).iter().map(|cell| cell.sum).collect()
    }

    fn limits(&self, limits: ContributionLimits) -> ContributionLimits {
        let mut once = limits;
        once.rows_per_group = Some(RowLimit::ONE);
        once
    }

    fn describe(&self) -> String {
        let (lower, upper) = (self.totals.lower(), self.totals.upper());
        format!("{}, totals of units in {lower:?}..={upper:?}", self.sum.describe_values())
    }
}

impl<F, V> fmt::Debug for UnitSum<F, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnitSum")
    }
}

#[cfg(test)]
mod tests;
