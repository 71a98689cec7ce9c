//! Hashing: a seeded hasher for tables, and a fixed one for choices that must not vary.

use std::hash::BuildHasher;

/// The hasher of lookup tables, seeded for each process.
pub(crate) type TableHasher = foldhash::fast::RandomState;

/// A hasher that gives the same hash for the same key in every process: what is kept of a unit must
/// not differ between two tables that differ in another unit.
pub(crate) fn stable_hasher() -> impl BuildHasher {
    foldhash::quality::FixedState::with_seed(0x5eed_0fca_1100_0001)
}
