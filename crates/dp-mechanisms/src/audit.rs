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
//! # How many runs
//!
//! An audit compares how often events happen, so that it sees what happens often enough. Runs that
//! convict these mistakes at a claim of ε = 1, on fitting neighbours, wrongly in one audit of a million
//! (all in `tests/it/audit`):
//!
//! | mistake | runs |
//! |---|---|
//! | exact answers now and then; output as long as the table; failures, groups or an order that tell of rows; values without bounds | 20 000 |
//! | noise of 9/10 of the scale, of one sign, cut off, from 64 seeds, the same for two answers, in floating point | 60 000 |
//! | the sensitivity of a sum as the width of its bounds; selection with half of its noise; a tree charged for one level | 60 000 |
//! | sparse vector: algorithms 4, 5 and 6 of Lyu, Su and Li 2017 (noise without the number of positives, none on questions, no limit) | 60 000 |
//! | noise of 19/20 of the scale | 200 000 |
//! | a threshold that is one too low, where δ should be 7e-4 and is 1.8e-3 | 400 000 |
//! | sparse vector: algorithm 3 (a positive that shows the noisy answer, after twenty negatives) | 1 000 000 |
//!
//! It cannot see:
//!
//! - **A loss above about ln(n/60) in n runs** (6.9 in 60 000, 9.5 in 800 000), as the rare side of an event
//!   is never seen: noise that is too small for ε = 10 passes. Audit the same code at a smaller ε.
//! - **A δ below about 200/n**: a threshold that is wrong at δ = 1e-9 is not told from a right one. Audit
//!   it at parameters with a larger δ, and compare its probabilities with the exact tail besides.
//! - **What neighbours do not provoke**: overflow, NaN and ties come from
//!   [`Neighbours::extreme`], anything else must be put in by hand.
//! - **Timing, memory, logs**: the output alone is looked at. [`replay`] compares failures and the
//!   randomness used, which follow the control flow.
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
