//! Integration tests.

mod noise;
