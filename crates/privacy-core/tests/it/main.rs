//! Integration tests: the crate as the author of a technique uses it.

#![allow(clippy::unwrap_used, reason = "a failed expectation of a test is a failed test")]

mod amount;
mod custom;
mod laws;
mod params;
mod traits;
