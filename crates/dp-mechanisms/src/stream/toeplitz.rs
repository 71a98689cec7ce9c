//! The square root of the counting matrix as exact integers in bins, and its inverse at work.
//!
//! The prefix sums of x are A x, with A the lower triangle of ones. The matrix C with
//! C_(t,s) = c_(t-s), c_0 = 1, c_j = c_(j-1) (2j-1)/(2j), is its square root; noise on C x that is
//! then carried through A C⁻¹ has nearly the least possible error (Fichtenberger, Henzinger,
//! Upadhyay 2023, <https://arxiv.org/abs/2202.11205>).
//!
//! Here c is replaced by K / 2^24 with integers K that are constant on bins whose width grows with
//! the lag, which costs 0.02 % of error and makes a step as cheap as there are bins (Andersson
//! and Pagh 2024, "Streaming private continual counting via binning",
//! <https://arxiv.org/abs/2412.07093>). Any K would be private: sensitivity and error below are
//! those of K itself.

use std::f64::consts::PI;
use std::sync::{Mutex, PoisonError};

use num_bigint::BigUint;

/// Binary digits of the factor.
pub(super) const DIGITS: u32 = 24;
/// Lags with a bin of their own.
const EXACT: u64 = 16;
/// Bins in each doubling of the lag beyond.
const PER_DOUBLING: u64 = 8;

/// Lags `from..to` with the same factor K.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bin {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) factor: u64,
}

/// The factor K for a number of steps.
#[derive(Debug)]
pub(super) struct Factor {
    bins: Vec<Bin>,
    response: Mutex<Response>,
}

/// The first coefficients of A C⁻¹, summed up; as many as were asked for.
#[derive(Debug, Default)]
struct Response {
    /// Partial sums of the impulse response of C⁻¹: the coefficients of A C⁻¹, after a 0.
    sums: Vec<f64>,
    /// The sums of their squares and of their magnitudes.
    norms: Vec<(f64, f64)>,
}

impl Factor {
    pub(super) fn new(horizon: u64) -> Self {
        let mut bins = Vec::new();
        let (mut from, mut coefficient, mut least) = (0, 1.0, 1u64 << DIGITS);
        while from < horizon {
            let width = if from < EXACT { 1 } else { (from / PER_DOUBLING).max(1) };
            let to = (from + width).min(horizon);
            let mut sum = 0.0;
            for lag in from..to {
                sum += coefficient;
                coefficient *= (2 * lag + 1) as f64 / (2 * lag + 2) as f64;
            }
            let mean = sum / (to - from) as f64 * 2f64.powi(DIGITS as i32);
            // Not increasing whatever the rounding: the sensitivity below rests on it.
            least = (mean.round() as u64).clamp(1, least);
            bins.push(Bin { from, to, factor: least });
            from = to;
        }
        Factor { bins, response: Mutex::default() }
    }

    /// The bins; the first is that of lag 0.
    pub(super) fn bins(&self) -> &[Bin] {
        &self.bins
    }

    /// The largest squared L2 norm of K v over vectors v with at most `changed` entries that are
    /// not 0, each at most 1 in magnitude.
    ///
    /// The columns of K are not negative and do not increase below the diagonal, so that their
    /// inner products are the larger the smaller the lag between them and the earlier they start.
    /// For changed steps t_1 < t_2 < ... the lags are t_j - t_i >= j - i and the starts t_i >= i,
    /// hence the first `changed` steps, all changed by 1, attain the maximum.
    pub(super) fn squared_norm(&self, changed: u64) -> BigUint {
        let lags = || self.bins.iter().flat_map(|bin| (bin.from..bin.to).map(|_| bin.factor));
        if changed <= 1 {
            return self
                .bins
                .iter()
                .map(|b| BigUint::from(b.factor).pow(2) * (b.to - b.from))
                .sum();
        }
        // A window of `changed` entries moves over the first column. Its sum stays below 2^44.
        let mut leaving = lags();
        let (mut window, mut sum, mut part) = (0u64, BigUint::ZERO, 0u128);
        for (t, entering) in lags().enumerate() {
            window += entering;
            if t as u64 >= changed {
                window -= leaving.next().unwrap_or(0);
            }
            let square = u128::from(window) * u128::from(window);
            part = part.checked_add(square).unwrap_or_else(|| {
                sum += part;
                square
            });
        }
        sum + part
    }

    /// The L2 norm and the sum of magnitudes of the first `steps` coefficients of A C⁻¹: what the
    /// prefix after `steps` steps weighs the noise with.
    pub(super) fn response(&self, steps: u64) -> (f64, f64) {
        let mut response = self.response.lock().unwrap_or_else(PoisonError::into_inner);
        let Response { sums, norms } = &mut *response;
        if sums.is_empty() {
            sums.push(0.0);
        }
        while (norms.len() as u64) < steps {
            let t = norms.len() as u64;
            let carried: f64 = self
                .bins
                .iter()
                .skip(1)
                .take_while(|bin| bin.from <= t)
                .map(|bin| {
                    let newest = sums[(t + 1 - bin.from) as usize];
                    let oldest = sums[(t + 1).saturating_sub(bin.to) as usize];
                    bin.factor as f64 * (newest - oldest)
                })
                .sum();
            let impulse = if t == 0 { 1.0 } else { 0.0 };
            let next = sums[t as usize] + impulse - carried * 2f64.powi(-(DIGITS as i32));
            let (squares, magnitudes) = norms.last().copied().unwrap_or_default();
            sums.push(next);
            norms.push((squares + next * next, magnitudes + next.abs()));
        }
        let last = steps.checked_sub(1).and_then(|last| norms.get(last as usize));
        last.map_or((0.0, 0.0), |(squares, magnitudes)| (squares.sqrt(), *magnitudes))
    }
}

/// The error factor of the unbinned square root over `steps` steps: the standard deviation of the
/// last prefix, for noise σ and sensitivity 1 each taken as 1: the sum of the c_j².
///
/// Equals (ln n + 0.5772 + 4 ln 2)/π up to o(1).
///
/// # Example
///
/// ```
/// let factor = dp_mechanisms::stream::square_root_error_factor(1 << 10);
/// assert!((factor - 3.272554).abs() < 1e-6);
/// ```
#[must_use]
pub fn square_root_error_factor(steps: u64) -> f64 {
    let summed = steps.min(1 << 22);
    let (mut coefficient, mut sum) = (1.0f64, 0.0);
    for lag in 0..summed {
        sum += coefficient * coefficient;
        coefficient *= (2 * lag + 1) as f64 / (2 * lag + 2) as f64;
    }
    if steps > summed {
        // c_j² = (1/(π j)) (1 - 1/(4j) + ...), beyond 2^22 terms.
        sum += ((steps as f64 - 0.25) / (summed as f64 - 0.25)).ln() / PI;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The entries of the first column, one a lag.
    fn column(factor: &Factor) -> Vec<u64> {
        factor.bins.iter().flat_map(|b| (b.from..b.to).map(|_| b.factor)).collect()
    }

    #[test]
    fn the_known_error_factors_come_out() {
        assert!((square_root_error_factor(1 << 10) - 3.272554).abs() < 5e-7);
        assert!((square_root_error_factor(1 << 20) - 5.478988).abs() < 5e-7);
        let limit = |n: u64| ((n as f64).ln() + 0.577_215_664_9 + 4.0 * 2f64.ln()) / PI;
        for n in [1 << 22, (1 << 22) + 1, 1 << 30] {
            assert!((square_root_error_factor(n) - limit(n)).abs() < 1e-6);
        }
        assert_eq!(square_root_error_factor(0), 0.0);
    }

    #[test]
    fn bins_cover_each_lag_once_and_do_not_increase() {
        for horizon in [1, 2, 15, 16, 17, 1000, 100_000] {
            let factor = Factor::new(horizon);
            let mut next = 0;
            for bin in factor.bins() {
                assert_eq!(bin.from, next);
                next = bin.to;
            }
            assert_eq!(next, horizon);
            let column = column(&factor);
            assert_eq!(column[0], 1 << DIGITS);
            assert!(column.windows(2).all(|pair| pair[0] >= pair[1] && pair[1] > 0));
        }
    }

    #[test]
    fn binning_costs_next_to_nothing() {
        for power in [0, 4, 10, 14] {
            let n = 1u64 << power;
            let factor = Factor::new(n);
            let sensitivity =
                column(&factor).iter().map(|k| (*k as f64).powi(2)).sum::<f64>().sqrt();
            let ours = sensitivity * 2f64.powi(-(DIGITS as i32)) * factor.response(n).0;
            let ideal = square_root_error_factor(n);
            assert!(ours >= ideal * (1.0 - 1e-6) && ours < ideal * 1.0003, "{ours} {ideal}");
        }
    }

    #[test]
    fn the_norm_is_that_of_the_worst_neighbours() {
        // All vectors with entries -1, 0, 1 over 7 steps.
        for n in [1u32, 2, 5, 7] {
            let factor = Factor::new(n.into());
            let column = column(&factor);
            for changed in 1..=n {
                let mut worst = BigUint::ZERO;
                for code in 0..3u32.pow(n) {
                    let v: Vec<i64> =
                        (0..n).map(|i| i64::from(code / 3u32.pow(i) % 3) - 1).collect();
                    if v.iter().filter(|x| **x != 0).count() > changed as usize {
                        continue;
                    }
                    let norm: BigUint = (0..v.len())
                        .map(|t| (0..=t).map(|s| column[t - s] as i64 * v[s]).sum::<i64>())
                        .map(|y| BigUint::from(y.unsigned_abs()).pow(2))
                        .sum();
                    worst = worst.max(norm);
                }
                assert_eq!(factor.squared_norm(changed.into()), worst, "{n} {changed}");
            }
        }
        // And the long way round for a long window.
        let factor = Factor::new(3000);
        let column = column(&factor);
        let norm: BigUint = (0..3000usize)
            .map(|t| column[t.saturating_sub(99)..=t].iter().sum::<u64>())
            .map(|y| BigUint::from(y).pow(2))
            .sum();
        assert_eq!(factor.squared_norm(100), norm);
    }

    #[test]
    fn the_response_is_the_inverse() {
        let n = 300usize;
        let factor = Factor::new(n as u64);
        let column = column(&factor);
        // A C⁻¹ C = A: the coefficients convolved with the column give ones.
        let _ = factor.response(n as u64);
        let response = factor.response.lock().unwrap();
        for t in 0..n {
            let one: f64 = (0..=t).map(|j| response.sums[t - j + 1] * column[j] as f64).sum();
            assert!((one * 2f64.powi(-24) - 1.0).abs() < 1e-9, "{t}: {one}");
        }
    }
}
