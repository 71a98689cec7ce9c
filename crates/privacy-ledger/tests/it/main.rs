//! The ledger as an application, an auditor, an attacker and a crash see it.

mod access;
mod accounts;
mod common;
mod crash;
mod damage;
mod model;
#[cfg(feature = "postgres")]
mod postgres;
mod proofs;
mod session;
