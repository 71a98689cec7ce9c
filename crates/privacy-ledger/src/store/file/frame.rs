//! The frames of a file: kind, length, check, body.

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::log::{Hash, hash_entry};

/// The bytes of a frame before its body.
pub(super) const OVERHEAD: u64 = 13;

/// Bodies beyond this are refused before anything is allocated for them.
pub(super) const MAX_BODY: usize = 1 << 24;

/// What a frame holds. Any two codes differ in four bits, so that no single flip turns one into
/// another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Entry = 0x0f,
    Payload = 0x33,
    Erased = 0x55,
}

#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) kind: Kind,
    pub(super) check: [u8; 8],
    pub(super) body: &'a [u8],
}

/// What the bytes at a place are.
pub(super) enum Read<'a> {
    /// A frame of that many bytes; its check is not compared yet.
    Frame(Frame<'a>, usize),
    /// The beginning of a frame, or nothing.
    More,
    /// No frame.
    Bad,
}

impl<'a> Frame<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Read<'a> {
        let Some((head, rest)) = bytes.split_first_chunk::<{ OVERHEAD as usize }>() else {
            return Read::More;
        };
        let [kind, a, b, c, d, check @ ..] = *head;
        let kind = match kind {
            0x0f => Kind::Entry,
            0x33 => Kind::Payload,
            0x55 => Kind::Erased,
            _ => return Read::Bad,
        };
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        if length > MAX_BODY {
            return Read::Bad;
        }
        match rest.get(..length) {
            Some(body) => Read::Frame(Frame { kind, check, body }, OVERHEAD as usize + length),
            None => Read::More,
        }
    }

    /// Whether the body is what was written.
    pub(super) fn is_whole(&self) -> bool {
        let zeroed = self.kind != Kind::Erased || self.body.iter().all(|byte| *byte == 0);
        zeroed && self.check == check(self.kind, self.body)
    }
}

/// The check of an entry begins its hash as a leaf, so both are computed at once.
fn check(kind: Kind, body: &[u8]) -> [u8; 8] {
    let hash: [u8; 32] = match kind {
        Kind::Entry => *hash_entry(body).as_bytes(),
        kind => Sha256::new().chain_update([kind as u8]).chain_update(body).finalize().into(),
    };
    short(&hash)
}

fn short(hash: &[u8; 32]) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&hash[..8]);
    short
}

/// Writes the frame of an entry whose hash is known.
pub(super) fn write_entry(out: &mut Vec<u8>, body: &[u8], hash: &Hash) -> Result<()> {
    write_checked(out, Kind::Entry, body, &short(hash.as_bytes()))
}

pub(super) fn write(out: &mut Vec<u8>, kind: Kind, body: &[u8]) -> Result<()> {
    write_checked(out, kind, body, &check(kind, body))
}

fn write_checked(out: &mut Vec<u8>, kind: Kind, body: &[u8], check: &[u8; 8]) -> Result<()> {
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= MAX_BODY);
    let length =
        length.ok_or(Error::TooLarge { what: "payload", size: body.len(), limit: MAX_BODY })?;
    out.push(kind as u8);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(check);
    out.extend_from_slice(body);
    Ok(())
}
