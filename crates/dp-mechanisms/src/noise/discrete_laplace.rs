//! The discrete Laplace law (two-sided geometric), sampled as in CKS20.

use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};

use super::bernoulli::{exp_neg_unit, geometric};
use super::choices::Choices;
use super::error::NoiseError;
use super::law::LaplaceLaw;
use super::lazy::Lazy;
use super::natural::{Fraction, Natural, checked_scale, narrowed, signed, with_fraction};
use super::stepped::{LaplaceShape, Stepped};

/// Integer noise Z with P(Z = x) = (1-r)/(1+r) * r^|x|, r = exp(-1/scale).
///
/// # Privacy
///
/// An integer query of L1 sensitivity D, released with independent noise of this law on each
/// coordinate, is (D/scale)-differentially private: neighbouring densities differ by a factor of
/// at most exp(D/scale) at each point (Ghosh, Roughgarden and Sundararajan 2009,
/// <https://doi.org/10.1145/1536414.1536464>). Draws have exactly this law, given uniform random
/// words.
///
/// # Timing
///
/// Draws take a time that depends on the noise; see the [module](crate::noise).
///
/// # Example
///
/// ```
/// use dp_mechanisms::noise::DiscreteLaplace;
/// use num_rational::Ratio;
/// use privacy_core::random::SystemRng;
///
/// // Sensitivity 1, epsilon 3/10.
/// let noise = DiscreteLaplace::new(Ratio::new(10u8.into(), 3u8.into()))?;
/// let mut counts = [250i128, 31, 7];
/// let mut draws = [0; 3];
/// noise.fill(&mut draws, &mut SystemRng::new()?)?;
/// for (count, draw) in counts.iter_mut().zip(draws) {
///     *count += draw;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct DiscreteLaplace {
    scale: Ratio<BigUint>,
    fraction: Fraction,
    law: LaplaceLaw,
    fast: Lazy<Stepped<LaplaceShape>>,
}

impl DiscreteLaplace {
    /// Noise of the given scale, which may be any rational above 0 and up to 2^100.
    ///
    /// # Errors
    ///
    /// [`NoiseError::ZeroScale`], [`NoiseError::ScaleTooLarge`] or
    /// [`NoiseError::ZeroDenominator`].
    pub fn new(scale: Ratio<BigUint>) -> Result<Self, NoiseError> {
        let scale = checked_scale(scale, 1)?;
        Ok(DiscreteLaplace {
            fraction: Fraction::from(&scale),
            law: LaplaceLaw::new(&scale),
            fast: Lazy::new(),
            scale,
        })
    }

    /// The scale, exactly, in lowest terms.
    #[must_use]
    pub fn scale(&self) -> &Ratio<BigUint> {
        &self.scale
    }

    /// One draw.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails.
    ///
    /// # Privacy
    ///
    /// A draw beyond the range of `i128`, which has probability below exp(-2^26) at every scale
    /// accepted, is replaced by the nearest end of the range: post-processing if the draw is
    /// released by itself or added with saturation.
    pub fn sample(&self, rng: &mut dyn SecureRng) -> Result<i128, EntropyError> {
        let random = &mut RandomBuffer::new(rng);
        match self.fast.after(1, || self.stepped()) {
            Some(fast) => fast.signed(random),
            None => self.draw(random),
        }
    }

    /// Overwrites `out` with independent draws, faster than one by one.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails; discard what `out` then holds.
    pub fn fill(&self, out: &mut [i128], rng: &mut dyn SecureRng) -> Result<(), EntropyError> {
        self.fill_with(out, rng, |drawn| drawn)
    }

    /// As [`fill`](Self::fill), for words; a draw beyond their range becomes its nearest end.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails; discard what `out` then holds.
    pub fn fill_i64(&self, out: &mut [i64], rng: &mut dyn SecureRng) -> Result<(), EntropyError> {
        self.fill_with(out, rng, narrowed)
    }

    fn fill_with<T>(
        &self,
        out: &mut [T],
        rng: &mut dyn SecureRng,
        convert: impl Fn(i128) -> T,
    ) -> Result<(), EntropyError> {
        let random = &mut RandomBuffer::new(rng);
        match self.fast.after(out.len(), || self.stepped()) {
            Some(fast) => {
                for slot in out {
                    *slot = convert(fast.signed(random)?);
                }
            }
            None => {
                for slot in out {
                    *slot = convert(self.draw(random)?);
                }
            }
        }
        Ok(())
    }

    /// P(Z = x), relative error below 1e-12; 0 where it is below 1e-300.
    #[must_use]
    pub fn pmf(&self, x: i128) -> f64 {
        self.law.pmf(x)
    }

    /// P(|Z| > m) = 2 r^(m+1) / (1+r), relative error below 1e-12; 0 where it is below 1e-300.
    #[must_use]
    pub fn tail(&self, m: u128) -> f64 {
        self.law.tail(m)
    }

    /// The variance 2r/(1-r)^2, relative error below 1e-12; 0 where it is below 1e-300.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.law.std_dev().powi(2)
    }

    /// The standard deviation, relative error below 1e-12; 0 where it is below 1e-300.
    #[must_use]
    pub fn std_dev(&self) -> f64 {
        self.law.std_dev()
    }

    /// The smallest m with P(|Z| > m) <= `alpha`: the half-width of a confidence interval of
    /// level 1 - `alpha`.
    ///
    /// Never smaller than the truth. Rounding is upwards by at most a factor of 1 + 1e-14 before
    /// taking the integer, so that the result is larger by one only if the truth is that close to
    /// a step (and by a factor of 1 + 1e-14 where it passes 1e14).
    ///
    /// # Errors
    ///
    /// [`NoiseError::AlphaOutOfRange`] unless 0 < `alpha` <= 1.
    pub fn half_width(&self, alpha: f64) -> Result<u128, NoiseError> {
        self.law.half_width(alpha)
    }

    fn stepped(&self) -> Stepped<LaplaceShape> {
        Stepped::new(LaplaceShape::new(&self.scale, true))
    }

    /// A draw without tables, as in CKS20.
    fn draw<C: Choices + ?Sized>(&self, choices: &mut C) -> Result<i128, EntropyError> {
        loop {
            if let Some((magnitude, negative)) = attempt(choices, &self.fraction)? {
                return Ok(signed(magnitude, negative));
            }
        }
    }
}

/// One round of rejection sampling: magnitude and sign of a discrete Laplace draw, or `None`.
#[inline]
pub(super) fn attempt<C: Choices + ?Sized>(
    choices: &mut C,
    scale: &Fraction,
) -> Result<Option<(u128, bool)>, EntropyError> {
    let Some(magnitude) = magnitude(choices, scale)? else {
        return Ok(None);
    };
    // A fair sign, with the negative zero rejected so that zero is not counted twice.
    let negative = choices.bit()?;
    Ok(if negative && magnitude == 0 { None } else { Some((magnitude, negative)) })
}

/// One round of rejection sampling of a geometric draw.
#[inline]
pub(super) fn magnitude<C: Choices + ?Sized>(
    choices: &mut C,
    scale: &Fraction,
) -> Result<Option<u128>, EntropyError> {
    with_fraction!(scale, |numer, denom| round(choices, numer, denom))
}

/// With scale t/s: U uniform below t, kept with probability exp(-U/t), and V geometric with ratio
/// exp(-1) make X = U + tV geometric with ratio exp(-1/t); floor(X/s) has ratio exp(-s/t).
#[inline]
fn round<C: Choices + ?Sized, N: Natural>(
    choices: &mut C,
    t: &N,
    s: &N,
) -> Result<Option<u128>, EntropyError> {
    let u = N::uniform_below(choices, t)?;
    if !exp_neg_unit(choices, &u, t)? {
        return Ok(None);
    }
    let v = geometric(choices)?;
    Ok(Some(N::place(u, t, v, s)))
}

#[cfg(test)]
mod tests {
    use privacy_testing::enumerate::enumerate;
    use privacy_testing::interval::Interval;

    use super::super::choices::told::{Merged, Plain};
    use super::*;

    fn ratio(a: u64, b: u64) -> Ratio<BigUint> {
        Ratio::new(a.into(), b.into())
    }

    /// (1-r)/(1+r) r^x without rounding errors.
    fn truth(scale: &Ratio<BigUint>, x: u64) -> Interval {
        let power = |n: u64| Interval::exp_neg(&(scale.recip() * ratio(n, 1)), 200);
        let one = Interval::exact(ratio(1, 1));
        power(1).complement().divided_by(&one.plus(&power(1))).times(&power(x))
    }

    #[test]
    fn the_law_of_a_draw_is_exact() {
        for (a, b, cut) in [(1, 1, 40), (1, 3, 40), (3, 2, 36), (3, 1, 36), (7, 5, 32)] {
            let noise = DiscreteLaplace::new(ratio(a, b)).unwrap();
            let law = enumerate(cut, |c| {
                let attempt = attempt(&mut Merged(c), &noise.fraction)?;
                Ok::<_, EntropyError>(attempt.map(|(m, negative)| signed(m, negative)))
            });
            assert!(law.unexplored < ratio(1, 50_000), "scale {a}/{b}");
            for x in -8..=8i128 {
                let drawn = law.probability_given(&Some(x), Option::is_some);
                let truth = truth(noise.scale(), x.unsigned_abs() as u64);
                assert!(drawn.meets(&truth), "scale {a}/{b}, outcome {x}");
            }
        }
    }

    #[test]
    fn a_wrong_scale_is_told_apart_by_enumeration() {
        let noise = DiscreteLaplace::new(ratio(3, 2)).unwrap();
        let law = enumerate(30, |c| attempt(&mut Plain(c), &noise.fraction));
        let drawn = law.probability_given(&Some((1, false)), Option::is_some);
        assert!(drawn.meets(&truth(&ratio(3, 2), 1)));
        assert!(!drawn.meets(&truth(&ratio(2, 1), 1)));
    }

    #[test]
    fn machine_words_and_big_integers_draw_the_same() {
        let widths =
            [Fraction::Word(3, 2), Fraction::Double(3, 2), Fraction::Big(3u8.into(), 2u8.into())];
        let laws = widths.map(|scale| enumerate(24, |c| attempt(&mut Merged(c), &scale)).explored);
        assert_eq!(laws[0], laws[1]);
        assert_eq!(laws[1], laws[2]);
    }

    #[test]
    fn scales_that_protect_nothing_or_do_not_fit_are_refused() {
        let limit = Ratio::from(BigUint::from(1u8) << 100u32);
        let new = |scale| DiscreteLaplace::new(scale).map(|_| ());
        assert_eq!(new(ratio(0, 1)), Err(NoiseError::ZeroScale));
        assert_eq!(
            new(Ratio::new_raw(1u8.into(), BigUint::ZERO)),
            Err(NoiseError::ZeroDenominator)
        );
        assert_eq!(new(limit.clone()), Ok(()));
        assert_eq!(
            new(limit + ratio(1, 1 << 40)),
            Err(NoiseError::ScaleTooLarge { limit_bits: 100 })
        );
    }

    #[test]
    fn scales_are_kept_in_lowest_terms() {
        let noise = DiscreteLaplace::new(Ratio::new_raw(20u8.into(), 4u8.into())).unwrap();
        assert_eq!(*noise.scale(), ratio(5, 1));
    }
}
