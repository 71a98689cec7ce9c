//! The terms of an account, and what it reports.

use std::fmt;

use privacy_core::measure::Allowance;
use privacy_core::params::{Amount, Delta, Epsilon, Rho};
use privacy_core::unit::Scope;
use serde::{Deserialize, Serialize};

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
        Ok(())
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
        if let Some(renewal) = self.renewal {
            write!(f, ", renews {renewal}")?;
        }
        if self.closed { f.write_str(", closed") } else { Ok(()) }
    }
}
