//! serde: public keys by way of validation, everything else by way of bytes.

use std::borrow::Cow;

use num_bigint::BigUint;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ciphertext::{Ciphertext, CiphertextVec};
use crate::error::Result;
use crate::key::{KeyPolicy, Mode, PublicKey, UncheckedPublicKey};
use crate::packing::Packed;
use crate::proof::{DecryptionProof, FactorProof, ModulusProof, PedersenParameters};
use crate::threshold::DecryptionShare;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyForm {
    mode: String,
    /// Lower-case hexadecimal.
    n: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generator: Option<String>,
}

/// The number with exactly this lower-case hexadecimal form.
fn from_hex<E: serde::de::Error>(text: &str) -> Result<BigUint, E> {
    let number = BigUint::parse_bytes(text.as_bytes(), 16);
    number.filter(|n| format!("{n:x}") == text).ok_or(E::custom("no canonical hexadecimal number"))
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        KeyForm {
            mode: self.mode().name().into(),
            n: format!("{:x}", self.modulus()),
            generator: self.generator().map(|h| format!("{:x}", h.to_big())),
        }
        .serialize(serializer)
    }
}

/// A key that has not been validated, for a [`KeyPolicy`] of one's own.
impl<'de> Deserialize<'de> for UncheckedPublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = KeyForm::deserialize(deserializer)?;
        let unknown = || serde::de::Error::custom("no mode of this crate");
        let mode = Mode::from_name(&form.mode).ok_or_else(unknown)?;
        let generator = form.generator.as_deref().map(from_hex).transpose()?;
        Ok(UncheckedPublicKey::from_parts(from_hex(&form.n)?, mode, generator))
    }
}

/// A key that passes the default [`KeyPolicy`].
impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let unchecked = UncheckedPublicKey::deserialize(deserializer)?;
        unchecked.validate(&KeyPolicy::default()).map_err(serde::de::Error::custom)
    }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of lower-case hexadecimal text.
fn hex_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = <Cow<'de, str>>::deserialize(deserializer)?;
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let bytes = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    let bytes: Option<Vec<u8>> = bytes.collect();
    bytes.ok_or(serde::de::Error::custom("no lower-case hexadecimal"))
}

/// Ciphertexts as they were received: bytes that become a column with the key at hand.
///
/// Ciphertexts serialize to the hexadecimal form of [`CiphertextVec::to_bytes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedCiphertexts(Vec<u8>);

impl EncodedCiphertexts {
    /// The column under `key`.
    ///
    /// # Errors
    ///
    /// As [`CiphertextVec::from_bytes`].
    pub fn decode(&self, key: &PublicKey) -> Result<CiphertextVec> {
        CiphertextVec::from_bytes(key, &self.0)
    }
}

impl<'de> Deserialize<'de> for EncodedCiphertexts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        hex_bytes(deserializer).map(EncodedCiphertexts)
    }
}

impl Serialize for CiphertextVec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_hex(&self.to_bytes()))
    }
}

impl Serialize for Ciphertext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Packed numbers as they were received: bytes that become a packed column with the key at hand.
///
/// Packed columns serialize to the hexadecimal form of [`Packed::to_bytes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedPacked(Vec<u8>);

impl EncodedPacked {
    /// The packed column under `key`.
    ///
    /// # Errors
    ///
    /// As [`Packed::from_bytes`].
    pub fn decode(&self, key: &PublicKey) -> Result<Packed> {
        Packed::from_bytes(key, &self.0)
    }
}

impl<'de> Deserialize<'de> for EncodedPacked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        hex_bytes(deserializer).map(EncodedPacked)
    }
}

impl Serialize for Packed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_hex(&self.to_bytes()))
    }
}

/// serde by way of a type's canonical bytes.
macro_rules! as_bytes {
    ($($t:ty),*) => {$(
        impl Serialize for $t {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&to_hex(&self.to_bytes()))
            }
        }

        impl<'de> Deserialize<'de> for $t {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <$t>::from_bytes(&hex_bytes(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    )*};
}
as_bytes!(ModulusProof, FactorProof, PedersenParameters, DecryptionProof, DecryptionShare);
