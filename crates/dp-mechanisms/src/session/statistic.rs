//! What a query computes of the rows of each group.

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

mod bounded;
mod count;

use std::fmt;
use std::sync::Arc;

use privacy_core::access::Promise;
use privacy_core::params::{Bounds, Confidence, ContributionLimits};
use privacy_core::release::ErrorLaw;
use privacy_core::unit::UnitKind;

use super::aggregate::Rows;
use crate::additive::Noise;
use crate::bound::Shape;

pub(super) use bounded::summing;
pub use bounded::{Mean, MeanOf, NeedsBounds, Sum, SumOf};
pub use count::{Count, CountDistinct, CountUnits};

/// A statistic that a query can release: how a row enters it, and what a noisy aggregate says.
///
/// Implemented by the statistics of this module.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no price",
    label = "cannot be priced as it is",
    note = "a sum or a mean needs public bounds first: call `.bounds(lower..=upper)?` with numbers of \
            the type that its closure returns; closures must be `Send + Sync`"
)]
pub trait Statistic<'a, T: Sync>: Send + Sync {
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
        group: impl Fn(&'a T) -> Option<u32> + Sync,
        item: impl Fn(&'a T) -> Option<Self::Item> + Sync,
    ) -> Vec<i128>;

    /// How one row changes the aggregate.
    fn shape(&self) -> Shape;

    /// The binary exponent of the grid that its integers count; 0 for plain integers.
    fn exponent(&self) -> i32 {
        0
    }

    /// What is promised of a release with `noise`: how much noise every number has, where a number
    /// is an integer of the aggregate with noise and nothing else.
    fn promise(&self, noise: &Noise) -> Option<Promise> {
        match self.shape() {
            Shape::Count | Shape::Sum { .. } | Shape::Totals { .. } => {
                noise.promise(self.exponent())
            }
            _ => None,
        }
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
    T: Sync + 'a,
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
        group: impl Fn(&'a T) -> Option<u32> + Sync,
        item: impl Fn(&'a T) -> Option<S::Item> + Sync,
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

opaque_debug!(Filtered<S, P>);
