//! Where a value lies between its bounds, in whole steps.

use crate::grid::{Grid, Value};
use privacy_core::params::Bounds;

/// An interval divided into at most `2^digits` steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) struct Axis {
    grid: Grid,
    /// A step is `2^shift` steps of the grid.
    shift: u32,
    /// Steps from the lower bound to the upper.
    steps: u64,
    /// The caller's bounds, which no estimate of a mean leaves.
    bounds: (f64, f64),
}

impl Axis {
    /// Divides the interval of `bounds` into the steps of its grid, or so much coarser that at
    /// most `2^digits` remain.
    pub(in super::super) fn new<V: Value>(bounds: &Bounds<V>, grid: Grid, digits: u32) -> Self {
        let width = grid.width();
        let shift = (64 - width.leading_zeros()).saturating_sub(digits);
        // Rounding up at the last step could need one more digit; one digit less then does.
        let steps = |shift: u32| rounded_shift(width, shift);
        let shift = if steps(shift) > 1 << digits { shift + 1 } else { shift };
        let bounds = (bounds.lower().to_f64_lossy(), bounds.upper().to_f64_lossy());
        Axis { grid, shift, steps: steps(shift), bounds }
    }

    /// The number of steps from bound to bound, at least 1.
    pub(in super::super) fn steps(&self) -> u64 {
        self.steps
    }

    /// The step nearest to a value that was clamped to the grid.
    #[inline]
    pub(in super::super) fn position(&self, units: i64) -> u64 {
        rounded_shift(units.abs_diff(self.grid.lower()), self.shift)
    }

    /// The distance of the bounds, in the units of the values.
    pub(in super::super) fn width(&self) -> f64 {
        self.steps as f64 * 2f64.powi(self.grid.exponent() + self.shift as i32)
    }

    /// The value at a fraction of the interval, within the caller's bounds.
    pub(in super::super) fn at(&self, fraction: f64) -> f64 {
        let lower = self.grid.to_f64(self.grid.lower().into());
        (lower + self.width() * fraction).clamp(self.bounds.0, self.bounds.1)
    }

    /// What rounding a value to a step can move it by, as a fraction of the interval: nothing for
    /// integers whose grid is kept.
    pub(in super::super) fn rounding(&self) -> f64 {
        let exact = self.grid.exponent() == 0 && self.shift == 0;
        // The grid's own rounding and that to a step, each at most half of it.
        if exact { 0.0 } else { 1.0 / self.steps as f64 }
    }
}

/// `x / 2^shift`, rounded half up; `shift` is below 64.
#[inline]
fn rounded_shift(x: u64, shift: u32) -> u64 {
    let floor = x >> shift;
    // The highest of the digits that were cut off decides.
    if shift == 0 { floor } else { floor + (x >> (shift - 1) & 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis<V: Value>(lower: V, upper: V, digits: u32) -> (Axis, Bounds<V>, Grid) {
        let bounds = Bounds::new(lower, upper).unwrap();
        let grid = V::grid(&bounds, None).unwrap();
        (Axis::new(&bounds, grid, digits), bounds, grid)
    }

    #[test]
    fn small_integer_intervals_are_kept_as_they_are() {
        let (axis, bounds, grid) = axis(-5i64, 120, 20);
        assert_eq!((axis.steps(), axis.width(), axis.rounding()), (125, 125.0, 0.0));
        let position = |x: i64| axis.position(x.to_grid(&bounds, &grid).unwrap());
        assert_eq!([i64::MIN, -5, 0, 120, i64::MAX].map(position), [0, 0, 5, 125, 125]);
        assert_eq!((axis.at(0.0), axis.at(1.0)), (-5.0, 120.0));
    }

    #[test]
    fn wide_intervals_are_divided_into_at_most_the_steps_allowed() {
        for digits in [1, 20, 26, 41] {
            for upper in [1u64 << 41, (1 << 42) - 1, (1 << 62) - 1, (1 << 63) - 1] {
                let (axis, bounds, grid) = axis(0, upper, digits);
                assert!(axis.steps() <= 1 << digits, "{digits} {upper}");
                let top = axis.position(upper.to_grid(&bounds, &grid).unwrap());
                assert_eq!(top, axis.steps());
                for x in [0, 1, upper / 3, upper / 2 + 1, upper - 1] {
                    let position = axis.position(x.to_grid(&bounds, &grid).unwrap());
                    assert!(position <= axis.steps());
                    let error = (axis.at(position as f64 / axis.steps() as f64) - x as f64).abs();
                    let slack = 4.0 * f64::EPSILON;
                    assert!(error <= (axis.rounding() + slack) * axis.width(), "{digits} {x}");
                }
            }
        }
    }

    #[test]
    fn floats_are_rounded_by_no_more_than_stated() {
        let (axis, bounds, grid) = axis(-1.3, 2.9, 20);
        for i in 0..1000 {
            let x = -1.3 + 4.2 * f64::from(i) / 999.0;
            let position = axis.position(x.to_grid(&bounds, &grid).unwrap());
            let error = (axis.at(position as f64 / axis.steps() as f64) - x).abs();
            assert!(error <= axis.rounding() * axis.width() + 1e-12, "{x} moved by {error}");
        }
    }
}
