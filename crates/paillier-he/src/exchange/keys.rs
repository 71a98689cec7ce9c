//! Keys as canonical bytes.
//!
//! Public: `PHK1`, mode (1), modulus, and in subgroup mode the generator. Private: `PHS1`, mode, both
//! primes, and in subgroup mode the two hidden primes and the generator. Threshold: `PHT1`, the public
//! key's mode and modulus, parties (4), threshold (4), base, and the verification value of each party;
//! a party's share: `PHU1`, fingerprint of the public key (8), index (4), secret.

use privacy_core::random::SecureRng;
use sha3::Shake256;
use sha3::digest::{ExtendableOutput, Update, XofReader};
use zeroize::Zeroizing;

use super::codec::{Reader, put_number, put_secret};
use crate::error::{Error, Result};
use crate::key::{KeyPolicy, Mode, PrivateKey, PublicKey, UncheckedPublicKey};
use crate::threshold::{KeyShare, ThresholdKey};

const PUBLIC: &[u8; 4] = b"PHK1";
const PRIVATE: &[u8; 4] = b"PHS1";
const THRESHOLD: &[u8; 4] = b"PHT1";
const SHARE: &[u8; 4] = b"PHU1";

impl PublicKey {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = PUBLIC.to_vec();
        out.push(self.mode().code());
        put_number(&mut out, self.modulus());
        if let Some(generator) = self.generator() {
            put_number(&mut out, &generator.to_big());
        }
        out
    }

    /// The key with the given bytes, if it passes the policy. For a policy that requires proofs, see
    /// [`UncheckedPublicKey::from_bytes`].
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`], and as [`UncheckedPublicKey::validate`].
    pub fn from_bytes(bytes: &[u8], policy: &KeyPolicy) -> Result<Self> {
        UncheckedPublicKey::from_bytes(bytes)?.validate(policy)
    }

    /// Eight bytes that tell keys apart.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 8] {
        let mut xof = Shake256::default();
        xof.update(&self.to_bytes());
        let mut out = [0; 8];
        xof.finalize_xof().read(&mut out);
        out
    }
}

impl UncheckedPublicKey {
    /// The key with the given bytes, to be validated.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for anything that [`PublicKey::to_bytes`] would not have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, PUBLIC, "public key")?;
        let mode = reader.mode()?;
        let n = reader.number()?;
        let generator = if mode == Mode::Subgroup { Some(reader.number()?) } else { None };
        reader.end()?;
        Ok(UncheckedPublicKey::from_parts(n, mode, generator))
    }
}

impl PrivateKey {
    /// The canonical bytes: the secret itself, wiped when dropped.
    #[must_use]
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Room for all of it, so that no copy is left behind by growing.
        let mut out = Zeroizing::new(Vec::with_capacity(8192));
        out.extend_from_slice(PRIVATE);
        out.push(self.public_key().mode().code());
        let (p, q) = self.factors();
        put_secret(&mut out, p);
        put_secret(&mut out, q);
        if let (Some([a, b]), Some(h)) = (self.hidden_primes(), self.public_key().generator()) {
            for number in [a, b, h] {
                put_secret(&mut out, number);
            }
        }
        out
    }

    /// The key with the given bytes, if it passes the policy.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`], and as [`PrivateKey::from_primes`].
    pub fn from_secret_bytes(
        bytes: &[u8],
        policy: &KeyPolicy,
        rng: &mut dyn SecureRng,
    ) -> Result<Self> {
        let mut reader = Reader::new(bytes, PRIVATE, "private key")?;
        let mode = reader.mode()?;
        let primes = [reader.secret_number()?, reader.secret_number()?];
        let hidden = if mode == Mode::Subgroup {
            Some([reader.secret_number()?, reader.secret_number()?, reader.secret_number()?])
        } else {
            None
        };
        reader.end()?;
        PrivateKey::restore(primes, mode, hidden, policy, rng)
    }
}

impl ThresholdKey {
    /// The canonical bytes, which everyone may know.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = THRESHOLD.to_vec();
        out.push(self.public.mode().code());
        put_number(&mut out, self.public.modulus());
        out.extend(self.parties.to_be_bytes());
        out.extend(self.threshold.to_be_bytes());
        put_number(&mut out, &self.base);
        self.verification.iter().for_each(|v| put_number(&mut out, v));
        out
    }

    /// The key with the given bytes, if its public key passes the policy.
    ///
    /// # Security
    ///
    /// That the verification values belong to shares of this key is the dealer's word.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`], and as [`UncheckedPublicKey::validate`].
    pub fn from_bytes(bytes: &[u8], policy: &KeyPolicy) -> Result<Self> {
        let mut reader = Reader::new(bytes, THRESHOLD, "threshold key")?;
        let mode = reader.mode()?;
        let n = reader.number()?;
        let (parties, threshold) = (reader.u32()?, reader.u32()?);
        let base = reader.number()?;
        if parties > crate::threshold::MOST_PARTIES || !(1..=parties).contains(&threshold) {
            return Err(reader.malformed());
        }
        let verification: Vec<_> = (0..parties).map(|_| reader.number()).collect::<Result<_>>()?;
        reader.end()?;
        if mode == Mode::Subgroup {
            return Err(reader.malformed());
        }
        let public = UncheckedPublicKey::new(n, mode).validate(policy)?;
        let key = ThresholdKey { public, parties, threshold, base, verification };
        if key.is_sound() { Ok(key) } else { Err(reader.malformed()) }
    }
}

impl KeyShare {
    /// The canonical bytes: the party's secret itself, wiped when dropped.
    #[must_use]
    pub fn to_secret_bytes(&self, key: &ThresholdKey) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(8192));
        out.extend_from_slice(SHARE);
        out.extend_from_slice(&key.public_key().fingerprint());
        out.extend(self.index.to_be_bytes());
        put_secret(&mut out, &self.secret);
        out
    }

    /// The share of `key` with the given bytes, if it fits the key's verification value.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] for anything that [`KeyShare::to_secret_bytes`] would not have written for
    /// this key, and for a share that is not the one that was dealt.
    pub fn from_secret_bytes(key: &ThresholdKey, bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, SHARE, "key share")?;
        reader.expect(&key.public_key().fingerprint())?;
        let (index, secret) = (reader.u32()?, reader.secret_number()?);
        reader.end()?;
        KeyShare::checked(key, index, secret).ok_or(Error::Malformed { what: "key share" })
    }
}
