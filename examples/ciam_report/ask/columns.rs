//! The first rows of a file by column, to find out what they hold.

use std::path::Path;

use crate::config::DataConfig;
use crate::error::Error;
use crate::identify::{Column, SAMPLE};

/// All columns with their first values. The file was read before, so that its faults are known.
pub(super) fn sample(path: &Path, data: &DataConfig) -> Result<Vec<Column>, Error> {
    let unreadable = |error: csv::Error| {
        let source = match error.into_kind() {
            csv::ErrorKind::Io(source) => source,
            _ => std::io::Error::other("the file is not CSV"),
        };
        Error::Read { path: path.to_owned(), source }
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(data.delimiter)
        .flexible(true)
        .from_path(path)
        .map_err(unreadable)?;
    let name = |name: &str| Column { name: name.trim().to_owned(), sample: Vec::new() };
    let mut columns: Vec<Column> = reader.headers().map_err(unreadable)?.iter().map(name).collect();
    for record in reader.records().take(SAMPLE) {
        let record = record.map_err(unreadable)?;
        for (column, field) in columns.iter_mut().zip(&record) {
            column.sample.push(field.to_owned());
        }
    }
    Ok(columns)
}
