//! Permute-and-flip.

use num_bigint::BigUint;
use privacy_core::error::Result;
use privacy_core::measure::{PureCost, PureDp};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Confidence, Epsilon};
use privacy_core::random::{RandomBuffer, SecureRng};
use privacy_core::space::{Linf, Vector};

use super::price::{NO_CANDIDATES, Scores, Sharpness};
use crate::noise::{Choices, exp_neg};

/// Visits the candidates in random order and takes the first whose coin of
/// exp(−rate · (best score − its score)) shows heads.
///
/// The best mechanism of its kind for pure ε: never worse than the exponential mechanism of the
/// same price, with up to half its expected shortfall (McKenna and Sheldon 2020,
/// <https://arxiv.org/abs/2010.12603>). The index drawn has the law of the maximum of the scores
/// with exponential noise of that rate (Ding et al. 2021, <https://arxiv.org/abs/2105.07260>).
///
/// # Privacy
///
/// Between score vectors at distance d ([`Linf`]): ε = 2·rate·d (McKenna and Sheldon, Theorem 1),
/// or rate·d if the scores are [`Scores::Monotone`]: seen as a noisy maximum, a candidate wins if
/// its noise exceeds a threshold set by the others, which then moves by at most d. In zCDP ε²/2,
/// as for any ε-DP release: the ε²/8 of the exponential mechanism is not proven for it. The number
/// of candidates is public. Draws have exactly the stated law.
///
/// # Example
///
/// ```
/// use dp_mechanisms::select::PermuteAndFlip;
/// use privacy_core::prelude::*;
///
/// let one = Amount::from_integer(1);
/// let choose = PermuteAndFlip::calibrated(&one, &Epsilon::new(0.4)?)?;
/// assert_eq!(choose.charge(one)?.in_zcdp().unwrap().rho, "0.08".parse()?);
/// let index = choose.draw(&[3, 170, 168], &mut SystemRng::new()?)?;
/// assert!(index < 3);
/// # Ok::<(), privacy_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PermuteAndFlip {
    sharpness: Sharpness,
}

impl PermuteAndFlip {
    /// Coins of exp(−`rate`) for each point of score below the best.
    #[must_use]
    pub fn with_rate(rate: Amount, scores: Scores) -> Self {
        PermuteAndFlip { sharpness: Sharpness { rate, scores } }
    }

    /// The mechanism that costs `epsilon` where each score changes by at most `sensitivity`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](privacy_core::Error::Parameter) if the sensitivity is 0.
    pub fn calibrated(sensitivity: &Amount, epsilon: &Epsilon) -> Result<Self> {
        let sharpness = Sharpness::calibrated(sensitivity, epsilon, Scores::Any)?;
        Ok(PermuteAndFlip { sharpness })
    }

    /// As [`calibrated`](Self::calibrated), for [`Scores::Monotone`]: twice as sharp at the same
    /// price.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](privacy_core::Error::Parameter) if the sensitivity is 0.
    pub fn monotone(sensitivity: &Amount, epsilon: &Epsilon) -> Result<Self> {
        let sharpness = Sharpness::calibrated(sensitivity, epsilon, Scores::Monotone)?;
        Ok(PermuteAndFlip { sharpness })
    }

    /// The rate.
    #[must_use]
    pub fn rate(&self) -> &Amount {
        &self.sharpness.rate
    }

    /// How far the score drawn may lie below the best: by at most this, with at least the given
    /// confidence, for any scores.
    ///
    /// ln(candidates / (1 − confidence)) / rate, rounded up: seen as a noisy maximum, some
    /// exponential noise would have to be larger, and each is with probability exp(−rate · t).
    #[must_use]
    pub fn shortfall(&self, candidates: u64, confidence: &Confidence) -> f64 {
        self.sharpness.shortfall(candidates, confidence)
    }

    fn select<C: Choices + ?Sized>(&self, scores: &[i128], choices: &mut C) -> Result<usize> {
        let best = scores.iter().max().copied().ok_or(NO_CANDIDATES)?;
        let coin = Coin::new(&self.sharpness.rate);
        // Fisher-Yates, one step for each candidate that is visited.
        let mut order: Vec<usize> = (0..scores.len()).collect();
        let mut left = order.len();
        loop {
            let at = choices.below_u64(left as u64)? as usize;
            let index = order[at];
            if coin.flip(choices, best.abs_diff(scores[index]))? {
                return Ok(index);
            }
            // The best candidate's coin always shows heads: someone is left.
            left -= 1;
            order.swap(at, left);
        }
    }
}

/// Coins of exp(-rate * gap) for integer gaps.
struct Coin {
    numer: BigUint,
    denom: BigUint,
    /// The rate in words, if it fits.
    words: Option<(u64, u64)>,
}

impl Coin {
    fn new(rate: &Amount) -> Self {
        let (numer, denom) = (rate.numerator().clone(), rate.denominator().clone());
        let words = u64::try_from(&numer).ok().zip(u64::try_from(&denom).ok());
        Coin { numer, denom, words }
    }

    #[inline]
    fn flip<C: Choices + ?Sized>(&self, choices: &mut C, gap: u128) -> Result<bool> {
        if let Some((numer, denom)) = self.words
            && let Ok(gap) = u64::try_from(gap)
        {
            let product = u128::from(numer) * u128::from(gap);
            return Ok(match u64::try_from(product) {
                Ok(product) => exp_neg(choices, &product, &denom)?,
                Err(_) => exp_neg(choices, &product, &u128::from(denom))?,
            });
        }
        Ok(exp_neg(choices, &(&self.numer * gap), &self.denom)?)
    }
}

impl Mechanism for PermuteAndFlip {
    type Input = Vector<i128, Linf>;
    type Measure = PureDp;
    type Output = usize;

    /// # Errors
    ///
    /// [`Error::Domain`](privacy_core::Error::Domain) without candidates;
    /// [`Error::Entropy`](privacy_core::Error::Entropy).
    fn draw(&self, scores: &[i128], rng: &mut dyn SecureRng) -> Result<usize> {
        self.select(scores, &mut RandomBuffer::new(rng))
    }

    fn cost(&self, d_in: Amount) -> Result<PureCost> {
        Ok(self.sharpness.epsilon(&d_in))
    }
}

#[cfg(test)]
mod tests {
    use num_rational::Ratio;
    use num_traits::{One, Zero};
    use privacy_core::random::InsecureTestRng;
    use privacy_testing::enumerate::enumerate;
    use privacy_testing::interval::Interval;

    use super::super::tests::{neighbours, worst_ratio};
    use super::*;
    use crate::noise::told::Merged;

    fn mechanism(a: u64, b: u64, scores: Scores) -> PermuteAndFlip {
        PermuteAndFlip::with_rate(Amount::from_fraction(a, b).unwrap(), scores)
    }

    /// The probability that the first heads is that of `index`, over all orders.
    fn truth(rate: &Ratio<BigUint>, gaps: &[u64], index: usize) -> Interval {
        fn visit(coins: &[Interval], left: &[usize], index: usize) -> Interval {
            let share = Interval::exact(Ratio::new(1u8.into(), left.len().into()));
            let mut sum = Interval::exact(Ratio::zero());
            for &next in left {
                let rest: Vec<usize> = left.iter().copied().filter(|&i| i != next).collect();
                let found = if next == index {
                    coins[next].clone()
                } else if rest.contains(&index) {
                    coins[next].complement().times(&visit(coins, &rest, index))
                } else {
                    continue;
                };
                sum = sum.plus(&share.times(&found));
            }
            sum
        }
        let coins: Vec<Interval> = gaps
            .iter()
            .map(|&gap| Interval::exp_neg(&(rate * Ratio::from(BigUint::from(gap))), 150))
            .collect();
        let all: Vec<usize> = (0..gaps.len()).collect();
        visit(&coins, &all, index)
    }

    #[test]
    fn every_outcome_has_exactly_its_probability() {
        for scores in [vec![0i128], vec![4, 1, 4], vec![0, 1, 2, 3]] {
            let mechanism = mechanism(1, 2, Scores::Any);
            let law = enumerate(26, |c| mechanism.select(&scores, &mut Merged(c)));
            assert!(law.unexplored < Ratio::new(1u8.into(), 10_000u32.into()));
            let best = scores.iter().max().unwrap();
            let gaps: Vec<u64> = scores.iter().map(|s| (best - s) as u64).collect();
            let mut total = Interval::exact(Ratio::zero());
            for index in 0..scores.len() {
                let truth = truth(mechanism.rate().as_ratio(), &gaps, index);
                assert!(law.probability(&index).meets(&truth), "{scores:?} {index}");
                total = total.plus(&truth);
            }
            assert!(total.meets(&Interval::exact(Ratio::one())));
        }
    }

    #[test]
    fn neighbours_differ_by_no_more_than_the_price() {
        let any = mechanism(1, 2, Scores::Any);
        let law = |scores: &[i128]| enumerate(30, |c| any.select(scores, &mut Merged(c)));
        let worst = worst_ratio(&neighbours(3, 2, Scores::Any), law);
        assert!(worst <= 1f64.exp() * (1.0 + 1e-3) && worst > 0.7f64.exp(), "{worst}");
        let worst = worst_ratio(&neighbours(3, 2, Scores::Monotone), law);
        assert!(worst <= 0.5f64.exp() * (1.0 + 1e-3), "{worst}");
    }

    #[test]
    fn extremes_are_drawn_without_overflow() {
        let mut rng = InsecureTestRng::from_seed(3);
        for power in [-300, -70, 0, 70, 300] {
            let rate = Amount::from_integer(3).scaled_by_power_of_two(power);
            let mechanism = PermuteAndFlip::with_rate(rate, Scores::Any);
            let index = mechanism.draw(&[i128::MIN, 0, i128::MAX, i128::MIN], &mut rng).unwrap();
            assert!(power < 0 || index == 2);
            assert_eq!(mechanism.draw(&[i128::MIN], &mut rng).unwrap(), 0);
            assert!(mechanism.draw(&[], &mut rng).is_err());
        }
    }
}
