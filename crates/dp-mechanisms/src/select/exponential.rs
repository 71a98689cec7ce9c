//! The exponential mechanism.

use privacy_core::error::{Error, Result};
use privacy_core::measure::{Charge, PureCost, PureDp};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Confidence, Epsilon, Rho};
use privacy_core::random::{RandomBuffer, SecureRng};
use privacy_core::space::{Linf, Vector};

use super::envelope::{Envelope, Group};
use super::price::{NO_CANDIDATES, Scores, Sharpness, bounded_range, bounded_range_epsilon};
use crate::noise::Choices;

/// Draws candidate i with probability proportional to exp(rate · score of i).
///
/// The classic of selection (McSherry and Talwar 2007,
/// <https://doi.org/10.1109/FOCS.2007.66>), and the right one under a zCDP budget. For a pure
/// budget [`PermuteAndFlip`](super::PermuteAndFlip) is never worse.
///
/// # Privacy
///
/// Between score vectors at distance d ([`Linf`]) the odds of any two outcomes move by at most
/// 2·rate·d in the logarithm, or rate·d if the scores are [`Scores::Monotone`]. With ε that
/// number: ε-differential privacy (McSherry and Talwar), and, because the loss varies by at most
/// ε over all outcomes, ε²/8-zCDP (Cesar and Rogers 2021, <https://arxiv.org/abs/2004.07223>).
/// The number of candidates and their multiplicities are public. Draws have exactly the stated
/// law.
///
/// # Example
///
/// ```
/// use dp_mechanisms::select::ExponentialMechanism;
/// use privacy_core::prelude::*;
///
/// let one = Amount::from_integer(1);
/// let choose = ExponentialMechanism::calibrated(&one, &Epsilon::new(0.4)?)?;
/// let charge = choose.charge(one)?;
/// assert_eq!(charge.in_zcdp().unwrap().rho, "0.02".parse()?); // not 0.08
/// let index = choose.draw(&[3, 170, 168], &mut SystemRng::new()?)?;
/// assert!(index < 3);
/// # Ok::<(), privacy_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ExponentialMechanism {
    sharpness: Sharpness,
    multiplicities: Option<Vec<u64>>,
}

impl ExponentialMechanism {
    /// Odds of exp(`rate`) for each point of score.
    #[must_use]
    pub fn with_rate(rate: Amount, scores: Scores) -> Self {
        ExponentialMechanism { sharpness: Sharpness { rate, scores }, multiplicities: None }
    }

    /// The mechanism that costs `epsilon` where each score changes by at most `sensitivity`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if the sensitivity is 0.
    pub fn calibrated(sensitivity: &Amount, epsilon: &Epsilon) -> Result<Self> {
        let sharpness = Sharpness::calibrated(sensitivity, epsilon, Scores::Any)?;
        Ok(ExponentialMechanism { sharpness, multiplicities: None })
    }

    /// As [`calibrated`](Self::calibrated), for [`Scores::Monotone`]: twice as sharp at the same
    /// price.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if the sensitivity is 0.
    pub fn monotone(sensitivity: &Amount, epsilon: &Epsilon) -> Result<Self> {
        let sharpness = Sharpness::calibrated(sensitivity, epsilon, Scores::Monotone)?;
        Ok(ExponentialMechanism { sharpness, multiplicities: None })
    }

    /// The mechanism that costs at most `rho`-zCDP where each score changes by at most
    /// `sensitivity`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if the sensitivity is 0, or if ρ is below 2^-131.
    pub fn calibrated_zcdp(sensitivity: &Amount, rho: &Rho, scores: Scores) -> Result<Self> {
        let epsilon = bounded_range_epsilon(rho)?;
        let sharpness = Sharpness::calibrated(sensitivity, &epsilon, scores)?;
        Ok(ExponentialMechanism { sharpness, multiplicities: None })
    }

    /// Each candidate stands for a public number of equals: its probability is multiplied by it.
    ///
    /// A candidate of multiplicity 0 is never drawn.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if no multiplicity is above 0.
    pub fn with_multiplicities(mut self, multiplicities: Vec<u64>) -> Result<Self> {
        if multiplicities.iter().all(|&points| points == 0) {
            return Err(Error::Parameter {
                parameter: "the largest multiplicity",
                requirement: "above 0",
                given: 0.0,
            });
        }
        self.multiplicities = Some(multiplicities);
        Ok(self)
    }

    /// The rate.
    #[must_use]
    pub fn rate(&self) -> &Amount {
        &self.sharpness.rate
    }

    /// How far the score drawn may lie below the best: by at most this, with at least the given
    /// confidence, for any scores.
    ///
    /// ln(candidates / (1 − confidence)) / rate, rounded up (Dwork and Roth 2014, Theorem 3.11,
    /// <https://doi.org/10.1561/0400000042>): all candidates further away weigh together at most
    /// candidates · exp(−rate · shortfall) of the best. A candidate counts as often as its
    /// multiplicity says, and the best must have one above 0.
    #[must_use]
    pub fn shortfall(&self, candidates: u64, confidence: &Confidence) -> f64 {
        self.sharpness.shortfall(candidates, confidence)
    }

    fn select<C: Choices + ?Sized>(&self, scores: &[i128], choices: &mut C) -> Result<usize> {
        let groups = groups(scores, self.multiplicities.as_deref())?;
        let law = Envelope::new(self.sharpness.rate.as_ratio(), &groups).ok_or(NO_CANDIDATES)?;
        let (index, _) = law.draw(choices, |index, _| groups[index].gap)?;
        Ok(index)
    }
}

/// The candidates by how far they are from the best.
///
/// The best is taken over all candidates, also those of multiplicity 0: it only shifts the gaps.
pub(super) fn groups(scores: &[i128], multiplicities: Option<&[u64]>) -> Result<Vec<Group>> {
    let best = scores.iter().max().copied().ok_or(NO_CANDIDATES)?;
    let gaps = scores.iter().map(|score| best.abs_diff(*score));
    match multiplicities {
        None => Ok(gaps.map(|gap| Group { points: 1, gap }).collect()),
        Some(points) if points.len() == scores.len() => {
            Ok(points.iter().zip(gaps).map(|(&n, gap)| Group { points: n.into(), gap }).collect())
        }
        Some(_) => Err(Error::Domain {
            step: "the exponential mechanism",
            expected: "as many scores as multiplicities",
        }),
    }
}

impl Mechanism for ExponentialMechanism {
    type Input = Vector<i128, Linf>;
    type Measure = PureDp;
    type Output = usize;

    /// # Errors
    ///
    /// [`Error::Domain`] without candidates, or if there are not as many scores as
    /// multiplicities; [`Error::Entropy`].
    fn draw(&self, scores: &[i128], rng: &mut dyn SecureRng) -> Result<usize> {
        self.select(scores, &mut RandomBuffer::new(rng))
    }

    fn cost(&self, d_in: Amount) -> Result<PureCost> {
        Ok(self.sharpness.epsilon(&d_in))
    }

    fn charge(&self, d_in: Amount) -> Result<Charge> {
        Ok(bounded_range(&self.sharpness.epsilon(&d_in).epsilon))
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::conformance;
    use privacy_core::random::InsecureTestRng;
    use privacy_testing::enumerate::enumerate;

    use super::super::envelope::tests::{ratio, truth};
    use super::super::tests::{neighbours, worst_ratio};
    use super::*;
    use crate::noise::told::Merged;

    fn rate(a: u64, b: u64) -> Amount {
        Amount::from_fraction(a, b).unwrap()
    }

    #[test]
    fn every_outcome_has_exactly_its_probability() {
        for scores in [vec![0i128], vec![4, -1, 4], vec![i128::MIN, i128::MAX, i128::MAX - 3]] {
            let mechanism = ExponentialMechanism::with_rate(rate(2, 3), Scores::Any);
            let law = enumerate(50, |c| mechanism.select(&scores, &mut Merged(c)));
            let best = scores.iter().max().unwrap();
            let gap = |s: &i128| u64::try_from(best.abs_diff(*s).min(1 << 40)).unwrap();
            let weights: Vec<(u64, u64)> = scores.iter().map(|s| (1, gap(s))).collect();
            for (index, truth) in truth(&ratio(2, 3), &weights).iter().enumerate() {
                assert!(law.probability(&index).meets(truth), "{index}");
            }
        }
    }

    #[test]
    fn neighbours_differ_by_no_more_than_the_price_and_no_less_than_half_of_it() {
        let mechanism = ExponentialMechanism::with_rate(rate(1, 2), Scores::Any);
        let law = |scores: &[i128]| enumerate(50, |c| mechanism.select(scores, &mut Merged(c)));
        // ε = 2 · 1/2 · 1 = 1.
        let worst = worst_ratio(&neighbours(3, 2, Scores::Any), law);
        assert!(worst <= 1f64.exp() * (1.0 + 1e-9) && worst > 0.8f64.exp(), "{worst}");
    }

    #[test]
    fn monotone_neighbours_differ_by_half() {
        let mechanism = ExponentialMechanism::with_rate(rate(1, 1), Scores::Monotone);
        let law = |scores: &[i128]| enumerate(50, |c| mechanism.select(scores, &mut Merged(c)));
        let worst = worst_ratio(&neighbours(3, 2, Scores::Monotone), law);
        assert!(worst <= 1f64.exp() * (1.0 + 1e-9), "{worst}");
        // Scores that are not monotone would break this price.
        assert!(worst_ratio(&neighbours(3, 2, Scores::Any), law) > 1.2f64.exp());
    }

    #[test]
    fn multiplicities_multiply() {
        let mechanism = ExponentialMechanism::with_rate(rate(1, 2), Scores::Any)
            .with_multiplicities(vec![0, 3, 1])
            .unwrap();
        let law = enumerate(50, |c| mechanism.select(&[9, 1, 3], &mut Merged(c)));
        for (index, truth) in truth(&ratio(1, 2), &[(0, 0), (3, 8), (1, 6)]).iter().enumerate() {
            assert!(law.probability(&index).meets(truth));
        }
        let mut rng = InsecureTestRng::from_seed(1);
        assert!(matches!(mechanism.draw(&[1, 2], &mut rng), Err(Error::Domain { .. })));
        let nothing = ExponentialMechanism::with_rate(rate(1, 2), Scores::Any);
        assert!(nothing.with_multiplicities(vec![0, 0]).is_err());
    }

    #[test]
    fn extremes_are_drawn_without_overflow() {
        let mut rng = InsecureTestRng::from_seed(1);
        for power in [-300, 0, 300] {
            let rate = Amount::from_integer(1).scaled_by_power_of_two(power);
            let mechanism = ExponentialMechanism::with_rate(rate, Scores::Any);
            let index = mechanism.draw(&[i128::MIN, 0, i128::MAX, i128::MIN], &mut rng).unwrap();
            assert!(power < 0 || index == 2);
            assert_eq!(mechanism.draw(&[i128::MIN], &mut rng).unwrap(), 0);
            assert!(matches!(mechanism.draw(&[], &mut rng), Err(Error::Domain { .. })));
        }
    }

    #[test]
    fn prices_follow_the_distance() {
        let mechanism = ExponentialMechanism::calibrated(&rate(5, 2), &Epsilon::new(0.5).unwrap());
        let mechanism = mechanism.unwrap();
        conformance::monotone_cost(&mechanism, &[rate(1, 2), rate(5, 2), rate(7, 1)]).unwrap();
        let charge = mechanism.charge(rate(5, 2)).unwrap();
        assert_eq!(charge.in_pure().unwrap().epsilon, rate(1, 2));
        assert_eq!(charge.in_zcdp().unwrap().rho, rate(1, 32));
        let rho = Rho::new(0.1).unwrap();
        let zcdp = ExponentialMechanism::calibrated_zcdp(&rate(3, 1), &rho, Scores::Any).unwrap();
        let asked = zcdp.charge(rate(3, 1)).unwrap().in_zcdp().unwrap().rho;
        assert!(asked <= *rho.amount() && asked.to_f64_up() > 0.099_999_99);
    }

    #[test]
    fn the_shortfall_holds_and_is_not_idle() {
        // Exactly: one good candidate among many that are `gap` worse.
        let mechanism = ExponentialMechanism::with_rate(rate(1, 10), Scores::Any);
        let bound = mechanism.shortfall(1000, &Confidence::default());
        let missed = |gap: f64| {
            let bad = 999.0 * (-gap / 10.0).exp();
            bad / (1.0 + bad)
        };
        assert!(missed(bound) <= 0.05 && missed(bound * 0.99) > 0.05);
    }
}
