//! The exact law of a sum of equal discrete Gaussians.
//!
//! The sum of n discrete Gaussians of parameter σ² is nearly one of parameter nσ², but for small
//! σ² visibly not. Let integers with sum s have squares with sum s²/n + d². Adding 1 to each of
//! them adds n to s and leaves d alone, so
//!
//! ```text
//! P(sum = s) = exp(−s²/(2nσ²)) w(s mod n) / Σ,    w(r) = Σ exp(−d²/(2σ²))
//! ```
//!
//! with w over all integers x₁…xₙ of sum r. For two parts of the n, of a and b numbers,
//!
//! ```text
//! w(r) = Σ_x exp(−(x − ra/n)²/(2τ²)) w_a(x) w_b(r − x),    τ² = σ²ab/n
//! ```
//!
//! in which everything is positive: relative errors stay near those of a single operation.

/// Sums of more numbers are left to the bound that holds for all.
const MOST: u64 = 1024;

/// A term below the largest one by this factor of e is left out: all such are below 1e-26 of it.
const NEGLIGIBLE: f64 = 60.0;

/// The law of the sum of `weights.len()` discrete Gaussians.
pub(super) struct GaussianSum {
    /// 2nσ².
    twice_variance: f64,
    weights: Vec<f64>,
    normalization: f64,
}

impl GaussianSum {
    /// The sum of `n` noises of the parameter `sigma_squared`, if there are few enough.
    pub(super) fn new(sigma_squared: f64, n: u64) -> Option<Self> {
        let reasonable = sigma_squared > 1e-3 && sigma_squared < 1e3;
        if n == 0 || n > MOST || !reasonable {
            return None;
        }
        let weights = weights(sigma_squared, n as i64);
        let mut sum = GaussianSum {
            twice_variance: 2.0 * n as f64 * sigma_squared,
            weights,
            normalization: 1.0,
        };
        sum.normalization = sum.weight(0) + 2.0 * sum.weights_from(1);
        Some(sum)
    }

    /// P(sum >= m), within a relative error of 1e-11 if it is above 1e-290.
    pub(super) fn tail(&self, m: i128) -> f64 {
        if m >= 1 {
            self.weights_from(m) / self.normalization
        } else {
            1.0 - self.weights_from(1 - m) / self.normalization
        }
    }

    /// The weights of all sums from `m >= 1` on, added up from the smallest one.
    fn weights_from(&self, m: i128) -> f64 {
        // Within this distance the exponent falls by `NEGLIGIBLE`; the other factor has period n.
        let from = m as f64;
        let reach = (from * from + self.twice_variance * NEGLIGIBLE).sqrt() - from;
        let last =
            m.saturating_add(reach.ceil() as i128).saturating_add(self.weights.len() as i128);
        (m..=last).rev().map(|s| self.weight(s)).sum()
    }

    fn weight(&self, s: i128) -> f64 {
        let class = s.rem_euclid(self.weights.len() as i128) as usize;
        let s = s as f64;
        (-s * s / self.twice_variance).exp() * self.weights.get(class).copied().unwrap_or(0.0)
    }
}

/// w(0), …, w(n − 1): two halves, joined, and one more if n is odd.
fn weights(sigma_squared: f64, n: i64) -> Vec<f64> {
    if n == 1 {
        return vec![1.0];
    }
    let half = weights(sigma_squared, n / 2);
    let joined = join(sigma_squared, &half, &half);
    if n % 2 == 0 { joined } else { join(sigma_squared, &joined, &[1.0]) }
}

fn join(sigma_squared: f64, one: &[f64], other: &[f64]) -> Vec<f64> {
    let (a, b) = (one.len() as i64, other.len() as i64);
    let n = a + b;
    // exp(−(nx − ra)²/(2σ²abn)).
    let scale = 2.0 * sigma_squared * (a * b * n) as f64;
    let reach = (scale * NEGLIGIBLE).sqrt() / n as f64 + 1.0;
    let weight_of = |r: i64| {
        let middle = (r * a) as f64 / n as f64;
        let around = (middle - reach).floor() as i64..=(middle + reach).ceil() as i64;
        let term = |x: i64| {
            let off = (n * x - r * a) as f64;
            let of_one = one[x.rem_euclid(a) as usize];
            let of_other = other[(r - x).rem_euclid(b) as usize];
            (-off * off / scale).exp() * of_one * of_other
        };
        around.map(term).sum()
    };
    let weights: Vec<f64> = (0..n).map(weight_of).collect();
    // Only their ratios matter; w(0) is the largest.
    let largest = weights[0];
    weights.into_iter().map(|weight| weight / largest).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The masses of the sum of `n` noises cut off at `reach`, by convolution of exponentials: the sum
    /// s at place s + n reach.
    pub(in super::super) fn convolved(s2: f64, n: u64, reach: i64) -> Vec<f64> {
        let one: Vec<f64> =
            (-reach..=reach).map(|x| (-(x * x) as f64 / (2.0 * s2)).exp()).collect();
        let norm: f64 = one.iter().sum();
        let mut law = vec![1.0];
        for _ in 0..n {
            let mut next = vec![0.0; law.len() + one.len() - 1];
            for (i, a) in law.iter().enumerate() {
                for (j, b) in one.iter().enumerate() {
                    next[i + j] += a * b / norm;
                }
            }
            law = next;
        }
        law
    }

    #[test]
    fn tails_are_those_of_the_convolution() {
        for s2 in [0.05, 0.4, 1.0, 2.3, 9.0] {
            for n in [1u64, 2, 3, 4, 5, 7, 8, 21] {
                let reach = 120i64;
                let law = convolved(s2, n, reach);
                let sum = GaussianSum::new(s2, n).unwrap();
                for m in -30i64..=60 {
                    let from = usize::try_from(m + n as i64 * reach).unwrap_or(0);
                    let truth: f64 = law.iter().skip(from).rev().sum();
                    let ours = sum.tail(m.into());
                    let close = (ours - truth).abs() <= 1e-12 * truth + 1e-290;
                    // Convolutions leave out masses beyond their reach.
                    assert!(close || truth < 1e-150, "{s2} {n} {m}: {ours} {truth}");
                }
            }
        }
    }

    #[test]
    fn sums_of_wide_noises_are_discrete_gaussians() {
        for n in [2u64, 100, 1024] {
            let sum = GaussianSum::new(20.0, n).unwrap();
            assert!(sum.weights.iter().all(|weight| (weight - 1.0).abs() < 1e-12), "{n}");
        }
        assert!(GaussianSum::new(1.0, 1025).is_none() && GaussianSum::new(1.0, 0).is_none());
    }
}
