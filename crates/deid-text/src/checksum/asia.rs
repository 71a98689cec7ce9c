//! Asia, the Middle East and Africa.

use super::algorithms::{luhn, verhoeff};
use super::{Verdict, at, base36, cross_sum, digit, digit_at, is_date, number, repeated, weighted};

pub(super) fn aadhaar(s: &[u8]) -> Verdict {
    let palindrome = s.iter().eq(s.iter().rev());
    Verdict::of(s[0] >= b'2' && !palindrome && verhoeff(s))
}

pub(super) fn verhoeff_check(s: &[u8]) -> Verdict {
    Verdict::of(!repeated(s) && verhoeff(s))
}

/// State code and base-36 check character with factors 2, 1, … from the right.
pub(super) fn gstin(s: &[u8]) -> Verdict {
    let state = number(&s[..2]);
    let sum: i64 = s[..14]
        .iter()
        .rev()
        .zip([2, 1].iter().cycle())
        .map(|(&c, f)| {
            let v = base36(c) * f;
            v / 36 + v % 36
        })
        .sum();
    Verdict::of((1..=37).contains(&state) && (36 - sum % 36) % 36 == base36(s[14]))
}

const INDIAN_STATES: &[&[u8; 2]] = &[
    b"AN", b"AP", b"AR", b"AS", b"BR", b"CG", b"CH", b"DD", b"DL", b"DN", b"GA", b"GJ", b"HP",
    b"HR", b"JH", b"JK", b"KA", b"KL", b"LA", b"LD", b"MH", b"ML", b"MN", b"MP", b"MZ", b"NL",
    b"OD", b"OR", b"PB", b"PY", b"RJ", b"SK", b"TN", b"TR", b"TS", b"UK", b"UP", b"WB",
];

pub(super) fn invrm(s: &[u8]) -> Verdict {
    let extra: [&[u8; 2]; 5] = [b"CT", b"DH", b"UA", b"UL", b"UT"];
    let known = INDIAN_STATES.iter().any(|p| s.starts_with(*p));
    let accepted = known || extra.iter().any(|p| s.starts_with(*p));
    let district: Vec<u8> = s[2..].iter().copied().take_while(u8::is_ascii_digit).collect();
    let serial = &s[s.len() - 4..];
    if !accepted || serial == b"0000" || number(&district) == 0 {
        Verdict::Invalid
    } else if known {
        Verdict::Valid
    } else {
        Verdict::Unchecked
    }
}

pub(super) fn invdip(s: &[u8]) -> Verdict {
    let mission: Vec<u8> = s.iter().copied().take_while(u8::is_ascii_digit).collect();
    Verdict::unless(!(1..=160).contains(&number(&mission)))
}

pub(super) fn ifsc(s: &[u8]) -> Verdict {
    Verdict::unless(!s[5..].iter().any(u8::is_ascii_digit))
}

pub(super) fn nric(s: &[u8]) -> Verdict {
    let mut sum = weighted(&s[1..], &[2, 7, 6, 5, 4, 3, 2]);
    sum += match s[0] {
        b'T' | b'G' => 4,
        b'M' => 3,
        _ => 0,
    };
    let r = (sum % 11) as usize;
    let expected = match s[0] {
        b'S' | b'T' => b"JZIHGFEDCBA"[r],
        b'F' | b'G' => b"XWUTRQPNMLK"[r],
        _ => b"KLJNPQRTUWX"[10 - r],
    };
    Verdict::of(expected == s[8])
}

pub(super) fn uen(s: &[u8]) -> Verdict {
    const KINDS: &str = "LP LL FC PF RF MQ MM NB CC CS MB FM GS DP CP NR CM CD MD HS VH CH MH CL \
                         XL CX HC RP TU TC FB FN PA PB SS MC SM GA GB";
    let Some((check, body)) = s.split_last() else { return Verdict::Invalid };
    let ok = match s[0] {
        b'T' | b'R' | b'S' => {
            const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWX0123456789";
            let value = |c: u8| ALPHABET.iter().position(|a| *a == c).unwrap_or(0) as i64;
            let sum: i64 =
                body.iter().zip([4, 3, 5, 3, 10, 2, 2, 5, 7]).map(|(&c, w)| value(c) * w).sum();
            let r = (sum - 5).rem_euclid(11) as usize;
            let kind = KINDS.as_bytes().chunks(3).any(|k| k[..2] == s[3..5]);
            kind && at(ALPHABET, r) == *check
        }
        _ if body.len() == 8 => {
            let r = weighted(body, &[10, 4, 9, 3, 8, 2, 7, 1]) % 11;
            b"XMKECAWLJDB"[r as usize] == *check
        }
        _ => {
            let r = weighted(body, &[10, 8, 6, 4, 9, 7, 5, 3, 1]) % 11;
            b"ZKCMDNERGWH"[r as usize] == *check
        }
    };
    Verdict::of(ok)
}

pub(super) fn mynric(s: &[u8]) -> Verdict {
    let (month, day) = (number(&s[2..4]), number(&s[4..6]));
    Verdict::unless(!is_date(0, month, day))
}

pub(super) fn nik(s: &[u8]) -> Verdict {
    let day = number(&s[6..8]);
    let day = if day > 40 { day - 40 } else { day };
    let province = number(&s[..2]);
    Verdict::unless(!(11..=96).contains(&province) || !is_date(0, number(&s[8..10]), day))
}

pub(super) fn phtin(s: &[u8]) -> Verdict {
    let sum = weighted(s, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    Verdict::of(!repeated(&s[..9]) && sum < 10 && sum == digit_at(s, 8))
}

fn korean_date(s: &[u8]) -> bool {
    let century = match s[6] {
        b'1' | b'2' | b'5' | b'6' => 1900,
        _ => 2000,
    };
    is_date(century + number(&s[..2]), number(&s[2..4]), number(&s[4..6]))
        && super::americas::krrn_region(s)
}

const KR: [i64; 12] = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5];

/// Numbers issued since October 2020 have no check digit: a mismatch is no verdict.
pub(super) fn krrn(s: &[u8]) -> Verdict {
    if !korean_date(s) {
        return Verdict::Invalid;
    }
    let ok = (11 - weighted(s, &KR) % 11) % 10 == digit_at(s, 12);
    if ok { Verdict::Valid } else { Verdict::Unchecked }
}

pub(super) fn krfrn(s: &[u8]) -> Verdict {
    if !korean_date(s) {
        return Verdict::Invalid;
    }
    let ok = (13 - weighted(s, &KR) % 11) % 10 == digit_at(s, 12);
    if ok { Verdict::Valid } else { Verdict::Unchecked }
}

pub(super) fn krbrn(s: &[u8]) -> Verdict {
    let d9 = digit_at(s, 8);
    let sum = weighted(s, &[1, 3, 7, 1, 3, 7, 1, 3]) + 5 * d9 / 10 + 5 * d9;
    Verdict::of(!repeated(s) && (10 - sum % 10) % 10 == digit_at(s, 9))
}

pub(super) fn krdl(s: &[u8]) -> Verdict {
    Verdict::of(matches!(number(&s[..2]), 11..=26 | 28))
}

pub(super) fn myn(s: &[u8]) -> Verdict {
    let sum: i64 = s[..11]
        .iter()
        .rev()
        .zip([2, 3, 4, 5, 6, 7].iter().cycle())
        .map(|(&c, w)| digit(c) * w)
        .sum();
    let r = sum % 11;
    Verdict::of(!repeated(s) && if r <= 1 { 0 } else { 11 - r } == digit_at(s, 11))
}

pub(super) fn jpcorp(s: &[u8]) -> Verdict {
    let sum: i64 =
        s[1..].iter().rev().enumerate().map(|(i, &c)| digit(c) * (1 + i as i64 % 2)).sum();
    Verdict::of(9 - sum % 9 == digit_at(s, 0))
}

pub(super) fn cnric(s: &[u8]) -> Verdict {
    const WEIGHTS: [i64; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let (year, month, day) = (number(&s[6..10]), number(&s[10..12]), number(&s[12..14]));
    let dated = (1850..=2100).contains(&year) && is_date(year, month, day);
    let region = matches!(number(&s[..2]), 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54
        | 61..=65 | 71 | 81..=83);
    let check = b"10X98765432"[(weighted(s, &WEIGHTS) % 11) as usize] == s[17];
    Verdict::of(region && dated && check)
}

pub(super) fn uscc(s: &[u8]) -> Verdict {
    const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    let value = |c: u8| ALPHABET.iter().position(|a| *a == c).unwrap_or(0) as i64;
    let mut weight = 1;
    let mut sum = 0;
    for &c in &s[..17] {
        sum += value(c) * weight;
        weight = weight * 3 % 31;
    }
    Verdict::of((31 - sum % 31) % 31 == value(s[17]))
}

pub(super) fn twid(s: &[u8]) -> Verdict {
    const CODES: [i64; 26] = [
        10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23, 24, 25, 26, 27, 28, 29, 32,
        30, 31, 33,
    ];
    let code = CODES[usize::from(s[0] - b'A')];
    let sum = code / 10 + code % 10 * 9 + weighted(&s[1..], &[8, 7, 6, 5, 4, 3, 2, 1, 1]);
    Verdict::of(sum % 10 == 0)
}

pub(super) fn ubn(s: &[u8]) -> Verdict {
    let sum: i64 =
        s.iter().zip([1, 2, 1, 2, 1, 2, 4, 1]).map(|(&c, w)| cross_sum(digit(c) * w)).sum();
    Verdict::of(number(s) > 0 && (sum % 5 == 0 || (s[6] == b'7' && (sum + 1) % 5 == 0)))
}

pub(super) fn hkid(s: &[u8]) -> Verdict {
    let Some((check, body)) = s.split_last() else { return Verdict::Invalid };
    let pad = if body.len() == 7 { 36 * 9 } else { 0 };
    let first = if body.len() == 7 { 8 } else { 9 };
    let sum: i64 = pad
        + body.iter().zip((2..=first).rev()).map(|(&c, w): (_, i64)| base36(c) * w).sum::<i64>();
    let expected = match (11 - sum % 11) % 11 {
        10 => b'A',
        c => b'0' + c as u8,
    };
    Verdict::of(expected == *check)
}

pub(super) fn tnin(s: &[u8]) -> Verdict {
    let place =
        matches!(number(&s[1..3]), 10..=27 | 30..=58 | 60..=67 | 70..=77 | 80..=86 | 90..=96);
    let sum = weighted(s, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    Verdict::of(place && (11 - sum % 11) % 10 == digit_at(s, 12))
}

pub(super) fn mst(s: &[u8]) -> Verdict {
    let check = 10 - weighted(s, &[31, 29, 23, 19, 17, 13, 7, 5, 3]) % 11;
    Verdict::of(!repeated(s) && check == digit_at(s, 9))
}

pub(super) fn tckn(s: &[u8]) -> Verdict {
    let odd: i64 = [0, 2, 4, 6, 8].iter().map(|&i| digit_at(s, i)).sum();
    let even: i64 = [1, 3, 5, 7].iter().map(|&i| digit_at(s, i)).sum();
    let all: i64 = s[..10].iter().map(|&c| digit(c)).sum();
    Verdict::of((7 * odd - even).rem_euclid(10) == digit_at(s, 9) && all % 10 == digit_at(s, 10))
}

pub(super) fn vkn(s: &[u8]) -> Verdict {
    let sum: i64 = (1..=9)
        .map(|i| {
            let c = (digit_at(s, i - 1) + 10 - i as i64) % 10;
            if c == 0 {
                return 0;
            }
            match c * (1 << (10 - i)) % 9 {
                0 => 9,
                r => r,
            }
        })
        .sum();
    Verdict::of(!repeated(s) && (10 - sum % 10) % 10 == digit_at(s, 9))
}

pub(super) fn trplate(s: &[u8]) -> Verdict {
    let serial = s.iter().skip(2).filter(|c| c.is_ascii_digit()).count();
    let letters = s.len() - 2 - serial;
    // Three letters leave two or three digits, one letter four.
    let fits = matches!((letters, serial), (1, 3..=4) | (2, 3..=4) | (3, 2..=3));
    Verdict::unless(!(1..=81).contains(&number(&s[..2])) || !fits)
}

pub(super) fn zaid(s: &[u8]) -> Verdict {
    let (year, month, day) = (number(&s[..2]), number(&s[2..4]), number(&s[4..6]));
    let dated = is_date(1900 + year, month, day) || is_date(2000 + year, month, day);
    Verdict::of(dated && matches!(s[11], b'8' | b'9') && luhn(s))
}

/// A traffic register number is what is no identity number.
pub(super) fn zatrn(s: &[u8]) -> Verdict {
    Verdict::unless(zaid(s) == Verdict::Valid)
}

pub(super) fn zadl(s: &[u8]) -> Verdict {
    let letters = s.iter().any(u8::is_ascii_uppercase);
    Verdict::unless(!letters || !(10..=14).contains(&s.len()))
}

pub(super) fn zaco(s: &[u8]) -> Verdict {
    let digits: Vec<u8> = s.iter().copied().filter(u8::is_ascii_digit).collect();
    Verdict::unless(!(1800..=2099).contains(&number(&digits[..4])))
}

pub(super) fn egid(s: &[u8]) -> Verdict {
    let year = if s[0] == b'2' { 1900 } else { 2000 } + number(&s[1..3]);
    let governorate = number(&s[7..9]);
    let place = matches!(governorate, 1..=4 | 11..=19 | 21..=29 | 31..=35 | 88);
    Verdict::unless(!place || !is_date(year, number(&s[3..5]), number(&s[5..7])))
}
