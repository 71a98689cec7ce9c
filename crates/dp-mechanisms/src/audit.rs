//! Audits: does a mechanism keep the privacy that it claims?

mod auditor;
mod binomial;
mod claim;
mod event;
mod learn;
mod neighbours;
mod normal;
mod observe;
mod one_run;
pub mod replay;
mod sight;
mod verdict;

pub use auditor::Audit;
pub use claim::{Bound, Claim};
pub use neighbours::{Extremes, Neighbours, TablePair};
pub use observe::Observe;
pub use one_run::Guesses;
pub use sight::Sight;
pub use verdict::{Evidence, Proportion, Verdict};
