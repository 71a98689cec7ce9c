//! The curves of amplification: what sampling, allocation and selection do to a guarantee.

use crate::error::{Result, positive};
use crate::numeric::{U, ln_factorial, log_sum_exp, up};
use crate::renyi::RenyiCurve;

/// `ln(1 + q (e^epsilon - 1))`, rounded up (Balle, Barthe, Gaboardi 2018,
/// <https://arxiv.org/abs/1807.01647>).
pub(crate) fn amplified(epsilon: f64, rate: f64) -> f64 {
    if epsilon == 0.0 || rate == 0.0 {
        return 0.0;
    }
    let value = if epsilon < 600.0 {
        (rate * epsilon.exp_m1()).ln_1p()
    } else {
        epsilon + (rate + (-epsilon).exp() * (1.0 - rate)).ln()
    };
    up(value, U * (16.0 + 4.0 * epsilon / value.abs().clamp(1e-300, 1e300))).min(epsilon)
}

/// Gaussian noise in each of `steps` steps, every record in exactly one of them.
///
/// Removal, at whole orders: with P the even mixture over the step and Q no record, the moment is
/// `steps^-a` times the coefficient `a! [z^a] (sum_k e^((k^2-k)/(2 s^2)) z^k / k!)^steps`, all
/// terms positive ([Feldman, Shenfeld 2025](https://arxiv.org/abs/2502.08202), Section 4.2).
/// Addition: by Jensen's inequality the loss is at most the Gaussian
/// `-(1/steps) sum_i (2 x_i - 1)/(2 s^2)`, of divergence `1/(2 s^2) + (a - 1)/(2 steps s^2)`.
pub(crate) fn random_allocation(noise_multiplier: f64, steps: u64) -> Result<RenyiCurve> {
    let s = positive("noise_multiplier", noise_multiplier)?;
    let plain = RenyiCurve::gaussian(s)?;
    if steps == 1 {
        return Ok(plain);
    }
    const LARGEST: usize = 64;
    let half = 0.5 / s / s;
    let term = |k: usize| (k * k - k) as f64 * half - ln_factorial(k as u64);
    let base: Vec<f64> = (0..=LARGEST).map(term).collect();
    let power = log_power(&base, steps);
    let log_steps = (steps as f64).ln();
    let log_moment = |a: usize| -> f64 {
        if a <= 1 {
            return 0.0;
        }
        let value = power[a] + ln_factorial(a as u64) - a as f64 * log_steps;
        let size =
            power[a].abs() + ln_factorial(a as u64) + a as f64 * (log_steps + a as f64 * half);
        (value + 64.0 * U * (size + 1.0) * (steps as f64).log2().max(1.0)).max(0.0)
    };
    let n = steps as f64;
    Ok(RenyiCurve::from_bound(|order| {
        let floor = order.floor() as usize;
        let remove = if floor >= LARGEST {
            f64::INFINITY
        } else {
            // (a - 1) divergence is convex in a.
            let fraction = order.fract();
            (1.0 - fraction) * log_moment(floor) + fraction * log_moment(floor + 1)
        };
        let add = half + (order - 1.0) * half / n;
        let bound = up(remove / (order - 1.0), 8.0 * U).max(up(add, 8.0 * U));
        // Taking part in one step is no worse than being the only record in the only step.
        if bound.is_nan() { f64::INFINITY } else { bound.min(up(order * half, 4.0 * U)) }
    }))
}

/// The power of a polynomial with positive coefficients, given and returned as logarithms.
fn log_power(base: &[f64], times: u64) -> Vec<f64> {
    let degree = base.len();
    let multiply = |a: &[f64], b: &[f64]| -> Vec<f64> {
        (0..degree)
            .map(|n| {
                let terms: Vec<f64> = (0..=n).map(|k| a[k] + b[n - k]).collect();
                log_sum_exp(&terms)
            })
            .collect()
    };
    let mut result = vec![f64::NEG_INFINITY; degree];
    if let Some(constant) = result.first_mut() {
        *constant = 0.0;
    }
    let (mut square, mut rest) = (base.to_vec(), times);
    while rest > 0 {
        if rest & 1 == 1 {
            result = multiply(&result, &square);
        }
        rest >>= 1;
        if rest > 0 {
            square = multiply(&square, &square);
        }
    }
    result
}

/// Best of a random number of runs, truncated negative binomial with `shape` and `mean`:
/// [Papernot, Steinke 2022](https://arxiv.org/abs/2110.03620), their theorem on this distribution,
/// `d(a) + (1 + shape)(1 - 1/b) d(b) + (1 + shape) ln(1/gamma)/b + ln(mean)/(a - 1)` for any
/// orders `a > 1`, `b >= 1`.
pub(crate) fn repeat_and_select(run: &RenyiCurve, mean: f64, shape: f64) -> Result<RenyiCurve> {
    let gamma = parameter(mean, shape);
    let extra = 1.0 + shape;
    let second = run
        .points()
        .map(|(b, divergence)| extra * ((1.0 - 1.0 / b) * divergence - gamma.ln() / b))
        .fold(f64::INFINITY, f64::min);
    let log_mean = mean.ln();
    Ok(RenyiCurve::from_bound(|order| {
        let value = run.at(order) + second + log_mean / (order - 1.0);
        up(value, 32.0 * U)
    }))
}

/// The `gamma` at which the distribution has the given mean (or slightly more: rounded down).
fn parameter(mean: f64, shape: f64) -> f64 {
    if mean <= 1.0 {
        return 1.0;
    }
    let mean_at = |gamma: f64| {
        let log = -gamma.ln();
        if shape == 0.0 {
            (1.0 / gamma - 1.0) / log
        } else {
            shape * (1.0 - gamma) / (gamma * -(-shape * log).exp_m1())
        }
    };
    let (mut low, mut high) = (1e-300f64, 1.0f64 - 1e-12);
    for _ in 0..200 {
        let middle = if low / high < 0.25 { (low * high).sqrt() } else { 0.5 * (low + high) };
        if mean_at(middle) >= mean * (1.0 + 1e-12) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amplification_stays_between_zero_and_the_inner_cost() {
        for epsilon in [1e-300, 1e-9, 0.5, 30.0, 800.0, 1e300] {
            for rate in [0.0, 1e-300, 0.01, 0.999, 1.0] {
                let out = amplified(epsilon, rate);
                assert!((0.0..=epsilon).contains(&out), "{epsilon} {rate} {out}");
            }
        }
        assert!((amplified(1.0, 0.1) - (1.0 + 0.1 * 1f64.exp_m1()).ln()).abs() < 1e-14);
    }

    #[test]
    fn allocation_over_two_steps_matches_direct_integration() {
        // Order 2: E_Q (P/Q)^2 = mean over pairs of steps of e^([i = j]/s^2).
        let (s, t) = (1.3f64, 7u64);
        let curve = random_allocation(s, t).unwrap();
        let same = 1.0 / t as f64;
        let moment = same * (1.0 / (s * s)).exp() + 1.0 - same;
        let add = 0.5 / s / s + 0.5 / s / s / t as f64;
        assert!((curve.at(2.0) - moment.ln().max(add)).abs() < 1e-10);
        // One step is the plain mechanism.
        let plain = random_allocation(s, 1).unwrap();
        assert_eq!(plain, RenyiCurve::gaussian(s).unwrap());
    }

    #[test]
    fn the_mean_determines_the_distribution() {
        // Geometric: mean 1/gamma.
        assert!((parameter(10.0, 1.0) - 0.1).abs() < 1e-9);
    }
}
