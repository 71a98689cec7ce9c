//! Composition of the two primitives.

use std::borrow::Borrow;
use std::sync::Arc;

use crate::error::Result;
use crate::measure::{Charge, Cost};
use crate::mechanism::Mechanism;
use crate::random::SecureRng;
use crate::release::ErrorLaw;
use crate::space::{Data, DistanceOf, Owned, Space};
use crate::transformation::Transformation;

/// One step after another: the result of [`Transformation::then`].
///
/// A transformation if the second step is one; a mechanism if the second step is one. Stability
/// and cost compose: the second step's bound is taken at the distance the first step allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Then<First, Next> {
    first: First,
    next: Next,
}

impl<First, Next> Then<First, Next> {
    pub(crate) fn new(first: First, next: Next) -> Self {
        Then { first, next }
    }

    /// The first step.
    pub fn first(&self) -> &First {
        &self.first
    }

    /// The step after it.
    pub fn next(&self) -> &Next {
        &self.next
    }
}

impl<First, Next> Transformation for Then<First, Next>
where
    First: Transformation,
    Next: Transformation<Input = First::Output>,
{
    type Input = First::Input;
    type Output = Next::Output;

    fn apply(&self, data: &Data<Self::Input>) -> Result<Owned<Self::Output>> {
        self.next.apply(self.first.apply(data)?.borrow())
    }

    fn stability(&self, d_in: DistanceOf<Self::Input>) -> Result<DistanceOf<Self::Output>> {
        self.next.stability(self.first.stability(d_in)?)
    }
}

impl<First, Next> Mechanism for Then<First, Next>
where
    First: Transformation,
    Next: Mechanism<Input = First::Output>,
{
    type Input = First::Input;
    type Measure = Next::Measure;
    type Output = Next::Output;

    fn draw(&self, data: &Data<Self::Input>, rng: &mut dyn SecureRng) -> Result<Self::Output> {
        self.next.draw(self.first.apply(data)?.borrow(), rng)
    }

    fn cost(&self, d_in: DistanceOf<Self::Input>) -> Result<Cost<Self::Measure>> {
        self.next.cost(self.first.stability(d_in)?)
    }

    fn charge(&self, d_in: DistanceOf<Self::Input>) -> Result<Charge> {
        self.next.charge(self.first.stability(d_in)?)
    }

    fn law(&self) -> Arc<dyn ErrorLaw<Self::Output>> {
        self.next.law()
    }
}

/// What may come after a step that produces the space `S`: a transformation or a mechanism that
/// reads `S`.
///
/// Implemented for every [`Transformation`] and every [`Mechanism`]; `Role` only tells the two
/// apart and is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot follow a step that produces `{S}`",
    label = "does not read `{S}`",
    note = "the next step's `Input` must be exactly the space before it: the same rows or numbers, \
            privacy unit, adjacency and norm"
)]
pub trait Follows<S: Space, Role> {}

/// The role of a transformation in [`Follows`].
#[derive(Debug)]
#[doc(hidden)]
pub enum AsTransformation {}

/// The role of a mechanism in [`Follows`].
#[derive(Debug)]
#[doc(hidden)]
pub enum AsMechanism {}

impl<T: Transformation> Follows<T::Input, AsTransformation> for T {}
impl<M: Mechanism> Follows<M::Input, AsMechanism> for M {}
