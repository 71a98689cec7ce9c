//! The second primitive: from data to a release, with a known privacy map.

use std::sync::Arc;

use crate::error::Result;
use crate::measure::{Charge, Cost, Measure};
use crate::random::SecureRng;
use crate::release::{ErrorLaw, UnknownLaw};
use crate::space::{Data, DistanceOf, Space};

/// Maps data to a release and knows what the release costs.
///
/// # Privacy
///
/// An implementation promises: for any two inputs at most `d_in` apart in the metric of `Input`,
/// the distributions of the two releases differ by at most `cost(d_in)` in its `Measure`, given a
/// [`SecureRng`] that keeps its own promise. It also promises that whether it fails, and with
/// which error, does not depend on the data. The price must come from the parameters that the
/// sampling code uses, so that the two cannot drift apart.
///
/// # Example
///
/// Randomized response (Warner 1965): tell the truth with probability 3/4, lie with 1/4. The
/// ratio of the probabilities of an answer under yes and under no is at most 3, so ε = ln 3; the
/// decimal is rounded up.
///
/// ```
/// use privacy_core::prelude::*;
///
/// struct RandomizedResponse;
///
/// impl Mechanism for RandomizedResponse {
///     type Input = Scalar<i64>; // 1 for yes, 0 for no
///     type Measure = PureDp;
///     type Output = bool;
///
///     fn draw(&self, answer: &i64, rng: &mut dyn SecureRng) -> Result<bool> {
///         let lie = RandomBuffer::new(rng).below(4)? == 0;
///         Ok((*answer > 0) != lie)
///     }
///
///     fn cost(&self, d_in: Amount) -> Result<PureCost> {
///         let epsilon = if d_in.is_zero() { Amount::ZERO } else { "1.0986122887".parse()? };
///         Ok(PureCost { epsilon })
///     }
/// }
/// ```
pub trait Mechanism: Send + Sync {
    /// The space it reads.
    type Input: Space;
    /// The measure its cost is proven in.
    type Measure: Measure;
    /// What is released.
    type Output;

    /// Draws one release.
    ///
    /// Drawing does not charge a budget by itself: an application releases through a
    /// [stage](crate::stage::MechanismStage), a session or a ledger.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Entropy`] if `rng` fails, or another error that does not depend on the
    /// data.
    fn draw(&self, data: &Data<Self::Input>, rng: &mut dyn SecureRng) -> Result<Self::Output>;

    /// The cost of a release where neighbours are at most `d_in` apart: the privacy map.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Overflow`] if the cost leaves its range.
    fn cost(&self, d_in: DistanceOf<Self::Input>) -> Result<Cost<Self::Measure>>;

    /// The price in every measure that has a proof; what a budget is asked for.
    ///
    /// By default the cost in `Measure` alone. A mechanism with a better bound in another measure
    /// adds it with [`Charge::or`].
    ///
    /// # Errors
    ///
    /// As [`Mechanism::cost`].
    fn charge(&self, d_in: DistanceOf<Self::Input>) -> Result<Charge> {
        Ok(<Self::Measure as Measure>::charge(&self.cost(d_in)?))
    }

    /// The law of the error between a release and what it estimates; unknown by default.
    ///
    /// It follows from public parameters alone.
    fn law(&self) -> Arc<dyn ErrorLaw<Self::Output>> {
        Arc::new(UnknownLaw)
    }
}

impl<M: Mechanism + ?Sized> Mechanism for &M {
    type Input = M::Input;
    type Measure = M::Measure;
    type Output = M::Output;

    fn draw(&self, data: &Data<Self::Input>, rng: &mut dyn SecureRng) -> Result<Self::Output> {
        (**self).draw(data, rng)
    }

    fn cost(&self, d_in: DistanceOf<Self::Input>) -> Result<Cost<Self::Measure>> {
        (**self).cost(d_in)
    }

    fn charge(&self, d_in: DistanceOf<Self::Input>) -> Result<Charge> {
        (**self).charge(d_in)
    }

    fn law(&self) -> Arc<dyn ErrorLaw<Self::Output>> {
        (**self).law()
    }
}
