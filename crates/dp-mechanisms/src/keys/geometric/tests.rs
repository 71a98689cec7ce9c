//! The table against its two bounds without rounding errors, and whole releases of small
//! neighbours by enumeration of their outcomes.

use num_traits::Zero;
use privacy_core::random::InsecureTestRng;
use privacy_testing::interval::Interval;
use proptest::prelude::*;

use super::*;

fn make(epsilon: &str, delta: &str, keys: u64) -> TruncatedGeometric<u32> {
    let (epsilon, delta) = (epsilon.parse().unwrap(), delta.parse().unwrap());
    TruncatedGeometric::calibrated(&epsilon, &delta, KeyChanges::of_unit(keys)).unwrap()
}

/// e^ε from below.
fn growth(epsilon: &Amount) -> Ratio<BigUint> {
    Interval::exp_neg(epsilon.as_ratio(), 300).high.recip()
}

/// Σ max(0, P − e^ε P') over the ways in which the keys of `one` and `other` can be kept, from
/// above.
fn hockey_stick(
    selection: &TruncatedGeometric<u32>,
    one: &[u64],
    other: &[u64],
    epsilon: &Amount,
) -> Ratio<BigUint> {
    let law = |counts: &[u64], kept: u32| -> Ratio<BigUint> {
        let key = |(i, n): (usize, &u64)| {
            let p = selection.exact_probability(*n);
            if kept >> i & 1 == 1 { p } else { Ratio::one() - p }
        };
        counts.iter().enumerate().map(key).product()
    };
    let growth = growth(epsilon);
    (0..1u32 << one.len())
        .map(|kept| {
            let (p, q) = (law(one, kept), &growth * law(other, kept));
            if p > q { p - q } else { Ratio::zero() }
        })
        .fold(Ratio::zero(), |sum, term| sum + term)
}

#[test]
fn known_probabilities_are_met_from_below() {
    // ε = ln 2, δ = 0.1 (by hand from the recursion).
    let selection = make("0.6931471805599453", "0.1", 1);
    for (n, known) in [0.0, 0.1, 0.3, 0.7, 0.9, 1.0].into_iter().enumerate() {
        let ours = selection.probability(n as u64);
        assert!(ours <= known && known - ours < 1e-12, "{n}: {ours}");
    }
    assert_eq!(selection.likely_from(), 3);
    assert!(selection.certain_from() <= 6);
}

#[test]
fn the_recursion_agrees_with_the_closed_form() {
    for (epsilon, delta) in [(0.05f64, 1e-6f64), (0.5, 1e-10), (3.0, 1e-12), (1e-3, 1e-5)] {
        let selection = make(&epsilon.to_string(), &format!("{delta:e}"), 1);
        let e = epsilon.exp();
        let n1 = 1.0 + (((e + 2.0 * delta - 1.0) / ((e + 1.0) * delta)).ln() / epsilon).floor();
        let rising = |n: f64| delta * ((n * epsilon).exp() - 1.0) / (e - 1.0);
        let closed = |n: f64| {
            if n <= n1 {
                return rising(n);
            }
            let decay = (-(n - n1) * epsilon).exp();
            ((1.0 - decay) * (1.0 + delta / (e - 1.0)) + decay * rising(n1)).min(1.0)
        };
        for n in 0..=(2.2 * n1) as u64 {
            let (ours, closed) = (selection.probability(n), closed(n as f64));
            assert!(
                (ours - closed).abs() <= 1e-8 * closed + 1e-13,
                "{epsilon} {n} {ours} {closed}"
            );
        }
    }
}

#[test]
fn the_rounded_table_satisfies_both_bounds() {
    for (epsilon, delta) in
        [("0.7", "0.1"), ("0.01", "1e-9"), ("5", "1e-6"), ("39", "1e-29"), ("80", "0.2")]
    {
        let selection = make(epsilon, delta, 1);
        let (growth, delta) = (growth(&selection.epsilon), selection.delta.as_ratio());
        let mut last = Ratio::zero();
        for n in 1..=selection.certain_from() + 1 {
            let p = selection.exact_probability(n);
            assert!(p <= &growth * &last + delta, "ε {epsilon}, kept at {n}");
            let (out_before, out) = (Ratio::one() - &last, Ratio::one() - &p);
            assert!(out_before <= &growth * out + delta, "ε {epsilon}, left out at {n}");
            assert!(p >= last);
            last = p;
        }
        assert_eq!(last, Ratio::one());
    }
}

#[test]
fn a_table_that_is_one_step_ahead_is_convicted() {
    let selection = make("1", "1e-3", 1);
    let ahead = |n: u64| if n == 0 { Ratio::zero() } else { selection.exact_probability(n + 1) };
    let bound = growth(&selection.epsilon) * ahead(0) + selection.delta.as_ratio();
    assert!(ahead(1) > bound);
}

#[test]
fn neighbours_cannot_be_told_apart_beyond_the_price() {
    for keys in 1..=3u64 {
        let selection = make("0.9", "0.02", keys);
        let cost = selection.cost(KeyChanges::of_unit(keys)).unwrap();
        assert!(cost.delta <= "0.02".parse().unwrap() && cost.epsilon <= "0.9".parse().unwrap());
        let mut worst = Ratio::zero();
        let counts = if keys == 3 { 3u64 } else { 6 };
        for code in 0..counts.pow(keys as u32) {
            let less: Vec<u64> = (0..keys).map(|i| code / counts.pow(i as u32) % counts).collect();
            for changed in 1..1u32 << keys {
                let add = |(i, n): (usize, &u64)| n + u64::from(changed >> i & 1);
                let more: Vec<u64> = less.iter().enumerate().map(add).collect();
                for (a, b) in [(&less, &more), (&more, &less)] {
                    worst = worst.max(hockey_stick(&selection, a, b, &cost.epsilon));
                }
            }
        }
        assert!(worst <= *cost.delta.as_ratio(), "{keys}");
        // New keys alone use all of δ.
        assert!(worst >= cost.delta.as_ratio() * Ratio::new(99_999u32.into(), 100_000u32.into()));
    }
}

#[test]
fn several_units_at_once_cost_as_a_group() {
    let changes = KeyChanges { keys: 2, per_key: 3 };
    let (epsilon, delta) = (Epsilon::new(1.0).unwrap(), Delta::new(1e-3).unwrap());
    let selection = TruncatedGeometric::<u32>::calibrated(&epsilon, &delta, changes).unwrap();
    let cost = selection.cost(changes).unwrap();
    assert!(cost.delta <= *delta.amount() && cost.epsilon <= *epsilon.amount());
    for (less, more) in [([0, 0], [3, 3]), ([1, 2], [4, 5]), ([7, 0], [8, 3])] {
        for (a, b) in [(less, more), (more, less)] {
            assert!(hockey_stick(&selection, &a, &b, &cost.epsilon) <= *cost.delta.as_ratio());
        }
    }
}

#[test]
fn replacing_a_unit_counts_the_keys_of_both() {
    let (epsilon, delta) = (Epsilon::new(1.0).unwrap(), Delta::new(1e-2).unwrap());
    let changes = KeyChanges::of_unit(1);
    let replace: TruncatedGeometric<u32, privacy_core::unit::Replace> =
        TruncatedGeometric::calibrated(&epsilon, &delta, changes).unwrap();
    let same = make("1", "0.01", 2);
    assert_eq!(replace.exact_probability(1), same.exact_probability(1));
    assert!(hockey_stick(&same, &[1, 0], &[0, 1], epsilon.amount()) <= *delta.amount().as_ratio());
}

#[test]
fn keys_come_in_order_with_their_probability() {
    let selection = make("0.6931471805599453", "0.1", 1);
    let counts = KeyCounts::new((0..60_000u32).rev().map(|key| (key, u64::from(key % 6))));
    let mut rng = InsecureTestRng::from_seed(3);
    let kept = selection.draw(&counts, &mut rng).unwrap();
    assert!(kept.is_sorted());
    for (n, p) in [0.1, 0.3, 0.7, 0.9].into_iter().enumerate() {
        let of_count = kept.iter().filter(|key| (**key % 6) as usize == n + 1).count();
        // False alarm 1e-9 each.
        privacy_testing::statistics::check_binomial(of_count as u64, 10_000, p, 1e-9);
    }
    assert!(kept.iter().all(|key| key % 6 != 0));
}

#[test]
fn too_few_units_are_never_released() {
    let selection = make("3", "0.5", 1).with_least_units(10);
    assert_eq!(selection.probability(9), 0.0);
    assert_eq!(selection.probability(10), 0.5);
    assert_eq!(selection.probability(u64::MAX), 1.0);
    assert_eq!(make("3", "0.5", 1).with_least_units(0).probability(1), 0.5);
}

#[test]
fn parameters_out_of_range_are_refused() {
    let refused = |epsilon: &str, delta: &str, keys| {
        let (epsilon, delta) = (epsilon.parse().unwrap(), delta.parse().unwrap());
        let changes = KeyChanges::of_unit(keys);
        let made = TruncatedGeometric::<u8>::calibrated(&epsilon, &delta, changes);
        made.is_err_and(|error| error.is_parameter())
    };
    assert!(refused("1", "0", 1) && refused("1", "1e-31", 1) && refused("1", "0.1", 0));
    assert!(refused("1e-9", "1e-12", 1) && refused("1", "0.1", 1 << 32));
    assert!(!refused("1e-4", "1e-12", 1) && !refused("1e9", "0.999", 1));
}

#[test]
fn products_of_wide_integers_are_exact() {
    for (a, b) in [(u128::MAX, u128::MAX), (ONE, ONE), (1 << 127, 3), (12_345 << 80, 77 << 90)] {
        for shift in [0, 1, 64, 124, 127] {
            let truth = (BigUint::from(a) * b) >> shift;
            let truth = u128::try_from(truth).unwrap_or(u128::MAX);
            assert_eq!(times_shifted(a, b, shift), truth, "{a} {b} {shift}");
        }
    }
}

proptest! {
    #[test]
    fn shares_of_delta_add_up_to_no_more(delta in 1e-12f64..0.9, n in 1u64..5000) {
        let delta = Delta::new(delta).unwrap();
        let share = share(&delta, n);
        prop_assert!(any_of_up(share.as_ratio(), n) <= *delta.amount().as_ratio());
        let more = any_of_up(&(share.as_ratio() * Ratio::new(1_000_001u32.into(), 1_000_000u32.into())), n);
        prop_assert!(more > *delta.amount().as_ratio());
    }
}
