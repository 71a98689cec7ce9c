//! What users of `paillier-he` wait for: batches of 64 under a key of 2048 and 3072 bits.

#![allow(clippy::expect_used, missing_docs, reason = "a bench that cannot start should stop")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use paillier_he::prelude::*;

const BATCH: usize = 64;

fn columns(c: &mut Criterion) {
    for bits in [2048, 3072] {
        let mut group = c.benchmark_group(format!("{bits} bits"));
        group.sample_size(10).throughput(Throughput::Elements(BATCH as u64));
        let mut rng = SystemRng::new().expect("entropy");
        let options = KeyOptions::default().bits(bits);
        let key = PrivateKey::generate(options, &mut rng).expect("a key");
        let public = key.public_key();
        let encoding = Encoding::integers_up_to(1u64 << 40);
        let values: Vec<i64> = (0..BATCH as i64).collect();
        let weights = vec![(1i64 << 62) - 1; BATCH];
        let x = key.encrypt_batch(&values, &encoding, &mut rng).expect("encrypted");
        group.bench_function("encrypt with the public key", |b| {
            b.iter(|| public.encrypt_batch(&values, &encoding, &mut rng));
        });
        group.bench_function("encrypt with the private key", |b| {
            b.iter(|| key.encrypt_batch(&values, &encoding, &mut rng));
        });
        group.bench_function("decrypt", |b| b.iter(|| key.decrypt_batch(&x)));
        group.bench_function("add", |b| b.iter(|| x.add(&x)));
        group.bench_function("sum", |b| b.iter(|| x.sum()));
        group.bench_function("multiply by 63 bits", |b| b.iter(|| x.multiply(&weights, 63)));
        group.bench_function("dot product, 16-bit weights", |b| {
            let weights: Vec<i64> = (0..BATCH as i64).map(|i| i * 1021).collect();
            b.iter(|| x.dot_vartime(&weights));
        });
        group.finish();
    }
}

criterion_group!(benches, columns);
criterion_main!(benches);
