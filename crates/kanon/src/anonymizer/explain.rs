//! What a solution means, for a person.

use std::fmt;

use serde::Serialize;

use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::fraction::Fraction;
use crate::model::Model;
use crate::search::{Search, Solution};

/// What a solution generalizes, and what other suppression limits would give.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// For each quasi-identifier: its name, its level, its highest level, and the mean share of the
    /// domain that its cells cover (0 to 1).
    pub columns: Vec<ColumnCost>,
    /// Suppression limits and the best loss within each; `None` if nothing is acceptable.
    pub frontier: Vec<(f64, Option<f64>)>,
    /// Requirements.
    pub models: Vec<String>,
    /// Whether the loss is proven least, and how many nodes were checked for it.
    pub optimal: bool,
    /// Nodes checked.
    pub checked: u64,
    /// Rows suppressed.
    pub suppressed: u64,
    /// Sensitive columns that no model protects.
    pub unprotected: Vec<String>,
}

/// What a column costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ColumnCost {
    /// The column.
    pub column: String,
    /// Its level.
    pub level: usize,
    /// Its highest level.
    pub highest: usize,
    /// The mean share of the domain that its cells cover.
    pub covered: f64,
}

pub(super) fn explain(
    data: &Dataset,
    search: &Search<'_>,
    models: &[Model],
    solution: &Solution,
) -> Result<Explanation> {
    let n = data.table().rows().max(1) as f64;
    let columns = data
        .quasi()
        .zip(&solution.levels)
        .map(|(quasi, &level)| {
            let counts = quasi.column.counts();
            let covered = counts.iter().enumerate().map(|(entry, &count)| {
                let group = quasi.levels.groups(level).get(entry).copied().unwrap_or(0);
                count as f64
                    * quasi.levels.shares(level).get(group as usize).copied().unwrap_or(1.0)
            });
            ColumnCost {
                column: quasi.column.name().into(),
                level,
                highest: quasi.levels.highest(),
                covered: covered.sum::<f64>() / n,
            }
        })
        .collect();
    let mut frontier = Vec::new();
    for limit in [0.0, 0.01, 0.02, 0.05, 0.1] {
        let at = search.clone().suppress_at_most(Fraction::try_from(limit)?);
        frontier.push(match at.run(0) {
            Ok(found) => (limit, Some(found.loss)),
            Err(Error::Infeasible(_) | Error::Stopped { .. }) => (limit, None),
            Err(error) => return Err(error),
        });
    }
    let covered = |name: &str| models.iter().any(|m| m.columns().iter().any(|c| c == name));
    let names = data.with_role(crate::dataset::Role::Sensitive);
    let names = names.filter_map(|place| data.table().columns().get(place));
    let unprotected = names.map(|c| c.name().to_owned()).filter(|name| !covered(name)).collect();
    Ok(Explanation {
        columns,
        frontier,
        models: models.iter().map(Model::to_string).collect(),
        optimal: solution.optimal,
        checked: solution.checked,
        suppressed: solution.suppressed,
        unprotected,
    })
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "required: {}", self.models.join("; "))?;
        for column in &self.columns {
            writeln!(
                f,
                "  {:24} level {} of {}, a cell covers {:5.1} % of the domain",
                column.column,
                column.level,
                column.highest,
                100.0 * column.covered
            )?;
        }
        writeln!(f, "suppressed: {} rows", self.suppressed)?;
        let proof = if self.optimal { "proven least" } else { "best found" };
        writeln!(f, "loss: {proof}, {} nodes checked", self.checked)?;
        for (limit, loss) in &self.frontier {
            match loss {
                Some(loss) => writeln!(f, "  with {:4.1} % suppressed: {loss:.4}", 100.0 * limit)?,
                None => writeln!(f, "  with {:4.1} % suppressed: not possible", 100.0 * limit)?,
            }
        }
        for column in &self.unprotected {
            writeln!(f, "warning: no requirement protects the sensitive column {column}")?;
        }
        Ok(())
    }
}
