//! The algorithms that many schemes share.

use super::{base36, cross_sum, digit, digit_at};

/// Luhn (ISO/IEC 7812-1 annex B): every second digit from the right doubled.
#[must_use]
pub fn luhn(digits: &[u8]) -> bool {
    let sum: i64 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, &d)| if i % 2 == 1 { cross_sum(2 * digit(d)) } else { digit(d) })
        .sum();
    !digits.is_empty() && sum % 10 == 0
}

/// Verhoeff's scheme over the dihedral group of order 10.
#[must_use]
pub fn verhoeff(digits: &[u8]) -> bool {
    const P1: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let times = |j: u8, k: u8| match (j < 5, k < 5) {
        (true, true) => (j + k) % 5,
        (true, false) => 5 + (j + k) % 5,
        (false, true) => 5 + (j + 5 - k) % 5,
        (false, false) => (j + 5 - k) % 5,
    };
    let mut c = 0;
    for (i, &d) in digits.iter().rev().enumerate() {
        let mut value = digit(d) as usize;
        for _ in 0..i % 8 {
            value = usize::from(P1[value]);
        }
        c = times(c, value as u8);
    }
    !digits.is_empty() && c == 0
}

/// Damm's scheme over a quasigroup of order 10.
#[must_use]
pub fn damm(digits: &[u8]) -> bool {
    const TABLE: [&[u8; 10]; 10] = [
        b"0317598642",
        b"7092154863",
        b"4206871359",
        b"1750983426",
        b"6123045978",
        b"3674209581",
        b"5869720134",
        b"8945362017",
        b"9438617205",
        b"2581436790",
    ];
    let interim = digits.iter().fold(0, |i, &d| digit(TABLE[i][digit(d) as usize]) as usize);
    !digits.is_empty() && interim == 0
}

/// ISO/IEC 7064 MOD 11,10.
#[must_use]
pub fn mod11_10(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let mut p = 10;
    for &d in body {
        let t = (digit(d) + p) % 10;
        p = 2 * if t == 0 { 10 } else { t } % 11;
    }
    (11 - p) % 10 == digit(*check)
}

/// ISO/IEC 7064 MOD 11-2, with `X` as ten.
#[must_use]
pub fn mod11_2(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let t = body.iter().fold(0, |t, &d| (t + digit(d)) * 2 % 11);
    let expected = (12 - t) % 11;
    if expected == 10 {
        *check == b'X'
    } else {
        check.is_ascii_digit() && digit(*check) == expected
    }
}

/// The remainder modulo 97 of the number that letters (10–35) and digits spell.
#[must_use]
pub fn mod97(characters: impl IntoIterator<Item = u8>) -> u32 {
    characters.into_iter().fold(0, |r, c| {
        let v = base36(c) as u32;
        (r * if v > 9 { 100 } else { 10 } + v) % 97
    })
}

/// The ICAO 9303 check digit (weights 7, 3, 1) of `characters`; `<` counts as 0.
#[must_use]
pub fn icao_check(characters: &[u8]) -> u8 {
    let sum: i64 =
        characters.iter().zip([7, 3, 1].iter().cycle()).map(|(&c, w)| base36(c) * w).sum();
    (sum % 10) as u8
}

/// The EAN/GTIN check: weights 1 and 3 from the right.
pub(super) fn ean(digits: &[u8]) -> bool {
    let sum: i64 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, &d)| digit(d) * if i % 2 == 1 { 3 } else { 1 })
        .sum();
    sum % 10 == 0
}

/// `(modulus − Σ mod modulus) mod modulus` over all digits but the last equals the last.
pub(super) fn complement(digits: &[u8], weights: &[i64], modulus: i64) -> bool {
    let n = weights.len();
    (modulus - super::weighted(digits, weights) % modulus) % modulus == digit_at(digits, n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn textbook_check_digits() {
        assert!(luhn(b"79927398713"));
        assert!(verhoeff(b"2363"));
        assert!(damm(b"5724"));
        assert!(mod11_2(b"0000000218250097"));
        assert!(!luhn(b"") && !verhoeff(b"") && !damm(b""));
    }

    #[test]
    fn single_digit_errors_are_found() {
        for (check, good) in [
            (luhn as fn(&[u8]) -> bool, &b"79927398713"[..]),
            (verhoeff, b"2363"),
            (damm, b"5724"),
            (mod11_10, b"45401559608"),
        ] {
            assert!(check(good));
            for i in 0..good.len() {
                for d in b'0'..=b'9' {
                    let mut bad = good.to_vec();
                    if bad[i] != d {
                        bad[i] = d;
                        assert!(!check(&bad), "{}", String::from_utf8_lossy(&bad));
                    }
                }
            }
        }
    }
}
