//! Where to look: the exponential tilt, the window and the grid step, from a rough picture.
//!
//! Nothing here needs to be exact. A poor choice makes a bound looser, never wrong: what is
//! certified is computed afterwards from the grid itself.

use super::density::Density;
use super::discretize::range;
use super::pair::Pair;
use super::stride::Strides;

/// The question that is asked of a composition.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// The epsilon at this delta.
    Delta(f64),
    /// The delta at this epsilon.
    Epsilon(f64),
}

/// A pair, its multiplicity, and a rough picture of its loss: points with logarithmic masses.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) pair: &'a Pair,
    pub(super) count: u64,
    pub(super) span: (f64, f64),
    picture: Vec<(f64, f64)>,
}

/// The composition's tilt, tilted moments and window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight {
    pub(super) theta: f64,
    /// Second tilts that bound the upper and lower ends of the window.
    pub(super) lift: f64,
    pub(super) drop: f64,
    /// The window: starts below the answer, not below all of the mass.
    pub(super) low: f64,
    pub(super) high: f64,
    /// Where a window that holds nearly all of the mass starts.
    pub(super) floor: f64,
    /// The rough answer, an epsilon.
    pub(super) guess: f64,
}

impl Sight {
    /// The same with the wide window, for an answer that was not found in the narrow one.
    pub(super) fn widened(self) -> Self {
        Sight { low: self.floor.min(self.low), ..self }
    }

    /// The same with a window twice as wide, for an answer that drowned in what was wrapped.
    pub(super) fn raised(self) -> Self {
        Sight { high: self.high + (self.high - self.low), ..self }
    }
}

const PICTURE: usize = 1200;
/// Exponent of the tilted mass left below a wide window.
const OUTSIDE: f64 = 22.0;

impl<'a> Part<'a> {
    /// `above`: the P-mass that may be moved to infinity.
    pub(super) fn new(pair: &'a Pair, count: u64, above: f64) -> Self {
        let mut picture: Vec<(f64, f64)> = Vec::new();
        let mut span = (0.0, 0.0);
        if let Some(density) = &pair.density {
            span = range(density, above, 1e-14);
            draw(density, span, &mut picture);
        }
        picture.extend(pair.atoms.iter().filter(|a| a.mass > 0.0).map(|a| (a.loss, a.ln_p())));
        Part { pair, count, span, picture }
    }

    /// How wide cells of its density may be on a grid of `step`.
    pub(super) fn strides(&self, theta: f64, step: f64) -> Strides {
        // Atoms come last, and lie on the grid as they are.
        let atoms = self.pair.atoms.iter().filter(|a| a.mass > 0.0).count();
        let density = self.picture.len().saturating_sub(atoms);
        Strides::new(self.picture.get(..density).unwrap_or_default(), theta, step)
    }

    /// The same part as it is on a grid.
    pub(super) fn on(&self, grid: &super::discretize::Grid) -> Self {
        let mass = grid.mass.iter().enumerate().filter(|(_, mass)| **mass > 0.0);
        let picture = mass.map(|(i, mass)| (grid.loss(i), mass.ln())).collect();
        Part { pair: self.pair, count: self.count, span: self.span, picture }
    }

    /// `ln E e^(theta L)` with its first two derivatives.
    fn cumulant(&self, theta: f64) -> (f64, f64, f64) {
        let top =
            self.picture.iter().map(|(y, log)| log + theta * y).fold(f64::NEG_INFINITY, f64::max);
        let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
        for (y, log) in &self.picture {
            let exponent = log + theta * y - top;
            if exponent > -45.0 {
                let weight = exponent.exp();
                sum += weight;
                first += weight * y;
                second += weight * y * y;
            }
        }
        let mean = first / sum;
        (top + sum.ln(), mean, (second / sum - mean * mean).max(0.0))
    }
}

/// Points spaced as a hyperbolic sine, dense around zero loss, with the mass between them.
fn draw(density: &Density, span: (f64, f64), picture: &mut Vec<(f64, f64)>) {
    let width = 1e-7 * span.0.abs().max(span.1.abs());
    let (from, to) = ((span.0 / width).asinh(), (span.1 / width).asinh());
    if to.partial_cmp(&from) != Some(std::cmp::Ordering::Greater) {
        picture.push((span.0, 0.0));
        return;
    }
    let node = |i: usize| width * (from + (to - from) * i as f64 / PICTURE as f64).sinh();
    let mut last = (span.0, density.tail(span.0, 0.0).p);
    for i in 1..=PICTURE {
        let y = node(i);
        let tail = density.tail(y, 0.0).p;
        let mass = last.1 - tail;
        if mass > 0.0 {
            picture.push((0.5 * (last.0 + y), mass.ln()));
        }
        last = (y, tail);
    }
}

fn total(parts: &[Part<'_>], theta: f64) -> (f64, f64, f64) {
    parts.iter().fold((0.0, 0.0, 0.0), |sum, part| {
        let (value, mean, variance) = part.cumulant(theta);
        let count = part.count as f64;
        (sum.0 + count * value, sum.1 + count * mean, sum.2 + count * variance)
    })
}

/// Chooses tilt and window for a target. What the window leaves out moves the answer by far less
/// than `tolerance` (of epsilon, or relative of delta).
pub(super) fn aim(parts: &[Part<'_>], target: Target, tolerance: f64) -> Sight {
    let (_, mean, variance) = total(parts, 0.0);
    let spread = variance.sqrt().max(1e-12 * mean.abs()).max(1e-150);
    let objective = |log_theta: f64| {
        let theta = log_theta.exp();
        let (value, ..) = total(parts, theta);
        match target {
            Target::Delta(delta) => {
                let order = 1.0 + theta;
                (value - delta.ln() - order.ln() - theta * (1.0 / theta).ln_1p()) / theta
            }
            Target::Epsilon(epsilon) => value - theta * epsilon - theta.ln_1p(),
        }
    };
    let log_theta = minimum((1e-3 / spread).ln(), (1e6 / spread).ln(), 0.02, objective);
    let theta = log_theta.exp();
    let guess = match target {
        Target::Delta(_) => objective(log_theta).max(0.0),
        Target::Epsilon(epsilon) => epsilon,
    };
    let (value, mean, variance) = total(parts, theta);
    // Chernoff: the tilted mass above y is at most e^(K(theta + t) - K(theta) - t y).
    let scale = (2.0 * OUTSIDE).sqrt() / variance.sqrt().max(1e-5 * spread);
    let (from, to) = ((0.02 * scale).ln(), (1.5 * scale).ln());
    let relative = match target {
        Target::Delta(_) => tolerance * (1.0 + theta),
        Target::Epsilon(_) => tolerance,
    };
    let outside = 5.0 - relative.clamp(1e-9, 1.0).ln();
    let top = |log: f64| (total(parts, theta + log.exp()).0 - value + outside) / log.exp();
    let bottom = |log: f64| (total(parts, theta - log.exp()).0 - value + OUTSIDE) / log.exp();
    let lift = minimum(from, to, 0.1, top);
    let drop = minimum(from, to, 0.1, bottom);
    let high = (top(lift), lift.exp());
    let low = (-bottom(drop), drop.exp());
    let low_end = if low.0.is_finite() { low.0 } else { mean - 12.0 * spread };
    let high_end = if high.0.is_finite() { high.0 } else { mean + 12.0 * spread };
    let floor = low_end.min(guess - 1e-3 * spread);
    // The saddle point: delta is about e^(K(theta) - theta epsilon) / (theta (1 + theta) s sqrt(2 pi)).
    let deviation = variance.sqrt();
    let bulk = (1.0 + theta * (1.0 + theta) * deviation * 2.5).ln();
    let (saddle, start, log_delta) = match target {
        Target::Delta(delta) => {
            let saddle = ((value - bulk - delta.ln()) / theta).min(guess);
            (saddle, saddle - 0.5 * deviation - 1.0 / theta, delta.ln())
        }
        Target::Epsilon(epsilon) => {
            (epsilon, epsilon - 1e-3 * deviation, value - bulk - theta * epsilon)
        }
    };
    let narrow = if start > floor { start } else { floor };
    // Above the window little P-mass may lie, and, where it wraps to epsilon or above, little tilted
    // mass.
    let faint = (total(parts, theta + high.1).0 - log_delta + outside) / (theta + high.1);
    let wrapped = high_end - (saddle - narrow);
    let ceiling = faint.max(wrapped);
    // What lies below the window wraps to above epsilon, the further the wider the window: see
    // `compose`.
    let fall = low.1.min(theta);
    let below = total(parts, theta - fall).0 - value + theta * (saddle - narrow);
    let far = 2.0 * narrow + (below + bulk + outside) / fall;
    let ends = [(narrow, ceiling.max(far)), (floor, high_end)];
    let width = |ends: &(f64, f64)| ends.1 - ends.0;
    let (low_end, high_end) = if width(&ends[0]) < width(&ends[1]) { ends[0] } else { ends[1] };
    Sight { theta, lift: high.1, drop: low.1, low: low_end, high: high_end, floor, guess }
}

/// Golden-section search.
fn minimum(mut low: f64, mut high: f64, within: f64, f: impl Fn(f64) -> f64) -> f64 {
    const RATIO: f64 = 0.618_033_988_749_894_9;
    let (mut a, mut b) = (high - RATIO * (high - low), low + RATIO * (high - low));
    let (mut fa, mut fb) = (f(a), f(b));
    while high - low > within {
        if fa < fb {
            (high, b, fb) = (b, a, fa);
            a = high - RATIO * (high - low);
            fa = f(a);
        } else {
            (low, a, fa) = (a, b, fb);
            b = low + RATIO * (high - low);
            fb = f(b);
        }
    }
    0.5 * (low + high)
}

/// A step near `wanted` that lays the atoms of all parts on the grid as well as it can be done.
pub(super) fn choose_step(parts: &[Part<'_>], wanted: f64) -> f64 {
    let gaps: Vec<(f64, f64)> = parts
        .iter()
        .filter_map(|part| part.pair.lattice.map(|lattice| (lattice.1, part.count as f64)))
        .filter(|(gap, _)| *gap > 0.0)
        .collect();
    let Some(&(main, _)) = gaps.iter().max_by(|a, b| (a.0 * a.1).total_cmp(&(b.0 * b.1))) else {
        return wanted;
    };
    let same = gaps.iter().all(|(gap, _)| (gap / main - 1.0).abs() < 1e-13);
    if same && parts.iter().all(|part| part.pair.density.is_none() && part.pair.lattice.is_some()) {
        return main;
    }
    let pieces = (main / wanted).ceil().max(1.0);
    if same {
        return main / pieces;
    }
    let misfit = |step: f64| -> f64 {
        let part = |(gap, count): &(f64, f64)| count * (gap / step - (gap / step).round()).abs();
        gaps.iter().map(part).sum()
    };
    (0..2000)
        .map(|extra| main / (pieces + f64::from(extra).min(pieces)))
        .min_by(|a, b| misfit(*a).total_cmp(&misfit(*b)))
        .unwrap_or(wanted)
}

/// The size of delta at `epsilon`, by the saddle point.
pub(super) fn rough_delta(parts: &[Part<'_>], sight: &Sight, epsilon: f64) -> f64 {
    let (value, ..) = total(parts, sight.theta);
    (value - sight.theta * epsilon).exp().clamp(1e-290, 1.0) * 1e-2
}
