//! Order statistics, favourites, parts of a table and mechanisms of one's own in sessions.

use dp_mechanisms::additive::LaplaceNoise;
use dp_mechanisms::audit::Claim;
use dp_mechanisms::prelude::*;
use dp_mechanisms::quantile::ApproxBounds;
use dp_mechanisms::transform::Count;
use privacy_core::transformation::Transformation;

use super::{FEW, acquit, amount, epsilon, records, users};

type Row = (u64, f64);
type Pair<T> = (Vec<T>, Vec<T>);

/// A user with more rows than are used, at either end, beside another user.
fn added() -> Vec<Pair<Row>> {
    let user = |value: f64| vec![(1, value), (2, 2.0), (1, value), (1, value)];
    vec![
        (user(0.0), vec![(2, 2.0)]),
        (user(f64::INFINITY), vec![(2, 2.0)]),
        (vec![(1, 3.0), (1, f64::NAN), (1, 3.0)], vec![]),
    ]
}

fn replaced() -> Vec<Pair<Row>> {
    let user = |value: f64| vec![(1, value), (2, 2.0), (1, value)];
    vec![(user(0.0), user(3.0)), (user(f64::NAN), user(f64::NEG_INFINITY))]
}

#[test]
fn order_statistics_keep_their_price() {
    acquit(
        FEW,
        &[
            ("session median of users", |audit, rng| {
                audit.run(epsilon(8.0), &added(), rng, |rows: &[Row], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(8.0), rng)?;
                    session.median(|r| r.1).bounds(0.0..=3.0)?.epsilon(8.0)?.release()
                })
            }),
            ("session median of users, replace", |audit, rng| {
                let pairs = [(vec![(1, 0.0); 3], vec![(1, 3.0); 2])];
                audit.run(epsilon(16.0), &pairs, rng, |rows: &[Row], rng| {
                    let session = users::<_, Replace>(rows, epsilon(16.0), rng)?;
                    session.median(|r| r.1 as i64).bounds(0..=3)?.epsilon(16.0)?.release()
                })
            }),
            ("session median of records, replace, ρ", |audit, rng| {
                // A record replaced is two changes, each of which costs 2 by bounded range.
                let claim = Claim::zcdp(Rho::new(2.0)?).and(Claim::pure(epsilon(4.0)));
                audit.run(claim, &[(vec![0u8], vec![3])], rng, |rows: &[u8], rng| {
                    let session = records::<_, Replace>(rows, Rho::new(2.0)?, rng)?;
                    session.median(|x| *x).bounds(0..=3)?.rho(2.0)?.release()
                })
            }),
            ("session minimum of users", |audit, rng| {
                audit.run(epsilon(8.0), &added(), rng, |rows: &[Row], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(8.0), rng)?;
                    session.minimum(|r| r.1 as i64, 0.01).bounds(0..=3)?.epsilon(8.0)?.release()
                })
            }),
            ("session quantiles of users", |audit, rng| {
                audit.run(epsilon(12.0), &added(), rng, |rows: &[Row], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(12.0), rng)?;
                    let query = session.quantiles(|r| r.1 as i64, &[0.25, 0.75]);
                    query.bounds(0..=3)?.epsilon(12.0)?.release()
                })
            }),
            ("session distribution of users", |audit, rng| {
                audit.run(epsilon(2.0), &added(), rng, |rows: &[Row], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(2.0), rng)?;
                    session.distribution(|r| r.1 as i64).bounds(0..=15)?.epsilon(2.0)?.release()
                })
            }),
            ("session distribution of users, replace, ρ", |audit, rng| {
                let rho = Rho::new(1.0)?;
                audit.run(Claim::zcdp(rho), &replaced(), rng, |rows: &[Row], rng| {
                    let session = users::<_, Replace>(rows, Rho::new(1.0)?, rng)?;
                    session.distribution(|r| r.1 as i64).bounds(0..=15)?.rho(1.0)?.release()
                })
            }),
            ("session bounds of users", |audit, rng| {
                // Each of a user's two rows costs half.
                let finder: ApproxBounds = ApproxBounds::new(&epsilon(0.5))?;
                let others = vec![(2u64, 7i64); 1];
                let enough = finder.threshold() as u64;
                let others: Vec<(u64, i64)> =
                    (2..enough).map(|user| (user, 7)).chain(others).collect();
                let with = [others.clone(), vec![(1, 7); 5]].concat();
                audit.run(epsilon(1.0), &[(with, others)], rng, |rows: &[(u64, i64)], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(1.0), rng)?;
                    session.approximate_bounds(|r| r.1, 1.0)?.release()
                })
            }),
        ],
    );
}

type Vote = (u64, u8);

#[test]
fn favourites_keep_their_price() {
    /// A user with more votes than count, and none.
    fn votes() -> Vec<Pair<Vote>> {
        vec![(vec![(1, 3), (1, 3), (1, 3)], vec![]), (vec![(1, 9), (1, 0), (2, 1)], vec![(2, 1)])]
    }
    acquit(
        FEW,
        &[
            ("session favourite of users", |audit, rng| {
                audit.run(epsilon(1.0), &votes(), rng, |rows: &[Vote], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(1.0), rng)?;
                    let query = session.count().by(|r| r.1, &[0, 1, 2, 3]);
                    query.top(1)?.epsilon(1.0)?.release()
                })
            }),
            ("session favourites of users, replace", |audit, rng| {
                let user = |vote: u8| vec![(1, vote), (2, 1), (1, vote)];
                let pairs = [(user(0), user(3)), (user(3), user(9))];
                audit.run(epsilon(6.0), &pairs, rng, |rows: &[Vote], rng| {
                    let session = users::<_, Replace>(rows, epsilon(6.0), rng)?;
                    let query = session.count().by(|r| r.1, &[0, 1, 2, 3]);
                    query.top(2)?.epsilon(6.0)?.release()
                })
            }),
            ("session favourite by units, ρ", |audit, rng| {
                let rho = Rho::new(0.5)?;
                audit.run(Claim::zcdp(rho), &votes(), rng, |rows: &[Vote], rng| {
                    let session = users::<_, AddRemove>(rows, Rho::new(0.5)?, rng)?;
                    let query = session.count_units().by(|r| r.1, &[0, 1, 2, 3]);
                    query.top(1)?.rho(0.5)?.release()
                })
            }),
            ("session favourite by distinct values, replace", |audit, rng| {
                let pairs =
                    [(vec![(0u8, 0u8)], vec![(1, 0)]), (vec![(0, 3), (1, 3)], vec![(0, 3); 2])];
                audit.run(epsilon(2.0), &pairs, rng, |rows: &[(u8, u8)], rng| {
                    let session = records::<_, Replace>(rows, epsilon(2.0), rng)?;
                    let query = session.count_distinct(|r| r.1).by(|r| r.0, &[0, 1]);
                    query.top(1)?.epsilon(2.0)?.release()
                })
            }),
        ],
    );
}

#[test]
fn parts_and_mechanisms_of_ones_own_keep_their_price() {
    acquit(
        FEW,
        &[
            ("session in parts, a user in both", |audit, rng| {
                let other: Vec<Vote> = vec![(2, 0), (3, 1)];
                let both = [other.clone(), vec![(1, 0), (1, 1), (1, 0), (1, 1)]].concat();
                let pairs = [(both, other), (vec![(1, 9), (1, 1), (1, 1)], vec![])];
                audit.run(epsilon(1.0), &pairs, rng, |rows: &[Vote], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(1.0), rng)?;
                    let parts = session.partition(|r| r.1, &[0, 1], epsilon(1.0))?;
                    let count = |part: u8| {
                        let session = parts.session(&part);
                        session.map(|s| s.count().epsilon(1.0)?.release()).transpose()
                    };
                    let told: dp_mechanisms::Result<_> = Ok((count(0)?, count(1)?));
                    told
                })
            }),
            ("session in parts, several questions, ρ", |audit, rng| {
                let pairs = [(vec![0u8, 1, 0], vec![1, 0]), (vec![1], vec![])];
                let rho = Rho::new(1.0)?;
                audit.run(Claim::zcdp(rho), &pairs, rng, |rows: &[u8], rng| {
                    let session = records::<_, AddRemove>(rows, Rho::new(1.0)?, rng)?;
                    let parts = session.partition(|r| *r, &[0, 1], Rho::new(1.0)?)?;
                    let mut told = Vec::new();
                    for part in [0, 1].iter().filter_map(|part| parts.session(part)) {
                        let sum = part.sum(|_| 1u8).bounds(0..=1)?.rho(0.5)?.release()?;
                        told.push((part.count().rho(0.5)?.release()?, sum));
                    }
                    Ok::<_, dp_mechanisms::Error>(told)
                })
            }),
            ("session, a mechanism of one's own, users", |audit, rng| {
                audit.run(epsilon(2.0), &added(), rng, |rows: &[Row], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(2.0), rng)?;
                    let noise = LaplaceNoise::scalar(amount("1"))?;
                    let values = session.values(|r| r.1, 0.0..=3.0)?;
                    let plan = session.ask("values", values.then(Count::new()).then(noise))?;
                    assert_eq!(plan.cost(), &epsilon(2.0).into());
                    plan.release()
                })
            }),
            ("session, a mechanism of one's own, users, replace", |audit, rng| {
                let pairs = [
                    (vec![(1, 1.0), (1, 1.0)], vec![(1, f64::NAN)]),
                    (vec![(1, 0.0), (1, 2.0), (1, 3.0)], vec![(1, 0.0)]),
                ];
                audit.run(epsilon(2.0), &pairs, rng, |rows: &[Row], rng| {
                    let session = users::<_, Replace>(rows, epsilon(2.0), rng)?;
                    let noise = LaplaceNoise::scalar(amount("2"))?;
                    let values = session.values(|r| r.1, 0.0..=3.0)?;
                    session.ask("values", values.then(Count::new()).then(noise))?.release()
                })
            }),
        ],
    );
}
