//! The ledger: what an application opens.

mod history;
mod options;
mod proofs;

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use history::Moment;
pub use options::Options;
use privacy_core::audit::{AuditRecord, AuditSink, RecordId};
use privacy_core::budget::{Budget, RequestId, Reservation};
use privacy_core::measure::{Allowance, Charge};
use privacy_core::random::EntropyError;
use privacy_core::unit::Scope;
use zeroize::Zeroizing;

use crate::access::Guarded;
use crate::account::{Account, Standing};
use crate::book::{Request, Secret, Writer, Written};
use crate::budget::AccountBudget;
use crate::entry::{Commitment, Entry, Event};
use crate::error::{Error, Result};
use crate::log::Signer;
use crate::path::AccountPath;
use crate::store::{Durability, MemoryStore};
use crate::telemetry;

/// Budget accounts and an audit log that are kept together in one store. Clones share the ledger.
///
/// As a [`Budget`] it is the account of the whole ledger ([`Account::root`]); as an [`AuditSink`]
/// its log. A session or a context that is given a ledger charges and records there:
///
/// ```
/// use privacy_core::prelude::*;
/// use privacy_ledger::{Account, Ledger};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("budget.db");
/// let ledger = Ledger::open(&path)?;
/// ledger.open_account(Account::root(Epsilon::new(1.0)?))?;
///
/// let mut cx = Context::new(Actor::new("reporting-job"), Purpose::new("weekly usage"))?
///     .ledger(ledger.clone());
/// let ask = Ask::new(
///     Resource::new("a fair coin"),
///     Epsilon::new(0.1)?.into(),
///     Scope::of::<User, AddRemove>(),
/// );
/// let paid = cx.release(ask, |rng| Ok(RandomBuffer::new(rng).bit()?))?;
/// # let _ = paid;
/// assert_eq!(cx.remaining()?.unwrap().to_string(), "ε = 0.9");
/// assert_eq!(ledger.verify()?.releases, 1);
/// # Ok::<(), privacy_ledger::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ledger {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    writer: Writer,
    signer: Option<Signer>,
    timeout: Duration,
    watched: usize,
}

impl Ledger {
    /// Opens the ledger in the file at `path`, or begins one there. A new ledger has no account,
    /// and grants nothing until one is opened.
    ///
    /// # Errors
    ///
    /// As [`FileStore::open`](crate::store::FileStore::open) and [`Options::with_store`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Options::default().open(path)
    }

    /// Begins a ledger in this process's memory.
    #[must_use]
    pub fn in_memory() -> Self {
        Options::default().build(MemoryStore::new())
    }

    /// How to open one otherwise.
    pub fn options() -> Options {
        Options::default()
    }

    fn writer(&self) -> &Writer {
        &self.inner.writer
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.inner.timeout
    }

    pub(crate) fn submit(&self, request: Request) -> Result<Written> {
        self.writer().submit(request)
    }

    // Accounts

    /// Opens an account. Does nothing if it is open with these terms already.
    ///
    /// Accounts are opened from the wide to the narrow: one above existing accounts is refused,
    /// since it would not know what was charged below it.
    ///
    /// # Errors
    ///
    /// [`Error::AccountDiffers`] if it is open with other terms; [`Error::Terms`] if the terms
    /// contradict each other or there are accounts below it; or what the store reports.
    pub fn open_account(&self, account: Account) -> Result<AccountBudget> {
        let path = account.path().clone();
        self.submit(Request::new(Event::Opened(Box::new(account)), Durability::Power))?;
        self.at(path)
    }

    /// The account at `path`, to charge.
    ///
    /// # Errors
    ///
    /// [`Error::NoAccount`], or what the store reports.
    pub fn account(&self, path: impl AsRef<str>) -> Result<AccountBudget> {
        self.at(path.as_ref().parse()?)
    }

    fn at(&self, path: AccountPath) -> Result<AccountBudget> {
        let limit = self.standing(&path)?.limit;
        Ok(AccountBudget::new(self.clone(), path, limit))
    }

    /// Changes the limit of an account, in the measure it has. What is used stays used.
    ///
    /// # Errors
    ///
    /// [`Error::NoAccount`]; [`Error::Terms`] for another measure; or what the store reports.
    pub fn set_limit(&self, path: impl AsRef<str>, limit: impl Into<Allowance>) -> Result<()> {
        let event = Event::LimitSet { account: path.as_ref().parse()?, limit: limit.into() };
        self.submit(Request::new(event, Durability::Power)).map(drop)
    }

    /// Closes an account for good: it refuses every charge, and so does every account below it.
    ///
    /// # Errors
    ///
    /// [`Error::NoAccount`]; a refusal if it is closed already; or what the store reports.
    pub fn close_account(&self, path: impl AsRef<str>) -> Result<()> {
        let event = Event::Closed { account: path.as_ref().parse()? };
        self.submit(Request::new(event, Durability::Power)).map(drop)
    }

    /// Where every account stands, in the order of their paths.
    ///
    /// # Errors
    ///
    /// What the store reports.
    pub fn accounts(&self) -> Result<Vec<Standing>> {
        let standings = self.writer().look(|book| Ok(book.state.standings()))?;
        standings.iter().for_each(|standing| telemetry::account(standing, self.inner.watched));
        Ok(standings)
    }

    pub(crate) fn standing(&self, path: &AccountPath) -> Result<Standing> {
        self.writer().look(|book| book.state.standing(path))
    }

    // The log

    /// How many entries the log has.
    ///
    /// # Errors
    ///
    /// What the store reports.
    pub fn size(&self) -> Result<u64> {
        self.writer().look(|book| Ok(book.tree.size()))
    }

    /// The entries of `range`, each with its position.
    ///
    /// # Errors
    ///
    /// [`Error::NoEntry`] if there are not as many; [`Error::Corrupt`]; what the store reports.
    pub fn entries(&self, range: Range<u64>) -> Result<Vec<(u64, Entry)>> {
        self.known(range.end)?;
        let (mut index, mut entries) = (range.start, Vec::new());
        self.writer().store.read(range.start, range.end, &mut |bytes| {
            entries.push((index, Entry::decode(bytes, index)?));
            index += 1;
            Ok(())
        })?;
        Ok(entries)
    }

    fn known(&self, size: u64) -> Result<()> {
        let entries = self.size()?;
        if size > entries { Err(Error::NoEntry { index: size, entries }) } else { Ok(()) }
    }

    /// Records a step, durably.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`], or what the store reports; the step must then not hand out its result.
    pub fn record(&self, record: AuditRecord) -> Result<RecordId> {
        let event = Event::Recorded(Box::new(record));
        Ok(RecordId(self.submit(Request::new(event, Durability::Power))?.index))
    }

    /// Records several steps with one wait for the disk.
    ///
    /// # Errors
    ///
    /// As [`Ledger::record`]; the first error, where several could not be written.
    pub fn record_all(&self, records: Vec<AuditRecord>) -> Result<Vec<RecordId>> {
        let request = |record| Request::new(Event::Recorded(Box::new(record)), Durability::Power);
        let written = self.writer().submit_all(records.into_iter().map(request).collect());
        written.into_iter().map(|written| Ok(RecordId(written?.index))).collect()
    }

    /// Records a step with a payload beside it that can be erased later, such as the text of a
    /// query: the log holds only a salted commitment to it.
    ///
    /// # Errors
    ///
    /// As [`Ledger::record`].
    pub fn record_with(&self, record: AuditRecord, payload: &[u8]) -> Result<RecordId> {
        let mut request = Request::new(Event::Recorded(Box::new(record)), Durability::Power);
        request.payload = Some(secret(payload)?);
        Ok(RecordId(self.submit(request)?.index))
    }

    /// The payload beside an entry, checked against its commitment.
    ///
    /// # Errors
    ///
    /// [`Error::NoEntry`] if the entry has none; [`Error::Erased`]; [`Error::Corrupt`] if it is not
    /// what was committed to; what the store reports.
    pub fn payload(&self, record: RecordId) -> Result<Vec<u8>> {
        let index = record.0;
        let Some(commitment) = self.entry(index)?.payload else {
            return Err(Error::NoEntry { index, entries: self.size()? });
        };
        match self.writer().store.payload(index)? {
            Some(bytes) => opened(&bytes, &commitment, index),
            None => Err(Error::Erased { index }),
        }
    }

    fn entry(&self, index: u64) -> Result<Entry> {
        let mut entries = self.entries(index..index.saturating_add(1))?;
        entries.pop().map(|(_, entry)| entry).ok_or(Error::NoEntry { index, entries: 0 })
    }

    /// Destroys the payload beside an entry, for a request to erase it: salt and payload are
    /// overwritten, and the log says that they were. Proofs stay as they are.
    ///
    /// What a file system, a database or a backup keeps of earlier versions is out of its reach.
    ///
    /// # Errors
    ///
    /// [`Error::NoEntry`] if the entry has no payload; [`Error::Erased`] if it was erased before;
    /// what the store reports.
    pub fn erase(&self, record: RecordId, reason: &str) -> Result<()> {
        let index = record.0;
        if self.entry(index)?.payload.is_none() {
            return Err(Error::NoEntry { index, entries: self.size()? });
        }
        if self.writer().store.payload(index)?.is_none() {
            return Err(Error::Erased { index });
        }
        // Said first: a crash in between leaves an erasure to be finished, not one unaccounted for.
        let event = Event::Erased { entry: index, reason: reason.to_owned() };
        self.submit(Request::new(event, Durability::Power))?;
        self.writer().look_in_turn(|_, turn| turn.erase(index))
    }

    /// An authorizer that asks `authorizer` and records every decision here. If the record cannot
    /// be written, it denies.
    pub fn guard<A>(&self, authorizer: A) -> Guarded<A> {
        Guarded::new(self.clone(), authorizer)
    }

    fn root(&self) -> Result<AccountBudget> {
        self.at(AccountPath::root())
    }
}

/// A payload with a fresh salt.
pub(crate) fn secret(payload: &[u8]) -> Result<Secret> {
    let mut salt = [0u8; 32];
    getrandom::fill(&mut salt).map_err(|_| EntropyError::new())?;
    let limit = 1 << 20;
    if payload.len() > limit {
        return Err(Error::TooLarge { what: "payload", size: payload.len(), limit });
    }
    Ok(Secret { salt, body: payload.to_vec() })
}

fn opened(bytes: &[u8], commitment: &Commitment, entry: u64) -> Result<Vec<u8>> {
    let wrong = Error::Corrupt { entry, what: "its payload is not what was committed to" };
    let (salt, body) = bytes.split_first_chunk::<32>().ok_or(wrong.clone())?;
    let salt = Zeroizing::new(*salt);
    if Commitment::new(&salt, body) == *commitment { Ok(body.to_vec()) } else { Err(wrong) }
}

type CoreResult<T> = std::result::Result<T, privacy_core::Error>;

impl Budget for Ledger {
    fn reserve(
        &self,
        request: &RequestId,
        charge: &Charge,
        scope: Scope,
    ) -> CoreResult<Reservation> {
        AccountBudget::reserve_at(self, &AccountPath::root(), request, charge, scope)
            .map_err(Into::into)
    }

    fn commit(&self, reservation: Reservation) -> CoreResult<()> {
        Ok(AccountBudget::settle(self, &AccountPath::root(), &reservation, true)?)
    }

    fn roll_back(&self, reservation: Reservation) -> CoreResult<()> {
        Ok(AccountBudget::settle(self, &AccountPath::root(), &reservation, false)?)
    }

    fn limit(&self) -> Allowance {
        // A ledger without an account for the whole grants nothing in any measure.
        self.root()
            .map_or(Allowance::Pure { epsilon: privacy_core::params::Amount::ZERO }, |root| {
                root.limit()
            })
    }

    fn remaining(&self) -> CoreResult<Allowance> {
        Ok(self.standing(&AccountPath::root())?.remaining)
    }

    fn trail(&self) -> Option<Arc<dyn AuditSink>> {
        Some(Arc::new(self.clone()))
    }
}

impl AuditSink for Ledger {
    fn append(&self, record: AuditRecord) -> CoreResult<RecordId> {
        Ok(self.record(record)?)
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.accounts() {
            Ok(accounts) => accounts.iter().try_for_each(|account| writeln!(f, "{account}")),
            Err(error) => error.fmt(f),
        }
    }
}
