//! Budgets: what may still be spent, reserved before a release and committed after it.
//!
//! A release goes `reserve → draw → commit`. From the moment of the reservation the amount is gone
//! for everybody else. [`Budget::roll_back`] gives it back, and is right only while nothing was
//! drawn from data; a reservation that is found open after a crash counts as spent. So a failure
//! can waste budget, but never release something that was not paid for.

mod accounts;
mod memory;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::audit::AuditSink;
use crate::error::Result;
use crate::measure::{Allowance, Charge};
use crate::unit::Scope;

pub use accounts::{Accounts, Purse};
pub use memory::MemoryBudget;

/// An account that releases are charged to, shared by threads.
///
/// A budget protects one [`Scope`]: charges about users and charges about records do not add up.
///
/// # Privacy
///
/// An implementation promises that the committed and reserved charges never exceed the limit
/// together, whatever the order and number of racing calls, and that a refusal changes nothing.
pub trait Budget: Send + Sync {
    /// Sets the charge aside, for a release about `scope`.
    ///
    /// # Errors
    ///
    /// [`Refusal`] (as [`crate::Error::Budget`]) if it does not fit, its measure does not convert,
    /// the budget protects another scope, or the request was made before; nothing is spent then. [`crate::Error::Storage`] if the
    /// account cannot be reached.
    fn reserve(&self, request: &RequestId, charge: &Charge, scope: Scope) -> Result<Reservation>;

    /// Makes a reservation's charge final.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownReservation`] if the reservation is not open here;
    /// [`crate::Error::Storage`] if the account cannot be reached.
    fn commit(&self, reservation: Reservation) -> Result<()>;

    /// Gives a reservation's charge back. Only for a release that was never drawn.
    ///
    /// # Errors
    ///
    /// As [`Budget::commit`].
    fn roll_back(&self, reservation: Reservation) -> Result<()>;

    /// What the account was opened with.
    fn limit(&self) -> Allowance;

    /// What can still be reserved: the limit less what is spent and what is set aside.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Storage`] if the account cannot be reached.
    fn remaining(&self) -> Result<Allowance>;

    /// The audit trail that this budget keeps of its own, as a ledger does. A context that is given
    /// the budget, and no other trail, writes its records there.
    fn trail(&self) -> Option<Arc<dyn AuditSink>> {
        None
    }
}

/// Names a request, so that a retry is recognized and not charged twice.
///
/// The caller chooses it; it must say nothing about the data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(String);

impl RequestId {
    /// The request called `name`.
    pub fn new(name: impl Into<String>) -> Self {
        RequestId(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A charge that is set aside; ends in [`Budget::commit`] or [`Budget::roll_back`].
///
/// Dropped without either it stays set aside: the safe side.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an open reservation keeps its amount set aside until it is committed or rolled back"]
pub struct Reservation {
    request: RequestId,
}

impl Reservation {
    /// The token for `request`; for implementations of [`Budget`].
    pub fn new(request: RequestId) -> Self {
        Reservation { request }
    }

    /// The request it was made for.
    #[must_use]
    pub fn request(&self) -> &RequestId {
        &self.request
    }
}

impl Refusal {
    /// The refusal of `asked` where only `remaining` is left.
    #[must_use]
    pub fn exhausted(asked: Allowance, remaining: Allowance) -> Self {
        Refusal::Exhausted { asked: Box::new(asked), remaining: Box::new(remaining) }
    }
}

/// Why a budget refused. Nothing was spent, and the budget goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Less is left than was asked for.
    #[error(
        "the budget cannot pay: {} was asked and {remaining} is left; ask for less",
        asked.display_up()
    )]
    Exhausted {
        /// What was asked for.
        asked: Box<Allowance>,
        /// What is left.
        remaining: Box<Allowance>,
    },
    /// The charge has no proven bound in the budget's measure.
    #[error(
        "a budget in {budget} cannot pay for this release, which has no proven cost in that \
         measure: price it otherwise (an ε is paid from every budget), or open a budget in ρ or a \
         filter for (ε, δ)"
    )]
    OtherMeasure {
        /// The budget's measure.
        budget: &'static str,
    },
    /// The charge is about another unit or adjacency than the budget.
    #[error(
        "the budget protects {budget} and cannot pay for a release that protects {asked}; keep a \
         budget for each"
    )]
    OtherScope {
        /// What the budget protects.
        budget: Scope,
        /// What the release protects.
        asked: Scope,
    },
    /// The request was paid for before; its stored release must be used, not a fresh draw.
    #[error("this request was made before; use its stored release, or another request name")]
    Repeated,
    /// The account was closed, or has expired.
    #[error("the budget is closed or has expired; ask whoever keeps it for another")]
    Closed,
    /// The reservation is not open in this account.
    #[error("the reservation is not open in this budget; make a new one")]
    UnknownReservation,
}
