//! Selection: which candidate, and which of a stream of questions.

use dp_mechanisms::audit::Neighbours;
use dp_mechanisms::prelude::*;
use dp_mechanisms::select::{
    AboveThreshold, ExponentialMechanism, NoisyMax, PermuteAndFlip, PrivateCandidate, Scores,
    Stopping, Tally, TopK,
};
use privacy_core::Result;
use privacy_core::measure::{PureCost, PureDp};
use privacy_core::mechanism::Mechanism;
use privacy_core::random::{RandomBuffer, SecureRng};
use privacy_core::space::Scalar;
use privacy_core::transformation::Transformation;

use super::{FEW, MANY, acquit, amount, epsilon};

type Pair = (Vec<i128>, Vec<i128>);

/// One candidate rises where all others fall: the worst that neighbours can do to a selection.
fn any_direction() -> Vec<Pair> {
    let crowd = |first: i128, others: i128| [vec![first], vec![others; 8]].concat();
    vec![
        (crowd(1, 0), crowd(0, 1)),
        (crowd(i128::MAX, i128::MAX - 1), crowd(i128::MAX - 1, i128::MAX)),
        (vec![1, 0], vec![0, 1]),
    ]
}

/// One candidate rises, or all others do.
fn one_direction() -> Vec<Pair> {
    let crowd = |first: i128, others: i128| [vec![first], vec![others; 8]].concat();
    vec![(crowd(1, 0), crowd(0, 0)), (crowd(0, 1), crowd(0, 0)), (vec![5], vec![6])]
}

#[test]
fn selections_keep_their_price() {
    acquit(
        MANY,
        &[
            ("permute-and-flip", |audit, rng| {
                let choose = PermuteAndFlip::calibrated(&amount("1"), &epsilon(1.0))?;
                audit.mechanism(&choose, &any_direction(), rng)
            }),
            ("permute-and-flip, monotone", |audit, rng| {
                let choose = PermuteAndFlip::monotone(&amount("1"), &epsilon(1.0))?;
                audit.mechanism(&choose, &one_direction(), rng)
            }),
            ("noisy maximum", |audit, rng| {
                let choose = NoisyMax::calibrated(&amount("1"), &epsilon(1.0), Scores::Any)?;
                audit.mechanism(&choose, &any_direction(), rng)
            }),
            ("noisy maximum, monotone", |audit, rng| {
                let choose = NoisyMax::calibrated(&amount("1"), &epsilon(1.0), Scores::Monotone)?;
                audit.mechanism(&choose, &one_direction(), rng)
            }),
            ("mode of records, added or removed", |audit, rng| {
                let choose = PermuteAndFlip::monotone(&amount("1"), &epsilon(1.0))?;
                let mode = Tally::<u8, AddRemove>::new(&[0, 1, 2, 3])?.then(choose);
                let pairs = Neighbours::of([0u8, 3, 9]).up_to_rows(3).add_remove(1, rng)?;
                audit.mechanism(&mode, &pairs, rng)
            }),
        ],
    );
}

#[test]
fn selections_of_the_exponential_mechanism_keep_their_price() {
    acquit(
        FEW,
        &[
            ("exponential mechanism", |audit, rng| {
                let choose = ExponentialMechanism::calibrated(&amount("1"), &epsilon(2.0))?;
                audit.mechanism(&choose, &any_direction(), rng)
            }),
            ("exponential mechanism, monotone", |audit, rng| {
                let choose = ExponentialMechanism::monotone(&amount("1"), &epsilon(2.0))?;
                audit.mechanism(&choose, &one_direction(), rng)
            }),
            ("exponential mechanism, ρ, multiplicities", |audit, rng| {
                let rho = Rho::new(0.5)?;
                let choose =
                    ExponentialMechanism::calibrated_zcdp(&amount("1"), &rho, Scores::Any)?;
                let choose = choose.with_multiplicities(vec![1, 12, 0])?;
                audit.mechanism(&choose, &[(vec![1, 0, 0], vec![0, 1, 1])], rng)
            }),
            ("the best two", |audit, rng| {
                let best = TopK::calibrated(2, &amount("1"), &epsilon(4.0), Scores::Any)?;
                let pair = (vec![1, 1, 0, 0, 0, 0, 0, 0], vec![0, 0, 1, 1, 1, 1, 1, 1]);
                audit.mechanism(&best, &[pair, (vec![1, 0, 0], vec![0, 1, 1])], rng)
            }),
            ("the best two, monotone, ρ", |audit, rng| {
                let rho = Rho::new(1.0)?;
                let best = TopK::calibrated_zcdp(2, &amount("1"), &rho, Scores::Monotone)?;
                let pair = (vec![1, 1, 0, 0, 0, 0, 0, 0], vec![0; 8]);
                audit.mechanism(&best, &[pair, (vec![0, 0, 1], vec![0, 0, 0])], rng)
            }),
            ("mode of records, replaced", |audit, rng| {
                let choose = ExponentialMechanism::calibrated(&amount("1"), &epsilon(2.0))?;
                let mode = Tally::<u8, Replace>::new(&[0, 1])?.then(choose);
                let pairs = [(vec![0], vec![1]), (vec![9, 1, 0], vec![1, 1, 0])];
                audit.mechanism(&mode, &pairs, rng)
            }),
        ],
    );
}

#[test]
fn the_sparse_vector_technique_keeps_its_price() {
    fn alarm(positives: u32, scores: Scores) -> Result<AboveThreshold> {
        AboveThreshold::calibrated(2, positives, &amount("1"), &epsilon(3.0), scores)
    }
    // Many questions that stay below tell of the threshold; then one that passes.
    fn quiet(first: i128, last: i128) -> Vec<i128> {
        [vec![first; 5], vec![last]].concat()
    }
    acquit(
        MANY,
        &[
            ("above threshold", |audit, rng| {
                let pairs = [(quiet(0, 3), quiet(1, 2)), (quiet(2, 2), quiet(3, 1))];
                audit.mechanism(&alarm(1, Scores::Any)?, &pairs, rng)
            }),
            ("above threshold, monotone", |audit, rng| {
                let pairs = [(quiet(0, 3), quiet(0, 2)), (quiet(0, 2), quiet(1, 3))];
                audit.mechanism(&alarm(1, Scores::Monotone)?, &pairs, rng)
            }),
            ("above threshold, three positives", |audit, rng| {
                let pairs = [(vec![3; 3], vec![2; 3]), (quiet(0, 3), quiet(1, 2))];
                audit.mechanism(&alarm(3, Scores::Any)?, &pairs, rng)
            }),
            ("above threshold, gaps", |audit, rng| {
                let pairs = [(quiet(0, 3), quiet(1, 2)), (vec![2; 2], vec![1; 2])];
                audit.mechanism(&alarm(1, Scores::Any)?.with_gaps(), &pairs, rng)
            }),
            ("above threshold, gaps, monotone, two positives", |audit, rng| {
                let extremes = (vec![i128::MAX, i128::MIN], vec![i128::MAX - 1, i128::MIN]);
                let pairs = [(quiet(0, 3), quiet(0, 2)), (vec![4; 4], vec![3; 4]), extremes];
                audit.mechanism(&alarm(2, Scores::Monotone)?.with_gaps(), &pairs, rng)
            }),
        ],
    );
}

/// Scores 1 with a chance of two in three for 1, and of one in three for 0: ε = ln 2. What comes
/// with the score is free.
struct Coin;

impl Mechanism for Coin {
    type Input = Scalar<i64>;
    type Measure = PureDp;
    type Output = (i128, u64);

    fn draw(&self, data: &i64, rng: &mut dyn SecureRng) -> Result<(i128, u64)> {
        let mut draw = RandomBuffer::new(rng);
        let truth = draw.below(3)? != 0;
        Ok((i128::from((*data == 1) == truth), draw.below(2)?))
    }

    fn cost(&self, _: Amount) -> Result<PureCost> {
        // ln 2, rounded up.
        Ok(PureCost { epsilon: amount("0.6931471806") })
    }
}

#[test]
fn private_candidates_keep_their_price() {
    acquit(
        MANY,
        &[
            ("private candidate, geometric", |audit, rng| {
                let best = PrivateCandidate::new(Coin, Stopping::Geometric, amount("1/10"))?;
                audit.mechanism(&best, &[(0, 1)], rng)
            }),
            ("private candidate, logarithmic", |audit, rng| {
                let best = PrivateCandidate::new(Coin, Stopping::Logarithmic, amount("1/10"))?;
                audit.mechanism(&best, &[(0, 1)], rng)
            }),
        ],
    );
}
