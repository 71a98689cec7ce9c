//! Many numbers of a ring, as many side by side as the ring has lanes.

use super::nat::Nat;
use super::ring::{Ring, Scratch};
use super::words::Words;

/// Numbers of one ring in Montgomery form: the resident form of a column of ciphertexts.
#[derive(Clone)]
pub(crate) struct Batch {
    words: Words,
    /// Words of one element.
    stride: usize,
    lanes: usize,
    len: usize,
}

impl Batch {
    /// `len` numbers, all zero (which no ciphertext is) until they are written.
    pub(crate) fn zeroed(ring: &Ring, len: usize) -> Self {
        let (stride, lanes) = (ring.element_words(), ring.lanes());
        Batch { words: Words::zeroed(stride * len.div_ceil(lanes)), stride, lanes, len }
    }

    /// `len` ones.
    pub(crate) fn ones(ring: &Ring, len: usize) -> Self {
        let mut batch = Batch::zeroed(ring, len);
        batch.blocks_mut().for_each(|block| block.copy_from_slice(ring.one()));
        batch
    }

    /// The numbers with the given words.
    pub(crate) fn load(ring: &Ring, numbers: &[&[u64]]) -> Self {
        let mut batch = Batch::zeroed(ring, numbers.len());
        let lanes = batch.lanes;
        for_each_block(ring, &mut batch, |i, block, scratch| {
            let numbers = &numbers[i * lanes..numbers.len().min((i + 1) * lanes)];
            block.copy_from_slice(&ring.load(numbers, scratch));
        });
        batch
    }

    /// The numbers as words.
    pub(crate) fn store(&self, ring: &Ring) -> Vec<Nat> {
        let mut scratch = ring.scratch();
        let mut out = Vec::with_capacity(self.len.next_multiple_of(self.lanes));
        for block in self.blocks() {
            out.extend(ring.store(block, &mut scratch));
        }
        out.truncate(self.len);
        out
    }

    /// How many numbers there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The elements; lanes beyond the last number hold anything.
    pub(crate) fn blocks(&self) -> std::slice::ChunksExact<'_, u64> {
        self.words.chunks_exact(self.stride)
    }

    /// The elements, to be written.
    pub(crate) fn blocks_mut(&mut self) -> std::slice::ChunksExactMut<'_, u64> {
        let stride = self.stride;
        self.words.chunks_exact_mut(stride)
    }

    /// The element that holds number `i`, and its lane.
    pub(crate) fn locate(&self, i: usize) -> (&[u64], usize) {
        let block = i / self.lanes;
        (&self.words[block * self.stride..(block + 1) * self.stride], i % self.lanes)
    }

    /// Copies number `from` of `source` to number `to` of this batch.
    pub(crate) fn copy_from(&mut self, ring: &Ring, to: usize, source: &Batch, from: usize) {
        let (block, lane) = source.locate(from);
        let start = to / self.lanes * self.stride;
        let to_lane = to % self.lanes;
        ring.copy_lane(&mut self.words[start..start + self.stride], to_lane, block, lane);
    }

    /// The numbers at `indices`, in that order.
    pub(crate) fn gather(
        &self,
        ring: &Ring,
        indices: impl ExactSizeIterator<Item = usize>,
    ) -> Batch {
        let mut out = Batch::zeroed(ring, indices.len());
        for (to, from) in indices.enumerate() {
            out.copy_from(ring, to, self, from);
        }
        out
    }

    /// The numbers of both, one batch after the other.
    pub(crate) fn concat<'a>(ring: &Ring, parts: impl Iterator<Item = &'a Batch> + Clone) -> Batch {
        let mut out = Batch::zeroed(ring, parts.clone().map(Batch::len).sum());
        let mut to = 0;
        for part in parts {
            for from in 0..part.len {
                out.copy_from(ring, to, part, from);
                to += 1;
            }
        }
        out
    }

    /// Multiplies number by number.
    pub(crate) fn mul_assign(&mut self, ring: &Ring, other: &Batch) {
        debug_assert_eq!(self.len, other.len);
        let stride = self.stride;
        for_each_block(ring, self, |i, block, scratch| {
            ring.mul_assign(block, &other.words[i * stride..(i + 1) * stride], scratch);
        });
    }
}

impl Batch {
    /// Squares every number.
    pub(crate) fn square_assign(&mut self, ring: &Ring) {
        for_each_block(ring, self, |_, block, scratch| ring.square_assign(block, scratch));
    }

    /// Raises every number to one exponent, which must be public.
    pub(crate) fn pow_vartime(&mut self, ring: &Ring, exponent: &[u64]) {
        for_each_block(ring, self, |_, block, scratch| {
            let power = ring.pow_vartime(block, exponent, scratch);
            block.copy_from_slice(&power);
        });
    }
}

/// Runs `f` on every element of a batch with its position, on all cores if the crate may.
pub(crate) fn for_each_block(
    ring: &Ring,
    batch: &mut Batch,
    f: impl Fn(usize, &mut [u64], &mut Scratch) + Sync,
) {
    let stride = batch.stride;
    #[cfg(feature = "rayon")]
    {
        use rayon::prelude::*;
        let blocks = batch.words.par_chunks_exact_mut(stride).enumerate();
        blocks.for_each_init(|| ring.scratch(), |scratch, (i, block)| f(i, block, scratch));
    }
    #[cfg(not(feature = "rayon"))]
    {
        let mut scratch = ring.scratch();
        for (i, block) in batch.words.chunks_exact_mut(stride).enumerate() {
            f(i, block, &mut scratch);
        }
    }
}

/// What `f` makes of `0..count`, in order, on all cores if the crate may.
pub(crate) fn map_chunks<T: Send>(
    ring: &Ring,
    count: usize,
    f: impl Fn(usize, &mut Scratch) -> T + Sync,
) -> Vec<T> {
    #[cfg(feature = "rayon")]
    {
        use rayon::prelude::*;
        (0..count).into_par_iter().map_init(|| ring.scratch(), |scratch, i| f(i, scratch)).collect()
    }
    #[cfg(not(feature = "rayon"))]
    {
        let mut scratch = ring.scratch();
        (0..count).map(|i| f(i, &mut scratch)).collect()
    }
}
