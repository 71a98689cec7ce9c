//! Measured sensitivity never exceeds declared sensitivity, on adversarial neighbours: shuffled
//! rows, extreme and repeated values, users with thousands of rows, empty tables.

use num_bigint::BigUint;
use privacy_core::params::{Amount, Bounds, ContributionLimits, RowLimit};
use privacy_core::space::{L1, L2, Measurable};
use privacy_core::unit::{AddRemove, Record, Relation, Replace, UnitKind, User};
use proptest::prelude::*;

use super::super::histogram::{Axes, Histogram};
use super::super::moments::{
    Correlation, LineFit, NeedsBothBounds, OfOne, OfOneValue, OfTwo, OfTwoValues, Reading, Variance,
};
use super::super::regression::{NeedsFeatureBounds, Regression, RegressionOf};
use super::super::statistic::{
    Count, CountDistinct, CountUnits, Filtered, Mean, MeanOf, NeedsBounds, Sum, SumOf,
};
use super::super::{ByGroup, Whole};
use super::*;
use crate::bound::Shape;
use crate::keys::KnownGroups;

/// A row: user, group, value.
type Row = (u8, u8, i64);

/// A statistic behind a pointer, so that its aggregate is compiled once for all groupings, units
/// and neighbours.
trait AnyStatistic<'a> {
    fn any_limits(&self, limits: ContributionLimits) -> ContributionLimits;
    fn any_shape(&self) -> Shape;
    fn name(&self) -> String;
    fn any_aggregate(&self, rows: Rows<'_, 'a, Row>, grouping: &AnyGrouping) -> Vec<i128>;
}

impl<'a, S: Statistic<'a, Row>> AnyStatistic<'a> for S {
    fn any_limits(&self, limits: ContributionLimits) -> ContributionLimits {
        self.limits(limits)
    }

    fn any_shape(&self) -> Shape {
        self.shape()
    }

    fn name(&self) -> String {
        self.describe()
    }

    fn any_aggregate(&self, rows: Rows<'_, 'a, Row>, grouping: &AnyGrouping) -> Vec<i128> {
        let group = |row: &'a Row| (grouping.group)(row);
        self.aggregate(rows, grouping.groups, group, |row| self.item(row))
    }
}

/// A number of groups and the group of each row.
struct AnyGrouping {
    groups: usize,
    group: Box<dyn Fn(&Row) -> Option<u32> + Sync>,
}

impl AnyGrouping {
    fn whole() -> Self {
        AnyGrouping { groups: 1, group: Box::new(|_| Some(0)) }
    }

    fn by_group(known: &[u8]) -> Self {
        let (groups, known) = (known.len(), known.to_vec());
        let group = move |row: &Row| Some(known.iter().position(|k| *k == row.1)? as u32);
        AnyGrouping { groups, group: Box::new(group) }
    }
}

fn limits(rows: Option<u32>, groups: Option<u32>, per_group: Option<u32>) -> ContributionLimits {
    let limit = |value: Option<u32>| value.map(|v| RowLimit::new("limit", v).unwrap());
    let mut limits = ContributionLimits::default();
    (limits.rows, limits.groups, limits.rows_per_group) =
        (limit(rows), limit(groups), limit(per_group));
    limits
}

fn units(rows: &[Row], unit: UnitKind) -> Option<UnitIndex> {
    (unit == UnitKind::User).then(|| UnitIndex::build(rows, |row: &Row| row.0, None).unwrap())
}

/// The aggregate of `rows`, where a unit's contribution is limited at all.
fn measured<'a>(
    statistic: &dyn AnyStatistic<'a>,
    grouping: &AnyGrouping,
    unit: UnitKind,
    limits: &ContributionLimits,
    rows: &'a [Row],
) -> Option<(Vec<i128>, Contribution)> {
    let limits = statistic.any_limits(*limits);
    let bound = Contribution::new(unit, &limits, grouping.groups as u64)?;
    let units = units(rows, unit);
    let rows = Rows { rows, units: units.as_ref(), bound };
    Some((statistic.any_aggregate(rows, grouping), bound))
}

/// What a [`User`]'s limits leave of `rows`.
fn of_users<'a>(
    statistic: &dyn AnyStatistic<'a>,
    grouping: &AnyGrouping,
    limits: &ContributionLimits,
    rows: &'a [Row],
) -> Option<Vec<i128>> {
    Some(measured(statistic, grouping, UnitKind::User, limits, rows)?.0)
}

/// Fails if the aggregates of two neighbouring tables are further apart than declared.
fn check<'a>(
    statistic: &dyn AnyStatistic<'a>,
    grouping: &AnyGrouping,
    (unit, relation): (UnitKind, Relation),
    limits: &ContributionLimits,
    neighbours: (&'a [Row], &'a [Row]),
) -> Result<(), TestCaseError> {
    let one = measured(statistic, grouping, unit, limits, neighbours.0);
    let other = measured(statistic, grouping, unit, limits, neighbours.1);
    let (Some((a, bound)), Some((b, _))) = (one, other) else {
        return Ok(());
    };
    let shape = statistic.any_shape();
    let declared_l1 = bound.l1(&shape, relation);
    let declared_l2 = bound.l2(&shape, relation).squared().clone();
    let l1 = Vector::<i128, L1>::distance(&a, &b).unwrap();
    let squares = a.iter().zip(&b).map(|(a, b)| BigUint::from(a.abs_diff(*b)).pow(2));
    let l2 = Amount::from_fraction(squares.sum::<BigUint>(), 1u8).unwrap();
    let what = statistic.name();
    prop_assert!(l1 <= declared_l1, "L1 {l1} > {declared_l1} for {what} with {limits:?}");
    prop_assert!(l2 <= declared_l2, "L2² {l2} > {declared_l2} for {what} with {limits:?}");
    Ok(())
}

fn sum(lower: i64, upper: i64) -> Sum<impl Fn(&Row) -> i64 + Send + Sync, i64> {
    SumOf::new(|row: &Row| row.2).bounded(Bounds::new(lower, upper).unwrap(), None).unwrap()
}

fn mean(lower: i64, upper: i64) -> Mean<impl Fn(&Row) -> i64 + Send + Sync, i64> {
    MeanOf::new(|row: &Row| row.2).bounded(Bounds::new(lower, upper).unwrap(), None).unwrap()
}

fn variance(lower: i64, upper: i64) -> OfOne<impl Fn(&Row) -> i64 + Send + Sync, i64, Variance> {
    let bounds = Bounds::new(lower, upper).unwrap();
    OfOneValue::new(|row: &Row| row.2).bounded(bounds, None).unwrap()
}

fn two_values<R: Reading>()
-> OfTwo<impl Fn(&Row) -> i64 + Send + Sync, i64, impl Fn(&Row) -> f64 + Send + Sync, f64, R> {
    let second = |row: &Row| if row.2 == 3 { f64::NAN } else { f64::from(row.1) * 0.3 };
    let bounds = (Bounds::new(-3, 5).unwrap(), Bounds::new(0.1, 1.3).unwrap());
    OfTwoValues::new(|row: &Row| row.2, second).bounded(bounds.0, bounds.1).unwrap()
}

fn regression()
-> Regression<impl Fn(&Row) -> [f64; 2] + Send + Sync, impl Fn(&Row) -> f64 + Send + Sync, 2> {
    let features = |row: &Row| [row.2 as f64, f64::from(row.1)];
    let target = |row: &Row| if row.2 == 0 { f64::NEG_INFINITY } else { f64::from(row.1) - 2.0 };
    let unit = Bounds::new(0.0, 1.0).unwrap();
    let bounds = [Bounds::new(-3.0, 5.0).unwrap(), unit];
    RegressionOf::new(features, target).bounded(bounds, unit).unwrap()
}

fn histogram<'a>() -> Histogram<'a, Row> {
    let axes = Axes::new().groups("group", |row: &Row| row.1, &[0, 1, 2]).unwrap();
    Histogram::over(axes.bins("value", |row: &Row| row.2, &[-6, 0, 3, 6]).unwrap())
}

fn float_sum() -> Sum<impl Fn(&Row) -> f64 + Send + Sync, f64> {
    let value = |row: &Row| match row.2 % 7 {
        0 => f64::NAN,
        1 => f64::INFINITY,
        2 => -0.0,
        _ => row.2 as f64 * 0.1,
    };
    SumOf::new(value).bounded(Bounds::new(-1.7, 2.3).unwrap(), None).unwrap()
}

/// Every statistic, some of them with several bounds.
fn statistics<'a>() -> Vec<Box<dyn AnyStatistic<'a> + 'a>> {
    vec![
        Box::new(Count),
        Box::new(CountUnits),
        Box::new(CountDistinct::new(|row: &Row| row.2)),
        Box::new(sum(-3, 5)),
        Box::new(sum(2, 9)),
        Box::new(sum(-(1 << 61), 1 << 61)),
        Box::new(mean(-3, 5)),
        Box::new(float_sum()),
        Box::new(variance(-3, 5)),
        Box::new(variance(-(1 << 61), 1 << 61)),
        Box::new(two_values::<Correlation>()),
        Box::new(two_values::<LineFit>()),
        Box::new(regression()),
        Box::new(histogram()),
        Box::new(Filtered::new(sum(-3, 5), |row: &Row| row.2 % 2 == 0)),
    ]
}

fn check_all(
    claim: (UnitKind, Relation),
    limits: &ContributionLimits,
    neighbours: (&[Row], &[Row]),
) -> Result<(), TestCaseError> {
    let groupings = [AnyGrouping::whole(), AnyGrouping::by_group(&[0, 1, 2, 5])];
    for statistic in statistics() {
        for grouping in &groupings {
            check(&*statistic, grouping, claim, limits, neighbours)?;
        }
    }
    Ok(())
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let value = prop_oneof![-6i64..6, Just(i64::MIN), Just(i64::MAX), Just(0)];
    prop::collection::vec((0u8..4, 0u8..7, value), 0..50)
}

fn some_limits() -> impl Strategy<Value = ContributionLimits> {
    let limit = |most: u32| prop::option::weighted(0.7, 1..most);
    (limit(12), limit(4), limit(6)).prop_map(|(r, g, m)| limits(r, g, m))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn removing_a_user_moves_the_aggregate_at_most_as_declared(
        all in rows().prop_shuffle(),
        limits in some_limits(),
        rotation in 0usize..50,
    ) {
        let mut without: Vec<Row> = all.iter().copied().filter(|row| row.0 != 0).collect();
        // The neighbour may come in any order.
        if !without.is_empty() {
            let n = rotation % without.len();
            without.rotate_left(n);
            without.reverse();
        }
        check_all((UnitKind::User, Relation::AddRemove), &limits, (&all, &without))?;
        check_all((UnitKind::User, Relation::AddRemove), &limits, (&without, &all))?;
    }

    #[test]
    fn replacing_a_user_moves_the_aggregate_at_most_as_declared(
        all in rows(),
        new in prop::collection::vec((Just(0u8), 0u8..7, -6i64..6), 0..20),
        limits in some_limits(),
    ) {
        let mut replaced: Vec<Row> = new;
        replaced.extend(all.iter().rev().filter(|row| row.0 != 0));
        check_all((UnitKind::User, Relation::Replace), &limits, (&all, &replaced))?;
    }

    #[test]
    fn changing_a_record_moves_the_aggregate_at_most_as_declared(
        all in rows(),
        position: prop::sample::Index,
        new in (0u8..4, 0u8..7, -6i64..6),
    ) {
        prop_assume!(!all.is_empty());
        let i = position.index(all.len());
        let mut removed = all.clone();
        removed.swap_remove(i);
        check_all((UnitKind::Record, Relation::AddRemove), &ContributionLimits::default(), (&all, &removed))?;
        let mut replaced = all.clone();
        replaced[i] = new;
        check_all((UnitKind::Record, Relation::Replace), &ContributionLimits::default(), (&all, &replaced))?;
    }

    #[test]
    fn where_no_limit_bites_the_aggregate_is_the_plain_one(all in rows()) {
        let wide = limits(Some(1000), None, None);
        let plain = |keep: &dyn Fn(&&Row) -> bool| {
            all.iter().filter(keep).map(|row| i128::from(row.2.clamp(-3, 5))).sum::<i128>()
        };
        let whole = of_users(&sum(-3, 5), &AnyGrouping::whole(), &wide, &all).unwrap();
        prop_assert_eq!(whole, vec![plain(&|_| true)]);
        let groups = [0u8, 3, 6];
        let by = of_users(&sum(-3, 5), &AnyGrouping::by_group(&groups), &wide, &all).unwrap();
        prop_assert_eq!(by, groups.map(|group| plain(&|row| row.1 == group)).to_vec());
    }

    #[test]
    fn a_lone_user_never_contributes_more_than_the_limits(
        mut all in prop::collection::vec((Just(0u8), 0u8..7, 1i64..6), 0..60),
        limits in some_limits(),
    ) {
        all.sort();
        let Some(counts) =
            of_users(&Count, &AnyGrouping::by_group(&[0, 1, 2, 5]), &limits, &all)
        else {
            return Ok(());
        };
        let cap = |limit: Option<RowLimit>| limit.map_or(i128::MAX, |l| l.value().into());
        prop_assert!(counts.iter().sum::<i128>() <= cap(limits.rows));
        prop_assert!(counts.iter().filter(|c| **c > 0).count() as i128 <= cap(limits.groups));
        prop_assert!(counts.iter().all(|c| *c <= cap(limits.rows_per_group)));
        // Nothing is dropped without need: at least what the tightest limit leaves of one group.
        let listed = all.iter().filter(|row| [0, 1, 2, 5].contains(&row.1)).count() as i128;
        let least = listed.min(cap(limits.rows)).min(1);
        prop_assert!(counts.iter().sum::<i128>() >= least);
    }
}

#[test]
fn of_a_user_with_many_equal_rows_as_many_as_allowed_count() {
    let rows: Vec<Row> = (0..1000).map(|_| (0, 1, 4)).collect();
    let limits = limits(Some(20), None, None);
    let moments = of_users(&variance(-3, 5), &AnyGrouping::whole(), &limits, &rows).unwrap();
    // 4 is at 7 of 8 steps: (1, 14, 49) of 64 a row, in steps of 2^-24 rows or finer.
    let finer = (1i128 << 24) / 128;
    assert_eq!(moments, [1, 14, 49].map(|of_row| 20 * of_row * finer));
}

#[test]
fn a_user_with_ten_thousand_rows_counts_as_its_limit() {
    let mut all: Vec<Row> = (0..10_000).map(|i| (0, (i % 7) as u8, i % 11)).collect();
    all.extend([(1, 0, 3), (2, 5, 4)]);
    let without = all[10_000..].to_vec();
    let limits = limits(Some(20), None, None);
    check_all((UnitKind::User, Relation::AddRemove), &limits, (&all, &without)).unwrap();
    let count = of_users(&Count, &AnyGrouping::whole(), &limits, &all).unwrap();
    assert_eq!(count, [22]);
    check_all((UnitKind::User, Relation::AddRemove), &limits, (&all[..10_000], &[])).unwrap();
}

#[test]
fn the_check_convicts_a_sensitivity_that_is_too_small() {
    // Two rows are kept, one is declared.
    let rows: [Row; 2] = [(0, 0, 1), (0, 0, 2)];
    let declared = Contribution::new(UnitKind::User, &limits(Some(1), None, None), 1).unwrap();
    let actual = Contribution::new(UnitKind::User, &limits(Some(2), None, None), 1).unwrap();
    let index = units(&rows, UnitKind::User);
    let kept = Rows { rows: &rows, units: index.as_ref(), bound: actual };
    let counted = Count.any_aggregate(kept, &AnyGrouping::whole());
    let change = Vector::<i128, L1>::distance(&counted, &[0]).unwrap();
    assert!(change > declared.l1(&Shape::Count, Relation::AddRemove));
}

#[test]
fn the_transformation_is_this_aggregate_with_these_sensitivities() {
    fn stabilities<U: PrivacyUnit, A: Adjacency>(bound: Contribution) {
        let of_sum = sum(-3, 5);
        let shape = of_sum.any_shape();
        let l1: Aggregate<'_, '_, Row, U, A, _, _, L1> = Aggregate::new(&of_sum, &Whole, bound);
        let l2: Aggregate<'_, '_, Row, U, A, _, _, L2> = Aggregate::new(&of_sum, &Whole, bound);
        assert_eq!(l1.stability(Changes(1)).unwrap(), bound.l1(&shape, A::RELATION));
        assert_eq!(l2.stability(Changes(1)).unwrap(), bound.l2(&shape, A::RELATION));
        let thrice = &Amount::from_integer(3) * &bound.l1(&shape, A::RELATION);
        assert_eq!(l1.stability(Changes(3)).unwrap(), thrice);
    }
    let known = [0u8, 1, 2, 5];
    let limits = limits(Some(5), Some(2), None);
    let bound = Contribution::new(UnitKind::User, &limits, known.len() as u64).unwrap();
    stabilities::<User, AddRemove>(bound);
    stabilities::<User, Replace>(bound);
    stabilities::<Record, AddRemove>(bound);
    stabilities::<Record, Replace>(bound);

    let rows: Vec<Row> = (0..200).map(|i| ((i % 9) as u8, (i % 7) as u8, i - 100)).collect();
    let by = ByGroup::new(KnownGroups::new(&known).unwrap(), |row: &Row| row.1);
    let of_sum = sum(-3, 5);
    let aggregate: Aggregate<'_, '_, Row, User, AddRemove, _, _, L1> =
        Aggregate::new(&of_sum, &by, bound);
    let applied = aggregate.apply(&Table::new(&rows, units(&rows, UnitKind::User))).unwrap();
    let plain = of_users(&of_sum, &AnyGrouping::by_group(&known), &limits, &rows).unwrap();
    assert_eq!(applied, plain);
}
