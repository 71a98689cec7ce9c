//! What is known about the two laws in floating point: masses, tails, variances, half-widths.
//!
//! Only public parameters enter here. Where a result is used as a promise (half-widths), rounding
//! goes to the safe side.

use num_bigint::BigUint;
use num_rational::Ratio;
use num_traits::ToPrimitive;

use super::error::NoiseError;

mod gaussian;
mod laplace;
mod normal;

pub(super) use gaussian::GaussianLaw;
pub(super) use laplace::LaplaceLaw;

/// The nearest `f64`, up to a relative error of 2^-52; 0 or infinity beyond the range.
fn to_f64(ratio: &Ratio<BigUint>) -> f64 {
    let (numer, denom) = (ratio.numer(), ratio.denom());
    // Shift so that the integer quotient has 64 or 65 bits.
    let shift = 64 + denom.bits() as i64 - numer.bits() as i64;
    let quotient = if shift >= 0 {
        (numer << shift.unsigned_abs()) / denom
    } else {
        numer / (denom << shift.unsigned_abs())
    };
    let mantissa = quotient.to_u128().map_or(f64::INFINITY, |q| q as f64);
    // In three factors, each of which is in range: the result may lie near the ends of the range.
    let exponent = (-shift).clamp(-2400, 2400) as i32;
    let part = exponent / 3;
    mantissa * 2f64.powi(part) * 2f64.powi(part) * 2f64.powi(exponent - 2 * part)
}

fn check_alpha(alpha: f64) -> Result<(), NoiseError> {
    if alpha > 0.0 && alpha <= 1.0 { Ok(()) } else { Err(NoiseError::AlphaOutOfRange) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rationals_become_the_nearest_float() {
        let ten = |n: u32| BigUint::from(10u8).pow(n);
        let close = |numer: BigUint, denom: BigUint, float: f64| {
            let ours = to_f64(&Ratio::new(numer, denom));
            assert!((ours / float - 1.0).abs() < 1e-15, "{ours:e} {float:e}");
        };
        close(ten(0), ten(0), 1.0);
        close(BigUint::from(355u32), BigUint::from(113u32), 355.0 / 113.0);
        close(ten(30), BigUint::from(7u8), 1e30 / 7.0);
        close(ten(0), ten(300), 1e-300);
        close(ten(60), ten(0), 1e60);
        close(ten(700), ten(650) + 1u8, 1e50);
        assert!(to_f64(&Ratio::new(ten(0), ten(400))) == 0.0);
        assert!(to_f64(&Ratio::new(ten(400), ten(0))) == f64::INFINITY);
    }

    #[test]
    fn alpha_is_a_probability_above_zero() {
        for bad in [0.0, -0.1, 1.0 + 1e-15, f64::NAN, f64::INFINITY] {
            assert_eq!(check_alpha(bad), Err(NoiseError::AlphaOutOfRange));
        }
        assert_eq!(check_alpha(1.0), Ok(()));
        assert_eq!(check_alpha(5e-324), Ok(()));
    }
}
