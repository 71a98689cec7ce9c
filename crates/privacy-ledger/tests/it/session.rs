//! Sessions and pipelines over a ledger.

use std::borrow::Cow;

use dp_mechanisms::session::Session;
use privacy_core::access::{Obligation, Promise};
use privacy_core::prelude::*;
use privacy_ledger::access::{Policy, Rule};
use privacy_ledger::{Account, Event, Ledger};

use crate::common::{USERS, hundredths, limit};

#[test]
fn a_session_takes_a_ledger_in_one_line_and_another_process_sees_what_it_spent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("budget.db");
    Ledger::open(&path).unwrap().open_account(Account::root(limit(100))).unwrap();
    let rows: Vec<u32> = (0..500).map(|i| i % 50).collect();
    {
        let session = Session::over(&rows)
            .unit(|user| *user)
            .max_rows_per_unit(10)
            .ledger(Ledger::open(&path).unwrap())
            .open()
            .unwrap();
        let count = session.count().epsilon(0.5).unwrap().release().unwrap();
        assert_eq!(count.record().0, 3);
        assert_eq!(session.remaining(), limit(50));
        assert!(session.count().epsilon(0.6).and_then(|plan| plan.release()).is_err());
    }
    let ledger = Ledger::open(&path).unwrap();
    let report = ledger.verify().unwrap();
    assert_eq!((report.charges, report.releases), (1, 1));
    assert_eq!(report.accounts[0].remaining, limit(50));
}

/// A stage that claims a price and pays it.
struct Noisy;

impl Stage for Noisy {
    type Input = Sensitive<Vec<u8>>;
    type Output = usize;

    fn name(&self) -> Cow<'static, str> {
        "noisy count".into()
    }

    fn effect(&self) -> Effect {
        let guarantee = Guarantee::DifferentialPrivacy { charge: hundredths(30), scope: USERS };
        Effect::Establishes { guarantee, distance: 1 }
    }

    fn run(&self, _: Self::Input, cx: &mut Context) -> Result<usize> {
        let ask = Ask::new(Resource::new("noisy count"), hundredths(30), USERS);
        Ok(cx.release(ask, |_| Ok(7))?.value)
    }
}

#[test]
fn a_pipeline_pays_from_the_account_and_is_refused_before_it_starts() {
    let ledger = Ledger::in_memory();
    ledger.open_account(Account::root(limit(50))).unwrap();
    let account = ledger.open_account(Account::at("reports", limit(40)).unwrap()).unwrap();
    let mut cx = Context::new(Actor::new("job"), Purpose::new("tests")).unwrap().ledger(account);
    let pipeline = Pipeline::new(Noisy);
    assert_eq!(pipeline.run(Sensitive::new(vec![1]), &mut cx).unwrap(), 7);
    assert!(pipeline.run(Sensitive::new(vec![1]), &mut cx).unwrap_err().is_budget());
    let kinds: Vec<_> = ledger
        .entries(0..ledger.size().unwrap())
        .unwrap()
        .into_iter()
        .map(|(_, entry)| match entry.event {
            Event::Recorded(record) => record.outcome.to_string(),
            event => event.kind().to_owned(),
        })
        .collect();
    assert_eq!(kinds, ["opened", "opened", "reserved", "committed", "completed", "refused"]);
}

/// A context that charges `ledger` under a policy that permits with `obligation`.
fn obliged(ledger: &Ledger, obligation: Obligation) -> Context {
    let policy = Policy::new().rule(Rule::permit().actor("job").obliging(obligation));
    Context::new(Actor::new("job"), Purpose::new("tests"))
        .unwrap()
        .with_authorizer(ledger.guard(policy))
        .ledger(ledger.clone())
}

fn ledger() -> Ledger {
    let ledger = Ledger::in_memory();
    ledger.open_account(Account::root(limit(1000))).unwrap();
    ledger
}

fn is_denied<T>(released: Result<T, dp_mechanisms::Error>) -> bool {
    match released {
        Err(dp_mechanisms::Error::Core(Error::Denied(_))) => true,
        Err(other) => panic!("not a denial: {other}"),
        Ok(_) => false,
    }
}

#[test]
fn a_session_keeps_an_obligation_to_noise_by_the_noise_it_plans() {
    let rows: Vec<u32> = (0..500).map(|i| i % 50).collect();
    let ledger = ledger();
    // Discrete Laplace noise of scale 10/ε has a standard deviation of about 14.1/ε.
    let session = Session::over(&rows)
        .unit(|user| *user)
        .max_rows_per_unit(10)
        .context(obliged(&ledger, Obligation::NoiseAtLeast(20.into())))
        .open()
        .unwrap();
    assert!(!is_denied(session.count().epsilon(0.7).unwrap().release()));
    assert!(is_denied(session.count().epsilon(0.75).unwrap().release()));
    let by_user =
        |e: f64| session.count().by(|user| *user % 5, &[0, 1, 2]).epsilon(e).unwrap().release();
    assert!(!is_denied(by_user(0.7)) && is_denied(by_user(0.75)));
    let sum =
        |e: f64| session.sum(|user| *user).bounds(0..=4).unwrap().epsilon(e).unwrap().release();
    assert!(!is_denied(sum(2.8)) && is_denied(sum(2.9)));
    // A mean is a quotient: there is no such noise on it, however small its ε.
    let mean = session.mean(|user| *user).bounds(0..=4).unwrap().epsilon(0.001).unwrap().release();
    assert!(is_denied(mean));
    // What was denied cost nothing, and is on record.
    assert_eq!(session.spent(), limit(70 + 70 + 280));
    let report = ledger.verify().unwrap();
    assert_eq!((report.charges, report.releases), (3, 3));
    let decisions = ledger.entries(0..report.entries).unwrap();
    let decisions = decisions.iter().filter(|(_, entry)| entry.event.kind() == "decided").count();
    assert_eq!(decisions, 7);
}

#[test]
fn discovered_groups_and_mechanisms_of_ones_own_keep_an_obligation_to_noise() {
    let rows: Vec<u32> = (0..500).map(|i| i % 50).collect();
    let ledger = ledger();
    let session = Session::over(&rows)
        .context(obliged(&ledger, Obligation::NoiseAtLeast(3.into())))
        .open()
        .unwrap();
    let noise = |scale: u64| dp_mechanisms::additive::LaplaceNoise::scalar(scale.into()).unwrap();
    let count = |scale| {
        use privacy_core::transformation::Transformation;
        let values = session.values(|user| *user, 0..=50).unwrap();
        let chain = values.then(dp_mechanisms::transform::Count::new()).then(noise(scale));
        session.ask("count", chain).unwrap().release()
    };
    assert!(!is_denied(count(3)) && is_denied(count(2)));
    let left_out = |e: f64| session.estimate_left_out(1, Epsilon::new(e).unwrap());
    assert!(!is_denied(left_out(0.4)) && is_denied(left_out(0.5)));
}

#[test]
fn a_partition_sets_aside_and_its_parts_ask_for_themselves() {
    let rows: Vec<u32> = (0..500).map(|i| i % 50).collect();
    let ledger = ledger();
    let session = Session::over(&rows)
        .context(obliged(&ledger, Obligation::NoiseAtLeast(3.into())))
        .open()
        .unwrap();
    let parts = session.partition(|user| *user % 2, &[0, 1], Epsilon::new(1.0).unwrap()).unwrap();
    let part = parts.session(&0).unwrap();
    assert!(!is_denied(part.count().epsilon(0.4).unwrap().release()));
    assert!(is_denied(part.count().epsilon(0.5).unwrap().release()));
}

#[test]
fn an_application_promises_what_it_does_with_releases_and_what_it_does_not_is_denied() {
    let rows: Vec<u32> = (0..500).map(|i| i % 50).collect();
    for (obligation, kept, broken) in [
        (Obligation::RoundTo(5), Promise::RoundedTo(10), Promise::RoundedTo(7)),
        (Obligation::GroupsOfAtLeast(10), Promise::GroupsOf(10), Promise::GroupsOf(9)),
    ] {
        let ledger = ledger();
        let open = |promise: Option<&Promise>| {
            let cx = obliged(&ledger, obligation.clone());
            let cx = promise.into_iter().cloned().fold(cx, Context::promising);
            Session::over(&rows)
                .unit(|user| *user)
                .max_rows_per_unit(10)
                .context(cx)
                .open()
                .unwrap()
        };
        let count = |promise| open(promise).count().epsilon(0.5).unwrap().release();
        assert!(is_denied(count(None)) && is_denied(count(Some(&broken))));
        assert!(!is_denied(count(Some(&kept))));
        // A pipeline is held to the same.
        let mut cx = obliged(&ledger, obligation.clone());
        let pipeline = Pipeline::new(Noisy);
        let denied = pipeline.run(Sensitive::new(vec![1]), &mut cx);
        assert!(matches!(denied, Err(Error::Denied(_))));
        let mut cx = obliged(&ledger, obligation.clone()).promising(kept);
        assert_eq!(pipeline.run(Sensitive::new(vec![1]), &mut cx).unwrap(), 7);
        assert_eq!(ledger.verify().unwrap().releases, 2);
    }
}
