//! Bounding what one privacy unit contributes: the limits, what sensitivity follows from them, and
//! which rows are kept.

mod limits;
mod rows;
mod select;

pub use limits::{Contribution, NoiseNorm, Shape};
pub use rows::BoundRows;
pub(crate) use select::{Entry, Selection, mix};
