//! Selection of keys in rounds: what is found early no longer takes weight from what is rare.

use std::fmt;

use privacy_core::measure::{ApproxCost, ApproxDp, Measure};
use privacy_core::mechanism::Mechanism;
use privacy_core::params::{Amount, Delta, Epsilon};
use privacy_core::random::SecureRng;
use privacy_core::space::Changes;

use super::lists::{KeyLists, Lists};
use super::weighted::WeightedGaussian;
use crate::error::Result;

/// How much more each round may spend than the one before.
const GROWTH: u64 = 3;

/// Rounds of [`WeightedGaussian`]; keys that one round released are left out of the next, so that
/// units spread their weight over the keys that are still open.
///
/// Round i of n spends a share of ε and δ proportional to 3^i: early rounds are cheap and find what
/// is frequent, the last one has most of the budget for what is rare.
///
/// # Privacy
///
/// Each round reads the lists and the keys released so far, so basic adaptive composition of
/// (ε, δ) mechanisms applies: the costs of the rounds add up (Swanberg, Desfontaines, Haney 2023,
/// <https://arxiv.org/abs/2301.01998>).
///
/// # Example
///
/// ```
/// use dp_mechanisms::keys::{IterativeSelection, KeyLists};
/// use privacy_core::prelude::*;
/// use privacy_core::params::Delta;
///
/// let pairs = (0..3000u32).flat_map(|user| [(user, "the"), (user, "of"), (user, "word")]);
/// let lists = KeyLists::new(pairs.chain([(7, "a name")]));
/// let selection = IterativeSelection::calibrated(&Epsilon::new(1.0)?, &Delta::new(1e-6)?, 10, 3)?;
/// let words = selection.draw(&lists, &mut SystemRng::new()?)?;
/// assert_eq!(words, ["of", "the", "word"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct IterativeSelection<K> {
    rounds: Vec<WeightedGaussian<K>>,
}

impl<K> IterativeSelection<K> {
    /// `rounds` rounds that cost at most (`epsilon`, `delta`) together, where at most `keys` keys
    /// of each unit are used in each.
    ///
    /// # Errors
    ///
    /// As [`WeightedGaussian::calibrated`], and [`privacy_core::Error::Parameter`] unless `rounds`
    /// is from 1 to 16.
    pub fn calibrated(epsilon: &Epsilon, delta: &Delta, keys: u64, rounds: u32) -> Result<Self> {
        if !(1..=16).contains(&rounds) {
            return Err(privacy_core::Error::Parameter {
                parameter: "the number of rounds",
                requirement: "from 1 to 16",
                given: rounds.into(),
            }
            .into());
        }
        let all = (0..rounds).map(|round| GROWTH.pow(round)).sum::<u64>();
        let rounds = (0..rounds).map(|round| {
            let share = Amount::from_fraction(GROWTH.pow(round), all)?;
            let epsilon = Epsilon::from_amount(epsilon.amount() * &share)?;
            let delta = Delta::from_amount(delta.amount() * &share)?;
            WeightedGaussian::calibrated(&epsilon, &delta, keys)
        });
        Ok(IterativeSelection { rounds: rounds.collect::<Result<_>>()? })
    }

    /// The probability that a key of `units` units that have no other key is released.
    #[must_use]
    pub fn probability(&self, units: u64) -> f64 {
        1.0 - self.rounds.iter().map(|round| 1.0 - round.probability(units)).product::<f64>()
    }

    /// The least number of units of which a key is released more often than not, if they have no
    /// other key.
    #[must_use]
    pub fn likely_from(&self) -> u64 {
        let (mut rare, mut likely) = (0, u64::MAX);
        while likely - rare > 1 {
            let middle = rare + (likely - rare) / 2;
            if self.probability(middle) >= 0.5 { likely = middle } else { rare = middle }
        }
        likely
    }

    /// The rounds in order.
    #[must_use]
    pub fn rounds(&self) -> &[WeightedGaussian<K>] {
        &self.rounds
    }
}

impl<K: Clone> Mechanism for IterativeSelection<K> {
    type Input = Lists<K>;
    type Measure = ApproxDp;
    type Output = Vec<K>;

    fn draw(&self, lists: &KeyLists<K>, rng: &mut dyn SecureRng) -> privacy_core::Result<Vec<K>> {
        let mut released = vec![false; lists.keys().len()];
        for round in &self.rounds {
            for key in round.select(lists, |key| !released[key], rng)? {
                released[key] = true;
            }
        }
        let keys = lists.keys().iter().zip(released);
        Ok(keys.filter(|(_, released)| *released).map(|(key, _)| key.clone()).collect())
    }

    fn cost(&self, d_in: Changes) -> privacy_core::Result<ApproxCost> {
        let nothing = ApproxCost { epsilon: Amount::ZERO, delta: Amount::ZERO };
        self.rounds
            .iter()
            .try_fold(nothing, |sum, round| Ok(ApproxDp::compose(&sum, &round.cost(d_in)?)))
    }
}

impl<K> fmt::Debug for IterativeSelection<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.rounds).finish()
    }
}
