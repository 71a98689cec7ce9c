//! Counters, gauges and spans: numbers and kinds only, never names of people or data.
//!
//! Without the feature `telemetry` these functions are empty.

use std::time::Instant;

/// The time, where somebody wants to know how long something took.
pub(crate) fn now() -> Option<Instant> {
    cfg!(feature = "telemetry").then(Instant::now)
}

/// A batch was written, or failed.
#[cfg(feature = "telemetry")]
pub(crate) fn batch(started: Option<Instant>, entries: usize, size: u64, failed: bool) {
    let took = started.map(|started| started.elapsed().as_secs_f64()).unwrap_or_default();
    if failed {
        metrics::counter!("privacy_ledger_failures_total").increment(1);
        tracing::error!(entries, "the ledger could not write");
        return;
    }
    metrics::gauge!("privacy_ledger_size").set(size as f64);
    if entries > 0 {
        metrics::counter!("privacy_ledger_entries_total").increment(entries as u64);
        metrics::histogram!("privacy_ledger_batch_entries").record(entries as f64);
        metrics::histogram!("privacy_ledger_batch_seconds").record(took);
        tracing::debug!(entries, size, took, "wrote a batch");
    }
}

#[cfg(not(feature = "telemetry"))]
pub(crate) fn batch(_: Option<Instant>, _: usize, _: u64, _: bool) {}

/// A charge was asked for; `outcome` is `granted`, `repeated` or `refused`.
#[cfg(feature = "telemetry")]
pub(crate) fn charge(outcome: &'static str) {
    metrics::counter!("privacy_ledger_charges_total", "outcome" => outcome).increment(1);
    tracing::debug!(outcome, "charge");
}

#[cfg(not(feature = "telemetry"))]
pub(crate) fn charge(_: &'static str) {}

/// An authorizer decided.
#[cfg(feature = "telemetry")]
pub(crate) fn decision(outcome: &'static str) {
    metrics::counter!("privacy_ledger_decisions_total", "outcome" => outcome).increment(1);
}

#[cfg(not(feature = "telemetry"))]
pub(crate) fn decision(_: &'static str) {}

/// Where an account stands, as shares of its limit.
#[cfg(feature = "telemetry")]
pub(crate) fn account(standing: &crate::account::Standing) {
    use privacy_core::measure::Allowance;
    let amount = |allowance: &Allowance| match allowance {
        Allowance::Pure { epsilon } | Allowance::Approximate { epsilon, .. } => epsilon.to_f64_up(),
        Allowance::Zcdp { rho } => rho.to_f64_up(),
        _ => f64::NAN,
    };
    let path = standing.path.to_string();
    metrics::gauge!("privacy_ledger_used", "account" => path.clone()).set(amount(&standing.used));
    metrics::gauge!("privacy_ledger_limit", "account" => path.clone()).set(amount(&standing.limit));
    metrics::gauge!("privacy_ledger_open", "account" => path).set(standing.open as f64);
}

#[cfg(not(feature = "telemetry"))]
pub(crate) fn account(_: &crate::account::Standing) {}
