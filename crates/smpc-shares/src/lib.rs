#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod engine;
pub mod error;
pub mod field;
#[cfg(feature = "curve")]
pub mod intersection;
mod kernel;
pub mod net;
pub mod opening;
mod party;
#[cfg(feature = "prio")]
pub mod prio;
pub mod protocol;
#[cfg(feature = "curve")]
pub mod secagg;
pub mod security;
pub mod sharing;
pub mod stage;
pub mod statistics;
pub mod stream;
mod wipe;

pub use error::{Error, Result};
pub use party::Party;
pub use security::{Active, Scheme};
pub use sharing::{Replicated, Shamir, ShareVec};
