//! The field of 2^128 - 7·2^66 + 1 elements, Field128 of VDAF.
//!
//! Values are kept in Montgomery form with R = 2^128. The prime is 1 modulo 2^64, so each of the two
//! reduction steps multiplies by a constant of five bits only.

use num_bigint::BigUint;

use super::mersenne127::widening;
use super::{Field, NttField, PrimeField, Ring, centered, conversions, operators};
use crate::stream::Stream;

const P: u128 = 340_282_366_920_938_462_946_865_773_367_900_766_209;
/// R modulo P, the Montgomery form of one: 2^128 - P.
const R: u128 = P.wrapping_neg();
/// R² modulo P.
const R2: u128 = {
    // Doubling R 128 times.
    let mut value = R;
    let mut i = 0;
    while i < 128 {
        let (doubled, carry) = value.overflowing_add(value);
        value = if carry || doubled >= P { doubled.wrapping_sub(P) } else { doubled };
        i += 1;
    }
    value
};

/// An integer modulo 2^128 - 7·2^66 + 1.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Field128(u128);

/// (high·2^128 + low)/2^128 modulo P, for high < P.
#[inline(always)]
fn reduce(high: u128, low: u128) -> u128 {
    // P = 1 + 2^64·(2^64 - 28). Adding m·P with m = -t0 clears the lowest limb; what is left of
    // m·P above it is m·(2^64 - 28) and a carry wherever t0 was not zero.
    #[inline(always)]
    fn step(t0: u64) -> u128 {
        let m = t0.wrapping_neg();
        (u128::from(m) << 64) - u128::from(m) * 28 + u128::from(m != 0)
    }
    // t = (low + m·P)/2^64 has up to 129 bits with what is above: keep the carry apart.
    let first = step(low as u64);
    let (sum, carry) = first.overflowing_add(low >> 64);
    // Value is now high·2^64 + carry·2^128 + sum.
    let second = step(sum as u64);
    let (upper, carry2) = second.overflowing_add((sum >> 64) | (u128::from(carry) << 64));
    let (total, carry3) = high.overflowing_add(upper);
    // total + (carries)·2^128 < 2P.
    let (less, borrow) = total.overflowing_sub(P);
    let keep = borrow & !(carry2 | carry3);
    less.wrapping_add(P & u128::from(keep).wrapping_neg())
}

impl Field128 {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        let (less, borrow) = self.0.overflowing_sub(P - other.0);
        Field128(less.wrapping_add(P & u128::from(borrow).wrapping_neg()))
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        let (less, borrow) = self.0.overflowing_sub(other.0);
        Field128(less.wrapping_add(P & u128::from(borrow).wrapping_neg()))
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        let (high, low) = widening(self.0, other.0);
        Field128(reduce(high, low))
    }
}

operators!([] Field128);
conversions!([] Field128);

impl std::fmt::Debug for Field128 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Field128").field(&self.to_u128()).finish()
    }
}

impl Ring for Field128 {
    const ZERO: Self = Field128(0);
    const ONE: Self = Field128(R);
    const BYTES: usize = 16;
    const NAME: &'static str = "field128";
    const BITS: u32 = 128;

    #[inline]
    fn from_u128(value: u128) -> Self {
        let (high, low) = widening(value, R2);
        Field128(reduce(high, low))
    }

    #[inline]
    fn to_u128(self) -> u128 {
        reduce(0, self.0)
    }

    fn to_i128(self) -> i128 {
        centered(self.to_u128(), P)
    }

    #[inline]
    fn sample(stream: &mut Stream) -> Self {
        loop {
            let low = u128::from(stream.word());
            let candidate = low | (u128::from(stream.word()) << 64);
            if candidate < P {
                // A uniform residue is a uniform Montgomery form.
                return Field128(candidate);
            }
        }
    }

    fn dot(a: &[Self], b: &[Self]) -> Self {
        let mut sum = (0, 0, 0);
        for (a, b) in a.iter().zip(b) {
            Self::accumulate(&mut sum, *a, *b);
        }
        Self::settle(sum)
    }

    #[inline]
    fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_u128().to_le_bytes());
    }

    #[inline]
    fn decode(bytes: &[u8]) -> Option<Self> {
        let value = u128::from_le_bytes(bytes.try_into().ok()?);
        (value < P).then(|| Self::from_u128(value))
    }
}

impl Field for Field128 {
    const POINTS: u64 = u64::MAX;

    fn order() -> BigUint {
        P.into()
    }

    fn inverse(self) -> Self {
        self.pow_vartime(P - 2)
    }
}

impl PrimeField for Field128 {
    const MODULUS: u128 = P;
}

impl NttField for Field128 {
    const TWO_ADICITY: u32 = 66;

    /// The sum modulo 2^256 as low and high half, and how often 2^256 was passed.
    type Accumulator = (u128, u128, u32);

    #[inline(always)]
    fn accumulate((low, high, carries): &mut (u128, u128, u32), a: Self, b: Self) {
        let (product_high, product_low) = widening(a.0, b.0);
        let (next, carry) = low.overflowing_add(product_low);
        *low = next;
        // At most (2^128 - 1)² / 2^128, so that the carry fits.
        let (next, carry) = high.overflowing_add(product_high + u128::from(carry));
        *high = next;
        *carries += u32::from(carry);
    }

    #[inline]
    fn settle((low, high, carries): (u128, u128, u32)) -> Self {
        let (less, borrow) = high.overflowing_sub(P);
        let high = less.wrapping_add(P & u128::from(borrow).wrapping_neg());
        // 2^256/R is R, the Montgomery form of one.
        Field128(reduce(high, low)) + Self::from_u128(carries.into())
    }

    fn root() -> Self {
        Self::from_u128(145_091_266_659_756_586_618_791_329_697_897_684_742)
    }
}
