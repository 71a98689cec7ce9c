//! Composition on a grid by fast Fourier transform, with a certified error.
//!
//! The masses are tilted by `e^(theta y)` and normalized before they are transformed, so that the
//! losses the question is about carry mass of order one and the transform's round-off, which is
//! relative to the largest mass, is small against them; the result is read in tilted form.
//!
//! **Error.** For length N the computed transform has relative L2 error at most
//! `eta(N) = 24 u (log2 N + 4)` (Higham, *Accuracy and Stability of Numerical Algorithms*, Theorem
//! 24.2, gives about 7 u a level for radix 2; the rest is room for other radices, twiddle errors
//! and the real-to-complex pass). Every coefficient is then off by at most
//! `tau = eta sqrt(N) |w|_2`, the k-th power by `k tau (|f| + tau)^(k-1)` plus its own rounding,
//! and every composed cell by the mean of that over the spectrum, plus `eta` times the L2 norm of
//! the result for the way back. The bound is added to (subtracted from) every cell.
//!
//! **Wrap-around.** Composition is cyclic. Mass from below the window lands on larger losses, which
//! only raises an upper bound; P-mass above the window is bounded by Chernoff's inequality and
//! added to the mass at infinity. The lower bound subtracts what may have been wrapped into it.

use std::sync::{Arc, Mutex, OnceLock};

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex64;

use super::discretize::{Grid, Side};
use super::tilt::Sight;
use crate::numeric::U;

/// The composed loss, in tilted form: cell `j` stands for loss `low + j step` and P-mass
/// `mass[j] e^(log_norm - theta loss)`.
#[derive(Debug)]
pub(super) struct Composed {
    side: Side,
    step: f64,
    low: f64,
    mass: Vec<f64>,
    cell_error: f64,
    theta: f64,
    log_norm: f64,
    /// P-mass at infinity and, for an upper bound, beyond the window.
    infinity: f64,
    /// Tilted mass that may have been wrapped (lower bound).
    wrapped: f64,
    slack: f64,
    /// Relative error of everything that was multiplied.
    relative: f64,
}

type Plans = (Arc<dyn RealToComplex<f64>>, Arc<dyn ComplexToReal<f64>>);

fn plans(length: usize) -> Plans {
    static PLANNER: OnceLock<Mutex<RealFftPlanner<f64>>> = OnceLock::new();
    let planner = PLANNER.get_or_init(|| Mutex::new(RealFftPlanner::new()));
    let mut planner = match planner.lock() {
        Ok(guard) => guard,
        // A plan is only ever added whole.
        Err(poisoned) => poisoned.into_inner(),
    };
    (planner.plan_fft_forward(length), planner.plan_fft_inverse(length))
}

/// `ln sum p e^(theta y)`; `-inf` without mass.
fn log_moment(grid: &Grid, theta: f64) -> f64 {
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
    let (forward, inverse) = plans(length);
    let half = length / 2 + 1;
    let eta = 24.0 * U * ((length as f64).log2() + 4.0);
    let theta = sight.theta;

    let mut spectrum = vec![Complex64::new(1.0, 0.0); half];
    // Per coefficient: ln of the product of (|f| + 2 tau)^k, and sum of k tau / (|f| + 2 tau).
    let mut log_size = vec![0.0f64; half];
    let mut drift = vec![0.0f64; half];
    let (mut log_norm, mut offset, mut slack, mut relative) = (0.0, 0.0, 0.0, 0.0);
    let mut log_infinity = 0.0;
    let (mut log_high, mut log_low) = (0.0, 0.0);
    let mut total_count = 0.0;
    let mut buffer = vec![0.0f64; length];
    let mut scratch = forward.make_scratch_vec();
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
                    Side::Lower => weight,
                };
                let index = (grid.first + i as i64).rem_euclid(length as i64) as usize;
                buffer[index] += weight;
                square += weight * weight;
            }
        }
        // Wrapped cells add up; the norm of a sum is at most the sum of norms.
        let wraps = (grid.mass.len() / length + 1) as f64;
        let tau = eta * (length as f64 * square * wraps).sqrt() + f64::MIN_POSITIVE;
        let mut coefficients = vec![Complex64::new(0.0, 0.0); half];
        if forward.process_with_scratch(&mut buffer, &mut coefficients, &mut scratch).is_err() {
            return Composed::empty(side, step, f64::NEG_INFINITY);
        }
        for ((value, total), (log, sum)) in
            coefficients.iter().zip(&mut spectrum).zip(log_size.iter_mut().zip(&mut drift))
        {
            let size = value.norm_sqr().sqrt() + 2.0 * tau;
            *log += k * (size.ln() + 4.0 * U);
            *sum += k * tau / size;
            *total = if *log < -100.0 {
                Complex64::new(0.0, 0.0)
            } else {
                *total * power(*value, *count)
            };
        }
    }

    // Mean over the spectrum of the coefficients' errors; interior coefficients stand for two.
    let rounding = 8.0 * U * (total_count + 4.0);
    let mut error = 0.0;
    let mut square = 0.0;
    for (j, value) in spectrum.iter().enumerate() {
        let twice = if j == 0 || j + 1 == half { 1.0 } else { 2.0 };
        let log = log_size[j];
        if log < -100.0 {
            // Set to zero above; its own size and its error are both below this.
            error += twice * 4e-44 * (1.0 + drift[j] + rounding);
            continue;
        }
        let size = (log + U * 4.0 * log.abs()).exp();
        error += twice * size * (drift[j] * 1.01 + rounding);
        square += twice * value.norm_sqr();
    }
    let count = length as f64;
    let mut cell_error = error / count * (1.0 + count * U);
    // The last coefficient of an even-length real transform and the first are real.
    if let Some(value) = spectrum.first_mut() {
        value.im = 0.0;
    }
    if let Some(value) = spectrum.last_mut() {
        value.im = 0.0;
    }
    let mut scratch = inverse.make_scratch_vec();
    if inverse.process_with_scratch(&mut spectrum, &mut buffer, &mut scratch).is_err() {
        return Composed::empty(side, step, f64::NEG_INFINITY);
    }
    cell_error += eta * (square / count).sqrt() + f64::MIN_POSITIVE;

    let first = ((sight.low - offset) / step).floor();
    let shift = (first as i64).rem_euclid(length as i64) as usize;
    buffer.rotate_left(shift);
    let scale = 1.0 / count;
    for value in &mut buffer {
        *value *= scale;
    }
    let low = offset + first * step;
    let high = low + (length - 1) as f64 * step;
    slack += 4.0 * U * (offset.abs() + low.abs().max(high.abs()) + first.abs() * step);
    let top = (theta + sight.lift) * high;
    let beyond = (log_high - top + 8.0 * U * (log_high.abs() + top.abs())).exp();
    let mut infinity = -log_infinity.exp_m1();
    let mut wrapped = 0.0;
    match side {
        Side::Upper => infinity = infinity * (1.0 + 1e-12) + beyond * (1.0 + 1e-12),
        Side::Lower => {
            infinity = if infinity < 1e-290 { 0.0 } else { infinity * (1.0 - 1e-12) };
            let above = log_high - log_norm - sight.lift * high;
            let below = log_low - log_norm + sight.drop * low;
            let room = 16.0 * U * (log_high.abs() + log_low.abs() + log_norm.abs() + top.abs());
            wrapped = ((above + room).exp() + (below + room).exp()) * 1.001;
        }
    }
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
        wrapped,
        slack,
        relative,
    }
}

/// `value^k` by repeated squaring.
fn power(value: Complex64, k: u64) -> Complex64 {
    let (mut base, mut rest) = (value, k);
    let mut result = Complex64::new(1.0, 0.0);
    while rest > 0 {
        if rest & 1 == 1 {
            result *= base;
        }
        rest >>= 1;
        if rest > 0 {
            base *= base;
        }
    }
    result
}

impl Composed {
    fn empty(side: Side, step: f64, log_finite: f64) -> Self {
        let infinity = if side == Side::Upper { -log_finite.exp_m1() } else { 0.0 };
        Composed {
            side,
            step,
            low: 0.0,
            mass: Vec::new(),
            cell_error: 0.0,
            theta: 0.0,
            log_norm: 0.0,
            infinity,
            wrapped: 0.0,
            slack: 0.0,
            relative: 0.0,
        }
    }

    /// Mass of cell `j` on this bound's safe side.
    fn cell(&self, j: usize) -> f64 {
        match self.side {
            Side::Upper => (self.mass[j] + self.cell_error).max(0.0),
            Side::Lower => (self.mass[j] - self.cell_error).max(0.0),
        }
    }

    /// Walks down from the largest loss. `visit(loss, weight, delta, slope)` sees, for every cell,
    /// the scale `weight = e^(-theta (loss - anchor))`, the hockey stick at the cell's loss and
    /// `sum of p e^(loss - y)` over the losses at or above it, both scaled; it stops the walk by
    /// returning true.
    fn walk(&self, anchor: f64, mut visit: impl FnMut(f64, f64, f64, f64) -> bool) {
        const BLOCK: usize = 64;
        let fall = (-self.step).exp();
        let width = -(-self.step).exp_m1();
        let growth = (self.theta * self.step).exp();
        let (mut delta, mut slope) = (0.0f64, 0.0f64);
        // What would underflow is kept, on the upper side.
        let floor = if self.side == Side::Upper { 1e-300 } else { 0.0 };
        let mut weight = 0.0;
        for (steps, j) in (0..self.mass.len()).rev().enumerate() {
            let loss = self.low + j as f64 * self.step;
            // A weight that has underflowed would stay zero down to the cells that count, one about
            // to has no digits left to rely on, and an infinite growth cannot be carried on.
            if steps % BLOCK == 0 || weight < 1e-200 || !growth.is_finite() {
                weight = (-self.theta * (loss - anchor)).exp().max(floor);
            } else {
                weight *= growth;
            }
            // From the cell above: its slope, seen from here.
            delta += width * slope;
            slope = slope * fall + self.cell(j) * weight;
            if visit(loss, weight, delta, slope) {
                return;
            }
        }
    }

    /// The smallest loss of the grid above `y` (`y` itself outside of it), where the scale of
    /// [`Composed::walk`] is best anchored: cells can be so far apart that `e^(theta step)`
    /// overflows.
    fn anchor(&self, y: f64) -> f64 {
        let cell = ((y - self.low) / self.step).floor() + 1.0;
        if cell >= 0.0 && cell < self.mass.len() as f64 { self.low + cell * self.step } else { y }
    }

    /// The epsilon at `delta`, near `guess`: an upper bound (lower bound) of the exact one.
    pub(super) fn epsilon(&self, delta: f64, guess: f64) -> f64 {
        let rest = match self.side {
            Side::Upper => delta - self.infinity - delta * 4.0 * U,
            Side::Lower => delta - self.infinity + delta * 4.0 * U,
        };
        if rest <= 0.0 {
            return f64::INFINITY;
        }
        if self.mass.is_empty() {
            return 0.0;
        }
        let anchor = self.anchor(guess);
        let scale = self.log_norm - self.theta * anchor;
        let wanted = rest.ln() - scale;
        let target = match self.side {
            Side::Upper => (wanted - self.relative).exp() * (1.0 - 1e-12),
            Side::Lower => (wanted + self.relative).exp() * (1.0 + 1e-12),
        };
        if target.is_nan() || target == 0.0 {
            return if self.side == Side::Upper { f64::INFINITY } else { 0.0 };
        }
        let width = -(-self.step).exp_m1();
        let wrap = self.wrapped * self.overlap();
        let mut found = None;
        self.walk(anchor, |loss, weight, value, slope| {
            // The hockey stick one cell further down.
            let next = value + width * slope;
            let wrap = wrap * weight * (self.theta * self.step).exp();
            if next - wrap < target {
                return false;
            }
            let inside = ((target + wrap - value) / slope).clamp(0.0, width);
            let epsilon = loss + (-inside).ln_1p();
            // The answer lies within this cell, also where 1 - inside rounds to zero. (`max` would
            // hide a NaN, which must become infinity below.)
            found = Some(match self.side {
                Side::Upper if epsilon < loss - self.step => loss - self.step,
                _ => epsilon,
            });
            true
        });
        match (self.side, found) {
            (Side::Upper, Some(epsilon)) if epsilon.is_nan() => f64::INFINITY,
            (Side::Upper, found) => (found.unwrap_or(self.low) + self.slack).max(0.0).next_up(),
            // `max` turns a NaN into 0.
            (Side::Lower, found) => found.map_or(0.0, |epsilon| (epsilon - self.slack).max(0.0)),
        }
    }

    /// `max over t >= 0 of e^(-theta t) (1 - e^-t)`: what one unit of tilted mass can weigh.
    fn overlap(&self) -> f64 {
        let theta = self.theta;
        (-theta * (1.0 / theta.max(1e-300)).ln_1p()).exp() / (1.0 + theta) * (1.0 + 1e-12)
    }

    /// The delta at `epsilon`: an upper bound (lower bound) of the exact one.
    pub(super) fn delta(&self, epsilon: f64) -> f64 {
        let (epsilon, sign) = match self.side {
            Side::Upper => (epsilon - self.slack, 1.0),
            Side::Lower => (epsilon + self.slack, -1.0),
        };
        let mut scaled = 0.0f64;
        if self.side == Side::Upper && !self.mass.is_empty() && epsilon < self.low {
            // What lies between epsilon and the window is not known.
            return 1.0;
        }
        let mut last = (f64::NAN, 0.0, 0.0);
        let width = -(-self.step).exp_m1();
        let anchor = self.anchor(epsilon);
        self.walk(anchor, |loss, _, value, slope| {
            if loss <= epsilon {
                return true;
            }
            last = (loss, value, slope);
            let inside = -(epsilon - loss).exp_m1();
            scaled = value + inside.min(width) * slope;
            false
        });
        if !last.0.is_nan() && last.0 - epsilon > 1.5 * self.step {
            // The window starts above epsilon: every cell was seen.
            let inside = -(epsilon - last.0).exp_m1();
            scaled = if self.side == Side::Upper { last.1 + inside * last.2 } else { last.1 };
        }
        if scaled.is_nan() {
            return if self.side == Side::Upper { 1.0 } else { 0.0 };
        }
        if self.side == Side::Lower {
            // The overlap is that of a scale anchored at epsilon; no cell weighs more than 1.
            let lift = (self.theta * (anchor - epsilon).max(0.0)).exp();
            scaled -= self.wrapped * (self.overlap() * lift * (1.0 + 1e-9)).min(1.0);
        }
        let scale = self.log_norm - self.theta * anchor;
        let finite = if scaled > 0.0 {
            (scaled.ln() + scale + sign * (self.relative + 1e-13 + 8.0 * U * scale.abs())).exp()
        } else {
            0.0
        };
        match self.side {
            Side::Upper => (self.infinity + finite + f64::MIN_POSITIVE).min(1.0),
            Side::Lower => {
                let bound = (self.infinity + finite) * (1.0 - 4.0 * U) - f64::MIN_POSITIVE;
                // Also where it is not a number.
                if bound > 0.0 { bound.min(1.0) } else { 0.0 }
            }
        }
    }
}
