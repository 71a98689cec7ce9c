//! FF1 format-preserving encryption (NIST SP 800-38G), with AES-256 or AES-128 or AES-192.

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};

use crate::error::{Error, Result};

/// FF1 over numerals of one radix.
///
/// # Security
///
/// A permutation of the strings of a length, pseudo-random under the key and tweak; no integrity.
/// Domains of fewer than a million strings are refused, as they can be tried out. The time depends
/// on the length only up to the arithmetic of 128-bit remainders.
///
/// # Example
///
/// ```
/// use deid_text::ff1::Ff1;
///
/// // NIST's first sample.
/// let key = [0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c];
/// let ff1 = Ff1::new(&key, 10)?;
/// let digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
/// assert_eq!(ff1.encrypt(b"", &digits)?, [2, 4, 3, 3, 4, 7, 7, 4, 8, 4]);
/// # Ok::<(), deid_text::Error>(())
/// ```
pub struct Ff1 {
    cipher: Cipher,
    radix: u32,
}

enum Cipher {
    Short(Box<Aes128>),
    Middle(Box<Aes192>),
    Long(Box<Aes256>),
}

impl std::fmt::Debug for Ff1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ff1").field("radix", &self.radix).finish_non_exhaustive()
    }
}

/// The least number of strings of a domain.
const LEAST_DOMAIN: u128 = 1_000_000;

impl Ff1 {
    /// FF1 with a key of 16, 24 or 32 bytes over numerals `0..radix`, radix 2 to 65536.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for another key length or radix.
    pub fn new(key: &[u8], radix: u32) -> Result<Self> {
        let wrong =
            |_| Error::Parameter { parameter: "an FF1 key", requirement: "16, 24 or 32 bytes" };
        if !(2..=65536).contains(&radix) {
            return Err(Error::Parameter { parameter: "the radix", requirement: "2 to 65536" });
        }
        let cipher = match key.len() {
            16 => Cipher::Short(Box::new(Aes128::new_from_slice(key).map_err(wrong)?)),
            24 => Cipher::Middle(Box::new(Aes192::new_from_slice(key).map_err(wrong)?)),
            _ => Cipher::Long(Box::new(Aes256::new_from_slice(key).map_err(wrong)?)),
        };
        Ok(Ff1 { cipher, radix })
    }

    /// Encrypts numerals.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for numerals out of the radix, a domain under 10⁶, or more numerals than
    /// 128-bit arithmetic holds (74 decimal digits).
    pub fn encrypt(&self, tweak: &[u8], numerals: &[u16]) -> Result<Vec<u16>> {
        self.run(tweak, numerals, true)
    }

    /// Decrypts numerals.
    ///
    /// # Errors
    ///
    /// As [`Ff1::encrypt`].
    pub fn decrypt(&self, tweak: &[u8], numerals: &[u16]) -> Result<Vec<u16>> {
        self.run(tweak, numerals, false)
    }

    fn block(&self, data: &mut [u8; 16]) {
        let block = data.into();
        match &self.cipher {
            Cipher::Short(c) => c.encrypt_block(block),
            Cipher::Middle(c) => c.encrypt_block(block),
            Cipher::Long(c) => c.encrypt_block(block),
        }
    }

    fn run(&self, tweak: &[u8], x: &[u16], forward: bool) -> Result<Vec<u16>> {
        let n = x.len();
        let radix = u128::from(self.radix);
        if x.iter().any(|d| u32::from(*d) >= self.radix) {
            return Err(Error::Parameter { parameter: "numerals", requirement: "below the radix" });
        }
        let mut domain = 1u128;
        for _ in 0..n {
            domain = domain.saturating_mul(radix);
        }
        if domain < LEAST_DOMAIN || n < 2 {
            return Err(Error::Parameter {
                parameter: "an FF1 domain",
                requirement: "at least 10^6 values",
            });
        }
        let (u, v) = (n / 2, n - n / 2);
        let power = |m: usize| {
            let p = u32::try_from(m).ok().and_then(|m| radix.checked_pow(m));
            // Horner's rule below multiplies a remainder by 256.
            p.filter(|p| *p < 1 << 120)
                .ok_or(Error::Parameter { parameter: "numerals", requirement: "fewer" })
        };
        let (pow_u, pow_v) = (power(u)?, power(v)?);
        // b = ⌈⌈v·log2(radix)⌉ / 8⌉: the bits of radix^v − 1.
        let b = (128 - (pow_v - 1).leading_zeros() as usize).div_ceil(8);
        let d = 4 * b.div_ceil(4) + 4;
        let mut p = [0u8; 16];
        p[..3].copy_from_slice(&[1, 2, 1]);
        p[3..6].copy_from_slice(&self.radix.to_be_bytes()[1..]);
        p[6] = 10;
        p[7] = u as u8;
        p[8..12].copy_from_slice(&(n as u32).to_be_bytes());
        p[12..].copy_from_slice(&(tweak.len() as u32).to_be_bytes());
        self.block(&mut p);
        let number = |s: &[u16]| s.iter().fold(0u128, |a, d| a * radix + u128::from(*d));
        let (mut a, mut c) = (number(&x[..u]), number(&x[u..]));
        let rounds: Vec<u8> = if forward { (0..10).collect() } else { (0..10).rev().collect() };
        for i in rounds {
            let modulus = if i % 2 == 0 { pow_u } else { pow_v };
            let side = if forward { c } else { a };
            let mut q = tweak.to_vec();
            let pad = (16 - (tweak.len() + b + 1) % 16) % 16;
            q.extend(std::iter::repeat_n(0, pad));
            q.push(i);
            q.extend(&side.to_be_bytes()[16 - b..]);
            let mut r = p;
            for chunk in q.chunks(16) {
                r.iter_mut().zip(chunk).for_each(|(r, q)| *r ^= q);
                self.block(&mut r);
            }
            let mut s = r.to_vec();
            let mut j = 1u128;
            while s.len() < d {
                let mut more = (u128::from_be_bytes(r) ^ j).to_be_bytes();
                self.block(&mut more);
                s.extend(more);
                j += 1;
            }
            let y = s[..d].iter().fold(0u128, |y, byte| (y * 256 + u128::from(*byte)) % modulus);
            if forward {
                (a, c) = (c, (a + y) % modulus);
            } else {
                (a, c) = ((c + modulus - y) % modulus, a);
            }
        }
        let mut out = vec![0u16; n];
        for (half, mut value) in [(0..u, a), (u..n, c)] {
            for slot in out[half].iter_mut().rev() {
                *slot = (value % radix) as u16;
                value /= radix;
            }
        }
        Ok(out)
    }
}

/// Encrypts or decrypts the digits and letters of a text in place; everything else stays.
///
/// Digits are numerals of radix 10 if the text has no letters, else digits and letters of one case
/// pattern share radix 36, so that the case of letters is kept.
pub(crate) fn text(
    ff1: &FormatKeys,
    tweak: &[u8],
    value: &str,
    card: bool,
    forward: bool,
) -> Result<String> {
    let digits: Vec<u16> =
        value.bytes().filter(u8::is_ascii_digit).map(|c| u16::from(c - b'0')).collect();
    let letters: Vec<u16> = value
        .bytes()
        .filter(u8::is_ascii_alphabetic)
        .map(|c| u16::from(c.to_ascii_lowercase() - b'a'))
        .collect();
    if !value.is_ascii() {
        return Err(Error::Parameter {
            parameter: "a value for FF1",
            requirement: "of ASCII letters and digits",
        });
    }
    let run = |key: &Ff1, tweak: &[u8], x: &[u16]| {
        if forward { key.encrypt(tweak, x) } else { key.decrypt(tweak, x) }
    };
    let (digits, letters) = if card {
        let keep = digits.len().saturating_sub(4);
        let tail = digits[keep..].to_vec();
        let is_card = |d: &[u16]| {
            let ascii: Vec<u8> = d.iter().chain(&tail).map(|x| b'0' + *x as u8).collect();
            crate::checksum::luhn(&ascii)
        };
        if !is_card(&digits[..keep]) || !letters.is_empty() {
            return Err(Error::Parameter {
                parameter: "a card number",
                requirement: "one whose Luhn check holds",
            });
        }
        // Cycle walking: the permutation is applied until the check holds again.
        let mut head = run(&ff1.digits, tweak, &digits[..keep])?;
        while !is_card(&head) {
            head = run(&ff1.digits, tweak, &head)?;
        }
        head.extend(tail);
        (head, letters)
    } else if letters.is_empty() {
        (run(&ff1.digits, tweak, &digits)?, letters)
    } else {
        // Mixed texts: each kind is encrypted by itself if its domain allows, else they are refused.
        let d = if digits.is_empty() { Vec::new() } else { run(&ff1.digits, tweak, &digits)? };
        (d, run(&ff1.letters, tweak, &letters)?)
    };
    let (mut d, mut l) = (digits.into_iter(), letters.into_iter());
    let out = value.chars().map(|c| {
        if c.is_ascii_digit() {
            d.next().map_or(c, |x| char::from(b'0' + x as u8))
        } else if c.is_ascii_alphabetic() {
            let base = if c.is_ascii_uppercase() { b'A' } else { b'a' };
            l.next().map_or(c, |x| char::from(base + x as u8))
        } else {
            c
        }
    });
    Ok(out.collect())
}

/// FF1 for digits and for letters.
#[derive(Debug)]
pub(crate) struct FormatKeys {
    digits: Ff1,
    letters: Ff1,
}

impl FormatKeys {
    pub(crate) fn new(key: &[u8; 64]) -> Result<Self> {
        Ok(FormatKeys { digits: Ff1::new(&key[..32], 10)?, letters: Ff1::new(&key[32..], 26)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(s: &str) -> Vec<u8> {
        (0..s.len() / 2).map(|i| u8::from_str_radix(&s[2 * i..2 * i + 2], 16).unwrap()).collect()
    }

    fn numerals(s: &str) -> Vec<u16> {
        s.chars().map(|c| c.to_digit(36).unwrap() as u16).collect()
    }

    #[test]
    fn nist_samples() {
        let keys = [
            "2B7E151628AED2A6ABF7158809CF4F3C",
            "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F",
            "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94",
        ];
        let cases = [
            ("0123456789", 10, "", ["2433477484", "2830668132", "6657667009"]),
            ("0123456789", 10, "39383736353433323130", ["6124200773", "2496655549", "1001623463"]),
            (
                "0123456789abcdefghi",
                36,
                "3737373770717273373737",
                ["a9tv40mll9kdu509eum", "xbj3kv35jrawxv32ysr", "xs8a0azh2avyalyzuwd"],
            ),
        ];
        for (plain, radix, tweak, results) in cases {
            for (key, cipher) in keys.iter().zip(results) {
                let ff1 = Ff1::new(&hex(key), radix).unwrap();
                assert_eq!(ff1.encrypt(&hex(tweak), &numerals(plain)).unwrap(), numerals(cipher));
                assert_eq!(ff1.decrypt(&hex(tweak), &numerals(cipher)).unwrap(), numerals(plain));
            }
        }
        let ff1 = Ff1::new(&hex(keys[0]), 10).unwrap();
        assert_eq!(ff1.encrypt(b"", &numerals("000000")).unwrap(), numerals("916939"));
        assert_eq!(ff1.encrypt(b"", &numerals("999999")).unwrap(), numerals("484882"));
    }

    #[test]
    fn small_domains_are_refused() {
        let ff1 = Ff1::new(&[7; 16], 10).unwrap();
        assert!(ff1.encrypt(b"", &[1, 2, 3, 4, 5]).is_err());
        assert!(ff1.encrypt(b"", &[1, 2, 3, 4, 5, 10]).is_err());
    }
}
