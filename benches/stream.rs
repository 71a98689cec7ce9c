//! Continual sums: how long a step of a stream takes, noise included.
//!
//! `cargo bench -p confidant --bench stream`.

#![allow(missing_docs, reason = "criterion's macros write the functions")]

use confidant::core::random::SystemRng;
use confidant::dp::prelude::*;
use confidant::dp::stream::{
    Continual, Contribution, SquareRootPlan, TreePlan, UnboundedPlan, WindowPlan,
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const STEPS: u64 = 1 << 16;
const UNIT: Contribution = Contribution::ONE_RECORD;

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

fn run(mut stream: impl Continual) -> Result<f64> {
    let mut latest = 0.0;
    for step in 0..STEPS {
        latest = stream.step((step % 10) as i64)?;
    }
    Ok(latest)
}

fn streams(c: &mut Criterion) -> Result<()> {
    let (epsilon, rho) = (Epsilon::new(1.0)?, Rho::new(0.5)?);
    let laplace = TreePlan::laplace(STEPS, UNIT, &epsilon)?;
    let gaussian = TreePlan::gaussian(STEPS, UNIT, &rho)?;
    let root = SquareRootPlan::new(STEPS, UNIT, &rho)?;
    let window = WindowPlan::laplace(1440, UNIT, &epsilon)?;
    let unbounded = UnboundedPlan::laplace(UNIT, &epsilon)?;

    let mut group = c.benchmark_group("65536 steps of a stream");
    group.throughput(Throughput::Elements(STEPS)).sample_size(10);
    macro_rules! bench {
        ($name:literal, $rng:ident, $open:expr) => {
            group.bench_function($name, |b| {
                let open = || -> Result<_> {
                    let $rng = SystemRng::new()?;
                    Ok($open)
                };
                b.iter_batched(|| must(open()), |stream| must(run(stream)), BatchSize::PerIteration)
            });
        };
    }
    bench!("tree, Laplace", rng, laplace.open(rng));
    bench!("tree, Gaussian", rng, gaussian.open(rng));
    bench!("refined tree, Laplace", rng, laplace.open_refined(rng));
    bench!("square root", rng, root.open(rng));
    bench!("window of 1440, Laplace", rng, window.open(rng));
    bench!("unbounded, Laplace", rng, unbounded.open(rng)?);
    group.finish();
    Ok(())
}

fn all(c: &mut Criterion) {
    must(streams(c));
}

criterion_group!(benches, all);
criterion_main!(benches);
