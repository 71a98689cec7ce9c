//! Where protocols run: the simulator in this process, threads, and TLS between machines.
//!
//! A protocol is a state machine that touches no socket, clock or thread: an `async` function that
//! waits for nothing but the frames of its peers. What drives it decides where it runs:
//!
//! - [`simulate`] and [`Simulation`]: all parties in this thread, deterministic, with latency,
//!   bandwidth, loss and faults, and a count of rounds and bytes;
//! - [`run_threads`]: each party on a thread of its own;
//! - `net::tls` (feature `tls`): each party a process, over mutually authenticated TLS.

mod link;
mod simulator;
mod threads;
#[cfg(feature = "tls")]
pub mod tls;

pub(crate) use link::{End, HEADER, Link, Shared, deliver, end, take_outgoing};
pub use simulator::{Delivery, Network, Outcome, Simulation, Transit, simulate};
pub use threads::run_threads;

use std::time::Duration;

use crate::engine::binomial;
use crate::error::{Error, Result};
use crate::sharing::Shamir;

/// Each set has a key; (11, 5) has 462.
const MOST_SETS: usize = 500;

/// Who computes, and what binds the session.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) parties: usize,
    pub(crate) threshold: usize,
    pub(crate) context: Vec<u8>,
    pub(crate) deadline: Duration,
    pub(crate) mask_bits: u32,
    pub(crate) integer_bits: u32,
}

impl Config {
    fn new(parties: usize, threshold: usize) -> Self {
        Config {
            parties,
            threshold,
            context: Vec::new(),
            deadline: Duration::from_secs(30),
            mask_bits: 40,
            integer_bits: 32,
        }
    }

    /// `parties` with Shamir sharing of this `threshold`; checked when a session starts.
    #[must_use]
    pub fn shamir(parties: usize, threshold: usize) -> Self {
        Config::new(parties, threshold)
    }

    /// Three parties with replicated sharing.
    #[must_use]
    pub fn replicated() -> Self {
        Config::new(3, 1)
    }

    /// Binds the session to an application context, such as a study and the hash of its program.
    /// Parties with different contexts do not get a session.
    #[must_use]
    pub fn bound_to(self, context: impl Into<Vec<u8>>) -> Self {
        Config { context: context.into(), ..self }
    }

    /// How long a party waits for the frames of a step; 30 s by default.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Config { deadline, ..self }
    }

    /// Statistical security of masked openings in bits, 40 by default and at least 30: a comparison
    /// reveals at most 2^-bits about its operands.
    #[must_use]
    pub fn with_mask_bits(self, bits: u32) -> Self {
        Config { mask_bits: bits.max(30), ..self }
    }

    /// The size of the signed integers that are compared, divided and truncated, 32 bits by default:
    /// values from -2^(bits-1) to 2^(bits-1) - 1. A value outside gives a wrong result.
    #[must_use]
    pub fn with_integer_bits(self, bits: u32) -> Self {
        Config { integer_bits: bits.clamp(2, 120), ..self }
    }

    pub(crate) fn scheme(&self) -> Result<Shamir> {
        if self.parties > 64 {
            return Err(Error::Parameter {
                parameter: "the number of computing parties",
                requirement: "at most 64",
                given: self.parties as u64,
            });
        }
        let scheme = Shamir::new(self.parties, self.threshold)?;
        let sets = binomial(self.parties, self.threshold);
        if sets > MOST_SETS {
            return Err(Error::Parameter {
                parameter: "the number of sets of parties - threshold parties",
                requirement: "at most 500; use fewer parties or another threshold",
                given: sets as u64,
            });
        }
        Ok(scheme)
    }
}

/// What a party's part of a computation cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cost {
    /// Rounds of communication, those included in which this party had no part.
    pub rounds: u64,
    /// Frames sent.
    pub frames: u64,
    /// Bytes of payload sent, without headers.
    pub bytes: u64,
    /// Values opened, masked ones included.
    pub opened: u64,
}

impl std::ops::Sub for Cost {
    type Output = Cost;
    fn sub(self, before: Cost) -> Cost {
        Cost {
            rounds: self.rounds - before.rounds,
            frames: self.frames - before.frames,
            bytes: self.bytes - before.bytes,
            opened: self.opened - before.opened,
        }
    }
}
