//! Quantiles of integers on a public grid: one, several, or a whole summary.
//!
//! | question | mechanism | what it costs |
//! |---|---|---|
//! | one quantile, the median, a robust minimum or maximum | [`Quantile`] | ε, and ε²/8-zCDP |
//! | several quantiles known in advance | [`ApproxQuantiles`] | one level of a binary recursion each: log₂ m levels for m quantiles |
//! | any quantile, range count or share, asked later | [`QuantileTree`] | one release of a tree of noisy counts |
//! | bounds for all of these | [`ApproxBounds`] | one small histogram |
//!
//! Values are integers: units of a public grid such as milliseconds or cents. Everything is
//! defined for every input: no rows, equal rows, rows at or beyond the bounds, the extremes of
//! `i64`.
//!
//! # Minimum and maximum
//!
//! The extremes of private data are private: no mechanism gives them without revealing a single
//! row. Ask for the quantiles 0.01 and 0.99, or, with n rows, for those that leave out about
//! ten times 1/ε rows.
//!
//! # Example
//!
//! ```
//! use dp_mechanisms::quantile::ApproxQuantiles;
//! use privacy_core::prelude::*;
//!
//! let latencies: Vec<i64> = (0..10_000).map(|i| i * i % 7919).collect(); // milliseconds
//! let bounds = Bounds::new(0, 60_000)?;
//! let quartiles: ApproxQuantiles = ApproxQuantiles::evenly(3, bounds, &Epsilon::new(0.5)?)?;
//! let drawn = quartiles.draw(&latencies, &mut SystemRng::new()?)?;
//! assert!(drawn.len() == 3 && drawn.is_sorted());
//! # Ok::<(), privacy_core::Error>(())
//! ```

mod approx_bounds;
mod approximate;
mod rank;
mod single;
mod tree;

pub use approx_bounds::{ApproxBounds, FoundBounds};
pub use approximate::ApproxQuantiles;
pub use single::Quantile;
pub use tree::{NoisyTree, QuantileTree, TreeCounts, TreeShape};
