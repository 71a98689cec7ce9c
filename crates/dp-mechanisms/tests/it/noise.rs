//! Draws against their laws: goodness of fit, moments, symmetry, tails, extremes.
//!
//! Each test has a fixed seed. The stated false-alarm probability (`FALSE_ALARM` for each check)
//! is that of a random seed: it says how surprising a failure is.

use dp_mechanisms::noise::{DiscreteGaussian, DiscreteLaplace};
use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_core::random::{EntropyError, InsecureTestRng, SecureRng};
use privacy_testing::statistics::{
    check_binomial, check_chi_square, check_kolmogorov_smirnov, chi_square_p_value,
};
use proptest::prelude::*;

const FALSE_ALARM: f64 = 1e-9;
const DRAWS: usize = 1_000_000;

fn ratio(numer: &str, denom: &str) -> Ratio<BigUint> {
    Ratio::new(numer.parse().unwrap(), denom.parse().unwrap())
}

fn laplace(numer: &str, denom: &str) -> DiscreteLaplace {
    DiscreteLaplace::new(ratio(numer, denom)).unwrap()
}

fn gaussian(numer: &str, denom: &str) -> DiscreteGaussian {
    DiscreteGaussian::new(ratio(numer, denom)).unwrap()
}

/// Either law, behind what the checks ask.
trait Noise {
    fn fill(&self, out: &mut [i128], rng: &mut dyn SecureRng) -> Result<(), EntropyError>;
    fn pmf(&self, x: i128) -> f64;
    fn tail(&self, m: u128) -> f64;
    fn half_width(&self, alpha: f64) -> u128;
    fn variance(&self) -> f64;
}

macro_rules! noise {
    ($law:ty) => {
        impl Noise for $law {
            fn fill(&self, out: &mut [i128], rng: &mut dyn SecureRng) -> Result<(), EntropyError> {
                self.fill(out, rng)
            }
            fn pmf(&self, x: i128) -> f64 {
                self.pmf(x)
            }
            fn tail(&self, m: u128) -> f64 {
                self.tail(m)
            }
            fn half_width(&self, alpha: f64) -> u128 {
                self.half_width(alpha).unwrap()
            }
            fn variance(&self) -> f64 {
                self.variance()
            }
        }
    };
}
noise!(DiscreteLaplace);
noise!(DiscreteGaussian);

fn draws(noise: &dyn Noise, count: usize, seed: u64) -> Vec<i128> {
    let mut out = vec![0; count];
    noise.fill(&mut out, &mut InsecureTestRng::from_seed(seed)).unwrap();
    out
}

/// Cells: each integer up to where a hundred draws are expected beyond, and the two tails.
fn check_fit(noise: &dyn Noise, draws: &[i128]) {
    let edge = noise.half_width(200.0 / draws.len() as f64) as i128;
    let cells = 2 * edge as usize + 3;
    let mut observed = vec![0u64; cells];
    for &x in draws {
        observed[(x.clamp(-edge - 1, edge + 1) + edge + 1) as usize] += 1;
    }
    let tail = 0.5 * noise.tail(edge as u128);
    let probabilities: Vec<f64> = std::iter::once(tail)
        .chain((-edge..=edge).map(|x| noise.pmf(x)))
        .chain(std::iter::once(tail))
        .collect();
    check_chi_square(&observed, &probabilities, FALSE_ALARM);
}

fn check_sides_and_tails(noise: &dyn Noise, draws: &[i128]) {
    let count = |f: &dyn Fn(i128) -> bool| draws.iter().filter(|&&x| f(x)).count() as u64;
    let (above, below) = (count(&|x| x > 0), count(&|x| x < 0));
    check_binomial(above, above + below, 0.5, FALSE_ALARM);
    for alpha in [0.3, 0.05, 1e-3, 1e-5] {
        let m = noise.half_width(alpha);
        let outside = count(&|x| x.unsigned_abs() > m);
        check_binomial(outside, draws.len() as u64, noise.tail(m), FALSE_ALARM);
    }
}

/// Mean and variance within 7 standard errors (kurtosis at most 6 + 1/variance, as for Laplace).
fn check_moments(noise: &dyn Noise, draws: &[i128]) {
    let n = draws.len() as f64;
    let variance = noise.variance();
    let mean = draws.iter().map(|&x| x as f64).sum::<f64>() / n;
    assert!(mean.abs() <= 7.0 * (variance / n).sqrt(), "mean {mean}");
    let second = draws.iter().map(|&x| (x as f64).powi(2)).sum::<f64>() / n;
    let error = variance * ((5.0 + 1.0 / variance) / n).sqrt();
    assert!(
        (second - variance).abs() <= 7.0 * error,
        "second moment {second}, variance {variance}"
    );
}

fn check_all(noise: &dyn Noise, seed: u64) {
    let draws = draws(noise, DRAWS, seed);
    check_fit(noise, &draws);
    check_sides_and_tails(noise, &draws);
    check_moments(noise, &draws);
}

#[test]
fn laplace_draws_follow_their_law() {
    for (seed, (numer, denom)) in
        [("1", "3"), ("1", "1"), ("10", "1"), ("355", "113"), ("1000003", "7919"), ("1000", "1")]
            .into_iter()
            .enumerate()
    {
        check_all(&laplace(numer, denom), seed as u64);
    }
}

#[test]
fn gaussian_draws_follow_their_law() {
    for (seed, (numer, denom)) in [
        ("1", "4"),
        ("1", "1"),
        ("100", "1"),
        ("355", "113"),
        ("1000003", "7919"),
        ("1000000", "1"),
    ]
    .into_iter()
    .enumerate()
    {
        check_all(&gaussian(numer, denom), 100 + seed as u64);
    }
}

#[test]
fn wide_fractions_draw_from_the_same_laws() {
    // 128-bit and big-integer parameters close to 10/3.
    let wide = [
        ("1000000000000000000000000000000", "300000000000000000000000000001"),
        (
            "10000000000000000000000000000000000000000000000000",
            "3000000000000000000000000000000000000000000000001",
        ),
    ];
    for (seed, (numer, denom)) in wide.into_iter().enumerate() {
        let (laplace, gaussian) = (laplace(numer, denom), gaussian(numer, denom));
        for (noise, base) in [(&laplace as &dyn Noise, 200), (&gaussian, 210)] {
            let draws = draws(noise, 200_000, base + seed as u64);
            check_fit(noise, &draws);
            check_sides_and_tails(noise, &draws);
            check_moments(noise, &draws);
        }
    }
}

#[test]
fn large_scales_follow_the_continuous_laws() {
    // Where the steps are invisible: distribution functions at x + 1/2.
    for (seed, scale) in ["1000000", "1000000000000000000000000000000"].into_iter().enumerate() {
        let noise = laplace(scale, "7");
        let t = scale.parse::<f64>().unwrap() / 7.0;
        let draws = draws(&noise, 200_000, 300 + seed as u64);
        check_sides_and_tails(&noise, &draws);
        check_moments(&noise, &draws);
        let mut scaled: Vec<f64> = draws.iter().map(|&x| (x as f64 + 0.5) / t).collect();
        let cdf = |x: f64| {
            if x < 0.0 { 0.5 * x.exp() } else { 1.0 - 0.5 * (-x).exp() }
        };
        check_kolmogorov_smirnov(&mut scaled, cdf, FALSE_ALARM);
    }
    for (seed, variance) in
        ["1000000000000", &format!("1{}", "0".repeat(60))].into_iter().enumerate()
    {
        let noise = gaussian(variance, "3");
        let sigma = (variance.parse::<f64>().unwrap() / 3.0).sqrt();
        let draws = draws(&noise, 100_000, 310 + seed as u64);
        check_sides_and_tails(&noise, &draws);
        check_moments(&noise, &draws);
        // x^2/2 of a normal variable is Gamma(1/2): the upper tail of a chi-square variable.
        let mut squares: Vec<f64> = draws
            .iter()
            .map(|&x| {
                let y = (x as f64 + 0.5) / sigma;
                y * y
            })
            .collect();
        check_kolmogorov_smirnov(&mut squares, |s| 1.0 - chi_square_p_value(s, 1), FALSE_ALARM);
    }
}

#[test]
fn tiny_scales_are_quick_and_add_nothing() {
    for zeros in [40, 300, 1000] {
        let denom = format!("1{}", "0".repeat(zeros));
        assert!(draws(&laplace("1", &denom), 2000, 1).iter().all(|&x| x == 0));
        assert!(draws(&gaussian("1", &denom), 2000, 2).iter().all(|&x| x == 0));
    }
}

#[test]
fn the_largest_scales_draw_without_saturating() {
    let scale = Ratio::from(BigUint::from(1u8) << 100u32);
    let squared = Ratio::from(BigUint::from(1u8) << 200u32);
    let laplace = DiscreteLaplace::new(scale).unwrap();
    let gaussian = DiscreteGaussian::new(squared).unwrap();
    for (noise, seed) in [(&laplace as &dyn Noise, 1), (&gaussian, 2)] {
        let draws = draws(noise, 20_000, seed);
        check_sides_and_tails(noise, &draws);
        check_moments(noise, &draws);
        assert!(draws.iter().all(|x| x.unsigned_abs() < 1 << 110));
    }
}

#[test]
#[should_panic(expected = "do not follow the law")]
fn a_scale_wrong_by_two_percent_is_noticed() {
    check_fit(&laplace("10", "1"), &draws(&laplace("102", "10"), DRAWS, 400));
}

#[test]
#[should_panic(expected = "do not follow the law")]
fn a_gaussian_is_no_rounded_laplace() {
    check_fit(&gaussian("200", "1"), &draws(&laplace("10", "1"), DRAWS, 401));
}

#[test]
#[should_panic(expected = "do not follow the law")]
fn counting_zero_twice_is_noticed() {
    // What a sampler without the rejection of the negative zero would draw: (1-r)/2 r^|x| on each
    // side, and both zeros together.
    let mut folded = draws(&laplace("10", "1"), DRAWS, 402);
    let mut rng = InsecureTestRng::from_seed(403);
    let extra = dp_mechanisms::noise::Bernoulli::new(ratio("1", "20")).unwrap();
    for x in &mut folded {
        if x.unsigned_abs() <= 1 && extra.sample(&mut rng).unwrap() {
            *x = 0;
        }
    }
    check_fit(&laplace("10", "1"), &folded);
}

/// Fails after some words.
struct Failing(usize);

impl SecureRng for Failing {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
        out.fill(0x5a);
        self.0 = self.0.checked_sub(out.len()).ok_or_else(EntropyError::new)?;
        Ok(())
    }
}

#[test]
fn a_failing_source_is_an_error() {
    assert_eq!(laplace("10", "1").sample(&mut Failing(0)), Err(EntropyError::new()));
    assert_eq!(gaussian("10", "1").sample(&mut Failing(0)), Err(EntropyError::new()));
    assert_eq!(
        laplace("10", "1").fill(&mut [0; 100_000], &mut Failing(4096)),
        Err(EntropyError::new())
    );
}

#[test]
fn laws_are_plain_values() {
    fn plain<T: Clone + std::fmt::Debug + Send + Sync + 'static>() {}
    plain::<DiscreteLaplace>();
    plain::<DiscreteGaussian>();
    plain::<dp_mechanisms::noise::Bernoulli>();
    plain::<dp_mechanisms::noise::BernoulliExp>();
}

proptest! {
    #[test]
    fn every_rational_scale_draws_within_reach(
        numer in 1u128..,
        denom in 1u128..,
        shift in 0u32..400,
        seed: u64,
    ) {
        // Scales between about 2^-500 and 2^100, most of them with wide fractions.
        let scale = Ratio::new(BigUint::from(numer), BigUint::from(denom) << shift);
        let mut rng = InsecureTestRng::from_seed(seed);
        if let Ok(noise) = DiscreteLaplace::new(scale.clone()) {
            let x = noise.sample(&mut rng).unwrap();
            // Each draw passes with probability at least 1 - 1e-12.
            prop_assert!(x.unsigned_abs() <= noise.half_width(1e-12).unwrap());
        }
        if let Ok(noise) = DiscreteGaussian::new(scale) {
            let x = noise.sample(&mut rng).unwrap();
            prop_assert!(x.unsigned_abs() <= noise.half_width(1e-12).unwrap());
        }
    }
}
