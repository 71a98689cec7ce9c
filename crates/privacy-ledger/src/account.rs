//! The terms of an account, and what it reports.

use std::fmt;

use dp_accounting::filter::RenyiFilter;
use privacy_core::budget::Budget;
use privacy_core::measure::{Allowance, Charge};
use privacy_core::params::{Amount, Delta, Epsilon, Rho};
use privacy_core::unit::Scope;
use serde::{Deserialize, Serialize};

use crate::counting::{self, Counting};
use crate::error::{Error, Result};
use crate::path::AccountPath;
use crate::time::{Renewal, Timestamp};

/// The terms of an account: where it stands, what may be spent there, for whom, and how long.
///
/// A charge to an account counts in it and in every account above it, each in its own measure; it
/// is granted only if it fits everywhere.
///
/// # Example
///
/// ```
/// use privacy_core::prelude::*;
/// use privacy_ledger::{Account, Ledger, Renewal};
///
/// let users = Scope::of::<User, AddRemove>();
/// let ledger = Ledger::in_memory();
/// ledger.open_account(Account::root(Epsilon::new(8.0)?).protects(users))?;
/// ledger.open_account(
///     Account::at("acme/logins", Epsilon::new(1.0)?)?.protects(users).renews(Renewal::Monthly),
/// )?;
/// ledger.open_account(Account::at("acme/logins/ann", Epsilon::new(0.2)?)?)?;
/// # Ok::<(), privacy_ledger::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub(crate) path: AccountPath,
    pub(crate) limit: Allowance,
    #[serde(default, skip_serializing_if = "Counting::is_sum")]
    pub(crate) counting: Counting,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<Scope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) renewal: Option<Renewal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<Timestamp>,
    /// The limit of each block, where the data below is partitioned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) blocks: Option<Allowance>,
}

impl Account {
    /// The account of the whole ledger, with a limit: an ε, an (ε, δ) or a ρ.
    #[must_use]
    pub fn root(limit: impl Into<Allowance>) -> Self {
        Account {
            path: AccountPath::root(),
            limit: limit.into(),
            counting: Counting::Sum,
            scope: None,
            renewal: None,
            expires: None,
            blocks: None,
        }
    }

    /// The account at `path`, with a limit: an ε, an (ε, δ) or a ρ.
    ///
    /// # Errors
    ///
    /// [`Error::Path`] if `path` is none.
    pub fn at(path: impl AsRef<str>, limit: impl Into<Allowance>) -> Result<Self> {
        Ok(Account { path: path.as_ref().parse()?, ..Account::root(limit) })
    }

    /// The account at `path` for a promise of (ε, δ) that is spent in Rényi divergence of `order`:
    /// for charges that state a Rényi curve, such as noise on Poisson batches. Pure and ρ-zCDP
    /// charges count by the divergence they allow at that order.
    ///
    /// Its amounts show as the ρ that has the same divergence at the order, since budgets have no
    /// measure of their own for it.
    ///
    /// # Privacy
    ///
    /// The Rényi filter of Feldman, Zrnic 2021 as in [`RenyiFilter`], valid where charges are chosen
    /// after earlier answers, since the order is fixed when the account is opened. Which order lets
    /// the most charges in, [`RenyiFilter::for_queries_like`] says.
    ///
    /// # Errors
    ///
    /// [`Error::Path`]; [`Error::Core`] unless the order is finite and above 1, δ is above 0, and
    /// the promise allows anything at this order.
    ///
    /// # Example
    ///
    /// ```
    /// use privacy_core::prelude::*;
    /// use privacy_ledger::{Account, Ledger};
    ///
    /// let (epsilon, delta) = (Epsilon::new(2.0)?, Delta::new(1e-6)?);
    /// let training = Account::renyi("acme/training", 16.0, &epsilon, &delta)?;
    /// let account = Ledger::in_memory().open_account(training)?;
    /// # Ok::<(), privacy_ledger::Error>(())
    /// ```
    pub fn renyi(
        path: impl AsRef<str>,
        order: f64,
        epsilon: &Epsilon,
        delta: &Delta,
    ) -> Result<Self> {
        let filter =
            RenyiFilter::at_order(order, epsilon, delta).map_err(privacy_core::Error::technique)?;
        let counting = Counting::Renyi { order: Amount::from_decimal(order)? };
        Ok(Account { counting, ..Account::at(path, filter.limit())? })
    }

    /// The account at `path` for releases that are declared before data are seen: so many of at
    /// most this charge each, protecting `scope`. Its limit is what they cost together at `delta`,
    /// which is less than their sum.
    ///
    /// A charge takes the least declared release that covers it; one that none covers is refused. A
    /// charge that states a ρ alone has no loss distribution, and can neither be declared nor taken.
    ///
    /// # Privacy
    ///
    /// The optimal composition of the declared (ε, δ) by their loss distribution, as in
    /// [`PlannedBudget`](dp_accounting::filter::PlannedBudget). It is valid since the list is fixed:
    /// which release comes when may depend on earlier answers, what is on the list may not.
    ///
    /// # Errors
    ///
    /// [`Error::Path`]; [`Error::Terms`] if a charge has no (ε, δ) of its own or nothing is
    /// declared; [`Error::Core`] if no ε holds at `delta`.
    ///
    /// # Example
    ///
    /// ```
    /// use privacy_core::prelude::*;
    /// use privacy_ledger::{Account, Ledger};
    ///
    /// let users = Scope::of::<User, AddRemove>();
    /// let daily = (Epsilon::new(0.1)?.into(), 100);
    /// let account = Account::declared("acme/daily", users, &Delta::new(1e-6)?, [daily])?;
    /// let account = Ledger::in_memory().open_account(account)?;
    /// // The plain sum is 10.
    /// assert!(account.standing()?.limit.to_string().starts_with("ε = 4.7"));
    /// # Ok::<(), privacy_ledger::Error>(())
    /// ```
    pub fn declared(
        path: impl AsRef<str>,
        scope: Scope,
        delta: &Delta,
        releases: impl IntoIterator<Item = (Charge, u64)>,
    ) -> Result<Self> {
        let releases = Counting::declared(releases)?;
        let limit = counting::limit_of(&releases, delta, scope)?;
        let counting = Counting::Declared { releases };
        Ok(Account { counting, ..Account::at(path, limit)?.protects(scope) })
    }

    /// The scope whose privacy the account protects. Without it, that of the first charge.
    #[must_use]
    pub fn protects(self, scope: Scope) -> Self {
        Account { scope: Some(scope), ..self }
    }

    /// Starts the budget anew each period.
    #[must_use]
    pub fn renews(self, renewal: Renewal) -> Self {
        Account { renewal: Some(renewal), ..self }
    }

    /// Refuses every charge from `expires` on.
    #[must_use]
    pub fn expires(self, expires: Timestamp) -> Self {
        Account { expires: Some(expires), ..self }
    }

    /// Declares that the data below is partitioned into disjoint blocks: each name directly below
    /// this path is a block with the limit `each`, opened at its first charge.
    ///
    /// # Privacy
    ///
    /// Of charges to different blocks only the largest counts here and above: parallel
    /// composition (McSherry 2009, Theorem 4). That holds only if every privacy unit has all its
    /// data in one block: days are blocks where the unit is a record or a user's day, not where it
    /// is a user who comes back. Under the replace relation a unit can leave one block for
    /// another, so the two largest count. The account must say whom it
    /// [`protects`](Account::protects).
    #[must_use]
    pub fn blocks(self, each: impl Into<Allowance>) -> Self {
        Account { blocks: Some(each.into()), ..self }
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &AccountPath {
        &self.path
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.blocks.is_some() && self.scope.is_none() {
            return Err(Error::Terms {
                reason: "blocks need to know whom the account protects; call `protects`",
            });
        }
        if self.blocks.is_some() && matches!(self.counting, Counting::Declared { .. }) {
            return Err(Error::Terms {
                reason: "blocks of declared releases are not known; declare an account for each block",
            });
        }
        let scope = self.scope;
        [Some(&self.limit), self.blocks.as_ref()]
            .into_iter()
            .flatten()
            .try_for_each(|limit| self.counting.check(limit, scope))
    }
}

/// The ρ-zCDP budget that keeps everything charged to it within (ε, δ): for accounts that pay for
/// Gaussian noise out of a promise in (ε, δ).
///
/// # Privacy
///
/// Sums of ρ are valid under adaptive composition (Bun, Steinke 2016, Lemma 2.3), and the
/// conversion is [`dp_accounting::zcdp::rho_for`], rounded down.
///
/// # Errors
///
/// [`Error::Core`] if δ is 0 or 1.
///
/// # Example
///
/// ```
/// use privacy_core::prelude::*;
/// use privacy_ledger::{Account, zcdp_budget};
///
/// let limit = zcdp_budget(&Epsilon::new(2.0)?, &Delta::new(1e-6)?)?;
/// let account = Account::at("acme/logins", limit)?;
/// # Ok::<(), privacy_ledger::Error>(())
/// ```
pub fn zcdp_budget(epsilon: &Epsilon, delta: &Delta) -> Result<Rho> {
    let rho = dp_accounting::zcdp::rho_for(epsilon.to_f64_down(), delta.to_f64_down())
        .map_err(privacy_core::Error::technique)?;
    Ok(Rho::from_amount(Amount::from_binary(rho)?)?)
}

/// What an account has used and has left.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Standing {
    /// Where it stands.
    pub path: AccountPath,
    /// The limit of a period, or of the account's life.
    pub limit: Allowance,
    /// What is spent or set aside in this period.
    pub used: Allowance,
    /// What a charge to this account may still ask, with regard to its limit and to those above it
    /// that count in the same measure.
    pub remaining: Allowance,
    /// The order of the Rényi divergence it counts, as the ρ of the same divergence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Amount>,
    /// How many reservations are open.
    pub open: usize,
    /// How the budget renews.
    pub renewal: Option<Renewal>,
    /// From when on it refuses.
    pub expires: Option<Timestamp>,
    /// Whether it refuses now because it was closed or has expired.
    pub closed: bool,
}

impl fmt::Display for Standing {
    /// One line: the path, what is used of which limit, what is left.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.as_str().is_empty() { "(all)" } else { self.path.as_str() };
        let (used, limit) = (self.used.display_up(), &self.limit);
        write!(f, "{path}: {used} of {limit} used, {} left", self.remaining)?;
        if let Some(order) = &self.order {
            write!(f, ", in divergence of order {order}")?;
        }
        if let Some(renewal) = self.renewal {
            write!(f, ", renews {renewal}")?;
        }
        if self.closed { f.write_str(", closed") } else { Ok(()) }
    }
}
