//! Additive sharing: the secret is the sum of all n shares, and n - 1 of them are uniform.

use privacy_core::random::SecureRng;

use crate::error::{Error, Result};
use crate::field::Ring;
use crate::stream::Stream;

/// `parties` vectors that add up to the secrets. All but all of them reveal nothing.
///
/// # Errors
///
/// [`Error::Parameter`] for fewer than two parties; [`Error::Entropy`].
pub fn share<R: Ring>(
    secrets: &[R],
    parties: usize,
    rng: &mut dyn SecureRng,
) -> Result<Vec<Vec<R>>> {
    if parties < 2 {
        return Err(Error::Parameter {
            parameter: "the number of parties",
            requirement: "at least 2",
            given: parties as u64,
        });
    }
    let mut stream = Stream::fresh(rng)?;
    let mut last = secrets.to_vec();
    let mut shares = Vec::with_capacity(parties);
    for _ in 1..parties {
        let mut mask = vec![R::ZERO; secrets.len()];
        R::fill(&mut stream, &mut mask);
        for (last, mask) in last.iter_mut().zip(&mask) {
            *last -= *mask;
        }
        shares.push(mask);
    }
    shares.push(last);
    Ok(shares)
}

/// The secrets from all shares.
///
/// # Errors
///
/// [`Error::LengthMismatch`], or [`Error::TooFewShares`] for fewer than two vectors.
pub fn reconstruct<R: Ring>(shares: &[Vec<R>]) -> Result<Vec<R>> {
    let [first, rest @ ..] = shares else {
        return Err(Error::TooFewShares { needed: 2, given: 0 });
    };
    if rest.is_empty() {
        return Err(Error::TooFewShares { needed: 2, given: 1 });
    }
    let mut sum = first.clone();
    for share in rest {
        if share.len() != sum.len() {
            return Err(Error::LengthMismatch { left: sum.len(), right: share.len() });
        }
        for (sum, value) in sum.iter_mut().zip(share) {
            *sum += *value;
        }
    }
    Ok(sum)
}
