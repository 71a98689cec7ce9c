//! Tables from and to delimited text, row by row.

use std::io::{Read, Write};
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder, WriterBuilder};
use serde::{Serialize, de::DeserializeOwned};

use super::{ColumnBuilder, Kind, Table, Value};
use crate::error::{Error, Result};

/// How delimited text is read and written.
///
/// # Example
///
/// ```
/// use kanon::table::{CsvOptions, Kind};
///
/// let text = "zip;age\n01234;31\n20000;\n";
/// let options = CsvOptions::new().delimiter(b';').kind("zip", Kind::Text);
/// let table = options.read(text.as_bytes())?;
/// assert_eq!(table.column("age")?.kind(), Kind::Integer);
/// # Ok::<(), kanon::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct CsvOptions {
    delimiter: u8,
    quote: u8,
    trim: bool,
    missing: Vec<String>,
    suppressed: Option<String>,
    kinds: Vec<(String, Kind)>,
    skipped: Vec<String>,
    most_rows: u64,
}

impl Default for CsvOptions {
    fn default() -> Self {
        CsvOptions::new()
    }
}

impl CsvOptions {
    /// Commas, double quotes, an empty field is a missing value, types are read from the values.
    pub fn new() -> Self {
        CsvOptions {
            delimiter: b',',
            quote: b'"',
            trim: false,
            missing: vec![String::new()],
            suppressed: None,
            kinds: Vec::new(),
            skipped: Vec::new(),
            most_rows: u64::from(u32::MAX) - 1,
        }
    }

    /// The byte between fields.
    pub fn delimiter(self, delimiter: u8) -> Self {
        CsvOptions { delimiter, ..self }
    }

    /// The byte around fields that hold delimiters.
    pub fn quote(self, quote: u8) -> Self {
        CsvOptions { quote, ..self }
    }

    /// Takes spaces around fields away.
    pub fn trim(self) -> Self {
        CsvOptions { trim: true, ..self }
    }

    /// A further text that stands for a missing value, such as `?` or `NA`.
    pub fn missing(mut self, marker: impl Into<String>) -> Self {
        self.missing.push(marker.into());
        self
    }

    /// The text that stands for a suppressed value when a release is read back, such as `*`.
    pub fn suppressed(self, marker: impl Into<String>) -> Self {
        CsvOptions { suppressed: Some(marker.into()), ..self }
    }

    /// Declares a column's type instead of reading it from the values.
    pub fn kind(mut self, column: impl Into<String>, kind: Kind) -> Self {
        self.kinds.push((column.into(), kind));
        self
    }

    /// Leaves a column out while reading.
    pub fn skip(mut self, column: impl Into<String>) -> Self {
        self.skipped.push(column.into());
        self
    }

    /// Refuses to read more rows than this.
    pub fn at_most_rows(self, most_rows: u64) -> Self {
        CsvOptions { most_rows: most_rows.min(u64::from(u32::MAX) - 1), ..self }
    }

    /// Reads a file with a header line.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_path(&self, path: impl AsRef<Path>) -> Result<Table> {
        let file = std::fs::File::open(path).map_err(Error::io("table", "opened"))?;
        self.read(file)
    }

    /// Reads a table with a header line, row by row: memory grows with codes and distinct values,
    /// not with the text.
    ///
    /// # Errors
    ///
    /// [`Error::Csv`], [`Error::Ragged`], [`Error::DuplicateColumn`], [`Error::UnknownColumn`] for
    /// a declared column that is not there, [`Error::Type`], [`Error::Io`] or [`Error::TooLarge`].
    pub fn read(&self, input: impl Read) -> Result<Table> {
        if self.delimiter == self.quote || self.delimiter == b'\n' || self.delimiter == b'\r' {
            return Err(Error::Parameter {
                parameter: "the delimiter",
                requirement: "neither the quote nor a line break",
            });
        }
        let mut reader = ReaderBuilder::new()
            .delimiter(self.delimiter)
            .quote(self.quote)
            .flexible(true)
            .has_headers(false)
            .buffer_capacity(1 << 16)
            .trim(if self.trim { csv::Trim::All } else { csv::Trim::None })
            .from_reader(input);
        let mut record = ByteRecord::new();
        if !reader.read_byte_record(&mut record).map_err(|e| broken(&e))? {
            return Err(Error::Csv { line: 1, problem: "the header is missing" });
        }
        let mut builders = Vec::new();
        for (place, field) in record.iter().enumerate() {
            let field = if place == 0 {
                field.strip_prefix(b"\xef\xbb\xbf").unwrap_or(field)
            } else {
                field
            };
            let name = std::str::from_utf8(field)
                .map_err(|_| Error::Csv { line: 1, problem: "the header is not UTF-8" })?;
            if builders.iter().any(|(known, _)| known == name) {
                return Err(Error::DuplicateColumn { column: name.into() });
            }
            let wanted = !self.skipped.iter().any(|skipped| skipped == name);
            builders.push((name.to_owned(), wanted.then(|| ColumnBuilder::new(name.into()))));
        }
        let declared = self.kinds.iter().map(|(name, _)| name).chain(&self.skipped);
        for name in declared {
            if !builders.iter().any(|(known, _)| known == name) {
                return Err(Error::unknown(name, builders.iter().map(|(known, _)| known.as_str())));
            }
        }
        let mut rows = 0u64;
        while reader.read_byte_record(&mut record).map_err(|e| broken(&e))? {
            let line = record.position().map_or(0, csv::Position::line);
            if record.len() != builders.len() {
                let (expected, found) = (builders.len() as u64, record.len() as u64);
                return Err(Error::Ragged { line, expected, found });
            }
            rows += 1;
            if rows > self.most_rows {
                return Err(Error::TooLarge { what: "rows", limit: self.most_rows });
            }
            for (field, (_, builder)) in record.iter().zip(&mut builders) {
                let Some(builder) = builder else { continue };
                let text = std::str::from_utf8(field)
                    .map_err(|_| Error::Csv { line, problem: "a field is not UTF-8" })?;
                if self.missing.iter().any(|marker| marker == text) {
                    builder.push_missing();
                } else if self.suppressed.as_deref() == Some(text) {
                    builder.push_value(Value::Suppressed);
                } else {
                    builder.push_text(text);
                }
            }
        }
        let mut columns = Vec::new();
        for (name, builder) in builders {
            let Some(builder) = builder else { continue };
            let declared = self.kinds.iter().find(|(column, _)| *column == name);
            columns.push(match declared {
                Some((_, kind)) => builder.finish(Some(Kind::Text)).with_kind(*kind)?,
                None => builder.finish(None),
            });
        }
        Table::new(columns)
    }

    /// Writes a table with a header line. Missing values are empty, suppressed ones `*` or the
    /// marker given by [`suppressed`](Self::suppressed).
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn write(&self, table: &Table, output: impl Write) -> Result<()> {
        let failed = |error: csv::Error| match error.into_kind() {
            csv::ErrorKind::Io(error) => Error::io("table", "written")(error),
            _ => Error::Csv { line: 0, problem: "a row could not be written" },
        };
        let mut writer = WriterBuilder::new()
            .delimiter(self.delimiter)
            .quote(self.quote)
            .buffer_capacity(1 << 16)
            .from_writer(output);
        let suppressed = self.suppressed.as_deref().unwrap_or("*");
        let missing = self.missing.first().map_or("", String::as_str);
        writer.write_record(table.columns().iter().map(|c| c.name())).map_err(failed)?;
        for row in 0..table.rows() {
            for column in table.columns() {
                let text = match column.at(row) {
                    Value::Text(text) => text,
                    Value::Missing => missing,
                    Value::Suppressed => suppressed,
                };
                writer.write_field(text).map_err(failed)?;
            }
            writer.write_record(None::<&[u8]>).map_err(failed)?;
        }
        writer.flush().map_err(Error::io("table", "written"))
    }

    /// Writes a table to a file.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn write_path(&self, table: &Table, path: impl AsRef<Path>) -> Result<()> {
        let file = std::fs::File::create(path).map_err(Error::io("table", "written"))?;
        self.write(table, file)
    }
}

fn broken(error: &csv::Error) -> Error {
    match error.kind() {
        csv::ErrorKind::Io(error) => {
            Error::Io { what: "table", operation: "read", kind: error.kind() }
        }
        _ => {
            let line = error.position().map_or(0, csv::Position::line);
            Error::Csv { line, problem: "the row cannot be read" }
        }
    }
}

pub(super) fn from_rows<T: Serialize>(rows: impl IntoIterator<Item = T>) -> Result<Table> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for (row, value) in rows.into_iter().enumerate() {
        let line = row as u64 + 1;
        writer
            .serialize(value)
            .map_err(|_| Error::Csv { line, problem: "the row is not a flat struct" })?;
    }
    let text = writer
        .into_inner()
        .map_err(|_| Error::Csv { line: 0, problem: "the rows could not be collected" })?;
    if text.is_empty() {
        return Table::new(Vec::new());
    }
    CsvOptions::new().read(text.as_slice())
}

pub(super) fn to_rows<T: DeserializeOwned>(table: &Table) -> Result<Vec<T>> {
    let mut text = Vec::new();
    CsvOptions::new().suppressed("").write(table, &mut text)?;
    let mut reader = csv::Reader::from_reader(text.as_slice());
    let rows = reader.deserialize().enumerate().map(|(row, value)| {
        let line = row as u64 + 1;
        value.map_err(|_| Error::Csv { line, problem: "the row does not fit the type" })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_text_is_refused_with_its_line() {
        let read = |text: &[u8]| CsvOptions::new().read(text);
        assert_eq!(
            read(b"a,b\n1,2\n3\n").unwrap_err(),
            Error::Ragged { line: 3, expected: 2, found: 1 }
        );
        assert_eq!(read(b"a,a\n").unwrap_err(), Error::DuplicateColumn { column: "a".into() });
        assert!(matches!(read(b"a\n\xff\n").unwrap_err(), Error::Csv { line: 2, .. }));
        assert!(matches!(read(b"").unwrap_err(), Error::Csv { line: 1, .. }));
        let typed = CsvOptions::new().kind("a", Kind::Integer).read(&b"a\n1\nsecret7\n"[..]);
        let error = typed.unwrap_err();
        assert!(!error.to_string().contains("secret7") && error.to_string().contains("aaaaaa9"));
        assert!(matches!(error, Error::Type { row: 2, .. }));
        let few = CsvOptions::new().at_most_rows(1).read(&b"a\n1\n2\n"[..]);
        assert_eq!(few.unwrap_err(), Error::TooLarge { what: "rows", limit: 1 });
    }

    #[test]
    fn what_is_written_reads_back() {
        let options = CsvOptions::new().delimiter(b';').suppressed("*");
        let text = "name;age\n\"a;b\";3\n\"say \"\"x\"\"\";\n*;4\n";
        let table = options.read(text.as_bytes()).unwrap();
        assert_eq!(table.column("name").unwrap().value(2), Some(&Value::Suppressed));
        let mut out = Vec::new();
        options.write(&table, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }
}
