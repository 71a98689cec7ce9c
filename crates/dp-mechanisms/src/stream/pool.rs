//! Noise drawn ahead in blocks, so that a step seldom waits for it.

use std::fmt;

use privacy_core::random::{EntropyError, SecureRng};

use crate::additive::Noise;

/// Draws held at most between two steps.
const BLOCK: usize = 256;

/// Draws of one noise, each handed out once.
pub(super) struct Pool {
    noise: Noise,
    drawn: Vec<i128>,
}

impl Pool {
    pub(super) fn new(noise: Noise) -> Self {
        Pool { noise, drawn: Vec::new() }
    }

    pub(super) fn noise(&self) -> &Noise {
        &self.noise
    }

    /// Makes sure that the next `count` calls of [`next`](Pool::next) have a draw to hand out.
    ///
    /// Where the random source fails, nothing has changed.
    #[inline]
    pub(super) fn ensure(
        &mut self,
        count: usize,
        rng: &mut dyn SecureRng,
    ) -> Result<(), EntropyError> {
        if self.drawn.len() < count { self.refill(rng) } else { Ok(()) }
    }

    #[cold]
    fn refill(&mut self, rng: &mut dyn SecureRng) -> Result<(), EntropyError> {
        let mut block = vec![0; BLOCK];
        match &self.noise {
            Noise::Laplace(noise) => noise.fill(&mut block, rng)?,
            Noise::Gaussian(noise) => noise.fill(&mut block, rng)?,
        }
        block.append(&mut self.drawn);
        self.drawn = block;
        Ok(())
    }

    /// The next draw; cannot fail while [`ensure`](Pool::ensure) has provided for it.
    #[inline]
    pub(super) fn next(&mut self, rng: &mut dyn SecureRng) -> Result<i128, EntropyError> {
        if let Some(draw) = self.drawn.pop() {
            return Ok(draw);
        }
        self.refill(rng)?;
        self.drawn.pop().ok_or(EntropyError::new())
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("noise", &self.noise).finish_non_exhaustive()
    }
}

/// The noisy sum; draws at the end of the range stand for anything beyond, and clamp to the same
/// result whatever they are added to (see [`crate::additive`]).
#[inline]
pub(super) fn noisy(sum: i128, noise: i128) -> i128 {
    sum.saturating_add(noise).clamp(-(1 << 126), 1 << 126)
}
