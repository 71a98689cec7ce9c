//! Where entries are kept: a log that several writers append to in turns.
//!
//! A store knows nothing of budgets. It keeps entries in order, gives one writer at a time the turn
//! to append, and shows each writer what others appended before it decides. Balances are never
//! stored; they follow from the entries.

mod file;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;

use std::fmt;

pub use file::FileStore;
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;

use crate::error::Result;
use crate::log::{Hash, hash_entry};

/// An append-only log of entries with payloads beside them, shared by threads and, where the kind
/// of store allows, by processes and machines.
pub trait Store: Send + Sync + fmt::Debug {
    /// Waits for the turn: until it is dropped nobody else appends, here or elsewhere.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached, or is not what it was.
    fn turn(&self) -> Result<Box<dyn Turn + '_>>;

    /// Whether it keeps the books that are [carried forward](Turn::carry). Without that a ledger is
    /// opened by applying every entry.
    fn carries(&self) -> bool {
        false
    }

    /// Reads the entries `from..to`, which have been read in a turn before.
    ///
    /// # Errors
    ///
    /// If they cannot be read, or what `each` returns.
    fn read(&self, from: u64, to: u64, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>;

    /// The salt and payload of the entry, as they were given to [`Turn::append`]; `None` if there is
    /// none or it was erased.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    fn payload(&self, index: u64) -> Result<Option<Vec<u8>>>;
}

/// The right to append.
pub trait Turn {
    /// What was durable at the last commit that says so: those entries must be there.
    ///
    /// # Errors
    ///
    /// If that cannot be read.
    fn head(&mut self) -> Result<Head>;

    /// Reads the entries from `from` to the end, and says how many bytes of unfinished appends were
    /// cut off there.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`](crate::Error::Corrupt) or [`Error::Truncated`](crate::Error::Truncated) if an entry that was durable is not what
    /// it was; or what `each` returns.
    fn catch_up(&mut self, from: u64, each: &mut dyn FnMut(&Leaf<'_>) -> Result<()>)
    -> Result<u64>;

    /// Appends `batch` after the entries read by [`catch_up`](Turn::catch_up); `head` says what the
    /// log is with it, at the price of some hashing. All of it is there afterwards or nothing.
    ///
    /// # Errors
    ///
    /// If it could not be written, or not as durably as asked.
    fn append(
        &mut self,
        batch: &[Sealed],
        head: &dyn Fn() -> Head,
        durability: Durability,
    ) -> Result<()>;

    /// Destroys the payload of the entry; does nothing if there is none.
    ///
    /// # Errors
    ///
    /// If it could not be destroyed durably.
    fn erase(&mut self, index: u64) -> Result<()>;

    /// Keeps the books as they are before the entry `entry`, instead of those kept before. They are
    /// a copy of what follows from the entries, under a hash that the entry holds: what cannot be
    /// kept, or is lost or changed, costs time and nothing else.
    fn carry(&mut self, entry: u64, books: &[u8]) {
        let _ = (entry, books);
    }

    /// The books that were kept last, and the entry that holds their hash.
    fn carried(&mut self) -> Option<(u64, Vec<u8>)> {
        None
    }

    /// Checks everything the store holds beside the entries.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`](crate::Error::Corrupt) at the first thing that is not as it should be.
    fn check(&mut self, facts: &Facts<'_>) -> Result<()>;
}

/// An entry as it is read, with its hash.
#[derive(Clone, Copy, Debug)]
pub struct Leaf<'a> {
    entry: &'a [u8],
    hash: Hash,
}

impl<'a> Leaf<'a> {
    /// The leaf of these bytes.
    #[must_use]
    pub fn of(entry: &'a [u8]) -> Self {
        Leaf { entry, hash: hash_entry(entry) }
    }

    /// The bytes of the entry.
    #[must_use]
    pub fn entry(&self) -> &'a [u8] {
        self.entry
    }

    /// Its hash in the tree.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }
}

/// The size and root of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

/// An entry as it is stored.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// Its bytes.
    pub entry: Vec<u8>,
    /// Their hash in the tree.
    pub hash: Hash,
    /// The salt and payload beside it.
    pub payload: Option<Vec<u8>>,
}

/// What an append promises when it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// The entries outlive the process.
    Process,
    /// The entries outlive a loss of power.
    Power,
}

/// What is known of the log when a store is checked.
pub struct Facts<'a> {
    pub(crate) root_at: &'a dyn Fn(u64) -> Result<Hash>,
    pub(crate) erased: &'a dyn Fn(u64) -> bool,
}

impl Facts<'_> {
    /// The root of the first `size` entries.
    ///
    /// # Errors
    ///
    /// If there are not as many.
    pub fn root_at(&self, size: u64) -> Result<Hash> {
        (self.root_at)(size)
    }

    /// Whether the log says that the payload of the entry was erased.
    #[must_use]
    pub fn erased(&self, index: u64) -> bool {
        (self.erased)(index)
    }
}

impl fmt::Debug for Facts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts").finish_non_exhaustive()
    }
}
