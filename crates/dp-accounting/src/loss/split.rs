//! Basic composition of exact single releases: loose for many steps, but without a grid.
//!
//! If P_i exceeds `e^(a_i) Q_i` by at most `delta_i`, all of P_i but a part of mass `delta_i` lies
//! below `e^(a_i) Q_i`, so that the product of the P_i exceeds `e^(a_1 + a_2 + ...)` times that of
//! the Q_i by at most the sum of the `delta_i`. Where losses are so small that a grid cannot tell
//! them apart, or a single loss in many steps decides, this is the better upper bound.

use super::certify::Bracket;
use super::pair::Pair;
use super::single;
use super::tilt::Target;
use crate::numeric::{U, first_true, up};
use crate::pure::times;

/// Most pairs among which epsilon is given to one alone.
const FEW: usize = 8;

/// An upper end for one direction of a composition.
pub(super) fn bound(pairs: &[(&Pair, u64)], target: Target) -> Bracket {
    let upper = match target {
        Target::Epsilon(epsilon) => delta(pairs, epsilon),
        Target::Delta(wanted) => {
            let holds = |epsilon: f64| delta(pairs, epsilon) <= wanted;
            let mut end = 1e-12;
            while end < 1e12 && !holds(end) {
                end *= 16.0;
            }
            first_true(0.0, end, 1e-9, holds).unwrap_or(f64::INFINITY)
        }
    };
    Bracket { lower: 0.0, upper }
}

fn delta(pairs: &[(&Pair, u64)], epsilon: f64) -> f64 {
    let sum = |share: &dyn Fn(usize) -> f64| {
        let mut sum = 0.0;
        for (i, (pair, count)) in pairs.iter().enumerate() {
            sum = up(sum + times(single::delta(pair, share(i)).upper, *count), U);
        }
        sum
    };
    let steps: f64 = pairs.iter().map(|(_, count)| *count as f64).sum();
    // A little less than its part, so that all parts together are no more than the whole.
    let share = |part: f64| epsilon / part * (1.0 - 8.0 * U - 2.0 * U * pairs.len() as f64);
    let mut least = sum(&|_| share(steps));
    if pairs.len() <= FEW && epsilon > 0.0 {
        for (j, (_, count)) in pairs.iter().enumerate() {
            least = least.min(sum(&|i| if i == j { share(*count as f64) } else { 0.0 }));
        }
    }
    // Also where it is not a number.
    if least < 1.0 { least } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::LossDistribution;

    #[test]
    fn two_steps_are_no_worse_than_the_sum_of_their_deltas() {
        let loss = LossDistribution::pure(1.0).unwrap();
        let pair = &loss.directions[0][0].0;
        let found = bound(&[(pair, 2)], Target::Epsilon(1.0)).upper;
        // A randomized response at half its epsilon.
        let each = (1.0 - (-0.5f64).exp()) / (1.0 + (-1.0f64).exp());
        assert!((found - 2.0 * each).abs() < 1e-12, "{found}");
        let back = bound(&[(pair, 2)], Target::Delta(found)).upper;
        assert!((1.0..1.0 + 1e-6).contains(&back), "{back}");
        // Past the largest loss nothing is left.
        assert!(bound(&[(pair, 2)], Target::Epsilon(2.1)).upper < 1e-290);
    }

    #[test]
    fn rare_losses_of_few_steps_are_seen() {
        // Nothing but the sum of the deltas resolves losses of 1e-12.
        let one = LossDistribution::laplace(0.05).unwrap().poisson_sampled(1e-12).unwrap();
        let found = one.repeat(2).delta(0.0).unwrap();
        assert!(found.lower <= 2e-12 && found.upper >= 1.99e-12, "{found:?}");
        assert!(found.upper <= 2.1e-12, "{found:?}");
        for (sigma, q, k) in [(0.4, 1e-7, 3u64), (0.3, 1e-9, 10), (0.5, 1e-8, 2)] {
            let one = LossDistribution::gaussian(sigma).unwrap().poisson_sampled(q).unwrap();
            let single = one.delta(0.0).unwrap().upper;
            let found = one.repeat(k).delta(0.0).unwrap();
            assert!(found.upper <= k as f64 * single * (1.0 + 1e-9), "{sigma} {q} {k}: {found:?}");
        }
    }
}
