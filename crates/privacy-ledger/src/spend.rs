//! Amounts of budget that add exactly, component by component.

use privacy_core::params::Amount;
use serde::{Deserialize, Serialize};

/// An amount as one account counts it: ε, ρ, ε and δ, or numbers of declared releases.
///
/// Two of them meet only within one account, so both have the same components.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spend {
    first: Amount,
    /// Empty for most accounts, which then need no allocation.
    rest: Vec<Amount>,
}

impl Spend {
    pub(crate) fn one(first: Amount) -> Self {
        Spend { first, rest: Vec::new() }
    }

    pub(crate) fn two(first: Amount, second: Amount) -> Self {
        Spend { first, rest: vec![second] }
    }

    /// `None` without components.
    pub(crate) fn of(components: impl IntoIterator<Item = Amount>) -> Option<Self> {
        let mut components = components.into_iter();
        Some(Spend { first: components.next()?, rest: components.collect() })
    }

    pub(crate) fn components(&self) -> impl Iterator<Item = &Amount> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    pub(crate) fn nothing(&self) -> Self {
        Spend { first: Amount::ZERO, rest: vec![Amount::ZERO; self.rest.len()] }
    }

    fn zip(&self, other: &Self, op: impl Fn(&Amount, &Amount) -> Option<Amount>) -> Option<Self> {
        if self.rest.len() != other.rest.len() {
            return None;
        }
        let rest = self.rest.iter().zip(&other.rest).map(|(a, b)| op(a, b)).collect::<Option<_>>();
        Some(Spend { first: op(&self.first, &other.first)?, rest: rest? })
    }

    /// The sum, exact up to 2^-1024 and never below.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        // Both have the same components; were they not, the larger claim stands.
        self.zip(other, |a, b| Some((a + b).compacted_up())).unwrap_or_else(|| self.clone())
    }

    /// The exact difference; `None` where a component would be negative.
    ///
    /// It is not compacted: what is left after a sum was rounded up and a part given back is never
    /// below the rest.
    pub(crate) fn minus(&self, other: &Self) -> Option<Self> {
        self.zip(other, Amount::checked_sub)
    }

    /// The larger of each component.
    pub(crate) fn max(&self, other: &Self) -> Self {
        self.zip(other, |a, b| Some(a.max(b).clone())).unwrap_or_else(|| self.clone())
    }

    /// The smaller of each component.
    pub(crate) fn min(&self, other: &Self) -> Self {
        self.zip(other, |a, b| Some(a.min(b).clone())).unwrap_or_else(|| self.clone())
    }

    /// Whether each component is at most that of `room`.
    pub(crate) fn fits(&self, room: &Self) -> bool {
        self.rest.len() == room.rest.len()
            && self.components().zip(room.components()).all(|(asked, left)| asked <= left)
    }
}
