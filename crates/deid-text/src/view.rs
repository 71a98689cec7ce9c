//! A normalized view of text, with a way back to the original bytes.
//!
//! What people and attackers write in many ways is matched in one: full-width and mathematical
//! letters, digits of any script, typographic hyphens and blanks, invisible characters, HTML
//! character references and percent escapes all become the plain character in the view. Every
//! position of the view maps to the bytes of the original it came from. Plain text is its own view,
//! without a copy.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// A stretch of the view: either a copy of the original, or one replaced unit.
#[derive(Clone, Copy, Debug)]
struct Segment {
    view: usize,
    original: usize,
    /// For a replaced unit, where it ends in the original.
    unit_end: Option<usize>,
}

/// Text as recognizers see it.
#[derive(Debug)]
pub(crate) struct View<'t> {
    pub(crate) text: Cow<'t, str>,
    /// Empty while the view is the original.
    segments: Vec<Segment>,
    original_len: usize,
}

impl<'t> View<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        if is_plain(text) {
            return View {
                text: Cow::Borrowed(text),
                segments: Vec::new(),
                original_len: text.len(),
            };
        }
        normalize(text)
    }

    /// The original bytes behind a range of the view.
    pub(crate) fn original(&self, start: usize, end: usize) -> (usize, usize) {
        if self.segments.is_empty() {
            return (start, end);
        }
        let end = match end.checked_sub(1) {
            Some(last) if end > start => {
                let segment = self.segment(last);
                segment.unit_end.unwrap_or(segment.original + (end - segment.view))
            }
            _ => self.start_of(end),
        };
        (self.start_of(start), end)
    }

    /// Whether the character at `at` was written as an escape or another form of itself.
    pub(crate) fn is_replaced(&self, at: usize) -> bool {
        !self.segments.is_empty() && self.segment(at).unit_end.is_some()
    }

    fn start_of(&self, at: usize) -> usize {
        if at >= self.text.len() {
            return self.original_len;
        }
        let segment = self.segment(at);
        segment.unit_end.map_or(segment.original + (at - segment.view), |_| segment.original)
    }

    fn segment(&self, at: usize) -> Segment {
        let i = self.segments.partition_point(|s| s.view <= at);
        let first = Segment { view: 0, original: 0, unit_end: None };
        i.checked_sub(1).and_then(|i| self.segments.get(i)).copied().unwrap_or(first)
    }
}

/// Bytes that may start something to replace: `&`, `%`, the lead bytes of characters that are
/// replaced. A text without them is its own view.
fn is_plain(text: &str) -> bool {
    let suspicious = |b: u8| (b == b'&') | (b == b'%') | (b >= 0xc2);
    let (chunks, rest) = text.as_bytes().as_chunks::<64>();
    let any = |chunk: &[u8]| chunk.iter().fold(false, |any, b| any | suspicious(*b));
    if !chunks.iter().any(|c| any(c)) && !any(rest) {
        return true;
    }
    let mut rest = text;
    while let Some(i) = rest.bytes().position(suspicious) {
        rest = rest.get(i..).unwrap_or_default();
        match replacement(rest) {
            Some(_) => return false,
            None => {
                let c = rest.chars().next().map_or(1, char::len_utf8);
                rest = rest.get(c..).unwrap_or_default();
            }
        }
    }
    true
}

fn normalize(text: &str) -> View<'_> {
    let mut out = String::with_capacity(text.len());
    let mut segments = Vec::new();
    let mut copied = true;
    let mut i = 0;
    segments.push(Segment { view: 0, original: 0, unit_end: None });
    while let Some(rest) = text.get(i..).filter(|r| !r.is_empty()) {
        match replacement(rest) {
            Some((with, len)) => {
                if !with.is_empty() {
                    let segment = Segment { view: out.len(), original: i, unit_end: Some(i + len) };
                    segments.push(segment);
                    out.push_str(with.as_str());
                }
                copied = false;
                i += len;
            }
            None => {
                if !copied {
                    segments.push(Segment { view: out.len(), original: i, unit_end: None });
                    copied = true;
                }
                // Copy up to the next byte that could start a replacement.
                let first = rest.chars().next().map_or(1, char::len_utf8);
                let more = rest.bytes().skip(first);
                let more = more.take_while(|b| *b != b'&' && *b != b'%' && *b < 0xc2).count();
                let len = (first..=first + more).rev().find(|l| rest.is_char_boundary(*l));
                let len = len.unwrap_or(first);
                out.push_str(rest.get(..len).unwrap_or_default());
                i += len;
            }
        }
    }
    View { text: Cow::Owned(out), segments, original_len: text.len() }
}

/// Up to four bytes of replacement text.
#[derive(Clone, Copy)]
struct Small([u8; 4], u8);

impl Small {
    const EMPTY: Small = Small([0; 4], 0);

    fn of(c: char) -> Self {
        let mut bytes = [0; 4];
        let len = c.encode_utf8(&mut bytes).len();
        Small(bytes, len as u8)
    }

    fn is_empty(self) -> bool {
        self.1 == 0
    }

    fn as_str(&self) -> &str {
        self.0.get(..usize::from(self.1)).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or("")
    }
}

/// What the start of `rest` stands for, if not for itself, and how many bytes that takes.
fn replacement(rest: &str) -> Option<(Small, usize)> {
    let bytes = rest.as_bytes();
    match bytes.first()? {
        b'&' => character_reference(bytes).map(|(c, len)| (fold(c).unwrap_or(Small::of(c)), len)),
        b'%' => percent(bytes).map(|(c, len)| (fold(c).unwrap_or(Small::of(c)), len)),
        _ => {
            let c = rest.chars().next()?;
            fold(c).map(|small| (small, c.len_utf8()))
        }
    }
}

/// The plain form of a character, if it has another one.
fn fold(c: char) -> Option<Small> {
    if c < '\u{a0}' {
        return None;
    }
    let plain = match c {
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2060}'..='\u{2064}'
        | '\u{feff}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{180e}'
        | '\u{202a}'..='\u{202e}' => return Some(Small::EMPTY),
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            ' '
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => '-',
        '\u{ff20}' | '\u{fe6b}' => '@',
        '\u{ff0e}' | '\u{fe52}' | '\u{2024}' | '\u{3002}' => '.',
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{2032}' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{ab}' | '\u{bb}' => '"',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0)?,
        '\u{1d400}'..='\u{1d7ff}' | '\u{fb00}'..='\u{fb06}' => {
            return std::iter::once(c).nfkc().next().filter(|n| *n != c).map(Small::of);
        }
        _ => char::from(b'0' + decimal_digit(c)?),
    };
    Some(Small::of(plain))
}

/// The first character of each script's ten decimal digits (general category Nd, Unicode 16).
const ZEROS: [u32; 70] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6,
    0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50,
    0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
    0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0,
    0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50,
    0x11da0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1e140, 0x1e2f0,
    0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
];

fn decimal_digit(c: char) -> Option<u8> {
    let c = c as u32;
    let i = ZEROS.partition_point(|zero| *zero <= c).checked_sub(1)?;
    ZEROS.get(i).map(|zero| c - zero).filter(|d| *d < 10).map(|d| d as u8)
}

/// `&#64;`, `&#x40;` and the named references that matter for identifiers.
fn character_reference(bytes: &[u8]) -> Option<(char, usize)> {
    const NAMED: [(&[u8], char); 16] = [
        (b"&amp;", '&'),
        (b"&commat;", '@'),
        (b"&period;", '.'),
        (b"&nbsp;", ' '),
        (b"&shy;", '\u{ad}'),
        (b"&quot;", '"'),
        (b"&apos;", '\''),
        (b"&lt;", '<'),
        (b"&gt;", '>'),
        (b"&colon;", ':'),
        (b"&sol;", '/'),
        (b"&hyphen;", '-'),
        (b"&dash;", '-'),
        (b"&plus;", '+'),
        (b"&lpar;", '('),
        (b"&rpar;", ')'),
    ];
    if bytes.get(1) == Some(&b'#') {
        let hex = matches!(bytes.get(2), Some(b'x' | b'X'));
        let from = if hex { 3 } else { 2 };
        let mut value = 0u32;
        for (i, b) in bytes.iter().enumerate().skip(from).take(8) {
            if *b == b';' && i > from {
                let c = char::from_u32(value).filter(|c| !c.is_control())?;
                return Some((c, i + 1));
            }
            let digit = char::from(*b).to_digit(if hex { 16 } else { 10 })?;
            value = value * if hex { 16 } else { 10 } + digit;
        }
        return None;
    }
    NAMED.iter().find(|(name, _)| bytes.starts_with(name)).map(|(name, c)| (*c, name.len()))
}

/// `%40` and multi-byte UTF-8 sequences such as `%C3%A9`; never a control character.
fn percent(bytes: &[u8]) -> Option<(char, usize)> {
    let byte = |i: usize| {
        let hex = |b: &u8| char::from(*b).to_digit(16);
        match bytes.get(3 * i..3 * i + 3)? {
            [b'%', h, l] => Some((hex(h)? * 16 + hex(l)?) as u8),
            _ => None,
        }
    };
    let first = byte(0)?;
    let len = match first {
        0x20..=0x7e => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let mut sequence = [0; 4];
    for (i, slot) in sequence.iter_mut().enumerate().take(len) {
        *slot = byte(i)?;
    }
    let c = std::str::from_utf8(sequence.get(..len)?).ok()?.chars().next()?;
    (!c.is_control()).then_some((c, 3 * len))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn original<'a>(text: &'a str, needle: &str) -> &'a str {
        let view = View::new(text);
        let start = view.text.find(needle).expect(needle);
        let (start, end) = view.original(start, start + needle.len());
        &text[start..end]
    }

    #[test]
    fn other_forms_map_back_to_their_bytes() {
        assert_eq!(original("x ５３６-22 y", "536-22"), "５３６-22");
        assert_eq!(original("a&#64;b&period;com", "a@b.com"), "a&#64;b&period;com");
        assert_eq!(original("q=a%40b.com;", "a@b.com"), "a%40b.com");
        assert_eq!(original("4\u{200b}11\u{ad}1 z", "4111"), "4\u{200b}11\u{ad}1");
        assert_eq!(original("٠٣٣\u{a0}١", "033 1"), "٠٣٣\u{a0}١");
        assert_eq!(original("é 𝐉𝐨", "Jo"), "𝐉𝐨");
    }

    #[test]
    fn plain_text_is_not_copied() {
        for text in ["plain", "Grüße, Müller & Söhne, 100 %", "名前", "½ ² ①"] {
            assert!(matches!(View::new(text).text, Cow::Borrowed(_)), "{text}");
        }
    }
}
