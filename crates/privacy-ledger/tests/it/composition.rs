//! Accounts that compose as dp-accounting does, held to it.

use dp_accounting::event::{Event, Plan};
use dp_accounting::filter::{PlannedBudget, RenyiFilter, ZcdpFilter};
use dp_accounting::renyi::RenyiCurve;
use privacy_core::budget::{Budget, Refusal};
use privacy_core::conformance;
use privacy_core::measure::{RenyiCost, RenyiPoint};
use privacy_core::prelude::*;
use privacy_ledger::{Account, Error, Ledger, Renewal, zcdp_budget};

use crate::common::{USERS, clock, hundredths, limit, request};

fn epsilon(value: f64) -> Epsilon {
    Epsilon::new(value).unwrap()
}

fn delta(value: f64) -> Delta {
    Delta::new(value).unwrap()
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// How many requests a budget grants before it refuses one.
fn granted(budget: &impl Budget, charge: &Charge) -> u64 {
    (0..).find(|i| budget.reserve(&request(i), charge, USERS).is_err()).unwrap()
}

#[test]
fn a_zcdp_account_is_the_filter_for_the_same_promise() {
    let filter = ZcdpFilter::new(&epsilon(2.0), &delta(1e-6)).unwrap();
    let rho = zcdp_budget(&epsilon(2.0), &delta(1e-6)).unwrap();
    let account = Ledger::in_memory().open_account(Account::root(rho)).unwrap();
    assert_eq!(account.limit(), filter.limit());
    let charge = Charge::from(Rho::new(0.0013).unwrap());
    assert_eq!(granted(&account, &charge), granted(&filter, &charge));
    assert_eq!(account.remaining().unwrap(), filter.remaining().unwrap());
}

#[test]
fn a_renyi_account_is_the_filter_at_its_order() {
    let training = RenyiCurve::sampled_gaussian(1.0, 0.01).unwrap();
    let (e, d) = (epsilon(2.0), delta(1e-6));
    let filter = RenyiFilter::for_queries_like(&training, &e, &d).unwrap();
    let terms = Account::renyi("training", filter.order(), &e, &d).unwrap();
    let ledger = Ledger::in_memory();
    let account = ledger.open_account(terms).unwrap();
    assert_eq!(account.limit(), filter.limit());
    // A curve, a ρ and a pure ε each count by their divergence at the order.
    let step = training.charge().unwrap();
    let mut spent = 0;
    for charge in [&step, &Rho::new(0.001).unwrap().into(), &hundredths(2), &step] {
        spent += 1;
        for budget in [&account as &dyn Budget, &filter] {
            let _ = budget.reserve(&request(format!("mixed {spent}")), charge, USERS).unwrap();
        }
    }
    assert_eq!(account.remaining().unwrap(), filter.remaining().unwrap());
    let steps = granted(&account, &step);
    assert_eq!(steps, granted(&filter, &step));
    assert_eq!(account.remaining().unwrap(), filter.remaining().unwrap());
    // What was granted is within the promise, and a tenth more is not.
    let composed = |steps| training.repeat(steps).epsilon(1e-6).unwrap();
    assert!(composed(steps + 2) <= 2.0 && composed((steps + 2) * 11 / 10) > 2.0, "{steps}");
    assert!(ledger.to_string().contains("in divergence of order"), "{ledger}");
    assert_eq!(ledger.verify().unwrap().accounts, ledger.accounts().unwrap());
}

#[test]
fn a_renyi_account_counts_by_the_next_larger_order_and_refuses_what_has_none() {
    let at = |orders: &[(u64, &str)]| {
        let point =
            |(order, e): &(u64, &str)| RenyiPoint { order: (*order).into(), epsilon: amount(e) };
        Charge::renyi(RenyiCost::new(orders.iter().map(point).collect()).unwrap())
    };
    let ledger = Ledger::in_memory();
    let terms = Account::renyi("a", 8.0, &epsilon(4.0), &delta(1e-6)).unwrap();
    let account = ledger.open_account(terms).unwrap();
    let used = |name: &str, charge: &Charge| -> Result<Amount, Error> {
        let _ = account.begin(&request(name), charge, USERS, None)?;
        match account.standing()?.used {
            Allowance::Zcdp { rho } => Ok(&rho * &8.into()),
            other => panic!("{other}"),
        }
    };
    assert_eq!(used("beyond", &at(&[(4, "0.1"), (9, "0.3"), (20, "0.9")])).unwrap(), amount("0.3"));
    assert_eq!(used("at", &at(&[(4, "0.1"), (8, "0.2"), (9, "0.3")])).unwrap(), amount("0.5"));
    let below = used("below", &at(&[(2, "0.01"), (7, "0.02")])).unwrap_err();
    assert!(matches!(
        below,
        Error::Core(privacy_core::Error::Budget(Refusal::OtherMeasure { .. }))
    ));
    let approximate = Charge::from((epsilon(0.1), delta(1e-9)));
    assert!(used("approximate", &approximate).is_err());
    // Neither its limit nor its order can be changed.
    assert!(matches!(ledger.set_limit("a", Rho::new(9.0).unwrap()), Err(Error::Terms { .. })));
    let other = Account::renyi("a", 9.0, &epsilon(4.0), &delta(1e-6)).unwrap();
    assert!(matches!(ledger.open_account(other), Err(Error::AccountDiffers)));
    for (order, d) in [(1.0, 1e-6), (f64::NAN, 1e-6), (0.5, 1e-6), (8.0, 0.0), (1.5, 1e-6)] {
        assert!(Account::renyi("b", order, &epsilon(0.1), &delta(d)).is_err(), "{order}, {d}");
    }
}

#[test]
fn what_remains_of_a_renyi_account_does_not_mix_with_sums_of_rho() {
    let ledger = Ledger::in_memory();
    ledger.open_account(Account::root(Rho::new(0.001).unwrap())).unwrap();
    let terms = Account::renyi("a", 8.0, &epsilon(4.0), &delta(1e-6)).unwrap();
    let account = ledger.open_account(terms).unwrap();
    assert_eq!(account.remaining().unwrap(), account.limit());
    // The account above still counts, in its own measure.
    let charge = Charge::from(Rho::new(0.002).unwrap());
    assert!(account.reserve(&request("a"), &charge, USERS).unwrap_err().is_budget());
    let curve = RenyiCurve::gaussian(100.0).unwrap().charge().unwrap();
    let bare = Charge::renyi(curve.in_renyi().unwrap().clone());
    assert!(account.reserve(&request("b"), &bare, USERS).unwrap_err().is_budget());
}

/// The plan of dp-accounting with the same declarations.
fn planned(parts: &[(f64, f64, u64)], d: f64) -> PlannedBudget {
    let event = |(e, own, n): &(f64, f64, u64)| {
        // The floats that are not below the decimals.
        let (e, own) = (epsilon(*e).to_f64_up(), delta(*own).to_f64_up());
        let one = if own == 0.0 { Event::pure_dp(e) } else { Event::approx_dp(e, own) };
        one.unwrap().repeat(*n)
    };
    let event = parts.iter().skip(1).fold(event(&parts[0]), |sum, part| sum.and(event(part)));
    let plan = Plan::new(USERS.relation, event).unwrap();
    PlannedBudget::new(&plan, USERS.unit, &delta(d)).unwrap()
}

fn declared(path: &str, parts: &[(f64, f64, u64)], d: f64) -> Account {
    let charge = |(e, own, n): &(f64, f64, u64)| -> (Charge, u64) {
        let charge: Charge =
            if *own == 0.0 { epsilon(*e).into() } else { (epsilon(*e), delta(*own)).into() };
        (charge, *n)
    };
    Account::declared(path, USERS, &delta(d), parts.iter().map(charge)).unwrap()
}

#[test]
fn a_declared_account_is_the_plan_with_the_same_releases() {
    let parts = [(0.1, 0.0, 40), (0.2, 1e-9, 10), (0.3, 0.0, 4)];
    let plan = planned(&parts, 1e-6);
    let clock = clock();
    let ledger = Ledger::options().clock(clock.clone()).in_memory().unwrap();
    let terms = declared("plan", &parts, 1e-6).renews(Renewal::Yearly);
    let account = ledger.open_account(terms).unwrap();
    assert_eq!(account.limit(), plan.limit());
    // Less than the sums, which basic composition would charge.
    let Allowance::Approximate { epsilon: whole, .. } = account.limit() else { panic!() };
    assert!(whole < amount("5"), "{}", whole.display_up());
    // Cheaper releases are covered by the least that is left; dearer ones by none.
    let charges: [Charge; 5] = [
        hundredths(30),
        hundredths(5),
        (epsilon(0.2), delta(1e-9)).into(),
        hundredths(20),
        (epsilon(0.1), delta(1e-9)).into(),
    ];
    for (i, charge) in charges.iter().enumerate() {
        for budget in [&account as &dyn Budget, &plan] {
            let _ = budget.reserve(&request(format!("some {i}")), charge, USERS).unwrap();
        }
    }
    assert_eq!(account.remaining().unwrap(), plan.remaining().unwrap());
    let used = planned(&[(0.1, 0.0, 1), (0.2, 1e-9, 3), (0.3, 0.0, 1)], 1e-6);
    assert_eq!(account.standing().unwrap().used, used.limit());
    let dearer: [Charge; 3] =
        [hundredths(31), (epsilon(0.2), delta(1e-8)).into(), (epsilon(0.3), delta(1e-9)).into()];
    for charge in &dearer {
        for budget in [&account as &dyn Budget, &plan] {
            assert!(budget.reserve(&request("dearer"), charge, USERS).unwrap_err().is_budget());
        }
    }
    let gaussian = Charge::from(Rho::new(0.001).unwrap());
    let refused = account.reserve(&request("gaussian"), &gaussian, USERS).unwrap_err();
    assert!(matches!(refused, privacy_core::Error::Budget(Refusal::OtherMeasure { .. })));
    assert_eq!(granted(&account, &hundredths(10)), granted(&plan, &hundredths(10)));
    assert_eq!(ledger.verify().unwrap().accounts, ledger.accounts().unwrap());
    // The next period has the whole list again.
    clock.set(privacy_ledger::Timestamp::from_date(2027, 1, 1).unwrap());
    assert_eq!(account.remaining().unwrap(), account.limit());
}

#[test]
fn a_declared_account_gives_back_the_very_release_that_was_taken() {
    let ledger = Ledger::in_memory();
    let account =
        ledger.open_account(declared("p", &[(0.5, 0.0, 1), (0.1, 0.0, 1)], 1e-6)).unwrap();
    let take = |name: &str, n| account.reserve(&request(name), &hundredths(n), USERS);
    let small = take("small", 10).unwrap();
    let large = take("large", 10).unwrap();
    assert!(take("none", 10).is_err());
    account.roll_back(small).unwrap();
    assert!(take("dear", 50).is_err() && take("cheap", 10).is_ok());
    account.roll_back(large).unwrap();
    conformance::budget(
        &ledger.open_account(declared("q", &[(0.1, 0.0, 3)], 1e-6)).unwrap(),
        &hundredths(10),
        USERS,
    )
    .unwrap();
}

#[test]
fn declarations_that_mean_nothing_are_refused() {
    let d = delta(1e-6);
    let gaussian = Charge::from(Rho::new(0.01).unwrap());
    assert!(matches!(Account::declared("a", USERS, &d, [(gaussian, 3)]), Err(Error::Terms { .. })));
    assert!(matches!(Account::declared("a", USERS, &d, []), Err(Error::Terms { .. })));
    assert!(Account::declared("a", USERS, &d, [(hundredths(1), 0)]).is_err());
    // The releases' own deltas use up more than there is.
    let loose = Charge::from((epsilon(0.1), delta(1e-5)));
    assert!(Account::declared("a", USERS, &d, [(loose, 1)]).is_err());
    let ledger = Ledger::in_memory();
    let blocks = declared("a", &[(0.1, 0.0, 3)], 1e-6).blocks(limit(10));
    assert!(matches!(ledger.open_account(blocks), Err(Error::Terms { .. })));
    ledger.open_account(declared("a", &[(0.1, 0.0, 3)], 1e-6)).unwrap();
    let more = Allowance::from((epsilon(9.0), delta(1e-6)));
    assert!(matches!(ledger.set_limit("a", more), Err(Error::Terms { .. })));
}

#[test]
fn a_log_that_claims_too_little_for_declared_releases_does_not_open() {
    let honest = serde_json::to_string(&declared("a", &[(0.1, 0.0, 30)], 1e-6)).unwrap();
    let account: Account = serde_json::from_str(&honest).unwrap();
    assert!(Ledger::in_memory().open_account(account).is_ok());
    let more = honest.replace("\"count\":30", "\"count\":31");
    assert_ne!(more, honest);
    let account: Account = serde_json::from_str(&more).unwrap();
    assert!(matches!(Ledger::in_memory().open_account(account), Err(Error::Terms { .. })));
}
