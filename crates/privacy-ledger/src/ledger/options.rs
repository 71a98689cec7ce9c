//! How a ledger is opened.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Inner, Ledger};
use crate::book::Writer;
use crate::error::Result;
use crate::log::Signer;
use crate::store::{FileStore, MemoryStore, Store};
use crate::time::{Clock, SystemClock};

/// How a ledger is opened.
#[derive(Debug)]
#[must_use = "options open a ledger with `open`, `in_memory` or `with_store`"]
pub struct Options {
    clock: Box<dyn Clock>,
    by: Cow<'static, str>,
    signer: Option<Signer>,
    timeout: Duration,
    tolerance: Duration,
    watched: usize,
    carry_every: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            clock: Box::new(SystemClock),
            by: concat!("privacy-ledger ", env!("CARGO_PKG_VERSION")).into(),
            signer: None,
            timeout: Duration::from_secs(15 * 60),
            tolerance: Duration::from_secs(10),
            watched: 2,
            carry_every: 1 << 16,
        }
    }
}

impl Options {
    /// Reads the time from `clock` instead of the operating system's.
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Options { clock: Box::new(clock), ..self }
    }

    /// Names the version of the application in every entry, such as `reporting 2.1.0`.
    pub fn code_version(self, version: impl Into<Cow<'static, str>>) -> Self {
        Options { by: version.into(), ..self }
    }

    /// Signs checkpoints with `signer`.
    pub fn signer(self, signer: Signer) -> Self {
        Options { signer: Some(signer), ..self }
    }

    /// After how long a reservation that nobody ended lapses (default: 15 minutes).
    pub fn timeout(self, timeout: Duration) -> Self {
        Options { timeout, ..self }
    }

    /// By how much a machine's clock may be behind the last entry (default: 10 seconds). Such an
    /// entry gets the time of the last; beyond that, writing is refused.
    pub fn clock_tolerance(self, tolerance: Duration) -> Self {
        Options { tolerance, ..self }
    }

    /// After how many entries at least the books are carried forward beside the log (default:
    /// 65,536; in a long log after a sixteenth of it), where the store [keeps](Store::carries) them.
    /// Opening applies the entries since then and only checks the hashes of those before.
    pub fn carry_every(self, entries: u64) -> Self {
        Options { carry_every: entries.max(1), ..self }
    }

    /// Down to how many names of a path accounts have gauges of their own (default: 2), with the
    /// feature `telemetry`. A deep path may stand for one analyst or one user, who has no business
    /// in a monitoring system.
    pub fn gauges_to_depth(self, names: usize) -> Self {
        Options { watched: names, ..self }
    }

    /// Opens the ledger in the file at `path`, or begins one there.
    ///
    /// # Errors
    ///
    /// As [`FileStore::open`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<Ledger> {
        self.with_store(FileStore::open(path)?)
    }

    /// Begins a ledger in this process's memory.
    ///
    /// # Errors
    ///
    /// [`Error::ClockUnset`](crate::Error::ClockUnset).
    pub fn in_memory(self) -> Result<Ledger> {
        self.with_store(MemoryStore::new())
    }

    /// Opens the ledger in `store`, reading it to its end.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`](crate::Error::Corrupt) or [`Error::Truncated`](crate::Error::Truncated)
    /// if it is damaged; [`Error::ClockBehind`](crate::Error::ClockBehind); what the store reports.
    pub fn with_store(self, store: impl Store + 'static) -> Result<Ledger> {
        let ledger = self.build(store);
        ledger.inner.writer.open()?;
        Ok(ledger)
    }

    pub(super) fn build(self, store: impl Store + 'static) -> Ledger {
        let Options { clock, by, signer, timeout, tolerance, watched, carry_every } = self;
        let writer = Writer::new(Box::new(store), clock, by, tolerance, carry_every);
        Ledger { inner: Arc::new(Inner { writer, signer, timeout, watched }) }
    }
}
