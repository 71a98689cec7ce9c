//! Classes that one checker has kept and others may roll up from.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::Kept;

/// Says what was kept; how long it lasts is up to those who hold it.
#[derive(Debug)]
pub(crate) struct Shelf<const N: usize> {
    kept: Mutex<Vec<Weak<Kept<N>>>>,
    count: AtomicUsize,
}

impl<const N: usize> Shelf<N> {
    pub(crate) fn new() -> Self {
        Shelf { kept: Mutex::new(Vec::new()), count: AtomicUsize::new(0) }
    }

    pub(super) fn put(&self, kept: &Arc<Kept<N>>) {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Arc::downgrade(kept));
        self.count.store(all.len(), Ordering::Release);
    }

    /// What was put here after the first `taken`, which then counts it, too.
    pub(super) fn since(&self, taken: &mut usize) -> Vec<Arc<Kept<N>>> {
        if self.count.load(Ordering::Acquire) == *taken {
            return Vec::new();
        }
        let all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let new = all[*taken..].iter().filter_map(Weak::upgrade).collect();
        *taken = all.len();
        new
    }
}
