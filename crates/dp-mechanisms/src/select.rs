//! Selection: which of several public candidates, and nothing but its index.
//!
//! Scores are integers, one for each public candidate, and their distance is the largest change of
//! a single score ([`Linf`](privacy_core::space::Linf)): its sensitivity. Scores with fractions
//! are counted in a finer unit, and the sensitivity in the same unit.
//!
//! | question | mechanism | price, scores that move by at most Δ |
//! |---|---|---|
//! | one candidate | [`PermuteAndFlip`] | ε = 2·rate·Δ, ρ = ε²/2 |
//! | one candidate, under ρ | [`ExponentialMechanism`] | ε = 2·rate·Δ, ρ = ε²/8 |
//! | the k best | [`TopK`] | kε, ρ = kε²/8 |
//! | one candidate, with noise of known law | [`NoisyMax`] | ε = 2Δ/scale |
//! | which of a stream pass a threshold | [`AboveThreshold`] | ε for all of them |
//! | the best of several private runs | [`PrivateCandidate`] | 2ε or 3ε of one run |
//!
//! Under pure ε permute-and-flip is never worse than the exponential mechanism; under ρ the
//! exponential mechanism is four times as cheap. Where neighbours' scores all move in the same
//! direction ([`Scores::Monotone`]; counts do, when a record is added or removed) each costs half.
//!
//! All draws are exact: uniform integers compared with integers, and brackets of exp(-g) that are
//! narrowed until they decide. No floating-point number stands between scores and draw, so that
//! neither a huge gap nor a million candidates underflow.
//!
//! # Timing
//!
//! The time of a draw depends on the scores; see [`noise`](crate::noise).
//!
//! # Example
//!
//! ```
//! use dp_mechanisms::select::PermuteAndFlip;
//! use privacy_core::prelude::*;
//!
//! let logins = [4_120i128, 3_987, 12, 0]; // by country; one login counts in one of them
//! let busiest = PermuteAndFlip::monotone(&Amount::from_integer(1), &Epsilon::new(0.1)?)?;
//! assert_eq!(busiest.cost(Amount::from_integer(1))?.epsilon, "0.1".parse()?);
//! let index = busiest.draw(&logins, &mut SystemRng::new()?)?;
//! assert!(index < 4);
//! # Ok::<(), privacy_core::Error>(())
//! ```

mod above_threshold;
mod decay;
mod envelope;
mod exponential;
mod noisy_max;
mod permute_and_flip;
mod price;
mod private_candidate;
mod top_k;

pub use above_threshold::{AboveThreshold, Answer, ThresholdRun};
pub(crate) use envelope::{Envelope, Group};
pub use exponential::ExponentialMechanism;
pub use noisy_max::NoisyMax;
pub use permute_and_flip::PermuteAndFlip;
pub use price::Scores;
pub(crate) use price::{bounded_range, bounded_range_epsilon, logarithm};
pub use private_candidate::{PrivateCandidate, Stopping};
pub use top_k::TopK;

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use num_rational::Ratio;
    use privacy_core::params::Amount;
    use privacy_testing::enumerate::Law;

    use super::Scores;

    /// All pairs of score vectors at distance at most 1, with scores from 0 to `top`.
    pub(super) fn neighbours(
        length: usize,
        top: i128,
        scores: Scores,
    ) -> Vec<(Vec<i128>, Vec<i128>)> {
        let digits = |mut code: usize, base: usize| -> Vec<i128> {
            let mut vector = Vec::new();
            for _ in 0..length {
                vector.push((code % base) as i128);
                code /= base;
            }
            vector
        };
        let base = top as usize + 1;
        let steps = if scores == Scores::Any { 3 } else { 2 };
        let mut pairs = Vec::new();
        for start in 0..base.pow(length as u32) {
            let from = digits(start, base);
            for step in 0..usize::pow(steps, length as u32) {
                let to = digits(step, steps)
                    .iter()
                    .zip(&from)
                    .map(|(step, from)| from + step - i128::from(scores == Scores::Any))
                    .collect();
                pairs.push((from.clone(), to));
            }
        }
        pairs
    }

    /// The largest quotient of the probabilities of an outcome between neighbours, both ways.
    ///
    /// From the explored parts: off by what was left unexplored.
    pub(super) fn worst_ratio<T: Ord>(
        pairs: &[(Vec<i128>, Vec<i128>)],
        law: impl Fn(&[i128]) -> Law<T>,
    ) -> f64 {
        let number = |p: &Ratio<BigUint>| {
            Amount::from_fraction(p.numer().clone(), p.denom().clone()).unwrap().to_f64_up()
        };
        let mut worst = 1.0f64;
        for (a, b) in pairs {
            let (a, b) = (law(a).explored, law(b).explored);
            for (outcome, p) in &a {
                let other = b.get(outcome).expect("neighbours can draw the same");
                let quotient = number(p) / number(other);
                worst = worst.max(quotient).max(quotient.recip());
            }
        }
        worst
    }
}
