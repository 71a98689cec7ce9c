//! Sessions and pipelines over a ledger.

use std::borrow::Cow;

use dp_mechanisms::session::Session;
use privacy_core::prelude::*;
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
