//! Differential privacy: private queries beside the plain loop that does the same without noise,
//! and how fast noise is drawn.
//!
//! `cargo bench -p confidant --bench dp`. Ratios from alternating runs are the business of
//! `benches/peers/dp.py`.

#![allow(missing_docs, reason = "criterion's macros write the functions")]

mod workload;

use std::hint::black_box;
use std::time::Duration;

use confidant::core::mechanism::Mechanism;
use confidant::dp::keys::{
    GaussianThreshold, KeyChanges, KeyCounts, LaplaceThreshold, SparseHistogram, TruncatedGeometric,
};
use confidant::dp::noise::constant_time::{ConstantTimeGaussian, ConstantTimeLaplace};
use confidant::dp::noise::{DiscreteGaussian, DiscreteLaplace};
use confidant::dp::prelude::*;
use criterion::{BatchSize, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use workload::{APPS, Login, SECONDS, logins, plain};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const ROWS: usize = 10_000_000;
const USERS: u64 = 1_000_000;
const ROWS_OF_USER: u32 = 20;
const APPS_OF_USER: u32 = 4;
const EPSILON: f64 = 0.1;
const DRAWS: usize = 10_000;

/// Enough for every repetition of a bench.
fn budget() -> Result<Epsilon> {
    Ok(Epsilon::new(1e9)?)
}

/// Ends the bench with the error, which no bench expects.
fn must<T>(result: Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => {
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{error}\n"));
            std::process::exit(1)
        }
    }
}

fn by_record(rows: &[Login]) -> Result<Session<'_, Login>> {
    Ok(Session::over(black_box(rows)).budget(budget()?).open()?)
}

fn by_user(rows: &[Login]) -> Result<Session<'_, Login, User>> {
    let session = Session::over(black_box(rows)).unit(|login: &Login| login.user);
    let session = session.max_rows_per_unit(ROWS_OF_USER).max_groups_per_unit(APPS_OF_USER);
    Ok(session.budget(budget()?).open()?)
}

macro_rules! ask {
    ($session:expr, $($query:tt)+) => {{
        let session = $session;
        Ok(session.$($query)+.epsilon(EPSILON)?.release()?)
    }};
}

fn count_without_unit(c: &mut Criterion, rows: &[Login]) {
    let mut group = c.benchmark_group("count of failures, rows protected");
    group.throughput(Throughput::Elements(rows.len() as u64));
    group.bench_function("plain loop", |b| b.iter(|| plain::failures(rows)));
    group.bench_function("private", |b| {
        let query = || -> Result<Release<i64>> {
            ask!(&mut by_record(rows)?, count().filter(|login| login.failed))
        };
        b.iter(|| must(query()));
    });
    group.finish();
}

fn sum_without_unit(c: &mut Criterion, rows: &[Login]) {
    let mut group = c.benchmark_group("bounded sum, rows protected");
    group.throughput(Throughput::Elements(rows.len() as u64));
    group.bench_function("plain loop", |b| b.iter(|| plain::seconds(rows)));
    group.bench_function("private", |b| {
        let query = || -> Result<Release<i128>> {
            ask!(&mut by_record(rows)?, sum(|login| login.seconds).bounds(SECONDS)?)
        };
        b.iter(|| must(query()));
    });
    group.finish();
}

fn count_by_user(c: &mut Criterion, rows: &[Login]) {
    let mut group = c.benchmark_group("count, users protected");
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(rows.len() as u64));
    group.bench_function("plain hash aggregation", |b| {
        b.iter(|| plain::rows_by_user(rows, ROWS_OF_USER.into()));
    });
    group.bench_function("private, opening the session", |b| {
        let query = || -> Result<Release<i64>> { ask!(&mut by_user(rows)?, count()) };
        b.iter(|| must(query()));
    });
    let session = must(by_user(rows));
    group.bench_function("private, session open", |b| {
        let query = || -> Result<Release<i64>> { ask!(&session, count()) };
        b.iter(|| must(query()));
    });
    group.finish();
}

fn sum_by_user(c: &mut Criterion, rows: &[Login]) {
    let mut group = c.benchmark_group("bounded sum, users protected");
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(rows.len() as u64));
    group.bench_function("plain hash aggregation", |b| b.iter(|| plain::seconds_by_user(rows)));
    group.bench_function("private, opening the session", |b| {
        let query = || -> Result<Release<i128>> {
            ask!(&mut by_user(rows)?, sum(|login| login.seconds).bounds(SECONDS)?)
        };
        b.iter(|| must(query()));
    });
    let session = must(by_user(rows));
    group.bench_function("private, session open", |b| {
        let query = || -> Result<Release<i128>> {
            ask!(&session, sum(|login| login.seconds).bounds(SECONDS)?)
        };
        b.iter(|| must(query()));
    });
    group.finish();
}

fn count_by_app(c: &mut Criterion, rows: &[Login]) {
    let apps: Vec<u16> = (0..APPS).collect();
    let mut group = c.benchmark_group("count by 1000 known applications, users protected");
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(rows.len() as u64));
    group.bench_function("plain hash group-by", |b| b.iter(|| plain::rows_by_app(rows)));
    group.bench_function("private, opening the session", |b| {
        let query = || -> Result<GroupedRelease<u16, i64>> {
            ask!(&mut by_user(rows)?, count().by(|login| login.app, &apps))
        };
        b.iter(|| must(query()));
    });
    let session = must(by_user(rows));
    group.bench_function("private, session open", |b| {
        let query = || -> Result<GroupedRelease<u16, i64>> {
            ask!(&session, count().by(|login| login.app, &apps))
        };
        b.iter(|| must(query()));
    });
    group.finish();
}

fn queries(c: &mut Criterion) {
    let rows = logins(ROWS, USERS);
    count_without_unit(c, &rows);
    sum_without_unit(c, &rows);
    count_by_user(c, &rows);
    sum_by_user(c, &rows);
    count_by_app(c, &rows);
}

fn noise(c: &mut Criterion) {
    let mut rng = must(SystemRng::new().map_err(Into::into));
    let mut group = c.benchmark_group("noise");
    for parameter in [3, 1 << 10, 1 << 20, 1 << 32] {
        let scale = Amount::from_integer(parameter);
        let laplace = must(DiscreteLaplace::new(scale.as_ratio().clone()).map_err(Into::into));
        let gaussian =
            must(DiscreteGaussian::new(scale.squared().as_ratio().clone()).map_err(Into::into));
        let draws = vec![0i128; DRAWS];

        group.throughput(Throughput::Elements(DRAWS as u64));
        group.bench_function(format!("discrete Laplace, scale {parameter}, batch"), |b| {
            b.iter_batched_ref(
                || draws.clone(),
                |draws| must(laplace.fill(draws, &mut rng).map_err(Into::into)),
                BatchSize::LargeInput,
            );
        });
        group.bench_function(format!("discrete Gaussian, sigma {parameter}, batch"), |b| {
            b.iter_batched_ref(
                || draws.clone(),
                |draws| must(gaussian.fill(draws, &mut rng).map_err(Into::into)),
                BatchSize::LargeInput,
            );
        });

        let steady = must(ConstantTimeLaplace::new(scale.as_ratio().clone()).map_err(Into::into));
        group.bench_function(format!("discrete Laplace, scale {parameter}, constant time"), |b| {
            b.iter_batched_ref(
                || draws.clone(),
                |draws| must(steady.fill(draws, &mut rng).map_err(Into::into)),
                BatchSize::LargeInput,
            );
        });
        let variance = scale.squared().as_ratio().clone();
        let steady = must(ConstantTimeGaussian::new(variance).map_err(Into::into));
        group.bench_function(format!("discrete Gaussian, sigma {parameter}, constant time"), |b| {
            b.iter_batched_ref(
                || draws.clone(),
                |draws| must(steady.fill(draws, &mut rng).map_err(Into::into)),
                BatchSize::LargeInput,
            );
        });

        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("discrete Laplace, scale {parameter}, one"), |b| {
            b.iter(|| must(laplace.sample(&mut rng).map_err(Into::into)));
        });
        group.bench_function(format!("discrete Gaussian, sigma {parameter}, one"), |b| {
            b.iter(|| must(gaussian.sample(&mut rng).map_err(Into::into)));
        });
    }
    group.finish();
}

/// A million keys with one to a hundred thousand units each, most of them with few.
fn keys(c: &mut Criterion) {
    const KEYS: u64 = 1_000_000;
    let mut rng = must(SystemRng::new().map_err(Into::into));
    let scattered = |i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let tail = KeyCounts::new((1..=KEYS).map(|i| (scattered(i), 100_000 / i + 1)));
    let large = KeyCounts::new((1..=KEYS).map(|i| (scattered(i), 1000 + i % 1000)));
    let one = KeyChanges::of_unit(1);
    let (epsilon, delta) =
        (must(Epsilon::new(1.0).map_err(Into::into)), must(Delta::new(1e-9).map_err(Into::into)));
    let geometric: TruncatedGeometric<u64> =
        must(TruncatedGeometric::calibrated(&epsilon, &delta, one).map_err(Into::into));
    let laplace: LaplaceThreshold<u64> =
        must(LaplaceThreshold::calibrated(&epsilon, &delta, one).map_err(Into::into));
    let gaussian: GaussianThreshold<u64> =
        must(GaussianThreshold::calibrated(&epsilon, &delta, one).map_err(Into::into));
    let sparse: SparseHistogram<_> =
        must(SparseHistogram::calibrated(0..=u64::MAX, &epsilon, one, 1.0).map_err(Into::into));
    let mut group = c.benchmark_group("selection among 1e6 keys");
    group.throughput(Throughput::Elements(KEYS));
    for (shape, counts) in [("a long tail", &tail), ("large counts", &large)] {
        group.bench_function(format!("{shape}, truncated geometric"), |b| {
            b.iter(|| must(geometric.draw(counts, &mut rng).map_err(Into::into)));
        });
        group.bench_function(format!("{shape}, Laplace threshold"), |b| {
            b.iter(|| must(laplace.draw(counts, &mut rng).map_err(Into::into)));
        });
        group.bench_function(format!("{shape}, Gaussian threshold"), |b| {
            b.iter(|| must(gaussian.draw(counts, &mut rng).map_err(Into::into)));
        });
        group.bench_function(format!("{shape}, sparse histogram over 2^64 keys"), |b| {
            b.iter(|| must(sparse.draw(counts, &mut rng).map_err(Into::into)));
        });
    }
    group.finish();
}

fn settings() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args()
}

criterion_group! { name = dp; config = settings(); targets = noise, keys, queries }
criterion_main!(dp);
