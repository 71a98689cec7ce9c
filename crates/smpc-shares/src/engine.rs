//! What a party keeps beside its links: keys for pseudo-random sharing, tables of coefficients.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use privacy_core::random::SecureRng;
use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::field::Field;
use crate::net::{Config, HEADER, Link};
use crate::sharing::Shamir;
use crate::stream::{Key, Stream};

/// A key that exactly the members of a set of n - t parties hold.
pub(crate) struct SetKey {
    pub(crate) members: Vec<usize>,
    key: Key,
}

#[allow(missing_debug_implementations, reason = "in signatures of a sealed trait; never printed")]
pub struct Engine {
    pub(crate) link: Link,
    pub(crate) scheme: Shamir,
    pub(crate) rng: Box<dyn SecureRng>,
    pub(crate) mask_bits: u32,
    pub(crate) integer_bits: u32,
    session: [u8; 32],
    sets: Vec<SetKey>,
    /// How many sets there are in all.
    pub(crate) all_sets: usize,
    pairs: Vec<Option<Key>>,
    streams: u64,
    tables: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    /// Everything that was broadcast since the last comparison, in active security.
    pub(crate) echo: Option<Sha256>,
}

/// All subsets of `size` out of `0..n`, in lexicographic order.
pub(crate) fn subsets(n: usize, size: usize) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    let mut current: Vec<usize> = (0..size).collect();
    loop {
        all.push(current.clone());
        let Some(i) = (0..size).rev().find(|i| current[*i] < n - size + i) else { return all };
        current[i] += 1;
        for j in i + 1..size {
            current[j] = current[j - 1] + 1;
        }
    }
}

pub(crate) fn binomial(n: usize, k: usize) -> usize {
    (0..k).fold(1usize, |product, i| product.saturating_mul(n - i) / (i + 1))
}

impl Engine {
    /// Agrees on the session and its keys: two rounds.
    ///
    /// Every pair and every set of n - t parties gets a key to which each member contributes 32
    /// bytes. The session id hashes the context, the scheme and 32 random bytes of each party.
    pub(crate) async fn start(
        mut link: Link,
        config: &Config,
        scheme_name: &str,
        (active, replicated): (bool, bool),
        mut rng: Box<dyn SecureRng>,
    ) -> Result<Self> {
        let scheme = config.scheme()?;
        let (me, n) = (link.me, link.parties);
        let size = n - scheme.threshold();
        let all_sets = binomial(n, size);
        // Replicated sharing needs the keys of pairs alone.
        let sets = if replicated { Vec::new() } else { subsets(n, size) };
        let mine: Vec<&Vec<usize>> = sets.iter().filter(|set| set.contains(&me)).collect();

        // My part: a nonce for all, and for each peer the pair's part and one for each common set.
        let mut nonce = [0; 32];
        rng.fill(&mut nonce)?;
        let mut own_parts = vec![[0u8; 32]; mine.len()];
        for part in &mut own_parts {
            rng.fill(part)?;
        }
        let mut pair_parts = vec![[0u8; 32]; n];
        for part in &mut pair_parts {
            rng.fill(part)?;
        }
        let peers: Vec<usize> = (0..n).filter(|peer| *peer != me).collect();
        let common = |peer: usize| -> Vec<usize> {
            (0..mine.len()).filter(|i| mine[*i].contains(&peer)).collect()
        };
        let mut sends = Vec::new();
        let mut expect = Vec::new();
        for peer in &peers {
            let mut frame = Link::frame(0);
            frame.extend_from_slice(&nonce);
            frame.extend_from_slice(&pair_parts[*peer]);
            for i in common(*peer) {
                frame.extend_from_slice(&own_parts[i]);
            }
            expect.push((*peer, frame.len() - HEADER));
            sends.push((*peer, frame));
        }
        let frames = link.exchange("setup/keys", sends, &expect).await?;

        let mut nonces = vec![nonce; n];
        let mut pairs: Vec<Option<Key>> = (0..n).map(|_| None).collect();
        let mut set_parts: Vec<Vec<(usize, [u8; 32])>> =
            own_parts.iter().map(|part| vec![(me, *part)]).collect();
        for (peer, frame) in peers.iter().zip(&frames) {
            let mut parts = frame[HEADER..].as_chunks::<32>().0.iter();
            let mut next = || parts.next().copied().unwrap_or_default();
            nonces[*peer] = next();
            let mut both = [(me, pair_parts[*peer]), (*peer, next())];
            both.sort_unstable();
            pairs[*peer] = Some(derive("pair", &both));
            for i in common(*peer) {
                set_parts[i].push((*peer, next()));
            }
        }
        let set_keys = mine
            .iter()
            .zip(set_parts)
            .map(|(members, mut parts)| {
                parts.sort_unstable();
                SetKey { members: (*members).clone(), key: derive("set", &parts) }
            })
            .collect();

        let mut hash = Sha256::new();
        let mut field = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        field(b"smpc-shares/v1");
        field(scheme_name.as_bytes());
        field(&(n as u64).to_le_bytes());
        field(&(scheme.threshold() as u64).to_le_bytes());
        field(&config.mask_bits.to_le_bytes());
        field(&config.integer_bits.to_le_bytes());
        field(&config.context);
        for nonce in &nonces {
            field(nonce);
        }
        let session: [u8; 32] = hash.finalize().into();
        link.session.copy_from_slice(&session[..16]);

        let mut core = Engine {
            link,
            scheme,
            rng,
            mask_bits: config.mask_bits,
            integer_bits: config.integer_bits,
            session,
            sets: set_keys,
            all_sets,
            pairs,
            streams: 0,
            tables: HashMap::new(),
            echo: active.then(Sha256::new),
        };
        core.confirm().await?;
        Ok(core)
    }

    /// Checks with each peer that both have the same session and the same common keys. A party with
    /// another context, scheme or nonce has another session id, and its frame is refused here.
    async fn confirm(&mut self) -> Result<()> {
        let peers = self.peers();
        let digests: Vec<[u8; 32]> = peers
            .iter()
            .map(|peer| {
                let pair = self.pairs.get(*peer).and_then(Option::as_ref);
                let common = self.sets.iter().filter(|set| set.members.contains(peer));
                let keys = pair.into_iter().chain(common.map(|set| &set.key));
                keys.fold(self.session, |digest, key| {
                    crate::stream::prf(key.bytes(), "smpc-shares/confirm", &[&digest])
                })
            })
            .collect();
        self.compare_each("setup/confirm", &digests).await
    }

    /// Compares a digest with all peers.
    pub(crate) async fn compare(&mut self, name: &'static str, digest: &[u8; 32]) -> Result<()> {
        let digests = vec![*digest; self.parties() - 1];
        self.compare_each(name, &digests).await
    }

    async fn compare_each(&mut self, name: &'static str, digests: &[[u8; 32]]) -> Result<()> {
        let peers = self.peers();
        let framed = |(peer, digest): (&usize, &[u8; 32])| {
            let mut frame = Link::frame(32);
            frame.extend_from_slice(digest);
            (*peer, frame)
        };
        let sends = peers.iter().zip(digests).map(framed).collect();
        let expect: Vec<_> = peers.iter().map(|peer| (*peer, 32)).collect();
        let frames = self.link.exchange(name, sends, &expect).await?;
        if frames.iter().zip(digests).any(|(frame, digest)| frame[HEADER..] != *digest) {
            self.link.poison();
            return Err(crate::error::Error::CheatingDetected);
        }
        Ok(())
    }

    pub(crate) fn me(&self) -> usize {
        self.link.me
    }

    pub(crate) fn parties(&self) -> usize {
        self.link.parties
    }

    pub(crate) fn peers(&self) -> Vec<usize> {
        (0..self.parties()).filter(|peer| *peer != self.me()).collect()
    }

    /// A context for streams that no other call gets.
    pub(crate) fn fresh(&mut self) -> u64 {
        self.streams += 1;
        self.streams
    }

    /// The stream that this party shares with `peer` for a context.
    pub(crate) fn pair_stream(&self, peer: usize, context: u64, dealer: usize) -> Stream {
        let context = context.to_le_bytes();
        let parts: [&[u8]; 3] = [&self.session, &context, &(dealer as u64).to_le_bytes()];
        match self.pairs.get(peer) {
            Some(Some(key)) => key.stream("smpc-shares/pair", &parts),
            // Never asked for oneself.
            _ => Stream::derive(&self.session, "smpc-shares/none", &parts),
        }
    }

    /// The sets this party belongs to, with their streams for a context.
    pub(crate) fn set_streams(&self, context: u64) -> Vec<Stream> {
        let context = context.to_le_bytes();
        let parts: [&[u8]; 2] = [&self.session, &context];
        self.sets.iter().map(|set| set.key.stream("smpc-shares/set", &parts)).collect()
    }

    /// The stream of exactly these parties, this one among them, for a context.
    pub(crate) fn common_stream(&self, members: &[usize], context: u64) -> Result<Stream> {
        let context = context.to_le_bytes();
        let parts: [&[u8]; 2] = [&self.session, &context];
        let found = self.sets.iter().find(|set| set.members == members);
        let key = match (found, members) {
            (Some(set), _) => Some(&set.key),
            (None, [a, b]) => {
                let peer = if *a == self.me() { b } else { a };
                self.pairs.get(*peer).and_then(Option::as_ref)
            }
            _ => None,
        };
        key.map(|key| key.stream("smpc-shares/common", &parts)).ok_or(crate::Error::BadParties)
    }

    pub(crate) fn sets(&self) -> &[SetKey] {
        &self.sets
    }

    pub(crate) fn tables<F: Field>(&mut self) -> Arc<Tables<F>> {
        let id = TypeId::of::<F>();
        if let Some(tables) = self.tables.get(&id)
            && let Ok(tables) = Arc::clone(tables).downcast::<Tables<F>>()
        {
            return tables;
        }
        let sets = self.sets.iter().map(|set| set.members.as_slice());
        let tables = Arc::new(Tables::new(&self.scheme, self.me(), sets));
        self.tables.insert(id, Arc::<Tables<F>>::clone(&tables));
        tables
    }

    /// Remembers what `sender` broadcast, for the comparison of all parties.
    pub(crate) fn remember(&mut self, sender: usize, payload: &[u8]) {
        if let Some(echo) = &mut self.echo {
            echo.update((sender as u64).to_le_bytes());
            echo.update((payload.len() as u64).to_le_bytes());
            echo.update(payload);
        }
    }
}

/// A key from the contributions of its holders.
fn derive(kind: &str, parts: &[(usize, [u8; 32])]) -> Key {
    let mut hash = Sha256::new();
    hash.update(kind.as_bytes());
    for (party, part) in parts {
        hash.update((*party as u64).to_le_bytes());
        hash.update(part);
    }
    Key::from_bytes(hash.finalize().into())
}

/// Coefficients of one field for one party.
pub(crate) struct Tables<F> {
    /// f_A at this party's point, for each set A it belongs to.
    pub(crate) sets: Vec<F>,
    /// Coefficients at zero of the points of parties 1..=2t+1.
    pub(crate) product: Vec<F>,
    /// For each party that this one, as dealer, must compute the share of: its row over the value
    /// and the shares that receivers derive.
    pub(crate) rows: Vec<(usize, Vec<F>)>,
    /// All parties' points.
    pub(crate) points: Vec<F>,
}

/// The parties that derive their share of what `dealer` deals from a key, without a message.
pub(crate) fn derived(dealer: usize, scheme: &Shamir) -> Vec<usize> {
    (1..=scheme.threshold()).map(|step| (dealer + step) % scheme.parties()).collect()
}

impl<F: Field> Tables<F> {
    /// For party `me`, which belongs to `sets`.
    fn new<'a>(scheme: &Shamir, me: usize, sets: impl Iterator<Item = &'a [usize]>) -> Self {
        let n = scheme.parties();
        let points: Vec<F> = (0..n).map(|party| F::point(party as u64 + 1)).collect();
        // f_A is 1 at zero and 0 at the points of parties outside of A.
        let coefficient = |set: &[usize]| {
            (0..n)
                .filter(|party| !set.contains(party))
                .map(|party| (points[me] - points[party]) * (-points[party]).inverse())
                .fold(F::ONE, |product, factor| product * factor)
        };
        let sets = sets.map(coefficient).collect();
        let multipliers = (2 * scheme.threshold() + 1).min(n);
        let product = F::lagrange(&points[..multipliers], F::ZERO);
        let free = derived(me, scheme);
        let mut nodes = vec![F::ZERO];
        nodes.extend(free.iter().map(|party| points[*party]));
        let rows = (0..n)
            .filter(|party| !free.contains(party))
            .map(|party| (party, F::lagrange(&nodes, points[party])))
            .collect();
        Tables { sets, product, rows, points }
    }

    /// This party's share of a number of which each set A that it belongs to knows a part psi.
    pub(crate) fn random_share(&self, parts: impl Iterator<Item = F>) -> F {
        parts.zip(&self.sets).map(|(part, factor)| part * *factor).sum()
    }

    /// This party's share, of degree 2t, of zero, of which each set A that it belongs to knows t parts:
    /// Σ_A Σ_j psi_(A,j)·i^j·f_A(i) for party i.
    pub(crate) fn zero_share(&self, me: usize, t: usize, mut parts: impl FnMut(usize) -> F) -> F {
        let mut sum = F::ZERO;
        for (set, factor) in self.sets.iter().enumerate() {
            let mut power = *factor;
            for _ in 0..t {
                power *= self.points[me];
                sum += parts(set) * power;
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{Prime64, Ring};

    type F = Prime64<257>;

    /// All parties' tables, and the sets in lexicographic order.
    fn tables(n: usize, t: usize) -> (Vec<Vec<usize>>, Vec<Tables<F>>) {
        let sets = subsets(n, n - t);
        let scheme = Shamir::new(n, t).unwrap();
        let table = |me| {
            let mine = sets.iter().filter(move |set| set.contains(&me)).map(Vec::as_slice);
            Tables::new(&scheme, me, mine)
        };
        let all = (0..n).map(table).collect();
        (sets, all)
    }

    /// The shares of all parties where set number i knows psi(i).
    fn random_shares(n: usize, t: usize, psi: impl Fn(usize) -> i64) -> Vec<u128> {
        let (sets, tables) = tables(n, t);
        let share = |(me, table): (usize, &Tables<F>)| {
            let mine = (0..sets.len()).filter(|i| sets[*i].contains(&me));
            table.random_share(mine.map(|i| F::from(psi(i)))).to_u128()
        };
        tables.iter().enumerate().map(share).collect()
    }

    /// By hand from the definition (Cramer, Damgård, Ishai 2005): f_A for (3, 1) is linear, with values
    /// 2/3, 1/3 of {1, 2}, and so on.
    #[test]
    fn pseudo_random_shares_are_those_derived_by_hand() {
        assert_eq!(random_shares(3, 1, |i| [10, 20, 30][i]), [188, 59, 187]);
        assert_eq!(random_shares(5, 2, |i| 7 * i as i64 + 3), [223, 53, 92, 83, 26]);
        for (n, t, sum) in [(3, 1, 3 * 3 + 7 * 3), (5, 2, 88 + 257)] {
            let shares = random_shares(n, t, |i| 7 * i as i64 + 3);
            let points: Vec<F> = (1..=n as u64).map(F::from).collect();
            let at_zero = F::lagrange(&points[..=t], F::ZERO);
            let value: F = shares.iter().zip(at_zero).map(|(s, l)| F::from_u128(*s) * l).sum();
            assert_eq!(value, F::from(sum), "({n}, {t})");
        }
    }

    #[test]
    fn pseudo_random_shares_of_zero_are_those_derived_by_hand() {
        let (sets, tables) = tables(3, 1);
        let psi = [10, 20, 30].map(F::from);
        let share = |(me, table): (usize, &Tables<F>)| {
            let mine: Vec<usize> = (0..3).filter(|i| sets[*i].contains(&me)).collect();
            table.zero_share(me, 1, |set| psi[mine[set]]).to_u128()
        };
        let shares: Vec<u128> = tables.iter().enumerate().map(share).collect();
        assert_eq!(shares, [188, 118, 47]);
    }

    /// 6 + x times 7 + 2x: the local products 63, 88 and 117 recombine to 42 with 3, -3 and 1; a dealer
    /// with value v whose neighbour derives m sends (v + m)/2 to itself and (3m - v)/2 to the other.
    #[test]
    fn the_degree_reduction_is_the_one_derived_by_hand() {
        let (_, tables) = tables(3, 1);
        assert_eq!(tables[0].product, [3, -3, 1].map(F::from));
        let product: F =
            [63, 88, 117].map(F::from).iter().zip(&tables[0].product).map(|(v, l)| *v * *l).sum();
        assert_eq!(product, F::from(42));
        let half = F::from(2).inverse();
        let rows = [(0, vec![half, half]), (2, vec![-half, half * F::from(3)])];
        assert_eq!(tables[0].rows, rows);
    }
}
