//! Exact non-negative rationals, the numbers that privacy is counted in.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Mul};
use std::str::FromStr;

use num_bigint::BigUint;
use num_rational::Ratio;
use num_traits::{One, ToPrimitive, Zero};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};

/// Text beyond this length is refused when it is parsed: no budget needs it. What is serialized
/// stays well below.
const MAX_TEXT: usize = 4000;

/// Exponents beyond this are refused: `1e999999999` must not become a gigabyte.
const MAX_EXPONENT: u32 = 400;

/// Denominators of running sums keep at most this many bits; beyond, a sum is rounded against us.
const KEPT_BITS: u64 = 1024;

/// Fraction digits shown before [`Amount`] rounds its text.
const SHOWN_DIGITS: u32 = 12;

/// An exact, finite, non-negative rational number.
///
/// Sums and products are exact; there is no subtraction below zero
/// ([`Amount::checked_sub`] refuses). Text and floats are read as the decimal that was written.
///
/// # Example
///
/// ```
/// use privacy_core::params::Amount;
///
/// let tenth = Amount::from_decimal(0.1)?;
/// let sum = (0..10).fold(Amount::ZERO, |sum, _| &sum + &tenth);
/// assert_eq!(sum, Amount::from_integer(1));
/// assert_eq!("1/3".parse::<Amount>()?.to_f64_up(), 0.33333333333333337);
/// # Ok::<(), privacy_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Amount(Ratio<BigUint>);

impl Amount {
    /// Zero.
    pub const ZERO: Amount = Amount(Ratio::new_raw(BigUint::ZERO, BigUint::ONE));

    /// An integer.
    #[must_use]
    pub fn from_integer(value: u64) -> Self {
        Amount(Ratio::from_integer(value.into()))
    }

    /// The fraction `numerator / denominator`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if the denominator is zero.
    pub fn from_fraction(
        numerator: impl Into<BigUint>,
        denominator: impl Into<BigUint>,
    ) -> Result<Self> {
        let denominator = denominator.into();
        if denominator.is_zero() {
            return Err(Error::Parameter {
                parameter: "the denominator",
                requirement: "above 0",
                given: 0.0,
            });
        }
        Ok(Amount(Ratio::new(numerator.into(), denominator)))
    }

    /// `percent / 100`.
    #[must_use]
    pub fn from_percent(percent: u32) -> Self {
        Amount(Ratio::new(percent.into(), BigUint::from(100u8)))
    }

    /// The decimal that `value` is written as: the shortest decimal that reads back as `value`.
    ///
    /// `from_decimal(0.1)` is one tenth, not the nearest binary fraction. For the latter see
    /// [`Amount::from_binary`].
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `value` is NaN, infinite or negative.
    pub fn from_decimal(value: f64) -> Result<Self> {
        checked(value)?;
        // Rust prints floats as the shortest decimal that reads back as the same float; adding
        // zero turns -0.0 into 0.0.
        format!("{:e}", value + 0.0).parse()
    }

    /// The exact binary value of `value`: every float is an integer times a power of two.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `value` is NaN, infinite or negative.
    pub fn from_binary(value: f64) -> Result<Self> {
        checked(value)?;
        let bits = value.to_bits();
        let exponent = ((bits >> 52) & 0x7ff) as i32;
        let fraction = bits & ((1 << 52) - 1);
        let (mantissa, exponent) = match exponent {
            0 => (fraction, -1074),
            _ => (fraction | (1 << 52), exponent - 1075),
        };
        Ok(Amount(Ratio::from_integer(mantissa.into())).scaled_by_power_of_two(exponent))
    }

    /// This amount times `2^exponent`, exactly.
    #[must_use]
    pub fn scaled_by_power_of_two(&self, exponent: i32) -> Self {
        let power = BigUint::one() << exponent.unsigned_abs();
        Amount(if exponent < 0 { &self.0 / &power } else { &self.0 * &power })
    }

    /// The numerator in lowest terms.
    #[must_use]
    pub fn numerator(&self) -> &BigUint {
        self.0.numer()
    }

    /// The denominator in lowest terms, at least 1.
    #[must_use]
    pub fn denominator(&self) -> &BigUint {
        self.0.denom()
    }

    /// The number as a ratio.
    #[must_use]
    pub fn as_ratio(&self) -> &Ratio<BigUint> {
        &self.0
    }

    /// Whether this is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// Numerator and denominator where both have one word, as most have.
    fn words(&self) -> Option<(u64, u64)> {
        Some((self.numerator().to_u64()?, self.denominator().to_u64()?))
    }

    /// `self - other`, or `None` where that would be negative.
    #[must_use]
    pub fn checked_sub(&self, other: &Amount) -> Option<Amount> {
        if let Some((a, b, denominator)) = over_one_denominator(self, other) {
            return Some(of_words(a.checked_sub(b)?, denominator));
        }
        (self >= other).then(|| Amount(&self.0 - &other.0))
    }

    /// `self / other`, or `None` where `other` is zero.
    #[must_use]
    pub fn checked_div(&self, other: &Amount) -> Option<Amount> {
        (!other.is_zero()).then(|| Amount(&self.0 / &other.0))
    }

    /// This amount, rounded up to a multiple of 2^-1024 if its denominator has more bits than that.
    ///
    /// Sums of fractions with many different denominators would grow without end; what is kept of
    /// them stays small and errs by less than 2^-1024, on the safe side for costs.
    #[must_use]
    pub fn compacted_up(self) -> Amount {
        self.compacted(true)
    }

    /// As [`Amount::compacted_up`], rounded down: the safe side for what is left.
    #[must_use]
    pub fn compacted_down(self) -> Amount {
        self.compacted(false)
    }

    fn compacted(self, up: bool) -> Amount {
        if self.denominator().bits() <= KEPT_BITS {
            return self;
        }
        let scaled: BigUint = self.numerator() << KEPT_BITS;
        let mut steps = &scaled / self.denominator();
        if up && &steps * self.denominator() != scaled {
            steps += 1u8;
        }
        Amount(Ratio::new(steps, BigUint::one() << KEPT_BITS))
    }

    /// The square of this amount.
    #[must_use]
    pub fn squared(&self) -> Amount {
        self * self
    }

    /// The smallest float that is not below this amount (infinity beyond the largest float).
    #[must_use]
    pub fn to_f64_up(&self) -> f64 {
        let (value, exact) = self.to_f64_truncated();
        if exact { value } else { value.next_up() }
    }

    /// The largest float that is not above this amount.
    #[must_use]
    pub fn to_f64_down(&self) -> f64 {
        self.to_f64_truncated().0
    }

    /// The float nearest below, and whether it is exact.
    fn to_f64_truncated(&self) -> (f64, bool) {
        let (numerator, denominator) = (self.numerator(), self.denominator());
        if numerator.is_zero() {
            return (0.0, true);
        }
        // The quotient lies in [2^(e-1), 2^(e+1)); scale it so that at least 53 bits are whole,
        // but no bit below the smallest subnormal 2^-1074.
        let e = numerator.bits() as i64 - denominator.bits() as i64;
        if e > 1025 {
            return (f64::MAX, false);
        }
        let shift = (54 - e).min(1074);
        if shift < -2000 || e < -1080 {
            return (0.0, false);
        }
        let (scaled, divisor) = if shift >= 0 {
            (numerator << shift as u64, denominator.clone())
        } else {
            (numerator.clone(), denominator << (-shift) as u64)
        };
        let quotient = &scaled / &divisor;
        let mut exact = &quotient * &divisor == scaled;
        // At most 56 bits; drop those a float cannot hold.
        let mut mantissa = quotient.to_u64().unwrap_or(u64::MAX);
        let mut exponent = -shift;
        while mantissa >= 1 << 53 {
            exact &= mantissa & 1 == 0;
            mantissa >>= 1;
            exponent += 1;
        }
        let value = times_power_of_two(mantissa as f64, exponent);
        if value.is_infinite() { (f64::MAX, false) } else { (value, exact) }
    }

    /// The text of this amount with at most twelve significant decimals, rounded up.
    #[must_use]
    pub fn display_up(&self) -> impl fmt::Display + '_ {
        Rounded { amount: self, up: true }
    }

    /// The text of this amount with at most twelve significant decimals, rounded down.
    #[must_use]
    pub fn display_down(&self) -> impl fmt::Display + '_ {
        Rounded { amount: self, up: false }
    }

    /// Decimal digits after the point if the expansion ends, `None` if it recurs.
    fn decimal_places(&self) -> Option<u32> {
        if let Some((_, mut rest)) = self.words() {
            let twos = rest.trailing_zeros();
            rest >>= twos;
            let mut fives = 0;
            while rest.is_multiple_of(5) {
                rest /= 5;
                fives += 1;
            }
            return (rest == 1).then(|| fives.max(twos));
        }
        let twos = self.denominator().trailing_zeros().unwrap_or(0);
        let mut rest = self.denominator() >> twos;
        if rest.bits() > u64::from(MAX_EXPONENT) * 8 {
            return None;
        }
        let mut fives = 0;
        while (&rest % 5u8).is_zero() {
            rest /= 5u8;
            fives += 1;
        }
        rest.is_one().then(|| fives.max(u32::try_from(twos).unwrap_or(u32::MAX)))
    }
}

/// The numerators of two amounts over a denominator they share, where all of that is small: budgets
/// are mostly counted in thousandths of something, and sums of words take a tenth of the time.
fn over_one_denominator(a: &Amount, b: &Amount) -> Option<(u64, u64, u64)> {
    let ((a, p), (b, q)) = (a.words()?, b.words()?);
    if p == q {
        return Some((a, b, p));
    }
    let common = p.checked_mul(q / gcd(p, q))?;
    Some((a.checked_mul(common / p)?, b.checked_mul(common / q)?, common))
}

fn of_words(numerator: u64, denominator: u64) -> Amount {
    let common = gcd(numerator, denominator);
    Amount(Ratio::new_raw((numerator / common).into(), (denominator / common).into()))
}

/// The greatest common divisor of numbers that are not both 0.
fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn checked(value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(Error::Parameter {
            parameter: "the amount",
            requirement: "finite and at least 0",
            given: value,
        })
    }
}

/// `mantissa * 2^exponent` for an integer mantissa below 2^53; exact where representable.
fn times_power_of_two(mantissa: f64, exponent: i64) -> f64 {
    let mut value = mantissa;
    let mut left = exponent;
    while left != 0 {
        let step = left.clamp(-1000, 1000);
        // Dividing last keeps subnormal results exact: mantissa was chosen to fit.
        value *= 2f64.powi(step as i32);
        left -= step;
    }
    value
}

impl Ord for Amount {
    /// Compares exactly, by cross-multiplication.
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Some((a, b)), Some((c, d))) = (self.words(), other.words()) {
            return (u128::from(a) * u128::from(d)).cmp(&(u128::from(c) * u128::from(b)));
        }
        (self.numerator() * other.denominator()).cmp(&(other.numerator() * self.denominator()))
    }
}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Add for &Amount {
    type Output = Amount;

    fn add(self, other: &Amount) -> Amount {
        if let Some((a, b, denominator)) = over_one_denominator(self, other)
            && let Some(sum) = a.checked_add(b)
        {
            return of_words(sum, denominator);
        }
        Amount(&self.0 + &other.0)
    }
}

impl Mul for &Amount {
    type Output = Amount;

    fn mul(self, other: &Amount) -> Amount {
        Amount(&self.0 * &other.0)
    }
}

impl std::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Amount>>(iter: I) -> Amount {
        iter.fold(Amount::ZERO, |sum, next| &sum + &next)
    }
}

impl From<u64> for Amount {
    fn from(value: u64) -> Self {
        Amount::from_integer(value)
    }
}

impl FromStr for Amount {
    type Err = Error;

    /// Reads a decimal (`0.1`, `1e-6`) or a fraction (`1/3`).
    fn from_str(text: &str) -> Result<Self> {
        let notation = Error::Notation { parameter: "the amount" };
        if text.len() > MAX_TEXT {
            return Err(notation);
        }
        let whole = |digits: &str| -> Option<BigUint> {
            let valid = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            valid.then(|| digits.parse().ok()).flatten()
        };
        if let Some((numerator, denominator)) = text.split_once('/') {
            let (Some(n), Some(d)) = (whole(numerator.trim()), whole(denominator.trim())) else {
                return Err(notation);
            };
            return Amount::from_fraction(n, d);
        }
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let exponent = exponent.parse::<i32>().ok().filter(|e| e.unsigned_abs() <= MAX_EXPONENT);
        let digits = whole(&format!("{integer}{fraction}"));
        let (Some(digits), Some(exponent)) = (digits, exponent) else {
            return Err(notation);
        };
        let exponent = exponent - fraction.len() as i32;
        let power = BigUint::from(10u8).pow(exponent.unsigned_abs());
        Ok(Amount(if exponent < 0 {
            Ratio::new(digits, power)
        } else {
            Ratio::from_integer(digits * power)
        }))
    }
}

struct Rounded<'a> {
    amount: &'a Amount,
    up: bool,
}

impl fmt::Display for Rounded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (n, d) = (self.amount.numerator(), self.amount.denominator());
        if n.is_zero() {
            return f.pad("0");
        }
        // Digits after the point that leave twelve significant ones for small amounts.
        let lead = d.bits().saturating_sub(n.bits()) * 30_103 / 100_000;
        let wanted = lead as u32 + SHOWN_DIGITS;
        let places = self.amount.decimal_places().map_or(wanted, |exact| exact.min(wanted));
        let scaled = n * BigUint::from(10u8).pow(places);
        let mut shown = &scaled / d;
        if self.up && &shown * d != scaled {
            shown += 1u8;
        }
        let digits = shown.to_string();
        let text = if lead > 7 {
            // Small amounts read better with an exponent.
            let significant = digits.trim_start_matches('0').trim_end_matches('0');
            let exponent = digits.len() as i64 - 1 - i64::from(places);
            match significant.split_at_checked(1) {
                Some((first, "")) => format!("{first}e{exponent}"),
                Some((first, rest)) => format!("{first}.{rest}e{exponent}"),
                None => "0".to_owned(),
            }
        } else {
            let places = places as usize;
            let padded = format!("{digits:0>width$}", width = places + 1);
            let (integer, fraction) = padded.split_at(padded.len() - places);
            match fraction.trim_end_matches('0') {
                "" => integer.to_owned(),
                fraction => format!("{integer}.{fraction}"),
            }
        };
        f.pad(&text)
    }
}

impl fmt::Display for Amount {
    /// The amount as a decimal; where that would not end soon, rounded up.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Rounded { amount: self, up: true }.fmt(f)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Serialize for Amount {
    /// Written as exact text: `"0.1"` where the decimal ends, `"1/3"` elsewhere.
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.decimal_places() {
            Some(places) if places <= SHOWN_DIGITS => serializer.collect_str(self),
            _ => serializer.collect_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct AmountVisitor;

        impl Visitor<'_> for AmountVisitor {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a non-negative decimal or fraction")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<Amount, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> std::result::Result<Amount, E> {
                Amount::from_decimal(value).map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> std::result::Result<Amount, E> {
                Ok(Amount::from_integer(value))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> std::result::Result<Amount, E> {
                match u64::try_from(value) {
                    Ok(value) => Ok(Amount::from_integer(value)),
                    Err(_) => Amount::from_decimal(value as f64).map_err(E::custom),
                }
            }
        }

        deserializer.deserialize_any(AmountVisitor)
    }
}
