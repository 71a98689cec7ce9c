//! The discrete Gaussian law, by rejection from the discrete Laplace law (CKS20).

use num_bigint::BigUint;
use num_rational::Ratio;
use num_traits::One;
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};

use super::bernoulli::exp_neg;
use super::choices::Choices;
use super::discrete_laplace;
use super::error::NoiseError;
use super::law::GaussianLaw;
use super::lazy::Lazy;
use super::natural::{Fraction, checked_scale, narrowed, signed};
use super::stepped::{GaussianShape, Stepped};

/// Integer noise Z with P(Z = x) proportional to exp(-x^2 / (2 sigma^2)).
///
/// # Privacy
///
/// An integer query of L2 sensitivity D, released with independent noise of this law on each
/// coordinate, satisfies (D^2 / (2 sigma^2))-zCDP (CKS20, the theorem on the multivariate discrete
/// Gaussian). Draws have exactly this law, given uniform random words. Sums of draws do not: a
/// discrete Gaussian is not closed under addition.
///
/// # Timing
///
/// Draws take a time that depends on the noise; see the [module](crate::noise).
///
/// # Example
///
/// ```
/// use dp_mechanisms::noise::DiscreteGaussian;
/// use num_rational::Ratio;
/// use privacy_core::random::SystemRng;
///
/// // Sensitivity 1, rho = 1/200: sigma^2 = 100.
/// let noise = DiscreteGaussian::new(Ratio::from_integer(100u8.into()))?;
/// let released = 1234 + noise.sample(&mut SystemRng::new()?)?;
/// // In 95 of 100 releases the count lies within 20 of the release.
/// assert_eq!(noise.half_width(0.05)?, 20);
/// # let _ = released;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct DiscreteGaussian {
    sigma_squared: Ratio<BigUint>,
    proposal: Fraction,
    acceptance: Acceptance,
    law: GaussianLaw,
    fast: Lazy<Stepped<GaussianShape>>,
}

impl DiscreteGaussian {
    /// Noise with parameter sigma^2, which may be any rational above 0 and up to 2^200.
    ///
    /// # Errors
    ///
    /// [`NoiseError::ZeroScale`], [`NoiseError::ScaleTooLarge`] or
    /// [`NoiseError::ZeroDenominator`].
    pub fn new(sigma_squared: Ratio<BigUint>) -> Result<Self, NoiseError> {
        let sigma_squared = checked_scale(sigma_squared, 2)?;
        // floor(sqrt(p/q)) = floor(sqrt(floor(p/q))).
        let t = sigma_squared.to_integer().sqrt() + 1u8;
        Ok(DiscreteGaussian {
            acceptance: Acceptance::new(&sigma_squared, &t),
            proposal: Fraction::from(&Ratio::new(t, BigUint::one())),
            law: GaussianLaw::new(&sigma_squared),
            fast: Lazy::new(),
            sigma_squared,
        })
    }

    /// The parameter sigma^2, exactly, in lowest terms. The variance is slightly below it.
    #[must_use]
    pub fn sigma_squared(&self) -> &Ratio<BigUint> {
        &self.sigma_squared
    }

    /// One draw.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails.
    ///
    /// # Privacy
    ///
    /// A draw beyond the range of `i128`, which has probability below exp(-2^50) at every sigma
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

    /// P(|Z| > m), relative error below 1e-9; 0 where it is below 1e-300.
    #[must_use]
    pub fn tail(&self, m: u128) -> f64 {
        self.law.tail(m)
    }

    /// The variance, at most sigma^2; relative error below 1e-12, 0 where it is below 1e-300.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.law.variance()
    }

    /// The standard deviation, at most sigma; relative error below 1e-12, 0 where it is below
    /// 1e-150.
    #[must_use]
    pub fn std_dev(&self) -> f64 {
        self.law.variance().sqrt()
    }

    /// An m with P(|Z| > m) <= `alpha`: the half-width of a confidence interval of level
    /// 1 - `alpha`.
    ///
    /// Up to sigma = 4096 and down to `alpha` = 1e-300 the smallest such m, by summing the law
    /// (larger by one only if the tail is within a factor of 1 + 1e-11 of `alpha`). Beyond, the
    /// quantile of the continuous Gaussian, proven never too small and too large by at most one
    /// or by a factor of 1 + 1e-11. Takes at most about a millisecond.
    ///
    /// # Errors
    ///
    /// [`NoiseError::AlphaOutOfRange`] unless 0 < `alpha` <= 1.
    pub fn half_width(&self, alpha: f64) -> Result<u128, NoiseError> {
        self.law.half_width(alpha)
    }

    fn stepped(&self) -> Stepped<GaussianShape> {
        Stepped::new(GaussianShape::new(&self.sigma_squared))
    }

    /// A draw without tables, as in CKS20.
    fn draw<C: Choices + ?Sized>(&self, choices: &mut C) -> Result<i128, EntropyError> {
        loop {
            if let Some(drawn) = self.attempt(choices)? {
                return Ok(drawn);
            }
        }
    }

    /// One round of rejection sampling: a discrete Laplace candidate of scale t = floor(sigma) + 1,
    /// accepted with probability exp(-(|y| - sigma^2/t)^2 / (2 sigma^2)).
    #[inline]
    fn attempt<C: Choices + ?Sized>(&self, choices: &mut C) -> Result<Option<i128>, EntropyError> {
        let candidate = discrete_laplace::attempt(choices, &self.proposal)?;
        let Some((magnitude, negative)) = candidate else {
            return Ok(None);
        };
        let accepted = self.acceptance.flip(choices, magnitude)?;
        Ok(accepted.then(|| signed(magnitude, negative)))
    }
}

/// The acceptance coin: with sigma^2 = p/q the exponent is (y q t - p)^2 / (2 p q t^2).
#[derive(Debug, Clone)]
struct Acceptance {
    /// The three constants in machine words, if they fit.
    double: Option<Constants<u128>>,
    big: Constants<BigUint>,
}

#[derive(Debug, Clone)]
struct Constants<N> {
    /// q t
    slope: N,
    /// p
    centre: N,
    /// 2 p q t^2
    denom: N,
}

impl Acceptance {
    fn new(sigma_squared: &Ratio<BigUint>, t: &BigUint) -> Self {
        let (p, q) = (sigma_squared.numer(), sigma_squared.denom());
        let slope = q * t;
        let big = Constants { denom: p * &slope * t * 2u8, centre: p.clone(), slope };
        let small = |n: &BigUint| u128::try_from(n).ok();
        let double = (|| {
            Some(Constants {
                slope: small(&big.slope)?,
                centre: small(&big.centre)?,
                denom: small(&big.denom)?,
            })
        })();
        Acceptance { double, big }
    }

    #[inline]
    fn flip<C: Choices + ?Sized>(
        &self,
        choices: &mut C,
        magnitude: u128,
    ) -> Result<bool, EntropyError> {
        if let Some(double) = &self.double
            && let Some(numer) = double.numerator(magnitude)
        {
            return match (u64::try_from(numer), u64::try_from(double.denom)) {
                (Ok(numer), Ok(denom)) => exp_neg(choices, &numer, &denom),
                _ => exp_neg(choices, &numer, &double.denom),
            };
        }
        let big = &self.big;
        let position = &big.slope * magnitude;
        let distance =
            if position > big.centre { position - &big.centre } else { &big.centre - position };
        exp_neg(choices, &(&distance * &distance), &big.denom)
    }
}

impl Constants<u128> {
    /// (y q t - p)^2, unless it overflows.
    #[inline]
    fn numerator(&self, magnitude: u128) -> Option<u128> {
        let distance = magnitude.checked_mul(self.slope)?.abs_diff(self.centre);
        distance.checked_mul(distance)
    }
}

#[cfg(test)]
mod tests {
    use privacy_testing::enumerate::enumerate;
    use privacy_testing::interval::Interval;

    use super::super::choices::told::Merged;
    use super::*;

    fn ratio(a: u64, b: u64) -> Ratio<BigUint> {
        Ratio::new(a.into(), b.into())
    }

    /// P(Z = x) without rounding errors: the weights up to 40, and a bound of what lies beyond.
    fn truth(sigma_squared: &Ratio<BigUint>, x: u64) -> Interval {
        let weight =
            |k: u64| Interval::exp_neg(&(ratio(k * k, 1) / (sigma_squared * ratio(2, 1))), 150);
        let mut total = weight(0);
        for k in 1..=40 {
            total = total.plus(&weight(k)).plus(&weight(k)).rounded(150);
        }
        // From one weight to the next there is at least a factor of exp(-40/sigma^2) < 1/2.
        total.high += weight(41).high * ratio(4, 1);
        weight(x).divided_by(&total)
    }

    #[test]
    fn the_law_of_a_draw_is_exact() {
        for (a, b, cut) in [(1, 1, 32), (1, 4, 34), (9, 4, 31), (5, 3, 31)] {
            let noise = DiscreteGaussian::new(ratio(a, b)).unwrap();
            let law = enumerate(cut, |c| noise.attempt(&mut Merged(c)));
            assert!(law.unexplored < ratio(1, 10_000), "sigma^2 {a}/{b}");
            for x in -6..=6i128 {
                let drawn = law.probability_given(&Some(x), Option::is_some);
                let truth = truth(noise.sigma_squared(), x.unsigned_abs() as u64);
                assert!(drawn.meets(&truth), "sigma^2 {a}/{b}, outcome {x}");
            }
        }
    }

    #[test]
    fn a_wrong_variance_is_told_apart_by_enumeration() {
        let noise = DiscreteGaussian::new(ratio(9, 4)).unwrap();
        let law = enumerate(30, |c| noise.attempt(&mut Merged(c)));
        let drawn = law.probability_given(&Some(0), Option::is_some);
        assert!(drawn.meets(&truth(&ratio(9, 4), 0)));
        assert!(!drawn.meets(&truth(&ratio(10, 4), 0)));
    }

    #[test]
    fn machine_words_and_big_integers_accept_the_same() {
        let mut noise = DiscreteGaussian::new(ratio(9, 4)).unwrap();
        let words = enumerate(24, |c| noise.attempt(&mut Merged(c))).explored;
        noise.acceptance.double = None;
        let big = enumerate(24, |c| noise.attempt(&mut Merged(c))).explored;
        assert_eq!(words, big);
    }

    #[test]
    fn the_exponent_falls_back_to_big_integers_when_it_overflows() {
        let noise = DiscreteGaussian::new(ratio(100, 1)).unwrap();
        let double = noise.acceptance.double.as_ref().unwrap();
        assert_eq!(double.numerator(10), Some((10 * 11 - 100) * (10 * 11 - 100)));
        assert_eq!(double.numerator(1 << 70), None);
    }

    #[test]
    fn variances_that_protect_nothing_or_do_not_fit_are_refused() {
        let limit = Ratio::from(BigUint::from(1u8) << 200u32);
        let new = |variance| DiscreteGaussian::new(variance).map(|_| ());
        assert_eq!(new(ratio(0, 1)), Err(NoiseError::ZeroScale));
        assert_eq!(
            new(Ratio::new_raw(1u8.into(), BigUint::ZERO)),
            Err(NoiseError::ZeroDenominator)
        );
        assert_eq!(new(limit.clone()), Ok(()));
        assert_eq!(new(limit + ratio(1, 1)), Err(NoiseError::ScaleTooLarge { limit_bits: 100 }));
    }
}
