//! Access rules in the Cedar policy language.

use std::fmt;
use std::str::FromStr;

use cedar_policy::{
    Authorizer as Engine, Context, Decision as Answer, Entities, EntityId, EntityTypeName,
    EntityUid, PolicySet, Request, RestrictedExpression,
};
use privacy_core::access::{AccessRequest, Authorizer, Decision, Obligation};
use privacy_core::measure::{Allowance, Charge};
use privacy_core::params::{Amount, Epsilon, Rho};

use crate::error::{Error, Result};

/// Policies in [Cedar](https://www.cedarpolicy.com). Denies what no policy permits, and every
/// request that an engine error leaves undecided.
///
/// A request is `principal == User::"<actor>"`, `action == Action::"spend"`,
/// `resource == Resource::"<resource>"`, with `context.purpose` as a string and, where the price is
/// known in that measure, `context.epsilon_millionths` and `context.rho_millionths` as integers,
/// rounded up.
///
/// Obligations are annotations of the policies that permit: `@noise_at_least("2.5")`,
/// `@groups_of_at_least("10")`, `@round_to("5")`, `@epsilon_at_most("0.2")`, `@rho_at_most("0.1")`.
/// All of all permitting policies must be kept.
///
/// # Example
///
/// ```
/// use privacy_core::access::{AccessRequest, Actor, Authorizer, Decision, Purpose, Resource};
/// use privacy_ledger::access::CedarPolicy;
///
/// let policy = CedarPolicy::new(
///     r#"@groups_of_at_least("10")
///        permit(principal in Role::"analyst", action == Action::"spend", resource)
///        when { context.purpose == "reporting" };"#,
///     r#"[{"uid": {"type": "User", "id": "ann"}, "attrs": {},
///          "parents": [{"type": "Role", "id": "analyst"}]}]"#,
/// )?;
/// let (ann, bob) = (Actor::new("ann"), Actor::new("bob"));
/// let (why, what) = (Purpose::new("reporting"), Resource::new("logins"));
/// let decision = policy.authorize(&AccessRequest::new(&ann, &why, &what));
/// assert_eq!(decision.to_string(), "permit with groups of at least 10");
/// assert_eq!(policy.authorize(&AccessRequest::new(&bob, &why, &what)), Decision::Deny);
/// # Ok::<(), privacy_ledger::Error>(())
/// ```
pub struct CedarPolicy {
    engine: Engine,
    policies: PolicySet,
    entities: Entities,
    user: EntityTypeName,
    resource: EntityTypeName,
    spend: EntityUid,
}

impl CedarPolicy {
    /// Reads policies in Cedar's language, and entities (users, roles, their attributes) in its
    /// JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Policy`] if either cannot be read, or an annotation is not an obligation.
    pub fn new(policies: &str, entities: &str) -> Result<Self> {
        let wrong = |reason| Error::Policy { reason };
        let policies = PolicySet::from_str(policies)
            .map_err(|_| wrong("its policies are not in Cedar's language"))?;
        let entities = Entities::from_json_str(entities, None)
            .map_err(|_| wrong("its entities are not in Cedar's format"))?;
        for policy in policies.policies() {
            for (name, value) in policy.annotations() {
                if name != "id" && obligation(name, value).is_none() {
                    return Err(wrong("an annotation is not an obligation"));
                }
            }
        }
        let name =
            |text| EntityTypeName::from_str(text).map_err(|_| wrong("a type has no name in Cedar"));
        Ok(CedarPolicy {
            engine: Engine::new(),
            policies,
            entities,
            user: name("User")?,
            resource: name("Resource")?,
            spend: EntityUid::from_type_name_and_id(name("Action")?, EntityId::new("spend")),
        })
    }

    fn decide(&self, request: &AccessRequest<'_>) -> Option<Decision> {
        let uid = |kind: &EntityTypeName, id: &str| {
            EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
        };
        let mut pairs = vec![(
            "purpose".to_owned(),
            RestrictedExpression::new_string(request.purpose.as_str().to_owned()),
        )];
        let prices: [(&str, fn(&Charge) -> Option<Amount>); 2] = [
            ("epsilon_millionths", |charge| charge.in_pure().map(|cost| cost.epsilon)),
            ("rho_millionths", |charge| charge.in_zcdp().map(|cost| cost.rho)),
        ];
        for (name, price) in prices {
            if let Some(amount) = request.charge.and_then(price) {
                pairs.push((name.to_owned(), RestrictedExpression::new_long(millionths(&amount))));
            }
        }
        let question = Request::new(
            uid(&self.user, request.actor.as_str()),
            self.spend.clone(),
            uid(&self.resource, request.resource.as_str()),
            Context::from_pairs(pairs).ok()?,
            None,
        )
        .ok()?;
        let response = self.engine.is_authorized(&question, &self.policies, &self.entities);
        // A policy that could not be evaluated may have been one that forbids.
        if response.decision() != Answer::Allow || response.diagnostics().errors().next().is_some()
        {
            return None;
        }
        let mut obligations = Vec::new();
        for id in response.diagnostics().reason() {
            for (name, value) in self.policies.policy(id)?.annotations() {
                if name != "id" {
                    obligations.push(obligation(name, value)?);
                }
            }
        }
        Some(match obligations.is_empty() {
            true => Decision::Permit,
            false => Decision::PermitWith(obligations),
        })
    }
}

impl Authorizer for CedarPolicy {
    fn authorize(&self, request: &AccessRequest<'_>) -> Decision {
        self.decide(request).unwrap_or(Decision::Deny)
    }
}

impl fmt::Debug for CedarPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CedarPolicy").finish_non_exhaustive()
    }
}

/// The amount in millionths, rounded up; the largest integer where that is not enough.
fn millionths(amount: &Amount) -> i64 {
    let scaled = amount.numerator() * 1_000_000u32;
    let whole = (&scaled + amount.denominator() - 1u32) / amount.denominator();
    i64::try_from(whole).unwrap_or(i64::MAX)
}

fn obligation(name: &str, value: &str) -> Option<Obligation> {
    Some(match name {
        "noise_at_least" => Obligation::NoiseAtLeast(value.parse().ok()?),
        "groups_of_at_least" => Obligation::GroupsOfAtLeast(value.parse().ok()?),
        "round_to" => Obligation::RoundTo(value.parse().ok()?),
        "epsilon_at_most" => {
            Obligation::PriceAtMost(Allowance::from(value.parse::<Epsilon>().ok()?))
        }
        "rho_at_most" => Obligation::PriceAtMost(Allowance::from(value.parse::<Rho>().ok()?)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use privacy_core::access::{Actor, Purpose, Resource};

    use super::*;

    #[test]
    fn a_forbid_wins_prices_are_seen_and_errors_deny() {
        let policy = CedarPolicy::new(
            r#"@epsilon_at_most("0.2")
               permit(principal == User::"ann", action == Action::"spend", resource);
               forbid(principal, action, resource == Resource::"raw");
               forbid(principal, action, resource) when
               { context has epsilon_millionths && context.epsilon_millionths > 500000 };
               forbid(principal, action, resource == Resource::"odd") when { context.absent > 1 };"#,
            "[]",
        )
        .unwrap();
        let (ann, eve) = (Actor::new("ann"), Actor::new("eve"));
        let why = Purpose::new("reporting");
        let decide = |who: &Actor, what: &'static str, epsilon: f64| {
            let (what, price) = (Resource::new(what), Charge::from(Epsilon::new(epsilon).unwrap()));
            let request = AccessRequest::new(who, &why, &what).at_price(&price);
            let decision = policy.authorize(&request);
            decision != Decision::Deny && decision.unmet(&request).is_none()
        };
        assert!(decide(&ann, "logins", 0.2));
        assert!(!decide(&ann, "logins", 0.3));
        assert!(!decide(&ann, "logins", 0.6));
        assert!(!decide(&ann, "raw", 0.1));
        assert!(!decide(&ann, "odd", 0.1));
        assert!(!decide(&eve, "logins", 0.1));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert!(CedarPolicy::new("permit(", "[]").is_err());
        assert!(CedarPolicy::new("permit(principal, action, resource);", "{").is_err());
        let unknown = r#"@noize_at_least("1") permit(principal, action, resource);"#;
        assert!(CedarPolicy::new(unknown, "[]").is_err());
        assert_eq!(millionths(&Amount::from_fraction(1u8, 3u8).unwrap()), 333_334);
    }
}
