//! Integers modulo 2^64: machine arithmetic, for replicated and additive sharing.

use super::{Ring, bulk_words, conversions, operators};
use crate::stream::Stream;

/// An integer modulo 2^64; the upper half is negative. No field: there is no Shamir sharing of it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Z64(pub u64);

impl Z64 {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Z64(self.0.wrapping_add(other.0))
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        Z64(self.0.wrapping_sub(other.0))
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        Z64(self.0.wrapping_mul(other.0))
    }
}

operators!([] Z64);
conversions!([] Z64);

impl Ring for Z64 {
    const ZERO: Self = Z64(0);
    const ONE: Self = Z64(1);
    const BYTES: usize = 8;
    const NAME: &'static str = "z64";
    const BITS: u32 = 64;

    #[inline]
    fn from_u128(value: u128) -> Self {
        Z64(value as u64)
    }

    #[inline]
    fn to_u128(self) -> u128 {
        u128::from(self.0)
    }

    fn to_i128(self) -> i128 {
        i128::from(self.0.cast_signed())
    }

    #[inline]
    fn sample(stream: &mut Stream) -> Self {
        Z64(stream.word())
    }

    bulk_words!(Z64, u64::MAX, |_: u64| true);

    #[inline]
    fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }

    #[inline]
    fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Z64(u64::from_le_bytes(bytes.try_into().ok()?)))
    }
}
