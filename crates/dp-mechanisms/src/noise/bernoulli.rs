//! Coin flips with exact probabilities: a/b, and exp(-g) for a rational g.

use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};

use super::choices::Choices;
use super::error::NoiseError;
use super::natural::{Fraction, Natural, reduced, with_fraction};

/// A coin that shows `true` with an exact rational probability.
///
/// # Privacy
///
/// The draw has exactly the stated law, given uniform random words; see the
/// [module](crate::noise) on timing.
///
/// # Example
///
/// ```
/// use dp_mechanisms::noise::Bernoulli;
/// use num_rational::Ratio;
/// use privacy_core::random::SystemRng;
///
/// let keep = Bernoulli::new(Ratio::new(3u8.into(), 4u8.into()))?;
/// let answer = keep.sample(&mut SystemRng::new()?)?;
/// # let _ = answer;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Bernoulli {
    probability: Ratio<BigUint>,
    fraction: Fraction,
}

impl Bernoulli {
    /// A coin that shows `true` with the given probability, from 0 to 1.
    ///
    /// # Errors
    ///
    /// [`NoiseError::ProbabilityAboveOne`] or [`NoiseError::ZeroDenominator`].
    pub fn new(probability: Ratio<BigUint>) -> Result<Self, NoiseError> {
        let probability = reduced(probability)?;
        if probability.numer() > probability.denom() {
            return Err(NoiseError::ProbabilityAboveOne);
        }
        Ok(Bernoulli { fraction: Fraction::from(&probability), probability })
    }

    /// The probability of `true`.
    #[must_use]
    pub fn probability(&self) -> &Ratio<BigUint> {
        &self.probability
    }

    /// Flips the coin.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails.
    pub fn sample(&self, rng: &mut dyn SecureRng) -> Result<bool, EntropyError> {
        self.draw(&mut RandomBuffer::new(rng))
    }

    fn draw<C: Choices + ?Sized>(&self, choices: &mut C) -> Result<bool, EntropyError> {
        with_fraction!(&self.fraction, |numer, denom| choices.chance(numer, denom))
    }
}

/// A coin that shows `true` with probability exp(-g), for an exact rational g >= 0.
///
/// The building block of the exponential mechanism and of permute-and-flip. The expected number
/// of comparisons is bounded for all g together: a huge g fails at its first steps.
///
/// # Privacy
///
/// The draw has exactly the stated law, although its probability is irrational (CKS20, after
/// von Neumann and Forsythe); see the [module](crate::noise) on timing.
///
/// # Example
///
/// ```
/// use dp_mechanisms::noise::BernoulliExp;
/// use num_rational::Ratio;
/// use privacy_core::random::SystemRng;
///
/// let coin = BernoulliExp::new(Ratio::new(1u8.into(), 2u8.into()))?;
/// let accepted = coin.sample(&mut SystemRng::new()?)?; // true with probability 0.6065...
/// # let _ = accepted;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct BernoulliExp {
    exponent: Ratio<BigUint>,
    fraction: Fraction,
}

impl BernoulliExp {
    /// A coin that shows `true` with probability exp(-`exponent`).
    ///
    /// # Errors
    ///
    /// [`NoiseError::ZeroDenominator`].
    pub fn new(exponent: Ratio<BigUint>) -> Result<Self, NoiseError> {
        let exponent = reduced(exponent)?;
        Ok(BernoulliExp { fraction: Fraction::from(&exponent), exponent })
    }

    /// The g of exp(-g).
    #[must_use]
    pub fn exponent(&self) -> &Ratio<BigUint> {
        &self.exponent
    }

    /// Flips the coin.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails.
    pub fn sample(&self, rng: &mut dyn SecureRng) -> Result<bool, EntropyError> {
        self.draw(&mut RandomBuffer::new(rng))
    }

    fn draw<C: Choices + ?Sized>(&self, choices: &mut C) -> Result<bool, EntropyError> {
        with_fraction!(&self.fraction, |numer, denom| exp_neg(choices, numer, denom))
    }
}

/// Bernoulli(exp(-numer/denom)), `denom` >= 1.
///
/// exp(-g) is the chance that floor(g) coins of exp(-1) and one of exp(-(g - floor g)) all
/// succeed; the first failure ends the draw.
pub(crate) fn exp_neg<C: Choices + ?Sized, N: Natural>(
    choices: &mut C,
    numer: &N,
    denom: &N,
) -> Result<bool, EntropyError> {
    if numer < denom {
        return exp_neg_unit(choices, numer, denom);
    }
    let (mut whole, rest) = numer.div_rem(denom);
    while !whole.is_zero() {
        if !exp_neg_one(choices)? {
            return Ok(false);
        }
        whole = whole - N::one();
    }
    exp_neg_unit(choices, &rest, denom)
}

/// Bernoulli(exp(-g)) for g = numer/denom <= 1.
///
/// Flips coins of g/1, g/2, g/3, ... up to the first failure, at K. P(K > k) = g^k / k!, so
/// P(K odd) = 1 - g + g^2/2! - ... = exp(-g). A coin of g/k is a coin of 1/k and one of g, so that
/// no product with k has to fit into N.
#[inline]
pub(crate) fn exp_neg_unit<C: Choices + ?Sized, N: Natural>(
    choices: &mut C,
    numer: &N,
    denom: &N,
) -> Result<bool, EntropyError> {
    if numer.is_zero() {
        return Ok(true);
    }
    let mut k = 1u64;
    while choices.chance(&1, &k)? && choices.chance(numer, denom)? {
        k += 1;
    }
    Ok(k % 2 == 1)
}

/// Bernoulli(exp(-1)).
#[inline]
pub(crate) fn exp_neg_one<C: Choices + ?Sized>(choices: &mut C) -> Result<bool, EntropyError> {
    exp_neg_unit(choices, &1u64, &1u64)
}

/// The number of successes of Bernoulli(exp(-1)) before the first failure.
#[inline]
pub(crate) fn geometric<C: Choices + ?Sized>(choices: &mut C) -> Result<u64, EntropyError> {
    let mut successes = 0u64;
    while exp_neg_one(choices)? {
        successes += 1;
    }
    Ok(successes)
}

#[cfg(test)]
mod tests {
    use privacy_core::random::InsecureTestRng;
    use privacy_testing::enumerate::enumerate;
    use privacy_testing::interval::Interval;
    use privacy_testing::statistics::check_binomial;

    use super::super::choices::told::{Merged, Plain};
    use super::*;

    fn ratio(a: u64, b: u64) -> Ratio<BigUint> {
        Ratio::new(a.into(), b.into())
    }

    fn two_to(bits: u32) -> BigUint {
        BigUint::from(1u8) << bits
    }

    #[test]
    fn rational_coins_have_exactly_their_probability() {
        for (a, b) in [(0, 1), (1, 1), (1, 2), (3, 7), (999, 1000)] {
            let coin = Bernoulli::new(ratio(a, b)).unwrap();
            let law = enumerate(20, |c| coin.draw(&mut Plain(c)));
            let shown = law.explored.get(&true).cloned().unwrap_or_default();
            assert_eq!(shown, ratio(a, b));
            assert_eq!(law.unexplored, ratio(0, 1));
        }
    }

    #[test]
    fn exponential_coins_have_exactly_their_probability() {
        for (a, b) in [(0, 1), (1, 3), (1, 1), (5, 7), (7, 2), (4, 1), (1, u64::MAX)] {
            let coin = BernoulliExp::new(ratio(a, b)).unwrap();
            let law = enumerate(60, |c| coin.draw(&mut Merged(c)));
            let truth = Interval::exp_neg(&ratio(a, b), 200);
            assert!(law.probability(&true).meets(&truth), "exp(-{a}/{b})");
            assert!(law.unexplored <= Ratio::new(1u8.into(), two_to(45)), "exp(-{a}/{b})");
        }
    }

    #[test]
    fn words_doubles_and_big_integers_flip_the_same_coin() {
        // The same choices told to each width give the same law, not only a close one.
        fn law<N: Natural>(numer: N, denom: N) -> [Ratio<BigUint>; 2] {
            let law = enumerate(30, |c| exp_neg(&mut Merged(c), &numer, &denom));
            [law.explored[&true].clone(), law.unexplored]
        }
        let word = law(17u64, 7);
        assert_eq!(word, law(17u128, 7));
        assert_eq!(word, law(BigUint::from(17u8), BigUint::from(7u8)));
    }

    #[test]
    fn comparisons_are_drawn_from_uniform_integers() {
        // Without merging the outcomes of a comparison, on a small denominator.
        let law = enumerate(24, |c| exp_neg(&mut Plain(c), &2u64, &3));
        let truth = Interval::exp_neg(&ratio(2, 3), 100);
        assert!(law.probability(&true).meets(&truth));
        assert!(law.unexplored < ratio(1, 1000));
    }

    #[test]
    fn geometric_counts_have_exactly_their_law() {
        let law = enumerate(36, |c| geometric(&mut Merged(c)));
        assert!(law.unexplored < ratio(1, 10_000), "{}", law.unexplored);
        let failure = Interval::exp_neg(&ratio(1, 1), 200).complement();
        for k in 0..6 {
            let truth = Interval::exp_neg(&ratio(k, 1), 200).times(&failure);
            assert!(law.probability(&k).meets(&truth), "{k} successes");
        }
    }

    #[test]
    fn huge_exponents_stop_at_the_first_failure() {
        let mut rng = InsecureTestRng::from_seed(1);
        for power in [20, 60, 600] {
            let coin = BernoulliExp::new(Ratio::from(BigUint::from(10u8).pow(power))).unwrap();
            for _ in 0..1000 {
                assert!(!coin.sample(&mut rng).unwrap());
            }
        }
    }

    #[test]
    fn wide_denominators_flip_at_the_right_rate() {
        // False-alarm probability 1e-9 for each coin, seed fixed.
        let third = |bits| Ratio::new(two_to(bits), two_to(bits) * 3u8 + 1u8);
        let mut rng = InsecureTestRng::from_seed(2);
        for bits in [20, 80, 200] {
            let coins = 200_000;
            let plain = Bernoulli::new(third(bits)).unwrap();
            let exp = BernoulliExp::new(third(bits)).unwrap();
            let (mut plain_count, mut exp_count) = (0, 0);
            for _ in 0..coins {
                plain_count += u64::from(plain.sample(&mut rng).unwrap());
                exp_count += u64::from(exp.sample(&mut rng).unwrap());
            }
            check_binomial(plain_count, coins, 1.0 / 3.0, 1e-9);
            check_binomial(exp_count, coins, (-1.0f64 / 3.0).exp(), 1e-9);
        }
    }

    #[test]
    fn malformed_coins_are_refused() {
        let undefined = Ratio::new_raw(1u8.into(), BigUint::ZERO);
        assert_eq!(Bernoulli::new(undefined.clone()).unwrap_err(), NoiseError::ZeroDenominator);
        assert_eq!(BernoulliExp::new(undefined).unwrap_err(), NoiseError::ZeroDenominator);
        assert_eq!(Bernoulli::new(ratio(4, 3)).unwrap_err(), NoiseError::ProbabilityAboveOne);
    }
}
