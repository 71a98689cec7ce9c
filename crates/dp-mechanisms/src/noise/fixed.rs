//! Certified arithmetic on machine words, for the fast samplers.
//!
//! Two formats: brackets in units of 2^-120 for building tables, and fractions in units of 2^-64
//! for accepting candidates.

use num_bigint::BigUint;

use super::bracket::Bracket;

/// Bits after the point of a [`Span`].
pub(crate) const SPAN_BITS: u32 = 120;

/// 1 in the units of a [`Span`].
pub(crate) const SPAN_ONE: u128 = 1 << SPAN_BITS;

/// A number below 128 between `low` and `high`, in units of 2^-120.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) low: u128,
    pub(crate) high: u128,
}

impl Span {
    pub(crate) const ONE: Span = Span { low: SPAN_ONE, high: SPAN_ONE };

    /// The number that `bracket` encloses at the precision [`SPAN_BITS`].
    pub(crate) fn from_bracket(bracket: impl Fn(u64) -> Bracket) -> Span {
        let bracket = bracket(SPAN_BITS.into());
        let narrow = |x: &BigUint| u128::try_from(x).unwrap_or(u128::MAX);
        Span { low: narrow(&bracket.low), high: narrow(&bracket.high) }
    }

    /// The product of numbers of which one is at most 1.
    #[inline]
    pub(crate) fn times(self, other: Span) -> Span {
        Span { low: product(self.low, other.low), high: product(self.high, other.high) + 1 }
    }

    /// The sum of numbers that is below 128.
    #[inline]
    pub(crate) fn plus(self, other: Span) -> Span {
        Span { low: self.low + other.low, high: self.high + other.high }
    }

    pub(crate) fn doubled(self) -> Span {
        self.plus(self)
    }

    /// 1 minus a number that is at most 1.
    #[inline]
    pub(crate) fn complement(self) -> Span {
        Span { low: SPAN_ONE.saturating_sub(self.high), high: SPAN_ONE.saturating_sub(self.low) }
    }

    /// 1 over a number that is at least 1.
    pub(crate) fn reciprocal(self) -> Span {
        let square = BigUint::from(1u8) << (2 * SPAN_BITS);
        let over = |x: u128| u128::try_from(&square / x).unwrap_or(SPAN_ONE);
        Span { low: over(self.high), high: over(self.low) + 1 }
    }
}

/// floor(a b / 2^120), for a product below 2^248.
#[inline]
fn product(a: u128, b: u128) -> u128 {
    let (a1, a0) = (a >> 64, a & u128::from(u64::MAX));
    let (b1, b0) = (b >> 64, b & u128::from(u64::MAX));
    // Each partial product is below 2^128; the two middle ones and the carry are added in halves.
    let (middle, carried) = (a1 * b0).overflowing_add(a0 * b1);
    let (middle, carried_too) = middle.overflowing_add((a0 * b0) >> 64);
    let carry = u128::from(carried) + u128::from(carried_too);
    let high = a1 * b1 + (carry << 64) + (middle >> 64);
    // The product is high 2^128 + (middle mod 2^64) 2^64 + (a0 b0 mod 2^64).
    (high << 8) | ((middle >> 56) & 0xff)
}

/// The upper half of the product of two words.
#[inline]
pub(crate) fn high_half(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 64) as u64
}

/// How a uniform number compares with exp(-g), as far as machine words tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Below,
    NotBelow,
    Open,
}

/// Compares a uniform number, known to lie in `[first, last + 1)`, with exp(-g) for a g known to
/// lie in `[low, high]`; all in units of 2^-64, and 0 < `high`.
#[inline]
pub(crate) fn compare_exp_neg(first: u64, last: u64, low: u64, high: u64) -> Verdict {
    // 1 - g <= exp(-g).
    if last < high.wrapping_neg() {
        return Verdict::Below;
    }
    // exp(-g) <= 1 - g + g^2/2.
    let curved = low.saturating_sub((high_half(low, low) >> 1) + 1);
    if curved > 0 && first >= curved.wrapping_neg() {
        return Verdict::NotBelow;
    }
    compare_with_series(first, last, low, high)
}

#[cold]
fn compare_with_series(first: u64, last: u64, low: u64, high: u64) -> Verdict {
    if last < series(high).saturating_sub(SERIES_ERROR) {
        return Verdict::Below;
    }
    // Next to 1 the upper bound may not fit a word.
    match series(low).checked_add(SERIES_ERROR) {
        Some(above) if low > 0 && first >= above => Verdict::NotBelow,
        _ => Verdict::Open,
    }
}

/// The most units by which [`series`] errs.
const SERIES_ERROR: u64 = 64;

/// exp(-g) in units of 2^-64, for g > 0, up to [`SERIES_ERROR`].
///
/// Each term of Taylor's series is the one before times g/k, rounded down twice: it falls short by
/// less than 3 units. The 21 terms until the series falls below a unit (1/21! < 2^-64) make 63, and
/// the rest of the series is below another.
fn series(g: u64) -> u64 {
    // 1 does not fit a word: start from 1 - g.
    let (mut sum, mut term, mut k) = (g.wrapping_neg(), g, 1u64);
    while term > 0 {
        k += 1;
        term = high_half(term, g) / k;
        sum = if k.is_multiple_of(2) { sum.wrapping_add(term) } else { sum.wrapping_sub(term) };
    }
    sum
}

#[cfg(test)]
mod tests {
    use num_rational::Ratio;
    use num_traits::ToPrimitive;
    use privacy_testing::interval::Interval;

    use super::*;

    const WORD: u128 = 1 << 64;

    /// floor(2^64 exp(-g / 2^64)); the bracket of the oracle is far narrower than a unit.
    fn truth(g: u64) -> u64 {
        let exact = Interval::exp_neg(&Ratio::new(g.into(), WORD.into()), 200);
        let scaled = (exact.low * Ratio::from(BigUint::from(WORD))).to_integer();
        scaled.to_u64().unwrap_or(u64::MAX)
    }

    #[test]
    fn products_round_down() {
        let values = [0, 1, 77, SPAN_ONE - 1, SPAN_ONE, SPAN_ONE + 1, (1 << 126) + 12345, 1 << 64];
        for a in values {
            for b in values.into_iter().filter(|b| *b <= SPAN_ONE) {
                let exact = (BigUint::from(a) * b) >> SPAN_BITS;
                assert_eq!(BigUint::from(product(a, b)), exact, "{a} {b}");
            }
        }
        for i in 0..2000u128 {
            // Multiples of an odd number visit all bit patterns.
            let a = i.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) >> 1;
            let b = i.wrapping_mul(0xd1b5_4a32_d192_ed03_8e5d_3d1b_51aa_4b37) >> 8;
            assert_eq!(BigUint::from(product(a, b)), (BigUint::from(a) * b) >> SPAN_BITS);
        }
    }

    #[test]
    fn verdicts_are_true_next_to_the_border() {
        let mut open = 0;
        for i in 1..=3000u64 {
            // Exponents of all sizes below 1, with borders from one unit to many away.
            let g = (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (i % 60)).max(1);
            let border = truth(g);
            for distance in [0, 1, 60, 1000, 1 << 20, 1 << 40] {
                let below = border.saturating_sub(distance + 1);
                assert_ne!(compare_exp_neg(below, below, g, g), Verdict::NotBelow);
                let above = border.saturating_add(distance + 1);
                if above > border {
                    assert_ne!(compare_exp_neg(above, above, g, g), Verdict::Below);
                }
                let verdict = compare_exp_neg(below, below, g, g);
                open += u32::from(distance >= 1000 && verdict == Verdict::Open);
            }
            // An interval across the border is never decided.
            let wide = compare_exp_neg(border.saturating_sub(1), border.saturating_add(1), g, g);
            assert_eq!(wide, Verdict::Open);
        }
        assert_eq!(open, 0);
    }

    #[test]
    fn verdicts_hold_for_both_ends_of_the_exponent() {
        for g in [1u64, 1 << 40, 1 << 60, u64::MAX / 3] {
            let (near, far) = (truth(g + 400), truth(g));
            assert_eq!(compare_exp_neg(near + 1, near + 1, g, g + 400), Verdict::Open);
            assert_eq!(compare_exp_neg(far - 1, far - 1, g, g + 400), Verdict::Open);
        }
    }

    #[test]
    fn reciprocals_enclose_the_truth() {
        for x in [SPAN_ONE, SPAN_ONE + 1, 3 * SPAN_ONE, 127 * SPAN_ONE + 5] {
            let inverse = Span { low: x, high: x }.reciprocal();
            assert!(BigUint::from(inverse.low) * x <= BigUint::from(1u8) << 240u32);
            assert!(BigUint::from(inverse.high) * x >= BigUint::from(1u8) << 240u32);
        }
    }
}
