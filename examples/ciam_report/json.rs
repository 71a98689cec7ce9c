//! The report as JSON, written whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::report::Report;

/// Where reports go unless the caller says otherwise: among the build's own files.
pub const DEFAULT: &str = "target/ciam_report.json";

/// Refuses a path that cannot be written to, before any budget is spent.
pub fn check(path: &Path) -> Result<(), Error> {
    let refused = |source| Err(Error::Write { path: path.to_owned(), source });
    if path.is_dir() || path.file_name().is_none() {
        return refused(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder; name a file"));
    }
    let folder = folder(path);
    if path == Path::new(DEFAULT) {
        return fs::create_dir_all(&folder).or_else(refused);
    }
    if folder.is_dir() {
        return Ok(());
    }
    refused(io::Error::new(io::ErrorKind::NotFound, "its folder does not exist; create it"))
}

/// Writes beside the file and moves into place, so that no half-written report is ever seen.
pub fn write(path: &Path, report: &Report) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = folder(path).join(name);
    let written = write_to(&part, report).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // The report is lost either way; what matters is the first error.
        let _ = fs::remove_file(&part);
    }
    written.map_err(failed)
}

fn write_to(path: &Path, report: &Report) -> io::Result<()> {
    let mut json = serde_json::to_vec_pretty(report)?;
    json.push(b'\n');
    let mut file = fs::File::create(path)?;
    file.write_all(&json)?;
    file.sync_all()
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use confidant::dp::prelude::{Allowance, Epsilon};

    use super::*;

    #[test]
    fn a_report_is_written_whole_and_read_back() {
        let folder = std::env::temp_dir().join(format!("ciam_report-{}-json", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("report.json");
        let limit = Allowance::from(Epsilon::new(1.0).unwrap());
        let report = Report {
            title: "T".to_owned(),
            about: vec![("Data", "d".to_owned())],
            answers: Vec::new(),
            budget: limit.clone(),
            spent: limit.nothing(),
            left: limit,
        };
        check(&path).unwrap();
        write(&path, &report).unwrap();
        let read: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(read["about"]["Data"], "d");
        assert_eq!(read["left"]["epsilon"], "1");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no part is left behind");
        assert!(check(&folder).is_err() && check(&folder.join("no/report.json")).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
