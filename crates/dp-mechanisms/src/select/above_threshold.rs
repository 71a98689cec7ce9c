//! The sparse vector technique.

use std::fmt;

use num_bigint::BigUint;
use privacy_core::error::{Error, Result};
use privacy_core::measure::{PureCost, PureDp};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Confidence, Epsilon};
use privacy_core::random::SecureRng;
use privacy_core::space::{Linf, Vector};

use super::price::Scores;
use crate::noise::{DiscreteLaplace, NoiseError};

/// Tells of a stream of questions which ones pass a threshold, up to a number of positives.
///
/// The price is that of the positives: questions below the threshold are free, however many.
/// This is the variant that is right (Lyu, Su and Li 2017, <https://arxiv.org/abs/1603.01699>,
/// who also collect those that are not): the threshold gets noise once, every question gets noise
/// of its own whose scale grows with the number of positives, the run ends with the last
/// positive, and the noisy value that was compared is never shown.
///
/// # Privacy
///
/// With discrete Laplace noise of scales b₁ for the threshold and b₂ for the questions, and c
/// positives, a run over questions whose answers change by at most d between neighbours costs
/// ε = d/b₁ + 2cd/b₂, or d/b₁ + cd/b₂ if all answers move in the same direction
/// ([`Scores::Monotone`]); in zCDP ε²/2. Questions may be chosen after earlier answers were seen.
/// The proof for integers: shift the threshold's noise by d, which costs d/b₁; then every question
/// below stays below, and every one above needs its noise shifted by at most 2d (or d).
///
/// With [gaps](AboveThreshold::with_gaps) a positive also tells by how much the noisy answer passed
/// the noisy threshold. That is free (Ding, Wang, Zhang and Kifer 2023, sparse vector with gap,
/// <https://arxiv.org/abs/1904.12773>): the shift above leaves each gap what it is, for integer
/// answers and integer noise as for continuous noise. It holds for the gap alone, not for the
/// noisy answer or the noisy threshold.
///
/// The whole price is due before the first question. Noise is drawn within the range of `i128`,
/// which it leaves with probability below exp(-2^26).
///
/// # Example
///
/// Which days had more than a thousand failed logins, when a login counts on one day:
///
/// ```
/// use dp_mechanisms::select::{AboveThreshold, Answer, Scores};
/// use privacy_core::prelude::*;
///
/// let one = Amount::from_integer(1);
/// let alarm = AboveThreshold::calibrated(1000, 2, &one, &Epsilon::new(0.5)?, Scores::Monotone)?;
/// assert_eq!(alarm.cost(one)?.epsilon, "0.5".parse()?);
///
/// let mut rng = SystemRng::new()?;
/// let mut run = alarm.start(&mut rng)?; // once 0.5 is paid
/// for failed in [12i128, 40, 7, 52_000, 31] {
///     if let Answer::Above { .. } = run.ask(failed, &mut rng)? {
///         println!("an alarm");
///     }
///     if run.is_over() {
///         break;
///     }
/// }
/// # Ok::<(), privacy_core::Error>(())
/// ```
///
/// A run holds secret noise: it cannot be copied, or the copies' answers would give it away.
///
/// ```compile_fail,E0599
/// # use dp_mechanisms::select::ThresholdRun;
/// fn twice(run: &ThresholdRun) -> ThresholdRun {
///     run.clone()
/// }
/// ```
#[derive(Clone, Debug)]
pub struct AboveThreshold {
    threshold: i128,
    positives: u32,
    threshold_scale: Amount,
    question_scale: Amount,
    threshold_noise: DiscreteLaplace,
    question_noise: DiscreteLaplace,
    scores: Scores,
    gaps: bool,
}

/// What a run says of one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// The noisy answer lies below the noisy threshold.
    Below,
    /// The noisy answer reaches the noisy threshold.
    Above {
        /// By how much, if [gaps](AboveThreshold::with_gaps) were asked for.
        gap: Option<i128>,
    },
}

/// Answers and thresholds further apart count as this far apart, which brings neighbours no
/// further apart.
const FARTHEST: i128 = 1 << 125;

/// The run is over: a new one is charged anew.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the run has given all its positives; start another, which is charged anew")]
struct RunIsOver;

impl AboveThreshold {
    /// Noise of the given scales; `positives` is the number of positives at which a run ends.
    ///
    /// # Errors
    ///
    /// [`NoiseError`] if a scale is 0 or above the range of the sampler.
    pub fn with_scales(
        threshold: i128,
        positives: u32,
        threshold_scale: Amount,
        question_scale: Amount,
        scores: Scores,
    ) -> Result<Self, NoiseError> {
        Ok(AboveThreshold {
            threshold,
            positives,
            threshold_noise: DiscreteLaplace::new(threshold_scale.as_ratio().clone())?,
            question_noise: DiscreteLaplace::new(question_scale.as_ratio().clone())?,
            threshold_scale,
            question_scale,
            scores,
            gaps: false,
        })
    }

    /// The run that costs `epsilon` where each answer changes by at most `sensitivity`.
    ///
    /// ε is split between threshold and questions as 1 : (2c)^(2/3), or 1 : c^(2/3) for monotone
    /// answers, which makes the variance of what is compared smallest (Lyu, Su and Li, Section
    /// 4.2).
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `positives` is 0; a [`NoiseError`] if the sensitivity is 0 or a
    /// scale is above the range of the sampler.
    pub fn calibrated(
        threshold: i128,
        positives: u32,
        sensitivity: &Amount,
        epsilon: &Epsilon,
        scores: Scores,
    ) -> Result<Self> {
        if positives == 0 {
            return Err(Error::Parameter {
                parameter: "the number of positives",
                requirement: "above 0",
                given: 0.0,
            });
        }
        let moves = scores.moves() * u64::from(positives);
        let one = Amount::from_integer(1);
        let share = &one + &two_thirds_power(moves);
        // b₁ = Δ(1 + w)/ε, b₂ = moves·Δ(1 + w)/(εw).
        let unit = sensitivity.checked_div(epsilon.amount()).unwrap_or(Amount::ZERO);
        let threshold_scale = &unit * &share;
        let question_scale = (&threshold_scale * &moves.into())
            .checked_div(&two_thirds_power(moves))
            .unwrap_or(Amount::ZERO);
        Self::with_scales(threshold, positives, threshold_scale, question_scale, scores)
            .map_err(Error::technique)
    }

    /// Positives also tell by how much the noisy threshold was passed, at the same price.
    ///
    /// `threshold + gap` estimates the answer, with the noise of both; it is larger than the
    /// answer on average, because small gaps would not have been shown.
    #[must_use]
    pub fn with_gaps(self) -> Self {
        AboveThreshold { gaps: true, ..self }
    }

    /// The number of positives at which a run ends.
    #[must_use]
    pub fn positives(&self) -> u32 {
        self.positives
    }

    /// The scales of the noise on the threshold and on each question.
    #[must_use]
    pub fn scales(&self) -> (&Amount, &Amount) {
        (&self.threshold_scale, &self.question_scale)
    }

    /// A distance that, with at least the given confidence, no answer of a run of at most
    /// `questions` is wrong by: what was above was above the threshold minus it, what was below
    /// was below the threshold plus it.
    ///
    /// # Errors
    ///
    /// [`NoiseError::AlphaOutOfRange`] if the confidence is so high that the chance of a miss
    /// underflows.
    pub fn accuracy(&self, questions: u64, confidence: &Confidence) -> Result<u128, NoiseError> {
        let half = confidence.miss_probability() / 2.0;
        let each = (half / (questions.max(1) as f64)).next_down();
        let threshold = self.threshold_noise.half_width(half)?;
        Ok(threshold.saturating_add(self.question_noise.half_width(each)?))
    }

    /// Starts a run: draws the threshold's noise. Charge the [cost](Mechanism::cost) first.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`] if the random source fails.
    pub fn start(&self, rng: &mut dyn SecureRng) -> Result<ThresholdRun> {
        let noise = self.threshold_noise.sample(rng)?;
        Ok(ThresholdRun { plan: self.clone(), noise, left: self.positives })
    }
}

/// A [run](AboveThreshold::start) over a stream of questions, which may be chosen as it goes.
///
/// The answers to the questions, from data whose neighbours are at the distance that was charged,
/// are given to [`ask`](ThresholdRun::ask) one by one. Only what `ask` returns may leave.
#[must_use = "a run was paid for"]
pub struct ThresholdRun {
    plan: AboveThreshold,
    noise: i128,
    left: u32,
}

impl ThresholdRun {
    /// Whether the last positive was given: no question is answered any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.left == 0
    }

    /// How many positives are left.
    #[must_use]
    pub fn positives_left(&self) -> u32 {
        self.left
    }

    /// Whether `answer` passes the threshold, with noise on both.
    ///
    /// # Errors
    ///
    /// [`Error::Technique`] once the run [is over](Self::is_over), whatever the answer;
    /// [`Error::Entropy`] if the random source fails.
    pub fn ask(&mut self, answer: i128, rng: &mut dyn SecureRng) -> Result<Answer> {
        if self.is_over() {
            return Err(Error::technique(RunIsOver));
        }
        let noise = self.plan.question_noise.sample(rng)?;
        let gap = gap(answer, self.plan.threshold, noise, self.noise);
        if gap < 0 {
            return Ok(Answer::Below);
        }
        self.left -= 1;
        Ok(Answer::Above { gap: self.plan.gaps.then_some(gap) })
    }
}

/// answer + its noise - threshold - its noise.
fn gap(answer: i128, threshold: i128, answer_noise: i128, threshold_noise: i128) -> i128 {
    let distance = answer.saturating_sub(threshold).clamp(-FARTHEST, FARTHEST);
    distance.saturating_add(answer_noise).saturating_sub(threshold_noise)
}

/// moves^(2/3) to a multiple of 2^-16. Any positive number is a valid split.
fn two_thirds_power(moves: u64) -> Amount {
    let cubed = (BigUint::from(moves) * moves) << 48u32;
    Amount::from_fraction(cubed.cbrt(), 1u32 << 16).unwrap_or(Amount::from_integer(1))
}

impl Mechanism for AboveThreshold {
    type Input = Vector<i128, Linf>;
    type Measure = PureDp;
    type Output = Vec<Answer>;

    /// A run over the given answers, up to the last positive: as many answers come back as were
    /// asked for until then.
    fn draw(&self, answers: &[i128], rng: &mut dyn SecureRng) -> Result<Vec<Answer>> {
        let mut run = self.start(rng)?;
        let mut given = Vec::new();
        for answer in answers {
            if run.is_over() {
                break;
            }
            given.push(run.ask(*answer, rng)?);
        }
        Ok(given)
    }

    fn cost(&self, d_in: Amount) -> Result<PureCost> {
        // The constructor refuses scales of 0.
        let part = |d: &Amount, scale: &Amount| d.checked_div(scale).unwrap_or(Amount::ZERO);
        let moves = self.scores.moves() * u64::from(self.positives);
        let questions = part(&(&d_in * &moves.into()), &self.question_scale);
        Ok(PureCost { epsilon: &part(&d_in, &self.threshold_scale) + &questions })
    }
}

impl fmt::Debug for ThresholdRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThresholdRun").field("left", &self.left).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use privacy_core::conformance;
    use privacy_core::random::InsecureTestRng;
    use privacy_testing::statistics::check_chi_square;

    use super::super::tests::neighbours;
    use super::*;

    fn run(positives: u32, scores: Scores) -> AboveThreshold {
        let (two, three) = (Amount::from_integer(2), Amount::from_integer(3));
        AboveThreshold::with_scales(1, positives, two, three, scores).unwrap()
    }

    /// P(each sequence of answers), with gaps cut at 12, from the mass functions of the noises.
    fn law(plan: &AboveThreshold, answers: &[i128]) -> BTreeMap<Vec<Answer>, f64> {
        let mut law = BTreeMap::new();
        let pmf: Vec<f64> = (-60..=60).map(|x| plan.question_noise.pmf(x)).collect();
        let below = |x: i128| -> f64 { (-60..x.min(61)).map(|y| pmf[(y + 60) as usize]).sum() };
        for z in -60..=60 {
            let mut open = vec![(Vec::new(), plan.threshold_noise.pmf(z), plan.positives)];
            for answer in answers {
                let mut next = Vec::new();
                for (given, p, left) in open {
                    if left == 0 {
                        *law.entry(given).or_default() += p;
                        continue;
                    }
                    let mut branch = |answer, q, left| {
                        let mut given: Vec<Answer> = given.clone();
                        given.push(answer);
                        next.push((given, p * q, left));
                    };
                    let level = plan.threshold + z - answer;
                    branch(Answer::Below, below(level), left);
                    if plan.gaps {
                        for gap in 0..12 {
                            let q = plan.question_noise.pmf(level + gap);
                            branch(Answer::Above { gap: Some(gap) }, q, left - 1);
                        }
                    } else {
                        branch(Answer::Above { gap: None }, 1.0 - below(level), left - 1);
                    }
                }
                open = next;
            }
            for (given, p, _) in open {
                *law.entry(given).or_default() += p;
            }
        }
        law
    }

    fn worst(plan: &AboveThreshold, scores: Scores, length: usize) -> f64 {
        let mut worst = 0.0f64;
        for (a, b) in neighbours(length, 1, scores) {
            let (a, b) = (law(plan, &a), law(plan, &b));
            for (outcome, p) in &a {
                if *p > 0.0 {
                    worst = worst.max((p / b[outcome]).ln().abs());
                }
            }
        }
        worst
    }

    #[test]
    fn neighbours_differ_by_no_more_than_the_price() {
        for scores in [Scores::Any, Scores::Monotone] {
            for positives in [1, 2] {
                for plan in [run(positives, scores), run(positives, scores).with_gaps()] {
                    let price = plan.cost(Amount::from_integer(1)).unwrap().epsilon.to_f64_up();
                    let worst = worst(&plan, scores, if plan.gaps { 2 } else { 3 });
                    assert!(worst <= price * (1.0 + 1e-9), "{worst} above {price}");
                    assert!(worst >= price * 0.3, "{worst} far below {price}");
                }
            }
        }
    }

    #[test]
    fn noise_on_the_threshold_alone_is_convicted() {
        // A wrong variant in circulation: ε = d/b₁, no noise on the questions.
        let (two, tiny) = (Amount::from_integer(2), Amount::from_fraction(1u8, 100u8).unwrap());
        let wrong = AboveThreshold::with_scales(1, 1, two, tiny, Scores::Any).unwrap();
        assert!(worst(&wrong, Scores::Any, 2) > 5.0);
    }

    #[test]
    fn draws_follow_the_law_that_the_proof_is_about() {
        let answers = [1i128, 0, 3];
        let plan = run(2, Scores::Any);
        let law = law(&plan, &answers);
        let mut rng = InsecureTestRng::from_seed(11);
        let mut seen: BTreeMap<Vec<Answer>, u64> = law.keys().map(|k| (k.clone(), 0)).collect();
        for _ in 0..200_000 {
            *seen.get_mut(&plan.draw(&answers, &mut rng).unwrap()).unwrap() += 1;
        }
        let observed: Vec<u64> = seen.into_values().collect();
        let law: Vec<f64> = law.into_values().collect();
        check_chi_square(&observed, &law, 1e-9);
    }

    #[test]
    fn a_run_ends_with_its_last_positive() {
        let mut rng = InsecureTestRng::from_seed(11);
        let mut run = run(2, Scores::Any).start(&mut rng).unwrap();
        let sure = 1 << 100;
        assert_eq!(run.ask(-sure, &mut rng).unwrap(), Answer::Below);
        assert_eq!(run.ask(i128::MAX, &mut rng).unwrap(), Answer::Above { gap: None });
        assert_eq!(run.ask(i128::MIN, &mut rng).unwrap(), Answer::Below);
        assert_eq!(run.ask(sure, &mut rng).unwrap(), Answer::Above { gap: None });
        assert!(run.is_over());
        let refusals = [sure, -sure].map(|x| run.ask(x, &mut rng).unwrap_err().to_string());
        assert_eq!(refusals[0], refusals[1]);
    }

    #[test]
    fn nothing_of_a_run_shows() {
        let mut rng = InsecureTestRng::from_seed(11);
        let scale = Amount::from_integer(1 << 60);
        let plan = AboveThreshold::with_scales(0, 1, scale.clone(), scale, Scores::Any).unwrap();
        let run = plan.start(&mut rng).unwrap();
        conformance::quiet(&run, &[&run.noise.to_string(), "noise"]).unwrap();
    }

    #[test]
    fn calibration_spends_epsilon_exactly_and_splits_it_well() {
        let (one, epsilon) = (Amount::from_integer(1), Epsilon::new(0.3).unwrap());
        for scores in [Scores::Any, Scores::Monotone] {
            let plan = AboveThreshold::calibrated(5, 4, &one, &epsilon, scores).unwrap();
            assert_eq!(plan.cost(one.clone()).unwrap().epsilon, *epsilon.amount());
            conformance::monotone_cost(&plan, &[one.clone(), Amount::from_integer(2)]).unwrap();
        }
        // Monotone with c = 8: 1 : 4.
        let plan = AboveThreshold::calibrated(5, 8, &one, &epsilon, Scores::Monotone).unwrap();
        assert_eq!(*plan.scales().0, "50/3".parse().unwrap());
        assert!(AboveThreshold::calibrated(5, 0, &one, &epsilon, Scores::Any).is_err());
        assert!(AboveThreshold::calibrated(5, 1, &Amount::ZERO, &epsilon, Scores::Any).is_err());
    }
}
