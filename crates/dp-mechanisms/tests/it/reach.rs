//! One-line questions about iterators, columns, samples, suggested limits and what limits leave out.
//!
//! Budgets are so large that noise on integers is 0, and noise on floats below 1e-3, but for
//! probabilities far below 1e-100.

use dp_mechanisms::bound::Reservoirs;
use dp_mechanisms::columns;
use dp_mechanisms::prelude::*;
use privacy_core::random::InsecureTestRng;

fn exact() -> Epsilon {
    Epsilon::new(1e6).unwrap()
}

fn plenty() -> Epsilon {
    Epsilon::new(1e9).unwrap()
}

#[test]
fn iterators_are_read_once_and_counted_as_tables_are() {
    let values: Vec<i64> =
        (0..5000).map(|i| i * i % 101 - 50).chain([i64::MIN, i64::MAX]).collect();
    let passed = std::cell::Cell::new(0);
    let once = values.iter().inspect(|_| passed.set(passed.get() + 1));
    assert_eq!(*dp_mechanisms::count(once, exact()).unwrap().value(), 5002);
    assert_eq!(passed.get(), 5002);
    let session = Session::over(&values).budget(plenty()).open().unwrap();
    let clamped = session.sum(|x| *x).bounds(-50..=50).unwrap().epsilon(1e6).unwrap();
    let in_session = clamped.release().unwrap();
    let clamped = *in_session.value();
    let sum = dp_mechanisms::sum(&values, -50..=50, exact()).unwrap();
    assert_eq!(*sum.value(), clamped);
    assert_eq!(
        *dp_mechanisms::sum(values.iter().copied(), -50..=50, exact()).unwrap().value(),
        clamped
    );
    let mean = dp_mechanisms::mean(values.iter(), -50..=50, exact()).unwrap();
    assert!((mean.value() - clamped as f64 / 5002.0).abs() < 1e-3);
    assert!(mean.interval(&Confidence::default()).contains(clamped as f64 / 5002.0));
    let distinct = dp_mechanisms::count_distinct(values.iter(), exact()).unwrap();
    let truth = values.iter().collect::<std::collections::HashSet<_>>().len() as i64;
    assert_eq!(*distinct.value(), truth);
    // What they are called and cost is what a session would say.
    assert_eq!(sum.charge(), &Charge::from(exact()));
    assert_eq!(sum.law().describe(), in_session.law().describe());
}

#[test]
fn iterators_may_be_empty_and_hold_any_float() {
    let none: [f64; 0] = [];
    assert_eq!(*dp_mechanisms::count(none.iter(), exact()).unwrap().value(), 0);
    assert_eq!(*dp_mechanisms::count_distinct(["a"; 0], exact()).unwrap().value(), 0);
    assert!(dp_mechanisms::sum(none, 0.0..=1.0, exact()).unwrap().value().abs() < 1e-3);
    let mean = *dp_mechanisms::mean(none, 2.0..=4.0, exact()).unwrap().value();
    assert!((2.0..=4.0).contains(&mean));
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MIN_POSITIVE / 2.0];
    let sum = *dp_mechanisms::sum(odd, -1.0..=2.0, exact()).unwrap().value();
    assert!((sum - 1.0).abs() < 1e-3, "{sum}");
    for bounds in [f64::NAN..=1.0, 0.0..=f64::INFINITY, 3.0..=2.0] {
        assert!(dp_mechanisms::sum(odd, bounds.clone(), exact()).is_err());
        assert!(dp_mechanisms::mean(odd, bounds, exact()).is_err());
    }
}

#[test]
fn columns_of_unequal_length_are_refused_whatever_they_hold() {
    let (users, amounts) = ([1u32, 1, 2], [5i64, 6, i64::MIN]);
    let rows = columns::zip((&users[..], &amounts[..])).unwrap();
    let session = Session::over(&rows).unit(|r| *r.0).max_rows_per_unit(2).budget(plenty());
    let session = session.open().unwrap();
    let sum = session.sum(|r| *r.1).bounds(-10..=10).unwrap().epsilon(1e6).unwrap();
    assert_eq!(*sum.release().unwrap().value(), 1);
    let unequal = columns::zip((&users[..], &amounts[..2])).unwrap_err();
    assert!(unequal.is_parameter());
    assert_eq!(
        unequal.to_string(),
        "column 1, counted from 0, is not as long as the first; pass columns of one table"
    );
}

#[test]
fn a_sample_serves_a_session_of_the_same_limit() {
    let mut rng = InsecureTestRng::from_seed(9);
    let passing = (0..10_000u32).map(|i| (i % 10, i));
    let rows = Reservoirs::sample(passing, |r| r.0, 7, &mut rng).unwrap();
    let session = Session::over(&rows).unit(|r: &(u32, u32)| r.0).max_rows_per_unit(7);
    let session = session.budget(plenty()).open().unwrap();
    assert_eq!(*session.count().epsilon(1e6).unwrap().release().unwrap().value(), 70);
    assert!(Reservoirs::sample([(1, 1)], |r| r.0, 0, &mut rng).is_err());
}

/// Users 0 to 99 with as many rows as their number, each in a group of its own, of 10 cents.
fn triangle() -> Vec<(u32, u32, i64)> {
    (0..100u32).flat_map(|user| (0..user).map(move |row| (user, row, 10))).collect()
}

#[test]
fn limits_are_suggested_where_most_units_meet_them() {
    let rows = triangle();
    let session = Session::over(&rows).unit(|r: &(u32, u32, i64)| r.0).max_rows_per_unit(20);
    let session = session.budget(plenty()).open().unwrap();
    let ladder = [10, 50, 80, 200];
    // 99 users with rows, of whom 50 have at most 50 groups and 80 at most 80.
    let of =
        |percent| *session.suggest_groups_per_unit(|r| r.1, percent, &ladder, 1e6).unwrap().value();
    assert_eq!([of(1), of(30), of(60), of(99)], [10, 50, 80, 200]);
    let totals = [100, 500, 800, i64::MAX];
    let of =
        |percent| *session.suggest_total_per_unit(|r| r.2, percent, &totals, 1e6).unwrap().value();
    assert_eq!([of(1), of(30), of(60), of(99)], [100, 500, 800, i64::MAX]);
    // Totals are magnitudes, and the extremes have one. What no limit suits gets the largest.
    let of_least = session.suggest_total_per_unit(|_| i64::MIN, 50, &totals, 1e6).unwrap();
    assert_eq!(*of_least.value(), i64::MAX);
    for bad in [&[][..], &[0, 5], &[5, 5], &[5, 4], &[-3, 4]] {
        assert!(session.suggest_total_per_unit(|r| r.2, 50, bad, 1.0).unwrap_err().is_parameter());
    }
    for percent in [0, 100, u32::MAX] {
        let bad = session.suggest_groups_per_unit(|r| r.1, percent, &ladder, 1.0);
        assert!(bad.unwrap_err().is_parameter());
    }
    let spent = session.spent();
    assert!(session.suggest_total_per_unit(|r| r.2, 50, &[], 1.0).is_err());
    assert_eq!(session.spent(), spent, "a refusal costs nothing");
    let none: Vec<(u32, u32, i64)> = Vec::new();
    let session = Session::over(&none).unit(|r: &(u32, u32, i64)| r.0).max_rows_per_unit(1);
    let session = session.budget(plenty()).open().unwrap();
    assert!(session.suggest_groups_per_unit(|r| r.1, 50, &ladder, 1.0).is_ok());
    assert!(session.suggest_total_per_unit(|r| r.2, 50, &totals, 1.0).is_ok());
}

#[test]
fn what_limits_leave_out_is_estimated() {
    let rows = triangle();
    let session = Session::over(&rows).unit(|r: &(u32, u32, i64)| r.0);
    let session = session.max_rows_per_unit(1000).max_groups_per_unit(90);
    let session = session.budget(plenty()).open().unwrap();
    let of = |up_to| session.estimate_groups_left_out(|r| r.1, up_to, 1e6).map(|r| *r.value());
    // Users 91 to 99 have 1 to 9 groups too many.
    assert_eq!(of(1000).unwrap(), 45);
    assert_eq!(of(3).unwrap(), 1 + 2 + 3 * 7);
    assert!(of(0).is_err());
    let hours = [3.5, 40.0, 900.0, f64::NAN, f64::NEG_INFINITY, -0.0];
    let session = Session::over(&hours).budget(plenty()).open().unwrap();
    let outside = session.count_outside(|h| *h, 0.0..=48.0).epsilon(1e6).unwrap();
    assert_eq!(*outside.release().unwrap().value(), 2);
}

#[test]
fn a_session_draws_medians_of_few_points_closely() {
    // Ages: ten rows each. Under ε by permute-and-flip, under ρ by the exponential mechanism.
    let ages: Vec<i64> = (0..1000).map(|i| i / 10).collect();
    let session = Session::over(&ages).budget(plenty()).open().unwrap();
    let plan = session.median(|a| *a).bounds(0..=120).unwrap().epsilon(0.5).unwrap();
    assert_eq!(plan.cost().in_zcdp().unwrap().rho, "1/8".parse().unwrap());
    assert!((40..60).contains(plan.release().unwrap().value()));
    let session = Session::over(&ages).budget(Rho::new(10.0).unwrap()).open().unwrap();
    let plan = session.median(|a| *a).bounds(0..=120).unwrap().epsilon(0.5).unwrap();
    assert_eq!(plan.cost().in_zcdp().unwrap().rho, "1/32".parse().unwrap());
    let wide = session.median(|a| *a).bounds(0..=1 << 40).unwrap().epsilon(0.5).unwrap();
    assert_eq!(wide.cost().in_zcdp().unwrap().rho, "1/32".parse().unwrap());
}

#[test]
fn a_budget_in_rho_pays_for_the_largest_group_what_the_exponential_mechanism_costs() {
    let rows: Vec<u32> = (0..900).map(|i| i * i % 3).collect();
    let session = Session::over(&rows).budget(Rho::new(1.0).unwrap()).open().unwrap();
    let top = session.count().by(|row| *row, &[0, 1, 2]).top(1).unwrap().epsilon(0.4).unwrap();
    // ε²/8, not ε²/2.
    assert_eq!(top.cost().in_zcdp().unwrap().rho, "0.02".parse().unwrap());
    let top = top.release().unwrap();
    assert_eq!(top.value().len(), 1);
    assert_eq!(session.remaining().to_string(), "ρ = 0.98");
}
