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
    norms: (Option<i64>, Option<i64>),
) -> (Vec<i128>, Amount, Amount) {
    let groups = KnownGroups::new(&[0u8, 1, 2, 3]).unwrap();
    let grouping = ByGroup::new(groups, |row: &Row| row.1);
    let values = Bounds::new(i64::MIN / 4, i64::MAX / 4);
    let sum = SumOf::new(|row: &Row| row.2).bounded(values.unwrap(), None).unwrap();
    let of_units = Bounds::new(bounds.0, bounds.1).unwrap();
    let statistic = sum.clamp_units(of_units, 0).unwrap().limit_norms(norms.0, norms.1).unwrap();
    let limit = |value| Some(RowLimit::new("limit", value).unwrap());
    let mut all = ContributionLimits::default();
    (all.rows, all.groups) = (limit(limits.0), limit(limits.1));
    let all = Statistic::<Row>::limits(&statistic, all);
    let bound = Contribution::new(UnitKind::User, &all, 4).unwrap();
    let units = UnitIndex::build(rows, |row: &Row| row.0, None).unwrap();
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
        norms in (prop::option::of(1i64..60), prop::option::of(1i64..40)),
    ) {
        let bounds = (lower, lower + width);
        let without: Vec<Row> = rows.iter().copied().filter(|row| row.0 != 2).collect();
        let (all, l1, l2) = totals::<AddRemove>(&rows, limits, bounds, norms);
        let (rest, ..) = totals::<AddRemove>(&without, limits, bounds, norms);
        let (d1, d2) = apart(&all, &rest);
        prop_assert!(d1 <= l1 && d2 <= l2);
        let mut replaced = without;
        replaced.extend(other.into_iter().map(|(group, value)| (2, group, value)));
        let (new, l1, l2) = totals::<Replace>(&replaced, limits, bounds, norms);
        let (d1, d2) = apart(&all, &new);
        prop_assert!(d1 <= l1 && d2 <= l2);
        let mut reversed = rows;
        reversed.reverse();
        prop_assert_eq!(totals::<AddRemove>(&reversed, limits, bounds, norms).0, all);
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

#[test]
fn limits_on_norms_set_the_noise_and_shrink_the_totals() {
    // One user with 30 in each of four groups, one with 7.
    let rows: Vec<Row> = (0..4).map(|group| (1, group, 30)).chain([(2, 0, 7)]).collect();
    let session = Session::over(&rows)
        .unit(|row: &Row| row.0)
        .max_rows_per_unit(4)
        .budget(Epsilon::new(1e9).unwrap())
        .open()
        .unwrap();
    let sum = || {
        let sum = session.sum(|row| row.2).bounds(0..=100).unwrap();
        sum.max_sum_per_unit(0..=50).unwrap()
    };
    let scale = |plan: &dyn fmt::Display| {
        let text = plan.to_string();
        text.split("scale ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
    };
    let groups = [0u8, 1, 2, 3];
    let plan = sum().by(|row| row.1, &groups).epsilon(1.0).unwrap();
    assert_eq!(scale(&plan), "200");
    let limited = || sum().filter(|_| true).max_total_per_unit(60).unwrap();
    let plan = limited().by(|row| row.1, &groups).epsilon(1.0).unwrap();
    assert!(plan.to_string().contains("in all groups up to 60"), "{plan}");
    assert_eq!(scale(&plan), "60");
    // So little noise that it is 0: the first user's 120 are halved.
    let exact = limited().by(|row| row.1, &groups).epsilon(1e6).unwrap().release().unwrap();
    let values: Vec<i128> = exact.iter().map(|(_, sum)| *sum.value()).collect();
    assert_eq!(values, [22, 15, 15, 15]);
    // A length of 40: a root of 3600 shrunk to 40, each total to 20.
    let long = sum().max_length_per_unit(40).unwrap().by(|row| row.1, &groups);
    let long = long.epsilon(1e6).unwrap().release().unwrap();
    assert_eq!(*long.get(&1).unwrap().value(), 20);
    for bad in [0, -3] {
        assert!(sum().max_total_per_unit(bad).unwrap_err().is_parameter());
    }
    let halves = session.sum(|row| row.2 as f64).bounds(0.0..=9.0).unwrap();
    let halves = halves.max_sum_per_unit(0.0..=9.0).unwrap();
    assert!(halves.max_length_per_unit(f64::NAN).is_err());
}
