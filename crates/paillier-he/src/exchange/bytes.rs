//! Canonical bytes.
//!
//! All integers are big-endian. Ciphertexts: `PHC1`, the first 8 bytes of SHAKE-256 of the public
//! key's bytes, base (4) and digits (4) of the scale, length (2) and bytes of the bound without
//! leading zeros, number of ciphertexts (4), then each in the fixed width of the key. Keys: `PHK1` or
//! `PHS1`, mode (1), then length (2) and bytes of each number.

use num_bigint::BigUint;
use privacy_core::random::SecureRng;
use sha3::Shake256;
use sha3::digest::{ExtendableOutput, Update, XofReader};
use zeroize::Zeroizing;

use crate::ciphertext::{Ciphertext, CiphertextVec};
use crate::error::{Error, Result};
use crate::hazmat;
use crate::kernel::Nat;
use crate::key::{KeyPolicy, Mode, PrivateKey, PublicKey, UncheckedPublicKey};
use crate::number::Scale;

const CIPHERTEXTS: &[u8; 4] = b"PHC1";
const PUBLIC: &[u8; 4] = b"PHK1";
const PRIVATE: &[u8; 4] = b"PHS1";

struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    fn malformed(&self) -> Error {
        Error::Malformed { what: self.what }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(self.malformed())?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| self.malformed())
    }

    fn expect(&mut self, bytes: &[u8]) -> Result<()> {
        if self.take(bytes.len())? == bytes { Ok(()) } else { Err(self.malformed()) }
    }

    /// A length and a number without leading zeros.
    fn number(&mut self) -> Result<BigUint> {
        let length = u16::from_be_bytes(self.array()?);
        let bytes = self.take(length.into())?;
        if bytes.first() == Some(&0) {
            return Err(self.malformed());
        }
        Ok(BigUint::from_bytes_be(bytes))
    }

    fn mode(&mut self) -> Result<Mode> {
        let [code] = self.array()?;
        Mode::from_code(code).ok_or(self.malformed())
    }

    fn end(&self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.malformed()) }
    }
}

fn put_number(out: &mut Vec<u8>, number: &BigUint) {
    let bytes =
        Zeroizing::new(if *number == BigUint::ZERO { Vec::new() } else { number.to_bytes_be() });
    // Numbers are bounded by keys of at most 8192 bits.
    out.extend((bytes.len() as u16).to_be_bytes());
    out.extend_from_slice(&bytes);
}

impl PublicKey {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = PUBLIC.to_vec();
        out.push(self.mode().code());
        put_number(&mut out, self.modulus());
        if let Some(generator) = self.generator() {
            put_number(&mut out, &generator.to_big());
        }
        out
    }

    /// The key with the given bytes, if it passes the policy.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`], and as [`UncheckedPublicKey::validate`].
    pub fn from_bytes(bytes: &[u8], policy: &KeyPolicy) -> Result<Self> {
        let mut reader = Reader { rest: bytes, what: "public key" };
        reader.expect(PUBLIC)?;
        let mode = reader.mode()?;
        let n = reader.number()?;
        let generator = if mode == Mode::Subgroup { Some(reader.number()?) } else { None };
        reader.end()?;
        UncheckedPublicKey { n, mode, generator }.validate(policy)
    }

    /// Eight bytes that tell keys apart.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 8] {
        let mut xof = Shake256::default();
        xof.update(&self.to_bytes());
        let mut out = [0; 8];
        xof.finalize_xof().read(&mut out);
        out
    }
}

impl PrivateKey {
    /// The canonical bytes: the secret itself, wiped when dropped.
    #[must_use]
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Room for all of it, so that no copy is left behind by growing.
        let mut out = Zeroizing::new(Vec::with_capacity(4096));
        out.extend_from_slice(PRIVATE);
        out.push(self.public_key().mode().code());
        let (p, q) = self.factors();
        put_number(&mut out, &p.to_big());
        put_number(&mut out, &q.to_big());
        if let (Some([a, b]), Some(h)) = (self.hidden_primes(), self.public_key().generator()) {
            for number in [a, b, h] {
                put_number(&mut out, &number.to_big());
            }
        }
        out
    }

    /// The key with the given bytes, if it passes the policy.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`], and as [`PrivateKey::from_primes`].
    pub fn from_secret_bytes(
        bytes: &[u8],
        policy: &KeyPolicy,
        rng: &mut dyn SecureRng,
    ) -> Result<Self> {
        let mut reader = Reader { rest: bytes, what: "private key" };
        reader.expect(PRIVATE)?;
        let mode = reader.mode()?;
        let (p, q) = (reader.number()?, reader.number()?);
        let hidden = if mode == Mode::Subgroup {
            Some([reader.number()?, reader.number()?, reader.number()?])
        } else {
            None
        };
        reader.end()?;
        PrivateKey::restore(&p, &q, mode, hidden, policy, rng)
    }
}

impl CiphertextVec {
    /// The canonical bytes.
    ///
    /// They tell scale, bound and number of values to everyone.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let width = self.key.ciphertext_bytes();
        let mut out = Vec::with_capacity(width * self.len() + 600);
        out.extend(CIPHERTEXTS);
        out.extend(self.key.fingerprint());
        out.extend(self.scale.base().to_be_bytes());
        out.extend(self.scale.digits().to_be_bytes());
        put_number(&mut out, &self.bound);
        out.extend((self.len() as u32).to_be_bytes());
        for number in self.raw() {
            let bytes: Vec<u8> = number.iter().rev().flat_map(|w| w.to_be_bytes()).collect();
            out.extend_from_slice(&bytes[bytes.len() - width..]);
        }
        out
    }

    /// The ciphertexts with the given bytes.
    ///
    /// # Security
    ///
    /// Scale and bound are claims of the sender; see [`hazmat::import`].
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for anything that [`CiphertextVec::to_bytes`] would not have written
    /// under this key; [`Error::WouldOverflow`] for a bound that the key cannot hold.
    pub fn from_bytes(key: &PublicKey, bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader { rest: bytes, what: "ciphertext" };
        reader.expect(CIPHERTEXTS)?;
        reader.expect(&key.fingerprint())?;
        let base = u32::from_be_bytes(reader.array()?);
        let digits = i32::from_be_bytes(reader.array()?);
        let scale = if (base, digits) == (1, 0) {
            Scale::INTEGER
        } else {
            Scale::new(base, digits).ok().filter(|s| s.digits() != 0).ok_or(reader.malformed())?
        };
        let bound = reader.number()?;
        let count = u32::from_be_bytes(reader.array()?) as usize;
        let width = key.ciphertext_bytes();
        if count.checked_mul(width) != Some(reader.rest.len()) {
            return Err(reader.malformed());
        }
        let numbers: Vec<Nat> = reader
            .rest
            .chunks_exact(width)
            .map(|bytes| Nat::from_big(&BigUint::from_bytes_be(bytes)))
            .collect();
        hazmat::import_words(key, &numbers, scale, bound)
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
