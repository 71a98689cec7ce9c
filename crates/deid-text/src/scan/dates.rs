//! Dates, with or without time, and ages.

use super::lists::Lists;
use crate::checksum::is_date;

fn number(b: &[u8], at: usize) -> (usize, i64) {
    let run =
        b.get(at..).unwrap_or_default().iter().take(9).take_while(|c| c.is_ascii_digit()).count();
    (
        run,
        b.get(at..at + run).unwrap_or_default().iter().fold(0, |n, c| n * 10 + i64::from(c - b'0')),
    )
}

fn year(run: usize, n: i64) -> Option<i64> {
    match run {
        4 if (1000..=2999).contains(&n) => Some(n),
        2 => Some(0),
        _ => None,
    }
}

/// Ends a date: no digit, letter or further part follows.
fn ends(b: &[u8], end: usize) -> bool {
    match b.get(end..) {
        Some([b'-' | b'.' | b'/' | b':', c, ..]) if c.is_ascii_digit() => false,
        Some([c, ..]) => !c.is_ascii_alphanumeric() && *c != b'_',
        _ => true,
    }
}

/// A date at the digits at `start`: its end and score.
pub(super) fn date(text: &str, start: usize, lists: &Lists) -> Option<(usize, f32)> {
    let b = text.as_bytes();
    let (run, first) = number(b, start);
    if !matches!(run, 1 | 2 | 4 | 5 | 8) {
        return None;
    }
    let after = start + run;
    if let Some(found) = named(text, after, run, first, lists) {
        return Some(found);
    }
    if let Some(found) = east_asian(text, start) {
        return Some(found);
    }
    if run == 8 {
        // The compact form of ISO 8601 needs a word beside it.
        let d = b.get(start..after)?;
        let n = |r: std::ops::Range<usize>| number(d.get(r).unwrap_or_default(), 0).1;
        let (y, m, day) = (n(0..4), n(4..6), n(6..8));
        let plausible = (1900..=2100).contains(&y) && is_date(y, m, day) && ends(b, after);
        return plausible.then_some((after, 0.15));
    }
    let sep = *b.get(after)?;
    if !matches!(sep, b'-' | b'/' | b'.') || run > 4 {
        return None;
    }
    // d.m.y may have a blank after its dots.
    let skip = |at: usize| if sep == b'.' && b.get(at) == Some(&b' ') { at + 1 } else { at };
    let second_at = skip(after + 1);
    let (second_run, second) = number(b, second_at);
    let second_end = second_at + second_run;
    if matches!(second_run, 1 | 2) && b.get(second_end) == Some(&sep) {
        let third_at = skip(second_end + 1);
        let (third_run, third) = number(b, third_at);
        let end = third_at + third_run;
        let valid = match (run, third_run) {
            (4, 1 | 2) => is_date(year(run, first)?, second, third),
            (1 | 2, 2 | 4) => {
                let y = year(third_run, third)?;
                // With dots the day comes first everywhere.
                is_date(y, second, first) || (sep != b'.' && is_date(y, first, second))
            }
            _ => false,
        };
        if !valid {
            return None;
        }
        let loose = third_run == 2 && run != 4;
        // "1.2.10" is a version as likely as a day.
        let score = if loose && sep == b'.' && (run == 1 || second_run == 1) {
            0.2
        } else if loose {
            0.5
        } else {
            0.65
        };
        if let Some(end) = time(b, end) {
            return Some((end, 0.8));
        }
        return ends(b, end).then_some((end, score));
    }
    // m/yyyy and m/yy.
    if sep == b'/' && (1..=12).contains(&first) && run <= 2 && ends(b, second_end) {
        match second_run {
            4 if (1900..=2100).contains(&second) => return Some((second_end, 0.2)),
            2 => return Some((second_end, 0.1)),
            _ => {}
        }
    }
    None
}

/// A time of day after a date, with fraction and zone.
fn time(b: &[u8], from: usize) -> Option<usize> {
    let at = match b.get(from..)? {
        [b'T' | b't' | b' ', c, ..] if c.is_ascii_digit() => from + 1,
        [b',', b' ', c, ..] if c.is_ascii_digit() => from + 2,
        _ => return None,
    };
    let (run, hour) = number(b, at);
    if !matches!(run, 1 | 2) || hour > 24 || b.get(at + run) != Some(&b':') {
        return None;
    }
    let mut end = at + run;
    for most in [59, 60] {
        if b.get(end) != Some(&b':') {
            break;
        }
        let (run, part) = number(b, end + 1);
        if run != 2 || part > most {
            return None;
        }
        end += 3;
    }
    if matches!(b.get(end), Some(b'.' | b',')) {
        let fraction = b[end + 1..].iter().take(9).take_while(|c| c.is_ascii_digit()).count();
        if fraction > 0 {
            end += 1 + fraction;
        }
    }
    match b.get(end..) {
        Some([b'Z' | b'z', ..]) => end += 1,
        Some([b'+' | b'-', a, c, b':', d, e, ..])
            if [a, c, d, e].iter().all(|x| x.is_ascii_digit()) =>
        {
            end += 6
        }
        Some([b'+' | b'-', a, c, d, e, ..]) if [a, c, d, e].iter().all(|x| x.is_ascii_digit()) => {
            end += 5
        }
        Some([b' ', a, m, ..]) if b"aApP".contains(a) && m.eq_ignore_ascii_case(&b'm') => end += 3,
        Some([a, m, ..]) if b"aApP".contains(a) && m.eq_ignore_ascii_case(&b'm') => end += 2,
        _ => {}
    }
    ends(b, end).then_some(end)
}

/// A word at `at`: its end.
fn word(text: &str, at: usize) -> Option<(usize, &str)> {
    let rest = text.get(at..)?;
    let len: usize =
        rest.chars().take(20).take_while(|c| c.is_alphabetic()).map(char::len_utf8).sum();
    rest.get(..len).filter(|w| !w.is_empty()).map(|w| (at + len, w))
}

/// `5 May 1987`, `5th of May, 1987`, `5. Mai`, `12-Jan-87`, `5 de mayo de 1987`.
fn named(text: &str, after: usize, run: usize, day: i64, lists: &Lists) -> Option<(usize, f32)> {
    let b = text.as_bytes();
    if run > 2 || !(1..=31).contains(&day) {
        return None;
    }
    let mut at = after;
    let mut ordinal = false;
    for suffix in ["st", "nd", "rd", "th", "er", "º", "ª", "."] {
        if text.get(at..)?.starts_with(suffix) {
            at += suffix.len();
            ordinal = suffix != ".";
            break;
        }
    }
    let gap = b.get(at..)?.iter().take_while(|c| matches!(c, b' ' | b'-' | b'/')).count();
    if gap > 2 || (gap == 0 && b.get(at - 1) != Some(&b'.')) {
        return None;
    }
    let dashed = b.get(at) == Some(&b'-') || b.get(at) == Some(&b'/');
    // "2nd-gen" is none.
    if dashed && ordinal {
        return None;
    }
    at += gap;
    let (mut end, mut name) = word(text, at)?;
    if matches!(name.to_ascii_lowercase().as_str(), "of" | "de" | "di" | "d" | "do")
        && b.get(end) == Some(&b' ')
    {
        (end, name) = word(text, end + 1)?;
    }
    let month = i64::from(lists.month(name)?);
    // "3 mar" and "2 may" are words too: they need a capital, a dash or a year.
    let sure =
        name.chars().next().is_some_and(char::is_uppercase) || name.chars().count() > 4 || dashed;
    let y = year_after(text, end, dashed);
    if !is_date(y.map_or(0, |(_, y)| y), month, day) {
        return None;
    }
    // "2. Set the option" counts steps.
    let before = b.get(..after - run).unwrap_or_default();
    let blanks = before.iter().rev().take(12).take_while(|c| **c == b' ').count();
    let line = before.len() == blanks || before.iter().rev().nth(blanks) == Some(&b'\n');
    let step = line && b.get(after) == Some(&b'.') && name.len() <= 3;
    match y {
        Some((end, _)) => Some((time(b, end).unwrap_or(end), 0.75)),
        None if sure && step => Some((end, 0.3)),
        None if sure => Some((end, 0.5)),
        None => None,
    }
}

/// A year after the name of a month: where it ends, and the year (0 for two digits).
fn year_after(text: &str, end: usize, dashed: bool) -> Option<(usize, i64)> {
    let b = text.as_bytes();
    let mut at = end;
    if b.get(at) == Some(&b'.') {
        at += 1;
    }
    if b.get(at) == Some(&b',') {
        at += 1;
    }
    let gap = b.get(at..)?.iter().take_while(|c| matches!(c, b' ' | b'-' | b'/')).count();
    at += gap.min(2);
    for link in ["de ", "del ", "of "] {
        if text.get(at..).is_some_and(|t| t.starts_with(link)) {
            at += link.len();
        }
    }
    let (run, n) = number(b, at);
    let y = match run {
        4 => year(run, n),
        2 if dashed => Some(0),
        _ => None,
    }?;
    (gap > 0 && ends(b, at + run)).then_some((at + run, y))
}

/// `May 5, 1987`, `May 5th`, `March 2021` at the month's name, which starts at `start`.
pub(super) fn month_first(text: &str, start: usize, lists: &Lists) -> Option<(usize, f32)> {
    let b = text.as_bytes();
    let (mut end, name) = word(text, start)?;
    lists.month(name)?;
    if !name.chars().next().is_some_and(char::is_uppercase) {
        return None;
    }
    if b.get(end) == Some(&b'.') {
        end += 1;
    }
    let gap = b.get(end..)?.iter().take_while(|c| matches!(c, b' ' | b'-')).count();
    if !(1..=2).contains(&gap) {
        return None;
    }
    let at = end + gap;
    let (run, n) = number(b, at);
    if run == 4 && (1900..=2100).contains(&n) && ends(b, at + run) {
        // After a number it is a day that this month does not have.
        if start >= 2 && b[start - 1] == b' ' && b[start - 2].is_ascii_digit() {
            return None;
        }
        // "MAY-2021" is written on forms, "March 2021" in any text.
        let score = if b.get(end) == Some(&b'-') { 0.5 } else { 0.3 };
        return Some((at + run, score));
    }
    if !matches!(run, 1 | 2) || !(1..=31).contains(&n) {
        return None;
    }
    let mut end = at + run;
    for suffix in ["st", "nd", "rd", "th"] {
        if text.get(end..).is_some_and(|t| t.starts_with(suffix)) {
            end += 2;
            break;
        }
    }
    if let Some((end, _)) = year_after(text, end, false) {
        return Some((time(b, end).unwrap_or(end), 0.75));
    }
    (ends(b, end) && b.get(end) != Some(&b'%')).then_some((end, 0.45))
}

/// `1987年5月12日`, `1987년 5월 12일`.
fn east_asian(text: &str, start: usize) -> Option<(usize, f32)> {
    let b = text.as_bytes();
    let mut at = start;
    let mut parts = [0; 3];
    for (part, marks) in parts.iter_mut().zip([["年", "년"], ["月", "월"], ["日", "일"]]) {
        while b.get(at) == Some(&b' ') {
            at += 1;
        }
        let (run, n) = number(b, at);
        let rest = text.get(at + run..)?;
        let mark = marks.iter().find(|m| rest.starts_with(**m))?;
        if run == 0 {
            return None;
        }
        *part = n;
        at += run + mark.len();
    }
    is_date(parts[0], parts[1], parts[2]).then_some((at, 0.8))
}

/// An age at the digits at `start`: what to mark and its score.
pub(super) fn age(text: &str, start: usize) -> Option<(usize, usize, f32)> {
    let b = text.as_bytes();
    let (run, n) = number(b, start);
    if !(1..=3).contains(&run)
        || !(0..=120).contains(&n)
        || b.get(start + run).is_some_and(|c| *c == b'.' || *c == b'%')
            && b.get(start + run + 1).is_some_and(u8::is_ascii_digit)
    {
        return None;
    }
    let after = start + run;
    // Cheap refusals first: a unit or a label must stand beside the number.
    let unit = match b.get(after..).unwrap_or_default() {
        [b' ' | b'-', c, ..] | [c, ..] => b"yjalmw".contains(&(c | 32)) || *c >= 0x80,
        [] => false,
    };
    let label = {
        const ENDS: [[u8; 2]; 9] =
            [*b"ge", *b"ed", *b"er", *b"on", *b"ad", [0xc3, 0xa0], *b"jd", *b"ek", *b"de"];
        let before = b.get(..start).unwrap_or_default();
        let gap = before.iter().rev().take(4).take_while(|c| b" :=\"\t".contains(c)).count();
        let word = before.get(..before.len() - gap).unwrap_or_default();
        let last = word.last_chunk::<2>().map(|end| end.map(|c| c.to_ascii_lowercase()));
        gap > 0 && last.is_some_and(|end| ENDS.contains(&end))
    };
    if !unit && !label {
        return None;
    }
    let beside = if unit { text.get(after..)? } else { "" };
    let follows = |form: &str| {
        let mut text = beside.chars();
        form.chars().all(|f| text.next().is_some_and(|c| c == f || c.to_lowercase().eq([f])))
    };
    for form in [
        " years old",
        "-years-old",
        "-year-old",
        " year old",
        " year-old",
        " yrs old",
        " yr old",
        "-yr-old",
        " years of age",
        " y/o",
        "y/o",
        " yo ",
        "yo ",
        "yo,",
        "yo.",
        " y.o.",
        " jahre alt",
        "-jährige",
        " jährige",
        " ans,",
        " ans.",
        " años",
        " anni,",
        " jaar oud",
        " lat,",
        " months old",
        "-month-old",
        " weeks old",
        " aastane",
        " år gammal",
        " år gammel",
        "歳",
        "岁",
        "세",
    ] {
        if unit && follows(form) {
            let exact = form.trim_end_matches([',', '.', ' ']);
            let len: usize =
                text.get(after..)?.chars().take(exact.chars().count()).map(char::len_utf8).sum();
            return Some((start, after + len, 0.8));
        }
    }
    if !label {
        return None;
    }
    let before: String =
        text.get(crate::context::floor(text, start.saturating_sub(24))..start)?.to_lowercase();
    let trimmed = before.trim_end_matches([' ', ':', '=', '"', '\t']);
    let free = b
        .get(after)
        .is_none_or(|c| !c.is_ascii_alphanumeric() && *c != b'-' && *c != b'/' && *c != b'%');
    let labelled = [
        "age",
        "aged",
        "alter",
        "im alter von",
        "edad",
        "âge",
        "età",
        "leeftijd",
        "wiek",
        "ålder",
        "alder",
        "idade",
    ]
    .iter()
    .any(|label| {
        trimmed
            .strip_suffix(label)
            .is_some_and(|r| !r.ends_with(char::is_alphanumeric) && !r.ends_with('-'))
    });
    // "Ana Lovelace, 47, of Leeds"
    if labelled && free && before.len() > trimmed.len() {
        return Some((start, after, 0.75));
    }
    None
}
