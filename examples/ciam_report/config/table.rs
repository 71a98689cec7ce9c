//! The table that a configuration wants to hand out: the role of each column, and how large crowds
//! must be.

use confidant::kanon::prelude::{Hierarchy, Model, Roles, Table};
use serde::Deserialize;

use crate::choose::DEFAULT_K;
use crate::error::Error;
use crate::identify;
use crate::report::FoundColumn;
use crate::run::partner::{LEFT_OUT, Order};

/// The section `[table]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableConfig {
    /// With how many rows, itself included, each row agrees on what can be known of it.
    #[serde(default = "k")]
    pub k: u64,
    /// The share of rows that may be left out for that.
    #[serde(default = "left_out")]
    leave_out: f64,
    /// Columns that name people; they are dropped.
    #[serde(default)]
    identifying: Vec<String>,
    /// Columns that a stranger could know; they are coarsened.
    quasi: Vec<String>,
    /// Columns that nobody may learn of a person; each crowd has at least two values of them.
    #[serde(default)]
    sensitive: Vec<String>,
    /// Columns that are neither.
    #[serde(default)]
    insensitive: Vec<String>,
}

fn k() -> u64 {
    DEFAULT_K
}

fn left_out() -> f64 {
    LEFT_OUT
}

impl TableConfig {
    /// What is to hold of the table.
    pub fn models(&self) -> Result<Vec<Model>, Error> {
        let mut models = vec![Model::k_anonymity(self.k)?];
        for column in &self.sensitive {
            models.push(Model::distinct_diversity(column, 2)?);
        }
        Ok(models)
    }

    /// The order for the table. Hierarchies are suggested from the data, and the report says so.
    pub fn order(&self, table: &Table) -> Result<Order, Error> {
        let mut roles = Roles::new();
        for column in &self.identifying {
            roles = roles.identifying(column);
        }
        for column in &self.quasi {
            roles = roles.quasi(column, Hierarchy::suggest(table.column(column)?));
        }
        for column in &self.sensitive {
            roles = roles.sensitive(column);
        }
        for column in &self.insensitive {
            roles = roles.insensitive(column);
        }
        Ok(Order { roles, models: self.models()?, left_out: self.leave_out })
    }

    /// Refuses a table in which a column would stand that names people.
    pub fn check(&self, found: &[FoundColumn]) -> Result<(), Error> {
        let listed = |column: &FoundColumn| self.identifying.contains(&column.column);
        match found.iter().find(|column| identify::identifies(column) && !listed(column)) {
            None => Ok(()),
            Some(column) => Err(Error::Identifier {
                column: column.column.clone(),
                entity: column.holds.clone().unwrap_or_default(),
            }),
        }
    }
}
