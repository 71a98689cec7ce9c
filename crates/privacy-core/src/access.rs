//! Who asks, for what purpose, and whether they may.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::measure::{Allowance, Charge};
use crate::params::Amount;

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
    /// What the caller promises of the result, beyond its price.
    pub promises: &'a [Promise],
}

impl<'a> AccessRequest<'a> {
    /// A request that costs nothing.
    #[must_use]
    pub fn new(actor: &'a Actor, purpose: &'a Purpose, resource: &'a Resource) -> Self {
        AccessRequest { actor, purpose, resource, charge: None, promises: &[] }
    }

    /// The same request at a price.
    #[must_use]
    pub fn at_price(self, charge: &'a Charge) -> Self {
        AccessRequest { charge: Some(charge), ..self }
    }

    /// The same request with what the caller promises of the result.
    #[must_use]
    pub fn promising(self, promises: &'a [Promise]) -> Self {
        AccessRequest { promises, ..self }
    }
}

/// What a caller promises of a result: a property of the code that makes it, not of the data.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Promise {
    /// Every number in it has noise of at least this standard deviation.
    Noise(Amount),
    /// Every group in it has at least this many members.
    GroupsOf(u64),
    /// Every number in it is a multiple of this.
    RoundedTo(u64),
    /// There is no number and no group in it: it sets a budget aside for parts, and each of these
    /// asks for itself.
    NoNumbers,
}

/// A condition of a permit: the step may run only if its caller [promises](Promise) to keep it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Obligation {
    /// Noise of at least this standard deviation on every number.
    NoiseAtLeast(Amount),
    /// At least this many members in every group.
    GroupsOfAtLeast(u64),
    /// Every number a multiple of this.
    RoundTo(u64),
    /// A price of at most this, in its measure.
    PriceAtMost(Allowance),
}

impl Obligation {
    /// Whether `request` keeps the obligation. What nobody promised is not kept.
    #[must_use]
    pub fn is_kept_by(&self, request: &AccessRequest<'_>) -> bool {
        let promised = |keeps: &dyn Fn(&Promise) -> bool| {
            request.promises.iter().any(|promise| *promise == Promise::NoNumbers || keeps(promise))
        };
        match self {
            Obligation::NoiseAtLeast(least) => {
                promised(&|promise| matches!(promise, Promise::Noise(noise) if noise >= least))
            }
            Obligation::GroupsOfAtLeast(least) => {
                promised(&|promise| matches!(promise, Promise::GroupsOf(size) if size >= least))
            }
            Obligation::RoundTo(unit) => promised(
                &|promise| matches!(promise, Promise::RoundedTo(to) if *unit > 0 && to % unit == 0 && *to > 0),
            ),
            Obligation::PriceAtMost(limit) => request.charge.is_none_or(|charge| {
                limit.asked(charge).is_some_and(|asked| limit.minus(&asked).is_some())
            }),
        }
    }
}

impl fmt::Display for Obligation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obligation::NoiseAtLeast(deviation) => {
                write!(f, "noise of a standard deviation of at least {deviation}")
            }
            Obligation::GroupsOfAtLeast(size) => write!(f, "groups of at least {size}"),
            Obligation::RoundTo(unit) => write!(f, "rounding to multiples of {unit}"),
            Obligation::PriceAtMost(limit) => write!(f, "a price of at most {limit}"),
        }
    }
}

/// What an [`Authorizer`] decided.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// The step may run.
    Permit,
    /// The step may run if each of these is kept.
    PermitWith(Vec<Obligation>),
    /// The step may not run.
    Deny,
}

impl Decision {
    /// The first obligation that `request` does not keep.
    #[must_use]
    pub fn unmet(&self, request: &AccessRequest<'_>) -> Option<&Obligation> {
        match self {
            Decision::PermitWith(obligations) => {
                obligations.iter().find(|obligation| !obligation.is_kept_by(request))
            }
            Decision::Permit | Decision::Deny => None,
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Decision::Permit => f.write_str("permit"),
            Decision::Deny => f.write_str("deny"),
            Decision::PermitWith(obligations) => {
                f.write_str("permit with ")?;
                for (i, obligation) in obligations.iter().enumerate() {
                    write!(f, "{}{obligation}", if i > 0 { ", " } else { "" })?;
                }
                Ok(())
            }
        }
    }
}

/// Decides who may spend what. Called before a budget is touched.
pub trait Authorizer: Send + Sync {
    /// Decides on one request. When in doubt it denies.
    fn authorize(&self, request: &AccessRequest<'_>) -> Decision;
}

impl<A: Authorizer + ?Sized> Authorizer for Arc<A> {
    fn authorize(&self, request: &AccessRequest<'_>) -> Decision {
        (**self).authorize(request)
    }
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
    "`{actor}` may not run `{resource}` for the purpose `{purpose}`{}; ask whoever keeps the access rules",
    Unless(unmet.as_deref())
)]
#[non_exhaustive]
pub struct Denial {
    /// Who asked.
    pub actor: Actor,
    /// Why.
    pub purpose: Purpose,
    /// For what.
    pub resource: Resource,
    /// The obligation under which it would be permitted, and that it does not keep.
    pub unmet: Option<Box<Obligation>>,
}

impl Denial {
    /// The denial of `request`.
    #[must_use]
    pub fn of(request: &AccessRequest<'_>) -> Self {
        Denial {
            actor: request.actor.clone(),
            purpose: request.purpose.clone(),
            resource: request.resource.clone(),
            unmet: None,
        }
    }

    /// The same denial for want of `obligation`.
    #[must_use]
    pub fn for_want_of(self, obligation: Obligation) -> Self {
        Denial { unmet: Some(Box::new(obligation)), ..self }
    }
}

struct Unless<'a>(Option<&'a Obligation>);

impl fmt::Display for Unless<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |unmet| write!(f, " without {unmet}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Epsilon;

    #[test]
    fn an_obligation_is_kept_only_by_what_was_promised() {
        let names = (Actor::new("a"), Purpose::new("p"), Resource::new("r"));
        let charge = Charge::from(Epsilon::new(0.5).unwrap());
        let request = AccessRequest::new(&names.0, &names.1, &names.2).at_price(&charge);
        let of_ten = Obligation::GroupsOfAtLeast(10);
        let to_five = Obligation::RoundTo(5);
        let noisy = Obligation::NoiseAtLeast(3.into());
        for obligation in [&of_ten, &to_five, &noisy] {
            assert!(!obligation.is_kept_by(&request), "{obligation}");
        }
        let promises = [Promise::GroupsOf(10), Promise::RoundedTo(10), Promise::Noise(3.into())];
        let request = request.promising(&promises);
        for obligation in [&of_ten, &to_five, &noisy] {
            assert!(obligation.is_kept_by(&request), "{obligation}");
        }
        assert!(!Obligation::GroupsOfAtLeast(11).is_kept_by(&request));
        assert!(!Obligation::RoundTo(4).is_kept_by(&request));
        assert!(!Obligation::RoundTo(0).is_kept_by(&request));
        assert!(!Obligation::NoiseAtLeast(4.into()).is_kept_by(&request));
        let price = |epsilon| Obligation::PriceAtMost(Epsilon::new(epsilon).unwrap().into());
        assert!(price(0.5).is_kept_by(&request));
        assert!(!price(0.4).is_kept_by(&request));
        // Where there are no numbers nothing can be wrong with them; the price still counts.
        let request = request.promising(&[Promise::NoNumbers]);
        assert!(of_ten.is_kept_by(&request) && noisy.is_kept_by(&request));
        assert!(!price(0.4).is_kept_by(&request));
    }
}
