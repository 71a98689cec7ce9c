//! Finding the class of a key by hash.

use super::partition::Keyed;

/// Keys that are looked up together.
pub(super) const BLOCK: usize = 64;

/// Mixes a key under a seed, so that nobody can choose colliding rows.
#[inline]
pub(super) fn hash<const N: usize>(key: &[u64; N], seed: u64) -> u64 {
    let mut all = seed;
    for &word in key {
        let wide = u128::from(word ^ all) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
        all = (wide as u64) ^ ((wide >> 64) as u64);
    }
    all
}

/// Finds or makes the classes of keys.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    /// For each place 0, or one more than the number of a class, counted from `first`.
    slots: Vec<u32>,
    /// Classes before this one are not looked at.
    first: usize,
    /// Bits of the hash that are the same for all keys here.
    skipped: u32,
    shift: u32,
    pub(super) seed: u64,
}

impl Slots {
    pub(crate) fn seeded(seed: u64) -> Self {
        Slots { seed, ..Slots::default() }
    }

    /// Empties the table and makes room for `classes` that follow the `first`, and whose hashes
    /// agree in the first `skipped` bits.
    pub(super) fn reset(&mut self, first: usize, classes: usize, skipped: u32) {
        self.first = first;
        let size = ((classes + BLOCK) * 2).next_power_of_two();
        self.slots.clear();
        self.slots.resize(size, 0);
        (self.skipped, self.shift) = (skipped, 64 - size.trailing_zeros());
    }

    #[inline(always)]
    fn start<const N: usize>(&self, key: &[u64; N]) -> usize {
        ((hash(key, self.seed) << self.skipped) >> self.shift) as usize
    }

    /// The class of each key of a block, appended to `keys` if it is new.
    ///
    /// Whether a key is new is as good as random, so nothing is decided by it: each is written
    /// behind the last class, and compared with itself if there is none for it yet.
    #[inline]
    pub(super) fn find<E: Keyed<N>, const N: usize>(
        &mut self,
        keys: &mut Vec<[u64; N]>,
        block: &[E],
        classes: &mut [u32],
    ) {
        let first = self.first;
        if (keys.len() - first + block.len()) * 2 > self.slots.len() {
            self.fill(keys, first, self.skipped);
        }
        let mask = self.slots.len() - 1;
        let mut len = keys.len();
        keys.resize(len + block.len(), [0; N]);
        for (entry, class_of) in block.iter().zip(classes) {
            let key = entry.key();
            keys[len] = *key;
            let mut slot = self.start(key);
            loop {
                let number = self.slots[slot & mask];
                let is_new = number == 0;
                let next = (len - first) as u32 + 1;
                let number = std::hint::select_unpredictable(is_new, next, number);
                let class = first + number as usize - 1;
                if keys[class] == *key {
                    self.slots[slot & mask] = number;
                    len += usize::from(is_new);
                    *class_of = class as u32;
                    break;
                }
                slot += 1;
            }
        }
        keys.truncate(len);
    }

    /// Holds the classes from the `first` on, which are all different, and room for as many.
    #[inline(never)]
    pub(super) fn fill<const N: usize>(&mut self, keys: &[[u64; N]], first: usize, skipped: u32) {
        self.reset(first, (keys.len() - first) * 2, skipped);
        let mask = self.slots.len() - 1;
        for (number, key) in (1..).zip(&keys[first..]) {
            let mut slot = self.start(key);
            while self.slots[slot & mask] != 0 {
                slot += 1;
            }
            self.slots[slot & mask] = number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn classes_are_numbered_in_order_of_occurrence() {
        // Few keys, so that most occur often, over many blocks, so that the table grows.
        let key = |i: u64| [hash(&[i], 5) % 3_000, i % 2];
        let rows: Vec<[u64; 2]> = (0..20_000).map(key).collect();
        for classes in [0, 20_000] {
            let (mut slots, mut keys) = (Slots::seeded(9), vec![[u64::MAX; 2]; 3]);
            slots.reset(3, classes, 0);
            let mut known: HashMap<[u64; 2], u32> = HashMap::new();
            for block in rows.chunks(BLOCK) {
                let mut found = [0; BLOCK];
                slots.find(&mut keys, block, &mut found);
                for (key, &class) in block.iter().zip(&found) {
                    let next = known.len() as u32 + 3;
                    assert_eq!(*known.entry(*key).or_insert(next), class);
                    assert_eq!(keys[class as usize], *key);
                }
                assert_eq!(keys.len(), known.len() + 3);
            }
        }
    }
}
