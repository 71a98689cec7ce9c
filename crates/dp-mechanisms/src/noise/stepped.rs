//! The fast samplers: laws with falling masses, drawn with one to three random words.
//!
//! The magnitudes 0, 1, 2, ... are cut into cells of 2^shift. A table draws the cell by the mass of
//! its first magnitude times its width; the offset in the cell is uniform, and accepted with the
//! mass of the magnitude relative to that of the first one. Cells are narrow beside the scale, so
//! that nearly all offsets are accepted; small scales have cells of one magnitude, and nothing is
//! left to accept. (Rejection from a step function, as in Karney 2016,
//! <https://doi.org/10.1145/2710016>, whose steps are one standard deviation wide.)
//!
//! # The law is exact
//!
//! Random words are the first bits of uniform real numbers. A comparison with an irrational
//! probability is decided by a certified bracket of it; where the bits drawn so far leave it open
//! (with a probability of at most about 2^-31 a draw), more bits are drawn and more digits computed, without end.
//!
//! All of it is generic in the width of a word. The samplers have 64 bits; tests enumerate all
//! words of a few bits, which must give the same law.

use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_core::random::EntropyError;

use super::bracket::{Bracket, Uniform};
use super::choices::Choices;
use super::fixed::{Span, Verdict, compare_exp_neg};
use super::natural::signed;
use super::table::{Place, Table};

mod gaussian;
mod laplace;

pub(crate) use gaussian::GaussianShape;
pub(crate) use laplace::LaplaceShape;

/// Masses proportional to exp(-g(m)) for m = 0, 1, 2, ..., in cells of 2^shift magnitudes.
pub(crate) trait Shape {
    /// Binary logarithm of the width of a cell, at most 100.
    fn shift(&self) -> u32;

    /// P(cell <= `cell`), in units of 2^-precision.
    fn cumulative(&self, cell: u64, precision: u64) -> Bracket;

    /// The same for all cells from 0 on, until 1 is near, from machine words.
    fn cumulatives(&self) -> impl Iterator<Item = Span>;

    /// g(first magnitude of the cell + offset) - g(first magnitude of the cell).
    fn exponent(&self, cell: u64, offset: u128) -> Ratio<BigUint>;

    /// The same between two numbers above 0 in units of 2^-64, for all offsets with
    /// offset / 2^shift in `[place, place + 1)` 2^-64; `None` where words don't suffice.
    fn exponent_words(&self, cell: u64, place: u64) -> Option<(u64, u64)>;
}

/// A sampler of the shape `S` that draws words of `WIDTH` bits, at most 64.
#[derive(Debug, Clone)]
pub(crate) struct Stepped<S, const WIDTH: u32 = 64> {
    shape: S,
    shift: u32,
    cell_bits: u32,
    table: Table,
}

impl<S: Shape, const WIDTH: u32> Stepped<S, WIDTH> {
    pub(crate) fn new(shape: S) -> Self {
        let shift = shape.shift();
        let cell_bits = if shift == 0 || shift > Self::SHARED { WIDTH - 1 } else { WIDTH / 2 };
        let table = Table::new(cell_bits, shape.cumulatives());
        Stepped { shift, cell_bits, shape, table }
    }

    /// Offsets of up to so many bits share a word with their cell: they leave some bits to
    /// the number they are accepted by.
    const SHARED: u32 = WIDTH * 3 / 8;

    /// A draw of the two-sided law.
    #[inline]
    pub(crate) fn signed<C: Choices + ?Sized>(
        &self,
        choices: &mut C,
    ) -> Result<i128, EntropyError> {
        loop {
            let (magnitude, negative) = self.draw(choices)?;
            // Where magnitudes but 0 don't count twice, zero must not either.
            if self.shift == 0 || magnitude > 0 || !negative {
                return Ok(signed(magnitude, negative));
            }
        }
    }

    /// A magnitude, and a fair bit beside it.
    #[inline]
    pub(crate) fn draw<C: Choices + ?Sized>(
        &self,
        choices: &mut C,
    ) -> Result<(u128, bool), EntropyError> {
        loop {
            if let Some(drawn) = self.attempt(choices)? {
                return Ok(drawn);
            }
        }
    }

    /// One round of rejection sampling.
    #[inline]
    pub(crate) fn attempt<C: Choices + ?Sized>(
        &self,
        choices: &mut C,
    ) -> Result<Option<(u128, bool)>, EntropyError> {
        // From the top: the cell, perhaps an offset, perhaps bits to accept it by; then a fair bit.
        let word = choices.bits(WIDTH)?;
        let bit = word & 1 == 1;
        let front = word >> (WIDTH - self.cell_bits);
        let cell = match self.table.find(front) {
            Place::Cell(cell) => cell,
            Place::Border(first) => self.cell_from(choices, front, first)?,
        };
        if self.shift == 0 {
            return Ok(Some((cell.into(), bit)));
        }
        // An offset and bits to accept it by, at the top of a word; how many.
        let (rest, bits) = if self.shift <= Self::SHARED {
            ((word & mask(WIDTH - self.cell_bits)) << self.cell_bits, WIDTH - self.cell_bits - 1)
        } else {
            (choices.bits(WIDTH)?, WIDTH)
        };
        let (place, uniform, bits) = match bits.checked_sub(self.shift) {
            None | Some(0) => (rest, 0, 0),
            Some(left) => {
                let below = WIDTH - self.shift;
                let place = rest >> below << below;
                (place, (rest & mask(below)) >> (below - left), left)
            }
        };
        let offset = self.accept(choices, cell, place, uniform, bits)?;
        // Cells beyond 2^27 have no probability to speak of, and saturate.
        Ok(offset.map(|offset| ((u128::from(cell.min(1 << 27)) << self.shift) + offset, bit)))
    }

    /// The cell of the uniform number that begins with `word`, which is `first` or a later one.
    #[cold]
    fn cell_from<C: Choices + ?Sized>(
        &self,
        choices: &mut C,
        word: u64,
        first: u64,
    ) -> Result<u64, EntropyError> {
        let mut uniform = Uniform::starting(word, self.cell_bits);
        let mut cell = first;
        while !uniform.is_below(choices, |precision| self.shape.cumulative(cell, precision))? {
            cell += 1;
        }
        Ok(cell)
    }

    /// The offset that begins with the `WIDTH` bits of `place`, if it is accepted by the uniform
    /// number that begins with the `bits` bits of `uniform`.
    #[inline]
    fn accept<C: Choices + ?Sized>(
        &self,
        choices: &mut C,
        cell: u64,
        place: u64,
        uniform: u64,
        bits: u32,
    ) -> Result<Option<u128>, EntropyError> {
        match self.compare(cell, place, uniform, bits) {
            Verdict::NotBelow => Ok(None),
            Verdict::Below => self.offset(choices, place).map(Some),
            Verdict::Open => self.accept_slowly(choices, cell, place, uniform, bits),
        }
    }

    /// How the uniform number compares with the mass of the offset, as far as words tell.
    #[inline]
    fn compare(&self, cell: u64, place: u64, uniform: u64, bits: u32) -> Verdict {
        // Words of fewer bits, in tests, say less about an offset than the shape is asked to use.
        match self.shape.exponent_words(cell, place) {
            Some((low, high)) if WIDTH == 64 && bits > 0 => {
                let first = uniform << (64 - bits);
                compare_exp_neg(first, first | mask(64 - bits), low, high)
            }
            _ => Verdict::Open,
        }
    }

    /// As [`accept`](Self::accept), first with a word full of bits and then with as many as it
    /// takes.
    #[cold]
    fn accept_slowly<C: Choices + ?Sized>(
        &self,
        choices: &mut C,
        cell: u64,
        place: u64,
        uniform: u64,
        bits: u32,
    ) -> Result<Option<u128>, EntropyError> {
        let more = WIDTH - bits;
        if WIDTH < 64 || more == 0 {
            return self.accept_exactly(choices, cell, place, uniform, bits);
        }
        let uniform = (u128::from(uniform) << more) as u64 | choices.bits(more)?;
        match self.compare(cell, place, uniform, WIDTH) {
            Verdict::NotBelow => Ok(None),
            Verdict::Below => self.offset(choices, place).map(Some),
            Verdict::Open => self.accept_exactly(choices, cell, place, uniform, WIDTH),
        }
    }

    fn accept_exactly<C: Choices + ?Sized>(
        &self,
        choices: &mut C,
        cell: u64,
        place: u64,
        uniform: u64,
        bits: u32,
    ) -> Result<Option<u128>, EntropyError> {
        let offset = self.offset(choices, place)?;
        let exponent = self.shape.exponent(cell, offset);
        let accepted = Uniform::starting(uniform, bits).is_below(choices, |precision| {
            Bracket::exp_neg(exponent.numer(), exponent.denom(), precision)
        })?;
        Ok(accepted.then_some(offset))
    }

    /// The offset that begins with the bits of `place`; draws those that a word does not hold.
    #[inline]
    fn offset<C: Choices + ?Sized>(
        &self,
        choices: &mut C,
        place: u64,
    ) -> Result<u128, EntropyError> {
        match self.shift.checked_sub(WIDTH) {
            None | Some(0) => Ok(u128::from(place >> (WIDTH - self.shift))),
            Some(missing) => {
                Ok((u128::from(place) << missing) | u128::from(choices.bits(missing)?))
            }
        }
    }
}

/// The lowest `bits` bits, at most 63.
#[inline]
fn mask(bits: u32) -> u64 {
    (1 << bits) - 1
}

/// The shift at which a cell is between 1/16 and 1/8 of the scale, or 0 for scales below 32.
fn shift_for(scale: &BigUint) -> u32 {
    match scale.bits() as u32 {
        0..=5 => 0,
        bits => bits - 4,
    }
}

#[cfg(test)]
mod tests;
