//! Decisions, recorded.

use privacy_core::access::{AccessRequest, Authorizer, Decision, Obligation};
use privacy_core::prelude::*;
use privacy_ledger::access::{Policy, Rule};
use privacy_ledger::{Account, Event, Ledger};

use crate::common::{USERS, hundredths, limit};

#[test]
fn every_decision_is_in_the_log_and_what_is_denied_costs_nothing() {
    let ledger = Ledger::in_memory();
    ledger.open_account(Account::root(limit(100))).unwrap();
    let policy = Policy::new().rule(
        Rule::permit()
            .actor("ann")
            .purpose("reporting")
            .obliging(Obligation::PriceAtMost(limit(20))),
    );
    let cx = |actor: &'static str| {
        Context::new(Actor::new(actor), Purpose::new("reporting"))
            .unwrap()
            .with_authorizer(ledger.guard(policy.clone()))
            .ledger(ledger.clone())
    };
    let ask = |n| Ask::new(Resource::new("count"), hundredths(n), USERS);
    assert!(cx("ann").release(ask(20), |_| Ok(())).is_ok());
    assert!(cx("ann").release(ask(21), |_| Ok(())).is_err());
    assert!(cx("eve").release(ask(1), |_| Ok(())).is_err());
    let decisions: Vec<_> = ledger
        .entries(0..ledger.size().unwrap())
        .unwrap()
        .into_iter()
        .filter_map(|(_, entry)| match entry.event {
            Event::Decided(decided) => Some((decided.actor.to_string(), decided.decision)),
            _ => None,
        })
        .collect();
    let permitted = "permit with a price of at most ε = 0.2";
    let expected = [("ann", permitted), ("ann", permitted), ("eve", "deny")];
    assert_eq!(decisions, expected.map(|(who, what)| (who.to_owned(), what.into())));
    assert_eq!(ledger.accounts().unwrap()[0].remaining, limit(80));
    ledger.verify().unwrap();
}

#[test]
fn a_decision_that_cannot_be_recorded_is_a_denial() {
    struct Always;
    impl Authorizer for Always {
        fn authorize(&self, _: &AccessRequest<'_>) -> Decision {
            Decision::Permit
        }
    }
    let guarded = Ledger::in_memory().guard(Always);
    let (who, why) = (Actor::new("ann"), Purpose::new("p"));
    let ask = |what: String| {
        let what = Resource::new(what);
        guarded.authorize(&AccessRequest::new(&who, &why, &what))
    };
    assert_eq!(ask("short".into()), Decision::Permit);
    assert_eq!(ask("x".repeat(70_000)), Decision::Deny);
}
