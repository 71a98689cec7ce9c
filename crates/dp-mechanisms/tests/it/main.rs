//! Integration tests.

#![allow(clippy::unwrap_used, reason = "a failed expectation of a test is a failed test")]

#[cfg(feature = "arrow")]
mod arrow;
mod audit;
mod histogram;
mod intervals;
mod known;
mod moments;
mod noise;
mod order;
mod partition;
mod reach;
mod session;
