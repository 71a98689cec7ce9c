//! The budget of a plan that is declared before data are seen.

use privacy_core::budget::{Accounts, Budget, Purse, Refusal, RequestId, Reservation};
use privacy_core::measure::{Allowance, ApproxCost, Charge};
use privacy_core::params::{Amount, Delta};
use privacy_core::unit::{Scope, UnitKind};

use crate::account::Optimal;
use crate::error::{Result, out_of_range};
use crate::event::{Plan, leaves};
use crate::numeric::U;
use crate::price;

type CoreResult<T> = std::result::Result<T, privacy_core::Error>;

/// A budget that pays for the releases of a declared plan, at the price of their loss distribution.
///
/// Each event of the plan is worth one release of at most its (epsilon, delta). A release takes the
/// least event left that covers it; one that no event covers is refused, and spends nothing. Which
/// release comes when, and which events stay unused, may depend on earlier answers.
///
/// # Privacy
///
/// A charge states a bound and not a mechanism, so that each event is priced as the worst mechanism
/// with its (epsilon, delta), and the total is the optimal composition of these
/// ([Kairouz, Oh, Viswanath 2015](https://arxiv.org/abs/1311.0776)) by their loss distribution.
/// By the same paper a mechanism with an event's (epsilon, delta) is a post-processing of that
/// event's randomized response. The responses of all events can be drawn before the session begins;
/// whatever the session does is then a post-processing of them, also where the mechanisms and their
/// order depend on earlier answers. This holds since the list of events is fixed: a session without
/// one needs [`ZcdpFilter`](super::ZcdpFilter) or [`RenyiFilter`](super::RenyiFilter).
///
/// # Example
///
/// ```
/// use dp_accounting::event::{Event, Plan, Relation};
/// use dp_accounting::filter::PlannedBudget;
/// use privacy_core::budget::{Budget, RequestId};
/// use privacy_core::measure::Charge;
/// use privacy_core::params::{Delta, Epsilon};
/// use privacy_core::unit::{AddRemove, Scope, User, UnitKind};
///
/// let year = Plan::new(Relation::AddRemove, Event::pure_dp(0.1)?.repeat(100))?;
/// let budget = PlannedBudget::new(&year, UnitKind::User, &Delta::new(1e-6)?)?;
/// // The plain sum is 10.
/// assert!(budget.epsilon() < 4.775);
/// let release = Charge::from(Epsilon::new(0.1)?);
/// let users = Scope::of::<User, AddRemove>();
/// assert!(budget.reserve(&RequestId::new("monday"), &release, users).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PlannedBudget {
    /// The kinds of events, by increasing epsilon, then delta.
    kinds: Vec<Kind>,
    epsilon: f64,
    delta: f64,
    limit: Allowance,
    accounts: Accounts<Counts>,
}

#[derive(Debug)]
struct Kind {
    cost: ApproxCost,
    /// What the kind is priced at: the floats above its cost.
    price: (f64, f64),
}

impl Kind {
    fn covers(&self, asked: &ApproxCost) -> bool {
        asked.epsilon <= self.cost.epsilon && asked.delta <= self.cost.delta
    }
}

/// How many events of each kind.
#[derive(Debug, Clone)]
struct Counts(Vec<u64>);

impl Purse for Counts {
    fn take(&self, asked: &Self) -> Option<Self> {
        let left = self.0.iter().zip(&asked.0).map(|(left, asked)| left.checked_sub(*asked));
        left.collect::<Option<_>>().map(Counts)
    }

    fn give(&self, returned: &Self) -> Option<Self> {
        let sum = self.0.iter().zip(&returned.0).map(|(left, more)| left.checked_add(*more));
        sum.collect::<Option<_>>().map(Counts)
    }
}

impl PlannedBudget {
    /// The budget of `plan`, for releases that protect `unit`, at `delta`.
    ///
    /// # Errors
    ///
    /// `Unsupported` if an event of the plan has no (epsilon, delta) of its own, as Gaussian noise
    /// (declare it as `ApproxDp`); `OutOfRange` if no epsilon holds at `delta`, in particular if
    /// the events' own deltas use it up; `TooLarge` for more than 1024 kinds of events.
    pub fn new(plan: &Plan, unit: UnitKind, delta: &Delta) -> Result<Self> {
        let at = delta.to_f64_down();
        let mut declared = Vec::new();
        for (leaf, count) in leaves(plan.event())? {
            let (epsilon, own) = price::approximate("planned-budget", &leaf, plan.adjacency())?;
            // A parameter is the decimal that was written; its price covers that and the float.
            let decimal = |name, value: f64, range| {
                Amount::from_decimal(value).map_err(|_| out_of_range(name, value, range))
            };
            let cost = ApproxCost {
                epsilon: decimal("epsilon", epsilon, "finite")?,
                delta: decimal("delta", own, "a probability")?,
            };
            let above = |value: f64| if value > 0.0 { value.next_up() } else { 0.0 };
            let price = (above(epsilon), above(own).min(1.0));
            declared.push((Kind { cost, price }, count));
        }
        declared.sort_by(|(a, _), (b, _)| {
            let key = |kind: &Kind| (kind.cost.epsilon.clone(), kind.cost.delta.clone());
            key(a).cmp(&key(b))
        });
        let (kinds, counts): (Vec<_>, Vec<_>) = declared.into_iter().unzip();
        let epsilon = worth(&kinds, &counts, at)?;
        let limit = Amount::from_binary(epsilon)
            .map_err(|_| out_of_range("delta", at, "above the deltas of the plan's events"))?;
        let limit = Allowance::Approximate { epsilon: limit, delta: delta.amount().clone() };
        let scope = Scope { unit, relation: plan.adjacency() };
        let accounts = Accounts::new(Counts(counts), Some(scope));
        Ok(PlannedBudget { kinds, epsilon, delta: at, limit, accounts })
    }

    /// The epsilon of the whole plan at the budget's delta, rounded up.
    #[must_use]
    pub fn epsilon(&self) -> f64 {
        self.epsilon
    }

    /// The number of releases that can still be reserved.
    #[must_use]
    pub fn releases_left(&self) -> u64 {
        self.accounts.remaining().0.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// One event of the least kind that is left and covers a cost.
    fn choose(&self, asked: &ApproxCost) -> Option<Counts> {
        let left = self.accounts.remaining().0;
        let place = (0..self.kinds.len()).find(|i| left[*i] > 0 && self.kinds[*i].covers(asked))?;
        let mut one = vec![0; self.kinds.len()];
        one[place] = 1;
        Some(Counts(one))
    }

    fn worth_of(&self, counts: &[u64]) -> Allowance {
        if counts.iter().all(|count| *count == 0) {
            return Allowance::Approximate { epsilon: Amount::ZERO, delta: Amount::ZERO };
        }
        let epsilon = worth(&self.kinds, counts, self.delta).ok();
        let amount = epsilon.and_then(|epsilon| Amount::from_binary(epsilon).ok());
        match (amount, &self.limit) {
            (Some(epsilon), Allowance::Approximate { delta, .. }) => {
                Allowance::Approximate { epsilon, delta: delta.clone() }
            }
            _ => self.limit.clone(),
        }
    }
}

/// The epsilon at `delta` of events of these kinds.
fn worth(kinds: &[Kind], counts: &[u64], delta: f64) -> Result<f64> {
    let used = kinds.iter().zip(counts).filter(|(_, count)| **count > 0);
    let parts: Vec<_> = used.map(|(kind, count)| (kind.price.0, kind.price.1, *count)).collect();
    let epsilon = Optimal::loss(&parts)?.epsilon_upper(delta * (1.0 - 2.0 * U), 1e-5)?;
    // The plain sum is exact where the loss distribution is not.
    let sum: f64 = parts.iter().map(|(epsilon, _, count)| epsilon * *count as f64).sum();
    let sum = crate::numeric::up(sum, U * (4.0 + parts.len() as f64));
    let pure = parts.iter().all(|(_, own, _)| *own == 0.0);
    Ok(if pure { epsilon.min(sum) } else { epsilon })
}

impl Budget for PlannedBudget {
    fn reserve(
        &self,
        request: &RequestId,
        charge: &Charge,
        scope: Scope,
    ) -> CoreResult<Reservation> {
        let cost = charge
            .in_approximate()
            .ok_or(Refusal::OtherMeasure { budget: self.limit.measure() })?;
        loop {
            let chosen = self.choose(&cost);
            // Without a match nothing is taken, but a repeated request is still called that.
            let asked = chosen.clone().unwrap_or_else(|| Counts(vec![u64::MAX; self.kinds.len()]));
            let mut raced = false;
            let refuse = |_: Counts, left: &Counts| {
                raced = chosen.is_some();
                let asked = Allowance::Approximate {
                    epsilon: cost.epsilon.clone(),
                    delta: cost.delta.clone(),
                };
                Refusal::exhausted(asked, self.worth_of(&left.0))
            };
            let result = self.accounts.reserve(request, asked, scope, refuse);
            // Another thread took the event between the two looks; there may be one more.
            if !raced {
                return result;
            }
        }
    }

    fn commit(&self, reservation: Reservation) -> CoreResult<()> {
        self.accounts.commit(&reservation)
    }

    fn roll_back(&self, reservation: Reservation) -> CoreResult<()> {
        self.accounts.roll_back(&reservation)
    }

    /// The certified (epsilon, delta) of the whole plan.
    fn limit(&self) -> Allowance {
        self.limit.clone()
    }

    /// What the events that are left cost together, at the budget's delta.
    fn remaining(&self) -> CoreResult<Allowance> {
        Ok(self.worth_of(&self.accounts.remaining().0))
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::params::Epsilon;
    use privacy_core::unit::Relation;

    use super::*;
    use crate::event::Event;

    const USERS: Scope = Scope { unit: UnitKind::User, relation: Relation::AddRemove };

    fn open(event: Event, delta: f64) -> Result<PlannedBudget> {
        let plan = Plan::new(Relation::AddRemove, event).unwrap();
        PlannedBudget::new(&plan, UnitKind::User, &Delta::new(delta).unwrap())
    }

    fn ask(budget: &PlannedBudget, name: &str, epsilon: f64) -> CoreResult<Reservation> {
        let charge = Charge::from(Epsilon::new(epsilon).unwrap());
        budget.reserve(&RequestId::new(name), &charge, USERS)
    }

    #[test]
    fn only_declared_releases_are_paid_each_once() {
        let event = Event::pure_dp(0.3).unwrap().repeat(2).and(Event::laplace(1.0).unwrap());
        let budget = open(event, 1e-6).unwrap();
        assert!(ask(&budget, "too dear", 1.5).unwrap_err().is_budget());
        // The least event that covers it, at the decimal that was written.
        let first = ask(&budget, "a", 0.3).unwrap();
        assert!(ask(&budget, "b", 0.2).is_ok());
        assert!(ask(&budget, "b", 0.2).is_err());
        // The dearer event pays for a cheaper release; then nothing is left.
        assert!(ask(&budget, "c", 0.3).is_ok());
        assert!(ask(&budget, "d", 0.01).unwrap_err().is_budget());
        assert_eq!(budget.releases_left(), 0);
        budget.roll_back(first).unwrap();
        assert_eq!(budget.releases_left(), 1);
        assert!(ask(&budget, "e", 1.0).is_err() && ask(&budget, "f", 0.3).is_ok());
        let other = Scope { unit: UnitKind::User, relation: Relation::Replace };
        let charge = Charge::from(Epsilon::new(0.1).unwrap());
        assert!(budget.reserve(&RequestId::new("g"), &charge, other).is_err());
    }

    #[test]
    fn the_price_is_the_optimal_composition_of_what_is_declared() {
        let budget = open(Event::pure_dp(0.1).unwrap().repeat(100), 1e-6).unwrap();
        let exact = crate::pure::optimal_epsilon(0.1, 0.0, 100, 1e-6).unwrap();
        assert!(budget.epsilon() >= exact && budget.epsilon() < exact + 1e-4);
        let Allowance::Approximate { epsilon, .. } = budget.limit() else { panic!() };
        assert_eq!(epsilon.to_f64_up(), budget.epsilon());
        // Noise whose charge is a rho alone, and deltas beyond the budget's, have no price here.
        assert!(open(Event::gaussian(10.0).unwrap(), 1e-6).is_err());
        assert!(open(Event::approx_dp(0.1, 1e-3).unwrap(), 1e-6).is_err());
        assert!(open(Event::approx_dp(0.1, 1e-8).unwrap().repeat(10), 1e-6).is_ok());
    }

    #[test]
    fn racing_threads_take_each_event_once() {
        let budget = open(Event::pure_dp(0.1).unwrap().repeat(60), 1e-6).unwrap();
        let granted: usize = std::thread::scope(|scope| {
            let spend = |thread: usize| {
                let budget = &budget;
                move || {
                    (0..40).filter(|i| ask(budget, &format!("{thread}/{i}"), 0.1).is_ok()).count()
                }
            };
            let threads: Vec<_> = (0..4).map(|t| scope.spawn(spend(t))).collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!((granted, budget.releases_left()), (60, 0));
    }
}
