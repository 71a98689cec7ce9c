//! The ledger as an application, an auditor, an attacker and a crash see it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod access;
mod accounts;
mod carried;
mod common;
mod composition;
mod crash;
mod damage;
mod interop;
mod model;
#[cfg(feature = "postgres")]
mod postgres;
mod proofs;
mod session;
#[cfg(feature = "telemetry")]
mod watching;
