//! Sensitivity of the weights, the price against enumerated releases, and what weighting is for.

use privacy_core::random::InsecureTestRng;

use super::super::{IterativeSelection, KeyChanges, KeyCounts, LaplaceThreshold};
use super::*;

fn calibrated(epsilon: &str, delta: &str, keys: u64) -> WeightedGaussian<u32> {
    let (epsilon, delta) = (epsilon.parse().unwrap(), delta.parse().unwrap());
    WeightedGaussian::calibrated(&epsilon, &delta, keys).unwrap()
}

#[test]
fn a_unit_weighs_at_most_one() {
    for keys in 1..=MAX_KEYS {
        let weight = weight(keys);
        assert!(weight >= 1 && keys * weight * weight <= UNIT * UNIT);
    }
}

#[test]
fn prices_are_within_what_was_asked_and_cover_every_number_of_keys() {
    for (epsilon, delta) in [("1", "1e-6"), ("0.3", "1e-9"), ("5", "1e-3")] {
        for keys in [1u64, 2, 10, 300] {
            let law = calibrated(epsilon, delta, keys);
            let cost = law.cost(Changes(1)).unwrap();
            assert!(
                cost.epsilon <= epsilon.parse().unwrap() && cost.delta <= delta.parse().unwrap()
            );
            for unit in 1..=keys {
                let alone = tail_up(&law.noise, law.threshold - i128::from(weight(unit)));
                let any = 1.0 - (1.0 - alone).powi(unit as i32);
                assert!(any <= cost.delta.to_f64_up());
            }
        }
    }
}

/// One coarse mechanism, its releases enumerated: which keys pass is all that comes out.
#[test]
fn neighbours_cannot_be_told_apart_beyond_the_price() {
    let law = calibrated("1", "0.02", 2);
    let cost = law.cost(Changes(1)).unwrap();
    let growth = cost.epsilon.to_f64_down().exp();
    let pass =
        |weight: i128| if weight > 0 { tail_up(&law.noise, law.threshold - weight) } else { 0.0 };
    let other = i128::from(weight(1));
    let own = i128::from(weight(2));
    let mut worst = 0.0f64;
    for a in 0..6 {
        for b in 0..6 {
            let less = [a * other, b * other];
            for more in [[less[0] + own, less[1] + own], [less[0] + other, less[1]]] {
                for (x, y) in [(less, more), (more, less)] {
                    let law = |w: [i128; 2], bits: u32| {
                        let one = |i: usize| match bits >> i & 1 {
                            1 => pass(w[i]),
                            _ => 1.0 - pass(w[i]),
                        };
                        one(0) * one(1)
                    };
                    let told = (0..4).map(|bits| (law(x, bits) - growth * law(y, bits)).max(0.0));
                    worst = worst.max(told.sum());
                }
            }
        }
    }
    let delta = cost.delta.to_f64_up();
    assert!(worst <= delta && worst >= 0.3 * delta, "{worst} {delta}");
}

#[test]
fn a_unit_with_everything_gives_no_more_than_its_weight() {
    let law = calibrated("1", "1e-6", 4);
    let lists = KeyLists::new((0..5000u32).map(|key| (7u8, key)));
    let mut rng = InsecureTestRng::from_seed(8);
    assert!(law.draw(&lists, &mut rng).unwrap().is_empty());
    let mut used = 0;
    lists.for_each_unit(4, |_| true, |keys| used += keys.len());
    assert_eq!(used, 4);
    assert!(law.draw(&KeyLists::new::<u8>([]), &mut rng).unwrap().is_empty());
}

#[test]
fn lists_do_not_depend_on_order_or_on_other_units() {
    let pairs: Vec<(u32, u32)> = (0..4000).map(|i| (i % 40, i % 700)).collect();
    let shuffled: Vec<(u32, u32)> = pairs.iter().rev().chain(&pairs[..100]).copied().collect();
    let kept = |pairs: &[(u32, u32)]| {
        let lists = KeyLists::new(pairs.iter().copied());
        let mut all = Vec::new();
        lists.for_each_unit(
            5,
            |_| true,
            |keys| {
                all.extend(keys.iter().map(|key| lists.keys()[*key as usize]));
            },
        );
        all.sort_unstable();
        all
    };
    assert_eq!(kept(&pairs), kept(&shuffled));
    let without: Vec<(u32, u32)> = pairs.iter().copied().filter(|pair| pair.0 != 3).collect();
    let (all, rest) = (kept(&pairs), kept(&without));
    assert_eq!(all.len(), rest.len() + 5);
}

#[test]
fn rounds_find_more_of_a_long_tail_than_one_round_or_a_plain_threshold() {
    // Everybody has the same 30 frequent keys and one rarer key.
    let pairs: Vec<(u32, u32)> = (0..20_000u32)
        .flat_map(|user| (0..30).map(move |key| (user, key)).chain([(user, 1000 + user % 300)]))
        .collect();
    let lists = KeyLists::new(pairs.iter().copied());
    let (epsilon, delta) = ("1".parse().unwrap(), "1e-6".parse().unwrap());
    let mut rng = InsecureTestRng::from_seed(9);
    let rounds = IterativeSelection::calibrated(&epsilon, &delta, 31, 3).unwrap();
    let cost = rounds.cost(Changes(1)).unwrap();
    assert!(cost.epsilon <= *epsilon.amount() && cost.delta <= *delta.amount());
    let in_rounds = rounds.draw(&lists, &mut rng).unwrap();
    assert!(in_rounds.is_sorted());
    let single = calibrated("1", "1e-6", 31).draw(&lists, &mut rng).unwrap();
    let plain =
        LaplaceThreshold::<u32>::calibrated(&epsilon, &delta, KeyChanges::of_unit(31)).unwrap();
    let counts = KeyCounts::new(pairs.iter().map(|pair| (pair.1, 1)));
    let plain = plain.draw(&counts, &mut rng).unwrap();
    assert_eq!(in_rounds.len(), 330);
    assert!(single.len() < 60 && plain.len() < 60, "{} {}", single.len(), plain.len());
}
