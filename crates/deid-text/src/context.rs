//! Words near a candidate that speak for an entity: "passport", "número de cuenta", "住所".
//!
//! Words are compared whole, lower-cased, without accents and without a plural s; phrases as
//! sequences of words. The window is six words before a candidate and three after it; it ends
//! with the sentence, the line or the table cell, except that a label may stand on the line before.
//! In scripts that don't separate words a phrase may stand anywhere in the window.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;
use unicode_normalization::char::decompose_canonical;

use crate::recognizer::table::EntityRow;

/// Words before a candidate that are looked at.
const BEFORE: usize = 6;
/// Words after it.
pub(crate) const AFTER: usize = 3;
/// Words after the first part of a candidate among which a later look might find one.
pub(crate) const AHEAD: usize = 7;
/// Bytes looked at, so that hostile "words" cost no more than others.
const REACH: usize = 160;

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

    fn add(&mut self, entity: u16) {
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
    first: HashMap<u64, Vec<u32>, FixedState>,
    /// Phrases of scripts without blanks between words.
    dense: Vec<(String, u32)>,
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
            if text.chars().any(is_dense) {
                self.dense.push((text.to_lowercase(), id));
            }
            self.first.entry(first).or_default().push(id);
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

    /// Phrases before the byte `start`.
    pub(crate) fn before(&self, text: &str, start: usize, hits: &mut Vec<Hit>) {
        let mut words = [0u64; BEFORE];
        let mut count = 0;
        let from = floor(text, start.saturating_sub(REACH));
        let Some(window) = text.get(from..start) else { return };
        let mut dense = false;
        let mut crossed = false;
        let mut end = None;
        let mut reached = 0;
        for (i, c) in window.char_indices().rev() {
            if c.is_ascii_alphanumeric() || (!c.is_ascii() && c.is_alphanumeric()) {
                dense |= is_dense(c);
                end.get_or_insert(i + c.len_utf8());
                continue;
            }
            if let Some(word_end) = end.take() {
                let Some(word) = window.get(i + c.len_utf8()..word_end) else { break };
                let Some(slot) = words.get_mut(count) else { break };
                *slot = word_hash(word);
                count += 1;
                reached = i;
                if count == BEFORE {
                    break;
                }
            }
            match c {
                '\n' | '|' | '\t' if count > 0 || crossed => break,
                '\n' => crossed = true,
                '!' | '?' | ';' if count > 0 => break,
                '.' if count > 0 && ends_sentence(window, i) => break,
                _ => {}
            }
        }
        if let (Some(word_end), true) = (end, count < BEFORE) {
            // The window begins with a word; cut words hash to something else and do no harm.
            if let (Some(word), Some(slot)) = (window.get(..word_end), words.get_mut(count)) {
                *slot = word_hash(word);
                count += 1;
                reached = 0;
            }
        }
        let Some(words) = words.get_mut(..count) else { return };
        words.reverse();
        let first = hits.len();
        for i in 0..words.len() {
            self.at(words, i, |phrase, len| {
                let distance = (words.len() - i - len) as u8;
                hits.push(Hit { phrase, distance, words: len as u8, after: false });
            });
        }
        self.drop_generic(first, hits);
        if dense {
            self.dense_in(window.get(reached..).unwrap_or_default(), false, hits);
        }
    }

    /// Phrases after the byte `end`, on the same line.
    pub(crate) fn after(&self, text: &str, end: usize, most: usize, hits: &mut Vec<Hit>) {
        let to = floor(text, (end + REACH / 2).min(text.len()));
        let Some(window) = text.get(end..to) else { return };
        let mut words = [0u64; AHEAD];
        let mut count = 0;
        let mut start = None;
        let mut dense = false;
        let mut stop = window.len();
        for (i, c) in window.char_indices() {
            if c.is_alphanumeric() {
                dense |= is_dense(c);
                start.get_or_insert(i);
                continue;
            }
            if let Some(from) = start.take() {
                // A word with a colon is the label of what comes next.
                if matches!(c, ':' | '=' | '#') {
                    stop = from;
                    break;
                }
                if let (Some(word), Some(slot)) = (window.get(from..i), words.get_mut(count)) {
                    *slot = word_hash(word);
                    count += 1;
                }
            }
            if matches!(c, '\n' | '|' | '\t' | ';' | '.' | '!' | '?') || count >= most {
                stop = i;
                break;
            }
        }
        if let (Some(from), true) = (start, stop == window.len())
            && let (Some(word), Some(slot)) = (window.get(from..), words.get_mut(count))
        {
            *slot = word_hash(word);
            count += 1;
        }
        let words = words.get(..count).unwrap_or_default();
        let first = hits.len();
        for i in 0..words.len() {
            self.at(words, i, |phrase, len| {
                hits.push(Hit { phrase, distance: i as u8, words: len as u8, after: true });
            });
        }
        self.drop_generic(first, hits);
        if dense {
            self.dense_in(window.get(..stop).unwrap_or_default(), true, hits);
        }
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

    fn at(&self, words: &[u64], i: usize, mut found: impl FnMut(u32, usize)) {
        let Some(rest) = words.get(i..) else { return };
        let Some(candidates) = rest.first().and_then(|w| self.first.get(w)) else { return };
        for &id in candidates {
            if let Some(phrase) = self.phrases.get(id as usize)
                && rest.starts_with(&phrase.words)
            {
                found(id, phrase.words.len());
            }
        }
    }

    fn dense_in(&self, window: &str, after: bool, hits: &mut Vec<Hit>) {
        for (text, phrase) in &self.dense {
            if window.contains(text.as_str()) {
                hits.push(Hit { phrase: *phrase, distance: 1, words: 1, after });
            }
        }
    }
}

/// Whether the full stop at `at` ends a sentence: a longer word before it and a blank after it.
fn ends_sentence(window: &str, at: usize) -> bool {
    let blank_after = window.as_bytes().get(at + 1).is_none_or(u8::is_ascii_whitespace);
    let word = window.bytes().take(at).rev();
    blank_after && window.is_char_boundary(at) && {
        let before = window.as_bytes().get(..at).unwrap_or_default();
        before.iter().rev().take_while(|b| b.is_ascii_alphanumeric() || **b >= 0x80).count() >= 5
            && word.size_hint().0 > 0
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

/// The hash under which a word is compared: lower-cased, without accents and plural s.
pub(crate) fn word_hash(word: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut previous = hash;
    let mut last = '\0';
    let mut length = 0;
    let mut push = |c: char| {
        previous = hash;
        last = c;
        length += 1;
        hash = (hash ^ u64::from(c as u32)).wrapping_mul(0x0100_0000_01b3);
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
        table.before(text, at, &mut hits);
        table.after(text, at + 1, AFTER, &mut hits);
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
