//! HIPAA's safe harbour: columns that look like one of its eighteen kinds of identifiers.
//!
//! A hit is a warning; absence proves nothing.

use serde::Serialize;

use crate::table::{Column, Table, Value, parse_date};

/// A kind of identifier of 45 CFR 164.514(b)(2), as far as it shows in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "named as the rule names them")]
pub enum Identifier {
    Name,
    Geography,
    Date,
    AgeAbove89,
    Phone,
    Fax,
    Email,
    SocialSecurity,
    MedicalRecord,
    HealthPlan,
    Account,
    Licence,
    Vehicle,
    Device,
    Url,
    Ip,
    Biometric,
    Photo,
    OtherCode,
}

/// A column that may hold identifiers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Warning {
    /// The column.
    pub column: String,
    /// The kind.
    pub identifier: Identifier,
    /// Whether the column's name says so.
    pub by_name: bool,
    /// The share of distinct values that look like it.
    pub matching: f64,
}

/// Words of column names, lower case, that stand for a kind.
const WORDS: &str = include_str!("identifier_words.txt");

/// Areas of three digits with 20,000 people or fewer by the census of 2000, which become 000.
const SMALL_AREAS: &str = include_str!("small_zip_areas.txt");

/// Three digits of a postcode as the safe harbour allows them: `000` for small areas.
#[must_use]
pub fn safe_harbour_zip(zip: &str) -> Option<String> {
    let digits = zip.get(..3).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
    let small = SMALL_AREAS.split_whitespace().any(|area| area == digits);
    Some(if small { "000".into() } else { digits.into() })
}

fn kind(word: &str) -> Option<Identifier> {
    use Identifier::*;
    Some(match word {
        "name" => Name,
        "geography" => Geography,
        "date" => Date,
        "age" => AgeAbove89,
        "phone" => Phone,
        "fax" => Fax,
        "email" => Email,
        "ssn" => SocialSecurity,
        "record" => MedicalRecord,
        "plan" => HealthPlan,
        "account" => Account,
        "licence" => Licence,
        "vehicle" => Vehicle,
        "device" => Device,
        "url" => Url,
        "ip" => Ip,
        "biometric" => Biometric,
        "photo" => Photo,
        "code" => OtherCode,
        _ => return None,
    })
}

fn looks_like(identifier: Identifier, text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let only = |allowed: &str| text.chars().all(|c| c.is_ascii_digit() || allowed.contains(c));
    match identifier {
        Identifier::Email => text.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty() && host.contains('.') && !text.contains(' ')
        }),
        Identifier::Url => text.starts_with("http://") || text.starts_with("https://"),
        Identifier::Ip => text.parse::<std::net::IpAddr>().is_ok(),
        Identifier::Phone => (9..=15).contains(&digits) && only("+-() ./") && digits < text.len(),
        Identifier::SocialSecurity => {
            let parts: Vec<&str> = text.split('-').collect();
            digits == 9 && parts.iter().map(|p| p.len()).eq([3, 2, 4])
        }
        Identifier::Date => parse_date(text).is_some(),
        _ => false,
    }
}

fn examine(column: &Column) -> Vec<Warning> {
    let lower: String = column
        .name()
        .chars()
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    let names: Vec<&str> = lower.split_whitespace().collect();
    let texts: Vec<&str> = column.dictionary().iter().filter_map(Value::text).collect();
    let mut all: Vec<Warning> = Vec::new();
    let mut add = |identifier, by_name, matching| {
        if !all.iter().any(|known: &Warning| known.identifier == identifier) {
            let column = column.name().to_owned();
            all.push(Warning { column, identifier, by_name, matching });
        }
    };
    let share = |identifier| {
        let matching = texts.iter().filter(|text| looks_like(identifier, text)).count();
        matching as f64 / texts.len().max(1) as f64
    };
    for line in WORDS.lines().filter(|line| !line.starts_with('#')) {
        let Some((label, words)) = line.split_once(':') else { continue };
        let Some(identifier) = kind(label.trim()) else { continue };
        if words.split_whitespace().any(|word| names.contains(&word) || names.concat() == word) {
            if identifier == Identifier::AgeAbove89 {
                let old = column.numbers().into_iter().flatten().any(|age| age > 89.0);
                if !old {
                    continue;
                }
            }
            add(identifier, true, share(identifier));
        }
    }
    use Identifier::{Date, Email, Ip, Phone, SocialSecurity, Url};
    for identifier in [Email, Url, Ip, Phone, SocialSecurity, Date] {
        let matching = share(identifier);
        if matching >= 0.5 && !texts.is_empty() {
            add(identifier, false, matching);
        }
    }
    let rows: u64 = column.counts().iter().sum();
    if all.is_empty() && rows >= 20 && texts.len() as u64 == rows && !column.kind().is_numeric() {
        let column = column.name().to_owned();
        let identifier = Identifier::OtherCode;
        all.push(Warning { column, identifier, by_name: false, matching: 1.0 });
    }
    all
}

/// The columns of a table that may hold identifiers.
///
/// # Example
///
/// ```
/// let text = "email,visits\nada@example.org,3\nalan@example.org,4\n";
/// let table = kanon::table::CsvOptions::new().read(text.as_bytes())?;
/// let warnings = kanon::risk::identifiers::warnings(&table);
/// assert_eq!(warnings[0].column, "email");
/// # Ok::<(), kanon::Error>(())
/// ```
#[must_use]
pub fn warnings(table: &Table) -> Vec<Warning> {
    table.columns().iter().flat_map(examine).collect()
}
