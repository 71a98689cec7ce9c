//! Secret sharing and computing on shares, three parties in one thread.
//!
//! `cargo bench -p smpc-shares --bench smpc`. Ratios from alternating runs are the business of
//! `benches/peers/smpc.py`.

#![allow(missing_docs, reason = "criterion's macros write the functions")]
#![allow(clippy::unwrap_used, reason = "a bench has nobody to tell")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use privacy_core::random::SystemRng;
use smpc_shares::field::{Mersenne61, Z64};
use smpc_shares::net::{Config, simulate};
use smpc_shares::sharing::bytes;
use smpc_shares::{Party, Replicated, Shamir};

const SECRETS: usize = 1 << 16;

fn sharing(c: &mut Criterion) {
    let mut group = c.benchmark_group("Shamir (3, 1)");
    let scheme = Shamir::new(3, 1).unwrap();
    let mut rng = SystemRng::new().unwrap();
    let secrets: Vec<Mersenne61> = (0..SECRETS as u64).map(Mersenne61::from).collect();
    let shares = scheme.share(&secrets, &mut rng).unwrap();
    group.throughput(Throughput::Elements(SECRETS as u64));
    group.bench_function("share", |b| b.iter(|| scheme.share(&secrets, &mut rng).unwrap()));
    group.bench_function("reconstruct", |b| {
        b.iter(|| scheme.reconstruct(&shares[..2]).unwrap());
    });
    let secret = vec![7; 1 << 20];
    let parts = bytes::share(&scheme, &secret, &mut rng).unwrap();
    group.throughput(Throughput::Bytes(1 << 20));
    group.bench_function("share bytes", |b| {
        b.iter(|| bytes::share(&scheme, &secret, &mut rng).unwrap());
    });
    group.bench_function("reconstruct bytes", |b| {
        b.iter(|| bytes::reconstruct(&scheme, &parts[..2]).unwrap());
    });
    group.finish();
}

/// Session, inputs and opening are included: what a program pays.
fn computing(c: &mut Criterion) {
    let mut group = c.benchmark_group("session");
    group.sample_size(10);
    group.throughput(Throughput::Elements(SECRETS as u64));
    group.bench_function("inner product, replicated", |b| {
        let values = vec![Z64(3); SECRETS];
        b.iter(|| {
            simulate(Config::replicated(), async |party: &mut Party<Z64, Replicated>| {
                let shared = party.input_from_all(&values).await?;
                let dot = party.dot(&shared[0], &shared[1]).await?;
                party.open(&dot).await.map(black_box)
            })
            .unwrap()
        });
    });
    group.bench_function("comparison, replicated", |b| {
        let values = vec![Z64(3); SECRETS];
        b.iter(|| {
            simulate(Config::replicated(), async |party: &mut Party<Z64, Replicated>| {
                let shared = party.input_from_all(&values).await?;
                let less = party.less_than(&shared[0], &shared[1]).await?;
                party.open(&less.total()).await.map(black_box)
            })
            .unwrap()
        });
    });
    group.finish();
}

criterion_group!(benches, sharing, computing);
criterion_main!(benches);
