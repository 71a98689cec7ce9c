//! Parameters, parsed once: a value that exists is valid.
//!
//! Privacy amounts are exact rationals inside ([`Amount`]): `Epsilon::new(0.1)` is the decimal that
//! was written, one tenth, so ten of them are exactly one. Where floating point is unavoidable the
//! conversion says its direction: [`Amount::to_f64_up`], [`Amount::to_f64_down`].

mod amount;
mod bounds;
mod contribution;
mod privacy;
mod sensitivity;

pub use amount::Amount;
pub use bounds::{Bounds, Numeric};
pub use contribution::{ContributionLimits, RowLimit};
pub use privacy::{Confidence, Delta, Epsilon, Rho};
pub use sensitivity::Sensitivity;
