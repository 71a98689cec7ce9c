//! The operating-system seeded generator.
//!
//! ChaCha20 with fast key erasure (Bernstein 2017,
//! <https://blog.cr.yp.to/20170723-random.html>): each block of output begins with the key of the
//! next block, and what was handed out is wiped from the buffer. A memory image taken later does
//! not reveal noise drawn earlier.

use std::fmt;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use zeroize::{Zeroize, Zeroizing};

use super::{EntropyError, SecureRng};

const KEY_BYTES: usize = 32;
const BLOCK_WORDS: usize = 512;
/// Bytes turned into words at a time.
const CHUNK_BYTES: usize = 512;
/// Blocks of 4 KiB after which fresh operating-system entropy is taken: 1 GiB.
const BLOCKS_PER_SEED: u32 = 1 << 18;

/// The secure random source an application passes to mechanisms.
///
/// Seeded by the operating system, expanded by ChaCha20, reseeded after a `fork` and after every
/// GiB. Make one per thread: making one costs a system call.
///
/// # Security
///
/// Assumes that the operating system's source is unpredictable and that ChaCha20 is a
/// pseudo-random function. Neither cloned nor printed; its key and buffer are wiped on drop.
///
/// # Example
///
/// ```
/// use privacy_core::random::{SecureRng, SystemRng};
///
/// let mut rng = SystemRng::new()?;
/// let mut token = [0u8; 16];
/// rng.fill(&mut token)?;
/// # Ok::<(), privacy_core::random::EntropyError>(())
/// ```
pub struct SystemRng {
    key: Zeroizing<[u8; KEY_BYTES]>,
    block: Zeroizing<[u64; BLOCK_WORDS]>,
    next: usize,
    blocks_left: u32,
    process: u32,
}

impl SystemRng {
    /// A generator with a fresh seed from the operating system.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the operating system has no entropy to give.
    pub fn new() -> Result<Self, EntropyError> {
        let mut rng = SystemRng {
            key: Zeroizing::new([0; KEY_BYTES]),
            block: Zeroizing::new([0; BLOCK_WORDS]),
            next: BLOCK_WORDS,
            blocks_left: 0,
            process: std::process::id(),
        };
        rng.reseed()?;
        Ok(rng)
    }

    fn reseed(&mut self) -> Result<(), EntropyError> {
        // Whatever happens below, the old stream is not continued.
        self.blocks_left = 0;
        self.block.zeroize();
        self.next = BLOCK_WORDS;
        getrandom::fill(self.key.as_mut()).map_err(|_| EntropyError)?;
        self.blocks_left = BLOCKS_PER_SEED;
        self.process = std::process::id();
        Ok(())
    }

    fn refill(&mut self) -> Result<(), EntropyError> {
        if self.blocks_left == 0 {
            self.reseed()?;
        }
        let mut stream = ChaCha20Rng::from_seed(*self.key);
        stream.fill_bytes(self.key.as_mut());
        let mut bytes = Zeroizing::new([0; CHUNK_BYTES]);
        for words in self.block.chunks_mut(CHUNK_BYTES / 8) {
            stream.fill_bytes(bytes.as_mut());
            for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
                *word = u64::from_le_bytes(*bytes);
            }
        }
        // The old key goes with the stream's state.
        stream = ChaCha20Rng::from_seed([0; KEY_BYTES]);
        std::hint::black_box(&stream);
        self.blocks_left -= 1;
        self.next = 0;
        Ok(())
    }

    fn notice_fork(&mut self) -> Result<(), EntropyError> {
        if self.process == std::process::id() { Ok(()) } else { self.reseed() }
    }

    /// Moves words out of the block, which keeps zeros in their place.
    #[inline]
    fn take(&mut self, out: &mut [u64]) -> Result<(), EntropyError> {
        let mut rest = out;
        while !rest.is_empty() {
            if self.next == BLOCK_WORDS {
                self.refill()?;
            }
            let n = rest.len().min(BLOCK_WORDS - self.next);
            let (now, later) = rest.split_at_mut(n);
            let fresh = &mut self.block[self.next..self.next + n];
            now.copy_from_slice(fresh);
            fresh.fill(0);
            self.next += n;
            rest = later;
        }
        Ok(())
    }
}

impl SecureRng for SystemRng {
    /// Takes whole words: the rest of a word of which fewer than eight bytes were asked for is
    /// dropped.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
        self.notice_fork()?;
        for bytes in out.chunks_mut(8) {
            let mut word = [0];
            self.take(&mut word)?;
            bytes.copy_from_slice(&word[0].to_le_bytes()[..bytes.len()]);
        }
        Ok(())
    }

    fn fill_words(&mut self, out: &mut [u64]) -> Result<(), EntropyError> {
        self.notice_fork()?;
        self.take(out)
    }
}

impl fmt::Debug for SystemRng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemRng").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_generators_and_two_reads_never_agree() {
        let mut a = SystemRng::new().unwrap();
        let mut b = SystemRng::new().unwrap();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..2000 {
            for rng in [&mut a, &mut b] {
                let mut out = [0; 16];
                rng.fill(&mut out).unwrap();
                assert!(seen.insert(out), "a 128-bit read repeated");
            }
        }
    }

    #[test]
    fn what_was_handed_out_is_wiped() {
        let mut rng = SystemRng::new().unwrap();
        let mut out = [0; 64];
        rng.fill(&mut out).unwrap();
        assert_ne!(out, [0; 64]);
        assert_eq!(rng.block[..8], [0; 8]);
        let mut words = [0; 5];
        rng.fill_words(&mut words).unwrap();
        assert_eq!(rng.block[..13], [0; 13]);
    }

    #[test]
    fn reads_longer_than_a_block_are_filled_to_the_end() {
        let mut rng = SystemRng::new().unwrap();
        let mut out = vec![0; 3 * 8 * BLOCK_WORDS + 5];
        rng.fill(&mut out).unwrap();
        // 2^-128 that some aligned 16-byte window is all zero, times the number of windows.
        assert!(out.chunks_exact(16).all(|window| window != [0; 16]));
    }

    #[test]
    fn a_new_process_identity_discards_the_old_stream() {
        let mut rng = SystemRng::new().unwrap();
        let mut out = [0; 8];
        rng.fill(&mut out).unwrap();
        let key = *rng.key;
        rng.process = rng.process.wrapping_add(1);
        rng.fill(&mut out).unwrap();
        assert_ne!(*rng.key, key);
        assert_eq!(rng.process, std::process::id());
    }

    #[test]
    fn debug_shows_no_state() {
        assert_eq!(format!("{:?}", SystemRng::new().unwrap()), "SystemRng { .. }");
    }
}
