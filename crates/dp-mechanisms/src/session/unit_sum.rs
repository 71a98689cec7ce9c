//! Sums whose sensitivity follows from what a unit adds up to, not from its number of rows.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use privacy_core::params::{Bounds, Confidence, ContributionLimits, RowLimit};
use privacy_core::release::ErrorLaw;

use super::aggregate::{LimitedTotals, Rows};
use super::query::Query;
use super::statistic::{Filtered, Statistic, Sum, summing};
use crate::additive::{Noise, NoiseLaw};
use crate::bound::{Norms, Shape, positive};
use crate::error::Result;
use crate::grid::{Grid, Value};

/// The sum of clamped values, where the total of each unit in each group is clamped, too.
///
/// # Privacy
///
/// All rows of a unit are used, however many. A unit that is there adds to each of at most
/// `max_groups_per_unit` groups (without that limit, `max_rows_per_unit` groups) a total between
/// the bounds of totals, and nothing to others: the sensitivity is that of one row in each group
/// with these bounds. With limits on norms, the vector of a unit's totals in all its groups is shrunk
/// to them, and the sensitivity is at most the limit.
#[derive(Clone, Copy)]
pub struct UnitSum<F, V> {
    sum: Sum<F, V>,
    totals: Bounds<V>,
    grid: Grid,
    norms: Norms,
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
        Ok(UnitSum { sum: self, totals, grid, norms: Norms::default() })
    }
}

/// A sum with clamped totals of units, whose norms over all groups can be limited.
pub trait LimitsNorms<V>: Sized {
    /// Limits the norm of each unit's totals, to `l1` in sum or to `l2` in root of squares.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] unless the norm is at least one step of the grid.
    fn limit_norms(self, l1: Option<V>, l2: Option<V>) -> privacy_core::Result<Self>;
}

impl<F, V: Value> LimitsNorms<V> for UnitSum<F, V> {
    fn limit_norms(mut self, l1: Option<V>, l2: Option<V>) -> privacy_core::Result<Self> {
        // Whole steps: the price follows from the integer that vectors are shrunk to.
        let steps = |parameter, norm: V| {
            let norm = norm.to_f64_lossy() * 2f64.powi(-self.grid.exponent());
            positive(parameter, if norm >= 1.0 { norm as u64 } else { 0 })
        };
        let parameter = "the sum of magnitudes of a unit's totals";
        let l1 = l1.map(|norm| steps(parameter, norm)).transpose()?;
        let l2 = l2.map(|norm| steps("the length of a unit's totals", norm)).transpose()?;
        self.norms = Norms { l1: l1.or(self.norms.l1), l2: l2.or(self.norms.l2) };
        Ok(self)
    }
}

impl<S: LimitsNorms<V>, P, V> LimitsNorms<V> for Filtered<S, P> {
    fn limit_norms(self, l1: Option<V>, l2: Option<V>) -> privacy_core::Result<Self> {
        self.try_map(|sum| sum.limit_norms(l1, l2))
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
        T: Sync,
        S: ClampsUnits<V> + Statistic<'a, T>,
    {
        let totals = Bounds::try_from(totals)?;
        self.try_map(|sum| {
            let exponent = sum.exponent();
            Ok(sum.clamp_units(totals, exponent)?)
        })
    }

    /// Limits what each unit adds up to over all groups, in magnitudes: its L1 norm. Of a unit beyond
    /// it, the totals are shrunk in proportion.
    ///
    /// Under ε, noise then follows `norm` instead of groups × total: for sums by group of units that
    /// spread a limited amount over many groups.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] unless the norm is a number of at least one step of the
    /// grid.
    ///
    /// # Example
    ///
    /// ```
    /// use dp_mechanisms::prelude::*;
    ///
    /// let purchases: Vec<(u32, u8, u32)> =
    ///     (0..5000).map(|i| (i % 500, (i % 7) as u8, i % 90)).collect();
    /// let session = Session::over(&purchases)
    ///     .unit(|p: &(u32, u8, u32)| p.0)
    ///     .max_rows_per_unit(7)
    ///     .budget(Epsilon::new(1.0)?)
    ///     .open()?;
    /// let by_shop = session.sum(|p| p.2).bounds(0..=100)?
    ///     .max_sum_per_unit(0..=300)?  // in one shop
    ///     .max_total_per_unit(800)?    // in all of them
    ///     .by(|p| p.1, &[0, 1, 2, 3, 4, 5, 6]);
    /// let by_shop = by_shop.epsilon(1.0)?.release()?; // noise of scale 800, not 2100
    /// # let _ = by_shop;
    /// # Ok::<(), dp_mechanisms::Error>(())
    /// ```
    pub fn max_total_per_unit<V>(self, norm: V) -> Result<Query<'s, 'a, T, U, A, S, G>>
    where
        S: LimitsNorms<V>,
    {
        self.try_map(|sum| Ok(sum.limit_norms(Some(norm), None)?))
    }

    /// Limits the length (L2 norm) of each unit's vector of totals over all groups: what noise
    /// follows under ρ. Otherwise as [`max_total_per_unit`](Query::max_total_per_unit).
    ///
    /// # Errors
    ///
    /// As [`max_total_per_unit`](Query::max_total_per_unit).
    pub fn max_length_per_unit<V>(self, norm: V) -> Result<Query<'s, 'a, T, U, A, S, G>>
    where
        S: LimitsNorms<V>,
    {
        self.try_map(|sum| Ok(sum.limit_norms(None, Some(norm))?))
    }
}

impl<F, V> UnitSum<F, V> {
    fn grid(&self) -> &Grid {
        &self.grid
    }
}

impl<'a, T, F, V> Statistic<'a, T> for UnitSum<F, V>
where
    T: Sync + 'a,
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
        group: impl Fn(&'a T) -> Option<u32> + Sync,
        item: impl Fn(&'a T) -> Option<i64> + Sync,
    ) -> Vec<i128> {
        let limits =
            LimitedTotals { range: (self.grid.lower(), self.grid.upper()), norms: self.norms };
        rows.sum_of_units(groups, limits, group, item).iter().map(|cell| cell.sum).collect()
    }

    fn shape(&self) -> Shape {
        let (lower, upper) = (self.grid.lower(), self.grid.upper());
        Shape::Totals { lower, upper, l1: self.norms.l1, l2: self.norms.l2 }
    }

    fn limits(&self, limits: ContributionLimits) -> ContributionLimits {
        let mut once = limits;
        once.rows_per_group = Some(RowLimit::ONE);
        once
    }

    fn describe(&self) -> String {
        let (lower, upper) = (self.totals.lower(), self.totals.upper());
        let norm = |what: &str, norm: Option<u64>| {
            let units = norm.map(|norm| norm as f64 * 2f64.powi(self.grid.exponent()));
            units.map(|norm| format!(", {what} {norm}")).unwrap_or_default()
        };
        let sum = norm("in all groups up to", self.norms.l1);
        let length = norm("of length up to", self.norms.l2);
        let values = self.sum.describe_values();
        format!("{values}, totals of units in {lower:?}..={upper:?}{sum}{length}")
    }
}

impl<F, V> fmt::Debug for UnitSum<F, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnitSum")
    }
}

#[cfg(test)]
mod tests;
