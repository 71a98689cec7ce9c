//! Mechanisms of one's own on a session's table.

use std::fmt;
use std::marker::PhantomData;

use privacy_core::access::Resource;
use privacy_core::budget::RequestId;
use privacy_core::context::Ask;
use privacy_core::error::Error as CoreError;
use privacy_core::guarantee::Guarantee;
use privacy_core::measure::Charge;
use privacy_core::mechanism::Mechanism;
use privacy_core::params::Bounds;
use privacy_core::release::Release;
use privacy_core::space::{Changes, Rows as RowsOf};
use privacy_core::transformation::Transformation;
use privacy_core::unit::{AddRemove, Adjacency, PrivacyUnit, Record, Relation, Scope};

use super::Session;
use super::aggregate::Rows;
use super::table::Table;
use crate::additive::promise_of;
use crate::bound::Contribution;
use crate::error::Result;
use crate::grid::{Grid, Value};

/// The values of a table's rows, bounded by unit, clamped and rounded to a grid: the beginning of a
/// chain of one's own.
///
/// The output are steps of the [`grid`](Values::grid); its neighbours are single values added or
/// removed.
///
/// # Privacy
///
/// Adding or removing a unit adds or removes as many values as the session lets a unit contribute
/// rows; replacing one does both.
pub struct Values<'a, T, U, A, F> {
    steps: F,
    grid: Grid,
    bound: Contribution,
    claim: PhantomData<fn() -> (&'a T, U, A)>,
}

impl<'a, T, U, A, F> Values<'a, T, U, A, F> {
    pub(super) fn new(steps: F, grid: Grid, bound: Contribution) -> Self {
        Values { steps, grid, bound, claim: PhantomData }
    }

    /// The grid that the values are rounded to.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        &self.grid
    }
}

impl<'a, T, U, A, F> Transformation for Values<'a, T, U, A, F>
where
    T: Sync + 'a,
    U: PrivacyUnit,
    A: Adjacency,
    F: Fn(&'a T) -> Option<i64> + Send + Sync,
{
    type Input = Table<'a, T, U, A>;
    type Output = RowsOf<i64, Record, AddRemove>;

    fn apply(&self, table: &Table<'a, T, U, A>) -> privacy_core::Result<Vec<i64>> {
        let rows = Rows { rows: table.rows(), units: table.units(), bound: self.bound };
        let mut values = Vec::new();
        rows.each_kept(1, |_| Some(0), &self.steps, |_, value| values.push(value));
        Ok(values)
    }

    fn stability(&self, d_in: Changes) -> privacy_core::Result<Changes> {
        let sides = match A::RELATION {
            Relation::AddRemove => 1,
            // Any unit's values leave and others enter.
            _ => 2,
        };
        let once = self.bound.rows().checked_mul(d_in.0);
        let changes = once.and_then(|once| once.checked_mul(sides));
        changes.map(Changes).ok_or(CoreError::Overflow {
            quantity: "the number of changed values",
            limit: "2^64 - 1",
        })
    }
}

impl<T, U, A, F> fmt::Debug for Values<'_, T, U, A, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").field("grid", &self.grid).finish_non_exhaustive()
    }
}

/// A mechanism on a session's table with its price: what [`Plan`](super::Plan) is to a query.
#[must_use = "nothing is released until `release` is called"]
pub struct MechanismPlan<'s, 'a, T, U, A, M> {
    session: &'s Session<'a, T, U, A>,
    mechanism: M,
    charge: Charge,
    name: String,
    request: Option<RequestId>,
}

impl<'a, T: 'a, U: PrivacyUnit, A: Adjacency> Session<'a, T, U, A> {
    /// The values of the rows as a transformation, to chain mechanisms of one's own after.
    ///
    /// # Errors
    ///
    /// As [`Query::bounds`](super::Query::bounds); [`privacy_core::Error::Missing`] if the number
    /// of a unit's rows is unlimited.
    pub fn values<V, F>(
        &self,
        value: F,
        bounds: std::ops::RangeInclusive<V>,
    ) -> Result<Values<'a, T, U, A, impl Fn(&'a T) -> Option<i64> + Send + Sync>>
    where
        F: Fn(&'a T) -> V + Send + Sync,
        V: Value,
    {
        let bounds = Bounds::try_from(bounds)?;
        let grid = V::grid(&bounds, None)?;
        let steps = move |row: &'a T| value(row).to_grid(&bounds, &grid);
        Ok(Values::new(steps, grid, self.contribution_to_one_group()?))
    }

    /// What one unit contributes to a question without groups.
    pub(super) fn contribution_to_one_group(&self) -> Result<Contribution> {
        let bound = Contribution::new(U::KIND, &self.limits, 1);
        Ok(bound.ok_or(CoreError::Missing {
            setting: "the limit of what one unit contributes",
            remedy: "call max_rows_per_unit on the session",
        })?)
    }

    /// Prices a mechanism of one's own on the session's table, called `name` in the audit trail.
    ///
    /// # Errors
    ///
    /// What the mechanism says to a distance of one unit.
    ///
    /// # Example
    ///
    /// ```
    /// use dp_mechanisms::additive::LaplaceNoise;
    /// use dp_mechanisms::prelude::*;
    /// use dp_mechanisms::transform::Count;
    /// use privacy_core::transformation::Transformation;
    ///
    /// let seconds = vec![12u32, 40, 7, 3600];
    /// let session = Session::over(&seconds).budget(Epsilon::new(1.0)?).open()?;
    /// let noise = LaplaceNoise::scalar(Amount::from_integer(2))?;
    /// let chain = session.values(|s| *s, 0..=3600)?.then(Count::new()).then(noise);
    /// let plan = session.ask("number of values", chain)?;
    /// assert_eq!(plan.cost(), &Epsilon::new(0.5)?.into());
    /// let count: i128 = plan.release()?.into_value();
    /// # let _ = count;
    /// # Ok::<(), dp_mechanisms::Error>(())
    /// ```
    pub fn ask<M>(
        &self,
        name: impl Into<String>,
        mechanism: M,
    ) -> Result<MechanismPlan<'_, 'a, T, U, A, M>>
    where
        M: Mechanism<Input = Table<'a, T, U, A>>,
    {
        let charge = mechanism.charge(Changes::NEIGHBOURS)?;
        Ok(MechanismPlan { session: self, mechanism, charge, name: name.into(), request: None })
    }
}

impl<'a, T: 'a, U, A, M> MechanismPlan<'_, 'a, T, U, A, M>
where
    U: PrivacyUnit,
    A: Adjacency,
    M: Mechanism<Input = Table<'a, T, U, A>>,
{
    /// Gives the request a name in the budget, so that a retry under the same name is refused
    /// instead of paid and drawn again.
    pub fn request(mut self, request: impl Into<String>) -> Self {
        self.request = Some(RequestId::new(request));
        self
    }

    /// What the release would cost.
    pub fn cost(&self) -> &Charge {
        &self.charge
    }

    /// What may be said of the release.
    #[must_use]
    pub fn guarantee(&self) -> Guarantee {
        Guarantee::DifferentialPrivacy { charge: self.charge.clone(), scope: Scope::of::<U, A>() }
    }

    /// Whether the budget could pay for it now.
    ///
    /// # Errors
    ///
    /// The refusal that a release would meet.
    pub fn check_affordable(&self) -> Result<()> {
        Ok(self.session.cx().check_affordable(&self.charge)?)
    }

    /// Releases: charges the budget, reads the rows, draws, records.
    ///
    /// # Errors
    ///
    /// As [`Plan::release`](super::Plan::release), and what the mechanism returns.
    pub fn release(self) -> Result<Release<M::Output>> {
        let MechanismPlan { session, mechanism, charge, name, request } = self;
        let mut ask = Ask::new(Resource::new(name), charge.clone(), Scope::of::<U, A>());
        if let Some(request) = request {
            ask = ask.named(request);
        }
        let law = mechanism.law();
        if let Some(promise) = law.standard_deviation().and_then(promise_of) {
            ask = ask.promising(promise);
        }
        let paid = session.cx().release(ask, |rng| mechanism.draw(&session.table, rng))?;
        Ok(Release::new(paid.value, law, charge, paid.record))
    }
}

impl<T, U, A, M> fmt::Display for MechanismPlan<'_, '_, T, U, A, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, costs {}", self.name, self.charge)
    }
}

impl<T, U, A, M> fmt::Debug for MechanismPlan<'_, '_, T, U, A, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MechanismPlan")
            .field("name", &self.name)
            .field("charge", &self.charge)
            .finish_non_exhaustive()
    }
}
