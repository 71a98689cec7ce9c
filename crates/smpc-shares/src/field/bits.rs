//! 64 bits in parallel: addition is XOR, multiplication is AND.

use super::{Ring, bulk_words, operators};
use crate::stream::Stream;

/// A word of 64 independent bits, an element of the ring GF(2)^64.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Bits64(pub u64);

impl Bits64 {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Bits64(self.0 ^ other.0)
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        Bits64(self.0 ^ other.0)
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        Bits64(self.0 & other.0)
    }
}

operators!([] Bits64);

impl Ring for Bits64 {
    const ZERO: Self = Bits64(0);
    const ONE: Self = Bits64(u64::MAX);
    const BYTES: usize = 8;
    const NAME: &'static str = "bits64";
    const BITS: u32 = 64;

    /// All 64 bits equal to the parity of `value`.
    fn from_u128(value: u128) -> Self {
        Bits64(((value & 1) as u64).wrapping_neg())
    }

    fn to_u128(self) -> u128 {
        u128::from(self.0)
    }

    fn to_i128(self) -> i128 {
        i128::from(self.0)
    }

    #[inline]
    fn sample(stream: &mut Stream) -> Self {
        Bits64(stream.word())
    }

    bulk_words!(Bits64, u64::MAX, |_: u64| true);

    #[inline]
    fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }

    #[inline]
    fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Bits64(u64::from_le_bytes(bytes.try_into().ok()?)))
    }
}
