//! The law of a weighted sum of noise draws: what a prefix is off by.
//!
//! Floating point is used here only: everything follows from public parameters.

use std::f64::consts::{PI, TAU};
use std::fmt;

use privacy_core::params::Confidence;
use privacy_core::release::{ErrorLaw, Interval};

use crate::additive::{Noise, continuous_scale as scale, normal_quantile};
use crate::noise::DiscreteGaussian;

/// The law of the error of one released prefix: a weighted sum of independent discrete draws.
///
/// The variance is exact up to rounding. Half-widths are
/// - of a sum of equal discrete draws (the plain tree): the smallest that suffices, by inverting
///   the characteristic function on the integers, or as [`DiscreteGaussian::half_width`];
/// - of weighted draws (refined tree, square root, unbounded): that of the same weighted sum of
///   continuous draws, widened by what a discrete draw is off its continuous twin, at most 1 each.
#[derive(Clone, Debug, Default)]
pub struct PrefixLaw {
    parts: Vec<Part>,
    /// What discreteness adds to the error of the continuous twin, and rounding.
    slack: f64,
}

/// `count` draws of the same noise and weight.
#[derive(Clone, Debug)]
struct Part {
    noise: Noise,
    weight: f64,
    count: f64,
}

/// Below this probability of a miss, half-widths come from Chernoff's bound.
const INVERTED_ALPHA: f64 = 1e-9;

/// Terms of the inversion below this are left out.
const NEGLIGIBLE: f64 = 1e-14;

/// From this sigma on, a sum of discrete Gaussians is one of the sum of the variances, up to
/// factors of 1 ± 10 k exp(-π² σ²) at each point (Kairouz, Liu, Steinke 2021,
/// <https://arxiv.org/abs/2102.06387>).
const SMOOTH_SIGMA: f64 = 4.0;

impl PrefixLaw {
    /// A sum of `count` draws of weight 1.
    pub(crate) fn sum(noise: &Noise, count: u64) -> Self {
        PrefixLaw::default().plus(noise, 1.0, count as f64, 0.0)
    }

    /// With `count` further draws of `noise` at `weight`. `slack` is what rounding adds.
    pub(crate) fn plus(mut self, noise: &Noise, weight: f64, count: f64, slack: f64) -> Self {
        if count > 0.0 {
            self.slack += weight * count + slack;
            self.parts.push(Part { noise: noise.clone(), weight, count });
        }
        self
    }

    /// A Gaussian sum whose weights have the norm `norm` and sum up to `total`.
    pub(super) fn gaussian(noise: &Noise, norm: f64, total: f64) -> Self {
        PrefixLaw::default().plus(noise, norm, 1.0, total)
    }

    /// The sum of two independent errors.
    pub(crate) fn and(mut self, other: &PrefixLaw) -> Self {
        self.parts.extend(other.parts.iter().cloned());
        self.slack += other.slack;
        self
    }

    /// The variance.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.parts
            .iter()
            .map(|part| part.count * (part.weight * part.noise.standard_deviation()).powi(2))
            .sum()
    }

    /// The standard deviation.
    #[must_use]
    pub fn std_dev(&self) -> f64 {
        self.variance().sqrt()
    }

    /// An m such that the error exceeds m in magnitude with probability at most `miss`: half of
    /// the width of a confidence interval. Infinite where `miss` is not a probability above 0.
    #[must_use]
    pub fn half_width(&self, miss: f64) -> f64 {
        if !(miss > 0.0 && miss <= 1.0) {
            return f64::INFINITY;
        }
        match self.parts.as_slice() {
            [] => 0.0,
            [part] if part.weight.to_bits() == 1f64.to_bits() && part.count <= self.slack => {
                part.lattice_half_width(miss)
            }
            parts => continuous_half_width(parts, miss) + self.slack,
        }
    }
}

impl Part {
    /// The smallest integer that suffices for `count` draws of weight 1.
    fn lattice_half_width(&self, miss: f64) -> f64 {
        if self.count <= 1.0 {
            return self.noise.half_width(miss);
        }
        match &self.noise {
            Noise::Gaussian(noise) if noise.std_dev() >= SMOOTH_SIGMA => {
                let count = num_bigint::BigUint::from(self.count as u64);
                let summed = DiscreteGaussian::new(noise.sigma_squared() * count);
                summed.map_or(f64::INFINITY, |noise| {
                    Noise::Gaussian(noise).half_width(miss * (1.0 - 1e-12))
                })
            }
            Noise::Gaussian(noise) => {
                convolved_half_width(|x| noise.pmf(x), noise.std_dev(), self.count as usize, miss)
            }
            Noise::Laplace(noise) if miss < INVERTED_ALPHA => {
                let t = scale(&Noise::Laplace(noise.clone()));
                chernoff_laplace(&[(t, self.count)], miss) + self.count
            }
            Noise::Laplace(noise) => {
                let (variance, k) = (noise.variance(), self.count);
                let t = scale(&self.noise);
                let reach = 2.0 * t * (40.0 + 0.3 * k) + k + 1.0;
                let period = 2.0 * (2.0 * reach).ceil() + 1.0;
                // 1 / (1 + V (1 - cos θ)) for each draw, at the frequencies of the period.
                let mut terms = Vec::new();
                let mut j = 1.0;
                while 2.0 * j < period {
                    let half = PI * j / period;
                    let transform = (1.0 + 2.0 * variance * half.sin().powi(2)).powf(-k);
                    if transform < NEGLIGIBLE {
                        break;
                    }
                    terms.push((half, transform / half.sin()));
                    j += 1.0;
                }
                let within = |m: f64| {
                    let width = 2.0 * m + 1.0;
                    let sum: f64 = terms.iter().map(|(half, w)| w * (width * half).sin()).sum();
                    (width + 2.0 * sum) / period
                };
                let target = 1.0 - miss * (1.0 - 1e-6);
                let (mut low, mut high) = (-1.0f64, reach.ceil());
                while high - low > 1.0f64.max(high * 1e-14) {
                    let middle = ((low + high) / 2.0).floor();
                    if within(middle) >= target { high = middle } else { low = middle }
                }
                high.max(0.0)
            }
        }
    }
}

/// The half-width for the weighted sum of continuous draws.
fn continuous_half_width(parts: &[Part], miss: f64) -> f64 {
    let mut gaussian = 0.0;
    let mut laplace: Vec<(f64, f64)> = Vec::new();
    for part in parts {
        let scale = part.weight * scale(&part.noise);
        match part.noise {
            Noise::Gaussian(_) => gaussian += part.count * scale * scale,
            Noise::Laplace(_) => laplace.push((scale, part.count)),
        }
    }
    // What a stream adds up is of one family; of a mixture each takes half of the miss.
    let share = if gaussian > 0.0 && !laplace.is_empty() { miss / 2.0 } else { miss };
    let of_gaussian = if gaussian > 0.0 { gaussian.sqrt() * normal_quantile(share) } else { 0.0 };
    let of_laplace = match laplace.as_slice() {
        [] => 0.0,
        [(t, count)] if *count <= 1.0 => t * -share.ln() * (1.0 + 1e-12),
        parts if share < INVERTED_ALPHA => chernoff_laplace(parts, share),
        parts => laplace_half_width(parts, share),
    };
    of_gaussian + of_laplace
}

/// By inversion of the characteristic function of the sum, wrapped to a period beyond which
/// less than 1e-17 lies (Chernoff at half of the pole), so that the trapezoidal sum is exact.
fn laplace_half_width(parts: &[(f64, f64)], miss: f64) -> f64 {
    let widest = parts.iter().fold(0.0f64, |widest, (t, _)| widest.max(*t));
    let count: f64 = parts.iter().map(|(t, count)| count * (t / widest).powi(2)).sum();
    // ln E exp(S / 2t) <= sum of -ln(1 - (t_i / 2t)^2) <= 0.3 sum of (t_i / t)^2.
    let reach = 2.0 * widest * (40.0 + 0.3 * count);
    let period = 4.0 * reach;
    let mut terms = Vec::new();
    for j in 1..2_000_000u32 {
        let theta = TAU * f64::from(j) / period;
        let log: f64 = parts.iter().map(|(t, count)| count * (t * theta).powi(2).ln_1p()).sum();
        if log > -NEGLIGIBLE.ln() {
            break;
        }
        terms.push((theta, (-log).exp() / f64::from(j)));
    }
    let within = |x: f64| {
        let sum: f64 = terms.iter().map(|(theta, w)| w * (theta * x).sin()).sum();
        2.0 * x / period + sum * 2.0 / PI
    };
    let (mut low, mut high) = (0.0, reach);
    while high - low > 1e-9 * high {
        let middle = 0.5 * (low + high);
        if within(middle) >= 1.0 - miss * (1.0 - 1e-6) { high = middle } else { low = middle }
    }
    high
}

/// Chernoff's bound for a sum of Laplace draws, given as scales with counts.
fn chernoff_laplace(parts: &[(f64, f64)], miss: f64) -> f64 {
    let widest = parts.iter().fold(0.0f64, |widest, (t, _)| widest.max(*t));
    // For each λ below 1/t the bound holds; the best of a few is close to the best of all.
    (1..200)
        .map(|i| f64::from(i) / 200.0 / widest)
        .map(|rate| {
            let log: f64 =
                parts.iter().map(|(t, count)| -count * (-(rate * t).powi(2)).ln_1p()).sum();
            (log - (miss / 2.0).ln()) / rate
        })
        .fold(f64::INFINITY, f64::min)
}

/// The half-width of a sum of `count` draws of a narrow law, by convolving its masses.
fn convolved_half_width(pmf: impl Fn(i128) -> f64, sigma: f64, count: usize, miss: f64) -> f64 {
    let reach = (40.0 * sigma).ceil().max(8.0) as i128;
    let one: Vec<f64> = (-reach..=reach).map(pmf).collect();
    let mut sum = one.clone();
    for _ in 1..count {
        let mut next = vec![0.0; sum.len() + one.len() - 1];
        for (i, a) in sum.iter().enumerate() {
            for (slot, b) in next[i..].iter_mut().zip(&one) {
                *slot += a * b;
            }
        }
        sum = next;
    }
    // From far out inwards, until the tail passes half of the miss.
    let centre = sum.len() / 2;
    let mut tail = 0.0;
    for (from_end, mass) in sum.iter().enumerate().take(centre) {
        tail += mass;
        if tail > 0.5 * miss * (1.0 - 1e-9) {
            return (centre - from_end) as f64;
        }
    }
    0.0
}

impl fmt::Display for PrefixLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = match self.parts.first() {
            None => return f.write_str("no noise"),
            Some(Part { noise: Noise::Laplace(_), .. }) => "discrete Laplace",
            Some(_) => "discrete Gaussian",
        };
        write!(f, "weighted sum of {family} draws, standard deviation {:.4e}", self.std_dev())
    }
}

impl ErrorLaw<f64> for PrefixLaw {
    fn describe(&self) -> String {
        self.to_string()
    }

    fn interval(&self, value: &f64, confidence: &Confidence) -> Interval {
        let slack = value.abs().next_up() - value.abs();
        Interval::around(*value, self.half_width(confidence.miss_probability()) + slack)
    }

    fn standard_deviation(&self) -> Option<f64> {
        Some(self.std_dev())
    }
}

#[cfg(test)]
mod tests {
    use num_rational::Ratio;

    use super::*;
    use crate::noise::DiscreteLaplace;

    fn laplace(numer: u64, denom: u64) -> Noise {
        Noise::Laplace(DiscreteLaplace::new(Ratio::new(numer.into(), denom.into())).unwrap())
    }

    fn gaussian(sigma_squared: u64, denom: u64) -> Noise {
        let ratio = Ratio::new(sigma_squared.into(), denom.into());
        Noise::Gaussian(DiscreteGaussian::new(ratio).unwrap())
    }

    /// The smallest half-width of a sum by convolving the masses, as an oracle.
    fn by_convolution(noise: &Noise, count: usize, miss: f64) -> f64 {
        match noise {
            Noise::Laplace(n) => convolved_half_width(|x| n.pmf(x), n.std_dev(), count, miss),
            Noise::Gaussian(n) => convolved_half_width(|x| n.pmf(x), n.std_dev(), count, miss),
        }
    }

    #[test]
    fn sums_of_equal_draws_have_the_smallest_half_width() {
        for noise in [laplace(1, 3), laplace(1, 1), laplace(6, 1), gaussian(1, 2), gaussian(30, 1)]
        {
            for count in [2u64, 3, 9] {
                for miss in [0.5, 0.05, 0.001, 1e-6] {
                    let ours = PrefixLaw::sum(&noise, count).half_width(miss);
                    let truth = by_convolution(&noise, count as usize, miss);
                    assert_eq!(ours, truth, "{noise:?} {count} {miss}");
                }
            }
        }
    }

    #[test]
    fn weighted_sums_cover_and_are_hardly_wider() {
        // Weight 1 twice over, told as two parts, takes the continuous path.
        for noise in [laplace(200, 1), gaussian(40_000, 1)] {
            for count in [2.0, 5.0, 12.0] {
                let one = PrefixLaw::sum(&noise, 1);
                let law = one.plus(&noise, 1.0, count - 1.0, 0.0);
                for miss in [0.3, 0.05, 1e-4] {
                    let truth = PrefixLaw::sum(&noise, count as u64).half_width(miss);
                    let ours = law.half_width(miss);
                    assert!(ours >= truth && ours <= truth + 2.0 * count + 2.0, "{ours} {truth}");
                }
            }
        }
    }

    #[test]
    fn tiny_misses_get_a_bound_and_bad_ones_no_interval() {
        let law = PrefixLaw::sum(&laplace(10, 1), 4);
        let truth = by_convolution(&laplace(10, 1), 4, 1e-12);
        let ours = law.half_width(1e-12);
        assert!(ours >= truth && ours < 1.3 * truth, "{ours} {truth}");
        assert!(law.half_width(0.0) == f64::INFINITY && law.half_width(f64::NAN) == f64::INFINITY);
        assert_eq!(PrefixLaw::default().half_width(0.05), 0.0);
        // Extreme scales stay finite.
        let huge = PrefixLaw::sum(&laplace(1 << 62, 1), 20);
        let ratio = huge.half_width(0.05) / huge.std_dev();
        assert!((1.9..2.1).contains(&ratio), "{ratio}");
    }

    #[test]
    fn variances_add() {
        let law = PrefixLaw::sum(&laplace(5, 1), 3).plus(&gaussian(4, 1), 0.5, 2.0, 0.0);
        let Noise::Laplace(five) = laplace(5, 1) else { unreachable!() };
        let Noise::Gaussian(two) = gaussian(4, 1) else { unreachable!() };
        let truth = 3.0 * five.variance() + 0.5 * two.variance();
        assert!((law.variance() / truth - 1.0).abs() < 1e-12);
        assert!(law.to_string().contains("standard deviation"));
    }
}
