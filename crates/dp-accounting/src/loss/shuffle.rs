//! The pair of shuffled local reports.
//!
//! [Feldman, McMillan, Talwar 2021](https://arxiv.org/abs/2012.12803), Theorem 3.2: shuffled
//! reports of `n` users by an e0-DP randomizer are a post-processing of (A + B, C - A + 1 - B)
//! against (A + 1 - B, C - A + B) with `C ~ Bin(n - 1, e^-e0)`, `A ~ Bin(C, 1/2)`,
//! `B ~ Bernoulli(e^e0 / (e^e0 + 1))`. At (x, y), `x + y = C + 1`, the likelihood ratio is
//! `(e^e0 x + y) / (e^e0 y + x)`.
//!
//! A larger C is a post-processing of a smaller one (more fair coins are added), so that C may be
//! rounded down to a few levels, and what lies below the lowest goes to infinity.

use std::sync::Arc;

use super::atoms::Atom;
use super::discretize::Side;
use super::pair::Pair;
use crate::numeric::{ln_factorial, normal_quantile};

/// Levels that C is rounded to, at least and at most; every value has its own if there are no more.
const LEVELS: (f64, f64) = (48.0, 1024.0);
/// Reports looked at; more are priced as so many.
const MOST_REPORTS: u64 = 1 << 24;
/// Atoms aimed at.
const ATOMS: f64 = 3e5;
/// Mass moved to infinity on either side.
const CUT: f64 = 1e-40;

/// The pair and, rounded the other way, one that is certainly less.
pub(super) fn pair(epsilon: f64, reports: u64) -> Option<Pair> {
    if reports < 2 {
        return None;
    }
    // Fewer reports only hide less: enough for an upper end.
    let mut pair = one_side(epsilon, reports.min(MOST_REPORTS), Side::Upper)?;
    let below = if reports > MOST_REPORTS {
        Pair::black_box(0.0, 0.0)
    } else {
        one_side(epsilon, reports, Side::Lower)?
    };
    pair.below = Some(Arc::new(below));
    Some(pair)
}

/// Fair coins on either side of the middle that are looked at, of `total`: what lies outside has a
/// probability below `CUT` (Hoeffding; a factor of 2 bounds the likelihood ratio).
fn coins(total: f64) -> f64 {
    (0.5 * total * (4.0 / CUT).ln()).sqrt().ceil() + 2.0
}

fn one_side(epsilon: f64, reports: u64, side: Side) -> Option<Pair> {
    let clone = (-epsilon).exp();
    let n = reports - 1;
    // Four logarithms of factorials, each good to 4 ulp, in the exponent of every mass.
    let inflation = 1.0 + 32.0 * f64::EPSILON * (ln_factorial(n) + 8.0);
    let inflation = if side == Side::Upper { inflation } else { 1.0 / inflation };
    let mean = n as f64 * clone;
    let spread = (mean * (1.0 - clone)).sqrt();
    let reach = -normal_quantile(CUT) + 3.0;
    // Bernstein's inequality: P(C < mean - t) <= exp(-t^2 / (2 (spread^2 + t/3))).
    let t = reach * spread + 2.0 * reach * reach / 3.0;
    let lowest = (mean - t).floor().max(0.0) as u64;
    let highest = ((mean + t).ceil() as u64).min(n);
    let mut infinity = 0.0;
    if lowest > 0 && side == Side::Upper {
        infinity += (-(t * t) / (2.0 * (spread * spread + t / 3.0))).exp() * 1.001;
    }
    let levels = (ATOMS / (2.0 * coins(mean + 1.0))).clamp(LEVELS.0, LEVELS.1);
    let width = ((highest - lowest) / levels as u64).max(1);
    let mut atoms: Vec<Atom> = Vec::new();
    let mut level = lowest;
    while level <= highest {
        let last = (level + width - 1).min(highest);
        let mut weight: f64 = (level..=last).map(|c| binomial(n, c, clone)).sum();
        // A smaller C hides less, a larger one more.
        let rounded = if side == Side::Upper { level } else { last };
        if side == Side::Upper && last == highest && highest < n {
            weight += CUT;
        }
        if weight > 0.0 {
            let lost = add_level(&mut atoms, epsilon, rounded, weight * inflation * inflation)?;
            infinity += if side == Side::Upper { lost } else { 0.0 };
        }
        level = last + 1;
    }
    Some(Pair::scattered(atoms, infinity))
}

/// The binomial probability; its relative error is that of the logarithms of the factorials.
fn binomial(n: u64, k: u64, p: f64) -> f64 {
    let log = ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
        + k as f64 * p.ln()
        + if n > k { (n - k) as f64 * (-p).ln_1p() } else { 0.0 };
    log.exp()
}

/// The atoms for `C = c`; returns the mass cut off.
fn add_level(atoms: &mut Vec<Atom>, epsilon: f64, c: u64, weight: f64) -> Option<f64> {
    let total = c + 1;
    let half = 0.5 * total as f64;
    let reach = coins(total as f64);
    let from = (half - reach).max(0.0) as u64;
    let to = ((half + reach) as u64).min(total);
    if to - from > 1 << 22 {
        return None;
    }
    let truth = 1.0 / (1.0 + (-epsilon).exp());
    for x in from..=to {
        let y = total - x;
        // Bin(total, 1/2)(x) * 2 (truth x + (1 - truth) y) / total.
        let log = ln_factorial(total)
            - ln_factorial(x)
            - ln_factorial(y)
            - total as f64 * std::f64::consts::LN_2;
        let (a, b) = (x as f64, y as f64);
        let share = 2.0 * (truth * a + (1.0 - truth) * b) / total as f64;
        let fade = (-epsilon).exp();
        // ln((a + fade b) / (b + fade a)), with all its digits near zero.
        let near = |a: f64, b: f64| ((a - b) * -(-epsilon).exp_m1() / (b + fade * a)).ln_1p();
        let loss = if a >= b { near(a, b) } else { -near(b, a) };
        // The reflected outcome has the masses the other way round: the larger is the mass here.
        let share = if loss < 0.0 { 2.0 - share } else { share };
        atoms.push(Atom::new(loss, weight * log.exp() * share));
    }
    // Hoeffding for the fair coins, both sides; the factor bounds `share`.
    Some(if from > 0 { weight * 4.0 * (-2.0 * reach * reach / total as f64).exp() } else { 0.0 })
}
