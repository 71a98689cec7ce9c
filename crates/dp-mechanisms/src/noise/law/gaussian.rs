//! The discrete Gaussian law by summation, and by the continuous one where sums would be long.

use std::f64::consts::{LN_2, PI, TAU};

use num_bigint::BigUint;
use num_rational::Ratio;

use super::super::error::NoiseError;
use super::normal::{mills, upper_quantile, upper_tail};
use super::{check_alpha, to_f64};

/// Up to this sigma tails are summed term by term (at most some 40 000 terms).
const SUMMED_SIGMA: f64 = 4096.0;

/// Below this alpha, sums of terms would meet the end of the floating-point range.
const SUMMED_ALPHA: f64 = 1e-300;

/// P(Z = x) = exp(-x^2/(2 sigma^2)) / norm.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct GaussianLaw {
    sigma: f64,
    norm: f64,
    variance: f64,
}

impl GaussianLaw {
    pub(in super::super) fn new(sigma_squared: &Ratio<BigUint>) -> Self {
        let s = to_f64(sigma_squared);
        // Both forms of the theta function converge within a few terms on their side of 1/2:
        // norm = sum exp(-k^2/(2s)) = sqrt(2 pi s) sum exp(-2 pi^2 s k^2) (Poisson summation), and
        // the variance is 2 s^2 times the derivative of ln norm in s.
        let direct = s < 0.5;
        let exponent = if direct { 0.5 / s } else { 2.0 * PI * PI * s };
        let (mut sum, mut second) = (1.0, 0.0);
        for k in 1..10 {
            let square = f64::from(k * k);
            let term = 2.0 * (-exponent * square).exp();
            sum += term;
            second += square * term;
        }
        let (norm, variance) = if direct {
            (sum, second / sum)
        } else {
            (
                (TAU * s).sqrt() * sum,
                // Second factor in this order: s * s may overflow where `second` is 0.
                s - 4.0 * PI * PI * s * (s * (second / sum)),
            )
        };
        GaussianLaw { sigma: s.sqrt(), norm, variance }
    }

    pub(in super::super) fn variance(self) -> f64 {
        self.variance
    }

    pub(in super::super) fn pmf(self, x: i128) -> f64 {
        self.weight(x.unsigned_abs() as f64) / self.norm
    }

    pub(in super::super) fn tail(self, m: u128) -> f64 {
        if self.sigma > SUMMED_SIGMA {
            // Euler-Maclaurin: sum over k > m = integral from a = m + 1/2, plus f'(a)/24, up to
            // f'''(a) 7/5760, which is below 1e-10 of the sum while that is in range.
            let a = (m as f64 + 0.5) / self.sigma;
            let correction = a / (24.0 * self.sigma * self.sigma * mills(a));
            return 2.0 * upper_tail(a) * (1.0 - correction);
        }
        let mut sum = 0.0;
        let mut k = m as f64 + 1.0;
        loop {
            let weight = self.weight(k);
            sum += weight;
            if weight <= 1e-18 * sum {
                return (2.0 * sum / self.norm).min(1.0);
            }
            k += 1.0;
        }
    }

    pub(in super::super) fn half_width(self, alpha: f64) -> Result<u128, NoiseError> {
        check_alpha(alpha)?;
        if self.sigma > SUMMED_SIGMA || alpha < SUMMED_ALPHA {
            return Ok(self.continuous_half_width(alpha.ln()) as u128);
        }
        // Add the tail from far out, where it is negligible, until it passes alpha.
        let mut k = self.continuous_half_width(alpha.ln() - 40.0);
        let limit = 0.5 * alpha * self.norm * (1.0 - 1e-11);
        let mut sum = 0.0;
        while k > 0.0 {
            sum += self.weight(k);
            if sum > limit {
                break;
            }
            k -= 1.0;
        }
        Ok(k as u128)
    }

    /// An integer m with P(|Z| > m) <= alpha, for sigma > [`SUMMED_SIGMA`] or alpha < exp(-40).
    ///
    /// Claim: P(|Z| > m) <= 2 Q((m + 1/2)/sigma), with Q the normal upper tail. Let
    /// f(x) = exp(-x^2/(2 sigma^2)), whose integral sqrt(2 pi) sigma is at most `norm` (Poisson
    /// summation).
    /// - If m + 1/2 >= sigma, f is convex where it matters: f(k) is at most the integral of f from
    ///   k - 1/2 to k + 1/2 for each k > m.
    /// - If m + 1/2 <= sigma, f is concave there, and f(k) is at least that integral for each
    ///   |k| <= m, so that P(|Z| <= m) >= (1 - 2 Q((m + 1/2)/sigma)) sqrt(2 pi) sigma / norm. This
    ///   case needs alpha > 0.3, hence sigma > 4096, and the last factor is 1 up to exp(-10^8).
    fn continuous_half_width(self, ln_alpha: f64) -> f64 {
        let quantile = upper_quantile(ln_alpha - LN_2) * (1.0 + 1e-12) + 1e-13;
        (self.sigma * quantile - 0.5).ceil().max(0.0)
    }

    fn weight(self, x: f64) -> f64 {
        if x < 0.5 {
            return 1.0;
        }
        let y = x / self.sigma;
        (-0.5 * y * y).exp()
    }
}

#[cfg(test)]
mod tests {
    use num_traits::Zero;

    use super::*;

    fn law(numer: u128, denom: u128) -> GaussianLaw {
        GaussianLaw::new(&Ratio::new(numer.into(), denom.into()))
    }

    fn close(a: f64, b: f64, error: f64) {
        assert!((a - b).abs() <= error * b.abs(), "{a:e} and {b:e}");
    }

    fn sum(f: impl Fn(i128) -> f64) -> f64 {
        (0..20_000).rev().map(f).sum()
    }

    #[test]
    fn masses_add_up_to_one_the_tail_and_the_variance() {
        for (numer, denom) in
            [(1, 20), (49, 100), (51, 100), (1, 1), (22, 7), (100, 1), (1 << 20, 1)]
        {
            let law = law(numer, denom);
            close(2.0 * sum(|x| law.pmf(x)) - law.pmf(0), 1.0, 1e-12);
            close(law.variance(), 2.0 * sum(|x| (x * x) as f64 * law.pmf(x)), 1e-12);
            for m in [0, 1, 5] {
                close(law.tail(m), 2.0 * sum(|x| law.pmf(x + 1 + m as i128)), 1e-12);
            }
        }
    }

    #[test]
    fn both_ways_to_the_tail_agree() {
        // Just above the limit, so that the corrected integral answers; the sum is the oracle.
        let law = law(4097 * 4097, 1);
        for m in [0u128, 100, 4000, 12_000, 40_000, 100_000, 150_000] {
            let oracle = 2.0 * (1..200_000).rev().map(|k| law.pmf((m + k) as i128)).sum::<f64>();
            close(law.tail(m), oracle, 1e-9);
        }
    }

    #[test]
    fn half_widths_are_the_smallest_where_they_are_summed() {
        for (numer, denom) in [(1, 100), (1, 3), (1, 1), (22, 7), (100, 1), (40_000, 1)] {
            let law = law(numer, denom);
            for i in 0..=120 {
                let alpha = 10f64.powf(-2.5 * f64::from(i)).max(1e-299);
                let m = law.half_width(alpha).unwrap();
                assert!(law.tail(m) <= alpha);
                assert!(m == 0 || law.tail(m - 1) > alpha * (1.0 - 1e-10), "{alpha}");
            }
        }
        assert_eq!(law(100, 1).half_width(1.0), Ok(0));
    }

    #[test]
    fn large_sigmas_are_covered_and_not_by_much_more() {
        for sigma in [4097u128, 10_000, 1_000_000, 30_000_001] {
            let law = law(sigma * sigma, 1);
            for alpha in [1.0, 0.9, 0.5, 0.35, 0.32, 0.3, 0.05, 1e-6, 1e-100, 1e-300] {
                let m = law.half_width(alpha).unwrap();
                assert!(law.tail(m) <= alpha * (1.0 + 1e-12), "{sigma} {alpha}");
                assert!(m < 2 || law.tail(m - 2) > alpha, "{sigma} {alpha}");
            }
        }
    }

    #[test]
    fn half_widths_fall_as_alpha_rises() {
        for (numer, denom) in [(1, 7), (22, 7), (10_000, 1), (5000 * 5000, 1)] {
            let law = law(numer, denom);
            let mut last = u128::MAX;
            for i in 0..=640 {
                let alpha = 10f64.powf(-320.0 + 0.5 * f64::from(i)).min(1.0);
                let m = law.half_width(alpha).unwrap();
                assert!(m <= last, "{alpha}");
                last = m;
            }
        }
    }

    #[test]
    fn extreme_sigmas_have_finite_sensible_answers() {
        let ten = |n: u32| BigUint::from(10u8).pow(n);
        for power in [80, 300, 700] {
            let tiny = GaussianLaw::new(&Ratio::new(1u8.into(), ten(power)));
            close(tiny.pmf(0), 1.0, 1e-15);
            assert!(tiny.pmf(1).is_zero() && tiny.tail(0).is_zero() && tiny.variance().is_zero());
            assert_eq!(tiny.half_width(1e-300), Ok(0));
            assert_eq!(tiny.half_width(5e-324), Ok(0));
        }
        let huge = GaussianLaw::new(&Ratio::from(ten(60)));
        close(huge.variance(), 1e60, 1e-12);
        close(huge.tail(0), 1.0, 1e-12);
        close(huge.half_width(0.05).unwrap() as f64, 1.959_963_984_540_054e30, 1e-10);
        assert!(huge.half_width(1.0).unwrap() < 1 << 64);
        assert!(huge.tail(u128::MAX).is_zero());
    }
}
