//! How much of the data one unit may contribute.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A number of rows or groups, at least 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RowLimit(NonZeroU32);

impl RowLimit {
    /// The limit 1.
    pub const ONE: RowLimit = RowLimit(NonZeroU32::MIN);

    /// A limit of `value` rows or groups.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `value` is 0; `parameter` is the name the error calls it by.
    pub fn new(parameter: &'static str, value: u32) -> Result<Self> {
        NonZeroU32::new(value).map(RowLimit).ok_or(Error::Parameter {
            parameter,
            requirement: "at least 1",
            given: 0.0,
        })
    }

    /// The limit as a number.
    #[must_use]
    pub fn value(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Debug for RowLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for RowLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What one unit may contribute to one query after bounding.
///
/// `None` means that the limit is not enforced by itself; a query refuses limits from which no
/// finite sensitivity follows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ContributionLimits {
    /// The most rows of one unit that are used in the whole query.
    pub rows: Option<RowLimit>,
    /// The most groups that one unit appears in (the L0 bound).
    pub groups: Option<RowLimit>,
    /// The most rows of one unit in any one group (the L∞ bound).
    pub rows_per_group: Option<RowLimit>,
}
