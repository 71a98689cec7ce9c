//! Lists of keys by unit: what selection reads that weighs a unit's keys against each other.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use privacy_core::space::{Changes, Space};

use super::counts::keep_some;
use crate::hash::{TableHasher, stable_hasher};

/// Which distinct keys each unit has.
///
/// `Debug` shows neither keys nor units.
#[derive(Clone)]
pub struct KeyLists<K> {
    /// All keys in order.
    keys: Vec<K>,
    /// For each key a hash that is the same in every table.
    hashes: Vec<u64>,
    /// For each unit a hash of its name that is the same in every table, and where its keys end.
    units: Vec<(u64, usize)>,
    /// The keys of all units, by position among `keys`.
    entries: Vec<u32>,
}

impl<K: Ord + Hash> KeyLists<K> {
    /// Lists of the given pairs of unit and key, in any order, repeated or not.
    ///
    /// Holds up to 2^32 − 1 distinct keys; later ones are left out.
    pub fn new<I: Eq + Hash>(pairs: impl IntoIterator<Item = (I, K)>) -> Self {
        let hasher = stable_hasher();
        let mut numbers: HashMap<I, u32, TableHasher> = HashMap::default();
        let mut identities = Vec::new();
        let pairs: Vec<(K, u32)> = pairs
            .into_iter()
            .map(|(unit, key)| {
                let next = identities.len() as u32;
                let identity = hasher.hash_one(&unit);
                let number = *numbers.entry(unit).or_insert(next);
                if number == next {
                    identities.push(identity);
                }
                (key, number)
            })
            .collect();
        Self::numbered(pairs, &identities)
    }

    /// Lists of keys with the number of a unit, whose identity is a hash that is the same in every
    /// table.
    pub(crate) fn numbered(mut pairs: Vec<(K, u32)>, identities: &[u64]) -> Self {
        let hasher = stable_hasher();
        pairs.sort_unstable();
        pairs.dedup();
        let mut keys: Vec<K> = Vec::new();
        let mut of_unit: Vec<Vec<u32>> = identities.iter().map(|_| Vec::new()).collect();
        for (key, unit) in pairs {
            if keys.last() != Some(&key) {
                keys.push(key);
            }
            if let Ok(position) = u32::try_from(keys.len() - 1) {
                of_unit[unit as usize].push(position);
            }
        }
        let mut entries = Vec::new();
        let units = identities.iter().zip(of_unit).map(|(identity, list)| {
            entries.extend(list);
            (*identity, entries.len())
        });
        let units = units.collect();
        let hashes = keys.iter().map(|key| hasher.hash_one(key)).collect();
        KeyLists { keys, hashes, units, entries }
    }
}

impl<K> KeyLists<K> {
    pub(super) fn keys(&self) -> &[K] {
        &self.keys
    }

    /// Calls `each` with at most `limit` keys of every unit, of those for which `open` holds.
    pub(super) fn for_each_unit(
        &self,
        limit: usize,
        open: impl Fn(usize) -> bool,
        mut each: impl FnMut(&[u32]),
    ) {
        let mut start = 0;
        let mut kept = Vec::new();
        for (identity, end) in &self.units {
            kept.clear();
            let list = self.entries.get(start..*end).unwrap_or_default();
            kept.extend(list.iter().copied().filter(|key| open(*key as usize)));
            keep_some(&mut kept, *identity, limit, |key| self.hashes[*key as usize]);
            each(&kept);
            start = *end;
        }
    }
}

impl<K> fmt::Debug for KeyLists<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyLists").finish_non_exhaustive()
    }
}

/// The space of [`KeyLists`]; neighbours differ by one unit with all its keys (add/remove).
#[derive(Debug, Clone, Copy, Default)]
pub struct Lists<K>(PhantomData<fn() -> K>);

impl<K> Space for Lists<K> {
    type Data = KeyLists<K>;
    type Owned = KeyLists<K>;
    type Distance = Changes;
}
