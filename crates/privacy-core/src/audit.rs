//! The audit trail: who asked for what, why, at which price, and how it ended.
//!
//! A record never holds data, noise, seeds or released values. The trait is append-only;
//! [`MemoryAudit`] keeps records in this process.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::access::{Actor, Purpose, Resource};
use crate::budget::RequestId;
use crate::error::Result;
use crate::guarantee::Guarantee;
use crate::measure::Charge;

/// What happened, as it is written to the trail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuditRecord {
    /// Who asked.
    pub actor: Actor,
    /// Why.
    pub purpose: Purpose,
    /// The stage or query that ran.
    pub resource: Resource,
    /// The request, where one was charged.
    pub request: Option<RequestId>,
    /// The price, where there was one.
    pub charge: Option<Charge>,
    /// What may be said of the result.
    pub guarantee: Guarantee,
    /// How it ended.
    pub outcome: Outcome,
}

impl AuditRecord {
    /// A record of a step that ran to its end.
    #[must_use]
    pub fn new(actor: Actor, purpose: Purpose, resource: Resource, guarantee: Guarantee) -> Self {
        AuditRecord {
            actor,
            purpose,
            resource,
            request: None,
            charge: None,
            guarantee,
            outcome: Outcome::Completed,
        }
    }

    /// The same record with the price of the step.
    #[must_use]
    pub fn charged(mut self, request: RequestId, charge: Charge) -> Self {
        self.request = Some(request);
        self.charge = Some(charge);
        self
    }

    /// The same record with another end.
    #[must_use]
    pub fn ended(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }
}

/// How a recorded step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It ran; a charge of the record was spent.
    Completed,
    /// It was denied by the authorizer; nothing was spent.
    Denied,
    /// It was refused by the budget; nothing was spent.
    Refused,
    /// It failed before anything was drawn; nothing was spent.
    RolledBack,
    /// It failed after data was read; a charge of the record was spent.
    Failed,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Outcome::Completed => "completed",
            Outcome::Denied => "denied",
            Outcome::Refused => "refused",
            Outcome::RolledBack => "rolled back",
            Outcome::Failed => "failed",
        })
    }
}

impl fmt::Display for AuditRecord {
    /// One line: who, what, why, at which price, and how it ended.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} for {}", self.actor, self.resource, self.purpose)?;
        match &self.charge {
            Some(charge) => write!(f, " at {charge}")?,
            None => f.write_str(", free")?,
        }
        write!(f, ", {}", self.outcome)
    }
}

/// The position of a record in its trail, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordId(pub u64);

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// An append-only trail of records, shared by threads.
pub trait AuditSink: Send + Sync {
    /// Appends a record and says where it stands.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Storage`] if it cannot be written; the step whose record it is must then
    /// not hand out its result.
    fn append(&self, record: AuditRecord) -> Result<RecordId>;
}

impl<S: AuditSink + ?Sized> AuditSink for Arc<S> {
    fn append(&self, record: AuditRecord) -> Result<RecordId> {
        (**self).append(record)
    }
}

/// A trail in this process's memory. Clones share the trail.
#[derive(Clone, Default)]
pub struct MemoryAudit {
    records: Arc<Mutex<Vec<AuditRecord>>>,
}

impl MemoryAudit {
    /// An empty trail.
    #[must_use]
    pub fn new() -> Self {
        MemoryAudit::default()
    }

    /// A copy of the records so far.
    #[must_use]
    pub fn records(&self) -> Vec<AuditRecord> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl AuditSink for MemoryAudit {
    fn append(&self, record: AuditRecord) -> Result<RecordId> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.push(record);
        Ok(RecordId(records.len() as u64 - 1))
    }
}

impl fmt::Debug for MemoryAudit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryAudit").finish_non_exhaustive()
    }
}
