//! Records: JSON of any shape, CSV, lines of logs.
//!
//! The name of a field is context for its values: `"iban": "…"` speaks for an account number as
//! "IBAN:" does in a text. All steps of the path count.

use std::io::{BufRead, Write};

use serde_json::Value;

use crate::analyzer::Analyzer;
use crate::error::{Error, Result};
use crate::finding::{Finding, Findings};
use crate::policy::CompiledPolicy;
use crate::span::Span;

/// The findings in one string of a JSON value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Located {
    /// Where the string is, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What is in it; positions count within the string.
    pub findings: Findings,
}

/// Scans a value with words before it, such as the name of its column, as context.
///
/// Positions count within the value.
///
/// # Errors
///
/// As [`Analyzer::scan`].
pub fn scan_value(analyzer: &Analyzer, header: &str, value: &str) -> Result<Findings> {
    let label = words(header);
    let text = format!("{label}: {value}");
    let shift = label.len() + 2;
    let chars = text.get(..shift).map_or(0, |t| t.chars().count());
    let utf16 = text.get(..shift).map_or(0, |t| t.encode_utf16().count());
    let all = analyzer.scan(&text)?;
    let list: Vec<Finding> = all
        .list
        .into_iter()
        .filter(|f| f.span.end > shift)
        .map(|mut f| {
            let start = |s: Span| Span {
                start: s.start.saturating_sub(shift),
                end: s.end.saturating_sub(shift),
            };
            (f.span, f.edit) = (start(f.span), start(f.edit));
            f.chars = f.chars.start.saturating_sub(chars)..f.chars.end.saturating_sub(chars);
            f.utf16 = f.utf16.start.saturating_sub(utf16)..f.utf16.end.saturating_sub(utf16);
            f
        })
        .collect();
    Ok(Findings { list, text_len: value.len() })
}

/// `billing.cardNumber` and `card_number` as words.
fn words(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 4);
    let mut lower = false;
    for c in path.chars() {
        if c.is_alphanumeric() {
            if lower && c.is_uppercase() {
                out.push(' ');
            }
            lower = c.is_lowercase();
            out.push(c);
        } else {
            out.push(' ');
            lower = false;
        }
    }
    out
}

/// Finds personal data in all strings and numbers of a JSON value.
///
/// # Errors
///
/// As [`Analyzer::scan`].
pub fn scan_json(analyzer: &Analyzer, value: &Value) -> Result<Vec<Located>> {
    let mut out = Vec::new();
    let mut copy = value.clone();
    walk(&mut copy, &mut String::new(), &mut String::new(), &mut |pointer, path, text| {
        let findings = scan_value(analyzer, path, text)?;
        if !findings.is_empty() {
            out.push(Located { pointer: pointer.to_owned(), findings });
        }
        Ok(None)
    })?;
    Ok(out)
}

/// Applies a policy to all strings and numbers of a JSON value, in place, and to names of members
/// that are surely personal data, such as e-mail addresses. A number that holds personal data
/// becomes a string.
///
/// # Errors
///
/// As [`Analyzer::scan`] and [`CompiledPolicy::apply`]; the value is then only partly transformed and
/// must not be passed on.
pub fn redact_json(
    analyzer: &Analyzer,
    policy: &CompiledPolicy,
    subject: &str,
    value: &mut Value,
) -> Result<()> {
    walk(value, &mut String::new(), &mut String::new(), &mut |_, path, text| {
        let findings = scan_value(analyzer, path, text)?;
        if findings.is_empty() {
            return Ok(None);
        }
        policy.apply_for(subject, text, &findings).map(|r| Some(r.text))
    })?;
    rename(analyzer, policy, subject, value)
}

/// A name of a member counts as personal data from this score on: names are seldom, and those of a
/// schema must stay.
const SURE: f32 = 0.8;

fn rename(
    analyzer: &Analyzer,
    policy: &CompiledPolicy,
    subject: &str,
    value: &mut Value,
) -> Result<()> {
    match value {
        Value::Array(items) => {
            items.iter_mut().try_for_each(|item| rename(analyzer, policy, subject, item))
        }
        Value::Object(map) => {
            let mut new = serde_json::Map::with_capacity(map.len());
            for (key, mut item) in std::mem::take(map) {
                rename(analyzer, policy, subject, &mut item)?;
                let mut findings = analyzer.scan(&key)?;
                findings.list.retain(|f| f.score >= SURE && f.entity != "DATE_TIME");
                let safe = if findings.is_empty() {
                    key
                } else {
                    policy.apply_for(subject, &key, &findings)?.text
                };
                // Two names may have become one.
                let mut name = safe.clone();
                let mut number = 2;
                while new.contains_key(&name) {
                    name = format!("{safe}_{number}");
                    number += 1;
                }
                new.insert(name, item);
            }
            *map = new;
            Ok(())
        }
        _ => Ok(()),
    }
}

type Visit<'a> = dyn FnMut(&str, &str, &str) -> Result<Option<String>> + 'a;

fn walk(
    value: &mut Value,
    pointer: &mut String,
    path: &mut String,
    visit: &mut Visit<'_>,
) -> Result<()> {
    match value {
        Value::String(text) => {
            if let Some(new) = visit(pointer, path, text)? {
                *text = new;
            }
        }
        Value::Number(number) => {
            if let Some(new) = visit(pointer, path, &number.to_string())? {
                *value = Value::String(new);
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter_mut().enumerate() {
                let len = pointer.len();
                pointer.push_str(&format!("/{i}"));
                walk(item, pointer, path, visit)?;
                pointer.truncate(len);
            }
        }
        Value::Object(map) => {
            for (key, item) in map.iter_mut() {
                let (len, path_len) = (pointer.len(), path.len());
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                path.push(' ');
                path.push_str(key);
                walk(item, pointer, path, visit)?;
                pointer.truncate(len);
                path.truncate(path_len);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
    Ok(())
}

/// Copies lines and applies a policy to each; gives the number of edits.
///
/// # Errors
///
/// As [`CompiledPolicy::apply`], and [`Error::Io`]. A line that fails is not written.
pub fn redact_lines(
    analyzer: &Analyzer,
    policy: &CompiledPolicy,
    mut input: impl BufRead,
    mut output: impl Write,
) -> Result<u64> {
    let mut edits = 0;
    let mut line = Vec::new();
    let mut findings = Findings::default();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(edits);
        }
        let text = String::from_utf8_lossy(&line);
        analyzer.scan_into(&text, &mut findings)?;
        if findings.is_empty() {
            output.write_all(text.as_bytes())?;
        } else {
            let safe = policy.apply(&text, &findings)?;
            edits += safe.items.len() as u64;
            output.write_all(safe.text.as_bytes())?;
        }
    }
}

/// Copies a CSV file with a header and applies a policy to each cell; gives the number of edits.
///
/// # Errors
///
/// As [`redact_lines`], and [`Error::Record`] for a row that cannot be read.
pub fn redact_csv(
    analyzer: &Analyzer,
    policy: &CompiledPolicy,
    input: impl std::io::Read,
    output: impl Write,
) -> Result<u64> {
    let mut reader = csv::Reader::from_reader(input);
    let mut writer = csv::Writer::from_writer(output);
    let failed = |number| move |_| Error::Record { format: "CSV", number };
    let headers = reader.headers().map_err(failed(0))?.clone();
    writer.write_record(&headers).map_err(failed(0))?;
    let mut edits = 0;
    for (i, row) in reader.records().enumerate() {
        let number = i as u64 + 1;
        let row = row.map_err(failed(number))?;
        let mut new = csv::StringRecord::new();
        for (cell, header) in row.iter().zip(headers.iter().chain(std::iter::repeat(""))) {
            let findings = scan_value(analyzer, header, cell)?;
            if findings.is_empty() {
                new.push_field(cell);
            } else {
                let safe = policy.apply(cell, &findings)?;
                edits += safe.items.len() as u64;
                new.push_field(&safe.text);
            }
        }
        writer.write_record(&new).map_err(failed(number))?;
    }
    writer.flush()?;
    Ok(edits)
}
