#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod anonymizer;
pub mod attack;
pub mod dataset;
pub mod dp;
mod error;
mod fraction;
pub mod hierarchy;
pub mod metric;
pub mod model;
mod random;
pub mod release;
pub mod report;
pub mod risk;
pub mod search;
pub mod sets;
mod special;
pub mod stage;
pub mod stream;
pub mod table;
pub mod transform;
pub mod utility;
pub mod verify;

pub use anonymizer::{Anonymizer, Recoding};
pub use dataset::{Dataset, Role, Roles};
pub use error::{ColumnHint, DataValue, Error, HierarchyProblem, Infeasible, Result};
pub use fraction::Fraction;
pub use hierarchy::Hierarchy;
pub use random::Seeded;
pub use release::{Certificate, Release};
pub use table::Table;

/// What most programs need, in one import.
pub mod prelude {
    pub use crate::anonymizer::{Anonymizer, Recoding};
    pub use crate::dataset::{Role, Roles};
    pub use crate::hierarchy::{DateUnit, Hierarchy, Intervals, Masking};
    pub use crate::metric::Metric;
    pub use crate::model::{Distance, Model};
    pub use crate::search::{Cancel, Effort};
    pub use crate::table::{CsvOptions, Kind, Missing, Table};
}
