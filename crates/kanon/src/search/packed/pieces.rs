//! Work in pieces that threads take one after the other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// So many pieces of work; who is faster takes more of them.
#[derive(Debug)]
pub(super) struct Pieces {
    next: AtomicUsize,
    count: usize,
    left: Mutex<usize>,
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
        let (next, left) = (AtomicUsize::new(0), Mutex::new(count));
        Pieces { next, count, left, finished: Condvar::new() }
    }

    /// The next piece, if any is left.
    pub(super) fn take(&self) -> Option<Piece<'_>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.count).then(|| Piece { all: self, number })
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all pieces are done.
    pub(super) fn wait(&self) {
        let mut left = self.lock();
        while *left > 0 {
            left = self.finished.wait(left).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Piece<'_> {
    fn drop(&mut self) {
        let mut left = self.all.lock();
        *left -= 1;
        if *left == 0 {
            self.all.finished.notify_all();
        }
    }
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
