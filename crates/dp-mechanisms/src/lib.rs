//! Differentially private mechanisms.
//!
//! So far: exact discrete [`noise`].

#![forbid(unsafe_code)]

pub mod noise;
