#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

/// The vocabulary that all techniques share: parameters, spaces, mechanisms, stages, budgets.
pub use privacy_core as core;

/// Differential privacy: noisy counts, sums and means within a budget.
#[cfg(feature = "dp")]
pub use dp_mechanisms as dp;

/// How privacy losses add up: events, certified accountants, filters, calibration.
#[cfg(feature = "accounting")]
pub use dp_accounting as accounting;

/// Additive homomorphic encryption: sums and dot products under encryption.
#[cfg(feature = "he")]
pub use paillier_he as he;

/// Tables that are safe to hand out: k-anonymity and its relatives.
#[cfg(feature = "kanon")]
pub use kanon;

/// Personal data in text and records: find it, transform it, take inventory of it.
#[cfg(feature = "deid")]
pub use deid_text as deid;

/// Computing on secret shares: sharing, multi-party computation, Prio3, secure aggregation.
#[cfg(feature = "smpc")]
pub use smpc_shares as smpc;

/// Durable budgets and a tamper-evident audit log.
#[cfg(feature = "ledger")]
pub use privacy_ledger as ledger;

#[cfg(all(
    doctest,
    feature = "dp",
    feature = "accounting",
    feature = "ledger",
    feature = "he",
    feature = "kanon",
    feature = "deid",
    feature = "smpc"
))]
mod guide;

/// The names that most programs need.
pub mod prelude {
    #[cfg(feature = "dp")]
    pub use dp_mechanisms::prelude::*;
}
