//! Parts of a table: charged once, disjoint by unit, held to their allowance.

use dp_mechanisms::prelude::*;

/// (user, part, seconds): user u has rows in the parts u % 3 and, if even, also (u + 1) % 3.
fn rows() -> Vec<(u32, u8, u32)> {
    (0..600u32)
        .flat_map(|user| {
            let other = (user % 2 == 0).then_some((user, ((user + 1) % 3) as u8, 7));
            [Some((user, (user % 3) as u8, 5)), other].into_iter().flatten()
        })
        .collect()
}

fn epsilon(value: f64) -> Epsilon {
    Epsilon::new(value).unwrap()
}

#[test]
fn all_parts_together_cost_what_one_may_spend() {
    let rows = rows();
    let session = Session::over(&rows)
        .unit(|r: &(u32, u8, u32)| r.0)
        .max_rows_per_unit(2)
        .budget(epsilon(1.0))
        .open()
        .unwrap();
    let parts = session.partition(|r| r.1, &[0, 1, 2], epsilon(0.6)).unwrap();
    assert_eq!(session.remaining(), epsilon(0.4).into());
    for part in parts.keys() {
        let session = parts.session(part).unwrap();
        let _ = session.count().epsilon(0.4).unwrap().release().unwrap();
        let refused = session.count().epsilon(0.3).unwrap().release().unwrap_err();
        assert!(refused.is_budget(), "{refused}");
        // Another session over the same part has no second allowance.
        let again = parts.session(part).unwrap();
        assert!(again.count().epsilon(0.3).unwrap().release().unwrap_err().is_budget());
        let _ = again.count().epsilon(0.2).unwrap().release().unwrap();
    }
    assert_eq!(session.remaining(), epsilon(0.4).into());
    // The division, six releases and six refusals, all in one trail.
    assert_eq!(session.records().len(), 13);
    let unaffordable = session.partition(|r| r.1, &[0], epsilon(0.5)).unwrap_err();
    assert!(unaffordable.is_budget());
    assert!(parts.session(&9).is_none());
}

#[test]
fn a_unit_is_in_one_part_only_and_nothing_else_is_lost() {
    let rows = rows();
    let session = Session::over(&rows)
        .unit(|r: &(u32, u8, u32)| r.0)
        .max_rows_per_unit(2)
        .budget(epsilon(1e12))
        .open()
        .unwrap();
    let parts = session.partition(|r| r.1, &[0, 1, 2], epsilon(1e11)).unwrap();
    let counts: Vec<(i64, i64)> = parts
        .keys()
        .map(|part| {
            let session = parts.session(part).unwrap();
            let units = session.count_units().epsilon(1e9).unwrap().release().unwrap();
            let rows = session.count().epsilon(1e9).unwrap().release().unwrap();
            (*units.value(), *rows.value())
        })
        .collect();
    // Each of 600 users is in one part, with the one row it has there.
    assert_eq!(counts.iter().map(|(units, _)| units).sum::<i64>(), 600, "{counts:?}");
    assert!(counts.iter().all(|(units, rows)| units == rows && *units > 100), "{counts:?}");
    // Users with rows in two parts went to either.
    let of_even = session.partition(|r| u8::from(r.2 == 7), &[1], epsilon(1e11)).unwrap();
    let seven = of_even.session(&1).unwrap().count().epsilon(1e9).unwrap().release().unwrap();
    assert_eq!(*seven.value(), 300);
}

#[test]
fn removing_a_user_changes_one_part_alone() {
    let all = rows();
    for user in [0, 1, 2, 10] {
        let without: Vec<_> = all.iter().copied().filter(|row| row.0 != user).rev().collect();
        let counts = |rows: &[(u32, u8, u32)]| -> Vec<i128> {
            let session = Session::over(rows)
                .unit(|r: &(u32, u8, u32)| r.0)
                .max_rows_per_unit(1)
                .budget(epsilon(1e13))
                .open()
                .unwrap();
            let parts = session.partition(|r| r.1, &[0, 1, 2], epsilon(1e12)).unwrap();
            let sum = |part: &u8| {
                let session = parts.session(part).unwrap();
                let sum = session.sum(|r| r.2).bounds(0..=10).unwrap().epsilon(1e11).unwrap();
                *sum.release().unwrap().value()
            };
            parts.keys().map(sum).collect()
        };
        let changed = counts(&all).iter().zip(counts(&without)).filter(|(a, b)| **a != *b).count();
        assert_eq!(changed, 1, "user {user}");
    }
}
