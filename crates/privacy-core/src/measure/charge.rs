//! What a release asks of a budget, and what a budget has left.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ApproxCost, Measure, PureCost, RenyiCost, RenyiDp, Zcdp, ZcdpCost};
use crate::measure::{ApproxDp, PureDp};
use crate::params::{Amount, Delta, Epsilon, Rho};

/// The price of one release: every bound on its privacy loss that has a proof.
///
/// All bounds speak of the same release; a budget uses the one in its own measure. Conversions
/// that lose nothing against a target are made on the way: pure ε is also (ε, 0) and ε²/2-zCDP
/// (Bun, Steinke 2016, Proposition 1.4).
///
/// # Example
///
/// ```
/// use privacy_core::measure::Charge;
/// use privacy_core::params::Epsilon;
///
/// let charge = Charge::from(Epsilon::new(0.2)?);
/// assert_eq!(charge.in_zcdp().unwrap().rho.to_string(), "0.02");
/// # Ok::<(), privacy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawCharge")]
pub struct Charge {
    #[serde(skip_serializing_if = "Option::is_none")]
    pure: Option<PureCost>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approximate: Option<ApproxCost>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zcdp: Option<ZcdpCost>,
    #[serde(skip_serializing_if = "Option::is_none")]
    renyi: Option<RenyiCost>,
}

/// What is read before it is known that there is a bound at all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCharge {
    pure: Option<PureCost>,
    approximate: Option<ApproxCost>,
    zcdp: Option<ZcdpCost>,
    renyi: Option<RenyiCost>,
}

impl TryFrom<RawCharge> for Charge {
    type Error = crate::Error;

    fn try_from(raw: RawCharge) -> crate::Result<Self> {
        let RawCharge { pure, approximate, zcdp, renyi } = raw;
        let charge = Charge { pure, approximate, zcdp, renyi };
        if charge.has_bound() {
            Ok(charge)
        } else {
            Err(crate::Error::Missing {
                setting: "the bound of a charge",
                remedy: "give one of pure, approximate, zcdp and renyi",
            })
        }
    }
}

impl Charge {
    const NONE: Charge = Charge { pure: None, approximate: None, zcdp: None, renyi: None };

    /// A pure charge of ε.
    #[must_use]
    pub fn pure(epsilon: Amount) -> Self {
        Charge { pure: Some(PureCost { epsilon }), ..Charge::NONE }
    }

    /// An approximate charge of (ε, δ).
    #[must_use]
    pub fn approximate(epsilon: Amount, delta: Amount) -> Self {
        Charge { approximate: Some(ApproxCost { epsilon, delta }), ..Charge::NONE }
    }

    /// A zCDP charge of ρ.
    #[must_use]
    pub fn zcdp(rho: Amount) -> Self {
        Charge { zcdp: Some(ZcdpCost { rho }), ..Charge::NONE }
    }

    /// A Rényi charge.
    #[must_use]
    pub fn renyi(curve: RenyiCost) -> Self {
        // A curve without orders, as a large group can leave it, bounds nothing.
        let renyi = Some(curve).filter(|curve| !curve.points().is_empty());
        Charge { renyi, ..Charge::NONE }
    }

    /// Whether there is a bound in any measure. Without one the charge can be paid by no budget.
    #[must_use]
    pub fn has_bound(&self) -> bool {
        *self != Charge::NONE
    }

    /// Whether paying `self` pays `price`: in each measure in which the price has a bound, this is
    /// at least as much.
    #[must_use]
    pub fn covers(&self, price: &Charge) -> bool {
        fn at_least<T: PartialOrd>(paid: Option<T>, price: Option<T>) -> bool {
            match (paid, price) {
                (_, None) => true,
                (Some(paid), Some(price)) => paid >= price,
                (None, Some(_)) => false,
            }
        }
        at_least(self.pure.as_ref(), price.pure.as_ref())
            && at_least(self.approximate.as_ref(), price.approximate.as_ref())
            && at_least(self.zcdp.as_ref(), price.zcdp.as_ref())
            && at_least(self.renyi.as_ref(), price.renyi.as_ref())
    }

    /// Adds another proven bound on the same release; of two in one measure the smaller stays.
    #[must_use]
    pub fn or(self, other: Charge) -> Self {
        fn smaller<T: PartialOrd>(a: Option<T>, b: Option<T>) -> Option<T> {
            match (a, b) {
                (Some(a), Some(b)) => Some(if b < a { b } else { a }),
                (a, b) => a.or(b),
            }
        }
        Charge {
            pure: smaller(self.pure, other.pure),
            approximate: smaller(self.approximate, other.approximate),
            zcdp: smaller(self.zcdp, other.zcdp),
            renyi: smaller(self.renyi, other.renyi),
        }
    }

    /// The charge of this release and another from the same data, in every measure both have.
    ///
    /// `None` if they share no measure.
    #[must_use]
    pub fn compose(&self, other: &Charge) -> Option<Charge> {
        fn both<M: Measure>(a: Option<M::Cost>, b: Option<M::Cost>) -> Option<M::Cost> {
            Some(M::compose(&a?, &b?))
        }
        let sum = Charge {
            pure: both::<PureDp>(self.pure.clone(), other.pure.clone()),
            approximate: both::<ApproxDp>(self.in_approximate(), other.in_approximate()),
            zcdp: both::<Zcdp>(self.in_zcdp(), other.in_zcdp()),
            renyi: both::<RenyiDp>(self.renyi.clone(), other.renyi.clone())
                .filter(|curve| !curve.points().is_empty()),
        };
        (sum != Charge::NONE).then_some(sum)
    }

    /// The charge where neighbours are `size` steps apart for this release (group privacy).
    #[must_use]
    pub fn group(&self, size: u64) -> Charge {
        Charge {
            pure: self.pure.as_ref().map(|cost| PureDp::group(cost, size)),
            approximate: self.approximate.as_ref().map(|cost| ApproxDp::group(cost, size)),
            zcdp: self.zcdp.as_ref().map(|cost| Zcdp::group(cost, size)),
            renyi: self
                .renyi
                .as_ref()
                .map(|cost| RenyiDp::group(cost, size))
                .filter(|curve| !curve.points().is_empty()),
        }
    }

    /// The bound in pure differential privacy.
    #[must_use]
    pub fn in_pure(&self) -> Option<PureCost> {
        self.pure.clone()
    }

    /// The bound in approximate differential privacy: given as such, or pure with δ = 0.
    #[must_use]
    pub fn in_approximate(&self) -> Option<ApproxCost> {
        let from_pure =
            || Some(ApproxCost { epsilon: self.pure.clone()?.epsilon, delta: Amount::ZERO });
        self.approximate.clone().or_else(from_pure)
    }

    /// The bound in zCDP: given as such, or ε²/2 from pure ε, whichever is smaller.
    #[must_use]
    pub fn in_zcdp(&self) -> Option<ZcdpCost> {
        let from_pure = self.pure.as_ref().map(|cost| ZcdpCost {
            rho: cost.epsilon.squared().scaled_by_power_of_two(-1).compacted_up(),
        });
        match (self.zcdp.clone(), from_pure) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// The bound as a Rényi curve, if one was given.
    #[must_use]
    pub fn in_renyi(&self) -> Option<&RenyiCost> {
        self.renyi.as_ref()
    }
}

impl From<Epsilon> for Charge {
    fn from(epsilon: Epsilon) -> Self {
        Charge::pure(epsilon.into_amount())
    }
}

impl From<Rho> for Charge {
    fn from(rho: Rho) -> Self {
        Charge::zcdp(rho.into_amount())
    }
}

impl From<(Epsilon, Delta)> for Charge {
    fn from((epsilon, delta): (Epsilon, Delta)) -> Self {
        Charge::approximate(epsilon.into_amount(), delta.into_amount())
    }
}

impl fmt::Display for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Charge { pure: Some(cost), .. } => cost.fmt(f),
            Charge { zcdp: Some(cost), .. } => cost.fmt(f),
            Charge { approximate: Some(cost), .. } => cost.fmt(f),
            Charge { renyi: Some(cost), .. } => cost.fmt(f),
            _ => f.write_str("no proven bound"),
        }
    }
}

/// An amount of budget in one measure: a limit, what was spent, what is left, what was asked.
///
/// Unlike ε and ρ themselves it may be zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "measure")]
#[non_exhaustive]
pub enum Allowance {
    /// Pure differential privacy.
    Pure {
        /// ε.
        epsilon: Amount,
    },
    /// Approximate differential privacy, with basic composition.
    Approximate {
        /// ε.
        epsilon: Amount,
        /// δ.
        delta: Amount,
    },
    /// Zero-concentrated differential privacy.
    Zcdp {
        /// ρ.
        rho: Amount,
    },
}

impl Allowance {
    /// What `charge` takes from an allowance in this measure, or `None` where no proven bound
    /// of the charge converts into it.
    #[must_use]
    pub fn asked(&self, charge: &Charge) -> Option<Allowance> {
        Some(match self {
            Allowance::Pure { .. } => Allowance::Pure { epsilon: charge.in_pure()?.epsilon },
            Allowance::Approximate { .. } => {
                let ApproxCost { epsilon, delta } = charge.in_approximate()?;
                Allowance::Approximate { epsilon, delta }
            }
            Allowance::Zcdp { .. } => Allowance::Zcdp { rho: charge.in_zcdp()?.rho },
        })
    }

    /// The charge of a release that spends all of it.
    #[must_use]
    pub fn charge(&self) -> Charge {
        match self.clone() {
            Allowance::Pure { epsilon } => Charge::pure(epsilon),
            Allowance::Approximate { epsilon, delta } => Charge::approximate(epsilon, delta),
            Allowance::Zcdp { rho } => Charge::zcdp(rho),
        }
    }

    /// Nothing, in the same measure.
    #[must_use]
    pub fn nothing(&self) -> Allowance {
        match self {
            Allowance::Pure { .. } => Allowance::Pure { epsilon: Amount::ZERO },
            Allowance::Approximate { .. } => {
                Allowance::Approximate { epsilon: Amount::ZERO, delta: Amount::ZERO }
            }
            Allowance::Zcdp { .. } => Allowance::Zcdp { rho: Amount::ZERO },
        }
    }

    /// The sum, or `None` where the measures differ.
    #[must_use]
    pub fn plus(&self, other: &Allowance) -> Option<Allowance> {
        self.combine(other, |a, b| Some((a + b).compacted_up()))
    }

    /// The difference, or `None` where the measures differ or it would be negative.
    #[must_use]
    pub fn minus(&self, other: &Allowance) -> Option<Allowance> {
        self.combine(other, |a, b| a.checked_sub(b).map(Amount::compacted_down))
    }

    fn combine(
        &self,
        other: &Allowance,
        op: impl Fn(&Amount, &Amount) -> Option<Amount>,
    ) -> Option<Allowance> {
        match (self, other) {
            (Allowance::Pure { epsilon: a }, Allowance::Pure { epsilon: b }) => {
                Some(Allowance::Pure { epsilon: op(a, b)? })
            }
            (
                Allowance::Approximate { epsilon: a, delta: c },
                Allowance::Approximate { epsilon: b, delta: d },
            ) => Some(Allowance::Approximate { epsilon: op(a, b)?, delta: op(c, d)? }),
            (Allowance::Zcdp { rho: a }, Allowance::Zcdp { rho: b }) => {
                Some(Allowance::Zcdp { rho: op(a, b)? })
            }
            _ => None,
        }
    }

    /// The amounts, exact where their decimals end soon, else rounded up: for what is asked.
    #[must_use]
    pub fn display_up(&self) -> impl fmt::Display + '_ {
        ShownAllowance { allowance: self, up: true }
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == self.nothing()
    }

    /// The name of the measure.
    #[must_use]
    pub fn measure(&self) -> &'static str {
        match self {
            Allowance::Pure { .. } => "pure differential privacy",
            Allowance::Approximate { .. } => "approximate differential privacy",
            Allowance::Zcdp { .. } => "zero-concentrated differential privacy",
        }
    }
}

impl From<Epsilon> for Allowance {
    fn from(epsilon: Epsilon) -> Self {
        Allowance::Pure { epsilon: epsilon.into_amount() }
    }
}

impl From<(Epsilon, Delta)> for Allowance {
    fn from((epsilon, delta): (Epsilon, Delta)) -> Self {
        Allowance::Approximate { epsilon: epsilon.into_amount(), delta: delta.into_amount() }
    }
}

impl From<Rho> for Allowance {
    fn from(rho: Rho) -> Self {
        Allowance::Zcdp { rho: rho.into_amount() }
    }
}

struct ShownAllowance<'a> {
    allowance: &'a Allowance,
    up: bool,
}

impl fmt::Display for ShownAllowance<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |amount: &Amount| match self.up {
            true => amount.display_up().to_string(),
            false => amount.display_down().to_string(),
        };
        match self.allowance {
            Allowance::Pure { epsilon } => write!(f, "ε = {}", shown(epsilon)),
            Allowance::Approximate { epsilon, delta } => {
                write!(f, "ε = {}, δ = {}", shown(epsilon), shown(delta))
            }
            Allowance::Zcdp { rho } => write!(f, "ρ = {}", shown(rho)),
        }
    }
}

impl fmt::Display for Allowance {
    /// The amounts, exact where their decimals end soon, else rounded down.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ShownAllowance { allowance: self, up: false }.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epsilon(value: f64) -> Epsilon {
        Epsilon::new(value).unwrap()
    }

    #[test]
    fn a_pure_charge_fits_every_measure_and_a_gaussian_charge_only_its_own() {
        let pure = Charge::from(epsilon(0.2));
        assert!(Allowance::from(epsilon(1.0)).asked(&pure).is_some());
        assert!(Allowance::from(Rho::new(1.0).unwrap()).asked(&pure).is_some());
        let zcdp = Charge::from(Rho::new(0.1).unwrap());
        assert_eq!(Allowance::from(epsilon(1.0)).asked(&zcdp), None);
        assert_eq!(Allowance::from((epsilon(1.0), Delta::new(1e-6).unwrap())).asked(&zcdp), None);
    }

    #[test]
    fn composition_keeps_only_the_measures_both_charges_have() {
        let laplace = Charge::from(epsilon(0.2));
        let gaussian = Charge::from(Rho::new(0.1).unwrap());
        let sum = laplace.compose(&gaussian).unwrap();
        assert_eq!(sum.in_pure(), None);
        assert_eq!(sum.in_zcdp().unwrap().rho, "0.12".parse().unwrap());
        let approximate = Charge::from((epsilon(0.2), Delta::new(1e-6).unwrap()));
        assert_eq!(approximate.compose(&gaussian), None);
    }

    #[test]
    fn or_keeps_the_smaller_of_two_proofs() {
        let charge = Charge::pure(2.into()).or(Charge::zcdp(1.into())).or(Charge::pure(3.into()));
        assert_eq!(charge.in_pure().unwrap().epsilon, 2.into());
        assert_eq!(charge.in_zcdp().unwrap().rho, 1.into());
    }

    #[test]
    fn allowances_of_different_measures_never_mix() {
        let pure = Allowance::from(epsilon(1.0));
        let zcdp = Allowance::from(Rho::new(1.0).unwrap());
        assert_eq!(pure.plus(&zcdp), None);
        assert_eq!(pure.minus(&zcdp), None);
        assert_eq!(pure.minus(&pure).unwrap(), pure.nothing());
        assert_eq!(pure.minus(&Allowance::from(epsilon(1.5))), None);
    }
}
