//! Queries by groups that are not known beforehand.

use std::borrow::Cow;
use std::fmt;
use std::hash::Hash;

use privacy_core::budget::RequestId;
use privacy_core::measure::Charge;
use privacy_core::params::{Amount, Delta, Epsilon, Rho};
use privacy_core::unit::{Adjacency, PrivacyUnit, Relation};

use super::grouping::Whole;
use super::plan::Pricing;
use super::query::{Query, QueryParts};
use super::statistic::Statistic;
use crate::additive::{GaussianNoise, LaplaceNoise};
use crate::bound::Contribution;
use crate::error::{Error, Result};
use crate::keys::gaussian_cost::zcdp_epsilon;
use crate::keys::{
    GaussianThreshold, IterativeSelection, KeyChanges, LaplaceThreshold, TruncatedGeometric,
};

mod groups;
mod plan;

pub use plan::DiscoveredPlan;

/// A query by groups that are selected privately from the data; see
/// [`by_discovered`](Query::by_discovered).
#[must_use = "a query is priced with `epsilon_delta` or `rho_delta` and then released"]
pub struct Discovered<'s, 'a, T, U, A, S, F> {
    parts: QueryParts<'s, 'a, T, U, A, S, Whole>,
    key: F,
    least_units: u64,
    selection_percent: u32,
    /// Rounds of weighted selection; none where keys count alike.
    rounds: Option<u32>,
}

impl<'s, 'a, T, U, A, S> Query<'s, 'a, T, U, A, S, Whole> {
    /// By groups that nobody knows beforehand: search terms, error messages, devices. Groups of
    /// enough units are selected privately, and only those are released.
    ///
    /// `key` says which group a row belongs to. Releases come in the order of keys. Where the groups
    /// are known, [`by`](Query::by) costs less and leaves no group out.
    ///
    /// # Privacy
    ///
    /// That a group occurs can disclose a person, so selecting costs ε and δ. A unit takes part in
    /// at most `max_groups_per_unit` groups.
    ///
    /// - Counts of units, and of rows that are protected themselves: one noisy count of each group is
    ///   tested and released ([`LaplaceThreshold`], [`GaussianThreshold`]).
    /// - With [`weighted`](Discovered::weighted): part of the budget selects groups by
    ///   [`IterativeSelection`], the rest releases the statistic of the selected groups.
    /// - Everything else: part of the budget selects groups by their number of units
    ///   ([`TruncatedGeometric`], or [`GaussianThreshold`] under ρ), the rest releases the statistic
    ///   of the selected groups as if they had been known. The second step may depend on the first
    ///   (adaptive composition). Units are bounded anew among the selected groups, so nothing of
    ///   their limit is wasted on groups that are not released.
    ///
    /// # Example
    ///
    /// ```
    /// use dp_mechanisms::prelude::*;
    ///
    /// struct Search { user: u32, term: String }
    /// # let searches: Vec<Search> = (0..3000)
    /// #     .map(|i| Search { user: i, term: ["rain", "train"][i as usize % 2].to_owned() })
    /// #     .chain([Search { user: 9, term: "my secret".to_owned() }]).collect();
    /// let session = Session::over(&searches)
    ///     .unit(|s: &Search| s.user)
    ///     .max_rows_per_unit(5)
    ///     .budget((Epsilon::new(1.0)?, Delta::new(1e-6)?))
    ///     .open()?;
    /// let plan = session.count_units().by_discovered(|s| &s.term).epsilon_delta(1.0, 1e-6)?;
    /// println!("{plan}"); // threshold, error and cost, before anything is read
    /// let terms = plan.release()?;
    /// assert_eq!(terms.iter().map(|(term, _)| *term).collect::<Vec<_>>(), ["rain", "train"]);
    /// # Ok::<(), dp_mechanisms::Error>(())
    /// ```
    pub fn by_discovered<K, F>(self, key: F) -> Discovered<'s, 'a, T, U, A, S, F>
    where
        F: Fn(&'a T) -> K,
        K: Ord + Hash + Clone,
    {
        let parts = self.into_parts();
        Discovered { parts, key, least_units: 1, selection_percent: 50, rounds: None }
    }
}

/// How groups are selected and their statistics released.
#[expect(clippy::large_enum_variant, reason = "a plan holds one, and is not moved about")]
pub(super) enum Way<K, A> {
    Laplace(LaplaceThreshold<K, A>),
    Gaussian(GaussianThreshold<K, A>),
    Geometric(TruncatedGeometric<K, A>, Pricing),
    Concentrated(GaussianThreshold<K, A>, Pricing),
    Weighted(IterativeSelection<K>, Pricing),
}

impl<'s, 'a, T, U, A, S, F> Discovered<'s, 'a, T, U, A, S, F>
where
    U: PrivacyUnit,
    A: Adjacency,
{
    /// Groups of fewer than `units` units are never released: k-anonymity on top of differential
    /// privacy.
    pub fn least_units(mut self, units: u64) -> Self {
        self.least_units = units;
        self
    }

    /// The share of ε or ρ, in percent, that selects groups where selection and statistic are
    /// separate steps (see [`by_discovered`](Query::by_discovered)); 50 unless stated.
    pub fn selection_percent(mut self, percent: u32) -> Self {
        self.selection_percent = percent;
        self
    }

    /// Selects groups by weights, in `rounds` rounds (1 to 16; 3 is a good start): a unit spreads its
    /// weight over its groups that are still open, so that units with few groups count for more, and
    /// what is found early takes no weight from what is rare. Finds more groups where units have
    /// lists of very different lengths; set `max_groups_per_unit` high.
    ///
    /// Priced with [`epsilon_delta`](Self::epsilon_delta) alone, and without
    /// [`least_units`](Self::least_units): weights are no numbers of units.
    ///
    /// # Example
    ///
    /// ```
    /// use dp_mechanisms::prelude::*;
    ///
    /// // Words by author: everyone writes the first two, and most have one word more.
    /// let words = (0..6000u32).flat_map(|author| {
    ///     ["the".to_owned(), "of".to_owned(), format!("word {}", author % 6)].map(|w| (author, w))
    /// });
    /// let rows: Vec<(u32, String)> = words.chain([(7, "a name".to_owned())]).collect();
    /// let session = Session::over(&rows)
    ///     .unit(|row: &(u32, String)| row.0)
    ///     .max_rows_per_unit(100)
    ///     .budget((Epsilon::new(4.0)?, Delta::new(1e-6)?))
    ///     .open()?;
    /// let authors = session.count_units().by_discovered(|row| &row.1).weighted(2);
    /// let authors = authors.epsilon_delta(4.0, 1e-6)?.release()?;
    /// assert_eq!(authors.len(), 8);
    /// # Ok::<(), dp_mechanisms::Error>(())
    /// ```
    pub fn weighted(mut self, rounds: u32) -> Self {
        self.rounds = Some(rounds);
        self
    }

    /// Prices the query at (ε, δ): discrete Laplace noise.
    ///
    /// Nothing is read and nothing is spent yet.
    ///
    /// # Errors
    ///
    /// [`privacy_core::Error::Parameter`] if a parameter is out of range, such as δ = 0;
    /// [`privacy_core::Error::Missing`] if a unit's contribution is unlimited; [`Error::Noise`] if so
    /// much noise cannot be drawn.
    pub fn epsilon_delta<E, D, K>(
        self,
        epsilon: E,
        delta: D,
    ) -> Result<DiscoveredPlan<'s, 'a, T, U, A, S, K, F>>
    where
        T: Sync,
        S: Statistic<'a, T>,
        F: Fn(&'a T) -> K,
        E: TryInto<Epsilon>,
        D: TryInto<Delta>,
        Error: From<E::Error> + From<D::Error>,
    {
        let (epsilon, delta) = (epsilon.try_into()?, delta.try_into()?);
        let charge = Charge::from((epsilon.clone(), delta.clone()));
        let (bound, changes) = self.bound()?;
        let noise = |epsilon: Amount| -> Result<Pricing> {
            let sensitivity = bound.l1(&self.parts.statistic.shape(), A::RELATION);
            let epsilon = Epsilon::from_amount(epsilon)?;
            Ok(Pricing::Laplace(LaplaceNoise::calibrated(&sensitivity, &epsilon)?))
        };
        let way = if let Some(rounds) = self.rounds {
            if self.least_units > 1 {
                return Err(privacy_core::Error::Parameter {
                    parameter: "the least number of units of a group",
                    requirement: "1 where groups are selected by weights",
                    given: self.least_units as f64,
                }
                .into());
            }
            let (select, rest) = self.split(epsilon.amount())?;
            let (select, delta) = of_each_change::<A>(Epsilon::from_amount(select)?, &delta)?;
            let law = IterativeSelection::calibrated(&select, &delta, bound.groups(), rounds)?;
            Way::Weighted(law, noise(rest)?)
        } else if self.parts.statistic.counts_units(U::KIND) {
            let law = LaplaceThreshold::calibrated(&epsilon, &delta, changes)?;
            Way::Laplace(law.with_least_units(self.least_units))
        } else {
            let (select, rest) = self.split(epsilon.amount())?;
            let select = Epsilon::from_amount(select)?;
            let law = TruncatedGeometric::calibrated(&select, &delta, changes)?;
            Way::Geometric(law.with_least_units(self.least_units), noise(rest)?)
        };
        Ok(self.plan(bound, way, charge))
    }

    /// Prices the query at ρ and δ: discrete Gaussian noise, for units with many groups.
    ///
    /// What is charged is (ε, δ), with half of δ for groups of one unit's making and the other
    /// half for the conversion of ρ (δ/2-approximate ρ-zCDP; Bun, Steinke 2016, on approximate zCDP).
    ///
    /// # Errors
    ///
    /// As [`epsilon_delta`](Self::epsilon_delta).
    pub fn rho_delta<R, D, K>(
        self,
        rho: R,
        delta: D,
    ) -> Result<DiscoveredPlan<'s, 'a, T, U, A, S, K, F>>
    where
        T: Sync,
        S: Statistic<'a, T>,
        F: Fn(&'a T) -> K,
        R: TryInto<Rho>,
        D: TryInto<Delta>,
        Error: From<R::Error> + From<D::Error>,
    {
        let (rho, delta): (Rho, Delta) = (rho.try_into()?, delta.try_into()?);
        if self.rounds.is_some() {
            return Err(privacy_core::Error::Missing {
                setting: "a price in epsilon and delta, which weighted selection needs",
                remedy: "call epsilon_delta, or leave weighted out",
            }
            .into());
        }
        let half = Delta::from_amount(delta.amount().scaled_by_power_of_two(-1))?;
        let epsilon = Amount::from_binary(zcdp_epsilon(rho.to_f64_up(), half.to_f64_down()))?;
        let charge = Charge::approximate(epsilon, delta.into_amount());
        let (bound, changes) = self.bound()?;
        let way = if self.parts.statistic.counts_units(U::KIND) {
            let law = GaussianThreshold::concentrated(&rho, &half, changes)?;
            Way::Gaussian(law.with_least_units(self.least_units))
        } else {
            let (select, rest) = self.split(rho.amount())?;
            let select = Rho::from_amount(select)?;
            let law = GaussianThreshold::concentrated(&select, &half, changes)?;
            let sensitivity = bound.l2(&self.parts.statistic.shape(), A::RELATION);
            let noise = GaussianNoise::calibrated(&sensitivity, &Rho::from_amount(rest)?)?;
            Way::Concentrated(law.with_least_units(self.least_units), Pricing::Gaussian(noise))
        };
        Ok(self.plan(bound, way, charge))
    }

    /// What one unit contributes, whichever groups are selected.
    fn bound(&self) -> Result<(Contribution, KeyChanges)>
    where
        T: Sync,
        S: Statistic<'a, T>,
    {
        let limits = self.parts.statistic.limits(self.parts.session.limits);
        let missing = privacy_core::Error::Missing {
            setting: "the limit of what one unit contributes to this query",
            remedy: "call max_rows_per_unit, or max_groups_per_unit with max_rows_per_group",
        };
        let bound = Contribution::new(U::KIND, &limits, u64::MAX).ok_or(missing)?;
        Ok((bound, KeyChanges::of_unit(bound.groups())))
    }

    /// What selects and what is left.
    fn split(&self, amount: &Amount) -> Result<(Amount, Amount)> {
        let out_of_range = privacy_core::Error::Parameter {
            parameter: "selection_percent",
            requirement: "from 1 to 99",
            given: self.selection_percent.into(),
        };
        if !(1..=99).contains(&self.selection_percent) {
            return Err(out_of_range.into());
        }
        let select = amount * &Amount::from_percent(self.selection_percent);
        let rest = amount.checked_sub(&select).ok_or(out_of_range)?;
        Ok((select, rest))
    }

    fn plan<K>(
        self,
        bound: Contribution,
        way: Way<K, A>,
        charge: Charge,
    ) -> DiscoveredPlan<'s, 'a, T, U, A, S, K, F> {
        let QueryParts { session, statistic, name, request, .. } = self.parts;
        let asked = Asked { name, request, charge };
        DiscoveredPlan::new(session, statistic, self.key, bound, way, asked)
    }
}

/// The price of one unit added or removed, where neighbours cost (`epsilon`, `delta`): replacing one
/// is two such changes, by group privacy (ε', (1 + e^ε') δ') with ε' = ε/2.
fn of_each_change<A: Adjacency>(epsilon: Epsilon, delta: &Delta) -> Result<(Epsilon, Delta)> {
    if A::RELATION == Relation::AddRemove {
        return Ok((epsilon, delta.clone()));
    }
    let half = Epsilon::from_amount(epsilon.amount().scaled_by_power_of_two(-1))?;
    let factor = Amount::from_binary((1.0 + half.to_f64_up().exp()) * (1.0 + 1e-12))?;
    let share = delta.amount().checked_div(&factor).unwrap_or(Amount::ZERO);
    Ok((half, Delta::from_amount(share)?))
}

/// What a plan is called and costs.
pub(super) struct Asked {
    name: Option<Cow<'static, str>>,
    request: Option<RequestId>,
    charge: Charge,
}

impl<T, U, A, S: fmt::Debug, F> fmt::Debug for Discovered<'_, '_, T, U, A, S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discovered")
            .field("statistic", &self.parts.statistic)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
