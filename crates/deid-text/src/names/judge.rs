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
        let company =
            || within(tokens, words, &range).any(|w| w.capital && w.lists & IS_COMPANY != 0);
        // A term that the same text also writes in lower case is no name: "Licensor", "Work"; but
        // people write the names of people in lower case, too.
        let term = within(tokens, words, &range)
            .filter(|w| w.sign == 0)
            .all(|w| w.capital && lower.contains(&w.low) && !w.is_given_to_people());
        let list = self.in_list(tokens, words, &range);
        let code = is_code(text, &range, kind == 1 || !text.get(range.clone())?.contains(' '));
        let score = match (kind, term || list || code) {
            (_, true) => sure * 0.35,
            (2, _) if !company() => sure * 0.41,
            _ => sure,
        };
        // Where others are written with capitals, a name without one is doubtful.
        let small = within(tokens, words, &range)
            .filter(|w| w.sign == 0)
            .all(|w| !w.capital && !w.in_lower_case());
        let score = if small { score * 0.6 } else { score };
        let entity = self.kinds.get(kind)?.clone();
        Some(Name { entity, range, score: score.clamp(0.0, 0.97) })
    }

    /// Whether a name is made of what is no name: terms of technology, letters, words without a capital
    /// that no list of names knows.
    fn in_list(&self, tokens: &[Token], words: &[Word], range: &Range<usize>) -> bool {
        let plain = || within(tokens, words, range).filter(|w| w.sign == 0);
        let never = |w: &Word| self.lexicon.groups.of(w.low) == Some(Group::Never);
        let unknown = |w: &Word| {
            let known = w.lists & (IS_FIRST | IS_LAST | IS_PLACE | BEGINS_PLACE) != 0;
            !w.capital && (!known || w.lists & IS_COMMON != 0)
        };
        plain().all(never) || plain().all(|w| w.letter) || plain().all(unknown)
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
            if group == Some(Group::Greeting) || (title && more) {
                greeted |= group == Some(Group::Greeting);
                i = after;
                continue;
            }
            // "Buenos días" is nobody.
            let named = word.capital || word.is_given_to_people();
            return (!greeted || named).then_some(token.start..range.end);
        }
    }
}

/// Whether what is at `range` stands in code: `w.push`, `Europe/Paris`, `Vec<Sam>`, `name()`.
fn is_code(text: &str, range: &Range<usize>, single: bool) -> bool {
    let b = text.as_bytes();
    let name = b.get(range.clone()).unwrap_or_default();
    // "#Lisbon" is a place; "#[Lisbon]" is not.
    let name = name.strip_prefix(b"#").unwrap_or(name);
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
    inside || preceded || followed
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
