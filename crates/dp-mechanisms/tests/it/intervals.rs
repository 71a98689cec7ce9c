//! 95 % intervals in trials of noise alone: a million for each noise, fewer for what is made of it.
//!
//! An interval of an integer law covers at least 95 % and is the smallest that does: the next smaller
//! covers less. It covers 94.9 to 95.1 % where one integer more or less changes the coverage by less
//! than that: from a scale of 50 on for Laplace noise, and from a deviation of 120 for Gaussian
//! noise. Below, the coverage is that of the smallest sufficient integer, known exactly from the law.
//!
//! Seeds are fixed; each check alarms falsely with probability 1e-6 over seeds (a binomial count of
//! 10^6 trials is 4.6 standard deviations from an end of 94.9 to 95.1 % where the law covers 95 %).

use dp_mechanisms::additive::{
    ConstantTimeGaussianNoise, ConstantTimeLaplaceNoise, GaussianNoise, LaplaceNoise, Noise,
    NoiseLaw,
};
use dp_mechanisms::prelude::*;
use dp_mechanisms::stream::{
    Continual, Contribution, PrefixLaw, SquareRootPlan, TreePlan, UnboundedPlan, WindowPlan,
};
use privacy_core::mechanism::Mechanism;
use privacy_core::random::InsecureTestRng;
use privacy_core::space::Scalar;
use privacy_testing::statistics::check_binomial;

const TRIALS: u64 = 1_000_000;
const FALSE_ALARM: f64 = 1e-6;

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn tail(noise: &Noise, m: u128) -> f64 {
    match noise {
        Noise::Laplace(noise) => noise.tail(m),
        Noise::Gaussian(noise) => noise.tail(m),
        _ => f64::NAN,
    }
}

/// What the law says of its interval: its exact coverage, which is the least above 95 %.
fn exact_coverage(noise: &Noise) -> f64 {
    let m = noise.half_width(0.05) as u128;
    let covered = 1.0 - tail(noise, m);
    assert!(covered >= 0.95 - 1e-12, "{noise:?}: {covered}");
    assert!(m == 0 || 1.0 - tail(noise, m - 1) < 0.95, "{noise:?} is wider than it need be");
    covered
}

/// How many of the releases of 0 have intervals that hold it.
fn covered<M>(mechanism: &M, truth: i128, seed: u64) -> u64
where
    M: Mechanism<Input = Scalar<i128>, Output = i128>,
{
    let mut rng = InsecureTestRng::from_seed(seed);
    // As wide around every value.
    let interval = mechanism.law().interval(&truth, &Confidence::default());
    let holds = |noisy: i128| interval.contains(noisy as f64);
    (0..TRIALS).filter(|_| holds(mechanism.draw(&truth, &mut rng).unwrap())).count() as u64
}

fn check<M>(mechanism: &M, noise: &Noise, large: bool, seed: u64)
where
    M: Mechanism<Input = Scalar<i128>, Output = i128>,
{
    let exact = exact_coverage(noise);
    let count = covered(mechanism, 1234, seed);
    check_binomial(count, TRIALS, exact, FALSE_ALARM);
    let share = count as f64 / TRIALS as f64;
    assert!(!large || (0.949..=0.951).contains(&share), "{noise:?}: {share}");
}

#[test]
fn laplace_intervals_cover_as_they_say() {
    for (seed, (scale, large)) in [
        ("1/3", false),
        ("2", false),
        ("22/7", false),
        ("50", true),
        ("1000/3", true),
        ("1e9", true),
    ]
    .into_iter()
    .enumerate()
    {
        let noise = LaplaceNoise::scalar(amount(scale)).unwrap();
        check(&noise, &noise.noise(), large, seed as u64);
    }
}

#[test]
fn gaussian_intervals_cover_as_they_say() {
    for (seed, (variance, large)) in
        [("1/4", false), ("9", false), ("400", false), ("14400", true), ("1e12", true)]
            .into_iter()
            .enumerate()
    {
        let noise = GaussianNoise::scalar(amount(variance)).unwrap();
        check(&noise, &noise.noise(), large, 100 + seed as u64);
    }
}

#[test]
fn constant_time_intervals_cover_as_they_say() {
    // Their distance from the exact law is far below what a million trials can tell.
    let noise = ConstantTimeLaplaceNoise::with_scale(amount("60")).unwrap();
    check(&noise, noise.noise_law().exact(), true, 200);
    let delta = Delta::new(1e-9).unwrap();
    let noise = ConstantTimeGaussianNoise::new(amount("100"), &delta).unwrap();
    check(&noise, noise.noise_law().exact(), false, 201);
}

#[test]
fn a_coordinate_of_a_vector_is_covered_as_a_number_is() {
    let (scale, coordinates) = (amount("80"), 1000usize);
    let noise = LaplaceNoise::vector(scale).unwrap();
    let half_width = NoiseLaw::new(noise.noise(), 0).half_width(&Confidence::default());
    let mut rng = InsecureTestRng::from_seed(300);
    let truth = vec![-7i128; coordinates];
    let mut held = 0;
    for _ in 0..TRIALS / coordinates as u64 {
        let noisy = noise.draw(&truth, &mut rng).unwrap();
        held += noisy.iter().filter(|x| (**x + 7).unsigned_abs() as f64 <= half_width).count();
        // The interval of all of them holds each, or nearly.
        let all = noise.law().interval(&noisy, &Confidence::default());
        assert!(all.contains(-7.0));
    }
    check_binomial(held as u64, TRIALS, exact_coverage(&noise.noise()), FALSE_ALARM);
    assert!((0.949..=0.951).contains(&(held as f64 / TRIALS as f64)), "{held}");
}

/// The share of streams whose error after `steps` steps is within the stated half-width.
fn stream_coverage<S: Continual>(
    open: impl Fn(u64) -> S,
    steps: u32,
    trials: u64,
) -> (f64, PrefixLaw) {
    let (mut held, mut stated) = (0u64, None);
    for seed in 0..trials {
        let mut stream = open(seed);
        let error = (0..steps).map(|_| stream.step(0).unwrap()).last().unwrap();
        let (_, width) = stated.get_or_insert_with(|| {
            let law = stream.law();
            let width = law.half_width(0.05);
            (law, width)
        });
        held += u64::from(error.abs() <= *width);
    }
    (held as f64 / trials as f64, stated.unwrap().0)
}

#[test]
fn intervals_of_streams_cover_as_they_say() {
    let one = Contribution::ONE_RECORD;
    let rng = |seed: u64| InsecureTestRng::from_seed(0x5_7ea0 + seed);
    let (epsilon, rho) = (Epsilon::new(0.02).unwrap(), Rho::new(2e-6).unwrap());
    // Step 7 of 7 is a sum of three nodes. Half-widths of equal draws are compared with exact
    // convolutions beside the code; these runs find a law that is another than the noise's. At scales
    // where steps of one do not matter; 4.75 standard deviations around 95 to 95.1 %.
    let trials = TRIALS / 10;
    let near = 0.9467..=0.9543;
    let tree = TreePlan::laplace(7, one, &epsilon).unwrap();
    let (share, _) = stream_coverage(|seed| tree.open(rng(seed)), 7, trials);
    assert!(near.contains(&share), "tree: {share}");
    let tree = TreePlan::gaussian(7, one, &rho).unwrap();
    let (share, _) = stream_coverage(|seed| tree.open(rng(seed)), 7, trials);
    assert!(near.contains(&share), "Gaussian tree: {share}");
    // Weighted sums: as continuous ones, widened by at most one for each draw.
    let few = TRIALS / 30;
    let near = 0.9443..=0.9567;
    let refined = TreePlan::laplace(7, one, &epsilon).unwrap();
    let (share, _) = stream_coverage(|seed| refined.open_refined(rng(seed)), 7, few);
    assert!(near.contains(&share), "refined tree: {share}");
    let root = SquareRootPlan::new(7, one, &rho).unwrap();
    let (share, _) = stream_coverage(|seed| root.open(rng(seed)), 7, few);
    assert!(near.contains(&share), "square root: {share}");
    let unbounded = UnboundedPlan::laplace(one, &epsilon).unwrap();
    let (share, _) = stream_coverage(|seed| unbounded.open(rng(seed)).unwrap(), 7, few);
    assert!(near.contains(&share), "unbounded: {share}");
    let window = WindowPlan::gaussian(4, one, &rho).unwrap();
    let (share, _) = stream_coverage(|seed| window.open(rng(seed)), 7, few);
    assert!(near.contains(&share), "window: {share}");
}

#[test]
fn narrow_noise_in_streams_is_covered_at_least_as_often() {
    let one = Contribution::ONE_RECORD;
    let rng = |seed: u64| InsecureTestRng::from_seed(0xa_11ce + seed);
    let tree = TreePlan::laplace(7, one, &Epsilon::new(3.0).unwrap()).unwrap();
    let root = SquareRootPlan::new(7, one, &Rho::new(0.5).unwrap()).unwrap();
    let trials = TRIALS / 30;
    let shares = [
        stream_coverage(|seed| tree.open(rng(seed)), 7, trials).0,
        stream_coverage(|seed| tree.open_refined(rng(seed)), 7, trials).0,
        stream_coverage(|seed| root.open(rng(seed)), 7, trials).0,
    ];
    // 5 standard deviations below the least that may be.
    assert!(shares.iter().all(|share| *share > 0.95 - 0.006), "{shares:?}");
}

#[test]
fn counts_of_fitted_tables_are_covered_as_often_as_they_say() {
    use dp_mechanisms::session::histogram::Axes;

    let rows: Vec<(u8, u8)> = (0..60).map(|i| (i % 3, i % 4)).collect();
    let context = Context::new(Actor::new("tests"), Purpose::new("tests")).unwrap();
    let context = context.with_rng(InsecureTestRng::from_seed(23));
    let budget = Epsilon::new(1e6).unwrap();
    let session = Session::over(&rows).context(context).budget(budget).open().unwrap();
    let confidence = Confidence::default();
    let trials = 10_000u64;
    let (mut cells, mut margins, mut totals, mut widths) = (0, 0, 0, None);
    for _ in 0..trials {
        let axes = Axes::new().groups("a", |r: &(u8, u8)| r.0, &[0, 1, 2]).unwrap();
        let axes = axes.groups("b", |r: &(u8, u8)| r.1, &[0, 1, 2, 3]).unwrap();
        let table = session.histogram(axes).epsilon(0.01).unwrap().release().unwrap().into_value();
        let width = |of: &[usize]| table.half_width(of, &confidence).unwrap();
        let [cell, margin, total] =
            *widths.get_or_insert_with(|| [width(&[0, 1]), width(&[0]), width(&[])]);
        cells += u64::from((table.count(&[1, 2]).unwrap() - 5.0).abs() <= cell);
        margins += u64::from((table.margin(&[0]).unwrap()[2] - 20.0).abs() <= margin);
        totals += u64::from((table.total() - 60.0).abs() <= total);
    }
    // Scales of 300: what a draw is off its continuous twin widens by little. 5 standard deviations.
    for (name, covered) in [("cell", cells), ("margin", margins), ("total", totals)] {
        let share = covered as f64 / trials as f64;
        assert!((0.95 - 0.011..=0.97).contains(&share), "{name}: {share}");
    }
}

#[test]
fn means_are_covered_as_often_as_they_say() {
    // Means near a bound, below the middle and in the middle: what two noises with unequal weights
    // and with equal ones are off by. 5 standard deviations around 95 %.
    let confidence = Confidence::default();
    let trials = TRIALS / 20;
    for (i, modulus) in [5i64, 31, 61].into_iter().enumerate() {
        let rows: Vec<i64> = (0..800).map(|i| i % modulus).collect();
        let truth = rows.iter().sum::<i64>() as f64 / 800.0;
        for gaussian in [false, true] {
            let context = Context::new(Actor::new("tests"), Purpose::new("tests")).unwrap();
            let context = context.with_rng(InsecureTestRng::from_seed(0x3ea0 + i as u64));
            let budget: Allowance = match gaussian {
                true => Rho::new(1e6).unwrap().into(),
                false => Epsilon::new(1e6).unwrap().into(),
            };
            let session = Session::over(&rows).context(context).budget(budget).open().unwrap();
            let (mut held, mut margins) = (0u64, 0.0);
            for _ in 0..trials {
                let query = session.mean(|x| *x).bounds(0..=60).unwrap();
                let plan = if gaussian { query.rho(0.005) } else { query.epsilon(0.1) };
                let interval = plan.unwrap().release().unwrap().interval(&confidence);
                held += u64::from(interval.contains(truth));
                margins += interval.margin() / trials as f64;
            }
            let share = held as f64 / trials as f64;
            assert!((0.945..=0.955).contains(&share), "{modulus} {gaussian}: {share}");
            if modulus == 61 {
                let query = session.mean(|x| *x).bounds(0..=60).unwrap();
                let plan = if gaussian { query.rho(0.005) } else { query.epsilon(0.1) };
                let expected = plan.unwrap().expected_error(800);
                assert!((0.97..1.03).contains(&(expected / margins)), "{expected} {margins}");
            }
        }
    }
}

#[test]
fn variances_of_sessions_are_covered_as_often_as_they_say() {
    // Other moments, and many more rows against the noise: beside the code.
    let rows: Vec<i64> = (0..4000).map(|i| i % 61).collect();
    let truth = rows.iter().sum::<i64>() as f64 / 4000.0;
    let variance = rows.iter().map(|x| (*x as f64 - truth).powi(2)).sum::<f64>() / 4000.0;
    let context = Context::new(Actor::new("tests"), Purpose::new("tests")).unwrap();
    let context = context.with_rng(InsecureTestRng::from_seed(17));
    let budget = Epsilon::new(1e6).unwrap();
    let session = Session::over(&rows).context(context).budget(budget).open().unwrap();
    let trials = 4000u64;
    let mut held = 0;
    for _ in 0..trials {
        let spread = session.variance(|x| *x).bounds(0..=60).unwrap().epsilon(0.5).unwrap();
        let spread = spread.release().unwrap();
        held += u64::from(spread.interval(&Confidence::default()).contains(variance));
    }
    // 5 standard deviations below 95 % and above 95.2 %, which few rows against the noise allow.
    let share = held as f64 / trials as f64;
    assert!((0.9328..0.9691).contains(&share), "{share}");
}
