//! Threads that live as long as a search and help each other with large rolls.
//!
//! A thread is started once: to start one for each roll takes longer than most rolls.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::Classes;
use super::partition::{Chunk, Entry};
use super::pieces::patiently;
use super::roll::Room;
use super::share::Roll;

struct State<'p, const N: usize> {
    /// Rolls that want help, once for each thread that could.
    rolls: VecDeque<Arc<Roll<'p, N>>>,
    is_closed: bool,
    /// Memory to be used again.
    spare: Vec<Classes<N>>,
    chunks: Vec<Chunk<Entry<N>>>,
}

/// The threads of a search.
pub(crate) struct Crew<'p, const N: usize> {
    state: Mutex<State<'p, N>>,
    /// Grows with everything that someone may wait for, while the state is locked.
    version: AtomicU64,
    changed: Condvar,
    /// How many others may help with a roll.
    others: usize,
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
    /// A crew in which so many others may help with a roll.
    pub(crate) fn new(others: usize, seed: u64) -> Self {
        let (rolls, spare, chunks) = (VecDeque::new(), Vec::new(), Vec::new());
        let state = State { rolls, is_closed: false, spare, chunks };
        let (version, changed) = (AtomicU64::new(0), Condvar::new());
        Crew { state: Mutex::new(state), version, changed, others, seed }
    }

    fn lock(&self) -> MutexGuard<'_, State<'p, N>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be compared by [`wait`](Self::wait).
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Wakes everyone who waits.
    pub(crate) fn wake(&self) {
        let state = self.lock();
        self.version.fetch_add(1, Ordering::Release);
        drop(state);
        self.changed.notify_all();
    }

    /// Helps with a roll, or waits until something changes after the version `seen`.
    pub(crate) fn wait(&self, seen: u64, room: &mut Room<N>) {
        if let Some(roll) = self.next_roll() {
            roll.help(room, self);
            return self.leave(roll);
        }
        if !patiently(|| self.version() != seen) {
            let state = self.lock();
            if self.version() == seen {
                drop(self.changed.wait(state).unwrap_or_else(PoisonError::into_inner));
            }
        }
    }

    fn next_roll(&self) -> Option<Arc<Roll<'p, N>>> {
        self.lock().rolls.pop_front()
    }

    /// Helps until the work is done.
    pub(crate) fn serve(&self) {
        let mut room = Room::new(self.seed);
        loop {
            let seen = self.version();
            if self.lock().is_closed {
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

    /// Empty classes.
    pub(super) fn spare(&self) -> Classes<N> {
        let mut classes = self.lock().spare.pop().unwrap_or_default();
        classes.clear();
        classes
    }

    pub(super) fn keep_classes(&self, classes: impl Iterator<Item = Classes<N>>) {
        self.lock().spare.extend(classes);
    }

    pub(super) fn chunk(&self) -> Chunk<Entry<N>> {
        self.lock().chunks.pop().unwrap_or_default()
    }

    /// Whoever lets go of a roll last keeps its memory.
    fn leave(&self, roll: Arc<Roll<'p, N>>) {
        if let Some(roll) = Arc::into_inner(roll) {
            self.lock().chunks.extend(roll.into_chunks());
        }
    }

    /// Makes a roll with the help of those who have no work, now or while it is made.
    pub(super) fn share(&self, roll: Roll<'p, N>, room: &mut Room<N>, target: &mut Classes<N>) {
        let roll = Arc::new(roll);
        let mut state = self.lock();
        state.rolls.extend((0..self.others).map(|_| roll.clone()));
        self.version.fetch_add(1, Ordering::Release);
        drop(state);
        self.changed.notify_all();
        roll.help(room, self);
        self.lock().rolls.retain(|other| !Arc::ptr_eq(other, &roll));
        roll.finish(target, self);
        self.leave(roll);
    }
}
