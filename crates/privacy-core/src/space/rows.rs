//! Tables of rows.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use super::{Distance, Measurable, Space};
use crate::unit::{AddRemove, Adjacency, PrivacyUnit, Record, Relation, UnitKind};

/// Rows of type `T` that belong to privacy units `U`, with neighbours under the adjacency `A`.
///
/// The distance counts units: with `U = Record` the rows added or removed (or, under
/// [`Replace`](crate::unit::Replace), replaced); with `U = User` the users whose rows were.
/// Order carries no meaning.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rows<T, U = Record, A = AddRemove>(PhantomData<fn() -> (T, U, A)>);

impl<T, U: PrivacyUnit, A: Adjacency> Space for Rows<T, U, A> {
    type Data = [T];
    type Owned = Vec<T>;
    type Distance = Changes;
}

/// A number of changed privacy units: 1 between neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Changes(pub u64);

impl Changes {
    /// The distance between neighbours.
    pub const NEIGHBOURS: Changes = Changes(1);
}

impl Distance for Changes {
    fn zero() -> Self {
        Changes(0)
    }
}

impl<T: Ord, A: Adjacency> Measurable for Rows<T, Record, A> {
    fn distance(a: &[T], b: &[T]) -> Option<Changes> {
        let mut balance: BTreeMap<&T, i64> = BTreeMap::new();
        for row in a {
            *balance.entry(row).or_default() += 1;
        }
        for row in b {
            *balance.entry(row).or_default() -= 1;
        }
        let surplus: u64 = balance.values().map(|n| n.unsigned_abs()).sum();
        match A::RELATION {
            Relation::AddRemove => Some(Changes(surplus)),
            Relation::Replace => (a.len() == b.len()).then_some(Changes(surplus / 2)),
        }
    }
}

/// A space of rows: what a privacy claim can be about.
pub trait RowSpace: Space<Distance = Changes> {
    /// Whose privacy its distances count.
    const UNIT: UnitKind;
    /// Which of its members are neighbours.
    const RELATION: Relation;
}

impl<T, U: PrivacyUnit, A: Adjacency> RowSpace for Rows<T, U, A> {
    const UNIT: UnitKind = U::KIND;
    const RELATION: Relation = A::RELATION;
}
