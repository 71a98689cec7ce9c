//! Bounding what one privacy unit contributes: the limits, what sensitivity follows from them, and
//! which rows are kept.

mod limits;
mod reservoir;
mod rows;
mod select;
mod totals;

pub use limits::{Contribution, NoiseNorm, Shape};
pub use reservoir::Reservoirs;
pub use rows::BoundRows;
pub(crate) use select::{Entry, Selection, mix};
pub(crate) use totals::{Norms, positive};
pub use totals::{TotalLimits, UnitTotals};
