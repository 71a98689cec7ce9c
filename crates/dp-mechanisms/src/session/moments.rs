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
//! Every moment is a quotient of averages of polynomials, so that, at the true moment, a known
//! combination of the noise terms is what separates the noisy aggregate from 0. The interval holds
//! the moments at which that combination is within the half-width of its law. What the law depends on
//! besides the moment, such as the mean in the case of a variance, is only known to lie in an
//! interval of its own; the half-width is the largest one over it, for 0.2 % of the miss. Half a
//! step of the grid is added for rounding.
//!
//! Intervals therefore cover as often as they say where many rows stand against the noise, and more
//! often where few do: 95 % intervals of a variance cover less than 95.1 % from about 10^4 noise
//! scales in rows on.

mod axis;
mod basis;
mod estimate;
mod intervals;
mod polynomial;
mod questions;
mod range;
mod reading;
mod statistic;
mod values;

pub use reading::{
    Correlation, Covariance, Joint, Line, LineFit, Reading, Single, StandardDeviation, Variance,
};
pub use statistic::{NeedsBothBounds, OfOne, OfOneValue, OfTwo, OfTwoValues};
pub use values::{JointMoments, Moments};
