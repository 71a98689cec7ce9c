//! How much a release is still good for: quality of cells, distributions, queries.

use std::collections::BTreeMap;

use privacy_core::random::{RandomBuffer, SecureRng};
use serde::Serialize;

use crate::dataset::{Dataset, Role};
use crate::error::{Error, Result};
use crate::hierarchy::range;
use crate::release::Release;
use crate::risk::Classes;
use crate::table::{Table, Value};

/// The quality of a release; 1 is unchanged, 0 is nothing left.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Quality {
    /// 1 less the share of the domain that cells cover, normalized; suppressed rows cover all.
    pub granularity: f64,
    /// For each quasi-identifier: its granularity.
    pub columns: Vec<(String, f64)>,
    /// 1 less the share of cells that are suppressed or fully general.
    pub known_cells: f64,
    /// Mean class size over kept rows.
    pub average_class_size: f64,
    /// Σ class size², n for each suppressed row, over n².
    pub discernibility: f64,
}

/// The share of its domain that a released cell covers.
fn covered(data: &Dataset, place: usize, cell: &Value) -> f64 {
    let Some(levels) = data.levels(place) else { return 0.0 };
    for level in 0..levels.count() {
        if let Some(group) = levels.labels(level).iter().position(|label| label == cell) {
            return levels.shares(level).get(group).copied().unwrap_or(1.0);
        }
    }
    // A range of Mondrian: its width over the width of the column.
    let Some(column) = data.table().columns().get(place) else { return 1.0 };
    let numbers: Vec<f64> = column.numbers().into_iter().flatten().collect();
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let text = cell.text().unwrap_or("*");
    match range(text) {
        Some((low, high)) if most > least => {
            ((high.min(most) - low.max(least)) / (most - least)).clamp(0.0, 1.0)
        }
        _ => 1.0,
    }
}

/// The quality of a release of a dataset.
#[must_use]
pub fn quality(data: &Dataset, release: &Release) -> Quality {
    let table = release.table();
    let n = data.table().rows() as f64;
    let kept = table.rows() as f64;
    let out = n - kept;
    let (mut sum, mut least, mut q) = (0.0, 0.0, 0.0);
    let mut columns = Vec::new();
    let mut general = 0.0;
    let mut names = Vec::new();
    for quasi in data.quasi() {
        let Ok(column) = table.column(quasi.column.name()) else { continue };
        names.push(column.name());
        let shares: Vec<f64> =
            column.dictionary().iter().map(|cell| covered(data, quasi.place, cell)).collect();
        let mut total = out;
        for (share, count) in shares.iter().zip(column.counts()) {
            total += share * *count as f64;
            general += if *share >= 1.0 { *count as f64 } else { 0.0 };
        }
        let mean = if n > 0.0 { total / n } else { 0.0 };
        let smallest = 1.0 / quasi.levels.domain();
        let own = if smallest < 1.0 { 1.0 - (mean - smallest) / (1.0 - smallest) } else { 1.0 };
        columns.push((column.name().to_owned(), own));
        (sum, least, q) = (sum + mean, least + smallest, q + 1.0);
    }
    let (mean, smallest) = (sum / f64::max(q, 1.0), least / f64::max(q, 1.0));
    let granularity = if smallest < 1.0 { 1.0 - (mean - smallest) / (1.0 - smallest) } else { 1.0 };
    let sizes = Classes::of(table, &names).map(|c| c.sizes().to_vec()).unwrap_or_default();
    let squares: f64 = sizes.iter().map(|&s| s as f64 * s as f64).sum();
    Quality {
        granularity,
        columns,
        known_cells: if n > 0.0 { 1.0 - (general + out * q) / (n * f64::max(q, 1.0)) } else { 1.0 },
        average_class_size: kept / (sizes.len() as f64).max(1.0),
        discernibility: if n > 0.0 { (squares + n * out) / (n * n) } else { 0.0 },
    }
}

/// The mean relative error of random conjunctive counts: `queries` of them, each over one random
/// value of each of `columns` random quasi-identifiers and one sensitive or insensitive value, with
/// even spread inside a class; |estimate − truth| / max(truth, 0.1 % of the rows).
///
/// # Errors
///
/// [`Error::Parameter`] without rows or quasi-identifiers; [`Error::Entropy`].
pub fn query_error(
    data: &Dataset,
    release: &Release,
    queries: usize,
    columns: usize,
    rng: &mut dyn SecureRng,
) -> Result<f64> {
    let quasi: Vec<_> = data.quasi().collect();
    let (original, table) = (data.table(), release.table());
    if quasi.is_empty() || original.rows() == 0 || queries == 0 {
        return Err(Error::Parameter {
            parameter: "the workload",
            requirement: "of at least one query over rows with quasi-identifiers",
        });
    }
    let mut random = RandomBuffer::new(rng);
    let mut sum = 0.0;
    for _ in 0..queries {
        let row = random.below(original.rows() as u64)? as usize;
        let mut chosen = Vec::new();
        while chosen.len() < columns.clamp(1, quasi.len()) {
            let next = random.below(quasi.len() as u64)? as usize;
            if !chosen.contains(&next) {
                chosen.push(next);
            }
        }
        let truth = (0..original.rows())
            .filter(|&r| {
                chosen.iter().all(|&i| {
                    let codes = quasi[i].column.codes();
                    codes.get(r) == codes.get(row)
                })
            })
            .count() as f64;
        // For each column: how likely a released cell stands for the wanted value.
        let mut chances = Vec::new();
        for &i in &chosen {
            let Ok(column) = table.column(quasi[i].column.name()) else { continue };
            let entry = quasi[i].column.codes().get(row);
            let levels = quasi[i].levels;
            let chance = |cell: &Value| -> f64 {
                (0..levels.count())
                    .find(|&level| levels.label(level, entry) == cell)
                    .map_or(0.0, |level| levels.share(0, entry) / levels.share(level, entry))
            };
            chances.push((column, column.dictionary().iter().map(chance).collect::<Vec<f64>>()));
        }
        let estimate: f64 = (0..table.rows())
            .map(|r| chances.iter().map(|(c, p)| p[c.codes().get(r) as usize]).product::<f64>())
            .sum();
        sum += (estimate - truth).abs() / truth.max(0.001 * original.rows() as f64);
    }
    Ok(sum / queries as f64)
}

/// How well a column can be predicted from the quasi-identifiers, by naive Bayes with add-one
/// smoothing, cross-validated over `folds`: before and after.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Accuracy {
    /// Always the majority.
    pub majority: f64,
    /// Trained on the original.
    pub original: f64,
    /// Trained on the release, asked about original rows generalized likewise.
    pub released: f64,
}

fn bayes(table: &Table, features: &[usize], target: usize, folds: usize) -> f64 {
    let columns = table.columns();
    let classes = columns[target].dictionary().len();
    let mut right = 0usize;
    for fold in 0..folds {
        let mut prior = vec![1.0f64; classes];
        let mut counts: Vec<Vec<f64>> =
            features.iter().map(|&f| vec![1.0; columns[f].dictionary().len() * classes]).collect();
        for row in (0..table.rows()).filter(|row| row % folds != fold) {
            let class = columns[target].codes().get(row) as usize;
            prior[class] += 1.0;
            for (counts, &f) in counts.iter_mut().zip(features) {
                counts[columns[f].codes().get(row) as usize * classes + class] += 1.0;
            }
        }
        for row in (0..table.rows()).filter(|row| row % folds == fold) {
            let score = |class: usize| -> f64 {
                let likelihood = counts.iter().zip(features).map(|(counts, &f)| {
                    let values = columns[f].dictionary().len() as f64;
                    let value = columns[f].codes().get(row) as usize;
                    (counts[value * classes + class] / (prior[class] + values)).ln()
                });
                prior[class].ln() + likelihood.sum::<f64>()
            };
            let guess = (0..classes).max_by(|&a, &b| score(a).total_cmp(&score(b)));
            right += usize::from(guess == Some(columns[target].codes().get(row) as usize));
        }
    }
    right as f64 / table.rows().max(1) as f64
}

/// Accuracy of predicting `target`, a sensitive or insensitive column, before and after.
///
/// # Errors
///
/// [`Error::UnknownColumn`], [`Error::Role`] for a quasi-identifier, [`Error::Parameter`] for fewer
/// than 2 folds.
pub fn accuracy(data: &Dataset, release: &Release, target: &str, folds: usize) -> Result<Accuracy> {
    if folds < 2 {
        return Err(Error::Parameter { parameter: "folds", requirement: "at least 2" });
    }
    let place = data.table().position(target)?;
    if data.role(place) == Some(Role::Quasi) {
        let problem = "is a quasi-identifier; predict a sensitive or insensitive column";
        return Err(Error::Role { column: target.into(), problem });
    }
    let names: Vec<&str> = data.quasi().map(|quasi| quasi.column.name()).collect();
    let places = |table: &Table| -> Result<Vec<usize>> {
        names.iter().map(|name| table.position(name)).collect()
    };
    let counts = data.table().columns()[place].counts();
    let most = counts.iter().copied().max().unwrap_or(0);
    let released = release.table();
    Ok(Accuracy {
        majority: most as f64 / data.table().rows().max(1) as f64,
        original: bayes(data.table(), &places(data.table())?, place, folds),
        released: bayes(released, &places(released)?, released.position(target)?, folds),
    })
}

/// Plain statistics of a column: counts of values, and mean and deviation of numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// The column.
    pub column: String,
    /// Rows for each value; missing and suppressed ones under their names.
    pub counts: BTreeMap<String, u64>,
    /// Mean of the numbers, if there are any.
    pub mean: Option<f64>,
    /// Standard deviation of the numbers.
    pub deviation: Option<f64>,
}

/// Summaries of all columns.
#[must_use]
pub fn summaries(table: &Table) -> Vec<Summary> {
    let summary = |column: &crate::table::Column| {
        let occurrences = column.counts();
        let mut counts = BTreeMap::new();
        let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
        let values = column.dictionary().iter().zip(column.numbers()).zip(occurrences);
        for ((value, number), &count) in values.filter(|(_, count)| **count > 0) {
            let name = match value {
                Value::Text(text) => text.to_string(),
                Value::Missing => "(missing)".into(),
                Value::Suppressed => "(suppressed)".into(),
            };
            counts.insert(name, count);
            if let Some(x) = number {
                let count = count as f64;
                (n, sum, squares) = (n + count, sum + count * x, squares + count * x * x);
            }
        }
        let mean = (n > 0.0).then(|| sum / n);
        let deviation = mean.map(|mean| (squares / n - mean * mean).max(0.0).sqrt());
        Summary { column: column.name().into(), counts, mean, deviation }
    };
    table.columns().iter().map(summary).collect()
}
