//! Exact discrete noise: coin flips, discrete Laplace and discrete Gaussian draws.
//!
//! Every draw is made of uniform integers compared with integers. No floating-point number stands
//! between the random words and the result, so that a draw has exactly the stated law; the
//! attacks on rounded noise (Mironov 2012, <https://doi.org/10.1145/2382196.2382264>) have nothing
//! to hold on to. Parameters are rationals of any size; small ones run on machine words, others on
//! big integers, with the same law.
//!
//! # Algorithms
//!
//! Few draws are made as in Canonne, Kamath and Steinke 2020, "The Discrete Gaussian for
//! Differential Privacy", <https://arxiv.org/abs/2004.00010> (CKS20 below), which needs no tables.
//! Once enough draws have been asked for, a table of the cumulative law is made (some ten
//! microseconds) and clones share it: a random word picks a cell of magnitudes, an offset in the
//! cell is uniform, and accepted by rejection from the step function (after Karney 2016,
//! <https://doi.org/10.1145/2710016>). One word suffices for scales up to 2^28, two or three beyond.
//! Comparisons with irrational probabilities are decided by certified brackets; where a word leaves
//! one open, more bits are drawn and more digits computed until it is decided. Both ways have
//! exactly the same law.
//!
//! | noise | type |
//! |---|---|
//! | discrete Laplace (two-sided geometric), discrete Gaussian, geometric | [`DiscreteLaplace`], [`DiscreteGaussian`], [`Geometric`] |
//! | vectors, by their largest magnitude | [`MaxNormNoise`] |
//! | in constant time, at a stated statistical distance | [`constant_time`] |
//! | in shares of several parties | [`shares`] |
//!
//! Questions about a law (variance, tail, half-width of a confidence interval) are answered in
//! floating point: they depend on public parameters only and never touch a draw.
//!
//! # Timing
//!
//! A draw repeats until a candidate is accepted, and the time it takes depends on the candidates,
//! hence on the magnitude of the noise (Jin et al. 2022, <https://arxiv.org/abs/2112.05307>). An
//! observer who can time a single draw learns something about the noise; draw before the request
//! is known, do not let the draw be timed, or use the samplers in [`constant_time`], whose steps do not
//! depend on the noise.
//!
//! # Example
//!
//! ```
//! use dp_mechanisms::noise::DiscreteLaplace;
//! use num_rational::Ratio;
//! use privacy_core::random::SystemRng;
//!
//! // A count (sensitivity 1) with epsilon = 1/10: scale 10.
//! let noise = DiscreteLaplace::new(Ratio::from_integer(10u8.into()))?;
//! let mut rng = SystemRng::new()?;
//! let released = 1234 + noise.sample(&mut rng)?;
//! // In 95 of 100 releases the count lies within 30 of the release.
//! assert_eq!(noise.half_width(0.05)?, 30);
//! # let _ = released;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bernoulli;
mod bracket;
mod choices;
pub mod constant_time;
mod discrete_gaussian;
mod discrete_laplace;
mod error;
mod fixed;
mod geometric;
mod law;
mod lazy;
mod max_norm;
mod natural;
pub mod shares;
mod stepped;
mod table;

pub(crate) use bernoulli::exp_neg;
pub use bernoulli::{Bernoulli, BernoulliExp};
pub(crate) use choices::Choices;
#[cfg(test)]
pub(crate) use choices::told;
pub use discrete_gaussian::DiscreteGaussian;
pub use discrete_laplace::DiscreteLaplace;
pub use error::NoiseError;
pub use geometric::Geometric;
pub use max_norm::MaxNormNoise;

/// The two-sided geometric law, by its other name: P(Z = x) falls by the factor exp(-1/scale) with
/// each step away from 0.
pub type TwoSidedGeometric = DiscreteLaplace;
