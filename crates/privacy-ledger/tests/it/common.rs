//! What the tests share.

use std::path::Path;
use std::time::Duration;

use privacy_core::audit::AuditRecord;
use privacy_core::guarantee::Guarantee;
use privacy_core::measure::Charge;
use privacy_core::prelude::*;
use privacy_core::unit::{Relation, UnitKind};
use privacy_ledger::{ManualClock, Timestamp};
use tempfile::TempDir;

pub(crate) const USERS: Scope = Scope { unit: UnitKind::User, relation: Relation::AddRemove };

/// A price of so many hundredths of ε.
pub(crate) fn hundredths(n: u64) -> Charge {
    Charge::pure(Amount::from_fraction(n, 100u8).unwrap())
}

pub(crate) fn limit(n: u64) -> Allowance {
    Allowance::Pure { epsilon: Amount::from_fraction(n, 100u8).unwrap() }
}

pub(crate) fn request(name: impl ToString) -> RequestId {
    RequestId::new(name.to_string())
}

pub(crate) fn noon() -> Timestamp {
    Timestamp::from_date(2026, 11, 22).unwrap().plus(Duration::from_secs(12 * 3600))
}

pub(crate) fn clock() -> std::sync::Arc<ManualClock> {
    ManualClock::at(noon())
}

pub(crate) fn record(name: impl ToString) -> AuditRecord {
    AuditRecord::new(
        Actor::new("reporting-job"),
        Purpose::new("weekly usage"),
        Resource::new(name.to_string()),
        Guarantee::None,
    )
}

/// How often a randomized run is repeated: `default`, or what `LEDGER_RUNS` says.
pub(crate) fn runs(default: u32) -> u32 {
    std::env::var("LEDGER_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(default)
}

/// In memory where there is such a file system: what is tested is not the disk.
pub(crate) fn folder() -> TempDir {
    let shared = Path::new("/dev/shm");
    if shared.is_dir() {
        tempfile::tempdir_in(shared).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}
