//! The books of one process: the state and the tree as of the last entry it has read, and the
//! queue in which threads wait for their entries to be written together.
//!
//! A thread that has something to write puts it into the queue. The first that finds nobody at
//! work becomes the writer: it takes the whole queue, waits for the store's turn, reads what other
//! processes appended, decides on each request in order, and appends what was granted with one
//! wait for the disk. So a hundred threads share one wait, and a decision is always made on the
//! newest state.

use std::borrow::Cow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::entry::{Commitment, Entry, Event};
use crate::error::{Error, Result};
use crate::log::{Tree, hash_entry};
use crate::state::{Applied, FORM, State, hash_books};
use crate::store::{Durability, Head, Leaf, Sealed, Store, Turn};
use crate::telemetry::{self, Doing};
use crate::time::{Clock, Timestamp};

/// Something to be written.
pub(crate) struct Request {
    pub(crate) event: Wanted,
    pub(crate) payload: Option<Secret>,
    pub(crate) durability: Durability,
}

/// An event, or one that is made when its time is known.
pub(crate) enum Wanted {
    Event(Event),
    /// A reservation that lapses so long after it is made.
    Reserve(Box<crate::entry::Reserved>, Duration),
}

/// A payload and its salt.
pub(crate) struct Secret {
    pub(crate) salt: [u8; 32],
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(event: Event, durability: Durability) -> Self {
        Request { event: Wanted::Event(event), payload: None, durability }
    }
}

/// What became of a request.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) applied: Applied,
    /// Its entry, if it has one.
    pub(crate) index: u64,
}

#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) store: Box<dyn Store>,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) by: Cow<'static, str>,
    /// By how much a clock may be behind the last entry.
    pub(crate) tolerance: Duration,
    /// After how many entries at least the books are carried forward.
    pub(crate) carry_every: u64,
    queue: Mutex<Queue>,
    free: Condvar,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Arc<Job>>,
    busy: bool,
    /// How many threads sleep until the writer is done.
    sleepers: usize,
}

struct Job {
    request: Mutex<Option<Request>>,
    result: Mutex<Option<Result<Written>>>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").finish_non_exhaustive()
    }
}

/// State and tree as of the last entry that was read.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) state: State,
    pub(crate) tree: Tree,
    /// Whether a failed write left it ahead of the store, so that it must be read anew.
    stale: bool,
    /// The last entry that carries the books forward, or 0.
    carried: u64,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Writer {
    pub(crate) fn new(
        store: Box<dyn Store>,
        clock: Box<dyn Clock>,
        by: Cow<'static, str>,
        tolerance: Duration,
        carry_every: u64,
    ) -> Self {
        Writer {
            store,
            clock,
            by,
            tolerance,
            carry_every,
            queue: Mutex::default(),
            free: Condvar::new(),
            book: Mutex::default(),
        }
    }

    /// Writes one request, together with those of other threads.
    pub(crate) fn submit(&self, request: Request) -> Result<Written> {
        let job = Arc::new(Job { request: Mutex::new(Some(request)), result: Mutex::new(None) });
        let mut queue = locked(&self.queue);
        queue.waiting.push(job.clone());
        loop {
            if let Some(result) = locked(&job.result).take() {
                return result;
            }
            if queue.busy {
                queue = self.sleep(queue);
                continue;
            }
            queue.busy = true;
            let jobs = std::mem::take(&mut queue.waiting);
            drop(queue);
            if !jobs.iter().any(|other| Arc::ptr_eq(other, &job)) {
                // Whoever took it did not come to its end.
                drop(Idle(self));
                return Err(Error::Poisoned);
            }
            // Whatever happens in there, the next writer must be let in.
            let idle = Idle(self);
            self.write(&jobs);
            drop(idle);
            queue = locked(&self.queue);
        }
    }

    /// Writes several requests at once, in order.
    pub(crate) fn submit_all(&self, requests: Vec<Request>) -> Vec<Result<Written>> {
        let jobs: Vec<_> = requests
            .into_iter()
            .map(|request| {
                let result = Mutex::new(None);
                Arc::new(Job { request: Mutex::new(Some(request)), result })
            })
            .collect();
        let mut queue = locked(&self.queue);
        while queue.busy {
            queue = self.sleep(queue);
        }
        queue.busy = true;
        drop(queue);
        let idle = Idle(self);
        self.write(&jobs);
        drop(idle);
        jobs.iter().map(|job| locked(&job.result).take().unwrap_or(Err(Error::Poisoned))).collect()
    }

    /// Sleeps until a writer is done.
    fn sleep<'a>(&self, mut queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        queue.sleepers += 1;
        let mut queue = self.free.wait(queue).unwrap_or_else(PoisonError::into_inner);
        queue.sleepers -= 1;
        queue
    }

    fn write(&self, jobs: &[Arc<Job>]) {
        let mut book = locked(&self.book);
        let outcome = self.write_in_turn(&mut book, jobs);
        for job in jobs {
            let mut result = locked(&job.result);
            match &outcome {
                // Decided in the batch: its own result is there already.
                Ok(()) => {
                    result.get_or_insert(Err(Error::Poisoned));
                }
                // A refusal stands whether or not the others could be written.
                Err(error) if !matches!(*result, Some(Err(_))) => {
                    *result = Some(Err(error.clone()))
                }
                Err(_) => {}
            }
        }
    }

    fn write_in_turn(&self, book: &mut Book, jobs: &[Arc<Job>]) -> Result<()> {
        let watch = telemetry::Batch::begin();
        let written = self.append_in_turn(book, jobs);
        book.stale = written.is_err();
        watch.end(written.as_ref().ok().copied(), book.tree.size(), book.state.open());
        written.map(drop)
    }

    /// Says how many entries were appended.
    fn append_in_turn(&self, book: &mut Book, jobs: &[Arc<Job>]) -> Result<usize> {
        let mut turn = self.store.turn()?;
        let mut batch = Batch { sealed: Vec::new(), durability: Durability::Process, books: None };
        self.decide(book, &mut *turn, jobs, &mut batch)?;
        if !batch.sealed.is_empty() {
            let _span = telemetry::span(Doing::Append);
            let head = || Head { size: book.tree.size(), root: book.tree.root() };
            turn.append(&batch.sealed, &head, batch.durability)?;
        }
        if let Some((entry, books)) = &batch.books {
            turn.carry(*entry, books);
        }
        Ok(batch.sealed.len())
    }

    fn decide(
        &self,
        book: &mut Book,
        turn: &mut dyn Turn,
        jobs: &[Arc<Job>],
        batch: &mut Batch,
    ) -> Result<()> {
        let recovered = book.catch_up(turn)?;
        let at = self.time(&book.state)?;
        // Ahead of the store until the batch is written.
        book.stale = true;
        if recovered > 0 {
            self.seal(book, batch, at, Event::Recovered { bytes: recovered }, None)?;
        }
        if self.store.carries() && book.is_long(self.carry_every) {
            let (index, books) = (book.tree.size(), book.state.carry()?);
            let event = Event::Carried { form: FORM, books: hash_books(&books) };
            self.seal(book, batch, at, event, None)?;
            book.carried = index;
            batch.books = Some((index, books));
        }
        if book.state.is_due(at) {
            self.seal(book, batch, at, Event::Passed, None)?;
        }
        for job in jobs {
            let Some(Request { event, payload, durability }) = locked(&job.request).take() else {
                continue;
            };
            let event = match event {
                Wanted::Event(event) => event,
                Wanted::Reserve(mut reserved, lapse) => {
                    reserved.lapses = at.plus(lapse);
                    Event::Reserved(reserved)
                }
            };
            let written = self.seal(book, batch, at, event, payload);
            if written.is_ok() {
                batch.durability = batch.durability.max(durability);
            }
            *locked(&job.result) = Some(written);
        }
        Ok(())
    }

    /// Applies an event and adds its entry to the batch.
    fn seal(
        &self,
        book: &mut Book,
        batch: &mut Batch,
        at: Timestamp,
        event: Event,
        payload: Option<Secret>,
    ) -> Result<Written> {
        let index = book.tree.size();
        let commitment = payload.as_ref().map(|secret| Commitment::new(&secret.salt, &secret.body));
        let entry = Entry { at, by: self.by.clone(), event, payload: commitment };
        // Encoded first: what is too large must not be applied.
        let bytes = entry.encode()?;
        let payload = payload.map(|secret| [secret.salt.as_slice(), &secret.body].concat());
        let applied = book.state.apply(index, at, &entry.event)?;
        if applied == Applied::Changed {
            let hash = hash_entry(&bytes);
            book.tree.push(hash);
            batch.sealed.push(Sealed { entry: bytes, hash, payload });
        }
        Ok(Written { applied, index })
    }

    /// The time of new entries: the clock's, or that of the last entry where the clock is a little
    /// behind it.
    fn time(&self, state: &State) -> Result<Timestamp> {
        let clock = self.clock.now()?;
        let behind = state.now().since(clock);
        if behind > self.tolerance {
            return Err(Error::ClockBehind { behind });
        }
        Ok(clock.max(state.now()))
    }

    /// Looks at the books as they are now, with what is due by now written.
    pub(crate) fn look<T>(&self, see: impl FnOnce(&Book) -> Result<T>) -> Result<T> {
        let mut book = locked(&self.book);
        self.write_in_turn(&mut book, &[])?;
        see(&book)
    }

    /// As [`Writer::look`], and nobody else writes meanwhile.
    pub(crate) fn look_in_turn<T>(
        &self,
        see: impl FnOnce(&Book, &mut dyn Turn) -> Result<T>,
    ) -> Result<T> {
        let mut book = locked(&self.book);
        self.write_in_turn(&mut book, &[])?;
        let mut turn = self.store.turn()?;
        // Others may have written in between.
        if let Err(error) = book.catch_up(&mut *turn) {
            book.stale = true;
            return Err(error);
        }
        see(&book, &mut *turn)
    }

    /// Opens the books: reads everything.
    pub(crate) fn open(&self) -> Result<()> {
        let mut book = locked(&self.book);
        self.write_in_turn(&mut book, &[])
    }
}

struct Batch {
    sealed: Vec<Sealed>,
    durability: Durability,
    /// The books as they are before an entry of the batch, to be carried forward.
    books: Option<(u64, Vec<u8>)>,
}

struct Idle<'a>(&'a Writer);

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        let mut queue = locked(&self.0.queue);
        queue.busy = false;
        // Waking nobody would still be a call of the system.
        if queue.sleepers > 0 {
            self.0.free.notify_all();
        }
    }
}

impl Book {
    /// Whether so much was applied since the books were carried forward that it is time again. In a
    /// long log that is a sixteenth of it, so that carrying takes a bounded share of the time.
    fn is_long(&self, carry_every: u64) -> bool {
        let size = self.tree.size();
        size.saturating_sub(self.carried) >= carry_every.max(size / 16)
    }

    /// Reads what was appended since; returns how many bytes of unfinished appends were cut off.
    fn catch_up(&mut self, turn: &mut dyn Turn) -> Result<u64> {
        if self.stale {
            *self = Book::default();
        }
        // Until everything is read and fits, the books are not to be trusted.
        self.stale = true;
        let mut recovered = 0;
        if self.tree.size() == 0
            && let Some((entry, books)) = turn.carried()
        {
            let mut carried = Carried { entry, books, found: false };
            let read = self.read(turn, Some(&mut carried));
            if carried.found {
                recovered = read?;
            } else {
                // They are of another log, or of one that had grown longer: everything is applied.
                recovered = read.unwrap_or(0);
                *self = Book { stale: true, ..Book::default() };
                recovered += self.read(turn, None)?;
            }
        } else {
            recovered += self.read(turn, None)?;
        }
        // An erasure that a crash left half done is finished.
        for index in self.state.erased() {
            turn.erase(*index)?;
        }
        self.stale = false;
        Ok(recovered)
    }

    fn read(&mut self, turn: &mut dyn Turn, mut carried: Option<&mut Carried>) -> Result<u64> {
        let head = turn.head()?;
        let recovered = turn.catch_up(self.tree.size(), &mut |leaf| {
            let index = self.tree.size();
            match &mut carried {
                // What these entries did is in the books that are carried.
                Some(carried) if index < carried.entry => {}
                Some(carried) if index == carried.entry => self.take_over(carried, leaf)?,
                _ => self.apply(leaf)?,
            }
            self.tree.push(leaf.hash());
            if self.tree.size() == head.size && self.tree.root() != head.root {
                let what = "the entries up to it are not those that were committed";
                return Err(Error::Corrupt { entry: index, what });
            }
            Ok(())
        })?;
        let size = self.tree.size();
        if size < head.size {
            return Err(Error::Corrupt { entry: size, what: "it was committed and is missing" });
        }
        Ok(recovered)
    }

    fn apply(&mut self, leaf: &Leaf<'_>) -> Result<()> {
        let index = self.tree.size();
        let entry = Entry::parse(leaf.entry(), index)?;
        self.state.check_carried(index, &entry.event)?;
        if matches!(entry.event, Event::Carried { .. }) {
            self.carried = index;
        }
        match self.state.apply(index, entry.at, &entry.event) {
            Ok(Applied::Changed) => Ok(()),
            Err(error @ Error::Corrupt { .. }) => Err(error),
            _ => {
                let what = "it does not follow from what was before it";
                Err(Error::Corrupt { entry: index, what })
            }
        }
    }

    /// Begins with the books that are carried, if they are those whose hash this entry holds.
    fn take_over(&mut self, carried: &mut Carried, leaf: &Leaf<'_>) -> Result<()> {
        let index = self.tree.size();
        let other = Error::Corrupt { entry: index, what: "it carries other books forward" };
        let entry = Entry::parse(leaf.entry(), index)?;
        match entry.event {
            Event::Carried { form: FORM, books } if books == hash_books(&carried.books) => {}
            _ => return Err(other),
        }
        self.state = State::carried(&carried.books).ok_or(other)?;
        self.state.go_on(entry.at);
        self.carried = index;
        carried.found = true;
        Ok(())
    }
}

/// The books before the entry that holds their hash.
struct Carried {
    entry: u64,
    books: Vec<u8>,
    /// Whether the entry is there.
    found: bool,
}
