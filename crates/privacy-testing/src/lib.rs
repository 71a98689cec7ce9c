//! What the tests of the family share: statistical checks with a stated false-alarm probability,
//! and exact enumeration of randomized algorithms over all their choices.
//!
//! A check that fails panics with a message that says what was expected: this crate is used from
//! tests alone and is not published.

#![forbid(unsafe_code)]
#![allow(clippy::panic, reason = "a check of a test crate reports a failure by panicking")]

pub mod enumerate;
pub mod interval;
pub mod statistics;
