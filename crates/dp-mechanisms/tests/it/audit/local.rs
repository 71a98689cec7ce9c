//! Local randomizers: one value in, one report out.

use dp_mechanisms::local::{
    DirectEncoding, HadamardResponse, HybridMean, LocalHashing, OneBitMean, PiecewiseMean, Rappor,
    SubsetSelection, UnaryEncoding,
};
use dp_mechanisms::prelude::*;

use super::{MANY, acquit, amount, epsilon};

/// Categories of four, the last two of them beyond the domain on either side.
const CATEGORIES: [(i64, i64); 3] = [(0, 1), (2, 3), (i64::MIN, i64::MAX)];

#[test]
fn frequency_oracles_keep_their_price() {
    acquit(
        MANY,
        &[
            ("direct encoding", |audit, rng| {
                let oracle = DirectEncoding::new(4, &epsilon(1.0)).unwrap();
                audit.mechanism(&oracle, &CATEGORIES, rng)
            }),
            ("unary encoding, symmetric", |audit, rng| {
                let oracle = UnaryEncoding::symmetric(4, &epsilon(1.0)).unwrap();
                audit.mechanism(&oracle, &CATEGORIES, rng)
            }),
            ("unary encoding, optimized", |audit, rng| {
                let oracle = UnaryEncoding::optimized(4, &epsilon(1.0)).unwrap();
                audit.mechanism(&oracle, &CATEGORIES, rng)
            }),
            ("local hashing", |audit, rng| {
                let oracle = LocalHashing::optimal(4, &epsilon(1.0)).unwrap();
                audit.mechanism(&oracle, &CATEGORIES, rng)
            }),
            ("local hashing, binary", |audit, rng| {
                let oracle = LocalHashing::binary(4, &epsilon(1.0)).unwrap();
                audit.mechanism(&oracle, &CATEGORIES, rng)
            }),
            ("Hadamard response", |audit, rng| {
                let oracle = HadamardResponse::new(4, &epsilon(1.0)).unwrap();
                audit.mechanism(&oracle, &CATEGORIES, rng)
            }),
            ("subset selection", |audit, rng| {
                let oracle = SubsetSelection::new(6, &epsilon(0.5)).unwrap();
                audit.mechanism(&oracle, &CATEGORIES, rng)
            }),
            ("RAPPOR, one report", |audit, rng| {
                let rappor = Rappor::new(3, amount("1/2"), amount("1/4"), amount("3/4")).unwrap();
                let pairs = [(0u32, 1), (2, u32::MAX)];
                audit.run(rappor.single_epsilon().clone(), &pairs, rng, |category: &u32, rng| {
                    rappor.report(&rappor.permanent(*category, rng)?, rng)
                })
            }),
            ("RAPPOR, six reports of a value", |audit, rng| {
                let rappor = Rappor::new(2, amount("1/2"), amount("0"), amount("3/4")).unwrap();
                let claim = rappor.lifetime_epsilon().clone();
                audit.run(claim, &[(0u32, 1)], rng, |category: &u32, rng| {
                    let kept = rappor.permanent(*category, rng)?;
                    let reports = (0..6).map(|_| rappor.report(&kept, rng));
                    reports.collect::<Result<Vec<_>, _>>()
                })
            }),
        ],
    );
}

#[test]
fn local_means_keep_their_price() {
    const VALUES: [(i64, i64); 3] = [(-10, 10), (0, 3), (i64::MIN, i64::MAX)];
    fn bounds() -> privacy_core::Result<Bounds<i64>> {
        Bounds::new(-10, 10)
    }
    acquit(
        MANY,
        &[
            ("one-bit mean", |audit, rng| {
                let mean = OneBitMean::new(bounds()?, &epsilon(1.0)).unwrap();
                audit.mechanism(&mean, &VALUES, rng)
            }),
            ("piecewise mean", |audit, rng| {
                let mean = PiecewiseMean::new(bounds()?, &epsilon(1.0)).unwrap();
                audit.mechanism(&mean, &VALUES, rng)
            }),
            ("hybrid mean", |audit, rng| {
                let mean = HybridMean::new(bounds()?, &epsilon(2.0)).unwrap();
                audit.mechanism(&mean, &VALUES, rng)
            }),
        ],
    );
}
