//! Replicated sharing among three parties (Araki et al. 2016): x = x₀ + x₁ + x₂, party i holds xᵢ and
//! xᵢ₊₁.

use std::sync::Arc;

use privacy_core::random::SecureRng;

use super::{Place, Raw, ShareVec};
use crate::error::{Error, Result};
use crate::field::Ring;
use crate::stream::Stream;
use crate::wipe::wipe;

/// Three-party replicated sharing over any ring, with threshold 1.
///
/// # Security
///
/// Perfect against one party, up to the pseudo-randomness of the [`Stream`] that the components are
/// expanded from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replicated;

impl Replicated {
    pub(crate) fn place<R: Ring>(id: usize) -> Arc<Place<R>> {
        Arc::new(Place { id, parties: 3, threshold: 1, replicated: true, key: Raw::empty() })
    }

    /// One share vector for each of the three parties.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`] if the source fails.
    pub fn share<R: Ring>(
        secrets: &[R],
        rng: &mut dyn SecureRng,
    ) -> Result<Vec<ShareVec<R, Replicated>>> {
        let mut stream = Stream::fresh(rng)?;
        let shares = Self::split(secrets, &mut stream).into_iter();
        let wrap = |(i, raw)| ShareVec::new(raw, Raw::empty(), &Replicated::place(i + 1));
        Ok(shares.enumerate().map(wrap).collect())
    }

    pub(crate) fn split<R: Ring>(secrets: &[R], stream: &mut Stream) -> Vec<Raw<R>> {
        let mut components = [vec![R::ZERO; secrets.len()], vec![R::ZERO; secrets.len()], vec![]];
        R::fill(stream, &mut components[0]);
        R::fill(stream, &mut components[1]);
        components[2] = secrets
            .iter()
            .zip(&components[0])
            .zip(&components[1])
            .map(|((x, a), b)| *x - *a - *b)
            .collect();
        let share =
            |i: usize| Raw { own: components[i].clone(), next: components[(i + 1) % 3].clone() };
        let shares = (0..3).map(share).collect();
        components.iter_mut().for_each(|component| wipe(component));
        shares
    }

    /// The secrets from two or three parties; what two hold in common is compared.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`], [`Error::BadParties`], [`Error::LengthMismatch`], or
    /// [`Error::Inconsistent`] if copies of a component differ.
    pub fn reconstruct<R: Ring>(shares: &[ShareVec<R, Replicated>]) -> Result<Vec<R>> {
        if shares.len() < 2 {
            return Err(Error::TooFewShares { needed: 2, given: shares.len() });
        }
        let mut components: [Option<&[R]>; 3] = [None; 3];
        let mut seen = [false; 3];
        let length = shares[0].len();
        for share in shares {
            share.checked()?;
            let i = share.party().wrapping_sub(1);
            match seen.get_mut(i) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(Error::BadParties),
            }
            if share.len() != length {
                return Err(Error::LengthMismatch { left: length, right: share.len() });
            }
            for (place, values) in [(i, &share.raw.own), ((i + 1) % 3, &share.raw.next)] {
                match components[place] {
                    Some(copy) if copy != values => return Err(Error::Inconsistent),
                    _ => components[place] = Some(values),
                }
            }
        }
        match components {
            [Some(a), Some(b), Some(c)] => {
                Ok(a.iter().zip(b).zip(c).map(|((a, b), c)| *a + *b + *c).collect())
            }
            _ => Err(Error::TooFewShares { needed: 2, given: shares.len() }),
        }
    }
}
