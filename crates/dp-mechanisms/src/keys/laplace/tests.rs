//! Thresholds against exact tails, and whole releases of small neighbours against the price.

use num_traits::{One, Zero};
use privacy_core::random::InsecureTestRng;
use privacy_core::unit::Replace;
use privacy_testing::interval::Interval;

use super::*;

fn ratio(a: u64, b: u64) -> Ratio<BigUint> {
    Ratio::new(a.into(), b.into())
}

/// P(Z >= m) for scale a/b by the closed form, bracketed.
fn tail(scale: &Ratio<BigUint>, m: u64) -> Interval {
    let power = |n: u64| Interval::exp_neg(&(Ratio::from(BigUint::from(n)) / scale), 260);
    power(m).divided_by(&Interval::exact(Ratio::one()).plus(&power(1)))
}

fn calibrated(epsilon: &str, delta: &str, keys: u64, per_key: u64) -> LaplaceThreshold<u32> {
    let (epsilon, delta) = (epsilon.parse().unwrap(), delta.parse().unwrap());
    LaplaceThreshold::calibrated(&epsilon, &delta, KeyChanges { keys, per_key }).unwrap()
}

#[test]
fn the_price_is_the_tail_at_or_above_the_threshold() {
    // opendp#2922: scale 1, count 1, released at 5 or more. Strictly above would be 0.004926.
    let law = LaplaceThreshold::<u32>::new(&Amount::from_integer(1), 5).unwrap();
    let delta = law.cost(KeyChanges::of_unit(1)).unwrap().delta.to_f64_up();
    assert!((delta - 0.013_389_804_932_698_5).abs() < 1e-16, "{delta}");
}

#[test]
fn a_price_of_what_lies_strictly_above_is_convicted() {
    let law = LaplaceThreshold::<u32>::new(&Amount::from_integer(1), 5).unwrap();
    let strictly = laplace_tail_up(law.noise.scale(), law.threshold + 1 - 1);
    let counts = KeyCounts::new((0..20_000u32).map(|key| (key, 1)));
    let mut rng = InsecureTestRng::from_seed(5);
    let released = law.draw(&counts, &mut rng).unwrap().len() as u64;
    let (low, high) = privacy_testing::statistics::clopper_pearson(released, 20_000, 1e-9);
    let price = law.cost(KeyChanges::of_unit(1)).unwrap().delta.to_f64_up();
    assert!(low <= price && price <= high);
    assert!(amount(&strictly).to_f64_up() < low);
}

#[test]
fn thresholds_are_the_lowest_that_delta_allows() {
    // Continuous noise would need 21.33 (Google's building blocks); the first integer is 22.
    let (epsilon, delta) = (3f64.ln(), 1e-10f64);
    let continuous = 1.0 + (1.0 / (2.0 * delta)).ln() / epsilon;
    assert!((continuous - 21.33).abs() < 5e-3);
    assert_eq!(calibrated("1.0986122886681098", "1e-10", 1, 1).threshold(), 22);
    let wide = calibrated("1e-27", "1e-9", 2, 1);
    assert!(
        wide.cost(KeyChanges { keys: 2, per_key: 1 }).unwrap().delta <= "1e-9".parse().unwrap()
    );
    for (epsilon, delta) in [("1", "1e-6"), ("0.1", "1e-12"), ("4", "0.01"), ("0.01", "0.3")] {
        for (keys, per_key) in [(1, 1), (3, 1), (2, 5), (40, 2)] {
            let mut law = calibrated(epsilon, delta, keys, per_key);
            let changes = KeyChanges { keys, per_key };
            let cost = law.cost(changes).unwrap();
            assert!(
                cost.delta <= delta.parse().unwrap() && cost.epsilon <= epsilon.parse().unwrap()
            );
            law.threshold -= 1;
            let dearer = law.cost(changes).unwrap().delta;
            let lowest = law.threshold < per_key as i128;
            assert!(
                lowest || dearer > delta.parse().unwrap(),
                "{epsilon} {delta} {keys} {per_key}"
            );
        }
    }
}

#[test]
fn reported_deltas_are_tight() {
    for (a, b) in [(1, 1), (10, 3), (1000, 7), (1, 4)] {
        for m in [1u64, 2, 7, 40, 500] {
            for keys in [1u64, 2, 17] {
                let law = LaplaceThreshold::<u32>::new(&amount(&ratio(a, b)), m + 1).unwrap();
                let ours = law.cost(KeyChanges::of_unit(keys)).unwrap().delta;
                let one = tail(&ratio(a, b), m);
                if one.high < Ratio::new(BigUint::one(), BigUint::one() << 200u32) {
                    continue;
                }
                let any = |p: &Ratio<BigUint>| Ratio::one() - (Ratio::one() - p).pow(keys as i32);
                assert!(*ours.as_ratio() >= any(&one.low), "{a}/{b} {m} {keys}");
                assert!(*ours.as_ratio() <= any(&one.high) * ratio(10_001, 10_000));
            }
        }
    }
}

/// The hockey-stick divergence of releases of two count maps at e^ε, from above: keys are
/// independent and a key's outcomes beyond `reach` noise steps are counted as told apart.
fn hockey_stick(law: &LaplaceThreshold<u32>, one: &[u64], other: &[u64], growth: f64) -> f64 {
    let reach = 40i128;
    let key_law = |count: u64| -> Vec<f64> {
        let shifted = i128::from(count) - i128::from(law.least_units - 1);
        let mut masses = vec![0.0; reach as usize];
        let mut hidden = 1.0;
        if shifted > 0 {
            for (step, mass) in masses.iter_mut().enumerate() {
                *mass = law.noise.pmf(law.threshold + step as i128 - shifted);
            }
            let above = 0.5 * law.noise.tail((law.threshold + reach - 1 - shifted).unsigned_abs());
            hidden = 1.0 - masses.iter().sum::<f64>() - above;
            masses.push(above);
        } else {
            masses.push(0.0);
        }
        masses.push(hidden);
        masses
    };
    let product = |counts: &[u64]| {
        counts.iter().fold(vec![1.0], |joint, count| {
            let of_key = key_law(*count);
            joint.iter().flat_map(|a| of_key.iter().map(move |b| a * b)).collect()
        })
    };
    let (p, q): (Vec<f64>, Vec<f64>) = (product(one), product(other));
    p.iter().zip(&q).map(|(p, q)| (p - growth * q).max(0.0)).sum()
}

#[test]
fn neighbours_cannot_be_told_apart_beyond_the_price() {
    for (keys, per_key, least) in [(1u64, 1u64, 1u64), (2, 1, 1), (2, 2, 1), (2, 1, 4), (1, 3, 2)] {
        let law = calibrated("1.2", "0.03", keys, per_key).with_least_units(least);
        let cost = law.cost(KeyChanges { keys, per_key }).unwrap();
        let growth = cost.epsilon.to_f64_down().exp();
        let counts: Vec<u64> = (0..=6).collect();
        let mut worst = 0.0f64;
        for a in &counts {
            for b in &counts {
                for (da, db) in [(0, 1), (1, 0), (1, 1), (per_key, per_key), (0, per_key)] {
                    let (less, more) = ([*a, *b], [a + da, b + if keys == 2 { db } else { 0 }]);
                    for (x, y) in [(less, more), (more, less)] {
                        worst = worst.max(hockey_stick(&law, &x, &y, growth));
                    }
                }
            }
        }
        let delta = cost.delta.to_f64_up();
        assert!(worst <= delta + 1e-12, "{keys} {per_key} {least}: {worst} {delta}");
        // The price is met where all keys are new.
        assert!(worst >= 0.999 * delta, "{keys} {per_key} {least}: {worst} {delta}");
    }
}

#[test]
fn replacing_a_unit_costs_for_what_leaves_and_what_enters() {
    let (epsilon, delta) = ("1".parse().unwrap(), "1e-5".parse().unwrap());
    let changes = KeyChanges::of_unit(2);
    let replace = LaplaceThreshold::<u32, Replace>::calibrated(&epsilon, &delta, changes).unwrap();
    assert_eq!(replace.threshold(), calibrated("1", "1e-5", 4, 1).threshold());
    assert_eq!(replace.cost(changes).unwrap().epsilon, 1.into());
}

#[test]
fn what_is_released_is_what_was_tested() {
    let law = calibrated("0.5", "1e-3", 1, 1).with_least_units(7);
    let counts = KeyCounts::new((0..30_000u32).map(|key| (key, u64::from(key % 40))));
    let mut rng = InsecureTestRng::from_seed(11);
    let released = law.draw(&counts, &mut rng).unwrap();
    assert!(released.is_sorted());
    assert!(released.iter().all(|(_, noisy)| *noisy >= law.threshold()));
    assert!(released.iter().all(|(key, _)| key % 40 >= 7));
    for count in [8u64, 20, 30, 39] {
        let of_count = released.iter().filter(|(key, _)| u64::from(key % 40) == count).count();
        let probability = law.probability(count);
        // False alarm 1e-9 each.
        privacy_testing::statistics::check_binomial(of_count as u64, 750, probability, 1e-9);
    }
}

#[test]
fn extreme_counts_and_empty_data_are_defined() {
    let law = calibrated("1", "1e-6", 1, 1);
    let mut rng = InsecureTestRng::from_seed(1);
    assert!(law.draw(&KeyCounts::new([]), &mut rng).unwrap().is_empty());
    let all = KeyCounts::new([(0, u64::MAX), (1, u64::MAX)]);
    assert_eq!(law.draw(&all, &mut rng).unwrap().len(), 2);
    assert!(law.draw(&KeyCounts::new([(5, 0)]), &mut rng).unwrap().is_empty());
    let free = law.cost(KeyChanges { keys: 0, per_key: 1 }).unwrap();
    assert!(free.epsilon.is_zero() && free.delta.is_zero());
    let changes = KeyChanges::of_unit(1);
    let zero =
        LaplaceThreshold::<u32>::calibrated(&"1".parse().unwrap(), &"0".parse().unwrap(), changes);
    assert!(zero.is_err_and(|error| error.is_parameter()));
    // A threshold that a single unit reaches claims little, but truly so.
    let low = LaplaceThreshold::<u32>::new(&Amount::from_integer(1), 0).unwrap();
    assert!(low.cost(changes).unwrap().delta > "0.8".parse().unwrap());
    assert!(Ratio::<BigUint>::zero() < *low.cost(changes).unwrap().delta.as_ratio());
}

#[test]
fn counts_far_below_the_threshold_pass_as_often_as_with_noise_on_each() {
    let law = LaplaceThreshold::<u32>::new(&Amount::from_integer(2), 14).unwrap();
    // At most one in 256 of the counts up to 2 passes: those are drawn by gaps.
    assert!(law.probability(2) < 1.0 / 256.0 && law.probability(4) > 1.0 / 256.0);
    let law = law.with_least_units(3);
    let counts = KeyCounts::new((0..800_000u32).map(|key| (key, u64::from(key % 8) + 1)));
    let mut rng = InsecureTestRng::from_seed(13);
    let released = law.draw(&counts, &mut rng).unwrap();
    assert!(released.is_sorted());
    for count in 1..=8u64 {
        let of_count: Vec<i128> = released
            .iter()
            .filter(|(key, _)| u64::from(key % 8) + 1 == count)
            .map(|(_, noisy)| *noisy)
            .collect();
        let exact = match count {
            1 | 2 => 0.0,
            count => 0.5 * law.noise.tail((14 - (count - 2) - 1).into()),
        };
        // False alarm 1e-9 each.
        privacy_testing::statistics::check_binomial(of_count.len() as u64, 100_000, exact, 1e-9);
        let r = (-0.5f64).exp();
        let at_threshold = of_count.iter().filter(|noisy| **noisy == 16).count() as u64;
        let all = of_count.len() as u64;
        if all > 0 {
            privacy_testing::statistics::check_binomial(at_threshold, all, 1.0 - r, 1e-9);
        }
    }
}
