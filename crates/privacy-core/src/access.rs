//! Who asks, for what purpose, and whether they may.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::measure::Charge;

macro_rules! name {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Cow<'static, str>);

        impl $name {
            /// The given name.
            pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
                $name(name.into())
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name! {
    /// Who asks: a service, a job or an analyst's account. It is written to the audit log, so use
    /// an account name, not a person's data.
    Actor
}
name! {
    /// Why they ask, as the organization names its purposes of processing.
    Purpose
}
name! {
    /// What they ask for: the name of a data set or a query, never a value from the data.
    Resource
}

/// A request for permission to run one step.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AccessRequest<'a> {
    /// Who asks.
    pub actor: &'a Actor,
    /// Why.
    pub purpose: &'a Purpose,
    /// For what.
    pub resource: &'a Resource,
    /// What it would cost, where it costs privacy budget.
    pub charge: Option<&'a Charge>,
}

impl<'a> AccessRequest<'a> {
    /// A request that costs nothing.
    #[must_use]
    pub fn new(actor: &'a Actor, purpose: &'a Purpose, resource: &'a Resource) -> Self {
        AccessRequest { actor, purpose, resource, charge: None }
    }

    /// The same request at a price.
    #[must_use]
    pub fn at_price(self, charge: &'a Charge) -> Self {
        AccessRequest { charge: Some(charge), ..self }
    }
}

/// What an [`Authorizer`] decided.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// The step may run.
    Permit,
    /// The step may not run.
    Deny,
}

/// Decides who may spend what. Called before a budget is touched.
pub trait Authorizer: Send + Sync {
    /// Decides on one request. When in doubt it denies.
    fn authorize(&self, request: &AccessRequest<'_>) -> Decision;
}

/// The authorizer of a process whose callers are all trusted: permits everything.
///
/// It says so in its name; an application with several callers brings its own [`Authorizer`].
#[derive(Clone, Copy, Debug, Default)]
pub struct PermitAll;

impl Authorizer for PermitAll {
    fn authorize(&self, _: &AccessRequest<'_>) -> Decision {
        Decision::Permit
    }
}

/// A request was denied; nothing was spent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{actor}` may not run `{resource}` for the purpose `{purpose}`; ask whoever keeps the access rules"
)]
#[non_exhaustive]
pub struct Denial {
    /// Who asked.
    pub actor: Actor,
    /// Why.
    pub purpose: Purpose,
    /// For what.
    pub resource: Resource,
}

impl Denial {
    /// The denial of `request`.
    #[must_use]
    pub fn of(request: &AccessRequest<'_>) -> Self {
        Denial {
            actor: request.actor.clone(),
            purpose: request.purpose.clone(),
            resource: request.resource.clone(),
        }
    }
}
