//! Sessions as an application uses them: budgets, refusals, bad input, and the law of releases.

use std::num::NonZero;
use std::sync::Arc;

use dp_mechanisms::Error;
use dp_mechanisms::prelude::*;
use privacy_core::budget::Refusal;
use privacy_core::conformance;
use privacy_core::random::{EntropyError, InsecureTestRng, SecureRng};
use privacy_testing::statistics::check_binomial;

#[derive(Clone)]
struct Login {
    user: u32,
    country: &'static str,
    seconds: f64,
}

const COUNTRIES: [&str; 3] = ["de", "fr", "it"];

fn logins(n: u32) -> Vec<Login> {
    (0..n)
        .map(|i| Login {
            user: i % 97,
            country: COUNTRIES[i as usize % 3],
            seconds: f64::from(i % 100),
        })
        .collect()
}

fn epsilon(value: f64) -> Epsilon {
    Epsilon::new(value).unwrap()
}

/// So much budget that the noise is 0 in all but e^-1000 of draws.
fn exact() -> Epsilon {
    epsilon(1e9)
}

fn plenty() -> Epsilon {
    epsilon(1e12)
}

#[test]
fn ten_tenths_spend_one_exactly_and_the_session_survives_the_eleventh() {
    let rows = logins(1000);
    let session = Session::over(&rows).budget(epsilon(1.0)).open().unwrap();
    for _ in 0..10 {
        let _ = session.count().epsilon(0.1).unwrap().release().unwrap();
    }
    let eleventh = session.count().epsilon(0.1).unwrap().release().unwrap_err();
    let Error::Core(privacy_core::Error::Budget(Refusal::Exhausted { asked, remaining })) =
        &eleventh
    else {
        panic!("not a refusal: {eleventh}");
    };
    assert_eq!(asked.to_string(), "ε = 0.1");
    assert!(remaining.is_nothing());
    assert!(eleventh.is_budget());
    assert_eq!(
        eleventh.to_string(),
        "the budget cannot pay: ε = 0.1 was asked and ε = 0 is left; ask for less"
    );
    assert_eq!(session.spent().to_string(), "ε = 1");
    // It still plans and still refuses.
    assert!(session.count().epsilon(0.1).unwrap().release().unwrap_err().is_budget());
}

#[test]
fn a_refusal_leaves_room_for_a_cheaper_question() {
    let rows = logins(1000);
    let session = Session::over(&rows).budget(epsilon(0.3)).open().unwrap();
    assert!(session.count().epsilon(0.4).unwrap().release().unwrap_err().is_budget());
    assert_eq!(session.remaining().to_string(), "ε = 0.3");
    assert!(session.count().epsilon(0.3).unwrap().release().is_ok());
    assert!(session.remaining().is_nothing());
}

#[test]
fn parameters_are_refused_before_anything_is_spent() {
    let rows = logins(10);
    let session = Session::over(&rows).budget(epsilon(1.0)).open().unwrap();
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(session.count().epsilon(bad).unwrap_err().is_parameter());
        assert!(session.count().rho(bad).unwrap_err().is_parameter());
    }
    for (lower, upper) in [(1.0, 0.0), (1.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
        assert!(session.sum(|e| e.seconds).bounds(lower..=upper).unwrap_err().is_parameter());
        assert!(session.mean(|e| e.seconds).bounds(lower..=upper).unwrap_err().is_parameter());
    }
    let overflow = session.sum(|e| i64::from(e.user)).bounds(i64::MIN..=i64::MAX).unwrap_err();
    assert!(matches!(overflow, Error::Core(privacy_core::Error::Overflow { .. })));
    let twice = session.count().by(|e| e.country, &["de", "fr", "de"]).epsilon(0.1).unwrap_err();
    assert!(matches!(twice, Error::DuplicateGroup { position: 2 }));
    let none = session.count().by(|e| e.country, &[] as &[&str]).epsilon(0.1).unwrap_err();
    assert!(matches!(none, Error::NoGroups));
    // Noise too large to be drawn.
    assert!(session.count().epsilon(1e-40).unwrap_err().is_parameter());
    assert_eq!(session.remaining(), session.limit());
}

#[test]
fn a_session_says_what_it_lacks() {
    let rows = logins(10);
    let no_budget = Session::over(&rows).open().unwrap_err();
    assert!(no_budget.to_string().contains("budget(Epsilon::new(1.0)?)"), "{no_budget}");
    let no_limit =
        Session::over(&rows).unit(|e: &Login| e.user).budget(epsilon(1.0)).open().unwrap_err();
    assert!(no_limit.to_string().contains("max_rows_per_unit"), "{no_limit}");
    let zero = Session::over(&rows)
        .unit(|e: &Login| e.user)
        .max_rows_per_unit(0)
        .budget(epsilon(1.0))
        .open()
        .unwrap_err();
    assert_eq!(zero.to_string(), "max_rows_per_unit must be at least 1, but was 0");
    // Groups alone bound nothing.
    let groups_only = Session::over(&rows)
        .unit(|e: &Login| e.user)
        .max_groups_per_unit(2)
        .budget(epsilon(1.0))
        .open();
    assert!(groups_only.is_err());
}

#[test]
fn gaussian_noise_needs_a_budget_that_can_pay_it() {
    let rows = logins(10);
    let pure = Session::over(&rows).budget(epsilon(1.0)).open().unwrap();
    let refused = pure.count().rho(0.1).unwrap().release().unwrap_err();
    assert!(refused.is_budget(), "{refused}");
    assert_eq!(pure.remaining(), pure.limit());
    let zcdp = Session::over(&rows).budget(Rho::new(0.5).unwrap()).open().unwrap();
    assert!(zcdp.count().rho(0.1).unwrap().release().is_ok());
    // ε = 0.4 is 0.08-zCDP.
    assert!(zcdp.count().epsilon(0.4).unwrap().release().is_ok());
    assert_eq!(zcdp.remaining().to_string(), "ρ = 0.32");
}

#[test]
fn with_next_to_no_noise_releases_are_the_plain_statistics() {
    let rows = logins(1000);
    let session = Session::over(&rows)
        .unit(|e: &Login| e.user)
        .max_rows_per_unit(1000)
        .budget(plenty())
        .open()
        .unwrap();
    assert_eq!(*session.count().epsilon(exact()).unwrap().release().unwrap().value(), 1000);
    assert_eq!(*session.count_units().epsilon(exact()).unwrap().release().unwrap().value(), 97);
    let distinct = session.count_distinct(|e| e.country).epsilon(exact()).unwrap();
    assert_eq!(*distinct.release().unwrap().value(), 3);
    let french = session.count().filter(|e| e.country == "fr").epsilon(exact()).unwrap();
    assert_eq!(*french.release().unwrap().value(), 333);
    let sum = session.sum(|e| e.seconds).bounds(0.0..=60.0).unwrap().epsilon(exact()).unwrap();
    let truth: f64 = rows.iter().map(|e| e.seconds.min(60.0)).sum();
    assert!((sum.release().unwrap().value() - truth).abs() < 1e-3);
    let mean = session.mean(|e| e.seconds).bounds(0.0..=60.0).unwrap().epsilon(exact()).unwrap();
    assert!((mean.release().unwrap().value() - truth / 1000.0).abs() < 1e-6);
    let by = session.count().by(|e| e.country, &["it", "xx", "de"]).epsilon(exact()).unwrap();
    let by = by.release().unwrap();
    let counts: Vec<(&str, i64)> = by.iter().map(|(k, r)| (*k, *r.value())).collect();
    assert_eq!(counts, [("it", 333), ("xx", 0), ("de", 334)]);
}

#[test]
fn integer_means_and_grouped_means_are_right() {
    let rows: Vec<(u8, i32)> = (0..600).map(|i| ((i % 3) as u8, i % 3 * 10 - 5)).collect();
    let session = Session::over(&rows).budget(plenty()).open().unwrap();
    let by = session.mean(|r| r.1).bounds(-5..=15).unwrap().by(|r| r.0, &[0u8, 1, 2, 3]);
    let by = by.epsilon(exact()).unwrap().release().unwrap();
    let means: Vec<f64> = by.iter().map(|(_, r)| *r.value()).collect();
    assert_eq!(means[..3], [-5.0, 5.0, 15.0]);
    // An empty group has no mean: the middle of the bounds, and an interval that says so.
    let empty = by.get(&3).unwrap();
    assert_eq!(*empty.value(), 5.0);
    assert_eq!(empty.margin(), 10.0);
}

#[test]
fn bins_hold_their_lower_edge_and_the_last_one_both() {
    let values = [f64::NAN, -1.0, 0.0, 4.999, 5.0, 10.0, 10.5, f64::INFINITY, -0.0];
    let session = Session::over(&values).budget(plenty()).open().unwrap();
    let by = session.count().by_bin(|x| *x, &[0.0, 5.0, 10.0]).epsilon(exact()).unwrap();
    assert!(by.to_string().starts_with("count by 2 bins"));
    let by = by.release().unwrap();
    let counts: Vec<(String, i64)> = by.iter().map(|(b, r)| (b.to_string(), *r.value())).collect();
    assert_eq!(counts, [("0..5".to_owned(), 3), ("5..10".to_owned(), 2)]);
    let all = [f64::NEG_INFINITY, 0.0, f64::INFINITY];
    let all = session.count().by_bin(|x| *x, &all).epsilon(exact()).unwrap().release().unwrap();
    assert_eq!(all.iter().map(|(_, r)| *r.value()).collect::<Vec<_>>(), [1, 7]);
    let inf = f64::INFINITY;
    for bad in [&[][..], &[1.0], &[1.0, 1.0], &[2.0, 1.0], &[0.0, f64::NAN], &[0.0, inf, inf]] {
        let refused = session.count().by_bin(|x| *x, bad).epsilon(0.1).unwrap_err();
        assert!(refused.is_parameter(), "{bad:?}");
    }
}

#[test]
fn not_a_number_is_missing_and_infinities_are_clamped() {
    let values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.25, 1e308];
    let session = Session::over(&values).budget(plenty()).open().unwrap();
    let sum = session.sum(|x| *x).bounds(-1.0..=1.0).unwrap().epsilon(exact()).unwrap();
    assert!((sum.release().unwrap().value() - 1.25).abs() < 1e-3);
    let mean = session.mean(|x| *x).bounds(-1.0..=1.0).unwrap().epsilon(exact()).unwrap();
    assert!((mean.release().unwrap().value() - 0.25).abs() < 1e-3);
    assert_eq!(*session.count().epsilon(exact()).unwrap().release().unwrap().value(), 6);
}

#[test]
fn extreme_integers_are_clamped_without_overflow() {
    let values = [i64::MIN, i64::MAX, 7];
    let session = Session::over(&values).budget(plenty()).open().unwrap();
    let bounds = -(1i64 << 61)..=1 << 61;
    let sum = session.sum(|x| *x).bounds(bounds.clone()).unwrap().epsilon(plenty()).unwrap();
    // A scale of 2^61/10^12 leaves noise of about 2·10^6.
    assert!((sum.release().unwrap().value() - 7).abs() < 1 << 32);
}

#[test]
fn empty_tables_have_answers() {
    let rows: [Login; 0] = [];
    let session = Session::over(&rows)
        .unit(|e: &Login| e.user)
        .max_rows_per_unit(3)
        .budget(plenty())
        .open()
        .unwrap();
    assert_eq!(*session.count().epsilon(exact()).unwrap().release().unwrap().value(), 0);
    let mean = session.mean(|e| e.seconds).bounds(0.0..=10.0).unwrap().epsilon(exact()).unwrap();
    let mean = mean.release().unwrap();
    assert!((0.0..=10.0).contains(mean.value()));
    let interval = mean.interval(&Confidence::default());
    assert!(interval.lower >= 0.0 && interval.upper <= 10.0);
}

#[test]
fn plans_show_price_and_error_and_touch_nothing() {
    let rows = logins(1000);
    let session = Session::over(&rows)
        .unit(|e: &Login| e.user)
        .max_rows_per_unit(20)
        .budget(epsilon(1.0))
        .open()
        .unwrap();
    let plan = session
        .sum(|e| e.seconds as i64)
        .bounds(0..=3600)
        .unwrap()
        .filter(|_| panic!("a plan read a row"))
        .epsilon(0.3)
        .unwrap();
    assert_eq!(plan.cost().in_pure().unwrap().epsilon, "0.3".parse().unwrap());
    // Scale 20 · 3600 / 0.3 = 240,000; ln(1/0.05) scales are exceeded in 5 %.
    assert!((plan.expected_error(0) / (240_000.0 * 20f64.ln()) - 1.0).abs() < 1e-4);
    let shown = plan.to_string();
    assert!(shown.contains("sum of values in 0..=3600, filtered"), "{shown}");
    assert!(shown.contains("protects  each user (add/remove)"), "{shown}");
    assert!(shown.contains("uses      at most 20 rows of each user"), "{shown}");
    assert!(shown.contains("discrete Laplace, scale 240000"), "{shown}");
    assert!(shown.contains("costs     ε = 0.3 of ε = 1 left"), "{shown}");
    assert!(session.spent().is_nothing());
}

#[test]
fn plans_can_stand_beside_each_other_before_one_is_released() {
    let rows = logins(100);
    let session = Session::over(&rows).budget(epsilon(1.0)).open().unwrap();
    let cheap = session.count().epsilon(0.25).unwrap();
    let dear = session.count().epsilon(1.0).unwrap();
    assert!(cheap.check_affordable().is_ok() && dear.check_affordable().is_ok());
    let _ = cheap.release().unwrap();
    assert!(dear.check_affordable().unwrap_err().is_budget());
    assert_eq!(session.remaining().to_string(), "ε = 0.75");
    assert_eq!(session.records().len(), 1);
    assert_eq!(
        session.records()[0].to_string(),
        "application: count, at most 1 row of each record for analytics at ε = 0.25, completed"
    );
}

#[test]
fn threads_can_ask_one_session() {
    let rows = logins(100);
    let session = Session::over(&rows).budget(epsilon(1.0)).open().unwrap();
    let answered: usize = std::thread::scope(|scope| {
        let ask =
            || (0..20).filter(|_| session.count().epsilon(0.05).unwrap().release().is_ok()).count();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(answered, 20);
    assert!(session.remaining().is_nothing());
}

/// Tables large enough for several threads, with units within and beyond their limits.
#[test]
fn releases_do_not_depend_on_the_number_of_threads() {
    let scattered = |i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    for users in [300, 200_000] {
        let row = |i: u64| (scattered(i) % users, (scattered(i) >> 9) as u32 % 50, i as i64 % 1000);
        let rows: Vec<(u64, u32, i64)> = (0..800_000).map(row).collect();
        let groups: Vec<u32> = (0..40).collect();
        let answers = |threads: usize| {
            let context = Context::new(Actor::new("tests"), Purpose::new("tests")).unwrap();
            let session = Session::over(&rows)
                .unit(|row| row.0)
                .max_rows_per_unit(5)
                .max_groups_per_unit(3)
                .threads(NonZero::new(threads).unwrap())
                .context(context.with_rng(InsecureTestRng::from_seed(7)))
                .budget(plenty())
                .open()
                .unwrap();
            let sum = || session.sum(|row| row.2).bounds(0..=500).unwrap();
            let counts = session.count().by(|row| row.1, &groups).epsilon(10.0).unwrap();
            let sums = sum().by(|row| row.1, &groups).epsilon(10.0).unwrap();
            let totals = sum().max_sum_per_unit(0..=900).unwrap().by(|row| row.1, &groups);
            let distinct = session.count_distinct(|row| row.2).epsilon(10.0).unwrap();
            let variance = session.variance(|row| row.2).bounds(0..=500).unwrap();
            let mut values: Vec<i128> = vec![
                (*session.count().epsilon(10.0).unwrap().release().unwrap().value()).into(),
                *sum().epsilon(10.0).unwrap().release().unwrap().value(),
                (*distinct.release().unwrap().value()).into(),
            ];
            let counts = counts.release().unwrap();
            values.extend(counts.iter().map(|(_, release)| i128::from(*release.value())));
            let totals = totals.epsilon(10.0).unwrap().release().unwrap();
            for sums in [sums.release().unwrap(), totals] {
                values.extend(sums.iter().map(|(_, release)| *release.value()));
            }
            let variance = variance.epsilon(10.0).unwrap().release().unwrap();
            (values, variance.value().to_bits())
        };
        let alone = answers(1);
        assert_eq!(alone, answers(2));
        assert_eq!(alone, answers(3));
    }
}

#[test]
fn intervals_cover_the_truth_as_often_as_they_say() {
    let rows = logins(500);
    let context = Context::new(Actor::new("tests"), Purpose::new("tests"))
        .unwrap()
        .with_rng(InsecureTestRng::from_seed(0x1_c0ffee));
    let session = Session::over(&rows).context(context).budget(plenty()).open().unwrap();
    let truth: f64 = rows.iter().map(|e| e.seconds).sum();
    let (trials, mut counts, mut sums, mut means) = (20_000u64, 0, 0, 0);
    let confidence = Confidence::new(0.9).unwrap();
    for _ in 0..trials {
        let count = session.count().epsilon(0.05).unwrap().release().unwrap();
        counts += u64::from(count.interval(&confidence).contains(500.0));
        let sum = session.sum(|e| e.seconds).bounds(0.0..=100.0).unwrap();
        let sum = sum.epsilon(0.05).unwrap().release().unwrap();
        sums += u64::from(sum.interval(&confidence).contains(truth));
        let mean = session.mean(|e| e.seconds).bounds(0.0..=100.0).unwrap();
        let mean = mean.epsilon(0.05).unwrap().release().unwrap();
        means += u64::from(mean.interval(&confidence).contains(truth / 500.0));
    }
    // Exact laws: discrete Laplace of scale 20 misses its interval with probability
    // 2 r^(m+1)/(1+r), m = 46 the half-width at 90 %.
    let r = (-0.05f64).exp();
    let covered = 1.0 - 2.0 * r.powi(47) / (1.0 + r);
    assert!(covered >= 0.9);
    check_binomial(counts, trials, covered, 1e-9);
    // On the fine grid the sum's law is continuous to within 1e-9.
    check_binomial(sums, trials, 0.9, 1e-9);
    // So is the law of the mean's two noises.
    check_binomial(means, trials, 0.9, 1e-9);
}

#[test]
fn releases_say_what_they_are() {
    let rows = logins(300);
    let trail = MemoryAudit::new();
    let context =
        Context::new(Actor::new("job"), Purpose::new("report")).unwrap().with_audit(trail.clone());
    let session = Session::over(&rows).context(context).budget(epsilon(1.0)).open().unwrap();
    let release = session.count().named("logins").epsilon(0.5).unwrap().release().unwrap();
    assert_eq!(release.law().describe(), "discrete Laplace, scale 2");
    assert_eq!(release.charge(), &Charge::from(epsilon(0.5)));
    let records = trail.records();
    let resource = records[release.record().0 as usize].resource.as_str();
    assert_eq!(resource, "logins: count, at most 1 row of each record");
    assert!(records[0].guarantee.is_differentially_private());
    let json = serde_json::to_value(&release).unwrap();
    assert_eq!(json["value"], *release.value());
    assert_eq!(json["charge"]["pure"]["epsilon"], "0.5");
    assert!(json["interval_95"]["lower"].as_f64().unwrap() < *release.value() as f64);
}

#[test]
fn limits_without_a_unit_and_two_budgets_are_refused() {
    let rows = logins(10);
    let limited = Session::over(&rows).max_rows_per_unit(3).budget(epsilon(1.0)).open();
    assert!(limited.unwrap_err().to_string().contains("call unit"));
    let context = Context::new(Actor::new("job"), Purpose::new("report"))
        .unwrap()
        .with_budget(MemoryBudget::new(epsilon(1.0)));
    let both = Session::over(&rows).context(context).budget(epsilon(1.0)).open();
    assert!(matches!(both.unwrap_err(), Error::TwoBudgets));
}

#[test]
fn a_named_request_is_paid_once() {
    let rows = logins(10);
    let session = Session::over(&rows).budget(epsilon(1.0)).open().unwrap();
    let first = session.count().request("2026-W47").epsilon(0.25).unwrap().release();
    assert!(first.is_ok());
    let again = session.count().request("2026-W47").epsilon(0.25).unwrap().release();
    assert!(matches!(
        again.unwrap_err(),
        Error::Core(privacy_core::Error::Budget(Refusal::Repeated))
    ));
    assert_eq!(session.remaining().to_string(), "ε = 0.75");
}

#[test]
fn one_budget_does_not_pay_for_users_and_for_records() {
    let rows = logins(300);
    let budget: Arc<MemoryBudget> = Arc::new(MemoryBudget::new(epsilon(1.0)));
    let context = || {
        Context::new(Actor::new("job"), Purpose::new("report"))
            .unwrap()
            .with_shared_budget(budget.clone())
    };
    let users = Session::over(&rows)
        .unit(|e: &Login| e.user)
        .max_rows_per_unit(3)
        .context(context())
        .open()
        .unwrap();
    let records = Session::over(&rows).context(context()).open().unwrap();
    assert!(users.count().epsilon(0.5).unwrap().release().is_ok());
    assert!(matches!(
        records.count().epsilon(0.25).unwrap().release().unwrap_err(),
        Error::Core(privacy_core::Error::Budget(Refusal::OtherScope { .. }))
    ));
}

#[test]
fn means_far_from_zero_keep_their_digits_and_their_bounds() {
    let values = vec![1e15 + 200.0; 1000];
    let session = Session::over(&values).budget(plenty()).open().unwrap();
    let mean = session.mean(|x| *x).bounds(1e15..=1e15 + 1000.0).unwrap().epsilon(1.0).unwrap();
    let mean = mean.release().unwrap();
    assert!(mean.interval(&Confidence::new(0.999_999_999).unwrap()).contains(1e15 + 200.0));
    assert!(mean.margin() < 10.0, "{}", mean.margin());
    // A grid much coarser than the bounds: the result stays within them, the interval is honest.
    let values = vec![0.6; 1000];
    let session = Session::over(&values).budget(plenty()).open().unwrap();
    let mean = session.mean(|x| *x).bounds_on_grid(0.0..=0.6, 0).unwrap();
    let mean = mean.epsilon(exact()).unwrap().release().unwrap();
    assert!(*mean.value() <= 0.6);
    assert!(mean.interval(&Confidence::default()).contains(0.6));
    let huge = session.mean(|x| *x).bounds(-1e308..=1e308).unwrap_err();
    assert!(huge.is_parameter());
}

#[test]
fn values_that_look_alike_to_a_hash_do_not_let_one_user_decide_for_another() {
    #[derive(Clone, PartialEq, Eq)]
    struct Vague(u32);
    impl std::hash::Hash for Vague {
        fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
    }
    let mut rows: Vec<(u32, Vague)> = Vec::new();
    for user in 1..=200 {
        rows.push((user, Vague(user)));
        rows.push((user, Vague(0)));
    }
    let count = |rows: &[(u32, Vague)]| {
        let session = Session::over(rows)
            .unit(|row: &(u32, Vague)| row.0)
            .max_rows_per_unit(1)
            .budget(plenty())
            .open()
            .unwrap();
        let count = session.count_distinct(|row| row.1.clone()).epsilon(exact()).unwrap();
        *count.release().unwrap().value()
    };
    let without = count(&rows);
    rows.insert(0, (0, Vague(0)));
    assert!((count(&rows) - without).abs() <= 1);
}

#[test]
fn two_sessions_can_share_one_budget() {
    let rows = logins(300);
    let budget: Arc<MemoryBudget> = Arc::new(MemoryBudget::new(epsilon(1.0)));
    let context = || {
        Context::new(Actor::new("job"), Purpose::new("report"))
            .unwrap()
            .with_shared_budget(budget.clone())
    };
    let one = Session::over(&rows).context(context()).open().unwrap();
    let two = Session::over(&rows).context(context()).open().unwrap();
    let _ = one.count().epsilon(0.75).unwrap().release().unwrap();
    assert!(two.count().epsilon(0.5).unwrap().release().unwrap_err().is_budget());
    assert_eq!(two.remaining().to_string(), "ε = 0.25");
}

struct Dry;

impl SecureRng for Dry {
    fn fill(&mut self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError::new())
    }
}

#[test]
fn without_entropy_nothing_is_released_and_nothing_is_spent() {
    let rows = logins(300);
    let context = Context::new(Actor::new("job"), Purpose::new("report")).unwrap().with_rng(Dry);
    let session = Session::over(&rows).context(context).budget(epsilon(1.0)).open().unwrap();
    let failed = session.count().epsilon(0.5).unwrap().release().unwrap_err();
    assert!(matches!(failed, Error::Core(privacy_core::Error::Entropy(_))));
    assert_eq!(session.remaining(), session.limit());
}

#[test]
fn nothing_shows_rows() {
    let rows = [("ana@example.org", 31_337u32)];
    let secrets = ["ana@", "31337"];
    let session = Session::over(&rows)
        .unit(|r: &(&str, u32)| r.0)
        .max_rows_per_unit(1)
        .budget(epsilon(1.0))
        .open()
        .unwrap();
    conformance::quiet(&session, &secrets).unwrap();
    conformance::quiet(&session.count(), &secrets).unwrap();
    let plan = session.sum(|r| r.1).bounds(0..=10).unwrap().epsilon(0.1).unwrap();
    conformance::quiet(&plan, &secrets).unwrap();
    assert!(!plan.to_string().contains("31337"));
}

#[test]
fn sessions_are_send_and_sync() {
    fn check<T: Send + Sync>(_: &T) {}
    let rows = logins(3);
    let builder = Session::over(&rows).unit(|e: &Login| e.user).max_rows_per_unit(1);
    check(&builder);
    let session = builder.budget(epsilon(1.0)).open().unwrap();
    check(&session);
    check(&session.count());
    let by = session.count().by(|e| e.country, &COUNTRIES).epsilon(0.1).unwrap();
    check(&by);
    check(&by.release().unwrap());
}
