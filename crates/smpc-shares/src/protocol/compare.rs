//! Order and equality, bits and truncation.
//!
//! In a prime field by masked opening, in Z/2^64 by carries: a [`Way`] each.

use crate::error::{Error, Result};
use crate::field::{Field128, Goldilocks, Mersenne61, Mersenne127, Prime64, Ring, Z64};
use crate::party::Party;
use crate::security::Scheme;
use crate::sharing::ShareVec;

mod carries;
mod masked;

/// Rings whose elements stand for signed integers that can be compared. Sealed.
pub trait Ordered: Ring {
    /// How.
    #[doc(hidden)]
    type Way: Way<Self>;
}

/// What comparisons are made of.
#[allow(async_fn_in_trait, reason = "sealed; drivers poll on one thread")]
pub trait Way<R: Ring> {
    /// 1 where the integer of `bits` bits is negative.
    async fn negative<S: Scheme<R>>(
        party: &mut Party<R, S>,
        x: &ShareVec<R, S>,
        bits: u32,
    ) -> Result<ShareVec<R, S>>;

    /// 1 where the integer of `bits` bits is zero.
    async fn zero<S: Scheme<R>>(
        party: &mut Party<R, S>,
        x: &ShareVec<R, S>,
        bits: u32,
    ) -> Result<ShareVec<R, S>>;

    /// The two's complement of `bits` bits, from the lowest.
    async fn bits<S: Scheme<R>>(
        party: &mut Party<R, S>,
        x: &ShareVec<R, S>,
        bits: u32,
    ) -> Result<Vec<ShareVec<R, S>>>;

    /// The integer of `bits` bits divided by 2^`by`, rounded down.
    async fn shifted<S: Scheme<R>>(
        party: &mut Party<R, S>,
        x: &ShareVec<R, S>,
        bits: u32,
        by: u32,
    ) -> Result<ShareVec<R, S>>;

    /// As `shifted`, or one more with the probability of the part cut off.
    async fn truncated<S: Scheme<R>>(
        party: &mut Party<R, S>,
        x: &ShareVec<R, S>,
        bits: u32,
        by: u32,
    ) -> Result<ShareVec<R, S>>;
}

impl Ordered for Z64 {
    type Way = carries::ByCarries;
}

macro_rules! by_masking {
    ($([$($generics:tt)*] $type:ty),*) => { $(
        impl<$($generics)*> Ordered for $type {
            type Way = masked::ByMasking;
        }
    )* };
}
by_masking!([] Mersenne61, [] Mersenne127, [] Goldilocks, [] Field128, [const P: u64] Prime64<P>);

/// The carry out of bits that generate or propagate one, from the lowest; `None` of no bits.
pub(super) async fn carry<F: Ring, S: Scheme<F>>(
    party: &mut Party<F, S>,
    generate: Vec<ShareVec<F, S>>,
    propagate: Vec<ShareVec<F, S>>,
) -> Result<Option<ShareVec<F, S>>> {
    let mut nodes: Vec<_> = generate.into_iter().zip(propagate.into_iter().map(Some)).collect();
    // The lowest bit needs no propagation: nothing comes from below.
    if let Some(lowest) = nodes.first_mut() {
        lowest.1 = None;
    }
    while nodes.len() > 1 {
        let mut pairs = Vec::new();
        for pair in nodes.chunks_exact(2) {
            if let [(low_g, low_p), (_, Some(high_p))] = pair {
                pairs.push((high_p, low_g));
                if let Some(low_p) = low_p {
                    pairs.push((high_p, low_p));
                }
            }
        }
        let mut products = party.multiply_all(&pairs).await?.into_iter();
        let odd = if nodes.len() % 2 == 1 { nodes.pop() } else { None };
        let mut next = Vec::with_capacity(nodes.len() / 2 + 1);
        let mut nodes_left = nodes.into_iter();
        while let (Some((_, low_p)), Some((high_g, _))) = (nodes_left.next(), nodes_left.next()) {
            let carried = products.next().ok_or(Error::Poisoned)?;
            let both = if low_p.is_some() { products.next() } else { None };
            next.push((high_g + carried, both));
        }
        next.extend(odd);
        nodes = next;
    }
    Ok(nodes.pop().map(|(borrow, _)| borrow))
}

impl<R: Ordered, S: Scheme<R>> Party<R, S> {
    fn integer_bits(&self) -> u32 {
        self.core.integer_bits
    }

    /// 1 where `a < b`, else 0. Eight rounds in Z/2^64; one opening and a logarithmic tree in a field.
    ///
    /// # Security
    ///
    /// In a field statistical with the session's mask bits ([`with_mask_bits`]); perfect in Z/2^64.
    /// Both operands must be integers of the session's size ([`with_integer_bits`]).
    ///
    /// [`with_mask_bits`]: crate::net::Config::with_mask_bits
    /// [`with_integer_bits`]: crate::net::Config::with_integer_bits
    ///
    /// # Errors
    ///
    /// [`Error::FieldTooSmall`] before a message is sent, if the field has no room for the mask; as
    /// [`multiply`](Party::multiply).
    pub async fn less_than(
        &mut self,
        a: &ShareVec<R, S>,
        b: &ShareVec<R, S>,
    ) -> Result<ShareVec<R, S>> {
        let bits = self.integer_bits() + 1;
        R::Way::negative(self, &(a - b), bits).await
    }

    /// 1 where the secret is negative.
    ///
    /// # Errors
    ///
    /// As [`less_than`](Party::less_than).
    pub async fn is_negative(&mut self, x: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        let bits = self.integer_bits();
        R::Way::negative(self, x, bits).await
    }

    /// 1 where `a` equals `b`, else 0.
    ///
    /// # Errors
    ///
    /// As [`less_than`](Party::less_than).
    pub async fn equal(
        &mut self,
        a: &ShareVec<R, S>,
        b: &ShareVec<R, S>,
    ) -> Result<ShareVec<R, S>> {
        let bits = self.integer_bits() + 1;
        R::Way::zero(self, &(a - b), bits).await
    }

    /// The bits of each secret in two's complement, as vectors from the lowest to the sign.
    ///
    /// # Errors
    ///
    /// As [`less_than`](Party::less_than).
    pub async fn to_bits(&mut self, x: &ShareVec<R, S>) -> Result<Vec<ShareVec<R, S>>> {
        let bits = self.integer_bits();
        R::Way::bits(self, x, bits).await
    }

    /// The absolute value. One comparison and one product.
    ///
    /// # Errors
    ///
    /// As [`less_than`](Party::less_than).
    pub async fn absolute(&mut self, x: &ShareVec<R, S>) -> Result<ShareVec<R, S>> {
        let sign = -self.is_negative(x).await? * 2 + 1;
        self.multiply(x, &sign).await
    }

    /// Each secret divided by 2^`by`, rounded down; exact.
    ///
    /// # Errors
    ///
    /// As [`less_than`](Party::less_than).
    pub async fn shift_right(&mut self, x: &ShareVec<R, S>, by: u32) -> Result<ShareVec<R, S>> {
        let bits = self.integer_bits();
        R::Way::shifted(self, x, bits, by).await
    }
}
