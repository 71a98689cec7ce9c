//! The discrete Gaussian law by a fixed number of candidates.

use num_bigint::BigUint;
use num_rational::Ratio;
use num_traits::One;
use privacy_core::params::Delta;
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};

use super::super::choices::Choices;
use super::super::error::NoiseError;
use super::super::fixed::{SPAN_BITS, high_half};
use super::super::natural::checked_scale;
use super::super::stepped::{GaussianShape, Shape};
use super::{below, distance, select};

/// Candidates of a draw. Each is accepted with probability above 7/8, so that none of them is with
/// probability below 2^-63.
const CANDIDATES: usize = 21;

/// Discrete Gaussian noise drawn in constant time, up to a stated statistical distance.
///
/// Small sigmas (below 32): a random word is compared with all entries of the cumulative law.
/// Larger ones: the same for cells of width sigma/16 to sigma/8, with a uniform offset, accepted by
/// a polynomial; 21 candidates are drawn and the first accepted one is taken by a mask.
///
/// # Privacy
///
/// [`extra_delta`](Self::extra_delta) bounds the statistical distance to
/// [`DiscreteGaussian`](crate::noise::DiscreteGaussian) of the same variance; the
/// [module](crate::noise::constant_time) says what it costs.
///
/// # Timing
///
/// [`words_per_draw`](Self::words_per_draw) random words and the same operations, always.
///
/// # Example
///
/// ```
/// use dp_mechanisms::noise::constant_time::ConstantTimeGaussian;
/// use num_rational::Ratio;
/// use privacy_core::random::SystemRng;
///
/// let noise = ConstantTimeGaussian::new(Ratio::from_integer(100u8.into()))?;
/// assert!(noise.extra_delta().to_f64_up() < 1e-14);
/// let released = 1234 + noise.sample(&mut SystemRng::new()?)?;
/// # let _ = released;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ConstantTimeGaussian {
    sigma_squared: Ratio<BigUint>,
    shift: u32,
    /// Cumulative probabilities of the cells, in units of 2^-63, rounded down.
    ends: Vec<u64>,
    /// 2^(2 shift) / (2 sigma^2) in units of 2^-70, rounded down.
    step: u64,
    extra_delta: Delta,
}

impl ConstantTimeGaussian {
    /// Noise with parameter sigma^2, which may be any rational above 0 and up to 2^200.
    ///
    /// # Errors
    ///
    /// [`NoiseError::ZeroScale`], [`NoiseError::ScaleTooLarge`] or
    /// [`NoiseError::ZeroDenominator`].
    pub fn new(sigma_squared: Ratio<BigUint>) -> Result<Self, NoiseError> {
        let sigma_squared = checked_scale(sigma_squared, 2)?;
        let shape = GaussianShape::new(&sigma_squared);
        let ends: Vec<u64> = shape
            .cumulatives()
            .map(|span| (span.low >> (SPAN_BITS - 63)) as u64)
            .take_while(|end| *end < (1 << 63) - 1)
            .collect();
        // The cell drawn is another than with the exact law only where a uniform number lies
        // between a border and its rounding, or beyond the last border: less than two units of
        // 2^-63 each.
        let cell = BigUint::from(ends.len() + 1) << (80 - 62);
        let total = if shape.shift() == 0 {
            cell
        } else {
            // In units of 2^-80: each candidate's cell, its coin (2^-53, see `accepts`), and that
            // no candidate is accepted (2^-63).
            (cell + (BigUint::one() << (80 - 53))) * CANDIDATES + (BigUint::one() << (80 - 63))
        };
        Ok(ConstantTimeGaussian {
            extra_delta: distance(&total, 80)?,
            shift: shape.shift(),
            step: shape.step(),
            ends,
            sigma_squared,
        })
    }

    /// The parameter sigma^2, exactly, in lowest terms.
    #[must_use]
    pub fn sigma_squared(&self) -> &Ratio<BigUint> {
        &self.sigma_squared
    }

    /// An upper bound of the statistical distance to the exact law.
    #[must_use]
    pub fn extra_delta(&self) -> &Delta {
        &self.extra_delta
    }

    /// The largest magnitude that can be drawn: what lies beyond is censored.
    #[must_use]
    pub fn largest(&self) -> u128 {
        // The last cell, up to its end.
        ((self.ends.len() as u128 + 1) << self.shift) - 1
    }

    /// How many random words each draw takes.
    #[must_use]
    pub fn words_per_draw(&self) -> usize {
        match self.shift {
            0 => 1,
            1..=64 => 3 * CANDIDATES,
            _ => 4 * CANDIDATES,
        }
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
        let (mut drawn, mut done) = (0, 0);
        let candidates = if self.shift == 0 { 1 } else { CANDIDATES };
        for _ in 0..candidates {
            let word = choices.bits(64)?;
            let (negative, cell) = (word & 1, self.cell(word >> 1));
            let (magnitude, accepted) = if self.shift == 0 {
                (u128::from(cell), 1)
            } else {
                let place = choices.bits(64)?;
                let uniform = choices.bits(63)?;
                let offset = if self.shift <= 64 {
                    u128::from(place >> (64 - self.shift))
                } else {
                    let missing = self.shift - 64;
                    (u128::from(place) << missing) | u128::from(choices.bits(missing)?)
                };
                // Bits of the word beyond the offset must not move the exponent.
                let spare = 64u32.saturating_sub(self.shift);
                let place = place >> spare << spare;
                let magnitude = (u128::from(cell) << self.shift) + offset;
                // Minus zero is rejected.
                let zero = 1 - nonzero(magnitude);
                (magnitude, below(uniform, accepts(self.step, cell, place)) & !(negative & zero))
            };
            let sign = i128::from(negative);
            let signed = (magnitude as i128 ^ -sign) + sign;
            drawn = select((accepted & 1) & (1 - done), signed as u128, drawn);
            done |= accepted & 1;
        }
        Ok(drawn as i128)
    }

    /// The cell of a word of 63 bits: how many borders do not lie above it. Reads all of them.
    #[inline]
    fn cell(&self, word: u64) -> u64 {
        self.ends.iter().map(|end| 1 - u64::from(word.overflowing_sub(*end).1)).sum()
    }
}

/// 1 if `x` is not 0.
fn nonzero(x: u128) -> u64 {
    ((x | x.wrapping_neg()) >> 127) as u64
}

/// exp(-g) in units of 2^-63 for g = step 2^-70 x (2 cell + x), x = place 2^-64.
///
/// Errs by less than 2^-53: g by 2^-59 (a factor below 2^10 cut at 2^-54, a step below 2^-7 at
/// 2^-70, and x at 2^-64); the polynomial of g/4 by 2 units for each of 21 coefficients and its
/// remainder; and each squaring doubles that and adds 2.
#[inline]
fn accepts(step: u64, cell: u64, place: u64) -> u64 {
    let factor = u128::from(place) * u128::from(2 * cell) + u128::from(high_half(place, place));
    // The factor in units of 2^-54 and the step in those of 2^-70: the product in those of 2^-124.
    let g = (u128::from((factor >> 10) as u64) * u128::from(step)) >> 62;
    // In units of 2^-62, below 2^64; a quarter of it in those of 2^-64.
    let quarter = g as u64;
    let mut value = 0u64;
    for coefficient in INVERSE_FACTORIALS.iter().rev() {
        value = coefficient - high_half(quarter, value);
    }
    for _ in 0..2 {
        value = ((u128::from(value) * u128::from(value)) >> 63) as u64;
    }
    value
}

/// 1/k! in units of 2^-63, rounded down.
const INVERSE_FACTORIALS: [u64; 21] = {
    let mut table = [1 << 63; 21];
    let mut k = 1;
    while k < 21 {
        table[k] = table[k - 1] / k as u64;
        k += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use num_traits::Zero;
    use privacy_core::random::InsecureTestRng;
    use privacy_testing::interval::Interval;
    use privacy_testing::statistics::check_chi_square;

    use super::*;
    use crate::noise::DiscreteGaussian;
    use crate::noise::constant_time::tests_shared::Counted;

    type Exact = Ratio<BigUint>;

    fn ratio(a: u64, b: u64) -> Exact {
        Ratio::new(a.into(), b.into())
    }

    #[test]
    fn the_distance_of_the_implementation_is_within_the_stated_one() {
        for (a, b) in [(1u64, 4u64), (1, 1), (9, 4), (25, 1)] {
            let variance = ratio(a, b);
            let noise = ConstantTimeGaussian::new(variance.clone()).unwrap();
            let weight = |k: u64| {
                let weight = Interval::exp_neg(&(ratio(k * k, 2) / &variance), 200);
                if k > 0 { weight.plus(&weight) } else { weight }
            };
            let weights: Vec<Interval> = (0..90).map(weight).collect();
            let mut total = weights.iter().fold(Interval::exact(ratio(0, 1)), |sum, w| sum.plus(w));
            total.high += ratio(1, 1 << 60) * ratio(1, 1 << 60);
            let unit = BigUint::one() << 63u8;
            let mut last = 0u64;
            let mut far = ratio(0, 1);
            let all = noise.ends.iter().copied().chain([1 << 63]);
            for (magnitude, end) in all.enumerate() {
                let p = Ratio::new((end - last).into(), unit.clone());
                last = end;
                let q = weights[magnitude].divided_by(&total);
                let above = if p > q.low { &p - &q.low } else { Exact::zero() };
                let below = if q.high > p { &q.high - &p } else { Exact::zero() };
                far += above.max(below);
            }
            for beyond in &weights[noise.ends.len() + 1..] {
                far += beyond.divided_by(&total).high;
            }
            let stated = noise.extra_delta().amount().as_ratio().clone();
            assert!(far / ratio(2, 1) <= stated, "variance {a}/{b}");
            assert!(stated < ratio(1, 1 << 54), "variance {a}/{b}");
        }
    }

    #[test]
    fn coins_are_within_their_stated_error() {
        let bound = ratio(1, 1 << 53);
        for bits in [6u32, 20, 60, 80] {
            for sigma in [BigUint::one() << bits, (BigUint::one() << (bits + 1)) - 1u8] {
                let shape = GaussianShape::new(&Ratio::from(&sigma * &sigma));
                for i in 0..150u64 {
                    let spare = 64u32.saturating_sub(shape.shift());
                    let place = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> spare << spare;
                    let ours =
                        Ratio::new(accepts(shape.step(), i, place).into(), BigUint::one() << 63u8);
                    let offset = (u128::from(place) << 64) >> (128 - shape.shift());
                    let truth = Interval::exp_neg(&shape.exponent(i, offset), 100);
                    assert!(ours <= &truth.high + &bound && truth.low <= &ours + &bound, "{i}");
                }
            }
        }
    }

    #[test]
    fn each_draw_takes_the_same_number_of_words() {
        for variance in [ratio(9, 1), ratio(1 << 20, 1), Ratio::from(BigUint::one() << 170u8)] {
            let noise = ConstantTimeGaussian::new(variance).unwrap();
            let mut rng = InsecureTestRng::from_seed(5);
            for _ in 0..200 {
                let mut counted = Counted::new(&mut rng);
                noise.draw(&mut counted).unwrap();
                assert_eq!(counted.words, noise.words_per_draw());
            }
        }
    }

    #[test]
    fn draws_follow_the_law() {
        // False-alarm probability 1e-9 for each sigma, seed fixed.
        for sigma in [3u64, 40, 1000] {
            let variance = ratio(sigma * sigma, 1);
            let noise = ConstantTimeGaussian::new(variance.clone()).unwrap();
            let exact = DiscreteGaussian::new(variance).unwrap();
            let mut rng = InsecureTestRng::from_seed(6);
            let mut draws = vec![0; 100_000];
            noise.fill(&mut draws, &mut rng).unwrap();
            let end = 3 * sigma as i128;
            let mut counts = vec![0u64; 2 * end as usize + 1];
            for draw in draws {
                counts[(draw.clamp(-end, end) + end) as usize] += 1;
            }
            let probability = |x: i128| match x.abs() {
                m if m == end => exact.tail(end as u128 - 1) / 2.0,
                _ => exact.pmf(x),
            };
            let expected: Vec<f64> = (-end..=end).map(probability).collect();
            check_chi_square(&counts, &expected, 1e-9);
        }
    }
}
