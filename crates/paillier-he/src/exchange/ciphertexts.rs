//! Ciphertexts as canonical bytes.
//!
//! All begin with four bytes for their kind and the fingerprint of their public key (8).
//!
//! - Columns: `PHC1`; scale: base (4), digits (4); bound; number of ciphertexts (4); each in the fixed
//!   width of the key.
//! - Packed columns: `PHP1`; value bits (1), guard bits (1), slots (4), numbers (8), weight (16);
//!   each ciphertext in the fixed width of the key.
//! - Damgård-Jurik: `PHD1`; s (1); bound; the number in the fixed width of nˢ⁺¹.

use num_bigint::BigUint;

use super::codec::{Reader, put_fixed, put_number, put_scale};
use crate::ciphertext::{Ciphertext, CiphertextVec};
use crate::damgard_jurik::{DamgardJurik, Large};
use crate::error::{Error, Result};
use crate::hazmat;
use crate::kernel::Nat;
use crate::key::PublicKey;
use crate::number::Scale;
use crate::packing::{Packed, PackedLayout};

const COLUMN: &[u8; 4] = b"PHC1";
const PACKED: &[u8; 4] = b"PHP1";
const LARGE: &[u8; 4] = b"PHD1";

fn put_ciphertexts(out: &mut Vec<u8>, column: &CiphertextVec) {
    let width = column.key.ciphertext_bytes();
    out.reserve(width * column.len());
    for number in column.raw() {
        put_fixed(out, &number.to_big(), width);
    }
}

/// The ciphertexts that fill the rest, of which there must be `count`.
fn ciphertexts(
    reader: &mut Reader<'_>,
    key: &PublicKey,
    count: usize,
    scale: Scale,
    bound: BigUint,
) -> Result<CiphertextVec> {
    let width = key.ciphertext_bytes();
    if count.checked_mul(width) != Some(reader.left()) {
        return Err(reader.malformed());
    }
    let numbers: Vec<Nat> = (0..count)
        .map(|_| reader.fixed(width).map(|c| Nat::from_big(&c)))
        .collect::<Result<_>>()?;
    hazmat::import_words(key, &numbers, scale, bound)
}

impl CiphertextVec {
    /// The canonical bytes.
    ///
    /// They tell scale, bound and number of values to everyone.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = COLUMN.to_vec();
        out.extend(self.key.fingerprint());
        put_scale(&mut out, self.scale);
        put_number(&mut out, &self.bound);
        out.extend((self.len() as u32).to_be_bytes());
        put_ciphertexts(&mut out, self);
        out
    }

    /// The ciphertexts with the given bytes.
    ///
    /// # Security
    ///
    /// Scale and bound are claims of the sender; see [`hazmat::import`]. A
    /// [`RangeProof`](crate::proof::RangeProof) makes the bound a fact.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for anything that [`CiphertextVec::to_bytes`] would not have written
    /// under this key; [`Error::WouldOverflow`] for a bound that the key cannot hold.
    pub fn from_bytes(key: &PublicKey, bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, COLUMN, "ciphertext")?;
        reader.expect(&key.fingerprint())?;
        let scale = reader.scale()?;
        let bound = reader.number()?;
        let count = reader.u32()? as usize;
        ciphertexts(&mut reader, key, count, scale, bound)
    }
}

impl Ciphertext {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// The ciphertext with the given bytes.
    ///
    /// # Errors
    ///
    /// As [`CiphertextVec::from_bytes`], and [`Error::Malformed`] for any number but one.
    pub fn from_bytes(key: &PublicKey, bytes: &[u8]) -> Result<Self> {
        let column = CiphertextVec::from_bytes(key, bytes)?;
        if column.len() == 1 {
            Ok(Ciphertext(column))
        } else {
            Err(Error::Malformed { what: "ciphertext" })
        }
    }
}

impl Packed {
    /// The canonical bytes.
    ///
    /// They tell layout, number of values and total weight to everyone.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let layout = self.layout();
        let mut out = PACKED.to_vec();
        out.extend(self.column().public_key().fingerprint());
        // Both are at most 64.
        out.extend([layout.value_bits() as u8, layout.guard_bits() as u8]);
        out.extend((layout.slots() as u32).to_be_bytes());
        out.extend((self.len() as u64).to_be_bytes());
        out.extend(self.weight().to_be_bytes());
        put_ciphertexts(&mut out, self.column());
        out
    }

    /// The packed numbers with the given bytes.
    ///
    /// # Security
    ///
    /// Layout and weight are claims of the sender, as with [`Packed::received`].
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for anything that [`Packed::to_bytes`] would not have written under this
    /// key.
    pub fn from_bytes(key: &PublicKey, bytes: &[u8]) -> Result<Self> {
        let malformed = Error::Malformed { what: "packed column" };
        let mut reader = Reader::new(bytes, PACKED, "packed column")?;
        reader.expect(&key.fingerprint())?;
        let (value_bits, guard_bits) = (reader.u8()?, reader.u8()?);
        let slots = reader.u32()? as usize;
        let len = usize::try_from(reader.u64()?).map_err(|_| malformed)?;
        let weight = reader.u128()?;
        let layout = PackedLayout::with_slots(key, value_bits.into(), guard_bits.into(), slots)
            .map_err(|_| malformed)?;
        let count = len.div_ceil(slots);
        let column = ciphertexts(&mut reader, key, count, Scale::INTEGER, layout.bound())?;
        Packed::received(column, layout, len, weight).map_err(|_| malformed)
    }
}

impl Large {
    /// The canonical bytes.
    ///
    /// They tell s and the bound to everyone.
    #[must_use]
    pub fn to_bytes(&self, scheme: &DamgardJurik) -> Vec<u8> {
        let mut out = LARGE.to_vec();
        out.extend(self.fingerprint());
        // s is at most 8.
        out.push(self.s() as u8);
        put_number(&mut out, self.bound());
        put_fixed(&mut out, self.to_number(), scheme.ciphertext_bytes());
        out
    }

    /// The number with the given bytes.
    ///
    /// # Security
    ///
    /// The bound is a claim of the sender.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for anything that [`Large::to_bytes`] would not have written in this
    /// scheme; [`Error::WouldOverflow`] for a bound that it cannot hold.
    pub fn from_bytes(scheme: &DamgardJurik, bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, LARGE, "ciphertext")?;
        reader.expect(&scheme.public_key().fingerprint())?;
        reader.expect(&[scheme.s() as u8])?;
        let bound = reader.number()?;
        let value = reader.fixed(scheme.ciphertext_bytes())?;
        reader.end()?;
        scheme.import(value, bound)
    }
}
