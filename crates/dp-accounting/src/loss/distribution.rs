//! The public face: loss distributions of mechanisms, and questions to their composition.

use std::sync::Arc;

use super::certify::{Bracket, merge_gaussians, settle};
use super::density::Direction;
use super::pair::Pair;
use super::tilt::Target;
use crate::error::{Result, non_negative, out_of_range, positive, probability};
use crate::gaussian::GaussianDp;
use crate::numeric::{U, up};

/// The privacy loss of a mechanism, or of a composition of them, in both directions of the
/// neighbouring relation.
///
/// # Privacy
///
/// Each constructor names the pair it uses. A composition of dominating pairs dominates the
/// composition ([Zhu, Dong, Wang 2022](https://arxiv.org/abs/2106.08567), Theorem 10), and the
/// answers bracket the exact curve of that composition of pairs. For Laplace, Gaussian, discrete
/// noise and randomized response the pairs are the mechanisms themselves, and the curve is theirs
/// (with the noise multiplier's inverse rounded up by an ulp or two).
///
/// # Example
///
/// ```
/// use dp_accounting::loss::LossDistribution;
///
/// let step = LossDistribution::laplace(10.0)?;
/// let answer = step.repeat(100).epsilon(1e-6)?;
/// // The plain sum is 10.
/// assert!(answer.upper < 4.6928 && answer.lower > 4.6924);
/// # Ok::<(), dp_accounting::AccountingError>(())
/// ```
#[derive(Debug, Clone)]
pub struct LossDistribution {
    /// Pairs with multiplicity: the record is in P's data (first) or in Q's (second).
    directions: [Vec<(Arc<Pair>, u64)>; 2],
    symmetric: bool,
}

/// The tolerance used unless another is given: `1e-4` in epsilon.
const DEFAULT_TOLERANCE: f64 = 1e-4;

impl LossDistribution {
    /// Doing nothing.
    #[must_use]
    pub fn zero() -> Self {
        LossDistribution { directions: [Vec::new(), Vec::new()], symmetric: true }
    }

    fn symmetric(pair: Pair) -> Self {
        let pair = Arc::new(pair);
        LossDistribution {
            directions: [vec![(Arc::clone(&pair), 1)], vec![(pair, 1)]],
            symmetric: true,
        }
    }

    /// Gaussian noise of `noise_multiplier` standard deviations per unit of L2 sensitivity.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless the multiplier is finite and its inverse, too.
    pub fn gaussian(noise_multiplier: f64) -> Result<Self> {
        Ok(Self::symmetric(Pair::gaussian(
            GaussianDp::from_noise_multiplier(noise_multiplier)?.mu(),
        )))
    }

    /// Laplace noise of `noise_multiplier` scales per unit of L1 sensitivity, one value.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless the multiplier is between 1e-6 and 1e15.
    pub fn laplace(noise_multiplier: f64) -> Result<Self> {
        let b = in_range("noise_multiplier", noise_multiplier, &SCALES)?;
        Ok(Self::symmetric(Pair::laplace(up(1.0 / b, U))))
    }

    /// Discrete Laplace (two-sided geometric) noise of `scale`, `P(x)` proportional to
    /// `e^(-|x|/scale)`, on an integer of sensitivity `sensitivity`.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `scale` is between 1e-6 and 1e15 and the sensitivity between 1 and 10^6.
    pub fn discrete_laplace(scale: f64, sensitivity: u32) -> Result<Self> {
        let scale = in_range("scale", scale, &SCALES)?;
        let d = in_range("sensitivity", f64::from(sensitivity), &SENSITIVITIES)? as u32;
        Ok(Self::symmetric(Pair::discrete_laplace(up(1.0 / scale, U), d)))
    }

    /// Discrete Gaussian noise of parameter `sigma`, `P(x)` proportional to
    /// `e^(-x^2/(2 sigma^2))`, on one integer of sensitivity `sensitivity`.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `sigma` is between 0.02 and 20,000 and the sensitivity between 1 and
    /// 10^6. Larger noise is priced by its zCDP.
    pub fn discrete_gaussian(sigma: f64, sensitivity: u32) -> Result<Self> {
        let sigma = in_range("sigma", sigma, &DISCRETE_SIGMAS)?;
        let d = in_range("sensitivity", f64::from(sensitivity), &SENSITIVITIES)? as u32;
        Ok(Self::symmetric(Pair::discrete_gaussian(sigma, d)))
    }

    /// k-ary randomized response, one report replaced: the truth has odds `e^epsilon` to 1 against
    /// each of the other categories.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is between 0 and 1e6 and there are two categories or more.
    pub fn randomized_response(epsilon: f64, categories: u32) -> Result<Self> {
        let epsilon = in_range("epsilon", epsilon, &EPSILONS)?;
        if categories < 2 {
            return Err(out_of_range("categories", f64::from(categories), "2 or more"));
        }
        if epsilon == 0.0 {
            return Ok(Self::zero());
        }
        Ok(Self::symmetric(Pair::randomized_response(epsilon, categories)))
    }

    /// The exponential mechanism, or any mechanism whose loss stays in an interval of length
    /// `epsilon`: the pair whose curve is `(e^(epsilon/2) - e^(g/2))^2 / (e^epsilon - 1)`, the
    /// largest over the family of [Dong, Durfee, Rogers 2020](https://arxiv.org/abs/1909.13830).
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is between 1e-15 and 1e6.
    pub fn bounded_range(epsilon: f64) -> Result<Self> {
        Ok(Self::symmetric(Pair::bounded_range(in_range("epsilon", epsilon, &RANGES)?)))
    }

    /// Any `epsilon`-DP mechanism: randomized response is the worst
    /// ([Kairouz, Oh, Viswanath 2015](https://arxiv.org/abs/1311.0776), Theorem 3.2).
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is between 0 and 1e6.
    pub fn pure(epsilon: f64) -> Result<Self> {
        Self::randomized_response(epsilon, 2)
    }

    /// Any (`epsilon`, `delta`)-DP mechanism, by the same theorem.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is between 0 and 1e6 and `delta` is a probability.
    pub fn approximate(epsilon: f64, delta: f64) -> Result<Self> {
        let epsilon = in_range("epsilon", epsilon, &EPSILONS)?;
        let delta = probability("delta", delta)?;
        if epsilon == 0.0 && delta == 0.0 {
            return Ok(Self::zero());
        }
        Ok(Self::symmetric(Pair::black_box(epsilon, delta)))
    }

    /// The Gaussian guarantee as a loss distribution.
    #[must_use]
    pub fn of_gaussian(guarantee: GaussianDp) -> Self {
        if guarantee.mu() == 0.0 {
            return Self::zero();
        }
        Self::symmetric(Pair::gaussian(guarantee.mu()))
    }

    /// Shuffled reports of `reports` users, each by an `epsilon`-DP local randomizer, one user's
    /// value replaced: [Feldman, McMillan, Talwar 2021](https://arxiv.org/abs/2012.12803), Theorem
    /// 3.2, whatever the randomizer. The pair is an upper bound, rounded up; the lower end of a
    /// bracket is that of the pair, not of a particular randomizer.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `epsilon` is between 0 and 1e6.
    pub fn shuffled(epsilon: f64, reports: u64) -> Result<Self> {
        let epsilon = in_range("epsilon", epsilon, &EPSILONS)?;
        match super::shuffle::pair(epsilon, reports) {
            Some(pair) if epsilon > 0.0 => Ok(Self::symmetric(pair)),
            _ => Self::pure(epsilon),
        }
    }

    /// This mechanism on a Poisson sample under add/remove: each record takes part independently
    /// with probability `rate`. Pairs ((1-q)Q + qP, Q) and (P, (1-q)P + qQ), Zhu, Dong, Wang 2022,
    /// Theorem 11; `self` must be one mechanism, measured by add/remove, and not sampled yet.
    ///
    /// # Errors
    ///
    /// `OutOfRange` if `rate` is no probability or `self` is a composition.
    pub fn poisson_sampled(&self, rate: f64) -> Result<Self> {
        let q = probability("rate", rate)?;
        let pair = self.single()?;
        if q == 0.0 {
            return Ok(Self::zero());
        }
        if q >= 1.0 {
            return Ok(self.clone());
        }
        let remove = Arc::new(pair.poisson(q, Direction::Remove));
        let add = Arc::new(pair.poisson(q, Direction::Add));
        Ok(LossDistribution { directions: [vec![(remove, 1)], vec![(add, 1)]], symmetric: false })
    }

    /// This mechanism on `rate` of the records, drawn without replacement, one record replaced:
    /// Zhu, Dong, Wang 2022, Theorem 11. `self` must be one mechanism, measured by replacement.
    ///
    /// # Errors
    ///
    /// `OutOfRange` if `rate` is no probability or `self` is a composition.
    pub fn sampled_without_replacement(&self, rate: f64) -> Result<Self> {
        let q = probability("rate", rate)?;
        let pair = self.single()?;
        if q == 0.0 {
            return Ok(Self::zero());
        }
        if q >= 1.0 {
            return Ok(self.clone());
        }
        Ok(Self::symmetric(pair.without_replacement(q)))
    }

    /// Poisson-sampled Gaussian noise, one record replaced by another: the records contribute up
    /// to 1 each (L2), noise is `noise_multiplier`, and the pair is
    /// ((1-q)N(0) + qN(-1), (1-q)N(0) + qN(1)).
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless the multiplier is between 1e-3 and 1e15 and `rate` is a probability.
    pub fn poisson_sampled_gaussian_replace(noise_multiplier: f64, rate: f64) -> Result<Self> {
        let sigma = in_range("noise_multiplier", noise_multiplier, &SIGMAS)?;
        let q = probability("rate", rate)?;
        if q == 0.0 {
            return Ok(Self::zero());
        }
        if q >= 1.0 {
            return Self::gaussian(0.5 * sigma);
        }
        Ok(Self::symmetric(Pair::replace_gaussian(sigma, q)))
    }

    fn single(&self) -> Result<&Pair> {
        match (&self.symmetric, self.directions[0].as_slice()) {
            (true, [(pair, 1)]) => Ok(pair),
            (_, parts) => Err(out_of_range(
                "mechanism",
                parts.len() as f64,
                "a single mechanism that is not sampled yet",
            )),
        }
    }

    /// This and `other` one after the other.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let join = |a: &[(Arc<Pair>, u64)], b: &[(Arc<Pair>, u64)]| {
            let mut all = a.to_vec();
            for (pair, count) in b {
                match all.iter_mut().find(|(known, _)| known == pair) {
                    Some(known) => known.1 = known.1.saturating_add(*count),
                    None => all.push((Arc::clone(pair), *count)),
                }
            }
            all
        };
        let directions = [0, 1].map(|i| join(&self.directions[i], &other.directions[i]));
        LossDistribution { directions, symmetric: self.symmetric && other.symmetric }
    }

    /// This `times` times over.
    #[must_use]
    pub fn repeat(&self, times: u64) -> Self {
        if times == 0 {
            return Self::zero();
        }
        let scale = |parts: &Vec<(Arc<Pair>, u64)>| {
            parts
                .iter()
                .map(|(pair, count)| (Arc::clone(pair), count.saturating_mul(times)))
                .collect()
        };
        let directions = [scale(&self.directions[0]), scale(&self.directions[1])];
        LossDistribution { directions, symmetric: self.symmetric }
    }

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

    /// The epsilon at `delta`, bracketed to `tolerance` as far as 2^22 cells and double precision
    /// allow; the bracket that is returned always holds.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `delta` is a probability and `tolerance` is finite and above 0.
    pub fn epsilon_within(&self, delta: f64, tolerance: f64) -> Result<Bracket> {
        self.ask_epsilon(delta, tolerance, true)
    }

    /// The upper end of [`LossDistribution::epsilon_within`] alone, in about half the time: the
    /// grid is the one that should meet the tolerance, and this is not verified.
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

    fn settle(&self, target: Target, tolerance: impl Fn(f64) -> f64, lower: bool) -> Bracket {
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
    fn as_gaussian(&self) -> Option<(GaussianDp, GaussianDp)> {
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
    fn support_bracket(&self) -> Bracket {
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

/// Limits of a parameter, with their text.
struct Limits(f64, f64, &'static str);

const SCALES: Limits = Limits(1e-6, 1e15, "between 1e-6 and 1e15");
const SIGMAS: Limits = Limits(1e-3, 1e15, "between 1e-3 and 1e15");
const DISCRETE_SIGMAS: Limits = Limits(0.02, 2e4, "between 0.02 and 20,000");
const SENSITIVITIES: Limits = Limits(1.0, 1e6, "between 1 and 10^6");
const EPSILONS: Limits = Limits(0.0, 1e6, "between 0 and 1e6");
const RANGES: Limits = Limits(1e-15, 1e6, "between 1e-15 and 1e6");

fn in_range(parameter: &'static str, value: f64, limits: &Limits) -> Result<f64> {
    let Limits(low, high, range) = *limits;
    if value >= low && value <= high {
        return Ok(value);
    }
    Err(out_of_range(parameter, value, range))
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
                    .flat_map(|(y, p)| pair.atoms.iter().map(move |(z, m)| (y + z, p * m)));
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
    fn one_sampled_release_matches_its_closed_form() {
        // Amplification of a profile (Balle, Barthe, Gaboardi 2018, Theorem 8): for epsilon >= 0,
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

    #[test]
    fn compositions_with_themselves_are_refused_as_samples() {
        let twice = LossDistribution::laplace(1.0).unwrap().repeat(2);
        assert!(twice.poisson_sampled(0.1).is_err());
        let sampled = LossDistribution::laplace(1.0).unwrap().poisson_sampled(0.1).unwrap();
        assert!(sampled.poisson_sampled(0.5).is_err());
    }
}
