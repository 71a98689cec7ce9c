//! Noise whose drawing takes the same steps whatever is drawn.
//!
//! Exact samplers repeat until a candidate is accepted, so that their time tells something about
//! the noise (Jin et al. 2022, <https://arxiv.org/abs/2112.05307>). These samplers take a fixed
//! number of random words, look at the same memory in the same order and have no branch that
//! depends on a word. In exchange their law is not exact: probabilities are rounded to fixed point
//! and the far tail is cut, and the statistical distance to the exact law is a certified
//! [`Delta`] of the sampler.
//!
//! # Privacy
//!
//! If a mechanism is (ε, δ)-differentially private with the exact noise, it is
//! (ε, δ + (1 + e^ε) τ)-differentially private with noise at statistical distance τ: each of the
//! two probabilities in the definition moves by at most τ.
//!
//! # Timing
//!
//! What is claimed holds for this source: comparisons become integers, tables are read from end to
//! end, and candidates are chosen by masks. What a compiler makes of it is not part of any
//! guarantee of Rust; `timing_does_not_follow_the_noise`, a test to run on demand in release mode,
//! compares measured times of small and large draws. The random source is outside: refilling its
//! buffer takes time at public places in the stream.

mod gaussian;
mod laplace;

use num_bigint::BigUint;
use num_rational::Ratio;
use num_traits::One;
use privacy_core::params::{Amount, Delta};

pub use gaussian::ConstantTimeGaussian;
pub use laplace::ConstantTimeLaplace;

use super::error::NoiseError;

/// Binary logarithm of the largest scale of these samplers.
const MAX_SCALE_BITS: u32 = 100;

/// 1 if `word` < `limit`, 0 otherwise, without a branch.
#[inline]
fn below(word: u64, limit: u64) -> u64 {
    // The borrow of a subtraction; hidden from the optimizer, which might prefer a jump.
    std::hint::black_box(u64::from(word.overflowing_sub(limit).1))
}

/// `bit` is 1: `a`; 0: `b`.
#[inline]
fn select(bit: u64, a: u128, b: u128) -> u128 {
    b ^ (u128::from(bit).wrapping_neg() & (a ^ b))
}

/// A statistical distance of `numerator / 2^bits`, which all these samplers keep far below 1.
fn distance(numerator: &BigUint, bits: u64) -> Result<Delta, NoiseError> {
    let ratio = Ratio::new(numerator.clone(), BigUint::one() << bits);
    Amount::from_fraction(ratio.numer().clone(), ratio.denom().clone())
        .and_then(Delta::from_amount)
        .map_err(|_| NoiseError::ScaleTooLarge { limit_bits: MAX_SCALE_BITS })
}

/// What the tests of both samplers share.
#[cfg(test)]
mod tests_shared {
    use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};

    use super::super::choices::Choices;
    use super::BigUint;

    /// Counts the words drawn, and refuses any other kind of choice.
    pub(super) struct Counted<'a> {
        pub(super) words: usize,
        random: RandomBuffer<'a>,
    }

    impl<'a> Counted<'a> {
        pub(super) fn new(rng: &'a mut dyn SecureRng) -> Self {
            Counted { words: 0, random: RandomBuffer::new(rng) }
        }
    }

    impl Choices for Counted<'_> {
        fn bits(&mut self, count: u32) -> Result<u64, EntropyError> {
            self.words += 1;
            Ok(self.random.word()? >> (64 - count))
        }
        fn bit(&mut self) -> Result<bool, EntropyError> {
            unreachable!("constant-time samplers draw whole words")
        }
        fn below_u64(&mut self, _: u64) -> Result<u64, EntropyError> {
            unreachable!("constant-time samplers draw whole words")
        }
        fn below_u128(&mut self, _: u128) -> Result<u128, EntropyError> {
            unreachable!("constant-time samplers draw whole words")
        }
        fn below_big(&mut self, _: &BigUint) -> Result<BigUint, EntropyError> {
            unreachable!("constant-time samplers draw whole words")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use privacy_core::random::InsecureTestRng;

    use super::*;

    /// Welch's t of two samples, after dropping the slowest tenth of both: interrupts.
    fn welch(samples: [Vec<f64>; 2], cut: f64) -> f64 {
        let moments = samples.map(|sample| {
            let kept: Vec<f64> = sample.into_iter().filter(|x| *x <= cut).collect();
            let n = kept.len() as f64;
            let mean = kept.iter().sum::<f64>() / n;
            (mean, kept.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0) / n)
        });
        (moments[0].0 - moments[1].0) / (moments[0].1 + moments[1].1).sqrt()
    }

    /// Times draws one by one and compares small with large ones (after dudect, Reparaz,
    /// Balasch and Verbauwhede 2017, <https://eprint.iacr.org/2016/1123>).
    fn leak(draws: usize, mut draw: impl FnMut() -> i128, median: u128) -> f64 {
        let mut timed: Vec<(f64, bool)> = Vec::with_capacity(draws);
        for _ in 0..draws {
            let start = Instant::now();
            let drawn = std::hint::black_box(draw());
            timed.push((start.elapsed().as_nanos() as f64, drawn.unsigned_abs() > median));
        }
        let mut times: Vec<f64> = timed.iter().map(|(time, _)| *time).collect();
        times.sort_by(f64::total_cmp);
        let of = |large| timed.iter().filter(|t| t.1 == large).map(|t| t.0).collect();
        welch([of(true), of(false)], times[draws * 9 / 10])
    }

    #[test]
    #[ignore = "measures time: cargo test --release -- --ignored timing_does_not_follow_the_noise"]
    fn timing_does_not_follow_the_noise() {
        // dudect's border of suspicion is |t| = 4.5; ten times as many draws must not push it.
        let scale = Ratio::from(BigUint::from(1000u32));
        let mut rng = InsecureTestRng::from_seed(9);
        let laplace = ConstantTimeLaplace::new(scale.clone()).unwrap();
        let t = leak(1_000_000, || laplace.sample(&mut rng).unwrap(), 693);
        assert!(t.abs() < 4.5, "Laplace: t = {t}");
        let gaussian = ConstantTimeGaussian::new(&scale * &scale).unwrap();
        let t = leak(300_000, || gaussian.sample(&mut rng).unwrap(), 674);
        assert!(t.abs() < 4.5, "Gaussian: t = {t}");
    }

    #[test]
    fn comparisons_and_choices_are_right_at_the_ends() {
        for (word, limit) in [(0, 0), (0, 1), (5, 5), (u64::MAX, u64::MAX), (u64::MAX, 0), (4, 5)] {
            assert_eq!(below(word, limit), u64::from(word < limit));
        }
        assert_eq!((select(1, 7, u128::MAX), select(0, 7, u128::MAX)), (7, u128::MAX));
    }
}
