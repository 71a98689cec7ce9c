//! Questions to a composition: the epsilon at a delta, the delta at an epsilon.

use std::sync::Arc;

use super::certify::{Bracket, merge_gaussians, settle};
use super::distribution::LossDistribution;
use super::pair::Pair;
use super::tilt::Target;
use crate::error::{Result, non_negative, positive, probability};
use crate::gaussian::GaussianDp;
use crate::numeric::{U, up};

/// The tolerance used unless another is given: `1e-4` in epsilon.
const DEFAULT_TOLERANCE: f64 = 1e-4;

impl LossDistribution {
    /// The epsilon at `delta`, bracketed to 1e-4 (or to 1% of a smaller epsilon).
    ///
    /// The upper end is infinite where no epsilon can be certified, in particular when `delta` is
    /// not above the probability of an unbounded loss.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `delta` is a probability.
    pub fn epsilon(&self, delta: f64) -> Result<Bracket> {
        self.epsilon_within(delta, DEFAULT_TOLERANCE)
    }

    /// The epsilon at `delta`, bracketed to `tolerance` as far as 2^20 cells and double precision
    /// allow; the bracket that is returned always holds.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `delta` is a probability and `tolerance` is finite and above 0.
    pub fn epsilon_within(&self, delta: f64, tolerance: f64) -> Result<Bracket> {
        self.ask_epsilon(delta, tolerance, true)
    }

    /// The upper end of [`LossDistribution::epsilon_within`] alone, in less than half of the time.
    ///
    /// It is on the grid that the bracket tries first. Where that grid turns out not to bring the
    /// two ends together, the bracket tries a finer one and this does not: a valid bound, and
    /// perhaps not within the tolerance.
    ///
    /// # Errors
    ///
    /// As [`LossDistribution::epsilon_within`].
    pub fn epsilon_upper(&self, delta: f64, tolerance: f64) -> Result<f64> {
        Ok(self.ask_epsilon(delta, tolerance, false)?.upper)
    }

    fn ask_epsilon(&self, delta: f64, tolerance: f64, want_lower: bool) -> Result<Bracket> {
        let delta = probability("delta", delta)?;
        let tolerance = positive("tolerance", tolerance)?;
        if delta >= 1.0 || self.is_trivial() {
            return Ok(Bracket { lower: 0.0, upper: 0.0 });
        }
        if delta == 0.0 {
            return Ok(self.support_bracket());
        }
        if let Some(gaussian) = self.as_gaussian() {
            let (low, high) = gaussian;
            return Ok(Bracket { lower: low.epsilon_lower(delta)?, upper: high.epsilon(delta)? });
        }
        let relative = |found: f64| tolerance.min((0.01 * found).max(1e-3 * tolerance));
        Ok(self.settle(Target::Delta(delta), relative, want_lower))
    }

    /// The delta at `epsilon`, bracketed to one part in 1000.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is finite and 0 or more.
    pub fn delta(&self, epsilon: f64) -> Result<Bracket> {
        let epsilon = non_negative("epsilon", epsilon)?;
        if self.is_trivial() {
            return Ok(Bracket { lower: 0.0, upper: 0.0 });
        }
        if let Some((low, high)) = self.as_gaussian() {
            return Ok(Bracket { lower: low.delta_lower(epsilon)?, upper: high.delta(epsilon)? });
        }
        Ok(self.settle(Target::Epsilon(epsilon), |_| 1e-3, true))
    }

    pub(super) fn settle(
        &self,
        target: Target,
        tolerance: impl Fn(f64) -> f64,
        lower: bool,
    ) -> Bracket {
        let mus = [0, 1].map(|i| self.merged(i));
        let list = |i: usize| -> Vec<(&Pair, u64)> {
            mus[i].iter().map(|(pair, count)| (pair.as_ref(), *count)).collect()
        };
        let mut directions = vec![list(0)];
        if !self.symmetric {
            directions.push(list(1));
        }
        settle(&directions, target, tolerance, lower)
    }

    /// A direction with its Gaussians merged into one and its trivial parts dropped.
    fn merged(&self, direction: usize) -> Vec<(Arc<Pair>, u64)> {
        let parts: Vec<_> =
            self.directions[direction].iter().filter(|(pair, _)| !pair.is_trivial()).collect();
        let view: Vec<_> = parts.iter().map(|(pair, count)| (pair.as_ref(), *count)).collect();
        let (rest, square) = merge_gaussians(&view);
        let mut merged: Vec<_> = rest.into_iter().map(|i| (*parts[i]).clone()).collect();
        if square > 0.0 {
            let mu = up(square.sqrt(), U * (4.0 + parts.len() as f64));
            merged.push((Arc::new(Pair::gaussian(mu)), 1));
        }
        merged
    }

    /// The Gaussian this is, if it is one: with mu rounded down and up.
    pub(super) fn as_gaussian(&self) -> Option<(GaussianDp, GaussianDp)> {
        let view: Vec<_> =
            self.directions[0].iter().map(|(pair, count)| (pair.as_ref(), *count)).collect();
        let (rest, square) = merge_gaussians(&view);
        if !self.symmetric || !rest.is_empty() || !square.is_finite() {
            return None;
        }
        let room = U * (8.0 + view.len() as f64);
        let high = GaussianDp::new(up(square.sqrt(), room)).ok()?;
        let low = GaussianDp::new(crate::numeric::down(square.sqrt(), room).max(0.0)).ok()?;
        Some((low, high))
    }

    fn is_trivial(&self) -> bool {
        self.directions.iter().flatten().all(|(pair, _)| pair.is_trivial())
    }

    /// At delta 0: the largest loss.
    pub(super) fn support_bracket(&self) -> Bracket {
        let one = |i: usize| {
            let parts = self.merged(i);
            let view: Vec<_> = parts.iter().map(|(pair, count)| (pair.as_ref(), *count)).collect();
            super::certify::largest_loss(&view).unwrap_or(f64::INFINITY)
        };
        let sum = one(0).max(one(1)).max(0.0);
        let room = 1e-12;
        let lower = if sum.is_finite() { sum * (1.0 - 2.0 * room) } else { f64::MAX };
        Bracket { lower, upper: sum * (1.0 + room) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<(&'static str, LossDistribution, f64, f64)> {
        let gaussian =
            |s, q, k| LossDistribution::gaussian(s).unwrap().poisson_sampled(q).unwrap().repeat(k);
        vec![
            ("sampled 1.1", gaussian(1.1, 256.0 / 60_000.0, 14_062), 1e-5, 2.381_596_914),
            ("sampled 1", gaussian(1.0, 0.01, 1000), 1e-5, 1.828_236_667),
            (
                "replace",
                LossDistribution::poisson_sampled_gaussian_replace(1.0, 0.01).unwrap().repeat(1000),
                1e-5,
                2.843_440_427,
            ),
            ("laplace 1", LossDistribution::laplace(1.0).unwrap().repeat(10), 1e-6, 9.998_978_089),
            (
                "laplace 10",
                LossDistribution::laplace(10.0).unwrap().repeat(100),
                1e-6,
                4.692_667_417,
            ),
            (
                "discrete laplace",
                LossDistribution::discrete_laplace(10.0, 1).unwrap().repeat(100),
                1e-6,
                4.774_567_588_107_99,
            ),
        ]
    }

    #[test]
    fn reference_values_are_met_at_both_tolerances() {
        // Facts of the field: limits by Richardson extrapolation over grids, good to about 2e-9.
        for (name, loss, delta, limit) in rows() {
            for tolerance in [1e-4, 1e-6] {
                let bracket = loss.epsilon_within(delta, tolerance).unwrap();
                assert!(bracket.upper >= limit - 2e-9, "{name}: {bracket:?}");
                assert!(bracket.upper <= limit + tolerance, "{name}: {bracket:?}");
                assert!(bracket.lower <= limit + 2e-9, "{name}: {bracket:?}");
                assert!(bracket.width() <= tolerance + 1e-6, "{name}: {bracket:?}");
            }
        }
    }

    #[test]
    fn gaussian_composition_is_bracketed_on_the_grid_too() {
        // The grid machinery against the closed form, which `LossDistribution` would otherwise use.
        for (mu, k) in [(0.01, 100u64), (0.3, 40), (1.0, 1), (3.0, 7), (20.0, 2)] {
            let pair = Pair::gaussian(mu);
            let exact = GaussianDp::new(mu).unwrap().repeat(k);
            for delta in [1e-30, 1e-20, 1e-12, 1e-6, 1e-2, 0.3] {
                let truth = (exact.epsilon_lower(delta).unwrap(), exact.epsilon(delta).unwrap());
                let tolerance = |e: f64| 1e-4f64.min((0.01 * e).max(1e-7));
                let found = settle(&[vec![(&pair, k)]], Target::Delta(delta), tolerance, true);
                assert!(
                    found.lower <= truth.1 && found.upper >= truth.0,
                    "{mu} {k} {delta:e}: {found:?} {truth:?}"
                );
                assert!(found.width() <= 2e-4, "{mu} {k} {delta:e}: {found:?} {truth:?}");
                if truth.1 > 0.0 {
                    let epsilon = truth.1;
                    let found =
                        settle(&[vec![(&pair, k)]], Target::Epsilon(epsilon), |_| 1e-3, true);
                    let truth =
                        (exact.delta_lower(epsilon).unwrap(), exact.delta(epsilon).unwrap());
                    assert!(
                        found.lower <= truth.1 && found.upper >= truth.0,
                        "{mu} {k} {epsilon}: {found:?} {truth:?}"
                    );
                    assert!(
                        found.width() <= 2e-3 * found.upper,
                        "{mu} {k} {epsilon} {delta:e}: {found:?} {truth:?}"
                    );
                }
            }
        }
    }

    /// The exact delta of a composition of atomic pairs, by enumeration.
    fn enumerate(pairs: &[(&Pair, u64)], epsilon: f64) -> f64 {
        let mut law = vec![(0.0, 1.0)];
        let mut finite = 1.0;
        for (pair, count) in pairs {
            for _ in 0..*count {
                finite *= 1.0 - pair.infinity;
                let next = law
                    .iter()
                    .flat_map(|(y, p)| pair.atoms.iter().map(move |a| (y + a.loss, p * a.p())));
                let mut next: Vec<(f64, f64)> = next.collect();
                next.sort_by(|a, b| a.0.total_cmp(&b.0));
                let mut merged: Vec<(f64, f64)> = Vec::new();
                for (y, p) in next {
                    match merged.last_mut() {
                        Some(last) if (last.0 - y).abs() < 1e-12 => last.1 += p,
                        _ => merged.push((y, p)),
                    }
                }
                law = merged;
            }
        }
        let tail = law.iter().filter(|(y, _)| *y > epsilon);
        1.0 - finite + tail.map(|(y, p)| p * -(epsilon - y).exp_m1()).sum::<f64>()
    }

    #[test]
    fn discrete_mechanisms_match_enumeration() {
        let plans: Vec<Vec<(LossDistribution, u64)>> = vec![
            vec![(LossDistribution::randomized_response(0.7, 4).unwrap(), 6)],
            vec![(LossDistribution::discrete_laplace(2.0, 3).unwrap(), 5)],
            vec![
                (LossDistribution::approximate(0.3, 1e-3).unwrap(), 5),
                (LossDistribution::randomized_response(0.5, 2).unwrap(), 4),
            ],
            vec![
                (LossDistribution::pure(0.31).unwrap(), 3),
                (LossDistribution::pure(0.1).unwrap(), 3),
                (LossDistribution::discrete_laplace(7.3, 2).unwrap(), 2),
            ],
            vec![(LossDistribution::pure(1.0).unwrap().poisson_sampled(0.1).unwrap(), 7)],
            vec![(
                LossDistribution::discrete_laplace(1.5, 3).unwrap().poisson_sampled(0.3).unwrap(),
                4,
            )],
            vec![(
                LossDistribution::approximate(1.0, 0.01).unwrap().poisson_sampled(0.2).unwrap(),
                3,
            )],
        ];
        for (i, plan) in plans.iter().enumerate() {
            let loss =
                plan.iter().fold(LossDistribution::zero(), |sum, (l, k)| sum.and(&l.repeat(*k)));
            for epsilon in [0.0, 0.05, 0.33, 0.8, 1.7] {
                let truth = [0, 1].map(|d| {
                    let pairs: Vec<(&Pair, u64)> = loss.directions[d]
                        .iter()
                        .map(|(pair, count)| (pair.as_ref(), *count))
                        .collect();
                    if pairs.iter().any(|(p, _)| p.density.is_some()) {
                        return f64::NAN;
                    }
                    enumerate(&pairs, epsilon)
                });
                if truth[0].is_nan() {
                    continue;
                }
                let truth = truth[0].max(truth[1]);
                let found = loss.delta(epsilon).unwrap();
                assert!(found.lower <= truth * (1.0 + 1e-12), "{i} {epsilon}: {found:?} {truth}");
                assert!(found.upper >= truth * (1.0 - 1e-12), "{i} {epsilon}: {found:?} {truth}");
                assert!(found.width() <= 0.02 * truth + 1e-12, "{i} {epsilon}: {found:?} {truth}");
            }
        }
    }

    #[test]
    fn few_atoms_are_bracketed_up_to_their_largest_loss() {
        // Far apart on their grid, so that the tilt changes a lot from cell to cell.
        let plans = [
            LossDistribution::pure(0.7).unwrap(),
            LossDistribution::pure(6.0).unwrap(),
            LossDistribution::pure(30.0).unwrap().repeat(2),
            LossDistribution::randomized_response(1.3, 5).unwrap().repeat(3),
            LossDistribution::discrete_laplace(0.2, 2).unwrap().repeat(2),
            LossDistribution::pure(2.0).unwrap().poisson_sampled(0.01).unwrap(),
        ];
        for (i, loss) in plans.iter().enumerate() {
            let exact = |epsilon: f64| {
                let one = |d: usize| {
                    let parts = loss.directions[d].iter();
                    let pairs: Vec<_> =
                        parts.map(|(pair, count)| (pair.as_ref(), *count)).collect();
                    enumerate(&pairs, epsilon)
                };
                one(0).max(one(1))
            };
            let most = loss.pure_epsilon().unwrap();
            for step in 0..200 {
                let epsilon = most * f64::from(step) / 200.0;
                let truth = exact(epsilon);
                let found = loss.delta(epsilon).unwrap();
                let room = 1e-12 * truth + 1e-300;
                assert!(found.lower <= truth + room, "{i} {epsilon}: {found:?} {truth:e}");
                assert!(found.upper >= truth - room, "{i} {epsilon}: {found:?} {truth:e}");
                let width = found.width();
                assert!(width <= 0.02 * truth + 1e-13, "{i} {epsilon}: {found:?} {truth:e}");
                let back = loss.epsilon(truth).unwrap();
                assert!(back.lower <= epsilon + 1e-9, "{i} {epsilon}: {back:?}");
                assert!(back.upper >= epsilon * (1.0 - 1e-9), "{i} {epsilon}: {back:?}");
            }
        }
    }

    #[test]
    fn one_sampled_release_matches_its_closed_form() {
        // Amplification of a profile (Balle, Barthe, Gaboardi 2018, on Poisson subsampling): for epsilon >= 0,
        // delta'(ln(1 + q (e^epsilon - 1))) = q delta(epsilon), attained by the removal pair.
        for (sigma, q) in [(1.0, 0.01), (0.5, 0.3), (5.0, 0.001)] {
            let inner = GaussianDp::from_noise_multiplier(sigma).unwrap();
            let loss = LossDistribution::gaussian(sigma).unwrap().poisson_sampled(q).unwrap();
            let fixed =
                LossDistribution::gaussian(sigma).unwrap().sampled_without_replacement(q).unwrap();
            for epsilon in [0.1f64, 1.0, 3.0] {
                let outer = (q * epsilon.exp_m1()).ln_1p();
                let truth = q * inner.delta(epsilon).unwrap();
                for loss in [&loss, &fixed] {
                    let found = loss.delta(outer).unwrap();
                    assert!(
                        found.lower <= truth * (1.0 + 1e-9) && found.upper >= truth * (1.0 - 1e-9),
                        "{sigma} {q} {epsilon}: {found:?} {truth:e}"
                    );
                    // Far below, Chernoff's bound on the heavy tail stays valid and gets loose.
                    assert!(
                        truth < 1e-30 || found.width() <= 2e-3 * truth,
                        "{sigma} {q} {epsilon}: {found:?} {truth:e}"
                    );
                }
            }
        }
    }

    #[test]
    fn bounded_range_matches_its_profile_and_beats_pure() {
        let epsilon = 0.8f64;
        let loss = LossDistribution::bounded_range(epsilon).unwrap();
        for g in [0.0f64, 0.2, 0.5, 0.79] {
            let truth = ((0.5 * epsilon).exp() - (0.5 * g).exp()).powi(2) / epsilon.exp_m1();
            let found = loss.delta(g).unwrap();
            assert!(found.lower <= truth && truth <= found.upper, "{found:?} {truth}");
        }
        let many = loss.repeat(50).epsilon(1e-6).unwrap();
        let pure = LossDistribution::pure(epsilon).unwrap().repeat(50).epsilon(1e-6).unwrap();
        assert!(many.upper < pure.lower);
    }

    #[test]
    fn tiny_deltas_of_sampled_noise_are_bracketed() {
        let loss =
            LossDistribution::gaussian(2.0).unwrap().poisson_sampled(0.01).unwrap().repeat(500);
        let mut last = 0.0;
        for delta in [1e-2, 1e-5, 1e-10, 1e-15, 1e-20, 1e-30] {
            let found = loss.epsilon(delta).unwrap();
            assert!(found.lower > last && found.width() <= 1e-4, "{delta:e} {found:?}");
            last = found.upper;
            let renyi = crate::renyi::RenyiCurve::sampled_gaussian(2.0, 0.01).unwrap().repeat(500);
            assert!(found.lower < renyi.epsilon(delta).unwrap());
            let back = loss.delta(found.upper).unwrap();
            assert!(back.lower <= delta, "{delta:e} {found:?} {back:?}");
        }
    }
}
