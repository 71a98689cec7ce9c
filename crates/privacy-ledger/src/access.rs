//! Who may spend what: rules by role and attribute, and a record of every decision.
//!
//! The trait is [`privacy_core::access::Authorizer`]; a [context](privacy_core::context::Context)
//! asks it before anything is charged. [`Policy`] is an implementation in this process, with rules
//! as data; the feature `cedar` adds one in the Cedar policy language. Both deny what no rule
//! permits. [`Ledger::guard`](crate::Ledger::guard) wraps any of them so that what it decides is
//! written to the log.

#[cfg(feature = "cedar")]
mod cedar;
mod policy;

use privacy_core::access::{AccessRequest, Authorizer, Decision};

#[cfg(feature = "cedar")]
pub use cedar::CedarPolicy;
pub use policy::{Effect, Policy, Rule};

use crate::book::Request;
use crate::entry::{Decided, Event};
use crate::ledger::Ledger;
use crate::store::Durability;
use crate::telemetry::{self, Doing};

/// An authorizer whose decisions are recorded in a ledger; made by
/// [`Ledger::guard`](crate::Ledger::guard).
///
/// The record need not wait for the disk: what a context then charges does, and comes after it in
/// the log.
#[derive(Clone, Debug)]
pub struct Guarded<A> {
    ledger: Ledger,
    authorizer: A,
}

impl<A> Guarded<A> {
    pub(crate) fn new(ledger: Ledger, authorizer: A) -> Self {
        Guarded { ledger, authorizer }
    }
}

impl<A: Authorizer> Authorizer for Guarded<A> {
    fn authorize(&self, request: &AccessRequest<'_>) -> Decision {
        let _span = telemetry::span(Doing::Authorize);
        let decision = self.authorizer.authorize(request);
        telemetry::decision(match (&decision, decision.unmet(request)) {
            (Decision::Permit | Decision::PermitWith(_), None) => "permit",
            _ => "deny",
        });
        let decided = Decided {
            actor: request.actor.clone(),
            purpose: request.purpose.clone(),
            resource: request.resource.clone(),
            charge: request.charge.cloned(),
            decision: decision.to_string().into(),
        };
        let event = Event::Decided(Box::new(decided));
        match self.ledger.submit(Request::new(event, Durability::Process)) {
            Ok(_) => decision,
            Err(_) => Decision::Deny,
        }
    }
}
