//! Moments, fits and histograms of sessions.

use dp_mechanisms::audit::Claim;
use dp_mechanisms::prelude::*;
use dp_mechanisms::session::histogram::Axes;

use super::{FEW, acquit, epsilon, records, users};

/// A point of a user, or none if NaN.
type Point = (u64, (f64, f64));
type Pair<T> = (Vec<T>, Vec<T>);

/// A user in the corners, beyond them, and with rows that do not count, beside another user.
fn points() -> Vec<Pair<Point>> {
    let other = (2, (0.5, 0.5));
    let user = |a: (f64, f64), b: (f64, f64)| vec![(1, a), other, (1, b), (1, b)];
    vec![
        (user((1.0, 1.0), (1.0, 1.0)), vec![other]),
        (user((0.0, 0.0), (0.0, 1.0)), vec![other]),
        (user((f64::INFINITY, f64::NAN), (f64::MAX, -0.0)), vec![other]),
        (vec![(1, (0.0, 0.0)), (1, (0.0, 0.0))], vec![]),
    ]
}

/// A user who moves from one corner to another.
fn moved() -> Vec<Pair<Point>> {
    let user = |a: (f64, f64)| vec![(2, (0.5, 0.5)), (1, a), (1, a)];
    vec![
        (user((0.0, 0.0)), user((1.0, 1.0))),
        (user((0.0, 1.0)), user((1.0, 1.0))),
        (user((f64::NAN, 0.0)), user((f64::INFINITY, f64::NEG_INFINITY))),
    ]
}

/// A user who moves to another corner, among so many others that fits are hardly bent by noise.
fn in_a_crowd() -> Vec<Pair<Point>> {
    let crowd = (2..40).map(|user| (user, ((user % 2) as f64, 0.5)));
    let user = |y: f64| crowd.clone().chain([(1, (1.0, y)); 2]).collect();
    vec![(user(0.0), user(1.0))]
}

#[test]
fn moments_of_one_value_keep_their_price() {
    acquit(
        FEW,
        &[
            ("session moments of users", |audit, rng| {
                audit.run(epsilon(2.0), &points(), rng, |rows: &[Point], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(2.0), rng)?;
                    session.moments(|r| r.1.0).bounds(0.0..=1.0)?.epsilon(2.0)?.release()
                })
            }),
            ("session moments of users, replace", |audit, rng| {
                audit.run(epsilon(4.0), &moved(), rng, |rows: &[Point], rng| {
                    let session = users::<_, Replace>(rows, epsilon(4.0), rng)?;
                    session.moments(|r| r.1.0).bounds(0.0..=1.0)?.epsilon(4.0)?.release()
                })
            }),
            ("session variance of records, ρ", |audit, rng| {
                let pairs = [(vec![0i64, 9, 9], vec![9, 9]), (vec![i64::MIN, i64::MAX], vec![0])];
                let pairs = [pairs[0].clone(), (vec![i64::MIN, i64::MAX], vec![i64::MIN])];
                audit.run(Claim::zcdp(Rho::new(1.0)?), &pairs, rng, |rows: &[i64], rng| {
                    let session = records::<_, AddRemove>(rows, Rho::new(1.0)?, rng)?;
                    session.variance(|x| *x).bounds(0..=9)?.rho(1.0)?.release()
                })
            }),
            ("session standard deviation of records, wide, replace", |audit, rng| {
                let wide = 1i64 << 61;
                let pairs = [(vec![wide; 4], vec![wide, wide, wide, -wide])];
                audit.run(epsilon(4.0), &pairs, rng, |rows: &[i64], rng| {
                    let wide = 1i64 << 61;
                    let session = records::<_, Replace>(rows, epsilon(4.0), rng)?;
                    session.standard_deviation(|x| *x).bounds(-wide..=wide)?.epsilon(4.0)?.release()
                })
            }),
        ],
    );
}

#[test]
fn moments_of_two_values_keep_their_price() {
    acquit(
        FEW,
        &[
            ("session joint moments of users", |audit, rng| {
                audit.run(epsilon(2.0), &points(), rng, |rows: &[Point], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(2.0), rng)?;
                    let query = session.joint_moments(|r| r.1.0, |r| r.1.1);
                    query.bounds_of_both(0.0..=1.0, 0.0..=1.0)?.epsilon(2.0)?.release()
                })
            }),
            ("session covariance of users", |audit, rng| {
                audit.run(epsilon(4.0), &points(), rng, |rows: &[Point], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(4.0), rng)?;
                    let query = session.covariance(|r| r.1.0, |r| r.1.1);
                    query.bounds_of_both(0.0..=1.0, 0.0..=1.0)?.epsilon(4.0)?.release()
                })
            }),
            ("session correlation of users, replace", |audit, rng| {
                audit.run(epsilon(12.0), &moved(), rng, |rows: &[Point], rng| {
                    let session = users::<_, Replace>(rows, epsilon(12.0), rng)?;
                    let query = session.correlation(|r| r.1.0, |r| r.1.1);
                    query.bounds_of_both(0.0..=1.0, 0.0..=1.0)?.epsilon(12.0)?.release()
                })
            }),
            ("session line of users", |audit, rng| {
                audit.run(epsilon(6.0), &points(), rng, |rows: &[Point], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(6.0), rng)?;
                    let query = session.line_fit(|r| r.1.0, |r| r.1.1);
                    query.bounds_of_both(0.0..=1.0, 0.0..=1.0)?.epsilon(6.0)?.release()
                })
            }),
            ("session regression of users", |audit, rng| {
                audit.run(epsilon(8.0), &points(), rng, |rows: &[Point], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(8.0), rng)?;
                    let query = session.linear_regression(|r| [r.1.0], |r| r.1.1);
                    query.bounds_of_features([0.0..=1.0], 0.0..=1.0)?.epsilon(8.0)?.release()
                })
            }),
            ("session regression of users, replace, ρ", |audit, rng| {
                let rho = Rho::new(4.0)?;
                audit.run(Claim::zcdp(rho), &in_a_crowd(), rng, |rows: &[Point], rng| {
                    let session = users::<_, Replace>(rows, Rho::new(4.0)?, rng)?;
                    let query = session.linear_regression(|r| [r.1.0], |r| r.1.1);
                    query.bounds_of_features([0.0..=1.0], 0.0..=1.0)?.rho(4.0)?.release()
                })
            }),
        ],
    );
}

type Cell = (u64, (u8, f64));

fn axes<'a>() -> dp_mechanisms::Result<Axes<'a, Cell>> {
    let axes = Axes::new().groups("group", |r: &Cell| r.1.0, &[0, 1])?;
    axes.bins("value", |r: &Cell| r.1.1, &[0.0, 0.5, 1.0])
}

#[test]
fn histograms_keep_their_price() {
    acquit(
        FEW,
        &[
            ("session histogram of users", |audit, rng| {
                let other = (2, (1, 0.2));
                let pairs = [
                    (vec![(1, (0, 0.1)), other, (1, (0, 0.1)), (1, (0, 0.1))], vec![other]),
                    (vec![(1, (0, f64::NAN)), (1, (9, 0.5)), (1, (1, 1.0))], vec![]),
                ];
                audit.run(epsilon(2.0), &pairs, rng, |rows: &[Cell], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(2.0), rng)?;
                    session.histogram(axes()?).epsilon(2.0)?.release()
                })
            }),
            ("session histogram of users, replace, ρ", |audit, rng| {
                let user = |cell: (u8, f64)| vec![(1, cell), (2, (1, 0.2)), (1, cell)];
                let pairs = [(user((0, 0.0)), user((1, 1.0))), (user((9, 0.0)), user((0, 0.7)))];
                let rho = Rho::new(1.0)?;
                audit.run(Claim::zcdp(rho), &pairs, rng, |rows: &[Cell], rng| {
                    let session = users::<_, Replace>(rows, Rho::new(1.0)?, rng)?;
                    session.histogram(axes()?).rho(1.0)?.release()
                })
            }),
        ],
    );
}
