//! What only the owner of the data may see: statistics that were computed without noise.

use confidant::core::sensitive::SensitivityLevel;
use serde::Serialize;

/// The owner's part of a report: as confidential as the data.
#[derive(Debug, Default, Serialize)]
pub struct Owner {
    /// What the sources hold.
    pub found: Vec<Found>,
    /// The table for a partner: risk before and after, and what is left of its detail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<TableStudy>,
    /// The redacted texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub texts: Option<TextStudy>,
}

/// What a source holds.
#[derive(Debug, Serialize)]
pub struct Found {
    /// The source.
    pub source: String,
    /// How sensitive it is as a whole.
    pub level: SensitivityLevel,
    /// Its columns.
    pub columns: Vec<FoundColumn>,
}

/// What a column holds.
#[derive(Debug, Serialize)]
pub struct FoundColumn {
    /// The column.
    pub column: String,
    /// What most of its values with findings hold.
    pub holds: Option<String>,
    /// In which share of the sampled values that was found.
    pub share: Option<f64>,
    /// The 95 % interval of that share.
    pub share_95: Option<[f64; 2]>,
    /// How sensitive the column is.
    pub level: SensitivityLevel,
    /// Why.
    pub why: String,
}

/// A table that was made anonymous, beside the one it was made from.
#[derive(Debug, Serialize)]
pub struct TableStudy {
    /// What holds of every class of the release.
    pub models: Vec<String>,
    /// Whether the verifier, which shares no code with the search, has accepted it.
    pub verified: bool,
    /// Whether no acceptable generalization loses less.
    pub optimal: bool,
    /// Whether a hierarchy was derived from the data.
    pub data_dependent: bool,
    /// Rows of the release.
    pub rows: u64,
    /// Rows that were left out.
    pub left_out: u64,
    /// Classes: sets of rows that look alike.
    pub classes: u64,
    /// The smallest class.
    pub smallest_class: u64,
    /// The risk of the original table.
    pub before: RiskOf,
    /// The risk of the release.
    pub after: RiskOf,
    /// Shares of rows by the size of their class.
    pub sizes: Vec<Band>,
    /// What is left of the columns that were coarsened.
    pub detail: Vec<ColumnDetail>,
}

/// The risk that a row is recognized by someone who knows that its person is in the table.
#[derive(Debug, Serialize)]
pub struct RiskOf {
    /// Of the row most at risk.
    pub highest: f64,
    /// On average.
    pub average: f64,
    /// The share of rows at a risk above one in five.
    pub above_a_fifth: f64,
    /// The share of rows that look like no other.
    pub unique: f64,
}

/// Rows in classes of a certain size.
#[derive(Debug, Serialize)]
pub struct Band {
    /// The size.
    pub class_size: String,
    /// Their share before.
    pub before: f64,
    /// Their share after.
    pub after: f64,
}

/// What is left of a column.
#[derive(Debug, Serialize)]
pub struct ColumnDetail {
    /// The column.
    pub column: String,
    /// Different values before.
    pub values_before: usize,
    /// Different values after.
    pub values_after: usize,
    /// The share of its information (the entropy of its values) that is left, 0 to 1.
    pub left: f64,
}

/// Texts that were redacted.
#[derive(Debug, Serialize)]
pub struct TextStudy {
    /// How many.
    pub texts: usize,
    /// What was replaced, and how often.
    pub replaced: Vec<(String, usize)>,
    /// Personal data that is known to have been in the texts, and how much of it is gone. Known
    /// because the texts are made up.
    pub planted: usize,
    /// How much of it is gone.
    pub gone: usize,
    /// The 95 % interval of the share that is gone.
    pub gone_95: [f64; 2],
    /// Some of the texts as they leave.
    pub samples: Vec<String>,
}
