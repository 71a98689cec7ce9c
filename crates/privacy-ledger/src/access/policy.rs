//! Access rules by role and attribute.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashMapExt};
use privacy_core::access::{AccessRequest, Authorizer, Decision, Obligation};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What a rule does to a request it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Effect {
    /// The request may run if the rule's obligations are kept.
    Permit,
    /// The request may not run, whatever other rules say.
    Deny,
}

/// A rule: whom it is about, what it is about, and what follows.
///
/// What is left out matches everything. A resource that ends in `*` matches whatever begins so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    effect: Effect,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    obligations: Vec<Obligation>,
}

impl Rule {
    fn new(effect: Effect) -> Self {
        Rule {
            effect,
            actor: None,
            role: None,
            attributes: BTreeMap::new(),
            purpose: None,
            resource: None,
            obligations: Vec::new(),
        }
    }

    /// A rule that permits.
    #[must_use]
    pub fn permit() -> Self {
        Self::new(Effect::Permit)
    }

    /// A rule that denies, whatever other rules permit.
    #[must_use]
    pub fn deny() -> Self {
        Self::new(Effect::Deny)
    }

    /// About this actor only.
    #[must_use]
    pub fn actor(self, actor: impl Into<String>) -> Self {
        Rule { actor: Some(actor.into()), ..self }
    }

    /// About actors in this role only.
    #[must_use]
    pub fn role(self, role: impl Into<String>) -> Self {
        Rule { role: Some(role.into()), ..self }
    }

    /// About actors with this attribute only. Several must all hold.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.insert(name.into(), value.into());
        self
    }

    /// For this purpose only.
    #[must_use]
    pub fn purpose(self, purpose: impl Into<String>) -> Self {
        Rule { purpose: Some(purpose.into()), ..self }
    }

    /// For this resource only; with `*` at the end for those that begin so.
    #[must_use]
    pub fn resource(self, resource: impl Into<String>) -> Self {
        Rule { resource: Some(resource.into()), ..self }
    }

    /// Permits only what keeps `obligation`. Several must all be kept.
    #[must_use]
    pub fn obliging(mut self, obligation: Obligation) -> Self {
        self.obligations.push(obligation);
        self
    }

    /// Whether the rule is about the request, once role, purpose and resource are known to match.
    fn matches(&self, request: &AccessRequest<'_>, who: Option<&Subject>) -> bool {
        let has = |name: &String, value: &String| {
            who.is_some_and(|who| who.attributes.get(name) == Some(value))
        };
        self.actor.as_deref().is_none_or(|actor| actor == request.actor.as_str())
            && self.attributes.iter().all(|(name, value)| has(name, value))
    }
}

/// What is known of an actor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    roles: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, String>,
}

/// Rules and the roles and attributes of actors. Denies what no rule permits.
///
/// A rule that denies wins over every permit. A permit holds if all its obligations are kept; of
/// several, one that holds is enough.
///
/// # Example
///
/// ```
/// use privacy_core::access::{AccessRequest, Actor, Authorizer, Decision, Obligation, Purpose, Resource};
/// use privacy_core::prelude::*;
/// use privacy_ledger::access::{Policy, Rule};
///
/// let policy = Policy::new()
///     .assign("ann", "analyst")
///     .rule(
///         Rule::permit()
///             .role("analyst")
///             .purpose("reporting")
///             .resource("logins/*")
///             .obliging(Obligation::PriceAtMost(Epsilon::new(0.2)?.into())),
///     )
///     .rule(Rule::deny().resource("logins/raw"));
///
/// let (ann, bob) = (Actor::new("ann"), Actor::new("bob"));
/// let (why, what) = (Purpose::new("reporting"), Resource::new("logins/by country"));
/// let price = Epsilon::new(0.1)?.into();
/// let request = AccessRequest::new(&ann, &why, &what).at_price(&price);
/// let decision = policy.authorize(&request);
/// assert!(matches!(decision, Decision::PermitWith(_)) && decision.unmet(&request).is_none());
/// assert_eq!(policy.authorize(&AccessRequest::new(&bob, &why, &what)), Decision::Deny);
/// # Ok::<(), privacy_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Text", into = "Text")]
pub struct Policy {
    subjects: HashMap<String, Subject>,
    rules: Vec<Rule>,
    by_role: HashMap<String, ByPurpose>,
    any_role: ByPurpose,
}

/// The rules for one role, by purpose.
#[derive(Clone, Debug, Default)]
struct ByPurpose {
    purpose: HashMap<String, ByResource>,
    any: ByResource,
}

/// The rules for one role and purpose, by resource.
#[derive(Clone, Debug, Default)]
struct ByResource {
    exact: HashMap<String, Vec<usize>>,
    /// By the length of what resources must begin with, which is empty for rules about all.
    prefixes: BTreeMap<usize, HashMap<String, Vec<usize>>>,
}

impl ByResource {
    fn add(&mut self, pattern: Option<&str>, rule: usize) {
        let list = match pattern.map(|pattern| (pattern, pattern.strip_suffix('*'))) {
            Some((exact, None)) => self.exact.entry(exact.to_owned()),
            prefix => {
                let prefix = prefix.and_then(|(_, prefix)| prefix).unwrap_or_default();
                self.prefixes.entry(prefix.len()).or_default().entry(prefix.to_owned())
            }
        };
        list.or_default().push(rule);
    }

    /// The rules about `resource`.
    fn find<'a>(&'a self, resource: &'a str) -> impl Iterator<Item = usize> + 'a {
        let prefixes = self.prefixes.range(..=resource.len());
        let begins = prefixes.filter_map(|(length, rules)| rules.get(resource.get(..*length)?));
        self.exact.get(resource).into_iter().chain(begins).flatten().copied()
    }
}

/// A policy as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default)]
    subjects: BTreeMap<String, Subject>,
    rules: Vec<Rule>,
}

impl From<Text> for Policy {
    fn from(text: Text) -> Self {
        let subjects = text.subjects.into_iter().collect();
        let policy = Policy { subjects, ..Policy::default() };
        text.rules.into_iter().fold(policy, Policy::rule)
    }
}

impl From<Policy> for Text {
    fn from(policy: Policy) -> Self {
        Text { subjects: policy.subjects.into_iter().collect(), rules: policy.rules }
    }
}

impl Policy {
    /// A policy without rules, which denies everything.
    #[must_use]
    pub fn new() -> Self {
        Policy { subjects: HashMap::new(), ..Policy::default() }
    }

    /// Reads a policy from JSON: `{"subjects": {"ann": {"roles": ["analyst"]}}, "rules": […]}`.
    ///
    /// # Errors
    ///
    /// [`Error::Policy`] if the text is not a policy.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|_| Error::Policy { reason: "it is not in its format" })
    }

    /// Gives the actor a role.
    #[must_use]
    pub fn assign(mut self, actor: impl Into<String>, role: impl Into<String>) -> Self {
        self.subjects.entry(actor.into()).or_default().roles.insert(role.into());
        self
    }

    /// Gives the actor an attribute.
    #[must_use]
    pub fn describe(
        mut self,
        actor: impl Into<String>,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        let subject = self.subjects.entry(actor.into()).or_default();
        subject.attributes.insert(name.into(), value.into());
        self
    }

    /// Adds a rule.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        let by_purpose = match &rule.role {
            Some(role) => self.by_role.entry(role.clone()).or_default(),
            None => &mut self.any_role,
        };
        let list = match &rule.purpose {
            Some(purpose) => by_purpose.purpose.entry(purpose.clone()).or_default(),
            None => &mut by_purpose.any,
        };
        list.add(rule.resource.as_deref(), self.rules.len());
        self.rules.push(rule);
        self
    }
}

impl Authorizer for Policy {
    fn authorize(&self, request: &AccessRequest<'_>) -> Decision {
        let who = self.subjects.get(request.actor.as_str());
        let roles = who.into_iter().flat_map(|who| &who.roles);
        let lists = roles
            .filter_map(|role| self.by_role.get(role))
            .chain([&self.any_role])
            .flat_map(|by| by.purpose.get(request.purpose.as_str()).into_iter().chain([&by.any]));
        // The first permit that holds, or else the first of all.
        let mut permit: Option<(bool, usize)> = None;
        for index in lists.flat_map(|list| list.find(request.resource.as_str())) {
            let Some(rule) = self.rules.get(index) else { continue };
            if !rule.matches(request, who) {
                continue;
            }
            if rule.effect == Effect::Deny {
                return Decision::Deny;
            }
            let broken = !rule.obligations.iter().all(|obligation| obligation.is_kept_by(request));
            let candidate = (broken, index);
            permit = Some(permit.map_or(candidate, |best| best.min(candidate)));
        }
        match permit.and_then(|(_, index)| self.rules.get(index)) {
            None => Decision::Deny,
            Some(rule) if rule.obligations.is_empty() => Decision::Permit,
            Some(rule) => Decision::PermitWith(rule.obligations.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::access::{Actor, Promise, Purpose, Resource};

    use super::*;

    fn ask(policy: &Policy, actor: &str, purpose: &str, resource: &str) -> Decision {
        let (actor, purpose) = (Actor::new(actor.to_owned()), Purpose::new(purpose.to_owned()));
        let resource = Resource::new(resource.to_owned());
        policy.authorize(&AccessRequest::new(&actor, &purpose, &resource))
    }

    #[test]
    fn an_empty_policy_denies_everything() {
        assert_eq!(ask(&Policy::new(), "ann", "reporting", "logins"), Decision::Deny);
    }

    #[test]
    fn every_condition_of_a_rule_must_hold() {
        let policy = Policy::new()
            .assign("ann", "analyst")
            .assign("bob", "analyst")
            .describe("ann", "region", "eu")
            .rule(
                Rule::permit()
                    .role("analyst")
                    .attribute("region", "eu")
                    .purpose("reporting")
                    .resource("logins/*"),
            );
        assert_eq!(ask(&policy, "ann", "reporting", "logins/"), Decision::Permit);
        assert_eq!(ask(&policy, "ann", "reporting", "logins"), Decision::Deny);
        assert_eq!(ask(&policy, "ann", "reporting", "login\u{17f}/"), Decision::Deny);
        assert_eq!(ask(&policy, "ann", "reporting", "logins/by country"), Decision::Permit);
        assert_eq!(ask(&policy, "ann", "reporting", "profiles"), Decision::Deny);
        assert_eq!(ask(&policy, "ann", "marketing", "logins/by country"), Decision::Deny);
        assert_eq!(ask(&policy, "bob", "reporting", "logins/by country"), Decision::Deny);
        assert_eq!(ask(&policy, "eve", "reporting", "logins/by country"), Decision::Deny);
    }

    #[test]
    fn a_denial_wins_whatever_the_order() {
        let permit = || Rule::permit().actor("ann");
        let deny = || Rule::deny().resource("logins/raw");
        for policy in
            [Policy::new().rule(permit()).rule(deny()), Policy::new().rule(deny()).rule(permit())]
        {
            assert_eq!(ask(&policy, "ann", "any", "logins/raw"), Decision::Deny);
            assert_eq!(ask(&policy, "ann", "any", "logins/hourly"), Decision::Permit);
        }
    }

    #[test]
    fn of_several_permits_one_that_is_kept_is_enough() {
        let policy = Policy::new()
            .rule(Rule::permit().obliging(Obligation::GroupsOfAtLeast(100)))
            .rule(Rule::permit().obliging(Obligation::GroupsOfAtLeast(10)));
        let names = (Actor::new("a"), Purpose::new("p"), Resource::new("r"));
        let request = AccessRequest::new(&names.0, &names.1, &names.2);
        let unmet = policy.authorize(&request);
        assert_eq!(unmet.unmet(&request), Some(&Obligation::GroupsOfAtLeast(100)));
        let promises = [Promise::GroupsOf(20)];
        let request = request.promising(&promises);
        let kept = policy.authorize(&request);
        assert_eq!(kept, Decision::PermitWith(vec![Obligation::GroupsOfAtLeast(10)]));
    }

    #[test]
    fn policies_are_read_strictly() {
        let text = r#"{"subjects": {"ann": {"roles": ["analyst"]}},
            "rules": [{"effect": "permit", "role": "analyst",
                       "obligations": [{"groups_of_at_least": 10}]}]}"#;
        let policy = Policy::from_json(text).unwrap();
        assert!(matches!(ask(&policy, "ann", "p", "r"), Decision::PermitWith(_)));
        let again = serde_json::to_string(&policy).unwrap();
        assert_eq!(Policy::from_json(&again).unwrap().rules, policy.rules);
        for wrong in [
            "",
            "{}",
            r#"{"rules": [{"effect": "allow"}]}"#,
            r#"{"rules": [{"effect": "permit", "rolle": "analyst"}]}"#,
        ] {
            assert!(Policy::from_json(wrong).is_err(), "{wrong}");
        }
    }
}
