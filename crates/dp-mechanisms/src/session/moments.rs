//! Variance, standard deviation, covariance, correlation and a fitted line: moments of bounded
//! values, all from one noisy aggregate.
//!
//! # The aggregate
//!
//! Let x be where a row's value lies between its bounds, as a fraction. A row adds the Bernstein
//! polynomials of x, for degree 2 these are (1 − x)², 2x(1 − x) and x², times a fixed integer.
//! They are not negative and sum to one, so whatever the value, a row changes the aggregate by the
//! same L1 norm: the sensitivity of all three together is that of one bounded number. Splitting a
//! budget over a count, a sum and a sum of squares needs several times the noise variance for the
//! same charge. Every moment up to the degree is a linear combination of the coordinates. For two
//! values a row adds the products of their polynomials, which sum to one just so.
//!
//! All coordinates are exact integers: values are rounded to a public grid first, and from there
//! on nothing is rounded until the noisy coordinates are read (post-processing).
//!
//! # Intervals
//!
//! With the confidence asked for, all noise terms together lie within their half-widths (a union
//! bound over the coordinates). The interval covers the statistic of every aggregate in that box:
//! averages are bounded exactly, second moments around the estimated mean exactly, and what the
//! estimated mean may be off is added. Half a step of the grid is added for rounding. Intervals
//! therefore cover at least as often as they say.

mod axis;
mod estimate;
mod polynomial;
mod questions;
mod reading;
mod statistic;

pub use estimate::{JointMoments, Moments};
pub use reading::{
    Correlation, Covariance, Joint, Line, LineFit, Reading, Single, StandardDeviation, Variance,
};
pub use statistic::{NeedsBothBounds, OfOne, OfOneValue, OfTwo, OfTwoValues};
