//! How secrets come into a session.

use super::Party;
use crate::error::{Error, Result};
use crate::field::Ring;
use crate::net::{HEADER, Link};
use crate::protocol::base::Base;
use crate::security::Scheme;
use crate::sharing::{Raw, ShareVec};

impl<R: Ring, S: Scheme<R>> Party<R, S> {
    /// Every party inputs `mine`, equally many elements; the shares of party 1, 2, … One round
    /// (two in active security, and the MACs).
    ///
    /// # Errors
    ///
    /// Those of the session: [`Error::Frame`], [`Error::Deadline`], [`Error::Poisoned`], …
    pub async fn input_from_all(&mut self, mine: &[R]) -> Result<Vec<ShareVec<R, S>>> {
        let lengths: Vec<_> = (1..=self.parties()).map(|party| (party, mine.len())).collect();
        self.input(&lengths, mine).await
    }

    /// As [`input_from_all`](Party::input_from_all), as an array for patterns.
    ///
    /// # Errors
    ///
    /// Also [`Error::Parameter`] unless there are `N` parties.
    pub async fn input_from_all_as<const N: usize>(
        &mut self,
        mine: &[R],
    ) -> Result<[ShareVec<R, S>; N]> {
        let refusal = Error::Parameter {
            parameter: "the number of vectors in the pattern",
            requirement: "the number of parties",
            given: N as u64,
        };
        if N != self.parties() {
            return Err(refusal);
        }
        self.input_from_all(mine).await?.try_into().map_err(|_| refusal)
    }

    /// Some parties input: `from` lists them (ids from 1) with the number of their elements, in the
    /// same order at all parties; `mine` is empty for the others.
    ///
    /// # Errors
    ///
    /// [`Error::BadParties`], [`Error::LengthMismatch`]; those of the session.
    pub async fn input(
        &mut self,
        from: &[(usize, usize)],
        mine: &[R],
    ) -> Result<Vec<ShareVec<R, S>>> {
        let mut seen = vec![false; self.parties()];
        for (party, _) in from {
            match party.checked_sub(1).and_then(|party| seen.get_mut(party)) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(Error::BadParties),
            }
        }
        let dealers: Vec<_> = from.iter().map(|(party, length)| (party - 1, *length)).collect();
        let me = self.core.me();
        if let Some((_, length)) = dealers.iter().find(|(dealer, _)| *dealer == me)
            && *length != mine.len()
        {
            return Err(Error::LengthMismatch { left: *length, right: mine.len() });
        }
        if !S::ACTIVE {
            let dealt = S::Base::deal(&mut self.core, &dealers, mine).await?;
            return Ok(dealt.into_iter().map(|raw| self.wrap(raw, Raw::empty())).collect());
        }
        self.input_masked(&dealers, mine).await
    }

    /// Active input: each dealer learns a random mask and broadcasts the difference.
    async fn input_masked(
        &mut self,
        dealers: &[(usize, usize)],
        mine: &[R],
    ) -> Result<Vec<ShareVec<R, S>>> {
        let (me, n) = (self.core.me(), self.parties());
        let mut masks = Vec::new();
        let mut known = Vec::new();
        for (dealer, length) in dealers {
            let mask = S::Base::random(&mut self.core, *length);
            let mut to = vec![false; n];
            to[*dealer] = true;
            if let Some(values) = S::Base::open(&mut self.core, &mask, &to).await? {
                known = values;
            }
            masks.push(mask);
        }
        let mut sends = Vec::new();
        let mut own = Vec::new();
        if dealers.iter().any(|(dealer, _)| *dealer == me) {
            own = mine.iter().zip(&known).map(|(x, mask)| *x - *mask).collect();
            let peers = self.core.peers();
            sends.extend(peers.into_iter().map(|peer| (peer, Link::frame_of(&own))));
        }
        let expect: Vec<_> = dealers
            .iter()
            .filter(|(dealer, _)| *dealer != me)
            .map(|(dealer, length)| (*dealer, length * R::BYTES))
            .collect();
        let frames = self.core.link.exchange("input", sends, &expect).await?;
        let mut frames = frames.iter();
        let mut inputs = Vec::new();
        for ((dealer, _), mask) in dealers.iter().zip(&masks) {
            let difference = if *dealer == me {
                let mut payload = Vec::new();
                R::encode_all(&own, &mut payload);
                self.core.remember(*dealer, &payload);
                std::mem::take(&mut own)
            } else {
                let Some(frame) = frames.next() else { return Err(Error::Poisoned) };
                self.core.remember(*dealer, &frame[HEADER..]);
                self.core.link.elements(*dealer, frame)?
            };
            let mut raw = mask.clone();
            raw.add_assign(&self.place.constant(&difference));
            inputs.push(raw);
        }
        self.authenticate(inputs).await
    }
}
