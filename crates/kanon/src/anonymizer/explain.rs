//! What a solution means, for a person.

use std::fmt;

use serde::Serialize;

use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::fraction::Fraction;
use crate::model::Model;
use crate::search::{Search, Solution};

/// What a solution generalizes, and what other limits would give.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// What each quasi-identifier costs.
    pub columns: Vec<ColumnCost>,
    /// The best solutions for other suppression limits, with the same requirements.
    pub by_limit: Vec<Point>,
    /// The best solutions for other k, with the same limit and the other requirements; empty if
    /// k-anonymity is not required.
    pub by_k: Vec<Point>,
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

/// A point of the frontier between privacy and loss; [`Anonymizer::release`] takes its solution.
///
/// [`Anonymizer::release`]: crate::Anonymizer::release
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Point {
    /// k, or the share of rows that may be suppressed.
    pub at: f64,
    /// The best solution there, if anything is acceptable.
    pub best: Option<Solution>,
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
    let best = |search: Search<'_>| match search.run(0) {
        Ok(found) => Ok(Some(found)),
        Err(Error::Infeasible(_) | Error::Stopped { .. }) => Ok(None),
        Err(error) => Err(error),
    };
    let mut by_limit = Vec::new();
    for at in [0.0, 0.01, 0.02, 0.05, 0.1] {
        let search = search.clone().suppress_at_most(Fraction::try_from(at)?);
        by_limit.push(Point { at, best: best(search)? });
    }
    let mut by_k = Vec::new();
    if models.iter().any(|model| matches!(model, Model::KAnonymity { .. })) {
        for k in [2u64, 3, 5, 10, 20, 50, 100] {
            let with = |model: &Model| match model {
                Model::KAnonymity { .. } => Model::k_anonymity(k),
                other => Ok(other.clone()),
            };
            let models = models.iter().map(with).collect::<Result<Vec<_>>>()?;
            by_k.push(Point { at: k as f64, best: best(search.clone().requiring(models))? });
        }
    }
    let covered = |name: &str| models.iter().any(|m| m.columns().iter().any(|c| c == name));
    let names = data.with_role(crate::dataset::Role::Sensitive);
    let names = names.filter_map(|place| data.table().columns().get(place));
    let unprotected = names.map(|c| c.name().to_owned()).filter(|name| !covered(name)).collect();
    Ok(Explanation {
        columns,
        by_limit,
        by_k,
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
        for (points, unit) in [(&self.by_limit, "% suppressed"), (&self.by_k, "as k")] {
            for Point { at, best } in points {
                let at = if unit.starts_with('%') { 100.0 * at } else { *at };
                match best {
                    Some(found) => {
                        let (loss, levels) = (found.loss, &found.levels);
                        writeln!(f, "  with {at:3} {unit}: loss {loss:.4} at levels {levels:?}")?;
                    }
                    None => writeln!(f, "  with {at:3} {unit}: not possible")?,
                }
            }
        }
        for column in &self.unprotected {
            writeln!(f, "warning: no requirement protects the sensitive column {column}")?;
        }
        Ok(())
    }
}
