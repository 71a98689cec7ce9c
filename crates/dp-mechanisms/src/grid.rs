//! Public grids: how numbers become the exact integers that are summed.
//!
//! Integers are themselves. Floats are rounded to multiples of a power of two that follows from
//! the public bounds, never from the data; from there on everything is integer arithmetic until
//! the noisy integer is converted once (post-processing). Rounding each value first leaves the
//! sum exact and independent of order, which closes the attacks on floating-point sums
//! (Mironov 2012; Haney et al. 2022, <https://arxiv.org/abs/2207.10635>).

use privacy_core::error::{Error, Result};
use privacy_core::params::{Amount, Bounds, Numeric};
use privacy_core::release::Readable;

/// Binary digits that a float keeps below the distance of the bounds: a grid of 2^-40 of it.
const DIGITS: i32 = 40;

/// Exponents outside this range would leave the normal floats.
const EXPONENTS: std::ops::RangeInclusive<i32> = -960..=960;

/// Sums of any number of values up to here stay among the floats.
const LARGEST_BOUND: f64 = f64::from_bits((960 + 1023) << 52);

/// A number that can be summed privately: the primitive integers up to 64 bits, `f32` and `f64`.
#[diagnostic::on_unimplemented(
    message = "values of type `{Self}` cannot be summed or averaged",
    label = "not a number",
    note = "return an integer of up to 64 bits or a float; leave missing values out with \
            `.filter(…)`, and count flags with `.count().filter(…)`"
)]
pub trait Value: Numeric {
    /// What a sum is released as: `i128` for integers, `f64` for floats.
    type Released: Readable + serde::Serialize + std::fmt::Debug + Copy + Send + Sync + 'static;

    #[doc(hidden)]
    fn grid(bounds: &Bounds<Self>, exponent: Option<i32>) -> Result<Grid>;

    #[doc(hidden)]
    fn to_grid(self, bounds: &Bounds<Self>, grid: &Grid) -> Option<i64>;

    #[doc(hidden)]
    fn released(units: i128, grid: &Grid) -> Self::Released;
}

/// A grid of multiples of `2^exponent`, and public bounds in its units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    exponent: i32,
    lower: i64,
    upper: i64,
    /// `2^-exponent`.
    steps_per_unit: f64,
}

/// Added to a float of magnitude up to [`Grid::QUICK`], it leaves the nearest integer (ties to
/// even) in the low bits: between 2^52 and 2^53 floats are the integers.
const ROUNDER: f64 = 3.0 * (1u64 << 51) as f64;

impl Grid {
    /// All of `i64`, for values that no bounds are known of.
    pub(crate) const INTEGERS: Grid =
        Grid { exponent: 0, lower: i64::MIN, upper: i64::MAX, steps_per_unit: 1.0 };

    /// Bounds up to here are rounded to by one addition instead of a call.
    const QUICK: u64 = 1 << 51;

    fn new(exponent: i32, lower: i64, upper: i64) -> Result<Self> {
        // The width must fit too: it is the sensitivity where one row replaces another.
        if upper.checked_sub(lower).is_none() {
            return Err(TOO_WIDE);
        }
        Ok(Grid { exponent, lower, upper, steps_per_unit: 2f64.powi(-exponent) })
    }

    /// The step nearest to `value`, which is not NaN, within the bounds. For the grids of floats,
    /// whose bounds are floats in units of the grid, too.
    #[inline]
    fn nearest(&self, value: f64) -> i64 {
        let (lower, upper) = (self.lower as f64, self.upper as f64);
        // Plain comparisons: unlike `clamp`, `max` and `min` they say nothing of NaN, and are one
        // instruction each.
        let steps = value * self.steps_per_unit;
        let steps = if steps > lower { steps } else { lower };
        let steps = if steps < upper { steps } else { upper };
        if self.lower.unsigned_abs() <= Grid::QUICK && self.upper.unsigned_abs() <= Grid::QUICK {
            (steps + ROUNDER).to_bits().wrapping_sub(ROUNDER.to_bits()) as i64
        } else {
            steps.round_ties_even() as i64
        }
    }

    /// The binary exponent of the grid's step; 0 for integers.
    #[must_use]
    pub fn exponent(&self) -> i32 {
        self.exponent
    }

    /// The lower bound in units of the grid.
    #[must_use]
    pub fn lower(&self) -> i64 {
        self.lower
    }

    /// The upper bound in units of the grid.
    #[must_use]
    pub fn upper(&self) -> i64 {
        self.upper
    }

    /// The distance between the bounds in units of the grid, at least 1.
    #[must_use]
    pub fn width(&self) -> u64 {
        self.upper.abs_diff(self.lower)
    }

    /// The larger magnitude of the two bounds in units of the grid.
    #[must_use]
    pub fn magnitude(&self) -> Amount {
        self.lower.unsigned_abs().max(self.upper.unsigned_abs()).into()
    }

    /// `units` steps of the grid as a float, rounded once.
    #[must_use]
    pub fn to_f64(&self, units: i128) -> f64 {
        units as f64 * 2f64.powi(self.exponent)
    }
}

const TOO_WIDE: Error = Error::Overflow {
    quantity: "the distance between the bounds",
    limit: "2^63 - 1 steps of the grid",
};

macro_rules! integer_value {
    ($($integer:ty),*) => {
        $(
            impl Value for $integer {
                type Released = i128;

                fn grid(bounds: &Bounds<Self>, _: Option<i32>) -> Result<Grid> {
                    match (i64::try_from(bounds.lower()), i64::try_from(bounds.upper())) {
                        (Ok(lower), Ok(upper)) => Grid::new(0, lower, upper),
                        _ => Err(TOO_WIDE),
                    }
                }

                #[inline]
                fn to_grid(self, bounds: &Bounds<Self>, _: &Grid) -> Option<i64> {
                    // The bounds fit, so what is clamped between them does.
                    Some(bounds.clamp(self) as i64)
                }

                fn released(units: i128, _: &Grid) -> i128 {
                    units
                }
            }
        )*
    };
}
integer_value!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

macro_rules! float_value {
    ($($float:ty),*) => {
        $(
            impl Value for $float {
                type Released = f64;

                fn grid(bounds: &Bounds<Self>, exponent: Option<i32>) -> Result<Grid> {
                    let (lower, upper) = (f64::from(bounds.lower()), f64::from(bounds.upper()));
                    float_grid(lower, upper, exponent)
                }

                /// NaN is missing: the row does not contribute. Infinities are clamped.
                #[inline]
                fn to_grid(self, _: &Bounds<Self>, grid: &Grid) -> Option<i64> {
                    // Clamping to the bounds first would change nothing: they are rounded to the
                    // same grid, and rounding is monotone.
                    if self.is_nan() { None } else { Some(grid.nearest(self.into())) }
                }

                fn released(units: i128, grid: &Grid) -> f64 {
                    grid.to_f64(units)
                }
            }
        )*
    };
}
float_value!(f32, f64);

/// The exponent of the power of two at or below a positive float; that of the least normal one for
/// smaller floats.
fn binary_exponent(x: f64) -> i32 {
    ((x.to_bits() >> 52) & 0x7ff) as i32 - 1023
}

fn float_grid(lower: f64, upper: f64, exponent: Option<i32>) -> Result<Grid> {
    let magnitude = lower.abs().max(upper.abs());
    if magnitude > LARGEST_BOUND {
        return Err(Error::Overflow { quantity: "a bound", limit: "2^960 (about 1e289)" });
    }
    let exponent = exponent.unwrap_or_else(|| {
        let fine = binary_exponent(upper - lower) - DIGITS;
        // Floats of this magnitude have no finer steps.
        let finest = binary_exponent(magnitude) - 52;
        fine.max(finest).clamp(*EXPONENTS.start(), *EXPONENTS.end())
    });
    if !EXPONENTS.contains(&exponent) {
        return Err(Error::Parameter {
            parameter: "the binary exponent of the grid",
            requirement: "between -960 and 960",
            given: exponent.into(),
        });
    }
    let units = |bound: f64| (bound * 2f64.powi(-exponent)).round_ties_even();
    let (lower, upper) = (units(lower), units(upper));
    let limit = 2f64.powi(62);
    if lower.abs() > limit || upper.abs() > limit {
        return Err(TOO_WIDE);
    }
    if lower >= upper {
        return Err(Error::Parameter {
            parameter: "the distance between the bounds",
            requirement: "at least one step of the grid",
            given: 0.0,
        });
    }
    Grid::new(exponent, lower as i64, upper as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(lower: f64, upper: f64) -> (Bounds<f64>, Grid) {
        let bounds = Bounds::new(lower, upper).unwrap();
        (bounds, f64::grid(&bounds, None).unwrap())
    }

    #[test]
    fn integers_are_clamped_and_kept() {
        let bounds = Bounds::new(-5i64, 7).unwrap();
        let grid = i64::grid(&bounds, None).unwrap();
        let on_grid = |x: i64| x.to_grid(&bounds, &grid).unwrap();
        assert_eq!([i64::MIN, -5, 0, 7, i64::MAX].map(on_grid), [-5, -5, 0, 7, 7]);
        assert_eq!((grid.width(), grid.magnitude()), (12, 7.into()));
    }

    #[test]
    fn bounds_whose_width_overflows_are_refused() {
        let wide = |lower, upper| i64::grid(&Bounds::new(lower, upper).unwrap(), None);
        assert!(matches!(wide(i64::MIN, i64::MAX), Err(Error::Overflow { .. })));
        assert!(matches!(wide(-1, i64::MAX), Err(Error::Overflow { .. })));
        assert!(wide(0, i64::MAX).is_ok());
        assert!(u64::grid(&Bounds::new(0, u64::MAX).unwrap(), None).is_err());
        assert!(u64::grid(&Bounds::new(0, i64::MAX as u64).unwrap(), None).is_ok());
    }

    #[test]
    fn floats_round_to_the_public_grid_and_stay_within_its_bounds() {
        let (bounds, grid) = floats(-1.0, 3.3);
        assert_eq!(grid.exponent(), 2 - DIGITS);
        for x in [-1e308, -1.0, -0.3, -0.0, 0.1, 3.2999, 3.3, f64::INFINITY, f64::NEG_INFINITY] {
            let units = x.to_grid(&bounds, &grid).unwrap();
            assert!((grid.lower()..=grid.upper()).contains(&units));
            let error = (grid.to_f64(units.into()) - bounds.clamp(x)).abs();
            assert!(error <= 2f64.powi(grid.exponent() - 1), "{x}: {error}");
        }
        assert_eq!((-0.0).to_grid(&bounds, &grid), 0.0.to_grid(&bounds, &grid));
        assert_eq!(f64::NAN.to_grid(&bounds, &grid), None);
    }

    #[test]
    fn both_ways_to_round_agree_up_to_the_bounds() {
        let quick = Grid::new(0, -(1 << 51), 1 << 51).unwrap();
        let wide = Grid::new(0, -(1 << 52), 1 << 52).unwrap();
        let edge = 2f64.powi(51);
        for x in [0.0, 0.5, 1.5, 2.5, 0.499_999_999_999_999_94, 7e15 / 4.0, edge - 0.5, edge] {
            for x in [x, -x, x.next_up(), x.next_down()].map(|x| x.clamp(-edge, edge)) {
                assert_eq!(quick.nearest(x), wide.nearest(x), "{x}");
                assert_eq!(quick.nearest(x), x.round_ties_even() as i64, "{x}");
            }
        }
        assert_eq!(quick.nearest(f64::INFINITY), 1 << 51);
        assert_eq!(quick.nearest(-1e300), -(1 << 51));
        assert_eq!(wide.nearest(1e300), 1 << 52);
    }

    #[test]
    fn extreme_bounds_have_a_grid_or_a_typed_error() {
        let refused = [(0.0, 5e-324), (-f64::MAX, f64::MAX), (-1e308, 0.0), (0.0, 1e300)];
        for (lower, upper) in refused {
            let bounds = Bounds::new(lower, upper).unwrap();
            assert!(f64::grid(&bounds, None).unwrap_err().is_parameter(), "{lower}..={upper}");
        }
        for (lower, upper) in [(-1e288, 1e288), (0.0, 1e-250), (1e15, 1e15 + 1000.0)] {
            let (bounds, grid) = floats(lower, upper);
            for x in [lower, upper, lower / 2.0 + upper / 2.0] {
                let kept = grid.to_f64(x.to_grid(&bounds, &grid).unwrap().into());
                assert!((kept - x).abs() <= (upper - lower) * 1e-9, "{x} became {kept}");
            }
        }
        // Bounds closer together than one step cannot be told apart.
        let bounds = Bounds::new(0.0, 0.3).unwrap();
        assert!(f64::grid(&bounds, Some(0)).unwrap_err().is_parameter());
        // A grid too fine for the bounds is refused.
        let bounds = Bounds::new(0.0, 1e15).unwrap();
        assert!(matches!(f64::grid(&bounds, Some(-40)), Err(Error::Overflow { .. })));
    }
}
