//! Reads the rows of a CSV file as the configuration describes them.
//!
//! Only what the questions need is kept of a row: for each needed column a [`Cell`], and a number
//! that stands for its unit. The first fault ends the reading with its line and column.

mod cell;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use csv::ByteRecord;

pub use cell::{Cell, Format, Layout};

use crate::config::DataConfig;
use crate::error::{DataProblem, Error};
use crate::progress;

/// A row, reduced to what the questions need.
pub struct Row {
    /// Stands for the unit; equal for rows of the same unit.
    pub unit: u32,
    cells: Box<[Cell]>,
}

impl Row {
    /// The cell that the layout put at `position`.
    pub fn cell(&self, position: usize) -> Cell {
        self.cells.get(position).copied().unwrap_or(Cell::Missing)
    }
}

/// Reads all rows of the file.
pub fn read(path: &Path, data: &DataConfig, layout: &Layout) -> Result<Vec<Row>, Error> {
    let unreadable = |source| Error::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let (bar, file) = progress::reading(file, "Reading");
    let rows = Reader { data, layout, units: HashMap::new() }.rows(file);
    bar.finish_and_clear();
    rows.map_err(|fault| match fault {
        Fault::Io(source) => unreadable(source),
        Fault::At { start, problem } => match line_of(path, &start) {
            Ok(line) => Error::Data { path: path.to_owned(), line, problem },
            Err(source) => unreadable(source),
        },
    })
}

/// What ends the reading; the line is looked up only then.
enum Fault {
    Io(io::Error),
    At { start: csv::Position, problem: DataProblem },
}

impl From<csv::Error> for Fault {
    fn from(error: csv::Error) -> Self {
        match error.into_kind() {
            csv::ErrorKind::Io(source) => Fault::Io(source),
            // The reader is told to leave lengths and bytes to us, so nothing else happens.
            _ => Fault::Io(io::Error::other("the file is not CSV")),
        }
    }
}

/// Where a needed column stands, and what it is called.
struct Needed<'a> {
    index: usize,
    column: &'a str,
}

struct Reader<'a> {
    data: &'a DataConfig,
    layout: &'a Layout,
    units: HashMap<Box<[u8]>, u32>,
}

impl<'a> Reader<'a> {
    fn rows(mut self, file: impl Read) -> Result<Vec<Row>, Fault> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(self.data.delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(BufReader::with_capacity(1 << 16, file));
        let mut header = ByteRecord::new();
        if !reader.read_byte_record(&mut header)? {
            return Err(Fault::At { start: csv::Position::new(), problem: DataProblem::Empty });
        }
        let at = |record: &ByteRecord, problem| {
            let start = record.position().cloned().unwrap_or_else(csv::Position::new);
            Fault::At { start, problem }
        };
        let needed = self.needed(&header).map_err(|problem| at(&header, problem))?;
        let unit = match &self.data.unit {
            Some(column) => Some(find(&header, column).map_err(|problem| at(&header, problem))?),
            None => None,
        };
        let mut rows = Vec::new();
        let mut record = ByteRecord::new();
        while reader.read_byte_record(&mut record)? {
            let row = self.row(&record, &header, &needed, unit.as_ref());
            rows.push(row.map_err(|problem| at(&record, problem))?);
        }
        Ok(rows)
    }

    fn needed(&self, header: &ByteRecord) -> Result<Vec<Needed<'a>>, DataProblem> {
        check_text(header, header)?;
        self.layout.columns().map(|column| find(header, column)).collect()
    }

    fn row(
        &mut self,
        record: &ByteRecord,
        header: &ByteRecord,
        needed: &[Needed<'_>],
        unit: Option<&Needed<'_>>,
    ) -> Result<Row, DataProblem> {
        let (fields, wanted) = (record.len(), header.len());
        if fields < wanted {
            return Err(DataProblem::Short { column: name(header, fields), fields, wanted });
        }
        if fields > wanted {
            let column = name(header, wanted.saturating_sub(1));
            return Err(DataProblem::Long { column, fields, wanted });
        }
        check_text(record, header)?;
        let field = |needed: &Needed<'_>| record.get(needed.index).unwrap_or(b"").trim_ascii();
        let unit = match unit {
            Some(unit) => self.unit(field(unit), unit.column)?,
            None => 0,
        };
        let cells = needed
            .iter()
            .zip(self.layout.formats())
            .map(|(needed, format)| {
                format.read(field(needed), &self.data.missing).map_err(|bad| bad.of(needed.column))
            })
            .collect::<Result<_, _>>()?;
        Ok(Row { unit, cells })
    }

    fn unit(&mut self, key: &[u8], column: &str) -> Result<u32, DataProblem> {
        if key.is_empty() {
            return Err(DataProblem::NoUnit { column: column.to_owned() });
        }
        if let Some(unit) = self.units.get(key) {
            return Ok(*unit);
        }
        let unit = u32::try_from(self.units.len()).map_err(|_| DataProblem::TooManyUnits)?;
        self.units.insert(key.into(), unit);
        Ok(unit)
    }
}

fn find<'a>(header: &ByteRecord, column: &'a str) -> Result<Needed<'a>, DataProblem> {
    let named = |field: &[u8]| field.trim_ascii() == column.trim().as_bytes();
    let mut found = header.iter().enumerate().filter(|(_, field)| named(field));
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Ok(Needed { index, column }),
        (None, _) => Err(DataProblem::NoColumn { column: column.to_owned() }),
        _ => Err(DataProblem::RepeatedColumn { column: column.to_owned() }),
    }
}

/// The name of a column; its number where the header has none that can be shown.
fn name(header: &ByteRecord, index: usize) -> String {
    let name = header.get(index).and_then(|field| std::str::from_utf8(field).ok());
    match name.map(str::trim) {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => format!("#{}", index + 1),
    }
}

fn check_text(record: &ByteRecord, header: &ByteRecord) -> Result<(), DataProblem> {
    if record.as_slice().is_ascii() {
        return Ok(());
    }
    match record.iter().position(|field| std::str::from_utf8(field).is_err()) {
        Some(index) => Err(DataProblem::NotUtf8 { column: name(header, index) }),
        None => Ok(()),
    }
}

/// The line, counted from 1, of the record that begins at or, after line ends, behind `start`.
///
/// The CSV reader's own count is taken before it skips line ends, so it can be too small. A pipe
/// cannot be read again, so there it has to do.
fn line_of(path: &Path, start: &csv::Position) -> io::Result<u64> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Ok(start.line());
    }
    let mut file = BufReader::new(file);
    let byte = start.byte();
    let (mut line, mut seen) = (1, 0);
    loop {
        let buffer = file.fill_buf()?;
        if buffer.is_empty() {
            return Ok(line);
        }
        for byte_here in buffer {
            if seen >= byte && !matches!(byte_here, b'\r' | b'\n') {
                return Ok(line);
            }
            line += u64::from(*byte_here == b'\n');
            seen += 1;
        }
        let read = buffer.len();
        file.consume(read);
    }
}

#[cfg(test)]
mod tests;
