//! Integration tests.

#![allow(clippy::unwrap_used, reason = "a failed expectation of a test is a failed test")]

mod exchange;
mod known;
mod mistakes;
mod operations;
mod packing;
mod parallel;
mod protocols;
mod support;
mod timing;
