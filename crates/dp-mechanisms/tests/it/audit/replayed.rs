//! Recorded and replayed randomness.

use std::collections::BTreeSet;

use dp_mechanisms::additive::{GaussianNoise, LaplaceNoise};
use dp_mechanisms::audit::{Neighbours, replay};
use dp_mechanisms::bound::BoundRows;
use dp_mechanisms::prelude::*;
use dp_mechanisms::transform::{BoundedSum, Count, CountByGroup};
use privacy_core::error::Result;
use privacy_core::mechanism::Mechanism;
use privacy_core::random::{RandomBuffer, SecureRng};
use privacy_core::space::{Changes, L1, L2, Rows, Scalar};
use privacy_core::transformation::Transformation;

use super::{Rng, amount};

#[test]
fn transformations_attain_their_stability_and_do_not_exceed_it() {
    let mut rng = Rng::from_seed(1);
    let integers = Neighbours::<i64>::extreme().add_remove(200, &mut rng).unwrap();
    let replaced = Neighbours::<i64>::extreme().replace(200, &mut rng).unwrap();
    let keys = Neighbours::of([1u8, 2, 3, 9]).replace(200, &mut rng).unwrap();
    let users = Neighbours::<i64>::extreme().users(200, &mut rng).unwrap();
    let bounds = || Bounds::new(-10, 20).unwrap();

    let attained = [
        replay::stability(&Count::<i64>::new(), &integers),
        replay::stability(&BoundedSum::new(bounds()).unwrap(), &integers),
        replay::stability(&BoundedSum::<_, Replace>::under(bounds()).unwrap(), &replaced),
        replay::stability(
            &CountByGroup::<u8, Record, Replace, L1>::new(&[1, 2, 3]).unwrap(),
            &keys,
        ),
        replay::stability(
            &CountByGroup::<u8, Record, Replace, L2>::new(&[1, 2, 3]).unwrap(),
            &keys,
        ),
        replay::stability(&BoundRows::new(3).unwrap(), &users),
    ];
    for (i, attained) in attained.into_iter().enumerate() {
        assert!(attained.unwrap() > 0, "the bound of transformation {i} is loose");
    }
}

/// A sum that forgets to clamp below.
struct Leaky;

impl Transformation for Leaky {
    type Input = Rows<i64>;
    type Output = Scalar<i128>;

    fn apply(&self, rows: &[i64]) -> Result<i128> {
        Ok(rows.iter().map(|x| i128::from(*x.min(&10))).sum())
    }

    fn stability(&self, d_in: Changes) -> Result<Amount> {
        Ok(&amount("10") * &d_in.0.into())
    }
}

/// A sum that overflows.
struct Fragile;

#[expect(clippy::panic, reason = "it is what the check must find")]
impl Transformation for Fragile {
    type Input = Rows<i64>;
    type Output = Scalar<i64>;

    fn apply(&self, rows: &[i64]) -> Result<i64> {
        let sum = rows.iter().try_fold(0i64, |sum, x| sum.checked_add(*x));
        Ok(sum.unwrap_or_else(|| panic!("overflow")).clamp(0, 1))
    }

    fn stability(&self, d_in: Changes) -> Result<Amount> {
        Ok(d_in.0.into())
    }
}

#[test]
fn broken_transformations_are_found() {
    let mut rng = Rng::from_seed(2);
    let pairs = Neighbours::<i64>::extreme().add_remove(5, &mut rng).unwrap();
    let leaky = replay::stability(&Leaky, &pairs).unwrap_err();
    assert_eq!(leaky.promise, "outputs are no further apart than declared");
    let fragile = replay::stability(&Fragile, &pairs).unwrap_err();
    assert_eq!(fragile.promise, "no data makes it panic");
}

#[test]
fn additive_noise_does_not_look_at_the_data() {
    let mut rng = Rng::from_seed(3);
    let distance = |a: &i128, b: &i128| a.abs_diff(*b);
    let pairs = [(0i128, 7), (i128::MAX, i128::MAX - 3), (-5, 2)];
    // After some draws a sampler makes a table and reads its random words in another way.
    const DRAWS_BEFORE_A_TABLE: usize = 100;
    let laplace = LaplaceNoise::scalar(amount("22/7")).unwrap();
    let draw = |x: &i128, rng: &mut dyn SecureRng| laplace.draw(x, rng);
    (0..DRAWS_BEFORE_A_TABLE).for_each(|_| {
        let _ = draw(&0, &mut rng).unwrap();
    });
    replay::replayed_sensitivity(&pairs, 200, &mut rng, draw, &7, distance).unwrap();
    let gaussian = GaussianNoise::scalar(amount("1000")).unwrap();
    let draw = |x: &i128, rng: &mut dyn SecureRng| gaussian.draw(x, rng);
    (0..DRAWS_BEFORE_A_TABLE).for_each(|_| {
        let _ = draw(&0, &mut rng).unwrap();
    });
    replay::replayed_sensitivity(&pairs, 200, &mut rng, draw, &7, distance).unwrap();
    let tight = replay::replayed_sensitivity(&pairs, 1, &mut rng, draw, &6, distance);
    assert!(tight.unwrap_err().promise.contains("sensitivity"));
}

#[test]
fn randomness_that_follows_the_data_is_found() {
    let mut rng = Rng::from_seed(4);
    let skips = |rows: &[u8], rng: &mut dyn SecureRng| -> Result<i128> {
        match rows.is_empty() {
            true => Ok(0),
            false => LaplaceNoise::scalar(amount("1"))?.draw(&(rows.len() as i128), rng),
        }
    };
    let pairs = [(vec![1u8], vec![])];
    let found = replay::same_flow(&pairs, 1, &mut rng, skips).unwrap_err();
    assert_eq!(found.promise, "the use of randomness does not depend on the data");
    let fails = |rows: &[u8], rng: &mut dyn SecureRng| match rows.len() {
        0 => Err("no rows"),
        n => Ok(n as u64 + RandomBuffer::new(rng).below(3).unwrap_or(0)),
    };
    assert!(replay::same_flow(&pairs, 1, &mut rng, fails).is_err());
}

#[test]
fn reachable_outputs_are_compared_on_toy_sizes() {
    let respond = |answer: &bool, rng: &mut dyn SecureRng| {
        RandomBuffer::new(rng).below(4).map(|die| *answer != (die == 0))
    };
    let all = BTreeSet::from([false, true]);
    assert_eq!(replay::reachable(&true, 3, 2, respond), all);
    assert_eq!(replay::reachable(&false, 3, 2, respond), all);
    // A maximum with random ties never names the loser.
    let best = |queries: &[u8], rng: &mut dyn SecureRng| {
        let best = queries.iter().max();
        let tied: Vec<usize> = (0..queries.len()).filter(|&i| queries.get(i) == best).collect();
        RandomBuffer::new(rng).below(tied.len() as u64).map(|i| tied[i as usize])
    };
    assert_ne!(
        replay::reachable(&[3, 3][..], 3, 2, best),
        replay::reachable(&[4, 3][..], 3, 2, best)
    );
}
