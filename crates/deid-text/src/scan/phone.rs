//! Telephone numbers of all regions in running text.
//!
//! The plans are those of libphonenumber's metadata, compiled into one automaton over digits
//! (`data/phones.bin`) with a start state for each region (`data/phones.txt`).

use std::collections::HashMap;

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use crate::work::work;

mod digits;
mod plan;

use digits::{Candidate, Group, NANP, pack};
use plan::{accept, lengths_from, word};

const REGIONS: &str = include_str!("../../data/phones.txt");

/// Regions whose national notation is looked for unless the caller names some.
const NATIONAL: &str = "US GB DE FR IT ES NL BE CH AT SE NO DK FI PL PT IE IN AU NZ BR MX JP KR CN \
                        IL ZA TR PH SG HK CZ HU RO GR UA RU AR CO CL NG EG SA AE TH VN MY ID";

/// How strictly a telephone number is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhoneLeniency {
    /// The number of digits fits the region.
    Possible,
    /// The digits follow the numbering plan of a region.
    Valid,
    /// The plan fits, and digits are grouped as the region groups them, or not at all.
    StrictGrouping,
    /// The plan fits, and digits are grouped exactly as the region groups them.
    ExactGrouping,
}

#[derive(Debug)]
struct Region {
    name: [u8; 2],
    code: u16,
    prefix: &'static str,
    start: u16,
    /// Lengths of groups, packed as by [`pack`].
    groupings: Vec<u64>,
    /// A bit for each number of digits that the plan knows.
    lengths: u32,
}

/// What is known of a candidate that holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Match {
    pub(crate) end: usize,
    pub(crate) score: f32,
    pub(crate) region: [u8; 2],
    pub(crate) mobile: Option<bool>,
}

/// From this score on a number counts without a label beside it.
pub(crate) const STRONG: f32 = 0.4;

/// What a look for a number of some score gives.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    Number(Match),
    /// None of that score, and perhaps one of a lower score.
    Weaker,
    Nothing,
}

#[derive(Debug)]
pub(crate) struct Phones {
    regions: Vec<Region>,
    national: Vec<usize>,
    /// Which of these know numbers that begin with two digits, and which know numbers of a length.
    beginning: Vec<Set>,
    length: Vec<Set>,
    /// Whether North American notation is looked for.
    american: bool,
    /// Regions by their country calling code.
    by_code: HashMap<u16, Vec<usize>, FixedState>,
    leniency: PhoneLeniency,
}

/// A set of regions, a bit for each; there are fewer than 256.
#[derive(Clone, Copy, Debug, Default)]
struct Set([u64; 4]);

impl Set {
    fn add(&mut self, i: usize) {
        if let Some(word) = self.0.get_mut(i / 64) {
            *word |= 1 << (i % 64);
        }
    }

    /// What is in both, in order.
    fn both(&self, other: &Set) -> impl Iterator<Item = usize> + use<> {
        let words: [u64; 4] = std::array::from_fn(|i| self.0[i] & other.0[i]);
        words.into_iter().enumerate().flat_map(|(i, mut word)| {
            std::iter::from_fn(move || {
                let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
                word &= word - 1;
                Some(i * 64 + bit)
            })
        })
    }
}

impl Phones {
    pub(crate) fn new(countries: Option<&[String]>, leniency: PhoneLeniency) -> Self {
        let mut regions: Vec<Region> = Vec::with_capacity(256);
        let mut known = vec![None; plan::states()];
        for line in REGIONS.lines().filter(|l| !l.starts_with('#')) {
            let f: Vec<&'static str> = line.split('|').collect();
            if let [name, code, prefix, start, _, groupings] = f[..]
                && let (Ok(name), Ok(code), Ok(start)) =
                    (name.as_bytes().try_into(), code.parse(), start.parse())
            {
                let lengths = |g: &str| pack(g.split('-').filter_map(|n| n.parse().ok()));
                let groupings = groupings.split(' ').map(lengths).collect();
                let lengths = lengths_from(start, &mut known, 0);
                regions.push(Region { name, code, prefix, start, groupings, lengths });
            }
        }
        let find = |name: &str| regions.iter().position(|r| r.name == *name.as_bytes());
        let national = match countries {
            None => NATIONAL.split_whitespace().filter_map(find).collect(),
            Some(list) => list.iter().filter_map(|c| find(&c.to_ascii_uppercase())).collect(),
        };
        let national: Vec<usize> = national;
        let mut beginning = vec![Set::default(); 100];
        let mut length = vec![Set::default(); 20];
        for (i, region) in national.iter().filter_map(|i| regions.get(*i)).enumerate() {
            for (n, set) in length.iter_mut().enumerate() {
                let stripped =
                    n.checked_sub(region.prefix.len()).filter(|_| !region.prefix.is_empty());
                let known = |n: usize| region.lengths >> n & 1 == 1;
                if known(n) || stripped.is_some_and(known) {
                    set.add(i);
                }
            }
            for (n, set) in beginning.iter_mut().enumerate() {
                let digits = [n / 10, n % 10];
                let prefix: Vec<usize> =
                    region.prefix.bytes().map(|d| usize::from(d.wrapping_sub(b'0'))).collect();
                let common = prefix.iter().zip(&digits).take_while(|(p, d)| p == d).count();
                let follows = |digits: &[usize]| {
                    let step = |state: usize, d: &usize| usize::from(word(state, *d));
                    digits.iter().fold(usize::from(region.start), step) != 0
                };
                let stripped = !prefix.is_empty()
                    && common == prefix.len().min(2)
                    && digits.get(common..).is_none_or(follows);
                if stripped || follows(&digits) {
                    set.add(i);
                }
            }
        }
        let american = national.iter().filter_map(|i| regions.get(*i)).any(|r| r.code == 1);
        let mut by_code: HashMap<u16, Vec<usize>, FixedState> = HashMap::default();
        for (i, region) in regions.iter().enumerate() {
            by_code.entry(region.code).or_default().push(i);
        }
        Phones { regions, national, beginning, length, american, by_code, leniency }
    }

    /// A number that starts at `start`, where a `+`, a bracket or a digit stands.
    pub(crate) fn find(&self, b: &[u8], start: usize) -> Option<Match> {
        match self.find_from(b, start, 0.0) {
            Found::Number(found) => Some(found),
            Found::Weaker | Found::Nothing => None,
        }
    }

    /// The same of a score of at least `least`, and whether there might be one of a lower score.
    pub(crate) fn find_from(&self, b: &[u8], start: usize, least: f32) -> Found {
        let mut weaker = false;
        match self.longest(b, start, least, &mut weaker) {
            Some(found) => Found::Number(found),
            None if weaker => Found::Weaker,
            None => Found::Nothing,
        }
    }

    fn longest(&self, b: &[u8], start: usize, least: f32, weaker: &mut bool) -> Option<Match> {
        work(1);
        let mut digits = [0u8; 20];
        let mut groups = [Group { from: 0, len: 0, end: 0 }; 12];
        let (mut n, mut g) = (0, 0);
        let mut i = start;
        // Groups of digits may be in the middle of something longer, such as bytes in hexadecimal.
        let before = b.get(..start).unwrap_or_default();
        let continued = matches!(before, [.., c, b' '] if c.is_ascii_digit());
        // Nor does a number begin in the middle of single digits.
        let single = |b: Option<&[u8]>| matches!(b, Some([x, b' ', y, b' ']) if x.is_ascii_digit() && y.is_ascii_digit());
        if continued
            && matches!(before, [] | [_] | [_, _] | [.., b' ', _, b' '])
            && single(b.get(start..start + 4))
        {
            return None;
        }
        // "Boston, MA 02110-1301".
        let state = matches!(before, [.., b' ' | b',', x, y, b' '] | [.., b' ' | b',', x, y, b' ', b' ']
            if x.is_ascii_uppercase() && y.is_ascii_uppercase());
        let plus = b.get(i) == Some(&b'+');
        i += usize::from(plus);
        // "(+49) 30 …": the bracket opened before the plus.
        let mut outer = plus && start > 0 && b.get(start - 1) == Some(&b'(');
        let mut open = 0i32;
        let mut brackets = false;
        let mut trunk_zero = false;
        let mut separators = [0u8; 12];
        loop {
            // Between groups: up to three separators, brackets balanced.
            let mut gap = 0;
            let mut separator = 0;
            while let Some(&c) = b.get(i + gap) {
                match c {
                    b'(' if open == 0 && g < 3 => open = 1,
                    b')' if open == 1 => open = 0,
                    b')' if outer && g == 1 => outer = false,
                    b' ' | b'-' | b'.' | b'/' if n > 0 || plus || brackets => separator = c,
                    _ => break,
                }
                // "0..4294967295" is a range.
                if c == b'.' && b.get(i + gap + 1) == Some(&b'.') {
                    break;
                }
                brackets |= c == b'(';
                gap += 1;
                if gap > 3 {
                    break;
                }
            }
            let from = i + gap;
            if gap > 3 || !b.get(from).is_some_and(u8::is_ascii_digit) || g == groups.len() {
                break;
            }
            // "+44 (0)20": the trunk zero is written, not dialled.
            if (plus || n > 3) && b.get(from - 1..from + 2) == Some(b"(0)") && g > 0 && !trunk_zero
            {
                trunk_zero = true;
                open = 0;
                i = from + 2;
                continue;
            }
            let mut run = 0;
            while n + run < digits.len()
                && let Some(c) = b.get(from + run).filter(|c| c.is_ascii_digit())
            {
                digits[n + run] = *c;
                run += 1;
            }
            if n + run > 17 {
                break;
            }
            groups[g] = Group { from: n, len: run, end: from + run };
            separators[g] = separator;
            (n, g, i) = (n + run, g + 1, from + run);
        }
        // Longest first; a shorter end must leave a blank between it and the rest.
        for count in (1..=g).rev() {
            let last = groups[count - 1];
            let total = last.from + last.len;
            if !(7..=17).contains(&total) {
                continue;
            }
            let end = last.end;
            if state && count == 2 && groups[0].len == 5 && groups[1].len == 4 {
                continue;
            }
            // What goes on with as many digits is a longer number of another kind.
            if count < g && (separators[count] != b' ' || (total < 9 && groups[count].len > 2)) {
                continue;
            }
            if !ends(b, end) {
                continue;
            }
            let seps = &separators[1..count];
            let candidate = Candidate {
                text: b,
                continued,
                digits: &digits[..total],
                groups: &groups[..count],
                plus,
                brackets,
                seps,
            };
            if let Some((score, region, kinds)) = self.judge(&candidate, least, weaker) {
                let mobile = match kinds & 3 {
                    1 => Some(false),
                    2 => Some(true),
                    _ => None,
                };
                // "Fon (030) 1234": the bracket before the first digit is part of it.
                return Some(Match { end: extension(b, end), score, region, mobile });
            }
        }
        None
    }

    fn judge(
        &self,
        c: &Candidate<'_>,
        least: f32,
        weaker: &mut bool,
    ) -> Option<(f32, [u8; 2], u16)> {
        let d = c.digits;
        let counted =
            c.groups.len() == 1 && b"01234567890".windows(d.len().min(11)).any(|w| w == d);
        if counted
            || d.iter().all(|x| *x == d[0])
            || c.looks_like_address_or_number()
            || c.has_bracketed_year()
        {
            return None;
        }
        let international = if c.plus {
            Some(d)
        } else if c.continued {
            None
        } else if d.starts_with(b"00") && c.groups[0].len <= 6 {
            d.get(2..)
        } else if d.starts_with(b"011") && c.groups[0].len == 3 {
            d.get(3..)
        } else {
            None
        };
        if let Some(d) = international
            && let Some(found) = self.international(d, c)
        {
            return Some(found);
        }
        if c.plus {
            return None;
        }
        let national = self.national(c, least, weaker);
        let american = self.american(c);
        match (national, american) {
            (Some(a), Some(b)) => Some(if a.0 >= b.0 { a } else { b }),
            (a, b) => a.or(b),
        }
    }

    fn international(&self, d: &[u8], c: &Candidate<'_>) -> Option<(f32, [u8; 2], u16)> {
        let mut possible = None;
        for len in 1..=3usize {
            let (code, national) = d.split_at_checked(len)?;
            let code = code.iter().fold(0u16, |n, x| n * 10 + u16::from(x - b'0'));
            let own = self.by_code.get(&code).map_or(&[][..], |list| list);
            for region in own.iter().filter_map(|i| self.regions.get(*i)) {
                let kinds = accept(region.start, national);
                if kinds != 0 {
                    if self.leniency >= PhoneLeniency::StrictGrouping && c.groups.len() > 2 {
                        let lengths = c.lengths(len);
                        if !region.groupings.contains(&lengths) {
                            continue;
                        }
                    }
                    return Some((0.9, region.name, kinds));
                }
                // A plan changes faster than tables: a plausible length after a plus is enough.
                if (7..=12).contains(&national.len()) && code != 0 {
                    possible = Some((0.6, region.name, 0));
                }
            }
        }
        possible.filter(|_| self.leniency <= PhoneLeniency::Valid)
    }

    fn national(
        &self,
        c: &Candidate<'_>,
        least: f32,
        weaker: &mut bool,
    ) -> Option<(f32, [u8; 2], u16)> {
        let mut best: Option<(f32, [u8; 2], u16)> = None;
        let [a, b, ..] = c.digits else { return None };
        let first = usize::from(a - b'0') * 10 + usize::from(b - b'0');
        let (Some(beginning), Some(length)) =
            (self.beginning.get(first), self.length.get(c.digits.len()))
        else {
            return None;
        };
        for i in beginning.both(length).filter_map(|i| self.national.get(i)) {
            work(1);
            let region = &self.regions[*i];
            let prefix = region.prefix.as_bytes();
            let stripped = (!prefix.is_empty()).then(|| c.digits.strip_prefix(prefix)).flatten();
            for (number, prefixed) in [(stripped, true), (Some(c.digits), false)] {
                let Some(number) = number else { continue };
                if region.lengths >> number.len().min(31) & 1 == 0 {
                    continue;
                }
                let skip = if prefixed { prefix.len() } else { 0 };
                let lengths = c.lengths(skip);
                let single = c.groups.len() == 1;
                let grouped = !single && region.groupings.contains(&lengths);
                if self.leniency >= PhoneLeniency::StrictGrouping && !grouped && !single {
                    continue;
                }
                if self.leniency == PhoneLeniency::ExactGrouping && !grouped {
                    continue;
                }
                let zero = prefixed && prefix == b"0";
                let score = |kinds: u16| match (grouped, single) {
                    // Postal codes and the like are as short.
                    (true, _) if c.digits.len() < 9 && !c.brackets => 0.35,
                    (true, _) if zero || c.brackets => 0.65,
                    (true, _) if region.code == 1 && lengths == NANP => 0.6,
                    (true, _) if number.len() < 8 => 0.1,
                    (true, _) if prefix.is_empty() && c.groups.len() >= 4 => 0.45,
                    (true, _) => 0.3,
                    (_, true) if zero && kinds & 3 != 0 && c.digits.len() >= 10 => 0.42,
                    (_, true) => 0.15,
                    _ if zero && c.groups.len() <= 5 && c.digits.len() >= 9 => 0.5,
                    _ => 0.15,
                };
                // At most that much, whatever the plan says.
                let most = score(3);
                if most < least {
                    *weaker = true;
                    continue;
                }
                if best.is_some_and(|(s, _, _)| most <= s) {
                    continue;
                }
                let kinds = accept(region.start, number);
                if kinds != 0 && best.is_none_or(|(s, _, _)| score(kinds) > s) {
                    best = Some((score(kinds), region.name, kinds));
                }
            }
        }
        best
    }

    /// North American notation, whatever the area code.
    fn american(&self, c: &Candidate<'_>) -> Option<(f32, [u8; 2], u16)> {
        if self.leniency > PhoneLeniency::Valid || !self.american {
            return None;
        }
        if !matches!(c.digits.len(), 10 | 11) {
            return None;
        }
        let skip = match c.groups[0].len {
            1 if c.digits[0] == b'1' => 1,
            _ => 0,
        };
        let uniform = c.seps.iter().skip(skip).all(|s| *s == *c.seps.last().unwrap_or(&0));
        (c.lengths(skip) == NANP && (c.brackets || (uniform && c.seps.last() != Some(&b' '))))
            .then_some((0.5, *b"US", 0))
    }
}

/// Whether a number may end here: nothing that belongs to a longer one follows.
fn ends(b: &[u8], end: usize) -> bool {
    match b.get(end..) {
        Some([b'-' | b'.' | b'/' | b':', c, ..]) if c.is_ascii_digit() => false,
        Some([b',', c, ..]) if c.is_ascii_digit() => !super::score::in_number(b, end),
        Some([b'x' | b'X', c, ..]) if c.is_ascii_digit() => true,
        Some([b'%' | b'_' | b'@', ..]) => false,
        Some([c, ..]) => !c.is_ascii_alphanumeric(),
        _ => true,
    }
}

/// The end with an extension, if one follows: `x123`, ` ext. 123`, ` #123`.
fn extension(b: &[u8], end: usize) -> usize {
    let rest = b.get(end..).unwrap_or_default();
    let blanks = rest.iter().take_while(|c| matches!(c, b' ' | b',')).count().min(2);
    let rest = rest.get(blanks..).unwrap_or_default();
    if !rest.first().is_some_and(|c| b"ex#dpi".contains(&c.to_ascii_lowercase())) {
        return end;
    }
    for word in [&b"extension"[..], b"ext", b"x", b"#", b"durchwahl", b"poste", b"interno"] {
        if rest.get(..word.len()).is_some_and(|r| r.eq_ignore_ascii_case(word))
            && let Some(after) = rest.get(word.len()..rest.len().min(12))
        {
            let gap = after.iter().take_while(|c| matches!(c, b' ' | b'.' | b':')).count();
            let from = word.len() + gap;
            let run = rest.get(from..).unwrap_or_default();
            let run = run.iter().take_while(|c| c.is_ascii_digit()).count();
            let tail = rest.get(from + run).is_some_and(u8::is_ascii_alphanumeric);
            if (1..=7).contains(&run) && !tail {
                return end + blanks + from + run;
            }
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str) -> Option<(usize, f32)> {
        let phones = Phones::new(None, PhoneLeniency::Valid);
        let start = text.find(|c: char| c.is_ascii_digit() || c == '+' || c == '(').unwrap();
        phones.find(text.as_bytes(), start).map(|m| (m.end - start, m.score))
    }

    #[test]
    fn numbers_of_many_regions() {
        for text in [
            "+1 415 555 0132",
            "(415) 555-0132",
            "415-555-0132",
            "+44 (0)20 7946 0958",
            "020 7946 0958",
            "+49 30 901820",
            "030 901820",
            "01 99 00 11 22",
            "+33 1 99 00 11 22",
            "+81 3-3224-9999",
            "0171 1234567",
            "(415)555-0132x77",
            "001-415-555-0132",
            "+972 2-123-4567",
        ] {
            let found = find(text);
            assert!(
                found.is_some_and(|(len, s)| len == text.len() && s >= 0.4),
                "{text} {found:?}"
            );
        }
    }

    #[test]
    fn what_is_no_number() {
        for text in [
            "192.168.17.4",
            "2024-05-12",
            "12/05/1987",
            "3.14159265",
            "0.70710678  0.",
            "215-232 (1942)",
            "(2001) 116-140",
            "+1",
            "1111111111",
        ] {
            assert!(find(text).is_none_or(|(_, s)| s < 0.4), "{text} {:?}", find(text));
        }
    }
}
