//! Shapes of identifiers: sequences of character classes, and an index from how a candidate
//! begins to the few shapes that can follow.

/// How many steps of a first run are told apart.
pub(crate) const RUNS: usize = 21;
/// Kinds of characters after the first run.
pub(crate) const NEXT: usize = 8;

use crate::context::Near;

#[derive(Clone, Copy, Debug)]
struct Element {
    /// ASCII characters that it takes.
    set: u128,
    /// Whether it also takes letters beyond ASCII.
    wide: bool,
    min: u8,
    max: u8,
}

impl Element {
    fn takes(&self, c: u8) -> bool {
        // Halves are cheaper to shift than the whole.
        let half = if c & 64 == 0 { self.set as u64 } else { (self.set >> 64) as u64 };
        c < 128 && half >> (c & 63) & 1 == 1
    }
}

/// A compiled shape.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    elements: Vec<Element>,
}

const DIGITS: u128 = ((1 << 10) - 1) << b'0';
const UPPER: u128 = ((1 << 26) - 1) << b'A';
const LOWER: u128 = ((1 << 26) - 1) << b'a';

fn bit(c: u8) -> u128 {
    if c < 128 { 1 << c } else { 0 }
}

impl Shape {
    /// Reads the notation of `data/recognizers.txt`; alternatives `(A|B)` give several shapes.
    pub(crate) fn parse(notation: &str, case_sensitive: bool) -> Option<Vec<Shape>> {
        if let Some(open) = notation.find('(').filter(|i| !notation[..*i].ends_with('\\')) {
            let close = open + notation.get(open..)?.find(')')?;
            let mut shapes = Vec::new();
            for option in notation.get(open + 1..close)?.split('|') {
                let one = format!("{}{option}{}", &notation[..open], notation.get(close + 1..)?);
                shapes.extend(Shape::parse(&one, case_sensitive)?);
            }
            return Some(shapes);
        }
        let bytes = notation.as_bytes();
        let mut elements = Vec::new();
        let mut i = 0;
        while let Some(&c) = bytes.get(i) {
            i += 1;
            let mut element = Element { set: 0, wide: false, min: 1, max: 1 };
            match c {
                b'd' => element.set = DIGITS,
                b'l' => element.set = UPPER,
                b'u' => (element.set, element.wide) = (UPPER, true),
                b'x' => element.set = UPPER | DIGITS,
                b'_' => element.set = bit(b' '),
                b'~' => (element.set, element.min) = (bit(b' ') | bit(b'-'), 0),
                b'\\' => {
                    element.set = bit(*bytes.get(i)?);
                    i += 1;
                }
                b'[' => {
                    let end = i + notation.get(i..)?.find(']')?;
                    let mut class = notation.get(i..end)?.bytes().peekable();
                    while let Some(c) = class.next() {
                        let c = if c == b'_' { b' ' } else { c };
                        let mut ahead = class.clone();
                        match (ahead.next(), ahead.next()) {
                            (Some(b'-'), Some(last)) if c.is_ascii_alphanumeric() => {
                                (c..=last).for_each(|c| element.set |= bit(c));
                                class = ahead;
                            }
                            _ => element.set |= bit(c),
                        }
                    }
                    i = end + 1;
                }
                c => element.set = bit(c),
            }
            match bytes.get(i) {
                Some(b'?') => {
                    element.min = 0;
                    i += 1;
                }
                Some(b'{') => {
                    let end = i + notation.get(i..)?.find('}')?;
                    let range = notation.get(i + 1..end)?;
                    let (min, max) = range.split_once(',').unwrap_or((range, range));
                    (element.min, element.max) = (min.parse().ok()?, max.parse().ok()?);
                    i = end + 1;
                }
                _ => {}
            }
            if !case_sensitive {
                element.set |= (element.set & UPPER) << 32;
            }
            elements.push(element);
        }
        (!elements.is_empty()).then(|| vec![Shape { elements }])
    }

    /// The longest match at `start` whose end satisfies `at_end`.
    pub(crate) fn matches(
        &self,
        text: &[u8],
        start: usize,
        at_end: &impl Fn(usize) -> bool,
    ) -> Option<usize> {
        step(&self.elements, text, start, at_end)
    }

    /// Calls `found` with each beginning (kind of run, its length, what follows) that it may have.
    fn beginnings(&self, mut found: impl FnMut(usize, usize, usize)) {
        for (kind, set) in [(0, DIGITS), (1, UPPER | LOWER)] {
            let mut states = vec![(0usize, 0u8)];
            for run in 1..RUNS {
                let mut next = Vec::new();
                for (e, n) in self.closure(&states) {
                    if let Some(element) = self.elements.get(e)
                        && element.set & set != 0
                        && n < element.max
                        && !next.contains(&(e, n + 1))
                    {
                        next.push((e, n + 1));
                    }
                }
                states = next;
                if states.is_empty() {
                    break;
                }
                let reached = self.closure(&states);
                if reached.iter().any(|(e, _)| *e == self.elements.len()) {
                    [0, 3, 4, 5, 6, 7].iter().for_each(|after| found(kind, run, *after));
                }
                for (e, n) in reached {
                    let Some(element) = self.elements.get(e).filter(|x| n < x.max) else {
                        continue;
                    };
                    for c in 0..128u8 {
                        let after = following(c);
                        if element.set & bit(c) != 0 && after != kind + 1 {
                            found(kind, run, after);
                        }
                    }
                }
            }
        }
    }

    /// The states reachable without a character.
    fn closure(&self, states: &[(usize, u8)]) -> Vec<(usize, u8)> {
        let mut all = states.to_vec();
        let mut i = 0;
        while let Some(&(e, n)) = all.get(i) {
            if let Some(element) = self.elements.get(e)
                && n >= element.min
                && !all.contains(&(e + 1, 0))
            {
                all.push((e + 1, 0));
            }
            i += 1;
        }
        all
    }
}

fn step(
    mut elements: &[Element],
    text: &[u8],
    mut at: usize,
    at_end: &impl Fn(usize) -> bool,
) -> Option<usize> {
    // What has one length and takes only ASCII needs no way back.
    while let Some((element, rest)) = elements.split_first()
        && element.min == element.max
        && !element.wide
    {
        let stretch = text.get(at..at + usize::from(element.min))?;
        if !stretch.iter().all(|c| element.takes(*c)) {
            return None;
        }
        at += stretch.len();
        elements = rest;
    }
    let Some((element, rest)) = elements.split_first() else {
        return at_end(at).then_some(at);
    };
    if !element.wide {
        let most = usize::from(element.max);
        let window = text.get(at..text.len().min(at + most)).unwrap_or_default();
        let taken = window.iter().take_while(|c| element.takes(**c)).count();
        return (usize::from(element.min)..=taken)
            .rev()
            .find_map(|count| step(rest, text, at + count, at_end));
    }
    // Letters of several bytes: positions after each count of characters.
    let mut ends = [at; 24];
    let mut taken = 0usize;
    let mut here = at;
    while taken < usize::from(element.max).min(23) {
        match text.get(here) {
            Some(&c) if element.takes(c) => here += 1,
            Some(&c) if c >= 0xc3 => {
                here += 1;
                while text.get(here).is_some_and(|c| c & 0xc0 == 0x80) {
                    here += 1;
                }
            }
            _ => break,
        }
        taken += 1;
        ends[taken] = here;
    }
    (usize::from(element.min)..=taken).rev().find_map(|count| step(rest, text, ends[count], at_end))
}

/// The kind of a character after a run: nothing that joins, digit, letter, blank, `-`, `.`, `/`,
/// other signs that shapes contain.
pub(crate) fn following(c: u8) -> usize {
    match c {
        b'0'..=b'9' => 1,
        b'A'..=b'Z' | b'a'..=b'z' | 0x80.. => 2,
        b' ' => 3,
        b'-' => 4,
        b'.' => 5,
        b'/' => 6,
        b':' | b'(' | b'+' | b'&' => 7,
        _ => 0,
    }
}

/// How many characters of a candidate are looked at before a pattern is.
const SEEN: usize = 16;

/// The kind of a character, a bit.
const fn kind(c: u8) -> u8 {
    match c {
        b'0'..=b'9' => 1,
        b'A'..=b'Z' => 2,
        b'a'..=b'z' => 4,
        b' ' => 8,
        b'-' => 16,
        b'.' => 32,
        b'/' => 64,
        _ => 128,
    }
}

const KIND: [u8; 256] = {
    let mut table = [0; 256];
    let mut c = 0;
    while c < 256 {
        table[c] = kind(c as u8);
        c += 1;
    }
    table
};

/// The kinds of the characters from `start` on, a byte for each.
pub(crate) fn outline(text: &[u8], start: usize) -> u128 {
    let mut kinds = [128; SEEN];
    for (slot, c) in kinds.iter_mut().zip(text.get(start..).unwrap_or_default()) {
        *slot = KIND[usize::from(*c)];
    }
    u128::from_le_bytes(kinds)
}

impl Shape {
    /// The kinds that may stand at each of the first characters; all where the shape may have ended.
    fn outline(&self) -> u128 {
        let mut kinds = [0xffu8; SEEN];
        let mut states = vec![(0usize, 0u8)];
        for slot in &mut kinds {
            let reached = self.closure(&states);
            let mut next = Vec::new();
            let mut allowed = 0;
            for &(e, n) in &reached {
                let Some(element) = self.elements.get(e) else {
                    return u128::from_le_bytes(kinds);
                };
                if element.wide {
                    return u128::from_le_bytes(kinds);
                }
                if n < element.max {
                    (0..128u8).filter(|c| element.takes(*c)).for_each(|c| allowed |= kind(c));
                    if !next.contains(&(e, n + 1)) {
                        next.push((e, n + 1));
                    }
                }
            }
            *slot = allowed;
            states = next;
        }
        u128::from_le_bytes(kinds)
    }
}

/// A pattern as the index takes it.
pub(crate) struct Entry<'s> {
    pub(crate) id: u16,
    pub(crate) entity: u16,
    /// Whether it can be found without a word near it.
    pub(crate) alone: bool,
    pub(crate) shapes: &'s [Shape],
}

/// A pattern that may match where a candidate begins in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arm {
    /// What its outline does not allow.
    not: u128,
    pub(crate) id: u16,
    pub(crate) entity: u16,
}

impl Arm {
    /// Whether a candidate of this [`outline`] may match.
    #[inline]
    pub(crate) fn may(&self, outline: u128) -> bool {
        outline & self.not == 0
    }
}

/// The patterns that may match where a candidate begins in one way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bucket {
    /// Those that can be found without a word near them.
    pub(crate) alone: Vec<Arm>,
    /// Those that need one.
    pub(crate) announced: Vec<Arm>,
    /// The entities of these.
    pub(crate) entities: Near,
}

/// From how a candidate begins to the patterns whose shapes can follow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    buckets: Vec<Bucket>,
}

impl Index {
    pub(crate) fn new<'s>(entries: impl Iterator<Item = Entry<'s>>) -> Self {
        let mut buckets = vec![Bucket::default(); 2 * RUNS * NEXT];
        for Entry { id, entity, alone, shapes } in entries {
            let allowed = shapes.iter().fold(0, |all, s| all | s.outline());
            let arm = Arm { not: !allowed, id, entity };
            for shape in shapes {
                shape.beginnings(|kind, run, after| {
                    let bucket = &mut buckets[(kind * RUNS + run) * NEXT + after];
                    let list = if alone { &mut bucket.alone } else { &mut bucket.announced };
                    if list.last() != Some(&arm) {
                        list.push(arm);
                        if !alone {
                            bucket.entities.add(entity);
                        }
                    }
                });
            }
        }
        Index { buckets }
    }

    /// The patterns that may match where a run of `run` digits or letters is followed by `after`.
    pub(crate) fn at(&self, letters: bool, run: usize, after: usize) -> Option<&Bucket> {
        if run >= RUNS {
            return None;
        }
        let bucket = self.buckets.get((usize::from(letters) * RUNS + run) * NEXT + after)?;
        (!bucket.alone.is_empty() || !bucket.announced.is_empty()).then_some(bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn longest(notation: &str, text: &str) -> Option<usize> {
        let shapes = Shape::parse(notation, false).unwrap();
        let end = |e: usize| !text.as_bytes().get(e).is_some_and(u8::is_ascii_alphanumeric);
        shapes.iter().find_map(|s| s.matches(text.as_bytes(), 0, &end))
    }

    #[test]
    fn shapes_match_what_they_say() {
        assert_eq!(longest("l{2}_?d{2}_?[A-D]", "ab 12c"), Some(6));
        assert_eq!(longest("l{2}_?d{2}_?[A-D]", "ab 12 e"), None);
        assert_eq!(longest("d{7,8}-[0-9K]", "1234567-k,"), Some(9));
        assert_eq!(longest("(20|27)-d", "27-1"), Some(4));
        assert_eq!(longest("[_]?d", "1"), Some(1));
        assert_eq!(longest("[A-Z]{1,2}d{2}\\([0-9A]\\)", "A12(3)"), Some(6));
    }
}
