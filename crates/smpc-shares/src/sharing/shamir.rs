//! Threshold sharing (Shamir 1979): a polynomial of degree t with the secret at 0.

use std::sync::Arc;

use privacy_core::random::SecureRng;
use zeroize::Zeroizing;

use super::{Place, Raw, ShareVec};
use crate::error::{Error, Result};
use crate::field::Field;
use crate::stream::Stream;

/// Elements that are shared at a time, so that coefficients stay in the cache.
const BLOCK: usize = 512;

/// Shamir sharing among `parties`, of which any `threshold` learn nothing and any
/// `threshold + 1` can reconstruct.
///
/// # Security
///
/// Perfect: all coefficients, zero and the top one included, are uniform on the whole field (up to
/// the pseudo-randomness of the [`Stream`] they are expanded from), so that any `threshold` shares
/// are uniform and independent of the secret (Shamir 1979).
///
/// # Example
///
/// ```
/// use privacy_core::random::SystemRng;
/// use smpc_shares::{Shamir, field::{Mersenne61, Ring}};
///
/// let scheme = Shamir::new(5, 2)?;
/// let secrets: Vec<Mersenne61> = (0..1000u64).map(Mersenne61::from).collect();
/// let shares = scheme.share(&secrets, &mut SystemRng::new()?)?;
/// assert_eq!(scheme.reconstruct(&shares[1..4])?, secrets);
/// # Ok::<(), smpc_shares::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shamir {
    parties: usize,
    threshold: usize,
}

impl Shamir {
    /// Sharing among `parties` with `threshold` < `parties`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless 1 ≤ `threshold` < `parties` ≤ 65535.
    pub fn new(parties: usize, threshold: usize) -> Result<Self> {
        let refuse = |parameter, requirement, given: usize| {
            Err(Error::Parameter { parameter, requirement, given: given as u64 })
        };
        if !(2..=0xffff).contains(&parties) {
            return refuse("the number of parties", "between 2 and 65535", parties);
        }
        if threshold == 0 || threshold >= parties {
            return refuse("the threshold", "at least 1 and less than the parties", threshold);
        }
        Ok(Shamir { parties, threshold })
    }

    /// The number of parties.
    #[must_use]
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// The number of shares that reveal nothing.
    #[must_use]
    pub fn threshold(&self) -> usize {
        self.threshold
    }

    /// Refuses fields with too few points for the parties.
    pub(crate) fn fits<F: Field>(&self) -> Result<()> {
        if self.parties as u64 <= F::POINTS {
            return Ok(());
        }
        Err(Error::FieldTooSmall {
            need_bits: usize::BITS - self.parties.leading_zeros(),
            have_bits: F::BITS,
        })
    }

    pub(crate) fn place<F: Field>(&self, id: usize) -> Arc<Place<F>> {
        Arc::new(Place {
            id,
            parties: self.parties,
            threshold: self.threshold,
            replicated: false,
            key: Raw::empty(),
        })
    }

    /// One share vector for each party, in the order of their ids 1, 2, …
    ///
    /// # Errors
    ///
    /// [`Error::FieldTooSmall`] if the field has no point for each party; [`Error::Entropy`].
    pub fn share<F: Field>(
        &self,
        secrets: &[F],
        rng: &mut dyn SecureRng,
    ) -> Result<Vec<ShareVec<F>>> {
        self.fits::<F>()?;
        let mut stream = Stream::fresh(rng)?;
        let values = self.split(secrets, &mut stream);
        let wrap = |(i, own)| ShareVec::new(Raw::single(own), Raw::empty(), &self.place(i + 1));
        Ok(values.into_iter().enumerate().map(wrap).collect())
    }

    /// The values of fresh polynomials at 1, …, n.
    pub(crate) fn split<F: Field>(&self, secrets: &[F], stream: &mut Stream) -> Vec<Vec<F>> {
        let mut shares: Vec<Vec<F>> = vec![Vec::with_capacity(secrets.len()); self.parties];
        let points: Vec<F> = (1..=self.parties).map(|id| F::point(id as u64)).collect();
        let consecutive = points.windows(2).all(|pair| pair[0] + F::ONE == pair[1]);
        let mut coefficients = Zeroizing::new(vec![F::ZERO; BLOCK * self.threshold]);
        for block in secrets.chunks(BLOCK) {
            let coefficients = &mut coefficients[..block.len() * self.threshold];
            F::fill(stream, coefficients);
            if self.threshold == 1 && consecutive {
                // Points 1, 2, 3, …: each share is the one before plus the slope.
                for id in 0..self.parties {
                    let (before, rest) = shares.split_at_mut(id);
                    let done = rest[0].len();
                    let last = before.last().map_or(block, |last| &last[done..]);
                    rest[0].extend(last.iter().zip(&*coefficients).map(|(a, b)| *a + *b));
                }
                continue;
            }
            for (share, x) in shares.iter_mut().zip(&points) {
                let start = share.len();
                share.extend_from_slice(&coefficients[..block.len()]);
                let sum = &mut share[start..];
                for next in coefficients.chunks(block.len()).skip(1).chain([block]) {
                    for (sum, next) in sum.iter_mut().zip(next) {
                        *sum = *sum * *x + *next;
                    }
                }
            }
        }
        shares
    }

    /// The distinct ids and the common length of shares of this sharing.
    pub(crate) fn examine<'a, F: Field>(
        &self,
        shares: &'a [ShareVec<F>],
    ) -> Result<(Vec<F>, Vec<&'a [F]>)> {
        self.fits::<F>()?;
        let mut seen = vec![false; self.parties + 1];
        let length = shares.first().map_or(0, ShareVec::len);
        let mut points = Vec::with_capacity(shares.len());
        for share in shares {
            let place = &share.checked()?.place;
            if place.parties != self.parties || place.threshold != self.threshold {
                return Err(Error::Mismatch);
            }
            match seen.get_mut(place.id) {
                Some(seen) if !*seen && place.id > 0 => *seen = true,
                _ => return Err(Error::BadParties),
            }
            if share.len() != length {
                return Err(Error::LengthMismatch { left: length, right: share.len() });
            }
            points.push(F::point(place.id as u64));
        }
        if shares.len() <= self.threshold {
            return Err(Error::TooFewShares { needed: self.threshold + 1, given: shares.len() });
        }
        Ok((points, shares.iter().map(|share| &*share.raw.own).collect()))
    }

    /// The secrets. Every share given beyond the `threshold + 1` that are needed is checked.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`], [`Error::BadParties`], [`Error::LengthMismatch`],
    /// [`Error::Mismatch`], or [`Error::Inconsistent`] if the shares are not all of one sharing.
    pub fn reconstruct<F: Field>(&self, shares: &[ShareVec<F>]) -> Result<Vec<F>> {
        let (points, values) = self.examine(shares)?;
        if !on_polynomial(&points, &values, self.threshold) {
            return Err(Error::Inconsistent);
        }
        let used = self.threshold + 1;
        let at_zero = F::lagrange(&points[..used], F::ZERO);
        Ok(interpolate(&at_zero, &values[..used]))
    }

    /// A share of a party from its encoding.
    ///
    /// # Errors
    ///
    /// [`Error::BadParties`] for an id outside 1..=parties; [`Error::FieldTooSmall`].
    pub fn assemble<F: Field>(&self, id: usize, values: Vec<F>) -> Result<ShareVec<F>> {
        self.fits::<F>()?;
        if id == 0 || id > self.parties {
            return Err(Error::BadParties);
        }
        Ok(ShareVec::new(Raw::single(values), Raw::empty(), &self.place(id)))
    }

    /// Shares one party's shares again among the parties of `next`; each party of an agreed set of
    /// `threshold + 1` holders does this once, and [`Shamir::gather`] puts them together. Changes
    /// (t, n), and refreshes shares where `next` is the same scheme.
    ///
    /// # Errors
    ///
    /// As [`Shamir::share`].
    pub fn reshare<F: Field>(
        &self,
        share: &ShareVec<F>,
        next: &Shamir,
        rng: &mut dyn SecureRng,
    ) -> Result<Vec<ShareVec<F>>> {
        next.share(&share.checked()?.raw.own, rng)
    }

    /// The new share of one party from what the `holders` of the old scheme dealt to it.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`] unless there are exactly `threshold + 1` holders of the old scheme
    /// and as many parts; [`Error::BadParties`]; [`Error::Mismatch`].
    pub fn gather<F: Field>(
        &self,
        holders: &[usize],
        parts: &[ShareVec<F>],
    ) -> Result<ShareVec<F>> {
        let needed = self.threshold + 1;
        if holders.len() != needed || parts.len() != needed {
            return Err(Error::TooFewShares { needed, given: parts.len().min(holders.len()) });
        }
        let mut sorted = holders.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.len() != needed || sorted.iter().any(|id| *id == 0 || *id > self.parties) {
            return Err(Error::BadParties);
        }
        let points: Vec<F> = holders.iter().map(|id| F::point(*id as u64)).collect();
        let at_zero = F::lagrange(&points, F::ZERO);
        let mut parts = parts.iter().zip(at_zero).map(|(part, factor)| part.scaled(factor));
        let first = parts.next().ok_or(Error::TooFewShares { needed, given: 0 })?;
        let sum = parts.fold(first, |sum, part| sum + part);
        sum.checked()?;
        Ok(sum)
    }
}

/// Whether the values at `points` lie on polynomials of `degree`: the first `degree + 1` decide.
pub(crate) fn on_polynomial<F: Field>(points: &[F], values: &[&[F]], degree: usize) -> bool {
    let used = (degree + 1).min(points.len());
    let mut difference = F::ZERO;
    let mut same = true;
    for (point, claimed) in points.iter().zip(values).skip(used) {
        let coefficients = F::lagrange(&points[..used], *point);
        let expected = interpolate(&coefficients, &values[..used]);
        for (expected, claimed) in expected.iter().zip(*claimed) {
            difference = *expected - *claimed;
            same &= difference == F::ZERO;
        }
    }
    let _ = difference;
    same
}

/// Σ coefficients[i]·values[i], element by element.
pub(crate) fn interpolate<F: Field>(coefficients: &[F], values: &[&[F]]) -> Vec<F> {
    let length = values.first().map_or(0, |values| values.len());
    match (coefficients, values) {
        ([a, b], [x, y]) if *a == F::ONE + F::ONE && *b == -F::ONE => {
            x.iter().zip(*y).map(|(x, y)| *x + (*x - *y)).collect()
        }
        ([a, b], [x, y]) => x.iter().zip(*y).map(|(x, y)| *a * *x + *b * *y).collect(),
        _ => {
            let mut sum = vec![F::ZERO; length];
            for (coefficient, values) in coefficients.iter().zip(values) {
                for (sum, value) in sum.iter_mut().zip(*values) {
                    *sum += *coefficient * *value;
                }
            }
            sum
        }
    }
}
