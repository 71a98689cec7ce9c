//! The field of 2^127 - 1 elements: room to compare 64-bit integers with 40 bits of masking.

use num_bigint::BigUint;

use super::{Field, PrimeField, Ring, centered, conversions, operators};
use crate::stream::Stream;

const P: u128 = (1 << 127) - 1;

/// An integer modulo the Mersenne prime 2^127 - 1.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Mersenne127(u128);

/// The canonical form of any `value`.
#[inline(always)]
fn reduce(value: u128) -> u128 {
    let folded = (value & P) + (value >> 127);
    (folded + ((folded + 1) >> 127)) & P
}

/// The 256-bit product, high and low.
#[inline(always)]
pub(super) fn widening(a: u128, b: u128) -> (u128, u128) {
    let (a1, a0) = ((a >> 64) as u64, a as u64);
    let (b1, b0) = ((b >> 64) as u64, b as u64);
    let product = |x: u64, y: u64| u128::from(x) * u128::from(y);
    let low = product(a0, b0);
    let middle = product(a1, b0) + (low >> 64);
    let other = product(a0, b1) + u128::from(middle as u64);
    let high = product(a1, b1) + (middle >> 64) + (other >> 64);
    (high, (other << 64) | u128::from(low as u64))
}

impl Mersenne127 {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Mersenne127(reduce(self.0 + other.0))
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        Mersenne127(reduce(self.0 + (P - other.0)))
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        let (high, low) = widening(self.0, other.0);
        // The product is below 2^254: high·2^128 + low = (high·2 + low>>127)·2^127 + low mod 2^127.
        Mersenne127(reduce((low & P) + ((high << 1) | (low >> 127))))
    }
}

operators!([] Mersenne127);
conversions!([] Mersenne127);

impl Ring for Mersenne127 {
    const ZERO: Self = Mersenne127(0);
    const ONE: Self = Mersenne127(1);
    const BYTES: usize = 16;
    const NAME: &'static str = "mersenne127";
    const BITS: u32 = 127;

    #[inline]
    fn from_u128(value: u128) -> Self {
        Mersenne127(reduce(value))
    }

    #[inline]
    fn to_u128(self) -> u128 {
        self.0
    }

    fn to_i128(self) -> i128 {
        centered(self.0, P)
    }

    #[inline]
    fn sample(stream: &mut Stream) -> Self {
        loop {
            let low = u128::from(stream.word());
            let candidate = (low | (u128::from(stream.word()) << 64)) & P;
            if candidate != P {
                return Mersenne127(candidate);
            }
        }
    }

    #[inline]
    fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }

    #[inline]
    fn decode(bytes: &[u8]) -> Option<Self> {
        let value = u128::from_le_bytes(bytes.try_into().ok()?);
        (value < P).then_some(Mersenne127(value))
    }
}

impl Field for Mersenne127 {
    const POINTS: u64 = u64::MAX;

    fn order() -> BigUint {
        P.into()
    }

    fn inverse(self) -> Self {
        self.pow_vartime(P - 2)
    }
}

impl PrimeField for Mersenne127 {
    const MODULUS: u128 = P;
}
