//! Mechanisms that are wrong by little, or in events that are rare: how many runs convict them.

use std::collections::{BTreeMap, BTreeSet};

use dp_mechanisms::additive::LaplaceNoise;
use dp_mechanisms::audit::{Audit, Claim, Neighbours, Verdict};
use dp_mechanisms::prelude::*;
use privacy_core::Result;
use privacy_core::mechanism::Mechanism;
use privacy_core::random::{InsecureTestRng, RandomBuffer, SecureRng};

use super::{Rng, amount, epsilon};

type Case = (&'static str, u64, fn(&Audit, &mut Rng) -> Result<Verdict>);

/// Convicts each case with the given number of runs.
#[expect(clippy::print_stdout, reason = "the verdicts are worth reading")]
fn convict(cases: &[Case]) {
    let mut missed = Vec::new();
    for (i, (name, runs, case)) in cases.iter().enumerate() {
        let mut rng = Rng::from_seed(0x5b71_e000 + i as u64);
        let started = std::time::Instant::now();
        let verdict = case(&Audit::default().runs(*runs), &mut rng).unwrap();
        println!("{name}: {verdict} [{:?}]", started.elapsed());
        if !verdict.is_convicted() {
            missed.push(*name);
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

fn laplace(scale: &str, rng: &mut dyn SecureRng) -> i128 {
    LaplaceNoise::scalar(amount(scale)).unwrap().draw(&0, rng).unwrap()
}

fn below(n: u64, rng: &mut dyn SecureRng) -> u64 {
    RandomBuffer::new(rng).below(n).unwrap()
}

/// A float in (0, 1).
fn uniform(rng: &mut dyn SecureRng) -> f64 {
    ((RandomBuffer::new(rng).word().unwrap() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
}

/// One question far from its neighbours' and many that move the other way.
fn opposite(many: usize) -> [(Vec<i128>, Vec<i128>); 1] {
    let answers = |others: i128, last: i128| [vec![others; many], vec![last]].concat();
    [(answers(0, 1), answers(1, 0))]
}

#[test]
fn sparse_vectors_of_the_literature_are_convicted() {
    // The numbers are those of Lyu, Su and Li 2017, https://arxiv.org/abs/1603.01699, figure 1, at ε = 1
    // and sensitivity 1.
    convict(&[
        ("algorithm 3: a positive shows the noisy answer", 1_000_000, |audit, rng| {
            audit.run(epsilon(1.0), &opposite(20), rng, |queries: &[i128], rng| {
                let threshold = laplace("2", rng);
                let mut out = Vec::new();
                for query in queries {
                    let noisy = query + laplace("2", rng);
                    out.push((noisy >= threshold).then_some(noisy));
                    if noisy >= threshold {
                        break;
                    }
                }
                out
            })
        }),
        ("algorithm 4: the noise of questions forgets the limit", 60_000, |audit, rng| {
            audit.run(epsilon(1.0), &opposite(5), rng, |queries: &[i128], rng| {
                let threshold = laplace("4", rng);
                let mut left = 5;
                let mut out = Vec::new();
                for query in queries {
                    let above = query + laplace("4/3", rng) >= threshold;
                    out.push(above);
                    left -= u32::from(above);
                    if left == 0 {
                        break;
                    }
                }
                out
            })
        }),
        ("algorithm 5: no noise on questions", 60_000, |audit, rng| {
            audit.run(epsilon(1.0), &opposite(1), rng, |queries: &[i128], rng| {
                let threshold = laplace("2", rng);
                queries.iter().map(|query| *query >= threshold).collect::<Vec<bool>>()
            })
        }),
        ("algorithm 6: no limit", 60_000, |audit, rng| {
            let pairs = [(
                vec![0i128; 10].into_iter().chain([1; 10]).collect::<Vec<_>>(),
                vec![1; 10].into_iter().chain([0; 10]).collect(),
            )];
            audit.run(epsilon(1.0), &pairs, rng, |queries: &[i128], rng| {
                let threshold = laplace("2", rng);
                queries
                    .iter()
                    .map(|query| query + laplace("2", rng) >= threshold)
                    .collect::<Vec<bool>>()
            })
        }),
    ]);
}

#[test]
fn wrong_constants_are_convicted() {
    convict(&[
        ("nine tenths of the scale", 60_000, |audit, rng| {
            audit.run(epsilon(1.0), &[(0, 1)], rng, |x: &i128, rng| x + laplace("9/10", rng))
        }),
        ("19 twentieths of the scale", 200_000, |audit, rng| {
            audit.run(epsilon(1.0), &[(0, 1)], rng, |x: &i128, rng| x + laplace("19/20", rng))
        }),
        ("0 twice as often", 60_000, |audit, rng| {
            // A sign and a magnitude, of which -0 is not drawn again.
            audit.run(epsilon(1.0), &[(0, 1)], rng, |x: &i128, rng| {
                loop {
                    let draw = laplace("1", rng);
                    if draw == 0 || below(2, rng) == 0 {
                        return x + draw;
                    }
                }
            })
        }),
        ("a sum's sensitivity as the width of its bounds", 60_000, |audit, rng| {
            let pairs = Neighbours::<i64>::extreme().add_remove(5, rng)?;
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[i64], rng| {
                let sum: i128 = rows.iter().map(|x| i128::from(*x.clamp(&5, &9))).sum();
                sum + laplace("4", rng)
            })
        }),
        ("a noisy maximum with half the noise", 60_000, |audit, rng| {
            let pairs = [(vec![0i128, 1, 1, 1, 1], vec![1, 0, 0, 0, 0])];
            audit.run(epsilon(1.0), &pairs, rng, |queries: &[i128], rng| {
                let noisy = queries.iter().map(|q| q + laplace("1", rng));
                noisy.enumerate().map(|(i, noisy)| (noisy, i)).max().map(|best| best.1)
            })
        }),
        ("an exponential mechanism without the 2", 60_000, |audit, rng| {
            let pairs = [(vec![0.0, 1.0, 1.0], vec![1.0, 0.0, 0.0])];
            audit.run(epsilon(1.0), &pairs, rng, |scores: &[f64], rng| {
                let weights: Vec<f64> = scores.iter().map(|score| f64::exp(*score)).collect();
                let mut left = uniform(rng) * weights.iter().sum::<f64>();
                weights.iter().position(|w| {
                    left -= w;
                    left < 0.0
                })
            })
        }),
        ("the three largest with the noise of one", 60_000, |audit, rng| {
            let pairs = [(vec![1i128, 1, 1, 0, 0, 0], vec![0, 0, 0, 1, 1, 1])];
            audit.run(epsilon(1.0), &pairs, rng, |queries: &[i128], rng| {
                let mut noisy: Vec<(i128, usize)> =
                    queries.iter().enumerate().map(|(i, q)| (q + laplace("2", rng), i)).collect();
                noisy.sort_unstable();
                noisy.iter().rev().take(3).map(|best| best.1).collect::<Vec<_>>()
            })
        }),
        ("randomized response that may lie with the truth", 60_000, |audit, rng| {
            // Keeps the answer with probability e/(e + 3), else one of the other two: the odds are
            // those of three other answers.
            audit.run(epsilon(0.5), &[(0u8, 1)], rng, |x: &u8, rng| {
                let e = 0.5f64.exp();
                if uniform(rng) < (e + 0.3) / (e + 2.0) {
                    *x
                } else {
                    (x + 1 + below(2, rng) as u8) % 3
                }
            })
        }),
        ("a tree without noise at its root", 60_000, |audit, rng| {
            let pairs = [(vec![1i128, 0, 0, 0], vec![0, 0, 0, 0])];
            audit.run(epsilon(1.0), &pairs, rng, |x: &[i128], rng| {
                let leaves: Vec<i128> = x.iter().map(|x| x + laplace("2", rng)).collect();
                (leaves, x.iter().sum::<i128>())
            })
        }),
        ("a tree charged for one level of three", 60_000, |audit, rng| {
            let pairs = [(vec![1i128, 0, 0, 0], vec![0, 0, 0, 0])];
            audit.run(epsilon(1.0), &pairs, rng, |x: &[i128], rng| {
                let mut nodes: Vec<i128> = x.to_vec();
                nodes.extend([x[0] + x[1], x[2] + x[3], x.iter().sum()]);
                nodes.iter().map(|node| node + laplace("1", rng)).collect::<Vec<_>>()
            })
        }),
    ]);
}

#[test]
fn leaks_beside_the_noise_are_convicted() {
    convict(&[
        ("as many outputs as rows", 20_000, |audit, rng| {
            let pairs = Neighbours::<i64>::extreme().add_remove(5, rng)?;
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[i64], rng| {
                rows.iter().map(|_| laplace("1", rng)).collect::<Vec<_>>()
            })
        }),
        ("groups in the order of the table", 20_000, |audit, rng| {
            let pairs = Neighbours::of(["de", "fr", "it"]).add_remove(5, rng)?;
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[&str], rng| {
                let mut groups: Vec<&str> = Vec::new();
                rows.iter().for_each(|row| {
                    if !groups.contains(row) {
                        groups.push(row)
                    }
                });
                let rest = ["de", "fr", "it"].into_iter().filter(|g| !groups.contains(g));
                let groups: Vec<&str> = groups.iter().copied().chain(rest).collect();
                groups
                    .iter()
                    .map(|group| {
                        let count = rows.iter().filter(|row| *row == group).count() as i128;
                        ((*group).to_owned(), count + laplace("1", rng))
                    })
                    .collect::<Vec<_>>()
            })
        }),
        ("no noise where there is nothing", 20_000, |audit, rng| {
            let pairs = Neighbours::of([0usize, 1, 2]).add_remove(5, rng)?;
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[usize], rng| {
                let count = |group| rows.iter().filter(|row| **row == group).count() as i128;
                [0, 1, 2].map(|group| match count(group) {
                    0 => 0,
                    n => n + laplace("1", rng),
                })
            })
        }),
        ("bounds that are those of the data", 60_000, |audit, rng| {
            let pairs = Neighbours::of([0i64, 10, 1000]).add_remove(5, rng)?;
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[i64], rng| {
                let largest = rows.iter().max().copied().unwrap_or(0).max(1);
                let sum: i128 = rows.iter().map(|x| i128::from(*x)).sum();
                let noise = LaplaceNoise::scalar(Amount::from_integer(largest as u64)).unwrap();
                noise.draw(&sum, rng).unwrap()
            })
        }),
        ("values that are not clamped", 20_000, |audit, rng| {
            let pairs = Neighbours::<i64>::extreme().add_remove(5, rng)?;
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[i64], rng| {
                rows.iter().map(|x| i128::from(*x)).sum::<i128>() + laplace("10", rng)
            })
        }),
        ("rounding that amplifies", 60_000, |audit, rng| {
            // Rounded to tens before the noise: one row can change it by ten.
            let pairs = [(vec![1i64; 5], vec![1; 4]), (vec![1; 3], vec![1; 2])];
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[i64], rng| {
                let count = rows.len() as i128;
                (count + 5) / 10 * 10 + laplace("1", rng)
            })
        }),
        ("an even sum of even noise", 60_000, |audit, rng| {
            // Noise on a lattice that the values are not on.
            audit.run(epsilon(1.0), &[(0i128, 1)], rng, |x: &i128, rng| x + 2 * laplace("1", rng))
        }),
        ("noise in steps of a float that is too fine", 60_000, |audit, rng| {
            audit.run(epsilon(1.0), &[(0.0f64, 1.0)], rng, |x: &f64, rng| {
                let sign = if below(2, rng) == 0 { 1.0 } else { -1.0 };
                x + sign * -(1.0 - uniform(rng)).ln()
            })
        }),
        ("a threshold on rows instead of users", 60_000, |audit, rng| {
            let claim = Claim::approximate(epsilon(1.0), Delta::new(1e-4)?);
            let pairs = Neighbours::of(["rare"]).users(3, rng)?;
            audit.run(claim, &pairs, rng, |rows: &[(u64, &str)], rng| {
                let mut counts: BTreeMap<&str, i128> = BTreeMap::new();
                rows.iter().for_each(|(_, key)| *counts.entry(key).or_default() += 1);
                let kept = counts.iter().filter(|(_, n)| **n + laplace("1", rng) >= 10);
                kept.map(|(key, _)| (*key).to_owned()).collect::<BTreeSet<_>>()
            })
        }),
        ("a threshold one too low", 400_000, |audit, rng| {
            // δ of a threshold of 8 at scale 1 is 1/(1 + r) r^7 = 6.67e-4; released from 7 on.
            let claim = Claim::approximate(epsilon(1.0), Delta::new(6.67e-4)?);
            audit.run(claim, &[(1i128, 0)], rng, |units: &i128, rng| {
                (*units > 0).then(|| units + laplace("1", rng)).filter(|noisy| *noisy >= 7)
            })
        }),
        ("a mean that is exact where all agree", 60_000, |audit, rng| {
            let pairs = Neighbours::of([0i64, 1]).add_remove(5, rng)?;
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[i64], rng| {
                match rows.iter().all(|x| *x == 0) {
                    true => 0,
                    false => rows.iter().map(|x| i128::from(*x)).sum::<i128>() + laplace("1", rng),
                }
            })
        }),
        ("a sample of half the rows, exactly", 60_000, |audit, rng| {
            // Half of the rows exactly: their number is told, as is a rare row now and then.
            let pairs = Neighbours::of([0i64, 7]).add_remove(5, rng)?;
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[i64], rng| {
                let kept: Vec<i64> = rows.iter().filter(|_| below(2, rng) == 0).copied().collect();
                kept.iter().copied().max()
            })
        }),
        ("one seed for all groups", 60_000, |audit, rng| {
            let pairs = Neighbours::of([0usize, 1]).add_remove(5, rng)?;
            audit.run(epsilon(1.0), &pairs, rng, |rows: &[usize], rng| {
                let seed = RandomBuffer::new(rng).word().unwrap();
                let count = |group| rows.iter().filter(|row| **row == group).count() as i128;
                [0, 1]
                    .map(|group| count(group) + laplace("1", &mut InsecureTestRng::from_seed(seed)))
            })
        }),
        ("an answer remembered from the run before", 20_000, |audit, rng| {
            let seen = std::sync::atomic::AtomicI64::new(0);
            audit.run(epsilon(1.0), &[(3i64, 4)], rng, move |x: &i64, rng| {
                // Only every hundredth answer has noise.
                let turn = seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if turn % 100 == 0 { i128::from(*x) + laplace("1", rng) } else { i128::from(*x) }
            })
        }),
    ]);
}
