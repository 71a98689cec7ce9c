//! Exact discrete noise: coin flips, discrete Laplace and discrete Gaussian draws.
//!
//! Every draw is made of uniform integers compared with integers. No floating-point number stands
//! between the random words and the result, so that a draw has exactly the stated law; the
//! attacks on rounded noise (Mironov 2012, <https://doi.org/10.1145/2382196.2382264>) have nothing
//! to hold on to. Parameters are rationals of any size; small ones run on machine words, others on
//! big integers, with the same law.
//!
//! The algorithms are those of Canonne, Kamath and Steinke 2020, "The Discrete Gaussian for
//! Differential Privacy", <https://arxiv.org/abs/2004.00010> (CKS20 below).
//!
//! Questions about a law (variance, tail, half-width of a confidence interval) are answered in
//! floating point: they depend on public parameters only and never touch a draw.
//!
//! # Timing
//!
//! A draw repeats until a candidate is accepted, and the time it takes depends on the candidates,
//! hence on the magnitude of the noise (Jin et al. 2022, <https://arxiv.org/abs/2112.05307>). An
//! observer who can time a single draw learns something about the noise; draw before the request
//! is known, or do not let the draw be timed.
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
mod discrete_gaussian;
mod discrete_laplace;
mod error;
mod fixed;
mod law;
mod lazy;
mod natural;
mod stepped;
mod table;

pub use bernoulli::{Bernoulli, BernoulliExp};
pub use discrete_gaussian::DiscreteGaussian;
pub use discrete_laplace::DiscreteLaplace;
pub use error::NoiseError;
