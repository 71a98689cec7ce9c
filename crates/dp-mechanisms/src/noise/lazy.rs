//! Tables that are made once they pay.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// Making a table takes as long as about this many draws without it.
const WORTH: u32 = 32;

/// A fast sampler, made when its law has been drawn from often enough; clones share it.
///
/// Whether it is there depends on the number of draws alone, never on their values, and both ways
/// to draw have the same law.
pub(crate) struct Lazy<T>(Arc<Shared<T>>);

struct Shared<T> {
    made: OnceLock<T>,
    draws: AtomicU32,
}

impl<T> Lazy<T> {
    pub(crate) fn new() -> Self {
        Lazy(Arc::new(Shared { made: OnceLock::new(), draws: AtomicU32::new(0) }))
    }

    /// What `make` makes, if it pays with `draws` more draws.
    #[inline]
    pub(crate) fn after(&self, draws: usize, make: impl FnOnce() -> T) -> Option<&T> {
        self.0.made.get().or_else(|| self.count(draws, make))
    }

    #[cold]
    fn count(&self, draws: usize, make: impl FnOnce() -> T) -> Option<&T> {
        let draws = u32::try_from(draws).unwrap_or(WORTH).min(WORTH);
        // The table is made before the sum leaves its range: each caller that sees WORTH makes it.
        let before = self.0.draws.fetch_add(draws, Ordering::Relaxed);
        (before + draws >= WORTH).then(|| self.0.made.get_or_init(make))
    }
}

impl<T> Clone for Lazy<T> {
    fn clone(&self) -> Self {
        Lazy(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lazy").field("made", &self.0.made.get().is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_made_after_enough_draws_and_shared_by_clones() {
        let lazy = Lazy::new();
        let clone = lazy.clone();
        assert_eq!(lazy.after(1, || 1), None);
        assert_eq!(lazy.after(WORTH as usize - 2, || 2), None);
        assert_eq!(lazy.after(1, || 3), Some(&3));
        assert_eq!(clone.after(0, || 4), Some(&3));
        assert_eq!(Lazy::new().after(usize::MAX, || 5), Some(&5));
    }
}
