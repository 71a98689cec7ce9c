//! XofTurboShake128 of VDAF: seeds and field vectors from a seed, a tag and a binder.

use crate::field::Ring;
use crate::kernel::keccak;
use crate::wipe::wipe;

pub(super) const SEED: usize = 32;
/// Bytes that are absorbed or squeezed for each permutation.
const RATE: usize = 168;
/// The domain byte of VDAF, with the first bit of the padding.
const DOMAIN: u8 = 1;

/// TurboSHAKE128 (RFC 9861): a sponge over Keccak-p[1600, 12].
struct Sponge {
    state: [u64; 25],
    /// What is absorbed next, a whole rate at a time.
    block: [u8; RATE],
    /// Bytes in the block; after [`finish`](Self::finish), the next byte of the rate.
    at: usize,
}

impl Drop for Sponge {
    fn drop(&mut self) {
        wipe(&mut self.state);
        wipe(&mut self.block);
    }
}

fn add(state: &mut [u64; 25], block: &[u8; RATE]) {
    for (lane, word) in state.iter_mut().zip(block.as_chunks().0) {
        *lane ^= u64::from_le_bytes(*word);
    }
}

impl Sponge {
    fn new() -> Self {
        Sponge { state: [0; 25], block: [0; RATE], at: 0 }
    }

    fn absorb(&mut self, bytes: &[u8]) {
        let (first, rest) = bytes.split_at(bytes.len().min(RATE - self.at));
        self.block[self.at..self.at + first.len()].copy_from_slice(first);
        self.at += first.len();
        if self.at < RATE {
            return;
        }
        add(&mut self.state, &self.block);
        keccak(&mut self.state);
        let (blocks, rest) = rest.as_chunks();
        for block in blocks {
            add(&mut self.state, block);
            keccak(&mut self.state);
        }
        self.block[..rest.len()].copy_from_slice(rest);
        self.at = rest.len();
    }

    /// Ends absorbing.
    fn finish(&mut self) {
        self.block[self.at..].fill(0);
        self.block[self.at] = DOMAIN;
        self.block[RATE - 1] |= 0x80;
        add(&mut self.state, &self.block);
        self.at = RATE;
    }

    /// The next bytes; whole words but for the last call.
    fn squeeze(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            if self.at == RATE {
                keccak(&mut self.state);
                self.at = 0;
            }
            chunk.copy_from_slice(&self.state[self.at / 8].to_le_bytes()[..chunk.len()]);
            self.at += 8;
        }
    }
}

/// A stream of the extendable-output function.
pub(super) struct Xof(Sponge);

impl Xof {
    /// `tag` and `binder` in parts, each to be read as one.
    pub(super) fn new(seed: &[u8], tag: [&[u8]; 2], binder: &[&[u8]]) -> Self {
        let mut sponge = Sponge::new();
        let length: usize = tag.iter().map(|part| part.len()).sum();
        sponge.absorb(&(length as u16).to_le_bytes());
        sponge.absorb(tag[0]);
        sponge.absorb(tag[1]);
        sponge.absorb(&[seed.len() as u8]);
        sponge.absorb(seed);
        for part in binder {
            sponge.absorb(part);
        }
        sponge.finish();
        Xof(sponge)
    }

    pub(super) fn seed(mut self) -> [u8; SEED] {
        let mut seed = [0; SEED];
        self.0.squeeze(&mut seed);
        seed
    }

    /// Uniform elements by rejection: a candidate is as many bytes as an element has.
    pub(super) fn elements<F: Ring>(mut self, length: usize) -> Vec<F> {
        let mut out = Vec::with_capacity(length);
        // Whole candidates at a time; what is left over is never read.
        let mut bytes = [0u8; 2 * RATE];
        while out.len() < length {
            let wanted = ((length - out.len()) * F::BYTES).min(bytes.len());
            let bytes = &mut bytes[..wanted];
            self.0.squeeze(bytes);
            out.extend(bytes.chunks_exact(F::BYTES).filter_map(F::decode));
        }
        wipe(&mut bytes);
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use turboshake::CTurboShake128;
    use turboshake::digest::{ExtendableOutput, Update, XofReader};

    use super::*;

    proptest! {
        /// Beside another implementation.
        #[test]
        fn the_sponge_is_turboshake128(
            parts in proptest::collection::vec(
                proptest::collection::vec(any::<u8>(), 0..400),
                0..5,
            ),
            length in 0usize..500,
        ) {
            let mut hash = CTurboShake128::<1>::default();
            let mut sponge = Sponge::new();
            for part in &parts {
                hash.update(part);
                sponge.absorb(part);
            }
            sponge.finish();
            let (mut theirs, mut ours) = (vec![0; length], vec![0; length]);
            hash.finalize_xof().read(&mut theirs);
            sponge.squeeze(&mut ours);
            prop_assert_eq!(theirs, ours);
        }
    }
}
