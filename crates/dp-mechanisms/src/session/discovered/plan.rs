//! A priced query by groups that are not known beforehand.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use privacy_core::access::Resource;
use privacy_core::context::Ask;
use privacy_core::guarantee::Guarantee;
use privacy_core::measure::Charge;
use privacy_core::mechanism::Mechanism;
use privacy_core::params::Confidence;
use privacy_core::random::SecureRng;
use privacy_core::release::{ErrorLaw, Interval, Release, readable_up};
use privacy_core::space::{L1, L2};
use privacy_core::transformation::Transformation;
use privacy_core::unit::{Adjacency, PrivacyUnit, Scope};

use super::super::Session;
use super::super::aggregate::Aggregate;
use super::super::plan::Pricing;
use super::super::release::GroupedRelease;
use super::super::statistic::Statistic;
use super::groups::{Selected, groups_by_unit, units_by_group};
use super::{Asked, Way};
use crate::additive::{Noise, NoiseLaw};
use crate::bound::Contribution;
use crate::error::Result;
use crate::keys::KeyCounts;

/// A query by discovered groups with its price. Prints what it would select, cost and be worth.
#[must_use = "a plan releases nothing until `release` is called"]
pub struct DiscoveredPlan<'s, 'a, T, U, A, S, K, F> {
    session: &'s Session<'a, T, U, A>,
    statistic: S,
    key: F,
    bound: Contribution,
    way: Way<K, A>,
    asked: Asked,
}

impl<'s, 'a, T, U, A, S, K, F> DiscoveredPlan<'s, 'a, T, U, A, S, K, F>
where
    U: PrivacyUnit,
    A: Adjacency,
{
    pub(super) fn new(
        session: &'s Session<'a, T, U, A>,
        statistic: S,
        key: F,
        bound: Contribution,
        way: Way<K, A>,
        asked: Asked,
    ) -> Self {
        DiscoveredPlan { session, statistic, key, bound, way, asked }
    }

    /// What the release would cost.
    pub fn cost(&self) -> &Charge {
        &self.asked.charge
    }

    /// About how many units a group needs to be released more often than not; where groups are
    /// weighted, units that have no other group.
    #[must_use]
    pub fn threshold(&self) -> u64 {
        let of = |threshold: i128| u64::try_from(threshold.max(1)).unwrap_or(u64::MAX);
        match &self.way {
            Way::Laplace(law) => of(law.threshold()),
            Way::Gaussian(law) | Way::Concentrated(law, _) => of(law.threshold()),
            Way::Geometric(law, _) => law.likely_from(),
            Way::Weighted(law, _) => law.likely_from(),
        }
    }

    /// The probability that a group of `units` units is released; where groups are weighted, of units
    /// that have no other group.
    #[must_use]
    pub fn probability(&self, units: u64) -> f64 {
        match &self.way {
            Way::Laplace(law) => law.probability(units),
            Way::Gaussian(law) | Way::Concentrated(law, _) => law.probability(units),
            Way::Geometric(law, _) => law.probability(units),
            Way::Weighted(law, _) => law.probability(units),
        }
    }

    /// The noise that would be added to each integer of a released group.
    #[must_use]
    pub fn noise(&self) -> Noise {
        match &self.way {
            Way::Laplace(law) => law.noise(),
            Way::Gaussian(law) => law.noise(),
            Way::Geometric(_, pricing)
            | Way::Concentrated(_, pricing)
            | Way::Weighted(_, pricing) => pricing.noise(),
        }
    }

    /// What one unit contributes at most.
    #[must_use]
    pub fn contribution(&self) -> Contribution {
        self.bound
    }

    /// What may be said of the release.
    #[must_use]
    pub fn guarantee(&self) -> Guarantee {
        let charge = self.asked.charge.clone();
        Guarantee::DifferentialPrivacy { charge, scope: Scope::of::<U, A>() }
    }

    /// Whether the budget could pay for it now.
    ///
    /// # Errors
    ///
    /// The refusal that a release would meet.
    pub fn check_affordable(&self) -> Result<()> {
        Ok(self.session.cx().check_affordable(&self.asked.charge)?)
    }

    fn limits(&self) -> String {
        let of = |n: u64, what: &str| match n {
            1 => format!("1 {what}"),
            n => format!("{n} {what}s"),
        };
        let (rows, groups) = (of(self.bound.rows(), "row"), of(self.bound.groups(), "group"));
        format!("at most {rows} in at most {groups} of each {}", U::KIND)
    }
}

impl<'a, T, U, A, S, K, F> DiscoveredPlan<'_, 'a, T, U, A, S, K, F>
where
    T: Sync,
    U: PrivacyUnit,
    A: Adjacency,
    S: Statistic<'a, T>,
{
    /// The ± to expect at 95 % confidence for a released group, in the units of the release.
    ///
    /// As [`Plan::expected_error`](super::super::Plan::expected_error).
    #[must_use]
    pub fn expected_error(&self, rows: u64) -> f64 {
        self.statistic.expected_error(&self.noise(), rows, &Confidence::default())
    }

    fn describe(&self) -> String {
        format!("{} by discovered groups", self.statistic.describe())
    }
}

impl<'a, T, U, A, S, K, F> DiscoveredPlan<'_, 'a, T, U, A, S, K, F>
where
    T: Sync,
    U: PrivacyUnit,
    A: Adjacency,
    S: Statistic<'a, T>,
    S::Value: 'static,
    F: Fn(&'a T) -> K + Send + Sync,
    K: Ord + Hash + Clone + Send + Sync,
{
    /// Releases: charges the budget, reads the rows, selects groups, adds the noise, records.
    ///
    /// Holds no group where none has enough units. The law of a count that was tested itself says
    /// that it survived: such counts are too large on average where they are close to the
    /// threshold.
    ///
    /// # Errors
    ///
    /// As [`Plan::release`](super::super::Plan::release).
    pub fn release(self) -> Result<GroupedRelease<K, S::Value>> {
        let name = self.asked.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        let resource = Resource::new(format!("{name}{}, {}", self.describe(), self.limits()));
        let charge = self.asked.charge.clone();
        let mut ask = Ask::new(resource, charge.clone(), Scope::of::<U, A>());
        if let Some(request) = self.asked.request.clone() {
            ask = ask.named(request);
        }
        if let Some(promise) = self.statistic.promise(&self.noise()) {
            ask = ask.promising(promise);
        }
        let paid = self.session.cx().release(ask, |rng| self.draw(rng))?;
        let (groups, noisy) = paid.value;
        let noise = self.noise();
        let threshold = match &self.way {
            Way::Laplace(law) => Some(law.threshold()),
            Way::Gaussian(law) => Some(law.threshold()),
            Way::Geometric(..) | Way::Concentrated(..) | Way::Weighted(..) => None,
        };
        let releases = noisy
            .chunks(self.statistic.shape().coordinates())
            .filter_map(|noisy| {
                let (value, law) = self.statistic.release(noisy, &noise)?;
                let law = match threshold {
                    Some(threshold) => Arc::new(Survived { law, threshold }),
                    None => law,
                };
                Some(Release::new(value, law, charge.clone(), paid.record))
            })
            .collect();
        Ok(GroupedRelease::new(groups, releases, charge))
    }

    /// The selected groups, and the noisy coordinates of each.
    fn draw(&self, rng: &mut dyn SecureRng) -> privacy_core::Result<(Vec<K>, Vec<i128>)> {
        let table = &self.session.table;
        let limit = self.bound.groups();
        let counts = match &self.way {
            Way::Weighted(..) => KeyCounts::new([]),
            _ => units_by_group(table, &self.statistic, &self.key, limit),
        };
        let (groups, pricing) = match &self.way {
            Way::Weighted(law, pricing) => {
                let lists = groups_by_unit(table, &self.statistic, &self.key);
                (law.draw(&lists.map_err(privacy_core::Error::technique)?, rng)?, pricing)
            }
            Way::Laplace(law) => return Ok(law.draw(&counts, rng)?.into_iter().unzip()),
            Way::Gaussian(law) => return Ok(law.draw(&counts, rng)?.into_iter().unzip()),
            Way::Geometric(law, pricing) => (law.draw(&counts, rng)?, pricing),
            Way::Concentrated(law, pricing) => {
                let tested = law.draw(&counts, rng)?;
                (tested.into_iter().map(|(key, _)| key).collect(), pricing)
            }
        };
        let Some(selected) = Selected::new(&groups, &self.key) else {
            return Ok((Vec::new(), Vec::new()));
        };
        // Fewer groups than the noise is made for, so at most its sensitivity.
        let limits = self.statistic.limits(self.session.limits);
        let bound = Contribution::new(U::KIND, &limits, groups.len() as u64).unwrap_or(self.bound);
        let noisy = match pricing {
            Pricing::Laplace(noise) => {
                Aggregate::<T, U, A, S, _, L1>::new(&self.statistic, &selected, bound)
                    .then(noise)
                    .draw(table, rng)?
            }
            Pricing::Gaussian(noise) => {
                Aggregate::<T, U, A, S, _, L2>::new(&self.statistic, &selected, bound)
                    .then(noise)
                    .draw(table, rng)?
            }
        };
        Ok((groups, noisy))
    }
}

/// The law of a count that is released because it passed a threshold.
struct Survived<V> {
    law: Arc<dyn ErrorLaw<V>>,
    threshold: i128,
}

impl<V> fmt::Debug for Survived<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, at least {}", self.law, self.threshold)
    }
}

impl<V> ErrorLaw<V> for Survived<V> {
    fn describe(&self) -> String {
        format!(
            "{}; released because it is at least {}, so too large on average where it is close",
            self.law.describe(),
            self.threshold
        )
    }

    /// As if the count were released in any case.
    fn interval(&self, value: &V, confidence: &Confidence) -> Interval {
        self.law.interval(value, confidence)
    }

    fn standard_deviation(&self) -> Option<f64> {
        self.law.standard_deviation()
    }
}

impl<'a, T, U, A, S, K, F> fmt::Display for DiscoveredPlan<'_, 'a, T, U, A, S, K, F>
where
    T: Sync,
    U: PrivacyUnit,
    A: Adjacency,
    S: Statistic<'a, T>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.asked.name {
            write!(f, "{name}: ")?;
        }
        writeln!(f, "{}", self.describe())?;
        writeln!(f, "  protects  each {} ({})", U::KIND, A::RELATION)?;
        writeln!(f, "  uses      {}; what is beyond is left out", self.limits())?;
        writeln!(f, "  selects   groups of about {} {}s or more", self.threshold(), U::KIND)?;
        let law = NoiseLaw::new(self.noise(), self.statistic.exponent());
        writeln!(f, "  noise     {}", law.describe_for(&self.statistic.shape()))?;
        let error = readable_up(self.expected_error(1000), 0);
        writeln!(f, "  error     ± {error} (95\u{a0}%), where 1000 rows are used")?;
        write!(f, "  costs     {} of {} left", self.asked.charge, self.session.remaining())
    }
}

impl<T, U, A, S: fmt::Debug, K, F> fmt::Debug for DiscoveredPlan<'_, '_, T, U, A, S, K, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiscoveredPlan")
            .field("statistic", &self.statistic)
            .field("charge", &self.asked.charge)
            .finish_non_exhaustive()
    }
}
