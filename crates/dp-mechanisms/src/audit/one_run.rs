//! The one-run audit: many canaries at once instead of many runs.

use privacy_core::error::{Error, Result};
use privacy_core::params::Confidence;
use privacy_core::random::{RandomBuffer, SecureRng};

use super::binomial::{SLACK, point, upper_tail};

/// Guesses of which canaries a single run has seen, and how many were right.
///
/// # Guarantee
///
/// Each of m canaries (rows, or users, whose presence neighbours differ in) enters the data with
/// probability 1/2, independently. From the one output somebody guesses, for r canaries of his
/// choice, whether they were in. Under ε-differential privacy for the presence of one canary, the
/// number of right guesses exceeds Bin(r, e^ε/(1 + e^ε)) with no larger probability than that law
/// itself has; under (ε, δ) with at most 2mδ·max_i P(v > Bin ≥ v − i)/i more (Steinke, Nasr,
/// Jagielski 2023, Theorem 5.2, <https://arxiv.org/abs/2305.08846>). The bound holds whatever the
/// other rows are and however the guesses are made, as long as they see the output alone.
///
/// It is weaker than an [`Audit`](super::Audit) of many runs, since the noise of one run is shared by all
/// canaries, but needs one run.
///
/// # Example
///
/// ```
/// use dp_mechanisms::audit::Guesses;
/// use privacy_core::params::Confidence;
/// use privacy_core::random::{RandomBuffer, SecureRng, SystemRng};
///
/// // Randomized response of each row, which lies with probability 1/4: ε = ln 3.
/// let scores = |present: &[bool], rng: &mut dyn SecureRng| {
///     let mut random = RandomBuffer::new(rng);
///     present.iter().map(|p| Ok(f64::from(u8::from(*p != (random.below(4)? == 0))))).collect()
/// };
/// let guesses = Guesses::of_one_run(10_000, 10_000, &mut SystemRng::new()?, scores)?;
/// let epsilon = guesses.epsilon_lower(0.0, &Confidence::from_fraction(999_999, 1_000_000)?);
/// assert!(epsilon > 0.9 && epsilon < 1.1);
/// # Ok::<(), privacy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guesses {
    canaries: u64,
    made: u64,
    right: u64,
}

impl Guesses {
    /// `right` of `made` guesses about `canaries` canaries.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless `right` ≤ `made` ≤ `canaries` ≤ 2^32.
    pub fn new(canaries: u64, made: u64, right: u64) -> Result<Self> {
        if right > made || made > canaries || canaries > 1 << 32 {
            return Err(Error::Parameter {
                parameter: "the number of guesses",
                requirement: "at least the right ones and at most the canaries, of at most 2^32",
                given: made as f64,
            });
        }
        Ok(Guesses { canaries, made, right })
    }

    /// Flips a coin for each of `canaries` canaries, runs `scores` once on which are present, and
    /// makes `guesses` guesses: present for the half of them with the highest scores, absent for
    /// the half with the lowest.
    ///
    /// `scores` runs the mechanism and gives each canary a score from its output alone: the higher,
    /// the likelier it was present. It must not look at the flags in any other way. How many
    /// guesses to make must be settled before; fewer leave out the canaries that the output says
    /// little about.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `guesses` exceeds `canaries`, or if there are as many scores as
    /// there are canaries but for some; those of `scores`; [`Error::Entropy`].
    pub fn of_one_run(
        canaries: u64,
        guesses: u64,
        rng: &mut dyn SecureRng,
        scores: impl FnOnce(&[bool], &mut dyn SecureRng) -> Result<Vec<f64>>,
    ) -> Result<Self> {
        Guesses::new(canaries, guesses, 0)?;
        let mut random = RandomBuffer::new(rng);
        let present =
            (0..canaries).map(|_| random.bit()).collect::<std::result::Result<Vec<bool>, _>>()?;
        drop(random);
        let scores = scores(&present, rng)?;
        if scores.len() != present.len() {
            return Err(Error::Parameter {
                parameter: "the number of scores",
                requirement: "that of the canaries",
                given: scores.len() as f64,
            });
        }
        let mut ranked: Vec<(f64, bool)> = scores.into_iter().zip(present).collect();
        // The order of equal scores must not depend on the flags: a stable sort keeps positions.
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        let high = guesses.div_ceil(2) as usize;
        let low = ranked.len() - (guesses - high as u64) as usize;
        let right = ranked
            .iter()
            .enumerate()
            .filter(|(i, (_, present))| if *i < high { *present } else { *i >= low && !present })
            .count();
        Guesses::new(canaries, guesses, right as u64)
    }

    /// How many guesses were right, and how many were made.
    #[must_use]
    pub fn right(&self) -> (u64, u64) {
        (self.right, self.made)
    }

    /// The most likely that so many right guesses can be under (`epsilon`, `delta`)-differential
    /// privacy, rounded up.
    #[must_use]
    pub fn likelihood(&self, epsilon: f64, delta: f64) -> f64 {
        let (r, v) = (self.made, self.right);
        let q = 1.0 / (1.0 + (-epsilon).exp());
        let beyond = upper_tail(v, r, q);
        if beyond >= 1.0 || !(0.0..1.0).contains(&delta) {
            return 1.0;
        }
        let (mut below, mut worst) = (0.0, 0.0f64);
        if delta > 0.0 {
            for i in 1..=v {
                below += if q < 1.0 { point(v - i, r, q) } else { 0.0 };
                worst = worst.max(below / i as f64);
                // The rest cannot add to the mean.
                if 1.0 / (i as f64) <= worst {
                    break;
                }
            }
        }
        let extra = 2.0 * self.canaries as f64 * delta * worst;
        ((beyond + extra) * (1.0 + SLACK)).min(1.0)
    }

    /// The largest ε refuted at `delta`: with at least this `confidence` the mechanism is not
    /// (ε′, δ)-differentially private for any smaller ε′.
    #[must_use]
    pub fn epsilon_lower(&self, delta: f64, confidence: &Confidence) -> f64 {
        let miss = confidence.miss_probability();
        let refuted = |epsilon: f64| self.likelihood(epsilon, delta) <= miss;
        if !refuted(0.0) {
            return 0.0;
        }
        let (mut low, mut high) = (0.0, 40.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if refuted(middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    /// For tests: goes on if the guesses are no evidence against (`epsilon`, `delta`).
    ///
    /// # Panics
    ///
    /// If the claim is refuted at the `confidence`.
    #[track_caller]
    pub fn assert_within(&self, epsilon: f64, delta: f64, confidence: &Confidence) {
        let likelihood = self.likelihood(epsilon, delta);
        let (right, made) = self.right();
        assert!(
            likelihood > confidence.miss_probability(),
            "{right} of {made} guesses were right, which has probability at most {likelihood:e} \
             under (ε = {epsilon}, δ = {delta})"
        );
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::random::InsecureTestRng;

    use super::*;

    fn sure() -> Confidence {
        Confidence::from_fraction(999_999, 1_000_000).unwrap()
    }

    #[test]
    fn the_tail_of_randomized_response_is_exact_for_pure_privacy() {
        // 75 of 100 at ε = ln 3, the mean: P(Bin(100, 3/4) ≥ 75) = 0.5535 (the paper's example).
        let guesses = Guesses::new(100, 100, 75).unwrap();
        assert!((guesses.likelihood(3f64.ln(), 0.0) - 0.5535).abs() < 1e-4);
        assert!(guesses.likelihood(3f64.ln(), 1e-5) > guesses.likelihood(3f64.ln(), 0.0));
    }

    #[test]
    fn delta_covers_the_two_ways_to_spend_it() {
        let (m, epsilon, delta) = (40u64, 0.7f64, 1e-3);
        let q = 1.0 / (1.0 + (-epsilon).exp());
        for right in 20..=m {
            let bound = Guesses::new(m, m, right).unwrap().likelihood(epsilon, delta);
            // All canaries at once with probability δ.
            let together = delta + (1.0 - delta) * upper_tail(right, m, q);
            // Each canary by itself with probability δ.
            let apart = upper_tail(right, m, q + delta * (1.0 - q));
            assert!(bound >= together && bound >= apart, "{right}: {bound} {together} {apart}");
        }
    }

    #[test]
    fn counts_must_fit() {
        assert!(Guesses::new(10, 11, 3).is_err());
        assert!(Guesses::new(10, 9, 10).is_err());
        let mut rng = InsecureTestRng::from_seed(1);
        assert!(Guesses::of_one_run(10, 10, &mut rng, |_, _| Ok(vec![0.0; 9])).is_err());
    }

    /// Sums of present canaries, each in a coordinate of its own, with Laplace noise.
    fn noisy(scale: f64, guesses: u64) -> Guesses {
        let noise = crate::additive::LaplaceNoise::vector(
            privacy_core::params::Amount::from_decimal(scale).unwrap(),
        )
        .unwrap();
        let mut rng = InsecureTestRng::from_seed(9);
        Guesses::of_one_run(20_000, guesses, &mut rng, |present, rng| {
            use privacy_core::mechanism::Mechanism;
            let values: Vec<i128> = present.iter().map(|p| i128::from(*p)).collect();
            Ok(noise.draw(&values, rng)?.into_iter().map(|x| x as f64).collect())
        })
        .unwrap()
    }

    #[test]
    fn one_run_measures_noise() {
        let right = noisy(1.0, 2_000);
        right.assert_within(1.0, 0.0, &sure());
        assert!(right.epsilon_lower(0.0, &sure()) > 0.6, "{right:?}");
        let broken = noisy(0.4, 2_000);
        assert!(broken.epsilon_lower(0.0, &sure()) > 1.5, "{broken:?}");
        assert!(broken.epsilon_lower(1e-11, &sure()) > 1.4, "{broken:?}");
        assert!(broken.likelihood(1.0, 1e-11) < 1e-6);
    }

    #[test]
    fn scores_that_say_nothing_refute_nothing() {
        let mut rng = InsecureTestRng::from_seed(2);
        let blind = Guesses::of_one_run(5_000, 5_000, &mut rng, |p, _| Ok(vec![0.0; p.len()]));
        assert_eq!(blind.unwrap().epsilon_lower(0.0, &sure()), 0.0);
    }
}
