//! Selection of keys alone, with the largest possible probabilities.

use std::fmt;
use std::marker::PhantomData;

use num_bigint::BigUint;
use num_integer::Integer;
use num_rational::Ratio;
use num_traits::{One, ToPrimitive};
use privacy_core::error::Error;
use privacy_core::measure::{ApproxCost, ApproxDp, Measure};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Delta, Epsilon};
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};
use privacy_core::unit::{AddRemove, Adjacency};

use super::counts::{KeyChanges, KeyCounts, Keyed};
use super::real::{Bracket, any_of_up};
use crate::error::Result;

/// Probabilities are integers over 2^`BITS`.
const BITS: u32 = 124;
const ONE: u128 = 1 << BITS;

/// The longest table of probabilities: 64 MiB.
const MAX_ENTRIES: usize = 1 << 22;

/// ε of one key beyond this is used as this: probabilities are 1 after two steps anyway.
const LARGEST_EPSILON: u32 = 40;

/// Releases the keys whose number of units passes a random threshold: truncated geometric
/// selection, which keeps each key with the largest probability that (ε, δ) allows.
///
/// A key of n units is kept with probability π(n), where π(0) = 0 and
/// π(n) = min(e^ε π(n − 1) + δ, 1 − e^−ε (1 − π(n − 1) − δ), 1).
///
/// # Privacy
///
/// For a key whose number of units changes by one, both answers (kept, left out) satisfy (ε', δ')
/// by these two bounds, and no selection rule keeps more (Desfontaines, Voss, Gipson, Mandayam
/// 2020, <https://arxiv.org/abs/2006.03684>). A unit in at most k keys is k independent choices,
/// with ε' = ε/k and 1 − (1 − δ')^k at most δ (composition of (ε, δ) mechanisms: Kairouz, Oh,
/// Viswanath 2015, Theorem 3.3). The table of π is computed in fixed point, each step rounded down
/// from the rounded step before, so that the rounded table itself satisfies both bounds, and a
/// choice compares a uniform integer with it.
///
/// Counts of units change by 1; cost at other distances follows by group privacy.
///
/// # Example
///
/// ```
/// use dp_mechanisms::keys::{KeyChanges, KeyCounts, TruncatedGeometric};
/// use privacy_core::prelude::*;
/// use privacy_core::params::Delta;
///
/// let users_of_city = KeyCounts::new([("Bonn", 812), ("Selm", 1), ("Ulm", 90)]);
/// let changes = KeyChanges::of_unit(1); // each user counts in one city
/// let selection: TruncatedGeometric<&str> =
///     TruncatedGeometric::calibrated(&Epsilon::new(1.0)?, &Delta::new(1e-6)?, changes)?;
/// let cities = selection.draw(&users_of_city, &mut SystemRng::new()?)?;
/// assert_eq!(cities, ["Bonn", "Ulm"]); // but for chances of one in a million
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TruncatedGeometric<K, A = AddRemove> {
    /// π(n) for n = 0, 1, …; beyond the table it is 1.
    table: Vec<u128>,
    /// ε and δ of one key.
    epsilon: Amount,
    delta: Amount,
    least_units: u64,
    claim: PhantomData<fn() -> (K, A)>,
}

impl<K, A: Adjacency> TruncatedGeometric<K, A> {
    /// The selection that costs at most (`epsilon`, `delta`) where neighbours are `changes` apart.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if a component of `changes` is 0 or above 2^32 − 1, if `delta` for one
    /// key is below 2^-100, or if `epsilon` for one key is so small that the table of
    /// probabilities would pass 2^22 entries (roughly 1e-5).
    pub fn calibrated(epsilon: &Epsilon, delta: &Delta, changes: KeyChanges) -> Result<Self> {
        let changes = changes.checked()?;
        let keys = changes.all_keys(A::RELATION).saturating_mul(changes.per_key);
        let epsilon = epsilon.amount().checked_div(&keys.into()).unwrap_or(Amount::ZERO);
        let mut selection = Self::for_one_key(epsilon, share(delta, keys))?;
        // Several units at once are priced by group privacy, whose δ grows faster than the share.
        while selection.cost_at(changes).delta > *delta.amount() {
            let smaller = &selection.delta * &Amount::from_fraction(1u8, 2u8)?;
            selection = Self::for_one_key(selection.epsilon, smaller)?;
        }
        Ok(selection)
    }

    /// Keys of fewer than `units` units are never released.
    #[must_use]
    pub fn with_least_units(mut self, units: u64) -> Self {
        self.least_units = units.max(1);
        self
    }

    fn for_one_key(epsilon: Amount, delta: Amount) -> Result<Self> {
        let table = probabilities(epsilon.as_ratio(), delta.as_ratio())?;
        Ok(TruncatedGeometric { table, epsilon, delta, least_units: 1, claim: PhantomData })
    }

    /// The probability that a key of `units` units is released, rounded down.
    #[must_use]
    pub fn probability(&self, units: u64) -> f64 {
        amount(&self.exact_probability(units)).to_f64_down()
    }

    /// The exact probability that a key of `units` units is released.
    #[must_use]
    pub fn exact_probability(&self, units: u64) -> Ratio<BigUint> {
        Ratio::new(self.entry(units).into(), ONE.into())
    }

    /// The least number of units that is released for certain.
    #[must_use]
    pub fn certain_from(&self) -> u64 {
        self.table.len() as u64 + (self.least_units - 1)
    }

    /// The least number of units that is released with probability 1/2 or more.
    #[must_use]
    pub fn likely_from(&self) -> u64 {
        self.table.partition_point(|p| *p < ONE / 2) as u64 + (self.least_units - 1)
    }

    fn entry(&self, units: u64) -> u128 {
        let beyond = units.saturating_sub(self.least_units - 1);
        usize::try_from(beyond).ok().and_then(|n| self.table.get(n)).copied().unwrap_or(ONE)
    }

    fn is_kept(&self, units: u64, random: &mut RandomBuffer<'_>) -> Result<bool, EntropyError> {
        match self.entry(units) {
            0 => Ok(false),
            ONE.. => Ok(true),
            // The first word decides unless it equals the leading bits of the probability.
            probability => {
                let (lead, word) = ((probability >> (BITS - 64)) as u64, random.word()?);
                if word != lead {
                    return Ok(word < lead);
                }
                let rest = probability & ((1 << (BITS - 64)) - 1);
                Ok(random.below(1 << (BITS - 64))? < rest as u64)
            }
        }
    }

    fn cost_at(&self, d_in: KeyChanges) -> ApproxCost {
        let one = ApproxCost { epsilon: self.epsilon.clone(), delta: self.delta.clone() };
        let key = if d_in.per_key == 1 { one } else { ApproxDp::group(&one, d_in.per_key) };
        let keys = d_in.all_keys(A::RELATION);
        let delta = any_of_up(key.delta.as_ratio(), keys);
        ApproxCost { epsilon: &key.epsilon * &keys.into(), delta: amount(&delta) }
    }
}

impl<K: Ord + Clone, A: Adjacency> Mechanism for TruncatedGeometric<K, A> {
    type Input = Keyed<K, A>;
    type Measure = ApproxDp;
    type Output = Vec<K>;

    fn draw(&self, counts: &KeyCounts<K>, rng: &mut dyn SecureRng) -> privacy_core::Result<Vec<K>> {
        let mut random = RandomBuffer::new(rng);
        let mut kept = Vec::new();
        for (key, units) in counts.iter() {
            if self.is_kept(*units, &mut random)? {
                kept.push(key.clone());
            }
        }
        Ok(kept)
    }

    fn cost(&self, d_in: KeyChanges) -> privacy_core::Result<ApproxCost> {
        if d_in.is_zero() {
            return Ok(ApproxCost { epsilon: Amount::ZERO, delta: Amount::ZERO });
        }
        Ok(self.cost_at(d_in))
    }
}

impl<K, A> fmt::Debug for TruncatedGeometric<K, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TruncatedGeometric")
            .field("epsilon", &self.epsilon)
            .field("delta", &self.delta)
            .field("least_units", &self.least_units)
            .finish_non_exhaustive()
    }
}

pub(super) fn amount(ratio: &Ratio<BigUint>) -> Amount {
    // A ratio has no denominator 0.
    Amount::from_fraction(ratio.numer().clone(), ratio.denom().clone())
        .unwrap_or_else(|_| Amount::from_integer(1))
}

/// A δ' for each of n independent choices, such that 1 − (1 − δ')^n is at most `delta`: the largest
/// of its kind but for a relative error of 1e-12.
pub(super) fn share(delta: &Delta, n: u64) -> Amount {
    let sure = delta.amount().checked_div(&n.max(1).into()).unwrap_or(Amount::ZERO);
    if n <= 1 {
        return sure;
    }
    let estimate = -((-delta.to_f64_down()).ln_1p() / n as f64).exp_m1() * (1.0 - 1e-13);
    let better = Amount::from_binary(estimate).ok().filter(|better| {
        *better > sure && any_of_up(better.as_ratio(), n) <= *delta.amount().as_ratio()
    });
    better.unwrap_or(sure)
}

/// The table of π in units of 2^-[`BITS`], up to the last entry below 1.
fn probabilities(epsilon: &Ratio<BigUint>, delta: &Ratio<BigUint>) -> Result<Vec<u128>> {
    let floor = |ratio: Ratio<BigUint>| -> u128 {
        (ratio.numer() << BITS).div_floor(ratio.denom()).to_u128().unwrap_or(ONE).min(ONE)
    };
    let delta = floor(delta.clone());
    if delta < 1 << (BITS - 100) {
        return Err(Error::Parameter {
            parameter: "delta, divided among the keys of a unit,",
            requirement: "at least 2^-100",
            given: delta as f64 / ONE as f64,
        }
        .into());
    }
    let capped = epsilon.clone().min(Ratio::from(BigUint::from(LARGEST_EPSILON)));
    let inverse = Bracket::exp_neg(&capped, 256);
    // e^ε rounded down with 64 fraction bits: below 2^58 * 2^64. e^-ε rounded up.
    let growth = (BigUint::one() << (inverse.bits + 64)) / &inverse.high;
    let growth = growth.to_u128().unwrap_or(1 << 64);
    let decay = (&inverse.low + (&inverse.high - &inverse.low)) >> (inverse.bits - u64::from(BITS));
    let decay = decay.to_u128().unwrap_or(ONE - 1) + 1;

    let mut table = vec![0u128];
    let mut last = 0u128;
    loop {
        let up = times_shifted(growth, last, 64).saturating_add(delta);
        let missing = ONE - last.saturating_add(delta).min(ONE);
        let down = ONE - (times_shifted(decay, missing, BITS) + 1).min(ONE);
        let down = if missing == 0 { ONE } else { down };
        let next = up.min(down).min(ONE);
        if next == ONE {
            return Ok(table);
        }
        if table.len() >= MAX_ENTRIES || next <= last {
            return Err(Error::Parameter {
                parameter: "epsilon, divided among the keys of a unit,",
                requirement: "large enough for a table of 2^22 probabilities (about 1e-5)",
                given: amount(epsilon).to_f64_up(),
            }
            .into());
        }
        table.push(next);
        last = next;
    }
}

/// floor(a b / 2^shift), or `u128::MAX` if that is larger.
fn times_shifted(a: u128, b: u128, shift: u32) -> u128 {
    const LOW: u128 = u64::MAX as u128;
    let (a1, a0, b1, b0) = (a >> 64, a & LOW, b >> 64, b & LOW);
    let low = a0 * b0;
    let (mid, carry) = (a1 * b0).overflowing_add(a0 * b1);
    let (low, carry_low) = low.overflowing_add(mid << 64);
    let high = a1 * b1 + (mid >> 64) + (u128::from(carry) << 64) + u128::from(carry_low);
    match shift {
        0 if high == 0 => low,
        1..128 if high >> shift == 0 => (high << (128 - shift)) | (low >> shift),
        _ => u128::MAX,
    }
}

#[cfg(test)]
mod tests;
