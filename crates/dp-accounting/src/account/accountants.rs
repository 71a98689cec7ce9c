//! The accountants themselves.

use super::Accountant;
use crate::error::{AccountingError, Result, non_negative, positive, probability};
use crate::event::{Event, Plan, leaves};
use crate::loss::{Bracket, LossDistribution};
use crate::numeric::{U, first_true, up};
use crate::price;
use crate::pure;
use crate::renyi::RenyiCurve;
use crate::zcdp;

/// Most different mechanisms whose distributions are composed.
const MOST_PARTS: usize = 1024;

/// (epsilon, delta, count) of every leaf.
fn approximate(plan: &Plan, name: &'static str) -> Result<Vec<(f64, f64, u64)>> {
    leaves(plan.event())?
        .iter()
        .map(|(leaf, count)| {
            let (epsilon, delta) = price::approximate(name, leaf, plan.adjacency())?;
            Ok((epsilon, delta, *count))
        })
        .collect()
}

fn delta_sum(parts: &[(f64, f64, u64)]) -> f64 {
    let mut sum = 0.0;
    for (_, delta, count) in parts {
        if *delta > 0.0 {
            sum = up(sum + pure::times(*delta, *count), U);
        }
    }
    sum
}

/// The smallest delta at which an accountant answers `epsilon` or less.
fn invert(epsilon: f64, answer: impl Fn(f64) -> Result<f64>) -> Result<f64> {
    let epsilon = non_negative("epsilon", epsilon)?;
    answer(1.0)?;
    let good = |delta: f64| answer(delta).is_ok_and(|found| found <= epsilon);
    if good(0.0) {
        return Ok(0.0);
    }
    Ok(first_true(1e-300, 1.0, 1e-12, good).unwrap_or(1.0))
}

/// Basic composition: epsilons and deltas add.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sum;

impl Accountant for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn epsilon(&self, plan: &Plan, delta: f64) -> Result<f64> {
        let delta = probability("delta", delta)?;
        let parts = approximate(plan, self.name())?;
        if delta >= 1.0 {
            return Ok(0.0);
        }
        if delta_sum(&parts) > delta {
            return Ok(f64::INFINITY);
        }
        let each: Vec<f64> =
            parts.iter().map(|(epsilon, _, count)| pure::times(*epsilon, *count)).collect();
        if each.iter().any(|epsilon| !epsilon.is_finite()) {
            return Ok(f64::INFINITY);
        }
        pure::sum(&each)
    }

    fn delta(&self, plan: &Plan, epsilon: f64) -> Result<f64> {
        invert(epsilon, |delta| self.epsilon(plan, delta))
    }
}

/// Advanced composition ([`pure::advanced`]).
#[derive(Debug, Clone, Copy, Default)]
pub struct Advanced;

impl Accountant for Advanced {
    fn name(&self) -> &'static str {
        "advanced composition"
    }

    fn epsilon(&self, plan: &Plan, delta: f64) -> Result<f64> {
        let delta = probability("delta", delta)?;
        let parts = approximate(plan, self.name())?;
        if delta >= 1.0 {
            return Ok(0.0);
        }
        let rest = (delta - delta_sum(&parts)) * (1.0 - 2.0 * U);
        if rest < 0.0 || parts.iter().any(|(epsilon, ..)| !epsilon.is_finite()) {
            return Ok(f64::INFINITY);
        }
        let steps: Vec<(f64, u64)> = parts.iter().map(|(e, _, count)| (*e, *count)).collect();
        pure::advanced(&steps, rest)
    }

    fn delta(&self, plan: &Plan, epsilon: f64) -> Result<f64> {
        invert(epsilon, |delta| self.epsilon(plan, delta))
    }
}

/// Optimal composition of pure and approximate guarantees (Kairouz, Oh, Viswanath 2015): in closed
/// form where all are equal, else by the loss distribution of randomized responses.
#[derive(Debug, Clone, Copy, Default)]
pub struct Optimal;

impl Optimal {
    pub(crate) fn loss(parts: &[(f64, f64, u64)]) -> Result<LossDistribution> {
        if parts.len() > MOST_PARTS {
            let what = "different guarantees of a plan";
            return Err(AccountingError::TooLarge { what, limit: MOST_PARTS as u64 });
        }
        let one = |(epsilon, delta, count): &(f64, f64, u64)| {
            Ok((LossDistribution::approximate(*epsilon, *delta)?, *count))
        };
        let parts: Vec<_> = parts.iter().map(one).collect::<Result<_>>()?;
        Ok(LossDistribution::composition(parts))
    }
}

impl Accountant for Optimal {
    fn name(&self) -> &'static str {
        "optimal composition"
    }

    fn epsilon(&self, plan: &Plan, delta: f64) -> Result<f64> {
        let delta = probability("delta", delta)?;
        match approximate(plan, self.name())?.as_slice() {
            [] => Ok(0.0),
            [(step, step_delta, count)] if *count <= 1 << 30 => {
                pure::optimal_epsilon(*step, *step_delta, *count, delta)
            }
            parts => Self::loss(parts)?.epsilon_upper(delta, 1e-5),
        }
    }

    fn delta(&self, plan: &Plan, epsilon: f64) -> Result<f64> {
        let epsilon = non_negative("epsilon", epsilon)?;
        match approximate(plan, self.name())?.as_slice() {
            [] => Ok(0.0),
            [(step, step_delta, count)] if *count <= 1 << 30 => {
                pure::optimal_delta(*step, *step_delta, *count, epsilon)
            }
            parts => Ok(Self::loss(parts)?.delta(epsilon)?.upper),
        }
    }
}

/// Zero-concentrated differential privacy: rhos add, the sum is converted tightly.
#[derive(Debug, Clone, Copy, Default)]
pub struct Zcdp;

impl Zcdp {
    /// The rho of a plan, rounded up.
    ///
    /// # Errors
    ///
    /// `Unsupported` if an event of the plan has no rho.
    pub fn rho(&self, plan: &Plan) -> Result<f64> {
        let mut total = 0.0;
        for (leaf, count) in leaves(plan.event())? {
            total = up(total + pure::times(price::rho(&leaf, plan.adjacency())?, count), U);
        }
        Ok(total.min(f64::MAX))
    }
}

impl Accountant for Zcdp {
    fn name(&self) -> &'static str {
        "zCDP"
    }

    fn epsilon(&self, plan: &Plan, delta: f64) -> Result<f64> {
        zcdp::epsilon(self.rho(plan)?, delta)
    }

    fn delta(&self, plan: &Plan, epsilon: f64) -> Result<f64> {
        zcdp::delta(self.rho(plan)?, epsilon)
    }
}

/// Rényi differential privacy over the default orders.
#[derive(Debug, Clone, Copy, Default)]
pub struct Renyi;

impl Renyi {
    /// The Rényi curve of a plan.
    ///
    /// # Errors
    ///
    /// `Unsupported` if an event of the plan has no curve.
    pub fn curve(&self, plan: &Plan) -> Result<RenyiCurve> {
        leaves(plan.event())?.iter().try_fold(RenyiCurve::zero(), |sum, (leaf, count)| {
            sum.and(&price::curve(leaf, plan.adjacency())?.repeat(*count))
        })
    }
}

impl Accountant for Renyi {
    fn name(&self) -> &'static str {
        "Rényi"
    }

    fn epsilon(&self, plan: &Plan, delta: f64) -> Result<f64> {
        self.curve(plan)?.epsilon(delta)
    }

    fn delta(&self, plan: &Plan, epsilon: f64) -> Result<f64> {
        self.curve(plan)?.delta(epsilon)
    }
}

/// Privacy-loss distributions: the tightest, for plans that are fixed in advance.
///
/// # Example
///
/// ```
/// use dp_accounting::account::PrivacyLoss;
/// use dp_accounting::event::{Event, Plan, Relation};
///
/// let steps = Event::gaussian(1.0)?.poisson_sampled(0.01)?.repeat(1000);
/// let plan = Plan::new(Relation::AddRemove, steps)?;
/// let bracket = PrivacyLoss::default().epsilon_bracket(&plan, 1e-5)?;
/// assert!(bracket.lower <= 1.828236667 && 1.828236667 <= bracket.upper);
/// assert!(bracket.width() < 1e-4);
/// # Ok::<(), dp_accounting::AccountingError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct PrivacyLoss {
    tolerance: f64,
}

impl Default for PrivacyLoss {
    /// Brackets to 1e-4 in epsilon.
    fn default() -> Self {
        PrivacyLoss { tolerance: 1e-4 }
    }
}

impl PrivacyLoss {
    /// An accountant whose brackets are as wide as `tolerance` at most, where that can be reached.
    ///
    /// # Errors
    ///
    /// `OutOfRange` unless `tolerance` is finite and above 0.
    pub fn within(tolerance: f64) -> Result<Self> {
        Ok(PrivacyLoss { tolerance: positive("tolerance", tolerance)? })
    }

    /// The loss distribution of a plan, which converts to the other measures:
    /// [`LossDistribution::trade_off`], [`LossDistribution::renyi_curve`],
    /// [`LossDistribution::pure_epsilon`].
    ///
    /// # Errors
    ///
    /// `Unsupported` if an event of the plan has no dominating pair here; `TooLarge` if it has more
    /// than 1024 different ones.
    pub fn loss(&self, plan: &Plan) -> Result<LossDistribution> {
        let leaves = leaves(plan.event())?;
        if leaves.len() > MOST_PARTS {
            let what = "different mechanisms of a plan";
            return Err(AccountingError::TooLarge { what, limit: MOST_PARTS as u64 });
        }
        let price =
            |(leaf, count): &(Event, u64)| Ok((price::loss(leaf, plan.adjacency())?, *count));
        let parts: Vec<_> = leaves.iter().map(price).collect::<Result<_>>()?;
        Ok(LossDistribution::composition(parts))
    }

    /// The epsilon at `delta` in a certified bracket.
    ///
    /// The lower end is one on the dominating pairs that the plan is priced by. Where an event
    /// stands for a family (a pure mechanism, a shuffled one), some member may cost less. The
    /// exponential mechanism's pair is its worst case in one release; of many, no member is as bad
    /// as the composed pair, and [`Zcdp`] and [`Renyi`] can answer less than this lower end
    /// ([`Best`] then takes theirs).
    ///
    /// # Errors
    ///
    /// As [`Accountant::epsilon`].
    pub fn epsilon_bracket(&self, plan: &Plan, delta: f64) -> Result<Bracket> {
        self.loss(plan)?.epsilon_within(delta, self.tolerance)
    }

    /// The delta at `epsilon` in a certified bracket.
    ///
    /// # Errors
    ///
    /// As [`Accountant::delta`].
    pub fn delta_bracket(&self, plan: &Plan, epsilon: f64) -> Result<Bracket> {
        self.loss(plan)?.delta(epsilon)
    }
}

impl Accountant for PrivacyLoss {
    fn name(&self) -> &'static str {
        "privacy loss distribution"
    }

    fn epsilon(&self, plan: &Plan, delta: f64) -> Result<f64> {
        self.loss(plan)?.epsilon_upper(delta, self.tolerance)
    }

    fn delta(&self, plan: &Plan, epsilon: f64) -> Result<f64> {
        Ok(self.loss(plan)?.delta(epsilon)?.upper)
    }
}

/// The smallest answer of all accountants that have one.
///
/// Nothing is composed before a question is asked; the cheap accountants answer first and the loss
/// distribution last.
#[derive(Debug, Clone, Copy, Default)]
pub struct Best {
    loss: PrivacyLoss,
}

impl Best {
    fn ask(&self, ask: impl Fn(&dyn Accountant) -> Result<f64>) -> Result<(f64, &'static str)> {
        let accountants: [&dyn Accountant; 6] =
            [&Sum, &Advanced, &Optimal, &Zcdp, &Renyi, &self.loss];
        let mut best: Option<(f64, &'static str)> = None;
        let mut refusal = None;
        for accountant in accountants {
            match ask(accountant) {
                Ok(value) if best.is_none_or(|(smallest, _)| value < smallest) => {
                    best = Some((value, accountant.name()));
                }
                Ok(_) => {}
                // A wrong parameter is wrong for all; a missing rule is not.
                Err(error @ AccountingError::Unsupported { .. }) => refusal = Some(error),
                Err(error @ AccountingError::OutOfRange { parameter, .. })
                    if parameter == "delta" || parameter == "epsilon" && best.is_none() =>
                {
                    return Err(error);
                }
                Err(error) => refusal = Some(error),
            }
        }
        match (best, refusal) {
            (Some(best), _) => Ok(best),
            (None, Some(refusal)) => Err(refusal),
            (None, None) => Ok((f64::INFINITY, "none")),
        }
    }

    /// The smallest epsilon at `delta`, and the name of the accountant that proves it.
    ///
    /// # Errors
    ///
    /// As [`Accountant::epsilon`].
    pub fn epsilon_by(&self, plan: &Plan, delta: f64) -> Result<(f64, &'static str)> {
        probability("delta", delta)?;
        self.ask(|accountant| accountant.epsilon(plan, delta))
    }
}

impl Accountant for Best {
    fn name(&self) -> &'static str {
        "best"
    }

    fn epsilon(&self, plan: &Plan, delta: f64) -> Result<f64> {
        Ok(self.epsilon_by(plan, delta)?.0)
    }

    fn delta(&self, plan: &Plan, epsilon: f64) -> Result<f64> {
        non_negative("epsilon", epsilon)?;
        Ok(self.ask(|accountant| accountant.delta(plan, epsilon))?.0)
    }
}
