//! Who is whose neighbour, and how large neighbourhoods must be.

use super::ClientId;
use crate::error::{Error, Result};
use crate::sharing::Shamir;
use crate::stream::Stream;

/// Who is whose neighbour, and how many of them recover a key. Public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    pub(super) clients: u32,
    degree: u32,
    pub(super) threshold: u32,
    /// The ring: position of each client, and client at each position.
    position: Vec<u32>,
    client: Vec<u32>,
}

impl Graph {
    /// Clients 0 to `clients - 1` on a ring in the random order that `seed` gives, each with the
    /// `degree` nearest as neighbours (a Harary graph); any `threshold` of them recover its key.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless 3 ≤ clients, 2 ≤ threshold ≤ degree ≤ 254, and the degree is even
    /// or all others.
    pub fn new(clients: u32, degree: u32, threshold: u32, seed: &[u8; 32]) -> Result<Self> {
        let refuse = |parameter, requirement, given: u32| {
            Err(Error::Parameter { parameter, requirement, given: given.into() })
        };
        if !(3..=1 << 24).contains(&clients) {
            return refuse("the number of clients", "between 3 and 2^24", clients);
        }
        let complete = degree == clients - 1;
        if !(2..=254).contains(&degree) || degree >= clients || (degree % 2 == 1 && !complete) {
            return refuse("the degree", "even, at most 254 and less than the clients", degree);
        }
        if threshold < 2 || threshold > degree {
            return refuse("the threshold", "between 2 and the degree", threshold);
        }
        let mut stream = Stream::derive(seed, "smpc-shares/graph", &[]);
        let mut client: Vec<u32> = (0..clients).collect();
        for i in (1..client.len()).rev() {
            let bound = i as u64 + 1;
            let mask = u64::MAX >> bound.leading_zeros();
            let mut chosen = stream.word() & mask;
            while chosen >= bound {
                chosen = stream.word() & mask;
            }
            client.swap(i, chosen as usize);
        }
        let mut position = vec![0; client.len()];
        for (place, id) in (0..).zip(&client) {
            position[*id as usize] = place;
        }
        Ok(Graph { clients, degree, threshold, position, client })
    }

    /// The neighbours of a client, in ascending order; none of a stranger.
    #[must_use]
    pub fn neighbours(&self, id: ClientId) -> Vec<ClientId> {
        let Some(place) = self.position.get(id as usize) else { return Vec::new() };
        let mut all: Vec<u32> = if self.degree == self.clients - 1 {
            (0..self.clients).filter(|other| *other != id).collect()
        } else {
            let steps = (1..=self.degree / 2).flat_map(|step| [step, self.clients - step]);
            steps.map(|step| self.client[((place + step) % self.clients) as usize]).collect()
        };
        all.sort_unstable();
        all
    }

    pub(super) fn scheme(&self) -> Result<Shamir> {
        Shamir::new(self.degree as usize, self.threshold as usize - 1)
    }

    /// The (degree, threshold) that a semi-honest server needs among `clients` of which a fraction
    /// `corrupt` pool what they see and a fraction `dropping` drop out: secrecy and connection of the
    /// graph fail with probability below 2^-40, the sum below 2^-30: two hypergeometric tails, with a union
    /// bound over clients, and clients·(corrupt + dropping)^(degree/2) ≤ 2^-40.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if no degree up to 254 does.
    pub fn parameters(clients: u32, corrupt: f64, dropping: f64) -> Result<(u32, u32)> {
        let n = f64::from(clients);
        let others = clients.saturating_sub(1);
        let bad = (corrupt * n).floor() as u32;
        // Among the others of a client that is alive itself.
        let alive = (((1.0 - dropping) * n).floor() as u32).saturating_sub(1);
        let half_log = (corrupt + dropping).log2() / 2.0;
        for degree in (2..=254.min(others)).step_by(2) {
            if n.log2() + half_log * f64::from(degree) > -40.0 {
                continue;
            }
            let secret = |t: u32| tail(others, bad, degree, t, true) <= (-40f64).exp2() / n;
            let Some(threshold) = (2..=degree).find(|t| secret(*t)) else { continue };
            if tail(others, alive, degree, threshold, false) <= (-30f64).exp2() / n {
                return Ok((degree, threshold));
            }
        }
        Err(Error::Parameter {
            parameter: "the number of clients",
            requirement: "large enough for the fractions of corrupt and dropping ones",
            given: clients.into(),
        })
    }
}

/// P[X ≥ t] or P[X < t] of the hypergeometric distribution.
fn tail(population: u32, marked: u32, drawn: u32, t: u32, above: bool) -> f64 {
    let log_factorial = |n: u32| -> f64 { (1..=n).map(|i| f64::from(i).ln()).sum() };
    let choose = |n: u32, k: u32| {
        if k > n {
            f64::NEG_INFINITY
        } else {
            let (low, high) = (k.min(n - k), n);
            let top: f64 = (0..low).map(|i| f64::from(high - i).ln()).sum();
            top - log_factorial(low)
        }
    };
    let marked = marked.min(population);
    let all = choose(population, drawn);
    let point = |x: u32| (choose(marked, x) + choose(population - marked, drawn - x) - all).exp();
    if above { (t..=drawn).map(point).sum() } else { (0..t).map(point).sum() }
}
