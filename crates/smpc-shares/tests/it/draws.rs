//! Random draws: their ranges, their laws, at both levels of security.

use smpc_shares::field::{Mersenne127, Ring, Z64};
use smpc_shares::net::{Config, Simulation};
use smpc_shares::protocol::{FixedPoint, Ordered};
use smpc_shares::{Active, Error, Party, Replicated, Result, Scheme, Shamir, ShareVec};

/// What all parties open, the same in each run.
fn opened<R: Ordered, S: Scheme<R>>(
    config: Config,
    program: impl AsyncFn(&mut Party<R, S>) -> Result<ShareVec<R, S>>,
) -> Vec<i128> {
    let outcome = Simulation::new(config).seeded_for_tests_only(47);
    let run = outcome.run(async |party: &mut Party<R, S>| {
        let shares = program(party).await?;
        let opened = party.open(&shares).await?;
        Ok(opened.into_iter().map(Ring::to_i128).collect::<Vec<_>>())
    });
    let mut results = run.unwrap().results().unwrap();
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
    results.remove(0)
}

/// Six sigmas of a binomial count: a false alarm has probability below 1e-8.
fn as_likely(drawn: &[i128], value: i128, probability: f64) {
    let seen = drawn.iter().filter(|x| **x == value).count() as f64;
    let n = drawn.len() as f64;
    let sigma = (n * probability * (1.0 - probability)).sqrt();
    assert!((seen - n * probability).abs() < 6.0 * sigma, "{value}: {seen} of {n}");
}

fn draws<R: Ordered + From<i64>, S: Scheme<R>>(config: Config, count: usize) {
    let bits =
        opened(config.clone(), async |party: &mut Party<R, S>| party.getrandbits(count, 3).await);
    (0..8).for_each(|value| as_likely(&bits, value, 0.125));
    for bound in [1u64, 5, 6] {
        let drawn = opened(config.clone(), async |party: &mut Party<R, S>| {
            party.randrange(count, bound).await
        });
        assert_eq!(drawn.len(), count);
        assert!(drawn.iter().all(|x| (0..i128::from(bound)).contains(x)));
        if bound > 1 {
            (0..bound.into()).for_each(|value| as_likely(&drawn, value, 1.0 / bound as f64));
        }
    }
    let drawn =
        opened(config.clone(), async |party: &mut Party<R, S>| party.randint(count, -3, 3).await);
    (-3..=3).for_each(|value| as_likely(&drawn, value, 1.0 / 7.0));
    let point = FixedPoint::new(2).unwrap();
    let drawn = opened(config.clone(), async |party: &mut Party<R, S>| {
        party.random_fixed(count, point).await
    });
    (0..4).for_each(|value| as_likely(&drawn, value, 0.25));
    let drawn = opened(config.clone(), async |party: &mut Party<R, S>| {
        party.uniform(count, -0.25, 0.5, point).await
    });
    (-1..=2).for_each(|value| as_likely(&drawn, value, 0.25));
    let drawn = opened(config, async |party: &mut Party<R, S>| {
        let x = party.public(&[10, 20, 30].map(R::from));
        party.choices(&x, count).await
    });
    [10, 20, 30].iter().for_each(|value| as_likely(&drawn, *value, 1.0 / 3.0));
}

#[test]
fn draws_are_uniform_in_their_range() {
    draws::<Z64, Replicated>(Config::replicated(), 1500);
    draws::<Mersenne127, Shamir>(Config::shamir(5, 2), 600);
    draws::<Mersenne127, Active<Replicated>>(Config::replicated(), 300);
}

fn places<R: Ordered + From<i64>, S: Scheme<R>>(config: Config, runs: usize) {
    let all = opened(config.clone(), async |party: &mut Party<R, S>| {
        let mut all = party.public(&[]);
        for _ in 0..runs {
            let permutation = party.random_permutation(4).await?;
            let unit = party.random_unit_vector(3).await?;
            let derangement = party.random_derangement(3).await?;
            let x = party.public(&[5, 6, 7, 8].map(R::from));
            let one = party.choice(&x).await?;
            let two = party.sample(&x, 2).await?;
            let row = [permutation, unit, derangement, one, two];
            for shares in row {
                all = party.renewed(&all).await?.chain(&party.renewed(&shares).await?);
            }
        }
        Ok(all)
    });
    let rows: Vec<&[i128]> = all.chunks(13).collect();
    let column = |i: usize| -> Vec<i128> { rows.iter().map(|row| row[i]).collect() };
    for row in &rows {
        let mut permutation = row[..4].to_vec();
        permutation.sort_unstable();
        assert_eq!(permutation, [0, 1, 2, 3]);
        assert_eq!((row[4] + row[5] + row[6], row[4..7].iter().max()), (1, Some(&1)));
        assert!((0..3).all(|i| row[7 + i] != i as i128), "{row:?}");
        assert_ne!(row[11], row[12], "without replacement");
    }
    for value in 0..4 {
        as_likely(&column(0), value, 0.25);
        as_likely(&column(3), value, 0.25);
        as_likely(&column(10), 5 + value, 0.25);
        as_likely(&column(12), 5 + value, 0.25);
    }
    as_likely(&column(4), 1, 1.0 / 3.0);
    // The two derangements of three, equally often.
    as_likely(&column(7), 1, 0.5);
}

#[test]
fn permutations_and_samples_are_uniform() {
    places::<Z64, Replicated>(Config::replicated(), 150);
    places::<Mersenne127, Active<Shamir>>(Config::shamir(3, 1), 12);
}

#[test]
fn draws_that_cannot_be_are_refused() {
    let config = Config::shamir(3, 1);
    let outcome = Simulation::new(config).run(async |party: &mut Party<Mersenne127>| {
        let x = party.public(&[1.into()]);
        let none = party.public(&[]);
        let small = FixedPoint::new(4).unwrap();
        Ok([
            party.randrange(1, 0).await.err(),
            party.randint(1, 3, 2).await.err(),
            party.getrandbits(1, 127).await.err(),
            party.choice(&none).await.err(),
            party.choices(&none, 2).await.err(),
            party.sample(&x, 2).await.err(),
            party.random_derangement(1).await.err(),
            party.uniform(1, f64::NAN, 1.0, small).await.err(),
            party.largest(&x, &[], 2).await.err(),
        ])
    });
    for errors in outcome.unwrap().results().unwrap() {
        assert!(errors.iter().all(Option::is_some), "{errors:?}");
        assert_eq!(errors[3], Some(Error::TooFewShares { needed: 1, given: 0 }));
        assert!(matches!(errors[2], Some(Error::FieldTooSmall { .. })));
    }
}

/// The field must have room to compare the random keys.
#[test]
fn an_active_shuffle_needs_room_and_is_a_permutation() {
    use smpc_shares::field::Mersenne61;
    let refused = Simulation::new(Config::shamir(3, 1))
        .run(async |party: &mut Party<Mersenne61, Active<Shamir>>| {
            let x = party.public(&[1, 2, 3].map(Mersenne61::from));
            let plain = party.shuffle(std::slice::from_ref(&x)).await.err();
            Ok((plain, party.shuffle_by_sorting(&[x]).await.err()))
        })
        .unwrap()
        .results()
        .unwrap();
    assert!(matches!(refused[0].0, Some(Error::Parameter { .. })));
    assert!(matches!(refused[0].1, Some(Error::FieldTooSmall { .. })));
    let config = Config::shamir(3, 1);
    let drawn = opened(config, async |party: &mut Party<Mersenne127, Active<Shamir>>| {
        let x = party.public(&(0..20).map(Mersenne127::from).collect::<Vec<_>>());
        let columns = party.shuffle_by_sorting(&[x.clone(), x * 2]).await?;
        Ok(columns[0].chain(&columns[1]))
    });
    let (left, right) = drawn.split_at(20);
    assert!(left.iter().zip(right).all(|(a, b)| 2 * a == *b));
    let mut sorted = left.to_vec();
    sorted.sort_unstable();
    assert!(sorted.iter().copied().eq(0..20));
    assert_ne!(left, sorted, "probability 1/20!");
}
