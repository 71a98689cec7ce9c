//! Files that are written whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Refuses a path that cannot be written to, before any budget is spent. The folder of the `default`
/// path is made.
pub fn check(path: &Path, default: &str) -> Result<(), Error> {
    let refused = |source| Err(Error::Write { path: path.to_owned(), source });
    if path.is_dir() || path.file_name().is_none() {
        return refused(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder; name a file"));
    }
    let folder = folder(path);
    if path == Path::new(default) {
        return fs::create_dir_all(&folder).or_else(refused);
    }
    if folder.is_dir() {
        return Ok(());
    }
    refused(io::Error::new(io::ErrorKind::NotFound, "its folder does not exist; create it"))
}

/// Writes beside the file and moves into place, so that no half-written report is ever seen.
pub fn write(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = folder(path).join(name);
    let written = write_to(&part, text).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // The report is lost either way; what matters is the first error.
        let _ = fs::remove_file(&part);
    }
    written.map_err(failed)
}

fn write_to(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(text.as_bytes())?;
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
    use super::*;

    #[test]
    fn a_file_is_written_whole_and_only_where_it_can_be() {
        let folder = std::env::temp_dir().join(format!("ciam_report-{}-file", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("report.json");
        check(&path, "").unwrap();
        write(&path, "{}\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}\n");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no part is left behind");
        assert!(check(&folder, "").is_err() && check(&folder.join("no/report.json"), "").is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
