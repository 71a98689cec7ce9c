//! Numbers between the application and the key: scales, bounds, exact encoding and decoding.
//!
//! A value is a *mantissa*, an integer that is encrypted, at a public [`Scale`]. The scale is fixed
//! for a column, so that it tells nothing about a single value, and every result carries the scale
//! and a bound on its mantissas along.

use num_bigint::{BigInt, BigUint};
use num_integer::Integer;
use num_rational::Ratio;
use num_traits::{One, Signed, ToPrimitive, Zero};

use crate::error::{Error, Result};

type BigRational = Ratio<BigInt>;

/// What one unit of the encrypted integer is worth: `base^-digits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scale {
    base: u32,
    digits: i32,
}

/// The most digits of a scale, in either direction.
const MOST_DIGITS: u32 = 4096;

impl Scale {
    /// Integers.
    pub const INTEGER: Scale = Scale { base: 1, digits: 0 };

    /// Units of `base^-digits`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a base below 2 or more than 4096 digits in either direction.
    pub fn new(base: u32, digits: i32) -> Result<Self> {
        if base < 2 || digits.unsigned_abs() > MOST_DIGITS {
            let requirement = "a base of at least 2 with at most 4096 digits";
            return Err(Error::Parameter { parameter: "a scale", requirement });
        }
        Ok(if digits == 0 { Scale::INTEGER } else { Scale { base, digits } })
    }

    /// The base; 1 for integers.
    #[must_use]
    pub fn base(self) -> u32 {
        self.base
    }

    /// The digits after the point; negative where a unit is worth more than 1.
    #[must_use]
    pub fn digits(self) -> i32 {
        self.digits
    }

    /// What one unit is worth.
    #[must_use]
    pub fn unit(self) -> BigRational {
        let power = BigInt::from(self.base).pow(self.digits.unsigned_abs());
        if self.digits >= 0 {
            BigRational::new(BigInt::one(), power)
        } else {
            BigRational::from_integer(power)
        }
    }

    /// The scale of a product.
    ///
    /// # Errors
    ///
    /// [`Error::ScaleMismatch`] for two bases, neither of them of integers.
    pub fn times(self, other: Scale) -> Result<Scale> {
        let base = self.common_base(other)?;
        if base == 1 { Ok(Scale::INTEGER) } else { Scale::new(base, self.digits + other.digits) }
    }

    /// The coarsest scale that both have exact values in, and by what the mantissas of each are
    /// multiplied there.
    pub(crate) fn align(self, other: Scale) -> Result<(Scale, BigUint, BigUint)> {
        let base = self.common_base(other)?;
        let digits = self.digits.max(other.digits);
        let factor = |scale: Scale| BigUint::from(base).pow(digits.abs_diff(scale.digits));
        let scale = if base == 1 { Scale::INTEGER } else { Scale::new(base, digits)? };
        Ok((scale, factor(self), factor(other)))
    }

    fn common_base(self, other: Scale) -> Result<u32> {
        match (self.base, other.base) {
            (1, base) | (base, 1) => Ok(base),
            (left, right) if left == right => Ok(left),
            (left, right) => Err(Error::ScaleMismatch { left, right }),
        }
    }
}

/// How values of a column become integers: a scale, and a bound on the magnitude of the integers.
///
/// # Example
///
/// ```
/// use paillier_he::Encoding;
///
/// let seats = Encoding::integers_up_to(500u32);
/// let euros = Encoding::decimal(2, 10_000)?; // cents, up to 10,000 euros
/// let thirds = Encoding::rational(3, 1000)?;
/// assert_eq!(euros.bound(), &1_000_000u32.into());
/// # Ok::<(), paillier_he::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Encoding {
    scale: Scale,
    bound: BigUint,
}

impl Encoding {
    /// Integers from `-bound` to `bound`.
    #[must_use]
    pub fn integers_up_to(bound: impl Into<BigUint>) -> Self {
        Encoding { scale: Scale::INTEGER, bound: bound.into() }
    }

    /// Fixed point with `places` decimal places, for values of magnitude up to `most`.
    ///
    /// # Errors
    ///
    /// As [`Scale::new`].
    pub fn decimal(places: u16, most: u64) -> Result<Self> {
        Self::fixed(Scale::new(10, places.into())?, most)
    }

    /// Fixed point with `places` binary places, for values of magnitude up to `most`.
    ///
    /// # Errors
    ///
    /// As [`Scale::new`].
    pub fn binary(places: u16, most: u64) -> Result<Self> {
        Self::fixed(Scale::new(2, places.into())?, most)
    }

    /// Fractions over one denominator, for values of magnitude up to `most`.
    ///
    /// # Errors
    ///
    /// As [`Scale::new`].
    pub fn rational(denominator: u32, most: u64) -> Result<Self> {
        Self::fixed(Scale::new(denominator, 1)?, most)
    }

    /// The scale, for values of magnitude up to `most`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if one unit of the scale is worth more than 1.
    pub fn fixed(scale: Scale, most: u64) -> Result<Self> {
        let power = u32::try_from(scale.digits).map_err(|_| Error::Parameter {
            parameter: "the scale of an encoding with a largest value",
            requirement: "one with units of at most 1",
        })?;
        Ok(Encoding { scale, bound: BigUint::from(scale.base).pow(power) * most })
    }

    /// The scale with a bound on the integers themselves.
    #[must_use]
    pub fn with_bound(scale: Scale, bound: BigUint) -> Self {
        Encoding { scale, bound }
    }

    /// The scale.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// The largest magnitude of the integers.
    #[must_use]
    pub fn bound(&self) -> &BigUint {
        &self.bound
    }

    /// The integer that a value becomes.
    ///
    /// Integers and fractions must be multiples of the unit; floats are rounded to the nearest
    /// (half to even), from their exact value.
    ///
    /// # Errors
    ///
    /// [`Error::NotRepresentable`] for an integer or fraction between two units, NaN and infinity;
    /// [`Error::OutOfBounds`] beyond the bound.
    pub fn encode(&self, value: &impl Value) -> Result<BigInt> {
        let mantissa = match value.exact()? {
            Exact::Integer(value) if self.scale == Scale::INTEGER => value,
            Exact::Integer(value) => self.units(BigRational::from_integer(value), false)?,
            Exact::Fraction(value) => self.units(value, false)?,
            Exact::Float(value) => self.units(value, true)?,
        };
        if *mantissa.magnitude() > self.bound {
            return Err(Error::OutOfBounds);
        }
        Ok(mantissa)
    }

    fn units(&self, value: BigRational, round: bool) -> Result<BigInt> {
        let units = value / self.scale.unit();
        if units.is_integer() {
            return Ok(units.to_integer());
        }
        if round { Ok(round_half_even(&units)) } else { Err(Error::NotRepresentable) }
    }
}

pub(crate) fn round_half_even(value: &BigRational) -> BigInt {
    let floor = value.floor().to_integer();
    let twice: BigRational = (value - BigRational::from_integer(floor.clone())) * BigInt::from(2);
    let up = match twice.cmp(&BigRational::one()) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => floor.is_odd(),
    };
    if up { floor + 1 } else { floor }
}

/// A value as [`Value::exact`] tells it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Exact {
    /// An integer.
    Integer(BigInt),
    /// A fraction that is meant exactly.
    Fraction(BigRational),
    /// The exact value of a float, which stands for a number nearby.
    Float(BigRational),
}

/// What can be encoded: integers of all sizes, floats, fractions.
pub trait Value {
    /// The exact value.
    ///
    /// # Errors
    ///
    /// [`Error::NotRepresentable`] for NaN and infinities.
    fn exact(&self) -> Result<Exact>;
}

macro_rules! integers {
    ($($t:ty),*) => {$(
        impl Value for $t {
            fn exact(&self) -> Result<Exact> {
                Ok(Exact::Integer(BigInt::from(*self)))
            }
        }
    )*};
}
integers!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, bool);

macro_rules! floats {
    ($($t:ty),*) => {$(
        impl Value for $t {
            fn exact(&self) -> Result<Exact> {
                float_value(f64::from(*self)).map(Exact::Float).ok_or(Error::NotRepresentable)
            }
        }
    )*};
}
floats!(f32, f64);

impl Value for BigInt {
    fn exact(&self) -> Result<Exact> {
        Ok(Exact::Integer(self.clone()))
    }
}

impl Value for BigUint {
    fn exact(&self) -> Result<Exact> {
        Ok(Exact::Integer(BigInt::from(self.clone())))
    }
}

impl Value for BigRational {
    fn exact(&self) -> Result<Exact> {
        Ok(Exact::Fraction(self.clone()))
    }
}

impl<T: Value + ?Sized> Value for &T {
    fn exact(&self) -> Result<Exact> {
        (**self).exact()
    }
}

/// An opened number: exact, at its scale.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number {
    mantissa: BigInt,
    scale: Scale,
}

impl Number {
    pub(crate) fn new(mantissa: BigInt, scale: Scale) -> Self {
        Number { mantissa, scale }
    }

    /// The integer that was encrypted.
    #[must_use]
    pub fn mantissa(&self) -> &BigInt {
        &self.mantissa
    }

    /// What one unit of it is worth.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// The exact value.
    #[must_use]
    pub fn to_rational(&self) -> Ratio<BigInt> {
        self.scale.unit() * &self.mantissa
    }

    /// The value, if it is an integer.
    #[must_use]
    pub fn to_bigint(&self) -> Option<BigInt> {
        let value = self.to_rational();
        value.is_integer().then(|| value.to_integer())
    }

    /// The value, if it is an integer that fits.
    #[must_use]
    pub fn to_i128(&self) -> Option<i128> {
        self.to_bigint()?.to_i128()
    }

    /// The nearest `f64`, half to even; `None` if it is too large for one.
    #[must_use]
    pub fn to_f64(&self) -> Option<f64> {
        nearest_f64(&self.to_rational())
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.scale.base == 10 && self.scale.digits > 0 {
            let digits = self.scale.digits as usize;
            let text = format!("{:0>width$}", self.mantissa.magnitude(), width = digits + 1);
            let (whole, part) = text.split_at(text.len() - digits);
            return f.pad_integral(!self.mantissa.is_negative(), "", &format!("{whole}.{part}"));
        }
        let value = self.to_rational();
        if value.is_integer() { value.to_integer().fmt(f) } else { value.fmt(f) }
    }
}

/// The exact value of a float; `None` for NaN and infinities.
pub(crate) fn float_value(x: f64) -> Option<BigRational> {
    let bits = x.abs().to_bits();
    let (exponent, fraction) = (bits >> 52, bits & ((1 << 52) - 1));
    let (units, exponent) = match exponent {
        0x7ff => return None,
        0 => (fraction, -1074),
        e => (fraction | 1 << 52, e as i64 - 1075),
    };
    let mut units = BigInt::from(units);
    if x.is_sign_negative() {
        units = -units;
    }
    let power = BigInt::one() << exponent.unsigned_abs();
    Some(if exponent >= 0 {
        BigRational::from_integer(units * power)
    } else {
        BigRational::new(units, power)
    })
}

/// The float nearest to a fraction, ties to the even one; `None` beyond the range.
pub(crate) fn nearest_f64(value: &BigRational) -> Option<f64> {
    if value.is_zero() {
        return Some(0.0);
    }
    let (top, bottom) = (value.numer().magnitude(), value.denom().magnitude());
    // 2^e ≤ |value| < 2^(e + 1), and units in the last place of 2^(e - 52), at least 2^-1074.
    let mut e = top.bits() as i64 - bottom.bits() as i64;
    let below = |e: i64| {
        if e >= 0 { *top < bottom << e as u64 } else { (top << (-e) as u64) < *bottom }
    };
    if below(e) {
        e -= 1;
    }
    let unit = (e - 52).max(-1074);
    let (a, b) = if unit >= 0 {
        (top.clone(), bottom << unit as u64)
    } else {
        (top << (-unit) as u64, bottom.clone())
    };
    let ratio = BigRational::new(BigInt::from(a), BigInt::from(b));
    let units = round_half_even(&ratio).to_u64()?;
    // Rounding may have carried into the next power of two. Both products are exact; two steps
    // keep the powers within the range of normal floats.
    let half = (unit / 2) as i32;
    let magnitude = units as f64 * 2f64.powi(half) * 2f64.powi(unit as i32 - half);
    let signed = if value.is_negative() { -magnitude } else { magnitude };
    magnitude.is_finite().then_some(signed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn floats_round_half_to_even_and_fractions_must_fit() {
        let cents = Encoding::decimal(2, 100).unwrap();
        let cases = [(0.125, 12), (0.375, 38), (-0.125, -12), (19.99, 1999), (0.1, 10)];
        for (value, units) in cases {
            assert_eq!(cents.encode(&value).unwrap(), BigInt::from(units), "{value}");
        }
        assert_eq!(cents.encode(&7).unwrap(), BigInt::from(700));
        let third = BigRational::new(1.into(), 3.into());
        assert_eq!(cents.encode(&third), Err(Error::NotRepresentable));
        assert_eq!(cents.encode(&f64::NAN), Err(Error::NotRepresentable));
        assert_eq!(cents.encode(&f64::INFINITY), Err(Error::NotRepresentable));
        assert_eq!(cents.encode(&100.01), Err(Error::OutOfBounds));
        assert_eq!(cents.encode(&-100).unwrap(), BigInt::from(-10_000));
        let thirds = Encoding::rational(3, 5).unwrap();
        assert_eq!(thirds.encode(&third).unwrap(), BigInt::from(1));
    }

    #[test]
    fn scales_align_exactly_or_not_at_all() {
        let (two, four) = (Scale::new(10, 2).unwrap(), Scale::new(10, 4).unwrap());
        assert_eq!(two.align(four).unwrap(), (four, 100u8.into(), 1u8.into()));
        assert_eq!(two.times(four).unwrap(), Scale::new(10, 6).unwrap());
        assert_eq!(Scale::INTEGER.align(two).unwrap(), (two, 100u8.into(), 1u8.into()));
        let binary = Scale::new(2, 2).unwrap();
        assert_eq!(two.align(binary), Err(Error::ScaleMismatch { left: 10, right: 2 }));
        assert!(Scale::new(1, 3).is_err());
    }

    #[test]
    fn numbers_print_as_decimals() {
        let cents = |n| Number::new(BigInt::from(n), Scale::new(10, 2).unwrap()).to_string();
        assert_eq!([cents(1999), cents(-5), cents(0)], ["19.99", "-0.05", "0.00"]);
    }

    proptest! {
        #[test]
        fn every_float_comes_back(bits in any::<u64>()) {
            let x = f64::from_bits(bits);
            prop_assume!(x.is_finite());
            let value = float_value(x).unwrap();
            prop_assert_eq!(nearest_f64(&value).unwrap(), x);
        }

        #[test]
        fn quotients_are_rounded_as_the_processor_rounds(a in any::<i32>(), b in 1i32..) {
            let value = BigRational::new(a.into(), b.into());
            prop_assert_eq!(nearest_f64(&value).unwrap(), f64::from(a) / f64::from(b));
        }
    }
}
