//! What a source holds: a verdict on each column from a sample, and how sensitive that makes it.
//!
//! A detector knows what e-mail addresses look like; it does not know which numbers are customers.
//! What the owner knows of a column comes beside what was found, and the higher level counts.

use confidant::core::sensitive::SensitivityLevel;
use confidant::deid::Analyzer;
use confidant::deid::inventory::Inventorist;

use crate::error::Error;
use crate::report::{Found, FoundColumn};

/// Values of each column that are looked at, at most.
pub const SAMPLE: usize = 1000;

/// What the owner knows of a column.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    pub column: &'a str,
    pub level: SensitivityLevel,
    pub why: &'static str,
}

/// A column with a sample of its values.
pub struct Column {
    pub name: String,
    pub sample: Vec<String>,
}

impl Column {
    /// A column of at most [`SAMPLE`] values, evenly spread over `rows`.
    pub fn of<T>(name: &str, rows: &[T], value: impl Fn(&T) -> String) -> Self {
        let step = rows.len().div_ceil(SAMPLE).max(1);
        let sample = rows.iter().step_by(step).take(SAMPLE).map(value).collect();
        Column { name: name.to_owned(), sample }
    }
}

/// Looks at the columns of a source.
pub fn source(
    analyzer: &Analyzer,
    name: &str,
    columns: &[Column],
    known: &[Known<'_>],
) -> Result<Found, Error> {
    let inventorist = Inventorist::new(analyzer).sample(SAMPLE);
    let mut found = Vec::with_capacity(columns.len());
    for column in columns {
        let report = inventorist.column(&column.name, column.sample.iter().map(String::as_str))?;
        let known = known.iter().find(|known| known.column == column.name);
        let by_owner = known.filter(|known| known.level >= report.level);
        found.push(FoundColumn {
            column: report.name,
            holds: report.verdict.as_ref().map(|share| share.entity.name().to_owned()),
            share: report.verdict.as_ref().map(|share| share.share),
            share_95: report.verdict.as_ref().map(|share| [share.low, share.high]),
            level: by_owner.map_or(report.level, |known| known.level),
            why: by_owner
                .map_or(report.reason, |known| format!("known to its owner: {}", known.why)),
        });
    }
    let level = found.iter().map(|column| column.level).max();
    Ok(Found {
        source: name.to_owned(),
        level: level.unwrap_or(SensitivityLevel::Public),
        columns: found,
    })
}

/// Whether a column names people by itself, as far as was found: such a column may not be in a table
/// that is handed out.
pub fn identifies(column: &FoundColumn) -> bool {
    const IDENTIFIERS: [&str; 8] = [
        "PERSON",
        "EMAIL_ADDRESS",
        "PHONE_NUMBER",
        "IBAN_CODE",
        "CREDIT_CARD",
        "US_SSN",
        "IP_ADDRESS",
        "MAC_ADDRESS",
    ];
    column.holds.as_deref().is_some_and(|entity| IDENTIFIERS.contains(&entity))
        && column.share.is_some_and(|share| share >= 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_higher_of_what_is_found_and_what_is_known_counts() {
        use SensitivityLevel::{Confidential, Public};
        let analyzer = Analyzer::new().unwrap();
        let rows: Vec<u32> = (0..50).collect();
        let columns = [
            Column::of("email", &rows, |i| format!("user{i}@example.org")),
            Column::of("id", &rows, |i| format!("k{i}")),
            Column::of("plan", &rows, |_| "free".to_owned()),
        ];
        let known = [Known { column: "id", level: Confidential, why: "a user" }];
        let found = source(&analyzer, "t", &columns, &known).unwrap();
        let levels: Vec<_> = found.columns.iter().map(|c| c.level).collect();
        assert_eq!(levels, [Confidential, Confidential, Public]);
        assert_eq!(found.level, Confidential);
        let identify: Vec<bool> = found.columns.iter().map(identifies).collect();
        assert_eq!(identify, [true, false, false]);
        assert!(found.columns[1].why.contains("a user"));
    }
}
