//! What discrete Gaussian noise on counts costs in (ε, δ).
//!
//! Floating point enters here: tails of the law are known up to a relative error of 1e-9
//! ([`DiscreteGaussian::tail`]), and every δ is rounded up by [`MARGIN`] of each term, so that it is
//! above the exact one.

use num_bigint::BigUint;
use num_rational::Ratio;
use num_traits::One;

use super::gaussian_sum::GaussianSum;
use super::geometric::amount;
use crate::noise::DiscreteGaussian;

/// More than the relative error of a tail, of its weight and of the place where it begins.
const MARGIN: f64 = 1e-8;

/// Below this a tail may be given as 0.
const LEAST: f64 = 1e-299;

/// An upper bound of P(Z >= m).
pub(super) fn tail_up(noise: &DiscreteGaussian, m: i128) -> f64 {
    if m >= 1 {
        (0.5 * noise.tail(m.unsigned_abs() - 1) * (1.0 + MARGIN) + LEAST).min(1.0)
    } else {
        (1.0 - tail_down(noise, 1 - m)).next_up().min(1.0)
    }
}

/// A lower bound of P(Z >= m).
fn tail_down(noise: &DiscreteGaussian, m: i128) -> f64 {
    if m >= 1 {
        0.5 * noise.tail(m.unsigned_abs() - 1) * (1.0 - MARGIN)
    } else {
        (1.0 - tail_up(noise, 1 - m)).next_down().max(0.0)
    }
}

/// How far neighbours with noise on `n` coordinates, each shifted by the same `shift`, can be told
/// apart: sup over events of P(event) − e^ε P'(event), rounded up.
///
/// The likelihood ratio depends on the sum S of the n noises alone: it is
/// exp(shift (2S − n shift)/(2σ²)), so the best event is S > εσ²/shift + n shift/2, and what is
/// asked are two tails of S: those of [`LawOfSum`].
///
/// Smaller shifts, also different ones, tell neighbours no further apart: for one coordinate the
/// best event is Z + shift >= c, as the law is log-concave, and its chance grows with the shift
/// while that of Z >= c stays. So the pair of laws with the larger shift dominates at every ε, hence
/// (Blackwell 1953) the pair with the smaller one arises from it by a randomized map, which can be
/// applied to each coordinate by itself; a shift downwards is the mirror image.
pub(super) fn equal_shifts(
    sigma_squared: &Ratio<BigUint>,
    n: u64,
    shift: u64,
    epsilon: f64,
) -> f64 {
    if n == 0 || shift == 0 {
        return (-epsilon.exp_m1()).clamp(0.0, 1.0);
    }
    let Some(sum) = LawOfSum::new(sigma_squared, n) else { return 1.0 };
    let s2 = amount(sigma_squared).to_f64_up();
    let total = n as f64 * shift as f64;
    let cut = epsilon * s2 / shift as f64 + total / 2.0;
    if cut.abs() > 1e30 || total > 1e30 {
        return 1.0;
    }
    let cut = cut.floor() as i128 + 1;
    let above = sum.tail_up(cut - i128::from(n) * i128::from(shift));
    let shifted = sum.tail_down(cut);
    // A cut that rounding has misplaced by one is within the margin: there the two terms agree.
    let matched = if shifted > 0.0 { shifted * epsilon.exp() * (1.0 - MARGIN) } else { 0.0 };
    (above - matched + MARGIN * above).clamp(0.0, 1.0)
}

/// The tails of the sum of equal discrete Gaussians.
///
/// By Poisson summation the law of the sum of two of parameters a and b is that of one of parameter
/// a + b up to factors between (1 − κ)/(1 + κ) and its inverse, with τ² = ab/(a + b) and
/// κ = 2 Σ exp(−2π²τ²i²) over i ≥ 1. Applied n − 1 times, τ² ≥ σ²/2 each time. Where that is more
/// than a margin of error, the [exact law](GaussianSum) is used, if there are not too many noises.
enum LawOfSum {
    Near { law: Box<DiscreteGaussian>, factor: f64 },
    Exact(GaussianSum),
}

impl LawOfSum {
    fn new(sigma_squared: &Ratio<BigUint>, n: u64) -> Option<Self> {
        let factor = closeness(amount(sigma_squared).to_f64_down(), n);
        if factor > 1.0 + MARGIN
            && let Some(sum) = GaussianSum::new(amount(sigma_squared).to_f64_up(), n)
        {
            return Some(LawOfSum::Exact(sum));
        }
        let law = DiscreteGaussian::new(sigma_squared * Ratio::from(BigUint::from(n))).ok()?;
        factor.is_finite().then(|| LawOfSum::Near { law: Box::new(law), factor })
    }

    /// An upper bound of P(sum >= m).
    fn tail_up(&self, m: i128) -> f64 {
        match self {
            LawOfSum::Near { law, factor } => (factor * tail_up(law, m)).min(1.0),
            LawOfSum::Exact(sum) => (sum.tail(m) * (1.0 + MARGIN) + LEAST).min(1.0),
        }
    }

    /// A lower bound of P(sum >= m).
    fn tail_down(&self, m: i128) -> f64 {
        match self {
            LawOfSum::Near { law, factor } => tail_down(law, m) / factor,
            LawOfSum::Exact(sum) => (sum.tail(m) * (1.0 - MARGIN) - LEAST).max(0.0),
        }
    }
}

/// The factor by which the law of n noises' sum may exceed the discrete Gaussian's.
fn closeness(s2: f64, n: u64) -> f64 {
    if n == 1 {
        return 1.0;
    }
    let term = |i: f64| (-std::f64::consts::PI.powi(2) * s2 * i * i).exp();
    // From the second term on each is far below the first one's square.
    let kappa = 2.0 * (term(1.0) + 2.0 * term(2.0)) * (1.0 + 1e-9);
    if kappa >= 0.5 {
        return f64::INFINITY;
    }
    (((1.0 + kappa) / (1.0 - kappa)).ln() * (n - 1) as f64).exp() * (1.0 + 1e-12)
}

/// δ at ε of ρ-zCDP, rounded up: exp((a − 1)(aρ − ε))/(a − 1) · (1 − 1/a)^a at any order a > 1
/// (Canonne, Kamath, Steinke 2020, their conversion to (ε, δ)), here at about the best one.
pub(super) fn zcdp_delta(rho: f64, epsilon: f64) -> f64 {
    let ln_delta = |t: f64| {
        let order = 1.0 + t;
        let slope = t * (order * rho - epsilon);
        let shape = -order * (1.0 / t).ln_1p() - t.ln();
        slope + shape + 1e-12 * (1.0 + slope.abs() + shape.abs() + t * order * rho)
    };
    least(ln_delta).exp().next_up().min(1.0)
}

/// ε at δ of ρ-zCDP, rounded up, from the same inequality.
pub(crate) fn zcdp_epsilon(rho: f64, delta: f64) -> f64 {
    let epsilon = |t: f64| {
        let order = 1.0 + t;
        let terms = [rho * order, -(1.0 / t).ln_1p(), -(delta.ln() + order.ln()) / t];
        terms.iter().sum::<f64>() + 1e-12 * terms.iter().map(|term| term.abs()).sum::<f64>()
    };
    least(epsilon).max(0.0)
}

/// The ρ for which [`zcdp_delta`] at `epsilon` is at most `delta`: nearly the largest.
pub(super) fn zcdp_rho(epsilon: f64, delta: f64) -> f64 {
    let (mut good, mut bad) = (0.0f64, epsilon);
    for _ in 0..200 {
        let middle = 0.5 * (good + bad);
        if middle <= good || middle >= bad {
            break;
        }
        if zcdp_delta(middle, epsilon) <= delta { good = middle } else { bad = middle }
    }
    good
}

/// About the least value of `f`, which falls and then rises, over t from 1e-6 to 1e12.
fn least(f: impl Fn(f64) -> f64) -> f64 {
    let (mut a, mut b) = (1e-6f64.ln(), 1e12f64.ln());
    for _ in 0..120 {
        let (x, y) = (a + (b - a) * 0.382, a + (b - a) * 0.618);
        if f(x.exp()) <= f(y.exp()) { b = y } else { a = x }
    }
    f((0.5 * (a + b)).exp())
}

/// A number of few digits, not below `value` and above it by at most 1/2048: draws from a law with
/// such a parameter stay in machine words.
pub(super) fn few_digits_up(value: f64) -> Option<Ratio<BigUint>> {
    if !(value > 0.0 && value < 1e60) {
        return None;
    }
    let exponent = value.log2().floor() as i32 - 11;
    let mantissa = BigUint::from((value / 2f64.powi(exponent)).ceil() as u64 + 1);
    let power = BigUint::one() << exponent.unsigned_abs();
    Some(if exponent >= 0 { Ratio::from(mantissa * power) } else { Ratio::new(mantissa, power) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::gaussian_sum::tests::convolved;

    fn ratio(a: u64, b: u64) -> Ratio<BigUint> {
        Ratio::new(a.into(), b.into())
    }

    /// The hockey stick of n discrete Gaussians shifted by `shift`, by convolution of masses.
    fn by_convolution(s2: f64, n: usize, shift: i64, epsilon: f64) -> f64 {
        let reach = 60i64;
        let law = convolved(s2, n as u64, reach);
        let middle = n as i64 * reach;
        let at = |s: i64| usize::try_from(s + middle).ok().and_then(|i| law.get(i)).copied();
        let total = n as i64 * shift;
        (-middle..=middle + total)
            .map(|s| {
                let loss = shift as f64 * (2 * s - total) as f64 / (2.0 * s2);
                at(s - total).unwrap_or(0.0) * (-(epsilon - loss).exp_m1()).max(0.0)
            })
            .sum()
    }

    #[test]
    fn equal_shifts_agree_with_convolutions() {
        for (a, b) in [(1u64, 10u64), (1, 1), (2, 1), (9, 2), (25, 1)] {
            for n in 1..=4 {
                for shift in 1..=2 {
                    for epsilon in [-0.3, 0.0, 0.5, 1.0, 3.0] {
                        let truth = by_convolution(a as f64 / b as f64, n, shift, epsilon);
                        let ours = equal_shifts(&ratio(a, b), n as u64, shift as u64, epsilon);
                        let what = format!("{a}/{b} {n} {shift} {epsilon}: {ours} {truth}");
                        assert!(ours >= truth, "{what}");
                        assert!(ours <= truth * (1.0 + 1e-5) + 1e-9, "{what}");
                    }
                }
            }
        }
    }

    #[test]
    fn zcdp_bounds_cover_the_exact_price_and_invert_each_other() {
        for s2 in [4u64, 25, 400] {
            let rho = 1.0 / (2.0 * s2 as f64);
            for epsilon in [0.05, 0.3, 1.0] {
                let exact = by_convolution(s2 as f64, 1, 1, epsilon);
                assert!(zcdp_delta(rho, epsilon) >= exact, "{s2} {epsilon}");
            }
            for delta in [1e-3, 1e-6, 1e-12] {
                let epsilon = zcdp_epsilon(rho, delta);
                assert!((zcdp_delta(rho, epsilon) / delta - 1.0).abs() < 1e-6);
                let back = zcdp_rho(epsilon, delta);
                assert!((back / rho - 1.0).abs() < 1e-6, "{back} {rho}");
            }
        }
    }

    #[test]
    fn few_digits_are_never_below() {
        for value in [1e-9, 0.37, 1.0, 27.3, 4096.0, 1e12, 3.3e40] {
            let rounded = few_digits_up(value).unwrap();
            let float = amount(&rounded).to_f64_down();
            assert!(float >= value && float <= value * (1.0 + 1.0 / 1024.0), "{value} {float}");
        }
        assert!(few_digits_up(f64::NAN).is_none() && few_digits_up(0.0).is_none());
    }
}
