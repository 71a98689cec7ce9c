//! Splitting secrets into shares, and putting shares together again.
//!
//! [`Shamir`] is threshold sharing over a field; [`Replicated`] is the three-party sharing over any
//! ring; [`additive`] is n-of-n; [`packed`] puts several secrets into one polynomial; [`bytes`] shares
//! files. A [`ShareVec`] is one party's shares of a vector of secrets: the unit that everything else in
//! the crate works on.

pub mod additive;
pub mod bytes;
mod encoding;
pub mod general;
pub mod packed;
mod replicated;
mod robust;
mod shamir;
mod vector;
#[cfg(feature = "curve")]
pub mod verifiable;

pub use replicated::Replicated;
pub use robust::Corrected;
pub use shamir::Shamir;
pub(crate) use shamir::{interpolate, on_polynomial};
pub(crate) use vector::Place;
#[doc(hidden)]
pub use vector::Raw;
pub use vector::ShareVec;
