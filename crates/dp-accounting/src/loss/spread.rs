//! A density spread over grid points: by chords from above, by tangents or floors from below.
//!
//! Cells may have different widths (see `stride`): the cell after grid loss `y_i` ends at `y_(i+1)`,
//! `h_i` further up.
//!
//! **Upper** (connect the dots, [Doroshenko et al. 2022](https://arxiv.org/abs/2207.04380)). With
//! cell masses P_i, Q_i over (y_i, y_(i+1)], the mass `b_i = (P_i - e^(y_i) Q_i) / (1 - e^-h_i)`
//! goes to `y_(i+1)` and the rest to `y_i`. In terms of tails the result has P-mass
//! `G_i = P(L > y_(i+1)) + b_i` strictly above `y_i`.
//!
//! **Lower** (tangents between the grid points). With a cut `m_i` between `y_(i-1)` and `y_i`, let
//! `T_i(x) = P(L > m_i) - x Q(L > m_i)`; every `T_i` lies below the hockey-stick curve `d(x)`,
//! x = e^epsilon, and so does any curve whose chord over `[x_(i-1), x_i]` lies below `T_i`. The
//! curve through `g_i = min(T_i(x_i), T_(i+1)(x_i))` does. With `D_i = P_i - x_i Q_i` over the cell
//! `(m_i, m_(i+1)]`, its P-mass at or above `y_i` is the chord's value at x = 0,
//! `G_i = P(L > m_i) + (min(D_(i-1), 0) + e^-h max(D_i, 0)) / (1 - e^-h)`, h = `y_i - y_(i-1)`.
//!
//! The argument on rounding is in `discretize`.

use super::density::{Density, Tail};
use super::discretize::Grid;
use super::stride::Strides;
use crate::numeric::U;

fn sane(tail: Tail, total: f64) -> Tail {
    if (tail.p + tail.q + tail.p_error + tail.q_error).is_finite() {
        tail
    } else {
        Tail { p: 0.5 * total, q: 0.5 * total, p_error: total, q_error: total }
    }
}

/// Losses at which a density is cut, and its tails above them.
pub(super) struct Cuts {
    /// Grid point, loss, tail.
    list: Vec<(usize, f64, Tail)>,
}

impl Cuts {
    /// The tails above `point(i)` for grid points i from `from` on, each uncertain by `slip`.
    pub(super) fn new(
        density: &Density,
        grid: &Grid,
        from: usize,
        strides: &Strides,
        point: impl Fn(usize) -> f64,
        slip: impl Fn(f64) -> f64,
    ) -> Self {
        let total = density.total();
        let (low_end, high_end) = density.support();
        let at = |i: usize| {
            let y = point(i);
            if y <= low_end {
                let whole = density.tail(low_end.max(f64::MIN), 0.0);
                // e^max(y, 0) scales q, and y lies below the support's end.
                let rescale = (y.max(0.0) - low_end.max(0.0)).exp();
                let tail = Tail { q: whole.q * rescale, q_error: whole.q_error * rescale, ..whole };
                return (i, y, tail);
            }
            if y >= high_end {
                return (i, y, Tail::default());
            }
            (i, y, sane(density.tail(y, slip(y)), total))
        };
        Cuts { list: strides.points(grid, from).into_iter().map(at).collect() }
    }
}

/// `1 - e^-width` and `e^-width` of cells some whole number of steps wide, the last ones
/// remembered.
struct Widths {
    step: f64,
    last: (usize, f64, f64),
}

impl Widths {
    fn new(step: f64) -> Self {
        Widths { step, last: (1, -(-step).exp_m1(), (-step).exp()) }
    }

    fn of(&mut self, steps: usize) -> (f64, f64) {
        if self.last.0 != steps {
            let width = self.step * steps as f64;
            self.last = (steps, -(-width).exp_m1(), (-width).exp());
        }
        (self.last.1, self.last.2)
    }
}

/// `P_i - e^y Q_i` of the cell between two tails, and its error. `y` is the cell's lower end
/// (`half` 0) or its middle (`half` the distance to the ends).
///
/// The scaled tails are subtracted before they are multiplied by anything, so that only their own
/// errors count, not those of the factors.
pub(super) fn excess(
    now: (f64, Tail),
    next: (f64, Tail),
    y: f64,
    width: f64,
    half: f64,
) -> (f64, f64) {
    let fall = now.1.p - next.1.p;
    let own = now.1.p_error + next.1.p_error;
    let q_error = now.1.q_error + next.1.q_error;
    if next.0 <= 0.0 {
        let lift = y.exp();
        let cell = lift * (now.1.q - next.1.q);
        let error = own + lift * q_error + 8.0 * U * (fall.abs() + cell.abs());
        return (fall - cell, error);
    }
    if now.0 >= 0.0 {
        // e^half (q_i - q_(i+1) + (1 - e^-step) q_(i+1)).
        let lift = half.exp();
        let step = width * next.1.q;
        let cell = lift * ((now.1.q - next.1.q) + step);
        let size = fall.abs() + lift * ((now.1.q - next.1.q).abs() + step);
        return (fall - cell, own + lift * q_error + 8.0 * U * size);
    }
    let here = now.1.q * y.exp();
    let there = next.1.q * (y - next.0).exp();
    let error = own + 2.0 * q_error + 16.0 * U * (fall.abs() + here + there);
    (fall - (here - there), error)
}

pub(super) fn connect_the_dots(grid: &mut Grid, density: &Density, cuts: &Cuts) {
    let mut widths = Widths::new(grid.step);
    let total = density.total();
    // above[j]: mass strictly above the j-th cut.
    let mut above = Vec::with_capacity(cuts.list.len());
    for pair in cuts.list.windows(2) {
        let ((i, y, now), (k, z, next)) = (pair[0], pair[1]);
        let (width, _) = widths.of(k - i);
        let (cell, error) = excess((y, now), (z, next), y, width, 0.0);
        let moved = ((cell + error) / width * (1.0 + 8.0 * U)).max(0.0);
        let bound = next.p + next.p_error + moved;
        // Never more than the mass above the cut itself.
        above.push((bound * (1.0 + 4.0 * U)).min(now.p + now.p_error));
    }
    let beyond = cuts.list.last().map_or(0.0, |(.., tail)| tail.p + tail.p_error);
    above.push(beyond);
    let mut least = beyond;
    for above in above.iter_mut().rev() {
        least = least.max(*above);
        *above = least;
    }
    let mut previous = total.max(least);
    for ((i, ..), above) in cuts.list.iter().zip(&above) {
        grid.mass[*i] += (previous - above) * (1.0 + 4.0 * U);
        previous = *above;
    }
    grid.infinity += beyond;
}

/// The P-mass of every cell at its lower end, with the errors taken off the tails.
pub(super) fn floors(grid: &mut Grid, density: &Density, from: usize) {
    let (low_end, high_end) = density.support();
    let total = density.total();
    let mut running = f64::INFINITY;
    // At or above y_i, of which what lies above is a part.
    let mut at_least: Vec<f64> = (from..grid.mass.len())
        .map(|i| {
            let y = grid.loss(i);
            let tail = if y >= high_end {
                Tail::default()
            } else {
                let y = y.max(low_end).max(f64::MIN);
                sane(density.tail(y, 2.0 * U * y.abs()), total)
            };
            running = running.min(((tail.p - tail.p_error) * (1.0 - 4.0 * U)).max(0.0));
            running
        })
        .collect();
    at_least.push(0.0);
    for (mass, pair) in grid.mass[from..].iter_mut().zip(at_least.windows(2)) {
        *mass += (pair[0] - pair[1]) * (1.0 - 4.0 * U);
    }
}

pub(super) fn tangents(grid: &mut Grid, cuts: &Cuts) {
    let half = 0.5 * grid.step;
    let mut widths = Widths::new(grid.step);
    // Of every cell up to where the curve reaches zero: the grid point in its middle, the mass at
    // or above it, the curve there, and the width of the step up to it.
    let mut points: Vec<(usize, f64, f64, f64)> = Vec::with_capacity(cuts.list.len());
    let mut before = 0.0f64;
    for pair in cuts.list.windows(2) {
        let ((i, m, now), (k, z, next)) = (pair[0], pair[1]);
        // A cut lies half a step below the grid point of its number.
        let inside = (k - i - 1) / 2;
        let middle = i + inside;
        let y = grid.loss(middle);
        // D_i, rounded down, in both places it is used.
        let above = half + inside as f64 * grid.step;
        let (cell, error) = excess((m, now), (z, next), y, widths.of(k - i).0, above);
        let cell = cell - error;
        let there = next.q * (y - z.max(0.0)).exp();
        let rounding = error + 8.0 * U * (next.p + there * (1.0 + y.abs()));
        let curve = next.p - there - rounding + cell.min(0.0);
        if curve <= 0.0 {
            break;
        }
        // The first chord comes from anywhere below its cut.
        let steps = points.last().map_or(k - i, |(last, ..)| middle - last);
        let (width, fall) = widths.of(steps);
        let chord = before.min(0.0) * (1.0 + 16.0 * U) + fall * cell.max(0.0) * (1.0 - 16.0 * U);
        points.push((middle, now.p - now.p_error + chord / width, curve, width));
        before = cell;
    }
    // The last point of the curve is lowered to zero, its chord with it.
    let [.., (_, _, curve, _), (_, last, _, width)] = points.as_mut_slice() else { return };
    *last = *curve / *width * (1.0 - 16.0 * U);
    let mut running = f64::INFINITY;
    for (_, mass, ..) in &mut points {
        running = running.min((*mass * (1.0 - 4.0 * U)).max(0.0));
        *mass = running;
    }
    for (i, (middle, mass, ..)) in points.iter().enumerate() {
        let next = points.get(i + 1).map_or(0.0, |(_, mass, ..)| *mass);
        grid.mass[*middle] += (mass - next) * (1.0 - 4.0 * U);
    }
}
