//! A budget in this process's memory.

use std::fmt;
use std::sync::Arc;

use super::accounts::Accounts;
use super::{Budget, Refusal, RequestId, Reservation};
use crate::error::Result;
use crate::measure::{Allowance, Charge};
use crate::unit::Scope;

/// A [`Budget`] that lives as long as the process, safe to share among threads. Clones share the
/// budget.
///
/// It protects the scope of the first release it pays for, or the one given by
/// [`MemoryBudget::for_scope`]. Amounts are exact; where many fractions with unrelated denominators
/// meet, what is left is rounded down by less than 2^-1024.
///
/// # Example
///
/// ```
/// use privacy_core::prelude::*;
///
/// let budget = MemoryBudget::new(Epsilon::new(1.0)?);
/// let users = Scope::of::<User, AddRemove>();
/// for week in 0..10 {
///     let request = RequestId::new(format!("week {week}"));
///     let reservation = budget.reserve(&request, &Epsilon::new(0.1)?.into(), users)?;
///     budget.commit(reservation)?;
/// }
/// let eleventh = budget.reserve(&RequestId::new("week 10"), &Epsilon::new(0.1)?.into(), users);
/// assert!(eleventh.unwrap_err().is_budget());
/// # Ok::<(), privacy_core::Error>(())
/// ```
#[derive(Clone)]
pub struct MemoryBudget {
    limit: Allowance,
    accounts: Arc<Accounts<Allowance>>,
}

impl MemoryBudget {
    /// A budget with the given limit: an ε, an (ε, δ) or a ρ.
    #[must_use]
    pub fn new(limit: impl Into<Allowance>) -> Self {
        let limit = limit.into();
        MemoryBudget { accounts: Arc::new(Accounts::new(limit.clone(), None)), limit }
    }

    /// A budget with the given limit, for releases about `scope` alone.
    #[must_use]
    pub fn for_scope(limit: impl Into<Allowance>, scope: Scope) -> Self {
        let limit = limit.into();
        MemoryBudget { accounts: Arc::new(Accounts::new(limit.clone(), Some(scope))), limit }
    }
}

impl Budget for MemoryBudget {
    fn reserve(&self, request: &RequestId, charge: &Charge, scope: Scope) -> Result<Reservation> {
        let asked = self
            .limit
            .asked(charge)
            .ok_or(Refusal::OtherMeasure { budget: self.limit.measure() })?;
        self.accounts.reserve(request, asked, scope, |asked, remaining| {
            Refusal::exhausted(asked, remaining.clone())
        })
    }

    fn commit(&self, reservation: Reservation) -> Result<()> {
        self.accounts.commit(&reservation)
    }

    fn roll_back(&self, reservation: Reservation) -> Result<()> {
        self.accounts.roll_back(&reservation)
    }

    fn limit(&self) -> Allowance {
        self.limit.clone()
    }

    fn remaining(&self) -> Result<Allowance> {
        Ok(self.accounts.remaining())
    }
}

impl fmt::Debug for MemoryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBudget").field("limit", &self.limit).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::params::{Amount, Delta, Epsilon, Rho};
    use crate::unit::{Relation, UnitKind};

    const USERS: Scope = Scope { unit: UnitKind::User, relation: Relation::AddRemove };

    fn epsilon(value: f64) -> Epsilon {
        Epsilon::new(value).unwrap()
    }

    fn request(name: impl ToString) -> RequestId {
        RequestId::new(name.to_string())
    }

    #[test]
    fn ten_tenths_spend_one_exactly_and_the_eleventh_is_refused_with_both_amounts() {
        let budget = MemoryBudget::new(epsilon(1.0));
        let charge = Charge::from(epsilon(0.1));
        for i in 0..10 {
            let reservation = budget.reserve(&request(i), &charge, USERS).unwrap();
            budget.commit(reservation).unwrap();
        }
        assert!(budget.remaining().unwrap().is_nothing());
        let Err(Error::Budget(Refusal::Exhausted { asked, remaining })) =
            budget.reserve(&request(10), &charge, USERS)
        else {
            panic!("the eleventh charge was not refused");
        };
        assert_eq!(*asked, Allowance::from(epsilon(0.1)));
        assert!(remaining.is_nothing());
        assert!(budget.remaining().unwrap().is_nothing());
    }

    #[test]
    fn a_refusal_spends_nothing_and_a_cheaper_request_still_fits() {
        let budget = MemoryBudget::new((epsilon(1.0), Delta::new(1e-6).unwrap()));
        let dear = Charge::from((epsilon(0.5), Delta::new(2e-6).unwrap()));
        assert!(budget.reserve(&request("dear"), &dear, USERS).unwrap_err().is_budget());
        assert_eq!(budget.remaining().unwrap(), budget.limit());
        let cheap = Charge::from((epsilon(1.0), Delta::new(1e-6).unwrap()));
        assert!(budget.reserve(&request("cheap"), &cheap, USERS).is_ok());
    }

    #[test]
    fn roll_back_restores_exactly_and_frees_the_name() {
        let budget = MemoryBudget::new(Rho::from_fraction(1, 3).unwrap());
        let charge = Charge::from(Rho::from_fraction(1, 7).unwrap());
        let reservation = budget.reserve(&request("a"), &charge, USERS).unwrap();
        assert_ne!(budget.remaining().unwrap(), budget.limit());
        budget.roll_back(reservation).unwrap();
        assert_eq!(budget.remaining().unwrap(), budget.limit());
        assert!(budget.reserve(&request("a"), &charge, USERS).is_ok());
    }

    #[test]
    fn a_repeated_request_is_refused_and_a_finished_reservation_cannot_be_finished_again() {
        let budget = MemoryBudget::new(epsilon(1.0));
        let charge = Charge::from(epsilon(0.1));
        let reservation = budget.reserve(&request("a"), &charge, USERS).unwrap();
        let again = budget.reserve(&request("a"), &charge, USERS);
        assert!(matches!(again, Err(Error::Budget(Refusal::Repeated))));
        budget.commit(reservation).unwrap();
        let forged = Reservation::new(request("a"));
        assert!(matches!(
            budget.roll_back(forged),
            Err(Error::Budget(Refusal::UnknownReservation))
        ));
        assert_eq!(budget.remaining().unwrap(), Allowance::from(epsilon(0.9)));
    }

    #[test]
    fn racing_threads_spend_exactly_the_limit() {
        let budget = MemoryBudget::new(epsilon(1.0));
        let charge = Charge::from(Epsilon::from_fraction(1, 97).unwrap());
        let granted: usize = std::thread::scope(|scope| {
            let spend = |thread: usize| {
                let (budget, charge) = (&budget, &charge);
                move || {
                    (0..40)
                        .filter(|i| {
                            let name = request(format!("{thread}/{i}"));
                            budget
                                .reserve(&name, charge, USERS)
                                .and_then(|r| budget.commit(r))
                                .is_ok()
                        })
                        .count()
                }
            };
            let threads: Vec<_> = (0..8).map(|t| scope.spawn(spend(t))).collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!(granted, 97);
        assert!(budget.remaining().unwrap().is_nothing());
    }

    #[test]
    fn a_charge_without_a_proof_in_the_budgets_measure_is_refused() {
        let budget = MemoryBudget::new(epsilon(1.0));
        let gaussian = Charge::from(Rho::new(0.01).unwrap());
        assert!(matches!(
            budget.reserve(&request("a"), &gaussian, USERS),
            Err(Error::Budget(Refusal::OtherMeasure { .. }))
        ));
    }

    #[test]
    fn a_budget_for_users_does_not_pay_for_records() {
        let budget = MemoryBudget::new(epsilon(1.0));
        let charge = Charge::from(epsilon(0.1));
        let records = Scope { unit: UnitKind::Record, ..USERS };
        let reservation = budget.reserve(&request("a"), &charge, USERS).unwrap();
        budget.commit(reservation).unwrap();
        assert!(matches!(
            budget.reserve(&request("b"), &charge, records),
            Err(Error::Budget(Refusal::OtherScope { .. }))
        ));
        let declared = MemoryBudget::for_scope(epsilon(1.0), records);
        assert!(declared.reserve(&request("a"), &charge, USERS).is_err());
        assert!(declared.reserve(&request("a"), &charge, records).is_ok());
    }

    #[test]
    fn unrelated_denominators_neither_grow_without_end_nor_overspend() {
        let budget = MemoryBudget::new(epsilon(1.0));
        let mut spent = Amount::ZERO;
        for i in 0..2_000u64 {
            let amount = Amount::from_fraction(1u8, 1_000_000_007 * (i + 3) + 1).unwrap();
            let charge = Charge::pure(amount.clone());
            let reservation = budget.reserve(&request(i), &charge, USERS).unwrap();
            budget.commit(reservation).unwrap();
            spent = (&spent + &amount).compacted_down();
        }
        let Allowance::Pure { epsilon: left } = budget.remaining().unwrap() else {
            panic!("the measure changed");
        };
        assert!(left.denominator().bits() <= 1025);
        assert!(&left + &spent <= Amount::from_integer(1));
        let text = serde_json::to_string(&budget.remaining().unwrap()).unwrap();
        assert_eq!(serde_json::from_str::<Allowance>(&text).unwrap(), budget.remaining().unwrap());
    }
}
