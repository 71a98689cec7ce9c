//! Counts, sums and means of sessions.

use dp_mechanisms::audit::{Claim, Neighbours};
use dp_mechanisms::prelude::*;

use super::{SOME, Visit, acquit, context, epsilon, visits};

#[test]
fn sessions_keep_their_price() {
    acquit(
        SOME,
        &[
            ("session count of records", |audit, rng| {
                let pairs = Neighbours::of([f64::NAN, -0.0, 7.0]).add_remove(2, rng)?;
                audit.run(epsilon(0.5), &pairs, rng, |rows: &[f64], rng| {
                    let session = Session::over(rows).context(context(rng)?).budget(epsilon(1.0));
                    session.open()?.count().epsilon(0.5)?.release()
                })
            }),
            ("session sum of users", |audit, rng| {
                let pairs = visits(rng)?;
                audit.run(epsilon(0.5), &pairs, rng, |rows: &[Visit], rng| {
                    let session = Session::over(rows).unit(|r: &Visit| r.0).max_rows_per_unit(2);
                    let session = session.context(context(rng)?).budget(epsilon(1.0)).open()?;
                    session.sum(|r| r.1).bounds_on_grid(-1.0..=3.0, 0)?.epsilon(0.5)?.release()
                })
            }),
            ("session sum of users, fine grid", |audit, rng| {
                let pairs = visits(rng)?;
                audit.run(epsilon(1.0), &pairs, rng, |rows: &[Visit], rng| {
                    let session = Session::over(rows).unit(|r: &Visit| r.0).max_rows_per_unit(2);
                    let session = session.context(context(rng)?).budget(epsilon(1.0)).open()?;
                    session.sum(|r| r.1).bounds(-1.0..=3.0)?.epsilon(1.0)?.release()
                })
            }),
            ("session mean, add/remove", |audit, rng| {
                let pairs = Neighbours::of([f64::NEG_INFINITY, 0.5, 1.0]).add_remove(2, rng)?;
                audit.run(epsilon(1.0), &pairs, rng, |rows: &[f64], rng| {
                    let session = Session::over(rows).context(context(rng)?).budget(epsilon(1.0));
                    session.open()?.mean(|x| *x).bounds(0.0..=1.0)?.epsilon(1.0)?.release()
                })
            }),
            ("session mean, replace", |audit, rng| {
                let pairs = Neighbours::of([f64::NEG_INFINITY, 0.5, 1.0]).replace(2, rng)?;
                audit.run(epsilon(1.0), &pairs, rng, |rows: &[f64], rng| {
                    let session = Session::over(rows).adjacency::<Replace>().context(context(rng)?);
                    let session = session.budget(epsilon(1.0)).open()?;
                    session.mean(|x| *x).bounds(0.0..=1.0)?.epsilon(1.0)?.release()
                })
            }),
            ("session count by group, users", |audit, rng| {
                let pairs = Neighbours::of([0u8, 1, 9]).users(2, rng)?;
                audit.run(epsilon(1.0), &pairs, rng, |rows: &[(u64, u8)], rng| {
                    let session =
                        Session::over(rows).unit(|r: &(u64, u8)| r.0).max_rows_per_unit(3);
                    let session = session.context(context(rng)?).budget(epsilon(1.0)).open()?;
                    session.count().by(|r| r.1, &[0, 1, 2]).epsilon(1.0)?.release()
                })
            }),
            ("session count of users, ρ", |audit, rng| {
                let pairs = visits(rng)?;
                let claim = Claim::zcdp(Rho::new(0.25)?);
                audit.run(claim, &pairs, rng, |rows: &[Visit], rng| {
                    let session = Session::over(rows).unit(|r: &Visit| r.0).max_rows_per_unit(2);
                    let session = session.context(context(rng)?).budget(Rho::new(1.0)?).open()?;
                    session.count_units().rho(0.25)?.release()
                })
            }),
            ("session count of distinct values", |audit, rng| {
                let pairs = Neighbours::of([0u32, u32::MAX]).users(2, rng)?;
                audit.run(epsilon(1.0), &pairs, rng, |rows: &[(u64, u32)], rng| {
                    let session =
                        Session::over(rows).unit(|r: &(u64, u32)| r.0).max_rows_per_unit(2);
                    let session = session.context(context(rng)?).budget(epsilon(1.0)).open()?;
                    session.count_distinct(|r| r.1).epsilon(1.0)?.release()
                })
            }),
        ],
    );
}
