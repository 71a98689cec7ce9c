//! What a challenge depends on.

use num_bigint::BigUint;
use sha3::digest::{ExtendableOutput, Update, XofReader};
use sha3::{Shake256, Shake256Reader};

/// Labelled items, each with its length.
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

    /// A challenge of `bits` bits (a multiple of 8).
    pub(crate) fn challenge(self, bits: usize) -> BigUint {
        let mut bytes = vec![0; bits / 8];
        self.0.finalize_xof().read(&mut bytes);
        BigUint::from_bytes_be(&bytes)
    }

    /// Numbers below `n`, near uniform.
    pub(crate) fn numbers(self, n: &BigUint, count: usize) -> Vec<BigUint> {
        let mut reader: Shake256Reader = self.0.finalize_xof();
        let mut wide = vec![0; n.bits().div_ceil(8) as usize + 16];
        (0..count)
            .map(|_| {
                reader.read(&mut wide);
                BigUint::from_bytes_be(&wide) % n
            })
            .collect()
    }
}
