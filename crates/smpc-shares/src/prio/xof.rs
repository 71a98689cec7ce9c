//! XofTurboShake128 of VDAF: seeds and field vectors from a seed, a tag and a binder.

use turboshake::CTurboShake128;
use turboshake::digest::{ExtendableOutput, Update, XofReader};

use crate::field::Ring;
use crate::wipe::wipe;

pub(super) const SEED: usize = 32;

/// A stream of the extendable-output function.
pub(super) struct Xof(turboshake::TurboShakeReader<168>);

impl Xof {
    /// `tag` and `binder` in parts, each to be read as one.
    pub(super) fn new(seed: &[u8], tag: [&[u8]; 2], binder: &[&[u8]]) -> Self {
        let length: usize = tag.iter().map(|part| part.len()).sum();
        let mut begin = Vec::with_capacity(256);
        begin.extend_from_slice(&(length as u16).to_le_bytes());
        begin.extend(tag.iter().copied().flatten());
        begin.push(seed.len() as u8);
        begin.extend_from_slice(seed);
        let mut hash = CTurboShake128::<1>::default();
        for part in binder {
            // Short parts are absorbed together.
            if part.len() <= SEED {
                begin.extend_from_slice(part);
            } else {
                hash.update(&begin);
                wipe(&mut begin);
                begin.clear();
                hash.update(part);
            }
        }
        hash.update(&begin);
        wipe(&mut begin);
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
        let mut bytes = [0u8; 672];
        while out.len() < length {
            let wanted = ((length - out.len()) * F::BYTES).min(bytes.len());
            let bytes = &mut bytes[..wanted];
            self.0.read(bytes);
            out.extend(bytes.chunks_exact(F::BYTES).filter_map(F::decode));
        }
        out
    }
}
