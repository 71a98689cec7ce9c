//! A table whose rows belong to privacy units.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use privacy_core::space::{Changes, RowSpace, Space};
use privacy_core::unit::{Adjacency, PrivacyUnit, Scope};

use crate::error::{Error, Result};
use crate::hash::{TableHasher, stable_hasher};

/// Rows of type `T`, each of which belongs to a unit `U`, with neighbours under `A`.
///
/// Both the data and, as a [`Space`], the type of that data: its distance counts units.
pub struct Table<'a, T, U, A> {
    rows: &'a [T],
    units: Option<UnitIndex>,
    claim: PhantomData<fn() -> (U, A)>,
}

/// Which unit each row belongs to.
#[derive(Clone)]
pub(crate) struct UnitIndex {
    /// For each row the number of its unit.
    ids: Vec<u32>,
    /// For each unit a hash of its key that is the same in every table.
    identities: Vec<u64>,
}

impl UnitIndex {
    pub(crate) fn build<'a, T, K: Eq + Hash>(
        rows: &'a [T],
        unit: impl Fn(&'a T) -> K,
    ) -> Result<Self> {
        let limit = u64::from(u32::MAX);
        if rows.len() as u64 > limit {
            return Err(Error::TooManyRows { limit });
        }
        let stable = stable_hasher();
        let mut numbers: HashMap<K, u32, TableHasher> = HashMap::default();
        let mut identities = Vec::new();
        let ids = rows
            .iter()
            .map(|row| match numbers.entry(unit(row)) {
                Entry::Occupied(entry) => *entry.get(),
                Entry::Vacant(entry) => {
                    let id = identities.len() as u32;
                    identities.push(stable.hash_one(entry.key()));
                    *entry.insert(id)
                }
            })
            .collect();
        Ok(UnitIndex { ids, identities })
    }

    /// The index of a table of rows that belong to the given units of this one.
    pub(crate) fn of_rows(&self, ids: &[u32]) -> UnitIndex {
        const UNSEEN: u32 = u32::MAX;
        let mut number = vec![UNSEEN; self.identities.len()];
        let mut identities = Vec::new();
        let ids = ids
            .iter()
            .map(|&id| {
                let number = &mut number[id as usize];
                if *number == UNSEEN {
                    *number = identities.len() as u32;
                    identities.push(self.identities[id as usize]);
                }
                *number
            })
            .collect();
        UnitIndex { ids, identities }
    }

    pub(crate) fn ids(&self) -> &[u32] {
        &self.ids
    }

    pub(crate) fn identities(&self) -> &[u64] {
        &self.identities
    }
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
