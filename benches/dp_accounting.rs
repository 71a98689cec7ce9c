//! What a user of dp-accounting waits for.

#![allow(clippy::print_stderr, missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use dp_accounting::filter::Odometer;
use dp_accounting::gaussian::GaussianDp;
use dp_accounting::loss::LossDistribution;
use dp_accounting::renyi::RenyiCurve;
use privacy_core::measure::Charge;
use privacy_core::params::{Delta, Rho};

type Outcome = Result<(), Box<dyn std::error::Error>>;

const RATE: f64 = 256.0 / 60_000.0;

fn loss(c: &mut Criterion) -> Outcome {
    let epoch = LossDistribution::gaussian(1.1)?.poisson_sampled(RATE)?.repeat(14_062);
    let mut group = c.benchmark_group("loss distribution");
    group.sample_size(20);
    group.bench_function("sampled Gaussian 14062 steps, epsilon", |b| {
        b.iter(|| black_box(&epoch).epsilon_upper(1e-5, 1e-4));
    });
    group.bench_function("sampled Gaussian 14062 steps, bracket 1e-4", |b| {
        b.iter(|| black_box(&epoch).epsilon_within(1e-5, 1e-4));
    });
    group.bench_function("sampled Gaussian 14062 steps, bracket 1e-6", |b| {
        b.iter(|| black_box(&epoch).epsilon_within(1e-5, 1e-6));
    });
    let short = LossDistribution::gaussian(1.0)?.poisson_sampled(0.01)?.repeat(1000);
    group.bench_function("sampled Gaussian 1000 steps, epsilon", |b| {
        b.iter(|| black_box(&short).epsilon_upper(1e-5, 1e-4));
    });
    let laplace = LossDistribution::laplace(10.0)?.repeat(100);
    group.bench_function("Laplace 100 releases, epsilon", |b| {
        b.iter(|| black_box(&laplace).epsilon_upper(1e-6, 1e-4));
    });
    group.bench_function("Laplace 100 releases, bracket 1e-4", |b| {
        b.iter(|| black_box(&laplace).epsilon_within(1e-6, 1e-4));
    });
    group.finish();
    Ok(())
}

fn renyi(c: &mut Criterion) -> Outcome {
    c.bench_function("Rényi epsilon of 10^4 sampled steps", |b| {
        b.iter(|| {
            RenyiCurve::sampled_gaussian(black_box(1.1), RATE)
                .and_then(|curve| curve.repeat(10_000).epsilon(1e-5))
        });
    });
    c.bench_function("analytic Gaussian sigma", |b| {
        b.iter(|| GaussianDp::noise_multiplier(black_box(1.0), 1e-5));
    });
    Ok(())
}

fn odometer(c: &mut Criterion) -> Outcome {
    let odometer = Odometer::new(&Delta::new(1e-6)?)?;
    let charge = Charge::from(Rho::new(1e-7)?);
    for _ in 0..100_000 {
        odometer.record(&charge)?;
    }
    c.bench_function("odometer query after 10^5 events", |b| {
        b.iter(|| black_box(&odometer).epsilon());
    });
    c.bench_function("odometer record and query", |b| {
        b.iter(|| odometer.record(&charge).map(|()| odometer.epsilon()));
    });
    Ok(())
}

fn all(c: &mut Criterion) {
    for part in [loss, renyi, odometer] {
        if let Err(error) = part(c) {
            eprintln!("a benchmark could not be set up: {error}");
        }
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
