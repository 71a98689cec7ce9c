//! What all streams keep to, tried on each.

use privacy_core::params::{Epsilon, Rho};
use privacy_core::random::{EntropyError, InsecureTestRng, SecureRng};
use privacy_testing::statistics::check_binomial;

use super::pool::Pool;
use super::toeplitz::{DIGITS, Factor};
use super::*;
use crate::additive::Noise;

const ONE: Contribution = Contribution::ONE_RECORD;

fn rng(seed: u64) -> InsecureTestRng {
    InsecureTestRng::from_seed(seed)
}

fn epsilon(value: f64) -> Epsilon {
    Epsilon::new(value).unwrap()
}

fn rho(value: f64) -> Rho {
    Rho::new(value).unwrap()
}

/// Increments of all sizes, among them the ends of the range.
fn increments(count: usize) -> Vec<i64> {
    (0..count as i64)
        .map(|i| match i % 7 {
            0 => i64::MAX,
            1 => i64::MIN,
            2 => 0,
            _ => (i * 7919) % 1000 - 500,
        })
        .collect()
}

/// Each kind of stream over `n` steps, at a price that leaves no noise to speak of.
fn noiseless(n: u64) -> Vec<Box<dyn Continual>> {
    let tree = TreePlan::laplace(n, ONE, &epsilon(1e6)).unwrap();
    let gaussian = TreePlan::gaussian(n, ONE, &rho(1e6)).unwrap();
    let root = SquareRootPlan::new(n, ONE, &rho(1e9)).unwrap();
    let unbounded = UnboundedPlan::laplace(ONE, &epsilon(1e6)).unwrap();
    vec![
        Box::new(tree.open(rng(1))),
        Box::new(tree.open_refined(rng(2))),
        Box::new(gaussian.open(rng(3))),
        Box::new(gaussian.open_refined(rng(4))),
        Box::new(root.open(rng(5))),
        Box::new(unbounded.open(rng(6)).unwrap()),
    ]
}

#[test]
fn without_noise_every_prefix_is_the_exact_sum() {
    for n in [1u64, 2, 3, 64, 100, 1000] {
        for mut stream in noiseless(n) {
            let mut exact = 0i128;
            for (t, x) in increments(n as usize).into_iter().enumerate() {
                exact += i128::from(x);
                let released = stream.advance(x).unwrap();
                let error = released - (exact << stream.exponent().unsigned_abs());
                let unit = 2f64.powi(stream.exponent());
                assert!((error as f64 * unit).abs() < 0.01, "step {t} of {n}: {error}");
                assert_eq!(stream.steps(), t as u64 + 1);
            }
        }
    }
}

#[test]
fn without_noise_every_window_is_the_exact_sum() {
    for width in [1u64, 2, 3, 8, 21] {
        let plan = WindowPlan::laplace(width, ONE, &epsilon(1e6)).unwrap();
        let mut stream = plan.open(rng(1));
        let data = increments(100);
        for (t, x) in data.iter().enumerate() {
            let from = (t + 1).saturating_sub(width as usize);
            let exact: i128 = data[from..=t].iter().map(|x| i128::from(*x)).sum();
            assert_eq!(stream.advance(*x).unwrap(), exact, "{width} {t}");
        }
        assert_eq!(stream.steps(), 100);
    }
}

#[test]
fn a_stream_ends_after_its_steps_whatever_they_held() {
    for data in [[0i64; 3], [i64::MAX; 3], [i64::MIN; 3]] {
        for mut stream in noiseless(3).into_iter().take(5) {
            for x in data {
                stream.advance(x).unwrap();
            }
            for x in data {
                let error = stream.advance(x).unwrap_err();
                assert!(matches!(error, crate::Error::StreamEnded { horizon: 3 }));
            }
            assert_eq!(stream.steps(), 3);
        }
    }
}

#[test]
fn parameters_out_of_range_are_refused() {
    assert!(TreePlan::laplace(0, ONE, &epsilon(1.0)).is_err());
    assert!(TreePlan::gaussian((1 << 40) + 1, ONE, &rho(1.0)).is_err());
    assert!(SquareRootPlan::new(0, ONE, &rho(1.0)).is_err());
    assert!(SquareRootPlan::new((1 << 24) + 1, ONE, &rho(1.0)).is_err());
    assert!(WindowPlan::gaussian(0, ONE, &rho(1.0)).is_err());
    let huge = Contribution::new(1, u64::MAX).unwrap();
    assert!(TreePlan::laplace(1 << 40, huge, &epsilon(1e-20)).is_err());
    assert!(SquareRootPlan::new(8, huge, &rho(1e-30)).is_err());
    assert!(UnboundedPlan::laplace(huge, &epsilon(1e-20)).is_err());
    assert!(TreePlan::laplace(1 << 40, huge, &epsilon(0.1)).is_ok());
}

/// Fails after some calls.
struct Failing(InsecureTestRng, u32);

impl SecureRng for Failing {
    fn fill(&mut self, out: &mut [u8]) -> std::result::Result<(), EntropyError> {
        self.1 = self.1.checked_sub(1).ok_or(EntropyError::new())?;
        self.0.fill(out)
    }
}

#[test]
fn a_failing_source_takes_no_step() {
    const STEPS: u64 = 1 << 16;
    let plan = TreePlan::laplace(STEPS, ONE, &epsilon(1e6)).unwrap();
    let root = SquareRootPlan::new(STEPS, ONE, &rho(1e9)).unwrap();
    let window = WindowPlan::laplace(1000, ONE, &epsilon(1e6)).unwrap();
    let unbounded = UnboundedPlan::laplace(ONE, &epsilon(1e6)).unwrap();
    let failing = || Failing(rng(1), 3);
    let streams: [Box<dyn Continual>; 5] = [
        Box::new(plan.open(failing())),
        Box::new(plan.open_refined(failing())),
        Box::new(root.open(failing())),
        Box::new(window.open(failing())),
        Box::new(unbounded.open(failing()).unwrap()),
    ];
    for mut stream in streams {
        let mut taken = 0;
        let failed = loop {
            match stream.step(1) {
                Ok(estimate) => {
                    taken += 1;
                    assert!((estimate - f64::from(taken)).abs() < 0.01);
                }
                Err(error) => break error,
            }
        };
        assert!(failed.to_string().contains("random source"));
        assert_eq!(stream.steps(), taken as u64);
        assert!(stream.step(1).is_err());
        assert_eq!(stream.steps(), taken as u64);
    }
}

#[test]
fn the_square_root_release_is_a_function_of_the_noisy_vector() {
    // y = K x + z, and the release computed from y alone.
    let n = 200usize;
    let plan = SquareRootPlan::new(n as u64, ONE, &rho(0.01)).unwrap();
    let mut pool = Pool::new(plan.noise().clone());
    let mut source = rng(77);
    let z: Vec<i128> = (0..n).map(|_| pool.next(&mut source).unwrap()).collect();
    let factor = Factor::new(n as u64);
    let column: Vec<i128> =
        (factor.bins().iter()).flat_map(|b| (b.from..b.to).map(|_| i128::from(b.factor))).collect();
    let x: Vec<i64> = (0..n as i64).map(|i| (i * i * 31) % 2000 - 1000).collect();
    let y: Vec<i128> = (0..n)
        .map(|t| z[t] + (0..=t).map(|s| column[t - s] * i128::from(x[s])).sum::<i128>())
        .collect();

    let mut w: Vec<i128> = Vec::new();
    let mut stream = plan.open(rng(77));
    let mut prefix = 0;
    for t in 0..n {
        let carried: i128 = (1..=t).map(|j| column[j] * w[t - j]).sum();
        w.push(y[t] - ((carried + (1 << (DIGITS - 1))) >> DIGITS));
        prefix += w[t];
        assert_eq!(stream.advance(x[t]).unwrap(), prefix, "step {t}");
    }
}

#[test]
fn the_tree_error_is_over_three_times_that_of_the_square_root() {
    let (n, price) = (1u64 << 16, rho(0.5));
    let tree = TreePlan::gaussian(n, ONE, &price).unwrap();
    let root = SquareRootPlan::new(n, ONE, &price).unwrap();
    let worst = |law: &dyn Fn(u64) -> f64| (1..=n).map(law).fold(0.0, f64::max);
    let tree_worst = worst(&|t| tree.law(t).std_dev());
    let root_worst = worst(&|t| root.law(t).std_dev());
    // sqrt(17 · 16) against 4.597.
    assert!((tree_worst - 272f64.sqrt()).abs() < 1e-3, "{tree_worst}");
    assert!((root_worst - 4.5972).abs() < 1e-3, "{root_worst}");
    assert!(tree_worst / root_worst > 3.5);

    // Measured where the tree is worst, in 64 runs each: chi-square with 64 degrees of freedom,
    // outside 0.35 to 2.3 times its mean with probability below 1e-6.
    let measured = |open: &dyn Fn(u64) -> Box<dyn Continual>, law: PrefixLaw| {
        let square = |seed| {
            let mut stream = open(seed);
            (1..n).map(|_| stream.step(0).unwrap()).last().unwrap().powi(2)
        };
        let ratio = (0..64).map(square).sum::<f64>() / 64.0 / law.variance();
        assert!((0.35..2.3).contains(&ratio), "{ratio}");
    };
    measured(&|seed| Box::new(tree.open(rng(seed))), tree.law(n - 1));
    measured(&|seed| Box::new(root.open(rng(seed))), root.law(n - 1));
}

#[test]
fn refining_lowers_the_variance_by_up_to_a_half() {
    let plan = TreePlan::gaussian(1 << 10, ONE, &rho(0.1)).unwrap();
    let one = plan.law(1).variance();
    // Honaker: a node of height j, 2^j / (2^(j+1) - 1).
    for height in 0..10 {
        let truth = one * 2f64.powi(height) / (2f64.powi(height + 1) - 1.0);
        let ours = plan.refined_law(1 << height).variance();
        assert!((ours / truth - 1.0).abs() < 1e-12);
    }
    assert!(plan.refined_law(1023).variance() < 0.6 * plan.law(1023).variance());
}

#[test]
fn errors_keep_their_laws_and_intervals_cover() {
    // 3000 runs of each stream of 37 steps, at the price where noise is a few units.
    let tree = TreePlan::laplace(37, ONE, &epsilon(1.0)).unwrap();
    let gaussian = TreePlan::gaussian(37, ONE, &rho(0.02)).unwrap();
    let root = SquareRootPlan::new(37, ONE, &rho(0.02)).unwrap();
    let unbounded = UnboundedPlan::laplace(ONE, &epsilon(1.0)).unwrap();
    let window = WindowPlan::gaussian(16, ONE, &rho(0.02)).unwrap();
    let runs = 3000;
    let kinds: [&dyn Fn(u64) -> Box<dyn Continual>; 7] = [
        &|seed| Box::new(tree.open(rng(seed))),
        &|seed| Box::new(tree.open_refined(rng(seed))),
        &|seed| Box::new(gaussian.open(rng(seed))),
        &|seed| Box::new(gaussian.open_refined(rng(seed))),
        &|seed| Box::new(root.open(rng(seed))),
        &|seed| Box::new(unbounded.open(rng(seed)).unwrap()),
        &|seed| Box::new(window.open(rng(seed))),
    ];
    for (kind, open) in kinds.into_iter().enumerate() {
        let (mut squares, mut covered, mut law) = (0.0, 0, PrefixLaw::default());
        let mut width = 0.0;
        for seed in 0..runs {
            let mut stream = open(1000 + seed);
            let error = (0..37).map(|_| stream.step(0).unwrap()).last().unwrap();
            if seed == 0 {
                law = stream.law();
                width = law.half_width(0.1);
            }
            squares += error * error;
            covered += u64::from(error.abs() <= width);
        }
        // A squared Laplace sum has at most 5 times its squared mean as variance: 7 standard
        // deviations, a false alarm below 1e-9 for each kind.
        let ratio = squares / runs as f64 / law.variance();
        assert!((ratio - 1.0).abs() < 7.0 * (5.0 / runs as f64).sqrt(), "kind {kind}: {ratio}");
        // Coverage of at least 0.9 and, as widths are nearly the smallest, at most 0.94.
        let share = covered as f64 / runs as f64;
        assert!(share > 0.9 - 0.03 && share < 0.94 + 0.02, "kind {kind}: {share}");
    }
}

#[test]
fn the_noise_of_a_step_is_drawn_from_its_law() {
    // The first leaf: P(noise = 0) at scale levels/ε = 3.
    let plan = TreePlan::laplace(4, ONE, &epsilon(1.0)).unwrap();
    let zeros =
        (0..20_000).filter(|seed| plan.open(rng(*seed)).advance(5).unwrap() == 5).count() as u64;
    let r = (-1.0f64 / 3.0).exp();
    check_binomial(zeros, 20_000, (1.0 - r) / (1.0 + r), 1e-9);
}

#[test]
fn prices_are_those_of_the_noise() {
    let plan = TreePlan::laplace(1000, Contribution::new(2, 5).unwrap(), &epsilon(0.5)).unwrap();
    assert_eq!(plan.charge().in_pure().unwrap().epsilon, epsilon(0.5).into_amount());
    // Ten levels, two steps of up to five: scale 2 · 10 · 5 / 0.5.
    let Noise::Laplace(noise) = plan.noise() else { panic!("another noise") };
    assert_eq!(noise.scale().to_string(), "200");
    // One step in zCDP: ε² / (2 levels).
    let single = TreePlan::laplace(1000, ONE, &epsilon(1.0)).unwrap();
    assert_eq!(single.charge().in_zcdp().unwrap().rho, "1/20".parse().unwrap());
    let ever = UnboundedPlan::gaussian(Contribution::new(3, 1).unwrap(), &rho(0.9)).unwrap();
    assert_eq!(ever.charge().in_zcdp().unwrap().rho, rho(0.9).into_amount());
    assert!(ever.charge().in_pure().is_none());
}

#[test]
fn streams_can_be_sent_and_show_nothing() {
    fn sent<T: Send + 'static>(_: &T) {}
    let root = SquareRootPlan::new(10, ONE, &rho(1e9)).unwrap();
    let mut stream = root.open(rng(1));
    sent(&stream);
    stream.advance(987_654_321).unwrap();
    privacy_core::conformance::quiet(&stream, &["987654321", "carried"]).unwrap();
    let mut tree = TreePlan::laplace(10, ONE, &epsilon(1e6)).unwrap().open(rng(1));
    tree.advance(987_654_321).unwrap();
    privacy_core::conformance::quiet(&tree, &["987654321"]).unwrap();
}
