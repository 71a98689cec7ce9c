//! Check characters of identifiers: one function for each published scheme.
//!
//! A scheme answers with a [`Verdict`]. *Valid* is said only where a check character or a closed
//! list was checked; a format that merely fits gives no verdict. The functions take the characters
//! that matter, upper-case letters and digits, without separators.

mod algorithms;
mod americas;
mod asia;
mod digest;
mod europe;
mod north;
mod registry;

pub use algorithms::{damm, icao_check, luhn, mod11_2, mod11_10, mod97, verhoeff};
pub use digest::{base58check, bech32, eip55};
pub(crate) use registry::is_country_code as is_country;
pub(crate) use registry::{Validator, by_name};

/// What a checksum says of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A check character, or a closed list, confirms it.
    Valid,
    /// It cannot be such an identifier.
    Invalid,
    /// The format fits and there is nothing to check.
    Unchecked,
}

impl Verdict {
    pub(crate) fn of(valid: bool) -> Self {
        if valid { Verdict::Valid } else { Verdict::Invalid }
    }

    pub(crate) fn unless(invalid: bool) -> Self {
        if invalid { Verdict::Invalid } else { Verdict::Unchecked }
    }
}

/// Σ wᵢ·dᵢ over the digits, as far as there are weights.
fn weighted(digits: &[u8], weights: &[i64]) -> i64 {
    digits.iter().zip(weights).map(|(&d, &w)| digit(d) * w).sum()
}

/// The value of an ASCII digit; other characters count as 0.
fn digit(c: u8) -> i64 {
    if c.is_ascii_digit() { i64::from(c - b'0') } else { 0 }
}

/// 0–9 for digits, 10–35 for letters.
fn base36(c: u8) -> i64 {
    match c {
        b'0'..=b'9' => i64::from(c - b'0'),
        b'A'..=b'Z' => i64::from(c - b'A') + 10,
        _ => 0,
    }
}

fn at(s: &[u8], i: usize) -> u8 {
    s.get(i).copied().unwrap_or(0)
}

fn digit_at(s: &[u8], i: usize) -> i64 {
    digit(at(s, i))
}

fn number(s: &[u8]) -> i64 {
    s.iter().take(18).fold(0, |n, &c| n * 10 + digit(c))
}

fn all_digits(s: &[u8]) -> bool {
    s.iter().all(u8::is_ascii_digit)
}

/// All characters are the same.
fn repeated(s: &[u8]) -> bool {
    s.iter().all(|c| *c == at(s, 0))
}

/// The digit sum of a number below 100.
fn cross_sum(n: i64) -> i64 {
    n / 10 + n % 10
}

/// Whether the calendar has that day; `year` 0 stands for an unknown year.
pub(crate) fn is_date(year: i64, month: i64, day: i64) -> bool {
    let leap = year == 0 || (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}
