//! Finding the class of a key: by hash, or by its place in a table of all keys there can be.

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

/// Finds or makes the class of a key.
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
        let size = (classes * 2).next_power_of_two().max(16);
        self.slots.clear();
        self.slots.resize(size, 0);
        (self.skipped, self.shift) = (skipped, 64 - size.trailing_zeros());
    }

    #[inline]
    fn start<const N: usize>(&self, key: &[u64; N]) -> usize {
        ((hash(key, self.seed) << self.skipped) >> self.shift) as usize
    }

    /// The class of `key`, appended to `keys` if it is new.
    #[inline]
    pub(super) fn find<const N: usize>(
        &mut self,
        keys: &mut Vec<[u64; N]>,
        key: &[u64; N],
    ) -> (usize, bool) {
        let mask = self.slots.len() - 1;
        let mut slot = self.start(key);
        loop {
            match self.slots[slot & mask] {
                0 => {
                    keys.push(*key);
                    self.slots[slot & mask] = (keys.len() - self.first) as u32;
                    return (keys.len() - 1, true);
                }
                number => {
                    let class = self.first + number as usize - 1;
                    if keys[class] == *key {
                        return (class, false);
                    }
                    slot += 1;
                }
            }
        }
    }

    /// Doubles the table once it is half full.
    #[inline]
    pub(super) fn grow<const N: usize>(&mut self, keys: &[[u64; N]]) {
        if (keys.len() - self.first) * 2 >= self.slots.len() {
            self.fill(keys, self.first, self.skipped);
        }
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
