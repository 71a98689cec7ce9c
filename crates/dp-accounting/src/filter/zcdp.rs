//! The filter that counts in (approximate) zCDP.

use privacy_core::budget::{Accounts, Budget, Purse, Refusal, RequestId, Reservation};
use privacy_core::measure::{Allowance, Charge};
use privacy_core::params::{Amount, Delta, Epsilon};
use privacy_core::unit::Scope;

use crate::error::Result;
use crate::zcdp;

type CoreResult<T> = std::result::Result<T, privacy_core::Error>;

/// An (epsilon, delta) budget that is spent in rho.
///
/// Gaussian, discrete Gaussian, exponential-mechanism and pure queries pay their rho;
/// (epsilon, delta) queries pay `epsilon^2 / 2` and their delta, if a share of delta was set aside
/// for them.
///
/// # Privacy
///
/// For queries whose parameters may depend on all earlier answers: the zCDP filter of Whitehouse,
/// Ramdas, Rogers, Wu 2023 (<https://arxiv.org/abs/2203.05481>), with the conversion of
/// [`crate::zcdp::rho_for`]; (epsilon, delta)-DP is delta-approximate `epsilon^2/2`-zCDP since by
/// Kairouz, Oh, Viswanath 2015 it is with probability `1 - delta` a post-processing of an
/// epsilon-DP response, which is `epsilon^2/2`-zCDP (Bun and Steinke 2016).
///
/// # Example
///
/// ```
/// use dp_accounting::filter::ZcdpFilter;
/// use privacy_core::budget::{Budget, RequestId};
/// use privacy_core::measure::Charge;
/// use privacy_core::params::{Delta, Epsilon, Rho};
/// use privacy_core::unit::{AddRemove, Scope, User};
///
/// let filter = ZcdpFilter::new(&Epsilon::new(2.0)?, &Delta::new(1e-6)?)?;
/// let query = Charge::from(Rho::new(0.01)?);
/// let users = Scope::of::<User, AddRemove>();
/// let mut answered = 0;
/// while let Ok(reservation) = filter.reserve(&RequestId::new(format!("{answered}")), &query, users) {
///     filter.commit(reservation)?;
///     answered += 1;
/// }
/// assert_eq!(answered, 8);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ZcdpFilter {
    limit: Spend,
    accounts: Accounts<Spend>,
}

#[derive(Debug, Clone)]
struct Spend {
    rho: Amount,
    delta: Amount,
}

impl Purse for Spend {
    fn take(&self, asked: &Self) -> Option<Self> {
        Some(Spend {
            rho: self.rho.checked_sub(&asked.rho)?.compacted_down(),
            delta: self.delta.checked_sub(&asked.delta)?.compacted_down(),
        })
    }

    fn give(&self, returned: &Self) -> Option<Self> {
        Some(Spend { rho: &self.rho + &returned.rho, delta: &self.delta + &returned.delta })
    }
}

impl ZcdpFilter {
    /// A filter for `epsilon` at `delta`, all of delta used for the conversion.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `delta` is above 0 and below 1.
    pub fn new(epsilon: &Epsilon, delta: &Delta) -> Result<Self> {
        Self::build(epsilon.to_f64_down(), delta.to_f64_down(), Amount::ZERO)
    }

    /// A filter for `epsilon` at `delta` of which `share` is set aside for queries with a delta of
    /// their own.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless 0 <= `share` < `delta` < 1.
    pub fn with_delta_share(epsilon: &Epsilon, delta: &Delta, share: &Delta) -> Result<Self> {
        let rest = delta.amount().checked_sub(share.amount()).unwrap_or(Amount::ZERO);
        Self::build(epsilon.to_f64_down(), rest.to_f64_down(), share.amount().clone())
    }

    fn build(epsilon: f64, delta: f64, share: Amount) -> Result<Self> {
        let rho = zcdp::rho_for(epsilon, delta)?;
        // Finite and positive by construction; nothing is allowed if it were not.
        let rho = Amount::from_binary(rho).unwrap_or(Amount::ZERO);
        let limit = Spend { rho, delta: share };
        Ok(ZcdpFilter { accounts: Accounts::new(limit.clone(), None), limit })
    }

    /// What is left of the delta set aside.
    #[must_use]
    pub fn remaining_delta(&self) -> Amount {
        self.accounts.remaining().delta
    }

    fn asked(charge: &Charge) -> Option<Spend> {
        if let Some(cost) = charge.in_zcdp() {
            return Some(Spend { rho: cost.rho, delta: Amount::ZERO });
        }
        let cost = charge.in_approximate()?;
        Some(Spend { rho: cost.epsilon.squared().scaled_by_power_of_two(-1), delta: cost.delta })
    }
}

impl Budget for ZcdpFilter {
    fn reserve(
        &self,
        request: &RequestId,
        charge: &Charge,
        scope: Scope,
    ) -> CoreResult<Reservation> {
        let asked =
            Self::asked(charge).ok_or(Refusal::OtherMeasure { budget: self.limit().measure() })?;
        self.accounts.reserve(request, asked, scope, |asked, remaining| {
            let rho = |spend: &Spend| Allowance::Zcdp { rho: spend.rho.clone() };
            Refusal::exhausted(rho(&asked), rho(remaining))
        })
    }

    fn commit(&self, reservation: Reservation) -> CoreResult<()> {
        self.accounts.commit(&reservation)
    }

    fn roll_back(&self, reservation: Reservation) -> CoreResult<()> {
        self.accounts.roll_back(&reservation)
    }

    /// The rho that the (epsilon, delta) target is worth.
    fn limit(&self) -> Allowance {
        Allowance::Zcdp { rho: self.limit.rho.clone() }
    }

    fn remaining(&self) -> CoreResult<Allowance> {
        Ok(Allowance::Zcdp { rho: self.accounts.remaining().rho })
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::unit::{Relation, UnitKind};

    use super::*;
    use privacy_core::params::Rho;

    const USERS: Scope = Scope { unit: UnitKind::User, relation: Relation::AddRemove };

    fn filter() -> ZcdpFilter {
        ZcdpFilter::new(&Epsilon::new(1.0).unwrap(), &Delta::new(1e-6).unwrap()).unwrap()
    }

    #[test]
    fn what_is_granted_never_exceeds_the_target() {
        let filter = filter();
        let mut rho = 0.0;
        for i in 1..200u64 {
            let asked = Rho::from_fraction(i % 7 + 1, 3000).unwrap();
            let name = RequestId::new(format!("{i}"));
            if filter.reserve(&name, &Charge::from(asked.clone()), USERS).is_ok() {
                rho += asked.to_f64_up();
            }
        }
        let spent = zcdp::epsilon(rho, 1e-6).unwrap();
        assert!(spent <= 1.0 + 1e-12 && spent > 0.9, "{spent}");
    }

    #[test]
    fn a_refusal_spends_nothing_and_roll_back_restores() {
        let filter = filter();
        let before = filter.remaining().unwrap();
        let dear = Charge::from(Rho::new(10.0).unwrap());
        let error = filter.reserve(&RequestId::new("a"), &dear, USERS).unwrap_err();
        assert!(error.is_budget());
        assert_eq!(filter.remaining().unwrap(), before);
        let cheap = Charge::from(Rho::new(0.001).unwrap());
        let reservation = filter.reserve(&RequestId::new("a"), &cheap, USERS).unwrap();
        assert!(filter.reserve(&RequestId::new("a"), &cheap, USERS).is_err());
        filter.roll_back(reservation).unwrap();
        assert_eq!(filter.remaining().unwrap(), before);
    }

    #[test]
    fn deltas_are_paid_from_their_share_only() {
        let (epsilon, delta) = (Epsilon::new(1.0).unwrap(), Delta::new(1e-6).unwrap());
        let own = Charge::from((Epsilon::new(0.05).unwrap(), Delta::new(1e-7).unwrap()));
        assert!(filter().reserve(&RequestId::new("a"), &own, USERS).is_err());
        let share = Delta::new(2e-7).unwrap();
        let filter = ZcdpFilter::with_delta_share(&epsilon, &delta, &share).unwrap();
        for name in ["a", "b"] {
            assert!(filter.reserve(&RequestId::new(name), &own, USERS).is_ok());
        }
        assert!(filter.reserve(&RequestId::new("c"), &own, USERS).is_err());
        assert!(filter.remaining_delta().is_zero());
    }

    #[test]
    fn racing_threads_never_overspend() {
        let filter = filter();
        let charge = Charge::from(Rho::new(0.0005).unwrap());
        let granted: usize = std::thread::scope(|scope| {
            let spend = |thread: usize| {
                let (filter, charge) = (&filter, &charge);
                move || {
                    (0..50)
                        .filter(|i| {
                            let name = RequestId::new(format!("{thread}/{i}"));
                            filter.reserve(&name, charge, USERS).is_ok()
                        })
                        .count()
                }
            };
            let threads: Vec<_> = (0..4).map(|t| scope.spawn(spend(t))).collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        let Allowance::Zcdp { rho } = filter.limit() else { panic!() };
        assert_eq!(granted, (rho.to_f64_down() / 0.0005).floor() as usize);
    }

    #[test]
    fn filters_move_across_threads() {
        fn movable<T: Send + Sync + 'static>() {}
        movable::<ZcdpFilter>();
        movable::<super::super::RenyiFilter>();
        movable::<super::super::Odometer>();
    }
}
