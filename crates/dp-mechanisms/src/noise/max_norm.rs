//! Vector noise with masses that fall with the largest magnitude.

use std::sync::Arc;

use num_bigint::BigUint;
use num_rational::Ratio;
use num_traits::{One, Zero};
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};

use super::bracket::{Bracket, Uniform};
use super::choices::Choices;
use super::discrete_laplace::magnitude;
use super::error::NoiseError;
use super::natural::{Fraction, checked_scale};

/// Integer vectors Z with P(Z = z) proportional to exp(-max|z_i| / scale).
///
/// The mass is a mixture of uniform laws on cubes: exp(-m/scale) is proportional to the sum of
/// exp(-n/scale) over n >= m. So N is drawn with P(N = n) proportional to (2n+1)^d exp(-n/scale),
/// and then each coordinate uniformly from -N to N.
///
/// # Privacy
///
/// Added to an integer vector of L∞ sensitivity D, (D/scale)-differentially private: by the triangle
/// inequality the masses of two shifted noises differ by a factor of at most exp(D/scale)
/// everywhere (the K-norm mechanism of Hardt and Talwar 2010, <https://arxiv.org/abs/0907.3754>,
/// for the cube and integer vectors). Draws have exactly this law, given uniform random words.
///
/// # Timing
///
/// Draws take a time that depends on the noise; see the [module](crate::noise).
///
/// # Example
///
/// ```
/// use dp_mechanisms::noise::MaxNormNoise;
/// use num_rational::Ratio;
/// use privacy_core::random::SystemRng;
///
/// let noise = MaxNormNoise::new(Ratio::from_integer(10u8.into()))?;
/// let mut draws = [0i128; 5];
/// noise.fill(&mut draws, &mut SystemRng::new()?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct MaxNormNoise {
    scale: Ratio<BigUint>,
}

/// Binary logarithm of the largest scale: no memory holds the 2^44 coordinates with which the cube
/// would leave `i128`.
const MAX_SCALE_BITS: u32 = 80;

impl MaxNormNoise {
    /// Noise of the given scale, which may be any rational from 1/8 to below 2^80:
    /// smaller ones would leave nearly all candidates unaccepted.
    ///
    /// # Errors
    ///
    /// [`NoiseError::ZeroScale`], [`NoiseError::ScaleTooSmall`], [`NoiseError::ScaleTooLarge`] or
    /// [`NoiseError::ZeroDenominator`].
    pub fn new(scale: Ratio<BigUint>) -> Result<Self, NoiseError> {
        let scale = checked_scale(scale, 1)?;
        if scale.to_integer().bits() > u64::from(MAX_SCALE_BITS) {
            return Err(NoiseError::ScaleTooLarge { limit_bits: MAX_SCALE_BITS });
        }
        if scale < Ratio::new(1u8.into(), 8u8.into()) {
            return Err(NoiseError::ScaleTooSmall);
        }
        Ok(MaxNormNoise { scale })
    }

    /// The scale, exactly, in lowest terms.
    #[must_use]
    pub fn scale(&self) -> &Ratio<BigUint> {
        &self.scale
    }

    /// Overwrites `out` with one draw of as many coordinates.
    ///
    /// Takes some ten microseconds besides a random word a coordinate.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails; discard what `out` then holds.
    pub fn fill(&self, out: &mut [i128], rng: &mut dyn SecureRng) -> Result<(), EntropyError> {
        self.draw(out, &mut RandomBuffer::new(rng))
    }

    fn draw<C: Choices + ?Sized>(
        &self,
        out: &mut [i128],
        choices: &mut C,
    ) -> Result<(), EntropyError> {
        if out.is_empty() {
            return Ok(());
        }
        let half = CubeLaw::new(&self.scale, out.len() as u64).draw(choices)?;
        // Beyond 2^125 with probability below exp(-2^40).
        let half = half.min(1 << 125);
        for slot in out {
            let drawn = choices.below_u128(2 * half + 1)?;
            *slot = drawn as i128 - half as i128;
        }
        Ok(())
    }
}

/// The law P(N = n) proportional to f(n) = (2n+1)^d exp(-n/t).
///
/// ln f is concave. With the tangent of ln(2n+1) at any point c, and k(y) = y exp(1-y) <= 1,
///
/// f(n) = f(c) exp((n-c) (2d/(2c+1) - 1/t)) k((2n+1)/(2c+1))^d.
///
/// At the real c with 2c+1 = 2dt the slope is 0, which bounds f by a constant; integers left and
/// right of it bound f by geometric tails. A piece is drawn by its weight, n from the piece, and
/// accepted with the factor k^d. All parameters are rational; factors are compared by brackets.
#[derive(Debug, Clone)]
struct CubeLaw {
    dimension: u64,
    /// 2dt.
    peak: Ratio<BigUint>,
    left: Option<Arc<Tail>>,
    right: Arc<Tail>,
}

/// The numbers from `start` on, away from the peak.
#[derive(Debug)]
struct Tail {
    start: BigUint,
    /// 1 over the slope, the scale of the geometric law.
    scale: Ratio<BigUint>,
    fraction: Fraction,
    /// An upper bound of the tail's mass, relative to the value at the peak, in units of 2^-32.
    weight: BigUint,
}

const WEIGHT_BITS: u32 = 32;

impl CubeLaw {
    fn new(t: &Ratio<BigUint>, dimension: u64) -> Self {
        let d = Ratio::from(BigUint::from(dimension));
        let peak = t * &d * Ratio::from(BigUint::from(2u8));
        // About one standard deviation, t sqrt(d), on both sides of the mode dt - 1/2.
        let mode = (t * &d).to_integer();
        let deviation = (t * t * &d).to_integer().sqrt() + 1u8;
        let slope = |start: &BigUint| {
            let at = Ratio::new(BigUint::from(2 * dimension), (start << 1u8) + 1u8);
            (at, t.recip())
        };
        let tail = |start: BigUint, scale: Ratio<BigUint>| {
            let bound = |precision: u64| {
                let height = power_factor(&odd_over(&start, &peak), dimension, precision);
                let step = Bracket::exp_neg(scale.denom(), scale.numer(), precision);
                height.over(&step.complement(precision), precision)
            };
            // Scales have at most 130 bits: the divisor is known to 60 or so.
            let precision = 200 + scale.to_integer().bits();
            let weight = (bound(precision).high >> (precision - u64::from(WEIGHT_BITS))) + 1u8;
            Arc::new(Tail { start, fraction: Fraction::from(&scale), scale, weight })
        };
        let right_start = &mode + &deviation + 1u8;
        let (falling, rising) = slope(&right_start);
        let right = tail(right_start, (rising - falling).recip());
        let left = (mode > &deviation + 1u8).then(|| {
            let start = &mode - &deviation - 1u8;
            let (falling, rising) = slope(&start);
            tail(start, (falling - rising).recip())
        });
        CubeLaw { dimension, peak, left, right }
    }

    fn draw<C: Choices + ?Sized>(&self, choices: &mut C) -> Result<u128, EntropyError> {
        loop {
            if let Some(drawn) = self.attempt(choices)? {
                return Ok(u128::try_from(drawn).unwrap_or(u128::MAX));
            }
        }
    }

    /// One round of rejection sampling.
    fn attempt<C: Choices + ?Sized>(
        &self,
        choices: &mut C,
    ) -> Result<Option<BigUint>, EntropyError> {
        // The middle is what lies strictly between the tails.
        let first = self.left.as_ref().map_or_else(BigUint::zero, |left| &left.start + 1u8);
        let middle = (&self.right.start - &first) << WEIGHT_BITS;
        let outside = self.left.as_ref().map_or_else(BigUint::zero, |l| l.weight.clone())
            + &self.right.weight;
        if choices.chance(&middle, &(&middle + &outside))? {
            let width = &self.right.start - &first;
            let n = first + choices.below_big(&width)?;
            let y = odd_over(&n, &self.peak);
            let accepted = Uniform::starting(0, 0)
                .is_below(choices, |p| power_factor(&y, self.dimension, p))?;
            return Ok(accepted.then_some(n));
        }
        let is_right = choices.chance(&self.right.weight, &outside)?;
        let tail = match &self.left {
            Some(left) if !is_right => left,
            _ => &self.right,
        };
        // A rejected round of the tail's own sampler must not make the tail less likely.
        let distance = loop {
            if let Some(distance) = magnitude(choices, &tail.fraction)? {
                break distance;
            }
        };
        let n = if is_right {
            &tail.start + distance
        } else if tail.start >= BigUint::from(distance) {
            &tail.start - distance
        } else {
            return Ok(None);
        };
        let y = Ratio::new((&n << 1u8) + 1u8, (&tail.start << 1u8) + 1u8);
        let height = odd_over(&tail.start, &self.peak);
        let guard = tail.scale.to_integer().bits() + u64::from(WEIGHT_BITS) + 8;
        let accepted = Uniform::starting(0, 0).is_below(choices, |precision| {
            let inside = precision + guard;
            let step = Bracket::exp_neg(tail.scale.denom(), tail.scale.numer(), inside);
            let step = step.complement(inside);
            let weight = Bracket { low: tail.weight.clone(), high: tail.weight.clone() };
            let shift = inside - u64::from(WEIGHT_BITS);
            let weight = Bracket { low: weight.low << shift, high: weight.high << shift };
            power_factor(&height, self.dimension, inside)
                .times(&power_factor(&y, self.dimension, inside), inside)
                .over(&step.times(&weight, inside), inside)
                .shortened(guard)
        })?;
        Ok(accepted.then_some(n))
    }
}

/// (2n+1) / peak
fn odd_over(n: &BigUint, peak: &Ratio<BigUint>) -> Ratio<BigUint> {
    Ratio::from((n << 1u8) + 1u8) / peak
}

/// k(y)^d = (y exp(1-y))^d, which is at most 1.
fn power_factor(y: &Ratio<BigUint>, d: u64, precision: u64) -> Bracket {
    let inside = precision + 16 + 2 * u64::from(u64::BITS - d.leading_zeros());
    let one = Ratio::<BigUint>::one();
    let unit = BigUint::one() << inside;
    let (numer, denom) = (y.numer(), y.denom());
    let scaled =
        |e: &Bracket| Bracket { low: &e.low * numer / denom, high: &e.high * numer / denom + 1u8 };
    let factor = if *y >= one {
        let g = y - &one;
        scaled(&Bracket::exp_neg(g.numer(), g.denom(), inside))
    } else {
        let g = &one - y;
        let inverse = Bracket::exp_neg(g.numer(), g.denom(), inside);
        scaled(&Bracket::one(inside).over(&inverse, inside))
    };
    let factor = Bracket { high: factor.high.min(unit), low: factor.low };
    // By repeated squaring, from the highest bit of d.
    let mut power = Bracket::one(inside);
    for bit in (0..u64::BITS - d.leading_zeros()).rev() {
        power = power.times(&power, inside);
        if d >> bit & 1 == 1 {
            power = power.times(&factor, inside);
        }
    }
    power.shortened(inside - precision)
}

#[cfg(test)]
mod tests {
    use privacy_core::random::InsecureTestRng;
    use privacy_testing::enumerate::enumerate;
    use privacy_testing::interval::Interval;
    use privacy_testing::statistics::check_chi_square;

    use super::super::choices::told::Merged;
    use super::*;

    fn ratio(a: u64, b: u64) -> Ratio<BigUint> {
        Ratio::new(a.into(), b.into())
    }

    /// exp(-m/t) over its sum, for magnitudes m that `points(m)` vectors have.
    fn truth(t: &Ratio<BigUint>, points: impl Fn(u64) -> u64, m: u64) -> Interval {
        let mass = |m: u64| {
            let count = Interval::exact(ratio(points(m), 1));
            Interval::exp_neg(&(t.recip() * ratio(m, 1)), 120).times(&count)
        };
        let mut total = (0..400).fold(Interval::exact(ratio(0, 1)), |s, m| s.plus(&mass(m)));
        total.high += ratio(1, 1 << 60);
        mass(m).divided_by(&total)
    }

    #[test]
    fn the_law_of_the_cube_is_exact() {
        for (a, b, d) in [(1, 2, 1u32), (1, 1, 2), (1, 3, 5), (5, 1, 1)] {
            let t = ratio(a, b);
            let cube = CubeLaw::new(&t, d.into());
            let law = enumerate(16, |c| cube.attempt(&mut Merged(c)));
            assert!(law.unexplored < ratio(1, 5), "t = {a}/{b}, d = {d}: {}", law.unexplored);
            for n in 0..6 {
                let drawn = law.probability_given(&Some(BigUint::from(n)), Option::is_some);
                let truth = truth(&t, |n| (2 * n + 1).pow(d), n);
                assert!(drawn.meets(&truth), "t = {a}/{b}, d = {d}, n = {n}");
            }
        }
    }

    #[test]
    fn a_wrong_scale_is_told_apart() {
        let cube = CubeLaw::new(&ratio(1, 2), 2);
        let law = enumerate(16, |c| cube.attempt(&mut Merged(c)));
        let drawn = law.probability_given(&Some(BigUint::zero()), Option::is_some);
        assert!(!drawn.meets(&truth(&ratio(1, 1), |n| (2 * n + 1).pow(2), 0)));
    }

    #[test]
    fn vectors_have_masses_that_fall_with_their_largest_magnitude() {
        // Two coordinates, scale 2: 25 cells around 0 and the rest. False-alarm probability 1e-9,
        // seed fixed.
        let t = ratio(2, 1);
        let noise = MaxNormNoise::new(t.clone()).unwrap();
        let mut rng = InsecureTestRng::from_seed(4);
        let mut counts = vec![0u64; 26];
        let draws = 10_000;
        for _ in 0..draws {
            let mut z = [0i128; 2];
            noise.fill(&mut z, &mut rng).unwrap();
            let inside = z.iter().all(|x| x.abs() <= 2);
            counts[if inside { ((z[0] + 2) * 5 + z[1] + 2) as usize } else { 25 }] += 1;
        }
        let ring = |m: u64| if m == 0 { 1 } else { 8 * m };
        let to_f64 = |x: &Ratio<BigUint>| {
            u64::try_from((x.numer() << 60u8) / x.denom()).unwrap() as f64 / 2f64.powi(60)
        };
        let mut expected: Vec<f64> = (0..25i128)
            .map(|i| {
                let m = (i / 5 - 2).abs().max((i % 5 - 2).abs()) as u64;
                to_f64(&truth(&t, ring, m).low) / ring(m) as f64
            })
            .collect();
        expected.push(1.0 - expected.iter().sum::<f64>());
        check_chi_square(&counts, &expected, 1e-9);
    }

    #[test]
    fn extreme_scales_and_lengths_are_drawn() {
        let mut rng = InsecureTestRng::from_seed(8);
        let mut out = vec![0i128; 1000];
        for scale in [ratio(1, 8), ratio(1, 1), Ratio::from((BigUint::one() << 80u8) - 1u8)] {
            let noise = MaxNormNoise::new(scale).unwrap();
            noise.fill(&mut out, &mut rng).unwrap();
            noise.fill(&mut out[..1], &mut rng).unwrap();
            noise.fill(&mut [], &mut rng).unwrap();
        }
        assert!(out.iter().any(|x| x.unsigned_abs() > 1 << 85));
        let above = Ratio::from(BigUint::one() << 80u8);
        let refused = NoiseError::ScaleTooLarge { limit_bits: 80 };
        assert_eq!(MaxNormNoise::new(above).unwrap_err(), refused);
        assert_eq!(MaxNormNoise::new(ratio(1, 9)).unwrap_err(), NoiseError::ScaleTooSmall);
        assert_eq!(MaxNormNoise::new(ratio(0, 1)).unwrap_err(), NoiseError::ZeroScale);
    }
}
