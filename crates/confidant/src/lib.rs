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

/// Computing on secret shares: sharing, multi-party computation, Prio3, secure aggregation.
#[cfg(feature = "smpc")]
pub use smpc_shares as smpc;

/// The names that most programs need.
pub mod prelude {
    #[cfg(feature = "dp")]
    pub use dp_mechanisms::prelude::*;
}
