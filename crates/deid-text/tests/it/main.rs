//! Integration tests of the crate.

mod known;
mod quality;
mod speed;
