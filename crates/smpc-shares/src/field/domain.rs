//! Fields as values: the vocabulary for moduli that are known at run time only.

use std::marker::PhantomData;

use num_bigint::BigUint;

use super::{Field, Ring};
use crate::stream::Stream;

/// A field as a value, with operations on its elements.
pub trait Domain: Send + Sync {
    /// An element; what represents it is the domain's business.
    type Element: Clone + Eq + Send + Sync;

    /// The number of elements.
    fn order(&self) -> BigUint;
    /// The evaluation point or integer with this number; 0 is zero and 1 is one.
    fn integer(&self, value: u64) -> Self::Element;
    /// a + b.
    fn add(&self, a: &Self::Element, b: &Self::Element) -> Self::Element;
    /// a - b.
    fn sub(&self, a: &Self::Element, b: &Self::Element) -> Self::Element;
    /// a·b.
    fn mul(&self, a: &Self::Element, b: &Self::Element) -> Self::Element;
    /// 1/a, and zero for zero.
    fn inverse(&self, a: &Self::Element) -> Self::Element;
    /// A uniform element.
    fn sample(&self, stream: &mut Stream) -> Self::Element;
    /// The canonical encoding, the same length for all elements.
    fn encode(&self, a: &Self::Element) -> Vec<u8>;
    /// The element with this encoding; `None` unless it is canonical.
    fn decode(&self, bytes: &[u8]) -> Option<Self::Element>;
}

/// A compile-time field as a [`Domain`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Static<F>(PhantomData<F>);

impl<F> Static<F> {
    /// The domain.
    #[must_use]
    pub fn new() -> Self {
        Static(PhantomData)
    }
}

impl<F: Field> Domain for Static<F> {
    type Element = F;

    fn order(&self) -> BigUint {
        F::order()
    }

    fn integer(&self, value: u64) -> F {
        F::point(value)
    }

    fn add(&self, a: &F, b: &F) -> F {
        *a + *b
    }

    fn sub(&self, a: &F, b: &F) -> F {
        *a - *b
    }

    fn mul(&self, a: &F, b: &F) -> F {
        *a * *b
    }

    fn inverse(&self, a: &F) -> F {
        Field::inverse(*a)
    }

    fn sample(&self, stream: &mut Stream) -> F {
        <F as Ring>::sample(stream)
    }

    fn encode(&self, a: &F) -> Vec<u8> {
        let mut out = Vec::with_capacity(F::BYTES);
        Ring::encode(*a, &mut out);
        out
    }

    fn decode(&self, bytes: &[u8]) -> Option<F> {
        <F as Ring>::decode(bytes)
    }
}
