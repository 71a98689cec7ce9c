//! Selection mechanisms against their exact laws on small inputs, composed by enumeration.
//!
//! The laws are computed here from the definitions of the mechanisms: the accountants know only
//! their epsilon. Whatever the inputs, no bound may fall below the exact divergence.

use dp_accounting::event::{Event, Plan, Relation};

use crate::plans::{accountants, answered};

/// Integral of `f` over the line, piecewise smooth with corners at `corners`, tails below
/// `e^(-|x| / scale)`: Simpson's rule between the corners.
fn integral(corners: &[f64], scale: f64, f: impl Fn(f64) -> f64) -> f64 {
    let mut ends: Vec<f64> = corners.to_vec();
    ends.sort_by(f64::total_cmp);
    let (first, last) = (ends[0], ends[ends.len() - 1]);
    ends.insert(0, first - 45.0 * scale);
    ends.push(last + 45.0 * scale);
    let piece = |a: f64, b: f64| {
        let n = 2 * ((b - a) / scale * 100.0).ceil().max(8.0) as usize;
        let h = (b - a) / n as f64;
        let weight = |i: usize| match i {
            0 => 1.0,
            i if i == n => 1.0,
            i if i % 2 == 1 => 4.0,
            _ => 2.0,
        };
        (0..=n).map(|i| weight(i) * f(a + i as f64 * h)).sum::<f64>() * h / 3.0
    };
    ends.windows(2).filter(|w| w[1] > w[0]).map(|w| piece(w[0], w[1])).sum()
}

fn laplace_density(x: f64, scale: f64) -> f64 {
    0.5 * (-x.abs() / scale).exp() / scale
}

fn laplace_below(x: f64, scale: f64) -> f64 {
    let tail = 0.5 * (-x.abs() / scale).exp();
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// Probabilities proportional to `e^(epsilon u / 2)`.
fn exponential(epsilon: f64, utilities: &[f64]) -> Vec<f64> {
    let weights: Vec<f64> = utilities.iter().map(|u| (0.5 * epsilon * u).exp()).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|w| w / total).collect()
}

/// In a uniformly random order, the first candidate whose coin of probability
/// `e^(epsilon (u - best) / 2)` comes up: all orders, one by one.
fn permute_and_flip(epsilon: f64, utilities: &[f64]) -> Vec<f64> {
    let best = utilities.iter().copied().fold(f64::MIN, f64::max);
    let coin: Vec<f64> = utilities.iter().map(|u| (0.5 * epsilon * (u - best)).exp()).collect();
    let mut law = vec![0.0; utilities.len()];
    let mut orders = 0.0;
    permutations(utilities.len(), &mut |order| {
        orders += 1.0;
        let mut reached = 1.0;
        for &i in order {
            law[i] += reached * coin[i];
            reached *= 1.0 - coin[i];
        }
    });
    law.iter().map(|mass| mass / orders).collect()
}

fn permutations(n: usize, visit: &mut impl FnMut(&[usize])) {
    fn go(order: &mut Vec<usize>, from: usize, visit: &mut impl FnMut(&[usize])) {
        if from == order.len() {
            return visit(order);
        }
        for i in from..order.len() {
            order.swap(from, i);
            go(order, from + 1, visit);
            order.swap(from, i);
        }
    }
    go(&mut (0..n).collect(), 0, visit);
}

/// The index of the largest utility after Laplace noise of scale `2 / epsilon`.
fn noisy_max(epsilon: f64, utilities: &[f64]) -> Vec<f64> {
    let scale = 2.0 / epsilon;
    let win = |i: usize| {
        integral(utilities, scale, |x| {
            let others = (0..utilities.len()).filter(|j| *j != i);
            laplace_density(x - utilities[i], scale)
                * others.map(|j| laplace_below(x - utilities[j], scale)).product::<f64>()
        })
    };
    (0..utilities.len()).map(win).collect()
}

/// The first query above a threshold of 0, or none: threshold noise `2 / epsilon`, query noise
/// `4 / epsilon`, one positive.
fn sparse_vector(epsilon: f64, queries: &[f64]) -> Vec<f64> {
    let (own, each) = (2.0 / epsilon, 4.0 / epsilon);
    let mut corners = vec![0.0];
    corners.extend_from_slice(queries);
    let outcome = |j: usize| {
        integral(&corners, each, |threshold| {
            let below = |q: &f64| laplace_below(threshold - q, each);
            let quiet: f64 = queries[..j].iter().map(below).product();
            let last = queries.get(j).map_or(1.0, |q| 1.0 - below(q));
            laplace_density(threshold, own) * quiet * last
        })
    };
    (0..=queries.len()).map(outcome).collect()
}

/// The exact delta at `epsilon` of `count` independent runs: all sequences of outputs.
fn delta(p: &[f64], q: &[f64], count: u32, epsilon: f64) -> f64 {
    let mut laws = vec![(1.0, 1.0)];
    for _ in 0..count {
        laws = laws
            .iter()
            .flat_map(|(a, b)| p.iter().zip(q).map(move |(x, y)| (a * x, b * y)))
            .collect();
    }
    laws.iter().map(|(a, b)| (a - epsilon.exp() * b).max(0.0)).sum()
}

/// No accountant undercuts the exact deltas of any of the neighbours, in either direction; returns
/// the largest exact delta at 0 over the smallest bound, one run.
fn check(event: &Event, law: impl Fn(&[f64]) -> Vec<f64>, neighbours: &[(&[f64], &[f64])]) -> f64 {
    let mut closest = 0.0f64;
    for (left, right) in neighbours {
        let (p, q) = (law(left), law(right));
        for own in [&p, &q] {
            assert!((own.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{event:?} {own:?}");
        }
        for count in [1u32, 2, 5] {
            let repeated = event.clone().repeat(u64::from(count));
            let plan = Plan::new(Relation::Replace, repeated).unwrap();
            for epsilon in [0.0, 0.05, 0.3, 0.9, 2.0] {
                let exact = delta(&p, &q, count, epsilon).max(delta(&q, &p, count, epsilon));
                for accountant in accountants() {
                    let Some(bound) = answered(accountant.delta(&plan, epsilon)) else { continue };
                    assert!(
                        bound >= exact - 1e-9,
                        "{} {event:?} x {count} at {epsilon}: {bound} {exact} {left:?} {right:?}",
                        accountant.name()
                    );
                    if epsilon == 0.0 && count == 1 {
                        closest = closest.max(exact / bound);
                    }
                }
            }
        }
    }
    closest
}

/// Utilities of neighbours differ by up to 1, each in its own way.
const UTILITIES: &[(&[f64], &[f64])] = &[
    (&[1.0, 0.0], &[0.0, 1.0]),
    (&[0.0, 0.0, 0.0], &[1.0, 0.0, 0.0]),
    (&[2.0, 1.5, 0.0], &[1.0, 2.5, 1.0]),
    (&[3.0, 0.0, 0.0, 0.0], &[2.0, 1.0, 1.0, 1.0]),
];

#[test]
fn the_exponential_mechanism_costs_no_less_than_its_law() {
    for epsilon in [0.2, 1.0, 3.0] {
        let event = Event::exponential_mechanism(epsilon).unwrap();
        let closest = check(&event, |u| exponential(epsilon, u), UTILITIES);
        // Two candidates reach the largest total variation of any mechanism of this range.
        assert!(closest > 0.999 && closest <= 1.0 + 1e-9, "{epsilon}: {closest}");
    }
}

#[test]
fn permute_and_flip_costs_no_less_than_its_law() {
    for epsilon in [0.2, 1.0, 3.0] {
        let event = Event::permute_and_flip(epsilon).unwrap();
        let closest = check(&event, |u| permute_and_flip(epsilon, u), UTILITIES);
        assert!(closest > 0.4 && closest <= 1.0 + 1e-9, "{epsilon}: {closest}");
    }
}

#[test]
fn report_noisy_max_costs_no_less_than_its_law() {
    for epsilon in [0.2, 1.0, 3.0] {
        let event = Event::report_noisy_max(epsilon).unwrap();
        let closest = check(&event, |u| noisy_max(epsilon, u), UTILITIES);
        assert!(closest > 0.4 && closest <= 1.0 + 1e-9, "{epsilon}: {closest}");
    }
}

#[test]
fn the_sparse_vector_costs_no_less_than_its_law() {
    let queries: &[(&[f64], &[f64])] = &[
        (&[0.0], &[1.0]),
        (&[0.0, 0.0, 0.0], &[1.0, 1.0, 1.0]),
        (&[-1.0, -1.0, 3.0], &[0.0, 0.0, 2.0]),
        (&[0.0, 1.0, -2.0, 1.0], &[1.0, 0.0, -1.0, 2.0]),
    ];
    for epsilon in [0.2, 1.0, 3.0] {
        let event = Event::sparse_vector(epsilon).unwrap();
        let closest = check(&event, |q| sparse_vector(epsilon, q), queries);
        assert!(closest > 0.1 && closest <= 1.0 + 1e-9, "{epsilon}: {closest}");
    }
}

/// The check itself can fail: a mechanism with twice the epsilon it claims is found out.
#[test]
#[should_panic(expected = "exponential_mechanism")]
fn a_false_claim_is_found_out() {
    let event = Event::exponential_mechanism(0.5).unwrap();
    let seen = std::panic::catch_unwind(|| check(&event, |u| exponential(1.0, u), UTILITIES));
    assert!(seen.is_ok(), "exponential_mechanism");
}
