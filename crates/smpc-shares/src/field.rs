//! Fields and rings that shares live in.
//!
//! A [`Ring`] element is a small `Copy` value in canonical form; a [`Field`] has inverses and
//! points to evaluate polynomials at. Arithmetic of every compile-time type takes the same time for
//! all values. [`Domain`] is the same vocabulary with the modulus as a run-time value, for
//! [`RuntimePrime`] and [`BigPrime`].
//!
//! | type | what | bytes |
//! |---|---|---|
//! | [`Prime64<P>`] | any odd prime below 2^63, GF(257) included | 8 |
//! | [`Mersenne61`] | 2^61 - 1, the fastest | 8 |
//! | [`Mersenne127`] | 2^127 - 1, for comparing 32- and 64-bit integers | 16 |
//! | [`Goldilocks`] | 2^64 - 2^32 + 1, Field64 of VDAF | 8 |
//! | [`Field128`] | 2^128 - 7·2^66 + 1, Field128 of VDAF | 16 |
//! | [`Gf256`] | bytes, x^8 + x^4 + x^3 + x + 1 | 1 |
//! | [`Bits64`] | 64 bits in parallel, GF(2)^64 | 8 |
//! | [`Z64`] | integers modulo 2^64 | 8 |

use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use num_bigint::BigUint;
use zeroize::DefaultIsZeroes;

use crate::stream::Stream;

mod big;
mod bits;
mod domain;
mod field128;
mod gf256;
mod goldilocks;
mod mersenne127;
mod mersenne61;
mod montgomery;
pub(crate) mod portable;
mod prime64;
mod ring64;

pub use big::BigPrime;
pub use bits::Bits64;
pub use domain::{Domain, Static};
pub use field128::Field128;
pub use gf256::Gf256;
pub(crate) use gf256::scale_packed as gf256_scale_packed;
pub use goldilocks::Goldilocks;
pub use mersenne61::Mersenne61;
pub use mersenne127::Mersenne127;
pub use prime64::{Prime64, RuntimePrime};
pub use ring64::Z64;

/// A commutative ring whose elements are secret-shared.
///
/// # Timing
///
/// Arithmetic, encoding and comparison of implementations here take the same time for all values.
/// Sampling rejects words, which depends on the random source alone.
pub trait Ring:
    Copy
    + Default
    + Eq
    + Debug
    + Send
    + Sync
    + 'static
    + DefaultIsZeroes
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + Sum
{
    /// The neutral element of addition.
    const ZERO: Self;
    /// The neutral element of multiplication.
    const ONE: Self;
    /// Bytes of an encoded element.
    const BYTES: usize;
    /// The name that binds a session to this ring.
    const NAME: &'static str;
    /// Bits of the largest element.
    const BITS: u32;

    /// The integer modulo the characteristic.
    fn from_u128(value: u128) -> Self;

    /// The least non-negative representative (the byte of a `Gf256`, the word of a `Bits64`).
    fn to_u128(self) -> u128;

    /// The signed integer modulo the characteristic.
    fn from_i128(value: i128) -> Self {
        let magnitude = Self::from_u128(value.unsigned_abs());
        if value < 0 { -magnitude } else { magnitude }
    }

    /// The representative of least magnitude; the upper half of the ring is negative.
    fn to_i128(self) -> i128;

    /// A uniform element.
    fn sample(stream: &mut Stream) -> Self;

    /// Fills `out` with uniform elements, the same ones as one [`sample`](Ring::sample) after the
    /// other.
    fn fill(stream: &mut Stream, out: &mut [Self]) {
        for value in out {
            *value = Self::sample(stream);
        }
    }

    /// Appends the canonical little-endian encoding.
    fn encode(self, out: &mut Vec<u8>);

    /// The element with this encoding of [`BYTES`](Ring::BYTES) bytes; `None` if it is not
    /// canonical or has another length.
    fn decode(bytes: &[u8]) -> Option<Self>;

    /// The sum of products `a[i]·b[i]` up to the shorter length.
    #[must_use]
    fn dot(a: &[Self], b: &[Self]) -> Self {
        a.iter().zip(b).map(|(a, b)| *a * *b).sum()
    }

    /// Appends the encodings of all `values`.
    fn encode_all(values: &[Self], out: &mut Vec<u8>) {
        out.reserve(values.len() * Self::BYTES);
        for value in values {
            value.encode(out);
        }
    }

    /// As many elements as `bytes` holds exactly; `None` if one is not canonical or bytes are left.
    #[must_use]
    fn decode_all(bytes: &[u8]) -> Option<Vec<Self>> {
        if !bytes.len().is_multiple_of(Self::BYTES) {
            return None;
        }
        let mut out = Vec::with_capacity(bytes.len() / Self::BYTES);
        for bytes in bytes.chunks_exact(Self::BYTES) {
            out.push(Self::decode(bytes)?);
        }
        Some(out)
    }
}

/// A ring in which every element but zero has an inverse.
pub trait Field: Ring {
    /// How many points other than zero there are, capped at `u64::MAX`.
    const POINTS: u64;

    /// The number of elements.
    fn order() -> BigUint;

    /// The inverse, and zero for zero.
    #[must_use]
    fn inverse(self) -> Self;

    /// The evaluation point with this number; 0 is the zero element. Distinct numbers up to
    /// [`POINTS`](Field::POINTS) give distinct points.
    fn point(number: u64) -> Self {
        Self::from_u128(u128::from(number))
    }

    /// The power with a public exponent.
    ///
    /// # Timing
    ///
    /// Depends on the exponent, not on the base.
    #[must_use]
    fn pow_vartime(self, mut exponent: u128) -> Self {
        let mut power = Self::ONE;
        let mut base = self;
        while exponent > 0 {
            if exponent & 1 == 1 {
                power *= base;
            }
            base *= base;
            exponent >>= 1;
        }
        power
    }

    /// The Lagrange coefficients that interpolate at `at` from values at distinct `points`.
    #[must_use]
    fn lagrange(points: &[Self], at: Self) -> Vec<Self> {
        let coefficient = |i: usize| {
            let mut numerator = Self::ONE;
            let mut denominator = Self::ONE;
            for (j, other) in points.iter().enumerate() {
                if j != i {
                    numerator *= at - *other;
                    denominator *= points[i] - *other;
                }
            }
            numerator * denominator.inverse()
        };
        (0..points.len()).map(coefficient).collect()
    }
}

/// A field whose elements are the integers modulo a prime, in order.
pub trait PrimeField: Field {
    /// The prime.
    const MODULUS: u128;
}

/// Powers of two large fields with a multiplicative subgroup of order a power of two.
pub trait NttField: PrimeField {
    /// The largest order is two to this.
    const TWO_ADICITY: u32;

    /// A sum of products that is reduced once, at its end.
    #[doc(hidden)]
    type Accumulator: Copy + Default;

    /// sum + a·b.
    #[doc(hidden)]
    fn accumulate(sum: &mut Self::Accumulator, a: Self, b: Self);

    /// The reduced sum of fewer than 2^32 products.
    #[doc(hidden)]
    fn settle(sum: Self::Accumulator) -> Self;

    /// A root of unity of order exactly 2^[`TWO_ADICITY`](NttField::TWO_ADICITY), as VDAF fixes it.
    fn root() -> Self;

    /// A root of unity of order exactly `2^log`, up to [`TWO_ADICITY`](NttField::TWO_ADICITY).
    fn root_of(log: u32) -> Self {
        let mut root = Self::root();
        for _ in log..Self::TWO_ADICITY {
            root *= root;
        }
        root
    }

    /// (low, high) = (low + high, (low - high)·root), place by place; without a root, as with one.
    #[doc(hidden)]
    fn in_frequency(low: &mut [Self], high: &mut [Self], root: Option<Self>) {
        portable::in_frequency(low, high, root);
    }

    /// (low, high) = (low + high·root, low - high·root), place by place; without a root, as with one.
    #[doc(hidden)]
    fn in_time(low: &mut [Self], high: &mut [Self], root: Option<Self>) {
        portable::in_time(low, high, root);
    }

    /// As [`in_frequency`](NttField::in_frequency), with a root for each place.
    #[doc(hidden)]
    fn in_frequency_each(low: &mut [Self], high: &mut [Self], roots: &[Self]) {
        portable::in_frequency_each(low, high, roots);
    }

    /// As [`in_time`](NttField::in_time), with a root for each place.
    #[doc(hidden)]
    fn in_time_each(low: &mut [Self], high: &mut [Self], roots: &[Self]) {
        portable::in_time_each(low, high, roots);
    }

    /// The stages of a decimation in frequency whose butterflies are 4, 2 and 1 apart, as far as there
    /// are so many values, of which there are a power of two. `roots` are those of 1, 2 and 4 in a row.
    #[doc(hidden)]
    fn last_in_frequency(values: &mut [Self], roots: &[Self]) {
        portable::last_in_frequency(values, roots);
    }

    /// The stages of a decimation in time whose butterflies are 1, 2 and 4 apart.
    #[doc(hidden)]
    fn first_in_time(values: &mut [Self], roots: &[Self]) {
        portable::first_in_time(values, roots);
    }

    /// Every value times the factor.
    #[doc(hidden)]
    fn scale(values: &mut [Self], factor: Self) {
        portable::scale(values, factor);
    }

    /// Every value times the factor in its place.
    #[doc(hidden)]
    fn scale_each(values: &mut [Self], factors: &[Self]) {
        portable::scale_each(values, factors);
    }
}

/// The operators of std from inherent functions `plus`, `minus`, `times`, `negated`.
macro_rules! operators {
    ([$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> std::ops::Add for $type {
            type Output = Self;
            #[inline(always)]
            fn add(self, other: Self) -> Self { self.plus(other) }
        }
        impl<$($generics)*> std::ops::Sub for $type {
            type Output = Self;
            #[inline(always)]
            fn sub(self, other: Self) -> Self { self.minus(other) }
        }
        impl<$($generics)*> std::ops::Mul for $type {
            type Output = Self;
            #[inline(always)]
            fn mul(self, other: Self) -> Self { self.times(other) }
        }
        impl<$($generics)*> std::ops::Neg for $type {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self { <$type>::default().minus(self) }
        }
        impl<$($generics)*> std::ops::AddAssign for $type {
            #[inline(always)]
            fn add_assign(&mut self, other: Self) { *self = self.plus(other); }
        }
        impl<$($generics)*> std::ops::SubAssign for $type {
            #[inline(always)]
            fn sub_assign(&mut self, other: Self) { *self = self.minus(other); }
        }
        impl<$($generics)*> std::ops::MulAssign for $type {
            #[inline(always)]
            fn mul_assign(&mut self, other: Self) { *self = self.times(other); }
        }
        impl<$($generics)*> std::iter::Sum for $type {
            #[inline]
            fn sum<I: Iterator<Item = Self>>(values: I) -> Self {
                values.fold(<$type>::default(), |sum, value| sum.plus(value))
            }
        }
        impl<$($generics)*> zeroize::DefaultIsZeroes for $type {}
    };
}
pub(crate) use operators;

/// Bulk methods of rings whose element is one canonical 64-bit word, given the mask of a candidate
/// word and which words are elements.
macro_rules! bulk_words {
    ($type:ident, $mask:expr, $valid:expr) => {
        fn fill(stream: &mut Stream, out: &mut [Self]) {
            let valid = $valid;
            stream.fill_words(out, |word| $type(word & $mask), |element| !valid(element.0));
        }

        fn encode_all(values: &[Self], out: &mut Vec<u8>) {
            out.reserve(values.len() * 8);
            let mut block = [0; 2048];
            for values in values.chunks(256) {
                for (bytes, value) in block.as_chunks_mut().0.iter_mut().zip(values) {
                    *bytes = value.0.to_le_bytes();
                }
                out.extend_from_slice(&block[..values.len() * 8]);
            }
        }

        fn decode_all(bytes: &[u8]) -> Option<Vec<Self>> {
            let valid = $valid;
            let (words, []) = bytes.as_chunks::<8>() else { return None };
            let all: Vec<Self> =
                words.iter().map(|word| $type(u64::from_le_bytes(*word))).collect();
            all.iter().fold(true, |all, element| all & valid(element.0)).then_some(all)
        }
    };
}
pub(crate) use bulk_words;

/// Conversions from machine integers, reduced.
macro_rules! conversions {
    ([$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> From<u64> for $type {
            fn from(value: u64) -> Self { crate::field::Ring::from_u128(u128::from(value)) }
        }
        impl<$($generics)*> From<i64> for $type {
            fn from(value: i64) -> Self { crate::field::Ring::from_i128(i128::from(value)) }
        }
        impl<$($generics)*> From<i32> for $type {
            fn from(value: i32) -> Self { crate::field::Ring::from_i128(i128::from(value)) }
        }
    };
}
pub(crate) use conversions;

/// `value` as a signed integer modulo `modulus`: the upper half is negative.
pub(crate) fn centered(value: u128, modulus: u128) -> i128 {
    if value > modulus / 2 { -((modulus - value) as i128) } else { value as i128 }
}
