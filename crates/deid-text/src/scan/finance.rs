//! Payment cards, international account numbers, bank identifiers, crypto-currency addresses.

use super::lists::Lists;
use crate::checksum::{Verdict, base58check, bech32, eip55, luhn, mod97};

/// A card number at `start`: its end, whether its network is known, and how many digits it has.
pub(super) fn card(b: &[u8], start: usize, lists: &Lists) -> Option<(usize, bool, usize)> {
    let mut digits = [0u8; 19];
    let mut groups = [0usize; 8];
    let (mut n, mut g, mut i) = (0, 0, start);
    let mut separator = None;
    let mut ends = [0usize; 8];
    loop {
        let run = b.get(i..)?.iter().take(20).take_while(|c| c.is_ascii_digit()).count();
        if run == 0 || n + run > 19 || g == groups.len() {
            break;
        }
        digits[n..n + run].copy_from_slice(&b[i..i + run]);
        (n, i) = (n + run, i + run);
        groups[g] = run;
        ends[g] = i;
        g += 1;
        match b.get(i..) {
            Some([s @ (b' ' | b'-' | b'.'), d, ..])
                if d.is_ascii_digit() && *separator.get_or_insert(*s) == *s =>
            {
                i += 1
            }
            _ => break,
        }
    }
    // The last group may belong to something else, such as an expiry date after a blank.
    for g in (1..=g).rev() {
        let n: usize = groups[..g].iter().sum();
        if !(12..=19).contains(&n) || !uniform(&groups[..g]) {
            continue;
        }
        let end = ends[g - 1];
        let joined = match b.get(end..) {
            Some([b'-' | b'.', d, ..]) => d.is_ascii_digit(),
            // An expiry date may follow a slash.
            Some([b'/', rest @ ..]) => {
                let run = rest.iter().take(5).take_while(|c| c.is_ascii_digit()).count();
                !matches!(run, 0 | 2 | 4)
            }
            Some([c, ..]) => c.is_ascii_alphanumeric() || *c == b'_' || *c == b'%',
            _ => false,
        };
        let d = &digits[..n];
        // Times in milliseconds have 13 digits and begin with 1.
        let time = n == 13 && d[0] == b'1';
        if joined || time || !luhn(d) || d.iter().all(|x| *x == d[0]) {
            continue;
        }
        let known = lists.cards.iter().any(|range| {
            let prefix =
                d[..range.digits as usize].iter().fold(0, |p, c| p * 10 + u32::from(c - b'0'));
            (range.low..=range.high).contains(&prefix) && range.lengths >> n & 1 == 1
        });
        return Some((end, known, n));
    }
    None
}

fn uniform(groups: &[usize]) -> bool {
    matches!(
        groups,
        [_] | [4, 6, 4 | 5] | [4, 4, 4, 1..=4] | [4, 4, 4, 4, 1..=3] | [6, 7..=13] | [4, 4, 5]
    )
}

/// An account number at `start`, where two letters and two digits stand.
pub(super) fn iban(b: &[u8], start: usize, lists: &Lists) -> Option<usize> {
    let country = [b.get(start)?.to_ascii_uppercase(), b.get(start + 1)?.to_ascii_uppercase()];
    let (length, shape) = *lists.iban.get(&country)?;
    let mut compact = [0u8; 34];
    let (mut n, mut i) = (0, start);
    while n < length {
        let c = *b.get(i)?;
        if c.is_ascii_alphanumeric() {
            *compact.get_mut(n)? = c.to_ascii_uppercase();
            n += 1;
        } else if !((c == b' ' || c == b'-') && n > 1 && b.get(i + 1)?.is_ascii_alphanumeric()) {
            return None;
        }
        i += 1;
    }
    let compact = compact.get(..n)?;
    if b.get(i).is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_')
        || (b.get(i) == Some(&b'-') && b.get(i + 1).is_some_and(u8::is_ascii_digit))
        || !compact.get(2..4)?.iter().all(u8::is_ascii_digit)
        || !fits(compact.get(4..)?, shape)
    {
        return None;
    }
    let rearranged = compact.iter().skip(4).chain(compact.iter().take(4)).copied();
    (mod97(rearranged) == 1).then_some(i)
}

/// Whether a BBAN has the registry's shape: counts of n digits, a letters, c either.
fn fits(mut bban: &[u8], shape: &str) -> bool {
    let mut count = 0;
    for kind in shape.bytes() {
        if kind.is_ascii_digit() {
            count = count * 10 + usize::from(kind - b'0');
            continue;
        }
        let Some((part, rest)) = bban.split_at_checked(count) else { return false };
        let ok = match kind {
            b'n' => part.iter().all(u8::is_ascii_digit),
            b'a' => part.iter().all(u8::is_ascii_uppercase),
            _ => true,
        };
        if !ok {
            return false;
        }
        (bban, count) = (rest, 0);
    }
    bban.is_empty()
}

/// Whether a token of 8 or 11 characters is a bank identifier.
pub(super) fn bic(token: &[u8]) -> bool {
    matches!(token.len(), 8 | 11)
        && token[..6].iter().all(u8::is_ascii_uppercase)
        && token[6..].iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        && crate::checksum::is_country(&token[4..6])
}

/// The verdict over a token that could be a crypto-currency address, or nothing if it could not.
pub(super) fn crypto(token: &[u8]) -> Option<Verdict> {
    match token {
        [b'0', b'x', hex @ ..] if hex.len() == 40 && hex.iter().all(u8::is_ascii_hexdigit) => {
            let mixed =
                hex.iter().any(u8::is_ascii_lowercase) && hex.iter().any(u8::is_ascii_uppercase);
            match mixed {
                true => eip55(hex).then_some(Verdict::Valid),
                false => Some(Verdict::Unchecked),
            }
        }
        [b'1' | b'3', ..] if (26..=35).contains(&token.len()) => {
            base58check(token).then_some(Verdict::Valid)
        }
        [b'b' | b'B', b'c' | b'C', b'1', ..] if (14..=74).contains(&token.len()) => {
            bech32(token).then_some(Verdict::Valid)
        }
        _ => None,
    }
}
