//! Products from triples, and truncation at random.

use std::sync::Mutex;

use privacy_core::random::SystemRng;
use smpc_shares::field::{Field128, Mersenne61, Mersenne127, Prime64, Ring, Z64};
use smpc_shares::net::{Config, Simulation, simulate};
use smpc_shares::protocol::{DealtForTestsOnly, Ordered, TrustedDealerForTestsOnly};
use smpc_shares::{Active, Error, Party, Replicated, Scheme, Shamir};

fn products<R: Ring + From<u64>, S: Scheme<R>>(config: Config) {
    let results = simulate(config, async |party: &mut Party<R, S>| {
        let mine: Vec<R> =
            (1..=20u64).map(|i| R::from(i * 1_000_003 + party.id() as u64)).collect();
        let shared = party.input_from_all(&mine).await?;
        let mut triples = party.triples(30).await?;
        let first = triples.take(20);
        assert_eq!((first.len(), triples.len()), (20, 10));
        let product = party.multiply_with(&shared[0], &shared[1], first).await?;
        let wrong = party.multiply_with(&shared[0], &shared[1], triples).await;
        assert_eq!(wrong.unwrap_err(), Error::LengthMismatch { left: 20, right: 10 });
        party.open(&product).await
    })
    .unwrap();
    let expected: Vec<R> =
        (1..=20u64).map(|i| R::from(i * 1_000_003 + 1) * R::from(i * 1_000_003 + 2)).collect();
    assert!(results.iter().all(|result| *result == expected));
}

#[test]
fn triples_from_double_sharing_multiply() {
    for n in 3..=9usize {
        for t in 1..n.div_ceil(2) {
            products::<Mersenne61, Shamir>(Config::shamir(n, t));
        }
    }
    products::<Prime64<257>, Shamir>(Config::shamir(5, 2));
    products::<Z64, Replicated>(Config::replicated());
    products::<Field128, Replicated>(Config::replicated());
    products::<Mersenne61, Active<Shamir>>(Config::shamir(4, 1));
    products::<Mersenne61, Active<Replicated>>(Config::replicated());
}

fn dealt_products<R: Ring + From<u64>, S: Scheme<R>>(config: Config) {
    let mut dealer = TrustedDealerForTestsOnly::new(&mut SystemRng::new().unwrap()).unwrap();
    let dealt = dealer.triples::<R, S>(&config, 3).unwrap();
    let dealt: Mutex<Vec<Option<DealtForTestsOnly<R, S>>>> =
        Mutex::new(dealt.into_iter().map(Some).collect());
    let results = simulate(config, async |party: &mut Party<R, S>| {
        let mine = dealt.lock().unwrap()[party.index()].take().unwrap();
        let triples = party.accept_from_dealer(mine).await?;
        let shared = party.input_from_all(&[7, 8, 9].map(R::from)).await?;
        let product = party.multiply_with(&shared[0], &(&shared[1] + 1), triples).await?;
        party.open(&product).await
    })
    .unwrap();
    assert!(results.iter().all(|result| *result == [56, 72, 90].map(R::from)));
}

#[test]
fn triples_of_a_dealer_multiply_without_an_honest_majority() {
    for (n, t) in [(2, 1), (3, 1), (3, 2), (5, 4)] {
        dealt_products::<Mersenne61, Shamir>(Config::shamir(n, t));
    }
    dealt_products::<Z64, Replicated>(Config::replicated());
    dealt_products::<Field128, Active<Shamir>>(Config::shamir(3, 1));
}

#[test]
fn another_partys_triples_are_refused() {
    let config = Config::shamir(3, 1);
    let mut dealer = TrustedDealerForTestsOnly::new(&mut SystemRng::new().unwrap()).unwrap();
    let mut dealt = dealer.triples::<Mersenne61, Shamir>(&config, 1).unwrap();
    let first = Mutex::new(Some(dealt.remove(0)));
    let refused = simulate(config, async |party: &mut Party<Mersenne61>| {
        if party.id() != 2 {
            return Ok(None);
        }
        let stolen = first.lock().unwrap().take().unwrap();
        Ok(party.accept_from_dealer(stolen).await.err())
    });
    assert_eq!(refused.unwrap()[1], Some(Error::Mismatch));
}

/// A product is one round and two openings once the triples are there.
#[test]
fn the_online_cost_is_two_openings() {
    let costs = simulate(Config::shamir(3, 1), async |party: &mut Party<Mersenne61>| {
        let x = party.public(&[Mersenne61::from(3); 10]);
        let before = party.cost();
        let triples = party.triples(10).await?;
        let made = party.cost() - before;
        let _ = party.multiply_with(&x, &x, triples).await?;
        Ok((made, party.cost() - before - made))
    })
    .unwrap();
    for (made, used) in costs {
        assert_eq!((made.rounds, made.bytes), (1, 2 * 80), "opened to all at degree 2");
        assert_eq!((used.rounds, used.bytes), (1, 2 * 80));
    }
}

/// Each quotient is one of the two neighbours of the fraction, and the upper one as often as the
/// fraction says: 4000 draws for each number, six sigmas, false alarm below 1e-7 in all.
fn truncation<R: Ordered + From<i64>, S: Scheme<R>>(config: Config) {
    const DRAWS: usize = 4000;
    let numbers = [0i64, 1, -1, 100, 255, 256, 257, -1000, 123_457, -(1 << 29), (1 << 29) + 37];
    for by in [1u32, 4, 8] {
        let all: Vec<R> =
            numbers.iter().flat_map(|x| std::iter::repeat_n(R::from(*x), DRAWS)).collect();
        let outcome = Simulation::new(config.clone()).seeded_for_tests_only(u64::from(by));
        let results = outcome
            .run(async |party: &mut Party<R, S>| {
                let x = party.public(&all);
                let quotient = party.truncate_probabilistic(&x, by).await?;
                party.open(&quotient).await
            })
            .unwrap()
            .results()
            .unwrap();
        for (number, draws) in numbers.iter().zip(results[0].chunks(DRAWS)) {
            let floor = i128::from(number >> by);
            let fraction = (number & ((1 << by) - 1)) as f64 / f64::from(1 << by);
            let errors: Vec<i128> = draws.iter().map(|q| q.to_i128() - floor).collect();
            assert!(errors.iter().all(|e| *e == 0 || *e == 1), "{number} >> {by}");
            let up = errors.iter().sum::<i128>() as f64;
            let mean = DRAWS as f64 * fraction;
            let sigma = (mean * (1.0 - fraction)).sqrt();
            assert!((up - mean).abs() <= 6.0 * sigma, "{number} >> {by}: {up} of {mean}");
        }
    }
}

#[test]
fn truncation_at_random_is_within_one_unit_and_unbiased() {
    truncation::<Z64, Replicated>(Config::replicated());
    truncation::<Mersenne127, Shamir>(Config::shamir(3, 1));
    truncation::<Mersenne127, Replicated>(Config::replicated());
    truncation::<Field128, Active<Shamir>>(Config::shamir(3, 1));
}

#[test]
fn truncation_at_random_takes_three_rounds_and_refuses_what_it_cannot() {
    let costs = simulate(Config::replicated(), async |party: &mut Party<Z64, Replicated>| {
        let x = party.public(&[Z64(5); 100]);
        let before = party.cost();
        let _ = party.truncate_probabilistic(&x, 4).await?;
        let cost = party.cost() - before;
        assert!(party.truncate_probabilistic(&x, 0).await.is_err());
        assert!(party.truncate_probabilistic(&x, 32).await.is_err());
        Ok(cost)
    })
    .unwrap();
    assert!(costs.iter().all(|cost| cost.rounds == 3), "{costs:?}");
    assert!(costs.iter().all(|cost| cost.bytes <= 100 * 5 * 8), "{costs:?}");
    let wide = Config::replicated().with_integer_bits(63);
    let refused = simulate(wide, async |party: &mut Party<Z64, Replicated>| {
        let x = party.public(&[Z64(5)]);
        party.truncate_probabilistic(&x, 4).await.map(|_| ())
    });
    assert!(matches!(refused, Err(Error::Parameter { .. })));
}

/// Fixed-point products of random numbers: the mean error of the exact rounding is below 0.01 units.
/// 20,000 products; the standard error is 0.29/141 = 0.002, so a false alarm is beyond 4.8 sigmas.
#[test]
fn fixed_point_rounding_has_no_bias() {
    use smpc_shares::protocol::FixedPoint;
    let point = FixedPoint::new(8).unwrap();
    let mut state = 7u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        i64::from((state >> 48) as u16) - (1 << 15)
    };
    let (a, b): (Vec<i64>, Vec<i64>) = (0..20_000).map(|_| (random(), random())).unzip();
    let elements = |x: &[i64]| -> Vec<Z64> { x.iter().map(|x| Z64::from(*x)).collect() };
    let results = simulate(Config::replicated(), async |party: &mut Party<Z64, Replicated>| {
        let (x, y) = (party.public(&elements(&a)), party.public(&elements(&b)));
        let product = party.multiply_fixed(&x, &y, point).await?;
        party.open(&product).await
    })
    .unwrap();
    let error = |i: usize| results[0][i].to_i128() as f64 - (a[i] * b[i]) as f64 / 256.0;
    assert!((0..20_000).all(|i| error(i).abs() <= 0.5));
    let mean = (0..20_000).map(error).sum::<f64>() / 20_000.0;
    assert!(mean.abs() < 0.01, "{mean}");
}

/// All 16-bit numbers, truncated exactly by every number of bits.
#[test]
fn exact_truncation_of_all_16_bit_numbers() {
    fn check<R: Ordered, S: Scheme<R>>(config: Config) {
        let all: Vec<i128> = (-(1 << 15)..1 << 15).collect();
        let elements: Vec<R> = all.iter().map(|x| R::from_i128(*x)).collect();
        for by in [1, 5, 8, 15, 16] {
            let results = simulate(config.clone(), async |party: &mut Party<R, S>| {
                let x = party.public(&elements);
                let quotient = party.shift_right(&x, by).await?;
                party.open(&quotient).await
            })
            .unwrap();
            let wrong = all.iter().zip(&results[0]).find(|(x, q)| q.to_i128() != *x >> by);
            assert!(wrong.is_none(), "{wrong:?} >> {by}");
        }
    }
    let config = |config: Config| config.with_integer_bits(16);
    check::<Z64, Replicated>(config(Config::replicated()));
    check::<Mersenne127, Shamir>(config(Config::shamir(3, 1)));
}
