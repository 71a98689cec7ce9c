//! The sparse form has the law of the dense one.

use privacy_core::random::InsecureTestRng;
use privacy_testing::statistics::{check_binomial, check_chi_square};

use super::*;

fn histogram<D: KeyDomain>(domain: D, scale: u64, threshold: u64) -> SparseHistogram<D> {
    SparseHistogram::new(domain, &scale.into(), threshold).unwrap()
}

#[test]
fn every_key_passes_as_often_as_with_noise_on_all() {
    let law = histogram(10u32..=29, 2, 3);
    let counts = KeyCounts::new([(12, 1), (20, 4), (99, 50)]);
    let mut rng = InsecureTestRng::from_seed(2);
    let rounds = 20_000;
    let mut passed = [0u64; 20];
    let mut values = [0u64; 12];
    for _ in 0..rounds {
        let released = law.draw(&counts, &mut rng).unwrap();
        assert!(released.is_sorted_by(|a, b| a.0 < b.0));
        for (key, noisy) in released {
            assert!(noisy >= 3);
            passed[(key - 10) as usize] += 1;
            if key != 12 && key != 20 {
                values[(noisy - 3).min(11) as usize] += 1;
            }
        }
    }
    for (i, passed) in passed.iter().enumerate() {
        let count = match i {
            2 => 1,
            10 => 4,
            _ => 0,
        };
        let m = 3i128 - count;
        let probability = if m >= 1 {
            0.5 * law.noise.tail(m as u128 - 1)
        } else {
            1.0 - 0.5 * law.noise.tail((-m) as u128)
        };
        // False alarm 1e-9 for each key.
        check_binomial(*passed, rounds, probability, 1e-9);
    }
    // Given that it passes, what a key of count 0 exceeds the threshold by is geometric.
    let r = (-0.5f64).exp();
    let mut law: Vec<f64> = (0..11).map(|x| (1.0 - r) * r.powi(x)).collect();
    law.push(r.powi(11));
    check_chi_square(&values, &law, 1e-9);
}

#[test]
fn keys_of_a_huge_domain_are_uniform_over_it() {
    let scale = Amount::from_integer(1);
    let law = SparseHistogram::<_>::calibrated(
        0..=u64::MAX,
        &"1".parse().unwrap(),
        KeyChanges { keys: 1, per_key: 1 },
        300.0,
    )
    .unwrap();
    assert_eq!(law.cost(KeyChanges { keys: 1, per_key: 1 }).unwrap().epsilon, scale);
    assert!(law.expected_empty() <= 300.0 && law.expected_empty() > 100.0);
    let mut rng = InsecureTestRng::from_seed(6);
    let mut octants = [0u64; 8];
    let mut found = 0u64;
    for _ in 0..40 {
        for (key, _) in law.draw(&KeyCounts::new([(7, 1_000_000)]), &mut rng).unwrap() {
            octants[(key >> 61) as usize] += 1;
            found += 1;
        }
    }
    check_chi_square(&octants, &[0.125; 8], 1e-9);
    // The number is Poisson up to 1e-15; six and a half deviations have probability 1e-10.
    let mean = 40.0 * law.expected_empty();
    assert!((found as f64 - mean).abs() < 6.5 * mean.sqrt(), "{found} {mean}");
}

#[test]
fn domains_of_integers_count_from_their_start() {
    let all = 0..=u64::MAX;
    assert_eq!((all.size(), all.key(5), all.key(1 << 64)), (1 << 64, Some(5), None));
    let signed = i64::MIN..=i64::MAX;
    assert_eq!((signed.size(), signed.key(0)), (1 << 64, Some(i64::MIN)));
    assert_eq!(signed.position(&i64::MAX), Some((1 << 64) - 1));
    assert_eq!((5u8..=9).position(&4), None);
    #[expect(clippy::reversed_empty_ranges, reason = "an empty domain is refused")]
    let empty = SparseHistogram::<_>::new(9u8..=5, &1.into(), 3);
    assert!(empty.is_err_and(|error| error.is_parameter()));
}

#[test]
fn thresholds_that_let_everything_pass_are_refused() {
    let low = SparseHistogram::<_>::new(0..=u64::MAX, &1.into(), 3);
    assert!(low.is_err_and(|error| error.is_parameter()));
    assert!(SparseHistogram::<_>::new(0..=9u8, &1.into(), 0).is_err());
    // With a threshold of 1 and noise far wider than the domain nearly half the keys pass.
    let wide = histogram(0..=255u8, 1 << 20, 1);
    let mut rng = InsecureTestRng::from_seed(12);
    let passed: u64 =
        (0..50).map(|_| wide.draw(&KeyCounts::new([]), &mut rng).unwrap().len() as u64).sum();
    check_binomial(passed, 50 * 256, 0.5 * wide.noise.tail(0), 1e-9);
}
