//! How an account counts: what a charge takes from it, and what its amounts mean.

use privacy_core::budget::Refusal;
use privacy_core::measure::{Allowance, ApproxCost, Charge};
use privacy_core::params::{Amount, Delta};
use privacy_core::unit::Scope;
use serde::{Deserialize, Serialize};

use dp_accounting::event::{Event, Plan};
use dp_accounting::filter::PlannedBudget;

use crate::error::{Error, Result};
use crate::spend::Spend;

/// How the charges of an account compose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Counting {
    /// Their amounts add.
    #[default]
    Sum,
    /// Their Rényi divergences of one order add, counted as the ρ of the same divergence.
    Renyi { order: Amount },
    /// Each takes one of the releases that were declared, which were composed beforehand.
    Declared { releases: Vec<Declared> },
}

/// So many releases of at most this cost each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Declared {
    pub(crate) cost: ApproxCost,
    pub(crate) count: u64,
}

impl Declared {
    fn covers(&self, asked: &ApproxCost) -> bool {
        asked.epsilon <= self.cost.epsilon && asked.delta <= self.cost.delta
    }
}

impl Counting {
    pub(crate) fn is_sum(&self) -> bool {
        *self == Counting::Sum
    }

    /// The declared releases in the order in which they are taken: the least that covers a charge
    /// comes first.
    pub(crate) fn declared(
        releases: impl IntoIterator<Item = (Charge, u64)>,
    ) -> Result<Vec<Declared>> {
        let mut declared: Vec<Declared> = Vec::new();
        for (charge, count) in releases {
            let cost = charge.in_approximate().ok_or(Error::Terms {
                reason: "a declared release has no (ε, δ) of its own; declare one that bounds it",
            })?;
            match declared.iter_mut().find(|known| known.cost == cost) {
                Some(known) => known.count = known.count.saturating_add(count),
                None => declared.push(Declared { cost, count }),
            }
        }
        declared.sort_by(|a, b| {
            (&a.cost.epsilon, &a.cost.delta).cmp(&(&b.cost.epsilon, &b.cost.delta))
        });
        Ok(declared)
    }

    /// Refuses terms that do not mean what they say.
    pub(crate) fn check(&self, limit: &Allowance, scope: Option<Scope>) -> Result<()> {
        let wrong = |reason| Err(Error::Terms { reason });
        match self {
            Counting::Sum => Ok(()),
            Counting::Renyi { order } if *order <= Amount::from_integer(1) => {
                wrong("the order of a Rényi divergence is above 1")
            }
            Counting::Renyi { .. } if !matches!(limit, Allowance::Zcdp { .. }) => {
                wrong("a divergence is limited by the ρ that has it")
            }
            Counting::Renyi { .. } => Ok(()),
            Counting::Declared { releases } => {
                let (Allowance::Approximate { epsilon, delta }, Some(scope)) = (limit, scope)
                else {
                    return wrong("declared releases are limited by (ε, δ), and protect somebody");
                };
                let counts: Vec<u64> = releases.iter().map(|release| release.count).collect();
                let certified = worth(releases, &counts, delta, scope)?;
                // The certificate is computed in floating point: a later version may find a value
                // that differs in its last digits, and must still read what this one wrote.
                let slack = Amount::from_fraction(1_000_001u64, 1_000_000u64)?;
                match certified {
                    Allowance::Approximate { epsilon: least, .. } if least <= epsilon * &slack => {
                        Ok(())
                    }
                    _ => wrong("the declared releases cost more than its limit"),
                }
            }
        }
    }

    /// The limit in the components that are counted; `None` for a measure this version does not
    /// know.
    pub(crate) fn limit(&self, limit: &Allowance) -> Option<Spend> {
        match self {
            Counting::Sum | Counting::Renyi { .. } => spend(limit),
            Counting::Declared { releases } => {
                Spend::of(releases.iter().map(|release| release.count.into()))
            }
        }
    }

    /// What `charge` takes where there is `room`.
    pub(crate) fn take(
        &self,
        limit: &Allowance,
        charge: &Charge,
        room: &Spend,
        worth: impl Fn(&Spend) -> Allowance,
    ) -> std::result::Result<Spend, Refusal> {
        let other = || Refusal::OtherMeasure { budget: limit.measure() };
        if let Counting::Declared { releases } = self {
            let cost = charge.in_approximate().ok_or_else(other)?;
            let least = releases.iter().zip(room.components()).position(|(release, left)| {
                *left >= Amount::from_integer(1) && release.covers(&cost)
            });
            let ApproxCost { epsilon, delta } = cost;
            return least
                .and_then(|at| Spend::of((0..releases.len()).map(|i| u64::from(i == at).into())))
                .ok_or_else(|| {
                    Refusal::exhausted(Allowance::Approximate { epsilon, delta }, worth(room))
                });
        }
        let asked = match self {
            Counting::Renyi { order } => rho_at(order, charge).map(|rho| Allowance::Zcdp { rho }),
            _ => limit.asked(charge),
        };
        let asked = asked.ok_or_else(other)?;
        match spend(&asked) {
            Some(spend) if spend.fits(room) => Ok(spend),
            Some(_) => Err(Refusal::exhausted(asked, worth(room))),
            None => Err(other()),
        }
    }

    /// What `amount` is worth, in the measure of `limit`.
    pub(crate) fn worth(
        &self,
        amount: &Spend,
        limit: &Allowance,
        scope: Option<Scope>,
    ) -> Allowance {
        let mut components = amount.components().cloned();
        let first = components.next().unwrap_or(Amount::ZERO);
        match (self, limit) {
            (Counting::Declared { releases }, Allowance::Approximate { delta, .. }) => {
                let counts: Vec<u64> = amount.components().map(whole).collect();
                let Some(scope) = scope else { return limit.clone() };
                // What cannot be certified anew is worth no more than the whole.
                worth(releases, &counts, delta, scope).unwrap_or_else(|_| limit.clone())
            }
            (_, Allowance::Pure { .. }) => Allowance::Pure { epsilon: first },
            (_, Allowance::Zcdp { .. }) => Allowance::Zcdp { rho: first },
            (_, Allowance::Approximate { .. }) => Allowance::Approximate {
                epsilon: first,
                delta: components.next().unwrap_or(Amount::ZERO),
            },
            // `limit` let no other measure in.
            (_, other) => other.nothing(),
        }
    }

    /// Whether amounts of this account and another can be compared.
    pub(crate) fn compares(&self, limit: &Allowance, other: &Self, others: &Allowance) -> bool {
        let adds = |counting: &Self| !matches!(counting, Counting::Declared { .. });
        self == other && adds(self) && limit.measure() == others.measure()
    }
}

/// The components of an allowance; `None` for a measure this version does not know.
fn spend(allowance: &Allowance) -> Option<Spend> {
    Some(match allowance {
        Allowance::Pure { epsilon } => Spend::one(epsilon.clone()),
        Allowance::Approximate { epsilon, delta } => Spend::two(epsilon.clone(), delta.clone()),
        Allowance::Zcdp { rho } => Spend::one(rho.clone()),
        _ => return None,
    })
}

/// The ρ whose divergence of `order` bounds that of `charge`.
///
/// Divergences grow with the order, so that a point at a larger order is a bound, and so is a pure
/// ε; ρ-zCDP has the divergence ρ times the order.
fn rho_at(order: &Amount, charge: &Charge) -> Option<Amount> {
    let curve = charge.in_renyi().map(|curve| curve.points()).unwrap_or_default();
    let point = curve.iter().find(|point| point.order >= *order);
    let divergences =
        [point.map(|point| point.epsilon.clone()), charge.in_pure().map(|cost| cost.epsilon)];
    let rhos =
        divergences.into_iter().flatten().filter_map(|divergence| divergence.checked_div(order));
    rhos.chain(charge.in_zcdp().map(|cost| cost.rho)).min().map(Amount::compacted_up)
}

/// The certified (ε, δ) at `delta` of so many releases of each kind.
fn worth(releases: &[Declared], counts: &[u64], delta: &Amount, scope: Scope) -> Result<Allowance> {
    let core = privacy_core::Error::technique;
    let mut events: Option<Event> = None;
    for (Declared { cost, .. }, count) in releases.iter().zip(counts).filter(|(_, n)| **n > 0) {
        let epsilon = cost.epsilon.to_f64_up();
        let one = if cost.delta.is_zero() {
            Event::pure_dp(epsilon)
        } else {
            Event::approx_dp(epsilon, cost.delta.to_f64_up())
        };
        let all = one.map_err(core)?.repeat(*count);
        events = Some(match events {
            Some(events) => events.and(all),
            None => all,
        });
    }
    let Some(events) = events else {
        return Ok(Allowance::Approximate { epsilon: Amount::ZERO, delta: Amount::ZERO });
    };
    let plan = Plan::new(scope.relation, events).map_err(core)?;
    let delta = Delta::from_amount(delta.clone())?;
    Ok(declared_limit(&PlannedBudget::new(&plan, scope.unit, &delta).map_err(core)?))
}

fn declared_limit(budget: &PlannedBudget) -> Allowance {
    privacy_core::budget::Budget::limit(budget)
}

/// The certified limit of declared releases.
pub(crate) fn limit_of(releases: &[Declared], delta: &Delta, scope: Scope) -> Result<Allowance> {
    let counts: Vec<u64> = releases.iter().map(|release| release.count).collect();
    if counts.iter().all(|count| *count == 0) {
        return Err(Error::Terms { reason: "no release is declared; declare at least one" });
    }
    worth(releases, &counts, delta.amount(), scope)
}

/// A number of releases.
fn whole(count: &Amount) -> u64 {
    u64::try_from(count.numerator()).unwrap_or(u64::MAX)
}
