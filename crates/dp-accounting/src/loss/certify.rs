//! The bracket: grid from the tolerance, upper and lower bound, refinement until they meet.

use serde::{Deserialize, Serialize};

use super::compose::{compose, log_moment};
use super::composed::Composed;
use super::density::Density;
use super::discretize::{Grid, Side, discretize, discretize_both};
use super::pair::Pair;
use super::stride::Strides;
use super::tilt::{Part, Sight, Target, aim, choose_step};

/// A certified enclosure: the exact value lies in `[lower, upper]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bracket {
    /// Never above the exact value.
    #[serde(with = "crate::exact")]
    pub lower: f64,
    /// Never below the exact value; the one to report.
    #[serde(with = "crate::exact")]
    pub upper: f64,
}

impl Bracket {
    /// The distance between the ends; infinite if the upper end is.
    #[must_use]
    pub fn width(&self) -> f64 {
        if self.upper.is_finite() { self.upper - self.lower } else { f64::INFINITY }
    }

    /// What two enclosures of one value have in common.
    fn meet(self, other: Bracket) -> Bracket {
        let upper = self.upper.min(other.upper);
        Bracket { lower: self.lower.max(other.lower).min(upper), upper }
    }

    /// The larger of two enclosed values.
    pub(super) fn max(self, other: Bracket) -> Bracket {
        Bracket { lower: self.lower.max(other.lower), upper: self.upper.max(other.upper) }
    }
}

/// Most cells of a grid or a window; beyond it the step grows instead.
const MOST_CELLS: f64 = (1u64 << 20) as f64;
/// Finest step of a density: below it the rounding of the tails, divided by the step, would weigh
/// more than the discretization.
const FINEST: f64 = 3e-9;
/// Most times that a window is doubled because too much was wrapped into it.
const WIDER: usize = 2;
/// Most pairs that basic composition is tried for.
const MOST_SPLIT: usize = 64;
/// Most refinements of the grid.
const ROUNDS: usize = 4;

/// Brackets the answer for one direction.
pub(super) struct Question<'a> {
    parts: Vec<Part<'a>>,
    target: Target,
    sight: Sight,
    /// Of epsilon, or relative of delta.
    tolerance: f64,
    /// The delta in question, or a rough guess of it.
    delta: f64,
}

/// The share of the delta in question that may be moved to infinity.
const CUT: f64 = 1e-8;

impl<'a> Question<'a> {
    pub(super) fn new(pairs: &[(&'a Pair, u64)], target: Target, tolerance: f64) -> Self {
        let make = |delta: f64| cut(pairs.iter().copied(), CUT * delta);
        let delta = match target {
            Target::Delta(delta) => delta,
            Target::Epsilon(epsilon) => {
                // A first look for the size of the answer. A heavy far tail hides it at first, and
                // is cut off as the estimate falls.
                let (mut delta, mut seen) = (1.0, 0.0);
                for _ in 0..6 {
                    let parts = make(seen);
                    let sight = aim(&parts, target, tolerance);
                    let next = super::tilt::rough_delta(&parts, &sight, epsilon);
                    let settled = next > 0.1 * delta;
                    delta = next.min(delta);
                    seen = delta;
                    if settled {
                        break;
                    }
                }
                delta
            }
        };
        let parts = make(delta);
        let sight = aim(&parts, target, tolerance);
        Question { parts, target, sight, tolerance, delta }
    }

    /// The same with as much of the tails at infinity as the tolerance has room for: a far tail
    /// that is heavy once it is tilted drowns what matters in the transform's round-off.
    fn shortened(&self) -> Self {
        let room = match self.target {
            Target::Delta(_) => self.tolerance * (1.0 + self.sight.theta),
            Target::Epsilon(_) => self.tolerance,
        };
        let share = (0.05 * room).clamp(CUT, 1e-3);
        let pairs = self.parts.iter().map(|part| (part.pair, part.count));
        let parts = cut(pairs, share * self.delta);
        let sight = aim(&parts, self.target, self.tolerance);
        Question { parts, sight, ..*self }
    }

    /// The step at which the upper bound exceeds the exact value by about `tolerance`:
    /// `(k h^2 / 12) (1 + theta)`.
    pub(super) fn step_for(&self, tolerance: f64) -> f64 {
        let rough = |part: &&Part<'_>| part.pair.density.is_some() || part.pair.lattice.is_none();
        let count: f64 = self.parts.iter().filter(rough).map(|part| part.count as f64).sum();
        let wanted = (12.0 * tolerance / (count.max(1.0) * (1.0 + self.sight.theta))).sqrt();
        // A density needs a few cells whatever the tolerance says.
        let wanted = self
            .parts
            .iter()
            .filter(|part| part.pair.density.is_some())
            .fold(wanted, |step, part| step.min((part.span.1 - part.span.0) / 16.0));
        self.limit(choose_step(&self.parts, wanted))
    }

    /// Enlarges the step until the work is bounded.
    fn limit(&self, step: f64) -> f64 {
        let width = |part: &Part<'_>| {
            let density = if part.pair.density.is_some() { part.span.1 - part.span.0 } else { 0.0 };
            density.max(part.pair.width())
        };
        let widest = self.parts.iter().map(width).fold(self.sight.high - self.sight.low, f64::max);
        let dense = self.parts.iter().any(|part| part.pair.density.is_some());
        step.max(widest / MOST_CELLS).max(if dense { FINEST } else { 1e-290 })
    }

    fn grids(
        &self,
        side: Side,
        step: f64,
        strides: impl Fn(&Part<'_>) -> Strides,
    ) -> Vec<(Grid, u64)> {
        let grid = |part: &Part<'_>| {
            let offset = offset(part.pair, step);
            let strides = strides(part);
            (discretize(part.pair, side, step, offset, part.span, &strides), part.count)
        };
        self.parts.iter().map(grid).collect()
    }

    fn both_grids(&self, step: f64) -> [Vec<(Grid, u64)>; 2] {
        let mut all = [Vec::new(), Vec::new()];
        for part in &self.parts {
            let (offset, strides) = (offset(part.pair, step), part.strides(self.sight.theta, step));
            let grids = discretize_both(part.pair, step, offset, part.span, &strides);
            for (all, grid) in all.iter_mut().zip(grids) {
                all.push((grid, part.count));
            }
        }
        all
    }

    /// The composition at a given step, and what it answers.
    fn composed(&self, side: Side, step: f64) -> (Composed, f64) {
        let theta = self.sight.theta;
        let parts = self.grids(side, step, |part| part.strides(theta, step));
        self.seen(&parts, side, self.sight)
    }

    /// The composition of grids, in the window of `sight` or a wider one.
    fn seen(&self, parts: &[(Grid, u64)], side: Side, mut sight: Sight) -> (Composed, f64) {
        let coarse = |(grid, _): &(Grid, u64)| grid.mass.len() < 1024;
        let empty = parts.iter().any(|(grid, _)| grid.is_empty());
        if !self.is_exact() && !empty && parts.iter().any(coarse) {
            // So coarse a grid has a law of its own; look at that.
            let seen: Vec<Part<'_>> =
                self.parts.iter().zip(parts).map(|(part, (grid, _))| part.on(grid)).collect();
            sight = aim(&seen, self.target, self.tolerance);
        }
        let mut composed = self.compose(parts, side, &sight);
        let mut answer = self.read(&composed);
        let blind = matches!(self.target, Target::Delta(_)) && !composed.sees(answer);
        if blind && sight.floor < sight.low {
            sight = sight.widened();
            composed = self.compose(parts, side, &sight);
            answer = self.read(&composed);
        }
        for _ in 0..WIDER {
            let (epsilon, delta, room) = match self.target {
                Target::Delta(delta) => (answer, delta, self.tolerance * (1.0 + sight.theta)),
                Target::Epsilon(epsilon) => (epsilon, answer, self.tolerance),
            };
            let full = composed.mass.len() as f64 >= MOST_CELLS;
            if full || composed.outside(epsilon, delta) <= 0.05 * room.clamp(1e-9, 1.0) {
                break;
            }
            sight = sight.raised();
            composed = self.compose(parts, side, &sight);
            answer = self.read(&composed);
        }
        (composed, answer)
    }

    fn compose(&self, parts: &[(Grid, u64)], side: Side, sight: &Sight) -> Composed {
        let step = parts.first().map_or(1.0, |(grid, _)| grid.step);
        let cells = ((sight.high - sight.low) / step).ceil() + 8.0;
        // Not a number becomes the smallest.
        let length = (cells.clamp(32.0, MOST_CELLS) as usize).max(32).next_power_of_two();
        compose(parts, side, sight, length)
    }

    fn read(&self, composed: &Composed) -> f64 {
        match self.target {
            Target::Delta(delta) => composed.epsilon(delta, self.sight.guess),
            Target::Epsilon(epsilon) => composed.delta(epsilon),
        }
    }

    /// One side of the bracket at a given step.
    pub(super) fn bound(&self, side: Side, step: f64) -> f64 {
        self.composed(side, step).1
    }

    /// Both ends by plain convolution, which sees small masses beside large ones; `None` if that
    /// takes too many cells.
    fn direct(&self, step: f64, want_lower: bool) -> Option<Bracket> {
        let side = |side: Side| {
            let grids = self.grids(side, step, |_| Strides::one());
            let composed = super::direct::compose(&grids, side, (1e-9 * self.delta).max(1e-300))?;
            Some(self.read(&composed))
        };
        let upper = side(Side::Upper)?;
        if !want_lower {
            return Some(Bracket { lower: 0.0, upper });
        }
        let mut lower = side(Side::Lower)?;
        if !self.is_exact() {
            lower = lower.max(side(Side::Floor)?);
        }
        Some(Bracket { lower: lower.min(upper), upper })
    }

    /// [`Question::direct`] at the finest step it can be done at.
    fn coarse(&self, want_lower: bool) -> Option<Bracket> {
        let span = |part: &Part<'_>| match part.pair.density {
            Some(_) => part.span.1 - part.span.0,
            None => part.pair.width(),
        };
        let widest = self.parts.iter().map(span).fold(0.0, f64::max);
        let finest = widest / super::direct::MOST as f64;
        (0..6).find_map(|i| {
            let step = choose_step(&self.parts, finest * 2f64.powi(i));
            (step > 0.0).then(|| self.direct(step, want_lower)).flatten()
        })
    }
}

/// Rough pictures of pairs, with about `mass` of their composition moved to infinity.
fn cut<'a>(pairs: impl Iterator<Item = (&'a Pair, u64)> + Clone, mass: f64) -> Vec<Part<'a>> {
    let steps: f64 = pairs.clone().map(|(_, count)| count as f64).sum();
    let above = (mass / steps.max(1.0)).clamp(1e-300, 1e-3);
    pairs.map(|(pair, count)| Part::new(pair, count, above)).collect()
}

/// The offset of a pair's grid: the remainder of its anchor, so that the grid passes through zero's
/// neighbourhood.
fn offset(pair: &Pair, step: f64) -> f64 {
    let anchor = pair.anchor();
    anchor - (anchor / step).round() * step
}

/// The larger answer over the directions, to `tolerance` where that can be reached.
///
/// The direction that looks worst is answered first; another is looked at on a grid eight times
/// coarser, and in full only if it could still be the larger.
pub(super) fn settle(
    directions: &[Vec<(&Pair, u64)>],
    target: Target,
    tolerance: impl Fn(f64) -> f64,
    want_lower: bool,
) -> Bracket {
    // A direction whose losses end below epsilon has delta 0 and needs no grid.
    let open = |pairs: &&Vec<(&Pair, u64)>| match target {
        Target::Delta(_) => true,
        Target::Epsilon(epsilon) => largest_loss(pairs).is_none_or(|most| most > epsilon),
    };
    let mut best = Bracket { lower: 0.0, upper: 0.0 };
    let mut questions: Vec<(Question<'_>, Bracket)> = Vec::new();
    for pairs in directions.iter().filter(open) {
        let mut known = Bracket { lower: 0.0, upper: f64::INFINITY };
        if let [(pair, 1)] = pairs.as_slice() {
            known = super::single::answer(pair, target);
            if is_close(known, target, &tolerance) {
                best = best.max(known);
                continue;
            }
        }
        questions.push((
            Question::new(
                pairs,
                target,
                tolerance(match target {
                    Target::Delta(_) => f64::MAX,
                    Target::Epsilon(_) => 1.0,
                }),
            ),
            known,
        ));
    }
    questions.sort_by(|a, b| b.0.rank().total_cmp(&a.0.rank()));
    for (i, (question, known)) in questions.iter().enumerate() {
        // A relative error of delta is one of epsilon times the slope theta.
        let goal = match target {
            Target::Delta(_) => tolerance(question.sight.guess),
            Target::Epsilon(_) => tolerance(1.0) / (1.0 + question.sight.theta),
        };
        if i > 0 {
            let coarse = question.bound(Side::Upper, question.step_for(64.0 * goal));
            if coarse <= best.upper {
                continue;
            }
        }
        let answer = question.answer(goal, &tolerance, want_lower).meet(*known);
        best = best.max(answer.meet(question.ceiling()));
    }
    if let Target::Delta(_) = target {
        let most = directions.iter().map(|pairs| largest_loss(pairs).unwrap_or(f64::INFINITY));
        best.upper = best.upper.min(most.fold(0.0, f64::max));
        best.lower = best.lower.min(best.upper);
    }
    best
}

/// Whether a bracket meets the tolerance.
fn is_close(bracket: Bracket, target: Target, tolerance: &impl Fn(f64) -> f64) -> bool {
    match target {
        Target::Delta(_) => bracket.width() <= tolerance(bracket.upper),
        // What is hardly a number is close enough.
        Target::Epsilon(_) => bracket.width() <= tolerance(1.0) * bracket.upper.max(1e-295),
    }
}

/// The largest loss of a composition, rounded up, if it is bounded.
pub(super) fn largest_loss(pairs: &[(&Pair, u64)]) -> Option<f64> {
    let mut sum = 0.0;
    for (pair, count) in pairs {
        if pair.infinity > 0.0 || !pair.highest().is_finite() {
            return None;
        }
        sum += pair.highest() * *count as f64;
    }
    Some(sum + 1e-12 * sum.abs())
}

impl Question<'_> {
    /// Which direction looks worse.
    fn rank(&self) -> f64 {
        match self.target {
            Target::Delta(_) => self.sight.guess,
            Target::Epsilon(epsilon) => super::tilt::rough_delta(&self.parts, &self.sight, epsilon),
        }
    }

    fn answer(&self, goal: f64, tolerance: &impl Fn(f64) -> f64, want_lower: bool) -> Bracket {
        if self.is_exact()
            && let Some(bracket) = self.direct(self.step_for(goal), want_lower)
        {
            return bracket;
        }
        if !want_lower {
            return self.answer_above(goal, tolerance);
        }
        let mut bracket = self.refined(goal, tolerance);
        if !is_close(bracket, self.target, tolerance) && !self.is_exact() {
            bracket = bracket.meet(self.shortened().refined(goal, tolerance));
        }
        if !is_close(bracket, self.target, tolerance) {
            bracket = self.coarse(true).map_or(bracket, |coarse| bracket.meet(coarse));
            bracket = bracket.meet(self.split());
        }
        bracket
    }

    /// Both ends on finer and finer grids, until they meet or stop to approach each other.
    fn refined(&self, goal: f64, tolerance: &impl Fn(f64) -> f64) -> Bracket {
        let mut bracket = Bracket { lower: 0.0, upper: f64::INFINITY };
        let (mut coarser, mut share) = (0.5, 0.5);
        let (mut last, mut returned) = (f64::INFINITY, false);
        for _ in 0..ROUNDS {
            let (step, [above, below]) = self.both(goal, &mut share);
            let upper = self.seen(&above, Side::Upper, self.sight).1;
            let lower = self.seen(&below, Side::Lower, self.sight).1;
            bracket = bracket.meet(Bracket { lower, upper });
            let (gap, wanted) = match self.target {
                Target::Delta(_) => (bracket.width(), tolerance(bracket.upper)),
                Target::Epsilon(_) => {
                    (bracket.width() / bracket.upper.max(f64::MIN_POSITIVE), tolerance(1.0))
                }
            };
            let smallest = self.limit(0.0) * 1.01;
            if gap <= wanted || self.is_exact() {
                break;
            }
            // The gap is quadratic in the step, linear in the share. Where it does not shrink,
            // rounding or wrapping has outgrown it, and the best step lies in between.
            if !gap.is_finite() || returned {
                break;
            }
            returned = gap > 0.5 * last || step <= smallest;
            if returned {
                share = (coarser * share).sqrt();
            } else {
                (coarser, last) = (share, gap);
                share *= (0.7 * wanted / gap).clamp(1.0 / 64.0, 0.7);
            }
        }
        bracket
    }

    /// Both laws on a grid about as fine as the tolerance needs, and the step; `share` of the goal
    /// is first tried for the upper end.
    ///
    /// The moments at the tilt tell how far the two ends will lie apart before anything is composed.
    /// How much finer than for the upper end alone that is depends on how the density bends.
    fn both(&self, goal: f64, share: &mut f64) -> (f64, [Vec<(Grid, u64)>; 2]) {
        let theta = self.sight.theta;
        let moment = |grids: &[(Grid, u64)]| -> f64 {
            grids.iter().map(|(grid, count)| log_moment(grid, theta) * *count as f64).sum()
        };
        let at = |share: f64| {
            let step = self.step_for(share * goal);
            (step, self.both_grids(step))
        };
        let mut found = at(*share);
        for _ in 0..2 {
            let gap = (moment(&found.1[0]) - moment(&found.1[1])) / theta / goal;
            let finer = self.is_exact() || found.0 <= self.limit(0.0) * 1.01;
            if !gap.is_finite() || gap <= 0.93 || finer {
                break;
            }
            // At least quadratic in the step, mostly between that and its fourth power.
            *share *= (0.85 / gap).powf(2.0 / 3.0).max(0.125);
            found = at(*share);
        }
        found
    }

    /// The upper end alone, on the grid that should bring the two ends together.
    fn answer_above(&self, goal: f64, tolerance: &impl Fn(f64) -> f64) -> Bracket {
        let above = |question: &Question<'_>| {
            let (_, [above, _]) = question.both(goal, &mut 0.5);
            let (mut composed, upper) = question.seen(&above, Side::Upper, question.sight);
            composed.forget_errors();
            // What it would be without the certificate: far less if the certificate is the problem.
            let guess = Bracket { lower: question.read(&composed).min(upper), upper };
            (Bracket { lower: 0.0, upper }, is_close(guess, self.target, tolerance))
        };
        let (mut found, mut close) = above(self);
        if !close && !self.is_exact() {
            let (shortened, is_close) = above(&self.shortened());
            (found, close) = (found.meet(shortened), is_close);
        }
        if close {
            return found;
        }
        self.coarse(false).map_or(found, |coarse| found.meet(coarse)).meet(self.split())
    }

    /// The upper end by basic composition, which looks at every pair some hundred times.
    fn split(&self) -> Bracket {
        let pairs: Vec<_> = self.parts.iter().map(|part| (part.pair, part.count)).collect();
        if pairs.len() > MOST_SPLIT {
            return Bracket { lower: 0.0, upper: f64::INFINITY };
        }
        super::split::bound(&pairs, self.target)
    }

    /// What bounded losses alone say: epsilon is no more than the largest, and delta no more than if
    /// that one were certain.
    fn ceiling(&self) -> Bracket {
        let pairs: Vec<_> = self.parts.iter().map(|part| (part.pair, part.count)).collect();
        let upper = match (largest_loss(&pairs), self.target) {
            (None, _) => f64::INFINITY,
            (Some(most), Target::Delta(_)) => most.max(0.0),
            (Some(most), Target::Epsilon(epsilon)) => {
                (-(epsilon - most).min(0.0).exp_m1()) * (1.0 + 1e-12) + f64::MIN_POSITIVE
            }
        };
        Bracket { lower: 0.0, upper }
    }

    /// True if no discretization error is left to shrink.
    fn is_exact(&self) -> bool {
        let exact = |part: &Part<'_>| part.pair.density.is_none() && part.pair.lattice.is_some();
        let gap = |part: &Part<'_>| part.pair.lattice.map_or(0.0, |lattice| lattice.1);
        self.parts.iter().all(exact)
            && self.parts.iter().map(gap).all(|g| {
                let first = self.parts.first().map_or(0.0, gap);
                g == 0.0 || (g / first - 1.0).abs() < 1e-13
            })
    }
}

/// Merges the Gaussian parts of a composition into one: their mus add in squares, exactly.
pub(super) fn merge_gaussians(pairs: &[(&Pair, u64)]) -> (Vec<usize>, f64) {
    let mut rest = Vec::new();
    let mut square = 0.0f64;
    for (i, (pair, count)) in pairs.iter().enumerate() {
        match &pair.density {
            Some(Density::Gaussian { mu }) if pair.atoms.is_empty() && pair.infinity == 0.0 => {
                square += mu * mu * *count as f64;
            }
            _ => rest.push(i),
        }
    }
    (rest, square)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaussian::GaussianDp;

    /// What is seen of forty Gaussian steps through a window that was badly chosen: alone, and after
    /// a second look.
    fn looks(side: Side, change: impl Fn(Sight, f64) -> Sight) -> (f64, f64, f64) {
        let (pair, count, delta) = (Pair::gaussian(0.3), 40, 1e-6);
        let truth = GaussianDp::new(0.3).unwrap().repeat(count).epsilon(delta).unwrap();
        let question = Question::new(&[(&pair, count)], Target::Delta(delta), 1e-4);
        let grids = question.grids(side, question.step_for(2e-5), |_| Strides::one());
        let sight = change(question.sight, truth);
        let alone = question.read(&question.compose(&grids, side, &sight));
        (truth, alone, question.seen(&grids, side, sight).1)
    }

    #[test]
    fn an_answer_below_the_window_is_looked_for_in_a_wider_one() {
        let high = |sight: Sight, truth: f64| Sight { low: truth + 0.5, ..sight };
        let (truth, alone, again) = looks(Side::Upper, high);
        assert!(alone > truth + 0.4, "the window was not narrow: {alone}");
        assert!(again >= truth && again < truth + 1e-4, "{again} {truth}");
        let (truth, alone, again) = looks(Side::Lower, high);
        assert_eq!(alone, 0.0);
        assert!(again <= truth && again > truth - 1e-4, "{again} {truth}");
    }

    #[test]
    fn a_window_into_which_much_is_wrapped_is_doubled() {
        let short = |sight: Sight, truth: f64| Sight { high: truth + 0.2, ..sight };
        let (truth, alone, again) = looks(Side::Lower, short);
        assert!(alone < truth - 1e-3, "the window was not short: {alone}");
        assert!(again <= truth && again > truth - 1e-4, "{again} {truth}");
        let (truth, alone, again) = looks(Side::Upper, short);
        assert!(alone >= truth && again >= truth && again < truth + 1e-4, "{alone} {again}");
    }

    #[test]
    fn wider_cells_cost_little_and_save_most_of_the_tails() {
        use crate::loss::LossDistribution;
        let loss = LossDistribution::gaussian(1.1).unwrap().poisson_sampled(0.004).unwrap();
        let pairs = [(loss.directions[0][0].0.as_ref(), 10_000)];
        let question = Question::new(&pairs, Target::Delta(1e-5), 1e-4);
        let (step, theta) = (question.step_for(9e-5), question.sight.theta);
        let seen = |side: Side, strides: &dyn Fn(&Part<'_>) -> Strides| {
            let grids = question.grids(side, step, strides);
            let cells = grids[0].0.mass.iter().filter(|mass| **mass > 0.0).count();
            (question.seen(&grids, side, question.sight).1, cells)
        };
        for side in [Side::Upper, Side::Lower] {
            let narrow = seen(side, &|_| Strides::one());
            let wide = seen(side, &|part| part.strides(theta, step));
            // A wider cell never helps, and here hurts by less than a tenth of the tolerance.
            let worse = if side == Side::Upper { wide.0 - narrow.0 } else { narrow.0 - wide.0 };
            assert!((-1e-9..1e-5).contains(&worse), "{side:?}: {worse:e}");
            assert!(4 * wide.1 < narrow.1, "{side:?}: {} {}", wide.1, narrow.1);
        }
    }
}
