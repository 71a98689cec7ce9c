#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod error;
pub mod gaussian;
pub mod loss;
pub mod numeric;
pub mod renyi;
pub mod zcdp;

pub use error::{AccountingError, Result};
