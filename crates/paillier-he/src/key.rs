//! Keys: generation, validation, and what both kinds of keys can do.
//!
//! | mode | blinder | rests on | encryption, public key alone |
//! |---|---|---|---|
//! | [`Standard`](Mode::Standard) | rⁿ for a random r | decisional composite residuosity | slowest |
//! | [`Djn`](Mode::Djn) (default) | h_sᵃ for a random a of half the key's length | as well, that short exponents cannot be told from long ones | several times faster |
//! | [`Subgroup`](Mode::Subgroup) | h_sᵃ in a hidden subgroup, a of 448 bits and more | as well, that the subgroup cannot be told from the whole | faster still, and fast decryption |
//!
//! Decisional composite residuosity: nobody without the factors can tell n-th powers modulo n² from
//! other units (Paillier, EUROCRYPT 1999). Short exponents: Damgård, Jurik, Nielsen (Int. J. Inf.
//! Sec. 9, 2010). Hidden subgroup: Ma, Han, Huang (ACSAC 2021), the third scheme of Paillier's paper
//! with a fixed generator.

mod crt;
mod generate;
mod owner;
mod private;
mod public;
mod validate;

pub(crate) use crt::inverse_modulo_prime;
pub use generate::KeyOptions;
pub(crate) use generate::{LEAST_BITS, MOST_BITS};
pub use private::PrivateKey;
pub use public::{Mode, PublicKey};
pub use validate::{KeyPolicy, UncheckedPublicKey};

pub(crate) use public::{jacobi_vartime, random_unit};

use privacy_core::random::SecureRng;

use crate::ciphertext::{Ciphertext, CiphertextVec, encrypt_batch};
use crate::error::Result;
use crate::kernel::Batch;
use crate::number::{Encoding, Value};

/// What can encrypt: a [`PublicKey`], or a [`PrivateKey`], which does the same faster and with the
/// same distribution.
///
/// Code that encrypts takes `&impl Encryptor`, and the holder of the private key passes that. The
/// trait is sealed; it is in the prelude.
pub trait Encryptor: Send + Sync + sealed::Blind {
    /// The public key that is encrypted under.
    fn public_key(&self) -> &PublicKey;

    /// Encrypts one value.
    ///
    /// # Errors
    ///
    /// As [`Encryptor::encrypt_batch`].
    fn encrypt(
        &self,
        value: impl Value,
        encoding: &Encoding,
        rng: &mut dyn SecureRng,
    ) -> Result<Ciphertext>
    where
        Self: Sized,
    {
        encrypt_batch(self, &[value], encoding, rng).map(Ciphertext)
    }

    /// Encrypts a column.
    ///
    /// # Errors
    ///
    /// As [`Encoding::encode`]; [`Error::WouldOverflow`](crate::Error::WouldOverflow) if the key
    /// cannot hold the encoding's bound; [`Error::Entropy`](crate::Error::Entropy).
    ///
    /// # Timing
    ///
    /// The powers take a time that depends on the number of values alone. Turning values into
    /// integers takes a time that depends on their lengths.
    fn encrypt_batch(
        &self,
        values: &[impl Value],
        encoding: &Encoding,
        rng: &mut dyn SecureRng,
    ) -> Result<CiphertextVec>
    where
        Self: Sized,
    {
        encrypt_batch(self, values, encoding, rng)
    }
}

pub(crate) mod sealed {
    use super::*;

    pub trait Blind {
        /// Random encryptions of zero.
        #[doc(hidden)]
        fn blinders(&self, count: usize, rng: &mut dyn SecureRng) -> Result<Blinders>;
    }

    /// Random encryptions of zero in the resident form.
    #[derive(Clone)]
    #[doc(hidden)]
    pub struct Blinders(pub(crate) Batch);

    impl std::fmt::Debug for Blinders {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Blinders(..)")
        }
    }
}
