//! Protocols on shares: multiplication, comparison, selection, sorting, division, fixed point.
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
mod noise;
mod select;
mod shuffle;

pub use compare::Ordered;
pub use expression::Expr;
pub use fixed::FixedPoint;
pub use noise::SharedNoise;
