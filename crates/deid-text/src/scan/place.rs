//! Street addresses, post-office boxes and coordinates.

use std::collections::HashSet;

use foldhash::fast::FixedState;

use crate::context::{floor, word_hash};

const STREETS: &str = include_str!("../../data/streets.txt");

/// Words that make a street of the words beside them.
#[derive(Debug)]
pub(super) struct Streets {
    /// "Baker *Street*", after the name.
    after: HashSet<u64, FixedState>,
    /// "*rue* de la Paix", "*Via* Roma", before the name.
    before: HashSet<u64, FixedState>,
    /// "Haupt*straße*", at the end of the name.
    endings: Vec<&'static str>,
    /// The last bytes of these.
    last: Vec<u8>,
    units: HashSet<u64, FixedState>,
}

struct Word<'t> {
    start: usize,
    end: usize,
    text: &'t str,
}

/// Words with no more than blanks between them.
struct Words<'t> {
    text: &'t str,
    from: usize,
    at: usize,
}

fn words(text: &str, from: usize) -> Words<'_> {
    Words { text, from, at: from }
}

impl<'t> Iterator for Words<'t> {
    type Item = Word<'t>;

    fn next(&mut self) -> Option<Word<'t>> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let gap = rest.iter().take(3).take_while(|c| **c == b' ').count();
        if gap == 0 && self.at != self.from || gap > 2 {
            return None;
        }
        let start = self.at + gap;
        let mut end = start;
        for _ in 0..30 {
            match self.text.as_bytes().get(end) {
                Some(c) if c.is_ascii_alphanumeric() || matches!(c, b'\'' | b'-' | b'.') => {
                    end += 1
                }
                Some(0x80..) => match self.text.get(end..).and_then(|t| t.chars().next()) {
                    Some(c) if c.is_alphanumeric() => end += c.len_utf8(),
                    _ => break,
                },
                _ => break,
            }
        }
        self.at = end;
        let text = self.text.get(start..end).filter(|w| !w.is_empty())?;
        Some(Word { start, end, text })
    }
}

/// Whether a number follows after blanks, and nothing is joined to it.
fn number_follows(b: &[u8], end: usize) -> bool {
    let rest = b.get(end..).unwrap_or_default();
    let rest = rest.strip_prefix(b",").unwrap_or(rest);
    let blanks = rest.iter().take(2).take_while(|c| **c == b' ').count();
    let rest = rest.get(blanks..).unwrap_or_default();
    let digits = rest.iter().take(8).take_while(|c| c.is_ascii_digit()).count();
    blanks > 0 && digits > 0 && rest.get(digits).is_none_or(|c| *c == b' ')
}

/// Whether a number stands before, with blanks between, and nothing is joined to it.
fn number_precedes(b: &[u8], start: usize) -> bool {
    let before = b.get(..start).unwrap_or_default();
    let blanks = before.iter().rev().take(2).take_while(|c| **c == b' ').count();
    let before = before.get(..start - blanks).unwrap_or_default();
    let digits = before.iter().rev().take(8).take_while(|c| c.is_ascii_digit()).count();
    blanks > 0 && digits > 0 && before.iter().rev().nth(digits).is_none_or(|c| *c == b' ')
}

fn bare(word: &str) -> &str {
    word.trim_end_matches(['.', ','])
}

impl Streets {
    pub(super) fn new() -> Self {
        let mut streets = Streets {
            after: HashSet::default(),
            before: HashSet::default(),
            endings: Vec::new(),
            last: Vec::new(),
            units: HashSet::default(),
        };
        for line in STREETS.lines() {
            let Some((kind, list)) = line.split_once(':') else { continue };
            for word in list.split_whitespace() {
                match kind {
                    "after" => _ = streets.after.insert(word_hash(word)),
                    "before" => _ = streets.before.insert(word_hash(word)),
                    "ending" => streets.endings.push(word),
                    _ => _ = streets.units.insert(word_hash(word)),
                }
            }
        }
        streets.last = streets.endings.iter().filter_map(|e| e.bytes().last()).collect();
        streets.last.sort_unstable();
        streets.last.dedup();
        streets
    }

    /// Whether a word ends like the name of a street, in either case.
    fn has_ending(&self, word: &str) -> bool {
        let word = word.as_bytes();
        // Engineering, Monitoring, Spring.
        const OTHERS: [&[u8]; 7] =
            [b"ering", b"uring", b"oring", b"aring", b"iring", b"spring", b"string"];
        let ends =
            |e: &[u8]| word.last_chunk::<6>().map_or(word, |w| w).to_ascii_lowercase().ends_with(e);
        if word.last() == Some(&b'g') && OTHERS.iter().any(|e| ends(e)) {
            return false;
        }
        if !word.last().is_some_and(|c| self.last.contains(&c.to_ascii_lowercase())) {
            return false;
        }
        self.endings.iter().any(|e| {
            let from = word.len().checked_sub(e.len());
            from.and_then(|from| word.get(from..))
                .is_some_and(|end| end.eq_ignore_ascii_case(e.as_bytes()))
        })
    }

    /// An address around the house number at `start..end`.
    pub(super) fn address(
        &self,
        text: &str,
        start: usize,
        end: usize,
    ) -> Option<(usize, usize, f32)> {
        let b = text.as_bytes();
        if end - start > 6 || !b.get(start)?.is_ascii_digit() {
            return None;
        }
        // In a row of numbers there is no street.
        let first =
            || (!number_follows(b, end)).then(|| self.number_first(text, start, end)).flatten();
        first().or_else(|| {
            (!number_precedes(b, start)).then(|| self.number_last(text, start, end)).flatten()
        })
    }

    fn number_first(&self, text: &str, start: usize, end: usize) -> Option<(usize, usize, f32)> {
        let b = text.as_bytes();
        // "12-14 Baker Street", "12, rue de la Paix"
        let mut from = end;
        if b.get(from) == Some(&b',') {
            from += 1;
        }
        if b.get(from) != Some(&b' ') {
            return None;
        }
        let capital =
            |w: &Word<'_>| w.text.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit());
        let mut words = words(text, from).take(6).peekable();
        let first = words.peek()?;
        // "SHA-256 via SMS": in Italian the number comes last.
        if !first.text.starts_with(|c: char| c.is_ascii_digit())
            && first.text != "via"
            && self.before.contains(&word_hash(bare(first.text)))
        {
            let name: Vec<Word<'_>> = words.skip(1).collect();
            let len = name
                .iter()
                .take(5)
                .position(|w| !capital(w) && w.text.chars().count() > 3)
                .unwrap_or(name.len().min(4));
            let last = name.get(..len)?.iter().rev().find(|w| capital(w))?;
            return Some((start, last.end, 0.75));
        }
        let mut i = 0;
        while let Some(word) = words.next() {
            let capital = capital(&word);
            let letter = capital && !word.text.starts_with(|c: char| c.is_ascii_digit());
            let street = letter && self.after.contains(&word_hash(bare(word.text)));
            let compound = capital && word.text.len() > 6 && self.has_ending(word.text);
            if (i > 0 && street) || (compound && word.text.chars().count() > 6) {
                // "12 Pine Ridge Avenue": the last such word.
                let kind = |w: &Word<'_>| {
                    w.text.starts_with(char::is_uppercase)
                        && self.after.contains(&word_hash(bare(w.text)))
                };
                let more = words.peek().is_some_and(kind);
                if more && street && !word.text.ends_with('.') {
                    i += 1;
                    continue;
                }
                // "5th Avenue NW"
                if let Some(wind) = words.peek().filter(|w| WINDS.contains(&w.text)) {
                    return Some((start, self.unit(text, wind.end), 0.8));
                }
                let end = if word.text.ends_with('.') && bare(word.text).len() > 4 {
                    word.end - 1
                } else {
                    word.end
                };
                return Some((start, self.unit(text, end), 0.8));
            }
            // Street names are capitalised, or small words in between.
            if !capital && (i == 0 || word.text.chars().count() > 3) {
                return None;
            }
            if word.text.ends_with(['.', ',']) && word.text.chars().count() > 4 {
                return None;
            }
            i += 1;
        }
        None
    }

    /// ", Apt 4B", " Suite 200", " #5".
    fn unit(&self, text: &str, end: usize) -> usize {
        let rest = text.get(end..).unwrap_or_default();
        let gap = rest.bytes().take_while(|c| matches!(c, b',' | b' ' | b'.')).count().min(3);
        let from = end + gap;
        let rest = text.get(from..).unwrap_or_default();
        if gap == 0 {
            return end;
        }
        if let Some(number) = rest.strip_prefix('#') {
            let len = number.bytes().take_while(u8::is_ascii_alphanumeric).count();
            return if (1..=6).contains(&len) { from + 1 + len } else { end };
        }
        let found: Vec<Word<'_>> = words(text, from).take(2).collect();
        match found.as_slice() {
            [unit, number, ..]
                if self.units.contains(&word_hash(bare(unit.text)))
                    && number.text.len() <= 6
                    && (number.text.bytes().any(|c| c.is_ascii_digit())
                        || bare(number.text).len() == 1) =>
            {
                number.start + bare(number.text).len()
            }
            _ => end,
        }
    }

    /// "Hauptstraße 5a", "Calle Mayor 12", "P.O. Box 12".
    fn number_last(&self, text: &str, start: usize, end: usize) -> Option<(usize, usize, f32)> {
        let b = text.as_bytes();
        // A name stands before it, and neither a label nor the beginning of a line.
        let before = b.get(..start)?;
        let gap = before.iter().rev().take(60).take_while(|c| matches!(c, b' ' | b',')).count();
        let last = *before.get(before.len().checked_sub(gap + 1)?)?;
        if last != 0xba && (gap == 0 || b"\n;:\"(|\t".contains(&last)) {
            return None;
        }
        let from = floor(text, start.saturating_sub(60));
        let window = text.get(from..start)?;
        let kept = window.bytes().rposition(|c| c != b' ' && c != b',').map_or(0, |i| i + 1);
        let trimmed = window.get(..kept)?;
        if trimmed.len() == window.len() && !window.ends_with("nº") {
            return None;
        }
        let line = trimmed.bytes().rposition(|c| b"\n;:\"(|\t".contains(&c)).map_or(0, |i| i + 1);
        let line_start = from + line;
        let line = trimmed.get(line..)?;
        let after = {
            let letter = b.get(end).is_some_and(u8::is_ascii_alphabetic)
                && !b.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
            if letter { end + 1 } else { end }
        };
        let last = line.rsplit([' ', '.']).next().unwrap_or_default();
        let boxed = ["box", "postfach", "apartado", "postale", "postbus"];
        let boxed = boxed.iter().any(|b| {
            let from = last.len().checked_sub(b.len());
            let end = from.and_then(|from| last.as_bytes().get(from..));
            end.is_some_and(|end| end.eq_ignore_ascii_case(b.as_bytes()))
        });
        let lower = if boxed { line.to_lowercase() } else { String::new() };
        for pobox in POST_OFFICE_BOXES.iter().filter(|_| boxed) {
            if lower.ends_with(pobox) && lower.len() == line.len() {
                return Some((line_start + line.len() - pobox.len(), end, 0.8));
            }
        }
        let mut at = line.len();
        let mut seen = 0;
        let (mut names, mut passed) = (0, 0);
        for word in line.rsplit([' ', ',']) {
            let word_start = at - word.len();
            at = word_start.saturating_sub(1);
            seen += 1;
            if word.is_empty() {
                continue;
            }
            // "Hauptstraße 12, 80331": the address has its number already.
            if seen > 6 || word.starts_with(|c: char| c.is_ascii_digit()) {
                break;
            }
            let capital = word.starts_with(char::is_uppercase);
            let ending = names == 0
                && passed == 0
                && word.chars().count() > 4
                && (self.has_ending(word) || self.has_ending(bare(word)));
            if ending && (capital || word.ends_with("str.")) {
                // "Alte Poststraße 5".
                let before = line.get(..word_start)?.trim_end();
                let first = before.rsplit([' ', ',']).next()?;
                let start = if ADJECTIVES.contains(&first) {
                    before.len() - first.len()
                } else {
                    word_start
                };
                return Some((line_start + start, after, 0.8));
            }
            // "Am Mühlgraben 5, 31785 Hameln".
            if names == 1
                && PREPOSITIONS.contains(&word)
                && postcode_follows(text.get(after..).unwrap_or_default())
            {
                return Some((line_start + word_start, after, 0.75));
            }
            // "Berliner Straße 5": the name stands before the kind.
            if names == 0 && capital && KINDS.iter().any(|k| k.eq_ignore_ascii_case(bare(word))) {
                let before = line.get(..word_start)?.trim_end();
                let name = before.rsplit([' ', ',']).next()?;
                if name.starts_with(char::is_uppercase) {
                    return Some((line_start + before.len() - name.len(), after, 0.8));
                }
            }
            let english = || line.get(word_start..).is_some_and(|l| l.contains(" the "));
            if self.before.contains(&word_hash(bare(word))) && names > 0 && !english() {
                return Some((line_start + word_start, after, 0.75));
            }
            if !capital && word.chars().count() > 3 {
                break;
            }
            passed += 1;
            names += usize::from(capital);
        }
        None
    }
}

/// How boxes at post offices are written, in lower case.
const POST_OFFICE_BOXES: [&str; 10] = [
    "p.o. box",
    "po box",
    "p. o. box",
    "p.o.box",
    "post office box",
    "postfach",
    "apartado",
    "boîte postale",
    "casella postale",
    "postbus",
];

/// Words before the name of a street in German that belong to it.
const ADJECTIVES: [&str; 12] = [
    "Alte", "Alter", "Neue", "Neuer", "Große", "Kleine", "Obere", "Oberer", "Untere", "Unterer",
    "Lange", "Hohe",
];

/// Words that begin the name of a street in German.
const PREPOSITIONS: [&str; 6] = ["Am", "Im", "Zum", "Zur", "An", "Auf"];

/// Whether a postal code and the beginning of a place's name follow.
fn postcode_follows(rest: &str) -> bool {
    let rest = rest.trim_start_matches([',', ' ', '\n']).as_bytes();
    rest.iter().take_while(|c| c.is_ascii_digit()).count() == 5
        && rest.get(5) == Some(&b' ')
        && rest.get(6).is_some_and(|c| c.is_ascii_uppercase() || *c >= 0x80)
}

/// Parts of towns that stand after a street's name.
const WINDS: [&str; 12] =
    ["N", "S", "E", "W", "NW", "NE", "SW", "SE", "North", "South", "East", "West"];

/// Words that stand after the name of a street and before its number.
const KINDS: [&str; 10] =
    ["straße", "strasse", "str", "platz", "weg", "allee", "gasse", "ring", "damm", "ufer"];

/// States and territories of the United States as the postal service abbreviates them.
const STATES: &str = "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT \
                      NE NV NH NJ NM NY NC ND OH OK OR PA PR RI SC SD TN TX UT VT VA VI WA WV WI WY";

/// Whether ", NY " stands before the five digits at `start`.
pub(super) fn after_state(text: &str, start: usize) -> bool {
    let before = text.as_bytes().get(..start).unwrap_or_default();
    let Some(before) = before.strip_suffix(b" ") else { return false };
    let before = before.strip_suffix(b" ").unwrap_or(before);
    let [rest @ .., a, b] = before else { return false };
    // "5678 OR 78910" is a choice of numbers.
    let named = rest.iter().rev().find(|c| **c != b' ').is_none_or(|c| !c.is_ascii_digit());
    let separated = named && matches!(rest.last(), Some(b' ' | b',' | b'\n'));
    let state = [*a, *b];
    separated && STATES.as_bytes().chunks(3).any(|s| s.get(..2) == Some(&state))
}

/// A postal code of five digits and the beginning of a place's name after the street address at
/// `from..to`: where it is, and whose it is by the language of the street.
pub(super) fn postcode_after(
    text: &str,
    from: usize,
    to: usize,
) -> Option<(usize, usize, &'static str)> {
    let rest = text.get(to..)?;
    let gap = rest.bytes().take(3).take_while(|c| matches!(c, b',' | b' ' | b'\n')).count();
    let code = rest.get(gap..gap + 5)?;
    let name = rest.get(gap + 5..)?.strip_prefix(' ')?;
    if gap == 0
        || !code.bytes().all(|c| c.is_ascii_digit())
        || !name.starts_with(char::is_uppercase)
    {
        return None;
    }
    let street = text.get(from..to)?.to_lowercase();
    let any = |words: &[&str]| words.iter().any(|w| street.contains(w));
    let german = PREPOSITIONS.iter().any(|p| {
        street.strip_prefix(p.to_lowercase().as_str()).is_some_and(|r| r.starts_with(' '))
    });
    let entity = if german
        || any(&["straße", "strasse", "str.", "weg ", "platz", "allee", "gasse", "ring ", "damm "])
    {
        "DE_PLZ"
    } else if any(&["calle", "avenida", "avda", "plaza", "paseo", "carretera"]) {
        "ES_POSTCODE"
    } else if any(&[
        "rue ",
        "avenue ",
        "boulevard ",
        "place ",
        "chemin ",
        "impasse ",
        "allée ",
        "quai ",
    ]) {
        "FR_POSTCODE"
    } else {
        return None;
    };
    Some((to + gap, to + gap + 5, entity))
}

/// "52.520008, 13.404954" or "40°26′46″N 79°58′56″W" at `start`, where a digit stands.
pub(super) fn coordinates(b: &[u8], start: usize) -> Option<(usize, usize)> {
    let first = if start > 0 && matches!(b[start - 1], b'-' | b'+') { start - 1 } else { start };
    let decimal = |at: usize, most: u32| -> Option<usize> {
        let mut i = at;
        if matches!(b.get(i), Some(b'-' | b'+')) {
            i += 1;
        }
        let whole = b.get(i..)?.iter().take(4).take_while(|c| c.is_ascii_digit()).count();
        let value = b[i..i + whole].iter().fold(0u32, |n, c| n * 10 + u32::from(c - b'0'));
        i += whole;
        if !(1..=3).contains(&whole) || value > most || b.get(i) != Some(&b'.') {
            return None;
        }
        let fraction = b[i + 1..].iter().take(16).take_while(|c| c.is_ascii_digit()).count();
        i += 1 + fraction;
        if !(4..=15).contains(&fraction) {
            return None;
        }
        if b.get(i..i + 2) == Some("°".as_bytes()) {
            i += 2;
        }
        let gap = usize::from(b.get(i) == Some(&b' '));
        if b.get(i + gap).is_some_and(|c| b"NSEW".contains(c))
            && !b.get(i + gap + 1).is_some_and(u8::is_ascii_alphanumeric)
        {
            i += gap + 1;
        }
        Some(i)
    };
    let end = decimal(first, 90)?;
    let gap =
        b.get(end..)?.iter().take(4).take_while(|c| matches!(c, b',' | b' ' | b';' | b'/')).count();
    if !(1..=3).contains(&gap) || (b.get(end) == Some(&b' ') && gap > 1) {
        return None;
    }
    let end = decimal(end + gap, 180)?;
    (!b.get(end).is_some_and(|c| {
        c.is_ascii_alphanumeric() || (*c == b'.' && b.get(end + 1).is_some_and(u8::is_ascii_digit))
    }))
    .then_some((first, end))
}

/// "52°31'12\"N 13°24'18\"E" at `start`, where a digit stands: its end.
pub(super) fn degrees(b: &[u8], start: usize) -> Option<usize> {
    let digits = |at: usize| {
        b.get(at..).map_or(0, |r| r.iter().take(3).take_while(|c| c.is_ascii_digit()).count())
    };
    let one_of = |at: usize, signs: &[&str]| {
        let rest = b.get(at..)?;
        signs.iter().find(|s| rest.starts_with(s.as_bytes())).map(|s| at + s.len())
    };
    let blank = |at: usize| at + usize::from(b.get(at) == Some(&b' '));
    let angle = |at: usize| -> Option<usize> {
        let n = digits(at);
        let mut at = blank(one_of(at + n, &["°"]).filter(|_| n > 0)?);
        let n = digits(at);
        at = blank(one_of(at + n, &["′", "'", "’"]).filter(|_| (1..=2).contains(&n))?);
        let n = digits(at);
        if (1..=2).contains(&n) {
            let mut end = at + n;
            if b.get(end) == Some(&b'.') {
                end += 1 + digits(end + 1);
            }
            at = blank(one_of(end, &["″", "\"", "”", "''"])?);
        }
        let letter = b.get(at).is_some_and(|c| b"NSEWO".contains(c));
        (letter && !b.get(at + 1).is_some_and(u8::is_ascii_alphanumeric)).then_some(at + 1)
    };
    let end = angle(start)?;
    let gap = b.get(end..)?.iter().take(3).take_while(|c| b", ;".contains(c)).count();
    angle(end + gap)
}
