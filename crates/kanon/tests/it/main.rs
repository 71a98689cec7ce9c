//! Integration tests.

#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic, clippy::type_complexity)]

mod adult;
mod brute_force;
mod fuzz;
mod known;
mod mistakes;
mod mutants;
mod releases;
mod robust;
mod sets;
mod threads;
