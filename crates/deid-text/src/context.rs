//! Words near a candidate that speak for an entity: "passport", "número de cuenta", "住所".
//!
//! Words are compared whole, lower-cased, without accents and without a plural s; phrases as
//! sequences of words. The window is six words before a candidate and three after it; it ends
//! with the sentence, the line or the table cell, except that a label may stand on the line before.
//! In scripts that don't separate words a phrase may stand anywhere in the window.

mod words;

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;
use unicode_normalization::char::decompose_canonical;

pub(crate) use words::Words;

use crate::recognizer::table::EntityRow;

/// Words before a candidate that are looked at.
const BEFORE: usize = 6;
/// Words after it.
pub(crate) const AFTER: usize = 3;
/// Words after the first part of a candidate among which a later look might find one.
pub(crate) const AHEAD: usize = 7;
/// Bits that say at once of most words that they begin no phrase.
const KNOWN: usize = 1 << 16;
/// Begins no phrase.
const NONE: u32 = u32::MAX;

/// A phrase that stood near a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) phrase: u32,
    /// Words between it and the candidate.
    pub(crate) distance: u8,
    pub(crate) words: u8,
    pub(crate) after: bool,
}

/// A set of entities, a bit for each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Near(Vec<u64>);

impl Near {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn add(&mut self, entity: u16) {
        let word = usize::from(entity) >> 6;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        if let Some(w) = self.0.get_mut(word) {
            *w |= 1 << (entity & 63);
        }
    }

    fn join(&mut self, other: &Near) {
        if other.0.len() > self.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(w, o)| *w |= o);
    }

    pub(crate) fn meets(&self, other: &Near) -> bool {
        self.0.iter().zip(&other.0).any(|(w, o)| w & o != 0)
    }

    pub(crate) fn has(&self, entity: u16) -> bool {
        self.0.get(usize::from(entity) >> 6).is_some_and(|w| w >> (entity & 63) & 1 == 1)
    }
}

#[derive(Debug)]
struct Phrase {
    words: Vec<u64>,
    /// A bit for each entity it speaks for.
    entities: Near,
    text: Arc<str>,
    generic: bool,
}

/// Words that stand in the names of many kinds of numbers.
const GENERIC: [&str; 15] = [
    "number",
    "id",
    "identity",
    "identification",
    "document",
    "national",
    "registration",
    "account",
    "address",
    "contact",
    "text",
    "card",
    "tax",
    "license",
    "licence",
];

/// Names of numbers that are nobody's.
const NEUTRAL: [&str; 24] = [
    "order number",
    "invoice number",
    "ticket number",
    "tracking number",
    "part number",
    "model number",
    "serial number",
    "version number",
    "room number",
    "line number",
    "page number",
    "reference number",
    "build number",
    "flight number",
    "item number",
    "batch number",
    "lot number",
    "port number",
    "issue number",
    "article number",
    "product number",
    "atomic number",
    "random number",
    "house number",
];

/// Stands for no entity.
const NOBODY: u16 = u16::MAX;

/// All phrases of all entities.
#[derive(Debug, Default)]
pub(crate) struct ContextTable {
    phrases: Vec<Phrase>,
    /// The phrases that begin with a word: hash to a list in `lists`.
    first: HashMap<u64, u32, FixedState>,
    lists: Vec<Vec<u32>>,
    /// A bit for each of the last bits of these hashes.
    known: Vec<u64>,
    /// Phrases of scripts without blanks between words, by their first character.
    dense: HashMap<char, Vec<(String, u32)>, FixedState>,
}

impl ContextTable {
    pub(crate) fn new(entities: &[EntityRow]) -> Self {
        let mut table = ContextTable::default();
        let mut known = HashMap::new();
        for (id, entity) in entities.iter().enumerate() {
            for phrase in &entity.context {
                table.add(&mut known, phrase, id as u16);
            }
        }
        for phrase in NEUTRAL {
            table.add(&mut known, phrase, NOBODY);
        }
        table
    }

    /// Adds phrases for an entity of the caller's.
    pub(crate) fn extend(&mut self, phrases: &[String], entity: u16) {
        let mut known = HashMap::new();
        for phrase in phrases {
            self.add(&mut known, phrase, entity);
        }
    }

    fn add(&mut self, known: &mut HashMap<Vec<u64>, u32>, text: &str, entity: u16) {
        let words: Vec<u64> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
            .map(word_hash)
            .collect();
        let Some(&first) = words.first() else { return };
        let id = *known.entry(words.clone()).or_insert_with(|| {
            let id = self.phrases.len() as u32;
            if let Some(first) = text.chars().next().filter(|_| text.chars().any(is_dense)) {
                self.dense.entry(first).or_default().push((text.to_lowercase(), id));
            }
            let lists = &mut self.lists;
            let list = *self.first.entry(first).or_insert_with(|| {
                lists.push(Vec::new());
                lists.len() as u32 - 1
            });
            if let Some(list) = lists.get_mut(list as usize) {
                list.push(id);
            }
            self.known.resize(KNOWN / 64, 0);
            if let Some(word) = self.known.get_mut(first as usize % KNOWN / 64) {
                *word |= 1 << (first % 64);
            }
            self.phrases.push(Phrase {
                words,
                entities: Near::default(),
                text: text.into(),
                generic: GENERIC.contains(&text),
            });
            id
        });
        if let Some(phrase) = self.phrases.get_mut(id as usize)
            && entity != NOBODY
        {
            phrase.entities.add(entity);
        }
    }

    /// The words of a phrase, as they stand in the tables.
    pub(crate) fn text(&self, phrase: u32) -> Arc<str> {
        self.phrases.get(phrase as usize).map_or_else(|| "".into(), |p| Arc::clone(&p.text))
    }

    /// All entities that one of the phrases speaks for.
    pub(crate) fn near(&self, hits: &[Hit], near: &mut Near) {
        for phrase in hits.iter().filter_map(|h| self.phrases.get(h.phrase as usize)) {
            near.join(&phrase.entities);
        }
    }

    /// Whether a phrase speaks for an entity.
    pub(crate) fn speaks_for(&self, phrase: u32, entity: u16) -> bool {
        self.phrases.get(phrase as usize).is_some_and(|p| p.entities.has(entity))
    }

    /// Which phrases begin with a word; [`NONE`] for most words.
    fn first_of(&self, hash: u64) -> u32 {
        let word = self.known.get(hash as usize % KNOWN / 64).copied().unwrap_or(0);
        if word >> (hash % 64) & 1 == 0 {
            return NONE;
        }
        self.first.get(&hash).copied().unwrap_or(NONE)
    }

    /// Phrases before the byte `start`.
    pub(crate) fn before(&self, words: &mut Words, text: &str, start: usize, hits: &mut Vec<Hit>) {
        words.before(self, text, start, hits);
    }

    /// Phrases among the `most` words after the byte `end`, on the same line.
    pub(crate) fn after(
        &self,
        words: &mut Words,
        text: &str,
        end: usize,
        most: usize,
        hits: &mut Vec<Hit>,
    ) {
        words.after(self, text, end, most, hits);
    }

    /// In "passport number" the word "number" says nothing for telephone numbers.
    fn drop_generic(&self, first: usize, hits: &mut Vec<Hit>) {
        let longest = hits.iter().skip(first).map(|h| h.words).max().unwrap_or(0);
        if longest < 2 {
            return;
        }
        let phrases: Vec<Hit> = hits.iter().skip(first).filter(|h| h.words > 1).copied().collect();
        let mut i = 0;
        hits.retain(|h| {
            i += 1;
            let within =
                |p: &Hit| p.distance <= h.distance && h.distance + h.words <= p.distance + p.words;
            i <= first || !self.is_generic(h.phrase) || !phrases.iter().any(within)
        });
    }

    /// Whether a phrase is a word that stands in the names of many kinds of numbers.
    pub(crate) fn is_generic(&self, phrase: u32) -> bool {
        self.phrases.get(phrase as usize).is_some_and(|p| p.generic)
    }

    /// The phrases that stand at the word `i`, and of how many words they are.
    fn at(&self, words: &[(u64, u32)], i: usize, mut found: impl FnMut(u32, usize)) {
        let Some((&(_, first), rest)) = words.get(i..).and_then(<[_]>::split_first) else { return };
        if first == NONE {
            return;
        }
        for &id in self.lists.get(first as usize).map_or(&[][..], |l| l) {
            let Some(phrase) = self.phrases.get(id as usize) else { continue };
            let more = phrase.words.get(1..).unwrap_or_default();
            if more.len() <= rest.len() && more.iter().zip(rest).all(|(p, (w, _))| p == w) {
                found(id, phrase.words.len());
            }
        }
    }

    /// The phrases of scripts without blanks that stand at the byte `i`, and their bytes.
    fn dense_at(&self, text: &str, i: usize, mut found: impl FnMut(u32, usize)) {
        let Some(rest) = text.get(i..) else { return };
        let list = rest.chars().next().and_then(|c| self.dense.get(&c));
        for (phrase, id) in list.map_or(&[][..], |l| l) {
            if rest.starts_with(phrase.as_str()) {
                found(*id, phrase.len());
            }
        }
    }
}

pub(crate) fn floor(text: &str, mut at: usize) -> usize {
    while at > 0 && !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Scripts that are written without blanks between words, or with particles joined to them.
pub(crate) fn is_dense(c: char) -> bool {
    matches!(c as u32, 0xe00..=0xeff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x3040..=0x30ff
        | 0x3400..=0x9fff | 0xac00..=0xd7af | 0xf900..=0xfaff | 0x20000..=0x3ffff)
}

/// The hash of no letters, and of some with another.
const EMPTY: u64 = 0xcbf2_9ce4_8422_2325;

#[inline]
fn with_letter(hash: u64, letter: u32) -> u64 {
    (hash ^ u64::from(letter)).wrapping_mul(0x0100_0000_01b3)
}

/// The hash under which a word is compared: lower-cased, without accents and plural s.
pub(crate) fn word_hash(word: &str) -> u64 {
    let bytes = word.as_bytes();
    let whole = |bytes: &[u8]| {
        bytes.iter().fold(EMPTY, |h, c| with_letter(h, u32::from(c.to_ascii_lowercase())))
    };
    match bytes {
        _ if !bytes.is_ascii() => {}
        [stem @ .., b's' | b'S'] if bytes.len() > 3 => return whole(stem),
        _ => return whole(bytes),
    }
    let mut hash = EMPTY;
    let mut previous = hash;
    let mut last = '\0';
    let mut length = 0;
    let mut push = |c: char| {
        previous = hash;
        last = c;
        length += 1;
        hash = with_letter(hash, c as u32);
    };
    for c in word.chars() {
        if c.is_ascii() {
            push(c.to_ascii_lowercase());
        } else {
            for c in c.to_lowercase() {
                let mut base = None;
                decompose_canonical(c, |d| {
                    base.get_or_insert(d);
                });
                push(base.unwrap_or(c));
            }
        }
    }
    if last == 's' && length > 3 { previous } else { hash }
}

/// The end of the ASCII letters and digits from `start` on, of at most `most` bytes, and what
/// [`word_hash`] gives for them.
#[inline]
fn ascii_word(b: &[u8], start: usize, most: usize) -> (usize, u64) {
    let (mut hash, mut stem) = (EMPTY, EMPTY);
    let mut i = start;
    let window = b.get(..b.len().min(start + most)).unwrap_or_default();
    while let Some(c) = window.get(i).filter(|c| c.is_ascii_alphanumeric()) {
        (stem, hash) = (hash, with_letter(hash, u32::from(c | 32)));
        i += 1;
    }
    let plural = i > start + 3 && b.get(i - 1).is_some_and(|c| c | 32 == b's');
    (i, if plural { stem } else { hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> ContextTable {
        let row = |context| EntityRow {
            name: "X",
            country: "",
            what: "",
            example: "",
            false_positives: "",
            context,
        };
        ContextTable::new(&[
            row(vec!["social insurance number", "lic", "número"]),
            row(vec!["身份证"]),
        ])
    }

    fn found(text: &str) -> Vec<(u16, u8)> {
        let table = table();
        let at = text.find('9').unwrap();
        let mut hits = Vec::new();
        let mut words = Words::default();
        table.before(&mut words, text, at, &mut hits);
        table.after(&mut words, text, at + 1, AFTER, &mut hits);
        let entity = |h: &Hit| u16::from(table.speaks_for(h.phrase, 1));
        hits.iter().map(|h| (entity(h), h.distance)).collect()
    }

    #[test]
    fn phrases_words_and_scripts() {
        assert_eq!(found("His Social Insurance Numbers are 9"), [(0, 1)]);
        assert_eq!(found("Numero: 9"), [(0, 0)]);
        assert_eq!(found("他的身份证号是9"), [(1, 1)]);
        assert_eq!(found("9 (lic)"), [(0, 0)]);
        assert_eq!(found("Social Insurance Number\n9"), [(0, 0)]);
    }

    #[test]
    fn what_is_not_context() {
        assert_eq!(found("the public policy 9"), []);
        assert_eq!(found("The lic was sent yesterday. Then 9"), []);
        assert_eq!(found("9 lic: 8"), []);
        assert_eq!(found("lic\n\nword\nother 9"), []);
    }
}
