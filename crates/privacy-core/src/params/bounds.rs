//! The public interval that values are clamped into.

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

mod sealed {
    pub trait Sealed {}
}

/// The number types that [`Bounds`] can hold: the primitive integers up to 64 bits, `f32`, `f64`.
pub trait Numeric: Copy + PartialOrd + fmt::Debug + Send + Sync + sealed::Sealed + 'static {
    /// Whether this is a number: false for NaN and the infinities.
    fn is_finite_number(self) -> bool;
    /// The nearest float, for messages.
    fn to_f64_lossy(self) -> f64;
}

macro_rules! numeric {
    ($($integer:ty),* ; $($float:ty),*) => {
        $(
            impl sealed::Sealed for $integer {}
            impl Numeric for $integer {
                fn is_finite_number(self) -> bool { true }
                fn to_f64_lossy(self) -> f64 { self as f64 }
            }
        )*
        $(
            impl sealed::Sealed for $float {}
            impl Numeric for $float {
                fn is_finite_number(self) -> bool { self.is_finite() }
                fn to_f64_lossy(self) -> f64 { f64::from(self) }
            }
        )*
    };
}
numeric!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize; f32, f64);

/// A public interval `lower..=upper` with `lower < upper`, both finite.
///
/// # Privacy
///
/// Bounds are published with every release made from them, and the noise is calibrated to them.
/// They must come from knowledge of the domain or from a private estimate, never from a look at
/// the data: a bound read off the data discloses its extreme rows.
///
/// # Example
///
/// ```
/// use privacy_core::params::Bounds;
///
/// let seconds = Bounds::new(0, 3600)?;
/// assert_eq!(seconds.clamp(5000), 3600);
/// assert!(Bounds::new(5, 5).is_err());
/// assert!(Bounds::new(0.0, f64::INFINITY).is_err());
/// # Ok::<(), privacy_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "(T, T)", into = "(T, T)")]
#[serde(bound(
    serialize = "T: Numeric + Serialize",
    deserialize = "T: Numeric + Deserialize<'de>"
))]
pub struct Bounds<T> {
    lower: T,
    upper: T,
}

impl<T: Numeric> Bounds<T> {
    /// The interval from `lower` to `upper`, both included.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if a bound is NaN or infinite, or unless `lower < upper`.
    pub fn new(lower: T, upper: T) -> Result<Self> {
        for (parameter, bound) in [("the lower bound", lower), ("the upper bound", upper)] {
            if !bound.is_finite_number() {
                return Err(Error::Parameter {
                    parameter,
                    requirement: "a finite number",
                    given: bound.to_f64_lossy(),
                });
            }
        }
        if lower >= upper {
            return Err(Error::Parameter {
                parameter: "the upper bound",
                requirement: "above the lower bound",
                given: upper.to_f64_lossy(),
            });
        }
        Ok(Bounds { lower, upper })
    }

    /// The lower bound.
    #[must_use]
    pub fn lower(&self) -> T {
        self.lower
    }

    /// The upper bound.
    #[must_use]
    pub fn upper(&self) -> T {
        self.upper
    }

    /// The value of the interval nearest to `value`; the lower bound for NaN.
    #[must_use]
    #[inline]
    pub fn clamp(&self, value: T) -> T {
        // Written so that NaN, which compares false with everything, ends at the lower bound.
        if value > self.lower {
            if value < self.upper { value } else { self.upper }
        } else {
            self.lower
        }
    }

    /// Whether `value` lies in the interval.
    #[must_use]
    #[inline]
    pub fn contains(&self, value: T) -> bool {
        self.lower <= value && value <= self.upper
    }
}

impl<T: Numeric> TryFrom<(T, T)> for Bounds<T> {
    type Error = Error;

    fn try_from((lower, upper): (T, T)) -> Result<Self> {
        Bounds::new(lower, upper)
    }
}

impl<T> From<Bounds<T>> for (T, T) {
    fn from(bounds: Bounds<T>) -> (T, T) {
        (bounds.lower, bounds.upper)
    }
}

impl<T: Numeric> TryFrom<RangeInclusive<T>> for Bounds<T> {
    type Error = Error;

    fn try_from(range: RangeInclusive<T>) -> Result<Self> {
        let (lower, upper) = range.into_inner();
        Bounds::new(lower, upper)
    }
}
