//! How a query divides rows: not at all, by known groups, or by bins of a number.

use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use privacy_core::measure::Charge;
use privacy_core::params::Numeric;
use privacy_core::release::Release;

use super::release::GroupedRelease;
use crate::error::Result;
use crate::keys::{KnownGroups, Names};

/// Which group each row belongs to, and how the releases of all groups are handed out.
///
/// Implemented by [`Whole`], [`ByGroup`] and [`ByBin`].
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

    pub(super) fn keys(&self) -> &[K]
    where
        K: Eq + Hash + Clone,
    {
        self.known.groups()
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

/// A bin of a histogram: from `lower` to below `upper` (in the last bin up to and with `upper`).
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, serde::Serialize)]
pub struct Bin<V> {
    /// The least value of the bin.
    pub lower: V,
    /// Where the bin ends.
    pub upper: V,
}

impl<V: fmt::Display> fmt::Display for Bin<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}..{}", self.lower, self.upper))
    }
}

/// Rows by bins of a number.
pub struct ByBin<V, F> {
    edges: Vec<V>,
    value: F,
}

impl<V: Numeric, F> ByBin<V, F> {
    pub(super) fn new(edges: &[V], value: F) -> Result<Self> {
        if edges.len() < 2 {
            return Err(privacy_core::Error::Parameter {
                parameter: "the number of bin edges",
                requirement: "at least 2",
                given: edges.len() as f64,
            }
            .into());
        }
        for (i, edge) in edges.iter().enumerate() {
            let increasing = i == 0 || edges[i - 1] < *edge;
            let outermost = i == 0 || i + 1 == edges.len();
            // NaN does not even equal itself.
            let number = edge.is_finite_number() || (outermost && edge.partial_cmp(edge).is_some());
            if !number || !increasing {
                return Err(privacy_core::Error::Parameter {
                    parameter: "an edge of the bins",
                    requirement: "a number above the edge before it (only the outermost infinite)",
                    given: edge.to_f64_lossy(),
                }
                .into());
            }
        }
        Ok(ByBin { edges: edges.to_vec(), value })
    }

    fn bins(&self) -> impl Iterator<Item = Bin<V>> {
        self.edges.windows(2).filter_map(|pair| match pair {
            [lower, upper] => Some(Bin { lower: *lower, upper: *upper }),
            _ => None,
        })
    }
}

impl<'a, T, V, F> Grouping<'a, T> for ByBin<V, F>
where
    T: 'a,
    V: Numeric,
    F: Fn(&'a T) -> V + Send + Sync,
{
    type Output<R> = GroupedRelease<Bin<V>, R>;

    fn groups(&self) -> usize {
        self.edges.len() - 1
    }

    /// Values outside the bins, and NaN, belong to no group.
    #[inline]
    fn group(&self, row: &'a T) -> Option<u32> {
        let value = (self.value)(row);
        // NaN compares false with every edge, so it counts no edge as passed.
        let passed = self.edges.partition_point(|edge| *edge <= value);
        let last = self.edges.len() - 1;
        match passed {
            0 => None,
            passed if passed <= last => Some(passed as u32 - 1),
            _ if value <= self.edges[last] => Some(last as u32 - 1),
            _ => None,
        }
    }

    fn collect<R>(&self, releases: Vec<Release<R>>, charge: Charge) -> Option<Self::Output<R>> {
        Some(GroupedRelease::new(self.bins().collect(), releases, charge))
    }

    fn describe(&self) -> String {
        format!(" by {} bins", self.edges.len() - 1)
    }
}

impl<V: fmt::Debug, F> fmt::Debug for ByBin<V, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByBin").field("edges", &self.edges).finish_non_exhaustive()
    }
}

impl<K, F, Form> fmt::Debug for ByGroup<K, F, Form> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByGroup").finish_non_exhaustive()
    }
}
