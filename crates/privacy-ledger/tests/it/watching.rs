//! What a monitoring system sees of a ledger, and what it must never see.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use privacy_core::access::{Authorizer, Decision};
use privacy_core::prelude::*;
use privacy_ledger::access::{Policy, Rule};
use privacy_ledger::{Account, Ledger, Signer};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};

use crate::common::{USERS, hundredths, limit, record, request};

/// Everything that was emitted: the texts, the names of spans, and the values of metrics.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Everything>>);

#[derive(Default)]
struct Everything {
    texts: Vec<String>,
    spans: BTreeSet<&'static str>,
    metrics: BTreeMap<String, f64>,
}

impl Seen {
    fn text(&self, text: impl Into<String>) {
        self.0.lock().unwrap().texts.push(text.into());
    }
}

struct Fields<'a>(&'a Seen);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.text(format!("{field}={value:?}"));
    }
}

impl Subscriber for Seen {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Fields(self));
        self.text(span.metadata().name());
        self.0.lock().unwrap().spans.insert(span.metadata().name());
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Fields(self));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut Fields(self));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// One metric with its labels.
struct Metric(Seen, String);

impl Metric {
    fn of(seen: &Seen, key: &Key) -> Arc<Self> {
        let labels: Vec<_> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        seen.text(&name);
        Arc::new(Metric(seen.clone(), name))
    }

    fn change(&self, change: impl FnOnce(&mut f64)) {
        change(self.0.0.lock().unwrap().metrics.entry(self.1.clone()).or_default());
    }
}

impl CounterFn for Metric {
    fn increment(&self, by: u64) {
        self.change(|value| *value += by as f64);
    }
    fn absolute(&self, to: u64) {
        self.change(|value| *value = to as f64);
    }
}

impl GaugeFn for Metric {
    fn increment(&self, by: f64) {
        self.change(|value| *value += by);
    }
    fn decrement(&self, by: f64) {
        self.change(|value| *value -= by);
    }
    fn set(&self, to: f64) {
        self.change(|value| *value = to);
    }
}

impl HistogramFn for Metric {
    fn record(&self, _: f64) {
        self.change(|times| *times += 1.0);
    }
}

impl Recorder for Seen {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Metric::of(self, key))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Metric::of(self, key))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Metric::of(self, key))
    }
}

/// Names and contents that belong into the log or beside it, and nowhere else.
const SECRETS: [&str; 9] = [
    "ann-the-actor",
    "a-secret-attribute",
    "why-she-asks",
    "what-she-asks",
    "the-request",
    "the-payload",
    "the-answer",
    "the-plan",
    "user-4711",
];

/// Does everything a ledger does, with telling names.
fn everything() {
    let [actor, attribute, why, what, name, payload, answer, plan, user] = SECRETS;
    let signer = Signer::generate("ledger.example/acme").unwrap();
    let secret = signer.secret_text();
    let ledger = Ledger::options().signer(signer).gauges_to_depth(1).in_memory().unwrap();
    ledger.open_account(Account::root(limit(100))).unwrap();
    let acme = ledger.open_account(Account::at("acme", limit(50)).unwrap()).unwrap();
    ledger.open_account(Account::at(format!("acme/{user}"), limit(10)).unwrap()).unwrap();

    let policy = Policy::new()
        .describe(actor, "clearance", attribute)
        .rule(Rule::permit().attribute("clearance", attribute).purpose(why));
    let mut cx = Context::new(Actor::new(actor), Purpose::new(why))
        .unwrap()
        .with_authorizer(ledger.guard(policy.clone()))
        .ledger(acme.clone());
    let ask = |n| {
        Ask::new(Resource::new(what), hundredths(n), USERS).named(request(format!("{name} {n}")))
    };
    assert!(cx.release(ask(10), |_| Ok(())).is_ok());
    assert!(cx.release(ask(90), |_| Ok(())).is_err());
    let eve = (Actor::new("eve"), Purpose::new(why), Resource::new(what));
    let eve = privacy_core::access::AccessRequest::new(&eve.0, &eve.1, &eve.2);
    assert_eq!(ledger.guard(policy).authorize(&eve), Decision::Deny);

    let once = |n: u64| {
        let draw = || Ok(answer.as_bytes().to_vec());
        acme.once(&request("once"), &hundredths(n), USERS, Some(plan), draw)
    };
    assert_eq!(once(1).unwrap(), once(1).unwrap());
    assert!(once(2).is_err());
    let hold =
        acme.hold(&request("hold"), &hundredths(1), USERS, std::time::Duration::from_secs(9));
    hold.unwrap().release().unwrap();
    let reservation = acme.reserve(&request("open"), &hundredths(1), USERS).unwrap();
    acme.roll_back(reservation).unwrap();
    let _open = acme.reserve(&request("left open"), &hundredths(1), USERS).unwrap();

    let kept = ledger.record_with(record(what), payload.as_bytes()).unwrap();
    ledger.erase(kept, name).unwrap();
    ledger.verify().unwrap();
    ledger.accounts().unwrap();
    assert!(ledger.checkpoint().is_ok() && !secret.is_empty());
}

#[test]
fn every_operation_is_seen_and_nobody_in_it() {
    let seen = Seen::default();
    metrics::with_local_recorder(&seen, || {
        tracing::subscriber::with_default(seen.clone(), everything)
    });
    let seen = seen.0.lock().unwrap();

    let spans = ["append", "authorize", "commit", "reserve", "roll back", "verify"];
    assert_eq!(seen.spans.iter().copied().collect::<Vec<_>>(), spans);
    for (metric, value) in [
        ("privacy_ledger_charges_total{outcome=granted}", 5.0),
        ("privacy_ledger_charges_total{outcome=repeated}", 1.0),
        ("privacy_ledger_charges_total{outcome=refused}", 1.0),
        ("privacy_ledger_charges_total{outcome=failed}", 1.0),
        ("privacy_ledger_decisions_total{outcome=permit}", 2.0),
        ("privacy_ledger_decisions_total{outcome=deny}", 1.0),
        ("privacy_ledger_verifications_total{outcome=whole}", 1.0),
        ("privacy_ledger_open_reservations{}", 1.0),
        ("privacy_ledger_used{account=acme}", 0.12),
        ("privacy_ledger_limit{account=acme}", 0.5),
        ("privacy_ledger_remaining{account=acme}", 0.38),
        ("privacy_ledger_limit{account=}", 1.0),
    ] {
        let found = seen.metrics.get(metric).copied().unwrap_or(f64::NAN);
        assert!((found - value).abs() < 1e-12, "{metric} is {found}: {:#?}", seen.metrics);
    }
    let entries = seen.metrics["privacy_ledger_entries{}"];
    assert_eq!(seen.metrics["privacy_ledger_appended_total{}"], entries);

    for text in &seen.texts {
        for secret in SECRETS.iter().chain(&["PRIVATE+KEY", "eve"]) {
            assert!(!text.contains(secret), "`{secret}` is in `{text}`");
        }
    }
}

#[test]
fn a_ledger_that_cannot_write_or_does_not_verify_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("budget.db");
    let ledger = Ledger::open(&path).unwrap();
    ledger.record(record("first")).unwrap();
    let seen = Seen::default();
    metrics::with_local_recorder(&seen, || {
        tracing::subscriber::with_default(seen.clone(), || {
            let mut bytes = std::fs::read(&path).unwrap();
            let last = bytes.len() - 3;
            bytes[last] ^= 1;
            std::fs::write(&path, bytes).unwrap();
            assert!(ledger.verify().is_err());
            std::fs::remove_file(&path).unwrap();
            assert!(ledger.record(record("second")).is_err());
        });
    });
    let seen = seen.0.lock().unwrap();
    assert_eq!(seen.metrics["privacy_ledger_verifications_total{outcome=damaged}"], 1.0);
    let failures = seen.metrics["privacy_ledger_failures_total{}"];
    assert!(failures >= 1.0, "{failures}");
}
