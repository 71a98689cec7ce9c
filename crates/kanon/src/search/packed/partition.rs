//! Sources that are partitioned by the hash of their keys.
//!
//! Equal keys are in the same partition, so that threads make the classes of different partitions
//! without asking each other, in tables that stay in cache. A source is partitioned in chunks, and a
//! partition takes its entries from all chunks in order: what comes out is the same whoever made what.

use std::ops::Range;

use super::Classes;
use super::slots::{BLOCK, Slots, hash};

/// Partitions, as bits of the hash.
const PARTITION_BITS: u32 = 6;
pub(super) const PARTITIONS: usize = 1 << PARTITION_BITS;
/// Entries that are partitioned together: few enough for a cache of the second level.
pub(super) const CHUNK: usize = 1 << 13;

/// A key on its way to its partition, with a number that goes with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<const N: usize> {
    pub(super) key: [u64; N],
    pub(super) number: u32,
}

/// What is found, or partitioned, by a key.
pub(super) trait Keyed<const N: usize>: Copy + Send + Sync {
    fn key(&self) -> &[u64; N];
    /// The number that goes with it, if any does.
    fn number(&self) -> u32;
}

impl<const N: usize> Keyed<N> for Entry<N> {
    #[inline(always)]
    fn key(&self) -> &[u64; N] {
        &self.key
    }

    #[inline(always)]
    fn number(&self) -> u32 {
        self.number
    }
}

impl<const N: usize> Keyed<N> for [u64; N] {
    #[inline(always)]
    fn key(&self) -> &[u64; N] {
        self
    }

    #[inline(always)]
    fn number(&self) -> u32 {
        0
    }
}

/// Entries by partition.
#[derive(Debug)]
pub(super) struct Chunk<E> {
    entries: Vec<E>,
    /// Where each partition begins, and where the last one ends.
    starts: Vec<u32>,
    /// The partition of each key.
    of_key: Vec<u8>,
}

impl<E> Default for Chunk<E> {
    fn default() -> Self {
        Chunk { entries: Vec::new(), starts: Vec::new(), of_key: Vec::new() }
    }
}

impl<E: Copy> Chunk<E> {
    /// Holds what belongs to some keys, in their order within each partition.
    pub(super) fn fill<const N: usize>(
        &mut self,
        keys: &[[u64; N]],
        seed: u64,
        entry: impl Fn(usize, &[u64; N]) -> E,
    ) {
        let mut places = [0u32; PARTITIONS];
        self.of_key.clear();
        self.of_key.extend(keys.iter().map(|key| {
            let partition = (hash(key, seed) >> (64 - PARTITION_BITS)) as u8;
            places[usize::from(partition) % PARTITIONS] += 1;
            partition
        }));
        self.starts.clear();
        let mut end = 0;
        for place in &mut places {
            self.starts.push(end);
            end += std::mem::replace(place, end);
        }
        self.starts.push(end);
        self.entries.clear();
        let Some(first) = keys.first() else { return };
        self.entries.resize(keys.len(), entry(0, first));
        for (i, (key, &partition)) in keys.iter().zip(&self.of_key).enumerate() {
            let place = &mut places[usize::from(partition) % PARTITIONS];
            self.entries[*place as usize] = entry(i, key);
            *place += 1;
        }
    }

    fn partition(&self, partition: usize) -> &[E] {
        let range = self.starts[partition] as usize..self.starts[partition + 1] as usize;
        self.entries.get(range).unwrap_or_default()
    }
}

/// Adds the classes of some partitions to `target` in order, each from all chunks in order. What `add`
/// is given are classes whose keys are there already, and the entries that belong to them.
pub(super) fn gather<'c, E: Keyed<N> + 'c, C, const N: usize>(
    chunks: impl Fn() -> C,
    partitions: Range<usize>,
    slots: &mut Slots,
    target: &mut Classes<N>,
    mut add: impl FnMut(&mut Classes<N>, &[u32], &[E]),
) where
    C: Iterator<Item = &'c Chunk<E>>,
{
    let mut found = [0; BLOCK];
    let mut expected = None;
    for partition in partitions {
        let before = target.len();
        let entries = || chunks().map(|chunk| chunk.partition(partition).len()).sum::<usize>();
        slots.reset(before, expected.unwrap_or_else(|| entries() / 2), PARTITION_BITS);
        for chunk in chunks() {
            for block in chunk.partition(partition).chunks(BLOCK) {
                let found = &mut found[..block.len()];
                slots.find(&mut target.keys, block, found);
                add(target, found, block);
            }
        }
        // Partitions are about as large as each other.
        expected = Some((target.len() - before) * 9 / 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_hold_each_key_once_and_in_order() {
        for count in [0usize, 1, 63, 5000] {
            let keys: Vec<[u64; 1]> = (0..count as u64).map(|i| [i % 700]).collect();
            let mut chunk = Chunk::default();
            chunk.fill(&[[1]], 3, |_, _| Entry { key: [0], number: 9 });
            chunk.fill(&keys, 3, |i, key| Entry { key: *key, number: i as u32 });
            let mut seen = vec![false; count];
            for partition in 0..PARTITIONS {
                let entries = chunk.partition(partition);
                assert!(entries.is_sorted_by_key(|entry| entry.number));
                for entry in entries {
                    assert_eq!(entry.key, keys[entry.number as usize]);
                    let hash = hash(&entry.key, 3) >> (64 - PARTITION_BITS);
                    assert_eq!(hash, partition as u64);
                    assert!(!std::mem::replace(&mut seen[entry.number as usize], true));
                }
            }
            assert!(seen.into_iter().all(|seen| seen));
        }
    }
}
