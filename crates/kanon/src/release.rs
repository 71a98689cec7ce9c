//! What may be handed out, and what holds of it.

use std::collections::HashMap;

use foldhash::quality::RandomState;
use privacy_core::random::{RandomBuffer, SecureRng};
use serde::{Deserialize, Serialize};

use crate::dataset::{Dataset, Role};
use crate::error::Result;
use crate::model::Model;
use crate::random::shuffle;
use crate::table::{Codes, Column, Kind, Table, Value};

/// How the rows of a release were made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scheme {
    /// One level for each quasi-identifier; failing classes are suppressed whole.
    FullDomain {
        /// The levels, in the order of the quasi-identifiers.
        levels: Vec<usize>,
    },
    /// Each class has levels of its own.
    LocalRecoding,
    /// Cells are blanked and otherwise as they were.
    CellSuppression,
    /// Classes are boxes cut at medians.
    Mondrian {
        /// Equal values may fall on both sides of a cut.
        relaxed: bool,
    },
}

/// What is claimed of a release, readable by machines. Holds no data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Certificate {
    /// The requirements, all of which hold for every class.
    pub models: Vec<Model>,
    /// How it was made.
    pub scheme: Scheme,
    /// Rows released.
    pub rows: u64,
    /// Rows of the input that were suppressed.
    pub suppressed: u64,
    /// Classes released.
    pub classes: u64,
    /// The smallest class.
    pub smallest_class: u64,
    /// The metric and the loss, where a search minimized one.
    pub metric: Option<String>,
    /// The loss.
    pub loss: Option<f64>,
    /// No acceptable node of the scheme loses less than this.
    pub bound: Option<f64>,
    /// Whether the loss is proven least.
    pub optimal: bool,
    /// Whether any hierarchy or cut was derived from the data.
    pub data_dependent: bool,
    /// Whether the independent verifier has accepted it.
    pub verified: bool,
}

/// A released table with its certificate. Where each row came from stays with the holder.
#[derive(Clone, Debug)]
#[must_use]
pub struct Release {
    pub(crate) table: Table,
    pub(crate) origin: Vec<u32>,
    pub(crate) certificate: Certificate,
}

impl Release {
    /// The table that may be handed out.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Gives the table away, and forgets where its rows came from.
    #[must_use]
    pub fn into_table(self) -> Table {
        self.table
    }

    /// What holds of it.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// For each released row its number in the dataset's table. As confidential as that table.
    #[must_use]
    pub fn origin(&self) -> &[u32] {
        &self.origin
    }
}

/// Rows that are released under the same values of the quasi-identifiers.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) rows: Vec<u32>,
    /// One value for each quasi-identifier.
    pub(crate) cells: Vec<Value>,
}

/// The released table of groups, its rows in random order, identifying columns left out.
pub(crate) fn assemble(
    data: &Dataset,
    groups: &[Group],
    rng: &mut dyn SecureRng,
    keep_order: bool,
) -> Result<(Table, Vec<u32>)> {
    let mut rows: Vec<(u32, u32)> = groups
        .iter()
        .enumerate()
        .flat_map(|(group, members)| members.rows.iter().map(move |&row| (row, group as u32)))
        .collect();
    if keep_order {
        rows.sort_unstable();
    } else {
        // From the order of the input, so that the result depends on the seed alone.
        rows.sort_unstable();
        shuffle(&mut rows, &mut RandomBuffer::new(rng))?;
    }
    let origin: Vec<u32> = rows.iter().map(|&(row, _)| row).collect();
    let mut columns = Vec::new();
    let mut quasi = 0;
    for (place, column) in data.table().columns().iter().enumerate() {
        match data.role(place) {
            Some(Role::Identifying) | None => {}
            Some(Role::Quasi) => {
                let mut labels: HashMap<&Value, u32, RandomState> = HashMap::default();
                let mut dictionary = Vec::new();
                let of_group: Vec<u32> = groups
                    .iter()
                    .map(|group| {
                        let cell = &group.cells[quasi];
                        *labels.entry(cell).or_insert_with(|| {
                            dictionary.push(cell.clone());
                            dictionary.len() as u32 - 1
                        })
                    })
                    .collect();
                let codes = rows.iter().map(|&(_, group)| of_group[group as usize]);
                let codes = Codes::below(dictionary.len(), codes);
                let texts = dictionary.iter().filter_map(Value::text);
                let kind = if texts.clone().count() == 0 { Kind::Text } else { Kind::infer(texts) };
                columns.push(Column::from_parts(column.name().into(), kind, dictionary, codes));
                quasi += 1;
            }
            Some(_) => columns.push(compacted(&column.take(&origin))),
        }
    }
    Ok((Table::new(columns)?, origin))
}

/// The same column with a dictionary of what occurs, in its own order: entries of suppressed rows
/// and orders of first appearance tell nothing.
fn compacted(column: &Column) -> Column {
    let counts = column.counts();
    let ranks = column.ranks();
    let mut present: Vec<usize> = (0..counts.len()).filter(|&entry| counts[entry] > 0).collect();
    present.sort_by_key(|&entry| ranks[entry]);
    let mut places = vec![0u32; counts.len()];
    for (place, &entry) in present.iter().enumerate() {
        places[entry] = place as u32;
    }
    let dictionary = present.iter().map(|&entry| column.dictionary()[entry].clone()).collect();
    let codes = column.codes().iter().map(|entry| places[entry as usize]);
    let codes = Codes::below(present.len(), codes);
    Column::from_parts(column.name().into(), column.kind(), dictionary, codes)
}

pub(crate) fn certificate(
    data: &Dataset,
    models: &[Model],
    scheme: Scheme,
    groups: &[Group],
) -> Certificate {
    let rows: u64 = groups.iter().map(|group| group.rows.len() as u64).sum();
    let mut sizes: HashMap<&[Value], u64, RandomState> = HashMap::default();
    for group in groups {
        *sizes.entry(&group.cells).or_insert(0) += group.rows.len() as u64;
    }
    Certificate {
        models: models.to_vec(),
        data_dependent: data.depends_on_data() || !matches!(scheme, Scheme::FullDomain { .. }),
        scheme,
        rows,
        suppressed: data.table().rows() as u64 - rows,
        classes: sizes.len() as u64,
        smallest_class: sizes.values().copied().min().unwrap_or(0),
        metric: None,
        loss: None,
        bound: None,
        optimal: false,
        verified: false,
    }
}
