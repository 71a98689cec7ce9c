#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod dataset;
mod error;
mod fraction;
pub mod hierarchy;
pub mod metric;
pub mod model;
pub mod risk;
pub mod search;
mod special;
pub mod table;
pub mod verify;

pub use dataset::{Dataset, Role, Roles};
pub use error::{DataValue, Error, HierarchyProblem, Infeasible, Result};
pub use fraction::Fraction;
pub use hierarchy::Hierarchy;
pub use table::Table;
