//! The standard normal law, for the trade-off function of Gaussian noise.

use std::f64::consts::TAU;

/// P(N(0, 1) > x); relative error about 1e-13.
pub(super) fn upper_tail(x: f64) -> f64 {
    if x < 0.0 {
        return 1.0 - upper_tail(-x);
    }
    let density = (-0.5 * x * x).exp() / TAU.sqrt();
    if x < 2.5 {
        // 1/2 − φ(x) (x + x³/3 + x⁵/15 + …).
        let (mut term, mut sum) = (x, x);
        for odd in (3..160).step_by(2) {
            term *= x * x / f64::from(odd);
            sum += term;
        }
        0.5 - density * sum
    } else {
        // φ(x) / (x + 1/(x + 2/(x + …))).
        density / (1..=120).rev().fold(x, |rest, k| x + f64::from(k) / rest)
    }
}

/// The point below which the normal law has mass `p`; error about 1e-12 for p from 1e-300 to
/// 1 − 1e-3, and that of 1 − `p` beyond.
pub(super) fn quantile(p: f64) -> f64 {
    if p > 0.5 {
        return -quantile(1.0 - p);
    }
    let (mut low, mut high) = (-40.0, 0.0);
    for _ in 0..60 {
        let middle: f64 = 0.5 * (low + high);
        if upper_tail(-middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_the_tables() {
        for (p, x) in [
            (0.5, 0.0),
            (0.75, 0.674_489_750_196_081_7),
            (0.025, -1.959_963_984_540_054),
            (0.0005, -3.290_526_731_491_895),
        ] {
            assert!((quantile(p) - x).abs() < 1e-11, "{} {x}", quantile(p));
        }
        assert!((upper_tail(2.5 - 1e-12) / upper_tail(2.5) - 1.0).abs() < 1e-10);
    }
}
