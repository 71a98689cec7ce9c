//! What the tests of the family share: statistical checks with a stated false-alarm probability,
//! exact enumeration of randomized algorithms over all their choices, known answers with their
//! origin, algebraic laws, and checks that nothing personal shows.
//!
//! A check that fails panics with a message that says what was expected: this crate is used from
//! tests alone and is not published.

#![forbid(unsafe_code)]
#![allow(clippy::panic, reason = "a check of a test crate reports a failure by panicking")]

pub mod axioms;
pub mod enumerate;
pub mod interval;
pub mod known_answers;
pub mod quiet;
pub mod statistics;
