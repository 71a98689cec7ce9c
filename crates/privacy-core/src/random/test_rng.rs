//! The deterministic source, for tests alone.

use std::fmt;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::{EntropyError, SecureRng};

/// A predictable source for tests (feature `test-rng`): the same seed gives the same bytes.
///
/// # Security
///
/// None. Noise drawn from it hides nothing from anyone who can guess the seed.
pub struct InsecureTestRng(ChaCha20Rng);

impl InsecureTestRng {
    /// The source that `seed` stands for.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        InsecureTestRng(ChaCha20Rng::seed_from_u64(seed))
    }
}

impl SecureRng for InsecureTestRng {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
        self.0.fill_bytes(out);
        Ok(())
    }
}

impl fmt::Debug for InsecureTestRng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InsecureTestRng").finish_non_exhaustive()
    }
}
