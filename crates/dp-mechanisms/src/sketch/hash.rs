//! Public hash functions that are the same on every machine and in every version.
//!
//! An item is read as a polynomial over the integers modulo p = 2^61 - 1 and taken at a random
//! point (Carter, Wegman 1979): two items of at most l bytes collide with probability below
//! (l/7 + 2)/p. Rows then use affine functions of that, which are pairwise independent.

/// 2^61 - 1.
const P: u64 = (1 << 61) - 1;

/// The hash functions of a seed.
#[derive(Clone, Debug)]
pub(super) struct Hashes {
    point: u64,
    rows: Vec<(u64, u64)>,
}

impl Hashes {
    pub(super) fn new(seed: u64, rows: u32) -> Self {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mixed(state) % P
        };
        let point = next();
        Hashes { point, rows: (0..rows).map(|_| (next().max(1), next())).collect() }
    }

    /// The item as one number below p.
    pub(super) fn fingerprint(&self, item: &[u8]) -> u64 {
        let chunks = item
            .chunks(7)
            .map(|chunk| chunk.iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte)));
        // The length comes first, so that trailing zeros count.
        chunks.fold(item.len() as u64 % P, |sum, chunk| {
            reduced(u128::from(sum) * u128::from(self.point) + u128::from(chunk))
        })
    }

    /// For each row a cell in `0..width` and a sign, from an item's fingerprint.
    pub(super) fn cells(
        &self,
        fingerprint: u64,
        width: u32,
    ) -> impl Iterator<Item = (usize, bool)> + '_ {
        self.rows.iter().map(move |(a, b)| {
            let value = reduced(u128::from(*a) * u128::from(fingerprint) + u128::from(*b));
            // The lowest bit is the sign, the others the cell.
            let cell = (u128::from(value >> 1) * u128::from(width)) >> 60;
            (cell as usize, value & 1 == 1)
        })
    }

    /// 64 well-mixed bits of an item's fingerprint.
    pub(super) fn bits(&self, fingerprint: u64) -> u64 {
        let (a, b) = self.rows.first().copied().unwrap_or((1, 0));
        mixed(reduced(u128::from(a) * u128::from(fingerprint) + u128::from(b)))
    }
}

/// The remainder modulo p of a number below p² + p.
fn reduced(number: u128) -> u64 {
    let folded = (number & u128::from(P)) as u64 + (number >> 61) as u64;
    if folded >= P { folded - P } else { folded }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
fn mixed(word: u64) -> u64 {
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remainders_are_right() {
        let p = u128::from(P);
        for number in [0, 1, p - 1, p, p + 1, 2 * p, p * p - 1, p * p, (p - 1) * (p - 1) + p] {
            assert_eq!(u128::from(reduced(number)), number % p, "{number}");
        }
    }

    #[test]
    fn hashes_never_change() {
        // Stored sketches depend on these; computed apart with arbitrary-precision integers.
        let hashes = Hashes::new(42, 2);
        let of = |item: &[u8]| hashes.cells(hashes.fingerprint(item), 1000).collect::<Vec<_>>();
        assert_eq!(of(b""), KNOWN[0]);
        assert_eq!(of(b"login"), KNOWN[1]);
        assert_eq!(of(b"a longer item of several words"), KNOWN[2]);
    }

    const KNOWN: [[(usize, bool); 2]; 3] =
        [[(228, false), (304, false)], [(568, false), (934, true)], [(683, true), (127, false)]];

    #[test]
    fn cells_are_spread_and_items_told_apart() {
        let hashes = Hashes::new(1, 1);
        let mut cells = vec![0u64; 64];
        let mut positive = 0;
        for item in 0..64_000u64 {
            for (cell, sign) in hashes.cells(hashes.fingerprint(&item.to_le_bytes()), 64) {
                cells[cell] += 1;
                positive += u64::from(sign);
            }
        }
        // Affine functions spread consecutive numbers more evenly than chance would.
        assert!(cells.iter().all(|count| (700..1300).contains(count)), "{cells:?}");
        assert!((31_000..33_000).contains(&positive));
        assert_ne!(hashes.fingerprint(b"a"), hashes.fingerprint(b"a\0"));
        assert_ne!(hashes.fingerprint(b""), hashes.fingerprint(b"\0"));
    }
}
