//! Order in Z/2^64, by the carries of a binary addition.

use super::Way;
use crate::error::{Error, Result};
use crate::field::Z64;
use crate::party::Party;
use crate::protocol::binary;
use crate::security::Scheme;
use crate::sharing::ShareVec;

/// The way of integers modulo 2^64.
#[derive(Debug)]
pub struct ByCarries;

impl Way<Z64> for ByCarries {
    async fn negative<S: Scheme<Z64>>(
        party: &mut Party<Z64, S>,
        x: &ShareVec<Z64, S>,
        _: u32,
    ) -> Result<ShareVec<Z64, S>> {
        x.checked()?;
        let raw = binary::negative(&mut party.core, &x.raw).await?;
        party.adopt(raw).await
    }

    async fn zero<S: Scheme<Z64>>(
        party: &mut Party<Z64, S>,
        x: &ShareVec<Z64, S>,
        _: u32,
    ) -> Result<ShareVec<Z64, S>> {
        x.checked()?;
        let raw = binary::zero(&mut party.core, &x.raw).await?;
        party.adopt(raw).await
    }

    async fn bits<S: Scheme<Z64>>(
        party: &mut Party<Z64, S>,
        x: &ShareVec<Z64, S>,
        bits: u32,
    ) -> Result<Vec<ShareVec<Z64, S>>> {
        x.checked()?;
        let planes = binary::bits(&mut party.core, &x.raw, bits.min(64)).await?;
        let mut out = Vec::new();
        for raw in planes {
            out.push(party.adopt(raw).await?);
        }
        Ok(out)
    }

    async fn shifted<S: Scheme<Z64>>(
        party: &mut Party<Z64, S>,
        x: &ShareVec<Z64, S>,
        _: u32,
        by: u32,
    ) -> Result<ShareVec<Z64, S>> {
        x.checked()?;
        if by == 0 || by > 63 {
            return if by == 0 {
                Ok(x.clone())
            } else {
                Self::negative(party, x, 64).await.map(|n| -n)
            };
        }
        let raw = binary::shifted(&mut party.core, &x.raw, by).await?;
        party.adopt(raw).await
    }

    async fn truncated<S: Scheme<Z64>>(
        party: &mut Party<Z64, S>,
        x: &ShareVec<Z64, S>,
        bits: u32,
        by: u32,
    ) -> Result<ShareVec<Z64, S>> {
        x.checked()?;
        if bits > 62 {
            return Err(Error::Parameter {
                parameter: "the session's integers, to be truncated at random in Z/2^64,",
                requirement: "of at most 62 bits",
                given: bits.into(),
            });
        }
        let raw = binary::truncated(&mut party.core, &x.raw, by).await?;
        party.adopt(raw).await
    }
}
