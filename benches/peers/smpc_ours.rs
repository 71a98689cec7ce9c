//! The side of `benches/peers/smpc.py` that runs this crate. Internal: not an example.
//!
//! Reads lines `OPERATION REPETITIONS` and answers each with a line `SECONDS 0`: the time that all
//! repetitions took, measured here. Computations run with three parties in one thread.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "answers and errors go to pipes")]

use std::hint::black_box;
use std::io::{BufRead, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use privacy_core::random::SystemRng;
use smpc_shares::field::{Goldilocks, Mersenne61, Mersenne127, NttField, Ring, Z64};
use smpc_shares::net::{Config, simulate};
use smpc_shares::prio::{Measurement, Prio3};
use smpc_shares::secagg::{Client, Graph, Server};
use smpc_shares::sharing::bytes;
use smpc_shares::{Error, Party, Replicated, Result, Scheme, Shamir};

/// Secrets that are split and put together at a time.
const SECRETS: usize = 1 << 16;
const MEBIBYTE: usize = 1 << 20;
/// Elements of a vector that is computed on.
const ELEMENTS: usize = 100_000;

fn timed(repetitions: u32, mut step: impl FnMut() -> Result<()>) -> Result<Duration> {
    let begin = Instant::now();
    for _ in 0..repetitions {
        step()?;
    }
    Ok(begin.elapsed())
}

/// The time of `step` alone, without the session and the inputs.
fn computed<R: Ring + From<u64>, S: Scheme<R>>(
    config: Config,
    repetitions: u32,
    length: usize,
    step: impl AsyncFn(&mut Party<R, S>, &[smpc_shares::ShareVec<R, S>]) -> Result<()>,
) -> Result<Duration> {
    let took = Mutex::new(Duration::ZERO);
    simulate(config, async |party: &mut Party<R, S>| {
        let mine: Vec<R> = (0..length as u64).map(|i| R::from(i + party.id() as u64)).collect();
        let shared = party.input_from_all(&mine).await?;
        let begin = Instant::now();
        for _ in 0..repetitions {
            step(party, &shared).await?;
        }
        if let Ok(mut took) = took.lock() {
            *took = (*took).max(begin.elapsed());
        }
        Ok(())
    })?;
    Ok(took.into_inner().unwrap_or_default())
}

fn prio<F: NttField>(
    task: &Prio3<F>,
    measurement: &Measurement<'_>,
    step: &str,
    repetitions: u32,
) -> Result<Duration> {
    let mut rng = SystemRng::new()?;
    let (nonce, report) = task.report(b"bench", measurement, &mut rng)?;
    match step {
        "shard" => timed(repetitions, || {
            black_box(task.report(b"bench", measurement, &mut rng)?);
            Ok(())
        }),
        _ => timed(repetitions, || {
            for id in [0u8, 1] {
                let input = &report.inputs[usize::from(id)];
                black_box(task.prepare(&[1; 32], b"bench", id, &nonce, &report.public, input)?);
            }
            Ok(())
        }),
    }
}

/// The whole session of all clients on two threads, or only the unmasking by the server.
fn aggregation(clients: u32, length: usize, whole: bool) -> Result<Duration> {
    let start = Instant::now();
    let mut rng = SystemRng::new()?;
    let (degree, threshold) = Graph::parameters(clients, 0.05, 0.1)?;
    let graph = Graph::new(clients, degree, threshold, &[1; 32])?;
    let mut server = Server::new([2; 32], graph.clone(), length);
    let mut all = Vec::new();
    for id in 0..clients {
        let (client, keys) = Client::new(id, [2; 32], graph.clone(), &mut rng)?;
        server.register(id, keys)?;
        all.push(client);
    }
    let mut mail = vec![Vec::new(); clients as usize];
    for client in &mut all {
        for sealed in client.share(&server.keys_for(client.id()), &mut rng)? {
            mail[sealed.to as usize].push(sealed);
        }
        server.has_shared(client.id());
    }
    let values = vec![1; length];
    let server = Mutex::new(server);
    // One client in ten drops out.
    let mask = |clients: &mut [Client]| -> Result<()> {
        for client in clients.iter_mut().filter(|client| client.id() % 10 != 9) {
            let masked = client.masked(&mail[client.id() as usize], &values)?;
            server.lock().map_err(|_| Error::Poisoned)?.add(client.id(), &masked)?;
        }
        Ok(())
    };
    let half = all.len() / 2;
    let (left, right) = all.split_at_mut(half);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| mask(left));
        mask(right)?;
        other.join().map_err(|_| Error::Poisoned)?
    })?;
    let server = server.into_inner().map_err(|_| Error::Poisoned)?;
    let mut answers = Vec::new();
    for client in &mut all {
        if client.id() % 10 != 9 {
            let (sent, dropped) = server.question(client.id());
            answers.push(client.reveal(&sent, &dropped)?);
        }
    }
    let begin = if whole { start } else { Instant::now() };
    let sum = server.unmask(&answers, 2)?;
    assert_eq!(sum[0], clients - clients / 10);
    Ok(begin.elapsed())
}

fn run(operation: &str, repetitions: u32) -> Result<Duration> {
    let mut rng = SystemRng::new()?;
    let scheme = Shamir::new(3, 1)?;
    match operation {
        "share-61" | "reconstruct-61" | "reconstruct-61-checked" => {
            let secrets: Vec<Mersenne61> = (0..SECRETS as u64).map(Mersenne61::from).collect();
            let shares = scheme.share(&secrets, &mut rng)?;
            timed(repetitions, || {
                match operation {
                    "share-61" => drop(black_box(scheme.share(&secrets, &mut rng)?)),
                    "reconstruct-61" => drop(black_box(scheme.reconstruct(&shares[..2])?)),
                    _ => drop(black_box(scheme.reconstruct(&shares)?)),
                }
                Ok(())
            })
        }
        "share-64" => {
            let secrets: Vec<Goldilocks> = (0..SECRETS as u64).map(Goldilocks::from).collect();
            timed(repetitions, || {
                black_box(scheme.share(&secrets, &mut rng)?);
                Ok(())
            })
        }
        "share-bytes" | "reconstruct-bytes" => {
            let secret = vec![7; MEBIBYTE];
            let shares = bytes::share(&scheme, &secret, &mut rng)?;
            timed(repetitions, || {
                if operation == "share-bytes" {
                    black_box(bytes::share(&scheme, &secret, &mut rng)?);
                } else {
                    black_box(bytes::reconstruct(&scheme, &shares[..2])?);
                }
                Ok(())
            })
        }
        "multiply-replicated" => computed(
            Config::replicated(),
            repetitions,
            ELEMENTS,
            async |party: &mut Party<Z64, Replicated>, x| {
                party.multiply(&x[0], &x[1]).await.map(|product| drop(black_box(product)))
            },
        ),
        "multiply-shamir" => computed(
            Config::shamir(3, 1),
            repetitions,
            ELEMENTS,
            async |party: &mut Party<Mersenne61>, x| {
                party.multiply(&x[0], &x[1]).await.map(|product| drop(black_box(product)))
            },
        ),
        "less-replicated" => computed(
            Config::replicated(),
            repetitions,
            ELEMENTS,
            async |party: &mut Party<Z64, Replicated>, x| {
                party.less_than(&x[0], &x[1]).await.map(|less| drop(black_box(less)))
            },
        ),
        "less-shamir" => computed(
            Config::shamir(3, 1),
            repetitions,
            2000,
            async |party: &mut Party<Mersenne127>, x| {
                party.less_than(&x[0], &x[1]).await.map(|less| drop(black_box(less)))
            },
        ),
        "aggregation" => aggregation(1000, 100_000, false),
        "aggregation-whole" => aggregation(1000, 100_000, true),
        _ => {
            let (kind, step) = operation.rsplit_once('-').unwrap_or((operation, ""));
            match kind {
                "count" => prio(&Prio3::count(2)?, &Measurement::Flag(true), step, repetitions),
                "sum" => prio(&Prio3::sum(2, 1000)?, &Measurement::Number(77), step, repetitions),
                "histogram" => {
                    prio(&Prio3::histogram(2, 1000)?, &Measurement::Bucket(5), step, repetitions)
                }
                "average" => {
                    prio(&Prio3::average(2, 1000)?, &Measurement::Number(77), step, repetitions)
                }
                "l1bound" => {
                    let values: Vec<u64> = (0..1000).map(|i| u64::from(i == 5)).collect();
                    let task = Prio3::l1_bound_sum(2, 1000, 1)?;
                    prio(&task, &Measurement::Vector(&values), step, repetitions)
                }
                "multiproof" => {
                    let task = Prio3::sum_vec_multiproof(2, 1000, 1, 3)?;
                    prio(&task, &Measurement::Vector(&[1; 1000]), step, repetitions)
                }
                _ => {
                    let task = Prio3::sum_vec(2, 1000, 1)?;
                    prio(&task, &Measurement::Vector(&[1; 1000]), step, repetitions)
                }
            }
        }
    }
}

fn main() {
    for line in std::io::stdin().lock().lines().map_while(std::result::Result::ok) {
        let (operation, repetitions) = line.split_once(' ').unwrap_or((&line, "1"));
        match run(operation, repetitions.parse().unwrap_or(1)) {
            Ok(took) => println!("{} 0", took.as_secs_f64()),
            Err(error) => {
                eprintln!("{operation}: {error}");
                std::process::exit(1);
            }
        }
        let _ = std::io::stdout().flush();
    }
}
