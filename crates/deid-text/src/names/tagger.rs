//! The built-in tagger: a linear-chain conditional random field over hashed features.
//!
//! Features are hashed to 2²² buckets, of which the model keeps those that matter: a bitmap says which,
//! and each has 8-bit weights for seven labels (O, and B/I for persons, places, organizations).
//! Eight tables of transitions depend on what kind of word is entered. The labels of a sentence
//! are decoded by Viterbi's algorithm; a name's confidence is its exact marginal probability.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;

use super::features::{BUCKETS, FEATURES, Lexicon, Word, features};
use super::gazetteer::{IS_FIRST, IS_LAST};
use super::judge::{is_language, says_group, within};
use super::lists::Group;
use super::tokens::{Token, tokenize};
use super::{Name, NerBackend};
use crate::entity::Entity;
use crate::error::Result;
use crate::technical::{Register, register};

/// O, B-PER, I-PER, B-LOC, I-LOC, B-ORG, I-ORG.
pub(super) const LABELS: usize = 7;
/// Kinds of words that transitions tell apart; see [`Word::class`].
pub(super) const CLASSES: usize = 8;
/// Scores of going from a label (row) to a label (column), for each class of the word entered.
pub(super) type Edges = [[[f32; LABELS]; LABELS]; CLASSES];

const MODEL: &[u8] = include_bytes!("../../data/names/model.bin");
/// What a model file begins with.
pub(super) const MAGIC: &[u8; 4] = b"DTN3";

/// Whether label `next` may follow `previous`: I only inside the same kind.
pub(super) fn may_follow(previous: usize, next: usize) -> bool {
    !matches!(next, 2 | 4 | 6) || previous == next || previous + 1 == next
}

/// The tagger with its weights.
pub(crate) struct Tagger {
    /// Which buckets are kept, 64 to a word, and how many are kept before each word.
    kept: Vec<(u64, u32)>,
    /// Seven weights a bucket.
    weights: Cow<'static, [u8]>,
    /// What one unit of a weight counts.
    unit: f32,
    edges: Box<Edges>,
    pub(super) lexicon: Lexicon,
    pub(super) kinds: [Entity; 5],
}

impl Tagger {
    pub(crate) fn load() -> Option<Self> {
        Tagger::from_bytes(MODEL.into())
    }

    pub(super) fn from_bytes(model: Cow<'static, [u8]>) -> Option<Self> {
        const EDGES: usize = CLASSES * LABELS * LABELS * 4;
        let (unit, rest) = model.strip_prefix(MAGIC)?.split_first_chunk::<4>()?;
        let (table, rest) = rest.split_at_checked(EDGES)?;
        let (bitmap, weights) = rest.split_at_checked(BUCKETS / 8)?;
        let unit = f32::from_le_bytes(*unit);
        let mut edges = Box::new([[[0f32; LABELS]; LABELS]; CLASSES]);
        let slots = edges.iter_mut().flatten().flatten();
        for (slot, bytes) in slots.zip(table.as_chunks::<4>().0) {
            *slot = f32::from_le_bytes(*bytes);
        }
        let mut total = 0u32;
        let words = bitmap.as_chunks::<8>().0.iter().map(|bytes| {
            let word = u64::from_le_bytes(*bytes);
            let before = total;
            total += word.count_ones();
            (word, before)
        });
        let kept: Vec<(u64, u32)> = words.collect();
        if weights.len() != total as usize * LABELS || !unit.is_finite() {
            return None;
        }
        let from = model.len() - weights.len();
        let weights = match model {
            Cow::Borrowed(model) => Cow::Borrowed(model.get(from..)?),
            Cow::Owned(model) => Cow::Owned(model.get(from..)?.to_vec()),
        };
        let kinds = ["PERSON", "LOCATION", "ORGANIZATION", "NRP", "TITLE"].map(Entity::exact);
        Some(Tagger { kept, weights, unit, edges, lexicon: Lexicon::new(), kinds })
    }

    fn scores(&self, features: &[u32; FEATURES]) -> [f32; LABELS] {
        let mut sums = [0i32; LABELS];
        for f in features {
            let Some((word, before)) = self.kept.get(*f as usize >> 6) else { continue };
            let bit = f & 63;
            if word >> bit & 1 == 0 {
                continue;
            }
            let index = (*before + (word & ((1 << bit) - 1)).count_ones()) as usize * LABELS;
            if let Some(row) = self.weights.get(index..index + LABELS) {
                for (sum, w) in sums.iter_mut().zip(row) {
                    *sum += i32::from(*w as i8);
                }
            }
        }
        sums.map(|s| s as f32 * self.unit)
    }

    /// Names of the sentence `from..to` of the tokens.
    fn sentence(
        &self,
        chain: &mut Chain,
        tokens: &[Token],
        words: &[Word],
        range: std::ops::Range<usize>,
        mut found: impl FnMut(usize, usize, usize, f32),
    ) {
        chain.emissions.clear();
        chain.classes.clear();
        for i in range.clone() {
            chain.emissions.push(self.scores(&features(words, i)));
            chain.classes.push(words.get(i).map_or(0, Word::class));
        }
        chain.viterbi(&self.edges);
        if chain.labels.iter().all(|l| *l == 0) {
            return;
        }
        chain.marginals(&self.edges);
        let mut i = 0;
        while let Some(&label) = chain.labels.get(i) {
            if label == 0 {
                i += 1;
                continue;
            }
            let inside = (label - 1) / 2 * 2 + 2;
            let more = chain.labels.iter().skip(i + 1).take_while(|l| **l == inside).count();
            let (first, last) = (range.start + i, range.start + i + more);
            if let (Some(first), Some(last)) = (tokens.get(first), tokens.get(last)) {
                let sure = chain.probability(&self.edges, i, i + more);
                found((label - 1) / 2, first.start, last.end, sure);
            }
            i += more + 1;
        }
    }
}

/// Scores of one sentence, and what is computed from them.
#[derive(Debug, Default)]
pub(super) struct Chain {
    pub(super) emissions: Vec<[f32; LABELS]>,
    pub(super) classes: Vec<usize>,
    pub(super) labels: Vec<usize>,
    back: Vec<[u8; LABELS]>,
    /// Forward and backward sums in logarithms.
    pub(super) alpha: Vec<[f32; LABELS]>,
    pub(super) beta: Vec<[f32; LABELS]>,
    pub(super) total: f32,
}

fn log_sum(values: impl Iterator<Item = f32> + Clone) -> f32 {
    let most = values.clone().fold(f32::NEG_INFINITY, f32::max);
    if most == f32::NEG_INFINITY {
        return most;
    }
    most + values.map(|v| (v - most).exp()).sum::<f32>().ln()
}

impl Chain {
    /// A sentence starts as if after O.
    fn edge(edges: &Edges, class: usize, previous: usize, next: usize) -> f32 {
        if !may_follow(previous, next) {
            return f32::NEG_INFINITY;
        }
        edges.get(class).map_or(0.0, |t| t[previous][next])
    }

    /// The most probable labels.
    pub(super) fn viterbi(&mut self, edges: &Edges) {
        self.back.clear();
        self.labels.clear();
        let mut best = [f32::NEG_INFINITY; LABELS];
        best[0] = 0.0;
        for (emission, class) in self.emissions.iter().zip(&self.classes) {
            let mut next = [f32::NEG_INFINITY; LABELS];
            let mut from = [0u8; LABELS];
            for (l, (slot, from)) in next.iter_mut().zip(&mut from).enumerate() {
                for (p, b) in best.iter().enumerate() {
                    let score = b + Chain::edge(edges, *class, p, l);
                    if score > *slot {
                        (*slot, *from) = (score, p as u8);
                    }
                }
                *slot += emission[l];
            }
            best = next;
            self.back.push(from);
        }
        let mut label = 0;
        for (l, score) in best.iter().enumerate() {
            if *score > best[label] {
                label = l;
            }
        }
        for from in self.back.iter().rev() {
            self.labels.push(label);
            label = usize::from(from[label]);
        }
        self.labels.reverse();
    }

    /// Forward and backward sums.
    pub(super) fn marginals(&mut self, edges: &Edges) {
        let n = self.emissions.len();
        self.alpha.clear();
        let mut previous = [f32::NEG_INFINITY; LABELS];
        previous[0] = 0.0;
        for (emission, class) in self.emissions.iter().zip(&self.classes) {
            let next: [f32; LABELS] = std::array::from_fn(|l| {
                let paths = (0..LABELS).map(|p| previous[p] + Chain::edge(edges, *class, p, l));
                log_sum(paths) + emission[l]
            });
            self.alpha.push(next);
            previous = next;
        }
        self.total = log_sum(previous.iter().copied());
        self.beta.clear();
        self.beta.resize(n, [0.0; LABELS]);
        for i in (1..n).rev() {
            let (after, emission, class) = (self.beta[i], self.emissions[i], self.classes[i]);
            self.beta[i - 1] = std::array::from_fn(|p| {
                log_sum(
                    (0..LABELS).map(|l| Chain::edge(edges, class, p, l) + emission[l] + after[l]),
                )
            });
        }
    }

    /// The probability that the name `first..=last` is exactly there, by [`Chain::marginals`].
    fn probability(&self, edges: &Edges, first: usize, last: usize) -> f32 {
        let label = |i: usize| self.labels.get(i).copied().unwrap_or(0);
        let Some(start) = self.alpha.get(first) else { return 0.0 };
        let mut path = start[label(first)];
        for i in first + 1..=last {
            let (Some(class), Some(emission)) = (self.classes.get(i), self.emissions.get(i)) else {
                return 0.0;
            };
            path += Chain::edge(edges, *class, label(i - 1), label(i)) + emission[label(i)];
        }
        // What follows must not continue it.
        let inside = label(first).div_ceil(2) * 2;
        let rest = match (self.beta.get(last + 1), self.emissions.get(last + 1)) {
            (Some(beta), Some(emission)) => {
                let class = self.classes.get(last + 1).copied().unwrap_or(0);
                let next = (0..LABELS).filter(|l| *l != inside);
                let from = label(last);
                log_sum(next.map(|l| Chain::edge(edges, class, from, l) + emission[l] + beta[l]))
            }
            _ => 0.0,
        };
        (path + rest - self.total).exp().clamp(0.0, 1.0)
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
        let lower: HashSet<u64, FixedState> = (tokens.iter().zip(&words))
            .filter(|(token, w)| w.sign == 0 && !w.capital && stands_alone(text, token))
            .map(|(_, w)| w.low)
            .collect();
        let register = register(text);
        let technical = register != Register::Other;
        let mut names: Vec<Name> = Vec::new();
        let mut chain = Chain::default();
        let mut from = 0;
        while from < tokens.len() {
            let len = tokens.iter().skip(from + 1).take_while(|t| !t.first).count() + 1;
            self.sentence(
                &mut chain,
                &tokens,
                &words,
                from..from + len,
                |kind, start, end, sure| {
                    let range = start..end;
                    let judged = self.name_of(kind, range, sure, text, &tokens, &words, &lower);
                    names.extend(judged.and_then(|name| match technical {
                        true => self.in_documentation(kind, name, register, text, &tokens, &words),
                        false => Some(name),
                    }));
                },
            );
            from += len;
        }
        self.repeated(&tokens, &words, &lower, &mut names);
        self.groups(text, &tokens, &words, technical, &mut names);
        names.sort_by_key(|n| n.range.start);
        Ok(names)
    }
}

/// Whether a word stands by itself, and not inside an address such as `ada.lovelace@example.org`.
fn stands_alone(text: &str, token: &Token) -> bool {
    let before = text.get(..token.start).and_then(|text| text.chars().next_back());
    let mut after = text.get(token.end..).unwrap_or_default().chars();
    let opens = |c: char| c.is_whitespace() || "([\"'“‘".contains(c);
    let closes = |c: char| ",.;:!?)]\"'”’".contains(c);
    before.is_none_or(opens)
        && after.next().is_none_or(|c| {
            c.is_whitespace() || closes(c) && after.next().is_none_or(char::is_whitespace)
        })
}

impl Tagger {
    /// Second pass: parts of the full names of a text that stand alone elsewhere in it.
    fn repeated(
        &self,
        tokens: &[Token],
        words: &[Word],
        lower: &HashSet<u64, FixedState>,
        names: &mut Vec<Name>,
    ) {
        let Some(person) = self.kinds.first() else { return };
        let mut parts: HashMap<u64, f32, FixedState> = HashMap::default();
        for name in names.iter().filter(|n| n.entity == *person && n.score >= 0.8) {
            let inside: Vec<&Word> = within(tokens, words, &name.range).collect();
            if inside.iter().filter(|w| w.sign == 0).count() < 2 {
                continue;
            }
            for word in inside {
                let own = word.sign == 0
                    && word.capital
                    && word.is_given_to_people()
                    && !lower.contains(&word.low);
                if own {
                    let slot = parts.entry(word.exact).or_default();
                    *slot = slot.max(name.score * 0.8);
                }
            }
        }
        if parts.is_empty() {
            return;
        }
        let found = names.len();
        let mut next = 0;
        for (token, word) in tokens.iter().zip(words) {
            while next < found && names.get(next).is_some_and(|n| n.range.end <= token.start) {
                next += 1;
            }
            let taken = next < found && names.get(next).is_some_and(|n| n.range.start < token.end);
            if !taken
                && let Some(score) = parts.get(&word.exact).filter(|_| token.end - token.start > 2)
            {
                let range = token.start..token.end;
                names.push(Name { entity: person.clone(), range, score: *score });
            }
        }
    }

    /// Titles before names, and nationalities and religions, where no name was found.
    fn groups(
        &self,
        text: &str,
        tokens: &[Token],
        words: &[Word],
        technical: bool,
        names: &mut Vec<Name>,
    ) {
        let found = names.len();
        names.sort_by_key(|n| n.range.start);
        let mut next = 0;
        for (i, (token, word)) in tokens.iter().zip(words).enumerate() {
            while next < found && names.get(next).is_some_and(|n| n.range.end <= token.start) {
                next += 1;
            }
            let taken = next < found && names.get(next).is_some_and(|n| n.range.start < token.end);
            let s = text.get(token.start..token.end).unwrap_or_default();
            if taken || word.sign != 0 || !s.starts_with(char::is_uppercase) {
                continue;
            }
            let mut end = token.end;
            let (kind, score) = match self.lexicon.groups.of(word.low) {
                // In documentation it is a language, a script or a calendar.
                Some(Group::Nrp) if technical && !says_group(text, tokens, i) => (3, 0.3),
                Some(Group::Nrp) if !is_language(text, tokens, i) => (3, 0.6),
                Some(Group::Maybe) if !word.first && says_group(text, tokens, i) => (3, 0.5),
                Some(Group::Title) => {
                    // A title stands before a name.
                    let dot = words.get(i + 1).is_some_and(|w| w.sign == b'.');
                    let after = i + if dot { 2 } else { 1 };
                    let named = tokens.get(after).is_some_and(|t| {
                        let next = names.get(..found).and_then(|n| n.get(next));
                        next.is_some_and(|n| {
                            Some(&n.entity) == self.kinds.first() && n.range.start == t.start
                        })
                    });
                    let known = words
                        .get(after)
                        .is_some_and(|w| w.sign == 0 && w.lists & (IS_FIRST | IS_LAST) != 0);
                    if !named && !known {
                        continue;
                    }
                    if let Some(t) = tokens.get(i + 1).filter(|_| dot) {
                        end = t.end;
                    }
                    (4, 0.5)
                }
                _ => continue,
            };
            if let Some(entity) = self.kinds.get(kind) {
                names.push(Name { entity: entity.clone(), range: token.start..end, score });
            }
        }
    }
}

impl std::fmt::Debug for Tagger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tagger")
            .field("kept", &(self.weights.len() / LABELS))
            .finish_non_exhaustive()
    }
}
