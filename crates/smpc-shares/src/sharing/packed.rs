//! Packed sharing (Franklin, Yung 1992): w secrets in one polynomial of degree t + w - 1, with the
//! secrets at -1, …, -w. Each party stores one share for w secrets.

use privacy_core::random::SecureRng;

use super::shamir::{interpolate, on_polynomial};
use crate::error::{Error, Result};
use crate::field::PrimeField;
use crate::stream::Stream;

/// Packed sharing of groups of `width` secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed {
    parties: usize,
    threshold: usize,
    width: usize,
}

impl Packed {
    /// Any `threshold` parties learn nothing; `threshold + width` reconstruct.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] unless `threshold` and `width` are positive and
    /// `threshold + width` ≤ `parties` ≤ 65535.
    pub fn new(parties: usize, threshold: usize, width: usize) -> Result<Self> {
        if threshold == 0 || width == 0 || parties > 0xffff || threshold + width > parties {
            return Err(Error::Parameter {
                parameter: "the threshold plus the width",
                requirement: "positive parts and at most the number of parties",
                given: threshold.saturating_add(width) as u64,
            });
        }
        Ok(Packed { parties, threshold, width })
    }

    fn points<F: PrimeField>(&self) -> Result<(Vec<F>, Vec<F>)> {
        let points = self.parties + self.width;
        if points as u64 > F::POINTS {
            return Err(Error::FieldTooSmall {
                need_bits: usize::BITS - points.leading_zeros(),
                have_bits: F::BITS,
            });
        }
        let secrets = (1..=self.width).map(|i| -F::point(i as u64)).collect();
        Ok((secrets, (1..=self.parties).map(|i| F::point(i as u64)).collect()))
    }

    /// The shares of party 1, 2, …, one for each group of `width` secrets (the last is filled with
    /// zeros).
    ///
    /// # Errors
    ///
    /// [`Error::FieldTooSmall`], [`Error::Entropy`].
    pub fn share<F: PrimeField>(
        &self,
        secrets: &[F],
        rng: &mut dyn SecureRng,
    ) -> Result<Vec<Vec<F>>> {
        let (mut base, points) = self.points::<F>()?;
        // The first t shares are uniform; with the secrets they fix the polynomial.
        base.extend_from_slice(&points[..self.threshold]);
        let rows: Vec<Vec<F>> =
            points[self.threshold..].iter().map(|x| F::lagrange(&base, *x)).collect();
        let mut stream = Stream::fresh(rng)?;
        let mut shares = vec![Vec::new(); self.parties];
        for group in secrets.chunks(self.width) {
            let mut values = group.to_vec();
            values.resize(self.width + self.threshold, F::ZERO);
            F::fill(&mut stream, &mut values[self.width..]);
            let (free, fixed) = shares.split_at_mut(self.threshold);
            for (share, value) in free.iter_mut().zip(&values[self.width..]) {
                share.push(*value);
            }
            for (share, row) in fixed.iter_mut().zip(&rows) {
                share.push(F::dot(row, &values));
            }
        }
        Ok(shares)
    }

    /// `length` secrets from the shares of at least `threshold + width` parties, as (id, shares)
    /// with ids from 1; surplus shares are checked.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewShares`], [`Error::BadParties`], [`Error::LengthMismatch`],
    /// [`Error::Inconsistent`].
    pub fn reconstruct<F: PrimeField>(
        &self,
        shares: &[(usize, &[F])],
        length: usize,
    ) -> Result<Vec<F>> {
        let (secrets, all) = self.points::<F>()?;
        let degree = self.threshold + self.width - 1;
        if shares.len() <= degree {
            return Err(Error::TooFewShares { needed: degree + 1, given: shares.len() });
        }
        let mut ids: Vec<usize> = shares.iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() != shares.len() || ids.iter().any(|id| *id == 0 || *id > self.parties) {
            return Err(Error::BadParties);
        }
        let groups = length.div_ceil(self.width);
        for (_, values) in shares {
            if values.len() != groups {
                return Err(Error::LengthMismatch { left: groups, right: values.len() });
            }
        }
        let points: Vec<F> = shares.iter().map(|(id, _)| all[id - 1]).collect();
        let values: Vec<&[F]> = shares.iter().map(|(_, values)| *values).collect();
        if !on_polynomial(&points, &values, degree) {
            return Err(Error::Inconsistent);
        }
        let mut out = vec![F::ZERO; groups * self.width];
        for (i, secret) in secrets.iter().enumerate() {
            let row = F::lagrange(&points[..=degree], *secret);
            for (j, value) in interpolate(&row, &values[..=degree]).into_iter().enumerate() {
                out[j * self.width + i] = value;
            }
        }
        out.truncate(length);
        Ok(out)
    }
}
