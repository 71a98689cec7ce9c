//! Keyed pseudo-random streams: what masks, pseudo-random shares and bulk randomness come from.
//!
//! AES-256 in counter mode from block 0, keyed by HMAC-SHA-256 of a context, so that no two streams
//! of a session coincide.

use std::fmt;

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes256, Block};
use privacy_core::random::SecureRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::Result;
use crate::wipe::wipe;

/// Words that are made at a time.
const WORDS: usize = 256;
const BYTES: usize = WORDS * 8;

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
    cipher: Box<Aes256>,
    /// The number of the next block.
    counter: u64,
    made: Box<[u8; BYTES]>,
    /// The next of the words in `made`.
    next: usize,
}

impl Drop for Stream {
    fn drop(&mut self) {
        wipe(&mut self.made[..]);
    }
}

impl Stream {
    pub(crate) fn derive(key: &[u8; 32], domain: &str, context: &[&[u8]]) -> Self {
        let key = Zeroizing::new(prf(key, domain, context));
        Stream {
            cipher: Box::new(Aes256::new((&*key).into())),
            counter: 0,
            made: Box::new([0; BYTES]),
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
        let word = u64::from_le_bytes(self.made.as_chunks().0[self.next]);
        self.next += 1;
        word
    }

    #[inline(never)]
    fn refill(&mut self) {
        keystream(&self.cipher, &mut self.counter, self.made.as_chunks_mut().0);
        self.next = 0;
    }

    /// Fills `out` with what `make` makes of the next words, without those that it refuses: the same
    /// as word after word, many at a time.
    pub(crate) fn fill_words<T: Copy>(
        &mut self,
        mut out: &mut [T],
        make: impl Fn(u64) -> T,
        refused: impl Fn(T) -> bool,
    ) {
        while !out.is_empty() {
            if self.next == WORDS {
                self.refill();
            }
            let words = &self.made.as_chunks::<8>().0[self.next..];
            let count = words.len().min(out.len());
            let head = &mut out[..count];
            let mut any = false;
            for (slot, word) in head.iter_mut().zip(words) {
                *slot = make(u64::from_le_bytes(*word));
                any |= refused(*slot);
            }
            self.next += count;
            let mut kept = count;
            if any {
                kept = 0;
                for i in 0..count {
                    if !refused(head[i]) {
                        head[kept] = head[i];
                        kept += 1;
                    }
                }
            }
            out = &mut std::mem::take(&mut out)[kept..];
        }
    }

    /// Fills `out` with the next bytes, whole words at a time.
    pub fn bytes(&mut self, out: &mut [u8]) {
        // What is buffered comes first, so that words and bytes are one stream.
        let (words, rest) = out.as_chunks_mut::<8>();
        let buffered = words.len().min(WORDS - self.next);
        let (first, direct) = words.split_at_mut(buffered);
        let made = &self.made.as_chunks::<8>().0[self.next..];
        first.copy_from_slice(&made[..buffered]);
        self.next += buffered;
        let whole = direct.len() - direct.len() % WORDS;
        let (bulk, last) = direct.split_at_mut(whole);
        let bulk = bulk.as_flattened_mut();
        keystream(&self.cipher, &mut self.counter, bulk.as_chunks_mut().0);
        for slot in last {
            *slot = self.word().to_le_bytes();
        }
        if !rest.is_empty() {
            let word = self.word().to_le_bytes();
            rest.copy_from_slice(&word[..rest.len()]);
        }
    }
}

/// The counter's blocks, encrypted in place.
fn keystream(cipher: &Aes256, counter: &mut u64, out: &mut [[u8; 16]]) {
    for block in &mut *out {
        *block = u128::from(*counter).to_le_bytes();
        *counter = counter.wrapping_add(1);
    }
    cipher.encrypt_blocks(Block::cast_slice_from_core_mut(out));
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Stream {
        Stream::derive(&[3; 32], "test", &[b"one"])
    }

    #[test]
    fn words_bytes_and_fillings_are_one_stream() {
        let mut words = stream();
        let expected: Vec<u64> = (0..3000).map(|_| words.word()).collect();
        let mut mixed = stream();
        let mut got = vec![mixed.word(), mixed.word()];
        let mut bytes = vec![0; 8 * 1000];
        mixed.bytes(&mut bytes);
        got.extend(bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)));
        let mut rest = vec![0; 1998];
        mixed.fill_words(&mut rest, |word| word, |_| false);
        got.extend(rest);
        assert_eq!(got, expected);
    }

    /// Beside another implementation.
    #[test]
    fn the_stream_is_counter_mode() {
        use ctr::cipher::{KeyIvInit, StreamCipher};
        let key = prf(&[3; 32], "test", &[b"one"]);
        let mut other = ctr::Ctr64LE::<Aes256>::new(&key.into(), &[0; 16].into());
        let (mut theirs, mut ours) = (vec![0; 10_000], vec![0; 10_000]);
        other.apply_keystream(&mut theirs);
        stream().bytes(&mut ours);
        assert_eq!(theirs, ours);
    }

    #[test]
    fn refused_words_are_left_out_in_order() {
        let odd = |word: u64| word % 2 == 1;
        let mut words = stream();
        let expected: Vec<u64> =
            std::iter::repeat_with(|| words.word()).filter(|w| !odd(*w)).take(700).collect();
        let mut filled = vec![0; 700];
        stream().fill_words(&mut filled, |word| word, odd);
        assert_eq!(filled, expected);
    }
}
