//! Every public mechanism of the crate under audit, beside a gallery of broken ones.
//!
//! Each audit wrongly convicts with probability at most 10^-6, and the seeds are fixed. A
//! mechanism is added with one line: its name, and an audit of it.

mod broken;
mod replayed;

use std::time::Instant;

use dp_mechanisms::additive::{GaussianNoise, LaplaceNoise};
use dp_mechanisms::audit::{Audit, Claim, Neighbours, Verdict};
use dp_mechanisms::bound::BoundRows;
use dp_mechanisms::prelude::*;
use dp_mechanisms::transform::{BoundedSum, Count, CountByGroup, Filter, Map};
use privacy_core::Result;
use privacy_core::mechanism::Mechanism;
use privacy_core::random::{InsecureTestRng, RandomBuffer, SecureRng};
use privacy_core::space::{L1, L2, L2Distance, Scalar};
use privacy_core::transformation::Transformation;

type Rng = InsecureTestRng;
type Line = (&'static str, fn(&Audit, &mut Rng) -> Result<Verdict>);

/// Runs of the audit of a mechanism that takes about a microsecond.
const MANY: u64 = 60_000;

/// Runs of the audit of a mechanism that takes some ten microseconds.
const SOME: u64 = 30_000;

#[expect(clippy::print_stdout, reason = "the verdicts are worth reading")]
fn acquit(runs: u64, table: &[Line]) {
    for (i, (name, line)) in table.iter().enumerate() {
        let started = Instant::now();
        let mut rng = Rng::from_seed(0xacc0_0000 + i as u64);
        let verdict = line(&Audit::default().runs(runs), &mut rng).unwrap();
        println!("{name}: {verdict} [{:?}]", started.elapsed());
        assert!(!verdict.is_convicted(), "{name}: {verdict}");
        // An audit that finds next to nothing would acquit anything.
        let evidence = verdict.evidence();
        let share = evidence.least / evidence.bound.claimed();
        assert!(share > 0.1, "{name}: the audit has no power: {verdict}");
    }
}

fn epsilon(value: f64) -> Epsilon {
    Epsilon::new(value).unwrap()
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

#[test]
fn additive_mechanisms_keep_their_price() {
    acquit(
        MANY,
        &[
            ("Laplace, scalar", |audit, rng| {
                let noise = LaplaceNoise::scalar(amount("1")).unwrap();
                audit.mechanism(&noise, &[(0, 1), (-3, 4), (i128::MAX, i128::MAX - 1)], rng)
            }),
            ("Laplace, scalar, fractional scale", |audit, rng| {
                let noise = LaplaceNoise::scalar(amount("22/7")).unwrap();
                audit.mechanism(&noise, &[(0, 1), (10, 14)], rng)
            }),
            ("Laplace, vector", |audit, rng| {
                let noise = LaplaceNoise::vector(amount("2")).unwrap();
                audit.mechanism(&noise, &[(vec![0, 0, 5], vec![1, -1, 5]), (vec![], vec![])], rng)
            }),
            ("Gaussian, scalar", |audit, rng| {
                let noise = GaussianNoise::scalar(amount("4")).unwrap();
                audit.mechanism(&noise, &[(0, 1), (7, 3), (i128::MIN, i128::MIN)], rng)
            }),
            ("Gaussian, vector", |audit, rng| {
                let noise = GaussianNoise::vector(amount("3")).unwrap();
                audit.mechanism(&noise, &[(vec![0, 0], vec![1, 1]), (vec![4; 9], vec![5; 9])], rng)
            }),
        ],
    );
}

#[test]
fn chains_keep_their_price() {
    acquit(
        MANY,
        &[
            ("count, add/remove", |audit, rng| {
                let chain = Count::<i64>::new().then(LaplaceNoise::scalar(amount("2"))?);
                let pairs = Neighbours::<i64>::extreme().add_remove(5, rng)?;
                audit.mechanism(&chain, &pairs, rng)
            }),
            ("sum, add/remove", |audit, rng| {
                let noise = LaplaceNoise::scalar(amount("20"))?;
                let chain = BoundedSum::new(Bounds::new(-10, 20)?)?.then(noise);
                let pairs = Neighbours::<i64>::extreme().add_remove(5, rng)?;
                audit.mechanism(&chain, &pairs, rng)
            }),
            ("sum, replace", |audit, rng| {
                let sum = BoundedSum::<_, Replace>::under(Bounds::new(-10, 20)?)?;
                let chain = sum.then(LaplaceNoise::scalar(amount("30"))?);
                let pairs = Neighbours::<i64>::extreme().replace(5, rng)?;
                audit.mechanism(&chain, &pairs, rng)
            }),
            ("filter, map, sum", |audit, rng| {
                let keep = Filter::<u32, _>::new(|x: &u32| x % 2 == 1);
                let halve = Map::<u32, i64, _>::new(|x: &u32| i64::from(*x / 2));
                let sum = BoundedSum::new(Bounds::new(0, 9)?)?;
                let chain = keep.then(halve).then(sum).then(LaplaceNoise::scalar(amount("9"))?);
                let pairs = Neighbours::<u32>::extreme().with([9]).add_remove(5, rng)?;
                audit.mechanism(&chain, &pairs, rng)
            }),
            ("count by group, L1", |audit, rng| {
                let count = CountByGroup::<u8, Record, AddRemove, L1>::new(&[1, 2, 3]).unwrap();
                let chain = count.then(LaplaceNoise::vector(amount("1"))?);
                let pairs = Neighbours::of([1, 2, 3, 4]).add_remove(5, rng)?;
                audit.mechanism(&chain, &pairs, rng)
            }),
            ("count by group, L2, replace", |audit, rng| {
                let count = CountByGroup::<u8, Record, Replace, L2>::new(&[1, 2, 3]).unwrap();
                let chain = count.then(GaussianNoise::vector(amount("2"))?);
                let pairs = Neighbours::of([1, 2, 3, 4]).replace(5, rng)?;
                audit.mechanism(&chain, &pairs, rng)
            }),
            ("rows of users, bounded", |audit, rng| {
                let values = Map::<(u64, i64), i64, _>::new(|row: &(u64, i64)| row.1);
                let sum = BoundedSum::new(Bounds::new(0, 5)?)?;
                let noise = LaplaceNoise::scalar(amount("15"))?;
                let chain = BoundRows::new(3)?.then(values).then(sum).then(noise);
                let pairs = Neighbours::<i64>::extreme().users(5, rng)?;
                audit.mechanism(&chain, &pairs, rng)
            }),
            ("Gaussian noise of calibrated variance", |audit, rng| {
                let sensitivity = L2Distance::from_squared(amount("4"));
                let noise = GaussianNoise::<Scalar>::calibrated(&sensitivity, &Rho::new(0.5)?)?;
                audit.mechanism_at(&noise, amount("2"), &[(0, 2), (-2, 0)], rng)
            }),
        ],
    );
}

/// A session that draws from `rng`.
fn context(rng: &mut dyn SecureRng) -> Result<Context> {
    let seed = RandomBuffer::new(rng).word()?;
    let context = Context::new(Actor::new("audit"), Purpose::new("test"))?;
    Ok(context.with_rng(Rng::from_seed(seed)))
}

type Visit = (u64, f64);

fn visits(rng: &mut Rng) -> Result<Vec<(Vec<Visit>, Vec<Visit>)>> {
    Neighbours::of([-1e300, f64::NAN, f64::INFINITY]).users(2, rng)
}

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

#[test]
fn wrong_convictions_are_no_more_frequent_than_stated() {
    // Randomized response exactly at its claim, and one audit in ten may be wrong.
    let audit = Audit::default().runs(2000).confidence(Confidence::new(0.9).unwrap());
    let respond = |answer: &bool, rng: &mut dyn SecureRng| {
        RandomBuffer::new(rng).below(4).map(|die| *answer != (die == 0))
    };
    let claim = epsilon(3f64.ln());
    let wrong = (0..400)
        .filter(|seed| {
            let mut rng = Rng::from_seed(*seed);
            let verdict = audit.run(claim.clone(), &[(true, false)], &mut rng, respond).unwrap();
            verdict.is_convicted()
        })
        .count();
    // 40 are expected at most; six standard deviations more never happen.
    assert!(wrong <= 40 + 36, "{wrong} of 400");
}

#[test]
fn verdicts_are_the_same_for_the_same_seed() {
    let audit = Audit::default().runs(4000);
    let noise = LaplaceNoise::scalar(amount("1")).unwrap();
    let run = |seed| {
        let mut rng = Rng::from_seed(seed);
        audit.mechanism(&noise, &[(0, 1), (0, 2), (0, 3)], &mut rng).unwrap().to_string()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn no_claim_measures_epsilon() {
    let mut rng = Rng::from_seed(3);
    let noise = LaplaceNoise::scalar(amount("1")).unwrap();
    let draw = |value: &i128, rng: &mut dyn SecureRng| noise.draw(value, rng);
    let audit = Audit::default();
    let verdict = audit.run(Claim::none_at(None), &[(0, 1)], &mut rng, draw).unwrap();
    assert!((0.93..=1.0).contains(&verdict.epsilon_lower(0.0)), "{verdict}");
    // (1 − δ)ε: what is left of ln((p − δ)/q).
    assert!(verdict.epsilon_lower(0.1) < verdict.epsilon_lower(0.0));
}

#[test]
fn an_audit_says_what_it_lacks() {
    let mut rng = Rng::from_seed(4);
    let audit = Audit::default().runs(1000);
    let id = |value: &i64, _: &mut dyn SecureRng| *value;
    let none = audit.run(epsilon(1.0), &[] as &[(i64, i64)], &mut rng, id);
    assert!(matches!(none, Err(privacy_core::Error::Missing { .. })));
    let few = Audit::default().runs(100).run(epsilon(1.0), &[(1, 2)], &mut rng, id);
    assert!(few.unwrap_err().is_parameter());
    // All runs fail: that is no acquittal.
    let noise = LaplaceNoise::scalar(amount("1")).unwrap();
    struct Dry;
    impl SecureRng for Dry {
        fn fill(&mut self, _: &mut [u8]) -> std::result::Result<(), EntropyError> {
            Err(EntropyError::new())
        }
    }
    use privacy_core::random::EntropyError;
    let failed = audit.mechanism(&noise, &[(0, 1)], &mut Dry);
    assert!(matches!(failed, Err(privacy_core::Error::Missing { .. })));
}
