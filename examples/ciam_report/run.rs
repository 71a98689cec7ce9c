//! The techniques at work: each takes raw data and a context that pays and records, and gives what may
//! leave.

pub mod logins;
pub mod minutes;
pub mod notes;
pub mod partner;
