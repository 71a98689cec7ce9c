//! The one-sided geometric law.

use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};

use super::choices::Choices;
use super::discrete_laplace::magnitude;
use super::error::NoiseError;
use super::lazy::Lazy;
use super::natural::{Fraction, checked_scale};
use super::stepped::{LaplaceShape, Stepped};

/// Integer noise Z >= 0 with P(Z = x) = (1-r) r^x, r = exp(-1/scale).
///
/// One side of [`DiscreteLaplace`](super::DiscreteLaplace), for what must not be negative: waiting
/// times, dummy records, padding. The difference of two such draws has the two-sided law.
///
/// # Privacy
///
/// Added to a count it protects by itself only with a shift and a δ: where it is 0, it reveals that
/// the count is not larger than what is seen.
///
/// # Timing
///
/// Draws take a time that depends on the noise; see the [module](crate::noise).
///
/// # Example
///
/// ```
/// use dp_mechanisms::noise::Geometric;
/// use num_rational::Ratio;
/// use privacy_core::random::SystemRng;
///
/// let padding = Geometric::new(Ratio::from_integer(20u8.into()))?;
/// let dummies: u128 = padding.sample(&mut SystemRng::new()?)?;
/// # let _ = dummies;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Geometric {
    scale: Ratio<BigUint>,
    fraction: Fraction,
    fast: Lazy<Stepped<LaplaceShape>>,
}

impl Geometric {
    /// Noise of the given scale, which may be any rational above 0 and up to 2^100.
    ///
    /// # Errors
    ///
    /// [`NoiseError::ZeroScale`], [`NoiseError::ScaleTooLarge`] or
    /// [`NoiseError::ZeroDenominator`].
    pub fn new(scale: Ratio<BigUint>) -> Result<Self, NoiseError> {
        let scale = checked_scale(scale, 1)?;
        Ok(Geometric { fraction: Fraction::from(&scale), fast: Lazy::new(), scale })
    }

    /// The scale, exactly, in lowest terms.
    #[must_use]
    pub fn scale(&self) -> &Ratio<BigUint> {
        &self.scale
    }

    /// One draw; at most `u128::MAX`, which it passes with probability below exp(-2^27).
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails.
    pub fn sample(&self, rng: &mut dyn SecureRng) -> Result<u128, EntropyError> {
        let random = &mut RandomBuffer::new(rng);
        match self.fast.after(1, || self.stepped()) {
            Some(fast) => Ok(fast.draw(random)?.0),
            None => self.draw(random),
        }
    }

    /// Overwrites `out` with independent draws, faster than one by one; a draw beyond the range of
    /// words becomes its end.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails; discard what `out` then holds.
    pub fn fill(&self, out: &mut [u64], rng: &mut dyn SecureRng) -> Result<(), EntropyError> {
        let random = &mut RandomBuffer::new(rng);
        let fast = self.fast.after(out.len(), || self.stepped());
        for slot in out {
            let drawn = match fast {
                Some(fast) => fast.draw(random)?.0,
                None => self.draw(random)?,
            };
            *slot = u64::try_from(drawn).unwrap_or(u64::MAX);
        }
        Ok(())
    }

    fn stepped(&self) -> Stepped<LaplaceShape> {
        Stepped::new(LaplaceShape::new(&self.scale, false))
    }

    fn draw<C: Choices + ?Sized>(&self, choices: &mut C) -> Result<u128, EntropyError> {
        loop {
            if let Some(drawn) = magnitude(choices, &self.fraction)? {
                return Ok(drawn);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::random::InsecureTestRng;
    use privacy_testing::enumerate::enumerate;
    use privacy_testing::interval::Interval;

    use super::super::choices::told::Merged;
    use super::*;

    #[test]
    fn the_law_of_a_draw_is_exact() {
        let scale = Ratio::new(7u8.into(), 3u8.into());
        let noise = Geometric::new(scale.clone()).unwrap();
        let law = enumerate(30, |c| magnitude(&mut Merged(c), &noise.fraction));
        let power =
            |x: u8| Interval::exp_neg(&(scale.recip() * Ratio::from(BigUint::from(x))), 200);
        for x in 0..8 {
            let truth = power(1).complement().times(&power(x));
            let drawn = law.probability_given(&Some(x.into()), Option::is_some);
            assert!(drawn.meets(&truth), "{x}");
        }
    }

    #[test]
    fn batches_and_single_draws_have_the_mean_of_the_law() {
        // Scale 1000: mean 999.5, standard deviation 1000. Six standard errors, seed fixed.
        let noise = Geometric::new(Ratio::from_integer(1000u32.into())).unwrap();
        let mut rng = InsecureTestRng::from_seed(3);
        let mut draws = vec![0; 200_000];
        noise.fill(&mut draws, &mut rng).unwrap();
        let mean = draws.iter().sum::<u64>() as f64 / 2e5;
        assert!((mean - 999.5).abs() < 6.0 * 1000.0 / 2e5f64.sqrt(), "{mean}");
        let mut few = [0; 3];
        Geometric::new(Ratio::from_integer(1000u32.into()))
            .unwrap()
            .fill(&mut few, &mut rng)
            .unwrap();
        assert!(few.iter().all(|x| *x < 60_000));
        assert!(noise.sample(&mut rng).unwrap() < 60_000);
    }
}
