//! A table whose rows belong to privacy units.

mod index;
mod stretch;

use std::fmt;
use std::marker::PhantomData;

use privacy_core::space::{Changes, RowSpace, Space};
use privacy_core::unit::{Adjacency, PrivacyUnit, Scope};

pub(crate) use index::UnitIndex;
pub(super) use index::in_order;

/// Rows of type `T`, each of which belongs to a unit `U`, with neighbours under `A`.
///
/// Both the data and, as a [`Space`], the type of that data: its distance counts units.
pub struct Table<'a, T, U, A> {
    rows: &'a [T],
    units: Option<UnitIndex>,
    claim: PhantomData<fn() -> (U, A)>,
}

impl<'a, T, U, A> Table<'a, T, U, A> {
    pub(crate) fn new(rows: &'a [T], units: Option<UnitIndex>) -> Self {
        Table { rows, units, claim: PhantomData }
    }

    pub(crate) fn rows(&self) -> &'a [T] {
        self.rows
    }

    pub(crate) fn units(&self) -> Option<&UnitIndex> {
        self.units.as_ref()
    }
}

impl<T, U: PrivacyUnit, A: Adjacency> Space for Table<'_, T, U, A> {
    type Data = Self;
    type Owned = Self;
    type Distance = Changes;
}

impl<T, U: PrivacyUnit, A: Adjacency> RowSpace for Table<'_, T, U, A> {
    const SCOPE: Scope = Scope { unit: U::KIND, relation: A::RELATION };
}

impl<T, U, A> fmt::Debug for Table<'_, T, U, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").finish_non_exhaustive()
    }
}
