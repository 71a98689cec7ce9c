//! Pseudonyms, deterministic tokens, randomized encryption.

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use aes_siv::siv::Aes256Siv;
use privacy_core::random::SecureRng;
use zeroize::Zeroizing;

use super::keys::{prf, subkey};
use crate::error::{Error, Result};
use crate::scan::secret::base64url as decode;

const VERSION: u8 = 1;

/// Base64url without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::with_capacity(bytes.len() * 4 / 3 + 3);
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..=chunk.len() {
            let v = (word >> (18 - 6 * i) & 63) as usize;
            out.push(char::from(ALPHABET[v]));
        }
    }
    out
}

/// Keyed pseudonyms of an entity.
pub(crate) struct Pseudonym {
    key: Zeroizing<[u8; 64]>,
    bytes: usize,
}

impl Pseudonym {
    pub(crate) fn new(key: &[u8], entity: &str, bits: u16) -> Self {
        Pseudonym { key: subkey(key, "hash", entity), bytes: usize::from(bits / 8) }
    }

    pub(crate) fn of(&self, entity: &str, context: &str, canonical: &str) -> String {
        let full = prf(
            &*self.key,
            &[b"deid/v1/pseud", entity.as_bytes(), context.as_bytes(), canonical.as_bytes()],
        );
        full.iter().take(self.bytes).map(|b| format!("{b:02x}")).collect()
    }
}

/// Authenticated tokens: version, key id, ciphertext in base64url; the entity and the context are
/// bound in.
pub(crate) struct Token {
    key: Zeroizing<[u8; 64]>,
    id: [u8; 4],
    randomized: bool,
}

impl Token {
    pub(crate) fn new(key: &[u8], entity: &str, randomized: bool) -> Self {
        let key = subkey(key, if randomized { "encrypt" } else { "token" }, entity);
        let full = prf(&*key, &[b"deid/v1/key-id"]);
        let mut id = [0; 4];
        id.copy_from_slice(&full[..4]);
        Token { key, id, randomized }
    }

    fn header(&self) -> [u8; 5] {
        let [a, b, c, d] = self.id;
        [VERSION | if self.randomized { 0x80 } else { 0 }, a, b, c, d]
    }

    pub(crate) fn seal(
        &self,
        entity: &str,
        context: &str,
        text: &str,
        rng: &mut dyn SecureRng,
    ) -> Result<String> {
        let header = self.header();
        let mut out = header.to_vec();
        let failed = || Error::Operator {
            operator: "token",
            entity: entity.to_owned(),
            reason: "encryption failed",
        };
        if self.randomized {
            let mut nonce = [0u8; 12];
            rng.fill(&mut nonce)?;
            let aad = aad(&header, entity, context);
            let cipher = Aes256GcmSiv::new_from_slice(&self.key[..32]).map_err(|_| failed())?;
            let payload = Payload { msg: text.as_bytes(), aad: &aad };
            let sealed = cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_| failed())?;
            out.extend(nonce);
            out.extend(sealed);
        } else {
            let mut cipher = Aes256Siv::new_from_slice(&self.key[..]).map_err(|_| failed())?;
            let sealed = cipher
                .encrypt([&header[..], entity.as_bytes(), context.as_bytes()], text.as_bytes());
            out.extend(sealed.map_err(|_| failed())?);
        }
        Ok(format!("<{entity}:{}>", encode(&out)))
    }

    /// The text behind a token.
    ///
    /// # Errors
    ///
    /// [`Error::Restore`], whatever is wrong with it.
    pub(crate) fn open(&self, entity: &str, context: &str, token: &str) -> Result<String> {
        let body = token
            .strip_prefix('<')
            .and_then(|t| t.strip_suffix('>'))
            .and_then(|t| t.strip_prefix(entity))
            .and_then(|t| t.strip_prefix(':'))
            .ok_or(Error::Restore)?;
        let bytes = decode(body.as_bytes()).ok_or(Error::Restore)?;
        if encode(&bytes) != body {
            return Err(Error::Restore);
        }
        let header = self.header();
        let rest = bytes.strip_prefix(&header).ok_or(Error::Restore)?;
        let plain = if self.randomized {
            let (nonce, sealed) = rest.split_first_chunk::<12>().ok_or(Error::Restore)?;
            let aad = aad(&header, entity, context);
            let cipher =
                Aes256GcmSiv::new_from_slice(&self.key[..32]).map_err(|_| Error::Restore)?;
            cipher
                .decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: &aad })
                .map_err(|_| Error::Restore)?
        } else {
            let mut cipher =
                Aes256Siv::new_from_slice(&self.key[..]).map_err(|_| Error::Restore)?;
            cipher
                .decrypt([&header[..], entity.as_bytes(), context.as_bytes()], rest)
                .map_err(|_| Error::Restore)?
        };
        String::from_utf8(plain).map_err(|_| Error::Restore)
    }
}

fn aad(header: &[u8], entity: &str, context: &str) -> Vec<u8> {
    let mut out = header.to_vec();
    for part in [entity, context] {
        out.extend((part.len() as u64).to_be_bytes());
        out.extend(part.as_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use aes_siv::siv::Aes128Siv;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digit = |c: u8| char::from(c).to_digit(16).unwrap_or(0) as u8;
        text.as_bytes().chunks(2).map(|p| digit(p[0]) << 4 | digit(p[1])).collect()
    }

    #[test]
    fn aes_siv_of_rfc_5297() {
        let key = hex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
        let data = hex("101112131415161718191a1b1c1d1e1f2021222324252627");
        let plain = hex("112233445566778899aabbccddee");
        let mut cipher = Aes128Siv::new_from_slice(&key).unwrap();
        let sealed = cipher.encrypt([&data[..]], &plain[..]).unwrap();
        let expected = "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c";
        assert_eq!(sealed, hex(expected));
    }

    #[test]
    fn aes_gcm_siv_of_rfc_8452() {
        let mut key = [0; 32];
        key[0] = 1;
        let mut nonce = [0; 12];
        nonce[0] = 3;
        let cipher = Aes256GcmSiv::new_from_slice(&key).unwrap();
        let sealed = cipher.encrypt(&Nonce::from(nonce), &b""[..]).unwrap();
        assert_eq!(sealed, hex("07f5f4169bbf55a8400cd47ea6fd400f"));
    }

    #[test]
    fn base64url_goes_both_ways() {
        for n in 0..70u8 {
            let bytes: Vec<u8> = (0..n).map(|i| i.wrapping_mul(37)).collect();
            assert_eq!(decode(encode(&bytes).as_bytes()).unwrap(), bytes);
        }
        assert_eq!(encode(b"any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw");
    }
}
