//! All parties in one thread, deterministic, on a network as good or bad as one likes.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use privacy_core::random::{EntropyError, SecureRng, SystemRng};
use sha2::{Digest, Sha256};

use super::link::{Shared, Timed};
use super::{Config, Cost, End, Link, deliver, end, take_outgoing};
use crate::error::{Error, Result};
use crate::field::Ring;
use crate::party::Party;
use crate::security::Scheme;
use crate::stream::{Key, Stream};

/// The network between simulated parties.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Network {
    /// Seconds from sender to receiver: half a round trip.
    pub latency: f64,
    /// Bytes per second of one link, headers included.
    pub bandwidth: f64,
    /// The probability that a frame is lost and sent again after two latencies.
    pub loss: f64,
}

impl Default for Network {
    /// No latency, no limit, no loss.
    fn default() -> Self {
        Network { latency: 0.0, bandwidth: f64::INFINITY, loss: 0.0 }
    }
}

/// A frame on its way, for a [`Simulation::tampered`] hook.
#[derive(Debug)]
pub struct Transit<'a> {
    /// The sender, counted from 1.
    pub from: usize,
    /// The receiver, counted from 1.
    pub to: usize,
    /// How many frames were sent before in the whole simulation.
    pub number: u64,
    /// The whole frame, to change at will.
    pub bytes: &'a mut Vec<u8>,
}

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// It arrives.
    #[default]
    Once,
    /// It arrives twice.
    Twice,
    /// It never arrives.
    Never,
    /// It arrives after the next frame of its link.
    Late,
}

type Hook = Arc<Mutex<dyn FnMut(Transit<'_>) -> Delivery + Send>>;

/// A simulated session: [`Config`], [`Network`], seed and faults.
///
/// ```
/// use smpc_shares::field::Mersenne61 as F;
/// use smpc_shares::net::{Config, Network, Simulation};
/// use smpc_shares::Party;
///
/// let network = Network { latency: 0.025, ..Network::default() };
/// let outcome = Simulation::new(Config::shamir(3, 1)).on(network).run(async |party: &mut Party<F>| {
///     let mine = [F::from(party.id() as u64)];
///     let shared = party.input_from_all(&mine).await?;
///     let product = party.multiply(&shared[0], &shared[1]).await?;
///     party.open(&product).await
/// })?;
/// assert_eq!(outcome.costs[0].rounds, 3); // input, multiplication, opening
/// assert!((outcome.seconds - 0.075).abs() < 1e-9);
/// assert_eq!(outcome.results()?[0], [F::from(2)]);
/// # Ok::<(), smpc_shares::Error>(())
/// ```
pub struct Simulation {
    config: Config,
    network: Network,
    seed: Option<u64>,
    hook: Option<Hook>,
}

/// What a simulation came to.
#[derive(Clone, Debug)]
#[must_use]
pub struct Outcome<T> {
    /// What each party's program returned.
    pub parties: Vec<Result<T>>,
    /// What each party's program cost, without the making of the session.
    pub costs: Vec<Cost>,
    /// Simulated seconds of the program, without the making of the session; computation counts
    /// nothing.
    pub seconds: f64,
}

impl<T> Outcome<T> {
    /// The results of all parties, or the first error.
    ///
    /// # Errors
    ///
    /// The error of the first party that failed.
    pub fn results(self) -> Result<Vec<T>> {
        self.parties.into_iter().collect()
    }
}

/// Randomness that is the same in each run.
struct Replayable(Stream);

impl SecureRng for Replayable {
    fn fill(&mut self, out: &mut [u8]) -> std::result::Result<(), EntropyError> {
        self.0.bytes(out);
        Ok(())
    }
}

/// Runs `program` as each party of a session in this thread and returns what each got.
///
/// # Errors
///
/// The error of the first party that failed.
pub fn simulate<R: Ring, S: Scheme<R>, T>(
    config: Config,
    program: impl AsyncFn(&mut Party<R, S>) -> Result<T>,
) -> Result<Vec<T>> {
    Simulation::new(config).run(program)?.results()
}

impl Simulation {
    /// A session on a perfect network with fresh randomness.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Simulation { config, network: Network::default(), seed: None, hook: None }
    }

    /// On this network.
    #[must_use]
    pub fn on(self, network: Network) -> Self {
        Simulation { network, ..self }
    }

    /// With the same randomness in every run. For tests only: whoever knows the seed knows all
    /// secrets.
    #[must_use]
    pub fn seeded_for_tests_only(self, seed: u64) -> Self {
        Simulation { seed: Some(seed), ..self }
    }

    /// With a hook that sees, changes and withholds frames: a Byzantine party or a broken network.
    #[must_use]
    pub fn tampered(self, hook: impl FnMut(Transit<'_>) -> Delivery + Send + 'static) -> Self {
        Simulation { hook: Some(Arc::new(Mutex::new(hook))), ..self }
    }

    fn rng(&self, party: usize) -> Result<Box<dyn SecureRng>> {
        match self.seed {
            None => Ok(Box::new(SystemRng::new()?)),
            Some(seed) => {
                let mut hash = Sha256::new();
                hash.update(seed.to_le_bytes());
                hash.update((party as u64).to_le_bytes());
                let key = Key::from_bytes(hash.finalize().into());
                Ok(Box::new(Replayable(key.stream("smpc-shares/simulated", &[]))))
            }
        }
    }

    /// Runs `program` as each party.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] or [`Error::FieldTooSmall`] if there can be no such session. What goes
    /// wrong for a single party is in its result.
    pub fn run<R: Ring, S: Scheme<R>, T>(
        &self,
        program: impl AsyncFn(&mut Party<R, S>) -> Result<T>,
    ) -> Result<Outcome<T>> {
        S::validate(&self.config)?;
        let parties = self.config.parties;
        let program = &program;
        let mut shared: Vec<Shared> = Vec::new();
        let mut tasks = Vec::new();
        for me in 0..parties {
            let (link, mailbox) = Link::new(me, parties);
            shared.push(mailbox);
            let rng = self.rng(me)?;
            let config = self.config.clone();
            tasks.push(Box::pin(async move {
                let mut party = Party::<R, S>::start(link, &config, rng).await?;
                let (before, begin) = (party.cost(), party.clock());
                let result = program(&mut party).await;
                Ok((result, party.cost() - before, party.clock() - begin))
            }));
        }
        let ends = self.drive(tasks, &shared);
        let mut outcome = Outcome { parties: Vec::new(), costs: Vec::new(), seconds: 0.0 };
        for end in ends {
            let (result, cost, seconds) = match end {
                Ok(end) => end,
                Err(error) => (Err(error), Cost::default(), 0.0),
            };
            outcome.parties.push(result);
            outcome.costs.push(cost);
            outcome.seconds = outcome.seconds.max(seconds);
        }
        Ok(outcome)
    }

    /// Polls all tasks in turn until all are done.
    fn drive<T>(
        &self,
        mut tasks: Vec<Pin<Box<impl Future<Output = Result<T>>>>>,
        shared: &[Shared],
    ) -> Vec<Result<T>> {
        let mut wires = Wires::new(self, tasks.len());
        let mut done: Vec<Option<Result<T>>> = tasks.iter().map(|_| None).collect();
        let mut cx = Context::from_waker(Waker::noop());
        while done.iter().any(Option::is_none) {
            let mut progress = false;
            for (me, task) in tasks.iter_mut().enumerate() {
                if done[me].is_some() {
                    continue;
                }
                if let Poll::Ready(result) = task.as_mut().poll(&mut cx) {
                    done[me] = Some(result);
                    progress = true;
                }
                for (to, frame) in take_outgoing(&shared[me]) {
                    progress = true;
                    wires.send(me, to, frame, shared);
                }
            }
            if !progress {
                // Nobody can go on: the deadline of whoever waits passes.
                for mailbox in shared {
                    end(mailbox, End::Late);
                }
            }
        }
        done.into_iter().map(|result| result.unwrap_or(Err(Error::Poisoned))).collect()
    }
}

/// The links between all pairs, with what each still has to carry.
struct Wires<'a> {
    simulation: &'a Simulation,
    free_at: Vec<f64>,
    held: Vec<Option<(Vec<u8>, f64)>>,
    luck: Stream,
    parties: usize,
    number: u64,
}

impl<'a> Wires<'a> {
    fn new(simulation: &'a Simulation, parties: usize) -> Self {
        let seed = simulation.seed.unwrap_or(0).to_le_bytes();
        Wires {
            simulation,
            free_at: vec![0.0; parties * parties],
            held: vec![None; parties * parties],
            luck: Stream::derive(&[0; 32], "smpc-shares/network", &[&seed]),
            parties,
            number: 0,
        }
    }

    fn send(&mut self, from: usize, to: usize, frame: Timed, shared: &[Shared]) {
        let network = &self.simulation.network;
        let Timed { mut bytes, time } = frame;
        let wire = from * self.parties + to;
        let begin = time.max(self.free_at[wire]);
        let sent = begin + bytes.len() as f64 / network.bandwidth;
        self.free_at[wire] = sent;
        let mut arrival = sent + network.latency;
        while ((self.luck.word() >> 11) as f64) < network.loss * (1u64 << 53) as f64 {
            arrival += 2.0 * network.latency;
        }
        let transit =
            Transit { from: from + 1, to: to + 1, number: self.number, bytes: &mut bytes };
        self.number += 1;
        let delivery = match &self.simulation.hook {
            Some(hook) => (hook.lock().unwrap_or_else(PoisonError::into_inner))(transit),
            None => Delivery::Once,
        };
        let Some(mailbox) = shared.get(to) else { return };
        match delivery {
            Delivery::Never => return,
            Delivery::Late if self.held[wire].is_none() => {
                self.held[wire] = Some((bytes, arrival));
                return;
            }
            Delivery::Twice => deliver(mailbox, from, bytes.clone(), arrival),
            _ => {}
        }
        deliver(mailbox, from, bytes, arrival);
        if let Some((bytes, time)) = self.held[wire].take() {
            deliver(mailbox, from, bytes, time.max(arrival));
        }
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("config", &self.config)
            .field("network", &self.network)
            .finish_non_exhaustive()
    }
}
