//! Masks, coarser values, shifted dates.

use super::keys::prf;
use super::{Characters, Coarse, Side};
use crate::calendar::MONTHS;

/// ZIP areas of three digits with fewer than 20,000 people (HHS guidance, Census of 2000).
const RESTRICTED_ZIP3: [&str; 17] = [
    "036", "059", "063", "102", "203", "556", "692", "790", "821", "823", "830", "831", "878",
    "879", "884", "890", "893",
];

fn ignored(c: char, ignore: &[Characters]) -> bool {
    ignore.iter().any(|kind| match kind {
        Characters::Numeric => c.is_numeric(),
        Characters::AlphaUpper => c.is_uppercase(),
        Characters::AlphaLower => c.is_lowercase(),
        Characters::Punctuation => c.is_ascii_punctuation(),
        Characters::Whitespace => c.is_whitespace(),
    })
}

pub(crate) fn mask(
    value: &str,
    with: char,
    count: Option<usize>,
    keep: usize,
    side: Side,
    ignore: &[Characters],
) -> String {
    let maskable = value.chars().filter(|c| !ignored(*c, ignore)).count();
    let covered = count.unwrap_or(maskable).min(maskable.saturating_sub(keep));
    let from = match side {
        Side::Start => 0,
        Side::End => maskable - covered,
    };
    let mut seen = 0;
    value
        .chars()
        .map(|c| {
            if ignored(c, ignore) {
                return c;
            }
            seen += 1;
            if (from..from + covered).contains(&(seen - 1)) { with } else { c }
        })
        .collect()
}

pub(crate) fn generalize(value: &str, to: Coarse) -> Option<String> {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    match to {
        Coarse::Zip3 => {
            let zip = digits.get(..3).filter(|_| digits.len() == 5 || digits.len() == 9)?;
            Some(if RESTRICTED_ZIP3.contains(&zip) { "000" } else { zip }.to_owned())
        }
        Coarse::Year => Date::parse(value).map(|d| format!("{:04}", d.year)),
        Coarse::Month => Date::parse(value).map(|d| format!("{:04}-{:02}", d.year, d.month)),
        Coarse::AgeBand | Coarse::AgeCap => {
            let age: u32 = digits.parse().ok().filter(|a| *a < 200)?;
            Some(match (age, to) {
                (90.., _) => "90+".to_owned(),
                (age, Coarse::AgeBand) => format!("{}-{}", age / 10 * 10, age / 10 * 10 + 9),
                (age, _) => age.to_string(),
            })
        }
        Coarse::Domain => value.rsplit_once('@').map(|(_, domain)| format!("@{domain}")),
        Coarse::Network => {
            let address: std::net::Ipv4Addr = value.split('/').next()?.parse().ok()?;
            let [a, b, c, _] = address.octets();
            Some(format!("{a}.{b}.{c}.0/24"))
        }
    }
}

pub(crate) fn bucket(value: &str, size: u32) -> Option<String> {
    let number: u64 = value.trim().parse().ok()?;
    let size = u64::from(size.max(1));
    let low = number / size * size;
    Some(format!("{low}-{}", low.saturating_add(size - 1)))
}

/// A date as it is written: the numbers, and where they stand.
struct Date {
    year: i64,
    month: i64,
    day: i64,
    /// The parts in the order in which they are written, with what stands between.
    pieces: Vec<Piece>,
    rest: String,
}

enum Piece {
    Year(usize),
    Month(usize),
    /// A month's name, and whether it is written short.
    Name(bool),
    Day(usize),
    Text(String),
}

impl Date {
    /// Reads `1987-05-12`, `12.05.1987`, `05/12/1987`, `May 12, 1987`, `12 May 1987`. With slashes the
    /// month stands first unless it is above 12.
    fn parse(value: &str) -> Option<Date> {
        let mut pieces = Vec::new();
        let (mut year, mut month, mut day) = (None, None, None);
        let mut numbers = Vec::new();
        let mut rest = value;
        while !rest.is_empty() && (year.is_none() || month.is_none() || day.is_none()) {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
            if digits > 0 {
                let n: i64 = rest.get(..digits)?.parse().ok()?;
                if digits == 4 {
                    year = Some(n);
                    pieces.push(Piece::Year(4));
                } else {
                    numbers.push((pieces.len(), n, digits));
                    pieces.push(Piece::Day(digits));
                }
                rest = rest.get(digits..)?;
                if year.is_some() && numbers.len() + usize::from(month.is_some()) == 2 {
                    break;
                }
            } else if letters > 2 {
                let word = rest.get(..letters)?.to_ascii_lowercase();
                let index = MONTHS.iter().position(|m| {
                    m.to_ascii_lowercase().starts_with(&word) || word == "sept" && *m == "September"
                });
                match index {
                    Some(i) => {
                        month = Some(i as i64 + 1);
                        pieces.push(Piece::Name(letters < 5 && MONTHS[i].len() > letters));
                    }
                    None => pieces.push(Piece::Text(rest.get(..letters)?.to_owned())),
                }
                rest = rest.get(letters..)?;
                if year.is_some() && !numbers.is_empty() && month.is_some() {
                    break;
                }
            } else {
                let len = rest.chars().next()?.len_utf8().max(letters);
                pieces.push(Piece::Text(rest.get(..len)?.to_owned()));
                rest = rest.get(len..)?;
            }
        }
        match (numbers.as_slice(), month) {
            ([(_, d, _)], Some(_)) => day = Some(*d),
            ([a, b], None) => {
                let dotted = value.contains('.');
                let year_first = matches!(pieces.first(), Some(Piece::Year(_)));
                let day_first = !year_first && (dotted || a.1 > 12);
                let (d, m) = if day_first { (a, b) } else { (b, a) };
                (day, month) = (Some(d.1), Some(m.1));
                if let Some(piece) = pieces.get_mut(m.0) {
                    *piece = Piece::Month(m.2);
                }
            }
            _ => return None,
        }
        let (year, month, day) = (year?, month?, day?);
        crate::checksum::is_date(year, month, day).then(|| Date {
            year,
            month,
            day,
            pieces,
            rest: rest.to_owned(),
        })
    }

    fn write(&self) -> String {
        use std::fmt::Write;
        let mut out = String::new();
        for piece in &self.pieces {
            let _ = match piece {
                Piece::Year(n) => write!(out, "{:0n$}", self.year),
                Piece::Month(n) => write!(out, "{:0n$}", self.month),
                Piece::Day(n) => write!(out, "{:0n$}", self.day),
                Piece::Name(short) => {
                    let name = MONTHS.get(self.month as usize - 1).copied().unwrap_or("");
                    write!(out, "{}", if *short { &name[..3] } else { name })
                }
                Piece::Text(text) => write!(out, "{text}"),
            };
        }
        out + &self.rest
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar.
    fn days(&self) -> i64 {
        let y = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = y.div_euclid(400);
        let of_era = y - era * 400;
        let of_year = (153 * ((self.month + 9) % 12) + 2) / 5 + self.day - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    fn set_days(&mut self, days: i64) {
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let of_era = z - era * 146_097;
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let m = (5 * of_year + 2) / 153;
        self.day = of_year - (153 * m + 2) / 5 + 1;
        self.month = if m < 10 { m + 3 } else { m - 9 };
        self.year = year + era * 400 + i64::from(self.month <= 2);
    }
}

/// The subject's shift in days, never 0: uniform in ±1..=max up to a bias of 2⁻⁶⁴.
fn offset(key: &[u8], subject: &str, max_days: u32) -> i64 {
    let full = prf(key, &[b"deid/v1/date", subject.as_bytes()]);
    let wide = full.iter().take(16).fold(0u128, |n, b| n << 8 | u128::from(*b));
    let max = i64::from(max_days.max(1));
    let o = (wide % (2 * max as u128)) as i64;
    if o < max { o - max } else { o - max + 1 }
}

/// The date, moved by the subject's shift and written as before; `None` if it is no full date.
pub(crate) fn date_shift(
    value: &str,
    key: &[u8],
    subject: &str,
    max_days: u32,
    forward: bool,
) -> Option<String> {
    let mut date = Date::parse(value)?;
    let shift = offset(key, subject, max_days);
    date.set_days(date.days() + if forward { shift } else { -shift });
    (1000..=9999).contains(&date.year).then(|| date.write())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_back_and_distances_stay() {
        for text in [
            "1987-05-12",
            "12.05.1987",
            "05/12/1987",
            "May 12, 1987",
            "12 May 1987",
            "1987-05-12T08:15:00Z",
        ] {
            let moved = date_shift(text, &[3; 64], "p1", 365, true).unwrap();
            assert_ne!(moved, text);
            assert_eq!(date_shift(&moved, &[3; 64], "p1", 365, false).unwrap(), text, "{moved}");
        }
        let days = |t: &str| {
            Date::parse(&date_shift(t, &[3; 64], "p1", 365, true).unwrap()).unwrap().days()
        };
        assert_eq!(days("2020-03-01") - days("2020-02-28"), 2);
    }

    #[test]
    fn coarser_values() {
        assert_eq!(generalize("03601", Coarse::Zip3).unwrap(), "000");
        assert_eq!(generalize("94105-1234", Coarse::Zip3).unwrap(), "941");
        assert_eq!(generalize("94 years old", Coarse::AgeBand).unwrap(), "90+");
        assert_eq!(generalize("May 12, 1987", Coarse::Year).unwrap(), "1987");
        assert_eq!(
            mask("4111-1111", '*', None, 4, Side::Start, &[Characters::Punctuation]),
            "****-1111"
        );
        assert_eq!(bucket("47", 10).unwrap(), "40-49");
    }
}
