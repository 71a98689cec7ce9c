//! The file beside the log that holds the books as they were carried forward.
//!
//! A page's worth of nothing but magic, the id of the log and an entry, then the books. Whether they
//! are what was written, the hash in that entry says; so the file has no check of its own, and nothing
//! here waits for the disk.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"PRVBOOKS";

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Writes the books beside `path`. A reader sees the whole new file or the whole old one.
pub(super) fn write(path: &Path, id: &[u8; 16], entry: u64, books: &[u8]) {
    let new = beside(path, ".carried-new");
    let written = fs::File::create(&new).and_then(|mut file| {
        file.write_all(MAGIC)?;
        file.write_all(id)?;
        file.write_all(&entry.to_le_bytes())?;
        file.write_all(books)
    });
    // Without it the next opening takes longer.
    let _ = match written {
        Ok(()) => fs::rename(&new, beside(path, ".carried")),
        Err(_) => fs::remove_file(&new),
    };
}

/// The books beside `path`, if there are any of the log `id`.
pub(super) fn read(path: &Path, id: &[u8; 16]) -> Option<(u64, Vec<u8>)> {
    let mut bytes = fs::read(beside(path, ".carried")).ok()?;
    let rest = bytes.strip_prefix(MAGIC)?.strip_prefix(id)?;
    let entry = u64::from_le_bytes(*rest.first_chunk()?);
    bytes.drain(..MAGIC.len() + id.len() + 8);
    Some((entry, bytes))
}
