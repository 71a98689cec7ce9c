#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod engine;
pub mod error;
pub mod field;
pub mod net;
pub mod opening;
mod party;
pub mod protocol;
pub mod security;
pub mod sharing;
pub mod stream;

pub use error::{Error, Result};
pub use party::Party;
pub use security::{Active, Scheme};
pub use sharing::{Replicated, Shamir, ShareVec};
