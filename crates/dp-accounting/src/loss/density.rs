//! The part of a privacy loss that has no large atoms, described by its two tails.
//!
//! For a pair (P, Q) with loss `L = ln dP/dQ`, everything downstream needs only `P(L > y)` and
//! `Q(L > y)`, with a bound on their errors. Sampling acts on tails linearly, so that a sampled
//! mechanism is its inner mechanism seen through a change of variable.

use std::sync::Arc;

use crate::numeric::{
    NORMAL_RELATIVE_ERROR, U, ln_normal_tail, mills_ratio, normal_density, normal_tail,
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

/// Atoms sorted by loss, with suffix sums of their masses.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scattered {
    losses: Vec<f64>,
    p_above: Vec<f64>,
    q_above: Vec<f64>,
}

impl Scattered {
    /// From (loss, P-mass); masses have relative error `ATOM_ERROR` at most.
    pub(super) fn new(mut atoms: Vec<(f64, f64)>) -> Self {
        atoms.sort_by(|a, b| a.0.total_cmp(&b.0));
        let n = atoms.len();
        let (mut p_above, mut q_above) = (vec![0.0; n + 1], vec![0.0; n + 1]);
        for (i, (loss, mass)) in atoms.iter().enumerate().rev() {
            p_above[i] = p_above[i + 1] + mass;
            q_above[i] = q_above[i + 1] + mass * (-loss).exp();
        }
        Scattered { losses: atoms.into_iter().map(|(loss, _)| loss).collect(), p_above, q_above }
    }

    fn tail(&self, y: f64) -> Tail {
        let i = self.losses.partition_point(|loss| *loss <= y);
        let (p, q) = (self.p_above[i], self.q_above[i] * y.max(0.0).exp());
        let relative =
            (self.losses.len() as f64 + 32.0 + 2.0 * y.abs()) * U + super::pair::ATOM_ERROR;
        Tail { p, q, p_error: p * relative, q_error: q * relative }
    }
}

/// A normal tail at `z` where `z` itself is uncertain by `dz`, times `scale`.
fn shifted_tail(z: f64, dz: f64) -> (f64, f64) {
    let small = normal_tail(z.abs());
    let density = normal_density(z.abs() - dz.min(z.abs()));
    let error = NORMAL_RELATIVE_ERROR * small + dz * density;
    // Below zero the tail is 1 less a small one, and only that one errs.
    if z < 0.0 { (1.0 - small, error + U) } else { (small, error) }
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
                let (p, p_error) = shifted_tail(z, dz);
                let a = z + mu;
                let (q, q_error) = if y <= 0.0 {
                    shifted_tail(a, dz)
                } else {
                    // e^y density(a) = density(z), so nothing overflows.
                    let density = normal_density(z);
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
            Density::Scattered(atoms) => atoms.tail(y),
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
            Density::Scattered(atoms) => (
                atoms.losses.first().map_or(0.0, |loss| loss.next_down()),
                atoms.losses.last().map_or(0.0, |loss| loss.next_up()),
            ),
        }
    }
}

/// The loss of the sampled mechanism where the inner loss is `y`.
pub(super) fn through(y: f64, rate: f64, direction: Direction) -> f64 {
    match direction {
        Direction::Remove => {
            // The exponential overflows before its logarithm matters.
            if y > 600.0 { y + rate.ln() } else { (rate * y.exp_m1()).ln_1p() }
        }
        Direction::Add => -through(-y, rate, Direction::Remove),
    }
}

/// The inner loss at which the sampled loss is `y`, with its uncertainty; `None` past the edge.
fn back(y: f64, dy: f64, rate: f64) -> Option<(f64, f64)> {
    let moved = y.exp_m1() / rate;
    if y > 600.0 || moved == f64::INFINITY {
        let inner = y - rate.ln();
        return Some((inner, dy + 1e-200 + 8.0 * U * (y + rate.ln().abs())));
    }
    let ratio = 1.0 + moved;
    if ratio <= 0.0 {
        return None;
    }
    let inner = moved.ln_1p();
    let slip = (dy * y.exp() / rate + 8.0 * U * moved.abs() + 2.0 * U) / ratio;
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
fn replace_tail(sigma: f64, rate: f64, y: f64, dy: f64) -> Tail {
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
    let dz = slip / sigma;
    // Losses above y are at smaller x.
    let z = -x / sigma;
    let shift = 1.0 / sigma;
    let (middle, middle_error) = shifted_tail(z, dz);
    let (near, near_error) = shifted_tail(z - shift, dz);
    let (far, far_error) = shifted_tail(z + shift, dz);
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
