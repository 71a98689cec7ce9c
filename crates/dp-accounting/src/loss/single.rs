//! One release: the hockey stick without composition, from the tails of its pair.
//!
//! `delta(epsilon) = P(L > epsilon) - e^epsilon Q(L > epsilon)`, with the errors of the tails. No
//! grid is involved, so that nothing is lost far out, where a composition has to look through the
//! mass of the likely losses.

use super::certify::{Bracket, largest_loss};
use super::pair::Pair;
use super::tilt::Target;
use crate::numeric::{U, first_true};

/// Below this no result is a normal number.
const FAINT: f64 = 4.0 * f64::MIN_POSITIVE;

/// Delta at `epsilon >= 0`.
pub(super) fn delta(pair: &Pair, epsilon: f64) -> Bracket {
    let bracket = own_delta(pair, epsilon);
    match &pair.below {
        Some(below) => Bracket { lower: own_delta(below, epsilon).lower, ..bracket },
        None => bracket,
    }
}

fn own_delta(pair: &Pair, epsilon: f64) -> Bracket {
    let (mut low, mut high) = (pair.infinity, pair.infinity);
    let mut size = pair.infinity;
    let mut terms = 8.0;
    for atom in pair.atoms.iter().rev() {
        let slip = atom.slip();
        if atom.loss + slip <= epsilon {
            break;
        }
        let mass = atom.p();
        terms += 2.0;
        let gap = atom.loss - epsilon;
        let error = mass * super::atoms::ATOM_ERROR + pair.room;
        let most = (mass + error) * -(-gap - slip).exp_m1().min(0.0);
        high += most;
        size += most;
        low += (mass - error).max(0.0) * -(slip - gap).exp_m1().min(0.0);
    }
    if let Some(density) = &pair.density {
        let (value, error) = density.stick(epsilon);
        size += value.abs();
        high += value + error;
        low += (value - error).max(0.0);
    }
    let rounding = U * terms * size;
    let (low, high) = (low - rounding - FAINT, high + rounding + FAINT);
    // Also where it is not a number.
    let upper = if high < 1.0 { high.max(0.0) } else { 1.0 };
    Bracket { lower: if low > 0.0 { low.min(upper) } else { 0.0 }, upper }
}

/// The answer to a question about one release.
pub(super) fn answer(pair: &Pair, target: Target) -> Bracket {
    match target {
        Target::Epsilon(epsilon) => delta(pair, epsilon),
        Target::Delta(wanted) => epsilon(pair, wanted),
    }
}

fn epsilon(pair: &Pair, wanted: f64) -> Bracket {
    let holds = |e: f64| delta(pair, e).upper <= wanted;
    let end = match largest_loss(&[(pair, 1)]) {
        Some(end) => end.max(0.0),
        None => {
            let mut end = 1.0;
            while end < 1e300 && !holds(end) {
                end *= 2.0;
            }
            end
        }
    };
    let bounded = largest_loss(&[(pair, 1)]).is_some();
    let upper = match first_true(0.0, end, 1e-14, holds) {
        Some(upper) => upper,
        None if bounded => end,
        None => f64::INFINITY,
    };
    // An epsilon at which delta is certainly larger, just below the upper end.
    let exceeds = |e: f64| delta(pair, e).lower > wanted;
    let top = if upper.is_finite() { upper } else { end };
    let lower = if !exceeds(0.0) {
        0.0
    } else if exceeds(top) {
        top
    } else {
        let (mut good, mut bad) = (0.0, top);
        // The two ends are close unless the errors of the tails matter.
        let mut reach = 1e-13 * top;
        while reach < top {
            if exceeds(top - reach) {
                good = top - reach;
                break;
            }
            bad = top - reach;
            reach *= 4.0;
        }
        for _ in 0..60 {
            let middle = 0.5 * (good + bad);
            if bad - good <= 1e-14 * bad || middle <= good || middle >= bad {
                break;
            }
            if exceeds(middle) { good = middle } else { bad = middle }
        }
        good
    };
    Bracket { lower: lower.min(upper), upper }
}
