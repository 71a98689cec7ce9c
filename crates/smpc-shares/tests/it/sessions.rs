//! Sessions: what is replayed, reordered, lost, cut or from another session is refused.

use std::time::Duration;

use smpc_shares::error::FrameFault;
use smpc_shares::field::{Mersenne61 as F, Prime64, Z64};
use smpc_shares::net::{Config, Delivery, Network, Simulation, run_threads, simulate};
use smpc_shares::{Error, Party, Replicated, Result};

async fn program(party: &mut Party<F>) -> Result<Vec<F>> {
    let mine = [F::from(party.id() as u64); 5];
    let shared = party.input_from_all(&mine).await?;
    let product = party.multiply(&shared[0], &shared[1]).await?;
    let product = party.multiply(&product, &shared[2]).await?;
    party.open(&product).await
}

#[test]
fn the_oldest_example_for_all_and_for_one() {
    type G = Prime64<257>;
    let inputs = [10, 200, 100];
    let opened = simulate(Config::shamir(3, 1), async |party: &mut Party<G>| {
        let mine = [G::from(inputs[party.index()])];
        let [a, b, c] = party.input_from_all_as(&mine).await?;
        party.open_to(&(a + b + c), &[2]).await
    })
    .unwrap();
    assert_eq!(opened, [None, Some(vec![G::from(53)]), None]);
}

/// Frames 12 and later are of the program: the setup has two rounds of six.
fn errors(
    hook: impl FnMut(smpc_shares::net::Transit<'_>) -> Delivery + Send + 'static,
) -> Vec<Error> {
    let outcome = Simulation::new(Config::shamir(3, 1)).tampered(hook).run(program).unwrap();
    outcome.parties.into_iter().filter_map(Result::err).collect()
}

fn has_fault(errors: &[Error], wanted: FrameFault) -> bool {
    errors.iter().any(|error| matches!(error, Error::Frame { fault, .. } if *fault == wanted))
}

#[test]
fn replayed_reordered_cut_and_foreign_frames_are_refused() {
    let twice = errors(|t| if t.number == 13 { Delivery::Twice } else { Delivery::Once });
    assert!(has_fault(&twice, FrameFault::Sequence), "{twice:?}");
    let lost = errors(|t| if t.number == 13 { Delivery::Never } else { Delivery::Once });
    assert!(lost.iter().any(|e| matches!(e, Error::Deadline { .. })), "{lost:?}");
    let late = errors(|t| if t.number == 13 { Delivery::Late } else { Delivery::Once });
    assert!(!late.is_empty());
    let cut = errors(|t| {
        if t.number == 13 {
            t.bytes.pop();
        }
        Delivery::Once
    });
    assert!(has_fault(&cut, FrameFault::Length), "{cut:?}");
    let short = errors(|t| {
        if t.number == 13 {
            t.bytes.truncate(7);
        }
        Delivery::Once
    });
    assert!(has_fault(&short, FrameFault::Length), "{short:?}");
    for (range, fault) in [
        (0..1, FrameFault::Version),
        (1..17, FrameFault::Session),
        (17..21, FrameFault::Address),
        (21..29, FrameFault::Step),
        (29..33, FrameFault::Sequence),
        (34..38, FrameFault::Count),
    ] {
        for place in range {
            let got = errors(move |t| {
                if t.number == 13 {
                    t.bytes[place] ^= 0x40;
                }
                Delivery::Once
            });
            assert!(has_fault(&got, fault), "byte {place}: {got:?}");
        }
    }
    let huge = errors(|t| {
        if t.number == 13 {
            let end = t.bytes.len();
            t.bytes[end - 8..].fill(0xff);
        }
        Delivery::Once
    });
    assert!(has_fault(&huge, FrameFault::Element), "{huge:?}");
}

#[test]
fn a_frame_of_another_session_is_refused() {
    use std::sync::{Arc, Mutex};
    let recorded = Arc::new(Mutex::new(Vec::new()));
    let store = Arc::clone(&recorded);
    let first = Simulation::new(Config::shamir(3, 1)).tampered(move |t| {
        if t.number == 13 {
            *store.lock().unwrap() = t.bytes.clone();
        }
        Delivery::Once
    });
    first.run(program).unwrap().results().unwrap();
    let replayed = errors(move |t| {
        if t.number == 13 {
            *t.bytes = recorded.lock().unwrap().clone();
        }
        Delivery::Once
    });
    assert!(has_fault(&replayed, FrameFault::Session), "{replayed:?}");
}

#[test]
fn after_an_error_the_session_is_over() {
    let outcome = Simulation::new(Config::shamir(3, 1))
        .tampered(|t| if t.number == 13 { Delivery::Never } else { Delivery::Once })
        .run(async |party: &mut Party<F>| {
            let first = program(party).await;
            let second = party.input_from_all(&[F::from(1)]).await;
            Ok((first.is_err(), second.map(|_| ()).err()))
        })
        .unwrap();
    let ends = outcome.results().unwrap();
    assert!(ends.iter().any(|(failed, second)| *failed && *second == Some(Error::Poisoned)));
}

#[test]
fn parties_with_different_programs_notice() {
    let result = simulate(Config::shamir(3, 1), async |party: &mut Party<F>| {
        let shared = party.input_from_all(&[F::from(1)]).await?;
        if party.id() == 2 {
            party.open(&shared[0]).await
        } else {
            let product = party.multiply(&shared[0], &shared[1]).await?;
            party.open(&product).await
        }
    });
    assert!(matches!(result, Err(Error::Frame { .. } | Error::Deadline { .. })), "{result:?}");
}

#[test]
fn a_party_that_disappears_is_an_error_within_the_deadline() {
    let config = Config::replicated().with_deadline(Duration::from_millis(200));
    let begin = std::time::Instant::now();
    let result = run_threads(config, async |party: &mut Party<Z64, Replicated>| {
        let shared = party.input_from_all(&[Z64(1)]).await?;
        if party.id() == 3 {
            return Ok(vec![]);
        }
        let product = party.multiply(&shared[0], &shared[1]).await?;
        party.open(&product).await
    });
    assert!(matches!(result, Err(Error::Deadline { .. })), "{result:?}");
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[test]
fn the_network_sets_the_simulated_time() {
    let network = Network { latency: 0.1, bandwidth: 1e3, loss: 0.0 };
    let run = |network| {
        let sim = Simulation::new(Config::shamir(3, 1)).on(network).seeded_for_tests_only(7);
        let outcome = sim.run(program).unwrap();
        (outcome.seconds, outcome.results().unwrap())
    };
    let (seconds, results) = run(network);
    assert!(results.iter().all(|r| *r == [F::from(6); 5]));
    // Four rounds of 0.1 s, and frames of 38 + 40 bytes at 1 kB/s.
    assert!((seconds - 4.0 * (0.1 + 0.078)).abs() < 1e-9, "{seconds}");
    let lossy = Network { loss: 0.3, ..network };
    assert!(run(lossy).0 > seconds);
    assert_eq!(run(lossy).0, run(lossy).0, "the same seed, the same run");
}

#[test]
fn sessions_that_cannot_be_are_refused_before_a_message() {
    type G = Prime64<3>;
    let small = simulate(Config::shamir(3, 1), async |_: &mut Party<G>| Ok(()));
    assert!(matches!(small, Err(Error::FieldTooSmall { .. })));
    let wrong = simulate(Config::shamir(4, 1), async |_: &mut Party<Z64, Replicated>| Ok(()));
    assert!(matches!(wrong, Err(Error::Parameter { .. })));
    let many = simulate(Config::shamir(20, 9), async |_: &mut Party<F>| Ok(()));
    assert!(matches!(many, Err(Error::Parameter { .. })));
    let minority = simulate(Config::shamir(4, 2), async |party: &mut Party<F>| {
        let shared = party.input_from_all(&[F::from(1)]).await?;
        party.multiply(&shared[0], &shared[1]).await.map(|_| ())
    });
    assert!(matches!(minority, Err(Error::Parameter { .. })));
}
