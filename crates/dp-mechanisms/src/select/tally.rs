//! Counts as scores.

use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use privacy_core::error::{Error, Result};
use privacy_core::params::Amount;
use privacy_core::space::{Changes, Linf, Rows, Vector};
use privacy_core::transformation::Transformation;
use privacy_core::unit::{AddRemove, Adjacency, Record};

use crate::keys::KnownGroups;

/// Scores each known group by its number of rows; before a selection, the mode.
///
/// # Privacy
///
/// A record counts in at most one group. Adding or removing one moves one score by 1, all in one
/// direction ([`Scores::Monotone`](super::Scores::Monotone)); replacing one moves two scores by 1,
/// in both ([`Scores::Any`](super::Scores::Any)). d changes move a score by at most d. Rows of
/// groups that are not listed are not counted; the list is public.
///
/// # Example
///
/// ```
/// use dp_mechanisms::select::{PermuteAndFlip, Tally};
/// use privacy_core::prelude::*;
///
/// const BROWSERS: [&str; 3] = ["firefox", "chrome", "safari"];
/// let choose = PermuteAndFlip::monotone(&Amount::from_integer(1), &Epsilon::new(0.5)?)?;
/// let mode = Tally::<&str, AddRemove>::new(&BROWSERS)?.then(choose);
///
/// assert_eq!(mode.cost(Changes::NEIGHBOURS)?.epsilon, "0.5".parse()?);
/// let most_used = BROWSERS[mode.draw(&["safari", "chrome", "safari"], &mut SystemRng::new()?)?];
/// # let _ = most_used;
/// # Ok::<(), privacy_core::Error>(())
/// ```
pub struct Tally<K, A = AddRemove> {
    known: KnownGroups<K>,
    adjacency: PhantomData<fn() -> A>,
}

impl<K: Eq + Hash + Clone, A> Tally<K, A> {
    /// Scores `groups`, each by its rows.
    ///
    /// # Errors
    ///
    /// [`crate::Error::NoGroups`] or [`crate::Error::DuplicateGroup`], as
    /// [`Error::Technique`].
    pub fn new(groups: &[K]) -> Result<Self> {
        let known = KnownGroups::new(groups).map_err(Error::technique)?;
        Ok(Tally { known, adjacency: PhantomData })
    }
}

impl<K, A> Transformation for Tally<K, A>
where
    K: Eq + Hash + Clone + Send + Sync,
    A: Adjacency,
{
    type Input = Rows<K, Record, A>;
    type Output = Vector<i128, Linf>;

    fn apply(&self, rows: &[K]) -> Result<Vec<i128>> {
        let mut counts = vec![0; self.known.groups().len()];
        for position in rows.iter().filter_map(|row| self.known.position(row)) {
            counts[position as usize] += 1;
        }
        Ok(counts)
    }

    fn stability(&self, d_in: Changes) -> Result<Amount> {
        Ok(d_in.0.into())
    }
}

impl<K, A> fmt::Debug for Tally<K, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tally")
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::conformance;
    use privacy_core::unit::Replace;

    use super::*;

    #[test]
    fn scores_move_by_no_more_than_the_changes() {
        let (a, b) = (vec![1u8, 2, 2, 9], vec![1, 2, 2, 9, 3]);
        let added = [(a.clone(), b), (a.clone(), vec![]), (a.clone(), vec![2, 2, 2, 2])];
        conformance::stability(&Tally::<u8, AddRemove>::new(&[1, 2, 3]).unwrap(), &added).unwrap();
        let replaced = [(a.clone(), vec![1, 2, 3, 9]), (a, vec![3, 3, 3, 3])];
        conformance::stability(&Tally::<u8, Replace>::new(&[1, 2, 3]).unwrap(), &replaced).unwrap();
    }

    #[test]
    fn lists_must_be_distinct_and_not_empty() {
        assert!(Tally::<u8>::new(&[]).is_err());
        assert!(Tally::<u8>::new(&[1, 1]).is_err());
    }
}
