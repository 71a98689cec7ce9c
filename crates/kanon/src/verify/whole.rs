//! The models of the table as a whole.

use std::collections::BTreeMap;

use super::{Census, Class, at_most, big};
use crate::model::Model;
use crate::risk::uniqueness::estimate;

/// Whether the kept classes together satisfy a model.
pub(super) fn holds(census: &Census<'_>, model: &Model) -> bool {
    // A class in which nothing is told apart carries no information about people.
    let top = |quasi: &crate::dataset::Quasi<'_>| match quasi.levels.labels(quasi.levels.highest())
    {
        [everything] => Some(everything.clone()),
        _ => None,
    };
    let tops: Vec<_> = census.data.quasi().map(|q| (q.column.name(), top(&q))).collect();
    let blank = |class: &Class<'_>| {
        let row = class.rows.first().copied().unwrap_or(0) as usize;
        tops.iter().all(|(name, top)| {
            let cell = census.table.column(name).ok().and_then(|column| column.value(row));
            top.is_some() && top.as_ref() == cell
        })
    };
    let mut sizes: BTreeMap<u64, u64> = BTreeMap::new();
    for class in census.classes().filter(|class| !blank(class)) {
        *sizes.entry(class.rows.len() as u64).or_insert(0) += 1;
    }
    let rows: u64 = sizes.iter().map(|(size, count)| size * count).sum();
    let count: u64 = sizes.values().sum();
    let unique = sizes.get(&1).copied().unwrap_or(0);
    match model {
        Model::AverageRisk { most } => rows == 0 || at_most(big(count), big(rows), *most),
        Model::SampleUniqueness { most } => rows == 0 || at_most(big(unique), big(rows), *most),
        Model::RecordsAtRisk { threshold, share } => {
            let risky = |size: u64| !at_most(big(1), big(size), *threshold);
            let at_risk: u64 = sizes.iter().filter(|&(&s, _)| risky(s)).map(|(s, c)| s * c).sum();
            rows == 0 || at_most(big(at_risk), big(rows), *share)
        }
        Model::PopulationUniqueness { most, population, estimator } => {
            let estimate = estimate(*estimator, &sizes, *population);
            unique == 0
                || estimate.is_some_and(|people| {
                    people > 0.0 && people <= most.to_f64() * *population as f64
                })
        }
        _ => false,
    }
}
