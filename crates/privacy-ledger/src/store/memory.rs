//! A store in this process's memory.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Durability, Facts, Head, Leaf, Sealed, Store, Turn};
use crate::error::{Error, Result};
use crate::log::Hash;

/// A log that lives as long as the process.
#[derive(Default)]
pub struct MemoryStore {
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    entries: Vec<Vec<u8>>,
    payloads: HashMap<u64, Vec<u8>>,
}

impl MemoryStore {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        MemoryStore::default()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // Nothing between taking and releasing the lock can leave the log half-changed.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

fn each_of(
    entries: &[Vec<u8>],
    from: u64,
    to: u64,
    each: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let range = usize::try_from(from).ok().zip(usize::try_from(to).ok());
    let missing = Error::NoEntry { index: to, entries: entries.len() as u64 };
    let found = range.and_then(|(from, to)| entries.get(from..to)).ok_or(missing)?;
    found.iter().try_for_each(|entry| each(entry))
}

impl Store for MemoryStore {
    fn turn(&self) -> Result<Box<dyn Turn + '_>> {
        Ok(Box::new(MemoryTurn(self.log())))
    }

    fn read(&self, from: u64, to: u64, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        each_of(&self.log().entries, from, to, each)
    }

    fn payload(&self, index: u64) -> Result<Option<Vec<u8>>> {
        Ok(self.log().payloads.get(&index).cloned())
    }
}

struct MemoryTurn<'a>(MutexGuard<'a, Log>);

impl Turn for MemoryTurn<'_> {
    fn head(&mut self) -> Result<Head> {
        // Nobody else can have changed this memory, so there is nothing to hold it to.
        Ok(Head { size: 0, root: Hash::empty() })
    }

    fn catch_up(
        &mut self,
        from: u64,
        each: &mut dyn FnMut(&Leaf<'_>) -> Result<()>,
    ) -> Result<u64> {
        let to = self.0.entries.len() as u64;
        each_of(&self.0.entries, from, to, &mut |entry| each(&Leaf::of(entry)))?;
        Ok(0)
    }

    fn append(&mut self, batch: &[Sealed], _: &dyn Fn() -> Head, _: Durability) -> Result<()> {
        for sealed in batch {
            let index = self.0.entries.len() as u64;
            self.0.entries.push(sealed.entry.clone());
            if let Some(payload) = &sealed.payload {
                self.0.payloads.insert(index, payload.clone());
            }
        }
        Ok(())
    }

    fn erase(&mut self, index: u64) -> Result<()> {
        self.0.payloads.remove(&index);
        Ok(())
    }

    fn check(&mut self, facts: &Facts<'_>) -> Result<()> {
        let left = self.0.payloads.keys().find(|index| facts.erased(**index));
        match left {
            Some(&entry) => {
                Err(Error::Corrupt { entry, what: "its erased payload is still there" })
            }
            None => Ok(()),
        }
    }
}
