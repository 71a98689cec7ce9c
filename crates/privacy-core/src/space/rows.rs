//! Tables of rows.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use super::{Distance, Measurable, Space};
use crate::unit::{AddRemove, Adjacency, HasUnit, Record, Relation, Scope, UnitKind, User};

/// Rows of type `T` that belong to privacy units `U`, with neighbours under the adjacency `A`.
///
/// The distance counts units: with `U = Record` the rows added or removed (or, under
/// [`Replace`](crate::unit::Replace), replaced); with `U = User` the users whose rows were, and
/// the row type says which user a row belongs to ([`HasUnit`]). Order carries no meaning.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rows<T, U = Record, A = AddRemove>(PhantomData<fn() -> (T, U, A)>);

impl<T, A: Adjacency> Space for Rows<T, Record, A> {
    type Data = [T];
    type Owned = Vec<T>;
    type Distance = Changes;
}

impl<T: HasUnit, A: Adjacency> Space for Rows<T, User, A> {
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

impl<T: HasUnit + Ord> Measurable for Rows<T, User, AddRemove> {
    /// The number of users whose rows differ; a user whose rows changed counts twice, once removed
    /// and once added.
    fn distance(a: &[T], b: &[T]) -> Option<Changes> {
        fn by_user<T: HasUnit + Ord>(rows: &[T]) -> BTreeMap<T::Unit, Vec<&T>> {
            let mut users: BTreeMap<T::Unit, Vec<&T>> = BTreeMap::new();
            for row in rows {
                users.entry(row.unit()).or_default().push(row);
            }
            users.values_mut().for_each(|rows| rows.sort());
            users
        }
        let (a, b) = (by_user(a), by_user(b));
        let missing = |from: &BTreeMap<T::Unit, Vec<&T>>, to: &BTreeMap<T::Unit, Vec<&T>>| {
            from.iter().filter(|(user, rows)| to.get(user) != Some(rows)).count() as u64
        };
        Some(Changes(missing(&a, &b) + missing(&b, &a)))
    }
}

/// A space of rows: what a privacy claim can be about.
pub trait RowSpace: Space<Distance = Changes> {
    /// Whose privacy its distances count, and which of its members are neighbours.
    const SCOPE: Scope;
}

impl<T, A: Adjacency> RowSpace for Rows<T, Record, A> {
    const SCOPE: Scope = Scope { unit: UnitKind::Record, relation: A::RELATION };
}

impl<T: HasUnit, A: Adjacency> RowSpace for Rows<T, User, A> {
    const SCOPE: Scope = Scope { unit: UnitKind::User, relation: A::RELATION };
}
