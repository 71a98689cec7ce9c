//! What the tagger sees of a word: its letters, its neighbours, how they are written, and the lists
//! that they stand in.

use super::gazetteer::{
    BEGINS_PLACE, Gazetteer, IS_COMMON, IS_FIRST, IS_LAST, IS_PLACE, IS_TITLE, join,
};
use super::lists::{Group, Groups};
use super::tokens::Token;
use crate::context::word_hash;

/// 2²² buckets.
pub(super) const BUCKETS: usize = 1 << 22;
/// Features of a token.
pub(super) const FEATURES: usize = 39;

/// The first word of a listed place of several, and the others.
const STARTS_PLACE: u16 = 32;
const ENDS_PLACE: u16 = 64;
const IN_PLACE: u16 = STARTS_PLACE | ENDS_PLACE;

/// A word as features see it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Word {
    pub(super) exact: u64,
    pub(super) low: u64,
    shape: u64,
    prefixes: [u64; 4],
    suffixes: [u64; 4],
    pub(super) lists: u16,
    pub(super) first: bool,
    pub(super) capital: bool,
    /// Whether it is a single letter.
    pub(super) letter: bool,
    /// The first byte of a sign; 0 for a word.
    pub(super) sign: u8,
    /// Its letters, as far as they count.
    length: u8,
    /// How its sentence is written: as usual, without capitals, in capitals, with most words
    /// capitalised.
    case: u8,
    upper: bool,
}

impl Word {
    /// Whether it is a first or last name and no common word.
    pub(super) fn is_given_to_people(&self) -> bool {
        self.lists & (IS_FIRST | IS_LAST) != 0 && self.lists & IS_COMMON == 0
    }

    /// Whether it is a place by itself, or part of the name of one that is listed.
    pub(super) fn is_in_place(&self) -> bool {
        self.lists & IN_PLACE != 0 || self.lists & IS_PLACE != 0 && self.lists & IS_COMMON == 0
    }

    /// Whether it has at most four letters.
    pub(super) fn is_short(&self) -> bool {
        self.length <= 4
    }

    /// Whether its whole sentence is in lower case.
    pub(super) fn in_lower_case(&self) -> bool {
        self.case == 1
    }

    /// Whether it is in capitals where others are not.
    pub(super) fn is_acronym(&self) -> bool {
        self.upper && !self.letter && self.case != 2
    }

    /// Which table of transitions leads to it.
    pub(super) fn class(&self) -> usize {
        match (self.sign, self.capital) {
            (b'.', _) => 0,
            (1.., _) => 1,
            (0, false) => 2 + usize::from(self.lists & (IS_FIRST | IS_LAST | IS_PLACE) != 0),
            (0, true) if self.lists & IS_COMMON != 0 => 4,
            (0, true) if self.lists & (IS_FIRST | IS_LAST) != 0 => 5,
            (0, true) if self.lists & (IS_PLACE | BEGINS_PLACE) != 0 => 6,
            (0, true) => 7,
        }
    }
}

/// Tables that turn text into features.
#[derive(Debug)]
pub(super) struct Lexicon {
    gazetteer: Gazetteer,
    pub(super) groups: Groups,
}

pub(super) fn mix(a: u64, b: u64) -> u64 {
    (a ^ b.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn hash(s: &str) -> u64 {
    s.bytes().fold(0xcbf2_9ce4_8422_2325, |h, c| (h ^ u64::from(c)).wrapping_mul(0x0100_0000_01b3))
}

impl Lexicon {
    pub(super) fn new() -> Self {
        Lexicon { gazetteer: Gazetteer::new(), groups: Groups::new() }
    }

    /// The words of a text, from its tokens.
    pub(super) fn words(&self, text: &str, tokens: &[Token], out: &mut Vec<Word>) {
        out.clear();
        for token in tokens {
            let s = text.get(token.start..token.end).unwrap_or_default();
            out.push(self.word(s, token));
        }
        // Places of two and three words.
        for i in 0..tokens.len() {
            if out.get(i).is_some_and(|w| w.lists & BEGINS_PLACE != 0) {
                let plain = |k: usize| out.get(k).filter(|w| w.sign == 0).map(|w| w.low);
                let two = plain(i).zip(plain(i + 1)).map(|(a, b)| join(a, b));
                let three = two.zip(plain(i + 2)).map(|(a, b)| join(a, b));
                let len = if three.is_some_and(|h| self.gazetteer.phrase(h)) {
                    3
                } else if two.is_some_and(|h| self.gazetteer.phrase(h)) {
                    2
                } else {
                    0
                };
                for (k, word) in out.iter_mut().skip(i).take(len).enumerate() {
                    word.lists |= if k == 0 { STARTS_PLACE } else { ENDS_PLACE };
                }
            }
        }
        // How each sentence is written.
        let mut from = 0;
        while from < out.len() {
            let len = out.iter().skip(from + 1).take_while(|w| !w.first).count() + 1;
            let sentence = out.get_mut(from..from + len).unwrap_or_default();
            let words = sentence.iter().filter(|w| w.sign == 0).count();
            let capital = sentence.iter().filter(|w| w.capital).count();
            let upper = sentence.iter().filter(|w| w.upper).count();
            let case = if words == 0 || (capital > 0 && 5 * capital < 3 * words) {
                0
            } else if capital == 0 {
                1
            } else if 5 * upper >= 4 * words {
                2
            } else if words > 3 {
                3
            } else {
                0
            };
            sentence.iter_mut().for_each(|w| w.case = case);
            from += len;
        }
    }

    fn word(&self, s: &str, token: &Token) -> Word {
        let mut w = Word { first: token.first, ..Word::default() };
        if !token.word {
            w.sign = s.as_bytes().first().copied().unwrap_or(1).max(1);
            w.exact = hash(s);
            w.low = w.exact;
            w.shape = mix(7, u64::from(w.sign));
            return w;
        }
        w.exact = hash(s);
        w.low = word_hash(s);
        w.capital = s.starts_with(char::is_uppercase);
        let mut shape = 1u64;
        let mut last = 0;
        let mut repeat = 0;
        let mut n = 0u8;
        w.upper = w.capital;
        for c in s.chars().take(40) {
            w.upper &= !c.is_lowercase();
            let kind = if c.is_uppercase() {
                1
            } else if c.is_lowercase() {
                2
            } else if c.is_numeric() {
                3
            } else if c == '-' {
                4
            } else if c == '\'' {
                5
            } else {
                6
            };
            repeat = if kind == last { repeat + 1 } else { 0 };
            if repeat < 2 {
                shape = mix(shape, kind);
            }
            last = kind;
            n += 1;
        }
        w.letter = n == 1;
        w.length = n;
        w.shape = mix(shape, u64::from(n == 1));
        let mut h = 11;
        for (slot, c) in w.prefixes.iter_mut().zip(s.chars()) {
            h = mix(h, c as u64);
            *slot = h;
        }
        let mut h = 13;
        for (slot, c) in w.suffixes.iter_mut().zip(s.chars().rev()) {
            h = mix(h, c as u64);
            *slot = h;
        }
        w.lists = self.gazetteer.word(w.low);
        if self.groups.of(w.low) == Some(Group::Title) && s.starts_with(char::is_uppercase) {
            w.lists |= IS_TITLE;
        }
        w
    }
}

const EDGE: Word = Word {
    exact: 1,
    low: 1,
    shape: 1,
    prefixes: [0; 4],
    suffixes: [0; 4],
    lists: 0,
    first: false,
    capital: false,
    letter: false,
    sign: 0,
    length: 0,
    case: 0,
    upper: false,
};

/// The buckets of a token's features.
pub(super) fn features(words: &[Word], i: usize) -> [u32; FEATURES] {
    let at = |d: isize| i.checked_add_signed(d).and_then(|k| words.get(k)).copied().unwrap_or(EDGE);
    let (w, l, ll, r, rr) = (at(0), at(-1), at(-2), at(1), at(2));
    let flags = u64::from(w.first) * 4 + u64::from(w.case) + 2;
    let lists = |w: Word| u64::from(w.lists) + 3;
    let listed = mix(lists(w), w.shape);
    let all = [
        w.exact,
        w.low,
        l.low,
        r.low,
        ll.low,
        rr.low,
        mix(l.low, w.low),
        mix(w.low, r.low),
        mix(l.low, r.low),
        w.prefixes[0],
        w.prefixes[1],
        w.prefixes[2],
        w.prefixes[3],
        w.suffixes[0],
        w.suffixes[1],
        w.suffixes[2],
        w.suffixes[3],
        mix(w.shape, flags),
        mix(l.shape, w.shape),
        mix(w.shape, r.shape),
        mix(mix(l.shape, w.shape), r.shape),
        mix(mix(ll.shape, l.shape), w.shape),
        listed,
        mix(listed, lists(r)),
        mix(listed, lists(l)),
        mix(mix(listed, lists(l)), lists(r)),
        mix(listed, flags),
        mix(l.low, w.shape),
        mix(r.low, w.shape),
        mix(mix(l.low, ll.low), w.shape),
        mix(mix(r.low, rr.low), w.shape),
        mix(l.low, listed),
        mix(r.low, listed),
        mix(l.suffixes[2], w.shape),
        mix(r.suffixes[2], w.shape),
        mix(w.suffixes[2], flags),
        mix(ll.low, w.shape),
        mix(rr.low, w.shape),
        flags,
    ];
    let mut out = [0; FEATURES];
    for (i, (slot, value)) in out.iter_mut().zip(all).enumerate() {
        *slot = (mix(value, i as u64 + 101) >> 42) as u32;
    }
    out
}
