#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod access;
mod account;
mod book;
mod budget;
mod counting;
mod entry;
mod error;
mod ledger;
pub mod log;
mod path;
mod spend;
mod state;
pub mod store;
mod telemetry;
mod time;
mod usage;

pub use account::{Account, Standing, zcdp_budget};
pub use budget::{AccountBudget, Begun, Hold};
pub use entry::{Commitment, Decided, Entry, Event, OnLapse, Reserved, Settled};
pub use error::{Error, Result};
pub use ledger::{Ledger, Moment, Options};
pub use log::{
    Checkpoint, ConsistencyProof, InclusionProof, Report, SignedCheckpoint, Signer, VerifierKey,
    verify_export,
};
pub use path::AccountPath;
pub use state::Past;
pub use time::{Clock, ManualClock, Renewal, SystemClock, Timestamp};
