//! The error of the crate.

use std::fmt;

use privacy_core::random::EntropyError;

/// The result of every fallible function of the crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A value from a table in an error: prints as its shape, so that errors can be logged.
///
/// # Privacy
///
/// `Display` and `Debug` show letters as `a`, digits as `9` and at most 24 characters.
/// [`expose`](DataValue::expose) gives the value itself, for the person who holds the table.
#[derive(Clone, PartialEq, Eq)]
pub struct DataValue(Box<str>);

impl DataValue {
    pub(crate) fn new(value: &str) -> Self {
        DataValue(value.into())
    }

    /// The value itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DataValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars().take(24) {
            let shown = match c {
                c if c.is_numeric() => '9',
                c if c.is_alphabetic() => 'a',
                c if c.is_control() => ' ',
                c => c,
            };
            write!(f, "{shown}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for DataValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataValue({self})")
    }
}

/// What can go wrong between a table and its release. Messages hold names of columns, lines,
/// counts and shapes of values; see [`DataValue`] for the one way to a value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A column is named that the table does not have.
    #[error("the table has no column `{column}`{hint}")]
    UnknownColumn {
        /// The name that was asked for.
        column: String,
        /// What may have been meant.
        hint: ColumnHint,
    },
    /// A column has no role.
    #[error(
        "column `{column}` has no role; declare it as identifying, quasi-identifying, sensitive or insensitive"
    )]
    UndeclaredColumn {
        /// The column.
        column: String,
    },
    /// A column has two roles, or two columns share a name.
    #[error("column `{column}` is declared twice")]
    DuplicateColumn {
        /// The column.
        column: String,
    },
    /// A column cannot play the part that it is given.
    #[error("column `{column}` {problem}")]
    Role {
        /// The column.
        column: String,
        /// What is wrong and what to do.
        problem: &'static str,
    },
    /// The text is not valid CSV.
    #[error("line {line}: {problem}")]
    Csv {
        /// The line, counted from 1; 0 where it is not known.
        line: u64,
        /// What is wrong.
        problem: &'static str,
    },
    /// A row has another number of fields than the header.
    #[error(
        "line {line} has {found} fields instead of {expected}; check the delimiter and the quotes, or mend the line"
    )]
    Ragged {
        /// The line, counted from 1.
        line: u64,
        /// Fields of the header.
        expected: u64,
        /// Fields of this row.
        found: u64,
    },
    /// A file could not be read or written.
    #[error(
        "the {what} could not be {operation}: {kind}; check the path, the disk and your rights"
    )]
    Io {
        /// What was accessed.
        what: &'static str,
        /// Read or written.
        operation: &'static str,
        /// The kind of failure.
        kind: std::io::ErrorKind,
    },
    /// A file or stream is not of its format, or could not be written in it.
    #[error("the table could not be {operation} as {format}")]
    Format {
        /// The format.
        format: &'static str,
        /// What failed.
        operation: &'static str,
    },
    /// A column of a schema has a type that tables do not take.
    #[error("column `{column}` is of type {found}; cast it to text, a number, a flag or a date")]
    ColumnType {
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// A value does not have the type of its column.
    #[error("column `{column}`, row {row}: a value of the shape `{value}` is not {expected}")]
    Type {
        /// The column.
        column: String,
        /// The first row that holds it, counted from 1 without the header.
        row: u64,
        /// The value.
        value: DataValue,
        /// What was expected.
        expected: &'static str,
    },
    /// A column has missing values although its declaration refuses them.
    #[error("column `{column}`, row {row}: the value is missing, and the column refuses that")]
    MissingValue {
        /// The column.
        column: String,
        /// The first such row, counted from 1.
        row: u64,
    },
    /// A table holds more rows, columns or values than counts of 32 bits can hold.
    #[error("too many {what}: at most {limit}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The most that is taken.
        limit: u64,
    },
    /// A hierarchy is malformed.
    #[error("hierarchy of `{column}`, line {line}: {problem}")]
    Hierarchy {
        /// The column, or the name it was given.
        column: String,
        /// The line of the file or row of the table, counted from 1; 0 for the whole.
        line: u64,
        /// What is wrong.
        problem: HierarchyProblem,
    },
    /// A value of the table is not covered by the hierarchy of its column.
    #[error(
        "column `{column}`, row {row}: a value of the shape `{value}` is not in the hierarchy; add it, or build the hierarchy by a rule"
    )]
    Uncovered {
        /// The column.
        column: String,
        /// The first row that holds it, counted from 1.
        row: u64,
        /// The value.
        value: DataValue,
    },
    /// A range of levels is empty or outside the hierarchy.
    #[error("column `{column}`: levels {min} to {max} are not within 0 to {highest}")]
    Levels {
        /// The column.
        column: String,
        /// Lowest level asked for.
        min: usize,
        /// Highest level asked for.
        max: usize,
        /// Highest level of the hierarchy.
        highest: usize,
    },
    /// A parameter is out of its range.
    #[error("{parameter} must be {requirement}")]
    Parameter {
        /// Its name.
        parameter: &'static str,
        /// What it must be.
        requirement: &'static str,
    },
    /// Two settings contradict each other, or one needs another.
    #[error("{setting}: {problem}")]
    Combination {
        /// What was set.
        setting: &'static str,
        /// Why it cannot be, and what to do.
        problem: &'static str,
    },
    /// No generalization satisfies the requirements.
    #[error("{0}")]
    Infeasible(Box<Infeasible>),
    /// The work was cancelled, or a limit was reached before anything acceptable was found.
    #[error("stopped after {checked} checks without an acceptable result")]
    Stopped {
        /// Checks that were made.
        checked: u64,
    },
    /// The release does not satisfy what was promised.
    #[error("{0}")]
    Refuted(Box<crate::verify::Finding>),
    /// The random source failed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// What may have been meant by a name that no column has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnHint {
    /// Nothing comes to mind.
    None,
    /// A column with a similar name.
    Similar(String),
    /// The table has a single column, whose name holds this character: it was read with another
    /// delimiter than it was written with.
    Delimiter(char),
}

impl fmt::Display for ColumnHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColumnHint::None => Ok(()),
            ColumnHint::Similar(name) => write!(f, "; did you mean `{name}`?"),
            ColumnHint::Delimiter(found) => {
                write!(f, "; its only column holds {found:?}: read it with that delimiter")
            }
        }
    }
}

impl ColumnHint {
    fn new<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.collect();
        if let [only] = known.as_slice()
            && let Some(found) = only.chars().find(|c| matches!(c, ',' | ';' | '\t' | '|'))
        {
            return ColumnHint::Delimiter(found);
        }
        let plain = |name: &str| -> Vec<char> {
            name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
        };
        let wanted = plain(wanted);
        let near = known.iter().map(|name| (edits(&wanted, &plain(name)), *name)).min();
        match near {
            Some((edits, name)) if edits <= wanted.len() / 3 => ColumnHint::Similar(name.into()),
            _ => ColumnHint::None,
        }
    }
}

/// Characters to insert, delete or replace (Levenshtein's distance).
fn edits(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// What is wrong with a hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HierarchyProblem {
    /// Nothing in it.
    #[error("it has no values")]
    Empty,
    /// A row of another length.
    #[error("it has {found} levels instead of {expected}; give each value as many groups")]
    Ragged {
        /// Levels of the first row.
        expected: usize,
        /// Levels of this row.
        found: usize,
    },
    /// A value listed twice.
    #[error("a value of the shape `{value}` is listed twice; take one of the lines out")]
    DuplicateLeaf {
        /// The value.
        value: DataValue,
    },
    /// A group that belongs to two groups of the next level.
    #[error(
        "a value of the shape `{value}` in level {level} has two parents in level {}; groups must nest", level + 1
    )]
    TwoParents {
        /// The group's label.
        value: DataValue,
        /// Its level.
        level: usize,
    },
    /// A builder's parameter.
    #[error("{0}")]
    Builder(&'static str),
}

/// Which requirement no generalization can satisfy, and what would help.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Infeasible {
    /// The requirement that fails even where everything is generalized as far as allowed, or the
    /// whole set if each alone could be satisfied.
    pub requirement: String,
    /// Rows that would have to be suppressed at the best node seen.
    pub needed: u64,
    /// Rows that may be.
    pub allowed: u64,
    /// What would satisfy it.
    pub remedy: String,
}

impl fmt::Display for Infeasible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no generalization satisfies {}: at least {} rows would have to be suppressed and {} may be; {}",
            self.requirement, self.needed, self.allowed, self.remedy
        )
    }
}

impl Error {
    pub(crate) fn io(
        what: &'static str,
        operation: &'static str,
    ) -> impl FnOnce(std::io::Error) -> Error {
        move |error| Error::Io { what, operation, kind: error.kind() }
    }

    /// A column is asked for that is none of the `known`.
    pub(crate) fn unknown<'a>(column: &str, known: impl Iterator<Item = &'a str>) -> Error {
        Error::UnknownColumn { column: column.into(), hint: ColumnHint::new(column, known) }
    }
}

impl From<Error> for privacy_core::Error {
    fn from(error: Error) -> Self {
        privacy_core::Error::technique(error)
    }
}
