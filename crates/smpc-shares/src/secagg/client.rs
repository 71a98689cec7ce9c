//! A client's steps.

use std::collections::{BTreeMap, BTreeSet};

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use curve25519_dalek::{RistrettoPoint, Scalar};
use privacy_core::random::SecureRng;
use zeroize::Zeroizing;

use super::keys::{Secret, agree, decode, draw, mask, own_key, pairwise_key, public, seal_key};
use super::{ClientId, Graph, PublicKeys, Revealed, Sealed};
use crate::error::{Error, Result};
use crate::sharing::bytes::{self, ByteShare};

/// What a client may do next; each step is taken once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Share,
    Mask,
    Reveal,
    Done,
}

/// What a client keeps of a neighbour.
struct Peer {
    masking: RistrettoPoint,
    /// What the two keys of sealing are derived from.
    common: Secret,
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
    peers: BTreeMap<ClientId, Peer>,
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
        let (encryption, masking) = (draw(rng)?, draw(rng)?);
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill(seed.as_mut())?;
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
            if neighbours.binary_search(peer).is_err() || self.peers.contains_key(peer) {
                return Err(Error::BadParties);
            }
            if !distinct.insert(public.encryption) || !distinct.insert(public.masking) {
                return Err(Error::Verification);
            }
            let common = agree(&self.encryption, &decode(&public.encryption)?);
            self.peers.insert(*peer, Peer { masking: decode(&public.masking)?, common });
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
            let Some(Peer { common, .. }) = self.peers.get(peer) else { continue };
            let plain = Zeroizing::new([own.to_bytes(), pairwise.to_bytes()].concat());
            let cipher = self.cipher(common, self.id, *peer);
            // The key is of this session and direction alone: one message, one nonce.
            let bytes = cipher.encrypt(&Nonce::default(), &**plain);
            let bytes = bytes.map_err(|_| Error::Verification)?;
            sealed.push(Sealed { from: self.id, to: *peer, bytes });
        }
        Ok(sealed)
    }

    fn cipher(&self, common: &[u8; 32], from: ClientId, to: ClientId) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new((&*seal_key(&self.session, common, from, to)).into())
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
            let peer = self.peers.get(&sealed.from).ok_or(Error::BadParties)?;
            let cipher = self.cipher(&peer.common, sealed.from, self.id);
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
        for id in self.held.keys() {
            let peer = self.peers.get(id).ok_or(Error::BadParties)?;
            let key = pairwise_key(&self.session, &self.masking, &peer.masking, (self.id, *id));
            mask(&mut masked, &key, self.id > *id);
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
