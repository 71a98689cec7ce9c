//! The field of bytes, x^8 + x^4 + x^3 + x + 1 (FIPS 197).

use num_bigint::BigUint;

use super::{Field, Ring, operators};
use crate::stream::Stream;

/// A byte as an element of GF(2^8). Addition and subtraction are XOR.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Gf256(pub u8);

/// Eight bytes at a time: each times x.
#[inline(always)]
pub(crate) fn double_packed(word: u64) -> u64 {
    let carry = (word >> 7) & 0x0101_0101_0101_0101;
    let shifted = (word & 0x7f7f_7f7f_7f7f_7f7f) << 1;
    // 0x1b = x^4 + x^3 + x + 1 below each carried bit.
    shifted ^ carry ^ (carry << 1) ^ (carry << 3) ^ (carry << 4)
}

/// Eight bytes at a time: each times the public constant `factor`.
#[inline(always)]
pub(crate) fn scale_packed(word: u64, factor: u8) -> u64 {
    let mut sum = 0;
    let mut power = word;
    let mut left = factor;
    while left != 0 {
        sum ^= power & u64::from(left & 1).wrapping_neg();
        power = double_packed(power);
        left >>= 1;
    }
    sum
}

impl Gf256 {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Gf256(self.0 ^ other.0)
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        Gf256(self.0 ^ other.0)
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        let mut sum = 0u8;
        let mut power = self.0;
        for bit in 0..8 {
            sum ^= power & ((other.0 >> bit) & 1).wrapping_neg();
            power = (power << 1) ^ (0x1b & (power >> 7).wrapping_neg());
        }
        Gf256(sum)
    }
}

operators!([] Gf256);

impl Ring for Gf256 {
    const ZERO: Self = Gf256(0);
    const ONE: Self = Gf256(1);
    const BYTES: usize = 1;
    const NAME: &'static str = "gf256";
    const BITS: u32 = 8;

    /// The integer modulo the characteristic 2.
    fn from_u128(value: u128) -> Self {
        Gf256((value & 1) as u8)
    }

    fn to_u128(self) -> u128 {
        u128::from(self.0)
    }

    fn to_i128(self) -> i128 {
        i128::from(self.0)
    }

    fn sample(stream: &mut Stream) -> Self {
        Gf256(stream.word() as u8)
    }

    fn encode(self, out: &mut Vec<u8>) {
        out.push(self.0);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [byte] => Some(Gf256(*byte)),
            _ => None,
        }
    }
}

impl Field for Gf256 {
    const POINTS: u64 = 255;

    fn order() -> BigUint {
        256u16.into()
    }

    fn inverse(self) -> Self {
        self.pow_vartime(254)
    }

    /// The byte itself.
    fn point(number: u64) -> Self {
        Gf256(number as u8)
    }
}
