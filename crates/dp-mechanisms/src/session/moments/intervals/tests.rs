//! How often intervals hold the truth, in trials of noise alone.
//!
//! A million trials each: `DP_COVERAGE_TRIALS=1000000 cargo test --release -p dp-mechanisms --lib
//! moments::intervals -- --nocapture`.

use num_rational::Ratio;
use privacy_core::params::{Bounds, Confidence};
use privacy_core::random::InsecureTestRng;

use super::super::axis::Axis;
use super::super::basis::Basis;
use super::super::values::{JointMoments, Moments};
use super::*;
use crate::additive::Noise;
use crate::grid::Value;
use crate::noise::{DiscreteGaussian, DiscreteLaplace};

/// Rows of two values, 0 to 60 and 0 to 12, that go together.
fn positions() -> Vec<[u64; 2]> {
    (0..300u64).map(|i| [(i * i + 7 * i) % 50, (i * i + 7 * i) % 50 / 5 + i % 4]).collect()
}

struct Case {
    basis: Basis,
    /// Exact coordinates.
    exact: Vec<i128>,
    noise: Noise,
}

impl Case {
    /// `rows` rows, and noise of a scale or deviation of `scale` rows.
    fn new(degrees: [usize; 2], copies: i128, scale: u64, gaussian: bool) -> Self {
        let axis = |upper: i64| {
            let bounds = Bounds::new(0i64, upper).unwrap();
            Axis::new(&bounds, i64::grid(&bounds, None).unwrap(), 20)
        };
        let basis = Basis { axes: [axis(60), axis(12)], degrees };
        let mut sums = vec![0; basis.coordinates()];
        positions().into_iter().for_each(|position| basis.add(position, &mut sums));
        let exact = basis.refine(sums).iter().map(|sum| sum * copies).collect();
        let scale = num_bigint::BigUint::from(basis.total()) * scale;
        let noise = match gaussian {
            true => Noise::Gaussian(DiscreteGaussian::new(Ratio::from(scale.pow(2))).unwrap()),
            false => Noise::Laplace(DiscreteLaplace::new(Ratio::from(scale)).unwrap()),
        };
        Case { basis, exact, noise }
    }

    fn noisy(&self, rng: &mut InsecureTestRng) -> Estimate {
        let mut noisy = vec![0; self.exact.len()];
        match &self.noise {
            Noise::Laplace(noise) => noise.fill(&mut noisy, rng).unwrap(),
            Noise::Gaussian(noise) => noise.fill(&mut noisy, rng).unwrap(),
        }
        noisy.iter_mut().zip(&self.exact).for_each(|(noise, exact)| *noise += exact);
        Estimate::new(self.basis, &noisy, self.noise.clone())
    }

    fn exact(&self) -> Estimate {
        Estimate::new(self.basis, &self.exact, self.noise.clone())
    }
}

type Read = fn(&Estimate) -> f64;
type Bound = fn(&Estimate, &Confidence) -> privacy_core::release::Interval;

const READINGS: [(&str, [usize; 2], Read, Bound); 6] = [
    ("mean", [2, 0], |e| Moments(e.clone()).mean(), |e, c| Moments(e.clone()).mean_interval(c)),
    (
        "variance",
        [2, 0],
        |e| Moments(e.clone()).variance(),
        |e, c| Moments(e.clone()).variance_interval(c),
    ),
    (
        "deviation",
        [2, 0],
        |e| Moments(e.clone()).standard_deviation(),
        |e, c| Moments(e.clone()).standard_deviation_interval(c),
    ),
    (
        "covariance",
        [1, 1],
        |e| JointMoments(e.clone()).covariance(),
        |e, c| JointMoments(e.clone()).covariance_interval(c),
    ),
    (
        "slope",
        [2, 1],
        |e| JointMoments(e.clone()).line().slope,
        |e, c| JointMoments(e.clone()).slope_interval(c),
    ),
    (
        "correlation",
        [2, 2],
        |e| JointMoments(e.clone()).correlation(),
        |e, c| JointMoments(e.clone()).correlation_interval(c),
    ),
];

/// Half-widths of Laplace sums take longer.
fn trials(gaussian: bool) -> u64 {
    let asked = std::env::var("DP_COVERAGE_TRIALS").ok();
    asked.and_then(|asked| asked.parse().ok()).unwrap_or(if gaussian { 2000 } else { 300 })
}

#[test]
fn intervals_cover_as_often_as_they_say() {
    let confidence = Confidence::default();
    for (name, degrees, read, bound) in READINGS {
        for (gaussian, copies, most) in [
            // Of so few rows a correlation may be anything.
            (false, 1, 1.0),
            (true, 1, 1.0),
            (false, 30, 0.954),
            (true, 30, 0.954),
            (false, 1000, 0.951),
            (true, 1000, 0.951),
        ] {
            let trials = trials(gaussian);
            // 5 standard deviations.
            let off = 5.0 * (0.95f64 * 0.05 / trials as f64).sqrt();
            let case = Case::new(degrees, copies, 4, gaussian);
            let truth = read(&case.exact());
            let mut rng = InsecureTestRng::from_seed(copies as u64);
            let (mut held, mut width) = (0u64, 0.0);
            for _ in 0..trials {
                let interval = bound(&case.noisy(&mut rng), &confidence);
                held += u64::from(interval.contains(truth));
                width += interval.margin() / trials as f64;
            }
            let share = held as f64 / trials as f64;
            println!("{name} {gaussian} {copies}: {share:.4}, truth {truth:.4} ± {width:.4}");
            assert!(
                share >= 0.95 - off && share <= most + off,
                "{name} {gaussian} {copies}: {share}"
            );
        }
    }
}

#[test]
fn expected_margins_are_those_seen() {
    let confidence = Confidence::default();
    for (name, degrees, _, bound) in READINGS {
        let basis = Case::new(degrees, 1, 1, false).basis;
        let rows = 50_000;
        let noise = Case::new(degrees, 1, 10, false).noise;
        let expected = bound(&Estimate::expected(basis, rows, noise.clone()), &confidence);
        // Values that are spread evenly, independent of each other.
        let mut sums = vec![0; basis.coordinates()];
        for x in 0..=60 {
            for y in 0..=12 {
                basis.add([x, y], &mut sums);
            }
        }
        let exact =
            basis.refine(sums).iter().map(|sum| sum * i128::from(rows) / (61 * 13)).collect();
        let case = Case { basis, exact, noise };
        let mut rng = InsecureTestRng::from_seed(3);
        let seen = (0..50).map(|_| bound(&case.noisy(&mut rng), &confidence).margin());
        let seen = seen.sum::<f64>() / 50.0;
        assert!((0.9..1.1).contains(&(expected.margin() / seen)), "{name}: {expected:?} {seen}");
    }
}

#[test]
fn nothing_is_claimed_of_nothing() {
    let confidence = Confidence::default();
    for (name, degrees, _, bound) in READINGS {
        let case = Case::new(degrees, 0, 4, false);
        for exact in [0, -1_000_000_000] {
            let noisy = vec![exact; case.exact.len()];
            let estimate = Estimate::new(case.basis, &noisy, case.noise.clone());
            let interval = bound(&estimate, &confidence);
            let any = interval.lower.is_infinite() || interval.margin() >= 0.9;
            assert!(any, "{name}: {interval:?}");
        }
    }
}
