//! Selection of keys: by themselves and in sessions.

use dp_mechanisms::audit::{Audit, Claim, Observe, Sight, Verdict};
use dp_mechanisms::keys::{
    GaussianThreshold, IterativeSelection, KeyChanges, KeyCounts, KeyLists, LaplaceThreshold,
    SparseHistogram, TruncatedGeometric, WeightedGaussian,
};
use dp_mechanisms::prelude::*;
use privacy_core::Result;
use privacy_core::mechanism::Mechanism;
use privacy_core::random::SecureRng;

use super::{FEW, Rng, SOME, amount, context, epsilon, users};

type Counts = (KeyCounts<u8>, KeyCounts<u8>);
type Row = (u64, u8);

/// Audits that must not convict, each beside the same mechanism under a tenth of its δ (or less),
/// which must: what selection gives away is its δ, not its ε.
fn keep(runs: u64, table: &[(&str, fn(&Audit, &mut Rng, f64) -> Result<Verdict>, Option<f64>)]) {
    for (i, (name, line, too_low)) in table.iter().enumerate() {
        let audit = Audit::default().runs(runs);
        let mut rng = Rng::from_seed(0xacc1_0000 + i as u64);
        let verdict = line(&audit, &mut rng, 1.0).unwrap();
        assert!(!verdict.is_convicted(), "{name}: {verdict}");
        if let Some(share) = too_low {
            // What is rare takes more runs to tell from what never happens.
            let verdict = line(&Audit::default().runs(4 * runs), &mut rng, *share).unwrap();
            assert!(verdict.is_convicted(), "{name} at {share} of its δ: {verdict}");
        }
    }
}

fn claim(e: f64, d: f64) -> Claim {
    Claim::approximate(epsilon(e), Delta::new(d).unwrap())
}

/// A unit in two keys: one of its own and one of others; and two keys of its own.
fn two_keys() -> Vec<Counts> {
    let counts = |pairs: &[(u8, u64)]| KeyCounts::new(pairs.iter().copied());
    vec![
        (counts(&[(0, 3), (1, 1)]), counts(&[(0, 2)])),
        (counts(&[(0, 1), (1, 1)]), counts(&[])),
        (counts(&[(0, 5), (1, 6)]), counts(&[(0, 4), (1, 5)])),
    ]
}

#[test]
fn key_selection_keeps_its_price() {
    keep(
        SOME,
        &[
            (
                "truncated geometric",
                |audit, rng, share| {
                    let (e, d) = (epsilon(1.0), Delta::new(0.05)?);
                    let law = TruncatedGeometric::<u8>::calibrated(&e, &d, KeyChanges::of_unit(2))
                        .map_err(privacy_core::Error::technique)?;
                    let draw =
                        |counts: &KeyCounts<u8>, rng: &mut dyn SecureRng| law.draw(counts, rng);
                    audit.run(claim(1.0, 0.05 * share), &two_keys(), rng, draw)
                },
                Some(0.1),
            ),
            (
                "Laplace threshold",
                |audit, rng, share| {
                    let (e, d) = (epsilon(1.0), Delta::new(0.05)?);
                    let law = LaplaceThreshold::<u8>::calibrated(&e, &d, KeyChanges::of_unit(2))
                        .map_err(privacy_core::Error::technique)?;
                    let draw =
                        |counts: &KeyCounts<u8>, rng: &mut dyn SecureRng| law.draw(counts, rng);
                    audit.run(claim(1.0, 0.05 * share), &two_keys(), rng, draw)
                },
                Some(0.1),
            ),
            (
                "Laplace threshold, at least two units",
                |audit, rng, share| {
                    let (e, d) = (epsilon(1.0), Delta::new(0.05)?);
                    let law = LaplaceThreshold::<u8>::calibrated(&e, &d, KeyChanges::of_unit(2))
                        .map_err(privacy_core::Error::technique)?
                        .with_least_units(2);
                    let draw =
                        |counts: &KeyCounts<u8>, rng: &mut dyn SecureRng| law.draw(counts, rng);
                    audit.run(claim(1.0, 0.05 * share), &two_keys(), rng, draw)
                },
                None,
            ),
            (
                "Gaussian threshold",
                |audit, rng, share| {
                    let (e, d) = (epsilon(1.0), Delta::new(0.05)?);
                    let law = GaussianThreshold::<u8>::calibrated(&e, &d, KeyChanges::of_unit(2))
                        .map_err(privacy_core::Error::technique)?;
                    let draw =
                        |counts: &KeyCounts<u8>, rng: &mut dyn SecureRng| law.draw(counts, rng);
                    audit.run(claim(1.0, 0.05 * share), &two_keys(), rng, draw)
                },
                // Much of its δ goes to noise; what the threshold lets through is the rest.
                Some(0.01),
            ),
            (
                "sparse histogram",
                |audit, rng, _| {
                    let law = SparseHistogram::<_, AddRemove>::new(0u8..=255, &amount("2"), 4)
                        .map_err(privacy_core::Error::technique)?;
                    let draw =
                        |counts: &KeyCounts<u8>, rng: &mut dyn SecureRng| law.draw(counts, rng);
                    audit.run(epsilon(1.0), &two_keys(), rng, draw)
                },
                None,
            ),
            (
                "weighted Gaussian",
                |audit, rng, share| {
                    let (e, d) = (epsilon(1.0), Delta::new(0.1)?);
                    let law = WeightedGaussian::<u8>::calibrated(&e, &d, 3)
                        .map_err(privacy_core::Error::technique)?;
                    let draw = |lists: &KeyLists<u8>, rng: &mut dyn SecureRng| law.draw(lists, rng);
                    audit.run(claim(1.0, 0.1 * share), &lists(), rng, draw)
                },
                Some(0.1),
            ),
            (
                "iterative selection",
                |audit, rng, share| {
                    let (e, d) = (epsilon(1.0), Delta::new(0.1)?);
                    let law = IterativeSelection::<u8>::calibrated(&e, &d, 3, 2)
                        .map_err(privacy_core::Error::technique)?;
                    let draw = |lists: &KeyLists<u8>, rng: &mut dyn SecureRng| law.draw(lists, rng);
                    audit.run(claim(1.0, 0.1 * share), &lists(), rng, draw)
                },
                Some(0.1),
            ),
        ],
    );
}

fn lists() -> Vec<(KeyLists<u8>, KeyLists<u8>)> {
    let of = |pairs: &[(u8, u8)]| KeyLists::new(pairs.iter().copied());
    let others = [(1, 0), (2, 0), (2, 1)];
    vec![
        (of(&[&others[..], &[(9, 2)]].concat()), of(&others)),
        (of(&[&others[..], &[(9, 0), (9, 1), (9, 2), (9, 3)]].concat()), of(&others)),
        (of(&[(9, 7)]), of(&[])),
    ]
}

/// A user with rows in four groups, two of them of nobody else, and with more rows than count.
fn rows() -> Vec<(Vec<Row>, Vec<Row>)> {
    let others = vec![(1, 0), (1, 1), (2, 0), (3, 0)];
    let with = |groups: &[u8]| {
        let user = groups.iter().map(|group| (9, *group));
        user.chain(others.iter().copied()).collect::<Vec<Row>>()
    };
    vec![
        (with(&[5, 6, 0, 1, 5, 5]), others.clone()),
        (with(&[0, 0, 0]), others.clone()),
        (vec![(9, 200)], vec![]),
    ]
}

#[test]
fn discovered_groups_keep_their_price() {
    keep(
        FEW,
        &[
            (
                "session count of units by discovered groups",
                |audit, rng, share| {
                    audit.run(claim(1.0, 0.1 * share), &rows(), rng, |rows: &[Row], rng| {
                        let session = users::<_, AddRemove>(rows, budget(), rng)?;
                        let query = session.count_units().by_discovered(|r| r.1);
                        query.epsilon_delta(1.0, 0.1)?.release().map(Shown)
                    })
                },
                Some(0.02),
            ),
            (
                "session count by discovered groups",
                |audit, rng, share| {
                    audit.run(claim(2.0, 0.1 * share), &rows(), rng, |rows: &[Row], rng| {
                        let session = users::<_, AddRemove>(rows, budget(), rng)?;
                        let query = session.count().by_discovered(|r| r.1);
                        query.epsilon_delta(2.0, 0.1)?.release().map(Shown)
                    })
                },
                None,
            ),
            (
                "session count by weighted groups",
                |audit, rng, share| {
                    audit.run(claim(2.0, 0.2 * share), &rows(), rng, |rows: &[Row], rng| {
                        let session = users::<_, AddRemove>(rows, budget(), rng)?;
                        let query = session.count().by_discovered(|r| r.1).weighted(2);
                        query.epsilon_delta(2.0, 0.2)?.release().map(Shown)
                    })
                },
                None,
            ),
            (
                "session count by weighted groups, replace",
                |audit, rng, share| {
                    let pairs = [(vec![(9u64, 1u8), (1, 0)], vec![(9u64, 2u8), (1, 0)])];
                    audit.run(claim(3.0, 0.3 * share), &pairs, rng, |rows: &[Row], rng| {
                        let session = users::<_, Replace>(rows, budget(), rng)?;
                        let query = session.count().by_discovered(|r| r.1).weighted(1);
                        query.epsilon_delta(3.0, 0.3)?.release().map(Shown)
                    })
                },
                None,
            ),
            (
                "session count of units by discovered groups, ρ",
                |audit, rng, share| {
                    audit.run(claim(6.0, 0.1 * share), &rows(), rng, |rows: &[Row], rng| {
                        let session = users::<_, AddRemove>(rows, budget(), rng)?;
                        let query = session.count_units().by_discovered(|r| r.1);
                        let plan = query.rho_delta(0.5, 0.1)?;
                        assert!(plan.cost().in_approximate().unwrap().epsilon < 6.into());
                        plan.release().map(Shown)
                    })
                },
                None,
            ),
        ],
    );
}

fn budget() -> Allowance {
    (epsilon(8.0), Delta::new(0.5).unwrap()).into()
}

/// Which groups were released, and their numbers: all that an attacker sees.
struct Shown(GroupedRelease<u8, i64>);

impl Observe for Shown {
    fn observe(&self, sight: &mut Sight) {
        const GROUPS: [(u8, &str); 6] =
            [(0, "zero"), (1, "one"), (2, "two"), (5, "five"), (6, "six"), (200, "last")];
        for (group, name) in GROUPS {
            let of_group = self.0.get(&group).map(|release| *release.value());
            sight.field(name, |sight| of_group.observe(sight));
        }
    }
}

#[test]
fn weighted_selection_says_what_it_does_not_do() {
    let rows = [(1u64, 1u8), (2, 1)];
    let mut rng = Rng::from_seed(1);
    let session = users::<_, AddRemove>(&rows, budget(), &mut rng).unwrap();
    let query = || session.count().by_discovered(|r| r.1).weighted(2);
    assert!(query().rho_delta(0.1, 0.1).unwrap_err().to_string().contains("epsilon_delta"));
    assert!(query().least_units(3).epsilon_delta(1.0, 0.1).unwrap_err().is_parameter());
    assert!(query().weighted(0).epsilon_delta(1.0, 0.1).unwrap_err().is_parameter());
    let plan = query().epsilon_delta(1.0, 0.1).unwrap();
    assert!(plan.probability(1) <= 0.1 && plan.probability(0).abs() < 1e-300);
    assert!(plan.probability(plan.threshold()) >= 0.5);
    assert!(plan.probability(plan.threshold() - 1) < 0.5);
    // Empty tables, and rows without units.
    let none: [(u64, u8); 0] = [];
    let session = users::<_, AddRemove>(&none, budget(), &mut rng).unwrap();
    let released = session.count().by_discovered(|r| r.1).weighted(1).epsilon_delta(1.0, 0.1);
    assert!(released.unwrap().release().unwrap().is_empty());
    let words = vec!["a"; 4000];
    let session = Session::over(&words).context(context(&mut rng).unwrap()).budget(budget());
    let session = session.open().unwrap();
    let released = session.count().by_discovered(|w| *w).weighted(1).epsilon_delta(1.0, 1e-6);
    let released = released.unwrap().release().unwrap();
    assert!((released.get("a").unwrap().value() - 4000).abs() < 100);
}
