//! Verification: the whole log is read again, and everything in it must follow.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use privacy_core::audit::Outcome;
use serde::Serialize;

use super::checkpoint::{SignedCheckpoint, VerifierKey};
use super::tiles;
use super::tree::{Hash, Tree};
use crate::account::Standing;
use crate::entry::{Commitment, Entry, Event};
use crate::error::{Error, Result};
use crate::state::{Applied, State};
use crate::store::Leaf;
use crate::time::Timestamp;

/// What a verified log holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// How many entries.
    pub entries: u64,
    /// The root of the tree over them, in base64.
    pub root: String,
    /// When the first was written.
    pub first: Option<Timestamp>,
    /// When the last was written.
    pub last: Option<Timestamp>,
    /// How many charges were granted.
    pub charges: u64,
    /// How many releases were recorded as completed.
    pub releases: u64,
    /// How many payloads were erased.
    pub erased: u64,
    /// Where every account stands.
    pub accounts: Vec<Standing>,
}

/// Reads entries in order and holds each to the rules: canonical form, times that do not go back,
/// charges that fit.
#[derive(Debug, Default)]
pub(crate) struct Auditor {
    state: State,
    tree: Tree,
    first: Option<Timestamp>,
    charges: u64,
    releases: u64,
    erased: HashSet<u64>,
    payloads: Vec<(u64, Commitment)>,
}

impl Auditor {
    /// Reads the next entry.
    pub(crate) fn read(&mut self, leaf: &Leaf<'_>) -> Result<()> {
        let index = self.tree.size();
        let entry = Entry::decode(leaf.entry(), index)?;
        self.state.check_carried(index, &entry.event)?;
        match self.state.apply(index, entry.at, &entry.event) {
            Ok(Applied::Changed) => {}
            Ok(_) => {
                return Err(Error::Corrupt { entry: index, what: "it repeats what was before it" });
            }
            Err(error @ Error::Corrupt { .. }) => return Err(error),
            Err(_) => {
                return Err(Error::Corrupt {
                    entry: index,
                    what: "it does not follow from what was before it",
                });
            }
        }
        match &entry.event {
            Event::Reserved(_) => self.charges += 1,
            Event::Recorded(record) if record.outcome == Outcome::Completed => self.releases += 1,
            Event::Erased { entry: erased, .. } => {
                self.erased.insert(*erased);
            }
            _ => {}
        }
        if let Some(commitment) = entry.payload {
            self.payloads.push((index, commitment));
        }
        self.first = self.first.or(Some(entry.at));
        self.tree.push(leaf.hash());
        Ok(())
    }

    /// The commitments of entries whose payloads were not erased.
    pub(crate) fn payloads(&self) -> impl Iterator<Item = (u64, Commitment)> + '_ {
        self.payloads.iter().copied().filter(|(index, _)| !self.erased.contains(index))
    }

    /// The entries whose payloads were erased.
    pub(crate) fn erased(&self) -> impl Iterator<Item = u64> + '_ {
        self.erased.iter().copied()
    }

    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    pub(crate) fn report(&self) -> Report {
        Report {
            entries: self.tree.size(),
            root: self.tree.root().to_string(),
            first: self.first,
            last: self.first.map(|_| self.state.now()),
            charges: self.charges,
            releases: self.releases,
            erased: self.erased.len() as u64,
            accounts: self.state.standings(),
        }
    }
}

/// Verifies an export that [`Ledger::export`](crate::Ledger::export) wrote, trusting nothing but
/// `key`: the signature of its checkpoint, every entry and every tile under it, and that each
/// charge was within its budgets when it was granted.
///
/// # Errors
///
/// [`Error::Unproven`] if the checkpoint is not signed by `key` or the entries do not lead to its
/// root; [`Error::Corrupt`] names the first entry that differs from the tiles or that does not
/// follow; [`Error::Io`] if a file is missing.
pub fn verify_export(directory: impl AsRef<Path>, key: &VerifierKey) -> Result<Report> {
    let directory = directory.as_ref();
    let read = |name: &str| fs::read(directory.join(name)).map_err(Error::io("read an export"));
    let text = String::from_utf8(read("checkpoint")?)
        .map_err(|_| Error::Unproven { what: "checkpoint", reason: "it is no text" })?;
    let signed = SignedCheckpoint::parse(&text)?;
    let checkpoint = signed.verify(key)?;
    let mut auditor = Auditor::default();
    for (index, width) in tiles::tiles(checkpoint.size) {
        let bundle = read(&tiles::path("entries", index, width))?;
        let hashes = read(&tiles::path("0", index, width))?;
        let first = index * super::tree::TILE_WIDTH;
        let mut rest = bundle.as_slice();
        for at in 0..width {
            let entry = first + at;
            let cut = Error::Corrupt { entry, what: "its bundle ends early" };
            let (length, after) = rest.split_first_chunk::<2>().ok_or(cut.clone())?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (bytes, after) = after.split_at_checked(length).ok_or(cut)?;
            rest = after;
            let (expected, leaf) = (hashes.chunks_exact(32).nth(at as usize), Leaf::of(bytes));
            if expected != Some(leaf.hash().as_bytes().as_slice()) {
                return Err(Error::Corrupt {
                    entry,
                    what: "it is not the entry its tile speaks of",
                });
            }
            auditor.read(&leaf)?;
        }
        let last = first + width - 1;
        if !rest.is_empty() || hashes.len() as u64 != width * 32 {
            return Err(Error::Corrupt { entry: last, what: "its bundle or tile goes on" });
        }
    }
    check_upper_tiles(directory, &auditor, checkpoint.size)?;
    if auditor.tree().root() != checkpoint.root {
        let reason = "its root is not that of the entries";
        return Err(Error::Unproven { what: "checkpoint", reason });
    }
    Ok(auditor.report())
}

fn check_upper_tiles(directory: &Path, auditor: &Auditor, size: u64) -> Result<()> {
    struct None;
    impl super::tree::Leaves for None {
        fn tile(&mut self, _: u64) -> Result<Vec<Hash>> {
            Ok(Vec::new())
        }
    }
    let mut level = 1;
    while size >> (level * super::tree::TILE_HEIGHT) > 0 {
        for (index, width) in tiles::tiles(size >> (level * super::tree::TILE_HEIGHT)) {
            let name = tiles::path(&level.to_string(), index, width);
            let found = fs::read(directory.join(name)).map_err(Error::io("read an export"))?;
            let hashes = auditor.tree().tile(level, index, size, &mut None)?;
            let expected: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
            if found != expected {
                let entry = (index * super::tree::TILE_WIDTH) << (level * super::tree::TILE_HEIGHT);
                return Err(Error::Corrupt {
                    entry,
                    what: "a tile above it is not that of the entries",
                });
            }
        }
        level += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Event;
    use crate::state::{FORM, hash_books};

    #[test]
    fn books_that_do_not_follow_are_not_carried_past_an_auditor() {
        let read = |event: Event| {
            let entry = Entry { at: Timestamp::default(), by: "test".into(), event, payload: None };
            Auditor::default().read(&Leaf::of(&entry.encode().unwrap()))
        };
        let books = hash_books(&State::default().carry().unwrap());
        read(Event::Carried { form: FORM, books }).unwrap();
        let wrong = read(Event::Carried { form: FORM, books: hash_books(b"other books") });
        assert!(matches!(wrong, Err(Error::Corrupt { entry: 0, .. })));
        // A form of a later version cannot be checked by this one.
        read(Event::Carried { form: FORM + 1, books: hash_books(b"other books") }).unwrap();
    }
}
