//! The dimensions of a histogram.

use std::borrow::Borrow;
use std::fmt::{self, Display};
use std::hash::Hash;

use privacy_core::params::Numeric;

use super::super::grouping::{ByBin, ByGroup, Grouping};
use super::fit::Fit;
use crate::error::{Error, Result};
use crate::keys::{KnownGroups, Names};

/// The dimensions of a histogram, each with public bins.
pub struct Axes<'a, T> {
    axes: Vec<Axis<'a, T>>,
}

struct Axis<'a, T> {
    name: String,
    labels: Vec<String>,
    bin: Box<dyn Fn(&'a T) -> Option<u32> + Send + Sync + 'a>,
}

/// The most dimensions.
const MOST_AXES: usize = 6;
/// The most cells of the full table.
const MOST_CELLS: usize = 1 << 22;

impl<T> Default for Axes<'_, T> {
    fn default() -> Self {
        Axes::new()
    }
}

impl<'a, T: 'a> Axes<'a, T> {
    /// No dimension yet.
    #[must_use]
    pub fn new() -> Self {
        Axes { axes: Vec::new() }
    }

    /// Adds a dimension of known groups; rows of other groups are left out.
    ///
    /// # Errors
    ///
    /// An error of the list of groups; [`privacy_core::Error::Overflow`] for more than 6
    /// dimensions or 2^22 cells.
    pub fn groups<K, F, N, Form>(
        self,
        name: impl Into<String>,
        value: F,
        groups: &[K],
    ) -> Result<Self>
    where
        F: Fn(&'a T) -> N + Send + Sync + 'a,
        N: Names<K, Form>,
        K: Borrow<N::Target> + Eq + Hash + Clone + Display + Send + Sync + 'a,
        Form: 'a,
    {
        let labels = groups.iter().map(ToString::to_string).collect();
        let by = ByGroup::<K, F, Form>::new(KnownGroups::new(groups)?, value);
        self.with(name.into(), labels, Box::new(move |row| by.group(row)))
    }

    /// Adds a dimension of bins of a number, as [`Query::by_bin`](super::super::Query::by_bin).
    ///
    /// # Errors
    ///
    /// An error of the edges; [`privacy_core::Error::Overflow`] for more than 6 dimensions or 2^22
    /// cells.
    pub fn bins<V, F>(self, name: impl Into<String>, value: F, edges: &[V]) -> Result<Self>
    where
        V: Numeric + Display,
        F: Fn(&'a T) -> V + Send + Sync + 'a,
    {
        let by = ByBin::new(edges, value)?;
        let labels = edges.windows(2).map(|pair| match pair {
            [lower, upper] => format!("{lower}..{upper}"),
            _ => String::new(),
        });
        let labels = labels.collect();
        self.with(name.into(), labels, Box::new(move |row| by.group(row)))
    }

    fn with(
        mut self,
        name: String,
        labels: Vec<String>,
        bin: Box<dyn Fn(&'a T) -> Option<u32> + Send + Sync + 'a>,
    ) -> Result<Self> {
        self.axes.push(Axis { name, labels, bin });
        let cells = self.axes.iter().try_fold(1usize, |cells, axis| {
            cells.checked_mul(axis.labels.len()).filter(|cells| *cells <= MOST_CELLS)
        });
        if self.axes.len() > MOST_AXES || cells.is_none() {
            return Err(Error::Core(privacy_core::Error::Overflow {
                quantity: "the size of the histogram",
                limit: "6 dimensions and 2^22 cells",
            }));
        }
        Ok(self)
    }

    /// The cell of a row, the last dimension running fastest.
    #[inline]
    pub(super) fn cell(&self, row: &'a T) -> Option<u32> {
        let mut cell = 0;
        for axis in &self.axes {
            cell = cell * axis.labels.len() as u32 + (axis.bin)(row)?;
        }
        Some(cell)
    }

    pub(super) fn fit(&self) -> Fit {
        Fit::new(self.axes.iter().map(|axis| axis.labels.len()).collect())
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.axes.iter().map(|axis| axis.name.clone()).collect()
    }

    pub(super) fn labels(&self) -> Vec<Vec<String>> {
        self.axes.iter().map(|axis| axis.labels.clone()).collect()
    }
}

impl<T> fmt::Debug for Axes<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.axes.iter().map(|axis| &axis.name)).finish()
    }
}
