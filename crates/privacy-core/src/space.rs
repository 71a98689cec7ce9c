//! Spaces: what data looks like and how far two data sets are apart, as one type.
//!
//! A [`Space`] joins a domain (the Rust type of its members: a value that exists is a member) with
//! a metric (the type of its distances). Transformations and mechanisms name the spaces they read
//! and produce, so the compiler rejects a chain whose domain, metric, privacy unit or adjacency
//! does not fit.

use std::borrow::Borrow;
use std::fmt;

mod integers;
mod rows;

pub use integers::{L1, L2, L2Distance, Linf, Norm, Scalar, Vector};
pub use rows::{Changes, RowSpace, Rows};

/// A domain together with its metric.
pub trait Space {
    /// What a member of the domain looks like when it is read.
    type Data: ?Sized;
    /// What a member looks like when a transformation produces it.
    type Owned: Borrow<Self::Data>;
    /// How far two members are apart.
    type Distance: Distance;
}

/// What a transformation reads when its input is `S`.
pub type Data<S> = <S as Space>::Data;
/// What a transformation returns when its output is `S`.
pub type Owned<S> = <S as Space>::Owned;
/// The distances of `S`.
pub type DistanceOf<S> = <S as Space>::Distance;

/// A distance between two members of a space: ordered, with a zero.
pub trait Distance: Clone + PartialOrd + fmt::Debug + Send + Sync {
    /// The distance of a member to itself.
    fn zero() -> Self;
}

/// A space whose distances can be measured, for tests of stability and sensitivity.
pub trait Measurable: Space {
    /// How far `a` and `b` are apart; `None` where no finite distance joins them.
    fn distance(a: &Self::Data, b: &Self::Data) -> Option<Self::Distance>;
}
