//! Latin America.

use super::{Verdict, at, base36, digit, digit_at, is_date, number, repeated, weighted};

pub(super) fn cpf(s: &[u8]) -> Verdict {
    let check = |weights: &[i64]| weighted(s, weights) * 10 % 11 % 10;
    Verdict::of(
        !repeated(s)
            && check(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) == digit_at(s, 9)
            && check(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) == digit_at(s, 10),
    )
}

/// Values are ASCII − 48: letters are allowed since 2026.
pub(super) fn cnpj(s: &[u8]) -> Verdict {
    let check = |weights: &[i64]| {
        let sum: i64 = s.iter().zip(weights).map(|(&c, w)| (i64::from(c) - 48) * w).sum();
        if sum % 11 < 2 { 0 } else { 11 - sum % 11 }
    };
    let digits = s.iter().filter(|c| c.is_ascii_digit()).count();
    Verdict::of(
        !repeated(s)
            && digits >= 4
            && check(&[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) == digit_at(s, 12)
            && check(&[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) == digit_at(s, 13),
    )
}

pub(super) fn cuit(s: &[u8]) -> Verdict {
    let check = match 11 - weighted(s, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11 {
        11 => 0,
        10 => 9,
        c => c,
    };
    Verdict::of(check == digit_at(s, 10))
}

pub(super) fn rut(s: &[u8]) -> Verdict {
    let Some((check, body)) = s.split_last() else { return Verdict::Invalid };
    let sum: i64 =
        body.iter().rev().zip([2, 3, 4, 5, 6, 7].iter().cycle()).map(|(&c, w)| digit(c) * w).sum();
    let expected = match 11 - sum % 11 {
        11 => b'0',
        10 => b'K',
        c => b'0' + c as u8,
    };
    Verdict::of(number(body) > 0 && expected == *check)
}

pub(super) fn nit(s: &[u8]) -> Verdict {
    const WEIGHTS: [i64; 15] = [3, 7, 13, 17, 19, 23, 29, 37, 41, 43, 47, 53, 59, 67, 71];
    let Some((check, body)) = s.split_last() else { return Verdict::Invalid };
    let r = body.iter().rev().zip(WEIGHTS).map(|(&c, w)| digit(c) * w).sum::<i64>() % 11;
    Verdict::of(if r < 2 { r } else { 11 - r } == digit(*check))
}

pub(super) fn ruc(s: &[u8]) -> Verdict {
    Verdict::of((11 - weighted(s, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 10 == digit_at(s, 10))
}

pub(super) fn uyrut(s: &[u8]) -> Verdict {
    let check = (-weighted(s, &[4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])).rem_euclid(11);
    Verdict::of(!repeated(s) && check == digit_at(s, 11))
}

pub(super) fn rif(s: &[u8]) -> Verdict {
    let kind = b"VEJPG".iter().position(|k| *k == s[0]).map_or(0, |i| 4 * (i as i64 + 1));
    let c = 11 - (kind + weighted(&s[1..], &[3, 2, 7, 6, 5, 4, 3, 2])) % 11;
    Verdict::of(if c > 9 { 0 } else { c } == digit_at(s, 9))
}

/// Province, third digit, Luhn.
pub(super) fn ecci(s: &[u8]) -> Verdict {
    let province = number(&s[..2]);
    let place = (1..=24).contains(&province) || province == 30;
    Verdict::of(place && digit_at(s, 2) <= 5 && super::luhn(s))
}

fn two_digit_date(s: &[u8]) -> bool {
    let (year, month, day) = (number(&s[..2]), number(&s[2..4]), number(&s[4..6]));
    is_date(1900 + year, month, day) || is_date(2000 + year, month, day)
}

/// Alphabet 0–9 A–N Ñ O–Z: letters after N count one more.
pub(super) fn curp(s: &[u8]) -> Verdict {
    let value = |c: u8| base36(c) + i64::from(c > b'N');
    let sum: i64 =
        s.iter().take(17).zip((2..=18).rev()).map(|(&c, w): (_, i64)| value(c) * w).sum();
    Verdict::of(two_digit_date(&s[4..10]) && (10 - sum % 10) % 10 == digit_at(s, 17))
}

/// Alphabet 0–9 A–N & O–Z blank Ñ; companies' 12 characters are padded with a blank.
pub(super) fn rfc(s: &[u8]) -> Verdict {
    let value = |c: u8| match c {
        b'&' => 24,
        b'A'..=b'N' => i64::from(c - b'A') + 10,
        b'O'..=b'Z' => i64::from(c - b'O') + 25,
        b' ' => 37,
        c => digit(c),
    };
    let Some((check, body)) = s.split_last() else { return Verdict::Invalid };
    let name = body.len().saturating_sub(8);
    if !(3..=4).contains(&name) || !two_digit_date(&body[name..]) {
        return Verdict::Invalid;
    }
    let padding = if body.len() == 11 { 37 * 13 } else { 0 };
    let sum: i64 =
        body.iter().rev().zip(2..).map(|(&c, w): (_, i64)| value(c) * w).sum::<i64>() + padding;
    let expected = match 11 - sum % 11 {
        11 => b'0',
        10 => b'A',
        c => b'0' + c as u8,
    };
    Verdict::of(expected == *check)
}

pub(super) fn krrn_region(s: &[u8]) -> bool {
    number(s.get(7..9).unwrap_or_default()) <= 95 && at(s, 0).is_ascii_digit()
}
