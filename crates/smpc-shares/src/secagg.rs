//! Secure aggregation: a server learns the sum of many clients' vectors, and nothing else, though
//! clients drop out (Bonawitz et al. 2017, <https://eprint.iacr.org/2017/281>), on a sparse graph
//! (Bell et al. 2020, <https://eprint.iacr.org/2020/704>).
//!
//! Each client masks its vector with a key of its own and one for each neighbour, added by one of the
//! two and subtracted by the other. Keys of masks are shared among the neighbours: for a client that
//! sent its vector they give the server its own mask, for one that dropped out the pairwise ones, and
//! never both.
//!
//! # Security
//!
//! Against a server that follows the protocol and clients that pool what they see, fewer than the
//! threshold among the neighbours of any client. A server that lies about who dropped out is noticed
//! by a client only where the two lists it is shown overlap, name strangers or are too short. Sums are
//! modulo 2^32: keep clients times maximum below. The sum itself is not protected; add noise.

use std::collections::{BTreeMap, BTreeSet};

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::traits::Identity;
use curve25519_dalek::{RistrettoPoint, Scalar};
use privacy_core::random::SecureRng;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::field::Domain;
use crate::sharing::Shamir;
use crate::sharing::bytes::{self, ByteShare};
use crate::sharing::verifiable::ScalarField;
use crate::stream::{Stream, prf};

/// A client's number in the session.
pub type ClientId = u32;

/// Who is whose neighbour, and how many of them recover a key. Public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    clients: u32,
    degree: u32,
    threshold: u32,
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

    fn scheme(&self) -> Result<Shamir> {
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

/// A client's public keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKeys {
    /// For encrypting shares to it.
    pub encryption: [u8; 32],
    /// For the pairwise masks.
    pub masking: [u8; 32],
}

/// Encrypted shares from one client to another, passed on by the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Who sends it.
    pub from: ClientId,
    /// Who can read it.
    pub to: ClientId,
    /// The ciphertext.
    pub bytes: Vec<u8>,
}

/// What a client reveals about one neighbour: a share of its own mask's key if it sent its vector, of
/// its pairwise masks' key if it dropped out.
#[derive(Clone)]
pub struct Revealed {
    /// Who reveals.
    pub from: ClientId,
    /// Shares of own-mask keys, by owner.
    pub own: Vec<(ClientId, ByteShare)>,
    /// Shares of masking keys, by owner.
    pub pairwise: Vec<(ClientId, ByteShare)>,
}

impl std::fmt::Debug for Revealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Revealed").field("from", &self.from).finish_non_exhaustive()
    }
}

fn decode(bytes: &[u8; 32]) -> Result<RistrettoPoint> {
    CompressedRistretto(*bytes)
        .decompress()
        .filter(|point| *point != RistrettoPoint::identity())
        .ok_or(Error::Encoding { what: "a public key" })
}

/// The key that two clients agree on.
fn agreed(
    session: &[u8; 32],
    purpose: &str,
    secret: &Scalar,
    theirs: &[u8; 32],
    roles: (ClientId, ClientId),
) -> Result<Zeroizing<[u8; 32]>> {
    let shared = Zeroizing::new((decode(theirs)? * secret).compress().to_bytes());
    let (a, b) = (roles.0.to_le_bytes(), roles.1.to_le_bytes());
    Ok(Zeroizing::new(prf(&shared, purpose, &[session, &a, &b])))
}

/// Adds or subtracts the stream of a key.
fn mask(values: &mut [u32], key: &[u8; 32], negative: bool) {
    let mut stream = Stream::derive(key, "smpc-shares/mask", &[]);
    let mut block = Zeroizing::new([0u8; 8192]);
    for values in values.chunks_mut(2048) {
        let bytes = &mut block[..values.len().div_ceil(2) * 8];
        stream.bytes(bytes);
        let words = bytes.as_chunks::<4>().0;
        if negative {
            for (value, word) in values.iter_mut().zip(words) {
                *value = value.wrapping_sub(u32::from_le_bytes(*word));
            }
        } else {
            for (value, word) in values.iter_mut().zip(words) {
                *value = value.wrapping_add(u32::from_le_bytes(*word));
            }
        }
    }
}

fn mask_key(
    session: &[u8; 32],
    secret: &Scalar,
    theirs: &[u8; 32],
    pair: (ClientId, ClientId),
) -> Result<Zeroizing<[u8; 32]>> {
    let roles = (pair.0.min(pair.1), pair.0.max(pair.1));
    agreed(session, "smpc-shares/pairwise", secret, theirs, roles)
}

fn own_key(session: &[u8; 32], seed: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
    let seed: [u8; 32] = seed.try_into().map_err(|_| Error::Verification)?;
    Ok(Zeroizing::new(prf(&seed, "smpc-shares/own", &[session])))
}

fn scalar(rng: &mut dyn SecureRng) -> Result<Zeroizing<Scalar>> {
    let mut stream = Stream::fresh(rng)?;
    Ok(Zeroizing::new(ScalarField.sample(&mut stream)))
}

/// What a client may do next; each step is taken once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Share,
    Mask,
    Reveal,
    Done,
}

/// A client in one session.
///
/// The steps in order: [`Client::new`], [`share`](Client::share), [`masked`](Client::masked),
/// [`reveal`](Client::reveal).
pub struct Client {
    id: ClientId,
    session: [u8; 32],
    graph: Graph,
    encryption: Zeroizing<Scalar>,
    masking: Zeroizing<Scalar>,
    seed: Zeroizing<[u8; 32]>,
    peers: BTreeMap<ClientId, PublicKeys>,
    /// Shares of the neighbours' keys: own mask, pairwise.
    held: BTreeMap<ClientId, (ByteShare, ByteShare)>,
    stage: Stage,
}

impl Client {
    /// A client and the keys that the server passes on to its neighbours.
    ///
    /// # Errors
    ///
    /// [`Error::BadParties`] for a stranger to the graph; [`Error::Entropy`].
    pub fn new(
        id: ClientId,
        session: [u8; 32],
        graph: Graph,
        rng: &mut dyn SecureRng,
    ) -> Result<(Self, PublicKeys)> {
        if id >= graph.clients {
            return Err(Error::BadParties);
        }
        let (encryption, masking) = (scalar(rng)?, scalar(rng)?);
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill(seed.as_mut())?;
        let public = |secret: &Scalar| RistrettoPoint::mul_base(secret).compress().to_bytes();
        let keys = PublicKeys { encryption: public(&encryption), masking: public(&masking) };
        let client = Client {
            id,
            session,
            graph,
            encryption,
            masking,
            seed,
            peers: BTreeMap::new(),
            held: BTreeMap::new(),
            stage: Stage::Share,
        };
        Ok((client, keys))
    }

    /// This client's number.
    #[must_use]
    pub fn id(&self) -> ClientId {
        self.id
    }

    fn step(&mut self, expected: Stage, next: Stage) -> Result<()> {
        if self.stage != expected {
            return Err(Error::Poisoned);
        }
        self.stage = next;
        Ok(())
    }

    /// Shares of this client's keys for the neighbours whose public keys came.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`] for fewer neighbours than the threshold; [`Error::BadParties`] for
    /// strangers and duplicates; [`Error::Verification`] for equal keys; [`Error::Encoding`].
    pub fn share(
        &mut self,
        keys: &[(ClientId, PublicKeys)],
        rng: &mut dyn SecureRng,
    ) -> Result<Vec<Sealed>> {
        self.step(Stage::Share, Stage::Mask)?;
        let neighbours = self.graph.neighbours(self.id);
        let mut distinct = BTreeSet::new();
        for (peer, public) in keys {
            if neighbours.binary_search(peer).is_err()
                || self.peers.insert(*peer, *public).is_some()
            {
                return Err(Error::BadParties);
            }
            if !distinct.insert(public.encryption) || !distinct.insert(public.masking) {
                return Err(Error::Verification);
            }
        }
        let needed = self.graph.threshold as usize;
        if self.peers.len() < needed {
            return Err(Error::TooFewShares { needed, given: self.peers.len() });
        }
        let scheme = self.graph.scheme()?;
        let own = bytes::share(&scheme, self.seed.as_ref(), rng)?;
        let pairwise = bytes::share(&scheme, self.masking.as_bytes(), rng)?;
        let mut sealed = Vec::with_capacity(self.peers.len());
        for ((own, pairwise), peer) in own.iter().zip(&pairwise).zip(&neighbours) {
            let Some(public) = self.peers.get(peer) else { continue };
            let plain = Zeroizing::new([own.to_bytes(), pairwise.to_bytes()].concat());
            let cipher = self.cipher(&public.encryption, (self.id, *peer))?;
            // The key is of this session and direction alone: one message, one nonce.
            let bytes = cipher.encrypt(&Nonce::default(), &**plain);
            let bytes = bytes.map_err(|_| Error::Verification)?;
            sealed.push(Sealed { from: self.id, to: *peer, bytes });
        }
        Ok(sealed)
    }

    fn cipher(&self, theirs: &[u8; 32], roles: (ClientId, ClientId)) -> Result<ChaCha20Poly1305> {
        let key = agreed(&self.session, "smpc-shares/seal", &self.encryption, theirs, roles)?;
        Ok(ChaCha20Poly1305::new((&*key).into()))
    }

    /// The masked vector, given what the neighbours sealed for this client. Only those count as
    /// neighbours from here on.
    ///
    /// # Errors
    ///
    /// [`Error::Verification`] for what does not open; [`Error::BadParties`];
    /// [`Error::TooFewShares`].
    pub fn masked(&mut self, inbox: &[Sealed], values: &[u32]) -> Result<Vec<u32>> {
        self.step(Stage::Mask, Stage::Reveal)?;
        for sealed in inbox {
            if sealed.to != self.id || self.held.contains_key(&sealed.from) {
                return Err(Error::BadParties);
            }
            let public = self.peers.get(&sealed.from).ok_or(Error::BadParties)?;
            let cipher = self.cipher(&public.encryption, (sealed.from, self.id))?;
            let plain = cipher.decrypt(&Nonce::default(), &*sealed.bytes);
            let plain = Zeroizing::new(plain.map_err(|_| Error::Verification)?);
            let (own, pairwise) = plain.split_at_checked(33).ok_or(Error::Verification)?;
            if pairwise.len() != 33 {
                return Err(Error::Verification);
            }
            let shares = (ByteShare::from_bytes(own)?, ByteShare::from_bytes(pairwise)?);
            self.held.insert(sealed.from, shares);
        }
        let needed = self.graph.threshold as usize;
        if self.held.len() < needed {
            return Err(Error::TooFewShares { needed, given: self.held.len() });
        }
        let mut masked = values.to_vec();
        mask(&mut masked, &*own_key(&self.session, self.seed.as_ref())?, false);
        for peer in self.held.keys() {
            let public = self.peers.get(peer).ok_or(Error::BadParties)?;
            let key = mask_key(&self.session, &self.masking, &public.masking, (self.id, *peer))?;
            mask(&mut masked, &key, self.id > *peer);
        }
        Ok(masked)
    }

    /// Shares that unmask the sum: own masks of neighbours that sent their vector, pairwise masks of
    /// those that did not. Answered once.
    ///
    /// # Errors
    ///
    /// [`Error::Verification`] where the lists overlap, name strangers, or are too short to be
    /// honest; [`Error::Poisoned`] for a second question.
    pub fn reveal(&mut self, sent: &[ClientId], dropped: &[ClientId]) -> Result<Revealed> {
        self.step(Stage::Reveal, Stage::Done)?;
        let sent: BTreeSet<_> = sent.iter().copied().filter(|id| *id != self.id).collect();
        let dropped: BTreeSet<_> = dropped.iter().copied().collect();
        let known = |id: &ClientId| self.held.contains_key(id);
        if !sent.is_disjoint(&dropped)
            || dropped.contains(&self.id)
            || !sent.iter().all(known)
            || !dropped.iter().all(known)
            || sent.len() < self.graph.threshold as usize
        {
            return Err(Error::Verification);
        }
        let mut own = Vec::new();
        let mut pairwise = Vec::new();
        for (id, (own_share, pairwise_share)) in std::mem::take(&mut self.held) {
            if sent.contains(&id) {
                own.push((id, own_share));
            } else if dropped.contains(&id) {
                pairwise.push((id, pairwise_share));
            }
        }
        Ok(Revealed { from: self.id, own, pairwise })
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The server of one session.
pub struct Server {
    session: [u8; 32],
    graph: Graph,
    keys: BTreeMap<ClientId, PublicKeys>,
    shared: BTreeSet<ClientId>,
    sum: Vec<u32>,
    sent: BTreeSet<ClientId>,
}

impl Server {
    /// A server for vectors of `length` values.
    #[must_use]
    pub fn new(session: [u8; 32], graph: Graph, length: usize) -> Self {
        Server {
            session,
            graph,
            keys: BTreeMap::new(),
            shared: BTreeSet::new(),
            sum: vec![0; length],
            sent: BTreeSet::new(),
        }
    }

    /// Takes a client's public keys.
    ///
    /// # Errors
    ///
    /// [`Error::BadParties`] for a stranger or the second time.
    pub fn register(&mut self, id: ClientId, keys: PublicKeys) -> Result<()> {
        if id >= self.graph.clients || self.keys.insert(id, keys).is_some() {
            return Err(Error::BadParties);
        }
        Ok(())
    }

    /// The keys of a client's neighbours that have registered.
    #[must_use]
    pub fn keys_for(&self, id: ClientId) -> Vec<(ClientId, PublicKeys)> {
        let neighbours = self.graph.neighbours(id).into_iter();
        neighbours.filter_map(|id| self.keys.get(&id).map(|keys| (id, *keys))).collect()
    }

    /// Notes that a client has sealed its shares, which are to be passed on.
    pub fn has_shared(&mut self, id: ClientId) {
        self.shared.insert(id);
    }

    /// Adds a client's masked vector.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`]; [`Error::BadParties`] for a client that has not shared or the second
    /// time.
    pub fn add(&mut self, id: ClientId, masked: &[u32]) -> Result<()> {
        if masked.len() != self.sum.len() {
            return Err(Error::LengthMismatch { left: self.sum.len(), right: masked.len() });
        }
        if !self.shared.contains(&id) || !self.sent.insert(id) {
            return Err(Error::BadParties);
        }
        for (sum, value) in self.sum.iter_mut().zip(masked) {
            *sum = sum.wrapping_add(*value);
        }
        Ok(())
    }

    /// The question to a client: which of its neighbours sent their vectors, and which dropped out.
    #[must_use]
    pub fn question(&self, id: ClientId) -> (Vec<ClientId>, Vec<ClientId>) {
        let neighbours = self.graph.neighbours(id).into_iter();
        neighbours.filter(|id| self.shared.contains(id)).partition(|id| self.sent.contains(id))
    }

    /// The clients that sent their vectors.
    #[must_use]
    pub fn contributors(&self) -> usize {
        self.sent.len()
    }

    /// The sum of all vectors that were sent, on as many threads as `threads`.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`] where fewer than the threshold of a client's neighbours answered;
    /// [`Error::Inconsistent`] or [`Error::Verification`] for wrong answers.
    pub fn unmask(mut self, answers: &[Revealed], threads: usize) -> Result<Vec<u32>> {
        let mut own: BTreeMap<ClientId, Vec<ByteShare>> = BTreeMap::new();
        let mut pairwise: BTreeMap<ClientId, Vec<ByteShare>> = BTreeMap::new();
        for answer in answers {
            for (id, share) in &answer.own {
                own.entry(*id).or_default().push(share.clone());
            }
            for (id, share) in &answer.pairwise {
                pairwise.entry(*id).or_default().push(share.clone());
            }
        }
        let scheme = self.graph.scheme()?;
        let needed = self.graph.threshold as usize;
        let recover = |shares: &BTreeMap<ClientId, Vec<ByteShare>>, id: &ClientId| {
            let shares = shares.get(id).ok_or(Error::TooFewShares { needed, given: 0 })?;
            Ok::<_, Error>(Zeroizing::new(bytes::reconstruct(&scheme, shares)?))
        };
        // Every mask that is left in the sum, with the sign to take it out.
        let mut masks: Vec<(Zeroizing<[u8; 32]>, bool)> = Vec::new();
        for id in &self.sent {
            masks.push((own_key(&self.session, &recover(&own, id)?)?, true));
        }
        for id in self.shared.difference(&self.sent) {
            let secret = recover(&pairwise, id)?;
            let secret = ScalarField.decode(&secret).ok_or(Error::Verification)?;
            let secret = Zeroizing::new(secret);
            let public = RistrettoPoint::mul_base(&secret).compress().to_bytes();
            if self.keys.get(id).is_none_or(|keys| keys.masking != public) {
                return Err(Error::Verification);
            }
            for peer in self.graph.neighbours(*id) {
                if self.sent.contains(&peer)
                    && let Some(keys) = self.keys.get(&peer)
                {
                    let key = mask_key(&self.session, &secret, &keys.masking, (*id, peer))?;
                    // The peer added it if its number is the smaller one.
                    masks.push((key, peer < *id));
                }
            }
        }
        let threads = threads.clamp(1, 64);
        let share = masks.len().div_ceil(threads).max(1);
        let length = self.sum.len();
        let partial: Vec<Vec<u32>> = std::thread::scope(|scope| {
            let work = |masks: &[(Zeroizing<[u8; 32]>, bool)]| {
                let mut sum = vec![0; length];
                for (key, negative) in masks {
                    mask(&mut sum, key, *negative);
                }
                sum
            };
            let handles: Vec<_> =
                masks.chunks(share).map(|masks| scope.spawn(move || work(masks))).collect();
            handles
                .into_iter()
                .map(|handle| handle.join().map_err(|_| Error::Poisoned))
                .collect::<Result<_>>()
        })?;
        for partial in partial {
            for (sum, value) in self.sum.iter_mut().zip(partial) {
                *sum = sum.wrapping_add(value);
            }
        }
        Ok(self.sum)
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("clients", &self.graph.clients)
            .field("sent", &self.sent.len())
            .finish_non_exhaustive()
    }
}
