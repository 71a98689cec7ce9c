//! A run of the sparse vector technique, question by question.

use std::fmt;

use privacy_core::error::{Error, Result};
use privacy_core::random::SecureRng;

use super::AboveThreshold;

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
    pub(super) fn new(plan: AboveThreshold, noise: i128) -> Self {
        ThresholdRun { left: plan.positives, plan, noise }
    }

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

impl fmt::Debug for ThresholdRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThresholdRun").field("left", &self.left).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::conformance;
    use privacy_core::params::Amount;
    use privacy_core::random::InsecureTestRng;

    use super::*;
    use crate::select::Scores;

    fn run(positives: u32) -> AboveThreshold {
        let (two, three) = (Amount::from_integer(2), Amount::from_integer(3));
        AboveThreshold::with_scales(1, positives, two, three, Scores::Any).unwrap()
    }

    #[test]
    fn a_run_ends_with_its_last_positive() {
        let mut rng = InsecureTestRng::from_seed(11);
        let mut run = run(2).start(&mut rng).unwrap();
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
}
