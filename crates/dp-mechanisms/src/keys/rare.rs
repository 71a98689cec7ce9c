//! Rare events among many: which of a huge number of noisy zeros pass a threshold, without drawing
//! noise for each.

use num_bigint::BigUint;
use num_rational::Ratio;
use num_traits::{One, ToPrimitive};
use privacy_core::params::Amount;
use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};

use super::real::{Bracket, happens_after, laplace_tail};
use crate::noise::{DiscreteLaplace, NoiseError};

/// The event Z ≥ m of discrete Laplace noise, for m ≥ 1, at many positions independently.
///
/// With p = P(Z ≥ m) and a rational λ ≥ −ln(1 − p), candidates are drawn with gaps that are
/// geometric of ratio e^−λ, so that each position is one with probability 1 − e^−λ ≥ p,
/// independently. A candidate is an event with probability p/(1 − e^−λ), which is decided against
/// ever tighter brackets of that number. The law of the events is exact.
pub(super) struct Rare<'n> {
    noise: &'n DiscreteLaplace,
    m: i128,
    /// Of scale 1/λ; its upper half is geometric.
    gaps: DiscreteLaplace,
    /// Words below the first are events, words from the second on are not.
    sure: (u64, u64),
}

impl<'n> Rare<'n> {
    pub(super) fn new(noise: &'n DiscreteLaplace, m: i128) -> Result<Self, NoiseError> {
        let p = tail_up(noise, m);
        // −ln(1 − p) ≤ p + p² for p ≤ 1/2, which r/(1 + r) never exceeds.
        let rate = ((p + p * p) * (1.0 + 1e-6)).max(2f64.powi(-99));
        let rate = Amount::from_binary(rate).unwrap_or_else(|_| Amount::from_integer(1));
        let scale = few_bits_up(&rate).recip();
        let mut rare = Rare { noise, m, gaps: DiscreteLaplace::new(scale)?, sure: (0, u64::MAX) };
        let accepted = rare.acceptance(96);
        let word = |n: &BigUint| (n >> (accepted.bits - 64)).to_u64();
        rare.sure = (
            word(&accepted.low).unwrap_or(u64::MAX),
            word(&accepted.high).map_or(u64::MAX, |high| high.saturating_add(1)),
        );
        Ok(rare)
    }

    /// p/(1 − e^−λ). Both may be as small as 2^-100.
    fn acceptance(&self, bits: u64) -> Bracket {
        let wide = bits + 128;
        let candidate = Bracket::exp_neg(&self.gaps.scale().recip(), wide).complement();
        laplace_tail(self.noise.scale(), self.m, wide).divided_by(&candidate)
    }

    /// The first event from position `from` on and before `end`.
    pub(super) fn next(
        &self,
        from: u128,
        end: u128,
        rng: &mut dyn SecureRng,
    ) -> Result<Option<u128>, EntropyError> {
        let mut position = from;
        loop {
            position = position.saturating_add(upper_half(&self.gaps, rng)?);
            if position >= end {
                return Ok(None);
            }
            let mut random = RandomBuffer::new(rng);
            let word = random.word()?;
            let is_event = word < self.sure.0
                || (word < self.sure.1
                    && happens_after(word, &mut random, |bits| self.acceptance(bits))?);
            if is_event {
                return Ok(Some(position));
            }
            position += 1;
        }
    }

    /// Z − m given that Z ≥ m: geometric, like every tail of a geometric law.
    pub(super) fn excess(&self, rng: &mut dyn SecureRng) -> Result<i128, EntropyError> {
        Ok(i128::try_from(upper_half(self.noise, rng)?).unwrap_or(i128::MAX))
    }
}

/// An upper bound of P(Z ≥ m) with a relative error of about 1e-11; 0 below 1e-300.
pub(super) fn tail_up(noise: &DiscreteLaplace, m: i128) -> f64 {
    match m {
        ..1 => 1.0,
        _ => 0.5 * noise.tail(m.unsigned_abs() - 1) * (1.0 + 1e-11),
    }
}

/// At most 1/2^20 above `value`, with few digits, so that draws stay in machine words.
fn few_bits_up(value: &Amount) -> Ratio<BigUint> {
    let (n, d) = (value.numerator(), value.denominator());
    let shift = (24 + d.bits()).saturating_sub(n.bits());
    let steps: BigUint = (n << shift) / d + 1u8;
    Ratio::new(steps, BigUint::one() << shift)
}

/// A draw given that it is not negative: geometric, P(X = x) = (1 − r) r^x.
fn upper_half(noise: &DiscreteLaplace, rng: &mut dyn SecureRng) -> Result<u128, EntropyError> {
    loop {
        if let Ok(drawn) = u128::try_from(noise.sample(rng)?) {
            return Ok(drawn);
        }
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::random::InsecureTestRng;
    use privacy_testing::statistics::check_binomial;

    use super::*;

    #[test]
    fn events_are_as_frequent_as_the_tail_says() {
        let mut rng = InsecureTestRng::from_seed(31);
        for (scale, m) in [(1u64, 1i128), (3, 1), (1, 4), (5, 20), (1 << 30, 1 << 31)] {
            let noise = DiscreteLaplace::new(Ratio::from(BigUint::from(scale))).unwrap();
            let rare = Rare::new(&noise, m).unwrap();
            let (mut events, mut next, end) = (0u64, 0, 40_000);
            while let Some(position) = rare.next(next, end, &mut rng).unwrap() {
                events += 1;
                next = position + 1;
            }
            let p = 0.5 * noise.tail(m as u128 - 1);
            // False alarm 1e-9 each.
            check_binomial(events, 40_000, p, 1e-9);
        }
    }

    #[test]
    fn words_that_are_sure_bracket_the_acceptance_narrowly() {
        let noise = DiscreteLaplace::new(Ratio::from(BigUint::from(2u8))).unwrap();
        let rare = Rare::new(&noise, 12).unwrap();
        let p = 0.5 * noise.tail(11);
        let candidate = -(-1.0 / rare.gaps.std_dev() * std::f64::consts::SQRT_2).exp_m1();
        let acceptance = rare.sure.0 as f64 / 2f64.powi(64);
        assert!(rare.sure.1 - rare.sure.0 <= 2);
        assert!(acceptance > 0.99 && (acceptance * candidate / p - 1.0).abs() < 1e-3);
    }
}
