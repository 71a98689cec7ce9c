//! e^ε as a ratio of integers, from below; logarithms of ratios, from above.

use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_core::error::Error;
use privacy_core::params::{Amount, Epsilon};

use crate::error::Result;

/// Odds a : b with a/b <= e^ε, less than a factor of 1 + 2^-55 below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Odds {
    /// Below 2^57.
    pub(crate) a: u64,
    /// A power of two, at least 16.
    pub(crate) b: u64,
}

/// Binary digits of `a`.
const BITS: u64 = 57;
/// ε beyond is treated as this: stronger privacy than asked for.
const LARGEST: u64 = 36;
/// Binary digits of intermediate results.
const DIGITS: u64 = 160;

impl Odds {
    /// The odds of ε; those of 36 for a larger ε.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for an ε below 2^-50: reports would carry nothing.
    pub(crate) fn of(epsilon: &Epsilon) -> Result<Self> {
        Self::of_amount(epsilon.amount())
    }

    /// The odds of half of ε.
    pub(crate) fn of_half(epsilon: &Epsilon) -> Result<Self> {
        Self::of_amount(&epsilon.amount().scaled_by_power_of_two(-1))
    }

    fn of_amount(epsilon: &Amount) -> Result<Self> {
        let refused = || Error::Parameter {
            parameter: "the epsilon of a local report",
            requirement: "at least 2^-50",
            given: epsilon.to_f64_up(),
        };
        if *epsilon < Amount::from_integer(1).scaled_by_power_of_two(-50) {
            return Err(refused().into());
        }
        let largest = Amount::from_integer(LARGEST);
        let power = exp_below(if *epsilon > largest { &largest } else { epsilon });
        // From 1 to 2^52, so that the power has 161 to 212 bits.
        let dropped = power.bits() - BITS;
        let a = u64::try_from(&power >> dropped).map_err(|_| refused())?;
        Ok(Odds { a, b: 1 << (DIGITS - dropped) })
    }

    /// a / (a + b).
    pub(crate) fn truth(&self) -> Ratio<BigUint> {
        Ratio::new(self.a.into(), BigUint::from(self.a) + self.b)
    }

    /// a / b.
    pub(crate) fn ratio(&self) -> f64 {
        self.a as f64 / self.b as f64
    }
}

/// At most e^x, in units of 2^-160, for 0 <= x <= 40: every term of the series rounded down.
fn exp_below(x: &Amount) -> BigUint {
    let one = BigUint::from(1u8) << DIGITS;
    let (mut term, mut sum, mut k) = (one.clone(), one, 0u32);
    while term != BigUint::ZERO {
        k += 1;
        term = term * x.numerator() / (x.denominator() * k);
        sum += &term;
    }
    sum
}

/// At least ln(`ratio`), hardly more; for ratios from 1 to e^40.
///
/// # Errors
///
/// [`Error::Parameter`] for a larger ratio, under the name of the caller's `parameter`.
pub(crate) fn ln_above(ratio: &Ratio<BigUint>, parameter: &'static str) -> Result<Amount> {
    let wanted = (ratio * (BigUint::from(1u8) << DIGITS)).ceil().to_integer();
    let float = Amount::from_fraction(ratio.numer().clone(), ratio.denom().clone())?.to_f64_up();
    let mut candidate = float.ln().max(0.0);
    if candidate < 39.0 {
        for _ in 0..64 {
            let amount = Amount::from_binary(candidate)?;
            if exp_below(&amount) >= wanted {
                return Ok(amount);
            }
            candidate = (candidate * (1.0 + 1e-15)).next_up() + 1e-300;
        }
    }
    let requirement = "such that the report has an epsilon of at most 39";
    Err(Error::Parameter { parameter, requirement, given: candidate }.into())
}

#[cfg(test)]
mod tests {
    use privacy_testing::interval::Interval;

    use super::*;

    #[test]
    fn odds_are_below_the_exponential_and_close_to_it() {
        for text in ["4e-15", "0.001", "1/3", "1", "2.718281828", "10", "35.9", "36"] {
            let epsilon: Epsilon = text.parse().unwrap();
            let odds = Odds::of(&epsilon).unwrap();
            assert!(odds.a < 1 << 57 && odds.b >= 16 && odds.b.is_power_of_two());
            // b/a against e^-ε, exactly.
            let inverse = Ratio::new(BigUint::from(odds.b), BigUint::from(odds.a));
            let truth = Interval::exp_neg(epsilon.amount().as_ratio(), 200);
            assert!(inverse >= truth.high, "{text}");
            let factor =
                Ratio::new((BigUint::from(1u8) << 55u32) + 1u8, BigUint::from(1u8) << 55u32);
            assert!(inverse <= &truth.low * factor, "{text}");
            let half = Odds::of_half(&epsilon).unwrap();
            assert!((half.ratio().powi(2) / odds.ratio() - 1.0).abs() < 1e-12);
        }
        let (large, largest) = (Epsilon::new(1e9).unwrap(), Epsilon::new(36.0).unwrap());
        assert_eq!(Odds::of(&large).unwrap(), Odds::of(&largest).unwrap());
        assert!(Odds::of(&Epsilon::new(1e-16).unwrap()).is_err());
    }

    #[test]
    fn logarithms_are_above_and_close() {
        for (a, b) in [(1u64, 1u64), (3, 1), (1_000_001, 1_000_000), (u64::MAX >> 8, 1)] {
            let log = ln_above(&Ratio::new(a.into(), b.into()), "x").unwrap().to_f64_up();
            let float = (a as f64 / b as f64).ln();
            assert!((log - float).abs() <= 1e-14 * float.max(1.0), "{a}/{b}");
        }
        let huge = Ratio::from_integer(BigUint::from(1u8) << 60u32);
        assert!(ln_above(&huge, "x").is_err());
    }
}
