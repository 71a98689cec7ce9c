//! Integration tests.

#![allow(clippy::unwrap_used, reason = "a failed expectation of a test is a failed test")]

mod known;
mod operations;
mod support;
