//! A store in a single file, shared by any number of threads and processes of one machine.
//!
//! # Layout
//!
//! A page of 4096 bytes, then frames to the end. The page holds magic, version and id of the log,
//! and two commit slots that are written in turn: how many bytes, how many entries and which root
//! were durable. A frame is a kind, a length, the first 8 bytes of a SHA-256 of its body, and the
//! body: an entry, or the payload of the entry in the frame after it. There are no unused bytes, so
//! no bit of the file can change without a check that fails.
//!
//! # Crashes
//!
//! An append writes frames at the end, waits for the disk where it must be durable, and only then
//! writes a commit slot. What lies before the end that a valid slot names was durable: if it is
//! missing or differs, that is damage, and an error. What lies behind it may be the rest of an
//! append that a crash cut short: complete frames count, since at worst something was charged that
//! nobody drew; the rest is cut off and said so in the log. The slot itself need not wait for the
//! disk: an older one only means that less is known to have been durable.
//!
//! # The books beside it
//!
//! A file with `.carried` after its name holds the books of an earlier entry, so that a long log is
//! opened by checking every entry's hash and applying only the last. It is a copy of what follows from
//! the log, under a hash that the log holds, and may be deleted at any time.
//!
//! # Several processes
//!
//! A turn holds the file's advisory lock (`flock`, or `LockFileEx` on Windows), which the operating
//! system gives back when a process dies. It begins with reading what others appended. The lock
//! must be reliable: local file systems, not network mounts that ignore locks; several machines
//! share a database instead.

mod carried;
mod disk;
mod frame;
mod header;

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::disk::Disk;
use self::frame::{Frame, Kind};
use self::header::{Header, PAGE, Slot};
use super::{Durability, Facts, Head, Leaf, Sealed, Store, Turn};
use crate::error::{Error, Result};
use crate::log::hash_entry;

/// How many entries lie between two whose places are remembered.
const STRIDE: u64 = 256;

/// How much of the file is read at a time.
const CHUNK: usize = 1 << 18;

/// A log in a single file.
#[derive(Debug)]
pub struct FileStore {
    path: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    disk: Disk,
    id: [u8; 16],
    /// Where the frames that were read end, and how many entries they hold.
    end: u64,
    count: u64,
    /// The places of the entries 0, 256, 512, …
    places: Vec<u64>,
    payloads: HashMap<u64, Place>,
    slot: Slot,
    poisoned: bool,
}

/// Where the frame of a payload stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    at: u64,
    body: u32,
}

impl FileStore {
    /// Opens the log at `path`, or begins one there if there is no file.
    ///
    /// # Errors
    ///
    /// [`Error::NotALedger`], [`Error::NewerVersion`], [`Error::Truncated`], [`Error::Corrupt`] or
    /// [`Error::Io`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if !path.try_exists().map_err(Error::io("look for its file"))? {
            header::create(path)?;
        }
        let path = path.canonicalize().map_err(Error::io("open its file"))?;
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).write(true).open(&path).map_err(Error::io("open its file"))?;
        let Header { id, slot, .. } = header::read(&mut file)?;
        let inner = Inner {
            disk: Disk::new(file),
            id,
            end: PAGE,
            count: 0,
            places: Vec::new(),
            payloads: HashMap::new(),
            slot,
            poisoned: false,
        };
        Ok(FileStore { path, inner: Mutex::new(inner) })
    }

    fn inner(&self) -> Result<MutexGuard<'_, Inner>> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.poisoned { Err(Error::Poisoned) } else { Ok(inner) }
    }

    /// Whether the open file is still the one at the path: two files would be two budgets.
    fn check_in_place(&self, file: &File) -> Result<()> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let there = std::fs::metadata(&self.path).map_err(|_| Error::Replaced)?;
            let here = file.metadata().map_err(Error::io("look at its file"))?;
            if (there.dev(), there.ino()) != (here.dev(), here.ino()) {
                return Err(Error::Replaced);
            }
        }
        #[cfg(not(unix))]
        {
            let _ = file;
            if !self.path.exists() {
                return Err(Error::Replaced);
            }
        }
        Ok(())
    }
}

impl Inner {
    fn length(&self) -> Result<u64> {
        Ok(self.disk.file.metadata().map_err(Error::io("look at its file"))?.len())
    }

    fn seek(&mut self, at: u64) -> Result<()> {
        self.disk
            .file
            .seek(SeekFrom::Start(at))
            .map(drop)
            .map_err(Error::io("find a place in its file"))
    }

    fn forget(&mut self) {
        (self.end, self.count) = (PAGE, 0);
        self.places.clear();
        self.payloads.clear();
    }

    /// Reads frames from `at` to `to` until `each` says that it has enough.
    ///
    /// Returns where it stopped: the end of the last whole frame, or where the first bad one begins.
    fn frames(
        &mut self,
        at: u64,
        to: u64,
        each: &mut dyn FnMut(u64, &Frame<'_>) -> Result<Next>,
    ) -> Result<Stopped> {
        self.seek(at)?;
        let mut buffer: Vec<u8> = Vec::new();
        let (mut begin, mut place) = (0, at);
        let mut left = to.saturating_sub(at);
        loop {
            match Frame::read(buffer.get(begin..).unwrap_or_default()) {
                frame::Read::Frame(frame, size) => {
                    match each(place, &frame)? {
                        Next::Go => {}
                        Next::Enough => return Ok(Stopped { at: place, whole: true }),
                        Next::Bad => return Ok(Stopped { at: place, whole: false }),
                    }
                    begin += size;
                    place += size as u64;
                }
                frame::Read::Bad => return Ok(Stopped { at: place, whole: false }),
                frame::Read::More if left == 0 => {
                    return Ok(Stopped { at: place, whole: begin == buffer.len() });
                }
                frame::Read::More => {
                    buffer.drain(..begin);
                    begin = 0;
                    let wanted = left.min(CHUNK as u64);
                    let read = (&mut self.disk.file)
                        .take(wanted)
                        .read_to_end(&mut buffer)
                        .map_err(Error::io("read its file"))?;
                    left = if read as u64 == wanted { left - wanted } else { 0 };
                }
            }
        }
    }

    fn catch_up(
        &mut self,
        from: u64,
        each: &mut dyn FnMut(&Leaf<'_>) -> Result<()>,
    ) -> Result<u64> {
        if from != self.count {
            self.forget();
        }
        let floor = self.slot.length;
        let length = self.length()?;
        let least = floor.max(self.end);
        if length < least {
            return Err(Error::Truncated { expected: least, found: length });
        }
        if length == self.end {
            return Ok(0);
        }
        let (mut count, mut places, mut payloads) = (self.count, Vec::new(), Vec::new());
        let mut payload: Option<Place> = None;
        let stopped = self.frames(self.end, length, &mut |at, frame| {
            match frame.kind {
                Kind::Entry => {
                    let leaf = Leaf::of(frame.body);
                    if leaf.hash().as_bytes()[..8] != frame.check {
                        return Ok(Next::Bad);
                    }
                    if count.is_multiple_of(STRIDE) {
                        places.push(payload.map_or(at, |place| place.at));
                    }
                    if let Some(place) = payload.take() {
                        payloads.push((count, place));
                    }
                    if count >= from {
                        each(&leaf)?;
                    }
                    count += 1;
                }
                Kind::Payload | Kind::Erased if payload.is_some() => return Ok(Next::Bad),
                // A payload that was durable may have been erased by half in a crash; whether it
                // is what it should be is found out when it is read or verified.
                Kind::Payload if at >= floor && !frame.is_whole() => return Ok(Next::Bad),
                Kind::Payload | Kind::Erased => {
                    payload = Some(Place { at, body: frame.body.len() as u32 });
                }
            }
            Ok(Next::Go)
        })?;
        // A payload without its entry is the rest of an append, like a frame cut short.
        let end = payload.map_or(stopped.at, |place| place.at);
        if end < floor {
            return Err(Error::Corrupt { entry: count, what: "it is not what was written" });
        }
        (self.end, self.count) = (end, count);
        self.places.extend(places);
        self.payloads.extend(payloads);
        if end < length {
            self.disk.cut(end).map_err(Error::io("cut off an unfinished append"))?;
        }
        Ok(length - end)
    }

    fn append(
        &mut self,
        batch: &[Sealed],
        head: &dyn Fn() -> Head,
        durability: Durability,
    ) -> Result<()> {
        let begin = self.end;
        let (mut bytes, mut count) = (Vec::new(), self.count);
        let (mut places, mut payloads) = (Vec::new(), Vec::new());
        for sealed in batch {
            let at = begin + bytes.len() as u64;
            if count.is_multiple_of(STRIDE) {
                places.push(at);
            }
            if let Some(payload) = &sealed.payload {
                frame::write(&mut bytes, Kind::Payload, payload)?;
                payloads.push((count, Place { at, body: payload.len() as u32 }));
            }
            frame::write_entry(&mut bytes, &sealed.entry, &sealed.hash)?;
            count += 1;
        }
        if let Err(error) = self.disk.write_at(begin, &bytes) {
            // What was written of it is cut off again, so that the next append finds the end where
            // it was.
            self.poisoned = self.disk.cut(begin).is_err();
            return Err(Error::io("write to its file")(error));
        }
        if durability == Durability::Power {
            if let Err(error) = self.disk.wait() {
                // What is on the disk is unknown now, and asking again does not tell: the system
                // may forget an error once it has reported it.
                let _ = self.disk.cut(begin);
                self.poisoned = true;
                return Err(Error::io("wait for the disk")(error));
            }
            let head = head();
            let slot = Slot {
                sequence: self.slot.sequence + 1,
                length: begin + bytes.len() as u64,
                size: head.size,
                root: head.root,
            };
            if let Err(error) = slot.write(&mut self.disk) {
                self.poisoned = true;
                return Err(error);
            }
            self.slot = slot;
        }
        self.end = begin + bytes.len() as u64;
        self.count = count;
        self.places.extend(places);
        self.payloads.extend(payloads);
        Ok(())
    }

    fn read(
        &mut self,
        from: u64,
        to: u64,
        each: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        if to > self.count {
            return Err(Error::NoEntry { index: to, entries: self.count });
        }
        if from >= to {
            return Ok(());
        }
        let place = usize::try_from(from / STRIDE).ok().and_then(|i| self.places.get(i)).copied();
        let place = place.ok_or(Error::NoEntry { index: from, entries: self.count })?;
        let mut index = from - from % STRIDE;
        self.frames(place, self.end, &mut |_, frame| {
            if frame.kind != Kind::Entry {
                return Ok(Next::Go);
            }
            if index == to {
                return Ok(Next::Enough);
            }
            if hash_entry(frame.body).as_bytes()[..8] != frame.check {
                return Ok(Next::Bad);
            }
            if index >= from {
                each(frame.body)?;
            }
            index += 1;
            Ok(Next::Go)
        })?;
        if index < to {
            return Err(Error::Corrupt { entry: index, what: "it is not what was written" });
        }
        Ok(())
    }

    fn payload(&mut self, index: u64) -> Result<Option<Vec<u8>>> {
        let Some(Place { at, body }) = self.payloads.get(&index).copied() else { return Ok(None) };
        let mut found = None;
        let to = at + frame::OVERHEAD + u64::from(body);
        self.frames(at, to, &mut |_, frame| {
            found = Some((frame.kind, frame.is_whole(), frame.body.to_vec()));
            Ok(Next::Go)
        })?;
        match found {
            Some((Kind::Payload, true, body)) => Ok(Some(body)),
            Some((Kind::Erased, true, _)) => Ok(None),
            _ => Err(Error::Corrupt { entry: index, what: "its payload is not what was written" }),
        }
    }

    fn erase(&mut self, index: u64) -> Result<()> {
        let Some(Place { at, body }) = self.payloads.get(&index).copied() else { return Ok(()) };
        if matches!(self.payload(index), Ok(None)) {
            return Ok(());
        }
        let mut bytes = Vec::new();
        frame::write(&mut bytes, Kind::Erased, &vec![0; body as usize])?;
        let erased = self.disk.write_at(at, &bytes).and_then(|()| self.disk.wait());
        erased.map_err(Error::io("erase a payload"))
    }

    fn check(&mut self, facts: &Facts<'_>) -> Result<()> {
        let header = header::read(&mut self.disk.file)?;
        header.check(facts)?;
        let (mut index, mut payload, mut fault) = (0, None, None);
        let mut at_fault = |entry, what| {
            fault.get_or_insert(Error::Corrupt { entry, what });
            Ok(Next::Bad)
        };
        let stopped = self.frames(PAGE, self.end, &mut |_, frame| {
            match frame.kind {
                Kind::Entry => {
                    if hash_entry(frame.body).as_bytes()[..8] != frame.check {
                        return at_fault(index, "it is not what was written");
                    }
                    if let Some(kind) = payload.take()
                        && facts.erased(index) != (kind == Kind::Erased)
                    {
                        return at_fault(index, "its payload is there or gone against the log");
                    }
                    index += 1;
                }
                kind => {
                    if !frame.is_whole() || payload.is_some() {
                        return at_fault(index, "its payload is not what was written");
                    }
                    payload = Some(kind);
                }
            }
            Ok(Next::Go)
        })?;
        match fault {
            Some(fault) => Err(fault),
            None if !stopped.whole || payload.is_some() || index != self.count => {
                Err(Error::Corrupt { entry: index, what: "it is not what was written" })
            }
            None => Ok(()),
        }
    }
}

enum Next {
    Go,
    Enough,
    Bad,
}

struct Stopped {
    at: u64,
    whole: bool,
}

impl Store for FileStore {
    fn turn(&self) -> Result<Box<dyn Turn + '_>> {
        let inner = self.inner()?;
        inner.disk.file.lock().map_err(Error::io("lock its file"))?;
        let mut turn = FileTurn { inner, path: &self.path };
        self.check_in_place(&turn.inner.disk.file)?;
        let header = header::read(&mut turn.inner.disk.file)?;
        if header.id != turn.inner.id {
            return Err(Error::Replaced);
        }
        turn.inner.slot = header.slot;
        Ok(Box::new(turn))
    }

    fn carries(&self) -> bool {
        true
    }

    fn read(&self, from: u64, to: u64, each: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.inner()?.read(from, to, each)
    }

    fn payload(&self, index: u64) -> Result<Option<Vec<u8>>> {
        self.inner()?.payload(index)
    }
}

struct FileTurn<'a> {
    inner: MutexGuard<'a, Inner>,
    path: &'a Path,
}

impl Drop for FileTurn<'_> {
    fn drop(&mut self) {
        // If it fails the lock stays until the file is closed, which blocks and leaks nothing.
        let _ = self.inner.disk.file.unlock();
    }
}

impl Turn for FileTurn<'_> {
    fn head(&mut self) -> Result<Head> {
        Ok(Head { size: self.inner.slot.size, root: self.inner.slot.root })
    }

    fn catch_up(
        &mut self,
        from: u64,
        each: &mut dyn FnMut(&Leaf<'_>) -> Result<()>,
    ) -> Result<u64> {
        self.inner.catch_up(from, each)
    }

    fn carry(&mut self, entry: u64, books: &[u8]) {
        carried::write(self.path, &self.inner.id, entry, books);
    }

    fn carried(&mut self) -> Option<(u64, Vec<u8>)> {
        carried::read(self.path, &self.inner.id)
    }

    fn append(
        &mut self,
        batch: &[Sealed],
        head: &dyn Fn() -> Head,
        durability: Durability,
    ) -> Result<()> {
        self.inner.append(batch, head, durability)
    }

    fn erase(&mut self, index: u64) -> Result<()> {
        self.inner.erase(index)
    }

    fn check(&mut self, facts: &Facts<'_>) -> Result<()> {
        self.inner.check(facts)
    }
}
