//! Reservations over any amount that can be taken and given back: what budgets are built on.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Refusal, RequestId, Reservation};
use crate::error::Result;
use crate::measure::Allowance;
use crate::unit::Scope;

/// Something a budget counts in.
pub trait Purse: Clone + Send {
    /// What is left after `asked` is taken; `None` if it does not fit.
    fn take(&self, asked: &Self) -> Option<Self>;

    /// What there is after `returned` is given back: at most what there was before it was taken.
    fn give(&self, returned: &Self) -> Option<Self>;
}

impl Purse for Allowance {
    fn take(&self, asked: &Self) -> Option<Self> {
        self.minus(asked)
    }

    fn give(&self, returned: &Self) -> Option<Self> {
        self.plus(returned)
    }
}

/// The state machine of an account in memory: requests that are reserved, committed or rolled
/// back, under one lock.
///
/// For implementations of [`Budget`](super::Budget): they say what a charge costs in their purse,
/// this keeps the books.
pub struct Accounts<P> {
    state: Mutex<State<P>>,
}

struct State<P> {
    /// What can still be reserved. Kept instead of what is gone, so that "fits" is one exact
    /// subtraction.
    remaining: P,
    scope: Option<Scope>,
    requests: HashMap<RequestId, Request<P>>,
}

enum Request<P> {
    Reserved(P),
    Committed,
}

impl<P: Purse> Accounts<P> {
    /// Accounts with `limit` to spend, about `scope` or about whatever the first request is.
    pub fn new(limit: P, scope: Option<Scope>) -> Self {
        Accounts { state: Mutex::new(State { remaining: limit, scope, requests: HashMap::new() }) }
    }

    fn state(&self) -> MutexGuard<'_, State<P>> {
        // Every update below is made after its checks and cannot fail half-way, so a panic
        // elsewhere has not left the state half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What can still be reserved.
    pub fn remaining(&self) -> P {
        self.state().remaining.clone()
    }

    /// Takes `asked`; `refuse` makes the refusal from what was asked and what is left.
    ///
    /// # Errors
    ///
    /// [`Refusal::Repeated`], [`Refusal::OtherScope`], or what `refuse` returns; nothing changes.
    pub fn reserve(
        &self,
        request: &RequestId,
        asked: P,
        scope: Scope,
        refuse: impl FnOnce(P, &P) -> Refusal,
    ) -> Result<Reservation> {
        let mut state = self.state();
        if state.requests.contains_key(request) {
            return Err(Refusal::Repeated.into());
        }
        if let Some(budget) = state.scope.filter(|budget| *budget != scope) {
            return Err(Refusal::OtherScope { budget, asked: scope }.into());
        }
        let Some(remaining) = state.remaining.take(&asked) else {
            return Err(refuse(asked, &state.remaining).into());
        };
        state.remaining = remaining;
        state.scope = Some(scope);
        state.requests.insert(request.clone(), Request::Reserved(asked));
        Ok(Reservation::new(request.clone()))
    }

    /// Makes a reservation final.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownReservation`] if it is not open here.
    pub fn commit(&self, reservation: &Reservation) -> Result<()> {
        match self.state().requests.get_mut(reservation.request()) {
            Some(request @ Request::Reserved(_)) => {
                *request = Request::Committed;
                Ok(())
            }
            _ => Err(Refusal::UnknownReservation.into()),
        }
    }

    /// Gives a reservation back.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownReservation`] if it is not open here.
    pub fn roll_back(&self, reservation: &Reservation) -> Result<()> {
        let mut state = self.state();
        let Some(Request::Reserved(amount)) = state.requests.get(reservation.request()) else {
            return Err(Refusal::UnknownReservation.into());
        };
        let restored = state.remaining.give(amount).ok_or(Refusal::UnknownReservation)?;
        state.remaining = restored;
        state.requests.remove(reservation.request());
        Ok(())
    }
}

impl<P> fmt::Debug for Accounts<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").finish_non_exhaustive()
    }
}
