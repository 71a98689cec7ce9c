//! What users get wrong, each with the error that tells them.

use std::time::Duration;

use privacy_core::random::SystemRng;
use smpc_shares::field::{Goldilocks, Mersenne61 as F, Mersenne127, Prime64, Z64};
use smpc_shares::net::{Config, run_threads, simulate};
use smpc_shares::opening::Policy;
use smpc_shares::sharing::bytes::{self, ByteShare};
use smpc_shares::{Active, Error, Party, Replicated, Shamir, ShareVec};

fn rng() -> SystemRng {
    SystemRng::new().unwrap()
}

/// The error, and that its message says so.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Error>, expected: Error, message: &str) {
    let error = result.unwrap_err();
    assert_eq!(error, expected);
    assert!(error.to_string().contains(message), "{error}");
}

#[test]
fn computing_with_a_threshold_of_half_the_parties() {
    for (n, t) in [(4, 2), (5, 3), (2, 1)] {
        let result = simulate(Config::shamir(n, t), async |party: &mut Party<F>| {
            let shared = party.input_from_all(&[F::from(1)]).await?;
            party.multiply(&shared[0], &shared[1]).await.map(|_| ())
        });
        let error = result.unwrap_err();
        let Error::Parameter { parameter, given, .. } = error else { panic!("{error:?}") };
        assert_eq!((parameter, given), ("the threshold of a computation with products", t as u64));
        assert!(error.to_string().contains("less than half of the parties"), "{error}");
    }
}

#[test]
fn a_share_at_point_0_which_is_the_secret_itself() {
    let scheme = Shamir::new(3, 1).unwrap();
    refused(scheme.assemble(0, vec![F::from(5)]), Error::BadParties, "not of distinct parties");
    refused(scheme.assemble(4, vec![F::from(5)]), Error::BadParties, "not of distinct parties");
    let encoding = Error::Encoding { what: "a byte share" };
    refused(ByteShare::from_bytes(&[0, 1, 2]), encoding, "no valid encoding of a byte share");
}

#[test]
fn the_same_share_twice() {
    let scheme = Shamir::new(3, 1).unwrap();
    let shares = scheme.share(&[F::from(5)], &mut rng()).unwrap();
    let twice = [shares[0].clone(), shares[0].clone()];
    refused(scheme.reconstruct(&twice), Error::BadParties, "distinct");
    let shares = bytes::share(&scheme, b"secret", &mut rng()).unwrap();
    let twice = [shares[1].clone(), shares[1].clone()];
    refused(bytes::reconstruct(&scheme, &twice), Error::BadParties, "distinct");
}

#[test]
fn memory_that_does_not_fit_the_shares() {
    let scheme = Shamir::new(3, 1).unwrap();
    let mut memory = [[0; 6]; 4];
    let mut outs: Vec<&mut [u8]> = memory.iter_mut().map(|out| &mut out[..]).collect();
    let result = bytes::share_into(&scheme, b"secret", &mut outs, &mut rng());
    let (parameter, requirement) = ("the number of outputs", "the number of parties");
    let expected = Error::Parameter { parameter, requirement, given: 4 };
    refused(result, expected, "must be the number of parties, but was 4");
    let result = bytes::share_into(&scheme, b"longer", &mut outs[..3], &mut rng());
    assert_eq!(result, Ok(()));
    outs[2] = &mut [];
    let result = bytes::share_into(&scheme, b"secret", &mut outs[..3], &mut rng());
    refused(result, Error::LengthMismatch { left: 6, right: 0 }, "make them equally long");
}

/// Both ways to share are one: what is longer than a block, too, with one stream for all blocks.
#[test]
fn shares_in_given_memory_are_shares() {
    let scheme = Shamir::new(5, 2).unwrap();
    let secret: Vec<u8> = (0..10_000u32).map(|i| ((i * i) >> 3) as u8).collect();
    let mut memory = vec![vec![0; secret.len()]; 5];
    let mut outs: Vec<&mut [u8]> = memory.iter_mut().map(Vec::as_mut_slice).collect();
    bytes::share_into(&scheme, &secret, &mut outs, &mut rng()).unwrap();
    let share = |id: u8| ByteShare::from_bytes(&[&[id], &memory[usize::from(id) - 1][..]].concat());
    let shares: Vec<_> = (1..=5).map(|id| share(id).unwrap()).collect();
    // The surplus is checked.
    assert_eq!(bytes::reconstruct(&scheme, &shares).unwrap(), secret);
    assert!(memory.iter().all(|share| *share != secret));
}

#[test]
fn too_few_shares() {
    let scheme = Shamir::new(5, 2).unwrap();
    let shares = scheme.share(&[F::from(5)], &mut rng()).unwrap();
    let expected = Error::TooFewShares { needed: 3, given: 2 };
    refused(scheme.reconstruct(&shares[..2]), expected, "3 shares are needed");
}

#[test]
fn more_parties_than_the_field_has_points() {
    type Small = Prime64<5>;
    let scheme = Shamir::new(5, 1).unwrap();
    let error = scheme.share(&[Small::from(1)], &mut rng()).unwrap_err();
    assert!(matches!(error, Error::FieldTooSmall { have_bits: 3, .. }), "{error:?}");
    assert!(error.to_string().contains("use a larger field"), "{error}");
    assert!(Shamir::new(4, 1).unwrap().share(&[Small::from(1)], &mut rng()).is_ok());
}

#[test]
fn numbers_too_large_to_be_compared_in_the_field() {
    let result = simulate(Config::shamir(3, 1), async |party: &mut Party<Goldilocks>| {
        let shared = party.input_from_all(&[Goldilocks::from(1u64)]).await?;
        party.less_than(&shared[0], &shared[1]).await.map(|_| ())
    });
    let error = result.unwrap_err();
    assert!(matches!(error, Error::FieldTooSmall { have_bits: 64, .. }), "{error:?}");
    assert!(error.to_string().contains("or smaller numbers"), "{error}");
}

/// Passive shares may outlive their session, as those of a file do; keys of MACs do not.
#[test]
fn shares_of_another_session() {
    type P = Party<F, Active<Shamir>>;
    let config = || Config::shamir(3, 1);
    let kept = simulate(config(), async |party: &mut P| party.input_from_all(&[F::from(1)]).await);
    let kept = kept.unwrap();
    let result = simulate(config(), async |party: &mut P| {
        let fresh = party.input_from_all(&[F::from(1)]).await?;
        let old = kept[party.index()][0].clone();
        party.open(&(&fresh[0] + &old)).await
    });
    refused(result, Error::Mismatch, "different holders or sharings");
}

#[test]
fn the_share_of_another_party() {
    let scheme = Shamir::new(3, 1).unwrap();
    let shares = scheme.share(&[F::from(5)], &mut rng()).unwrap();
    let result = simulate(Config::shamir(3, 1), async |party: &mut Party<F>| {
        party.open(&shares[(party.index() + 1) % 3]).await
    });
    refused(result, Error::Mismatch, "different holders or sharings");
    let sum = &shares[0] + &shares[1];
    let kept: [ShareVec<F>; 2] = [sum.clone(), sum];
    refused(scheme.reconstruct(&kept), Error::Mismatch, "different holders or sharings");
}

#[test]
fn vectors_of_different_lengths() {
    let result = simulate(Config::replicated(), async |party: &mut Party<Z64, Replicated>| {
        let [a, ..] = party.input_from_all_as::<3>(&[Z64(1), Z64(2)]).await?;
        party.multiply(&a, &a.at(0)).await.map(|_| ())
    });
    refused(result, Error::LengthMismatch { left: 2, right: 1 }, "make them equally long");
}

#[test]
fn opening_without_what_the_policy_asks_for() {
    let open = |policy: fn() -> Policy| {
        simulate(Config::shamir(3, 1), async move |party: &mut Party<F>| {
            party.set_policy(policy());
            let shared = party.input_from_all(&[F::from(1)]).await?;
            party.open(&shared[0]).await
        })
    };
    let message = |result: Result<_, Error>| match result {
        Err(Error::OpeningRefused { reason }) => reason,
        other => panic!("{other:?}"),
    };
    assert!(message(open(|| Policy::new().at_least(4))).contains("fewer contributors"));
    assert!(message(open(|| Policy::new().at_most_values(0))).contains("is spent"));
    let paid = || {
        let epsilon = privacy_core::params::Epsilon::new(1.0).unwrap();
        Policy::new()
            .paid_from(std::sync::Arc::new(privacy_core::budget::MemoryBudget::new(epsilon)))
    };
    assert!(message(open(paid)).contains("declare its price"));
}

#[test]
fn a_party_that_never_comes() {
    let config = Config::shamir(3, 1).with_deadline(Duration::from_millis(100));
    let result = run_threads(config, async |party: &mut Party<F>| {
        if party.id() == 2 {
            return Ok(vec![]);
        }
        let shared = party.input_from_all(&[F::from(1)]).await?;
        party.open(&shared[0]).await
    });
    let error = result.unwrap_err();
    assert!(
        matches!(error, Error::Deadline { peer: 2, .. } | Error::PeerGone { peer: 2 }),
        "{error:?}"
    );
    assert!(error.to_string().starts_with("party 2"), "{error}");
}

#[test]
fn a_party_that_goes_on_after_an_error() {
    let result = simulate(Config::shamir(3, 1), async |party: &mut Party<Mersenne127>| {
        let shared = party.input_from_all(&[Mersenne127::from(1u64)]).await?;
        let failed = party.open_to(&shared[0], &[9]).await;
        assert_eq!(failed, Err(Error::BadParties), "there are three");
        party.open(&shared[0]).await
    });
    // That was noticed before anything was sent: the session goes on.
    assert!(result.is_ok(), "{result:?}");
}
