//! Checkpoints: the size and root of the log, signed.
//!
//! The text is a [C2SP checkpoint](https://c2sp.org/tlog-checkpoint) in a
//! [signed note](https://c2sp.org/signed-note) with an Ed25519 signature.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::tree::Hash;
use crate::error::{Error, Result};

/// The signature type of Ed25519 in signed notes.
const ED25519: u8 = 1;

/// Notes beyond this are refused before they are read.
const MAX_NOTE: usize = 1 << 16;

fn failed(reason: &'static str) -> Error {
    Error::Unproven { what: "checkpoint", reason }
}

fn key_error(reason: &'static str) -> Error {
    Error::Unproven { what: "key", reason }
}

/// A size and a root of a log: everything that was in it follows from these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

impl Checkpoint {
    fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }

    /// Reads the body of a note; extension lines after the root are allowed and ignored.
    fn parse(body: &str) -> Result<Self> {
        let mut lines =
            body.strip_suffix('\n').ok_or(failed("it does not end in a line"))?.split('\n');
        let origin =
            lines.next().filter(|line| !line.is_empty()).ok_or(failed("it has no origin"))?;
        let size = lines.next().ok_or(failed("it has no size"))?;
        let canonical = size == "0" || !size.starts_with('0');
        let digits = size.bytes().all(|b| b.is_ascii_digit());
        let size = size
            .parse()
            .ok()
            .filter(|_| canonical && digits)
            .ok_or(failed("its size is no number"))?;
        let root = Hash::from_base64(lines.next().ok_or(failed("it has no root"))?)?;
        if lines.any(str::is_empty) {
            return Err(failed("it has an empty line"));
        }
        Ok(Checkpoint { origin: origin.to_owned(), size, root })
    }
}

/// A checkpoint with its signatures, as text: what to keep, publish and compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    text: String,
    checkpoint: Checkpoint,
}

impl SignedCheckpoint {
    /// Reads a signed note. Says nothing about its signatures: see
    /// [`verify`](SignedCheckpoint::verify).
    ///
    /// # Errors
    ///
    /// [`Error::Unproven`] if the text is no signed checkpoint.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > MAX_NOTE {
            return Err(failed("it is longer than 64 KiB"));
        }
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(failed("it has a control character"));
        }
        let (body, signatures) = split(text).ok_or(failed("it has no signatures"))?;
        if !signatures.ends_with('\n')
            || !signatures.lines().all(|line| line.starts_with("\u{2014} "))
        {
            return Err(failed("a line of its signatures is not one"));
        }
        Ok(SignedCheckpoint { checkpoint: Checkpoint::parse(body)?, text: text.to_owned() })
    }

    /// What the checkpoint says, if `key` signed it.
    ///
    /// # Errors
    ///
    /// [`Error::Unproven`] if no signature is by `key`, or it does not verify.
    pub fn verify(&self, key: &VerifierKey) -> Result<&Checkpoint> {
        let (body, signatures) = split(&self.text).ok_or(failed("it has no signatures"))?;
        let mut found = false;
        for line in signatures.lines() {
            let Some((name, encoded)) =
                line.strip_prefix("\u{2014} ").and_then(|line| line.split_once(' '))
            else {
                return Err(failed("a line of its signatures is not one"));
            };
            let bytes =
                STANDARD.decode(encoded).map_err(|_| failed("a signature is not base64"))?;
            let Some((id, signature)) = bytes.split_first_chunk::<4>() else {
                return Err(failed("a signature is too short"));
            };
            if name != key.name || *id != key.id {
                continue;
            }
            let signature = Signature::from_slice(signature)
                .map_err(|_| failed("its signature has the wrong length"))?;
            key.key
                .verify_strict(body.as_bytes(), &signature)
                .map_err(|_| failed("its signature is not by this key"))?;
            found = true;
        }
        if found { Ok(&self.checkpoint) } else { Err(failed("it is not signed by this key")) }
    }

    /// What the checkpoint says, whoever signed it.
    #[must_use]
    pub fn unverified(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The text of the note.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The body with its last line end, and the signature lines.
fn split(text: &str) -> Option<(&str, &str)> {
    let at = text.rfind("\n\n")?;
    Some((text.get(..=at)?, text.get(at + 2..)?))
}

fn check_name(name: &str) -> Result<()> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.contains(bad) {
        return Err(key_error("its name must not be empty or contain spaces or `+`"));
    }
    Ok(())
}

fn key_id(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let hash: [u8; 32] = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', ED25519])
        .chain_update(key.as_bytes())
        .finalize()
        .into();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// The key that signs a ledger's checkpoints, with the name of the log.
///
/// # Security
///
/// Whoever holds it can sign a second history; keep it out of the store's reach, and keep old
/// checkpoints where its holder cannot take them back. It is wiped when dropped and does not print.
pub struct Signer {
    name: String,
    key: SigningKey,
}

impl Signer {
    /// A new key from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`Error::Unproven`] if the name is empty or contains spaces or `+`; [`Error::Core`] without
    /// randomness.
    pub fn generate(name: &str) -> Result<Self> {
        let mut seed = Zeroizing::new([0u8; 32]);
        getrandom::fill(&mut *seed).map_err(|_| privacy_core::random::EntropyError::new())?;
        Self::from_seed(name, &seed)
    }

    /// The key with the given Ed25519 seed.
    ///
    /// # Errors
    ///
    /// [`Error::Unproven`] if the name is empty or contains spaces or `+`.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self> {
        check_name(name)?;
        Ok(Signer { name: name.to_owned(), key: SigningKey::from_bytes(seed) })
    }

    /// Reads a key as [`Signer::secret_text`] writes it.
    ///
    /// # Errors
    ///
    /// [`Error::Unproven`] if the text is no signing key.
    pub fn from_secret_text(text: &str) -> Result<Self> {
        let wrong = || key_error("the text is not a signing key");
        let rest = text.trim_end().strip_prefix("PRIVATE+KEY+").ok_or_else(wrong)?;
        let mut parts = rest.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong());
        };
        let bytes = Zeroizing::new(STANDARD.decode(key).map_err(|_| wrong())?);
        let Some((&ED25519, seed)) = bytes.split_first() else { return Err(wrong()) };
        let seed = Zeroizing::new(<[u8; 32]>::try_from(seed).map_err(|_| wrong())?);
        let signer = Self::from_seed(name, &seed)?;
        if hex(&signer.verifier().id) != id {
            return Err(wrong());
        }
        Ok(signer)
    }

    /// The key as text, in the notation of Go's `note` package, to be kept secret.
    #[must_use]
    pub fn secret_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(vec![ED25519]);
        bytes.extend_from_slice(self.key.as_bytes());
        let encoded = Zeroizing::new(STANDARD.encode(&*bytes));
        let id = hex(&self.verifier().id);
        Zeroizing::new(format!("PRIVATE+KEY+{}+{id}+{}", self.name, *encoded))
    }

    /// The key that checks signatures: hand it to auditors.
    #[must_use]
    pub fn verifier(&self) -> VerifierKey {
        let key = self.key.verifying_key();
        VerifierKey { id: key_id(&self.name, &key), name: self.name.clone(), key }
    }

    /// The checkpoint of a log with `size` entries and `root`, signed.
    #[must_use]
    pub(crate) fn sign(&self, size: u64, root: Hash) -> SignedCheckpoint {
        let checkpoint = Checkpoint { origin: self.name.clone(), size, root };
        let body = checkpoint.body();
        let mut bytes = self.verifier().id.to_vec();
        bytes.extend_from_slice(&self.key.sign(body.as_bytes()).to_bytes());
        let text = format!("{body}\n\u{2014} {} {}\n", self.name, STANDARD.encode(bytes));
        SignedCheckpoint { text, checkpoint }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The key that checks a ledger's checkpoints, with the name of the log.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

impl VerifierKey {
    /// The name of the log.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for VerifierKey {
    /// The key as a signed note's `vkey`: name, key id and key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![ED25519];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, hex(&self.id), STANDARD.encode(bytes))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl FromStr for VerifierKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || key_error("the text is not a verifier key");
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong());
        };
        check_name(name)?;
        let bytes = STANDARD.decode(key).map_err(|_| wrong())?;
        let Some((&ED25519, key)) = bytes.split_first() else { return Err(wrong()) };
        let key = <[u8; 32]>::try_from(key).map_err(|_| wrong())?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| wrong())?;
        let verifier = VerifierKey { id: key_id(name, &key), name: name.to_owned(), key };
        if hex(&verifier.id) == id { Ok(verifier) } else { Err(wrong()) }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::from_seed("ledger.example/acme", &[7; 32]).unwrap()
    }

    #[test]
    fn a_checkpoint_verifies_under_its_key_and_no_other() {
        let signed = signer().sign(12, Hash::empty());
        let read = SignedCheckpoint::parse(signed.as_str()).unwrap();
        assert_eq!(read, signed);
        assert_eq!(read.verify(&signer().verifier()).unwrap().size, 12);
        let other = Signer::from_seed("ledger.example/acme", &[8; 32]).unwrap();
        assert!(read.verify(&other.verifier()).is_err());
        let renamed = Signer::from_seed("ledger.example/other", &[7; 32]).unwrap();
        assert!(read.verify(&renamed.verifier()).is_err());
    }

    #[test]
    fn no_byte_of_a_checkpoint_can_be_changed() {
        let signed = signer().sign(1234, Hash::empty());
        for at in 0..signed.as_str().len() {
            for bit in 0..8 {
                let mut bytes = signed.as_str().as_bytes().to_vec();
                bytes[at] ^= 1 << bit;
                let Ok(text) = String::from_utf8(bytes) else { continue };
                let accepted = SignedCheckpoint::parse(&text)
                    .is_ok_and(|read| read.verify(&signer().verifier()).is_ok());
                assert!(!accepted, "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn keys_are_read_as_they_are_written() {
        let verifier = signer().verifier();
        assert_eq!(verifier.to_string().parse::<VerifierKey>().unwrap(), verifier);
        let secret = signer().secret_text();
        assert_eq!(Signer::from_secret_text(&secret).unwrap().verifier(), verifier);
        assert!(!format!("{:?}", signer()).contains(&**secret));
        for wrong in ["", "a+b", "a b+00000000+AQ==", "name+00000000+AQAA"] {
            assert!(wrong.parse::<VerifierKey>().is_err());
        }
        assert!(Signer::from_secret_text("PRIVATE+KEY+a+00000000+AQ==").is_err());
    }

    #[test]
    fn the_example_of_the_signed_note_specification_is_read() {
        // The verifier key and the note of Go's documentation of golang.org/x/mod/sumdb/note.
        let key: VerifierKey =
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
        assert_eq!(key.name(), "PeterNeumann");
        let note = "If you think cryptography is the answer to your problem,\n\
            then you don't know what your problem is.\n\n\
            \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let (body, line) = split(note).unwrap();
        let bytes = STANDARD.decode(line.trim_end().rsplit_once(' ').unwrap().1).unwrap();
        assert_eq!(bytes[..4], key.id);
        let signature = Signature::from_slice(&bytes[4..]).unwrap();
        assert!(key.key.verify_strict(body.as_bytes(), &signature).is_ok());
    }
}
