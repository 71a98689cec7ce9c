//! The server's steps.

use std::collections::{BTreeMap, BTreeSet};

use zeroize::Zeroizing;

use super::keys::{Secret, decode, mask, own_key, pairwise_key, public};
use super::{ClientId, Graph, PublicKeys, Revealed};
use crate::error::{Error, Result};
use crate::field::Domain;
use crate::sharing::bytes::{self, ByteShare};
use crate::sharing::verifiable::ScalarField;

/// The key of a mask, and whether it is to be subtracted.
type Mask = (Secret, bool);

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
        let masks = self.masks_left(answers)?;
        let threads = threads.clamp(1, 64);
        let share = masks.len().div_ceil(threads).max(1);
        let length = self.sum.len();
        let work = |masks: &[Mask]| {
            let mut sum = vec![0; length];
            for (key, negative) in masks {
                mask(&mut sum, key, *negative);
            }
            sum
        };
        std::thread::scope(|scope| {
            let work = &work;
            let handles: Vec<_> =
                masks.chunks(share).map(|masks| scope.spawn(move || work(masks))).collect();
            for handle in handles {
                let partial = handle.join().map_err(|_| Error::Poisoned)?;
                for (sum, value) in self.sum.iter_mut().zip(partial) {
                    *sum = sum.wrapping_add(value);
                }
            }
            Ok(self.sum)
        })
    }

    /// Every mask that is left in the sum, with the sign to take it out.
    fn masks_left(&self, answers: &[Revealed]) -> Result<Vec<Mask>> {
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
        let mut masks = Vec::new();
        for id in &self.sent {
            masks.push((own_key(&self.session, &recover(&own, id)?)?, true));
        }
        for id in self.shared.difference(&self.sent) {
            let secret = recover(&pairwise, id)?;
            let secret = ScalarField.decode(&secret).ok_or(Error::Verification)?;
            let secret = Zeroizing::new(secret);
            if self.keys.get(id).is_none_or(|keys| keys.masking != public(&secret)) {
                return Err(Error::Verification);
            }
            for peer in self.graph.neighbours(*id) {
                if self.sent.contains(&peer)
                    && let Some(keys) = self.keys.get(&peer)
                {
                    let theirs = decode(&keys.masking)?;
                    let key = pairwise_key(&self.session, &secret, &theirs, (*id, peer));
                    // The peer added it if its number is the smaller one.
                    masks.push((key, peer < *id));
                }
            }
        }
        Ok(masks)
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
