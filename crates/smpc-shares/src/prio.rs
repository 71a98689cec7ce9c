//! Prio3: statistics of many clients by two or more aggregators, none of which sees a measurement.
//!
//! A client shards its measurement and a proof that it is well-formed; aggregators verify the proof on
//! their shares, exchange one message each, and add up what is valid. Wire-exact with version 18 of
//! the IETF's [VDAF](https://datatracker.ietf.org/doc/draft-irtf-cfrg-vdaf/).
//!
//! # Security
//!
//! Private as long as one aggregator is honest; robust against clients as long as all are: a malicious
//! aggregator can change the sum. The verification key must be secret from clients and fixed before
//! reports come in; nonces must be fresh and are the aggregators' replay protection; the application
//! context must hold the parameters of the circuit. There is no noise in it and no defence against
//! many false clients.
//!
//! ```
//! use privacy_core::random::SystemRng;
//! use smpc_shares::prio::{Measurement, Prio3};
//!
//! let task = Prio3::histogram(2, 5)?;
//! let (context, key) = (b"logins by device, v1", [7; 32]);
//! let mut rng = SystemRng::new()?;
//! let mut totals = [task.empty(), task.empty()];
//! for bucket in [3, 3, 0] {
//!     let (nonce, report) = task.report(context, &Measurement::Bucket(bucket), &mut rng)?;
//!     let shares = report.inputs.iter().enumerate();
//!     let (states, messages): (Vec<_>, Vec<_>) = shares
//!         .map(|(id, input)| {
//!             task.prepare(&key, context, id as u8, &nonce, &report.public, input)
//!         })
//!         .collect::<Result<Vec<_>, _>>()?
//!         .into_iter()
//!         .unzip();
//!     let agreed = task.combine(context, &messages)?;
//!     for (total, state) in totals.iter_mut().zip(states) {
//!         task.add(total, &task.finish(state, &agreed)?)?;
//!     }
//! }
//! assert_eq!(task.unshard(&totals)?, [1, 0, 0, 2, 0]);
//! # Ok::<(), smpc_shares::Error>(())
//! ```

mod circuit;
mod flp;
mod polynomial;
mod prepare;
mod prio3;
mod shard;
mod xof;

pub use circuit::{Measurement, optimal_chunk};
pub use prepare::State;
pub use prio3::Prio3;
pub use shard::Report;
