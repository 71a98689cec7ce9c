//! Cost contracts: rounds and bytes, counted.

use smpc_shares::field::{Mersenne61 as F, Ring, Z64};
use smpc_shares::net::{Config, Cost, simulate};
use smpc_shares::{Active, Party, Replicated, Scheme, Shamir};

/// The cost of `step` for each party, after inputs of `length` elements.
fn costs<R: Ring + From<u64>, S: Scheme<R>>(
    config: Config,
    length: usize,
    step: impl AsyncFn(&mut Party<R, S>, &[smpc_shares::ShareVec<R, S>]) -> smpc_shares::Result<()>,
) -> Vec<Cost> {
    simulate(config, async |party: &mut Party<R, S>| {
        let shared = party.input_from_all(&vec![R::from(3); length]).await?;
        let before = party.cost();
        step(party, &shared).await?;
        Ok(party.cost() - before)
    })
    .unwrap()
}

#[test]
fn linear_operations_are_free() {
    let free = costs(Config::shamir(5, 2), 100, async |party: &mut Party<F>, x| {
        let y = &x[0] + &x[1] - &x[2] * 5 + 7;
        let _ = (y.total(), y.cumulative(), party.public(&[F::from(1)]), party.random(50).await?);
        Ok(())
    });
    assert!(free.iter().all(|cost| *cost == Cost::default()), "{free:?}");
}

#[test]
fn a_replicated_product_is_one_round_and_eight_bytes() {
    for length in [1, 1000] {
        let cost =
            costs(Config::replicated(), length, async |party: &mut Party<Z64, Replicated>, x| {
                party.multiply(&x[0], &x[1]).await.map(|_| ())
            });
        for cost in cost {
            assert_eq!((cost.rounds, cost.frames, cost.bytes), (1, 1, 8 * length as u64));
        }
    }
}

#[test]
fn an_inner_product_costs_as_much_as_one_product() {
    let cost = costs(Config::replicated(), 5000, async |party: &mut Party<Z64, Replicated>, x| {
        party.dot(&x[0], &x[1]).await.map(|_| ())
    });
    assert!(cost.iter().all(|cost| (cost.rounds, cost.bytes) == (1, 8)), "{cost:?}");
    let cost = costs(Config::shamir(3, 1), 5000, async |party: &mut Party<F>, x| {
        party.dot(&x[0], &x[1]).await.map(|_| ())
    });
    assert!(cost.iter().all(|cost| (cost.rounds, cost.bytes) == (1, 8)), "{cost:?}");
    let cells = costs(Config::shamir(3, 1), 6, async |party: &mut Party<F>, x| {
        party.matrix_product(&x[0], &x[1], (2, 3, 2)).await.map(|_| ())
    });
    assert!(cells.iter().all(|cost| (cost.rounds, cost.bytes) == (1, 4 * 8)), "{cells:?}");
}

#[test]
fn a_shamir_product_sends_n_minus_1_minus_t_elements() {
    for (n, t) in [(3, 1), (4, 1), (5, 1), (5, 2), (7, 2), (7, 3), (9, 4)] {
        let cost = costs(Config::shamir(n, t), 10, async |party: &mut Party<F>, x| {
            party.multiply(&x[0], &x[1]).await.map(|_| ())
        });
        let most = cost.iter().map(|cost| cost.bytes).max();
        assert_eq!(most, Some(80 * (n - 1 - t) as u64), "({n}, {t})");
        assert!(cost.iter().all(|cost| cost.rounds == 1));
    }
}

#[test]
fn openings() {
    let cost = costs(Config::shamir(7, 2), 10, async |party: &mut Party<F>, x| {
        party.open(&x[0]).await.map(|_| ())
    });
    assert!(cost.iter().all(|cost| (cost.rounds, cost.bytes) == (1, 2 * 80)), "{cost:?}");
    let cost = costs(Config::replicated(), 10, async |party: &mut Party<Z64, Replicated>, x| {
        party.open_to(&x[0], &[2]).await.map(|_| ())
    });
    assert_eq!(cost.iter().map(|cost| cost.bytes).sum::<u64>(), 80);
}

#[test]
fn expressions_take_as_many_rounds_as_they_are_deep() {
    let cost = costs(Config::shamir(3, 1), 10, async |party: &mut Party<F>, x| {
        let (a, b, c) = (&x[0], &x[1], &x[2]);
        let z = (a * b + a * c + 4) * (b * c - 1) + a * a;
        let z = party.evaluate(z).await?;
        let opened = party.open(&z).await?;
        assert_eq!(opened, [F::from((9 + 9 + 4) * 8 + 9); 10]);
        Ok(())
    });
    // Two levels of products, all of a level together, and the opening.
    assert_eq!(most(&cost), (3, 10 * 8 * (4 + 1 + 1)));
}

#[test]
fn active_products_cost_twice_the_elements() {
    let cost = costs(Config::shamir(3, 1), 10, async |party: &mut Party<F, Active<Shamir>>, x| {
        party.multiply(&x[0], &x[1]).await.map(|_| ())
    });
    assert!(cost.iter().all(|cost| (cost.rounds, cost.bytes) == (1, 160)), "{cost:?}");
}

/// The rounds of all, and the bytes of the busiest party.
fn most(costs: &[Cost]) -> (u64, u64) {
    assert!(costs.iter().all(|cost| cost.rounds == costs[0].rounds), "{costs:?}");
    (costs[0].rounds, costs.iter().map(|cost| cost.bytes).max().unwrap())
}

/// In 64 elements the bits are whole words: 30 bytes of thermometers an element less 16 in all, 8 of tree,
/// 16 of conversion. Equality needs a smaller tree.
#[test]
fn a_comparison_of_a_whole_vector_takes_eight_rounds() {
    let less = |length: usize| {
        costs(Config::replicated(), length, async |party: &mut Party<Z64, Replicated>, x| {
            party.less_than(&x[0], &x[1]).await.map(|_| ())
        })
    };
    let equal = costs(Config::replicated(), 6400, async |party: &mut Party<Z64, Replicated>, x| {
        party.equal(&x[0], &x[1]).await.map(|_| ())
    });
    let seen = [most(&less(64)), most(&less(6400)), most(&equal)];
    assert_eq!(seen, [(8, 3440), (8, 100 * 3440), (8, 100 * 3192)]);
}

#[test]
fn an_exact_truncation_takes_nine_rounds_and_one_at_random_three() {
    let exact = costs(Config::replicated(), 6400, async |party: &mut Party<Z64, Replicated>, x| {
        party.shift_right(&x[0], 9).await.map(|_| ())
    });
    let random =
        costs(Config::replicated(), 6400, async |party: &mut Party<Z64, Replicated>, x| {
            party.truncate_probabilistic(&x[0], 9).await.map(|_| ())
        });
    assert_eq!([most(&exact), most(&random)], [(9, 100 * 7392), (3, 100 * 2560)]);
}

/// 50 ms round trip: 25 ms a message.
#[test]
fn ten_thousand_fixed_point_comparisons_take_less_than_a_second_at_50_ms() {
    use smpc_shares::net::{Network, Simulation};
    let network = Network { latency: 0.025, bandwidth: 125e6, loss: 0.0 };
    let outcome = Simulation::new(Config::replicated())
        .on(network)
        .run(async |party: &mut Party<Z64, Replicated>| {
            let a = party.public(&vec![Z64(5 << 16); 10_000]);
            let b = party.public(&vec![Z64(6 << 16); 10_000]);
            party.less_than(&a, &b).await.map(|_| ())
        })
        .unwrap();
    assert!(outcome.seconds < 1.0, "{}", outcome.seconds);
    let outcome = Simulation::new(Config::shamir(3, 1))
        .on(network)
        .run(async |party: &mut Party<smpc_shares::field::Mersenne127>| {
            let a = party.public(&vec![5.into(); 10_000]);
            let b = party.public(&vec![6.into(); 10_000]);
            party.less_than(&a, &b).await.map(|_| ())
        })
        .unwrap();
    assert!(outcome.seconds < 1.0, "Shamir: {}", outcome.seconds);
}
