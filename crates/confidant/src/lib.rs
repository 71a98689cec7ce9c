//! Privacy-preserving analytics.

pub use privacy_core as core;

/// Differential privacy.
#[cfg(feature = "dp")]
pub mod dp {
    pub use dp_mechanisms::*;

    /// What application code imports.
    pub mod prelude {
        pub use privacy_core::measure::{Allowance, Charge};
        pub use privacy_core::params::{Amount, Confidence, Delta, Epsilon, Rho};
        pub use privacy_core::release::{Interval, Readable, Release};
    }
}
