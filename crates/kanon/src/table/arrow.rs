//! Arrow record batches as tables, and tables as record batches (feature `arrow`).

use std::sync::Arc;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Date32Type, Date64Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, Int64Array, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};

use super::{Column, ColumnBuilder, Kind, Table, Value, civil_from_days};
use crate::error::{Error, Result};

/// Rows of a record batch that is made of a table.
const BATCH: usize = 1 << 16;

impl Table {
    /// The rows of record batches of one schema, one after another.
    ///
    /// Texts (also in dictionaries), whole and floating-point numbers, flags, dates and timestamps
    /// are taken (timestamps to the second, in UTC); a null is a missing value. Columns keep the
    /// type of the schema: a text of digits stays a text.
    ///
    /// # Errors
    ///
    /// [`Error::ColumnType`] for a column of another type, [`Error::Ragged`] for batches of other
    /// schemas, [`Error::DuplicateColumn`], or [`Error::TooLarge`].
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use arrow_array::{ArrayRef, Int32Array, RecordBatch, StringArray};
    /// use kanon::Table;
    ///
    /// let batch = RecordBatch::try_from_iter([
    ///     ("age", Arc::new(Int32Array::from(vec![Some(31), None])) as ArrayRef),
    ///     ("zip", Arc::new(StringArray::from(vec!["08001", "08002"]))),
    /// ])?;
    /// let table = Table::from_batches([&batch])?;
    /// assert_eq!(table.column("zip")?.value(1), Some(&"08002".into()));
    /// assert_eq!(table.to_batches()?[0].num_rows(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_batches<'a>(batches: impl IntoIterator<Item = &'a RecordBatch>) -> Result<Self> {
        let mut all = Batches::default();
        batches.into_iter().try_for_each(|batch| all.push(batch))?;
        all.finish()
    }

    /// The table as record batches of at most 65,536 rows. A missing value is a null and a
    /// suppressed one the text `*`. Whole numbers are `Int64` where all values are; everything else
    /// is text in dictionaries.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] for dictionaries beyond 2^31 entries.
    pub fn to_batches(&self) -> Result<Vec<RecordBatch>> {
        let whole: Vec<Option<Vec<Option<i64>>>> = self.columns().iter().map(numbers).collect();
        let text = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let field = |(column, whole): (&Column, &Option<_>)| {
            let kind = if whole.is_some() { DataType::Int64 } else { text.clone() };
            Field::new(column.name(), kind, true)
        };
        let fields: Vec<Field> = self.columns().iter().zip(&whole).map(field).collect();
        let schema = Arc::new(Schema::new(fields));
        let starts = (0..self.rows().max(1)).step_by(BATCH);
        let batch = |start: usize| {
            let rows = start..(start + BATCH).min(self.rows());
            let arrays = self.columns().iter().zip(&whole);
            let arrays: Vec<ArrayRef> = arrays
                .map(|(column, whole)| array(column, whole.as_deref(), rows.clone()))
                .collect::<Result<_>>()?;
            let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows.len()));
            RecordBatch::try_new_with_options(schema.clone(), arrays, &options)
                .map_err(|_| refused())
        };
        starts.map(batch).collect()
    }
}

fn refused() -> Error {
    Error::TooLarge { what: "distinct texts for an Arrow dictionary", limit: i32::MAX as u64 }
}

/// The number of each entry of a dictionary, if all of them are whole numbers or missing.
fn numbers(column: &Column) -> Option<Vec<Option<i64>>> {
    if column.kind() != Kind::Integer {
        return None;
    }
    let number = |value: &Value| match value {
        Value::Missing => Some(None),
        Value::Suppressed => None,
        Value::Text(text) => text.parse::<i64>().ok().filter(|x| x.to_string() == **text).map(Some),
    };
    column.dictionary().iter().map(number).collect()
}

fn array(
    column: &Column,
    whole: Option<&[Option<i64>]>,
    rows: std::ops::Range<usize>,
) -> Result<ArrayRef> {
    let mut codes = rows.map(|row| column.codes().get(row) as usize);
    if let Some(numbers) = whole {
        return Ok(Arc::new(codes.map(|code| numbers[code]).collect::<Int64Array>()));
    }
    let mut texts = StringDictionaryBuilder::<Int32Type>::new();
    codes
        .try_for_each(|code| -> std::result::Result<(), ArrowError> {
            match &column.dictionary()[code] {
                Value::Missing => texts.append_null(),
                Value::Suppressed => texts.append_value("*"),
                Value::Text(text) => texts.append_value(text),
            };
            Ok(())
        })
        .map_err(|_| refused())?;
    Ok(Arc::new(texts.finish()))
}

/// A table that grows by batches.
#[derive(Default)]
pub(crate) struct Batches {
    columns: Vec<(ColumnBuilder, Kind)>,
    schema: Option<Arc<Schema>>,
}

impl Batches {
    pub(crate) fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let schema = batch.schema();
        match &self.schema {
            None => {
                for field in schema.fields() {
                    let kind = kind(field.data_type()).ok_or_else(|| unreadable(field))?;
                    self.columns.push((ColumnBuilder::new(field.name().clone()), kind));
                }
                self.schema = Some(schema.clone());
            }
            Some(known) if known.fields() != schema.fields() => {
                let (expected, found) = (known.fields().len() as u64, schema.fields().len() as u64);
                return Err(Error::Ragged { line: 0, expected, found });
            }
            Some(_) => {}
        }
        let columns = self.columns.iter_mut().zip(batch.columns()).zip(schema.fields());
        for (((builder, _), array), field) in columns {
            push(builder, array).ok_or_else(|| unreadable(field))?;
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Table> {
        let columns = self.columns.into_iter();
        Table::new(columns.map(|(builder, kind)| builder.finish(Some(kind))).collect())
    }
}

fn unreadable(field: &Field) -> Error {
    Error::ColumnType { column: field.name().clone(), found: field.data_type().to_string() }
}

/// What a column of an Arrow type is; `None` if it is not taken.
fn kind(data: &DataType) -> Option<Kind> {
    use DataType::*;
    Some(match data {
        Utf8 | LargeUtf8 | Utf8View | Boolean | Null => Kind::Text,
        Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64 => Kind::Integer,
        Float32 | Float64 => Kind::Decimal,
        Date32 | Date64 | Timestamp(..) => Kind::Date,
        Dictionary(_, values) if matches!(**values, Utf8 | LargeUtf8) => Kind::Text,
        _ => return None,
    })
}

fn push(builder: &mut ColumnBuilder, array: &ArrayRef) -> Option<()> {
    use DataType::*;
    let day = 86_400;
    match array.data_type() {
        Utf8 => texts(builder, array.as_string::<i32>().iter()),
        LargeUtf8 => texts(builder, array.as_string::<i64>().iter()),
        Utf8View => texts(builder, array.as_string_view().iter()),
        Boolean => {
            let flags = array.as_boolean().iter();
            texts(builder, flags.map(|flag| flag.map(|f| if f { "true" } else { "false" })));
        }
        Null => (0..array.len()).for_each(|_| builder.push_missing()),
        Int8 => shown::<Int8Type>(builder, array, |x| x.to_string()),
        Int16 => shown::<Int16Type>(builder, array, |x| x.to_string()),
        Int32 => shown::<Int32Type>(builder, array, |x| x.to_string()),
        Int64 => shown::<Int64Type>(builder, array, |x| x.to_string()),
        UInt8 => shown::<UInt8Type>(builder, array, |x| x.to_string()),
        UInt16 => shown::<UInt16Type>(builder, array, |x| x.to_string()),
        UInt32 => shown::<UInt32Type>(builder, array, |x| x.to_string()),
        UInt64 => shown::<UInt64Type>(builder, array, |x| x.to_string()),
        Float32 => shown::<Float32Type>(builder, array, |x| x.to_string()),
        Float64 => shown::<Float64Type>(builder, array, |x| x.to_string()),
        Date32 => shown::<Date32Type>(builder, array, |days| moment(i64::from(days) * day, false)),
        Date64 => shown::<Date64Type>(builder, array, |ms| moment(ms.div_euclid(1000), false)),
        Timestamp(unit, _) => match unit {
            TimeUnit::Second => shown::<TimestampSecondType>(builder, array, |s| moment(s, true)),
            TimeUnit::Millisecond => shown::<TimestampMillisecondType>(builder, array, |ms| {
                moment(ms.div_euclid(1000), true)
            }),
            TimeUnit::Microsecond => shown::<TimestampMicrosecondType>(builder, array, |us| {
                moment(us.div_euclid(1_000_000), true)
            }),
            TimeUnit::Nanosecond => shown::<TimestampNanosecondType>(builder, array, |ns| {
                moment(ns.div_euclid(1_000_000_000), true)
            }),
        },
        Dictionary(keys, _) => match **keys {
            Int8 => dictionary::<Int8Type>(builder, array)?,
            Int16 => dictionary::<Int16Type>(builder, array)?,
            Int32 => dictionary::<Int32Type>(builder, array)?,
            Int64 => dictionary::<Int64Type>(builder, array)?,
            UInt8 => dictionary::<UInt8Type>(builder, array)?,
            UInt16 => dictionary::<UInt16Type>(builder, array)?,
            UInt32 => dictionary::<UInt32Type>(builder, array)?,
            UInt64 => dictionary::<UInt64Type>(builder, array)?,
            _ => return None,
        },
        _ => return None,
    }
    Some(())
}

fn texts<'a>(builder: &mut ColumnBuilder, values: impl Iterator<Item = Option<&'a str>>) {
    for value in values {
        match value {
            Some(text) => builder.push_text(text),
            None => builder.push_missing(),
        }
    }
}

fn shown<T: ArrowPrimitiveType>(
    builder: &mut ColumnBuilder,
    array: &ArrayRef,
    show: impl Fn(T::Native) -> String,
) {
    for value in array.as_primitive::<T>() {
        match value {
            // What is not finite has no place in an order.
            Some(value) => match show(value) {
                text if text == "NaN" || text.ends_with("inf") => builder.push_missing(),
                text => builder.push_text(&text),
            },
            None => builder.push_missing(),
        }
    }
}

fn dictionary<K: ArrowDictionaryKeyType>(
    builder: &mut ColumnBuilder,
    array: &ArrayRef,
) -> Option<()> {
    let array = array.as_dictionary::<K>();
    let values: Vec<Option<&str>> = match array.values().data_type() {
        DataType::Utf8 => array.values().as_string::<i32>().iter().collect(),
        DataType::LargeUtf8 => array.values().as_string::<i64>().iter().collect(),
        _ => return None,
    };
    texts(builder, (0..array.len()).map(|row| values.get(array.key(row)?).copied().flatten()));
    Some(())
}

/// A moment in seconds since 1970 as text.
fn moment(seconds: i64, with_time: bool) -> String {
    let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
    let time = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    match with_time {
        true => format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"),
        false => format!("{year:04}-{month:02}-{day:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{
        BooleanArray, Date32Array, DictionaryArray, Float64Array, Int32Array, StringArray,
        TimestampMillisecondArray, UInt8Array,
    };

    #[test]
    fn what_comes_in_goes_out() {
        let flags = BooleanArray::from(vec![Some(true), None, Some(false)]);
        let dates = Date32Array::from(vec![Some(0), Some(-1), None]);
        let times = TimestampMillisecondArray::from(vec![Some(86_399_999), None, Some(-1)]);
        let words: DictionaryArray<Int32Type> =
            vec![Some("b"), None, Some("b")].into_iter().collect();
        let batch = RecordBatch::try_from_iter([
            ("age", Arc::new(UInt8Array::from(vec![Some(3), None, Some(4)])) as ArrayRef),
            ("x", Arc::new(Float64Array::from(vec![Some(0.5), Some(f64::NAN), None]))),
            ("flag", Arc::new(flags)),
            ("day", Arc::new(dates)),
            ("time", Arc::new(times)),
            ("word", Arc::new(words)),
            ("zip", Arc::new(StringArray::from(vec!["01", "02", "01"]))),
        ])
        .unwrap();
        let table = Table::from_batches([&batch, &batch]).unwrap();
        assert_eq!(table.rows(), 6);
        let cell = |name: &str, row| table.column(name).unwrap().value(row).unwrap().text();
        assert_eq!((cell("age", 3), cell("age", 1)), (Some("3"), None));
        assert_eq!(
            (cell("x", 0), cell("x", 1), cell("flag", 2)),
            (Some("0.5"), None, Some("false"))
        );
        assert_eq!((cell("day", 0), cell("day", 1)), (Some("1970-01-01"), Some("1969-12-31")));
        assert_eq!(cell("time", 0), Some("1970-01-01T23:59:59"));
        assert_eq!(cell("time", 2), Some("1969-12-31T23:59:59"));
        assert_eq!(
            (cell("word", 2), cell("word", 1), cell("zip", 0)),
            (Some("b"), None, Some("01"))
        );
        assert_eq!(table.column("zip").unwrap().kind(), Kind::Text);
        let out = table.to_batches().unwrap();
        assert_eq!(out[0].column(0).as_primitive::<Int64Type>().value(2), 4);
        let again = Table::from_batches(&out).unwrap();
        for (a, b) in table.columns().iter().zip(again.columns()) {
            assert!((0..6).all(|row| a.value(row) == b.value(row)), "{}", a.name());
        }
    }

    #[test]
    fn other_types_and_schemas_are_refused() {
        let list =
            |name: &str, array: ArrayRef| RecordBatch::try_from_iter([(name, array)]).unwrap();
        let bytes = arrow_array::BinaryArray::from(vec![b"x".as_slice()]);
        let error = Table::from_batches([&list("b", Arc::new(bytes))]).unwrap_err();
        assert!(matches!(error, Error::ColumnType { .. }), "{error}");
        let (a, b) = (Int32Array::from(vec![1]), StringArray::from(vec!["x"]));
        let (a, b) = (list("a", Arc::new(a)), list("a", Arc::new(b)));
        assert!(matches!(Table::from_batches([&a, &b]).unwrap_err(), Error::Ragged { .. }));
        assert_eq!(Table::from_batches([]).unwrap().rows(), 0);
        let empty = Table::new(Vec::new()).unwrap();
        assert_eq!(empty.to_batches().unwrap()[0].num_columns(), 0);
    }
}
