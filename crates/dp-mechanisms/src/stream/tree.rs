//! The binary tree (Dwork, Naor, Pitassi, Rothblum 2010; Chan, Shi, Song 2011).
//!
//! Steps are the leaves of a binary tree; a node holds the sum of the steps below it and gets
//! noise when its last step has come. A prefix of t steps is the sum of as many noisy nodes as t
//! has ones in binary.

use std::fmt;

use privacy_core::measure::Charge;
use privacy_core::params::{Amount, Epsilon, Rho};
use privacy_core::random::SecureRng;
use privacy_core::space::L2Distance;

use super::contribution::Contribution;
use super::law::PrefixLaw;
use super::pool::{Pool, noisy};
use super::{Continual, LONGEST, checked_steps, pure_and_zcdp};
use crate::additive::{GaussianNoise, LaplaceNoise, Noise};
use crate::error::{Error, Result};

/// A binary tree over a known number of steps: its noise, its price, its error.
///
/// # Privacy
///
/// Over n steps a step lies in at most L = ⌊log₂ n⌋ + 1 nodes that are ever complete. For a unit
/// that changes m steps by at most Δ each, the node sums change by at most m L Δ in L1, and by
/// Δ² Σ_j (full 2^2j + rest²) in squared L2 (m = full 2^j + rest), which is L Δ² for m = 1.
/// Laplace noise of scale m L Δ / ε on each node gives pure ε (and, by composition of the nodes,
/// a ρ in zCDP below ε²/2); Gaussian noise gives ρ. Both hold for all prefixes together and where
/// later steps depend on earlier releases.
///
/// # Example
///
/// ```
/// use dp_mechanisms::stream::{Continual, Contribution, TreePlan};
/// use privacy_core::params::Epsilon;
/// use privacy_core::random::SystemRng;
///
/// let plan = TreePlan::laplace(365, Contribution::ONE_RECORD, &Epsilon::new(1.0)?)?;
/// assert_eq!(plan.levels(), 9);
/// let mut stream = plan.open(SystemRng::new()?);
/// let after_one_day: i128 = stream.advance(1200)?;
/// let worst = (1..=365).map(|day| plan.law(day).std_dev()).fold(0.0, f64::max);
/// # let _ = (after_one_day, worst);
/// # Ok::<(), dp_mechanisms::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a plan is opened"]
pub struct TreePlan {
    horizon: u64,
    noise: Noise,
    charge: Charge,
}

impl TreePlan {
    /// Laplace noise, for `horizon` steps (at most 2^40) at the price `epsilon`.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] for a horizon out of range,
    /// [`NoiseError`](crate::noise::NoiseError) if the noise would be too large to draw.
    pub fn laplace(horizon: u64, unit: Contribution, epsilon: &Epsilon) -> Result<Self> {
        let levels = levels_of(checked_steps("the horizon of the stream", horizon, LONGEST)?);
        let l1 = unit.tree_l1(levels);
        let noise = LaplaceNoise::<()>::calibrated(&l1, epsilon)?;
        // Node i changes by d_i: (d_i/t)-DP, hence (d_i/t)²/2-zCDP, and these add up.
        let per_unit = epsilon.amount().checked_div(&l1).unwrap_or(Amount::ZERO);
        let rho = &unit.tree_l2_squared(levels) * &per_unit.squared().scaled_by_power_of_two(-1);
        let charge = pure_and_zcdp(epsilon.amount().clone(), rho);
        Ok(TreePlan { horizon, noise: noise.noise(), charge })
    }

    /// Gaussian noise, for `horizon` steps (at most 2^40) at the price `rho`.
    ///
    /// # Errors
    ///
    /// As [`TreePlan::laplace`].
    pub fn gaussian(horizon: u64, unit: Contribution, rho: &Rho) -> Result<Self> {
        let levels = levels_of(checked_steps("the horizon of the stream", horizon, LONGEST)?);
        let distance = L2Distance::from_squared(unit.tree_l2_squared(levels));
        let noise = GaussianNoise::<()>::calibrated(&distance, rho)?;
        Ok(TreePlan { horizon, noise: noise.noise(), charge: Charge::from(rho.clone()) })
    }

    /// How many steps the stream takes.
    #[must_use]
    pub fn horizon(&self) -> u64 {
        self.horizon
    }

    /// How many nodes a step lies in at most.
    #[must_use]
    pub fn levels(&self) -> u32 {
        levels_of(self.horizon)
    }

    /// The noise of each node.
    #[must_use]
    pub fn noise(&self) -> &Noise {
        &self.noise
    }

    /// What the whole stream costs, once.
    #[must_use]
    pub fn charge(&self) -> &Charge {
        &self.charge
    }

    /// The law of the error of the plain prefix after `step` steps.
    #[must_use]
    pub fn law(&self, step: u64) -> PrefixLaw {
        PrefixLaw::sum(&self.noise, step.count_ones().into())
    }

    /// The law of the error of the refined prefix after `step` steps.
    #[must_use]
    pub fn refined_law(&self, step: u64) -> PrefixLaw {
        (0..64)
            .filter(|level| step >> level & 1 == 1)
            .fold(PrefixLaw::default(), |law, level| refined_node(law, &self.noise, level))
    }

    /// Opens the stream with a random source of its own. Pay the charge first, see
    /// [`open_paid`](super::open_paid).
    pub fn open<R: SecureRng>(&self, rng: R) -> TreeStream<R> {
        TreeStream { tree: Tree::new(self.horizon, &self.noise), rng }
    }

    /// Opens the stream that also uses the noisy nodes below a node to estimate it, which lowers
    /// the variance by up to a half at twice the draws.
    ///
    /// The estimate of a node of height j (leaves have 0) is the average, weighted by inverse
    /// variances, of its own noisy sum and of the estimates of its two children: variance
    /// σ² 2^j / (2^(j+1) - 1) (Honaker 2015, "Efficient Use of Differentially Private Binary
    /// Trees", the estimate from below). Post-processing: the price is the same.
    pub fn open_refined<R: SecureRng>(&self, rng: R) -> RefinedTreeStream<R> {
        RefinedTreeStream {
            horizon: self.horizon,
            pool: Pool::new(self.noise.clone()),
            rng,
            steps: 0,
            exact: 0,
            sums: [0; LEVELS],
            estimates: [0; LEVELS],
        }
    }
}

/// Levels of the longest tree, and one.
const LEVELS: usize = 42;

fn levels_of(horizon: u64) -> u32 {
    64 - horizon.leading_zeros()
}

/// What is remembered at the lowest one of a step number: the prefix up to there.
#[derive(Clone, Copy, Default)]
struct Kept {
    exact: i128,
    estimate: i128,
}

/// The state of a plain tree, without its random source.
pub(super) struct Tree {
    horizon: u64,
    pool: Pool,
    steps: u64,
    exact: i128,
    /// At index j the prefix that ends where the latest node of height j ends.
    kept: [Kept; LEVELS],
}

impl Tree {
    pub(super) fn new(horizon: u64, noise: &Noise) -> Self {
        Tree {
            horizon,
            pool: Pool::new(noise.clone()),
            steps: 0,
            exact: 0,
            kept: [Kept::default(); LEVELS],
        }
    }

    #[inline]
    pub(super) fn advance(&mut self, increment: i64, rng: &mut dyn SecureRng) -> Result<i128> {
        if self.steps >= self.horizon {
            return Err(Error::StreamEnded { horizon: self.horizon });
        }
        let noise = self.pool.next(rng)?;
        self.steps += 1;
        self.exact += i128::from(increment);
        let height = self.steps.trailing_zeros() as usize;
        // The prefix without the node that ends here ends at the next higher one of the number.
        let before = match self.steps & (self.steps - 1) {
            0 => Kept::default(),
            rest => self.kept.get(rest.trailing_zeros() as usize).copied().unwrap_or_default(),
        };
        let node = noisy(self.exact - before.exact, noise);
        let estimate = before.estimate.saturating_add(node);
        if let Some(kept) = self.kept.get_mut(height) {
            *kept = Kept { exact: self.exact, estimate };
        }
        Ok(estimate)
    }

    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    pub(super) fn is_full(&self) -> bool {
        self.steps == self.horizon
    }

    pub(super) fn law(&self) -> PrefixLaw {
        PrefixLaw::sum(self.pool.noise(), self.steps.count_ones().into())
    }
}

/// The open plain tree; releases integers.
///
/// One draw a step: nodes that no prefix is made of are never drawn.
pub struct TreeStream<R> {
    tree: Tree,
    rng: R,
}

impl<R: SecureRng> Continual for TreeStream<R> {
    #[inline]
    fn advance(&mut self, increment: i64) -> Result<i128> {
        self.tree.advance(increment, &mut self.rng)
    }

    fn exponent(&self) -> i32 {
        0
    }

    fn steps(&self) -> u64 {
        self.tree.steps
    }

    fn law(&self) -> PrefixLaw {
        self.tree.law()
    }
}

/// The open refined tree; releases multiples of 2^-16.
pub struct RefinedTreeStream<R> {
    horizon: u64,
    pool: Pool,
    rng: R,
    steps: u64,
    exact: i128,
    /// The exact prefix where the latest left node of each height ended.
    sums: [i128; LEVELS],
    /// The estimates of the latest left nodes, in units of 2^-16.
    estimates: [i128; LEVELS],
}

/// Binary digits of a refined estimate.
const DIGITS: u32 = 16;

impl<R: SecureRng> Continual for RefinedTreeStream<R> {
    fn advance(&mut self, increment: i64) -> Result<i128> {
        if self.steps >= self.horizon {
            return Err(Error::StreamEnded { horizon: self.horizon });
        }
        let step = self.steps + 1;
        let height = step.trailing_zeros() as usize;
        self.pool.ensure(height + 1, &mut self.rng)?;
        self.exact += i128::from(increment);
        self.steps = step;
        // The nodes that end here, from the leaf upwards; each but the last is a right child.
        let mut estimate = 0;
        for level in 0..=height.min(LEVELS - 1) {
            // The node starts where the step number has its lowest ones cut off.
            let start = step - (1u64 << level);
            let before = self.prefix_at(start);
            let own = noisy(self.exact - before, self.pool.next(&mut self.rng)?);
            let own = own.wrapping_shl(DIGITS);
            estimate = match level {
                0 => own,
                level => {
                    let children = estimate.wrapping_add(self.estimates[level - 1]);
                    own.wrapping_add(share(children.wrapping_sub(own), level as u32))
                }
            };
        }
        self.sums[height.min(LEVELS - 1)] = self.exact;
        self.estimates[height.min(LEVELS - 1)] = estimate;
        Ok((0..LEVELS)
            .filter(|level| step >> level & 1 == 1)
            .fold(0, |sum: i128, level| sum.wrapping_add(self.estimates[level])))
    }

    fn exponent(&self) -> i32 {
        -(DIGITS as i32)
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    fn law(&self) -> PrefixLaw {
        let step = self.steps;
        (0..64)
            .filter(|level| step >> level & 1 == 1)
            .fold(PrefixLaw::default(), |law, level| refined_node(law, self.pool.noise(), level))
    }
}

impl<R> RefinedTreeStream<R> {
    /// The exact prefix up to `end`, at which a left node of the height of its lowest one ended.
    fn prefix_at(&self, end: u64) -> i128 {
        if end == 0 {
            return 0;
        }
        self.sums.get(end.trailing_zeros() as usize).copied().unwrap_or_default()
    }
}

/// The part (2^j - 1)/(2^(j+1) - 1) of what the children say differently from the node itself.
fn share(difference: i128, level: u32) -> i128 {
    let (numer, denom) = ((1i128 << level) - 1, (2i128 << level) - 1);
    (difference / denom).wrapping_mul(numer) + (difference % denom) * numer / denom
}

/// Adds the draws behind the refined estimate of one node to a law.
fn refined_node(law: PrefixLaw, noise: &Noise, height: u32) -> PrefixLaw {
    let mut weight = 1.0;
    (0..=height).fold(law, |law, depth| {
        let level = height - depth;
        let own = 2f64.powi(level as i32) / (2f64.powi(level as i32 + 1) - 1.0);
        let law = law.plus(noise, weight * own, 2f64.powi(depth as i32), 2f64.powi(-14));
        weight *= 1.0 - own;
        law
    })
}

impl<R> fmt::Debug for TreeStream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TreeStream").field("horizon", &self.tree.horizon).finish_non_exhaustive()
    }
}

impl<R> fmt::Debug for RefinedTreeStream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefinedTreeStream").field("horizon", &self.horizon).finish_non_exhaustive()
    }
}
