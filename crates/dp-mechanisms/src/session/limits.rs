//! Help with the limits of a session: which to take, and how much they leave out, privately.

use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_core::access::Resource;
use privacy_core::context::Ask;
use privacy_core::error::Error as CoreError;
use privacy_core::measure::Charge;
use privacy_core::params::{Amount, Epsilon};
use privacy_core::random::{RandomBuffer, SecureRng};
use privacy_core::release::{Release, UnknownLaw};
use privacy_core::unit::{Adjacency, PrivacyUnit, Relation, Scope};
use std::sync::Arc;

use super::Session;
use crate::additive::{LaplaceNoise, Noise, NoiseLaw};
use crate::bound::Contribution;
use crate::error::{Error, Result};
use crate::noise::BernoulliExp;
use privacy_core::mechanism::Mechanism;
use privacy_core::space::Scalar;

impl<T, U: PrivacyUnit, A: Adjacency> Session<'_, T, U, A> {
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
    /// 100 n_i, where n_i of n units meet limit i. One unit more or less changes it by at most
    /// max(percent, 100 − percent), one unit replaced by at most 100. Weights
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
        let epsilon = epsilon.try_into()?;
        let parameter = |parameter, requirement, given: f64| CoreError::Parameter {
            parameter,
            requirement,
            given,
        };
        let increases = ladder.windows(2).all(|pair| pair[0] < pair[1]);
        if !increases || ladder.first().is_none_or(|first| *first == 0) {
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
        let resource =
            Resource::new(format!("row limit that {percent} % of each {} meet", U::KIND));
        let charge = Charge::from(epsilon.clone());
        let ask = Ask::new(resource, charge.clone(), Scope::of::<U, A>());
        let paid = self.cx().release(ask, |rng| {
            let rows_of = self.rows_of_units();
            let units = rows_of.len() as i128;
            let wanted = i128::from(percent) * units;
            let mut below = 0;
            let loss = |limit: &u32| {
                let within = 100 * rows_of.iter().filter(|rows| *rows <= limit).count() as i128;
                let lower = std::mem::replace(&mut below, within);
                (lower - wanted).max(wanted - within).max(0).unsigned_abs()
            };
            let losses: Vec<u128> = ladder.iter().map(loss).collect();
            pick(&losses, &epsilon, 2 * u64::from(sensitivity), rng)
        })?;
        let limit = ladder.get(paid.value).copied().unwrap_or(1);
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
        let epsilon: Epsilon = epsilon.try_into()?;
        if up_to == 0 {
            let (parameter, requirement) = ("up_to", "at least 1");
            return Err(CoreError::Parameter { parameter, requirement, given: 0.0 }.into());
        }
        let noise = LaplaceNoise::<Scalar<i128>>::calibrated(
            &Amount::from_integer(up_to.into()),
            &epsilon,
        )?;
        let limit = Contribution::new(U::KIND, &self.limits, 1).map_or(u64::MAX, |b| b.rows());
        let charge = Charge::from(epsilon);
        let resource = Resource::new(format!("rows left out, at most {up_to} of each {}", U::KIND));
        let ask = Ask::new(resource, charge.clone(), Scope::of::<U, A>());
        let paid = self.cx().release(ask, |rng| {
            let beyond = |rows: &u32| u64::from(*rows).saturating_sub(limit).min(up_to.into());
            let left_out: i128 = self.rows_of_units().iter().map(beyond).map(i128::from).sum();
            noise.draw(&left_out, rng)
        })?;
        let value = paid.value.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        let law = NoiseLaw::new(Noise::clone(&noise.noise()), 0);
        Ok(Release::new(value, Arc::new(law), charge, paid.record))
    }

    /// How many rows each unit has.
    fn rows_of_units(&self) -> Vec<u32> {
        let Some(units) = self.table.units() else {
            return vec![1; self.table.rows().len()];
        };
        let mut rows_of = vec![0u32; units.identities().len()];
        for unit in units.ids() {
            rows_of[unit as usize] += 1;
        }
        rows_of
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
