//! Parquet files (feature `parquet`).

use std::fs::File;
use std::path::Path;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::basic::Compression;
use ::parquet::file::properties::WriterProperties;

use super::Table;
use super::arrow::Batches;
use crate::error::{Error, Result};

impl Table {
    /// Reads a Parquet file batch by batch; columns as in [`from_batches`](Self::from_batches).
    ///
    /// # Errors
    ///
    /// [`Error::Io`] for a file that cannot be opened, [`Error::Format`] for one that is no readable
    /// Parquet file, and what `from_batches` returns.
    pub fn read_parquet(path: impl AsRef<Path>) -> Result<Self> {
        let broken = || Error::Format { format: "Parquet", operation: "read" };
        let file = File::open(path).map_err(Error::io("table", "opened"))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|_| broken())?;
        let mut all = Batches::default();
        for batch in builder.with_batch_size(1 << 14).build().map_err(|_| broken())? {
            all.push(&batch.map_err(|_| broken())?)?;
        }
        all.finish()
    }

    /// Writes a Parquet file, compressed with Snappy; columns as in
    /// [`to_batches`](Self::to_batches).
    ///
    /// # Errors
    ///
    /// [`Error::Io`] for a file that cannot be made, [`Error::Format`] if writing fails, and what
    /// `to_batches` returns.
    pub fn write_parquet(&self, path: impl AsRef<Path>) -> Result<()> {
        let failed = |_| Error::Format { format: "Parquet", operation: "written" };
        let batches = self.to_batches()?;
        let Some(first) = batches.first() else { return Ok(()) };
        let file = File::create(path).map_err(Error::io("table", "written"))?;
        let settings = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut writer =
            ArrowWriter::try_new(file, first.schema(), Some(settings)).map_err(failed)?;
        for batch in &batches {
            writer.write(batch).map_err(failed)?;
        }
        writer.close().map(|_| ()).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::CsvOptions;

    #[test]
    fn files_read_back() {
        let text = "age,zip,note\n31,x08001,\n,x08002,b\n31,x08001,b\n";
        let table = CsvOptions::new().read(text.as_bytes()).unwrap();
        let path = std::env::temp_dir().join(format!("kanon-{}.parquet", std::process::id()));
        table.write_parquet(&path).unwrap();
        let again = Table::read_parquet(&path).unwrap();
        let mut out = Vec::new();
        CsvOptions::new().write(&again, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), text);
        std::fs::write(&path, b"PAR1 and then something else").unwrap();
        assert!(matches!(Table::read_parquet(&path).unwrap_err(), Error::Format { .. }));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(Table::read_parquet(&path).unwrap_err(), Error::Io { .. }));
    }
}
