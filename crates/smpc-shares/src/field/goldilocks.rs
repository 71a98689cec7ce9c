//! The field of 2^64 - 2^32 + 1 elements, Field64 of VDAF.
//!
//! With e = 2^32 - 1: 2^64 = e and 2^96 = -1 modulo the prime, so a product is reduced with one
//! small multiplication.

use num_bigint::BigUint;

use super::{Field, NttField, PrimeField, Ring, bulk_words, centered, conversions, operators};
use crate::kernel::goldilocks as kernel;
use crate::stream::Stream;

const P: u64 = 0xffff_ffff_0000_0001;
const E: u64 = 0xffff_ffff;

/// An integer modulo 2^64 - 2^32 + 1.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Goldilocks(u64);

/// `value` below P, from any 64-bit value.
#[inline(always)]
fn canonical(value: u64) -> u64 {
    let (less, borrow) = value.overflowing_sub(P);
    less.wrapping_add(P & u64::from(borrow).wrapping_neg())
}

#[inline(always)]
fn reduce(value: u128) -> u64 {
    let low = value as u64;
    let high = (value >> 64) as u64;
    let (top, middle) = (high >> 32, high & E);
    // low - top: a borrow of 2^64 is taken back as e.
    let (mut sum, borrow) = low.overflowing_sub(top);
    sum = sum.wrapping_sub(E & u64::from(borrow).wrapping_neg());
    let (sum, carry) = sum.overflowing_add(middle * E);
    canonical(sum.wrapping_add(E & u64::from(carry).wrapping_neg()))
}

impl Goldilocks {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        // a + b - P never overflows; the borrow says that a + b is below P.
        let (less, borrow) = self.0.overflowing_sub(P - other.0);
        Goldilocks(less.wrapping_add(P & u64::from(borrow).wrapping_neg()))
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        let (less, borrow) = self.0.overflowing_sub(other.0);
        Goldilocks(less.wrapping_add(P & u64::from(borrow).wrapping_neg()))
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        Goldilocks(reduce(u128::from(self.0) * u128::from(other.0)))
    }
}

operators!([] Goldilocks);
conversions!([] Goldilocks);

impl Ring for Goldilocks {
    const ZERO: Self = Goldilocks(0);
    const ONE: Self = Goldilocks(1);
    const BYTES: usize = 8;
    const NAME: &'static str = "goldilocks";
    const BITS: u32 = 64;

    #[inline]
    fn from_u128(value: u128) -> Self {
        Goldilocks(reduce(value))
    }

    #[inline]
    fn to_u128(self) -> u128 {
        u128::from(self.0)
    }

    fn to_i128(self) -> i128 {
        centered(self.to_u128(), Self::MODULUS)
    }

    #[inline]
    fn sample(stream: &mut Stream) -> Self {
        loop {
            let candidate = stream.word();
            if candidate < P {
                return Goldilocks(candidate);
            }
        }
    }

    fn dot(a: &[Self], b: &[Self]) -> Self {
        let mut sum = (0, 0);
        for (a, b) in a.iter().zip(b) {
            Self::accumulate(&mut sum, *a, *b);
        }
        Self::settle(sum)
    }

    bulk_words!(Goldilocks, u64::MAX, |word: u64| word < P);

    #[inline]
    fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }

    #[inline]
    fn decode(bytes: &[u8]) -> Option<Self> {
        let value = u64::from_le_bytes(bytes.try_into().ok()?);
        (value < P).then_some(Goldilocks(value))
    }
}

impl Field for Goldilocks {
    const POINTS: u64 = P - 1;

    fn order() -> BigUint {
        P.into()
    }

    fn inverse(self) -> Self {
        // P - 2 is 31 ones, a zero and 32 ones; each name is a run of so many ones.
        let squared = |mut x: Self, times: u32| {
            for _ in 0..times {
                x *= x;
            }
            x
        };
        let two = squared(self, 1) * self;
        let three = squared(two, 1) * self;
        let six = squared(three, 3) * three;
        let twelve = squared(six, 6) * six;
        let thirty = squared(squared(twelve, 12) * twelve, 6) * six;
        let thirty_one = squared(thirty, 1) * self;
        squared(thirty_one, 33) * (squared(thirty_one, 1) * self)
    }
}

impl PrimeField for Goldilocks {
    const MODULUS: u128 = P as u128;
}

impl NttField for Goldilocks {
    const TWO_ADICITY: u32 = 32;

    /// The sum modulo 2^128, and how often 2^128 was passed.
    type Accumulator = (u128, u32);

    #[inline(always)]
    fn accumulate((sum, carries): &mut (u128, u32), a: Self, b: Self) {
        let (next, carry) = sum.overflowing_add(u128::from(a.0) * u128::from(b.0));
        *sum = next;
        *carries += u32::from(carry);
    }

    #[inline]
    fn settle((sum, carries): (u128, u32)) -> Self {
        // 2^128 = -2^32 modulo the prime.
        Goldilocks(reduce(sum)) - Goldilocks(reduce(u128::from(carries) << 32))
    }

    fn root() -> Self {
        Goldilocks(1_753_635_133_440_165_772)
    }

    fn in_frequency(low: &mut [Self], high: &mut [Self], root: Option<Self>) {
        kernel::in_frequency(low, high, root);
    }

    fn in_time(low: &mut [Self], high: &mut [Self], root: Option<Self>) {
        kernel::in_time(low, high, root);
    }

    fn in_frequency_each(low: &mut [Self], high: &mut [Self], roots: &[Self]) {
        kernel::in_frequency_each(low, high, roots);
    }

    fn in_time_each(low: &mut [Self], high: &mut [Self], roots: &[Self]) {
        kernel::in_time_each(low, high, roots);
    }

    fn last_in_frequency(values: &mut [Self], roots: &[Self]) {
        kernel::last_in_frequency(values, roots);
    }

    fn first_in_time(values: &mut [Self], roots: &[Self]) {
        kernel::first_in_time(values, roots);
    }

    fn scale(values: &mut [Self], factor: Self) {
        kernel::scale(values, factor);
    }

    fn scale_each(values: &mut [Self], factors: &[Self]) {
        kernel::scale_each(values, factors);
    }
}
