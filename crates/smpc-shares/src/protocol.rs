//! Protocols on shares: products, order, selection, sorting, groups, division, fixed point, draws.
//!
//! They are methods of [`Party`](crate::Party); this module has the types they speak of. Every protocol
//! works on whole vectors: one frame for each peer and round, however long the vector.

pub(crate) mod base;
mod base_replicated;
mod base_shamir;
mod binary;
mod compare;
mod divide;
mod expression;
mod fixed;
mod groups;
mod maximum;
mod noise;
mod random;
mod select;
mod shuffle;
mod sort;
mod triples;
mod truncate;

pub use compare::Ordered;
pub(crate) use compare::Way;
pub use expression::Expr;
pub use fixed::FixedPoint;
pub use groups::Groups;
pub use noise::{NoisyOpening, SharedNoise};
pub use triples::{DealtForTestsOnly, Triples, TrustedDealerForTestsOnly};
