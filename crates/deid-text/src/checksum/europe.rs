//! Continental Europe and the north.

use super::algorithms::{complement, ean, icao_check, luhn, mod11_2, mod11_10, mod97};
use super::{
    Verdict, all_digits, at, cross_sum, digit, digit_at, is_date, number, repeated, weighted,
};

pub(super) fn detax(s: &[u8]) -> Verdict {
    let mut counts = [0; 10];
    for &c in &s[..10] {
        counts[digit(c) as usize] += 1;
    }
    // Issued numbers repeat exactly one digit, two or three times; the check is looser on purpose.
    let shape = counts.iter().all(|n| *n <= 3) && counts.iter().any(|n| *n >= 2);
    Verdict::of(shape && s[0] != b'0' && mod11_10(s))
}

/// Numbers of the state, or the federal form: tax office, then a zero.
pub(super) fn detaxno(s: &[u8]) -> Verdict {
    let state = number(&s[..2]);
    let federal = matches!(state, 5 | 9 | 10 | 11 | 21..=24 | 26..=28 | 30..=32 | 40 | 41 | 50..=59 | 90..=99);
    Verdict::unless(!((1..=16).contains(&state) || (federal && s[4] == b'0')))
}

/// Serial numbers of German documents: eight or nine characters and their check digit.
pub(super) fn icao(s: &[u8]) -> Verdict {
    let Some((_, serial)) = s.split_last() else { return Verdict::Invalid };
    let mixed = serial.iter().any(u8::is_ascii_digit);
    Verdict::of(mixed && i64::from(icao_check(serial)) == digit_at(s, serial.len()))
}

fn letter_digits(c: u8) -> [u8; 2] {
    let v = c.wrapping_sub(b'A') + 1;
    [b'0' + v / 10, b'0' + v % 10]
}

pub(super) fn rvnr(s: &[u8]) -> Verdict {
    let [a, b] = letter_digits(s[8]);
    let mut d = [0; 12];
    d[..8].copy_from_slice(&s[..8]);
    (d[8], d[9]) = (a, b);
    d[10..].copy_from_slice(&s[9..11]);
    let sum: i64 = d
        .iter()
        .zip([2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1])
        .map(|(&c, w)| cross_sum(digit(c) * w))
        .sum();
    let day = number(&s[2..4]);
    let day = if day > 50 { day - 50 } else { day };
    Verdict::of(is_date(0, number(&s[4..6]), day) && sum % 10 == digit_at(s, 11))
}

pub(super) fn kvnr(s: &[u8]) -> Verdict {
    let [a, b] = letter_digits(s[0]);
    let digits = [a, b].into_iter().chain(s[1..9].iter().copied());
    let sum: i64 = digits.enumerate().map(|(i, c)| cross_sum(digit(c) * (1 + i as i64 % 2))).sum();
    Verdict::of(sum % 10 == digit_at(s, 9))
}

pub(super) fn devat(s: &[u8]) -> Verdict {
    Verdict::of(s.len() == 11 && s[2] != b'0' && mod11_10(&s[2..]))
}

pub(super) fn bsnr(s: &[u8]) -> Verdict {
    Verdict::unless(repeated(s))
}

pub(super) fn lanr(s: &[u8]) -> Verdict {
    let ok = (10 - weighted(s, &[4, 9, 4, 9, 4, 9]) % 10) % 10 == digit_at(s, 6);
    Verdict::of(ok && number(s) > 0)
}

pub(super) fn kfz(s: &[u8]) -> Verdict {
    // "IT-XP 1" and the like are fine; serial numbers don't start with 0.
    let serial = s.iter().position(u8::is_ascii_digit).map_or(b'0', |i| s[i]);
    Verdict::unless(serial == b'0')
}

pub(super) fn plz(s: &[u8]) -> Verdict {
    Verdict::unless(!(1001..=99998).contains(&number(s)))
}

pub(super) fn defs(s: &[u8]) -> Verdict {
    Verdict::unless(s.len() != 11 || !s[4..].iter().any(u8::is_ascii_digit))
}

pub(super) fn atsv(s: &[u8]) -> Verdict {
    let sum = weighted(s, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11;
    let (day, month) = (number(&s[4..6]), number(&s[6..8]));
    // Months 13 to 15 exist where the numbers of a birthday ran out.
    let dated = (1..=31).contains(&day) && (1..=15).contains(&month);
    Verdict::of(s[0] != b'0' && dated && sum == digit_at(s, 3))
}

pub(super) fn atuid(s: &[u8]) -> Verdict {
    let d = &s[3..];
    let sum: i64 =
        d.iter().take(7).enumerate().map(|(i, &c)| cross_sum(digit(c) * (1 + i as i64 % 2))).sum();
    Verdict::of((6 - sum).rem_euclid(10) == digit_at(d, 7))
}

pub(super) fn ean_check(s: &[u8]) -> Verdict {
    Verdict::of(ean(s))
}

pub(super) fn chuid(s: &[u8]) -> Verdict {
    let d = &s[3..];
    let check = (-weighted(d, &[5, 4, 3, 2, 7, 6, 5, 4])).rem_euclid(11);
    Verdict::of(check < 10 && check == digit_at(d, 8))
}

pub(super) fn nir(s: &[u8]) -> Verdict {
    if s.len() != 15 || s[5] == b'A' || s[5] == b'B' {
        return Verdict::Invalid;
    }
    let corsica = match (s[5], s[6]) {
        (b'2', b'A') => Some(*b"19"),
        (b'2', b'B') => Some(*b"18"),
        (_, b'A' | b'B') => return Verdict::Invalid,
        _ => None,
    };
    let mut body = [0; 13];
    body.copy_from_slice(&s[..13]);
    if let Some(department) = corsica {
        body[5..7].copy_from_slice(&department);
    }
    let month = number(&s[3..5]);
    let month_ok = matches!(month, 1..=12 | 20..=42 | 50..=99);
    Verdict::of(month_ok && 97 - number(&body) % 97 == number(&s[13..]))
}

pub(super) fn siret(s: &[u8]) -> Verdict {
    let post = s.starts_with(b"356000000") && s.iter().map(|&c| digit(c)).sum::<i64>() % 5 == 0;
    Verdict::of(!repeated(s) && (post || (luhn(s) && luhn(&s[..9]))))
}

pub(super) fn luhn_check(s: &[u8]) -> Verdict {
    Verdict::of(!repeated(s) && luhn(s))
}

pub(super) fn frtva(s: &[u8]) -> Verdict {
    let d = &s[2..];
    let siren = number(&d[2..]);
    Verdict::of(luhn(&d[2..]) && (12 + 3 * (siren % 97)) % 97 == number(&d[..2]))
}

pub(super) fn frcp(s: &[u8]) -> Verdict {
    Verdict::unless(!(1000..=98999).contains(&number(s)))
}

/// Nine characters, both digits and letters.
pub(super) fn mixed9(s: &[u8]) -> Verdict {
    let digits = s.iter().filter(|c| c.is_ascii_digit()).count();
    Verdict::unless(s.len() != 9 || !(2..9).contains(&digits))
}

pub(super) fn benn(s: &[u8]) -> Verdict {
    let n = number(&s[..9]);
    let check = number(&s[9..]);
    let (month, day) = (number(&s[2..4]), number(&s[4..6]));
    let month = month % 20;
    let dated = (month == 0 && day <= 31) || (month <= 12 && (day == 0 || is_date(0, month, day)));
    Verdict::of(dated && n > 0 && (97 - n % 97 == check || 97 - (n + 2_000_000_000) % 97 == check))
}

pub(super) fn bevat(s: &[u8]) -> Verdict {
    let d = &s[s.len().saturating_sub(10)..];
    let n = number(&d[..8]);
    Verdict::of(n > 0 && 97 - n % 97 == number(&d[8..]))
}

pub(super) fn bsn(s: &[u8]) -> Verdict {
    let sum = weighted(s, &[9, 8, 7, 6, 5, 4, 3, 2, -1]);
    Verdict::of(!repeated(s) && sum % 11 == 0)
}

pub(super) fn luvat(s: &[u8]) -> Verdict {
    let d = &s[2..];
    Verdict::of(number(d) > 0 && number(&d[..6]) % 89 == number(&d[6..]))
}

const NIF: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

pub(super) fn nif(s: &[u8]) -> Verdict {
    let Some((letter, digits)) = s.split_last() else { return Verdict::Invalid };
    Verdict::of(NIF[(number(digits) % 23) as usize] == *letter)
}

pub(super) fn nie(s: &[u8]) -> Verdict {
    let (Some((letter, body)), first) = (s.split_last(), s[0] - b'X') else {
        return Verdict::Invalid;
    };
    let n = i64::from(first) * 10i64.pow(body.len() as u32 - 1) + number(&body[1..]);
    Verdict::of(NIF[(n % 23) as usize] == *letter)
}

pub(super) fn cif(s: &[u8]) -> Verdict {
    let d = &s[1..8];
    let even: i64 = d.iter().skip(1).step_by(2).map(|&c| digit(c)).sum();
    let odd: i64 = d.iter().step_by(2).map(|&c| cross_sum(2 * digit(c))).sum();
    let c = ((10 - (even + odd) % 10) % 10) as usize;
    let letter_only = b"NPQRSW".contains(&s[0]);
    let digit_only = b"ABEH".contains(&s[0]);
    let letter = b"JABCDEFGHI"[c] == s[8];
    let number = b"0123456789"[c] == s[8];
    Verdict::of((letter && !digit_only) || (number && !letter_only))
}

pub(super) fn ccc(s: &[u8]) -> Verdict {
    const WEIGHTS: [i64; 10] = [1, 2, 4, 8, 5, 10, 9, 7, 3, 6];
    let check = |sum: i64| match 11 - sum % 11 {
        11 => 0,
        10 => 1,
        c => c,
    };
    let bank = check(weighted(&s[..8], &WEIGHTS[2..]));
    let account = check(weighted(&s[10..], &WEIGHTS));
    Verdict::of(number(&s[..8]) > 0 && bank == digit_at(s, 8) && account == digit_at(s, 9))
}

pub(super) fn ptnif(s: &[u8]) -> Verdict {
    let r = weighted(s, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    Verdict::of(!repeated(s) && if r < 2 { 0 } else { 11 - r } == digit_at(s, 8))
}

pub(super) fn itcf(s: &[u8]) -> Verdict {
    const ODD: [i64; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    // Vowels never stand before consonants within a name triple, nor X before others.
    let triple = |t: &[u8]| {
        let class = |c: u8| match c {
            b'A' | b'E' | b'I' | b'O' | b'U' => 1,
            b'X' => 2,
            _ => 0,
        };
        let c = [class(t[0]), class(t[1]), class(t[2])];
        // X is a consonant as well as the filler.
        !(c[0] == 1 && c[1] == 0 || c[1] == 1 && c[2] == 0)
    };
    let number_of = |c: u8| match c {
        b'0'..=b'9' => i64::from(c - b'0'),
        c => b"LMNPQRSTUV".iter().position(|l| *l == c).map_or(99, |i| i as i64),
    };
    let two = |i: usize| number_of(at(s, i)) * 10 + number_of(at(s, i + 1));
    let month = b"ABCDEHLMPRST".iter().position(|m| *m == s[8]).map_or(0, |i| i as i64 + 1);
    let day = two(9);
    let day = if day > 40 { day - 40 } else { day };
    // A two-digit year is either of two centuries: 29 February needs one of them to be a leap year.
    let year = two(6);
    let dated = is_date(1900 + year, month, day) || is_date(2000 + year, month, day);
    if !dated || !triple(&s[..3]) || !triple(&s[3..6]) {
        return Verdict::Invalid;
    }
    let sum: i64 = s[..15]
        .iter()
        .enumerate()
        .map(|(i, &c)| {
            let v = if c.is_ascii_digit() { c - b'0' } else { c.wrapping_sub(b'A') };
            if i % 2 == 0 { ODD.get(usize::from(v)).copied().unwrap_or(0) } else { i64::from(v) }
        })
        .sum();
    Verdict::of((sum % 26) as u8 + b'A' == s[15])
}

pub(super) fn itvat(s: &[u8]) -> Verdict {
    let d = &s[s.len().saturating_sub(11)..];
    Verdict::of(d.len() == 11 && number(d) > 0 && luhn(d))
}

pub(super) fn pesel(s: &[u8]) -> Verdict {
    let month = number(&s[2..4]);
    let century = [1900, 2000, 2100, 2200, 1800][(month / 20) as usize % 5];
    let dated = is_date(century + number(&s[..2]), month % 20, number(&s[4..6]));
    let check = complement(s, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3], 10);
    Verdict::of(dated && check)
}

pub(super) fn nip(s: &[u8]) -> Verdict {
    let d = &s[s.len() - 10..];
    let sum = weighted(d, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11;
    Verdict::of(!repeated(d) && sum == digit_at(d, 9))
}

pub(super) fn regon(s: &[u8]) -> Verdict {
    let nine = weighted(s, &[8, 9, 2, 3, 4, 5, 6, 7]) % 11 % 10 == digit_at(s, 8);
    let all = s.len() == 9
        || weighted(s, &[2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8]) % 11 % 10 == digit_at(s, 13);
    Verdict::of(number(s) > 0 && nine && all)
}

/// Letters count 10 to 35, weights 7 3 1 9 7 3 1 7 3, with the check digit in fourth place.
pub(super) fn plid(s: &[u8]) -> Verdict {
    let sum: i64 =
        s.iter().zip([7, 3, 1, 9, 7, 3, 1, 7, 3]).map(|(&c, w)| super::base36(c) * w).sum();
    Verdict::of(sum % 10 == 0)
}

pub(super) fn hetu(s: &[u8]) -> Verdict {
    let century = match s[6] {
        b'+' => 1800,
        b'-' | b'U'..=b'Y' => 1900,
        b'A'..=b'F' => 2000,
        _ => return Verdict::Invalid,
    };
    let dated = is_date(century + number(&s[4..6]), number(&s[2..4]), number(&s[..2]));
    let n = number(&s[..6]) * 1000 + number(&s[7..10]);
    let individual = number(&s[7..10]) >= 2;
    Verdict::of(
        dated && individual && b"0123456789ABCDEFHJKLMNPRSTUVWXY"[(n % 31) as usize] == s[10],
    )
}

pub(super) fn ytunnus(s: &[u8]) -> Verdict {
    let check = (11 - weighted(s, &[7, 9, 10, 5, 8, 4, 2]) % 11) % 11;
    Verdict::of(number(s) > 0 && check < 10 && check == digit_at(s, 7))
}

pub(super) fn sepnr(s: &[u8]) -> Verdict {
    let Some(d) = s.get(s.len().saturating_sub(10)..) else { return Verdict::Invalid };
    let day = number(&d[4..6]);
    let day = if day > 60 { day - 60 } else { day };
    let year = if s.len() == 12 { number(&s[..4]) } else { 0 };
    let century_ok = s.len() != 12 || (1800..=2099).contains(&year);
    Verdict::of(century_ok && is_date(year, number(&d[2..4]), day) && luhn(d))
}

pub(super) fn seorg(s: &[u8]) -> Verdict {
    Verdict::of(s[2] >= b'2' && luhn(s))
}

pub(super) fn nofnr(s: &[u8]) -> Verdict {
    let first = (-weighted(s, &[3, 7, 6, 1, 8, 9, 4, 5, 2])).rem_euclid(11);
    let second = (-weighted(s, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2])).rem_euclid(11);
    let (day, month) = (number(&s[..2]), number(&s[2..4]));
    let day = if day > 40 { day - 40 } else { day };
    let month = if month > 40 { month - 40 } else { month };
    Verdict::of(is_date(0, month, day) && first == digit_at(s, 9) && second == digit_at(s, 10))
}

pub(super) fn noorg(s: &[u8]) -> Verdict {
    let check = (-weighted(s, &[3, 2, 7, 6, 5, 4, 3, 2])).rem_euclid(11);
    Verdict::of(check == digit_at(s, 8))
}

pub(super) fn cpr(s: &[u8]) -> Verdict {
    Verdict::unless(!is_date(0, number(&s[2..4]), number(&s[..2])))
}

pub(super) fn cvr(s: &[u8]) -> Verdict {
    let d = &s[s.len() - 8..];
    Verdict::of(d[0] != b'0' && weighted(d, &[2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0)
}

pub(super) fn kt(s: &[u8]) -> Verdict {
    let day = number(&s[..2]);
    // Companies add 40 to the day.
    let day = if day > 40 { day - 40 } else { day };
    let sum = weighted(s, &[3, 2, 7, 6, 5, 4, 3, 2, 1]);
    let century = matches!(s[9], b'8' | b'9' | b'0');
    Verdict::of(century && is_date(0, number(&s[2..4]), day) && sum % 11 == 0)
}

pub(super) fn rc(s: &[u8]) -> Verdict {
    let mut month = number(&s[2..4]);
    for offset in [70, 50, 20] {
        if month > offset {
            month -= offset;
            break;
        }
    }
    let check = number(&s[..9]) % 11 % 10 == digit_at(s, 9);
    Verdict::of(is_date(0, month, number(&s[4..6])) && check)
}

/// Weights 8 to 2; 11 less the remainder, with 10 → 0 and 11 → 1.
pub(super) fn ico(s: &[u8]) -> Verdict {
    let c = 11 - weighted(s, &[8, 7, 6, 5, 4, 3, 2]) % 11;
    Verdict::of(number(s) > 0 && c % 10 == digit_at(s, 7))
}

pub(super) fn hutax(s: &[u8]) -> Verdict {
    Verdict::of(complement(s, &[9, 7, 3, 1, 9, 7, 3], 10) && matches!(s[8], b'1'..=b'5'))
}

/// Weights 3 and 7 in turn, modulo 10.
pub(super) fn taj(s: &[u8]) -> Verdict {
    let sum = weighted(s, &[3, 7, 3, 7, 3, 7, 3, 7]);
    Verdict::of(!repeated(s) && sum % 10 == digit_at(s, 8))
}

pub(super) fn cnp(s: &[u8]) -> Verdict {
    let sum = weighted(s, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    let check = if sum == 10 { 1 } else { sum };
    Verdict::of(is_date(0, number(&s[3..5]), number(&s[5..7])) && check == digit_at(s, 12))
}

pub(super) fn egn(s: &[u8]) -> Verdict {
    let month = number(&s[2..4]);
    let month = if month > 40 {
        month - 40
    } else if month > 20 {
        month - 20
    } else {
        month
    };
    let sum = weighted(s, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10;
    Verdict::of(is_date(0, month, number(&s[4..6])) && sum == digit_at(s, 9))
}

pub(super) fn iso11_10(s: &[u8]) -> Verdict {
    let d = &s[s.len().saturating_sub(11)..];
    Verdict::of(all_digits(d) && !repeated(d) && mod11_10(d))
}

pub(super) fn jmbg(s: &[u8]) -> Verdict {
    let check = (11 - weighted(s, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    Verdict::of(is_date(0, number(&s[2..4]), number(&s[..2])) && check == digit_at(s, 12))
}

pub(super) fn sivat(s: &[u8]) -> Verdict {
    let d = &s[s.len() - 8..];
    let c = 11 - weighted(d, &[8, 7, 6, 5, 4, 3, 2]) % 11;
    Verdict::of(d[0] != b'0' && c != 11 && c % 10 == digit_at(d, 7))
}

pub(super) fn afm(s: &[u8]) -> Verdict {
    let d = &s[s.len() - 9..];
    let sum = weighted(d, &[256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10;
    Verdict::of(number(d) > 0 && sum == digit_at(d, 8))
}

pub(super) fn amka(s: &[u8]) -> Verdict {
    Verdict::of(is_date(0, number(&s[2..4]), number(&s[..2])) && luhn(s))
}

pub(super) fn eeik(s: &[u8]) -> Verdict {
    let mut r = weighted(s, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    if r == 10 {
        r = weighted(s, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10;
    }
    Verdict::of(is_date(0, number(&s[3..5]), number(&s[5..7])) && r == digit_at(s, 10))
}

pub(super) fn lvpk(s: &[u8]) -> Verdict {
    if s.starts_with(b"32") {
        return Verdict::Unchecked;
    }
    let sum = (1 + weighted(s, &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9])) % 11 % 10;
    Verdict::of(is_date(0, number(&s[2..4]), number(&s[..2])) && sum == digit_at(s, 10))
}

pub(super) fn uainn(s: &[u8]) -> Verdict {
    let sum = weighted(s, &[-1, 5, 7, 9, 4, 6, 10, 5, 7]).rem_euclid(11) % 10;
    Verdict::of(!repeated(s) && sum == digit_at(s, 9))
}

pub(super) fn inn10(s: &[u8]) -> Verdict {
    let sum = weighted(s, &[2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10;
    Verdict::of(number(s) > 0 && sum == digit_at(s, 9))
}

pub(super) fn inn12(s: &[u8]) -> Verdict {
    let first = weighted(s, &[7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10;
    let second = weighted(s, &[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10;
    Verdict::of(number(s) > 0 && first == digit_at(s, 10) && second == digit_at(s, 11))
}

pub(super) fn snils(s: &[u8]) -> Verdict {
    let sum = weighted(s, &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100;
    Verdict::of(number(&s[..9]) > 0 && sum == number(&s[9..]))
}

pub(super) fn iin(s: &[u8]) -> Verdict {
    let mut r = weighted(s, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) % 11;
    if r == 10 {
        r = weighted(s, &[3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) % 11;
    }
    Verdict::of(is_date(0, number(&s[2..4]), number(&s[4..6])) && r == digit_at(s, 11))
}

/// ORCID and ISNI: ISO 7064 MOD 11-2.
pub(super) fn orcid(s: &[u8]) -> Verdict {
    Verdict::of(mod11_2(s))
}

pub(super) fn lei(s: &[u8]) -> Verdict {
    let letters = s.iter().filter(|c| c.is_ascii_uppercase()).count();
    Verdict::of(letters > 0 && mod97(s.iter().copied()) == 1)
}
