//! Tables: named columns of typed values, dictionary-encoded.
//!
//! Every algorithm works on small integer codes; texts are touched once on the way in and once on
//! the way out. A missing value and a suppressed one are states of their own, never texts.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use foldhash::quality::RandomState;
use serde::{Deserialize, Serialize};

use crate::error::{DataValue, Error, Result};

#[cfg(feature = "arrow")]
mod arrow;
pub(crate) mod codes;
mod csv;
mod kind;
#[cfg(feature = "parquet")]
mod parquet;

pub(crate) use codes::Codes;
pub use csv::CsvOptions;
pub use kind::Kind;
pub(crate) use kind::{civil_from_days, parse_date, parse_number};

/// One entry of a column's dictionary.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Value {
    /// No value was recorded.
    Missing,
    /// The value was taken out on purpose.
    Suppressed,
    /// A recorded value or a generalization of one.
    Text(Box<str>),
}

impl Value {
    /// The text, or `None` for a missing or suppressed value.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.into())
    }
}

/// What a missing value of a column means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Missing {
    /// A value like any other: two rows agree on it only if it is missing in both. Never raises k.
    #[default]
    OwnCategory,
    /// Rows without a value are left out before anything else.
    DropRow,
    /// A missing value is an error.
    Refuse,
}

/// A column: its name, its type, its distinct values and a code for each row.
#[derive(Clone)]
pub struct Column {
    name: String,
    kind: Kind,
    dictionary: Vec<Value>,
    codes: Codes,
    /// Made when first asked for.
    counts: OnceLock<Vec<u64>>,
}

impl Column {
    /// A column of the given values, its type read from them.
    #[must_use]
    pub fn new(name: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Self {
        let mut builder = ColumnBuilder::new(name.into());
        for value in values {
            builder.push_value(value);
        }
        builder.finish(None)
    }

    pub(crate) fn from_parts(
        name: String,
        kind: Kind,
        dictionary: Vec<Value>,
        codes: Codes,
    ) -> Self {
        Column { name, kind, dictionary, codes, counts: OnceLock::new() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The distinct values, in order of first appearance (some may no longer occur).
    #[must_use]
    pub fn dictionary(&self) -> &[Value] {
        &self.dictionary
    }

    /// The value in a row; `None` beyond the end.
    #[must_use]
    pub fn value(&self, row: usize) -> Option<&Value> {
        if row >= self.codes.len() {
            return None;
        }
        self.dictionary.get(self.codes.get(row) as usize)
    }

    pub(crate) fn codes(&self) -> &Codes {
        &self.codes
    }

    pub(crate) fn at(&self, row: usize) -> &Value {
        &self.dictionary[self.codes.get(row) as usize]
    }

    /// The first row that holds `code`, counted from 1.
    pub(crate) fn first_row(&self, code: u32) -> u64 {
        self.codes.iter().position(|c| c == code).map_or(0, |row| row as u64 + 1)
    }

    /// How many rows hold each entry of the dictionary.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        self.counts.get_or_init(|| self.codes.counts(self.dictionary.len()))
    }

    /// The number behind each entry of the dictionary, for numeric and date columns.
    ///
    /// Dates are days since 1970-01-01, with the time of day as a fraction.
    #[must_use]
    pub fn numbers(&self) -> Vec<Option<f64>> {
        let number = |value: &Value| match (self.kind, value.text()) {
            (Kind::Integer | Kind::Decimal, Some(text)) => parse_number(text),
            (Kind::Date, Some(text)) => parse_date(text),
            _ => None,
        };
        self.dictionary.iter().map(number).collect()
    }

    /// The rank of each entry in the column's order: by number or date, otherwise by text;
    /// suppressed and missing values come last.
    #[must_use]
    pub fn ranks(&self) -> Vec<u32> {
        let numbers = self.numbers();
        let mut order: Vec<usize> = (0..self.dictionary.len()).collect();
        let state = |i: usize| match self.dictionary[i] {
            Value::Text(_) => 0,
            Value::Missing => 1,
            Value::Suppressed => 2,
        };
        order.sort_by(|&a, &b| {
            let by_number = match (numbers[a], numbers[b]) {
                (Some(x), Some(y)) => x.total_cmp(&y),
                _ => std::cmp::Ordering::Equal,
            };
            let by_text = || self.dictionary[a].text().cmp(&self.dictionary[b].text());
            state(a).cmp(&state(b)).then(by_number).then_with(by_text)
        });
        let mut ranks = vec![0; order.len()];
        for (rank, &entry) in order.iter().enumerate() {
            ranks[entry] = rank as u32;
        }
        ranks
    }

    /// The same column under a declared type.
    ///
    /// # Errors
    ///
    /// [`Error::Type`] with the first value that does not have it.
    pub fn with_kind(mut self, kind: Kind) -> Result<Self> {
        for (code, value) in self.dictionary.iter().enumerate() {
            if let Some(text) = value.text()
                && !kind.accepts(text)
            {
                return Err(Error::Type {
                    column: self.name.clone(),
                    row: self.first_row(code as u32),
                    value: DataValue::new(text),
                    expected: kind.article(),
                });
            }
        }
        self.kind = kind;
        Ok(self)
    }

    /// The rows given, in that order.
    pub(crate) fn take(&self, rows: &[u32]) -> Column {
        let codes = self.codes.take(rows);
        Column::from_parts(self.name.clone(), self.kind, self.dictionary.clone(), codes)
    }
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Column")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("values", &self.dictionary.len())
            .finish_non_exhaustive()
    }
}

/// Columns of equal length with distinct names.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: usize,
}

impl Table {
    /// A table of the given columns.
    ///
    /// # Errors
    ///
    /// [`Error::DuplicateColumn`], [`Error::TooLarge`] above 2^32 − 2 rows, or
    /// [`Error::Ragged`] if a column has another length than the first.
    pub fn new(columns: Vec<Column>) -> Result<Self> {
        let rows = columns.first().map_or(0, |column| column.codes.len());
        if rows >= u32::MAX as usize {
            return Err(Error::TooLarge { what: "rows", limit: u64::from(u32::MAX) - 1 });
        }
        let mut names: Vec<&str> = columns.iter().map(Column::name).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::DuplicateColumn { column: pair[0].into() });
        }
        for column in &columns {
            if column.codes.len() != rows {
                let found = column.codes.len() as u64;
                return Err(Error::Ragged { line: 0, expected: rows as u64, found });
            }
        }
        Ok(Table { columns, rows })
    }

    /// A table from the application's own structs: one column for each field.
    ///
    /// Rows must be flat: numbers, texts, booleans, unit enums, and options of them (`None` is a
    /// missing value).
    ///
    /// # Errors
    ///
    /// [`Error::Csv`] with the number of the first row that is not flat.
    ///
    /// # Example
    ///
    /// ```
    /// #[derive(serde::Serialize)]
    /// struct Login { country: &'static str, age: Option<u8> }
    ///
    /// let rows = [Login { country: "FR", age: Some(31) }, Login { country: "DE", age: None }];
    /// let table = kanon::Table::from_rows(&rows)?;
    /// assert_eq!(table.rows(), 2);
    /// assert_eq!(table.column("age")?.value(1), Some(&kanon::table::Value::Missing));
    /// # Ok::<(), kanon::Error>(())
    /// ```
    pub fn from_rows<T: Serialize>(rows: impl IntoIterator<Item = T>) -> Result<Self> {
        csv::from_rows(rows)
    }

    /// The rows as the application's own structs.
    ///
    /// Missing and suppressed cells read as empty: give those fields the type `Option`.
    ///
    /// # Errors
    ///
    /// [`Error::Csv`] with the number of the first row that does not fit.
    pub fn to_rows<T: serde::de::DeserializeOwned>(&self) -> Result<Vec<T>> {
        csv::to_rows(self)
    }

    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns in order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// A column by name.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownColumn`].
    pub fn column(&self, name: &str) -> Result<&Column> {
        self.position(name).map(|i| &self.columns[i])
    }

    /// A column's place by name.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownColumn`].
    pub fn position(&self, name: &str) -> Result<usize> {
        let found = self.columns.iter().position(|c| c.name == name);
        found.ok_or_else(|| Error::unknown(name, self.columns.iter().map(Column::name)))
    }

    /// The rows given by number (counted from 0), in that order.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a row that does not exist.
    pub fn take(&self, rows: &[u32]) -> Result<Table> {
        if rows.iter().any(|&row| row as usize >= self.rows) {
            return Err(Error::Parameter {
                parameter: "a row number",
                requirement: "below the number of rows",
            });
        }
        let columns = self.columns.iter().map(|column| column.take(rows)).collect();
        Ok(Table { columns, rows: rows.len() })
    }

    /// The same table with a column declared to be of a type.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownColumn`], or [`Error::Type`].
    pub fn with_kind(mut self, column: &str, kind: Kind) -> Result<Self> {
        let place = self.position(column)?;
        let column = self.columns.remove(place).with_kind(kind)?;
        self.columns.insert(place, column);
        Ok(self)
    }

    /// A short digest of the content, to recognize the same table again. Not a commitment.
    #[must_use]
    pub fn digest(&self) -> u64 {
        // FNV-1a over texts; a row's contribution depends on its place.
        let mut all = 0xcbf2_9ce4_8422_2325_u64;
        let mut eat = |bytes: &[u8]| {
            for &byte in bytes.iter().chain(&[0xff]) {
                all = (all ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for column in &self.columns {
            eat(column.name.as_bytes());
            for value in &column.dictionary {
                eat(value
                    .text()
                    .unwrap_or(match value {
                        Value::Missing => "\u{1}",
                        _ => "\u{2}",
                    })
                    .as_bytes());
            }
            let mut rolling = 0u64;
            column.codes.for_each(0..self.rows, |_, code| {
                rolling =
                    (rolling.rotate_left(5) ^ u64::from(code)).wrapping_mul(0x517c_c1b7_2722_0a95);
            });
            eat(&rolling.to_le_bytes());
        }
        all
    }
}

/// Collects a column value by value.
pub(crate) struct ColumnBuilder {
    name: String,
    known: HashMap<Box<str>, u32, RandomState>,
    missing: Option<u32>,
    suppressed: Option<u32>,
    dictionary: Vec<Value>,
    codes: Codes,
}

impl ColumnBuilder {
    pub(crate) fn new(name: String) -> Self {
        ColumnBuilder {
            name,
            known: HashMap::default(),
            missing: None,
            suppressed: None,
            dictionary: Vec::new(),
            codes: Codes::new(),
        }
    }

    #[inline]
    pub(crate) fn push_text(&mut self, text: &str) {
        let code = match self.known.get(text) {
            Some(&code) => code,
            None => {
                let code = self.dictionary.len() as u32;
                self.known.insert(text.into(), code);
                self.dictionary.push(text.into());
                code
            }
        };
        self.codes.push(code);
    }

    pub(crate) fn push_missing(&mut self) {
        let next = self.dictionary.len() as u32;
        let code = *self.missing.get_or_insert(next);
        if code == next {
            self.dictionary.push(Value::Missing);
        }
        self.codes.push(code);
    }

    pub(crate) fn push_value(&mut self, value: Value) {
        match value {
            Value::Text(text) => self.push_text(&text),
            Value::Missing => self.push_missing(),
            Value::Suppressed => {
                let next = self.dictionary.len() as u32;
                let code = *self.suppressed.get_or_insert(next);
                if code == next {
                    self.dictionary.push(Value::Suppressed);
                }
                self.codes.push(code);
            }
        }
    }

    pub(crate) fn finish(self, kind: Option<Kind>) -> Column {
        let texts = self.dictionary.iter().filter_map(Value::text);
        let kind = kind.unwrap_or_else(|| Kind::infer(texts));
        Column::from_parts(self.name, kind, self.dictionary, self.codes)
    }
}
