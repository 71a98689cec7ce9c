//! The uniform choices samplers are made of.
//!
//! Samplers take any source of such choices, so that a test can hand them each possible sequence
//! of choices in turn and add up the exact law of the result.

use num_bigint::BigUint;
use privacy_core::random::{EntropyError, RandomBuffer};

use super::natural::Natural;

/// A source of independent uniform choices.
pub(crate) trait Choices {
    /// A fair bit.
    fn bit(&mut self) -> Result<bool, EntropyError>;

    /// An integer of `count` fair bits, for `count` from 1 to 64.
    fn bits(&mut self, count: u32) -> Result<u64, EntropyError>;

    /// Uniform in `0..bound`, for `bound` >= 1.
    fn below_u64(&mut self, bound: u64) -> Result<u64, EntropyError>;

    /// Uniform in `0..bound`, for `bound` >= 1.
    fn below_u128(&mut self, bound: u128) -> Result<u128, EntropyError>;

    /// Uniform in `0..bound`, for `bound` >= 1.
    fn below_big(&mut self, bound: &BigUint) -> Result<BigUint, EntropyError>;

    /// Bernoulli(numer / denom), for `numer` <= `denom`: a uniform integer below the denominator
    /// lies below the numerator.
    #[inline]
    fn chance<N: Natural>(&mut self, numer: &N, denom: &N) -> Result<bool, EntropyError> {
        Ok(N::uniform_below(self, denom)? < *numer)
    }
}

impl Choices for RandomBuffer<'_> {
    #[inline]
    fn bit(&mut self) -> Result<bool, EntropyError> {
        RandomBuffer::bit(self)
    }

    #[inline]
    fn bits(&mut self, count: u32) -> Result<u64, EntropyError> {
        Ok(self.word()? >> (64 - count))
    }

    #[inline]
    fn below_u64(&mut self, bound: u64) -> Result<u64, EntropyError> {
        self.below(bound)
    }

    #[inline]
    fn below_u128(&mut self, bound: u128) -> Result<u128, EntropyError> {
        RandomBuffer::below_u128(self, bound)
    }

    fn below_big(&mut self, bound: &BigUint) -> Result<BigUint, EntropyError> {
        RandomBuffer::below_big(self, bound)
    }
}

/// Choices told by an enumerator, and what a test needs to compare an attempt with its law.
#[cfg(test)]
pub(crate) mod told {
    use privacy_testing::enumerate;

    use super::*;

    /// Merges the outcomes of a comparison: what the sampler does depends on nothing else.
    pub(crate) struct Merged<'a>(pub(crate) &'a mut enumerate::Choices);

    /// Follows each uniform integer on its own, as the default `chance` draws it.
    pub(crate) struct Plain<'a>(pub(crate) &'a mut enumerate::Choices);

    fn below(choices: &mut enumerate::Choices, bound: &BigUint) -> Result<BigUint, EntropyError> {
        choices.below(bound).map_err(|_| EntropyError::new())
    }

    macro_rules! below {
        () => {
            fn bit(&mut self) -> Result<bool, EntropyError> {
                Ok(self.below_u64(2)? == 1)
            }
            fn bits(&mut self, count: u32) -> Result<u64, EntropyError> {
                self.below_u64(1 << count)
            }
            fn below_u64(&mut self, bound: u64) -> Result<u64, EntropyError> {
                Ok(below(self.0, &bound.into())?.try_into().unwrap())
            }
            fn below_u128(&mut self, bound: u128) -> Result<u128, EntropyError> {
                Ok(below(self.0, &bound.into())?.try_into().unwrap())
            }
            fn below_big(&mut self, bound: &BigUint) -> Result<BigUint, EntropyError> {
                below(self.0, bound)
            }
        };
    }

    impl Choices for Plain<'_> {
        below!();
    }

    impl Choices for Merged<'_> {
        below!();

        fn chance<N: Natural>(&mut self, numer: &N, denom: &N) -> Result<bool, EntropyError> {
            self.0
                .chance(&numer.clone().into(), &denom.clone().into())
                .map_err(|_| EntropyError::new())
        }
    }
}
