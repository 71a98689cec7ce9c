//! What a session must know before it answers.

use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::num::NonZero;
use std::sync::Arc;

use privacy_core::access::{Actor, Purpose};
use privacy_core::budget::{Budget, MemoryBudget};
use privacy_core::context::Context;
use privacy_core::measure::Allowance;
use privacy_core::params::{ContributionLimits, RowLimit};
use privacy_core::unit::{AddRemove, Adjacency, PrivacyUnit, Record, UnitKind, User};

use super::Session;
use super::table::{Table, UnitIndex};
use crate::bound::Contribution;
use crate::error::{Error, Result};

/// Builds a [`Session`]: the unit, the limits of its contribution, the budget.
#[must_use = "a session opens with `.budget(…).open()?`"]
pub struct SessionBuilder<'a, T, U = Record, A = AddRemove> {
    rows: &'a [T],
    index: Option<BuildIndex<'a, T>>,
    limits: Limits,
    threads: Option<usize>,
    budget: Option<Allowance>,
    ledger: Option<Arc<dyn Budget>>,
    context: Option<Context>,
    claim: PhantomData<fn() -> (U, A)>,
}

type BuildIndex<'a, T> =
    Box<dyn FnOnce(&'a [T], Option<usize>) -> Result<UnitIndex> + Send + Sync + 'a>;

/// Limits as they were given, checked when the session opens.
#[derive(Clone, Copy, Default)]
struct Limits {
    rows: Option<u32>,
    groups: Option<u32>,
    rows_per_group: Option<u32>,
}

impl Limits {
    fn checked(self) -> Result<ContributionLimits> {
        let limit = |parameter, value: Option<u32>| {
            value.map(|value| RowLimit::new(parameter, value)).transpose()
        };
        let mut limits = ContributionLimits::default();
        limits.rows = limit("max_rows_per_unit", self.rows)?;
        limits.groups = limit("max_groups_per_unit", self.groups)?;
        limits.rows_per_group = limit("max_rows_per_group", self.rows_per_group)?;
        Ok(limits)
    }
}

impl<'a, T> SessionBuilder<'a, T> {
    pub(super) fn new(rows: &'a [T]) -> Self {
        SessionBuilder {
            rows,
            index: None,
            limits: Limits::default(),
            threads: None,
            budget: None,
            ledger: None,
            context: None,
            claim: PhantomData,
        }
    }
}

impl<'a, T, U, A> SessionBuilder<'a, T, U, A> {
    /// Protects everything that rows with the same key contributed together: a user, a device.
    ///
    /// Needs a limit on what one unit contributes, such as
    /// [`max_rows_per_unit`](Self::max_rows_per_unit).
    pub fn unit<K, F>(self, key: F) -> SessionBuilder<'a, T, User, A>
    where
        F: Fn(&'a T) -> K + Send + Sync + 'a,
        T: Sync,
        K: Eq + Hash + Send,
    {
        let build: BuildIndex<'a, T> =
            Box::new(move |rows, threads| UnitIndex::build(rows, key, threads));
        SessionBuilder {
            rows: self.rows,
            index: Some(build),
            limits: self.limits,
            threads: self.threads,
            budget: self.budget,
            ledger: self.ledger,
            context: self.context,
            claim: PhantomData,
        }
    }

    /// Uses at most this many rows of each unit in any one query. Of a unit with more, a
    /// pseudo-random choice is used: more rows mean less bias and more noise.
    pub fn max_rows_per_unit(mut self, rows: u32) -> Self {
        self.limits.rows = Some(rows);
        self
    }

    /// Lets each unit appear in at most this many groups of a query by groups.
    pub fn max_groups_per_unit(mut self, groups: u32) -> Self {
        self.limits.groups = Some(groups);
        self
    }

    /// Uses at most this many rows of each unit in each group (in the whole table, for a query
    /// without groups).
    pub fn max_rows_per_group(mut self, rows: u32) -> Self {
        self.limits.rows_per_group = Some(rows);
        self
    }

    /// Works on tables of half a million rows and more, whose rows belong to units, in up to this many
    /// threads: as many as there are, but no more than four, unless it is said here. Releases do not
    /// depend on it.
    pub fn threads(mut self, threads: NonZero<usize>) -> Self {
        self.threads = Some(threads.get());
        self
    }

    /// States the adjacency: [`AddRemove`] (the default) or
    /// [`Replace`](privacy_core::unit::Replace).
    pub fn adjacency<B: Adjacency>(self) -> SessionBuilder<'a, T, U, B> {
        SessionBuilder {
            rows: self.rows,
            index: self.index,
            limits: self.limits,
            threads: self.threads,
            budget: self.budget,
            ledger: self.ledger,
            context: self.context,
            claim: PhantomData,
        }
    }

    /// Opens with a budget of its own: an ε, an (ε, δ) or a ρ.
    pub fn budget(mut self, budget: impl Into<Allowance>) -> Self {
        self.budget = Some(budget.into());
        self
    }

    /// Pays from a budget that is held elsewhere: a ledger, a filter, a budget that sessions share.
    ///
    /// Either this, [`budget`](Self::budget) or a context with a budget, not two of them.
    pub fn ledger(mut self, budget: impl Budget + 'static) -> Self {
        self.ledger = Some(Arc::new(budget));
        self
    }

    /// Runs in the given context: its actor, purpose, randomness, audit trail, authorizer and
    /// budget. Either the context or [`budget`](Self::budget) gives the budget, not both.
    pub fn context(mut self, context: Context) -> Self {
        self.context = Some(context);
        self
    }
}

impl<'a, T, U: PrivacyUnit, A: Adjacency> SessionBuilder<'a, T, U, A> {
    /// Opens the session. Reads the unit keys, and nothing else of the rows.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Missing`] without a budget, with a unit but without a limit on its
    /// contribution, or with limits but without a unit; [`Error::TwoBudgets`]; [`privacy_core::Error::Parameter`] for a limit of 0;
    /// [`Error::TooManyRows`]; [`privacy_core::Error::Entropy`].
    pub fn open(self) -> Result<Session<'a, T, U, A>> {
        let limits = self.limits.checked()?;
        if U::KIND == UnitKind::User && Contribution::new(U::KIND, &limits, 1).is_none() {
            return Err(privacy_core::Error::Missing {
                setting: "the limit of what one unit contributes",
                remedy: "call max_rows_per_unit (or max_rows_per_group) on the session",
            }
            .into());
        }
        if U::KIND == UnitKind::Record && limits != ContributionLimits::default() {
            return Err(privacy_core::Error::Missing {
                setting: "the unit that the limits speak of",
                remedy: "call unit(|row| …) to protect users, or leave the limits out",
            }
            .into());
        }
        let has_budget = self.context.as_ref().is_some_and(|cx| cx.budget().is_ok());
        let given = [has_budget, self.budget.is_some(), self.ledger.is_some()];
        if given.iter().filter(|given| **given).count() > 1 {
            return Err(Error::TwoBudgets);
        }
        let mut cx = match self.context {
            Some(context) => context,
            None => Context::new(Actor::new("application"), Purpose::new("analytics"))?,
        };
        if let Some(budget) = self.budget {
            cx = cx.with_budget(MemoryBudget::new(budget));
        }
        if let Some(ledger) = self.ledger {
            cx = cx.with_shared_budget(ledger);
        }
        if cx.budget().is_err() {
            return Err(privacy_core::Error::Missing {
                setting: "the budget",
                remedy: "call budget(Epsilon::new(1.0)?) or ledger(…), or pass a context that has one",
            }
            .into());
        }
        let units = self.index.map(|build| build(self.rows, self.threads)).transpose()?;
        Ok(Session { table: Table::new(self.rows, units), limits, cx: cx.into() })
    }
}

impl<T, U, A> fmt::Debug for SessionBuilder<'_, T, U, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBuilder").field("budget", &self.budget).finish_non_exhaustive()
    }
}
