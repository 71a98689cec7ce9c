#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

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
