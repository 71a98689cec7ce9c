//! Integers and integer vectors: what exact aggregates are, before noise.

use std::fmt;
use std::marker::PhantomData;

use super::{Distance, Measurable, Space};
use crate::params::Amount;

/// One integer of type `T` with the absolute distance.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scalar<T = i128>(PhantomData<fn() -> T>);

impl<T> Space for Scalar<T> {
    type Data = T;
    type Owned = T;
    type Distance = Amount;
}

/// A vector of integers of type `T` with the distance of the norm `N`.
///
/// The length is public: it is part of the question, not of the data.
#[derive(Debug, Clone, Copy, Default)]
pub struct Vector<T, N>(PhantomData<fn() -> (T, N)>);

impl<T, N: Norm> Space for Vector<T, N> {
    type Data = [T];
    type Owned = Vec<T>;
    type Distance = N::Distance;
}

impl Distance for Amount {
    fn zero() -> Self {
        Amount::ZERO
    }
}

/// A vector norm as a type.
pub trait Norm: Copy + fmt::Debug + Default + Send + Sync + 'static {
    /// Distances under the norm.
    type Distance: Distance;

    /// The norm of a vector whose coordinates have these magnitudes.
    fn of(magnitudes: impl Iterator<Item = Amount>) -> Self::Distance;

    /// The norm of a vector with `coordinates` coordinates of the given magnitude, the others 0.
    fn of_equal(coordinates: u64, magnitude: &Amount) -> Self::Distance;
}

/// The sum of magnitudes: what Laplace noise is calibrated to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct L1;

/// The Euclidean norm: what Gaussian noise is calibrated to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct L2;

/// The largest magnitude.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Linf;

/// A Euclidean distance, held exactly by its square.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct L2Distance {
    squared: Amount,
}

impl L2Distance {
    /// The distance whose square is `squared`.
    #[must_use]
    pub fn from_squared(squared: Amount) -> Self {
        L2Distance { squared }
    }

    /// The exact square of the distance.
    #[must_use]
    pub fn squared(&self) -> &Amount {
        &self.squared
    }
}

impl Distance for L2Distance {
    fn zero() -> Self {
        L2Distance { squared: Amount::ZERO }
    }
}

impl Norm for L1 {
    type Distance = Amount;

    fn of(magnitudes: impl Iterator<Item = Amount>) -> Amount {
        magnitudes.sum()
    }

    fn of_equal(coordinates: u64, magnitude: &Amount) -> Amount {
        &Amount::from_integer(coordinates) * magnitude
    }
}

impl Norm for L2 {
    type Distance = L2Distance;

    fn of(magnitudes: impl Iterator<Item = Amount>) -> L2Distance {
        L2Distance { squared: magnitudes.map(|m| m.squared()).sum() }
    }

    fn of_equal(coordinates: u64, magnitude: &Amount) -> L2Distance {
        L2Distance { squared: &Amount::from_integer(coordinates) * &magnitude.squared() }
    }
}

impl Norm for Linf {
    type Distance = Amount;

    fn of(magnitudes: impl Iterator<Item = Amount>) -> Amount {
        magnitudes.max().unwrap_or(Amount::ZERO)
    }

    fn of_equal(coordinates: u64, magnitude: &Amount) -> Amount {
        if coordinates == 0 { Amount::ZERO } else { magnitude.clone() }
    }
}

macro_rules! measurable {
    ($($integer:ty),*) => {
        $(
            impl Measurable for Scalar<$integer> {
                fn distance(a: &$integer, b: &$integer) -> Option<Amount> {
                    Amount::from_fraction(a.abs_diff(*b), 1u8).ok()
                }
            }

            impl<N: Norm> Measurable for Vector<$integer, N> {
                fn distance(a: &[$integer], b: &[$integer]) -> Option<N::Distance> {
                    if a.len() != b.len() {
                        return None;
                    }
                    let magnitudes: Option<Vec<Amount>> = a
                        .iter()
                        .zip(b)
                        .map(|(a, b)| Amount::from_fraction(a.abs_diff(*b), 1u8).ok())
                        .collect();
                    Some(N::of(magnitudes?.into_iter()))
                }
            }
        )*
    };
}
measurable!(i64, i128);

/// False and true are one apart.
impl Measurable for Scalar<bool> {
    fn distance(a: &bool, b: &bool) -> Option<Amount> {
        Some(Amount::from_integer(u64::from(a != b)))
    }
}
