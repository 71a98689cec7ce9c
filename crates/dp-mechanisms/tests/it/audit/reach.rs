//! What sessions and mechanisms reach beside the common questions: other noise, one-line questions,
//! limits on norms, suggestions, prices in (ε, δ), shuffled reports.

use dp_mechanisms::additive::{ConstantTimeGaussianNoise, ConstantTimeLaplaceNoise, MaxNorm};
use dp_mechanisms::audit::{Audit, Claim, Neighbours};
use dp_mechanisms::bound::Reservoirs;
use dp_mechanisms::noise::shares::NoiseShares;
use dp_mechanisms::prelude::*;
use dp_mechanisms::quantile::Quantile;
use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_core::random::EntropyError;

use super::{FEW, MANY, Visit, acquit, amount, context, epsilon, records, users, visits};

#[test]
fn other_noise_keeps_its_price() {
    acquit(
        MANY,
        &[
            ("constant-time Laplace, scalar", |audit, rng| {
                let noise = ConstantTimeLaplaceNoise::with_scale(amount("2")).unwrap();
                audit.mechanism(&noise, &[(0, 1), (-3, 4)], rng)
            }),
            ("constant-time Laplace, vector", |audit, rng| {
                let noise = ConstantTimeLaplaceNoise::vector(amount("3")).unwrap();
                audit.mechanism(&noise, &[(vec![0, 0, 5], vec![1, -1, 5])], rng)
            }),
            ("permute-and-flip median", |audit, rng| {
                let (half, bounds) = (Amount::from_percent(50), Bounds::new(0, 3)?);
                let median: Quantile = Quantile::permute_and_flip(&half, bounds, &epsilon(4.0))?;
                let pairs = [(vec![i64::MIN], vec![]), (vec![3, 0, 3], vec![0, 3])];
                audit.mechanism(&median, &pairs, rng)
            }),
            ("permute-and-flip median, replace", |audit, rng| {
                let (half, bounds) = (Amount::from_percent(50), Bounds::new(0, 3)?);
                let median = Quantile::<Replace>::permute_and_flip(&half, bounds, &epsilon(4.0))?;
                audit.mechanism(
                    &median,
                    &[(vec![i64::MIN], vec![3]), (vec![0, 0], vec![3, 0])],
                    rng,
                )
            }),
        ],
    );
    acquit(
        FEW,
        &[
            ("constant-time Gaussian, scalar", |audit, rng| {
                let delta = Delta::new(1e-3)?;
                let noise = ConstantTimeGaussianNoise::new(amount("4"), &delta).unwrap();
                audit.mechanism(&noise, &[(0, 1), (7, 3)], rng)
            }),
            ("constant-time Gaussian, vector", |audit, rng| {
                let delta = Delta::new(1e-3)?;
                let noise = ConstantTimeGaussianNoise::vector(amount("3"), &delta).unwrap();
                audit.mechanism(&noise, &[(vec![0, 0], vec![1, 1])], rng)
            }),
            ("max-norm noise", |audit, rng| {
                let noise = MaxNorm::with_scale(amount("1")).unwrap();
                audit.mechanism(&noise, &[(vec![0, 0], vec![1, -1]), (vec![5], vec![6])], rng)
            }),
            ("Laplace noise of three parties", |_, rng| {
                let audit = Audit::default().runs(2000);
                let scale = Ratio::from(BigUint::from(2u8));
                let shares = NoiseShares::laplace(scale, 3).unwrap();
                audit.run(epsilon(0.5), &[(0i128, 1)], rng, |value: &i128, rng| {
                    (0..3)
                        .try_fold(*value, |sum, _| Ok::<_, EntropyError>(sum + shares.sample(rng)?))
                })
            }),
        ],
    );
}

#[test]
fn one_line_questions_keep_their_price() {
    // They draw from the operating system: rarely enough that no seed is needed for the verdict.
    acquit(
        FEW,
        &[
            ("count of an iterator", |audit, rng| {
                let pairs = Neighbours::of([f64::NAN, 1.0]).add_remove(3, rng)?;
                audit.run(epsilon(1.0), &pairs, rng, |rows: &[f64], _| {
                    dp_mechanisms::count(rows.iter(), epsilon(1.0))
                })
            }),
            ("count of distinct items", |audit, rng| {
                let pairs = [(vec![1u8, 1, 1], vec![]), (vec![1, 2, 2], vec![1])];
                audit.run(epsilon(1.0), &pairs, rng, |rows: &[u8], _| {
                    dp_mechanisms::count_distinct(rows.iter().copied(), epsilon(1.0))
                })
            }),
            ("sum of an iterator", |audit, rng| {
                let pairs = [(vec![-1e300, f64::NAN], vec![-1e300]), (vec![f64::INFINITY], vec![])];
                audit.run(epsilon(1.0), &pairs, rng, |rows: &[f64], _| {
                    dp_mechanisms::sum(rows.iter(), -1.0..=3.0, epsilon(1.0))
                })
            }),
            ("mean of an iterator", |audit, rng| {
                let pairs = [(vec![i64::MIN, 5], vec![5]), (vec![9], vec![])];
                audit.run(epsilon(1.0), &pairs, rng, |rows: &[i64], _| {
                    dp_mechanisms::mean(rows.iter().copied(), 0..=9, epsilon(1.0))
                })
            }),
        ],
    );
}

type Row = (u64, u8);

#[test]
fn questions_beside_the_common_ones_keep_their_price() {
    acquit(
        FEW,
        &[
            ("session count by bins", |audit, rng| {
                let pairs = Neighbours::of([f64::NAN, -0.0, 5.0, 1e300]).users(2, rng)?;
                audit.run(epsilon(1.0), &pairs, rng, |rows: &[Visit], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(1.0), rng)?;
                    let query = session.count().by_bin(|r| r.1, &[0.0, 1.0, 5.0]);
                    query.epsilon(1.0)?.release()
                })
            }),
            ("session count by bins, replace", |audit, rng| {
                let pairs = [(vec![0i64, 9], vec![9, 9]), (vec![i64::MIN], vec![3])];
                audit.run(epsilon(1.0), &pairs, rng, |rows: &[i64], rng| {
                    let session = records::<_, Replace>(rows, epsilon(1.0), rng)?;
                    session.count().by_bin(|r| *r, &[0, 5, 9]).epsilon(1.0)?.release()
                })
            }),
            ("session maximum of users", |audit, rng| {
                let user = |value: f64| vec![(1, value), (2, 1.0), (1, value)];
                let pairs = [(user(3.0), vec![(2, 1.0)]), (user(f64::NAN), vec![(2, 1.0)])];
                audit.run(epsilon(8.0), &pairs, rng, |rows: &[Visit], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(8.0), rng)?;
                    session.maximum(|r| r.1 as i64, 0.0).bounds(0..=3)?.epsilon(8.0)?.release()
                })
            }),
            ("session sum of users' totals, limited norm", |audit, rng| {
                let user = |amount: i64| (0..3u8).map(move |g| (9u64, (g, amount)));
                let others = [(1u64, (0u8, 4i64)), (2, (1, -4))];
                let with = |amount| user(amount).chain(others).collect::<Vec<_>>();
                let pairs = [(with(i64::MAX), others.to_vec()), (with(i64::MIN), others.to_vec())];
                audit.run(epsilon(1.0), &pairs, rng, |rows: &[(u64, (u8, i64))], rng| {
                    let session = Session::over(rows).unit(|r: &(u64, (u8, i64))| r.0);
                    let session = session.max_rows_per_unit(3).context(context(rng)?);
                    let session = session.budget(epsilon(1.0)).open()?;
                    let sum = session.sum(|r| r.1.1).bounds(-9..=9)?.max_sum_per_unit(-5..=5)?;
                    let sum = sum.max_total_per_unit(6)?.by(|r| r.1.0, &[0, 1, 2]);
                    sum.epsilon(1.0)?.release()
                })
            }),
            ("session sum of users' totals, limited length, replace, ρ", |audit, rng| {
                let user = |a: i64| (0..2u8).map(|g| (9u64, (g, a))).collect::<Vec<_>>();
                let pairs = [(user(i64::MAX), user(i64::MIN)), (user(3), vec![(9, (0, -7))])];
                let claim = Claim::zcdp(Rho::new(0.5)?);
                audit.run(claim, &pairs, rng, |rows: &[(u64, (u8, i64))], rng| {
                    let session = Session::over(rows).unit(|r: &(u64, (u8, i64))| r.0);
                    let session = session.max_rows_per_unit(2).adjacency::<Replace>();
                    let session = session.context(context(rng)?).budget(Rho::new(0.5)?).open()?;
                    let sum = session.sum(|r| r.1.1).bounds(-9..=9)?.max_sum_per_unit(-5..=5)?;
                    sum.max_length_per_unit(6)?.by(|r| r.1.0, &[0, 1]).rho(0.5)?.release()
                })
            }),
            ("session over a sample of rows", |audit, rng| {
                let pairs =
                    [(vec![(1u64, 1u8); 9], vec![]), (vec![(1, 1), (2, 2), (1, 3)], vec![(2, 2)])];
                audit.run(epsilon(1.0), &pairs, rng, |rows: &[Row], rng| {
                    let rows = Reservoirs::sample(rows.iter().copied(), |r| r.0, 2, rng)?;
                    let session = users::<_, AddRemove>(&rows, epsilon(1.0), rng)?;
                    session.count().epsilon(1.0)?.release()
                })
            }),
            ("suggested limit of groups", |audit, rng| {
                let pairs =
                    [(vec![(1u64, 1u8), (1, 2), (2, 1)], vec![(2, 1)]), (vec![(1, 1)], vec![])];
                audit.run(epsilon(4.0), &pairs, rng, |rows: &[Row], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(4.0), rng)?;
                    session.suggest_groups_per_unit(|r| r.1, 50, &[1, 2, 5], 4.0)
                })
            }),
            ("suggested limit of totals, replace", |audit, rng| {
                let pairs =
                    [(vec![(1u64, i64::MIN)], vec![(1, 1)]), (vec![(1, 5); 3], vec![(1, 0)])];
                audit.run(epsilon(4.0), &pairs, rng, |rows: &[(u64, i64)], rng| {
                    let session = users::<_, Replace>(rows, epsilon(4.0), rng)?;
                    session.suggest_total_per_unit(|r| r.1, 50, &[1, 10, 100], 4.0)
                })
            }),
            ("groups left out", |audit, rng| {
                let pairs =
                    [((0..9u8).map(|g| (1u64, g)).collect(), vec![]), (vec![(1, 1)], vec![])];
                audit.run(epsilon(1.0), &pairs, rng, |rows: &[Row], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(1.0), rng)?;
                    session.estimate_groups_left_out(|r| r.1, 3, 1.0)
                })
            }),
            ("rows outside the bounds", |audit, rng| {
                let pairs = visits(rng)?;
                audit.run(epsilon(1.0), &pairs, rng, |rows: &[Visit], rng| {
                    let session = users::<_, AddRemove>(rows, epsilon(1.0), rng)?;
                    session.count_outside(|r| r.1, 0.0..=1.0).epsilon(1.0)?.release()
                })
            }),
        ],
    );
}

#[cfg(feature = "accounting")]
mod accounting {
    use dp_mechanisms::local::{DirectEncoding, FrequencyOracle, shuffle};
    use privacy_core::mechanism::Mechanism;
    use privacy_core::random::{RandomBuffer, SecureRng};

    use super::super::Rng;
    use super::*;

    fn claim(e: f64, d: f64) -> Claim {
        Claim::approximate(epsilon(e), Delta::new(d).unwrap())
    }

    #[test]
    fn prices_in_epsilon_and_delta_are_kept() {
        acquit(
            4 * FEW,
            &[
                ("session count of users, (ε, δ)", |audit, rng| {
                    let pairs = visits(rng)?;
                    audit.run(claim(1.0, 0.01), &pairs, rng, |rows: &[Visit], rng| {
                        let budget = (epsilon(1.0), Delta::new(0.01)?);
                        let session = users::<_, AddRemove>(rows, budget, rng)?;
                        session.count().epsilon_delta(1.0, 0.01)?.release()
                    })
                }),
                ("session sum of users, (ε, δ), replace", |audit, rng| {
                    let pairs = [(vec![(1u64, 0u8), (1, 0)], vec![(1, 1), (1, 9)])];
                    audit.run(claim(1.0, 0.01), &pairs, rng, |rows: &[Row], rng| {
                        let budget = (epsilon(1.0), Delta::new(0.01)?);
                        let session = users::<_, Replace>(rows, budget, rng)?;
                        session.sum(|r| r.1).bounds(0..=1)?.epsilon_delta(1.0, 0.01)?.release()
                    })
                }),
            ],
        );
    }

    /// How often each category was reported: all that a shuffled list says.
    fn counts(reports: &[u32]) -> [u64; 2] {
        let ones = reports.iter().filter(|report| **report == 1).count() as u64;
        [ones, reports.len() as u64 - ones]
    }

    #[test]
    fn shuffled_reports_keep_the_central_price_and_reports_in_order_do_not() {
        let oracle = DirectEncoding::new(2, &epsilon(1.5)).unwrap();
        let delta = Delta::new(0.01).unwrap();
        let devices = 1000usize;
        let central = shuffle::central_epsilon(oracle.epsilon(), devices as u64, &delta).unwrap();
        assert!(central.to_f64_up() < 0.5, "{central}");
        let claim = Claim::approximate(central, delta);
        // One device's value against the other's; all others hold 0.
        let mut rng = Rng::from_seed(5);
        let pairs = [(0i64, 1i64)];
        let report = |value: &i64, rng: &mut dyn SecureRng| {
            let values = std::iter::once(*value).chain(std::iter::repeat_n(0, devices - 1));
            values.map(|value| oracle.draw(&value, rng)).collect::<privacy_core::Result<Vec<u32>>>()
        };
        let audit = Audit::default().runs(6000);
        let shuffled = audit.run(claim.clone(), &pairs, &mut rng, |value: &i64, rng| {
            report(value, rng).map(|reports| counts(&reports))
        });
        assert!(!shuffled.unwrap().is_convicted());
        let in_order = audit.run(claim, &pairs, &mut rng, |value: &i64, rng| {
            report(value, rng)
                .map(|reports| (reports[0], RandomBuffer::new(rng).below(2).unwrap_or(0)))
        });
        assert!(in_order.unwrap().is_convicted());
    }
}
