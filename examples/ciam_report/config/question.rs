//! One question: what is counted, summed or averaged, and divided by what.

use confidant::dp::prelude::Amount;
use serde::Deserialize;

use crate::error::QuestionProblem;

/// One question of the report.
#[derive(Debug)]
pub struct Question {
    /// What the report calls it.
    pub name: String,
    /// Its part of the budget, relative to the other questions.
    pub weight: Amount,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked.
#[derive(Debug)]
pub enum Ask {
    /// How many rows.
    Count { by: Option<Groups> },
    /// How many different units.
    Units,
    /// How many rows with a number in each bin.
    Histogram { column: String, bins: Bins },
    /// The sum of a number.
    Sum { column: String, range: Range, by: Option<Groups> },
    /// The mean of a number.
    Mean { column: String, range: Range, by: Option<Groups> },
}

/// Known keys of a column. Rows with another key are counted nowhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Groups {
    /// The column.
    pub column: String,
    /// The keys, each once.
    pub keys: Vec<String>,
}

/// Bins of a number: from an edge to just below the next; the last bin holds its upper edge too.
#[derive(Clone, Debug, PartialEq)]
pub struct Bins {
    edges: Vec<f64>,
}

/// The public interval that numbers are clamped into; says also how they are read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// Whole numbers.
    Whole(i64, i64),
    /// Numbers with decimals.
    Real(f64, f64),
}

/// The text of a question, where anything may be missing or too much.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuestionText {
    pub(super) name: String,
    kind: Kind,
    weight: Option<Amount>,
    column: Option<String>,
    by: Option<String>,
    keys: Option<Vec<Key>>,
    edges: Option<Vec<Number>>,
    bounds: Option<Vec<Number>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Count,
    Units,
    Histogram,
    Sum,
    Mean,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Count => "count",
            Kind::Units => "units",
            Kind::Histogram => "histogram",
            Kind::Sum => "sum",
            Kind::Mean => "mean",
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "expected a number")]
enum Number {
    Whole(i64),
    Real(f64),
}

impl Number {
    fn to_f64(self) -> f64 {
        match self {
            Number::Whole(number) => number as f64,
            Number::Real(number) => number,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text, a whole number, true or false")]
enum Key {
    Text(String),
    Whole(i64),
    Flag(bool),
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        match key {
            Key::Text(text) => text,
            Key::Whole(number) => number.to_string(),
            Key::Flag(flag) => flag.to_string(),
        }
    }
}

impl TryFrom<QuestionText> for Question {
    type Error = QuestionProblem;

    fn try_from(text: QuestionText) -> Result<Self, QuestionProblem> {
        let kind = text.kind.name();
        let needed = |setting| QuestionProblem::Missing { kind, setting };
        let weight = text.weight.unwrap_or_else(|| Amount::from_integer(1));
        if weight.is_zero() {
            return Err(QuestionProblem::Weight);
        }
        let (takes_column, takes_groups) = match text.kind {
            Kind::Count => (false, true),
            Kind::Units => (false, false),
            Kind::Histogram => (true, false),
            Kind::Sum | Kind::Mean => (true, true),
        };
        let settings = [
            ("column", text.column.is_some(), takes_column),
            ("by", text.by.is_some(), takes_groups),
            ("keys", text.keys.is_some(), takes_groups),
            ("edges", text.edges.is_some(), matches!(text.kind, Kind::Histogram)),
            ("bounds", text.bounds.is_some(), matches!(text.kind, Kind::Sum | Kind::Mean)),
        ];
        if let Some((setting, ..)) = settings.iter().find(|(_, given, taken)| *given && !taken) {
            return Err(QuestionProblem::Superfluous { kind, setting });
        }
        let by = match (text.by, text.keys) {
            (None, None) => None,
            (Some(column), Some(keys)) => Some(Groups::new(column, keys)?),
            _ => return Err(QuestionProblem::ByWithoutKeys),
        };
        let column = text.column.ok_or(needed("column"));
        let range = || Range::new(&text.bounds.ok_or(needed("bounds"))?);
        let ask = match text.kind {
            Kind::Count => Ask::Count { by },
            Kind::Units => Ask::Units,
            Kind::Histogram => {
                let bins = Bins::new(&text.edges.ok_or(needed("edges"))?)?;
                Ask::Histogram { column: column?, bins }
            }
            Kind::Sum => Ask::Sum { column: column?, range: range()?, by },
            Kind::Mean => Ask::Mean { column: column?, range: range()?, by },
        };
        Ok(Question { name: text.name, weight, ask })
    }
}

impl Groups {
    fn new(column: String, keys: Vec<Key>) -> Result<Self, QuestionProblem> {
        let keys: Vec<String> = keys.into_iter().map(String::from).collect();
        if keys.is_empty() {
            return Err(QuestionProblem::NoKeys);
        }
        let mut sorted: Vec<&String> = keys.iter().collect();
        sorted.sort_unstable();
        match sorted.windows(2).find(|pair| pair.first() == pair.last()) {
            Some([key, ..]) => Err(QuestionProblem::RepeatedKey { key: (*key).clone() }),
            _ => Ok(Groups { column, keys }),
        }
    }
}

impl Bins {
    fn new(edges: &[Number]) -> Result<Self, QuestionProblem> {
        let edges: Vec<f64> = edges.iter().map(|edge| edge.to_f64()).collect();
        // Not a number compares false with everything, so it is refused here as well.
        let rising = edges.windows(2).all(|pair| pair.first() < pair.last());
        if edges.len() < 2 || !rising {
            return Err(QuestionProblem::Edges);
        }
        Ok(Bins { edges })
    }

    /// The number of bins.
    pub fn len(&self) -> usize {
        self.edges.len() - 1
    }

    /// The bin of a number; `None` outside all of them.
    pub fn position(&self, number: f64) -> Option<usize> {
        let below = |edge: &f64| *edge <= number;
        match self.edges.partition_point(below) {
            0 => None,
            // At or above the last edge: the last bin still holds that edge itself.
            edges if edges > self.len() => {
                (self.edges.last() >= Some(&number)).then_some(self.len() - 1)
            }
            edges => Some(edges - 1),
        }
    }

    /// What the report calls the bins.
    pub fn labels(&self) -> Vec<String> {
        let label = |(bin, pair): (usize, &[f64])| match pair {
            [lower, upper] if lower.is_infinite() && upper.is_infinite() => "any".to_owned(),
            [lower, upper] if lower.is_infinite() => format!("under {upper}"),
            [lower, upper] if upper.is_infinite() => format!("{lower} and over"),
            [lower, upper] if bin + 1 == self.len() => format!("{lower} to {upper}"),
            [lower, upper] => format!("{lower} to <{upper}"),
            _ => String::new(),
        };
        self.edges.windows(2).enumerate().map(label).collect()
    }
}

impl Range {
    fn new(bounds: &[Number]) -> Result<Self, QuestionProblem> {
        let range = match bounds {
            [Number::Whole(lower), Number::Whole(upper)] => Range::Whole(*lower, *upper),
            [lower, upper] => Range::Real(lower.to_f64(), upper.to_f64()),
            _ => return Err(QuestionProblem::Bounds),
        };
        let sensible = match range {
            Range::Whole(lower, upper) => lower < upper,
            Range::Real(lower, upper) => lower < upper && lower.is_finite() && upper.is_finite(),
        };
        if sensible { Ok(range) } else { Err(QuestionProblem::Bounds) }
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Range::Whole(lower, upper) => write!(f, "{lower} to {upper}"),
            Range::Real(lower, upper) => write!(f, "{lower} to {upper}"),
        }
    }
}
