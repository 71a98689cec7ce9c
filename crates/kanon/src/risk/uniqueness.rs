//! How many people of a population are unique in it, estimated from class sizes of a sample.
//!
//! f_i classes of size i, u classes and n rows in the sample, N people in the population,
//! π = n/N. Estimates that do not converge are `None`, never 0.

use crate::model::PopulationEstimator;
use crate::model::sample::Sizes;
use crate::special::{digamma, ln_choose, ln_gamma};

/// The estimated number of population uniques, 0 without sample uniques.
pub(crate) fn estimate(
    estimator: PopulationEstimator,
    sizes: &Sizes,
    population: u64,
) -> Option<f64> {
    if sizes.get(&1).copied().unwrap_or(0) == 0 {
        return Some(0.0);
    }
    match estimator {
        PopulationEstimator::Zayatz => zayatz(sizes, population),
        PopulationEstimator::Pitman => pitman(sizes, population).map(|fit| fit.uniques),
        PopulationEstimator::SlideNegativeBinomial => snb(sizes, population).map(|fit| fit.uniques),
        PopulationEstimator::Dankar => dankar(sizes, population),
    }
}

fn dankar(sizes: &Sizes, population: u64) -> Option<f64> {
    let sampled = rows(sizes) / population as f64;
    let zayatz = || zayatz(sizes, population);
    if sampled <= 0.1 {
        return pitman(sizes, population).map(|fit| fit.uniques).or_else(zayatz);
    }
    match (snb(sizes, population), zayatz()) {
        (Some(snb), Some(zayatz)) => Some(snb.uniques.min(zayatz)),
        (None, zayatz) => zayatz,
        (Some(snb), None) => Some(snb.uniques),
    }
}

fn rows(sizes: &Sizes) -> f64 {
    sizes.iter().map(|(&size, &count)| size as f64 * count as f64).sum()
}

fn classes(sizes: &Sizes) -> f64 {
    sizes.values().map(|&count| count as f64).sum()
}

fn of_size(sizes: &Sizes, size: u64) -> f64 {
    sizes.get(&size).map_or(0.0, |&count| count as f64)
}

/// P(unique in the population | unique in the sample) by the hypergeometric law, times f_1 / π.
pub(crate) fn zayatz(sizes: &Sizes, population: u64) -> Option<f64> {
    let (n, u, big) = (rows(sizes), classes(sizes), population as f64);
    let one_drawn = |i: f64| (i.ln() + ln_choose(big - i, n - 1.0) - ln_choose(big, n)).exp();
    let weighted = |(&size, &count): (&u64, &u64)| count as f64 / u * one_drawn(size as f64);
    let all: f64 = sizes.iter().map(weighted).sum();
    let share = of_size(sizes, 1) / u * one_drawn(1.0) / all;
    let uniques = of_size(sizes, 1) * share * big / n;
    uniques.is_finite().then_some(uniques)
}

/// A fit of Pitman's sampling formula.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pitman {
    #[cfg_attr(not(test), allow(dead_code, reason = "known answers test it"))]
    pub(crate) theta: f64,
    #[cfg_attr(not(test), allow(dead_code, reason = "known answers test it"))]
    pub(crate) alpha: f64,
    pub(crate) uniques: f64,
}

/// Maximum likelihood by damped Newton steps from several starts, in ln(θ + α) and the logit of α,
/// so that every step stays inside.
pub(crate) fn pitman(sizes: &Sizes, population: u64) -> Option<Pitman> {
    let (n, u) = (rows(sizes), classes(sizes));
    if u < 2.0 || n <= u {
        return None;
    }
    // The score in (θ, α), sums written as differences of digamma.
    let score = |theta: f64, alpha: f64| -> (f64, f64) {
        let ratio = theta / alpha;
        // Σ_{i=1}^{u−1} 1/(θ + iα)
        let first = (digamma(ratio + u) - digamma(ratio + 1.0)) / alpha;
        let second = digamma(theta + n) - digamma(theta + 1.0);
        // Σ i/(θ + iα) = (u − 1 − θ Σ 1/(θ + iα)) / α
        let third = (u - 1.0 - theta * first) / alpha;
        let fourth: f64 = sizes
            .iter()
            .filter(|&(&size, _)| size > 1)
            .map(|(&size, &count)| {
                count as f64 * (digamma(size as f64 - alpha) - digamma(1.0 - alpha))
            })
            .sum();
        (first - second, third - fourth)
    };
    let point = |a: f64, b: f64| {
        let alpha = 1.0 / (1.0 + (-b).exp());
        (a.exp() - alpha, alpha)
    };
    // θ must stay positive for the digamma form; a solution below 0 is no interior root here.
    let residual = |a: f64, b: f64| -> Option<(f64, f64)> {
        let (theta, alpha) = point(a, b);
        (theta > 1e-9 && alpha > 1e-9 && alpha < 1.0 - 1e-9).then(|| score(theta, alpha))
    };
    for (theta, alpha) in [(1.0, 0.5), (u / 4.0, 0.3), (u, 0.1), (10.0, 0.7), (0.5, 0.9), (n, 0.5)]
    {
        let theta: f64 = theta;
        let (mut a, mut b) = ((theta + alpha).ln(), (alpha / (1.0 - alpha)).ln());
        for _ in 0..200 {
            let Some((f, g)) = residual(a, b) else { break };
            let scale = 1e-10 * u;
            if f.abs() * point(a, b).0.max(1.0) < scale && g.abs() < scale {
                let (theta, alpha) = point(a, b);
                let logs = ln_gamma(theta + 1.0) - ln_gamma(theta + alpha);
                let uniques = (logs + alpha * (population as f64).ln()).exp();
                return uniques.is_finite().then_some(Pitman { theta, alpha, uniques });
            }
            let h = 1e-6;
            let (Some((fa, ga)), Some((fb, gb))) = (residual(a + h, b), residual(a, b + h)) else {
                break;
            };
            let (fa, ga, fb, gb) = ((fa - f) / h, (ga - g) / h, (fb - f) / h, (gb - g) / h);
            let det = fa * gb - fb * ga;
            if det == 0.0 || !det.is_finite() {
                break;
            }
            let (da, db) = ((fb * g - gb * f) / det, (ga * f - fa * g) / det);
            let mut step = (1.0f64).min(2.0 / da.abs().max(db.abs()).max(1e-300));
            let size = |f: f64, g: f64, a: f64| (f * a.exp()).powi(2) + g * g;
            let before = size(f, g, a);
            let mut moved = false;
            for _ in 0..40 {
                if let Some((f, g)) = residual(a + step * da, b + step * db)
                    && size(f, g, a + step * da) < before
                {
                    moved = true;
                    break;
                }
                step /= 2.0;
            }
            if !moved {
                break;
            }
            (a, b) = (a + step * da, b + step * db);
        }
    }
    None
}

/// A fit of the slide negative binomial model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Snb {
    #[cfg_attr(not(test), allow(dead_code, reason = "known answers test it"))]
    pub(crate) classes: f64,
    #[cfg_attr(not(test), allow(dead_code, reason = "known answers test it"))]
    pub(crate) a: f64,
    #[cfg_attr(not(test), allow(dead_code, reason = "known answers test it"))]
    pub(crate) b: f64,
    pub(crate) uniques: f64,
}

/// The number of classes by the modified Shlosser estimator, then the two moment equations:
/// for each b the first gives a by bisection, and the second is solved over b by bisection.
pub(crate) fn snb(sizes: &Sizes, population: u64) -> Option<Snb> {
    let (n, u) = (rows(sizes), classes(sizes));
    let p = n / population as f64;
    let (f1, f2) = (of_size(sizes, 1), of_size(sizes, 2));
    if p >= 1.0 {
        return Some(Snb { classes: u, a: 0.0, b: 0.0, uniques: f1 });
    }
    let sum = |term: &dyn Fn(f64) -> f64| -> f64 {
        sizes.iter().map(|(&size, &count)| term(size as f64) * count as f64).sum()
    };
    let q = 1.0 - p;
    let above = sum(&|i| i * p * p * (1.0 - p * p).powf(i - 1.0));
    let below = sum(&|i| q.powf(i) * ((1.0 + p).powf(i) - 1.0));
    let square = sum(&|i| q.powf(i)) / sum(&|i| i * p * q.powf(i - 1.0));
    let k = u + f1 * above / below * square * square;
    if !k.is_finite() || k <= 0.0 || f2 == 0.0 {
        return None;
    }
    let first = |a: f64, b: f64| {
        let x = (1.0 - b) * q;
        k * p * (b / (1.0 - x)).powf(a) * (1.0 + a * x / (1.0 - x)) - f1
    };
    let second = |a: f64, b: f64| {
        let x = (1.0 - b) * q;
        k * p * p * a * b.powf(a) * (1.0 - b) * (2.0 - (1.0 - a) * x)
            / (2.0 * (1.0 - x).powf(a + 2.0))
            - f2
    };
    // In a, the first equation rises from K π − f_1 to its summit and falls from there: at most one
    // root on each side.
    let solve_a = |b: f64, falling: bool| -> Option<f64> {
        let x = (1.0 - b) * q;
        let summit = (-1.0 / (b / (1.0 - x)).ln() - (1.0 - x) / x).max(0.0);
        let (mut low, mut high) = (0.0, summit);
        if falling {
            (low, high) = (summit, 2.0 * summit + 1e-6);
            while first(high, b) > 0.0 {
                low = high;
                high *= 2.0;
                if high > 1e9 {
                    return None;
                }
            }
        }
        let start = first(low, b) > 0.0;
        if start == (first(high, b) > 0.0) {
            return None;
        }
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if (first(middle, b) > 0.0) == start { low = middle } else { high = middle }
        }
        Some(0.5 * (low + high))
    };
    [false, true].into_iter().find_map(|falling| {
        let solve_a = |b: f64| solve_a(b, falling);
        root_in_b(k, solve_a, second)
    })
}

/// The fit whose b solves the second equation along the first.
fn root_in_b(
    k: f64,
    solve_a: impl Fn(f64) -> Option<f64>,
    second: impl Fn(f64, f64) -> f64,
) -> Option<Snb> {
    let along = |b: f64| solve_a(b).map(|a| second(a, b)).filter(|value| value.is_finite());
    let steps = 400;
    let at = |i: u32| {
        let logit = -12.0 + 24.0 * f64::from(i) / f64::from(steps);
        1.0 / (1.0 + (-logit).exp())
    };
    let mut before: Option<(f64, f64)> = None;
    for i in 0..=steps {
        let b = at(i);
        let Some(value) = along(b) else {
            before = None;
            continue;
        };
        if let Some((low, start)) = before
            && (start > 0.0) != (value > 0.0)
        {
            let (mut low, mut high) = (low, b);
            for _ in 0..200 {
                let middle = 0.5 * (low + high);
                match along(middle) {
                    Some(value) if (value > 0.0) == (start > 0.0) => low = middle,
                    Some(_) => high = middle,
                    None => return None,
                }
            }
            let b = 0.5 * (low + high);
            let a = solve_a(b)?;
            return Some(Snb { classes: k, a, b, uniques: k * b.powf(a) });
        }
        before = Some((b, value));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes() -> Sizes {
        [(1, 60), (2, 12), (3, 6), (4, 3), (7, 2), (20, 1)].into_iter().collect()
    }

    fn close(value: f64, expected: f64, tolerance: f64) {
        assert!((value - expected).abs() < tolerance * expected, "{value} is not {expected}");
    }

    #[test]
    fn known_answers() {
        close(zayatz(&sizes(), 1400).unwrap(), 298.546_493_6, 1e-9);
        close(zayatz(&sizes(), 280).unwrap(), 88.715_795_8, 1e-8);
        let fit = pitman(&sizes(), 1400).unwrap();
        close(fit.theta, 19.871_008_93, 1e-7);
        close(fit.alpha, 0.578_525_056_7, 1e-7);
        close(fit.uniques, 234.3915, 1e-6);
        let fit = snb(&sizes(), 1400).unwrap();
        close(fit.classes, 358.221_594_4, 1e-9);
        close(fit.a, 0.177_343_35, 1e-6);
        close(fit.b, 0.079_490_93, 1e-6);
        close(fit.uniques, 228.6285, 1e-5);
        let fit = snb(&sizes(), 280).unwrap();
        close(fit.classes, 129.567_456_3, 1e-9);
        close(fit.uniques, 87.651_211, 1e-6);
    }

    #[test]
    fn the_rule_picks_by_sampling_share_and_never_calls_failure_zero() {
        close(dankar(&sizes(), 280).unwrap(), 87.651_211, 1e-6);
        close(dankar(&sizes(), 14_800).unwrap(), pitman(&sizes(), 14_800).unwrap().uniques, 1e-12);
        let all_unique: Sizes = [(1, 50)].into_iter().collect();
        assert!(pitman(&all_unique, 1000).is_none());
        let none: Sizes = [(2, 5)].into_iter().collect();
        assert_eq!(estimate(PopulationEstimator::Pitman, &none, 1000), Some(0.0));
    }
}
