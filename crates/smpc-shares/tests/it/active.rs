//! Active security: whatever one party changes in what it sends, nobody accepts a wrong result.

use std::sync::{Arc, Mutex};

use smpc_shares::field::{Field128, Goldilocks, Mersenne61, Mersenne127, Prime64, PrimeField};
use smpc_shares::net::{Config, Delivery, Simulation, simulate};
use smpc_shares::{Active, Error, Party, Replicated, Result, Scheme, Shamir};

async fn program<F: PrimeField + From<u64>, S: Scheme<F>>(
    party: &mut Party<F, S>,
) -> Result<Vec<F>> {
    let mine = [F::from(party.id() as u64 + 4), F::from(7u64)];
    let shared = party.input_from_all(&mine).await?;
    let product = party.multiply(&shared[0], &shared[1]).await?;
    let product = party.multiply(&(product + 3), &shared[2]).await?;
    let first = party.open(&product.total()).await?;
    // What was computed before an opening is used after it.
    let again = party.square(&product).await?;
    let second = party.open(&again.total()).await?;
    Ok([first, second].concat())
}

fn expected<F: From<u64>>() -> Vec<F> {
    // (5·6 + 3)·7 = 231 and (7·7 + 3)·7 = 364.
    vec![F::from(595u64), F::from(231 * 231 + 364 * 364)]
}

#[test]
fn honest_parties_get_the_result() {
    fn check<F: PrimeField + From<u64>, S: Scheme<F>>(config: Config) {
        let results = simulate(config, program::<F, S>).unwrap();
        assert!(results.iter().all(|result| *result == expected::<F>()));
    }
    check::<Mersenne61, Active<Replicated>>(Config::replicated());
    check::<Field128, Active<Shamir>>(Config::shamir(3, 1));
    for n in 3..=9usize {
        for t in 1..n.div_ceil(2) {
            check::<Goldilocks, Active<Shamir>>(Config::shamir(n, t));
        }
    }
}

#[test]
fn small_fields_have_no_macs() {
    let result =
        simulate(Config::shamir(3, 1), async |_: &mut Party<Prime64<257>, Active<Shamir>>| Ok(()));
    assert_eq!(result.unwrap_err(), Error::FieldTooSmall { need_bits: 41, have_bits: 9 });
}

/// One flipped byte in one frame: some honest party stops, and no honest party gets another result.
fn flips<F: PrimeField, S: Scheme<F>>(
    config: &Config,
    runs: u64,
    program: impl AsyncFn(&mut Party<F, S>) -> Result<Vec<F>>,
    expected: &[F],
) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let store = Arc::clone(&seen);
    let simulation = Simulation::new(config.clone()).tampered(move |t| {
        store.lock().unwrap().push((t.from, t.bytes.len()));
        Delivery::Once
    });
    let honest = simulation.run(&program).unwrap().results().unwrap();
    assert!(honest.iter().all(|result| result == expected));
    let frames = seen.lock().unwrap().clone();
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move |bound: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((u128::from(state) * bound as u128) >> 64) as usize
    };
    for run in 0..runs {
        let number = random(frames.len());
        let (cheater, length) = frames[number];
        let (place, mask) = (random(length), 1 + random(255) as u8);
        let simulation =
            Simulation::new(config.clone()).seeded_for_tests_only(run).tampered(move |t| {
                if t.number == number as u64 {
                    let place = place % t.bytes.len();
                    t.bytes[place] ^= mask;
                }
                Delivery::Once
            });
        let outcome = simulation.run(&program).unwrap();
        let honest: Vec<_> = (1..).zip(outcome.parties).filter(|(id, _)| *id != cheater).collect();
        let stopped = honest.iter().filter(|(_, result)| result.is_err()).count();
        assert!(stopped > 0, "run {run}: byte {place} of frame {number} went unnoticed");
        for (_, result) in honest {
            if let Ok(result) = result {
                assert_eq!(result, expected, "run {run}: a wrong result was accepted");
            }
        }
    }
}

/// `SMPC_FLIPS=N` makes N runs.
fn runs() -> u64 {
    std::env::var("SMPC_FLIPS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(10_000)
}

/// 10,000 runs over three configurations; a flip goes unnoticed with probability about 2^-60 each.
#[test]
fn ten_thousand_flipped_bytes_are_detected() {
    let check = runs() * 2 / 5;
    let (three, four) = (Config::shamir(3, 1), Config::shamir(4, 1));
    let replicated = Config::replicated();
    flips::<Mersenne61, Active<Replicated>>(&replicated, check, program, &expected());
    flips::<Mersenne61, Active<Shamir>>(&three, check, program, &expected());
    flips::<Goldilocks, Active<Shamir>>(&four, check / 2, program, &expected());
}

/// A program with every kind of message: random bits, masked openings, comparisons, triples.
async fn long_program<S: Scheme<Mersenne127>>(
    party: &mut Party<Mersenne127, S>,
) -> Result<Vec<Mersenne127>> {
    let shared = party.input_from_all(&[Mersenne127::from(party.id() as u64 * 20)]).await?;
    let less = party.less_than(&shared[0], &shared[1]).await?;
    let same = party.equal(&shared[1], &shared[2]).await?;
    let triples = party.triples(1).await?;
    let product = party.multiply_with(&shared[1], &shared[2], triples).await?;
    let cut = party.truncate_probabilistic(&(&shared[2] * 2), 2).await?;
    party.open(&less.chain(&same).chain(&product).chain(&cut)).await
}

/// One run in a hundred of the test above, each with ten times as many messages.
#[test]
fn flipped_bytes_of_comparisons_are_detected() {
    let expected = [1, 0, 2400, 30].map(Mersenne127::from);
    let check = runs() / 100;
    let small = |config: Config| config.with_integer_bits(9);
    let (three, replicated) = (small(Config::shamir(3, 1)), small(Config::replicated()));
    flips::<_, Active<Replicated>>(&replicated, check, long_program, &expected);
    flips::<_, Active<Shamir>>(&three, check, long_program, &expected);
}

/// The test above can fail: without MACs a flip in a product changes the result.
#[test]
fn passive_security_does_not_notice() {
    let outcome = Simulation::new(Config::replicated())
        .tampered(|t| {
            if t.number == 16 {
                let end = t.bytes.len();
                t.bytes[end - 8] ^= 1;
            }
            Delivery::Once
        })
        .run(program::<Mersenne61, Replicated>)
        .unwrap();
    let results = outcome.results().unwrap();
    assert!(results.iter().any(|result| *result != expected::<Mersenne61>()));
}
