//! Report noisy max.

use privacy_core::error::{Error, Result};
use privacy_core::measure::{PureCost, PureDp};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Epsilon};
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};
use privacy_core::space::{Linf, Vector};

use super::price::{NO_CANDIDATES, Scores};
use crate::noise::{Choices, DiscreteLaplace, NoiseError};

/// Adds discrete Laplace noise to each score and tells the index of the largest: nothing else.
///
/// [`PermuteAndFlip`](super::PermuteAndFlip) is the noisy maximum with one-sided exponential noise,
/// and the more accurate of the two at the same price; this one is for those who need noise of the
/// classic law.
///
/// # Privacy
///
/// Between score vectors at distance d ([`Linf`]): ε = 2d/scale, or d/scale if the scores are
/// [`Scores::Monotone`] (Dwork and Roth 2014, Claim 3.9, <https://doi.org/10.1561/0400000042>).
/// The proof there is for continuous noise, where ties do not occur; with integers they do. They
/// are broken by a uniformly random order of the candidates, drawn independently of the scores.
/// Given the order and the noise of the others, candidate i wins if and only if its noise reaches
/// an integer threshold, which moves by at most 2d (or d) between neighbours; the chance to reach
/// a threshold that is m higher is smaller by a factor of at most exp(m/scale). In zCDP ε²/2.
///
/// Noise is drawn within the range of `i128`, which it leaves with probability below exp(-2^26);
/// scores beyond ±2^125 count as ±2^125, which brings neighbours no further apart.
///
/// # Example
///
/// ```
/// use dp_mechanisms::select::{NoisyMax, Scores};
/// use privacy_core::prelude::*;
///
/// let one = Amount::from_integer(1);
/// let choose = NoisyMax::calibrated(&one, &Epsilon::new(0.4)?, Scores::Any)?;
/// assert_eq!(choose.scale(), &Amount::from_integer(5));
/// let index = choose.draw(&[3, 170, 168], &mut SystemRng::new()?)?;
/// assert!(index < 3);
/// # Ok::<(), privacy_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct NoisyMax {
    noise: DiscreteLaplace,
    scale: Amount,
    scores: Scores,
}

/// The largest magnitude of a score.
const LARGEST: i128 = 1 << 125;

impl NoisyMax {
    /// Noise of the given scale.
    ///
    /// # Errors
    ///
    /// [`NoiseError`] if the scale is 0 or above the range of the sampler.
    pub fn with_scale(scale: Amount, scores: Scores) -> Result<Self, NoiseError> {
        let noise = DiscreteLaplace::new(scale.as_ratio().clone())?;
        Ok(NoisyMax { noise, scale, scores })
    }

    /// The mechanism that costs `epsilon` where each score changes by at most `sensitivity`.
    ///
    /// # Errors
    ///
    /// A [`NoiseError`] if the sensitivity is 0 or the scale is above the range of the sampler.
    pub fn calibrated(sensitivity: &Amount, epsilon: &Epsilon, scores: Scores) -> Result<Self> {
        let moves = sensitivity * &scores.moves().into();
        let scale = moves.checked_div(epsilon.amount()).unwrap_or(Amount::ZERO);
        Self::with_scale(scale, scores).map_err(Error::technique)
    }

    /// The scale of the noise.
    #[must_use]
    pub fn scale(&self) -> &Amount {
        &self.scale
    }
}

/// The largest score with its noise; each of several with the same chance.
fn winner<C: Choices + ?Sized>(
    scores: &[i128],
    noise: &[i128],
    choices: &mut C,
) -> Result<Option<usize>, EntropyError> {
    let mut best: Option<(usize, i128)> = None;
    let mut tied = 0u64;
    for (index, (score, noise)) in scores.iter().zip(noise).enumerate() {
        let noisy = score.clamp(&-LARGEST, &LARGEST).saturating_add(*noise);
        match best {
            Some((_, highest)) if noisy < highest => continue,
            Some((_, highest)) if noisy == highest => tied += 1,
            _ => tied = 1,
        }
        // The last of t tied candidates takes over with probability 1/t: each keeps 1/t.
        if tied == 1 || choices.chance(&1, &tied)? {
            best = Some((index, noisy));
        }
    }
    Ok(best.map(|(index, _)| index))
}

impl Mechanism for NoisyMax {
    type Input = Vector<i128, Linf>;
    type Measure = PureDp;
    type Output = usize;

    /// # Errors
    ///
    /// [`Error::Domain`] without candidates; [`Error::Entropy`].
    fn draw(&self, scores: &[i128], rng: &mut dyn SecureRng) -> Result<usize> {
        let mut noise = vec![0; scores.len()];
        self.noise.fill(&mut noise, rng)?;
        winner(scores, &noise, &mut RandomBuffer::new(rng))?.ok_or(NO_CANDIDATES)
    }

    fn cost(&self, d_in: Amount) -> Result<PureCost> {
        // The constructor refuses scale 0.
        let moves = &d_in * &self.scores.moves().into();
        Ok(PureCost { epsilon: moves.checked_div(&self.scale).unwrap_or(Amount::ZERO) })
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use num_rational::Ratio;
    use privacy_core::random::InsecureTestRng;
    use privacy_testing::enumerate::enumerate;
    use privacy_testing::statistics::check_chi_square;

    use super::super::tests::neighbours;
    use super::*;
    use crate::noise::told::Merged;

    fn mechanism(scores: Scores) -> NoisyMax {
        NoisyMax::with_scale(Amount::from_fraction(3u8, 2u8).unwrap(), scores).unwrap()
    }

    /// P(each index), with the noise cut at ±60 (mass beyond below 1e-16).
    fn law(scores: &[i128]) -> Vec<f64> {
        let noise = mechanism(Scores::Any).noise;
        let pmf: Vec<f64> = (-60..=60).map(|x| noise.pmf(x)).collect();
        let at = |x: i128| usize::try_from(x + 60).ok().and_then(|i| pmf.get(i)).copied();
        let below = |x: i128| (-60..x).filter_map(at).sum::<f64>();
        (0..scores.len())
            .map(|i| {
                let mut total = 0.0;
                for z in -60..=60 {
                    let top = scores[i] + z;
                    // polynomial: coefficient t is the chance that t others tie and none is above
                    let mut ways = vec![at(z).unwrap()];
                    for (_, score) in scores.iter().enumerate().filter(|(j, _)| *j != i) {
                        let (less, same) = (below(top - score), at(top - score).unwrap_or(0.0));
                        let mut next = vec![0.0; ways.len() + 1];
                        for (t, way) in ways.iter().enumerate() {
                            next[t] += way * less;
                            next[t + 1] += way * same;
                        }
                        ways = next;
                    }
                    total += ways.iter().enumerate().map(|(t, w)| w / (t + 1) as f64).sum::<f64>();
                }
                total
            })
            .collect()
    }

    #[test]
    fn draws_follow_the_law_that_the_proof_is_about() {
        let scores = [1, 0, 1, -2];
        let mut rng = InsecureTestRng::from_seed(5);
        let mut seen = [0u64; 4];
        for _ in 0..200_000 {
            seen[mechanism(Scores::Any).draw(&scores, &mut rng).unwrap()] += 1;
        }
        check_chi_square(&seen, &law(&scores), 1e-9);
    }

    #[test]
    fn neighbours_differ_by_no_more_than_the_price() {
        for scores in [Scores::Any, Scores::Monotone] {
            let price = mechanism(scores).cost(Amount::from_integer(1)).unwrap().epsilon;
            let mut worst = 0.0f64;
            for (a, b) in neighbours(3, 2, scores) {
                for (p, q) in law(&a).iter().zip(law(&b)) {
                    worst = worst.max((p / q).ln().abs());
                }
            }
            assert!(worst <= price.to_f64_up() * (1.0 + 1e-9), "{worst}");
            assert!(worst >= price.to_f64_up() * 0.5, "{worst}");
        }
    }

    #[test]
    fn ties_are_shared_equally() {
        let law = enumerate(40, |c| winner(&[2, 5, 4, 5, 1], &[3, 0, 1, 0, 0], &mut Merged(c)));
        for index in [0, 1, 2, 3] {
            let p = law.explored.get(&Some(index)).cloned();
            assert_eq!(p, Some(Ratio::new(BigUint::from(1u8), 4u8.into())), "{index}");
        }
        assert!(!law.explored.contains_key(&Some(4)));
    }

    #[test]
    fn extremes_and_emptiness() {
        let mut rng = InsecureTestRng::from_seed(5);
        let mechanism = mechanism(Scores::Any);
        assert_eq!(mechanism.draw(&[i128::MIN, i128::MAX], &mut rng).unwrap(), 1);
        assert_eq!(mechanism.draw(&[i128::MIN], &mut rng).unwrap(), 0);
        assert!(matches!(mechanism.draw(&[], &mut rng), Err(Error::Domain { .. })));
        assert!(NoisyMax::with_scale(Amount::ZERO, Scores::Any).is_err());
    }
}
