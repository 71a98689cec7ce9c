//! How a query divides rows: not at all, or by known groups.

use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use super::release::GroupedRelease;
use crate::keys::{KnownGroups, Names};
use privacy_core::measure::Charge;
use privacy_core::release::Release;

/// Which group each row belongs to, and how the releases of all groups are handed out.
///
/// Implemented by [`Whole`] and [`ByGroup`].
pub trait Grouping<'a, T>: Send + Sync {
    /// What a query of this grouping releases, given what one group releases.
    type Output<V>;

    /// The number of groups, at least 1.
    fn groups(&self) -> usize;

    /// The group of a row; `None` leaves the row out.
    fn group(&self, row: &'a T) -> Option<u32>;

    /// Hands out the releases of the groups, in order.
    fn collect<V>(&self, releases: Vec<Release<V>>, charge: Charge) -> Option<Self::Output<V>>;

    /// Words after the statistic's name, such as `by 8 known groups`.
    fn describe(&self) -> String;
}

/// All rows together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whole;

impl<'a, T> Grouping<'a, T> for Whole {
    type Output<V> = Release<V>;

    fn groups(&self) -> usize {
        1
    }

    #[inline]
    fn group(&self, _: &'a T) -> Option<u32> {
        Some(0)
    }

    fn collect<V>(&self, mut releases: Vec<Release<V>>, _: Charge) -> Option<Release<V>> {
        releases.pop()
    }

    fn describe(&self) -> String {
        String::new()
    }
}

/// Rows by known groups.
pub struct ByGroup<K, F, Form> {
    known: KnownGroups<K>,
    name: F,
    form: PhantomData<fn() -> Form>,
}

impl<K, F, Form> ByGroup<K, F, Form> {
    pub(super) fn new(known: KnownGroups<K>, name: F) -> Self {
        ByGroup { known, name, form: PhantomData }
    }
}

impl<'a, T, K, F, N, Form> Grouping<'a, T> for ByGroup<K, F, Form>
where
    T: 'a,
    F: Fn(&'a T) -> N + Send + Sync,
    N: Names<K, Form>,
    K: Borrow<N::Target> + Eq + Hash + Clone + Send + Sync,
{
    type Output<V> = GroupedRelease<K, V>;

    fn groups(&self) -> usize {
        self.known.groups().len()
    }

    #[inline]
    fn group(&self, row: &'a T) -> Option<u32> {
        self.known.position(&(self.name)(row))
    }

    fn collect<V>(&self, releases: Vec<Release<V>>, charge: Charge) -> Option<Self::Output<V>> {
        Some(GroupedRelease::new(self.known.groups().to_vec(), releases, charge))
    }

    fn describe(&self) -> String {
        format!(" by {} known groups", self.known.groups().len())
    }
}

impl<K, F, Form> fmt::Debug for ByGroup<K, F, Form> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByGroup").finish_non_exhaustive()
    }
}
