//! Transformations to build chains from: map, filter, count, sum, count by group.
//!
//! A [`Session`](crate::session::Session) is the short way to an answer; these are for pipelines
//! of one's own, where each step is a value and the compiler checks that they fit.
//!
//! # Example
//!
//! ```
//! use dp_mechanisms::additive::LaplaceNoise;
//! use dp_mechanisms::transform::{BoundedSum, Map};
//! use privacy_core::prelude::*;
//!
//! let seconds = Map::<u32, i64, _>::new(|ms: &u32| i64::from(*ms / 1000));
//! let total = BoundedSum::new(Bounds::new(0, 3600)?)?;
//! let noise = LaplaceNoise::scalar(Amount::from_integer(36_000))?;
//! let chain = seconds.then(total).then(noise);
//!
//! assert_eq!(chain.cost(Changes::NEIGHBOURS)?.epsilon, Amount::from_percent(10));
//! let noisy: i128 = chain.draw(&[1500, 90_000, 4_000_000], &mut SystemRng::new()?)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A chain whose domain does not fit does not compile; here, noise for vectors after a number:
//!
//! ```compile_fail,E0277
//! # use dp_mechanisms::additive::LaplaceNoise;
//! # use dp_mechanisms::transform::Count;
//! # use privacy_core::prelude::*;
//! let noise = LaplaceNoise::vector(Amount::from_integer(1))?;
//! let chain = Count::<u8>::new().then(noise);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! nor does one whose metric does not fit, Gaussian noise for an L1 sensitivity:
//!
//! ```compile_fail,E0277
//! # use dp_mechanisms::additive::GaussianNoise;
//! # use dp_mechanisms::transform::CountByGroup;
//! # use privacy_core::prelude::*;
//! let counts = CountByGroup::<u8, Record, AddRemove, L1>::new(&[1, 2, 3])?;
//! let noise = GaussianNoise::vector(Amount::from_integer(1))?;
//! let chain = counts.then(noise);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! nor one whose adjacency does not fit:
//!
//! ```compile_fail,E0277
//! # use dp_mechanisms::transform::{Count, Filter};
//! # use privacy_core::prelude::*;
//! let adults = Filter::<u8, _, Record, AddRemove>::new(|age: &u8| *age >= 18);
//! let chain = adults.then(Count::<u8, Record, Replace>::new());
//! ```

use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use privacy_core::error::{Error, Result};
use privacy_core::params::{Amount, Bounds, ContributionLimits};
use privacy_core::space::{Changes, Rows, Scalar, Space, Vector};
use privacy_core::transformation::Transformation;
use privacy_core::unit::{AddRemove, Adjacency, Record, UnitKind, User};

use crate::bound::{Contribution, NoiseNorm, Shape};
use crate::keys::KnownGroups;

/// Applies a function to each record. Distances stay: one record in, one record out.
///
/// Rows of users need to stay with their users: see [`MapValues`].
pub struct Map<T, V, F, A = AddRemove> {
    function: F,
    rows: PhantomData<fn() -> (T, V, A)>,
}

/// Applies a function to the second half of rows that are pairs of a user and a value. Users keep
/// their rows, so distances stay.
pub struct MapValues<K, T, V, F, A = AddRemove> {
    function: F,
    rows: PhantomData<fn() -> (K, T, V, A)>,
}

/// Keeps the rows for which a predicate holds. Under add/remove distances stay.
///
/// Exists for add/remove only: under replacement the number of rows is public, and a filter would
/// disclose how many rows it left.
pub struct Filter<T, F, U = Record, A = AddRemove> {
    keep: F,
    rows: PhantomData<fn() -> (T, U, A)>,
}

/// Counts rows: one changed row changes the count by at most 1.
pub struct Count<T, U = Record, A = AddRemove> {
    rows: PhantomData<fn() -> (T, U, A)>,
}

/// Sums integer rows clamped into public bounds.
pub struct BoundedSum<U = Record, A = AddRemove> {
    bounds: Bounds<i64>,
    rows: PhantomData<fn() -> (U, A)>,
}

/// Counts rows by known groups; rows of other groups are left out. The distance is in the norm
/// `N`: [`L1`](privacy_core::space::L1) before Laplace noise, [`L2`](privacy_core::space::L2)
/// before Gaussian noise.
pub struct CountByGroup<K, U = Record, A = AddRemove, N = privacy_core::space::L1> {
    known: KnownGroups<K>,
    claim: PhantomData<fn() -> (U, A, N)>,
}

impl<T, V, F: Fn(&T) -> V, A> Map<T, V, F, A> {
    /// Applies `function` to each record.
    pub fn new(function: F) -> Self {
        Map { function, rows: PhantomData }
    }
}

impl<K, T, V, F: Fn(&T) -> V, A> MapValues<K, T, V, F, A> {
    /// Applies `function` to the value of each row.
    pub fn new(function: F) -> Self {
        MapValues { function, rows: PhantomData }
    }
}

impl<T, F: Fn(&T) -> bool, U, A> Filter<T, F, U, A> {
    /// Keeps the rows for which `keep` is true.
    pub fn new(keep: F) -> Self {
        Filter { keep, rows: PhantomData }
    }
}

impl<T, U, A> Count<T, U, A> {
    /// Counts rows.
    #[must_use]
    pub fn new() -> Self {
        Count { rows: PhantomData }
    }
}

impl<T, U, A> Default for Count<T, U, A> {
    fn default() -> Self {
        Count::new()
    }
}

impl BoundedSum {
    /// Sums values clamped into `bounds`, one record being one unit.
    ///
    /// # Errors
    ///
    /// [`Error::Overflow`] if the distance between the bounds is above the range of `i64`.
    pub fn new(bounds: Bounds<i64>) -> Result<Self> {
        Self::under(bounds)
    }
}

impl<A> BoundedSum<Record, A> {
    /// The same sum under the adjacency `A`.
    ///
    /// # Errors
    ///
    /// As [`BoundedSum::new`].
    pub fn under(bounds: Bounds<i64>) -> Result<Self> {
        if bounds.upper().checked_sub(bounds.lower()).is_none() {
            return Err(Error::Overflow {
                quantity: "the distance between the bounds",
                limit: "2^63 - 1",
            });
        }
        Ok(BoundedSum { bounds, rows: PhantomData })
    }
}

impl<K: Eq + Hash + Clone, U, A, N> CountByGroup<K, U, A, N> {
    /// Counts rows by `groups`.
    ///
    /// # Errors
    ///
    /// [`crate::Error::NoGroups`] or [`crate::Error::DuplicateGroup`].
    pub fn new(groups: &[K]) -> crate::Result<Self> {
        Ok(CountByGroup { known: KnownGroups::new(groups)?, claim: PhantomData })
    }
}

/// What one record contributes to a query over `groups` groups.
fn one_record(groups: usize) -> Result<Contribution> {
    Contribution::new(UnitKind::Record, &ContributionLimits::default(), groups as u64)
        .ok_or(Error::Missing { setting: "a limit on rows", remedy: "bound rows by unit first" })
}

impl<T, V, F, A> Transformation for Map<T, V, F, A>
where
    F: Fn(&T) -> V + Send + Sync,
    A: Adjacency,
{
    type Input = Rows<T, Record, A>;
    type Output = Rows<V, Record, A>;

    fn apply(&self, rows: &[T]) -> Result<Vec<V>> {
        Ok(rows.iter().map(&self.function).collect())
    }

    fn stability(&self, d_in: Changes) -> Result<Changes> {
        Ok(d_in)
    }
}

impl<K, T, V, F, A> Transformation for MapValues<K, T, V, F, A>
where
    K: Clone + Eq + Hash + Ord,
    F: Fn(&T) -> V + Send + Sync,
    A: Adjacency,
{
    type Input = Rows<(K, T), User, A>;
    type Output = Rows<(K, V), User, A>;

    fn apply(&self, rows: &[(K, T)]) -> Result<Vec<(K, V)>> {
        Ok(rows.iter().map(|(user, value)| (user.clone(), (self.function)(value))).collect())
    }

    fn stability(&self, d_in: Changes) -> Result<Changes> {
        Ok(d_in)
    }
}

impl<T, F, U> Transformation for Filter<T, F, U, AddRemove>
where
    T: Clone,
    F: Fn(&T) -> bool + Send + Sync,
    Rows<T, U, AddRemove>: Space<Data = [T], Owned = Vec<T>, Distance = Changes>,
{
    type Input = Rows<T, U, AddRemove>;
    type Output = Rows<T, U, AddRemove>;

    fn apply(&self, rows: &[T]) -> Result<Vec<T>> {
        Ok(rows.iter().filter(|row| (self.keep)(row)).cloned().collect())
    }

    fn stability(&self, d_in: Changes) -> Result<Changes> {
        Ok(d_in)
    }
}

impl<T, A: Adjacency> Transformation for Count<T, Record, A> {
    type Input = Rows<T, Record, A>;
    type Output = Scalar<i128>;

    fn apply(&self, rows: &[T]) -> Result<i128> {
        Ok(rows.len() as i128)
    }

    fn stability(&self, d_in: Changes) -> Result<Amount> {
        Ok(&one_record(1)?.l1(&Shape::Count, A::RELATION) * &d_in.0.into())
    }
}

impl<A: Adjacency> Transformation for BoundedSum<Record, A> {
    type Input = Rows<i64, Record, A>;
    type Output = Scalar<i128>;

    fn apply(&self, rows: &[i64]) -> Result<i128> {
        Ok(rows.iter().map(|&value| i128::from(self.bounds.clamp(value))).sum())
    }

    fn stability(&self, d_in: Changes) -> Result<Amount> {
        let shape = Shape::Sum { lower: self.bounds.lower(), upper: self.bounds.upper() };
        Ok(&one_record(1)?.l1(&shape, A::RELATION) * &d_in.0.into())
    }
}

impl<K, A, N> Transformation for CountByGroup<K, Record, A, N>
where
    K: Eq + Hash + Clone + Send + Sync,
    A: Adjacency,
    N: NoiseNorm,
{
    type Input = Rows<K, Record, A>;
    type Output = Vector<i128, N>;

    fn apply(&self, rows: &[K]) -> Result<Vec<i128>> {
        let mut counts = vec![0; self.known.groups().len()];
        for position in rows.iter().filter_map(|row| self.known.position(row)) {
            counts[position as usize] += 1;
        }
        Ok(counts)
    }

    fn stability(&self, d_in: Changes) -> Result<N::Distance> {
        let bound = one_record(self.known.groups().len())?;
        Ok(N::times(&N::sensitivity(&bound, &Shape::Count, A::RELATION), d_in.0))
    }
}

macro_rules! opaque_debug {
    ($($name:ident<$($parameter:ident),*>),* $(,)?) => {
        $(
            impl<$($parameter),*> fmt::Debug for $name<$($parameter),*> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(stringify!($name))
                }
            }
        )*
    };
}
opaque_debug!(
    Map<T, V, F, A>,
    MapValues<K, T, V, F, A>,
    Filter<T, F, U, A>,
    Count<T, U, A>,
    BoundedSum<U, A>,
    CountByGroup<K, U, A, N>,
);
