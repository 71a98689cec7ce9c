//! Blinders made ahead of time.

use std::fmt;

use privacy_core::random::SecureRng;

use crate::error::{Error, Result};
use crate::kernel::Batch;
use crate::key::{Encryptor, PublicKey};

/// Random encryptions of zero, each to be used once.
///
/// Fill it while there is time; encrypting and blinding from it takes some microseconds a number.
///
/// # Security
///
/// A blinder that is used twice reveals the difference of two plaintexts. Blinders are moved out
/// of the pool, which can be neither cloned nor serialized.
///
/// # Example
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use paillier_he::prelude::*;
/// # let mut rng = privacy_core::random::SystemRng::new()?;
/// # let key = PrivateKey::generate(KeyOptions::insecure_for_tests(512), &mut rng)?;
/// # let public = key.public_key();
/// let mut pool = BlindingPool::new(public);
/// pool.refill(public, 64, &mut rng)?;
/// let column = public.encrypt_batch_from(&[1, 2, 3], &Encoding::integers_up_to(9u8), &mut pool)?;
/// assert_eq!(pool.len(), 61);
/// # Ok(()) }
/// ```
pub struct BlindingPool {
    key: PublicKey,
    filled: Vec<(Batch, usize)>,
}

impl BlindingPool {
    /// An empty pool.
    #[must_use]
    pub fn new(key: &PublicKey) -> Self {
        BlindingPool { key: key.clone(), filled: Vec::new() }
    }

    /// Blinders that are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.filled.iter().map(|(batch, used)| batch.len() - used).sum()
    }

    /// Whether none are left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key whose ciphertexts they blind.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Makes `count` more blinders.
    ///
    /// # Errors
    ///
    /// [`Error::OtherKey`], [`Error::Entropy`].
    pub fn refill(
        &mut self,
        encryptor: &impl Encryptor,
        count: usize,
        rng: &mut dyn SecureRng,
    ) -> Result<()> {
        self.key.check_same(encryptor.public_key())?;
        let mut blinders = encryptor.blinders(count, rng)?.0;
        self.key.hide_symbols(&mut blinders, rng)?;
        self.filled.push((blinders, 0));
        Ok(())
    }

    /// Moves `count` blinders out.
    pub(crate) fn take(&mut self, count: usize) -> Result<Batch> {
        let left = self.len();
        if left < count {
            return Err(Error::PoolEmpty { left, needed: count });
        }
        let ring = self.key.ring();
        let mut out = Batch::ones(ring, count);
        let mut to = 0;
        while to < count {
            let Some((batch, used)) = self.filled.last_mut() else { break };
            while to < count && *used < batch.len() {
                out.copy_from(ring, to, batch, *used);
                *used += 1;
                to += 1;
            }
            if *used == batch.len() {
                self.filled.pop();
            }
        }
        Ok(out)
    }
}

impl fmt::Debug for BlindingPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlindingPool").field("len", &self.len()).finish_non_exhaustive()
    }
}
