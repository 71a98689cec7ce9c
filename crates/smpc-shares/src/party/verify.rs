//! MACs of active security: making them, and the check that all that was computed is consistent with
//! them (Chida et al. 2018, <https://eprint.iacr.org/2018/570>).

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::Party;
use crate::error::{Error, Result};
use crate::field::Ring;
use crate::protocol::base::Base;
use crate::security::Scheme;
use crate::sharing::{Raw, ShareVec};
use crate::stream::Stream;

impl<R: Ring, S: Scheme<R>> Party<R, S> {
    /// MACs for values under the current key. One round.
    pub(super) async fn authenticate(
        &mut self,
        values: Vec<Raw<R>>,
    ) -> Result<Vec<ShareVec<R, S>>> {
        let mut parts = Vec::new();
        for raw in &values {
            let key = self.place.key.gather(&vec![0; raw.len()]);
            parts.extend(S::Base::products(&key, raw));
        }
        let macs = S::Base::reshare(&mut self.core, parts).await?;
        let mut start = 0;
        let mut out = Vec::new();
        for raw in values {
            let mac = macs.range(start..start + raw.len());
            start += raw.len();
            self.pending.push((raw.clone(), mac.clone()));
            out.push(self.wrap(raw, mac));
        }
        Ok(out)
    }

    /// The shares under the key of this moment: what an earlier check covered gets new MACs.
    pub(super) async fn current(&mut self, shares: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        shares.checked()?;
        if Arc::ptr_eq(&shares.place, &self.place) || self.place.same(&shares.place) {
            return Ok(shares.clone());
        }
        let place = &shares.place;
        if (place.id, place.parties, place.threshold, place.replicated)
            != (self.id(), self.parties(), self.threshold(), S::Base::REPLICATED)
        {
            return Err(Error::Mismatch);
        }
        if !S::ACTIVE {
            return Ok(self.wrap(shares.raw.clone(), Raw::empty()));
        }
        let mut renewed = self.authenticate(vec![shares.raw.clone()]).await?;
        renewed.pop().ok_or(Error::Poisoned)
    }

    /// The same secrets, for computing on after an opening in active security: an opening checks all
    /// MACs and spends their key, and operators refuse to mix values from before and after it.
    /// Products renew their operands by themselves. One round; free in passive security.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] for shares of another party or scheme; those of the session.
    pub async fn renewed(&mut self, shares: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        self.current(shares).await
    }

    /// Checks everything computed since the last check, in active security; nothing otherwise.
    ///
    /// # Errors
    ///
    /// [`Error::CheatingDetected`]; the session is then void.
    pub async fn verify(&mut self) -> Result<()> {
        if !S::ACTIVE || self.pending.is_empty() {
            return Ok(());
        }
        let result = self.check_macs().await;
        self.pending.clear();
        if result.is_err() {
            self.core.link.poison();
        } else {
            self.place = Arc::new(Self::new_place(&mut self.core));
        }
        result
    }

    async fn check_macs(&mut self) -> Result<()> {
        // Everything broadcast so far was the same for all.
        if let Some(echo) = self.core.echo.take() {
            let digest = echo.clone().finalize().into();
            self.core.echo = Some(echo);
            self.core.compare("verify/echo", &digest).await?;
        }
        // The coin is fixed by keys before anyone sees it, and opened after the last product.
        let all = vec![true; self.parties()];
        let coin = S::Base::random(&mut self.core, 256usize.div_ceil(R::BITS as usize) + 1);
        let coin = S::Base::open(&mut self.core, &coin, &all).await?.ok_or(Error::Poisoned)?;
        let mut bytes = Vec::new();
        R::encode_all(&coin, &mut bytes);
        let seed: [u8; 32] = Sha256::digest(&bytes).into();
        let mut stream = Stream::derive(&seed, "smpc-shares/coefficients", &[]);
        let mut value = self.place.constant(&[R::ZERO]);
        let mut mac = self.place.constant(&[R::ZERO]);
        for (raw, raw_mac) in &self.pending {
            let mut factors = vec![R::ZERO; raw.len()];
            R::fill(&mut stream, &mut factors);
            if !factors.is_empty() {
                value.add_assign(&raw.combine(&factors));
                mac.add_assign(&raw_mac.combine(&factors));
            }
        }
        // Masked openings of both sums: their degree is checked, and with it that of every value.
        let masks = S::Base::random(&mut self.core, 3);
        let mut masked = value.clone();
        masked.append(&mac);
        masked.add_assign(&masks.range(0..2));
        S::Base::open(&mut self.core, &masked, &all).await?.ok_or(Error::Poisoned)?;
        let key = S::Base::open(&mut self.core, &self.place.key, &all).await?;
        let key = key.and_then(|key| key.first().copied()).ok_or(Error::Poisoned)?;
        let difference = mac.sub(&value.map(|value| value * key));
        let parts = S::Base::products(&difference, &masks.range(2..3));
        let product = S::Base::reshare(&mut self.core, parts).await?;
        match S::Base::open(&mut self.core, &product, &all).await?.as_deref() {
            Some([zero]) if *zero == R::ZERO => Ok(()),
            _ => Err(Error::CheatingDetected),
        }
    }
}
