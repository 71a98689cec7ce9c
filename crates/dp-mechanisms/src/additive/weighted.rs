//! The law of a weighted sum of independent draws of one noise.
//!
//! Floating point is used here only: everything follows from public parameters.

use super::law::{Noise, ratio_to_f64};
use crate::noise::DiscreteGaussian;

/// Weights below the largest one by more than this factor count as the largest one's share of it: of
/// eight such, the half-width grows by 0.2 %.
const FINEST: f64 = 50.0;

/// The largest half-width that is looked for, in scales a draw: beyond what floats can tell.
const WIDEST: f64 = 1e3;

/// The scale of the continuous law that a draw of `noise` is at most one step from: t of a Laplace
/// law, sigma of a Gaussian one.
///
/// A discrete Laplace draw of scale t is the difference of two exponential variables of mean t,
/// each rounded down: less than 1 from a Laplace draw of scale t. A discrete Gaussian draw is at
/// most 1 from the Gaussian draw of the same quantile, since sums of a decreasing density are
/// between its integrals shifted by one step (its norm exceeds that of the density by a factor
/// of 1 + 3 exp(-2π²σ²) at most, which less than a step makes good from sigma = 1 on).
pub(crate) fn continuous_scale(noise: &Noise) -> f64 {
    match noise {
        Noise::Laplace(noise) => ratio_to_f64(noise.scale()),
        Noise::Gaussian(noise) => ratio_to_f64(noise.sigma_squared()).sqrt(),
    }
}

/// The x with P(|N(0, 1)| > x) = `miss`, rounded up.
pub(crate) fn normal_quantile(miss: f64) -> f64 {
    // The half-width of a discrete Gaussian of sigma 2^60 is the quantile on a grid of 2^-60.
    let variance = num_bigint::BigUint::from(1u8) << 120u32;
    let fine = DiscreteGaussian::new(num_rational::Ratio::from_integer(variance));
    fine.map_or(f64::INFINITY, |noise| {
        (Noise::Gaussian(noise).half_width(miss) + 1.0) / 2f64.powi(60)
    })
}

/// Half-widths of weighted sums of independent draws of one noise, which exceed them in magnitude
/// with probability at most `miss`: those of continuous draws, of which the law is exact up to 0.2 %,
/// widened by what discrete draws are off them, at most 1 each.
///
/// They do not fall where the magnitude of a weight rises (Birnbaum 1948, "On random variables with
/// comparable peakedness": the laws are symmetric and unimodal).
pub(crate) struct WeightedHalfWidths {
    scale: f64,
    /// Of one Gaussian draw; `None` for Laplace noise.
    normal: Option<f64>,
    miss: f64,
}

impl WeightedHalfWidths {
    pub(crate) fn new(noise: &Noise, miss: f64) -> Self {
        let normal = matches!(noise, Noise::Gaussian(_)).then(|| normal_quantile(miss));
        WeightedHalfWidths { scale: continuous_scale(noise), normal, miss }
    }

    /// Infinite where `miss` is not a probability above 0 or a weight is not a number.
    pub(crate) fn of(&self, weights: &[f64]) -> f64 {
        let possible = self.miss > 0.0 && self.miss <= 1.0;
        if !possible || weights.iter().any(|weight| !weight.is_finite()) {
            return f64::INFINITY;
        }
        let steps: f64 = weights.iter().map(|weight| weight.abs()).sum();
        let width = match self.normal {
            Some(quantile) => quantile * weights.iter().map(|w| w * w).sum::<f64>().sqrt(),
            None => LaplaceSum::new(weights).map_or(0.0, |sum| sum.half_width(self.miss)),
        };
        self.scale * width * (1.0 + 1e-12) + steps
    }
}

/// The law of a weighted sum of Laplace draws of scale 1.
///
/// Such a draw is the difference of two exponential ones, so the sum is G − G' with G and G' sums of
/// exponential draws of the means wᵢ. G is the time that a chain of states takes which is left at
/// the rates λᵢ = 1/wᵢ, one after the other; with its generator T,
///
/// ```text
/// P(G − G' > x) = ∫ P(G > x + y) dP(G' ≤ y) = e₁ Πⱼ (1 − wⱼT)⁻¹ exp(Tx) 1
/// ```
///
/// All of it is calculated with positive terms alone: the inverses of bidiagonal matrices, and the
/// exponential as a mixture of powers of a stochastic matrix with Poisson weights (uniformization;
/// Neuts 1981, "Matrix-Geometric Solutions in Stochastic Models", on laws of phase type).
struct LaplaceSum {
    /// Means, the largest 1.
    means: Vec<f64>,
    /// What the means were divided by.
    unit: f64,
    /// The law of the state at x = 0.
    start: Vec<f64>,
}

impl LaplaceSum {
    /// `None` if all weights are 0.
    fn new(weights: &[f64]) -> Option<Self> {
        let unit = weights.iter().fold(0.0f64, |largest, weight| largest.max(weight.abs()));
        if unit <= 0.0 {
            return None;
        }
        let relative = weights.iter().map(|weight| weight.abs() / unit);
        let means: Vec<f64> =
            relative.filter(|mean| *mean > 0.0).map(|mean| mean.max(1.0 / FINEST)).collect();
        let mut start: Vec<f64> = means.iter().map(|_| 0.0).collect();
        start[0] = 1.0;
        for other in &means {
            // π(1 − wT) = start: what a state holds, it has from the start and from the one before.
            let mut from_before = 0.0;
            for (held, mean) in start.iter_mut().zip(&means) {
                let ratio = other / mean;
                *held = (*held + from_before) / (1.0 + ratio);
                from_before = *held * ratio;
            }
        }
        Some(LaplaceSum { means, unit, start })
    }

    /// The x with P(|sum| > x) = `miss`, rounded up by at most 1e-8 of itself.
    fn half_width(&self, miss: f64) -> f64 {
        let mut powers = Powers::new(self);
        let mut exceeds = |x: f64| 2.0 * powers.tail(x) > miss;
        let (mut low, mut high) = (0.0, 1.0);
        while exceeds(high) && high < WIDEST * self.means.len() as f64 {
            (low, high) = (high, 2.0 * high);
        }
        while high - low > 1e-8 * high {
            let middle = 0.5 * (low + high);
            if exceeds(middle) { low = middle } else { high = middle }
        }
        high * self.unit
    }
}

/// The chances that the chain is not yet left after 0, 1, 2, … steps of the uniformized chain.
struct Powers<'s> {
    sum: &'s LaplaceSum,
    /// Steps a unit of x.
    rate: f64,
    state: Vec<f64>,
    left: Vec<f64>,
}

impl<'s> Powers<'s> {
    fn new(sum: &'s LaplaceSum) -> Self {
        // Twice the largest rate: the chain stays where it is with probability 1/2 at least, so that
        // few steps of many expected ones are not all that counts.
        let rate = 2.0 * sum.means.iter().fold(0.0f64, |rate, mean| rate.max(1.0 / mean));
        Powers { sum, rate, state: sum.start.clone(), left: Vec::new() }
    }

    fn after(&mut self, steps: usize) -> f64 {
        while self.left.len() <= steps {
            self.left.push(self.state.iter().sum());
            let mut from_before = 0.0;
            for (held, mean) in self.state.iter_mut().zip(&self.sum.means) {
                let moves = *held / (mean * self.rate);
                *held = *held - moves + from_before;
                from_before = moves;
            }
        }
        self.left[steps]
    }

    /// P(sum > x) for x >= 0.
    fn tail(&mut self, x: f64) -> f64 {
        let expected = self.rate * x;
        // From the most likely number of steps in both directions, with weights relative to its,
        // until neither weights nor terms, which rise and fall once, matter any more.
        let mode = expected.floor();
        let first = self.after(mode as usize);
        let (mut total, mut value) = (1.0, first);
        for up in [false, true] {
            let (mut steps, mut weight, mut last) = (mode, 1.0f64, first);
            while up || steps > 0.0 {
                weight *= if up { expected / (steps + 1.0) } else { steps / expected };
                steps += if up { 1.0 } else { -1.0 };
                let term = weight * self.after(steps as usize);
                total += weight;
                value += term;
                if weight < 1e-18 && term <= 1e-18 * value && term <= last {
                    break;
                }
                last = term;
            }
        }
        value / total
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::random::InsecureTestRng;

    use super::*;
    use crate::noise::DiscreteLaplace;

    fn tail(weights: &[f64], x: f64) -> f64 {
        let sum = LaplaceSum::new(weights).unwrap();
        2.0 * Powers::new(&sum).tail(x / sum.unit)
    }

    fn close(a: f64, b: f64, what: &str) {
        assert!((a / b - 1.0).abs() < 1e-9, "{what}: {a} {b}");
    }

    #[test]
    fn tails_are_those_of_partial_fractions() {
        // Distinct weights: the tail is a combination of exponentials. It loses digits where
        // weights are close; uniformization does not.
        let weights: [f64; 3] = [1.0, 0.6, -0.25];
        for x in [0.0, 0.1, 1.0, 3.0, 10.0, 60.0] {
            let part = |i: usize| {
                let others = (0..3).filter(|j| *j != i);
                let factor: f64 = others
                    .map(|j| weights[i].powi(2) / (weights[i].powi(2) - weights[j].powi(2)))
                    .product();
                factor * (-x / f64::abs(weights[i])).exp()
            };
            close(tail(&weights, x), (0..3).map(part).sum(), &format!("{x}"));
        }
    }

    #[test]
    fn tails_of_equal_weights_are_known() {
        for x in [0.5f64, 2.0, 20.0, 400.0] {
            close(tail(&[3.0], 3.0 * x), (-x).exp(), "one");
            close(tail(&[2.0, -2.0], 2.0 * x), (1.0 + x / 2.0) * (-x).exp(), "two");
            // The density of three is (x² + 3x + 3) exp(-x)/16 on both sides.
            let three = (x * x + 5.0 * x + 8.0) * (-x).exp() / 8.0;
            close(tail(&[1.0; 3], x), three, "three");
        }
        let many = tail(&[0.3; 9], 0.3 * 12.0);
        let slightly: Vec<f64> = (0..9).map(|i| 0.3 * (1.0 + 1e-12 * f64::from(i))).collect();
        close(tail(&slightly, 0.3 * 12.0), many, "nearly equal");
    }

    #[test]
    fn half_widths_invert_tails() {
        for weights in [vec![1.0], vec![1.0, 0.7], vec![1.0; 9], vec![5.0, 1.0, 0.3, 2.0]] {
            for miss in [0.5, 0.05, 1e-4, 1e-12, 1e-200] {
                let width = LaplaceSum::new(&weights).unwrap().half_width(miss);
                let found = tail(&weights, width);
                assert!(found <= miss && found / miss > 1.0 - 1e-5, "{weights:?} {miss}: {found}");
            }
        }
        let noise = Noise::Laplace(
            DiscreteLaplace::new(num_rational::Ratio::from_integer(4u8.into())).unwrap(),
        );
        let widths = WeightedHalfWidths::new(&noise, 0.05);
        for miss in [0.0, -1.0, f64::NAN] {
            assert_eq!(WeightedHalfWidths::new(&noise, miss).of(&[1.0]), f64::INFINITY);
        }
        assert_eq!(widths.of(&[1.0, f64::NAN]), f64::INFINITY);
        assert_eq!(widths.of(&[0.0, 0.0]), 0.0);
    }

    #[test]
    fn sums_of_discrete_draws_are_covered() {
        let laplace = DiscreteLaplace::new(num_rational::Ratio::from_integer(1000u32.into()));
        let gaussian = DiscreteGaussian::new(num_rational::Ratio::from_integer(250_000u32.into()));
        let weights = [0.9, -0.4, 0.01, 0.4, 0.0];
        let mut rng = InsecureTestRng::from_seed(7);
        for noise in [Noise::Laplace(laplace.unwrap()), Noise::Gaussian(gaussian.unwrap())] {
            let width = WeightedHalfWidths::new(&noise, 0.05).of(&weights);
            let trials = 200_000u64;
            let mut draw = || match &noise {
                Noise::Laplace(noise) => noise.sample(&mut rng).unwrap(),
                Noise::Gaussian(noise) => noise.sample(&mut rng).unwrap(),
            };
            let covered = (0..trials)
                .filter(|_| {
                    let sum: f64 = weights.iter().map(|weight| weight * draw() as f64).sum();
                    sum.abs() <= width
                })
                .count();
            // 5 standard deviations around 95 %, and what the rounding of weights and steps adds.
            let share = covered as f64 / trials as f64;
            assert!((0.9475..0.9530).contains(&share), "{noise:?}: {share}");
        }
    }
}
