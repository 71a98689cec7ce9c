//! Random allocation over several steps against its definition.
//!
//! A record contributes 1 to one of t Gaussian steps, chosen uniformly: P is the even mixture of
//! the t unit shifts of Q = N(0, s^2 I). For whole orders the moment of dP/dQ is a mean over all
//! tuples of steps; everything else is an integral over t dimensions, which the trapezoidal rule
//! gives to many digits for so smooth a function.

use dp_accounting::account::{Accountant, Renyi};
use dp_accounting::event::{Event, Plan, Relation};

fn plan(noise: f64, steps: u64) -> Plan {
    let event = Event::random_allocation(noise, steps).unwrap();
    Plan::new(Relation::AddRemove, event).unwrap()
}

/// `E_Q (dP/dQ)^order`: the mean over all tuples of `order` steps of `e^(equal pairs / s^2)`.
fn moment(noise: f64, steps: usize, order: u32) -> f64 {
    let tuples = steps.pow(order);
    let value = |mut code: usize| {
        let mut seen = vec![0u32; steps];
        for _ in 0..order {
            seen[code % steps] += 1;
            code /= steps;
        }
        let pairs: u32 = seen.iter().map(|n| n * n.saturating_sub(1) / 2).sum();
        (f64::from(pairs) / (noise * noise)).exp()
    };
    (0..tuples).map(value).sum::<f64>() / tuples as f64
}

/// The integral over the t dimensions of `f(dP/dQ)` against Q, on `fineness` points per deviation.
fn expectation(noise: f64, steps: usize, fineness: i32, f: impl Fn(f64) -> f64) -> f64 {
    let h = noise / f64::from(fineness);
    let points: Vec<f64> = (-9 * fineness..=11 * fineness).map(|i| f64::from(i) * h).collect();
    let weight = |x: f64| (-0.5 * x * x / (noise * noise)).exp();
    let norm: f64 = points.iter().map(|x| weight(*x)).sum();
    let each: Vec<(f64, f64)> = points
        .iter()
        .map(|x| (weight(*x) / norm, ((2.0 * x - 1.0) / (2.0 * noise * noise)).exp()))
        .collect();
    fn go(each: &[(f64, f64)], left: usize, mass: f64, sum: f64, f: &dyn Fn(f64) -> f64) -> f64 {
        if left == 0 {
            return mass * f(sum);
        }
        each.iter().map(|(w, ratio)| go(each, left - 1, mass * w, sum + ratio, f)).sum()
    }
    go(&each, steps, 1.0, 0.0, &|sum| f(sum / steps as f64))
}

#[test]
fn removal_moments_are_those_of_all_tuples() {
    for (noise, steps) in [(1.0, 3usize), (0.7, 4), (2.0, 5), (1.5, 7)] {
        let curve = Renyi.curve(&plan(noise, steps as u64)).unwrap();
        for order in 2..=6u32 {
            let exact = moment(noise, steps, order).ln() / f64::from(order - 1);
            let bound = curve.at(f64::from(order));
            assert!(bound >= exact * (1.0 - 1e-12), "{noise} {steps} {order}: {bound} {exact}");
            // The other direction may be the larger one, but not by its Gaussian bound's size.
            let add = 0.5 / (noise * noise) * (1.0 + f64::from(order - 1) / steps as f64);
            assert!(bound <= exact.max(add) * (1.0 + 1e-9), "{noise} {steps} {order}");
        }
    }
}

#[test]
fn both_directions_and_the_hockey_stick_stay_below_the_bound() {
    for (noise, steps) in [(1.0, 3usize), (2.0, 3), (1.5, 4)] {
        let plan = plan(noise, steps as u64);
        let curve = Renyi.curve(&plan).unwrap();
        // The rule itself, on a moment that is known otherwise.
        let (found, exact) = (expectation(noise, steps, 2, |r| r * r), moment(noise, steps, 2));
        assert!((found / exact - 1.0).abs() < 1e-9, "{noise} {steps}: {found} {exact}");
        for order in [1.5f64, 2.0, 3.0, 5.0] {
            let remove = expectation(noise, steps, 2, |r| r.powf(order)).ln() / (order - 1.0);
            let add = expectation(noise, steps, 2, |r| r.powf(1.0 - order)).ln() / (order - 1.0);
            let bound = curve.at(order);
            assert!(bound >= remove * (1.0 - 1e-9), "{noise} {steps} {order}: {bound} {remove}");
            assert!(bound >= add * (1.0 - 1e-9), "{noise} {steps} {order}: {bound} {add}");
        }
        // A function with a kink wants a finer rule, which four dimensions make too dear.
        let kinked = if steps <= 3 { [0.0f64, 0.5, 1.0, 2.0].as_slice() } else { &[] };
        for &epsilon in kinked {
            let lift = epsilon.exp();
            let remove = expectation(noise, steps, 4, |r| (r - lift).max(0.0));
            let add = expectation(noise, steps, 4, |r| (1.0 - lift * r).max(0.0));
            let bound = Renyi.delta(&plan, epsilon).unwrap();
            assert!(bound >= remove.max(add) - 1e-4, "{noise} {steps} {epsilon}: {bound}");
        }
    }
}
