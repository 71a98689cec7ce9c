//! 95 % intervals in trials of noise alone: a million for each noise, fewer for what is made of it.
//!
//! An interval of an integer law covers at least 95 % and is the smallest that does: the next smaller
//! covers less. It covers 94.9 to 95.1 % where one integer more or less changes the coverage by less
//! than that: from a scale of 50 on for Laplace noise, and from a deviation of 120 for Gaussian
//! noise. Below, the coverage is that of the smallest sufficient integer, known exactly from the law.
//!
//! Seeds are fixed; each check alarms falsely with probability 1e-6 over seeds (a binomial count of
//! 10^6 trials is 4.6 standard deviations from an end of 94.9 to 95.1 % where the law covers 95 %).
//!
//! A million trials of everything, and what was covered (half an hour):
//! `DP_COVERAGE_TRIALS=1000000 cargo test --release -p dp-mechanisms --test it intervals -- --nocapture`.

use dp_mechanisms::additive::{
    ConstantTimeGaussianNoise, ConstantTimeLaplaceNoise, GaussianNoise, LaplaceNoise, Noise,
    NoiseLaw,
};
use dp_mechanisms::prelude::*;
use dp_mechanisms::stream::{
    Continual, Contribution, SquareRootPlan, TreePlan, UnboundedPlan, WindowPlan,
};
use privacy_core::audit::{AuditRecord, AuditSink, RecordId};
use privacy_core::mechanism::Mechanism;
use privacy_core::random::InsecureTestRng;
use privacy_core::space::Scalar;
use privacy_testing::statistics::check_binomial;

const TRIALS: u64 = 1_000_000;
const FALSE_ALARM: f64 = 1e-6;

/// So many trials, unless the environment asks for another number.
fn trials(usual: u64) -> u64 {
    let asked = std::env::var("DP_COVERAGE_TRIALS").ok();
    asked.and_then(|asked| asked.parse().ok()).unwrap_or(usual)
}

/// Fails unless the share covered is from 95 % to `most`, but for five standard deviations.
#[expect(clippy::print_stdout, reason = "the shares are worth reading")]
fn check_share(name: &str, covered: u64, trials: u64, most: f64) {
    let share = covered as f64 / trials as f64;
    println!("{name}: {:.3} % of {trials}", 100.0 * share);
    let off = 5.0 * (0.95 * 0.05 / trials as f64).sqrt();
    assert!((0.95 - off..=most + off).contains(&share), "{name}: {share}");
}

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
    check_share(
        &format!("{} ({exact:.5} by the law)", mechanism.law().describe()),
        count,
        TRIALS,
        exact,
    );
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

/// How many streams are within the stated half-width of the truth after `steps` steps.
fn stream_coverage<S: Continual>(open: impl Fn(u64) -> S, steps: u32, trials: u64) -> u64 {
    let (mut held, mut width) = (0u64, None);
    for seed in 0..trials {
        let mut stream = open(seed);
        let error = (0..steps).map(|_| stream.step(0).unwrap()).last().unwrap();
        let width = *width.get_or_insert_with(|| stream.law().half_width(0.05));
        held += u64::from(error.abs() <= width);
    }
    held
}

#[test]
fn intervals_of_streams_cover_as_they_say() {
    let one = Contribution::ONE_RECORD;
    let rng = |seed: u64| InsecureTestRng::from_seed(0x5_7ea0 + seed);
    let (epsilon, rho) = (Epsilon::new(0.02).unwrap(), Rho::new(2e-6).unwrap());
    // Step 7 of 7 is a sum of three nodes. Half-widths of equal draws are compared with exact
    // convolutions beside the code; these runs find a law that is another than the noise's. At scales
    // where steps of one do not matter.
    let (many, few) = (trials(TRIALS / 10), trials(TRIALS / 30));
    let tree = TreePlan::laplace(7, one, &epsilon).unwrap();
    let held = stream_coverage(|seed| tree.open(rng(seed)), 7, many);
    check_share("tree, Laplace", held, many, 0.951);
    let tree = TreePlan::gaussian(7, one, &rho).unwrap();
    let held = stream_coverage(|seed| tree.open(rng(seed)), 7, many);
    check_share("tree, Gaussian", held, many, 0.951);
    // Weighted sums: as continuous ones, widened by at most one for each draw.
    let refined = TreePlan::laplace(7, one, &epsilon).unwrap();
    let held = stream_coverage(|seed| refined.open_refined(rng(seed)), 7, few);
    check_share("refined tree, Laplace", held, few, 0.952);
    let root = SquareRootPlan::new(7, one, &rho).unwrap();
    let held = stream_coverage(|seed| root.open(rng(seed)), 7, few);
    check_share("square root", held, few, 0.951);
    let unbounded = UnboundedPlan::laplace(one, &epsilon).unwrap();
    let held = stream_coverage(|seed| unbounded.open(rng(seed)).unwrap(), 7, few);
    check_share("unbounded, Laplace", held, few, 0.952);
    let window = WindowPlan::gaussian(4, one, &rho).unwrap();
    let held = stream_coverage(|seed| window.open(rng(seed)), 7, few);
    check_share("window, Gaussian", held, few, 0.951);
}

#[test]
fn narrow_noise_in_streams_is_covered_at_least_as_often() {
    let one = Contribution::ONE_RECORD;
    let rng = |seed: u64| InsecureTestRng::from_seed(0xa_11ce + seed);
    let tree = TreePlan::laplace(7, one, &Epsilon::new(3.0).unwrap()).unwrap();
    let root = SquareRootPlan::new(7, one, &Rho::new(0.5).unwrap()).unwrap();
    let trials = trials(TRIALS / 30);
    let held = stream_coverage(|seed| tree.open(rng(seed)), 7, trials);
    check_share("tree, narrow", held, trials, 1.0);
    let held = stream_coverage(|seed| tree.open_refined(rng(seed)), 7, trials);
    check_share("refined tree, narrow", held, trials, 1.0);
    let held = stream_coverage(|seed| root.open(rng(seed)), 7, trials);
    check_share("square root, narrow", held, trials, 1.0);
}

/// Keeps no record of millions of releases.
struct NoTrail;

impl AuditSink for NoTrail {
    fn append(&self, _: AuditRecord) -> privacy_core::Result<RecordId> {
        Ok(RecordId(0))
    }
}

/// A session over `rows` that can pay for any number of trials.
fn session<'a, T>(rows: &'a [T], gaussian: bool, seed: u64) -> Session<'a, T> {
    let context = Context::new(Actor::new("tests"), Purpose::new("tests")).unwrap();
    let context = context.with_rng(InsecureTestRng::from_seed(seed)).with_audit(NoTrail);
    let budget: Allowance = match gaussian {
        true => Rho::new(1e6).unwrap().into(),
        false => Epsilon::new(1e6).unwrap().into(),
    };
    Session::over(rows).context(context).budget(budget).open().unwrap()
}

#[test]
fn counts_and_sums_of_sessions_are_covered_as_often_as_they_say() {
    // The laws are those of the draws above: these runs find a question that states another.
    let rows: Vec<i64> = (0..40).collect();
    let floats: Vec<f64> = rows.iter().map(|x| *x as f64 / 8.0).collect();
    let confidence = Confidence::default();
    let trials = trials(TRIALS / 50);
    for gaussian in [false, true] {
        let name = if gaussian { "Gaussian" } else { "Laplace" };
        let integers = session(&rows, gaussian, 41);
        let numbers = session(&floats, gaussian, 42);
        let (mut counts, mut sums, mut float_sums, mut bins) = (0, 0, 0, 0);
        for _ in 0..trials {
            let count = integers.count();
            let count =
                if gaussian { count.rho(2e-5).unwrap() } else { count.epsilon(0.01).unwrap() };
            let count = count.release().unwrap();
            counts += u64::from(count.interval(&confidence).contains(40.0));
            let sum = integers.sum(|x| *x).bounds(0..=39).unwrap();
            let sum = if gaussian { sum.rho(0.01).unwrap() } else { sum.epsilon(0.1).unwrap() };
            sums += u64::from(sum.release().unwrap().interval(&confidence).contains(780.0));
            let sum = numbers.sum(|x| *x).bounds(0.0..=4.875).unwrap();
            let sum = if gaussian { sum.rho(0.1).unwrap() } else { sum.epsilon(0.5).unwrap() };
            float_sums += u64::from(sum.release().unwrap().interval(&confidence).contains(97.5));
            let bin = integers.count().by_bin(|x| *x, &[0, 10, 20]);
            let bin = if gaussian { bin.rho(2e-5).unwrap() } else { bin.epsilon(0.01).unwrap() };
            let bin = bin.release().unwrap();
            let first = bin.iter().next().unwrap().1;
            bins += u64::from(first.interval(&confidence).contains(10.0));
        }
        check_share(&format!("count, {name}"), counts, trials, 0.951);
        check_share(&format!("sum of integers, {name}"), sums, trials, 0.951);
        check_share(&format!("sum of floats, {name}"), float_sums, trials, 0.951);
        check_share(&format!("count of a bin, {name}"), bins, trials, 0.951);
    }
}

#[test]
fn counts_of_fitted_tables_are_covered_as_often_as_they_say() {
    use dp_mechanisms::session::histogram::Axes;

    let rows: Vec<(u8, u8)> = (0..60).map(|i| (i % 3, i % 4)).collect();
    let session = session(&rows, false, 23);
    let confidence = Confidence::default();
    let trials = trials(10_000);
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
    // Scales of 300: what a draw is off its continuous twin widens by little.
    for (name, covered) in [("cell", cells), ("margin", margins), ("total", totals)] {
        check_share(&format!("fitted table, {name}"), covered, trials, 0.96);
    }
}

#[test]
fn means_are_covered_as_often_as_they_say() {
    // Means near a bound, below the middle and in the middle: what two noises with unequal weights
    // and with equal ones are off by.
    let confidence = Confidence::default();
    let trials = trials(TRIALS / 20);
    for (i, modulus) in [5i64, 31, 61].into_iter().enumerate() {
        let rows: Vec<i64> = (0..800).map(|i| i % modulus).collect();
        let truth = rows.iter().sum::<i64>() as f64 / 800.0;
        for gaussian in [false, true] {
            let session = session(&rows, gaussian, 0x3ea0 + i as u64);
            let (mut held, mut margins) = (0u64, 0.0);
            for _ in 0..trials {
                let query = session.mean(|x| *x).bounds(0..=60).unwrap();
                let plan = if gaussian { query.rho(0.005) } else { query.epsilon(0.1) };
                let interval = plan.unwrap().release().unwrap().interval(&confidence);
                held += u64::from(interval.contains(truth));
                margins += interval.margin() / trials as f64;
            }
            let name = if gaussian { "Gaussian" } else { "Laplace" };
            check_share(&format!("mean near {truth:.1} of 60, {name}"), held, trials, 0.951);
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
    let session = session(&rows, false, 17);
    let trials = trials(4000);
    let mut held = 0;
    for _ in 0..trials {
        let spread = session.variance(|x| *x).bounds(0..=60).unwrap().epsilon(0.5).unwrap();
        let spread = spread.release().unwrap();
        held += u64::from(spread.interval(&Confidence::default()).contains(variance));
    }
    // Few rows against the noise.
    check_share("variance of a session, Laplace", held, trials, 0.952);
}
