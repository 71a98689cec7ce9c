//! Levels chosen under differential privacy: exponential mechanisms along the lattice.

use privacy_core::random::{RandomBuffer, SecureRng};

use super::SafePub;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::fraction::Fraction;
use crate::metric::Metric;
use crate::metric::meter::Meter;
use crate::model::Model;
use crate::search::check::{Checker, Ground, base};
use crate::search::packed::layout;
use crate::search::problem::Problem;

/// What a fully covered cell costs; shares are rounded up to multiples of its inverse.
const UNIT: u64 = 1 << 10;

impl SafePub {
    /// Chooses levels for [`release`](Self::release) with ε of their own.
    ///
    /// From the highest levels on, each of `steps` draws takes one of the nodes below those drawn
    /// already, and a last draw takes one of all that were drawn. A node costs the shares of the
    /// domain that its cells cover, where rows in classes below k/β count in full (a class of that
    /// size is expected to keep k rows after sampling).
    ///
    /// # Privacy
    ///
    /// ε-differential privacy for adding or removing a row. Each draw is an exponential mechanism
    /// (McSherry, Talwar 2007) at ε / (steps + 1), and these compose to ε. A further row of a class
    /// of m rows changes the cost of a column by at most 1 if the class stays as it is, and by at
    /// most k' − 1 if it reaches k' rows and is no longer suppressed, so that the cost over q columns
    /// has sensitivity q (k' − 1). Costs are whole numbers of shares rounded by a public rule, and
    /// draws are exact (rejection with exact Bernoulli trials of probability exp(−a/b)).
    ///
    /// The draws read all rows with randomness of their own, so that the levels are fixed before the
    /// release samples: both together are (ε + ε', δ)-differentially private by composition.
    ///
    /// # Timing
    ///
    /// Rejections depend on the costs; do not let others time this.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for an ε that is not positive or no steps, [`Error::Combination`] as
    /// [`release`](Self::release), [`Error::TooLarge`], [`Error::Entropy`].
    pub fn search(
        &self,
        data: &Dataset,
        epsilon: f64,
        steps: u32,
        rng: &mut dyn SecureRng,
    ) -> Result<Vec<usize>> {
        self.check(data)?;
        let epsilon = Fraction::try_from(epsilon)?;
        if epsilon == Fraction::ZERO || !(1..=10_000).contains(&steps) {
            return Err(Error::Parameter {
                parameter: "ε and the steps of the search",
                requirement: "ε above 0 and 1 to 10,000 steps",
            });
        }
        let beta = self.keep as f64 / 2f64.powi(64);
        let k = ((self.k as f64 / beta).ceil() as u64).max(2);
        let rows = data.table().rows() as u64;
        // k may be above the number of rows, which is private: it binds no model here.
        let problem = Problem::new(data, None, &[Model::k_anonymity(1)?], rows)?;
        match layout(&problem).1 {
            0..=1 => walk::<1>(&problem, k, epsilon, steps, rng),
            2..=4 => walk::<4>(&problem, k, epsilon, steps, rng),
            5..=64 => walk::<64>(&problem, k, epsilon, steps, rng),
            _ => Err(Error::TooLarge { what: "64-bit words of codes in a row", limit: 64 }),
        }
    }
}

fn walk<const N: usize>(
    problem: &Problem<'_>,
    k: u64,
    epsilon: Fraction,
    steps: u32,
    rng: &mut dyn SecureRng,
) -> Result<Vec<usize>> {
    let mut requirements = problem.requirements.clone();
    let meter = Meter::bind(&Metric::height(), problem.data, &problem.axes, &mut requirements)?;
    let tuples = base::<N>(problem, &meter, 0, 1);
    let ground = Ground { problem, meter: &meter, tuples: &tuples, seed: 0 };
    let mut checker = Checker::new(ground, 64 << 20, None);
    let shares: Vec<Vec<Vec<u64>>> = (problem.axes.iter())
        .map(|axis| {
            let units = |&share: &f64| ((share * UNIT as f64).ceil() as u64).min(UNIT);
            axis.levels.iter().map(|level| level.share.iter().map(units).collect()).collect()
        })
        .collect();
    let q = problem.axes.len() as u64;
    let scale = Exponent::new(epsilon, u64::from(steps) + 1, q * (k - 1) * UNIT)?;
    let top: Vec<u8> = problem.axes.iter().map(|axis| axis.levels.len() as u8 - 1).collect();
    let mut random = RandomBuffer::new(rng);
    let mut drawn = vec![(checker.cost(&top, &shares, k, UNIT), top)];
    let mut open: Vec<(u64, Vec<u8>)> = Vec::new();
    for _ in 0..steps {
        let (_, last) = &drawn[drawn.len() - 1];
        for axis in (0..last.len()).filter(|&axis| last[axis] > 0) {
            let mut next = last.clone();
            next[axis] -= 1;
            if drawn.iter().chain(&open).all(|(_, known)| *known != next) {
                open.push((checker.cost(&next, &shares, k, UNIT), next));
            }
        }
        if open.is_empty() {
            break;
        }
        let place = scale.draw(&open, &mut random)?;
        drawn.push(open.swap_remove(place));
    }
    let (_, node) = &drawn[scale.draw(&drawn, &mut random)?];
    let axes = problem.axes.iter().zip(node);
    Ok(axes.map(|(axis, &level)| axis.min + usize::from(level)).collect())
}

/// ε / (2 · draws · sensitivity) as a fraction.
struct Exponent {
    above: u128,
    below: u128,
}

impl Exponent {
    fn new(epsilon: Fraction, draws: u64, sensitivity: u64) -> Result<Self> {
        let below = u128::from(epsilon.denominator())
            .checked_mul(2 * u128::from(draws))
            .and_then(|below| below.checked_mul(u128::from(sensitivity)));
        match below {
            // Room for a factor of 2^16 in Bernoulli trials.
            Some(below) if below < 1 << 112 => {
                Ok(Exponent { above: u128::from(epsilon.numerator()), below })
            }
            _ => Err(Error::TooLarge { what: "digits of ε, with steps and columns", limit: 12 }),
        }
    }

    /// One of the nodes, each with a probability proportional to exp(−cost · ε').
    fn draw<T>(&self, nodes: &[(u64, T)], random: &mut RandomBuffer<'_>) -> Result<usize> {
        let least = nodes.iter().map(|(cost, _)| *cost).min().unwrap_or(0);
        loop {
            let place = random.below(nodes.len() as u64)? as usize;
            let more = u128::from(nodes[place].0 - least);
            let too_large = Error::TooLarge { what: "rows for the digits of ε", limit: 1 << 32 };
            let above = more.checked_mul(self.above).ok_or(too_large)?;
            if exp_trial(above, self.below, random)? {
                return Ok(place);
            }
        }
    }
}

/// True with probability exp(−a/b), exactly (Canonne, Kamath, Steinke 2020, Algorithm 1).
fn exp_trial(a: u128, b: u128, random: &mut RandomBuffer<'_>) -> Result<bool> {
    for _ in 0..a / b {
        if !short_trial(1, 1, random)? {
            return Ok(false);
        }
    }
    short_trial(a % b, b, random)
}

/// The same for a ≤ b: trials of a/b, a/2b, a/3b … until one fails; true if their number is odd.
fn short_trial(a: u128, b: u128, random: &mut RandomBuffer<'_>) -> Result<bool> {
    let mut trials = 1u128;
    while random.below_u128(b * trials)? < a {
        trials += 1;
        if trials > 1 << 15 {
            // The chance to come here is below 1/32768!.
            break;
        }
    }
    Ok(trials % 2 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use privacy_core::random::InsecureTestRng;

    #[test]
    fn trials_have_their_probability() {
        // 40,000 trials: four standard deviations are at most 0.01; false alarm below 1e-4 each.
        let rng = &mut InsecureTestRng::from_seed(5);
        let mut random = RandomBuffer::new(rng);
        for (a, b) in [(0u128, 1u128), (1, 2), (1, 1), (7, 3), (1 << 70, 1 << 71)] {
            let hits = (0..40_000).filter(|_| exp_trial(a, b, &mut random).unwrap()).count();
            let expected = (-(a as f64) / b as f64).exp();
            assert!((hits as f64 / 40_000.0 - expected).abs() < 0.01, "{a}/{b}: {hits}");
        }
    }

    #[test]
    fn draws_follow_their_weights() {
        let rng = &mut InsecureTestRng::from_seed(6);
        let mut random = RandomBuffer::new(rng);
        let scale = Exponent::new(Fraction::ONE, 1, 10).unwrap();
        let nodes = [(100u64, ()), (120, ()), (140, ())];
        let mut hits = [0f64; 3];
        for _ in 0..30_000 {
            hits[scale.draw(&nodes, &mut random).unwrap()] += 1.0;
        }
        // exp(−cost / 20): 1, e⁻¹, e⁻².
        let sum = 1.0 + (-1f64).exp() + (-2f64).exp();
        for (hit, cost) in hits.iter().zip([0.0f64, 1.0, 2.0]) {
            assert!((hit / 30_000.0 - (-cost).exp() / sum).abs() < 0.012, "{hits:?}");
        }
    }
}
