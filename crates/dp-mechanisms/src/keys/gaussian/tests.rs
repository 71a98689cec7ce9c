//! Prices against hockey-stick divergences of whole releases, by enumeration.

use privacy_core::random::InsecureTestRng;

use super::*;

fn calibrated(epsilon: &str, delta: &str, keys: u64, per_key: u64) -> GaussianThreshold<u32> {
    let (epsilon, delta) = (epsilon.parse().unwrap(), delta.parse().unwrap());
    GaussianThreshold::calibrated(&epsilon, &delta, KeyChanges { keys, per_key }).unwrap()
}

/// The law of one key's release: hidden, then noisy counts from the threshold on.
fn key_law(law: &GaussianThreshold<u32>, count: u64, reach: i128) -> Vec<f64> {
    let shifted = i128::from(count) - i128::from(law.least_units - 1);
    if shifted <= 0 {
        return std::iter::once(1.0).chain((0..reach).map(|_| 0.0)).collect();
    }
    let masses: Vec<f64> =
        (0..reach).map(|step| law.noise.pmf(law.threshold + step - shifted)).collect();
    std::iter::once(1.0 - masses.iter().sum::<f64>()).chain(masses).collect()
}

fn hockey_stick(law: &GaussianThreshold<u32>, one: &[u64], other: &[u64], growth: f64) -> f64 {
    let product = |counts: &[u64]| {
        counts.iter().fold(vec![1.0], |joint, count| {
            let of_key = key_law(law, *count, 60);
            joint.iter().flat_map(|a| of_key.iter().map(move |b| a * b)).collect()
        })
    };
    let (p, q): (Vec<f64>, Vec<f64>) = (product(one), product(other));
    p.iter().zip(&q).map(|(p, q)| (p - growth * q).max(0.0)).sum()
}

#[test]
fn neighbours_cannot_be_told_apart_beyond_the_price() {
    for (keys, per_key, least) in [(1u64, 1u64, 1u64), (2, 1, 1), (2, 1, 3), (1, 2, 1), (2, 2, 1)] {
        let law = calibrated("1.5", "0.05", keys, per_key).with_least_units(least);
        let cost = law.cost(KeyChanges { keys, per_key }).unwrap();
        let (growth, delta) = (cost.epsilon.to_f64_down().exp(), cost.delta.to_f64_up());
        assert!(delta <= 0.05);
        let mut worst = 0.0f64;
        for a in [0u64, 1, 2, 3, 5, 8, 14] {
            for b in [0u64, 1, 2, 3, 5, 8, 14] {
                for (da, db) in [(1, 0), (1, 1), (per_key, 0), (per_key, per_key)] {
                    let (less, more) = ([a, b], [a + da, b + if keys == 2 { db } else { 0 }]);
                    for (x, y) in [(less, more), (more, less)] {
                        worst = worst.max(hockey_stick(&law, &x, &y, growth));
                    }
                }
            }
        }
        assert!(worst <= delta + 1e-9, "{keys} {per_key}: {worst} {delta}");
        assert!(worst >= 0.999 * delta, "{keys} {per_key}: {worst} {delta}");
    }
}

#[test]
fn the_tail_of_a_new_key_is_priced_tightly() {
    // With noise that costs nothing at so large an epsilon, only the threshold is left.
    for (variance, threshold) in [(4u64, 9u64), (25, 20), (400, 100)] {
        let epsilon = Epsilon::new(300.0).unwrap();
        let law = GaussianThreshold::<u32>::new(&variance.into(), threshold, &epsilon).unwrap();
        let delta = law.cost(KeyChanges::of_unit(1)).unwrap().delta.to_f64_up();
        let exact: f64 =
            (threshold - 1..threshold + 2000).rev().map(|x| law.noise.pmf(x.into())).sum();
        assert!(delta >= exact && delta <= 1.0001 * exact, "{delta} {exact}");
        let strictly = exact - law.noise.pmf(i128::from(threshold) - 1);
        assert!(strictly < 0.9 * delta);
    }
}

#[test]
fn the_joint_price_allows_a_lower_threshold_than_the_sum() {
    let joint = calibrated("1", "1e-5", 8, 1);
    let changes = KeyChanges::of_unit(8);
    let epsilon = joint.epsilon.to_f64_down();
    let alone = tail_up(&joint.noise, joint.threshold - 1);
    let sum = joint.noise_delta(changes, epsilon) - (8.0 * (-alone).ln_1p()).exp_m1();
    let price = joint.cost(changes).unwrap().delta.to_f64_up();
    assert!(price <= 1e-5 && sum > 1e-5, "{price} {sum}");
    let mut lower = calibrated("1", "1e-5", 8, 1);
    lower.threshold -= 1;
    assert!(lower.delta(changes) > 1e-5);
}

#[test]
fn calibration_keeps_its_promise_everywhere() {
    for (epsilon, delta) in [("0.1", "1e-6"), ("1", "1e-10"), ("8", "1e-3"), ("1", "1e-100")] {
        for (keys, per_key) in [(1u64, 1u64), (10, 1), (100, 1), (3, 20), (5000, 1)] {
            let law = calibrated(epsilon, delta, keys, per_key);
            let cost = law.cost(KeyChanges { keys, per_key }).unwrap();
            assert!(cost.delta <= delta.parse().unwrap(), "{epsilon} {delta} {keys} {per_key}");
            assert!(
                cost.delta >= Amount::from_binary(delta.parse::<f64>().unwrap() / 20.0).unwrap()
            );
        }
    }
}

#[test]
fn releases_follow_the_stated_probability() {
    let law = calibrated("1", "1e-4", 4, 1).with_least_units(3);
    let counts = KeyCounts::new((0..20_000u32).map(|key| (key, u64::from(key % 50))));
    let mut rng = InsecureTestRng::from_seed(4);
    let released = law.draw(&counts, &mut rng).unwrap();
    assert!(released.is_sorted() && released.iter().all(|(_, noisy)| *noisy >= law.threshold()));
    assert!(released.iter().all(|(key, _)| key % 50 >= 3));
    for count in [20u64, 26, 40] {
        let of_count = released.iter().filter(|(key, _)| u64::from(key % 50) == count).count();
        // False alarm 1e-9 each.
        privacy_testing::statistics::check_binomial(
            of_count as u64,
            400,
            law.probability(count),
            1e-9,
        );
    }
}
