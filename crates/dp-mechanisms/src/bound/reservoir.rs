//! Sampling of each unit's rows in one pass over a stream.

use std::collections::BTreeMap;
use std::fmt;

use privacy_core::params::RowLimit;
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};

/// Keeps a uniform sample of at most a number of rows of each unit, of rows that pass by once.
///
/// The n-th row of a unit takes the place of a kept one with probability `limit`/n (Waterman's
/// algorithm R, in Knuth 1981, section 3.4.2), so every set of `limit` rows of the unit is equally likely.
/// Memory holds what is kept and one number for each unit.
///
/// # Privacy
///
/// The coins of one unit are independent of those of the others, so what is kept of others has the
/// same law whether a unit is there or not: adding or removing a unit adds or removes at most
/// `limit` rows. Use the sample for one release, or for several that are charged as such; a fresh
/// sample for each query would use more of a unit than the limit says, at no harm to privacy.
///
/// # Example
///
/// ```
/// use dp_mechanisms::bound::Reservoirs;
/// use privacy_core::random::SystemRng;
///
/// let mut rng = SystemRng::new()?;
/// let mut sample = Reservoirs::new(2)?;
/// for (user, row) in [(1, "a"), (2, "b"), (1, "c"), (1, "d")] {
///     sample.push(user, row, &mut rng)?;
/// }
/// let kept = sample.into_rows();
/// assert_eq!(kept.iter().filter(|(user, _)| *user == 1).count(), 2);
/// assert_eq!(kept.len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Reservoirs<I, T> {
    limit: RowLimit,
    units: BTreeMap<I, (u64, Vec<T>)>,
}

impl<I: Ord, T> Reservoirs<I, T> {
    /// Keeps at most `limit` rows of each unit.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] if `limit` is 0.
    pub fn new(limit: u32) -> privacy_core::Result<Self> {
        let limit = RowLimit::new("the limit of rows per unit", limit)?;
        Ok(Reservoirs { limit, units: BTreeMap::new() })
    }

    /// Lets a row pass, which may take the place of another row of its unit.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the random source fails; the row was then not considered.
    pub fn push(&mut self, unit: I, row: T, rng: &mut dyn SecureRng) -> Result<(), EntropyError> {
        let (seen, kept) = self.units.entry(unit).or_default();
        if kept.len() < self.limit.value() as usize {
            kept.push(row);
        } else {
            let place = RandomBuffer::new(rng).below(seen.saturating_add(1))?;
            let kept = usize::try_from(place).ok().and_then(|place| kept.get_mut(place));
            if let Some(kept) = kept {
                *kept = row;
            }
        }
        *seen = seen.saturating_add(1);
        Ok(())
    }

    /// Lets rows pass, each of which belongs to the unit that `unit` says, and returns what was kept of
    /// them, in the order of units: rows for a [`Session`](crate::session::Session) that never hold
    /// more of a unit than the limit.
    ///
    /// Rows that a session leaves out by its own limit are chosen by a fixed hash; those chosen here,
    /// by fresh coins. Open the session with the same unit and the same limit.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] if `limit` is 0; [`privacy_core::Error::Entropy`].
    ///
    /// # Example
    ///
    /// ```
    /// use dp_mechanisms::bound::Reservoirs;
    /// use dp_mechanisms::prelude::*;
    ///
    /// // A stream of (user, seconds) that is too long to keep.
    /// let passing = (0..100_000u32).map(|i| (i % 7 * (i % 300), i % 60));
    /// let rows = Reservoirs::sample(passing, |r| r.0, 5, &mut SystemRng::new()?)?;
    /// let session = Session::over(&rows)
    ///     .unit(|r: &(u32, u32)| r.0)
    ///     .max_rows_per_unit(5)
    ///     .budget(Epsilon::new(1.0)?)
    ///     .open()?;
    /// println!("{}", session.mean(|r| r.1).bounds(0..=60)?.epsilon(0.5)?.release()?);
    /// # Ok::<(), dp_mechanisms::Error>(())
    /// ```
    pub fn sample(
        rows: impl IntoIterator<Item = T>,
        unit: impl Fn(&T) -> I,
        limit: u32,
        rng: &mut dyn SecureRng,
    ) -> privacy_core::Result<Vec<T>> {
        let mut sample = Reservoirs::new(limit)?;
        for row in rows {
            sample.push(unit(&row), row, rng)?;
        }
        Ok(sample.units.into_values().flat_map(|(_, kept)| kept).collect())
    }

    /// What was kept, in the order of units.
    #[must_use]
    pub fn into_rows(self) -> Vec<(I, T)>
    where
        I: Clone,
    {
        let rows = self
            .units
            .into_iter()
            .flat_map(|(unit, (_, kept))| kept.into_iter().map(move |row| (unit.clone(), row)));
        rows.collect()
    }
}

impl<I, T> fmt::Debug for Reservoirs<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservoirs").field("limit", &self.limit).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::random::InsecureTestRng;

    use super::*;

    #[test]
    fn every_pair_of_rows_is_kept_equally_often() {
        let mut rng = InsecureTestRng::from_seed(17);
        let mut pairs = [0u64; 10];
        let mut sample = Reservoirs::new(2).unwrap();
        for unit in 0..20_000u32 {
            for row in 0..5usize {
                sample.push(unit, row, &mut rng).unwrap();
            }
        }
        for pair in sample.into_rows().chunks(2) {
            let (a, b) = (pair[0].1.min(pair[1].1), pair[0].1.max(pair[1].1));
            // The pairs 01, 02, 12, 03, 13, 23, … in a row.
            pairs[b * (b - 1) / 2 + a] += 1;
        }
        privacy_testing::statistics::check_chi_square(&pairs, &[0.1; 10], 1e-9);
    }

    #[test]
    fn one_unit_with_everything_keeps_its_limit() {
        let mut rng = InsecureTestRng::from_seed(1);
        let mut sample = Reservoirs::new(3).unwrap();
        for row in 0..10_000 {
            sample.push((), row, &mut rng).unwrap();
        }
        sample.push((), 1, &mut rng).unwrap();
        assert_eq!(sample.into_rows().len(), 3);
        let rows = Reservoirs::sample((0..1000).map(|i| (i % 3, i)), |r| r.0, 4, &mut rng).unwrap();
        assert!(rows.len() == 12 && rows.is_sorted_by_key(|r| r.0));
        let nothing: [(u8, u8); 0] = [];
        let none = Reservoirs::sample(nothing, |r| r.0, 4, &mut rng).unwrap();
        assert!(none.is_empty());
        assert!(Reservoirs::<u8, u8>::new(0).is_err());
    }
}
