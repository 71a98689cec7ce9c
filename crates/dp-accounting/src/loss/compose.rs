//! Composition on a grid by fast Fourier transform, with a certified error.
//!
//! The masses are tilted by `e^(theta y)` and normalized before they are transformed, so that the
//! losses the question is about carry mass of order one and the transform's round-off, which is
//! relative to the largest mass, is small against them; the result is read in tilted form.
//!
//! **Error.** For length N the computed transform has relative L2 error at most `eta(N)`, proved in
//! `transform`. Every coefficient is then off by at most
//! `tau = eta sqrt(N) |w|_2`, the k-th power by `k tau (|f| + tau)^(k-1)` plus its own rounding,
//! and every composed cell by the mean of that over the spectrum, plus `eta` times the L2 norm of
//! the result for the way back. The bound is added to (subtracted from) every cell.
//!
//! **Wrap-around.** Composition is cyclic: the cell at grid point j of the window holds the tilted
//! mass of all points j + m N, m any whole number, once each. Let W = N h be the window's width, K(t)
//! the logarithm of the moment `sum p e^(t y)` of the whole composition, which is exact for the grid
//! but for a bounded rounding, and g(y) what one unit of tilted mass at y adds to the hockey stick
//! at epsilon: nothing at or below epsilon, `e^(-theta y) (1 - e^(epsilon - y))` above.
//!
//! An upper bound keeps all of it, since masses are not negative: mass from below the window only
//! raises the bound, and so does the image of what lies above. What lies above has itself to be
//! counted, and goes to infinity: by Markov's inequality its P-mass is at most
//! `e^(K(t) - t high)`, t = theta + lift. An answer below the window is not given unless nothing
//! lies below it.
//!
//! A lower bound subtracts what may have been wrapped into it:
//!
//! * From above (m > 0) only what lies above `epsilon + W` is read above epsilon. Its tilted mass is
//!   at most `e^(K(theta + lift) - K(theta) - lift (epsilon + W))`, and counts with the largest g.
//! * From below (m < 0), tilted mass at y is read at `y + |m| W`, where g is at most
//!   `e^(-theta (y + |m| W))`: as a P-mass `e^(-theta |m| W)` times what it is. All such y are at
//!   least `low - |m| W`, so that for any t from 0 to theta the P-mass read at m is at most
//!   `e^(K(t) - t low - (theta - t) |m| W)`, and all of them together
//!   `e^(K(t) - t low - (theta - t) W) / (1 - e^(-(theta - t) W))`. Alternatively, the tilted mass
//!   below the window, `e^(K(theta - drop) - K(theta) + drop low)`, counts with the largest g. Both
//!   bound the same, and the smaller is taken.
//!
//! This rests on three things: masses on the grid are not negative; the moments are taken of the
//! very masses that are transformed; and no bound assumes that theta, lift, drop or the window were
//! chosen well, only that `0 <= drop`, `0 <= lift` and that `high - low` is no more than W.

use super::composed::Composed;
use super::discretize::{Grid, Side};
use super::tilt::Sight;
use super::transform::{Spectrum, relative_error};
use crate::numeric::U;

/// Coefficients below this exponent count as zero.
const VANISHED: f64 = -100.0;

/// `ln sum p e^(theta y)`; `-inf` without mass.
pub(super) fn log_moment(grid: &Grid, theta: f64) -> f64 {
    let anchor = |stride: usize| {
        let last = grid.mass.len().saturating_sub(1);
        (0..grid.mass.len())
            .filter(|i| i % stride == 0 || *i == last)
            .filter(|i| grid.mass[*i] > 0.0)
            .map(|i| grid.mass[i].ln() + theta * grid.loss(i))
            .fold(f64::NEG_INFINITY, f64::max)
    };
    let with = |top: f64| {
        let term = |(i, mass): (usize, &f64)| mass * (theta * grid.loss(i) - top).exp();
        grid.mass.iter().enumerate().filter(|(_, mass)| **mass > 0.0).map(term).sum::<f64>()
    };
    // A sample of the cells is anchor enough, unless it misses what matters.
    let top = anchor(16);
    if top.is_finite() {
        let sum = with(top);
        if sum.is_finite() && sum > 0.0 {
            return top + sum.ln();
        }
    }
    let top = anchor(1);
    if top == f64::NEG_INFINITY { top } else { top + with(top).ln() }
}

/// Bound on the rounding error of [`log_moment`].
fn log_moment_error(grid: &Grid, theta: f64, value: f64) -> f64 {
    let reach = grid.loss(0).abs().max(grid.loss(grid.mass.len() - 1).abs());
    U * (8.0 * (theta.abs() * reach + value.abs()) + 4.0 * grid.mass.len() as f64 + 16.0)
}

/// Composes grids of one step, each as often as its count says.
pub(super) fn compose(parts: &[(Grid, u64)], side: Side, sight: &Sight, length: usize) -> Composed {
    let step = parts.first().map_or(1.0, |(grid, _)| grid.step);
    let half = length / 2 + 1;
    let eta = relative_error(length);
    let theta = sight.theta;

    let mut spectrum = Spectrum { re: vec![1.0; half], im: vec![0.0; half] };
    // Per coefficient: ln of the product of (|f| + 2 tau)^k, and sum of k tau / (|f| + 2 tau).
    let mut log_size = vec![0.0f64; half];
    let mut drift = vec![0.0f64; half];
    let (mut log_norm, mut offset, mut slack, mut relative) = (0.0, 0.0, 0.0, 0.0);
    let mut log_infinity = 0.0;
    let (mut log_high, mut log_low) = (0.0, 0.0);
    let (mut highest, mut lowest) = (0.0, 0.0);
    let mut total_count = 0.0;
    let mut buffer = vec![0.0f64; length];
    for (grid, count) in parts {
        let k = *count as f64;
        total_count += k;
        let norm = log_moment(grid, theta);
        if norm == f64::NEG_INFINITY {
            // All of the mass is at infinity (upper) or nowhere (lower).
            return Composed::empty(side, step, log_infinity + k * (-grid.infinity).ln_1p());
        }
        let reach = grid.loss(0).abs().max(grid.loss(grid.mass.len() - 1).abs());
        let weight_error = U * (8.0 * (theta * reach + norm.abs()) + 16.0);
        log_norm += k * norm;
        offset += k * grid.offset;
        slack += k * grid.slack * 1.001;
        relative += k * weight_error * 1.001;
        log_infinity += k * (-grid.infinity.min(1.0)).ln_1p();
        highest += k * grid.loss(grid.mass.len() - 1);
        lowest += k * grid.loss(0);
        for (log, tilt) in [(&mut log_high, theta + sight.lift), (&mut log_low, theta - sight.drop)]
        {
            let value = log_moment(grid, tilt);
            *log += k * (value + log_moment_error(grid, tilt, value));
        }

        buffer.fill(0.0);
        let mut square = 0.0;
        for (i, &mass) in grid.mass.iter().enumerate() {
            if mass > 0.0 {
                let weight = mass * (theta * grid.loss(i) - norm).exp();
                let weight = match side {
                    Side::Upper => weight.max(1e-300),
                    Side::Lower | Side::Floor => weight,
                };
                let index = (grid.first + i as i64).rem_euclid(length as i64) as usize;
                buffer[index] += weight;
                square += weight * weight;
            }
        }
        // Wrapped cells add up; the norm of a sum is at most the sum of norms.
        let wraps = (grid.mass.len() / length + 1) as f64;
        let tau = eta * (length as f64 * square * wraps).sqrt() + f64::MIN_POSITIVE;
        let coefficients = Spectrum::of(&buffer);
        for j in 0..half {
            let value = (coefficients.re[j], coefficients.im[j]);
            let size = (value.0 * value.0 + value.1 * value.1).sqrt() + 2.0 * tau;
            log_size[j] += k * (size.ln() + 4.0 * U);
            drift[j] += k * tau / size;
            let total = if log_size[j] < VANISHED {
                (0.0, 0.0)
            } else {
                product((spectrum.re[j], spectrum.im[j]), power(value, *count))
            };
            (spectrum.re[j], spectrum.im[j]) = total;
        }
    }

    // Mean over the spectrum of the coefficients' errors; interior coefficients stand for two.
    let rounding = 8.0 * U * (total_count + 4.0);
    let mut error = 0.0;
    let mut square = 0.0;
    for j in 0..half {
        let twice = if j == 0 || j + 1 == half { 1.0 } else { 2.0 };
        let log = log_size[j];
        if log < VANISHED + 4.0 {
            // Perhaps set to zero above; its own size and its error are both below this. (Where
            // later factors, at most 1 + 3 tau each, have raised it by more than e^4, `drift`
            // exceeds 1 and covers all of it.)
            error += twice * 2.1e-42 * (1.0 + drift[j] + rounding);
            continue;
        }
        let size = (log + U * 4.0 * log.abs()).exp();
        error += twice * size * (drift[j] * 1.01 + rounding);
        square += twice * (spectrum.re[j] * spectrum.re[j] + spectrum.im[j] * spectrum.im[j]);
    }
    let count = length as f64;
    let mut cell_error = error / count * (1.0 + count * U);
    let mut buffer = spectrum.into_values();
    cell_error += eta * (square / count).sqrt() + f64::MIN_POSITIVE;

    let first = ((sight.low - offset) / step).floor();
    let shift = (first as i64).rem_euclid(length as i64) as usize;
    buffer.rotate_left(shift);
    let low = offset + first * step;
    let high = low + (length - 1) as f64 * step;
    slack += 4.0 * U * (offset.abs() + low.abs().max(high.abs()) + first.abs() * step);
    let top = (theta + sight.lift) * high;
    // Nothing lies beyond the ends of the support.
    let (open_above, open_below) = (highest > high - 0.5 * step, lowest < low + 0.5 * step);
    let beyond = if open_above {
        (log_high - top + 8.0 * U * (log_high.abs() + top.abs())).exp()
    } else {
        0.0
    };
    let mut infinity = -log_infinity.exp_m1();
    let unbounded = infinity;
    match side {
        Side::Upper => infinity = infinity * (1.0 + 1e-12) + beyond * (1.0 + 1e-12),
        Side::Lower | Side::Floor => {
            infinity = if infinity < 1e-290 { 0.0 } else { infinity * (1.0 - 1e-12) };
        }
    }
    let above = log_high - log_norm - sight.lift * high;
    let below = log_low - log_norm + sight.drop * low;
    let room = 16.0 * U * (log_high.abs() + log_low.abs() + log_norm.abs() + top.abs());
    let part = |open: bool, log: f64| if open { (log + room).exp() * 1.001 } else { 0.0 };
    let wrapped_above = part(open_above, above);
    let wrapped_below = part(open_below, below);
    // A window of `length` cells is wider than from its first to its last loss.
    let (fall, log) = if sight.drop < theta { (sight.drop, log_low) } else { (theta, 0.0) };
    let turn = -fall * (high - low);
    let wrapped_far = part(open_below, log - log_norm + fall * low + turn - (-turn.exp()).ln_1p());
    let far = low.abs().max(high.abs());
    relative += U * (8.0 * (log_norm.abs() + theta * far) + 8.0 * count + 64.0);
    // A grid loss that is off by the slack is tilted by that much too.
    relative += theta * slack;
    Composed {
        side,
        step,
        low,
        mass: buffer,
        cell_error,
        theta,
        log_norm,
        infinity,
        unbounded,
        wrapped_above,
        wrapped_below,
        wrapped_far,
        lift: sight.lift,
        slack,
        complete: !open_below,
        relative,
    }
}

fn product(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

/// `value^k` by repeated squaring.
fn power(value: (f64, f64), k: u64) -> (f64, f64) {
    let (mut base, mut rest) = (value, k);
    let mut result = (1.0, 0.0);
    while rest > 0 {
        if rest & 1 == 1 {
            result = product(result, base);
        }
        rest >>= 1;
        if rest > 0 {
            base = product(base, base);
        }
    }
    result
}
