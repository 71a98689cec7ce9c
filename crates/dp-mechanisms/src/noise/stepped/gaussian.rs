//! Masses that fall as exp(-m^2 / (2 sigma^2)).

use num_bigint::BigUint;
use num_rational::Ratio;
use num_traits::One;

use super::super::bracket::Bracket;
use super::super::fixed::{SPAN_ONE, Span, high_half};
use super::{Shape, shift_for};

/// g(m) = m^2 / (2 sigma^2).
#[derive(Debug, Clone)]
pub(crate) struct GaussianShape {
    sigma_squared: Ratio<BigUint>,
    shift: u32,
    /// 2^(2 shift) / (2 sigma^2) in units of 2^-70, rounded down; at most 2^63 and 0 if it is more.
    step: u64,
}

/// Cells up to here have their exponents in words.
const CELLS_IN_WORDS: u64 = 512;

impl GaussianShape {
    /// The shape with cells of 2^`shift`, at most an eighth of sigma unless `shift` is 0.
    pub(crate) fn with_shift(sigma_squared: &Ratio<BigUint>, shift: u32) -> Self {
        let doubled = sigma_squared.numer() << 1u8;
        let step = (sigma_squared.denom() << (2 * shift + 70)) / doubled;
        let step = u64::try_from(&step).ok().filter(|step| *step <= 1 << 63);
        GaussianShape { sigma_squared: sigma_squared.clone(), shift, step: step.unwrap_or(0) }
    }

    pub(crate) fn new(sigma_squared: &Ratio<BigUint>) -> Self {
        Self::with_shift(sigma_squared, shift_for(&sigma_squared.to_integer().sqrt()))
    }

    /// 2^(2 shift) / (2 sigma^2) in units of 2^-70, rounded down; 0 if that passes 2^63.
    pub(crate) fn step(&self) -> u64 {
        self.step
    }

    /// exp(-2^(2 shift) / (2 sigma^2)): the mass of the second cell relative to the first.
    fn first_ratio(&self, precision: u64) -> Bracket {
        let numer = self.sigma_squared.denom() << (2 * self.shift);
        Bracket::exp_neg(&numer, &(self.sigma_squared.numer() << 1u8), precision)
    }
}

impl Shape for GaussianShape {
    fn shift(&self) -> u32 {
        self.shift
    }

    fn cumulative(&self, cell: u64, precision: u64) -> Bracket {
        // Sums of some hundred terms, each some units wide.
        let inside = precision + 20;
        let first = self.first_ratio(inside);
        let square = first.times(&first, inside);
        // Masses w(0) = 1, w(i + 1) = w(i) q(i), q(i + 1) = q(i) q(0)^2.
        let (mut mass, mut ratio) = (Bracket::one(inside), first);
        let (mut total, mut up_to_cell) = (mass.clone(), mass.clone());
        let half = BigUint::one() << (inside - 1);
        let mut i = 0u64;
        loop {
            mass = mass.times(&ratio, inside);
            ratio = ratio.times(&square, inside);
            i += 1;
            if mass.high <= BigUint::one() && ratio.high < half {
                break;
            }
            // Cells of single magnitudes but the first stand for two signs.
            let counted = if self.shift == 0 { mass.doubled() } else { mass.clone() };
            total = total.plus(&counted);
            if i <= cell {
                up_to_cell = up_to_cell.plus(&counted);
            }
        }
        // What was left out is below mass (1 + 1/2 + 1/4 + ...), twice: four units.
        total.high += 4u8;
        if cell >= i {
            up_to_cell.high += 4u8;
        }
        let share = up_to_cell.over(&total, inside);
        let one = BigUint::one() << inside;
        Bracket { high: share.high.min(one), low: share.low }.shortened(20)
    }

    fn cumulatives(&self) -> impl Iterator<Item = Span> {
        let first = Span::from_bracket(|p| self.first_ratio(p));
        let square = first.times(first);
        let (mut mass, mut ratio) = (Span::ONE, first);
        let mut total = Span::ONE;
        let mut sums = vec![total];
        loop {
            mass = mass.times(ratio);
            ratio = ratio.times(square);
            // Beyond this the tail is below 2^-90 of the whole.
            if mass.high <= SPAN_ONE >> 92 && ratio.high < SPAN_ONE / 2 {
                break;
            }
            total = total.plus(if self.shift == 0 { mass.doubled() } else { mass });
            sums.push(total);
        }
        total.high += 4 * mass.high;
        let inverse = total.reciprocal();
        sums.into_iter().map(move |sum| sum.times(inverse))
    }

    fn exponent(&self, cell: u64, offset: u128) -> Ratio<BigUint> {
        // ((start + offset)^2 - start^2) / (2 sigma^2)
        let start = BigUint::from(cell) << self.shift;
        let numer = ((start << 1u8) + offset) * offset * self.sigma_squared.denom();
        Ratio::new(numer, self.sigma_squared.numer() << 1u8)
    }

    #[inline]
    fn exponent_words(&self, cell: u64, place: u64) -> Option<(u64, u64)> {
        if cell > CELLS_IN_WORDS || self.step == 0 {
            return None;
        }
        // With x = place / 2^64, g = 2^(2 shift) / (2 sigma^2) x (2 cell + x). The second factor
        // times 2^50, rounded down, is below 2^61.
        let place = place >> 14;
        let factor = place * 2 * cell + high_half(place << 14, place);
        let low = (u128::from(self.step) * u128::from(factor)) >> 56;
        // step errs by less than 1 in 2^70, which with a factor below 2^11 makes 2^-59; factor by
        // less than 2^12 in 2^50 (of place, times 2 cell + 2), which with a step below 2^-7 makes
        // 2^-45. Both are below 2^20 in 2^64.
        let low = u64::try_from(low).ok()?;
        let high = low.checked_add(1 << 20)?;
        Some((low, high))
    }
}
