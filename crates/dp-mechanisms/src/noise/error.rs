//! What can be wrong with the parameters of a law.

/// The parameters do not describe a law.
///
/// Failures of the random source while drawing are
/// [`EntropyError`](privacy_core::random::EntropyError) instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoiseError {
    /// The scale or variance is zero: no noise, no privacy.
    #[error("the noise scale is zero, which protects nothing; give a positive scale")]
    ZeroScale,
    /// The scale is so small that a draw would take too long.
    #[error("the scale is below 1/8 of a step; ask with an epsilon of at most 8 a step")]
    ScaleTooSmall,
    /// The scale is so large that draws would not fit their integer type.
    #[error(
        "the noise scale is above 2^{limit_bits}; ask with more epsilon or rho, tighter bounds or a coarser grid"
    )]
    ScaleTooLarge {
        /// Binary logarithm of the largest scale accepted.
        limit_bits: u32,
    },
    /// A fraction has denominator zero.
    #[error("a parameter has denominator zero; give a finite rational")]
    ZeroDenominator,
    /// A probability is above 1.
    #[error("a success probability is above 1; give a rational between 0 and 1")]
    ProbabilityAboveOne,
    /// Noise in shares was asked for or from no party.
    #[error("no party contributes noise; give at least one")]
    NoParties,
    /// A share of discrete Gaussian noise is too small for the sum to be close to the law.
    #[error(
        "a party's share of the variance is below 1/4, where no price is proven; ask for more noise or fewer parties, or take Skellam shares"
    )]
    ShareTooSmall,
    /// An error probability is not a number in (0, 1].
    #[error("the error probability alpha must be above 0 and at most 1")]
    AlphaOutOfRange,
}
