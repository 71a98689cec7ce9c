//! The k best candidates.

use privacy_core::error::{Error, Result};
use privacy_core::measure::{Charge, PureCost, PureDp};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Epsilon, Rho};
use privacy_core::random::{RandomBuffer, SecureRng};
use privacy_core::space::{Linf, Vector};

use super::envelope::Envelope;
use super::exponential::groups;
use super::price::{Scores, Sharpness, bounded_range, bounded_range_epsilon};
use crate::noise::Choices;

/// Draws k different candidates, best first, each by the exponential mechanism among those left.
///
/// The law is that of adding Gumbel noise of scale 1/rate to each score once and reporting the k
/// largest in order: the one-shot mechanism of Durfee and Rogers 2019,
/// <https://arxiv.org/abs/1905.04273>.
///
/// # Privacy
///
/// k exponential mechanisms, each chosen after the ones before: with ε = 2·rate·d for one of them
/// (rate·d if the scores are [`Scores::Monotone`]) together kε-differential privacy, and, each
/// having bounded range, kε²/8-zCDP (Cesar and Rogers 2021, <https://arxiv.org/abs/2004.07223>).
/// For k above about 2/ε the second is the better price, also after conversion to (ε, δ).
///
/// # Example
///
/// ```
/// use dp_mechanisms::select::{Scores, TopK};
/// use privacy_core::prelude::*;
///
/// let one = Amount::from_integer(1);
/// let best = TopK::calibrated(3, &one, &Epsilon::new(0.6)?, Scores::Monotone)?;
/// assert_eq!(best.charge(one)?.in_zcdp().unwrap().rho, "0.015".parse()?);
/// let indices = best.draw(&[3, 170, 168, 12, 90], &mut SystemRng::new()?)?;
/// assert_eq!(indices.len(), 3);
/// # Ok::<(), privacy_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TopK {
    k: u32,
    sharpness: Sharpness,
}

impl TopK {
    /// `k` rounds with odds of exp(`rate`) for each point of score.
    #[must_use]
    pub fn with_rate(k: u32, rate: Amount, scores: Scores) -> Self {
        TopK { k, sharpness: Sharpness { rate, scores } }
    }

    /// The mechanism that costs `epsilon` for all `k` together, where each score changes by at
    /// most `sensitivity`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `k` or the sensitivity is 0.
    pub fn calibrated(
        k: u32,
        sensitivity: &Amount,
        epsilon: &Epsilon,
        scores: Scores,
    ) -> Result<Self> {
        let all = sensitivity * &u64::from(k).into();
        Ok(TopK { k, sharpness: Sharpness::calibrated(&all, epsilon, scores)? })
    }

    /// The mechanism that costs at most `rho`-zCDP for all `k` together.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `k` or the sensitivity is 0, or if ρ/k is below 2^-131.
    pub fn calibrated_zcdp(
        k: u32,
        sensitivity: &Amount,
        rho: &Rho,
        scores: Scores,
    ) -> Result<Self> {
        let share = rho.amount().checked_div(&u64::from(k).into()).unwrap_or(Amount::ZERO);
        let epsilon = bounded_range_epsilon(&Rho::from_amount(share)?)?;
        Ok(TopK { k, sharpness: Sharpness::calibrated(sensitivity, &epsilon, scores)? })
    }

    /// How many candidates are drawn.
    #[must_use]
    pub fn k(&self) -> u32 {
        self.k
    }

    /// The rate of one round.
    #[must_use]
    pub fn rate(&self) -> &Amount {
        &self.sharpness.rate
    }

    /// Drawing anew until the candidate is not among those drawn before is the exponential
    /// mechanism among those left. Bounds are made anew once the drawn ones get in the way.
    fn select<C: Choices + ?Sized>(&self, scores: &[i128], choices: &mut C) -> Result<Vec<usize>> {
        let k = self.k as usize;
        if scores.len() < k || scores.is_empty() {
            return Err(Error::Domain {
                step: "a selection of the k best",
                expected: "at least k candidates, and at least one",
            });
        }
        let mut left = groups(scores, None)?;
        let mut drawn = Vec::with_capacity(k);
        while drawn.len() < k {
            let now = left.clone();
            let Some(law) = Envelope::new(self.sharpness.rate.as_ratio(), &now) else {
                break;
            };
            let mut repeated = 0;
            while drawn.len() < k && repeated < 8 {
                let (index, _) = law.draw(choices, |index, _| now[index].gap)?;
                if left[index].points == 0 {
                    repeated += 1;
                } else {
                    left[index].points = 0;
                    drawn.push(index);
                }
            }
        }
        Ok(drawn)
    }
}

impl Mechanism for TopK {
    type Input = Vector<i128, Linf>;
    type Measure = PureDp;
    type Output = Vec<usize>;

    /// # Errors
    ///
    /// [`Error::Domain`] with fewer than k candidates, or none; [`Error::Entropy`].
    fn draw(&self, scores: &[i128], rng: &mut dyn SecureRng) -> Result<Vec<usize>> {
        self.select(scores, &mut RandomBuffer::new(rng))
    }

    fn cost(&self, d_in: Amount) -> Result<PureCost> {
        let one = self.sharpness.epsilon(&d_in).epsilon;
        Ok(PureCost { epsilon: &one * &u64::from(self.k).into() })
    }

    fn charge(&self, d_in: Amount) -> Result<Charge> {
        let k = u64::from(self.k).into();
        let pure = Charge::pure(self.cost(d_in.clone())?.epsilon);
        let one = bounded_range(&self.sharpness.epsilon(&d_in).epsilon);
        let zcdp = one.in_zcdp().map(|cost| Charge::zcdp(&cost.rho * &k));
        Ok(zcdp.map_or(pure.clone(), |zcdp| pure.or(zcdp)))
    }
}

#[cfg(test)]
mod tests {
    use num_rational::Ratio;
    use privacy_core::conformance;
    use privacy_core::random::InsecureTestRng;
    use privacy_testing::enumerate::enumerate;
    use privacy_testing::interval::Interval;

    use super::super::envelope::tests::{ratio, truth};
    use super::super::tests::{neighbours, worst_ratio};
    use super::*;
    use crate::noise::told::Merged;

    fn top(k: u32, a: u64, b: u64, scores: Scores) -> TopK {
        TopK::with_rate(k, Amount::from_fraction(a, b).unwrap(), scores)
    }

    #[test]
    fn sequences_have_exactly_the_law_of_peeling() {
        let scores = [2i128, 0, 3, 2];
        let law = enumerate(30, |c| top(2, 1, 2, Scores::Any).select(&scores, &mut Merged(c)));
        let weights = |skip: Option<usize>| -> Vec<(u64, u64)> {
            scores
                .iter()
                .enumerate()
                .map(|(i, s)| (u64::from(skip != Some(i)), (3 - s) as u64))
                .collect()
        };
        let mut total = Interval::exact(Ratio::default());
        for (first, p) in truth(&ratio(1, 2), &weights(None)).iter().enumerate() {
            for (second, q) in truth(&ratio(1, 2), &weights(Some(first))).iter().enumerate() {
                if first != second {
                    let truth = p.times(q);
                    assert!(law.probability(&vec![first, second]).meets(&truth));
                    total = total.plus(&truth);
                }
            }
        }
        assert!(law.unexplored < ratio(1, 1000) && total.meets(&Interval::exact(ratio(1, 1))));
    }

    #[test]
    fn neighbours_differ_by_no_more_than_the_price() {
        for (scores, rate) in [(Scores::Any, (1, 4)), (Scores::Monotone, (1, 2))] {
            let mechanism = top(2, rate.0, rate.1, scores);
            let law = |scores: &[i128]| enumerate(20, |c| mechanism.select(scores, &mut Merged(c)));
            // ε = 1 for both rounds.
            let worst = worst_ratio(&neighbours(3, 1, scores), law);
            assert!(worst <= 1f64.exp() * 1.01 && worst > 0.4f64.exp(), "{worst}");
        }
    }

    #[test]
    fn all_candidates_come_out_once() {
        let mut rng = InsecureTestRng::from_seed(8);
        let scores: Vec<i128> = (0..50).map(|i| (i % 7) << (i % 90)).collect();
        for (a, b) in [(0, 1), (1, 1_000_000), (1, 1), (1 << 40, 1)] {
            let mut drawn = top(50, a, b, Scores::Any).draw(&scores, &mut rng).unwrap();
            drawn.sort_unstable();
            assert_eq!(drawn, (0..50).collect::<Vec<_>>());
        }
        let sharp = top(3, 1 << 40, 1, Scores::Any);
        assert_eq!(sharp.draw(&[1, 9, i128::MIN, 5], &mut rng).unwrap(), [1, 3, 0]);
    }

    #[test]
    fn too_few_candidates_are_refused_whatever_their_scores() {
        let mut rng = InsecureTestRng::from_seed(8);
        for (k, scores) in [(3, &[1i128, 2][..]), (0, &[]), (1, &[])] {
            let refused = top(k, 1, 1, Scores::Any).draw(scores, &mut rng);
            assert!(matches!(refused, Err(Error::Domain { .. })));
        }
        assert_eq!(top(0, 1, 1, Scores::Any).draw(&[1], &mut rng).unwrap(), Vec::<usize>::new());
    }

    #[test]
    fn prices_add_up() {
        let one = Amount::from_integer(1);
        let rho = Rho::new(0.1).unwrap();
        let mechanism = TopK::calibrated_zcdp(10, &one, &rho, Scores::Any).unwrap();
        let charge = mechanism.charge(one.clone()).unwrap();
        assert!(charge.in_zcdp().unwrap().rho <= *rho.amount());
        assert!(charge.in_zcdp().unwrap().rho.to_f64_up() > 0.099_999);
        conformance::monotone_cost(&mechanism, &[one, Amount::from_integer(4)]).unwrap();
        assert!(
            TopK::calibrated(0, &Amount::from_integer(1), &Epsilon::new(1.0).unwrap(), Scores::Any)
                .is_err()
        );
    }
}
