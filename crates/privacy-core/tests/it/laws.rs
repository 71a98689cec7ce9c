//! Costs compose as a commutative monoid, grow with groups, and distances are metrics.

use privacy_core::measure::{
    ApproxCost, ApproxDp, Measure, PureCost, PureDp, RenyiCost, RenyiDp, RenyiPoint, Zcdp, ZcdpCost,
};
use privacy_core::prelude::*;
use privacy_core::space::{L2Distance, Measurable};
use privacy_testing::axioms;

fn amounts() -> Vec<Amount> {
    ["0.1", "1/3", "2", "1e-9", "7/5"].map(|text| text.parse().unwrap()).to_vec()
}

#[test]
fn costs_of_every_measure_compose_in_any_order() {
    let amounts = amounts();
    let pure: Vec<_> = amounts.iter().map(|e| PureCost { epsilon: e.clone() }).collect();
    axioms::check_commutative_monoid(&pure, &PureCost { epsilon: Amount::ZERO }, PureDp::compose);
    let zcdp: Vec<_> = amounts.iter().map(|r| ZcdpCost { rho: r.clone() }).collect();
    axioms::check_commutative_monoid(&zcdp, &ZcdpCost { rho: Amount::ZERO }, Zcdp::compose);
    let cost = |epsilon: &Amount, delta: &Amount| ApproxCost {
        epsilon: epsilon.clone(),
        delta: delta.clone(),
    };
    let approximate: Vec<_> =
        amounts.iter().zip(amounts.iter().rev()).map(|(e, d)| cost(e, d)).collect();
    let nothing = cost(&Amount::ZERO, &Amount::ZERO);
    axioms::check_commutative_monoid(&approximate, &nothing, ApproxDp::compose);
    let curve = |epsilon: &Amount| {
        let point =
            |order: u64| RenyiPoint { order: order.into(), epsilon: epsilon * &order.into() };
        RenyiCost::new(vec![point(2), point(8), point(32)]).unwrap()
    };
    let curves: Vec<_> = amounts.iter().map(curve).collect();
    axioms::check_commutative_monoid(&curves, &curve(&Amount::ZERO), RenyiDp::compose);
}

#[test]
fn groups_cost_more_the_larger_they_are() {
    let sizes = [0u64, 1, 2, 3, 10, 1000, 1 << 40];
    for amount in amounts() {
        axioms::check_monotone(&sizes, |k| {
            PureDp::group(&PureCost { epsilon: amount.clone() }, *k)
        });
        axioms::check_monotone(&sizes, |k| Zcdp::group(&ZcdpCost { rho: amount.clone() }, *k));
        let cost = ApproxCost { epsilon: amount.clone(), delta: "1e-30".parse().unwrap() };
        axioms::check_monotone(&sizes, |k| ApproxDp::group(&cost, *k).epsilon);
        axioms::check_monotone(&sizes[..5], |k| ApproxDp::group(&cost, *k).delta);
    }
}

#[test]
fn distances_of_the_spaces_are_metrics() {
    let add = |a: &Changes, b: &Changes| Changes(a.0 + b.0);
    let tables: Vec<Vec<i64>> = vec![vec![], vec![1], vec![1, 1], vec![2], vec![1, 2, 3]];
    axioms::check_metric(&tables, &Changes(0), add, |a, b| Rows::<i64>::distance(a, b).unwrap());
    let users: Vec<Vec<(u8, i64)>> =
        vec![vec![], vec![(1, 5)], vec![(1, 5), (1, 5)], vec![(2, 5)], vec![(1, 5), (2, 6)]];
    axioms::check_metric(&users, &Changes(0), add, |a, b| {
        Rows::<(u8, i64), User>::distance(a, b).unwrap()
    });
    let vectors: Vec<Vec<i64>> = vec![vec![0, 0], vec![3, 4], vec![-1, 9], vec![0, 1]];
    let sum = |a: &Amount, b: &Amount| a + b;
    axioms::check_metric(&vectors, &Amount::ZERO, sum, |a, b| {
        Vector::<i64, L1>::distance(a, b).unwrap()
    });
    axioms::check_metric(&vectors, &Amount::ZERO, sum, |a, b| {
        Vector::<i64, Linf>::distance(a, b).unwrap()
    });
    assert_eq!(
        Vector::<i64, L2>::distance(&vectors[0], &vectors[1]).unwrap(),
        L2Distance::from_squared(25.into())
    );
}
