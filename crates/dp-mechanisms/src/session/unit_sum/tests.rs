//! Totals of units against the plain way, and measured sensitivities of neighbours.

use privacy_core::params::{Amount, Epsilon};
use privacy_core::space::{Changes, L1, L2, Measurable, Vector};
use privacy_core::transformation::Transformation;
use privacy_core::unit::{AddRemove, Adjacency, Replace, UnitKind, User};
use proptest::prelude::*;

use super::super::aggregate::Aggregate;
use super::super::statistic::{NeedsBounds, SumOf};
use super::super::table::{Table, UnitIndex};
use super::super::{ByGroup, Session};
use super::*;
use crate::bound::Contribution;
use crate::keys::KnownGroups;

type Row = (u8, u8, i64);

fn totals<A: Adjacency>(
    rows: &[Row],
    limits: (u32, u32),
    bounds: (i64, i64),
) -> (Vec<i128>, Amount, Amount) {
    let groups = KnownGroups::new(&[0u8, 1, 2, 3]).unwrap();
    let grouping = ByGroup::new(groups, |row: &Row| row.1);
    let values = Bounds::new(i64::MIN / 4, i64::MAX / 4);
    let sum = SumOf::new(|row: &Row| row.2).bounded(values.unwrap(), None).unwrap();
    let of_units = Bounds::new(bounds.0, bounds.1).unwrap();
    let statistic = sum.clamp_units(of_units, 0).unwrap();
    let limit = |value| Some(RowLimit::new("limit", value).unwrap());
    let mut all = ContributionLimits::default();
    (all.rows, all.groups) = (limit(limits.0), limit(limits.1));
    let all = Statistic::<Row>::limits(&statistic, all);
    let bound = Contribution::new(UnitKind::User, &all, 4).unwrap();
    let units = UnitIndex::build(rows, |row: &Row| row.0).unwrap();
    let table: Table<'_, Row, User, A> = Table::new(rows, Some(units));
    let l1: Aggregate<'_, '_, Row, User, A, _, _, L1> =
        Aggregate::new(&statistic, &grouping, bound);
    let l2: Aggregate<'_, '_, Row, User, A, _, _, L2> =
        Aggregate::new(&statistic, &grouping, bound);
    let squared = l2.stability(Changes(1)).unwrap().squared().clone();
    (l1.apply(&table).unwrap(), l1.stability(Changes(1)).unwrap(), squared)
}

fn apart(a: &[i128], b: &[i128]) -> (Amount, Amount) {
    let squares =
        a.iter().zip(b).map(|(a, b)| Amount::from_integer(a.abs_diff(*b) as u64).squared());
    (Vector::<i128, L1>::distance(a, b).unwrap(), squares.sum())
}

proptest! {
    #[test]
    fn a_unit_changes_sums_by_no_more_than_declared(
        rows in prop::collection::vec(
            (0u8..4, 0u8..5, prop_oneof![-9i64..9, Just(i64::MIN), Just(i64::MAX)]), 0..60),
        other in prop::collection::vec((0u8..5, -99i64..99), 0..20),
        limits in (1u32..9, 1u32..6),
        lower in -20i64..20,
        width in 1i64..30,
    ) {
        let bounds = (lower, lower + width);
        let without: Vec<Row> = rows.iter().copied().filter(|row| row.0 != 2).collect();
        let (all, l1, l2) = totals::<AddRemove>(&rows, limits, bounds);
        let (rest, ..) = totals::<AddRemove>(&without, limits, bounds);
        let (d1, d2) = apart(&all, &rest);
        prop_assert!(d1 <= l1 && d2 <= l2);
        let mut replaced = without;
        replaced.extend(other.into_iter().map(|(group, value)| (2, group, value)));
        let (new, l1, l2) = totals::<Replace>(&replaced, limits, bounds);
        let (d1, d2) = apart(&all, &new);
        prop_assert!(d1 <= l1 && d2 <= l2);
        let mut reversed = rows;
        reversed.reverse();
        prop_assert_eq!(totals::<AddRemove>(&reversed, limits, bounds).0, all);
    }
}

#[test]
fn all_rows_of_a_unit_are_used_up_to_its_total() {
    // One user with everything, one that is within, one below.
    let rows: Vec<Row> =
        (0..1000).map(|_| (1, 0, 7)).chain([(2, 0, 30), (2, 0, 20), (3, 0, -500)]).collect();
    let session = Session::over(&rows)
        .unit(|row: &Row| row.0)
        .max_rows_per_unit(1)
        .budget(Epsilon::new(1e9).unwrap())
        .open()
        .unwrap();
    let sum = session.sum(|row| row.2).bounds(-100..=100).unwrap();
    let sum = sum.max_sum_per_unit(-10..=100).unwrap().filter(|_| true);
    let plan = sum.epsilon(1e6).unwrap();
    assert!(plan.to_string().contains("totals of units in -10..=100"), "{plan}");
    // So little noise that it is 0, but for a probability far below 1e-100.
    assert_eq!(*plan.release().unwrap().value(), 100 + 50 - 10);
    let halves = session.sum(|row| row.2 as f64 / 2.0).bounds(-50.0..=50.0).unwrap();
    let halves = halves.filter(|row| row.0 == 2).max_sum_per_unit(0.0..=40.0).unwrap();
    assert!((halves.epsilon(1e6).unwrap().release().unwrap().value() - 25.0).abs() < 1e-3);
}
