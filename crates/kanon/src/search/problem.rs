//! A dataset with requirements as the searches see it: axes of small codes and a limit.

use std::collections::HashMap;

use crate::dataset::{Dataset, Quasi};
use crate::error::Result;
use crate::hierarchy::Levels;
use crate::model::Model;
use crate::model::bind::{Requirements, bind};
use crate::table::{Column, Table, Value};

/// A quasi-identifier as a dimension of the lattice.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub(crate) place: usize,
    pub(crate) name: String,
    /// The lowest level allowed; levels below count from it.
    pub(crate) min: usize,
    /// The highest level of the hierarchy.
    pub(crate) highest: usize,
    pub(crate) domain: f64,
    /// −Σ over rows of log2 of the share of the row's value in the column.
    pub(crate) own_information: f64,
    /// The code at the lowest level of each entry of the column's dictionary.
    pub(crate) of_entry: Vec<u32>,
    /// The same for the population's column.
    pub(crate) of_population: Vec<u32>,
    pub(crate) levels: Vec<AxisLevel>,
    /// From codes of a level above the lowest to codes of a higher one; for short hierarchies.
    lifts: Vec<Vec<Vec<u32>>>,
}

/// Hierarchies with more levels than this have maps from the lowest level alone.
const MOST_LIFTS: usize = 16;

/// One level of an axis, over the values that occur.
#[derive(Clone, Debug, Default)]
pub(crate) struct AxisLevel {
    /// From codes of the lowest level to codes of this one.
    pub(crate) map: Vec<u32>,
    /// The share of the domain of each code.
    pub(crate) share: Vec<f64>,
    /// The rows of each code.
    pub(crate) rows: Vec<u64>,
    /// Information lost against the values themselves, over all rows.
    pub(crate) information: f64,
}

impl Axis {
    fn build(quasi: &Quasi<'_>, population: Option<(&Column, &Levels)>) -> Axis {
        let mut axis = Axis {
            place: quasi.place,
            name: quasi.column.name().to_owned(),
            min: quasi.min,
            highest: quasi.levels.highest(),
            domain: quasi.levels.domain(),
            own_information: 0.0,
            of_entry: Vec::new(),
            of_population: Vec::new(),
            levels: Vec::new(),
            lifts: Vec::new(),
        };
        let counts = quasi.column.counts();
        let n: u64 = counts.iter().sum();
        // Codes of the lowest level in order of first occurrence, each with a place to read it.
        let mut codes: HashMap<Value, u32> = HashMap::new();
        let mut sources: Vec<(&Levels, u32)> = Vec::new();
        axis.of_entry = number(quasi.levels, counts, quasi.min, &mut codes, &mut sources);
        if let Some((column, levels)) = population {
            let counts = column.counts();
            axis.of_population = number(levels, counts, quasi.min, &mut codes, &mut sources);
        }
        for (&count, _) in counts.iter().zip(&axis.of_entry).filter(|(count, _)| **count > 0) {
            axis.own_information -= count as f64 * (count as f64 / n as f64).log2();
        }
        for level in quasi.min..=quasi.max {
            let mut at = AxisLevel::default();
            let mut labels: HashMap<&Value, u32> = HashMap::new();
            for &(levels, entry) in &sources {
                let next = labels.len() as u32;
                let code = *labels.entry(levels.label(level, entry)).or_insert(next);
                if code == next {
                    at.share.push(levels.share(level, entry));
                }
                at.map.push(code);
            }
            at.rows = vec![0; labels.len()];
            for (&count, &code) in counts.iter().zip(&axis.of_entry).filter(|(c, _)| **c > 0) {
                at.rows[at.map[code as usize] as usize] += count;
            }
            for (&count, &code) in counts.iter().zip(&axis.of_entry).filter(|(c, _)| **c > 0) {
                let group = at.rows[at.map[code as usize] as usize];
                at.information -= count as f64 * (count as f64 / group as f64).log2();
            }
            axis.levels.push(at);
        }
        if axis.has_lifts() {
            let lift = |from: usize, to: usize| {
                let mut map = vec![0; axis.levels[from].rows.len()];
                for (&a, &b) in axis.levels[from].map.iter().zip(&axis.levels[to].map) {
                    map[a as usize] = b;
                }
                map
            };
            let count = axis.levels.len();
            let all = |from: usize| (from + 1..count).map(|to| lift(from, to)).collect();
            axis.lifts = (1..count).map(all).collect();
        }
        axis
    }

    pub(crate) fn has_lifts(&self) -> bool {
        self.levels.len() <= MOST_LIFTS
    }

    /// The map from codes of one level to codes of a higher one.
    pub(crate) fn lift(&self, from: u8, to: u8) -> &[u32] {
        let (from, to) = (from as usize, to as usize);
        if from == 0 {
            return &self.levels[to].map;
        }
        &self.lifts[from - 1][to - from - 1]
    }

    /// Codes of the lowest level.
    pub(crate) fn codes(&self) -> usize {
        self.levels.first().map_or(0, |level| level.map.len())
    }
}

/// Codes for the values that occur, continuing those already given.
fn number<'a>(
    levels: &'a Levels,
    counts: &[u64],
    lowest: usize,
    codes: &mut HashMap<Value, u32>,
    sources: &mut Vec<(&'a Levels, u32)>,
) -> Vec<u32> {
    let mut all = vec![u32::MAX; counts.len()];
    for (entry, _) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let next = codes.len() as u32;
        let label = levels.label(lowest, entry as u32);
        all[entry] = *codes.entry(label.clone()).or_insert(next);
        if all[entry] == next {
            sources.push((levels, entry as u32));
        }
    }
    all
}

/// Everything a search needs.
#[derive(Debug)]
pub(crate) struct Problem<'a> {
    pub(crate) data: &'a Dataset,
    pub(crate) population: Option<&'a Table>,
    pub(crate) axes: Vec<Axis>,
    pub(crate) requirements: Requirements,
    pub(crate) rows: u64,
    pub(crate) limit: u64,
}

impl<'a> Problem<'a> {
    pub(crate) fn new(
        data: &'a Dataset,
        population: Option<&'a Table>,
        models: &[Model],
        limit: u64,
    ) -> Result<Self> {
        let requirements = bind(data, models, population.is_some())?;
        let population = population.filter(|_| requirements.needs_population);
        let mut axes = Vec::new();
        for quasi in data.quasi() {
            let bound = match population {
                Some(table) => {
                    let column = table.column(quasi.column.name())?;
                    Some((column, data.population_levels(quasi.place, column)?))
                }
                None => None,
            };
            axes.push(Axis::build(&quasi, bound.as_ref().map(|(c, l)| (*c, l))));
        }
        let rows = data.table().rows() as u64;
        Ok(Problem { data, population, axes, requirements, rows, limit: limit.min(rows) })
    }

    /// Nodes of the lattice, saturating.
    pub(crate) fn nodes(&self) -> u128 {
        let sizes = self.axes.iter().map(|axis| axis.levels.len() as u128);
        sizes.fold(1u128, u128::saturating_mul)
    }
}
