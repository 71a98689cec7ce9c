//! The integers samplers compute with: machine words where the parameters fit, big integers else.

use num_bigint::BigUint;
use num_integer::Integer;
use num_rational::Ratio;
use num_traits::Zero;
use privacy_core::random::EntropyError;

use super::choices::Choices;
use super::error::NoiseError;

/// A non-negative integer type that samplers are generic over.
pub(crate) trait Natural: Integer + Clone + Into<BigUint> {
    /// Uniform in `0..bound`.
    fn uniform_below<C: Choices + ?Sized>(
        choices: &mut C,
        bound: &Self,
    ) -> Result<Self, EntropyError>;

    /// floor((offset + period * count) / divisor), or `u128::MAX` if that is larger.
    fn place(offset: Self, period: &Self, count: u64, divisor: &Self) -> u128;
}

impl Natural for u64 {
    #[inline]
    fn uniform_below<C: Choices + ?Sized>(
        choices: &mut C,
        bound: &Self,
    ) -> Result<Self, EntropyError> {
        choices.below_u64(*bound)
    }

    #[inline]
    fn place(offset: u64, period: &u64, count: u64, divisor: &u64) -> u128 {
        // At most (2^64 - 1) + (2^64 - 1)^2 < 2^128. One word is the common case, and its
        // division is many times cheaper.
        let sum = u128::from(offset) + u128::from(*period) * u128::from(count);
        match u64::try_from(sum) {
            Ok(small) => u128::from(small / *divisor),
            Err(_) => sum / u128::from(*divisor),
        }
    }
}

impl Natural for u128 {
    #[inline]
    fn uniform_below<C: Choices + ?Sized>(
        choices: &mut C,
        bound: &Self,
    ) -> Result<Self, EntropyError> {
        choices.below_u128(*bound)
    }

    fn place(offset: u128, period: &u128, count: u64, divisor: &u128) -> u128 {
        let sum = period.checked_mul(u128::from(count)).and_then(|whole| whole.checked_add(offset));
        match sum {
            Some(sum) => sum / divisor,
            None => BigUint::place(offset.into(), &(*period).into(), count, &(*divisor).into()),
        }
    }
}

impl Natural for BigUint {
    fn uniform_below<C: Choices + ?Sized>(
        choices: &mut C,
        bound: &Self,
    ) -> Result<Self, EntropyError> {
        choices.below_big(bound)
    }

    fn place(offset: BigUint, period: &BigUint, count: u64, divisor: &BigUint) -> u128 {
        u128::try_from((offset + period * count) / divisor).unwrap_or(u128::MAX)
    }
}

/// A reduced fraction in the narrowest of the three types that holds it.
#[derive(Debug, Clone)]
pub(crate) enum Fraction {
    Word(u64, u64),
    Double(u128, u128),
    Big(BigUint, BigUint),
}

impl From<&Ratio<BigUint>> for Fraction {
    fn from(ratio: &Ratio<BigUint>) -> Self {
        let (numer, denom) = (ratio.numer(), ratio.denom());
        if let (Ok(numer), Ok(denom)) = (u64::try_from(numer), u64::try_from(denom)) {
            return Fraction::Word(numer, denom);
        }
        if let (Ok(numer), Ok(denom)) = (u128::try_from(numer), u128::try_from(denom)) {
            return Fraction::Double(numer, denom);
        }
        Fraction::Big(numer.clone(), denom.clone())
    }
}

/// Runs the same expression on whichever integers a fraction holds.
macro_rules! with_fraction {
    ($fraction:expr, |$numer:ident, $denom:ident| $body:expr) => {
        match $fraction {
            $crate::noise::natural::Fraction::Word($numer, $denom) => $body,
            $crate::noise::natural::Fraction::Double($numer, $denom) => $body,
            $crate::noise::natural::Fraction::Big($numer, $denom) => $body,
        }
    };
}
pub(crate) use with_fraction;

/// The same ratio in lowest terms; a `Ratio` made without checks may have denominator zero.
pub(crate) fn reduced(ratio: Ratio<BigUint>) -> Result<Ratio<BigUint>, NoiseError> {
    if ratio.denom().is_zero() {
        return Err(NoiseError::ZeroDenominator);
    }
    Ok(ratio.reduced())
}

/// Binary logarithm of the largest scale (standard deviation, up to a constant) accepted.
///
/// A discrete Laplace draw of scale t passes 2^127 with probability below exp(-2^127 / t), so at
/// most exp(-2^27); a discrete Gaussian one far more rarely.
pub(crate) const MAX_SCALE_BITS: u32 = 100;

/// A scale to the given power (1 for a scale, 2 for a variance) in lowest terms, checked to be
/// positive and at most 2^(power * [`MAX_SCALE_BITS`]).
pub(crate) fn checked_scale(
    ratio: Ratio<BigUint>,
    power: u32,
) -> Result<Ratio<BigUint>, NoiseError> {
    let ratio = reduced(ratio)?;
    if ratio.numer().is_zero() {
        return Err(NoiseError::ZeroScale);
    }
    if *ratio.numer() > ratio.denom() << (power * MAX_SCALE_BITS) {
        return Err(NoiseError::ScaleTooLarge { limit_bits: MAX_SCALE_BITS });
    }
    Ok(ratio)
}

/// A signed draw; saturates beyond `i128`, which is post-processing of the exact draw.
#[inline]
pub(crate) fn signed(magnitude: u128, negative: bool) -> i128 {
    let magnitude = magnitude.min(i128::MAX as u128) as i128;
    // -m is !m + 1; no branch waits for the sign.
    (magnitude ^ -i128::from(negative)) + i128::from(negative)
}

/// A draw as a word; saturates beyond `i64`, which is post-processing of the exact draw.
#[inline]
pub(crate) fn narrowed(drawn: i128) -> i64 {
    drawn.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_agree_in_all_widths_where_they_fit() {
        for (offset, period, count, divisor) in
            [(0u64, 1u64, 0u64, 1u64), (6, 7, 3, 2), (5, u64::MAX, u64::MAX, 3), (1, 2, 3, 1 << 60)]
        {
            let narrow = u64::place(offset, &period, count, &divisor);
            let double = u128::place(offset.into(), &period.into(), count, &divisor.into());
            let big = BigUint::place(offset.into(), &period.into(), count, &divisor.into());
            assert_eq!((narrow, narrow), (double, big));
        }
        assert_eq!(u128::place(0, &u128::MAX, 6, &3), u128::MAX);
        assert_eq!(u128::place(0, &u128::MAX, 3, &(u128::MAX / 2)), 6);
    }

    #[test]
    fn draws_beyond_the_result_type_saturate() {
        assert_eq!(signed(u128::MAX, false), i128::MAX);
        assert_eq!(signed(u128::MAX, true), -i128::MAX);
        assert_eq!(signed(5, true), -5);
    }

    #[test]
    fn fractions_take_the_narrowest_type() {
        let big = BigUint::from(u128::MAX) + 1u8;
        let of = |a: &BigUint, b: u8| Fraction::from(&Ratio::new(a.clone(), b.into()));
        assert!(matches!(of(&7u8.into(), 2), Fraction::Word(7, 2)));
        assert!(matches!(of(&u128::MAX.into(), 2), Fraction::Double(u128::MAX, 2)));
        assert!(matches!(of(&big, 3), Fraction::Big(..)));
    }
}
