//! Every public mechanism of the crate under audit, beside a gallery of broken ones.
//!
//! Each audit wrongly convicts with probability at most 10^-6, and the seeds are fixed. A
//! mechanism is added with one line: its name, and an audit of it on neighbours that it can hardly
//! keep apart.

mod additive;
mod broken;
mod keys;
mod local;
mod moments;
mod order;
mod quantile;
mod reach;
mod replayed;
mod select;
mod session;
mod sketch;
mod stream;
mod subtle;

use std::time::Instant;

use dp_mechanisms::additive::LaplaceNoise;
use dp_mechanisms::audit::{Audit, Claim, Neighbours, Verdict};
use dp_mechanisms::prelude::*;
use privacy_core::Result;
use privacy_core::mechanism::Mechanism;
use privacy_core::random::{InsecureTestRng, RandomBuffer, SecureRng};

type Rng = InsecureTestRng;
type Line = (&'static str, fn(&Audit, &mut Rng) -> Result<Verdict>);

/// Runs of the audit of a mechanism that takes about a microsecond.
const MANY: u64 = 60_000;

/// Runs of the audit of a mechanism that takes some ten microseconds.
const SOME: u64 = 30_000;

/// Runs of the audit of a mechanism that takes some fifty microseconds.
const FEW: u64 = 8_000;

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
        // Few runs bound probabilities less tightly, and what a fit shows of one user is little.
        let power = if runs > FEW { 0.1 } else { 0.02 };
        assert!(share > power, "{name}: the audit has no power: {verdict}");
    }
}

fn epsilon(value: f64) -> Epsilon {
    Epsilon::new(value).unwrap()
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
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

/// A session over rows of users, of each of whom two are used.
fn users<'a, T: Sync, A: Adjacency>(
    rows: &'a [(u64, T)],
    budget: impl Into<Allowance>,
    rng: &mut dyn SecureRng,
) -> dp_mechanisms::Result<Session<'a, (u64, T), User, A>> {
    let session = Session::over(rows).unit(|row: &(u64, T)| row.0).max_rows_per_unit(2);
    session.adjacency::<A>().context(context(rng)?).budget(budget).open()
}

/// A session over rows that are protected one by one.
fn records<'a, T, A: Adjacency>(
    rows: &'a [T],
    budget: impl Into<Allowance>,
    rng: &mut dyn SecureRng,
) -> dp_mechanisms::Result<Session<'a, T, Record, A>> {
    Session::over(rows).adjacency::<A>().context(context(rng)?).budget(budget).open()
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
    let run = |seed| {
        // A sampler that has drawn before reads its random words in another way.
        let noise = LaplaceNoise::scalar(amount("1")).unwrap();
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
