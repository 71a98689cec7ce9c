#![doc = include_str!("questions/start.md")]
#![cfg_attr(feature = "dp", doc = include_str!("questions/dp.md"))]
#![cfg_attr(feature = "accounting", doc = include_str!("questions/accounting.md"))]
#![cfg_attr(all(feature = "ledger", feature = "dp"), doc = include_str!("questions/ledger.md"))]
#![cfg_attr(feature = "kanon", doc = include_str!("questions/kanon.md"))]
#![cfg_attr(feature = "deid", doc = include_str!("questions/deid.md"))]
#![cfg_attr(feature = "he", doc = include_str!("questions/he.md"))]
#![cfg_attr(feature = "smpc", doc = include_str!("questions/smpc.md"))]
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

/// The examples of the README.
#[cfg(all(doctest, feature = "dp"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// The names that most programs need.
pub mod prelude {
    #[cfg(feature = "dp")]
    pub use dp_mechanisms::prelude::*;
}
