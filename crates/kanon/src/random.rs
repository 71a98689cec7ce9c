//! Secret randomness: where ties, orders and samples come from.

use privacy_core::random::{EntropyError, RandomBuffer, SecureRng};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A reproducible stream of ChaCha20 for one release.
///
/// # Security
///
/// Who knows the seed knows every tie that it broke and the order of the rows. Keep it like the
/// original table, and use it once.
pub struct Seeded(ChaCha20Rng);

impl Seeded {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Seeded(ChaCha20Rng::from_seed(seed))
    }
}

impl std::fmt::Debug for Seeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seeded(..)")
    }
}

impl SecureRng for Seeded {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
        self.0.fill_bytes(out);
        Ok(())
    }
}

/// A uniform permutation.
pub(crate) fn shuffle<T>(
    items: &mut [T],
    random: &mut RandomBuffer<'_>,
) -> Result<(), EntropyError> {
    for i in (1..items.len()).rev() {
        let j = random.below(i as u64 + 1)? as usize;
        items.swap(i, j);
    }
    Ok(())
}
