//! Lists of first names, family names and places.
//!
//! US Census 1990 (public domain), Faker (MIT), GeoNames cities (CC BY 4.0); see NOTICE.

use crate::context::word_hash;

const FIRST: &str = include_str!("../../data/names/first.txt");
const LAST: &str = include_str!("../../data/names/last.txt");
const PLACES: &str = include_str!("../../data/names/places.txt");
const SUFFIXES: &str = include_str!("../../data/names/suffixes.txt");
const COMMON: &str = include_str!("../../data/names/common.txt");

pub(super) const IS_FIRST: u16 = 1;
pub(super) const IS_LAST: u16 = 2;
pub(super) const IS_PLACE: u16 = 4;
pub(super) const BEGINS_PLACE: u16 = 8;
pub(super) const IS_COMPANY: u16 = 16;
pub(super) const IS_TITLE: u16 = 128;
/// A word that is usually written in lower case.
pub(super) const IS_COMMON: u16 = 256;

/// What a word is in the lists, by its hash: a table with open addressing, filled at start-up.
#[derive(Debug)]
pub(super) struct Gazetteer {
    words: Table,
    /// Hashes of places of two and three words.
    phrases: Table,
}

#[derive(Debug)]
struct Table {
    slots: Vec<(u64, u16)>,
    mask: usize,
}

impl Table {
    /// A table of 2ⁿ slots; it must stay less than full.
    fn new(bits: u32) -> Self {
        Table { slots: vec![(0, 0); 1 << bits], mask: (1 << bits) - 1 }
    }

    fn slot(&self, hash: u64) -> usize {
        let mut i = (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & self.mask;
        while let Some(&(key, flags)) = self.slots.get(i)
            && flags != 0
            && key != hash
        {
            i = (i + 1) & self.mask;
        }
        i
    }

    fn add(&mut self, hash: u64, flags: u16) {
        let i = self.slot(hash);
        if let Some(slot) = self.slots.get_mut(i) {
            *slot = (hash, slot.1 | flags);
        }
    }

    fn get(&self, hash: u64) -> u16 {
        self.slots.get(self.slot(hash)).map_or(0, |s| s.1)
    }
}

pub(super) fn join(a: u64, b: u64) -> u64 {
    (a.rotate_left(17) ^ b).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Gazetteer {
    pub(super) fn new() -> Self {
        let mut words = Table::new(18);
        let mut phrases = Table::new(15);
        for (list, bit) in [(FIRST, IS_FIRST), (LAST, IS_LAST), (COMMON, IS_COMMON)] {
            list.lines().for_each(|name| words.add(word_hash(name), bit));
        }
        // Company forms count word by word: "Holdings", "GmbH".
        for word in SUFFIXES.split([' ', '.', '&', '-', '\n']).filter(|w| w.len() > 1) {
            words.add(word_hash(word), IS_COMPANY);
        }
        for place in PLACES.lines() {
            let mut parts = place.split([' ', '-']).map(word_hash);
            let Some(first) = parts.next() else { continue };
            match parts.next() {
                None => words.add(first, IS_PLACE),
                Some(second) => {
                    words.add(first, BEGINS_PLACE);
                    let mut hash = join(first, second);
                    for part in parts {
                        hash = join(hash, part);
                    }
                    phrases.add(hash, 1);
                }
            }
        }
        Gazetteer { words, phrases }
    }

    pub(super) fn word(&self, hash: u64) -> u16 {
        self.words.get(hash)
    }

    pub(super) fn phrase(&self, hash: u64) -> bool {
        self.phrases.get(hash) != 0
    }
}
