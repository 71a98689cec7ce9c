//! One account of a ledger as a budget.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use privacy_core::audit::{AuditSink, RecordId};
use privacy_core::budget::{Budget, Refusal, RequestId, Reservation};
use privacy_core::measure::{Allowance, Charge};
use privacy_core::unit::Scope;

use crate::account::Standing;
use crate::book::{Request, Wanted};
use crate::entry::{Event, OnLapse, Reserved, Settled};
use crate::error::{Error, Result};
use crate::ledger::{Ledger, secret};
use crate::path::AccountPath;
use crate::state::{Applied, Past};
use crate::store::Durability;
use crate::telemetry::{self, Doing};
use crate::time::Timestamp;

/// An account of a [`Ledger`], to charge. Clones charge the same account.
///
/// # Privacy
///
/// The charge is durable before [`reserve`](Budget::reserve) returns, so that nothing is drawn
/// that was not paid for. A reservation that nobody ends, because its process died, lapses after
/// the ledger's timeout and counts as spent.
#[derive(Clone)]
pub struct AccountBudget {
    ledger: Ledger,
    path: AccountPath,
    limit: Allowance,
}

/// How a request begins.
#[derive(Debug)]
#[must_use = "a new reservation must be drawn and finished"]
pub enum Begun {
    /// It is new, and paid for: draw, then [`finish`](AccountBudget::finish).
    New(Reservation),
    /// It was made before: nothing was charged now, and nothing must be drawn.
    Before(Past),
}

impl AccountBudget {
    pub(crate) fn new(ledger: Ledger, path: AccountPath, limit: Allowance) -> Self {
        AccountBudget { ledger, path, limit }
    }

    /// Where the account stands in the hierarchy.
    #[must_use]
    pub fn path(&self) -> &AccountPath {
        &self.path
    }

    /// The ledger it belongs to.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What it has used and has left.
    ///
    /// # Errors
    ///
    /// What the store reports.
    pub fn standing(&self) -> Result<Standing> {
        self.ledger.standing(&self.path)
    }

    /// Begins the request: sets its charge aside unless it was made before.
    ///
    /// `plan` is what the request is, such as a hash of the query: the same name with another
    /// charge or plan is refused, since it cannot be a retry.
    ///
    /// # Errors
    ///
    /// A refusal of the budget or [`Error::RequestDiffers`], with nothing spent; what the store
    /// reports.
    pub fn begin(
        &self,
        request: &RequestId,
        charge: &Charge,
        scope: Scope,
        plan: Option<&str>,
    ) -> Result<Begun> {
        let reserved = reserved(&self.path, request, charge, scope, OnLapse::Spent, plan);
        Ok(match reserve(&self.ledger, reserved, self.ledger.timeout())? {
            (Applied::Before(past), _) => Begun::Before(past),
            _ => Begun::New(Reservation::new(request.clone())),
        })
    }

    /// Ends a request that was drawn, and stores its answer for retries if one is given.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownReservation`]; what the store reports. The answer must then not be handed
    /// out.
    pub fn finish(&self, reservation: Reservation, answer: Option<&[u8]>) -> Result<RecordId> {
        let _span = telemetry::span(Doing::Commit);
        let settled = settled(&self.path, reservation.request(), None);
        let mut request = Request::new(Event::Committed(settled), Durability::Power);
        request.payload = answer.map(secret).transpose()?;
        Ok(RecordId(self.ledger.submit(request)?.index))
    }

    /// Answers a request once: charges, draws and stores the answer the first time, and returns
    /// the stored answer every other time, at no cost.
    ///
    /// `draw` is the only part that reads data; whatever happens in it, the charge stays spent.
    ///
    /// # Errors
    ///
    /// As [`begin`](AccountBudget::begin) and [`finish`](AccountBudget::finish); what `draw`
    /// returns; [`Refusal::Repeated`] if the request was made before and left no answer, because
    /// it is being drawn elsewhere, failed, or its process died.
    ///
    /// # Example
    ///
    /// ```
    /// use privacy_core::prelude::*;
    /// use privacy_ledger::{Account, Ledger};
    ///
    /// let ledger = Ledger::in_memory();
    /// let account = ledger.open_account(Account::at("acme/logins", Epsilon::new(1.0)?)?)?;
    /// let (week, price) = (RequestId::new("week 47"), Epsilon::new(0.1)?.into());
    /// let users = Scope::of::<User, AddRemove>();
    /// let first = account.once(&week, &price, users, None, || Ok(b"1234".to_vec()))?;
    /// let again = account.once(&week, &price, users, None, || unreachable!())?;
    /// assert_eq!(first, again);
    /// assert_eq!(account.standing()?.remaining.to_string(), "ε = 0.9");
    /// # Ok::<(), privacy_ledger::Error>(())
    /// ```
    pub fn once(
        &self,
        request: &RequestId,
        charge: &Charge,
        scope: Scope,
        plan: Option<&str>,
        draw: impl FnOnce() -> Result<Vec<u8>>,
    ) -> Result<Vec<u8>> {
        match self.begin(request, charge, scope, plan)? {
            Begun::New(reservation) => match draw() {
                Ok(answer) => {
                    self.finish(reservation, Some(&answer))?;
                    Ok(answer)
                }
                Err(error) => {
                    self.finish(reservation, None)?;
                    Err(error)
                }
            },
            Begun::Before(Past::Committed { entry }) => {
                self.ledger.payload(RecordId(entry)).map_err(|error| match error {
                    Error::NoEntry { .. } => Refusal::Repeated.into(),
                    error => error,
                })
            }
            Begun::Before(_) => Err(Refusal::Repeated.into()),
        }
    }

    /// Sets a charge aside for `timeout`, for a caller who has yet to decide.
    ///
    /// # Privacy
    ///
    /// Nothing may be drawn under a hold: it is given back when it lapses, or its process dies.
    /// [`Hold::commit`] makes it spent, and refuses once it has lapsed; draw after that.
    ///
    /// # Errors
    ///
    /// A refusal of the budget, with nothing spent, also if the request was made before; what the
    /// store reports.
    pub fn hold(
        &self,
        request: &RequestId,
        charge: &Charge,
        scope: Scope,
        timeout: Duration,
    ) -> Result<Hold> {
        let reserved = reserved(&self.path, request, charge, scope, OnLapse::Returned, None);
        match reserve(&self.ledger, reserved, timeout)? {
            (Applied::Before(_), _) => Err(Refusal::Repeated.into()),
            (_, entry) => Ok(Hold { account: self.clone(), request: request.clone(), entry }),
        }
    }

    pub(crate) fn reserve_at(
        ledger: &Ledger,
        path: &AccountPath,
        request: &RequestId,
        charge: &Charge,
        scope: Scope,
    ) -> Result<Reservation> {
        let reserved = reserved(path, request, charge, scope, OnLapse::Spent, None);
        match reserve(ledger, reserved, ledger.timeout())? {
            (Applied::Before(_), _) => Err(Refusal::Repeated.into()),
            _ => Ok(Reservation::new(request.clone())),
        }
    }

    /// Ends a reservation. That need not wait for the disk: one whose end is lost to a loss of
    /// power lapses and counts as spent.
    pub(crate) fn settle(
        ledger: &Ledger,
        path: &AccountPath,
        reservation: &Reservation,
        spent: bool,
    ) -> Result<()> {
        let _span = telemetry::span(if spent { Doing::Commit } else { Doing::RollBack });
        let settled = settled(path, reservation.request(), None);
        let event = if spent { Event::Committed(settled) } else { Event::RolledBack(settled) };
        ledger.submit(Request::new(event, Durability::Process)).map(drop)
    }
}

fn reserved(
    path: &AccountPath,
    request: &RequestId,
    charge: &Charge,
    scope: Scope,
    on_lapse: OnLapse,
    plan: Option<&str>,
) -> Reserved {
    Reserved {
        account: path.clone(),
        request: request.clone(),
        charge: charge.clone(),
        scope,
        plan: plan.map(|plan| Cow::Owned(plan.to_owned())),
        // Set when the time of the entry is known.
        lapses: Timestamp::default(),
        on_lapse,
    }
}

fn settled(path: &AccountPath, request: &RequestId, reservation: Option<u64>) -> Settled {
    Settled { account: path.clone(), request: request.clone(), reservation }
}

fn reserve(ledger: &Ledger, reserved: Reserved, timeout: Duration) -> Result<(Applied, u64)> {
    let _span = telemetry::span(Doing::Reserve);
    let result = ledger.submit(Request {
        event: Wanted::Reserve(Box::new(reserved), timeout.max(Duration::from_millis(1))),
        payload: None,
        durability: Durability::Power,
    });
    telemetry::charge(match &result {
        Ok(written) if written.applied == Applied::Changed => "granted",
        Ok(_) => "repeated",
        Err(error) if error.is_budget() => "refused",
        Err(_) => "failed",
    });
    result.map(|written| (written.applied, written.index))
}

type CoreResult<T> = std::result::Result<T, privacy_core::Error>;

impl Budget for AccountBudget {
    fn reserve(
        &self,
        request: &RequestId,
        charge: &Charge,
        scope: Scope,
    ) -> CoreResult<Reservation> {
        Ok(Self::reserve_at(&self.ledger, &self.path, request, charge, scope)?)
    }

    fn commit(&self, reservation: Reservation) -> CoreResult<()> {
        Ok(Self::settle(&self.ledger, &self.path, &reservation, true)?)
    }

    fn roll_back(&self, reservation: Reservation) -> CoreResult<()> {
        Ok(Self::settle(&self.ledger, &self.path, &reservation, false)?)
    }

    fn limit(&self) -> Allowance {
        self.standing().map_or_else(|_| self.limit.clone(), |standing| standing.limit)
    }

    fn remaining(&self) -> CoreResult<Allowance> {
        Ok(self.standing()?.remaining)
    }

    fn trail(&self) -> Option<Arc<dyn AuditSink>> {
        Some(Arc::new(self.ledger.clone()))
    }
}

impl fmt::Debug for AccountBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountBudget").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A charge that is set aside and comes back unless it is committed in time.
///
/// Dropped, it lapses in its time.
#[derive(Debug)]
#[must_use = "a hold comes back unless it is committed"]
pub struct Hold {
    account: AccountBudget,
    request: RequestId,
    entry: u64,
}

impl Hold {
    /// Makes the charge spent, durably. From now on data may be read for it.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownReservation`] if it has lapsed; what the store reports. Nothing must be
    /// drawn then.
    pub fn commit(self) -> Result<()> {
        let _span = telemetry::span(Doing::Commit);
        self.end(Event::Committed, Durability::Power)
    }

    /// Gives the charge back at once.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownReservation`] if it has lapsed; what the store reports.
    pub fn release(self) -> Result<()> {
        let _span = telemetry::span(Doing::RollBack);
        self.end(Event::RolledBack, Durability::Process)
    }

    fn end(self, event: impl FnOnce(Settled) -> Event, durability: Durability) -> Result<()> {
        let settled = settled(&self.account.path, &self.request, Some(self.entry));
        self.account.ledger.submit(Request::new(event(settled), durability)).map(drop)
    }
}
