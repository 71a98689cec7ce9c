//! The upper tail of the continuous normal law, also where it is smaller than any `f64`.

use std::f64::consts::TAU;

/// Below, the tail comes from a power series, above from a continued fraction.
const SERIES_LIMIT: f64 = 2.0;

/// Mills' ratio Q(x)/phi(x) for x >= 0, where Q is the upper tail and phi the density; relative
/// error about 1e-14.
pub(super) fn mills(x: f64) -> f64 {
    if x < SERIES_LIMIT {
        // Q(x) = 1/2 - phi(x) (x + x^3/3 + x^5/(3 5) + ...).
        let mut term = x;
        let mut sum = x;
        for k in 1..60 {
            term *= x * x / f64::from(2 * k + 1);
            sum += term;
        }
        0.5 / density(x) - sum
    } else {
        // 1/(x + 1/(x + 2/(x + 3/(x + ...)))), which has converged after 100 steps at x = 2.
        1.0 / (1..=100).rev().fold(x, |rest, k| x + f64::from(k) / rest)
    }
}

/// ln Q(x) for x >= 0.
fn ln_upper_tail(x: f64) -> f64 {
    -0.5 * x * x - 0.5 * TAU.ln() + mills(x).ln()
}

/// Q(x) for x >= 0; 0 where it is below the range of `f64`.
pub(super) fn upper_tail(x: f64) -> f64 {
    density(x) * mills(x)
}

fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / TAU.sqrt()
}

/// The x >= 0 with ln Q(x) = `ln_p`, for `ln_p` <= ln(1/2); relative error about 1e-14.
pub(super) fn upper_quantile(ln_p: f64) -> f64 {
    // Q(x) <= exp(-x^2/2)/2 puts the start right of the root. There Newton's method descends to
    // it without overshooting, since ln Q is concave.
    let mut x = (-2.0 * (ln_p + std::f64::consts::LN_2)).max(0.0).sqrt();
    for _ in 0..64 {
        let step = (ln_p - ln_upper_tail(x)) * mills(x);
        x = (x - step).max(0.0);
        if step <= 1e-16 * x {
            break;
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, error: f64) {
        assert!((a - b).abs() <= error * b.abs(), "{a:e} and {b:e}");
    }

    #[test]
    fn quantiles_of_the_tables() {
        // The usual two-sided 50, 95 and 99.9 percent points of the tables.
        for (p, x) in [
            (0.25f64, 0.674_489_750_196_081_7),
            (0.025, 1.959_963_984_540_054),
            (0.0005, 3.290_526_731_491_895),
        ] {
            close(upper_quantile(p.ln()), x, 1e-13);
            close(upper_tail(x), p, 1e-13);
        }
        assert!(upper_quantile(0.5f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn the_tail_is_the_integral_of_the_density() {
        // Simpson's rule, over a range beyond which less than 1e-15 of the tail is left.
        for x in [0.0, 0.7, 1.9999, 2.0, 3.3, 8.0, 30.0] {
            let panels = 4000;
            let h = 40.0 / (x + 4.0) / f64::from(panels);
            let sum: f64 = (0..=panels)
                .map(|i| {
                    let weight = match i {
                        0 => 1.0,
                        _ if i == panels => 1.0,
                        _ if i % 2 == 1 => 4.0,
                        _ => 2.0,
                    };
                    // Relative to the density at x, so that nothing underflows.
                    let y = f64::from(i) * h;
                    weight * (-y * (x + 0.5 * y)).exp()
                })
                .sum();
            close(mills(x), sum * h / 3.0, 1e-10);
        }
    }

    #[test]
    fn quantiles_invert_the_tail_far_out() {
        for ln_p in [-0.7, -1.0, -5.0, -100.0, -745.0, -1e5] {
            let x = upper_quantile(ln_p);
            close(ln_upper_tail(x), ln_p, 1e-13);
        }
    }
}
