#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
// Known answers are written with all their digits and compared exactly where they are exact.
#![cfg_attr(test, allow(clippy::float_cmp, clippy::excessive_precision))]

pub mod account;
pub mod amplify;
pub mod calibrate;
pub mod describe;
pub mod error;
pub mod event;
mod exact;
pub mod filter;
pub mod gaussian;
pub mod loss;
pub mod numeric;
mod price;
pub mod pure;
pub mod renyi;
pub mod zcdp;

pub use error::{AccountingError, Result};
