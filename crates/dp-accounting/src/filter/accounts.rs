//! Reservations over any amount that can be taken from and given back to exactly.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use privacy_core::budget::{Refusal, RequestId, Reservation};

type CoreResult<T> = Result<T, privacy_core::Error>;

/// Something a filter counts in.
pub(super) trait Purse: Clone + Send {
    /// What is left after `asked` is taken, `None` if it does not fit.
    fn take(&self, asked: &Self) -> Option<Self>;
    /// What there is after `returned` is given back.
    fn give(&self, returned: &Self) -> Self;
}

#[derive(Debug)]
enum Request<P> {
    Reserved(P),
    Committed,
}

#[derive(Debug)]
struct State<P> {
    remaining: P,
    requests: HashMap<RequestId, Request<P>>,
}

#[derive(Debug)]
pub(super) struct Accounts<P> {
    state: Mutex<State<P>>,
}

impl<P: Purse> Accounts<P> {
    pub(super) fn new(limit: P) -> Self {
        Accounts { state: Mutex::new(State { remaining: limit, requests: HashMap::new() }) }
    }

    fn state(&self) -> MutexGuard<'_, State<P>> {
        // Each update is a single assignment after its checks.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn remaining(&self) -> P {
        self.state().remaining.clone()
    }

    /// Takes `asked`; `refuse` makes the refusal from what is left.
    pub(super) fn reserve(
        &self,
        request: &RequestId,
        asked: P,
        refuse: impl FnOnce(&P, &P) -> Refusal,
    ) -> CoreResult<Reservation> {
        let mut state = self.state();
        if state.requests.contains_key(request) {
            return Err(Refusal::Repeated.into());
        }
        let Some(remaining) = state.remaining.take(&asked) else {
            return Err(refuse(&asked, &state.remaining).into());
        };
        state.remaining = remaining;
        state.requests.insert(request.clone(), Request::Reserved(asked));
        Ok(Reservation::new(request.clone()))
    }

    pub(super) fn commit(&self, reservation: &Reservation) -> CoreResult<()> {
        match self.state().requests.get_mut(reservation.request()) {
            Some(request @ Request::Reserved(_)) => {
                *request = Request::Committed;
                Ok(())
            }
            _ => Err(Refusal::UnknownReservation.into()),
        }
    }

    pub(super) fn roll_back(&self, reservation: &Reservation) -> CoreResult<()> {
        let mut state = self.state();
        let Some(Request::Reserved(amount)) = state.requests.get(reservation.request()) else {
            return Err(Refusal::UnknownReservation.into());
        };
        let restored = state.remaining.give(amount);
        state.remaining = restored;
        state.requests.remove(reservation.request());
        Ok(())
    }
}
