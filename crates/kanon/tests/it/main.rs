//! Integration tests.

mod adult;
mod brute_force;
mod known;
mod releases;
mod robust;
