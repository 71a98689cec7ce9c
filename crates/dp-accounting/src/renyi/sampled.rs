//! Rényi curves of Poisson-sampled mechanisms under add/remove adjacency.
//!
//! For the sampled Gaussian with rate q and noise multiplier s, the divergence of order a is
//! `ln A / (a - 1)`, `A` the mean under N(0, s^2) of `z^a`, `z = 1 - q + q e^((2x - 1)/(2 s^2))`
//! ([Mironov, Talwar, Zhang 2019](https://arxiv.org/abs/1908.10530), who also show that the removal
//! direction is the larger one). `A - 1` is computed, never `A`, so that small rates keep their
//! digits:
//!
//! * whole orders: the binomial sum less its first two terms, all of one sign;
//! * other orders: the trapezoidal rule on the non-negative integrand `z^a - 1 - a (z - 1)`, which
//!   is analytic in a strip. Its error on the strip of half-width d with step h is at most
//!   `2 M / (e^(2 pi d / h) - 1)`, M the integral of the modulus on the strip's edge
//!   ([Trefethen, Weideman 2014](https://doi.org/10.1137/130932132), Theorem 5.1), and that bound
//!   is added.

use std::f64::consts::PI;
use std::sync::Arc;

use super::curve::{RenyiCurve, default_orders};
use crate::error::{Result, out_of_range, positive, probability};
use crate::numeric::{U, ln_binomial, ln_factorial, log_add_exp, log_sum_exp, normal_tail, up};

/// Below this noise multiplier (where the integrand overflows) orders between two whole
/// ones are bounded by the chord instead: `(a - 1) divergence` is convex in `a`.
const QUADRATURE_MIN_NOISE: f64 = 0.7;

impl RenyiCurve {
    /// Gaussian noise of `noise_multiplier` standard deviations per record's L2 contribution, on a
    /// Poisson sample: each record takes part independently with probability `rate`.
    ///
    /// # Privacy
    ///
    /// Add/remove adjacency; Mironov, Talwar, Zhang 2019 (<https://arxiv.org/abs/1908.10530>).
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless the multiplier is finite and above 0 and `rate` is a probability.
    pub fn sampled_gaussian(noise_multiplier: f64, rate: f64) -> Result<Self> {
        let s = positive("noise_multiplier", noise_multiplier)?;
        let q = probability("rate", rate)?;
        if q == 0.0 {
            return Ok(RenyiCurve::zero());
        }
        let plain = RenyiCurve::gaussian(s)?;
        if q >= 1.0 {
            return Ok(plain);
        }
        let orders = default_orders();
        let whole = WholeOrders::new(s, q, 1024);
        let real = if s >= QUADRATURE_MIN_NOISE {
            let wanted: Vec<f64> =
                orders.iter().copied().filter(|a| *a < 11.0 && a.fract() != 0.0).collect();
            quadrature(s, q, &wanted)
        } else {
            Vec::new()
        };
        let mut real = real.into_iter();
        let ln_a = |order: f64, real: &mut dyn Iterator<Item = f64>| {
            if order.fract() == 0.0 {
                return whole.ln_a(order as u64);
            }
            let (floor, fraction) = (order.floor(), order.fract());
            match real.next() {
                Some(value) => value,
                None => {
                    let (low, high) = (whole.ln_a(floor as u64), whole.ln_a(floor as u64 + 1));
                    up((1.0 - fraction) * low + fraction * high, 4.0 * U)
                }
            }
        };
        let divergences = orders
            .iter()
            .zip(plain.points())
            .map(|(&order, (_, cap))| {
                let value = up(ln_a(order, &mut real) / (order - 1.0), 4.0 * U);
                if value.is_nan() { cap } else { value.min(cap) }
            })
            .collect();
        Ok(RenyiCurve::from_values(orders, divergences))
    }

    /// Any mechanism with this curve, on a Poisson sample: each record takes part independently
    /// with probability `rate`.
    ///
    /// # Privacy
    ///
    /// Add/remove adjacency; the general upper bound of
    /// [Zhu, Wang 2019](https://proceedings.mlr.press/v97/zhu19c.html), whole orders; between them the chord, beyond them nothing.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `rate` is a probability and the curve has the default orders.
    pub fn poisson_sampled(&self, rate: f64) -> Result<Self> {
        let q = probability("rate", rate)?;
        if self.orders() != &default_orders() {
            return Err(out_of_range("orders", self.orders().len() as f64, "the default orders"));
        }
        if q == 0.0 {
            return Ok(RenyiCurve::zero());
        }
        if q >= 1.0 {
            return Ok(self.clone());
        }
        let log_a = |a: u64| self.sampled_log_moment(q, a);
        let orders = Arc::clone(self.orders());
        let values = self
            .points()
            .map(|(order, cap)| {
                let floor = order.floor() as u64;
                let bound = if order.fract() == 0.0 {
                    log_a(floor)
                } else {
                    let low = if floor <= 1 { 0.0 } else { log_a(floor) };
                    let fraction = order.fract();
                    (1.0 - fraction) * low + fraction * log_a(floor + 1)
                };
                let value = up(bound / (order - 1.0), 8.0 * U);
                // Sampling first never costs more than not sampling.
                if value.is_nan() { cap } else { value.max(0.0).min(cap) }
            })
            .collect();
        Ok(RenyiCurve::from_values(orders, values))
    }

    /// Zhu and Wang's bound on `(a - 1) divergence` at a whole order `a >= 2`.
    fn sampled_log_moment(&self, q: f64, a: u64) -> f64 {
        let (ln_q, ln_keep) = (q.ln(), (-q).ln_1p());
        let mut terms = Vec::new();
        let mut size = 0.0f64;
        // The mean of the binomial weights is 1; what exceeds it is summed, all of one sign.
        for l in 2..=a {
            let divergence = self.at(l as f64);
            let exponent = (l - 1) as f64 * divergence;
            if exponent.is_infinite() {
                return f64::INFINITY;
            }
            let weight = ln_binomial(a, l) + (a - l) as f64 * ln_keep + l as f64 * ln_q;
            // weight (c e^exponent - 1), with c = 1 for l = 2 and 3 above.
            let growth = if l == 2 { exponent.exp_m1().ln() } else { ln_triple_less_one(exponent) };
            if growth > f64::NEG_INFINITY {
                terms.push(weight + growth);
            }
            size = size.max(exponent + ln_factorial(a) - a as f64 * (ln_q + ln_keep));
        }
        let excess = log_sum_exp(&terms) + 32.0 * U * (size + a as f64 + 4.0);
        log_add_exp(0.0, excess)
    }
}

/// `ln(3 e^x - 1)` for `x >= 0`.
fn ln_triple_less_one(x: f64) -> f64 {
    x + (3.0 - (-x).exp()).ln()
}

/// `ln A` at whole orders, from the binomial sum.
struct WholeOrders {
    ln_q: f64,
    ln_keep: f64,
    /// `ln(e^((k^2 - k)/(2 s^2)) - 1)` for k = 0, 1, 2, ...
    growth: Vec<f64>,
}

impl WholeOrders {
    fn new(s: f64, q: f64, largest: u32) -> Self {
        let growth = (0..=largest)
            .map(|k| {
                let k = f64::from(k);
                let v = 0.5 * (k * k - k) / s / s;
                if v > 0.0 { v + (-(-v).exp_m1()).ln() } else { f64::NEG_INFINITY }
            })
            .collect();
        WholeOrders { ln_q: q.ln(), ln_keep: (-q).ln_1p(), growth }
    }

    /// `ln A`, rounded up; order 1 gives 0.
    fn ln_a(&self, order: u64) -> f64 {
        if order <= 1 {
            return 0.0;
        }
        let terms: Vec<f64> = (2..=order)
            .map(|k| {
                let weight = ln_binomial(order, k)
                    + (order - k) as f64 * self.ln_keep
                    + k as f64 * self.ln_q;
                weight + self.growth.get(k as usize).copied().unwrap_or(f64::INFINITY)
            })
            .collect();
        let size = ln_factorial(order) - order as f64 * (self.ln_q + self.ln_keep)
            + self.growth.get(order as usize).map_or(0.0, |v| v.abs());
        let excess = log_sum_exp(&terms) + 16.0 * U * (size + order as f64);
        up(log_add_exp(0.0, excess), 4.0 * U)
    }
}

/// `ln A` at the given orders (all below 11), rounded up.
fn quadrature(s: f64, q: f64, orders: &[f64]) -> Vec<f64> {
    const EXPONENT: f64 = 60.0;
    let variance = s * s;
    // The half-width keeps the exponential's phase below a right angle, where |z(x + id)| <= z(x).
    let half_width = (0.5 * PI * variance).min(6.0 * s);
    let edge = 0.5 * half_width * half_width / variance;
    let step = 2.0 * PI * half_width / (EXPONENT + edge);
    let largest = orders.iter().copied().fold(1.0, f64::max);
    let reach = s * (2.0 * (EXPONENT + 0.5 * (largest * largest - largest) / variance)).sqrt();
    let (first, last) = (-reach, largest + reach);
    let count = ((last - first) / step).ceil() as usize;

    let mut sums = vec![0.0f64; orders.len()];
    let mut rounding = vec![0.0f64; orders.len()];
    let scale = step / (s * (2.0 * PI).sqrt());
    for i in 0..=count {
        let x = first + i as f64 * step;
        let weight = scale * (-0.5 * x * x / variance).exp();
        let w = q * ((2.0 * x - 1.0) / (2.0 * variance)).exp_m1();
        let ln_z = w.ln_1p();
        for ((sum, error), &order) in sums.iter_mut().zip(&mut rounding).zip(orders) {
            let power = (order * ln_z).exp_m1();
            let linear = order * w;
            *sum += weight * (power - linear).max(0.0);
            *error += weight * (power.abs() + linear.abs());
        }
    }
    let grid = 2.0 * (edge - 2.0 * PI * half_width / step).exp() * 1.01;
    orders
        .iter()
        .zip(sums.iter().zip(&rounding))
        .map(|(&order, (&sum, &error))| {
            // Exponents of size E carry E ulp: the weights' is at most reach^2/(2 variance), and
            // the power's at most order * ln z.
            let size = 0.5 * last * last / variance + count as f64;
            let modulus = sum + 1.0 + 4.0 * order;
            let outside = normal_tail(reach / s)
                * ((0.5 * (order * order - order) / variance).exp() + order + 1.0);
            let excess = sum * (1.0 + 8.0 * U * size) + 16.0 * U * error + grid * modulus + outside;
            up(excess.ln_1p(), 4.0 * U)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractional_orders_match_high_precision_values() {
        // Mironov, Talwar, Zhang's signed series in 40-digit arithmetic (facts of the field):
        // sigma 1.1, q 256/60000, order 2.5.
        let curve = RenyiCurve::sampled_gaussian(1.1, 256.0 / 60_000.0).unwrap();
        let value = curve.at(2.5);
        assert!((value / 2.935_807_028e-5 - 1.0).abs() < 1e-9, "{value:e}");
    }

    #[test]
    fn quadrature_and_binomial_sum_agree_at_whole_orders() {
        for (s, q) in [(0.7, 0.3), (1.0, 0.01), (1.1, 256.0 / 60_000.0), (4.0, 1e-4), (30.0, 0.5)] {
            let orders = [2.0, 3.0, 5.0, 10.0];
            let whole = WholeOrders::new(s, q, 16);
            for (order, value) in orders.iter().zip(quadrature(s, q, &orders)) {
                let exact = whole.ln_a(*order as u64);
                assert!((value / exact - 1.0).abs() < 1e-9, "{s} {q} {order}: {value:e} {exact:e}");
            }
        }
    }

    #[test]
    fn moments_are_convex_in_the_order_and_below_the_unsampled() {
        for (s, q) in [(0.7, 0.1), (0.8, 0.02), (2.0, 0.3), (1.1, 1e-7)] {
            let curve = RenyiCurve::sampled_gaussian(s, q).unwrap();
            let plain = RenyiCurve::gaussian(s).unwrap();
            let points: Vec<_> = curve.points().collect();
            for (point, (_, cap)) in points.iter().zip(plain.points()) {
                assert!(point.1 <= cap && point.1 >= 0.0);
            }
            for w in points.windows(3).take(95) {
                let [a, b, c] = [w[0], w[1], w[2]].map(|(o, d)| (o, d * (o - 1.0)));
                let chord = (a.1 * (c.0 - b.0) + c.1 * (b.0 - a.0)) / (c.0 - a.0);
                assert!(b.1 <= chord * (1.0 + 1e-9), "{s} {q} {}", b.0);
            }
        }
    }

    #[test]
    fn the_generic_bound_covers_the_gaussian() {
        for (s, q) in [(1.0, 0.01), (3.0, 0.2)] {
            let exact = RenyiCurve::sampled_gaussian(s, q).unwrap();
            let generic = RenyiCurve::gaussian(s).unwrap().poisson_sampled(q).unwrap();
            for ((order, a), (_, b)) in exact.points().zip(generic.points()) {
                assert!(b >= a * (1.0 - 1e-12), "{order} {a} {b}");
            }
        }
    }

    #[test]
    fn extreme_parameters_give_a_bound() {
        for s in [1e-150, 1e-3, 0.39, 0.41, 1e3, 1e150] {
            for q in [0.0, 5e-324, 1e-200, 1e-12, 0.5, 1.0 - 1e-16, 1.0] {
                let curve = RenyiCurve::sampled_gaussian(s, q).unwrap();
                assert!(curve.points().all(|(_, d)| d >= 0.0), "{s} {q}");
                let generic = RenyiCurve::laplace(s).unwrap().poisson_sampled(q).unwrap();
                assert!(generic.points().all(|(_, d)| d >= 0.0), "{s} {q}");
            }
        }
    }
}
