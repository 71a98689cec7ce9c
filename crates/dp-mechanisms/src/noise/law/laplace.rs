//! The discrete Laplace law in closed form.

use num_bigint::BigUint;
use num_rational::Ratio;

use super::super::error::NoiseError;
use super::{check_alpha, to_f64};

/// Covers the rounding of the few operations behind a half-width.
const MARGIN: f64 = 1.0 + 8e-15;

/// P(Z = x) = (1-r)/(1+r) r^|x| with r = exp(-rate).
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct LaplaceLaw {
    /// 1/scale; infinite for scales below 1e-308, whose noise is always 0 in floating point.
    rate: f64,
}

impl LaplaceLaw {
    pub(in super::super) fn new(scale: &Ratio<BigUint>) -> Self {
        LaplaceLaw { rate: to_f64(&scale.recip()) }
    }

    pub(in super::super) fn pmf(self, x: i128) -> f64 {
        // (1-r)/(1+r) = tanh(rate/2), which does not cancel for small rates.
        (0.5 * self.rate).tanh() * self.power(x.unsigned_abs())
    }

    pub(in super::super) fn tail(self, m: u128) -> f64 {
        2.0 * self.power(m.saturating_add(1)) / (1.0 + self.power(1))
    }

    /// sqrt(2r)/(1-r) = 1 / (sqrt(2) sinh(rate/2)).
    pub(in super::super) fn std_dev(self) -> f64 {
        std::f64::consts::FRAC_1_SQRT_2 / (0.5 * self.rate).sinh()
    }

    /// The smallest m with m + 1 >= ln(2 / (alpha (1+r))) / rate.
    pub(in super::super) fn half_width(self, alpha: f64) -> Result<u128, NoiseError> {
        check_alpha(alpha)?;
        // ln(2/(1+r)) = -ln(1 + (r-1)/2): both parts of the sum are non-negative and keep their
        // relative precision for scales of any size.
        let needed = -(0.5 * (-self.rate).exp_m1()).ln_1p() - alpha.ln();
        let steps = (needed / self.rate * MARGIN).ceil();
        Ok((steps as u128).saturating_sub(1))
    }

    /// r^n
    fn power(self, n: u128) -> f64 {
        if n == 0 { 1.0 } else { (-self.rate * n as f64).exp() }
    }
}

#[cfg(test)]
mod tests {
    use num_traits::{One, Zero};
    use privacy_testing::interval::Interval;

    use super::*;

    fn scale(numer: &str, denom: &str) -> Ratio<BigUint> {
        Ratio::new(numer.parse().unwrap(), denom.parse().unwrap())
    }

    fn law(numer: &str, denom: &str) -> LaplaceLaw {
        LaplaceLaw::new(&scale(numer, denom))
    }

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() <= 2e-12 * b.abs(), "{a:e} and {b:e}");
    }

    /// The smallest m with P(|Z| > m) <= alpha = 1/`inverse`, in exact arithmetic.
    fn exact_half_width(scale: &Ratio<BigUint>, inverse: u64) -> u128 {
        let power =
            |n: u64| Interval::exp_neg(&(scale.recip() * Ratio::from(BigUint::from(n))), 300);
        let one = Interval::exact(Ratio::one());
        for m in 0u64.. {
            // 2 r^(m+1) inverse <= 1 + r
            let left =
                power(m + 1).times(&Interval::exact(Ratio::from(BigUint::from(2 * inverse))));
            let right = one.plus(&power(1));
            assert!(!left.meets(&right), "the oracle needs more bits");
            if left.high < right.low {
                return m.into();
            }
        }
        unreachable!()
    }

    #[test]
    fn half_widths_are_exact() {
        for (numer, denom) in [("10", "1"), ("1", "3"), ("355", "113"), ("1", "1000"), ("47", "2")]
        {
            for inverse in [2, 3, 20, 1000, 1_000_000_007] {
                let m = law(numer, denom).half_width(1.0 / inverse as f64).unwrap();
                assert_eq!(m, exact_half_width(&scale(numer, denom), inverse));
            }
        }
    }

    #[test]
    fn masses_add_up_to_the_tail_and_the_variance() {
        for (numer, denom) in [("1", "5"), ("3", "2"), ("40", "3")] {
            let law = law(numer, denom);
            let sum = |f: &dyn Fn(i128) -> f64| -> f64 { (0..2000).rev().map(f).sum() };
            close(2.0 * sum(&|x| law.pmf(x)) - law.pmf(0), 1.0);
            close(law.tail(4), 2.0 * sum(&|x| law.pmf(x + 5)));
            close(law.std_dev().powi(2), 2.0 * sum(&|x| (x * x) as f64 * law.pmf(x)));
        }
    }

    #[test]
    fn extreme_scales_have_finite_sensible_answers() {
        let nothing = format!("1{}", "0".repeat(400));
        for tiny in [law("1", &nothing), law("1", &format!("1{}", "0".repeat(300)))] {
            assert_eq!(tiny.pmf(0).to_bits(), 1f64.to_bits());
            assert!(tiny.pmf(1).is_zero() && tiny.tail(0).is_zero() && tiny.std_dev().is_zero());
            assert_eq!(tiny.half_width(1e-300), Ok(0));
        }
        let huge = law("1000000000000000000000000000000", "1");
        close(huge.std_dev(), 2f64.sqrt() * 1e30);
        close(huge.pmf(5), 0.5e-30);
        close(huge.tail(0), 1.0);
        close(huge.half_width(1e-300).unwrap() as f64, 1e30 * 1e300f64.ln());
        assert_eq!(huge.half_width(1.0), Ok(0));
    }

    #[test]
    fn half_widths_fall_as_alpha_rises_and_match_the_tail() {
        for (numer, denom) in [("1", "30"), ("7", "3"), ("123456789", "1"), ("1", "1")] {
            let law = law(numer, denom);
            let mut last = u128::MAX;
            for i in 0..=3000 {
                let alpha = 10f64.powf(-300.0 + 0.1 * f64::from(i)).min(1.0);
                let m = law.half_width(alpha).unwrap();
                assert!(m <= last);
                assert!(law.tail(m) <= alpha * (1.0 + 1e-11));
                assert!(m == 0 || law.tail(m - 1) >= alpha * (1.0 - 1e-11));
                last = m;
            }
        }
    }
}
