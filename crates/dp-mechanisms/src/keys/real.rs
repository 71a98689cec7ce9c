//! Real numbers between two binary fractions: how thresholds and their failure probabilities are
//! computed without trusting floating point.
//!
//! Everything here depends on public parameters only. A function whose name ends in `_up` returns
//! a number that is not below the truth.

use num_bigint::BigUint;
use num_integer::Integer;
use num_rational::Ratio;
use num_traits::{One, ToPrimitive, Zero};
use privacy_core::random::{EntropyError, RandomBuffer};

/// Exponents beyond this stand for this one: exp(-8192) is below 10^-3557.
const LARGEST_EXPONENT: u32 = 8192;

/// Significant bits that an `_up` function keeps: its relative error is below 2^-62.
const KEPT_BITS: u64 = 64;

/// A number in [0, 1], known to lie between `low` and `high`, both in units of 2^-`bits`.
#[derive(Clone, Debug)]
pub(crate) struct Bracket {
    pub(crate) low: BigUint,
    pub(crate) high: BigUint,
    pub(crate) bits: u64,
}

impl Bracket {
    fn one(bits: u64) -> BigUint {
        BigUint::one() << bits
    }

    /// exp(-g), at most 2^-`bits` wide.
    ///
    /// g is halved until it is below 1 and the result squared back. With x = floor(g' 2^p) the
    /// Taylor terms are rounded down three times each and shrink, so that every one of n terms is
    /// off by fewer than 8 units and what is cut off by one more; squaring doubles the error.
    pub(crate) fn exp_neg(g: &Ratio<BigUint>, bits: u64) -> Bracket {
        let halvings = g.to_integer().bits();
        let precision = bits + halvings + 24;
        let one = Bracket::one(precision);
        let x = (g.numer() << precision) / (g.denom() << halvings);
        let (mut positive, mut negative) = (one.clone(), BigUint::ZERO);
        let (mut term, mut terms) = (one.clone(), 0u64);
        while !term.is_zero() {
            terms += 1;
            term = ((term * &x) >> precision) / terms;
            if terms.is_odd() {
                negative += &term;
            } else {
                positive += &term;
            }
        }
        let middle = positive - negative;
        let margin = BigUint::from(8 * (terms + 2));
        let mut low = if middle > margin { &middle - &margin } else { BigUint::ZERO };
        let mut high = (middle + margin).min(one);
        for _ in 0..halvings {
            low = (&low * &low) >> precision;
            high = ((&high * &high) >> precision) + 1u8;
        }
        Bracket { low, high, bits: precision }
    }

    /// The quotient of two numbers; the divisor is not close to 0 and the quotient at most 1.
    pub(crate) fn divided_by(&self, divisor: &Bracket) -> Bracket {
        let bits = self.bits;
        let high = (&self.high << divisor.bits).div_ceil(&divisor.low);
        Bracket {
            low: (&self.low << divisor.bits) / &divisor.high,
            high: high.min(Bracket::one(bits)),
            bits,
        }
    }

    /// 1 plus the number; leaves [0, 1], good as a divisor.
    pub(crate) fn plus_one(&self) -> Bracket {
        let one = Bracket::one(self.bits);
        Bracket { low: &self.low + &one, high: &self.high + &one, bits: self.bits }
    }

    /// 1 minus the number.
    pub(crate) fn complement(&self) -> Bracket {
        let one = Bracket::one(self.bits);
        let high = &one - self.low.clone().min(one.clone());
        let low = if self.high < one { one - &self.high } else { BigUint::ZERO };
        Bracket { low, high, bits: self.bits }
    }

    fn upper(&self) -> Ratio<BigUint> {
        shortened_up(&Ratio::new_raw(self.high.clone(), Bracket::one(self.bits)))
    }
}

/// The same number with [`KEPT_BITS`] significant bits, rounded up.
pub(crate) fn shortened_up(value: &Ratio<BigUint>) -> Ratio<BigUint> {
    if value.numer().is_zero() {
        return Ratio::zero();
    }
    let shift = KEPT_BITS as i64 + value.denom().bits() as i64 - value.numer().bits() as i64;
    let power = BigUint::one() << shift.unsigned_abs();
    if shift >= 0 {
        Ratio::new((value.numer() * &power).div_ceil(value.denom()), power)
    } else {
        Ratio::from(value.numer().div_ceil(&(value.denom() * &power)) * power)
    }
}

/// m / scale, at most [`LARGEST_EXPONENT`].
fn exponent(scale: &Ratio<BigUint>, m: u128) -> Ratio<BigUint> {
    let g = Ratio::from(BigUint::from(m)) / scale;
    g.min(Ratio::from(BigUint::from(LARGEST_EXPONENT)))
}

/// Bits with which exp(-g) still has `significant` of them.
fn bits_for(g: &Ratio<BigUint>, significant: u64) -> u64 {
    // 1/ln 2 < 3/2.
    significant + 2 + g.to_integer().to_u64().unwrap_or(u64::from(LARGEST_EXPONENT)) * 3 / 2
}

/// P(Z >= m) for discrete Laplace noise Z of the given scale, with r = exp(-1/scale):
/// r^m/(1 + r) for m >= 1, and by symmetry 1 - r^(1-m)/(1 + r) below.
pub(crate) fn laplace_tail(scale: &Ratio<BigUint>, m: i128, significant: u64) -> Bracket {
    let steps = if m >= 1 { m.unsigned_abs() } else { m.unsigned_abs().saturating_add(1) };
    let g = exponent(scale, steps);
    let bits = bits_for(&g, significant);
    let r = Bracket::exp_neg(&exponent(scale, 1), bits);
    let tail = Bracket::exp_neg(&g, bits).divided_by(&r.plus_one());
    if m >= 1 { tail } else { tail.complement() }
}

/// An upper bound of [`laplace_tail`], relative error below 2^-60 (where the tail is above
/// 10^-3557).
pub(crate) fn laplace_tail_up(scale: &Ratio<BigUint>, m: i128) -> Ratio<BigUint> {
    laplace_tail(scale, m, 80).upper()
}

/// An upper bound of 1 - (1 - p)^n, the chance that one of n independent events of probability p
/// happens; exact for n = 1.
pub(crate) fn any_of_up(p: &Ratio<BigUint>, n: u64) -> Ratio<BigUint> {
    if n <= 1 {
        return if n == 0 { Ratio::zero() } else { p.clone().min(Ratio::one()) };
    }
    if *p >= Ratio::one() {
        return Ratio::one();
    }
    if p.numer().is_zero() {
        return Ratio::zero();
    }
    // Enough bits for p itself and 128 more; powers are rounded down.
    let bits = 192 + p.denom().bits() + n.ilog2() as u64 * 2 - p.numer().bits().min(64);
    let one = Bracket::one(bits);
    let none = ((p.denom() - p.numer()) << bits) / p.denom();
    let (mut power, mut base, mut rest) = (one.clone(), none, n);
    while rest > 0 {
        if rest.is_odd() {
            power = (power * &base) >> bits;
        }
        base = (&base * &base) >> bits;
        rest >>= 1;
    }
    let any = shortened_up(&Ratio::new(&one - power, one));
    // Union bound.
    any.min(p * Ratio::from(BigUint::from(n)))
}

/// Decides an event of real probability p, of which `bracket(bits)` knows about `bits` bits, with
/// `word` as the first 64 bits of the uniform number that decides.
///
/// The number is drawn word by word and compared with ever tighter brackets of p, so that the
/// probability of `true` is exactly p.
pub(crate) fn happens_after(
    word: u64,
    random: &mut RandomBuffer<'_>,
    bracket: impl Fn(u64) -> Bracket,
) -> Result<bool, EntropyError> {
    let (mut drawn, mut bits) = (BigUint::from(word), 64u64);
    loop {
        let p = bracket(bits + 16);
        // The uniform number lies in [drawn, drawn + 1) / 2^bits.
        if ((&drawn + 1u8) << p.bits) <= (&p.low << bits) {
            return Ok(true);
        }
        if (&drawn << p.bits) >= (&p.high << bits) {
            return Ok(false);
        }
        drawn = (drawn << 64u32) + random.word()?;
        bits += 64;
    }
}

#[cfg(test)]
mod tests {
    use privacy_core::random::InsecureTestRng;
    use privacy_testing::interval::Interval;

    use super::*;

    fn ratio(a: u64, b: u64) -> Ratio<BigUint> {
        Ratio::new(a.into(), b.into())
    }

    fn interval(bracket: &Bracket) -> Interval {
        let of = |n: &BigUint| Ratio::new(n.clone(), BigUint::one() << bracket.bits);
        Interval { low: of(&bracket.low), high: of(&bracket.high) }
    }

    #[test]
    fn brackets_hold_the_exponential_and_are_narrow() {
        for (a, b) in [(0, 1), (1, 1), (1, 3), (7, 2), (20, 1), (300, 1), (1, 1 << 40), (99, 100)] {
            for bits in [20, 64, 500] {
                let ours = interval(&Bracket::exp_neg(&ratio(a, b), bits));
                // The oracle is far narrower than we are and shares a point with us: it lies in
                // ours up to its own width.
                let truth = Interval::exp_neg(&ratio(a, b), 600);
                assert!(ours.low <= truth.low && truth.high <= ours.high, "{a}/{b} {bits}");
                assert!(ours.width() <= Ratio::new(1u8.into(), BigUint::one() << bits));
            }
        }
    }

    #[test]
    fn tails_add_up_and_halve() {
        let scale = ratio(3, 2);
        for m in -5..=6i128 {
            let here = interval(&laplace_tail(&scale, m, 100));
            let beyond = interval(&laplace_tail(&scale, 1 - m, 100));
            // P(Z >= m) + P(-Z >= 1 - m) = 1.
            assert!(here.plus(&beyond).meets(&Interval::exact(Ratio::one())), "{m}");
        }
        let known = laplace_tail_up(&ratio(1, 1), 4);
        let known = (known.numer() * 10u64.pow(16) / known.denom()).to_u64().unwrap();
        assert!(known.abs_diff(133_898_049_326_985) <= 1);
    }

    #[test]
    fn one_of_many_is_the_complement_of_none() {
        let p = ratio(1, 10);
        assert_eq!(any_of_up(&p, 0), Ratio::zero());
        assert_eq!(any_of_up(&p, 1), p);
        for n in 2..12u64 {
            let truth = Ratio::one() - ratio(9, 10).pow(n as i32);
            let ours = any_of_up(&p, n);
            assert!(ours >= truth);
            assert!(
                ours <= truth
                    * Ratio::new(BigUint::from((1u64 << 60) + 1), BigUint::one() << 60u32)
            );
        }
        assert_eq!(any_of_up(&ratio(1, 1), 3), Ratio::one());
        // Far below the precision of a float.
        let tiny = Ratio::new(BigUint::one(), BigUint::one() << 300u32);
        let million = any_of_up(&tiny, 1_000_000);
        assert!(million > &tiny * Ratio::from(BigUint::from(999_999u32)));
        assert!(million <= tiny * Ratio::from(BigUint::from(1_000_000u32)));
    }

    #[test]
    fn events_happen_with_their_probability() {
        // exp(-1/3) = 0.7165; false alarm 1e-9.
        let mut rng = InsecureTestRng::from_seed(7);
        let mut random = RandomBuffer::new(&mut rng);
        let mut yes = 0u64;
        for _ in 0..20_000 {
            let bracket = |bits| Bracket::exp_neg(&ratio(1, 3), bits);
            let word = random.word().unwrap();
            yes += u64::from(happens_after(word, &mut random, bracket).unwrap());
        }
        privacy_testing::statistics::check_binomial(yes, 20_000, (-1.0f64 / 3.0).exp(), 1e-9);
    }
}
