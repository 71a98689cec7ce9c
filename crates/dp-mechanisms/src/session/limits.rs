//! Help with the limits of a session: which to take, and how much they leave out, privately.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::RangeInclusive;
use std::sync::Arc;

use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_core::access::Resource;
use privacy_core::context::Ask;
use privacy_core::error::Error as CoreError;
use privacy_core::measure::Charge;
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Epsilon};
use privacy_core::random::{RandomBuffer, SecureRng};
use privacy_core::release::{Release, UnknownLaw};
use privacy_core::space::Scalar;
use privacy_core::unit::{Adjacency, PrivacyUnit, Relation, Scope};

use super::Session;
use super::grouping::Whole;
use super::query::Query;
use super::statistic::{Count, Filtered};
use crate::additive::{LaplaceNoise, Noise, NoiseLaw};
use crate::bound::Contribution;
use crate::error::{Error, Result};
use crate::grid::Value;
use crate::hash::TableHasher;
use crate::noise::BernoulliExp;

impl<'a, T, U: PrivacyUnit, A: Adjacency> Session<'a, T, U, A> {
    /// Picks, of the row limits in `ladder`, about the least within which `percent` percent of the
    /// units have all their rows: a candidate for `max_rows_per_unit`, paid for at once.
    ///
    /// Tight limits mean little noise and much left out; for counts and sums a limit that some 90
    /// to 99 percent of units meet is a good start.
    ///
    /// # Privacy
    ///
    /// Pure `epsilon`. The exponential mechanism (McSherry, Talwar 2007) over the ladder, with
    /// the loss of limit i how far percent · n lies from the interval between 100 n_(i−1) and
    /// 100 n_i, where n_i of n units meet limit i, and all count as meeting the last. One unit more
    /// or less changes it by at most max(percent, 100 − percent), one unit replaced by at most 100.
    /// Weights
    /// are never computed: a uniform candidate is accepted with an exact coin of probability
    /// exp(−ε (loss − least loss)/(2Δ)), again and again.
    ///
    /// # Errors
    ///
    /// [`CoreError::Parameter`] unless the ladder increases from at least 1, and `percent` is
    /// from 1 to 99; [`CoreError::Budget`] and the other errors of a
    /// [release](super::Plan::release).
    ///
    /// # Example
    ///
    /// ```
    /// use dp_mechanisms::prelude::*;
    ///
    /// // A thousand users with 1 to 10 rows, and one with 5000.
    /// let rows: Vec<u32> = (1..=1000u32).flat_map(|user| (0..user % 10 + 1).map(move |_| user))
    ///     .chain((0..5000).map(|_| 0)).collect();
    /// let session = Session::over(&rows).unit(|row: &u32| *row).max_rows_per_unit(1)
    ///     .budget(Epsilon::new(1.0)?).open()?;
    /// let limit = session.suggest_rows_per_unit(90, &[1, 3, 10, 30, 100, 300], 0.5)?;
    /// assert_eq!(*limit.value(), 10);
    /// # Ok::<(), dp_mechanisms::Error>(())
    /// ```
    pub fn suggest_rows_per_unit<E>(
        &self,
        percent: u32,
        ladder: &[u32],
        epsilon: E,
    ) -> Result<Release<u32>>
    where
        E: TryInto<Epsilon>,
        Error: From<E::Error>,
    {
        self.suggest("row limit", percent, ladder, epsilon.try_into()?, Session::rows_of_units)
    }

    /// Picks, of the limits in `ladder`, about the least within which `percent` percent of the units
    /// have all the groups that `key` names: a candidate for `max_groups_per_unit`, paid for at once.
    ///
    /// # Privacy
    ///
    /// As [`suggest_rows_per_unit`](Session::suggest_rows_per_unit), with groups for rows.
    ///
    /// # Errors
    ///
    /// As [`suggest_rows_per_unit`](Session::suggest_rows_per_unit).
    pub fn suggest_groups_per_unit<K, F, E>(
        &self,
        key: F,
        percent: u32,
        ladder: &[u32],
        epsilon: E,
    ) -> Result<Release<u32>>
    where
        F: Fn(&'a T) -> K,
        K: Eq + Hash,
        E: TryInto<Epsilon>,
        Error: From<E::Error>,
    {
        let groups = |session: &Self| session.groups_of_units(&key);
        self.suggest("group limit", percent, ladder, epsilon.try_into()?, groups)
    }

    /// Picks, of the limits in `ladder`, about the least within which the total of `value` over all
    /// rows lies, in magnitude, for `percent` percent of the units: a candidate for
    /// [`max_sum_per_unit`](super::Query::max_sum_per_unit), paid for at once.
    ///
    /// Floats are scaled to integers first, as for
    /// [`approximate_bounds`](Session::approximate_bounds).
    ///
    /// # Privacy
    ///
    /// As [`suggest_rows_per_unit`](Session::suggest_rows_per_unit), with totals for numbers of rows.
    ///
    /// # Errors
    ///
    /// As [`suggest_rows_per_unit`](Session::suggest_rows_per_unit).
    ///
    /// # Example
    ///
    /// ```
    /// use dp_mechanisms::prelude::*;
    ///
    /// // A thousand users with totals of 0 to 99 cents, and one with far more.
    /// let rows: Vec<(u32, i64)> = (0..1000).map(|user| (user, i64::from(user) % 100))
    ///     .chain([(1000, 1_000_000)]).collect();
    /// let session = Session::over(&rows).unit(|r: &(u32, i64)| r.0).max_rows_per_unit(1)
    ///     .budget(Epsilon::new(2.0)?).open()?;
    /// let ladder = [10, 100, 1000, 10_000, 1_000_000];
    /// let limit = *session.suggest_total_per_unit(|r| r.1, 95, &ladder, 1.0)?.value();
    /// assert_eq!(limit, 100);
    /// let sum = session.sum(|r| r.1).bounds(0..=limit)?.max_sum_per_unit(0..=limit)?;
    /// println!("{}", sum.epsilon(1.0)?.release()?);
    /// # Ok::<(), dp_mechanisms::Error>(())
    /// ```
    pub fn suggest_total_per_unit<F, E>(
        &self,
        value: F,
        percent: u32,
        ladder: &[i64],
        epsilon: E,
    ) -> Result<Release<i64>>
    where
        F: Fn(&'a T) -> i64,
        E: TryInto<Epsilon>,
        Error: From<E::Error>,
    {
        let totals = |session: &Self| session.totals_of_units(&value);
        self.suggest("limit of totals", percent, ladder, epsilon.try_into()?, totals)
    }

    /// The exponential mechanism over `ladder`, by how many units have a number within each limit.
    fn suggest<L>(
        &self,
        what: &str,
        percent: u32,
        ladder: &[L],
        epsilon: Epsilon,
        of_units: impl Fn(&Self) -> Vec<u64>,
    ) -> Result<Release<L>>
    where
        L: Copy + TryInto<u64>,
    {
        let parameter = |parameter, requirement, given: f64| CoreError::Parameter {
            parameter,
            requirement,
            given,
        };
        // What does not fit is negative.
        let limits: Vec<u64> =
            ladder.iter().map(|limit| (*limit).try_into().unwrap_or(0)).collect();
        let increases = limits.windows(2).all(|pair| pair[0] < pair[1]);
        if !increases || limits.first().is_none_or(|first| *first == 0) {
            let requirement = "one or more increasing limits, each at least 1";
            return Err(parameter("the ladder of limits", requirement, 0.0).into());
        }
        if !(1..=99).contains(&percent) {
            return Err(parameter("percent", "from 1 to 99", percent.into()).into());
        }
        let sensitivity = match A::RELATION {
            Relation::AddRemove => percent.max(100 - percent),
            _ => 100,
        };
        let resource = Resource::new(format!("{what} that {percent} % of each {} meet", U::KIND));
        let charge = Charge::from(epsilon.clone());
        let ask = Ask::new(resource, charge.clone(), Scope::of::<U, A>());
        let paid = self.cx().release(ask, |rng| {
            let mut numbers = of_units(self);
            numbers.sort_unstable();
            let wanted = i128::from(percent) * numbers.len() as i128;
            let mut below = 0;
            let loss = |limit: &u64| {
                let within = 100 * numbers.partition_point(|number| number <= limit) as i128;
                let lower = std::mem::replace(&mut below, within);
                let short = if Some(limit) == limits.last() { 0 } else { wanted - within };
                (lower - wanted).max(short).max(0).unsigned_abs()
            };
            let losses: Vec<u128> = limits.iter().map(loss).collect();
            pick(&losses, &epsilon, 2 * u64::from(sensitivity), rng)
        })?;
        // A position in the ladder, which is not empty.
        let limit = ladder.get(paid.value).or(ladder.first()).copied();
        let limit = limit.ok_or(parameter("the ladder of limits", "not empty", 0.0))?;
        Ok(Release::new(limit, Arc::new(UnknownLaw), charge, paid.record))
    }

    /// Estimates how many rows the session's limit on rows leaves out of a query over the whole
    /// table, counting at most `up_to` of each unit; paid for at once.
    ///
    /// # Privacy
    ///
    /// Pure `epsilon`: discrete Laplace noise of scale `up_to`/ε on the sum over units of
    /// min(rows − limit, `up_to`), which one unit changes by at most `up_to` under either relation.
    ///
    /// # Errors
    ///
    /// [`CoreError::Parameter`] if `up_to` is 0; the errors of a [release](super::Plan::release).
    pub fn estimate_left_out<E>(&self, up_to: u32, epsilon: E) -> Result<Release<i64>>
    where
        E: TryInto<Epsilon>,
        Error: From<E::Error>,
    {
        let limit = Contribution::new(U::KIND, &self.limits, 1).map_or(u64::MAX, |b| b.rows());
        self.beyond("rows", limit, up_to, epsilon.try_into()?, Session::rows_of_units)
    }

    /// Estimates how many groups, over all units, the session's limit on groups leaves out of a query
    /// by `key`, counting at most `up_to` of each unit; paid for at once.
    ///
    /// # Privacy
    ///
    /// As [`estimate_left_out`](Session::estimate_left_out), with groups for rows.
    ///
    /// # Errors
    ///
    /// As [`estimate_left_out`](Session::estimate_left_out).
    pub fn estimate_groups_left_out<K, F, E>(
        &self,
        key: F,
        up_to: u32,
        epsilon: E,
    ) -> Result<Release<i64>>
    where
        F: Fn(&'a T) -> K,
        K: Eq + Hash,
        E: TryInto<Epsilon>,
        Error: From<E::Error>,
    {
        let bound = Contribution::new(U::KIND, &self.limits, u64::MAX);
        let limit = bound.map_or(u64::MAX, |bound| bound.groups());
        let groups = |session: &Self| session.groups_of_units(&key);
        self.beyond("groups", limit, up_to, epsilon.try_into()?, groups)
    }

    /// Counts the rows whose value the bounds would move: a private answer to how much clamping
    /// changes.
    ///
    /// A query like any other, with the sensitivity of a count; NaN is not counted.
    ///
    /// # Example
    ///
    /// ```
    /// use dp_mechanisms::prelude::*;
    ///
    /// let hours = [3.5, 40.0, 900.0, f64::NAN];
    /// let session = Session::over(&hours).budget(Epsilon::new(1.0)?).open()?;
    /// let clamped = session.count_outside(|h| *h, 0.0..=48.0).epsilon(0.1)?;
    /// println!("{}", clamped.release()?); // of 900.0 alone, and noise
    /// # Ok::<(), dp_mechanisms::Error>(())
    /// ```
    pub fn count_outside<V, F>(
        &self,
        value: F,
        bounds: RangeInclusive<V>,
    ) -> Query<'_, 'a, T, U, A, Filtered<Count, impl Fn(&'a T) -> bool + Send + Sync>, Whole>
    where
        F: Fn(&'a T) -> V + Send + Sync,
        V: Value,
    {
        self.count().filter(move |row| {
            let value = value(row);
            value < *bounds.start() || value > *bounds.end()
        })
    }

    /// The noisy sum over units of what their numbers exceed `limit` by, at most `up_to` each.
    fn beyond(
        &self,
        what: &str,
        limit: u64,
        up_to: u32,
        epsilon: Epsilon,
        of_units: impl Fn(&Self) -> Vec<u64>,
    ) -> Result<Release<i64>> {
        if up_to == 0 {
            let (parameter, requirement) = ("up_to", "at least 1");
            return Err(CoreError::Parameter { parameter, requirement, given: 0.0 }.into());
        }
        let noise = LaplaceNoise::<Scalar<i128>>::calibrated(
            &Amount::from_integer(up_to.into()),
            &epsilon,
        )?;
        let charge = Charge::from(epsilon);
        let resource =
            Resource::new(format!("{what} left out, at most {up_to} of each {}", U::KIND));
        let mut ask = Ask::new(resource, charge.clone(), Scope::of::<U, A>());
        if let Some(promise) = noise.noise().promise(0) {
            ask = ask.promising(promise);
        }
        let paid = self.cx().release(ask, |rng| {
            let beyond = |number: &u64| number.saturating_sub(limit).min(up_to.into());
            let left_out: i128 = of_units(self).iter().map(beyond).map(i128::from).sum();
            noise.draw(&left_out, rng)
        })?;
        let value = paid.value.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        let law = NoiseLaw::new(Noise::clone(&noise.noise()), 0);
        Ok(Release::new(value, Arc::new(law), charge, paid.record))
    }

    /// How many rows each unit has.
    fn rows_of_units(&self) -> Vec<u64> {
        self.folded(|_, rows: &mut u64| *rows += 1)
    }

    /// How many groups each unit has.
    fn groups_of_units<K: Eq + Hash>(&self, key: &impl Fn(&'a T) -> K) -> Vec<u64> {
        let Some(units) = self.table.units() else {
            return self.rows_of_units();
        };
        let mut groups: HashMap<K, u32, TableHasher> = HashMap::default();
        let mut pairs: Vec<(u32, u32)> = Vec::with_capacity(self.table.rows().len());
        for (row, unit) in self.table.rows().iter().zip(units.ids()) {
            // Fewer than 2^32 rows, hence fewer groups.
            let next = groups.len() as u32;
            pairs.push((unit, *groups.entry(key(row)).or_insert(next)));
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut of_units = vec![0u64; units.identities().len()];
        for (unit, _) in pairs {
            of_units[unit as usize] += 1;
        }
        of_units
    }

    /// The magnitude of what each unit's values add up to.
    fn totals_of_units(&self, value: &impl Fn(&'a T) -> i64) -> Vec<u64> {
        // Fewer than 2^64 rows of 64 bits.
        let totals = self.folded(|row, total: &mut i128| *total += i128::from(value(row)));
        totals.iter().map(|total| u64::try_from(total.unsigned_abs()).unwrap_or(u64::MAX)).collect()
    }

    /// What the rows of each unit make of the default; of each row, where rows are the unit.
    fn folded<V: Default + Clone>(&self, mut add: impl FnMut(&'a T, &mut V)) -> Vec<V> {
        let rows = self.table.rows();
        match self.table.units() {
            None => {
                let mut of_rows = vec![V::default(); rows.len()];
                rows.iter().zip(&mut of_rows).for_each(|(row, of_row)| add(row, of_row));
                of_rows
            }
            Some(units) => {
                let mut of_units = vec![V::default(); units.identities().len()];
                for (row, unit) in rows.iter().zip(units.ids()) {
                    add(row, &mut of_units[unit as usize]);
                }
                of_units
            }
        }
    }
}

/// The exponential mechanism: index i with probability proportional to
/// exp(−`epsilon` losses\[i\]/`divisor`).
fn pick(
    losses: &[u128],
    epsilon: &Epsilon,
    divisor: u64,
    rng: &mut dyn SecureRng,
) -> privacy_core::Result<usize> {
    let best = losses.iter().copied().min().unwrap_or(0);
    let rate = epsilon.amount().as_ratio() / Ratio::from(BigUint::from(divisor));
    loop {
        let candidate = RandomBuffer::new(rng).below(losses.len() as u64)? as usize;
        let worse = losses.get(candidate).copied().unwrap_or(best) - best;
        let coin = BernoulliExp::new(&rate * Ratio::from(BigUint::from(worse)))
            .map_err(CoreError::technique)?;
        if coin.sample(rng)? {
            return Ok(candidate);
        }
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::random::InsecureTestRng;

    use super::*;

    #[test]
    fn candidates_are_picked_with_exponential_weights() {
        let losses = [0u128, 5, 20, 1000];
        let epsilon = "0.5".parse().unwrap();
        let mut rng = InsecureTestRng::from_seed(21);
        let mut picked = [0u64; 3];
        for _ in 0..30_000 {
            picked[pick(&losses, &epsilon, 10, &mut rng).unwrap()] += 1;
        }
        let weights = losses[..3].iter().map(|loss| (-0.05 * *loss as f64).exp());
        let total: f64 = weights.clone().sum();
        let law: Vec<f64> = weights.map(|weight| weight / total).collect();
        privacy_testing::statistics::check_chi_square(&picked, &law, 1e-9);
    }
}
