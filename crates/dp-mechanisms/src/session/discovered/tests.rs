//! Groups that are discovered: what is released, what is refused, and neighbours by hand.

use privacy_core::unit::{AddRemove, User};

use super::super::table::{Table, UnitIndex};
use super::super::{Count, Session};
use super::groups::units_by_group;
use super::*;
use crate::keys::KeyCounts;

type Row = (u32, &'static str, i64);

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for user in 0..4000u32 {
        rows.push((user, "common", 10));
        if user % 2 == 0 {
            rows.extend([(user, "half", 4), (user, "half", i64::MIN)]);
        }
    }
    rows.extend([(5, "only me", 1), (6, "only two", 1), (7, "only two", 1)]);
    // One user with everything.
    rows.extend((0..5000).map(|i| (9999, ["common", "half", "a", "b", "c"][i % 5], 7)));
    rows
}

fn session(rows: &[Row]) -> Session<'_, Row, User> {
    Session::over(rows)
        .unit(|row: &Row| row.0)
        .max_rows_per_unit(4)
        .max_groups_per_unit(3)
        .budget((Epsilon::new(30.0).unwrap(), Delta::new(1e-4).unwrap()))
        .open()
        .unwrap()
}

#[test]
fn groups_of_enough_units_are_released_in_order() {
    let rows = rows();
    let session = session(&rows);
    let units = session.count_units().by_discovered(|row| row.1);
    let units = units.epsilon_delta(1.0, 1e-6).unwrap().release().unwrap();
    let names: Vec<_> = units.iter().map(|(group, _)| *group).collect();
    assert_eq!(names, ["common", "half"]);
    assert!((units.get("half").unwrap().value() - 2000).abs() < 200);
    let law = units.get("half").unwrap().law().describe();
    assert!(law.contains("too large on average"), "{law}");

    let rows_of = session.count().by_discovered(|row| row.1);
    let rows_of = rows_of.epsilon_delta(2.0, 1e-6).unwrap().release().unwrap();
    assert!((rows_of.get("half").unwrap().value() - 4000).abs() < 200);
    let sums = session.sum(|row| row.2).bounds(-10..=10).unwrap().by_discovered(|row| row.1);
    let sums = sums.rho_delta(0.5, 1e-6).unwrap().release().unwrap();
    assert!((sums.get("common").unwrap().value() - 40_000).abs() < 2000);
    assert!((sums.get("half").unwrap().value() + 12_000).abs() < 2000);
    let means = session.mean(|row| row.2).bounds(0..=20).unwrap().by_discovered(|row| row.1);
    let means = means.selection_percent(20).epsilon_delta(2.0, 1e-6).unwrap().release().unwrap();
    assert_eq!(means.len(), 2);
    assert!((means.get("common").unwrap().value() - 10.0).abs() < 0.5);
    assert_eq!(session.records().len(), 4);
}

#[test]
fn plans_say_what_they_select_and_cost() {
    let rows = rows();
    let session = session(&rows);
    let plan = session.count_units().by_discovered(|row| row.1).epsilon_delta(1.0, 1e-6).unwrap();
    let text = plan.to_string();
    for part in ["by discovered groups", "selects   groups of about", "costs     ε = 1, δ = ", "± "]
    {
        assert!(text.contains(part), "{text}");
    }
    assert!(plan.probability(plan.threshold()) >= 0.5 && plan.probability(1) <= 1e-6);
    let least = session.count_units().by_discovered(|row| row.1).least_units(5000);
    let none = least.epsilon_delta(1.0, 1e-6).unwrap().release().unwrap();
    assert!(none.is_empty() && none.to_string().is_empty());
    let geometric = session.count().by_discovered(|row| row.1).epsilon_delta(1.0, 1e-6).unwrap();
    assert!(geometric.probability(geometric.threshold()) >= 0.5);
    assert!(geometric.probability(geometric.threshold() - 1) < 0.5);
}

#[test]
fn what_cannot_be_priced_or_paid_is_refused_and_costs_nothing() {
    let rows = rows();
    let session = session(&rows);
    let by = || session.count().by_discovered(|row: &Row| row.1);
    assert!(by().epsilon_delta(1.0, 0.0).is_err_and(|error| error.is_parameter()));
    assert!(by().epsilon_delta(0.0, 1e-6).is_err_and(|error| error.is_parameter()));
    assert!(by().rho_delta(1.0, 0.0).is_err_and(|error| error.is_parameter()));
    assert!(by().selection_percent(100).epsilon_delta(1.0, 1e-6).is_err());
    let dear = by().epsilon_delta(1.0, 1e-3).unwrap();
    assert!(dear.check_affordable().is_err());
    assert!(dear.release().is_err_and(|error| error.is_budget()));
    assert!(session.spent().is_nothing());
    let pure = Session::over(&rows).budget(Epsilon::new(1.0).unwrap()).open().unwrap();
    let refused = pure.count().by_discovered(|row| row.1).epsilon_delta(0.5, 1e-6).unwrap();
    assert!(refused.release().is_err());
}

#[test]
fn records_protected_themselves_are_tested_and_released_at_once() {
    let rows = rows();
    let session = Session::over(&rows)
        .budget((Epsilon::new(1.0).unwrap(), Delta::new(1e-6).unwrap()))
        .open()
        .unwrap();
    let plan = session.count().by_discovered(|row| row.1).epsilon_delta(1.0, 1e-6).unwrap();
    assert!(plan.threshold() < 20);
    let groups = plan.release().unwrap();
    let names: Vec<_> = groups.iter().map(|(group, _)| *group).collect();
    assert_eq!(names, ["a", "b", "c", "common", "half"]);
}

#[test]
fn a_unit_changes_counts_of_groups_by_no_more_than_declared() {
    let count = |rows: &[(u8, u8)]| -> KeyCounts<u8> {
        let units = UnitIndex::build(rows, |row: &(u8, u8)| row.0, None).unwrap();
        let table: Table<'_, (u8, u8), User, AddRemove> = Table::new(rows, Some(units));
        units_by_group(&table, &Count, |row| row.1, 3)
    };
    let all: Vec<(u8, u8)> = (0..400u32).map(|i| ((i % 7) as u8, (i * i % 23) as u8)).collect();
    for user in 0..7 {
        let without: Vec<_> = all.iter().copied().filter(|row| row.0 != user).collect();
        use privacy_core::space::Measurable;
        let apart = crate::keys::Keyed::distance(&count(&all), &count(&without)).unwrap();
        assert!(apart.keys == 3 && apart.per_key == 1);
    }
    let reversed: Vec<_> = all.iter().rev().copied().collect();
    assert_eq!(count(&all), count(&reversed));
}

#[test]
fn empty_tables_release_nothing() {
    let rows: [Row; 0] = [];
    let session = session(&rows);
    let units = session.count_units().by_discovered(|row| row.1);
    assert!(units.epsilon_delta(1.0, 1e-6).unwrap().release().unwrap().is_empty());
    let sums = session.sum(|row| row.2).bounds(0..=1).unwrap().by_discovered(|row| row.1);
    assert!(sums.epsilon_delta(1.0, 1e-6).unwrap().release().unwrap().is_empty());
}

#[test]
fn limits_are_suggested_and_what_they_leave_out_is_estimated() {
    let rows = rows();
    let session = session(&rows);
    let limit = session.suggest_rows_per_unit(90, &[1, 3, 10, 100], 1.0).unwrap();
    assert_eq!(*limit.value(), 3);
    // 4 of the 5000 rows of one user count, 3 of three users are within; up to 100 are counted.
    let left_out = session.estimate_left_out(100, 1.0).unwrap();
    assert!((left_out.value() - 100).abs() < 2100);
    assert!(session.suggest_rows_per_unit(0, &[1], 1.0).is_err_and(|error| error.is_parameter()));
    assert!(session.suggest_rows_per_unit(5, &[3, 3], 1.0).is_err());
    assert!(session.suggest_rows_per_unit(5, &[], 1.0).is_err_and(|error| error.is_parameter()));
    assert!(session.estimate_left_out(0, 1.0).is_err_and(|error| error.is_parameter()));
}

#[test]
fn limits_in_a_group_hold_where_a_single_group_is_selected() {
    let rows: Vec<(u32, u8)> = (0..1000).map(|user| (user, 1)).chain([(9, 1); 50]).collect();
    let session = Session::over(&rows)
        .unit(|row: &(u32, u8)| row.0)
        .max_rows_per_unit(100)
        .max_groups_per_unit(4)
        .max_rows_per_group(3)
        .budget((Epsilon::new(1e9).unwrap(), Delta::new(0.5).unwrap()))
        .open()
        .unwrap();
    // So little noise that it is 0, but for a probability far below 1e-100.
    let count = session.count().by_discovered(|row| row.1).epsilon_delta(1e5, 1e-6).unwrap();
    assert_eq!(*count.release().unwrap().get(&1).unwrap().value(), 1002);
}

proptest::proptest! {
    #[test]
    fn noise_for_any_number_of_groups_is_enough_for_those_selected(
        limits in (1u32..9, 1u32..6, 1u32..6),
        groups in 1u64..9,
        lower in -9i64..9,
        width in 1i64..9,
    ) {
        use privacy_core::params::{ContributionLimits, RowLimit};
        use privacy_core::unit::{Relation, UnitKind};
        let limit = |value| Some(RowLimit::new("limit", value).unwrap());
        let mut all = ContributionLimits::default();
        (all.rows, all.groups, all.rows_per_group) =
            (limit(limits.0), limit(limits.1), limit(limits.2));
        let any = Contribution::new(UnitKind::User, &all, u64::MAX).unwrap();
        let some = Contribution::new(UnitKind::User, &all, groups).unwrap();
        let shape = crate::bound::Shape::Sum { lower, upper: lower + width };
        for relation in [Relation::AddRemove, Relation::Replace] {
            proptest::prop_assert!(some.l1(&shape, relation) <= any.l1(&shape, relation));
            proptest::prop_assert!(some.l2(&shape, relation) <= any.l2(&shape, relation));
        }
    }
}
