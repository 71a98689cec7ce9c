//! The random choices that randomizers are made of.
//!
//! Randomizers take any source of choices, so that a test can hand them each sequence of choices
//! in turn and add up the exact law of the report.

use privacy_core::random::{EntropyError, RandomBuffer};

/// A source of independent choices.
pub(super) trait Draws {
    /// True with probability `numer / denom`, for `numer <= denom` and `denom >= 1`.
    fn chance(&mut self, numer: u128, denom: u128) -> Result<bool, EntropyError>;

    /// Uniform in `0..bound`, for `bound >= 1`.
    fn below(&mut self, bound: u64) -> Result<u64, EntropyError>;
}

impl Draws for RandomBuffer<'_> {
    #[inline]
    fn chance(&mut self, numer: u128, denom: u128) -> Result<bool, EntropyError> {
        Ok(self.below_u128(denom)? < numer)
    }

    #[inline]
    fn below(&mut self, bound: u64) -> Result<u64, EntropyError> {
        RandomBuffer::below(self, bound)
    }
}

/// Choices told by an enumerator.
#[cfg(test)]
pub(super) struct Told<'a>(pub(super) &'a mut privacy_testing::enumerate::Choices);

#[cfg(test)]
impl Draws for Told<'_> {
    fn chance(&mut self, numer: u128, denom: u128) -> Result<bool, EntropyError> {
        self.0.chance(&numer.into(), &denom.into()).map_err(|_| EntropyError::new())
    }

    fn below(&mut self, bound: u64) -> Result<u64, EntropyError> {
        let drawn = self.0.below(&bound.into()).map_err(|_| EntropyError::new())?;
        drawn.try_into().map_err(|_| EntropyError::new())
    }
}
