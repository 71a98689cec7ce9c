//! exp(-rate * gap) in integers: upper bounds for many gaps, and brackets of any width for one.
//!
//! The upper bounds are what candidates are proposed by, the brackets what a proposal is accepted
//! by. Only the first must be fast, and only the second decides the law of a draw.

use num_bigint::BigUint;
use num_integer::Integer;
use num_rational::Ratio;
use num_traits::{One, Zero};

/// mantissa * 2^exponent with 2^63 <= mantissa: a positive number that is never below the one it
/// stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Upper {
    mantissa: u64,
    exponent: i64,
}

impl Upper {
    pub(crate) const ONE: Upper = Upper { mantissa: 1 << 63, exponent: -63 };

    /// 2^-200, which bounds exp(-g) for every g >= 140.
    const TINY: Upper = Upper { mantissa: 1 << 63, exponent: -263 };

    /// The bound with a 64-bit mantissa of an integer above 0.
    pub(crate) fn integer(value: u128) -> Self {
        let exponent = 64 - i64::from(value.leading_zeros());
        Self::rounded_up(value, exponent)
    }

    /// value * 2^0 where the highest bit of the value is bit 63 + `exponent`.
    fn rounded_up(value: u128, exponent: i64) -> Self {
        if exponent <= 0 {
            return Upper { mantissa: (value << -exponent) as u64, exponent };
        }
        let kept = (value >> exponent) as u64;
        if (u128::from(kept) << exponent) == value {
            return Upper { mantissa: kept, exponent };
        }
        match kept.checked_add(1) {
            Some(mantissa) => Upper { mantissa, exponent },
            None => Upper { mantissa: 1 << 63, exponent: exponent + 1 },
        }
    }

    #[inline]
    pub(crate) fn times(self, other: Upper) -> Self {
        // Between 2^126 and 2^128.
        let product = u128::from(self.mantissa) * u128::from(other.mantissa);
        let shift = 63 + (product >> 127) as i64;
        let mut result = Self::rounded_up(product, shift);
        result.exponent += self.exponent + other.exponent;
        result
    }

    /// The number lies below 2^`ceiling`.
    pub(crate) fn ceiling(self) -> i64 {
        self.exponent + 64
    }

    /// This number times 2^`scale`, rounded up to an integer.
    ///
    /// The caller chooses the scale so that the result is below 2^127.
    #[inline]
    pub(crate) fn fixed(self, scale: i64) -> u128 {
        let shift = self.exponent + scale;
        if shift >= 0 {
            return u128::from(self.mantissa) << shift.min(63);
        }
        if shift <= -64 {
            return 1;
        }
        let kept = self.mantissa >> -shift;
        u128::from(kept) + u128::from((kept << -shift) != self.mantissa)
    }
}

/// Upper bounds of exp(-rate * gap) for integer gaps up to a limit, by one table for each byte.
#[derive(Debug)]
pub(crate) struct Decay {
    tables: Vec<Vec<Upper>>,
}

impl Decay {
    pub(crate) fn new(rate: &Ratio<BigUint>, largest_gap: u128) -> Self {
        let bytes = (128 - largest_gap.leading_zeros()).div_ceil(8);
        let table = |byte: u32| {
            let step = exp_neg_upper(&(rate * Ratio::from(BigUint::one() << (8 * byte))));
            let mut entry = Upper::ONE;
            let rest = (1..256).map(|_| {
                entry = entry.times(step);
                entry
            });
            std::iter::once(Upper::ONE).chain(rest).collect()
        };
        Decay { tables: (0..bytes).map(table).collect() }
    }

    /// A bound of exp(-rate * gap), for a gap up to the limit.
    #[inline]
    pub(crate) fn at(&self, gap: u128) -> Upper {
        let mut bound = Upper::ONE;
        let mut rest = gap;
        for table in &self.tables {
            let byte = (rest & 0xff) as usize;
            if byte > 0 {
                bound = bound.times(table[byte]);
            }
            rest >>= 8;
        }
        bound
    }
}

fn exp_neg_upper(g: &Ratio<BigUint>) -> Upper {
    if *g >= Ratio::from(BigUint::from(140u8)) {
        return Upper::TINY;
    }
    // exp(-140) > 2^-202: at least 66 significant bits, of which 64 are kept.
    let bits = 270;
    let (_, high) = exp_neg_bracket(g, bits);
    let exponent = high.bits() as i64 - 64;
    let kept = if exponent > 0 {
        // Below 2^64 + 1 after rounding up.
        let grid = BigUint::one() << exponent as u64;
        high.div_ceil(&grid)
    } else {
        high << (-exponent) as u64
    };
    match u64::try_from(&kept) {
        Ok(mantissa) => Upper { mantissa, exponent: exponent - bits as i64 },
        Err(_) => Upper { mantissa: 1 << 63, exponent: exponent + 1 - bits as i64 },
    }
}

/// Integers low and high with low <= exp(-g) * 2^`bits` <= high, a few units apart.
pub(crate) fn exp_neg_bracket(g: &Ratio<BigUint>, bits: u64) -> (BigUint, BigUint) {
    let whole = g.to_integer();
    if whole >= BigUint::from(bits) {
        return (BigUint::zero(), BigUint::one());
    }
    // x = g / 2^halvings is at most 1. Each squaring back doubles the error.
    let halvings = whole.bits();
    let precision = bits + halvings + 16;
    let (x, rest) = (g.numer() << precision).div_rem(&(g.denom() << halvings));
    let x = (x.clone(), if rest.is_zero() { x } else { x + 1u8 });
    let (mut low, mut high) = taylor(&x.0, &x.1, precision);
    for _ in 0..halvings {
        low = (&low * &low) >> precision;
        high = shifted_up(&high * &high, precision);
    }
    let spare = precision - bits;
    (low >> spare, shifted_up(high, spare).min(BigUint::one() << bits))
}

/// A bracket of exp(-x), in units of 2^-`precision`, for any x between `low` and `high` <= 1.
///
/// Each term of the series is bracketed by itself; what is left out after a term is at most the
/// term that follows, because the series alternates and its terms fall.
fn taylor(low: &BigUint, high: &BigUint, precision: u64) -> (BigUint, BigUint) {
    let one = BigUint::one() << precision;
    let mut term = (one.clone(), one.clone());
    let mut even = term.clone();
    let mut odd = (BigUint::zero(), BigUint::zero());
    let mut k = 0u32;
    loop {
        k += 1;
        term.0 = ((term.0 * low) >> precision) / k;
        term.1 = shifted_up(term.1 * high, precision).div_ceil(&k.into());
        if term.1 <= BigUint::one() {
            let bottom = odd.1 + &term.1;
            let top = even.1 + &term.1 - odd.0;
            let low = if even.0 > bottom { even.0 - bottom } else { BigUint::zero() };
            return (low, top.min(one));
        }
        let sum = if k.is_multiple_of(2) { &mut even } else { &mut odd };
        sum.0 += &term.0;
        sum.1 += &term.1;
    }
}

/// value / 2^bits, rounded up.
fn shifted_up(value: BigUint, bits: u64) -> BigUint {
    let kept = &value >> bits;
    if (&kept << bits) == value { kept } else { kept + 1u8 }
}

#[cfg(test)]
mod tests {
    use privacy_testing::interval::Interval;

    use super::*;

    fn ratio(a: u64, b: u64) -> Ratio<BigUint> {
        Ratio::new(a.into(), b.into())
    }

    fn value(upper: Upper) -> Ratio<BigUint> {
        let mantissa = Ratio::from(BigUint::from(upper.mantissa));
        let power = Ratio::from(BigUint::one() << upper.exponent.unsigned_abs());
        if upper.exponent < 0 { mantissa / power } else { mantissa * power }
    }

    #[test]
    fn brackets_hold_the_truth_and_are_narrow() {
        for (a, b) in [(0, 1), (1, 1), (1, 3), (7, 2), (20, 1), (139, 2), (1, u64::MAX), (999, 5)] {
            for bits in [8, 64, 300] {
                let (low, high) = exp_neg_bracket(&ratio(a, b), bits);
                let grid = BigUint::one() << bits;
                let bracket = Interval {
                    low: Ratio::new(low.clone(), grid.clone()),
                    high: Ratio::new(high.clone(), grid),
                };
                let truth = Interval::exp_neg(&ratio(a, b), 600);
                assert!(bracket.low <= truth.low && truth.high <= bracket.high, "exp(-{a}/{b})");
                assert!(high - low <= BigUint::from(2u8), "exp(-{a}/{b}) at {bits} bits");
            }
        }
    }

    #[test]
    fn tables_bound_from_above_and_closely() {
        for (a, b) in [(1, 1), (1, 1000), (3, 7), (1, 1 << 40)] {
            let decay = Decay::new(&ratio(a, b), u128::MAX);
            for gap in [0u128, 1, 2, 255, 256, 257, 4095, 65_537, (1 << 40) + 77] {
                let exponent = ratio(a, b) * Ratio::from(BigUint::from(gap));
                if exponent > ratio(130, 1) {
                    continue;
                }
                let truth = Interval::exp_neg(&exponent, 400);
                let bound = value(decay.at(gap));
                assert!(bound >= truth.high, "{a}/{b} at {gap}");
                assert!(bound <= truth.high * ratio((1 << 50) + 1, 1 << 50), "{a}/{b} at {gap}");
            }
        }
    }

    #[test]
    fn far_gaps_have_a_tiny_bound_and_never_overflow() {
        let decay = Decay::new(&ratio(u64::MAX, 1), u128::MAX);
        assert_eq!(decay.at(u128::MAX).fixed(120), 1);
        assert_eq!(decay.at(1).fixed(120), 1);
        assert_eq!(decay.at(0), Upper::ONE);
    }

    #[test]
    fn fixed_point_rounds_up() {
        assert_eq!(Upper::integer(5).fixed(0), 5);
        assert_eq!(Upper::integer(5).fixed(-1), 3);
        assert_eq!(Upper::integer(5).fixed(100), 5 << 100);
        assert_eq!(Upper::integer(5).fixed(-200), 1);
        assert_eq!(Upper::integer((1 << 64) + 1).fixed(0), (1 << 64) + 2);
        assert_eq!(Upper::integer(u128::from(u64::MAX) << 1 | 1).fixed(0), 1 << 65);
    }
}
