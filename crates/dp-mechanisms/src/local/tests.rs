//! The exact law of each randomizer, by enumeration, against what it promises.

use std::collections::BTreeMap;
use std::fmt::Debug;

use num_bigint::{BigInt, BigUint};
use num_rational::Ratio;
use privacy_core::conformance;
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Bounds, Confidence};
use privacy_core::random::InsecureTestRng;
use privacy_testing::enumerate::enumerate;
use privacy_testing::interval::Interval;
use privacy_testing::statistics::check_binomial;

use super::draws::Told;
use super::*;

const EPSILONS: [&str; 4] = ["1/10", "1", "2", "4"];

fn epsilon(text: &str) -> Epsilon {
    text.parse().unwrap()
}

type Law<T> = BTreeMap<T, Ratio<BigUint>>;

/// The exact law of a report; nothing may be left unexplored.
fn law<T: Ord>(draw: impl Fn(&mut Told<'_>) -> std::result::Result<T, EntropyError>) -> Law<T> {
    let law = enumerate(100_000, |choices| draw(&mut Told(choices)));
    assert_eq!(law.unexplored, Ratio::default());
    assert_eq!(law.explored.values().sum::<Ratio<BigUint>>(), Ratio::from_integer(1u8.into()));
    law.explored
}

/// The largest ratio of two laws at a report, at most e^ε by an interval for it; all laws reach
/// the same reports. Also at least (1 - 1e-12) e^ε where `tight`.
fn check_ratio<T: Ord + Debug>(laws: &[Law<T>], epsilon: &Amount, tight: bool) {
    let inverse = Interval::exp_neg(epsilon.as_ratio(), 300);
    let mut smallest = Ratio::from_integer(1u8.into());
    for a in laws {
        for b in laws {
            assert!(a.keys().eq(b.keys()), "the same reports are possible");
            for (report, p) in a {
                // p(b) / p(a) >= e^-ε, exactly.
                let ratio = &b[report] / p;
                assert!(ratio >= inverse.high, "{report:?}");
                smallest = smallest.min(ratio);
            }
        }
    }
    let close =
        inverse.low * Ratio::new(BigUint::from(10u8).pow(12) + 1u8, BigUint::from(10u8).pow(12));
    assert!(!tight || smallest <= close);
}

/// The laws of all categories keep ε; the expected estimate of each category is the truth, and
/// the variance is as stated: all in exact fractions.
fn check_oracle<O, F>(oracle: &O, draw: F, tight: bool)
where
    O: FrequencyOracle,
    O::Report: Ord + Debug,
    F: Fn(u32, &mut Told<'_>) -> std::result::Result<O::Report, EntropyError>,
{
    let laws: Vec<Law<O::Report>> =
        (0..oracle.domain()).map(|v| law(|told| draw(v, told))).collect();
    check_ratio(&laws, oracle.epsilon().amount(), tight);
    for (held, law) in laws.iter().enumerate() {
        for category in 0..oracle.domain() {
            let (mut mean, mut square) = (Ratio::from(BigInt::ZERO), Ratio::from(BigInt::ZERO));
            for (report, p) in law {
                let tally = oracle.aggregate(std::slice::from_ref(report)).unwrap();
                let estimate = tally.estimate(category).unwrap();
                let p = Ratio::new(BigInt::from(p.numer().clone()), p.denom().clone().into());
                mean += estimate.exact_count() * &p;
                square += estimate.exact_count() * estimate.exact_count() * p;
            }
            let truth = BigInt::from(u8::from(held as u32 == category));
            assert_eq!(mean, Ratio::from(truth.clone()), "{held} {category}");
            let variance = tally::to_float(&(square - Ratio::from(truth.clone())));
            let one = oracle.aggregate(&laws[0].keys().take(1).cloned().collect::<Vec<_>>());
            let share = if truth == BigInt::ZERO { 0.0 } else { 1.0 };
            let stated = one.unwrap().estimate(category).unwrap().variance_at(share);
            assert!((variance / stated - 1.0).abs() < 1e-9, "{variance} {stated}");
        }
    }
}

#[test]
fn every_oracle_keeps_epsilon_and_is_unbiased_exactly() {
    for text in EPSILONS {
        let e = epsilon(text);
        for k in [2, 3, 5] {
            let direct = DirectEncoding::new(k, &e).unwrap();
            check_oracle(&direct, |v, told| direct.draw_report(v, told), true);
            let symmetric = UnaryEncoding::symmetric(k, &e).unwrap();
            check_oracle(&symmetric, |v, told| symmetric.draw_report(v, told), true);
            let optimized = UnaryEncoding::optimized(k, &e).unwrap();
            check_oracle(&optimized, |v, told| optimized.draw_report(v, told), true);
            let subset = SubsetSelection::new(k, &e).unwrap();
            check_oracle(&subset, |v, told| subset.draw_report(v, told), true);
            let hadamard = HadamardResponse::new(k, &e).unwrap();
            check_oracle(&hadamard, |v, told| hadamard.draw_report(v, told), true);
            let binary = LocalHashing::binary(k, &e).unwrap();
            check_oracle(&binary, |v, told| binary.draw_report(v, told), true);
        }
        for k in [2, 3, 4] {
            let hashing = LocalHashing::optimal(k, &e).unwrap();
            check_oracle(&hashing, |v, told| hashing.draw_report(v, told), true);
        }
    }
}

#[test]
fn values_outside_the_domain_have_the_law_of_the_nearest() {
    let e = epsilon("1");
    let direct = DirectEncoding::new(4, &e).unwrap();
    let hashing = LocalHashing::optimal(4, &e).unwrap();
    let subset = SubsetSelection::new(4, &e).unwrap();
    for outside in [4, 5, u32::MAX] {
        assert_eq!(law(|t| direct.draw_report(outside, t)), law(|t| direct.draw_report(3, t)));
        assert_eq!(law(|t| hashing.draw_report(outside, t)), law(|t| hashing.draw_report(3, t)));
        assert_eq!(law(|t| subset.draw_report(outside, t)), law(|t| subset.draw_report(3, t)));
    }
    let bit = OneBitMean::new(Bounds::new(-2, 5).unwrap(), &e).unwrap();
    let piecewise = PiecewiseMean::new(Bounds::new(-2, 5).unwrap(), &e).unwrap();
    for (outside, nearest) in [(i64::MIN, -2), (i64::MAX, 5), (-3, -2)] {
        assert_eq!(law(|t| bit.draw_report(outside, t)), law(|t| bit.draw_report(nearest, t)));
        let near = law(|t| piecewise.draw_report(nearest, t));
        assert_eq!(law(|t| piecewise.draw_report(outside, t)), near);
    }
}

/// The law of one RAPPOR report of a category, the permanent response included.
fn rappor_law(rappor: &Rappor, category: u32) -> Law<BitReport> {
    law(|told| {
        let kept = rappor.draw_permanent(category, told)?;
        rappor.draw_report(&kept, told)
    })
}

#[test]
fn rappor_keeps_both_of_its_epsilons() {
    for (f, p, q) in [("1/2", "1/2", "3/4"), ("1/4", "0", "1"), ("3/4", "1/10", "9/10")] {
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        let rappor = Rappor::new(3, amount(f), amount(p), amount(q)).unwrap();
        let single: Vec<_> = (0..3).map(|v| rappor_law(&rappor, v)).collect();
        check_ratio(&single, rappor.single_epsilon().amount(), true);
        // The permanent response carries everything that reports can tell.
        let kept: Vec<_> = (0..3)
            .map(|v| law(|t| rappor.draw_permanent(v, t).map(|PermanentResponse(bits)| bits)))
            .collect();
        check_ratio(&kept, rappor.lifetime_epsilon().amount(), true);
        assert!(rappor.single_epsilon() <= rappor.lifetime_epsilon());
        // Unbiased.
        for (held, law) in single.iter().enumerate() {
            let mean: Ratio<BigInt> = law
                .iter()
                .map(|(report, p)| {
                    let tally = rappor.aggregate(std::slice::from_ref(report)).unwrap();
                    let p = Ratio::new(BigInt::from(p.numer().clone()), p.denom().clone().into());
                    tally.estimate(1).unwrap().exact_count() * p
                })
                .sum();
            assert_eq!(mean, Ratio::from(BigInt::from(u8::from(held == 1))));
        }
    }
    let amount = |text: &str| text.parse::<Amount>().unwrap();
    for (f, p, q) in [("0", "0", "1"), ("1", "0", "1"), ("1/2", "1/2", "1/2"), ("1/2", "0", "2")] {
        assert!(Rappor::new(3, amount(f), amount(p), amount(q)).is_err());
    }
    assert!(Rappor::new(1, amount("1/2"), amount("0"), amount("1")).is_err());
}

/// Checks a randomizer of means: the laws of all values keep ε, the expected estimate is the
/// value, the variance as stated.
fn check_mean<T: Ord + Debug>(
    values: std::ops::RangeInclusive<i64>,
    e: &Epsilon,
    draw: impl Fn(i64, &mut Told<'_>) -> std::result::Result<T, EntropyError>,
    estimate: impl Fn(&T) -> MeanEstimate,
    variance: impl Fn(i64) -> f64,
) {
    let laws: Vec<_> = values.clone().map(|v| law(|told| draw(v, told))).collect();
    check_ratio(&laws, e.amount(), true);
    for (value, law) in values.zip(&laws) {
        let (mut mean, mut square) = (Ratio::from(BigInt::ZERO), Ratio::from(BigInt::ZERO));
        let (mut worst, mut range) = (f64::INFINITY, 0.0f64);
        for (report, p) in law {
            let estimate = estimate(report);
            let exact = estimate.exact_mean().unwrap();
            let p = Ratio::new(BigInt::from(p.numer().clone()), p.denom().clone().into());
            mean += exact * &p;
            square += exact * exact * p;
            worst = worst.min(estimate.max_std_dev().powi(2));
            range = range.max(estimate.mean().abs());
        }
        assert_eq!(mean, Ratio::from(BigInt::from(value)));
        let exact = tally::to_float(&(square - &mean * &mean));
        assert!((exact / variance(value) - 1.0).abs() < 1e-9, "{exact} {}", variance(value));
        assert!(exact <= worst * (1.0 + 1e-9));
    }
}

#[test]
fn every_mean_keeps_epsilon_and_is_unbiased_exactly() {
    for text in EPSILONS {
        let e = epsilon(text);
        for (lower, upper) in [(0, 1), (-3, 4), (10, 22)] {
            let bounds = Bounds::new(lower, upper).unwrap();
            let bit = OneBitMean::new(bounds, &e).unwrap();
            check_mean(
                lower..=upper,
                &e,
                |v, told| bit.draw_report(v, told),
                |report| bit.estimate(&bit.aggregate(&[*report])),
                |v| bit.variance(v),
            );
            let piecewise = PiecewiseMean::new(bounds, &e).unwrap();
            check_mean(
                lower..=upper,
                &e,
                |v, told| piecewise.draw_report(v, told),
                |report| piecewise.estimate(&piecewise.aggregate(&[*report]).unwrap()),
                |v| piecewise.variance(v),
            );
            let hybrid = HybridMean::new(bounds, &e).unwrap();
            check_mean(
                lower..=upper,
                &e,
                |v, told| hybrid.draw_report(v, told),
                |report| hybrid.estimate(&hybrid.aggregate(&[*report]).unwrap()),
                |v| hybrid.variance(v),
            );
        }
    }
}

#[test]
fn variances_are_those_of_the_literature() {
    // On a fine grid the piecewise variance tends to x²/(H-1) + (H+3)/(3(H-1)²).
    let e = epsilon("2");
    let bounds = Bounds::new(-1_000_000, 1_000_000).unwrap();
    let piecewise = PiecewiseMean::new(bounds, &e).unwrap();
    let h = 1f64.exp();
    for value in [0i64, 500_000, 1_000_000] {
        let x = value as f64 / 1e6;
        let theirs = x * x / (h - 1.0) + (h + 3.0) / (3.0 * (h - 1.0).powi(2));
        assert!((piecewise.variance(value) / 1e12 / theirs - 1.0).abs() < 1e-5);
    }
    // Rare categories, ε = 1: the table of the module.
    let (e, k) = (epsilon("1"), 16);
    let big = 1f64.exp();
    let rare = |tally: Tally| {
        let mut tally = tally;
        tally.count(1, []);
        tally.estimate(0).unwrap().variance_at(0.0)
    };
    let close = |ours: f64, theirs: f64| assert!((ours / theirs - 1.0).abs() < 1e-9, "{ours}");
    let (one, four) = ((big - 1.0).powi(2), 4.0 * big / (big - 1.0).powi(2));
    close(rare(DirectEncoding::new(k, &e).unwrap().tally()), (14.0 + big) / one);
    let root = big.sqrt();
    close(rare(UnaryEncoding::symmetric(k, &e).unwrap().tally()), root / (root - 1.0).powi(2));
    close(rare(UnaryEncoding::optimized(k, &e).unwrap().tally()), four);
    close(rare(HadamardResponse::new(k, &e).unwrap().tally()), (big + 1.0).powi(2) / one);
    let hashing = LocalHashing::optimal(k, &e).unwrap();
    let g = f64::from(hashing.values());
    let theirs = (big - 1.0 + g).powi(2) / (one * (g - 1.0));
    close(rare(hashing.tally()), theirs);
    assert!(theirs < 1.04 * four);
}

#[test]
fn large_domains_are_tallied_as_they_should() {
    // 20 000 reports, a third of them of category 700 of 1000: each estimate within 6.5 standard
    // deviations, a false alarm below 1e-10 for each, and the guaranteed intervals cover.
    let (e, k) = (epsilon("3"), 1000);
    let mut rng = InsecureTestRng::from_seed(4);
    let held: Vec<u32> = (0..20_000).map(|i| if i % 3 == 0 { 700 } else { i % 10 }).collect();
    let truth = |v: u32| held.iter().filter(|h| **h == v).count() as f64;
    macro_rules! check {
        ($oracle:expr) => {{
            let oracle = $oracle.unwrap();
            let reports: Vec<_> =
                held.iter().map(|v| oracle.randomize(*v, &mut rng).unwrap()).collect();
            let mut tally = oracle.aggregate(&reports[..5000]).unwrap();
            tally.merge(&oracle.aggregate(&reports[5000..]).unwrap()).unwrap();
            assert_eq!(tally, oracle.aggregate(&reports).unwrap());
            assert_eq!(tally.reports(), 20_000);
            for v in [0, 3, 700, 999] {
                let estimate = tally.estimate(v).unwrap();
                let deviation = estimate.variance_at(truth(v) / 20_000.0).sqrt();
                assert!((estimate.count() - truth(v)).abs() < 6.5 * deviation, "category {v}");
                let sure = Confidence::new(1.0 - 1e-9).unwrap();
                assert!(estimate.guaranteed_interval(&sure).contains(truth(v)));
                let narrow = estimate.interval(&Confidence::default());
                assert!(narrow.lower <= estimate.count().max(0.0));
                assert!(narrow.margin() <= 2.2 * deviation + 30.0, "{narrow:?} {deviation}");
            }
            let text = serde_json::to_string(&tally).unwrap();
            assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), tally);
        }};
    }
    check!(DirectEncoding::new(k, &e));
    check!(UnaryEncoding::symmetric(k, &e));
    check!(UnaryEncoding::optimized(k, &e));
    check!(LocalHashing::optimal(k, &e));
    check!(LocalHashing::binary(k, &e));
    check!(HadamardResponse::new(k, &e));
    check!(SubsetSelection::new(k, &e));
}

#[test]
fn score_intervals_cover_as_they_say() {
    // 2000 surveys of 400 reports at 95 %: 1900 covered, give or take 4 standard deviations of 10, a
    // false alarm of 6e-5 if coverage is exact; the seed is fixed.
    let oracle = DirectEncoding::new(3, &epsilon("1")).unwrap();
    let mut rng = InsecureTestRng::from_seed(9);
    let mut covered = 0;
    for _ in 0..2000 {
        let reports: Vec<u32> =
            (0..400).map(|i| oracle.randomize(i % 4 / 2, &mut rng).unwrap()).collect();
        let estimate = oracle.aggregate(&reports).unwrap().estimate(0).unwrap();
        covered += u64::from(estimate.interval(&Confidence::default()).contains(200.0));
    }
    assert!((1860..=1960).contains(&covered), "{covered}");
}

#[test]
fn degenerate_parameters_and_foreign_reports_are_refused() {
    let e = epsilon("1");
    for k in [0, 1, (1 << 24) + 1, u32::MAX] {
        assert!(DirectEncoding::new(k, &e).is_err());
        assert!(UnaryEncoding::symmetric(k, &e).is_err());
        assert!(UnaryEncoding::optimized(k, &e).is_err());
        assert!(LocalHashing::optimal(k, &e).is_err());
        assert!(LocalHashing::binary(k, &e).is_err());
        assert!(HadamardResponse::new(k, &e).is_err());
        assert!(SubsetSelection::new(k, &e).is_err());
        assert!(recommended(k, &e).is_err());
    }
    assert!(DirectEncoding::new(4, &epsilon("1e-20")).is_err());
    assert!(OneBitMean::new(Bounds::new(i64::MIN, i64::MAX).unwrap(), &e).is_err());
    assert!(PiecewiseMean::new(Bounds::new(0, (1 << 53) + 1).unwrap(), &e).is_err());

    let direct = DirectEncoding::new(4, &e).unwrap();
    assert!(direct.aggregate(&[0, 4]).is_err());
    assert_eq!(direct.aggregate(&[]).unwrap().estimate(0).unwrap().count(), 0.0);
    assert!(direct.tally().estimate(4).is_err());
    assert!(direct.tally().merge(&DirectEncoding::new(5, &e).unwrap().tally()).is_err());
    let other = DirectEncoding::new(4, &epsilon("2")).unwrap().tally();
    assert!(direct.tally().merge(&other).is_err());
    let hadamard = HadamardResponse::new(4, &e).unwrap();
    assert!(hadamard.aggregate(&[HadamardReport { row: 8, positive: true }]).is_err());
    let piecewise = PiecewiseMean::new(Bounds::new(0, 9).unwrap(), &e).unwrap();
    assert!(piecewise.aggregate(&[piecewise.outputs()]).is_err());
    assert!(piecewise.estimate(&piecewise.aggregate(&[]).unwrap()).mean().is_nan());

    let subset = SubsetSelection::new(9, &e).unwrap();
    for text in ["[1,1]", "[2,1]", "[8,9]", "[1]", "[]"] {
        let report: SubsetReport = serde_json::from_str(text).unwrap();
        assert!(subset.aggregate(&[report]).is_err(), "{text}");
    }
    for text in [r#"{"length":3,"words":[8]}"#, r#"{"length":3,"words":[]}"#] {
        assert!(serde_json::from_str::<BitReport>(text).is_err(), "{text}");
    }
    for text in [
        r#"{"p":"1/2","q":"1/2","reports":1,"support":[1]}"#,
        r#"{"p":"1/2","q":"1/3","reports":1,"support":[2]}"#,
        r#"{"p":"3/2","q":"1/3","reports":1,"support":[1]}"#,
        r#"{"p":"1/2","q":"1/3","reports":1,"support":[]}"#,
    ] {
        assert!(serde_json::from_str::<Tally>(text).is_err(), "{text}");
    }
}

#[test]
fn the_widest_bounds_and_the_ends_of_the_range_work() {
    let e = epsilon("1");
    let mut rng = InsecureTestRng::from_seed(3);
    for (lower, upper) in [(i64::MIN, i64::MIN + (1 << 53)), (i64::MAX - (1 << 53), i64::MAX)] {
        let bounds = Bounds::new(lower, upper).unwrap();
        let hybrid = HybridMean::new(bounds, &e).unwrap();
        let reports: Vec<_> =
            [lower, upper, 0].map(|v| hybrid.randomize(v, &mut rng).unwrap()).to_vec();
        let estimate = hybrid.estimate(&hybrid.aggregate(&reports).unwrap());
        assert!(estimate.mean().is_finite() && estimate.margin(&Confidence::default()) > 0.0);
    }
}

#[test]
fn randomizers_are_mechanisms_at_a_pure_price() {
    let e = epsilon("1/2");
    let direct = DirectEncoding::new(4, &e).unwrap();
    conformance::monotone_cost(&direct, &[1u64, 2, 1000].map(Amount::from_integer)).unwrap();
    let cost = direct.cost(Amount::from_integer(3)).unwrap();
    assert_eq!(cost.epsilon, e.clone().into_amount());
    // Through the trait: the law of an answer, with a false alarm of 1e-9.
    let mut rng = InsecureTestRng::from_seed(11);
    let truths = (0..20_000).filter(|_| direct.draw(&-7, &mut rng).unwrap() == 0).count() as u64;
    let big = 0.5f64.exp();
    check_binomial(truths, 20_000, big / (big + 3.0), 1e-9);
    let bit = OneBitMean::new(Bounds::new(0, 10).unwrap(), &e).unwrap();
    let ones = (0..20_000).filter(|_| bit.draw(&10, &mut rng).unwrap()).count() as u64;
    check_binomial(ones, 20_000, big / (big + 1.0), 1e-9);
}

#[cfg(feature = "accounting")]
#[test]
fn shuffling_amplifies_and_never_weakens() {
    use privacy_core::params::Delta;
    let delta = Delta::new(1e-6).unwrap();
    let e = epsilon("1");
    let mut last = e.clone();
    for reports in [1, 100, 10_000, 1_000_000] {
        let central = shuffle::central_epsilon(&e, reports, &delta).unwrap();
        assert!(central <= last, "{reports}");
        last = central;
    }
    assert!(last.to_f64_up() < 0.015);
}
