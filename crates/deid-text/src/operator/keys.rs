//! Keys by name.

use std::collections::BTreeMap;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// The keys of a policy's operators, by name. Wiped when dropped, never printed.
#[derive(Clone, Default)]
pub struct Keys(BTreeMap<String, Zeroizing<Vec<u8>>>);

impl Keys {
    /// No keys.
    #[must_use]
    pub fn new() -> Self {
        Keys::default()
    }

    /// Adds a key of at least 32 random bytes. Each operator and entity works with a key of its own
    /// that is derived from it.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if it is shorter, or all its bytes are the same.
    pub fn with(mut self, name: &str, key: &[u8]) -> Result<Self> {
        if key.len() < 32 || key.iter().all(|b| Some(b) == key.first()) {
            return Err(Error::Parameter {
                parameter: "a key",
                requirement: "at least 32 random bytes",
            });
        }
        self.0.insert(name.to_owned(), Zeroizing::new(key.to_vec()));
        Ok(self)
    }

    pub(crate) fn find(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(|k| k.as_slice())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// HMAC-SHA-256 over parts, each with its length before it.
pub(crate) fn prf(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Zeroizing::new([0; 32]) };
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// A key for one purpose and entity: HKDF-Expand (RFC 5869) in spirit, with the purpose as info.
pub(crate) fn subkey(key: &[u8], purpose: &str, entity: &str) -> Zeroizing<[u8; 64]> {
    let mut out = Zeroizing::new([0; 64]);
    for (i, half) in out.chunks_mut(32).enumerate() {
        half.copy_from_slice(&*prf(
            key,
            &[b"deid/v1/subkey", purpose.as_bytes(), entity.as_bytes(), &[i as u8]],
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_of_rfc_4231() {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap();
        mac.update(b"what do ya want for nothing?");
        let tag: [u8; 32] = mac.finalize().into_bytes().into();
        let shown: String = tag.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(shown, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    /// What holds keys is wiped when it is dropped: this compiles for types that say so only.
    #[test]
    fn keys_are_wiped() {
        fn wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        let keys = Keys::new().with("k", &std::array::from_fn::<u8, 32, _>(|i| i as u8)).unwrap();
        keys.0.values().for_each(wiped);
        wiped(&prf(b"key", &[]));
        wiped(&subkey(b"key", "hash", "A"));
    }

    #[test]
    fn keys_do_not_print_and_parts_do_not_run_together() {
        let keys = Keys::new().with("k", &std::array::from_fn::<u8, 32, _>(|i| i as u8)).unwrap();
        assert_eq!(format!("{keys:?}"), "{\"k\"}");
        assert_ne!(*prf(b"key", &[b"ab", b"c"]), *prf(b"key", &[b"a", b"bc"]));
        assert_ne!(*subkey(b"key", "hash", "A"), *subkey(b"key", "token", "A"));
    }
}
