//! What becomes of the names that the model found: whose they are, and what is none after all.

use std::collections::HashSet;
use std::ops::Range;

use foldhash::fast::FixedState;

use super::Name;
use super::features::Word;
use super::gazetteer::{BEGINS_PLACE, IS_COMMON, IS_COMPANY, IS_FIRST, IS_LAST, IS_PLACE};
use super::lists::Group;
use super::tagger::Tagger;
use super::tokens::Token;
use crate::technical::Register;

/// The words of the tokens in a range of bytes.
pub(super) fn within<'a>(
    tokens: &'a [Token],
    words: &'a [Word],
    range: &Range<usize>,
) -> impl Iterator<Item = &'a Word> {
    let from = tokens.partition_point(|t| t.start < range.start);
    let end = range.end;
    tokens.iter().zip(words).skip(from).take_while(move |(t, _)| t.end <= end).map(|(_, w)| w)
}

impl Tagger {
    /// A name that the model found, with its kind, as it is reported.
    #[expect(clippy::too_many_arguments, reason = "a text as the tagger sees it, and a name in it")]
    pub(super) fn name_of(
        &self,
        kind: usize,
        range: Range<usize>,
        sure: f32,
        text: &str,
        tokens: &[Token],
        words: &[Word],
        lower: &HashSet<u64, FixedState>,
    ) -> Option<Name> {
        let range = self.without_address(kind, range, tokens, words)?;
        // Organizations are the least certain kind: without a word such as "Ltd" or "Bank" they
        // stay below the default threshold.
        let company = || {
            // "plc" is written small.
            let form = |w: &Word| w.lists & IS_COMPANY != 0;
            let short = text
                .get(range.clone())
                .and_then(|n| n.rsplit(' ').next())
                .is_some_and(|w| w.len() <= 3);
            within(tokens, words, &range).any(|w| w.capital && form(w))
                || short && within(tokens, words, &range).last().is_some_and(form)
        };
        // A term that the same text also writes in lower case is no name: "Licensor", "Work"; but
        // people write the names of people in lower case, too.
        let term = within(tokens, words, &range)
            .filter(|w| w.sign == 0)
            .all(|w| w.capital && lower.contains(&w.low) && !w.is_given_to_people());
        let list = self.in_list(kind, tokens, words, &range);
        let code = is_code(text, &range, kind == 1 || !text.get(range.clone())?.contains(' '))
            || is_line_of_code(text, &range);
        let acronym = kind != 1 && is_acronym(within(tokens, words, &range), range.len());
        let place = |w: &Word| w.lists & (IS_PLACE | BEGINS_PLACE) != 0 && w.lists & IS_COMMON == 0;
        let law = kind == 1 && is_of_law(text, tokens, &range);
        let score = match (kind, term || list || code || acronym || law) {
            (_, true) => sure * 0.35,
            (2, _) if !company() => sure * 0.41,
            _ => sure,
        };
        // Where others are written with capitals, a name without one is doubtful.
        let small = within(tokens, words, &range)
            .filter(|w| w.sign == 0)
            .all(|w| !w.capital && !w.in_lower_case());
        let given = || within(tokens, words, &range).any(Word::is_given_to_people);
        let score = match small {
            true if kind == 0 && given() => score * 0.6,
            true if kind == 1 && within(tokens, words, &range).any(place) => score * 0.6,
            true => score * 0.4,
            false => score,
        };
        let entity = self.kinds.get(kind)?.clone();
        Some(Name { entity, range, score: score.clamp(0.0, 0.97) })
    }

    /// A name with what it counts where programs, their terms or licences are written about: of several words
    /// one must be known from the lists, and a single word is seldom a name. In documentation places and
    /// organizations are nobody's, unless they are very sure.
    pub(super) fn in_documentation(
        &self,
        kind: usize,
        mut name: Name,
        register: Register,
        text: &str,
        tokens: &[Token],
        words: &[Word],
    ) -> Option<Name> {
        /// With less it is a term, and words such as "name" before it say nothing.
        const LEAST: f32 = 0.3;
        let several = text.get(name.range.clone())?.contains(char::is_whitespace);
        let inside = || within(tokens, words, &name.range).filter(|w| w.sign == 0);
        let listed = match kind {
            0 => {
                inside().all(|w| w.capital || w.is_given_to_people())
                    && inside().any(Word::is_given_to_people)
            }
            1 => inside().any(Word::is_in_place),
            // "Ltd" and "GmbH", rather than "Center" and "Group".
            _ => inside().last().is_some_and(|w| w.lists & IS_COMPANY != 0 && w.is_short()),
        };
        let documentation = register == Register::Documentation;
        name.score *= match (several, listed) {
            (false, _) if documentation => 0.41,
            (true, _) if documentation && kind != 0 => 0.41,
            (false, _) => 0.55,
            (true, false) => 0.6,
            (true, true) => 0.85,
        };
        (name.score >= LEAST).then_some(name)
    }

    /// Whether a name is made of what is no name: terms of technology, letters, words without a capital
    /// that no list of names knows.
    fn in_list(&self, kind: usize, tokens: &[Token], words: &[Word], range: &Range<usize>) -> bool {
        let plain = || within(tokens, words, range).filter(|w| w.sign == 0);
        let never = |w: &Word| self.lexicon.groups.of(w.low) == Some(Group::Never);
        let unknown = |w: &Word| {
            let known = w.lists & (IS_FIRST | IS_LAST | IS_PLACE | BEGINS_PLACE) != 0;
            !w.capital && (!known || w.lists & IS_COMMON != 0)
        };
        let small = plain().all(|w| !w.capital);
        let common = small && plain().any(|w| w.lists & IS_COMMON != 0);
        plain().all(never)
            || plain().all(|w| w.letter)
            || plain().all(unknown)
            || (kind == 0 && common)
    }

    /// A name without the greeting before it, and a person's without title; nothing if nothing is left.
    fn without_address(
        &self,
        kind: usize,
        range: Range<usize>,
        tokens: &[Token],
        words: &[Word],
    ) -> Option<Range<usize>> {
        let mut i = tokens.partition_point(|t| t.start < range.start);
        let mut greeted = false;
        loop {
            let (token, word) =
                tokens.get(i).zip(words.get(i)).filter(|(t, _)| t.end <= range.end)?;
            let group = self.lexicon.groups.of(word.low).filter(|_| word.capital);
            let title = group == Some(Group::Title) && kind == 0 && word.lists & IS_FIRST == 0;
            let after = match words.get(i + 1).map(|w| w.sign) {
                Some(b'.' | b',') => i + 2,
                _ => i + 1,
            };
            let more = tokens.get(after).is_some_and(|t| t.end <= range.end);
            // "Buenos Aires" greets nobody.
            let greeting = group == Some(Group::Greeting) && kind == 0;
            if greeting || (title && more) {
                greeted |= greeting;
                i = after;
                continue;
            }
            // "Buenos días" is nobody.
            let named = word.capital || word.is_given_to_people();
            return (!greeted || named).then_some(token.start..range.end);
        }
    }
}

/// Whether a name is a short word in capitals among others that are not, such as "AST", and in no list of names.
fn is_acronym<'a>(mut words: impl Iterator<Item = &'a Word>, len: usize) -> bool {
    const LISTED: u16 = IS_FIRST | IS_LAST | IS_PLACE | BEGINS_PLACE;
    let known = |w: &Word| match len {
        ..=3 => w.lists & (IS_PLACE | BEGINS_PLACE) != 0,
        _ => w.lists & LISTED != 0 && w.lists & IS_COMMON == 0,
    };
    let first = words.next();
    len <= 5 && words.next().is_none() && first.is_some_and(|w| w.is_acronym() && !known(w))
}

/// Whether a place is named as the one whose law or court decides: "governed by the laws of Ohio".
fn is_of_law(text: &str, tokens: &[Token], range: &Range<usize>) -> bool {
    const LAW: [&str; 6] =
        ["laws", "governed", "jurisdiction", "jurisdictions", "venue", "litigation"];
    let says = |t: &Token| {
        let word = text.get(t.start..t.end).unwrap_or_default();
        LAW.iter().any(|w| w.eq_ignore_ascii_case(word))
    };
    let first = tokens.partition_point(|t| t.start < range.start);
    let next = tokens.partition_point(|t| t.start < range.end);
    let near = |range: Range<usize>| tokens.get(range).unwrap_or_default().iter().any(says);
    near(first.saturating_sub(6)..first) || near(next..(next + 3).min(tokens.len()))
}

/// Whether the line of a name is a line of a program: `use fmt::{Debug, Display};`, `#[derive(Hash, Eq)]`.
fn is_line_of_code(text: &str, range: &Range<usize>) -> bool {
    /// Longer lines are none that people write.
    const LONGEST: usize = 200;
    let before = text.get(..range.start).unwrap_or_default();
    let from = crate::context::floor(text, range.start.saturating_sub(LONGEST));
    let head = before.get(from..).unwrap_or_default();
    let head = head.rsplit('\n').next().unwrap_or_default();
    let to = crate::context::floor(text, (range.end + LONGEST).min(text.len()));
    let tail = text.get(range.end..to).unwrap_or_default().split('\n').next().unwrap_or_default();
    let (start, end) = (head.trim_start(), tail.trim_end());
    let closed = end.ends_with([';', '{', '}', ',', ')', '(', '=', '[']);
    start.starts_with("#[")
        || start.starts_with("#![")
        || closed && (start.contains("::") || end.contains("::") || start.contains("->"))
        || end.ends_with(';')
            && ["let ", "const ", "use ", "return ", "import ", "assert"]
                .iter()
                .any(|w| start.starts_with(w))
}

/// Whether what is at `range` stands in code: `w.push`, `Europe/Paris`, `Vec<Sam>`, `name()`.
fn is_code(text: &str, range: &Range<usize>, single: bool) -> bool {
    let b = text.as_bytes();
    let name = b.get(range.clone()).unwrap_or_default();
    // "#Lisbon" is a place; "#[Lisbon]" and the heading "# Lisbon" are not.
    let name = name.strip_prefix(b"#").filter(|n| !n.starts_with(b" ")).unwrap_or(name);
    let inside = name.iter().any(|c| b"`\\#{}[]<>$|*=~_".contains(c))
        || name.windows(2).any(|w| w[0] == b'.' && w[1].is_ascii_lowercase() || w == b"::");
    let before =
        |n: usize| range.start.checked_sub(n).and_then(|i| b.get(i)).copied().unwrap_or(b' ');
    let after = |n: usize| b.get(range.end + n).copied().unwrap_or(b' ');
    let word = |c: u8| c.is_ascii_alphanumeric();
    let preceded = match before(1) {
        b'`' | b'_' | b'\\' | b'$' => true,
        b'.' | b'<' => word(before(2)),
        b'#' => before(2) != b' ',
        b':' => before(2) == b':',
        b'/' => single && word(before(2)),
        _ => false,
    };
    let followed = match after(0) {
        b'`' | b'_' | b'\\' => true,
        b'(' => single,
        b'.' => after(1).is_ascii_lowercase() || after(1) == b'_',
        b'<' => after(1).is_ascii_uppercase(),
        b':' => after(1) == b':',
        b'!' => matches!(after(1), b'(' | b'['),
        b'/' => single && word(after(1)),
        _ => false,
    };
    let count = |sign: u8| name.iter().filter(|c| **c == sign).count();
    inside || preceded || followed || count(b'(') != count(b')') || name.first() == Some(&b',')
}

/// Whether a word such as "French" means a language: "translated into French", "the German version".
pub(super) fn is_language(text: &str, tokens: &[Token], i: usize) -> bool {
    const AFTER: [&str; 16] = [
        "language",
        "translation",
        "translations",
        "version",
        "versions",
        "text",
        "texts",
        "edition",
        "alphabet",
        "keyboard",
        "locale",
        "grammar",
        "dictionary",
        "word",
        "words",
        "letters",
    ];
    const BEFORE: [&str; 8] =
        ["in", "into", "to", "speak", "speaks", "spoken", "speaking", "written"];
    let word = |i: usize| {
        let token = tokens.get(i).filter(|t| t.word)?;
        text.get(token.start..token.end)
    };
    let among = |w: Option<&str>, list: &[&str]| {
        w.is_some_and(|w| list.iter().any(|x| x.eq_ignore_ascii_case(w)))
    };
    // "to Norwegian parents" is none.
    let ends = tokens.get(i + 1).is_none_or(|t| !t.word || t.first)
        || among(word(i + 1), &["and", "or", "to", "into"]);
    among(word(i + 1), &AFTER)
        || (ends && i.checked_sub(1).is_some_and(|k| among(word(k), &BEFORE)))
}

/// Whether the words beside a word such as "Polish" or "Labour" say that a group of people is meant.
pub(super) fn says_group(text: &str, tokens: &[Token], i: usize) -> bool {
    const AFTER: [&str; 24] = [
        "party",
        "voter",
        "voters",
        "politician",
        "mp",
        "mps",
        "senator",
        "candidate",
        "community",
        "church",
        "woman",
        "women",
        "man",
        "men",
        "people",
        "citizen",
        "citizens",
        "national",
        "ambassador",
        "immigrant",
        "immigrants",
        "family",
        "descent",
        "origin",
    ];
    const BEFORE: [&str; 6] = ["nationality", "is", "are", "was", "am", "i'm"];
    let word = |i: usize| {
        let token = tokens.get(i).filter(|t| t.word)?;
        text.get(token.start..token.end)
    };
    let among = |w: Option<&str>, list: &[&str]| {
        w.is_some_and(|w| list.iter().any(|x| x.eq_ignore_ascii_case(w)))
    };
    let colon = i >= 2 && tokens.get(i - 1).is_some_and(|t| text.get(t.start..t.end) == Some(":"));
    among(word(i + 1), &AFTER)
        || i.checked_sub(1).is_some_and(|k| among(word(k), &BEFORE))
        || (colon && among(word(i - 2), &BEFORE))
}
