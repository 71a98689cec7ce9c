//! What a data source holds: a verdict for each column, how sensitive it is, and which technique fits.

use std::collections::BTreeMap;

use privacy_core::sensitive::SensitivityLevel;
use serde::{Deserialize, Serialize};

use crate::analyzer::Analyzer;
use crate::entity::Entity;
use crate::error::{Error, Result};
use crate::evaluate::wilson;
use crate::record::scan_value;
use crate::sensitivity::Classifier;

/// What to do with a column, as pipelines choose by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Technique {
    /// Nothing: it holds nothing personal as far as was seen.
    Keep,
    /// Move all dates of a subject by the same days ([`Operator::DateShift`](crate::Operator::DateShift)), or
    /// make them coarser.
    DateShift,
    /// Make it coarser together with other columns, under a model such as k-anonymity.
    Generalization,
    /// Leave the column out.
    Removal,
    /// Encryption that keeps the format ([`Operator::Fpe`](crate::Operator::Fpe)).
    FormatPreservingEncryption,
    /// Redact what is found inside longer text.
    TextRedaction,
    /// Equal tokens for equal values ([`Operator::Token`](crate::Operator::Token),
    /// [`Operator::Hash`](crate::Operator::Hash)).
    KeyedTokens,
    /// Leave it out, or encrypt it ([`Operator::Encrypt`](crate::Operator::Encrypt)).
    Encryption,
    /// Keyed tokens, or realistic values ([`Operator::Surrogate`](crate::Operator::Surrogate)).
    Surrogates,
}

impl std::fmt::Display for Technique {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Technique::Keep => "none",
            Technique::DateShift => "date shift or generalization",
            Technique::Generalization => "generalization under k-anonymity",
            Technique::Removal => "removal",
            Technique::FormatPreservingEncryption => "format-preserving encryption",
            Technique::TextRedaction => "redaction of text",
            Technique::KeyedTokens => "keyed tokens",
            Technique::Encryption => "removal or encryption",
            Technique::Surrogates => "keyed tokens or surrogates",
        })
    }
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ColumnReport {
    /// Its name.
    pub name: String,
    /// Values that are not empty and were looked at.
    pub sampled: usize,
    /// Different values among them.
    pub distinct: usize,
    /// The entity most of the values with findings have, its share of the values, and Wilson's 95 %
    /// interval of that share.
    pub verdict: Option<Share>,
    /// The second.
    pub runner_up: Option<Share>,
    /// How sensitive the column is.
    pub level: SensitivityLevel,
    /// Which technique fits.
    pub technique: Technique,
    /// Why.
    pub reason: String,
}

/// An entity's share of a column's values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// The entity.
    pub entity: Entity,
    /// Its share of the values, 0 to 1.
    pub share: f64,
    /// The lower end of the 95 % interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A report on a data source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Inventory {
    /// The source's name.
    pub source: String,
    /// Rows that were looked at.
    pub rows: usize,
    /// The source as a whole.
    pub level: SensitivityLevel,
    /// Its columns.
    pub columns: Vec<ColumnReport>,
}

/// Takes an inventory of columns.
#[derive(Debug)]
pub struct Inventorist<'a> {
    analyzer: &'a Analyzer,
    classifier: Classifier,
    sample: usize,
}

impl<'a> Inventorist<'a> {
    /// An inventory with the default rules, over at most 1,000 values of each column.
    #[must_use]
    pub fn new(analyzer: &'a Analyzer) -> Self {
        Inventorist { analyzer, classifier: Classifier::default(), sample: 1000 }
    }

    /// Other rules of sensitivity.
    #[must_use]
    pub fn classifier(mut self, classifier: Classifier) -> Self {
        self.classifier = classifier;
        self
    }

    /// At most this many rows.
    #[must_use]
    pub fn sample(mut self, rows: usize) -> Self {
        self.sample = rows.max(1);
        self
    }

    /// The verdict on a column. Each different value is scanned once.
    ///
    /// # Errors
    ///
    /// As [`Analyzer::scan`].
    pub fn column<'v>(
        &self,
        name: &str,
        values: impl IntoIterator<Item = &'v str>,
    ) -> Result<ColumnReport> {
        let mut distinct: BTreeMap<&str, usize> = BTreeMap::new();
        let mut sampled = 0;
        for value in values.into_iter().filter(|v| !v.trim().is_empty()).take(self.sample) {
            *distinct.entry(value).or_default() += 1;
            sampled += 1;
        }
        let mut counts: BTreeMap<Entity, usize> = BTreeMap::new();
        for (value, times) in &distinct {
            let findings = scan_value(self.analyzer, name, value)?;
            let mut seen: Vec<&Entity> = findings.iter().map(|f| &f.entity).collect();
            seen.sort();
            seen.dedup();
            for entity in seen {
                *counts.entry(entity.clone()).or_default() += times;
            }
        }
        let mut ranked: Vec<(&Entity, usize)> = counts.iter().map(|(e, n)| (e, *n)).collect();
        ranked.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let share = |i: usize| {
            ranked.get(i).map(|(entity, n)| {
                let (low, high) = wilson(*n, sampled);
                Share {
                    entity: (*entity).clone(),
                    share: *n as f64 / sampled.max(1) as f64,
                    low,
                    high,
                }
            })
        };
        let level = self.classifier.classify_counts(&counts);
        let (verdict, runner_up) = (share(0), share(1));
        let (technique, reason) = advice(verdict.as_ref(), level, distinct.len(), sampled);
        Ok(ColumnReport {
            name: name.to_owned(),
            sampled,
            distinct: distinct.len(),
            verdict,
            runner_up,
            level,
            technique,
            reason,
        })
    }

    /// The inventory of a CSV file with a header.
    ///
    /// # Errors
    ///
    /// As [`Analyzer::scan`]; [`Error::Record`] for a row that cannot be read.
    pub fn csv(&self, source: &str, input: impl std::io::Read) -> Result<Inventory> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
        let headers =
            reader.headers().map_err(|_| Error::Record { format: "CSV", number: 0 })?.clone();
        let mut columns: Vec<Vec<String>> = vec![Vec::new(); headers.len()];
        let mut rows = 0;
        for (i, row) in reader.records().take(self.sample).enumerate() {
            let row = row.map_err(|_| Error::Record { format: "CSV", number: i as u64 + 1 })?;
            rows += 1;
            for (column, cell) in columns.iter_mut().zip(row.iter()) {
                column.push(cell.to_owned());
            }
        }
        let reports: Result<Vec<_>> = headers
            .iter()
            .zip(&columns)
            .map(|(name, values)| self.column(name, values.iter().map(String::as_str)))
            .collect();
        let reports = reports?;
        Ok(Inventory::of(source, rows, reports))
    }
}

/// Which technique fits a column, and why.
fn advice(
    verdict: Option<&Share>,
    level: SensitivityLevel,
    distinct: usize,
    sampled: usize,
) -> (Technique, String) {
    let Some(top) = verdict else {
        return (Technique::Keep, "nothing personal was found in the sample".to_owned());
    };
    let percent = top.share * 100.0;
    let mostly = top.share >= 0.5;
    let name = top.entity.name();
    let (technique, why) = match name {
        "DATE_TIME" => (
            Technique::DateShift,
            "distances between dates stay useful when all of a subject move together",
        ),
        "AGE" | "US_ZIP" | "DE_PLZ" | "LOCATION" | "COORDINATES" | "UK_POSTCODE" => {
            (Technique::Generalization, "it identifies together with other columns")
        }
        "PASSWORD" | "SECRET" | "PRIVATE_KEY" | "JWT" | "CVV" | "PIN" | "CONNECTION_STRING" => {
            (Technique::Removal, "credentials have no use in analysis")
        }
        "CREDIT_CARD" | "IBAN_CODE" => {
            (Technique::FormatPreservingEncryption, "systems that expect its format keep working")
        }
        _ if !mostly => (Technique::TextRedaction, "it appears inside longer text"),
        _ if distinct * 2 < sampled => (
            Technique::KeyedTokens,
            "values repeat, so that joins need equal tokens for equal values",
        ),
        _ if level >= SensitivityLevel::Restricted => {
            (Technique::Encryption, "it identifies a person by itself")
        }
        _ => (Technique::Surrogates, "it identifies a person by itself"),
    };
    (technique, format!("{percent:.0} % of the values hold {name}: {why}"))
}

impl Inventory {
    pub(crate) fn of(source: &str, rows: usize, columns: Vec<ColumnReport>) -> Self {
        let level = columns.iter().map(|c| c.level).max().unwrap_or(SensitivityLevel::Public);
        Inventory { source: source.to_owned(), rows, level, columns }
    }

    /// As JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Document`] if it cannot be written; none in practice.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map_err(|e| Error::Document { what: "inventory", reason: e.to_string() })
    }

    /// As an HTML page that needs nothing else.
    #[must_use]
    pub fn to_html(&self) -> String {
        let mut rows = String::new();
        for c in &self.columns {
            let (entity, share) =
                c.verdict.as_ref().map_or(("–".to_owned(), String::new()), |v| {
                    let share = format!(
                        "{:.0} % ({:.0}–{:.0} %)",
                        v.share * 100.0,
                        v.low * 100.0,
                        v.high * 100.0
                    );
                    (v.entity.to_string(), share)
                });
            rows.push_str(&format!("<tr class=\"{}\">", c.level));
            let cells = [
                ("Column", escape(&c.name)),
                ("Holds", escape(&entity)),
                ("Share (95 %)", share),
                ("Level", format!("<span class=\"level\">{}</span>", c.level)),
                ("Technique", c.technique.to_string()),
                ("Why", escape(&c.reason)),
            ];
            for (label, cell) in cells {
                rows.push_str(&format!("<td data-label=\"{label}\">{cell}</td>"));
            }
            rows.push_str("</tr>\n");
        }
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>Inventory of {source}</title>\n<style>\n{STYLE}</style></head><body>\n\
             <h1>Inventory of {source}</h1>\n<p>{rows_seen} rows were looked at; as a whole the source is <b>{level}</b>. \
             Detection is heuristic: what was not found may still be there.</p>\n\
             <table><thead><tr><th>Column</th><th>Holds</th><th>Share (95 %)</th><th>Level</th><th>Technique</th><th>Why</th></tr></thead>\
             <tbody>\n{rows}</tbody></table></body></html>\n",
            source = escape(&self.source),
            rows_seen = self.rows,
            level = self.level,
        )
    }
}

const STYLE: &str = include_str!("../data/inventory.css");

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
