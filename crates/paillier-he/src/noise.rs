//! Noise for differential privacy, added by the contributors before they encrypt.
//!
//! Each contributor encrypts its value plus a share of the noise, and the opened sum holds the
//! noise that all shares add up to: nobody, the key holder included, sees the sum without it. The
//! shares come from elsewhere, such as `NoiseShares` of `dp-mechanisms`, which also prices them.
//!
//! # Privacy
//!
//! What is opened is as private as the shares of the honest contributors make it. Encryption adds
//! nothing to that, and the sum must be opened once: each opening of other sums is a release.

use privacy_core::mechanism::Mechanism;
use privacy_core::random::SecureRng;
use privacy_core::space::Scalar;

use crate::ciphertext::{CiphertextVec, encrypt_batch};
use crate::key::Encryptor;
use crate::number::Encoding;

/// The bits of magnitude that a noisy value may have.
const NOISY_BITS: u64 = 127;

/// Encrypts integers, each with a share of noise that `share` draws.
///
/// The bound of the column is that of an `i128`. A noisy value beyond it is cut there, which no
/// noise of practical scale ever reaches; whether that happens cannot be seen from outside.
///
/// # Errors
///
/// What `share` fails with; as [`encrypt_batch`].
///
/// # Example
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use dp_mechanisms::noise::shares::NoiseShares;
/// use num_rational::Ratio;
/// use paillier_he::noise::encrypt_with_noise;
/// use paillier_he::prelude::*;
/// # let mut rng = SystemRng::new()?;
/// # let key = PrivateKey::generate(KeyOptions::insecure_for_tests(512), &mut rng)?;
/// // Each of five contributors adds a fifth of discrete Laplace noise of scale 10.
/// let shares = NoiseShares::laplace(Ratio::from_integer(10u8.into()), 5)?;
/// let share = |rng: &mut dyn SecureRng| Ok(shares.sample(rng)?);
/// let sent = encrypt_with_noise(key.public_key(), &[12, 7], share, &mut rng)?;
/// # Ok(()) }
/// ```
pub fn encrypt_with_noise(
    encryptor: &impl Encryptor,
    values: &[i128],
    share: impl Fn(&mut dyn SecureRng) -> privacy_core::Result<i128>,
    rng: &mut dyn SecureRng,
) -> privacy_core::Result<CiphertextVec> {
    let mut noisy = Vec::with_capacity(values.len());
    for value in values {
        noisy.push(value.saturating_add(share(rng)?));
    }
    encrypt_noisy(encryptor, &noisy, rng)
}

/// Encrypts what a mechanism makes of each integer, such as the noisy count of a single party.
///
/// # Errors
///
/// As [`Mechanism::draw`] and [`encrypt_batch`].
pub fn encrypt_released<M>(
    encryptor: &impl Encryptor,
    values: &[i128],
    mechanism: &M,
    rng: &mut dyn SecureRng,
) -> privacy_core::Result<CiphertextVec>
where
    M: Mechanism<Input = Scalar<i128>, Output = i128>,
{
    let mut noisy = Vec::with_capacity(values.len());
    for value in values {
        noisy.push(mechanism.draw(value, rng)?);
    }
    encrypt_noisy(encryptor, &noisy, rng)
}

fn encrypt_noisy(
    encryptor: &impl Encryptor,
    noisy: &[i128],
    rng: &mut dyn SecureRng,
) -> privacy_core::Result<CiphertextVec> {
    let encoding = Encoding::integers_up_to(num_bigint::BigUint::from(1u8) << NOISY_BITS);
    Ok(encrypt_batch(encryptor, noisy, &encoding, rng)?)
}
