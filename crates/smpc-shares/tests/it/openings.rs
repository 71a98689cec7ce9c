//! Openings: paid, recorded, or refused before a share leaves.

use std::sync::Arc;

use privacy_core::Result as CoreResult;
use privacy_core::audit::{AuditRecord, Outcome, RecordId};
use privacy_core::measure::Charge;
use privacy_core::prelude::*;
use smpc_shares::field::{Mersenne61 as F, Ring, Z64};
use smpc_shares::net::{Config, simulate};
use smpc_shares::opening::{Policy, Price};
use smpc_shares::protocol::NoisyOpening;
use smpc_shares::{Error, Party, Replicated};

fn scope() -> Scope {
    Scope::of::<User, AddRemove>()
}

fn price(name: &str, epsilon: f64) -> Price {
    Price {
        request: RequestId::new(name),
        charge: Charge::from(Epsilon::new(epsilon).unwrap()),
        scope: scope(),
    }
}

#[test]
fn an_opening_is_paid_and_recorded_before_it_happens() {
    let budget = Arc::new(MemoryBudget::new(Epsilon::new(1.0).unwrap()));
    let trail = MemoryAudit::new();
    let ends = simulate(Config::shamir(3, 1), async |party: &mut Party<F>| {
        let shared = party.input_from_all(&[F::from(1)]).await?;
        let sum = &shared[0] + &shared[1] + &shared[2];
        // The first party keeps the account; the others permit whatever it pays for.
        if party.id() == 1 {
            let policy = Policy::new().at_least(3).paid_from(budget.clone());
            party.set_policy(policy.audited(trail.clone(), Actor::new("party 1")));
            party.declare("weekly sum", 2);
            party.declare_price(price("too few", 0.4));
            let few = party.open(&sum).await.unwrap_err();
            party.declare("weekly sum", 3);
            let unpriced = party.open(&sum).await.unwrap_err();
            party.declare_price(price("too much", 1.5));
            let much = party.open(&sum).await.unwrap_err();
            party.declare_price(price("week 1", 0.6));
            let cost = party.cost();
            let opened = party.open(&sum).await?;
            assert_eq!(party.cost().rounds, cost.rounds + 1);
            party.declare_price(price("week 1", 0.1));
            let again = party.open(&sum).await.unwrap_err();
            return Ok((opened, vec![few, unpriced, much, again]));
        }
        Ok((party.open(&sum).await?, Vec::new()))
    })
    .unwrap();
    assert!(ends.iter().all(|(opened, _)| *opened == [F::from(3)]));
    let errors = &ends[0].1;
    assert!(matches!(errors[0], Error::OpeningRefused { .. }), "{errors:?}");
    assert!(matches!(errors[1], Error::OpeningRefused { .. }));
    assert!(matches!(errors[2], Error::Budget(_)));
    assert!(matches!(errors[3], Error::Budget(_)), "the same request twice");
    assert_eq!(budget.remaining().unwrap().to_string(), "ε = 0.4");
    let outcomes: Vec<Outcome> = trail.records().iter().map(|record| record.outcome).collect();
    let expected =
        [Outcome::Denied, Outcome::Refused, Outcome::Refused, Outcome::Completed, Outcome::Refused];
    assert_eq!(outcomes, expected);
    let paid = &trail.records()[3];
    assert_eq!(paid.request, Some(RequestId::new("week 1")));
    assert!(paid.guarantee.is_differentially_private());
}

/// A trail that cannot be written.
struct Broken;

impl AuditSink for Broken {
    fn append(&self, _: AuditRecord) -> CoreResult<RecordId> {
        Err(privacy_core::Error::Missing { setting: "a disk", remedy: "mend it" })
    }
}

#[test]
fn what_cannot_be_recorded_is_not_opened() {
    let budget = Arc::new(MemoryBudget::new(Epsilon::new(1.0).unwrap()));
    let refused = simulate(Config::shamir(3, 1), async |party: &mut Party<F>| {
        let shared = party.input_from_all(&[F::from(1)]).await?;
        let policy = Policy::new().paid_from(budget.clone());
        party.set_policy(policy.audited(Broken, Actor::new("party")));
        party.declare_price(price(&format!("party {}", party.id()), 0.25));
        let cost = party.cost();
        let error = party.open(&shared[0]).await.unwrap_err();
        assert_eq!(party.cost(), cost, "nothing was sent");
        Ok(error)
    })
    .unwrap();
    assert!(refused.iter().all(|error| matches!(error, Error::OpeningRefused { .. })));
    // The safe side: the budget is spent though nothing was opened.
    assert_eq!(budget.remaining().unwrap().to_string(), "ε = 0.25");
}

/// The whole of it: noise that nobody knows, its price, a budget at each party, until it is spent.
#[test]
fn noisy_openings_spend_the_budget_until_it_is_gone() {
    let limit = (Epsilon::new(1.0).unwrap(), Delta::new(1e-9).unwrap());
    let opened = simulate(Config::replicated(), async |party: &mut Party<Z64, Replicated>| {
        let budget = Arc::new(MemoryBudget::new(limit.clone()));
        party.set_policy(Policy::new().at_least(100).paid_from(budget.clone()));
        party.declare("visits", 3000);
        let [a, b, c] = party.input_from_all_as(&[Z64(1000)]).await?;
        let sum = a + b + c;
        let mut seen = Vec::new();
        for week in 0..3 {
            let release = NoisyOpening {
                request: RequestId::new(format!("week {week}")),
                sensitivity: 1,
                scale: 2.0,
                scope: scope(),
            };
            match party.open_with_noise(&sum, release).await {
                Ok(values) => seen.push(values[0].to_i128()),
                Err(error) => return Ok((seen, error, budget.remaining().unwrap().to_string())),
            }
        }
        unreachable!("two releases at ε = 1/2 spend ε = 1")
    })
    .unwrap();
    for (seen, error, left) in &opened {
        assert_eq!(seen, &opened[0].0, "all see the same");
        assert_eq!(seen.len(), 2);
        // The noise is beyond 67·scale with probability 0; beyond 60 with less than 1e-12.
        assert!(seen.iter().all(|value| (value - 3000).abs() < 60));
        assert!(matches!(error, Error::Budget(_)));
        assert!(left.starts_with("ε = 0"), "{left}");
    }
}

fn at_scale(name: &str, scale: f64) -> NoisyOpening {
    NoisyOpening { request: RequestId::new(name), sensitivity: 1, scale, scope: scope() }
}

/// Noise of scales 1/8 and 1/4 stays below 67/8 + 2 and 67/4 + 2, so that counts 30 from the threshold
/// decide.
#[test]
fn noisy_maxima_are_the_greatest_candidates_that_enough_reach() {
    async fn program<S: smpc_shares::Scheme<M>>(
        party: &mut Party<M, S>,
    ) -> smpc_shares::Result<Vec<Option<i64>>> {
        // 60 elements of 10, 60 of 20, and 60 of 20 but one of 90.
        let mine = |i: u64| {
            if party.id() == 1 { 10 } else { if i == 0 { 20 * party.id() as u64 } else { 20 } }
        };
        let mine: Vec<M> = (0..60).map(|i| M::from(mine(i))).collect();
        let all = party.input_from_all(&mine).await?;
        let all = all[0].chain(&all[1]).chain(&all[2]);
        let mut seen = Vec::new();
        for (candidates, reached_by) in [
            (&[0, 5, 15, 25, 50][..], 90),
            (&[0, 5, 15, 25, 50], 150),
            (&[25, 50], 90),
            (&[20], 90),
        ] {
            let all = party.renewed(&all).await?;
            let release = at_scale("maximum", 0.125);
            seen.push(party.open_noisy_maximum(&all, candidates, reached_by, release).await?);
        }
        Ok(seen)
    }
    use smpc_shares::field::Mersenne127 as M;
    let expected = vec![Some(15), Some(5), None, Some(20)];
    let passive = simulate(Config::shamir(3, 1), program::<smpc_shares::Shamir>).unwrap();
    assert_eq!(passive, [(); 3].map(|()| expected.clone()));
    let config = || Config::replicated().with_integer_bits(12);
    let active = simulate(config(), program::<smpc_shares::Active<Replicated>>).unwrap();
    assert_eq!(active, [(); 3].map(|()| expected.clone()));
}

/// The price is ε = 2·sensitivity/scale, however many candidates there are, and refused beyond the budget
/// before anything is opened.
#[test]
fn noisy_maxima_have_their_price() {
    let left = simulate(Config::replicated(), async |party: &mut Party<Z64, Replicated>| {
        let limit = (Epsilon::new(1.0).unwrap(), Delta::new(1e-9).unwrap());
        let budget = Arc::new(MemoryBudget::new(limit));
        party.set_policy(Policy::new().paid_from(budget.clone()));
        let [a, b, c] = party.input_from_all_as(&[Z64(5); 100]).await?;
        let all = a.chain(&b).chain(&c);
        let candidates: Vec<i64> = (0..50).collect();
        party.open_noisy_maximum(&all, &candidates, 100, at_scale("first", 8.0)).await?;
        let left = budget.remaining().unwrap().to_string();
        let refused = party.open_noisy_maximum(&all, &candidates, 100, at_scale("more", 2.0)).await;
        assert!(matches!(refused, Err(Error::Budget(_))), "{refused:?}");
        for bad in [&[][..], &[3, 3], &[4, 3]] {
            let refused = party.open_noisy_maximum(&all, bad, 9, at_scale("bad", 8.0)).await;
            assert!(matches!(refused, Err(Error::Parameter { .. })));
        }
        Ok(left)
    })
    .unwrap();
    assert!(left.iter().all(|left| left.starts_with("ε = 0.75")), "{left:?}");
}

#[test]
fn the_price_of_noise_is_what_its_law_says() {
    let charges = simulate(Config::replicated(), async |party: &mut Party<Z64, Replicated>| {
        let drawn = party.discrete_laplace(3, 4.0).await?;
        assert!(drawn.charge(0).is_err());
        assert!(drawn.charge(4000).is_err());
        Ok((drawn.charge(2)?, drawn.distance))
    })
    .unwrap();
    let (charge, distance) = &charges[0];
    let cost = charge.in_approximate().unwrap();
    assert_eq!(cost.epsilon, "0.5".parse().unwrap());
    let delta = (1.0 + 0.5f64.exp()) * 3.0 * distance;
    assert!((delta..delta * 1.000_001).contains(&cost.delta.to_f64_up()));
}
