//! Opening is a decision: what may be revealed, to whom, of how many people, at which price.
//!
//! A party asks its [`OpenPolicy`] before its share of an opened value leaves it. [`Policy`] reserves
//! the price in a [`Budget`], commits it and writes the audit record, in this order, and only then lets
//! the share go: whatever fails on the way, nothing is opened that was not paid for and recorded. An
//! opening that fails later has been paid for all the same.

use std::sync::Arc;

use privacy_core::access::{Actor, Purpose, Resource};
use privacy_core::audit::{AuditRecord, AuditSink, Outcome};
use privacy_core::budget::{Budget, RequestId};
use privacy_core::guarantee::Guarantee;
use privacy_core::measure::Charge;
use privacy_core::unit::Scope;

use crate::error::{Error, Result};

/// What an opening costs in privacy, and under which name it is charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// Names the opening; a budget accepts each name once.
    pub request: RequestId,
    /// What is known of the privacy loss.
    pub charge: Charge,
    /// Whose privacy, and which data sets are neighbours.
    pub scope: Scope,
}

/// An opening that a policy is asked about.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Opening<'a> {
    /// What the program declared the opening to be for.
    pub purpose: &'static str,
    /// How many values.
    pub values: usize,
    /// Of how many people's (or parties') data.
    pub contributors: u64,
    /// To whom: ids from 1.
    pub recipients: &'a [usize],
    /// What it costs, where the program said so.
    pub price: Option<&'a Price>,
}

/// Decides about openings, before a share leaves the party. Each party has its own; an opening takes
/// place only where enough of them permit it.
pub trait OpenPolicy: Send + Sync {
    /// Permits or refuses, and records it.
    ///
    /// # Errors
    ///
    /// [`Error::OpeningRefused`] with a reason that holds no data; [`Error::Budget`].
    fn permit(&mut self, opening: &Opening<'_>) -> Result<()>;
}

/// The policy of this crate: a minimum of contributors, a maximum of opened values, a budget, an audit
/// trail.
///
/// ```
/// use smpc_shares::{Error, Party, field::Mersenne61 as F, net::{Config, simulate}};
/// use smpc_shares::opening::Policy;
///
/// let refused = simulate(Config::shamir(3, 1), async |party: &mut Party<F>| {
///     party.set_policy(Policy::new().at_least(10));
///     let shared = party.input_from_all(&[F::from(1)]).await?;
///     party.declare("sum of three", 3);
///     party.open(&(&shared[0] + &shared[1] + &shared[2])).await
/// });
/// assert!(matches!(refused, Err(Error::OpeningRefused { .. })));
/// # Ok::<(), smpc_shares::Error>(())
/// ```
pub struct Policy {
    at_least: u64,
    values_left: Option<usize>,
    budget: Option<Arc<dyn Budget>>,
    audit: Option<(Arc<dyn AuditSink>, Actor)>,
    guarantee: Guarantee,
}

impl Policy {
    /// Permits everything and records nothing.
    #[must_use]
    pub fn new() -> Self {
        Policy {
            at_least: 0,
            values_left: None,
            budget: None,
            audit: None,
            guarantee: Guarantee::None,
        }
    }

    /// Refuses openings of fewer contributors.
    #[must_use]
    pub fn at_least(self, contributors: u64) -> Self {
        Policy { at_least: contributors, ..self }
    }

    /// Refuses once so many values have been opened.
    #[must_use]
    pub fn at_most_values(self, values: usize) -> Self {
        Policy { values_left: Some(values), ..self }
    }

    /// Charges every opening to this budget, and refuses those without a
    /// [price](crate::Party::declare_price).
    #[must_use]
    pub fn paid_from(self, budget: Arc<dyn Budget>) -> Self {
        Policy { budget: Some(budget), ..self }
    }

    /// Records every decision under this actor's name.
    #[must_use]
    pub fn audited(self, trail: impl AuditSink + 'static, actor: Actor) -> Self {
        Policy { audit: Some((Arc::new(trail), actor)), ..self }
    }

    /// What may be said of values opened without a price, for the record; nothing by default.
    #[must_use]
    pub fn with_guarantee(self, guarantee: Guarantee) -> Self {
        Policy { guarantee, ..self }
    }

    fn record(&self, opening: &Opening<'_>, outcome: Outcome) -> Result<()> {
        let Some((trail, actor)) = &self.audit else { return Ok(()) };
        let guarantee = match opening.price {
            None => self.guarantee.clone(),
            Some(price) => {
                Guarantee::DifferentialPrivacy { charge: price.charge.clone(), scope: price.scope }
            }
        };
        let mut record = AuditRecord::new(
            actor.clone(),
            Purpose::new(opening.purpose),
            Resource::new("opening of shares"),
            guarantee,
        );
        if let Some(price) = opening.price {
            record = record.charged(price.request.clone(), price.charge.clone());
        }
        let refused = |_| Error::OpeningRefused { reason: "it could not be recorded" };
        trail.append(record.ended(outcome)).map(|_| ()).map_err(refused)
    }

    /// Reserves and commits the price.
    fn pay(&self, opening: &Opening<'_>) -> Result<()> {
        let Some(budget) = &self.budget else { return Ok(()) };
        let Some(price) = opening.price else {
            let reason = "the policy has a budget, and nothing says what the opening costs; declare \
                          its price";
            return Err(Error::OpeningRefused { reason });
        };
        let failed = |error| match error {
            privacy_core::Error::Budget(refusal) => Error::Budget(refusal),
            _ => Error::OpeningRefused { reason: "the account of the budget cannot be reached" },
        };
        let reservation =
            budget.reserve(&price.request, &price.charge, price.scope).map_err(failed)?;
        budget.commit(reservation).map_err(failed)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Policy::new()
    }
}

impl OpenPolicy for Policy {
    fn permit(&mut self, opening: &Opening<'_>) -> Result<()> {
        let refusal = if opening.contributors < self.at_least {
            Some("it has fewer contributors than the policy demands")
        } else if self.values_left.is_some_and(|left| left < opening.values) {
            Some("the policy's budget of opened values is spent")
        } else {
            None
        };
        if let Some(reason) = refusal {
            self.record(opening, Outcome::Denied)?;
            return Err(Error::OpeningRefused { reason });
        }
        if let Err(refusal) = self.pay(opening) {
            self.record(opening, Outcome::Refused)?;
            return Err(refusal);
        }
        self.record(opening, Outcome::Completed)?;
        if let Some(left) = &mut self.values_left {
            *left -= opening.values;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy")
            .field("at_least", &self.at_least)
            .field("values_left", &self.values_left)
            .finish_non_exhaustive()
    }
}
