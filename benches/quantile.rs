//! Private quantiles beside the sort that gives them without noise, and selection among a million
//! candidates.
//!
//! `cargo bench -p confidant --bench quantile`.

#![allow(missing_docs, reason = "criterion's macros write the functions")]

mod workload;

use std::hint::black_box;

use confidant::core::prelude::*;
use confidant::dp::prelude::Session;
use confidant::dp::quantile::{ApproxBounds, ApproxQuantiles, Quantile, QuantileTree, TreeShape};
use confidant::dp::select::{ExponentialMechanism, PermuteAndFlip, Scores, TopK};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const ROWS: usize = 1_000_000;
const CANDIDATES: usize = 1_000_000;

/// Ends the bench with the error, which no bench expects.
fn must<T, E: std::fmt::Display>(result: std::result::Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => {
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{error}\n"));
            std::process::exit(1)
        }
    }
}

/// Session lengths in milliseconds, many of them equal.
fn lengths() -> Vec<i64> {
    workload::lengths(ROWS).into_iter().map(|seconds| seconds * 1000).collect()
}

fn quantiles(c: &mut Criterion) {
    let values = lengths();
    let bounds = must(Bounds::new(0i64, 3_600_000));
    let epsilon = must(Epsilon::new(1.0));
    let mut rng = must(SystemRng::new());
    let mut group = c.benchmark_group("quantiles of a million rows");
    group.sample_size(20).throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("plain sort", |b| {
        b.iter(|| {
            let mut sorted = black_box(&values).clone();
            sorted.sort_unstable();
            sorted[ROWS / 2]
        });
    });
    for shown in ["1", "0.000001"] {
        let median: Quantile = must(Quantile::median(bounds, &must(shown.parse())));
        group.bench_function(format!("median, ε = {shown}"), |b| {
            b.iter(|| must(median.draw(black_box(&values), &mut rng)));
        });
    }
    let hundred: ApproxQuantiles = must(ApproxQuantiles::evenly(100, bounds, &epsilon));
    group.bench_function("100 quantiles by recursion", |b| {
        b.iter(|| must(hundred.draw(black_box(&values), &mut rng)));
    });
    let equal = vec![1_000i64; ROWS];
    group.bench_function("100 quantiles by recursion, all rows equal", |b| {
        b.iter(|| must(hundred.draw(black_box(&equal), &mut rng)));
    });
    let shape = must(TreeShape::new(bounds, 4, 16));
    let tree: QuantileTree<_> = must(QuantileTree::laplace(shape, &epsilon));
    group.bench_function("100 quantiles by a tree", |b| {
        b.iter(|| {
            let noisy = must(tree.draw(black_box(&values), &mut rng));
            (1..=100).map(|i| noisy.quantile(f64::from(i) / 101.0)).sum::<i64>()
        });
    });
    // What a caller pays in all: the bounds, the price, the budget, the record.
    let session = must(Session::over(black_box(&values)).budget(must(Epsilon::new(1e9))).open());
    let shares: Vec<f64> = (0..100).map(|i| f64::from(2 * i + 1) / 200.0).collect();
    group.bench_function("100 quantiles, asked of a session", |b| {
        b.iter(|| {
            let query = session.quantiles(|value| *value, &shares);
            let plan = must(must(query.bounds(0..=3_600_000)).epsilon(1.0));
            must(plan.release()).into_value()
        });
    });
    group.bench_function("distribution, asked of a session", |b| {
        b.iter(|| {
            let query = session.distribution(|value| *value);
            let plan = must(must(query.bounds(0..=3_600_000)).epsilon(1.0));
            let distribution = must(plan.release()).into_value();
            shares.iter().map(|share| distribution.quantile(*share)).sum::<i128>()
        });
    });
    let finder: ApproxBounds = must(ApproxBounds::new(&epsilon));
    group.bench_function("bounds", |b| {
        b.iter(|| must(finder.draw(black_box(&values), &mut rng)));
    });
    group.finish();
}

fn selection(c: &mut Criterion) {
    let scores: Vec<i128> = lengths().into_iter().map(i128::from).collect();
    let mut rng = must(SystemRng::new());
    let mut group = c.benchmark_group("selection among a million candidates");
    group.sample_size(20).throughput(Throughput::Elements(CANDIDATES as u64));
    for shown in ["1", "0.000001"] {
        let rate: Amount = must(shown.parse());
        let exponential = ExponentialMechanism::with_rate(rate.clone(), Scores::Any);
        group.bench_function(format!("exponential mechanism, rate {shown}"), |b| {
            b.iter(|| must(exponential.draw(black_box(&scores), &mut rng)));
        });
        let flip = PermuteAndFlip::with_rate(rate.clone(), Scores::Any);
        group.bench_function(format!("permute-and-flip, rate {shown}"), |b| {
            b.iter(|| must(flip.draw(black_box(&scores), &mut rng)));
        });
        let top = TopK::with_rate(100, rate, Scores::Any);
        group.bench_function(format!("100 best, rate {shown}"), |b| {
            b.iter(|| must(top.draw(black_box(&scores), &mut rng)));
        });
    }
    group.finish();
}

criterion_group!(benches, quantiles, selection);
criterion_main!(benches);
