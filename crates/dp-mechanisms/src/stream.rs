//! Counts and sums that are released again and again while the data arrive.
//!
//! A stream takes one integer a step (how many records the step brought, or the sum of their
//! values) and releases after each step a private estimate of the sum so far. Releasing every
//! prefix with noise of its own would cost the budget once a step; the streams here pay **once,
//! when they are opened**, for all their steps, with an error that grows with the logarithm of
//! their number.
//!
//! | stream | noise | error of a prefix | memory | costs |
//! |---|---|---|---|---|
//! | [`TreePlan`], plain | Laplace or Gaussian | at most log₂ n nodes | log n | ε or ρ |
//! | [`TreePlan`], refined | the same | up to √2 lower | log n | the same |
//! | [`SquareRootPlan`] | Gaussian | the lowest: 3.6 times below the tree at 2^16 steps | n | ρ |
//! | [`UnboundedPlan`] | Laplace or Gaussian | grows with log² of the steps so far | log n | ε or ρ |
//! | [`WindowPlan`] | Laplace or Gaussian | at most 2 log₂ W nodes | W | ε or ρ |
//!
//! # Privacy
//!
//! The claim is **event-level**: neighbouring streams differ in the steps that one
//! [`Contribution`] names, by default in one step by at most 1, which is one record added or
//! removed. A person with records in more steps is protected by a contribution that says so.
//! Steps are public: that a step took place, and how many there were, is not hidden.
//!
//! All streams add their noise to sums of the data as they come, and what they release is
//! computed from those noisy sums; the guarantee therefore also holds where later data depend on
//! earlier releases (Denisov, McMahan, Rush, Smith, Thakurta 2022,
//! <https://arxiv.org/abs/2202.08312>, Theorem 2.1, for Gaussian noise; adaptive composition of
//! the nodes for the trees).
//!
//! A stream owns its state and its random source, can be sent to another thread, and cannot be
//! cloned: two copies would release two noises of the same data.
//!
//! # Example
//!
//! ```
//! use dp_mechanisms::stream::{Contribution, Continual, SquareRootPlan};
//! use privacy_core::params::Rho;
//! use privacy_core::random::SystemRng;
//!
//! // Logins of each minute for a day; one login is protected.
//! let plan = SquareRootPlan::new(1440, Contribution::ONE_RECORD, &Rho::new(0.5)?)?;
//! let mut logins_so_far = plan.open(SystemRng::new()?);
//! for in_this_minute in [12, 7, 31] {
//!     let estimate = logins_so_far.step(in_this_minute)?;
//!     let margin = logins_so_far.law().half_width(0.05);
//!     # let _ = (estimate, margin);
//! }
//! # Ok::<(), dp_mechanisms::Error>(())
//! ```
//!
//! ```compile_fail,E0599
//! # use dp_mechanisms::stream::{Contribution, TreePlan};
//! # use privacy_core::{params::Epsilon, random::SystemRng};
//! # let plan = TreePlan::laplace(8, Contribution::ONE_RECORD, &Epsilon::new(1.0)?)?;
//! let stream = plan.open(SystemRng::new()?);
//! let twice = stream.clone(); // the same data with two noises
//! # Ok::<(), dp_mechanisms::Error>(())
//! ```

mod contribution;
mod law;
mod pool;
mod square_root;
mod toeplitz;
mod tree;
mod unbounded;
mod window;

pub use contribution::Contribution;
pub use law::PrefixLaw;
pub use square_root::{SquareRootPlan, SquareRootStream};
pub use toeplitz::square_root_error_factor;
pub use tree::{RefinedTreeStream, TreePlan, TreeStream};
pub use unbounded::{UnboundedPlan, UnboundedStream};
pub use window::{WindowPlan, WindowStream};

use privacy_core::context::{Ask, Context, Paid};
use privacy_core::error::Error as CoreError;
use privacy_core::measure::Charge;
use privacy_core::random::SystemRng;

use crate::error::Result;

/// A running private sum: takes the next step's integer, releases the estimate of all so far.
pub trait Continual: Send {
    /// Takes the next step and releases the estimate, exactly, in units of
    /// `2^`[`exponent`](Continual::exponent).
    ///
    /// `increment` is the sum of the step's records; how far one unit can change it is what the
    /// plan's [`Contribution`] promises.
    ///
    /// # Errors
    ///
    /// [`Error::StreamEnded`](crate::Error::StreamEnded) after the last step, which depends on the
    /// number of steps only; [`CoreError::Entropy`] if the random source fails, in which case the
    /// step has not been taken and may be tried again.
    fn advance(&mut self, increment: i64) -> Result<i128>;

    /// The binary exponent of the unit of [`advance`](Continual::advance), at most 0.
    fn exponent(&self) -> i32;

    /// Takes the next step and releases the estimate, rounded to the nearest float.
    ///
    /// # Errors
    ///
    /// As [`advance`](Continual::advance).
    fn step(&mut self, increment: i64) -> Result<f64> {
        let exponent = self.exponent();
        Ok(self.advance(increment)? as f64 * 2f64.powi(exponent))
    }

    /// How many steps were taken.
    fn steps(&self) -> u64;

    /// The law of the error of the latest estimate; without error before the first step.
    fn law(&self) -> PrefixLaw;
}

/// Pays for a stream from the budget of `cx` and opens it with the operating system's randomness.
///
/// The stream's own random source serves it for as long as it lives; the context may end before.
///
/// # Errors
///
/// As [`Context::release`]; nothing is opened then.
///
/// # Example
///
/// ```
/// use dp_mechanisms::prelude::*;
/// use dp_mechanisms::stream::{self, Continual, Contribution, TreePlan};
/// use privacy_core::access::Resource;
/// use privacy_core::context::Ask;
/// use privacy_core::unit::Scope;
///
/// let mut cx = Context::new(Actor::new("dashboard"), Purpose::new("capacity"))?
///     .with_budget(MemoryBudget::new(Epsilon::new(1.0)?));
/// let plan = TreePlan::laplace(1440, Contribution::ONE_RECORD, &Epsilon::new(0.5)?)?;
/// let scope = Scope::of::<Record, AddRemove>();
/// let ask = Ask::new(Resource::new("logins today"), plan.charge().clone(), scope);
/// let mut stream = stream::open_paid(&mut cx, ask, |rng| plan.open(rng))?.value;
/// stream.step(3)?;
/// assert_eq!(cx.remaining()?.unwrap().to_string(), "ε = 0.5");
/// # Ok::<(), dp_mechanisms::Error>(())
/// ```
pub fn open_paid<S>(
    cx: &mut Context,
    ask: Ask,
    open: impl FnOnce(SystemRng) -> S,
) -> Result<Paid<S>> {
    let rng = SystemRng::new()?;
    Ok(cx.release(ask, |_| Ok(open(rng)))?)
}

/// The most steps a stream can be opened for.
pub(crate) const LONGEST: u64 = 1 << 40;

/// A number of steps, refused outside 1..=`most`.
fn checked_steps(parameter: &'static str, steps: u64, most: u64) -> Result<u64> {
    if steps == 0 || steps > most {
        let requirement = if most == LONGEST { "from 1 to 2^40" } else { "from 1 to 2^24" };
        return Err(CoreError::Parameter { parameter, requirement, given: steps as f64 }.into());
    }
    Ok(steps)
}

/// A pure ε together with the better bound in zCDP that the composition of its parts gives.
fn pure_and_zcdp(
    epsilon: privacy_core::params::Amount,
    rho: privacy_core::params::Amount,
) -> Charge {
    Charge::pure(epsilon).or(Charge::zcdp(rho))
}

#[cfg(test)]
mod tests;
