//! The first page of a file: what it is, and what was durable.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use privacy_core::random::EntropyError;
use sha2::{Digest, Sha256};

use super::disk::Disk;
use crate::error::{Error, Result};
use crate::log::Hash;
use crate::store::Facts;

pub(super) const PAGE: u64 = 4096;
const MAGIC: &[u8; 8] = b"PRVLEDGR";
const VERSION: u32 = 1;
/// Each in a sector of its own, so that writing one cannot tear the other.
const SLOTS: [usize; 2] = [512, 1024];
const SLOT: usize = 64;
const PREFIX: usize = 36;

#[derive(Debug)]
pub(super) struct Header {
    pub(super) id: [u8; 16],
    /// The newest valid slot.
    pub(super) slot: Slot,
    page: Vec<u8>,
}

/// What was durable at a commit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) sequence: u64,
    pub(super) length: u64,
    pub(super) size: u64,
    pub(super) root: Hash,
}

fn check(bytes: &[u8]) -> [u8; 8] {
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    let mut short = [0; 8];
    short.copy_from_slice(&hash[..8]);
    short
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

impl Slot {
    fn encode(&self) -> [u8; SLOT] {
        let mut bytes = [0; SLOT];
        bytes[..8].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.length.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.size.to_le_bytes());
        bytes[24..56].copy_from_slice(self.root.as_bytes());
        let sum = check(&bytes[..56]);
        bytes[56..].copy_from_slice(&sum);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; SLOT] = bytes.try_into().ok()?;
        let slot = Slot {
            sequence: number(bytes, 0)?,
            length: number(bytes, 8)?,
            size: number(bytes, 16)?,
            root: Hash::from_bytes(bytes[24..56].try_into().ok()?),
        };
        (slot.sequence > 0 && slot.encode() == *bytes).then_some(slot)
    }

    fn place(&self) -> usize {
        SLOTS[(self.sequence % 2) as usize]
    }

    pub(super) fn write(&self, disk: &mut Disk) -> Result<()> {
        let written = disk.write_at(self.place() as u64, &self.encode());
        written.map_err(Error::io("write a commit slot"))
    }
}

/// Begins a log at `path`, unless somebody else does at the same time.
pub(super) fn create(path: &Path) -> Result<()> {
    let mut random = [0u8; 24];
    getrandom::fill(&mut random).map_err(|_| EntropyError::new())?;
    let (id, rest) = random.split_at(16);
    let mut page = vec![0u8; PAGE as usize];
    page[..8].copy_from_slice(MAGIC);
    page[8..12].copy_from_slice(&VERSION.to_le_bytes());
    page[12..28].copy_from_slice(id);
    let sum = check(&page[..28]);
    page[28..36].copy_from_slice(&sum);
    let slot = Slot { sequence: 1, length: PAGE, size: 0, root: Hash::empty() };
    page[slot.place()..][..SLOT].copy_from_slice(&slot.encode());

    // Written beside the path and linked to it when it is whole, so that nobody ever sees half of
    // it and nobody's file is overwritten.
    let suffix: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut name = path.file_name().ok_or(Error::NotALedger)?.to_owned();
    name.push(format!(".new-{suffix}"));
    let beside = path.with_file_name(name);
    let failed = Error::io("begin its file");
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&beside)
        .and_then(|mut file| file.write_all(&page).and_then(|()| file.sync_all()))
        .and_then(|()| match fs::hard_link(&beside, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        });
    let removed = fs::remove_file(&beside);
    written.and(removed).map_err(failed)?;
    sync_folder(path)
}

/// Makes the name of a new file outlive a loss of power.
fn sync_folder(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))
            .and_then(|folder| folder.sync_all())
            .map_err(Error::io("begin its file"))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

pub(super) fn read(file: &mut File) -> Result<Header> {
    let mut page = Vec::with_capacity(PAGE as usize);
    file.seek(SeekFrom::Start(0))
        .and_then(|_| file.take(PAGE).read_to_end(&mut page))
        .map_err(Error::io("read its file"))?;
    if page.get(..8) != Some(MAGIC.as_slice()) {
        return Err(Error::NotALedger);
    }
    if (page.len() as u64) < PAGE {
        return Err(Error::Truncated { expected: PAGE, found: page.len() as u64 });
    }
    if check(&page[..28]) != page[28..PREFIX] {
        return Err(Error::Corrupt { entry: 0, what: "the first page is not what was written" });
    }
    let version = u32::from_le_bytes([page[8], page[9], page[10], page[11]]);
    if version != VERSION {
        return Err(Error::NewerVersion { found: version, supported: VERSION });
    }
    let mut id = [0; 16];
    id.copy_from_slice(&page[12..28]);
    let slots = SLOTS.iter().filter_map(|at| Slot::decode(&page[*at..at + SLOT]));
    let slot = slots
        .max_by_key(|slot| slot.sequence)
        .ok_or(Error::Corrupt { entry: 0, what: "neither commit slot is what was written" })?;
    Ok(Header { id, slot, page })
}

impl Header {
    /// Checks every byte of the page.
    pub(super) fn check(&self, facts: &Facts<'_>) -> Result<()> {
        let wrong = |what| Err(Error::Corrupt { entry: 0, what });
        for at in SLOTS {
            let bytes = &self.page[at..at + SLOT];
            let unused = self.slot.sequence == 1 && bytes.iter().all(|byte| *byte == 0);
            match Slot::decode(bytes) {
                None if unused => {}
                None => return wrong("a commit slot is not what was written"),
                Some(slot) if slot.place() != at || self.slot.sequence - slot.sequence > 1 => {
                    return wrong("a commit slot stands where it should not");
                }
                Some(slot) if facts.root_at(slot.size)? != slot.root => {
                    return wrong("a commit slot speaks of another log");
                }
                Some(_) => {}
            }
        }
        let padding = [PREFIX..SLOTS[0], SLOTS[0] + SLOT..SLOTS[1], SLOTS[1] + SLOT..PAGE as usize];
        if padding.into_iter().any(|range| self.page[range].iter().any(|byte| *byte != 0)) {
            return wrong("the first page is not what was written");
        }
        Ok(())
    }
}
