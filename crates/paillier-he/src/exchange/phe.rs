//! Files of python-paillier (`phe` 1.5): keys as JWK, encrypted numbers as JSON, and its encoding of
//! numbers as a mantissa times a power of 16.
//!
//! phe's keys have random primes, so that they are keys in standard mode here, and phe makes its
//! blinders as full n-th powers. Its exponents are public and may differ from number to number; those
//! of floats tell their magnitude.
//!
//! # Security
//!
//! A private key passes through text here: what this module makes of it is wiped, but the JSON reader's
//! and the caller's own copies are not, nor are numbers in an imported key. Keep keys in this crate's
//! bytes.

use num_bigint::{BigInt, BigUint};
use num_rational::Ratio;
use num_traits::{One, Signed, Zero};
use privacy_core::random::SecureRng;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::{Zeroize, Zeroizing};

use crate::ciphertext::{Ciphertext, CiphertextVec};
use crate::error::{Error, Result};
use crate::hazmat;
use crate::kernel::Nat;
use crate::key::{KeyPolicy, Mode, PrivateKey, PublicKey, UncheckedPublicKey};
use crate::number::{Encoding, Scale, float_value, round_half_even};

const BASE: u32 = 16;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn malformed(what: &'static str) -> Error {
    Error::Malformed { what }
}

/// The largest mantissa of phe: ⌊n/3⌋ - 1. What lies between it and its negative is an overflow
/// there.
#[must_use]
pub fn max_int(key: &PublicKey) -> BigUint {
    key.modulus() / 3u8 - 1u8
}

/// Base64url without padding (RFC 4648, section 5).
fn to_base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = [0; 4];
        group[1..=chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes(group);
        for i in 0..=chunk.len() {
            out.push(char::from(ALPHABET[(bits >> (18 - 6 * i) & 63) as usize]));
        }
    }
    out
}

/// The bytes, if `text` is exactly what [`to_base64`] writes (padding at the end is accepted, as
/// some writers add it).
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut out = Vec::new();
    for chunk in text.as_bytes().chunks(4) {
        let mut bits = 0;
        for i in 0..4 {
            let symbol = chunk.get(i).copied().unwrap_or(b'A');
            bits = bits << 6 | ALPHABET.iter().position(|a| *a == symbol)? as u32;
        }
        out.extend_from_slice(&bits.to_be_bytes()[1..chunk.len()]);
    }
    (to_base64(&out) == text).then_some(out)
}

fn number_to_base64(number: &BigUint) -> String {
    to_base64(&number.to_bytes_be())
}

fn number_from_base64(text: &str, what: &'static str) -> Result<BigUint> {
    let bytes = from_base64(text).ok_or(malformed(what))?;
    Ok(BigUint::from_bytes_be(&bytes))
}

#[derive(Serialize, Deserialize)]
struct PublicJwk {
    kty: String,
    #[serde(default = "PublicJwk::algorithm")]
    alg: String,
    #[serde(default)]
    key_ops: Vec<String>,
    n: String,
    #[serde(default)]
    kid: String,
}

impl PublicJwk {
    fn algorithm() -> String {
        "PAI-GN1".into()
    }

    fn of(key: &PublicKey, kid: &str) -> Self {
        PublicJwk {
            kty: "DAJ".into(),
            alg: Self::algorithm(),
            key_ops: vec!["encrypt".into()],
            n: number_to_base64(key.modulus()),
            kid: kid.into(),
        }
    }

    fn modulus(&self) -> Result<BigUint> {
        let what = "phe public key";
        if self.kty != "DAJ" || self.alg != "PAI-GN1" {
            return Err(malformed(what));
        }
        number_from_base64(&self.n, what)
    }
}

#[derive(Serialize, Deserialize)]
struct PrivateJwk {
    kty: String,
    #[serde(default)]
    key_ops: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    q: Option<String>,
    /// φ(n), in files that older documentation describes.
    #[serde(default, skip_serializing)]
    lambda: Option<String>,
    #[serde(rename = "pub")]
    public: PublicJwk,
    #[serde(default)]
    kid: String,
}

/// The secrets of a private key, wiped when dropped.
impl Drop for PrivateJwk {
    fn drop(&mut self) {
        for secret in [&mut self.p, &mut self.q, &mut self.lambda].into_iter().flatten() {
            secret.zeroize();
        }
    }
}

/// The public key as phe's JWK.
///
/// # Errors
///
/// [`Error::Mode`] for a key in subgroup mode, which phe's blinders don't fit.
pub fn public_to_jwk(key: &PublicKey, kid: &str) -> Result<String> {
    check_mode(key)?;
    serde_json::to_string(&PublicJwk::of(key, kid)).map_err(|_| malformed("phe public key"))
}

/// A public key from phe's JWK, in standard mode.
///
/// # Errors
///
/// [`Error::Malformed`], and as [`UncheckedPublicKey::validate`].
pub fn public_from_jwk(text: &str, policy: &KeyPolicy) -> Result<PublicKey> {
    let jwk: PublicJwk = serde_json::from_str(text).map_err(|_| malformed("phe public key"))?;
    UncheckedPublicKey::new(jwk.modulus()?, Mode::Standard).validate(policy)
}

/// The private key as phe's JWK: the secret itself, wiped when dropped.
///
/// # Errors
///
/// As [`public_to_jwk`].
pub fn private_to_jwk(key: &PrivateKey, kid: &str) -> Result<Zeroizing<String>> {
    check_mode(key.public_key())?;
    let (p, q) = key.factors();
    let secret = |prime: &Nat| Some(to_base64(&prime.to_be_bytes_vartime()));
    let jwk = PrivateJwk {
        kty: "DAJ".into(),
        key_ops: vec!["decrypt".into()],
        p: secret(p),
        q: secret(q),
        lambda: None,
        public: PublicJwk::of(key.public_key(), kid),
        kid: kid.into(),
    };
    let text = serde_json::to_string(&jwk).map_err(|_| malformed("phe private key"))?;
    Ok(Zeroizing::new(text))
}

/// A private key from phe's JWK, in standard mode; also from the older form with `lambda` = φ(n).
///
/// # Errors
///
/// [`Error::Malformed`], and as [`PrivateKey::from_primes`].
pub fn private_from_jwk(text: &str, rng: &mut dyn SecureRng) -> Result<PrivateKey> {
    let what = "phe private key";
    let jwk: PrivateJwk = serde_json::from_str(text).map_err(|_| malformed(what))?;
    let n = jwk.public.modulus()?;
    let (p, q) = match (&jwk.p, &jwk.q, &jwk.lambda) {
        (Some(p), Some(q), _) => (number_from_base64(p, what)?, number_from_base64(q, what)?),
        (_, _, Some(phi)) => factors(&n, &number_from_base64(phi, what)?).ok_or(malformed(what))?,
        _ => return Err(malformed(what)),
    };
    if jwk.kty != "DAJ" || &p * &q != n {
        return Err(malformed(what));
    }
    PrivateKey::from_primes(&p, &q, Mode::Standard, rng)
}

/// The factors of n, from φ(n): p + q = n - φ + 1.
fn factors(n: &BigUint, phi: &BigUint) -> Option<(BigUint, BigUint)> {
    let sum = if phi < n { n - phi + 1u8 } else { return None };
    let square = &sum * &sum;
    let discriminant = if square >= n * 4u8 { square - n * 4u8 } else { return None };
    let root = discriminant.sqrt();
    if &root * &root != discriminant || root > sum {
        return None;
    }
    Some(((&sum - &root) / 2u8, (&sum + &root) / 2u8))
}

fn check_mode(key: &PublicKey) -> Result<()> {
    if key.mode() == Mode::Subgroup {
        return Err(Error::Mode { mode: "subgroup", operation: "be used by phe" });
    }
    Ok(())
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    public_key: Modulus<'a>,
    values: Vec<(String, i32)>,
}

#[derive(Deserialize)]
struct Modulus<'a> {
    #[serde(borrow)]
    n: &'a RawValue,
}

/// Encrypted numbers as the JSON that phe's documentation uses:
/// `{"public_key": {"n": …}, "values": [["<ciphertext>", exponent], …]}`.
///
/// # Errors
///
/// [`Error::ScaleMismatch`] unless the numbers are integers or fixed point of base 16.
pub fn to_json(ciphertexts: &CiphertextVec) -> Result<String> {
    let scale = ciphertexts.scale();
    if scale.base() != 1 && scale.base() != BASE {
        return Err(Error::ScaleMismatch { left: scale.base(), right: BASE });
    }
    let values = hazmat::export(ciphertexts);
    let values: Vec<String> =
        values.iter().map(|c| format!("[\"{c}\", {}]", -scale.digits())).collect();
    let n = ciphertexts.public_key().modulus();
    Ok(format!("{{\"public_key\": {{\"n\": {n}}}, \"values\": [{}]}}", values.join(", ")))
}

/// Encrypted numbers from phe's JSON, each at its own scale of base 16.
///
/// # Errors
///
/// [`Error::Malformed`] for anything else, [`Error::OtherKey`] for another modulus.
pub fn from_json(key: &PublicKey, text: &str) -> Result<Vec<Ciphertext>> {
    let what = "phe document";
    let document: Document<'_> = serde_json::from_str(text).map_err(|_| malformed(what))?;
    let n = document.public_key.n.get().trim_matches('"');
    if decimal(n, what)? != *key.modulus() {
        return Err(Error::OtherKey);
    }
    let mut out = Vec::with_capacity(document.values.len());
    for (ciphertext, exponent) in &document.values {
        let digits = exponent.checked_neg().ok_or(malformed(what))?;
        let scale = Scale::new(BASE, digits).map_err(|_| malformed(what))?;
        let encoding = Encoding::with_bound(scale, max_int(key));
        let column = hazmat::import(key, &[decimal(ciphertext, what)?], &encoding)?;
        out.push(Ciphertext(column));
    }
    Ok(out)
}

fn decimal(text: &str, what: &'static str) -> Result<BigUint> {
    // Ciphertexts under the longest key have below 5000 digits.
    let plain = text.len() <= 5000 && text.bytes().all(|b| b.is_ascii_digit());
    let number = plain.then(|| BigUint::parse_bytes(text.as_bytes(), 10)).flatten();
    number.ok_or(malformed(what))
}

/// The mantissa and exponent that phe encodes a float with: `x ≈ mantissa · 16^exponent`.
///
/// Without a precision all 53 bits are kept; with one, the exponent is that of the largest power of
/// 16 that does not exceed it. With `max_exponent` the exponent is no larger than that.
///
/// # Errors
///
/// [`Error::NotRepresentable`] for NaN, infinities and a precision that is not positive.
pub fn encode_float(
    x: f64,
    precision: Option<f64>,
    max_exponent: Option<i32>,
) -> Result<(BigInt, i32)> {
    let value = float_value(x).ok_or(Error::NotRepresentable)?;
    let exponent = match precision {
        None => (binary_exponent(&value) - 53).div_euclid(4),
        Some(p) => {
            let p = float_value(p).filter(Signed::is_positive).ok_or(Error::NotRepresentable)?;
            (binary_exponent(&p) - 1).div_euclid(4)
        }
    };
    let exponent = max_exponent.map_or(exponent, |most| most.min(exponent));
    let power = BigInt::from(BASE).pow(exponent.unsigned_abs());
    let unit = if exponent < 0 { Ratio::new(BigInt::one(), power) } else { power.into() };
    Ok((round_half_even(&(value / unit)), exponent))
}

/// E with `|value| = f·2^E`, ½ ≤ f < 1; 0 for 0.
fn binary_exponent(value: &Ratio<BigInt>) -> i32 {
    if value.is_zero() {
        return 0;
    }
    // Denominators of floats are powers of two.
    value.numer().bits() as i32 - (value.denom().bits() as i32 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_encoded_as_phe_does() {
        // Observed with phe 1.5.0.
        let cases: [(f64, i64, i32); 8] = [
            (0.0, 0, -14),
            (1.0, 4503599627370496, -13),
            (0.1, 7205759403792794, -14),
            (-3.25, -14636698788954112, -13),
            (5000.0, 5497558138880000, -10),
            (65536.0, 4503599627370496, -9),
            (1e300, 6724873095247260, 236),
            (std::f64::consts::PI, 14148475504056880, -13),
        ];
        for (x, mantissa, exponent) in cases {
            assert_eq!(encode_float(x, None, None).unwrap(), (mantissa.into(), exponent), "{x}");
        }
        assert_eq!(encode_float(5e-324, None, None).unwrap(), (BigInt::one() << 54, -282));
        let precise: [(f64, f64, i64, i32); 7] = [
            (std::f64::consts::PI, 1e-3, 12868, -3),
            (std::f64::consts::PI, 0.01, 804, -2),
            (2.5, 1.0, 2, 0),
            (3.5, 1.0, 4, 0),
            (0.03, 0.25, 0, -1),
            (1234567.0, 100.0, 77160, 1),
            (24.0, 16.0, 2, 1),
        ];
        for (x, p, mantissa, exponent) in precise {
            let encoded = encode_float(x, Some(p), None).unwrap();
            assert_eq!(encoded, (mantissa.into(), exponent), "{x} to {p}");
        }
        assert_eq!(encode_float(0.5, None, Some(-20)).unwrap(), (BigInt::one() << 79, -20));
        assert!(encode_float(f64::NAN, None, None).is_err());
        assert!(encode_float(1.0, Some(0.0), None).is_err());
    }

    #[test]
    fn base64_has_one_form() {
        for (n, text) in [(1u32, "AQ"), (255, "_w"), (256, "AQA"), (65537, "AQAB"), (5929, "Fyk")] {
            assert_eq!(number_to_base64(&n.into()), text);
            assert_eq!(number_from_base64(text, "").unwrap(), n.into());
        }
        for bad in ["A", "AR", "_x", "A*", "AQ AB"] {
            assert!(from_base64(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn factors_follow_from_the_totient() {
        assert_eq!(factors(&77u8.into(), &60u8.into()), Some((7u8.into(), 11u8.into())));
        assert_eq!(factors(&77u8.into(), &61u8.into()), None);
    }
}
