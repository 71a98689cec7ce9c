//! Computing on shares beside the same computation on plain integers.

use smpc_shares::field::{
    Field128, Goldilocks, Mersenne61, Mersenne127, Prime64, PrimeField, Ring, Z64,
};
use smpc_shares::net::{Config, simulate};
use smpc_shares::{Party, Replicated, Scheme, Shamir};

fn products<R: Ring + From<u64>, S: Scheme<R>>(config: Config) {
    let results = simulate(config, async |party: &mut Party<R, S>| {
        let mine: Vec<R> = (0..50u64).map(|i| R::from(i * 1_000_003 + party.id() as u64)).collect();
        let shared = party.input_from_all(&mine).await?;
        let product = party.multiply(&shared[0], &shared[1]).await?;
        let cube = party.multiply(&product, &shared[2]).await?;
        let dot = party.dot(&shared[0], &shared[2]).await?;
        party.open(&cube.chain(&dot)).await
    })
    .unwrap();
    let plain = |id: u64| (0..50u64).map(move |i| R::from(i * 1_000_003 + id));
    let mut expected: Vec<R> =
        plain(1).zip(plain(2)).zip(plain(3)).map(|((a, b), c)| a * b * c).collect();
    expected.push(plain(1).zip(plain(3)).map(|(a, c)| a * c).sum());
    assert!(results.iter().all(|result| *result == expected));
}

#[test]
fn products_for_all_parties_and_thresholds() {
    for n in 3..=9usize {
        for t in 1..n.div_ceil(2) {
            products::<Mersenne61, Shamir>(Config::shamir(n, t));
        }
    }
    products::<Prime64<257>, Shamir>(Config::shamir(5, 2));
    products::<Goldilocks, Shamir>(Config::shamir(3, 1));
    products::<Field128, Shamir>(Config::shamir(4, 1));
    products::<Mersenne127, Replicated>(Config::replicated());
    products::<Z64, Replicated>(Config::replicated());
}

/// Random shares are shares of one value, and not of the same one twice.
#[test]
fn random_shares_agree_and_differ() {
    fn check<F: PrimeField, S: Scheme<F>>(config: Config) {
        let results = simulate(config, async |party: &mut Party<F, S>| {
            let (a, b) = (party.random(3).await?, party.random(3).await?);
            Ok([party.open(&a).await?, party.open(&b).await?].concat())
        })
        .unwrap();
        assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
        assert!((0..6).all(|i| (0..i).all(|j| results[0][i] != results[0][j])));
    }
    for (n, t) in [(3, 1), (4, 1), (5, 2), (9, 4)] {
        check::<Mersenne61, Shamir>(Config::shamir(n, t));
    }
    check::<Mersenne61, Replicated>(Config::replicated());
}
