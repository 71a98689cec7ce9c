//! Threads that live as long as a search and help each other with large rolls.
//!
//! A thread is started once: to start one for each roll takes longer than most rolls.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::Classes;
use super::roll::{Roll, Room};

struct State<'p, const N: usize> {
    /// Rolls that want help, once for each thread that could.
    rolls: VecDeque<Arc<Roll<'p, N>>>,
    /// Grows with everything that someone may wait for.
    version: u64,
    is_closed: bool,
    /// Memory to be used again.
    spare: Vec<Classes<N>>,
}

/// The threads of a search.
pub(crate) struct Crew<'p, const N: usize> {
    state: Mutex<State<'p, N>>,
    changed: Condvar,
    idle: AtomicUsize,
    seed: u64,
}

/// Lets the helpers go, also when the work ends in a panic.
struct Close<'a, 'p, const N: usize>(&'a Crew<'p, N>);

impl<const N: usize> Drop for Close<'_, '_, N> {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.wake();
    }
}

impl<'p, const N: usize> Crew<'p, N> {
    /// A crew of which so many will soon be idle.
    pub(crate) fn new(idle: usize, seed: u64) -> Self {
        let (rolls, spare) = (VecDeque::new(), Vec::new());
        let state = State { rolls, version: 0, is_closed: false, spare };
        let idle = AtomicUsize::new(idle);
        Crew { state: Mutex::new(state), changed: Condvar::new(), idle, seed }
    }

    fn lock(&self) -> MutexGuard<'_, State<'p, N>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Threads without work, or not there yet.
    pub(crate) fn idle(&self) -> usize {
        self.idle.load(Ordering::Relaxed)
    }

    /// One that was awaited is there.
    pub(crate) fn join(&self) {
        self.idle.fetch_sub(1, Ordering::Relaxed);
    }

    /// To be compared by [`wait`](Self::wait).
    pub(crate) fn version(&self) -> u64 {
        self.lock().version
    }

    /// Wakes everyone who waits.
    pub(crate) fn wake(&self) {
        self.lock().version += 1;
        self.changed.notify_all();
    }

    /// Helps with a roll, or waits until something changes after the version `seen`.
    pub(crate) fn wait(&self, seen: u64, room: &mut Room<N>) {
        let mut state = self.lock();
        if let Some(roll) = state.rolls.pop_front() {
            drop(state);
            return roll.help(room, || self.spare());
        }
        if state.version == seen {
            self.idle.fetch_add(1, Ordering::Relaxed);
            drop(self.changed.wait(state).unwrap_or_else(PoisonError::into_inner));
            self.idle.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Helps until the work is done.
    pub(crate) fn serve(&self) {
        let mut room = Room::new(self.seed);
        self.join();
        loop {
            let state = self.lock();
            let (seen, is_closed) = (state.version, state.is_closed);
            drop(state);
            if is_closed {
                return;
            }
            self.wait(seen, &mut room);
        }
    }

    /// Does some work with so many helpers, which are let go at its end.
    pub(crate) fn helped<R>(&self, helpers: usize, work: impl FnOnce() -> R) -> R {
        std::thread::scope(|scope| {
            let _close = Close(self);
            for _ in 0..helpers {
                scope.spawn(|| self.serve());
            }
            work()
        })
    }

    fn spare(&self) -> Classes<N> {
        self.lock().spare.pop().unwrap_or_default()
    }

    /// Makes a roll with the help of those who have no work.
    pub(super) fn share(
        &self,
        roll: &Arc<Roll<'p, N>>,
        room: &mut Room<N>,
        target: &mut Classes<N>,
    ) {
        let mut state = self.lock();
        state.rolls.extend((1..roll.shares()).map(|_| roll.clone()));
        state.version += 1;
        drop(state);
        self.changed.notify_all();
        roll.help(room, || self.spare());
        self.lock().rolls.retain(|other| !Arc::ptr_eq(other, roll));
        roll.finish(room, target, |classes| self.lock().spare.push(classes));
    }
}
