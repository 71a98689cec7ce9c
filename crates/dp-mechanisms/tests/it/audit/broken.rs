//! Mechanisms that are wrong in ways seen in the wild: each must be convicted.

use std::collections::BTreeMap;

use dp_mechanisms::additive::LaplaceNoise;
use dp_mechanisms::audit::{Audit, Claim, Neighbours, Verdict};
use dp_mechanisms::prelude::*;
use privacy_core::Result;
use privacy_core::mechanism::Mechanism;
use privacy_core::random::{InsecureTestRng, RandomBuffer, SecureRng};

use super::{Line, Rng, amount, epsilon};

#[expect(clippy::print_stdout, reason = "the verdicts are worth reading")]
fn convict(table: &[Line]) {
    for (i, (name, line)) in table.iter().enumerate() {
        let mut rng = Rng::from_seed(0xbad_0000 + i as u64);
        let verdict = line(&Audit::default().runs(60_000), &mut rng).unwrap();
        println!("{name}: {verdict}");
        assert!(verdict.is_convicted(), "{name}: {verdict}");
    }
}

/// Integer Laplace noise of the given scale.
fn laplace(scale: &str, rng: &mut dyn SecureRng) -> i128 {
    LaplaceNoise::scalar(amount(scale)).unwrap().draw(&0, rng).unwrap()
}

/// A float in (0, 1].
fn uniform(rng: &mut dyn SecureRng) -> f64 {
    ((RandomBuffer::new(rng).word().unwrap() >> 11) + 1) as f64 / 9_007_199_254_740_992.0
}

/// Textbook Laplace noise in floating point.
fn float_laplace(scale: f64, rng: &mut dyn SecureRng) -> f64 {
    let sign = if RandomBuffer::new(rng).bit().unwrap() { 1.0 } else { -1.0 };
    sign * scale * uniform(rng).ln()
}

/// Audits noise added to a number, at sensitivity 1 and ε = 1.
fn number<O: dp_mechanisms::audit::Observe>(
    audit: &Audit,
    rng: &mut Rng,
    mechanism: impl Fn(&i128, &mut dyn SecureRng) -> O,
) -> Result<Verdict> {
    audit.run(epsilon(1.0), &[(5, 6), (0, 1)], rng, mechanism)
}

#[test]
fn wrong_noise_is_convicted() {
    convict(&[
        ("half the scale", |audit, rng| number(audit, rng, |x, rng| x + laplace("1/2", rng))),
        ("four fifths of the scale", |audit, rng| {
            number(audit, rng, |x, rng| x + laplace("4/5", rng))
        }),
        ("no noise", |audit, rng| number(audit, rng, |x, _| *x)),
        ("floating-point Laplace", |audit, rng| {
            audit.run(epsilon(1.0), &[(0.0, 1.0)], rng, |x: &f64, rng| x + float_laplace(1.0, rng))
        }),
        ("truncated noise", |audit, rng| {
            number(audit, rng, |x, rng| x + laplace("1", rng).clamp(-3, 3))
        }),
        ("noise redrawn until it is small", |audit, rng| {
            number(audit, rng, |x, rng| {
                loop {
                    let noise = laplace("1", rng);
                    if noise.abs() <= 3 {
                        return x + noise;
                    }
                }
            })
        }),
        ("one-sided geometric noise", |audit, rng| {
            number(audit, rng, |x, rng| x + laplace("1", rng).abs())
        }),
        ("uniform noise", |audit, rng| {
            number(audit, rng, |x, rng| {
                x + i128::from(RandomBuffer::new(rng).below(9).unwrap()) - 4
            })
        }),
        ("a generator with 64 seeds", |audit, rng| {
            number(audit, rng, |x, rng| {
                let seed = RandomBuffer::new(rng).below(64).unwrap();
                x + laplace("1", &mut InsecureTestRng::from_seed(seed))
            })
        }),
        ("a fixed seed", |audit, rng| {
            number(audit, rng, |x, _| x + laplace("1", &mut InsecureTestRng::from_seed(7)))
        }),
        ("a seed from the data", |audit, rng| {
            number(audit, rng, |x, _| x + laplace("1", &mut InsecureTestRng::from_seed(*x as u64)))
        }),
        ("one noise for two answers", |audit, rng| {
            audit.run(epsilon(1.0), &[((3i128, 7), (4, 7))], rng, |x: &(i128, i128), rng| {
                let noise = laplace("1000000", rng);
                // In thousandths: a scale of 1000 for a sensitivity of 1.
                ((x.0 * 1000 + noise) as f64 / 1e3, (x.1 * 1000 + noise) as f64 / 1e3)
            })
        }),
        ("one noise for three answers", |audit, rng| {
            audit.run(
                epsilon(1.0),
                &[(vec![3i128, 7, 9], vec![4, 7, 9])],
                rng,
                |x: &[i128], rng| {
                    let noise = laplace("1000000", rng);
                    x.iter().map(|x| x + noise).collect::<Vec<_>>()
                },
            )
        }),
        ("the exact value once in 100 times", |audit, rng| {
            let claim = Claim::approximate(epsilon(0.001), Delta::new(1e-5)?);
            audit.run(claim, &[(5i128, 6)], rng, |x: &i128, rng| {
                let slip = RandomBuffer::new(rng).below(100).unwrap() == 0;
                if slip { *x } else { x + laplace("1000", rng) }
            })
        }),
        ("Gaussian noise of half the standard deviation", |audit, rng| {
            let noise = dp_mechanisms::additive::GaussianNoise::scalar(amount("1")).unwrap();
            let claim = Claim::zcdp(Rho::new(0.125)?);
            audit.run(claim, &[(0, 1)], rng, |x: &i128, rng| noise.draw(x, rng))
        }),
    ]);
}

#[test]
fn wrong_sensitivities_are_convicted() {
    convict(&[
        ("sum that uses the lower bound twice", |audit, rng| {
            let pairs = Neighbours::<i64>::extreme().add_remove(5, rng)?;
            // Bounds 0..=9; noise for a sensitivity of max(0, lower) + 5.
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[i64], rng| {
                let sum: i128 = rows.iter().map(|x| i128::from(*x.clamp(&0, &9))).sum();
                sum + laplace("5", rng)
            })
        }),
        ("clamping that lets NaN through", |audit, rng| {
            let pairs = Neighbours::<f64>::extreme().add_remove(5, rng)?;
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[f64], rng| {
                let sum: f64 = rows.iter().map(|x| x.clamp(0.0, 1.0)).sum();
                sum + laplace("1", rng) as f64
            })
        }),
        ("a mean that divides by the true count", |audit, rng| {
            let pairs = Neighbours::of([0.0, 1.0]).add_remove(5, rng)?;
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[f64], rng| {
                let sum: f64 = rows.iter().map(|x| x.clamp(0.0, 1.0)).sum();
                (sum + laplace("1", rng) as f64) / rows.len() as f64
            })
        }),
        ("a count of users that does not bound rows", |audit, rng| {
            let pairs = Neighbours::<u8>::extreme().users(5, rng)?;
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[(u64, u8)], rng| {
                rows.len() as i128 + laplace("1", rng)
            })
        }),
        ("a count by group that misses one group's noise", |audit, rng| {
            let pairs = Neighbours::of([0usize, 1, 2]).add_remove(5, rng)?;
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[usize], rng| {
                let count = |group| rows.iter().filter(|row| **row == group).count() as i128;
                [count(0) + laplace("1", rng), count(1) + laplace("1", rng), count(2)]
            })
        }),
        ("a histogram charged once for replacements", |audit, rng| {
            let pairs = Neighbours::of([0usize, 1]).replace(5, rng)?;
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[usize], rng| {
                let count = |group| rows.iter().filter(|row| **row == group).count() as i128;
                [count(0) + laplace("1", rng), count(1) + laplace("1", rng)]
            })
        }),
        ("100 coordinates under one coordinate's price", |audit, rng| {
            audit.run(epsilon(1.0), &[(0, 1)], rng, |x: &i128, rng| {
                let noise = LaplaceNoise::vector(amount("5")).unwrap();
                noise.draw(&[*x; 100], rng)
            })
        }),
    ]);
}

#[test]
fn wrong_keys_are_convicted() {
    convict(&[
        ("groups that appear when they have rows", |audit, rng| {
            let pairs = Neighbours::of(["de", "fr", "it"]).add_remove(5, rng)?;
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[&str], rng| {
                let mut counts: BTreeMap<&str, i128> = BTreeMap::new();
                rows.iter().for_each(|row| *counts.entry(row).or_default() += 1);
                counts
                    .into_iter()
                    .map(|(key, n)| (key.to_owned(), n + laplace("1", rng)))
                    .collect::<BTreeMap<_, _>>()
            })
        }),
        ("a threshold released at ≥ with the δ of >", |audit, rng| {
            // opendp#2922: scale 1, threshold 5, a single row.
            let claim = Claim::approximate(epsilon(1.0), Delta::new(0.004926)?);
            let audit = audit.clone().runs(200_000);
            audit.run(claim, &[(1i128, 0)], rng, |count: &i128, rng| {
                Some(count + laplace("1", rng)).filter(|noisy| *count > 0 && *noisy >= 5)
            })
        }),
        ("keys released by a threshold on the exact count", |audit, rng| {
            let claim = Claim::approximate(epsilon(1.0), Delta::new(1e-6)?);
            audit.run(claim, &[(5i128, 4)], rng, |count: &i128, rng| {
                (*count >= 5).then(|| count + laplace("1", rng))
            })
        }),
    ]);
}

/// Ten queries; on the second data set each has moved by 1, half of them down.
fn queries() -> [(Vec<i128>, Vec<i128>); 1] {
    let first = [vec![0; 5], vec![1; 5]].concat();
    let second = [vec![1; 5], vec![0; 5]].concat();
    [(first, second)]
}

#[test]
fn wrong_selection_is_convicted() {
    convict(&[
        ("sparse vector without noise on the queries", |audit, rng| {
            audit.run(epsilon(1.0), &queries(), rng, |queries: &[i128], rng| {
                let threshold = 1 + laplace("2", rng);
                queries.iter().map(|q| *q >= threshold).collect::<Vec<bool>>()
            })
        }),
        ("sparse vector without a limit on positives", |audit, rng| {
            audit.run(epsilon(1.0), &queries(), rng, |queries: &[i128], rng| {
                let threshold = 1 + laplace("2", rng);
                queries.iter().map(|q| q + laplace("2", rng) >= threshold).collect::<Vec<bool>>()
            })
        }),
        ("sparse vector that shows the compared value", |audit, rng| {
            let pairs = [(vec![0i128; 20], vec![1; 20])];
            audit.run(epsilon(1.0), &pairs, rng, |queries: &[i128], rng| {
                let threshold = -4 + laplace("2", rng);
                let noisy = queries.iter().map(|q| q + laplace("4", rng));
                noisy.map(|noisy| (noisy >= threshold).then_some(noisy)).collect::<Vec<_>>()
            })
        }),
        ("sparse vector with a threshold without noise", |audit, rng| {
            audit.run(epsilon(1.0), &queries(), rng, |queries: &[i128], rng| {
                queries.iter().map(|q| q + laplace("4", rng) >= 1).collect::<Vec<bool>>()
            })
        }),
        ("noisy maximum that shows its value", |audit, rng| {
            let pairs = [(vec![0i128; 10], vec![1i128; 10])];
            audit.run(epsilon(0.5), &pairs, rng, |queries: &[i128], rng| {
                let noisy = queries.iter().map(|q| q + laplace("2", rng));
                noisy.enumerate().map(|(i, noisy)| (noisy, i)).max()
            })
        }),
        ("maximum without noise, random ties", |audit, rng| {
            audit.run(epsilon(1.0), &[(vec![3, 3], vec![4, 3])], rng, |queries: &[i128], rng| {
                let best = queries.iter().max().copied();
                let tied: Vec<usize> =
                    (0..queries.len()).filter(|&i| Some(queries[i]) == best).collect();
                tied[RandomBuffer::new(rng).below(tied.len() as u64).unwrap() as usize]
            })
        }),
    ]);
}

#[test]
fn failures_that_depend_on_data_are_convicted() {
    // Panics of the audited mechanisms are part of the test; their messages are not.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|info| {
        let expected = info.payload().downcast_ref::<&str>().is_some_and(|s| *s == "overflow");
        if !expected {
            println!("{info}");
        }
    }));
    convict(&[
        ("an error on large rows", |audit, rng| {
            let pairs = Neighbours::<i64>::extreme().add_remove(5, rng)?;
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[i64], rng| {
                match rows.contains(&i64::MAX) {
                    true => Err("a row is too large"),
                    false => Ok(rows.len() as i128 + laplace("1", rng)),
                }
            })
        }),
        ("an error that counts rows", |audit, rng| {
            let pairs = Neighbours::<i64>::extreme().add_remove(5, rng)?;
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[i64], rng| {
                let die = RandomBuffer::new(rng).below(50).unwrap();
                match die {
                    0 => Err(format!("{} rows", rows.len())),
                    _ => Ok(rows.len() as i128 + laplace("1", rng)),
                }
            })
        }),
        ("nothing but errors, which count rows", |audit, rng| {
            audit.run(epsilon(1.0), &[(vec![1, 2], vec![1])], rng, |rows: &[i32], _| {
                Err::<i128, _>(format!("{} rows", rows.len()))
            })
        }),
        ("a panic on overflow", |audit, rng| {
            let pairs = Neighbours::<i64>::extreme().add_remove(5, rng)?;
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[i64], rng| {
                let sum = rows.iter().try_fold(0i64, |sum, x| sum.checked_add(*x));
                let sum = sum.unwrap_or_else(|| panic!("overflow"));
                i128::from(sum.clamp(0, 1)) + laplace("1", rng)
            })
        }),
    ]);
    std::panic::set_hook(hook);
}
