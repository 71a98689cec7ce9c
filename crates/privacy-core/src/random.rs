//! Secure randomness: what every sampler, share and pseudonym of the family is drawn from.
//!
//! Randomness is an argument. A mechanism takes `&mut dyn SecureRng`; an application passes a
//! [`SystemRng`], which is a ChaCha20 generator seeded by the operating system. There is no global
//! or thread-local generator, and a generator can neither be cloned nor printed: two mechanisms
//! that replay the same noise reveal the exact difference of their inputs.
//!
//! Samplers read through a [`RandomBuffer`], which draws words in blocks and offers exactly
//! uniform integers.

use std::fmt;

use num_bigint::BigUint;
use zeroize::{Zeroize, Zeroizing};

mod system;
#[cfg(feature = "test-rng")]
mod test_rng;

pub use system::SystemRng;
#[cfg(feature = "test-rng")]
pub use test_rng::InsecureTestRng;

/// A source of bytes that nobody can predict or replay.
///
/// # Security
///
/// An implementation promises that its output is computationally indistinguishable from uniform
/// bytes to anyone who does not hold its state, also after a `fork`, and that it never hands out
/// the same bytes twice. Every differential-privacy, encryption and secret-sharing claim of the
/// family assumes it.
pub trait SecureRng: Send + Sync {
    /// Fills `out` with fresh random bytes, or fails and leaves the caller to stop.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the source cannot deliver. What `out` holds then must not be used.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError>;

    /// Fills `out` with fresh random words, by default from the bytes of [`SecureRng::fill`] in
    /// little-endian order.
    ///
    /// Override it where words can be had without the way through bytes.
    ///
    /// # Errors
    ///
    /// As [`SecureRng::fill`].
    fn fill_words(&mut self, out: &mut [u64]) -> Result<(), EntropyError> {
        let mut bytes = Zeroizing::new([0; 512]);
        for words in out.chunks_mut(bytes.len() / 8) {
            let bytes = &mut bytes[..words.len() * 8];
            self.fill(bytes)?;
            for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
                *word = u64::from_le_bytes(*bytes);
            }
        }
        Ok(())
    }
}

macro_rules! forwarded {
    ($($pointer:ty),*) => {
        $(
            impl<R: SecureRng + ?Sized> SecureRng for $pointer {
                fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
                    (**self).fill(out)
                }

                fn fill_words(&mut self, out: &mut [u64]) -> Result<(), EntropyError> {
                    (**self).fill_words(out)
                }
            }
        )*
    };
}
forwarded!(&mut R, Box<R>);

/// The random source could not deliver; nothing was released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secure random source failed; nothing was released, try again once it is available")]
#[non_exhaustive]
pub struct EntropyError;

impl EntropyError {
    /// The error a [`SecureRng`] implementation returns when it cannot deliver.
    #[must_use]
    pub fn new() -> Self {
        EntropyError
    }
}

impl Default for EntropyError {
    fn default() -> Self {
        EntropyError::new()
    }
}

/// The most words held between two calls to the source.
const BUFFER_WORDS: usize = 512;

/// The words that the first call asks for: little for a single draw, while a batch soon has more.
const FIRST_WORDS: usize = 4;

/// Buffered words and exactly uniform integers from a [`SecureRng`].
///
/// Make one per draw (or per batch) and drop it with the draw: what is left in it is wiped.
///
/// # Timing
///
/// Integers below a bound come from rejection sampling, so the time taken depends on the random
/// words (never on the value returned).
///
/// # Example
///
/// ```
/// use privacy_core::random::{RandomBuffer, SystemRng};
///
/// let mut rng = SystemRng::new()?;
/// let mut random = RandomBuffer::new(&mut rng);
/// let die = 1 + random.below(6)?;
/// assert!((1..=6).contains(&die));
/// # Ok::<(), privacy_core::random::EntropyError>(())
/// ```
pub struct RandomBuffer<'a> {
    source: &'a mut dyn SecureRng,
    /// Zeros up to `next`: what was handed out is wiped.
    words: Vec<u64>,
    next: usize,
    bits: u64,
    bits_left: u32,
}

impl<'a> RandomBuffer<'a> {
    /// An empty buffer over `source`; nothing is drawn before it is needed.
    pub fn new(source: &'a mut dyn SecureRng) -> Self {
        RandomBuffer { source, words: Vec::new(), next: 0, bits: 0, bits_left: 0 }
    }

    /// A uniform 64-bit word.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the source fails.
    #[inline]
    pub fn word(&mut self) -> Result<u64, EntropyError> {
        match self.words.get_mut(self.next) {
            Some(word) => {
                self.next += 1;
                Ok(std::mem::take(word))
            }
            None => self.refill(),
        }
    }

    /// Fetches more words than before and takes the first.
    #[cold]
    fn refill(&mut self) -> Result<u64, EntropyError> {
        // All that is held are zeros: growing leaves nothing behind.
        let wanted = (self.words.len() * 4).clamp(FIRST_WORDS, BUFFER_WORDS);
        self.words.resize(wanted, 0);
        self.next = wanted;
        self.source.fill_words(&mut self.words)?;
        self.next = 1;
        Ok(self.words.first_mut().map(std::mem::take).unwrap_or_default())
    }

    /// A fair bit.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the source fails.
    #[inline]
    pub fn bit(&mut self) -> Result<bool, EntropyError> {
        if self.bits_left == 0 {
            self.bits = self.word()?;
            self.bits_left = 64;
        }
        let bit = self.bits & 1 == 1;
        self.bits >>= 1;
        self.bits_left -= 1;
        Ok(bit)
    }

    /// An integer in `0..bound`, exactly uniform; 0 for `bound` 0 or 1.
    ///
    /// Multiplies a word by the bound and rejects the words that would favour some results
    /// (Lemire 2019, <https://arxiv.org/abs/1805.10941>).
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the source fails.
    #[inline]
    pub fn below(&mut self, bound: u64) -> Result<u64, EntropyError> {
        if bound <= 1 {
            return Ok(0);
        }
        let mut product = u128::from(self.word()?) * u128::from(bound);
        if (product as u64) < bound {
            let threshold = bound.wrapping_neg() % bound;
            while (product as u64) < threshold {
                product = u128::from(self.word()?) * u128::from(bound);
            }
        }
        Ok((product >> 64) as u64)
    }

    /// An integer in `0..bound`, exactly uniform; 0 for `bound` 0 or 1.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the source fails.
    pub fn below_u128(&mut self, bound: u128) -> Result<u128, EntropyError> {
        if let Ok(small) = u64::try_from(bound) {
            return self.below(small).map(u128::from);
        }
        let mask = u128::MAX >> (bound - 1).leading_zeros();
        loop {
            let high = u128::from(self.word()?) << 64;
            let candidate = (high | u128::from(self.word()?)) & mask;
            if candidate < bound {
                return Ok(candidate);
            }
        }
    }

    /// An integer in `0..bound` of any size, exactly uniform; 0 for `bound` 0 or 1.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the source fails.
    pub fn below_big(&mut self, bound: &BigUint) -> Result<BigUint, EntropyError> {
        if let Ok(small) = u64::try_from(bound) {
            return self.below(small).map(BigUint::from);
        }
        let bits = bound.bits();
        let digits = bits.div_ceil(32);
        let spare = digits * 32 - bits;
        loop {
            let mut candidate = Vec::new();
            for _ in 0..digits {
                candidate.push((self.word()? >> 32) as u32);
            }
            if let Some(top) = candidate.last_mut() {
                *top >>= spare;
            }
            let candidate = BigUint::new(candidate);
            if candidate < *bound {
                return Ok(candidate);
            }
        }
    }
}

impl Drop for RandomBuffer<'_> {
    fn drop(&mut self) {
        self.words.zeroize();
        self.bits.zeroize();
    }
}

impl fmt::Debug for RandomBuffer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RandomBuffer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out a fixed tape of words, then fails.
    struct Tape(Vec<u64>);

    impl SecureRng for Tape {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
            for chunk in out.chunks_mut(8) {
                let word = self.0.pop().ok_or(EntropyError)?;
                chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
            }
            Ok(())
        }
    }

    #[test]
    fn words_come_from_the_source_in_order_and_unchanged() {
        let mut tape = Tape(vec![4, 3, 2, u64::MAX - 1]);
        let mut random = RandomBuffer::new(&mut tape);
        let drawn: Vec<u64> = (0..4).map(|_| random.word().unwrap()).collect();
        assert_eq!(drawn, [u64::MAX - 1, 2, 3, 4]);
    }

    #[test]
    fn a_failing_source_is_an_error_and_never_a_constant() {
        let mut tape = Tape(vec![]);
        let mut random = RandomBuffer::new(&mut tape);
        assert_eq!(random.word(), Err(EntropyError));
        assert_eq!(random.bit(), Err(EntropyError));
        assert_eq!(random.below(6), Err(EntropyError));
        assert_eq!(random.below_u128(1 << 90), Err(EntropyError));
        assert_eq!(random.below_big(&(BigUint::from(1u8) << 90u32)), Err(EntropyError));
    }

    #[test]
    fn lemire_rejects_exactly_the_surplus_words() {
        // 2^64 mod 3 = 1: of the words that map to each result, one surplus word must be
        // rejected. Its low product half is below the threshold 1, so it is word 0.
        let mut tape = Tape(vec![7, 7, u64::MAX, 0]);
        let mut random = RandomBuffer::new(&mut tape);
        assert_eq!(random.below(3).unwrap(), 2);
    }

    #[test]
    fn bounded_integers_stay_below_their_bound() {
        let mut rng = SystemRng::new().unwrap();
        let mut random = RandomBuffer::new(&mut rng);
        let big = (BigUint::from(1u8) << 200u32) + 1u8;
        for bound in [1u64, 2, 3, 6, 1 << 33, u64::MAX] {
            assert!(random.below(bound).unwrap() < bound);
            assert!(random.below_u128(u128::from(bound)).unwrap() < u128::from(bound));
            assert!(random.below_u128((1 << 100) + 1).unwrap() <= 1 << 100);
            assert!(random.below_big(&big).unwrap() < big);
        }
        assert_eq!(random.below(0).unwrap(), 0);
    }
}
