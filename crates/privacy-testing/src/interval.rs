//! Rational brackets of real numbers: an oracle without rounding errors.

use num_bigint::BigUint;
use num_integer::Integer;
use num_rational::Ratio;
use num_traits::{One, Zero};

/// A non-negative real number, known to lie between two rationals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// At most the number.
    pub low: Ratio<BigUint>,
    /// At least the number.
    pub high: Ratio<BigUint>,
}

impl Interval {
    /// A number known exactly.
    #[must_use]
    pub fn exact(value: Ratio<BigUint>) -> Self {
        Interval { low: value.clone(), high: value }
    }

    /// exp(-g), at most about 2^-`bits` wide.
    ///
    /// Halves g until it is at most 1, where the Taylor sums of exp(-g) alternate around it, and
    /// squares back.
    ///
    /// # Example
    ///
    /// ```
    /// use num_rational::Ratio;
    /// use privacy_testing::interval::Interval;
    ///
    /// let half = Interval::exp_neg(&Ratio::new(1u8.into(), 2u8.into()), 64);
    /// assert!(half.low < half.high);
    /// ```
    #[must_use]
    pub fn exp_neg(g: &Ratio<BigUint>, bits: u32) -> Self {
        let halvings = g.to_integer().bits();
        let small = g / Ratio::from(BigUint::one() << halvings);
        let precision = u64::from(bits) + halvings + 8;
        let mut result = taylor(&small, precision);
        for _ in 0..halvings {
            result = result.times(&result).rounded(precision);
        }
        result
    }

    /// The sum of two numbers.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Interval { low: &self.low + &other.low, high: &self.high + &other.high }
    }

    /// The product of two numbers.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        Interval { low: &self.low * &other.low, high: &self.high * &other.high }
    }

    /// The quotient by a number whose bracket does not touch zero.
    #[must_use]
    pub fn divided_by(&self, other: &Self) -> Self {
        Interval { low: &self.low / &other.high, high: &self.high / &other.low }
    }

    /// 1 minus a number known to be at most 1.
    #[must_use]
    pub fn complement(&self) -> Self {
        let one = Ratio::one();
        Interval {
            low: if self.high < one { &one - &self.high } else { Ratio::zero() },
            high: &one - &self.low,
        }
    }

    /// The same number between multiples of 2^-`bits`.
    #[must_use]
    pub fn rounded(&self, bits: u64) -> Self {
        let grid = BigUint::one() << bits;
        let low = (self.low.numer() * &grid).div_floor(self.low.denom());
        let high = (self.high.numer() * &grid).div_ceil(self.high.denom());
        Interval { low: Ratio::new(low, grid.clone()), high: Ratio::new(high, grid) }
    }

    /// Whether the two brackets have a point in common.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.low <= other.high && other.low <= self.high
    }

    /// How much is left open.
    #[must_use]
    pub fn width(&self) -> Ratio<BigUint> {
        &self.high - &self.low
    }
}

/// exp(-g) for g <= 1 between two neighbouring Taylor sums less than 2^-`bits` apart.
fn taylor(g: &Ratio<BigUint>, bits: u64) -> Interval {
    let mut term = Ratio::<BigUint>::one();
    let mut positive = Ratio::one();
    let mut negative = Ratio::zero();
    let mut k = 0u32;
    loop {
        k += 1;
        term = term * g / Ratio::from(BigUint::from(k));
        negative += &term;
        let bracket =
            Interval { low: &positive - &negative, high: &positive - (&negative - &term) };
        if (term.numer() << bits) <= *term.denom() {
            return bracket.rounded(bits);
        }
        k += 1;
        term = term * g / Ratio::from(BigUint::from(k));
        positive += &term;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(a: u64, b: u64) -> Ratio<BigUint> {
        Ratio::new(a.into(), b.into())
    }

    fn to_f64(x: &Ratio<BigUint>) -> f64 {
        let scaled = (x.numer() << 60u32) / x.denom();
        u64::try_from(scaled).unwrap() as f64 / 2f64.powi(60)
    }

    #[test]
    fn exponentials_agree_with_floating_point() {
        for (a, b) in [(0, 1), (1, 1), (1, 3), (7, 2), (20, 1), (1, 1 << 40)] {
            let bracket = Interval::exp_neg(&ratio(a, b), 80);
            let float = (-(a as f64) / b as f64).exp();
            assert!((to_f64(&bracket.low) - float).abs() < 1e-15);
            assert!((to_f64(&bracket.high) - float).abs() < 1e-15);
            assert!(bracket.low <= bracket.high);
            assert!(bracket.width() <= Ratio::new(1u8.into(), BigUint::one() << 79u32));
        }
    }

    #[test]
    fn the_functional_equation_holds() {
        let product =
            Interval::exp_neg(&ratio(2, 7), 100).times(&Interval::exp_neg(&ratio(31, 7), 100));
        assert!(product.meets(&Interval::exp_neg(&ratio(33, 7), 100)));
        assert!(!product.meets(&Interval::exp_neg(&ratio(34, 7), 100)));
    }
}
