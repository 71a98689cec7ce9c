//! Hierarchies: from each value to ever larger groups.
//!
//! A [`Hierarchy`] is a rule or a list; [`Hierarchy::levels`] applies it to a column and checks it.
//! Level 0 is the value itself. Groups must nest: two values that share a group at one level share
//! one at every higher level.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::error::{DataValue, Error, Result};
use crate::table::{Column, parse_date, parse_number};

pub(crate) mod build;
mod levels;
mod rules;
mod suggest;

pub use levels::Levels;
pub use rules::{DateUnit, Intervals, Masking};

/// The text of a group that holds everything.
pub(crate) const ANY: &str = "*";

/// How the values of a column are generalized.
///
/// # Example
///
/// ```
/// use kanon::Hierarchy;
///
/// let listed = Hierarchy::from_csv("Paris;France;*\nLyon;France;*\nTurin;Italy;*\n".as_bytes(), b';')?;
/// let by_rule = Hierarchy::from(kanon::hierarchy::Intervals::new(0, 100).widths([5, 10, 50]));
/// # let _ = (listed, by_rule);
/// # Ok::<(), kanon::Error>(())
/// ```
#[derive(Clone)]
pub struct Hierarchy {
    rule: Rule,
}

#[derive(Clone)]
enum Rule {
    /// Each row from the value to its most general group.
    Listed(Arc<Vec<Vec<String>>>),
    Intervals(Intervals),
    Masking(Masking),
    Dates(Vec<DateUnit>),
    /// Values in order and how many groups of one level make one of the next.
    Ordered(Arc<Vec<String>>, Vec<usize>),
    Function(usize, Arc<dyn Fn(&str, usize) -> String + Send + Sync>),
    Suppress,
    Fixed,
}

impl Hierarchy {
    /// A list of rows, each from a value to its most general group, all of the same length.
    ///
    /// # Errors
    ///
    /// [`Error::Hierarchy`] for no rows, ragged rows, a value listed twice, or a group with two
    /// parents, with the row's number.
    pub fn from_rows<R, S>(rows: impl IntoIterator<Item = R>) -> Result<Self>
    where
        R: IntoIterator<Item = S>,
        S: Into<String>,
    {
        let rows: Vec<Vec<String>> =
            rows.into_iter().map(|row| row.into_iter().map(Into::into).collect()).collect();
        build::check_rows(&rows)?;
        Ok(Hierarchy { rule: Rule::Listed(Arc::new(rows)) })
    }

    /// Reads the list from delimited text without a header: one row for each value, from the most
    /// specific to the most general column (the format of ARX).
    ///
    /// # Errors
    ///
    /// As [`from_rows`](Self::from_rows), and [`Error::Csv`].
    pub fn from_csv(input: impl Read, delimiter: u8) -> Result<Self> {
        Hierarchy::from_rows(build::read_rows(input, delimiter)?)
    }

    /// Reads the list from a file; see [`from_csv`](Self::from_csv).
    ///
    /// # Errors
    ///
    /// As [`from_csv`](Self::from_csv), and [`Error::Io`].
    pub fn from_csv_path(path: impl AsRef<Path>, delimiter: u8) -> Result<Self> {
        let file = std::fs::File::open(path).map_err(Error::io("hierarchy", "opened"))?;
        Hierarchy::from_csv(file, delimiter)
    }

    /// A tree given as pairs of a node and its parent; leaves nearer to the root than others stay
    /// themselves for longer.
    ///
    /// # Errors
    ///
    /// [`Error::Hierarchy`] if a node has two parents or the pairs run in a circle.
    pub fn tree<A: Into<String>, B: Into<String>>(
        edges: impl IntoIterator<Item = (A, B)>,
    ) -> Result<Self> {
        let edges = edges.into_iter().map(|(a, b)| (a.into(), b.into())).collect();
        Hierarchy::from_rows(build::tree_rows(edges)?)
    }

    /// Values in a meaningful order; each level joins `fan_outs` neighbours of the one below, and
    /// everything above the last.
    ///
    /// # Errors
    ///
    /// [`Error::Hierarchy`] for a fan-out below 2, no values, or a value listed twice.
    pub fn ordered<S: Into<String>>(
        values: impl IntoIterator<Item = S>,
        fan_outs: &[usize],
    ) -> Result<Self> {
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        build::check_ordered(&values, fan_outs)?;
        Ok(Hierarchy { rule: Rule::Ordered(Arc::new(values), fan_outs.to_vec()) })
    }

    /// Dates cut to ever larger units, and everything above the last.
    ///
    /// # Errors
    ///
    /// [`Error::Hierarchy`] if a unit does not nest in the next (weeks nest in nothing).
    pub fn dates(units: &[DateUnit]) -> Result<Self> {
        rules::check_units(units)?;
        Ok(Hierarchy { rule: Rule::Dates(units.to_vec()) })
    }

    /// The values themselves, then everything.
    #[must_use]
    pub fn suppress() -> Self {
        Hierarchy { rule: Rule::Suppress }
    }

    /// The values themselves and nothing else: a quasi-identifier that is never generalized.
    #[must_use]
    pub fn fixed() -> Self {
        Hierarchy { rule: Rule::Fixed }
    }

    /// A function from a value and a level (1 to `levels`) to the group; applied to the distinct
    /// values of a column. It must nest, and its domain is taken to be the column's values.
    pub fn function(
        levels: usize,
        group: impl Fn(&str, usize) -> String + Send + Sync + 'static,
    ) -> Self {
        Hierarchy { rule: Rule::Function(levels, Arc::new(group)) }
    }

    /// A hierarchy that suits the column's type: intervals for numbers, units for dates, masking
    /// for codes of one length, and otherwise the values and everything.
    ///
    /// # Privacy
    ///
    /// Its bounds are rounded outwards but depend on the data; not for differential privacy.
    #[must_use]
    pub fn suggest(column: &Column) -> Self {
        suggest::suggest(column)
    }

    /// Whether groups depend on the values that occur, and not on public knowledge alone.
    #[must_use]
    pub fn depends_on_data(&self) -> bool {
        match &self.rule {
            Rule::Masking(masking) => masking.depends_on_data(),
            Rule::Intervals(intervals) => intervals.from_data,
            _ => false,
        }
    }

    /// Applies the hierarchy to a column.
    ///
    /// # Errors
    ///
    /// [`Error::Uncovered`] names the first value outside it, [`Error::Type`] a value that a rule
    /// cannot read, [`Error::Hierarchy`] groups that do not nest.
    pub fn levels(&self, column: &Column) -> Result<Levels> {
        build::levels(&self.rule, column)
    }
}

impl From<Intervals> for Hierarchy {
    fn from(intervals: Intervals) -> Self {
        Hierarchy { rule: Rule::Intervals(intervals) }
    }
}

impl From<Masking> for Hierarchy {
    fn from(masking: Masking) -> Self {
        Hierarchy { rule: Rule::Masking(masking) }
    }
}

impl fmt::Debug for Hierarchy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.rule {
            Rule::Listed(rows) => return write!(f, "Hierarchy(list of {})", rows.len()),
            Rule::Intervals(_) => "intervals",
            Rule::Masking(_) => "masking",
            Rule::Dates(_) => "dates",
            Rule::Ordered(..) => "ordered groups",
            Rule::Function(..) => "function",
            Rule::Suppress => "value or nothing",
            Rule::Fixed => "values only",
        };
        write!(f, "Hierarchy({kind})")
    }
}

/// The range that a label such as `30-39`, `[1.5, 3)`, `<18` or `>=90` stands for.
pub(crate) fn range(text: &str) -> Option<(f64, f64)> {
    let number = |text: &str| parse_number(text).or_else(|| parse_date(text));
    if let Some(high) = text.strip_prefix("<=").or_else(|| text.strip_prefix('<')) {
        return Some((f64::NEG_INFINITY, number(high)?));
    }
    if let Some(low) = text.strip_prefix(">=").or_else(|| text.strip_prefix('>')) {
        return Some((number(low)?, f64::INFINITY));
    }
    let closed = |text: &str| Some(text.strip_suffix([']', ')'])?.to_owned());
    if let Some(inner) = text.strip_prefix('[').and_then(closed) {
        let (low, high) = inner.split_once(", ")?;
        return Some((number(low)?, number(high)?));
    }
    // Either end may be negative, or a date: each hyphen is tried.
    text.match_indices('-')
        .find_map(|(at, _)| Some((number(&text[..at])?, number(&text[at + 1..])?)))
}

pub(crate) fn uncovered(column: &Column, entry: usize) -> Error {
    Error::Uncovered {
        column: column.name().into(),
        row: column.first_row(entry as u32),
        value: DataValue::new(column.dictionary()[entry].text().unwrap_or("")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::HierarchyProblem;
    use crate::table::Value;

    fn column(values: &[&str]) -> Column {
        Column::new("city", values.iter().map(|&v| Value::from(v)))
    }

    #[test]
    fn shares_count_the_domain_and_not_the_data() {
        let rows = [["a", "x", "*"], ["b", "x", "*"], ["c", "y", "*"], ["d", "y", "*"]];
        let levels = Hierarchy::from_rows(rows).unwrap().levels(&column(&["a", "c"])).unwrap();
        assert_eq!(levels.domain(), 4.0);
        assert_eq!(levels.share(0, 0), 0.25);
        assert_eq!(levels.share(1, 1), 0.5);
        assert_eq!(levels.label(1, 1), &Value::from("y"));
        assert_eq!(levels.share(2, 0), 1.0);
    }

    #[test]
    fn broken_hierarchies_are_named() {
        let problem =
            |rows: &[&[&str]]| match Hierarchy::from_rows(rows.iter().map(|r| r.iter().copied()))
                .unwrap_err()
            {
                Error::Hierarchy { line, problem, .. } => (line, problem),
                other => panic!("{other}"),
            };
        assert_eq!(problem(&[]), (0, HierarchyProblem::Empty));
        let ragged = HierarchyProblem::Ragged { expected: 2, found: 1 };
        assert_eq!(problem(&[&["a", "*"], &["b"]]), (2, ragged));
        let twice = HierarchyProblem::DuplicateLeaf { value: DataValue::new("a") };
        assert_eq!(problem(&[&["a", "*"], &["a", "*"]]), (2, twice));
        let parents = HierarchyProblem::TwoParents { value: DataValue::new("x"), level: 1 };
        assert_eq!(problem(&[&["a", "x", "p"], &["b", "x", "q"]]), (2, parents));
        let covered = Hierarchy::from_rows([["a", "*"]]).unwrap();
        let error = covered.levels(&column(&["a", "Zürich1"])).unwrap_err();
        assert!(
            matches!(&error, Error::Uncovered { row: 2, value, .. } if value.expose() == "Zürich1")
        );
        assert!(!error.to_string().contains("rich1"));
    }

    #[test]
    fn a_missing_value_is_a_value_of_its_own_until_everything_is_one_group() {
        let column = Column::new("city", ["a".into(), Value::Missing]);
        let levels = Hierarchy::from_rows([["a", "x", "*"], ["b", "x", "*"]])
            .unwrap()
            .levels(&column)
            .unwrap();
        assert_eq!(levels.domain(), 3.0);
        assert_eq!(levels.label(1, 1), &Value::Missing);
        assert_eq!(levels.label(2, 1), &Value::from("*"));
    }

    #[test]
    fn a_tree_is_padded_below_its_short_branches() {
        let edges = [("a", "x"), ("b", "x"), ("x", "*"), ("c", "*")];
        let levels = Hierarchy::tree(edges).unwrap().levels(&column(&["a", "c"])).unwrap();
        assert_eq!(levels.count(), 3);
        assert_eq!(levels.label(1, 0), &Value::from("x"));
        assert_eq!(levels.label(1, 1), &Value::from("c"));
        assert!(Hierarchy::tree([("a", "b"), ("b", "a")]).is_err());
        assert!(Hierarchy::tree([("a", "b"), ("a", "c")]).is_err());
    }

    #[test]
    fn neighbours_join_in_order() {
        let order = Hierarchy::ordered(["low", "mid", "high", "top"], &[2]).unwrap();
        let levels = order.levels(&column(&["top", "mid"])).unwrap();
        assert_eq!(levels.label(1, 0), &Value::from("high..top"));
        assert_eq!(levels.label(1, 1), &Value::from("low..mid"));
        assert_eq!(levels.label(2, 1), &Value::from("*"));
        assert!(Hierarchy::ordered(["a"], &[1]).is_err());
    }
}
