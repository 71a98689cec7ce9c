//! What the ledger says: accounts, steps, checkpoint.

use confidant::dp::prelude::{Allowance, Charge};
use serde::Serialize;

/// The state of the ledger at the end of a report.
#[derive(Debug, Serialize)]
pub struct Spending {
    /// Its accounts.
    pub accounts: Vec<Balance>,
    /// What was done, and what was spent and left after it; of a long history the latest.
    pub steps: Vec<Step>,
    /// The checkpoint of its log.
    pub checkpoint: Checkpoint,
}

/// Where an account stands.
#[derive(Debug, Serialize)]
pub struct Balance {
    /// Its path.
    pub account: String,
    /// Its limit.
    pub limit: Allowance,
    /// What is spent.
    pub spent: Allowance,
    /// What is left.
    pub left: Allowance,
}

/// A step that the log records.
#[derive(Debug, Serialize)]
pub struct Step {
    /// When.
    pub at: String,
    /// What.
    pub what: String,
    /// What for.
    pub purpose: String,
    /// How it ended.
    pub outcome: String,
    /// Its price, if it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge: Option<Charge>,
    /// What was spent of the whole budget after it.
    pub spent: Allowance,
    /// What was left of it.
    pub left: Allowance,
}

/// A size and a root of the log, signed: everything before follows from them.
#[derive(Debug, Serialize)]
pub struct Checkpoint {
    /// How many entries the log has.
    pub entries: u64,
    /// The root of its Merkle tree, in base64.
    pub root: String,
    /// Both as a signed note, to keep elsewhere.
    pub note: String,
    /// The key that verifies the note.
    pub key: String,
}
