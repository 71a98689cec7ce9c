//! Whether a text is about programs: documentation, manuals, code, licences.
//!
//! In such a text a capital letter says little, links lead to other documents, and what stands in quotation
//! marks is an example. It is told by its signs (backticks, `()`, `!(`, `->`, `#[`, `](`, `--options`, `__names__`)
//! or by its words: of documentation, manuals and licences one word in ten is one of `data/technical.txt`
//! in the middle, of news, messages, letters and forms less than one in forty. A message about a program has
//! many of them, too, and says "I", "she" or "customer" (`data/personal.txt`), which documentation hardly does.

/// Signs that a text must have, and of how many words one must be a sign.
const SIGNS: (usize, usize) = (8, 20);
/// The same of technical words.
const TERMS: (usize, usize) = (12, 24);
/// Technical words that must stand against a personal one.
const AGAINST: usize = 12;

const START: u32 = 0x811c_9dc5;

const fn step(hash: u32, letter: u8) -> u32 {
    (hash ^ (letter | 32) as u32).wrapping_mul(0x0100_0193)
}

/// A bit for the hash of each word of a list: of other words, one in five hundred has such a bit, too.
struct Words([u64; 1024]);

static TECHNICAL: Words = Words::new(include_bytes!("../data/technical.txt"));
static PERSONAL: Words = Words::new(include_bytes!("../data/personal.txt"));

impl Words {
    const fn new(list: &[u8]) -> Self {
        let mut table = [0; 1024];
        let (mut i, mut hash, mut comment) = (0, START, false);
        while i < list.len() {
            let c = list[i];
            comment = (comment && c != b'\n') || c == b'/';
            if c.is_ascii_lowercase() && !comment {
                hash = step(hash, c);
            } else if hash != START {
                let (word, bit) = Words::slot(hash);
                table[word] |= 1u64 << bit;
                hash = START;
            }
            i += 1;
        }
        Words(table)
    }

    const fn slot(hash: u32) -> (usize, u32) {
        let folded = hash ^ hash >> 16;
        ((folded >> 6) as usize & 1023, folded & 63)
    }

    fn has(&self, hash: u32) -> bool {
        let (word, bit) = Words::slot(hash);
        self.0.get(word).is_some_and(|w| w >> bit & 1 == 1)
    }
}

/// What a text is, as far as it is about programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Register {
    /// About something else.
    Other,
    /// With the signs of code.
    Code,
    /// In the words of documentation or licences, with or without such signs.
    Documentation,
}

/// What a text is by its signs and words.
pub(crate) fn register(text: &str) -> Register {
    let b = text.as_bytes();
    let (mut signs, mut terms, mut people, mut words) = (0usize, 0usize, 0usize, 0usize);
    let mut i = 0;
    while let Some(&c) = b.get(i) {
        if c.is_ascii_alphabetic() {
            // The hash of the word, and of all but its last letter.
            let (start, mut hash, mut stem) = (i, START, START);
            while let Some(&c) = b.get(i).filter(|c| c.is_ascii_alphabetic()) {
                (stem, hash) = (hash, step(hash, c));
                i += 1;
            }
            let last = b.get(i - 1).copied().unwrap_or(b' ');
            let next = b.get(i).copied().unwrap_or(b' ');
            let plural = last | 32 == b's';
            let known = |list: &Words| list.has(hash) || plural && list.has(stem);
            terms += usize::from(known(&TECHNICAL));
            // "my-project" is nobody's; "I/O" is no person.
            let own = i - start == 1 && last == b'I' && matches!(next, b' ' | b'\'');
            people += usize::from(own || !matches!(next, b'-' | b'_') && known(&PERSONAL));
            let before = |n: usize| start.checked_sub(n).and_then(|k| b.get(k)).copied();
            words += usize::from(!before(1).is_some_and(|c| c.is_ascii_digit()));
            let doubled = matches!((before(2), before(1)), (Some(b'-'), Some(b'-')))
                && matches!(before(3), None | Some(b' ' | b'[' | b'\t' | b'\n'))
                || matches!((before(2), before(1)), (Some(b'_'), Some(b'_')));
            signs += 2 * usize::from(doubled && b.get(start).is_some_and(u8::is_ascii_lowercase));
            continue;
        }
        signs += match (c, b.get(i + 1)) {
            (b'`', _) | (b']', Some(b'(')) => 1,
            (b'(', Some(b')')) | (b'!', Some(b'(')) => 2,
            (b'-' | b'=', Some(b'>')) | (b'#', Some(b'[')) => 2,
            _ => 0,
        };
        i += 1;
        if c.is_ascii_digit() {
            words += 1;
            while b.get(i).is_some_and(u8::is_ascii_digit) {
                i += 1;
            }
        }
    }
    let enough = |n: usize, (least, share): (usize, usize)| n >= least && n * share >= words;
    let documents = enough(terms, TERMS) && people * AGAINST <= terms;
    match (documents, enough(signs, SIGNS)) {
        (true, _) => Register::Documentation,
        (false, true) => Register::Code,
        (false, false) => Register::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Register, register};

    fn is_technical(text: &str) -> bool {
        register(text) != Register::Other
    }

    #[test]
    fn signs_tell() {
        assert!(is_technical(
            "Returns `None` if `key` is missing; see `get()` and `Map::insert()`."
        ));
        assert!(is_technical("usage: tool [--all] [--quiet] [--file FILE]\n  --help\n"));
        assert!(!is_technical(
            "Marta wrote that the tool `sync` hangs; she lives in Leeds and called twice."
        ));
        assert!(!is_technical(
            r#"{"first_name": "Marta", "last_name": "Kowalska", "city": "Leeds"}"#
        ));
        assert!(!is_technical("Name: ______________ City: ____________ Signature: ______________"));
    }

    #[test]
    fn words_tell() {
        assert!(is_technical(
            "The name of the resource. If you don't specify a value, the default value of the \
             configuration is returned. An error response has no such field, and a request without \
             the required parameter is invalid."
        ));
        assert!(is_technical(
            "Redistribution and use in source and binary forms, with or without modification, are \
             permitted: redistributions of source code must retain the above copyright notice, and \
             redistributions in binary form must reproduce it in the documentation. This software is \
             distributed without warranty of merchantability; the licence of a contributor says more."
        ));
        assert!(!is_technical(
            "Since the update to version 4.2 the export function returns an error: invalid token. I requested a \
             new access token with my user key, but the response of the server is the same error. The file is in \
             the default folder, and the list of orders is empty if I set the filter to the type invoice."
        ));
        assert!(!is_technical(
            "Customer says that the export function returns an error, invalid token. She requested a new token with \
             her key; same response. File is in the default folder, list is empty with the type set to invoice."
        ));
    }
}
