//! A question before it has a price.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::hash::Hash;
use std::ops::RangeInclusive;

use privacy_core::budget::RequestId;
use privacy_core::params::{Bounds, Epsilon, Numeric, Rho};
use privacy_core::unit::{Adjacency, PrivacyUnit};

use super::Session;
use super::grouping::{ByBin, ByGroup, Grouping, Whole};
use super::moments::NeedsBothBounds;
use super::plan::{Plan, Pricing};
use super::regression::NeedsFeatureBounds;
use super::statistic::{Filtered, NeedsBounds, Statistic};
use crate::additive::{GaussianNoise, LaplaceNoise};
use crate::bound::Contribution;
use crate::error::{Error, Result};
use crate::grid::Value;
use crate::keys::{KnownGroups, Names};

/// A question about a session's table: a statistic `S` of rows grouped by `G`.
///
/// Filters, groups and bounds refine it in any order; [`epsilon`](Query::epsilon) or
/// [`rho`](Query::rho) prices it.
#[must_use = "a query is priced with `epsilon` or `rho` and then released"]
pub struct Query<'s, 'a, T, U, A, S, G> {
    session: &'s Session<'a, T, U, A>,
    statistic: S,
    grouping: Result<G>,
    name: Option<Cow<'static, str>>,
    request: Option<RequestId>,
}

/// A query taken apart.
pub(super) struct QueryParts<'s, 'a, T, U, A, S, G> {
    pub(super) session: &'s Session<'a, T, U, A>,
    pub(super) statistic: S,
    pub(super) grouping: Result<G>,
    pub(super) name: Option<Cow<'static, str>>,
    pub(super) request: Option<RequestId>,
}

impl<'s, 'a, T, U, A, S, G> Query<'s, 'a, T, U, A, S, G> {
    pub(super) fn new(session: &'s Session<'a, T, U, A>, statistic: S, grouping: G) -> Self {
        Query { session, statistic, grouping: Ok(grouping), name: None, request: None }
    }

    /// The same query of another statistic.
    pub(super) fn try_map<R>(
        self,
        map: impl FnOnce(S) -> Result<R>,
    ) -> Result<Query<'s, 'a, T, U, A, R, G>> {
        let Query { session, statistic, grouping, name, request } = self;
        Ok(Query { session, statistic: map(statistic)?, grouping, name, request })
    }

    pub(super) fn into_parts(self) -> QueryParts<'s, 'a, T, U, A, S, G> {
        let Query { session, statistic, grouping, name, request } = self;
        QueryParts { session, statistic, grouping, name, request }
    }

    /// Only rows for which `keep` is true.
    ///
    /// # Privacy
    ///
    /// A filter leaves rows out before they are bounded and counted, so it changes no sensitivity.
    pub fn filter<P>(self, keep: P) -> Query<'s, 'a, T, U, A, Filtered<S, P>, G>
    where
        P: Fn(&'a T) -> bool,
    {
        Query {
            session: self.session,
            statistic: Filtered::new(self.statistic, keep),
            grouping: self.grouping,
            name: self.name,
            request: self.request,
        }
    }

    /// Clamps values into the public interval `bounds`.
    ///
    /// # Privacy
    ///
    /// The bounds must be known without looking at the rows; see
    /// [`Bounds`](privacy_core::params::Bounds). Values outside are moved to the nearest bound,
    /// which biases the result; NaN counts as missing.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] unless the bounds are finite and increasing,
    /// [`privacy_core::Error::Overflow`] if sums of such values could leave their range.
    pub fn bounds<V: Value>(
        self,
        bounds: RangeInclusive<V>,
    ) -> Result<Query<'s, 'a, T, U, A, S::Bounded, G>>
    where
        S: NeedsBounds<V>,
    {
        self.within(Bounds::try_from(bounds)?, None)
    }

    /// Clamps values into `bounds`, and rounds floats to multiples of `2^exponent`.
    ///
    /// Each value moves by at most half a step of the grid, and a sum of n values by at most n times
    /// that. Intervals of sums do not cover it; choose a grid far finer than the noise.
    ///
    /// # Errors
    ///
    /// As [`bounds`](Query::bounds).
    pub fn bounds_on_grid<V: Value>(
        self,
        bounds: RangeInclusive<V>,
        exponent: i32,
    ) -> Result<Query<'s, 'a, T, U, A, S::Bounded, G>>
    where
        S: NeedsBounds<V>,
    {
        self.within(Bounds::try_from(bounds)?, Some(exponent))
    }

    fn within<V: Value>(
        self,
        bounds: Bounds<V>,
        exponent: Option<i32>,
    ) -> Result<Query<'s, 'a, T, U, A, S::Bounded, G>>
    where
        S: NeedsBounds<V>,
    {
        self.try_map(|statistic| Ok(statistic.bounded(bounds, exponent)?))
    }

    /// Clamps the first and the second value of each row into these public intervals.
    ///
    /// # Privacy
    ///
    /// As for [`bounds`](Query::bounds). A row counts where both values are numbers.
    ///
    /// # Errors
    ///
    /// As [`bounds`](Query::bounds).
    pub fn bounds_of_both<V: Value, W: Value>(
        self,
        first: RangeInclusive<V>,
        second: RangeInclusive<W>,
    ) -> Result<Query<'s, 'a, T, U, A, S::Bounded, G>>
    where
        S: NeedsBothBounds<V, W>,
    {
        let (first, second) = (Bounds::try_from(first)?, Bounds::try_from(second)?);
        self.try_map(|statistic| Ok(statistic.bounded(first, second)?))
    }

    /// Clamps each feature and the target of a regression into these public intervals.
    ///
    /// # Privacy
    ///
    /// As for [`bounds`](Query::bounds). A row counts where all its values are numbers.
    ///
    /// # Errors
    ///
    /// As [`bounds`](Query::bounds).
    pub fn bounds_of_features<const D: usize>(
        self,
        features: [RangeInclusive<f64>; D],
        target: RangeInclusive<f64>,
    ) -> Result<Query<'s, 'a, T, U, A, S::Bounded, G>>
    where
        S: NeedsFeatureBounds<D>,
    {
        let target = Bounds::try_from(target)?;
        let mut bounds = [target; D];
        for (bounds, range) in bounds.iter_mut().zip(features) {
            *bounds = Bounds::try_from(range)?;
        }
        self.try_map(|statistic| Ok(statistic.bounded(bounds, target)?))
    }

    /// Names the query in the audit trail. Never a value from the data.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Gives the request a name in the budget, so that a retry under the same name is refused
    /// instead of paid and drawn again.
    pub fn request(mut self, request: impl Into<String>) -> Self {
        self.request = Some(RequestId::new(request));
        self
    }
}

impl<'s, 'a, T, U, A, S> Query<'s, 'a, T, U, A, S, Whole> {
    /// By groups that are known beforehand: one release for each, all at one price.
    ///
    /// `name` says which group a row belongs to: the group itself, a reference to it (`|e|
    /// &e.country`), or for text any string. Rows of other groups are left out. Errors in the list are reported when the
    /// query is priced.
    pub fn by<K, F, N, Form>(
        self,
        name: F,
        groups: &[K],
    ) -> Query<'s, 'a, T, U, A, S, ByGroup<K, F, Form>>
    where
        F: Fn(&'a T) -> N,
        N: Names<K, Form>,
        K: Borrow<N::Target> + Eq + Hash + Clone,
    {
        Query {
            session: self.session,
            statistic: self.statistic,
            grouping: self.grouping.and_then(|_| Ok(ByGroup::new(KnownGroups::new(groups)?, name))),
            name: self.name,
            request: self.request,
        }
    }
}

impl<'s, 'a, T, U, A, S> Query<'s, 'a, T, U, A, S, Whole> {
    /// By bins of a number: a histogram. One release for each bin, all at one price.
    ///
    /// `edges` are public and increasing; `n` edges make `n − 1` bins, each from its lower edge to
    /// below the next, the last one with its upper edge. Rows outside are left out. Errors in the
    /// edges are reported when the query is priced.
    ///
    /// # Example
    ///
    /// ```
    /// use dp_mechanisms::prelude::*;
    ///
    /// let ages = [23u32, 35, 35, 61];
    /// let session = Session::over(&ages).budget(Epsilon::new(1.0)?).open()?;
    /// let histogram = session.count().by_bin(|age| *age, &[0, 18, 40, 65, 120]).epsilon(0.5)?;
    /// println!("{}", histogram.release()?); // 0..18  …
    /// # Ok::<(), dp_mechanisms::Error>(())
    /// ```
    pub fn by_bin<V, F>(self, value: F, edges: &[V]) -> Query<'s, 'a, T, U, A, S, ByBin<V, F>>
    where
        V: Numeric,
        F: Fn(&'a T) -> V,
    {
        Query {
            session: self.session,
            statistic: self.statistic,
            grouping: self.grouping.and_then(|_| ByBin::new(edges, value)),
            name: self.name,
            request: self.request,
        }
    }
}

impl<'s, 'a, T, U, A, S, G> Query<'s, 'a, T, U, A, S, G>
where
    U: PrivacyUnit,
    A: Adjacency,
{
    /// Prices the query at `epsilon`: discrete Laplace noise, pure differential privacy.
    ///
    /// Takes an [`Epsilon`] or a number. Nothing is read and nothing is spent yet.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] if `epsilon` is out of range; an error of the list of
    /// groups; [`Error::Noise`] if so much noise cannot be drawn;
    /// [`privacy_core::Error::Missing`] if the query's contribution is unlimited.
    pub fn epsilon<E>(self, epsilon: E) -> Result<Plan<'s, 'a, T, U, A, S, G>>
    where
        T: Sync,
        S: Statistic<'a, T>,
        G: Grouping<'a, T>,
        E: TryInto<Epsilon>,
        Error: From<E::Error>,
    {
        let epsilon = epsilon.try_into()?;
        self.plan(|bound, shape| {
            let sensitivity = bound.l1(&shape, A::RELATION);
            Ok(Pricing::Laplace(LaplaceNoise::calibrated(&sensitivity, &epsilon)?))
        })
    }

    /// Prices the query at `rho`: discrete Gaussian noise, zero-concentrated differential privacy.
    ///
    /// Takes a [`Rho`] or a number. Needs a budget in ρ. Nothing is read and nothing is spent yet.
    ///
    /// # Errors
    ///
    /// As [`epsilon`](Query::epsilon).
    pub fn rho<R>(self, rho: R) -> Result<Plan<'s, 'a, T, U, A, S, G>>
    where
        T: Sync,
        S: Statistic<'a, T>,
        G: Grouping<'a, T>,
        R: TryInto<Rho>,
        Error: From<R::Error>,
    {
        let rho = rho.try_into()?;
        self.plan(|bound, shape| {
            let sensitivity = bound.l2(&shape, A::RELATION);
            Ok(Pricing::Gaussian(GaussianNoise::calibrated(&sensitivity, &rho)?))
        })
    }

    /// Prices the query at (`epsilon`, `delta`): discrete Gaussian noise, approximate differential
    /// privacy.
    ///
    /// Budgets in (ε, δ) and in ρ can both pay. Less noise than [`epsilon`](Query::epsilon) where a
    /// unit contributes to several groups. Nothing is read and nothing is spent yet.
    ///
    /// # Privacy
    ///
    /// The noise is calibrated to the largest ρ whose zero-concentrated differential privacy implies
    /// (ε, δ), rounded down ([`dp_accounting::zcdp::rho_for`]).
    ///
    /// # Errors
    ///
    /// As [`epsilon`](Query::epsilon), and [`privacy_core::Error::Parameter`] unless 0 < δ < 1.
    #[cfg(feature = "accounting")]
    pub fn epsilon_delta<E, D>(self, epsilon: E, delta: D) -> Result<Plan<'s, 'a, T, U, A, S, G>>
    where
        T: Sync,
        S: Statistic<'a, T>,
        G: Grouping<'a, T>,
        E: TryInto<Epsilon>,
        Error: From<E::Error>,
        D: TryInto<privacy_core::params::Delta>,
        Error: From<D::Error>,
    {
        let (epsilon, delta) = (epsilon.try_into()?, delta.try_into()?);
        let rho = dp_accounting::zcdp::rho_for(epsilon.to_f64_down(), delta.to_f64_down())?;
        let rho = Rho::from_amount(privacy_core::params::Amount::from_binary(rho)?)?;
        let plan = self.rho(rho)?;
        Ok(plan.or_charge((epsilon, delta).into()))
    }

    fn plan(
        self,
        price: impl FnOnce(&Contribution, crate::bound::Shape) -> Result<Pricing>,
    ) -> Result<Plan<'s, 'a, T, U, A, S, G>>
    where
        T: Sync,
        S: Statistic<'a, T>,
        G: Grouping<'a, T>,
    {
        let grouping = self.grouping?;
        let limits = self.statistic.limits(self.session.limits);
        let bound = Contribution::new(U::KIND, &limits, grouping.groups() as u64).ok_or(
            privacy_core::Error::Missing {
                setting: "the limit of what one unit contributes to this query",
                remedy: "call max_rows_per_unit, or max_groups_per_unit with max_rows_per_group",
            },
        )?;
        let pricing = price(&bound, self.statistic.shape())?;
        let Query { session, statistic, name, request, .. } = self;
        Plan::new(session, statistic, grouping, bound, pricing, name, request)
    }
}

impl<T, U, A, S: fmt::Debug, G> fmt::Debug for Query<'_, '_, T, U, A, S, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("statistic", &self.statistic).finish_non_exhaustive()
    }
}
