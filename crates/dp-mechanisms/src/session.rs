//! Questions about a table, answered privately within a budget: what application code calls.
//!
//! A [`Session`] holds a table, whose privacy is protected, how much each unit may contribute, and
//! a budget. Each question goes the same way: describe it ([`Session::count`],
//! [`Session::sum`], …), price it ([`Query::epsilon`] or [`Query::rho`] gives a [`Plan`], which
//! shows cost and expected error before any data is touched), and release it.
//!
//! # Privacy
//!
//! With the unit `U` and the adjacency `A`, all releases of a session together are differentially
//! private with the sum of their charges, which never exceeds the budget, also where later
//! questions depend on earlier answers (basic adaptive composition: Dwork, Roth 2014, Theorem
//! 3.16; for zCDP Bun, Steinke 2016, Lemma 2.3). The number of rows is private under add/remove.
//! Filters and keys are evaluated inside; they must be functions of the one row they are given.

mod aggregate;
mod ask;
mod builder;
mod by_unit;
mod discovered;
mod grouping;
pub mod histogram;
mod limits;
pub mod moments;
pub(crate) mod one_pass;
pub mod order;
mod partition;
mod plan;
mod query;
pub mod regression;
mod release;
mod statistic;
mod table;
mod threads;
mod top;
mod unit_sum;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use privacy_core::audit::AuditRecord;
use privacy_core::context::Context;
use privacy_core::measure::Allowance;
use privacy_core::params::ContributionLimits;
use privacy_core::unit::{AddRemove, Adjacency, PrivacyUnit, Record};

pub use aggregate::Aggregate;
pub use ask::{MechanismPlan, Values};
pub use builder::SessionBuilder;
pub use discovered::{Discovered, DiscoveredPlan};
pub use grouping::{Bin, ByBin, ByGroup, Grouping, Whole};
pub use partition::Partition;
pub use plan::Plan;
pub use query::Query;
use regression::RegressionOf;
pub use release::{GroupedRelease, MeanLaw};
pub use statistic::{
    Count, CountDistinct, CountUnits, Filtered, Mean, MeanOf, NeedsBounds, Statistic, Sum, SumOf,
};
pub use table::Table;
pub use top::{Counts, Top, TopQuery};
pub use unit_sum::{ClampsUnits, LimitsNorms, UnitSum};

use crate::error::Result;

/// A table with a budget, open for questions.
///
/// Asking borrows the session only for reading: several plans can be made and shown before one of
/// them is released, and threads can share a session.
///
/// Begin with [`over`](Session::over). Then ask: [`count`](Session::count),
/// [`count_units`](Session::count_units), [`count_distinct`](Session::count_distinct),
/// [`sum`](Session::sum), [`mean`](Session::mean), [`moments`](Session::moments) and what they hold,
/// [`quantile`](Session::quantile), [`distribution`](Session::distribution),
/// [`histogram`](Session::histogram), [`linear_regression`](Session::linear_regression); divide with
/// [`partition`](Session::partition); find limits with the `suggest_…` and `estimate_…` methods and
/// bounds with [`approximate_bounds`](Session::approximate_bounds); see the books with
/// [`remaining`](Session::remaining) and [`records`](Session::records). Mechanisms of your own run
/// with [`ask`](Session::ask).
///
/// # Example
///
/// ```
/// use dp_mechanisms::prelude::*;
///
/// struct Login { user: u32, country: &'static str, seconds: u32 }
/// const COUNTRIES: [&str; 3] = ["de", "fr", "it"];
///
/// # let logins: Vec<Login> = (0..1000)
/// #     .map(|i| Login { user: i % 100, country: COUNTRIES[i as usize % 3], seconds: i })
/// #     .collect();
/// let session = Session::over(&logins)
///     .unit(|e: &Login| e.user) // whose privacy: a user, not a row
///     .max_rows_per_unit(20)
///     .budget(Epsilon::new(1.0)?)
///     .open()?;
/// let total = session.count().epsilon(0.2)?.release()?;
/// let seconds = session.sum(|e| e.seconds).bounds(0..=3600)?.epsilon(0.3)?.release()?;
/// let by_country = session.count().by(|e| e.country, &COUNTRIES).epsilon(0.2)?.release()?;
/// println!("{total}, {seconds}, {by_country}; {} left", session.remaining());
/// # assert_eq!(session.remaining().to_string(), "ε = 0.3");
/// # Ok::<(), dp_mechanisms::Error>(())
/// ```
pub struct Session<'a, T, U = Record, A = AddRemove> {
    table: Table<'a, T, U, A>,
    limits: ContributionLimits,
    /// Behind a lock, so that several plans can be shown before one is released, and threads can
    /// ask the same session.
    cx: Mutex<Context>,
}

impl<'a, T> Session<'a, T> {
    /// Begins a session over `rows`; what is protected is a single row until
    /// [`SessionBuilder::unit`] says otherwise.
    ///
    /// Rows are shared by threads where there are many ([`SessionBuilder::threads`]), so questions ask
    /// for rows that are `Sync`.
    #[must_use = "a session opens with `.budget(…).open()?`"]
    pub fn over(rows: &'a [T]) -> SessionBuilder<'a, T> {
        SessionBuilder::new(rows)
    }
}

impl<'a, T, U: PrivacyUnit, A: Adjacency> Session<'a, T, U, A> {
    /// Counts rows.
    pub fn count(&self) -> Query<'_, 'a, T, U, A, Count, Whole> {
        Query::new(self, Count, Whole)
    }

    /// Counts units that have at least one row: active users.
    ///
    /// A unit counts once (once in each group), so this needs far less noise than counting rows.
    pub fn count_units(&self) -> Query<'_, 'a, T, U, A, CountUnits, Whole> {
        Query::new(self, CountUnits, Whole)
    }

    /// Counts the distinct values of `value`: devices, cities, addresses.
    pub fn count_distinct<V, F>(&self, value: F) -> Query<'_, 'a, T, U, A, CountDistinct<F>, Whole>
    where
        F: Fn(&'a T) -> V,
        V: Eq + std::hash::Hash,
    {
        Query::new(self, CountDistinct::new(value), Whole)
    }

    /// Sums `value`, once [`Query::bounds`] has said in which public interval it lies.
    pub fn sum<V, F>(&self, value: F) -> Query<'_, 'a, T, U, A, SumOf<F>, Whole>
    where
        F: Fn(&'a T) -> V,
        V: crate::grid::Value,
    {
        Query::new(self, SumOf::new(value), Whole)
    }

    /// Averages `value` over rows, once [`Query::bounds`] has said in which public interval it
    /// lies.
    pub fn mean<V, F>(&self, value: F) -> Query<'_, 'a, T, U, A, MeanOf<F>, Whole>
    where
        F: Fn(&'a T) -> V,
        V: crate::grid::Value,
    {
        Query::new(self, MeanOf::new(value), Whole)
    }

    /// The least-squares regression of `target` on `features`, once [`Query::bounds_of_features`]
    /// has said in which public intervals they lie.
    ///
    /// For one feature, [`line_fit`](Session::line_fit) needs less noise.
    pub fn linear_regression<const D: usize, F, G>(
        &self,
        features: F,
        target: G,
    ) -> Query<'_, 'a, T, U, A, RegressionOf<F, G>, Whole>
    where
        F: Fn(&'a T) -> [f64; D],
        G: Fn(&'a T) -> f64,
    {
        Query::new(self, RegressionOf::new(features, target), Whole)
    }

    /// What the budget has left; nothing if its store cannot be reached (see
    /// [`Session::try_remaining`]).
    #[must_use]
    pub fn remaining(&self) -> Allowance {
        self.try_remaining().unwrap_or_else(|_| self.limit().nothing())
    }

    /// What the budget has left.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Storage`] if the budget's store cannot be reached.
    pub fn try_remaining(&self) -> Result<Allowance> {
        Ok(self.cx().budget()?.remaining()?)
    }

    /// What the budget was opened with.
    #[must_use]
    pub fn limit(&self) -> Allowance {
        // `open` refuses a context without a budget.
        self.cx().budget().map_or_else(
            |_| Allowance::Pure { epsilon: privacy_core::params::Amount::ZERO },
            |budget| budget.limit(),
        )
    }

    /// What was spent: the limit less what is left.
    #[must_use]
    pub fn spent(&self) -> Allowance {
        let limit = self.limit();
        limit.minus(&self.remaining()).unwrap_or_else(|| limit.nothing())
    }

    /// The audit trail so far, where the session keeps it itself; empty where its context was
    /// given another trail.
    #[must_use]
    pub fn records(&self) -> Vec<AuditRecord> {
        self.cx().records()
    }
}

impl<T, U, A> Session<'_, T, U, A> {
    fn cx(&self) -> MutexGuard<'_, Context> {
        // A panic in a filter or a key ends one release; the context keeps its books before and
        // after it.
        self.cx.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T, U, A> fmt::Debug for Session<'_, T, U, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("limits", &self.limits)
            .field("context", &*self.cx())
            .finish_non_exhaustive()
    }
}
