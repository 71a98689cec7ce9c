//! Numbering the units of a table, stretch by stretch and part by part.
//!
//! Looking each row's unit up in a table of all units costs accesses to main memory once there are
//! many. So units belong to parts, by a hash of their keys, each of which has a table that a cache
//! holds. Each stretch of the rows is gone through once: while it has few units they are looked up in
//! one table, row by row; from then on, keys are dealt to their parts. After that, each part's units are
//! told together. Both can be shared by threads, the first by stretches and the second by parts.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, Hash};
use std::slice;

use super::super::threads::share;
use super::index::in_order;
use crate::hash::{TableHasher, stable_hasher};

/// Units that are looked up in one table.
pub(super) const UNITS_OF_TABLE: usize = 1 << 15;

/// A part of units that are numbered.
#[derive(Default)]
pub(super) struct Numbered {
    /// For each row of the part, in the order of the table, the number of its unit.
    pub(super) unit_of: Vec<u32>,
    /// For each unit a hash of its key that is the same in every table.
    pub(super) identities: Vec<u64>,
}

impl Numbered {
    /// The number of a unit that is new.
    pub(super) fn new_unit(&mut self, identity: u64) -> u32 {
        self.identities.push(identity);
        // Fewer than 2^32 rows.
        self.identities.len() as u32 - 1
    }
}

/// What the first look at a stretch of rows leaves: of each part the numbered units of the first
/// rows, and the keys of the others.
pub(super) struct Stretch<K> {
    parts: Vec<Begun<K>>,
}

struct Begun<K> {
    first: Numbered,
    /// The units of the first rows, by key.
    known: Vec<(K, u32)>,
    /// The units of the other rows.
    others: Vec<K>,
}

impl<K: Eq + Hash> Stretch<K> {
    /// Looks at `rows`, and writes down the part of each. `hasher` says the part of a key; it differs
    /// from process to process.
    pub(super) fn begun<'a, T>(
        rows: &'a [T],
        unit: impl Fn(&'a T) -> K,
        part_of: &mut [u16],
        parts: usize,
        hasher: &TableHasher,
    ) -> Self {
        // A part has about its share of the rows, or more.
        let room = |rows: usize| rows / parts + rows / parts / 8;
        let part = || Begun { first: Numbered::default(), known: Vec::new(), others: Vec::new() };
        let mut begun: Vec<Begun<K>> = (0..parts).map(|_| part()).collect();
        // Tables place keys by the lowest and the highest digits of the same hash.
        let part = |key: &K| (hasher.hash_one(key) >> 32) as usize & (parts - 1);
        let mut rest = rows.iter().zip(part_of.iter_mut());
        Self::look_up(&mut begun, &mut rest, &unit, part, hasher);
        if rest.len() > 0 {
            begun.iter_mut().for_each(|part| part.others.reserve(room(rest.len())));
        }
        for (row, part_of) in rest {
            let key = unit(row);
            let part = part(&key);
            *part_of = part as u16;
            begun[part].others.push(key);
        }
        Stretch { parts: begun }
    }

    /// Numbers the units of the first rows, as long as one table holds them.
    fn look_up<'a, T>(
        parts: &mut [Begun<K>],
        rows: &mut std::iter::Zip<slice::Iter<'a, T>, slice::IterMut<'_, u16>>,
        unit: &impl Fn(&'a T) -> K,
        part: impl Fn(&K) -> usize,
        hasher: &TableHasher,
    ) {
        let stable = stable_hasher();
        let mut table: HashMap<K, (u16, u32), TableHasher> = HashMap::with_hasher(hasher.clone());
        while table.len() <= UNITS_OF_TABLE
            && let Some((row, part_of)) = rows.next()
        {
            let (part, unit) = match table.entry(unit(row)) {
                Entry::Occupied(entry) => *entry.get(),
                Entry::Vacant(entry) => {
                    let identity = stable.hash_one(entry.key());
                    let part = part(entry.key());
                    *entry.insert((part as u16, parts[part].first.new_unit(identity)))
                }
            };
            *part_of = part;
            parts[usize::from(part)].first.unit_of.push(unit);
        }
        for (key, (part, unit)) in table {
            parts[usize::from(part)].known.push((key, unit));
        }
    }
}

/// The parts of a whole table, of its stretches in order.
pub(super) fn joined<K: Eq + Hash + Send>(
    stretches: Vec<Stretch<K>>,
    hasher: &TableHasher,
    threads: usize,
) -> Vec<Numbered> {
    let parts = stretches.iter().map(|stretch| stretch.parts.len()).max().unwrap_or(1);
    let mut by_part: Vec<Vec<Begun<K>>> = (0..parts).map(|_| Vec::new()).collect();
    for stretch in stretches {
        by_part.iter_mut().zip(stretch.parts).for_each(|(all, part)| all.push(part));
    }
    let state = || (HashMap::with_hasher(hasher.clone()), Vec::new());
    let made =
        share(threads, by_part.into_iter().enumerate(), state, |(table, made), (i, part)| {
            made.push((i, join(part, table)));
        });
    in_order(made.into_iter().map(|(_, made)| made).collect()).collect()
}

/// One part of all stretches. `table` is scratch.
fn join<K: Eq + Hash>(
    stretches: Vec<Begun<K>>,
    table: &mut HashMap<K, u32, TableHasher>,
) -> Numbered {
    let stable = stable_hasher();
    let rows = |part: &Begun<K>| part.first.unit_of.len() + part.others.len();
    let rows: usize = stretches.iter().map(rows).sum();
    let mut all = Numbered::default();
    table.clear();
    for (i, Begun { first, known, others }) in stretches.into_iter().enumerate() {
        if i == 0 {
            table.extend(known);
            all = first;
            all.unit_of.reserve_exact(rows - all.unit_of.len());
        } else {
            let mut numbers = vec![0; first.identities.len()];
            for (key, unit) in known {
                let identity = first.identities[unit as usize];
                numbers[unit as usize] =
                    *table.entry(key).or_insert_with(|| all.new_unit(identity));
            }
            all.unit_of.extend(first.unit_of.iter().map(|unit| numbers[*unit as usize]));
        }
        for key in others {
            let unit =
                *table.entry(key).or_insert_with_key(|key| all.new_unit(stable.hash_one(key)));
            all.unit_of.push(unit);
        }
    }
    all
}
