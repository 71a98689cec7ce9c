//! Amounts of budget that add exactly, component by component.

use privacy_core::measure::{Allowance, Charge};
use privacy_core::params::Amount;

/// An amount in the measure of one account: ε, ρ, or ε and δ.
///
/// Two of them meet only within one account, so both have the same components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spend {
    main: Amount,
    delta: Option<Amount>,
}

impl Spend {
    /// The components of an allowance; `None` for a measure this version does not know.
    pub(crate) fn of(allowance: &Allowance) -> Option<Self> {
        Some(match allowance {
            Allowance::Pure { epsilon } => Spend { main: epsilon.clone(), delta: None },
            Allowance::Approximate { epsilon, delta } => {
                Spend { main: epsilon.clone(), delta: Some(delta.clone()) }
            }
            Allowance::Zcdp { rho } => Spend { main: rho.clone(), delta: None },
            _ => return None,
        })
    }

    /// What `charge` costs in the measure of `limit`; `None` where no proven bound converts.
    pub(crate) fn asked(limit: &Allowance, charge: &Charge) -> Option<Self> {
        Spend::of(&limit.asked(charge)?)
    }

    pub(crate) fn nothing(&self) -> Self {
        Spend { main: Amount::ZERO, delta: self.delta.as_ref().map(|_| Amount::ZERO) }
    }

    /// The amounts as an allowance in the measure of `like`.
    pub(crate) fn allowance(&self, like: &Allowance) -> Allowance {
        let Spend { main, delta } = self.clone();
        match like {
            Allowance::Pure { .. } => Allowance::Pure { epsilon: main },
            Allowance::Zcdp { .. } => Allowance::Zcdp { rho: main },
            Allowance::Approximate { .. } => {
                Allowance::Approximate { epsilon: main, delta: delta.unwrap_or(Amount::ZERO) }
            }
            // `Spend::of` let no other measure in.
            other => other.nothing(),
        }
    }

    fn zip(&self, other: &Self, op: impl Fn(&Amount, &Amount) -> Option<Amount>) -> Option<Self> {
        let delta = match (&self.delta, &other.delta) {
            (Some(a), Some(b)) => Some(op(a, b)?),
            (None, None) => None,
            _ => return None,
        };
        Some(Spend { main: op(&self.main, &other.main)?, delta })
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
        match (&self.delta, &room.delta) {
            (Some(a), Some(b)) => self.main <= room.main && a <= b,
            (None, None) => self.main <= room.main,
            _ => false,
        }
    }
}
