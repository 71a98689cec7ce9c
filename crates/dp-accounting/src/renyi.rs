//! Rényi differential privacy: a bound on the Rényi divergence at every order.
//!
//! A curve gives, for each order `a > 1`, a bound on the Rényi divergence of order `a` between the
//! outputs on neighbours ([Mironov 2017](https://arxiv.org/abs/1702.07476)). Curves add under
//! adaptive composition; every order converts to a valid (epsilon, delta), and the best is taken.
//! Every stored value is an upper bound, rounded up.

mod convert;
mod curve;
mod sampled;

pub use curve::{RenyiCurve, default_orders};
