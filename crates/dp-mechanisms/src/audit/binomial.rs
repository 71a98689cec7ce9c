//! Binomial tails with a known relative error, and exact confidence bounds from them.
//!
//! The point probability is Loader's saddle-point form (Loader 2000, "Fast and accurate
//! computation of binomial probabilities"), in which nothing large cancels; a tail is that times a
//! sum of positive terms, each from the one before. For up to 2^40 trials the relative error of a
//! tail stays below [`SLACK`], and every bound is taken on the safe side of it.

use std::f64::consts::TAU;

/// Bound of the relative error of a tail.
pub(super) const SLACK: f64 = 1e-9;

/// The most trials the error bound is claimed for.
pub(super) const MAX_TRIALS: u64 = 1 << 40;

/// P(Bin(`n`, `p`) ≥ `k`).
pub(super) fn upper_tail(k: u64, n: u64, p: f64) -> f64 {
    match k {
        0 => 1.0,
        _ if k > n || p <= 0.0 => 0.0,
        _ if p >= 1.0 => 1.0,
        // At most the mean, hence at most the median: the other side is the small one.
        _ if (k as f64) <= n as f64 * p => (1.0 - sum_down(k - 1, n, p)).clamp(0.5, 1.0),
        _ => sum_up(k, n, p),
    }
}

/// P(Bin(`n`, `p`) ≤ `k`).
pub(super) fn lower_tail(k: u64, n: u64, p: f64) -> f64 {
    match p {
        _ if k >= n => 1.0,
        p if p <= 0.0 => 1.0,
        p if p >= 1.0 => 0.0,
        p if (k as f64) >= n as f64 * p => (1.0 - sum_up(k + 1, n, p)).clamp(0.5, 1.0),
        p => sum_down(k, n, p),
    }
}

/// The largest success probability found that `successes` of `trials` refute with error `alpha`:
/// the truth is above it but with probability at most `alpha` (Clopper, Pearson 1934).
pub(super) fn probability_at_least(successes: u64, trials: u64, alpha: f64) -> f64 {
    if successes == 0 || trials == 0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, successes as f64 / trials as f64);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if upper_tail(successes, trials, middle) * (1.0 + SLACK) <= alpha {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// The counterpart of [`probability_at_least`]: the truth is below it but with probability at most
/// `alpha`.
pub(super) fn probability_at_most(successes: u64, trials: u64, alpha: f64) -> f64 {
    if successes >= trials {
        return 1.0;
    }
    let (mut low, mut high) = (successes as f64 / trials as f64, 1.0);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if lower_tail(successes, trials, middle) * (1.0 + SLACK) <= alpha {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

/// P(Bin(`n`, `p`) = `k`) for 0 < p < 1.
pub(super) fn point(k: u64, n: u64, p: f64) -> f64 {
    let rest = n - k;
    match (k, rest) {
        (0, _) => (n as f64 * (-p).ln_1p()).exp(),
        (_, 0) => (n as f64 * p.ln()).exp(),
        _ => {
            let (n, k, rest) = (n as f64, k as f64, rest as f64);
            let exponent = stirling_error(n)
                - stirling_error(k)
                - stirling_error(rest)
                - deviance(k, n * p)
                - deviance(rest, n * (1.0 - p));
            (n / (TAU * k * rest)).sqrt() * exponent.exp()
        }
    }
}

fn sum_up(k: u64, n: u64, p: f64) -> f64 {
    let odds = p / (1.0 - p);
    let mut term = point(k, n, p);
    let mut sum = term;
    let mut j = k;
    while j < n && term > sum * 1e-18 {
        term *= (n - j) as f64 / (j + 1) as f64 * odds;
        sum += term;
        j += 1;
    }
    sum
}

fn sum_down(k: u64, n: u64, p: f64) -> f64 {
    let odds = (1.0 - p) / p;
    let mut term = point(k, n, p);
    let mut sum = term;
    let mut j = k;
    while j > 0 && term > sum * 1e-18 {
        term *= j as f64 / (n - j + 1) as f64 * odds;
        sum += term;
        j -= 1;
    }
    sum
}

/// ln n! − ln(√(2πn) (n/e)^n), for n ≥ 1.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        // The factorial is exact.
        let mut factorial = 1.0f64;
        let mut i = 2.0;
        while i <= n {
            factorial *= i;
            i += 1.0;
        }
        return factorial.ln() - 0.5 * (TAU * n).ln() - n * n.ln() + n;
    }
    let square = 1.0 / (n * n);
    (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0))) / n
}

/// x ln(x/m) + m − x.
fn deviance(x: f64, m: f64) -> f64 {
    let difference = x - m;
    if difference.abs() >= 0.1 * (x + m) {
        return x * (x / m).ln() - difference;
    }
    // ln(x/m) = 2 artanh(v): the leading terms cancel on paper.
    let v = difference / (x + m);
    let mut sum = difference * v;
    let mut power = 2.0 * x * v;
    let mut odd = 1.0;
    loop {
        power *= v * v;
        odd += 2.0;
        let next = sum + power / odd;
        if next == sum {
            return sum;
        }
        sum = next;
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use num_rational::Ratio;
    use num_traits::{One, ToPrimitive, Zero};
    use privacy_testing::statistics::clopper_pearson;

    use super::*;

    /// Both tails in exact arithmetic.
    fn exact(k: u64, n: u64, (a, b): (u64, u64)) -> (f64, f64) {
        let p: Ratio<BigUint> = Ratio::new(a.into(), b.into());
        let q = Ratio::one() - &p;
        let mut term = (0..n).fold(Ratio::<BigUint>::one(), |product, _| product * &q);
        let (mut below, mut above) = (Ratio::zero(), Ratio::zero());
        for j in 0..=n {
            if j <= k {
                below += &term;
            }
            if j >= k {
                above += &term;
            }
            let next: Ratio<BigUint> = Ratio::new((n - j).into(), (j + 1).into());
            term = term * next * &p / &q;
        }
        let float = |x: Ratio<BigUint>| ((x.numer() << 900u32) / x.denom()).to_f64().unwrap();
        (float(below) * 2f64.powi(-900), float(above) * 2f64.powi(-900))
    }

    #[test]
    fn tails_agree_with_exact_sums() {
        for (n, p) in [(1, (1, 3)), (7, (1, 2)), (40, (1, 1000)), (200, (9, 10)), (300, (1, 5))] {
            let float = p.0 as f64 / p.1 as f64;
            for k in (0..=n).step_by(1 + n as usize / 20) {
                let (below, above) = exact(k, n, p);
                for (ours, exact) in
                    [(lower_tail(k, n, float), below), (upper_tail(k, n, float), above)]
                {
                    assert!((ours - exact).abs() <= 1e-12 * exact, "{k} of {n}: {ours} {exact}");
                }
            }
        }
    }

    #[test]
    fn bounds_agree_with_the_beta_quantiles_and_lie_outside_them() {
        for (k, n) in [(0, 10), (10, 10), (3, 10), (1, 1_000_000), (300_000, 1_000_000), (77, 500)]
        {
            for alpha in [0.05, 1e-6, 1e-12] {
                let (low, high) = clopper_pearson(k, n, 2.0 * alpha);
                let ours = (probability_at_least(k, n, alpha), probability_at_most(k, n, alpha));
                assert!((ours.0 - low).abs() <= 1e-6 * low, "{k}/{n}: {} {low}", ours.0);
                assert!((1.0 - ours.1 - (1.0 - high)).abs() <= 1e-6 * high, "{} {high}", ours.1);
            }
        }
    }

    #[test]
    fn bounds_hold_their_level() {
        // For every truth, the exact chance that a bound is wrong is at most alpha.
        let (n, alpha) = (60, 0.01);
        let low: Vec<f64> = (0..=n).map(|k| probability_at_least(k, n, alpha)).collect();
        let high: Vec<f64> = (0..=n).map(|k| probability_at_most(k, n, alpha)).collect();
        for p in (1..400).map(|i| f64::from(i) / 400.0) {
            let mass = |wrong: &dyn Fn(usize) -> bool| {
                (0..=n).filter(|&k| wrong(k as usize)).map(|k| point(k, n, p)).sum::<f64>()
            };
            assert!(mass(&|k| low[k] > p) <= alpha);
            assert!(mass(&|k| high[k] < p) <= alpha);
        }
    }

    #[test]
    fn large_tails_are_fast_and_not_empty() {
        let tail = upper_tail(505_000, 1_000_000, 0.5);
        // Ten standard deviations.
        assert!((tail / 7.6e-24 - 1.0).abs() < 0.05, "{tail:e}");
    }
}
