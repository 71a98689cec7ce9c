//! A pair on a grid: the best pessimistic and a matching optimistic law of the loss.
//!
//! **Upper** (connect the dots, [Doroshenko et al. 2022](https://arxiv.org/abs/2207.04380)). With
//! grid losses `y_i = o + i h`, cell masses P_i, Q_i over (y_i, y_(i+1)], the mass
//! `b_i = (P_i - e^(y_i) Q_i) / (1 - e^-h)` goes to `y_(i+1)` and the rest to `y_i`. In terms of
//! tails the result has P-mass `G_i = P(L > y_(i+1)) + b_i` strictly above `y_i`.
//!
//! **Lower** (tangents at cell midpoints). Let `T_i(x) = P(L > m_i) - x Q(L > m_i)` at the midpoint
//! `m_i = y_i - h/2`; every `T_i` lies below the hockey-stick curve `d(x)`, x = e^epsilon, and so
//! does any curve whose chord over `[x_(i-1), x_i]` lies below `T_i`. The curve through
//! `g_i = min(T_i(x_i), T_(i+1)(x_i))` does. With `D_i = P_i - x_i Q_i` over the cell
//! `(m_i, m_(i+1)]`, its P-mass at or above `y_i` is
//! `G_i = P(L > m_i) + (min(D_(i-1), 0) + e^-h max(D_i, 0)) / (1 - e^-h)`.
//!
//! **Rounding.** Composed hockey-stick divergences are polynomials with non-negative coefficients
//! in the masses, and grow when mass moves to a larger loss. Any decreasing sequence above (below)
//! the exact `G` therefore gives a valid upper (lower) bound, and the total mass stays 1, so that
//! rounding costs a shift of a rounding error's worth of mass by one cell and nothing that grows
//! with the number of compositions. The same argument shows that the running minimum restores
//! monotonicity of the lower `G` (the curve need not be convex for its chords to lie below `d`).

use super::atoms::{ATOM_ERROR, Atom};
use super::density::{Density, Tail};
use super::pair::Pair;
use crate::numeric::U;

/// The law of a loss on the grid `offset + i step`, `i` from `first`; what is missing to mass 1 is
/// at infinity (upper) or at minus infinity (lower).
#[derive(Debug, Clone)]
pub(super) struct Grid {
    pub(super) step: f64,
    pub(super) offset: f64,
    pub(super) first: i64,
    pub(super) mass: Vec<f64>,
    pub(super) infinity: f64,
    /// Losses of the grid are off by at most this much.
    pub(super) slack: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Upper,
    /// By tangents: close where the curve bends little within a cell.
    Lower,
    /// Every loss rounded down: further off, but not thrown by a bend.
    Floor,
}

impl Grid {
    pub(super) fn loss(&self, i: usize) -> f64 {
        self.offset + (self.first + i as i64) as f64 * self.step
    }

    pub(super) fn is_empty(&self) -> bool {
        self.mass.iter().all(|mass| *mass <= 0.0)
    }
}

/// Cells of a grid, and distance of its first from the origin, beyond which nothing is resolved.
/// A step is chosen for far fewer; losses near the largest float can make that impossible.
const MOST_CELLS: f64 = (1u64 << 25) as f64;
const MOST_INDEX: f64 = (1u64 << 52) as f64;

/// The interval of losses that is resolved: P-mass above it is at most `above`, below it about
/// `below`.
pub(super) fn range(density: &Density, above: f64, below: f64) -> (f64, f64) {
    let (low, high) = density.support();
    let total = density.tail(low.max(f64::MIN), 0.0).p;
    let top = narrow(density, low, high, |p| p <= above);
    let bottom = narrow(density, low, high, |p| p < total - below);
    (bottom, top)
}

/// The smallest loss, roughly, whose tail satisfies `holds`.
fn narrow(density: &Density, low: f64, high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let at = |y: f64| holds(density.tail(y, 0.0).p);
    let (mut bad, mut good) = (low, high);
    // Bring infinite ends in: double outwards from zero until the property changes.
    let mut reach = 1e-3;
    while !bad.is_finite() || !good.is_finite() {
        if reach > 1e300 {
            break;
        }
        if !good.is_finite() && at(reach) {
            good = reach;
        }
        if !bad.is_finite() && !at(-reach) {
            bad = -reach;
        }
        reach *= 2.0;
    }
    let (mut bad, mut good) = (bad.max(-1e300), good.min(1e300));
    for _ in 0..60 {
        let middle = 0.5 * (bad + good);
        if middle <= bad || middle >= good {
            break;
        }
        if at(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    good
}

fn sane(tail: Tail, total: f64) -> Tail {
    if (tail.p + tail.q + tail.p_error + tail.q_error).is_finite() {
        tail
    } else {
        Tail { p: 0.5 * total, q: 0.5 * total, p_error: total, q_error: total }
    }
}

/// The pair on the grid of `step` and `offset`, with the density resolved over `span`.
pub(super) fn discretize(
    pair: &Pair,
    side: Side,
    step: f64,
    offset: f64,
    span: (f64, f64),
) -> Grid {
    let pair = match &pair.below {
        Some(below) if side != Side::Upper => below,
        _ => pair,
    };
    let (mut grid, from) = empty(pair, side, step, offset, span);
    if let (Some(from), Some(density)) = (from, &pair.density) {
        let cells = grid.mass.len() - from;
        let half = 0.5 * step;
        match side {
            Side::Upper => {
                let slip = |y: f64| 2.0 * U * y.abs();
                let tails = tails(density, cells, |i| grid.loss(from + i), slip);
                connect_the_dots(&mut grid, density, from, &tails);
            }
            Side::Lower => {
                let slip = |m: f64| 4.0 * U * (m.abs() + half);
                let tails = tails(density, cells, |i| grid.loss(from + i) - half, slip);
                tangents(&mut grid, from, &tails);
            }
            Side::Floor => floors(&mut grid, density, from),
        }
    }
    if side == Side::Upper {
        keep_all_mass(&mut grid);
    }
    grid
}

/// The pair on grids for an upper and a lower bound. Without atoms, which want to lie on a grid
/// point, the second is half a step further up, so that its midpoints are the points of the first.
pub(super) fn discretize_both(pair: &Pair, step: f64, offset: f64, span: (f64, f64)) -> [Grid; 2] {
    let half = 0.5 * step;
    if let (Some(density), true, None) = (&pair.density, pair.atoms.is_empty(), &pair.below)
        && let (mut upper, Some(0)) = empty(pair, Side::Upper, step, offset, span)
    {
        let mut lower = Grid { offset: offset + half, ..upper.clone() };
        // The offset of the second is rounded, too, and so is the way back from it.
        lower.slack += 4.0 * U * step;
        let slip = |y: f64| 4.0 * U * (y.abs() + half);
        let tails = tails(density, upper.mass.len(), |i| upper.loss(i), slip);
        connect_the_dots(&mut upper, density, 0, &tails);
        keep_all_mass(&mut upper);
        tangents(&mut lower, 0, &tails);
        return [upper, lower];
    }
    [Side::Upper, Side::Lower].map(|side| discretize(pair, side, step, offset, span))
}

/// The grid with the atoms on it, and the index from which on the density goes there; `None` if
/// there is none, or the grid cannot hold the pair.
fn empty(
    pair: &Pair,
    side: Side,
    step: f64,
    offset: f64,
    span: (f64, f64),
) -> (Grid, Option<usize>) {
    let index = |y: f64| ((y - offset) / step).floor();
    let (mut first, mut last) = (f64::INFINITY, f64::NEG_INFINITY);
    if pair.density.is_some() {
        first = index(span.0) - 1.0;
        last = index(span.1) + 2.0;
    }
    for atom in &pair.atoms {
        first = first.min(index(atom.loss) - 1.0);
        last = last.max(index(atom.loss) + 2.0);
    }
    if first > last {
        (first, last) = (0.0, 0.0);
    }
    let resolved = pair.density.is_none() || (span.0 <= span.1 && span.1.is_finite());
    if !(resolved && first.abs() < MOST_INDEX && last - first < MOST_CELLS) {
        // Beyond what a grid can hold: any loss may be unbounded (upper), or none is (lower).
        let infinity = if side == Side::Upper { 1.0 } else { 0.0 };
        let grid = Grid { step, offset, first: 0, mass: vec![0.0], infinity, slack: 0.0 };
        return (grid, None);
    }
    let mut grid = Grid {
        step,
        offset,
        first: first as i64,
        mass: vec![0.0; (last - first) as usize + 1],
        infinity: pair.infinity,
        slack: 8.0 * U * (first.abs().max(last.abs()) + 1.0) * step + 4.0 * U * offset.abs(),
    };
    for atom in &pair.atoms {
        place_atom(&mut grid, side, atom, pair.room);
    }
    let from = pair.density.is_some().then(|| (index(span.0) - 1.0 - first) as usize);
    (grid, from)
}

/// Whatever went missing from a pessimistic law, or is not a number, counts as an infinite loss.
///
/// The laws place all mass but a faint lower tail; this is for the case that underflow or a mistake
/// upstream lost more.
fn keep_all_mass(grid: &mut Grid) {
    let total = grid.mass.iter().sum::<f64>() + grid.infinity;
    if total.is_nan() {
        grid.mass.iter_mut().for_each(|mass| *mass = 0.0);
        grid.infinity = 1.0;
    } else if total < 1.0 - 1e-3 {
        grid.infinity += 1.0 - total;
    }
}

fn place_atom(grid: &mut Grid, side: Side, atom: &Atom, room: f64) {
    let (loss, mass) = (atom.loss, atom.p());
    let position = (loss - grid.offset) / grid.step - grid.first as f64;
    // Within the slack an atom sits on its grid point.
    let near = position.round();
    let snapped = (position - near).abs() * grid.step <= grid.slack;
    let at = if snapped { near } else { position.floor() };
    let cell = at.max(0.0) as usize;
    match side {
        Side::Upper => {
            let mass = mass * (1.0 + ATOM_ERROR) + room;
            let share = if snapped {
                0.0
            } else {
                let within = (position - at) * grid.step;
                let share = (-within).exp_m1() / (-grid.step).exp_m1();
                (share * (1.0 + 16.0 * U) + grid.slack / grid.step).min(1.0)
            };
            if let Some(low) = grid.mass.get_mut(cell) {
                *low += mass * (1.0 - share);
            }
            if let Some(high) = grid.mass.get_mut(cell + 1) {
                *high += mass * share;
            }
        }
        Side::Lower | Side::Floor => {
            if let Some(low) = grid.mass.get_mut(cell) {
                *low += (mass * (1.0 - ATOM_ERROR) - room).max(0.0);
            }
        }
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

/// The tails above `cells` points, each uncertain by `slip`.
fn tails(
    density: &Density,
    cells: usize,
    point: impl Fn(usize) -> f64,
    slip: impl Fn(f64) -> f64,
) -> Vec<(f64, Tail)> {
    let total = density.total();
    let (low_end, high_end) = density.support();
    let at = |i: usize| {
        let y = point(i);
        if y <= low_end {
            let whole = density.tail(low_end.max(f64::MIN), 0.0);
            // e^max(y, 0) scales q, and y lies below the support's end.
            let rescale = (y.max(0.0) - low_end.max(0.0)).exp();
            return (y, Tail { q: whole.q * rescale, q_error: whole.q_error * rescale, ..whole });
        }
        if y >= high_end {
            return (y, Tail::default());
        }
        (y, sane(density.tail(y, slip(y)), total))
    };
    (0..cells).map(at).collect()
}

fn connect_the_dots(grid: &mut Grid, density: &Density, from: usize, tails: &[(f64, Tail)]) {
    let width = -(-grid.step).exp_m1();
    let total = density.total();
    // above[i]: mass strictly above y_i.
    let mut above = Vec::with_capacity(tails.len());
    for pair in tails.windows(2) {
        let (now, next) = (pair[0], pair[1]);
        let (cell, error) = excess(now, next, now.0, width, 0.0);
        let moved = ((cell + error) / width * (1.0 + 8.0 * U)).max(0.0);
        let bound = next.1.p + next.1.p_error + moved;
        // Never more than the mass above y_i itself.
        above.push((bound * (1.0 + 4.0 * U)).min(now.1.p + now.1.p_error));
    }
    let beyond = tails.last().map_or(0.0, |(_, tail)| tail.p + tail.p_error);
    above.push(beyond);
    let mut least = beyond;
    for above in above.iter_mut().rev() {
        least = least.max(*above);
        *above = least;
    }
    let mut previous = total.max(least);
    for (mass, above) in grid.mass[from..].iter_mut().zip(&above) {
        *mass += (previous - above) * (1.0 + 4.0 * U);
        previous = *above;
    }
    grid.infinity += beyond;
}

/// The P-mass of every cell at its lower end, with the errors taken off the tails.
fn floors(grid: &mut Grid, density: &Density, from: usize) {
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

fn tangents(grid: &mut Grid, from: usize, tails: &[(f64, Tail)]) {
    let fall = (-grid.step).exp();
    let width = -(-grid.step).exp_m1();
    let half = 0.5 * grid.step;
    // at_least[i]: mass at or above y_i; ends where the curve reaches zero.
    let mut at_least = Vec::with_capacity(tails.len());
    let mut before = 0.0f64;
    for (i, pair) in tails.windows(2).enumerate() {
        let (now, next) = (pair[0], pair[1]);
        let y = grid.loss(from + i);
        // D_i, rounded down, in both places it is used.
        let (cell, error) = excess(now, next, y, width, half);
        let cell = cell - error;
        let there = next.1.q * (y - next.0.max(0.0)).exp();
        let rounding = error + 8.0 * U * (next.1.p + there * (1.0 + y.abs()));
        let curve = next.1.p - there - rounding + cell.min(0.0);
        if curve <= 0.0 {
            break;
        }
        let mass = now.1.p - now.1.p_error
            + (before.min(0.0) + fall * cell.max(0.0)) / width * (1.0 + 8.0 * U);
        at_least.push((mass, curve));
        before = cell;
    }
    // The last point of the curve is lowered to zero, its chord with it.
    let kept = at_least.len();
    if kept < 2 {
        return;
    }
    let mut survival: Vec<f64> = at_least[..kept - 1].iter().map(|(mass, _)| *mass).collect();
    survival.push(at_least[kept - 2].1 / width * (1.0 - 16.0 * U));
    survival.push(0.0);
    let mut running = f64::INFINITY;
    for value in &mut survival {
        running = running.min((*value * (1.0 - 4.0 * U)).max(0.0));
        *value = running;
    }
    for (mass, pair) in grid.mass[from..].iter_mut().zip(survival.windows(2)) {
        *mass += (pair[0] - pair[1]) * (1.0 - 4.0 * U);
    }
}
