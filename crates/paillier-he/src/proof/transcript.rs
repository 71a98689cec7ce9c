//! What a challenge depends on.

use num_bigint::BigUint;
use sha3::Shake256;
use sha3::digest::{ExtendableOutput, Update, XofReader};

use crate::key::PublicKey;

/// The bits of a challenge, and by as much masks exceed what they hide.
pub(crate) const CHALLENGE_BITS: usize = 128;

/// Labelled items, each with its length.
#[derive(Clone)]
pub(crate) struct Transcript(Shake256);

impl Transcript {
    pub(crate) fn new(protocol: &str, context: &[u8]) -> Self {
        let mut transcript = Transcript(Shake256::default());
        transcript.bytes("protocol", protocol.as_bytes());
        transcript.bytes("context", context);
        transcript
    }

    pub(crate) fn bytes(&mut self, label: &str, bytes: &[u8]) {
        for part in [label.as_bytes(), bytes] {
            self.0.update(&(part.len() as u64).to_be_bytes());
            self.0.update(part);
        }
    }

    pub(crate) fn number(&mut self, label: &str, number: &BigUint) {
        self.bytes(label, &number.to_bytes_be());
    }

    /// Everything that tells a key from others: its mode, modulus and generator.
    pub(crate) fn key(&mut self, key: &PublicKey) {
        self.bytes("key", &key.to_bytes());
    }

    /// Words of challenge, uniform and independent.
    pub(crate) fn words(self, count: usize) -> Vec<u64> {
        let mut reader = self.0.finalize_xof();
        let mut word = [0; 8];
        (0..count)
            .map(|_| {
                reader.read(&mut word);
                u64::from_be_bytes(word)
            })
            .collect()
    }

    /// A challenge of [`CHALLENGE_BITS`] bits.
    pub(crate) fn challenge(self) -> u128 {
        let words = self.words(2);
        u128::from(words[0]) << 64 | u128::from(words[1])
    }

    /// Numbers below `n`, near uniform.
    pub(crate) fn numbers(self, n: &BigUint, count: usize) -> Vec<BigUint> {
        let mut reader = self.0.finalize_xof();
        let mut wide = vec![0; n.bits().div_ceil(8) as usize + 16];
        (0..count)
            .map(|_| {
                reader.read(&mut wide);
                BigUint::from_bytes_be(&wide) % n
            })
            .collect()
    }
}
