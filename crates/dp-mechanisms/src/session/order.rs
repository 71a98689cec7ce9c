//! Questions about the order of values: quantiles, extremes, the whole distribution, and bounds
//! that are not known.
//!
//! A session's values are bounded by unit, clamped to public bounds and rounded to their grid;
//! the mechanisms of [`crate::quantile`] answer from there.

mod distribution;
mod kind;

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use privacy_core::measure::{Charge, Cost};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Bounds, Confidence, Epsilon, Rho};
use privacy_core::random::SecureRng;
use privacy_core::release::ErrorLaw;
use privacy_core::space::{Changes, Rows};
use privacy_core::transformation::Transformation;
use privacy_core::unit::{AddRemove, Adjacency, PrivacyUnit, Record};

pub use distribution::Distribution;
pub use kind::{OneQuantile, OrderKind, OrderLaw, SeveralQuantiles, WholeDistribution};

use super::Session;
use super::ask::{MechanismPlan, Values};
use super::table::Table;
use crate::error::{Error, Result};
use crate::grid::{Grid, Value};
use crate::quantile::{ApproxBounds, FoundBounds};

/// A question about the order of the values that `F` reads, before it has bounds.
#[must_use = "a question is given `bounds`, priced with `epsilon` or `rho`, and released"]
pub struct OrderQuery<'s, 'a, T, U, A, F, K> {
    session: &'s Session<'a, T, U, A>,
    value: F,
    kind: Result<K>,
    name: Option<Cow<'static, str>>,
}

/// A question about the order of values, ready to be priced.
#[must_use = "a question is priced with `epsilon` or `rho`, and released"]
pub struct BoundedOrderQuery<'s, 'a, T, U, A, F, V, K> {
    session: &'s Session<'a, T, U, A>,
    values: Values<'a, T, U, A, F>,
    bounds: Bounds<V>,
    kind: K,
    name: Option<Cow<'static, str>>,
}

/// A mechanism on the values of a session's table, with its answer read back from the grid.
pub struct OnValues<'a, T, U, A, F, V, K, M> {
    values: Values<'a, T, U, A, F>,
    bounds: Bounds<V>,
    kind: K,
    mechanism: M,
}

impl<'a, T: Sync + 'a, U: PrivacyUnit, A: Adjacency> Session<'a, T, U, A> {
    /// The quantile `q` (from 0 to 1) of `value`, once [`OrderQuery::bounds`] has said in which
    /// public interval it lies.
    ///
    /// # Example
    ///
    /// ```
    /// use dp_mechanisms::prelude::*;
    ///
    /// let seconds: Vec<u32> = (0..2000).map(|i| i * i % 3001).collect();
    /// let session = Session::over(&seconds).budget(Epsilon::new(2.0)?).open()?;
    /// let p95 = session.quantile(|s| *s, 0.95).bounds(0..=3600)?.epsilon(0.5)?;
    /// println!("{p95}"); // … rank within ± 41 …, costs ε = 0.5
    /// let p95 = p95.release()?;
    /// assert!((0..=3600).contains(p95.value()));
    ///
    /// let quartiles = session.quantiles(|s| *s, &[0.25, 0.5, 0.75]).bounds(0..=3600)?;
    /// let quartiles = quartiles.epsilon(0.5)?.release()?.into_value();
    /// assert_eq!(quartiles.len(), 3);
    ///
    /// let distribution = session.distribution(|s| *s).bounds(0..=3600)?.epsilon(0.5)?;
    /// let distribution = distribution.release()?.into_value();
    /// println!("{:.2} are at most a minute", distribution.share_upto(60));
    /// # Ok::<(), dp_mechanisms::Error>(())
    /// ```
    pub fn quantile<V, F>(
        &self,
        value: F,
        q: f64,
    ) -> OrderQuery<'_, 'a, T, U, A, impl Fn(&'a T) -> Option<V> + Send + Sync, OneQuantile>
    where
        F: Fn(&'a T) -> V + Send + Sync,
        V: Value,
    {
        self.order(value, Amount::from_decimal(q).map(OneQuantile::new).map_err(Error::from))
    }

    /// The median of `value`.
    pub fn median<V, F>(
        &self,
        value: F,
    ) -> OrderQuery<'_, 'a, T, U, A, impl Fn(&'a T) -> Option<V> + Send + Sync, OneQuantile>
    where
        F: Fn(&'a T) -> V + Send + Sync,
        V: Value,
    {
        self.quantile(value, 0.5)
    }

    /// A value that about a `share` of the rows lie below: a minimum that noise can answer for.
    ///
    /// The smallest value itself belongs to a single unit, so that no private answer is close to it
    /// unless others are. A `share` of the rows below, such as 0.01, gives the answer something to
    /// hold on to; 0 is allowed.
    pub fn minimum<V, F>(
        &self,
        value: F,
        share: f64,
    ) -> OrderQuery<'_, 'a, T, U, A, impl Fn(&'a T) -> Option<V> + Send + Sync, OneQuantile>
    where
        F: Fn(&'a T) -> V + Send + Sync,
        V: Value,
    {
        self.quantile(value, share)
    }

    /// A value that about `share` of the rows lie above: a maximum that noise can answer for. See
    /// [`minimum`](Session::minimum).
    pub fn maximum<V, F>(
        &self,
        value: F,
        share: f64,
    ) -> OrderQuery<'_, 'a, T, U, A, impl Fn(&'a T) -> Option<V> + Send + Sync, OneQuantile>
    where
        F: Fn(&'a T) -> V + Send + Sync,
        V: Value,
    {
        let below = Amount::from_decimal(share).and_then(|share| {
            Amount::from_integer(1).checked_sub(&share).ok_or(privacy_core::Error::Parameter {
                parameter: "the share above the maximum",
                requirement: "between 0 and 1",
                given: share.to_f64_up(),
            })
        });
        self.order(value, below.map(OneQuantile::new).map_err(Error::from))
    }

    /// Several quantiles of `value`, in increasing order, at one price.
    ///
    /// By recursive halving, whose error hardly depends on the width of the bounds. For many quantiles
    /// of values in a few thousand steps, the quantiles of a [`distribution`](Session::distribution)
    /// come closer at the same price (1.7 times, for 100 quantiles of 10^6 integers up to 3600) and
    /// need not be known beforehand.
    pub fn quantiles<V, F>(
        &self,
        value: F,
        quantiles: &[f64],
    ) -> OrderQuery<'_, 'a, T, U, A, impl Fn(&'a T) -> Option<V> + Send + Sync, SeveralQuantiles>
    where
        F: Fn(&'a T) -> V + Send + Sync,
        V: Value,
    {
        let quantiles: privacy_core::Result<Vec<Amount>> =
            quantiles.iter().map(|q| Amount::from_decimal(*q)).collect();
        self.order(value, quantiles.map(SeveralQuantiles::new).map_err(Error::from))
    }

    /// The distribution of `value`: quantiles, shares and counts of any range, from one tree of
    /// noisy counts made consistent.
    pub fn distribution<V, F>(
        &self,
        value: F,
    ) -> OrderQuery<'_, 'a, T, U, A, impl Fn(&'a T) -> Option<V> + Send + Sync, WholeDistribution>
    where
        F: Fn(&'a T) -> V + Send + Sync,
        V: Value,
    {
        self.order(value, Ok(WholeDistribution))
    }

    fn order<V, F, K>(
        &self,
        value: F,
        kind: Result<K>,
    ) -> OrderQuery<'_, 'a, T, U, A, impl Fn(&'a T) -> Option<V> + Send + Sync, K>
    where
        F: Fn(&'a T) -> V + Send + Sync,
        V: Value,
    {
        OrderQuery { session: self, value: move |row| Some(value(row)), kind, name: None }
    }

    /// Bounds for integer values whose range is not known, for part of the budget; floats are
    /// scaled to integers first (`|row| (row.price * 100.0) as i64`).
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] if `epsilon` is out of range.
    ///
    /// # Example
    ///
    /// ```
    /// use dp_mechanisms::prelude::*;
    /// use dp_mechanisms::quantile::FoundBounds;
    ///
    /// let cents: Vec<i64> = (0..5000).map(|i| i % 900).collect();
    /// let session = Session::over(&cents).budget(Epsilon::new(1.0)?).open()?;
    /// let found = session.approximate_bounds(|c| *c, 0.2)?.release()?;
    /// if let FoundBounds::Found(bounds) = found.value() {
    ///     let sum = session.sum(|c| *c).bounds(bounds.lower()..=bounds.upper())?.epsilon(0.8)?;
    ///     println!("{}", sum.release()?);
    /// }
    /// # Ok::<(), dp_mechanisms::Error>(())
    /// ```
    pub fn approximate_bounds<F, E>(
        &self,
        value: F,
        epsilon: E,
    ) -> Result<
        MechanismPlan<
            '_,
            'a,
            T,
            U,
            A,
            impl Mechanism<Input = Table<'a, T, U, A>, Output = FoundBounds>,
        >,
    >
    where
        F: Fn(&'a T) -> i64 + Send + Sync,
        E: TryInto<Epsilon>,
        Error: From<E::Error>,
    {
        let epsilon = epsilon.try_into()?;
        let steps = move |row: &'a T| Some(value(row));
        let values = Values::new(steps, Grid::INTEGERS, self.contribution_to_one_group()?);
        let each = shared(epsilon.amount(), values.stability(Changes::NEIGHBOURS)?);
        let finder = ApproxBounds::<AddRemove>::new(&Epsilon::from_amount(each)?)?;
        self.ask("approximate bounds", values.then(finder))
    }
}

/// The share of each of `changes`.
fn shared(all: &Amount, changes: Changes) -> Amount {
    // There is at least one change.
    all.checked_div(&changes.0.into()).unwrap_or(Amount::ZERO)
}

impl<'s, 'a, T: Sync + 'a, U, A, F, K> OrderQuery<'s, 'a, T, U, A, F, K>
where
    U: PrivacyUnit,
    A: Adjacency,
{
    /// Only rows for which `keep` is true.
    pub fn filter<V, P>(
        self,
        keep: P,
    ) -> OrderQuery<'s, 'a, T, U, A, impl Fn(&'a T) -> Option<V> + Send + Sync, K>
    where
        F: Fn(&'a T) -> Option<V> + Send + Sync,
        P: Fn(&'a T) -> bool + Send + Sync,
    {
        let OrderQuery { session, value, kind, name } = self;
        let value = move |row| if keep(row) { value(row) } else { None };
        OrderQuery { session, value, kind, name }
    }

    /// Names the question in the audit trail. Never a value from the data.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Clamps values into the public interval `bounds`; NaN counts as missing.
    ///
    /// # Errors
    ///
    /// As [`Query::bounds`](super::Query::bounds); [`privacy_core::Error::Parameter`] for quantiles
    /// out of range.
    pub fn bounds<V>(
        self,
        bounds: RangeInclusive<V>,
    ) -> Result<BoundedOrderQuery<'s, 'a, T, U, A, impl Fn(&'a T) -> Option<i64> + Send + Sync, V, K>>
    where
        F: Fn(&'a T) -> Option<V> + Send + Sync,
        V: Value,
    {
        let OrderQuery { session, value, kind, name } = self;
        let bounds = Bounds::try_from(bounds)?;
        let grid = V::grid(&bounds, None)?;
        let steps = move |row: &'a T| value(row)?.to_grid(&bounds, &grid);
        let values = Values::new(steps, grid, session.contribution_to_one_group()?);
        Ok(BoundedOrderQuery { session, values, bounds, kind: kind?, name })
    }
}

type OrderPlan<'s, 'a, T, U, A, F, V, K, M> =
    MechanismPlan<'s, 'a, T, U, A, OnValues<'a, T, U, A, F, V, K, M>>;

impl<'s, 'a, T: Sync + 'a, U, A, F, V, K> BoundedOrderQuery<'s, 'a, T, U, A, F, V, K>
where
    U: PrivacyUnit,
    A: Adjacency,
    F: Fn(&'a T) -> Option<i64> + Send + Sync,
    V: Value,
    K: OrderKind,
{
    /// Prices the question at `epsilon`, pure differential privacy. Nothing is read yet.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] if `epsilon` or a quantile is out of range.
    pub fn epsilon<E>(mut self, epsilon: E) -> Result<OrderPlan<'s, 'a, T, U, A, F, V, K, K::Pure>>
    where
        E: TryInto<Epsilon>,
        Error: From<E::Error>,
    {
        let epsilon = epsilon.try_into()?;
        let each = shared(epsilon.amount(), self.values.stability(Changes::NEIGHBOURS)?);
        let (bounds, each) = (steps_of(self.values.grid())?, Epsilon::from_amount(each)?);
        self.kind = self.kind.paid_from(&self.session.limit());
        let mechanism = self.kind.pure(bounds, &each)?;
        let rank_error = K::rank_error(&mechanism, &Confidence::default());
        self.plan(mechanism, rank_error)
    }

    /// Prices the question at `rho`, zero-concentrated differential privacy. Nothing is read yet.
    ///
    /// # Errors
    ///
    /// As [`epsilon`](BoundedOrderQuery::epsilon).
    pub fn rho<R>(self, rho: R) -> Result<OrderPlan<'s, 'a, T, U, A, F, V, K, K::Concentrated>>
    where
        R: TryInto<Rho>,
        Error: From<R::Error>,
    {
        let rho = rho.try_into()?;
        // A group of m is charged m² times.
        let changes = self.values.stability(Changes::NEIGHBOURS)?;
        let each = shared(&shared(rho.amount(), changes), changes);
        let (bounds, each) = (steps_of(self.values.grid())?, Rho::from_amount(each)?);
        let mechanism = self.kind.concentrated(bounds, &each)?;
        let rank_error = K::rank_error_concentrated(&mechanism, &Confidence::default());
        self.plan(mechanism, rank_error)
    }

    fn plan<M>(
        self,
        mechanism: M,
        rank_error: Option<f64>,
    ) -> Result<OrderPlan<'s, 'a, T, U, A, F, V, K, M>>
    where
        M: Mechanism<Input = Rows<i64, Record, AddRemove>, Output = K::Steps>,
    {
        let BoundedOrderQuery { session, values, bounds, kind, name } = self;
        let named = name.map(|name| format!("{name}: ")).unwrap_or_default();
        let (lower, upper) = (bounds.lower(), bounds.upper());
        let what = kind.describe();
        let rank = rank_error.map(|ranks| format!(", rank within ± {ranks:.0} (95\u{a0}%)"));
        let rank = rank.unwrap_or_default();
        let description = format!("{named}{what} of values in {lower:?}..={upper:?}{rank}");
        session.ask(description, OnValues { values, bounds, kind, mechanism })
    }
}

fn steps_of(grid: &Grid) -> Result<Bounds<i64>> {
    Ok(Bounds::new(grid.lower(), grid.upper())?)
}

impl<'a, T, U, A, F, V, K, M> Mechanism for OnValues<'a, T, U, A, F, V, K, M>
where
    T: Sync + 'a,
    U: PrivacyUnit,
    A: Adjacency,
    F: Fn(&'a T) -> Option<i64> + Send + Sync,
    V: Value,
    K: OrderKind,
    M: Mechanism<Input = Rows<i64, Record, AddRemove>, Output = K::Steps>,
{
    type Input = Table<'a, T, U, A>;
    type Measure = M::Measure;
    type Output = K::Output<V>;

    fn draw(
        &self,
        table: &Table<'a, T, U, A>,
        rng: &mut dyn SecureRng,
    ) -> privacy_core::Result<K::Output<V>> {
        let drawn = self.mechanism.draw(&self.values.apply(table)?, rng)?;
        Ok(K::read(drawn, self.values.grid(), &self.bounds))
    }

    fn cost(&self, d_in: Changes) -> privacy_core::Result<Cost<M::Measure>> {
        self.mechanism.cost(self.values.stability(d_in)?)
    }

    fn charge(&self, d_in: Changes) -> privacy_core::Result<Charge> {
        self.mechanism.charge(self.values.stability(d_in)?)
    }

    fn law(&self) -> std::sync::Arc<dyn ErrorLaw<K::Output<V>>> {
        let bounds = (self.bounds.lower().to_f64_lossy(), self.bounds.upper().to_f64_lossy());
        std::sync::Arc::new(OrderLaw::<K, V>::new(self.kind.describe(), bounds))
    }
}

macro_rules! opaque_debug {
    ($($name:ident<$($lifetime:lifetime,)* ; $($parameter:ident),*>),* $(,)?) => {
        $(
            impl<$($lifetime,)* $($parameter),*> fmt::Debug for $name<$($lifetime,)* $($parameter),*> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(stringify!($name))
                }
            }
        )*
    };
}
opaque_debug!(
    OrderQuery<'s, 'a,; T, U, A, F, K>,
    BoundedOrderQuery<'s, 'a,; T, U, A, F, V, K>,
    OnValues<'a,; T, U, A, F, V, K, M>,
);
