//! The built-in tagger: an averaged perceptron over hashed features, decoded from left to right.
//!
//! Features are hashed to 2²² buckets, of which the model keeps those that matter: a bitmap says which,
//! and each has 8-bit weights for seven labels (O, and B/I for persons, places, organizations). They look at a word, its neighbours, their shapes and affixes, the labels
//! before it and the gazetteers.

use std::borrow::Cow;
use std::collections::HashSet;

use foldhash::fast::FixedState;

use super::gazetteer::{BEGINS_PLACE, Gazetteer, IS_COMPANY, join};
use super::lists::{Group, Groups};
use super::tokens::{Token, tokenize};
use super::{Name, NerBackend};
use crate::context::word_hash;
use crate::entity::Entity;
use crate::error::Result;

/// 2²² buckets.
pub(super) const BUCKETS: usize = 1 << 22;
/// O, B-PER, I-PER, B-LOC, I-LOC, B-ORG, I-ORG.
pub(super) const LABELS: usize = 7;
/// Features of a token.
pub(super) const FEATURES: usize = 36;

const MODEL: &[u8] = include_bytes!("../../data/names/model.bin");
/// What a model file begins with.
pub(super) const MAGIC: &[u8; 4] = b"DTN2";

/// A word as features see it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Word {
    exact: u64,
    low: u64,
    shape: u64,
    prefixes: [u64; 4],
    suffixes: [u64; 4],
    pub(super) lists: u8,
    first: bool,
    capital: bool,
    sign: u8,
}

impl Word {
    #[cfg(feature = "train")]
    pub(super) fn is_first(&self) -> bool {
        self.first
    }
}

/// Tables that turn text into features.
#[derive(Debug)]
pub(super) struct Lexicon {
    gazetteer: Gazetteer,
    pub(super) groups: Groups,
}

fn mix(a: u64, b: u64) -> u64 {
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
                    word.lists |= if k == 0 { 32 } else { 64 };
                }
            }
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
        let mut n = 0;
        for c in s.chars().take(40) {
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
            w.lists |= 128;
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
    sign: 0,
};

/// The buckets of a token's features, given the labels of the two tokens before it.
pub(super) fn features(
    words: &[Word],
    i: usize,
    previous: usize,
    before: usize,
) -> [u32; FEATURES] {
    let at = |d: isize| i.checked_add_signed(d).and_then(|k| words.get(k)).copied().unwrap_or(EDGE);
    let (w, l, ll, r, rr) = (at(0), at(-1), at(-2), at(1), at(2));
    let tag = previous as u64 + 1;
    let tags = tag * 8 + before as u64;
    let flags = u64::from(w.first) + 2;
    let lists = |w: Word| u64::from(w.lists) + 3;
    let all = [
        w.exact,
        w.low,
        l.low,
        r.low,
        ll.low,
        rr.low,
        mix(l.low, w.low),
        mix(w.low, r.low),
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
        tag,
        tags,
        mix(tag, w.low),
        mix(tag, w.shape),
        mix(lists(w), w.shape),
        mix(lists(w), mix(lists(r), w.shape)),
        mix(lists(w), mix(lists(l), tag)),
        mix(tags, mix(lists(w), w.shape)),
        mix(tag, l.low),
        mix(tag, r.low),
        mix(l.low, w.shape),
        mix(r.low, w.shape),
        mix(mix(l.low, ll.low), w.shape),
        mix(mix(r.low, rr.low), w.shape),
        mix(lists(r), tag),
        flags,
    ];
    let mut out = [0; FEATURES];
    for (i, (slot, value)) in out.iter_mut().zip(all).enumerate() {
        *slot = (mix(value, i as u64 + 101) >> 42) as u32;
    }
    out
}

/// Whether label `next` may follow `previous`: I only inside the same kind.
pub(super) fn may_follow(previous: usize, next: usize) -> bool {
    !matches!(next, 2 | 4 | 6) || previous == next || previous + 1 == next
}

/// The tagger with its weights.
pub(crate) struct Tagger {
    /// Which buckets are kept, 64 to a word, and how many are kept before each word.
    kept: Vec<(u64, u32)>,
    weights: Vec<[i8; 8]>,
    /// What a margin is divided by to become a confidence.
    scale: f32,
    lexicon: Lexicon,
    kinds: [Entity; 5],
}

impl Tagger {
    pub(crate) fn load() -> Option<Self> {
        Tagger::from_bytes(MODEL)
    }

    pub(super) fn from_bytes(model: &[u8]) -> Option<Self> {
        let (scale, rest) = model.strip_prefix(MAGIC)?.split_first_chunk::<4>()?;
        let (bitmap, weights) = rest.split_at_checked(BUCKETS / 8)?;
        let mut total = 0u32;
        let words = bitmap.as_chunks::<8>().0.iter().map(|bytes| {
            let word = u64::from_le_bytes(*bytes);
            let before = total;
            total += word.count_ones();
            (word, before)
        });
        let kept: Vec<(u64, u32)> = words.collect();
        if weights.len() != total as usize * LABELS {
            return None;
        }
        let weights = weights
            .chunks_exact(LABELS)
            .map(|chunk| {
                let mut row = [0i8; 8];
                for (slot, w) in row.iter_mut().zip(chunk) {
                    *slot = *w as i8;
                }
                row
            })
            .collect();
        let kinds = ["PERSON", "LOCATION", "ORGANIZATION", "NRP", "TITLE"].map(Entity::exact);
        Some(Tagger {
            kept,
            weights,
            scale: f32::from_le_bytes(*scale).max(1e-3),
            lexicon: Lexicon::new(),
            kinds,
        })
    }

    fn scores(&self, features: &[u32; FEATURES]) -> [i32; 8] {
        let mut sums = [0i32; 8];
        for f in features {
            let Some((word, before)) = self.kept.get(*f as usize >> 6) else { continue };
            let bit = f & 63;
            if word >> bit & 1 == 0 {
                continue;
            }
            let index = *before + (word & ((1 << bit) - 1)).count_ones();
            if let Some(row) = self.weights.get(index as usize) {
                for (sum, w) in sums.iter_mut().zip(row) {
                    *sum += i32::from(*w);
                }
            }
        }
        sums
    }
}

impl NerBackend for Tagger {
    fn name(&self) -> Cow<'static, str> {
        "built-in tagger".into()
    }

    fn tag(&self, text: &str) -> Result<Vec<Name>> {
        let mut tokens = Vec::new();
        tokenize(text, &mut tokens);
        let mut words = Vec::with_capacity(tokens.len());
        self.lexicon.words(text, &tokens, &mut words);
        let lower: HashSet<u64, FixedState> =
            words.iter().filter(|w| w.sign == 0 && !w.capital).map(|w| w.low).collect();
        let mut names: Vec<Name> = Vec::new();
        let (mut previous, mut before) = (0, 0);
        let mut open: Option<(usize, usize, usize, i32)> = None;
        for (i, token) in tokens.iter().enumerate() {
            if token.first {
                (previous, before) = (0, 0);
            }
            let sums = self.scores(&features(&words, i, previous, before));
            let label = (0..LABELS)
                .filter(|l| may_follow(previous, *l))
                .max_by_key(|l| sums[*l])
                .unwrap_or(0);
            let margin = sums[label] - sums[0];
            let starts = matches!(label, 1 | 3 | 5);
            if starts || label == 0 || token.first {
                self.close(&mut open, &tokens, &words, &lower, &mut names);
            }
            if starts {
                open = Some((label / 2, token.start, token.end, margin));
            } else if label != 0 {
                match &mut open {
                    Some((_, _, end, least)) => (*end, *least) = (token.end, (*least).min(margin)),
                    None => open = Some((label / 2 - 1, token.start, token.end, margin)),
                }
            }
            (before, previous) = (previous, label);
            self.group(text, &words, i, token, label, &mut names);
        }
        self.close(&mut open, &tokens, &words, &lower, &mut names);
        Ok(names)
    }
}

impl Tagger {
    fn close(
        &self,
        open: &mut Option<(usize, usize, usize, i32)>,
        tokens: &[Token],
        words: &[Word],
        lower: &HashSet<u64, FixedState>,
        names: &mut Vec<Name>,
    ) {
        if let Some((kind, start, end, margin)) = open.take()
            && let Some(entity) = self.kinds.get(kind)
        {
            let sure = 1.0 - 0.7 * (-(margin as f32) / self.scale).exp();
            // Organizations are the least certain kind: without a word such as "Ltd" or "Bank" they
            // stay below the default threshold.
            let inside = || {
                let from = tokens.partition_point(|t| t.start < start);
                tokens.iter().zip(words).skip(from).take_while(|(t, _)| t.end <= end)
            };
            let company = || inside().any(|(_, w)| w.capital && w.lists & IS_COMPANY != 0);
            // A term that the same text also writes in lower case is no name: "Licensor", "Work".
            let term = inside()
                .filter(|(_, w)| w.sign == 0)
                .all(|(_, w)| w.capital && lower.contains(&w.low));
            let score = match (kind, term) {
                (_, true) => sure * 0.35,
                (2, _) if !company() => sure * 0.41,
                _ => sure,
            };
            names.push(Name {
                entity: entity.clone(),
                range: start..end,
                score: score.clamp(0.0, 0.95),
            });
        }
    }

    fn group(
        &self,
        text: &str,
        words: &[Word],
        i: usize,
        token: &Token,
        label: usize,
        names: &mut Vec<Name>,
    ) {
        let Some(word) = words.get(i).filter(|w| w.sign == 0) else { return };
        let s = text.get(token.start..token.end).unwrap_or_default();
        if !s.starts_with(char::is_uppercase) {
            return;
        }
        let (kind, score) = match self.lexicon.groups.of(word.low) {
            Some(Group::Nrp) if label == 0 => (3, 0.6),
            Some(Group::Title) if label == 0 => {
                // A title stands before a name.
                let dot = words.get(i + 1).is_some_and(|w| w.sign == b'.');
                let next = words.get(i + if dot { 2 } else { 1 });
                if !next.is_some_and(|w| w.sign == 0 && w.lists & 3 != 0) {
                    return;
                }
                (4, 0.5)
            }
            _ => return,
        };
        if let Some(entity) = self.kinds.get(kind) {
            names.push(Name { entity: entity.clone(), range: token.start..token.end, score });
        }
    }
}

impl std::fmt::Debug for Tagger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tagger").field("scale", &self.scale).finish_non_exhaustive()
    }
}
