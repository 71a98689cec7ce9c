//! Opening is a decision: what may be revealed, to whom, of how many people.

use std::sync::Arc;

use privacy_core::access::{Actor, Purpose, Resource};
use privacy_core::audit::{AuditRecord, AuditSink, Outcome};
use privacy_core::guarantee::Guarantee;

use crate::error::{Error, Result};

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
}

/// Decides about openings, before a share leaves the party. Each party has its own; an opening takes
/// place only where enough of them permit it.
pub trait OpenPolicy: Send + Sync {
    /// Permits or refuses, and records it.
    ///
    /// # Errors
    ///
    /// [`Error::OpeningRefused`] with a reason that holds no data.
    fn permit(&mut self, opening: &Opening<'_>) -> Result<()>;
}

/// The policy of this crate: a minimum of contributors, a maximum of opened values, an audit trail.
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
    audit: Option<(Arc<dyn AuditSink>, Actor)>,
    guarantee: Guarantee,
}

impl Policy {
    /// Permits everything and records nothing.
    #[must_use]
    pub fn new() -> Self {
        Policy { at_least: 0, values_left: None, audit: None, guarantee: Guarantee::None }
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

    /// Records every decision under this actor's name.
    #[must_use]
    pub fn audited(self, trail: impl AuditSink + 'static, actor: Actor) -> Self {
        Policy { audit: Some((Arc::new(trail), actor)), ..self }
    }

    /// What may be said of the opened values, for the record; nothing by default.
    #[must_use]
    pub fn with_guarantee(self, guarantee: Guarantee) -> Self {
        Policy { guarantee, ..self }
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
        if let Some((trail, actor)) = &self.audit {
            let outcome = if refusal.is_some() { Outcome::Denied } else { Outcome::Completed };
            let record = AuditRecord::new(
                actor.clone(),
                Purpose::new(opening.purpose),
                Resource::new("opening of shares"),
                self.guarantee.clone(),
            );
            if trail.append(record.ended(outcome)).is_err() {
                return Err(Error::OpeningRefused { reason: "it could not be recorded" });
            }
        }
        if let Some(reason) = refusal {
            return Err(Error::OpeningRefused { reason });
        }
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
