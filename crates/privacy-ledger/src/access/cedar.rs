//! Access rules in the Cedar policy language.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use cedar_policy::{
    Authorizer as Engine, Context, Decision as Answer, Entities, EntityId, EntityTypeName,
    EntityUid, Policy as CedarRule, PolicySet, PrincipalConstraint, Request, ResourceConstraint,
    RestrictedExpression,
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
///
/// # Timing
///
/// Policies are sorted by the principal and the resource of their scope (`==` or `in`), and only those
/// that can be about a request are evaluated. A policy whose scope names neither is evaluated for
/// every request.
pub struct CedarPolicy {
    engine: Engine,
    policies: PolicySet,
    by_scope: HashMap<Scope, PolicySet>,
    entities: Entities,
    user: EntityTypeName,
    resource: EntityTypeName,
    spend: EntityUid,
}

/// The principal and the resource that a policy's scope names.
type Scope = (Option<EntityUid>, Option<EntityUid>);

fn scope(policy: &CedarRule) -> Scope {
    let principal = match policy.principal_constraint() {
        PrincipalConstraint::Eq(uid)
        | PrincipalConstraint::In(uid)
        | PrincipalConstraint::IsIn(_, uid) => Some(uid),
        PrincipalConstraint::Any | PrincipalConstraint::Is(_) => None,
    };
    let resource = match policy.resource_constraint() {
        ResourceConstraint::Eq(uid)
        | ResourceConstraint::In(uid)
        | ResourceConstraint::IsIn(_, uid) => Some(uid),
        ResourceConstraint::Any | ResourceConstraint::Is(_) => None,
    };
    (principal, resource)
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
        let mut by_scope: HashMap<Scope, PolicySet> = HashMap::new();
        for policy in policies.policies() {
            let alike = by_scope.entry(scope(policy)).or_default();
            alike.add(policy.clone()).map_err(|_| wrong("two policies have the same name"))?;
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
            by_scope,
            entities,
            user: name("User")?,
            resource: name("Resource")?,
            spend: EntityUid::from_type_name_and_id(name("Action")?, EntityId::new("spend")),
        })
    }

    /// What a scope that is about `uid` can name: it, what it is in, or nothing.
    fn named(&self, uid: &EntityUid) -> Vec<Option<EntityUid>> {
        let above = self.entities.ancestors(uid).into_iter().flatten().cloned().map(Some);
        above.chain([Some(uid.clone()), None]).collect()
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
        let principal = uid(&self.user, request.actor.as_str());
        let resource = uid(&self.resource, request.resource.as_str());
        let about = (self.named(&principal), self.named(&resource));
        let question = Request::new(
            principal,
            self.spend.clone(),
            resource,
            Context::from_pairs(pairs).ok()?,
            None,
        )
        .ok()?;
        let (mut permitted, mut obligations) = (false, Vec::new());
        let scopes = about.0.iter().flat_map(|who| about.1.iter().map(move |what| (who, what)));
        for (who, what) in scopes {
            // As many as the actor has roles, and one or two more.
            let Some(alike) = self.by_scope.get(&(who.clone(), what.clone())) else { continue };
            let response = self.engine.is_authorized(&question, alike, &self.entities);
            let diagnostics = response.diagnostics();
            // A policy that could not be evaluated may have been one that forbids.
            if diagnostics.errors().next().is_some() {
                return None;
            }
            match response.decision() {
                Answer::Allow => permitted = true,
                // No policy here is satisfied, or one that forbids is.
                Answer::Deny if diagnostics.reason().next().is_none() => continue,
                Answer::Deny => return None,
            }
            for id in diagnostics.reason() {
                for (name, value) in self.policies.policy(id)?.annotations() {
                    if name != "id" {
                        obligations.push(obligation(name, value)?);
                    }
                }
            }
        }
        if !permitted {
            return None;
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
    fn policies_sorted_by_scope_decide_as_all_of_them_together() {
        let text = r#"
            permit(principal in Role::"analyst", action, resource == Resource::"a");
            @round_to("5") permit(principal == User::"ann", action, resource in Folder::"f");
            permit(principal is User, action, resource is Resource in Folder::"g");
            forbid(principal in Role::"guest", action, resource);
            forbid(principal, action, resource == Resource::"b") when { context.purpose == "x" };
            permit(principal == User::"bob", action == Action::"other", resource);
            @round_to("2") permit(principal in Role::"all", action, resource);"#;
        let role = |id: &str| format!(r#"{{"type": "Role", "id": "{id}"}}"#);
        let entity = |kind: &str, id: &str, parents: &[String]| {
            format!(
                r#"{{"uid": {{"type": "{kind}", "id": "{id}"}}, "attrs": {{}}, "parents": [{}]}}"#,
                parents.join(",")
            )
        };
        let folder = |id: &str| format!(r#"{{"type": "Folder", "id": "{id}"}}"#);
        let entities = [
            entity("Role", "analyst", &[role("all")]),
            entity("User", "ann", &[role("analyst")]),
            entity("User", "eve", &[role("analyst"), role("guest")]),
            entity("Resource", "b", &[folder("f")]),
            entity("Resource", "c", &[folder("g")]),
        ];
        let policy = CedarPolicy::new(text, &format!("[{}]", entities.join(","))).unwrap();
        assert!(policy.by_scope.len() > 4);
        let mut seen = std::collections::BTreeSet::new();
        for who in ["ann", "eve", "bob", "nobody"] {
            for what in ["a", "b", "c", "d"] {
                for why in ["x", "y"] {
                    let (who, why, what) =
                        (Actor::new(who), Purpose::new(why), Resource::new(what));
                    let request = AccessRequest::new(&who, &why, &what);
                    // The engine's own answer over the whole set.
                    let uid = |kind: &EntityTypeName, id: &str| {
                        EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
                    };
                    let purpose = RestrictedExpression::new_string(why.as_str().to_owned());
                    let question = Request::new(
                        uid(&policy.user, who.as_str()),
                        policy.spend.clone(),
                        uid(&policy.resource, what.as_str()),
                        Context::from_pairs([("purpose".to_owned(), purpose)]).unwrap(),
                        None,
                    )
                    .unwrap();
                    let whole =
                        policy.engine.is_authorized(&question, &policy.policies, &policy.entities);
                    let ours = policy.authorize(&request);
                    assert_eq!(
                        whole.decision() == Answer::Allow,
                        ours != Decision::Deny,
                        "{who} {what}"
                    );
                    seen.insert(ours.to_string());
                }
            }
        }
        assert!(seen.len() >= 4, "{seen:?}");
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
