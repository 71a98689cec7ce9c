//! Streams whose length nobody knows.

use std::fmt;

use privacy_core::measure::Charge;
use privacy_core::params::{Amount, Epsilon, Rho};
use privacy_core::random::SecureRng;

use super::Continual;
use super::contribution::Contribution;
use super::law::PrefixLaw;
use super::tree::{Tree, TreePlan};
use crate::error::Result;

/// A continual sum without end, in epochs that double.
///
/// Each epoch has a binary tree of its own; a prefix is the sum of the totals of the epochs before
/// and of a prefix of the current one. After t steps its variance is below σ² log₂² t, with σ the
/// noise of a tree over t steps.
///
/// # Privacy
///
/// A step lies in one epoch, and epochs are a public partition of the steps: for a unit of one
/// step each epoch may spend the whole price (parallel composition). A unit of m steps is m
/// changes of one step, so that the epochs are calibrated to ε/m or ρ/m² (group privacy; Bun,
/// Steinke 2016, Proposition 1.9). The price is that of the whole stream, however long.
///
/// # Example
///
/// ```
/// use dp_mechanisms::stream::{Continual, Contribution, UnboundedPlan};
/// use privacy_core::params::Epsilon;
/// use privacy_core::random::SystemRng;
///
/// let plan = UnboundedPlan::laplace(Contribution::ONE_RECORD, &Epsilon::new(1.0)?)?;
/// let mut ever = plan.open(SystemRng::new()?)?;
/// for _ in 0..1000 {
///     ever.step(1)?;
/// }
/// assert!(ever.law().half_width(0.05) < 250.0);
/// # Ok::<(), dp_mechanisms::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a plan is opened"]
pub struct UnboundedPlan {
    single: Contribution,
    price: Price,
    charge: Charge,
}

/// What each epoch costs a unit of one step.
#[derive(Clone, Debug)]
enum Price {
    Pure(Epsilon),
    Zcdp(Rho),
}

impl UnboundedPlan {
    /// Laplace noise, at the price `epsilon` for the whole stream.
    ///
    /// # Errors
    ///
    /// [`NoiseError`](crate::noise::NoiseError) if the noise would be too large to draw.
    pub fn laplace(unit: Contribution, epsilon: &Epsilon) -> Result<Self> {
        let steps = Amount::from_integer(unit.steps().into());
        let share = epsilon.amount().checked_div(&steps).unwrap_or(Amount::ZERO);
        let price = Price::Pure(Epsilon::from_amount(share)?);
        Self::new(unit, price, Charge::from(epsilon.clone()))
    }

    /// Gaussian noise, at the price `rho` for the whole stream.
    ///
    /// # Errors
    ///
    /// As [`UnboundedPlan::laplace`].
    pub fn gaussian(unit: Contribution, rho: &Rho) -> Result<Self> {
        let steps = Amount::from_integer(unit.steps().into()).squared();
        let share = rho.amount().checked_div(&steps).unwrap_or(Amount::ZERO);
        let price = Price::Zcdp(Rho::from_amount(share)?);
        Self::new(unit, price, Charge::from(rho.clone()))
    }

    fn new(unit: Contribution, price: Price, charge: Charge) -> Result<Self> {
        let single = Contribution::new(1, unit.magnitude())?;
        let plan = UnboundedPlan { single, price, charge };
        // The longest epoch has the largest noise: whoever has a plan never fails to draw.
        let _ = plan.epoch(super::LONGEST)?;
        Ok(plan)
    }

    fn epoch(&self, steps: u64) -> Result<TreePlan> {
        match &self.price {
            Price::Pure(epsilon) => TreePlan::laplace(steps, self.single, epsilon),
            Price::Zcdp(rho) => TreePlan::gaussian(steps, self.single, rho),
        }
    }

    /// What the whole stream costs, once.
    #[must_use]
    pub fn charge(&self) -> &Charge {
        &self.charge
    }

    /// Opens the stream with a random source of its own. Pay the charge first, see
    /// [`open_paid`](super::open_paid).
    ///
    /// # Errors
    ///
    /// None for a plan that exists.
    pub fn open<R: SecureRng>(&self, rng: R) -> Result<UnboundedStream<R>> {
        let epoch = Tree::new(1, self.epoch(1)?.noise());
        let (length, closed, past) = (1, 0, PrefixLaw::default());
        Ok(UnboundedStream { plan: self.clone(), rng, epoch, length, latest: 0, closed, past })
    }
}

/// The open stream; releases integers.
pub struct UnboundedStream<R> {
    plan: UnboundedPlan,
    rng: R,
    epoch: Tree,
    /// Steps of the current epoch.
    length: u64,
    /// The latest estimate of the current epoch.
    latest: i128,
    /// The estimated totals of the epochs before.
    closed: i128,
    past: PrefixLaw,
}

impl<R: SecureRng> Continual for UnboundedStream<R> {
    fn advance(&mut self, increment: i64) -> Result<i128> {
        if self.epoch.is_full() {
            // Epochs stop to grow at the longest tree.
            let length = (self.length * 2).min(super::LONGEST);
            let next = Tree::new(length, self.plan.epoch(length)?.noise());
            self.past = std::mem::take(&mut self.past).and(&self.epoch.law());
            self.closed = self.closed.saturating_add(self.latest);
            (self.epoch, self.length, self.latest) = (next, length, 0);
        }
        self.latest = self.epoch.advance(increment, &mut self.rng)?;
        Ok(self.closed.saturating_add(self.latest))
    }

    fn exponent(&self) -> i32 {
        0
    }

    fn steps(&self) -> u64 {
        // The epochs before have 1, 2, 4, ... steps.
        (self.length - 1) + self.epoch.steps()
    }

    fn law(&self) -> PrefixLaw {
        self.past.clone().and(&self.epoch.law())
    }
}

impl<R> fmt::Debug for UnboundedStream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnboundedStream").field("plan", &self.plan).finish_non_exhaustive()
    }
}
