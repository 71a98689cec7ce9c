//! Keys of groups: known beforehand, or found in the data.
//!
//! That a group occurs at all can disclose a person: the one visit to a ward, the one login from a
//! country. Groups either come from knowledge of the domain ([`KnownGroups`]) or are selected
//! privately from the data by a mechanism over the number of units of each key ([`KeyCounts`]):
//!
//! | mechanism | releases | noise | choose it |
//! |---|---|---|---|
//! | [`TruncatedGeometric`] | keys | none but the choice itself | where only the keys matter; no mechanism keeps a key more often |
//! | [`LaplaceThreshold`] | keys and counts | discrete Laplace | where a unit has few keys |
//! | [`GaussianThreshold`] | keys and counts | discrete Gaussian | where a unit has many keys |
//! | [`WeightedGaussian`] | keys | discrete Gaussian | where units have lists of very different lengths |
//! | [`IterativeSelection`] | keys | discrete Gaussian | as before, with long tails: several rounds |
//! | [`SparseHistogram`] | keys and counts | discrete Laplace | pure ε over a known, huge domain |
//!
//! # Privacy
//!
//! Each mechanism states its theorem. What they share:
//!
//! - The δ of a threshold is computed from the predicate that releases, `noisy >= threshold`, as an
//!   exact tail of the discrete law, rounded up by a relative error below 2^-60 (Laplace) or 2e-8
//!   (Gaussian).
//! - A count is released as the noisy value that was tested; testing one draw and releasing another
//!   would be two releases.
//! - Keys come out in their own order, never in the order of the table or of a hash map.
//! - A key that nobody has is never released (except by [`SparseHistogram`], whose domain is
//!   public).
//! - With [a threshold on the true number of units](LaplaceThreshold::with_least_units), keys of
//!   fewer units are never released: k-anonymity and differential privacy at once. The shift that
//!   this needs, n to max(0, n − (k − 1)), brings no neighbours further apart.
//!
//! Released counts lie above the threshold, so a count that survived narrowly is too large on
//! average: intervals around it hold for a count that is released whatever it is, not given that
//! it survived.

pub(crate) mod counts;
mod gaussian;
pub(crate) mod gaussian_cost;
mod gaussian_sum;
mod geometric;
mod iterative;
mod known;
mod laplace;
mod lists;
mod rare;
mod real;
mod sparse;
mod threshold;
mod weighted;

pub use counts::{KeyChanges, KeyCounts, Keyed, UnitsPerKey};
pub use gaussian::GaussianThreshold;
pub use geometric::TruncatedGeometric;
pub use iterative::IterativeSelection;
#[doc(hidden)]
pub use known::{Itself, Reference, Text};
pub use known::{KnownGroups, Names};
pub use laplace::LaplaceThreshold;
pub use lists::{KeyLists, Lists};
pub use sparse::{KeyDomain, SparseHistogram};
pub use weighted::WeightedGaussian;
