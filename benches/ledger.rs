//! Throughput of the ledger: charges, audit appends, proofs, authorization.
//!
//! `cargo bench -p privacy-ledger --bench ledger`. The durable figures depend on the disk: put the
//! file elsewhere with `TMPDIR`.

#![allow(missing_docs, reason = "criterion's macros write the functions")]
#![allow(clippy::unwrap_used, reason = "a bench that fails stops")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use privacy_core::access::{AccessRequest, Authorizer, Decision};
use privacy_core::audit::{AuditRecord, RecordId};
use privacy_core::budget::Budget;
use privacy_core::guarantee::Guarantee;
use privacy_core::measure::Charge;
use privacy_core::prelude::*;
use privacy_ledger::access::{Policy, Rule};
use privacy_ledger::{Account, Ledger, Signer};

fn users() -> Scope {
    Scope::of::<User, AddRemove>()
}

fn charge() -> Charge {
    Charge::pure(Amount::from_fraction(1u8, 1000u16).unwrap())
}

fn limit() -> Allowance {
    Allowance::Pure { epsilon: Amount::from_integer(1_000_000_000) }
}

fn open(ledger: Ledger) -> Ledger {
    ledger.open_account(Account::root(limit())).unwrap();
    ledger
}

fn record(i: u64) -> AuditRecord {
    let guarantee = Guarantee::DifferentialPrivacy { charge: charge(), scope: users() };
    AuditRecord::new(
        Actor::new("reporting-job"),
        Purpose::new("weekly usage"),
        Resource::new("logins by country"),
        guarantee,
    )
    .charged(RequestId::new(format!("request {i}")), charge())
}

/// One charge is a reservation and its commitment: two entries.
fn spend(budget: &impl Budget, name: String) {
    let reservation = budget.reserve(&RequestId::new(name), &charge(), users()).unwrap();
    budget.commit(reservation).unwrap();
}

fn charges(c: &mut Criterion) {
    let mut group = c.benchmark_group("charges");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    let ledger = open(Ledger::in_memory());
    let mut next = 0u64;
    group.bench_function("memory, one thread", |b| {
        b.iter(|| {
            next += 1;
            spend(&ledger, next.to_string());
        })
    });
    let memory = open(Ledger::in_memory());
    let leaf = "tenant/logins/reporting/ann";
    for path in ["tenant", "tenant/logins", "tenant/logins/reporting", leaf] {
        memory.open_account(Account::at(path, limit()).unwrap()).unwrap();
    }
    let deep = memory.account(leaf).unwrap();
    group.bench_function("memory, five accounts deep", |b| {
        b.iter(|| {
            next += 1;
            spend(&deep, next.to_string());
        })
    });
    let folder = tempfile::tempdir().unwrap();
    let durable = open(Ledger::open(folder.path().join("budget.db")).unwrap());
    group.sample_size(10).measurement_time(Duration::from_secs(8));
    for threads in [64, 256] {
        group.bench_function(format!("durable file, {threads} threads"), |b| {
            b.iter_custom(|charges| {
                next += 1;
                let each = charges.div_ceil(threads);
                let started = Instant::now();
                std::thread::scope(|scope| {
                    for thread in 0..threads {
                        let (durable, run) = (&durable, next);
                        scope.spawn(move || {
                            for i in 0..each {
                                spend(durable, format!("{run}/{thread}/{i}"));
                            }
                        });
                    }
                });
                started.elapsed().mul_f64(charges as f64 / (each * threads) as f64)
            })
        });
    }
    group.finish();
}

fn appends(c: &mut Criterion) {
    let mut group = c.benchmark_group("audit appends");
    const BATCH: u64 = 1000;
    group.throughput(Throughput::Elements(BATCH)).sample_size(20);
    let folder = tempfile::tempdir().unwrap();
    let file = Ledger::open(folder.path().join("budget.db")).unwrap();
    for (name, ledger) in
        [("memory, batches of 1000", Ledger::in_memory()), ("durable file, batches of 1000", file)]
    {
        group.bench_function(name, |b| {
            b.iter_batched(
                || (0..BATCH).map(record).collect::<Vec<_>>(),
                |batch| ledger.record_all(batch).unwrap(),
                criterion::BatchSize::LargeInput,
            )
        });
    }
    group.finish();
}

fn proofs(c: &mut Criterion) {
    let mut group = c.benchmark_group("proofs");
    let signer = Signer::generate("bench").unwrap();
    let key = signer.verifier();
    let ledger = Ledger::options().signer(signer).in_memory().unwrap();
    for _ in 0..20 {
        ledger.record_all((0..5000).map(record).collect()).unwrap();
    }
    let checkpoint = ledger.checkpoint().unwrap();
    let known = checkpoint.unverified().clone();
    let (entry, proof) = ledger.prove_inclusion(RecordId(54_321), known.size).unwrap();
    group.bench_function("verify inclusion among 100,000", |b| {
        b.iter(|| proof.verify(black_box(&entry), &known.root).unwrap())
    });
    group.bench_function("prove consistency with 54,321", |b| {
        b.iter(|| ledger.prove_consistency(black_box(54_321), known.size).unwrap())
    });
    group.bench_function("prove inclusion among 100,000", |b| {
        b.iter(|| ledger.prove_inclusion(RecordId(black_box(54_321)), known.size).unwrap())
    });
    group.bench_function("verify a checkpoint", |b| {
        b.iter(|| checkpoint.verify(black_box(&key)).unwrap().size)
    });
    group.sample_size(10);
    group.throughput(Throughput::Elements(known.size));
    group.bench_function("verify 100,000 entries", |b| b.iter(|| ledger.verify().unwrap().entries));
    group.finish();
}

fn authorization(c: &mut Criterion) {
    let mut group = c.benchmark_group("authorization");
    let spread = (0..1000).fold(Policy::new().assign("ann", "role 7"), |policy, i| {
        let rule = Rule::permit()
            .role(format!("role {}", i % 10))
            .purpose(format!("purpose {}", i / 10 % 10))
            .resource(format!("resource {i}/*"));
        policy.rule(rule)
    });
    let alike = (0..1000).fold(Policy::new().assign("ann", "analyst"), |policy, i| {
        policy.rule(Rule::permit().role("analyst").resource(format!("resource {i}/*")))
    });
    let (ann, why) = (Actor::new("ann"), Purpose::new("purpose 9"));
    let what = Resource::new("resource 997/count");
    for (name, policy) in [("1000 rules", spread), ("1000 rules for one role", alike)] {
        let request = AccessRequest::new(&ann, &why, &what);
        assert_eq!(policy.authorize(&request), Decision::Permit);
        group.bench_function(name, |b| b.iter(|| policy.authorize(black_box(&request))));
    }
    #[cfg(feature = "cedar")]
    {
        use std::fmt::Write;
        let mut rules = String::new();
        for i in 0..1000 {
            let (role, why) = (i % 10, i / 10 % 10);
            writeln!(
                rules,
                "permit(principal in Role::\"role {role}\", action == Action::\"spend\", \
                 resource == Resource::\"resource {i}\") when {{ context.purpose == \"purpose {why}\" }};"
            )
            .unwrap();
        }
        let entities = r#"[{"uid": {"type": "User", "id": "ann"}, "attrs": {},
            "parents": [{"type": "Role", "id": "role 7"}]}]"#;
        let policy = privacy_ledger::access::CedarPolicy::new(&rules, entities).unwrap();
        let what = Resource::new("resource 997");
        let request = AccessRequest::new(&ann, &why, &what);
        assert_eq!(policy.authorize(&request), Decision::Permit);
        group.bench_function("1000 rules in Cedar", |b| {
            b.iter(|| policy.authorize(black_box(&request)))
        });
    }
    group.finish();
}

criterion_group!(benches, charges, appends, proofs, authorization);
criterion_main!(benches);
