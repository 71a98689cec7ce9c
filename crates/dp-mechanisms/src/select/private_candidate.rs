//! Selection among private candidates.

use privacy_core::error::{Error, Result};
use privacy_core::measure::{PureCost, PureDp};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::Amount;
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};
use privacy_core::space::{Data, DistanceOf};

use crate::noise::Choices;

/// How often a [`PrivateCandidate`] repeats its mechanism: a random number, at least 1.
///
/// The number has to be random and secret in advance: the best of a fixed number of runs can cost
/// as much as all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stopping {
    /// P(K = k) = γ(1 − γ)^(k−1): after each run, stop with probability γ. Costs 3ε; 1/γ runs
    /// on average.
    Geometric,
    /// P(K = k) proportional to (1 − γ)^k / k. Costs 2ε; (1/γ − 1)/ln(1/γ) runs on average, and
    /// often a single one.
    Logarithmic,
}

impl Stopping {
    /// The price, in runs.
    fn factor(self) -> u64 {
        match self {
            Stopping::Geometric => 3,
            Stopping::Logarithmic => 2,
        }
    }
}

/// Repeats a private mechanism a random number of times and releases the best outcome.
///
/// For choosing among models, parameters or whole analyses that are private themselves: the
/// mechanism draws a candidate (for example a parameter, uniformly), runs it privately and returns
/// a score with the outcome; the outcome of the highest score is released, with its score.
///
/// # Privacy
///
/// For an ε-DP mechanism: 3ε with [`Stopping::Geometric`] (Liu and Talwar 2019,
/// <https://arxiv.org/abs/1811.07971>), 2ε with [`Stopping::Logarithmic`] (Papernot and Steinke
/// 2022, <https://arxiv.org/abs/2110.03620>), however many runs there are. The proof in one
/// breath: with f the probability generating function of K, an outcome y is released with
/// probability q(y) · f'(t) for some t between the chances of a score below and of one not above
/// that of y; f'(t) is proportional to (γ + (1 − γ)(1 − t))^−(1+η), with η = 1 and 0; between
/// neighbours q(y) and 1 − t each change by a factor of at most e^ε, hence the release by
/// e^((2+η)ε). Of equal scores the first one drawn is kept, which shares the chance of a score
/// among its outcomes as the mechanism does. In zCDP half the square.
///
/// How long it takes tells how many runs there were, which does not depend on the data; the time
/// of one run may.
///
/// # Example
///
/// ```
/// use dp_mechanisms::additive::LaplaceNoise;
/// use dp_mechanisms::select::{PrivateCandidate, Stopping};
/// use privacy_core::prelude::*;
///
/// /// Draws one of four questions at random and answers it with noise.
/// struct OneOfFour(LaplaceNoise<Scalar<i128>>);
///
/// impl Mechanism for OneOfFour {
///     type Input = Vector<i128, Linf>;
///     type Measure = PureDp;
///     type Output = (i128, usize);
///
///     fn draw(&self, answers: &[i128], rng: &mut dyn SecureRng) -> Result<(i128, usize)> {
///         let which = RandomBuffer::new(rng).below(4)? as usize;
///         let answer = answers.get(which).copied().unwrap_or(0);
///         Ok((self.0.draw(&answer, rng)?, which))
///     }
///
///     fn cost(&self, d_in: Amount) -> Result<PureCost> {
///         self.0.cost(d_in)
///     }
/// }
///
/// let one = Amount::from_integer(1);
/// let noise = LaplaceNoise::calibrated(&one, &Epsilon::new(0.1)?).map_err(Error::technique)?;
/// let best = PrivateCandidate::new(OneOfFour(noise), Stopping::Logarithmic, "0.01".parse()?)?;
/// assert_eq!(best.cost(one)?.epsilon, "0.2".parse()?);
/// let (score, which) = best.draw(&[300, 20, 500, 100], &mut SystemRng::new()?)?;
/// # let _ = (score, which);
/// # Ok::<(), privacy_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PrivateCandidate<M> {
    mechanism: M,
    stopping: Stopping,
    gamma: Amount,
}

impl<M> PrivateCandidate<M> {
    /// Repeats `mechanism` a number of times that `stopping` draws with parameter γ = `gamma`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless 0 < γ <= 1.
    pub fn new(mechanism: M, stopping: Stopping, gamma: Amount) -> Result<Self> {
        if gamma.is_zero() || gamma > Amount::from_integer(1) {
            return Err(Error::Parameter {
                parameter: "the stopping parameter γ",
                requirement: "above 0 and at most 1",
                given: gamma.to_f64_up(),
            });
        }
        Ok(PrivateCandidate { mechanism, stopping, gamma })
    }

    /// The average number of runs.
    #[must_use]
    pub fn expected_runs(&self) -> f64 {
        let gamma = self.gamma.to_f64_up();
        match self.stopping {
            Stopping::Geometric => gamma.recip(),
            Stopping::Logarithmic if gamma >= 1.0 => 1.0,
            Stopping::Logarithmic => (gamma.recip() - 1.0) / -gamma.ln(),
        }
    }

    fn runs<C: Choices + ?Sized>(&self, choices: &mut C) -> Result<u64, EntropyError> {
        let mut runs = 1u64;
        while !choices.chance(self.gamma.numerator(), self.gamma.denominator())? {
            runs = runs.saturating_add(1);
            // 1/k = 1/2 · 2/3 · ... · (k-1)/k thins the geometric law to the logarithmic one.
            let starts_over =
                self.stopping == Stopping::Logarithmic && choices.chance(&1, &runs)?;
            if starts_over {
                runs = 1;
            }
        }
        Ok(runs)
    }
}

impl<M, T> Mechanism for PrivateCandidate<M>
where
    M: Mechanism<Measure = PureDp, Output = (i128, T)>,
{
    type Input = M::Input;
    type Measure = PureDp;
    type Output = (i128, T);

    fn draw(&self, data: &Data<M::Input>, rng: &mut dyn SecureRng) -> Result<(i128, T)> {
        let runs = self.runs(&mut RandomBuffer::new(rng))?;
        let mut best = self.mechanism.draw(data, rng)?;
        for _ in 1..runs {
            let next = self.mechanism.draw(data, rng)?;
            if next.0 > best.0 {
                best = next;
            }
        }
        Ok(best)
    }

    fn cost(&self, d_in: DistanceOf<M::Input>) -> Result<PureCost> {
        let one = self.mechanism.cost(d_in)?.epsilon;
        Ok(PureCost { epsilon: &one * &self.stopping.factor().into() })
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use num_rational::Ratio;
    use privacy_core::random::InsecureTestRng;
    use privacy_core::space::Scalar;
    use privacy_testing::enumerate::enumerate;
    use privacy_testing::statistics::check_chi_square;

    use super::*;
    use crate::noise::told::Merged;

    fn ratio(a: u64, b: u64) -> Ratio<BigUint> {
        Ratio::new(a.into(), b.into())
    }

    #[test]
    fn the_number_of_runs_has_exactly_its_law() {
        let third = Amount::from_fraction(1u8, 3u8).unwrap();
        for stopping in [Stopping::Geometric, Stopping::Logarithmic] {
            let mechanism = PrivateCandidate::new((), stopping, third.clone()).unwrap();
            let law = enumerate(16, |c| mechanism.runs(&mut Merged(c)));
            let probability = |k: u64| law.probability(&k);
            for k in 1..6u64 {
                // P(k + 1) / P(k) is 2/3, or 2/3 · k/(k + 1).
                let step = match stopping {
                    Stopping::Geometric => ratio(2, 3),
                    Stopping::Logarithmic => ratio(2 * k, 3 * (k + 1)),
                };
                let next = probability(k).times(&privacy_testing::interval::Interval::exact(step));
                assert!(probability(k + 1).meets(&next), "{stopping:?} {k}");
            }
        }
    }

    /// Scores 0, 1, 2 (the last for two outcomes) with probabilities that move by e^±ε.
    struct Told;

    const LAWS: [[u64; 4]; 2] = [[9590, 10, 100, 300], [9780, 20, 50, 150]];

    impl Mechanism for Told {
        type Input = Scalar<i64>;
        type Measure = PureDp;
        type Output = (i128, usize);

        fn draw(&self, data: &i64, rng: &mut dyn SecureRng) -> Result<(i128, usize)> {
            let law = LAWS[*data as usize];
            let mut left = RandomBuffer::new(rng).below(law.iter().sum())?;
            let mut outcome = 0;
            while left >= law[outcome] {
                left -= law[outcome];
                outcome += 1;
            }
            Ok((outcome.min(2) as i128, outcome))
        }

        fn cost(&self, _: Amount) -> Result<PureCost> {
            // ln 2, rounded up.
            Ok(PureCost { epsilon: "0.6931471806".parse()? })
        }
    }

    /// P(each outcome): the first of the best scores of K runs.
    fn law(stopping: Stopping, gamma: f64, law: [u64; 4]) -> [f64; 4] {
        let total: u64 = law.iter().sum();
        let p = law.map(|weight| weight as f64 / total as f64);
        let generating = |x: f64| match stopping {
            Stopping::Geometric => gamma * x / (1.0 - (1.0 - gamma) * x),
            Stopping::Logarithmic => (1.0 - (1.0 - gamma) * x).ln() / gamma.ln(),
        };
        let upto = [0.0, p[0], p[0] + p[1], 1.0];
        let score = |s: usize| generating(upto[s + 1]) - generating(upto[s]);
        let tie = p[2] + p[3];
        [score(0), score(1), score(2) * p[2] / tie, score(2) * p[3] / tie]
    }

    #[test]
    fn neighbours_differ_by_no_more_than_the_price() {
        for (stopping, factor) in [(Stopping::Geometric, 3.0), (Stopping::Logarithmic, 2.0)] {
            let mut worst = 0.0f64;
            for gamma in [0.5, 0.1, 0.01, 1e-4] {
                let pair = LAWS.map(|weights| law(stopping, gamma, weights));
                for (a, b) in pair[0].iter().zip(pair[1]) {
                    worst = worst.max((a / b).ln().abs());
                }
            }
            assert!(worst <= factor * 2f64.ln() && worst > 0.9 * factor * 2f64.ln(), "{worst}");
        }
    }

    #[test]
    fn draws_follow_the_law_that_the_proof_is_about() {
        let mut rng = InsecureTestRng::from_seed(13);
        for stopping in [Stopping::Geometric, Stopping::Logarithmic] {
            let gamma = Amount::from_fraction(1u8, 10u8).unwrap();
            let mechanism = PrivateCandidate::new(Told, stopping, gamma).unwrap();
            let mut seen = [0u64; 4];
            for _ in 0..100_000 {
                seen[mechanism.draw(&0, &mut rng).unwrap().1] += 1;
            }
            check_chi_square(&seen, &law(stopping, 0.1, LAWS[0]), 1e-9);
        }
    }

    #[test]
    fn parameters_and_prices() {
        for bad in [Amount::ZERO, Amount::from_fraction(11u8, 10u8).unwrap()] {
            assert!(PrivateCandidate::new(Told, Stopping::Geometric, bad).is_err());
        }
        let once = PrivateCandidate::new(Told, Stopping::Logarithmic, 1.into()).unwrap();
        assert!((once.expected_runs() - 1.0).abs() < 1e-12);
        let cost = once.cost(Amount::from_integer(1)).unwrap().epsilon;
        assert_eq!(cost, "1.3862943612".parse().unwrap());
    }
}
