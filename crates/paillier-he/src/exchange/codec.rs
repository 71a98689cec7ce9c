//! Reading and writing canonical bytes.
//!
//! All integers are big-endian. A *number* is its length in bytes (2) and its bytes without leading
//! zeros. Each kind of value starts with four bytes that name it and its version.

use num_bigint::BigUint;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::kernel::Nat;
use crate::key::Mode;
use crate::number::Scale;

/// What is left to read.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Starts to read a `what` that begins with `tag`.
    pub(super) fn new(bytes: &'a [u8], tag: &[u8; 4], what: &'static str) -> Result<Self> {
        let mut reader = Reader { rest: bytes, what };
        reader.expect(tag)?;
        Ok(reader)
    }

    pub(super) fn malformed(&self) -> Error {
        Error::Malformed { what: self.what }
    }

    /// Bytes that have not been read.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(self.malformed())?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| self.malformed())
    }

    pub(super) fn expect(&mut self, bytes: &[u8]) -> Result<()> {
        if self.take(bytes.len())? == bytes { Ok(()) } else { Err(self.malformed()) }
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn u128(&mut self) -> Result<u128> {
        self.array().map(u128::from_be_bytes)
    }

    fn number_bytes(&mut self) -> Result<&'a [u8]> {
        let length = u16::from_be_bytes(self.array()?);
        let bytes = self.take(length.into())?;
        if bytes.first() == Some(&0) { Err(self.malformed()) } else { Ok(bytes) }
    }

    pub(super) fn number(&mut self) -> Result<BigUint> {
        self.number_bytes().map(BigUint::from_bytes_be)
    }

    pub(super) fn secret_number(&mut self) -> Result<Nat> {
        self.number_bytes().map(Nat::from_be_bytes)
    }

    /// A number of exactly `width` bytes, with leading zeros.
    pub(super) fn fixed(&mut self, width: usize) -> Result<BigUint> {
        self.take(width).map(BigUint::from_bytes_be)
    }

    pub(super) fn mode(&mut self) -> Result<Mode> {
        let code = self.u8()?;
        Mode::from_code(code).ok_or(self.malformed())
    }

    pub(super) fn scale(&mut self) -> Result<Scale> {
        let (base, digits) = (self.u32()?, i32::from_be_bytes(self.array()?));
        if (base, digits) == (1, 0) {
            return Ok(Scale::INTEGER);
        }
        Scale::new(base, digits).ok().filter(|s| s.digits() != 0).ok_or(self.malformed())
    }

    pub(super) fn end(&self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.malformed()) }
    }
}

/// Writes a number of at most 65,535 bytes: all numbers here are bounded by keys.
pub(super) fn put_number(out: &mut Vec<u8>, number: &BigUint) {
    let bytes = if *number == BigUint::ZERO { Vec::new() } else { number.to_bytes_be() };
    out.extend((bytes.len() as u16).to_be_bytes());
    out.extend_from_slice(&bytes);
}

/// As [`put_number`]; the caller's buffer is wiped and has room.
pub(super) fn put_secret(out: &mut Zeroizing<Vec<u8>>, number: &Nat) {
    let bytes = number.to_be_bytes_vartime();
    out.extend((bytes.len() as u16).to_be_bytes());
    out.extend_from_slice(&bytes);
}

/// Writes a number that fits into `width` bytes.
pub(super) fn put_fixed(out: &mut Vec<u8>, number: &BigUint, width: usize) {
    let bytes = number.to_bytes_be();
    out.resize(out.len() + width.saturating_sub(bytes.len()), 0);
    // Zero has one byte, of which nothing is left in a width of 0.
    out.extend_from_slice(&bytes[bytes.len() - bytes.len().min(width)..]);
}

pub(super) fn put_scale(out: &mut Vec<u8>, scale: Scale) {
    out.extend(scale.base().to_be_bytes());
    out.extend(scale.digits().to_be_bytes());
}
