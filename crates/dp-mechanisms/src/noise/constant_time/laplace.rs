//! The discrete Laplace law, digit by digit.

use num_bigint::BigUint;
use num_rational::Ratio;
use num_traits::One;
use privacy_core::params::Delta;
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};

use super::super::bracket::Bracket;
use super::super::choices::Choices;
use super::super::error::NoiseError;
use super::super::natural::checked_scale;
use super::{below, distance};

/// Discrete Laplace noise drawn in constant time, up to a stated statistical distance.
///
/// The binary digits of a geometric variable of ratio r are independent, the i-th being 1 with
/// probability 1/(1 + r^(-2^i)), and the difference of two such variables is discrete Laplace. Each
/// digit is one comparison of a random word with a constant, and there are as many digits as it
/// takes for the rest to have probability below 2^-64.
///
/// # Privacy
///
/// [`extra_delta`](Self::extra_delta) bounds the statistical distance to
/// [`DiscreteLaplace`](crate::noise::DiscreteLaplace) of the same scale; the
/// [module](crate::noise::constant_time) says what it costs.
///
/// # Timing
///
/// [`words_per_draw`](Self::words_per_draw) random words and as many comparisons, always.
///
/// # Example
///
/// ```
/// use dp_mechanisms::noise::constant_time::ConstantTimeLaplace;
/// use num_rational::Ratio;
/// use privacy_core::random::SystemRng;
///
/// let noise = ConstantTimeLaplace::new(Ratio::from_integer(10u8.into()))?;
/// assert!(noise.extra_delta().to_f64_up() < 1e-17);
/// let released = 1234 + noise.sample(&mut SystemRng::new()?)?;
/// # let _ = released;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ConstantTimeLaplace {
    scale: Ratio<BigUint>,
    /// The probability of each digit, in units of 2^-64, rounded down.
    digits: Vec<u64>,
    extra_delta: Delta,
}

impl ConstantTimeLaplace {
    /// Noise of the given scale, which may be any rational above 0 and up to 2^100.
    ///
    /// # Errors
    ///
    /// [`NoiseError::ZeroScale`], [`NoiseError::ScaleTooLarge`] or
    /// [`NoiseError::ZeroDenominator`].
    pub fn new(scale: Ratio<BigUint>) -> Result<Self, NoiseError> {
        const PRECISION: u64 = 128;
        let scale = checked_scale(scale, 1)?;
        let power =
            |digit: usize| Bracket::exp_neg(&(scale.denom() << digit), scale.numer(), PRECISION);
        let (mut digits, mut error) = (Vec::new(), BigUint::ZERO);
        let mut rest = power(0);
        // What the digits so far leave out has probability r^(2^digits).
        while rest.high > BigUint::one() << (PRECISION - 64) {
            let one = Bracket::one(PRECISION);
            let probability = rest.over(&one.plus(&rest), PRECISION);
            let digit = u64::try_from(&probability.low >> (PRECISION - 64)).unwrap_or(u64::MAX);
            error += &probability.high - (BigUint::from(digit) << (PRECISION - 64));
            digits.push(digit);
            rest = power(digits.len());
        }
        // Both variables are off by the digits' errors and by what is cut, and the distance of
        // independent pairs is at most the sum of the distances.
        let total = (error + rest.high) << 1u8;
        Ok(ConstantTimeLaplace { extra_delta: distance(&total, PRECISION)?, digits, scale })
    }

    /// The scale, exactly, in lowest terms.
    #[must_use]
    pub fn scale(&self) -> &Ratio<BigUint> {
        &self.scale
    }

    /// An upper bound of the statistical distance to the exact law.
    #[must_use]
    pub fn extra_delta(&self) -> &Delta {
        &self.extra_delta
    }

    /// The largest magnitude that can be drawn: what lies beyond is censored.
    #[must_use]
    pub fn largest(&self) -> u128 {
        // At most 107 digits.
        (1 << self.digits.len()) - 1
    }

    /// How many random words each draw takes.
    #[must_use]
    pub fn words_per_draw(&self) -> usize {
        2 * self.digits.len()
    }

    /// One draw, in constant time.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails.
    pub fn sample(&self, rng: &mut dyn SecureRng) -> Result<i128, EntropyError> {
        self.draw(&mut RandomBuffer::new(rng))
    }

    /// Overwrites `out` with independent draws, in a time that depends on its length alone.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails; discard what `out` then holds.
    pub fn fill(&self, out: &mut [i128], rng: &mut dyn SecureRng) -> Result<(), EntropyError> {
        let random = &mut RandomBuffer::new(rng);
        for slot in out {
            *slot = self.draw(random)?;
        }
        Ok(())
    }

    fn draw<C: Choices + ?Sized>(&self, choices: &mut C) -> Result<i128, EntropyError> {
        let (mut plus, mut minus) = (0u128, 0u128);
        for (i, digit) in self.digits.iter().enumerate() {
            plus |= u128::from(below(choices.bits(64)?, *digit)) << i;
            minus |= u128::from(below(choices.bits(64)?, *digit)) << i;
        }
        // At most 107 digits.
        Ok(plus as i128 - minus as i128)
    }
}

#[cfg(test)]
mod tests {
    use num_traits::Zero;
    use privacy_core::random::InsecureTestRng;
    use privacy_testing::interval::Interval;
    use privacy_testing::statistics::check_chi_square;

    use super::*;
    use crate::noise::DiscreteLaplace;
    use crate::noise::constant_time::tests_shared::Counted;

    type Exact = Ratio<BigUint>;

    fn ratio(a: u64, b: u64) -> Exact {
        Ratio::new(a.into(), b.into())
    }

    /// The exact law of one variable of the implementation.
    fn implemented(noise: &ConstantTimeLaplace) -> Vec<Exact> {
        let mut law = vec![ratio(1, 1)];
        for digit in &noise.digits {
            let one = Ratio::new((*digit).into(), BigUint::one() << 64u8);
            let zero = ratio(1, 1) - &one;
            law = law.iter().map(|p| p * &zero).chain(law.iter().map(|p| p * &one)).collect();
        }
        law
    }

    #[test]
    fn the_distance_of_the_implementation_is_within_the_stated_one() {
        for (a, b) in [(1u64, 3u64), (1, 1), (3, 2)] {
            let scale = ratio(a, b);
            let noise = ConstantTimeLaplace::new(scale.clone()).unwrap();
            let one_side = implemented(&noise);
            let power = |x: usize| Interval::exp_neg(&(scale.recip() * ratio(x as u64, 1)), 150);
            let zero_mass = power(1).complement();
            // Half the sum of |p - q|, from above; beyond the digits q alone counts.
            let far = power(one_side.len()).high;
            let side: Exact = one_side
                .iter()
                .enumerate()
                .map(|(x, p)| {
                    let q = zero_mass.times(&power(x)).rounded(180);
                    let above = if *p > q.low { p - &q.low } else { Exact::zero() };
                    let below = if q.high > *p { &q.high - p } else { Exact::zero() };
                    above.max(below)
                })
                .fold(far, |sum, d| sum + d)
                / ratio(2, 1);
            // The difference of two independent sides is at most twice as far.
            let stated = noise.extra_delta().amount().as_ratio().clone();
            assert!(&side * ratio(2, 1) <= stated, "scale {a}/{b}");
            assert!(stated < Ratio::new(1u8.into(), BigUint::one() << 57u8), "scale {a}/{b}");
        }
    }

    #[test]
    fn each_draw_takes_the_same_number_of_words() {
        for scale in [ratio(1, 10), ratio(3, 1), ratio(1 << 40, 1)] {
            let noise = ConstantTimeLaplace::new(scale).unwrap();
            let mut rng = InsecureTestRng::from_seed(5);
            for _ in 0..300 {
                let mut counted = Counted::new(&mut rng);
                noise.draw(&mut counted).unwrap();
                assert_eq!(counted.words, noise.words_per_draw());
            }
        }
    }

    #[test]
    fn draws_follow_the_law() {
        // False-alarm probability 1e-9, seed fixed.
        let noise = ConstantTimeLaplace::new(ratio(20, 1)).unwrap();
        let exact = DiscreteLaplace::new(ratio(20, 1)).unwrap();
        let mut rng = InsecureTestRng::from_seed(6);
        let mut draws = vec![0; 200_000];
        noise.fill(&mut draws, &mut rng).unwrap();
        let mut counts = vec![0u64; 202];
        for draw in draws {
            counts[(draw.clamp(-101, 100) + 101) as usize] += 1;
        }
        let probability = |x: i128| match x {
            -101 => exact.tail(100) / 2.0,
            100 => exact.tail(99) / 2.0,
            x => exact.pmf(x),
        };
        let expected: Vec<f64> = (-101..=100).map(probability).collect();
        check_chi_square(&counts, &expected, 1e-9);
    }

    #[test]
    fn scales_of_all_sizes_are_drawn_and_others_refused() {
        let mut rng = InsecureTestRng::from_seed(7);
        let huge = ConstantTimeLaplace::new(Ratio::from(BigUint::one() << 100u8)).unwrap();
        assert!(huge.sample(&mut rng).unwrap().unsigned_abs() > 1 << 60);
        let tiny = ConstantTimeLaplace::new(ratio(1, 1 << 30)).unwrap();
        assert_eq!(tiny.sample(&mut rng).unwrap(), 0);
        assert_eq!(ConstantTimeLaplace::new(ratio(0, 1)).unwrap_err(), NoiseError::ZeroScale);
    }
}
