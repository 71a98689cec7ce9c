//! XofTurboShake128 of VDAF: seeds and field vectors from a seed, a tag and a binder.

use turboshake::CTurboShake128;
use turboshake::digest::{ExtendableOutput, Update, XofReader};

use crate::field::Ring;

pub(super) const SEED: usize = 32;

/// A stream of the extendable-output function.
pub(super) struct Xof(turboshake::TurboShakeReader<168>);

impl Xof {
    /// `binder` in parts, to be read as one.
    pub(super) fn new(seed: &[u8], tag: &[u8], binder: &[&[u8]]) -> Self {
        let mut hash = CTurboShake128::<1>::default();
        hash.update(&(tag.len() as u16).to_le_bytes());
        hash.update(tag);
        hash.update(&[seed.len() as u8]);
        hash.update(seed);
        for part in binder {
            hash.update(part);
        }
        Xof(hash.finalize_xof())
    }

    pub(super) fn seed(mut self) -> [u8; SEED] {
        let mut seed = [0; SEED];
        self.0.read(&mut seed);
        seed
    }

    /// Uniform elements by rejection: a candidate is as many bytes as an element has.
    pub(super) fn elements<F: Ring>(mut self, length: usize) -> Vec<F> {
        let mut out = Vec::with_capacity(length);
        // Whole candidates at a time; what is left over is never read.
        let mut bytes = [0u8; 1344];
        while out.len() < length {
            let wanted = ((length - out.len()) * F::BYTES).min(bytes.len());
            let bytes = &mut bytes[..wanted];
            self.0.read(bytes);
            out.extend(bytes.chunks_exact(F::BYTES).filter_map(F::decode));
        }
        out
    }
}
