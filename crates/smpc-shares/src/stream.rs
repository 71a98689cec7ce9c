//! Keyed pseudo-random streams: what masks, pseudo-random shares and bulk randomness come from.
//!
//! AES-256 in counter mode from block 0, keyed by HMAC-SHA-256 of a context, so that no two streams
//! of a session coincide.

use std::fmt;

use aes::Aes256;
use ctr::Ctr64LE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use privacy_core::random::SecureRng;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::error::Result;

/// Words that are made at a time.
const WORDS: usize = 256;

/// A secret key of 256 bits. Neither printed nor cloned; wiped on drop.
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// A fresh key from a secure source.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Entropy`] if the source fails.
    pub fn random(rng: &mut dyn SecureRng) -> Result<Self> {
        let mut key = Zeroizing::new([0; 32]);
        rng.fill(key.as_mut())?;
        Ok(Key(key))
    }

    /// A key from bytes that are already uniform and secret.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Key(Zeroizing::new(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The stream for a context that never repeats under this key.
    pub(crate) fn stream(&self, domain: &str, context: &[&[u8]]) -> Stream {
        Stream::derive(&self.0, domain, context)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// HMAC-SHA-256 of length-prefixed parts (RFC 2104).
pub(crate) fn prf(key: &[u8; 32], domain: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut pad = Zeroizing::new([0x36u8; 64]);
    for (pad, key) in pad.iter_mut().zip(key) {
        *pad ^= key;
    }
    let mut inner = Sha256::new();
    inner.update(*pad);
    for part in std::iter::once(&domain.as_bytes()).chain(parts) {
        inner.update((part.len() as u64).to_le_bytes());
        inner.update(part);
    }
    let mut outer = Sha256::new();
    for pad in pad.iter_mut() {
        *pad ^= 0x36 ^ 0x5c;
    }
    outer.update(*pad);
    outer.update(inner.finalize());
    outer.finalize().into()
}

/// A stream of pseudo-random words under a secret key.
///
/// # Security
///
/// AES-256 in counter mode, indistinguishable from random for the at most 2^32 blocks that a step
/// of a protocol draws, assuming that AES-256 is a pseudo-random permutation and HMAC-SHA-256 a
/// pseudo-random function. Constant-time with and without AES instructions.
pub struct Stream {
    cipher: Box<Ctr64LE<Aes256>>,
    words: Zeroizing<[u64; WORDS]>,
    next: usize,
}

impl Stream {
    pub(crate) fn derive(key: &[u8; 32], domain: &str, context: &[&[u8]]) -> Self {
        let key = Zeroizing::new(prf(key, domain, context));
        Stream {
            cipher: Box::new(Ctr64LE::<Aes256>::new((&*key).into(), &[0; 16].into())),
            words: Zeroizing::new([0; WORDS]),
            next: WORDS,
        }
    }

    /// A stream under a fresh key from `rng`.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Entropy`] if the source fails.
    pub fn fresh(rng: &mut dyn SecureRng) -> Result<Self> {
        Ok(Key::random(rng)?.stream("smpc-shares/fresh", &[]))
    }

    /// The next word.
    #[inline(always)]
    pub fn word(&mut self) -> u64 {
        if self.next == WORDS {
            self.refill();
        }
        let word = self.words[self.next];
        self.next += 1;
        word
    }

    #[inline(never)]
    fn refill(&mut self) {
        let mut bytes = [0u8; WORDS * 8];
        self.cipher.apply_keystream(&mut bytes);
        for (word, bytes) in self.words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        std::hint::black_box(&mut bytes).zeroize();
        self.next = 0;
    }

    /// Fills `out` with the next bytes, whole words at a time.
    pub fn bytes(&mut self, out: &mut [u8]) {
        // What is buffered comes first, so that words and bytes are one stream.
        let (words, rest) = out.as_chunks_mut::<8>();
        let mut words = words.iter_mut();
        while self.next < WORDS {
            match words.next() {
                Some(slot) => *slot = self.word().to_le_bytes(),
                None => break,
            }
        }
        let direct = words.into_slice();
        let whole = direct.len() - direct.len() % WORDS;
        let (bulk, last) = direct.split_at_mut(whole);
        let bulk = bulk.as_flattened_mut();
        bulk.fill(0);
        self.cipher.apply_keystream(bulk);
        for slot in last {
            *slot = self.word().to_le_bytes();
        }
        if !rest.is_empty() {
            let word = self.word().to_le_bytes();
            rest.copy_from_slice(&word[..rest.len()]);
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream(..)")
    }
}
