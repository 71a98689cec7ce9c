//! Privacy-loss distributions: the tightest price of a fixed plan, in a certified bracket.
//!
//! For outputs P and Q on neighbours, the privacy loss is `ln dP/dQ` under P. Losses of a
//! composition add, so that their law is a convolution, and
//! `delta(epsilon) = E (1 - e^(epsilon - L))_+`. A [`LossDistribution`] holds the dominating pairs
//! of the mechanisms; a question composes them on a grid, once so that the answer is certainly too
//! high and once so that it is certainly too low, and refines the grid until the two agree to the
//! tolerance asked for.
//!
//! The plan must be fixed before data are seen (mechanisms may choose outputs adaptively, within
//! their fixed pairs). Composing exact distributions of adaptively chosen mechanisms and stopping
//! at a budget is not valid in general ([2026](https://arxiv.org/abs/2602.15815)): see
//! `filter`.

mod atoms;
mod certify;
mod compose;
mod composed;
mod convert;
mod density;
mod direct;
mod discretize;
mod distribution;
mod mechanisms;
mod pair;
mod question;
mod shuffle;
mod single;
mod split;
mod spread;
mod stride;
mod tilt;
mod transform;

pub use certify::Bracket;
pub use distribution::LossDistribution;
