//! The Merkle tree over the entries, kept in little memory.
//!
//! Of each complete run of 256 entries only the root is kept, with the nodes above it; hashes below
//! are computed again from the entries when a proof needs them. A million entries take 130 kB.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// log2 of the number of leaves whose root is kept, and of a tile's width.
pub(crate) const TILE_HEIGHT: u32 = 8;
pub(crate) const TILE_WIDTH: u64 = 1 << TILE_HEIGHT;

/// A SHA-256 hash of the tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The hash with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Hash(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads a hash in standard base64.
    ///
    /// # Errors
    ///
    /// [`Error::Unproven`] unless the text is 32 bytes in canonical base64.
    pub fn from_base64(text: &str) -> Result<Self> {
        let bytes = STANDARD.decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes
            .map(Hash)
            .ok_or(Error::Unproven { what: "hash", reason: "it is not 32 bytes in base64" })
    }

    pub(crate) fn empty() -> Self {
        Hash(Sha256::digest([]).into())
    }

    pub(crate) fn node(left: &Hash, right: &Hash) -> Self {
        let hash = Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0);
        Hash(hash.finalize().into())
    }
}

impl fmt::Display for Hash {
    /// The hash in standard base64.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// The hash of an entry as a leaf of the tree: SHA-256 of a zero byte and the entry.
#[must_use]
pub fn hash_entry(entry: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([0]).chain_update(entry).finalize().into())
}

/// Where a tree finds the leaves of a complete tile again.
pub(crate) trait Leaves {
    /// The leaf hashes of the entries `256 tile .. 256 (tile + 1)`.
    fn tile(&mut self, tile: u64) -> Result<Vec<Hash>>;
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    size: u64,
    /// Roots of complete subtrees, by the logarithm of their width less [`TILE_HEIGHT`].
    levels: Vec<Vec<Hash>>,
    /// The leaves after the last complete tile.
    tail: Vec<Hash>,
    /// The complete subtrees that cover all leaves, from wide to narrow.
    peaks: Vec<(u32, Hash)>,
}

impl Tree {
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn push(&mut self, leaf: Hash) {
        self.size += 1;
        self.tail.push(leaf);
        let (mut height, mut hash) = (0, leaf);
        while let Some((_, left)) = self.peaks.pop_if(|(peak, _)| *peak == height) {
            hash = Hash::node(&left, &hash);
            height += 1;
            if let Some(level) = height.checked_sub(TILE_HEIGHT) {
                if level == 0 {
                    self.tail.clear();
                }
                let level = level as usize;
                if self.levels.len() == level {
                    self.levels.push(Vec::new());
                }
                if let Some(level) = self.levels.get_mut(level) {
                    level.push(hash);
                }
            }
        }
        self.peaks.push((height, hash));
    }

    pub(crate) fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some((_, last)) = peaks.next() else { return Hash::empty() };
        peaks.fold(*last, |right, (_, left)| Hash::node(left, &right))
    }

    /// The root of the first `size` entries.
    pub(crate) fn root_at(&self, size: u64, leaves: &mut dyn Leaves) -> Result<Hash> {
        if size == self.size {
            return Ok(self.root());
        }
        self.range(0, size, &mut Cache::new(self, leaves))
    }

    /// The proof that the leaf `index` is among the first `size`: RFC 6962, PATH(m, D[n]).
    pub(crate) fn inclusion(
        &self,
        index: u64,
        size: u64,
        leaves: &mut dyn Leaves,
    ) -> Result<Vec<Hash>> {
        let mut cache = Cache::new(self, leaves);
        let mut path = Vec::new();
        let (mut low, mut high) = (0, size);
        while high - low > 1 {
            let middle = low + split(high - low);
            if index < middle {
                path.push(self.range(middle, high, &mut cache)?);
                high = middle;
            } else {
                path.push(self.range(low, middle, &mut cache)?);
                low = middle;
            }
        }
        path.reverse();
        Ok(path)
    }

    /// The proof that the first `new` leaves begin with the first `old`: RFC 6962, PROOF(m, D[n]).
    pub(crate) fn consistency(
        &self,
        old: u64,
        new: u64,
        leaves: &mut dyn Leaves,
    ) -> Result<Vec<Hash>> {
        if old == 0 || old == new {
            return Ok(Vec::new());
        }
        let mut cache = Cache::new(self, leaves);
        let mut path = Vec::new();
        let (mut low, mut high, mut known) = (0, new, true);
        while old != high {
            let middle = low + split(high - low);
            if old <= middle {
                path.push(self.range(middle, high, &mut cache)?);
                high = middle;
            } else {
                path.push(self.range(low, middle, &mut cache)?);
                low = middle;
                known = false;
            }
        }
        if !known {
            path.push(self.range(low, high, &mut cache)?);
        }
        path.reverse();
        Ok(path)
    }

    /// The hash of the leaves `low..high`.
    fn range(&self, low: u64, high: u64, cache: &mut Cache<'_>) -> Result<Hash> {
        let width = high - low;
        if width == 0 {
            return Ok(Hash::empty());
        }
        if width.is_power_of_two() && low.is_multiple_of(width) {
            let height = width.trailing_zeros();
            if let Some(level) = height.checked_sub(TILE_HEIGHT) {
                let kept = self.levels.get(level as usize);
                let index = usize::try_from(low >> height).ok();
                return kept
                    .zip(index)
                    .and_then(|(level, index)| level.get(index))
                    .copied()
                    .ok_or(Error::NoEntry { index: high, entries: self.size });
            }
            if width == 1 {
                return cache.leaf(low);
            }
        }
        let middle = low + split(width);
        Ok(Hash::node(&self.range(low, middle, cache)?, &self.range(middle, high, cache)?))
    }

    /// The hashes of the tree's tile `index` at `level`, as far as it is filled by `size` leaves.
    pub(crate) fn tile(
        &self,
        level: u32,
        index: u64,
        size: u64,
        leaves: &mut dyn Leaves,
    ) -> Result<Vec<Hash>> {
        let mut cache = Cache::new(self, leaves);
        let height = level * TILE_HEIGHT;
        let full = size >> height;
        let end = full.min((index + 1) * TILE_WIDTH);
        (index * TILE_WIDTH..end)
            .map(|node| self.range(node << height, (node + 1) << height, &mut cache))
            .collect()
    }
}

/// The largest power of two below `width`, which is at least 2.
fn split(width: u64) -> u64 {
    1 << (u64::BITS - 1 - (width - 1).leading_zeros())
}

/// The leaves of the tiles that one proof touched.
struct Cache<'a> {
    leaves: &'a mut dyn Leaves,
    tail: &'a [Hash],
    first_of_tail: u64,
    tiles: Vec<(u64, Vec<Hash>)>,
}

impl<'a> Cache<'a> {
    fn new(tree: &'a Tree, leaves: &'a mut dyn Leaves) -> Self {
        let first_of_tail = tree.size - tree.tail.len() as u64;
        Cache { leaves, tail: &tree.tail, first_of_tail, tiles: Vec::new() }
    }

    fn leaf(&mut self, index: u64) -> Result<Hash> {
        let missing = || Error::NoEntry { index, entries: self.first_of_tail };
        if let Some(at) = index.checked_sub(self.first_of_tail) {
            return self.tail.get(at as usize).copied().ok_or_else(missing);
        }
        let (tile, at) = (index / TILE_WIDTH, (index % TILE_WIDTH) as usize);
        let found = match self.tiles.iter().position(|(known, _)| *known == tile) {
            Some(found) => found,
            None => {
                self.tiles.push((tile, self.leaves.tile(tile)?));
                self.tiles.len() - 1
            }
        };
        let hash = self.tiles.get(found).and_then(|(_, leaves)| leaves.get(at));
        hash.copied().ok_or(Error::Corrupt { entry: index, what: "the entry is missing" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct All(Vec<Hash>);

    impl Leaves for All {
        fn tile(&mut self, tile: u64) -> Result<Vec<Hash>> {
            Ok(self.0[(tile * 256) as usize..((tile + 1) * 256) as usize].to_vec())
        }
    }

    /// MTH of RFC 6962, section 2.1, as it is written there.
    fn naive(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::empty(),
            [one] => *one,
            more => {
                let mut k = 1;
                while k * 2 < more.len() {
                    k *= 2;
                }
                Hash::node(&naive(&more[..k]), &naive(&more[k..]))
            }
        }
    }

    #[test]
    fn roots_of_every_size_agree_with_the_definition() {
        let leaves: Vec<Hash> = (0..1100u32).map(|i| hash_entry(&i.to_le_bytes())).collect();
        let mut tree = Tree::default();
        assert_eq!(tree.root(), naive(&[]));
        for (i, leaf) in leaves.iter().enumerate() {
            tree.push(*leaf);
            if i % 37 == 0 || i < 20 || (i + 1) % 256 < 2 {
                assert_eq!(tree.root(), naive(&leaves[..=i]), "{i}");
            }
        }
        let mut all = All(leaves.clone());
        for size in [0, 1, 2, 3, 255, 256, 257, 511, 512, 700, 1024, 1099, 1100] {
            assert_eq!(tree.root_at(size, &mut all).unwrap(), naive(&leaves[..size as usize]));
        }
    }

    #[test]
    fn the_empty_tree_and_an_empty_leaf_have_the_hashes_of_the_rfc() {
        // SHA-256 of the empty string and of a zero byte.
        let hex =
            |hash: Hash| hash.as_bytes().iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(
            hex(Hash::empty()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            hex(hash_entry(&[])),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
    }
}
