//! A pair on a grid: the best pessimistic and a matching optimistic law of the loss.
//!
//! The density is spread over the grid points by `spread`; atoms are placed here.
//!
//! **Rounding.** Composed hockey-stick divergences are polynomials with non-negative coefficients
//! in the masses, and grow when mass moves to a larger loss. Any decreasing sequence above (below)
//! the exact `G` therefore gives a valid upper (lower) bound, and the total mass stays 1, so that
//! rounding costs a shift of a rounding error's worth of mass by one cell and nothing that grows
//! with the number of compositions. The same argument shows that the running minimum restores
//! monotonicity of the lower `G` (the curve need not be convex for its chords to lie below `d`).

use super::atoms::{ATOM_ERROR, Atom};
use super::density::Density;
use super::pair::Pair;
use super::spread::{Cuts, connect_the_dots, floors, tangents};
use super::stride::Strides;
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

/// The pair on the grid of `step` and `offset`, with the density resolved over `span`, as finely as
/// `strides` say.
pub(super) fn discretize(
    pair: &Pair,
    side: Side,
    step: f64,
    offset: f64,
    span: (f64, f64),
    strides: &Strides,
) -> Grid {
    let pair = match &pair.below {
        Some(below) if side != Side::Upper => below,
        _ => pair,
    };
    let (mut grid, from) = empty(pair, side, step, offset, span);
    if let (Some(from), Some(density)) = (from, &pair.density) {
        let half = 0.5 * step;
        match side {
            Side::Upper => {
                let slip = |y: f64| 2.0 * U * y.abs();
                let cuts = Cuts::new(density, &grid, from, strides, |i| grid.loss(i), slip);
                connect_the_dots(&mut grid, density, &cuts);
            }
            Side::Lower => {
                let slip = |m: f64| 4.0 * U * (m.abs() + half);
                let middle = |i| grid.loss(i) - half;
                let cuts = Cuts::new(density, &grid, from, strides, middle, slip);
                tangents(&mut grid, &cuts);
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
pub(super) fn discretize_both(
    pair: &Pair,
    step: f64,
    offset: f64,
    span: (f64, f64),
    strides: &Strides,
) -> [Grid; 2] {
    let half = 0.5 * step;
    if let (Some(density), true, None) = (&pair.density, pair.atoms.is_empty(), &pair.below)
        && let (mut upper, Some(0)) = empty(pair, Side::Upper, step, offset, span)
    {
        let mut lower = Grid { offset: offset + half, ..upper.clone() };
        // The offset of the second is rounded, too, and so is the way back from it.
        lower.slack += 4.0 * U * step;
        let slip = |y: f64| 4.0 * U * (y.abs() + half);
        let cuts = Cuts::new(density, &upper, 0, strides, |i| upper.loss(i), slip);
        connect_the_dots(&mut upper, density, &cuts);
        keep_all_mass(&mut upper);
        tangents(&mut lower, &cuts);
        return [upper, lower];
    }
    [Side::Upper, Side::Lower].map(|side| discretize(pair, side, step, offset, span, strides))
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
