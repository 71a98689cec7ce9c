//! Proofs that need nothing but a checkpoint to be checked.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::tree::{Hash, hash_entry};
use crate::error::{Error, Result};

/// More hashes than any proof of a tree of 2^63 leaves has.
const MAX_PATH: usize = 64;

/// The proof that an entry is in the log of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InclusionProof {
    /// The position of the entry.
    pub index: u64,
    /// The number of entries of the log.
    pub size: u64,
    /// The hashes beside the way from the leaf to the root, from below.
    #[serde(serialize_with = "write_path", deserialize_with = "read_path")]
    pub path: Vec<Hash>,
}

impl InclusionProof {
    /// Checks that `entry` is at [`index`](Self::index) in the log of [`size`](Self::size) entries
    /// with `root`.
    ///
    /// # Errors
    ///
    /// [`Error::Unproven`].
    pub fn verify(&self, entry: &[u8], root: &Hash) -> Result<()> {
        let failed = |reason| Error::Unproven { what: "inclusion proof", reason };
        if self.index >= self.size {
            return Err(failed("its index is beyond the log"));
        }
        // RFC 9162, section 2.1.3.2.
        let (mut node, mut last) = (self.index, self.size - 1);
        let mut hash = hash_entry(entry);
        for other in &self.path {
            if last == 0 {
                return Err(failed("it is too long"));
            }
            if node & 1 == 1 || node == last {
                hash = Hash::node(other, &hash);
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = Hash::node(&hash, other);
            }
            node >>= 1;
            last >>= 1;
        }
        if last != 0 {
            return Err(failed("it is too short"));
        }
        if hash == *root { Ok(()) } else { Err(failed("it leads to another root")) }
    }
}

/// The proof that a log only appended to what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyProof {
    /// The number of entries of the earlier log.
    pub old: u64,
    /// The number of entries of the later log.
    pub new: u64,
    /// The hashes from which both roots follow.
    #[serde(serialize_with = "write_path", deserialize_with = "read_path")]
    pub path: Vec<Hash>,
}

impl ConsistencyProof {
    /// Checks that the log with `new_root` begins with the log with `old_root`.
    ///
    /// # Errors
    ///
    /// [`Error::Unproven`].
    pub fn verify(&self, old_root: &Hash, new_root: &Hash) -> Result<()> {
        let failed = |reason| Error::Unproven { what: "consistency proof", reason };
        if self.old > self.new {
            return Err(failed("the later log is shorter"));
        }
        if self.old == self.new || self.old == 0 {
            let expected = if self.old == 0 { &Hash::empty() } else { new_root };
            let alike = old_root == expected && self.path.is_empty();
            return if alike { Ok(()) } else { Err(failed("the roots differ")) };
        }
        // RFC 9162, section 2.1.4.2.
        let (mut node, mut last) = (self.old - 1, self.new - 1);
        while node & 1 == 1 {
            node >>= 1;
            last >>= 1;
        }
        let mut path = self.path.iter();
        let first = if self.old.is_power_of_two() { Some(old_root) } else { path.next() };
        let first = *first.ok_or(failed("it is too short"))?;
        let (mut old, mut new) = (first, first);
        for other in path {
            if last == 0 {
                return Err(failed("it is too long"));
            }
            if node & 1 == 1 || node == last {
                old = Hash::node(other, &old);
                new = Hash::node(other, &new);
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                new = Hash::node(&new, other);
            }
            node >>= 1;
            last >>= 1;
        }
        match (last, old == *old_root, new == *new_root) {
            (0, true, true) => Ok(()),
            (0, false, _) => Err(failed("it does not lead to the earlier root")),
            (0, _, false) => Err(failed("it does not lead to the later root")),
            _ => Err(failed("it is too short")),
        }
    }
}

fn write_path<S: Serializer>(path: &[Hash], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(path.iter().map(Hash::to_string))
}

fn read_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Hash>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    if texts.len() > MAX_PATH {
        return Err(serde::de::Error::custom("a proof has at most 64 hashes"));
    }
    texts.iter().map(|text| Hash::from_base64(text).map_err(serde::de::Error::custom)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::{Leaves, Tree};
    use super::*;

    struct All(Vec<Hash>);

    impl Leaves for All {
        fn tile(&mut self, tile: u64) -> Result<Vec<Hash>> {
            Ok(self.0[(tile * 256) as usize..((tile + 1) * 256) as usize].to_vec())
        }
    }

    fn log(size: u64) -> (Tree, All) {
        let leaves: Vec<Hash> = (0..size).map(|i| hash_entry(&i.to_le_bytes())).collect();
        let mut tree = Tree::default();
        leaves.iter().for_each(|leaf| tree.push(*leaf));
        (tree, All(leaves))
    }

    #[test]
    fn every_entry_of_small_logs_is_proven_and_no_other() {
        for size in (1..40).chain([255, 256, 257, 600]) {
            let (tree, mut all) = log(size);
            let root = tree.root();
            for index in (0..size).filter(|i| size < 40 || i % 29 == 0 || *i + 1 == size) {
                let path = tree.inclusion(index, size, &mut all).unwrap();
                let proof = InclusionProof { index, size, path };
                proof.verify(&index.to_le_bytes(), &root).unwrap();
                assert!(proof.verify(&(index + 1).to_le_bytes(), &root).is_err());
                for (i, changed) in broken(&proof.path).enumerate() {
                    let proof = InclusionProof { path: changed, ..proof.clone() };
                    assert!(proof.verify(&index.to_le_bytes(), &root).is_err(), "{i}");
                }
                let moved = InclusionProof { index: index ^ 1, ..proof.clone() };
                assert!(moved.verify(&index.to_le_bytes(), &root).is_err());
                let text = serde_json::to_string(&proof).unwrap();
                assert_eq!(serde_json::from_str::<InclusionProof>(&text).unwrap(), proof);
            }
        }
    }

    /// The path with one hash changed, one left out, one more.
    fn broken(path: &[Hash]) -> impl Iterator<Item = Vec<Hash>> + '_ {
        let changed = (0..path.len()).map(|i| {
            let mut path = path.to_vec();
            path[i] = hash_entry(b"other");
            path
        });
        let shorter = (!path.is_empty()).then(|| path[1..].to_vec());
        let longer = path.iter().copied().chain([Hash::empty()]).collect();
        changed.chain(shorter).chain([longer])
    }

    #[test]
    fn every_pair_of_sizes_is_consistent_and_a_rewritten_log_is_not() {
        for new in (0..36).chain([256, 300, 520]) {
            let (tree, mut all) = log(new);
            for old in (0..=new).filter(|old| new < 40 || old % 31 == 0 || *old == 256) {
                let path = tree.consistency(old, new, &mut all).unwrap();
                let proof = ConsistencyProof { old, new, path };
                let (before, now) = (tree.root_at(old, &mut all).unwrap(), tree.root());
                proof.verify(&before, &now).unwrap();
                if 0 < old {
                    assert!(proof.verify(&hash_entry(b"rewritten"), &now).is_err());
                    assert!(proof.verify(&before, &hash_entry(b"rewritten")).is_err());
                    for changed in broken(&proof.path) {
                        let proof = ConsistencyProof { path: changed, ..proof.clone() };
                        assert!(proof.verify(&before, &now).is_err(), "{old} {new}");
                    }
                }
            }
        }
    }
}
