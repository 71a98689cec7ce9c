//! Masses that fall by a constant factor: one side of the discrete Laplace law, and the geometric.

use num_bigint::BigUint;
use num_rational::Ratio;
use num_traits::One;

use super::super::bracket::Bracket;
use super::super::fixed::{Span, high_half};
use super::{Shape, shift_for};

/// g(m) = m / scale.
#[derive(Debug, Clone)]
pub(crate) struct LaplaceShape {
    scale: Ratio<BigUint>,
    shift: u32,
    /// Whether magnitudes stand for two signs and 0 for one: in single cells, all but the first
    /// then have twice their mass. Wider cells leave it to their caller to reject minus zero.
    two_sided: bool,
    /// 2^shift / scale in units of 2^-64, rounded down; 0 if it is above 2^62.
    step: u64,
}

impl LaplaceShape {
    /// The shape with cells of 2^`shift`, at most a quarter of the scale.
    pub(crate) fn with_shift(scale: &Ratio<BigUint>, two_sided: bool, shift: u32) -> Self {
        let step = (scale.denom() << (shift + 64)) / scale.numer();
        let step = u64::try_from(&step).ok().filter(|step| *step <= 1 << 62);
        LaplaceShape { scale: scale.clone(), shift, two_sided, step: step.unwrap_or(0) }
    }

    pub(crate) fn new(scale: &Ratio<BigUint>, two_sided: bool) -> Self {
        Self::with_shift(scale, two_sided, shift_for(&scale.to_integer()))
    }

    /// The ratio of the masses of two magnitudes `distance` apart.
    fn power(&self, distance: BigUint, precision: u64) -> Bracket {
        Bracket::exp_neg(&(self.scale.denom() * distance), self.scale.numer(), precision)
    }

    /// P(cell > 0), relative to the ratio of the masses of neighbouring cells: 2/(1+r) where
    /// cells but the first count twice, 1 elsewhere.
    fn weight(&self, precision: u64) -> Bracket {
        if !self.two_sided || self.shift > 0 {
            return Bracket::one(precision);
        }
        let one = Bracket::one(precision);
        one.doubled().over(&one.plus(&self.power(BigUint::one(), precision)), precision)
    }
}

impl Shape for LaplaceShape {
    fn shift(&self) -> u32 {
        self.shift
    }

    fn cumulative(&self, cell: u64, precision: u64) -> Bracket {
        let precision_inside = precision + 8;
        let beyond = self.power(BigUint::from(cell + 1) << self.shift, precision_inside);
        let beyond = beyond.times(&self.weight(precision_inside), precision_inside);
        beyond.complement(precision_inside).shortened(8)
    }

    fn cumulatives(&self) -> impl Iterator<Item = Span> {
        let ratio = Span::from_bracket(|p| self.power(BigUint::one() << self.shift, p));
        let first = Span::from_bracket(|p| self.weight(p)).times(ratio);
        // What lies beyond a cell falls by the same factor from cell to cell.
        let beyond = std::iter::successors(Some(first), move |beyond| Some(beyond.times(ratio)));
        beyond.map(Span::complement)
    }

    fn exponent(&self, _: u64, offset: u128) -> Ratio<BigUint> {
        Ratio::new(self.scale.denom() * offset, self.scale.numer().clone())
    }

    #[inline]
    fn exponent_words(&self, _: u64, place: u64) -> Option<(u64, u64)> {
        // (step + 1)(place + 1) / 2^64 < step place / 2^64 + 2.
        let low = high_half(self.step, place);
        (self.step > 0).then_some((low, low + 3))
    }
}
