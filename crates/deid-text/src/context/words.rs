//! The words around the places that are looked at, each read once.
//!
//! Candidates stand close together on forms, and each asks for the words near it. Words are read into
//! a list as far as the scan has come; a look at the words near a candidate walks over that list.

use super::{AHEAD, BEFORE, ContextTable, Hit, NONE, ascii_word, floor, is_dense, word_hash};
use crate::work::work;

/// Bytes looked at on one side, so that hostile "words" cost no more than others.
const REACH: usize = 160;
/// Bytes after a candidate.
const REACH_AFTER: usize = 80;
/// No phrase has a word as long; longer runs of letters are skipped.
const LONGEST: usize = 96;

#[derive(Clone, Copy, Debug)]
struct Word {
    start: usize,
    end: usize,
    hash: u64,
    /// Which phrases begin with it; [`NONE`] for most words.
    first: u32,
    /// A sentence, a line or a table cell ends after it: seen from what follows.
    closed: bool,
    /// The same seen from what stands before it: any full stop counts.
    stopped: bool,
    /// A sign that makes it the label of what follows.
    label: bool,
}

/// A phrase of a script without blanks, where it stands.
#[derive(Clone, Copy, Debug)]
struct Dense {
    start: usize,
    end: usize,
    phrase: u32,
}

/// The words of the bytes up to `to` of a text, from some place on.
#[derive(Debug, Default)]
pub(crate) struct Words {
    list: Vec<Word>,
    dense: Vec<Dense>,
    to: usize,
    /// The list has all words that count for candidates from here on.
    origin: usize,
}

fn word_byte(text: &str, i: usize) -> Option<usize> {
    let c = *text.as_bytes().get(i)?;
    if c < 0x80 {
        return c.is_ascii_alphanumeric().then_some(1);
    }
    let c = text.get(i..)?.chars().next()?;
    c.is_alphanumeric().then_some(c.len_utf8())
}

impl Words {
    /// Forgets a text.
    pub(crate) fn clear(&mut self) {
        self.list.clear();
        self.dense.clear();
        (self.to, self.origin) = (0, 0);
    }

    /// Makes sure that the words before `start` that count are in the list.
    fn cover_before(&mut self, table: &ContextTable, text: &str, start: usize) {
        if start < self.origin || start.saturating_sub(REACH) > self.to {
            // As far back as the window reaches: so many words, or so many bytes.
            let b = text.as_bytes();
            let word = |c: u8| c.is_ascii_alphanumeric() || c >= 0x80;
            let least = floor(text, start.saturating_sub(REACH));
            let (mut from, mut count) = (start, 0);
            while from > least && count <= BEFORE {
                from -= 1;
                let ends = word(b[from]) && !b.get(from + 1).is_some_and(|c| word(*c));
                count += usize::from(ends);
            }
            self.origin = start;
            self.to = floor(text, from);
            self.list.clear();
            self.dense.clear();
            work(start - from);
        }
        if start > self.to {
            self.extend(table, text, start);
        }
    }

    /// Makes sure that `next` words and one more, or the bytes before `to`, are in the list.
    fn cover_after(&mut self, table: &ContextTable, text: &str, next: usize, to: usize) {
        while self.to < to && self.list.len() <= next + 1 {
            self.extend(table, text, to.min(self.to + 24));
        }
    }

    /// The first word for which something holds that holds for all after it; mostly one of the last.
    fn first(&self, holds: impl Fn(&Word) -> bool) -> usize {
        let near = self.list.len().saturating_sub(16);
        match self.list.get(near..) {
            Some(last) if near == 0 || last.first().is_some_and(|w| !holds(w)) => {
                near + last.iter().rposition(|w| !holds(w)).map_or(0, |i| i + 1)
            }
            _ => self.list.partition_point(|w| !holds(w)),
        }
    }

    fn extend(&mut self, table: &ContextTable, text: &str, to: usize) {
        let b = text.as_bytes();
        let mut i = self.to;
        // The rest of a run that is too long for a word, or was cut where the list begins.
        let mut cut = i > 0
            && text.get(..i).and_then(|t| t.chars().next_back()).is_some_and(char::is_alphanumeric);
        let begun = i;
        while let Some(&c) = b.get(i) {
            if i >= to {
                break;
            }
            let start = i;
            let plain;
            (i, plain) = ascii_word(b, start, LONGEST);
            let ascii = b.get(i).is_none_or(|c| *c < 0x80);
            while !ascii
                && i - start < LONGEST
                && let Some(len) = word_byte(text, i)
            {
                if len > 1
                    && let Some(c) = text.get(i..).and_then(|t| t.chars().next())
                    && is_dense(c)
                {
                    table.dense_at(text, i, |phrase, len| {
                        self.dense.push(Dense { start: i, end: i + len, phrase });
                    });
                }
                i += len;
            }
            if i > start {
                let long = i - start >= LONGEST && word_byte(text, i).is_some();
                let label = matches!(b.get(i), Some(b':' | b'=' | b'#'));
                if !cut {
                    let hash = match (long, ascii) {
                        (true, _) => 0,
                        (false, true) => plain,
                        (false, false) => word_hash(text.get(start..i).unwrap_or_default()),
                    };
                    let first = if long { NONE } else { table.first_of(hash) };
                    self.list.push(Word {
                        start,
                        end: i,
                        hash,
                        first,
                        closed: false,
                        stopped: false,
                        label,
                    });
                } else if let Some(word) = self.list.last_mut().filter(|w| w.end == start) {
                    (word.end, word.label) = (i, label);
                }
                cut = long;
            } else {
                cut = false;
                if let Some(word) = self.list.last_mut() {
                    match c {
                        b'\n' | b'|' | b'\t' | b'!' | b'?' | b';' => {
                            (word.closed, word.stopped) = (true, true);
                        }
                        b'.' => {
                            word.stopped = true;
                            word.closed |= i == word.end
                                && i - word.start >= 5
                                && b.get(i + 1).is_none_or(u8::is_ascii_whitespace);
                        }
                        _ => {}
                    }
                }
                i += text.get(i..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8);
            }
        }
        work(i - begun);
        self.to = i;
    }

    /// Phrases before the byte `start`.
    pub(super) fn before(
        &mut self,
        table: &ContextTable,
        text: &str,
        start: usize,
        hits: &mut Vec<Hit>,
    ) {
        let b = text.as_bytes();
        let from = start.saturating_sub(REACH);
        self.cover_before(table, text, start);
        let mut words = [(0u64, NONE); BEFORE];
        let mut count = 0;
        // Where phrases of scripts without blanks count from.
        let mut reached = start;
        let mut next = self.first(|w| w.start >= start);
        while count < BEFORE {
            let word = next.checked_sub(1).and_then(|i| self.list.get(i));
            let Some(word) = word.filter(|w| w.start >= from) else {
                reached = from;
                break;
            };
            let entry = if word.end > start {
                // The candidate begins inside a run of letters and digits.
                let hash = word_hash(text.get(word.start..start).unwrap_or_default());
                (hash, table.first_of(hash))
            } else if count == 0 && word.end < start {
                // Between a label and its value the line may end once.
                let mut crossed = false;
                let mut closed = false;
                for c in b.get(word.end..start).unwrap_or_default().iter().rev() {
                    match c {
                        b'\n' | b'|' | b'\t' if crossed => closed = true,
                        b'\n' => crossed = true,
                        _ => {}
                    }
                }
                if closed {
                    break;
                }
                (word.hash, word.first)
            } else if count > 0 && word.closed {
                break;
            } else {
                (word.hash, word.first)
            };
            if let Some(slot) = words.get_mut(count) {
                *slot = entry;
            }
            count += 1;
            reached = word.start;
            next -= 1;
        }
        let words = words.get_mut(..count).unwrap_or_default();
        words.reverse();
        let first = hits.len();
        for i in 0..words.len() {
            table.at(words, i, |phrase, len| {
                let distance = (words.len() - i - len) as u8;
                hits.push(Hit { phrase, distance, words: len as u8, after: false });
            });
        }
        table.drop_generic(first, hits);
        if !self.dense.is_empty() {
            let at = self.dense.partition_point(|d| d.start < reached);
            for d in self.dense.iter().skip(at).take_while(|d| d.start < start) {
                if d.end <= start {
                    hits.push(Hit { phrase: d.phrase, distance: 1, words: 1, after: false });
                }
            }
        }
    }

    /// Phrases among the `most` words after the byte `end`, on the same line.
    pub(super) fn after(
        &mut self,
        table: &ContextTable,
        text: &str,
        end: usize,
        most: usize,
        hits: &mut Vec<Hit>,
    ) {
        let b = text.as_bytes();
        let to = (end + REACH_AFTER).min(text.len());
        self.cover_before(table, text, end);
        let mut words = [(0u64, NONE); AHEAD];
        let mut count = 0;
        let mut reached = end;
        let mut next = self.first(|w| w.end > end);
        self.cover_after(table, text, next, to);
        let starts = self.list.get(next).map_or(to, |w| w.start).max(end).min(to);
        let stop = |c: &u8| matches!(c, b'\n' | b'|' | b'\t' | b';' | b'.' | b'!' | b'?');
        let gap = b.get(end..starts).unwrap_or_default();
        let mut open = !gap.iter().any(stop);
        while open && count < most.min(AHEAD) {
            self.cover_after(table, text, next, to);
            let Some(word) = self.list.get(next).filter(|w| w.end <= to) else {
                reached = to;
                break;
            };
            // A word with a colon is the label of what comes next.
            if word.label {
                break;
            }
            let entry = if word.start < end {
                let hash = word_hash(text.get(end..word.end).unwrap_or_default());
                (hash, table.first_of(hash))
            } else {
                (word.hash, word.first)
            };
            if let Some(slot) = words.get_mut(count) {
                *slot = entry;
            }
            count += 1;
            reached = word.end;
            open = !word.stopped;
            next += 1;
        }
        let words = words.get(..count).unwrap_or_default();
        let first = hits.len();
        for i in 0..words.len() {
            table.at(words, i, |phrase, len| {
                hits.push(Hit { phrase, distance: i as u8, words: len as u8, after: true });
            });
        }
        table.drop_generic(first, hits);
        if !self.dense.is_empty() {
            let at = self.dense.partition_point(|d| d.start < end);
            for d in self.dense.iter().skip(at).take_while(|d| d.end <= reached) {
                hits.push(Hit { phrase: d.phrase, distance: 1, words: 1, after: true });
            }
        }
    }
}
