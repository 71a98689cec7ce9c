//! Exact parameters: decimals as they were written, compared without rounding.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A non-negative fraction with numerator and denominator up to 10^12.
///
/// `0.2` means the decimal that was written, so that thresholds are compared in integers.
///
/// # Example
///
/// ```
/// use kanon::Fraction;
///
/// assert_eq!(Fraction::try_from(0.2)?, Fraction::new(1, 5)?);
/// assert!("0.2x".parse::<Fraction>().is_err());
/// # Ok::<(), kanon::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fraction {
    numerator: u64,
    denominator: u64,
}

const LIMIT: u64 = 1_000_000_000_000;

fn refused() -> Error {
    Error::Parameter {
        parameter: "a fraction",
        requirement: "finite, at least 0, with at most twelve digits above and below",
    }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Fraction {
    /// Zero.
    pub const ZERO: Fraction = Fraction { numerator: 0, denominator: 1 };
    /// One.
    pub const ONE: Fraction = Fraction { numerator: 1, denominator: 1 };

    /// The fraction, reduced.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a denominator of 0 or more than twelve digits.
    pub fn new(numerator: u64, denominator: u64) -> Result<Self> {
        if denominator == 0 {
            return Err(refused());
        }
        let common = gcd(numerator, denominator).max(1);
        let (numerator, denominator) = (numerator / common, denominator / common);
        if numerator > LIMIT || denominator > LIMIT {
            return Err(refused());
        }
        Ok(Fraction { numerator, denominator })
    }

    /// Above the line.
    #[must_use]
    pub fn numerator(self) -> u64 {
        self.numerator
    }

    /// Below the line, at least 1.
    #[must_use]
    pub fn denominator(self) -> u64 {
        self.denominator
    }

    /// The nearest floating-point number.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    /// The largest whole number that is at most this share of `n`.
    #[must_use]
    pub fn floor_of(self, n: u64) -> u64 {
        let product = u128::from(self.numerator) * u128::from(n) / u128::from(self.denominator);
        u64::try_from(product).unwrap_or(u64::MAX)
    }

    /// Whether `a / b` is at most this fraction; `b` = 0 counts as 0.
    #[must_use]
    pub fn at_least(self, a: u64, b: u64) -> bool {
        let left = u128::from(a) * u128::from(self.denominator);
        b == 0 || left <= u128::from(self.numerator) * u128::from(b)
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = u128::from(self.numerator) * u128::from(other.denominator);
        left.cmp(&(u128::from(other.numerator) * u128::from(self.denominator)))
    }
}

impl TryFrom<f64> for Fraction {
    type Error = Error;

    fn try_from(value: f64) -> Result<Self> {
        if !value.is_finite() || value < 0.0 {
            return Err(refused());
        }
        format!("{value}").parse()
    }
}

impl TryFrom<String> for Fraction {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Fraction> for String {
    fn from(fraction: Fraction) -> String {
        format!("{}/{}", fraction.numerator, fraction.denominator)
    }
}

impl FromStr for Fraction {
    type Err = Error;

    /// A decimal such as `0.05` or a fraction such as `1/20`.
    fn from_str(text: &str) -> Result<Self> {
        let digits = |part: &str| -> Result<u64> {
            if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(refused());
            }
            part.parse().map_err(|_| refused())
        };
        if let Some((above, below)) = text.split_once('/') {
            return Fraction::new(digits(above)?, digits(below)?);
        }
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        if decimals.len() > 12 {
            return Err(refused());
        }
        let scale = 10u64.pow(decimals.len() as u32);
        let whole = digits(whole)?.checked_mul(scale).ok_or_else(refused)?;
        Fraction::new(whole.checked_add(digits(decimals)?).ok_or_else(refused)?, scale)
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.denominator;
        while rest.is_multiple_of(2) {
            rest /= 2;
        }
        while rest.is_multiple_of(5) {
            rest /= 5;
        }
        match (self.denominator, rest) {
            (1, _) => write!(f, "{}", self.numerator),
            (_, 1) => write!(f, "{}", self.to_f64()),
            _ => write!(f, "{}/{}", self.numerator, self.denominator),
        }
    }
}

impl fmt::Debug for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_what_was_written() {
        assert_eq!(Fraction::try_from(0.1).unwrap(), Fraction::new(1, 10).unwrap());
        assert_eq!("1/3".parse::<Fraction>().unwrap().to_string(), "1/3");
        for wrong in [f64::NAN, f64::INFINITY, -0.5] {
            assert!(Fraction::try_from(wrong).is_err());
        }
        for wrong in ["", ".", "1.", "-1", "1/0", "1e3", " 1", "0.0000000000001"] {
            assert!(wrong.parse::<Fraction>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_share_of_a_count_is_rounded_down() {
        assert_eq!(Fraction::try_from(0.02).unwrap().floor_of(30_162), 603);
        assert_eq!(Fraction::ONE.floor_of(u64::MAX), u64::MAX);
        assert!(Fraction::new(1, 2).unwrap().at_least(1, 2));
        assert!(!Fraction::new(1, 2).unwrap().at_least(2, 3));
    }
}
