//! The exact law of a randomized algorithm, by running it once for each sequence of its choices.
//!
//! The algorithm asks [`Choices`] for its random choices instead of a generator. [`enumerate`]
//! replays it, each time with the next sequence, and adds the exact rational probability of the
//! sequence to the outcome. Sequences that become less likely than 2^-`cut_bits` are given up, and
//! their mass is reported as unexplored: the truth is bracketed without any rounding.

use std::collections::BTreeMap;

use num_bigint::BigUint;
use num_rational::Ratio;
use num_traits::{One, Zero};

use crate::interval::Interval;

/// The sequence of choices is too unlikely to follow: hand this error up and out of the algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unexplored;

/// One choice on the current path.
#[derive(Debug)]
struct Branch {
    outcome: u64,
    kind: Kind,
    /// Probability of the path up to and including this outcome, not reduced.
    numer: BigUint,
    denom: BigUint,
}

#[derive(Debug)]
enum Kind {
    /// Outcomes 0..bound, equally likely.
    Uniform { bound: u64 },
    /// Outcome 0 means true, 1 false.
    Chance { no: BigUint },
}

/// The random choices of one run.
#[derive(Debug)]
pub struct Choices {
    path: Vec<Branch>,
    next: usize,
    cut_bits: u32,
    /// Probability at which this run was given up.
    cut: Option<(BigUint, BigUint)>,
}

impl Choices {
    /// A uniform integer in `0..bound`; 0 for `bound` 0 or 1.
    ///
    /// # Errors
    ///
    /// [`Unexplored`] if the path has become too unlikely.
    pub fn below(&mut self, bound: &BigUint) -> Result<BigUint, Unexplored> {
        if *bound <= BigUint::one() {
            return Ok(BigUint::zero());
        }
        if let Some(branch) = self.path.get(self.next) {
            self.next += 1;
            return Ok(branch.outcome.into());
        }
        let (numer, denom) = self.so_far();
        let after = &denom * bound;
        match u64::try_from(bound) {
            Ok(small) if !self.too_unlikely(&numer, &after) => {
                self.push(0, Kind::Uniform { bound: small }, numer, after);
                Ok(BigUint::zero())
            }
            _ => {
                self.cut = Some((numer, denom));
                Err(Unexplored)
            }
        }
    }

    /// True with probability `numer / denom` (at most 1): the two outcomes of comparing
    /// [`below`](Self::below)`(denom)` with `numer`, without telling equal results apart.
    ///
    /// # Errors
    ///
    /// [`Unexplored`] if the path has become too unlikely.
    pub fn chance(&mut self, numer: &BigUint, denom: &BigUint) -> Result<bool, Unexplored> {
        if numer.is_zero() || numer >= denom {
            return Ok(!numer.is_zero());
        }
        if let Some(branch) = self.path.get(self.next) {
            self.next += 1;
            return Ok(branch.outcome == 0);
        }
        let (a, b) = self.so_far();
        let no = denom - numer;
        if self.too_unlikely(&(&a * numer), &(&b * denom))
            && self.too_unlikely(&(&a * &no), &(&b * denom))
        {
            self.cut = Some((a, b));
            return Err(Unexplored);
        }
        let kind = Kind::Chance { no };
        self.push(0, kind, a * numer, b * denom);
        Ok(true)
    }

    fn so_far(&self) -> (BigUint, BigUint) {
        self.path.last().map_or((BigUint::one(), BigUint::one()), |branch| {
            (branch.numer.clone(), branch.denom.clone())
        })
    }

    fn too_unlikely(&self, numer: &BigUint, denom: &BigUint) -> bool {
        (numer << self.cut_bits) < *denom
    }

    fn push(&mut self, outcome: u64, kind: Kind, numer: BigUint, denom: BigUint) {
        self.path.push(Branch { outcome, kind, numer, denom });
        self.next += 1;
    }

    /// Moves to the next path; false after the last one.
    fn advance(&mut self) -> bool {
        self.next = 0;
        self.cut = None;
        while let Some(mut branch) = self.path.pop() {
            let before = self.path.last().map_or_else(BigUint::one, |parent| parent.numer.clone());
            branch.outcome += 1;
            let more = match &branch.kind {
                Kind::Uniform { bound } => branch.outcome < *bound,
                Kind::Chance { no } => {
                    branch.numer = before * no;
                    branch.outcome == 1
                }
            };
            if more {
                self.path.push(branch);
                return true;
            }
        }
        false
    }
}

/// The outcomes of an algorithm with their probabilities.
#[derive(Debug, Clone)]
pub struct Law<T> {
    /// What was explored of each outcome: a lower bound of its probability.
    pub explored: BTreeMap<T, Ratio<BigUint>>,
    /// What was given up; any outcome may hold all of it.
    pub unexplored: Ratio<BigUint>,
}

impl<T: Ord> Law<T> {
    /// The bracket of one outcome's probability.
    #[must_use]
    pub fn probability(&self, outcome: &T) -> Interval {
        let low = self.explored.get(outcome).cloned().unwrap_or_default();
        Interval { high: &low + &self.unexplored, low }
    }

    /// The bracket of one outcome's probability, given that the outcome satisfies `given`.
    #[must_use]
    pub fn probability_given(&self, outcome: &T, given: impl Fn(&T) -> bool) -> Interval {
        let low = self
            .explored
            .iter()
            .filter(|(key, _)| given(key))
            .fold(Ratio::zero(), |sum, (_, p)| sum + p);
        let condition = Interval { high: &low + &self.unexplored, low };
        self.probability(outcome).divided_by(&condition)
    }
}

/// Runs the algorithm on every sequence of choices that is at least 2^-`cut_bits` likely.
///
/// # Panics
///
/// If the algorithm fails although no choice told it to.
///
/// # Example
///
/// ```
/// use privacy_testing::enumerate::{Unexplored, enumerate};
///
/// // The larger of two dice.
/// let law = enumerate(32, |choices| {
///     let die = 6u8.into();
///     Ok::<_, Unexplored>(choices.below(&die)?.max(choices.below(&die)?))
/// });
/// assert_eq!(law.explored[&5u8.into()], num_rational::Ratio::new(11u8.into(), 36u8.into()));
/// ```
pub fn enumerate<T: Ord, E>(
    cut_bits: u32,
    mut run: impl FnMut(&mut Choices) -> Result<T, E>,
) -> Law<T> {
    let mut choices = Choices { path: Vec::new(), next: 0, cut_bits, cut: None };
    // Sums by denominator: reducing fractions at each step would take most of the time.
    let mut outcomes: BTreeMap<T, Sum> = BTreeMap::new();
    let mut unexplored = Sum::default();
    loop {
        let result = run(&mut choices);
        match (choices.cut.take(), result) {
            (Some((numer, denom)), _) => unexplored.add(numer, denom),
            (None, Ok(outcome)) => {
                let (numer, denom) = choices.so_far();
                outcomes.entry(outcome).or_default().add(numer, denom);
            }
            (None, Err(_)) => panic!("the algorithm failed on a path it was allowed to follow"),
        }
        if !choices.advance() {
            break;
        }
    }
    Law {
        explored: outcomes.into_iter().map(|(outcome, sum)| (outcome, sum.total())).collect(),
        unexplored: unexplored.total(),
    }
}

/// A sum of fractions, kept as one numerator for each denominator.
#[derive(Debug, Default)]
struct Sum(BTreeMap<BigUint, BigUint>);

impl Sum {
    fn add(&mut self, numer: BigUint, denom: BigUint) {
        *self.0.entry(denom).or_default() += numer;
    }

    fn total(self) -> Ratio<BigUint> {
        self.0
            .into_iter()
            .map(|(denom, numer)| Ratio::new(numer, denom))
            .fold(Ratio::zero(), |sum, p| sum + p)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(a: u64, b: u64) -> Ratio<BigUint> {
        Ratio::new(a.into(), b.into())
    }

    /// A fair choice among three from bits, by rejection.
    fn third(choices: &mut Choices) -> Result<u64, Unexplored> {
        loop {
            let high = choices.chance(&1u8.into(), &2u8.into())?;
            let low = choices.below(&2u8.into())? == BigUint::one();
            let value = u64::from(high) * 2 + u64::from(low);
            if value < 3 {
                return Ok(value);
            }
        }
    }

    #[test]
    fn rejection_sampling_is_bracketed() {
        let law = enumerate(40, third);
        // 2 bits a round: the last round followed in full ends at probability 2^-40.
        assert_eq!(law.unexplored, ratio(1, 1 << 40));
        for value in 0..3 {
            let bracket = law.probability(&value);
            assert!(bracket.low < ratio(1, 3) && ratio(1, 3) < bracket.high);
        }
    }

    #[test]
    fn all_mass_is_accounted_for() {
        let law = enumerate(20, |choices| {
            let bound = choices.below(&5u8.into())? + 1u8;
            let first = choices.chance(&2u8.into(), &7u8.into())?;
            Ok::<_, Unexplored>((choices.below(&bound)?, first))
        });
        let explored = law.explored.values().fold(Ratio::zero(), |sum, p| sum + p);
        assert_eq!(explored + &law.unexplored, Ratio::one());
        assert_eq!(law.unexplored, Ratio::zero());
        assert_eq!(law.explored[&(4u8.into(), true)], ratio(2, 175));
    }

    #[test]
    fn conditional_probabilities_divide_by_the_condition() {
        let law = enumerate(20, |c| c.below(&10u8.into()));
        let given = law.probability_given(&3u8.into(), |x| x % 2u8 == BigUint::one());
        assert_eq!(given, Interval::exact(ratio(1, 5)));
    }

    #[test]
    fn a_biased_sampler_is_told_from_a_fair_one() {
        // Reducing 8 equally likely values modulo 3 favours 0 and 1.
        let law = enumerate(40, |c| Ok::<_, Unexplored>(c.below(&8u8.into())? % 3u8));
        let third = Interval::exact(ratio(1, 3));
        assert!(!law.probability(&0u8.into()).meets(&third));
        assert!(!law.probability(&2u8.into()).meets(&third));
    }

    #[test]
    fn choices_too_wide_to_follow_are_unexplored() {
        let law = enumerate(40, |c| c.below(&(BigUint::one() << 90u32)));
        assert!(law.explored.is_empty());
        assert_eq!(law.unexplored, Ratio::one());
    }

    #[test]
    #[should_panic(expected = "failed on a path")]
    fn a_failure_of_the_algorithm_itself_is_no_unexplored_mass() {
        enumerate(10, |_| Err::<u8, _>(Unexplored));
    }
}
