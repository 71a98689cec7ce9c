//! What finding personal data costs: prose, dense forms, with and without names, start-up.

#![allow(clippy::unwrap_used, reason = "a bench that cannot start should stop")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use deid_text::Analyzer;

const PROSE: &str = "The committee met in the morning and spoke about the new library for most of the day. Nobody had read \
    the plans, although they had been sent out weeks before, and so the discussion went back and forth without much of a \
    result. In the end the chair proposed to wait until spring, when the costs of 12 similar buildings would be known, and to \
    ask the architects for a smaller version in the meantime.\n";

const FORM: &str = "Name: Ana Lovelace\nDate of birth: 12/05/1987\nSSN: 536-22-1847\nPhone: (415) 555-0132\nEmail: \
    ana@example.org\nCard: 4111 1111 1111 1111 exp 04/27\nIBAN: DE89 3704 0044 0532 0130 00\nIP: 203.0.113.17\nAddress: 12 Baker \
    Street, Leeds LS1 4AP\nPassport: X1234567\n\n";

fn text(unit: &str, bytes: usize) -> String {
    let mut out = unit.repeat(bytes / unit.len() + 1);
    out.truncate(bytes);
    out
}

/// Prose with about one per cent of personal data.
fn mixed() -> String {
    PROSE.repeat(40) + FORM
}

fn scan(c: &mut Criterion) {
    let patterns = Analyzer::builder().without_names().build().unwrap();
    let all = Analyzer::new().unwrap();
    let mut group = c.benchmark_group("deid/scan");
    group.sample_size(10);
    for (name, unit) in [("prose", mixed()), ("forms", FORM.to_owned())] {
        for size in [100_000, 10_000_000] {
            let text = text(&unit, size);
            group.throughput(Throughput::Bytes(size as u64));
            group.bench_function(BenchmarkId::new(format!("patterns, {name}"), size), |b| {
                b.iter(|| patterns.scan(black_box(&text)).unwrap().len());
            });
        }
        let text = text(&unit, 100_000);
        group.throughput(Throughput::Bytes(100_000));
        group.bench_function(BenchmarkId::new(format!("with names, {name}"), 100_000), |b| {
            b.iter(|| all.scan(black_box(&text)).unwrap().len());
        });
    }
    group.finish();
    c.bench_function("deid/build without names", |b| {
        b.iter(|| Analyzer::builder().without_names().build().unwrap());
    });
}

criterion_group!(benches, scan);
criterion_main!(benches);
