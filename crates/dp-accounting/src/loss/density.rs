//! The part of a privacy loss that has no large atoms, described by its two tails.
//!
//! For a pair (P, Q) with loss `L = ln dP/dQ`, everything downstream needs only `P(L > y)` and
//! `Q(L > y)`, with a bound on their errors. Sampling acts on tails linearly, so that a sampled
//! mechanism is its inner mechanism seen through a change of variable.

use std::sync::Arc;

use super::atoms::Scattered;
use crate::numeric::{
    NORMAL_RELATIVE_ERROR, U, ln_normal_tail, mills_ratio, normal_density, normal_tail,
    normal_tail_and_density,
};

/// The tails above a loss `y`, with absolute error bounds.
///
/// `q` is scaled by `e^max(y, 0)`: so scaled it is at most `p`, and neither overflows nor
/// underflows before `p` does.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tail {
    pub(super) p: f64,
    pub(super) q: f64,
    pub(super) p_error: f64,
    pub(super) q_error: f64,
}

/// Which way a record moves: out of the data (P has it) or into them (Q has it).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Remove,
    Add,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Density {
    /// Loss N(mu^2/2, mu^2) under P.
    Gaussian { mu: f64 },
    /// Between the atoms at `-rate` and `rate` of the Laplace loss.
    Laplace { rate: f64 },
    /// The worst loss of a mechanism of bounded range (the exponential mechanism).
    BoundedRange { epsilon: f64 },
    /// Poisson-sampled Gaussian noise, one record replaced.
    ReplaceGaussian { sigma: f64, rate: f64 },
    /// An inner density seen through Poisson sampling.
    Sampled { inner: Box<Density>, rate: f64, direction: Direction },
    /// An inner density seen through sampling without replacement, one record replaced.
    WithoutReplacement { inner: Box<Density>, rate: f64 },
    /// Many atoms in no regular order.
    Scattered(Arc<Scattered>),
}

/// A normal tail at `z` where `z` itself is uncertain by `dz`, its error, and the density there.
fn shifted_tail(z: f64, dz: f64) -> (f64, f64, f64) {
    let (small, density) = normal_tail_and_density(z.abs());
    // The density within dz: e^x is at most 1 + 2 x for x below 1.
    let growth = z.abs() * dz;
    let nearby = if growth < 1.0 {
        density * (1.0 + 2.0 * growth)
    } else {
        normal_density(z.abs() - dz.min(z.abs()))
    };
    let error = NORMAL_RELATIVE_ERROR * small + dz * nearby;
    // Below zero the tail is 1 less a small one, and only that one errs.
    if z < 0.0 { (1.0 - small, error + U, density) } else { (small, error, density) }
}

impl Density {
    /// The tails above `y`, where `y` is uncertain by `dy`.
    pub(super) fn tail(&self, y: f64, dy: f64) -> Tail {
        match self {
            Density::Gaussian { .. } | Density::ReplaceGaussian { .. } if y < -1e290 => {
                Tail { p: 1.0, q: 1.0, p_error: U, q_error: U }
            }
            Density::Gaussian { mu } => {
                let z = y / mu - 0.5 * mu;
                let dz = dy / mu + 4.0 * U * (y.abs() / mu + mu);
                let (p, p_error, density) = shifted_tail(z, dz);
                let a = z + mu;
                let (q, q_error) = if y <= 0.0 {
                    let (q, q_error, _) = shifted_tail(a, dz);
                    (q, q_error)
                } else {
                    // e^y density(a) = density(z), so nothing overflows.
                    let q = density * mills_ratio(a);
                    let slack = density * dz * (1.0 + z.abs());
                    (q, 2.0 * NORMAL_RELATIVE_ERROR * q + slack)
                };
                Tail { p, q, p_error, q_error }
            }
            Density::Laplace { rate } => {
                if y >= *rate {
                    return Tail::default();
                }
                let y = y.max(-rate);
                // x = (rate - y)/2 in units of the scale, between 0 and rate.
                let x = 0.5 * (rate - y);
                let p = -0.5 * (-x).exp_m1();
                let plain = if x < 0.5 {
                    0.5 * (-rate).exp() * x.exp_m1()
                } else {
                    0.5 * ((x - rate).exp() - (-rate).exp())
                };
                let lift = y.max(0.0).exp();
                let q = plain * lift;
                let slip = dy.min(2.0 * rate) + 4.0 * U * (rate + y.abs());
                Tail {
                    p,
                    q,
                    p_error: 16.0 * U * p + 0.26 * slip * (-x).exp(),
                    q_error: 32.0 * U * q * (1.0 + rate) + 0.26 * slip * (x - rate).exp() * lift,
                }
            }
            Density::BoundedRange { epsilon } => {
                if y >= *epsilon {
                    return Tail::default();
                }
                let y = y.max(-epsilon);
                let norm = -(-epsilon).exp_m1();
                let gap = 0.5 * (epsilon - y);
                let fall = -(-gap).exp_m1();
                let p = fall / norm;
                let q = (-0.5 * (epsilon + y) + y.max(0.0)).exp() * fall / norm;
                let slip = ((dy + 4.0 * U * (epsilon + y.abs())) / norm).min(1.0);
                Tail { p, q, p_error: 16.0 * U * p + slip, q_error: 16.0 * U * q + slip }
            }
            Density::ReplaceGaussian { sigma, rate } => replace_tail(*sigma, *rate, y, dy),
            Density::Sampled { inner, rate, direction } => {
                sampled_tail(inner, *rate, *direction, y, dy)
            }
            Density::WithoutReplacement { inner, rate } => {
                // Orders of the hockey stick above 1 see the removal pair, below 1 the other.
                let direction = if y >= 0.0 { Direction::Remove } else { Direction::Add };
                let mut tail = sampled_tail(inner, *rate, direction, y, dy);
                if y < 0.0 {
                    // The mass the two pieces do not share sits in an atom at zero, kept apart.
                    let zero = Density::zero_atom(inner, *rate);
                    tail.p -= zero.0;
                    tail.q -= zero.0;
                    tail.p_error += zero.1;
                    tail.q_error += zero.1;
                }
                tail
            }
            Density::Scattered(atoms) => {
                let (p, q, relative) = atoms.above(y);
                Tail { p, q, p_error: p * relative, q_error: q * relative }
            }
        }
    }

    /// The hockey stick at `y >= 0`, and its error.
    ///
    /// Sampling scales it: `P' - e^y Q'` over the set is `rate (P - e^l Q)` (Remove), or
    /// `(1 - e^y (1 - rate)) (P - e^l Q)` (Add), at the inner loss `l`.
    pub(super) fn stick(&self, y: f64) -> (f64, f64) {
        let scaled = |inner: &Density, scale: f64, (loss, slip): (f64, f64), own: f64| {
            let (value, error) = inner.stick(loss);
            // It falls with the loss at the rate of the scaled Q-mass, at most the P-mass.
            let moved = slip * inner.tail(loss - slip, 0.0).p;
            (scale * value, scale * (error + moved) + (own + 8.0 * U) * scale * value)
        };
        match self {
            Density::Sampled { inner, rate, direction: Direction::Remove }
            | Density::WithoutReplacement { inner, rate } => match back(y, 0.0, *rate) {
                Some(at) => scaled(inner, *rate, at, 0.0),
                None => (f64::NAN, f64::NAN),
            },
            Density::Sampled { inner, rate, direction: Direction::Add } => {
                let Some((negated, slip)) = back(-y, 0.0, *rate) else { return (0.0, 0.0) };
                let scale = rate * (y + negated).exp();
                scaled(inner, scale, (-negated, slip), slip + 4.0 * U * (y + negated.abs()))
            }
            Density::Scattered(atoms) => atoms.stick(y),
            Density::ReplaceGaussian { sigma, rate } => replace_stick(*sigma, *rate, y),
            _ => {
                let tail = self.tail(y, 0.0);
                let error = tail.p_error + tail.q_error + 4.0 * U * (tail.p + tail.q);
                (tail.p - tail.q, error)
            }
        }
    }

    /// All of its P-mass, rounded up.
    pub(super) fn total(&self) -> f64 {
        let whole = self.tail(self.support().0.max(f64::MIN), 0.0);
        whole.p + whole.p_error
    }

    /// P-mass (equal to the Q-mass) at loss zero of sampling without replacement, and its error.
    pub(super) fn zero_atom(inner: &Density, rate: f64) -> (f64, f64) {
        let tail = inner.tail(0.0, 0.0);
        let mass = (1.0 - rate) * (tail.p - tail.q).max(0.0);
        (mass, tail.p_error + tail.q_error + 4.0 * U * (tail.p + tail.q))
    }

    /// An interval outside of which there is no loss.
    pub(super) fn support(&self) -> (f64, f64) {
        match self {
            Density::Gaussian { .. } | Density::ReplaceGaussian { .. } => {
                (f64::NEG_INFINITY, f64::INFINITY)
            }
            Density::Laplace { rate } => (-rate, *rate),
            Density::BoundedRange { epsilon } => (-epsilon, *epsilon),
            Density::Sampled { inner, rate, direction } => {
                let (low, high) = inner.support();
                (through(low, *rate, *direction), through(high, *rate, *direction))
            }
            Density::WithoutReplacement { inner, rate } => {
                let (low, high) = inner.support();
                let low = through(low, *rate, Direction::Add);
                (low, through(high, *rate, Direction::Remove))
            }
            Density::Scattered(atoms) => atoms.support(),
        }
    }
}

/// The loss of the sampled mechanism where the inner loss is `y`.
pub(super) fn through(y: f64, rate: f64, direction: Direction) -> f64 {
    match direction {
        Direction::Remove => {
            // ln(1 - q + q e^y). The exponential overflows before its logarithm matters.
            let log = y + rate.ln();
            if y < 600.0 {
                (rate * y.exp_m1()).ln_1p()
            } else if log > 0.0 {
                log + ((1.0 - rate) * (-log).exp()).ln_1p()
            } else {
                (log.exp() - rate).ln_1p()
            }
        }
        Direction::Add => -through(-y, rate, Direction::Remove),
    }
}

/// The inner loss at which the sampled loss is `y`, with its uncertainty; `None` past the edge.
fn back(y: f64, dy: f64, rate: f64) -> Option<(f64, f64)> {
    let grown = y.exp_m1();
    let moved = grown / rate;
    if y > 600.0 {
        let inner = y - rate.ln();
        return Some((inner, dy + 1e-200 + 8.0 * U * (y + rate.ln().abs())));
    }
    if moved == f64::INFINITY {
        // The 1 that is left out is less than one part in 10^300.
        let inner = grown.ln() - rate.ln();
        let slip = dy * (1.0 + grown) / grown;
        return Some((inner, slip + 1e-200 + 16.0 * U * (1.0 + y + rate.ln().abs())));
    }
    let ratio = 1.0 + moved;
    if ratio <= 0.0 {
        return None;
    }
    let inner = moved.ln_1p();
    // The ratio has lost digits where it is small.
    let lost = if ratio < 0.5 { 2.0 * U } else { 0.0 };
    let slip = (dy * (1.0 + grown + 2.0 * U) / rate + 8.0 * U * moved.abs() + lost) / ratio;
    Some((inner, slip + 4.0 * U * inner.abs()))
}

fn sampled_tail(inner: &Density, rate: f64, direction: Direction, y: f64, dy: f64) -> Tail {
    let keep = 1.0 - rate;
    match direction {
        Direction::Remove => {
            // P' = (1 - q) Q + q P, Q' = Q.
            let Some((loss, slip)) = back(y, dy, rate) else {
                let whole = inner.tail(f64::MIN, 0.0);
                return Tail { p: keep * whole.q + rate * whole.p, ..whole };
            };
            let tail = inner.tail(loss, slip);
            let down = (-loss.max(0.0)).exp();
            let p = keep * tail.q * down + rate * tail.p;
            // e^-loss is a factor only where the loss is positive.
            let p_error = keep * tail.q_error * down
                + rate * tail.p_error
                + 4.0 * U * p
                + 4.0 * U * (loss.max(0.0) + loss.clamp(0.0, 1.0)) * keep * tail.q * down;
            let lift = if y >= 0.0 { keep * down + rate } else { 1.0 };
            let q = tail.q * lift;
            let q_error = if y >= 0.0 {
                tail.q_error * lift + 8.0 * U * (1.0 + loss.abs()) * q
            } else {
                tail.q_error
            };
            Tail { p, q, p_error, q_error }
        }
        Direction::Add => {
            // P' = P, Q' = (1 - q) P + q Q.
            let Some((negated, slip)) = back(-y, dy, rate) else {
                return Tail::default();
            };
            let loss = -negated;
            let tail = inner.tail(loss, slip);
            let down = (-loss.max(0.0)).exp();
            let lift = y.max(0.0).exp();
            let q = (keep * tail.p + rate * tail.q * down) * lift;
            let q_error = (keep * tail.p_error + rate * tail.q_error * down) * lift
                + U * (4.0 + 4.0 * y.max(0.0) + 4.0 * loss.max(0.0)) * q;
            Tail { p: tail.p, q, p_error: tail.p_error, q_error }
        }
    }
}

/// P = (1 - q) N(0) + q N(-1), Q = (1 - q) N(0) + q N(1): the loss falls in x, and with
/// `b = (1 - q) sinh(y/2) / (q e^(-1/(2 s^2)))` it is `y` at `x = -s^2 (asinh b + y/2)`.
/// Losses above `y` are below that x: returns `-x / s` and its error.
fn replace_threshold(sigma: f64, rate: f64, y: f64, dy: f64) -> (f64, f64) {
    let variance = sigma * sigma;
    let half = 0.5 / variance;
    let keep = 1.0 - rate;
    let log_scale = keep.ln() - rate.ln() + half;
    let angle = if keep == 0.0 || y == 0.0 {
        0.0
    } else {
        let log_sinh = {
            let size = 0.5 * y.abs();
            size - std::f64::consts::LN_2 + (-(-2.0 * size).exp_m1()).ln()
        };
        let log_b = log_scale + log_sinh;
        let size = if log_b > 20.0 {
            log_b + std::f64::consts::LN_2 + 0.25 * (-2.0 * log_b).exp()
        } else {
            log_b.exp().asinh()
        };
        size.copysign(y)
    };
    let x = -variance * (angle + 0.5 * y);
    let slip = variance * (16.0 * U * (1.0 + angle.abs() + y.abs() + log_scale.abs()) + dy)
        + dy * variance * (1.0 + angle.abs()) / y.abs().max(1e-3);
    (-x / sigma, slip / sigma)
}

fn replace_tail(sigma: f64, rate: f64, y: f64, dy: f64) -> Tail {
    let keep = 1.0 - rate;
    let (z, dz) = replace_threshold(sigma, rate, y, dy);
    let shift = 1.0 / sigma;
    let (middle, middle_error, _) = shifted_tail(z, dz);
    let (near, near_error, _) = shifted_tail(z - shift, dz);
    let (far, far_error, _) = shifted_tail(z + shift, dz);
    let p = keep * middle + rate * near;
    let p_error = keep * middle_error + rate * near_error + 4.0 * U * p;
    let (q, q_error) = if y <= 0.0 {
        let q = keep * middle + rate * far;
        (q, keep * middle_error + rate * far_error + 4.0 * U * q)
    } else {
        let part = |z: f64| {
            let value = (y + ln_normal_tail(z)).exp();
            let hazard = 1.0 / mills_ratio(z).max(f64::MIN_POSITIVE);
            (value, value * (8.0 * U * (8.0 + y + z * z) + 2.0 * dz * hazard))
        };
        let (middle, middle_error) = part(z);
        let (far, far_error) = part(z + shift);
        let q = keep * middle + rate * far;
        (q, keep * middle_error + rate * far_error + 4.0 * U * q)
    };
    Tail { p, q, p_error, q_error }
}

/// The hockey stick at `y >= 0`: `q (P_1 - e^y Q_1) - (1 - q) (e^y - 1) N`, the part the two share
/// taken out. The set is the best one, so that a threshold that is off by dz costs its square.
fn replace_stick(sigma: f64, rate: f64, y: f64) -> (f64, f64) {
    let keep = 1.0 - rate;
    let (z, dz) = replace_threshold(sigma, rate, y, 0.0);
    let shift = 1.0 / sigma;
    let part = |z: f64| (normal_tail(z), 2.0 * NORMAL_RELATIVE_ERROR * normal_tail(z) + U);
    let lifted = |z: f64| {
        let value = (y + ln_normal_tail(z)).exp();
        (value, value * 8.0 * U * (8.0 + y + z * z))
    };
    let (near, near_error) = part(z - shift);
    let near_error = if z - shift > 0.0 { near_error - U } else { near_error };
    let (far, far_error) = lifted(z + shift);
    let shared = if y == 0.0 { (0.0, 0.0) } else { lifted(z) };
    let fade = -(-y).exp_m1();
    let value = rate * (near - far) - keep * fade * shared.0;
    let density = keep * normal_density(z) + rate * normal_density(z - shift);
    let bend = 3.0 * dz * dz * (1.0 + z.abs() + shift) * density;
    let error = rate * (near_error + far_error + 4.0 * U * (near + far))
        + keep * fade * (shared.1 + 8.0 * U * shared.0)
        + bend;
    // A threshold that is far off has a cost of its own.
    if dz * (1.0 + z.abs() + shift) < 0.01 { (value, error) } else { (value, f64::NAN) }
}
