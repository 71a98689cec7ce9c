//! Stages in a row, checked before any data is touched.

use std::borrow::Cow;
use std::fmt;

use crate::access::Resource;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::guarantee::{Effect, Guarantee, Standing};
use crate::measure::Charge;
use crate::stage::Stage;
use crate::unit::Scope;

/// Stages in a row: each takes what the one before gives.
///
/// [`Pipeline::plan`] shows what each step does and costs and what may be said of the result.
/// [`Pipeline::run`] makes the same checks before it touches the input: a claim that does not
/// follow, or a price the budget cannot pay, is refused with nothing read and nothing spent.
///
/// # Example
///
/// See [`examples/custom_pipeline.rs`] in the repository, which builds a transformation, a
/// mechanism and a pipeline of its own.
///
/// [`examples/custom_pipeline.rs`]: https://docs.rs/crate/confidant/latest/source/
#[derive(Clone, Debug)]
pub struct Pipeline<S> {
    steps: S,
}

impl<S: Stage> Pipeline<First<S>> {
    /// A pipeline of one stage.
    pub fn new(stage: S) -> Self {
        Pipeline { steps: First(stage) }
    }
}

impl<S: Steps> Pipeline<S> {
    /// The same pipeline with one more stage, which must take what the last one gives:
    ///
    /// ```compile_fail,E0271
    /// # use std::borrow::Cow;
    /// # use privacy_core::prelude::*;
    /// # struct Redact;
    /// # impl Stage for Redact {
    /// #     type Input = Sensitive<Vec<String>>;
    /// #     type Output = Sensitive<Vec<String>>;
    /// #     fn name(&self) -> Cow<'static, str> { "redact".into() }
    /// #     fn effect(&self) -> Effect {
    /// #         Effect::Stable { stability: 1, scope: Scope::of::<Record, AddRemove>() }
    /// #     }
    /// #     fn run(&self, x: Self::Input, _: &mut Context) -> Result<Self::Output> { Ok(x) }
    /// # }
    /// # struct Publish;
    /// # impl Stage for Publish {
    /// #     type Input = Release<i64>;
    /// #     type Output = i64;
    /// #     fn name(&self) -> Cow<'static, str> { "publish".into() }
    /// #     fn effect(&self) -> Effect { Effect::PostProcessing }
    /// #     fn run(&self, x: Release<i64>, _: &mut Context) -> Result<i64> { Ok(*x.value()) }
    /// # }
    /// // Redacted rows are still raw rows: they cannot be published as if they were a release.
    /// let leak = Pipeline::new(Redact).then(Publish);
    /// ```
    pub fn then<T: Stage<Input = S::Output>>(self, next: T) -> Pipeline<Next<S, T>> {
        Pipeline { steps: Next(self.steps, next) }
    }

    /// What each step does and costs, and what may be said of the result.
    ///
    /// # Errors
    ///
    /// [`Error::Unjustified`] names the first stage whose claim does not follow.
    pub fn plan(&self) -> Result<Plan> {
        let mut plan = Plan { steps: Vec::new(), charge: None };
        self.steps.plan(&mut plan)?;
        Ok(plan)
    }

    /// Runs the stages in order and records each.
    ///
    /// # Errors
    ///
    /// As [`Pipeline::plan`]; [`Error::Budget`] if the budget cannot pay for all stages (in both
    /// cases before `input` is touched); or the error of the stage that failed.
    pub fn run(&self, input: S::Input, cx: &mut Context) -> Result<S::Output> {
        let plan = self.plan()?;
        if let Some(charge) = &plan.charge
            && let Err(refusal) = cx.check_affordable(charge)
        {
            let name = plan.steps.iter().find(|step| step.charge.is_some());
            let name = name.map_or("pipeline".into(), |step| step.name.clone());
            cx.record_refusal(Resource::new(name), charge.clone(), plan.guarantee().clone())?;
            return Err(refusal);
        }
        self.steps.run(input, cx, &mut plan.steps.into_iter())
    }
}

/// A pipeline before it runs, for people to review. Prints as a table.
#[derive(Clone, Debug)]
#[must_use = "a plan only shows what a run would do"]
pub struct Plan {
    steps: Vec<PlannedStep>,
    charge: Option<Charge>,
}

impl Plan {
    /// The steps in order.
    pub fn steps(&self) -> &[PlannedStep] {
        &self.steps
    }

    /// What all steps cost together, if any of them costs.
    pub fn charge(&self) -> Option<&Charge> {
        self.charge.as_ref()
    }

    /// What may be said of the result.
    pub fn guarantee(&self) -> &Guarantee {
        self.steps.last().map_or(&Guarantee::None, |step| &step.guarantee)
    }

    fn add(&mut self, stage: &impl Stage) -> Result<()> {
        let name = stage.name();
        let effect = stage.effect();
        let before = self.steps.last().map_or(Standing::RAW, |step| step.standing());
        let unjustified = |reason| Error::Unjustified { stage: name.clone(), reason };
        let Standing { guarantee, distance } = before.after(&effect).map_err(unjustified)?;
        let charge = price(&effect)
            .map_err(|()| unjustified("its claims have prices with no measure in common"))?;
        self.charge = match (self.charge.take(), &charge) {
            (Some(sum), Some(charge)) => Some(sum.compose(charge).ok_or_else(|| {
                unjustified("its price has no measure in common with the stages before it")
            })?),
            (sum, charge) => sum.or_else(|| charge.clone()),
        };
        self.steps.push(PlannedStep { name, charge, guarantee, distance });
        Ok(())
    }
}

/// What a stage with the given effect must pay: the prices of all private claims it makes.
fn price(effect: &Effect) -> Result<Option<Charge>, ()> {
    let Effect::Establishes { guarantee, .. } = effect else { return Ok(None) };
    let mut claims = guarantee.private_claims().into_iter().map(|(charge, _)| charge.clone());
    let Some(first) = claims.next() else { return Ok(None) };
    claims.try_fold(first, |sum, next| sum.compose(&next)).map(Some).ok_or(())
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.steps.iter().enumerate() {
            write!(f, "{}. {}", i + 1, step.name)?;
            if let Some(charge) = &step.charge {
                write!(f, " [{charge}]")?;
            }
            writeln!(f, ": {}", step.guarantee)?;
        }
        match &self.charge {
            Some(charge) => write!(f, "costs {charge}"),
            None => f.write_str("costs nothing"),
        }
    }
}

/// One step of a [`Plan`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlannedStep {
    /// The stage's name.
    pub name: Cow<'static, str>,
    /// What the step is charged.
    pub charge: Option<Charge>,
    /// What may be said of the value after it.
    pub guarantee: Guarantee,
    distance: Option<(u64, Option<Scope>)>,
}

impl PlannedStep {
    fn standing(&self) -> Standing {
        Standing { guarantee: self.guarantee.clone(), distance: self.distance }
    }
}

mod sealed {
    pub trait Sealed {}
    impl<S> Sealed for super::First<S> {}
    impl<P, S> Sealed for super::Next<P, S> {}
}

/// The steps of a pipeline as a type; made by [`Pipeline::new`] and [`Pipeline::then`].
pub trait Steps: sealed::Sealed {
    /// What the first stage takes.
    type Input;
    /// What the last stage gives.
    type Output;

    #[doc(hidden)]
    fn plan(&self, plan: &mut Plan) -> Result<()>;

    #[doc(hidden)]
    fn run(
        &self,
        input: Self::Input,
        cx: &mut Context,
        plan: &mut dyn Iterator<Item = PlannedStep>,
    ) -> Result<Self::Output>;
}

/// The first stage of a pipeline.
#[derive(Clone, Debug)]
pub struct First<S>(S);

/// A pipeline's steps with one more stage.
#[derive(Clone, Debug)]
pub struct Next<P, S>(P, S);

impl<S: Stage> Steps for First<S> {
    type Input = S::Input;
    type Output = S::Output;

    fn plan(&self, plan: &mut Plan) -> Result<()> {
        plan.add(&self.0)
    }

    fn run(
        &self,
        input: S::Input,
        cx: &mut Context,
        plan: &mut dyn Iterator<Item = PlannedStep>,
    ) -> Result<S::Output> {
        run_step(&self.0, input, cx, plan.next())
    }
}

impl<P: Steps, S: Stage<Input = P::Output>> Steps for Next<P, S> {
    type Input = P::Input;
    type Output = S::Output;

    fn plan(&self, plan: &mut Plan) -> Result<()> {
        self.0.plan(plan)?;
        plan.add(&self.1)
    }

    fn run(
        &self,
        input: P::Input,
        cx: &mut Context,
        plan: &mut dyn Iterator<Item = PlannedStep>,
    ) -> Result<S::Output> {
        let input = self.0.run(input, cx, plan)?;
        run_step(&self.1, input, cx, plan.next())
    }
}

/// Runs one stage and holds it to its plan: a stage with a price must have paid it, and recorded
/// itself in doing so; the others are recorded here.
fn run_step<S: Stage>(
    stage: &S,
    input: S::Input,
    cx: &mut Context,
    planned: Option<PlannedStep>,
) -> Result<S::Output> {
    cx.collect_payments();
    let output = stage.run(input, cx)?;
    let paid = cx.payments();
    match planned {
        Some(PlannedStep { charge: Some(price), .. }) => {
            if !paid.is_some_and(|paid| paid.covers(&price)) {
                return Err(Error::Unjustified {
                    stage: stage.name(),
                    reason: "it claims differential privacy but did not pay for it in its context",
                });
            }
        }
        Some(PlannedStep { guarantee, .. }) => {
            cx.record(Resource::new(stage.name()), guarantee)?;
        }
        None => {
            cx.record(Resource::new(stage.name()), Guarantee::None)?;
        }
    }
    Ok(output)
}
