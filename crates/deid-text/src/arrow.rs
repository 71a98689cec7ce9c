//! Columns of Arrow record batches (feature `arrow`).
//!
//! A column's name is context for its values, and each different value is scanned once. What cannot
//! be transformed without changing its type, such as a column of whole numbers that are card numbers,
//! is an error, never passed through.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, LargeStringArray, RecordBatch, RecordBatchOptions, StringArray,
    StringViewArray,
};
use arrow_schema::DataType;

use crate::analyzer::Analyzer;
use crate::error::{Error, Result};
use crate::inventory::{Inventorist, Inventory};
use crate::policy::CompiledPolicy;
use crate::record::scan_value;

/// The values of a column of strings, or of a dictionary of strings.
fn strings(array: &dyn Array) -> Option<Vec<Option<String>>> {
    let own = |s: Option<&str>| s.map(str::to_owned);
    if let Some(a) = array.as_string_opt::<i32>() {
        return Some(a.iter().map(own).collect());
    }
    if let Some(a) = array.as_string_opt::<i64>() {
        return Some(a.iter().map(own).collect());
    }
    if let Some(a) = array.as_string_view_opt() {
        return Some(a.iter().map(own).collect());
    }
    let dictionary = array.as_any_dictionary_opt()?;
    let values = strings(dictionary.values())?;
    if values.is_empty() {
        return Some(vec![None; array.len()]);
    }
    let keys = dictionary.normalized_keys().into_iter().enumerate();
    let value = |(i, key): (usize, usize)| {
        if array.is_null(i) { None } else { values.get(key).cloned().flatten() }
    };
    Some(keys.map(value).collect())
}

/// The values of a column of whole numbers.
fn numbers(array: &dyn Array) -> Option<Vec<Option<String>>> {
    macro_rules! of {
        ($kind:ty) => {
            if let Some(a) = array.as_primitive_opt::<$kind>() {
                return Some(a.iter().map(|v| v.map(|v| v.to_string())).collect());
            }
        };
    }
    of!(Int64Type);
    of!(UInt64Type);
    of!(Int32Type);
    of!(UInt32Type);
    None
}

/// Applies a policy to the strings of a batch; the schema stays as it is.
///
/// `subject` names the column that says whom a row is about, for operators such as the date shift.
///
/// # Errors
///
/// As [`Analyzer::scan`] and [`CompiledPolicy::apply`]. [`Error::Parameter`] if there is no column of that
/// name, if whole numbers hold personal data (cast the column to strings), for nested columns (unnest
/// them), and for dictionaries together with `subject` (unpack them).
///
/// # Example
///
/// ```
/// use std::sync::Arc;
///
/// use arrow_array::{ArrayRef, RecordBatch, StringArray, cast::AsArray};
/// use deid_text::{Analyzer, Keys, Policy, arrow::redact_batch};
///
/// let analyzer = Analyzer::builder().without_names().build()?;
/// let policy = Policy::new().compile(&analyzer, &Keys::new())?;
/// let mails: ArrayRef = Arc::new(StringArray::from(vec![Some("to ana@example.org"), None]));
/// let batch = RecordBatch::try_from_iter([("note", mails)]).expect("one column");
/// let safe = redact_batch(&analyzer, &policy, None, &batch)?;
/// assert_eq!(safe.column(0).as_string::<i32>().value(0), "to <EMAIL_ADDRESS>");
/// # Ok::<(), deid_text::Error>(())
/// ```
pub fn redact_batch(
    analyzer: &Analyzer,
    policy: &CompiledPolicy,
    subject: Option<&str>,
    batch: &RecordBatch,
) -> Result<RecordBatch> {
    let refused = |requirement| Error::Parameter { parameter: "a column", requirement };
    let subjects = match subject {
        None => None,
        Some(name) => {
            let column = batch.column_by_name(name).ok_or(Error::Parameter {
                parameter: "the column of subjects",
                requirement: "in the batch",
            })?;
            let values = strings(column).or_else(|| numbers(column));
            Some(values.ok_or_else(|| refused("of strings or whole numbers to name subjects"))?)
        }
    };
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let redact = |values: Vec<Option<String>>, subjects: Option<&[Option<String>]>| {
            redact_values(analyzer, policy, field.name(), values, subjects)
        };
        let new: ArrayRef = if let Some(dictionary) = column.as_any_dictionary_opt()
            && let Some(values) = strings(dictionary.values())
        {
            if subjects.is_some() {
                return Err(refused("unpacked from its dictionary when subjects are given"));
            }
            let new = redact(values, None)?;
            dictionary.with_values(array_of(dictionary.values().data_type(), new))
        } else if let Some(values) = strings(column) {
            array_of(column.data_type(), redact(values, subjects.as_deref())?)
        } else if let Some(values) = numbers(column) {
            let mut seen: HashMap<&str, ()> = HashMap::new();
            for value in values.iter().flatten() {
                let new = seen.insert(value, ()).is_none();
                if new && !scan_value(analyzer, field.name(), value)?.is_empty() {
                    return Err(refused("cast to strings: its numbers are personal data"));
                }
            }
            Arc::clone(column)
        } else if column.data_type().is_nested() {
            return Err(refused("flat: unnest it first"));
        } else {
            Arc::clone(column)
        };
        columns.push(new);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(batch.schema(), columns, &options)
        .map_err(|_| Error::Record { format: "Arrow", number: 0 })
}

fn redact_values(
    analyzer: &Analyzer,
    policy: &CompiledPolicy,
    name: &str,
    values: Vec<Option<String>>,
    subjects: Option<&[Option<String>]>,
) -> Result<Vec<Option<String>>> {
    let mut known: HashMap<(String, String), String> = HashMap::new();
    let mut out = Vec::with_capacity(values.len());
    for (i, value) in values.into_iter().enumerate() {
        let Some(value) = value else {
            out.push(None);
            continue;
        };
        let subject = subjects.and_then(|s| s.get(i)).cloned().flatten().unwrap_or_default();
        let key = (subject, value);
        if let Some(safe) = known.get(&key) {
            out.push(Some(safe.clone()));
            continue;
        }
        let findings = scan_value(analyzer, name, &key.1)?;
        let safe = if findings.is_empty() {
            key.1.clone()
        } else {
            policy.apply_for(&key.0, &key.1, &findings)?.text
        };
        known.insert(key, safe.clone());
        out.push(Some(safe));
    }
    Ok(out)
}

fn array_of(kind: &DataType, values: Vec<Option<String>>) -> ArrayRef {
    match kind {
        DataType::LargeUtf8 => Arc::new(LargeStringArray::from(values)),
        DataType::Utf8View => Arc::new(StringViewArray::from_iter(values)),
        _ => Arc::new(StringArray::from(values)),
    }
}

impl Inventorist<'_> {
    /// The inventory of a record batch: its columns of strings and whole numbers; the others hold nothing
    /// that could be recognized.
    ///
    /// # Errors
    ///
    /// As [`Analyzer::scan`].
    pub fn batch(&self, source: &str, batch: &RecordBatch) -> Result<Inventory> {
        let mut reports = Vec::with_capacity(batch.num_columns());
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let values = strings(column).or_else(|| numbers(column)).unwrap_or_default();
            reports.push(self.column(field.name(), values.iter().flatten().map(String::as_str))?);
        }
        Ok(Inventory::of(source, batch.num_rows(), reports))
    }
}
