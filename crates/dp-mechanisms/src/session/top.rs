//! Which of the known groups have most: the answer names groups and no numbers.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use privacy_core::budget::RequestId;
use privacy_core::measure::{Allowance, Charge, PureCost, PureDp};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Confidence, Epsilon, Rho};
use privacy_core::random::SecureRng;
use privacy_core::space::{Changes, Linf};
use privacy_core::transformation::Transformation;
use privacy_core::unit::{Adjacency, PrivacyUnit, Relation};

use super::Session;
use super::aggregate::Aggregate;
use super::ask::MechanismPlan;
use super::grouping::{ByGroup, Grouping};
use super::query::{Query, QueryParts};
use super::statistic::{Count, CountDistinct, CountUnits, Filtered, Statistic};
use super::table::Table;
use crate::bound::{Contribution, NoiseNorm, Shape};
use crate::error::{Error, Result};
use crate::keys::Names;
use crate::select::{PermuteAndFlip, Scores, TopK};

/// A statistic that counts, so that a unit's rows only raise it.
pub trait Counts {}

impl Counts for Count {}
impl Counts for CountUnits {}
impl<F> Counts for CountDistinct<F> {}
impl<S: Counts, P> Counts for Filtered<S, P> {}

/// The question which groups have the largest counts, before it has a price.
#[must_use = "a question is priced with `epsilon` or `rho` and then released"]
pub struct TopQuery<'s, 'a, T, U, A, S, G> {
    session: &'s Session<'a, T, U, A>,
    statistic: S,
    grouping: G,
    k: u32,
    bound: Contribution,
    name: Option<Cow<'static, str>>,
    request: Option<RequestId>,
}

/// The mechanism that draws the groups with the largest counts from a session's table.
///
/// # Privacy
///
/// A unit moves each count by at most what it may contribute to one group; see
/// [`PermuteAndFlip`] and [`TopK`] for the price.
pub struct Top<'a, T, U, A, S, G> {
    statistic: S,
    grouping: G,
    bound: Contribution,
    choice: Choice,
    claim: PhantomData<fn() -> (&'a T, U, A)>,
}

#[derive(Clone, Debug)]
enum Choice {
    One(PermuteAndFlip),
    Several(TopK),
}

impl<'s, 'a, T: 'a, U, A, S, K, F, Form> Query<'s, 'a, T, U, A, S, ByGroup<K, F, Form>>
where
    T: Sync,
    U: PrivacyUnit,
    A: Adjacency,
    S: Statistic<'a, T> + Counts,
    ByGroup<K, F, Form>: Grouping<'a, T>,
{
    /// Asks which `k` of the groups have the largest counts, instead of all counts.
    ///
    /// Names only leave, in the order they were drawn. It costs the same for ten groups as for a
    /// million.
    ///
    /// # Errors
    ///
    /// An error of the list of groups; [`privacy_core::Error::Parameter`] unless `k` is at least 1
    /// and at most the number of groups; [`privacy_core::Error::Missing`] if the query's
    /// contribution is unlimited.
    ///
    /// # Example
    ///
    /// ```
    /// use dp_mechanisms::prelude::*;
    ///
    /// let logins: Vec<(u32, &str)> =
    ///     (0..3000).map(|i| (i, ["de", "fr", "it"][(i % 10 / 4) as usize])).collect();
    /// let session = Session::over(&logins).budget(Epsilon::new(1.0)?).open()?;
    /// let top = session.count().by(|l| l.1, &["de", "fr", "it"]).top(2)?.epsilon(0.5)?;
    /// let top = top.release()?.into_value();
    /// assert_eq!(top.len(), 2);
    /// # Ok::<(), dp_mechanisms::Error>(())
    /// ```
    pub fn top(self, k: u32) -> Result<TopQuery<'s, 'a, T, U, A, S, ByGroup<K, F, Form>>> {
        let QueryParts { session, statistic, grouping, name, request } = self.into_parts();
        let grouping = grouping?;
        let groups = grouping.groups() as u64;
        if !(1..=groups).contains(&k.into()) {
            return Err(privacy_core::Error::Parameter {
                parameter: "the number of groups to name",
                requirement: "at least 1 and at most the number of known groups",
                given: k.into(),
            }
            .into());
        }
        let limits = statistic.limits(session.limits);
        let bound =
            Contribution::new(U::KIND, &limits, groups).ok_or(privacy_core::Error::Missing {
                setting: "the limit of what one unit contributes",
                remedy: "call max_rows_per_unit (or max_rows_per_group) on the session",
            })?;
        Ok(TopQuery { session, statistic, grouping, k, bound, name, request })
    }
}

type TopPlan<'s, 'a, T, U, A, S, G> = MechanismPlan<'s, 'a, T, U, A, Top<'a, T, U, A, S, G>>;

impl<'s, 'a, T: 'a, U, A, S, K, F, N, Form> TopQuery<'s, 'a, T, U, A, S, ByGroup<K, F, Form>>
where
    T: Sync,
    U: PrivacyUnit,
    A: Adjacency,
    S: Statistic<'a, T> + Counts,
    F: Fn(&'a T) -> N + Send + Sync,
    N: Names<K, Form>,
    K: Borrow<N::Target> + Eq + Hash + Clone + Send + Sync,
{
    /// Prices the question at `epsilon`, pure differential privacy: permute-and-flip for one group,
    /// the exponential mechanism without replacement for several, and where the session's budget is a
    /// ρ, which pays ε²/8 for the exponential mechanism and ε²/2 for permute-and-flip.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] if `epsilon` is out of range.
    pub fn epsilon<E>(self, epsilon: E) -> Result<TopPlan<'s, 'a, T, U, A, S, ByGroup<K, F, Form>>>
    where
        E: TryInto<Epsilon>,
        Error: From<E::Error>,
    {
        let epsilon = epsilon.try_into()?;
        let sensitivity = self.sensitivity();
        // A budget in ρ is given the mechanism that is cheap in it.
        let by_rho = matches!(self.session.limit(), Allowance::Zcdp { .. });
        let choice = match (self.k, scores::<A>()) {
            (k, scores) if by_rho => {
                Choice::Several(TopK::calibrated(k, &sensitivity, &epsilon, scores)?)
            }
            (1, Scores::Monotone) => Choice::One(PermuteAndFlip::monotone(&sensitivity, &epsilon)?),
            (1, _) => Choice::One(PermuteAndFlip::calibrated(&sensitivity, &epsilon)?),
            (k, scores) => Choice::Several(TopK::calibrated(k, &sensitivity, &epsilon, scores)?),
        };
        self.plan(choice)
    }

    /// Prices the question at `rho`, zero-concentrated differential privacy: the exponential
    /// mechanism without replacement.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] if `rho` is out of range or too small for so many groups.
    pub fn rho<R>(self, rho: R) -> Result<TopPlan<'s, 'a, T, U, A, S, ByGroup<K, F, Form>>>
    where
        R: TryInto<Rho>,
        Error: From<R::Error>,
    {
        let rho = rho.try_into()?;
        let (sensitivity, scores) = (self.sensitivity(), scores::<A>());
        let peel = TopK::calibrated_zcdp(self.k, &sensitivity, &rho, scores)?;
        self.plan(Choice::Several(peel))
    }

    fn sensitivity(&self) -> Amount {
        Linf::sensitivity(&self.bound, &Shape::Count, A::RELATION)
    }

    fn plan(self, choice: Choice) -> Result<TopPlan<'s, 'a, T, U, A, S, ByGroup<K, F, Form>>> {
        let TopQuery { session, statistic, grouping, k, bound, name, request } = self;
        let named = name.map(|name| format!("{name}: ")).unwrap_or_default();
        let shortfall = match &choice {
            Choice::One(flip) => {
                let groups = grouping.groups() as u64;
                let counts = flip.shortfall(groups, &Confidence::default());
                format!(", its count within {counts:.0} of the largest (95\u{a0}%)")
            }
            Choice::Several(_) => String::new(),
        };
        let what = statistic.describe();
        let of = grouping.describe();
        let description = format!("{named}the {k} largest of {what}{of}{shortfall}");
        let top = Top { statistic, grouping, bound, choice, claim: PhantomData };
        let plan = session.ask(description, top)?;
        Ok(match request {
            Some(request) => plan.request(request.as_str()),
            None => plan,
        })
    }
}

/// Under add/remove no count rises where another falls.
fn scores<A: Adjacency>() -> Scores {
    match A::RELATION {
        Relation::AddRemove => Scores::Monotone,
        _ => Scores::Any,
    }
}

/// How far `changes` move the largest count.
fn distance<A: Adjacency>(bound: &Contribution, changes: Changes) -> Amount {
    Linf::times(&Linf::sensitivity(bound, &Shape::Count, A::RELATION), changes.0)
}

impl Choice {
    fn cost(&self, distance: Amount) -> privacy_core::Result<PureCost> {
        match self {
            Choice::One(flip) => flip.cost(distance),
            Choice::Several(peel) => peel.cost(distance),
        }
    }

    fn charge(&self, distance: Amount) -> privacy_core::Result<Charge> {
        match self {
            Choice::One(flip) => flip.charge(distance),
            Choice::Several(peel) => peel.charge(distance),
        }
    }

    fn draw(&self, counts: &[i128], rng: &mut dyn SecureRng) -> privacy_core::Result<Vec<usize>> {
        match self {
            Choice::One(flip) => Ok(vec![flip.draw(counts, rng)?]),
            Choice::Several(peel) => peel.draw(counts, rng),
        }
    }
}

impl<'a, T, U, A, S, K, F, N, Form> Mechanism for Top<'a, T, U, A, S, ByGroup<K, F, Form>>
where
    T: Sync + 'a,
    U: PrivacyUnit,
    A: Adjacency,
    S: Statistic<'a, T> + Counts,
    F: Fn(&'a T) -> N + Send + Sync,
    N: Names<K, Form>,
    K: Borrow<N::Target> + Eq + Hash + Clone + Send + Sync,
{
    type Input = Table<'a, T, U, A>;
    type Measure = PureDp;
    type Output = Vec<K>;

    fn draw(
        &self,
        table: &Table<'a, T, U, A>,
        rng: &mut dyn SecureRng,
    ) -> privacy_core::Result<Vec<K>> {
        let Top { statistic, grouping, bound, choice, .. } = self;
        let aggregate: Aggregate<'_, 'a, T, U, A, S, _, Linf> =
            Aggregate::new(statistic, grouping, *bound);
        let drawn = choice.draw(&aggregate.apply(table)?, rng)?;
        Ok(drawn.into_iter().filter_map(|i| grouping.keys().get(i).cloned()).collect())
    }

    fn cost(&self, d_in: Changes) -> privacy_core::Result<PureCost> {
        self.choice.cost(distance::<A>(&self.bound, d_in))
    }

    fn charge(&self, d_in: Changes) -> privacy_core::Result<Charge> {
        self.choice.charge(distance::<A>(&self.bound, d_in))
    }
}

impl<T, U, A, S, G> fmt::Debug for TopQuery<'_, '_, T, U, A, S, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TopQuery").field("k", &self.k).finish_non_exhaustive()
    }
}

impl<T, U, A, S, G> fmt::Debug for Top<'_, T, U, A, S, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Top").field("choice", &self.choice).finish_non_exhaustive()
    }
}
