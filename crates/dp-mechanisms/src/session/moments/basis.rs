//! What a row adds: Bernstein polynomials of where its values lie.

use super::axis::Axis;
use super::polynomial::{bernstein, in_bernstein, product};

/// Digits of a row's coordinates: the noise on them differs from continuous noise by 2^-24 rows.
const FINEST_DIGITS: u32 = 24;

/// Which polynomials a row adds: of two axes, each up to a degree of 0, 1 or 2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Basis {
    pub(super) axes: [Axis; 2],
    pub(super) degrees: [usize; 2],
}

impl Basis {
    pub(super) fn coordinates(&self) -> usize {
        (self.degrees[0] + 1) * (self.degrees[1] + 1)
    }

    /// What the coordinates of one row sum to.
    pub(super) fn total(&self) -> u128 {
        self.polynomials() << self.fineness()
    }

    /// What the polynomials of one row sum to.
    fn polynomials(&self) -> u128 {
        let power = |i: usize| u128::from(self.axes[i].steps()).pow(self.degrees[i] as u32);
        power(0) * power(1)
    }

    /// Binary digits that the sums of polynomials get behind the point, so that their noise is as
    /// good as continuous.
    fn fineness(&self) -> u32 {
        (self.polynomials().leading_zeros() + FINEST_DIGITS).saturating_sub(u128::BITS)
    }

    /// Sums of polynomials as coordinates.
    pub(super) fn refine(&self, mut sums: Vec<i128>) -> Vec<i128> {
        let fineness = self.fineness();
        sums.iter_mut().for_each(|sum| *sum <<= fineness);
        sums
    }

    /// Adds the polynomials of a row at the given positions.
    #[inline]
    pub(super) fn add(&self, positions: [u64; 2], coordinates: &mut [i128]) {
        let [x, y] = [0, 1].map(|i| {
            let steps = self.axes[i].steps();
            bernstein(self.degrees[i], positions[i].min(steps), steps)
        });
        let mut slots = coordinates.iter_mut();
        for a in &x[..=self.degrees[0]] {
            for (b, slot) in y[..=self.degrees[1]].iter().zip(&mut slots) {
                *slot += a * b;
            }
        }
    }

    /// The sums of the polynomials of rows in the first axis, given how many they are, the sum of their
    /// positions and that of the squares.
    pub(super) fn of_powers(&self, [rows, sum, squares]: [i128; 3]) -> Vec<i128> {
        let steps = i128::from(self.axes[0].steps());
        match self.degrees[0] {
            0 => vec![rows],
            1 => vec![rows * steps - sum, sum],
            _ => vec![
                rows * steps * steps - 2 * steps * sum + squares,
                2 * (steps * sum - squares),
                squares,
            ],
        }
    }

    /// The polynomial `f(x) g(y)` in Bernstein form.
    pub(super) fn weights(&self, f: [f64; 3], g: [f64; 3]) -> Vec<f64> {
        product(&in_bernstein(self.degrees[0], f), &in_bernstein(self.degrees[1], g))
    }
}

pub(super) const ONE: [f64; 3] = [1.0, 0.0, 0.0];

/// x − t
pub(super) fn from(t: f64) -> [f64; 3] {
    [-t, 1.0, 0.0]
}

/// (x − t)²
pub(super) fn from_squared(t: f64) -> [f64; 3] {
    [t * t, -2.0 * t, 1.0]
}

#[cfg(test)]
mod tests {
    use privacy_core::params::Bounds;

    use super::*;
    use crate::grid::Value;

    #[test]
    fn power_sums_give_the_coordinates_that_rows_add() {
        let bounds = Bounds::new(0i64, 9).unwrap();
        let axis = Axis::new(&bounds, i64::grid(&bounds, None).unwrap(), 20);
        let positions = [0u64, 1, 4, 9, 9, 3];
        let sum = |power: u32| positions.iter().map(|x| i128::from(x.pow(power))).sum();
        for degree in 0..=2 {
            let basis = Basis { axes: [axis; 2], degrees: [degree, 0] };
            let mut added = vec![0; basis.coordinates()];
            positions.iter().for_each(|position| basis.add([*position, 0], &mut added));
            assert_eq!(basis.of_powers([sum(0), sum(1), sum(2)]), added);
        }
    }
}
