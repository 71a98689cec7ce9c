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

/// Calls `step` with every client, on two threads.
fn by_two(clients: &mut [Client], step: impl Fn(&mut Client) -> Result<()> + Sync) -> Result<()> {
    let (left, right) = clients.split_at_mut(clients.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| left.iter_mut().try_for_each(&step));
        right.iter_mut().try_for_each(&step)?;
        other.join().map_err(|_| Error::Poisoned)?
    })
}

/// A whole session: all clients and the server, on two threads. One client in ten drops out after it has
/// shared its keys; at most one in twenty pools what it sees with others.
fn aggregation(clients: u32, length: usize) -> Result<Duration> {
    let begin = Instant::now();
    let dropped = |id: u32| id % 10 == 9;
    let (degree, threshold) = Graph::parameters(clients, 0.05, 0.1)?;
    let graph = Graph::new(clients, degree, threshold, &[1; 32])?;
    let mut server = Server::new([2; 32], graph.clone(), length);
    let mut rng = SystemRng::new()?;
    let mut all = Vec::new();
    for id in 0..clients {
        let (client, keys) = Client::new(id, [2; 32], graph.clone(), &mut rng)?;
        server.register(id, keys)?;
        all.push(client);
    }
    let mail: Vec<_> = (0..clients).map(|_| Mutex::new(Vec::new())).collect();
    by_two(&mut all, |client| {
        for sealed in client.share(&server.keys_for(client.id()), &mut SystemRng::new()?)? {
            mail[sealed.to as usize].lock().map_err(|_| Error::Poisoned)?.push(sealed);
        }
        Ok(())
    })?;
    let shared = begin.elapsed();
    (0..clients).for_each(|id| server.has_shared(id));
    let server = Mutex::new(server);
    by_two(&mut all, |client| {
        if dropped(client.id()) {
            return Ok(());
        }
        let values: Vec<u32> = (0..length as u32).map(|i| i % 1000 + client.id()).collect();
        let inbox = mail[client.id() as usize].lock().map_err(|_| Error::Poisoned)?;
        let masked = client.masked(&inbox, &values)?;
        server.lock().map_err(|_| Error::Poisoned)?.add(client.id(), &masked)
    })?;
    let masked = begin.elapsed();
    let server = server.into_inner().map_err(|_| Error::Poisoned)?;
    let mut answers = Vec::new();
    for client in all.iter_mut().filter(|client| !dropped(client.id())) {
        let (sent, dropped) = server.question(client.id());
        answers.push(client.reveal(&sent, &dropped)?);
    }
    let sum = server.unmask(&answers, 2)?;
    let took = begin.elapsed();
    let sent = (0..clients).filter(|id| !dropped(*id));
    let (count, ids) = sent.fold((0, 0), |(count, ids), id| (count + 1, ids + id));
    assert!((0..).zip(&sum).all(|(i, sum): (u32, _)| *sum == count * (i % 1000) + ids));
    eprintln!(
        "{clients} clients with {degree} neighbours, of which {threshold} recover a key: {:.2} s of sharing, \
         {:.2} s of masking, {:.2} s of unmasking",
        shared.as_secs_f64(),
        (masked - shared).as_secs_f64(),
        (took - masked).as_secs_f64(),
    );
    Ok(took)
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
        "share-bytes-into" => {
            let secret = vec![7; MEBIBYTE];
            let mut buffers = vec![vec![0; MEBIBYTE]; 3];
            timed(repetitions, || {
                let mut outs: Vec<&mut [u8]> = buffers.iter_mut().map(Vec::as_mut_slice).collect();
                bytes::share_into(&scheme, &secret, black_box(&mut outs), &mut rng)
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
        "aggregation" => aggregation(1000, 100_000),
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
