//! The field of 2^61 - 1 elements: reduction is a shift and an addition.

use num_bigint::BigUint;

use super::{Field, PrimeField, Ring, bulk_words, centered, conversions, operators};
use crate::stream::Stream;

const P: u64 = (1 << 61) - 1;

/// An integer modulo the Mersenne prime 2^61 - 1.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Mersenne61(u64);

/// The canonical form of `value` ≤ 2^62 + 2^61.
#[inline(always)]
fn reduce(value: u64) -> u64 {
    // Below 2^61 + 3 after the fold; adding one carries exactly where the value is at least P.
    let folded = (value & P) + (value >> 61);
    (folded + ((folded + 1) >> 61)) & P
}

impl Mersenne61 {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Mersenne61(reduce(self.0 + other.0))
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        Mersenne61(reduce(self.0 + (P - other.0)))
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        let product = u128::from(self.0) * u128::from(other.0);
        Mersenne61(reduce((product as u64 & P) + (product >> 61) as u64))
    }
}

operators!([] Mersenne61);
conversions!([] Mersenne61);

impl Ring for Mersenne61 {
    const ZERO: Self = Mersenne61(0);
    const ONE: Self = Mersenne61(1);
    const BYTES: usize = 8;
    const NAME: &'static str = "mersenne61";
    const BITS: u32 = 61;

    #[inline]
    fn from_u128(value: u128) -> Self {
        let low = (value as u64) & P;
        let middle = ((value >> 61) as u64) & P;
        let high = (value >> 122) as u64;
        Mersenne61(reduce(reduce(low + middle) + high))
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
            let candidate = stream.word() & P;
            if candidate != P {
                return Mersenne61(candidate);
            }
        }
    }

    bulk_words!(Mersenne61, P, |word: u64| word < P);

    #[inline]
    fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }

    #[inline]
    fn decode(bytes: &[u8]) -> Option<Self> {
        let value = u64::from_le_bytes(bytes.try_into().ok()?);
        (value < P).then_some(Mersenne61(value))
    }

    fn dot(a: &[Self], b: &[Self]) -> Self {
        // 63 products of 122 bits fit into 128.
        a.chunks(63)
            .zip(b.chunks(63))
            .map(|(a, b)| {
                let sum = a.iter().zip(b).map(|(a, b)| u128::from(a.0) * u128::from(b.0)).sum();
                Self::from_u128(sum)
            })
            .sum()
    }
}

impl Field for Mersenne61 {
    const POINTS: u64 = P - 1;

    fn order() -> BigUint {
        P.into()
    }

    fn inverse(self) -> Self {
        self.pow_vartime(u128::from(P - 2))
    }
}

impl PrimeField for Mersenne61 {
    const MODULUS: u128 = P as u128;
}
