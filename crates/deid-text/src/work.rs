//! Work that scanning does, counted in tests: what is linear must not depend on how fast a machine is.
//!
//! One unit is a byte that a loop without a fixed bound visits, or one call of a verifier, whose loops
//! are bounded.

#[cfg(not(test))]
#[inline(always)]
pub(crate) fn work(_: usize) {}

#[cfg(test)]
std::thread_local! {
    static DONE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
pub(crate) fn work(units: usize) {
    DONE.set(DONE.get() + units);
}

/// The units that `f` took.
#[cfg(test)]
pub(crate) fn measured(f: impl FnOnce()) -> usize {
    let before = DONE.get();
    f();
    DONE.get() - before
}
