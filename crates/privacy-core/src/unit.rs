//! Whose privacy is protected, and which data sets count as neighbours.
//!
//! Both are types, so that a count calibrated for one relation cannot be released under another by
//! accident: the same mechanism can cost half as much, or twice, under the other relation.

use std::fmt;

mod sealed {
    pub trait Sealed {}
}

/// Which data sets are neighbours, that is, differ in one privacy unit.
pub trait Adjacency: sealed::Sealed + Copy + fmt::Debug + Default + Send + Sync + 'static {
    /// The relation as a value, for records and reports.
    const RELATION: Relation;
}

/// Neighbours differ by the presence of one unit (also called unbounded).
///
/// The number of units is private. This is the family's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AddRemove;

/// Neighbours differ in the content of one unit; the number of units is public (also called
/// bounded, or change-one).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Replace;

impl sealed::Sealed for AddRemove {}
impl sealed::Sealed for Replace {}

impl Adjacency for AddRemove {
    const RELATION: Relation = Relation::AddRemove;
}

impl Adjacency for Replace {
    const RELATION: Relation = Relation::Replace;
}

/// An [`Adjacency`] as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Relation {
    /// [`AddRemove`].
    AddRemove,
    /// [`Replace`].
    Replace,
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Relation::AddRemove => "add/remove",
            Relation::Replace => "replace",
        })
    }
}

/// Whose privacy a claim is about, and under which adjacency: two claims add up only where both
/// agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Scope {
    /// Whose privacy.
    pub unit: UnitKind,
    /// Which data sets are neighbours.
    pub relation: Relation,
}

impl Scope {
    /// The scope of the unit `U` under the adjacency `A`.
    #[must_use]
    pub fn of<U: PrivacyUnit, A: Adjacency>() -> Self {
        Scope { unit: U::KIND, relation: A::RELATION }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "per {} ({})", self.unit, self.relation)
    }
}

/// A row that says which user it belongs to.
///
/// Rows protected by [`User`] must: the type of the row decides what a user is, once, so that two
/// steps of a chain cannot mean different things by it. Pairs belong to their first half.
///
/// # Example
///
/// ```
/// use privacy_core::unit::HasUnit;
///
/// struct Login { user: u64, country: &'static str }
///
/// impl HasUnit for Login {
///     type Unit = u64;
///
///     fn unit(&self) -> u64 {
///         self.user
///     }
/// }
/// ```
pub trait HasUnit {
    /// The key of a user.
    type Unit: Eq + std::hash::Hash + Ord;

    /// The user this row belongs to.
    fn unit(&self) -> Self::Unit;
}

impl<K: Clone + Eq + std::hash::Hash + Ord, V> HasUnit for (K, V) {
    type Unit = K;

    fn unit(&self) -> K {
        self.0.clone()
    }
}

/// Whose presence or content neighbours differ in.
pub trait PrivacyUnit:
    sealed::Sealed + Copy + fmt::Debug + Default + Send + Sync + 'static
{
    /// The unit as a value, for records and reports.
    const KIND: UnitKind;
}

/// One record. Protects a person only where each person has a single record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Record;

/// All records that share a unit key: everything one user, device or household contributed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct User;

impl sealed::Sealed for Record {}
impl sealed::Sealed for User {}

impl PrivacyUnit for Record {
    const KIND: UnitKind = UnitKind::Record;
}

impl PrivacyUnit for User {
    const KIND: UnitKind = UnitKind::User;
}

/// A [`PrivacyUnit`] as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnitKind {
    /// [`Record`].
    Record,
    /// [`User`].
    User,
}

impl fmt::Display for UnitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            UnitKind::Record => "record",
            UnitKind::User => "user",
        })
    }
}
