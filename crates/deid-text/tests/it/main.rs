//! Integration tests of the crate.

#![allow(clippy::unwrap_used, reason = "a failed expectation of a test is a failed test")]

#[cfg(feature = "arrow")]
mod arrow;
mod cases;
mod known;
mod mixed;
#[cfg(feature = "onnx")]
mod onnx;
mod policies;
mod quality;
mod records;
mod sentences;
mod speed;
