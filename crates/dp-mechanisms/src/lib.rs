#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod additive;
#[cfg(feature = "arrow")]
pub mod arrow;
pub mod audit;
pub mod bound;
pub mod columns;
mod error;
pub mod grid;
mod hash;
pub mod keys;
pub mod local;
pub mod noise;
pub mod quantile;
mod quick;
pub mod select;
pub mod session;
pub mod sketch;
pub mod stream;
pub mod transform;

pub use error::{Error, Result};
pub use quick::{count, count_distinct, mean, sum};

/// What application code needs, in one import.
pub mod prelude {
    pub use crate::session::{GroupedRelease, Session};
    pub use privacy_core::access::{Actor, Purpose};
    pub use privacy_core::audit::MemoryAudit;
    pub use privacy_core::budget::{Budget, MemoryBudget};
    pub use privacy_core::context::Context;
    pub use privacy_core::measure::{Allowance, Charge};
    pub use privacy_core::params::{Amount, Bounds, Confidence, Delta, Epsilon, Rho};
    pub use privacy_core::random::SystemRng;
    pub use privacy_core::release::{Interval, Readable, Release};
    pub use privacy_core::unit::{AddRemove, Adjacency, PrivacyUnit, Record, Replace, User};
}
