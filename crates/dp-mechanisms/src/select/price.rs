//! What a selection costs, from the rate that its draws use.

use num_bigint::BigUint;
use privacy_core::error::{Error, Result};
use privacy_core::measure::{Charge, PureCost};
use privacy_core::params::{Amount, Confidence, Epsilon, Rho};

/// How the scores of neighbours may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scores {
    /// Each score by at most the sensitivity, in any direction.
    Any,
    /// Each score by at most the sensitivity, and all in the same direction: none rises where
    /// another falls. Holds for counts under add/remove; does not hold under replacement.
    Monotone,
}

impl Scores {
    /// How many sensitivities the odds of a draw move by: both ends of a comparison move, unless
    /// they move in the same direction.
    pub(super) fn moves(self) -> u64 {
        match self {
            Scores::Any => 2,
            Scores::Monotone => 1,
        }
    }
}

/// How strongly a draw prefers high scores: odds of exp(rate) for each point of score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sharpness {
    pub(super) rate: Amount,
    pub(super) scores: Scores,
}

impl Sharpness {
    pub(super) fn calibrated(
        sensitivity: &Amount,
        epsilon: &Epsilon,
        scores: Scores,
    ) -> Result<Self> {
        let moves = sensitivity * &scores.moves().into();
        let rate = epsilon.amount().checked_div(&moves).ok_or(ZERO_SENSITIVITY)?;
        Ok(Sharpness { rate, scores })
    }

    /// ε = rate * moves * distance.
    pub(super) fn epsilon(&self, distance: &Amount) -> PureCost {
        PureCost { epsilon: &(&self.rate * distance) * &self.scores.moves().into() }
    }

    /// With probability at least `confidence` the score drawn among `candidates` is below the
    /// best by at most this: ln(candidates / miss) / rate, rounded up.
    pub(super) fn shortfall(&self, candidates: u64, confidence: &Confidence) -> f64 {
        let rate = self.rate.to_f64_down();
        if rate > 0.0 { logarithm(candidates, confidence) / rate * MARGIN } else { f64::INFINITY }
    }
}

/// Covers the rounding of the few operations behind a bound.
const MARGIN: f64 = 1.0 + 1e-14;

/// ln(points / miss), rounded up.
pub(crate) fn logarithm(points: u64, confidence: &Confidence) -> f64 {
    ((points as f64).ln() - confidence.miss_probability().ln()) * MARGIN
}

const ZERO_SENSITIVITY: Error =
    Error::Parameter { parameter: "the sensitivity", requirement: "above 0", given: 0.0 };

/// A release whose loss varies by at most ε over its outcomes: ε-DP, and ε²/8-zCDP.
///
/// Bounded range: Durfee and Rogers 2019, <https://arxiv.org/abs/1905.04273>. Its zCDP: Cesar and
/// Rogers 2021, <https://arxiv.org/abs/2004.07223>.
pub(crate) fn bounded_range(epsilon: &Amount) -> Charge {
    let rho = epsilon.squared().scaled_by_power_of_two(-3).compacted_up();
    Charge::pure(epsilon.clone()).or(Charge::zcdp(rho))
}

/// The largest ε that bounded range prices at `rho` or less: sqrt(8ρ), rounded down.
///
/// # Errors
///
/// [`Error::Parameter`] if ρ is so small that the result would be 0.
pub(crate) fn bounded_range_epsilon(rho: &Rho) -> Result<Epsilon> {
    Epsilon::from_amount(root_down(&rho.amount().scaled_by_power_of_two(3)))
}

/// The square root, rounded down to a multiple of 2^-64; exact for squares of such multiples.
pub(crate) fn root_down(square: &Amount) -> Amount {
    let grid = BigUint::from(1u8) << 64u32;
    let root = ((square.numerator() << 128u32) / square.denominator()).sqrt();
    Amount::from_fraction(root, grid).unwrap_or(Amount::ZERO)
}

/// A refusal that depends on the public length alone.
pub(super) const NO_CANDIDATES: Error =
    Error::Domain { step: "a selection", expected: "at least one candidate" };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_never_exceed_the_root() {
        for text in ["2", "0.08", "1/3", "1e-30", "1e12"] {
            let square: Amount = text.parse().unwrap();
            let root = root_down(&square);
            assert!(root.squared() <= square, "{text}");
            let next = &root + &Amount::from_integer(1).scaled_by_power_of_two(-64);
            assert!(next.squared() > square, "{text}");
        }
        assert_eq!(root_down(&"0.25".parse().unwrap()), "0.5".parse().unwrap());
    }

    #[test]
    fn calibration_and_price_are_inverse() {
        let (three, epsilon) = (Amount::from_integer(3), Epsilon::new(0.7).unwrap());
        for scores in [Scores::Any, Scores::Monotone] {
            let sharpness = Sharpness::calibrated(&three, &epsilon, scores).unwrap();
            assert_eq!(sharpness.epsilon(&three).epsilon, *epsilon.amount());
        }
        assert!(Sharpness::calibrated(&Amount::ZERO, &epsilon, Scores::Any).is_err());
    }

    #[test]
    fn a_bounded_range_is_a_quarter_of_what_its_epsilon_alone_would_cost() {
        let charge = bounded_range(&"0.4".parse().unwrap());
        assert_eq!(charge.in_zcdp().unwrap().rho, "0.02".parse().unwrap());
        let rho = Rho::new(0.02).unwrap();
        let epsilon = bounded_range_epsilon(&rho).unwrap();
        assert!(bounded_range(epsilon.amount()).in_zcdp().unwrap().rho <= *rho.amount());
        assert!(epsilon.to_f64_up() > 0.399_999_999);
    }
}
