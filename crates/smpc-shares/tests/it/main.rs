//! Behaviour of the crate as its users see it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod active;
mod axioms;
mod costs;
#[cfg(feature = "curve")]
mod curve;
mod decoders;
mod draws;
mod mistakes;
mod openings;
#[cfg(feature = "prio")]
mod prio;
mod protocols;
mod sessions;
mod sharing;
#[cfg(feature = "tls")]
mod tls;
mod triples;
