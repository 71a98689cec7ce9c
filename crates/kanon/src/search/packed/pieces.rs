//! Work in pieces that threads take one after the other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// So many pieces of work; who is faster takes more of them.
#[derive(Debug)]
pub(super) struct Pieces {
    next: AtomicUsize,
    count: usize,
    /// Pieces that are not done.
    left: AtomicUsize,
    lock: Mutex<()>,
    finished: Condvar,
}

/// A piece of work, which is done when this is dropped: also in a panic, so that nobody waits for a
/// thread that is gone. Whoever started that thread passes the panic on.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    all: &'a Pieces,
    pub(super) number: usize,
}

impl Pieces {
    pub(super) fn new(count: usize) -> Self {
        let (next, left) = (AtomicUsize::new(0), AtomicUsize::new(count));
        Pieces { next, count, left, lock: Mutex::new(()), finished: Condvar::new() }
    }

    /// The next piece, if any is left.
    pub(super) fn take(&self) -> Option<Piece<'_>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.count).then(|| Piece { all: self, number })
    }

    fn are_done(&self) -> bool {
        self.left.load(Ordering::Acquire) == 0
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all pieces are done.
    pub(super) fn wait(&self) {
        if patiently(|| self.are_done()) {
            return;
        }
        let mut guard = self.lock();
        while !self.are_done() {
            guard = self.finished.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Piece<'_> {
    fn drop(&mut self) {
        if self.all.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Whoever has seen that pieces are left is waiting once the lock is free.
            drop(self.all.lock());
            self.all.finished.notify_all();
        }
    }
}

/// Looks again and again for a fraction of a millisecond, and lets others run meanwhile: a thread that
/// sleeps takes about as long to wake up. Whether it has happened.
pub(super) fn patiently(mut has_happened: impl FnMut() -> bool) -> bool {
    for _ in 0..100 {
        for _ in 0..16 {
            if has_happened() {
                return true;
            }
            std::hint::spin_loop();
        }
        std::thread::yield_now();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_is_taken_once() {
        let pieces = Pieces::new(100);
        let taken = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while let Some(piece) = pieces.take() {
                        taken.lock().unwrap().push(piece.number);
                    }
                    pieces.wait();
                    assert_eq!(taken.lock().unwrap().len(), 100);
                });
            }
        });
        let mut taken = taken.into_inner().unwrap();
        taken.sort_unstable();
        assert!(taken.into_iter().eq(0..100));
    }

    #[test]
    fn nobody_waits_for_a_thread_that_panicked() {
        let pieces = Pieces::new(1);
        let failed = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let _piece = pieces.take();
                panic!("the thread is gone");
            });
            pieces.wait();
            thread.join().is_err()
        });
        assert!(failed);
    }
}
