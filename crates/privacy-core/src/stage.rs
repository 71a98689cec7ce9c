//! A user-facing step of a technique: typed input, typed output, and an honest statement of what
//! the output is good for.

use std::borrow::{Borrow, Cow};

use crate::access::Resource;
use crate::context::{Ask, Context};
use crate::error::{Error, Result};
use crate::guarantee::{Effect, Guarantee};
use crate::measure::Charge;
use crate::mechanism::Mechanism;
use crate::release::Release;
use crate::sensitive::Sensitive;
use crate::space::{Changes, Owned, RowSpace};
use crate::transformation::Transformation;

/// One step of a pipeline: detect, redact, generalize, encrypt, share, aggregate, release.
///
/// # Privacy
///
/// An implementation promises that its [`Effect`] is true of every run. By convention raw data
/// travels as [`Sensitive`], so a stage that takes a [`Release`] or a ciphertext is not given raw
/// rows, nor a mechanism what was already released, unless someone unwraps and wraps by hand.
///
/// # Example
///
/// A stage of one's own, which rounds a released count to tens:
///
/// ```
/// use std::borrow::Cow;
/// use privacy_core::prelude::*;
///
/// struct RoundToTens;
///
/// impl Stage for RoundToTens {
///     type Input = Release<i64>;
///     type Output = i64;
///
///     fn name(&self) -> Cow<'static, str> {
///         "round to tens".into()
///     }
///
///     fn effect(&self) -> Effect {
///         Effect::PostProcessing
///     }
///
///     fn run(&self, count: Release<i64>, _: &mut Context) -> Result<i64> {
///         Ok((count.value() + 5).div_euclid(10) * 10)
///     }
/// }
/// ```
pub trait Stage: Send + Sync {
    /// What it takes.
    type Input;
    /// What it gives.
    type Output;

    /// Its name in plans, errors and the audit trail. Never a value from the data.
    fn name(&self) -> Cow<'static, str>;

    /// What it does to the guarantee of the value that passes through.
    ///
    /// A stage that establishes differential privacy is charged for it and must draw through
    /// [`Context::release`]; a pipeline checks that it did.
    fn effect(&self) -> Effect;

    /// Runs the step.
    ///
    /// # Errors
    ///
    /// Whatever the step can fail with; the text carries no data.
    fn run(&self, input: Self::Input, cx: &mut Context) -> Result<Self::Output>;
}

/// A [`Mechanism`] that draws on the budget of its context: reads raw rows, gives a [`Release`].
#[derive(Clone, Debug)]
pub struct MechanismStage<M> {
    name: Cow<'static, str>,
    mechanism: M,
    distance: Changes,
    charge: Charge,
}

impl<M> MechanismStage<M>
where
    M: Mechanism,
    M::Input: RowSpace,
{
    /// The stage that releases from `mechanism`, priced for neighbours one unit apart.
    ///
    /// # Errors
    ///
    /// As [`Mechanism::charge`].
    pub fn new(name: impl Into<Cow<'static, str>>, mechanism: M) -> Result<Self> {
        Self::for_distance(name, mechanism, Changes::NEIGHBOURS)
    }

    /// The stage priced for inputs that are `distance` units apart, for pipelines in which the
    /// stages before it drive neighbours apart.
    ///
    /// # Errors
    ///
    /// As [`Mechanism::charge`], and [`Error::Parameter`] for a distance of 0.
    pub fn for_distance(
        name: impl Into<Cow<'static, str>>,
        mechanism: M,
        distance: Changes,
    ) -> Result<Self> {
        if distance.0 == 0 {
            return Err(Error::Parameter {
                parameter: "the distance between neighbours",
                requirement: "at least 1",
                given: 0.0,
            });
        }
        let charge = mechanism.charge(distance)?;
        Ok(MechanismStage { name: name.into(), mechanism, distance, charge })
    }

    /// What a run costs.
    pub fn charge(&self) -> &Charge {
        &self.charge
    }

    fn guarantee(&self) -> Guarantee {
        Guarantee::DifferentialPrivacy { charge: self.charge.clone(), scope: M::Input::SCOPE }
    }
}

impl<M> Stage for MechanismStage<M>
where
    M: Mechanism,
    M::Input: RowSpace,
{
    type Input = Sensitive<Owned<M::Input>>;
    type Output = Release<M::Output>;

    fn name(&self) -> Cow<'static, str> {
        self.name.clone()
    }

    fn effect(&self) -> Effect {
        Effect::Establishes { guarantee: self.guarantee(), distance: self.distance.0 }
    }

    fn run(&self, input: Self::Input, cx: &mut Context) -> Result<Self::Output> {
        let resource = Resource::new(self.name.clone());
        let ask = Ask::new(resource, self.charge.clone(), M::Input::SCOPE);
        let paid = cx.release(ask, |rng| self.mechanism.draw(input.expose().borrow(), rng))?;
        Ok(Release::new(paid.value, self.mechanism.law(), self.charge.clone(), paid.record))
    }
}

/// A [`Transformation`] as a stage: raw rows to raw rows, with the stability that the
/// transformation proves.
#[derive(Clone, Debug)]
pub struct TransformationStage<T> {
    name: Cow<'static, str>,
    transformation: T,
    stability: Changes,
}

impl<T> TransformationStage<T>
where
    T: Transformation,
    T::Input: RowSpace,
    T::Output: RowSpace,
{
    /// The stage that applies `transformation`.
    ///
    /// # Errors
    ///
    /// As [`Transformation::stability`]; [`Error::Unjustified`] if it changes the privacy unit or
    /// the adjacency (bound rows by unit inside the chain of a mechanism instead).
    pub fn new(name: impl Into<Cow<'static, str>>, transformation: T) -> Result<Self> {
        let name = name.into();
        if T::Input::SCOPE != T::Output::SCOPE {
            let reason = "it changes what neighbours are; put it into the chain of a mechanism";
            return Err(Error::Unjustified { stage: name, reason });
        }
        let stability = transformation.stability(Changes::NEIGHBOURS)?;
        Ok(TransformationStage { name, transformation, stability })
    }
}

impl<T> Stage for TransformationStage<T>
where
    T: Transformation,
    T::Input: RowSpace,
    T::Output: RowSpace,
{
    type Input = Sensitive<Owned<T::Input>>;
    type Output = Sensitive<Owned<T::Output>>;

    fn name(&self) -> Cow<'static, str> {
        self.name.clone()
    }

    fn effect(&self) -> Effect {
        Effect::Stable { stability: self.stability.0, scope: T::Input::SCOPE }
    }

    fn run(&self, input: Self::Input, _: &mut Context) -> Result<Self::Output> {
        self.transformation.apply(input.expose().borrow()).map(Sensitive::new)
    }
}
