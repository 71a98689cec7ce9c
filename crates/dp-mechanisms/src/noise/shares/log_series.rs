//! The logarithmic series law: P(L = k) proportional to r^k / k for k = 1, 2, ...

use num_bigint::BigUint;
use num_rational::Ratio;
use num_traits::One;
use privacy_core::random::EntropyError;

use super::super::bernoulli::exp_neg;
use super::super::bracket::{Bracket, Uniform};
use super::super::choices::Choices;
use super::super::discrete_laplace::magnitude;
use super::super::natural::Fraction;

/// r = exp(-1/scale).
///
/// The integers are cut into [1, 2), [2, 4), [4, 8), ..., [2^b, oo) with 2^b about the scale. In each
/// of the bounded pieces the weights sum to at most 1, in the last one to at most 2: pieces are drawn
/// evenly, the last one with two tickets, an integer in it uniformly (in the last: geometrically),
/// and it is accepted by its weight relative to the bound.
#[derive(Debug, Clone)]
pub(super) struct LogSeries {
    scale: Ratio<BigUint>,
    fraction: Fraction,
    /// b
    pieces: u32,
}

impl LogSeries {
    pub(super) fn new(scale: &Ratio<BigUint>) -> Self {
        LogSeries {
            fraction: Fraction::from(scale),
            // The power of two above floor(scale), at least 1.
            pieces: scale.to_integer().bits() as u32,
            scale: scale.clone(),
        }
    }

    pub(super) fn draw<C: Choices + ?Sized>(&self, choices: &mut C) -> Result<u128, EntropyError> {
        loop {
            if let Some(drawn) = self.attempt(choices)? {
                return Ok(drawn);
            }
        }
    }

    /// One round of rejection sampling.
    pub(super) fn attempt<C: Choices + ?Sized>(
        &self,
        choices: &mut C,
    ) -> Result<Option<u128>, EntropyError> {
        let piece = choices.below_u64(u64::from(self.pieces) + 2)?;
        if piece >= u64::from(self.pieces) {
            return self.attempt_tail(choices);
        }
        // The weight of k relative to 2^-piece is (2^piece / k) r^k.
        let start = 1u128 << piece;
        let k = start + choices.below_u128(start)?;
        let accepted = choices.chance(&start, &k)?
            && exp_neg(choices, &(self.scale.denom() * k), self.scale.numer())?;
        Ok(accepted.then_some(k))
    }

    /// The piece [s, oo), s = 2^b: its weights are (s/k) r^s r^(k-s) / s, and r^(k-s) times 1-r is
    /// geometric. What is left to accept by is s/k, r^s and 1 / (2 s (1-r)), which is below 1 as
    /// s (1 - exp(-1/scale)) > 1 - 1/e for s > scale and s >= 1.
    fn attempt_tail<C: Choices + ?Sized>(
        &self,
        choices: &mut C,
    ) -> Result<Option<u128>, EntropyError> {
        let start = 1u128 << self.pieces;
        let distance = loop {
            if let Some(distance) = magnitude(choices, &self.fraction)? {
                break distance;
            }
        };
        let k = start.saturating_add(distance);
        if !choices.chance(&start, &k)?
            || !exp_neg(choices, &(self.scale.denom() * start), self.scale.numer())?
        {
            return Ok(None);
        }
        let guard = u64::from(self.pieces) + 8;
        let accepted = Uniform::starting(0, 0).is_below(choices, |precision| {
            let inside = precision + guard;
            let r = Bracket::exp_neg(self.scale.denom(), self.scale.numer(), inside);
            // 2 s (1 - r)
            let rest = r.complement(inside);
            let doublings = self.pieces + 1;
            let divisor = Bracket { low: rest.low << doublings, high: rest.high << doublings };
            Bracket::one(inside).over(&divisor, inside).shortened(guard)
        })?;
        Ok(accepted.then_some(k))
    }
}

/// -ln(y) for 0 < y <= 1 given in units of 2^-precision, rounded down to within some units.
fn neg_ln(y: &BigUint, precision: u64) -> Bracket {
    // y = m 2^-halvings with m in [1/2, 1].
    let halvings = precision.saturating_sub(y.bits());
    let m = y << halvings;
    let of_m = neg_ln_near_one(&m, precision);
    let half = BigUint::one() << (precision - 1);
    let ln_two = neg_ln_near_one(&half, precision);
    Bracket { low: of_m.low + &ln_two.low * halvings, high: of_m.high + &ln_two.high * halvings }
}

/// -ln(m) = 2 artanh((1-m)/(1+m)) for m in [1/2, 1], from the series z + z^3/3 + z^5/5 + ... with
/// z <= 1/3.
fn neg_ln_near_one(m: &BigUint, precision: u64) -> Bracket {
    let one = BigUint::one() << precision;
    let z = ((&one - m) << precision) / (&one + m);
    let z = Bracket { high: &z + 1u8, low: z };
    let square = z.times(&z, precision);
    let mut power = z.clone();
    let mut sum = z;
    let mut k = 1u32;
    while power.high > BigUint::one() {
        k += 2;
        power = power.times(&square, precision);
        let term = Bracket { low: &power.low / k, high: &power.high / k + 1u8 };
        sum = sum.plus(&term);
    }
    // The rest is below a unit and a ninth of it and so on.
    sum.high += 2u8;
    sum.doubled()
}

/// The parameter -ln(1-r) of the law, r = exp(-1/scale), in units of 2^-precision.
pub(super) fn log_weight(scale: &Ratio<BigUint>, precision: u64) -> Bracket {
    // 1-r is about 1/scale: as many bits more.
    let inside = precision + scale.to_integer().bits() + 16;
    let rest = Bracket::exp_neg(scale.denom(), scale.numer(), inside).complement(inside);
    let unit = BigUint::one() << inside;
    let low = neg_ln(&rest.high.min(unit), inside).low;
    let high = neg_ln(&rest.low, inside).high;
    Bracket { low, high }.shortened(inside - precision)
}

#[cfg(test)]
mod tests {
    use privacy_testing::enumerate::enumerate;
    use privacy_testing::interval::Interval;

    use super::super::super::choices::told::Merged;
    use super::*;

    #[test]
    fn the_law_is_exact() {
        for (a, b) in [(1u64, 2u64), (1, 1), (5, 2), (6, 1)] {
            let scale = Ratio::new(BigUint::from(a), BigUint::from(b));
            let series = LogSeries::new(&scale);
            let law = enumerate(20, |c| series.attempt(&mut Merged(c)));
            let weight = |k: u64| {
                let one_over = Ratio::new(BigUint::one(), k.into());
                let power =
                    Interval::exp_neg(&(scale.recip() * Ratio::from(BigUint::from(k))), 120);
                power.times(&Interval::exact(one_over))
            };
            let zero = Interval::exact(Ratio::from(BigUint::ZERO));
            let mut total = (1..300).fold(zero, |sum, k| sum.plus(&weight(k)).rounded(130));
            total.high += Ratio::new(BigUint::one(), BigUint::one() << 50u8);
            for k in 1..12 {
                let drawn = law.probability_given(&Some(k.into()), Option::is_some);
                assert!(drawn.meets(&weight(k).divided_by(&total)), "scale {a}/{b}, {k}");
                assert!(drawn.width() < Ratio::new(1u8.into(), 4u8.into()), "{:?}", law.unexplored);
            }
        }
    }

    #[test]
    fn logarithms_are_enclosed() {
        for (a, b) in [(1u64, 10u64), (1, 1), (1000, 3), (1 << 60, 1)] {
            let scale = Ratio::new(BigUint::from(a), BigUint::from(b));
            let bracket = log_weight(&scale, 80);
            let float = -(-(-(b as f64) / a as f64).exp_m1()).ln();
            let to_f64 = |x: &BigUint| u128::try_from(x).unwrap() as f64 / 2f64.powi(80);
            assert!((to_f64(&bracket.low) - float).abs() < 1e-13 * (1.0 + float), "{a}/{b}");
            assert!(&bracket.high - &bracket.low <= 4u8.into(), "{a}/{b}");
        }
    }
}
