//! The special functions behind the p-values, from their series and continued fractions
//! (Abramowitz and Stegun 6.1.40, 6.5.29, 6.5.31, 26.5.8).

/// Steps after which a series or a continued fraction has long converged.
const MAX_STEPS: u32 = 100_000;

/// Stands in for a zero denominator in a continued fraction (modified Lentz).
const TINY: f64 = 1e-300;

/// ln Gamma(x) for x > 0, relative error about 1e-14.
///
/// # Example
///
/// ```
/// // Gamma(5) = 4!
/// let ln_24 = privacy_testing::statistics::ln_gamma(5.0);
/// assert!((ln_24 - 24f64.ln()).abs() < 1e-13);
/// ```
#[must_use]
pub fn ln_gamma(x: f64) -> f64 {
    // Move the argument up to where Stirling's series is accurate: Gamma(x+1) = x Gamma(x).
    let mut shifted = x;
    let mut product = 1.0;
    while shifted < 15.0 {
        product *= shifted;
        shifted += 1.0;
    }
    let inverse = 1.0 / shifted;
    let square = inverse * inverse;
    let series = inverse
        * (1.0 / 12.0
            - square
                * (1.0 / 360.0
                    - square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0))));
    (shifted - 0.5) * shifted.ln() - shifted + 0.5 * std::f64::consts::TAU.ln() + series
        - product.ln()
}

/// The regularized upper incomplete gamma function Q(a, x) = Gamma(a, x) / Gamma(a), for a > 0
/// and x >= 0.
#[must_use]
pub fn upper_gamma(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        // P(a, x) = x^a e^-x / Gamma(a) * sum x^n / (a (a+1) ... (a+n)).
        let mut term = 1.0 / a;
        let mut sum = term;
        let mut n = a;
        for _ in 0..MAX_STEPS {
            n += 1.0;
            term *= x / n;
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        (1.0 - front * sum).max(0.0)
    } else {
        // Q(a, x) = x^a e^-x / Gamma(a) * 1/(x+1-a - 1(1-a)/(x+3-a - 2(2-a)/(x+5-a - ...))).
        let step = |n: f64| (-n * (n - a), x + 2.0 * n + 1.0 - a);
        front / continued_fraction(x + 1.0 - a, step)
    }
}

/// The regularized incomplete beta function I_x(a, b), for a, b > 0 and 0 <= x <= 1: the chance
/// that a Beta(a, b) variable is at most x.
#[must_use]
pub fn regularized_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges fast left of the mean; right of it, mirror.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - regularized_beta(b, a, 1.0 - x);
    }
    let ln_front = a * x.ln() + b * (-x).ln_1p() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b);
    let step = |n: f64| {
        let half = (n / 2.0).floor();
        let coefficient = if n % 2.0 < 0.5 {
            half * (b - half) * x / ((a + n - 1.0) * (a + n))
        } else {
            -(a + half) * (a + b + half) * x / ((a + n - 1.0) * (a + n))
        };
        (coefficient, 1.0)
    };
    ln_front.exp() / (a * continued_fraction(1.0, step))
}

/// first + p(1)/(q(1) + p(2)/(q(2) + ...)) for step(n) = (p(n), q(n)), by the modified Lentz
/// method.
fn continued_fraction(first: f64, step: impl Fn(f64) -> (f64, f64)) -> f64 {
    let nonzero = |x: f64| if x.abs() < TINY { TINY } else { x };
    let mut value = nonzero(first);
    let mut c = value;
    let mut d = 0.0;
    for n in 1..MAX_STEPS {
        let (p, q) = step(f64::from(n));
        d = 1.0 / nonzero(q + p * d);
        c = nonzero(q + p / c);
        value *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-12 * b.abs().max(1e-300), "{a} and {b}");
    }

    #[test]
    fn gamma_of_integers_and_halves() {
        let mut factorial = 1.0;
        for n in 1..30 {
            close(ln_gamma(f64::from(n)).exp(), factorial);
            factorial *= f64::from(n);
        }
        close(ln_gamma(0.5).exp(), std::f64::consts::PI.sqrt());
    }

    #[test]
    fn upper_gamma_of_integer_order_is_a_poisson_sum() {
        // Q(n, x) = P(Poisson(x) < n), an independent finite sum.
        for n in [1, 2, 7, 40] {
            for x in [0.01, 0.5, 3.0, 8.0, 39.0, 41.0, 100.0] {
                let mut term = f64::exp(-x);
                let mut sum = term;
                for k in 1..n {
                    term *= x / f64::from(k);
                    sum += term;
                }
                close(upper_gamma(f64::from(n), x), sum);
            }
        }
    }

    #[test]
    fn beta_of_integer_order_is_a_binomial_sum() {
        // I_x(k, n-k+1) = P(Bin(n, x) >= k).
        for (n, k) in [(1, 1), (5, 2), (30, 25), (30, 3)] {
            for x in [0.01f64, 0.2, 0.5, 0.9] {
                let sum: f64 = (k..=n)
                    .map(|j| {
                        let choose = (ln_gamma(f64::from(n + 1))
                            - ln_gamma(f64::from(j + 1))
                            - ln_gamma(f64::from(n - j + 1)))
                        .exp();
                        choose * x.powi(j) * (1.0 - x).powi(n - j)
                    })
                    .sum();
                let beta = regularized_beta(f64::from(k), f64::from(n - k + 1), x);
                assert!((beta - sum).abs() < 1e-12, "{beta} and {sum}");
            }
        }
    }
}
