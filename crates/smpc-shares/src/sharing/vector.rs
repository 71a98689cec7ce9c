//! One party's shares of a vector of secrets.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};
use std::sync::Arc;

use super::Shamir;
use crate::error::{Error, Result};
use crate::field::Ring;
use crate::wipe::wipe;

/// The components that a party holds: one vector for Shamir and additive sharing, two for
/// replicated.
#[derive(Clone, Default)]
#[allow(
    missing_debug_implementations,
    unreachable_pub,
    reason = "in signatures of a sealed trait; never printed"
)]
pub struct Raw<R: Ring> {
    pub(crate) own: Vec<R>,
    pub(crate) next: Vec<R>,
}

impl<R: Ring> Drop for Raw<R> {
    fn drop(&mut self) {
        wipe(&mut self.own);
        wipe(&mut self.next);
    }
}

impl<R: Ring> Raw<R> {
    pub(crate) fn single(own: Vec<R>) -> Self {
        Raw { own, next: Vec::new() }
    }

    pub(crate) fn empty() -> Self {
        Raw { own: Vec::new(), next: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.own.len()
    }

    fn zip(&self, other: &Self, op: impl Fn(R, R) -> R + Copy) -> Self {
        let both = |a: &[R], b: &[R]| a.iter().zip(b).map(|(a, b)| op(*a, *b)).collect();
        Raw { own: both(&self.own, &other.own), next: both(&self.next, &other.next) }
    }

    pub(crate) fn map(&self, op: impl Fn(R) -> R + Copy) -> Self {
        Raw {
            own: self.own.iter().map(|a| op(*a)).collect(),
            next: self.next.iter().map(|a| op(*a)).collect(),
        }
    }

    pub(crate) fn add(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    pub(crate) fn sub(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    pub(crate) fn add_assign(&mut self, other: &Self) {
        for (a, b) in self.own.iter_mut().zip(&other.own) {
            *a += *b;
        }
        for (a, b) in self.next.iter_mut().zip(&other.next) {
            *a += *b;
        }
    }

    pub(crate) fn scale_each(&self, factors: &[R]) -> Self {
        let both = |a: &[R]| a.iter().zip(factors).map(|(a, b)| *a * *b).collect();
        Raw { own: both(&self.own), next: both(&self.next) }
    }

    /// `(Σ factors[i]·self[i])`, a single share.
    pub(crate) fn combine(&self, factors: &[R]) -> Self {
        let both = |a: &[R]| if a.is_empty() { Vec::new() } else { vec![R::dot(a, factors)] };
        Raw { own: both(&self.own), next: both(&self.next) }
    }

    pub(crate) fn sum_all(&self) -> Self {
        let both = |a: &[R]| if a.is_empty() { Vec::new() } else { vec![a.iter().copied().sum()] };
        Raw { own: both(&self.own), next: both(&self.next) }
    }

    pub(crate) fn append(&mut self, other: &Self) {
        self.own.extend_from_slice(&other.own);
        self.next.extend_from_slice(&other.next);
    }

    pub(crate) fn range(&self, range: std::ops::Range<usize>) -> Self {
        let both = |a: &[R]| a.get(range.clone()).map(<[R]>::to_vec).unwrap_or_default();
        Raw { own: both(&self.own), next: both(&self.next) }
    }

    pub(crate) fn gather(&self, places: &[usize]) -> Self {
        let both = |a: &[R]| {
            if a.is_empty() {
                Vec::new()
            } else {
                places.iter().map(|i| a.get(*i).copied().unwrap_or_default()).collect()
            }
        };
        Raw { own: both(&self.own), next: both(&self.next) }
    }
}

/// Who holds a share, of what.
pub(crate) struct Place<R: Ring> {
    /// Counted from 1.
    pub(crate) id: usize,
    pub(crate) parties: usize,
    pub(crate) threshold: usize,
    pub(crate) replicated: bool,
    /// The share of the MAC key; empty in passive security.
    pub(crate) key: Raw<R>,
}

impl<R: Ring> Place<R> {
    pub(crate) fn same(&self, other: &Self) -> bool {
        (self.id, self.parties, self.threshold) == (other.id, other.parties, other.threshold)
            && self.replicated == other.replicated
            && self.key.own == other.key.own
    }

    /// The components of a public constant.
    pub(crate) fn constant(&self, values: &[R]) -> Raw<R> {
        if !self.replicated {
            return Raw::single(values.to_vec());
        }
        // A constant is component 0: with party 1 as its own, with party 3 as its next.
        let zeros = || vec![R::ZERO; values.len()];
        match self.id {
            1 => Raw { own: values.to_vec(), next: zeros() },
            3 => Raw { own: zeros(), next: values.to_vec() },
            _ => Raw { own: zeros(), next: zeros() },
        }
    }

    /// The MACs of a public constant.
    pub(crate) fn constant_mac(&self, values: &[R]) -> Raw<R> {
        let scaled = |key: &[R]| -> Vec<R> {
            key.first().map(|key| values.iter().map(|v| *key * *v).collect()).unwrap_or_default()
        };
        Raw { own: scaled(&self.key.own), next: scaled(&self.key.next) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Length(usize, usize),
    Holder,
}

/// One party's shares of a vector of secrets.
///
/// Sums, differences, and products with public numbers are local and free. The product of two share
/// vectors is an [`Expr`](crate::protocol::Expr) that a [`Party`](crate::Party) evaluates. Operands
/// of different length or holder are remembered as a fault that the next operation of the party
/// reports; nothing panics.
///
/// # Security
///
/// Does not print its content and wipes it on drop.
///
/// ```
/// use smpc_shares::{Shamir, field::Mersenne61 as F};
/// use privacy_core::random::SystemRng;
///
/// let scheme = Shamir::new(3, 1)?;
/// let salaries = scheme.share(&[F::from(1000), F::from(2000)], &mut SystemRng::new()?)?;
/// let raised: Vec<_> = salaries.iter().map(|share| share + 50).collect();
/// assert_eq!(scheme.reconstruct(&raised[..2])?, [F::from(1050), F::from(2050)]);
/// # Ok::<(), smpc_shares::Error>(())
/// ```
#[must_use]
pub struct ShareVec<R: Ring, S = Shamir> {
    pub(crate) raw: Raw<R>,
    pub(crate) mac: Raw<R>,
    pub(crate) place: Arc<Place<R>>,
    pub(crate) fault: Option<Fault>,
    pub(crate) scheme: PhantomData<fn() -> S>,
}

impl<R: Ring, S> Clone for ShareVec<R, S> {
    fn clone(&self) -> Self {
        ShareVec {
            raw: self.raw.clone(),
            mac: self.mac.clone(),
            place: Arc::clone(&self.place),
            fault: self.fault,
            scheme: PhantomData,
        }
    }
}

impl<R: Ring, S> fmt::Debug for ShareVec<R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShareVec")
            .field("party", &self.place.id)
            .field("parties", &self.place.parties)
            .field("threshold", &self.place.threshold)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl<R: Ring, S> ShareVec<R, S> {
    pub(crate) fn new(raw: Raw<R>, mac: Raw<R>, place: &Arc<Place<R>>) -> Self {
        ShareVec { raw, mac, place: Arc::clone(place), fault: None, scheme: PhantomData }
    }

    /// The number of secrets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.raw.own.len()
    }

    /// Whether it has no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The party that holds it, counted from 1.
    #[must_use]
    pub fn party(&self) -> usize {
        self.place.id
    }

    /// The party's share values. They are secret: too many of them reveal everything.
    #[must_use]
    pub fn expose(&self) -> &[R] {
        &self.raw.own
    }

    pub(crate) fn checked(&self) -> Result<&Self> {
        match self.fault {
            None => Ok(self),
            Some(Fault::Length(left, right)) => Err(Error::LengthMismatch { left, right }),
            Some(Fault::Holder) => Err(Error::Mismatch),
        }
    }

    fn clash(&self, other: &Self) -> Option<Fault> {
        if let Some(fault) = self.fault.or(other.fault) {
            Some(fault)
        } else if self.len() != other.len() {
            Some(Fault::Length(self.len(), other.len()))
        } else if !Arc::ptr_eq(&self.place, &other.place) && !self.place.same(&other.place) {
            Some(Fault::Holder)
        } else {
            None
        }
    }

    fn rebuilt(&self, f: impl Fn(&Raw<R>) -> Raw<R>) -> Self {
        ShareVec {
            raw: f(&self.raw),
            mac: f(&self.mac),
            place: Arc::clone(&self.place),
            fault: self.fault,
            scheme: PhantomData,
        }
    }

    fn combined(&self, other: &Self, f: impl Fn(&Raw<R>, &Raw<R>) -> Raw<R>) -> Self {
        ShareVec {
            raw: f(&self.raw, &other.raw),
            mac: f(&self.mac, &other.mac),
            place: Arc::clone(&self.place),
            fault: self.clash(other),
            scheme: PhantomData,
        }
    }

    /// The secrets plus public numbers, one for each.
    pub fn plus_public(&self, values: &[R]) -> Self {
        let mut sum = self.clone();
        if values.len() != self.len() {
            sum.fault = sum.fault.or(Some(Fault::Length(self.len(), values.len())));
            return sum;
        }
        sum.raw.add_assign(&self.place.constant(values));
        sum.mac.add_assign(&self.place.constant_mac(values));
        sum
    }

    /// The secrets times public numbers, one for each.
    pub fn times_public(&self, values: &[R]) -> Self {
        let mut product = self.rebuilt(|raw| raw.scale_each(values));
        if values.len() != self.len() {
            product.fault = product.fault.or(Some(Fault::Length(self.len(), values.len())));
        }
        product
    }

    /// All secrets times one public number.
    pub fn scaled(&self, factor: R) -> Self {
        self.rebuilt(|raw| raw.map(|value| value * factor))
    }

    /// The sum of all secrets, a vector of length 1.
    pub fn total(&self) -> Self {
        let mut total = self.rebuilt(Raw::sum_all);
        if self.is_empty() {
            total.raw = self.place.constant(&[R::ZERO]);
            total.mac = self.place.constant_mac(&[R::ZERO]);
        }
        total
    }

    /// The sum of public weights times secrets, a vector of length 1.
    pub fn weighted(&self, weights: &[R]) -> Self {
        let mut sum = self.rebuilt(|raw| raw.combine(weights));
        if weights.len() != self.len() {
            sum.fault = sum.fault.or(Some(Fault::Length(self.len(), weights.len())));
        }
        sum
    }

    /// All prefix sums: element i is the sum of the first i + 1 secrets.
    pub fn cumulative(&self) -> Self {
        let running = |values: &[R]| {
            let mut sum = R::ZERO;
            values
                .iter()
                .map(|value| {
                    sum += *value;
                    sum
                })
                .collect()
        };
        self.rebuilt(|raw| Raw { own: running(&raw.own), next: running(&raw.next) })
    }

    /// The elements of `range`; empty where it reaches beyond the end.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Self {
        self.rebuilt(|raw| raw.range(range.clone()))
    }

    /// Element `index` as a vector of length 1; empty beyond the end.
    pub fn at(&self, index: usize) -> Self {
        self.slice(index..index.saturating_add(1))
    }

    /// The elements at public places, in that order; zero for places beyond the end.
    pub fn gather(&self, places: &[usize]) -> Self {
        self.rebuilt(|raw| raw.gather(places))
    }

    /// A vector of length 1 repeated `count` times.
    pub fn repeated(&self, count: usize) -> Self {
        self.gather(&vec![0; count])
    }

    /// These elements and then those.
    pub fn chain(&self, other: &Self) -> Self {
        let fault = match self.clash(other) {
            Some(Fault::Length(..)) => self.fault.or(other.fault),
            fault => fault,
        };
        let mut joined = self.clone();
        joined.raw.append(&other.raw);
        joined.mac.append(&other.mac);
        joined.fault = fault;
        joined
    }
}

impl<R: Ring, S> Add for &ShareVec<R, S> {
    type Output = ShareVec<R, S>;
    fn add(self, other: Self) -> ShareVec<R, S> {
        self.combined(other, Raw::add)
    }
}

impl<R: Ring, S> Sub for &ShareVec<R, S> {
    type Output = ShareVec<R, S>;
    fn sub(self, other: Self) -> ShareVec<R, S> {
        self.combined(other, Raw::sub)
    }
}

impl<R: Ring, S> Neg for &ShareVec<R, S> {
    type Output = ShareVec<R, S>;
    fn neg(self) -> ShareVec<R, S> {
        self.rebuilt(|raw| raw.map(|value| -value))
    }
}

impl<R: Ring, S> AddAssign<&ShareVec<R, S>> for ShareVec<R, S> {
    fn add_assign(&mut self, other: &ShareVec<R, S>) {
        self.fault = self.clash(other);
        self.raw.add_assign(&other.raw);
        self.mac.add_assign(&other.mac);
    }
}

impl<R: Ring, S> SubAssign<&ShareVec<R, S>> for ShareVec<R, S> {
    fn sub_assign(&mut self, other: &ShareVec<R, S>) {
        *self = &*self - other;
    }
}

macro_rules! by_value {
    ($($trait:ident $method:ident),*) => { $(
        impl<R: Ring, S> $trait for ShareVec<R, S> {
            type Output = ShareVec<R, S>;
            fn $method(self, other: Self) -> ShareVec<R, S> { (&self).$method(&other) }
        }
        impl<R: Ring, S> $trait<&ShareVec<R, S>> for ShareVec<R, S> {
            type Output = ShareVec<R, S>;
            fn $method(self, other: &Self) -> ShareVec<R, S> { (&self).$method(other) }
        }
        impl<R: Ring, S> $trait<ShareVec<R, S>> for &ShareVec<R, S> {
            type Output = ShareVec<R, S>;
            fn $method(self, other: ShareVec<R, S>) -> ShareVec<R, S> { self.$method(&other) }
        }
    )* };
}
by_value!(Add add, Sub sub);

impl<R: Ring, S> Neg for ShareVec<R, S> {
    type Output = ShareVec<R, S>;
    fn neg(self) -> ShareVec<R, S> {
        -&self
    }
}

/// Public integers on the right-hand side, reduced into the ring.
macro_rules! with_integers {
    ($($shares:ty),*) => { $(
        impl<R: Ring, S> Add<i64> for $shares {
            type Output = ShareVec<R, S>;
            fn add(self, value: i64) -> ShareVec<R, S> {
                self.plus_public(&vec![R::from_i128(value.into()); self.len()])
            }
        }
        impl<R: Ring, S> Sub<i64> for $shares {
            type Output = ShareVec<R, S>;
            fn sub(self, value: i64) -> ShareVec<R, S> {
                self.plus_public(&vec![R::from_i128(-i128::from(value)); self.len()])
            }
        }
        impl<R: Ring, S> Mul<i64> for $shares {
            type Output = ShareVec<R, S>;
            fn mul(self, value: i64) -> ShareVec<R, S> {
                self.scaled(R::from_i128(value.into()))
            }
        }
    )* };
}
with_integers!(&ShareVec<R, S>, ShareVec<R, S>);
