//! A priced question: everything about a release but the release.

use std::borrow::Cow;
use std::fmt;

use privacy_core::access::Resource;
use privacy_core::budget::RequestId;
use privacy_core::context::{Ask, Paid};
use privacy_core::guarantee::Guarantee;
use privacy_core::measure::Charge;
use privacy_core::mechanism::Mechanism;
use privacy_core::params::Confidence;
use privacy_core::release::{Readable, Release, readable_up};
use privacy_core::space::{Changes, L1, L2, Vector};
use privacy_core::transformation::Transformation;
use privacy_core::unit::{Adjacency, PrivacyUnit, Scope};

use super::Session;
use super::aggregate::Aggregate;
use super::grouping::Grouping;
use super::statistic::Statistic;
use super::table::Table;
use crate::additive::{GaussianNoise, LaplaceNoise, Noise, NoiseLaw};
use crate::bound::{Contribution, Shape};
use crate::error::{Error, Result};

/// A query with its price. Prints what it would do, cost and be worth.
///
/// Reading a plan costs nothing and touches no data; [`release`](Plan::release) is what is paid
/// for.
#[must_use = "a plan releases nothing until `release` is called"]
pub struct Plan<'s, 'a, T, U, A, S, G> {
    session: &'s Session<'a, T, U, A>,
    statistic: S,
    grouping: G,
    bound: Contribution,
    pricing: Pricing,
    charge: Charge,
    name: Option<Cow<'static, str>>,
    request: Option<RequestId>,
}

/// The noise of a plan, typed by the norm it is calibrated to.
pub(super) enum Pricing {
    Laplace(LaplaceNoise<Vector<i128, L1>>),
    Gaussian(GaussianNoise<Vector<i128, L2>>),
}

impl Pricing {
    pub(super) fn noise(&self) -> Noise {
        match self {
            Pricing::Laplace(noise) => noise.noise(),
            Pricing::Gaussian(noise) => noise.noise(),
        }
    }
}

impl<'s, 'a, T, U, A, S, G> Plan<'s, 'a, T, U, A, S, G>
where
    T: Sync,
    U: PrivacyUnit,
    A: Adjacency,
    S: Statistic<'a, T>,
    G: Grouping<'a, T>,
{
    pub(super) fn new(
        session: &'s Session<'a, T, U, A>,
        statistic: S,
        grouping: G,
        bound: Contribution,
        pricing: Pricing,
        name: Option<Cow<'static, str>>,
        request: Option<RequestId>,
    ) -> Result<Self> {
        // The price comes from the very chain that will draw.
        let once = Changes::NEIGHBOURS;
        let charge = match &pricing {
            Pricing::Laplace(noise) => aggregate::<_, U, A, _, _, L1>(&statistic, &grouping, bound)
                .then(noise)
                .charge(once)?,
            Pricing::Gaussian(noise) => {
                aggregate::<_, U, A, _, _, L2>(&statistic, &grouping, bound)
                    .then(noise)
                    .charge(once)?
            }
        };
        Ok(Plan { session, statistic, grouping, bound, pricing, charge, name, request })
    }

    /// The same plan with another proven bound on its cost.
    #[cfg(feature = "accounting")]
    pub(super) fn or_charge(self, charge: Charge) -> Self {
        Plan { charge: self.charge.or(charge), ..self }
    }

    /// What the release would cost.
    pub fn cost(&self) -> &Charge {
        &self.charge
    }

    /// The noise that would be added to each integer of the aggregate.
    #[must_use]
    pub fn noise(&self) -> Noise {
        self.pricing.noise()
    }

    /// What one unit contributes at most.
    #[must_use]
    pub fn contribution(&self) -> Contribution {
        self.bound
    }

    /// The ± to expect at 95 % confidence, in the units of the release.
    ///
    /// `rows` is a guess of how many rows contribute to a group, known to the caller from
    /// elsewhere; only a mean's error depends on it. It is given for a mean in the middle of the
    /// bounds, where it is least: the interval of a mean at a bound is up to 1.5 times as wide. What
    /// clamping and contribution limits leave out comes on top.
    #[must_use]
    pub fn expected_error(&self, rows: u64) -> f64 {
        self.statistic.expected_error(&self.pricing.noise(), rows, &Confidence::default())
    }

    /// What may be said of the release.
    #[must_use]
    pub fn guarantee(&self) -> Guarantee {
        Guarantee::DifferentialPrivacy { charge: self.charge.clone(), scope: Scope::of::<U, A>() }
    }

    fn describe(&self) -> String {
        format!("{}{}", self.statistic.describe(), self.grouping.describe())
    }

    /// The name, the statistic and the limits: what the audit trail keeps.
    fn describe_fully(&self) -> String {
        let name = self.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        format!("{name}{}, {}", self.describe(), self.limits())
    }

    fn limits(&self) -> String {
        match self.bound.rows() {
            1 => format!("at most 1 row of each {}", U::KIND),
            rows => format!("at most {rows} rows of each {}", U::KIND),
        }
    }

    /// Whether the budget could pay for it now.
    ///
    /// # Errors
    ///
    /// The refusal that a release would meet.
    pub fn check_affordable(&self) -> Result<()> {
        Ok(self.session.cx().check_affordable(&self.charge)?)
    }

    /// Releases: charges the budget, reads the rows, adds the noise, records.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Budget`] if the budget cannot pay: nothing is spent and the session
    /// goes on. [`privacy_core::Error::Denied`], [`privacy_core::Error::Entropy`],
    /// [`privacy_core::Error::Storage`].
    ///
    /// To an authorizer that obliges to noise of a certain size, counts and sums promise the
    /// standard deviation of theirs; means and other quotients promise none.
    pub fn release(self) -> Result<G::Output<S::Value>> {
        let resource = Resource::new(self.describe_fully());
        let Plan { session, statistic, grouping, bound, pricing, charge, request, .. } = self;
        let mut ask = Ask::new(resource, charge.clone(), Scope::of::<U, A>());
        if let Some(request) = request {
            ask = ask.named(request);
        }
        if let Some(promise) = statistic.promise(&pricing.noise()) {
            ask = ask.promising(promise);
        }
        let paid = match &pricing {
            Pricing::Laplace(noise) => {
                let chain =
                    aggregate::<_, U, A, _, _, L1>(&statistic, &grouping, bound).then(noise);
                session.draw(ask, &chain)
            }
            Pricing::Gaussian(noise) => {
                let chain =
                    aggregate::<_, U, A, _, _, L2>(&statistic, &grouping, bound).then(noise);
                session.draw(ask, &chain)
            }
        }?;
        let noise = pricing.noise();
        let releases = paid
            .value
            .chunks(statistic.shape().coordinates())
            .filter_map(|noisy| {
                let (value, law) = statistic.release(noisy, &noise)?;
                Some(Release::new(value, law, charge.clone(), paid.record))
            })
            .collect();
        grouping.collect(releases, charge).ok_or(Error::NoGroups)
    }
}

fn aggregate<'q, 'a, T, U, A, S, G, N>(
    statistic: &'q S,
    grouping: &'q G,
    bound: Contribution,
) -> Aggregate<'q, 'a, T, U, A, S, G, N>
where
    T: Sync,
    S: Statistic<'a, T>,
    G: Grouping<'a, T>,
{
    Aggregate::new(statistic, grouping, bound)
}

impl<'a, T, U: PrivacyUnit, A: Adjacency> Session<'a, T, U, A> {
    fn draw<M>(&self, ask: Ask, chain: &M) -> Result<Paid<Vec<i128>>>
    where
        M: Mechanism<Input = Table<'a, T, U, A>, Output = Vec<i128>>,
    {
        Ok(self.cx().release(ask, |rng| chain.draw(&self.table, rng))?)
    }
}

impl<'a, T, U, A, S, G> fmt::Display for Plan<'_, 'a, T, U, A, S, G>
where
    T: Sync,
    U: PrivacyUnit,
    A: Adjacency,
    S: Statistic<'a, T>,
    G: Grouping<'a, T>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let law = NoiseLaw::new(self.pricing.noise(), self.statistic.exponent());
        if let Some(name) = &self.name {
            write!(f, "{name}: ")?;
        }
        writeln!(f, "{}", self.describe())?;
        writeln!(f, "  protects  each {} ({})", U::KIND, A::RELATION)?;
        writeln!(f, "  uses      {}; what is beyond is left out", self.limits())?;
        writeln!(f, "  noise     {}", law.describe_for(&self.statistic.shape()))?;
        let (rows, example) = match self.statistic.shape() {
            Shape::Simplex { .. } | Shape::Vector { .. } => {
                (1000, ", for example, if 1000 rows are used")
            }
            _ => (1, ""),
        };
        let error = self.expected_error(rows);
        let decimals = match self.statistic.exponent() == 0 && example.is_empty() {
            true => 0,
            false => error.readable(error).split_once('.').map_or(0, |(_, digits)| digits.len()),
        };
        writeln!(f, "  error     ± {} (95\u{a0}%){example}", readable_up(error, decimals))?;
        write!(f, "  costs     {} of {} left", self.charge, self.session.remaining())
    }
}

impl<T, U, A, S: fmt::Debug, G> fmt::Debug for Plan<'_, '_, T, U, A, S, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("statistic", &self.statistic)
            .field("charge", &self.charge)
            .finish_non_exhaustive()
    }
}
