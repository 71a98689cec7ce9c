//! The file's writes and waits, in a place of their own so that a test can lose power between any two
//! of them.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

#[derive(Debug)]
pub(super) struct Disk {
    pub(super) file: File,
    #[cfg(test)]
    pub(super) journal: Vec<Done>,
}

/// What was done to the file.
#[cfg(test)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Done {
    Written { at: u64, bytes: Vec<u8> },
    Cut { length: u64 },
    Waited,
}

impl Disk {
    pub(super) fn new(file: File) -> Self {
        Disk {
            file,
            #[cfg(test)]
            journal: Vec::new(),
        }
    }

    pub(super) fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        self.journal.push(Done::Written { at, bytes: bytes.to_vec() });
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(bytes)
    }

    /// Cuts the file off at `length`.
    pub(super) fn cut(&mut self, length: u64) -> io::Result<()> {
        #[cfg(test)]
        self.journal.push(Done::Cut { length });
        self.file.set_len(length)
    }

    /// Waits until what was written outlives a loss of power.
    pub(super) fn wait(&mut self) -> io::Result<()> {
        #[cfg(test)]
        self.journal.push(Done::Waited);
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::log::Tree;
    use crate::store::{Durability, FileStore, Head, Leaf, Sealed, Store};

    /// A sequence that is the same in every run.
    struct Chances(u64);

    impl Chances {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
            (self.0 >> 33) % bound
        }
    }

    /// Writes `done` into the file at `path`, except that what was not waited for may be lost, whole
    /// or but for its beginning, write by write: a disk keeps no order among them.
    fn lose_power(path: &Path, before: &[u8], done: &[Done], chances: &mut Chances) {
        let mut bytes = before.to_vec();
        let safe = done.iter().rposition(|done| *done == Done::Waited).unwrap_or(0);
        for (i, done) in done.iter().enumerate() {
            match done {
                Done::Written { at, bytes: new } => {
                    let kept = match chances.below(4) {
                        _ if i < safe => new.len(),
                        0 => 0,
                        1 => chances.below(new.len() as u64 + 1) as usize,
                        _ => new.len(),
                    };
                    // A slot has a sector of its own, which is written whole or not.
                    let kept = if *at < super::super::PAGE && kept < new.len() { 0 } else { kept };
                    let at = *at as usize;
                    bytes.resize(bytes.len().max(at + kept), 0);
                    bytes[at..at + kept].copy_from_slice(&new[..kept]);
                }
                Done::Cut { length } if i < safe || chances.below(2) == 0 => {
                    bytes.truncate(*length as usize);
                }
                Done::Cut { .. } | Done::Waited => {}
            }
        }
        fs::write(path, bytes).unwrap();
    }

    /// The entries of the log at `path`.
    fn entries(path: &Path) -> Vec<Vec<u8>> {
        let (store, mut entries) = (FileStore::open(path).unwrap(), Vec::new());
        let mut each = |leaf: &Leaf<'_>| {
            entries.push(leaf.entry().to_vec());
            Ok(())
        };
        store.turn().unwrap().catch_up(0, &mut each).unwrap();
        entries
    }

    #[test]
    fn what_an_append_promised_is_there_after_any_loss_of_power() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let store = FileStore::open(&path).unwrap();
        let before = fs::read(&path).unwrap();
        let mut chances = Chances(1);
        let (mut tree, mut written) = (Tree::default(), Vec::new());
        // How much was done, and how many entries were promised, after each append.
        let mut promised = vec![(0, 0)];
        for i in 0..12 {
            let batch: Vec<Sealed> = (0..1 + chances.below(3))
                .map(|j| {
                    let filling = "x".repeat(chances.below(900) as usize);
                    let entry = format!("entry {i} {j} {filling}").into_bytes();
                    let payload = (chances.below(2) == 0).then(|| b"a payload".to_vec());
                    Sealed { hash: Leaf::of(&entry).hash(), entry, payload }
                })
                .collect();
            for sealed in &batch {
                tree.push(sealed.hash);
                written.push(sealed.entry.clone());
            }
            let durable = chances.below(3) > 0;
            let durability = if durable { Durability::Power } else { Durability::Process };
            let head = || Head { size: tree.size(), root: tree.root() };
            store.turn().unwrap().append(&batch, &head, durability).unwrap();
            let done = store.inner().unwrap().disk.journal.len();
            let safe = if durable { written.len() } else { promised.last().unwrap().1 };
            promised.push((done, safe));
        }
        let done = store.inner().unwrap().disk.journal.clone();
        let lost = folder.path().join("lost");
        let mut fewer = 0;
        for end in 0..=done.len() {
            for _ in 0..40 {
                lose_power(&lost, &before, &done[..end], &mut chances);
                let found = entries(&lost);
                let safe = promised.iter().rfind(|(done, _)| *done <= end).unwrap().1;
                assert!(found.len() >= safe, "after {end}: {} of {safe}", found.len());
                assert_eq!(found, written[..found.len()]);
                fewer += usize::from(found.len() < written.len());
            }
        }
        assert!(fewer > 100, "power was never lost");
    }
}
