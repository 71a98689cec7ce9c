//! Audits: does a mechanism keep the privacy that it claims? For the tests of mechanisms, one's own
//! included. (The trail of who asked what is [`privacy_core::audit`].)
//!
//! | check | needs | finds |
//! |---|---|---|
//! | [`Audit`] | 10^4 to 10^6 runs on neighbours | an event likelier on one neighbour than the claim allows |
//! | [`Guesses`] | one run with many canaries | more right guesses than the claim allows |
//! | [`replay`] | one run or two for each pair | sensitivity, failures and use of randomness that depend on the data |
//! | [`privacy_core::conformance`] | no runs | prices and errors out of form |
//!
//! All of them can convict and none can acquit: what is not found may be there, on other neighbours or
//! with rarer events. A conviction is wrong with a probability that the caller sets. [`Neighbours`] makes
//! pairs that have broken implementations before.
//!
//! Data for an audit is made up; verdicts describe it freely.
//!
//! # In a test
//!
//! ```
//! use dp_mechanisms::additive::LaplaceNoise;
//! use dp_mechanisms::audit::{Audit, Neighbours};
//! use dp_mechanisms::transform::BoundedSum;
//! use privacy_core::prelude::*;
//!
//! # fn main() -> privacy_core::Result<()> {
//! let noise = LaplaceNoise::scalar(Amount::from_integer(9))?;
//! let chain = BoundedSum::new(Bounds::new(0, 9)?)?.then(noise);
//!
//! // A generator with a fixed seed (`privacy_core`'s feature `test-rng`) makes the verdict repeatable.
//! let mut rng = SystemRng::new()?;
//! let pairs = Neighbours::<i64>::extreme().add_remove(10, &mut rng)?;
//! let verdict = Audit::default().runs(40_000).mechanism(&chain, &pairs, &mut rng)?;
//! println!("{verdict}"); // not convicted: output is above 4 on pair 5: 2671 of 5000, …
//! verdict.assert_acquitted();
//! # Ok(())
//! # }
//! ```

mod auditor;
mod binomial;
mod claim;
mod event;
mod learn;
mod neighbours;
mod normal;
mod observe;
mod one_run;
mod released;
pub mod replay;
mod sight;
mod tree;
mod verdict;

pub use auditor::Audit;
pub use claim::{Bound, Claim};
pub use neighbours::{Extremes, Neighbours, TablePair};
pub use observe::Observe;
pub use one_run::Guesses;
pub use sight::Sight;
pub use verdict::{Evidence, Proportion, Verdict};
