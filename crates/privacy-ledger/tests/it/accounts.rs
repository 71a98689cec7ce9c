//! Accounts, one rule at a time.

use std::sync::Arc;
use std::time::Duration;

use privacy_core::budget::{Budget, Refusal};
use privacy_core::conformance;
use privacy_core::prelude::*;
use privacy_core::unit::{Relation, UnitKind};
use privacy_ledger::{Account, Begun, Error, Event, Ledger, Past, Renewal, Timestamp, zcdp_budget};

use crate::common::{USERS, clock, hundredths, limit, noon, record, request};

fn refusal(error: Error) -> Refusal {
    match error {
        Error::Core(privacy_core::Error::Budget(refusal)) => refusal,
        other => panic!("not a refusal: {other}"),
    }
}

fn spend(account: &impl Budget, name: impl ToString, n: u64) -> Result<()> {
    account.reserve(&request(name), &hundredths(n), USERS).and_then(|r| account.commit(r))
}

#[test]
fn the_promises_of_a_budget_are_kept_in_memory_and_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for ledger in [Ledger::in_memory(), Ledger::open(folder.path().join("budget.db")).unwrap()] {
        ledger.open_account(Account::root(limit(100))).unwrap();
        let account = ledger.open_account(Account::at("acme", limit(31)).unwrap()).unwrap();
        conformance::budget(&account, &hundredths(10), USERS).unwrap();
        conformance::budget(&Ledger::in_memory_with_root(), &hundredths(10), USERS).unwrap();
    }
}

/// A ledger in memory whose whole may spend ε = 1.
trait InMemoryWithRoot {
    fn in_memory_with_root() -> Ledger;
}

impl InMemoryWithRoot for Ledger {
    fn in_memory_with_root() -> Ledger {
        let ledger = Ledger::in_memory();
        ledger.open_account(Account::root(limit(100))).unwrap();
        ledger
    }
}

#[test]
fn a_ledger_without_accounts_grants_nothing() {
    let ledger = Ledger::in_memory();
    assert!(ledger.reserve(&request("a"), &hundredths(1), USERS).is_err());
    assert!(ledger.limit().is_nothing());
    assert!(matches!(ledger.account("acme"), Err(Error::NoAccount)));
}

#[test]
fn ten_tenths_are_exactly_one_and_every_account_above_counts() {
    let ledger = Ledger::in_memory_with_root();
    let ann = ledger.open_account(Account::at("acme/ann", limit(60)).unwrap()).unwrap();
    let bob = ledger.open_account(Account::at("acme/bob", limit(60)).unwrap()).unwrap();
    (0..6).for_each(|i| spend(&ann, i, 10).unwrap());
    assert!(spend(&ann, 6, 1).unwrap_err().is_budget());
    assert_eq!(bob.remaining().unwrap(), limit(40));
    (0..4).for_each(|i| spend(&bob, i, 10).unwrap());
    assert!(spend(&bob, 4, 1).unwrap_err().is_budget());
    assert!(ledger.remaining().unwrap().is_nothing());
}

#[test]
fn accounts_in_one_chain_count_in_their_own_measures() {
    let ledger = Ledger::in_memory();
    let rho = zcdp_budget(&Epsilon::new(2.0).unwrap(), &Delta::new(1e-6).unwrap()).unwrap();
    ledger.open_account(Account::root(rho)).unwrap();
    let pure = ledger.open_account(Account::at("pure", limit(100)).unwrap()).unwrap();
    spend(&pure, "a", 20).unwrap();
    let all = ledger.accounts().unwrap();
    // ε²/2, exactly.
    let fiftieth = Allowance::Zcdp { rho: Amount::from_fraction(1u8, 50u8).unwrap() };
    assert_eq!(all[0].used, fiftieth);
    let gaussian = Charge::from(Rho::new(0.001).unwrap());
    let refused = pure.reserve(&request("b"), &gaussian, USERS).unwrap_err();
    assert!(matches!(refused, privacy_core::Error::Budget(Refusal::OtherMeasure { .. })));
    assert!(ledger.reserve(&request("b"), &gaussian, USERS).is_ok());
}

#[test]
fn a_budget_renews_with_its_period_and_the_account_above_goes_on_counting() {
    let clock = clock();
    let ledger = Ledger::options().clock(clock.clone()).in_memory().unwrap();
    ledger.open_account(Account::root(limit(250))).unwrap();
    let terms = Account::at("monthly", limit(100)).unwrap().renews(Renewal::Monthly);
    let monthly = ledger.open_account(terms).unwrap();
    spend(&monthly, "november", 100).unwrap();
    assert!(spend(&monthly, "november again", 1).is_err());
    clock.set(Timestamp::from_date(2026, 12, 1).unwrap());
    assert_eq!(monthly.remaining().unwrap(), limit(100));
    spend(&monthly, "december", 100).unwrap();
    clock.set(Timestamp::from_date(2027, 1, 1).unwrap());
    assert_eq!(monthly.remaining().unwrap(), limit(50));
    assert!(spend(&monthly, "january", 51).is_err());
    spend(&monthly, "january", 50).unwrap();
}

#[test]
fn a_reservation_of_a_period_that_ended_gives_nothing_to_the_next() {
    let clock = clock();
    let options = Ledger::options().clock(clock.clone()).timeout(Duration::from_secs(100_000));
    let ledger = options.in_memory().unwrap();
    let daily = Account::at("d", limit(100)).unwrap().renews(Renewal::Daily);
    let daily = ledger.open_account(daily).unwrap();
    let old = daily.reserve(&request("old"), &hundredths(20), USERS).unwrap();
    clock.advance(Duration::from_secs(86_400));
    spend(&daily, "new", 30).unwrap();
    daily.roll_back(old).unwrap();
    assert_eq!(daily.remaining().unwrap(), limit(70));
}

#[test]
fn accounts_expire_and_close_with_everything_below_them() {
    let clock = clock();
    let ledger = Ledger::options().clock(clock.clone()).in_memory().unwrap();
    ledger.open_account(Account::root(limit(100))).unwrap();
    let until = noon().plus(Duration::from_secs(60));
    let terms = Account::at("acme", limit(100)).unwrap().expires(until);
    ledger.open_account(terms).unwrap();
    let below = ledger.open_account(Account::at("acme/ann", limit(100)).unwrap()).unwrap();
    spend(&below, "a", 1).unwrap();
    clock.set(until);
    let refused = below.begin(&request("b"), &hundredths(1), USERS, None).unwrap_err();
    assert_eq!(refusal(refused), Refusal::Closed);
    assert!(below.remaining().unwrap().is_nothing());
    spend(&ledger, "c", 1).unwrap();
    ledger.close_account("").unwrap();
    assert!(spend(&ledger, "d", 1).is_err());
    assert!(ledger.close_account("").is_err());
}

#[test]
fn of_disjoint_blocks_only_the_largest_counts_and_under_replace_the_two_largest() {
    for (relation, counted) in [(Relation::AddRemove, 30), (Relation::Replace, 50)] {
        let scope = Scope { unit: UnitKind::User, relation };
        let ledger = Ledger::in_memory();
        ledger.open_account(Account::root(limit(100))).unwrap();
        let terms = Account::at("logins", limit(60)).unwrap().protects(scope).blocks(limit(40));
        ledger.open_account(terms).unwrap();
        for (block, n) in [("monday", 20), ("tuesday", 30), ("wednesday", 10)] {
            let block = ledger.account(format!("logins/{block}")).unwrap();
            let begun = block.begin(&request(block.path()), &hundredths(n), scope, None);
            assert!(matches!(begun.unwrap(), Begun::New(_)));
        }
        let used: Vec<_> = ledger.accounts().unwrap().into_iter().map(|a| a.used).collect();
        assert_eq!(used[..2], [limit(counted), limit(counted)]);
        // Each block has its own limit, and what is charged to all of them adds to each.
        let tuesday = ledger.account("logins/tuesday").unwrap();
        assert!(tuesday.begin(&request("more"), &hundredths(11), scope, None).is_err());
        let all = ledger.account("logins").unwrap();
        assert!(all.begin(&request("x"), &hundredths(61 - counted), scope, None).is_err());
        assert!(all.begin(&request("x"), &hundredths(60 - counted), scope, None).is_ok());
    }
    let terms = Account::at("a", limit(1)).unwrap().blocks(limit(1));
    assert!(matches!(Ledger::in_memory().open_account(terms), Err(Error::Terms { .. })));
}

#[test]
fn a_retry_gets_the_first_outcome_and_pays_nothing() {
    let ledger = Ledger::in_memory_with_root();
    let account = ledger.account("").unwrap();
    let ask = |plan| account.begin(&request("week 47"), &hundredths(30), USERS, plan);
    let Ok(Begun::New(reservation)) = ask(Some("count")) else { panic!("it is new") };
    assert!(matches!(ask(Some("count")), Ok(Begun::Before(Past::Open))));
    let entry = account.finish(reservation, Some(b"1234")).unwrap();
    let Ok(Begun::Before(Past::Committed { entry: found })) = ask(Some("count")) else {
        panic!("it was finished")
    };
    assert_eq!((found, ledger.payload(entry).unwrap()), (entry.0, b"1234".to_vec()));
    assert!(matches!(ask(Some("sum")), Err(Error::RequestDiffers)));
    let dearer = account.begin(&request("week 47"), &hundredths(31), USERS, Some("count"));
    assert!(matches!(dearer, Err(Error::RequestDiffers)));
    assert_eq!(ledger.remaining().unwrap(), limit(70));
}

#[test]
fn an_answer_is_drawn_once_and_a_failed_draw_stays_paid() {
    let ledger = Ledger::in_memory_with_root();
    let account = ledger.account("").unwrap();
    let failed = account.once(&request("a"), &hundredths(10), USERS, None, || Err(Error::NoSigner));
    assert!(matches!(failed, Err(Error::NoSigner)));
    let again = account.once(&request("a"), &hundredths(10), USERS, None, || panic!("drawn"));
    assert_eq!(refusal(again.unwrap_err()), Refusal::Repeated);
    assert_eq!(ledger.remaining().unwrap(), limit(90));
}

#[test]
fn a_reservation_lapses_as_spent_and_a_hold_comes_back() {
    let clock = clock();
    let timeout = Duration::from_secs(60);
    let options = Ledger::options().clock(clock.clone()).timeout(timeout);
    let ledger = options.in_memory().unwrap();
    let account = ledger.open_account(Account::root(limit(100))).unwrap();
    let open = account.reserve(&request("open"), &hundredths(30), USERS).unwrap();
    let hold = account.hold(&request("hold"), &hundredths(20), USERS, timeout).unwrap();
    assert_eq!(account.remaining().unwrap(), limit(50));
    // Not a moment early.
    let moment = Duration::from_millis(1);
    clock.advance(timeout - moment);
    ledger.record(record("something else")).unwrap();
    assert_eq!(account.remaining().unwrap(), limit(50));
    assert_eq!(account.standing().unwrap().open, 2);
    clock.advance(moment);
    assert_eq!(account.remaining().unwrap(), limit(70));
    // The name of the hold is free again, and the old hold is nothing.
    let again = account.hold(&request("hold"), &hundredths(20), USERS, timeout).unwrap();
    assert_eq!(refusal(hold.commit().unwrap_err()), Refusal::UnknownReservation);
    again.commit().unwrap();
    // The reservation was paid for, so its end may come late, but not as a roll-back.
    let forged = privacy_core::budget::Reservation::new(request("open"));
    assert!(account.roll_back(forged).is_err());
    account.commit(open).unwrap();
    assert_eq!(account.remaining().unwrap(), limit(50));
}

#[test]
fn accounts_are_opened_from_the_wide_to_the_narrow_and_never_changed_by_accident() {
    let ledger = Ledger::in_memory();
    let terms = || Account::at("acme/logins", limit(50)).unwrap();
    ledger.open_account(terms()).unwrap();
    assert!(ledger.open_account(terms()).is_ok());
    let size = ledger.size().unwrap();
    assert!(ledger.open_account(terms()).is_ok());
    assert_eq!(ledger.size().unwrap(), size);
    let other = terms().renews(Renewal::Daily);
    assert!(matches!(ledger.open_account(other), Err(Error::AccountDiffers)));
    for above in [Account::root(limit(1)), Account::at("acme", limit(1)).unwrap()] {
        assert!(matches!(ledger.open_account(above), Err(Error::Terms { .. })));
    }
    let rho = Rho::new(1.0).unwrap();
    assert!(matches!(ledger.set_limit("acme/logins", rho), Err(Error::Terms { .. })));
    ledger.set_limit("acme/logins", limit(10)).unwrap();
    assert_eq!(ledger.account("acme/logins").unwrap().limit(), limit(10));
}

#[test]
fn a_refusal_changes_nothing_and_is_not_written() {
    let ledger = Ledger::in_memory_with_root();
    let size = ledger.size().unwrap();
    assert!(spend(&ledger, "a", 101).is_err());
    let records = Scope { unit: UnitKind::Record, ..USERS };
    assert_eq!(ledger.size().unwrap(), size);
    spend(&ledger, "a", 100).unwrap();
    let refused = ledger.reserve(&request("b"), &hundredths(0), records).unwrap_err();
    assert!(matches!(refused, privacy_core::Error::Budget(Refusal::OtherScope { .. })));
}

#[test]
fn a_clock_that_goes_back_a_little_waits_and_a_lot_is_an_error() {
    let clock = clock();
    let ledger = Ledger::options().clock(clock.clone()).in_memory().unwrap();
    ledger.open_account(Account::root(limit(100))).unwrap();
    clock.set(Timestamp::from_millis(noon().as_millis() - 5_000));
    spend(&ledger, "a", 1).unwrap();
    let last = ledger.entries(0..ledger.size().unwrap()).unwrap().pop().unwrap().1;
    assert_eq!(last.at, noon());
    clock.set(Timestamp::from_millis(noon().as_millis() - 11_000));
    let refused = ledger.account("").unwrap_err();
    assert!(matches!(refused, Error::ClockBehind { behind } if behind.as_secs() == 11));
    clock.set(noon());
    spend(&ledger, "b", 1).unwrap();
}

#[test]
fn threads_and_handles_on_one_file_spend_exactly_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("budget.db");
    Ledger::open(&path).unwrap().open_account(Account::root(limit(97))).unwrap();
    let granted: usize = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|thread| {
                let path = &path;
                scope.spawn(move || {
                    let ledger = Ledger::open(path).unwrap();
                    (0..20).filter(|i| spend(&ledger, format!("{thread}/{i}"), 1).is_ok()).count()
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).sum()
    });
    assert_eq!(granted, 97);
    let ledger = Ledger::open(&path).unwrap();
    assert!(ledger.remaining().unwrap().is_nothing());
    assert_eq!(ledger.verify().unwrap().charges, 97);
}

#[test]
fn a_context_charges_and_records_in_the_ledger_in_one_line() {
    let ledger = Arc::new(Ledger::in_memory_with_root());
    let mut cx =
        Context::new(Actor::new("job"), Purpose::new("tests")).unwrap().ledger((*ledger).clone());
    let ask = Ask::new(Resource::new("count"), hundredths(10), USERS);
    let paid = cx.release(ask, |_| Ok(7)).unwrap();
    let kinds: Vec<_> =
        ledger.entries(0..4).unwrap().iter().map(|(_, entry)| entry.event.kind()).collect();
    assert_eq!(kinds, ["opened", "reserved", "committed", "recorded"]);
    let (_, last) = ledger.entries(3..4).unwrap().pop().unwrap();
    assert_eq!(paid.record.0, 3);
    assert!(matches!(last.event, Event::Recorded(record) if record.resource.as_str() == "count"));
}
