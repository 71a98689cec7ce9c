//! Types of columns, and the few readings of text that they need.

use serde::{Deserialize, Serialize};

/// The type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// Any text; ordered by its bytes.
    Text,
    /// Whole numbers of at most 15 digits.
    Integer,
    /// Decimal numbers.
    Decimal,
    /// `2026-11-22` or `2026-11-22T13:45:00` (also with a space).
    Date,
}

impl Kind {
    /// The narrowest type that takes all of the texts; `Text` if there are none.
    pub(crate) fn infer<'a>(texts: impl Iterator<Item = &'a str>) -> Kind {
        let mut candidates = [Kind::Integer, Kind::Decimal, Kind::Date].to_vec();
        let mut any = false;
        for text in texts {
            any = true;
            candidates.retain(|kind| kind.accepts(text));
            if candidates.is_empty() {
                return Kind::Text;
            }
        }
        if any { candidates[0] } else { Kind::Text }
    }

    /// Whether a text is a value of the type.
    #[must_use]
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Kind::Text => true,
            // A leading zero marks a code such as a postcode, which must not become a number.
            Kind::Integer => is_integer(text),
            Kind::Decimal => parse_number(text).is_some(),
            Kind::Date => parse_date(text).is_some(),
        }
    }

    pub(crate) fn article(self) -> &'static str {
        match self {
            Kind::Text => "a text",
            Kind::Integer => "a whole number of at most 15 digits without leading zeros",
            Kind::Decimal => "a decimal number",
            Kind::Date => "a date such as 2026-11-22",
        }
    }

    /// Whether values have a distance.
    #[must_use]
    pub fn is_numeric(self) -> bool {
        !matches!(self, Kind::Text)
    }
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain && digits.len() <= 15 && (digits.len() == 1 || !digits.starts_with('0'))
}

/// A decimal number; never NaN or infinite, no exponent.
pub(crate) fn parse_number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if !all_digits(whole) || !all_digits(decimals) || leading_zero || digits.len() > 30 {
        return None;
    }
    text.parse().ok().filter(|x: &f64| x.is_finite())
}

/// Days since 1970-01-01, with the time of day as a fraction.
pub(crate) fn parse_date(text: &str) -> Option<f64> {
    if !text.is_ascii() || text.len() < 10 {
        return None;
    }
    let number = |part: &str| -> Option<i64> {
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten()
    };
    let (date, time) = text.split_at(10);
    let bytes = date.as_bytes();
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (number(&date[..4])?, number(&date[5..7])?, number(&date[8..])?);
    let days = days_from_civil(year, month, day)?;
    if time.is_empty() {
        return Some(days as f64);
    }
    let time = time.strip_prefix('T').or_else(|| time.strip_prefix(' '))?;
    let time = time.strip_suffix('Z').unwrap_or(time);
    let mut parts = time.split(':');
    let mut next = |limit: i64| -> Option<i64> {
        let part = parts.next()?;
        (part.len() == 2).then(|| number(part)).flatten().filter(|&x| x < limit)
    };
    let (hour, minute) = (next(24)?, next(60)?);
    let second = match next(60) {
        Some(second) => second,
        None if time.len() == 5 => 0,
        None => return None,
    };
    if time.len() != 5 && time.len() != 8 {
        return None;
    }
    Some(days as f64 + (hour * 3600 + minute * 60 + second) as f64 / 86_400.0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar, counted in eras of 400 years that
/// begin in March.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Year, month and day of a day counted from 1970-01-01.
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_centuries_round_trips() {
        let mut expected = (1900, 1, 1);
        let start = days_from_civil(1900, 1, 1).unwrap();
        for day in start..start + 146_097 {
            assert_eq!(civil_from_days(day), expected);
            assert_eq!(days_from_civil(expected.0, expected.1, expected.2), Some(day));
            expected.2 += 1;
            if expected.2 > days_in_month(expected.0, expected.1) {
                expected = (expected.0, expected.1 + 1, 1);
            }
            if expected.1 > 12 {
                expected = (expected.0 + 1, 1, 1);
            }
        }
        assert_eq!(days_from_civil(1970, 1, 1), Some(0));
    }

    #[test]
    fn types_are_read_from_the_texts() {
        let infer = |texts: &[&str]| Kind::infer(texts.iter().copied());
        assert_eq!(infer(&["1", "-20"]), Kind::Integer);
        assert_eq!(infer(&["1", "2.5"]), Kind::Decimal);
        assert_eq!(infer(&["01234", "20000"]), Kind::Text);
        assert_eq!(infer(&["2026-11-22", "2026-11-22T10:00:00"]), Kind::Date);
        assert_eq!(infer(&["2026-02-30"]), Kind::Text);
        assert_eq!(infer(&["2026-02-03T25:00"]), Kind::Text);
        assert_eq!(infer(&["1e5", "NaN"]), Kind::Text);
        assert_eq!(infer(&[]), Kind::Text);
    }
}
