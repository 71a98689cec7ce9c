//! Quantiles, distributions, bounds and the largest groups, asked of a session.

use dp_mechanisms::prelude::*;
use dp_mechanisms::quantile::FoundBounds;

fn epsilon(value: f64) -> Epsilon {
    Epsilon::new(value).unwrap()
}

/// (user, seconds): each of 300 users ten times, seconds 0..=999.
fn rows() -> Vec<(u32, i64)> {
    (0..3000u32).map(|i| (i % 300, i64::from(i * 7919 % 1000))).collect()
}

fn session(rows: &[(u32, i64)]) -> Session<'_, (u32, i64), User> {
    let builder = Session::over(rows).unit(|r: &(u32, i64)| r.0).max_rows_per_unit(10);
    builder.budget(epsilon(1e6)).open().unwrap()
}

#[test]
fn quantiles_are_close_and_cost_what_they_say() {
    let rows = rows();
    let session = session(&rows);
    let plan = session.quantile(|r| r.1, 0.9).bounds(0..=999).unwrap().epsilon(20.0).unwrap();
    // Ten rows of a user share the price.
    assert_eq!(plan.cost().in_pure().unwrap().epsilon, 20.into());
    assert!(plan.to_string().starts_with("quantile 0.9 of values in 0..=999, rank within ± "));
    let release = plan.release().unwrap();
    assert!((release.value() - 900).abs() < 15, "{}", release.value());
    assert!(release.interval(&Confidence::default()).contains(*release.value() as f64));

    let plan = session.median(|r| r.1 as f64).bounds(0.0..=999.0).unwrap().rho(50.0).unwrap();
    let rho = plan.cost().in_zcdp().unwrap().rho;
    assert!(rho <= 50.into() && rho > "49.999".parse().unwrap(), "{rho}");
    assert!((plan.release().unwrap().value() - 500.0).abs() < 15.0);

    let plan = session.quantiles(|r| r.1, &[0.1, 0.5, 0.99]).bounds(0..=999).unwrap();
    let several = plan.epsilon(100.0).unwrap().release().unwrap().into_value();
    let near = |a: i128, b: i128| (a - b).abs() < 20;
    assert!(near(several[0], 100) && near(several[1], 500) && near(several[2], 990), "{several:?}");

    let low = session.minimum(|r| r.1, 0.01).bounds(0..=999).unwrap().epsilon(50.0).unwrap();
    assert!(*low.release().unwrap().value() < 20);
    let high = session.maximum(|r| r.1, 0.01).bounds(0..=999).unwrap().epsilon(50.0).unwrap();
    assert!(*high.release().unwrap().value() > 980);
    let odd = session.median(|r| r.1).filter(|r| r.1 >= 800).bounds(0..=999).unwrap();
    assert!((odd.epsilon(50.0).unwrap().release().unwrap().value() - 900).abs() < 20);
}

#[test]
fn a_distribution_answers_in_the_units_of_its_values() {
    let rows = rows();
    let session = session(&rows);
    let plan = session.distribution(|r| r.1 as f64 / 10.0).bounds(0.0..=99.9).unwrap();
    let distribution = plan.epsilon(100.0).unwrap().release().unwrap().into_value();
    assert!((distribution.median() - 50.0).abs() < 2.0);
    assert!((distribution.share_upto(25.0) - 0.25).abs() < 0.02);
    assert!((distribution.count(10.0, 20.0) - 300.0).abs() < 40.0);
    assert!((distribution.total() - 3000.0).abs() < 40.0);
    assert_eq!(distribution.share_upto(f64::NAN), 0.0);
    let curve = distribution.curve(11);
    assert_eq!(curve.len(), 11);
    assert!(curve.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert_eq!(curve[10].1, 1.0);
}

#[test]
fn bounds_are_found_for_part_of_the_budget() {
    let rows = rows();
    let session = session(&rows);
    let plan = session.approximate_bounds(|r| r.1 - 100, 20.0).unwrap();
    assert_eq!(plan.cost().in_pure().unwrap().epsilon, 20.into());
    let FoundBounds::Found(bounds) = plan.release().unwrap().into_value() else {
        panic!("no bounds were found");
    };
    assert!(bounds.lower() >= -128 && bounds.lower() <= -64, "{bounds:?}");
    assert!((512..=1024).contains(&bounds.upper()), "{bounds:?}");
}

#[test]
fn the_largest_groups_are_named_without_their_counts() {
    // Group g has about g² rows.
    let rows: Vec<(u32, u8)> =
        (0..10u8).flat_map(|g| (0..u32::from(g) * u32::from(g) * 5).map(move |i| (i, g))).collect();
    let groups: Vec<u8> = (0..10).collect();
    let session = Session::over(&rows)
        .unit(|r: &(u32, u8)| r.0)
        .max_rows_per_unit(10)
        .max_rows_per_group(1)
        .budget(epsilon(100.0))
        .open()
        .unwrap();
    let top = session.count_units().by(|r| r.1, &groups).top(3).unwrap().epsilon(5.0).unwrap();
    assert_eq!(top.cost().in_pure().unwrap().epsilon, 5.into());
    assert_eq!(top.release().unwrap().into_value(), [9, 8, 7]);
    let one = session.count().by(|r| r.1, &groups).top(1).unwrap().epsilon(2.0).unwrap();
    assert!(one.to_string().contains("its count within"), "{one}");
    assert_eq!(one.release().unwrap().into_value(), [9]);
    let by_rho = session.count().by(|r| r.1, &groups).top(2).unwrap().rho(1.0).unwrap();
    assert_eq!(by_rho.release().unwrap().into_value(), [9, 8]);
    for k in [0, 11] {
        assert!(session.count().by(|r| r.1, &groups).top(k).unwrap_err().is_parameter());
    }
    // A named request is paid once.
    let named = || session.count().by(|r| r.1, &groups).request("weekly").top(1).unwrap();
    let _ = named().epsilon(1.0).unwrap().release().unwrap();
    assert!(named().epsilon(1.0).unwrap().release().unwrap_err().is_budget());
}

#[test]
fn degenerate_tables_and_bad_quantiles() {
    let none: [(u32, i64); 0] = [];
    let one = [(1, i64::MIN)];
    for rows in [&none as &[(u32, i64)], &one] {
        let session = session(rows);
        let median = session.median(|r| r.1).bounds(-5..=5).unwrap().epsilon(1.0).unwrap();
        assert!((-5..=5).contains(median.release().unwrap().value()));
        let missing =
            session.median(|_| f64::NAN).bounds(-1.0..=1.0).unwrap().epsilon(1.0).unwrap();
        assert!((-1.0..=1.0).contains(missing.release().unwrap().value()));
        let found = session.approximate_bounds(|r| r.1, 0.1).unwrap().release().unwrap();
        assert_eq!(found.into_value(), FoundBounds::NotFound);
        for q in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            let asked = session.quantile(|r| r.1, q).bounds(0..=9).and_then(|q| q.epsilon(1.0));
            assert!(asked.unwrap_err().is_parameter(), "{q}");
            let asked = session.maximum(|r| r.1, q).bounds(0..=9).and_then(|q| q.epsilon(1.0));
            assert!(asked.unwrap_err().is_parameter(), "{q}");
        }
        let none = session.quantiles(|r| r.1, &[]).bounds(0..=9).unwrap().epsilon(1.0);
        assert!(none.is_err());
    }
}
