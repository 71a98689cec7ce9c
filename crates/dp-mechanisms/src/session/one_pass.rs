//! One number about values that pass by once: a session with one question, without its table.

use std::sync::Arc;

use privacy_core::access::{Actor, Purpose, Resource};
use privacy_core::budget::MemoryBudget;
use privacy_core::context::{Ask, Context};
use privacy_core::measure::Charge;
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{ContributionLimits, Epsilon};
use privacy_core::release::Release;
use privacy_core::space::{L1, Vector};
use privacy_core::unit::{AddRemove, Adjacency, PrivacyUnit, Record, Scope, UnitKind, User};

use super::aggregate::Rows;
use super::statistic::{MeanOf, Statistic, SumOf};
use crate::additive::{LaplaceNoise, NoiseLaw};
use crate::bound::{Contribution, Shape};
use crate::error::{Error, Result};

/// Values that are summed together.
const AT_ONCE: usize = 1024;

/// Releases `statistic` of values each of which is protected by itself.
pub(crate) fn release<V, S, R>(
    values: impl Iterator<Item = V>,
    statistic: &S,
    epsilon: Epsilon,
) -> Result<Release<R>>
where
    S: for<'v> Statistic<'v, V, Item = i64, Value = R>,
    V: Sync + 'static,
{
    let shape = <S as Statistic<'static, V>>::shape(statistic);
    let name = <S as Statistic<'static, V>>::describe(statistic);
    let resource = format!("{name}, at most 1 row of each {}", Record::KIND);
    let (bound, noise, charge) = priced(&shape, &epsilon)?;
    let ask = Ask::new(Resource::new(resource), charge.clone(), Scope::of::<Record, AddRemove>());
    let mut values = values;
    let paid = context(epsilon)?.release(ask, |rng| {
        let mut sums = vec![0i128; shape.coordinates()];
        let mut some = Vec::with_capacity(AT_ONCE);
        loop {
            some.clear();
            some.extend(values.by_ref().take(AT_ONCE));
            if some.is_empty() {
                return noise.draw(&sums, rng);
            }
            let rows = Rows { rows: &some, units: None, bound };
            let part = statistic.aggregate(rows, 1, |_| Some(0), |value| statistic.item(value));
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
    })?;
    let released = <S as Statistic<'static, V>>::release(statistic, &paid.value, &noise.noise());
    let (value, law) = released.ok_or(Error::NoGroups)?;
    Ok(Release::new(value, law, charge, paid.record))
}

/// Releases how many units there are, given by name, however often each is named.
pub(crate) fn release_units(
    units: impl FnOnce() -> usize,
    epsilon: Epsilon,
) -> Result<Release<i64>> {
    let (_, noise, charge) = priced(&Shape::Count, &epsilon)?;
    let resource = format!("count of units, at most 1 row of each {}", User::KIND);
    let ask = Ask::new(Resource::new(resource), charge.clone(), Scope::of::<User, AddRemove>());
    let paid = context(epsilon)?.release(ask, |rng| noise.draw(&[units() as i128], rng))?;
    let value = paid.value.first().copied().unwrap_or_default();
    let value = value.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    Ok(Release::new(value, Arc::new(NoiseLaw::new(noise.noise(), 0)), charge, paid.record))
}

type Priced = (Contribution, LaplaceNoise<Vector<i128, L1>>, Charge);

/// One row of each unit, noise for it, and what that costs.
fn priced(shape: &Shape, epsilon: &Epsilon) -> Result<Priced> {
    let limits = ContributionLimits::default();
    let bound = Contribution::new(UnitKind::Record, &limits, 1).ok_or(Error::NoGroups)?;
    let sensitivity = bound.l1(shape, AddRemove::RELATION);
    let noise = LaplaceNoise::<Vector<i128, L1>>::calibrated(&sensitivity, epsilon)?;
    let charge = noise.charge(sensitivity)?;
    Ok((bound, noise, charge))
}

fn context(epsilon: Epsilon) -> Result<Context> {
    let context = Context::new(Actor::new("application"), Purpose::new("analytics"))?;
    Ok(context.with_budget(MemoryBudget::new(epsilon)))
}

/// A sum of what `value` reads.
pub(crate) fn sum_of<F>(value: F) -> SumOf<F> {
    SumOf::new(value)
}

/// A mean of what `value` reads.
pub(crate) fn mean_of<F>(value: F) -> MeanOf<F> {
    MeanOf::new(value)
}
