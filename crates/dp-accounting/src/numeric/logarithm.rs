//! Sums and differences in logarithms, and binomial coefficients.

use std::sync::OnceLock;

/// `ln(1 - e^x)` for `x <= 0`; `-inf` at 0, NaN above.
///
/// Relative error at most 8 ulp: `ln(-expm1(x))` near zero and `ln1p(-exp(x))` below `-ln 2`, so
/// that neither loses digits (Mächler 2012).
#[must_use]
pub fn log1mexp(x: f64) -> f64 {
    if x > -std::f64::consts::LN_2 { (-x.exp_m1()).ln() } else { (-x.exp()).ln_1p() }
}

/// `ln(e^a + e^b)`; absolute error at most 4 ulp of the larger argument plus 4 ulp of 1.
#[must_use]
pub fn log_add_exp(a: f64, b: f64) -> f64 {
    let (high, low) = if a >= b { (a, b) } else { (b, a) };
    if high.is_infinite() {
        return high;
    }
    high + (low - high).exp().ln_1p()
}

/// `ln(sum of e^x)` over the terms; `-inf` for none.
///
/// Absolute error at most `(n + 4)` ulp of 1 plus 2 ulp of the largest term, `n` terms.
#[must_use]
pub fn log_sum_exp(terms: &[f64]) -> f64 {
    let high = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if high.is_infinite() {
        return high;
    }
    high + terms.iter().map(|term| (term - high).exp()).sum::<f64>().ln()
}

const TABLE: usize = 2048;

/// `ln n!` with absolute error at most 4 ulp of the result.
///
/// Up to 2047 from a table of compensated sums of logarithms, above by Stirling's series, whose
/// remainder after the fifth term is below 1e-32 there.
#[must_use]
pub fn ln_factorial(n: u64) -> f64 {
    static CACHE: OnceLock<Vec<f64>> = OnceLock::new();
    let table = CACHE.get_or_init(|| {
        let (mut sum, mut carry) = (0.0f64, 0.0f64);
        let mut values = Vec::with_capacity(TABLE);
        values.push(0.0);
        for i in 1..TABLE {
            // Kahan: the error stays at the ulp of the result, not of every partial sum.
            let term = (i as f64).ln() - carry;
            let next = sum + term;
            carry = (next - sum) - term;
            sum = next;
            values.push(sum);
        }
        values
    });
    if let Some(value) = usize::try_from(n).ok().and_then(|n| table.get(n)) {
        return *value;
    }
    let x = n as f64;
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series =
        inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    x * (x.ln() - 1.0) + 0.5 * (std::f64::consts::TAU * x).ln() + series
}

/// `ln C(n, k)`; `-inf` for `k > n`. Absolute error at most 12 ulp of `ln n!`.
#[must_use]
pub fn ln_binomial(n: u64, k: u64) -> f64 {
    if k > n {
        return f64::NEG_INFINITY;
    }
    if k == 0 || k == n {
        return 0.0;
    }
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log1mexp_keeps_its_digits_at_both_ends() {
        assert!((log1mexp(-1e-20) - 1e-20f64.ln()).abs() < 1e-14);
        assert!((log1mexp(-50.0) + (-50f64).exp()).abs() < 1e-36);
        assert_eq!(log1mexp(0.0), f64::NEG_INFINITY);
    }

    #[test]
    fn sums_of_exponentials_survive_extremes() {
        assert_eq!(log_sum_exp(&[]), f64::NEG_INFINITY);
        assert!((log_sum_exp(&[1000.0, 1000.0]) - (1000.0 + 2f64.ln())).abs() < 1e-12);
        assert_eq!(log_add_exp(f64::NEG_INFINITY, 3.0), 3.0);
        assert_eq!(log_add_exp(f64::NEG_INFINITY, f64::NEG_INFINITY), f64::NEG_INFINITY);
    }

    #[test]
    fn binomials_match_pascal_and_stirling_meets_the_table() {
        let mut row = vec![1.0f64];
        for n in 1..60u64 {
            let mut next = vec![1.0];
            for pair in row.windows(2) {
                next.push(pair[0] + pair[1]);
            }
            next.push(1.0);
            row = next;
            for (k, value) in row.iter().enumerate() {
                assert!((ln_binomial(n, k as u64) - value.ln()).abs() < 1e-12, "{n} {k}");
            }
        }
        let last = ln_factorial(TABLE as u64 - 1);
        let stirling = ln_factorial(TABLE as u64) - (TABLE as f64).ln();
        assert!((last - stirling).abs() / last < 1e-15);
    }
}
