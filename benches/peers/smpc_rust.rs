//! The sides of `benches/peers/smpc.py` that run prio, blahaj and vsss-rs, and the check that reports of prio
//! and of this family are the same bytes.
//!
//! `check` compares, for each kind of task: reports made from the same randomness, verifier shares,
//! verifier messages and output shares must be equal on both sides.

use std::hint::black_box;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use prio::codec::Encode;
use prio::field::Field64;
use prio::flp::gadgets::{Mul, ParallelSum};
use prio::flp::types::SumVec;
use prio::vdaf::prio3::Prio3 as Theirs;
use prio::vdaf::test_utils::TestVectorClient;
use prio::vdaf::xof::XofTurboShake128;
use prio::vdaf::{Aggregator, Client, VdafError, VerifyTransition};
use smpc_shares::field::{NttField, Ring};
use smpc_shares::prio::{Measurement, Prio3 as Ours};

const CONTEXT: &[u8] = b"interoperability";
const KEY: [u8; 32] = [3; 32];

fn main() {
    if std::env::args().nth(1).as_deref() == Some("check") {
        check_all();
        return;
    }
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let (operation, repetitions) = line.split_once(' ').expect("OPERATION REPETITIONS");
        let took = run(operation, repetitions.parse().expect("a number"));
        println!("{} 0", took.as_secs_f64());
        std::io::stdout().flush().expect("a pipe");
    }
}

fn timed(repetitions: u32, mut step: impl FnMut()) -> Duration {
    let begin = Instant::now();
    for _ in 0..repetitions {
        step();
    }
    begin.elapsed()
}

macro_rules! theirs {
    ($task:expr, $measurement:expr, $step:expr, $repetitions:expr) => {{
        let task = $task.expect("a task");
        let (public, inputs) = task.shard(CONTEXT, $measurement, &[0; 16]).expect("a report");
        timed($repetitions, || {
            if $step == "shard" {
                black_box(task.shard(CONTEXT, $measurement, &[0; 16]).expect("a report"));
                return;
            }
            for (id, input) in inputs.iter().enumerate() {
                let ready = task.verify_init(&KEY, CONTEXT, id, &(), &[0; 16], &public, input);
                black_box(ready.expect("a valid report"));
            }
        })
    }};
}

fn run(operation: &str, repetitions: u32) -> Duration {
    let secret = vec![7u8; 1 << 20];
    match operation {
        "blahaj-share" => timed(repetitions, || {
            black_box(blahaj::Sharks(2).dealer(&secret).take(3).collect::<Vec<_>>());
        }),
        "vsss-share" => timed(repetitions, || {
            let shares = vsss_rs::Gf256::split_array(2, 3, &secret, rand::rng());
            black_box(shares.expect("three shares"));
        }),
        "vsss-reconstruct" => {
            let shares = vsss_rs::Gf256::split_array(2, 3, &secret, rand::rng());
            let shares = shares.expect("three shares");
            timed(repetitions, || {
                black_box(vsss_rs::Gf256::combine_array(&shares[..2]).expect("two shares"));
            })
        }
        "blahaj-reconstruct" => {
            let shares: Vec<_> = blahaj::Sharks(2).dealer(&secret).take(2).collect();
            timed(repetitions, || {
                black_box(blahaj::Sharks(2).recover(&shares).expect("two shares"));
            })
        }
        _ => {
            let (kind, step) = operation.rsplit_once('-').expect("KIND-STEP");
            match kind {
                "count" => theirs!(Theirs::new_count(2), &true, step, repetitions),
                "sum" => theirs!(Theirs::new_sum(2, 1000), &77, step, repetitions),
                "average" => theirs!(Theirs::new_average(2, 1000), &77, step, repetitions),
                "l1bound" => theirs!(
                    Theirs::new_l1_bound_sum(2, 1, 1000, 33),
                    &bit(5, 1000),
                    step,
                    repetitions
                ),
                "multiproof" => {
                    theirs!(multiproof(2, 3, 1, 1000, 33), &vec![1; 1000], step, repetitions)
                }
                "histogram" => theirs!(Theirs::new_histogram(2, 1000, 33), &5, step, repetitions),
                _ => theirs!(Theirs::new_sum_vec(2, 1, 1000, 33), &vec![1; 1000], step, repetitions),
            }
        }
    }
}

/// Prio3SumVec over Field64 with several proofs, under the id of the draft's test vectors.
fn multiproof(
    shares: u8,
    proofs: u8,
    max: u64,
    length: usize,
    chunk: usize,
) -> Result<Theirs<SumVec<Field64, ParallelSum<Field64, Mul>>, XofTurboShake128, 32>, VdafError> {
    let circuit = SumVec::new(max, length, chunk).expect("a circuit");
    Theirs::new(shares, proofs, u32::MAX, circuit)
}

/// A vector with a single one.
fn bit(place: usize, length: usize) -> Vec<u128> {
    (0..length).map(|i| u128::from(i == place)).collect()
}

fn random(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2) + 1;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect()
}

/// Both sides shard, and each prepares what the other sharded.
macro_rules! same {
    ($theirs:expr, $ours:expr, $measurement:expr, $mine:expr, $seed:expr) => {{
        let (theirs, ours) = ($theirs.expect("their task"), $ours.expect("our task"));
        let bytes = random(ours.random_bytes(), $seed);
        let nonce: [u8; 16] = random(16, $seed + 77).try_into().expect("16 bytes");
        let report = ours.shard(CONTEXT, &$mine, &nonce, &bytes).expect("our report");
        let (public, inputs) =
            theirs.shard_with_random(CONTEXT, $measurement, &nonce, &bytes).expect("their report");
        assert_eq!(public.get_encoded().expect("bytes"), report.public, "public share");
        let (mut shares, mut messages) = (Vec::new(), Vec::new());
        let (mut their_states, mut states) = (Vec::new(), Vec::new());
        for (id, input) in inputs.iter().enumerate() {
            assert_eq!(input.get_encoded().expect("bytes"), report.inputs[id], "input share {id}");
            let (state, share) = theirs
                .verify_init(&KEY, CONTEXT, id, &(), &nonce, &public, input)
                .expect("their preparation");
            let (own, message) = ours
                .prepare(&KEY, CONTEXT, id as u8, &nonce, &report.public, &report.inputs[id])
                .expect("our preparation");
            assert_eq!(share.get_encoded().expect("bytes"), message, "verifier share {id}");
            shares.push(share);
            messages.push(message);
            their_states.push(state);
            states.push(own);
        }
        let combined = theirs.verifier_shares_to_message(CONTEXT, &(), shares).expect("valid");
        let agreed = ours.combine(CONTEXT, &messages).expect("valid");
        assert_eq!(combined.get_encoded().expect("bytes"), agreed, "verifier message");
        for (state, own) in their_states.into_iter().zip(states) {
            let VerifyTransition::Finish(output) =
                theirs.verify_next(CONTEXT, state, combined.clone()).expect("their output")
            else {
                panic!("one round");
            };
            let mut encoded = Vec::new();
            encode(&ours.finish(own, &agreed).expect("our output"), &mut encoded);
            assert_eq!(output.get_encoded().expect("bytes"), encoded, "output share");
        }
        println!("same bytes: {} ", stringify!($theirs));
    }};
}

fn encode<F: NttField>(values: &[F], out: &mut Vec<u8>) {
    <F as Ring>::encode_all(values, out);
}

fn check_all() {
    for (seed, shares) in [(1u64, 2u8), (2, 3), (3, 5)] {
        for flag in [true, false] {
            same!(Theirs::new_count(shares), Ours::count(shares), &flag, Measurement::Flag(flag), seed);
        }
        for max in [1u64, 2, 5, 1000, 1 << 40] {
            for value in [0, max / 2, max] {
                same!(
                    Theirs::new_sum(shares, max),
                    Ours::sum(shares, max),
                    &value,
                    Measurement::Number(value),
                    seed
                );
            }
        }
        for (length, max, chunk) in [(1, 1, 1), (5, 1, 2), (10, 255, 9), (7, 100, 100), (33, 3, 4)] {
            let values: Vec<u64> = (0..length as u64).map(|i| i % (max + 1)).collect();
            let wide: Vec<u128> = values.iter().map(|value| u128::from(*value)).collect();
            same!(
                Theirs::new_sum_vec(shares, u128::from(max), length, chunk),
                Ours::sum_vec_chunked(shares, length, max, chunk),
                &wide,
                Measurement::Vector(&values),
                seed
            );
        }
        for max in [1u64, 5, 1000, 1 << 50] {
            for value in [0, max / 2, max] {
                same!(
                    Theirs::new_average(shares, u128::from(max)),
                    Ours::average(shares, max),
                    &u128::from(value),
                    Measurement::Number(value),
                    seed
                );
            }
        }
        for (length, max, chunk) in [(1, 1, 1), (4, 7, 3), (10, 255, 9), (7, 100, 100), (33, 40, 4)] {
            // Entries that add up to the maximum, or to less.
            let values: Vec<u64> = (0..length as u64).map(|i| u64::from(i < max)).collect();
            let wide: Vec<u128> = values.iter().map(|value| u128::from(*value)).collect();
            same!(
                Theirs::new_l1_bound_sum(shares, u128::from(max), length, chunk),
                Ours::l1_bound_sum_chunked(shares, length, max, chunk),
                &wide,
                Measurement::Vector(&values),
                seed
            );
        }
        for (length, max, chunk, proofs) in
            [(1, 1, 1, 3), (5, 1, 2, 3), (10, 255, 9, 4), (7, 100, 100, 3), (33, 3, 4, 5)]
        {
            let values: Vec<u64> = (0..length as u64).map(|i| i % (max + 1)).collect();
            same!(
                multiproof(shares, proofs, max, length, chunk),
                Ours::sum_vec_multiproof_chunked(shares, length, max, chunk, proofs),
                &values,
                Measurement::Vector(&values),
                seed
            );
        }
        for (length, chunk) in [(1, 1), (2, 1), (10, 3), (100, 11), (255, 256)] {
            same!(
                Theirs::new_histogram(shares, length, chunk),
                Ours::histogram_chunked(shares, length, chunk),
                &(length - 1),
                Measurement::Bucket(length - 1),
                seed
            );
        }
        for (length, weight, chunk) in [(3, 1, 1), (10, 4, 3), (20, 20, 7)] {
            let flags: Vec<bool> = (0..length).map(|i| i < weight && i % 2 == 0).collect();
            same!(
                Theirs::new_multihot_count_vec(shares, length, weight, chunk),
                Ours::multihot_count_chunked(shares, length, weight, chunk),
                &flags,
                Measurement::Flags(&flags),
                seed
            );
        }
    }
    println!("all reports agree with prio 0.18.1");
}
