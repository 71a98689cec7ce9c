//! Moments of sessions: what they say without noise, how often their intervals cover.

use dp_mechanisms::prelude::*;
use privacy_core::random::InsecureTestRng;
use privacy_testing::statistics::check_binomial;

#[derive(Clone)]
struct Sample {
    user: u32,
    hours: u32,
    score: f64,
}

/// Hours and a score that depends on them, of users with several rows.
fn samples(n: u32) -> Vec<Sample> {
    (0..n)
        .map(|i| {
            let hours = i * 7919 % 61;
            let wave = f64::from(i * 104_729 % 1000) / 1000.0 - 0.5;
            Sample { user: i % 500, hours, score: 3.0 + 0.04 * f64::from(hours) + wave }
        })
        .collect()
}

/// Mean, population variances and covariance, two passes in floating point.
fn moments(rows: &[Sample]) -> (f64, f64, f64, f64, f64) {
    let n = rows.len() as f64;
    let mean = |f: &dyn Fn(&Sample) -> f64| rows.iter().map(f).sum::<f64>() / n;
    let (x, y) = (mean(&|s| s.hours.into()), mean(&|s| s.score));
    let vx = mean(&|s| (f64::from(s.hours) - x).powi(2));
    let vy = mean(&|s| (s.score - y).powi(2));
    let cov = mean(&|s| (f64::from(s.hours) - x) * (s.score - y));
    (x, y, vx, vy, cov)
}

fn close(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance, "{a} is not {b} ± {tolerance}");
}

fn context(epsilon: f64, seed: u64) -> Context {
    Context::new(Actor::new("test"), Purpose::new("test"))
        .unwrap()
        .with_budget(MemoryBudget::new(Epsilon::new(epsilon).unwrap()))
        .with_rng(InsecureTestRng::from_seed(seed))
}

#[test]
fn without_noise_to_speak_of_all_moments_are_those_of_the_rows() {
    let rows = samples(3000);
    let (x, y, vx, vy, cov) = moments(&rows);
    let session = Session::over(&rows)
        .unit(|s: &Sample| s.user)
        .max_rows_per_unit(10)
        .budget(Epsilon::new(1e14).unwrap())
        .open()
        .unwrap();
    let epsilon = 1e12;
    let single = session.moments(|s| s.hours).bounds(0..=60).unwrap().epsilon(epsilon).unwrap();
    let single = single.release().unwrap().into_value();
    close(single.rows(), 3000.0, 1e-6);
    close(single.mean(), x, 1e-6);
    close(single.variance(), vx, 1e-6);
    close(single.standard_deviation(), vx.sqrt(), 1e-6);

    let both = |s: &Sample| s.score;
    let joint = session
        .joint_moments(|s| s.hours, both)
        .bounds_of_both(0..=60, 0.0..=7.0)
        .unwrap()
        .epsilon(epsilon)
        .unwrap();
    let joint = joint.release().unwrap().into_value();
    close(joint.means().0, x, 1e-6);
    close(joint.means().1, y, 1e-5);
    close(joint.variances().0, vx, 1e-4);
    close(joint.variances().1, vy, 1e-5);
    close(joint.covariance(), cov, 1e-4);
    close(joint.correlation(), cov / (vx * vy).sqrt(), 1e-5);
    close(joint.line().slope, cov / vx, 1e-6);
    close(joint.line().intercept, y - cov / vx * x, 1e-4);

    let variance = session.variance(|s| s.score).bounds(0.0..=7.0).unwrap().epsilon(epsilon);
    close(*variance.unwrap().release().unwrap().value(), vy, 1e-6);
    let spread = session.standard_deviation(|s| s.hours).bounds(0..=60).unwrap().epsilon(epsilon);
    close(*spread.unwrap().release().unwrap().value(), vx.sqrt(), 1e-6);
    let pair = session.covariance(|s| s.hours, both).bounds_of_both(0..=60, 0.0..=7.0).unwrap();
    close(*pair.epsilon(epsilon).unwrap().release().unwrap().value(), cov, 1e-5);
    let pair = session.line_fit(|s| s.hours, both).bounds_of_both(0..=60, 0.0..=7.0).unwrap();
    close(
        pair.epsilon(epsilon).unwrap().release().unwrap().value().at(10.0),
        y + cov / vx * (10.0 - x),
        1e-4,
    );
    let pair = session.correlation(|s| s.hours, both).bounds_of_both(0..=60, 0.0..=7.0).unwrap();
    let correlation = pair.epsilon(epsilon).unwrap().release().unwrap();
    assert!(correlation.interval(&Confidence::default()).contains(cov / (vx * vy).sqrt()));
}

/// Intervals cover at least as often as they say, at noise that matters.
#[test]
fn intervals_of_moments_cover_the_truth() {
    let rows = samples(5000);
    let (x, _, vx, vy, cov) = moments(&rows);
    let confidence = Confidence::new(0.8).unwrap();
    let trials = 200;
    let mut covered = [0u64; 5];
    let mut informative = 0;
    for seed in 0..trials {
        let cx = context(100.0, seed);
        let session = Session::over(&rows).context(cx).open().unwrap();
        let moments = session.moments(|s| s.hours).bounds(0..=60).unwrap().epsilon(1.0).unwrap();
        let moments = moments.release().unwrap().into_value();
        let joint = session.joint_moments(|s| s.hours, |s| s.score);
        let joint = joint.bounds_of_both(0..=60, 0.0..=7.0).unwrap().epsilon(1.0).unwrap();
        let joint = joint.release().unwrap().into_value();
        let correlation = joint.correlation_interval(&confidence);
        informative += u64::from(correlation.margin() < 1.0);
        let hits = [
            moments.mean_interval(&confidence).contains(x),
            moments.variance_interval(&confidence).contains(vx),
            joint.covariance_interval(&confidence).contains(cov),
            correlation.contains(cov / (vx * vy).sqrt()),
            joint.slope_interval(&confidence).contains(cov / vx),
        ];
        covered.iter_mut().zip(hits).for_each(|(count, hit)| *count += u64::from(hit));
    }
    for count in covered {
        // 0.72 of the trials would be missed with probability below 1e-3 at a true 0.8.
        assert!(count as f64 >= 0.72 * trials as f64, "{covered:?}");
    }
    assert!(informative > trials / 2, "{informative}");
}

#[test]
fn degenerate_tables_have_moments_within_their_ranges() {
    let one = [Sample { user: 0, hours: 60, score: f64::NAN }];
    for rows in [&[] as &[Sample], &one] {
        for seed in 0..50 {
            let session = Session::over(rows).context(context(10.0, seed)).open().unwrap();
            let query = session.moments(|s| s.hours).bounds(0..=60).unwrap();
            let moments = query.epsilon(0.5).unwrap().release().unwrap().into_value();
            assert!((0.0..=60.0).contains(&moments.mean()));
            assert!((0.0..=900.0).contains(&moments.variance()));
            let interval = moments.variance_interval(&Confidence::default());
            assert!(interval.lower >= 0.0 && interval.upper <= 900.0 + 1e-9);
            let query = session.joint_moments(|s| s.hours, |s| s.score);
            let query = query.bounds_of_both(0..=60, 0.0..=7.0).unwrap();
            let joint = query.epsilon(0.5).unwrap().release().unwrap().into_value();
            assert!((-1.0..=1.0).contains(&joint.correlation()));
            let line = joint.line();
            assert!(line.slope.is_finite() && line.intercept.is_finite());
            assert!(!joint.slope_interval(&Confidence::default()).contains(f64::NAN));
        }
    }
}

/// All moments are read off one aggregate: the same noise for one value as for any other.
#[test]
fn moments_cost_what_they_say_and_need_the_noise_of_one_number() {
    let rows = samples(100);
    let session = Session::over(&rows).budget(Epsilon::new(1.0).unwrap()).open().unwrap();
    let plan = session.moments(|s| s.hours).bounds(0..=60).unwrap().epsilon(0.5).unwrap();
    assert_eq!(plan.cost(), &Epsilon::new(0.5).unwrap().into());
    // A row adds 60² spread over three coordinates, in steps of 2^-12: scale 3600 × 2^12 / 0.5.
    let rows_of_noise = plan.noise().half_width(0.05) / (3600.0 * 4096.0);
    let count = session.count().epsilon(0.5).unwrap();
    let close_to = count.noise().half_width(0.05);
    assert!((rows_of_noise - close_to).abs() <= 1.0, "{rows_of_noise} {close_to}");
    assert!(plan.expected_error(1000) < plan.expected_error(100));
    let text = plan.to_string();
    assert!(text.starts_with("moments of values in 0..=60"), "{text}");
    // In rows, not in squares of sixty hours.
    assert!(text.contains("noise     discrete Laplace, scale 2 rows, on each of 3 sums"), "{text}");
}

#[test]
fn noise_on_moments_follows_its_law() {
    // The noisy number of rows is the sum of three noises of scale 1/ε: its sign is even.
    let rows = samples(50);
    let trials = 2000;
    let mut above = 0;
    for seed in 0..trials {
        let session = Session::over(&rows).context(context(1.0, seed)).open().unwrap();
        let plan = session.moments(|s| s.hours).bounds(0..=60).unwrap().epsilon(1.0).unwrap();
        above += u64::from(plan.release().unwrap().value().rows() > 50.0);
    }
    check_binomial(above, trials, 0.5, 1e-6);
}

#[test]
fn a_regression_finds_the_plane_and_says_how_much_the_noise_moves_it() {
    // score = 3 + 0.04 hours + wave; the second feature does not matter.
    let rows = samples(20_000);
    let fit = |epsilon: f64, seed: u64| {
        let session = Session::over(&rows).context(context(1e9, seed)).open().unwrap();
        let features = |s: &Sample| [s.hours.into(), f64::from(s.user)];
        let query = session.linear_regression(features, |s| s.score);
        let query = query.bounds_of_features([0.0..=60.0, 0.0..=499.0], 0.0..=7.0).unwrap();
        query.epsilon(epsilon).unwrap().release().unwrap().into_value()
    };
    let exact = fit(1e8, 0);
    close(exact.coefficients[0], 0.04, 2e-3);
    close(exact.coefficients[1], 0.0, 2e-4);
    close(exact.predict(&[30.0, 250.0]), 3.0 + 1.2, 0.05);
    assert!(exact.noise_deviations[0] < 1e-6);
    // With noise, the coefficient stays within a few of the stated deviations.
    let mut within = 0;
    for seed in 1..=100 {
        let noisy = fit(1.0, seed);
        let off = (noisy.coefficients[0] - exact.coefficients[0]).abs();
        within += u64::from(off <= 2.0 * noisy.noise_deviations[0]);
    }
    // About 95 are expected; below 85 of 100 has probability below 1e-3.
    assert!(within >= 85, "{within}");
}
