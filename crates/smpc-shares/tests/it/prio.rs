//! Prio3: what is valid is counted, what is not is refused.

use privacy_core::random::SystemRng;
use smpc_shares::Error;
use smpc_shares::field::NttField;
use smpc_shares::prio::{Measurement, Prio3, optimal_chunk};

const KEY: [u8; 32] = [9; 32];

fn run<F: NttField>(task: &Prio3<F>, measurements: &[Measurement<'_>]) -> Vec<i128> {
    let mut rng = SystemRng::new().unwrap();
    let mut totals = vec![task.empty(); task.aggregators().into()];
    for measurement in measurements {
        let (nonce, report) = task.report(b"test", measurement, &mut rng).unwrap();
        let (states, messages): (Vec<_>, Vec<_>) = (0u8..)
            .zip(&report.inputs)
            .map(|(id, input)| {
                task.prepare(&KEY, b"test", id, &nonce, &report.public, input).unwrap()
            })
            .unzip();
        let agreed = task.combine(b"test", &messages).unwrap();
        for (total, state) in totals.iter_mut().zip(states) {
            task.add(total, &task.finish(state, &agreed).unwrap()).unwrap();
        }
    }
    task.unshard(&totals).unwrap()
}

#[test]
fn aggregates_are_sums() {
    for aggregators in [2, 3, 7] {
        let flags = [true, false, true].map(Measurement::Flag);
        assert_eq!(run(&Prio3::count(aggregators).unwrap(), &flags), [2]);
        for max in [1, 2, 3, 1000, (1 << 40) + 5] {
            let numbers = [0, 1, max / 2, max].map(Measurement::Number);
            let expected = i128::from(1 + max / 2 + max);
            assert_eq!(run(&Prio3::sum(aggregators, max).unwrap(), &numbers), [expected]);
        }
        let vectors = [[1, 2, 30], [0, 30, 7]];
        let vectors = vectors.each_ref().map(|v| Measurement::Vector(v));
        assert_eq!(run(&Prio3::sum_vec(aggregators, 3, 30).unwrap(), &vectors), [1, 32, 37]);
        for length in [1, 2, 10, 100] {
            let buckets = [0, length - 1, length - 1].map(Measurement::Bucket);
            let counts = run(&Prio3::histogram(aggregators, length).unwrap(), &buckets);
            assert_eq!(counts.iter().sum::<i128>(), 3);
            assert_eq!(counts[length - 1], if length == 1 { 3 } else { 2 });
        }
        let flags = [[true, false, true, false, true], [false, false, true, false, false]];
        let flags = flags.each_ref().map(|f| Measurement::Flags(f));
        let task = Prio3::multihot_count(aggregators, 5, 3).unwrap();
        assert_eq!(run(&task, &flags), [1, 0, 2, 0, 1]);
        let several = Prio3::sum_vec_multiproof(aggregators, 3, 30, 3).unwrap();
        assert_eq!(run(&several, &vectors), [1, 32, 37]);
        let bounded = Prio3::l1_bound_sum(aggregators, 3, 37).unwrap();
        assert_eq!(run(&bounded, &vectors), [1, 32, 37]);
    }
}

#[test]
fn measurements_of_another_task_are_refused() {
    let mut rng = SystemRng::new().unwrap();
    let refuse = |result: smpc_shares::Result<_>| assert!(result.is_err());
    let histogram = Prio3::histogram(2, 4).unwrap();
    refuse(histogram.report(b"", &Measurement::Bucket(4), &mut rng).map(|_| ()));
    refuse(histogram.report(b"", &Measurement::Number(1), &mut rng).map(|_| ()));
    refuse(Prio3::sum(2, 10).unwrap().report(b"", &Measurement::Number(11), &mut rng).map(|_| ()));
    let multihot = Prio3::multihot_count(2, 3, 1).unwrap();
    refuse(multihot.report(b"", &Measurement::Flags(&[true, true, false]), &mut rng).map(|_| ()));
    let bounded = Prio3::l1_bound_sum(2, 3, 10).unwrap();
    refuse(bounded.report(b"", &Measurement::Vector(&[5, 5, 1]), &mut rng).map(|_| ()));
    let wrapping = [u64::MAX, 1, 1];
    refuse(bounded.report(b"", &Measurement::Vector(&wrapping), &mut rng).map(|_| ()));
    refuse(Prio3::sum_vec_multiproof(2, 3, 10, 2).map(|_| ()));
    refuse(Prio3::sum_vec_multiproof(2, 3, 1 << 63, 3).map(|_| ()));
    refuse(Prio3::count(2).unwrap().with_private_id(7).map(|_| ()));
    refuse(Prio3::count(1).map(|_| ()));
    refuse(Prio3::sum(2, 0).map(|_| ()));
    refuse(Prio3::multihot_count(2, 3, 4).map(|_| ()));
}

/// Whatever single byte a client or the network changes, the report is refused or (in a nonce that
/// binds nothing else) still sums to the right result.
#[test]
fn every_changed_byte_of_a_report_is_noticed() {
    let task = Prio3::histogram(2, 6).unwrap();
    let mut rng = SystemRng::new().unwrap();
    let (nonce, report) = task.report(b"test", &Measurement::Bucket(2), &mut rng).unwrap();
    let verify = |report: &smpc_shares::prio::Report, nonce: &[u8; 16], context: &[u8]| {
        let (mut states, mut messages) = (Vec::new(), Vec::new());
        for (id, input) in (0u8..).zip(&report.inputs) {
            let (state, message) = task.prepare(&KEY, context, id, nonce, &report.public, input)?;
            states.push(state);
            messages.push(message);
        }
        let agreed = task.combine(context, &messages)?;
        states.into_iter().map(|state| task.finish(state, &agreed)).collect::<Result<Vec<_>, _>>()
    };
    assert!(verify(&report, &nonce, b"test").is_ok());
    assert_eq!(verify(&report, &nonce, b"best").unwrap_err(), Error::Verification);
    let mut other = nonce;
    other[3] ^= 1;
    assert_eq!(verify(&report, &other, b"test").unwrap_err(), Error::Verification);
    for place in 0..report.public.len() {
        let mut changed = report.clone();
        changed.public[place] ^= 0x10;
        assert!(verify(&changed, &nonce, b"test").is_err());
    }
    for id in 0..2 {
        for place in 0..report.inputs[id].len() {
            let mut changed = report.clone();
            changed.inputs[id][place] ^= 0x10;
            assert!(verify(&changed, &nonce, b"test").is_err(), "share {id}, byte {place}");
        }
        let mut longer = report.clone();
        longer.inputs[id].push(0);
        assert!(matches!(verify(&longer, &nonce, b"test"), Err(Error::Encoding { .. })));
        let mut shorter = report.clone();
        shorter.inputs[id].pop();
        assert!(matches!(verify(&shorter, &nonce, b"test"), Err(Error::Encoding { .. })));
    }
}

#[test]
fn averages() {
    let task = Prio3::average(2, 100).unwrap();
    let mut rng = SystemRng::new().unwrap();
    let mut totals = [task.empty(), task.empty()];
    for value in [1, 100, 60, 3] {
        let (nonce, report) = task.report(b"", &Measurement::Number(value), &mut rng).unwrap();
        for (id, total) in totals.iter_mut().enumerate() {
            let input = &report.inputs[id];
            let ready = task.prepare(&KEY, b"", id as u8, &nonce, &report.public, input).unwrap();
            task.add(total, &task.finish(ready.0, &[]).unwrap()).unwrap();
        }
    }
    assert_eq!(task.unshard_mean(&totals, 4), Ok(41.0));
    assert!(task.unshard_mean(&totals, 0).is_err());
    let vectors = Prio3::histogram(2, 3).unwrap();
    assert!(vectors.unshard_mean(&[vectors.empty(), vectors.empty()], 4).is_err());
}

/// A client that claims a smaller norm than its vector has is refused: the sum of entries is checked,
/// not the claim. Forged by adding to an entry of the leader's share.
#[test]
fn a_vector_beyond_its_norm_is_refused() {
    let task = Prio3::l1_bound_sum(2, 2, 3).unwrap();
    let mut rng = SystemRng::new().unwrap();
    let (nonce, report) = task.report(b"", &Measurement::Vector(&[1, 1]), &mut rng).unwrap();
    for place in 0..6 {
        let mut forged = report.clone();
        // Element `place` of the encoding: the bits of two entries and of the norm.
        let bit = &mut forged.inputs[0][16 * place];
        *bit = bit.wrapping_add(1);
        let ready: Vec<_> = (0..2u8)
            .map(|id| {
                let input = &forged.inputs[usize::from(id)];
                task.prepare(&KEY, b"", id, &nonce, &forged.public, input).map(|ready| ready.1)
            })
            .collect::<Result<_, _>>()
            .unwrap_or_default();
        assert!(task.combine(b"", &ready).is_err(), "element {place}");
    }
}

/// Derived from the formula of proof lengths: 2·chunk + 2·(2^j - 1) + 1 elements.
#[test]
fn chunks_make_the_shortest_proofs() {
    for (length, chunk) in [(256, 18), (1000, 33), (4096, 66), (10_000, 79), (100_000, 393)] {
        assert_eq!(optimal_chunk(length), chunk);
    }
    for length in 1..500usize {
        let size = |chunk: usize| {
            2 * chunk + 2 * ((1 + length.div_ceil(chunk)).next_power_of_two() - 1) + 1
        };
        let best = (1..=length).map(size).min().unwrap();
        assert_eq!(size(optimal_chunk(length)), best, "{length}");
    }
}
