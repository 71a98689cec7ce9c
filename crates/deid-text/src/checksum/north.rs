//! United States, Canada, United Kingdom, Ireland, Australia, New Zealand.

use super::algorithms::luhn;
use super::{Verdict, all_digits, at, base36, digit_at, is_date, number, repeated, weighted};

pub(super) fn ssn(s: &[u8]) -> Verdict {
    let bad = s.len() != 9
        || repeated(s)
        || matches!(&s[..3], b"000" | b"666" | [b'9', ..])
        || &s[3..5] == b"00"
        || &s[5..] == b"0000"
        || matches!(s, b"123456789" | b"987654320" | b"078051120");
    Verdict::unless(bad)
}

pub(super) fn itin(s: &[u8]) -> Verdict {
    let group = number(&s[3..5]);
    Verdict::unless(!matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99))
}

/// A driver license must not be a run of one digit.
pub(super) fn dl(s: &[u8]) -> Verdict {
    let digits: Vec<u8> = s.iter().copied().filter(u8::is_ascii_digit).collect();
    Verdict::unless(digits.len() > 3 && repeated(&digits))
}

pub(super) fn dea(s: &[u8]) -> Verdict {
    let d = |i: usize| digit_at(s, i + 1);
    Verdict::of((d(1) + d(3) + d(5) + 2 * (d(2) + d(4) + d(6))) % 10 == d(7))
}

pub(super) fn aba(s: &[u8]) -> Verdict {
    let prefix = number(&s[..2]);
    let known = matches!(prefix, 0..=12 | 21..=32 | 61..=72 | 80);
    let sum = weighted(s, &[3, 7, 1, 3, 7, 1, 3, 7, 1]);
    Verdict::of(known && sum % 10 == 0 && sum > 0)
}

pub(super) fn mbi(s: &[u8]) -> Verdict {
    Verdict::unless(s.len() != 11)
}

pub(super) fn npi(s: &[u8]) -> Verdict {
    let full: Vec<u8> = b"80840".iter().chain(s).copied().collect();
    Verdict::of(s.len() == 10 && !repeated(&s[..9]) && luhn(&full))
}

/// A member id has digits and letters, 6 to 20 of them.
pub(super) fn member(s: &[u8]) -> Verdict {
    let ok = (6..=20).contains(&s.len()) && s.iter().filter(|c| c.is_ascii_digit()).count() >= 3;
    Verdict::unless(!ok)
}

pub(super) fn ein(s: &[u8]) -> Verdict {
    let known = matches!(number(&s[..2]),
        1..=6 | 10..=16 | 20..=27 | 30..=39 | 40..=48 | 50..=59 | 60..=68 | 71..=77 | 80..=88
        | 90..=95 | 98 | 99);
    Verdict::unless(!known || repeated(s))
}

pub(super) fn nhs(s: &[u8]) -> Verdict {
    let check = (11 - weighted(s, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    Verdict::of(s.len() == 10 && !repeated(s) && check == digit_at(s, 9))
}

pub(super) fn nino(s: &[u8]) -> Verdict {
    let never = |c| matches!(c, b'D' | b'F' | b'I' | b'Q' | b'U' | b'V');
    let bad = never(s[0])
        || never(s[1])
        || s[1] == b'O'
        || matches!(&s[..2], b"BG" | b"GB" | b"NK" | b"KN" | b"NT" | b"TN" | b"ZZ");
    Verdict::unless(bad)
}

/// Letters by position: the inward code is a digit and two letters.
pub(super) fn postcode(s: &[u8]) -> Verdict {
    let (Some(outward), Some(inward)) =
        (s.get(..s.len().saturating_sub(3)), s.get(s.len().saturating_sub(3)..))
    else {
        return Verdict::Invalid;
    };
    let inward_ok = at(inward, 0).is_ascii_digit()
        && inward[1..].iter().all(|c| c.is_ascii_uppercase() && !b"CIKMOV".contains(c));
    let letter = u8::is_ascii_uppercase;
    let digit = u8::is_ascii_digit;
    let second = |c: u8| letter(&c) && !b"IJZ".contains(&c);
    let outward_ok = !b"QVX".contains(&at(outward, 0))
        && match *outward {
            [_, b] => digit(&b),
            [_, b, c] => {
                (digit(&b) && (digit(&c) || b"ABCDEFGHJKPSTUW".contains(&c)))
                    || (second(b) && digit(&c))
            }
            [_, b, c, d] => second(b) && digit(&c) && (digit(&d) || b"ABEHMNPRVWXY".contains(&d)),
            _ => false,
        };
    Verdict::unless(!(inward_ok && outward_ok))
}

/// Five letters padded with 9, decade, month (+50 for women), day, year.
pub(super) fn ukdl(s: &[u8]) -> Verdict {
    let surname = &s[..5];
    let padded = surname.iter().skip_while(|c| **c != b'9').all(|c| *c == b'9');
    let month = number(&s[6..8]);
    let day = number(&s[8..10]);
    let month = if month > 50 { month - 50 } else { month };
    let bad = !padded || surname[0] == b'9' || !is_date(0, month, day) || !s[10].is_ascii_digit();
    Verdict::unless(bad)
}

pub(super) fn ukvrm(s: &[u8]) -> Verdict {
    let age = number(&s[2..4]);
    Verdict::of(matches!(age, 2..=29 | 51..=79))
}

pub(super) fn utr(s: &[u8]) -> Verdict {
    let sum = weighted(&s[1..], &[6, 7, 8, 9, 10, 5, 4, 3, 2]);
    Verdict::of(!repeated(s) && b"21987654321"[(sum % 11) as usize] == s[0])
}

pub(super) fn gbvat(s: &[u8]) -> Verdict {
    let d = &s[2..];
    let sum = weighted(d, &[8, 7, 6, 5, 4, 3, 2]) + number(&d[7..]);
    Verdict::of(number(d) > 0 && matches!(sum % 97, 0 | 42))
}

pub(super) fn pps(s: &[u8]) -> Verdict {
    let second = match at(s, 8) {
        c @ b'A'..=b'V' => i64::from(c - b'A') + 1,
        _ => 0,
    };
    let sum = weighted(s, &[8, 7, 6, 5, 4, 3, 2]) + 9 * second;
    Verdict::of(b"WABCDEFGHIJKLMNOPQRSTUV"[(sum % 23) as usize] == s[7])
}

pub(super) fn abn(s: &[u8]) -> Verdict {
    let sum = weighted(s, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10;
    Verdict::of(s[0] != b'0' && sum % 89 == 0)
}

pub(super) fn acn(s: &[u8]) -> Verdict {
    let sum = weighted(s, &[8, 7, 6, 5, 4, 3, 2, 1]);
    Verdict::of(!repeated(s) && (10 - sum % 10) % 10 == digit_at(s, 8))
}

pub(super) fn tfn(s: &[u8]) -> Verdict {
    Verdict::of(!repeated(s) && weighted(s, &[1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 == 0)
}

pub(super) fn aumed(s: &[u8]) -> Verdict {
    Verdict::of(weighted(s, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == digit_at(s, 8))
}

pub(super) fn ird(s: &[u8]) -> Verdict {
    let mut padded = [b'0'; 9];
    if s.len() > 9 || s.len() < 8 {
        return Verdict::Invalid;
    }
    padded[9 - s.len()..].copy_from_slice(s);
    if !(10_000_000..=150_000_000).contains(&number(&padded)) {
        return Verdict::Invalid;
    }
    let check = |weights: &[i64]| (11 - weighted(&padded, weights) % 11) % 11;
    let mut c = check(&[3, 2, 7, 6, 5, 4, 3, 2]);
    if c == 10 {
        c = check(&[7, 4, 3, 2, 5, 2, 7, 6]);
    }
    Verdict::of(c == digit_at(&padded, 8))
}

pub(super) fn nhi(s: &[u8]) -> Verdict {
    let value = |c: u8| match c {
        b'A'..=b'H' => i64::from(c - b'A') + 1,
        b'J'..=b'N' => i64::from(c - b'J') + 9,
        b'P'..=b'Z' => i64::from(c - b'P') + 14,
        _ => i64::from(c.wrapping_sub(b'0')),
    };
    let sum: i64 = s.iter().take(6).zip([7, 6, 5, 4, 3, 2]).map(|(&c, w)| value(c) * w).sum();
    let r = sum % 11;
    Verdict::of(r != 0 && (11 - r) % 10 == digit_at(s, 6))
}

pub(super) fn phn(s: &[u8]) -> Verdict {
    let check = 11 - weighted(&s[1..], &[2, 4, 8, 5, 10, 9, 7, 3]) % 11;
    Verdict::of(check < 10 && check == digit_at(s, 9))
}

pub(super) fn vin(s: &[u8]) -> Verdict {
    const WEIGHTS: [i64; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let value = |c: u8| match c {
        b'0'..=b'9' => i64::from(c - b'0'),
        b'A'..=b'H' => i64::from(c - b'A') + 1,
        b'J'..=b'N' => i64::from(c - b'J') + 1,
        b'P' => 7,
        b'R' => 9,
        b'S'..=b'Z' => i64::from(c - b'S') + 2,
        _ => 0,
    };
    let digits = s.iter().filter(|c| c.is_ascii_digit()).count();
    // No 17 digits and no word: makers mix both, and the last four are a serial number.
    if !(5..=16).contains(&digits) || !all_digits(&s[13..]) {
        return Verdict::Invalid;
    }
    let sum: i64 = s.iter().zip(WEIGHTS).map(|(&c, w)| value(c) * w).sum();
    let expected = b"0123456789X"[(sum % 11) as usize];
    if expected == s[8] {
        Verdict::Valid
    } else if matches!(s[0], b'1'..=b'5') {
        // The check digit is mandatory in North America.
        Verdict::Invalid
    } else {
        Verdict::Unchecked
    }
}

pub(super) fn cusip(s: &[u8]) -> Verdict {
    let sum: i64 = s
        .iter()
        .take(8)
        .enumerate()
        .map(|(i, &c)| {
            let v = base36(c) * if i % 2 == 1 { 2 } else { 1 };
            v / 10 + v % 10
        })
        .sum();
    let mixed = s.iter().filter(|c| c.is_ascii_digit()).count() >= 4;
    Verdict::of(mixed && (10 - sum % 10) % 10 == digit_at(s, 8))
}

pub(super) fn sedol(s: &[u8]) -> Verdict {
    let sum: i64 = s.iter().zip([1, 3, 1, 7, 3, 9]).map(|(&c, w)| base36(c) * w).sum();
    let mixed = s.iter().any(u8::is_ascii_digit);
    Verdict::of(mixed && (10 - sum % 10) % 10 == digit_at(s, 6))
}

pub(super) fn isin(s: &[u8]) -> Verdict {
    let mut digits = Vec::with_capacity(24);
    for &c in s {
        let v = base36(c) as u8;
        if v > 9 {
            digits.push(b'0' + v / 10);
        }
        digits.push(b'0' + v % 10);
    }
    let serious = s[2..].iter().filter(|c| c.is_ascii_digit()).count() >= 4;
    Verdict::of(serious && super::registry::is_country(&s[..2]) && luhn(&digits))
}

pub(super) fn isbn(s: &[u8]) -> Verdict {
    Verdict::of(s.len() == 13 && super::algorithms::ean(s))
}

/// Weights 10 to 1, modulo 11, with X as ten.
pub(super) fn isbn10(s: &[u8]) -> Verdict {
    let last = if at(s, 9) == b'X' { 10 } else { digit_at(s, 9) };
    let sum = weighted(s, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) + last;
    Verdict::of(s.len() == 10 && !repeated(s) && sum % 11 == 0)
}

/// Weights 7 to 2 over six digits; the last digit of the sum is the seventh.
pub(super) fn imo(s: &[u8]) -> Verdict {
    let d = s.get(3..).unwrap_or_default();
    Verdict::of(number(d) > 0 && weighted(d, &[7, 6, 5, 4, 3, 2]) % 10 == digit_at(d, 6))
}

/// Letters count from 10, skipping multiples of 11; weights are powers of two.
pub(super) fn iso6346(s: &[u8]) -> Verdict {
    let value = |c: u8| match base36(c) {
        n @ 0..=10 => n,
        n @ 11..=20 => n + 1,
        n @ 21..=30 => n + 2,
        n => n + 3,
    };
    let sum: i64 = s.iter().take(10).zip(0..).map(|(&c, i)| value(c) << i).sum();
    Verdict::of(s.len() == 11 && sum % 11 % 10 == digit_at(s, 10))
}

/// Plates have four to eight characters, both letters and digits.
pub(super) fn plate(s: &[u8]) -> Verdict {
    let digits = s.iter().filter(|c| c.is_ascii_digit()).count();
    Verdict::unless(!(4..=8).contains(&s.len()) || digits < 1 || digits == s.len())
}

pub(super) fn ndc(s: &[u8]) -> Verdict {
    Verdict::unless(s.len() != 10 && s.len() != 11)
}

pub(super) fn month2(s: &[u8]) -> Verdict {
    Verdict::unless(!(1..=12).contains(&number(&s[..2])))
}
