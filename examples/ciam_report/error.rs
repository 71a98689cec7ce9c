//! What can go wrong, said in one line that tells what to do.
//!
//! Errors about the data name a line and a column, never a value. They are meant for the owner of
//! the data, who may look at it: whether a file is well formed is not protected by differential
//! privacy, so do not publish them.

use std::io;
use std::path::PathBuf;

use confidant::{core, deid, dp, he, kanon, ledger};

/// The error of the program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be opened or read.
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    /// A file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write { path: PathBuf, source: io::Error },
    /// The program's own options exclude each other.
    #[error("{0}")]
    Options(&'static str),
    /// The configuration is not what the file's name says, or has a wrong key or value.
    #[error("{path}, line {line}: {message}")]
    Syntax { path: PathBuf, line: usize, message: String },
    /// The configuration reads, but a setting makes no sense.
    #[error("{path}: {problem}")]
    Config { path: PathBuf, problem: ConfigProblem },
    /// The data cannot be read as the configuration says.
    #[error("{path}, line {line}: {problem}")]
    Data { path: PathBuf, line: u64, problem: DataProblem },
    /// A question cannot be asked or answered.
    #[error("question `{question}`: {source}")]
    Question { question: String, source: dp::Error },
    /// The session refuses.
    #[error("no report can be made: {0}")]
    Session(#[from] dp::Error),
    /// A choice of technique is refused.
    #[error("--technique: {0}")]
    Choice(#[from] Choice),
    /// A column that names people would be in a table that is handed out.
    #[error(
        "[table]: column `{column}` holds {entity} and is not listed under `identifying`; the table \
         was not made"
    )]
    Identifier { column: String, entity: String },
    /// The ledger holds the account with another limit.
    #[error(
        "the ledger has this account with another budget; ask for the same budget as before, or name \
         another file"
    )]
    OtherBudget,
    /// The ledger refuses or cannot be used.
    #[error("the ledger: {0}")]
    Ledger(#[from] ledger::Error),
    /// A step of a pipeline refuses.
    #[error("no report can be made: {0}")]
    Step(#[from] core::Error),
    /// The table for a partner cannot be made.
    #[error("the table: {0}")]
    Table(#[from] kanon::Error),
    /// Texts cannot be scanned or redacted.
    #[error("the texts: {0}")]
    Text(#[from] deid::Error),
    /// The redacted notes cannot be laid out as a file.
    #[error("the notes as CSV: {0}")]
    Notes(#[from] csv::Error),
    /// The encrypted sum cannot be made.
    #[error("the encrypted sum: {0}")]
    Sum(#[from] he::Error),
    /// Shares of noise cannot be made.
    #[error("the noise of the encrypted sum: {0}")]
    Noise(#[from] dp::noise::NoiseError),
    /// The report cannot be written as JSON.
    #[error("the report as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The page cannot be laid out.
    #[error("the page: {0}")]
    Page(#[from] minijinja::Error),
    /// A chart cannot be drawn.
    #[error("the chart `{title}` cannot be drawn")]
    Chart { title: String },
}

/// A choice of technique that is refused.
#[derive(Debug, thiserror::Error)]
pub enum Choice {
    /// Not of the form `SOURCE=TECHNIQUE`.
    #[error("write SOURCE=TECHNIQUE, such as notes=drop")]
    Notation,
    /// No such source.
    #[error("the sources are logins, profiles, notes and minutes")]
    UnknownSource,
    /// No such technique.
    #[error("the techniques are numbers, table, redact, encrypted-sum and drop")]
    UnknownTechnique,
    /// Raw personal data would leave.
    #[error(
        "{source_name}=keep is refused: it would let personal data out as it is; take drop, or a \
         technique that protects it"
    )]
    Unsafe { source_name: &'static str },
    /// The technique does not work on the source.
    #[error("{technique} does not fit {source_name}")]
    Unsuitable { source_name: &'static str, technique: &'static str },
    /// Two choices for a source.
    #[error("{source_name} is chosen twice; keep one")]
    Twice { source_name: &'static str },
    /// A crowd of one.
    #[error("k = {given} hides nobody; take at least 2, better 5 or more")]
    SmallK { given: u64 },
}

/// A setting that makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum ConfigProblem {
    /// The name ends neither in `.toml` nor in `.json`.
    #[error("the configuration must be a .toml or a .json file")]
    Extension,
    /// The field separator is not one ASCII character.
    #[error("`delimiter` must be one ASCII character such as \";\" or \"\\t\"")]
    Delimiter,
    /// A limit of rows without a unit to limit, or a unit without a limit.
    #[error("`unit` and `max_rows_per_unit` belong together: give both or none")]
    UnitWithoutLimit,
    /// A limit that keeps nothing.
    #[error("`max_rows_per_unit` must be at least 1")]
    NoRows,
    /// Not exactly one of ε and ρ.
    #[error("`[budget]` needs either `epsilon` or `rho`")]
    Budget,
    /// A crowd of one.
    #[error("`k` in `[table]` must be at least 2: a crowd of one hides nobody")]
    SmallK,
    /// No questions.
    #[error("there is no question; add a `[[query]]`")]
    NoQuestions,
    /// A question that makes no sense.
    #[error("query {position} (`{name}`): {problem}")]
    Question { position: usize, name: String, problem: QuestionProblem },
}

/// A question that makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum QuestionProblem {
    /// A setting that the kind needs is missing.
    #[error("kind `{kind}` needs `{setting}`")]
    Missing { kind: &'static str, setting: &'static str },
    /// A setting that the kind does not know.
    #[error("kind `{kind}` takes no `{setting}`; remove it")]
    Superfluous { kind: &'static str, setting: &'static str },
    /// Counting units where there are none.
    #[error("kind `units` needs `unit` in `[data]`")]
    NoUnit,
    /// `by` without `keys` or the other way round.
    #[error("`by` and `keys` belong together: list the known keys to divide by")]
    ByWithoutKeys,
    /// An empty list of keys.
    #[error("`keys` is empty; list the known keys")]
    NoKeys,
    /// A key is listed twice.
    #[error("`keys` lists `{key}` twice")]
    RepeatedKey { key: String },
    /// Bounds that are no interval.
    #[error("`bounds` must be [lower, upper], finite, lower below upper")]
    Bounds,
    /// Edges that make no bins.
    #[error("`edges` must be at least two numbers, each above the one before")]
    Edges,
    /// A weight of 0.
    #[error("`weight` must be above 0")]
    Weight,
}

/// What is wrong with a line of the data.
#[derive(Debug, thiserror::Error)]
pub enum DataProblem {
    /// There is not even a header.
    #[error("the file is empty; the first line must name the columns")]
    Empty,
    /// A column is not in the header. Its names are not listed: without a header they are data.
    #[error(
        "there is no column `{column}`; check its spelling, the delimiter, and that the first \
         line names the columns"
    )]
    NoColumn { column: String },
    /// A column is in the header twice.
    #[error("column `{column}` is named twice; rename one")]
    RepeatedColumn { column: String },
    /// A row with too few fields.
    #[error("column `{column}` is missing: the row has {fields} of {wanted} fields")]
    Short { column: String, fields: usize, wanted: usize },
    /// A row with too many fields.
    #[error(
        "after the last column `{column}` there is more: the row has {fields} fields instead of \
         {wanted}; quote fields that hold the delimiter"
    )]
    Long { column: String, fields: usize, wanted: usize },
    /// An empty field where a number is needed.
    #[error("column `{column}` is empty; fill it, or list \"\" under `missing` to skip such rows")]
    NoNumber { column: String },
    /// A field that is no number.
    #[error("column `{column}` is not a number; correct it, or list its text under `missing`")]
    NotANumber { column: String },
    /// A field with decimals where the bounds are whole.
    #[error(
        "column `{column}` is not a whole number; write its bounds with a decimal point to read \
         decimals"
    )]
    NotWhole { column: String },
    /// An empty unit.
    #[error("column `{column}` is empty, so the row belongs to no unit; fill it")]
    NoUnit { column: String },
    /// Bytes that are no text.
    #[error("column `{column}` is not UTF-8; convert the file to UTF-8")]
    NotUtf8 { column: String },
    /// More distinct units than the program counts.
    #[error("there are more than four billion units; split the file")]
    TooManyUnits,
}
