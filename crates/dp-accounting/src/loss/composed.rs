//! A composed loss and what is read off it: epsilon at a delta, delta at an epsilon.

use super::discretize::Side;
use crate::numeric::U;

/// The composed loss, in tilted form: cell `j` stands for loss `low + j step` and P-mass
/// `mass[j] e^(log_norm - theta loss)`.
#[derive(Debug)]
pub(super) struct Composed {
    pub(super) side: Side,
    pub(super) step: f64,
    pub(super) low: f64,
    pub(super) mass: Vec<f64>,
    pub(super) cell_error: f64,
    pub(super) theta: f64,
    pub(super) log_norm: f64,
    /// P-mass at infinity and, for an upper bound, beyond the window.
    pub(super) infinity: f64,
    /// The part of it that is the mechanisms' own.
    pub(super) unbounded: f64,
    /// Tilted mass that may have been wrapped from above into the window; into
    /// what lies above `y`, it is `e^(-lift (y - low))` times that.
    pub(super) wrapped_above: f64,
    pub(super) lift: f64,
    /// Two bounds of what was wrapped from below: as tilted mass anywhere, and as if all of it were
    /// at the window's lower end.
    pub(super) wrapped_below: f64,
    pub(super) wrapped_far: f64,
    pub(super) slack: f64,
    /// No mass lies below the window.
    pub(super) complete: bool,
    /// Relative error of everything that was multiplied.
    pub(super) relative: f64,
}

impl Composed {
    pub(super) fn empty(side: Side, step: f64, log_finite: f64) -> Self {
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
            unbounded: infinity,
            wrapped_above: 0.0,
            lift: 0.0,
            wrapped_below: 0.0,
            wrapped_far: 0.0,
            slack: 0.0,
            complete: true,
            relative: 0.0,
        }
    }

    /// Drops the allowance for rounding and for what lies beyond the window: the result bounds
    /// nothing any more, but shows what the allowance costs.
    pub(super) fn forget_errors(&mut self) {
        self.cell_error = 0.0;
        self.infinity = self.unbounded;
    }

    /// Mass of cell `j` on this bound's safe side.
    fn cell(&self, j: usize) -> f64 {
        match self.side {
            Side::Upper => (self.mass[j] + self.cell_error).max(0.0),
            Side::Lower | Side::Floor => (self.mass[j] - self.cell_error).max(0.0),
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
            Side::Lower | Side::Floor => delta - self.infinity + delta * 4.0 * U,
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
            Side::Lower | Side::Floor => (wanted + self.relative).exp() * (1.0 + 1e-12),
        };
        if target.is_nan() || target == 0.0 {
            return if self.side == Side::Upper { f64::INFINITY } else { 0.0 };
        }
        let width = -(-self.step).exp_m1();
        let growth = (self.theta * self.step).exp();
        let (mut found, mut lowest) = (None, (0.0, 0.0, 0.0, 0.0));
        self.walk(anchor, |loss, weight, value, slope| {
            lowest = (loss, value, slope, weight);
            // The hockey stick one cell further down.
            let next = value + width * slope;
            if next < target {
                return false;
            }
            let most = (self.overlap() * weight * growth).min(weight);
            let wrap = self.taken_off(loss - self.step, most, anchor);
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
        if found.is_none() && self.complete && lowest.2 > 0.0 {
            // Below all of the mass the hockey stick goes on as it does in the last cell.
            let wrap = self.taken_off(self.low, lowest.3, anchor);
            let inside = ((target + wrap - lowest.1) / lowest.2).clamp(0.0, 1.0);
            let epsilon = lowest.0 + (-inside).ln_1p();
            found = Some(epsilon.max(f64::MIN));
        }
        match (self.side, found) {
            (Side::Upper, Some(epsilon)) if epsilon.is_nan() => f64::INFINITY,
            (Side::Upper, found) => (found.unwrap_or(self.low) + self.slack).max(0.0).next_up(),
            // `max` turns a NaN into 0.
            (Side::Lower | Side::Floor, found) => {
                found.map_or(0.0, |epsilon| (epsilon - self.slack).max(0.0))
            }
        }
    }

    /// What a lower bound has to leave out because it may have been wrapped: an upper bound keeps it.
    fn taken_off(&self, loss: f64, most: f64, anchor: f64) -> f64 {
        if self.side == Side::Upper { 0.0 } else { self.wrap(loss, most, anchor) }
    }

    /// What may have been wrapped into the hockey stick at `loss` or above, on the scale of a walk
    /// anchored at `anchor` where tilted mass weighs at most `most`.
    fn wrap(&self, loss: f64, most: f64, anchor: f64) -> f64 {
        if self.wrapped_above == 0.0 && self.wrapped_below == 0.0 {
            return 0.0;
        }
        let reach = (loss - self.low).max(0.0);
        let above = self.wrapped_above * (-self.lift * reach * (1.0 - 1e-12)).exp();
        // Not a number is no bound.
        let rise = self.theta * (anchor - self.low);
        let far = self.wrapped_far * (rise + 8.0 * U * rise.abs()).exp() * (1.0 + 8.0 * U);
        let below = most * self.wrapped_below;
        most * above + if far < below { far } else { below }
    }

    /// What lies outside of the window, as a share of `delta` at `epsilon`: a bound on what may have
    /// been wrapped into the hockey stick, or was counted as unbounded.
    pub(super) fn outside(&self, epsilon: f64, delta: f64) -> f64 {
        if self.mass.is_empty() {
            return 0.0;
        }
        let log = delta.ln() - self.log_norm + self.theta * epsilon;
        let most = self.overlap().min(1.0);
        let wrap = self.wrap(epsilon, most, epsilon);
        let wrapped = if wrap > 0.0 { (wrap.ln() - log).exp() } else { 0.0 };
        wrapped.max((self.infinity - self.unbounded) / delta)
    }

    /// Whether an answer was seen, and not guessed from the window's lower end.
    pub(super) fn sees(&self, epsilon: f64) -> bool {
        self.complete || self.mass.is_empty() || epsilon > self.low + 2.0 * self.step + self.slack
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
            Side::Lower | Side::Floor => (epsilon + self.slack, -1.0),
        };
        let mut scaled = 0.0f64;
        let unknown = !self.complete && !self.mass.is_empty() && epsilon < self.low;
        if self.side == Side::Upper && unknown {
            // What lies between epsilon and the window is not known.
            return 1.0;
        }
        let mut last = (f64::NAN, 0.0, 0.0);
        let width = -(-self.step).exp_m1();
        let anchor = self.anchor(epsilon);
        let scale = self.log_norm - self.theta * anchor;
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
            let known = self.side == Side::Upper || self.complete;
            scaled = if known { last.1 + inside * last.2 } else { last.1 };
        }
        if scaled.is_nan() {
            return if self.side == Side::Upper { 1.0 } else { 0.0 };
        }
        if self.side != Side::Upper {
            // The overlap is that of a scale anchored at epsilon; no cell weighs more than 1.
            let lift = (self.theta * (anchor - epsilon).max(0.0)).exp();
            let most = (self.overlap() * lift * (1.0 + 1e-9)).min(1.0);
            scaled -= self.wrap(epsilon, most, anchor);
        }
        let finite = if scaled > 0.0 {
            (scaled.ln() + scale + sign * (self.relative + 1e-13 + 8.0 * U * scale.abs())).exp()
        } else {
            0.0
        };
        match self.side {
            Side::Upper => (self.infinity + finite + f64::MIN_POSITIVE).min(1.0),
            Side::Lower | Side::Floor => {
                let bound = (self.infinity + finite) * (1.0 - 4.0 * U) - f64::MIN_POSITIVE;
                // Also where it is not a number.
                if bound > 0.0 { bound.min(1.0) } else { 0.0 }
            }
        }
    }
}
