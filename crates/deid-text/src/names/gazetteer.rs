//! Lists of first names, family names and places.
//!
//! US Census 1990 (public domain), Faker (MIT), GeoNames cities (CC BY 4.0); see NOTICE.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::context::word_hash;

const FIRST: &str = include_str!("../../data/names/first.txt");
const LAST: &str = include_str!("../../data/names/last.txt");
const PLACES: &str = include_str!("../../data/names/places.txt");
const SUFFIXES: &str = include_str!("../../data/names/suffixes.txt");

pub(super) const IS_FIRST: u8 = 1;
pub(super) const IS_LAST: u8 = 2;
pub(super) const IS_PLACE: u8 = 4;
pub(super) const BEGINS_PLACE: u8 = 8;
pub(super) const IS_COMPANY: u8 = 16;

/// What a word is in the lists, by its hash.
#[derive(Debug)]
pub(super) struct Gazetteer {
    words: HashMap<u64, u8, FixedState>,
    /// Hashes of places of two and three words.
    phrases: std::collections::HashSet<u64, FixedState>,
}

pub(super) fn join(a: u64, b: u64) -> u64 {
    (a.rotate_left(17) ^ b).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Gazetteer {
    pub(super) fn new() -> Self {
        let mut words: HashMap<u64, u8, FixedState> =
            HashMap::with_capacity_and_hasher(1 << 16, FixedState::default());
        let mut phrases = std::collections::HashSet::default();
        for (list, bit) in [(FIRST, IS_FIRST), (LAST, IS_LAST), (SUFFIXES, IS_COMPANY)] {
            // Company forms count word by word: "Holdings", "GmbH".
            let words_of = |line: &'static str| -> Vec<&'static str> {
                if bit == IS_COMPANY {
                    line.split([' ', '.', '&', '-']).filter(|w| w.len() > 1).collect()
                } else {
                    vec![line]
                }
            };
            for name in list.lines().flat_map(words_of) {
                *words.entry(word_hash(name)).or_default() |= bit;
            }
        }
        for place in PLACES.lines() {
            let mut parts = place.split([' ', '-']).map(word_hash);
            let Some(first) = parts.next() else { continue };
            match parts.next() {
                None => *words.entry(first).or_default() |= IS_PLACE,
                Some(second) => {
                    *words.entry(first).or_default() |= BEGINS_PLACE;
                    let mut hash = join(first, second);
                    for part in parts {
                        hash = join(hash, part);
                    }
                    phrases.insert(hash);
                }
            }
        }
        Gazetteer { words, phrases }
    }

    pub(super) fn word(&self, hash: u64) -> u8 {
        self.words.get(&hash).copied().unwrap_or(0)
    }

    pub(super) fn phrase(&self, hash: u64) -> bool {
        self.phrases.contains(&hash)
    }
}
