//! Real numbers between two fixed-point numbers of any precision, and comparing them exactly with a
//! uniform number that is drawn bit by bit.
//!
//! The slow end of the fast samplers: asked only where machine words leave a comparison open.

use num_bigint::BigUint;
use num_traits::{One, Zero};
use privacy_core::random::EntropyError;

use super::choices::Choices;

/// A non-negative number between `low` and `high`, in units of 2^-precision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bracket {
    pub(crate) low: BigUint,
    pub(crate) high: BigUint,
}

impl Bracket {
    pub(crate) fn one(precision: u64) -> Self {
        let one = BigUint::one() << precision;
        Bracket { low: one.clone(), high: one }
    }

    /// exp(-numer/denom), a few units wide.
    ///
    /// Taylor's series of a fraction 2^-s of the exponent, squared s times. Squaring doubles the
    /// relative error, so s guard bits (and some for the terms) keep it below a unit.
    pub(crate) fn exp_neg(numer: &BigUint, denom: &BigUint, precision: u64) -> Self {
        let whole = numer / denom;
        if whole > BigUint::from(precision) {
            // exp(-g) < 2^-g.
            return Bracket { low: BigUint::zero(), high: BigUint::one() };
        }
        let squarings = whole.bits() + 4;
        let guarded = precision + squarings + 16;
        // x <= 2^-squarings g < x + 1 in units of 2^-guarded.
        let x = (numer << (guarded - squarings)) / denom;
        let x = Bracket { high: &x + 1u8, low: x };
        let mut result = taylor(&x, guarded);
        for _ in 0..squarings {
            result = result.times(&result, guarded);
        }
        result.shortened(guarded - precision)
    }

    pub(crate) fn plus(&self, other: &Self) -> Self {
        Bracket { low: &self.low + &other.low, high: &self.high + &other.high }
    }

    pub(crate) fn doubled(&self) -> Self {
        Bracket { low: &self.low << 1u8, high: &self.high << 1u8 }
    }

    pub(crate) fn times(&self, other: &Self, precision: u64) -> Self {
        Bracket {
            low: (&self.low * &other.low) >> precision,
            high: ((&self.high * &other.high) >> precision) + 1u8,
        }
    }

    /// The quotient by a number above 0.
    pub(crate) fn over(&self, other: &Self, precision: u64) -> Self {
        Bracket {
            low: (&self.low << precision) / &other.high,
            high: (&self.high << precision) / &other.low + 1u8,
        }
    }

    /// 1 minus a number that is at most 1.
    pub(crate) fn complement(&self, precision: u64) -> Self {
        let one = BigUint::one() << precision;
        let minus = |x: &BigUint| if *x < one { &one - x } else { BigUint::zero() };
        Bracket { low: minus(&self.high), high: minus(&self.low) }
    }

    /// The same number with `bits` fewer bits after the point.
    pub(crate) fn shortened(&self, bits: u64) -> Self {
        Bracket { low: &self.low >> bits, high: (&self.high >> bits) + 1u8 }
    }
}

/// exp(-x) for x <= 1/8.
fn taylor(x: &Bracket, precision: u64) -> Bracket {
    let mut sum = Bracket::one(precision);
    let mut term = sum.clone();
    let mut k = 0u32;
    while term.high > BigUint::one() {
        k += 1;
        term = term.times(x, precision);
        term = Bracket { low: term.low / k, high: term.high / k + 1u8 };
        if k % 2 == 1 {
            sum = Bracket { low: sum.low - &term.high, high: sum.high - &term.low };
        } else {
            sum = sum.plus(&term);
        }
    }
    // What follows alternates and falls: at most the last term, which is a unit.
    Bracket { low: sum.low - 1u8, high: sum.high + 1u8 }
}

/// A uniform number in [0, 1) of which the first bits are drawn.
#[derive(Debug)]
pub(crate) struct Uniform {
    drawn: BigUint,
    bits: u64,
}

impl Uniform {
    /// The numbers that begin with the `bits` bits of `drawn`.
    pub(crate) fn starting(drawn: u64, bits: u32) -> Self {
        Uniform { drawn: drawn.into(), bits: bits.into() }
    }

    /// Whether the number lies below the one that `bracket` encloses at any precision asked for.
    ///
    /// Draws bits until the answer is certain; each halves what is open.
    pub(crate) fn is_below<C: Choices + ?Sized>(
        &mut self,
        choices: &mut C,
        bracket: impl Fn(u64) -> Bracket,
    ) -> Result<bool, EntropyError> {
        loop {
            let precision = self.bits + 16;
            let limit = bracket(precision);
            if (&self.drawn + 1u8) << 16u8 <= limit.low {
                return Ok(true);
            }
            if &self.drawn << 16u8 >= limit.high {
                return Ok(false);
            }
            self.drawn = (&self.drawn << 1u8) + u8::from(choices.bit()?);
            self.bits += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use num_rational::Ratio;
    use privacy_testing::enumerate::enumerate;
    use privacy_testing::interval::Interval;

    use super::super::choices::told::Plain;
    use super::*;

    fn as_interval(bracket: &Bracket, precision: u64) -> Interval {
        let unit = BigUint::one() << precision;
        Interval {
            low: Ratio::new(bracket.low.clone(), unit.clone()),
            high: Ratio::new(bracket.high.clone(), unit),
        }
    }

    #[test]
    fn exponentials_enclose_the_truth_and_are_narrow() {
        for (a, b) in [(0u64, 1u64), (1, 3), (1, 1), (7, 2), (41, 1), (1, u64::MAX), (400, 1)] {
            for precision in [8, 64, 200] {
                let ours = Bracket::exp_neg(&a.into(), &b.into(), precision);
                let truth = Interval::exp_neg(&Ratio::new(a.into(), b.into()), 300);
                let enclosed = as_interval(&ours, precision);
                assert!(enclosed.low <= truth.low && truth.high <= enclosed.high, "{a}/{b}");
                assert!(&ours.high - &ours.low <= 3u8.into(), "{a}/{b} at {precision}");
            }
        }
        let huge = Bracket::exp_neg(&(BigUint::one() << 900u32), &BigUint::one(), 100);
        assert_eq!(huge, Bracket { low: BigUint::zero(), high: BigUint::one() });
    }

    #[test]
    fn a_uniform_number_is_below_a_limit_with_exactly_its_probability() {
        // From any number of bits known before: what is undecided halves with each bit.
        for known in [0u32, 1, 3] {
            let law = enumerate(30, |c| {
                let mut choices = Plain(c);
                let start = choices.below_u64(1 << known)?;
                let mut uniform = Uniform::starting(start, known);
                uniform
                    .is_below(&mut choices, |p| Bracket::exp_neg(&BigUint::one(), &3u8.into(), p))
            });
            let truth = Interval::exp_neg(&Ratio::new(1u8.into(), 3u8.into()), 100);
            assert!(law.probability(&true).meets(&truth));
            assert!(law.unexplored < Ratio::new(1u8.into(), BigUint::one() << 25u8));
        }
    }
}
