//! Counters, gauges and spans.
//!
//! What leaves here are numbers, kinds of events and outcomes. The only names are the paths of
//! accounts, in gauges and down to a depth that the application chose; no actor, purpose, resource,
//! request, payload or key ever does. Without the feature `telemetry` these functions are empty.

#[cfg(not(feature = "telemetry"))]
pub(crate) use self::absent::*;
#[cfg(feature = "telemetry")]
pub(crate) use self::present::*;

/// What an operation is doing, for as long as it does it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Doing {
    Reserve,
    Commit,
    RollBack,
    Append,
    Verify,
    Authorize,
}

#[cfg(feature = "telemetry")]
mod present {
    use std::time::Instant;

    use metrics::{counter, gauge, histogram};
    use privacy_core::measure::Allowance;
    use tracing::span::EnteredSpan;

    use super::Doing;
    use crate::account::Standing;

    pub(crate) fn span(doing: Doing) -> EnteredSpan {
        // Each name is a place in the code to `tracing`, hence the list.
        match doing {
            Doing::Reserve => tracing::debug_span!("reserve"),
            Doing::Commit => tracing::debug_span!("commit"),
            Doing::RollBack => tracing::debug_span!("roll back"),
            Doing::Append => tracing::debug_span!("append"),
            Doing::Verify => tracing::debug_span!("verify"),
            Doing::Authorize => tracing::debug_span!("authorize"),
        }
        .entered()
    }

    /// Measures the writing of a batch.
    pub(crate) struct Batch(Instant);

    impl Batch {
        pub(crate) fn begin() -> Self {
            Batch(Instant::now())
        }

        /// So many `entries` were written, or it failed; `open` reservations are left.
        pub(crate) fn end(self, entries: Option<usize>, size: u64, open: usize) {
            let took = self.0.elapsed().as_secs_f64();
            let Some(entries) = entries else {
                counter!("privacy_ledger_failures_total").increment(1);
                tracing::error!("the ledger could not read or write its store");
                return;
            };
            gauge!("privacy_ledger_entries").set(size as f64);
            gauge!("privacy_ledger_open_reservations").set(open as f64);
            if entries > 0 {
                counter!("privacy_ledger_appended_total").increment(entries as u64);
                histogram!("privacy_ledger_batch_entries").record(entries as f64);
                histogram!("privacy_ledger_batch_seconds").record(took);
                tracing::debug!(entries, size, took, "wrote a batch");
            }
        }
    }

    /// A charge was asked for: `granted`, `repeated`, `refused` or `failed`.
    pub(crate) fn charge(outcome: &'static str) {
        counter!("privacy_ledger_charges_total", "outcome" => outcome).increment(1);
        tracing::debug!(outcome, "charge");
    }

    /// An authorizer decided: `permit` or `deny`.
    pub(crate) fn decision(outcome: &'static str) {
        counter!("privacy_ledger_decisions_total", "outcome" => outcome).increment(1);
        tracing::debug!(outcome, "decision");
    }

    /// The whole ledger was verified, and found whole or not.
    pub(crate) fn verified(whole: bool) {
        let outcome = if whole { "whole" } else { "damaged" };
        counter!("privacy_ledger_verifications_total", "outcome" => outcome).increment(1);
        if whole {
            tracing::info!("verified");
        } else {
            tracing::error!("the ledger does not verify");
        }
    }

    /// Where an account stands, unless it lies deeper than `depth` names.
    pub(crate) fn account(standing: &Standing, depth: usize) {
        if standing.path.depth() > depth {
            return;
        }
        let amount = |allowance: &Allowance| match allowance {
            Allowance::Pure { epsilon } | Allowance::Approximate { epsilon, .. } => {
                epsilon.to_f64_up()
            }
            Allowance::Zcdp { rho } => rho.to_f64_up(),
            _ => f64::NAN,
        };
        let path = standing.path.to_string();
        gauge!("privacy_ledger_used", "account" => path.clone()).set(amount(&standing.used));
        gauge!("privacy_ledger_limit", "account" => path.clone()).set(amount(&standing.limit));
        gauge!("privacy_ledger_remaining", "account" => path).set(amount(&standing.remaining));
    }
}

#[cfg(not(feature = "telemetry"))]
mod absent {
    use super::Doing;
    use crate::account::Standing;

    pub(crate) struct Span;

    pub(crate) fn span(_: Doing) -> Span {
        Span
    }

    pub(crate) struct Batch;

    impl Batch {
        pub(crate) fn begin() -> Self {
            Batch
        }

        pub(crate) fn end(self, _: Option<usize>, _: u64, _: usize) {}
    }

    pub(crate) fn charge(_: &'static str) {}

    pub(crate) fn decision(_: &'static str) {}

    pub(crate) fn verified(_: bool) {}

    pub(crate) fn account(_: &Standing, _: usize) {}
}
