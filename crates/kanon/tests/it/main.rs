//! Integration tests.

mod adult;
